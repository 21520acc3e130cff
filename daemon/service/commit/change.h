// A write request and its answer, as values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/ids.h"
#include "daemon/base/names.h"
#include "daemon/domain/transitions.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/state/tokens.h"

namespace consent::service {

class ChangeHook;

// Whether somebody still waits for the answer: the client is there, and its deadline has not passed. Asked from any
// thread, until the answer is given.
using Awaited = std::function<bool()>;

// Who called: the name of the callers' file, or of the listener.
struct Caller {
  std::string identity = base::kLocalCaller;
};

// Of an etag that this store did not make, or made for something else: no commit has this sequence.
inline constexpr uint64_t kStaleEtag = UINT64_MAX;

// A validated write.
struct ChangeRequest {
  Caller caller;
  std::string request_id;    // empty: not idempotent
  base::Digest body_hash{};  // of the request without request_id
  base::SubjectHandle subject;
  std::string account_id;  // whose handle `subject` is; needed where settings change: data systems may have to be told
  ChangeKind kind = ChangeKind::kUpdateSettings;
  domain::Command command;
  std::optional<Revision> etag;  // as it was sent, where it is one; the command has it as far as it is the subject's
  // Of what is done to the account that the subject was joined into: makes the hook for it, once `subject` and
  // `account_id` are its. Empty: it is done to the subject itself, as deletions, holds and flags are.
  void (*retarget)(ChangeRequest& request) = nullptr;
  Payload payload;
  // Of kReportRecording, kSafetyFlagAcknowledged and kSafetyFlagHandled; flags of the first only.
  base::RecordingHandle recording;
  uint8_t flags = 0;
  // Of kUpsertSubject only: a closed account's id is somebody's new account.
  bool create_new = false;
  // Answers as the commit would, each part that would be refused included, and writes nothing.
  bool validate_only = false;
  std::shared_ptr<ChangeHook> hook;  // what the use case adds
  // Where part i of the command stands in the request, for what is wrong with it. Empty: its parts have no place.
  std::function<PartPath(size_t part)> path_of;
  // Of what restricts: while somebody waits for it, it is tried again however often others are faster. Empty: not so.
  Awaited is_awaited;
};

// The answer to a write, kept in its change row so that a repeated request_id gets the same one.
struct ChangeReply {
  Revision revision;  // of the commit; of the subject as it is, where nothing was written
  bool registered_now = false;
  bool account_closed = false;  // what was refused is kept for an account that is started anew under the id
  bool subject_is_new = false;  // nothing was known of the subject before
  std::string unusable;         // of the request, that was left out: which field and why
  bool refuses_future = false;  // the first choice's scope refuses purposes that are added later
  std::vector<domain::PartOutcome> parts;
  std::vector<domain::FactChange> changes;
  uint8_t flags = 0;  // all flags of the recording after kReportRecording
  // Of a change that turned something on: what the change made of the subject. nullptr: it did not.
  std::shared_ptr<const domain::SubjectFacts> after;
};

}  // namespace consent::service
