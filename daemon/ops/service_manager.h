// The service manager that started the daemon, systemd or another one that speaks its protocol: sd_notify(3).
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace consent::ops {

// Immutable; thread-safe. Tell may wait while the manager takes no messages.
class ServiceManager {
 public:
  // Looks at NOTIFY_SOCKET and, as sd_watchdog_enabled(3), at WATCHDOG_USEC and WATCHDOG_PID of the environment.
  ServiceManager();

  // Whether there is one that wants to be told: NOTIFY_SOCKET is set.
  bool listens() const { return listens_; }
  // Within which time it wants to hear WATCHDOG=1 again, from READY=1 on; nullopt: it does not.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }
  // Sends `lines`, assignments as in sd_notify(3) with line breaks between them. Where nobody listens or the message
  // cannot be sent, nothing happens: a daemon that serves does not end for want of a listener.
  void Tell(const std::string& lines) const;

 private:
  bool listens_ = false;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace consent::ops
