// When somebody has to look at a legal hold again, and who did.
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <string>

#include "daemon/base/bounds.h"
#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using base::Days;
using service::HoldPlace;

class HoldReviews : public testing::Test {
 protected:
  HoldPlace Place(const std::string& account, base::Instant review_at = {}) {
    service::ChangeRequest change = world_.Request(account, service::ChangeKind::kHoldPlaced);
    service::NewHold hold{{}, {"a court", "a case"}, {account, "as it was ordered"}, review_at};
    std::promise<absl::StatusOr<service::Holds::Placed>> promise;
    world_.holds().Place(std::move(change), std::move(hold),
                         [&](auto placed) { promise.set_value(std::move(placed)); });
    const auto placed = promise.get_future().get();
    EXPECT_TRUE(placed.ok()) << placed.status();
    return placed.ok() ? placed->place : HoldPlace{};
  }
  std::string Review(HoldPlace place, base::Instant review_at, const std::string& request_id = "") {
    service::ChangeRequest change;
    change.request_id = request_id;
    std::promise<absl::Status> promise;
    world_.holds().Review(std::move(change), place, {review_at, "goes on"},
                          [&](absl::Status done) { promise.set_value(std::move(done)); });
    return ReasonOf(promise.get_future().get());
  }
  std::set<store::Sequence> PastReview() {
    std::set<store::Sequence> listed;
    const auto page = world_.holds().List({{}, false, true}, 100, {});
    EXPECT_TRUE(page.ok());
    for (const service::HoldView& view : page->holds) {
      EXPECT_TRUE(view.row.IsPastReview(world_.Now()));
      listed.insert(view.place.sequence);
    }
    EXPECT_EQ(world_.core().holds.PastReview(world_.Now()), listed.size()) << "the gauge says the same";
    return listed;
  }

  World world_;
  Deleting deleting_{world_};
};

TEST_F(HoldReviews, OnePastItIsToldAndStillHolds) {
  const Recording old(world_.Now() - Days(1));
  const HoldPlace soon = Place("a", world_.Now() + Days(10));
  const HoldPlace later = Place("a", world_.Now() + Days(20));
  EXPECT_EQ(PastReview(), std::set<store::Sequence>{});
  world_.Wait(Days(11));
  EXPECT_EQ(PastReview(), std::set<store::Sequence>{soon.sequence}) << "nothing but time has changed";
  EXPECT_EQ(Text(world_.Check("a", old, domain::Purpose::kNone)).substr(0, 4), "HOLD");
  world_.Restart();
  EXPECT_EQ(PastReview(), std::set<store::Sequence>{soon.sequence});
  world_.Wait(Days(10));
  EXPECT_EQ(PastReview(), (std::set<store::Sequence>{soon.sequence, later.sequence}));
  ASSERT_EQ(Review(soon, world_.Now() + Days(30)), "NONE");
  EXPECT_EQ(PastReview(), std::set<store::Sequence>{later.sequence});
  ASSERT_TRUE(deleting_.Release(later).ok());
  EXPECT_EQ(PastReview(), std::set<store::Sequence>{});
  world_.Wait(Days(30));
  EXPECT_EQ(PastReview(), std::set<store::Sequence>{soon.sequence}) << "at its very end it is over";
}

TEST_F(HoldReviews, AReviewIsOnRecordAndTurnsNothing) {
  const HoldPlace place = Place("a");
  const service::HoldRow before = world_.holds().Get(place)->row;
  EXPECT_EQ(before.review_at, before.placed_at + Days(base::kDefaultHoldReviewDays)) << "nobody said when";
  const domain::SubjectFacts facts = world_.Facts("a");
  const base::Instant next = world_.Now() + Days(90);
  world_.Wait(Days(1));
  ASSERT_EQ(Review(place, next, "q"), "NONE");
  const service::HoldRow after = world_.holds().Get(place)->row;
  EXPECT_EQ(after.review_at, next);
  EXPECT_EQ(after.review_reason, "goes on");
  EXPECT_GT(after.reviewed_at, before.placed_at);
  EXPECT_GT(after.changed, before.changed) << "whoever releases it has to look again";
  EXPECT_TRUE(after.InForce());
  domain::SubjectFacts now = world_.Facts("a");
  now.revision = facts.revision;
  EXPECT_EQ(now, facts);
  const auto history = world_.reads().History(world_.Handle("a"), 10, 0);
  EXPECT_EQ(history->items.front().row.kind, service::ChangeKind::kHoldReviewed);
  ASSERT_EQ(Review(place, next, "q"), "NONE") << "the same request";
  EXPECT_EQ(world_.holds().Get(place)->row.changed, after.changed);
}

TEST_F(HoldReviews, OneThatIsReleasedStaysAsItIs) {
  const HoldPlace place = Place("a");
  ASSERT_TRUE(deleting_.Release(place).ok());
  const service::HoldRow before = world_.holds().Get(place)->row;
  EXPECT_EQ(Review(place, world_.Now() + Days(5)), "NONE");
  EXPECT_EQ(world_.holds().Get(place)->row.changed, before.changed);
  EXPECT_EQ(world_.holds().Get(place)->row.review_at, before.review_at);
  EXPECT_EQ(Review(HoldPlace{{0}, 9'999}, world_.Now() + Days(5)), "HOLD_NOT_FOUND");
}

}  // namespace
}  // namespace consent::test
