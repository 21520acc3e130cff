#include "client/cli/render/render_deletion.h"

#include <algorithm>
#include <type_traits>

#include "client/cli/render/render.h"
#include "client/cli/render/render_texts.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

Json TimeOrNull(const std::optional<Time>& time) { return time.has_value() ? Json(TimeText(time)) : Json(nullptr); }

std::string SelectorText(const DeletionSelector& selector) {
  std::string text = SelectorKind(selector);
  if (const auto* day = std::get_if<SpokenDay>(&selector)) {
    return text + " " + TimeText(day->spoken_at) + " " + day->time_zone;
  }
  if (const auto* recordings = std::get_if<std::vector<RecordingId>>(&selector)) {
    return text + ": " + std::to_string(recordings->size());
  }
  if (const auto* profile = std::get_if<ProfileId>(&selector)) return text + ":" + profile->value();
  if (const auto* device = std::get_if<DeviceId>(&selector)) return text + ":" + device->value();
  if (const auto* voice = std::get_if<VoiceIdOf>(&selector)) return text + ":" + voice->profile.value();
  if (const auto* draft = std::get_if<Draft>(&selector)) {
    return text + " " + base::Hex(draft->digest) + " of " + draft->recording.value();
  }
  if (const auto* copies = std::get_if<PurposeCopies>(&selector)) {
    return text + ": " + NamesText(copies->purposes) +
           (copies->scope == Scope{} ? "" : " of " + ScopeText(copies->scope));
  }
  return text;
}

std::string FromText(const std::optional<TimeRange>& range) {
  if (!range.has_value()) return "";
  return range->from.has_value() ? TimeText(range->from) : "the beginning";
}

std::string ToText(const std::optional<TimeRange>& range) {
  if (!range.has_value()) return "";
  return range->to.has_value() ? TimeText(range->to) : "the end";
}

std::string CauseText(const DeletionRequest& request) {
  return request.cause == DeletionCause::kUnset ? "unknown" : std::string(Name(request.cause));
}

std::string ChannelText(const DeletionRequest& request) {
  return request.receipt_channel == ReceiptChannel::kUnset ? "" : std::string(Name(request.receipt_channel));
}

std::string MarksText(const DeletionRequest& request) {
  std::vector<std::string> marks;
  if (request.extended) marks.emplace_back("EXTENDED");
  if (request.on_hold) marks.emplace_back("ON_HOLD");
  if (request.needs_ids) marks.emplace_back("NEEDS_IDS");
  if (request.overdue) marks.emplace_back("OVERDUE");
  if (request.confirmation_overdue) marks.emplace_back("CONFIRMATION_OVERDUE");
  const Appeal last = request.appeals.empty() ? Appeal{} : request.appeals.back();
  const bool open = last.state == AppealState::kReceived || last.state == AppealState::kAcknowledged;
  if (open) marks.emplace_back("APPEALED");
  if (last.acknowledgement_overdue || last.answer_overdue) marks.emplace_back("APPEAL_OVERDUE");
  return ListText(marks);
}

// "2/3": systems that ended, of all.
std::string ProgressText(const DeletionRequest& request) {
  const auto ended =
      std::count_if(request.progress.begin(), request.progress.end(),
                    [](const DeletionProgress& progress) { return progress.outcome != PurgeOutcome::kUnset; });
  return std::to_string(ended) + "/" + std::to_string(request.progress.size());
}

Json ProgressJson(const DeletionProgress& progress) {
  return {{"system", progress.system},
          {"outcome", progress.outcome == PurgeOutcome::kUnset ? "" : Name(progress.outcome)},
          {"ended_at", TimeText(progress.ended_at)},
          {"erased_count", progress.erased_count},
          {"evidence_hash", HexText(progress.evidence_hash)},
          {"earlier_evidence_hash", HexText(progress.earlier_evidence_hash)},
          {"exempt_reason", progress.exempt_reason == ExemptReason::kUnset ? "" : Name(progress.exempt_reason)},
          {"reason", progress.reason},
          {"leased_before", progress.leased_before}};
}

// Why something was kept: the ground, and in words.
std::string ExemptText(const DeletionProgress& progress) {
  if (progress.exempt_reason == ExemptReason::kUnset) return progress.reason;
  return std::string(Name(progress.exempt_reason)) + ": " + progress.reason;
}

