// A crash at every step of a deletion's life: before and after each single call that changes the store, one run for
// each. However far it had come, it resumes and completes, and nothing is left over.
#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"
#include "tests/support/store/faulty.h"

namespace consent::simulation {
namespace {

using domain::DeletionState;
using domain::PurgeOutcome;
using service::DeletionPlace;
using service::DeletionStep;
using test::Deleting;

constexpr int kMaxRounds = 60;

// Asked, verified, done by two systems, erased. A hold comes and goes where `held`.
class Story {
 public:
  Story(domain::SelectorKind kind, bool held, uint64_t crash_at, bool done)
      : kind_(kind), held_(held), world_(Options()), deleting_(world_) {
    deleting_.Register(test::System("audio"));
    deleting_.Register(test::System("transcripts"));
    Require(world_.Register("a", "DE").ok());
    Require(world_.OptIn("a", test::Account(), test::Control("help_improve"), test::Under("past")).ok());
    Require(world_.Report("a", "r1", domain::Flags::kSafety).ok());
    before_ = world_.Now();
    faulty_->CrashAt(crash_at, done);
  }
  bool crashed() const { return faulty_->crashed(); }

  void Play() {
    domain::Selector selector = test::AllOfIt();
    selector.kind = kind_;
    Insist("ask", [&] {
      const auto created = deleting_.TryAsk("a", selector, DeletionState::kReceived, "the only one");
      if (created.ok()) place_ = created->place;
      return created.ok();
    });
    EXPECT_FALSE(test::IsYes(world_.Check("a", Earlier())));
    if (held_) Insist("hold", [&] { return !Holds().empty() || deleting_.TryHold("a", domain::HeldPart{}).ok(); });
    Insist("verify", [&] { return deleting_.Step(place_, DeletionStep::kVerify).ok(); });
    if (held_) {
      for (const std::string system : {"audio", "transcripts"}) EXPECT_TRUE(Leased(system).empty());
      EXPECT_EQ(test::Text(world_.Check("a", Earlier(), domain::Purpose::kNone)).substr(0, 4), "HOLD");
      Insist("release", [&] { return Holds().empty() || deleting_.Release(Holds().front().place).ok(); });
    }
    Insist("complete", [&] {
      Work("audio");
      Work("transcripts");
      (void)world_.erasures().EraseKeys();
      world_.Wait(base::Seconds(400));
      const auto view = world_.deletions().Get(place_);
      return view.ok() && view->request.state == DeletionState::kCompleted;
    });
    Insist("erase", [&] {
      const auto erased = world_.erasures().EraseBytes(world_.Now());
      const auto lag = world_.erasures().Lag();
      return erased.ok() && lag.ok() && lag->keys + lag->bytes == 0;
    });
  }

  void Examine() {
    Recover();
    const domain::DeletionRequest request = deleting_.Get(place_);
    for (const domain::SystemProgress& part : request.parts) EXPECT_EQ(part.outcome, PurgeOutcome::kAcknowledged);
    EXPECT_EQ(test::Text(world_.Check("a", Earlier(), domain::Purpose::kNone)).substr(0, 5), "PURGE");
    size_t shares = 0;
    const auto count = [&](store::Table table, size_t* rows) {
      EXPECT_TRUE(world_.store().Scan({}, table, "", "", SIZE_MAX, [&](auto, auto) { return ++*rows > 0; }).ok());
    };
    count(store::Table::kKeyShare, &shares);
    size_t recordings = 0;
    count(store::Table::kRecording, &recordings);
    const bool is_closed = kind_ == domain::SelectorKind::kAccountClosure;
    EXPECT_EQ(shares, is_closed ? 0U : 1U);
    EXPECT_EQ(recordings, is_closed ? 0U : 1U);
    EXPECT_EQ(domain::IsSuppressionRecord(world_.Facts("a")), is_closed);
    EXPECT_EQ(test::WrongIds(world_), "");
    size_t tasks = 0;
    count(store::Table::kTask, &tasks);
    EXPECT_EQ(tasks, 0U);
    for (const std::string system : {"audio", "transcripts"}) {
      EXPECT_EQ(world_.queue().counts(deleting_.Named(system).number).open, 0);
    }
  }

 private:
  static void Require(bool done) { ASSERT_TRUE(done); }

  test::World::Options Options() {
    test::World::Options options;
    options.decorate = [this](store::Store& inner) {
      auto made = std::make_unique<test::FaultyStore>(inner, test::FaultyStore::Plan{});
      faulty_ = made.get();
      return made;
    };
    return options;
  }

  test::Recording Earlier() const { return test::Recording(before_ - base::Days(1)); }

  std::vector<service::HoldView> Holds() {
    const auto page = world_.holds().List({}, 10, {});
    return page.ok() ? page->holds : std::vector<service::HoldView>();
  }

  std::vector<service::LeasedTask> Leased(const std::string& system) {
    const auto leased = world_.tasks().Lease(deleting_.Named(system), 10, base::Seconds(300));
    return leased.ok() ? *leased : std::vector<service::LeasedTask>();
  }

  void Work(const std::string& system) {
    for (const service::LeasedTask& task : Leased(system)) {
      service::TaskReport report;
      report.place = task.place;
      report.epoch = task.row.epoch;
      report.outcome = PurgeOutcome::kAcknowledged;
      (void)world_.tasks().End(deleting_.Named(system), {report});
    }
  }

  void Recover() {
    if (!faulty_->failed()) return;
    do faulty_->Reopen();
    while (!world_.TryRestart().ok());
  }

  // As a client or a background thread does, over restarts of the daemon.
  template <typename Try>
  void Insist(const char* what, Try attempt) {
    for (int round = 0; round < kMaxRounds; ++round) {
      const bool done = attempt();
      Recover();
      if (done) return;
    }
    ADD_FAILURE() << what << " never succeeds";
  }

  const domain::SelectorKind kind_;
  const bool held_;
  test::FaultyStore* faulty_ = nullptr;
  test::World world_;
  Deleting deleting_;
  base::Instant before_;
  DeletionPlace place_;
};

class CrashInADeletion : public testing::TestWithParam<std::tuple<domain::SelectorKind, bool, bool>> {};

TEST_P(CrashInADeletion, AtEachStepItResumesAndCompletes) {
  const auto [kind, held, done] = GetParam();
  uint64_t step = 1;
  for (; step < 200; ++step) {
    SCOPED_TRACE("crash at call " + std::to_string(step));
    Story story(kind, held, step, done);
    story.Play();
    story.Examine();
    if (HasFailure() || !story.crashed()) break;
  }
  EXPECT_GT(step, 8U) << "a life has more steps";
  EXPECT_LT(step, 200U);
}

INSTANTIATE_TEST_SUITE_P(Lives, CrashInADeletion,
                         testing::Combine(testing::Values(domain::SelectorKind::kEverything,
                                                          domain::SelectorKind::kAccountClosure),
                                          testing::Bool(), testing::Bool()));

}  // namespace
}  // namespace consent::simulation
