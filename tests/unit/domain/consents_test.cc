// Choices: what on and off do to a scope.
#include <gtest/gtest.h>

#include "daemon/domain/effective.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;
constexpr Purpose kFeature = Purpose::kFeatureDevelopment;

const PurposeChoice& Review(const SmallWorld& world) { return world.facts.account().ChoiceFor(kReview); }

TEST(Consents, RefusedWithdrawnAndUnsetAreToldApart) {
  SmallWorld world;
  world.Register("DE");
  EXPECT_EQ(Review(world).choice, Choice::kUnset);
  world.Do(Off(Account(), PurposeOf(kReview)));
  EXPECT_EQ(Review(world).choice, Choice::kRefused);
  world.Do(On(world, Account(), PurposeOf(kReview)));
  EXPECT_EQ(Review(world).choice, Choice::kGiven);
  const Instant off_at = world.next.time;
  const Transition off = world.Do(Off(Account(), PurposeOf(kReview)));
  EXPECT_EQ(Review(world).choice, Choice::kWithdrawn);
  EXPECT_EQ(Review(world).since, off_at);
  ASSERT_EQ(off.changes.size(), 1U);
  EXPECT_EQ(off.changes[0].from, Choice::kGiven);
  EXPECT_EQ(off.changes[0].to, Choice::kWithdrawn);
}

TEST(Consents, RestrictionsNeedNoPrecondition) {
  const Target targets[] = {Target{}, ControlNamed("improve"), PurposeOf(kReview)};
  const ScopeRef scopes[] = {Account(), Profile(7), Device(7)};
  for (const Target& target : targets) {
    for (const ScopeRef& scope : scopes) {
      for (const bool known : {false, true}) {
        SmallWorld world;
        if (known) world.Register("DE");
        Command off = Off(scope, target);
        off.expected_revision = 999;  // a wrong etag does not stop it either
        world.next.now.behind = world.next.now.doubtful = world.next.policy_changing = true;
        ASSERT_EQ(RefusalOf(world.Do(off)), Refusal::kNone);
        const ScopeFacts* found = world.facts.Find(scope.kind, scope.handle);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(EffectiveChoice(*found, kReview, world.rules).choice, Choice::kRefused);
        EXPECT_EQ(found->registered, known && scope.kind == ScopeKind::kAccount);
        EXPECT_EQ(world.facts.registered, known);
      }
    }
  }
}

TEST(Consents, OffAgainChangesNothing) {
  SmallWorld world;
  world.Do(Off(Account(), Target{}));
  const SubjectFacts before = world.facts;
  const Transition again = world.Do(Off(Account(), Target{}));
  EXPECT_FALSE(again.parts[0].changed);
  for (const FactChange& change : again.changes)
    EXPECT_EQ(change.what, ChangedWhat::kRefusedAgain) << "it is on record";
  SubjectFacts same = world.facts;
  same.revision = before.revision;
  EXPECT_EQ(same, before) << "the first refusal keeps its time";
}

TEST(Consents, RememberTheRefusalBefore) {
  SmallWorld world;
  world.Register("DE");
  const Instant refused = world.next.time;
  world.Do(Off(Account(), ControlNamed("improve")));
  world.Do(On(world, Account(), PurposeOf(kReview)));
  EXPECT_EQ(Review(world).refused_from, refused);
  Command narrow = On(world, Account(), PurposeOf(kReview));
  narrow.proof.notice_version = "narrow";
  world.Do(narrow);
  EXPECT_EQ(Review(world).refused_from, refused) << "another notice does not forget it";
}

// One of two accounts that were joined had refused; whatever the other one allowed ends at the latest with the yes.
TEST(Consents, OfAJoinedAccountOwesAllOfBeforeTheYesThatFollowsANo) {
  for (const bool is_joined : {true, false}) {
    for (const bool for_the_past : {true, false}) {
      SmallWorld world;
      world.Register("US");
      const Instant refused = world.next.time;
      world.Do(Off(Account(), PurposeOf(kReview)));
      if (is_joined) world.facts.joined_from.push_back({base::SubjectHandle{}, 1});
      world.Do(Off(Account(), PurposeOf(kReview)));
      EXPECT_EQ(Review(world).since, refused);
      for (Notice& notice : world.rules.notices) notice.covers_past = for_the_past;
      const Instant given = world.next.time;
      world.Do(On(world, Account(), PurposeOf(kReview)));
      EXPECT_EQ(Review(world).choice, Choice::kGiven);
      EXPECT_EQ(Review(world).refused_from, refused) << "what was captured since is denied";
      EXPECT_EQ(Review(world).copies_owed_until, is_joined && !for_the_past ? given : Instant{});
      EXPECT_EQ(Review(world).OwedUntil(), is_joined && !for_the_past ? given : refused);
      EXPECT_EQ(Review(world).copies_forgiven, for_the_past);
    }
  }
}

