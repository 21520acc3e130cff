// May this recording be used for this purpose, here, now, and must it be purged?
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/domain/decide.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/decide_from_index.h"

namespace consent::service {

// One call's view: one policy, one time.
struct CheckSession {
  std::shared_ptr<const domain::Rules> rules;
  base::Now now;
};

// Thread-safe.
class CheckEligibility {
 public:
  explicit CheckEligibility(Core& core);

  // Takes policy and time. `at_least`: a revision token or empty; REVISION_NOT_REACHED or INVALID_FIELD otherwise.
  // NOT_SERVING until the index is filled.
  absl::StatusOr<CheckSession> Begin(std::string_view at_least) const;

  // For batches: bring towards the cache what TryDecide will look at; the second one when the first one's memory has
  // arrived.
  void Prefetch(const CheckItem& item) const;
  void PrefetchFacts(const CheckItem& item) const;
  // Decides from memory. False: the index does not know, ask DecideFromStore on a pool thread. Never blocks.
  bool TryDecide(const CheckSession& session, const CheckItem& item, domain::Purpose purpose,
                 const domain::Place& place, domain::Decision* decision) const;
  // Turns an item of an account that was joined into another one into an item of that one: before the published head is
  // read, and before DecideFromStore. May block. STORE_UNREADABLE.
  absl::Status Resolve(CheckItem* item) const;
  // Decides from the store; may block. STORE_UNREADABLE, CONTENTION.
  absl::StatusOr<domain::Decision> DecideFromStore(const CheckSession& session, const CheckItem& item,
                                                   domain::Purpose purpose, const domain::Place& place) const;

 private:
  Core& core_;
};

}  // namespace consent::service
