#include "tests/bench/erasure/metric.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/match.h"

namespace consent::bench {
namespace {

// The port of "metrics":"127.0.0.1:port"; 0: it is not said.
uint16_t PortOf(const std::string& log) {
  const std::string before = "\"metrics\":\"127.0.0.1:";
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    const size_t at = line.find(before);
    if (at != std::string::npos) {
      return static_cast<uint16_t>(std::strtoul(line.c_str() + at + before.size(), nullptr, 10));
    }
  }
  return 0;
}

// Head and body.
absl::StatusOr<std::string> Fetch(uint16_t port) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  std::string answer;
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      write(connection, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    char piece[4096];
    for (ssize_t size = 0; (size = read(connection, piece, sizeof piece)) > 0;) {
      answer.append(piece, static_cast<size_t>(size));
    }
  }
  close(connection);
  if (!absl::StartsWith(answer, "HTTP/1.") || !absl::StrContains(answer, " 200 ")) {
    return absl::UnavailableError("no metrics");
  }
  return answer;
}

}  // namespace

absl::StatusOr<double> ReadMetric(const std::string& log, const std::string& series) {
  const absl::StatusOr<std::string> text = Fetch(PortOf(log));
  if (!text.ok()) return text.status();
  const size_t at = text->find("\n" + series + " ");
  if (at == std::string::npos) return absl::NotFoundError("no metric " + series);
  return std::strtod(text->c_str() + at + series.size() + 2, nullptr);
}

}  // namespace consent::bench
