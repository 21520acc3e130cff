#include "client/cli/engines/standing_figures.h"

#include <optional>
#include <string>
#include <utility>

#include "client/cli/engines/deletion_tally.h"

namespace consent::cli {
namespace {

// Adds figures of one group after another.
class Standing {
 public:
  explicit Standing(const DaemonStatus& status) : status_(status) {}

  std::vector<Figure> Run() {
    AddLog();
    AddRequests();
    for (const DaemonStatus::System& system : status_.systems) AddSystem(system);
    AddPeople();
    AddRules();
    return std::move(out_);
  }

 private:
  void Group(std::string name) { group_ = std::move(name); }
  void Add(const char* name, std::optional<double> value) { out_.push_back({"standing", "now", group_, name, value}); }
  void Add(const char* name, int64_t count) { Add(name, std::optional<double>(static_cast<double>(count))); }
  void AddSince(const char* name, const std::optional<Time>& time) {
    Add(name, time.has_value() && status_.read_at.has_value() ? std::optional(DaysBetween(*time, *status_.read_at))
                                                              : std::nullopt);
  }
  void AddUntil(const char* name, const std::optional<Time>& time) {
    Add(name, time.has_value() && status_.read_at.has_value() ? std::optional(DaysBetween(*status_.read_at, *time))
                                                              : std::nullopt);
  }

  void AddLog() {
    if (status_.verification.has_value()) {
      const DaemonStatus::Verification& found = *status_.verification;
      Group("verification");
      AddSince("reported_days", found.reported_at);
      Add("yes_after_no", found.yes_after_no);
      Add("not_given", found.not_given);
      Add("log_problems", found.log_problems);
      Add("yeses_looked_at", found.yeses);
      Add("not_checkable", found.not_checkable);
      AddSince("last_wrong_days", found.last_wrong_at);
    }
    Group("decision log");
    Add("on", static_cast<int64_t>(status_.decision_log.on));
    Add("missing_records", status_.decision_log.missing_records);
  }

  void AddRequests() {
    Group("requests of all causes");
    Add("open", status_.requests.open);
    Add("overdue", status_.requests.overdue);
    Add("due_in_7_days", status_.requests.due_in_7_days);
    Add("due_in_30_days", status_.requests.due_in_30_days);
    AddSince("oldest_days", status_.requests.oldest_at);
    Add("receipts_overdue", status_.requests.receipts_overdue);
    Add("receipts_due_in_3_days", status_.requests.receipts_due_in_3_days);
    Group("appeals");
    Add("open", status_.appeals.open);
    Add("acknowledgements_overdue", status_.appeals.acknowledgements_overdue);
    Add("answers_overdue", status_.appeals.answers_overdue);
    Group("own files");
    AddSince("oldest_key_days", status_.erasure.oldest_key_at);
    AddSince("oldest_bytes_days", status_.erasure.oldest_bytes_at);
  }

  void AddSystem(const DaemonStatus::System& system) {
    Group("system " + system.name);
    Add("open_tasks", system.open_tasks);
    Add("stuck_tasks", system.stuck_tasks);
    AddSince("oldest_task_days", system.oldest_task_at);
    AddSince("worker_seen_days", system.worker_seen_at);
    AddUntil("sweep_or_attestation_due_days", system.retention_due_at);
    Add("sweep_left", system.sweep_failed);
  }

  void AddPeople() {
    Group("holds");
    Add("in_force", status_.holds.in_force);
    if (status_.holds.past_review.has_value()) Add("past_review", *status_.holds.past_review);
    AddSince("oldest_days", status_.holds.oldest_at);
    Group("children");
    Add("profiles", status_.children.profiles);
    Add("unguarded", status_.children.unguarded);
    Add("notice_due", status_.children.notice_due);
    Add("purge_due", status_.children.purge_due);
    if (status_.safety.has_value()) {
      Group("safety reports");
      Add("open", status_.safety->open);
      AddSince("oldest_days", status_.safety->oldest_at);
      Add("unacknowledged_overdue", status_.safety->unacknowledged_overdue);
      Add("unhandled_overdue", status_.safety->unhandled_overdue);
    }
  }

  void AddRules() {
    Group("rules");
    AddSince("policy_in_force_days", status_.policy.activated_at);
    Add("suspensions_in_force", static_cast<int64_t>(status_.suspensions.size()));
    if (status_.approvals_open.has_value()) Add("approvals_open", *status_.approvals_open);
    Add("clock_doubtful", static_cast<int64_t>(status_.clock.doubtful));
    for (const DaemonStatus::InForce::Calendar& calendar : status_.policy.calendars) {
      Group("holiday calendar of " + calendar.regime);
      AddUntil("ends_in_days", calendar.ends_at);
    }
  }

  const DaemonStatus& status_;
  std::string group_;
  std::vector<Figure> out_;
};

}  // namespace

std::vector<Figure> StandingOf(const DaemonStatus& status) { return Standing(status).Run(); }

}  // namespace consent::cli
