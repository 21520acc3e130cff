// Seeded lives of deletion requests: requests and their steps, holds and their releases, closed accounts,
// registrations, workers that die, lose acknowledgements and repeat reports, erasures, a store that answers Conflict,
// Retry and Unknown, restarts and jumps of the clock. The model beside it knows only what was acknowledged.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/simulation/oracle.h"
#include "tests/support/service/deleting.h"
#include "tests/support/store/faulty.h"

namespace consent::simulation {
namespace {

using domain::DeletionState;
using domain::PurgeOutcome;
using service::DeletionPlace;
using service::DeletionStep;
using test::Deleting;

constexpr uint64_t kRuns = 200;
constexpr int kSteps = 60;
constexpr int kAccounts = 4;

// Plays one seed; empty, or what went wrong.
class Life {
 public:
  explicit Life(uint64_t seed) : dice_(seed), world_(Options(seed)), deleting_(world_) {}

  std::string Play() {
    Register();
    for (int step = 0; step < kSteps && wrong_.empty(); ++step) {
      Step();
      Recover();
      Examine();
    }
    if (wrong_.empty()) Settle();
    return wrong_.empty() ? wrong_ : wrong_ + " (after " + std::to_string(effects_) + " effects)";
  }
  size_t completed() const { return completed_; }
  size_t effects() const { return effects_; }

 private:
  struct Known {
    std::string account;
    domain::Selector selector;
    DeletionState least = DeletionState::kReceived;  // acknowledged
    base::Instant asked_before;                      // captures before it are covered
    std::set<domain::SystemNumber> done;             // ended with effect
    base::DeletionId id = {};                        // as it was first seen
  };
  struct Held {
    std::string system;
    service::LeasedTask task;
  };
  // Placed for sure, and nobody tried to release it: of all of an account's that was captured until `to`.
  struct Hold {
    std::string account;
    base::Instant to;
    service::HoldPlace place;
  };

  test::World::Options Options(uint64_t seed) {
    test::World::Options options;
    options.seed = seed;
    options.partitions = seed % 2 == 0 ? 1 : 3;
    options.decorate = [this, seed](store::Store& inner) {
      test::FaultyStore::Plan plan;
      plan.seed = seed;
      plan.conflict = 0.05;
      plan.retry = 0.02;
      plan.unknown_lost = 0.01;
      plan.unknown_done = 0.01;
      auto made = std::make_unique<test::FaultyStore>(inner, plan);
      faulty_ = made.get();
      // The first policy must come through.
      for (int i = 0; i < 16; ++i) faulty_->Inject(test::Fault::kNone);
      return made;
    };
    return options;
  }
  uint64_t Below(uint64_t n) { return dice_() % n; }
  void Wrong(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  // After a failed write the daemon ends and starts anew.
  void Recover() {
    if (!faulty_->failed()) return;
    Restart();
  }
  // As a supervisor does: until it starts.
  void Restart() {
    do faulty_->Reopen();
    while (!world_.TryRestart().ok());
  }

  void Register() {
    const std::string name = "system" + std::to_string(systems_.size());
    service::SystemRow row = test::System(name);
    row.checks_on_ingest = Below(3) != 0;
    if (!row.checks_on_ingest) row.latest_arrival = base::Hours(static_cast<int64_t>(Below(5)));
    const auto registered = world_.systems().Register(row);
    Recover();
    if (registered.ok() || world_.systems().Find(name).ok()) systems_.push_back(name);
  }

  void Ask() {
    Known known;
    known.account = "a" + std::to_string(Below(kAccounts));
    const base::Instant now = world_.Now();
    switch (Below(8)) {
      case 0:
        known.selector = test::AllOfIt();
        if (Below(3) == 0) known.selector.kind = domain::SelectorKind::kAccountClosure;
        break;
      case 5:
      case 6:
      case 1:
        known.selector = test::Within(now - base::Days(10), now - base::Days(static_cast<int64_t>(1 + Below(9))));
        break;
      default:
        known.selector = deleting_.Recordings({"r" + std::to_string(Below(3)), "r7"});
        break;
    }
    known.least = Below(2) == 0 ? DeletionState::kAccepted : DeletionState::kReceived;
    known.asked_before = now;
    const auto created = deleting_.TryAsk(known.account, known.selector, known.least);
    if (!created.ok()) return;
    const auto [at, added] = known_.try_emplace(created->place, known);
    if (!added && created->created) Wrong("two requests have one name");
    if (added && !created->created) at->second.least = DeletionState::kReceived;  // one whose acknowledgement was lost
  }

  DeletionPlace Any() {
    auto at = known_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(Below(known_.size())));
    return at->first;
  }

