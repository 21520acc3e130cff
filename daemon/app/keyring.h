// The daemon's secrets at start.
#pragma once

#include "absl/status/statusor.h"
#include "daemon/base/keys.h"
#include "daemon/ops/config.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::app {

struct Keyring {
  base::Keys keys;
  bool is_new = false;  // made for a store that is yet to be made, and not saved
};

// Loads the keys, or makes them in memory where there is no store yet; which halves go together stands in README.md.
// `found`: what RocksStore::Look saw. FailedPrecondition: there is a store (or its head file) and no key file, or
// others may read the file, or it is a credential and missing, because those are never made; DataLoss: damaged; else
// the file system's errors. The text says what to do.
absl::StatusOr<Keyring> OpenKeyring(const ops::ServeOptions& options, store::RocksStore::Found found);

// The key file as it is now. As base::Keys::Load and LoadCredential say.
absl::StatusOr<base::Keys> ReadKeyFile(const ops::ServeOptions& options);

// Whether a store is gone of which only the keys are left: a new one in its place would forget every refusal.
bool IsStoreLost(const Keyring& keyring, store::RocksStore::Found found);

}  // namespace consent::app
