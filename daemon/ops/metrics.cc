#include "daemon/ops/metrics.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/base/names.h"
#include "daemon/ops/families.h"

namespace consent::ops {
namespace {

using prometheus::MetricType;

constexpr int kFlags = 4;

// `value` if it is below `count`, else zero: an enum from elsewhere must not index beyond an array.
template <typename E>
size_t Index(E value, size_t count) {
  const auto index = static_cast<size_t>(value);
  return index < count ? index : 0;
}

std::string ResultOf(const rpc::ChoiceSeen& choice) {
  if (choice.refusal != domain::Refusal::kNone) return "refused";
  return choice.changed ? "changed" : "unchanged";
}

std::string FlagLabel(int bit) { return Label<v1::Flag>(bit + 1); }

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

Metrics::Metrics(std::vector<std::string> methods, MetricRegistry& registry)
    : methods_([&methods] {
        methods.resize(std::min(methods.size(), kMaxMethods));
        return std::move(methods);
      }()),
      changes_(registry.Events("consentd_changes_total", "Acknowledged writes by kind of request and channel.",
                               {"kind", "channel"})),
      choices_(
          registry.Events("consentd_choices_total",
                          "Choices in acknowledged writes by control (or purpose, or all), choice, channel and result.",
                          {"control", "choice", "channel", "result"})),
      parts_(registry.Events("consentd_change_parts_total", "Parts of acknowledged writes by result.", {"result"})),
      registrations_(registry.Events("consentd_registrations_total", "Subjects registered.")),
      flags_(registry.Events("consentd_flags_reported_total", "Flags reported of recordings.", {"flag"})) {
  for (const char* result : {"changed", "unchanged", "refused"}) parts_.Add({result}, 0);
  for (int flag = 0; flag < kFlags; ++flag) flags_.Add({FlagLabel(flag)}, 0);
  registrations_.Add({}, 0);
}

size_t Metrics::MethodIndex(std::string_view method) const {
  size_t index = 0;
  while (index < methods_.size() && methods_[index] != method) ++index;
  return index;
}

const std::string& Metrics::MethodName(size_t index) const {
  static const std::string kOther = "other";
  return index < methods_.size() ? methods_[index] : kOther;
}

size_t Metrics::CallerIndex(std::string_view caller) {
  const auto find = [&] {
    size_t index = 0;
    for (; index < kMaxCallers; ++index) {
      const std::string* const name = caller_names_[index].load(std::memory_order_acquire);
      if (name == nullptr || *name == caller) break;
    }
    return index;
  };
  size_t index = find();
  if (index == kMaxCallers || caller_names_[index].load(std::memory_order_acquire) != nullptr) return index;
  base::MutexLock lock(naming_);
  index = find();  // another thread may have named it
  if (index == kMaxCallers || caller_names_[index].load(std::memory_order_relaxed) != nullptr) return index;
  caller_names_[index].store(&named_callers_.emplace_back(caller), std::memory_order_release);
  return index;
}

void Metrics::OnCall(const rpc::CallSeen& call) {
  const size_t method = MethodIndex(call.method);
  const int64_t nanoseconds = std::max<int64_t>(call.latency.count(), 0);
  latency_.Add(method * kLatencyCells + LatencyCell(nanoseconds));
  latency_.Add(method * kLatencyCells + kLatencySum, static_cast<uint64_t>(nanoseconds));
  const auto code = static_cast<size_t>(call.code);
  const size_t known = code < kCodes ? code : static_cast<size_t>(absl::StatusCode::kUnknown);
  codes_.Add(method * kCodes + known);
  callers_.Add(CallerIndex(call.caller) * kCodes + known);
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
  changes_.Add({Label(change.kind), Label(change.channel)});
  if (change.registered_now) registrations_.Add({});
  if (change.parts_changed != 0) parts_.Add({"changed"}, change.parts_changed);
  if (change.parts_unchanged != 0) parts_.Add({"unchanged"}, change.parts_unchanged);
  if (change.parts_refused != 0) parts_.Add({"refused"}, change.parts_refused);
  for (int flag = 0; flag < kFlags; ++flag) {
    if ((change.flags >> flag & 1) != 0) flags_.Add({FlagLabel(flag)});
  }
}

void Metrics::OnChoice(const rpc::ChoiceSeen& choice) {
  choices_.Add({TargetOf(choice), choice.on ? "on" : "off", Label(choice.channel), ResultOf(choice)});
}

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

void Metrics::CollectCallers(std::vector<prometheus::MetricFamily>* families) const {
  prometheus::MetricFamily family =
      Family("consentd_caller_calls_total", "Calls by caller and gRPC status code.", MetricType::Counter);
  for (size_t caller = 0; caller <= kMaxCallers; ++caller) {
    const std::string* const name = caller == kMaxCallers ? nullptr : caller_names_[caller].load();
    if (name == nullptr && caller != kMaxCallers) continue;
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = callers_.Sum(caller * kCodes + code);
      if (count == 0) continue;
      AddValue(&family,
               {{"caller", name == nullptr ? std::string(base::kOtherCallers) : *name},
                {"code", Label(static_cast<absl::StatusCode>(code))}},
               static_cast<double>(count));
    }
  }
  families->push_back(std::move(family));
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

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  const auto single = [&](Single which, const char* name, const char* help) {
    families.push_back(Family(name, help, MetricType::Counter));
    AddValue(&families.back(), {}, static_cast<double>(singles_.Sum(which)));
  };
  single(kItemErrors, "consentd_batch_item_errors_total", "Batch items that got an error in place of an answer.");
  single(kUnknownRegions, "consentd_unknown_regions_total",
         "Recordings whose region of capture is a code that nobody assigns: answered as from an unknown region.");
  CollectCalls(&families);
  CollectCallers(&families);
  CollectDecisions(&families);
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  return families;
}

}  // namespace consent::ops
