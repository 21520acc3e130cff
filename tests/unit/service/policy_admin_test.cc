// Policies and suspensions: in force in every partition or not at all, and never looser than what users chose.
#include "daemon/service/registry/policy_admin.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "daemon/service/rows/policy_rows.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {
namespace {

using domain::Purpose;
using domain::Region;

// Those that every partition has: of policies, when each came into force.
std::vector<std::string> RowsOf(store::Store& store, store::Table table, uint16_t partition) {
  std::vector<std::string> rows;
  const auto take = [&](std::string_view key, std::string_view value) {
    const bool is_policy = table == store::Table::kPolicy;
    const bool lies_once = is_policy && (key.front() == service::kStates || key.front() == service::kDocuments);
    // Each partition has its own.
    const bool is_version = !is_policy && key == service::kSuspensionsVersionKey;
    if (is_policy ? key.front() == service::kInForceRows : !is_version)
      rows.push_back(std::string(key) + std::string(value));
    EXPECT_TRUE(!lies_once || partition == 0) << "documents and states lie in the first partition alone";
    return true;
  };
  const absl::Status scanned = store.Scan(store::Partition{partition}, table, "", "", SIZE_MAX, take);
  EXPECT_TRUE(scanned.ok());
  return rows;
}

void ExpectTheSameEverywhere(World& world, store::Table table, size_t count) {
  for (uint16_t p = 0; p < world.store().partition_count(); ++p) {
    EXPECT_EQ(RowsOf(world.store(), table, p), RowsOf(world.store(), table, 0)) << p;
    EXPECT_EQ(RowsOf(world.store(), table, p).size(), count) << p;
  }
}

TEST(Policies, AreInEveryPartitionAndSurviveARestart) {
  World world({.partitions = 3});
  ASSERT_TRUE(world.Activate(PolicyBuilder("v2")).ok());
  ExpectTheSameEverywhere(world, store::Table::kPolicy, 2);
  const auto hash = world.core().policies.rules()->hash;
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(world.core().policies.rules()->version, "v2");
    EXPECT_EQ(world.core().policies.rules()->hash, hash);
    EXPECT_FALSE(world.admin().Get("v1")->current);
    EXPECT_TRUE(world.admin().Get("")->current);
    EXPECT_EQ(ReasonOf(world.admin().Get("v3")), "POLICY_VERSION_NOT_FOUND");
    world.Restart();
  }
}

// A leaf of the ledger tells nothing to who guesses: each event commits to a nonce of its own.
TEST(Policies, TheirEventsCommitToANonce) {
  World world({.partitions = 2});
  ASSERT_TRUE(world.admin().Suspend(Purpose::kHumanReview, Region{}, "why").ok());
  std::set<base::Digest> commitments;
  size_t events = 0;
  for (uint16_t partition = 0; partition < 2; ++partition) {
    const auto feed = world.store().Feed(store::Partition{partition}, 1, 100);
    ASSERT_TRUE(feed.ok());
    for (const store::FeedRow& row : *feed) {
      service::ChangeRow change;
      ASSERT_TRUE(service::DecodeChangeRow(row.event.body, &change));
      ASSERT_GE(row.event.body.size(), change.nonce.size());
      const std::string body = row.event.body.substr(0, row.event.body.size() - change.nonce.size());
      EXPECT_EQ(row.event.commitment, base::Sha256(std::string(base::View(change.nonce)) + body));
      commitments.insert(row.event.commitment);
      ++events;
    }
  }
  EXPECT_EQ(events, 4U) << "the first policy and the suspension, twice";
  EXPECT_EQ(commitments.size(), events);
}

TEST(Policies, TheSameAgainChangesNothing) {
  World world;
  const size_t before = world.store().GetHead({}).stamp.sequence;
  ASSERT_TRUE(world.Activate(PolicyBuilder("v1")).ok());
  EXPECT_EQ(world.store().GetHead({}).stamp.sequence, before);
}

