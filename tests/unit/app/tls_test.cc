// Certificates: what belongs together is taken, everything else is named; and a server over TLS with clients that show
// what they should, or do not.
#include "daemon/app/tls.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "client/cli/engines/dev_certificates.h"
#include "daemon/app/descriptors.h"
#include "daemon/app/reads.h"
#include "daemon/app/server.h"
#include "daemon/base/clock.h"
#include "daemon/base/x509.h"
#include "tests/support/temp_folder.h"

namespace consent::app {
namespace {

using std::chrono::hours;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Files = std::map<std::string, std::string>;

consent::Time TimeOf(base::Instant at) { return consent::Time(std::chrono::microseconds(at.micros)); }

Files MadeAt(base::Instant now) {
  Files files;
  for (const cli::NamedPem& file : cli::MakeDevCertificates({}, TimeOf(now))) files[file.name] = file.pem;
  return files;
}

class CertificatesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);
    ASSERT_TRUE(RestrictTls().ok());
  }
  CertificatesTest() { WriteAll(made_); }

  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }
  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::remove(Path(name));
    std::ofstream(Path(name)) << text;
    std::filesystem::permissions(Path(name), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  void WriteAll(const Files& files) const {
    for (const char* name : {"server.pem", "server-key.pem", "ca.pem"}) Write(name, files.at(name));
  }
  TlsFiles Paths() const { return {Path("server.pem"), Path("server-key.pem"), Path("ca.pem")}; }
  std::string Refusal(base::Instant now) const {
    const absl::StatusOr<CertificateSet> set = ReadCertificates(Paths(), now);
    EXPECT_TRUE(set.ok() || absl::IsFailedPrecondition(set.status())) << set.status();
    return set.ok() ? "taken" : std::string(set.status().message());
  }

  test::TempFolder folder_;
  const base::Instant now_ = base::SystemClock().Now();
  const Files made_ = MadeAt(now_);
};

TEST_F(CertificatesTest, WhatBelongsTogetherIsTaken) {
  const absl::StatusOr<CertificateSet> set = ReadCertificates(Paths(), now_);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_GT(set->not_after, now_ + base::Days(29));
  EXPECT_LT(set->not_after, now_ + base::Days(31));
  Write("server.pem", made_.at("server.pem") + made_.at("ca.pem"));
  EXPECT_EQ(Refusal(now_), "taken") << "with what leads to its CA";
}

TEST_F(CertificatesTest, WhatDoesNotIsNamed) {
  const Files other = MadeAt(now_);
  const auto refused = [&](const std::string& name, const std::string& text, const std::string& why) {
    Write(name, text);
    EXPECT_THAT(Refusal(now_), AllOf(HasSubstr(Path(name)), HasSubstr(why), Not(HasSubstr("BEGIN"))));
    WriteAll(made_);
  };
  refused("server-key.pem", other.at("server-key.pem"), "the key of another certificate");
  refused("server-key.pem", made_.at("server.pem"), "no private key");
  refused("server-key.pem", "", "no private key");
  refused("server.pem", "garbage", "no certificate");
  refused("server.pem", made_.at("server.pem") + other.at("ca.pem"), "a chain out of order");
  refused("server.pem", std::string((256 << 10) + 1, 'x'), "262144");
  refused("ca.pem", made_.at("server.pem"), "no certificate of a CA");
  refused("ca.pem", "", "no certificate of a CA");
  std::filesystem::remove(Path("ca.pem"));
  EXPECT_THAT(Refusal(now_), HasSubstr(Path("ca.pem")));
}

