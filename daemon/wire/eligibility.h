// EligibilityService: recordings to facts, decisions back. This is the hot path: for a valid recording nothing is
// allocated (more than two named profiles apart, and the id where its string is new) and no reflection is used.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "consent/v1/eligibility_service.pb.h"
#include "daemon/base/ids.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/types.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/violations.h"

namespace consent::wire {

// What one call asks of each of its recordings.
struct CheckQuery {
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Place place;
  bool full = false;  // view FULL
  domain::Selection selection = domain::Selection::kOther;
};

// Everything of a CheckRequest but the recording itself, which must be there. INVALID_FIELD or MALFORMED_MESSAGE.
// Thread-safe, as all functions here.
absl::Status ReadCheck(const v1::CheckRequest& request, CheckQuery* query);
// The same for a batch; also its size: INVALID_FIELD where empty, BATCH_TOO_LARGE with metadata `limit` above
// kMaxBatch.
absl::Status ReadBatchCheck(const v1::BatchCheckRequest& request, CheckQuery* query);
// The same where the recordings, so many, were left out of the message; see SplitBatch.
absl::Status ReadBatchCheck(const v1::BatchCheckRequest& request, size_t recordings, CheckQuery* query);

void ReadPlace(const v1::Place& place, const Path& at, Violations* violations, domain::Place* out);

// One recording; plain_recording.h reads most of a batch's instead, to the same result. Replaces `*id` (as the caller
// wrote it: hardly any check needs its hash) and `*facts`, reusing their memory. Adds what is wrong to `faults` (empty
// before) and returns whether nothing was.
bool ReadRecording(const v1::Recording& recording, const base::IdHasher& hasher, const Path& at, Violations* violations,
                   base::SubjectHandle* subject, std::string* id, domain::RecordingFacts* facts);

// View BASIC: the two answers, the first reason and good_until. Full: every reason and the missing facts; the caller
// adds the revision's token.
void WriteDecision(const domain::Decision& decision, bool full, v1::Decision* out);
// An item of a batch that has no answer. `error` is not OK.
void WriteItemError(const absl::Status& error, v1::ItemError* out);

}  // namespace consent::wire
