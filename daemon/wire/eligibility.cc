#include "daemon/wire/eligibility.h"

#include <algorithm>

#include "daemon/domain/decide.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/flags.h"

namespace consent::wire {
namespace {

constexpr int kMaxProfiles = base::kMaxNamedProfiles;
constexpr int kMaxFlags = base::kMaxNamedFlags;
using base::kMaxUncertaintyMs;

template <typename Request>
void ReadCommon(const Request& request, Violations* violations, CheckQuery* query) {
  const Path root;
  CheckEnum(request.purpose(), v1::Purpose_IsValid, Path(root, "purpose"), violations);
  query->purpose = static_cast<domain::Purpose>(request.purpose());
  if (request.has_place()) ReadPlace(request.place(), Path(root, "place"), violations, &query->place);
  CheckEnum(request.view(), v1::DecisionView_IsValid, Path(root, "view"), violations);
  query->full = request.view() == v1::DECISION_VIEW_FULL;
  CheckEnum(request.selection(), v1::Selection_IsValid, Path(root, "selection"), violations);
  query->selection = request.selection() == v1::SELECTION_UNSPECIFIED
                         ? domain::Selection::kOther
                         : static_cast<domain::Selection>(request.selection());
  CheckText(request.at_least_revision(), 0, kMaxTokenBytes, Path(root, "at_least_revision"), violations);
}

// Costs two loads: the reflection object is looked up once.
template <typename Message>
bool HasUnknown(const Message& message) {
  static const google::protobuf::Reflection& reflection = *Message::GetReflection();
  return !reflection.GetUnknownFields(message).empty();
}

void RefuseMistypedIn(const v1::Recording& recording, const Path& at, Violations* violations) {
  if (HasUnknown(recording) || HasUnknown(recording.captured_at()) || HasUnknown(recording.ingested_at())) {
    RefuseMistyped(recording, at, violations);
  }
}

void ReadProfiles(const v1::Recording& recording, const base::IdHasher& hasher, const Path& at, Violations* violations,
                  domain::RecordingFacts* facts) {
  const int count = recording.profile_ids_size();
  if (count > kMaxProfiles) {
    CheckCount(count, 0, kMaxProfiles, Path(at, "profile_ids"), violations);
    return;
  }
  for (int i = 0; i < count; ++i) {
    const Path here(at, "profile_ids", i);
    CheckId(recording.profile_ids(i), here, violations);
    const base::ProfileHandle profile = hasher.Profile(recording.profile_ids(i));
    if (std::find(facts->profiles.begin(), facts->profiles.end(), profile) != facts->profiles.end()) {
      violations->Add(here, "names a profile a second time");
    }
    facts->profiles.push_back(profile);
  }
}

void ReadTimes(const v1::Recording& recording, const Path& at, Violations* violations, domain::RecordingFacts* facts) {
  facts->captured_at = {};
  facts->ingested_at = {};
  if (recording.has_captured_at()) {
    facts->captured_at = ReadTimestamp(recording.captured_at(), Path(at, "captured_at"), violations);
  }
  if (recording.has_ingested_at()) {
    facts->ingested_at = ReadTimestamp(recording.ingested_at(), Path(at, "ingested_at"), violations);
  }
  facts->has_uncertainty = recording.has_captured_uncertainty_ms();
  facts->uncertainty = {};
  if (!facts->has_uncertainty) return;
  CheckRange(recording.captured_uncertainty_ms(), 0, kMaxUncertaintyMs, Path(at, "captured_uncertainty_ms"),
             violations);
  const int64_t bounded = std::clamp<int64_t>(recording.captured_uncertainty_ms(), 0, kMaxUncertaintyMs);
  facts->uncertainty = base::Milliseconds(bounded);
}

void ReadEnums(const v1::Recording& recording, const Path& at, Violations* violations, domain::RecordingFacts* facts) {
  CheckEnum(recording.wake(), v1::Wake_IsValid, Path(at, "wake"), violations);
  CheckEnum(recording.kind(), v1::Kind_IsValid, Path(at, "kind"), violations);
  CheckEnum(recording.speakers(), v1::Speakers_IsValid, Path(at, "speakers"), violations);
  CheckEnum(recording.identity(), v1::Identity_IsValid, Path(at, "identity"), violations);
  CheckEnum(recording.age(), v1::SpeakerAge_IsValid, Path(at, "age"), violations);
  CheckEnum(recording.artefact(), v1::Artefact_IsValid, Path(at, "artefact"), violations);
  CheckEnum(recording.made_for(), v1::Purpose_IsValid, Path(at, "made_for"), violations);
  facts->wake = static_cast<domain::Wake>(recording.wake());
  facts->kind = static_cast<domain::Kind>(recording.kind());
  facts->speakers = static_cast<domain::Speakers>(recording.speakers());
  facts->identity = static_cast<domain::Identity>(recording.identity());
  facts->age = static_cast<domain::SpeakerAge>(recording.age());
  const bool source = IsSource(recording.artefact());
  facts->artefact = source ? domain::Artefact::kSource : static_cast<domain::Artefact>(recording.artefact());
  facts->made_for = static_cast<domain::Purpose>(recording.made_for());
  // A copy whose artefact was forgotten would be answered as source audio: KEEP where it must go.
  if (source && recording.made_for() != v1::PURPOSE_UNSPECIFIED) {
    violations->Add(Path(at, "made_for"), "may be set only where artefact names a copy");
  }
}

}  // namespace

void ReadPlace(const v1::Place& place, const Path& at, Violations* violations, domain::Place* out) {
  RefuseMistypedHere(place, at, violations);
  if (!place.country().empty()) out->country = ReadCountry(place.country(), Path(at, "country"), violations);
  CheckText(place.site(), 0, kMaxNameBytes, Path(at, "site"), violations);
  out->site = place.site();
  CheckEnum(place.reviewer_class(), v1::ReviewerClass_IsValid, Path(at, "reviewer_class"), violations);
  out->reviewer_class = static_cast<domain::ReviewerClass>(place.reviewer_class());
}

absl::Status ReadCheck(const v1::CheckRequest& request, CheckQuery* query) {
  Violations violations;
  const Path root;
  if (HasUnknown(request)) RefuseMistypedHere(request, root, &violations);
  if (!request.has_recording()) violations.Add(Path(root, "recording"), "must be set");
  ReadCommon(request, &violations, query);
  return violations.ToStatus();
}

absl::Status ReadBatchCheck(const v1::BatchCheckRequest& request, CheckQuery* query) {
  return ReadBatchCheck(request, static_cast<size_t>(request.recordings_size()), query);
}

absl::Status ReadBatchCheck(const v1::BatchCheckRequest& request, size_t recordings, CheckQuery* query) {
  if (recordings > kMaxBatch) {
    return MakeError(v1::ERROR_REASON_BATCH_TOO_LARGE,
                     "recordings: at most " + std::to_string(kMaxBatch) + " in one call; split the batch",
                     {{"limit", std::to_string(kMaxBatch)}, {"field", "recordings"}});
  }
  Violations violations;
  const Path root;
  if (HasUnknown(request)) RefuseMistypedHere(request, root, &violations);
  CheckCount(static_cast<int>(recordings), 1, kMaxBatch, Path(root, "recordings"), &violations);
  ReadCommon(request, &violations, query);
  return violations.ToStatus();
}

bool ReadRecording(const v1::Recording& recording, const base::IdHasher& hasher, const Path& at, Violations* violations,
                   base::SubjectHandle* subject, std::string* id, domain::RecordingFacts* facts) {
  RefuseMistypedIn(recording, at, violations);
  CheckId(recording.recording_id(), Path(at, "recording_id"), violations);
  CheckId(recording.account_id(), Path(at, "account_id"), violations);
  CheckText(recording.device_id(), 0, base::kMaxIdBytes, Path(at, "device_id"), violations);
  *subject = hasher.Subject(recording.account_id());
  id->assign(recording.recording_id());
  facts->device = recording.device_id().empty() ? base::DeviceHandle{} : hasher.Device(recording.device_id());
  facts->profiles.clear();
  ReadProfiles(recording, hasher, at, violations, facts);
  ReadTimes(recording, at, violations, facts);
  ReadEnums(recording, at, violations, facts);
  facts->has_region = !recording.region().empty();
  facts->region = facts->has_region ? ReadRegion(recording.region(), Path(at, "region"), violations) : domain::Region{};
  facts->flags = ReadFlags(recording.flags(), 0, kMaxFlags, at, violations);
  return violations->empty();
}

void WriteDecision(const domain::Decision& decision, bool full, v1::Decision* out) {
  out->set_eligibility(static_cast<v1::Eligibility>(decision.eligibility));
  out->set_disposition(static_cast<v1::Disposition>(decision.disposition));
  if (full) {
    decision.ForEachReason([&](domain::Reason reason) { out->add_reasons(static_cast<v1::Reason>(reason)); });
    decision.missing.ForEach(
        [&](domain::MissingFact fact) { out->add_missing_facts(static_cast<v1::MissingFact>(fact)); });
  } else if (const domain::Reason first = decision.FirstReason(); first != domain::Reason::kNone) {
    out->add_reasons(static_cast<v1::Reason>(first));
  }
  out->set_good_until_us(decision.good_until.micros);
}

void WriteItemError(const absl::Status& error, v1::ItemError* out) {
  const ErrorDetail detail = DetailOf(error);
  out->set_reason(ReasonName(detail.reason));
  out->set_message(detail.reason == v1::ERROR_REASON_INTERNAL ? std::string("no answer")
                                                              : std::string(error.message()));
}

}  // namespace consent::wire
