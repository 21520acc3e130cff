// Random lives, lost and restored: no acknowledged restriction is missing, nothing is purged that the lost store kept,
// and what nobody loosened is answered as it was. CONSENT_TEST_CASES of them; CONSENT_RESTORE_ACCOUNTS and
// CONSENT_RESTORE_STEPS make each as large as a real store (tests/README.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/service/registry/policy_admin.h"
#include "tests/support/model/dice.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/policy_builder.h"
#include "tests/unit/restore/life.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::Disposition;
using domain::Eligibility;
using domain::Purpose;
using domain::Reason;

struct Asked {
  std::string account;
  Recording recording;
  Purpose purpose = Purpose::kNone;
};

// One life. What is done is drawn from `dice`; what may be loosened by it is noted, because the journal must not be
// asked.
class RandomLife {
 public:
  RandomLife(uint64_t seed, uint64_t accounts, uint64_t steps)
      : dice_(seed), life_(seed), work_(std::min(0.5, kErasures / static_cast<double>(steps))) {
    life_.deleting().Register(System("audio"));
    for (uint64_t i = 0; i < accounts; ++i) accounts_.push_back("account" + std::to_string(i));
    for (size_t i = 0; i + 2 < accounts_.size(); ++i) Register(accounts_[i]);
  }

  Life& life() { return life_; }
  const std::vector<std::string>& accounts() const { return accounts_; }
  void Live(uint64_t steps) {
    for (uint64_t i = 0; i < steps; ++i) Step();
  }
  void Backup() {
    life_.Backup();
    loosened_.clear();
    released_.clear();
    resumed_ = false;
  }
  bool IsLoosened(const std::string& account) const { return loosened_.count(account) != 0; }
  // Since the backup a suspension of the purpose ended, for whomever; after a restore it lasts.
  bool IsResumed(Purpose purpose) const { return resumed_ && purpose == Purpose::kModelTraining; }
  bool IsReleased(const std::string& account) const { return released_.count(account) != 0; }
  const std::vector<service::DeletionPlace>& requests() const { return requests_; }

  // Of recordings of each account: old, new, of a device, named by orders, and copies made of them.
  std::vector<Asked> Questions() {
    std::vector<Asked> questions;
    const base::Instant now = life_.world().clock.Now();
    for (const std::string& account : accounts_) {
      for (const base::Span age : {base::Seconds(30), base::Hours(5), base::Days(20), base::Days(200)}) {
        for (const Purpose purpose : {Purpose::kHumanReview, Purpose::kModelTraining}) {
          Recording plain(now - age);
          plain.Id("r1");
          questions.push_back({account, plain, purpose});
          Recording device(now - age);
          device.Id("r2").On("echo");
          questions.push_back({account, device, purpose});
          Recording copy(now - age);
          copy.Id("r3").Copy(domain::Artefact::kReviewCopy, purpose);
          questions.push_back({account, copy, purpose});
          Recording wake(now - age);
          wake.Id("r4").Wake(domain::Wake::kAccidental);
          questions.push_back({account, wake, purpose});
        }
      }
    }
    return questions;
  }
  domain::Decision Ask(const Asked& asked) {
    return life_.world().Check(asked.account, asked.recording, asked.purpose);
  }

 private:
  World& world() { return life_.world(); }
  void Register(const std::string& account) {
    if (world().Register(account, dice_.Chance(0.7) ? "US" : "DE", {Adult("ann")}, {"echo"}).ok())
      loosened_.insert(account);
  }
  ScopeName SomeScope() { return dice_.Chance(0.6) ? Account() : dice_.Chance(0.5) ? Profile("ann") : Device("echo"); }
  domain::Target SomeTarget() {
    return dice_.Chance(0.2)   ? Everything()
           : dice_.Chance(0.5) ? Control("help_improve")
                               : Only(dice_.Pick({Purpose::kHumanReview, Purpose::kModelTraining}));
  }

