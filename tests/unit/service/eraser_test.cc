// Keys' and bytes' steps take turns: however much there is to scrub, keys stay within their ten minutes.
#include "daemon/service/erasure/eraser.h"

#include <gtest/gtest.h>

#include <functional>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/rows/erasure_rows.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using service::Eraser;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct ErasureTurns : testing::Test {
  ErasureTurns() {
    deleting.Register(System("audio"));
    EXPECT_TRUE(world.Register("a", "DE").ok());
    eraser.emplace(world.core(), world.erasures(), [this] { return now; });
  }

  // A request of which every task has ended, and nothing has been erased.
  service::DeletionPlace Finished(const std::string& recording) {
    const service::DeletionPlace place = deleting.Ask("a", deleting.Recordings({recording}));
    for (const service::LeasedTask& task : deleting.Lease("audio")) {
      service::TaskReport report;
      report.place = place;
      report.epoch = task.row.epoch;
      report.outcome = domain::PurgeOutcome::kAcknowledged;
      EXPECT_TRUE(world.tasks().End(deleting.Named("audio"), {report}).front().ok());
    }
    EXPECT_EQ(StateOf(place), DeletionState::kInProgress);
    return place;
  }
  DeletionState StateOf(service::DeletionPlace place) const { return deleting.Get(place).state; }

  // As many rows that wait for their bytes' step, as `lists` deletions.
  void LetWait(size_t lists, size_t rows_each) {
    for (size_t i = 0; i < lists; ++i) {
      store::EraseTargets targets;
      for (size_t row = 0; row < rows_each; ++row) {
        targets.rows.push_back({store::Table::kRecording, std::to_string(i) + "/" + std::to_string(row)});
      }
      const store::CommitResult result = service::CommitNow(world.core(), {}, {}, [&](const store::Stamp& stamp) {
        store::Change change;
        service::BeginErasure(1000 + i, targets, stamp, change.writes);
        change.event = service::PlainEvent(service::ChangeKind::kErased, "");
        return change;
      });
      ASSERT_EQ(result.outcome, store::Outcome::kCommitted);
    }
    world.Wait(base::Seconds(1));
  }
  // Equal to what a look at all rows says.
  uint64_t ListsLeft() const {
    service::ErasureLag all;
    EXPECT_TRUE(world.store()
                    .Scan({}, store::Table::kErasure, "", "", SIZE_MAX,
                          [&all](std::string_view key, std::string_view value) {
                            const bool of_keys = key.front() == service::kKeysStep;
                            ++(of_keys ? all.keys : all.bytes);
                            base::Instant& oldest = of_keys ? all.oldest_key : all.oldest_byte;
                            const base::Instant since = service::SinceOf(value);
                            if (!oldest.IsSet() || since < oldest) oldest = since;
                            return true;
                          })
                    .ok());
    for (int again = 0; again < 2; ++again) {
      const service::ErasureLag told = *world.erasures().Lag();
      EXPECT_EQ(told.keys, all.keys);
      EXPECT_EQ(told.bytes, all.bytes);
      EXPECT_EQ(told.oldest_key, all.oldest_key);
      EXPECT_EQ(told.oldest_byte, all.oldest_byte);
    }
    return all.bytes;
  }
  // Rounds without a rest that count for nothing, until nothing waits.
  void Settle() {
    now += Eraser::kShortestRest;
    while (eraser->Next().scrubbed > 0) {
    }
    ASSERT_EQ(ListsLeft(), 0U);
  }
  // The next commit of an erasure takes that long.
  void Slow(milliseconds by) {
    f.faulty->BeforeNextCommit([this, by] { now += by; });
  }

  FaultyWorld f;
  World& world = f.world;
  mutable Deleting deleting{world};
  std::chrono::steady_clock::time_point now{};
  std::optional<Eraser> eraser;
};

