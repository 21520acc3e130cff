#include "daemon/service/purge/follow_deletions.h"

#include <vector>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/task_rows.h"

namespace consent::service {
namespace {

bool FollowTask(const Core& core, TaskQueue& queue, store::Partition partition, std::string_view key,
                const std::optional<std::string_view>& value) {
  domain::SystemNumber system = 0;
  DeletionPlace place{partition, 0};
  if (!SplitTaskKey(key, &system, &place.number)) return false;
  if (!value.has_value()) {
    queue.Remove(system, place);
    return true;
  }
  TaskRow row;
  if (!DecodeTaskRow(*value, &row)) return false;
  queue.Put(system, place, HandOutFrom(core, row), row.failures, core.deletions.SelectorOf(place));
  return true;
}

// Adds the request to `settled` where its tasks may be handed out from now on.
bool FollowDeletion(Core& core, store::Partition partition, const store::Write& write,
                    std::vector<DeletionPlace>* settled) {
  DeletionRow row;
  if (!write.value.has_value() || !DecodeDeletionRow(*write.value, &row)) return false;
  const DeletionPlace place{partition, NumberOfKey(write.key)};
  if (row.request.IsUnsettled()) core.perhaps_unsettled.store(true);
  core.appeals.Put(place, row.request);
  if (core.deletions.Put(place, row.request)) settled->push_back(place);
  return true;
}

bool CountHold(Core& core, store::Partition partition, std::string_view key,
               const std::optional<std::string_view>& value) {
  if (!IsHoldKey(key)) return true;
  HoldRow row;
  if (value.has_value() && !DecodeHoldRow(*value, &row)) return false;
  const bool in_force = value.has_value() && row.InForce();
  core.holds.Put(partition, SequenceOfHoldKey(key),
                 in_force ? HoldGauges::Times{row.placed_at, row.review_at} : HoldGauges::Times{});
  return true;
}

// A hold that was placed takes leases back, and what waited for one is due with its release; also one of an account
// that is joined with the subject.
bool FollowHolds(const Core& core, TaskQueue& queue, const store::Write& write, const store::Stamp& stamp) {
  thread_local domain::SubjectFacts facts;
  base::SubjectHandle subject;
  std::string_view bytes;
  if (!write.value.has_value() || !SplitSubjectRow(*write.value, &subject, &bytes)) return false;
  const std::vector<DeletionPlace> open = core.deletions.OpenOf(subject);
  if (open.empty()) return true;
  if (!domain::DecodeFacts(bytes, &facts)) return false;
  if (facts.holds_changed != stamp.sequence) return true;
  for (const DeletionPlace& place : open) queue.AddTasksOf(place);
  return true;
}

}  // namespace

bool FollowDeletions(Core& core, TaskQueue& queue, const store::Committed& committed) {
  bool is_whole = true;
  std::vector<DeletionPlace> settled;
  // Requests before their tasks, whose place in the queue goes by what the request selects.
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kDeletion) continue;
    is_whole = is_whole && FollowDeletion(core, committed.partition, write, &settled);
  }
  for (const store::Write& write : committed.writes) {
    if (write.table == store::Table::kTask) {
      is_whole = is_whole && FollowTask(core, queue, committed.partition, write.key, write.value);
    }
    if (write.table == store::Table::kErasure) core.erasure_changes.Note(committed.partition);
    if (write.table != store::Table::kHold) continue;
    is_whole = is_whole && CountHold(core, committed.partition, write.key, write.value);
  }
  for (const DeletionPlace& place : settled) queue.AddTasksOf(place);
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kSubject) continue;
    is_whole = is_whole && FollowHolds(core, queue, write, committed.stamp);
  }
  return is_whole;
}

absl::Status FillDeletions(Core& core, TaskQueue& queue, store::Partition partition) {
  bool damaged = false;
  absl::Status scanned = core.store.Scan(partition, store::Table::kDeletion, "", "", SIZE_MAX,
                                         [&](std::string_view key, std::string_view value) {
                                           DeletionRow row;
                                           damaged = !DecodeDeletionRow(value, &row);
                                           if (damaged) return false;
                                           const DeletionPlace place{partition, NumberOfKey(key)};
                                           core.deletions.Add(place, row.request);
                                           core.appeals.Put(place, row.request);
                                           if (row.request.IsUnsettled()) core.perhaps_unsettled.store(true);
                                           return true;
                                         });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedRow("a deletion request's row");
  scanned = core.store.Scan(partition, store::Table::kTask, "", "", SIZE_MAX,
                            [&](std::string_view key, std::string_view value) {
                              damaged = !FollowTask(core, queue, partition, key, value);
                              return !damaged;
                            });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedRow("a purge task's row");
  scanned = core.store.Scan(partition, store::Table::kHold, "", "", SIZE_MAX,
                            [&](std::string_view key, std::string_view value) {
                              damaged = !CountHold(core, partition, key, value);
                              return !damaged;
                            });
  if (!scanned.ok()) return StoreUnreadable();
  return damaged ? DamagedRow("a hold's row") : absl::OkStatus();
}

}  // namespace consent::service
