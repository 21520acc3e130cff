#include "daemon/wire/decision.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "daemon/wire/eligibility.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

constexpr int64_t kMaxSequence = 1'000'000'000'000'000;
constexpr int64_t kMaxUncertaintyMicros = base::kMaxUncertaintyMs * 1000;
constexpr int kAllFlags = 15;
constexpr int kMostMonths = 36;

// `size` bytes; nothing is copied of any other.
template <size_t N>
void ReadBytes(const std::string& bytes, const Path& at, Violations* violations, std::array<uint8_t, N>* out) {
  CheckText(bytes, N, N, at, violations);
  if (bytes.size() == N) std::memcpy(out->data(), bytes.data(), N);
}

base::Instant ReadMicros(int64_t micros, const Path& at, Violations* violations) {
  CheckRange(micros, 0, base::kLastInstant.micros, at, violations);
  return base::Instant{micros};
}

void ReadMonth(const std::string& text, const Path& at, Violations* violations, base::Month* out) {
  const std::optional<base::Month> month = base::Month::Parse(text);
  if (!month.has_value()) return violations->Add(at, "must be a month, YYYY-MM");
  *out = *month;
}

void ReadMonthKey(const std::string& text, const Path& at, Violations* violations, base::MonthKeyName* out) {
  const std::optional<base::MonthKeyName> name = base::MonthKeyName::Parse(text);
  if (!name.has_value()) return violations->Add(at, "must be a record's month and number of its key, YYYY-MM.xxxxxxxx");
  *out = *name;
}

void ReadEnums(const v1::RecordedYes& yes, const Path& at, Violations* violations, domain::RecordingFacts* facts) {
  CheckEnum(yes.wake(), v1::Wake_IsValid, Path(at, "wake"), violations);
  CheckEnum(yes.kind(), v1::Kind_IsValid, Path(at, "kind"), violations);
  CheckEnum(yes.speakers(), v1::Speakers_IsValid, Path(at, "speakers"), violations);
  CheckEnum(yes.identity(), v1::Identity_IsValid, Path(at, "identity"), violations);
  CheckEnum(yes.age(), v1::SpeakerAge_IsValid, Path(at, "age"), violations);
  CheckEnum(yes.artefact(), v1::Artefact_IsValid, Path(at, "artefact"), violations);
  CheckEnum(yes.made_for(), v1::Purpose_IsValid, Path(at, "made_for"), violations);
  facts->wake = static_cast<domain::Wake>(yes.wake());
  facts->kind = static_cast<domain::Kind>(yes.kind());
  facts->speakers = static_cast<domain::Speakers>(yes.speakers());
  facts->identity = static_cast<domain::Identity>(yes.identity());
  facts->age = static_cast<domain::SpeakerAge>(yes.age());
  facts->artefact =
      IsSource(yes.artefact()) ? domain::Artefact::kSource : static_cast<domain::Artefact>(yes.artefact());
  facts->made_for = static_cast<domain::Purpose>(yes.made_for());
}

void ReadFacts(const v1::RecordedYes& yes, const Path& at, Violations* violations, domain::RecordingFacts* facts) {
  if (CheckCount(yes.profiles_size(), 0, base::kMaxNamedProfiles, Path(at, "profiles"), violations)) {
    for (int i = 0; i < yes.profiles_size(); ++i) {
      ReadBytes(yes.profiles(i), Path(at, "profiles", i), violations, &facts->profiles.emplace_back().bytes);
    }
  }
  if (!yes.device().empty()) ReadBytes(yes.device(), Path(at, "device"), violations, &facts->device.bytes);
  facts->captured_at = ReadMicros(yes.captured_at_us(), Path(at, "captured_at_us"), violations);
  facts->ingested_at = ReadMicros(yes.ingested_at_us(), Path(at, "ingested_at_us"), violations);
  facts->has_uncertainty = yes.has_uncertainty_us();
  if (facts->has_uncertainty) {
    CheckRange(yes.uncertainty_us(), 0, kMaxUncertaintyMicros, Path(at, "uncertainty_us"), violations);
    facts->uncertainty = base::Span{yes.uncertainty_us()};
  }
  facts->has_region = !yes.region().empty();
  if (facts->has_region) facts->region = ReadRegion(yes.region(), Path(at, "region"), violations);
  ReadEnums(yes, at, violations, facts);
  CheckRange(yes.flags(), 0, kAllFlags, Path(at, "flags"), violations);
  facts->flags = static_cast<uint8_t>(yes.flags());
}

RecordedYes ReadYes(const v1::RecordedYes& yes, const Path& at, Violations* violations) {
  RecordedYes out;
  ReadBytes(yes.subject(), Path(at, "subject"), violations, &out.subject);
  ReadBytes(yes.recording(), Path(at, "recording"), violations, &out.recording);
  ReadFacts(yes, at, violations, &out.facts);
  CheckRange(yes.head(), 0, kMaxSequence, Path(at, "head"), violations);
  CheckRange(yes.revision(), 1, kMaxSequence, Path(at, "revision"), violations);
  CheckChosen(yes.reason(), v1::Reason_IsValid, Path(at, "reason"), violations);
  out.head = static_cast<uint64_t>(yes.head());
  out.revision = static_cast<uint64_t>(yes.revision());
  out.reason = static_cast<domain::Reason>(yes.reason());
  return out;
}

