#include "daemon/wire/purge.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "daemon/base/names.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

constexpr size_t kMaxTextBytes = base::kMaxReasonBytes;
using base::kMaxTasks;
constexpr int kDefaultTasks = 10;
using base::kMaxVisibilitySeconds;
constexpr int kDefaultVisibilitySeconds = 300;
using base::kMaxWaitSeconds;
constexpr int kMaxMatchKeys = 7;
constexpr int64_t kMaxCount = base::kMaxErasedCount;
using base::kMaxArrivalSeconds;
using base::kMaxFailures;
constexpr uint8_t kAttested = 1;
constexpr uint8_t kSwept = 2;

// What was erased, and the evidence; of results and of failures.
template <typename Report>
void ReadErased(const Report& report, const Path& at, ReportInput* input, Violations* violations) {
  CheckRange(report.erased_count(), 0, kMaxCount, Path(at, "erased_count"), violations);
  const bool hash_fits = report.evidence_hash().empty() || report.evidence_hash().size() == input->evidence.size();
  if (!hash_fits) violations->Add(Path(at, "evidence_hash"), "must have 32 bytes or none");
  input->erased_count = static_cast<uint64_t>(report.erased_count());
  if (hash_fits && !report.evidence_hash().empty()) {
    std::memcpy(input->evidence.data(), report.evidence_hash().data(), input->evidence.size());
  }
}

// What reports of ends and of failures have in common.
template <typename Report>
ReportInput ReadReport(const Report& report, const std::string& system, const Path& at, std::set<std::string>* seen,
                       Violations* violations) {
  ReportInput input;
  CheckId(report.task_id(), Path(at, "task_id"), violations);
  if (!seen->insert(report.task_id()).second) violations->Add(Path(at, "task_id"), "names a task twice");
  CheckRange(report.epoch(), 1, kMaxCount, Path(at, "epoch"), violations);
  input.deletion = ParseTaskId(report.task_id(), system);
  input.epoch = static_cast<uint64_t>(report.epoch());
  return input;
}

// The ground of an exemption, without which nobody may keep anything.
void ReadExempt(const v1::TaskResult& result, bool is_exempt, const Path& at, ReportInput* input,
                Violations* violations) {
  const int ground = result.exempt_reason();
  if (!is_exempt) {
    if (ground != 0) violations->Add(at, "is of EXEMPT alone");
    return;
  }
  CheckChosen(ground, v1::ExemptReason_IsValid, at, violations);
  const bool is_the_daemons = v1::ExemptReason_IsValid(ground) && ground >= v1::EXEMPT_REASON_SYSTEM_RETIRED;
  if (is_the_daemons) violations->Add(at, "is the daemon's to say");
  input->exempt = static_cast<domain::ExemptReason>(ground);
}

// The selectors that a worker does.
void ReadAccepts(const v1::LeaseTasksRequest& request, const Path& root, std::vector<domain::SelectorKind>* accepts,
                 Violations* violations) {
  constexpr int kMaxKinds = v1::DeletionSelectorKind_ARRAYSIZE - 1;
  if (!CheckCount(request.accepts_size(), 0, kMaxKinds, Path(root, "accepts"), violations)) return;
  for (int i = 0; i < request.accepts_size(); ++i) {
    CheckChosen(request.accepts(i), v1::DeletionSelectorKind_IsValid, Path(root, "accepts", i), violations);
    accepts->push_back(static_cast<domain::SelectorKind>(request.accepts(i)));
  }
}

// What is promised; one of the two has to be.
void ReadRetention(const v1::SystemRetention& retention, base::Instant now, const Path& at, RetentionInput* input,
                   Violations* violations) {
  switch (retention.kind_case()) {
    case v1::SystemRetention::kAttested: {
      const Path attested(at, "attested");
      input->kind = kAttested;
      input->attested_by = retention.attested().by();
      CheckText(input->attested_by, 1, base::kMaxAttestedByBytes, Path(attested, "by"), violations);
      const Path until(attested, "until");
      if (!retention.attested().has_until()) {
        violations->Add(until, "must be set");
        break;
      }
      input->attested_until = ReadTimestamp(retention.attested().until(), until, violations);
      const bool is_ahead =
          now < input->attested_until && input->attested_until <= now + base::Days(base::kMaxAttestationDays);
      if (input->attested_until.IsSet() && !is_ahead) violations->Add(until, "must lie ahead, by at most 366 days");
      break;
    }
    case v1::SystemRetention::kSweepDays:
      input->kind = kSwept;
      input->sweep_days = retention.sweep_days();
      CheckRange(retention.sweep_days(), 1, base::kMaxSweepDays, Path(at, "sweep_days"), violations);
      break;
    case v1::SystemRetention::KIND_NOT_SET:
      violations->Add(at, "must say attested or sweep_days");
      break;
  }
}

