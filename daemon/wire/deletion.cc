#include "daemon/wire/deletion.h"

#include <algorithm>
#include <optional>

#include "daemon/base/time_zone.h"
#include "daemon/wire/appeal.h"
#include "daemon/wire/digest.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

constexpr int kMaxStates = 7;
constexpr int kMaxCauses = v1::DeletionCause_ARRAYSIZE - 1;

domain::NamedTimes ReadRange(const v1::TimeRange& range, base::Instant now, const Path& at, Violations* violations) {
  domain::NamedTimes interval;
  const Path to(at, "to");
  if (range.has_from()) interval.from = ReadTimestamp(range.from(), Path(at, "from"), violations);
  if (!range.has_to()) {
    violations->Add(to, "must be set");
    return interval;
  }
  interval.to = ReadTimestamp(range.to(), to, violations);
  CheckPast(interval.to, now, to, violations);
  if (interval.to.IsSet() && interval.from > interval.to) violations->Add(to, "must not lie before `from`");
  return interval;
}

domain::NamedTimes ReadDay(const v1::SpokenDay& day, base::Instant now, const Path& at, Violations* violations) {
  domain::NamedTimes interval;
  const Path spoken_at(at, "spoken_at");
  const Path time_zone(at, "time_zone");
  if (!day.has_spoken_at()) {
    violations->Add(spoken_at, "must be set");
    return interval;
  }
  const base::Instant spoken = ReadTimestamp(day.spoken_at(), spoken_at, violations);
  CheckPast(spoken, now, spoken_at, violations);
  CheckText(day.time_zone(), 1, kMaxNameBytes, time_zone, violations);
  if (day.time_zone().empty() || day.time_zone().size() > kMaxNameBytes) return interval;
  const std::optional<base::TimeZone> zone = base::TimeZone::Load(day.time_zone());
  if (!zone) {
    violations->Add(time_zone,
                    "must be the name of a zone in the server's time zone database, such as `Europe/Bucharest`");
    return interval;
  }
  // Of two clocks the server's decides: what is ahead of it was said now.
  interval.from = zone->StartOf(zone->DayOf(std::min(spoken, now)));
  return interval;
}

domain::Selector ReadCopies(const v1::PurposeCopies& copies, const Path& at, ChangeReader& reader,
                            Violations* violations) {
  domain::Selector selector;
  selector.kind = domain::SelectorKind::kPurposeCopies;
  selector.scope = reader.Scope(copies.scope(), Path(at, "scope"));
  if (!CheckCount(copies.purposes_size(), 1, domain::kPurposes, Path(at, "purposes"), violations)) return selector;
  for (int i = 0; i < copies.purposes_size(); ++i) {
    CheckChosen(copies.purposes(i), v1::Purpose_IsValid, Path(at, "purposes", i), violations);
    const auto purpose = static_cast<domain::Purpose>(copies.purposes(i));
    if (v1::Purpose_IsValid(copies.purposes(i))) selector.copies_of.Add(purpose);
  }
  return selector;
}

