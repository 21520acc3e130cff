// The table on standard output and the JSON file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/bench/closed_loop.h"

namespace consent::bench {

// One side over all rounds.
struct Side {
  std::string name;
  std::vector<double> rates;       // per second, of each round
  std::vector<double> server_cpu;  // microseconds for each call
  std::vector<double> client_cpu;
  Latencies latencies;  // of all rounds
  void Add(const LoopResult& result);
};

// consentd against its opponent.
struct Comparison {
  std::string name;
  double items = 1;  // of each call
  Side daemon, opponent;
  double target_rate = 0;        // daemon / opponent, at least; 0: none
  double target_cpu = 0;         // daemon / opponent, at most; 0: none
  double target_items_rate = 0;  // items a second, at least; 0: none

  double RateRatio() const;  // median over the rounds' ratios
  double CpuRatio() const;
};

// A figure with a bound of its own.
struct Figure {
  std::string name;
  std::string unit;
  double value = 0;
  double target = 0;  // 0: none
  bool at_most = true;
};

struct Report {
  uint64_t subjects = 0;
  std::vector<Figure> figures;
  std::vector<Comparison> comparisons;

  void Print() const;
  bool WriteJson(const std::string& path) const;
};

}  // namespace consent::bench
