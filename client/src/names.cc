#include "consent/names.h"

#include "consent/v1/approval_service.pb.h"
#include "consent/v1/decision_service.pb.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/explanation.pb.h"
#include "consent/v1/policy.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/subject_service.pb.h"
#include "consent/v1/types.pb.h"
#include "proto/enum_names.h"

namespace consent {
namespace {

// The enum of the protos that has the same numbers.
template <typename Enum>
struct OfProto;

}  // namespace

template <typename Enum>
std::string_view Name(Enum value) {
  const std::string_view name = proto::EnumName<typename OfProto<Enum>::Type>(static_cast<int>(value));
  return name.empty() ? "UNSPECIFIED" : name;
}

template <typename Enum>
bool ParseName(std::string_view text, Enum* out) {
  const std::optional<int> number = proto::EnumNumber<typename OfProto<Enum>::Type>(text);
  if (number.has_value()) *out = static_cast<Enum>(*number);
  return number.has_value();
}

template <typename Enum>
Enum FromNumber(int number) {
  return proto::EnumName<typename OfProto<Enum>::Type>(number).empty() ? Enum::kUnset : static_cast<Enum>(number);
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type takes no parentheses.
#define CONSENT_NAMES(Enum)                         \
  namespace {                                       \
  template <>                                       \
  struct OfProto<Enum> {                            \
    using Type = v1::Enum;                          \
  };                                                \
  }                                                 \
  template std::string_view Name(Enum);             \
  template bool ParseName(std::string_view, Enum*); \
  template Enum FromNumber(int)
// NOLINTEND(bugprone-macro-parentheses)
CONSENT_NAMES(Purpose);
CONSENT_NAMES(Choice);
CONSENT_NAMES(Channel);
CONSENT_NAMES(Actor);
CONSENT_NAMES(Wake);
CONSENT_NAMES(Kind);
CONSENT_NAMES(Speakers);
CONSENT_NAMES(Identity);
CONSENT_NAMES(SpeakerAge);
CONSENT_NAMES(Artefact);
CONSENT_NAMES(ReviewerClass);
CONSENT_NAMES(Flag);
CONSENT_NAMES(Eligibility);
CONSENT_NAMES(Disposition);
CONSENT_NAMES(Switch);
CONSENT_NAMES(EffectiveAnswer);
CONSENT_NAMES(ChangeKind);
CONSENT_NAMES(DefaultRule);
CONSENT_NAMES(PolicyEffect);
CONSENT_NAMES(ProposalState);
CONSENT_NAMES(ProposedAct);
CONSENT_NAMES(Reason);
CONSENT_NAMES(MissingFact);
CONSENT_NAMES(Selection);
CONSENT_NAMES(DecisionVerdict);
CONSENT_NAMES(DeletionState);
CONSENT_NAMES(DeletionCause);
CONSENT_NAMES(ReceiptChannel);
CONSENT_NAMES(AppealKind);
CONSENT_NAMES(AppealState);
CONSENT_NAMES(AppealOutcome);
CONSENT_NAMES(LeaseState);
CONSENT_NAMES(TaskAgain);
CONSENT_NAMES(DeletionSelectorKind);
CONSENT_NAMES(RetryState);
CONSENT_NAMES(PurgeOutcome);
CONSENT_NAMES(ExemptReason);
CONSENT_NAMES(Verification);
CONSENT_NAMES(DataSystemKind);
CONSENT_NAMES(MatchKey);
CONSENT_NAMES(DataSystemState);
CONSENT_NAMES(RetentionState);
CONSENT_NAMES(ChildDue);
CONSENT_NAMES(DecisionRow);
CONSENT_NAMES(RowNote);
CONSENT_NAMES(ScopeKind);
CONSENT_NAMES(OrderMatch);
CONSENT_NAMES(SelectionKind);
CONSENT_NAMES(ExplanationBasis);
CONSENT_NAMES(Untold);
#undef CONSENT_NAMES

}  // namespace consent
