// The values that decisions are made of. No I/O, no protobuf, no raw ids: people and recordings appear as keyed
// handles. In every enum zero denies; a default-constructed struct is the one that allows least.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "daemon/base/bounds.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"

namespace consent::domain {

using base::Instant;
using base::Span;

// Numbers equal those of consent.v1.Purpose and are on disk.
enum class Purpose : uint8_t {
  kNone = 0,
  kHumanReview = 1,
  kModelTraining = 2,
  kFeatureDevelopment = 3,
  kMessageTranscription = 4,
  kVoiceIdentification = 5,
  kPersonalisation = 6,
  kAdvertising = 7,
};
inline constexpr int kPurposes = 7;
inline constexpr std::array<Purpose, kPurposes> kAllPurposes = {
    Purpose::kHumanReview,          Purpose::kModelTraining,       Purpose::kFeatureDevelopment,
    Purpose::kMessageTranscription, Purpose::kVoiceIdentification, Purpose::kPersonalisation,
    Purpose::kAdvertising};

// False of kNone and of any number that names no purpose.
constexpr bool IsPurpose(Purpose p) { return p != Purpose::kNone && static_cast<int>(p) <= kPurposes; }

// A set of purposes; bit (number - 1). Sixteen bits on disk, so that there is room for more purposes.
struct PurposeSet {
  uint16_t bits = 0;
  auto operator<=>(const PurposeSet&) const = default;
  constexpr bool Has(Purpose p) const { return IsPurpose(p) && (bits >> (static_cast<int>(p) - 1) & 1) != 0; }
  constexpr void Add(Purpose p) {
    if (IsPurpose(p)) bits = static_cast<uint16_t>(bits | 1U << (static_cast<int>(p) - 1));
  }
  constexpr bool Empty() const { return bits == 0; }
};

// Numbers are on disk.
enum class Choice : uint8_t { kUnset = 0, kGiven = 1, kRefused = 2, kWithdrawn = 3 };
constexpr bool SaysNo(Choice c) { return c == Choice::kRefused || c == Choice::kWithdrawn; }

// Notices and controls have names in the policy file; the daemon numbers them when a policy is activated and never
// reuses a number. 0: none. Controls are 1..64, notices 1..65535.
using NoticeNumber = uint16_t;
using ControlNumber = uint8_t;
inline constexpr int kMaxControls = 64;

// ISO 3166-1 alpha-2 with an optional ISO 3166-2 subdivision of 1 to 3 characters, upper case, packed base 37; 0:
// unknown.
class Region {
 public:
  constexpr Region() = default;
  // False unless `text` is like "DE" or "US-CA". Only upper case is taken.
  static bool Parse(std::string_view text, Region* out);
  // The packed form, for storage; any value of at most 69,343,956 is accepted, what names no region acts as unknown.
  static constexpr Region FromPacked(uint32_t packed) {
    Region r;
    r.packed_ = packed;
    return r;
  }
  constexpr uint32_t packed() const { return packed_; }
  constexpr bool IsSet() const { return packed_ != 0; }
  // The country without subdivision; unknown stays unknown.
  Region Country() const;
  // One for each two letters, below kCountryIndices where Parse made the region.
  constexpr uint32_t CountryIndex() const { return packed_ / (37 * 37 * 37); }
  static constexpr uint32_t kCountryIndices = 37 * 37;
  std::string ToString() const;
  auto operator<=>(const Region&) const = default;

