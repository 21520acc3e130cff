// The library's enums are the protos', name by name and number by number.
#include "consent/names.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/settings_service.pb.h"

namespace consent {
namespace {

template <typename Enum>
void ExpectSame(const google::protobuf::EnumDescriptor* descriptor, const std::string& prefix) {
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const auto* value = descriptor->value(i);
    const Enum own = FromNumber<Enum>(value->number());
    EXPECT_EQ(prefix + std::string(Name(own)), value->name());
    Enum parsed = Enum::kUnset;
    EXPECT_EQ(ParseName(value->name(), &parsed), value->number() != 0) << value->name();
    EXPECT_EQ(parsed, own);
    EXPECT_EQ(ParseName(Name(own), &parsed), value->number() != 0);
  }
  for (const int unknown : {-1, descriptor->value_count(), 255, 1'000'000}) {
    EXPECT_EQ(FromNumber<Enum>(unknown), Enum::kUnset);
  }
  EXPECT_EQ(Name(static_cast<Enum>(200)), "UNSPECIFIED");
  Enum untouched = FromNumber<Enum>(1);
  for (const char* text : {"", "NONSENSE", "unspecified", "on", prefix.c_str()}) {
    EXPECT_FALSE(ParseName(text, &untouched)) << text;
    EXPECT_EQ(untouched, FromNumber<Enum>(1));
  }
}

TEST(NamesTest, EqualThoseOfTheProtos) {
  ExpectSame<Purpose>(v1::Purpose_descriptor(), "PURPOSE_");
  ExpectSame<Choice>(v1::Choice_descriptor(), "CHOICE_");
  ExpectSame<Channel>(v1::Channel_descriptor(), "CHANNEL_");
  ExpectSame<Actor>(v1::Actor_descriptor(), "ACTOR_");
  ExpectSame<Wake>(v1::Wake_descriptor(), "WAKE_");
  ExpectSame<Kind>(v1::Kind_descriptor(), "KIND_");
  ExpectSame<Speakers>(v1::Speakers_descriptor(), "SPEAKERS_");
  ExpectSame<Identity>(v1::Identity_descriptor(), "IDENTITY_");
  ExpectSame<SpeakerAge>(v1::SpeakerAge_descriptor(), "SPEAKER_AGE_");
  ExpectSame<Artefact>(v1::Artefact_descriptor(), "ARTEFACT_");
  ExpectSame<ReviewerClass>(v1::ReviewerClass_descriptor(), "REVIEWER_CLASS_");
  ExpectSame<Flag>(v1::Flag_descriptor(), "FLAG_");
  ExpectSame<Eligibility>(v1::Eligibility_descriptor(), "ELIGIBILITY_");
  ExpectSame<Disposition>(v1::Disposition_descriptor(), "DISPOSITION_");
  ExpectSame<Switch>(v1::Switch_descriptor(), "SWITCH_");
  ExpectSame<EffectiveAnswer>(v1::EffectiveAnswer_descriptor(), "EFFECTIVE_ANSWER_");
  ExpectSame<ChangeKind>(v1::ChangeKind_descriptor(), "CHANGE_KIND_");
  ExpectSame<DefaultRule>(v1::DefaultRule_descriptor(), "DEFAULT_RULE_");
  ExpectSame<Reason>(v1::Reason_descriptor(), "REASON_");
  ExpectSame<DeletionState>(v1::DeletionState_descriptor(), "DELETION_STATE_");
  ExpectSame<DeletionCause>(v1::DeletionCause_descriptor(), "DELETION_CAUSE_");
  ExpectSame<PurgeOutcome>(v1::PurgeOutcome_descriptor(), "PURGE_OUTCOME_");
  ExpectSame<Verification>(v1::Verification_descriptor(), "VERIFICATION_");
  ExpectSame<DataSystemKind>(v1::DataSystemKind_descriptor(), "DATA_SYSTEM_KIND_");
  ExpectSame<MatchKey>(v1::MatchKey_descriptor(), "MATCH_KEY_");
  ExpectSame<DataSystemState>(v1::DataSystemState_descriptor(), "DATA_SYSTEM_STATE_");
}

}  // namespace
}  // namespace consent
