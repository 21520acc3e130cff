#include "daemon/service/review/grounds.h"

#include <array>
#include <string>
#include <utility>

#include "consent/v1/review_service.pb.h"
#include "consent/v1/types.pb.h"
#include "daemon/domain/decide.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"
#include "proto/enum_names.h"

namespace consent::service {
namespace {

constexpr int kMostGroupReads = 100;

// Nothing where there is no such row; it is a precondition either way.
absl::StatusOr<std::optional<std::string>> Need(const Core& core, store::Partition partition, store::Table table,
                                                std::string key, const std::optional<store::ReadVersion>& seen,
                                                std::vector<store::Precondition>* preconditions) {
  absl::StatusOr<std::string> bytes = core.store.Get(partition, table, key);
  if (!bytes.ok() && !absl::IsNotFound(bytes.status())) return StoreUnreadable();
  std::optional<std::string> value;
  if (bytes.ok()) value = *std::move(bytes);
  preconditions->push_back({table, std::move(key), value, seen});
  return value;
}

std::array<std::string, domain::kRevocationKinds> RevocationNames(const RevocableBy& by) {
  return {std::string(), std::string(1, static_cast<char>(by.purpose)), std::string(by.site), std::string(by.reviewer)};
}

// The orders of joined accounts lie in other partitions, of which no precondition can be: so they are read until two
// readings agree, and what was acknowledged before is in them.
absl::StatusOr<GroupFacts> LoadSettledGroup(const Core& core, base::SubjectHandle subject,
                                            base::RecordingHandle recording) {
  absl::StatusOr<GroupFacts> group = LoadGroup(core, subject, recording);
  for (int attempt = 0; attempt < kMostGroupReads; ++attempt) {
    if (!group.ok() || group->facts.beside.empty()) return group;
    absl::StatusOr<GroupFacts> again = LoadGroup(core, subject, recording);
    if (again.ok() && again->bytes == group->bytes) return group;
    group = std::move(again);
  }
  return wire::MakeError(v1::ERROR_REASON_CONTENTION,
                         "the subject changed each time it was read: repeat the call; nothing was done");
}

domain::Decision Ask(const Grounds& grounds, const GrantRow& row, const domain::GrantCounts* counts) {
  const GroupFacts& group = grounds.group;
  return domain::Decide(group.found ? &group.facts : nullptr, group.marks,
                        domain::Question{row.facts, row.purpose, row.place, grounds.now, counts}, *grounds.rules);
}

}  // namespace

RevocableBy RevocableByOf(const GrantRow& row) { return {row.purpose, row.place.site, row.reviewer}; }

absl::Status ReadPartitionNumbers(const Core& core, store::Partition partition, const RevocableBy& by,
                                  const std::optional<store::ReadVersion>& seen,
                                  std::vector<store::Precondition>* preconditions, domain::ReviewNumbers* numbers) {
  const auto version =
      Need(core, partition, store::Table::kSuspension, std::string(kSuspensionsVersionKey), seen, preconditions);
  if (!version.ok()) return version.status();
  numbers->suspensions = version->has_value() ? base::Decoder(**version).BigEndian(8) : 0;
  const auto names = RevocationNames(by);
  for (size_t kind = 0; kind < names.size(); ++kind) {
    const auto bytes = Need(core, partition, store::Table::kReview,
                            RevocationKey(static_cast<domain::RevocationKind>(kind), names[kind]), seen, preconditions);
    if (!bytes.ok()) return bytes.status();
    RevocationRow row;
    if (bytes->has_value() && !DecodeRevocationRow(**bytes, &row)) return DamagedRow("a revocation of reviews");
    numbers->revocations[kind] = row.number;
  }
  return absl::OkStatus();
}

void SetSubjectNumbers(base::SubjectHandle subject, const GroupFacts& group, domain::ReviewNumbers* numbers) {
  numbers->subject = 0;
  numbers->accounts = 0;
  if (group.decided_by != subject) return;
  numbers->subject = group.facts.restricted;
  numbers->accounts = 1 + group.facts.beside.size();
  for (const domain::OrdersBeside& beside : group.facts.beside) numbers->subject += beside.facts->restricted;
}

absl::StatusOr<domain::ReviewNumbers> ReadNumbers(const Core& core, const GrantRow& row) {
  domain::ReviewNumbers numbers;
  std::vector<store::Precondition> unused;
  const absl::Status read =
      ReadPartitionNumbers(core, core.PartitionOf(row.subject), RevocableByOf(row), std::nullopt, &unused, &numbers);
  if (!read.ok()) return read;
  numbers.policy = core.policies.in_force().activated_at;
  const absl::StatusOr<GroupFacts> group = LoadGroup(core, row.subject, row.recording);
  if (!group.ok()) return group.status();
  SetSubjectNumbers(row.subject, *group, &numbers);
  return numbers;
}

absl::StatusOr<Grounds> ReadGrounds(const Core& core, const GrantRow& row) {
  if (!core.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  const store::Partition partition = core.PartitionOf(row.subject);
  Grounds grounds;
  grounds.seen = core.store.GetReadVersion(partition);
  absl::Status read =
      ReadPartitionNumbers(core, partition, RevocableByOf(row), grounds.seen, &grounds.preconditions, &grounds.numbers);
  if (!read.ok()) return read;
  const PolicyBook::InForce policy = core.policies.in_force();
  const CurrentPolicy current{policy.activated_at, false};
  if (policy.rules == nullptr || core.partition_policies.Current(partition) != current) {
    return wire::MakeError(v1::ERROR_REASON_CONTENTION, "a new policy is being activated: repeat the call");
  }
  grounds.preconditions.push_back(
      {store::Table::kPolicy, std::string(kCurrentPolicyKey), EncodeCurrentPolicy(current), grounds.seen});
  grounds.rules = policy.rules;
  grounds.numbers.policy = policy.activated_at;
  grounds.head = core.heads.Of(partition);
  const absl::StatusOr<StoredFacts> own = LoadFacts(core, row.subject);
  if (!own.ok()) return own.status();
  std::optional<std::string> record;
  if (own->found) record = EncodeSubjectRow(row.subject, own->bytes);
  grounds.preconditions.push_back(
      {store::Table::kSubject, core.SubjectKey(row.subject), std::move(record), grounds.seen});
  absl::StatusOr<GroupFacts> group = LoadSettledGroup(core, row.subject, row.recording);
  if (!group.ok()) return group.status();
  grounds.group = *std::move(group);
  grounds.is_joined = grounds.group.decided_by != row.subject;
  SetSubjectNumbers(row.subject, grounds.group, &grounds.numbers);
  grounds.now = core.Present();
  grounds.decision = Ask(grounds, row, nullptr);
  return grounds;
}

domain::Decision DecideGrant(const Grounds& grounds, const GrantRow& row, const domain::GrantCounts& counts) {
  return Ask(grounds, row, &counts);
}

absl::Status EndStatus(domain::GrantEnd end, const domain::Decision& decision) {
  if (end == domain::GrantEnd::kOtherGrant) {
    return wire::MakeError(v1::ERROR_REASON_GRANT_LOST,
                           "the recording was granted anew since, or the fence is another grant's: this one counts no "
                           "more");
  }
  std::map<std::string, std::string> metadata{
      {"cause", std::string(proto::EnumName<v1::GrantEnd>(static_cast<v1::GrantEnd>(end)))}};
  if (end == domain::GrantEnd::kNotEligible && decision.eligibility != domain::Eligibility::kEligible) {
    std::string reasons;
    decision.ForEachReason([&](domain::Reason reason) {
      if (!reasons.empty()) reasons.push_back(',');
      reasons.append(proto::EnumName<v1::Reason>(static_cast<v1::Reason>(reason)));
    });
    metadata.emplace("reasons", std::move(reasons));
  }
  return wire::MakeError(v1::ERROR_REASON_GRANT_ENDED,
                         "the grant is over: play nothing more of it, and delete what was made of it", metadata);
}

}  // namespace consent::service
