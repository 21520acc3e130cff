// Who calls by TLS, with certificates that the test makes.
#include "daemon/rpc/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "daemon/wire/errors.h"
#include "tests/support/store/clock.h"
#include "tests/support/thread_cost.h"

namespace consent::test::certificates_test {
namespace {

constexpr int64_t kNow = 1'800'000'000;  // seconds

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

// A certificate that signs itself, valid from `from` to `to` in seconds since 1970.
std::string Certificate(int64_t from, int64_t to) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_TIME_set(X509_getm_notBefore(certificate), from);
  ASN1_TIME_set(X509_getm_notAfter(certificate), to);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return TextOf(bio);
}

v1::CallersFile File(const std::string& more = "") {
  v1::CallersFile file;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
      callers { name: "sampler" identities: "spiffe://td/sampler" identities: "sampler.example" roles: ROLE_SAMPLER
                max_certificate_hours: 24 }
      callers { name: "purger" identities: "spiffe://td/purger/*" roles: ROLE_PURGER systems: "audio"
                max_certificate_hours: 24 })" + more,
                                                            &file));
  return file;
}

class CertificatesTest : public ::testing::Test {
 protected:
  CertificatesTest() {
    book_.Put(File());
    clock_.Set(base::Instant{kNow * 1'000'000});
  }
  static rpc::ProvenPeer Proven(std::string_view pem, std::string_view uri = "spiffe://td/sampler") {
    rpc::ProvenPeer proven;
    proven.transport = "tls";
    proven.certificate = pem;
    if (!uri.empty()) proven.uris.push_back(uri);
    return proven;
  }
  // The reason why it may do nothing; UNSPECIFIED: nothing is against it.
  v1::ErrorReason Refusal(const rpc::ProvenPeer& proven) const {
    const rpc::Peer peer = authenticator_.PeerOf(proven);
    if (peer.refusal.ok()) return v1::ERROR_REASON_UNSPECIFIED;
    EXPECT_TRUE(peer.roles.Empty());
    EXPECT_EQ(peer.refusal.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(std::string(peer.refusal.message()).find("td"), std::string::npos) << "no identity in a text";
    return wire::DetailOf(peer.refusal).reason;
  }
  std::string Why(const rpc::ProvenPeer& proven) const {
    return wire::DetailOf(authenticator_.PeerOf(proven).refusal).metadata["why"];
  }

  callers::Book book_;
  ManualClock clock_;
  const rpc::CertificateAuthenticator authenticator_{book_, clock_};
  const std::string good_ = Certificate(kNow - 3'600, kNow + 3'600);
};

TEST_F(CertificatesTest, ACertificateIsItsCaller) {
  const rpc::Peer sampler = authenticator_.PeerOf(Proven(good_));
  EXPECT_TRUE(sampler.refusal.ok()) << sampler.refusal;
  EXPECT_EQ(sampler.caller.identity, "sampler");
  EXPECT_TRUE(sampler.roles.Has(v1::ROLE_SAMPLER));
  EXPECT_FALSE(sampler.roles.Has(v1::ROLE_PURGER));
  EXPECT_NE(sampler.meter, nullptr);
  const rpc::Peer purger = authenticator_.PeerOf(Proven(Certificate(kNow - 1, kNow + 1), "spiffe://td/purger/one"));
  EXPECT_EQ(purger.caller.identity, "purger");
  EXPECT_EQ(purger.systems, std::vector<std::string>{"audio"});
}

TEST_F(CertificatesTest, WhoProvedNothingIsNobody) {
  for (const char* transport : {"", "ssl", "local", "insecure", "TLS", "several"}) {
    rpc::ProvenPeer proven = Proven(good_);
    proven.transport = transport;
    EXPECT_EQ(Refusal(proven), v1::ERROR_REASON_CALLER_UNKNOWN) << transport;
    EXPECT_EQ(authenticator_.PeerOf(proven).caller.identity, "unknown");
  }
  EXPECT_EQ(Refusal(Proven("")), v1::ERROR_REASON_CALLER_UNKNOWN);
  EXPECT_EQ(Refusal(Proven("no certificate")), v1::ERROR_REASON_CALLER_UNKNOWN);
  EXPECT_EQ(Refusal(Proven(Certificate(kNow - 1, kNow + 1), "")), v1::ERROR_REASON_CALLER_UNKNOWN);
  EXPECT_EQ(Refusal(Proven(Certificate(kNow - 1, kNow + 1), "spiffe://td/other")), v1::ERROR_REASON_CALLER_UNKNOWN);
}

TEST_F(CertificatesTest, ACertificateCountsWhileItIsValid) {
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_UNSPECIFIED);
  clock_.Set(base::Instant{(kNow + 3'601) * 1'000'000});
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_CERTIFICATE_NOT_ACCEPTED) << "on the connection that it opened";
  EXPECT_EQ(Why(Proven(good_)), "expired");
  clock_.Set(base::Instant{(kNow - 3'601) * 1'000'000});
  EXPECT_EQ(Why(Proven(good_)), "not_yet_valid");
}

TEST_F(CertificatesTest, ACertificateLivesNoLongerThanItsEntrySays) {
  EXPECT_EQ(Refusal(Proven(Certificate(kNow - 3'600, kNow + 23 * 3'600))), v1::ERROR_REASON_UNSPECIFIED);
  const std::string longer = Certificate(kNow - 3'600, kNow + 23 * 3'600 + 1);
  EXPECT_EQ(Refusal(Proven(longer)), v1::ERROR_REASON_CERTIFICATE_NOT_ACCEPTED);
  EXPECT_EQ(Why(Proven(longer)), "lives_too_long");
  EXPECT_EQ(Why(Proven(Certificate(-1'000'000'000, 253'402'300'799))), "lives_too_long");
}

TEST_F(CertificatesTest, ItsEntryIsLookedUpEachTime) {
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_UNSPECIFIED);
  v1::CallersFile without = File();
  without.mutable_callers()->DeleteSubrange(0, 1);
  book_.Put(without);
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_CALLER_UNKNOWN);
  book_.Put(File());
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_UNSPECIFIED);
  v1::CallersFile stricter = File();
  stricter.mutable_callers(0)->set_max_certificate_hours(1);
  stricter.mutable_callers(0)->set_roles(0, v1::ROLE_AUDITOR);
  book_.Put(stricter);
  EXPECT_EQ(Why(Proven(good_)), "lives_too_long");
}

TEST_F(CertificatesTest, WhatIsKeptIsBoundedAndNeverTakenForAnother) {
  // The same end, another beginning: the place where it is kept is the same.
  std::string twin = good_;
  twin[40] = twin[40] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_EQ(authenticator_.PeerOf(Proven(twin, "spiffe://td/other")).caller.identity, "unknown");
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_UNSPECIFIED);
  for (int i = 0; i < 3'000; ++i) authenticator_.PeerOf(Proven("x" + std::to_string(i)));
  EXPECT_EQ(Refusal(Proven(good_)), v1::ERROR_REASON_UNSPECIFIED);
}

TEST_F(CertificatesTest, ACallCostsLittle) {
  constexpr int kCalls = 100'000;
  const rpc::ProvenPeer proven = Proven(good_);
  const ThreadCost cost;
  for (int i = 0; i < kCalls; ++i) ASSERT_TRUE(authenticator_.PeerOf(proven).refusal.ok());
  const auto each = cost.processor().count() / kCalls;
  std::printf("a certificate's peer: %lld ns\n", static_cast<long long>(each));
  EXPECT_LT(each, 20'000) << "nothing is parsed again";
}

}  // namespace
}  // namespace consent::test::certificates_test
