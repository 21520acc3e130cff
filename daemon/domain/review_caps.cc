#include "daemon/domain/review_caps.h"

#include <algorithm>
#include <limits>

#include "daemon/base/month.h"

namespace consent::domain {
namespace {

constexpr uint64_t kAny = std::numeric_limits<uint64_t>::max();

// Rounded down: one part of a population too small for it is none.
uint64_t PartOf(uint64_t population, uint32_t parts_per_million) {
  if (parts_per_million >= kWholePopulation) return kAny;
  return population / kWholePopulation * parts_per_million +
         population % kWholePopulation * parts_per_million / kWholePopulation;
}

// When the window of `now` begins; a shift begins at once.
Instant WindowAt(CapKind kind, Instant now) {
  if (kind == CapKind::kReviewer) return now;
  base::Date day{static_cast<int32_t>(now.micros / base::Days(1).micros)};
  if (kind == CapKind::kRate) base::ParseDate(base::Month::Of(now).ToText() + "-01", &day);
  return Instant{base::Days(day.days).micros};
}

}  // namespace

Region RateRegion(const SubjectFacts* subject, const RecordingFacts& recording) {
  if (recording.has_region) return recording.region.Country();
  return subject != nullptr ? subject->region.Country() : Region{};
}

uint32_t PartsPerMillion(const ReviewCaps& caps, Region country) {
  uint32_t elsewhere = 0;
  for (const ReviewRate& rate : caps.rates) {
    if (rate.country == country) return rate.parts_per_million;
    if (!rate.country.IsSet()) elsewhere = rate.parts_per_million;
  }
  return elsewhere;
}

uint64_t LimitOf(const ReviewCaps& caps, CapKind kind, Region country, const GrantCounts& counts) {
  switch (kind) {
    case CapKind::kRate:
      return PartOf(counts.population, PartsPerMillion(caps, country));
    case CapKind::kDay:
      return caps.per_day;
    case CapKind::kSelection:
      return caps.per_selection_day[static_cast<size_t>(counts.selection) - 1];
    case CapKind::kSite:
      return caps.per_site_day;
    case CapKind::kReviewer:
      return caps.per_reviewer_shift;
    case CapKind::kAccount:
      return caps.per_account;
  }
  return 0;
}

CapCounter CounterAt(CapKind kind, const CapCounter& counter, Instant now) {
  const Instant window = WindowAt(kind, now);
  const bool goes_on =
      kind == CapKind::kReviewer ? counter.since.IsSet() && now < counter.since + kShift : counter.since >= window;
  return goes_on ? counter : CapCounter{window, 0};
}

uint64_t BlockOf(uint64_t room) {
  constexpr uint64_t kMost = 64;
  constexpr uint64_t kPart = 32;
  return std::clamp<uint64_t>(room / kPart, 1, kMost);
}

bool IsCapSpent(const ReviewCaps& caps, Region country, const GrantCounts& counts) {
  for (size_t kind = 0; kind < kCapKinds; ++kind) {
    if (counts.given[kind] >= LimitOf(caps, static_cast<CapKind>(kind), country, counts)) return true;
  }
  return false;
}

}  // namespace consent::domain
