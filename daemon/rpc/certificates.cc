#include "daemon/rpc/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "daemon/callers/file.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {
namespace {

constexpr size_t kMaxPemBytes = size_t{64} << 10;

std::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

// Unset where it is no time.
base::Instant ToInstant(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return base::Instant{timegm(&parts) * 1'000'000};
}

Peer Nobody(absl::Status refusal) {
  Peer peer;
  peer.caller.identity = callers::kUnknownCaller;
  peer.refusal = std::move(refusal);
  return peer;
}

absl::Status UnknownCaller() {
  return wire::MakeError(v1::ERROR_REASON_CALLER_UNKNOWN,
                         "the callers' file of the daemon has no entry for the names in the caller's certificate");
}

absl::Status NotAccepted(const char* why, const char* text) {
  return wire::MakeError(v1::ERROR_REASON_CERTIFICATE_NOT_ACCEPTED, text, {{"why", why}});
}

// Why a caller's certificate counts no more, or does not count at all.
absl::Status CheckValidity(const Validity& validity, base::Span longest, base::Instant now) {
  if (!validity.not_before.IsSet() || now < validity.not_before) {
    return NotAccepted("not_yet_valid", "the caller's certificate is not valid yet");
  }
  if (!validity.not_after.IsSet() || validity.not_after < now) {
    return NotAccepted("expired", "the caller's certificate has expired: connect with a new one");
  }
  if (validity.not_after - validity.not_before > longest) {
    return NotAccepted(
        "lives_too_long",
        "the caller's certificate was made for longer than its max_certificate_hours in the callers' file");
  }
  return absl::OkStatus();
}

// The end of a PEM is the end of a signature, which nobody chooses.
size_t KeyOf(std::string_view pem) {
  constexpr size_t kEnd = 128;
  return std::hash<std::string_view>()(pem.substr(pem.size() - std::min(pem.size(), kEnd)));
}

callers::CertificateNames Names(const ProvenPeer& proven) {
  callers::CertificateNames names;
  for (const std::string_view uri : proven.uris) names.uris.emplace_back(uri);
  for (const std::string_view name : proven.dns) names.dns.emplace_back(name);
  return names;
}

}  // namespace

ProvenPeer ReadProperties(const grpc::AuthContext& context) {
  ProvenPeer proven;
  const auto end = context.end();
  for (auto at = context.begin(); at != end; ++at) {
    const auto [name_ref, value_ref] = *at;
    const std::string_view name = View(name_ref);
    const std::string_view value = View(value_ref);
    if (name == "transport_security_type") {
      // Two of them are none.
      proven.transport = proven.transport.empty() ? value : "several";
    } else if (name == "x509_pem_cert") {
      proven.certificate = value;
    } else if (name == "peer_uri") {
      proven.uris.push_back(value);
    } else if (name == "peer_dns") {
      proven.dns.push_back(value);
    }
  }
  return proven;
}

std::optional<Validity> ReadValidity(std::string_view pem) {
  if (pem.empty() || pem.size() > kMaxPemBytes) return std::nullopt;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      &BIO_free);
  if (bio == nullptr) return std::nullopt;
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                                &X509_free);
  if (certificate == nullptr) return std::nullopt;
  return Validity{ToInstant(X509_get0_notBefore(certificate.get())), ToInstant(X509_get0_notAfter(certificate.get()))};
}

std::shared_ptr<const callers::Caller> CertificateAuthenticator::Look(const ProvenPeer& proven,
                                                                      std::optional<Validity>* validity) const {
  // Read before Find: what is found may be newer than the version that it is kept under, never older.
  const uint64_t version = book_.version();
  const size_t key = KeyOf(proven.certificate);
  const Shelf& shelf = shelves_[key % kShelves];
  base::MutexLock lock(shelf.mutex);
  auto at = shelf.known.find(key);
  const bool same = at != shelf.known.end() && at->second.pem == proven.certificate;
  if (!same) {
    if (at == shelf.known.end() && shelf.known.size() >= kMostKept / kShelves) shelf.known.clear();
    at =
        shelf.known
            .insert_or_assign(key, Known{std::string(proven.certificate), ReadValidity(proven.certificate), 0, nullptr})
            .first;
  }
  Known& known = at->second;
  if (!same || known.version != version) {
    known.caller = book_.Find(Names(proven));
    known.version = version;
  }
  *validity = known.validity;
  return known.caller;
}

Peer CertificateAuthenticator::PeerOf(const ProvenPeer& proven) const {
  if (proven.transport != "tls" || proven.certificate.empty()) return Nobody(UnknownCaller());
  std::optional<Validity> validity;
  const std::shared_ptr<const callers::Caller> caller = Look(proven, &validity);
  if (caller == nullptr || !validity.has_value()) return Nobody(UnknownCaller());
  Peer peer;
  peer.caller.identity = caller->name;
  peer.refusal = CheckValidity(*validity, caller->longest_life, clock_.Now());
  if (!peer.refusal.ok()) return peer;
  peer.roles = caller->roles;
  peer.systems = caller->systems;
  peer.meter = caller->meter;
  return peer;
}

Peer CertificateAuthenticator::PeerOf(const grpc::CallbackServerContext& context) const {
  const std::shared_ptr<const grpc::AuthContext> proven = context.auth_context();
  return proven == nullptr ? Nobody(UnknownCaller()) : PeerOf(ReadProperties(*proven));
}

}  // namespace consent::rpc
