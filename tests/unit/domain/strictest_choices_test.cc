// What becomes of one choice where two records become one: a table of what both said, and what of it stays. The random
// cases of strictest_test.cc ask whether an answer is safe; these hold each fact that it is made of.
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "daemon/domain/strictest.h"
#include "tests/unit/domain/two_records.h"

namespace consent::domain::strictest_choices_test {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;
PurposeChoice Unset() { return PurposeChoice{}; }
PurposeChoice Yes(int64_t since, int64_t last = 0) {
  PurposeChoice choice;
  choice.choice = Choice::kGiven;
  choice.notice = 7;
  choice.since = T(since);
  choice.renewed = T(last);
  return choice;
}
PurposeChoice No(int64_t since, Choice choice = Choice::kRefused) {
  PurposeChoice no;
  no.choice = choice;
  no.since = T(since);
  return no;
}
PurposeChoice Inherited(int64_t since) {
  PurposeChoice no = No(since);
  no.inherited = true;
  return no;
}
enum class End { kRefused, kExpired, kForgiven };
PurposeChoice Ended(PurposeChoice choice, int64_t at, End how = End::kRefused) {
  choice.refused_from = T(at);
  choice.end_was_expiry = how == End::kExpired;
  choice.copies_forgiven = how == End::kForgiven;
  return choice;
}
// Denied from the first of several ends, and owed until the last one.
PurposeChoice OwedUntil(int64_t at, PurposeChoice choice) {
  choice.copies_owed_until = T(at);
  return choice;
}
PurposeChoice Unconfirmed(PurposeChoice choice) {
  choice.unconfirmed = true;
  return choice;
}
PurposeChoice With(PurposeChoice choice, bool PurposeChoice::*field) {
  choice.*field = true;
  return choice;
}
PurposeChoice Since(PurposeChoice choice, int64_t since) {
  choice.since = T(since);
  return choice;
}

// One side of a row: what a scope says, by itself and as a whole.
struct Said {
  PurposeChoice choice;
  std::vector<ControlRefusal> controls = {};
  int64_t refused_all = 0;
  bool registered = true;
};
struct Row {
  std::string what;
  Said a;
  Said b;
  PurposeChoice stays;
};

SubjectFacts Record(const Said& said, ScopeKind kind) {
  SubjectFacts facts;
  facts.registered = facts.account().registered = said.registered;
  if (kind != ScopeKind::kAccount) {
    facts.scopes.emplace_back();
    facts.scopes.back().kind = kind;
    facts.scopes.back().handle[0] = 1;
    facts.scopes.back().registered = true;
    if (kind == ScopeKind::kProfile) facts.scopes.back().age.kind = AgeKind::kAdult;
  }
  ScopeFacts& scope = facts.scopes.back();
  scope.ChoiceFor(kReview) = said.choice;
  scope.refused_controls.assign(said.controls.begin(), said.controls.end());
  scope.refused_all_since = T(said.refused_all);
  return facts;
}

std::string Text(const PurposeChoice& c) {
  std::string text = std::to_string(static_cast<int>(c.choice)) + " notice " + std::to_string(c.notice);
  const auto time = [&text](const char* name, Instant at) {
    if (at.IsSet()) text += std::string(" ") + name + " " + std::to_string(at.micros / 1'000'000);
  };
  time("since", c.since);
  time("renewed", c.renewed);
  time("refused_from", c.refused_from);
  time("owed until", c.copies_owed_until);
  const auto flag = [&text](const char* name, bool is) { text += is ? std::string(" ") + name : std::string(); };
  flag("by_guardian", c.by_guardian);
  flag("by_other", c.by_other);
  flag("imported", c.imported);
  flag("inherited", c.inherited);
  flag("has_ended", c.has_ended);
  flag("end_was_expiry", c.end_was_expiry);
  flag("copies_forgiven", c.copies_forgiven);
  flag("was_suspended", c.was_suspended);
  flag("unconfirmed", c.unconfirmed);
  return text;
}

void Hold(std::initializer_list<ScopeKind> kinds, const std::vector<Row>& rows) {
  for (const ScopeKind kind : kinds) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.what + " of scope kind " + std::to_string(static_cast<int>(kind)));
      const SubjectFacts a = Record(row.a, kind);
      const SubjectFacts b = Record(row.b, kind);
      for (const SubjectFacts& joined : {Strictest(a, b, kJoinedAt), Strictest(b, a, kJoinedAt)}) {
        EXPECT_EQ(Text(joined.scopes.back().ChoiceFor(kReview)), Text(row.stays));
      }
    }
  }
}
constexpr auto kPeople = {ScopeKind::kAccount, ScopeKind::kProfile};
constexpr auto kAll = {ScopeKind::kAccount, ScopeKind::kProfile, ScopeKind::kDevice};

