#include "daemon/service/inspect/row_check.h"

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/keys.h"
#include "daemon/base/seal.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/policy/state.h"
#include "daemon/service/rows/cap_rows.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/decision_log_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/population_rows.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/sweep_rows.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/service/rows/verification_row.h"
#include "daemon/service/state/policy_book.h"
#include "daemon/store/lease.h"

namespace consent::service {
namespace {

using store::Table;

constexpr size_t kHandle = 16;  // a DiskKey, an id, a keyed hash
constexpr size_t kNumber = 8;

RowFault Says(bool value_is_sound) { return value_is_sound ? RowFault::kNone : RowFault::kValue; }

bool IsSealed(std::string_view value) { return value.size() > base::kSealOverhead; }

RowFault CheckSubject(std::string_view value) {
  base::SubjectHandle subject;
  std::string_view bytes;
  domain::SubjectFacts facts;
  return Says(SplitSubjectRow(value, &subject, &bytes) && domain::DecodeFacts(bytes, &facts));
}

RowFault CheckPolicy(std::string_view key, std::string_view value) {
  UsageMark mark;
  CurrentPolicy current;
  const char kind = key.empty() ? '\0' : key[0];
  if (key == kCurrentPolicyKey) return Says(DecodeCurrentPolicy(value, &current));
  if (DecodeMarkKey(key, &mark)) return Says(value.empty());
  if (kind == kInForceRows && key.size() == 1 + kNumber) return Says(value.size() == sizeof(base::Digest));
  if (kind == kStates && key.size() == 1 + kNumber) return Says(policy::DecodeVersion(value).ok());
  if (kind == kDocuments && key.size() == 1 + sizeof(base::Digest)) {
    return Says(key.substr(1) == base::View(base::Sha256(value)));
  }
  return RowFault::kKey;
}

RowFault CheckSuspension(std::string_view key, std::string_view value) {
  constexpr size_t kKey = 1 + 4 + kNumber;
  SuspensionRow row;
  if (key == kSuspensionsVersionKey) return Says(value.size() == kNumber);
  return key.size() == kKey ? Says(DecodeSuspension(value, &row)) : RowFault::kKey;
}

RowFault CheckTask(std::string_view key, std::string_view value) {
  domain::SystemNumber system = 0;
  DeletionNumber number = 0;
  TaskRow row;
  return SplitTaskKey(key, &system, &number) ? Says(DecodeTaskRow(value, &row)) : RowFault::kKey;
}

RowFault CheckSystem(std::string_view key, std::string_view value) {
  SystemRow row;
  if (key == kSystemsVersionKey) return Says(value.size() == kNumber);
  return Says(DecodeSystemRow(value, &row) && SystemKey(row.number) == key);
}

RowFault CheckHold(std::string_view key, std::string_view value) {
  HoldRow row;
  if (IsHoldKey(key)) return Says(DecodeHoldRow(value, &row));
  return key.size() == 1 + kHandle + kNumber && SequenceOfHoldKey(key) != 0 ? Says(value.empty()) : RowFault::kKey;
}

RowFault CheckErasure(std::string_view key, std::string_view value) {
  base::Instant since;
  store::EraseTargets targets;
  const bool is_key = key.size() == 1 + kNumber + 4 && (key[0] == kKeysStep || key[0] == kBytesStep);
  return is_key ? Says(DecodeWaiting(value, &since, &targets)) : RowFault::kKey;
}

RowFault CheckDecisionLog(std::string_view key, std::string_view value) {
  DecisionLogRow counted;
  VerificationRow verified;
  MonthKeyRow month_key;
  base::MonthKeyName name;
  if (key == kDecisionLogKey) return Says(DecodeDecisionLogRow(value, &counted));
  if (key == kMonthKeysVersionKey) return Says(value.size() == kNumber);
  if (ReadMonthKeyRowKey(key, &name)) return Says(DecodeMonthKeyRow(value, &month_key));
  return key == kVerificationKey ? Says(DecodeVerificationRow(value, &verified)) : RowFault::kKey;
}

RowFault CheckProposal(std::string_view key, std::string_view value) {
  ProposalRow row;
  if (key == kProposalsVersionKey) return Says(value.size() == kNumber);
  if (IsProposalKey(key)) return Says(DecodeProposal(value, &row) && ProposalKey(row.id) == key);
  return key.size() == 1 + kHandle &&
                 key == ProposedRequestKey(base::ProposalId{base::Decoder(key.substr(1)).Array<16>()})
             ? Says(IsSealed(value))
             : RowFault::kKey;
}

RowFault CheckSweep(std::string_view key, std::string_view value) {
  SweepRow row;
  return key.size() == 2 ? Says(DecodeSweepRow(value, &row)) : RowFault::kKey;
}

RowFault CheckReview(std::string_view key, std::string_view value) {
  GrantRow grant;
  HeardRow heard;
  std::vector<domain::Hearing> hearings;
  RevocationRow revocation;
  MediaKeyRow media_key;
  domain::CapCounter counter;
  PopulationOf population;
  HourCounts hours;
  HeardCount heard_count;
  uint64_t count = 0;
  constexpr size_t kGrantKey = 1 + 2 * kHandle + 1;
  if (key == kMediaKeyKey) return Says(DecodeMediaKeyRow(value, &media_key));
  switch (key.empty() ? '\0' : key[0]) {
    case kGrants:
      return key.size() == kGrantKey ? Says(DecodeGrantRow(value, &grant)) : RowFault::kKey;
    case kHeard:
      return key.size() == 1 + kHandle + kNumber ? Says(DecodeHeardRow(value, &heard)) : RowFault::kKey;
    case kHearings:
      return key.size() == 1 + kHandle ? Says(DecodeHearings(value, &hearings)) : RowFault::kKey;
    case kGrantsById:
      return key.size() == 1 + kHandle ? Says(value.size() == kGrantKey && value[0] == kGrants) : RowFault::kKey;
    case kCapCounters:
      return key.size() == 2 + kHandle ? Says(DecodeCapCounter(value, &counter)) : RowFault::kKey;
    case kPopulations:
      return ReadPopulationKey(key, &population) ? Says(DecodePopulation(value, &hours)) : RowFault::kKey;
    case kHeardCounts:
      return ReadHeardCountKey(key, &heard_count) ? Says(DecodeHeardCount(value, &count)) : RowFault::kKey;
    case kRevocations:
      return key.size() == 2 + kHandle ? Says(DecodeRevocationRow(value, &revocation)) : RowFault::kKey;
    default:
      return RowFault::kKey;
  }
}

RowFault CheckMasterKey(std::string_view value) {
  MasterKeyRow row;
  return Says(DecodeMasterKeyRow(value, &row));
}

// Of a table whose keys all have one length.
template <typename Check>
RowFault WithKeyOf(size_t bytes, std::string_view key, Check value_is_sound) {
  return key.size() == bytes ? Says(value_is_sound()) : RowFault::kKey;
}

}  // namespace

std::string TableName(Table table) {
  switch (table) {
    case Table::kSubject:
      return "subject";
    case Table::kNames:
      return "names";
    case Table::kKeyShare:
      return "key-share";
    case Table::kRequest:
      return "request";
    case Table::kRecording:
      return "recording";
    case Table::kPolicy:
      return "policy";
    case Table::kSuspension:
      return "suspension";
    case Table::kDeletion:
      return "deletion";
    case Table::kDeletionBySubject:
      return "deletion-by-subject";
    case Table::kTask:
      return "task";
    case Table::kSystem:
      return "system";
    case Table::kHold:
      return "hold";
    case Table::kErasure:
      return "erasure";
    case Table::kOpenDeletionBySelector:
      return "open-deletion-by-selector";
    case Table::kLease:
      return "lease";
    case Table::kLeaseRenewal:
      return "lease-renewal";
    case Table::kDeletionById:
      return "deletion-by-id";
    case Table::kHoldById:
      return "hold-by-id";
    case Table::kDecisionLog:
      return "decision-log";
    case Table::kSweep:
      return "sweep";
    case Table::kProposal:
      return "proposal";
    case Table::kSafetyFlag:
      return "safety-flag";
    case Table::kMasterKey:
      return "master-key";
    case Table::kReview:
      return "review";
  }
  return "table-" + std::to_string(static_cast<int>(table));
}

RowFault CheckRow(Table table, std::string_view key, std::string_view value) {
  switch (table) {
    case Table::kSubject:
      return key.size() == kHandle ? CheckSubject(value) : RowFault::kKey;
    case Table::kNames:
      return WithKeyOf(kHandle, key, [&] { return IsSealed(value); });
    case Table::kKeyShare:
      return WithKeyOf(kHandle, key, [&] { return value.size() == base::kShareBytes; });
    case Table::kRequest:
      return WithKeyOf(kHandle, key, [&, row = RequestRow()]() mutable { return DecodeRequestRow(value, &row); });
    case Table::kRecording:
      return WithKeyOf(2 * kHandle, key, [&] {
        base::SubjectHandle subject;
        base::RecordingHandle recording;
        domain::RecordingState marks;
        return DecodeMarksRow(value, &subject, &recording, &marks);
      });
    case Table::kPolicy:
      return CheckPolicy(key, value);
    case Table::kSuspension:
      return CheckSuspension(key, value);
    case Table::kDeletion:
      return WithKeyOf(kNumber, key, [&, row = DeletionRow()]() mutable { return DecodeDeletionRow(value, &row); });
    case Table::kDeletionBySubject:
      return WithKeyOf(kHandle + kNumber, key,
                       [&, row = DeletionBySubjectRow()]() mutable { return DecodeDeletionBySubjectRow(value, &row); });
    case Table::kTask:
      return CheckTask(key, value);
    case Table::kSystem:
      return CheckSystem(key, value);
    case Table::kHold:
      return CheckHold(key, value);
    case Table::kErasure:
      return CheckErasure(key, value);
    case Table::kOpenDeletionBySelector:
      return WithKeyOf(2 * kHandle, key, [&] { return value.size() == kNumber; });
    case Table::kLease:
      return Says(store::DecodeLeaseGrant(value).has_value());
    case Table::kLeaseRenewal:
      return Says(store::DecodeLeaseRenewal(value).has_value());
    case Table::kDeletionById:
    case Table::kHoldById:
      return WithKeyOf(kHandle, key, [&] { return value.size() == kNumber; });
    case Table::kDecisionLog:
      return CheckDecisionLog(key, value);
    case Table::kMasterKey:
      return key == kMasterKeyKey ? CheckMasterKey(value) : RowFault::kKey;
    case Table::kSweep:
      return CheckSweep(key, value);
    case Table::kProposal:
      return CheckProposal(key, value);
    case Table::kReview:
      return CheckReview(key, value);
    case Table::kSafetyFlag:
      return WithKeyOf(2 * kHandle, key,
                       [&, row = SafetyFlagRow()]() mutable { return DecodeSafetyFlagRow(value, &row); });
  }
  return RowFault::kUnknownTable;
}

bool IsChangeBody(std::string_view body) {
  ChangeRow row;
  domain::SubjectFacts facts;
  return DecodeChangeRow(body, &row) && (row.facts.empty() || domain::DecodeFacts(row.facts, &facts));
}

}  // namespace consent::service
