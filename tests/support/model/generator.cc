#include "tests/support/model/generator.h"

#include <algorithm>

#include "tests/support/model/lookups.h"

namespace consent::model {

using domain::Purpose;
using domain::Span;

namespace {

// SplitMix64, so that neighbouring seeds give unlike cases.
uint64_t Scatter(uint64_t seed) {
  uint64_t z = seed + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

Instant SomeNow(Dice& dice) {
  // The last of a long month, a leap day's last instant, noon on a first, the turn of a year, and an instant like any
  // other.
  static const std::vector<Instant> nows = [] {
    std::vector<Instant> parsed;
    for (const char* text : {"2026-03-31T10:00:00Z", "2024-02-29T23:59:59.999999Z", "2025-07-01T12:00:00Z",
                             "2026-01-01T00:00:00Z", "2025-11-17T08:31:07.123456Z"}) {
      Instant instant;
      base::ParseRfc3339(text, &instant);
      parsed.push_back(instant);
    }
    return parsed;
  }();
  return dice.Pick(nows);
}

// At one of the borders, or one microsecond before or after it.
Instant Beside(Dice& dice, const std::vector<Instant>& borders) {
  return dice.Pick(borders) + base::Microseconds(static_cast<int64_t>(dice.Below(3)) - 1);
}

void SetTimes(Weather& weather, Case* c) {
  Dice& dice = weather.dice;
  domain::RecordingFacts& recording = c->recording;
  recording.captured_at = weather.Recently();
  if (dice.Chance(0.4)) {
    const std::vector<Instant> borders = CaptureBorders(*c);
    if (!borders.empty()) recording.captured_at = Beside(dice, borders);
  } else if (dice.Chance(0.2)) {
    recording.captured_at = weather.Ago();
  }
  if (weather.Dirty() && dice.Chance(0.3)) recording.captured_at = Instant();
  if (weather.Dirty() && dice.Chance(0.3)) {
    recording.captured_at = Beside(dice, {c->rules.service_began_at, weather.now + base::Days(400)});
  }
  const Span uncertainty = recording.has_uncertainty ? recording.uncertainty : c->rules.default_uncertainty;
  switch (dice.Below(8)) {
    case 0:
      recording.ingested_at = recording.captured_at;
      break;
    case 1:
      recording.ingested_at = weather.Near(recording.captured_at + base::Seconds(30));
      break;
    case 2:
      recording.ingested_at = weather.Near(recording.captured_at - uncertainty);
      break;
    case 4:
      recording.ingested_at = dice.Chance(0.5) ? weather.Ago() : weather.Recently();
      if (weather.Dirty()) recording.ingested_at = Beside(dice, {c->rules.service_began_at});
      break;
    case 3:
      recording.ingested_at = weather.Dirty() ? weather.now + base::Hours(1) : weather.now;
      break;
    default:
      break;
  }
  if (dice.Chance(0.2)) {
    const std::vector<Instant> borders = NowBorders(*c);
    if (!borders.empty()) c->now = Beside(dice, borders);
  }
}

// Somebody reported of a few that a person may be in danger: the hold of most begins or ends about when the case asks.
void ReportSafety(Weather& weather, Case* c) {
  Dice& dice = weather.dice;
  c->rules.safety.hold = dice.Pick({Span(), base::Microseconds(1), base::Hours(1), base::Hours(72), base::Days(30)});
  if (!dice.Chance(0.06)) return;
  if (!weather.Dirty()) c->marks.flags = static_cast<uint8_t>(c->marks.flags | domain::Flags::kSafety);
  c->marks.safety_since = dice.Chance(0.3) ? weather.Recently() : Beside(dice, {c->now});
  if (dice.Chance(0.5)) c->marks.safety_since = Beside(dice, {c->now - c->lag - c->rules.safety.hold});
}

// Half of the caps have room for one more at most, or are just spent.
uint64_t GivenBeside(Dice& dice, uint64_t limit) {
  return dice.Chance(0.5) ? dice.Below(limit + 1) : limit - std::min<uint64_t>(limit, 1) + dice.Below(3);
}

domain::ReviewCaps MakeCaps(Weather& weather, Purpose purpose) {
  Dice& dice = weather.dice;
  domain::ReviewCaps caps;
  caps.purpose = purpose;
  const auto parts = [&] { return dice.Pick({1U, 2'000U, 999'999U, 1'000'000U}); };
  if (!weather.Dirty()) caps.rates.push_back({domain::Region(), parts()});
  for (uint64_t i = dice.Below(3); i > 0; --i) {
    const domain::Region country = MakeRegion(weather).Country();
    const bool is_new = std::none_of(caps.rates.begin(), caps.rates.end(),
                                     [&](const domain::ReviewRate& rate) { return rate.country == country; });
    if (is_new) caps.rates.push_back({country, parts()});
  }
  const auto limit = [&] { return 1 + dice.Below(dice.Chance(0.5) ? 3 : 200); };
  caps.per_day = limit();
  for (uint64_t& of_selection : caps.per_selection_day) of_selection = limit();
  caps.per_site_day = limit();
  caps.per_reviewer_shift = limit();
  caps.per_account = limit();
  return caps;
}

// A grant is asked for, by half of the cases.
void AskForGrant(Weather& weather, Case* c) {
  Dice& dice = weather.dice;
  for (const Purpose purpose : domain::kAllPurposes) {
    if (!weather.Dirty()) c->rules.review_caps.push_back(MakeCaps(weather, purpose));
  }
  if (!dice.Chance(0.5)) return;
  domain::GrantCounts counts;
  counts.selection = static_cast<domain::Selection>(1 + dice.Below(domain::kSelections));
  counts.population = dice.Pick<uint64_t>({0, 1, 499, 500, 501, 1'000, 1'000'000, 5'000'000'000'000});
  const domain::ReviewCaps* caps = nullptr;
  for (const domain::ReviewCaps& of : c->rules.review_caps) {
    if (of.purpose == c->purpose) caps = &of;
  }
  c->grants = counts;
  if (caps == nullptr) return;
  auto& given = c->grants->given;
  const auto set = [&](domain::CapKind kind, uint64_t limit) {
    given[static_cast<size_t>(kind)] = weather.Dirty() ? GivenBeside(dice, limit) : dice.Below(limit);
  };
  set(domain::CapKind::kDay, caps->per_day);
  set(domain::CapKind::kSelection, caps->per_selection_day[static_cast<size_t>(counts.selection) - 1]);
  set(domain::CapKind::kSite, caps->per_site_day);
  set(domain::CapKind::kReviewer, caps->per_reviewer_shift);
  set(domain::CapKind::kAccount, caps->per_account);
  const uint64_t parts = caps->rates.empty() ? 0 : dice.Pick(caps->rates).parts_per_million;
  const uint64_t of_rate = counts.population / 1'000'000 * parts + counts.population % 1'000'000 * parts / 1'000'000;
  given[static_cast<size_t>(domain::CapKind::kRate)] = GivenBeside(dice, of_rate);
}

}  // namespace

Case Generate(uint64_t seed) {
  Dice dice(Scatter(seed));
  Weather weather{dice, dice.Pick({0.003, 0.01, 0.04, 0.3}), SomeNow(dice)};
  Case c;
  c.seed = seed;
  c.now = weather.now;
  c.purpose = Purpose::kHumanReview;
  if (dice.Chance(0.5)) c.purpose = domain::kAllPurposes[dice.Below(domain::kPurposes)];
  if (dice.Chance(0.08)) c.purpose = Purpose::kNone;
  c.rules = MakeRules(weather);
  c.subject = MakeSubject(weather, c.rules, c.purpose);
  c.known = !(weather.Dirty() && dice.Chance(0.3));
  c.marks = MakeMarks(weather);
  c.recording = MakeRecording(weather, c.subject, c.purpose);
  c.place = MakePlace(weather);
  SetTimes(weather, &c);
  if (dice.Chance(0.15)) c.lag = dice.Pick({base::Microseconds(1), base::Seconds(1), base::Hours(1), base::Days(6)});
  c.doubtful = weather.Dirty() && dice.Chance(0.3);
  c.behind = weather.Dirty() && dice.Chance(0.3);
  ReportSafety(weather, &c);
  AskForGrant(weather, &c);
  return c;
}

namespace {

// Real times only; a border far in the future is of no use as a time of capture or of asking.
void Keep(std::vector<Instant>* borders, Instant t) {
  if (t.IsSet() && t > Instant{0} && t < base::kLastInstant) borders->push_back(t);
}

void Around(std::vector<Instant>* borders, Instant t, Span uncertainty) {
  Keep(borders, t);
  if (!t.IsSet()) return;
  Keep(borders, t - uncertainty);
  Keep(borders, t + uncertainty);
}

std::vector<Instant> TimesOfAdulthood(const Case& c, const domain::ScopeFacts& scope) {
  std::vector<Instant> times;
  if (scope.kind != domain::ScopeKind::kProfile) return times;
  std::vector<domain::AgeOfConsent> ages = {c.rules.default_age_of_consent};
  for (const auto& [country, consent] : c.rules.ages_of_consent) ages.push_back(consent);
  for (const domain::AgeOfConsent& consent : ages) {
    for (const domain::AgeOfConsent::Step& step : consent.steps()) {
      if (step.from.IsSet()) times.push_back(step.from);
      const auto grown = ComesOfAge(scope.age, step.years);
      if (grown.has_value() && *grown != kAlways) times.push_back(*grown);
    }
  }
  return times;
}

}  // namespace

std::vector<Instant> CaptureBorders(const Case& c) {
  std::vector<Instant> borders;
  const Span u = c.recording.has_uncertainty ? c.recording.uncertainty : c.rules.default_uncertainty;
  const size_t asked = c.purpose == Purpose::kNone ? 0 : static_cast<size_t>(c.purpose) - 1;
  for (const domain::ScopeFacts& scope : c.subject.scopes) {
    Around(&borders, scope.choices[asked].since, u);
    Around(&borders, scope.choices[asked].refused_from, u);
    Around(&borders, scope.choices[asked].copies_owed_until, u);
    Around(&borders, scope.refused_all_since, u);
    Around(&borders, scope.purge_floor, u);
    Around(&borders, scope.default_from, u);
    if (scope.retention.kind == domain::RetentionKind::kMonths) {
      Around(&borders, base::AddMonths(c.now, -scope.retention.months), u);
    }
    for (const Instant grown : TimesOfAdulthood(c, scope)) Around(&borders, grown, u);
  }
  for (const domain::Tombstone& tombstone : c.subject.tombstones) {
    Around(&borders, tombstone.captured.from(), u);
    Around(&borders, tombstone.captured.sure(), u);
    Around(&borders, tombstone.captured.latest(), u);
  }
  for (const domain::Hold& hold : c.subject.holds) {
    Around(&borders, hold.captured.from, u);
    Around(&borders, hold.captured.to, u);
  }
  Around(&borders, c.subject.default_from, u);
  Around(&borders, c.subject.reopened_at, u);
  Around(&borders, c.rules.in_use_since[asked], u);
  for (const auto& [region, found] : c.rules.regions) Around(&borders, found.opt_out_since, u);
  if (c.recording.wake == domain::Wake::kAccidental) {
    for (const domain::Regime& regime : c.rules.regimes) Around(&borders, c.now - regime.false_wake_ttl, u);
  }
  Around(&borders, c.now, u);
  return borders;
}

std::vector<Instant> NowBorders(const Case& c) {
  std::vector<Instant> borders;
  const Span u = c.recording.has_uncertainty ? c.recording.uncertainty : c.rules.default_uncertainty;
  const Instant captured = c.recording.captured_at;
  for (const domain::ScopeFacts& scope : c.subject.scopes) {
    for (const domain::PurposeChoice& choice : scope.choices) {
      const domain::Notice* notice = NoticeByNumber(c.rules, choice.notice);
      if (notice == nullptr) continue;
      Keep(&borders, notice->superseded_from);
      if (notice->consent_lifetime_months > 0) {
        Keep(&borders, base::AddMonths(choice.since, notice->consent_lifetime_months));
        Keep(&borders, base::AddMonths(choice.renewed, notice->consent_lifetime_months));
      }
    }
    if (scope.retention.kind == domain::RetentionKind::kMonths) {
      Keep(&borders, base::AddMonths(captured - u, scope.retention.months));
      Keep(&borders, base::AddMonths(captured + u, scope.retention.months));
    }
    for (const Instant grown : TimesOfAdulthood(c, scope)) Keep(&borders, grown);
    for (const domain::Regime& regime : c.rules.regimes) {
      Keep(&borders, base::AddMonths(scope.last_active, regime.child_inactive_months));
      Keep(&borders, scope.inactivity_notice + regime.child_notice_period);
    }
  }
  for (const domain::Regime& regime : c.rules.regimes) Keep(&borders, captured + u + regime.false_wake_ttl);
  Around(&borders, captured, u);
  Keep(&borders, c.recording.ingested_at);
  Keep(&borders, c.marks.safety_since + c.rules.safety.hold);
  return borders;
}

std::vector<Instant> TimesToAskAgain(const Case& c, Instant until, Dice& dice) {
  const base::Span tick = base::Microseconds(1);
  std::vector<Instant> candidates = {c.now, c.now + tick, until - tick};
  const auto length = static_cast<uint64_t>((until - c.now).micros);
  for (int i = 0; i < 3 && length > 0; ++i) {
    candidates.push_back(c.now + base::Microseconds(static_cast<int64_t>(dice.Below(length))));
  }
  for (const Instant border : NowBorders(c)) {
    candidates.insert(candidates.end(), {border - tick, border, border + tick});
    const Instant late = border + c.lag;  // when the earlier end comes there
    candidates.insert(candidates.end(), {late - tick, late, late + tick});
  }
  std::vector<Instant> times;
  for (const Instant t : candidates) {
    if (t >= c.now && t < until) times.push_back(t);
  }
  return times;
}

}  // namespace consent::model
