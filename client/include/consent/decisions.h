// The decision log: what a record says, and what the daemon finds of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consent/ids.h"
#include "consent/recording.h"
#include "consent/types.h"

namespace consent {

// What is found of one recorded yes; the protos say when each occurs.
enum class DecisionVerdict : uint8_t {
  kUnset = 0,
  kConfirmed = 1,
  kNotGiven = 2,
  kLate = 3,
  kPolicyNotInForce = 4,
  kUnknown = 5,
  kNotCheckable = 6,
  kKeyGone = 7,
};

// One yes as the log has it. Handles have 16 bytes.
struct RecordedYes {
  std::string subject;
  std::string recording;
  std::vector<std::string> profiles;
  // Empty: none named.
  std::string device;
  std::optional<Time> captured_at;
  std::optional<std::chrono::microseconds> uncertainty;
  std::optional<Time> ingested_at;
  std::string region;
  Wake wake = Wake::kUnset;
  Kind kind = Kind::kUnset;
  Speakers speakers = Speakers::kUnset;
  Identity identity = Identity::kUnset;
  SpeakerAge age = SpeakerAge::kUnset;
  Artefact artefact = Artefact::kUnset;
  Purpose made_for = Purpose::kUnset;
  // The log's bits: 1 critical data, 2 safety, 4 accidental, 8 child present.
  int flags = 0;
  int64_t head = 0;
  int64_t revision = 0;
  Reason reason = Reason::kUnset;
};

// One record: what a call was answered yes to.
struct DecisionRecord {
  // 16 bytes.
  std::string store_id;
  // And the number of its key: "2026-11.5e0c91d2".
  std::string month;
  Purpose purpose = Purpose::kUnset;
  Place place;
  std::string policy_version;
  // 32 bytes.
  std::string policy_hash;
  // The time that was decided by; `earliest` may be absent.
  std::optional<Time> wall;
  std::optional<Time> earliest;
  std::optional<Time> latest;
  std::optional<Time> not_before;
  // 1 to 1,000.
  std::vector<RecordedYes> yeses;
};

// How far the log had come by the store's count.
struct DecisionLogState {
  bool on = false;
  // 16 bytes.
  std::string store_id;
  uint64_t counted_records = 0;
  // Of the last counted record, 32 bytes.
  std::string counted_hash;
};

// What a verification of one store's records found; the daemon shows the last one in its metrics.
struct VerificationReport {
  // 16 bytes.
  std::string store_id;
  uint64_t records = 0;
  // Yeses by verdict; not_given: every other one.
  uint64_t confirmed = 0;
  uint64_t late = 0;
  uint64_t not_checkable = 0;
  uint64_t not_given = 0;
  // Gaps, and records that were changed or cannot be read.
  uint64_t log_problems = 0;
};

// Of which ids the log's handles are wanted.
struct HandleQuery {
  // Empty: no person's.
  AccountId account_id;
  // At most 1,000.
  std::vector<RecordingId> recording_ids;
  // At most 8 each.
  std::vector<ProfileId> profile_ids;
  std::vector<DeviceId> device_ids;
  // "2026-11". 1 to 36.
  std::vector<std::string> months;
};

// The handles under one key of a month, 16 bytes each, in the order of the query.
struct MonthHandles {
  // As records have it: "2026-11.5e0c91d2".
  std::string month;
  // Empty: no account was named.
  std::string subject;
  std::vector<std::string> recordings;
  std::vector<std::string> profiles;
  std::vector<std::string> devices;
  // The key was destroyed or lost: there are no handles, and nobody can tell whom its records are about.
  bool gone = false;
};

struct DecisionHandles {
  // 16 bytes: the store that has the keys.
  std::string store_id;
  // For each month of the query in turn one for each key that the store has, or had.
  std::vector<MonthHandles> months;
};

}  // namespace consent
