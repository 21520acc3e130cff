// Single stories of restores.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include <filesystem>
#include <fstream>

#include "daemon/service/rows/deletion_rows.h"
#include "tests/unit/restore/life.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::Purpose;
using restore::Step;

constexpr Step kSteps[] = {Step::kVerifyBackup, Step::kVerifyJournal, Step::kCopy,
                           Step::kReplay,       Step::kErase,         Step::kPublish};

// Of the process that is to die: where, and at which step.
constexpr char kFolder[] = "CONSENT_TEST_RESTORE_FOLDER";
constexpr char kStep[] = "CONSENT_TEST_RESTORE_STEP";

// Started by RestoreInAnotherProcess alone.
TEST(RestoreThatDies, DISABLED_AtAStep) {
  const char* const folder = std::getenv(kFolder);
  const char* const step = std::getenv(kStep);
  ASSERT_TRUE(folder != nullptr && step != nullptr);
  const auto killed = static_cast<Step>(std::atoi(step));
  (void)Life::RestoreIn(folder, [killed](Step now) {
    if (now == killed) (void)raise(SIGKILL);
  });
}

// The signal that ended it; 0: none did.
int RestoreInAnotherProcess(const Life& life, Step killed) {
  const std::string folder = std::string(kFolder) + "=" + life.folder();
  const std::string step = std::string(kStep) + "=" + std::to_string(static_cast<int>(killed));
  std::string program = "/proc/self/exe";
  std::string also = "--gtest_also_run_disabled_tests";
  std::string filter = "--gtest_filter=RestoreThatDies.*";
  char* arguments[] = {program.data(), also.data(), filter.data(), nullptr};
  char* environment[] = {const_cast<char*>(folder.c_str()), const_cast<char*>(step.c_str()), nullptr};
  pid_t child = 0;
  int status = 0;
  if (posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment) != 0) return 0;
  return waitpid(child, &status, 0) == child && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

struct RestoreStory : testing::Test {
  RestoreStory() {
    life.deleting().Register(System("audio"));
    EXPECT_TRUE(world().Register("a", "US").ok());
  }
  World& world() { return life.world(); }
  Reply Confirm(const std::string& account) {
    service::ChangeRequest request = world().Request(account, service::ChangeKind::kUpdateSettings);
    request.command.expected_revision = world().RevisionOf(account);
    request.command.proof = world().Proof(Given{});
    request.command.confirms_restored = true;
    return world().Submit(std::move(request));
  }
  Life life;
};

TEST_F(RestoreStory, ARefusalSinceTheBackupStaysAndALooseningWaits) {
  EXPECT_TRUE(world().Register("b", "US").ok());
  EXPECT_TRUE(world().OptOut("b", Account(), Everything()).ok());
  life.Backup();
  EXPECT_TRUE(world().OptOut("a", Account(), Control("help_improve")).ok());
  EXPECT_TRUE(world().OptIn("b", Account(), Control("help_improve"), Under("past")).ok());
  ASSERT_TRUE(IsYes(world().Check("b")));
  life.Lose();
  const restore::Report report = life.Restore();
  EXPECT_EQ(report.subjects, 2U);
  EXPECT_EQ(report.loosened, 1U);
  EXPECT_EQ(Text(world().Check("a")), "KEEP no: REFUSED") << "restricted alone: nothing to confirm";
  EXPECT_TRUE(world().Check("b").reasons.Has(domain::Reason::kRestored)) << Text(world().Check("b"));
  Recording copy(world().clock.Now() - base::Seconds(30));
  copy.Copy(domain::Artefact::kReviewCopy, Purpose::kHumanReview);
  EXPECT_EQ(world().Check("b", copy).disposition, domain::Disposition::kKeep) << "it was kept";
  EXPECT_TRUE(Confirm("b").ok());
  EXPECT_EQ(Text(world().Check("b")), "KEEP no: REFUSED") << "what was restored stands";
  EXPECT_TRUE(world().OptIn("b", Account(), Control("help_improve"), Under("past")).ok());
  EXPECT_TRUE(IsYes(world().Check("b")));
}

TEST_F(RestoreStory, TheHistorySaysIt) {
  life.Backup();
  EXPECT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  life.Lose();
  life.Restore();
  const auto history = world().reads().History(world().Handle("a"), 10, 0);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->items.size(), 2U);
  EXPECT_EQ(history->items[0].row.kind, service::ChangeKind::kRestored);
  EXPECT_EQ(history->items[1].row.kind, service::ChangeKind::kUpsertSubject);
}

