// The facts of one recording, and where it would be used.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "consent/types.h"

namespace consent {

// Only the two ids must be there; another missing fact that the rule needs makes the recording not eligible.
struct Recording {
  RecordingId recording_id;
  AccountId account_id;
  // By the device's clock.
  std::optional<Time> captured_at;
  // 0 to 24 hours. Absent: the policy's.
  std::optional<std::chrono::milliseconds> captured_uncertainty;
  // By a server's clock. Absent: the time of asking.
  std::optional<Time> ingested_at;
  // At most 8, no duplicates.
  std::vector<ProfileId> profile_ids;
  DeviceId device_id;
  // "DE" or "US-CA". Empty: the subject's region alone.
  std::string region;
  Wake wake = Wake::kUnset;
  Kind kind = Kind::kUnset;
  Speakers speakers = Speakers::kUnset;
  Identity identity = Identity::kUnset;
  SpeakerAge age = SpeakerAge::kUnset;
  Artefact artefact = Artefact::kUnset;
  Purpose made_for = Purpose::kUnset;
  // At most 8. The strictest of these and the stored ones wins.
  std::vector<Flag> flags;
  bool operator==(const Recording&) const = default;
};

struct Place {
  // ISO 3166-1 alpha-2. Needed for Purpose::kHumanReview.
  std::string country;
  std::string site;
  // Needed for Purpose::kHumanReview.
  ReviewerClass reviewer = ReviewerClass::kUnset;
  auto operator<=>(const Place&) const = default;
};

// What is asked about recordings.
struct Question {
  // kUnset: dispositions only; no answer is then a yes.
  Purpose purpose = Purpose::kUnset;
  Place place;
  // Every reason and the subject's revision, not only the first reason.
  bool full = false;
  // The answer is at least as fresh as this revision. Empty: fully consistent.
  Etag at_least_revision;
  // Is on record beside a yes, and turns no answer.
  Selection selection = Selection::kUnset;
};

// What was found in a recording. Stored once reported and never taken back.
struct RecordingReport {
  AccountId account_id;
  RecordingId recording_id;
  std::vector<Flag> flags;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct RecordingReported {
  // All flags that are now stored.
  std::vector<Flag> flags;
  Etag revision;
  bool account_closed = false;
  // What of the report was left out because it cannot be used. Empty: nothing.
  std::string unusable;
  // Nothing was known of the account before this call: a mistyped id reads so.
  bool subject_is_new = false;
};

// A recording flagged SAFETY of which nobody has said yet that somebody looks after the person.
struct SafetyFlag {
  AccountId account_id;
  RecordingId recording_id;
  // When it was reported first.
  std::optional<Time> reported_at;
  // The name of the caller that reported it.
  std::string reported_by;
  // By when somebody has to have said that it is theirs, and to have looked after the person.
  std::optional<Time> acknowledge_by;
  std::optional<Time> handle_by;
  // When somebody said so, and the name of the caller. Absent: nobody has.
  std::optional<Time> acknowledged_at;
  std::string acknowledged_by;
  // One of the two is over, and it was not done.
  bool overdue = false;
  // Until when nothing of the recording is purged. Absent: it is not held.
  std::optional<Time> held_until;
};

struct SafetyFlagQuery {
  // Empty: of all subjects.
  AccountId account_id;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
  // Only those that are overdue.
  bool overdue = false;
};

// Those reported first, first.
struct SafetyFlagPage {
  std::vector<SafetyFlag> flags;
  // Empty: the last page. A page may be empty and not the last.
  std::string next_page_token;
};

// Somebody says that it is theirs. Only the handling is due from then on.
struct AcknowledgeFlagOrder {
  AccountId account_id;
  RecordingId recording_id;
  // Who looks after it, and how; at most 1,024 bytes, may be empty. Kept sealed, as long as the account.
  std::string note;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

// Somebody looks after the person. The flag goes on restricting.
struct HandleFlagOrder {
  AccountId account_id;
  RecordingId recording_id;
  // What was done; 1 to 1,024 bytes. Kept sealed, as long as the account.
  std::string note;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

}  // namespace consent