 private:
  uint32_t packed_ = 0;
};

enum class ScopeKind : uint8_t { kAccount = 0, kProfile = 1, kDevice = 2 };

// What one scope chose about one purpose. A consent has two times: captures count from the first, its lifetime from the
// last.
struct PurposeChoice {
  Choice choice = Choice::kUnset;
  bool by_guardian = false;  // of a consent: the named guardian gave it
  bool by_other = false;     // of a consent: an agent or the system gave it, neither the person nor the named guardian
  bool imported = false;     // of a consent: came through an import with its own time
  bool inherited =
      false;  // of a refusal: one of the removed scopes that the fold keeps together said it, perhaps another one
  bool has_ended =
      false;  // of a guardian's consent: the child had come of age once; no later correction brings it back
  NoticeNumber notice = 0;  // of a consent
  Instant since;            // of a consent: the time from which captures count; of a refusal: when it was said
  // Of a consent: when it was last given again, in whole seconds after `since`, rounded down; unset: never. Of one that
  // two accounts gave which were joined (strictest.h) what its lifetime counts from, also before `since`.
  Instant renewed;
  // The last end of an earlier consent or default: when it was refused or withdrawn, or had expired. Kept through later
  // consents and, with choice kUnset, after the scope was removed. Unset: there was none.
  // Of a no in a record that is of two accounts (strictest.h): what had ended before it.
  Instant refused_from;
  // Copies of what was captured before it are owed, where that is later than `refused_from`: in the record of an
  // account that others were joined into, which remembers ends that each of them had. Unset: `refused_from` is that
  // time.
  Instant copies_owed_until;
  bool end_was_expiry = false;   // that end was an expiry, no refusal: nothing was captured while it was refused
  bool copies_forgiven = false;  // a notice that covers the past was agreed to since that end: copies of before it stay
  // Of a consent: the purpose was suspended where the subject lived, later than it was given, and the subject has moved
  // away since.
  bool was_suspended = false;
  // Of a consent: only one of two records gave it that became one (strictest.h), or they did not give the same. It does
  // not count until it is given again.
  bool unconfirmed = false;
  bool operator==(const PurposeChoice&) const = default;

  // When it was last given again; unset: never.
  Instant RenewedAt() const { return renewed > since ? renewed : Instant{}; }
  // Copies of what was captured before it are owed, unless they are forgiven. Unset: nothing had ended.
  Instant OwedUntil() const { return copies_owed_until > refused_from ? copies_owed_until : refused_from; }
  // From when its lifetime counts.
  Instant LastGiven() const { return renewed.IsSet() ? renewed : since; }
};

// Numbers are on disk.
enum class RetentionKind : uint8_t { kUntilDeleted = 0, kMonths = 1, kDoNotSave = 2 };
struct Retention {
  RetentionKind kind = RetentionKind::kUntilDeleted;
  uint8_t months = 0;  // 1..120 where kind is kMonths
  bool operator==(const Retention&) const = default;
};

// Unknown age counts as a child. Numbers are on disk.
enum class AgeKind : uint8_t { kUnknown = 0, kAdult = 1, kChild = 2, kBorn = 3 };
struct Age {
  AgeKind kind = AgeKind::kUnknown;
  base::Date born;      // where kind is kBorn
  Instant adult_since;  // not an adult before: when a child's age was corrected upwards; unset: so registered
  // The latest birth date that was told before this age, while the person was an adult by it: no correction makes a
  // past capture an adult's.
  std::optional<base::Date> born_before = std::nullopt;
  bool operator==(const Age&) const = default;
};

// A refusal that also covers what is added to the control later.
struct ControlRefusal {
  ControlNumber control = 0;
  Instant since;
  bool operator==(const ControlRefusal&) const = default;
};

// The account, one profile or one device. A profile or device with a zero handle is the fold: what was refused by those
// of its kind that are gone and for which the record has no room of their own. It is named by no recording and decides
// no disposition; who names no scope of that kind, or registers one that the record does not know, has refused what it
// refuses.
struct ScopeFacts {
  ScopeKind kind = ScopeKind::kAccount;
  base::Bytes16 handle{};   // of a profile or device; zero for the account and for a fold
  bool registered = false;  // false: it was removed, or only a restriction named it so far
  std::array<PurposeChoice, kPurposes> choices{};
  Instant refused_all_since;                                // unset: did not refuse everything
  absl::InlinedVector<ControlRefusal, 1> refused_controls;  // at most one per control
  Retention retention;
  Instant purge_floor;   // captures at or before it were once expired: they stay purged
  Instant default_from;  // latest change of this scope that made a default apply, for example its registration; or its
                         // removal
  // Profiles only.
  Age age;
  base::GuardianHandle guardian;
  Instant guardian_since;     // consents by an earlier guardian do not count
  Instant last_active;        // of a child
  Instant inactivity_notice;  // when the notice about inactivity went out; unset: it did not, or was answered

