// Where consentd listens, and its clients look, when nobody says otherwise. Shared by the daemon and its clients so
// that the two cannot differ; depends on neither.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace consent {

// root, and users without a runtime folder: the system's socket. Other users: a socket in their own runtime folder,
// which is private to them. `xdg_runtime_dir` may be null; a relative one is ignored, as its specification asks.
inline std::string DefaultEndpointFor(bool is_root, const char* xdg_runtime_dir) {
  if (!is_root && xdg_runtime_dir != nullptr && xdg_runtime_dir[0] == '/') {
    return std::string("unix:") + xdg_runtime_dir + "/consentd/consentd.sock";
  }
  return "unix:/run/consentd/consentd.sock";
}

// For this process.
inline std::string DefaultEndpoint() { return DefaultEndpointFor(::geteuid() == 0, std::getenv("XDG_RUNTIME_DIR")); }

}  // namespace consent