TEST(StrictestChoices, ALaterCaptureAndAnEarlierLifetimeOfTwoYeses) {
  Hold(kAll, {
                 {"the earlier was given again", {Yes(10, 20)}, {Yes(15)}, Yes(15)},
                 {"the later was given again", {Yes(10)}, {Yes(15, 30)}, Yes(15, 10)},
                 {"both were, the earlier one first", {Yes(10, 20)}, {Yes(15, 30)}, Yes(15, 20)},
                 {"both were, the later one first", {Yes(10, 40)}, {Yes(15, 30)}, Yes(15, 30)},
             });
}

// Whether the earlier yes came before the person's adulthood hangs on the law of the day, and its time is gone.
TEST(StrictestChoices, AYesThatIsPerhapsAChildsIsNotConfirmed) {
  const auto joined = [](const PurposeChoice& a, const PurposeChoice& b) {
    SubjectFacts of_a = Record({a}, ScopeKind::kProfile);
    SubjectFacts of_b = Record({b}, ScopeKind::kProfile);
    for (SubjectFacts* facts : {&of_a, &of_b}) {
      facts->scopes.back().age.kind = AgeKind::kBorn;
      facts->scopes.back().age.born = base::Date{15'000};
    }
    return Strictest(of_a, of_b, kJoinedAt).scopes.back().ChoiceFor(kReview);
  };
  EXPECT_TRUE(joined(Yes(10, 20), Yes(15)).unconfirmed);
  EXPECT_TRUE(joined(Yes(15, 30), Yes(10, 40)).unconfirmed);
  EXPECT_FALSE(joined(Yes(10), Yes(15)).unconfirmed) << "the record has the earlier one's time";
  EXPECT_FALSE(joined(Yes(15, 20), Yes(15, 30)).unconfirmed);
}

TEST(StrictestChoices, WhatWeakensOneYesWeakensBoth) {
  for (bool PurposeChoice::*field : {&PurposeChoice::by_other, &PurposeChoice::imported, &PurposeChoice::has_ended,
                                     &PurposeChoice::was_suspended, &PurposeChoice::unconfirmed}) {
    Hold(kAll, {
                   {"the earlier", {With(Yes(10), field)}, {Yes(15)}, With(Yes(15, 10), field)},
                   {"the later", {Yes(10)}, {With(Yes(15), field)}, With(Yes(15, 10), field)},
                   {"neither", {Yes(10)}, {Yes(15)}, Yes(15, 10)},
               });
  }
}

TEST(StrictestChoices, AYesOfTwoWaysIsNotConfirmed) {
  PurposeChoice other_notice = Yes(15);
  other_notice.notice = 8;
  PurposeChoice of_both = Unconfirmed(Yes(15, 10));
  of_both.notice = 8;
  const PurposeChoice by_guardian = With(Yes(10), &PurposeChoice::by_guardian);
  Hold(kAll, {
                 {"two notices", {Yes(10)}, {other_notice}, of_both},
                 {"a guardian and the person, the guardian first", {by_guardian}, {Yes(15)}, Unconfirmed(Yes(15, 10))},
                 {"a guardian and the person, the person first",
                  {by_guardian},
                  {Yes(5)},
                  Unconfirmed(With(Yes(10, 5), &PurposeChoice::by_guardian))},
                 {"guardians both",
                  {by_guardian},
                  {With(Yes(15), &PurposeChoice::by_guardian)},
                  With(Yes(15, 10), &PurposeChoice::by_guardian)},
             });
}

TEST(StrictestChoices, AGuardiansYesForOneAgeIsNotOneForAnother) {
  const PurposeChoice by_guardian = With(Yes(10), &PurposeChoice::by_guardian);
  for (const bool by : {true, false}) {
    SubjectFacts a = Record({by ? by_guardian : Yes(10)}, ScopeKind::kProfile);
    SubjectFacts b = a;
    a.scopes.back().age.kind = b.scopes.back().age.kind = AgeKind::kBorn;
    a.scopes.back().age.born = base::Date{15'000};
    b.scopes.back().age.born = base::Date{15'001};
    EXPECT_EQ(Strictest(a, b, kJoinedAt).scopes.back().ChoiceFor(kReview).unconfirmed, by);
    EXPECT_EQ(Strictest(b, a, kJoinedAt).scopes.back().ChoiceFor(kReview).unconfirmed, by);
    b.scopes.back().age = a.scopes.back().age;
    EXPECT_FALSE(Strictest(a, b, kJoinedAt).scopes.back().ChoiceFor(kReview).unconfirmed);
  }
}

// A control that was refused after one yes and before the other may come to list the purpose.
TEST(StrictestChoices, AYesThatAControlsRefusalMayOverrideIsNotConfirmed) {
  const auto refused = [](int64_t at) { return std::vector<ControlRefusal>{{3, T(at)}}; };
  Hold(kAll, {
                 {"between them, of the earlier", {Yes(10), refused(15)}, {Yes(20)}, Unconfirmed(Yes(20, 10))},
                 {"at the earlier", {Yes(10), refused(10)}, {Yes(20)}, Unconfirmed(Yes(20, 10))},
                 {"before the earlier", {Yes(10), refused(9)}, {Yes(20)}, Yes(20, 10)},
                 {"at the later", {Yes(10), refused(20)}, {Yes(20)}, Yes(20, 10)},
                 {"after the later", {Yes(10), refused(25)}, {Yes(20)}, Yes(20, 10)},
                 {"the latest of several", {Yes(10), {{3, T(9)}, {4, T(12)}}}, {Yes(20)}, Unconfirmed(Yes(20, 10))},
                 {"between them, of the later, which came after", {Yes(10)}, {Yes(20), refused(15)}, Yes(20, 10)},
                 {"at the later, of the later: it still wins", {Yes(10)}, {Yes(20), refused(20)}, Yes(20, 10)},
             });
}

TEST(StrictestChoices, AYesOfOneAloneIsNotConfirmed) {
  Hold(kPeople, {
                    {"the other never chose", {Yes(10, 12)}, {Unset()}, Unconfirmed(Yes(10, 12))},
                    {"the other was removed since", {Yes(10)}, {Since(Unset(), 30)}, Unconfirmed(Yes(30, 10))},
                    {"the other had ended", {Yes(10)}, {Ended(Unset(), 5)}, Unconfirmed(Ended(Yes(10), 5))},
                });
}

// No device's consent is needed, so one that never chose takes nothing away.
TEST(StrictestChoices, ADeviceThatNeverChoseAllowsWhatTheOtherOneDoes) {
  const auto refused = [](int64_t at) { return std::vector<ControlRefusal>{{3, T(at)}}; };
  Hold({ScopeKind::kDevice},
       {
           {"never chose", {Yes(10, 12)}, {Unset()}, Yes(10, 12)},
           {"was not confirmed", {Unconfirmed(Yes(10))}, {Unset()}, Unconfirmed(Yes(10))},
           {"said no once", {Yes(10)}, {Ended(Unset(), 5)}, Unconfirmed(Ended(Yes(10), 5))},
           {"expired once",
            {Yes(10)},
            {Ended(Unset(), 5, End::kExpired)},
            Unconfirmed(Ended(Yes(10), 5, End::kExpired))},
           {"refused a control before it was given", {Yes(10)}, {Unset(), refused(8)}, Unconfirmed(Yes(10))},
           {"refused a control as it was given", {Yes(10)}, {Unset(), refused(10)}, Yes(10)},
           {"the one that was given refused a control", {Yes(10), refused(8)}, {Unset()}, Yes(10)},
       });
}

TEST(StrictestChoices, ANoOfEitherStays) {
  Hold(kAll, {
                 {"the later of two", {No(10, Choice::kWithdrawn)}, {No(20)}, Ended(No(20), 10)},
                 {"withdrawn, of two at once", {No(10)}, {No(10, Choice::kWithdrawn)}, No(10, Choice::kWithdrawn)},
                 {"the other said yes later", {No(10)}, {Yes(20)}, No(10)},
                 {"the other never chose", {No(10, Choice::kWithdrawn)}, {Unset()}, No(10, Choice::kWithdrawn)},
                 {"with what had ended before both",
                  {Ended(No(10), 4)},
                  {Ended(Yes(20), 15)},
                  OwedUntil(15, Ended(No(10), 4))},
                 {"and with what the other one had ended", {No(10)}, {Ended(Yes(20), 15)}, Ended(No(10), 15)},
             });
}

// One that a scope which is gone perhaps said purges nothing, so it forgives nothing that is owed.
TEST(StrictestChoices, ANoThatPerhapsAnotherSaidGivesWayToOneThatWasSaid) {
  Hold(kAll, {
                 {"both inherited", {Inherited(10)}, {Inherited(20)}, Inherited(20)},
                 {"the later one was said", {Inherited(10)}, {No(20)}, No(20)},
                 {"the earlier one was said", {Inherited(20)}, {No(10)}, Ended(No(20), 10)},
                 {"the other says yes", {Inherited(10)}, {Yes(20)}, Inherited(10)},
                 {"the other owes", {Inherited(10)}, {Ended(Yes(20), 15)}, Ended(Inherited(10), 15)},
                 {"both owe", {Ended(Inherited(10), 6)}, {Ended(Unset(), 4)}, OwedUntil(6, Ended(Inherited(10), 4))},
             });
}

TEST(StrictestChoices, ARefusalOfEverythingIsANoOfEachPurpose) {
  Hold(kAll, {
                 {"said to one", {Unset(), {}, 10}, {Yes(20)}, No(10)},
                 {"that forgets what ended before", {Ended(Unset(), 3), {}, 10}, {Unset()}, No(10)},
                 {"said after a yes", {Yes(5), {}, 10}, {Yes(20)}, No(10)},
                 {"said as the yes was", {Yes(10), {}, 10}, {Yes(20)}, No(10)},
                 {"said before the yes", {Yes(12), {}, 10}, {Yes(20)}, Yes(20, 12)},
                 {"beside a no of its own", {No(5, Choice::kWithdrawn), {}, 10}, {Unset()}, No(5, Choice::kWithdrawn)},
                 {"said to one of two that say the same", {Yes(5), {}, 10}, {Yes(5)}, No(10)},
                 {"said to both, the later counts", {Unset(), {}, 10}, {Unset(), {}, 12}, Ended(No(12), 10)},
             });
}

TEST(StrictestChoices, WhoWasOnlyNamedByRestrictionsHasAgreedToNothing) {
  Said never{Yes(15)};
  never.registered = false;
  Said same{Yes(10)};
  same.registered = false;
  Hold(kAll, {
                 {"beside another yes", {Yes(10)}, never, Unconfirmed(Yes(15, 10))},
                 {"beside the same", {Yes(10)}, same, Unconfirmed(Yes(10))},
             });
}

// What one denies both deny, and what one owes both owe: from the first end on, until the last one.
TEST(StrictestChoices, OfTwoEndsTheFirstDeniesAndTheLastOwes) {
  struct Ends {
    std::string what;
    int64_t a;
    End how_a;
    int64_t b;
    End how_b;
    int64_t stays;
    End how;
    int64_t owed = 0;
  };
  const auto hold = [](std::initializer_list<ScopeKind> kinds, const std::vector<Ends>& rows) {
    for (const Ends& ends : rows) {
      const auto both = [&](const PurposeChoice& choice) {
        return OwedUntil(ends.owed, Ended(choice, ends.stays, ends.how));
      };
      Hold(kinds, {{ends.what + ", two yeses",
                    {Ended(Yes(40), ends.a, ends.how_a)},
                    {Ended(Yes(50), ends.b, ends.how_b)},
                    both(Yes(50, 40))},
                   {ends.what + ", both silent",
                    {Ended(Unset(), ends.a, ends.how_a)},
                    {Ended(Unset(), ends.b, ends.how_b)},
                    both(Unset())},
                   {ends.what + ", a no beside it",
                    {Ended(No(50), ends.a, ends.how_a)},
                    {Ended(Yes(40), ends.b, ends.how_b)},
                    both(No(50))}});
    }
  };
  hold(kAll, {
                 {"two refusals", 10, End::kRefused, 20, End::kRefused, 10, End::kRefused, 20},
                 {"two that are forgiven", 10, End::kForgiven, 20, End::kForgiven, 10, End::kForgiven},
                 {"a forgiven one is owed by the other", 20, End::kForgiven, 10, End::kRefused, 10, End::kRefused},
                 {"forgiven earlier", 5, End::kForgiven, 10, End::kRefused, 10, End::kRefused},
                 {"two expiries", 10, End::kExpired, 20, End::kExpired, 10, End::kExpired, 20},
             });
  hold(kPeople, {
                    {"an expiry after a refusal", 20, End::kExpired, 10, End::kRefused, 10, End::kRefused, 20},
                    {"a refusal after an expiry", 10, End::kExpired, 20, End::kRefused, 20, End::kRefused},
                });
  hold({ScopeKind::kDevice}, {
                                 {"an expiry of a device", 20, End::kExpired, 10, End::kRefused, 10, End::kRefused},
                                 {"the other way round", 10, End::kRefused, 20, End::kExpired, 10, End::kRefused},
                             });
  Hold(kAll, {
                 {"of one alone", {Ended(Yes(40), 10)}, {Yes(50)}, Ended(Yes(50, 40), 10)},
                 {"of one that is silent", {Ended(Unset(), 10)}, {Unset()}, Ended(Unset(), 10)},
                 {"none", {Yes(40)}, {Yes(50)}, Yes(50, 40)},
             });
}

}  // namespace
}  // namespace consent::domain::strictest_choices_test
