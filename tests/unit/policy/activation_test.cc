// Whether one policy may follow another: what the single differences of compare_test do not show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/policy/compare.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Policy Version(const char* version) {
  v1::Policy policy = SamplePolicy();
  policy.set_version(version);
  return policy;
}

std::string Message(const PolicyRow& previous, const v1::Policy& next, const Usage& usage) {
  const absl::Status status = CheckActivation(&previous, Parsed(next), usage);
  EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kFailedPrecondition) << status;
  return std::string(status.message());
}

TEST(CheckActivation, TheFirstIsFree) {
  EXPECT_TRUE(CheckActivation(nullptr, Parsed(SamplePolicy()), {{1, 2, 3}, {1, 2}}).ok());
}

TEST(CheckActivation, SameVersionOnlyWithTheSameBytes) {
  const PolicyRow previous = Activated(SamplePolicy(), At(1));
  EXPECT_EQ(Message(previous, SamplePolicy(), {{1, 2, 3}, {1, 2}}), "");
  v1::Policy changed = SamplePolicy();
  changed.set_default_age_of_consent(21);
  EXPECT_THAT(Message(previous, changed, {}), HasSubstr("\"v1\" was activated before with another content"));
  changed.set_version("v2");
  EXPECT_EQ(Message(previous, changed, {}), "");
}

TEST(CheckActivation, OtherBytesAreNoDifference) {
  const PolicyRow previous = Activated(SamplePolicy(), At(1));
  EXPECT_TRUE(Compare(previous, Parsed(Version("v2"))).empty());
}

TEST(CheckActivation, ListsEveryReasonAndOnlyThoseInUse) {
  const PolicyRow previous = Activated(SamplePolicy(), At(1));
  v1::Policy next = Version("v2");
  next.mutable_notices(0)->set_covers_past(true);
  next.mutable_notices(1)->set_covers_past(true);
  next.mutable_controls()->RemoveLast();
  const std::string message = Message(previous, next, {{1}, {2}});
  EXPECT_THAT(message, HasSubstr("policy \"v2\" cannot follow \"v1\": "));
  EXPECT_THAT(message, HasSubstr("notices[\"n1\"].covers_past: turned on, and stored consents refer to the notice"));
  EXPECT_THAT(
      message,
      HasSubstr("controls[\"train\"]: dropped with PURPOSE_MODEL_TRAINING, and stored refusals refer to the control"));
  EXPECT_THAT(message, Not(HasSubstr("n2")));
  EXPECT_EQ(Message(previous, next, {{0, 3}, {0, 1}}), "");
}

TEST(CheckActivation, BoundsItsReasons) {
  v1::Policy policy = SamplePolicy();
  Usage usage;
  for (int i = 0; i < 50; ++i) {
    v1::Notice* notice = policy.add_notices();
    *notice = policy.notices(1);
    notice->set_version("x" + std::to_string(i));
    usage.notices.insert(static_cast<domain::NoticeNumber>(i + 4));
  }
  const PolicyRow previous = Activated(policy, At(1));
  EXPECT_THAT(Message(previous, Version("v2"), usage), HasSubstr("; and 18 more"));
}

TEST(CheckActivation, ANoticeThatComesBackIsRefusedWhileReferredTo) {
  const PolicyRow first = Activated(SamplePolicy(), At(1));
  v1::Policy without = Version("v2");
  without.mutable_notices()->DeleteSubrange(1, 1);
  EXPECT_EQ(Message(first, without, {{1, 3}, {}}), "");
  const PolicyRow second = Activated(without, At(2), &first);
  EXPECT_EQ(Message(second, Version("v3"), {{1, 3}, {}}), "");
  EXPECT_THAT(Message(second, Version("v3"), {{2}, {}}), HasSubstr("notices[\"n2\"]: comes back"));
}

TEST(CheckActivation, ARetiredPurposeMustReturnToTheControlsThatHadIt) {
  const PolicyRow first = Activated(SamplePolicy(), At(1));
  const Usage train_refused{{}, {2}};
  v1::Policy retired = Version("v2");
  retired.mutable_purposes()->RemoveLast();
  retired.mutable_controls()->RemoveLast();
  EXPECT_EQ(Message(first, retired, train_refused), "");
  const PolicyRow second = Activated(retired, At(2), &first);
  v1::Policy without_control = Version("v3");
  without_control.mutable_controls()->RemoveLast();
  EXPECT_THAT(Message(second, without_control, train_refused),
              HasSubstr("controls[\"train\"]: dropped with PURPOSE_MODEL_TRAINING"));
  EXPECT_EQ(Message(second, without_control, {}), "");
  EXPECT_EQ(Message(second, Version("v3"), train_refused), "");
}

TEST(CheckActivation, SaysThatNumbersRanOut) {
  PolicyRow previous = Activated(SamplePolicy(), At(1));
  for (size_t i = 2; i < kMaxControlsEver; ++i) {
    previous.state.controls.emplace("old" + std::to_string(i),
                                    ControlState{static_cast<domain::ControlNumber>(i + 1), {}, {}});
  }
  v1::Policy next = Version("v2");
  v1::Control* control = next.add_controls();
  control->set_name("new");
  control->add_purposes(v1::PURPOSE_HUMAN_REVIEW);
  EXPECT_THAT(Message(previous, next, {}), HasSubstr("at most 64 control names"));
}

TEST(Difference, DeniesByDefault) { EXPECT_EQ(Difference{}.kind, DifferenceKind::kBreaksStored); }

}  // namespace
}  // namespace consent::policy