  const PurposeChoice& ChoiceFor(Purpose p) const { return choices[static_cast<size_t>(p) - 1]; }
  PurposeChoice& ChoiceFor(Purpose p) { return choices[static_cast<size_t>(p) - 1]; }
  // It was registered until default_from, and said no to something.
  bool WasRemoved() const { return !registered && default_from.IsSet(); }
  // Removed, and all that is left of it is that.
  bool IsNothingButRemoved() const;
  bool IsFold() const { return kind != ScopeKind::kAccount && handle == base::Bytes16{}; }
  bool operator==(const ScopeFacts&) const = default;
};
inline bool ScopeFacts::IsNothingButRemoved() const {
  ScopeFacts nothing;
  nothing.kind = kind;
  nothing.handle = handle;
  nothing.default_from = default_from;
  return WasRemoved() && *this == nothing;
}

// Captures of a time, for holds. Both ends belong to it. from unset: from the beginning; to = kEndOfTime: open.
struct Interval {
  Instant from;
  Instant to = base::kEndOfTime;
  bool operator==(const Interval&) const = default;
};

// The captures that a deletion orders away. Its end is two times, because no clock is sure of its receipt: what was
// surely captured by `sure` is purged, what was perhaps captured by `latest` is never eligible. Both ends belong to it.
// In order by construction: sure <= latest, and from <= latest. Immutable.
class OrderedTimes {
 public:
  // Nothing at all: neither purges nor denies.
  constexpr OrderedTimes() = default;
  // Whenever captured: no beginning and no end.
  static constexpr OrderedTimes Always() { return OrderedTimes(Instant{}, base::kEndOfTime, base::kEndOfTime); }
  // Without a beginning. `sure` unset: nothing is sure, as of what was received in doubt of the time.
  static constexpr OrderedTimes Until(Instant sure, Instant latest) { return Between(Instant{}, sure, latest); }
  // From `from` on. Ends that are out of order are brought into it: the later of the two is latest, and a
  // beginning after it is it.
  static constexpr OrderedTimes Between(Instant from, Instant sure, Instant latest) {
    const Instant end = latest < sure ? sure : latest;
    return OrderedTimes(end < from ? end : from, latest < sure ? latest : sure, end);
  }

  constexpr bool HasBeginning() const { return from_.IsSet(); }
  constexpr bool HasEnd() const { return latest_ != base::kEndOfTime; }
  constexpr bool IsEmpty() const { return !latest_.IsSet(); }
  constexpr Instant from() const { return from_; }
  constexpr Instant sure() const { return sure_; }
  constexpr Instant latest() const { return latest_; }

  // What was captured some time from `lo` to `hi`: perhaps within the times that are surely ordered, or within those
  // that perhaps are.
  constexpr bool SurelyOrders(Instant lo, Instant hi) const {
    return sure_.IsSet() && from_ <= sure_ && lo <= sure_ && hi >= from_;
  }
  constexpr bool PerhapsOrders(Instant lo, Instant hi) const { return !IsEmpty() && lo <= latest_ && hi >= from_; }
  // All of `other` lies within this, what is sure within what is sure.
  constexpr bool Contains(const OrderedTimes& other) const {
    return from_ <= other.from_ && other.sure_ <= sure_ && other.latest_ <= latest_;
  }
  constexpr bool operator==(const OrderedTimes&) const = default;

