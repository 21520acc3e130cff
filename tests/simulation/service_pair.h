// Two services on one store, each with a memory of its own that is fed by publication alone, and a play with them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/service/deleting.h"
#include "tests/support/store/faulty.h"

namespace consent::simulation {

using service::DeletionPlace;

// What a store is wrong in, on purpose.
enum class WrongStore : uint8_t {
  kNone = 0,
  kForgetsRegistry,   // no precondition on the registry's rows
  kForgetsPolicy,     // none on those of policies
  kForgetsRecord,     // none on a subject's record
  kLosesPublication,  // a service does not hear of a commit
};

// A service with its own decorator before the store.
struct PairedService {
  PairedService(uint64_t seed, store::Store* shared) : world(Options(seed, shared)), deleting(world) {
    world.random.Fill(burnt.data(), shared == nullptr ? 0 : burnt.size());
  }
  test::World::Options Options(uint64_t seed, store::Store* shared) {
    test::World::Options options;
    options.seed = seed;
    options.partitions = 3;
    options.policy = false;
    options.decorate = [this, shared](store::Store& own) {
      auto made = std::make_unique<test::FaultyStore>(shared == nullptr ? own : *shared, test::FaultyStore::Plan{});
      store = made.get();
      return made;
    };
    return options;
  }

  std::array<uint8_t, 64> burnt{};  // so that the two do not draw the same
  test::FaultyStore* store = nullptr;
  test::World world;
  test::Deleting deleting;
};

// One step at a time; some of them come in the middle of another one, right before it commits.
class ServicePair {
 public:
  static constexpr int kSteps = 500;

  ServicePair(uint64_t seed, WrongStore wrong)
      : seed_(seed), dice_(seed), variant_(wrong), a_(seed, nullptr), b_(seed, &a_.world.inner_store()) {
    for (PairedService* service : {&a_, &b_}) {
      if (wrong == WrongStore::kForgetsRegistry) service->store->ForgetPreconditionsOf(store::Table::kSystem);
      if (wrong == WrongStore::kForgetsPolicy) service->store->ForgetPreconditionsOf(store::Table::kPolicy);
      if (wrong == WrongStore::kForgetsRecord) service->store->ForgetPreconditionsOf(store::Table::kSubject);
    }
  }
  // Empty, or what went wrong.
  std::string Play();
  // How many steps came in the middle of another; tasks that were done; checks that said yes.
  size_t meddled() const { return meddled_; }
  size_t tasks_done() const { return tasks_done_; }
  size_t yes() const { return yes_; }
  // How often a record was looked at that does not hold all tombstones.
  size_t crowded() const { return crowded_; }

 private:
  static constexpr int kAccounts = 6;
  static constexpr size_t kMaxSystems = 6;
  static constexpr size_t kMaxNotices = 12;

  // What was acknowledged of an account's consent, by the revisions.
  struct Acknowledged {
    store::Sequence on = 0;
    store::Sequence off = 0;
  };
  struct Held {
    std::string system;
    service::LeasedTask task;
  };

  uint64_t Below(uint64_t n) { return dice_() % n; }
  PairedService& Either() { return Below(2) == 0 ? a_ : b_; }
  PairedService& OtherThan(PairedService& service) { return &service == &a_ ? b_ : a_; }
  static std::string Name(uint64_t account) { return "a" + std::to_string(account); }
  std::string AnyAccount() { return Name(Below(kAccounts)); }
  void NoteWrong(const std::string& what);
  // Nothing that happens here may end in an error of the daemon's own.
  void Mind(const absl::Status& status);

  // One time for both.
  void Sync();

  // The other service does something right before one of the next commits of this one.
  void MeddleWith(PairedService& service) { MeddleAfter(service, static_cast<int>(Below(2) == 0 ? 0 : Below(8))); }
  void MeddleAfter(PairedService& service, int commits);
  void Step(PairedService& service);

  // Notices come and go, but for the first ones: one that somebody consented under may not go.
  void Activate(PairedService& service);
  void Suspend(PairedService& service);
  void Register(PairedService& service);
  void Retire(PairedService& service);

  // The revision of a reply; 0: it was refused.
  store::Sequence RevisionIn(const test::Reply& reply);
  void OptIn(PairedService& service);
  void OptOut(PairedService& service);
  void Ask(PairedService& service);
  void AskFor(PairedService& service, const std::string& account, const domain::Selector& selector);
  void AskForTimes(PairedService& service);
  void Decide(PairedService& service);
  void Hold(PairedService& service);
  void Release(PairedService& service);
  void Lease(PairedService& service);
  void Report(PairedService& service);
  void Erase(PairedService& service);

  // What must hold after each step.
  void Examine();

  // Each change of a subject follows the one before it: none was written over another.
  void ExamineHistory();

  // What a stored choice names is in use.
  void ExamineNotices();

  // The registry is the same everywhere, and has all that was acknowledged.
  std::set<domain::SystemNumber> ExamineRegistry();

  // Each open request that is verified has a task for each system, and each task a row.
  void ExamineRequests(const std::set<domain::SystemNumber>& active);

  // Both know what a service knows that has just read the store.
  void CompareWithFresh();

  // All is verified, released and done, by either: then every request ends.
  void Settle();

  const uint64_t seed_;
  std::mt19937_64 dice_;
  const WrongStore variant_;
  PairedService a_;
  PairedService b_;
  std::map<std::string, Acknowledged> acknowledged_;
  std::map<std::string, domain::SystemNumber> systems_;  // that were acknowledged
  std::set<std::string> notices_;                        // beside those of every policy, as last acknowledged
  std::set<DeletionPlace> requests_;
  std::vector<service::HoldPlace> holds_;
  std::vector<Held> held_;
  std::map<uint16_t, store::Sequence> next_;     // of each partition's feed, to be looked at
  std::map<std::string, store::Sequence> last_;  // change of each subject
  std::set<std::pair<uint16_t, store::Sequence>> nameless_;
  std::string wrong_;
  size_t names_ = 0;
  size_t notices_ever_ = 0;
  size_t policies_ = 0;
  size_t meddled_ = 0;
  size_t tasks_done_ = 0;
  size_t yes_ = 0;
  size_t crowded_ = 0;
};

}  // namespace consent::simulation
