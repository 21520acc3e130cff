#include "daemon/service/deletion/deletion_hooks.h"

#include <algorithm>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/rows/deletion_writes.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/wire/errors.h"
#include "proto/enum_names.h"

namespace consent::service {
namespace {

std::string StateName(domain::DeletionState state) {
  return std::string(proto::EnumName<v1::DeletionState>(static_cast<int>(state)));
}

absl::Status StepStatus(domain::StepRefusal refusal, const domain::DeletionRequest& request) {
  const std::string state = StateName(request.state);
  switch (refusal) {
    case domain::StepRefusal::kNone:
      return absl::OkStatus();
    case domain::StepRefusal::kState:
      return wire::MakeError(v1::ERROR_REASON_DELETION_STATE,
                             "the request is " + state + ", which does not allow this step", {{"state", state}});
    case domain::StepRefusal::kExtension:
      return wire::MakeError(v1::ERROR_REASON_EXTENSION_NOT_ALLOWED,
                             "the regime allows no extension, or the request was extended before, or the time for "
                             "telling the user is over");
    case domain::StepRefusal::kConfirmedAt:
      return wire::FieldError("confirmed_at", "must not lie before the request's received_at, which is " +
                                                  base::FormatRfc3339(request.received_at) +
                                                  ", nor after now by the daemon's clock");
    case domain::StepRefusal::kNotDenied:
      return wire::MakeError(
          v1::ERROR_REASON_DELETION_STATE,
          "the request is " + state + ", and only a denial can be appealed against: hand in a complaint",
          {{"state", state}});
    case domain::StepRefusal::kNoAppeal:
      return wire::MakeError(v1::ERROR_REASON_DELETION_STATE,
                             "the request has no open appeal or complaint: ReceiveAppeal begins one",
                             {{"state", state}});
    case domain::StepRefusal::kTooManyAppeals:
      return wire::MakeError(v1::ERROR_REASON_DELETION_STATE,
                             "the request has as many appeals and complaints as it may have, " +
                                 std::to_string(domain::kMaxAppeals) + ", and all are answered",
                             {{"state", state}});
    case domain::StepRefusal::kAppealTime:
      return wire::FieldError(
          "at",
          "must not lie before the step that it follows (the receipt of the appeal or complaint, the "
          "denial, the request's received_at), nor after now by the daemon's clock");
  }
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a refusal without a reason");
}

// What a closure that begins to count must remember.
void RememberOpening(const domain::SubjectFacts& facts, domain::DeletionRequest& request) {
  if (request.selector.kind != domain::SelectorKind::kAccountClosure) return;
  request.closed_before = facts.closed_at;
  request.reopened_before = facts.reopened_at;
}

}  // namespace

absl::Status DeletionEffect::LoadRecordings(const Core& core, const domain::Selector& selector) {
  recordings_.clear();
  for (const base::RecordingHandle recording : selector.recordings) {
    const auto marks = LoadMarks(core, subject_, recording);
    if (!marks.ok()) return marks.status();
    recordings_.emplace_back(recording, *marks);
  }
  return absl::OkStatus();
}

absl::Status DeletionEffect::LoadOthers(const Core& core, DeletionPlace except, const domain::Selector& selector) {
  if (absl::Status s = LoadRecordings(core, selector); !s.ok()) return s;
  for (auto& [recording, marks] : recordings_) marks.has_tombstone = false;
  anew_ = true;
  std::vector<DeletionNumber> named;
  absl::StatusOr<domain::TombstoneIntervals> others = LoadTombstoneIntervals(
      core, subject_, except.number, [&named](DeletionNumber number) { named.push_back(number); });
  if (!others.ok()) return others.status();
  others_ = *std::move(others);
  if (recordings_.empty()) return absl::OkStatus();
  for (const DeletionNumber number : named) {
    const absl::StatusOr<DeletionRow> row = LoadDeletion(core, DeletionPlace{except.partition, number});
    if (!row.ok()) return row.status();
    const std::vector<base::RecordingHandle>& theirs = row->request.selector.recordings;
    for (auto& [recording, marks] : recordings_) {
      if (std::binary_search(theirs.begin(), theirs.end(), recording)) {
        domain::StrengthenMarks(marks, domain::TombstoneStateOf(row->request.state));
      }
    }
  }
  return absl::OkStatus();
}

bool DeletionEffect::SetTombstones(const domain::DeletionRequest& request, domain::SubjectFacts& facts) const {
  if (anew_) domain::SetTombstones(facts, others_);
  domain::Tombstone tombstone;
  return !domain::TombstoneOf(request, &tombstone) || domain::AddTombstone(facts, tombstone);
}

bool DeletionEffect::Fits(const domain::SubjectFacts& before, const domain::DeletionRequest& request) const {
  domain::SubjectFacts facts = before;
  return domain::IsForgotten(before) || SetTombstones(request, facts);
}

void DeletionEffect::Apply(const Core& core, const domain::DeletionRequest& request, HookOutput& out) {
  // Of a closed account that is forgotten everything is purged already, and a time that is ordered now reaches no
  // account that begins later.
  const bool was_forgotten = domain::IsForgotten(out.transition.after);
  const bool completed = request.state == domain::DeletionState::kCompleted;  // then the account may be somebody's anew
  if (request.selector.kind == domain::SelectorKind::kAccountClosure && request.verified_at.IsSet() && !completed) {
    const bool open_again = request.state == domain::DeletionState::kCancelled;
    domain::SubjectFacts& after = out.transition.after;
    const bool closes = !open_again && (!after.closed_at.IsSet() || after.reopened_at.IsSet());
    // By the stamp, because what is changed afterwards is told by it.
    if (closes) after.closed_at = out.moment.time;
    if (open_again) after.closed_at = request.closed_before;
    after.reopened_at = open_again ? request.reopened_before : base::Instant{};
  }
  if (!was_forgotten) (void)SetTombstones(request, out.transition.after);  // Fits has seen that there is room
  if (recordings_.empty()) return;
  out.transition.after.has_recording_marks = true;
  for (auto& [recording, marks] : recordings_) {
    if (request.state != domain::DeletionState::kCancelled) {
      domain::StrengthenMarks(marks, domain::TombstoneStateOf(request.state));
    }
    out.writes.push_back(
        {store::Table::kRecording, core.RecordingKey(subject_, recording), EncodeMarksRow(subject_, recording, marks)});
  }
}

CreateDeletionHook::CreateDeletionHook(base::SubjectHandle subject, NewDeletion deletion)
    : deletion_(std::move(deletion)), effect_(subject), within_(subject), missing_(subject) {
  request_.subject = subject;
  request_.selector = deletion_.selector;
  request_.requester = deletion_.requester;
}

absl::StatusOr<ChangeHook::Prepared> CreateDeletionHook::Prepare(const Core& core, const HookInput& input) {
  // A stamp of before the service began is none, so a range that begins there has no beginning.
  if (deletion_.times.from <= core.policies.rules()->service_began_at) deletion_.times.from = base::Instant{};
  request_.selector.captured = domain::TimesOf(deletion_.selector.kind, deletion_.times, input.moment);
  // A fixed selection that is asked for again while the first request for it is open, or a closure that is done.
  const bool closes_again =
      request_.selector.kind == domain::SelectorKind::kAccountClosure && domain::IsForgotten(input.before.facts);
  const absl::StatusOr<DeletionNumber> same = closes_again ? FindFinishedClosure(core, request_.subject)
                                                           : FindOpenFor(core, request_.subject, request_.selector);
  if (!same.ok()) return same.status();
  found_ = *same;
  if (!deletion_.payload.account_id.empty()) {
    if (absl::Status s = missing_.LoadAsked(core, request_.selector, deletion_.payload); !s.ok()) return s;
  }
  if (found_ != 0) return missing_.empty() ? Prepared::kAnswered : Prepared::kGoOn;
  absl::StatusOr<SystemsSeen> systems = LoadSystems(core, core.PartitionOf(request_.subject));
  if (!systems.ok()) return systems.status();
  systems_ = *std::move(systems);
  if (absl::Status s = effect_.LoadRecordings(core, deletion_.selector); !s.ok()) return s;
  domain::DeletionRequest trial = request_;
  trial.state = deletion_.state;
  if (!effect_.Fits(input.before.facts, trial)) return TooManyTombstones();
  if (domain::IsVerified(deletion_.state)) {
    if (absl::Status s = within_.Load(core, input.before.facts, request_.selector, 0); !s.ok()) return s;
  }
  request_.id = base::DeletionId::Draw(core.random, core.PartitionOf(request_.subject).number);
  base::PayloadKey key = core.shares.NewPayloadKey(request_.subject, core.random);
  share_ = std::move(key.share);
  sealed_ = SealDeletion(key.key, deletion_.payload, request_.subject, core.random, &commitment_);
  if (deletion_.payload.account_id.empty()) {  // nobody can be told of it until its ids come back
    share_.clear();
    sealed_.clear();
  }
  return Prepared::kGoOn;
}

void CreateDeletionHook::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  missing_.AddPreconditions(preconditions);
  if (found_ != 0) return;
  preconditions.push_back(IdIsFree(request_.id));
  if (deletion_.state == domain::DeletionState::kAccepted) preconditions.push_back(systems_.AsPrecondition());
  within_.AddPreconditions(preconditions);
}