TEST_F(RestoreStory, WithTheSecretARequestSinceTheBackupIsDone) {
  life.Backup();
  const service::DeletionPlace place = life.deleting().Ask("a", life.deleting().Recordings({"r"}));
  life.Lose();
  life.Restore();
  EXPECT_EQ(life.deleting().Get(place).state, DeletionState::kAccepted);
  EXPECT_EQ(Text(world().Check("a", Recording().Id("r"), Purpose::kNone)), "PURGE: DELETED");
  const std::vector<service::LeasedTask> tasks = life.deleting().Lease("audio");
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].payload.account_id, "a");
  EXPECT_TRUE(life.deleting().End("audio", tasks[0]).ok());
  EXPECT_EQ(life.deleting().Get(place).state, DeletionState::kCompleted);
}

TEST_F(RestoreStory, WithoutItARequestNeedsItsIdsUntilItIsSentAgain) {
  life.Backup();
  const service::DeletionPlace named = life.deleting().Ask("a", life.deleting().Recordings({"r"}));
  const service::DeletionPlace all = life.deleting().Ask("a", AllOfIt());
  life.Lose();
  const restore::Report report = life.Restore(/*with_secret=*/false);
  EXPECT_EQ(report.requests_needing_ids, 2U);
  EXPECT_EQ(world().core().deletions.needing_ids(), 2U);
  EXPECT_TRUE(life.deleting().Get(named).needs_ids);
  EXPECT_EQ(Text(world().Check("a", Recording().Id("r"), Purpose::kNone)), "PURGE: DELETED");
  EXPECT_TRUE(life.deleting().Lease("audio").empty()) << "nobody knows what to tell";
  const auto again = life.deleting().TryAsk("a", life.deleting().Recordings({"r"}));
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->place, named);
  EXPECT_FALSE(life.deleting().Get(named).needs_ids);
  EXPECT_TRUE(life.deleting().Get(all).needs_ids);
  ASSERT_TRUE(life.deleting().TryAsk("a", AllOfIt()).ok());
  EXPECT_FALSE(life.deleting().Get(all).needs_ids)
      << "an open-ended one is another request, and names the same account";
  EXPECT_EQ(world().core().deletions.needing_ids(), 0U);
  while (life.deleting().Work("audio") > 0) {
  }
  EXPECT_EQ(life.deleting().Get(named).state, DeletionState::kCompleted);
  EXPECT_EQ(life.deleting().Get(all).state, DeletionState::kCompleted);
}

TEST_F(RestoreStory, ACancelledRequestStaysCancelled) {
  const service::DeletionPlace before = life.deleting().Ask("a", Within(world().Now() - base::Days(2), world().Now()));
  life.Backup();
  const service::DeletionPlace since = life.deleting().Ask("a", AllOfIt(), DeletionState::kReceived);
  ASSERT_TRUE(life.deleting().Cancel(before).ok());
  ASSERT_TRUE(life.deleting().Cancel(since).ok());
  const std::string was = Text(world().Check("a", Recording(world().Now() - base::Hours(3))));
  life.Lose();
  life.Restore();
  EXPECT_EQ(life.deleting().Get(before).state, DeletionState::kCancelled);
  EXPECT_EQ(life.deleting().Get(since).state, DeletionState::kCancelled);
  EXPECT_TRUE(world().Facts("a").tombstones.empty());
  EXPECT_EQ(Text(world().Check("a", Recording(world().Now() - base::Hours(3)))), was);
  EXPECT_TRUE(life.deleting().Lease("audio").empty());
}

TEST_F(RestoreStory, OfSeveralClosuresTheLastOneDecides) {
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  closure.captured = domain::OrderedTimes::Always();
  for (const bool ends_closed : {true, false}) {
    const std::string account = ends_closed ? "closed" : "open";
    EXPECT_TRUE(world().Register(account, "US").ok());
    if (ends_closed) life.Backup();
    ASSERT_TRUE(life.deleting().Cancel(life.deleting().Ask(account, closure)).ok());
    const service::DeletionPlace last = life.deleting().Ask(account, closure);
    if (!ends_closed) {
      ASSERT_TRUE(life.deleting().Cancel(last).ok());
    }
  }
  life.Lose();
  life.Restore();
  EXPECT_EQ(Text(world().Check("closed", Purpose::kNone)), "PURGE: DELETED, ACCOUNT_CLOSED");
  EXPECT_FALSE(world().Facts("open").closed_at.IsSet());
  while (life.deleting().Work("audio") > 0) {
  }
  EXPECT_TRUE(domain::IsForgotten(world().Facts("closed"))) << "and it is erased";
}

