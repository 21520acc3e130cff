#include "daemon/ops/metrics.h"

#include <algorithm>
#include <array>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "daemon/ops/families.h"

namespace consent::ops {
namespace {

constexpr int kFlags = 4;
constexpr int kChannels = 7;  // none, and those of the protos

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

template <typename F>
void ForEachChannel(F f) {
  for (int channel = 0; channel < kChannels; ++channel) f(Label(static_cast<domain::Channel>(channel)));
}

// "consent.v1.EligibilityService/Check": the protos say that it has no side effects. False for what they do not know.
bool IsRead(std::string method) {
  std::replace(method.begin(), method.end(), '/', '.');
  const auto* const descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(method);
  return descriptor != nullptr &&
         descriptor->options().idempotency_level() == google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
}

std::vector<bool> Reads(const std::vector<std::string>& methods) {
  std::vector<bool> reads;
  reads.reserve(methods.size());
  for (const std::string& method : methods) reads.push_back(IsRead(method));
  return reads;
}

}  // namespace

Metrics::Metrics(std::vector<std::string> methods, MetricRegistry& registry)
    : methods_([&methods] {
        methods.resize(std::min(methods.size(), kMaxMethods));
        return std::move(methods);
      }()),
      reads_(Reads(methods_)),
      changes_(registry.Events("consentd_changes_total", "Acknowledged writes by kind of request and channel.",
                               {"kind", "channel"})),
      choices_(registry.Events("consentd_choices_total",
                               "Choices in acknowledged writes by control (or purpose, or all), choice and result.",
                               {"control", "choice", "result"})),
      opt_outs_(registry.Events("consentd_opt_outs_total",
                                "Acknowledged writes that turned something off which was not off before, by channel.",
                                {"channel"})),
      parts_(registry.Events("consentd_change_parts_total", "Parts of acknowledged writes by result.", {"result"})),
      registrations_(registry.Events("consentd_registrations_total", "Subjects registered.")),
      flags_(registry.Events("consentd_flags_reported_total", "Flags reported of recordings.", {"flag"})) {
  for (const char* result : {"changed", "unchanged", "refused"}) parts_.Add({result}, 0);
  for (int flag = 0; flag < kFlags; ++flag) flags_.Add({FlagLabel(flag)}, 0);
  registrations_.Add({}, 0);
  ForEachChannel([this](const std::string& channel) {
    opt_outs_.Add({channel}, 0);
    for (int kind = 1; kind <= static_cast<int>(service::kLastOfHistory); ++kind) {
      if (proto::EnumName<v1::ChangeKind>(kind).empty()) continue;  // a number that is not in use
      changes_.Add({Label(static_cast<service::ChangeKind>(kind)), channel}, 0);
    }
  });
}

size_t Metrics::MethodIndex(std::string_view method) const {
  size_t index = 0;
  while (index < methods_.size() && methods_[index] != method) ++index;
  return index;
}

void Metrics::OnStarted(std::string_view method) { started_.Add(MethodIndex(method)); }

void Metrics::OnCall(const rpc::CallSeen& call) {
  const size_t method = MethodIndex(call.method);
  const int64_t nanoseconds = std::max<int64_t>(call.latency.count(), 0);
  latency_.Add(method * kLatencyCells + LatencyCell(nanoseconds));
  latency_.Add(method * kLatencyCells + kLatencySum, static_cast<uint64_t>(nanoseconds));
  const auto code = static_cast<size_t>(call.code);
  const size_t known = code < kCodes ? code : static_cast<size_t>(absl::StatusCode::kUnknown);
  codes_.Add(method * kCodes + known);
  callers_.Add(caller_names_.IndexOf(call.caller) * kCodes + known);
}

void Metrics::OnDecisions(const rpc::DecisionsSeen& decisions) {
  const size_t outcome = Index(decisions.eligibility, 3) * 4 + Index(decisions.disposition, 4);
  decisions_.Add((Index(decisions.purpose, kPurposeCells) * kOutcomes + outcome) * domain::kReasons +
                     Index(decisions.reason, domain::kReasons),
                 decisions.count);
}

void Metrics::OnAsked(const rpc::AskedSeen& asked) {
  const size_t cell = AskedCell(caller_names_.IndexOf(asked.caller), Index(asked.purpose, kPurposeCells),
                                regime_names_.IndexOf(asked.regime));
  if (asked.eligible != 0) asked_.Add(cell, asked.eligible);
  if (asked.not_eligible != 0) asked_.Add(cell + 1, asked.not_eligible);
}

void Metrics::OnMissingFact(std::string_view caller, domain::MissingFact fact, uint32_t count) {
  missing_.Add(caller_names_.IndexOf(caller) * domain::kMissingFacts + Index(fact, domain::kMissingFacts), count);
}

void Metrics::OnItemErrors(uint32_t count) { singles_.Add(kItemErrors, count); }

void Metrics::OnUnknownRegions(uint32_t count) { singles_.Add(kUnknownRegions, count); }

void Metrics::OnChange(const rpc::ChangeSeen& change) {
  changes_.Add({Label(change.kind), Label(change.channel)});
  if (change.opted_out) opt_outs_.Add({Label(change.channel)});
  if (change.registered_now) registrations_.Add({});
  if (change.parts_changed != 0) parts_.Add({"changed"}, change.parts_changed);
  if (change.parts_unchanged != 0) parts_.Add({"unchanged"}, change.parts_unchanged);
  if (change.parts_refused != 0) parts_.Add({"refused"}, change.parts_refused);
  for (int flag = 0; flag < kFlags; ++flag) {
    if ((change.flags >> flag & 1) != 0) flags_.Add({FlagLabel(flag)});
  }
}

void Metrics::OnChoice(const rpc::ChoiceSeen& choice) {
  choices_.Add({TargetOf(choice), choice.on ? "on" : "off", ResultOf(choice)});
}

void Metrics::Expect(ExpectedLabels labels) {
  if (labels == expected_) return;
  for (const ExpectedLabels::Caller& caller : labels.callers) (void)caller_names_.IndexOf(caller.name);
  for (const std::string& regime : labels.regimes) (void)regime_names_.IndexOf(regime);
  std::vector<std::string> targets = labels.controls;
  targets.emplace_back("all");
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (labels.purposes.Has(purpose)) targets.push_back(Label(purpose));
  }
  for (const std::string& target : targets) {
    for (const char* choice : {"on", "off"}) {
      for (const char* result : {"changed", "unchanged", "refused"}) choices_.Add({target, choice, result}, 0);
    }
  }
  expected_ = std::move(labels);
}

}  // namespace consent::ops
