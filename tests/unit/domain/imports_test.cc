// An import fills what is unset and loosens nothing that is stored, in whatever order lines, runs and users come. The
// same commands as changes do loosen: the enumerations see it.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/domain/effective.h"
#include "daemon/domain/transitions_internal.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::imports_test {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;

// Who writes what an import should write: the import, or the wrong variant that forgets that it is one.
enum class Writer { kImport, kForgetsThatItIsOne };
enum class Event { kUserNo, kUserYes, kLineNo, kLineYes, kLineBoth };

struct Story {
  ScopeRef scope;
  Target no;
  Target yes;
  bool own_time = false;
  Writer writer = Writer::kImport;
};

Command Line(const SmallWorld& world, const Story& story) {
  Command line = Import(world);
  if (story.writer == Writer::kForgetsThatItIsOne) {
    line.proof.channel = Channel::kSupport;
  } else if (story.own_time) {
    line.proof.given_at = At("2026-01-10T00:00:00Z");
  }
  return line;
}

// As an importer does it: what the line says no to, who lives there, then its yes under the etag that this gave.
void WriteLine(SmallWorld& world, const Story& story, bool no, bool yes) {
  Command people = Line(world, story);
  people.registers = true;
  people.region = In("US");
  people.devices.push_back(base::DeviceHandle{Device(1).handle});
  people = WithProfile(people, 1, AnAdult());
  world.Do(people);
  Command choices = Line(world, story);
  if (yes) choices.choices.push_back({story.scope, story.yes, true});
  if (no) choices.choices.push_back({story.scope, story.no, false});
  world.Do(choices);
}

void Happen(SmallWorld& world, const Story& story, Event event) {
  switch (event) {
    case Event::kUserNo:
      world.Do(Off(story.scope, story.no));
      break;
    case Event::kUserYes:
      world.Do(On(world, story.scope, story.yes));
      break;
    case Event::kLineNo:
      WriteLine(world, story, true, false);
      break;
    case Event::kLineYes:
      WriteLine(world, story, false, true);
      break;
    case Event::kLineBoth:
      WriteLine(world, story, true, true);
      break;
  }
}

Decision Ask(const SmallWorld& world, Purpose purpose) {
  RecordingFacts recording;
  recording.captured_at = At("2026-02-20T00:00:00Z");
  recording.wake = Wake::kIntended;
  recording.kind = Kind::kCommand;
  recording.speakers = Speakers::kOne;
  recording.identity = Identity::kMatched;
  recording.age = SpeakerAge::kAdult;
  recording.profiles.push_back(base::ProfileHandle{Profile(1).handle});
  recording.device.bytes = Device(1).handle;
  const Place place{In("US"), "", ReviewerClass::kEmployee};
  return Decide(&world.facts, RecordingState{}, Question{recording, purpose, place, world.next.now}, world.rules);
}

bool RefusedBefore(const Decision& decision) {
  return decision.reasons.Has(Reason::kRefused) || decision.reasons.Has(Reason::kWithdrawn) ||
         decision.reasons.Has(Reason::kCapturedWhileRefused);
}

// What was stored and has moved towards more.
int Loosened(const SmallWorld& before, const SmallWorld& after) {
  int found = 0;
  for (const ScopeFacts& scope : before.facts.scopes) {
    const ScopeFacts* then = after.facts.Find(scope.kind, scope.handle);
    if (then == nullptr) return 1;
    for (const Purpose purpose : kAllPurposes) {
      const PurposeChoice was = EffectiveChoice(scope, purpose, before.rules);
      const PurposeChoice is = EffectiveChoice(*then, purpose, before.rules);
      if (SaysNo(was.choice) && !SaysNo(is.choice)) ++found;
      if (was.choice == Choice::kGiven && !SaysNo(is.choice) && !(is == was)) ++found;
    }
    if (scope.refused_all_since.IsSet() && !then->refused_all_since.IsSet()) ++found;
    if (scope.refused_controls.size() > then->refused_controls.size()) ++found;
  }
  for (const Purpose purpose : kAllPurposes) {
    const bool is_yes = Ask(after, purpose).eligibility == Eligibility::kEligible;
    if (is_yes && RefusedBefore(Ask(before, purpose))) ++found;
  }
  return found;
}