Table ProgressTable(const std::vector<DeletionProgress>& progress) {
  Table table("progress",
              {"SYSTEM", "OUTCOME", "ENDED", "ERASED", "EVIDENCE", "EARLIER EVIDENCE", "WHY", "TAKEN BEFORE"});
  for (const DeletionProgress& part : progress) {
    table.Add({part.system, part.outcome == PurgeOutcome::kUnset ? "open" : std::string(Name(part.outcome)),
               TimeText(part.ended_at), std::to_string(part.erased_count), HexText(part.evidence_hash),
               HexText(part.earlier_evidence_hash), ExemptText(part), YesNo(part.leased_before)});
  }
  return table;
}

Json RetentionJson(const SystemRetention& retention) {
  if (retention.empty()) return nullptr;
  if (retention.sweep_days != 0) return {{"sweep_days", retention.sweep_days}};
  return {{"attested_by", retention.attested_by}, {"attested_until", TimeText(retention.attested_until)}};
}

std::string KeptByText(const SystemRetention& retention) {
  if (retention.sweep_days != 0) return "a sweep every " + std::to_string(retention.sweep_days) + "d";
  return retention.empty() ? "nobody" : "word of " + retention.attested_by;
}

Json SweepJson(const std::optional<Sweep>& sweep) {
  if (!sweep.has_value()) return nullptr;
  Json json = SweepCountsJson(sweep->counts);
  json["started_at"] = TimeText(sweep->started_at);
  json["ended_at"] = TimeText(sweep->ended_at);
  json["reported_at"] = TimeText(sweep->reported_at);
  json["whole"] = sweep->whole;
  return json;
}

// "2026-11-22T07:07:48Z, not whole: 3 left, 1 without answer"
std::string SweepText(const std::optional<Sweep>& sweep) {
  if (!sweep.has_value()) return "";
  std::string text = TimeText(sweep->started_at);
  if (sweep->whole) return text + ", whole";
  return text + ", not whole: " + std::to_string(sweep->counts.failed) + " left, " +
         std::to_string(sweep->counts.unanswered) + " without answer";
}

std::string OfflineKeyText(const DataSystem& system) {
  if (!system.offline_key.has_value()) return "";
  return HexText(std::string(system.offline_key->begin(), system.offline_key->end()));
}

}  // namespace

Json SweepCountsJson(const SweepCounts& counts) {
  return {{"asked", counts.asked()},        {"kept", counts.kept},           {"held", counts.held},
          {"purged", counts.purged},        {"not_found", counts.not_found}, {"failed", counts.failed},
          {"unanswered", counts.unanswered}};
}

std::string SelectorKind(const DeletionSelector& selector) {
  struct Kind {
    const char* operator()(std::monostate /*none*/) const { return ""; }
    const char* operator()(Everything /*all*/) const { return "everything"; }
    const char* operator()(const TimeRange& /*range*/) const { return "time_range"; }
    const char* operator()(const SpokenDay& /*day*/) const { return "spoken_day"; }
    const char* operator()(const std::vector<RecordingId>& /*recordings*/) const { return "recordings"; }
    const char* operator()(const ProfileId& /*profile*/) const { return "profile"; }
    const char* operator()(const DeviceId& /*device*/) const { return "device"; }
    const char* operator()(const PurposeCopies& /*copies*/) const { return "purpose_copies"; }
    const char* operator()(const VoiceIdOf& /*voice*/) const { return "voice_id"; }
    const char* operator()(AccountClosure /*closure*/) const { return "account_closure"; }
    const char* operator()(const Draft& /*draft*/) const { return "draft"; }
  };
  return std::visit(Kind(), selector);
}

Json SelectorJson(const DeletionSelector& selector) {
  if (std::holds_alternative<std::monostate>(selector)) return nullptr;
  Json json = {{"kind", SelectorKind(selector)}};
  if (const auto* range = std::get_if<TimeRange>(&selector)) {
    json["from"] = TimeOrNull(range->from);
    json["to"] = TimeOrNull(range->to);
  } else if (const auto* day = std::get_if<SpokenDay>(&selector)) {
    json["spoken_at"] = TimeOrNull(day->spoken_at);
    json["time_zone"] = day->time_zone;
  } else if (const auto* recordings = std::get_if<std::vector<RecordingId>>(&selector)) {
    json["recording_ids"] = Json::array();
    for (const RecordingId& recording : *recordings) json["recording_ids"].push_back(recording.value());
  } else if (const auto* profile = std::get_if<ProfileId>(&selector)) {
    json["profile_id"] = profile->value();
  } else if (const auto* device = std::get_if<DeviceId>(&selector)) {
    json["device_id"] = device->value();
  } else if (const auto* copies = std::get_if<PurposeCopies>(&selector)) {
    json["purposes"] = NamesJson(copies->purposes);
    json.update(ScopeJson(copies->scope));
  } else if (const auto* voice = std::get_if<VoiceIdOf>(&selector)) {
    json["profile_id"] = voice->profile.value();
  } else if (const auto* draft = std::get_if<Draft>(&selector)) {
    json["recording_id"] = draft->recording.value();
    json["digest"] = base::Hex(draft->digest);
  }
  return json;
}