void ReadSweepCounts(const v1::SweepCounts& counts, const Path& at, SweepInput* input, Violations* violations) {
  struct Count {
    const char* name;
    int64_t said;
    uint64_t* value;
  };
  const Count all[] = {
      {"kept", counts.kept(), &input->kept},       {"held", counts.held(), &input->held},
      {"purged", counts.purged(), &input->purged}, {"not_found", counts.not_found(), &input->not_found},
      {"failed", counts.failed(), &input->failed}, {"unanswered", counts.unanswered(), &input->unanswered}};
  for (const Count& count : all) {
    CheckRange(count.said, 0, kMaxCount, Path(at, count.name), violations);
    *count.value = static_cast<uint64_t>(count.said);
  }
  if (counts.asked() != 0) violations->Add(Path(at, "asked"), "is an answer, not part of a report");
}

std::optional<base::BoxPublicKey> ReadOfflineKey(const std::string& bytes, const Path& at, Violations* violations) {
  if (bytes.empty()) return std::nullopt;
  base::Digest key{};
  if (bytes.size() != key.size()) {
    violations->Add(at, "must have 32 bytes or none");
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), key.begin());
  const base::BoxPublicKey offline_key(key);
  if (!offline_key.CanSeal()) violations->Add(at, "must be a public key of X25519, and is one that anybody could open");
  return offline_key;
}

}  // namespace

