#include "daemon/app/status_answer.h"

#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "consent/v1/purge_service.pb.h"
#include "daemon/base/clock.h"
#include "daemon/ops/families.h"
#include "daemon/ops/version.h"
#include "daemon/rpc/policy_rpc.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/policy.h"

namespace consent::app {
namespace {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

double ValueOf(const prometheus::MetricFamily& family, const prometheus::ClientMetric& metric) {
  return family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
}

std::string_view LabelOf(const prometheus::ClientMetric& metric, std::string_view name) {
  for (const auto& label : metric.label) {
    if (label.name == name) return label.value;
  }
  return {};
}

// The figures of one scrape, by the names of their metrics; README.md of ops has the table.
class Figures {
 public:
  explicit Figures(const std::vector<prometheus::MetricFamily>& families) {
    for (const auto& family : families) by_name_.emplace(family.name, &family);
  }

  // Of the series that have these labels, whatever their others are; nothing where there is none.
  std::optional<double> Sum(std::string_view name, Labels labels = {}) const {
    std::optional<double> sum;
    ForEach(name, labels, [&](const prometheus::ClientMetric&, double value) { sum = sum.value_or(0) + value; });
    return sum;
  }
  int64_t Count(std::string_view name, Labels labels = {}) const {
    return static_cast<int64_t>(Sum(name, labels).value_or(0));
  }
  bool Is(std::string_view name, Labels labels = {}) const { return Sum(name, labels).value_or(0) != 0; }
  // A time in seconds; unset where there is none.
  base::Instant Time(std::string_view name, Labels labels = {}) const {
    const std::optional<double> seconds = Sum(name, labels);
    return seconds.has_value() ? base::Instant{std::llround(*seconds * 1e6)} : base::Instant{};
  }
  template <typename Use>
  void ForEach(std::string_view name, Labels labels, Use use) const {
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) return;
    for (const auto& metric : at->second->metric) {
      bool fits = true;
      for (const auto& [label, value] : labels) fits = fits && LabelOf(metric, label) == value;
      if (fits) use(metric, ValueOf(*at->second, metric));
    }
  }