Json RangeJson(const std::optional<TimeRange>& range) {
  if (!range.has_value()) return nullptr;
  return {{"from", TimeOrNull(range->from)}, {"to", TimeOrNull(range->to)}};
}

std::string DurationText(std::chrono::seconds duration) {
  const int64_t seconds = duration.count();
  if (seconds != 0 && seconds % 86'400 == 0) return std::to_string(seconds / 86'400) + "d";
  if (seconds != 0 && seconds % 3'600 == 0) return std::to_string(seconds / 3'600) + "h";
  if (seconds != 0 && seconds % 60 == 0) return std::to_string(seconds / 60) + "min";
  return std::to_string(seconds) + "s";
}

Json DeletionJson(const DeletionRequest& request) {
  Json json = {{"deletion_id", request.deletion_id.value()},
               {"state", Name(request.state)},
               {"extended", request.extended},
               {"overdue", request.overdue},
               {"on_hold", request.on_hold},
               {"needs_ids", request.needs_ids},
               {"cause", Name(request.cause)},
               {"requester", Name(request.requester)},
               {"regime", request.regime},
               {"received_at", TimeText(request.received_at)},
               {"confirm_by", TimeText(request.confirm_by)},
               {"receipt_confirmed_at", TimeText(request.receipt_confirmed_at)},
               {"receipt_channel", ChannelText(request)},
               {"confirmation_overdue", request.confirmation_overdue},
               {"due_at", TimeText(request.due_at)},
               {"verified_at", TimeText(request.verified_at)},
               {"ended_at", TimeText(request.ended_at)},
               {"denied_reason", request.denied_reason},
               {"how_to_appeal", HowToAppealJson(request.how_to_appeal)},
               {"appeals", AppealsJson(request.appeals)},
               {"covers", RangeJson(request.covers)},
               {"account_id", request.account_id.value()},
               {"selector", SelectorJson(request.selector)},
               {"progress", Json::array()},
               {"etag", request.etag.value()},
               {"summary", request.summary}};
  for (const DeletionProgress& progress : request.progress) json["progress"].push_back(ProgressJson(progress));
  return json;
}

std::vector<Table> DeletionTables(const DeletionRequest& request) {
  Table head("request", {"DELETION", "STATE", "MARKS", "DUE", "ETAG"});
  head.Add({request.deletion_id.value(), std::string(Name(request.state)), MarksText(request), TimeText(request.due_at),
            request.etag.value()});
  Table times("received", {"RECEIVED", "CONFIRM BY", "VERIFIED", "ENDED", "REGIME", "REQUESTER", "DENIED BECAUSE",
                           "CAUSE", "CONFIRMED", "BY"});
  times.Add({TimeText(request.received_at), TimeText(request.confirm_by), TimeText(request.verified_at),
             TimeText(request.ended_at), request.regime, std::string(Name(request.requester)), request.denied_reason,
             CauseText(request), TimeText(request.receipt_confirmed_at), ChannelText(request)});
  Table selects("selects", {"ACCOUNT", "WHAT", "CAPTURED FROM", "TO"});
  selects.Add(
      {request.account_id.value(), SelectorText(request.selector), FromText(request.covers), ToText(request.covers)});
  Table summary("summary", {"SUMMARY"});
  summary.Add({request.summary});
  return {head,
          times,
          selects,
          ProgressTable(request.progress),
          AppealsTable(request.appeals),
          summary,
          HowToAppealTable(request.how_to_appeal)};
}