 private:
  constexpr OrderedTimes(Instant from, Instant sure, Instant latest) : from_(from), sure_(sure), latest_(latest) {}
  Instant from_;    // unset: no beginning
  Instant sure_;    // unset: nothing is sure
  Instant latest_;  // kEndOfTime: no end; unset: empty
};

// A stored deletion selector. Numbers are on disk.
enum class TombstoneState : uint8_t { kPending = 0, kDenied = 1, kVerified = 2 };
struct Tombstone {
  TombstoneState state = TombstoneState::kPending;
  ScopeKind scope = ScopeKind::kAccount;
  base::Bytes16 handle{};  // which profile or device
  OrderedTimes captured;
  PurposeSet copies_of{};  // only what was made of them for these purposes; empty: all, and the audio itself
  bool operator==(const Tombstone&) const = default;
};

// A legal hold on part of a subject's recordings.
struct Hold {
  ScopeKind scope = ScopeKind::kAccount;
  base::Bytes16 handle{};
  Interval captured;
  bool operator==(const Hold&) const = default;
};

// In place of a time: it goes on until something else is said.
inline constexpr Instant kStillThere = base::kEndOfTime;

// Where the subject lived until it moved to where more is allowed: its rules still hold for what was captured by then.
struct FormerRegion {
  Region region;  // unset: it had none
  Instant until;  // kStillThere: two accounts that lived in two regions were joined, and no region was told since
  bool several = false;  // `region` is unset, and nobody knows any more which they were: nothing of before is eligible
  bool operator==(const FormerRegion&) const = default;
};

class TombstoneIntervals;
struct SubjectFacts;

// Whether an account becomes, or is, another name of one that it was joined into. Numbers are on disk.
enum class JoinState : uint8_t {
  kNone = 0,
  kJoining = 1,   // nothing of it is eligible until it is an alias; what is refused meanwhile is joined too
  kAlias = 2,     // what it chose lies in the other record; its own deletions, holds and flags go on to count
  kRenaming = 3,  // as kJoining, into an id that nobody had: what was agreed to is kept
};
constexpr bool IsJoining(JoinState state) { return state == JoinState::kJoining || state == JoinState::kRenaming; }
// An account that was joined into the one whose record this is, and the revision that was.
struct JoinedFrom {
  base::SubjectHandle subject;
  uint64_t revision = 0;
  bool operator==(const JoinedFrom&) const = default;
};
// The orders of an alias, beside the record that it was joined into.
struct OrdersBeside {
  std::shared_ptr<const SubjectFacts> facts;
  bool is_asked = false;  // the recording is asked about under this alias: its closure counts too
  bool is_behind =
      false;  // it changed since it was taken, and is about to be taken again: nothing is eligible until then
  bool operator==(const OrdersBeside&) const = default;
};

using base::kMaxProfiles;  // and as many devices; restrictions and removals may add as many again unregistered
inline constexpr size_t kMaxTombstones =
    64;  // in the record; a subject with more of them has all of them in rows of their own
inline constexpr size_t kMaxHolds = 64;
inline constexpr size_t kMaxFormerRegions = 8;
inline constexpr size_t kMaxJoinedFrom = 8;  // accounts that were joined into one, those joined into these included

// All that a decision needs to know about a subject. scopes[0] is always the account.
struct SubjectFacts {
  SubjectFacts() : scopes(1) {}
  uint64_t revision = 0;             // sequence of the latest change of this subject in its partition; 0: none
  uint64_t restricted = 0;           // sequence of the latest change that restricted it, at most `revision`; 0: none
  bool registered = false;           // false: only restrictions named it so far
  bool has_recording_marks = false;  // rows about single recordings exist
  bool has_unverified_deletions = false;  // perhaps: requests that are open and unverified
  Region region;
  absl::InlinedVector<FormerRegion, 1> former_regions;  // each once, in the order in which they were left
  bool left_a_default = false;  // it once lived where OPT_OUT was the default: what that allowed may still be there
  Instant default_from;         // latest change of region, or registration, that made a default apply
  Instant default_denied;  // a denied closure or "everything" took every default away until the subject has chosen;
                           // unset: none did
  Instant closed_at;       // unset: never closed
  bool forgotten = false;  // closed, and its names and keys are being erased: nothing but deletions' own steps changes
                           // it until that is done
  Instant reopened_at;  // a new account of the same id since then, which is not the closed one's; unset: it is closed
                        // for good
  Instant restored_at;  // a restore brought the record back, and something that allowed more than it says is lost:
                        // nothing is eligible and nothing but orders purges until somebody who read it says yes or
                        // confirms it; unset: it was not
  JoinState join = JoinState::kNone;
  base::SubjectHandle joined_into;                 // of kJoining and kAlias
  absl::InlinedVector<JoinedFrom, 1> joined_from;  // each once
  uint64_t holds_changed = 0;  // sequence of the latest hold that was placed or released; 0: none ever
  absl::InlinedVector<ScopeFacts, 2> scopes;
  absl::InlinedVector<Tombstone, 1> tombstones;
  bool has_more_tombstones = false;                 // the record holds none of them, `cover` all
  std::shared_ptr<const TombstoneIntervals> cover;  // not part of the record; nullptr with has_more_tombstones denies
  absl::InlinedVector<Hold, 1> holds;
  std::vector<OrdersBeside> beside;  // not part of the record: of all of `joined_from`, where a recording is decided

