#include "tests/support/store/lease_play.h"

#include <algorithm>
#include <future>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/lease_holder.h"
#include "tests/support/store/clock.h"

namespace consent::test {
namespace {

constexpr base::Span kLength = base::Seconds(10);

class Play {
 public:
  Play(store::Store& store, store::Partition partition, const LeasePlay& play)
      : store_(store), partition_(partition), play_(play), random_(play.seed) {
    const std::string name = "play " + std::to_string(play.seed) + (play.commits_under_lease ? "" : " wrong");
    for (const char* holder : {"one", "two"}) {
      sides_.push_back(std::make_unique<Side>());
      Side& side = *sides_.back();
      side.holder = std::make_unique<store::LeaseHolder>(
          store, side.clock, store::LeaseHolder::Options{partition, name, holder, kLength, {}});
    }
    sides_[1]->clock.Advance(base::Days(3));  // another boot clock
  }

  void Step() {
    Side& side = *sides_[random_() % sides_.size()];
    switch (random_() % 10) {
      case 0:
      case 1:
      case 2:
        LetTimePass(side);
        return;
      case 3:
        side.asleep = random_() % 3 == 0;
        return;
      case 4:
      case 5:
      case 6:
        if (!side.asleep) Keep(side);
        return;
      case 7:
        if (const auto guard = side.holder->Guard()) side.late.push_back({side.holder->Token(), *guard});
        return;
      default:
        Send(side);
        return;
    }
  }
  const LeaseTally& tally() const { return tally_; }

 private:
  // What a side was about to commit when it had the lease.
  struct Late {
    uint64_t token = 0;
    store::Precondition guard;
  };
  struct Side {
    ManualClock clock;
    std::unique_ptr<store::LeaseHolder> holder;
    bool asleep = false;
    std::vector<Late> late;
  };

  void LetTimePass(Side& side) {
    const base::Span passed{static_cast<int64_t>(random_() % 4'000'000)};
    for (const auto& each : sides_) each->clock.Advance(passed);
    side.clock.StepWall(base::Days(static_cast<int>(random_() % 800) - 400));
  }

  void Keep(Side& side) {
    (void)side.holder->Step();
    if (side.holder->Token() <= newest_) return;
    newest_ = side.holder->Token();
    ++tally_.grants;
  }

  void Send(Side& side) {
    if (side.late.empty()) return;
    const Late late = side.late.front();
    side.late.erase(side.late.begin());
    std::vector<store::Precondition> preconditions;
    if (play_.commits_under_lease) preconditions.push_back(late.guard);
    std::promise<store::Outcome> answer;
    store_.Commit(
        partition_, std::move(preconditions),
        [&late](const store::Stamp&) {
          return store::Change{{{store::Table::kSystem, "work", std::to_string(late.token)}}, {}};
        },
        [&answer](const store::CommitResult& result) { answer.set_value(result.outcome); });
    const store::Outcome outcome = answer.get_future().get();
    if (outcome == store::Outcome::kCommitted) {
      ++tally_.accepted;
      if (late.token < newest_) ++tally_.overtaken;
    } else if (outcome == store::Outcome::kConflict) {
      ++tally_.refused;
    }
  }

  store::Store& store_;
  const store::Partition partition_;
  const LeasePlay play_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Side>> sides_;
  uint64_t newest_ = 0;  // token
  LeaseTally tally_;
};

}  // namespace

LeaseTally PlayLease(store::Store& store, store::Partition partition, const LeasePlay& play,
                     const std::function<void()>& after_each) {
  Play whole(store, partition, play);
  for (int i = 0; i < play.steps; ++i) {
    whole.Step();
    if (after_each) after_each();
  }
  return whole.tally();
}

}  // namespace consent::test
