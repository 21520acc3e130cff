#include "daemon/ops/metrics.h"

#include <algorithm>
#include <utility>

#include "daemon/ops/families.h"

namespace consent::ops {
namespace {

using prometheus::MetricType;

// The kinds of acknowledged writes that users, officers and stores ask for.
constexpr std::array kChangeKinds{service::ChangeKind::kUpsertSubject,
                                  service::ChangeKind::kUpdateSettings,
                                  service::ChangeKind::kOptOut,
                                  service::ChangeKind::kReportRecording,
                                  service::ChangeKind::kDeletionReceived,
                                  service::ChangeKind::kDeletionVerified,
                                  service::ChangeKind::kDeletionDenied,
                                  service::ChangeKind::kDeletionExtended,
                                  service::ChangeKind::kDeletionCancelled,
                                  service::ChangeKind::kHoldPlaced,
                                  service::ChangeKind::kHoldReleased};

// `value` if it is below `count`, else zero: an enum from elsewhere must not index beyond an array.
template <typename E>
size_t Index(E value, size_t count) {
  const auto index = static_cast<size_t>(value);
  return index < count ? index : 0;
}

const char* ResultOf(const rpc::ChoiceSeen& choice) {
  if (choice.refusal != domain::Refusal::kNone) return "refused";
  return choice.changed ? "changed" : "unchanged";
}

std::string TargetOf(const rpc::ChoiceSeen& choice) {
  switch (choice.target) {
    case domain::TargetKind::kAll:
      return "all";
    case domain::TargetKind::kControl:
      return choice.control.empty() ? "unknown" : std::string(choice.control);
    case domain::TargetKind::kPurpose:
      return Label(choice.purpose);
  }
  return "unknown";
}

prometheus::ClientMetric::Histogram ToHistogram(const std::array<uint64_t, kLatencyCells>& cells) {
  prometheus::ClientMetric::Histogram histogram;
  uint64_t count = 0;
  for (size_t i = 0; i < kLatencyBounds.size(); ++i) {
    count += cells[i];
    histogram.bucket.push_back({count, static_cast<double>(kLatencyBounds[i]) / 1e9});
  }
  count += cells[kLatencyBounds.size()];
  histogram.sample_count = count;
  histogram.sample_sum = static_cast<double>(cells[kLatencySum]) / 1e9;
  return histogram;
}

}  // namespace

Metrics::Metrics(std::vector<std::string> methods)
    : methods_([&methods] {
        methods.resize(std::min(methods.size(), kMaxMethods));
        return std::move(methods);
      }()) {}

size_t Metrics::MethodIndex(std::string_view method) const {
  size_t index = 0;
  while (index < methods_.size() && methods_[index] != method) ++index;
  return index;
}

const std::string& Metrics::MethodName(size_t index) const {
  static const std::string kOther = "other";
  return index < methods_.size() ? methods_[index] : kOther;
}

void Metrics::OnCall(const rpc::CallSeen& call) {
  const size_t method = MethodIndex(call.method);
  const int64_t nanoseconds = std::max<int64_t>(call.latency.count(), 0);
  latency_.Add(method * kLatencyCells + LatencyCell(nanoseconds));
  latency_.Add(method * kLatencyCells + kLatencySum, static_cast<uint64_t>(nanoseconds));
  const auto code = static_cast<size_t>(call.code);
  codes_.Add(method * kCodes + (code < kCodes ? code : static_cast<size_t>(absl::StatusCode::kUnknown)));
}

void Metrics::OnDecisions(const rpc::DecisionsSeen& decisions) {
  const size_t outcome = Index(decisions.eligibility, 3) * 4 + Index(decisions.disposition, 4);
  decisions_.Add((Index(decisions.purpose, kPurposeCells) * kOutcomes + outcome) * domain::kReasons +
                     Index(decisions.reason, domain::kReasons),
                 decisions.count);
}

void Metrics::OnItemErrors(uint32_t count) { singles_.Add(kItemErrors, count); }

void Metrics::OnUnknownRegions(uint32_t count) { singles_.Add(kUnknownRegions, count); }

void Metrics::OnChange(const rpc::ChangeSeen& change) {
  static_assert(kChangeKinds.size() == kKinds);
  for (size_t kind = 0; kind < kKinds; ++kind) {
    if (kChangeKinds[kind] == change.kind) changes_.Add(kind * kChannels + Index(change.channel, kChannels));
  }
  if (change.registered_now) singles_.Add(kRegistrations);
  if (change.parts_changed != 0) singles_.Add(kPartsChanged, change.parts_changed);
  if (change.parts_unchanged != 0) singles_.Add(kPartsUnchanged, change.parts_unchanged);
  if (change.parts_refused != 0) singles_.Add(kPartsRefused, change.parts_refused);
  for (size_t flag = 0; flag < 4; ++flag) {
    if ((change.flags >> flag & 1) != 0) singles_.Add(kFlags + flag);
  }
}

void Metrics::OnChoice(const rpc::ChoiceSeen& choice) {
  ChoiceKey key(TargetOf(choice), choice.on, choice.channel, ResultOf(choice));
  base::MutexLock lock(mutex_);
  if (choices_.size() >= kMaxChoiceSeries && choices_.find(key) == choices_.end()) std::get<0>(key) = "other";
  ++choices_[std::move(key)];
}

void Metrics::OnPolicyReload(bool ok) { singles_.Add(ok ? kReloadsOk : kReloadsFailed); }

void Metrics::CollectCalls(std::vector<prometheus::MetricFamily>* families) const {
  prometheus::MetricFamily latency =
      Family("consentd_rpc_duration_seconds",
             "Time from a request's arrival in its handler until its reply is handed over.", MetricType::Histogram);
  prometheus::MetricFamily calls =
      Family("consentd_rpc_total", "Calls by their gRPC status code.", MetricType::Counter);
  for (size_t method = 0; method <= methods_.size(); ++method) {
    std::array<uint64_t, kLatencyCells> cells{};
    uint64_t seen = 0;
    for (size_t i = 0; i < kLatencyCells; ++i) cells[i] = latency_.Sum(method * kLatencyCells + i);
    for (size_t i = 0; i < kLatencySum; ++i) seen += cells[i];
    if (seen == 0) continue;
    prometheus::ClientMetric& metric = latency.metric.emplace_back();
    metric.label.push_back({"method", MethodName(method)});
    metric.histogram = ToHistogram(cells);
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = codes_.Sum(method * kCodes + code);
      if (count != 0) {
        AddValue(&calls, {{"method", MethodName(method)}, {"code", Label(static_cast<absl::StatusCode>(code))}},
                 static_cast<double>(count));
      }
    }
  }
  families->push_back(std::move(latency));
  families->push_back(std::move(calls));
}