// How often the lines of all stories of four events loosened something.
int LoosenedByLines(Writer writer) {
  constexpr Event kEvents[] = {Event::kUserNo, Event::kUserYes, Event::kLineNo, Event::kLineYes, Event::kLineBoth};
  int found = 0;
  for (const ScopeRef& scope : {Account(), Profile(1), Device(1)}) {
    for (const Target& no : {PurposeOf(kReview), ControlNamed("improve"), Target{}}) {
      for (const Target& yes : {PurposeOf(kReview), ControlNamed("improve")}) {
        for (const bool own_time : {false, true}) {
          for (int order = 0; order < 5 * 5 * 5 * 5; ++order) {
            SmallWorld world;
            int rest = order;
            for (int step = 0; step < 4; ++step, rest /= 5) {
              const Event event = kEvents[rest % 5];
              const SmallWorld before = world;
              Happen(world, Story{scope, no, yes, own_time, writer}, event);
              if (event != Event::kUserNo && event != Event::kUserYes) found += Loosened(before, world);
            }
          }
        }
      }
    }
  }
  return found;
}

TEST(Imports, NoOrderOfLinesRunsAndUsersUndoesAChoice) { EXPECT_EQ(LoosenedByLines(Writer::kImport), 0); }

TEST(Imports, TheEnumerationCatchesAnImportThatForgetsThatItIsOne) {
  EXPECT_GT(LoosenedByLines(Writer::kForgetsThatItIsOne), 1000);
}

// A stored value beside choices, and a line that would loosen it. `more` is larger the more the value allows.
struct Stored {
  const char* name;
  std::function<void(SmallWorld&, Command)> said;  // by the command's writer, whoever that is
  std::function<void(Command&)> line;
  std::function<int64_t(const SmallWorld&)> more;
};

const ScopeFacts& Of(const SmallWorld& world, const ScopeRef& scope) {
  return *world.facts.Find(scope.kind, scope.handle);
}

void NameGuardian(Command& command, uint8_t guardian) {
  if (command.profiles.empty()) {
    command.profiles.emplace_back();
    command.profiles[0].profile.bytes = Profile(2).handle;
  }
  command.profiles[0].guardian = guardian == 0 ? base::GuardianHandle{} : Guardian(guardian);
}

std::vector<Stored> StoredValues() {
  const auto region = [](const char* name) { return [name](Command& c) { c.region = In(name); }; };
  const auto said = [](std::function<void(Command&)> say) {
    return [say](SmallWorld& world, Command command) {
      say(command);
      world.Do(command);
    };
  };
  const auto age = [](Age of) { return [of](Command& c) { c = WithProfile(c, 2, of); }; };
  const auto grown = [](const SmallWorld& w) { return -AdultFrom(Of(w, Profile(2)).age, 16).micros; };
  const auto keep = [](const ScopeRef& scope, Retention kept) {
    return [=](Command& c) { c.retention.push_back({scope, kept}); };
  };
  const auto kept = [](const ScopeRef& scope) {
    return [scope](const SmallWorld& w) { return internal::Strictness(Of(w, scope).retention); };
  };
  return {
      {"region", said(region("DE")), region("US"),
       [](const SmallWorld& w) { return w.facts.region == In("US") ? 1 : 0; }},
      {"subdivision", said(region("US-CA")), region("US"),
       [](const SmallWorld& w) { return w.facts.region == In("US") ? 1 : 0; }},
      {"child", said(age(AChild())), age(AnAdult()), grown},
      {"birth date", said(age(BornOn("2015-01-01"))), age(BornOn("2001-01-01")), grown},
      {"another guardian", said([](Command& c) { NameGuardian(c = WithProfile(c, 2, AChild()), 1); }),
       [](Command& c) { NameGuardian(c, 2); },
       [](const SmallWorld& w) { return Of(w, Profile(2)).guardian == Guardian(2) ? 1 : 0; }},
      {"no guardian", said([](Command& c) { NameGuardian(c = WithProfile(c, 2, AChild()), 0); }),
       [](Command& c) { NameGuardian(c, 1); },
       [](const SmallWorld& w) { return Of(w, Profile(2)).guardian.IsSet() ? 1 : 0; }},
      {"retention", said(keep(Account(), Months(3))), keep(Account(), Months(18)), kept(Account())},
      {"nothing saved", said(keep(Device(1), kNothingSaved)), keep(Device(1), kUntilDeleted), kept(Device(1))},
      {"activity", said(age(AChild())),
       [](Command& c) {
         c = WithProfile(c, 2, AChild());
         c.profiles[0].last_active = At("2026-12-01T00:00:00Z");
       },
       [](const SmallWorld& w) { return Of(w, Profile(2)).last_active.micros; }},
  };
}

