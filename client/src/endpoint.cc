#include "client/src/endpoint.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace consent {
namespace {

constexpr char kWanted[] = "the endpoint must be unix:/absolute/path, HOST:port or [IPv6]:port";
constexpr char kWantedLocal[] =
    "the endpoint must be unix:/absolute/path, 127.0.0.1:port, [::1]:port or localhost:port: without certificates only "
    "this machine is allowed; for another one give the CA's certificate, the client's certificate and its key (--ca, "
    "--cert, --key)";
constexpr size_t kMaxNameBytes = 253;  // RFC 1035, section 2.3.4

// A host name: labels of letters, digits, hyphens and underscores.
bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes || text.front() == '.' || text.front() == '-') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
  });
}

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

bool IsUnixEndpoint(const std::string& endpoint) { return endpoint.rfind("unix:", 0) == 0; }

absl::StatusOr<std::string> TargetOf(const std::string& endpoint, bool tls) {
  const char* const wanted = tls ? kWanted : kWantedLocal;
  if (endpoint.find('\0') != std::string::npos) return absl::InvalidArgumentError(wanted);
  if (IsUnixEndpoint(endpoint)) return UnixTarget(endpoint.substr(5));
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos) return absl::InvalidArgumentError(wanted);
  const std::string host = endpoint.substr(0, colon);
  const std::string port = endpoint.substr(colon + 1);
  if (!IsPort(port)) return absl::InvalidArgumentError("the endpoint's port must be a number from 1 to 65535");
  // The numeric form: no name service is asked and no proxy comes between.
  if (host == "localhost" && !tls) return "ipv4:127.0.0.1:" + port;
  in6_addr six{};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed && ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six) == 1) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET6, &six, text.data(), text.size());
    if (tls || IN6_IS_ADDR_LOOPBACK(&six)) return absl::StrFormat("ipv6:[%s]:%s", text.data(), port);
    return absl::InvalidArgumentError(wanted);
  }
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) {
    if (tls || ntohl(address.s_addr) >> 24 == 127) return "ipv4:" + host + ":" + port;
    return absl::InvalidArgumentError(wanted);
  }
  // Digits and dots that are no address are no name either.
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  if (tls && IsName(host) && !numeric) return "dns:///" + host + ":" + port;
  return absl::InvalidArgumentError(wanted);
}

}  // namespace consent
