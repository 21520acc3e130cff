// How gRPC names the other end of a connection.
#pragma once

#include <sys/socket.h>

#include <string>

namespace consent::app {

// What grpc::ServerContext::peer() says of a call by a connection from there: "ipv4:192.0.2.1:50000",
// "ipv6:%5B2001:db8::1%5D:50000". Empty: no IP address. Thread-safe.
std::string PeerName(const sockaddr_storage& address);
// Of the connected socket `fd`.
std::string PeerName(int fd);

}  // namespace consent::app