TEST(Consents, OfAJoinedAccountRemembersWhatHadEndedBeforeANo) {
  SmallWorld world;
  world.Register("US");
  world.facts.joined_from.push_back({base::SubjectHandle{}, 1});
  PurposeChoice& no = world.facts.account().ChoiceFor(kReview);
  no.choice = Choice::kRefused;
  no.since = At("2026-01-02T12:00:00Z");
  no.refused_from = At("2026-01-01T12:00:00Z");  // the other one's
  const Instant given = world.next.time;
  world.Do(On(world, Account(), PurposeOf(kReview)));
  EXPECT_EQ(Review(world).refused_from, At("2026-01-01T12:00:00Z"));
  EXPECT_EQ(Review(world).OwedUntil(), given);
}

TEST(Consents, AControlsRefusalCoversWhatIsAddedToIt) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Off(Account(), ControlNamed("improve")));
  world.rules.controls[0].purposes.Add(Purpose::kPersonalisation);
  const auto effective = [&](Purpose p) { return EffectiveChoice(world.facts.account(), p, world.rules).choice; };
  EXPECT_EQ(effective(Purpose::kPersonalisation), Choice::kRefused);
  world.Do(On(world, Account(), PurposeOf(kReview)));
  EXPECT_EQ(effective(kReview), Choice::kGiven);
  EXPECT_EQ(effective(kFeature), Choice::kRefused);
  EXPECT_EQ(effective(Purpose::kPersonalisation), Choice::kRefused) << "one purpose on leaves the control's refusal";
  world.Do(On(world, Account(), ControlNamed("improve")));
  EXPECT_EQ(effective(Purpose::kPersonalisation), Choice::kGiven);
  EXPECT_TRUE(world.facts.account().refused_controls.empty());
}

TEST(Consents, AControlGivenUnderANarrowNoticeCoversWhatTheNoticeLists) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Off(Account(), ControlNamed("improve")));
  Command narrow = On(world, Account(), ControlNamed("improve"));
  narrow.proof.notice_version = "narrow";
  EXPECT_EQ(RefusalOf(world.Do(narrow)), Refusal::kNone);
  EXPECT_EQ(Review(world).choice, Choice::kGiven);
  EXPECT_EQ(world.facts.account().ChoiceFor(kFeature).choice, Choice::kRefused);
  EXPECT_EQ(world.facts.account().refused_controls.size(), 1U) << "not wholly on: what is added later stays refused";
}

TEST(Consents, RefusalOfAllStaysBehindASingleConsent) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Off(Account(), Target{}));
  world.Do(On(world, Account(), PurposeOf(kReview)));
  for (const Purpose purpose : kAllPurposes) {
    const Choice choice = EffectiveChoice(world.facts.account(), purpose, world.rules).choice;
    EXPECT_EQ(choice, purpose == kReview ? Choice::kGiven : Choice::kRefused) << static_cast<int>(purpose);
  }
  const Transition off = world.Do(Off(Account(), Target{}));
  EXPECT_TRUE(off.parts[0].changed);
  EXPECT_EQ(EffectiveChoice(world.facts.account(), kReview, world.rules).choice, Choice::kWithdrawn);
}

TEST(Consents, InAMixedRequestTheRestrictionsApplyWhateverBecomesOfTheRest) {
  SmallWorld world;
  world.Register("DE");
  world.Do(On(world, Account(), PurposeOf(kReview)));
  Command mixed;  // no etag, no evidence
  mixed.choices = {{Account(), PurposeOf(kFeature), true}, {Account(), PurposeOf(kReview), false}};
  mixed.retention = {{Account(), Months(3)}, {Device(1), Months(18)}};
  mixed.region = In("US");
  const Transition done = world.Do(mixed);
  ASSERT_EQ(done.parts.size(), 5U);
  EXPECT_EQ(done.parts[0].refusal, Refusal::kEtagRequired) << "the region";
  EXPECT_EQ(done.parts[1].refusal, Refusal::kEtagRequired);
  EXPECT_EQ(done.parts[2].refusal, Refusal::kNone);
  EXPECT_EQ(done.parts[3].refusal, Refusal::kNone);
  EXPECT_EQ(done.parts[4].refusal, Refusal::kNone);
  EXPECT_EQ(Review(world).choice, Choice::kWithdrawn);
  EXPECT_EQ(world.facts.account().ChoiceFor(kFeature).choice, Choice::kUnset);
  EXPECT_EQ(world.facts.region, In("DE"));
}

TEST(Consents, FlagsOnlyGrow) {
  RecordingState marks;
  marks.has_tombstone = true;
  marks.tombstone = TombstoneState::kDenied;
  marks.on_hold = true;
  RecordingState after = AddFlags(marks, Flags::kSafety, Instant{7});
  after = AddFlags(after, Flags::kAccidental, Instant{8});
  after = AddFlags(after, Flags::kSafety, Instant{9});
  after = AddFlags(after, 0, Instant{10});
  EXPECT_EQ(after.flags, Flags::kSafety | Flags::kAccidental);
  EXPECT_EQ(after.safety_since, Instant{7}) << "the first report of it";
  after.flags = 0;
  after.safety_since = Instant{};
  EXPECT_EQ(after, marks) << "and touch nothing else";
}

}  // namespace
}  // namespace consent::domain
