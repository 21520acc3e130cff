// Appeals and shown texts between the library's values and the protos: nothing is lost.
#include <gtest/gtest.h>

#include "client/src/convert.h"

namespace consent {
namespace {

Time AtSecond(int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(AppealTest, StepsCarryTheirParts) {
  v1::ReceiveAppealRequest receive;
  StepToProto(ReceiveAppealOrder{DeletionId("d"), AppealKind::kComplaint, AtSecond(4), {}, RequestId("r")}, &receive);
  EXPECT_EQ(receive.deletion_id(), "d");
  EXPECT_EQ(receive.kind(), v1::APPEAL_KIND_COMPLAINT);
  EXPECT_EQ(receive.at().seconds(), 4);
  EXPECT_EQ(receive.request_id(), "r");
  v1::AcknowledgeAppealRequest acknowledge;
  StepToProto(AcknowledgeAppealOrder{DeletionId("d"), {}, {}, RequestId("r")}, &acknowledge);
  EXPECT_EQ(acknowledge.deletion_id(), "d");
  EXPECT_FALSE(acknowledge.has_at()) << "now, by the daemon's clock";
  StepToProto(AcknowledgeAppealOrder{DeletionId("d"), AtSecond(5), {}, RequestId("r")}, &acknowledge);
  EXPECT_EQ(acknowledge.at().seconds(), 5);
  v1::AnswerAppealRequest answer;
  StepToProto(
      AnswerAppealOrder{DeletionId("d"), AppealOutcome::kGrantedInPart, "some", AtSecond(6), {}, RequestId("r")},
      &answer);
  EXPECT_EQ(answer.outcome(), v1::APPEAL_OUTCOME_GRANTED_IN_PART);
  EXPECT_EQ(answer.answer(), "some");
  EXPECT_EQ(answer.at().seconds(), 6);
}

TEST(AppealTest, IsReadInFull) {
  v1::DeletionRequest proto;
  v1::Appeal* one = proto.add_appeals();
  one->set_kind(v1::APPEAL_KIND_APPEAL);
  one->set_state(v1::APPEAL_STATE_ANSWERED);
  one->set_outcome(v1::APPEAL_OUTCOME_WITHDRAWN);
  one->set_answer("words");
  int64_t seconds = 1;
  for (auto* time : {one->mutable_received_at(), one->mutable_acknowledge_by(), one->mutable_acknowledged_at(),
                     one->mutable_answer_by(), one->mutable_answered_at()}) {
    time->set_seconds(seconds++);
  }
  one->set_acknowledgement_overdue(true);
  one->set_answer_overdue(true);
  proto.add_appeals();
  proto.mutable_how_to_appeal()->set_language("de");
  proto.mutable_how_to_appeal()->set_sentence("so");
  proto.mutable_how_to_appeal()->set_url("https://example.com");
  const DeletionRequest value = FromProto(proto);
  ASSERT_EQ(value.appeals.size(), 2U);
  const Appeal& read = value.appeals[0];
  EXPECT_EQ(read.kind, AppealKind::kAppeal);
  EXPECT_EQ(read.state, AppealState::kAnswered);
  EXPECT_EQ(read.outcome, AppealOutcome::kWithdrawn);
  EXPECT_EQ(read.answer, "words");
  seconds = 1;
  for (const auto& time :
       {read.received_at, read.acknowledge_by, read.acknowledged_at, read.answer_by, read.answered_at}) {
    EXPECT_EQ(time, AtSecond(seconds++));
  }
  EXPECT_TRUE(read.acknowledgement_overdue && read.answer_overdue);
  EXPECT_FALSE(value.appeals[1].received_at.has_value() || value.appeals[1].answered_at.has_value());
  ASSERT_TRUE(value.how_to_appeal.has_value());
  EXPECT_EQ(value.how_to_appeal->language + value.how_to_appeal->sentence + value.how_to_appeal->url,
            "desohttps://example.com");
  EXPECT_FALSE(FromProto(v1::DeletionRequest()).how_to_appeal.has_value());
}

TEST(ShownTextTest, OfASettingsPageIsReadInFull) {
  v1::Settings proto;
  v1::ControlSetting* control = proto.add_controls();
  control->set_control("c");
  control->mutable_text()->set_control("c");
  control->mutable_text()->set_language("de");
  control->mutable_text()->set_title("t");
  control->mutable_text()->set_sentence("s");
  control->mutable_text()->set_sha256("hash");
  control->add_notice_versions("n1");
  control->mutable_may_ask_again_at()->set_seconds(7);
  v1::PurposeSetting* detail = proto.add_details();
  detail->add_shown_sha256("hash");
  detail->mutable_may_ask_again_at()->set_seconds(8);
  proto.add_purposes()->mutable_may_ask_again_at()->set_seconds(9);
  v1::NoticeSetting* notice = proto.add_notices();
  notice->mutable_text()->set_notice_version("n1");
  notice->add_purposes(v1::PURPOSE_HUMAN_REVIEW);
  notice->set_says_people_listen(true);
  notice->set_offered(true);
  const Settings value = FromProto(proto);
  EXPECT_EQ(value.controls.at(0).text, (ShownText{"", "c", "de", "t", "s", "hash"}));
  EXPECT_EQ(value.controls[0].notice_versions, std::vector<std::string>{"n1"});
  EXPECT_EQ(value.controls[0].may_ask_again_at, AtSecond(7));
  EXPECT_EQ(value.details.at(0).shown_sha256, std::vector<std::string>{"hash"});
  EXPECT_EQ(value.details[0].may_ask_again_at, AtSecond(8));
  EXPECT_EQ(value.purposes.at(0).may_ask_again_at, AtSecond(9));
  EXPECT_EQ(value.notices.at(0).text.notice_version, "n1");
  EXPECT_TRUE(value.notices[0].says_people_listen && value.notices[0].offered && !value.notices[0].covers_past);
  v1::HistoryEntry entry;
  entry.add_shown_sha256("hash");
  EXPECT_EQ(FromProto(entry).shown_sha256, std::vector<std::string>{"hash"});
}

}  // namespace
}  // namespace consent
