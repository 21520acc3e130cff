#include "daemon/service/subject/children_due.h"

#include <algorithm>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

std::vector<std::pair<domain::ScopeFacts, domain::ChildInactivity>> Inactive(const domain::SubjectFacts& facts,
                                                                             const ChildrenFilter& filter,
                                                                             const base::Now& now,
                                                                             const domain::Rules& rules) {
  std::vector<std::pair<domain::ScopeFacts, domain::ChildInactivity>> found;
  for (const domain::ScopeFacts& scope : facts.scopes) {
    if (!scope.last_active.IsSet()) continue;
    const domain::ChildInactivity inactivity = domain::InactivityOf(facts, scope, now, rules);
    const bool asked =
        filter.due.empty() || std::find(filter.due.begin(), filter.due.end(), inactivity.due) != filter.due.end();
    if (inactivity.due != domain::ChildDue::kNone && asked) found.emplace_back(scope, inactivity);
  }
  return found;
}

}  // namespace

absl::StatusOr<std::optional<InactiveChildren>> ChildrenDue::Of(base::SubjectHandle subject,
                                                                const ChildrenFilter& filter) const {
  absl::StatusOr<SubjectView> view = reads_.Get(subject);
  if (absl::IsNotFound(view.status())) return std::optional<InactiveChildren>();
  if (!view.ok()) return view.status();
  InactiveChildren found;
  found.profiles = Inactive(view->facts, filter, core_.Present(), *core_.policies.rules());
  if (found.profiles.empty()) return std::optional<InactiveChildren>();
  found.view = *std::move(view);
  return std::optional<InactiveChildren>(std::move(found));
}

absl::StatusOr<ChildrenPage> ChildrenDue::List(const ChildrenFilter& filter, size_t limit,
                                               const PageToken& from) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  ChildrenPage page;
  std::vector<base::SubjectHandle> subjects;
  if (filter.subject.IsSet()) subjects.push_back(filter.subject);
  const base::Now now = core_.Present();
  const auto rules = core_.policies.rules();
  size_t looked_at = 0;
  size_t found = 0;
  bool damaged = false;
  domain::SubjectFacts facts;
  for (store::Partition partition = from.partition;
       !filter.subject.IsSet() && !page.next.has_value() && partition.number < core_.store.partition_count();
       ++partition.number) {
    const std::string start = SubjectKeyFrom(partition == from.partition ? from.position : 0);
    const absl::Status scanned = core_.store.Scan(
        partition, store::Table::kSubject, start, "", SIZE_MAX, [&](std::string_view key, std::string_view row) {
          if (found >= limit || looked_at++ >= kMaxRowsPerPage) {
            page.next = PageToken{partition, SubjectPosition(key)};
            return false;
          }
          base::SubjectHandle subject;
          std::string_view bytes;
          damaged = !SplitSubjectRow(row, &subject, &bytes) || !domain::DecodeFacts(bytes, &facts);
          if (damaged) return false;
          // Those of an alias are the joined account's.
          if (facts.join == domain::JoinState::kAlias) return true;
          const size_t inactive = Inactive(facts, filter, now, *rules).size();
          found += inactive;
          if (inactive > 0) subjects.push_back(subject);
          return true;
        });
    if (!scanned.ok()) return StoreUnreadable();
    if (damaged) return DamagedRow("a subject's record");
  }
  // What changed since its row was read is shown as it is now.
  for (const base::SubjectHandle subject : subjects) {
    absl::StatusOr<std::optional<InactiveChildren>> children = Of(subject, filter);
    if (!children.ok()) return children.status();
    if (children->has_value()) page.accounts.push_back(*std::move(*children));
  }
  return page;
}

}  // namespace consent::service
