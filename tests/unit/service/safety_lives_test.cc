// Seeded lives of an account whose recordings are reported for SAFETY and deleted, beside a naive account of what is
// held: nothing that is held is handed out, or taken for erased, and all of it is done in the end. CONSENT_TEST_SEED
// begins at another seed, CONSENT_TEST_CASES sets how many.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "consent/v1/deletion_service.pb.h"
#include "tests/support/model/dice.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/deleting.h"

namespace consent::test::safety_lives_test {
namespace {

using domain::DeletionState;
using domain::Flags;
using model::Dice;
using service::LeasedTask;
using Names = std::set<std::string>;

constexpr uint64_t kLives = 40;
constexpr int kSteps = 60;
const std::vector<std::string> kRecordings = {"r0", "r1", "r2", "r3"};
constexpr char kByLaw[] = "r4";

Names LeftOutOf(const LeasedTask& task) {
  Names names;
  for (const std::string& exception : task.exceptions) {
    v1::HoldSelector held;
    if (!held.ParseFromString(exception)) names.insert(kByLaw);  // what Deleting::Hold seals
    for (const std::string& id : held.recordings().recording_ids()) names.insert(id);
  }
  return names;
}

class Life {
 public:
  explicit Life(uint64_t seed)
      : dice_(seed),
        world_(World::Options{
            .partitions = 2, .seed = seed + 1, .max_subjects = dice_.Chance(0.3) ? 0 : uint64_t{1} << 20}) {
    Activate(72);
    deleting_.Register(System("audio"));
    EXPECT_TRUE(world_.Register("a", "DE").ok());
  }

  void Run() {
    for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
      Step();
      AskAll();
    }
    Finish();
  }
  uint64_t leased() const { return leased_; }
  uint64_t lost() const { return lost_; }
  uint64_t left_out() const { return left_out_; }

 private:
  struct Out {
    LeasedTask task;
    bool policy_changed = false;
  };

  void Step() {
    const std::string& recording = dice_.Pick(kRecordings);
    switch (dice_.Below(13)) {
      case 0:
      case 1:
        return Report(recording);
      case 2:
        deleting_.Ask("a", deleting_.Recordings({recording}));
        return;
      case 3:
        if (dice_.Chance(0.5)) deleting_.Ask("a", deleting_.Recordings({"r0", "r1", kByLaw}));
        return;
      case 4:
        if (dice_.Chance(0.4)) deleting_.Ask("a", AllOfIt());
        return;
      case 5:
      case 6:
        return Lease();
      case 7:
      case 8:
        return EndOne();
      case 9:
        return world_.Wait(base::Seconds(static_cast<int64_t>(dice_.Below(30 * 3600))));
      case 10:
        return TakeUp(recording);
      case 11:
        return HoldOrRelease();
      default:
        if (dice_.Chance(0.3)) return world_.Restart();
        if (dice_.Chance(0.4)) return Activate(dice_.Pick({0, 24, 72, 100}));
        if (dice_.Chance(0.3)) Doubt();
    }
  }

  void Activate(int hours) {
    PolicyBuilder policy("p" + std::to_string(++policies_));
    policy.policy().set_safety_hold_hours(hours);
    ASSERT_TRUE(world_.Activate(policy).ok());
    hours_ = hours;
    for (Out& out : out_) out.policy_changed = true;
  }
  void Report(const std::string& recording) {
    const base::Instant before = world_.Now();
    ASSERT_TRUE(world_.Report("a", recording, Flags::kSafety).ok());
    reported_.try_emplace(recording, before);
  }
  // A report is dated by its commit, less than a second after it was sent.
  bool IsHeld(const std::string& recording, base::Span ago = {}) const {
    const auto at = reported_.find(recording);
    if (at == reported_.end() || hours_ == 0) return false;
    return world_.Now() - ago < at->second + base::Hours(hours_);
  }
  bool Selects(const LeasedTask& task, const std::string& recording) const {
    const auto& named = task.request.selector.recordings;
    if (task.request.selector.kind != domain::SelectorKind::kRecordings) return true;
    return std::binary_search(named.begin(), named.end(), world_.core().hasher.Recording(recording));
  }

