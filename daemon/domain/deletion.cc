#include "daemon/domain/deletion.h"

#include <algorithm>

namespace consent::domain {

const SystemProgress* DeletionRequest::Find(SystemNumber system) const {
  const auto at =
      std::find_if(parts.begin(), parts.end(), [&](const SystemProgress& part) { return part.system == system; });
  return at == parts.end() ? nullptr : &*at;
}

SystemProgress* DeletionRequest::Find(SystemNumber system) {
  return const_cast<SystemProgress*>(static_cast<const DeletionRequest*>(this)->Find(system));
}

OrderedTimes TimesOf(SelectorKind kind, const NamedTimes& named, const Moment& received) {
  if (kind == SelectorKind::kRecordings || kind == SelectorKind::kDraft) return OrderedTimes();
  if (kind == SelectorKind::kAccountClosure) return OrderedTimes::Always();
  const auto no_later = [&named](Instant receipt) { return named.to.IsSet() ? std::min(named.to, receipt) : receipt; };
  return OrderedTimes::Between(named.from, no_later(received.SureReceipt()), no_later(received.LatestReceipt()));
}

std::optional<Instant> DeadlineOf(const DeletionRequest& request, DeadlineKind kind) {
  if (!IsOpen(request.state)) return std::nullopt;
  switch (kind) {
    case DeadlineKind::kCompletion:
      return request.due_at;
    case DeadlineKind::kConfirmation:
      if (request.cause != DeletionCause::kRequested || request.receipt_confirmed_at.IsSet()) break;
      return request.confirm_by;
  }
  return std::nullopt;
}

bool IsLate(const DeletionRequest& request, DeadlineKind kind, Instant now) {
  const std::optional<Instant> deadline = DeadlineOf(request, kind);
  return deadline.has_value() && now >= *deadline;
}

StepRefusal BeginVerification(DeletionRequest& request) {
  if (request.state == DeletionState::kReceived) request.state = DeletionState::kVerifying;
  return IsOpen(request.state) ? StepRefusal::kNone : StepRefusal::kState;
}

StepRefusal Verify(DeletionRequest& request, const Moment& moment, const std::vector<SystemNumber>& systems) {
  if (IsVerified(request.state)) return StepRefusal::kNone;
  if (!IsOpen(request.state)) return StepRefusal::kState;
  request.state = DeletionState::kAccepted;
  request.verified_at = moment.Received();
  for (const SystemNumber system : systems) AddPart(request, system);
  return StepRefusal::kNone;
}

StepRefusal Deny(DeletionRequest& request, const Moment& moment, const std::string& reason) {
  if (request.state == DeletionState::kDenied) return StepRefusal::kNone;
  if (!IsOpen(request.state) || IsVerified(request.state)) return StepRefusal::kState;
  request.state = DeletionState::kDenied;
  request.ended_at = moment.Received();
  if (request.selector.kind == SelectorKind::kAccountClosure) {
    request.selector.captured = OrderedTimes::Until(moment.SureReceipt(), moment.LatestReceipt());
  }
  request.denied_reason = reason;
  return StepRefusal::kNone;
}

StepRefusal Extend(DeletionRequest& request, const Moment& moment, const DeadlineRules& rules) {
  if (!IsOpen(request.state)) return StepRefusal::kState;
  if (request.extended || !MayExtend(request.received_at, moment.now.latest, rules)) return StepRefusal::kExtension;
  request.extended = true;
  request.due_at = ExtendedDeadline(request.received_at, rules);
  return StepRefusal::kNone;
}

StepRefusal ConfirmReceipt(DeletionRequest& request, const Moment& moment, Instant at, ReceiptChannel channel) {
  if (request.receipt_confirmed_at.IsSet()) return StepRefusal::kNone;
  if (!at.IsSet()) {
    at = std::max(moment.Received(), request.received_at);
  } else if (at < request.received_at || moment.now.wall < at) {
    return StepRefusal::kConfirmedAt;
  }
  request.receipt_confirmed_at = at;
  request.receipt_channel = channel == ReceiptChannel::kMissing ? ReceiptChannel::kOther : channel;
  return StepRefusal::kNone;
}

namespace {

StepRefusal ToStepRefusal(AppealRefusal refusal) {
  switch (refusal) {
    case AppealRefusal::kNone:
      return StepRefusal::kNone;
    case AppealRefusal::kNotDenied:
      return StepRefusal::kNotDenied;
    case AppealRefusal::kNoneOpen:
      return StepRefusal::kNoAppeal;
    case AppealRefusal::kTooMany:
      return StepRefusal::kTooManyAppeals;
    case AppealRefusal::kTime:
      return StepRefusal::kAppealTime;
  }
  return StepRefusal::kState;
}

// An appeal is against a denial, so none comes before it.
AppealRefusal Receive(DeletionRequest& request, const AppealWord& word, const StepFacts& facts) {
  const bool is_denied = request.state == DeletionState::kDenied;
  const Instant since = word.kind == AppealKind::kAppeal ? request.ended_at : request.received_at;
  return ReceiveAppeal(request.appeals, word, is_denied, since, facts.moment, facts.rules);
}

}  // namespace

StepRefusal TakeStep(DeletionRequest& request, const StepCommand& command, const StepFacts& facts) {
  switch (command.step) {
    case DeletionStep::kBeginVerification:
      return BeginVerification(request);
    case DeletionStep::kVerify:
      return Verify(request, facts.moment, facts.systems);
    case DeletionStep::kDeny:
      return Deny(request, facts.moment, command.reason);
    case DeletionStep::kExtend:
      return Extend(request, facts.moment, facts.rules);
    case DeletionStep::kCancel:
      return Cancel(request, facts.moment);
    case DeletionStep::kConfirmReceipt:
      return ConfirmReceipt(request, facts.moment, command.confirmed_at, command.channel);
    case DeletionStep::kReceiveAppeal:
      return ToStepRefusal(Receive(request, command.appeal, facts));
    case DeletionStep::kAcknowledgeAppeal:
      return ToStepRefusal(AcknowledgeAppeal(request.appeals, command.appeal, facts.moment));
    case DeletionStep::kAnswerAppeal:
      return ToStepRefusal(AnswerAppeal(request.appeals, command.appeal, facts.moment));
  }
  return StepRefusal::kState;
}

void Settle(DeletionRequest& request, Instant sure, Instant latest) {
  const OrderedTimes& named = request.selector.captured;
  const bool by_time = !named.IsEmpty() && !(request.selector.kind == SelectorKind::kAccountClosure &&
                                             request.state != DeletionState::kDenied);
  if (by_time) {
    request.selector.captured =
        OrderedTimes::Between(named.from(), std::min(named.latest(), sure), std::min(named.latest(), latest));
  }
  if (request.state != DeletionState::kDenied) request.received_at = sure;
  request.doubt_since = base::BootTime{};
  request.doubt_after = Instant{};
}

StepRefusal Cancel(DeletionRequest& request, const Moment& moment) {
  if (request.state == DeletionState::kCancelled) return StepRefusal::kNone;
  if (request.state > DeletionState::kAccepted) return StepRefusal::kState;
  request.state = DeletionState::kCancelled;
  request.ended_at = moment.Received();
  request.parts.clear();
  return StepRefusal::kNone;
}

void Begin(DeletionRequest& request) {
  if (request.state == DeletionState::kAccepted) request.state = DeletionState::kInProgress;
}

void AddPart(DeletionRequest& request, SystemNumber system) {
  if (!IsOpen(request.state) || !IsVerified(request.state) || request.Find(system) != nullptr) return;
  if (HasItsTasksBehindIt(request)) return;
  SystemProgress part;
  part.system = system;
  const auto at = std::find_if(request.parts.begin(), request.parts.end(),
                               [&](const SystemProgress& p) { return p.system > system; });
  request.parts.insert(at, std::move(part));
}

bool EndPart(DeletionRequest& request, const SystemProgress& part, Instant now) {
  SystemProgress* mine = request.Find(part.system);
  if (mine == nullptr || mine->outcome != PurgeOutcome::kOpen || part.outcome == PurgeOutcome::kOpen) return false;
  *mine = part;
  mine->ended_at = now;
  Begin(request);
  return true;
}

bool AllEnded(const DeletionRequest& request) {
  return std::all_of(request.parts.begin(), request.parts.end(),
                     [](const SystemProgress& part) { return part.outcome != PurgeOutcome::kOpen; });
}

bool HasItsTasksBehindIt(const DeletionRequest& request) { return !request.parts.empty() && AllEnded(request); }

bool Complete(DeletionRequest& request, Instant now) {
  if (request.state != DeletionState::kInProgress || !AllEnded(request)) return false;
  request.state = DeletionState::kCompleted;
  request.ended_at = now;
  return true;
}

bool DenialTakesDefaults(const Selector& selector) {
  return selector.kind == SelectorKind::kAccountClosure || selector.kind == SelectorKind::kEverything;
}

bool LiesWithin(const Selector& inner, const Selector& outer) {
  if (outer.kind == SelectorKind::kAccountClosure) return true;
  if (inner.kind == SelectorKind::kAccountClosure) return false;
  if (outer.kind == SelectorKind::kDraft) return inner == outer;
  // Everything received before it, named by whatever.
  if (outer.kind == SelectorKind::kEverything) return true;
  if (inner.kind == SelectorKind::kRecordings || outer.kind == SelectorKind::kRecordings) {
    return inner.kind == outer.kind && std::includes(outer.recordings.begin(), outer.recordings.end(),
                                                     inner.recordings.begin(), inner.recordings.end());
  }
  const bool scope = outer.scope.kind == ScopeKind::kAccount || outer.scope == inner.scope;
  const bool all_copies = outer.copies_of.Empty();
  const bool some_copies = !inner.copies_of.Empty() && (inner.copies_of.bits & ~outer.copies_of.bits) == 0;
  return scope && (all_copies || some_copies) && outer.captured.Contains(inner.captured);
}

TombstoneState TombstoneStateOf(DeletionState state) {
  if (IsVerified(state)) return TombstoneState::kVerified;
  return state == DeletionState::kDenied ? TombstoneState::kDenied : TombstoneState::kPending;
}

bool MaySelect(const Selector& selector, base::RecordingHandle recording) {
  if (selector.kind == SelectorKind::kDraft) return selector.draft.recording == recording;
  if (selector.kind != SelectorKind::kRecordings) return true;
  return std::binary_search(selector.recordings.begin(), selector.recordings.end(), recording);
}

bool MayOverlap(const HeldPart& held, const Selector& selector) {
  if (selector.kind == SelectorKind::kDraft) {
    return held.recordings.empty() ||
           std::binary_search(held.recordings.begin(), held.recordings.end(), selector.draft.recording);
  }
  if (selector.kind == SelectorKind::kRecordings) {
    if (held.recordings.empty()) return true;
    return std::any_of(selector.recordings.begin(), selector.recordings.end(),
                       [&](const base::RecordingHandle& recording) {
                         return std::binary_search(held.recordings.begin(), held.recordings.end(), recording);
                       });
  }
  if (!held.recordings.empty()) return true;
  return selector.captured.PerhapsOrders(held.captured.from, held.captured.to);
}

bool CoversAll(const HeldPart& held, const Selector& selector) {
  if (selector.kind == SelectorKind::kDraft && !held.recordings.empty()) return MayOverlap(held, selector);
  if (!held.recordings.empty()) {
    return selector.kind == SelectorKind::kRecordings &&
           std::includes(held.recordings.begin(), held.recordings.end(), selector.recordings.begin(),
                         selector.recordings.end());
  }
  const bool same_scope = held.scope.kind == ScopeKind::kAccount || held.scope == selector.scope;
  const bool any_time = !held.captured.from.IsSet() && held.captured.to == base::kEndOfTime;
  if (selector.kind == SelectorKind::kRecordings || selector.kind == SelectorKind::kDraft) {
    return same_scope && any_time;
  }
  return same_scope && held.captured.from <= selector.captured.from() && selector.captured.latest() <= held.captured.to;
}

bool TombstoneOf(const DeletionRequest& request, Tombstone* out) {
  if (request.state == DeletionState::kCancelled || request.selector.kind == SelectorKind::kRecordings ||
      request.cause != DeletionCause::kRequested) {
    return false;
  }
  // `closed_at` speaks for it, and none of its order may reach a new account of the same id.
  if (request.selector.kind == SelectorKind::kAccountClosure && request.state == DeletionState::kCompleted)
    return false;
  out->state = TombstoneStateOf(request.state);
  out->scope = request.selector.scope.kind;
  out->handle = request.selector.scope.handle;
  out->captured = request.selector.captured;
  out->copies_of = request.selector.copies_of;
  return true;
}

bool AddTombstone(SubjectFacts& facts, const Tombstone& tombstone) {
  TombstoneIntervals all;
  if (facts.has_more_tombstones) {
    if (facts.cover == nullptr) return false;
    all = *facts.cover;
  }
  for (const Tombstone& known : facts.tombstones) all.Add(known);
  if (!all.Add(tombstone)) return false;
  SetTombstones(facts, std::move(all));
  return true;
}

void SetTombstones(SubjectFacts& facts, TombstoneIntervals tombstones) {
  facts.tombstones.clear();
  facts.cover.reset();
  const std::vector<Tombstone> all = tombstones.All(kMaxTombstones);
  facts.has_more_tombstones = all.empty() && tombstones.size() > 0;
  if (facts.has_more_tombstones) {
    facts.cover = std::make_shared<const TombstoneIntervals>(std::move(tombstones));
  } else {
    facts.tombstones.assign(all.begin(), all.end());
  }
}

void StrengthenMarks(RecordingState& marks, TombstoneState state) {
  const auto rank = [](TombstoneState s) {
    return s == TombstoneState::kVerified ? 2 : s == TombstoneState::kPending ? 1 : 0;
  };
  if (marks.has_tombstone && rank(marks.tombstone) >= rank(state)) return;
  marks.has_tombstone = true;
  marks.tombstone = state;
}

Span RetryDelay(uint32_t failures, uint64_t random) {
  constexpr int64_t kFirst = base::Seconds(60).micros;
  constexpr int64_t kLongest = base::Days(1).micros;
  int64_t delay = kFirst;
  for (uint32_t i = 1; i < failures && delay < kLongest; ++i) delay *= 2;
  delay = std::min(delay, kLongest);
  return Span{delay / 2 + static_cast<int64_t>(random % static_cast<uint64_t>(delay / 2 + 1))};
}

}  // namespace consent::domain