void CreateDeletionHook::Build(const Core& core, const store::Stamp& stamp, HookOutput& out) {
  if (found_ != 0) return missing_.Build(core, out.writes);
  domain::DeletionRequest request = request_;
  request.received_at = out.moment.Received();
  request.changed = stamp.sequence;
  request.selector.captured = domain::TimesOf(request.selector.kind, deletion_.times, out.moment);
  NoteDoubt(core, out.moment, request);
  SetDeadlines(*core.policies.rules(), out.transition.after.region, request);
  if (deletion_.state == domain::DeletionState::kVerifying) domain::BeginVerification(request);
  if (deletion_.state == domain::DeletionState::kAccepted) {
    RememberOpening(out.transition.after, request);
    domain::Verify(request, out.moment, systems_.active);
  } else {
    out.transition.after.has_unverified_deletions = true;
  }
  effect_.Apply(core, request, out);
  within_.Build(core, systems_, out);
  const DeletionPlace place{core.PartitionOf(request.subject), NumberOf(stamp.sequence)};
  WriteNewDeletion(core, place, DeletionRow{std::move(request), sealed_}, share_, out.writes);
  missing_.Build(core, out.writes);
}

DeletionStepHook::DeletionStepHook(base::SubjectHandle subject, DeletionPlace place, domain::StepCommand step,
                                   const domain::Command& command)
    : place_(place),
      command_(std::move(step)),
      step_(command_.step),
      proof_(command.proof),
      effect_(subject),
      within_(subject) {}