TEST(Policies, ARefusedOneLeavesTheOldInForce) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  PolicyBuilder drops("v2");
  drops.DropNotice("general");
  PolicyBuilder widens("v2");
  widens.Notice("general").set_covers_past(true);
  PolicyBuilder same_version("v1");
  same_version.Notice("own").set_says_people_listen(false);
  for (const PolicyBuilder& next : {drops, widens, same_version}) {
    EXPECT_EQ(world.Activate(next).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(world.core().policies.rules()->version, "v1");
    EXPECT_TRUE(IsYes(world.Check("a")));
    EXPECT_EQ(RowsOf(world.store(), store::Table::kPolicy, 0).size(), 1U);
  }
  world.Restart();
  EXPECT_EQ(world.Activate(drops).code(), absl::StatusCode::kFailedPrecondition)
      << "what is in use is known after a restart";
  PolicyBuilder unused("v2");
  unused.DropNotice("silent");
  EXPECT_TRUE(world.Activate(unused).ok());
  PolicyBuilder old("v1");
  EXPECT_EQ(world.Activate(old).ToString(), "OK") << "an old version may come back, with its content";
  EXPECT_EQ(world.core().policies.rules()->version, "v1");
}

// What loosens comes into force by its very words alone, whoever activates and however often he tries.
TEST(Policies, WhatLoosensHasToBeNamed) {
  World world({.partitions = 3});
  PolicyBuilder looser("v2");
  looser.Regime("eea").set_default_rule(v1::DEFAULT_RULE_OPT_OUT);
  looser.policy().set_longest_answer_age_seconds(looser.policy().longest_answer_age_seconds() + 1);
  const policy::Document next = looser.Build();
  const std::vector<policy::Difference> differences = policy::Compare(*world.core().policies.current(), next);
  ASSERT_EQ(differences.size(), 2U);
  const std::string first = policy::Words(differences[0]);
  const std::string second = policy::Words(differences[1]);
  const std::vector<std::pair<std::vector<std::string>, std::string>> refused = {
      {{}, "LOOSENING_NOT_NAMED"},
      {{first}, "LOOSENING_NOT_NAMED"},
      {{second, differences[0].path}, "LOOSENING_NOT_NAMED"},
      {{first, second, "purposes: gains PURPOSE_NOBODY"}, "INVALID_FIELD"}};
  for (const auto& [named, reason] : refused) {
    const size_t before = world.store().GetHead({}).stamp.sequence;
    EXPECT_EQ(ReasonOf(world.admin().Activate(next, {"olga", named})), reason);
    EXPECT_EQ(world.store().GetHead({}).stamp.sequence, before) << "nothing was closed for it";
    EXPECT_EQ(world.core().policies.rules()->version, "v1");
  }
  EXPECT_EQ(world.admin().Activate(next, {"olga", {second, first}}).ToString(), "OK");
  EXPECT_EQ(world.core().policies.rules()->version, "v2");
  // Back is no loosening, and a file names nothing.
  EXPECT_EQ(world.admin().Activate(PolicyBuilder("v1").Build(), {}).ToString(), "OK");
  world.Restart();
  std::vector<std::pair<std::string, std::string>> activations;
  for (const auto& row : world.core().policies.Activations(base::kEndOfTime, 10)) {
    activations.emplace_back(row->document.version(), row->activated_by);
  }
  const std::vector<std::pair<std::string, std::string>> expected = {{"v1", ""}, {"v2", "olga"}, {"v1", "tester"}};
  EXPECT_EQ(activations, expected) << "the newest first, over a restart";
  EXPECT_EQ(world.core().policies.Activations(base::kEndOfTime, 2).size(), 2U);
}

