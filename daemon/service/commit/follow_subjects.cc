#include "daemon/service/commit/follow_subjects.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::service {
namespace {

// A subject's record before and after a commit. Reused, because building and freeing facts costs more than all else.
struct Record {
  base::SubjectHandle subject;
  std::string bytes_before;
  Found found = Found::kNotInIndex;  // before
  domain::SubjectFacts before;       // of kFound
  domain::SubjectFacts after;
};

// The record before the commit of a subject that the full index does not hold: from the subject's change before, which
// the event names. False: it cannot be told, as where an account was erased or begins again; such a subject stays
// counted as it was until the gauges are filled at the next start.
bool ReadBefore(const Core& core, const store::Committed& committed, Record* record) {
  ChangeRow row;
  if (!DecodeChangeRow(committed.event.body, &row)) return false;
  if (row.previous == 0) {
    record->found = Found::kUnknown;
    return !committed.event.subject.empty() && !record->after.reopened_at.IsSet();
  }
  const auto previous = core.store.FeedAt(committed.partition, row.previous);
  if (!previous.ok() || !DecodeChangeRow(previous->event.body, &row)) return false;
  record->found = Found::kFound;
  return domain::DecodeFacts(row.facts, &record->before);
}

void CountSubject(Core& core, const store::Committed& committed, Record* record) {
  if (record->found == Found::kNotInIndex && !ReadBefore(core, committed, record)) return;
  core.gauges.Replace(record->found == Found::kFound ? &record->before : nullptr, &record->after);
}

// Adds what the commit lists of the subject's requests to the tombstones from before. Nothing: that does not give all
// of them, because a request that was there selects otherwise now, or those from before are not known.
std::optional<domain::TombstoneIntervals> AddListed(const Core& core, const Record& record,
                                                    const store::Committed& committed, std::string_view subject_key) {
  domain::TombstoneIntervals all;
  if (record.found == Found::kNotInIndex) return std::nullopt;
  if (record.found == Found::kFound && record.before.has_more_tombstones) {
    const auto known = core.index.FindTombstones(record.subject);
    if (known == nullptr) return std::nullopt;
    all = *known;
  } else if (record.found == Found::kFound) {
    for (const domain::Tombstone& tombstone : record.before.tombstones) all.Add(tombstone);
  }
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kDeletionBySubject || !write.key.starts_with(subject_key)) continue;
    DeletionBySubjectRow row;
    const bool is_new = write.value.has_value() && DecodeDeletionBySubjectRow(*write.value, &row) &&
                        domain::IsOpen(row.state) &&
                        !core.deletions.IsOpen(DeletionPlace{committed.partition, NumberOfKey(write.key)});
    if (!is_new || (row.tombstone.has_value() && !all.Add(*row.tombstone))) return std::nullopt;
  }
  return all;
}

bool ListsRequestsOf(const store::Committed& committed, std::string_view subject_key) {
  for (const store::Write& write : committed.writes) {
    if (write.table == store::Table::kDeletionBySubject && write.key.starts_with(subject_key)) return true;
  }
  return false;
}

// Where the record does not hold all tombstones. Those that cannot be told from the commit are read from the store by
// whoever needs them first.
void FollowTombstones(Core& core, const Record& record, const store::Committed& committed,
                      std::string_view subject_key) {
  const bool had_more =
      record.found == Found::kNotInIndex || (record.found == Found::kFound && record.before.has_more_tombstones);
  if (!record.after.has_more_tombstones) {
    if (had_more) core.index.PutTombstones(record.subject, nullptr);
    return;
  }
  if (had_more && !ListsRequestsOf(committed, subject_key)) return;
  std::optional<domain::TombstoneIntervals> all = AddListed(core, record, committed, subject_key);
  core.index.PutTombstones(
      record.subject, all.has_value() ? std::make_shared<const domain::TombstoneIntervals>(*std::move(all)) : nullptr);
}

bool FollowRecord(Core& core, const store::Write& write, const store::Committed& committed) {
  thread_local Record record;
  std::string_view facts;
  if (!write.value.has_value() || !SplitSubjectRow(*write.value, &record.subject, &facts) ||
      !domain::DecodeFacts(facts, &record.after)) {
    return false;
  }
  record.found = core.index.FindBytes(record.subject, &record.bytes_before);
  if (record.found == Found::kFound && !domain::DecodeFacts(record.bytes_before, &record.before)) return false;
  FollowTombstones(core, record, committed, write.key);
  core.index.Put(record.subject, facts);
  CountSubject(core, committed, &record);
  if (domain::IsJoining(record.after.join)) {
    core.joins.Put(record.subject);
  } else if (record.found != Found::kFound || domain::IsJoining(record.before.join)) {
    core.joins.Remove(record.subject);
  }
  if (domain::IsForgotten(record.after)) core.safety_flags.RemoveSubject(committed.partition, write.key);
  return true;
}

bool FollowMarks(Core& core, const store::Write& write) {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  domain::RecordingState marks;
  if (!write.value.has_value() || !DecodeMarksRow(*write.value, &subject, &recording, &marks)) return false;
  core.index.PutMarks(subject, recording, marks);
  return true;
}

bool FollowSafetyFlag(Core& core, store::Partition partition, std::string_view key,
                      const std::optional<std::string>& value) {
  if (!value.has_value()) {
    core.safety_flags.Remove(partition, key);
    return true;
  }
  SafetyFlagRow row;
  if (!DecodeSafetyFlagRow(*value, &row)) return false;
  if (row.IsOpen()) {
    core.safety_flags.Put({row.reported_at, partition, std::string(key)}, row.acknowledged_at.IsSet());
  } else {
    core.safety_flags.Remove(partition, key);
  }
  return true;
}

}  // namespace

bool FollowSubjects(Core& core, const store::Committed& committed) {
  for (const store::Write& write : committed.writes) {
    if (write.table == store::Table::kRecording && !FollowMarks(core, write)) return false;
  }
  for (const store::Write& write : committed.writes) {
    if (write.table == store::Table::kSafetyFlag &&
        !FollowSafetyFlag(core, committed.partition, write.key, write.value)) {
      return false;
    }
  }
  for (const store::Write& write : committed.writes) {
    if (write.table == store::Table::kSubject && !FollowRecord(core, write, committed)) return false;
  }
  return true;
}

}  // namespace consent::service