domain::StepRefusal DeletionStepHook::Do(domain::DeletionRequest& request, const domain::Moment& moment,
                                         const domain::Rules& rules) const {
  return domain::TakeStep(request, command_, {moment, DeadlinesOfRegime(rules, request.regime), systems_.active});
}

// A loosening.
absl::Status DeletionStepHook::MayCancel(const Core& core) const {
  if (absl::Status s = TimeToLoosen(core.Present()); !s.ok()) return s;
  if (!command_.etag.has_value()) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_REQUIRED,
                           "cancelling needs the request's current etag: GetDeletionRequest has it");
  }
  if (*command_.etag != row_.request.changed) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH,
                           "the etag is not the request's current one: read it again and ask the user again");
  }
  if (proof_.channel == domain::Channel::kMissing) {
    return RefusalStatus(domain::PartOutcome{domain::Refusal::kEvidenceRequired, false, "channel"});
  }
  if (proof_.actor == domain::Actor::kMissing) {
    return RefusalStatus(domain::PartOutcome{domain::Refusal::kEvidenceRequired, false, "actor"});
  }
  return absl::OkStatus();
}

absl::StatusOr<ChangeHook::Prepared> DeletionStepHook::Prepare(const Core& core, const HookInput& input) {
  absl::StatusOr<DeletionRow> row = LoadDeletion(core, place_, &bytes_);
  if (!row.ok()) return row.status();
  row_ = *std::move(row);
  absl::StatusOr<SystemsSeen> systems = LoadSystems(core, place_.partition);
  if (!systems.ok()) return systems.status();
  systems_ = *std::move(systems);
  domain::DeletionRequest trial = row_.request;
  const absl::Status refused = StepStatus(Do(trial, input.moment, *core.policies.rules()), row_.request);
  if (!refused.ok()) return refused;
  if (domain::IsVerified(trial.state) && domain::IsOpen(trial.state) && step_ == DeletionStep::kVerify) {
    if (absl::Status s = within_.Load(core, input.before.facts, row_.request.selector, place_.number); !s.ok()) {
      return s;
    }
  }
  already_ = trial == row_.request && within_.empty();
  if (already_) return Prepared::kAnswered;
  if (step_ == DeletionStep::kCancel) {
    if (absl::Status s = MayCancel(core); !s.ok()) return s;
    if (absl::Status s = cancelled_.Load(core, place_, row_.request); !s.ok()) return s;
  }
  if (domain::TombstoneStateOf(trial.state) == domain::TombstoneStateOf(row_.request.state) &&
      step_ != DeletionStep::kCancel) {
    return Prepared::kGoOn;
  }
  if (absl::Status s = effect_.LoadOthers(core, place_, row_.request.selector); !s.ok()) return s;
  if (!effect_.Fits(input.before.facts, trial)) return TooManyTombstones();
  return Prepared::kGoOn;
}