// Who named what loosens against the policy that he saw has not named it against another one that came between.
TEST(Policies, WordsAreOfThePolicyInForce) {
  World world;
  PolicyBuilder looser("v2");
  looser.Regime("eea").set_default_rule(v1::DEFAULT_RULE_OPT_OUT);
  const policy::Document next = looser.Build();
  std::vector<std::string> seen;
  for (const policy::Difference& difference : policy::Compare(*world.core().policies.current(), next)) {
    seen.push_back(policy::Words(difference));
  }
  PolicyBuilder between("v1b");
  between.policy().set_longest_answer_age_seconds(1);
  ASSERT_EQ(world.admin().Activate(between.Build(), {"olga", {}}).ToString(), "OK");
  EXPECT_EQ(ReasonOf(world.admin().Activate(next, {"oscar", seen})), "LOOSENING_NOT_NAMED");
  EXPECT_EQ(world.core().policies.rules()->version, "v1b");
}

TEST(Policies, AFileThatWaitsIsTold) {
  World world;
  PolicyBuilder looser("v2");
  looser.Regime("eea").set_default_rule(v1::DEFAULT_RULE_OPT_OUT);
  world.admin().NoteWaiting(service::WaitingPolicy{"v2", looser.Build().hash(), "it loosens"});
  ASSERT_TRUE(world.Activate(PolicyBuilder("v3")).ok());
  EXPECT_TRUE(world.admin().waiting().has_value()) << "it is another one";
  ASSERT_TRUE(world.Activate(looser).ok());
  EXPECT_FALSE(world.admin().waiting().has_value()) << "somebody has put it in force";
}

TEST(Policies, ADifferenceIsToldAndActivatesNothing) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  PolicyBuilder drops("v2");
  drops.DropNotice("general");
  const absl::StatusOr<service::PolicyDiff> diff = world.admin().Diff(drops.Build());
  ASSERT_TRUE(diff.ok());
  EXPECT_EQ(diff->differences.size(), 1U);
  EXPECT_NE(diff->refused.find("general"), std::string::npos) << diff->refused;
  PolicyBuilder fine("v2");
  fine.policy().set_longest_answer_age_seconds(1);
  EXPECT_EQ(world.admin().Diff(fine.Build())->refused, "");
  PolicyBuilder same("v1");
  EXPECT_TRUE(world.admin().Diff(same.Build())->differences.empty());
  PolicyBuilder other("v1");
  other.policy().set_longest_answer_age_seconds(1);
  EXPECT_NE(world.admin().Diff(other.Build())->refused, "") << "a version keeps its content";
  EXPECT_EQ(world.core().policies.rules()->version, "v1");
}

TEST(Policies, AClockBehindMakesThemWait) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  world.clock.Set(world.clock.Now() - base::Hours(1));
  EXPECT_EQ(world.Activate(PolicyBuilder("v2")).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Policies, WhatOnlySomePartitionsHaveIsCompletedAtStart) {
  for (const Fault fault : {Fault::kUnknownLost, Fault::kUnknownDone}) {
    World::Options options;
    options.partitions = 3;
    FaultyWorld f(options);
    World& world = f.world;
    FaultyStore* faulty = f.faulty;
    // It closes three partitions and has come into force in the first.
    for (int commit = 0; commit < 4; ++commit) faulty->Inject(Fault::kNone);
    faulty->Inject(fault);
    EXPECT_FALSE(world.Activate(PolicyBuilder("v2")).ok());
    EXPECT_EQ(world.core().policies.rules()->version, "v1");
    faulty->Reopen();
    world.Restart();
    EXPECT_EQ(world.core().policies.rules()->version, "v2");
    ExpectTheSameEverywhere(world, store::Table::kPolicy, 2);

    faulty->Inject(Fault::kNone);
    faulty->Inject(fault);
    EXPECT_FALSE(world.admin().Suspend(Purpose::kHumanReview, Region{}, "incident").ok());
    faulty->Reopen();
    world.Restart();
    ASSERT_EQ(world.core().policies.rules()->suspensions.size(), 1U);
    EXPECT_TRUE(world.core().policies.rules()->suspensions[0].active);
    ExpectTheSameEverywhere(world, store::Table::kSuspension, 1);
  }
}