domain::Selector ReadSelector(const v1::DeletionSelector& selector, base::Instant now, const Path& at,
                              const base::IdHasher& hasher, ChangeReader& reader, Violations* violations,
                              domain::NamedTimes* times) {
  domain::Selector out;
  switch (selector.kind_case()) {
    case v1::DeletionSelector::kEverything:
      out.kind = domain::SelectorKind::kEverything;
      if (!selector.everything()) violations->Add(Path(at, "everything"), "must be true");
      break;
    case v1::DeletionSelector::kTimeRange:
      out.kind = domain::SelectorKind::kTimeRange;
      *times = ReadRange(selector.time_range(), now, Path(at, "time_range"), violations);
      break;
    case v1::DeletionSelector::kSpokenDay:
      out.kind = domain::SelectorKind::kSpokenDay;
      *times = ReadDay(selector.spoken_day(), now, Path(at, "spoken_day"), violations);
      break;
    case v1::DeletionSelector::kRecordings:
      out.kind = domain::SelectorKind::kRecordings;
      out.recordings = ReadRecordingIds(selector.recordings(), hasher, Path(at, "recordings"), violations);
      break;
    case v1::DeletionSelector::kProfileId:
      out.kind = domain::SelectorKind::kProfile;
      out.scope = reader.Profile(selector.profile_id(), Path(at, "profile_id"));
      break;
    case v1::DeletionSelector::kDeviceId:
      out.kind = domain::SelectorKind::kDevice;
      out.scope = reader.Device(selector.device_id(), Path(at, "device_id"));
      break;
    case v1::DeletionSelector::kPurposeCopies:
      return ReadCopies(selector.purpose_copies(), Path(at, "purpose_copies"), reader, violations);
    case v1::DeletionSelector::kVoiceIdOfProfileId:
      out.kind = domain::SelectorKind::kVoiceId;
      out.scope = reader.Profile(selector.voice_id_of_profile_id(), Path(at, "voice_id_of_profile_id"));
      out.copies_of.Add(domain::Purpose::kVoiceIdentification);
      break;
    case v1::DeletionSelector::kAccountClosure:
      out.kind = domain::SelectorKind::kAccountClosure;
      if (!selector.account_closure()) violations->Add(Path(at, "account_closure"), "must be true");
      break;
    case v1::DeletionSelector::kDraft:
      violations->Add(Path(at, "draft"), "cannot be asked for: the daemon makes it of a review that came too late");
      break;
    case v1::DeletionSelector::KIND_NOT_SET:
      violations->Add(at, "must say what is to be deleted");
      break;
  }
  return out;
}

domain::DeletionState BeginningState(v1::Verification verification) {
  switch (verification) {
    case v1::VERIFICATION_VERIFIED:
      return domain::DeletionState::kAccepted;
    case v1::VERIFICATION_UNDER_WAY:
      return domain::DeletionState::kVerifying;
    default:
      return domain::DeletionState::kReceived;
  }
}

// What a step has beside what all have.
void ReadOwn(const v1::VerifyDeletionRequestRequest& request, Violations*, DeletionStepInput* input) {
  input->command.step = request.only_begun() ? domain::DeletionStep::kBeginVerification : domain::DeletionStep::kVerify;
}

void ReadOwn(const v1::DenyDeletionRequestRequest& request, Violations* violations, DeletionStepInput* input) {
  const Path root;
  CheckText(request.reason(), 1, kMaxReasonBytes, Path(root, "reason"), violations);
  CheckText(request.language(), 0, kMaxLanguageBytes, Path(root, "language"), violations);
  input->command = {domain::DeletionStep::kDeny, request.reason()};
  input->language = request.language();
}

void ReadOwn(const v1::ExtendDeletionRequestRequest&, Violations*, DeletionStepInput* input) {
  input->command.step = domain::DeletionStep::kExtend;
}

void ReadOwn(const v1::ConfirmReceiptRequest& request, Violations* violations, DeletionStepInput* input) {
  const Path root;
  input->command.step = domain::DeletionStep::kConfirmReceipt;
  CheckChosen(request.channel(), v1::ReceiptChannel_IsValid, Path(root, "channel"), violations);
  input->command.channel = static_cast<domain::ReceiptChannel>(request.channel());
  if (request.has_confirmed_at()) {
    input->command.confirmed_at = ReadTimestamp(request.confirmed_at(), Path(root, "confirmed_at"), violations);
  }
}

// When it happened; unset: now.
template <typename Request>
base::Instant ReadAt(const Request& request, Violations* violations) {
  return request.has_at() ? ReadTimestamp(request.at(), Path(Path(), "at"), violations) : base::Instant{};
}

