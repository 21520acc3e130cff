#include "daemon/app/check_reads.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "daemon/base/file.h"

namespace consent::app {
namespace {

using std::chrono::steady_clock;

// The preface and empty SETTINGS (RFC 9113, 3.4 and 6.5), and the frame that acknowledges them.
constexpr std::string_view kGreeting{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33};
constexpr std::string_view kAcknowledged{"\0\0\0\4\1\0\0\0\0", 9};

// Whether the server has read what was written to it.
bool IsAcknowledged(int fd) {
  constexpr std::chrono::seconds kPatience{10};
  const auto deadline = steady_clock::now() + kPatience;
  std::string answer;
  while (answer.find(kAcknowledged) == std::string::npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd readable{fd, POLLIN, 0};
    if (left <= 0 || poll(&readable, 1, static_cast<int>(left)) < 0) return false;
    char bytes[512];
    const ssize_t size = read(fd, bytes, sizeof bytes);
    if (size == 0 || (size < 0 && errno != EAGAIN)) return false;
    if (size > 0) answer.append(bytes, static_cast<size_t>(size));
  }
  return true;
}

}  // namespace

absl::Status CheckReads(Connections& connections, const std::function<void(int fd)>& hand_over) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return base::FileError("the sockets of the check of the frame bound cannot be made", errno);
  }
  const auto [served, own] = ends;
  if (connections.Admit(served, "self") != Admission::kAdmitted) {
    close(served);
    close(own);
    return absl::ResourceExhaustedError("no connection is free for the check of the frame bound");
  }
  hand_over(served);
  const bool written = write(own, kGreeting.data(), kGreeting.size()) == static_cast<ssize_t>(kGreeting.size());
  const bool acknowledged = written && IsAcknowledged(own);
  const bool seen = connections.FramesSeen(served) > 0;
  close(own);
  if (!acknowledged) {
    return absl::ResourceExhaustedError(
        "the server did not answer a connection of its own within seconds: the machine is busy with other work");
  }
  if (seen) return absl::OkStatus();
  return absl::InternalError(
      "what the installed libgrpc reads does not pass through the bound on HTTP/2 frames, so that one peer could take "
      "all memory; nothing is served. Install the libgrpc that this build was made with, or build it again");
}

}  // namespace consent::app