// A full queue behind the first partition must not leave a policy that nobody heard of and a restart would put in
// force.
TEST(Policies, AreInForceAsAWholeWhereAPartitionIsBusy) {
  World::Options options;
  options.partitions = 3;
  FaultyWorld f(options);
  World& world = f.world;
  FaultyStore* faulty = f.faulty;
  faulty->Inject(Fault::kRetry);
  EXPECT_FALSE(world.Activate(PolicyBuilder("v2")).ok()) << "nothing was written yet";
  ExpectTheSameEverywhere(world, store::Table::kPolicy, 1);
  for (const int commits_before : {1, 4}) {
    for (int i = 0; i < commits_before; ++i) faulty->Inject(Fault::kNone);
    for (int i = 0; i < 20; ++i) faulty->Inject(Fault::kRetry);
    const std::string version = "v" + std::to_string(commits_before + 1);
    EXPECT_TRUE(world.Activate(PolicyBuilder(version)).ok()) << "once begun it is finished";
  }
  ExpectTheSameEverywhere(world, store::Table::kPolicy, 3);
}

TEST(Policies, RulesOfAPastTime) {
  World world;
  const base::Instant during_v1 = world.Now();
  const auto first = world.admin().Suspend(Purpose::kHumanReview, Where("DE"), "first");
  ASSERT_TRUE(first.ok());
  const base::Instant suspended = world.Now();
  world.Wait(base::Hours(1));
  ASSERT_TRUE(world.Activate(PolicyBuilder("v2")).ok());
  world.Wait(base::Hours(1));
  ASSERT_TRUE(world.admin().Resume({Purpose::kHumanReview, Where("DE"), "over", first->etag}).ok());
  const service::PolicyBook& book = world.core().policies;
  EXPECT_EQ(book.RulesAt(At("2026-03-01T11:59:59Z")), nullptr);
  EXPECT_EQ(book.At(At("2026-03-01T11:59:59Z")), nullptr);
  EXPECT_EQ(book.RulesAt(during_v1 - base::Seconds(1))->version, "v1");
  EXPECT_TRUE(book.RulesAt(during_v1 - base::Seconds(1))->suspensions.empty());
  EXPECT_TRUE(book.RulesAt(suspended)->suspensions.at(0).active);
  EXPECT_EQ(book.RulesAt(suspended)->version, "v1");
  EXPECT_EQ(book.RulesAt(world.Now())->version, "v2");
  EXPECT_FALSE(book.RulesAt(world.Now())->suspensions.at(0).active);
}

TEST(Suspensions, Fold) {
  const auto row = [](bool active, int64_t at, const char* region = "") {
    return service::SuspensionRow{Purpose::kHumanReview, *region == '\0' ? Region{} : Where(region), active,
                                  base::Instant{at}, "r"};
  };
  const std::vector<service::SuspensionRow> rows = {row(true, 10), row(true, 20, "DE"), row(false, 30), row(true, 40),
                                                    row(false, 50, "DE")};
  EXPECT_TRUE(service::FoldSuspensions(rows, base::Instant{9}).empty());
  const auto at = [&](int64_t micros) { return service::FoldSuspensions(rows, base::Instant{micros}); };
  ASSERT_EQ(at(10).size(), 1U);
  EXPECT_TRUE(at(10)[0].active);
  EXPECT_FALSE(at(39)[0].active);
  EXPECT_EQ(at(39)[0].resumed_at, base::Instant{30});
  ASSERT_EQ(at(45).size(), 2U);
  EXPECT_TRUE(at(45)[0].active);
  EXPECT_EQ(at(45)[0].suspended_at, base::Instant{40});
  EXPECT_EQ(at(45)[0].resumed_at, base::Instant{30}) << "the last end is kept while the next is on";
  EXPECT_TRUE(at(45)[1].active);
  EXPECT_FALSE(at(50)[1].active);
}

