// What a consent under a notice that covers the past cancels in its commit: what is still owed of the copies that an earlier withdrawal of
// the same purpose and scope ordered away (product.md, R5). Requests that somebody asked for are not touched. Private to this folder.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/ended.h"
#include "daemon/service/change_part.h"
#include "daemon/service/deletion_rows.h"
#include "daemon/service/task_board.h"

namespace consent::service {

// The open tasks of one request, which a commit ends or hands out anew.
class OpenTasksOf {
 public:
  // May block.
  absl::Status Load(const Context& context, DeletionPlace place, const domain::DeletionRequest& request);
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const;
  void Delete(std::vector<store::Write>& writes) const;
  // Whoever has one of them leased loses the lease, and it is handed out anew at once.
  void TakeBack(std::vector<store::Write>& writes) const;
  // The parts of `request` end as they stand: ACKNOWLEDGED where some was erased, else EXEMPT.
  void EndParts(const std::string& reason, base::Instant now, domain::DeletionRequest* request) const;
  bool ErasedAny() const;
  void TellDeleted(TaskBoard& board) const;
  void TellTakenBack(TaskBoard& board) const;

 private:
  struct One {
    domain::SystemNumber system;
    std::string bytes;
    TaskRow row;
  };
  DeletionPlace place_;
  std::vector<One> tasks_;
};

class ForgivenCopies {
 public:
  explicit ForgivenCopies(base::SubjectHandle subject) : subject_(subject) {}
  // Finds them by what the change would make good. May block.
  absl::Status Load(const Context& context, const domain::Transition& trial);
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const;
  void Build(const Context& context, const store::Stamp& stamp, PartOutput& out);
  void Publish(Context& context, TaskBoard& board) const;
  // Puts on the board what is owed still.
  void Wake(TaskBoard& board) const;

 private:
  struct Found {
    DeletionPlace place;
    std::string bytes;
    DeletionRow row;
    domain::PurposeSet owed;  // what stays of its purposes
    std::string sealed;       // the request in the API's words with those alone
    OpenTasksOf tasks;
    domain::DeletionRequest made;  // as it was committed
  };
  absl::Status Narrow(const Context& context, Found* found) const;

  const base::SubjectHandle subject_;
  std::vector<Found> found_;
};

}  // namespace consent::service
