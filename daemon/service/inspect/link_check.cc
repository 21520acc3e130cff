#include "daemon/service/inspect/link_check.h"

#include <algorithm>

#include "daemon/base/bytes.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/service/inspect/row_check.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/rows/task_rows.h"

namespace consent::service {
namespace {

using store::Table;

constexpr size_t kDiskKey = 16;
constexpr char kOfNoSubject[] = "of a subject that is not there";
constexpr char kOfNoRequest[] = "of a deletion request that is not there";
constexpr char kOfNoHold[] = "of a hold that is not there";
constexpr store::Partition kFirst{0};

std::string Number(uint64_t number) {
  std::string bytes;
  base::Encoder(&bytes).BigEndian(number, 8);
  return bytes;
}

}  // namespace

void LinkCheck::Wrong(Table table, const char* what) { ++problems_[{TableName(table), what}]; }

const LinkCheck::Subject* LinkCheck::Find(const base::Bytes16& handle) {
  const auto before = [](const Subject& a, const Subject& b) { return a.handle < b.handle; };
  if (!is_sorted_) std::sort(subjects_.begin(), subjects_.end(), before);
  is_sorted_ = true;
  Subject wanted;
  wanted.handle = handle;
  const auto found = std::lower_bound(subjects_.begin(), subjects_.end(), wanted, before);
  return found != subjects_.end() && found->handle == handle ? &*found : nullptr;
}

void LinkCheck::Want(store::Partition partition, Table from, const char* what, Table to, std::string_view key,
                     std::string_view expected) {
  const absl::StatusOr<std::string> row = store_.Get(partition, to, key);
  if (row.ok() && std::string_view(*row).starts_with(expected)) return;
  if (row.ok() || absl::IsNotFound(row.status())) return Wrong(from, what);
  read_.Update(row.status());
}

void LinkCheck::WantSubject(store::Partition partition, Table from, base::SubjectHandle handle, std::string_view key) {
  const Subject* const subject = Find(handle.bytes);
  const bool is_right = subject != nullptr && subject->partition == partition &&
                        (key.empty() || key.starts_with(base::View(subject->disk_key)));
  if (!is_right) Wrong(from, kOfNoSubject);
}

void LinkCheck::SeeRow(store::Partition partition, Table table, std::string_view key, std::string_view value) {
  switch (table) {
    case Table::kSubject:
      return SeeSubject(partition, key, value);
    case Table::kNames:
      return Want(partition, table, kOfNoSubject, Table::kSubject, key);
    case Table::kRecording:
    case Table::kSafetyFlag:
      return SeeRecording(partition, table, key, value);
    case Table::kPolicy:
    case Table::kSuspension:
    case Table::kSystem:
      return SeeCommon(partition, table, key, value);
    case Table::kDeletion:
      return SeeDeletion(partition, key, value);
    case Table::kDeletionBySubject:
      Want(partition, table, kOfNoSubject, Table::kSubject, key.substr(0, kDiskKey));
      return Want(partition, table, kOfNoRequest, Table::kDeletion, key.substr(kDiskKey));
    case Table::kDeletionById:
    case Table::kOpenDeletionBySelector:
      return Want(partition, table, kOfNoRequest, Table::kDeletion, value);
    case Table::kDecisionLog:
      return SeeMonthKey(partition, key, value);
    case Table::kTask:
      return SeeTask(partition, key);
    case Table::kHold:
      return SeeHold(partition, key, value);
    case Table::kHoldById:
      return Want(partition, table, kOfNoHold, Table::kHold, HoldKey(base::Decoder(value).BigEndian(8)));
    default:
      return;
  }
}

void LinkCheck::SeeSubject(store::Partition partition, std::string_view key, std::string_view value) {
  Subject subject;
  base::SubjectHandle handle;
  std::string_view bytes;
  domain::SubjectFacts facts;
  if (!SplitSubjectRow(value, &handle, &bytes) || !domain::DecodeFacts(bytes, &facts)) return;
  subject.handle = handle.bytes;
  subject.disk_key = base::Decoder(key).Array<kDiskKey>();
  subject.revision = facts.revision;
  subject.partition = partition;
  subjects_.push_back(subject);
  if (!domain::IsForgotten(facts)) Want(partition, Table::kSubject, "without a key share", Table::kKeyShare, key);
}

void LinkCheck::SeeRecording(store::Partition partition, Table table, std::string_view key, std::string_view value) {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  domain::RecordingState marks;
  SafetyFlagRow flag;
  if (table == Table::kSafetyFlag) {
    if (!DecodeSafetyFlagRow(value, &flag)) return;
    subject = flag.subject;
    Want(partition, table, "of a recording without marks", Table::kRecording, key);
  } else if (!DecodeMarksRow(value, &subject, &recording, &marks)) {
    return;
  }
  WantSubject(partition, table, subject, key);
}

void LinkCheck::SeeDeletion(store::Partition partition, std::string_view key, std::string_view value) {
  DeletionRow row;
  if (!DecodeDeletionRow(value, &row)) return;
  const domain::DeletionRequest& request = row.request;
  WantSubject(partition, Table::kDeletion, request.subject, {});
  Want(partition, Table::kDeletion, "that their id does not find", Table::kDeletionById, IdRow(request.id).key, key);
  if (const Subject* const subject = Find(request.subject.bytes); subject != nullptr) {
    DeletionBySubjectRow line;
    line.state = request.state;
    // The first lease makes a request IN_PROGRESS and leaves its line, which selects the same.
    const bool may_differ = request.state == domain::DeletionState::kInProgress;
    const std::string state = may_differ ? "" : EncodeDeletionBySubjectRow(line).substr(0, 1);
    Want(partition, Table::kDeletion, "that their subject's list does not have", Table::kDeletionBySubject,
         std::string(base::View(subject->disk_key)).append(key), state);
  }
  if (!domain::IsOpen(request.state)) return;
  const DeletionNumber number = NumberOfKey(key);
  for (const domain::SystemProgress& part : request.parts) {
    if (part.outcome != domain::PurgeOutcome::kOpen) continue;
    Want(partition, Table::kDeletion, "that owe something of which no task is there", Table::kTask,
         TaskKey(part.system, number));
  }
}

void LinkCheck::SeeTask(store::Partition partition, std::string_view key) {
  domain::SystemNumber system = 0;
  DeletionNumber number = 0;
  if (!SplitTaskKey(key, &system, &number)) return;
  Want(partition, Table::kTask, kOfNoRequest, Table::kDeletion, DeletionKey(number));
  Want(partition, Table::kTask, "of a data system that is not there", Table::kSystem, SystemKey(system));
}

void LinkCheck::SeeHold(store::Partition partition, std::string_view key, std::string_view value) {
  if (!IsHoldKey(key)) {
    const std::string_view disk_key = key.substr(1, kDiskKey);
    Want(partition, Table::kHold, kOfNoSubject, Table::kSubject, disk_key);
    return Want(partition, Table::kHold, kOfNoHold, Table::kHold, HoldKey(SequenceOfHoldKey(key)));
  }
  HoldRow row;
  if (!DecodeHoldRow(value, &row)) return;
  WantSubject(partition, Table::kHold, row.subject, {});
  const std::string number = Number(SequenceOfHoldKey(key));
  Want(partition, Table::kHold, "that their id does not find", Table::kHoldById, IdRow(row.id).key, number);
  if (const Subject* const subject = Find(row.subject.bytes); subject != nullptr) {
    const std::string line = "s" + std::string(base::View(subject->disk_key)) + number;
    Want(partition, Table::kHold, "that their subject's list does not have", Table::kHold, line);
  }
}

void LinkCheck::SeeMonthKey(store::Partition partition, std::string_view key, std::string_view value) {
  base::MonthKeyName name;
  MonthKeyRow row;
  if (!ReadMonthKeyRowKey(key, &name) || !DecodeMonthKeyRow(value, &row)) return;
  if (row.IsThere()) {
    return Want(partition, Table::kDecisionLog, "without a key share", Table::kKeyShare, MonthKeyShareKey(name));
  }
  const absl::StatusOr<std::string> share = store_.Get(partition, Table::kKeyShare, MonthKeyShareKey(name));
  if (share.ok()) return Wrong(Table::kDecisionLog, "of a key that was destroyed, with its share");
  if (!absl::IsNotFound(share.status())) read_.Update(share.status());
}

void LinkCheck::SeeCommon(store::Partition partition, Table table, std::string_view key, std::string_view value) {
  const char kind = key.empty() ? '\0' : key[0];
  if (table == Table::kPolicy) {
    if (kind != kInForceRows && key != kCurrentPolicyKey) return;
    if (kind == kInForceRows && partition == kFirst) {
      const std::string state = kStates + std::string(key.substr(1));
      Want(kFirst, table, "of a version whose state is not there", table, state);
      Want(kFirst, table, "of a version whose document is not there", table, kDocuments + std::string(value));
    }
  }
  if (table == Table::kSuspension && key == kSuspensionsVersionKey) return;  // each partition has its own
  ++common_[{table, std::string(key)}];
}

void LinkCheck::SeeEvent(store::Partition partition, const store::Stamp& stamp, const store::Event& event) {
  ChangeRow row;
  if (event.subject.size() != kDiskKey || !DecodeChangeRow(event.body, &row)) return;
  const Subject* const subject = Find(base::Decoder(event.subject).Array<kDiskKey>());
  if (subject == nullptr || subject->partition != partition) {
    return Wrong(Table::kSubject, "that are not there, though the feed tells of them");
  }
  if (row.kind <= kLastOfHistory && stamp.sequence > subject->revision) {
    Wrong(Table::kSubject, "that are older than a change in the feed");
  }
}

absl::Status LinkCheck::Finish(const std::vector<store::Head>& heads) {
  for (const Subject& subject : subjects_) {
    if (subject.revision > heads[subject.partition.number].stamp.sequence) {
      Wrong(Table::kSubject, "that are newer than the feed");
    }
  }
  // A daemon that was killed while it wrote one to every partition completes it at its next start.
  for (const auto& [row, partitions] : common_) {
    if (partitions != heads.size())
      Wrong(row.first, "that some partitions lack: the daemon's next start completes one that was under way");
  }
  return read_;
}

}  // namespace consent::service
