// What a scrape shows of calls and checks.
#include <algorithm>
#include <array>
#include <utility>

#include "daemon/base/names.h"
#include "daemon/ops/families.h"
#include "daemon/ops/metrics.h"

namespace consent::ops {
namespace {

using domain::Disposition;
using domain::Eligibility;
using domain::Reason;
using prometheus::MetricType;

// go-grpc-prometheus has the kind of call in a label; all of ours have one request and one answer.
constexpr char kUnary[] = "unary";

// The labels of a method as grpc-ecosystem names them.
struct MethodLabels {
  std::string service;
  std::string method;
};
MethodLabels LabelsOf(std::string_view method) {
  const size_t slash = method.find('/');
  if (slash == std::string_view::npos) return {"unknown", "unknown"};
  return {std::string(method.substr(0, slash)), std::string(method.substr(slash + 1))};
}

// What an error of ours can be answered with (errors.proto). Any other code is shown once it was.
constexpr std::array kAnsweredCodes = {absl::StatusCode::kOk,
                                       absl::StatusCode::kInvalidArgument,
                                       absl::StatusCode::kNotFound,
                                       absl::StatusCode::kAlreadyExists,
                                       absl::StatusCode::kPermissionDenied,
                                       absl::StatusCode::kResourceExhausted,
                                       absl::StatusCode::kFailedPrecondition,
                                       absl::StatusCode::kAborted,
                                       absl::StatusCode::kInternal,
                                       absl::StatusCode::kUnavailable};

// A read conflicts with nothing: it is never answered with these.
constexpr std::array kOfChangesAlone = {absl::StatusCode::kAlreadyExists, absl::StatusCode::kAborted};

bool IsShown(size_t code, uint64_t count, bool is_read) {
  const auto is_among = [code](const auto& codes) {
    return std::find(codes.begin(), codes.end(), static_cast<absl::StatusCode>(code)) != codes.end();
  };
  return count != 0 || (is_among(kAnsweredCodes) && !(is_read && is_among(kOfChangesAlone)));
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

// Whether the rule can give that answer with that first reason.
bool CanBe(bool for_purpose, Eligibility eligibility, Disposition disposition, Reason reason) {
  const bool purges = reason >= Reason::kDeleted && reason <= Reason::kPurposeEnded;
  const bool holds = reason == Reason::kLegalHold || reason == Reason::kSafetyHold;
  if (!for_purpose) {
    if (eligibility != Eligibility::kNotAnswered) return false;
    return (disposition == Disposition::kKeep && reason == Reason::kNone) ||
           (disposition == Disposition::kHold && holds) || (disposition == Disposition::kPurge && purges);
  }
  const bool allows = reason == Reason::kConsent || reason == Reason::kDefault;
  if (allows) return eligibility == Eligibility::kEligible && disposition == Disposition::kKeep;
  if (eligibility != Eligibility::kNotEligible || reason == Reason::kNone) return false;
  switch (disposition) {
    case Disposition::kHold:
      return holds;
    case Disposition::kPurge:
      return purges;
    case Disposition::kKeep:
      // These are never eligible before they are purged, or where only that can be told.
      return !holds && (!purges || reason == Reason::kDeleted || reason == Reason::kAccountClosed ||
                        reason == Reason::kRetentionExpired || reason == Reason::kChildInactive);
    case Disposition::kNotAnswered:
      break;
  }
  return false;
}

}  // namespace

std::string Metrics::CallerName(size_t caller) const {
  const std::string* const name = caller_names_.At(caller);
  return name == nullptr ? base::kOtherCallers : *name;
}

bool Metrics::MayCheck(size_t caller) const {
  const std::string* const name = caller_names_.At(caller);
  return name != nullptr && std::any_of(expected_.callers.begin(), expected_.callers.end(),
                                        [name](const auto& one) { return one.may_check && one.name == *name; });
}

bool Metrics::IsExpectedRegime(size_t regime) const {
  const std::string* const name = regime_names_.At(regime);
  return name != nullptr &&
         std::find(expected_.regimes.begin(), expected_.regimes.end(), *name) != expected_.regimes.end();
}

void Metrics::CollectCalls(std::vector<prometheus::MetricFamily>* families) const {
  prometheus::MetricFamily started = Family("grpc_server_started_total", "Calls that were begun.", MetricType::Counter);
  prometheus::MetricFamily latency =
      Family("grpc_server_handling_seconds",
             "Time from a request's arrival in its handler until its reply is handed over.", MetricType::Histogram);
  prometheus::MetricFamily calls =
      Family("grpc_server_handled_total", "Calls that were answered, by gRPC status code.", MetricType::Counter);
  for (size_t method = 0; method <= methods_.size(); ++method) {
    std::array<uint64_t, kLatencyCells> cells{};
    // In this order, so that no call is answered and not begun.
    for (size_t i = 0; i < kLatencyCells; ++i) cells[i] = latency_.Sum(method * kLatencyCells + i);
    std::array<uint64_t, kCodes> codes{};
    for (size_t code = 0; code < kCodes; ++code) codes[code] = codes_.Sum(method * kCodes + code);
    const uint64_t begun = started_.Sum(method);
    const bool is_seen =
        begun != 0 || std::any_of(codes.begin(), codes.end(), [](uint64_t count) { return count != 0; });
    if (method == methods_.size() && !is_seen) continue;
    const MethodLabels labels = LabelsOf(method < methods_.size() ? methods_[method] : std::string_view());
    AddValue(&started, {{"grpc_type", kUnary}, {"grpc_service", labels.service}, {"grpc_method", labels.method}},
             static_cast<double>(begun));
    prometheus::ClientMetric::Histogram histogram = ToHistogram(cells);
    if (histogram.sample_count != 0) {
      prometheus::ClientMetric& metric = latency.metric.emplace_back();
      metric.label = {{"grpc_type", kUnary}, {"grpc_service", labels.service}, {"grpc_method", labels.method}};
      metric.histogram = std::move(histogram);
    }
    for (size_t code = 0; code < kCodes; ++code) {
      if (!IsShown(code, codes[code], method < reads_.size() && reads_[method])) continue;
      AddValue(&calls,
               {{"grpc_type", kUnary},
                {"grpc_service", labels.service},
                {"grpc_method", labels.method},
                {"grpc_code", GrpcCode(static_cast<absl::StatusCode>(code))}},
               static_cast<double>(codes[code]));
    }
  }
  families->push_back(std::move(started));
  families->push_back(std::move(latency));
  families->push_back(std::move(calls));
}

void Metrics::CollectCallers(std::vector<prometheus::MetricFamily>* families) const {
  prometheus::MetricFamily family =
      Family("consentd_caller_calls_total", "Calls by caller and gRPC status code.", MetricType::Counter);
  for (size_t caller = 0; caller <= kMaxCallers; ++caller) {
    if (caller_names_.At(caller) == nullptr && !(caller == kMaxCallers && caller_names_.IsFull())) continue;
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = callers_.Sum(caller * kCodes + code);
      if (!IsShown(code, count, false)) continue;
      AddValue(&family, {{"caller", CallerName(caller)}, {"grpc_code", GrpcCode(static_cast<absl::StatusCode>(code))}},
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
    const size_t outcome = cell / domain::kReasons % kOutcomes;
    const auto purpose = static_cast<domain::Purpose>(cell / domain::kReasons / kOutcomes);
    const auto eligibility = static_cast<Eligibility>(outcome / 4);
    const auto disposition = static_cast<Disposition>(outcome % 4);
    const auto reason = static_cast<Reason>(cell % domain::kReasons);
    const bool for_purpose = purpose != domain::Purpose::kNone;
    const bool is_asked = expected_.purposes.Has(purpose) || (!for_purpose && !expected_.purposes.Empty());
    const uint64_t count = decisions_.Sum(cell);
    if (count == 0 && !(is_asked && CanBe(for_purpose, eligibility, disposition, reason))) continue;
    AddValue(&family,
             {{"purpose", Label(purpose)},
              {"eligibility", Label(eligibility)},
              {"disposition", Label(disposition)},
              {"reason", Label(reason)}},
             static_cast<double>(count));
  }
  families->push_back(std::move(family));
}

void Metrics::CollectAsked(std::vector<prometheus::MetricFamily>* families) const {
  prometheus::MetricFamily asked =
      Family("consentd_asked_total",
             "Recordings asked about for a purpose by caller, purpose, regime of the subject and answer.",
             MetricType::Counter);
  prometheus::MetricFamily missing = Family(
      "consentd_missing_facts_total", "Facts that recordings lacked when they were asked about.", MetricType::Counter);
  for (size_t caller = 0; caller <= kMaxCallers; ++caller) {
    const bool may_check = MayCheck(caller);
    for (size_t purpose = 1; purpose < kPurposeCells; ++purpose) {
      const bool is_used = may_check && expected_.purposes.Has(static_cast<domain::Purpose>(purpose));
      for (size_t regime = 0; regime < kRegimeCells; ++regime) {
        const size_t cell = AskedCell(caller, purpose, regime);
        const uint64_t yes = asked_.Sum(cell);
        const uint64_t no = asked_.Sum(cell + 1);
        if (yes == 0 && no == 0 && !(is_used && IsExpectedRegime(regime))) continue;
        const std::string* const name = regime_names_.At(regime);
        for (const auto& [eligibility, count] :
             {std::pair{Eligibility::kEligible, yes}, std::pair{Eligibility::kNotEligible, no}}) {
          AddValue(&asked,
                   {{"caller", CallerName(caller)},
                    {"purpose", Label(static_cast<domain::Purpose>(purpose))},
                    {"regime", name == nullptr ? "other" : *name},
                    {"eligibility", Label(eligibility)}},
                   static_cast<double>(count));
        }
      }
    }
    for (size_t fact = 1; fact < domain::kMissingFacts; ++fact) {
      const uint64_t count = missing_.Sum(caller * domain::kMissingFacts + fact);
      if (count == 0 && !may_check) continue;
      AddValue(&missing, {{"caller", CallerName(caller)}, {"fact", Label(static_cast<domain::MissingFact>(fact))}},
               static_cast<double>(count));
    }
  }
  families->push_back(std::move(asked));
  families->push_back(std::move(missing));
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
  CollectAsked(&families);
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  return families;
}

}  // namespace consent::ops
