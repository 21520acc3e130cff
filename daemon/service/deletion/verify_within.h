// What verifying one deletion request verifies beside it: every request of the subject that is open and unverified and
// whose selection lies wholly in its own. Each keeps its receipt and its deadlines. Private to this folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/service/commit/change_hook.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/system_rows.h"

namespace consent::service {

class VerifyWithin {
 public:
  explicit VerifyWithin(base::SubjectHandle subject) : subject_(subject) {}
  // Finds them, but for the one numbered `outer_number` (0: it is not there yet). At most 64 requests and 2,000
  // recordings at a time: where more are left, verifying the outer one once more does the next. May block.
  absl::Status Load(const Core& core, const domain::SubjectFacts& facts, const domain::Selector& outer,
                    DeletionNumber outer_number);
  bool empty() const { return found_.empty(); }
  bool more() const { return more_; }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const;
  void Build(const Core& core, const SystemsSeen& systems, HookOutput& out);

 private:
  struct Found {
    DeletionPlace place;
    std::string bytes;
    DeletionRow row;
  };
  absl::Status Add(const Core& core, DeletionPlace place, const domain::Selector& outer);

  const base::SubjectHandle subject_;
  std::vector<Found> found_;
  std::vector<std::pair<base::RecordingHandle, domain::RecordingState>> recordings_;
  bool looked_ = false;
  bool more_ = false;
  bool others_left_ = false;  // unverified ones that do not lie within
};

}  // namespace consent::service
