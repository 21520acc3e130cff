#include "daemon/service/commit/refusals.h"

#include <string>

#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

absl::Status NoReason() { return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a refusal without a reason"); }

std::string Below(const std::string& parent, const char* field) {
  return parent.empty() ? field : parent + '.' + field;
}

// Of what was asked for, that a field of it cannot be done.
absl::Status FieldRefusal(const domain::PartOutcome& part, const PartPath& at) {
  switch (part.refusal) {
    case domain::Refusal::kUnknownControl:
      return wire::FieldError(Below(at.target, "control"), "the policy has no such control; " + part.detail);
    case domain::Refusal::kAllCannotBeTurnedOn:
      return wire::FieldError(Below(at.target, "all"),
                              "everything can be turned off at once but not on: name controls or purposes");
    case domain::Refusal::kUnusable:
      return wire::MakeError(v1::ERROR_REASON_INVALID_FIELD, part.detail);
    case domain::Refusal::kUnknownRegion:
      return wire::FieldError(at.part.empty() ? "region" : at.part, part.detail);
    case domain::Refusal::kRetentionNotOffered:
      return wire::FieldError(Below(at.part, "retention"),
                              "not one of the policy's retention choices: there are " + part.detail);
    case domain::Refusal::kContradiction:
      if (!part.detail.empty()) {
        return wire::FieldError(Below(at.part, part.detail.c_str()),
                                "a shorter one is asked for in the same request: the shorter is done");
      }
      return wire::FieldError(Below(at.part, "turn"), "the same purpose is turned off and on in one request: off wins");
    default:
      return NoReason();
  }
}

absl::Status ChildNotInactive() {
  return wire::MakeError(v1::ERROR_REASON_CHILD_NOT_INACTIVE,
                         "the profile is not that of a child who has been inactive for the regime's months: "
                         "ListChildrenDue says whose guardians have to be told");
}

absl::Status AccountJoined() {
  return wire::MakeError(v1::ERROR_REASON_ACCOUNT_JOINED,
                         "the account is another one's alias, or is being joined into another one");
}

// What a closed account answers to what is no restriction.
absl::Status AccountClosed() {
  return wire::MakeError(v1::ERROR_REASON_ACCOUNT_CLOSED,
                         "the account is closed: nothing of it is used, and only restrictions are taken. UpsertSubject "
                         "with create_new starts a new one of that id once the closure is COMPLETED");
}

// Of an etag, or of a no that a yes names as answered.
absl::Status EtagMismatch(const domain::PartOutcome& part) {
  const std::string why =
      part.detail.empty()
          ? "the etag is not the subject's current one: something changed since; read again and ask the user again"
          : "the last no " + part.detail +
                ", so this yes does not answer it: read the settings and their history again";
  return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH, why);
}

}  // namespace

absl::Status RefusalStatus(const domain::PartOutcome& part, const PartPath& at) {
  switch (part.refusal) {
    case domain::Refusal::kNone:
      return absl::OkStatus();
    case domain::Refusal::kEtagRequired:
      return wire::MakeError(
          v1::ERROR_REASON_ETAG_REQUIRED,
          "a loosening needs the subject's current etag: read the settings, show them, send their etag");
    case domain::Refusal::kEtagMismatch:
      return EtagMismatch(part);
    case domain::Refusal::kEvidenceRequired:
      return wire::MakeError(v1::ERROR_REASON_EVIDENCE_REQUIRED, "a loosening needs evidence: " + part.detail,
                             {{"needs", part.detail}});
    case domain::Refusal::kNoticeNotUsable:
      return wire::MakeError(v1::ERROR_REASON_NOTICE_NOT_USABLE, "the notice cannot be consented to: " + part.detail,
                             {{"why", part.detail}});
    case domain::Refusal::kGuardianRequired:
      return wire::MakeError(v1::ERROR_REASON_GUARDIAN_REQUIRED,
                             "a child's consent comes from its guardian: " + part.detail, {{"needs", part.detail}});
    case domain::Refusal::kImportCannotLoosen:
      return wire::MakeError(v1::ERROR_REASON_IMPORT_CANNOT_LOOSEN,
                             "an import fills what is unset and loosens nothing; stored is " + part.detail +
                                 ": a later yes is entered as a change, with the etag of what was looked at",
                             {{"stored", part.detail}});
    case domain::Refusal::kAccountClosed:
      return AccountClosed();
    case domain::Refusal::kSubjectNotFound:
      return wire::MakeError(v1::ERROR_REASON_SUBJECT_NOT_FOUND,
                             "the subject is not registered: call UpsertSubject first");
    case domain::Refusal::kScopeNotFound:
      return wire::MakeError(v1::ERROR_REASON_SCOPE_NOT_FOUND,
                             "the profile or device is not registered: call UpsertSubject first");
    case domain::Refusal::kSubjectFull:
      return wire::MakeError(v1::ERROR_REASON_SUBJECT_FULL,
                             "the subject has as many profiles, devices or tombstones as it may have",
                             {{"limit", std::to_string(domain::kMaxProfiles)}});
    case domain::Refusal::kClockBehind:
      return wire::MakeError(
          v1::ERROR_REASON_CLOCK_BEHIND,
          "the server's clock is over a minute behind its last change: loosenings wait until it is right");
    case domain::Refusal::kClockDoubtful:
      return wire::MakeError(v1::ERROR_REASON_CLOCK_DOUBTFUL,
                             "the server's time is doubtful: loosenings wait until it is right again or an operator "
                             "confirms it (consentctl clock confirm)");
    case domain::Refusal::kChildNotInactive:
      return ChildNotInactive();
    case domain::Refusal::kAccountJoined:
      return AccountJoined();
    case domain::Refusal::kUnknownControl:
    case domain::Refusal::kAllCannotBeTurnedOn:
    case domain::Refusal::kUnusable:
    case domain::Refusal::kUnknownRegion:
    case domain::Refusal::kRetentionNotOffered:
    case domain::Refusal::kContradiction:
      return FieldRefusal(part, at);
    case domain::Refusal::kPolicyChanging:
      return wire::MakeError(v1::ERROR_REASON_CONTENTION, "a new policy is being activated: repeat the call");
  }
  return NoReason();
}

absl::Status TimeToLoosen(const base::Now& now) {
  if (now.doubtful) return RefusalStatus(domain::PartOutcome{domain::Refusal::kClockDoubtful, false, {}});
  if (now.behind) return RefusalStatus(domain::PartOutcome{domain::Refusal::kClockBehind, false, {}});
  return absl::OkStatus();
}

absl::Status ApprovalRequired() {
  return wire::MakeError(v1::ERROR_REASON_APPROVAL_REQUIRED,
                         "the policy wants two persons for this: one proposes it, and another one approves it");
}

}  // namespace consent::service
