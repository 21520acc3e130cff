// The values of the rows that belong to a subject. Layouts: store/FORMAT.md; frozen by golden files.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/base/random.h"
#include "daemon/domain/types.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/store/store.h"

namespace consent::service {

inline constexpr size_t kPayloadNonceBytes = 32;   // before every payload, so that its commitment tells nothing
inline constexpr size_t kMaxRowsPerPage = 10'000;  // that one page of a listing looks at

// handle (16) ‖ EncodeFacts. Partition note: the handle is in the value because the row's key cannot be turned back.
std::string EncodeSubjectRow(base::SubjectHandle subject, std::string_view facts);
bool SplitSubjectRow(std::string_view row, base::SubjectHandle* subject, std::string_view* facts);

// Of a record among those of its partition: how its key begins. Keys are uniform hashes, so hardly two begin alike.
uint64_t SubjectPosition(std::string_view key);
// From where on records of that position and beyond lie; 0: from the first.
std::string SubjectKeyFrom(uint64_t position);

// subject (16) ‖ recording (16) ‖ flags ‖ tombstone and hold bits ‖ [time of the first report of SAFETY].
std::string EncodeMarksRow(base::SubjectHandle subject, base::RecordingHandle recording,
                           const domain::RecordingState& marks);
bool DecodeMarksRow(std::string_view row, base::SubjectHandle* subject, base::RecordingHandle* recording,
                    domain::RecordingState* marks);

// time (8) ‖ sequence (8) ‖ body (16).
struct RequestRow {
  base::Instant time;
  store::Sequence sequence = 0;
  base::Bytes16
      body{};  // keyed hash of the request without request_id: a guess of who asked what cannot be tried against it
};
inline constexpr base::Span kRequestLifetime = base::Hours(72);
std::string EncodeRequestRow(const RequestRow& row);
bool DecodeRequestRow(std::string_view bytes, RequestRow* row);

// Seals nonce ‖ payload under the key; `commitment` is SHA-256(nonce ‖ payload), which is what the ledger will hold.
std::string SealPayload(const base::Digest& key, const Payload& payload, base::SubjectHandle subject,
                        base::Random& random, base::Digest* commitment);
absl::StatusOr<Payload> OpenPayload(const base::Digest& key, std::string_view sealed, base::SubjectHandle subject);

}  // namespace consent::service
