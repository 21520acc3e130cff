#include "consent/names.h"

#include <cstddef>

namespace consent {
namespace {

// Names by number; kPrefix is what the protos put in front.
template <typename Enum>
struct Table;

#define CONSENT_NAMES(Enum, prefix, ...)                        \
  template <>                                                   \
  struct Table<Enum> {                                          \
    static constexpr std::string_view kPrefix = prefix;         \
    static constexpr std::string_view kNames[] = {__VA_ARGS__}; \
  }

CONSENT_NAMES(Purpose, "PURPOSE_", "UNSPECIFIED", "HUMAN_REVIEW", "MODEL_TRAINING", "FEATURE_DEVELOPMENT",
              "MESSAGE_TRANSCRIPTION", "VOICE_IDENTIFICATION", "PERSONALISATION", "ADVERTISING");
CONSENT_NAMES(Choice, "CHOICE_", "UNSPECIFIED", "UNSET", "GIVEN", "REFUSED", "WITHDRAWN");
CONSENT_NAMES(Channel, "CHANNEL_", "UNSPECIFIED", "APP", "WEB", "VOICE", "SUPPORT", "SYSTEM", "IMPORT");
CONSENT_NAMES(Actor, "ACTOR_", "UNSPECIFIED", "SELF", "GUARDIAN", "AGENT", "SYSTEM");
CONSENT_NAMES(Wake, "WAKE_", "UNSPECIFIED", "INTENDED", "ACCIDENTAL", "BUTTON");
CONSENT_NAMES(Kind, "KIND_", "UNSPECIFIED", "COMMAND", "MESSAGE", "SOUND");
CONSENT_NAMES(Speakers, "SPEAKERS_", "UNSPECIFIED", "ONE", "SEVERAL");
CONSENT_NAMES(Identity, "IDENTITY_", "UNSPECIFIED", "MATCHED", "UNMATCHED", "NOT_RUN");
CONSENT_NAMES(SpeakerAge, "SPEAKER_AGE_", "UNSPECIFIED", "ADULT", "CHILD_PRESENT");
CONSENT_NAMES(Artefact, "ARTEFACT_", "UNSPECIFIED", "SOURCE", "TRANSCRIPT", "REVIEW_COPY", "ANNOTATION", "FEATURE",
              "DATASET_ITEM");
CONSENT_NAMES(ReviewerClass, "REVIEWER_CLASS_", "UNSPECIFIED", "EMPLOYEE", "CONTRACTOR");
CONSENT_NAMES(Flag, "FLAG_", "UNSPECIFIED", "CRITICAL_DATA", "SAFETY", "ACCIDENTAL", "CHILD_PRESENT");
CONSENT_NAMES(Eligibility, "ELIGIBILITY_", "UNSPECIFIED", "NOT_ELIGIBLE", "ELIGIBLE");
CONSENT_NAMES(Disposition, "DISPOSITION_", "UNSPECIFIED", "KEEP", "PURGE", "HOLD");
CONSENT_NAMES(Switch, "SWITCH_", "UNSPECIFIED", "OFF", "ON");
CONSENT_NAMES(EffectiveAnswer, "EFFECTIVE_ANSWER_", "UNSPECIFIED", "OFF", "ON", "PARTIAL");
CONSENT_NAMES(ChangeKind, "CHANGE_KIND_", "UNSPECIFIED", "UPSERT_SUBJECT", "UPDATE_SETTINGS", "OPT_OUT",
              "REPORT_RECORDING", "DELETION_RECEIVED", "DELETION_VERIFIED", "DELETION_DENIED", "DELETION_EXTENDED",
              "DELETION_CANCELLED", "HOLD_PLACED", "HOLD_RELEASED", "DELETION_SETTLED");
CONSENT_NAMES(DefaultRule, "DEFAULT_RULE_", "UNSPECIFIED", "OPT_IN", "OPT_OUT");
CONSENT_NAMES(DeletionState, "DELETION_STATE_", "UNSPECIFIED", "RECEIVED", "VERIFYING", "ACCEPTED", "IN_PROGRESS",
              "COMPLETED", "DENIED", "CANCELLED");
CONSENT_NAMES(DeletionCause, "DELETION_CAUSE_", "UNSPECIFIED", "REQUESTED", "WITHDRAWAL", "RETENTION");
CONSENT_NAMES(LeaseState, "LEASE_STATE_", "UNSPECIFIED", "RENEWED", "TAKEN_BACK", "LOST", "DONE");
CONSENT_NAMES(TaskAgain, "TASK_AGAIN_", "UNSPECIFIED", "LATE_DATA", "HOLD_RELEASED", "TAKEN_BACK");
CONSENT_NAMES(PurgeOutcome, "PURGE_OUTCOME_", "UNSPECIFIED", "ACKNOWLEDGED", "NOT_FOUND", "EXEMPT",
              "EXCLUDED_FROM_NEXT_BUILD", "ERASED_BEFORE_HOLD");
CONSENT_NAMES(Verification, "VERIFICATION_", "UNSPECIFIED", "PENDING", "UNDER_WAY", "VERIFIED");
CONSENT_NAMES(DataSystemKind, "DATA_SYSTEM_KIND_", "UNSPECIFIED", "AUDIO", "TRANSCRIPTS", "ANNOTATION_QUEUE",
              "ANNOTATIONS", "FEATURES", "DATASETS", "VENDOR_COPIES", "CACHES", "VOICE_IDS", "BACKUPS");
CONSENT_NAMES(MatchKey, "MATCH_KEY_", "UNSPECIFIED", "RECORDING_ID", "ACCOUNT", "PROFILE", "DEVICE", "TIME", "VOICE_ID",
              "PSEUDONYM");
CONSENT_NAMES(DataSystemState, "DATA_SYSTEM_STATE_", "UNSPECIFIED", "ACTIVE", "RETIRED");
CONSENT_NAMES(Reason, "REASON_", "UNSPECIFIED", "LEGAL_HOLD", "DELETED", "ACCOUNT_CLOSED", "DO_NOT_SAVE",
              "RETENTION_EXPIRED", "CHILD_INACTIVE", "ACCIDENTAL_EXPIRED", "PURPOSE_ENDED", "UNKNOWN_SUBJECT",
              "MISSING_FACT", "INVALID_TIME", "DELETION_PENDING", "DELETION_DENIED", "SUSPENDED", "CRITICAL_DATA",
              "SAFETY", "CHILD_WITHOUT_GUARDIAN", "ACCIDENTAL", "SEVERAL_SPEAKERS", "SPEAKER_UNMATCHED",
              "SPEAKER_NOT_IDENTIFIED", "MESSAGES_NOT_ALLOWED", "REFUSED", "WITHDRAWN", "CAPTURED_WHILE_REFUSED",
              "NO_CONSENT", "CONSENT_EXPIRED", "NOTICE_SUPERSEDED", "CAPTURED_BEFORE_CONSENT",
              "PROFILE_WITHOUT_CONSENT", "NOTICE_SILENT_ON_PEOPLE", "PLACE_NOT_ALLOWED", "REVIEWER_NOT_ALLOWED",
              "CONSENT", "DEFAULT", "CLOCK_DOUBTFUL");
#undef CONSENT_NAMES

}  // namespace

template <typename Enum>
std::string_view Name(Enum value) {
  const auto number = static_cast<size_t>(value);
  return number < std::size(Table<Enum>::kNames) ? Table<Enum>::kNames[number] : Table<Enum>::kNames[0];
}

template <typename Enum>
bool ParseName(std::string_view text, Enum* out) {
  constexpr std::string_view prefix = Table<Enum>::kPrefix;
  if (text.substr(0, prefix.size()) == prefix) text.remove_prefix(prefix.size());
  for (size_t number = 1; number < std::size(Table<Enum>::kNames); ++number) {
    if (Table<Enum>::kNames[number] != text) continue;
    *out = static_cast<Enum>(number);
    return true;
  }
  return false;
}

template <typename Enum>
Enum FromNumber(int number) {
  const bool known = number > 0 && static_cast<size_t>(number) < std::size(Table<Enum>::kNames);
  return known ? static_cast<Enum>(number) : Enum::kUnset;
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type takes no parentheses.
#define CONSENT_INSTANTIATE(Enum)                   \
  template std::string_view Name(Enum);             \
  template bool ParseName(std::string_view, Enum*); \
  template Enum FromNumber(int)
// NOLINTEND(bugprone-macro-parentheses)
CONSENT_INSTANTIATE(Purpose);
CONSENT_INSTANTIATE(Choice);
CONSENT_INSTANTIATE(Channel);
CONSENT_INSTANTIATE(Actor);
CONSENT_INSTANTIATE(Wake);
CONSENT_INSTANTIATE(Kind);
CONSENT_INSTANTIATE(Speakers);
CONSENT_INSTANTIATE(Identity);
CONSENT_INSTANTIATE(SpeakerAge);
CONSENT_INSTANTIATE(Artefact);
CONSENT_INSTANTIATE(ReviewerClass);
CONSENT_INSTANTIATE(Flag);
CONSENT_INSTANTIATE(Eligibility);
CONSENT_INSTANTIATE(Disposition);
CONSENT_INSTANTIATE(Switch);
CONSENT_INSTANTIATE(EffectiveAnswer);
CONSENT_INSTANTIATE(ChangeKind);
CONSENT_INSTANTIATE(DefaultRule);
CONSENT_INSTANTIATE(Reason);
CONSENT_INSTANTIATE(DeletionState);
CONSENT_INSTANTIATE(DeletionCause);
CONSENT_INSTANTIATE(LeaseState);
CONSENT_INSTANTIATE(TaskAgain);
CONSENT_INSTANTIATE(PurgeOutcome);
CONSENT_INSTANTIATE(Verification);
CONSENT_INSTANTIATE(DataSystemKind);
CONSENT_INSTANTIATE(MatchKey);
CONSENT_INSTANTIATE(DataSystemState);
#undef CONSENT_INSTANTIATE

}  // namespace consent
