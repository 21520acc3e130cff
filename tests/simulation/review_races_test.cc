// Review grants between whoever uses and whoever restricts them: a seed decides who acts, and who comes in between the
// reading and the commit of another one. An independent log (review_log.h) judges. Stores without one kind of
// precondition are found out.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/simulation/review_log.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/faulty_world.h"
#include "tests/unit/service/reviewing.h"

namespace consent::simulation {
namespace {

using test::Account;
using test::Control;
using test::Everything;
using test::FaultyWorld;
using test::Held;
using test::Reviewing;
using test::Under;

constexpr uint64_t kRunsPerWorld = 25;
constexpr int kSteps = 60;

constexpr uint64_t kRuns = 150;  // CONSENT_SIMULATION_RUNS=100000 for more

// How often each was done and succeeded, so that a test that does nothing is seen.
struct Counts {
  uint64_t leases = 0, refused_leases = 0, refused_uses = 0, between = 0;
  std::array<uint64_t, kUseKinds> uses{};
};

class Run {
 public:
  Run(FaultyWorld& faulty, uint64_t seed, Counts& counts)
      : faulty_(faulty),
        world_(faulty.world),
        reviewing_(world_),
        random_(seed),
        name_(std::to_string(seed)),
        counts_(counts) {
    for (const std::string& account : {name_ + "a", name_ + "b"}) {
      const auto registered = world_.Register(account, "DE");
      EXPECT_TRUE(registered.ok()) << registered.status();
      const auto agreed = world_.OptIn(account, Account(), Control("help_improve"), Under("past"));
      EXPECT_TRUE(agreed.ok()) << agreed.status();
    }
    reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  }

  std::string Play() {
    for (int step = 0; step < kSteps; ++step) {
      if (Chance(2)) ComeBetween();
      Use();
      *armed_ = false;
      if (Chance(4)) Restrict();
      if (Chance(3)) Move();
    }
    // Past all stamps, so that what loosens is taken again.
    world_.clock.StepWall(base::Span{-stepped_.micros});
    world_.Wait(base::Hours(2));
    if (is_suspended_) Resume();
    return WhatIsWrong(log_);
  }

 private:
  bool Chance(int in) { return random_() % static_cast<uint64_t>(in) == 0; }
  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }
  std::string AnAccount() { return name_ + (Chance(2) ? "a" : "b"); }
  base::Span Boot() const { return world_.clock.SinceBoot(); }
  During Begin() {
    between_ended_ = 0;
    return {++moment_, 0, Boot(), {}, 0};
  }
  void End(During* during) {
    during->commits_after = std::max(during->began, between_ended_);
    during->ended = ++moment_;
    during->boot_ended = Boot();
  }

  // Before the next commit or the next reading of one of its rows somebody else acts, and is acknowledged.
  void ComeBetween() {
    *armed_ = true;
    // One that comes too late finds itself disarmed, and this perhaps gone.
    const auto meddle = [this, armed = armed_] {
      if (!*armed || is_between_) return;
      is_between_ = true;
      ++counts_.between;
      Chance(2) ? Restrict() : Use();
      is_between_ = false;
      between_ended_ = ++moment_;
    };
    switch (Below(3)) {
      case 0:
        return faulty_.faulty->BeforeNextGet(store::Table::kReview, meddle);
      case 1:
        return faulty_.faulty->BeforeNextGet(store::Table::kSuspension, meddle);
      default:
        return faulty_.faulty->BeforeNextCommit(std::function<void()>(meddle));
    }
  }

  void Use() {
    if (held_.empty() || Chance(4)) return Lease();
    // The latest more often than others.
    const size_t grant = Chance(2) ? held_.size() - 1 : Below(held_.size());
    switch (Below(8)) {
      case 0:
        return Note(UseKind::kSubmit, grant, [&] { return reviewing_.Submit(held_[grant]); });
      case 1:
        return Note(UseKind::kRenew, grant, [&] { return world_.reviews().Renew(held_[grant].name, {}).status(); });
      case 2:
        return EndIt(grant);
      case 3:
      case 4:
      case 5:
        return Open(grant);
      default:
        return Redeem();
    }
  }

