// What a write request is, what it answers, and the history row that is both: one change row is history, feed event and answer in one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/ids.h"
#include "daemon/domain/transitions.h"
#include "daemon/store/store.h"

namespace consent::service {

class ChangePart;

// Numbers equal those of consent.v1.ChangeKind and are on disk; those from 64 on are no part of a subject's history.
enum class ChangeKind : uint8_t {
  kUpsertSubject = 1,
  kUpdateSettings = 2,
  kOptOut = 3,
  kReportRecording = 4,
  kDeletionReceived = 5,
  kDeletionVerified = 6,  // or its verification began
  kDeletionDenied = 7,
  kDeletionExtended = 8,
  kDeletionCancelled = 9,
  kHoldPlaced = 10,
  kHoldReleased = 11,
  kDeletionSettled = 12,  // received while the time was in doubt
  kPolicyActivated = 64,
  kSuspensionChanged = 65,
  kSystemChanged = 66,
  kTasksLeased = 67,
  kTaskEnded = 68,
  kTaskFailed = 69,
  kErased = 70,  // what a finished deletion left behind
};

// Who called. Until there are certificates every local caller is "local".
struct Caller {
  std::string identity = "local";
};

// What is sealed under the subject's own key: evidence as it was sent, and the raw ids of the scopes that the request named.
struct Payload {
  std::string evidence;  // serialised consent.v1.Evidence; may be empty
  std::vector<std::pair<domain::ScopeRef, std::string>> names;  // profiles and devices that the command names
  std::vector<std::pair<base::GuardianHandle, std::string>> guardians;
};

// A validated write.
struct ChangeRequest {
  Caller caller;
  std::string request_id;    // empty: not idempotent
  base::Digest body_hash{};  // of the request without request_id
  base::SubjectHandle subject;
  std::string account_id;  // whose handle `subject` is; needed where settings change: data systems may have to be told
  ChangeKind kind = ChangeKind::kUpdateSettings;
  domain::Command command;
  Payload payload;
  // Of kReportRecording only.
  base::RecordingHandle recording;
  uint8_t flags = 0;
  // Of kUpsertSubject only: a closed account's id is somebody's new account.
  bool create_new = false;
  std::shared_ptr<ChangePart> part;  // of deletion requests and holds; else empty
};

// The answer to a write, kept in its change row so that a repeated request_id gets the same one.
struct ChangeReply {
  std::string revision;  // token
  bool registered_now = false;
  bool account_closed = false;  // what was refused is kept for an account that is started anew under the id
  bool subject_is_new = false;  // nothing was known of the subject before
  bool refuses_future = false;  // the first choice's scope refuses purposes that are added later
  std::vector<domain::PartOutcome> parts;
  std::vector<domain::FactChange> changes;
  uint8_t flags = 0;  // all flags of the recording after kReportRecording
};

// The clear part of a change row (event body): decoded for history, replays and feeds.
struct ChangeRow {
  ChangeKind kind = ChangeKind::kUpdateSettings;
  uint64_t previous = 0;  // sequence of the subject's change before; 0: none
  std::string policy_version;
  domain::Channel channel = domain::Channel::kMissing;
  bool registered_now = false;
  uint8_t flags = 0;
  std::vector<domain::PartOutcome> parts;
  std::vector<domain::FactChange> changes;
  std::string facts;   // EncodeFacts after the change
  std::string sealed;  // nonce ‖ payload under the subject's key
};

std::string EncodeChangeRow(const ChangeRow& row);
// False on anything that EncodeChangeRow does not write. Total.
bool DecodeChangeRow(std::string_view bytes, ChangeRow* row);

std::string EncodePayload(const Payload& payload);
bool DecodePayload(std::string_view bytes, Payload* payload);

}  // namespace consent::service
