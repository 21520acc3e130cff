// SAFETY flags from their report to whoever looks after the person.
#include "daemon/service/subject/safety_flags.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using domain::Flags;
using domain::Purpose;

class SafetyFlagsTest : public testing::Test {
 protected:
  SafetyFlagsTest() : world_(Options()) {}
  static World::Options Options() {
    World::Options options;
    options.partitions = 5;
    return options;
  }

  // As the API asks for it.
  service::ChangeRequest Change(const std::string& account, const std::string& recording, service::ChangeKind kind) {
    service::ChangeRequest request = world_.Request(account, kind);
    request.account_id = account;
    request.recording = world_.core().hasher.Recording(recording);
    request.payload.account_id = account;
    request.payload.recording_id = recording;
    request.payload.caller = "desk";
    return request;
  }
  Reply Report(const std::string& account, const std::string& recording, uint8_t flags = Flags::kSafety) {
    service::ChangeRequest request = Change(account, recording, service::ChangeKind::kReportRecording);
    request.flags = flags;
    return world_.Submit(std::move(request));
  }
  Reply Handle(const std::string& account, const std::string& recording, const std::string& request_id = "") {
    service::ChangeRequest request = Change(account, recording, service::ChangeKind::kSafetyFlagHandled);
    request.payload.note = "called";
    request.request_id = request_id;
    return Handled(std::move(request));
  }
  Reply Handled(service::ChangeRequest request) {
    return Done([&](service::ChangeDone done) { world_.safety_flags().Handle(std::move(request), std::move(done)); });
  }
  Reply Acknowledge(const std::string& account, const std::string& recording) {
    service::ChangeRequest request = Change(account, recording, service::ChangeKind::kSafetyFlagAcknowledged);
    request.payload.caller = "night desk";
    return Done(
        [&](service::ChangeDone done) { world_.safety_flags().Acknowledge(std::move(request), std::move(done)); });
  }
  Reply Done(const std::function<void(service::ChangeDone)>& begin) {
    world_.Wait(base::Seconds(60));
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Reply> answer;
    begin([&](Reply reply) {
      const std::lock_guard<std::mutex> lock(mutex);
      answer = std::move(reply);
      changed.notify_one();
    });
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&answer] { return answer.has_value(); });
    return *std::move(answer);
  }
  service::SafetyFlagView Only(const std::string& account) {
    const auto page = world_.safety_flags().List(world_.Handle(account), false, 10, {});
    EXPECT_TRUE(page.ok() && page->flags.size() == 1) << account;
    return page.ok() && page->flags.size() == 1 ? page->flags[0] : service::SafetyFlagView{};
  }
  // "account/recording", in the order in which they are listed, page by page.
  std::vector<std::string> Listed(size_t limit = 100, const std::string& account = "", bool overdue = false) {
    std::vector<std::string> listed;
    service::PageToken from;
    const base::SubjectHandle subject = account.empty() ? base::SubjectHandle{} : world_.Handle(account);
    for (;;) {
      const auto page = world_.safety_flags().List(subject, overdue, limit, from);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return listed;
      EXPECT_LE(page->flags.size(), limit);
      for (const service::SafetyFlagView& flag : page->flags) {
        EXPECT_EQ(flag.reported_by, "desk");
        EXPECT_TRUE(flag.reported_at.IsSet());
        listed.push_back(flag.account_id + "/" + flag.recording_id);
      }
      if (!page->next.has_value()) return listed;
      from = *page->next;
    }
  }
  uint64_t Open() const { return world_.core().safety_flags.open(); }
  size_t Rows() const {
    size_t rows = 0;
    for (uint16_t number = 0; number < world_.store().partition_count(); ++number) {
      EXPECT_TRUE(
          world_.store()
              .Scan({number}, store::Table::kSafetyFlag, "", "", SIZE_MAX, [&](auto, auto) { return ++rows > 0; })
              .ok());
    }
    return rows;
  }

  World world_;
};

TEST_F(SafetyFlagsTest, AreListedByAgeUntilSomebodyHandlesThem) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(Listed(), Names{});
  EXPECT_FALSE(world_.core().safety_flags.oldest().IsSet());
  const base::Instant before = world_.Now();
  ASSERT_TRUE(Report("b", "r1").ok());
  const base::Instant first = world_.core().safety_flags.oldest();
  EXPECT_GE(first, before);
  ASSERT_TRUE(Report("a", "r2").ok());
  ASSERT_TRUE(Report("c", "r3", Flags::kCriticalData).ok());
  ASSERT_TRUE(Report("a", "r1", Flags::kSafety | Flags::kChildPresent).ok());
  const Names all = {"b/r1", "a/r2", "a/r1"};
  EXPECT_EQ(Listed(), all) << "critical data is nobody in danger";
  for (size_t limit = 1; limit < 5; ++limit) EXPECT_EQ(Listed(limit), all) << limit;
  EXPECT_EQ(Listed(1, "a"), (Names{"a/r2", "a/r1"}));
  EXPECT_EQ(Listed(10, "c"), Names{});
  EXPECT_EQ(Open(), 3U);
  EXPECT_EQ(world_.core().safety_flags.oldest(), first);
  world_.Restart();
  EXPECT_EQ(Listed(2), all) << "counted at the start";
  EXPECT_EQ(world_.core().safety_flags.oldest(), first);

  const Reply handled = Handle("b", "r1");
  ASSERT_TRUE(handled.ok()) << handled.status();
  EXPECT_EQ(Listed(), (Names{"a/r2", "a/r1"}));
  EXPECT_EQ(Open(), 2U);
  EXPECT_GT(world_.core().safety_flags.oldest(), first);
  world_.Restart();
  EXPECT_EQ(Open(), 2U);
  EXPECT_EQ(Rows(), 3U) << "what was handled is known to have been";
}

