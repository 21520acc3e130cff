// The key under which media tokens are signed.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/base/signature.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// Made once, by whoever needs it first; its share lies in the store under the master key, as those of months do, and is
// rewrapped with them. Thread-safe. Blocks.
class MediaKey {
 public:
  explicit MediaKey(Core& core) : core_(core) {}
  // The one key of the store. STORE_UNREADABLE; INTERNAL: a row or the share is damaged; those of a commit.
  absl::StatusOr<std::shared_ptr<const base::SigningKey>> Get() EXCLUDES(mutex_);

 private:
  absl::StatusOr<store::Outcome> TryToTake(std::shared_ptr<const base::SigningKey>* taken);

  Core& core_;
  base::Mutex mutex_;
  std::shared_ptr<const base::SigningKey> key_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