TEST(Suspensions, ResumingNeedsTheEtagOfWhatIsSuspended) {
  World world;
  EXPECT_EQ(ReasonOf(world.admin().Resume({Purpose::kHumanReview, Region{}, "r", "e"})), "NOT_SUSPENDED");
  const auto first = world.admin().Suspend(Purpose::kHumanReview, Region{}, "r");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(world.admin().Suspend(Purpose::kHumanReview, Region{}, "again")->etag, first->etag)
      << "repeating changes nothing";
  EXPECT_EQ(ReasonOf(world.admin().Resume({Purpose::kHumanReview, Where("DE"), "r", first->etag})), "NOT_SUSPENDED");
  EXPECT_EQ(ReasonOf(world.admin().Resume({Purpose::kHumanReview, Region{}, "r", ""})), "ETAG_REQUIRED");
  EXPECT_EQ(ReasonOf(world.admin().Resume({Purpose::kHumanReview, Region{}, "r", "0123"})), "ETAG_MISMATCH");
  world.Restart();
  ASSERT_TRUE(world.admin().Resume({Purpose::kHumanReview, Region{}, "r", first->etag}).ok())
      << "etags survive a restart";
  const auto second = world.admin().Suspend(Purpose::kHumanReview, Region{}, "r");
  EXPECT_NE(second->etag, first->etag);
  EXPECT_EQ(ReasonOf(world.admin().Resume({Purpose::kHumanReview, Region{}, "r", first->etag})), "ETAG_MISMATCH");
  world.clock.Set(world.clock.Now() - base::Hours(2));
  EXPECT_EQ(ReasonOf(world.admin().Resume({Purpose::kHumanReview, Region{}, "r", second->etag})), "CLOCK_BEHIND");
  EXPECT_TRUE(world.admin().Suspend(Purpose::kModelTraining, Region{}, "r").ok())
      << "a restriction does not wait for the clock";
}

// The partitions' last stamps may lie apart after the clock went back: a consent from before the suspension stays one.
TEST(Suspensions, EndAfterEveryEarlierConsentWhateverThePartitionsClocks) {
  World world({.partitions = 3});
  std::vector<std::string> accounts;
  for (int i = 0; i < 12; ++i) accounts.push_back("account " + std::to_string(i));
  for (const std::string& account : accounts) {
    ASSERT_TRUE(world.Register(account, "DE").ok());
    ASSERT_TRUE(world.OptIn(account, Account(), Control("help_improve"), Under("past")).ok());
  }
  world.clock.Set(world.clock.Now() - base::Seconds(100));  // less than a minute behind the last stamp
  const auto suspended = world.admin().Suspend(Purpose::kHumanReview, Region{}, "r");
  ASSERT_TRUE(suspended.ok());
  ASSERT_TRUE(world.admin().Resume({Purpose::kHumanReview, Region{}, "r", suspended->etag}).ok());
  world.Wait(base::Hours(1));
  for (const std::string& account : accounts) EXPECT_FALSE(IsYes(world.Check(account))) << account;
  world.Restart();
  for (const std::string& account : accounts) EXPECT_FALSE(IsYes(world.Check(account))) << account;
}

// Whether a consent under a notice is stored that the policy in force does not have any more.
bool StoresAConsentUnderADroppedNotice(bool forgets_preconditions) {
  FaultyWorld f;
  World& world = f.world;
  EXPECT_TRUE(world.Register("a", "DE").ok());
  if (forgets_preconditions) f.faulty->ForgetPreconditionsOf(store::Table::kPolicy);
  PolicyBuilder drops("v2");
  drops.DropNotice("past");
  f.faulty->BeforeNextCommit([&] { EXPECT_EQ(world.Activate(drops).ToString(), "OK"); });
  const Reply on = world.OptIn("a", Account(), Control("help_improve"), Under("past"));
  EXPECT_EQ(on.ok(), world.Facts("a").account().ChoiceFor(Purpose::kHumanReview).choice == domain::Choice::kGiven);
  EXPECT_EQ(world.core().policies.rules()->version, "v2");
  return on.ok();
}

TEST(Activation, TurnsAwayAConsentThatIsOnItsWay) {
  EXPECT_FALSE(StoresAConsentUnderADroppedNotice(false));
  EXPECT_TRUE(StoresAConsentUnderADroppedNotice(true)) << "the test would see a consent that slips in";
}

