// The library's enums are the protos', name by name and number by number, and what JSON, flags and tables call them
// stays what it is.
#include "consent/names.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/support/enumerators.h"

namespace consent {
namespace {

// `names`: those of 0, 1 and so on, with blanks between them.
template <typename Enum>
void ExpectNames(const std::string& prefix, const std::string& names) {
  std::istringstream in(names);
  int number = 0;
  for (std::string name; in >> name; ++number) {
    const Enum own = FromNumber<Enum>(number);
    EXPECT_EQ(static_cast<int>(own), number);
    EXPECT_EQ(Name(own), name);
    Enum parsed = Enum::kUnset;
    EXPECT_EQ(ParseName(prefix + name, &parsed), number != 0) << name;
    EXPECT_EQ(parsed, own);
    EXPECT_EQ(ParseName(name, &parsed), number != 0) << name;
    EXPECT_EQ(parsed, own);
    EXPECT_FALSE(ParseName(prefix + prefix + name, &parsed)) << name;
  }
  for (const int unknown : {-1, number, 255, 1'000'000}) EXPECT_EQ(FromNumber<Enum>(unknown), Enum::kUnset);
  EXPECT_EQ(Name(static_cast<Enum>(200)), "UNSPECIFIED");
  Enum untouched = FromNumber<Enum>(1);
  for (const std::string& text :
       {std::string(), std::string("NONSENSE"), std::string("unspecified"), std::string("on"), prefix}) {
    EXPECT_FALSE(ParseName(text, &untouched)) << text;
    EXPECT_EQ(untouched, FromNumber<Enum>(1));
  }
}

TEST(NamesTest, AreThePublicOnes) {
  ExpectNames<Purpose>("PURPOSE_",
                       "UNSPECIFIED HUMAN_REVIEW MODEL_TRAINING FEATURE_DEVELOPMENT MESSAGE_TRANSCRIPTION "
                       "VOICE_IDENTIFICATION PERSONALISATION ADVERTISING");
  ExpectNames<Choice>("CHOICE_", "UNSPECIFIED UNSET GIVEN REFUSED WITHDRAWN");
  ExpectNames<Channel>("CHANNEL_", "UNSPECIFIED APP WEB VOICE SUPPORT SYSTEM IMPORT");
  ExpectNames<Actor>("ACTOR_", "UNSPECIFIED SELF GUARDIAN AGENT SYSTEM");
  ExpectNames<Wake>("WAKE_", "UNSPECIFIED INTENDED ACCIDENTAL BUTTON");
  ExpectNames<Kind>("KIND_", "UNSPECIFIED COMMAND MESSAGE SOUND");
  ExpectNames<Speakers>("SPEAKERS_", "UNSPECIFIED ONE SEVERAL");
  ExpectNames<Identity>("IDENTITY_", "UNSPECIFIED MATCHED UNMATCHED NOT_RUN");
  ExpectNames<SpeakerAge>("SPEAKER_AGE_", "UNSPECIFIED ADULT CHILD_PRESENT");
  ExpectNames<Artefact>("ARTEFACT_", "UNSPECIFIED SOURCE TRANSCRIPT REVIEW_COPY ANNOTATION FEATURE DATASET_ITEM");
  ExpectNames<ReviewerClass>("REVIEWER_CLASS_", "UNSPECIFIED EMPLOYEE CONTRACTOR");
  ExpectNames<Flag>("FLAG_", "UNSPECIFIED CRITICAL_DATA SAFETY ACCIDENTAL CHILD_PRESENT");
  ExpectNames<Eligibility>("ELIGIBILITY_", "UNSPECIFIED NOT_ELIGIBLE ELIGIBLE");
  ExpectNames<Disposition>("DISPOSITION_", "UNSPECIFIED KEEP PURGE HOLD");
  ExpectNames<Switch>("SWITCH_", "UNSPECIFIED OFF ON");
  ExpectNames<EffectiveAnswer>("EFFECTIVE_ANSWER_", "UNSPECIFIED OFF ON PARTIAL");
  ExpectNames<ChangeKind>(
      "CHANGE_KIND_",
      "UNSPECIFIED UPSERT_SUBJECT UPDATE_SETTINGS OPT_OUT REPORT_RECORDING DELETION_RECEIVED DELETION_VERIFIED "
      "DELETION_DENIED DELETION_EXTENDED DELETION_CANCELLED HOLD_PLACED HOLD_RELEASED DELETION_SETTLED "
      "DELETION_RECEIPT_CONFIRMED CHILD_NOTICE DELETION_APPEAL_RECEIVED DELETION_APPEAL_ACKNOWLEDGED "
      "DELETION_APPEAL_ANSWERED HOLD_REVIEWED SAFETY_FLAG_HANDLED RESTORED JOINED "
      "SAFETY_FLAG_ACKNOWLEDGED");
  ExpectNames<DefaultRule>("DEFAULT_RULE_", "UNSPECIFIED OPT_IN OPT_OUT");
  ExpectNames<PolicyEffect>("POLICY_EFFECT_", "UNSPECIFIED LOOSENS RESTRICTS NEUTRAL BREAKS_STORED");
  ExpectNames<ProposedAct>("PROPOSED_ACT_", "UNSPECIFIED RESUME RELEASE_HOLD ACTIVATE_POLICY");
  ExpectNames<ProposalState>("PROPOSAL_STATE_", "UNSPECIFIED OPEN APPROVED DONE FAILED WITHDRAWN EXPIRED");
  ExpectNames<DeletionState>("DELETION_STATE_",
                             "UNSPECIFIED RECEIVED VERIFYING ACCEPTED IN_PROGRESS COMPLETED DENIED CANCELLED");
  ExpectNames<DeletionCause>("DELETION_CAUSE_", "UNSPECIFIED REQUESTED WITHDRAWAL RETENTION LATE_DRAFT");
  ExpectNames<ReceiptChannel>("RECEIPT_CHANNEL_", "UNSPECIFIED EMAIL LETTER IN_APP PHONE OTHER");
  ExpectNames<AppealKind>("APPEAL_KIND_", "UNSPECIFIED APPEAL COMPLAINT");
  ExpectNames<AppealState>("APPEAL_STATE_", "UNSPECIFIED RECEIVED ACKNOWLEDGED ANSWERED");
  ExpectNames<AppealOutcome>("APPEAL_OUTCOME_", "UNSPECIFIED GRANTED GRANTED_IN_PART REJECTED WITHDRAWN");
  ExpectNames<LeaseState>("LEASE_STATE_", "UNSPECIFIED RENEWED TAKEN_BACK LOST DONE");
  ExpectNames<TaskAgain>("TASK_AGAIN_", "UNSPECIFIED LATE_DATA HOLD_RELEASED TAKEN_BACK");
  ExpectNames<DeletionSelectorKind>("DELETION_SELECTOR_KIND_",
                                    "UNSPECIFIED EVERYTHING TIME_RANGE SPOKEN_DAY RECORDINGS PROFILE DEVICE "
                                    "PURPOSE_COPIES VOICE_ID ACCOUNT_CLOSURE DRAFT");
  ExpectNames<RetryState>("RETRY_STATE_", "UNSPECIFIED DUE WAS_DUE LEASED ON_HOLD NOT_FOUND WAITS_FOR_DATE");
  ExpectNames<PurgeOutcome>("PURGE_OUTCOME_",
                            "UNSPECIFIED ACKNOWLEDGED NOT_FOUND EXEMPT EXCLUDED_FROM_NEXT_BUILD ERASED_BEFORE_HOLD");
  ExpectNames<Verification>("VERIFICATION_", "UNSPECIFIED PENDING UNDER_WAY VERIFIED");
  ExpectNames<DataSystemKind>("DATA_SYSTEM_KIND_",
                              "UNSPECIFIED AUDIO TRANSCRIPTS ANNOTATION_QUEUE ANNOTATIONS FEATURES DATASETS "
                              "VENDOR_COPIES CACHES VOICE_IDS BACKUPS");
  ExpectNames<MatchKey>("MATCH_KEY_", "UNSPECIFIED RECORDING_ID ACCOUNT PROFILE DEVICE TIME VOICE_ID PSEUDONYM");
  ExpectNames<DataSystemState>("DATA_SYSTEM_STATE_", "UNSPECIFIED ACTIVE RETIRED");
  ExpectNames<RetentionState>("RETENTION_STATE_", "UNSPECIFIED MISSING KEPT ATTESTATION_EXPIRED SWEEP_OVERDUE RETIRED");
  ExpectNames<ChildDue>("CHILD_DUE_", "UNSPECIFIED NOTICE ANSWER PURGE");
  ExpectNames<Reason>(
      "REASON_",
      "UNSPECIFIED LEGAL_HOLD DELETED ACCOUNT_CLOSED DO_NOT_SAVE RETENTION_EXPIRED CHILD_INACTIVE ACCIDENTAL_EXPIRED "
      "PURPOSE_ENDED UNKNOWN_SUBJECT MISSING_FACT INVALID_TIME DELETION_PENDING DELETION_DENIED SUSPENDED "
      "CRITICAL_DATA SAFETY CHILD_WITHOUT_GUARDIAN ACCIDENTAL SEVERAL_SPEAKERS SPEAKER_UNMATCHED "
      "SPEAKER_NOT_IDENTIFIED MESSAGES_NOT_ALLOWED REFUSED WITHDRAWN CAPTURED_WHILE_REFUSED NO_CONSENT CONSENT_EXPIRED "
      "NOTICE_SUPERSEDED CAPTURED_BEFORE_CONSENT PROFILE_WITHOUT_CONSENT NOTICE_SILENT_ON_PEOPLE PLACE_NOT_ALLOWED "
      "REVIEWER_NOT_ALLOWED CONSENT DEFAULT CLOCK_DOUBTFUL NOT_RECORDED RESTORED SAFETY_HOLD CAP_SPENT");
  ExpectNames<MissingFact>("MISSING_FACT_",
                           "UNSPECIFIED CAPTURED_AT WAKE KIND SPEAKERS IDENTITY AGE PROFILE_IDS DEVICE_ID "
                           "UNREGISTERED_SCOPE MADE_FOR COUNTRY REVIEWER_CLASS SITE PURPOSE");
  ExpectNames<DecisionVerdict>(
      "DECISION_VERDICT_", "UNSPECIFIED CONFIRMED NOT_GIVEN LATE POLICY_NOT_IN_FORCE UNKNOWN NOT_CHECKABLE KEY_GONE");
  ExpectNames<GrantRefusal>("GRANT_REFUSAL_", "UNSPECIFIED NOT_ELIGIBLE GRANTED HEARD_RECENTLY HEARD_OFTEN");
  ExpectNames<GrantState>("GRANT_STATE_", "UNSPECIFIED LIVE SUBMITTED ENDED EXPIRED RESTRICTED");
  ExpectNames<ReviewOutcome>("REVIEW_OUTCOME_",
                             "UNSPECIFIED SUBMITTED CRITICAL_DATA SAFETY CHILD ACCIDENTAL INAUDIBLE SKIPPED");
  ExpectNames<Selection>("SELECTION_", "UNSPECIFIED RANDOM MISUNDERSTOOD COMPLAINT QUALITY OTHER");
}

TEST(NamesTest, EveryValueOfTheProtosHasItsEnumerator) {
  for (const char* name :
       {"Purpose",         "Channel",     "Actor",         "Wake",         "Kind",         "Speakers",    "Identity",
        "SpeakerAge",      "Artefact",    "ReviewerClass", "Flag",         "Eligibility",  "Disposition", "Switch",
        "EffectiveAnswer", "ChangeKind",  "DefaultRule",   "PolicyEffect", "Reason",       "Selection",   "ProposedAct",
        "ProposalState",   "MissingFact", "GrantRefusal",  "GrantState",   "ReviewOutcome"}) {
    test::ExpectEnumeratorsOfProto("client/include/consent/types.h", name);
  }
  for (const char* name : {"DeletionState", "DeletionCause", "DeletionSelectorKind", "ReceiptChannel", "PurgeOutcome",
                           "ExemptReason", "Verification"}) {
    test::ExpectEnumeratorsOfProto("client/include/consent/deletion.h", name);
  }
  for (const char* name : {"AppealKind", "AppealState", "AppealOutcome"}) {
    test::ExpectEnumeratorsOfProto("client/include/consent/appeal.h", name);
  }
  test::ExpectEnumeratorsOfProto("client/include/consent/decisions.h", "DecisionVerdict");
  for (const char* name : {"LeaseState", "TaskAgain", "DataSystemKind", "MatchKey", "DataSystemState", "RetryState"}) {
    test::ExpectEnumeratorsOfProto("client/include/consent/purge.h", name);
  }
  // Its 1 is kNeverChose here and UNSET there.
  EXPECT_EQ(test::EnumeratorsIn("client/include/consent/types.h", "Choice").at(4), "WITHDRAWN");
}

}  // namespace
}  // namespace consent