 private:
  std::map<std::string_view, const prometheus::MetricFamily*> by_name_;
};

// `*field()` only where there is a time.
template <typename Field>
void SetTime(base::Instant time, Field field) {
  if (time.IsSet()) wire::WriteTimestamp(time, field());
}

void WriteDaemon(const Figures& figures, v1::GetStatusResponse* out) {
  out->set_version(ops::kVersion);
  SetTime(figures.Time("process_start_time_seconds"), [&] { return out->mutable_started_at(); });
  v1::IndexStatus& index = *out->mutable_index();
  index.set_subjects(figures.Count("consentd_index_subjects"));
  index.set_max_subjects(figures.Count("consentd_index_max_subjects"));
  index.set_complete(figures.Is("consentd_index_complete"));
  v1::StoreStatus& store = *out->mutable_store();
  store.set_commits_waiting(figures.Count("consentd_store_commits_waiting"));
  store.set_writes_stopped(figures.Is("consentd_rocksdb_writes_stopped"));
  store.set_background_errors(figures.Count("consentd_rocksdb_background_errors_total"));
  store.set_table_bytes(figures.Count("consentd_rocksdb_sst_bytes"));
  figures.ForEach("consentd_disk_size_bytes", {}, [&](const prometheus::ClientMetric& metric, double size) {
    const std::string_view folder = LabelOf(metric, "folder");
    v1::DiskStatus& disk = *out->add_disks();
    disk.set_folder(std::string(folder));
    disk.set_size_bytes(static_cast<int64_t>(size));
    disk.set_free_bytes(figures.Count("consentd_disk_free_bytes", {{"folder", folder}}));
    const std::optional<double> inodes = figures.Sum("consentd_disk_free_inodes", {{"folder", folder}});
    if (inodes.has_value()) disk.set_free_inodes(static_cast<int64_t>(*inodes));
  });
}

void WriteFiles(const Figures& figures, v1::GetStatusResponse* out) {
  v1::PolicyStatus& policy = *out->mutable_policy();
  SetTime(figures.Time("consentd_policy_activated_timestamp_seconds"), [&] { return policy.mutable_activated_at(); });
  figures.ForEach("consentd_holiday_calendar_end_timestamp_seconds", {},
                  [&](const prometheus::ClientMetric& metric, double seconds) {
                    v1::CalendarEnd& calendar = *policy.add_calendars();
                    calendar.set_regime(std::string(LabelOf(metric, "regime")));
                    wire::WriteTimestamp(base::Instant{std::llround(seconds * 1e6)}, calendar.mutable_ends_at());
                  });
  const base::Instant callers = figures.Time("consentd_callers_last_reload_success_timestamp_seconds");
  if (callers.IsSet()) {
    wire::WriteTimestamp(callers, out->mutable_callers()->mutable_read_at());
    out->mutable_callers()->set_refused_reloads(
        figures.Count("consentd_callers_reloads_total", {{"result", "refused"}}));
  }
  constexpr std::string_view kEnds = "consentd_tls_certificate_not_after_timestamp_seconds";
  if (!figures.Sum(kEnds).has_value()) return;
  v1::CertificateStatus& tls = *out->mutable_certificates();
  SetTime(figures.Time(kEnds, {{"which", "server"}}), [&] { return tls.mutable_server_ends_at(); });
  SetTime(figures.Time(kEnds, {{"which", "client_ca"}}), [&] { return tls.mutable_client_ca_ends_at(); });
  SetTime(figures.Time("consentd_tls_certificate_last_reload_success_timestamp_seconds"),
          [&] { return tls.mutable_read_at(); });
  tls.set_refused_reloads(figures.Count("consentd_tls_certificate_reloads_total", {{"result", "refused"}}));
}

void WriteDecisionLog(const Figures& figures, v1::GetStatusResponse* out) {
  v1::DecisionLogStatus& log = *out->mutable_decision_log();
  log.set_on(figures.Is("consentd_decision_log_on"));
  log.set_writing(figures.Is("consentd_decision_log_writing"));
  log.set_missing_records(figures.Count("consentd_decision_log_missing_records"));
  log.set_records(figures.Count("consentd_decision_log_records_total"));
  log.set_refused_records(figures.Count("consentd_decision_log_refused_total"));
  const base::Instant reported = figures.Time("consentd_verification_timestamp_seconds");
  if (!reported.IsSet()) return;
  v1::VerificationStatus& last = *out->mutable_verification();
  wire::WriteTimestamp(reported, last.mutable_reported_at());
  last.set_yeses(figures.Count("consentd_verification_yeses"));
  last.set_yes_after_no(figures.Count("consentd_verification_yes_after_no"));
  last.set_not_given(figures.Count("consentd_verification_not_given"));
  last.set_not_checkable(figures.Count("consentd_verification_not_checkable"));
  last.set_log_problems(figures.Count("consentd_verification_log_problems"));
  SetTime(figures.Time("consentd_verification_last_wrong_timestamp_seconds"),
          [&] { return last.mutable_last_wrong_at(); });
}

bool IsOpen(std::string_view state) { return state != "completed" && state != "denied" && state != "cancelled"; }

void WriteRequests(const Figures& figures, v1::GetStatusResponse* out) {
  v1::RequestsStatus& requests = *out->mutable_requests();
  figures.ForEach("consentd_deletion_requests", {}, [&](const prometheus::ClientMetric& metric, double value) {
    if (IsOpen(LabelOf(metric, "state"))) requests.set_open(requests.open() + static_cast<int64_t>(value));
  });
  SetTime(figures.Time("consentd_deletion_request_oldest_timestamp_seconds"),
          [&] { return requests.mutable_oldest_at(); });
  requests.set_overdue(figures.Count("consentd_deletion_requests_overdue"));
  requests.set_due_in_7_days(figures.Count("consentd_deletion_requests_due", {{"within_days", "7"}}));
  requests.set_due_in_30_days(figures.Count("consentd_deletion_requests_due", {{"within_days", "30"}}));
  requests.set_receipts_overdue(figures.Count("consentd_deletion_receipts_overdue"));
  requests.set_receipts_due_in_3_days(figures.Count("consentd_deletion_receipts_due", {{"within_days", "3"}}));
  v1::AppealsStatus& appeals = *out->mutable_appeals();
  appeals.set_open(figures.Count("consentd_appeals_open"));
  appeals.set_acknowledgements_overdue(figures.Count("consentd_appeals_overdue", {{"deadline", "acknowledgement"}}));
  appeals.set_answers_overdue(figures.Count("consentd_appeals_overdue", {{"deadline", "answer"}}));
  v1::ErasureStatus& erasure = *out->mutable_erasure();
  erasure.set_keys_waiting(figures.Count("consentd_erasures_waiting", {{"step", "keys"}}));
  erasure.set_bytes_waiting(figures.Count("consentd_erasures_waiting", {{"step", "bytes"}}));
  SetTime(figures.Time("consentd_erasure_oldest_timestamp_seconds", {{"step", "keys"}}),
          [&] { return erasure.mutable_oldest_key_at(); });
  SetTime(figures.Time("consentd_erasure_oldest_timestamp_seconds", {{"step", "bytes"}}),
          [&] { return erasure.mutable_oldest_bytes_at(); });
}

void WriteSystems(const Figures& figures, v1::GetStatusResponse* out) {
  figures.ForEach("consentd_purge_tasks_open", {}, [&](const prometheus::ClientMetric& metric, double open) {
    const std::string_view name = LabelOf(metric, "system");
    v1::SystemStatus& system = *out->add_systems();
    system.set_name(std::string(name));
    system.set_open_tasks(static_cast<int64_t>(open));
    system.set_stuck_tasks(figures.Count("consentd_purge_tasks_stuck", {{"system", name}}));
    SetTime(figures.Time("consentd_purge_task_oldest_timestamp_seconds", {{"system", name}}),
            [&] { return system.mutable_oldest_task_at(); });
    SetTime(figures.Time("consentd_purge_worker_last_seen_timestamp_seconds", {{"system", name}}),
            [&] { return system.mutable_worker_seen_at(); });
    for (int state = v1::RetentionState_MIN + 1; state <= v1::RetentionState_MAX; ++state) {
      const std::string label = ops::Label<v1::RetentionState>(state);
      if (!figures.Is("consentd_system_retention", {{"system", name}, {"state", label}})) continue;
      system.set_retention(static_cast<v1::RetentionState>(state));
    }
    SetTime(figures.Time("consentd_system_retention_due_timestamp_seconds", {{"system", name}}),
            [&] { return system.mutable_retention_due_at(); });
    system.set_sweep_failed(
        figures.Count("consentd_system_sweep_recordings", {{"system", name}, {"outcome", "failed"}}));
  });
}

void WritePeople(const Figures& figures, v1::GetStatusResponse* out) {
  v1::HoldsStatus& holds = *out->mutable_holds();
  holds.set_in_force(figures.Count("consentd_holds_in_force"));
  SetTime(figures.Time("consentd_hold_oldest_timestamp_seconds"), [&] { return holds.mutable_oldest_at(); });
  if (figures.Sum("consentd_holds_past_review").has_value()) {
    holds.set_past_review(figures.Count("consentd_holds_past_review"));
  }
  v1::ChildrenStatus& children = *out->mutable_children();
  children.set_profiles(figures.Count("consentd_children"));
  children.set_unguarded(figures.Count("consentd_children_unguarded"));
  children.set_notice_due(figures.Count("consentd_children_inactive_without_notice"));
  children.set_purge_due(figures.Count("consentd_children_purge_due"));
  if (figures.Sum("consentd_approvals_open").has_value()) {
    out->set_approvals_open(figures.Count("consentd_approvals_open"));
  }
  if (!figures.Sum("consentd_safety_flags_open").has_value()) return;
  out->mutable_safety()->set_open(figures.Count("consentd_safety_flags_open"));
  SetTime(figures.Time("consentd_safety_flag_oldest_timestamp_seconds"),
          [&] { return out->mutable_safety()->mutable_oldest_at(); });
  const auto overdue = [&](const char* step) {
    return figures.Count("consentd_safety_flags_overdue", {{"step", step}});
  };
  out->mutable_safety()->set_unacknowledged_overdue(overdue("acknowledge"));
  out->mutable_safety()->set_unhandled_overdue(overdue("handle"));
}

}  // namespace