TEST(Activation, SeesAConsentThatCameBeforeItClosed) {
  FaultyWorld f;
  World& world = f.world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  PolicyBuilder drops("v2");
  drops.DropNotice("past");
  f.faulty->BeforeNextCommit(
      [&] { EXPECT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok()); });
  EXPECT_EQ(world.Activate(drops).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(world.core().policies.rules()->version, "v1");
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  EXPECT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok()) << "open again";
  world.Restart();
  EXPECT_EQ(world.Activate(drops).code(), absl::StatusCode::kFailedPrecondition) << "marks stay";
}

TEST(Activation, HindersNoRestrictionWhileItIsUnderWay) {
  FaultyWorld f;
  World& world = f.world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  bool was_closed = false;
  const auto while_closed = [&] {
    was_closed = true;
    EXPECT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
    EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Control("help_improve"))), "CONTENTION");
  };
  f.faulty->BeforeNextCommit([&] { f.faulty->BeforeNextCommit(while_closed); });
  EXPECT_TRUE(world.Activate(PolicyBuilder("v2")).ok());
  EXPECT_TRUE(was_closed);
  EXPECT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
}

// The queue is full when the first partition is to have the version: nothing of it is in force, and consents go on.
TEST(Activation, ThatFindsNoRoomForItsVersionLeavesNothingClosed) {
  for (const uint16_t partitions : {uint16_t{1}, uint16_t{3}}) {
    FaultyWorld f({.partitions = partitions});
    World& world = f.world;
    ASSERT_TRUE(world.Register("a", "DE").ok());
    for (int closed = 0; closed < partitions; ++closed) f.faulty->Inject(Fault::kNone);
    f.faulty->Inject(Fault::kRetry);
    EXPECT_EQ(ReasonOf(world.Activate(PolicyBuilder("v2"))), "OVERLOADED");
    EXPECT_EQ(world.core().policies.rules()->version, "v1");
    EXPECT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
    EXPECT_TRUE(world.Activate(PolicyBuilder("v2")).ok());
  }
}

// It ends at any of its commits: what is closed is opened by a restart, and what is half in force comes into force.
TEST(Activation, AnEndAtAnyOfItsCommitsLeavesNothingClosed) {
  for (uint64_t call = 1; call <= 6; ++call) {
    for (const bool done : {false, true}) {
      FaultyWorld f({.partitions = 3});
      World& world = f.world;
      ASSERT_TRUE(world.Register("a", "DE").ok());
      f.faulty->CrashAt(call, done);
      EXPECT_FALSE(world.Activate(PolicyBuilder("v2")).ok());
      f.faulty->Calm();
      f.faulty->Reopen();
      world.Restart();
      EXPECT_EQ(world.core().policies.rules()->version, call < 4 || (call == 4 && !done) ? "v1" : "v2") << call << done;
      EXPECT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok()) << call << done;
      EXPECT_TRUE(world.Activate(PolicyBuilder("v3")).ok());
    }
  }
}

TEST(Activation, WaitsForChangesOfTheOldPolicyAndLetsRestrictionsThrough) {
  World world({.threads = 3});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(world.Register("account " + std::to_string(i), "DE").ok());
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 2; ++c) {
    clients.emplace_back([&, c] {
      for (int i = c; !stop.load(); i = (i + 2) % 20) {
        const std::string account = "account " + std::to_string(i);
        const Reply on = world.OptIn(account, Account(), Control("help_improve"));
        if (!on.ok()) {
          EXPECT_EQ(ReasonOf(on), "CONTENTION");
          ++refused;
        }
        EXPECT_TRUE(world.OptOut(account, Account(), Control("help_improve")).ok());
      }
    });
  }
  for (int version = 2; version < 12; ++version) {
    PolicyBuilder next("v" + std::to_string(version));
    next.AddNotice("extra" + std::to_string(version), "general", "2026-01-01T00:00:00Z");
    EXPECT_TRUE(world.Activate(next).ok());
  }
  stop.store(true);
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(world.core().policies.rules()->version, "v11");
}

}  // namespace
}  // namespace consent::test