// The handle of each id, by `hash`; nothing is looked at where there are too many.
template <typename Handle, typename Ids>
std::vector<Handle> ReadHandles(const Ids& ids, int most, const Path& root, const char* field, Violations* violations,
                                const base::IdHasher& hasher, Handle (base::IdHasher::*hash)(std::string_view) const) {
  std::vector<Handle> handles;
  if (!CheckCount(ids.size(), 0, most, Path(root, field), violations)) return handles;
  handles.reserve(static_cast<size_t>(ids.size()));
  for (int i = 0; i < ids.size(); ++i) {
    CheckId(ids.Get(i), Path(root, field, i), violations);
    handles.push_back((hasher.*hash)(ids.Get(i)));
  }
  return handles;
}

// All but the yeses, which two requests name alike.
template <typename Request>
RecordInput ReadRecord(const Request& request, const Path& root, Violations* violations) {
  RecordInput input;
  RefuseMistyped(request, root, violations);
  ReadBytes(request.store_id(), Path(root, "store_id"), violations, &input.store_id);
  ReadMonthKey(request.month(), Path(root, "month"), violations, &input.month);
  CheckChosen(request.purpose(), v1::Purpose_IsValid, Path(root, "purpose"), violations);
  input.purpose = static_cast<domain::Purpose>(request.purpose());
  if (request.has_place()) ReadPlace(request.place(), Path(root, "place"), violations, &input.place);
  CheckLabel(request.policy_version(), 1, kMaxNameBytes, Path(root, "policy_version"), violations);
  input.policy_version = request.policy_version();
  ReadBytes(request.policy_hash(), Path(root, "policy_hash"), violations, &input.policy_hash);
  input.now.wall = ReadMicros(request.wall_us(), Path(root, "wall_us"), violations);
  input.now.earliest = ReadMicros(request.earliest_us(), Path(root, "earliest_us"), violations);
  input.now.latest = ReadMicros(request.latest_us(), Path(root, "latest_us"), violations);
  input.now.not_before = ReadMicros(request.not_before_us(), Path(root, "not_before_us"), violations);
  // A doubtful time gives no yes, and where it was behind nothing is purged by time, which `earliest` says.
  input.now.doubtful = false;
  input.now.behind = !input.now.earliest.IsSet();
  return input;
}

}  // namespace

absl::StatusOr<RecordInput> ReadVerifyDecisions(const v1::VerifyDecisionsRequest& request) {
  Violations violations;
  const Path root;
  RecordInput input = ReadRecord(request, root, &violations);
  if (CheckCount(request.yeses_size(), 1, static_cast<int>(kMaxBatch), Path(root, "yeses"), &violations)) {
    for (int i = 0; i < request.yeses_size(); ++i) {
      input.yeses.push_back(ReadYes(request.yeses(i), Path(root, "yeses", i), &violations));
    }
  }
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::StatusOr<ExplainDecisionInput> ReadExplainDecision(const v1::ExplainDecisionRequest& request,
                                                         const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  ExplainDecisionInput input;
  input.record = ReadRecord(request, root, &violations);
  const Path yes(root, "yes");
  if (request.has_yes()) {
    input.record.yeses.push_back(ReadYes(request.yes(), yes, &violations));
  } else {
    violations.Add(yes, "must be set");
  }
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  CheckText(request.language(), 0, kMaxLanguageBytes, Path(root, "language"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  input.subject = hasher.Subject(request.account_id());
  input.language = request.language();
  return input;
}

absl::StatusOr<HandlesInput> ReadGetDecisionHandles(const v1::GetDecisionHandlesRequest& request,
                                                    const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  HandlesInput input;
  RefuseMistyped(request, root, &violations);
  CheckText(request.account_id(), 0, base::kMaxIdBytes, Path(root, "account_id"), &violations);
  if (!request.account_id().empty()) input.subject = hasher.Subject(request.account_id());
  input.recordings = ReadHandles(request.recording_ids(), static_cast<int>(kMaxBatch), root, "recording_ids",
                                 &violations, hasher, &base::IdHasher::Recording);
  input.profiles = ReadHandles(request.profile_ids(), base::kMaxNamedProfiles, root, "profile_ids", &violations, hasher,
                               &base::IdHasher::Profile);
  input.devices = ReadHandles(request.device_ids(), base::kMaxNamedProfiles, root, "device_ids", &violations, hasher,
                              &base::IdHasher::Device);
  if (CheckCount(request.months_size(), 1, kMostMonths, Path(root, "months"), &violations)) {
    for (int i = 0; i < request.months_size(); ++i) {
      ReadMonth(request.months(i), Path(root, "months", i), &violations, &input.months.emplace_back());
    }
  }
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::StatusOr<VerificationInput> ReadReportVerification(const v1::ReportVerificationRequest& request) {
  Violations violations;
  const Path root;
  VerificationInput input;
  RefuseMistyped(request, root, &violations);
  ReadBytes(request.store_id(), Path(root, "store_id"), &violations, &input.store_id);
  const auto read = [&](int64_t count, const char* name, uint64_t* out) {
    CheckRange(count, 0, kMaxVerifiedCount, Path(root, name), &violations);
    *out = static_cast<uint64_t>(count);
  };
  read(request.records(), "records", &input.records);
  read(request.confirmed(), "confirmed", &input.confirmed);
  read(request.late(), "late", &input.late);
  read(request.not_checkable(), "not_checkable", &input.not_checkable);
  read(request.not_given(), "not_given", &input.not_given);
  read(request.log_problems(), "log_problems", &input.log_problems);
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

}  // namespace consent::wire
