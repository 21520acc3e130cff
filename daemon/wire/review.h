// ReviewService: requests to the domain's words.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/review_service.pb.h"
#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/base/month.h"
#include "daemon/base/random_id.h"
#include "daemon/base/time.h"
#include "daemon/domain/review.h"
#include "daemon/domain/types.h"

namespace consent::wire {

inline constexpr int kMaxLeases = 10;
inline constexpr int kMaxNamedGrants = 100;

// One recording that is asked for; with an error nothing else counts.
struct LeaseItemInput {
  absl::Status error;
  base::SubjectHandle subject;
  std::string account_id;
  std::string recording_id;
  domain::RecordingFacts facts;
};
struct LeaseReviewsInput {
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Place place;
  std::string reviewer;
  domain::Selection selection = domain::Selection::kOther;
  std::vector<LeaseItemInput> items;
};

// Which grant a request is about. A text that is no id names none.
struct GrantInput {
  std::optional<base::GrantId> id;
  uint64_t fence = 0;
};
struct OpenMediaInput {
  GrantInput grant;
  std::string audience;
};
struct SubmitReviewInput {
  GrantInput grant;
  base::Digest digest{};
  uint8_t flags = 0;  // domain::Flags
};
struct EndReviewInput {
  GrantInput grant;
  domain::ReviewOutcome outcome = domain::ReviewOutcome::kNone;
};
struct RevokeReviewsInput {
  domain::RevocationKind kind = domain::RevocationKind::kAll;
  domain::Purpose purpose = domain::Purpose::kNone;
  std::string name;
  std::string reason;
};
struct PopulationInput {
  uint32_t hour = 0;                                        // since 1970
  std::vector<std::pair<domain::Region, uint64_t>> counts;  // by country, each once
};
struct GrantsQuery {
  domain::GrantState state = domain::GrantState::kNone;
  int page_size = 0;
  std::string page_token;
  std::vector<base::GrantId> ids = {};  // of those alone; a text that is no id is left out
  bool names_grants = false;
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations; what is wrong with one recording of ReadLeaseReviews is
// that item's error. Thread-safe.
absl::StatusOr<LeaseReviewsInput> ReadLeaseReviews(const v1::LeaseReviewsRequest& request,
                                                   const base::IdHasher& hasher);
absl::StatusOr<OpenMediaInput> ReadOpenMedia(const v1::OpenMediaRequest& request);
absl::Status CheckRedeemMedia(const v1::RedeemMediaRequest& request);
absl::StatusOr<SubmitReviewInput> ReadSubmitReview(const v1::SubmitReviewRequest& request);
absl::StatusOr<EndReviewInput> ReadEndReview(const v1::EndReviewRequest& request);
absl::StatusOr<GrantInput> ReadRenewReview(const v1::RenewReviewRequest& request);
absl::StatusOr<RevokeReviewsInput> ReadRevokeReviews(const v1::RevokeReviewsRequest& request);
absl::StatusOr<GrantsQuery> ReadListGrants(const v1::ListGrantsRequest& request);
absl::StatusOr<base::SubjectHandle> ReadListHeard(const v1::ListHeardRequest& request, const base::IdHasher& hasher);
absl::StatusOr<PopulationInput> ReadReportPopulation(const v1::ReportPopulationRequest& request, base::Instant now);
// The month of `now` where none is named.
absl::StatusOr<base::Month> ReadListReviewRates(const v1::ListReviewRatesRequest& request, base::Instant now);
absl::Status CheckGetMediaKey(const v1::GetMediaKeyRequest& request);

}  // namespace consent::wire