TEST_F(SafetyFlagsTest, HandlingTurnsNoAnswerAndStandsInTheHistory) {
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  ASSERT_TRUE(world_.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  ASSERT_TRUE(Report("a", "r1").ok());
  Recording flagged;
  flagged.id = "r1";
  const std::string before = Text(world_.Check("a", flagged));
  EXPECT_NE(before.find("SAFETY"), std::string::npos) << before;
  const domain::SubjectFacts facts = world_.Facts("a");
  ASSERT_TRUE(Handle("a", "r1").ok());
  EXPECT_EQ(Text(world_.Check("a", flagged)), before) << "it restricts for ever";
  domain::SubjectFacts after = world_.Facts("a");
  after.revision = facts.revision;
  EXPECT_EQ(after, facts);
  const auto history = world_.reads().History(world_.Handle("a"), 10, 0);
  ASSERT_TRUE(history.ok());
  const service::HistoryItem& entry = history->items.front();
  EXPECT_EQ(entry.row.kind, service::ChangeKind::kSafetyFlagHandled);
  EXPECT_EQ(entry.payload.caller, "desk");
  EXPECT_EQ(entry.payload.recording_id, "r1");
  EXPECT_EQ(entry.payload.note, "called");
}

TEST_F(SafetyFlagsTest, TheFirstHandlerWinsAndALaterReportOpensNothing) {
  ASSERT_TRUE(Report("a", "r1").ok());
  EXPECT_EQ(ReasonOf(Handle("a", "r2")), "SAFETY_FLAG_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Handle("nobody", "r1")), "SAFETY_FLAG_NOT_FOUND");
  EXPECT_FALSE(world_.Known("nobody"));
  ASSERT_TRUE(Report("a", "r3", Flags::kAccidental).ok());
  EXPECT_EQ(ReasonOf(Handle("a", "r3")), "SAFETY_FLAG_NOT_FOUND") << "flagged otherwise";
  const Reply first = Handle("a", "r1", "q1");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(ReasonOf(Handle("a", "r1")), "SAFETY_FLAG_HANDLED");
  const Reply again = Handle("a", "r1", "q1");
  ASSERT_TRUE(again.ok()) << "the same request";
  EXPECT_EQ(again->revision, first->revision);
  ASSERT_TRUE(Report("a", "r1").ok());
  EXPECT_EQ(Open(), 0U) << "a tool that reports all it has each night brings nothing back";
  ASSERT_TRUE(Report("a", "r3").ok());
  EXPECT_EQ(Open(), 1U) << "flagged SAFETY for the first time";
}

TEST_F(SafetyFlagsTest, OfTwoHandlersAtOnceOneWins) {
  for (int round = 0; round < 20; ++round) {
    const std::string recording = "r" + std::to_string(round);
    ASSERT_TRUE(Report("a", recording).ok());
    std::mutex mutex;
    std::condition_variable changed;
    std::multiset<std::string> answers;
    for (int handler = 0; handler < 4; ++handler) {
      world_.safety_flags().Handle(Change("a", recording, service::ChangeKind::kSafetyFlagHandled),
                                   [&](const Reply& r) {
                                     const std::lock_guard<std::mutex> lock(mutex);
                                     answers.insert(ReasonOf(r));
                                     changed.notify_one();
                                   });
    }
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&answers] { return answers.size() == 4; });
    EXPECT_EQ(answers.count("NONE"), 1U);
    EXPECT_EQ(answers.count("SAFETY_FLAG_HANDLED"), 3U);
  }
}

