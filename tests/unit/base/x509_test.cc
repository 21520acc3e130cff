// Certificates and keys as PEM: read in their order, matched, dated. The PEMs are made by OpenSSL here.
#include "daemon/base/x509.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

namespace consent::base {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr time_t kBegin = 1'795'000'000;
constexpr time_t kEnd = kBegin + 86'400;

std::string TextOf(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

OwnedKey NewKey() { return OwnedKey(EVP_EC_gen("P-256")); }

std::string NewCertificate(const OwnedKey& key) {
  const OwnedCertificate made{X509_new()};
  ASN1_TIME_set(X509_getm_notBefore(made.get()), kBegin);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), kEnd);
  X509_set_pubkey(made.get(), key.get());
  X509_sign(made.get(), key.get(), EVP_sha256());
  const OwnedBio bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), made.get());
  return TextOf(bio.get());
}

std::string PemOf(const OwnedKey& key, const std::string& passphrase) {
  const OwnedBio bio{BIO_new(BIO_s_mem())};
  std::string secret = passphrase;
  PEM_write_bio_PrivateKey(bio.get(), key.get(), secret.empty() ? nullptr : EVP_aes_256_cbc(),
                           reinterpret_cast<unsigned char*>(secret.data()), static_cast<int>(secret.size()), nullptr,
                           nullptr);
  return TextOf(bio.get());
}

TEST(X509Test, CertificatesAreReadUpToWhatIsNone) {
  const OwnedKey first = NewKey();
  const OwnedKey second = NewKey();
  const std::string both = NewCertificate(first) + "between\n" + NewCertificate(second);
  const auto read = CertificatesIn(both);
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_TRUE(BelongTogether(read[0], first));
  EXPECT_TRUE(BelongTogether(read[1], second));
  EXPECT_FALSE(BelongTogether(read[1], first));
  EXPECT_THAT(CertificatesIn(both.substr(0, both.size() / 2)), SizeIs(1));
  EXPECT_THAT(CertificatesIn(""), IsEmpty());
  EXPECT_THAT(CertificatesIn("garbage"), IsEmpty());
  EXPECT_THAT(CertificatesIn(both + std::string(kMaxPemBytes, '\n')), IsEmpty()) << "too large";
}

TEST(X509Test, AKeyThatNeedsAPassphraseIsNone) {
  const OwnedKey key = NewKey();
  EXPECT_NE(PrivateKeyIn(PemOf(key, "")), nullptr);
  EXPECT_EQ(PrivateKeyIn(PemOf(key, "secret")), nullptr);
  EXPECT_EQ(PrivateKeyIn(NewCertificate(key)), nullptr);
  EXPECT_EQ(PrivateKeyIn(""), nullptr);
}

TEST(X509Test, DatesCountToTheSecond) {
  const Validity validity = ValidityOf(CertificatesIn(NewCertificate(NewKey())).at(0));
  EXPECT_EQ(validity.not_before, Instant{kBegin * 1'000'000});
  EXPECT_EQ(validity.not_after, Instant{kEnd * 1'000'000});
  EXPECT_EQ(WhyNotValid(validity, validity.not_before), "");
  EXPECT_EQ(WhyNotValid(validity, validity.not_after), "");
  EXPECT_EQ(WhyNotValid(validity, validity.not_before - Microseconds(1)),
            "is not valid before " + FormatRfc3339(validity.not_before));
  EXPECT_EQ(WhyNotValid(validity, validity.not_after + Microseconds(1)),
            "expired at " + FormatRfc3339(validity.not_after));
  EXPECT_THAT(WhyNotValid({}, validity.not_after), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace consent::base