  // A flag is a change of its subject: it restricts all grants of the account, and waits for its turn, so not within
  // another commit.
  void EndIt(size_t grant) {
    const auto end = [&](domain::ReviewOutcome outcome) {
      Note(UseKind::kEnd, grant, [&] { return reviewing_.End(held_[grant], outcome); });
    };
    const bool flags = !is_between_ && !*armed_ && Chance(8);
    if (!flags) return end(domain::ReviewOutcome::kSkipped);
    // Not for sure: one that was found before restricts nothing more.
    Restricting perhaps{Begin(), log_.grants[grant].account, ""};
    end(domain::ReviewOutcome::kAccidental);
    End(&perhaps.during);
    log_.restrictions.push_back(perhaps);
  }

  void Lease() {
    GivenGrant grant;
    grant.account = AnAccount();
    grant.recording = "rec" + std::to_string(Below(2));
    grant.reviewer = name_ + "/" + std::to_string(++reviewers_);
    grant.lease = Begin();
    const service::LeaseAnswer answer = reviewing_.TryLease(grant.account, grant.recording, grant.reviewer);
    End(&grant.lease);
    if (Reviewing::Said(answer) != "GRANT") {
      ++counts_.refused_leases;
      return;
    }
    ++counts_.leases;
    grant.fence = answer.grant.fence;
    held_.push_back(reviewing_.HeldOf(answer));
    log_.grants.push_back(grant);
  }

  template <typename Act>
  void Note(UseKind kind, size_t grant, Act act, const std::string& token = "") {
    GoodUse use{kind, grant, Begin(), token};
    const absl::Status status = act();
    End(&use.during);
    if (!status.ok()) {
      ++counts_.refused_uses;
      return;
    }
    ++counts_.uses[static_cast<size_t>(kind)];
    log_.uses.push_back(use);
  }

  void Open(size_t grant) {
    Note(UseKind::kOpen, grant, [&] {
      const auto opened = reviewing_.Open(held_[grant]);
      if (opened.ok()) tokens_.emplace_back(opened->token, grant);
      return opened.status();
    });
  }

  void Redeem() {
    if (tokens_.empty()) return;
    const std::pair<std::string, size_t> opened = Chance(2) ? tokens_.back() : tokens_[Below(tokens_.size())];
    Note(
        UseKind::kRedeem, opened.second, [&] { return reviewing_.Redeem(opened.first).status(); }, opened.first);
  }

  template <typename Act>
  void Restricted(Restricting restriction, Act act) {
    restriction.during = Begin();
    restriction.is_acknowledged = act().ok();
    End(&restriction.during);
    log_.restrictions.push_back(restriction);
  }

  void Restrict() {
    const std::string account = AnAccount();
    switch (Below(8)) {
      case 0:
      case 1:
        Restricted({{}, account, "", false, true},
                   [&] { return world_.OptOut(account, Account(), Everything()).status(); });
        return;
      case 2: {
        OptingIn in{Begin(), account};
        const bool is_in = world_.OptIn(account, Account(), Control("help_improve"), Under("past")).ok();
        End(&in.during);
        if (is_in) log_.opt_ins.push_back(in);
        return;
      }
      case 3:
        return Restricted({{}, account, ""}, [&] {
          return world_.Report(account, "x" + std::to_string(++reviewers_), domain::Flags::kAccidental).status();
        });
      case 4:
        return is_suspended_ ? Resume() : Suspend();
      case 5:
        return Restricted({{}, "", ""}, [&] { return reviewing_.Revoke(domain::RevocationKind::kAll); });
      default: {
        if (log_.grants.empty()) return;
        const std::string reviewer = log_.grants[Below(log_.grants.size())].reviewer;
        return Restricted({{}, "", reviewer},
                          [&] { return reviewing_.Revoke(domain::RevocationKind::kReviewer, reviewer); });
      }
    }
  }

  void Suspend() {
    Restricted({{}, "", ""}, [&] {
      const auto view = world_.admin().Suspend(domain::Purpose::kHumanReview, domain::Region(), "a test");
      if (view.ok()) etag_ = view->etag;
      is_suspended_ = view.ok();
      return view.status();
    });
  }
  void Resume() {
    Restricted({{}, "", ""}, [&] {
      const auto view = world_.admin().Resume({domain::Purpose::kHumanReview, domain::Region(), "over", etag_});
      if (view.ok()) is_suspended_ = false;
      return view.status();
    });
  }

