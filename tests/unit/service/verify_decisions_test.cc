// Recorded yeses against what the daemon knows: right ones are confirmed whatever came after, wrong ones are named.
#include "daemon/service/subject/verify_decisions.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/service/registry/report_verification.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using service::RecordedCall;
using service::RecordedYes;
using service::Verdict;

struct Recorded {
  RecordedCall call;
  RecordedYes yes;
};

class Verifying : public ::testing::Test {
 protected:
  // The record of a check, as the daemon makes it; ends the test where the answer is no yes.
  Recorded Ask(const std::string& account, Recording recording = Recording()) {
    const auto session = world_.checks().Begin("");
    EXPECT_TRUE(session.ok());
    if (!recording.facts.captured_at.IsSet()) recording.facts.captured_at = session->now.latest - base::Seconds(30);
    service::CheckItem item{world_.Handle(account), {}, recording.id, recording.Facts(world_.core().hasher)};
    Recorded recorded;
    recorded.yes.head = world_.core().heads.Of(world_.core().PartitionOf(item.subject));
    domain::Decision decision;
    if (!world_.checks().TryDecide(*session, item, domain::Purpose::kHumanReview, Employee(), &decision)) {
      decision = *world_.checks().DecideFromStore(*session, item, domain::Purpose::kHumanReview, Employee());
    }
    is_yes_ = decision.eligibility == domain::Eligibility::kEligible;
    recorded.call = {domain::Purpose::kHumanReview, Employee(), session->rules->version, session->rules->hash,
                     session->now};
    recorded.yes.subject = item.subject;
    recorded.yes.recording = world_.core().hasher.Recording(item.recording_id);
    recorded.yes.facts = item.facts;
    recorded.yes.revision = decision.revision;
    recorded.yes.reason = decision.FirstReason();
    return recorded;
  }
  Verdict Verify(const Recorded& recorded) {
    const auto verdicts = service::VerifyDecisions(world_.core()).Run(recorded.call, {recorded.yes});
    EXPECT_TRUE(verdicts.ok()) << verdicts.status();
    return verdicts.ok() ? verdicts->front() : Verdict::kNone;
  }
  void OptIn(const std::string& account) {
    EXPECT_TRUE(world_.OptIn(account, Account(), Control("help_improve")).ok());
    EXPECT_TRUE(world_.OptIn(account, Profile("ann"), Control("help_improve")).ok());
  }

  World world_;
  bool is_yes_ = false;
};

TEST_F(Verifying, ARightYesStaysRightWhateverComesAfter) {
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  OptIn("a");
  const Recorded yes = Ask("a");
  ASSERT_TRUE(is_yes_);
  EXPECT_EQ(Verify(yes), Verdict::kConfirmed);
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  EXPECT_EQ(Verify(yes), Verdict::kConfirmed);
  ASSERT_TRUE(world_.Report("a", "recording", domain::Flags::kSafety).ok());
  ASSERT_TRUE(world_.Activate(PolicyBuilder("v2")).ok());
  ASSERT_TRUE(world_.admin().Suspend(domain::Purpose::kHumanReview, {}, "why").ok());
  EXPECT_EQ(Verify(yes), Verdict::kConfirmed);
  world_.Restart();
  EXPECT_EQ(Verify(yes), Verdict::kConfirmed);
}

TEST_F(Verifying, AYesOfBeforeAChangeThatWasPublishedIsLate) {
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  ASSERT_TRUE(world_.Register("b", "DE").ok());
  OptIn("a");
  Recorded late = Ask("a");
  ASSERT_TRUE(is_yes_);
  // The daemon looks the person up, the person opts out, and the yes goes out: right, for the head of before.
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  EXPECT_EQ(Verify(late), Verdict::kConfirmed);
  // Right it is not where the head was read after the opt-out was there.
  late.yes.head = world_.core().heads.Of(world_.core().PartitionOf(late.yes.subject));
  EXPECT_EQ(Verify(late), Verdict::kLate);
  late.yes.head = world_.RevisionOf("a");
  EXPECT_EQ(Verify(late), Verdict::kLate);
  late.yes.head = world_.RevisionOf("a") - 1;
  EXPECT_EQ(Verify(late), Verdict::kConfirmed);
}