TEST_F(RestoreStory, AHoldThatWasReleasedIsInForceAgainAndCanBeReleased) {
  const service::HoldPlace place = life.deleting().Hold("a", {});
  life.Backup();
  ASSERT_TRUE(life.deleting().Release(place).ok());
  const service::HoldPlace since = life.deleting().Hold("a", life.deleting().HeldRecordings({"r"}));
  life.Lose();
  const restore::Report report = life.Restore();
  EXPECT_EQ(report.holds_needing_ids, 0U);
  EXPECT_EQ(world().Check("a").disposition, domain::Disposition::kHold);
  EXPECT_TRUE(life.deleting().Release(place).ok());
  EXPECT_TRUE(life.deleting().Release(since).ok());
  EXPECT_EQ(world().Check("a").disposition, domain::Disposition::kKeep);
}

// The report came after the backup: nobody knows its ids any more, but what it holds, and until when.
TEST_F(RestoreStory, WhatAReportOfSafetyHoldsIsHeldUntilItsEnd) {
  test::PolicyBuilder policy("v-safety");
  policy.policy().set_safety_hold_hours(72);
  ASSERT_TRUE(world().Activate(policy).ok());
  const service::DeletionPlace place = life.deleting().Ask("a", life.deleting().Recordings({"recording"}));
  life.Backup();
  ASSERT_TRUE(world().Report("a", "recording", domain::Flags::kSafety).ok());
  life.Lose();
  (void)life.Restore();
  EXPECT_EQ(Text(world().Check("a", Purpose::kNone)), "HOLD: SAFETY_HOLD, DELETED");
  EXPECT_EQ(world().core().safety_flags.open(), 1U);
  EXPECT_EQ(life.deleting().Work("audio"), 0U);
  EXPECT_TRUE(world().safety_flags().List({}, false, 10, {}).ok());
  world().Wait(base::Hours(73));
  EXPECT_EQ(Text(world().Check("a", Purpose::kNone)), "PURGE: DELETED");
  EXPECT_EQ(life.deleting().Work("audio"), 1U);
  EXPECT_EQ(life.deleting().Get(place).state, DeletionState::kCompleted);
}

TEST_F(RestoreStory, WhoWasErasedSinceIsErasedAgainInTheFilesToo) {
  EXPECT_TRUE(world().OptOut("a", Profile("ann"), Everything()).ok());
  EXPECT_TRUE(world().Report("a", "r", domain::Flags::kSafety).ok());
  const store::Partition partition = world().core().PartitionOf(world().Handle("a"));
  const std::string key = world().core().SubjectKey(world().Handle("a"));
  const std::string share = *life.store().Get(partition, store::Table::kKeyShare, key);
  const std::string names = *life.store().Get(partition, store::Table::kNames, key);
  const auto entry = life.store().FeedAt(partition, world().RevisionOf("a"));
  const std::string history = entry->event.body.substr(entry->event.body.size() - 64);
  const service::DeletionPlace request = life.deleting().Ask("a", life.deleting().Recordings({"r"}));
  const std::string request_share =
      *life.store().Get(partition, store::Table::kKeyShare, service::DeletionShareKey(world().core(), request));
  life.Backup();
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  closure.captured = domain::OrderedTimes::Always();
  const service::DeletionPlace place = life.deleting().Ask("a", closure);
  while (life.deleting().Work("audio") > 0) {
  }
  ASSERT_EQ(life.deleting().Get(place).state, DeletionState::kCompleted);
  life.Lose();
  const restore::Report report = life.Restore();
  EXPECT_EQ(report.erased, 1U);
  EXPECT_EQ(life.deleting().Get(place).state, DeletionState::kCompleted);
  EXPECT_EQ(life.deleting().Get(request).state, DeletionState::kCompleted);
  EXPECT_TRUE(domain::IsForgotten(world().Facts("a")));
  EXPECT_EQ(Text(world().Check("a", Purpose::kNone)), "PURGE: ACCOUNT_CLOSED");
  // A backup of before keeps it until it is pruned: so the search finds what is there.
  for (const std::string& bytes : {share, names, history, request_share}) EXPECT_TRUE(life.IsInFiles(bytes));
  life.Backup();
  for (const std::string& bytes : {share, names, history, request_share}) EXPECT_FALSE(life.IsInFiles(bytes));
}

