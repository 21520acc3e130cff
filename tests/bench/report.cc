#include "tests/bench/report.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace consent::bench {
namespace {

std::vector<double> Ratios(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) ratios.push_back(b[i] > 0 ? a[i] / b[i] : 0);
  return ratios;
}

const char* Verdict(bool met) { return met ? "met" : "MISSED"; }

void PrintSide(const Side& side, double items) {
  std::printf("  %-10s %12.0f/s", side.name.c_str(), Median(side.rates));
  if (items > 1) std::printf("  (%.0f items/s)", Median(side.rates) * items);
  std::printf("  p50 %.0f us  p99 %.0f us  p99.9 %.0f us  server %.2f us/call  client %.2f us/call\n",
              side.latencies.Quantile(0.5), side.latencies.Quantile(0.99), side.latencies.Quantile(0.999),
              Median(side.server_cpu), Median(side.client_cpu));
}

struct Bound {
  double target = 0;  // 0: none
  bool at_most = false;
};

void PrintValue(const char* what, double value, const std::vector<double>& rounds, const Bound& bound) {
  std::printf("  %-16s %10.2f", what, value);
  if (!rounds.empty()) {
    const auto [least, most] = std::minmax_element(rounds.begin(), rounds.end());
    std::printf("  (rounds %.2f to %.2f)", *least, *most);
  }
  const bool met = bound.at_most ? value <= bound.target : value >= bound.target;
  if (bound.target != 0) std::printf("  target %s %.2f  %s", bound.at_most ? "<=" : ">=", bound.target, Verdict(met));
  std::printf("\n");
}

void Json(const Side& side, std::ostream& out) {
  out << "{\"name\":\"" << side.name << "\",\"rate\":" << Median(side.rates)
      << ",\"p50_us\":" << side.latencies.Quantile(0.5) << ",\"p99_us\":" << side.latencies.Quantile(0.99)
      << ",\"p999_us\":" << side.latencies.Quantile(0.999) << ",\"server_cpu_us\":" << Median(side.server_cpu)
      << ",\"client_cpu_us\":" << Median(side.client_cpu) << ",\"rates\":[";
  for (size_t i = 0; i < side.rates.size(); ++i) out << (i == 0 ? "" : ",") << side.rates[i];
  out << "]}";
}

}  // namespace

void Side::Add(const LoopResult& result) {
  const auto calls = static_cast<double>(std::max<uint64_t>(result.calls, 1));
  rates.push_back(static_cast<double>(result.calls) / result.seconds);
  server_cpu.push_back(result.server_cpu / calls * 1e6);
  client_cpu.push_back(result.client_cpu / calls * 1e6);
  latencies.Merge(result.latencies);
}

double Comparison::RateRatio() const { return Median(Ratios(daemon.rates, opponent.rates)); }
double Comparison::CpuRatio() const { return Median(Ratios(daemon.server_cpu, opponent.server_cpu)); }

void Report::Print() const {
  std::printf("\n%llu subjects\n", static_cast<unsigned long long>(subjects));
  for (const Figure& figure : figures) {
    std::printf("  %-52s %14.1f %s", figure.name.c_str(), figure.value, figure.unit.c_str());
    const bool met = figure.at_most ? figure.value <= figure.target : figure.value >= figure.target;
    if (figure.target != 0) {
      std::printf("  target %s %.0f  %s", figure.at_most ? "<=" : ">=", figure.target, Verdict(met));
    }
    std::printf("\n");
  }
  for (const Comparison& comparison : comparisons) {
    std::printf("\n%s, %zu rounds\n", comparison.name.c_str(), comparison.daemon.rates.size());
    PrintSide(comparison.daemon, comparison.items);
    PrintSide(comparison.opponent, comparison.items);
    PrintValue("rate ratio", comparison.RateRatio(), Ratios(comparison.daemon.rates, comparison.opponent.rates),
               {comparison.target_rate, false});
    PrintValue("server CPU ratio", comparison.CpuRatio(),
               Ratios(comparison.daemon.server_cpu, comparison.opponent.server_cpu), {comparison.target_cpu, true});
    if (comparison.target_items_rate != 0) {
      PrintValue("items a second", Median(comparison.daemon.rates) * comparison.items, {},
                 {comparison.target_items_rate, false});
    }
  }
  std::fflush(stdout);
}

bool Report::WriteJson(const std::string& path) const {
  std::ofstream out(path);
  out << "{\"subjects\":" << subjects << ",\"figures\":[";
  for (size_t i = 0; i < figures.size(); ++i) {
    const Figure& figure = figures[i];
    out << (i == 0 ? "" : ",") << "{\"name\":\"" << figure.name << "\",\"unit\":\"" << figure.unit
        << "\",\"value\":" << figure.value << ",\"target\":" << figure.target
        << ",\"at_most\":" << (figure.at_most ? "true" : "false") << "}";
  }
  out << "],\"comparisons\":[";
  for (size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& comparison = comparisons[i];
    out << (i == 0 ? "" : ",") << "{\"name\":\"" << comparison.name << "\",\"items\":" << comparison.items
        << ",\"rate_ratio\":" << comparison.RateRatio() << ",\"rate_target\":" << comparison.target_rate
        << ",\"cpu_ratio\":" << comparison.CpuRatio() << ",\"cpu_target\":" << comparison.target_cpu
        << ",\"items_rate_target\":" << comparison.target_items_rate << ",\"sides\":[";
    Json(comparison.daemon, out);
    out << ",";
    Json(comparison.opponent, out);
    out << "]}";
  }
  out << "]}\n";
  return out.good();
}

}  // namespace consent::bench
