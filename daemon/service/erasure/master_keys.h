// Takes the master keys of a key file into use, at the start and while the daemon serves.
#pragma once

#include "absl/status/status.h"
#include "daemon/base/keys.h"
#include "daemon/base/mutex.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Thread-safe; callers wait for one another. Both block.
class MasterKeys {
 public:
  explicit MasterKeys(Core& core) : core_(core) {}

  // The key file's master keys are in force from here on: new shares lie under its newest, and what lies under the
  // others opens. The store remembers the newest first, so that a key file of before is refused from then on.
  // KEY_FILE_REFUSED, with what to do, and nothing has changed: of another store, older than what was in force, another
  // key under a number that is in use, or without one that shares lie under. STORE_UNREADABLE, INTERNAL, and of a
  // commit.
  absl::Status Take(const base::Keys& file) EXCLUDES(mutex_);

  // From here on RewrapShares puts every share under the newest master key. Does nothing where all are, or that was
  // asked before. No share that was made under an older key comes into the store after it returned. The errors of a
  // commit, STORE_UNREADABLE, INTERNAL.
  absl::Status BeginRewrapping() EXCLUDES(mutex_);

 private:
  Core& core_;
  base::Mutex mutex_;
};

}  // namespace consent::service