TEST_F(Verifying, FactsThatWereChangedAreFound) {
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  OptIn("a");
  const Recorded yes = Ask("a");
  ASSERT_TRUE(is_yes_);
  const auto forged = [&](const auto& change) {
    Recorded other = yes;
    change(&other);
    return Verify(other);
  };
  EXPECT_EQ(forged([](Recorded* r) { r->yes.facts.captured_at = At("2026-01-02T00:00:00Z"); }), Verdict::kNotGiven);
  EXPECT_EQ(forged([](Recorded* r) { r->yes.facts.wake = domain::Wake::kAccidental; }), Verdict::kNotGiven);
  EXPECT_EQ(forged([](Recorded* r) { r->yes.facts.flags = domain::Flags::kSafety; }), Verdict::kNotGiven);
  EXPECT_EQ(forged([](Recorded* r) { r->yes.facts.profiles.clear(); }), Verdict::kNotGiven);
  EXPECT_EQ(forged([](Recorded* r) { r->yes.reason = domain::Reason::kDefault; }), Verdict::kNotGiven);
  EXPECT_EQ(forged([](Recorded* r) { r->call.place = Contractor(); }), Verdict::kNotGiven);
  EXPECT_EQ(forged([](Recorded* r) { r->call.purpose = domain::Purpose::kMessageTranscription; }), Verdict::kNotGiven);
  EXPECT_EQ(forged([](Recorded* r) { r->yes.revision -= 1; }), Verdict::kLate) << "before the profile consented";
  EXPECT_EQ(forged([](Recorded* r) { r->yes.revision += 1; }), Verdict::kUnknown);
  EXPECT_EQ(forged([](Recorded* r) { r->yes.subject.bytes[0] ^= 1; }), Verdict::kUnknown);
  // A flag that stood when nothing has changed since, and that the daemon passed over.
  ASSERT_TRUE(world_.Report("a", "recording", domain::Flags::kSafety).ok());
  Recorded passed_over = yes;
  passed_over.yes.revision = world_.RevisionOf("a");
  passed_over.yes.head = passed_over.yes.revision;
  EXPECT_EQ(Verify(passed_over), Verdict::kNotGiven);
}

TEST_F(Verifying, APolicyThatWasNotInForceIsNamed) {
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  OptIn("a");
  Recorded yes = Ask("a");
  PolicyBuilder other("v2");
  other.Regime("eea").clear_allowed_reviewer_classes();
  ASSERT_TRUE(world_.Activate(other).ok());
  EXPECT_EQ(Verify(yes), Verdict::kConfirmed);
  world_.Wait(base::Seconds(120));
  Ask("a");
  EXPECT_FALSE(is_yes_);
  // The daemon would have gone on by the old policy.
  yes.call.now = world_.core().Present();
  EXPECT_EQ(Verify(yes), Verdict::kPolicyNotInForce);
  yes.call.policy_version = "never there";
  EXPECT_EQ(Verify(yes), Verdict::kPolicyNotInForce);
}

TEST_F(Verifying, ASuspensionThatWasPassedOverIsFound) {
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  OptIn("a");
  Recorded yes = Ask("a");
  ASSERT_TRUE(world_.admin().Suspend(domain::Purpose::kHumanReview, {}, "why").ok());
  yes.call.now = world_.core().Present();
  EXPECT_EQ(Verify(yes), Verdict::kConfirmed) << "within the slack it may have been under way";
  world_.Wait(base::Seconds(120));
  yes.call.now = world_.core().Present();
  yes.yes.facts.captured_at = yes.call.now.latest - base::Seconds(1);
  EXPECT_EQ(Verify(yes), Verdict::kNotGiven);
}

// A check may have been under way for as long as the slack, so whatever was in force within it may have decided.
TEST_F(Verifying, APolicyOfLessThanAMinuteIsNoFalseAlarm) {
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  OptIn("a");
  ASSERT_TRUE(world_.admin().Activate(PolicyBuilder("v2").Build(), {}).ok());
  Recorded yes = Ask("a");
  ASSERT_TRUE(is_yes_);
  ASSERT_TRUE(world_.admin().Activate(PolicyBuilder("v3").Build(), {}).ok());
  yes.call.now = world_.core().Present();
  EXPECT_EQ(Verify(yes), Verdict::kConfirmed) << "v2 was in force between the policies of a minute ago and of now";
  world_.Wait(base::Seconds(61));
  yes.call.now = world_.core().Present();
  EXPECT_EQ(Verify(yes), Verdict::kPolicyNotInForce);
}

