// Which cases a run looks at. CONSENT_TEST_SEED: the first seed, to replay; CONSENT_TEST_CASES: how many in all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace consent::model {

inline uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

// How many cases: CONSENT_TEST_CASES, else the default, of which CONSENT_TEST_MOST_CASES leaves no more. Those that are
// slow one by one are also divided by CONSENT_SIMULATION_SHARE.
inline uint64_t CasesFromEnvironment(uint64_t cases_by_default) {
  return FromEnvironment("CONSENT_TEST_CASES",
                         std::min(cases_by_default, FromEnvironment("CONSENT_TEST_MOST_CASES", UINT64_MAX)));
}
inline uint64_t SlowCasesFromEnvironment(uint64_t cases_by_default) {
  return FromEnvironment("CONSENT_TEST_CASES",
                         std::max<uint64_t>(1, cases_by_default / FromEnvironment("CONSENT_SIMULATION_SHARE", 1)));
}

// What a test must have met on its way, and in which part of its cases, is asked of a run of as many as usual alone: of
// fewer, chance decides.
inline bool IsWholeRun(uint64_t cases, uint64_t cases_by_default) { return cases >= cases_by_default; }

// Seeds [first, last), for a range-for too.
struct SeedRange {
  struct Iterator {
    uint64_t operator*() const { return seed; }
    Iterator& operator++() { return ++seed, *this; }
    bool operator==(const Iterator&) const = default;
    uint64_t seed;
  };
  [[nodiscard]] Iterator begin() const { return {first}; }
  [[nodiscard]] Iterator end() const { return {last}; }
  uint64_t first = 0;
  uint64_t last = 0;
  bool whole = false;  // of a whole run
};
// As many as CasesFromEnvironment or SlowCasesFromEnvironment says, from CONSENT_TEST_SEED on.
inline SeedRange SeedRangeOf(uint64_t cases, uint64_t cases_by_default) {
  const uint64_t first = FromEnvironment("CONSENT_TEST_SEED", 1);
  return {first, first + cases, IsWholeRun(cases, cases_by_default)};
}
inline SeedRange Seeds(uint64_t cases_by_default) {
  return SeedRangeOf(CasesFromEnvironment(cases_by_default), cases_by_default);
}
inline SeedRange SlowSeeds(uint64_t cases_by_default) {
  return SeedRangeOf(SlowCasesFromEnvironment(cases_by_default), cases_by_default);
}
// Those of one of `chunks` equal parts.
inline SeedRange SeedsOfChunk(uint64_t chunk, uint64_t chunks, uint64_t cases_by_default) {
  const SeedRange all = Seeds(cases_by_default);
  const uint64_t cases = all.last - all.first;
  return {all.first + cases * chunk / chunks, all.first + cases * (chunk + 1) / chunks, all.whole};
}

}  // namespace consent::model