  // Time passes, or the wall is set, up to an hour to either side.
  void Move() {
    if (Chance(2)) return world_.Wait(base::Seconds(static_cast<int64_t>(Below(12 * 60))));
    const base::Span to = base::Seconds((static_cast<int64_t>(Below(3)) - 1) * 3'599);
    world_.clock.StepWall(base::Span{to.micros - stepped_.micros});
    stepped_ = to;
  }

  FaultyWorld& faulty_;
  test::World& world_;
  Reviewing reviewing_;
  std::mt19937_64 random_;
  const std::string name_;
  Counts& counts_;
  ReviewLog log_;
  std::deque<Held> held_;  // as log_.grants. Who comes between adds to it while one of them is in use.
  std::vector<std::pair<std::string, size_t>> tokens_;
  int64_t moment_ = 0;
  int reviewers_ = 0;
  int64_t between_ended_ = 0;  // of who came between in what goes on; 0: nobody
  std::shared_ptr<bool> armed_ = std::make_shared<bool>(false);
  bool is_between_ = false;
  bool is_suspended_ = false;
  std::string etag_;
  base::Span stepped_;
};

// Of the first wrong run; empty: none.
std::string PlayAll(uint64_t runs, const std::optional<store::Table>& forgets, Counts& counts) {
  for (uint64_t from = 1; from <= runs; from += kRunsPerWorld) {
    FaultyWorld faulty({.partitions = 3, .seed = from});
    if (forgets.has_value()) faulty.faulty->ForgetPreconditionsOf(*forgets);
    for (uint64_t seed = from; seed < from + kRunsPerWorld && seed <= runs; ++seed) {
      const std::string wrong = Run(faulty, seed, counts).Play();
      if (!wrong.empty()) return "seed " + std::to_string(seed) + ": " + wrong;
    }
  }
  return "";
}

TEST(ReviewRacesTest, NothingThatBeginsAfterARestrictionSucceedsAndNeverAreTwoLive) {
  const uint64_t runs = model::FromEnvironment("CONSENT_SIMULATION_RUNS", kRuns);
  Counts counts;
  EXPECT_EQ(PlayAll(runs, std::nullopt, counts), "");
  if (!model::IsWholeRun(runs, kRuns)) return;
  EXPECT_GT(counts.leases, runs);
  EXPECT_GT(counts.refused_leases, runs);
  EXPECT_GT(counts.refused_uses, runs);
  EXPECT_GT(counts.between, runs);
  for (const uint64_t uses : counts.uses) EXPECT_GT(uses, 0U);
  RecordProperty("between", static_cast<int>(counts.between));
}

TEST(ReviewRacesTest, AStoreThatForgetsWhatAUseWasDecidedByIsFoundOut) {
  for (const store::Table table : {store::Table::kSubject, store::Table::kReview, store::Table::kSuspension}) {
    Counts counts;
    EXPECT_NE(PlayAll(5'000, table, counts), "") << static_cast<int>(table);
  }
}

TEST(ReviewRacesTest, OfManyToolsAtOnceOneGetsTheGrantAndOneTheBytes) {
  constexpr int kThreads = 4;
  test::World world({.partitions = 3});
  Reviewing reviewing(world);
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  reviewing.CapturedAt(world.Now() - base::Seconds(30));
  const auto all = [](const auto& act) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([&act, i] { act(i); });
    for (std::thread& thread : threads) thread.join();
  };
  for (int round = 0; round < 25; ++round) {
    const std::string recording = "rec" + std::to_string(round);
    std::array<service::LeaseAnswer, kThreads> answers;
    all([&](int i) {
      answers[static_cast<size_t>(i)] =
          reviewing.TryLease("a", recording, std::to_string(round) + "/" + std::to_string(i));
    });
    std::multiset<std::string> said;
    std::optional<Held> held;
    for (const service::LeaseAnswer& answer : answers) {
      said.insert(Reviewing::Said(answer));
      if (Reviewing::Said(answer) == "GRANT") held = reviewing.HeldOf(answer);
    }
    EXPECT_EQ(said.count("GRANT"), 1U);
    EXPECT_EQ(said.count("GRANTED"), kThreads - 1U);
    ASSERT_TRUE(held.has_value());
    const auto opened = reviewing.Open(*held);
    ASSERT_TRUE(opened.ok());
    std::array<std::string, kThreads> whys;
    all([&](int i) { whys[static_cast<size_t>(i)] = Reviewing::Why(reviewing.Redeem(opened->token)); });
    const std::multiset<std::string> told(whys.begin(), whys.end());
    EXPECT_EQ(told.count("NONE"), 1U);
    EXPECT_EQ(told.count("MEDIA_TOKEN_REFUSED redeemed"), kThreads - 1U);
  }
}

}  // namespace
}  // namespace consent::simulation