TEST_F(Verifying, ASuspensionAndAPauseOfItOfLessThanAMinuteCountEach) {
  const base::Instant before = world_.core().Present().latest;
  world_.Wait(base::Seconds(1));
  const auto first = world_.admin().Suspend(domain::Purpose::kHumanReview, {}, "why");
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(world_.admin().Resume({domain::Purpose::kHumanReview, {}, "over", first->etag}).ok());
  ASSERT_TRUE(world_.admin().Suspend(domain::Purpose::kHumanReview, {}, "again").ok());
  const auto rules = world_.core().policies.RulesWithin(before, world_.core().Present().latest);
  std::vector<bool> active;
  for (const auto& then : rules) active.push_back(!then->suspensions.empty() && then->suspensions.front().active);
  EXPECT_THAT(active, ::testing::ElementsAre(true, false, true, false)) << "the newest first";
}

// Lives of seeded people: every yes that was given is confirmed at the end, and nothing that is made late of it.
TEST_F(Verifying, NoFalseAlarmInSeededLives) {
  size_t total = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 dice(seed);
    std::vector<Recorded> yeses;
    const std::string accounts[] = {"a", "b", "c"};
    for (const std::string& account : accounts) ASSERT_TRUE(world_.Register(account + std::to_string(seed), "DE").ok());
    for (int step = 0; step < 60; ++step) {
      const std::string account = accounts[dice() % 3] + std::to_string(seed);
      switch (dice() % 8) {
        case 0:
          (void)world_.OptOut(account, dice() % 2 == 0 ? Account() : Profile("ann"), Everything());
          break;
        case 1:
          (void)world_.Report(account, "r" + std::to_string(dice() % 4), domain::Flags::kSafety);
          break;
        case 2:
        case 3:
          (void)world_.OptIn(account, Account(), Control("help_improve"));
          (void)world_.OptIn(account, Profile("ann"), Control("help_improve"));
          break;
        default: {
          const Recorded asked = Ask(account, Recording().Id("r" + std::to_string(dice() % 4)));
          if (is_yes_) yeses.push_back(asked);
        }
      }
    }
    for (const Recorded& yes : yeses) EXPECT_EQ(Verify(yes), Verdict::kConfirmed);
    total += yeses.size();
  }
  EXPECT_GT(total, 100U);
}

TEST(ReportVerification, TheLastOneStaysAndThatOneWasWrong) {
  World world;
  service::Core& core = world.core();
  const auto stored = [&core] { return service::ReadVerificationRow(core.store).value_or(service::VerificationRow{}); };
  EXPECT_FALSE(stored().reported_at.IsSet());
  service::VerificationRow found;
  found.records = 7;
  found.confirmed = 5;
  ASSERT_TRUE(service::ReportVerification(core, found, {"officer"}).ok());
  EXPECT_EQ(stored().confirmed, 5U);
  EXPECT_TRUE(stored().reported_at.IsSet());
  EXPECT_FALSE(stored().wrong_at.IsSet());
  found.late = 1;
  ASSERT_TRUE(service::ReportVerification(core, found, {"officer"}).ok());
  const base::Instant wrong_at = stored().wrong_at;
  EXPECT_EQ(wrong_at, stored().reported_at);
  EXPECT_EQ(stored().yeses(), 6U);
  found.late = 0;
  found.wrong_at = found.reported_at = base::kLastInstant;  // are not the caller's to say
  ASSERT_TRUE(service::ReportVerification(core, found, {"officer"}).ok());
  EXPECT_GT(stored().reported_at, wrong_at);
  EXPECT_EQ(stored().wrong_at, wrong_at) << "a clean one hides nothing";
}

TEST(ReportVerification, ARowThatWasNotWrittenIsNone) {
  const service::VerificationRow row{base::Instant{90}, 300, 40, 1, 2, 3, 4, base::Instant{80}};
  const std::string bytes = service::EncodeVerificationRow(row);
  service::VerificationRow read;
  ASSERT_TRUE(service::DecodeVerificationRow(bytes, &read));
  EXPECT_EQ(read, row);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(service::DecodeVerificationRow(bytes.substr(0, size), &read)) << size;
  }
  EXPECT_FALSE(service::DecodeVerificationRow(bytes + '\0', &read));
  service::VerificationRow odd = row;
  odd.late = service::kMaxVerified + 1;
  EXPECT_FALSE(service::DecodeVerificationRow(service::EncodeVerificationRow(odd), &read));
  odd = row;
  odd.wrong_at = base::Instant{91};
  EXPECT_FALSE(service::DecodeVerificationRow(service::EncodeVerificationRow(odd), &read)) << "later than the report";
}

}  // namespace
}  // namespace consent::test
