// How a command changes a subject: state + command + stamp -> state, with a result for each part. Pure.
//
// A restriction can only turn answers towards no or PURGE: it needs no precondition and always applies. Everything else
// is a loosening: it needs the current revision and evidence, and is refused on its own while the restrictions beside
// it apply. An import (its channel says so) fills what is unset and loosens nothing that is stored: nobody who imports
// has seen a later choice.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::domain {

struct ScopeRef {
  ScopeKind kind = ScopeKind::kAccount;
  base::Bytes16 handle{};
  bool operator==(const ScopeRef&) const = default;
};

enum class TargetKind : uint8_t { kAll = 0, kControl = 1, kPurpose = 2 };
struct Target {
  TargetKind kind = TargetKind::kAll;
  std::string
      control;  // name, where kind is kControl; exists in the policy (else the part is refused as kUnknownControl)
  Purpose purpose = Purpose::kNone;
};

struct ChoiceCommand {
  ScopeRef scope;
  Target target;
  bool on = false;
  // Why it cannot be read: it is refused, and the fields above say nothing. Empty: it can.
  std::string unreadable = {};
  // Of a yes: when the no that it answers was said, which stands in the place of the etag. Unset: the etag counts.
  Instant answers = {};
  // With `answers`: when a no to one of its purposes was said again, at that time or last after it, which the facts do
  // not tell but the history does (NoteRefusedAgain). Unset: it was not.
  Instant refused_again = {};
};

struct RetentionCommand {
  ScopeRef scope;
  Retention retention;
  std::string unreadable = {};  // as a choice's
};

struct ProfileCommand {
  base::ProfileHandle profile;
  std::optional<Age> age;                        // adult_since is ignored; the transition sets it
  std::optional<base::GuardianHandle> guardian;  // a zero handle takes the guardian away
  Instant last_active;                           // unset: not said
};

enum class Actor : uint8_t { kMissing = 0, kSelf = 1, kGuardian = 2, kAgent = 3, kSystem = 4 };
enum class Channel : uint8_t { kMissing = 0, kApp = 1, kWeb = 2, kVoice = 3, kSupport = 4, kSystem = 5, kImport = 6 };

// The part of the evidence that the rules ask about.
struct Proof {
  std::string notice_version;
  std::string notice_language;
  Channel channel = Channel::kMissing;
  Actor actor = Actor::kMissing;
  base::GuardianHandle guardian;
  Instant given_at;  // of an import; unset: the commit's time
};

// One of the commits by which an account is joined into another one. No commit covers both, so each is repeatable, and
// between any two the account that is joined is eligible for nothing.
enum class JoinStep : uint8_t {
  kBegin = 0,   // of the one that is joined: a loosening's etag and evidence; a repetition changes nothing
  kTake = 1,    // of the other one: it becomes the strictest of both (strictest.h)
  kEnd = 2,     // of the first: it becomes an alias, if it is still at the revision that was taken
  kGiveUp = 3,  // of the first: it is joined into nothing, because the other one cannot take it
};
struct JoinCommand {
  JoinStep step = JoinStep::kBegin;
  base::SubjectHandle other;
  bool is_new = false;  // of kBegin and kTake: the other one is a new name, and what was agreed to is kept
  // Of kTake the record that is joined, of kEnd the one that took it.
  std::shared_ptr<const SubjectFacts> facts = nullptr;
};

struct Command {
  std::optional<uint64_t> expected_revision;  // the etag
  Proof proof;
  bool registers = false;  // UpsertSubject: an unregistered subject becomes registered
  bool reopens = false;    // and a closed account's id becomes somebody's new account
  std::optional<Region> region;
  std::vector<ProfileCommand> profiles;
  std::vector<base::DeviceHandle> devices;
  std::vector<ScopeRef> removals;
  // The notice about its inactivity went out to this child's guardian.
  std::optional<base::ProfileHandle> child_notice;
  std::optional<JoinCommand> join;
  std::vector<ChoiceCommand> choices;
  // The adult who consents: what is turned on for the account is turned on for this profile too, both or neither.
  std::optional<base::ProfileHandle> self_profile;
  std::vector<RetentionCommand> retention;
  // What a restored record says is read and stands (SubjectFacts::restored_at): a loosening.
  bool confirms_restored = false;
  // Why something of the request cannot be used: then it registers, changes and loosens nothing, and its restrictions
  // count all the same. Empty: all of it can. Names a field and its bound, never a value; at most 256 bytes.
  std::string unusable;
};

// Why a part was refused. kNone: it was applied.
enum class Refusal : uint8_t {
  kNone = 0,
  kEtagRequired,
  kEtagMismatch,
  kEvidenceRequired,
  kNoticeNotUsable,
  kGuardianRequired,
  kImportCannotLoosen,
  kSubjectNotFound,
  kScopeNotFound,
  kSubjectFull,
  kClockBehind,
  kUnknownControl,
  kAllCannotBeTurnedOn,
  kRetentionNotOffered,
  kContradiction,          // turned off in the same request
  kPolicyChanging,         // a policy is being activated: repeat
  kClockDoubtful,          // the time is doubtful until somebody confirms it
  kAccountClosed,          // nothing of a closed account is loosened
  kUnknownRegion,          // ISO 3166-1 does not assign the code, and the policy does not name it
  kUnusable,               // it, or something else of the request, cannot be used as it was sent
  kChildNotInactive,       // a notice about the inactivity of a profile that is no inactive child's
  kAccountJoined,          // it is an alias, or being joined into another account
  kLast = kAccountJoined,  // numbers are on disk: add at the end
};

