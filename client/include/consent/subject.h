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
  // As SettingsUpdated's.
  std::vector<Unreached> unreached = {};
};

// The notice about a child's inactivity went out to its guardian. It counts from now on, by the daemon's clock.
struct ChildNotice {
  AccountId account_id;
  ProfileId profile_id;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};
struct ChildNoticeRecorded {
  Etag revision;
  // A notice that still stands was recorded before: nothing was changed.
  bool already = false;
};

// Two accounts become one: `from` becomes an alias of `into`. It cannot be undone.
struct JoinOrder {
  AccountId from;
  AccountId into;
  // Of both as they were looked at; that of `into` stays empty with into_is_new.
  Etag from_etag;
  Etag into_etag;
  // Nothing was ever stored of `into`: it is another name of `from`.
  bool into_is_new = false;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};
struct SubjectsJoined {
  // Of the joined account.
  Etag revision;
  // It was so already: nothing was changed.
  bool already = false;
};

// What an inactive child's profile is due for: its guardian has to be told; was told, and the period runs; the period
// is over, so that what it said is PURGE. kUnset: this library does not know it.
enum class ChildDue : uint8_t { kUnset = 0, kNotice = 1, kAnswer = 2, kPurge = 3 };
struct ChildrenQuery {
  // Empty: all accounts.
  AccountId account_id;
  // At most 3; empty: all.
  std::vector<ChildDue> due;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
};
struct InactiveChild {
  AccountId account_id;
  ProfileId profile_id;
  // Empty: none is named.
  GuardianId guardian;
  ChildDue due = ChildDue::kUnset;
  std::optional<Time> last_active_at;
  std::optional<Time> inactive_at;
  // When the notice was recorded, and when its period ends. Absent: none stands.
  std::optional<Time> notice_at;
  std::optional<Time> purge_at;
};
struct ChildrenPage {
  std::vector<InactiveChild> children;
  // Empty: the last page. A page may be empty and not the last.
  std::string next_page_token;
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
