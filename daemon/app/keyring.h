// The daemon's secrets at start.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/base/keys.h"

namespace consent::app {

struct Keyring {
  base::Keys keys;
  bool made = false;  // just now, for a new store
};

// Loads the keys, or makes them where there is no store yet. FailedPrecondition: there is a store (or its head file) and no key
// file, or others may read the file; DataLoss: damaged; Unavailable: it cannot be written. The text says what to do.
absl::StatusOr<Keyring> OpenKeyring(const std::string& key_file, const std::string& data_dir, const std::string& head_file);

}  // namespace consent::app
