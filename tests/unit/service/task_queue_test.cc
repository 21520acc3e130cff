// The queue: in order of time, nobody waits for ever.
#include "daemon/service/purge/task_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using service::DeletionPlace;
using service::TaskQueue;

DeletionPlace Place(store::Sequence sequence) { return {store::Partition{0}, sequence}; }

TEST(TaskBoardTest, GivesWhatIsDueTheLongestWaitingFirst) {
  World world;
  TaskQueue queue(world.core());
  const base::Span now = world.clock.SinceBoot();
  queue.Put(1, Place(1), base::Span{now.micros + base::Seconds(10).micros}, 0);
  queue.Put(1, Place(2), base::Span{now.micros - base::Seconds(5).micros}, 0);
  queue.Put(1, Place(3), base::Span{}, 0);
  queue.Put(2, Place(4), base::Span{}, 0);
  EXPECT_EQ(queue.Take(1, 10), (std::vector<DeletionPlace>{Place(3), Place(2)}));
  EXPECT_TRUE(queue.Take(1, 10).empty());
  world.Wait(base::Seconds(10));
  EXPECT_EQ(queue.Take(1, 1), std::vector<DeletionPlace>{Place(1)});
  EXPECT_EQ(queue.Take(2, 1), std::vector<DeletionPlace>{Place(4)});
}

TEST(TaskBoardTest, ATaskHasOneTimeAndNoneOnceItHasEnded) {
  World world;
  TaskQueue queue(world.core());
  const base::Span later{world.clock.SinceBoot().micros + base::Seconds(10).micros};
  queue.Put(1, Place(1), base::Span{}, 0);
  queue.Put(1, Place(1), later, 0);
  EXPECT_TRUE(queue.Take(1, 10).empty()) << "the later time took the place of the earlier one";
  queue.AddTasksOf(Place(1));
  EXPECT_EQ(queue.Take(1, 10), std::vector<DeletionPlace>{Place(1)});
  queue.GiveBack(1, Place(1), base::Span{});
  queue.GiveBack(1, Place(1), later);
  EXPECT_EQ(queue.Take(1, 10), std::vector<DeletionPlace>{Place(1)}) << "what was put since counts";
  queue.Remove(1, Place(1));
  queue.GiveBack(1, Place(1), base::Span{});
  queue.AddTasksOf(Place(1));
  EXPECT_TRUE(queue.Take(1, 10).empty());
  EXPECT_EQ(queue.counts(1).open, 0);
}

TEST(TaskBoardTest, CountsByTheFailuresOfTheTasks) {
  World world;
  TaskQueue queue(world.core());
  queue.Put(1, Place(1), base::Span{}, service::kStuckAfter - 1);
  EXPECT_EQ(queue.counts(1).retries, 0U) << "of before the process began";
  queue.Put(1, Place(1), base::Span{}, service::kStuckAfter);
  queue.Put(1, Place(2), base::Span{}, service::kStuckAfter);
  EXPECT_EQ(queue.counts(1).open, 2);
  EXPECT_EQ(queue.counts(1).stuck, 2);
  EXPECT_EQ(queue.counts(1).retries, 1U);
  queue.Remove(1, Place(2));
  queue.Remove(1, Place(2));
  EXPECT_EQ(queue.counts(1).open, 1);
  EXPECT_EQ(queue.counts(1).stuck, 1);
}

TEST(TaskBoardTest, WakesForATaskAndWhenPatienceEnds) {
  World world;
  TaskQueue queue(world.core());
  std::promise<void> woken;
  ASSERT_TRUE(queue.Wait(1, std::chrono::hours(1), [&] { woken.set_value(); }));
  queue.Put(2, Place(1), base::Span{}, 0);
  queue.Put(1, Place(2), base::Span{}, 0);
  woken.get_future().get();
  std::promise<void> patience_ended;
  ASSERT_TRUE(queue.Wait(3, std::chrono::milliseconds(1), [&] { patience_ended.set_value(); }));
  world.clock.Advance(base::Milliseconds(1));
  patience_ended.get_future().get();
}

// A waiter is woken for what it accepts; a task of another kind neither wakes it nor keeps others from theirs.
TEST(TaskBoardTest, WakesForWhatIsAcceptedAlone) {
  using domain::SelectorKind;
  World world;
  TaskQueue queue(world.core());
  std::promise<void> woken;
  std::atomic<bool> is_woken = false;
  ASSERT_TRUE(queue.Wait(
      1, std::chrono::hours(1),
      [&] {
        is_woken = true;
        woken.set_value();
      },
      service::AcceptsOf(SelectorKind::kDevice)));
  queue.Put(1, Place(1), base::Span{}, 0, SelectorKind::kEverything);
  queue.Put(1, Place(2), base::Span{}, 0);
  std::promise<void> other;
  ASSERT_TRUE(queue.Wait(1, std::chrono::hours(1), [&] { other.set_value(); }));
  other.get_future().get();
  EXPECT_FALSE(is_woken) << "the round that woke the other had nothing for it";
  queue.Put(1, Place(3), base::Span{}, 0, SelectorKind::kDevice);
  woken.get_future().get();
  EXPECT_EQ(queue.Take(1, 10, service::AcceptsOf(SelectorKind::kDevice)), std::vector<DeletionPlace>{Place(3)});
  EXPECT_EQ(queue.Take(1, 1, service::AcceptsOf(SelectorKind::kEverything)), std::vector<DeletionPlace>{Place(1)});
  EXPECT_EQ(queue.Take(1, 10), std::vector<DeletionPlace>{Place(2)}) << "of an unknown kind: for who does all";
}

// Stopped at any moment of the queue's own thread, all that wait are woken, and nobody waits afterwards.
TEST(TaskBoardTest, StoppingWakesEverybody) {
  World world;
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> woken = 0;
    int waiting = 0;
    {
      TaskQueue queue(world.core());
      for (int i = 0; i < 3; ++i) waiting += queue.Wait(1, std::chrono::hours(1), [&] { ++woken; }) ? 1 : 0;
      if (round % 3 == 1) std::this_thread::yield();
      if (round % 3 == 2) queue.Put(2, Place(1), base::Span{}, 0);
      queue.Stop();
      EXPECT_FALSE(queue.Wait(1, std::chrono::hours(1), [] {}));
    }
    ASSERT_EQ(waiting, 3);
    ASSERT_EQ(woken, waiting) << round;
  }
}

TEST(TaskBoardTest, TheNumberOfWaitersIsBounded) {
  World world;
  TaskQueue queue(world.core());
  int waiting = 0;
  while (queue.Wait(1, std::chrono::hours(1), [] {})) ++waiting;
  EXPECT_EQ(waiting, 1024);
}

}  // namespace
}  // namespace consent::test
