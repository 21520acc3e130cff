#include "tests/simulation/interleaving.h"

#include <array>
#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <random>

#include "tests/simulation/stepped_store.h"

namespace consent::simulation {
namespace interleaving {
namespace {

using test::World;

constexpr int kSubjects = 2;
constexpr int kClients = 5;
constexpr int kSteps = 120;

const std::array<std::string, kSubjects> kAccounts = {"first", "second"};

class Interleaving {
 public:
  explicit Interleaving(const Setting& setting) : setting_(setting), random_(setting.seed), world_(Options(setting)) {
    for (const std::string& account : kAccounts) (void)world_.Register(account, "DE");
    stepped_->Hold();
  }

  Outcome Go() {
    for (int step = 0; step < kSteps; ++step) Step();
    while (!stepped_->Idle()) {
      while (stepped_->ApplyOne() || stepped_->AnswerOne()) Settle();
      Settle();
    }
    Outcome outcome{std::move(log_), ""};
    outcome.wrong = Violations(outcome.log);
    for (const std::string& account : kAccounts) {
      const std::string disagrees = setting_.acknowledges_early ? "" : HistoryDisagrees(world_, account);
      if (!disagrees.empty()) outcome.wrong += account + ": " + disagrees + "\n";
    }
    return outcome;
  }

 private:
  World::Options Options(const Setting& setting) {
    World::Options options;
    options.seed = setting.seed;
    options.partitions = setting.partitions;
    options.max_subjects = setting.max_subjects;
    options.threads = 1;
    options.decorate = [this, &setting](store::Store& inner) {
      auto stepped = std::make_unique<SteppedStore>(inner, setting.acknowledges_early);
      stepped_ = stepped.get();
      return stepped;
    };
    return options;
  }

  uint64_t Below(uint64_t n) { return random_() % n; }

  // Waits until the one thread of the pool has nothing left to do, so that only this thread moves. It looks itself:
  // what it was given before stands behind the question in its queue.
  void Settle() {
    service::Pool& pool = world_.core().writers;
    for (bool idle = false; !idle;) {
      std::promise<bool> answer;
      if (pool.Post([&] { answer.set_value(pool.queued() == 0); })) idle = answer.get_future().get();
    }
  }

  void Step() {
    switch (Below(8)) {
      case 0:
        ReadEtag(Below(kClients));
        break;
      case 1:
      case 2:
        Submit(Below(kClients), Below(2) == 0);
        break;
      case 3:
      case 4:
        Ask(static_cast<int>(Below(kSubjects)));
        break;
      case 5:
        world_.clock.Advance(base::Milliseconds(static_cast<int64_t>(Below(400))));
        break;
      case 6:
        (void)stepped_->ApplyOne();
        break;
      default:
        (void)stepped_->AnswerOne();
        break;
    }
    Settle();
  }

  void ReadEtag(size_t client) {
    const int subject = static_cast<int>(Below(kSubjects));
    etags_[client] = {subject, world_.RevisionOf(kAccounts[subject])};
  }

  void Submit(size_t client, bool on) {
    if (!on) etags_[client].first = static_cast<int>(Below(kSubjects));
    const int subject = etags_[client].first;
    service::ChangeRequest request =
        on ? world_.OptInRequest(kAccounts[subject], test::Account(), test::Control("help_improve"),
                                 test::Under("past"))
           : world_.OptOutRequest(kAccounts[subject], test::Account(), test::Control("help_improve"));
    // Now and then the newest etag, so that some opt-ins succeed; else what the client once read.
    if (on && Below(2) == 0) request.command.expected_revision = etags_[client].second;
    const size_t number = log_.changes.size();
    log_.changes.push_back({subject, on, ++moment_, std::nullopt, false, 0});
    world_.changes().Submit(std::move(request), [this, number](test::Reply reply) {
      Change& change = log_.changes[number];
      change.applied = reply.ok();
      if (reply.ok()) change.revision = reply->revision.sequence;
      change.ended = ++moment_;
    });
  }

  void Ask(int subject) {
    const Moment began = ++moment_;
    base::Instant& kept_until = kept_[subject];
    if (setting_.checker == Checker::kKeepsAYes && world_.Now() < kept_until) {
      log_.checks.push_back({subject, began, true});
      return;
    }
    const domain::Decision decision = world_.Check(kAccounts[subject]);
    kept_until = test::IsYes(decision) ? decision.good_until : base::Instant{};
    log_.checks.push_back({subject, began, test::IsYes(decision)});
  }

  const Setting setting_;
  std::mt19937_64 random_;
  SteppedStore* stepped_ = nullptr;
  // Written by the pool's thread only while this one waits in Settle.
  Log log_;
  std::atomic<Moment> moment_{0};
  std::array<std::pair<int, uint64_t>, kClients> etags_{};
  std::map<int, base::Instant> kept_;
  World world_;
};

}  // namespace
}  // namespace interleaving

Outcome Play(const Setting& setting) { return interleaving::Interleaving(setting).Go(); }

}  // namespace consent::simulation
