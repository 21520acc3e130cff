// Clients on threads of their own, over the store in memory and its committer.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include "tests/simulation/oracle.h"

namespace consent::simulation::threads_test {
namespace {

using test::World;

constexpr uint64_t kRuns = 1'500;
constexpr uint64_t kRunsPerWorld = 100;
constexpr int kThreads = 4;
constexpr int kSteps = 8;
constexpr int kSubjects = 2;

std::string NameOf(uint64_t seed, int subject) { return std::to_string(seed) + "/" + std::to_string(subject); }

// A checker that is wrong on purpose keeps its yes here.
struct Kept {
  bool keeps = false;
  std::map<std::string, base::Instant> until;
};

class Client {
 public:
  Client(World& world, uint64_t seed, int number, std::atomic<Moment>& moment, bool keeps_a_yes)
      : world_(world), seed_(seed), random_(seed * 64 + static_cast<uint64_t>(number)), moment_(moment) {
    kept_.keeps = keeps_a_yes;
  }

  void Act() {
    for (int step = 0; step < kSteps; ++step) {
      const int subject = static_cast<int>(random_() % kSubjects);
      switch (random_() % 4) {
        case 0:
          Change(subject, true);
          break;
        case 1:
          Change(subject, false);
          break;
        default:
          Ask(subject);
          break;
      }
    }
  }

  Log log;

 private:
  void Change(int subject, bool on) {
    const std::string account = NameOf(seed_, subject);
    service::ChangeRequest request =
        on ? world_.OptInRequest(account, test::Account(), test::Control("help_improve"), test::Under("past"))
           : world_.OptOutRequest(account, test::Account(), test::Control("help_improve"));
    simulation::Change change{subject, on, ++moment_, std::nullopt, false, 0};
    std::promise<test::Reply> promise;
    world_.changes().Submit(std::move(request), [&](test::Reply reply) { promise.set_value(std::move(reply)); });
    const test::Reply reply = promise.get_future().get();
    change.ended = ++moment_;
    change.applied = reply.ok();
    if (reply.ok()) change.revision = reply->revision.sequence;
    log.changes.push_back(change);
  }

  void Ask(int subject) {
    const std::string account = NameOf(seed_, subject);
    const Moment began = ++moment_;
    base::Instant& until = kept_.until[account];
    if (kept_.keeps && world_.Now() < until) {
      log.checks.push_back({subject, began, true});
      return;
    }
    const domain::Decision decision = world_.Check(account);
    until = test::IsYes(decision) ? decision.good_until : base::Instant{};
    log.checks.push_back({subject, began, test::IsYes(decision)});
  }

  World& world_;
  const uint64_t seed_;
  std::mt19937_64 random_;
  std::atomic<Moment>& moment_;
  Kept kept_;
};

// One run of a seed in a world that may hold others.
std::string RunSeed(World& world, uint64_t seed, bool keeps_a_yes, Log* whole) {
  for (int subject = 0; subject < kSubjects; ++subject) (void)world.Register(NameOf(seed, subject), "DE");
  std::atomic<Moment> moment{0};
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kThreads; ++i) clients.push_back(std::make_unique<Client>(world, seed, i, moment, keeps_a_yes));
  std::vector<std::thread> threads;
  for (auto& client : clients) threads.emplace_back([&client] { client->Act(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& client : clients) {
    whole->changes.insert(whole->changes.end(), client->log.changes.begin(), client->log.changes.end());
    whole->checks.insert(whole->checks.end(), client->log.checks.begin(), client->log.checks.end());
  }
  std::string wrong = Violations(*whole);
  for (int subject = 0; subject < kSubjects; ++subject) wrong += HistoryDisagrees(world, NameOf(seed, subject));
  return wrong;
}

struct Tally {
  uint64_t wrong = 0;
  uint64_t yes = 0;
  uint64_t on = 0;
  uint64_t off = 0;
};

Tally RunAll(World::Options options, Seeds seeds, bool keeps_a_yes) {
  Tally tally;
  std::unique_ptr<World> world;
  for (uint64_t i = 0; i < seeds.count; ++i) {
    const uint64_t seed = seeds.first + i;
    options.seed = seed;
    if (i % kRunsPerWorld == 0) world = std::make_unique<World>(options);
    Log log;
    const std::string wrong = RunSeed(*world, seed, keeps_a_yes, &log);
    if (!wrong.empty()) ++tally.wrong;
    if (!keeps_a_yes) {
      EXPECT_EQ(wrong, "") << "seed " << seed << " (threads: the order may differ when it is repeated)";
    }
    for (const Check& check : log.checks) tally.yes += check.yes ? 1 : 0;
    for (const simulation::Change& change : log.changes) (change.on ? tally.on : tally.off) += change.applied ? 1 : 0;
  }
  return tally;
}

void ExpectAllRight(const World::Options& options, uint64_t runs) {
  const Seeds seeds = SeedsOf(runs);
  const Tally tally = RunAll(options, seeds, false);
  EXPECT_EQ(tally.wrong, 0U);
  if (!seeds.whole) return;
  EXPECT_GT(tally.yes, seeds.count / 4);
  EXPECT_GT(tally.on, seeds.count / 4);
  EXPECT_GT(tally.off, seeds.count);
}

TEST(Threads, NoYesAfterAnAcknowledgedOptOut) { ExpectAllRight({}, kRuns); }

TEST(Threads, NorWithTheStoreBehindASmallIndexAndSeveralPartitions) {
  World::Options options;
  options.partitions = 3;
  options.max_subjects = 4;
  options.threads = 3;
  ExpectAllRight(options, kRuns / 3);
}

TEST(Threads, ACheckerThatKeepsAYesIsCaught) { EXPECT_GT(RunAll({}, {1, 200}, true).wrong, 5U); }

}  // namespace
}  // namespace consent::simulation::threads_test