TEST_F(RestoreStory, WhoBeganAnewIsNotTheClosedOne) {
  life.Backup();
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  closure.captured = domain::OrderedTimes::Always();
  (void)life.deleting().Ask("a", closure);
  while (life.deleting().Work("audio") > 0) {
  }
  const base::Instant closed = world().clock.Now();
  service::ChangeRequest anew = world().Request("a", service::ChangeKind::kUpsertSubject);
  anew.command.registers = anew.command.reopens = anew.create_new = true;
  anew.command.region = Where("US");
  anew.command.expected_revision = world().RevisionOf("a");
  anew.command.proof = world().Proof(Given{});
  ASSERT_TRUE(world().Submit(std::move(anew)).ok());
  world().Wait(base::Hours(1));
  life.Lose();
  life.Restore();
  EXPECT_EQ(Text(world().Check("a", Recording(closed - base::Hours(1)), Purpose::kNone)), "PURGE: ACCOUNT_CLOSED");
  EXPECT_EQ(world().Check("a").disposition, domain::Disposition::kKeep);
  EXPECT_FALSE(IsYes(world().Check("a")));
  EXPECT_TRUE(world().OptOut("a", Account(), Everything()).ok()) << "and it goes on";
}

TEST_F(RestoreStory, WhoWasFirstKnownSinceKeepsEveryNo) {
  life.Backup();
  EXPECT_TRUE(world().Register("late", "US").ok());
  EXPECT_TRUE(world().Register("quiet", "US").ok());
  ASSERT_TRUE(IsYes(world().Check("quiet")));
  EXPECT_TRUE(world().OptOut("late", Account(), Control("help_improve")).ok());
  EXPECT_TRUE(world().OptOut("never registered", Account(), Everything()).ok());
  life.Lose();
  const restore::Report report = life.Restore();
  EXPECT_EQ(report.unknown, 1U);
  for (const char* account : {"late", "quiet", "never registered"}) {
    EXPECT_FALSE(IsYes(world().Check(account))) << account;
  }
  EXPECT_TRUE(world().OptOut("late", Account(), Everything()).ok()) << "its key was made anew";
  EXPECT_TRUE(world().Register("quiet", "US").ok());
  EXPECT_TRUE(IsYes(world().Check("quiet")));
}

TEST_F(RestoreStory, APolicyAndADataSystemSinceTheBackupAreThere) {
  life.Backup();
  ASSERT_TRUE(world().Activate(PolicyBuilder("v2")).ok());
  life.deleting().Register(System("copies"));
  ASSERT_TRUE(world().admin().Suspend(Purpose::kModelTraining, {}, "drill", {}, {}).ok());
  life.Lose();
  const restore::Report report = life.Restore();
  EXPECT_EQ(report.policies, 1U);
  EXPECT_EQ(world().core().policies.current()->document.version(), "v2");
  EXPECT_EQ(life.deleting().Named("copies").name, "copies");
  EXPECT_TRUE(world().Check("a", Purpose::kModelTraining).reasons.Has(domain::Reason::kSuspended));
}

TEST_F(RestoreStory, WithoutAJournalNothingIsEligibleUntilAnOfficerAccepts) {
  EXPECT_TRUE(IsYes(world().Check("a")));
  life.Backup();
  EXPECT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  life.Lose();
  life.Restore(true, /*with_journal=*/false);
  EXPECT_TRUE(world().Check("a").reasons.Has(domain::Reason::kRestored));
  EXPECT_TRUE(world().Check("nobody").reasons.Has(domain::Reason::kRestored));
  life.Restart();
  EXPECT_FALSE(IsYes(world().Check("a"))) << "also after a restart";
  const auto view = world().admin().Get("");
  ASSERT_TRUE(view.ok());
  ASSERT_EQ(view->suspensions.size(), 1U);
  service::ResumeOrder order;
  order.reason = "looked at";
  order.etag = view->suspensions[0].etag;
  const auto resumed = world().admin().Resume(order, service::Caller{"officer"});
  ASSERT_TRUE(resumed.ok()) << resumed.status().message();
  EXPECT_EQ(resumed->by, "officer");
  EXPECT_TRUE(IsYes(world().Check("a"))) << "a consent need not be given again for it";
}

TEST_F(RestoreStory, AKillAtAnyStepLeavesNothingThatIsServedAndTheNextRunIsWhole) {
  EXPECT_TRUE(world().OptOut("a", Account(), Only(Purpose::kModelTraining)).ok());
  life.Backup();
  EXPECT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  life.Lose();
  for (const Step killed : kSteps) {
    EXPECT_EQ(RestoreInAnotherProcess(life, killed), SIGKILL) << restore::NameOf(killed);
    EXPECT_FALSE(std::filesystem::exists(life.db())) << restore::NameOf(killed);
    EXPECT_FALSE(std::filesystem::exists(life.head())) << restore::NameOf(killed);
  }
  life.Restore();
  EXPECT_FALSE(IsYes(world().Check("a")));
  EXPECT_FALSE(std::filesystem::exists(life.db() + ".restoring"));
  EXPECT_TRUE(std::filesystem::exists(life.db() + ".restored"));
}