void ReadOwn(const v1::ReceiveAppealRequest& request, Violations* violations, DeletionStepInput* input) {
  input->command.step = domain::DeletionStep::kReceiveAppeal;
  CheckChosen(request.kind(), v1::AppealKind_IsValid, Path(Path(), "kind"), violations);
  input->command.appeal.kind = static_cast<domain::AppealKind>(request.kind());
  input->command.appeal.at = ReadAt(request, violations);
}

void ReadOwn(const v1::AcknowledgeAppealRequest& request, Violations* violations, DeletionStepInput* input) {
  input->command.step = domain::DeletionStep::kAcknowledgeAppeal;
  input->command.appeal.at = ReadAt(request, violations);
}

void ReadOwn(const v1::AnswerAppealRequest& request, Violations* violations, DeletionStepInput* input) {
  const Path root;
  input->command.step = domain::DeletionStep::kAnswerAppeal;
  CheckChosen(request.outcome(), v1::AppealOutcome_IsValid, Path(root, "outcome"), violations);
  CheckText(request.answer(), 1, kMaxReasonBytes, Path(root, "answer"), violations);
  input->command.appeal.outcome = static_cast<domain::AppealOutcome>(request.outcome());
  input->command.appeal.answer = request.answer();
  input->command.appeal.at = ReadAt(request, violations);
}

void ReadOwn(const v1::CancelDeletionRequestRequest& request, Violations* violations, DeletionStepInput* input) {
  CheckText(request.etag(), 0, kMaxTokenBytes, Path(Path(), "etag"), violations);
  input->etag = request.etag();
  input->command.step = domain::DeletionStep::kCancel;
}

// Until when it will be, or was to be, finished: a day that has not passed is promised, any other is owned up to.
std::string Promise(const domain::DeletionRequest& request, domain::OnHold on_hold, base::Instant now) {
  if (!IsTime(request.due_at)) return "";
  const std::string day = base::FormatRfc3339(request.due_at - base::Microseconds(1)).substr(0, 10);
  const bool is_verified = domain::IsVerified(request.state);
  const std::string then = is_verified ? "; this will be deleted when that is over." : ".";
  if (on_hold == domain::OnHold::kByLaw) return " The law makes us keep some of it until further notice" + then;
  // Whoever reads it may be who somebody is in danger of: it does not say why.
  if (on_hold == domain::OnHold::kForSafety) return " We have to keep some of it for a few days" + then;
  return request.IsOverdue(now) ? " It should have been finished by " + day + "."
                                : " We will finish it by " + day + ".";
}

// What is to be deleted, and nothing else is kept from use for it: the middle of a sentence.
std::string ObjectOf(const domain::DeletionRequest& request) {
  switch (request.selector.kind) {
    case domain::SelectorKind::kPurposeCopies:
      return "the copies that were made for these purposes";
    case domain::SelectorKind::kVoiceId:
      return "what your voice is recognised by";
    case domain::SelectorKind::kDraft:
      return "what was written";
    default:
      return request.cause == domain::DeletionCause::kRetention ? "the recordings that you want kept no longer"
                                                                : "the recordings";
  }
}

// The beginning of a sentence that ends with the day of the receipt.
std::string OpeningOf(domain::DeletionCause cause) {
  if (domain::FollowsSettings(cause)) return "Your settings changed on ";
  return cause == domain::DeletionCause::kRequested
             ? "We received your request on "
             : "What somebody wrote about a recording came too late to be kept on ";
}

