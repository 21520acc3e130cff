// What a write is answered: of the record that it made, or of the row of the first one with its request_id. Private to
// this folder; thread-safe.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/service/commit/change.h"
#include "daemon/store/store.h"

namespace consent::service {

// Each part was refused: the policy or the clock changed between the trial and the commit, and the request is on
// record.
bool NothingApplied(const std::vector<domain::PartOutcome>& parts);
// The error of the first part, by its place in the request; there is one.
absl::Status FirstRefusal(const std::vector<domain::PartOutcome>& parts, const ChangeRequest& request);

// Its account is closed, and no new one was started under its id.
bool IsClosedFor(const domain::SubjectFacts& facts);

// What the record says after the command, and what of the command it left aside.
void TellOfFacts(const domain::SubjectFacts& after, const domain::Command& command, bool is_first, ChangeReply& reply);
// Keeps in `reply` what the request made of the subject, where it may say what a consent does not reach.
void KeepFacts(domain::SubjectFacts after, const ChangeRequest& request, ChangeReply& reply);

// Where an answered request's change row says so, the same answer again.
absl::StatusOr<ChangeReply> ReplyFromRow(store::Partition partition, const store::FeedRow& feed,
                                         const ChangeRequest& request);

}  // namespace consent::service