TEST_F(RestoreStory, WhatDoesNotBelongTogetherIsRefused) {
  life.Backup();
  EXPECT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  life.Lose();
  std::filesystem::create_directories(life.db());
  std::ofstream(life.db() + "/something") << "x";
  EXPECT_TRUE(absl::IsFailedPrecondition(life.TryRestore().status())) << "never over another store";
  std::filesystem::remove_all(life.db());
  std::ofstream(life.head()) << "x";
  EXPECT_TRUE(absl::IsFailedPrecondition(life.TryRestore().status())) << "nor beside another's head file";
  std::filesystem::remove(life.head());
  for (const auto& file : std::filesystem::directory_iterator(life.backup() + "/store")) {
    std::fstream(file.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(3) << "\x7f";
    break;
  }
  EXPECT_TRUE(absl::IsDataLoss(life.TryRestore().status())) << "a damaged backup";
  EXPECT_FALSE(std::filesystem::exists(life.db()));
}

struct RestoredMonthKeys : RestoreStory {
  service::MonthKey Take(base::Month month) {
    const auto key = world().month_keys().TakeOrMake(month);
    EXPECT_TRUE(key.ok()) << key.status();
    return *key;
  }
  // nullopt: destroyed or lost.
  std::optional<base::Bytes16> KeyOf(const base::MonthKeyName& name) {
    const auto found = world().month_keys().Find(name);
    EXPECT_TRUE(found.ok() && found->has_value()) << name.ToText();
    return found.ok() && found->has_value() ? (*found)->key : std::nullopt;
  }
  void LiveAndLose() {
    old_ = Take(march_.Plus(-1));
    kept_ = Take(march_);
    old_share_ = *world().core().store.Get({}, store::Table::kKeyShare, service::MonthKeyShareKey(old_.name));
    life.Backup();
    lost_ = Take(march_.Plus(1));
    EXPECT_TRUE(world().month_keys().DestroyBefore(march_).ok());
    life.Lose();
  }
  const base::Month march_ = *base::Month::Parse("2026-03");
  service::MonthKey old_;   // destroyed after the backup
  service::MonthKey kept_;  // in the backup
  service::MonthKey lost_;  // made after the backup
  std::string old_share_;
};

TEST_F(RestoredMonthKeys, WhatTheBackupHasOpensAndWhatItLacksIsLost) {
  LiveAndLose();
  const restore::Report report = life.Restore();
  EXPECT_EQ(report.decision_keys_lost, 1U);
  EXPECT_EQ(KeyOf(kept_.name), kept_.key);
  EXPECT_EQ(KeyOf(lost_.name), std::nullopt) << "it is known that there was one";
  EXPECT_EQ(KeyOf(old_.name), std::nullopt) << "destroyed stays destroyed";
  EXPECT_TRUE(life.IsInFiles(old_share_)) << "in the backup";
  life.Backup();
  EXPECT_FALSE(life.IsInFiles(old_share_)) << "in the files, too";
  // The running month goes on under another name, and under the one of the backup where that has it.
  EXPECT_EQ(Take(march_).name, kept_.name);
  const service::MonthKey anew = Take(lost_.name.month);
  EXPECT_NE(anew.name, lost_.name);
  EXPECT_NE(anew.key, lost_.key);
  EXPECT_EQ(world().month_keys().Of(lost_.name.month)->size(), 2U);
}

TEST_F(RestoredMonthKeys, WithoutAJournalTheNamesStandApartAllTheSame) {
  LiveAndLose();
  life.Restore(true, false);
  EXPECT_EQ(KeyOf(kept_.name), kept_.key);
  EXPECT_FALSE(world().month_keys().Find(lost_.name)->has_value()) << "nobody knows of it";
  EXPECT_NE(Take(lost_.name.month).name, lost_.name);
  EXPECT_EQ(KeyOf(old_.name), old_.key) << "nobody knows that it was destroyed, until";
  EXPECT_TRUE(world().month_keys().DestroyBefore(march_).ok());
  EXPECT_EQ(KeyOf(old_.name), std::nullopt);
}

}  // namespace
}  // namespace consent::test
