// X.509 certificates and private keys in PEM form (RFC 5280, RFC 7468), read with OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/time.h"

namespace consent::base {

// Gives back what OpenSSL made.
template <auto Free>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using OwnedBio = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using OwnedCertificate = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;

// How large a file of certificates or of a key may be.
inline constexpr size_t kMaxPemBytes = size_t{256} << 10;

// The certificates of `pem` in their order, up to the first that cannot be read; none of more than kMaxPemBytes. Pure.
std::vector<OwnedCertificate> CertificatesIn(std::string_view pem);
// The first private key of `pem`. nullptr: there is none, or it needs a passphrase, for which nobody is asked. Pure.
OwnedKey PrivateKeyIn(std::string_view pem);
// Whether `key` is that of `certificate`. Pure.
bool BelongTogether(const OwnedCertificate& certificate, const OwnedKey& key);

// The public key of a certificate as its SubjectPublicKeyInfo (RFC 5280, 4.1.2.7); empty: it cannot be read. Pure.
std::string PublicKeyOf(const OwnedCertificate& certificate);

// From when to when a certificate counts, both included; unset: a date that cannot be read.
struct Validity {
  Instant not_before;
  Instant not_after;
};
Validity ValidityOf(const OwnedCertificate& certificate);
// What to say after its name about a certificate that does not count at `now`, such as "expired at
// 2026-01-02T00:00:00Z". Empty: it counts. Pure.
std::string WhyNotValid(const Validity& validity, Instant now);

}  // namespace consent::base
