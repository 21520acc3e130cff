// Over random subjects and commands: no restriction, and nothing without an etag, ever turns an answer towards yes or
// KEEP.
#include <gtest/gtest.h>

#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/domain/transitions.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"

namespace consent::domain::transition_property_test {
namespace {

using model::Case;
using model::Dice;
using model::Dump;
using model::HandleNumber;

constexpr uint64_t kChunks = 4;
constexpr uint64_t kCases = 20'000;

ScopeRef SomeScope(Dice& dice, const SubjectFacts& facts) {
  if (dice.Chance(0.7)) {
    const ScopeFacts& scope = facts.scopes[dice.Below(facts.scopes.size())];
    return {scope.kind, scope.handle};
  }
  return {dice.Pick({ScopeKind::kProfile, ScopeKind::kDevice}),
          HandleNumber(static_cast<uint8_t>(1 + dice.Below(120)))};
}

Target SomeTarget(Dice& dice, const Case& c) {
  if (dice.Chance(0.2)) return {};
  if (dice.Chance(0.4) && !c.rules.controls.empty()) {
    return {TargetKind::kControl, c.rules.controls[dice.Below(c.rules.controls.size())].name, Purpose::kNone};
  }
  const bool asked = c.purpose != Purpose::kNone && dice.Chance(0.6);
  return {TargetKind::kPurpose, "", asked ? c.purpose : kAllPurposes[dice.Below(kPurposes)]};
}

Retention SomeRetention(Dice& dice) {
  if (dice.Chance(0.3)) return {};
  if (dice.Chance(0.2)) return {RetentionKind::kDoNotSave, 0};
  return {RetentionKind::kMonths, dice.Pick<uint8_t>({1, 3, 18, 120})};
}

Age SomeAge(Dice& dice, Instant now) {
  const auto today = static_cast<int32_t>(now.micros / base::Days(1).micros);
  Age age;
  age.kind = dice.Pick({AgeKind::kUnknown, AgeKind::kAdult, AgeKind::kChild, AgeKind::kBorn});
  if (age.kind == AgeKind::kBorn) {
    age.born = base::AddYears(base::Date{today + static_cast<int32_t>(dice.Below(5)) - 2},
                              -dice.Pick({5, 13, 14, 16, 18, 21, 40}));
  }
  return age;
}

ProfileCommand SomeProfile(Dice& dice, const Case& c) {
  ProfileCommand profile;
  profile.profile.bytes = HandleNumber(static_cast<uint8_t>(1 + dice.Below(5)));
  if (dice.Chance(0.6)) profile.age = SomeAge(dice, c.now);
  if (dice.Chance(0.4)) {
    profile.guardian = base::GuardianHandle{};
    if (dice.Chance(0.6)) profile.guardian->bytes = HandleNumber(dice.Pick<uint8_t>({200, 201}));
  }
  if (dice.Chance(0.4)) profile.last_active = c.now - base::Days(static_cast<int64_t>(dice.Below(60)) - 5);
  return profile;
}

Proof FullProof(Dice& dice, const Case& c) {
  Proof proof;
  const Notice& notice = c.rules.notices[dice.Below(c.rules.notices.size())];
  proof.notice_version = notice.version;
  if (!notice.languages.empty()) proof.notice_language = notice.languages[0];
  proof.channel = dice.Pick({Channel::kApp, Channel::kImport});
  proof.actor = dice.Pick({Actor::kSelf, Actor::kGuardian});
  proof.guardian.bytes = HandleNumber(200);
  if (proof.channel == Channel::kImport) proof.given_at = c.now - base::Days(static_cast<int64_t>(dice.Below(400)));
  return proof;
}

// Anything that a request can ask for. The etag is the caller's matter.
Command SomeCommand(Dice& dice, const Case& c) {
  Command command;
  command.proof = FullProof(dice, c);
  command.registers = c.subject.registered && dice.Chance(0.3);
  if (dice.Chance(0.3) && !c.rules.regions.empty()) {
    auto at = c.rules.regions.begin();
    std::advance(at, dice.Below(c.rules.regions.size()));
    command.region = dice.Chance(0.2) ? Region{} : at->first;
  }
  while (dice.Chance(0.35)) command.profiles.push_back(SomeProfile(dice, c));
  while (dice.Chance(0.1)) {
    command.devices.push_back(base::DeviceHandle{HandleNumber(static_cast<uint8_t>(100 + dice.Below(4)))});
  }
  while (dice.Chance(0.1)) command.removals.push_back(SomeScope(dice, c.subject));
  while (dice.Chance(0.4)) {
    command.choices.push_back({SomeScope(dice, c.subject), SomeTarget(dice, c), dice.Chance(0.5)});
  }
  while (dice.Chance(0.2)) command.retention.push_back({SomeScope(dice, c.subject), SomeRetention(dice)});
  return command;
}

// Only what can restrict: refusals and shorter retention, whatever else the request carries.
Command SomeRestriction(Dice& dice, const Case& c) {
  Command command;
  command.proof = FullProof(dice, c);
  command.expected_revision = c.subject.revision;
  do {
    if (dice.Chance(0.7)) {
      command.choices.push_back({SomeScope(dice, c.subject), SomeTarget(dice, c), false});
      continue;
    }
    const ScopeRef scope = SomeScope(dice, c.subject);
    const ScopeFacts* found = c.subject.Find(scope.kind, scope.handle);
    const Retention now = found != nullptr ? found->retention : Retention{};
    Retention shorter = SomeRetention(dice);
    if (now.kind == RetentionKind::kDoNotSave) shorter = now;
    if (now.kind == RetentionKind::kMonths && shorter.kind != RetentionKind::kDoNotSave) {
      shorter = {RetentionKind::kMonths, static_cast<uint8_t>(1 + dice.Below(now.months))};
    }
    command.retention.push_back({scope, shorter});
  } while (dice.Chance(0.4));
  return command;
}

Moment MomentOf(const Case& c, uint64_t step) {
  return Moment{c.now, c.subject.revision + step, model::NowOf(c), false};
}

// The generated question and some beside it.
std::vector<Case> Sample(Dice& dice, const Case& c) {
  std::vector<Case> sample = {c};
  Case copy = c;
  copy.recording.artefact = Artefact::kReviewCopy;
  copy.recording.made_for = c.purpose != Purpose::kNone ? c.purpose : Purpose::kHumanReview;
  sample.push_back(copy);
  Case other = c;
  other.purpose = kAllPurposes[dice.Below(kPurposes)];
  other.recording.has_region = false;
  sample.push_back(other);
  Case now = c;
  now.recording.captured_at = c.now;
  sample.push_back(now);
  return sample;
}

std::string Explain(const Case& before, const Case& after) {
  return Dump(before) + Dump(AnswerOfRule(before)) + "\n--- after:\n" + Dump(after) + Dump(AnswerOfRule(after));
}

// A corrected age of a child with its guardian's consent: for captures where the child had come of age earlier than at
// home the consent counts again, because the child never had.
bool CorrectsAChild(const Case& c, const Command& command) {
  return std::any_of(command.profiles.begin(), command.profiles.end(), [&](const ProfileCommand& profile) {
    const ScopeFacts* scope = c.subject.Find(ScopeKind::kProfile, profile.profile.bytes);
    return profile.age && scope != nullptr &&
           std::any_of(scope->choices.begin(), scope->choices.end(),
                       [](const PurposeChoice& choice) { return choice.by_guardian; });
  });
}

void ExpectNothingLoosened(Dice& dice, const Case& c, const Command& command) {
  const Moment moment = MomentOf(c, 1);
  const SubjectFacts after = Apply(c.subject, command, moment, c.rules).after;
  const bool at_home = CorrectsAChild(c, command);
  for (Case& before : Sample(dice, c)) {
    if (at_home) before.recording.has_region = false;
    Case then = before;
    then.subject = after;
    const Decision was = AnswerOfRule(before);
    const Decision is = AnswerOfRule(then);
    if (was.eligibility == Eligibility::kNotEligible) {
      ASSERT_EQ(is.eligibility, was.eligibility) << Explain(before, then);
    }
    if (was.disposition != Disposition::kKeep) {
      ASSERT_EQ(is.disposition, was.disposition) << Explain(before, then);
    }
  }
}

// What restrictions alone can have made of a scope that nobody registered.
void Unregister(ScopeFacts& scope) {
  for (PurposeChoice& choice : scope.choices) {
    if (choice.choice == Choice::kGiven) choice = PurposeChoice{};
  }
  scope.default_from = scope.guardian_since = scope.last_active = scope.inactivity_notice = Instant{};
  scope.age = Age{};
  scope.guardian = base::GuardianHandle{};
}

// Makes of the generated subject one that changes can lead to. False: its times lie after `now`, and server order is
// the order of its clock.
bool MakePossible(Case* c) {
  c->known = true;
  if (c->subject.revision == 0) c->subject.revision = 1;
  c->subject.account().registered = c->subject.registered;
  for (ScopeFacts& scope : c->subject.scopes) {
    if (!scope.registered || !c->subject.registered) {
      scope.registered = false;
      Unregister(scope);
    }
    Instant latest =
        std::max({scope.refused_all_since, scope.default_from, scope.guardian_since, scope.last_active,
                  scope.age.adult_since, scope.purge_floor, scope.inactivity_notice, c->subject.default_from});
    for (PurposeChoice& choice : scope.choices) {
      if (scope.kind != ScopeKind::kProfile) choice.by_guardian = false;
      latest = std::max({latest, choice.since, choice.renewed, choice.refused_from});
    }
    for (const ControlRefusal& refusal : scope.refused_controls) latest = std::max(latest, refusal.since);
    if (latest > c->now) return false;
  }
  return true;
}

class Transitions : public testing::TestWithParam<uint64_t> {
 protected:
  template <typename F>
  void ForEachCase(uint64_t salt, F check) {
    const model::SeedRange seeds = model::SeedsOfChunk(GetParam(), kChunks, kCases);
    uint64_t looked_at = 0;
    for (uint64_t seed = seeds.first; seed < seeds.last && !HasFatalFailure(); ++seed) {
      Case c = model::Generate(seed);
      c.grants.reset();  // caps count by country: another one may have room, and nobody has agreed to more
      if (!MakePossible(&c)) continue;
      ++looked_at;
      Dice dice(seed * 31 + salt);
      check(dice, c);
    }
    if (seeds.whole) {
      EXPECT_GT(looked_at, (seeds.last - seeds.first) / 2);
    }
  }
};

TEST_P(Transitions, RestrictionsOnlyRestrict) {
  ForEachCase(1, [](Dice& dice, const Case& c) { ExpectNothingLoosened(dice, c, SomeRestriction(dice, c)); });
}

TEST_P(Transitions, NothingLoosensWithoutTheEtag) {
  ForEachCase(2, [](Dice& dice, const Case& c) {
    Command command = SomeCommand(dice, c);
    if (dice.Chance(0.3)) command.expected_revision = c.subject.revision + dice.Pick<uint64_t>({1, UINT64_MAX});
    ExpectNothingLoosened(dice, c, command);
  });
}

TEST_P(Transitions, NothingLoosensWithoutEvidence) {
  ForEachCase(3, [](Dice& dice, const Case& c) {
    Command command = SomeCommand(dice, c);
    command.expected_revision = c.subject.revision;
    if (dice.Chance(0.5)) {
      command.proof.channel = Channel::kMissing;
    } else {
      command.proof.actor = Actor::kMissing;
    }
    ExpectNothingLoosened(dice, c, command);
  });
}

// What the index and the store hold can be read back, and no revision is lost.
TEST_P(Transitions, EveryResultKeepsItsBounds) {
  ForEachCase(4, [](Dice& dice, const Case& c) {
    Command command = SomeCommand(dice, c);
    command.expected_revision = c.subject.revision;
    const Transition done = Apply(c.subject, command, MomentOf(c, 5), c.rules);
    ASSERT_EQ(done.after.revision, c.subject.revision + 5);
    ASSERT_EQ(done.parts.size(), (command.region ? 1 : 0) + command.profiles.size() + command.devices.size() +
                                     command.removals.size() + command.choices.size() + command.retention.size());
    ASSERT_LE(done.after.tombstones.size(), kMaxTombstones);
    bool changed = done.registered_now;
    for (const PartOutcome& part : done.parts) {
      ASSERT_FALSE(part.changed && part.refusal != Refusal::kNone && part.detail.empty() && command.profiles.empty());
      changed = changed || part.changed;
    }
    if (!changed) {
      SubjectFacts same = done.after;
      same.revision = c.subject.revision;
      same.scopes.resize(c.subject.scopes.size());
      SubjectFacts before = c.subject;
      for (size_t i = 0; i < before.scopes.size(); ++i) {
        // The one thing that any change does: the guardian of who has come of age leaves.
        if (same.scopes[i].guardian.IsSet() || same.scopes[i].guardian_since.IsSet()) continue;
        before.scopes[i].guardian = base::GuardianHandle{};
        before.scopes[i].guardian_since = Instant{};
      }
      ASSERT_EQ(same, before) << "seed " << c.seed;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Chunks, Transitions, testing::Range(uint64_t{0}, kChunks));

}  // namespace
}  // namespace consent::domain::transition_property_test