void WriteFigures(const std::vector<prometheus::MetricFamily>& families, v1::GetStatusResponse* out) {
  const Figures figures(families);
  WriteDaemon(figures, out);
  WriteFiles(figures, out);
  WriteDecisionLog(figures, out);
  WriteRequests(figures, out);
  WriteSystems(figures, out);
  WritePeople(figures, out);
}

void StatusAnswer::Read(v1::GetStatusResponse* out) {
  base::MutexLock lock(mutex_);
  const auto now = now_();
  const bool is_fresh = read_at_ != std::chrono::steady_clock::time_point() && now - read_at_ < kShared;
  if (!is_fresh) {
    read_at_ = now;
    last_.Clear();
    const base::TrustedClock::View clock = core_.time.Look();
    wire::WriteTimestamp(clock.wall, last_.mutable_read_at());
    wire::WriteClock(clock, last_.mutable_clock());
    WriteFigures(collect_(), &last_);
    // What a figure cannot say, from where the gauges read it, too.
    if (const auto rules = core_.policies.rules(); rules != nullptr) {
      last_.mutable_policy()->set_version(rules->version);
      last_.mutable_policy()->set_hash(rules->hash.data(), rules->hash.size());
      last_.mutable_policy()->set_activation_takes_two(!rules->approvals.one_activates);
      for (const domain::Suspension& one : rules->suspensions) {
        if (one.active) wire::WriteSuspension(one, {}, {}, last_.add_suspensions());
      }
    }
    if (const auto waiting = admin_.waiting(); waiting.has_value()) {
      rpc::WriteWaiting(*waiting, last_.mutable_policy()->mutable_waiting());
    }
  }
  *out = last_;
}

}  // namespace consent::app