void DeletionStepHook::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  preconditions.push_back({store::Table::kDeletion, DeletionKey(place_.number), bytes_});
  if (step_ == DeletionStep::kVerify) preconditions.push_back(systems_.AsPrecondition());
  if (step_ == DeletionStep::kCancel) cancelled_.AddPreconditions(preconditions);
  within_.AddPreconditions(preconditions);
}

void DeletionStepHook::Build(const Core& core, const store::Stamp& stamp, HookOutput& out) {
  DeletionRow next = row_;
  const bool verifies = step_ == DeletionStep::kVerify && !domain::IsVerified(row_.request.state);
  if (verifies) RememberOpening(out.transition.after, next.request);
  // What was allowed a moment ago and is not any more (an extension) then changes nothing but the history.
  if (Do(next.request, out.moment, *core.policies.rules()) == domain::StepRefusal::kNone) {
    next.request.changed = stamp.sequence;
    if (domain::ChangesTheRule(step_)) effect_.Apply(core, next.request, out);
    const bool denies = step_ == DeletionStep::kDeny && domain::DenialTakesDefaults(next.request.selector);
    if (denies) out.transition.after.default_denied = stamp.time;
    // A denied closure's end is now.
    if (denies && next.request.selector.kind == domain::SelectorKind::kAccountClosure) {
      NoteDoubt(core, out.moment, next.request);
    }
  }
  within_.Build(core, systems_, out);
  if (!domain::IsOpen(next.request.state) && domain::IsOpen(row_.request.state)) {
    CloseDeletion(core, place_, row_.request, stamp, next, out.writes);
  }
  out.writes.push_back({store::Table::kDeletion, DeletionKey(place_.number), EncodeDeletionRow(next)});
  // One that had ended is listed as such, and what is listed as open for its selection is another one.
  if (domain::IsOpen(row_.request.state)) ListDeletion(core, place_.number, next.request, out.writes);
  if (verifies) WriteTasks(next.request, place_.number, out.writes);
}

}  // namespace consent::service
