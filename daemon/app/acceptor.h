// The daemon's own accept loop: takes connections while there is room for them, and hands them to gRPC once they have
// sent something, so that silent ones cost a descriptor and nothing else.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "daemon/app/connections.h"

namespace consent::app {

// Whom a connected socket counts to: an IPv4 address, the network (/64) of an IPv6 one, or the user behind a Unix
// socket. Bytes for comparing only, never for showing. Empty: it cannot be told, since the peer has gone.
std::string PeerOf(int fd);

// One thread. Main thread only.
class Acceptor {
 public:
  // `hand_over` gets each accepted descriptor with its first bytes to read, non-blocking and followed by `connections`,
  // and owns it from then on. A peer that has sent nothing after `silence` is closed. `each_second` is called about
  // once a second; it may be empty. Both run on the acceptor's thread.
  struct Options {
    int listener = -1;  // listens and does not block; owned from here on, also when Start fails
    Connections* connections = nullptr;
    Spoken spoken = Spoken::kHttp2;
    std::chrono::milliseconds silence{};
    std::function<void(int fd)> hand_over;
    std::function<void()> each_second;
  };
  // Unavailable: no descriptors are left for its own use.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Start(Options options);
  // Stops listening and closes who is silent; nothing is handed over once this has returned.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  explicit Acceptor(Options options) : options_(std::move(options)) {}
  using SteadyClock = std::chrono::steady_clock;
  void Run();
  // Takes what waits, as far as there is room. False: some is left that has to wait.
  bool AcceptAll();
  // Follows `fd`, or closes it where there is no room. False: it has to wait, and everybody after it.
  bool Take(int fd, const std::string& peer);
  void TakeParked();
  // It has sent something, or was ended.
  void Arrived(int fd);
  void CloseOverdue();

  const Options options_;
  int stop_ = -1;
  int poll_ = -1;
  int held_ = -1;  // of the thread: accepted, and has to wait for room
  struct Parked {
    int fd;
    std::string peer;
  };
  std::multimap<SteadyClock::time_point, Parked>
      parked_;  // of the thread: by their turn, of peers that were cut a short while ago
  std::map<int, SteadyClock::time_point> silent_;  // of the thread: accepted when
  std::thread thread_;
};

}  // namespace consent::app
