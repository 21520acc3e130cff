// The daemon's own accept loop: takes connections while there is room for them and hands them to gRPC.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "daemon/app/connections.h"

namespace consent::app {

// Whom a connected socket counts to: an IPv4 address, the network (/64) of an IPv6 one, or the user behind a Unix socket. Bytes for comparing
// only, never for showing. Empty: it cannot be told, since the peer has gone.
std::string PeerOf(int fd);

// One thread. Main thread only.
class Acceptor {
 public:
  // `hand_over` gets each accepted descriptor, non-blocking and followed by `connections`, and owns it from then on. `each_second` is called
  // about once a second. Both run on the acceptor's thread.
  struct Options {
    int listener = -1;  // listens and does not block; owned from here on, also when Start fails
    Connections* connections = nullptr;
    std::function<void(int fd)> hand_over;
    std::function<void()> each_second;
  };
  // Unavailable: no descriptors are left for its own use.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Start(Options options);
  // Stops listening; nothing is handed over once this has returned.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

 private:
  explicit Acceptor(Options options) : options_(std::move(options)) {}
  void Run();
  // Takes what waits, as far as there is room. False: some is left that has to wait.
  bool AcceptAll();

  const Options options_;
  int stop_ = -1;
  int poll_ = -1;
  std::thread thread_;
};

}  // namespace consent::app
