#include "daemon/rpc/certificates.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/names.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {
namespace {

std::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

Peer Nobody(absl::Status refusal) {
  Peer peer;
  peer.caller.identity = base::kUnknownCaller;
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
absl::Status CheckValidity(const base::Validity& validity, base::Span longest, base::Instant now) {
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

// nullopt: these bytes are no certificate.
std::optional<base::Validity> ReadValidity(std::string_view pem) {
  const std::vector<base::OwnedCertificate> certificates = base::CertificatesIn(pem);
  return certificates.empty() ? std::nullopt : std::optional(base::ValidityOf(certificates.front()));
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

std::shared_ptr<const callers::Caller> CertificateAuthenticator::Look(const ProvenPeer& proven,
                                                                      std::optional<base::Validity>* validity) const {
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
  std::optional<base::Validity> validity;
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

service::Person CertificateAuthenticator::PersonOf(const ProvenPeer& proven) const {
  service::Person person;
  const Peer peer = PeerOf(proven);
  const std::vector<base::OwnedCertificate> certificates = base::CertificatesIn(proven.certificate);
  if (!peer.refusal.ok() || certificates.empty()) return person;
  const std::string key = base::PublicKeyOf(certificates.front());
  if (key.empty() || proven.uris.size() + proven.dns.size() + 1 > service::kMaxMarks) return person;
  person.kind = service::PersonKind::kCertificate;
  person.name = peer.caller.identity;
  for (const std::string_view uri : proven.uris) person.marks.push_back(base::Sha256("uri:", uri));
  for (const std::string_view name : proven.dns) person.marks.push_back(base::Sha256("dns:", name));
  person.marks.push_back(base::Sha256("key:", key));
  return person;
}

service::Person CertificateAuthenticator::PersonOf(const grpc::CallbackServerContext& context) const {
  const std::shared_ptr<const grpc::AuthContext> proven = context.auth_context();
  return proven == nullptr ? service::Person{} : PersonOf(ReadProperties(*proven));
}

Peer CertificateAuthenticator::PeerOf(const grpc::CallbackServerContext& context) const {
  const std::shared_ptr<const grpc::AuthContext> proven = context.auth_context();
  Peer peer = proven == nullptr ? Nobody(UnknownCaller()) : PeerOf(ReadProperties(*proven));
  if (peer.meter != nullptr) peer.connection = context.peer();
  return peer;
}

}  // namespace consent::rpc