absl::StatusOr<SystemInput> ReadRegisterSystem(const v1::RegisterDataSystemRequest& request, base::Instant now) {
  Violations violations;
  const Path root;
  const Path at(root, "system");
  const v1::DataSystem& system = request.system();
  SystemInput input;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(system.name(), Path(at, "name"), &violations);
  CheckChosen(system.kind(), v1::DataSystemKind_IsValid, Path(at, "kind"), &violations);
  if (CheckCount(system.matches_by_size(), 1, kMaxMatchKeys, Path(at, "matches_by"), &violations)) {
    for (int i = 0; i < system.matches_by_size(); ++i) {
      CheckChosen(system.matches_by(i), v1::MatchKey_IsValid, Path(at, "matches_by", i), &violations);
      if (v1::MatchKey_IsValid(system.matches_by(i)) && system.matches_by(i) != 0) {
        input.matches_by = static_cast<uint8_t>(input.matches_by | 1U << (system.matches_by(i) - 1));
      }
    }
  }
  CheckRange(system.latest_arrival_seconds(), 0, kMaxArrivalSeconds, Path(at, "latest_arrival_seconds"), &violations);
  if (system.state() != 0 || system.has_registered_at() || system.has_retired_at() || system.open_tasks() != 0) {
    violations.Add(at, "state, registered_at, retired_at and open_tasks are answers, not part of a registration");
  }
  if (system.retention_state() != 0 || system.has_retention_due_at() || system.has_last_sweep() ||
      system.has_last_whole_sweep_at()) {
    violations.Add(at, "retention_state, retention_due_at and sweeps are answers, not part of a registration");
  }
  if (system.has_retention())
    ReadRetention(system.retention(), now, Path(at, "retention"), &input.retention, &violations);
  input.offline_key = ReadOfflineKey(system.offline_key(), Path(at, "offline_key"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  input.name = system.name();
  input.kind = static_cast<uint8_t>(system.kind());
  input.latest_arrival = base::Seconds(system.latest_arrival_seconds());
  input.checks_on_ingest = system.checks_on_ingest();
  return input;
}

absl::StatusOr<SetRetentionInput> ReadSetRetention(const v1::SetSystemRetentionRequest& request, base::Instant now) {
  Violations violations;
  const Path root;
  SetRetentionInput input;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  ReadRetention(request.retention(), now, Path(root, "retention"), &input.retention, &violations);
  if (!violations.empty()) return violations.ToStatus();
  input.system = request.system();
  return input;
}

absl::StatusOr<SweepInput> ReadReportSweep(const v1::ReportSweepRequest& request) {
  Violations violations;
  const Path root;
  const Path at(root, "sweep");
  const v1::Sweep& sweep = request.sweep();
  SweepInput input;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  if (!sweep.has_started_at()) violations.Add(Path(at, "started_at"), "must be set");
  if (!sweep.has_ended_at()) violations.Add(Path(at, "ended_at"), "must be set");
  input.started_at = ReadTimestamp(sweep.started_at(), Path(at, "started_at"), &violations);
  input.ended_at = ReadTimestamp(sweep.ended_at(), Path(at, "ended_at"), &violations);
  if (sweep.has_ended_at() && input.ended_at.IsSet() && input.ended_at < input.started_at) {
    violations.Add(Path(at, "ended_at"), "must not be before started_at");
  }
  if (sweep.has_reported_at() || sweep.whole()) {
    violations.Add(at, "reported_at and whole are answers, not part of a report");
  }
  ReadSweepCounts(sweep.counts(), Path(at, "counts"), &input, &violations);
  if (!violations.empty()) return violations.ToStatus();
  input.system = request.system();
  return input;
}

absl::StatusOr<RetireInput> ReadRetireSystem(const v1::RetireDataSystemRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  CheckText(request.reason(), 0, kMaxTextBytes, Path(root, "reason"), &violations);
  return violations.empty() ? absl::StatusOr<RetireInput>(RetireInput{request.system(), request.reason()})
                            : violations.ToStatus();
}

absl::StatusOr<RetryInput> ReadRetryTasks(const v1::RetryTasksRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  CheckRange(request.min_failures(), 0, kMaxFailures, Path(root, "min_failures"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  RetryInput input;
  if (CheckCount(request.task_ids_size(), 0, kMaxTasks, Path(root, "task_ids"), &violations)) {
    std::set<std::string> seen;
    for (int i = 0; i < request.task_ids_size(); ++i) {
      const Path at(root, "task_ids", i);
      CheckId(request.task_ids(i), at, &violations);
      if (!seen.insert(request.task_ids(i)).second) violations.Add(at, "names a task twice");
    }
    input.task_ids.assign(request.task_ids().begin(), request.task_ids().end());
  }
  if (request.task_ids_size() > 0 && request.min_failures() != 0) {
    violations.Add(Path(root, "min_failures"), "is of a whole system's tasks: leave it out beside task_ids");
  }
  if (request.task_ids_size() > 0 && !request.page_token().empty()) {
    violations.Add(Path(root, "page_token"), "is of a whole system's tasks: leave it out beside task_ids");
  }
  if (!violations.empty()) return violations.ToStatus();
  input.system = request.system();
  input.min_failures = static_cast<uint32_t>(request.min_failures() == 0 ? 1 : request.min_failures());
  input.page_token = request.page_token();
  return input;
}

absl::StatusOr<LeaseInput> ReadLeaseTasks(const v1::LeaseTasksRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  CheckRange(request.max_tasks(), 0, kMaxTasks, Path(root, "max_tasks"), &violations);
  CheckRange(request.visibility_seconds(), 0, kMaxVisibilitySeconds, Path(root, "visibility_seconds"), &violations);
  CheckRange(request.wait_seconds(), 0, kMaxWaitSeconds, Path(root, "wait_seconds"), &violations);
  LeaseInput input;
  ReadAccepts(request, root, &input.accepts, &violations);
  input.look_only = request.look_only();
  if (input.look_only && request.wait_seconds() != 0) {
    violations.Add(Path(root, "wait_seconds"), "must be 0 with look_only, which waits for nothing");
  }
  if (!violations.empty()) return violations.ToStatus();
  input.system = request.system();
  input.max_tasks = static_cast<size_t>(request.max_tasks() == 0 ? kDefaultTasks : request.max_tasks());
  input.visibility =
      base::Seconds(request.visibility_seconds() == 0 ? kDefaultVisibilitySeconds : request.visibility_seconds());
  input.wait = base::Seconds(request.wait_seconds());
  return input;
}

absl::StatusOr<ReportsInput> ReadCompleteTasks(const v1::CompleteTasksRequest& request) {
  Violations violations;
  const Path root;
  ReportsInput input;
  std::set<std::string> seen;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  if (!CheckCount(request.results_size(), 1, kMaxTasks, Path(root, "results"), &violations))
    return violations.ToStatus();
  for (int i = 0; i < request.results_size(); ++i) {
    const v1::TaskResult& result = request.results(i);
    const Path at(root, "results", i);
    ReportInput report = ReadReport(result, request.system(), at, &seen, &violations);
    Violations untaken;
    CheckChosen(result.outcome(), v1::PurgeOutcome_IsValid, Path(at, "outcome"), &untaken);
    ReadErased(result, at, &report, &untaken);
    // What belongs to an outcome that is none cannot be told.
    if (result.outcome() != 0 && v1::PurgeOutcome_IsValid(result.outcome())) {
      const bool exempt = result.outcome() == v1::PURGE_OUTCOME_EXEMPT;
      CheckText(result.reason(), exempt ? 1 : 0, exempt ? kMaxTextBytes : 0, Path(at, "reason"), &untaken);
      ReadExempt(result, exempt, Path(at, "exempt_reason"), &report, &untaken);
    }
    if (untaken.empty()) {
      report.outcome = static_cast<domain::PurgeOutcome>(result.outcome());
      report.text = result.reason();
    } else {
      report.refused = untaken.ToStatus();
    }
    input.reports.push_back(std::move(report));
  }
  if (!violations.empty()) return violations.ToStatus();
  input.system = request.system();
  return input;
}

absl::StatusOr<ReportsInput> ReadFailTasks(const v1::FailTasksRequest& request) {
  Violations violations;
  const Path root;
  ReportsInput input;
  std::set<std::string> seen;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  if (!CheckCount(request.failures_size(), 1, kMaxTasks, Path(root, "failures"), &violations))
    return violations.ToStatus();
  for (int i = 0; i < request.failures_size(); ++i) {
    const Path at(root, "failures", i);
    ReportInput report = ReadReport(request.failures(i), request.system(), at, &seen, &violations);
    CheckText(request.failures(i).error(), 0, kMaxTextBytes, Path(at, "error"), &violations);
    ReadErased(request.failures(i), at, &report, &violations);
    report.text = request.failures(i).error();
    report.not_begun = request.failures(i).not_begun();
    input.reports.push_back(std::move(report));
  }
  if (!violations.empty()) return violations.ToStatus();
  input.system = request.system();
  return input;
}

absl::StatusOr<RenewInput> ReadRenewTasks(const v1::RenewTasksRequest& request) {
  Violations violations;
  const Path root;
  RenewInput input;
  std::set<std::string> seen;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  CheckRange(request.visibility_seconds(), 0, kMaxVisibilitySeconds, Path(root, "visibility_seconds"), &violations);
  if (!CheckCount(request.leases_size(), 1, kMaxTasks, Path(root, "leases"), &violations)) return violations.ToStatus();
  for (int i = 0; i < request.leases_size(); ++i) {
    input.leases.push_back(
        ReadReport(request.leases(i), request.system(), Path(root, "leases", i), &seen, &violations));
  }
  if (!violations.empty()) return violations.ToStatus();
  input.system = request.system();
  input.visibility =
      base::Seconds(request.visibility_seconds() == 0 ? kDefaultVisibilitySeconds : request.visibility_seconds());
  return input;
}

absl::StatusOr<TasksQuery> ReadListTasks(const v1::ListTasksRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  CheckRange(request.min_failures(), 0, kMaxFailures, Path(root, "min_failures"), &violations);
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return TasksQuery{request.system(), static_cast<uint32_t>(request.min_failures()),
                    request.page_size() == 0 ? kDefaultPageSize : request.page_size(), request.page_token()};
}

std::string TaskIdText(const base::DeletionId& deletion, std::string_view system) {
  return base::IdText(deletion).append(1, '/').append(system);
}

std::optional<base::DeletionId> ParseTaskId(std::string_view text, std::string_view system) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.substr(slash + 1) != system) return std::nullopt;
  return base::ParseId<base::DeletionId>(text.substr(0, slash));
}

void WriteTaskAnswer(const absl::Status& status, v1::TaskAnswer* out) {
  out->set_accepted(status.ok());
  if (status.ok()) return;
  out->set_refused_reason(ReasonName(DetailOf(status).reason));
  out->set_refused_message(std::string(status.message()));
}

}  // namespace consent::wire
