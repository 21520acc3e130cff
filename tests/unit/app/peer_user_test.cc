// Who is at the other end of a Unix socket, as getpeername says it to gRPC.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "daemon/app/peer_user.h"
#include "daemon/rpc/authorize.h"

namespace consent::app {
namespace {

// As gRPC 1.51 makes a peer's name of an address (grpc_sockaddr_to_uri).
std::string NameOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  const auto* const named = reinterpret_cast<const sockaddr_un*>(&address);
  if (named->sun_path[0] != '\0' || named->sun_path[1] == '\0') return std::string("unix:") + named->sun_path;
  return "unix-abstract:" + std::string(named->sun_path + 1, size - sizeof named->sun_family - 1);
}

sockaddr_un Abstract(const std::string& name, socklen_t* size) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  *size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return address;
}

TEST(PeerUser, IsToldToWhoeverAsksForThePeersAddress) {
  EXPECT_TRUE(SeesPeerUsers());
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_EQ(PeerUser(ends[0]), geteuid());
  EXPECT_EQ(NameOf(ends[0]), UserPeerName(geteuid()));
  const service::Person person = rpc::UserAt(NameOf(ends[0]), "local");
  EXPECT_EQ(person.kind, service::PersonKind::kUser);
  EXPECT_EQ(person.name, "local (user " + std::to_string(geteuid()) + ")");
  sockaddr_un little{};
  socklen_t room = 4;
  EXPECT_EQ(getpeername(ends[0], reinterpret_cast<sockaddr*>(&little), &room), 0);
  EXPECT_GT(room, 4U) << "as the call says that it did not fit";
  EXPECT_EQ(little.sun_path[2], '\0') << "nothing is written beyond";
  close(ends[0]);
  close(ends[1]);
}

TEST(PeerUser, IsNotWhatAClientCallsItself) {
  socklen_t size = 0;
  const std::string place = "consent-peer-user-test-" + std::to_string(getpid());
  const sockaddr_un at = Abstract(place, &size);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&at), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  socklen_t forged_size = 0;
  const sockaddr_un forged = Abstract("consentd-user-4242", &forged_size);
  ASSERT_EQ(bind(client, reinterpret_cast<const sockaddr*>(&forged), forged_size), 0);
  ASSERT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&at), size), 0);
  const int accepted = accept(listener, nullptr, nullptr);
  EXPECT_EQ(NameOf(accepted), UserPeerName(geteuid()));
  for (const int fd : {accepted, client, listener}) close(fd);
}

TEST(PeerUser, OtherTextsNameNoUser) {
  for (const char* peer :
       {"", "unix:", "unix-abstract:consentd-user-", "unix-abstract:consentd-user-1x", "unix-abstract:consentd-user--1",
        "unix-abstract:consentd-user-99999999999", "ipv4:127.0.0.1:50000", "unix:consentd-user-1"}) {
    EXPECT_FALSE(rpc::UserAt(peer, "local").IsKnown()) << peer;
  }
}

}  // namespace
}  // namespace consent::app