  const ScopeFacts& account() const { return scopes[0]; }
  ScopeFacts& account() { return scopes[0]; }
  // nullptr where there is none.
  const ScopeFacts* Find(ScopeKind kind, const base::Bytes16& handle) const;
  ScopeFacts* Find(ScopeKind kind, const base::Bytes16& handle);
  bool operator==(const SubjectFacts&) const = default;
};

// What is left of an account whose closure is finished: that it was closed, and when; and what was refused since.
inline bool IsSuppressionRecord(const SubjectFacts& facts) {
  return facts.closed_at.IsSet() && !facts.reopened_at.IsSet() && !facts.forgotten && facts.tombstones.empty() &&
         !facts.has_more_tombstones;
}
// The same also before its keys have left the files.
inline bool IsForgotten(const SubjectFacts& facts) { return IsSuppressionRecord(facts) || facts.forgotten; }

// Flags of one recording; bits are on disk.
struct Flags {
  static constexpr uint8_t kCriticalData = 1;
  static constexpr uint8_t kSafety = 2;
  static constexpr uint8_t kAccidental = 4;
  static constexpr uint8_t kChildPresent = 8;
};

// What is stored about a single recording.
struct RecordingState {
  uint8_t flags = 0;
  bool has_tombstone = false;  // a deletion names this very recording
  TombstoneState tombstone = TombstoneState::kPending;
  bool on_hold = false;  // a hold names this very recording
  // When SAFETY was reported of it first, by the server's time and never earlier than that was (`Rules::safety_hold`
  // counts from it). Unset: never, of an account that is forgotten, or before times were kept.
  Instant safety_since;
  bool operator==(const RecordingState&) const = default;
};

enum class Wake : uint8_t { kMissing = 0, kIntended = 1, kAccidental = 2, kButton = 3 };
enum class Kind : uint8_t { kMissing = 0, kCommand = 1, kMessage = 2, kSound = 3 };
enum class Speakers : uint8_t { kMissing = 0, kOne = 1, kSeveral = 2 };
enum class Identity : uint8_t { kMissing = 0, kMatched = 1, kUnmatched = 2, kNotRun = 3 };
enum class SpeakerAge : uint8_t { kMissing = 0, kAdult = 1, kChildPresent = 2 };
enum class Artefact : uint8_t {
  kSource = 0,
  kTranscript = 2,
  kReviewCopy = 3,
  kAnnotation = 4,
  kFeature = 5,
  kDatasetItem = 6
};
enum class ReviewerClass : uint8_t { kMissing = 0, kEmployee = 1, kContractor = 2 };

// What the caller says about one recording. Recording and account are known by construction.
struct RecordingFacts {
  Instant captured_at;  // unset: missing
  bool has_uncertainty = false;
  Span uncertainty;     // 0..24 h; without it the policy's applies
  Instant ingested_at;  // unset: the time of asking
  absl::InlinedVector<base::ProfileHandle, 2> profiles;
  base::DeviceHandle device;  // zero: none named
  Region region;              // of the capture; unset: none named
  bool has_region = false;    // named, perhaps unknown to the policy
  Wake wake = Wake::kMissing;
  Kind kind = Kind::kMissing;
  Speakers speakers = Speakers::kMissing;
  Identity identity = Identity::kMissing;
  SpeakerAge age = SpeakerAge::kMissing;
  Artefact artefact = Artefact::kSource;
  Purpose made_for = Purpose::kNone;
  uint8_t flags = 0;
  bool operator==(const RecordingFacts&) const = default;
};

// Why these recordings are asked about; turns no answer but that caps of review grants may differ. Numbers equal those
// of consent.v1.Selection.
enum class Selection : uint8_t { kRandom = 1, kMisunderstood = 2, kComplaint = 3, kQuality = 4, kOther = 5 };
inline constexpr size_t kSelections = 5;

// Where and by whom it would be used. Empty or zero: not named.
struct Place {
  Region country;
  std::string site;
  ReviewerClass reviewer_class = ReviewerClass::kMissing;
};

}  // namespace consent::domain
