// Appeals and complaints about deletion requests: kept with the request, counted until they are answered.
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"

namespace consent::test::appeals_test {
namespace {

using domain::AppealDeadline;
using domain::AppealKind;
using domain::DeletionState;
using domain::DeletionStep;

class Appeals : public testing::Test {
 protected:
  Appeals() {
    EXPECT_TRUE(world.Register("a", "DE").ok());
    deleting.Register(System("audio"));
  }

  // The step's `already`, or its error.
  absl::StatusOr<bool> Take(service::DeletionPlace place, DeletionStep step, domain::AppealWord word = {}) {
    domain::StepCommand command;
    command.step = step;
    command.appeal = std::move(word);
    std::promise<absl::StatusOr<service::Deletions::Stepped>> promise;
    world.deletions().Step(
        service::ChangeRequest{}, place, std::move(command),
        [&](absl::StatusOr<service::Deletions::Stepped> done) { promise.set_value(std::move(done)); });
    const auto done = promise.get_future().get();
    world.Wait(base::Seconds(60));
    if (!done.ok()) return done.status();
    return done->already;
  }
  absl::StatusOr<bool> Receive(service::DeletionPlace place, AppealKind kind = AppealKind::kAppeal) {
    return Take(place, DeletionStep::kReceiveAppeal, {kind, {}, domain::AppealOutcome::kMissing, ""});
  }
  service::DeletionPlace Denied() {
    const service::DeletionPlace place = deleting.Ask("a", AllOfIt(), DeletionState::kReceived);
    EXPECT_TRUE(deleting.Step(place, DeletionStep::kDeny, "not the owner").ok());
    return place;
  }
  // Past its deadline, or due within 3 or 7 days, as it will be then.
  service::DueCount Due(AppealDeadline kind, base::Span ahead) const {
    service::DueCount due;
    for (const service::OpenAppeals& open :
         world.core().appeals.Open(world.Now() + ahead, base::Days(3), base::Days(7))) {
      const service::DueCount& of_kind = open.deadlines[static_cast<size_t>(kind)];
      due.past += of_kind.past;
      due.near += of_kind.near;
      due.far += of_kind.far;
    }
    return due;
  }
  uint64_t Overdue(AppealDeadline kind, base::Span ahead) const { return Due(kind, ahead).past; }
  // "kind regime count", of those that are open.
  std::vector<std::string> Open() const {
    std::vector<std::string> lines;
    for (const service::OpenAppeals& open : world.core().appeals.Open(world.Now(), base::Days(3), base::Days(7))) {
      const char* const kind = open.kind == AppealKind::kAppeal ? "appeal " : "complaint ";
      lines.push_back(kind + open.regime + " " + std::to_string(open.appeals));
    }
    return lines;
  }

  World world;
  Deleting deleting{world};
};

TEST_F(Appeals, AreCountedUntilTheyAreAnswered) {
  const service::DeletionPlace place = Denied();
  EXPECT_TRUE(Open().empty());
  ASSERT_EQ(*Receive(place), false);
  ASSERT_EQ(*Receive(place), true) << "while one is open another is part of it";
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(Open(), std::vector<std::string>{"appeal " + deleting.Get(place).regime + " 1"});
    EXPECT_EQ(Overdue(AppealDeadline::kAcknowledgement, base::Days(5)), 0U);
    EXPECT_EQ(Overdue(AppealDeadline::kAcknowledgement, base::Days(16)), 1U);
    EXPECT_EQ(Overdue(AppealDeadline::kAnswer, base::Days(16)), 0U);
    EXPECT_EQ(Overdue(AppealDeadline::kAnswer, base::Days(33)), 1U);
    world.Restart();
  }
  ASSERT_EQ(*Take(place, DeletionStep::kAcknowledgeAppeal), false);
  EXPECT_EQ(Overdue(AppealDeadline::kAcknowledgement, base::Days(99)), 0U);
  EXPECT_EQ(Overdue(AppealDeadline::kAnswer, base::Days(99)), 1U);
  ASSERT_EQ(*Take(place, DeletionStep::kAnswerAppeal), false);
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_TRUE(Open().empty());
    EXPECT_EQ(Overdue(AppealDeadline::kAnswer, base::Days(99)), 0U);
    world.Restart();
  }
  ASSERT_EQ(*Receive(place, AppealKind::kComplaint), false) << "an answer may be complained about";
  EXPECT_EQ(Open(), std::vector<std::string>{"complaint " + deleting.Get(place).regime + " 1"});
  EXPECT_EQ(deleting.Get(place).appeals.size(), 2U);
}