  void Lease() {
    for (LeasedTask& task : deleting_.Lease("audio", 10, base::Hours(12))) {
      ++leased_;
      const Names left_out = LeftOutOf(task);
      left_out_ += left_out.size();
      size_t left = 0;
      for (const std::string& recording : kRecordings) {
        if (!Selects(task, recording)) continue;
        const bool is_left_out = left_out.count(recording) == 1;
        left += is_left_out ? 0 : 1;
        EXPECT_TRUE(is_left_out || !IsHeld(recording)) << recording << " is handed out";
        // A lease takes a minute or two of the world's clock.
        EXPECT_TRUE(!is_left_out || IsHeld(recording, base::Seconds(180))) << recording << " is left out for nothing";
      }
      const bool may_be_all = task.request.selector.kind == domain::SelectorKind::kRecordings && !Selects(task, kByLaw);
      EXPECT_TRUE(!may_be_all || left > 0) << "nothing of it may go";
      out_.push_back({std::move(task), false});
    }
  }
  void EndOne() {
    if (out_.empty()) return;
    const size_t i = dice_.Below(out_.size());
    const Out out = out_[i];
    out_.erase(out_.begin() + static_cast<std::ptrdiff_t>(i));
    if (dice_.Chance(0.2)) {
      (void)deleting_.Fail("audio", out.task);
      return;
    }
    const absl::Status ended = deleting_.End("audio", out.task);
    if (!ended.ok()) {
      EXPECT_EQ(ReasonOf(ended), "LEASE_LOST");
      ++lost_;
      return;
    }
    if (out.policy_changed) return;  // what a longer hold keeps since then was handed out before
    const Names left_out = LeftOutOf(out.task);
    for (const std::string& recording : kRecordings) {
      const bool is_erased = Selects(out.task, recording) && left_out.count(recording) == 0;
      EXPECT_FALSE(is_erased && IsHeld(recording)) << recording << " was held, and is taken for erased";
    }
  }
  void TakeUp(const std::string& recording) {
    service::ChangeRequest request = world_.Request("a", service::ChangeKind::kSafetyFlagHandled);
    request.recording = world_.core().hasher.Recording(recording);
    request.payload.recording_id = recording;
    std::promise<void> done;
    const auto answered = [&done](const Reply&) { done.set_value(); };
    dice_.Chance(0.5) ? world_.safety_flags().Acknowledge(std::move(request), answered)
                      : world_.safety_flags().Handle(std::move(request), answered);
    done.get_future().get();
  }
  void HoldOrRelease() {
    if (hold_.has_value()) {
      EXPECT_TRUE(deleting_.Release(*hold_).ok());
      hold_.reset();
    } else if (dice_.Chance(0.5)) {
      hold_ = deleting_.Hold("a", deleting_.HeldRecordings({kByLaw}));
    }
  }
  // In doubt all that was reported is held, however long ago.
  void Doubt() {
    world_.clock.StepWall(base::Days(400));
    for (const LeasedTask& task : deleting_.Lease("audio", 10, base::Hours(12))) {
      for (const auto& [recording, since] : reported_) {
        EXPECT_TRUE(hours_ == 0 || !Selects(task, recording) || LeftOutOf(task).count(recording) == 1) << recording;
      }
      (void)deleting_.Fail("audio", task);
    }
    for (const auto& [recording, since] : reported_) {
      EXPECT_EQ(IsHoldOf(recording), hours_ != 0);
    }
    world_.clock.StepWall(base::Span{-base::Days(400).micros});
  }
  bool IsHoldOf(const std::string& recording) const {
    const domain::Decision decision =
        world_.Check("a", Recording(world_.Now() - base::Days(1)).Id(recording), domain::Purpose::kHumanReview);
    EXPECT_FALSE(IsYes(decision) && reported_.count(recording) != 0);
    return decision.disposed.Has(domain::Reason::kSafetyHold);
  }
  void AskAll() {
    for (const std::string& recording : kRecordings) EXPECT_EQ(IsHoldOf(recording), IsHeld(recording)) << recording;
  }

  void Finish() {
    if (hold_.has_value()) HoldOrRelease();
    for (int round = 0; round < 40 && !testing::Test::HasFailure(); ++round) {
      world_.Wait(base::Hours(13));
      out_.clear();
      Lease();
      while (!out_.empty()) EndOne();
    }
    service::DeletionFilter filter;
    filter.subject = world_.Handle("a");
    const auto page = world_.deletions().List(filter, 1'000, {world_.core().PartitionOf(*filter.subject), 0});
    ASSERT_TRUE(page.ok()) << page.status();
    for (const service::DeletionView& view : page->requests) {
      EXPECT_EQ(view.request.state, DeletionState::kCompleted) << "request " << view.place.number;
    }
  }

  Dice dice_;
  World world_;
  Deleting deleting_{world_};
  int hours_ = 0;
  int policies_ = 1;
  std::map<std::string, base::Instant> reported_;
  std::vector<Out> out_;
  std::optional<service::HoldPlace> hold_;
  uint64_t leased_ = 0;
  uint64_t lost_ = 0;
  uint64_t left_out_ = 0;
};

TEST(SafetyLives, NothingThatIsHeldIsHandedOutAndAllIsDone) {
  const model::SeedRange seeds = model::SeedsOfChunk(0, 1, kLives);
  uint64_t leased = 0;
  uint64_t lost = 0;
  uint64_t left_out = 0;
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    SCOPED_TRACE("CONSENT_TEST_SEED=" + std::to_string(seed) + " CONSENT_TEST_CASES=1 replays it");
    Life life(seed);
    life.Run();
    ASSERT_FALSE(testing::Test::HasFailure());
    leased += life.leased();
    lost += life.lost();
    left_out += life.left_out();
  }
  if (!seeds.whole) return;
  EXPECT_GT(leased, 200U);
  EXPECT_GT(lost, 5U) << "reports came while tasks were out";
  EXPECT_GT(left_out, 50U);
}

}  // namespace
}  // namespace consent::test::safety_lives_test
