// The one way in which a subject changes: idempotency, etags, evidence, bounds.
#include "daemon/service/commit/change_subject.h"

#include <gtest/gtest.h>

#include <future>
#include <set>

#include "daemon/base/hash.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/subject/fill_index.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Purpose;

service::ChangeRequest Named(service::ChangeRequest request, const std::string& id, const std::string& body = "body") {
  request.request_id = id;
  request.body_hash = base::Sha256(body);
  return request;
}

size_t FeedLength(World& world) {
  size_t length = 0;
  for (uint16_t p = 0; p < world.store().partition_count(); ++p) {
    length += world.store().GetHead(store::Partition{p}).stamp.sequence;
  }
  return length;
}

TEST(RequestId, TheSameRequestGetsTheSameAnswerAndHappensOnce) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  service::ChangeRequest request = Named(world.OptInRequest("a", Account(), Control("help_improve"), {}), "one");
  request.command.choices.push_back({world.Ref(Profile("nobody")), Control("train"), true});
  const Reply first = world.Submit(request);
  ASSERT_TRUE(first.ok());
  const size_t length = FeedLength(world);
  for (int restart = 0; restart < 2; ++restart) {
    const Reply again = world.Submit(request);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->revision, first->revision);
    EXPECT_EQ(again->registered_now, first->registered_now);
    EXPECT_EQ(again->changes, first->changes);
    ASSERT_EQ(again->parts.size(), 2U);
    EXPECT_EQ(again->parts[0].refusal, domain::Refusal::kNone);
    EXPECT_TRUE(again->parts[0].changed);
    EXPECT_EQ(again->parts[1].refusal, domain::Refusal::kScopeNotFound);
    world.Restart();
  }
  EXPECT_EQ(FeedLength(world), length);
}

TEST(RequestId, AReportedRecordingsAnswerIsKeptToo) {
  World world;
  service::ChangeRequest report = Named(world.Request("a", service::ChangeKind::kReportRecording), "one");
  report.recording.bytes[0] = 1;
  report.flags = domain::Flags::kSafety;
  ASSERT_EQ(world.Submit(report)->flags, domain::Flags::kSafety);
  service::ChangeRequest another = report;
  another.request_id = "two";
  another.flags = domain::Flags::kAccidental;
  ASSERT_EQ(world.Submit(another)->flags, domain::Flags::kSafety | domain::Flags::kAccidental);
  EXPECT_EQ(world.Submit(report)->flags, domain::Flags::kSafety) << "the first answer, as it was";
}

TEST(RequestId, AnotherBodyUnderItIsRefused) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const service::ChangeRequest on = world.OptInRequest("a", Account(), Control("help_improve"), {});
  ASSERT_TRUE(world.Submit(Named(on, "one", "on")).ok());
  const service::ChangeRequest again = world.OptInRequest("a", Account(), Control("help_improve"), {});
  EXPECT_EQ(ReasonOf(world.Submit(Named(again, "one", "another"))), "REQUEST_ID_REUSED");
  service::ChangeRequest elsewhere = Named(again, "one", "another");
  elsewhere.caller.identity = "somebody else";
  EXPECT_TRUE(world.Submit(elsewhere).ok()) << "ids are the caller's own";
}

TEST(RequestId, ANoIsDoneWhoseIdWasUsedWithAnotherBody) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const service::ChangeRequest on = world.OptInRequest("a", Account(), Control("help_improve"), {});
  const Reply first = world.Submit(Named(on, "one", "on"));
  ASSERT_TRUE(first.ok());
  service::ChangeRequest mixed = world.OptInRequest("a", Account(), Only(Purpose::kModelTraining), {});
  mixed.command.choices.push_back({domain::ScopeRef{}, Control("help_improve"), false});
  const Reply done = world.Submit(Named(mixed, "one", "mixed"));
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->parts[0].refusal, domain::Refusal::kUnusable) << "its yes is not";
  EXPECT_EQ(done->parts[1].refusal, domain::Refusal::kNone);
  EXPECT_EQ(done->unusable.substr(0, 11), "request_id:");
  EXPECT_FALSE(IsYes(world.Check("a")));
  EXPECT_EQ(world.Submit(Named(on, "one", "on"))->revision, first->revision) << "the first answer stays kept";
  EXPECT_FALSE(IsYes(world.Check("a"))) << "and brings nothing back";
}