  void Step() {
    switch (Below(18)) {
      case 14:
        return PlaceHold();
      case 15:
        return ReleaseHold();
      case 16:
        if (Below(2) == 0) (void)world_.erasures().EraseKeys();
        if (Below(4) == 0) (void)world_.erasures().EraseBytes(world_.Now());
        return;
      case 17:
        return OpenAnew();
      case 0:
      case 1:
      case 2:
        return Ask();
      case 3:
        if (systems_.size() < 4) Register();
        return;
      case 4:
      case 5:
        return Decide();
      case 6:
      case 7:
      case 8:
        return Lease();
      case 9:
      case 10:
      case 11:
        return Report();
      case 12:
        Restart();
        return;
      default:
        world_.Wait(base::Seconds(static_cast<int64_t>(Below(20'000))));
        return;
    }
  }

  void Decide() {
    if (known_.empty()) return;
    const DeletionPlace place = Any();
    Known& known = known_[place];
    switch (Below(4)) {
      case 0:
      case 1:
        if (deleting_.Step(place, DeletionStep::kVerify).ok()) {
          known.least = std::max(known.least, DeletionState::kAccepted);
        }
        return;
      case 2:
        if (deleting_.Step(place, DeletionStep::kDeny, "no").ok()) known.least = DeletionState::kDenied;
        return;
      default:
        if (deleting_.Cancel(place).ok()) known.least = DeletionState::kCancelled;
        return;
    }
  }

  void PlaceHold() {
    Hold hold;
    hold.account = "a" + std::to_string(Below(kAccounts));
    hold.to = world_.Now() - base::Days(static_cast<int64_t>(Below(4)));
    domain::HeldPart held;
    held.captured.to = hold.to;
    const auto placed = deleting_.TryHold(hold.account, held);
    if (!placed.ok()) return void(doubtful_.insert(hold.account));
    hold.place = placed->place;
    holds_.push_back(hold);
  }

  void ReleaseHold() {
    if (holds_.empty()) return;
    const size_t at = Below(holds_.size());
    const Hold hold = holds_[at];
    holds_.erase(holds_.begin() + static_cast<std::ptrdiff_t>(at));
    if (!deleting_.Release(hold.place).ok()) doubtful_.insert(hold.account);
  }

  bool IsHeld(const std::string& account, base::Instant captured) const {
    return std::any_of(holds_.begin(), holds_.end(),
                       [&](const Hold& hold) { return hold.account == account && captured <= hold.to; });
  }

  // A closed account's id is taken into use again.
  void OpenAnew() {
    service::ChangeRequest request =
        world_.Request("a" + std::to_string(Below(kAccounts)), service::ChangeKind::kUpsertSubject);
    request.command.registers = true;
    request.create_new = true;
    (void)world_.Submit(std::move(request));
  }

  void Lease() {
    if (systems_.empty()) return;
    const std::string system = systems_[Below(systems_.size())];
    const auto leased = world_.tasks().Lease(deleting_.Named(system), 1 + Below(3),
                                             base::Seconds(static_cast<int64_t>(1 + Below(600))));
    if (!leased.ok() || Below(5) == 0) return;  // the reply, or the worker, is lost
    for (const service::LeasedTask& task : *leased) {
      held_.push_back({system, task});
      const bool is_held = task.request.selector.kind != domain::SelectorKind::kRecordings &&
                           IsHeld(task.payload.account_id, task.request.selector.captured.from());
      if (is_held && task.exceptions.empty()) Wrong("a task does not know what is on hold");
      // A request whose acknowledgement was lost is one all the same.
      const domain::DeletionRequest& request = task.request;
      known_.try_emplace(
          task.place,
          Known{task.payload.account_id, request.selector, DeletionState::kAccepted, request.received_at, {}});
    }
  }

  void Report() {
    if (held_.empty()) return;
    const size_t at = Below(held_.size());
    const Held held = held_[at];
    if (Below(4) == 0) {
      (void)deleting_.Fail(held.system, held.task);
    } else {
      const domain::SystemNumber number = deleting_.Named(held.system).number;
      const bool was_open = Outcome(held.task.place, number) == PurgeOutcome::kOpen;
      const domain::DeletionRequest before = deleting_.Get(held.task.place);
      const bool is_held = before.selector.kind != domain::SelectorKind::kRecordings &&
                           IsHeld(held.task.payload.account_id, before.selector.captured.from());
      const absl::Status ended =
          deleting_.End(held.system, held.task, Below(3) == 0 ? PurgeOutcome::kNotFound : PurgeOutcome::kAcknowledged);
      Recover();
      const bool is_open = Outcome(held.task.place, number) == PurgeOutcome::kOpen;
      if (was_open && !is_open && !known_[held.task.place].done.insert(number).second) Wrong("a task was ended twice");
      if (was_open && !is_open) ++effects_;
      if (was_open && !is_open && is_held) Wrong("a task has ended although some of it is on hold");
      if (!ended.ok() && test::ReasonOf(ended) == "INTERNAL") {
        Wrong("an internal error: " + std::string(ended.message()));
      }
    }
    if (Below(3) != 0) {
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));  // else it is reported once more, some time
    }
  }

  PurgeOutcome Outcome(DeletionPlace place, domain::SystemNumber system) const {
    const domain::DeletionRequest request = deleting_.Get(place);
    const domain::SystemProgress* part = request.Find(system);
    return part == nullptr ? PurgeOutcome::kOpen : part->outcome;
  }

  // What must hold at any time.
  void Examine() {
    std::map<domain::SystemNumber, int64_t> open;
    if (const std::string wrong_ids = test::WrongIds(world_); !wrong_ids.empty()) Wrong(wrong_ids);
    for (auto& [place, known] : known_) {
      const domain::DeletionRequest request = deleting_.Get(place);
      if (known.id == base::DeletionId{}) known.id = request.id;
      if (known.id != request.id) Wrong("a request has another id");
      if (request.state < known.least && known.least <= DeletionState::kCompleted) {
        Wrong("a state went back, or was lost");
      }
      if (known.least > DeletionState::kCompleted && request.state != known.least) {
        Wrong("a denied or cancelled request became something else");
      }
      known.least = request.state;
      for (const std::string& system : systems_) {
        // One whose tasks have all ended only waits for its key to leave the files.
        const bool waits = domain::IsOpen(request.state) && domain::IsVerified(request.state) &&
                           (request.parts.empty() || !domain::AllEnded(request));
        if (waits && request.Find(deleting_.Named(system).number) == nullptr) Wrong("a registered system has no task");
      }
      for (const domain::SystemProgress& part : request.parts) {
        const bool is_open = part.outcome == PurgeOutcome::kOpen;
        if (request.state == DeletionState::kCompleted && is_open) Wrong("completed with a task open");
        const std::string key = service::TaskKey(part.system, place.number);
        const bool has_row = world_.store().Get(place.partition, store::Table::kTask, key).ok();
        if (is_open != has_row) Wrong(is_open ? "a task is lost" : "a task is left over");
        if (is_open) ++open[part.system];
      }
      ExamineUse(known, request);
    }
  }

  void ExamineUse(const Known& known, const domain::DeletionRequest& request) {
    if (request.state == DeletionState::kCancelled) return;
    test::Recording recording(known.selector.kind == domain::SelectorKind::kTimeRange
                                  ? known.selector.captured.from() + base::Hours(1)
                                  : known.asked_before - base::Days(2));
    if (known.selector.kind == domain::SelectorKind::kRecordings) recording.Id("r7");
    const domain::Decision decision = world_.Check(known.account, recording);
    if (test::IsYes(decision)) Wrong("eligible after the request was received");
    const bool is_held = IsHeld(known.account, recording.facts.captured_at);
    if (is_held && decision.disposition != domain::Disposition::kHold) Wrong("what is on hold is not held");
    const bool may_be_held = is_held || doubtful_.count(known.account) != 0;
    const bool goes = decision.disposition == domain::Disposition::kPurge ||
                      (may_be_held && decision.disposition == domain::Disposition::kHold);
    if (domain::IsVerified(request.state) && !goes) Wrong("a verified deletion does not purge");
  }

  // Everything is verified and done: then all that is not denied or cancelled must be completed, and nothing is left.
  void Settle() {
    faulty_->Calm();
    for (auto& [place, known] : known_) {
      if (domain::IsOpen(known.least)) (void)deleting_.Step(place, DeletionStep::kVerify);
    }
    const auto holds = world_.holds().List({}, 1000, {});
    for (const service::HoldView& hold : holds->holds) (void)deleting_.Release(hold.place);
    holds_.clear();
    for (int round = 0; round < 40; ++round) {
      for (const std::string& system : systems_) (void)deleting_.Work(system);
      (void)world_.erasures().EraseKeys();
      world_.Wait(base::Days(1));
    }
    Examine();
    for (const auto& [place, known] : known_) {
      const DeletionState state = deleting_.Get(place).state;
      if (state == DeletionState::kCompleted) ++completed_;
      if (!systems_.empty() && domain::IsOpen(state)) Wrong("a request is never completed");
    }
    (void)world_.erasures().EraseBytes(world_.Now());
    const auto lag = world_.erasures().Lag();
    if (!lag.ok() || lag->keys + lag->bytes != 0) Wrong("something is never erased");
    for (const std::string& system : systems_) {
      if (world_.queue().counts(deleting_.Named(system).number).open != 0) Wrong("the count of open tasks is off");
    }
  }

  std::mt19937_64 dice_;
  test::FaultyStore* faulty_ = nullptr;
  test::World world_;
  Deleting deleting_;
  std::vector<std::string> systems_;
  std::map<DeletionPlace, Known> known_;
  std::vector<Held> held_;
  std::vector<Hold> holds_;
  std::set<std::string> doubtful_;  // accounts of which some hold's placing or release was not acknowledged
  std::string wrong_;
  size_t completed_ = 0;
  size_t effects_ = 0;
};

TEST(DeletionLives, NothingIsCompletedEarlyLostDoneTwiceOrUsed) {
  const Seeds seeds = SeedsOf(kRuns);
  size_t completed = 0;
  size_t effects = 0;
  for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    Life life(seed);
    const std::string wrong = life.Play();
    ASSERT_EQ(wrong, "") << "seed " << seed;
    completed += life.completed();
    effects += life.effects();
  }
  if (!seeds.whole) return;
  EXPECT_GT(completed, 2 * seeds.count) << "a run in which nothing happens shows nothing";
  EXPECT_GT(effects, seeds.count);
}

}  // namespace
}  // namespace consent::simulation
