// The client over TLS: with development certificates it is served, and whatever is wrong with its own files is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "client/cli/engines/dev_certificates.h"
#include "client/src/credentials.h"
#include "client/src/wall_clock.h"
#include "daemon/base/x509.h"
#include "tests/unit/client/fake_daemon.h"

namespace consent {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using ::testing::AllOf;
using testing::FakeClock;
using testing::FakeDaemon;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRoles[] = {"backend",  "sampler", "store",          "purger",     "auditor",
                                  "operator", "officer", "second-officer", "review-tool"};

std::map<std::string, std::string> MadeAt(Time now) {
  std::map<std::string, std::string> files;
  for (const cli::NamedPem& file : cli::MakeDevCertificates({"consent.test"}, now)) files[file.name] = file.pem;
  return files;
}

std::shared_ptr<grpc::ServerCredentials> ServerOf(const std::map<std::string, std::string>& files) {
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = files.at("ca.pem");
  options.pem_key_cert_pairs.push_back({files.at("server-key.pem"), files.at("server.pem")});
  return grpc::SslServerCredentials(options);
}

// A key with a passphrase.
std::string Encrypted(const std::string& pem) {
  const base::OwnedBio out{BIO_new(BIO_s_mem())};
  unsigned char passphrase[] = "secret";
  PEM_write_bio_PrivateKey(out.get(), base::PrivateKeyIn(pem).get(), EVP_aes_128_cbc(), passphrase, 6, nullptr,
                           nullptr);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    std::string pattern = ::testing::TempDir() + "tls_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    for (const auto& [name, pem] : files_) Write(name, pem);
  }
  ~TlsTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(Path(name)) << text; }
  CredentialFiles Files(const std::string& role) const {
    return {Path("ca.pem"), Path(role + ".pem"), Path(role + "-key.pem")};
  }
  ClientOptions Options(const std::string& role, const std::string& host = "localhost") const {
    ClientOptions options;
    options.endpoint = daemon_.endpoint(host);
    options.ca_file = Path("ca.pem");
    options.certificate_file = Path(role + ".pem");
    options.key_file = Path(role + "-key.pem");
    options.deadline = std::chrono::seconds(20);
    options.retry.max_attempts = 1;
    options.clock = std::make_shared<FakeClock>();
    return options;
  }
  // OK: the daemon was reached; this one does not know the method, and says so.
  static absl::Status Call(ClientOptions options) {
    const auto client = Client::Create(std::move(options));
    const absl::Status status = client.ok() ? (*client)->GetClock().status() : client.status();
    return absl::IsUnimplemented(status) ? absl::OkStatus() : status;
  }

  const Time now_ = SystemTime();
  const std::map<std::string, std::string> files_ = MadeAt(now_);
  std::string folder_;
  FakeDaemon daemon_{ServerOf(files_)};
};

TEST_F(TlsTest, EveryRolesCertificateIsServed) {
  for (const char* role : kRoles) EXPECT_TRUE(Call(Options(role)).ok()) << role;
  EXPECT_TRUE(Call(Options("sampler", "127.0.0.1")).ok());
}

TEST_F(TlsTest, TheDaemonMustBeTheOneThatWasMeant) {
  const absl::Status other_name = Call(Options("sampler", FakeDaemon::kOtherHost));
  EXPECT_TRUE(absl::IsUnavailable(other_name)) << "its certificate is of other names";
  EXPECT_THAT(std::string(other_name.message()), HasSubstr("does not name the endpoint's host"));
  Write("ca.pem", MadeAt(now_).at("ca.pem"));
  const absl::Status other_ca = Call(Options("sampler"));
  EXPECT_TRUE(absl::IsUnavailable(other_ca)) << "another CA's";
  EXPECT_THAT(std::string(other_ca.message()), HasSubstr(absl::StrCat("none of the CAs in ", Path("ca.pem"))));
}

TEST_F(TlsTest, ACertificateOfAnotherCaIsGuessedToBeTheCause) {
  const auto others = MadeAt(now_);
  Write("sampler.pem", others.at("sampler.pem"));
  Write("sampler-key.pem", others.at("sampler-key.pem"));
  EXPECT_THAT(std::string(Call(Options("sampler")).message()), HasSubstr("its client CA did not sign"));
}

TEST_F(TlsTest, WhatSaysEnoughIsLeftAsItIs) {
  EXPECT_EQ(WhyNoConnection("Failed to connect to remote host: Connection refused", Files("sampler")), "");
}

TEST_F(TlsTest, WithoutACertificateNothingIsServed) {
  ClientOptions options = Options("sampler", "127.0.0.1");
  options.ca_file = options.certificate_file = options.key_file = "";
  EXPECT_FALSE(Call(options).ok());
}

TEST_F(TlsTest, ACertificateThatIsOverIsNamed) {
  const auto old = MadeAt(now_ - hours(24 * 31));
  Write("sampler.pem", old.at("sampler.pem"));
  Write("sampler-key.pem", old.at("sampler-key.pem"));
  const absl::Status status = Call(Options("sampler"));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(Path("sampler.pem")), HasSubstr("expired at 20")));
}

