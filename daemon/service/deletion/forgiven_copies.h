// What a consent under a notice that covers the past cancels in its commit: what is still owed of the copies that an
// earlier withdrawal of the same purpose and scope ordered away (domain/README.md, R5). Requests that somebody asked
// for are not touched. Private to this folder.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/ended_uses.h"
#include "daemon/service/commit/change_hook.h"
#include "daemon/service/purge/open_tasks.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

class ForgivenCopies {
 public:
  explicit ForgivenCopies(base::SubjectHandle subject) : subject_(subject) {}
  // Finds them by what the change would make good. May block. What the commit itself does not make good stays owed.
  absl::Status Load(const Core& core, const domain::Transition& trial);
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const;
  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out);

 private:
  struct Found {
    DeletionPlace place;
    std::string bytes;
    DeletionRow row;
    domain::PurposeSet owed;  // what stays of its purposes
    std::string sealed;       // the request in the API's words with those alone
    OpenTasksOf tasks;
  };
  // What of the request's purposes is not forgiven.
  static domain::PurposeSet OwedOf(const domain::DeletionRequest& request,
                                   const std::vector<domain::Forgiven>& forgiven);
  absl::Status Narrow(const Core& core, Found* found) const;

  const base::SubjectHandle subject_;
  std::vector<Found> found_;
};

}  // namespace consent::service