std::string Summary(const domain::DeletionRequest& request, domain::OnHold on_hold, base::Instant now) {
  const auto date = [](base::Instant time) { return base::FormatRfc3339(time).substr(0, 10); };
  const auto ended = static_cast<size_t>(
      std::count_if(request.parts.begin(), request.parts.end(),
                    [](const domain::SystemProgress& part) { return part.outcome != domain::PurgeOutcome::kOpen; }));
  std::string text = OpeningOf(request.cause) + date(request.received_at) + ". ";
  switch (request.state) {
    case domain::DeletionState::kReceived:
    case domain::DeletionState::kVerifying:
      return text + "Until we know that it came from you we only stop using " + ObjectOf(request) + "." +
             Promise(request, on_hold, now);
    case domain::DeletionState::kAccepted:
    case domain::DeletionState::kInProgress:
      return text + "We do not use " + ObjectOf(request) + " any more. " + std::to_string(ended) + " of " +
             std::to_string(request.parts.size()) + " systems have confirmed so far; it is not finished." +
             Promise(request, on_hold, now);
    case domain::DeletionState::kCompleted:
      return text + "All " + std::to_string(request.parts.size()) + " systems had confirmed by " +
             date(request.ended_at) + ".";
    case domain::DeletionState::kDenied:
      return text + "It was denied on " + date(request.ended_at) + ": " + request.denied_reason + ". We keep " +
             ObjectOf(request) + ", unused. You may ask again, and you may complain to the supervisory authority.";
    case domain::DeletionState::kCancelled:
      return text + "It was cancelled on " + date(request.ended_at) + " before anything was deleted.";
  }
  return text;
}

}  // namespace

absl::StatusOr<DeletionInput> ReadCreateDeletion(const v1::CreateDeletionRequestRequest& request,
                                                 const base::IdHasher& hasher, base::Instant now) {
  Violations violations;
  Violations others;  // of what the deletion does not need
  const Path root;
  DeletionInput input;
  ChangeReader reader(hasher, &violations, &input.change.names);
  ChangeReader beside(hasher, &others, &input.change.names);
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  input.change.request_id = ReadRequestId(request.request_id(), 0, Path(root, "request_id"), &others);
  input.selector =
      ReadSelector(request.selector(), now, Path(root, "selector"), hasher, reader, &violations, &input.times);
  CheckChosen(request.requester(), v1::Actor_IsValid, Path(root, "requester"), &others);
  CheckEnum(request.verification(), v1::Verification_IsValid, Path(root, "verification"), &others);
  beside.ProofOf(request, root, &input.change.command.proof, &input.change.evidence);
  if (!violations.empty()) {
    violations.Append(others);
    return violations.ToStatus();
  }
  input.change.unusable = others.Why();
  if (v1::Actor_IsValid(request.requester())) input.requester = static_cast<domain::Actor>(request.requester());
  input.state = BeginningState(request.verification());
  input.account_id = request.account_id();
  input.selector_bytes = request.selector().SerializeAsString();
  input.change.subject = hasher.Subject(request.account_id());
  input.change.digest = RequestDigest(request);
  return input;
}

template <typename Request>
absl::StatusOr<DeletionStepInput> ReadDeletionStep(const Request& request, const base::IdHasher& hasher) {
  Violations violations;
  DeletionStepInput input;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckId(request.deletion_id(), Path(root, "deletion_id"), &violations);
  CheckText(request.request_id(), 0, kMaxRequestIdBytes, Path(root, "request_id"), &violations);
  ChangeReader reader(hasher, &violations, &input.change.names);
  reader.ProofOf(request, root, &input.change.command.proof, &input.change.evidence);
  input.deletion_id = base::ParseId<base::DeletionId>(request.deletion_id());
  input.change.request_id = request.request_id();
  if (violations.empty()) input.change.digest = RequestDigest(request);
  ReadOwn(request, &violations, &input);
  return violations.empty() ? absl::StatusOr<DeletionStepInput>(std::move(input)) : violations.ToStatus();
}
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::VerifyDeletionRequestRequest&,
                                                            const base::IdHasher&);
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::DenyDeletionRequestRequest&,
                                                            const base::IdHasher&);
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::ExtendDeletionRequestRequest&,
                                                            const base::IdHasher&);
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::ConfirmReceiptRequest&, const base::IdHasher&);
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::ReceiveAppealRequest&, const base::IdHasher&);
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::AcknowledgeAppealRequest&, const base::IdHasher&);
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::AnswerAppealRequest&, const base::IdHasher&);
template absl::StatusOr<DeletionStepInput> ReadDeletionStep(const v1::CancelDeletionRequestRequest&,
                                                            const base::IdHasher&);

