// Who lives behind an account.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "consent/settings.h"
#include "consent/types.h"

namespace consent {

// kUnset: unknown, which counts as a child, or where a profile is changed: unchanged.
struct Age {
  enum class Kind : uint8_t { kUnset = 0, kAdult, kChild, kBorn };
  Kind kind = Kind::kUnset;
  // With kBorn: YYYY-MM-DD, YYYY-MM or YYYY.
  std::string born;
};

struct Profile {
  ProfileId profile_id;
  Age age;
  // Who may consent for a child. Absent: unchanged.
  std::optional<GuardianId> guardian;
  std::optional<Time> last_active_at;
};

// Registers a subject or changes it.
struct SubjectUpdate {
  AccountId account_id;
  // Absent: unchanged, at first unknown.
  std::optional<std::string> region;
  std::vector<Profile> profiles;
  std::vector<DeviceId> devices;
  std::vector<ProfileId> remove_profiles;
  std::vector<DeviceId> remove_devices;
  std::vector<SettingChange> initial_choices;
  std::vector<RetentionChange> retention;
  // Needed for loosenings once the subject is registered.
  Etag etag;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
  // The account was closed, and its id is somebody's new account: registers that, and nothing is inherited. Without
  // effect on an account that was never closed. FailedPrecondition (ACCOUNT_CLOSED) where it is missing, or the closure
  // is not completed.
  bool create_new = false;
  // As SettingsUpdate's.
  bool validate_only = false;
};

struct SubjectUpdated {
  // Also the next etag.
  Etag revision;
  bool registered = false;
  std::vector<PartResult> results;
  // What was refused is kept, and binds an account that is started anew under this id until its holder chooses.
  bool account_closed = false;
  // What of the request cannot be used and was left out, beside what `results` say: which field and why. Empty:
  // nothing.
  std::string unusable;
  // Nothing was known of the account before this call: a mistyped id reads so.
  bool subject_is_new = false;
};

struct Subject {
  std::string region;
  std::vector<Profile> profiles;
  std::vector<DeviceId> devices;
  // False where only restrictions named it so far.
  bool registered = false;
  // When the account was closed; of one that was started anew: the closed one before it. Absent: never.
  std::optional<Time> closed_at;
  // When it was started anew.
  std::optional<Time> reopened_at;
  Etag etag;
};

}  // namespace consent
