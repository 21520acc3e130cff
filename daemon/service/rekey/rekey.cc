#include "daemon/service/rekey/rekey.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/domain/other_handles.h"
#include "daemon/service/inspect/row_check.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {
namespace {

using store::Table;

constexpr size_t kDiskKey = sizeof(base::DiskKey);

absl::Status Damaged(Table table) {
  return absl::DataLossError(
      absl::StrCat("a row of ", TableName(table), " cannot be read: consentd store verify says more"));
}

std::vector<store::Write> One(Table table, std::string key, std::string value) {
  std::vector<store::Write> rows;
  rows.push_back({table, std::move(key), std::move(value)});
  return rows;
}

// The tables whose keys and values name nobody.
bool IsOfNobody(Table table) {
  switch (table) {
    case Table::kPolicy:
    case Table::kSuspension:
    case Table::kTask:
    case Table::kSystem:
    case Table::kLease:
    case Table::kLeaseRenewal:
    case Table::kDeletionById:
    case Table::kHoldById:
    case Table::kSweep:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Rekey>> Rekey::Create(const store::FrozenStore& from, const base::Keys& before,
                                                     const base::Keys& after, base::Random& random) {
  const absl::StatusOr<base::HandleLayer> layer = after.LayerOver(before);
  if (!layer.ok()) return layer.status();
  if (from.identity().key_fingerprint != before.Fingerprint()) {
    return absl::FailedPreconditionError("the store lies under other keys than those of --key-file");
  }
  if ((1U << base::kPartitionBits) % from.identity().partitions != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store has ", from.identity().partitions, " partitions, and new keys keep those of ",
                     1U << base::kPartitionBits, " alone, or of a number that divides it"));
  }
  return std::unique_ptr<Rekey>(new Rekey(from, before, after, *layer, random));
}

Rekey::Rekey(const store::FrozenStore& from, const base::Keys& before, const base::Keys& after, base::HandleLayer layer,
             base::Random& random)
    : from_(from),
      before_(before),
      after_(after),
      layer_(std::move(layer)),
      random_(random),
      chains_(from.identity().partitions) {
  random_.Fill(renewal_.data(), renewal_.size());
}

Rekey::Row Rekey::Rows(store::Partition partition, Table table, std::string_view key, std::string_view value) {
  if (IsOfNobody(table)) return One(table, std::string(key), std::string(value));
  switch (table) {
    case Table::kSubject:
      return SubjectRow(key, value);
    case Table::kNames:
      return NamesRow(partition, key, value);
    case Table::kKeyShare:
      return ShareRow(partition, key);
    case Table::kRequest:
      ++counts_.requests;
      return std::vector<store::Write>();
    case Table::kRecording:
      return RecordingRow(value);
    case Table::kSafetyFlag:
      return SafetyFlagRowOf(value);
    case Table::kDeletion:
      return DeletionRowOf(partition, key, value);
    case Table::kDeletionBySubject:
      return DeletionBySubject(partition, key, value);
    case Table::kOpenDeletionBySelector:
      return OpenDeletion(partition, key, value);
    case Table::kHold:
      return HoldRowOf(partition, key, value);
    case Table::kErasure:
      return ErasureRow(partition, key, value);
    case Table::kProposal:
      return ProposalRowOf(partition, key, value);
    case Table::kReview:
      return ReviewRowOf(partition, key, value);
    case Table::kDecisionLog:  // another log begins, under the new keys
    case Table::kMasterKey:    // the daemon's first start writes it
      return std::vector<store::Write>();
    default:
      return absl::DataLossError(absl::StrCat("the store has rows of ", TableName(table),
                                              ", of which this build does not know whom they name"));
  }
}

Rekey::Row Rekey::SubjectRow(std::string_view key, std::string_view value) const {
  base::SubjectHandle subject;
  std::string_view facts;
  if (!SplitSubjectRow(value, &subject, &facts) || key != SubjectKey(before_, subject)) {
    return Damaged(Table::kSubject);
  }
  const absl::StatusOr<std::string> over = FactsOver(facts);
  if (!over.ok()) return over.status();
  const base::SubjectHandle there = layer_.Over(subject);
  return One(Table::kSubject, SubjectKey(after_, there), EncodeSubjectRow(there, *over));
}

absl::StatusOr<std::string> Rekey::FactsOver(std::string_view bytes) const {
  domain::SubjectFacts facts;
  if (!domain::DecodeFacts(bytes, &facts)) return Damaged(Table::kSubject);
  domain::PutOver(layer_, &facts);
  std::string over;
  domain::EncodeFacts(facts, &over);
  return over;
}

Rekey::Row Rekey::ShareRow(store::Partition partition, std::string_view key) {
  if (partition == kMonthKeyPartition && base::MonthKeyName::Parse(key).has_value()) {
    ++counts_.log_keys;
    return std::vector<store::Write>();
  }
  // Another key for media tokens is made when one is needed.
  if (partition == kMediaKeyPartition && key == kMediaKeyShareKey) return std::vector<store::Write>();
  const absl::StatusOr<base::SubjectHandle> subject = SubjectAt(partition, key);
  // That of a request, a hold or a proposal goes with its row, which says whose it is.
  if (absl::IsNotFound(subject.status())) return std::vector<store::Write>();
  if (!subject.ok()) return subject.status();
  const base::SubjectHandle there = layer_.Over(*subject);
  absl::StatusOr<Renewed> renewed = RenewAt(partition, key, *subject, there);
  if (!renewed.ok()) return renewed.status();
  return One(Table::kKeyShare, SubjectKey(after_, there), std::move(renewed->after.share));
}

Rekey::Row Rekey::RecordingRow(std::string_view value) const {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  domain::RecordingState marks;
  if (!DecodeMarksRow(value, &subject, &recording, &marks)) return Damaged(Table::kRecording);
  subject = layer_.Over(subject);
  recording = layer_.Over(recording);
  return One(Table::kRecording, RecordingKey(after_, subject, recording), EncodeMarksRow(subject, recording, marks));
}

Rekey::Row Rekey::SafetyFlagRowOf(std::string_view value) const {
  SafetyFlagRow row;
  if (!DecodeSafetyFlagRow(value, &row)) return Damaged(Table::kSafetyFlag);
  row.subject = layer_.Over(row.subject);
  row.recording = layer_.Over(row.recording);
  return One(Table::kSafetyFlag, RecordingKey(after_, row.subject, row.recording), EncodeSafetyFlagRow(row));
}

Rekey::Row Rekey::DeletionRowOf(store::Partition partition, std::string_view key, std::string_view value) {
  DeletionRow row;
  if (!DecodeDeletionRow(value, &row)) return Damaged(Table::kDeletion);
  const DeletionPlace place{partition, NumberOfKey(key)};
  const base::SubjectHandle subject = row.request.subject;
  row.request.subject = layer_.Over(subject);
  domain::PutOver(layer_, &row.request.selector);
  std::vector<store::Write> rows;
  if (absl::Status s = Reseal(partition, DeletionShareKey(before_, place), subject, DeletionShareKey(after_, place),
                              row.request.subject, &row.sealed, &rows);
      !s.ok()) {
    return s;
  }
  rows.push_back({Table::kDeletion, std::string(key), EncodeDeletionRow(row)});
  return rows;
}

Rekey::Row Rekey::DeletionBySubject(store::Partition partition, std::string_view key, std::string_view value) const {
  DeletionBySubjectRow row;
  if (key.size() < kDiskKey || !DecodeDeletionBySubjectRow(value, &row)) return Damaged(Table::kDeletionBySubject);
  const absl::StatusOr<base::SubjectHandle> subject = SubjectAt(partition, key.substr(0, kDiskKey));
  if (!subject.ok()) return absl::IsNotFound(subject.status()) ? Damaged(Table::kDeletionBySubject) : subject.status();
  if (row.tombstone) {
    const domain::ScopeRef scope = domain::Over(layer_, {row.tombstone->scope, row.tombstone->handle});
    row.tombstone->handle = scope.handle;
  }
  return One(Table::kDeletionBySubject, SubjectKey(after_, layer_.Over(*subject)).append(key.substr(kDiskKey)),
             EncodeDeletionBySubjectRow(row));
}

Rekey::Row Rekey::OpenDeletion(store::Partition partition, std::string_view key, std::string_view value) {
  const absl::StatusOr<std::string> stored = from_.Get(partition, Table::kDeletion, value);
  if (!stored.ok() && !absl::IsNotFound(stored.status())) return stored.status();
  DeletionRow row;
  if (!stored.ok() || !DecodeDeletionRow(*stored, &row)) return Damaged(Table::kOpenDeletionBySelector);
  const std::string old_key = SubjectKey(before_, row.request.subject);
  if (!key.starts_with(old_key)) return Damaged(Table::kOpenDeletionBySelector);
  const domain::Selector& selector = row.request.selector;
  const bool is_as_listed = key.substr(old_key.size()) == base::View(SelectorDigest(selector));
  const bool names_any = selector.scope.kind != domain::ScopeKind::kAccount || !selector.recordings.empty();
  if (!is_as_listed && names_any) {
    // Listed by times that were in doubt and are settled: nobody finds it, and what it hashes cannot be hashed again.
    ++counts_.unlisted;
    return std::vector<store::Write>();
  }
  domain::PutOver(layer_, &row.request.selector);
  const base::Bytes16 digest = SelectorDigest(row.request.selector);
  std::string new_key = SubjectKey(after_, layer_.Over(row.request.subject));
  new_key.append(is_as_listed ? base::View(digest) : key.substr(old_key.size()));
  return One(Table::kOpenDeletionBySelector, std::move(new_key), std::string(value));
}

Rekey::Row Rekey::HoldRowOf(store::Partition partition, std::string_view key, std::string_view value) {
  if (!IsHoldKey(key)) {  // a line of its subject's list
    if (key.size() <= 1 + kDiskKey) return Damaged(Table::kHold);
    const absl::StatusOr<base::SubjectHandle> subject = SubjectAt(partition, key.substr(1, kDiskKey));
    if (!subject.ok()) return absl::IsNotFound(subject.status()) ? Damaged(Table::kHold) : subject.status();
    std::string line = HoldLinesOf(SubjectKey(after_, layer_.Over(*subject)));
    return One(Table::kHold, line.append(key.substr(1 + kDiskKey)), std::string(value));
  }
  HoldRow row;
  if (!DecodeHoldRow(value, &row)) return Damaged(Table::kHold);
  const HoldPlace place{partition, SequenceOfHoldKey(key)};
  const base::SubjectHandle subject = row.subject;
  row.subject = layer_.Over(subject);
  domain::PutOver(layer_, &row.held);
  std::vector<store::Write> rows;
  if (absl::Status s = Reseal(partition, HoldShareKey(before_, place), subject, HoldShareKey(after_, place),
                              row.subject, &row.sealed, &rows);
      !s.ok()) {
    return s;
  }
  rows.push_back({Table::kHold, std::string(key), EncodeHoldRow(row)});
  return rows;
}

// No file of the copy has former bytes of anything, so what is gone from the store needs no erasing there. What is
// still there goes by its new key.
Rekey::Row Rekey::ErasureRow(store::Partition partition, std::string_view key, std::string_view value) {
  base::Instant since;
  store::EraseTargets listed;
  if (!DecodeWaiting(value, &since, &listed)) return Damaged(Table::kErasure);
  store::EraseTargets left;
  left.feed = listed.feed;
  for (const store::RowKey& row : listed.rows) {
    const absl::StatusOr<std::string> stored = from_.Get(partition, row.table, row.key);
    if (absl::IsNotFound(stored.status())) continue;
    if (!stored.ok()) return stored.status();
    const Row moved = Rows(partition, row.table, row.key, *stored);
    if (!moved.ok()) return moved.status();
    for (const store::Write& write : *moved) left.rows.push_back({write.table, write.key});
  }
  return One(Table::kErasure, std::string(key), EncodeWaiting(since, left));
}

// A proposal, or what it asks for: both are sealed for its id, which stays.
Rekey::Row Rekey::ProposalRowOf(store::Partition partition, std::string_view key, std::string_view value) {
  if (key == kProposalsVersionKey) return One(Table::kProposal, std::string(key), std::string(value));
  if (key.size() <= sizeof(base::Bytes16)) return Damaged(Table::kProposal);
  const base::ProposalId id{base::Decoder(key.substr(1)).Array<16>()};
  const bool is_row = IsProposalKey(key);
  ProposalRow row;
  if (is_row && !DecodeProposal(value, &row)) return Damaged(Table::kProposal);
  std::string sealed = is_row ? row.sealed : std::string(value);
  std::vector<store::Write> rows;
  const base::SubjectHandle wrap = WrapHandleOf(id);
  if (absl::Status s =
          Reseal(partition, ProposalShareKey(before_, id), wrap, ProposalShareKey(after_, id), wrap, &sealed, &rows);
      !s.ok()) {
    return s;
  }
  if (!is_row) return One(Table::kProposal, std::string(key), std::move(sealed));
  row.sealed = std::move(sealed);
  rows.push_back({Table::kProposal, std::string(key), EncodeProposal(row)});
  return rows;
}

absl::StatusOr<base::SubjectHandle> Rekey::SubjectAt(store::Partition partition, std::string_view disk_key) const {
  const absl::StatusOr<std::string> stored = from_.Get(partition, Table::kSubject, disk_key);
  if (!stored.ok()) return stored.status();
  base::SubjectHandle subject;
  std::string_view facts;
  if (!SplitSubjectRow(*stored, &subject, &facts)) return Damaged(Table::kSubject);
  return subject;
}

}  // namespace consent::service
