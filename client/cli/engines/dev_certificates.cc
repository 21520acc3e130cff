#include "client/cli/engines/dev_certificates.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/base/x509.h"

namespace consent::cli {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr seconds kBefore = hours(1);  // clocks of two machines differ
constexpr seconds kOfMachines = hours(24 * 30);
constexpr seconds kOfPeople = hours(23);
constexpr int kSerialBits = 127;

struct DevRole {
  const char* name;
  const char* role;  // as the protos name it
  bool person;
  bool has_systems = false;  // works for data systems
};
constexpr std::array kDevRoles = {
    DevRole{"backend", "ROLE_BACKEND", false},         DevRole{"sampler", "ROLE_SAMPLER", false},
    DevRole{"store", "ROLE_STORE", false, true},       DevRole{"purger", "ROLE_PURGER", false, true},
    DevRole{"auditor", "ROLE_AUDITOR", true},          DevRole{"operator", "ROLE_OPERATOR", true},
    DevRole{"officer", "ROLE_OFFICER", true},          DevRole{"second-officer", "ROLE_OFFICER", true},
    DevRole{"review-tool", "ROLE_REVIEW_TOOL", false},
};

using base::OpenSslFree;
using base::OwnedBio;
using base::OwnedCertificate;
using base::OwnedKey;
using Number = std::unique_ptr<BIGNUM, OpenSslFree<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, OpenSslFree<X509_EXTENSION_free>>;

// OpenSSL fails here for want of memory or randomness alone, and then the program ends.
void Need(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot make a certificate");
}

OwnedKey NewKey() {
  OwnedKey key{EVP_EC_gen("P-256")};
  Need(key != nullptr);
  return key;
}

template <typename Writes>
std::string Pem(const Writes& writes) {
  const OwnedBio bio{BIO_new(BIO_s_mem())};
  Need(bio != nullptr && writes(bio.get()) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

std::string PemOf(X509* certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string PemOf(EVP_PKEY* key) {
  return Pem([&](BIO* bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

// Who signs; of a CA's own certificate it itself.
struct Issuer {
  X509* certificate;
  EVP_PKEY* key;
};

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
  Need(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void SetTimes(X509* certificate, Time now, seconds life) {
  const auto at =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  Need(ASN1_TIME_set(X509_getm_notBefore(certificate), at - kBefore.count()) != nullptr);
  Need(ASN1_TIME_set(X509_getm_notAfter(certificate), at + life.count()) != nullptr);
}

// Everything but extensions and signature.
OwnedCertificate Blank(const std::string& name, EVP_PKEY* key, Time now, seconds life) {
  OwnedCertificate certificate{X509_new()};
  Need(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  const Number serial{BN_new()};
  Need(serial != nullptr && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
  Need(BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get())) != nullptr);
  SetTimes(certificate.get(), now, life);
  Need(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()),
                                  -1, 0) == 1);
  Need(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

void Sign(X509* certificate, const Issuer& issuer) {
  Need(X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate)) == 1);
  AddExtension(certificate, issuer.certificate, NID_subject_key_identifier, "hash");
  AddExtension(certificate, issuer.certificate, NID_authority_key_identifier, "keyid");
  Need(X509_sign(certificate, issuer.key, EVP_sha256()) > 0);
}

OwnedCertificate NewCa(EVP_PKEY* key, Time now) {
  OwnedCertificate ca = Blank("consentd development CA", key, now, kOfMachines);
  AddExtension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  AddExtension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  Sign(ca.get(), {ca.get(), key});
  return ca;
}

struct Leaf {
  std::string file;      // without its ending
  std::string use;       // "serverAuth" or "clientAuth"
  std::string subjects;  // alternative names, as OpenSSL's configuration writes them
  seconds life;
};

void AddLeaf(const Leaf& leaf, const Issuer& issuer, Time now, std::vector<NamedPem>* out) {
  const OwnedKey key = NewKey();
  const OwnedCertificate certificate = Blank("consentd " + leaf.file, key.get(), now, leaf.life);
  AddExtension(certificate.get(), issuer.certificate, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate.get(), issuer.certificate, NID_key_usage, "critical,digitalSignature");
  AddExtension(certificate.get(), issuer.certificate, NID_ext_key_usage, leaf.use);
  AddExtension(certificate.get(), issuer.certificate, NID_subject_alt_name, leaf.subjects);
  Sign(certificate.get(), issuer);
  out->push_back({leaf.file + ".pem", PemOf(certificate.get())});
  out->push_back({leaf.file + "-key.pem", PemOf(key.get())});
}

std::string UriOf(const DevRole& role) { return absl::StrCat("spiffe://consentd.dev/", role.name); }

// "DNS:name" or "IP:address"; nothing where it is neither.
std::string AlternativeName(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 || inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1) {
    return "IP:" + host;
  }
  const bool name = !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.';
  });
  return name ? "DNS:" + host : "";
}

}  // namespace

bool IsDevHost(const std::string& host) { return !AlternativeName(host).empty(); }

std::vector<NamedPem> MakeDevCertificates(const std::vector<std::string>& hosts, Time now) {
  std::string subjects = "DNS:localhost,IP:127.0.0.1,IP:::1";
  for (const std::string& host : hosts) {
    Need(IsDevHost(host));
    absl::StrAppend(&subjects, ",", AlternativeName(host));
  }
  const OwnedKey key = NewKey();
  const OwnedCertificate ca = NewCa(key.get(), now);
  const Issuer issuer{ca.get(), key.get()};
  std::vector<NamedPem> made{{"ca.pem", PemOf(ca.get())}};
  AddLeaf({"server", "serverAuth", subjects, kOfMachines}, issuer, now, &made);
  for (const DevRole& role : kDevRoles) {
    AddLeaf({role.name, "clientAuth", "URI:" + UriOf(role), role.person ? kOfPeople : kOfMachines}, issuer, now, &made);
  }
  return made;
}

std::string DevCallersFile() {
  nlohmann::ordered_json callers = nlohmann::ordered_json::array();
  for (const DevRole& role : kDevRoles) {
    nlohmann::ordered_json caller = {{"name", role.name}, {"identities", {UriOf(role)}}, {"roles", {role.role}}};
    if (role.has_systems) caller["systems"] = {"audio"};
    caller["max_certificate_hours"] = (kBefore + (role.person ? kOfPeople : kOfMachines)) / hours(1);
    callers.push_back(std::move(caller));
  }
  return nlohmann::ordered_json{{"callers", std::move(callers)}}.dump(2) + "\n";
}

}  // namespace consent::cli
