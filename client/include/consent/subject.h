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
};

struct SubjectUpdated {
  // Also the next etag.
  Etag revision;
  bool registered = false;
  std::vector<PartResult> results;
};

struct Subject {
  std::string region;
  std::vector<Profile> profiles;
  std::vector<DeviceId> devices;
  // False where only restrictions named it so far.
  bool registered = false;
  Etag etag;
};

}  // namespace consent