TEST_F(ErasureTurns, AnyNumberOfBytesGoesInPiecesUntilNothingWaits) {
  LetWait(6, 8'999);
  const base::Instant before = world.Now();
  EXPECT_EQ(*world.erasures().EraseBytes(before), 45'000U) << "the sixth would not fit into one scrub";
  EXPECT_EQ(ListsLeft(), 1U);
  EXPECT_EQ(*world.erasures().EraseBytes(before), 9'000U);
  EXPECT_EQ(ListsLeft(), 0U);
  EXPECT_EQ(*world.erasures().EraseBytes(before), 0U);
}

// The lists are emptied by a commit, scrubbed, and deleted beside the commits, of which nobody tells.
TEST_F(ErasureTurns, WhatWaitsIsToldAtEachStep) {
  EXPECT_EQ(ListsLeft(), 0U);
  LetWait(3, 5);
  EXPECT_EQ(ListsLeft(), 3U);
  const service::DeletionPlace place = Finished("r");
  EXPECT_EQ(ListsLeft(), 3U);
  EXPECT_EQ(world.erasures().Lag()->keys, 1U);
  uint64_t asked = 0;
  f.faulty->BeforeNextCommit([this, &asked] { asked += ListsLeft(); });
  ASSERT_EQ(*world.erasures().EraseKeys(), 1U);
  EXPECT_EQ(asked, 3U);
  EXPECT_EQ(StateOf(place), DeletionState::kCompleted);
  EXPECT_EQ(ListsLeft(), 4U);
  world.Wait(base::Seconds(1));
  // A scrape that comes when the lists are emptied and not yet deleted.
  struct Scrape final : store::Subscriber {
    explicit Scrape(const std::function<uint64_t()>& look) : look_(look) {}
    void OnCommitted(const store::Committed&) override { seen_ = look_(); }
    const std::function<uint64_t()>& look_;
    uint64_t seen_ = 0;
  };
  const std::function<uint64_t()> look = [this] { return ListsLeft(); };
  Scrape scrape(look);
  world.store().Subscribe(scrape);
  ASSERT_GT(*world.erasures().EraseBytes(world.Now()), 0U);
  world.store().Unsubscribe(scrape);
  EXPECT_EQ(scrape.seen_, 4U);
  EXPECT_EQ(ListsLeft(), 0U);
}

// Between the end of its last task and the eraser a request has no ids. Whoever says the same again gives it none.
TEST_F(ErasureTurns, WhatIsSaidAgainBeforeTheEraserComesNamesNobodyAnew) {
  const service::DeletionPlace asked = Finished("r1");
  ASSERT_TRUE(deleting.TryAsk("a", deleting.Recordings({"r1"})).ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  for (const service::LeasedTask& task : deleting.Lease("audio")) {
    service::TaskReport report;
    report.place = task.place;
    report.epoch = task.row.epoch;
    report.outcome = domain::PurgeOutcome::kAcknowledged;
    ASSERT_TRUE(world.tasks().End(deleting.Named("audio"), {report}).front().ok());
  }
  EXPECT_EQ(world.core().deletions.needing_ids(), 0U);
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  const auto waiting = world.deletions().List({}, 100, {});
  ASSERT_TRUE(waiting.ok());
  ASSERT_GE(waiting->requests.size(), 2U);
  while (*world.erasures().EraseKeys() > 0) {
  }
  const auto ended = world.deletions().List({}, 100, {});
  ASSERT_TRUE(ended.ok());
  for (const service::DeletionView& view : ended->requests) {
    EXPECT_FALSE(view.request.needs_ids);
    EXPECT_EQ(view.request.state, DeletionState::kCompleted);
    EXPECT_FALSE(view.payload.has_value()) << "an ended request names nobody";
  }
  EXPECT_EQ(StateOf(asked), DeletionState::kCompleted);
}

TEST_F(ErasureTurns, WhatCameAfterAPassBeganWaitsForTheNext) {
  const base::Instant before = world.Now();
  world.Wait(base::Seconds(1));
  LetWait(1, 1);
  EXPECT_EQ(*world.erasures().EraseBytes(before), 0U);
  EXPECT_EQ(*world.erasures().EraseBytes(world.Now()), 2U);
}

TEST_F(ErasureTurns, KeysGoBetweenTwoPiecesOfBytes) {
  LetWait(6, 8'999);
  now += Eraser::kShortestRest;
  Slow(minutes(7));
  EXPECT_EQ(eraser->Next().scrubbed, 45'000U);
  const service::DeletionPlace place = Finished("r");
  Slow(minutes(7));
  const Eraser::Round round = eraser->Next();
  EXPECT_EQ(round.completed, 1U) << "although bytes still wait";
  EXPECT_EQ(StateOf(place), DeletionState::kCompleted);
  EXPECT_EQ(round.scrubbed, 9'000U);
}

TEST_F(ErasureTurns, ARestIsNineTimesTheWorkWithinItsBounds) {
  Settle();
  EXPECT_EQ(eraser->Next().rest, Eraser::kShortestRest) << "nothing to do";
  Finished("one");
  Slow(seconds(4));
  EXPECT_EQ(eraser->Next().rest, seconds(36));
  Finished("two");
  Slow(minutes(5));
  EXPECT_EQ(eraser->Next().rest, Eraser::kLongestRest) << "the next request waits for its key";
}

TEST_F(ErasureTurns, APassOverTheBytesBeginsEachHour) {
  Settle();
  LetWait(1, 1);
  now += Eraser::kBetweenBytes - seconds(1);
  EXPECT_EQ(eraser->Next().scrubbed, 0U);
  now += seconds(1);
  EXPECT_EQ(eraser->Next().scrubbed, 2U);
}

TEST_F(ErasureTurns, AfterAFailureTheyAreTriedAgain) {
  const service::DeletionPlace place = Finished("r");
  f.faulty->Inject(Fault::kUnknownLost);
  const Eraser::Round failed = eraser->Next();
  EXPECT_FALSE(failed.status.ok());
  EXPECT_EQ(failed.rest, Eraser::kAfterFailure);
  f.faulty->Reopen();
  world.Restart();
  EXPECT_EQ(StateOf(place), DeletionState::kInProgress);
  eraser.emplace(world.core(), world.erasures(), [this] { return now; });
  EXPECT_EQ(eraser->Next().completed, 1U);
  EXPECT_EQ(StateOf(place), DeletionState::kCompleted);
}

}  // namespace
}  // namespace consent::test
