#include "daemon/service/erasure/rewrap_shares.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr size_t kOwnersAtOnce = 256;

// Of what has a payload key; who owns a share is not in the share.
constexpr std::array kOwners{store::Table::kSubject,  store::Table::kDeletion,    store::Table::kHold,
                             store::Table::kProposal, store::Table::kDecisionLog, store::Table::kReview};

}  // namespace

absl::StatusOr<RewrapShares::Piece> RewrapShares::Next() {
  const absl::StatusOr<MasterKeyRow> row = ReadMasterKeyRow(core_.store);
  if (!row.ok()) return row.status();
  if (!row->IsUnderWay()) {
    master_ = 0;
    left_ = 0;
    return Piece{.is_idle = true, .master = row->newest};
  }
  if (master_ != row->wanted) {
    if (absl::Status s = BeginPass(row->wanted); !s.ok()) return s;
  }
  if (place_.partition.number == core_.store.partition_count()) return EndPass(*row);
  const Place before = place_;
  absl::StatusOr<std::vector<Batch>> batches = NextBatches();
  absl::Status done = batches.status();
  size_t rewrapped = 0;
  if (batches.ok()) {
    for (const Batch& batch : *batches) rewrapped += batch.writes.size();
    done = Commit(*std::move(batches));
  }
  if (!done.ok()) {
    place_ = before;
    return done;
  }
  rewrapped_ += rewrapped;
  left_ -= std::min<uint64_t>(left_, rewrapped);
  return Piece{.master = master_, .rewrapped = rewrapped};
}

absl::Status RewrapShares::BeginPass(uint16_t master) {
  master_ = 0;
  const absl::StatusOr<uint64_t> left = CountSharesBelow(core_.store, master);
  if (!left.ok()) return left.status();
  left_ = *left;
  master_ = master;
  place_ = {};
  rewrapped_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<bool> RewrapShares::HasOlder(store::Partition partition) const {
  bool has_older = false;
  const absl::Status scanned = core_.store.Scan(partition, store::Table::kKeyShare, "", "", SIZE_MAX,
                                                [&](std::string_view, std::string_view share) {
                                                  has_older = base::MasterNumberOf(share) < master_;
                                                  return !has_older;
                                                });
  if (!scanned.ok()) return StoreUnreadable();
  return has_older;
}

absl::StatusOr<std::vector<RewrapShares::Batch>> RewrapShares::NextBatches() {
  std::vector<Batch> batches;
  size_t shares = 0;
  const size_t end = std::min<size_t>(core_.store.partition_count(), place_.partition.number + kPartitionsAtOnce);
  while (shares < kSharesAtOnce && place_.partition.number < end) {
    if (place_.table == 0 && place_.from.empty()) {
      const absl::StatusOr<bool> has_older = HasOlder(place_.partition);
      if (!has_older.ok()) return has_older.status();
      if (!*has_older) {
        ++place_.partition.number;
        continue;
      }
    }
    Batch batch{place_.partition, {}, {}, {}};
    absl::StatusOr<std::vector<Owner>> owners = NextOwners();
    if (!owners.ok()) return owners.status();
    batch.owners = *std::move(owners);
    if (absl::Status s = Prepare(&batch); !s.ok()) return s;
    shares += batch.writes.size();
    if (!batch.writes.empty()) batches.push_back(std::move(batch));
  }
  return batches;
}

absl::StatusOr<std::vector<RewrapShares::Owner>> RewrapShares::NextOwners() {
  std::vector<Owner> owners;
  size_t rows = 0;
  std::string last;
  absl::Status read;
  const absl::Status scanned = core_.store.Scan(place_.partition, kOwners[place_.table], place_.from, "", kOwnersAtOnce,
                                                [&](std::string_view key, std::string_view value) {
                                                  ++rows;
                                                  last = key;
                                                  read = AddOwner(key, value, &owners);
                                                  return read.ok();
                                                });
  if (!scanned.ok()) return StoreUnreadable();
  if (!read.ok()) return read;
  if (rows < kOwnersAtOnce) {
    NextTable();
  } else {
    place_.from = last + '\0';
  }
  return owners;
}

void RewrapShares::NextTable() {
  place_.from.clear();
  if (++place_.table < kOwners.size()) return;
  place_.table = 0;
  ++place_.partition.number;
}

absl::Status RewrapShares::AddOwner(std::string_view key, std::string_view value, std::vector<Owner>* owners) const {
  Owner owner;
  std::string_view facts;
  DeletionRow deletion;
  HoldRow hold;
  ProposalRow proposal;
  base::MonthKeyName month_key;
  switch (kOwners[place_.table]) {
    case store::Table::kSubject:
      if (!SplitSubjectRow(value, &owner.subject, &facts)) return DamagedRow("a subject's record");
      owner.share_key = key;
      break;
    case store::Table::kDeletion:
      if (!DecodeDeletionRow(value, &deletion)) return DamagedRow("a deletion request");
      owner.subject = deletion.request.subject;
      owner.share_key = DeletionShareKey(core_, {place_.partition, NumberOfKey(key)});
      break;
    case store::Table::kHold:
      if (!IsHoldKey(key)) return absl::OkStatus();
      if (!DecodeHoldRow(value, &hold)) return DamagedRow("a hold");
      owner.subject = hold.subject;
      owner.share_key = HoldShareKey(core_, {place_.partition, SequenceOfHoldKey(key)});
      break;
    case store::Table::kDecisionLog:
      if (!ReadMonthKeyRowKey(key, &month_key)) return absl::OkStatus();
      owner.subject = WrapHandleOf(month_key);
      owner.share_key = MonthKeyShareKey(month_key);
      break;
    case store::Table::kReview:
      if (key != kMediaKeyKey) return absl::OkStatus();
      owner.subject = MediaKeyWrapHandle();
      owner.share_key = kMediaKeyShareKey;
      break;
    default:
      if (!IsProposalKey(key)) return absl::OkStatus();
      if (!DecodeProposal(value, &proposal)) return DamagedRow("a proposal");
      owner.subject = WrapHandleOf(proposal.id);
      owner.share_key = ProposalShareKey(core_.keys, proposal.id);
      break;
  }
  owners->push_back(std::move(owner));
  return absl::OkStatus();
}

absl::Status RewrapShares::Prepare(Batch* batch) const {
  const std::shared_ptr<const base::Keys> keys = core_.shares.keys();
  const std::optional<store::ReadVersion> seen = core_.store.GetReadVersion(batch->partition);
  batch->as_they_were.clear();
  batch->writes.clear();
  for (const Owner& owner : batch->owners) {
    const auto share = core_.store.Get(batch->partition, store::Table::kKeyShare, owner.share_key);
    if (absl::IsNotFound(share.status())) continue;  // of a forgotten account, or it has just been erased
    if (!share.ok()) return StoreUnreadable();
    if (base::MasterNumberOf(*share) >= master_) continue;
    const absl::StatusOr<std::string> rewrapped = keys->Rewrap(owner.subject, *share);
    if (!rewrapped.ok()) return wire::MakeError(v1::ERROR_REASON_INTERNAL, std::string(rewrapped.status().message()));
    batch->as_they_were.push_back({store::Table::kKeyShare, owner.share_key, *share, seen});
    batch->writes.push_back({store::Table::kKeyShare, owner.share_key, *rewrapped});
  }
  return absl::OkStatus();
}

absl::Status RewrapShares::Commit(std::vector<Batch> batches) const {
  while (!batches.empty()) {
    std::vector<PartitionCommit> commits;
    commits.reserve(batches.size());
    for (const Batch& batch : batches) {
      commits.push_back({batch.partition, batch.as_they_were, [&batch](const store::Stamp&) {
                           return store::Change{batch.writes, PlainEvent(ChangeKind::kKeysRotated, "")};
                         }});
    }
    const std::vector<store::CommitResult> results = CommitAllPatiently(core_, std::move(commits));
    std::vector<Batch> again;
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].outcome == store::Outcome::kConflict) {
        // A share that was erased or replaced meanwhile stays as it is now.
        if (absl::Status s = Prepare(&batches[i]); !s.ok()) return s;
        if (!batches[i].writes.empty()) again.push_back(std::move(batches[i]));
      } else if (absl::Status s = OutcomeStatus(results[i].outcome); !s.ok()) {
        return s;
      }
    }
    batches = std::move(again);
  }
  return absl::OkStatus();
}