TEST(Imports, NothingElseThatIsStoredMovesTowardsMoreEither) {
  for (const Stored& stored : StoredValues()) {
    for (const Channel said_by : {Channel::kApp, Channel::kImport}) {
      for (const bool own_time : {false, true}) {
        SmallWorld world;
        world.Register("DE");
        if (std::string_view(stored.name) == "subdivision") world.facts.region = Region{};
        Command said = Loosening(world);
        said.proof.channel = said_by;
        stored.said(world, said);
        world.GoTo(At("2026-12-02T00:00:00Z"));
        Command line = Import(world);
        if (own_time) line.proof.given_at = At("2026-01-10T00:00:00Z");
        stored.line(line);
        const int64_t before = stored.more(world);
        const Transition imported = world.Try(line);
        EXPECT_EQ(RefusalOf(imported), Refusal::kImportCannotLoosen) << stored.name;
        EXPECT_FALSE(imported.parts[0].detail.empty()) << stored.name << ": the cause";
        SmallWorld after = world;
        after.Do(line);
        EXPECT_LE(stored.more(after), before) << stored.name;
        // The wrong variant.
        line.proof.channel = Channel::kSupport;
        line.proof.given_at = Instant{};
        EXPECT_EQ(RefusalOf(world.Do(line)), Refusal::kNone) << stored.name;
        EXPECT_GT(stored.more(world), before) << stored.name;
      }
    }
  }
}

TEST(Imports, LeaveANewerConsentAndOneUnderAnotherNotice) {
  SmallWorld world;
  world.Register("DE");
  world.Do(On(world, Account(), PurposeOf(kReview)));
  const PurposeChoice given = world.facts.account().ChoiceFor(kReview);
  for (const char* notice : {"n1", "narrow", "old"}) {
    Command line = Import(world);
    line.choices.push_back({Account(), PurposeOf(kReview), true});
    line.proof.notice_version = notice;
    line.proof.given_at = At("2026-01-15T00:00:00Z");
    EXPECT_EQ(RefusalOf(world.Do(line)), Refusal::kImportCannotLoosen) << notice;
  }
  Command same = Import(world);
  same.choices.push_back({Account(), PurposeOf(kReview), true});
  const Transition again = world.Do(same);
  EXPECT_EQ(RefusalOf(again), Refusal::kNone);
  EXPECT_FALSE(again.parts[0].changed) << "an import renews nothing";
  EXPECT_EQ(world.facts.account().ChoiceFor(kReview), given);
  world.GoTo(base::AddMonths(given.since, 13));
  same.expected_revision = world.facts.revision;
  EXPECT_EQ(RefusalOf(world.Do(same)), Refusal::kImportCannotLoosen) << "nor revives one that has expired";
}

TEST(Imports, FillWhatIsUnsetOnceAndSayWhenItWasGiven) {
  SmallWorld world;
  world.Register("DE");
  Command line = Import(world);
  line.choices.push_back({Account(), ControlNamed("improve"), true});
  line.proof.given_at = At("2026-01-15T00:00:00Z");
  line.proof.notice_version = "old";
  EXPECT_EQ(RefusalOf(world.Do(line)), Refusal::kNone) << "valid when it was given; superseded since like any other";
  EXPECT_TRUE(world.facts.account().ChoiceFor(kReview).imported);
  EXPECT_EQ(world.facts.account().ChoiceFor(kReview).since, At("2026-01-15T00:00:00Z"));
  for (const char* unseen : {"2026-02-15T00:00:00Z", "2025-12-31T23:59:59Z"}) {
    line.expected_revision = world.facts.revision;
    line.proof.given_at = At(unseen);
    EXPECT_EQ(RefusalOf(world.Try(line)), Refusal::kNoticeNotUsable) << "the notice was not there";
  }
  line.proof.notice_version = "n1";
  line.proof.given_at = world.next.time + base::Microseconds(1);
  EXPECT_EQ(RefusalOf(world.Try(line)), Refusal::kImportCannotLoosen) << "in the future";
}

TEST(Imports, AGuardiansConsentOfBeforeHeWasNamedDoesNotCount) {
  SmallWorld world;
  world.Register("DE");
  Command child = WithProfile(Loosening(world), 2, AChild());
  NameGuardian(child, 1);
  const Instant named = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(child)), Refusal::kNone);
  Command line = Import(world);
  line.choices.push_back({Profile(2), PurposeOf(kReview), true});
  line.proof.actor = Actor::kGuardian;
  line.proof.guardian = Guardian(1);
  line.proof.given_at = named - base::Microseconds(1);
  EXPECT_EQ(RefusalOf(world.Try(line)), Refusal::kGuardianRequired);
  line.proof.given_at = named;
  EXPECT_EQ(RefusalOf(world.Try(line)), Refusal::kNone);
}

