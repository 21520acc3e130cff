#include "daemon/app/peer_user.h"

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "daemon/rpc/authorize.h"

namespace consent::app {
namespace {

// As `sun_path` has a name without a file: a zero byte, and the name.
std::string AbstractName(uid_t user) {
  constexpr std::string_view kScheme = "unix-abstract:";
  return std::string(1, '\0') + UserPeerName(user).substr(kScheme.size());
}

// Writes the user's name where the peer's address was; `room` bytes fit.
void NameUser(uid_t user, sockaddr* address, socklen_t room, socklen_t* size) {
  const std::string name = AbstractName(user);
  sockaddr_un named{};
  named.sun_family = AF_UNIX;
  std::memcpy(named.sun_path, name.data(), std::min(name.size(), sizeof named.sun_path));
  *size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  std::memcpy(address, &named, std::min(room, *size));
}

}  // namespace

std::optional<uid_t> PeerUser(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || size != sizeof credentials) {
    return std::nullopt;
  }
  return credentials.uid;
}

std::string UserPeerName(uid_t user) { return std::string(rpc::kUserPeer) + std::to_string(user); }

bool SeesPeerUsers() { return dlsym(RTLD_DEFAULT, "getpeername") == reinterpret_cast<void*>(&getpeername); }

}  // namespace consent::app

extern "C" {

// Of a Unix socket whose user the kernel does not say it fails, so that no client names itself.
__attribute__((visibility("default"))) int getpeername(int fd, sockaddr* address, socklen_t* size) {
  using Function = int(int, sockaddr*, socklen_t*);
  static auto* const next = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, "getpeername"));
  const socklen_t room = *size;
  const int result = next(fd, address, size);
  if (result != 0 || *size < sizeof(sa_family_t) || room < sizeof(sa_family_t) || address->sa_family != AF_UNIX) {
    return result;
  }
  const std::optional<uid_t> user = consent::app::PeerUser(fd);
  if (!user.has_value()) {
    errno = ENOTCONN;
    return -1;
  }
  consent::app::NameUser(*user, address, room, size);
  return 0;
}
}
