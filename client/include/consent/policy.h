// The rules in force, for showing and checking. The protos document every bound.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consent/approval.h"
#include "consent/types.h"

namespace consent {

struct Regime {
  std::string name;
  std::vector<std::string> regions;
  DefaultRule default_rule = DefaultRule::kUnset;
  int64_t false_wake_ttl_seconds = 0;
  std::vector<std::string> allowed_countries;
  std::vector<std::string> allowed_sites;
  std::vector<ReviewerClass> allowed_reviewers;
  bool allow_several_speakers = false;
  bool allow_unmatched_speakers = false;
  bool allow_unidentified_single_adult = false;
  int child_inactive_months = 0;
  int child_notice_days = 0;
};

struct Control {
  std::string name;
  std::vector<Purpose> purposes;
};

struct Notice {
  std::string version;
  std::vector<std::string> languages;
  std::vector<Purpose> purposes;
  bool says_people_listen = false;
  bool covers_past = false;
  std::optional<Time> valid_from;
  std::vector<std::string> supersedes;
  int consent_lifetime_months = 0;
};

struct RetentionChoices {
  bool until_deleted = false;
  std::vector<int> months;
  bool do_not_save = false;
};

struct ReviewRate {
  // `*`: every country that no other rate names.
  std::vector<std::string> countries;
  // Of the utterances of a month; 1,000,000: any number.
  int parts_per_million = 0;
};

// How many review grants are given at most.
struct ReviewCaps {
  Purpose purpose = Purpose::kUnset;
  std::vector<ReviewRate> rates;
  int per_day = 0;
  // Of one selection in a day; one that is not listed: per_day.
  std::vector<std::pair<Selection, int>> selections;
  int per_site_day = 0;
  int per_reviewer_shift = 0;
  int per_account = 0;
};

struct Policy {
  std::string version;
  std::vector<Regime> regimes;
  std::string unknown_region_regime;
  std::vector<Purpose> purposes;
  std::vector<Control> controls;
  std::vector<Notice> notices;
  std::map<std::string, int> ages_of_consent;
  int default_age_of_consent = 0;
  RetentionChoices retention_choices;
  int longest_answer_age_seconds = 0;
  int64_t default_capture_uncertainty_ms = 0;
  // Each yes for them is on record before it is said.
  std::vector<Purpose> recorded_purposes;
  // How long a backup of the daemon's store may be kept; 0: not said, which means 30.
  int backup_keep_days = 0;
  // For how many months after its end the lines of a month in the decision log can be turned back into who they are
  // about; 0: not said, which means 24.
  int decision_log_keep_months = 0;
  // Hours after the first report of SAFETY: so long nothing of the recording is purged (0: not held); by then somebody
  // has acknowledged it (0: 24), and handled it (0: 72).
  int safety_hold_hours = 0;
  int safety_acknowledge_hours = 0;
  int safety_handle_hours = 0;
  // At most one for each purpose; without one no review is granted.
  std::vector<ReviewCaps> review_caps;
};

struct Suspension {
  Purpose purpose = Purpose::kUnset;
  // Empty: everywhere.
  std::string region;
  bool active = false;
  std::optional<Time> suspended_at;
  std::optional<Time> resumed_at;
  std::string reason;
  // Needed to resume.
  Etag etag;
  // Whose call the last change was; empty: not known. Of a lifting that took two persons: who approved it.
  std::string changed_by;
  // And who proposed it.
  std::string proposed_by;
};

struct Resumed {
  // As it is now.
  Suspension suspension;
  // Set: nothing is lifted yet, another person has to approve.
  std::optional<Proposal> proposal;
};

// A policy file that the daemon was given and that is not in force.
struct WaitingPolicy {
  // Empty: the file could not be read as a policy.
  std::string version;
  std::string hash;
  std::string why;
};

struct StoredPolicy {
  Policy policy;
  // 32 bytes.
  std::string hash;
  std::optional<Time> activated_at;
  std::vector<Suspension> suspensions;
  bool current = false;
  // 16 bytes, of chance: no other store has them.
  std::string store_id;
  // Empty: the daemon, from the file that it was started with.
  std::string activated_by;
  // Where it took two persons: who proposed it, and activated_by approved it.
  std::string proposed_by;
  std::optional<WaitingPolicy> waiting;
};

struct PolicyActivation {
  // The policy file's bytes.
  std::string policy_json;
  // Each loosening word by word, as PolicyDifference::words has it.
  std::vector<std::string> loosens;
};

struct PolicyActivated {
  std::string version;
  std::string hash;
  std::optional<Time> activated_at;
  // False: it was in force already, or it is proposed.
  bool changed = false;
  // Set: nothing is in force yet, another person has to approve.
  std::optional<Proposal> proposal;
};

struct PolicyDifference {
  // The field, entries by name, and what becomes of it.
  std::string words;
  PolicyEffect effect = PolicyEffect::kUnset;
};

// For how many subjects the answer for one purpose turns.
struct TurnedAnswers {
  Purpose purpose = Purpose::kUnset;
  uint64_t to_eligible = 0;
  uint64_t to_not_eligible = 0;
};

struct PolicyDiff {
  std::vector<PolicyDifference> differences;
  uint64_t more_differences = 0;
  // Why it cannot follow the policy in force, whatever is named; empty: it can.
  std::string refused;
  std::vector<TurnedAnswers> turned;
  uint64_t examined_subjects = 0;
  uint64_t subjects = 0;
};

// One activation.
struct PolicyVersion {
  std::string version;
  std::string hash;
  std::optional<Time> activated_at;
  std::string activated_by;
  bool current = false;
  // Where it took two persons: who proposed it, and activated_by approved it.
  std::string proposed_by;
};

struct PolicyVersionPage {
  std::vector<PolicyVersion> policies;
  std::string next_page_token;
};

struct SuspendOrder {
  Purpose purpose = Purpose::kUnset;
  std::string region;
  // For the record; no ids.
  std::string reason;
};

// What a daemon takes the time to be.
struct ClockState {
  std::optional<Time> wall;
  std::optional<Time> trusted;
  // Too far apart: nothing is eligible and loosenings wait, until the clock is right again or somebody confirms it.
  bool doubtful = false;
};

struct ResumeOrder {
  Purpose purpose = Purpose::kUnset;
  std::string region;
  std::string reason;
  Etag etag;
  // Accepts what a restore without a restriction journal may have lost; purpose and region are left out then.
  bool restored = false;
};

}  // namespace consent
