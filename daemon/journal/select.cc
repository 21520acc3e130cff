#include "daemon/journal/select.h"

#include <algorithm>

namespace consent::journal {
namespace {

using service::ChangeKind;
using service::ChangeRow;
using store::Table;

std::vector<Loosened> LoosenedBy(const ChangeRow& row) {
  std::vector<Loosened> loosened;
  if (row.kind == ChangeKind::kDeletionCancelled) loosened.push_back({LoosenedWhat::kDeletionCancelled, {}, {}, {}});
  if (row.kind == ChangeKind::kHoldReleased) loosened.push_back({LoosenedWhat::kHoldReleased, {}, {}, {}});
  for (const domain::FactChange& change : row.changes) {
    if (!change.loosens || loosened.size() == kMaxLoosened) continue;
    loosened.push_back({LoosenedWhat::kFact, change.what, change.scope, change.purpose});
  }
  return loosened;
}

bool IsNothingButLoosened(const ChangeRow& row) {
  return !row.changes.empty() &&
         std::all_of(row.changes.begin(), row.changes.end(), [](const auto& change) { return change.loosens; });
}

// Sets what the entry says of the event; whether it is one that a daemon wrote.
bool TellEvent(const store::Event& event, Entry* entry, ChangeRow* row) {
  entry->subject = event.subject;
  if (!service::DecodeChangeRow(event.body, row)) return false;
  entry->change = row->kind;
  entry->loosened = LoosenedBy(*row);
  return true;
}

}  // namespace

Carried CarriedOf(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kUpsertSubject:
    case ChangeKind::kUpdateSettings:
    case ChangeKind::kOptOut:
    case ChangeKind::kReportRecording:
    case ChangeKind::kChildNotice:
    case ChangeKind::kSafetyFlagHandled:
    case ChangeKind::kSafetyFlagAcknowledged:
    case ChangeKind::kJoined:
      return Carried::kUnlessLoosened;
    case ChangeKind::kDeletionCancelled:
      return Carried::kButTheRecord;
    case ChangeKind::kHoldReleased:
    case ChangeKind::kKeysRotated:
      return Carried::kThatItHappened;
    case ChangeKind::kRestored:  // written by a restore alone, before any daemon has a journal of the store
    case ChangeKind::kTasksLeased:
    case ChangeKind::kTaskFailed:
    case ChangeKind::kTaskRetried:
      return Carried::kButTheTasks;
    case ChangeKind::kDeletionReceived:
    case ChangeKind::kDeletionVerified:
    case ChangeKind::kDeletionDenied:
    case ChangeKind::kDeletionExtended:
    case ChangeKind::kDeletionSettled:
    case ChangeKind::kDeletionReceiptConfirmed:
    case ChangeKind::kDeletionAppealReceived:
    case ChangeKind::kDeletionAppealAcknowledged:
    case ChangeKind::kDeletionAppealAnswered:
    case ChangeKind::kHoldPlaced:
    case ChangeKind::kHoldReviewed:
    case ChangeKind::kPolicyActivated:
    case ChangeKind::kSuspensionChanged:
    case ChangeKind::kSystemChanged:
    case ChangeKind::kTaskEnded:
    case ChangeKind::kErased:
    case ChangeKind::kDecisionsCounted:
    case ChangeKind::kSystemRetention:
    case ChangeKind::kVerificationReported:
    case ChangeKind::kProposalChanged:
    case ChangeKind::kMonthKeyChanged:
    case ChangeKind::kReviewChanged:
      break;
  }
  return Carried::kWhole;
}

Rows RowsOf(Table table) {
  switch (table) {
    case Table::kRequest:
    case Table::kLease:
    case Table::kLeaseRenewal:
    case Table::kMasterKey:
      return Rows::kNothing;
    case Table::kNames:
    case Table::kKeyShare:
      return Rows::kDeletions;
    case Table::kSubject:
    case Table::kRecording:
    case Table::kPolicy:
    case Table::kSuspension:
    case Table::kDeletion:
    case Table::kDeletionBySubject:
    case Table::kTask:
    case Table::kSystem:
    case Table::kHold:
    case Table::kErasure:
    case Table::kOpenDeletionBySelector:
    case Table::kDeletionById:
    case Table::kHoldById:
    case Table::kDecisionLog:
    case Table::kSweep:
    case Table::kProposal:
    case Table::kSafetyFlag:
    case Table::kReview:
      return Rows::kAll;
  }
  return Rows::kNothing;  // a number that no table has
}

std::vector<Table> SnapshotTables() {
  std::vector<Table> tables;
  for (uint8_t number = 1; number <= store::kMaxTable; ++number) {
    if (RowsOf(static_cast<Table>(number)) != Rows::kNothing) tables.push_back(static_cast<Table>(number));
  }
  return tables;
}

Entry EntryOf(const store::Committed& committed) {
  Entry entry;
  entry.partition = committed.partition;
  entry.stamp = committed.stamp;
  entry.chain = committed.chain;
  ChangeRow row;
  // An event that is none of a daemon's says nothing about its rows.
  const bool is_known = TellEvent(committed.event, &entry, &row);
  const Carried carried = is_known ? CarriedOf(row.kind) : Carried::kWhole;
  if (carried == Carried::kThatItHappened) return entry;
  const bool with_record = carried == Carried::kWhole || carried == Carried::kButTheTasks ||
                           (carried == Carried::kUnlessLoosened && !IsNothingButLoosened(row));
  for (const store::Write& write : committed.writes) {
    const Rows rows = RowsOf(write.table);
    if (rows == Rows::kNothing || (rows == Rows::kDeletions && write.value.has_value())) continue;
    if (write.table == Table::kSubject && !with_record) continue;
    if (write.table == Table::kTask && carried == Carried::kButTheTasks) continue;
    entry.rows.push_back({write.table, write.key, write.value ? Content::kValue : Content::kDeleted,
                          write.value.value_or(std::string())});
  }
  return entry;
}

Entry BareEntry(store::Partition partition, const store::FeedRow& feed) {
  Entry entry;
  entry.partition = partition;
  entry.stamp = feed.stamp;
  entry.chain = feed.chain;
  ChangeRow row;
  if (!feed.erased) TellEvent(feed.event, &entry, &row);
  return entry;
}

}  // namespace consent::journal