struct PartOutcome {
  Refusal refusal = Refusal::kNone;
  bool changed = false;
  std::string detail;  // for kEvidenceRequired what is missing, for kNoticeNotUsable why, for kImportCannotLoosen what
                       // is stored, for kUnknownRegion what is meant, for kUnknownControl and kRetentionNotOffered
                       // which there are, for kUnusable which field and why; never an id; at most 256 bytes
};

// One thing that changed, for the history.
enum class ChangedWhat : uint8_t {
  kPurpose = 1,
  kRetention = 2,
  kRegistered = 3,
  kRegion = 4,
  kAge = 5,
  kGuardian = 6,
  kActivity = 7,
  kScopeAdded = 8,
  kScopeRemoved = 9,
  kRefusesFuture = 10,  // ALL or a control: purposes added later are refused too
  kFlags = 11,
  kChildNotice = 12,       // an inactive child's guardian was told
  kRefusedAgain = 13,      // a no to `purpose` where it was refused already: changes nothing and is on record
  kRestoreConfirmed = 14,  // what a restored record says stands
  kJoined = 15,            // a step of a join
  kLast = kJoined,
};
struct FactChange {
  ChangedWhat what = ChangedWhat::kPurpose;
  ScopeRef scope;
  Purpose purpose = Purpose::kNone;  // where what is kPurpose or kRefusedAgain
  Choice from = Choice::kUnset;
  Choice to = Choice::kUnset;
  Retention retention;   // where what is kRetention
  uint8_t flags = 0;     // where what is kFlags: those added
  Instant holds_until;   // of a consent that was given or renewed: when it expires; unset: it has no end
  bool loosens = false;  // an answer may turn towards yes or KEEP by it; else towards no or PURGE alone
  bool operator==(const FactChange&) const = default;
};

// When and on what the command applies.
struct Moment {
  Instant time;           // the commit's stamp: orders, and is what a choice and its end are dated by
  uint64_t sequence = 0;  // becomes the subject's revision
  base::Now now = base::Now::Sure(time);
  bool policy_changing = false;  // loosenings are refused: a policy is being activated, or `rules` may not be in force

  // The end of an order that reaches to its receipt: PURGE up to the earlier of stamp and wall, no eligibility up to
  // the stamp. In doubt nothing is sure, and there is no end until the time is settled.
  Instant SureReceipt() const { return now.doubtful ? Instant{} : std::min(time, now.wall); }
  Instant LatestReceipt() const { return now.doubtful ? base::kEndOfTime : std::max(time, now.latest); }
  // What a receipt is dated by and deadlines run from: the earlier of stamp and wall, never before the last stamp that
  // was trusted.
  Instant Received() const { return std::max(std::min(time, now.wall), now.not_before); }
};

struct Transition {
  SubjectFacts after;
  // In the order of the command: region (if there), profiles, devices, removals, a child's notice, choices, retention,
  // the confirmation of a restored record, a step of a join (if asked for).
  std::vector<PartOutcome> parts;
  std::vector<FactChange> changes;
  bool registered_now = false;
  // Some part makes it looser, or would if no policy were being activated: what it may allow is said by `rules`, so it
  // holds only while they are in force.
  bool needs_policy = false;
  // True if at least one part applied, or there were none.
  bool AnyApplied() const;
};

// `before` is a default SubjectFacts for a subject without a record. Total: a command that asks for too much gets
// refusals; no restriction is refused for want of room.
Transition Apply(const SubjectFacts& before, const Command& command, const Moment& moment, const Rules& rules);

// Tells the yeses of `command` that name the no that they answer of a change of the history of `facts`. What is no
// kRefusedAgain of a no that still stands, of their purposes and scopes, or came before the no, changes nothing.
void NoteRefusedAgain(const SubjectFacts& facts, const FactChange& change, Instant at, const Rules& rules,
                      Command* command);
// When the earliest no was said that a yes of `command` names as answered; unset: none names one.
Instant FirstAnswered(const Command& command);

// A change since the closure, and when.
struct SaidSince {
  Instant at;
  FactChange change;
};

// What is left of a closed account's record when it is forgotten: that and when it was closed, and what was refused
// since. The record says neither when a retention was chosen nor what was only said again: `said_since` are the changes
// since the closure, out of the history.
SubjectFacts RefusedSinceClosure(const SubjectFacts& facts, const std::vector<SaidSince>& said_since);

// A reported flag, the restriction that ReportRecording makes: returns the marks after it. `safety_at`: since when
// SAFETY holds the recording where this is the first report of it; unset: it holds nothing.
RecordingState AddFlags(const RecordingState& before, uint8_t flags, Instant safety_at);

}  // namespace consent::domain
