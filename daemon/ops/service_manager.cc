#include "daemon/ops/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstdlib>

namespace consent::ops {

ServiceManager::ServiceManager() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");
  listens_ = socket != nullptr && *socket != '\0';
  uint64_t microseconds = 0;
  if (listens_ && sd_watchdog_enabled(/*unset_environment=*/0, &microseconds) > 0) {
    watchdog_ = std::chrono::microseconds(microseconds);
  }
}

void ServiceManager::Tell(const std::string& lines) const {
  if (listens_) sd_notify(/*unset_environment=*/0, lines.c_str());
}

}  // namespace consent::ops