TEST(Imports, DoNotAnswerForWhoWantedEverythingDeleted) {
  SmallWorld world;
  world.Register("US");
  world.facts.default_denied = world.next.time;
  Command line = Import(world);
  line.choices.push_back({Account(), PurposeOf(kReview), true});
  EXPECT_EQ(RefusalOf(world.Try(line)), Refusal::kImportCannotLoosen);
  EXPECT_EQ(RefusalOf(world.Try(On(world, Account(), PurposeOf(kReview)))), Refusal::kNone);
}

TEST(Imports, GiveNothingOfTheClosedOnesToTheAccountThatIsStartedAnew) {
  for (const bool own_time : {false, true}) {
    SmallWorld world;
    world.Register("DE");
    world.facts.closed_at = world.next.time - base::Hours(2);
    world.facts.reopened_at = world.next.time - base::Hours(1);
    Command line = Import(world);
    line.choices.push_back({Account(), PurposeOf(kReview), true});
    if (own_time) line.proof.given_at = world.next.time - base::Seconds(90 * 60);
    EXPECT_EQ(RefusalOf(world.Try(line)), Refusal::kImportCannotLoosen) << own_time;
    if (own_time) line.proof.given_at = world.next.time - base::Seconds(60);
    EXPECT_EQ(RefusalOf(world.Try(line)), own_time ? Refusal::kNone : Refusal::kImportCannotLoosen);
  }
}

TEST(Imports, BringBackNothingThatWasRemoved) {
  for (const ScopeRef& scope : {Profile(1), Device(1)}) {
    SmallWorld world;
    world.Register("US");
    world.Do(Off(scope, PurposeOf(kReview)));
    Command removal = Loosening(world);
    removal.removals = {scope};
    SmallWorld removed = world;
    removal.proof.channel = Channel::kImport;
    EXPECT_EQ(RefusalOf(world.Try(removal)), Refusal::kImportCannotLoosen);
    removal.proof.channel = Channel::kApp;
    ASSERT_EQ(RefusalOf(world.Do(removal)), Refusal::kNone);
    Command line = Import(world);
    if (scope.kind == ScopeKind::kDevice) {
      line.devices.push_back(base::DeviceHandle{scope.handle});
    } else {
      line = WithProfile(line, 1, AnAdult());
    }
    EXPECT_EQ(RefusalOf(world.Try(line)), Refusal::kImportCannotLoosen);
  }
}

TEST(Imports, RestrictLikeAnybody) {
  SmallWorld world;
  world.Register("US");
  Command line;
  line.proof.channel = Channel::kImport;
  line.region = In("DE");
  line = WithProfile(line, 1, AChild());
  line.choices = {{Account(), Target{}, false}};
  line.retention = {{Account(), Months(3)}};
  for (const PartOutcome& part : world.Do(line).parts) EXPECT_EQ(part.refusal, Refusal::kNone);
  EXPECT_EQ(world.facts.region, In("DE"));
  EXPECT_EQ(Of(world, Profile(1)).age.kind, AgeKind::kChild);
  EXPECT_TRUE(SaysNo(world.facts.account().ChoiceFor(kReview).choice));
  EXPECT_EQ(world.facts.account().retention, Months(3));
}

// It fills what is unset and says noes: a region that is as strict as the stored one is neither.
TEST(Imports, LeaveARegionThatIsAsStrict) {
  for (const auto& [stored, imported, counts] :
       {std::tuple("FR", "IT", false), std::tuple("DE", "GB", true), std::tuple("GB", "DE", false)}) {
    SmallWorld world;
    world.Register(stored);
    Command line;
    line.proof.channel = Channel::kImport;
    line.region = In(imported);
    EXPECT_EQ(RefusalOf(world.Do(line)), counts ? Refusal::kNone : Refusal::kImportCannotLoosen) << imported;
    EXPECT_EQ(world.facts.region, In(counts ? imported : stored)) << stored;
  }
}

// A later yes is entered as a change, and counts from its entry.
TEST(Imports, ALaterYesOnPaperIsAChange) {
  SmallWorld world;
  world.Register("US");
  world.Do(Off(Account(), PurposeOf(kReview)));
  Command paper = On(world, Account(), PurposeOf(kReview));
  paper.proof.channel = Channel::kSupport;
  paper.proof.given_at = world.next.time - base::Days(1);
  EXPECT_EQ(RefusalOf(world.Try(paper)), Refusal::kNoticeNotUsable) << "the paper's date is no time of its own";
  paper.proof.given_at = Instant{};
  const Instant entered = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(paper)), Refusal::kNone);
  EXPECT_EQ(world.facts.account().ChoiceFor(kReview).since, entered);
}

}  // namespace
}  // namespace consent::domain::imports_test
