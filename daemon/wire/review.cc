#include "daemon/wire/review.h"

#include <algorithm>
#include <set>

#include "daemon/domain/media_token.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/flags.h"

namespace consent::wire {
namespace {

constexpr int kDigestBytes = 32;

constexpr int kMaxPopulationCounts = 300;
constexpr int64_t kMaxUtterances = 1'000'000'000'000;
constexpr base::Span kOldestHour = base::Days(35);

// Since 1970. 0 with a violation.
uint32_t ReadHour(const std::string& text, base::Instant now, const Path& at, Violations* violations) {
  constexpr size_t kHourBytes = 13;  // 2026-11-30T07
  constexpr size_t kDateBytes = 10;
  base::Instant hour;
  if (text.size() != kHourBytes || text[kDateBytes] != 'T' || !base::ParseRfc3339(text + ":00:00Z", &hour) ||
      !hour.IsSet()) {
    violations->Add(at, "must be an hour of UTC such as 2026-11-30T07");
    return 0;
  }
  if (hour > now) violations->Add(at, "must have begun");
  if (hour < now - kOldestHour) violations->Add(at, "must have begun within the last 35 days");
  return static_cast<uint32_t>(hour.micros / base::Hours(1).micros);
}

template <typename Request>
GrantInput ReadGrant(const Request& request, const Path& root, Violations* violations) {
  RefuseMistyped(request, root, violations);
  CheckId(request.grant_id(), Path(root, "grant_id"), violations);
  return {base::ParseId<base::GrantId>(request.grant_id()), request.fence()};
}

LeaseItemInput ReadItem(const v1::Recording& recording, const base::IdHasher& hasher, const Path& at) {
  LeaseItemInput item;
  Violations violations;
  const bool is_right =
      ReadRecording(recording, hasher, at, &violations, &item.subject, &item.recording_id, &item.facts);
  item.account_id = recording.account_id();
  if (!is_right) item.error = violations.ToStatus();
  return item;
}

}  // namespace

absl::StatusOr<LeaseReviewsInput> ReadLeaseReviews(const v1::LeaseReviewsRequest& request,
                                                   const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  LeaseReviewsInput input;
  RefuseMistypedHere(request, root, &violations);
  CheckChosen(request.purpose(), v1::Purpose_IsValid, Path(root, "purpose"), &violations);
  input.purpose = static_cast<domain::Purpose>(request.purpose());
  if (request.has_place()) ReadPlace(request.place(), Path(root, "place"), &violations, &input.place);
  CheckText(request.reviewer(), 1, kMaxNameBytes, Path(root, "reviewer"), &violations);
  input.reviewer = request.reviewer();
  CheckEnum(request.selection(), v1::Selection_IsValid, Path(root, "selection"), &violations);
  if (request.selection() != v1::SELECTION_UNSPECIFIED) {
    input.selection = static_cast<domain::Selection>(request.selection());
  }
  if (!CheckCount(request.recordings_size(), 1, kMaxLeases, Path(root, "recordings"), &violations)) {
    return violations.ToStatus();
  }
  if (!violations.empty()) return violations.ToStatus();
  for (int i = 0; i < request.recordings_size(); ++i) {
    input.items.push_back(ReadItem(request.recordings(i), hasher, Path(root, "recordings", i)));
  }
  return input;
}

absl::StatusOr<OpenMediaInput> ReadOpenMedia(const v1::OpenMediaRequest& request) {
  Violations violations;
  const Path root;
  OpenMediaInput input;
  input.grant = ReadGrant(request, root, &violations);
  CheckSystemName(request.audience(), Path(root, "audience"), &violations);
  input.audience = request.audience();
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::Status CheckRedeemMedia(const v1::RedeemMediaRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckSystemName(request.system(), Path(root, "system"), &violations);
  CheckText(request.media_token(), 1, domain::kMaxMediaTokenBytes, Path(root, "media_token"), &violations);
  return violations.ToStatus();
}

absl::StatusOr<SubmitReviewInput> ReadSubmitReview(const v1::SubmitReviewRequest& request) {
  Violations violations;
  const Path root;
  SubmitReviewInput input;
  input.grant = ReadGrant(request, root, &violations);
  CheckText(request.digest(), kDigestBytes, kDigestBytes, Path(root, "digest"), &violations);
  input.flags = ReadFlags(request.flags(), 0, kFlags, root, &violations);
  if (!violations.empty()) return violations.ToStatus();
  std::copy(request.digest().begin(), request.digest().end(), input.digest.begin());
  return input;
}

absl::StatusOr<EndReviewInput> ReadEndReview(const v1::EndReviewRequest& request) {
  Violations violations;
  const Path root;
  EndReviewInput input;
  input.grant = ReadGrant(request, root, &violations);
  CheckChosen(request.outcome(), v1::ReviewOutcome_IsValid, Path(root, "outcome"), &violations);
  if (request.outcome() == v1::REVIEW_OUTCOME_SUBMITTED) {
    violations.Add(Path(root, "outcome"), "may not be SUBMITTED, which SubmitReview says");
  }
  input.outcome = static_cast<domain::ReviewOutcome>(request.outcome());
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::StatusOr<GrantInput> ReadRenewReview(const v1::RenewReviewRequest& request) {
  Violations violations;
  GrantInput input = ReadGrant(request, Path(), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::StatusOr<RevokeReviewsInput> ReadRevokeReviews(const v1::RevokeReviewsRequest& request) {
  Violations violations;
  const Path root;
  RevokeReviewsInput input;
  RefuseMistyped(request, root, &violations);
  switch (request.of_case()) {
    case v1::RevokeReviewsRequest::kReviewer:
      CheckText(request.reviewer(), 1, kMaxNameBytes, Path(root, "reviewer"), &violations);
      input.kind = domain::RevocationKind::kReviewer;
      input.name = request.reviewer();
      break;
    case v1::RevokeReviewsRequest::kSite:
      CheckText(request.site(), 1, kMaxNameBytes, Path(root, "site"), &violations);
      input.kind = domain::RevocationKind::kSite;
      input.name = request.site();
      break;
    case v1::RevokeReviewsRequest::kPurpose:
      CheckChosen(request.purpose(), v1::Purpose_IsValid, Path(root, "purpose"), &violations);
      input.kind = domain::RevocationKind::kPurpose;
      input.purpose = static_cast<domain::Purpose>(request.purpose());
      break;
    case v1::RevokeReviewsRequest::kAll:
      if (!request.all()) violations.Add(Path(root, "all"), "must be true");
      break;
    case v1::RevokeReviewsRequest::OF_NOT_SET:
      violations.Add(Path(root, "of"), "one of reviewer, site, purpose and all must be set");
      break;
  }
  CheckText(request.reason(), 1, base::kMaxReasonBytes, Path(root, "reason"), &violations);
  input.reason = request.reason();
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::StatusOr<GrantsQuery> ReadListGrants(const v1::ListGrantsRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckEnum(request.state(), v1::GrantState_IsValid, Path(root, "state"), &violations);
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  CheckCount(request.grant_ids_size(), 0, kMaxNamedGrants, Path(root, "grant_ids"), &violations);
  GrantsQuery query;
  query.state = static_cast<domain::GrantState>(request.state());
  query.page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  query.page_token = request.page_token();
  query.names_grants = !request.grant_ids().empty();
  for (int i = 0; violations.empty() && i < request.grant_ids_size(); ++i) {
    CheckText(request.grant_ids(i), 1, kMaxTokenBytes, Path(root, "grant_ids", i), &violations);
    if (const auto id = base::ParseId<base::GrantId>(request.grant_ids(i)); id.has_value()) query.ids.push_back(*id);
  }
  if (query.names_grants && (request.state() != 0 || request.page_size() != 0 || !request.page_token().empty())) {
    violations.Add(Path(root, "grant_ids"), "may not stand beside state, page_size and page_token");
  }
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

absl::StatusOr<base::SubjectHandle> ReadListHeard(const v1::ListHeardRequest& request, const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return hasher.Subject(request.account_id());
}

absl::StatusOr<PopulationInput> ReadReportPopulation(const v1::ReportPopulationRequest& request, base::Instant now) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  PopulationInput input;
  input.hour = ReadHour(request.hour(), now, Path(root, "hour"), &violations);
  if (!CheckCount(request.counts_size(), 1, kMaxPopulationCounts, Path(root, "counts"), &violations)) {
    return violations.ToStatus();
  }
  std::set<domain::Region> seen;
  for (int i = 0; i < request.counts_size(); ++i) {
    const v1::PopulationCount& count = request.counts(i);
    const Path at(root, "counts", i);
    const domain::Region country = ReadCountry(count.country(), Path(at, "country"), &violations);
    CheckAssigned(country, Path(at, "country"), &violations);
    if (country.IsSet() && !seen.insert(country).second) {
      violations.Add(Path(at, "country"), "must stand once: say all of a country in one number");
    }
    CheckRange(count.utterances(), 0, kMaxUtterances, Path(at, "utterances"), &violations);
    input.counts.emplace_back(country, static_cast<uint64_t>(count.utterances()));
  }
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::StatusOr<base::Month> ReadListReviewRates(const v1::ListReviewRatesRequest& request, base::Instant now) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  const std::optional<base::Month> month =
      request.month().empty() ? base::Month::Of(now) : base::Month::Parse(request.month());
  if (!month.has_value()) violations.Add(Path(root, "month"), "must be empty or a month such as 2026-11");
  if (!violations.empty()) return violations.ToStatus();
  return *month;
}

absl::Status CheckGetMediaKey(const v1::GetMediaKeyRequest& request) {
  Violations violations;
  RefuseMistyped(request, Path(), &violations);
  return violations.ToStatus();
}

}  // namespace consent::wire
