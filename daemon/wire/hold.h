// HoldService: requests to the domain's words, answers back.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "consent/v1/hold_service.pb.h"
#include "daemon/base/ids.h"
#include "daemon/base/random_id.h"
#include "daemon/domain/deletion.h"
#include "daemon/wire/change_input.h"

namespace consent::wire {

struct PlaceHoldInput {
  ChangeInput change;  // without a command
  domain::HeldPart held;
  std::string authority;
  std::string reason;
  std::string selector_bytes;  // as it was sent, serialised
  base::Instant review_at;     // unset: not said
};

struct ReleaseHoldInput {
  ChangeInput change;                   // the subject is not known; the proof
  std::optional<base::HoldId> hold_id;  // nothing: the text is no id
  std::string etag;                     // still a token; empty: none
  std::string authority;
  std::string reason;
};

struct ReviewHoldInput {
  ChangeInput change;                   // the subject is not known; the proof
  std::optional<base::HoldId> hold_id;  // nothing: the text is no id
  base::Instant review_at;
  std::string reason;
};

struct HoldsQuery {
  bool has_subject = false;
  base::SubjectHandle subject;
  bool include_released = false;
  bool past_review = false;
  int page_size = 0;
  std::string page_token;
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
// `now` judges the time of a review.
absl::StatusOr<PlaceHoldInput> ReadPlaceHold(const v1::PlaceHoldRequest& request, const base::IdHasher& hasher,
                                             base::Instant now);
absl::StatusOr<ReviewHoldInput> ReadReviewHold(const v1::ReviewHoldRequest& request, const base::IdHasher& hasher,
                                               base::Instant now);
absl::StatusOr<ReleaseHoldInput> ReadReleaseHold(const v1::ReleaseHoldRequest& request, const base::IdHasher& hasher);
absl::StatusOr<HoldsQuery> ReadListHolds(const v1::ListHoldsRequest& request, const base::IdHasher& hasher);

}  // namespace consent::wire
