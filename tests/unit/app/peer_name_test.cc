// The names of peers must be those that gRPC gives them; the tests over TLS ask gRPC itself.
#include "daemon/app/peer_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include <gtest/gtest.h>

namespace consent::app {
namespace {

std::string V4(const char* text, uint16_t port) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, text, &address.sin_addr);
  return PeerName(storage);
}

std::string V6(const char* text, uint16_t port, uint32_t scope = 0) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in6&>(storage);
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = scope;
  inet_pton(AF_INET6, text, &address.sin6_addr);
  return PeerName(storage);
}

TEST(PeerName, IsWhatGrpcSays) {
  EXPECT_EQ(V4("192.0.2.1", 50'000), "ipv4:192.0.2.1:50000");
  EXPECT_EQ(V6("2001:db8::1", 50'000), "ipv6:%5B2001:db8::1%5D:50000");
  EXPECT_EQ(V6("::ffff:192.0.2.1", 1), "ipv4:192.0.2.1:1");
  EXPECT_EQ(V6("fe80::1", 7, 2), "ipv6:%5Bfe80::1%252%5D:7");
}

TEST(PeerName, OthersHaveNone) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(PeerName(storage), "");
  EXPECT_EQ(PeerName(-1), "");
}

}  // namespace
}  // namespace consent::app
