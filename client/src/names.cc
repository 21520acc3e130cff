// Asks what protoc generates for each enum and no descriptor: the shared library has none.
#include "consent/names.h"

#include <optional>
#include <string>

#include "consent/v1/approval_service.pb.h"
#include "consent/v1/decision_service.pb.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/explanation.pb.h"
#include "consent/v1/policy.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/review_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/subject_service.pb.h"
#include "consent/v1/types.pb.h"

namespace consent {
namespace {

// The enum of the protos that has the same numbers: its values' full names, empty for a number without one, and the
// number of a full name. Both refer to strings that live as long as the process.
template <typename Enum>
struct OfProto;

// "PURPOSE_" of Purpose: what stands before UNSPECIFIED in the name of zero.
template <typename Enum>
std::string_view Prefix() {
  constexpr std::string_view kZero = "UNSPECIFIED";
  std::string_view zero = OfProto<Enum>::FullName(0);
  zero.remove_suffix(kZero.size());
  return zero;
}

}  // namespace

template <typename Enum>
std::string_view Name(Enum value) {
  const std::string_view name = OfProto<Enum>::FullName(static_cast<int>(value));
  return name.empty() ? "UNSPECIFIED" : name.substr(Prefix<Enum>().size());
}

template <typename Enum>
bool ParseName(std::string_view text, Enum* out) {
  const std::string_view prefix = Prefix<Enum>();
  if (text.substr(0, prefix.size()) == prefix) text.remove_prefix(prefix.size());
  const std::optional<int> number = OfProto<Enum>::Number(std::string(prefix) + std::string(text));
  // Zero is no value to choose.
  if (!number.has_value() || *number == 0) return false;
  *out = static_cast<Enum>(*number);
  return true;
}

template <typename Enum>
Enum FromNumber(int number) {
  return OfProto<Enum>::FullName(number).empty() ? Enum::kUnset : static_cast<Enum>(number);
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type takes no parentheses.
#define CONSENT_NAMES(Enum)                                                          \
  namespace {                                                                        \
  template <>                                                                        \
  struct OfProto<Enum> {                                                             \
    static std::string_view FullName(int number) { return v1::Enum##_Name(number); } \
    static std::optional<int> Number(const std::string& name) {                      \
      v1::Enum value{};                                                              \
      if (!v1::Enum##_Parse(name, &value)) return std::nullopt;                      \
      return static_cast<int>(value);                                                \
    }                                                                                \
  };                                                                                 \
  }                                                                                  \
  template CONSENT_EXPORT std::string_view Name(Enum);                               \
  template CONSENT_EXPORT bool ParseName(std::string_view, Enum*);                   \
  template CONSENT_EXPORT Enum FromNumber(int)
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
CONSENT_NAMES(GrantRefusal);
CONSENT_NAMES(GrantState);
CONSENT_NAMES(ReviewOutcome);
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
CONSENT_NAMES(ExplanationBasis);
CONSENT_NAMES(Untold);
#undef CONSENT_NAMES

}  // namespace consent