  void Step() {
    const std::string& account = accounts_[dice_.Below(accounts_.size())];
    switch (dice_.Below(15)) {
      case 0:
        Register(account);
        break;
      case 1:
      case 2:
      case 3:
        if (world()
                .OptIn(account, SomeScope(), Control("help_improve"), Under(dice_.Chance(0.5) ? "past" : "general"))
                .ok()) {
          loosened_.insert(account);
        }
        break;
      case 4:
      case 5:
        (void)world().OptOut(account, SomeScope(), SomeTarget());
        break;
      case 6: {
        const domain::Retention now = world().Facts(account).account().retention;
        const domain::Retention next =
            dice_.Chance(0.3) ? domain::Retention{}
                              : domain::Retention{domain::RetentionKind::kMonths, dice_.Pick<uint8_t>({3, 18})};
        const bool longer = next.kind == domain::RetentionKind::kUntilDeleted
                                ? now.kind != domain::RetentionKind::kUntilDeleted
                                : now.kind == domain::RetentionKind::kMonths && next.months > now.months;
        if (world().Retain(account, Account(), next).ok() && longer) loosened_.insert(account);
        break;
      }
      case 7:
        (void)world().Report(account, "r" + std::to_string(1 + dice_.Below(4)),
                             static_cast<uint8_t>(1U << dice_.Below(4)));
        break;
      case 8:
        requests_.push_back(life_.deleting().Ask(
            account,
            dice_.Chance(0.5) ? life_.deleting().Recordings({"r" + std::to_string(1 + dice_.Below(4))}) : AllOfIt(),
            dice_.Pick({DeletionState::kReceived, DeletionState::kAccepted})));
        break;
      case 9:
        CancelSome();
        break;
      case 10:
        if (dice_.Chance(work_)) (void)life_.deleting().Work("audio");
        break;
      case 11: {
        domain::HeldPart held;
        if (dice_.Chance(0.5)) held = life_.deleting().HeldRecordings({"r1"});
        if (const auto placed = life_.deleting().TryHold(account, held); placed.ok()) {
          holds_.emplace_back(account, placed->place);
        }
        break;
      }
      case 12:
        if (!holds_.empty()) {
          const auto [whose, place] = holds_[dice_.Below(holds_.size())];
          const bool is_there = world().holds().Get(place).ok();  // an erased account's are not
          if (is_there && life_.deleting().Release(place).ok()) released_.insert(whose);
        }
        break;
      case 13:
        if (dice_.Chance(0.3)) {
          domain::Selector closure;
          closure.kind = domain::SelectorKind::kAccountClosure;
          closure.captured = domain::OrderedTimes::Always();
          if (const auto asked = life_.deleting().TryAsk(account, closure); asked.ok())
            requests_.push_back(asked->place);
        }
        break;
      case 14:
        if (dice_.Chance(0.2)) Administer();
        break;
    }
  }

