#include "daemon/ops/families.h"

#include <algorithm>
#include <cctype>

namespace consent::ops {

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

void AddValue(prometheus::MetricFamily* family, LabelList labels, double value) {
  prometheus::ClientMetric& metric = family->metric.emplace_back();
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  (family->type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

const char* Label(domain::Purpose purpose) {
  static constexpr const char* kNames[] = {"none",
                                           "human_review",
                                           "model_training",
                                           "feature_development",
                                           "message_transcription",
                                           "voice_identification",
                                           "personalisation",
                                           "advertising"};
  const auto index = static_cast<size_t>(purpose);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

const char* Label(domain::Choice choice) {
  static constexpr const char* kNames[] = {"unset", "given", "refused", "withdrawn"};
  const auto index = static_cast<size_t>(choice);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

const char* Label(domain::Eligibility eligibility) {
  static constexpr const char* kNames[] = {"none", "not_eligible", "eligible"};
  const auto index = static_cast<size_t>(eligibility);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

const char* Label(domain::Disposition disposition) {
  static constexpr const char* kNames[] = {"none", "keep", "purge", "hold"};
  const auto index = static_cast<size_t>(disposition);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

const char* Label(domain::Channel channel) {
  static constexpr const char* kNames[] = {"none", "app", "web", "voice", "support", "system", "import"};
  const auto index = static_cast<size_t>(channel);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

const char* Label(service::ChangeKind kind) {
  switch (kind) {
    case service::ChangeKind::kUpsertSubject:
      return "upsert_subject";
    case service::ChangeKind::kUpdateSettings:
      return "update_settings";
    case service::ChangeKind::kOptOut:
      return "opt_out";
    case service::ChangeKind::kReportRecording:
      return "report_recording";
    case service::ChangeKind::kDeletionReceived:
      return "deletion_received";
    case service::ChangeKind::kDeletionVerified:
      return "deletion_verified";
    case service::ChangeKind::kDeletionDenied:
      return "deletion_denied";
    case service::ChangeKind::kDeletionExtended:
      return "deletion_extended";
    case service::ChangeKind::kDeletionCancelled:
      return "deletion_cancelled";
    case service::ChangeKind::kHoldPlaced:
      return "hold_placed";
    case service::ChangeKind::kHoldReleased:
      return "hold_released";
    case service::ChangeKind::kDeletionSettled:
      return "deletion_settled";
    case service::ChangeKind::kTaskEnded:
      return "task_ended";
    case service::ChangeKind::kTaskFailed:
      return "task_failed";
    case service::ChangeKind::kPolicyActivated:
      return "policy_activated";
    case service::ChangeKind::kSuspensionChanged:
      return "suspension_changed";
    case service::ChangeKind::kSystemChanged:
      return "system_changed";
    case service::ChangeKind::kTasksLeased:
      return "tasks_leased";
    case service::ChangeKind::kErased:
      return "erased";
  }
  return "unknown";
}

const char* Label(absl::StatusCode code) {
  static constexpr const char* kNames[] = {
      "ok",        "cancelled",      "unknown",           "invalid_argument",   "deadline_exceeded",
      "not_found", "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
      "aborted",   "out_of_range",   "unimplemented",     "internal",           "unavailable",
      "data_loss", "unauthenticated"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

std::string Label(domain::Reason reason) {
  std::string name = domain::ReasonName(reason);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

}  // namespace consent::ops
