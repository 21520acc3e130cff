#include "client/src/endpoint.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace consent {
namespace {

constexpr char kWanted[] =
    "the endpoint must be unix:/absolute/path, 127.0.0.1:port, [::1]:port or localhost:port (without certificates only "
    "this machine is allowed)";

bool IsPort(const std::string& text) {
  if (text.empty() || text.size() > 5) return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
  const int port = std::stoi(text);
  return port >= 1 && port <= 65535;
}

absl::StatusOr<std::string> UnixTarget(std::string path) {
  if (path.rfind("///", 0) == 0) path.erase(0, 2);
  if (path.empty() || path[0] != '/' || path.rfind("//", 0) == 0) return absl::InvalidArgumentError(kWanted);
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError("the endpoint's socket path is " + std::to_string(path.size()) +
                                      " bytes long; the system allows at most 107");
  }
  // gRPC reads it as a URI.
  std::string target = "unix:";
  for (const char c : path) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    target += plain ? std::string(1, c) : absl::StrFormat("%%%02X", static_cast<unsigned char>(c));
  }
  return target;
}

}  // namespace

absl::StatusOr<std::string> TargetOf(const std::string& endpoint) {
  if (endpoint.find('\0') != std::string::npos) return absl::InvalidArgumentError(kWanted);
  if (endpoint.rfind("unix:", 0) == 0) return UnixTarget(endpoint.substr(5));
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos) return absl::InvalidArgumentError(kWanted);
  const std::string host = endpoint.substr(0, colon);
  const std::string port = endpoint.substr(colon + 1);
  if (!IsPort(port)) return absl::InvalidArgumentError("the endpoint's port must be a number from 1 to 65535");
  // The numeric form: no name service is asked and no proxy comes between.
  if (host == "localhost") return "ipv4:127.0.0.1:" + port;
  in6_addr six{};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed && ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six) == 1 &&
      IN6_IS_ADDR_LOOPBACK(&six)) {
    return "ipv6:[::1]:" + port;
  }
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127) {
    return "ipv4:" + host + ":" + port;
  }
  return absl::InvalidArgumentError(kWanted);
}

}  // namespace consent
