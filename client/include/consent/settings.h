// A user's choices, what is in force, and how it came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "consent/policy.h"
#include "consent/types.h"

namespace consent {

// A control's name, one purpose, or everything. Nothing set is refused by the daemon.
struct SettingTarget {
  std::string control;
  Purpose purpose = Purpose::kUnset;
  // Every purpose, those added later included. Only for turning off.
  bool all = false;
  auto operator<=>(const SettingTarget&) const = default;
};

struct SettingChange {
  Scope scope;
  SettingTarget target;
  Switch turn = Switch::kUnset;
  // Of a yes: when the no that it answers was said, to the microsecond (PurposeSetting::since). Stands in the place of
  // the etag: refused (ETAG_MISMATCH) unless that is the last no to the target at the scope.
  std::optional<Time> answers = std::nullopt;
};

struct RetentionChange {
  Scope scope;
  Retention retention;
};

// A text that people are shown, as it is shown.
struct ShownText {
  // Whose: one of the two is set.
  std::string notice_version;
  std::string control;
  // BCP 47 tag.
  std::string language;
  // Both empty where the policy that had the text is no longer stored.
  std::string title;
  std::string sentence;
  // SHA-256 over title, LF, sentence, LF; 32 bytes.
  std::string sha256;
  auto operator<=>(const ShownText&) const = default;
};

// One purpose at one scope.
struct PurposeSetting {
  Scope scope;
  Purpose purpose = Purpose::kUnset;
  Choice choice = Choice::kUnset;
  EffectiveAnswer effective = EffectiveAnswer::kUnset;
  Reason reason = Reason::kUnset;
  std::optional<Time> since;
  std::string notice_version;
  bool imported = false;
  // Of a consent: when it was last given again, and when it expires; nothing: never.
  std::optional<Time> renewed;
  std::optional<Time> holds_until;
  // Of a no: from when on the app may ask for it again; nothing: nothing stands against asking.
  std::optional<Time> may_ask_again_at;
  // Of a consent of the past: the hashes of the texts that were shown (PastSettings::shown_texts).
  std::vector<std::string> shown_sha256;
};

// A scope whose recordings may not be used for a purpose that somebody consented to, or to another one of its control.
struct Unreached {
  // Neither profile nor device: the account's own.
  Scope scope;
  Purpose purpose = Purpose::kUnset;
  // kProfileWithoutConsent: the account said yes, and this profile has not said so for itself.
  Reason reason = Reason::kUnset;
  // NOTICE_DOES_NOT_COVER: the notice that was agreed to and does not list the purpose. Empty: it is not for that.
  std::string uncovering_notice;
  // With uncovering_notice: under which it can be agreed to now.
  std::vector<std::string> notice_versions;
};

struct ControlSetting {
  std::string control;
  EffectiveAnswer effective = EffectiveAnswer::kUnset;
  Reason reason = Reason::kUnset;
  bool people_listen = false;
  std::vector<Purpose> purposes;
  ShownText text = {};
  // Notices under which it can be turned on now; their texts are in Settings::notices.
  std::vector<std::string> notice_versions = {};
  std::optional<Time> may_ask_again_at = {};
  // Of kPartial: what is off, and why.
  std::vector<Unreached> unreached = {};
  // Of an account that is not registered: what will be in force once it is, before it chooses. Until then nothing is.
  EffectiveAnswer once_registered = EffectiveAnswer::kUnset;
};

// A notice that can be agreed to now, or that a consent of the subject names.
struct NoticeSetting {
  ShownText text;
  std::vector<Purpose> purposes;
  bool says_people_listen = false;
  bool covers_past = false;
  // Valid now and not superseded.
  bool offered = false;
};

struct PurposeSummary {
  Purpose purpose = Purpose::kUnset;
  EffectiveAnswer effective = EffectiveAnswer::kUnset;
  Reason reason = Reason::kUnset;
  bool people_listen = false;
  std::optional<Time> may_ask_again_at = {};
  std::vector<Unreached> unreached = {};
  EffectiveAnswer once_registered = EffectiveAnswer::kUnset;
};

// For showing to people. Never a basis for using a recording: ask Client::Check for that.
struct Settings {
  std::vector<ControlSetting> controls;
  std::vector<PurposeSummary> purposes;
  std::vector<PurposeSetting> details;
  std::vector<RetentionChange> retention;
  std::vector<Scope> refused_all;
  std::vector<NoticeSetting> notices;
  // The registered profiles of adults. Exactly one: its holder may turn something on for the account and for their own
  // voice at once (SettingsUpdate::self_profile).
  std::vector<ProfileId> adult_profiles = {};
};

struct CurrentSettings {
  Settings settings;
  Etag etag;
  std::string policy_version;
  // 32 bytes.
  std::string policy_hash;
  // False: nobody registered the account, and nothing of it may be used. A mistyped id reads so.
  bool registered = false;
};

struct SettingsUpdate {
  AccountId account_id;
  std::vector<SettingChange> changes;
  std::vector<RetentionChange> retention;
  // Needed for loosenings. The library never fetches one: what the user saw is what the etag must name.
  Etag etag;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
  // The profile of the adult who consents: what is turned on for the account is turned on for it too, both or neither.
  // Empty: none.
  ProfileId self_profile;
  // Answers what the call would, with every part that would be refused among the results, and writes nothing.
  bool validate_only = false;
  // What the account says after a restore (Reason::kRestored) was read and stands; one more of the results.
  bool confirm_restored = false;
};

struct SettingsUpdated {
  // Also the next etag.
  Etag revision;
  // Restrictions may be in force although loosenings were refused: look at each.
  std::vector<PartResult> results;
  // What was refused is kept, and binds an account that is started anew under this id until its holder chooses.
  bool account_closed = false;
  // The first end of the consents that were given or renewed; nothing: none was, or none ends.
  std::optional<Time> consent_holds_until;
  // What of the request cannot be used and was left out, beside what `results` say: which field and why. Empty:
  // nothing.
  std::string unusable;
  // Nothing was known of the account before this call: a mistyped id reads so.
  bool subject_is_new = false;
  // What the consents of this call do not reach, of all that they asked for. Empty: all is reached.
  std::vector<Unreached> unreached = {};
};

struct OptOutOrder {
  AccountId account_id;
  Scope scope;
  std::vector<SettingTarget> targets;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct OptedOut {
  Etag revision;
  // One for each target: one that could not be used left the others in force.
  std::vector<PartResult> results;
  // What this call turned off; empty where all was off already.
  std::vector<Purpose> changed_purposes;
  bool refuses_future_purposes = false;
  // What was refused is kept, and binds an account that is started anew under this id until its holder chooses.
  bool account_closed = false;
  // What of the request cannot be used and was left out, beside what `results` say: which field and why. Empty:
  // nothing.
  std::string unusable;
  // Nothing was known of the account before this call: a mistyped id reads so.
  bool subject_is_new = false;
};

struct PurposeChange {
  Purpose purpose = Purpose::kUnset;
  Choice from = Choice::kUnset;
  Choice to = Choice::kUnset;
  // Of a consent that was given or renewed; nothing: it has no end.
  std::optional<Time> holds_until;
};

struct HistoryChange {
  Scope scope;
  // monostate: a kind of change that this library does not know. The text: what else changed, in words.
  std::variant<std::monostate, PurposeChange, Retention, std::string> what;
};

struct HistoryEntry {
  Etag revision;
  std::optional<Time> time;
  ChangeKind kind = ChangeKind::kUnset;
  std::vector<HistoryChange> changes;
  Evidence evidence;
  // There is evidence, and this caller may not see it: another one made the change.
  bool evidence_withheld = false;
  bool imported = false;
  std::string policy_version;
  // Of a consent: the hashes of the texts that were shown (HistoryPage::texts).
  std::vector<std::string> shown_sha256;
  // Of a loosening that took two persons: who approved it, and who proposed it. To an auditor or officer alone.
  std::string approved_by;
  std::string proposed_by;
  // Of kReportRecording, kSafetyFlagAcknowledged and kSafetyFlagHandled; of the latter two what was said. Empty where
  // the evidence is withheld.
  RecordingId recording_id;
  std::string note;
};

struct HistoryPage {
  std::vector<HistoryEntry> entries;
  // The very texts that were shown to whoever consented in one of them, each once.
  std::vector<ShownText> texts;
  // Empty: the last page.
  std::string next_page_token;
};

// Which entries of all histories are listed.
struct ChoicesQuery {
  // Empty: of all subjects.
  AccountId account_id;
  // From then on, and before then, by the server's order.
  Time from;
  Time before;
  // Only entries after which a purpose that they name is one of these; at most 3. Empty: every entry. With kRefused
  // also those that only said a no again, or refuse purposes that are added later.
  std::vector<Choice> to;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
};

struct ChoiceEntry {
  // Empty where the account is closed and forgotten.
  AccountId account_id;
  HistoryEntry entry;
};

// By time within each of the store's partitions, which come one after another.
struct ChoicesPage {
  std::vector<ChoiceEntry> choices;
  // Empty: the last page. A page may be empty and not the last.
  std::string next_page_token;
  // Entries among these that are erased: of accounts that were forgotten since.
  int64_t erased = 0;
  // The store no longer has the oldest entries of that time.
  bool truncated = false;
};

struct PastSettings {
  Settings settings;
  Etag revision;
  Policy policy;
  std::string policy_hash;
  // The very texts that were shown when the consents in `settings` were last given, each once; at most 256.
  std::vector<ShownText> shown_texts;
};

}  // namespace consent
