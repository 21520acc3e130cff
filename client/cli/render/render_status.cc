#include "client/cli/render/render_status.h"

#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

// null where there is none.
template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value.has_value() ? Json(*value) : Json();
}
Json AtOrNull(const std::optional<Time>& time) { return time.has_value() ? Json(TimeText(time)) : Json(); }

Json PolicyStatusJson(const DaemonStatus::InForce& policy) {
  Json json = {{"version", policy.version},
               {"hash", HexText(policy.hash)},
               {"activated_at", AtOrNull(policy.activated_at)},
               {"waiting", nullptr},
               {"calendars", Json::array()},
               {"activation_takes_two", policy.activation_takes_two}};
  if (policy.waiting.has_value()) {
    json["waiting"] = {
        {"version", policy.waiting->version}, {"hash", HexText(policy.waiting->hash)}, {"why", policy.waiting->why}};
  }
  for (const auto& calendar : policy.calendars) {
    json["calendars"].push_back({{"regime", calendar.regime}, {"ends_at", AtOrNull(calendar.ends_at)}});
  }
  return json;
}

Json VerificationJson(const DaemonStatus::Verification& last) {
  return {{"reported_at", AtOrNull(last.reported_at)},
          {"yeses", last.yeses},
          {"yes_after_no", last.yes_after_no},
          {"not_given", last.not_given},
          {"not_checkable", last.not_checkable},
          {"log_problems", last.log_problems},
          {"last_wrong_at", AtOrNull(last.last_wrong_at)}};
}

Json RequestsJson(const DaemonStatus::Requests& requests) {
  return {{"open", requests.open},
          {"oldest_at", AtOrNull(requests.oldest_at)},
          {"overdue", requests.overdue},
          {"due_in_7_days", requests.due_in_7_days},
          {"due_in_30_days", requests.due_in_30_days},
          {"receipts_overdue", requests.receipts_overdue},
          {"receipts_due_in_3_days", requests.receipts_due_in_3_days}};
}

Json SystemJson(const DaemonStatus::System& system) {
  return {{"name", system.name},
          {"open_tasks", system.open_tasks},
          {"stuck_tasks", system.stuck_tasks},
          {"oldest_task_at", AtOrNull(system.oldest_task_at)},
          {"worker_seen_at", AtOrNull(system.worker_seen_at)},
          {"retention", Name(system.retention)},
          {"retention_due_at", AtOrNull(system.retention_due_at)},
          {"sweep_failed", system.sweep_failed}};
}

Json DisksJson(const std::vector<DaemonStatus::Disk>& disks) {
  Json list = Json::array();
  for (const DaemonStatus::Disk& disk : disks) {
    list.push_back({{"folder", disk.folder},
                    {"free_bytes", disk.free_bytes},
                    {"size_bytes", disk.size_bytes},
                    {"free_inodes", OrNull(disk.free_inodes)}});
  }
  return list;
}

void AddService(const DaemonStatus& status, Json* json) {
  (*json)["read_at"] = AtOrNull(status.read_at);
  (*json)["version"] = status.version;
  (*json)["started_at"] = AtOrNull(status.started_at);
  (*json)["policy"] = PolicyStatusJson(status.policy);
  (*json)["suspensions"] = Json::array();
  for (const Suspension& one : status.suspensions) {
    (*json)["suspensions"].push_back(
        {{"purpose", Name(one.purpose)}, {"region", one.region}, {"suspended_at", AtOrNull(one.suspended_at)}});
  }
  (*json)["clock"] = {{"wall", AtOrNull(status.clock.wall)},
                      {"trusted", AtOrNull(status.clock.trusted)},
                      {"doubtful", status.clock.doubtful}};
  (*json)["index"] = {{"subjects", status.index.subjects},
                      {"max_subjects", status.index.max_subjects},
                      {"complete", status.index.complete}};
  (*json)["store"] = {{"commits_waiting", status.store.commits_waiting},
                      {"writes_stopped", status.store.writes_stopped},
                      {"background_errors", status.store.background_errors},
                      {"table_bytes", status.store.table_bytes}};
  (*json)["disks"] = DisksJson(status.disks);
  const DaemonStatus::DecisionLog& log = status.decision_log;
  (*json)["decision_log"] = {{"on", log.on},
                             {"writing", log.writing},
                             {"missing_records", log.missing_records},
                             {"records", log.records},
                             {"refused_records", log.refused_records}};
  (*json)["verification"] = status.verification.has_value() ? VerificationJson(*status.verification) : Json();
  (*json)["certificates"] = nullptr;
  if (status.certificates.has_value()) {
    (*json)["certificates"] = {{"server_ends_at", AtOrNull(status.certificates->server_ends_at)},
                               {"client_ca_ends_at", AtOrNull(status.certificates->client_ca_ends_at)},
                               {"read_at", AtOrNull(status.certificates->read_at)},
                               {"refused_reloads", status.certificates->refused_reloads}};
  }
  (*json)["callers"] = nullptr;
  if (status.callers.has_value()) {
    (*json)["callers"] = {{"read_at", AtOrNull(status.callers->read_at)},
                          {"refused_reloads", status.callers->refused_reloads}};
  }
}

}  // namespace

Json StatusJson(const DaemonStatus& status) {
  Json json = Json::object();
  AddService(status, &json);
  json["requests"] = RequestsJson(status.requests);
  json["appeals"] = {{"open", status.appeals.open},
                     {"acknowledgements_overdue", status.appeals.acknowledgements_overdue},
                     {"answers_overdue", status.appeals.answers_overdue}};
  json["systems"] = Json::array();
  for (const DaemonStatus::System& system : status.systems) json["systems"].push_back(SystemJson(system));
  json["holds"] = {{"in_force", status.holds.in_force},
                   {"oldest_at", AtOrNull(status.holds.oldest_at)},
                   {"past_review", OrNull(status.holds.past_review)}};
  json["children"] = {{"profiles", status.children.profiles},
                      {"unguarded", status.children.unguarded},
                      {"notice_due", status.children.notice_due},
                      {"purge_due", status.children.purge_due}};
  json["erasure"] = {{"keys_waiting", status.erasure.keys_waiting},
                     {"oldest_key_at", AtOrNull(status.erasure.oldest_key_at)},
                     {"bytes_waiting", status.erasure.bytes_waiting},
                     {"oldest_bytes_at", AtOrNull(status.erasure.oldest_bytes_at)}};
  json["approvals_open"] = OrNull(status.approvals_open);
  json["safety"] = nullptr;
  if (status.safety.has_value()) {
    json["safety"] = {{"open", status.safety->open},
                      {"oldest_at", AtOrNull(status.safety->oldest_at)},
                      {"unacknowledged_overdue", status.safety->unacknowledged_overdue},
                      {"unhandled_overdue", status.safety->unhandled_overdue}};
  }
  return json;
}

}  // namespace consent::cli
