#include "daemon/ops/address.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace consent::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kBacklog = 4;

std::string Refusal(std::string_view text) {
  const absl::StatusOr<Address> address = Address::Parse(text);
  return address.ok() ? "taken as " + address->ToText() : std::string(address.status().message());
}

bool MachineHasIpv6() {
  const absl::StatusOr<Address> address = Address::Parse("[::1]:0");
  return address.ok() && ListeningSocket::Open(*address, kBacklog).ok();
}

TEST(AddressTest, EveryDocumentedFormIsTaken) {
  struct Case {
    std::string text;
    Address::Kind kind;
    uint16_t port;
    bool loopback;
    std::string shown;
  };
  const std::string longest = "unix:/" + std::string(Address::kMaxPathBytes - 1, 'x');
  for (const Case& c : {
           Case{"unix:/run/consentd/consentd.sock", Address::Kind::kUnix, 0, false, "unix:/run/consentd/consentd.sock"},
           Case{"unix:/run/with space:and[colon]", Address::Kind::kUnix, 0, false, "unix:/run/with space:and[colon]"},
           Case{longest, Address::Kind::kUnix, 0, false, longest},
           Case{"127.0.0.1:9464", Address::Kind::kIpv4, 9464, true, "127.0.0.1:9464"},
           Case{"127.255.3.1:0", Address::Kind::kIpv4, 0, true, "127.255.3.1:0"},
           Case{"0.0.0.0:65535", Address::Kind::kIpv4, 65535, false, "0.0.0.0:65535"},
           Case{"192.0.2.7:1", Address::Kind::kIpv4, 1, false, "192.0.2.7:1"},
           Case{"[::1]:9464", Address::Kind::kIpv6, 9464, true, "[::1]:9464"},
           Case{"[0:0:0:0:0:0:0:1]:80", Address::Kind::kIpv6, 80, true, "[::1]:80"},
           Case{"[::]:80", Address::Kind::kIpv6, 80, false, "[::]:80"},
           Case{"[2001:DB8::7]:80", Address::Kind::kIpv6, 80, false, "[2001:db8::7]:80"},
       }) {
    const absl::StatusOr<Address> address = Address::Parse(c.text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->kind(), c.kind) << c.text;
    EXPECT_EQ(address->port(), c.port) << c.text;
    EXPECT_EQ(address->IsLoopback(), c.loopback) << c.text;
    EXPECT_EQ(address->ToText(), c.shown);
    EXPECT_EQ(*Address::Parse(address->ToText()), *address);
  }
}

// What gRPC's own parser would take, and what nobody should: each is refused with what to write instead.
TEST(AddressTest, EverythingElseIsRefusedWithWhatToWrite) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "is empty"},
      {"127.0.0.1", "has no port"},
      {"[::1]", "has no port"},
      {"127.0.0.1:", "a plain number"},
      {"127.0.0.1:http", "a plain number"},
      {"127.0.0.1:70000", "a plain number"},
      {"127.0.0.1:65536", "a plain number"},
      {"127.0.0.1:-1", "a plain number"},
      {"127.0.0.1:+1", "a plain number"},
      {"127.0.0.1:080", "a plain number"},
      {"127.0.0.1: 80", "a plain number"},
      {"127.0.0.1:80 ", "a plain number"},
      {"127.0.0.1:80\n", "a plain number"},
      {"127.0.0.1:7000x", "a plain number"},
      {"[::1]:", "a plain number"},
      {"[::1]:http", "a plain number"},
      {"[::1]80", "a plain number"},
      {"[::1", "closing bracket"},
      {"::1:80", "in brackets"},
      {"::1", "in brackets"},
      {"[]:80", "no literal IPv6"},
      {"[127.0.0.1]:80", "no literal IPv6"},
      {"[fe80::1%eth0]:80", "zones"},
      {"[::ffff:127.0.0.1]:80", "holds an IPv4 address"},
      {"127.1:80", "no literal address"},
      {"0127.0.0.1:80", "no literal address"},
      {"0x7f.0.0.1:80", "no literal address"},
      {"2130706433:80", "no literal address"},
      {" 127.0.0.1:80", "no literal address"},
      {"localhost:80", "write 127.0.0.1:port or [::1]:port"},
      {"consent.example:80", "no literal address"},
      {":80", "no literal address"},
      {"*", "no literal address"},
      {"*:80", "no literal address"},
      {"80", "no literal address"},
      {"dns:///127.0.0.1:80", "write unix:/path"},
      {"http://127.0.0.1:80", "write unix:/path"},
      {"ipv4:127.0.0.1:80", "write unix:/path"},
      {"ipv6:[::1]:80", "write unix:/path"},
      {"unix-abstract:x", "write unix:/path"},
      {"UNIX:/run/x", "write unix:/path"},
      {"/run/x", "write unix:/path"},
      {"unix:", "absolute path"},
      {"unix:run/x", "absolute path"},
      {"unix:@x", "absolute path"},
      {"unix:///run/x", "one slash"},
      {"unix:/", "names a folder"},
      {"unix:/run/", "names a folder"},
      {"unix:/run/..", "names a folder"},
      {"unix:/" + std::string(Address::kMaxPathBytes, 'x'), "at most 107"},
      {std::string("unix:/run/x\0y", 13), "zero byte"},
      {std::string("127.0.0.1\0:80", 13), "zero byte"},
  };
  for (const auto& [text, says] : cases) {
    EXPECT_THAT(Refusal(text), HasSubstr(says));
    EXPECT_THAT(Refusal(text), Not(HasSubstr("\n")));
  }
  EXPECT_LT(Refusal("unix:" + std::string(1'000'000, '/')).size(), 1000U);
}

