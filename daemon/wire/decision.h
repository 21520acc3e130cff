// DecisionService: what a record of the decision log says, read from a request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/decision_service.pb.h"
#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/base/month.h"
#include "daemon/base/time.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/types.h"

namespace consent::wire {

// One yes. Its handles are those of the record.
struct RecordedYes {
  base::Bytes16 subject{};
  base::Bytes16 recording{};
  domain::RecordingFacts facts;
  uint64_t head = 0;
  uint64_t revision = 0;
  domain::Reason reason = domain::Reason::kNone;
};

struct RecordInput {
  base::Bytes16 store_id{};
  base::MonthKeyName month;
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Place place;
  std::string policy_version;
  base::Digest policy_hash{};
  base::Now now;
  std::vector<RecordedYes> yeses;  // 1..kMaxBatch
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
absl::StatusOr<RecordInput> ReadVerifyDecisions(const v1::VerifyDecisionsRequest& request);

// A record with the one yes that is to be explained.
struct ExplainDecisionInput {
  base::SubjectHandle subject;  // as the caller names it
  RecordInput record;
  std::string language;
};

// As ReadVerifyDecisions.
absl::StatusOr<ExplainDecisionInput> ReadExplainDecision(const v1::ExplainDecisionRequest& request,
                                                         const base::IdHasher& hasher);

// Of which ids the handles are wanted, as the index has them, and in which months.
struct HandlesInput {
  base::SubjectHandle subject;  // unset: no person's
  std::vector<base::RecordingHandle> recordings;
  std::vector<base::ProfileHandle> profiles;
  std::vector<base::DeviceHandle> devices;
  std::vector<base::Month> months;  // 1..36
};

// As ReadVerifyDecisions.
absl::StatusOr<HandlesInput> ReadGetDecisionHandles(const v1::GetDecisionHandlesRequest& request,
                                                    const base::IdHasher& hasher);

// What a verification found; counts are 0..kMaxVerifiedCount.
struct VerificationInput {
  base::Bytes16 store_id{};
  uint64_t records = 0;
  uint64_t confirmed = 0;
  uint64_t late = 0;
  uint64_t not_checkable = 0;
  uint64_t not_given = 0;
  uint64_t log_problems = 0;
};
inline constexpr int64_t kMaxVerifiedCount = 1'000'000'000'000'000;

// As ReadVerifyDecisions.
absl::StatusOr<VerificationInput> ReadReportVerification(const v1::ReportVerificationRequest& request);

}  // namespace consent::wire
