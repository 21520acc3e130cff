// A yes that names the no that it answers, where the history is read back to that no; and changes that are only tried.
#include "daemon/service/commit/answered_noes.h"

#include <gtest/gtest.h>

#include "tests/support/service/world.h"

namespace consent::test::answered_noes_test {
namespace {

constexpr domain::Purpose kReview = domain::Purpose::kHumanReview;

base::Instant NoOf(const World& world, const std::string& account) {
  return world.Facts(account).account().ChoiceFor(kReview).since;
}

// Without an etag.
service::ChangeRequest Answer(const World& world, const std::string& account, base::Instant no) {
  service::ChangeRequest request = world.OptInRequest(account, Account(), Control("help_improve"), {});
  request.command.expected_revision.reset();
  for (domain::ChoiceCommand& choice : request.command.choices) choice.answers = no;
  return request;
}

uint64_t FeedLength(const World& world) {
  uint64_t length = 0;
  for (uint16_t p = 0; p < world.store().partition_count(); ++p) {
    length += world.store().GetHead(store::Partition{p}).stamp.sequence;
  }
  return length;
}

TEST(AnsweredNo, CountsWithoutAnEtagWhateverElseChangedSince) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  const base::Instant no = NoOf(world, "a");
  ASSERT_TRUE(world.Report("a", "r", domain::Flags::kSafety).ok());
  EXPECT_TRUE(world.Submit(Answer(world, "a", no)).ok());
  EXPECT_EQ(world.Facts("a").account().ChoiceFor(kReview).choice, domain::Choice::kGiven);
  EXPECT_EQ(ReasonOf(world.Submit(Answer(world, "a", no))), "ETAG_MISMATCH") << "it is answered already";
}

TEST(AnsweredNo, OneThatWasSaidAgainIsAnsweredByThatTimeAlone) {
  for (const bool restarted : {false, true}) {
    World world;
    ASSERT_TRUE(world.Register("a", "DE").ok());
    ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
    const base::Instant first = NoOf(world, "a");
    ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
    ASSERT_EQ(NoOf(world, "a"), first) << "since when it is refused stays";
    if (restarted) world.Restart();
    EXPECT_EQ(ReasonOf(world.Submit(Answer(world, "a", first))), "ETAG_MISMATCH");
    const auto history = world.reads().History(world.Handle("a"), 1, 0);
    ASSERT_TRUE(history.ok());
    EXPECT_TRUE(world.Submit(Answer(world, "a", history->items[0].time)).ok());
  }
}

TEST(AnsweredNo, BeyondWhatIsReadBackItCountsAsLate) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  const base::Instant no = NoOf(world, "a");
  for (int i = 1; i < service::kMostChangesSinceANo; ++i) {
    ASSERT_TRUE(world.Report("a", "r" + std::to_string(i), domain::Flags::kSafety).ok());
  }
  service::ChangeRequest tried = Answer(world, "a", no);
  tried.validate_only = true;
  EXPECT_EQ(world.Submit(tried)->parts[0].refusal, domain::Refusal::kNone);
  ASSERT_TRUE(world.Report("a", "one more", domain::Flags::kSafety).ok());
  EXPECT_EQ(ReasonOf(world.Submit(Answer(world, "a", no))), "ETAG_MISMATCH");
}

TEST(ValidateOnly, AnswersAsTheCallWouldAndWritesNothing) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const uint64_t length = FeedLength(world);
  service::ChangeRequest both = world.OptInRequest("a", Account(), Control("help_improve"), {});
  both.command.choices.push_back({world.Ref(Account()), Control("no such control"), false});
  both.request_id = "one";
  both.validate_only = true;
  const Reply tried = world.Submit(both);
  ASSERT_TRUE(tried.ok());
  EXPECT_EQ(FeedLength(world), length);
  EXPECT_EQ(world.Facts("a").account().ChoiceFor(kReview).choice, domain::Choice::kUnset);
  both.validate_only = false;
  const Reply done = world.Submit(both);
  ASSERT_TRUE(done.ok());
  ASSERT_EQ(done->parts.size(), tried->parts.size());
  for (size_t i = 0; i < done->parts.size(); ++i) EXPECT_EQ(done->parts[i].refusal, tried->parts[i].refusal) << i;
  EXPECT_GT(FeedLength(world), length);
}

TEST(ValidateOnly, ACallOfWhichNothingWouldApplyIsAnsweredPartByPart) {
  World world;
  service::ChangeRequest yes = world.OptInRequest("nobody", Account(), Control("help_improve"), {});
  yes.validate_only = true;
  const Reply tried = world.Submit(yes);
  ASSERT_TRUE(tried.ok());
  EXPECT_EQ(tried->parts[0].refusal, domain::Refusal::kSubjectNotFound);
  EXPECT_FALSE(world.Known("nobody"));
}

}  // namespace
}  // namespace consent::test::answered_noes_test