TEST(AddressTest, TheSystemChoosesAPortAndTheRealOneIsTold) {
  for (const char* text : {"127.0.0.1:0", "127.0.0.2:0", "[::1]:0"}) {
    if (text[0] == '[' && !MachineHasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
    const absl::StatusOr<ListeningSocket> socket = ListeningSocket::Open(*Address::Parse(text), kBacklog);
    ASSERT_TRUE(socket.ok()) << socket.status();
    EXPECT_NE(socket->address().port(), 0);
    EXPECT_EQ(socket->address().WithPort(0).ToText(), text);
    EXPECT_NE(fcntl(socket->fd(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(socket->fd(), F_GETFD) & FD_CLOEXEC, 0);
    int on = 1;
    socklen_t size = sizeof on;
    ASSERT_EQ(getsockopt(socket->fd(), SOL_SOCKET, SO_REUSEPORT, &on, &size), 0);
    EXPECT_EQ(on, 0);
  }
}

TEST(AddressTest, APortIsNeverSharedAndItsOtherFamilyIsFree) {
  const absl::StatusOr<ListeningSocket> first = ListeningSocket::Open(*Address::Parse("127.0.0.1:0"), kBacklog);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::StatusOr<ListeningSocket> second = ListeningSocket::Open(first->address(), kBacklog);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another process uses the port"));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(first->address().ToText()));
  if (!MachineHasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  // 0.0.0.0 and [::] side by side: IPv6 takes no IPv4 along.
  const absl::StatusOr<ListeningSocket> any = ListeningSocket::Open(*Address::Parse("0.0.0.0:0"), kBacklog);
  ASSERT_TRUE(any.ok()) << any.status();
  const absl::StatusOr<ListeningSocket> any6 =
      ListeningSocket::Open(Address::Parse("[::]:0")->WithPort(any->address().port()), kBacklog);
  EXPECT_TRUE(any6.ok()) << any6.status();
}

TEST(AddressTest, APortIsFreeAgainAtOnce) {
  absl::StatusOr<ListeningSocket> first = ListeningSocket::Open(*Address::Parse("127.0.0.1:0"), kBacklog);
  ASSERT_TRUE(first.ok()) << first.status();
  const Address address = first->address();
  sockaddr_storage to{};
  socklen_t length = 0;
  address.Fill(&to, &length);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&to), length), 0);
  const int server = accept(first->fd(), nullptr, nullptr);
  ASSERT_GE(server, 0);
  close(server);  // the side that closes first keeps the port in TIME_WAIT
  close(client);
  { const ListeningSocket gone = *std::move(first); }
  EXPECT_TRUE(ListeningSocket::Open(address, kBacklog).ok());
}

TEST(AddressTest, ErrorsNameTheirTrueCause) {
  const absl::StatusOr<ListeningSocket> elsewhere = ListeningSocket::Open(*Address::Parse("192.0.2.1:0"), kBacklog);
  ASSERT_FALSE(elsewhere.ok());
  EXPECT_THAT(std::string(elsewhere.status().message()), HasSubstr("no such address"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 1;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::StatusOr<ListeningSocket> full = ListeningSocket::Open(*Address::Parse("127.0.0.1:0"), kBacklog);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(full.ok());
  EXPECT_THAT(std::string(full.status().message()), HasSubstr("may open no more files"));
  EXPECT_TRUE(absl::IsResourceExhausted(full.status())) << "it may succeed later";
  EXPECT_TRUE(absl::IsUnavailable(elsewhere.status()));
}

TEST(AddressTest, OnlyAPortInUseBlamesAnotherProcess) {
  const Address address = *Address::Parse("127.0.0.1:80");
  EXPECT_THAT(std::string(CannotListen(address, EADDRINUSE).message()), HasSubstr("another process"));
  for (const int error : {EADDRNOTAVAIL, EAFNOSUPPORT, EACCES, EPERM, EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL}) {
    EXPECT_THAT(std::string(CannotListen(address, error).message()), Not(HasSubstr("another process"))) << error;
  }
  EXPECT_THAT(std::string(CannotListen(address.WithPort(0), EADDRINUSE).message()), HasSubstr("no port is free"));
}

}  // namespace
}  // namespace consent::ops
