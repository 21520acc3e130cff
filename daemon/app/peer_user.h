// Which user is at the other end of a Unix socket.
//
// gRPC 1.51 tells a call its peer's address and no more, and a client's Unix socket has no address of its own: all look
// alike. But gRPC asks for the address by getpeername, through the dynamic linker, which finds the definition of the
// executable before libc's: the one in peer_user.cc. For a Unix socket it answers with a name that says the peer's
// user, as the kernel noted it when it connected (unix(7), SO_PEERCRED), whatever address the client has bound its
// socket to.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace consent::app {

// The user at the other end of the connected Unix socket `fd`; nothing where the kernel does not say.
std::optional<uid_t> PeerUser(int fd);
// How gRPC names such a peer: rpc::kUserPeer and the number.
std::string UserPeerName(uid_t user);
// Whether the dynamic linker finds the definition of getpeername that is here before libc's. Server::Listen asks.
bool SeesPeerUsers();

}  // namespace consent::app
