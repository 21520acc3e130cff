// DeletionService: requests to the domain's words, answers back.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/deletion_service.pb.h"
#include "daemon/base/bounds.h"
#include "daemon/base/ids.h"
#include "daemon/base/random_id.h"
#include "daemon/domain/deletion.h"
#include "daemon/wire/change_input.h"

namespace consent::wire {

using base::kMaxReasonBytes;

struct DeletionInput {
  ChangeInput change;         // without a command
  domain::Selector selector;  // without its times
  domain::NamedTimes times;
  domain::Actor requester = domain::Actor::kMissing;
  domain::DeletionState state = domain::DeletionState::kReceived;  // in which it begins
  std::string account_id;
  std::string selector_bytes;  // as it was sent, serialised
};

struct DeletionStepInput {
  ChangeInput change;                           // the subject is not known; the proof
  std::optional<base::DeletionId> deletion_id;  // nothing: the text is no id
  std::string etag;                             // of CancelDeletionRequest, still a token; empty: none
  domain::StepCommand command;                  // without the etag
  std::string language;                         // of DenyDeletionRequest: for how to appeal
};

struct DeletionsQuery {
  bool has_subject = false;
  base::SubjectHandle subject;
  std::vector<domain::DeletionState> states;
  std::vector<domain::DeletionCause> causes;
  base::Instant due_before;
  base::Instant received_from;
  base::Instant received_before;
  bool has_open_appeal = false;
  std::string language;
  int page_size = 0;
  std::string page_token;
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
// Times after `now` are refused; a day is resolved by the machine's time zone database (base::TimeZone).
absl::StatusOr<DeletionInput> ReadCreateDeletion(const v1::CreateDeletionRequestRequest& request,
                                                 const base::IdHasher& hasher, base::Instant now);
// Of each step: Request is VerifyDeletionRequestRequest, DenyDeletionRequestRequest and so on.
template <typename Request>
absl::StatusOr<DeletionStepInput> ReadDeletionStep(const Request& request, const base::IdHasher& hasher);
// Nothing: the text is no id.
absl::StatusOr<std::optional<base::DeletionId>> ReadGetDeletion(const v1::GetDeletionRequestRequest& request);
absl::StatusOr<DeletionsQuery> ReadListDeletions(const v1::ListDeletionRequestsRequest& request,
                                                 const base::IdHasher& hasher);

// 1 to 1,000 of them, sorted.
std::vector<base::RecordingHandle> ReadRecordingIds(const v1::RecordingIds& recordings, const base::IdHasher& hasher,
                                                    const Path& at, Violations* violations);

// A data system's name by its number.
using SystemName = std::pair<domain::SystemNumber, std::string>;
// All but `account_id`, `selector` and `how_to_appeal` (appeal.h), which are the caller's to add. `on_hold`: what
// keeps some of what it selects.
void WriteDeletion(const domain::DeletionRequest& request, domain::OnHold on_hold, const std::string& etag,
                   const std::vector<SystemName>& systems, base::Instant now, v1::DeletionRequest* out);
// Of a completed one, after WriteDeletion: until when a backup may hold what the records had of it, and a sentence of
// the summary that says so. `keep_days`: how long backups are kept by the policy in force.
void WriteBackupsUntil(const domain::DeletionRequest& request, int keep_days, v1::DeletionRequest* out);
// Absent where single recordings or a draft are named, and of a closure, which has no times.
bool HasCovers(const domain::Selector& selector);
// What is surely ordered; without `to` while the time of its receipt is in doubt.
void WriteCovers(const domain::Selector& selector, v1::TimeRange* out);

}  // namespace consent::wire