TEST_F(CertificatesTest, TheKeyIsClosedToOthers) {
  std::filesystem::permissions(Path("server-key.pem"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(Refusal(now_), HasSubstr(Path("server-key.pem")));
}

TEST_F(CertificatesTest, DatesAreNamed) {
  EXPECT_THAT(Refusal(now_ + base::Days(31)), HasSubstr("expired at 20"));
  EXPECT_THAT(Refusal(now_ - base::Days(1)), HasSubstr("is not valid before 20"));
  // The clients' CA ended and the server's certificate did not.
  Write("ca.pem", MadeAt(now_ - base::Days(31)).at("ca.pem"));
  EXPECT_THAT(Refusal(now_), AllOf(HasSubstr(Path("ca.pem")), HasSubstr("expired")));
  Write("ca.pem", MadeAt(now_ - base::Days(31)).at("ca.pem") + made_.at("ca.pem"));
  EXPECT_EQ(Refusal(now_), "taken") << "one of them is valid";
}

TEST_F(CertificatesTest, OnlyWhatBelongsTogetherIsPutInPlace) {
  const std::string copies = Path("copies");
  const auto opened = Certificates::Open(Paths(), copies, now_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Certificates& certificates = **opened;
  const auto in_use = [&] {
    std::ifstream in(copies + "/now/certificate.pem");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  std::string why;
  EXPECT_EQ(in_use(), made_.at("server.pem"));
  EXPECT_EQ(certificates.Look(now_, &why), Certificates::Looked::kUnchanged);

  const Files next = MadeAt(now_ + base::Days(1));
  Write("server.pem", next.at("server.pem"));  // and its key is still on its way
  EXPECT_EQ(certificates.Look(now_ + base::Days(1), &why), Certificates::Looked::kRefused);
  EXPECT_THAT(why, HasSubstr("the key of another certificate"));
  EXPECT_EQ(certificates.Look(now_ + base::Days(1), &why), Certificates::Looked::kStillRefused);
  EXPECT_EQ(in_use(), made_.at("server.pem"));
  WriteAll(next);
  EXPECT_EQ(certificates.Look(now_ + base::Days(1), &why), Certificates::Looked::kReplaced);
  EXPECT_EQ(in_use(), next.at("server.pem"));
  EXPECT_GT(certificates.not_after(), now_ + base::Days(30));
  struct stat info {};
  ASSERT_EQ(stat((copies + "/now/key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(CertificatesTest, WhatACrashLeftIsMadeAnew) {
  const std::string copies = Path("copies");
  for (const char* folder : {"/1", "/17"}) {
    std::filesystem::create_directories(copies + folder);
    std::ofstream(copies + folder + "/key.pem") << "old";
  }
  std::filesystem::create_symlink("1", copies + "/now");
  std::filesystem::create_symlink("17", copies + "/next");
  {
    const auto opened = Certificates::Open(Paths(), copies, now_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_FALSE(std::filesystem::exists(copies + "/17"));
  }
  EXPECT_FALSE(std::filesystem::exists(copies));
}

// Whatever lies where the copies are to be, and was not put there by a daemon, is nobody's to take away.
TEST_F(CertificatesTest, WhatIsNotOursStays) {
  const std::string copies = Path("copies");
  const auto make_file = [](const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << "precious";
  };
  const std::map<std::string, std::function<std::string()>> kinds = {
      {"a file", [&] { return make_file(copies), copies; }},
      {"a file in it", [&] { return make_file(copies + "/notes"), copies + "/notes"; }},
      {"a folder in it", [&] { return make_file(copies + "/letters/key.pem"), copies + "/letters/key.pem"; }},
      {"another file in a version", [&] { return make_file(copies + "/1/notes"), copies + "/1/notes"; }},
      {"a folder in a version", [&] { return make_file(copies + "/1/key.pem/x"), copies + "/1/key.pem/x"; }},
      {"a file named as a version", [&] { return make_file(copies + "/1"), copies + "/1"; }},
      {"a file named as a link", [&] { return make_file(copies + "/now"), copies + "/now"; }},
      {"a link to another's folder",
       [&] {
         make_file(Path("others") + "/1/key.pem");
         std::filesystem::create_symlink(Path("others"), copies);
         return Path("others") + "/1/key.pem";
       }},
      {"a version that is a link",
       [&] {
         make_file(Path("others") + "/key.pem");
         std::filesystem::create_directories(copies);
         std::filesystem::create_symlink(Path("others"), copies + "/1");
         return Path("others") + "/key.pem";
       }},
  };
  for (const auto& [name, make] : kinds) {
    const std::string precious = make();
    const auto opened = Certificates::Open(Paths(), copies, now_);
    EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << name;
    EXPECT_THAT(std::string(opened.status().message()), AllOf(HasSubstr(copies), HasSubstr("move it away"))) << name;
    EXPECT_TRUE(std::filesystem::exists(precious)) << name;
    std::filesystem::remove_all(copies);
    std::filesystem::remove_all(Path("others"));
  }
  // Put there while the daemon runs.
  {
    const auto opened = Certificates::Open(Paths(), copies, now_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    make_file(copies + "/notes");
  }
  EXPECT_TRUE(std::filesystem::exists(copies + "/notes"));
}

TEST(HelloRandom, IsReadWhereItStands) {
  std::string hello(kHelloBytes, '\0');
  hello[0] = 22;
  hello[1] = 3;
  hello[5] = 1;
  for (size_t i = 11; i < kHelloBytes; ++i) hello[i] = static_cast<char>(i);
  HelloRandom random{};
  ASSERT_TRUE(ReadHelloRandom(hello, &random));
  EXPECT_EQ(random[0], 11);
  EXPECT_EQ(random[31], 42);
  EXPECT_FALSE(ReadHelloRandom(hello.substr(1), &random));
  EXPECT_FALSE(ReadHelloRandom("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n                             ", &random));
}

// Of one connection, by OpenSSL alone.
class RawTls {
 public:
  RawTls(uint16_t port, const Files& files, const std::string& role) : context_(SSL_CTX_new(TLS_client_method())) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!role.empty()) {
      SSL_CTX_use_certificate(context_, base::CertificatesIn(files.at(role + ".pem")).at(0).get());
      SSL_CTX_use_PrivateKey(context_, base::PrivateKeyIn(files.at(role + "-key.pem")).get());
    }
    const unsigned char h2[] = {2, 'h', '2'};
    SSL_CTX_set_alpn_protos(context_, h2, sizeof h2);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
  }
  ~RawTls() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    close(fd_);
  }
  RawTls(const RawTls&) = delete;
  RawTls& operator=(const RawTls&) = delete;

  bool Send(const std::string& bytes) { return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0; }
  // Whether something that can be read came; in TLS 1.3 a refused certificate shows only here.
  bool Hears() {
    char byte = 0;
    return SSL_connect(ssl_) == 1 && SSL_read(ssl_, &byte, 1) == 1;
  }
  bool Ends() {
    char bytes[4096];
    int read = 1;
    while (read > 0) read = SSL_read(ssl_, bytes, sizeof bytes);
    return SSL_get_error(ssl_, read) != SSL_ERROR_WANT_READ;
  }
  SSL* ssl() { return ssl_; }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  int fd_ = -1;
};

class TlsServerTest : public CertificatesTest {
 protected:
  TlsServerTest() {
    certificates_ = *Certificates::Open(Paths(), Path("copies"), now_);
    ServerOptions options;
    options.listeners = {{*ops::Address::Parse("127.0.0.1:0"), "", 1}};
    options.served = {{{}, nullptr}, {{}, certificates_->Credentials()}};
    options.connections = LimitsOf(*PlanDescriptors(1024));
    server_ = *Server::Listen(options, health_);
    health_.Set(ops::HealthState::kServing);
    port_ = ops::Address::Parse(server_->addresses()[0])->port();
  }

  static std::shared_ptr<grpc::ChannelCredentials> Show(const Files& files, const std::string& role) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = files.at("ca.pem");
    if (!role.empty()) {
      options.pem_cert_chain = files.at(role + ".pem");
      options.pem_private_key = files.at(role + "-key.pem");
    }
    return grpc::SslCredentials(options);
  }
  grpc::StatusCode Call(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel = grpc::CreateCustomChannel("localhost:" + std::to_string(port_), credentials, own);
    grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    grpc::ByteBuffer answer;
    return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer, grpc::ByteBuffer, grpc::ByteBuffer>(
               channel.get(), method, &context, grpc::ByteBuffer(nullptr, 0), &answer)
        .error_code();
  }
  // Until it is so, or a minute has passed.
  static bool Until(const std::function<bool()>& so) {
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
         std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(std::chrono::milliseconds(10))) {
      if (so()) return true;
    }
    return false;
  }

  std::unique_ptr<Certificates> certificates_;
  ops::Health health_{{}};
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

TEST_F(TlsServerTest, WhoShowsWhatTheCaSignedIsServed) {
  const uint64_t before = DecipheredReads();
  EXPECT_EQ(Call(Show(made_, "sampler")), grpc::StatusCode::OK);
  EXPECT_GT(DecipheredReads(), before) << "the bound on frames sees what is deciphered";
  EXPECT_TRUE(SeesDeciphered());
}

TEST_F(TlsServerTest, AllOthersEndInTheHandshake) {
  EXPECT_EQ(Call(Show(made_, "")), grpc::StatusCode::UNAVAILABLE) << "no certificate";
  EXPECT_EQ(Call(grpc::InsecureChannelCredentials()), grpc::StatusCode::UNAVAILABLE) << "no TLS";
  for (const auto& [what, at] : {std::pair{"another CA", now_}, std::pair{"expired", now_ - base::Days(31)},
                                 std::pair{"not yet valid", now_ + base::Days(2)}}) {
    Files other = MadeAt(at);
    other["ca.pem"] = made_.at("ca.pem");
    EXPECT_EQ(Call(Show(other, "sampler")), grpc::StatusCode::UNAVAILABLE) << what;
  }
  const uint64_t cut = server_->Counts().cut();
  EXPECT_TRUE(Until([&] { return server_->Counts().handshakes_failed >= 5; })) << server_->Counts().handshakes_failed;
  EXPECT_LE(cut, 1U) << "the one that spoke HTTP/2 at once";
}

TEST_F(TlsServerTest, NoTicketIsGivenAndNothingOlderIsSpoken) {
  RawTls peer(port_, made_, "sampler");
  EXPECT_TRUE(peer.Hears());
  EXPECT_STREQ(SSL_get_version(peer.ssl()), "TLSv1.3");
  EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get0_session(peer.ssl())), 0);
  RawTls old(port_, made_, "sampler");
  SSL_set_max_proto_version(old.ssl(), TLS1_2_VERSION);
  EXPECT_NE(SSL_connect(old.ssl()), 1);
}

TEST_F(TlsServerTest, TheBoundOnFramesHolds) {
  RawTls flood(port_, made_, "sampler");
  ASSERT_TRUE(flood.Hears());
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  const std::string acknowledged("\0\0\0\4\1\0\0\0\0", 9);
  ASSERT_TRUE(flood.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + acknowledged));
  // HEADERS that do not end, then CONTINUATIONs without an end (RFC 9113, 6.10), each below gRPC's own bound.
  std::string frame("\0\1\0\1\0\0\0\0\1", 9);
  for (int i = 0; i < 64; ++i) frame += std::string("\0\1a\0", 4);  // a: nothing, never indexed
  bool sent = flood.Send(frame);
  frame[3] = 9;
  for (int i = 0; sent && i < 1000; ++i) sent = flood.Send(frame);
  EXPECT_TRUE(!sent || flood.Ends());
  EXPECT_TRUE(Until([&] { return server_->Counts().cut() == 1; }));
  EXPECT_EQ(server_->Counts().closed[static_cast<size_t>(FrameFault::kHeaderBlock)], 1U);
  EXPECT_EQ(Call(Show(made_, "sampler")), grpc::StatusCode::OK) << "others do not feel it";
}

TEST_F(TlsServerTest, CertificatesChangeWithoutARestart) {
  const Files next = MadeAt(now_);
  WriteAll(next);
  std::string why;
  ASSERT_EQ(certificates_->Look(now_, &why), Certificates::Looked::kReplaced) << why;
  EXPECT_TRUE(Until([&] { return Call(Show(next, "sampler")) == grpc::StatusCode::OK; }));
  EXPECT_EQ(Call(Show(made_, "sampler")), grpc::StatusCode::UNAVAILABLE) << "the old CA counts no more";
}

}  // namespace
}  // namespace consent::app
