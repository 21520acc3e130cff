// The master keys of a running daemon, which an operator replaces while it serves: what makes, opens and rewraps the
// shares of payload keys.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/base/keys.h"
#include "daemon/base/mutex.h"

namespace consent::base {

// Thread-safe. Each function works with the keys that were in force when it was called.
class ShareKeys {
 public:
  explicit ShareKeys(const Keys& keys) : keys_(std::make_shared<const Keys>(keys)) {}

  // Those that are in force.
  std::shared_ptr<const Keys> keys() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return keys_;
  }
  // In force for every call that begins from now on.
  void Replace(const Keys& keys) EXCLUDES(mutex_) {
    auto fresh = std::make_shared<const Keys>(keys);
    MutexLock lock(mutex_);
    keys_ = std::move(fresh);
  }

  // As of Keys.
  PayloadKey NewPayloadKey(SubjectHandle subject, Random& random) const {
    return keys()->NewPayloadKey(subject, random);
  }
  absl::StatusOr<Digest> OpenShare(SubjectHandle subject, std::string_view share) const {
    return keys()->OpenShare(subject, share);
  }

  // A share that NewPayloadKey made, under the newest master key of now: for whoever writes it, which is later than it
  // was made. Called while a commit is built, it leaves no share under an older key behind a commit that began after
  // Replace. Unchanged where it cannot be rewrapped.
  std::string UnderNewest(SubjectHandle subject, const std::string& share) const {
    const std::shared_ptr<const Keys> now = keys();
    if (MasterNumberOf(share) == now->newest_master()) return share;
    return now->Rewrap(subject, share).value_or(share);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Keys> keys_ GUARDED_BY(mutex_);
};

}  // namespace consent::base
