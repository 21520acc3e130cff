// Why a check is answered as it is: every row of the decision table that matched, and every one that concerns what is
// stored and did not decide. An explanation is no Answer: nothing may be used by it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consent/decisions.h"
#include "consent/deletion.h"
#include "consent/purge.h"
#include "consent/recording.h"
#include "consent/settings.h"
#include "consent/types.h"

namespace consent {

// A row of the decision table.
enum class DecisionRow : uint8_t {
  kUnset = 0,
  kR1 = 1,
  kR2 = 2,
  kR3 = 3,
  kR4 = 4,
  kR5 = 5,
  kE0 = 6,
  kE1 = 7,
  kE2 = 8,
  kE3 = 9,
  kE4 = 10,
  kE5 = 11,
  kE6 = 12,
  kE7 = 13,
  kE8 = 14,
  kE9 = 15,
  kE10 = 16,
  kE12 = 17,
  kE11 = 18,
};

// What about a row counted, or why it did not decide; the protos say when each occurs. kUnset: there is nothing to add.
enum class RowNote : uint8_t {
  kUnset = 0,
  kPerhaps = 1,
  kEarlierRetention = 2,
  kSaysNo = 3,
  kConsentOver = 4,
  kEndedAfterCapture = 5,
  kBeforeDefault = 6,
  kCapturedAsChild = 7,
  kNotTheGuardians = 8,
  kUnnamedScope = 9,
  kOtherPolicy = 10,
  kBeforeSuspensionEnd = 11,
  kDefaultDenied = 12,
  kReopened = 13,
  kUnconfirmed = 14,
  kOtherScope = 20,
  kOutsideTimes = 21,
  kOnlyCopies = 22,
  kNotYet = 23,
  kEnded = 24,
  kForgiven = 25,
  kAllowed = 26,
  kClockDoubtful = 27,
  kStands = 28,
  kCause = 29,
  kInherited = 30,
  kRestored = 31,
};

enum class ScopeKind : uint8_t { kUnset = 0, kAccount = 1, kProfile = 2, kDevice = 3 };
// Whether a deletion or a hold reaches the recording.
enum class OrderMatch : uint8_t {
  kUnset = 0,
  kOtherScope = 1,
  kOutsideTimes = 2,
  kOnlyCopies = 3,
  kPerhaps = 4,
  kYes = 5,
};
// Of which time an explanation is.
enum class ExplanationBasis : uint8_t { kUnset = 0, kNow = 1, kPast = 2, kFuture = 3, kRecorded = 4 };
// Why something cannot be told any more; the protos say when each occurs.
enum class Untold : uint8_t {
  kUnset = 0,
  kHistoryErased = 1,
  kTooManyChanges = 2,
  kManyDeletions = 3,
  kFlags = 4,
  kNoPolicy = 5,
  kRequests = 6,
  kUnknownRecord = 7,
};

// As the question names it.
struct ExplainedScope {
  ScopeKind kind = ScopeKind::kUnset;
  // Of a profile or device that the question names; else empty.
  std::string id;
  bool is_named = false;
};

struct ExplainedNotice {
  // Empty: there is none.
  std::string version;
  // Empty: the policy has no text.
  std::string title;
  bool covers_past = false;
  bool says_people_listen = false;
};

// A row as it applied to one scope, hold, deletion or rule. What does not belong to the row is unset.
struct ExplainedRow {
  DecisionRow row = DecisionRow::kUnset;
  Reason reason = Reason::kUnset;
  // It is a reason of the answer; false: it nearly was.
  bool matched = false;
  RowNote note = RowNote::kUnset;
  Purpose purpose = Purpose::kUnset;
  ExplainedScope scope;
  Choice choice = Choice::kUnset;
  bool by_guardian = false;
  // Of a consent: it was given elsewhere at `since`, and entered later.
  bool imported = false;
  ExplainedNotice notice;
  std::optional<Time> since;
  std::optional<Time> renewed_at;
  std::optional<Time> from;
  std::optional<Time> to;
  std::optional<Time> at;
  std::optional<Retention> retention;
  std::string region;
  std::string regime;
};

struct ExplainedRegime {
  std::string name;
  std::vector<std::string> regions;
  bool opt_in = false;
  std::chrono::seconds false_wake_ttl{0};
  std::vector<std::string> countries;
  bool any_country = false;
  bool employees = false;
  bool contractors = false;
};

// A data system's part of a request.
struct ExplainedTask {
  std::string system;
  DataSystemKind kind = DataSystemKind::kUnset;
  // kUnset: it has not confirmed.
  PurgeOutcome outcome = PurgeOutcome::kUnset;
  std::optional<Time> ended_at;
  std::string reason;
  int failures = 0;
  std::optional<Time> leased_until;
  std::optional<Time> not_before;
  bool waits_for_release = false;
};

struct ExplainedRequest {
  DeletionId deletion_id;
  OrderMatch match = OrderMatch::kUnset;
  DeletionState state = DeletionState::kUnset;
  DeletionCause cause = DeletionCause::kUnset;
  DeletionSelectorKind selection = DeletionSelectorKind::kUnset;
  ExplainedScope scope;
  // Absent: it has none.
  std::optional<TimeRange> covers;
  std::vector<Purpose> purposes;
  std::optional<Time> received_at;
  std::optional<Time> verified_at;
  std::optional<Time> ended_at;
  std::optional<Time> due_at;
  bool overdue = false;
  std::string denied_reason;
  std::vector<ExplainedTask> tasks;
};

struct ExplainedHold {
  HoldId hold_id;
  OrderMatch match = OrderMatch::kUnset;
  ExplainedScope scope;
  bool names_recording = false;
  std::optional<Time> from;
  std::optional<Time> to;
  std::optional<Time> placed_at;
  // Absent: in force.
  std::optional<Time> released_at;
};

struct Explanation {
  ExplanationBasis basis = ExplanationBasis::kUnset;
  // Empty: all could be told. What cannot be told is kUnset.
  std::vector<Untold> untold;
  Eligibility eligibility = Eligibility::kUnset;
  Disposition disposition = Disposition::kUnset;
  std::vector<Reason> reasons;
  // In the order of the decision table.
  std::vector<ExplainedRow> rows;
  bool rows_cut = false;
  // Which facts MISSING_FACT means.
  std::vector<MissingFact> missing_facts;
  std::vector<ExplainedRegime> regimes;
  std::vector<ExplainedRequest> requests;
  std::vector<ExplainedHold> holds;
  bool orders_cut = false;
  // The time that the rule was asked at.
  std::optional<Time> at;
  std::string policy_version;
  // SHA-256, 32 bytes.
  std::string policy_hash;
  std::optional<Time> policy_since;
  Etag revision;
  std::optional<Time> changed_at;
};

// What is to be explained.
struct ExplainQuestion {
  // kUnset: the disposition only.
  Purpose purpose = Purpose::kUnset;
  Place place;
  // Absent: now. Past: as it was then, as far as history tells; future: as it will be if nothing changes.
  std::optional<Time> at;
};

// A recorded yes, explained.
struct ExplainedDecision {
  Explanation explanation;
  DecisionVerdict verdict = DecisionVerdict::kUnset;
};

}  // namespace consent