TEST_F(TlsTest, DatesAreJudgedAtTheirEdges) {
  const CredentialFiles people = Files("officer");
  EXPECT_TRUE(CheckCredentials(people, now_).ok());
  EXPECT_TRUE(CheckCredentials(people, now_ + hours(22)).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckCredentials(people, now_ + hours(24))));
  EXPECT_THAT(std::string(CheckCredentials(people, now_ - hours(2)).message()), HasSubstr("is not valid before"));
  const CredentialFiles machines = Files("sampler");
  EXPECT_TRUE(CheckCredentials(machines, now_ + hours(24 * 29)).ok());
  // The CA ends with the machines' certificates; a newer one behind it helps.
  Write("sampler.pem", MadeAt(now_ + hours(24 * 10)).at("sampler.pem"));
  Write("ca.pem", MadeAt(now_ - hours(24 * 31)).at("ca.pem"));
  EXPECT_THAT(std::string(CheckCredentials(Files("backend"), now_).message()),
              HasSubstr("no certificate of the CA file"));
  Write("ca.pem", MadeAt(now_ - hours(24 * 31)).at("ca.pem") + files_.at("ca.pem"));
  EXPECT_TRUE(CheckCredentials(Files("backend"), now_).ok());
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreRefusedAtOnce) {
  const auto refused = [&](const std::string& name, const std::string& text, const std::string& why) {
    Write(name, text);
    const absl::Status status = Call(Options("sampler"));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << ": " << status;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(Path(name)), HasSubstr(why), Not(HasSubstr("BEGIN"))));
    Write(name, files_.at(name));
  };
  refused("sampler-key.pem", files_.at("backend-key.pem"), "the key of another certificate");
  refused("sampler-key.pem", Encrypted(files_.at("sampler-key.pem")), "without a passphrase");
  refused("sampler-key.pem", files_.at("sampler.pem"), "no private key");
  refused("sampler.pem", files_.at("sampler-key.pem"), "no certificate");
  refused("ca.pem", "garbage", "no certificate");
  refused("ca.pem", "", "no certificate");
  refused("sampler.pem", std::string((256 << 10) + 1, 'x'), "sampler.pem");
  fs::remove(Path("ca.pem"));
  EXPECT_TRUE(absl::IsInvalidArgument(Call(Options("sampler"))));
}

TEST_F(TlsTest, AllThreeFilesOrNone) {
  for (std::string ClientOptions::*file :
       {&ClientOptions::ca_file, &ClientOptions::certificate_file, &ClientOptions::key_file}) {
    ClientOptions options = Options("sampler");
    options.*file = "";
    EXPECT_THAT(std::string(Call(options).message()), HasSubstr("some are missing"));
  }
}

TEST_F(TlsTest, TheEnvironmentIsReadWhereItIsAskedForAndNowhereElse) {
  constexpr char kTrace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  setenv("CONSENT_CA", Path("ca.pem").c_str(), 1);
  setenv("CONSENT_CERT", Path("sampler.pem").c_str(), 1);
  setenv("CONSENT_KEY", Path("sampler-key.pem").c_str(), 1);
  setenv("CONSENT_ENDPOINT", daemon_.endpoint("localhost").c_str(), 1);
  setenv("TRACEPARENT", kTrace, 1);
  ClientOptions options = ClientOptions::FromEnvironment();
  EXPECT_EQ(options.traceparent, kTrace);
  options.deadline = Options("sampler").deadline;
  EXPECT_TRUE(Call(options).ok());
  // As Options says, and not as the environment does.
  ClientOptions own = Options("sampler");
  own.key_file = "";
  EXPECT_TRUE(absl::IsInvalidArgument(Call(own)));
  setenv("CONSENT_KEY", "", 1);
  EXPECT_THAT(std::string(Call(ClientOptions::FromEnvironment()).message()), HasSubstr("some are missing"));
  // A Unix socket does without them, whatever they are.
  for (const char* variable : {"CONSENT_CA", "CONSENT_CERT", "CONSENT_KEY"}) setenv(variable, "/nowhere", 1);
  options = ClientOptions::FromEnvironment();
  options.endpoint = "unix:" + Path("socket");
  options.retry.max_attempts = 1;
  EXPECT_TRUE(absl::IsUnavailable(Call(options)));
  for (const char* variable : {"CONSENT_CA", "CONSENT_CERT", "CONSENT_KEY", "CONSENT_ENDPOINT", "TRACEPARENT"}) {
    unsetenv(variable);
  }
  EXPECT_EQ(ClientOptions::FromEnvironment().endpoint, "");
}

TEST(DevCertificates, HostsAreNamesOrAddresses) {
  for (const char* host : {"", "a b", "a,DNS:b", "*", "ä", "a/b"}) {
    EXPECT_FALSE(cli::IsDevHost(host)) << host;
  }
  const std::vector<std::string> good = {"10.0.0.1", "2001:db8::1", "consent.example"};
  for (const std::string& host : good) EXPECT_TRUE(cli::IsDevHost(host)) << host;
  EXPECT_EQ(cli::MakeDevCertificates(good, SystemTime()).size(), 21U);
}

}  // namespace
}  // namespace consent
