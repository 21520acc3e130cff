#include "daemon/base/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>
#include <utility>

namespace consent::base {
namespace {

// nullptr: too large. Reads from `bytes`, which outlives it.
OwnedBio ReaderOf(std::string_view bytes) {
  if (bytes.size() > kMaxPemBytes) return nullptr;
  return OwnedBio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

int NoPassphrase(char*, int, int, void*) { return -1; }

Instant InstantOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Instant{static_cast<int64_t>(timegm(&parts)) * 1'000'000};
}

}  // namespace

std::vector<OwnedCertificate> CertificatesIn(std::string_view pem) {
  std::vector<OwnedCertificate> certificates;
  const OwnedBio reader = ReaderOf(pem);
  if (reader == nullptr) return certificates;
  while (OwnedCertificate next{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(next));
  }
  ERR_clear_error();  // the end is told as an error
  return certificates;
}

OwnedKey PrivateKeyIn(std::string_view pem) {
  const OwnedBio reader = ReaderOf(pem);
  if (reader == nullptr) return nullptr;
  OwnedKey key{PEM_read_bio_PrivateKey(reader.get(), nullptr, NoPassphrase, nullptr)};
  ERR_clear_error();
  return key;
}

bool BelongTogether(const OwnedCertificate& certificate, const OwnedKey& key) {
  const bool belong = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return belong;
}

std::string PublicKeyOf(const OwnedCertificate& certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &bytes);
  std::string key;
  if (size > 0) key.assign(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  ERR_clear_error();
  return key;
}

Validity ValidityOf(const OwnedCertificate& certificate) {
  return {InstantOf(X509_get0_notBefore(certificate.get())), InstantOf(X509_get0_notAfter(certificate.get()))};
}

std::string WhyNotValid(const Validity& validity, Instant now) {
  if (!validity.not_before.IsSet() || !validity.not_after.IsSet()) return "has a date that cannot be read";
  if (now < validity.not_before) return "is not valid before " + FormatRfc3339(validity.not_before);
  if (validity.not_after < now) return "expired at " + FormatRfc3339(validity.not_after);
  return "";
}

}  // namespace consent::base
