// Chance that replays: the same seed gives the same throws with every compiler.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

namespace consent::model {

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  uint64_t Below(uint64_t n) { return engine_() % n; }
  bool Chance(double p) { return static_cast<double>(engine_() >> 11) < p * 9007199254740992.0; }
  template <typename T>
  T Pick(std::initializer_list<T> from) {
    return from.begin()[Below(from.size())];
  }
  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace consent::model