absl::StatusOr<std::optional<base::DeletionId>> ReadGetDeletion(const v1::GetDeletionRequestRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckId(request.deletion_id(), Path(root, "deletion_id"), &violations);
  CheckText(request.language(), 0, kMaxLanguageBytes, Path(root, "language"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return base::ParseId<base::DeletionId>(request.deletion_id());
}

absl::StatusOr<DeletionsQuery> ReadListDeletions(const v1::ListDeletionRequestsRequest& request,
                                                 const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  DeletionsQuery query;
  RefuseMistyped(request, root, &violations);
  query.has_subject = !request.account_id().empty();
  if (query.has_subject) {
    CheckId(request.account_id(), Path(root, "account_id"), &violations);
    query.subject = hasher.Subject(request.account_id());
  }
  if (CheckCount(request.states_size(), 0, kMaxStates, Path(root, "states"), &violations)) {
    for (int i = 0; i < request.states_size(); ++i) {
      CheckChosen(request.states(i), v1::DeletionState_IsValid, Path(root, "states", i), &violations);
      query.states.push_back(static_cast<domain::DeletionState>(request.states(i)));
    }
  }
  if (CheckCount(request.causes_size(), 0, kMaxCauses, Path(root, "causes"), &violations)) {
    for (int i = 0; i < request.causes_size(); ++i) {
      CheckChosen(request.causes(i), v1::DeletionCause_IsValid, Path(root, "causes", i), &violations);
      query.causes.push_back(static_cast<domain::DeletionCause>(request.causes(i)));
    }
  }
  if (request.has_received_from()) {
    query.received_from = ReadTimestamp(request.received_from(), Path(root, "received_from"), &violations);
  }
  if (request.has_received_before()) {
    query.received_before = ReadTimestamp(request.received_before(), Path(root, "received_before"), &violations);
  }
  if (request.has_due_before()) {
    query.due_before = ReadTimestamp(request.due_before(), Path(root, "due_before"), &violations);
  }
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  CheckText(request.language(), 0, kMaxLanguageBytes, Path(root, "language"), &violations);
  query.language = request.language();
  query.has_open_appeal = request.has_open_appeal();
  query.page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  query.page_token = request.page_token();
  return violations.empty() ? absl::StatusOr<DeletionsQuery>(std::move(query)) : violations.ToStatus();
}

std::vector<base::RecordingHandle> ReadRecordingIds(const v1::RecordingIds& recordings, const base::IdHasher& hasher,
                                                    const Path& at, Violations* violations) {
  std::vector<base::RecordingHandle> handles;
  const Path list(at, "recording_ids");
  if (!CheckCount(recordings.recording_ids_size(), 1, static_cast<int>(domain::kMaxSelectedRecordings), list,
                  violations)) {
    return handles;
  }
  for (int i = 0; i < recordings.recording_ids_size(); ++i) {
    CheckId(recordings.recording_ids(i), Path(at, "recording_ids", i), violations);
    handles.push_back(hasher.Recording(recordings.recording_ids(i)));
  }
  std::sort(handles.begin(), handles.end());
  if (std::adjacent_find(handles.begin(), handles.end()) != handles.end())
    violations->Add(list, "names a recording twice");
  return handles;
}

bool HasCovers(const domain::Selector& selector) {
  return selector.kind != domain::SelectorKind::kRecordings && selector.kind != domain::SelectorKind::kAccountClosure &&
         selector.kind != domain::SelectorKind::kDraft;
}

void WriteCovers(const domain::Selector& selector, v1::TimeRange* out) {
  const domain::OrderedTimes& times = selector.captured;
  // A beginning that lay ahead of the receipt is told as the receipt: what is told is in order.
  const base::Instant from = times.sure().IsSet() ? std::min(times.from(), times.sure()) : times.from();
  if (times.HasBeginning()) WriteTimestamp(from, out->mutable_from());
  if (IsTime(times.sure())) WriteTimestamp(times.sure(), out->mutable_to());
}

void WriteDeletion(const domain::DeletionRequest& request, domain::OnHold on_hold, const std::string& etag,
                   const std::vector<SystemName>& systems, base::Instant now, v1::DeletionRequest* out) {
  out->set_deletion_id(base::IdText(request.id));
  out->set_state(static_cast<v1::DeletionState>(request.state));
  out->set_extended(request.extended);
  out->set_overdue(request.IsOverdue(now) && on_hold == domain::OnHold::kNo);
  out->set_on_hold(on_hold != domain::OnHold::kNo);
  out->set_needs_ids(request.needs_ids);
  out->set_cause(static_cast<v1::DeletionCause>(request.cause));
  out->set_requester(static_cast<v1::Actor>(request.requester));
  out->set_regime(request.regime);
  WriteTimestamp(request.received_at, out->mutable_received_at());
  if (IsTime(request.confirm_by)) WriteTimestamp(request.confirm_by, out->mutable_confirm_by());
  if (IsTime(request.due_at)) WriteTimestamp(request.due_at, out->mutable_due_at());
  if (request.verified_at.IsSet()) WriteTimestamp(request.verified_at, out->mutable_verified_at());
  if (request.ended_at.IsSet()) WriteTimestamp(request.ended_at, out->mutable_ended_at());
  if (request.receipt_confirmed_at.IsSet()) {
    WriteTimestamp(request.receipt_confirmed_at, out->mutable_receipt_confirmed_at());
    out->set_receipt_channel(static_cast<v1::ReceiptChannel>(request.receipt_channel));
  }
  out->set_confirmation_overdue(domain::IsLate(request, domain::DeadlineKind::kConfirmation, now));
  out->set_denied_reason(request.denied_reason);
  WriteAppeals(request, now, out);
  if (HasCovers(request.selector)) WriteCovers(request.selector, out->mutable_covers());
  for (const domain::SystemProgress& part : request.parts) {
    v1::DeletionProgress& progress = *out->add_progress();
    const auto named =
        std::find_if(systems.begin(), systems.end(), [&](const SystemName& name) { return name.first == part.system; });
    if (named != systems.end()) progress.set_system(named->second);
    progress.set_outcome(static_cast<v1::PurgeOutcome>(part.outcome));
    if (part.ended_at.IsSet()) WriteTimestamp(part.ended_at, progress.mutable_ended_at());
    progress.set_erased_count(static_cast<int64_t>(part.erased_count));
    if (part.evidence != base::Digest{}) progress.set_evidence_hash(std::string(base::View(part.evidence)));
    if (part.earlier_evidence != base::Digest{}) {
      progress.set_earlier_evidence_hash(std::string(base::View(part.earlier_evidence)));
    }
    progress.set_reason(part.reason);
    progress.set_exempt_reason(static_cast<v1::ExemptReason>(part.exempt));
    progress.set_leased_before(part.leased_before);
  }
  out->set_etag(etag);
  out->set_summary(Summary(request, on_hold, now));
}

void WriteBackupsUntil(const domain::DeletionRequest& request, int keep_days, v1::DeletionRequest* out) {
  if (request.state != domain::DeletionState::kCompleted || !request.ended_at.IsSet()) return;
  const base::Instant until = request.ended_at + base::Hours(24 * keep_days);
  WriteTimestamp(until, out->mutable_backups_until());
  out->mutable_summary()->append(" A backup of our records may hold a copy of what they had of it until " +
                                 base::FormatRfc3339(until).substr(0, 10) + ".");
}

}  // namespace consent::wire
