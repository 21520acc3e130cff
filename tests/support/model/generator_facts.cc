#include <algorithm>

#include "tests/support/model/generator.h"

namespace consent::model {

using base::Days;
using domain::Choice;
using domain::Instant;
using domain::Purpose;
using domain::PurposeChoice;
using domain::ScopeFacts;
using domain::ScopeKind;

base::Bytes16 HandleNumber(uint8_t number) {
  base::Bytes16 handle{};
  handle[0] = number;
  handle[15] = 7;
  return handle;
}

namespace {

constexpr uint8_t kFirstDevice = 100;

domain::NoticeNumber SomeNotice(Weather& weather, const domain::Rules& rules) {
  if (weather.Dirty() && weather.dice.Chance(0.2)) return 60000;  // nobody knows it
  return rules.notices[weather.dice.Below(rules.notices.size())].number;
}

PurposeChoice Given(Weather& weather, const domain::Rules& rules, bool by_guardian) {
  PurposeChoice choice;
  choice.choice = Choice::kGiven;
  choice.by_guardian = by_guardian != weather.Dirty();
  choice.imported = weather.dice.Chance(0.1);
  choice.notice = SomeNotice(weather, rules);
  choice.since = weather.Dirty() ? weather.Recently() : weather.Ago();
  if (weather.dice.Chance(0.2)) {
    const Instant before = weather.dice.Chance(0.5) ? weather.LongAgo() : weather.Ago();
    if (before < choice.since) choice.refused_from = before;
    choice.end_was_expiry = choice.refused_from.IsSet() && weather.dice.Chance(0.2);
    choice.copies_forgiven = choice.refused_from.IsSet() && weather.dice.Chance(0.2);
    if (choice.refused_from.IsSet() && !choice.copies_forgiven && weather.dice.Chance(0.3)) {
      choice.copies_owed_until =
          choice.refused_from + base::Seconds(1 + static_cast<int64_t>(weather.dice.Below(40 * 86'400)));
    }
  }
  if (weather.dice.Chance(0.2)) {
    const int64_t seconds = static_cast<int64_t>(
        weather.dice.Below(static_cast<uint64_t>((weather.now - choice.since).micros / 1'000'000 + 1)));
    if (seconds > 0) choice.renewed = choice.since + base::Seconds(seconds);
  }
  choice.has_ended = choice.by_guardian && weather.Dirty();
  choice.was_suspended = weather.Dirty() && weather.dice.Chance(0.2);
  choice.unconfirmed = weather.Dirty() && weather.dice.Chance(0.2);
  return choice;
}

PurposeChoice Said(Weather& weather, Choice no) {
  PurposeChoice choice;
  choice.choice = no;
  choice.since = weather.dice.Chance(0.5) ? weather.Recently() : weather.Ago();
  choice.inherited = weather.dice.Chance(0.1);
  return choice;
}

// What a scope chose: by its mood given, unset or anything.
void Choose(Weather& weather, const domain::Rules& rules, double given, bool by_guardian, ScopeFacts* scope) {
  const bool in_mood = weather.dice.Chance(given);
  for (PurposeChoice& choice : scope->choices) {
    if (in_mood) choice = Given(weather, rules, by_guardian);
    if (!weather.Dirty()) continue;
    choice = PurposeChoice();
    const uint64_t what = weather.dice.Below(4);
    if (what == 1) choice = Given(weather, rules, by_guardian);
    if (what == 2) choice = Said(weather, Choice::kRefused);
    if (what == 3) choice = Said(weather, Choice::kWithdrawn);
  }
  if (weather.Dirty() || weather.dice.Chance(0.03)) {
    scope->refused_all_since = weather.dice.Chance(0.5) ? weather.LongAgo() : weather.Ago();
  }
  for (domain::ControlNumber control = 1; control <= 4; ++control) {
    if (weather.Dirty() && weather.dice.Chance(0.4)) {
      scope->refused_controls.push_back({control, weather.dice.Chance(0.5) ? weather.LongAgo() : weather.Ago()});
    }
  }
}

// What is left of a scope that was removed.
void Remove(Weather& weather, ScopeFacts* scope) {
  scope->registered = false;
  scope->default_from = weather.Recently();
  for (PurposeChoice& choice : scope->choices) {
    if (choice.choice != Choice::kGiven) continue;
    choice.choice = Choice::kUnset;
    choice.by_guardian = choice.imported = choice.has_ended = false;
    choice.notice = 0;
    choice.renewed = Instant();
    if (!choice.refused_from.IsSet()) choice = PurposeChoice();
  }
}

void Retain(Weather& weather, ScopeFacts* scope) {
  if (weather.dice.Chance(0.2)) {
    scope->retention.kind = domain::RetentionKind::kMonths;
    scope->retention.months = weather.dice.Pick<uint8_t>({1, 3, 18, 120});
  }
  if (weather.Dirty() && weather.dice.Chance(0.3)) scope->retention = {domain::RetentionKind::kDoNotSave, 0};
  if (weather.Dirty()) scope->purge_floor = weather.dice.Chance(0.5) ? weather.Recently() : weather.Ago();
  if (weather.dice.Chance(0.3)) scope->default_from = weather.Dirty() ? weather.Recently() : weather.Ago();
}

// A birthday on which one of the ages of consent in use may be reached about now.
base::Date BirthdayNear(Weather& weather) {
  const auto today = static_cast<int32_t>(weather.now.micros / Days(1).micros);
  const base::Date day{today + static_cast<int32_t>(weather.dice.Below(5)) - 3};
  return base::AddYears(day, -weather.dice.Pick({13, 14, 16, 18, 21}));
}

domain::Age MakeAge(Weather& weather) {
  domain::Age age;
  age.kind = domain::AgeKind::kAdult;
  if (weather.dice.Chance(0.15)) age.adult_since = weather.Dirty() ? weather.Recently() : weather.LongAgo();
  if (weather.dice.Chance(0.1)) {
    age = {domain::AgeKind::kBorn, base::AddYears(BirthdayNear(weather), -weather.dice.Pick({20, 45, 60})), {}};
  }
  if (weather.dice.Chance(0.15)) {
    age = {domain::AgeKind::kChild, {}, {}};
    if (weather.dice.Chance(0.5)) age = {domain::AgeKind::kBorn, BirthdayNear(weather), {}};
  }
  if (weather.dice.Chance(0.1)) age.born_before = BirthdayNear(weather);
  if (weather.Dirty()) {
    age = domain::Age();
    if (weather.dice.Chance(0.6)) age = {domain::AgeKind::kBorn, BirthdayNear(weather), {}};
    if (age.kind == domain::AgeKind::kBorn && weather.dice.Chance(0.2)) age.adult_since = weather.Recently();
  }
  return age;
}

void AddProfile(Weather& weather, const domain::Rules& rules, uint8_t number, domain::SubjectFacts* subject) {
  ScopeFacts profile;
  profile.kind = ScopeKind::kProfile;
  profile.handle = HandleNumber(number);
  profile.registered = !weather.Dirty();
  if (profile.registered || weather.dice.Chance(0.2)) profile.age = MakeAge(weather);
  const bool child = profile.age.kind != domain::AgeKind::kAdult;
  if (child && !weather.Dirty()) {
    profile.guardian.bytes = HandleNumber(200);
    profile.guardian_since = weather.dice.Chance(0.3) ? weather.Ago() : weather.LongAgo();
  }
  if (child ? weather.dice.Chance(0.6) : weather.Dirty()) {
    profile.last_active = weather.dice.Chance(0.5) && !weather.Dirty() ? weather.Recently() : weather.LongAgo();
    if (weather.dice.Chance(0.5)) {
      const Instant began = base::AddMonths(profile.last_active, weather.dice.Pick({1, 3, 18}));
      profile.inactivity_notice = weather.dice.Chance(0.5) ? weather.Near(began) : weather.Ago();
    }
  }
  Choose(weather, rules, child ? 0.9 : 0.4, child, &profile);
  Retain(weather, &profile);
  if (weather.Dirty() && weather.dice.Chance(0.3)) Remove(weather, &profile);
  subject->scopes.push_back(profile);
}

void AddDevice(Weather& weather, const domain::Rules& rules, uint8_t number, domain::SubjectFacts* subject) {
  ScopeFacts device;
  device.kind = ScopeKind::kDevice;
  device.handle = HandleNumber(number);
  device.registered = !weather.Dirty();
  Choose(weather, rules, 0.3, false, &device);
  Retain(weather, &device);
  if (weather.Dirty()) Remove(weather, &device);
  subject->scopes.push_back(device);
}

// What is left of scopes that are gone and for which the record has no room.
void AddFold(Weather& weather, const domain::Rules& rules, ScopeKind kind, domain::SubjectFacts* subject) {
  ScopeFacts fold;
  fold.kind = kind;
  Choose(weather, rules, 0.3, false, &fold);
  Remove(weather, &fold);
  subject->scopes.push_back(fold);
}

domain::OrderedTimes SomeTimes(Weather& weather) {
  const Instant a = weather.dice.Chance(0.5) ? weather.LongAgo() : weather.Ago();
  const Instant b = weather.dice.Chance(0.5) ? weather.Recently() : weather.Ago();
  if (weather.dice.Chance(0.2)) return domain::OrderedTimes::Always();
  const Instant from = weather.dice.Chance(0.5) ? std::min(a, b) : Instant();
  const Instant end = std::max(a, b);
  const Instant sure = weather.dice.Chance(0.7)   ? end
                       : weather.dice.Chance(0.3) ? Instant()
                                                  : end - weather.dice.Pick({base::Microseconds(1), base::Days(6)});
  const Instant latest = weather.dice.Chance(0.1) ? base::kEndOfTime : end;
  return domain::OrderedTimes::Between(from, sure, latest);
}

domain::Interval SomeInterval(Weather& weather) {
  domain::Interval interval;
  const Instant a = weather.dice.Chance(0.5) ? weather.LongAgo() : weather.Ago();
  const Instant b = weather.dice.Chance(0.5) ? weather.Recently() : weather.Ago();
  if (weather.dice.Chance(0.6)) interval.from = std::min(a, b);
  if (weather.dice.Chance(0.8)) interval.to = std::max(a, b);
  if (weather.dice.Chance(0.1)) interval.from = interval.to = a;
  return interval;
}

template <typename T>
void Aim(Weather& weather, T* selector) {
  const uint64_t scope = weather.dice.Below(3);
  if (scope == 1) {
    selector->scope = ScopeKind::kProfile;
    selector->handle = HandleNumber(static_cast<uint8_t>(1 + weather.dice.Below(4)));
  }
  if (scope == 2) {
    selector->scope = ScopeKind::kDevice;
    selector->handle = HandleNumber(static_cast<uint8_t>(kFirstDevice + weather.dice.Below(3)));
  }
}

domain::TombstoneState SomeState(Weather& weather) {
  return static_cast<domain::TombstoneState>(weather.dice.Below(3));
}

}  // namespace

domain::SubjectFacts MakeSubject(Weather& weather, const domain::Rules& rules, Purpose purpose) {
  Dice& dice = weather.dice;
  domain::SubjectFacts subject;
  subject.revision = dice.Below(1000);
  subject.registered = !weather.Dirty();
  subject.has_recording_marks = dice.Chance(0.5);
  subject.region = MakeRegion(weather);
  if (dice.Chance(0.7)) subject.default_from = weather.Dirty() ? weather.Ago() : weather.LongAgo();
  if (weather.Dirty() && dice.Chance(0.2)) {
    subject.closed_at = weather.Ago();
    if (dice.Chance(0.7)) subject.reopened_at = std::max(subject.closed_at, weather.Ago());
  }
  while (dice.Chance(0.1) && subject.former_regions.size() < domain::kMaxFormerRegions) {
    const Instant left = dice.Chance(0.5) ? weather.Recently() : weather.Ago();
    const Instant until = dice.Chance(0.2) ? domain::kStillThere : left;
    subject.former_regions.push_back(dice.Chance(0.1) ? domain::FormerRegion{{}, until, true}
                                                      : domain::FormerRegion{MakeRegion(weather), until});
  }
  subject.scopes[0].registered = subject.registered;
  if (weather.Dirty() && dice.Chance(0.5)) subject.default_denied = weather.Ago();
  if (weather.Dirty() && dice.Chance(0.3)) subject.restored_at = weather.Ago();
  if (weather.Dirty() && dice.Chance(0.1)) {
    subject.join = dice.Pick({domain::JoinState::kJoining, domain::JoinState::kAlias, domain::JoinState::kRenaming});
    subject.joined_into.bytes = HandleNumber(77);
  }
  Choose(weather, rules, 0.6, false, &subject.scopes[0]);
  Retain(weather, &subject.scopes[0]);
  const int profiles = dice.Pick({0, 1, 1, 1, 2, 2, 3});
  for (int i = 0; i < profiles; ++i) AddProfile(weather, rules, static_cast<uint8_t>(1 + i), &subject);
  const uint64_t devices = dice.Below(3);
  for (uint64_t i = 0; i < devices; ++i) AddDevice(weather, rules, static_cast<uint8_t>(kFirstDevice + i), &subject);
  for (const ScopeKind kind : {ScopeKind::kProfile, ScopeKind::kDevice}) {
    if (weather.Dirty() && dice.Chance(0.3)) AddFold(weather, rules, kind, &subject);
  }
  while (weather.Dirty() && subject.tombstones.size() < 4) {
    domain::Tombstone tombstone;
    tombstone.state = SomeState(weather);
    Aim(weather, &tombstone);
    tombstone.captured = SomeTimes(weather);
    if (dice.Chance(0.3)) tombstone.copies_of.bits = static_cast<uint8_t>(1 + dice.Below(127));
    subject.tombstones.push_back(tombstone);
  }
  while (weather.Dirty() && dice.Chance(0.6) && subject.holds.size() < 4) {
    domain::Hold hold;
    Aim(weather, &hold);
    hold.captured = SomeInterval(weather);
    subject.holds.push_back(hold);
  }
  // The choice that decides is the one for the asked purpose; now and then it alone is another one.
  if (purpose != Purpose::kNone && dice.Chance(0.05)) {
    ScopeFacts& scope = subject.scopes[dice.Below(subject.scopes.size())];
    scope.choices[static_cast<size_t>(purpose) - 1] = Said(weather, dice.Pick({Choice::kRefused, Choice::kWithdrawn}));
  }
  return subject;
}

domain::RecordingState MakeMarks(Weather& weather) {
  domain::RecordingState marks;
  if (weather.Dirty() && weather.dice.Chance(0.5)) marks.flags = static_cast<uint8_t>(1U << weather.dice.Below(4));
  if (weather.Dirty() && weather.dice.Chance(0.5)) {
    marks.has_tombstone = true;
    marks.tombstone = SomeState(weather);
  }
  marks.on_hold = weather.Dirty() && weather.dice.Chance(0.3);
  return marks;
}

domain::RecordingFacts MakeRecording(Weather& weather, const domain::SubjectFacts& subject, Purpose purpose) {
  Dice& dice = weather.dice;
  domain::RecordingFacts recording;
  for (const ScopeFacts& scope : subject.scopes) {
    if (scope.IsFold()) continue;
    base::ProfileHandle profile;
    profile.bytes = scope.handle;
    if (scope.kind == ScopeKind::kProfile && dice.Chance(0.75)) recording.profiles.push_back(profile);
    if (scope.kind == ScopeKind::kDevice && dice.Chance(0.7)) recording.device.bytes = scope.handle;
  }
  if (weather.Dirty() && dice.Chance(0.3)) {
    recording.profiles.push_back({HandleNumber(static_cast<uint8_t>(1 + dice.Below(4)))});
  }
  if (weather.Dirty() && dice.Chance(0.3)) recording.device.bytes = HandleNumber(kFirstDevice + 2);
  recording.has_region = dice.Chance(0.4);
  if (recording.has_region) recording.region = dice.Chance(0.3) ? MakeRegion(weather) : subject.region;
  recording.wake = weather.Dirty() ? static_cast<domain::Wake>(dice.Below(4)) : domain::Wake::kIntended;
  recording.kind = weather.Dirty() ? static_cast<domain::Kind>(dice.Below(4)) : domain::Kind::kCommand;
  if (dice.Chance(0.1)) recording.kind = domain::Kind::kMessage;
  recording.speakers = weather.Dirty() ? static_cast<domain::Speakers>(dice.Below(3)) : domain::Speakers::kOne;
  recording.identity = recording.profiles.empty() ? domain::Identity::kNotRun : domain::Identity::kMatched;
  if (recording.profiles.empty() && dice.Chance(0.2)) recording.identity = domain::Identity::kUnmatched;
  if (weather.Dirty()) recording.identity = static_cast<domain::Identity>(dice.Below(4));
  recording.age = weather.Dirty() ? static_cast<domain::SpeakerAge>(dice.Below(3)) : domain::SpeakerAge::kAdult;
  if (dice.Chance(0.25)) {
    recording.artefact = static_cast<domain::Artefact>(2 + dice.Below(5));
    recording.made_for = dice.Chance(0.5) ? purpose : domain::kAllPurposes[dice.Below(domain::kPurposes)];
    if (weather.Dirty()) recording.made_for = Purpose::kNone;
  }
  if (weather.Dirty() && dice.Chance(0.5)) recording.flags = static_cast<uint8_t>(dice.Below(16));
  recording.has_uncertainty = dice.Chance(0.6);
  recording.uncertainty =
      dice.Pick({base::Seconds(0), base::Microseconds(1), base::Seconds(1), base::Hours(1), Days(1)});
  return recording;
}

domain::Place MakePlace(Weather& weather) {
  domain::Place place;
  const char* country = weather.Dirty() ? weather.dice.Pick({"", "BR", "ZZ"}) : weather.dice.Pick({"DE", "FR", "US"});
  domain::Region::Parse(country, &place.country);
  place.site = weather.Dirty() ? weather.dice.Pick({"", "mumbai"}) : weather.dice.Pick({"berlin", "boston"});
  place.reviewer_class = domain::ReviewerClass::kEmployee;
  if (weather.dice.Chance(0.3)) place.reviewer_class = domain::ReviewerClass::kContractor;
  if (weather.Dirty() && weather.dice.Chance(0.3)) place.reviewer_class = domain::ReviewerClass::kMissing;
  return place;
}

}  // namespace consent::model
