// The steps of a case that change something.
#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "daemon/cases/player.h"
#include "daemon/domain/deletion.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/flags.h"
#include "daemon/wire/settings.h"
#include "daemon/wire/subject.h"

namespace consent::cases {
namespace {

// Of an etag that is not the current one.
constexpr uint64_t kStale = UINT64_MAX;

// As the API names them where it has a name.
const char* RefusalName(domain::Refusal refusal) {
  using domain::Refusal;
  switch (refusal) {
    case Refusal::kNone:
      return "";
    case Refusal::kEtagRequired:
      return "ETAG_REQUIRED";
    case Refusal::kEtagMismatch:
      return "ETAG_MISMATCH";
    case Refusal::kEvidenceRequired:
      return "EVIDENCE_REQUIRED";
    case Refusal::kNoticeNotUsable:
      return "NOTICE_NOT_USABLE";
    case Refusal::kGuardianRequired:
      return "GUARDIAN_REQUIRED";
    case Refusal::kImportCannotLoosen:
      return "IMPORT_CANNOT_LOOSEN";
    case Refusal::kSubjectNotFound:
      return "SUBJECT_NOT_FOUND";
    case Refusal::kScopeNotFound:
      return "SCOPE_NOT_FOUND";
    case Refusal::kSubjectFull:
      return "SUBJECT_FULL";
    case Refusal::kClockBehind:
      return "CLOCK_BEHIND";
    case Refusal::kUnknownControl:
      return "UNKNOWN_CONTROL";
    case Refusal::kAllCannotBeTurnedOn:
      return "ALL_CANNOT_BE_TURNED_ON";
    case Refusal::kRetentionNotOffered:
      return "RETENTION_NOT_OFFERED";
    case Refusal::kContradiction:
      return "CONTRADICTION";
    case Refusal::kPolicyChanging:
      return "POLICY_CHANGING";
    case Refusal::kClockDoubtful:
      return "CLOCK_DOUBTFUL";
    case Refusal::kAccountClosed:
      return "ACCOUNT_CLOSED";
    case Refusal::kUnknownRegion:
      return "UNKNOWN_REGION";
    case Refusal::kUnusable:
      return "UNUSABLE";
    case Refusal::kChildNotInactive:
      return "CHILD_NOT_INACTIVE";
    case Refusal::kAccountJoined:
      return "ACCOUNT_JOINED";
  }
  return "";
}

std::string RefusedText(const std::vector<std::string>& reasons) {
  return reasons.empty() ? "every part is done" : "refused: " + absl::StrJoin(reasons, ", ");
}

// The message fills what a step lacks, so that a case need not say it again and again.
template <typename Request>
void Complete(const v1::CaseDefaults& defaults, Request* request) {
  if (request->account_id().empty()) request->set_account_id(kAccount);
  if (defaults.has_evidence()) *request->mutable_evidence() = Filled(defaults.evidence(), request->evidence());
}

}  // namespace

domain::SubjectFacts& Player::FactsOf(const std::string& account_id) {
  return subjects_[hasher_.Subject(account_id.empty() ? kAccount : account_id)];
}

domain::RecordingState& Player::MarksOf(const std::string& account_id, const std::string& recording_id) {
  return marks_[{hasher_.Subject(account_id.empty() ? kAccount : account_id),
                 hasher_.Recording(recording_id.empty() ? kRecording : recording_id)}];
}

domain::ScopeRef Player::ScopeOf(const std::string& profile_id, const std::string& device_id) const {
  if (!profile_id.empty()) return {domain::ScopeKind::kProfile, hasher_.Profile(profile_id).bytes};
  if (!device_id.empty()) return {domain::ScopeKind::kDevice, hasher_.Device(device_id).bytes};
  return {};
}

void Player::Subject(v1::UpsertSubjectRequest request, const v1::CaseStep& step) {
  Complete(defaults_, &request);
  if (request.request_id().empty()) request.set_request_id("1");
  Change(wire::ReadUpsertSubject(request, hasher_, now_), step);
}

void Player::Settings(v1::UpdateSettingsRequest request, const v1::CaseStep& step) {
  Complete(defaults_, &request);
  if (request.request_id().empty()) request.set_request_id("1");
  Change(wire::ReadUpdateSettings(request, hasher_), step);
}

void Player::OptOut(v1::OptOutRequest request, const v1::CaseStep& step) {
  Complete(defaults_, &request);
  if (request.request_id().empty()) request.set_request_id("1");
  Change(wire::ReadOptOut(request, hasher_), step);
}

void Player::Change(const absl::StatusOr<wire::ChangeInput>& input, const v1::CaseStep& step) {
  if (!input.ok()) return Expect("a request that the API takes", std::string(input.status().message()));
  domain::SubjectFacts& facts = subjects_[input->subject];
  domain::Command command = input->command;
  command.expected_revision = input->etag.empty() ? facts.revision : kStale;
  command.reopens = input->create_new && facts.closed_at.IsSet() && !facts.reopened_at.IsSet();
  domain::Moment moment;
  moment.time = now_;
  moment.sequence = ++sequence_;
  moment.now = base::Now::Sure(now_);
  const domain::Transition transition = domain::Apply(facts, command, moment, rules_);
  std::vector<std::string> refused;
  for (const domain::PartOutcome& part : transition.parts) {
    const std::string name = RefusalName(part.refusal);
    if (!name.empty() && std::find(refused.begin(), refused.end(), name) == refused.end()) refused.push_back(name);
  }
  if (transition.AnyApplied()) facts = transition.after;
  Expect(RefusedText({step.refused().begin(), step.refused().end()}), RefusedText(refused));
}

void Player::Report(const v1::CaseReport& report) {
  wire::Violations violations;
  const uint8_t flags = wire::ReadFlags(report.flags(), 1, base::kMaxNamedFlags, wire::Path(), &violations);
  if (!violations.empty()) return Expect("a report that the API takes", violations.Why());
  domain::RecordingState& marks = MarksOf(report.account_id(), report.recording_id());
  marks = domain::AddFlags(marks, flags, now_);
  FactsOf(report.account_id()).has_recording_marks = true;
}

void Player::Delete(const v1::CaseDeletion& deletion) {
  domain::SubjectFacts& facts = FactsOf(deletion.account_id());
  domain::Tombstone tombstone;
  tombstone.state = deletion.state() == v1::CASE_DELETION_STATE_VERIFIED ? domain::TombstoneState::kVerified
                    : deletion.state() == v1::CASE_DELETION_STATE_DENIED ? domain::TombstoneState::kDenied
                                                                         : domain::TombstoneState::kPending;
  facts.revision = ++sequence_;
  if (!deletion.recording_id().empty()) {
    domain::StrengthenMarks(MarksOf(deletion.account_id(), deletion.recording_id()), tombstone.state);
    facts.has_recording_marks = true;
    return;
  }
  const domain::ScopeRef scope = ScopeOf(deletion.profile_id(), deletion.device_id());
  tombstone.scope = scope.kind;
  tombstone.handle = scope.handle;
  if (deletion.copies_of() != v1::PURPOSE_UNSPECIFIED) {
    tombstone.copies_of.Add(static_cast<domain::Purpose>(deletion.copies_of()));
  }
  const bool verified = tombstone.state == domain::TombstoneState::kVerified;
  const bool denied = tombstone.state == domain::TombstoneState::kDenied;
  const base::Instant end = deletion.has_to() ? std::min(ToInstant(deletion.to()), now_) : now_;
  const base::Instant begin = deletion.has_from() ? ToInstant(deletion.from()) : base::Instant{};
  tombstone.captured = domain::OrderedTimes::Between(begin, end, end);
  if (deletion.closes_account()) {
    if (!denied) tombstone.captured = domain::OrderedTimes::Always();
    if (verified) {
      facts.closed_at = now_;
      facts.reopened_at = {};
    }
  }
  const bool everything =
      deletion.closes_account() || (scope.kind == domain::ScopeKind::kAccount && !deletion.has_from() &&
                                    !deletion.has_to() && tombstone.copies_of.Empty());
  if (denied && everything) facts.default_denied = now_;
  if (!domain::AddTombstone(facts, tombstone)) Expect("a deletion that fits", "too many deletions");
}

void Player::Hold(const v1::CaseHold& hold) {
  domain::SubjectFacts& facts = FactsOf(hold.account_id());
  facts.revision = ++sequence_;
  facts.holds_changed = sequence_;
  if (!hold.recording_id().empty()) {
    MarksOf(hold.account_id(), hold.recording_id()).on_hold = !hold.release();
    facts.has_recording_marks = true;
    return;
  }
  const domain::ScopeRef scope = ScopeOf(hold.profile_id(), hold.device_id());
  domain::Hold named;
  named.scope = scope.kind;
  named.handle = scope.handle;
  if (hold.has_from()) named.captured.from = ToInstant(hold.from());
  if (hold.has_to()) named.captured.to = ToInstant(hold.to());
  if (!hold.release()) {
    facts.holds.push_back(named);
    return;
  }
  const auto at = std::find(facts.holds.begin(), facts.holds.end(), named);
  if (at == facts.holds.end()) return Expect("a hold that was placed", "no such hold");
  facts.holds.erase(at);
}

void Player::Suspend(const v1::CaseSuspension& suspension) {
  domain::Suspension named;
  named.purpose = static_cast<domain::Purpose>(suspension.purpose());
  const bool is_region = suspension.region().empty() || domain::Region::Parse(suspension.region(), &named.region);
  if (named.purpose == domain::Purpose::kNone || !is_region) {
    return Expect("a purpose, and a region such as DE or US-CA", "something else");
  }
  const auto at = std::find_if(
      rules_.suspensions.begin(), rules_.suspensions.end(),
      [&](const domain::Suspension& known) { return known.purpose == named.purpose && known.region == named.region; });
  domain::Suspension& kept = at == rules_.suspensions.end() ? rules_.suspensions.emplace_back(named) : *at;
  kept.active = !suspension.resume();
  (suspension.resume() ? kept.resumed_at : kept.suspended_at) = now_;
}

void Player::NotifyOfChild(const v1::CaseChildNotice& notice) {
  domain::SubjectFacts& facts = FactsOf(notice.account_id());
  domain::ScopeFacts* const profile =
      facts.Find(domain::ScopeKind::kProfile, hasher_.Profile(notice.profile_id()).bytes);
  if (profile == nullptr) return Expect("a profile that is registered", "no such profile");
  facts.revision = ++sequence_;
  profile->inactivity_notice = now_;
}

}  // namespace consent::cases
