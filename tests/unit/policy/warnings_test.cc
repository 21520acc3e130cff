// What a valid policy promises that cannot work.
#include "daemon/policy/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/policy/default_policy.h"
#include "tests/support/policy_texts.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int64_t kDay = 86'400;

std::vector<std::string> Warnings(v1::Policy policy, base::Instant now = At(kDay)) {
  test::FillTexts(&policy);
  const std::string json = ToJson(policy);
  EXPECT_TRUE(Document::Parse(json).ok()) << "what is warned of is no error";
  return WarningTexts(policy, json, now);
}

TEST(Warnings, TheShippedPolicyHasNone) {
  const absl::StatusOr<Document> shipped = Document::Parse(std::string(DefaultPolicyJson()));
  ASSERT_TRUE(shipped.ok());
  EXPECT_THAT(Warnings(shipped->policy(), At(300 * kDay)), IsEmpty());
  EXPECT_THAT(Warnings(SamplePolicy()), IsEmpty());
}

TEST(Warnings, APurposeWithoutAToggle) {
  v1::Policy policy = SamplePolicy();
  policy.mutable_controls()->RemoveLast();
  EXPECT_THAT(Warnings(policy), ElementsAre(AllOf(StartsWith("purposes[1]: no control lists PURPOSE_MODEL_TRAINING"),
                                                  HasSubstr(" (line "), HasSubstr(", column "))));
}

TEST(Warnings, APurposeThatNoNoticeLists) {
  v1::Policy policy = SamplePolicy();
  policy.add_purposes(v1::PURPOSE_ADVERTISING);
  auto* control = policy.add_controls();
  control->set_name("ads");
  control->add_purposes(v1::PURPOSE_ADVERTISING);
  EXPECT_THAT(Warnings(policy), ElementsAre(StartsWith("purposes[2]: no notice that is not superseded lists")));
}

TEST(Warnings, ANoticeThatIsSupersededListsNothing) {
  v1::Policy policy = SamplePolicy();  // n3 supersedes n1 from March, and alone lists MODEL_TRAINING
  policy.mutable_notices(2)->clear_purposes();
  policy.mutable_notices(2)->add_purposes(v1::PURPOSE_MODEL_TRAINING);
  policy.mutable_notices(2)->add_supersedes("n2");
  EXPECT_THAT(Warnings(policy, At(kDay)), IsEmpty()) << "not yet";
  EXPECT_THAT(Warnings(policy, At(70 * kDay)),
              ElementsAre(StartsWith("purposes[0]: no notice that is not superseded lists PURPOSE_HUMAN_REVIEW")));
}

TEST(Warnings, NobodySaysThatPeopleListen) {
  v1::Policy policy = SamplePolicy();
  for (v1::Notice& notice : *policy.mutable_notices()) notice.set_says_people_listen(false);
  EXPECT_THAT(Warnings(policy), ElementsAre(HasSubstr("says that people listen")));
}

TEST(Warnings, NoticesThatAllLieAhead) {
  EXPECT_THAT(Warnings(SamplePolicy(), base::Instant{1}),
              ElementsAre(AllOf(StartsWith("notices: all lie ahead"), HasSubstr("2026-01-01T00:00:00Z"))));
}

TEST(Warnings, ACalendarThatEndsSoon) {
  const v1::Policy policy = PolicyWithDeadlines();  // its last date is 2026-09-07
  constexpr int64_t kUntilItEnds = 249;             // days from 1 January
  EXPECT_THAT(Warnings(policy, At((kUntilItEnds - kCalendarEndsSoonDays - 1) * kDay)), IsEmpty());
  EXPECT_THAT(
      Warnings(policy, At((kUntilItEnds - kCalendarEndsSoonDays + 2) * kDay)),
      ElementsAre(AllOf(StartsWith("holiday_calendars[0].dates[2]: the calendar \"us\" ends on 2026-09-07, soon"),
                        HasSubstr("add the years to come"))));
  EXPECT_THAT(Warnings(policy, At(300 * kDay)), ElementsAre(Not(HasSubstr("soon"))));
}

}  // namespace
}  // namespace consent::policy