TEST(RequestId, IsForgottenAfter72Hours) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const service::ChangeRequest off = world.OptOutRequest("a", Account(), Everything());
  const Reply first = world.Submit(Named(off, "one", "off"));
  ASSERT_TRUE(first.ok());
  world.Wait(base::Hours(71));
  EXPECT_FALSE(world.Submit(Named(off, "one", "another"))->unusable.empty());
  world.Wait(base::Hours(1));
  const Reply later = world.Submit(Named(off, "one", "another"));
  ASSERT_TRUE(later.ok());
  EXPECT_NE(later->revision, first->revision);
  EXPECT_TRUE(later->unusable.empty());
  EXPECT_FALSE(world.Submit(Named(off, "one", "off"))->unusable.empty()) << "now it is the other one's";
}

TEST(RequestId, ExpiredOnesAreDropped) {
  World world({.partitions = 3});
  for (int i = 0; i < 30; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_TRUE(world.Submit(Named(world.OptOutRequest("account " + n, Account(), Everything()), n)).ok());
  }
  EXPECT_EQ(service::DropExpiredRequests(world.core(), 100).value(), 0U);
  world.Wait(service::kRequestLifetime);
  EXPECT_EQ(service::DropExpiredRequests(world.core(), 20).value(), 20U);
  EXPECT_EQ(service::DropExpiredRequests(world.core(), 20).value(), 10U);
  EXPECT_EQ(service::DropExpiredRequests(world.core(), 20).value(), 0U);
}

TEST(RequestId, ARefusedRequestIsNotRemembered) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  service::ChangeRequest on = Named(world.OptInRequest("a", Account(), Control("help_improve"), {}), "one");
  const uint64_t right = *on.command.expected_revision;
  on.command.expected_revision = right - 1;
  EXPECT_EQ(ReasonOf(world.Submit(on)), "ETAG_MISMATCH");
  on.command.expected_revision = right;
  EXPECT_TRUE(world.Submit(on).ok());
}

TEST(Change, EveryRefusalIsItsError) {
  World world;
  EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Control("help_improve"))), "SUBJECT_NOT_FOUND");
  EXPECT_FALSE(world.Known("a")) << "a refused request leaves nothing";
  ASSERT_TRUE(world.Register("a", "DE", {Child("ann", "gil")}).ok());
  service::ChangeRequest on = world.OptInRequest("a", Account(), Control("help_improve"), {});
  on.command.expected_revision.reset();
  EXPECT_EQ(ReasonOf(world.Submit(on)), "ETAG_REQUIRED");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Profile("nobody"), Control("help_improve"))), "SCOPE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Control("help_improve"), Under("unwritten"))), "NOTICE_NOT_USABLE");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Profile("ann"), Only(Purpose::kHumanReview))), "GUARDIAN_REQUIRED");
  EXPECT_EQ(ReasonOf(world.OptOut("a", Account(), Control("unknown"))), "INVALID_FIELD");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Everything())), "INVALID_FIELD");
  EXPECT_EQ(ReasonOf(world.Retain("a", Account(), {domain::RetentionKind::kMonths, 7})), "INVALID_FIELD");
  on = world.OptInRequest("a", Account(), Control("help_improve"), {});
  on.command.proof.actor = domain::Actor::kMissing;
  const Reply reply = world.Submit(on);
  EXPECT_EQ(ReasonOf(reply), "EVIDENCE_REQUIRED");
  EXPECT_EQ(wire::DetailOf(reply.status()).metadata["needs"], "actor");
}

TEST(Change, AClockOverAMinuteBehindStopsLoosenings) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const base::Instant stamp = world.Now();
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  world.clock.Set(stamp - base::Seconds(61));
  EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Control("help_improve"))), "CLOCK_BEHIND");
  world.clock.Set(stamp - base::Seconds(3'600));
  EXPECT_TRUE(world.OptOut("a", Profile("ann"), Everything()).ok());
  EXPECT_GE(world.Now(), stamp) << "checks use the last stamp";
  world.clock.Set(stamp - base::Seconds(30));
  EXPECT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
}

TEST(Change, NotServingUntilReadyAndAfterTheStoreClosed) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  world.core().ready.store(false);
  EXPECT_EQ(ReasonOf(world.OptOut("a", Account(), Everything())), "NOT_SERVING");
  EXPECT_EQ(ReasonOf(world.checks().Begin("")), "NOT_SERVING");
  EXPECT_EQ(ReasonOf(world.reads().Get(world.Handle("a"))), "NOT_SERVING");
  EXPECT_EQ(ReasonOf(world.reads().History(world.Handle("a"), 10, 0)), "NOT_SERVING");
  EXPECT_EQ(ReasonOf(world.reads().At(world.Handle("a"), world.Now())), "NOT_SERVING");
  world.core().ready.store(true);
  world.store().Close();
  EXPECT_EQ(ReasonOf(world.OptOut("b", Account(), Everything())), "NOT_SERVING");
}

