#include "daemon/ops/families.h"

#include "absl/strings/ascii.h"

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

std::string LabelOf(int number, std::string_view name) {
  if (number == 0) return "none";
  return name.empty() ? "unknown" : absl::AsciiStrToLower(absl::string_view(name.data(), name.size()));
}

std::string Label(absl::StatusCode code) {
  const std::string name = absl::StatusCodeToString(code);
  return name.empty() ? "unknown" : absl::AsciiStrToLower(name);
}

}  // namespace consent::ops