void Metrics::CollectDecisions(std::vector<prometheus::MetricFamily>* families) const {
  prometheus::MetricFamily family =
      Family("consentd_decisions_total",
             "Decisions by purpose (none: disposition only), both answers and the first reason.", MetricType::Counter);
  for (size_t cell = 0; cell < kPurposeCells * kOutcomes * domain::kReasons; ++cell) {
    const uint64_t count = decisions_.Sum(cell);
    if (count == 0) continue;
    const size_t outcome = cell / domain::kReasons % kOutcomes;
    AddValue(&family,
             {{"purpose", Label(static_cast<domain::Purpose>(cell / domain::kReasons / kOutcomes))},
              {"eligibility", Label(static_cast<domain::Eligibility>(outcome / 4))},
              {"disposition", Label(static_cast<domain::Disposition>(outcome % 4))},
              {"reason", Label(static_cast<domain::Reason>(cell % domain::kReasons))}},
             static_cast<double>(count));
  }
  families->push_back(std::move(family));
}

void Metrics::CollectChanges(std::vector<prometheus::MetricFamily>* families) const {
  prometheus::MetricFamily changes =
      Family("consentd_changes_total", "Acknowledged writes by kind of request and channel.", MetricType::Counter);
  for (size_t kind = 0; kind < kKinds; ++kind) {
    for (size_t channel = 0; channel < kChannels; ++channel) {
      const uint64_t count = changes_.Sum(kind * kChannels + channel);
      if (count == 0) continue;
      AddValue(&changes,
               {{"kind", Label(kChangeKinds[kind])}, {"channel", Label(static_cast<domain::Channel>(channel))}},
               static_cast<double>(count));
    }
  }
  families->push_back(std::move(changes));
  prometheus::MetricFamily choices =
      Family("consentd_choices_total",
             "Choices in acknowledged writes by control (or purpose, or all), choice, channel and result.",
             MetricType::Counter);
  base::MutexLock lock(mutex_);
  for (const auto& [key, count] : choices_) {
    const auto& [control, on, channel, result] = key;
    AddValue(&choices,
             {{"control", control}, {"choice", on ? "on" : "off"}, {"channel", Label(channel)}, {"result", result}},
             static_cast<double>(count));
  }
  families->push_back(std::move(choices));
}

void Metrics::CollectSingles(std::vector<prometheus::MetricFamily>* families) const {
  const auto value = [this](size_t single) { return static_cast<double>(singles_.Sum(single)); };
  prometheus::MetricFamily parts =
      Family("consentd_change_parts_total", "Parts of acknowledged writes by result.", MetricType::Counter);
  AddValue(&parts, {{"result", "changed"}}, value(kPartsChanged));
  AddValue(&parts, {{"result", "unchanged"}}, value(kPartsUnchanged));
  AddValue(&parts, {{"result", "refused"}}, value(kPartsRefused));
  prometheus::MetricFamily flags =
      Family("consentd_flags_reported_total", "Flags reported of recordings.", MetricType::Counter);
  for (size_t flag = 0; flag < 4; ++flag) {
    AddValue(&flags, {{"flag", Label<v1::Flag>(static_cast<int>(flag) + 1)}}, value(kFlags + flag));
  }
  prometheus::MetricFamily registrations =
      Family("consentd_registrations_total", "Subjects registered.", MetricType::Counter);
  AddValue(&registrations, {}, value(kRegistrations));
  prometheus::MetricFamily errors = Family("consentd_batch_item_errors_total",
                                           "Batch items that got an error in place of an answer.", MetricType::Counter);
  AddValue(&errors, {}, value(kItemErrors));
  prometheus::MetricFamily regions =
      Family("consentd_unknown_regions_total",
             "Recordings whose region of capture is a code that nobody assigns: answered as from an unknown region.",
             MetricType::Counter);
  AddValue(&regions, {}, value(kUnknownRegions));
  prometheus::MetricFamily reloads = Family(
      "consentd_policy_reloads_total", "Policy reloads by result; refused keeps the old policy.", MetricType::Counter);
  AddValue(&reloads, {{"result", "ok"}}, value(kReloadsOk));
  AddValue(&reloads, {{"result", "refused"}}, value(kReloadsFailed));
  for (prometheus::MetricFamily* family : {&parts, &flags, &registrations, &errors, &regions, &reloads}) {
    families->push_back(std::move(*family));
  }
}

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  CollectCalls(&families);
  CollectDecisions(&families);
  CollectChanges(&families);
  CollectSingles(&families);
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  return families;
}

}  // namespace consent::ops