TEST_F(SafetyFlagsTest, GoWithTheirAccount) {
  Deleting deleting(world_);
  deleting.Register(System("audio"));
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  ASSERT_TRUE(Report("a", "r1").ok());
  ASSERT_TRUE(Report("a", "r2").ok());
  ASSERT_TRUE(Report("b", "r1").ok());
  domain::Selector closure = AllOfIt();
  closure.kind = domain::SelectorKind::kAccountClosure;
  const service::DeletionPlace place = deleting.Ask("a", closure);
  EXPECT_EQ(Open(), 3U) << "as long as it is not erased, somebody can look after the person";
  ASSERT_TRUE(Handle("a", "r2").ok());
  ASSERT_TRUE(Report("a", "r4").ok());
  while (deleting.Work("audio") > 0) {
  }
  ASSERT_EQ(deleting.Get(place).state, domain::DeletionState::kCompleted);
  EXPECT_EQ(Listed(), std::vector<std::string>{"b/r1"});
  EXPECT_EQ(Open(), 1U);
  EXPECT_EQ(Rows(), 1U);
  EXPECT_EQ(ReasonOf(Handle("a", "r1")), "ACCOUNT_CLOSED");
  ASSERT_TRUE(Report("a", "r9").ok()) << "a flag is taken of a forgotten account, too";
  EXPECT_EQ(Open(), 1U) << "and nobody can be told whose it is";
  world_.Restart();
  EXPECT_EQ(Open(), 1U);
}

TEST_F(SafetyFlagsTest, EachStepHasItsTime) {
  PolicyBuilder policy("v2");
  policy.policy().set_safety_hold_hours(48);
  policy.policy().set_safety_acknowledge_hours(2);
  policy.policy().set_safety_handle_hours(5);
  ASSERT_TRUE(world_.Activate(policy).ok());
  ASSERT_TRUE(Report("a", "r1").ok());
  ASSERT_TRUE(Report("b", "r1").ok());
  const service::SafetyFlagView reported = Only("a");
  EXPECT_EQ(reported.acknowledge_by, reported.reported_at + base::Hours(2));
  EXPECT_EQ(reported.handle_by, reported.reported_at + base::Hours(5));
  EXPECT_EQ(reported.held_until, reported.reported_at + base::Hours(48));
  EXPECT_FALSE(reported.acknowledged_at.IsSet());
  EXPECT_FALSE(reported.IsOverdue(reported.acknowledge_by - base::Microseconds(1)));
  EXPECT_TRUE(reported.IsOverdue(reported.acknowledge_by)) << "ends are exclusive";

  ASSERT_TRUE(Acknowledge("a", "r1").ok());
  EXPECT_EQ(ReasonOf(Acknowledge("a", "r1")), "SAFETY_FLAG_ACKNOWLEDGED");
  EXPECT_EQ(ReasonOf(Acknowledge("a", "r2")), "SAFETY_FLAG_NOT_FOUND");
  const service::SafetyFlagView taken = Only("a");
  EXPECT_EQ(taken.acknowledged_by, "night desk");
  EXPECT_GT(taken.acknowledged_at, taken.reported_at);
  EXPECT_EQ(taken.held_until, reported.held_until) << "it ends no hold";
  EXPECT_FALSE(taken.IsOverdue(taken.acknowledge_by));
  EXPECT_TRUE(taken.IsOverdue(taken.handle_by));
  EXPECT_EQ(Open(), 2U) << "it is not handled";
  EXPECT_EQ(Listed(100, "", true), std::vector<std::string>{});
  world_.Wait(base::Hours(3));
  EXPECT_EQ(Listed(100, "", true), std::vector<std::string>{"b/r1"});
  world_.Restart();
  using Past = service::OpenSafetyFlags::Past;
  const Past past = world_.core().safety_flags.ReportedBy(world_.Now());
  EXPECT_EQ(past.open, 2U);
  EXPECT_EQ(past.unacknowledged, 1U) << "counted at the start";
  world_.Wait(base::Hours(3));
  EXPECT_EQ(Listed(1, "", true), (std::vector<std::string>{"a/r1", "b/r1"}));

  ASSERT_TRUE(Handle("a", "r1").ok());
  EXPECT_EQ(ReasonOf(Acknowledge("a", "r1")), "SAFETY_FLAG_HANDLED");
  ASSERT_TRUE(Handle("b", "r1").ok()) << "whether or not it was acknowledged";
  EXPECT_EQ(Open(), 0U);
  EXPECT_EQ(world_.core().safety_flags.ReportedBy(world_.Now()).open, 0U);
  Recording flagged(world_.Now() - base::Days(1));
  EXPECT_EQ(Text(world_.Check("a", flagged.Id("r1"), Purpose::kNone)), "HOLD: SAFETY_HOLD") << "handling ends no hold";
}

// A crash between the suppression record and the deletion of what was listed leaves rows of an erased account.
TEST_F(SafetyFlagsTest, RowsOfAnErasedAccountAreNotCounted) {
  ASSERT_TRUE(Report("a", "r1").ok());
  ASSERT_TRUE(Report("b", "r1").ok());
  world_.Rewrite("a", [this](domain::SubjectFacts& facts) {
    facts.closed_at = world_.Now();
    facts.forgotten = true;
  });
  EXPECT_EQ(Rows(), 2U);
  EXPECT_EQ(Listed(), std::vector<std::string>{"b/r1"});
  EXPECT_EQ(Open(), 1U);
}

}  // namespace
}  // namespace consent::test