TEST_F(Appeals, AreCountedAsTheirDaysComeNear) {
  const service::DeletionPlace place = Denied();
  ASSERT_TRUE(Receive(place).ok());
  const domain::Appeal appeal = deleting.Get(place).appeals.front();
  const std::pair<AppealDeadline, base::Instant> days[] = {{AppealDeadline::kAcknowledgement, appeal.acknowledge_by},
                                                           {AppealDeadline::kAnswer, appeal.answer_by}};
  const base::Span tick = base::Microseconds(1);
  for (const auto& [kind, day] : days) {
    const auto count = [&, kind = kind](base::Instant at) {
      const service::DueCount due = Due(kind, at - world.Now());
      return std::to_string(due.past) + std::to_string(due.near) + std::to_string(due.far);
    };
    EXPECT_EQ(count(day - base::Days(7)), "000");
    EXPECT_EQ(count(day - base::Days(7) + tick), "001");
    EXPECT_EQ(count(day - base::Days(3)), "001");
    EXPECT_EQ(count(day - base::Days(3) + tick), "011");
    EXPECT_EQ(count(day - tick), "011");
    EXPECT_EQ(count(day), "100") << "ends are exclusive";
  }
}

TEST_F(Appeals, SayWhatIsWrongAndWriteNothing) {
  const service::DeletionPlace open = deleting.Ask("a", deleting.Recordings({"r1"}), DeletionState::kReceived);
  const domain::DeletionRequest before = deleting.Get(open);
  EXPECT_EQ(ReasonOf(Receive(open)), "DELETION_STATE");
  EXPECT_EQ(ReasonOf(Take(open, DeletionStep::kAcknowledgeAppeal)), "DELETION_STATE");
  EXPECT_EQ(ReasonOf(Take(open, DeletionStep::kAnswerAppeal)), "DELETION_STATE");
  domain::AppealWord early{AppealKind::kComplaint, before.received_at - base::Seconds(1)};
  EXPECT_EQ(ReasonOf(Take(open, DeletionStep::kReceiveAppeal, early)), "INVALID_FIELD");
  EXPECT_EQ(deleting.Get(open), before);
  EXPECT_TRUE(Open().empty());
}

TEST_F(Appeals, ChangeNoAnswerNoTaskAndNoOtherRequest) {
  const service::DeletionPlace denied = Denied();
  const std::string answer = Text(world.Check("a"));
  const service::DeletionPlace open = deleting.Ask("a", deleting.Recordings({"r1"}), DeletionState::kReceived);
  ASSERT_TRUE(Receive(denied).ok());
  ASSERT_TRUE(Receive(open, AppealKind::kComplaint).ok());
  EXPECT_EQ(deleting.Get(denied).state, DeletionState::kDenied);
  EXPECT_EQ(Text(world.Check("a")), answer);
  EXPECT_EQ(deleting.Work("audio"), 0U);
  ASSERT_TRUE(deleting.Step(open, DeletionStep::kVerify).ok());
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Get(open).appeals.size(), 1U) << "kept to the end of the request and after it";
  EXPECT_TRUE(Take(open, DeletionStep::kAnswerAppeal).ok());
  const auto page = world.reads().History(world.Handle("a"), 3, 0);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->items.front().row.kind, service::ChangeKind::kDeletionAppealAnswered);
}

TEST_F(Appeals, AreFoundByAFilter) {
  const service::DeletionPlace denied = Denied();
  ASSERT_TRUE(deleting.TryAsk("a", AllOfIt(), DeletionState::kReceived).ok());
  service::DeletionFilter filter;
  filter.has_open_appeal = true;
  EXPECT_TRUE(world.deletions().List(filter, 10, {})->requests.empty());
  ASSERT_TRUE(Receive(denied).ok());
  auto page = world.deletions().List(filter, 10, {});
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->requests.size(), 1U);
  EXPECT_EQ(page->requests[0].request.id, deleting.Get(denied).id);
  ASSERT_TRUE(Take(denied, DeletionStep::kAnswerAppeal).ok());
  EXPECT_TRUE(world.deletions().List(filter, 10, {})->requests.empty());
}

// The row is the precondition: of two words at once one is the first.
TEST_F(Appeals, OfManyAtOnceOneIsTheFirst) {
  const service::DeletionPlace place = Denied();
  constexpr int kAtOnce = 8;
  std::promise<absl::StatusOr<service::Deletions::Stepped>> done[kAtOnce];
  for (auto& promise : done) {
    domain::StepCommand command;
    command.step = DeletionStep::kReceiveAppeal;
    command.appeal.kind = AppealKind::kAppeal;
    world.deletions().Step(
        service::ChangeRequest{}, place, std::move(command),
        [&promise](absl::StatusOr<service::Deletions::Stepped> one) { promise.set_value(std::move(one)); });
  }
  int first = 0;
  for (auto& promise : done) {
    const auto one = promise.get_future().get();
    ASSERT_TRUE(one.ok()) << one.status();
    first += one->already ? 0 : 1;
  }
  EXPECT_EQ(first, 1);
  EXPECT_EQ(deleting.Get(place).appeals.size(), 1U);
  EXPECT_EQ(Open(), std::vector<std::string>{"appeal " + deleting.Get(place).regime + " 1"});
}

}  // namespace
}  // namespace consent::test::appeals_test
