// PurgeService and DataSystemService: requests to the domain's words, answers back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/purge_service.pb.h"
#include "daemon/base/bytes.h"
#include "daemon/base/random_id.h"
#include "daemon/base/sealed_box.h"
#include "daemon/base/time.h"
#include "daemon/domain/deletion.h"

namespace consent::wire {

// How what has expired goes, as service::SystemRetention: `kind` is 0 for nothing, 1 for attested, 2 for swept.
struct RetentionInput {
  uint8_t kind = 0;
  std::string attested_by;
  base::Instant attested_until;
  int sweep_days = 0;
};
struct SystemInput {
  std::string name;
  uint8_t kind = 0;
  uint8_t matches_by = 0;  // bit (number - 1)
  base::Span latest_arrival;
  bool checks_on_ingest = false;
  std::optional<base::BoxPublicKey> offline_key;
  RetentionInput retention;
};
struct SetRetentionInput {
  std::string system;
  RetentionInput retention;
};
struct SweepInput {
  std::string system;
  base::Instant started_at;
  base::Instant ended_at;
  uint64_t kept = 0;
  uint64_t held = 0;
  uint64_t purged = 0;
  uint64_t not_found = 0;
  uint64_t failed = 0;
  uint64_t unanswered = 0;
};
struct RetireInput {
  std::string name;
  std::string reason;
};
struct LeaseInput {
  std::string system;
  size_t max_tasks = 0;
  base::Span visibility;
  base::Span wait;
  std::vector<domain::SelectorKind> accepts;  // empty: all but kDraft
  bool look_only = false;
};
struct ReportInput {
  std::optional<base::DeletionId> deletion;  // whose task it is; nothing: task_id is none of the system's
  uint64_t epoch = 0;
  domain::PurgeOutcome outcome = domain::PurgeOutcome::kOpen;
  uint64_t erased_count = 0;
  base::Digest evidence{};
  domain::ExemptReason exempt = domain::ExemptReason::kMissing;
  std::string text;        // the reason of an exemption, or a failure's error
  bool not_begun = false;  // of a failure
  absl::Status refused;    // what it says cannot be taken; `deletion` and `epoch` can
};
struct ReportsInput {
  std::string system;
  std::vector<ReportInput> reports;
};
struct RenewInput {
  std::string system;
  std::vector<ReportInput> leases;  // `deletion` and `epoch` of each
  base::Span visibility;
};
struct RetryInput {
  std::string system;
  std::vector<std::string> task_ids;
  // Without task_ids: of the tasks that are to be tried again.
  uint32_t min_failures = 0;
  std::string page_token;
};
struct TasksQuery {
  std::string system;
  uint32_t min_failures = 0;
  int page_size = 0;
  std::string page_token;
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
// `now` judges the end of an attestation.
absl::StatusOr<SystemInput> ReadRegisterSystem(const v1::RegisterDataSystemRequest& request, base::Instant now);
absl::StatusOr<SetRetentionInput> ReadSetRetention(const v1::SetSystemRetentionRequest& request, base::Instant now);
absl::StatusOr<SweepInput> ReadReportSweep(const v1::ReportSweepRequest& request);
absl::StatusOr<RetireInput> ReadRetireSystem(const v1::RetireDataSystemRequest& request);
absl::StatusOr<LeaseInput> ReadLeaseTasks(const v1::LeaseTasksRequest& request);
// A result that says what cannot be taken does not spoil the others: see ReportInput::refused.
absl::StatusOr<ReportsInput> ReadCompleteTasks(const v1::CompleteTasksRequest& request);
absl::StatusOr<ReportsInput> ReadFailTasks(const v1::FailTasksRequest& request);
absl::StatusOr<RenewInput> ReadRenewTasks(const v1::RenewTasksRequest& request);
absl::StatusOr<RetryInput> ReadRetryTasks(const v1::RetryTasksRequest& request);
absl::StatusOr<TasksQuery> ReadListTasks(const v1::ListTasksRequest& request);

// A task is named by its request and its system: `<deletion_id>/<system>`. An id holds no slash.
std::string TaskIdText(const base::DeletionId& deletion, std::string_view system);
// Nothing where it is none of the system's.
std::optional<base::DeletionId> ParseTaskId(std::string_view text, std::string_view system);

// OK: accepted.
void WriteTaskAnswer(const absl::Status& status, v1::TaskAnswer* out);

}  // namespace consent::wire