absl::StatusOr<RewrapShares::Piece> RewrapShares::EndPass(const MasterKeyRow& row) {
  const absl::StatusOr<uint64_t> left = CountSharesBelow(core_.store, row.wanted);
  if (!left.ok()) return left.status();
  left_ = *left;
  if (*left != 0) {
    const bool is_stuck = rewrapped_ == 0;
    master_ = 0;  // once more from the beginning
    if (!is_stuck) return Piece{.master = row.wanted};
    return wire::MakeError(v1::ERROR_REASON_INTERNAL,
                           absl::StrCat(*left,
                                        " shares of keys belong to no subject, request, hold, proposal or month of "
                                        "the decision log and cannot be rewrapped: the store is damaged"));
  }
  if (absl::Status s = EraseFormerShares(); !s.ok()) return s;
  MasterKeyRow after = row;
  after.reached = row.wanted;
  const absl::StatusOr<base::MasterCheck> check = core_.shares.keys()->MasterCheckOf(row.wanted);
  if (!check.ok()) return wire::MakeError(v1::ERROR_REASON_INTERNAL, std::string(check.status().message()));
  after.reached_check = *check;
  const store::CommitResult result = CommitPatiently(
      core_, kMasterKeyPartition, {{store::Table::kMasterKey, std::string(kMasterKeyKey), EncodeMasterKeyRow(row)}},
      [&after](const store::Stamp&) {
        return store::Change{{{store::Table::kMasterKey, std::string(kMasterKeyKey), EncodeMasterKeyRow(after)}},
                             PlainEvent(ChangeKind::kKeysRotated, "")};
      });
  // Another key was added meanwhile: the row is read again, and what is left of this pass is little.
  if (result.outcome == store::Outcome::kConflict) return Piece{.master = row.wanted};
  if (absl::Status s = OutcomeStatus(result.outcome); !s.ok()) return s;
  master_ = 0;
  return Piece{.finished = true, .master = row.wanted};
}

absl::Status RewrapShares::EraseFormerShares() {
  store::EraseTargetsByPartition all;
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    all[{number}].tables = {store::Table::kKeyShare};
  }
  return core_.store.EraseFromFiles(all);
}

}  // namespace consent::service
