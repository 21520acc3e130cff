// Whose profiles are those of inactive children: whose guardian has to be told, who was told, whose recordings are
// PURGE. Computed at the time of asking, from the records; nothing is stored and no job has to run.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/child_inactivity.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/read_subject.h"

namespace consent::service {

// An account with inactive children, with the names that it has.
struct InactiveChildren {
  SubjectView view;
  std::vector<std::pair<domain::ScopeFacts, domain::ChildInactivity>> profiles;
};

struct ChildrenFilter {
  base::SubjectHandle subject;        // unset: all
  std::vector<domain::ChildDue> due;  // empty: all
};

struct ChildrenPage {
  std::vector<InactiveChildren> accounts;
  std::optional<PageToken> next;  // where to go on; nothing: that was all
};

// Thread-safe. Blocks: call it on a pool thread.
class ChildrenDue {
 public:
  ChildrenDue(const Core& core, const ReadSubject& reads) : core_(core), reads_(reads) {}
  // Goes through the records in the order of their keys, which says nothing about people, and looks at no more than
  // kMaxRowsPerPage of them for one page. An account is never divided: a page ends behind the one with which it has
  // `limit` profiles. STORE_UNREADABLE, NOT_SERVING; INTERNAL for a record that cannot be decoded.
  absl::StatusOr<ChildrenPage> List(const ChildrenFilter& filter, size_t limit, const PageToken& from) const;

 private:
  // Those of `subject` that the filter asks for, with the names; nothing where there are none.
  absl::StatusOr<std::optional<InactiveChildren>> Of(base::SubjectHandle subject, const ChildrenFilter& filter) const;

  const Core& core_;
  const ReadSubject& reads_;
};

}  // namespace consent::service