Table DeletionsTable(const std::vector<DeletionRequest>& requests) {
  Table table("request", {"DELETION", "STATE", "MARKS", "REGIME", "RECEIVED", "DUE", "ENDED", "SYSTEMS", "ACCOUNT",
                          "WHAT", "CAUSE"});
  for (const DeletionRequest& request : requests) {
    table.Add({request.deletion_id.value(), std::string(Name(request.state)), MarksText(request), request.regime,
               TimeText(request.received_at), TimeText(request.due_at), TimeText(request.ended_at),
               ProgressText(request), request.account_id.value(), SelectorText(request.selector), CauseText(request)});
  }
  return table;
}

Json DataSystemJson(const DataSystem& system) {
  return {{"name", system.name},
          {"kind", Name(system.kind)},
          {"matches_by", NamesJson(system.matches_by)},
          {"latest_arrival_seconds", system.latest_arrival.count()},
          {"checks_on_ingest", system.checks_on_ingest},
          {"offline_key", OfflineKeyText(system)},
          {"state", Name(system.state)},
          {"registered_at", TimeText(system.registered_at)},
          {"retired_at", TimeText(system.retired_at)},
          {"open_tasks", system.open_tasks},
          {"retention", RetentionJson(system.retention)},
          {"retention_state", Name(system.retention_state)},
          {"retention_due_at", TimeText(system.retention_due_at)},
          {"last_sweep", SweepJson(system.last_sweep)},
          {"last_whole_sweep_at", TimeText(system.last_whole_sweep_at)}};
}

Table DataSystemsTable(const std::vector<DataSystem>& systems) {
  Table table("system", {"SYSTEM", "KIND", "STATE", "OPEN TASKS", "MATCHES BY", "LATEST ARRIVAL", "CHECKS ON INGEST",
                         "REGISTERED", "RETIRED", "RETENTION", "KEPT BY", "DUE", "LAST SWEEP", "LAST WHOLE SWEEP",
                         "OFFLINE KEY"});
  for (const DataSystem& system : systems) {
    table.Add({system.name, std::string(Name(system.kind)), std::string(Name(system.state)),
               std::to_string(system.open_tasks), NamesText(system.matches_by), DurationText(system.latest_arrival),
               YesNo(system.checks_on_ingest), TimeText(system.registered_at), TimeText(system.retired_at),
               std::string(Name(system.retention_state)), KeptByText(system.retention),
               TimeText(system.retention_due_at), SweepText(system.last_sweep), TimeText(system.last_whole_sweep_at),
               OfflineKeyText(system)});
  }
  return table;
}

Json TaskJson(const TaskStatus& task) {
  return {{"task_id", task.task_id.value()},
          {"deletion_id", task.deletion_id.value()},
          {"due_at", TimeText(task.due_at)},
          {"leased_until", TimeText(task.leased_until)},
          {"not_before", TimeText(task.not_before)},
          {"attempts", task.attempts},
          {"failures", task.failures},
          {"last_error", task.last_error},
          {"waits_for_release", task.waits_for_release},
          {"erased_count", task.erased_count},
          {"again", task.again == TaskAgain::kUnset ? "" : Name(task.again)},
          {"selector", Name(task.selector)}};
}

Json TaskRetryJson(const TaskRetry& task) { return {{"task_id", task.task_id.value()}, {"state", Name(task.state)}}; }

Table TaskRetriesTable(const std::vector<TaskRetry>& tasks) {
  Table table("retry", {"TASK", "STATE"});
  for (const TaskRetry& task : tasks) table.Add({task.task_id.value(), std::string(Name(task.state))});
  return table;
}

Table TasksTable(const std::vector<TaskStatus>& tasks) {
  Table table("task", {"TASK", "DUE", "LEASED UNTIL", "NOT BEFORE", "ATTEMPTS", "FAILURES", "LAST ERROR",
                       "WAITS FOR RELEASE", "ERASED", "AGAIN FOR", "SELECTOR"});
  for (const TaskStatus& task : tasks) {
    table.Add({task.task_id.value(), TimeText(task.due_at), TimeText(task.leased_until), TimeText(task.not_before),
               std::to_string(task.attempts), std::to_string(task.failures), task.last_error,
               YesNo(task.waits_for_release), std::to_string(task.erased_count),
               task.again == TaskAgain::kUnset ? "" : std::string(Name(task.again)), std::string(Name(task.selector))});
  }
  return table;
}

Table NextPageTable(const std::string& token) {
  Table table("next_page", {"NEXT PAGE: --page"});
  if (!token.empty()) table.Add({token});
  return table;
}

}  // namespace consent::cli