  // What holds for everybody: another policy, a purpose that is suspended, and one that no longer is.
  void Administer() {
    if (dice_.Chance(0.4)) {
      PolicyBuilder policy("life-" + std::to_string(++policies_));
      policy.Regime("us").set_false_wake_ttl_seconds(dice_.Pick<uint32_t>({600, 3600, 86'400}));
      if (dice_.Chance(0.5)) policy.Regime("us").clear_allowed_reviewer_classes();
      ASSERT_TRUE(world().Activate(policy).ok());
    } else if (dice_.Chance(0.5)) {
      const domain::Region region = dice_.Chance(0.5) ? Where("DE") : domain::Region{};
      ASSERT_TRUE(world().admin().Suspend(Purpose::kModelTraining, region, "a drill", {}, {}).ok());
    } else {
      const auto view = world().admin().Get("");
      ASSERT_TRUE(view.ok());
      for (const service::SuspensionView& suspension : view->suspensions) {
        const domain::Suspension& what = suspension.suspension;
        if (!what.active) continue;
        const service::ResumeOrder order{what.purpose, what.region, "over", suspension.etag};
        if (world().admin().Resume(order, service::Caller{"officer"}).ok()) resumed_ = true;
      }
    }
  }

  void CancelSome() {
    if (requests_.empty()) return;
    const service::DeletionPlace place = requests_[dice_.Below(requests_.size())];
    const domain::DeletionRequest request = life_.deleting().Get(place);
    // What an account said counts again once its closure is cancelled.
    const bool opens = request.selector.kind == domain::SelectorKind::kAccountClosure;
    if (!life_.deleting().Cancel(place).ok() || !opens) return;
    for (const std::string& account : accounts_) {
      if (world().Handle(account) == request.subject) loosened_.insert(account);
    }
  }

  // An erasure rewrites the files of a table, however much is in it: a long life has many in one, as a daemon would.
  static constexpr double kErasures = 3000;

  model::Dice dice_;
  Life life_;
  double work_;  // the chance that workers come
  std::vector<std::string> accounts_;
  std::vector<service::DeletionPlace> requests_;
  std::vector<std::pair<std::string, service::HoldPlace>> holds_;
  std::set<std::string> loosened_;  // since the backup
  std::set<std::string> released_;
  bool resumed_ = false;
  int policies_ = 0;
};

bool IsByOrder(const domain::Decision& decision) {
  return decision.disposed.Has(Reason::kDeleted) || decision.disposed.Has(Reason::kAccountClosed);
}

struct Compared {
  int yes = 0;
  int marked = 0;
  int purged = 0;
  int same = 0;  // of those whom nobody loosened
};

void Compare(RandomLife& random, const std::vector<Asked>& questions, const std::vector<domain::Decision>& before,
             Compared* seen) {
  for (size_t i = 0; i < questions.size(); ++i) {
    const domain::Decision was = before[i];
    const domain::Decision is = random.Ask(questions[i]);
    const std::string& account = questions[i].account;
    const std::string what = account + " " + questions[i].recording.id + ": was " + Text(was) + ", is " + Text(is);
    if (is.eligibility == Eligibility::kEligible) {
      ++seen->yes;
      ASSERT_EQ(was.eligibility, Eligibility::kEligible) << what;
    }
    if (is.disposition == Disposition::kPurge) {
      ++seen->purged;
      ASSERT_EQ(was.disposition, Disposition::kPurge) << what;
    }
    if (was.disposition == Disposition::kHold) {
      ASSERT_EQ(is.disposition, Disposition::kHold) << what;
    }
    if (was.disposition == Disposition::kPurge && IsByOrder(was) && !random.IsReleased(account)) {
      ASSERT_EQ(is.disposition, Disposition::kPurge) << what;
    }
    seen->marked += is.reasons.Has(Reason::kRestored) ? 1 : 0;
    if (random.IsLoosened(account)) continue;
    // A hold that was released is in force again.
    if (random.IsReleased(account)) continue;
    ASSERT_EQ(is.disposition, was.disposition) << what;
    if (random.IsResumed(questions[i].purpose)) continue;
    ASSERT_EQ(is.eligibility, was.eligibility) << "nobody loosened anything: " << what;
    ++seen->same;
  }
}

void PlayLife(uint64_t seed, Compared* seen) {
  const uint64_t steps = model::FromEnvironment("CONSENT_RESTORE_STEPS", 40);
  RandomLife random(seed, model::FromEnvironment("CONSENT_RESTORE_ACCOUNTS", 8), steps);
  random.Live(steps * 5 / 8);
  random.Backup();
  random.Live(steps);
  Life& life = random.life();
  const std::vector<Asked> questions = random.Questions();
  std::vector<domain::Decision> before;
  before.reserve(questions.size());
  for (const Asked& asked : questions) before.push_back(random.Ask(asked));
  std::map<service::DeletionPlace, domain::DeletionRequest> requests;
  for (const service::DeletionPlace& place : random.requests()) requests[place] = life.deleting().Get(place);
  std::vector<store::Sequence> heads;
  for (uint16_t p = 0; p < Life::kPartitions; ++p) heads.push_back(life.store().GetHead({p}).stamp.sequence);
  const base::Bytes16 old_id = life.store().store_id();
  life.Lose();
  const restore::Report report = life.Restore();
  EXPECT_NE(life.store().store_id(), old_id);
  EXPECT_EQ(report.requests_needing_ids, 0U);
  for (uint16_t p = 0; p < Life::kPartitions; ++p) {
    EXPECT_GE(life.store().GetHead({p}).stamp.sequence, heads[p]) << "nothing is numbered twice";
  }
  ASSERT_NO_FATAL_FAILURE(Compare(random, questions, before, seen));
  for (const auto& [place, was] : requests) {
    const domain::DeletionRequest is = life.deleting().Get(place);
    EXPECT_EQ(is.id, was.id);
    EXPECT_EQ(is.state, was.state);
    EXPECT_FALSE(is.needs_ids);
  }
  EXPECT_EQ(WrongIds(life.world()), "");
  // What is owed can be done, and is.
  while (life.deleting().Work("audio") > 0) {
  }
  for (const auto& [place, was] : requests) {
    const domain::DeletionRequest is = life.deleting().Get(place);
    if (!domain::IsVerified(was.state)) continue;
    const auto on_hold = life.world().deletions().IsOnHold(place);
    ASSERT_TRUE(on_hold.ok());
    EXPECT_TRUE(is.state == DeletionState::kCompleted || *on_hold) << "state " << static_cast<int>(is.state);
  }
}

TEST(RestoredLives, AreAsStrictAsTheLostOnes) {
  const model::SeedRange seeds = model::SlowSeeds(6);
  Compared seen;
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE("CONSENT_TEST_SEED=" + std::to_string(seed));
    PlayLife(seed, &seen);
    if (testing::Test::HasFailure()) break;
  }
  if (seeds.whole || std::getenv("CONSENT_RESTORE_STEPS") != nullptr) {
    EXPECT_GT(seen.yes, 0);
    EXPECT_GT(seen.marked, 0);
    EXPECT_GT(seen.purged, 0);
    EXPECT_GT(seen.same, 0);
  }
  std::printf("[ %d yeses, %d marked, %d purged, %d the same where nobody loosened anything ]\n", seen.yes, seen.marked,
              seen.purged, seen.same);
}

}  // namespace
}  // namespace consent::test