// Holds the one thread of the pool, so that what is submitted waits.
class Gate {
 public:
  explicit Gate(World& world) {
    std::promise<void> entered;
    (void)world.core().writers.Post([this, &entered] {
      entered.set_value();
      open_.get_future().wait();
    });
    entered.get_future().wait();
  }
  void Open() { open_.set_value(); }

 private:
  std::promise<void> open_;
};

TEST(Change, MoreThanTheBoundInFlightIsOverloaded) {
  World world({.max_in_flight = 8, .threads = 1});
  Gate gate(world);
  std::vector<std::promise<Reply>> replies(12);
  for (int i = 0; i < 12; ++i) {
    world.changes().Submit(world.OptOutRequest("account " + std::to_string(i), Account(), Everything()),
                           [&replies, i](Reply reply) { replies[i].set_value(std::move(reply)); });
  }
  EXPECT_EQ(world.in_flight(), 8U);
  for (int i = 8; i < 12; ++i) EXPECT_EQ(ReasonOf(replies[i].get_future().get()), "OVERLOADED") << i;
  gate.Open();
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(replies[i].get_future().get().ok()) << i;
  EXPECT_TRUE(world.OptOut("later", Account(), Everything()).ok());
  EXPECT_FALSE(world.Known("account 9")) << "nothing was written";
}

TEST(Change, NoFloodOfOtherChangesTakesTheRoomOfRestrictions) {
  World world({.max_in_flight = 8, .threads = 1});
  Gate gate(world);
  std::vector<std::promise<Reply>> replies(16);
  const auto submit = [&](int i, service::ChangeRequest request) {
    world.changes().Submit(std::move(request), [&replies, i](Reply reply) { replies[i].set_value(std::move(reply)); });
  };
  for (int i = 0; i < 12; ++i) {
    submit(i, world.OptInRequest("account " + std::to_string(i), Account(), Control("help_improve"), {}));
  }
  EXPECT_EQ(world.in_flight(), 6U);
  // Whoever is refused is so at once; nobody else is answered before the gate opens.
  const auto reason_at_once = [&replies](int i) {
    std::future<Reply> reply = replies[i].get_future();
    return reply.wait_for(std::chrono::seconds(0)) == std::future_status::ready ? ReasonOf(reply.get()) : "none yet";
  };
  for (int i = 6; i < 12; ++i) EXPECT_EQ(reason_at_once(i), "OVERLOADED") << i;
  submit(12, world.OptOutRequest("a", Account(), Everything()));
  service::ChangeRequest verify = world.Request("b", service::ChangeKind::kDeletionVerified);
  verify.hook = world.OptOutRequest("b", Account(), Everything()).hook;
  submit(13, std::move(verify));
  EXPECT_EQ(world.in_flight(), 8U);
  submit(14, world.OptOutRequest("c", Account(), Everything()));
  EXPECT_EQ(reason_at_once(14), "OVERLOADED");
  gate.Open();
  EXPECT_TRUE(replies[12].get_future().get().ok());
  for (const int i : {0, 1, 2, 3, 4, 5, 13}) replies[i].get_future().wait();
}

TEST(Change, AFullQueueIsOverloaded) {
  World world({.threads = 1, .queue = 3});
  Gate gate(world);
  std::vector<std::promise<Reply>> replies(5);
  for (int i = 0; i < 5; ++i) {
    world.changes().Submit(world.OptOutRequest("account " + std::to_string(i), Account(), Everything()),
                           [&replies, i](Reply reply) { replies[i].set_value(std::move(reply)); });
  }
  for (int i = 3; i < 5; ++i) EXPECT_EQ(ReasonOf(replies[i].get_future().get()), "OVERLOADED") << i;
  EXPECT_EQ(world.in_flight(), 3U);
  gate.Open();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(replies[i].get_future().get().ok()) << i;
}

TEST(Change, ManyOfOneSubjectAtOnceAllHappenInSomeOrder) {
  World world({.threads = 4});
  ASSERT_TRUE(world.Register("a", "DE").ok());
  constexpr int kMany = 200;
  std::vector<std::promise<Reply>> replies(kMany);
  for (int i = 0; i < kMany; ++i) {
    world.changes().Submit(world.OptOutRequest("a", Device("device " + std::to_string(i % 50)), Everything()),
                           [&replies, i](Reply reply) { replies[i].set_value(std::move(reply)); });
  }
  std::set<store::Sequence> revisions;
  for (auto& reply : replies) {
    const Reply done = reply.get_future().get();
    ASSERT_TRUE(done.ok()) << done.status().message();
    revisions.insert(done->revision.sequence);
  }
  EXPECT_EQ(revisions.size(), static_cast<size_t>(kMany));
  EXPECT_EQ(world.Facts("a").scopes.size(), 2U + 50U);
}

}  // namespace
}  // namespace consent::test
