// The work of deletion: where data lies that must go, and the tasks that each such data system leases, does and
// reports.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consent/deletion.h"
#include "consent/hold.h"
#include "consent/types.h"

namespace consent {

// What a data system holds.
enum class DataSystemKind : uint8_t {
  kUnset = 0,
  kAudio = 1,
  kTranscripts = 2,
  kAnnotationQueue = 3,
  kAnnotations = 4,
  kFeatures = 5,
  kDatasets = 6,
  kVendorCopies = 7,
  kCaches = 8,
  kVoiceIds = 9,
  kBackups = 10,
};
// What a data system can find its data by.
enum class MatchKey : uint8_t {
  kUnset = 0,
  kRecordingId = 1,
  kAccount = 2,
  kProfile = 3,
  kDevice = 4,
  kTime = 5,
  kVoiceId = 6,
  kPseudonym = 7,
};
enum class DataSystemState : uint8_t { kUnset = 0, kActive = 1, kRetired = 2 };

// How a data system sees to it that what has expired, and what was recorded by accident, goes: consentd has no
// inventory.
struct SystemRetention {
  // A named person's word that it does so by itself. 1 to 128 bytes; with `attested_until`, which lies ahead by at most
  // 366 days.
  std::string attested_by;
  std::optional<Time> attested_until;
  // Else it asks about its whole inventory every so many days and reports it (ReportSweep); 1 to 90. 0: it does not.
  int sweep_days = 0;
  // Neither of the two.
  bool empty() const { return attested_by.empty() && sweep_days == 0; }
};
// kUnset: this library does not know it; treat it as kMissing.
enum class RetentionState : uint8_t {
  kUnset = 0,
  kMissing = 1,
  kKept = 2,
  kAttestationExpired = 3,
  kSweepOverdue = 4,
  kRetired = 5,
};

// Recordings, or what was made of them; each at most kMaxErasedCount.
struct SweepCounts {
  int64_t kept = 0;
  int64_t held = 0;
  int64_t purged = 0;
  // Had to go, and was not there any more.
  int64_t not_found = 0;
  // Has to go, and is still there.
  int64_t failed = 0;
  // It could not be read or not be asked about; nothing of it was purged.
  int64_t unanswered = 0;
  int64_t asked() const { return kept + held + purged + not_found + failed; }
};

// One pass over all that a data system has.
struct Sweep {
  // Both are needed. Where the end is ahead of the daemon's clock both are taken as much earlier.
  std::optional<Time> started_at;
  std::optional<Time> ended_at;
  SweepCounts counts;
  // Answers, not part of a report. Whole: nothing failed, and nothing was unanswered.
  std::optional<Time> reported_at;
  bool whole = false;
};

struct DataSystem {
  // 1 to 64 bytes of [a-z0-9_-]; never used again for another one.
  std::string name;
  DataSystemKind kind = DataSystemKind::kUnset;
  // kAccount and kRecordingId are needed.
  std::vector<MatchKey> matches_by;
  // How late after its capture data can still reach the system; 0 to 90 days.
  std::chrono::seconds latest_arrival{0};
  // It asks consentd about each item that arrives. Where not, a task may have to be done once more for what arrived
  // late.
  bool checks_on_ingest = false;
  SystemRetention retention;
  // Of a system that gives recordings to review tools and cannot call: the public half of its key (X25519), to which
  // what its media tokens open is sealed (OfflineMediaVerifier). Absent: it redeems them.
  std::optional<std::array<uint8_t, 32>> offline_key = std::nullopt;
  // Answers, not part of a registration.
  DataSystemState state = DataSystemState::kUnset;
  std::optional<Time> registered_at;
  std::optional<Time> retired_at;
  int64_t open_tasks = 0;
  RetentionState retention_state = RetentionState::kUnset;
  // Until when the attestation holds, or by when a whole sweep is due.
  std::optional<Time> retention_due_at;
  // The one that began last.
  std::optional<Sweep> last_sweep;
  // When the last whole one began.
  std::optional<Time> last_whole_sweep_at;
};

struct LeaseOrder {
  std::string system;
  // 1 to 100; 0: 10.
  int max_tasks = 0;
  // How long the caller may take before the tasks go back; 1 s to 12 h.
  std::chrono::seconds visibility{300};
  // How long to wait where there is none; 0 to 60 s. Added to the call's deadline.
  std::chrono::seconds wait{0};
  // The caller leaves alone what PurgeTask::exceptions name. Where that is not said, a task that has any arrives
  // without its selector, so that nothing on hold is deleted by code that does not look.
  bool heeds_exceptions = false;
  // What the caller can do, none twice; empty: all but kDraft, which code that is older would not know. Tasks of other
  // selectors are left to others.
  std::vector<DeletionSelectorKind> accepts = {};
  // Nothing is leased: the tasks are those that would be handed out now, with an epoch of 0, which nothing may report.
  // `wait` is 0 then.
  bool look_only = false;
};

// Why a task is handed out although it was reported, or begun, before; kUnset: it was not.
enum class TaskAgain : uint8_t {
  kUnset = 0,
  // For what arrived since it was looked at.
  kLateData = 1,
  // For all that is selected: some of it was on hold before.
  kHoldReleased = 2,
  // For all that is selected but the exceptions: a hold took back the lease under which it was being done.
  kTakenBack = 3,
};

// What one data system has to delete for one request.
struct PurgeTask {
  TaskId task_id;
  // Of this lease. Another lease makes it worthless.
  int64_t epoch = 0;
  // 1 is the first.
  int attempt = 0;
  // By the daemon's clock, for showing: see LeasedTasks::held_until.
  std::optional<Time> lease_expires_at;
  // Whose data: all of it that `selector` names and that was captured within `covers`, but for `exceptions`. monostate
  // also where `covers`, an exception or the cause is one that this library does not know, and see
  // LeaseOrder::heeds_exceptions: deleting by the rest could delete more than was meant. Fail such a task.
  AccountId account_id;
  DeletionSelector selector;
  // Absent where single recordings are named, and of a closure, which has no times.
  std::optional<TimeRange> covers;
  std::optional<Time> due_at;
  TaskAgain again = TaskAgain::kUnset;
  // When it was reported before.
  std::optional<Time> looked_at;
  // What must be left alone although it is selected: it is on hold. The task comes again when that is over.
  std::vector<HoldSelector> exceptions;
  // kUnset: not said.
  DeletionCause cause = DeletionCause::kUnset;
};

struct LeasedTasks {
  std::vector<PurgeTask> tasks;
  // By the client's Clock::SinceBoot: the tasks are surely still held until then. Counted from the moment of sending,
  // so clocks need not agree, and what was waited for a task is lost.
  std::chrono::nanoseconds held_until{0};
  // Of the system, these included: also what is leased elsewhere, comes again later, or waits for a hold's release.
  int64_t open_tasks = 0;
};

// A lease that is to be kept.
struct TaskLease {
  TaskId task_id;
  int64_t epoch = 0;
};

// kUnset: it is not known; treat it as kLost.
enum class LeaseState : uint8_t { kUnset = 0, kRenewed = 1, kTakenBack = 2, kLost = 3, kDone = 4 };

struct TaskRenewal {
  LeaseState state = LeaseState::kUnset;
  // Of kRenewed: as LeasedTasks::held_until.
  std::chrono::nanoseconds held_until{0};
};

// At most so much in one report.
inline constexpr int64_t kMaxErasedCount = 1'000'000'000'000;

// How a task ended.
struct TaskResult {
  TaskId task_id;
  int64_t epoch = 0;
  PurgeOutcome outcome = PurgeOutcome::kUnset;
  // 0 or more.
  int64_t erased_count = 0;
  // SHA-256 of what the system keeps as evidence; 32 bytes or empty.
  std::string evidence_hash;
  // With kExempt: 1 to 256 bytes, no ids.
  std::string reason;
  // With kExempt: the ground, but kSystemRetired and kAllowedAgain.
  ExemptReason exempt_reason = ExemptReason::kUnset;
};

// A task that could not be done and goes back.
struct TaskFailure {
  TaskId task_id;
  int64_t epoch = 0;
  // For operators; at most 256 bytes, no ids.
  std::string error;
  // Nothing was done of it: it is free for others at once, and not counted as a failure.
  bool not_begun = false;
  // What was erased all the same; as in TaskResult.
  int64_t erased_count = 0;
  std::string evidence_hash;
};

// How the report of one task was answered.
struct TaskAnswer {
  // The report is durable, or was before.
  bool accepted = false;
  // For example "LEASE_LOST"; empty where accepted.
  std::string refused_reason;
  std::string refused_message;
};

struct TaskQuery {
  std::string system;
  // Only those that failed as often, or more.
  int min_failures = 0;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
};

// An open task as operators see it.
struct TaskStatus {
  TaskId task_id;
  DeletionId deletion_id;
  std::optional<Time> due_at;
  // Handed out until then.
  std::optional<Time> leased_until;
  // Not handed out before.
  std::optional<Time> not_before;
  int attempts = 0;
  int failures = 0;
  // Of the last failure.
  std::string last_error;
  // What is left of it is on hold: it is not handed out before the release.
  bool waits_for_release = false;
  // By all its reports and unfinished runs so far.
  int64_t erased_count = 0;
  TaskAgain again = TaskAgain::kUnset;
  DeletionSelectorKind selector = DeletionSelectorKind::kUnset;
};

// Which failed tasks are to be handed out at once, because what made them fail is mended.
struct RetryOrder {
  std::string system;
  // 1 to 100, none twice. Empty: all of the system that failed, page by page.
  std::vector<TaskId> tasks;
  // Of all: those that failed as often, or more; 0 to 1,000,000; 0: 1.
  int min_failures = 0;
  // Of all.
  std::string page_token;
};

// What has become of one. kUnset: this library does not know it; ask ListTasks.
enum class RetryState : uint8_t {
  kUnset = 0,
  // Its pause has ended by this call.
  kDue = 1,
  // No pause held it back.
  kWasDue = 2,
  // A worker has it, and keeps it.
  kLeased = 3,
  // What is left of it is on hold: it waits for the release.
  kOnHold = 4,
  // The system has no open task of that id.
  kNotFound = 5,
  // It is to be done again for late data, and not before that date.
  kWaitsForDate = 6,
};

struct TaskRetry {
  TaskId task_id;
  RetryState state = RetryState::kUnset;
};

struct RetryPage {
  // In the order of RetryOrder::tasks; at most 100.
  std::vector<TaskRetry> tasks;
  // Empty: the last page. A page may be empty and not the last.
  std::string next_page_token;
};

struct TaskPage {
  std::vector<TaskStatus> tasks;
  // Empty: the last page. A page may be empty and not the last.
  std::string next_page_token;
};

}  // namespace consent
