#include "daemon/domain/strictest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/domain/effective.h"
#include "daemon/domain/ends.h"
#include "daemon/domain/tombstone_intervals.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain {
namespace {

// A field that is added to one of these structs does not compile here until it is decided below what the stricter is.
[[maybe_unused]] void EveryFieldIsDecided(const SubjectFacts& facts, const ScopeFacts& scope,
                                          const PurposeChoice& choice, const Age& age) {
  [[maybe_unused]] const auto& [revision, restricted, registered, marks, unverified, region, former, left_a_default,
                                default_from, default_denied, closed_at, forgotten, reopened_at, restored_at, join,
                                joined_into, joined_from, holds_changed, scopes, tombstones, has_more, cover, holds,
                                beside] = facts;
  [[maybe_unused]] const auto& [kind, handle, scope_registered, choices, refused_all, refused_controls, retention,
                                floor, scope_default_from, person_age, guardian, guardian_since, last_active, notice] =
      scope;
  [[maybe_unused]] const auto& [what, by_guardian, by_other, imported, inherited, has_ended, number, since, renewed,
                                refused_from, owed_until, end_was_expiry, forgiven, was_suspended, unconfirmed] =
      choice;
  [[maybe_unused]] const auto& [age_kind, born, adult_since, born_before] = age;
}

Instant EarlierSet(Instant a, Instant b) { return a.IsSet() && b.IsSet() ? std::min(a, b) : std::max(a, b); }

// One of the two records, as far as a choice is read by it.
struct Side {
  const SubjectFacts& subject;
  const ScopeFacts& scope;
};

// What the scope says by itself or by a refusal of everything; those of controls are left to the policy of the day. Who
// was only named by restrictions has agreed to nothing.
PurposeChoice SaidBy(const Side& side, Purpose purpose) {
  PurposeChoice said = side.scope.ChoiceFor(purpose);
  const Instant refused = side.scope.refused_all_since;
  if (SaysNo(said.choice)) return said;
  if (refused.IsSet() && !(said.choice == Choice::kGiven && said.since > refused)) {
    said = PurposeChoice{};
    said.choice = Choice::kRefused;
    said.since = refused;
  } else if (said.choice == Choice::kGiven && !side.subject.registered) {
    said.unconfirmed = true;
  }
  return said;
}

// Whether a control that was refused later may come to list the purpose: then that refusal has to win for a time that
// is not the record's any more.
bool IsOverridden(const ScopeFacts& scope, const PurposeChoice& given, Instant since) {
  return std::any_of(scope.refused_controls.begin(), scope.refused_controls.end(), [&](const ControlRefusal& refusal) {
    return given.since <= refusal.since && refusal.since < since;
  });
}

// The end of one, or of both.
void RememberEnd(const PurposeChoice& a, const PurposeChoice& b, ScopeKind kind, PurposeChoice* out) {
  SetEnd(BothEnds(EndIn(a), EndIn(b), kind), out);
}

// What a no that gives way to the other one leaves behind. What perhaps another scope said leaves nothing.
PastEnd EndBy(const PurposeChoice& no) { return no.inherited ? PastEnd{} : PastEnd{no.since, {}, false, false}; }

// The later of two noes. One that somebody said beats one that perhaps was said by another. All that had ended before
// it is remembered, and that the other one had been said: both denied from then on, and both owe.
PurposeChoice StricterNo(const PurposeChoice& a, const PurposeChoice& b, ScopeKind kind) {
  const bool a_no = SaysNo(a.choice);
  const bool b_no = SaysNo(b.choice);
  const bool is_a = a_no && (!b_no || b.since < a.since || (b.since == a.since && a.choice >= b.choice));
  const PurposeChoice& other = is_a ? b : a;
  PurposeChoice no = is_a ? a : b;
  no.inherited = (!a_no || a.inherited) && (!b_no || b.inherited);
  PastEnd end = BothEnds(EndIn(a), EndIn(b), kind);
  if (SaysNo(other.choice) && other.since != no.since) end = BothEnds(end, EndBy(other), kind);
  SetEnd(end, &no);
  return no;
}

void SetLastGiven(Instant last, PurposeChoice* consent) {
  consent->renewed = last == consent->since ? Instant{} : last;
}

// Whether the earlier of two yeses, renewed since, was perhaps given before somebody came of age by a law of another
// day: the record has no place for its time.
bool IsPerhapsAChilds(const Side& x, const Side& y, const PurposeChoice& a, const PurposeChoice& b,
                      const PurposeChoice& given) {
  if (x.scope.kind != ScopeKind::kProfile) return false;
  const bool always_adult = x.scope.age.kind == AgeKind::kAdult && y.scope.age.kind == AgeKind::kAdult;
  return !always_adult && std::min(CountsFrom(a), CountsFrom(b)) < CountsFrom(given);
}

// Both said yes.
PurposeChoice BothGave(const Side& x, const Side& y, const PurposeChoice& a, const PurposeChoice& b) {
  PurposeChoice given = a.since < b.since ? b : a;
  SetLastGiven(std::min(a.LastGiven(), b.LastGiven()), &given);
  given.by_other = a.by_other || b.by_other;
  given.imported = a.imported || b.imported;
  given.has_ended = a.has_ended || b.has_ended;
  given.was_suspended = a.was_suspended || b.was_suspended;
  RememberEnd(a, b, x.scope.kind, &given);
  const bool for_one_child = !a.by_guardian || x.scope.age == y.scope.age;
  given.unconfirmed = a.unconfirmed || b.unconfirmed || a.notice != b.notice || a.by_guardian != b.by_guardian ||
                      !for_one_child || IsPerhapsAChilds(x, y, a, b, given) || IsOverridden(x.scope, a, given.since) ||
                      IsOverridden(y.scope, b, given.since);
  return given;
}

PurposeChoice StricterChoice(const Side& x, const Side& y, Purpose purpose) {
  const ScopeKind kind = x.scope.kind;
  const PurposeChoice a = SaidBy(x, purpose);
  const PurposeChoice b = SaidBy(y, purpose);
  if (SaysNo(a.choice) || SaysNo(b.choice)) return StricterNo(a, b, kind);
  const bool a_yes = a.choice == Choice::kGiven;
  const bool b_yes = b.choice == Choice::kGiven;
  if (a_yes && b_yes) return BothGave(x, y, a, b);
  PurposeChoice stricter = a_yes ? a : b;
  stricter.since = std::max(a.since, b.since);
  if (a_yes || b_yes) {
    SetLastGiven((a_yes ? a : b).LastGiven(), &stricter);
    const Side& silent = a_yes ? y : x;
    const PurposeChoice& said = a_yes ? b : a;
    // Never needed of a device: one that never chose allows what the other one does.
    const bool has_said = said.refused_from.IsSet() || IsOverridden(silent.scope, said, stricter.since);
    stricter.unconfirmed = stricter.unconfirmed || kind != ScopeKind::kDevice || has_said;
  }
  RememberEnd(a, b, kind, &stricter);
  return stricter;
}

Age StricterAge(const Age& a, const Age& b) {
  Age age;
  age.adult_since = std::max(a.adult_since, b.adult_since);
  age.born_before = std::max(a.born_before, b.born_before);
  const auto is = [&](AgeKind kind) { return a.kind == kind || b.kind == kind; };
  if (is(AgeKind::kUnknown) || is(AgeKind::kChild)) {
    age.kind = is(AgeKind::kUnknown) ? AgeKind::kUnknown : AgeKind::kChild;
  } else if (is(AgeKind::kBorn)) {
    age.kind = AgeKind::kBorn;
    age.born = a.kind != AgeKind::kBorn ? b.born : b.kind != AgeKind::kBorn ? a.born : std::max(a.born, b.born);
  } else {
    age.kind = AgeKind::kAdult;
  }
  return age;
}

void StricterPerson(const ScopeFacts& a, const ScopeFacts& b, ScopeFacts* out) {
  out->age = StricterAge(a.age, b.age);
  out->guardian = a.guardian == b.guardian ? a.guardian : base::GuardianHandle{};
  out->guardian_since = std::max(a.guardian_since, b.guardian_since);
  out->last_active = EarlierSet(a.last_active, b.last_active);
  const bool both_told = a.inactivity_notice.IsSet() && b.inactivity_notice.IsSet();
  out->inactivity_notice = both_told ? std::max(a.inactivity_notice, b.inactivity_notice) : Instant{};
}

ScopeFacts StricterScope(const Side& x, const Side& y) {
  const ScopeFacts& a = x.scope;
  const ScopeFacts& b = y.scope;
  ScopeFacts out;
  out.kind = a.kind;
  out.handle = a.handle;
  out.default_from = std::max(a.default_from, b.default_from);
  out.registered = a.registered && b.registered;
  if (a.kind == ScopeKind::kAccount) {
    out.registered = a.registered || b.registered;
  } else if (a.registered != b.registered) {
    // Whoever it was, it is there for the one whom the other one removed or never had.
    out.default_from = kStillThere;
  }
  const bool said_alike = x.subject.registered == y.subject.registered && a.refused_all_since == b.refused_all_since;
  for (const Purpose purpose : kAllPurposes) {
    const bool alike = said_alike && a.ChoiceFor(purpose) == b.ChoiceFor(purpose) && a.age == b.age;
    out.ChoiceFor(purpose) = alike ? a.ChoiceFor(purpose) : StricterChoice(x, y, purpose);
  }
  out.refused_all_since = std::max(a.refused_all_since, b.refused_all_since);
  out.refused_controls = a.refused_controls;
  for (const ControlRefusal& refusal : b.refused_controls) {
    const auto known = std::find_if(out.refused_controls.begin(), out.refused_controls.end(),
                                    [&](const ControlRefusal& one) { return one.control == refusal.control; });
    if (known == out.refused_controls.end()) {
      out.refused_controls.push_back(refusal);
    } else {
      known->since = std::max(known->since, refusal.since);
    }
  }
  out.retention = internal::Strictness(b.retention) < internal::Strictness(a.retention) ? b.retention : a.retention;
  out.purge_floor = std::max(a.purge_floor, b.purge_floor);
  if (a.kind == ScopeKind::kProfile) StricterPerson(a, b, &out);
  return out;
}

// A scope that only the other one knows, as if it had never chosen: what both have to say alike, so that it stays as it
// is there, and what those that are gone here refused.
ScopeFacts NeverChose(const ScopeFacts& of_other, const SubjectFacts& here) {
  ScopeFacts scope;
  scope.kind = of_other.kind;
  scope.handle = of_other.handle;
  scope.registered = of_other.registered;
  scope.age = of_other.age;
  scope.guardian = of_other.guardian;
  scope.inactivity_notice = of_other.inactivity_notice;
  const ScopeFacts* fold = here.Find(scope.kind, base::Bytes16{});
  if (fold != nullptr) internal::InheritRefusals(*fold, scope);
  return scope;
}

// More than may be registered: the last ones lose that, and their yeses count once they are given again.
void Unregister(SubjectFacts* facts, ScopeKind kind) {
  size_t registered = 0;
  for (ScopeFacts& scope : facts->scopes) {
    if (scope.kind != kind || !scope.registered || ++registered <= kMaxProfiles) continue;
    scope.registered = false;
    scope.default_from = kStillThere;
    for (PurposeChoice& choice : scope.choices) choice.unconfirmed = choice.choice == Choice::kGiven;
  }
  internal::FoldToBound(*facts, kind);
}

void StricterScopes(const SubjectFacts& a, const SubjectFacts& b, SubjectFacts* out) {
  out->scopes.clear();
  for (const ScopeFacts& scope : a.scopes) {
    const ScopeFacts* other = b.Find(scope.kind, scope.handle);
    const ScopeFacts silent = other != nullptr ? ScopeFacts{} : NeverChose(scope, b);
    out->scopes.push_back(StricterScope({a, scope}, {b, other != nullptr ? *other : silent}));
  }
  for (const ScopeFacts& scope : b.scopes) {
    if (a.Find(scope.kind, scope.handle) != nullptr) continue;
    const ScopeFacts silent = NeverChose(scope, a);
    out->scopes.push_back(StricterScope({a, silent}, {b, scope}));
  }
  for (const ScopeKind kind : {ScopeKind::kProfile, ScopeKind::kDevice}) Unregister(out, kind);
}

// Where both live, and have lived. Of more than a record holds, those that were left first are nobody knows which.
void StricterRegions(const SubjectFacts& a, const SubjectFacts& b, SubjectFacts* out) {
  // Who was only named by restrictions lives nowhere.
  const bool both = a.registered == b.registered;
  out->region = both || a.registered ? a.region : b.region;
  std::vector<FormerRegion> all(a.former_regions.begin(), a.former_regions.end());
  all.insert(all.end(), b.former_regions.begin(), b.former_regions.end());
  if (both && a.region != b.region) all.push_back({b.region, kStillThere});
  std::stable_sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.until < y.until; });
  auto& former = out->former_regions;
  for (const FormerRegion& one : all) {
    const auto same = [&](const FormerRegion& other) {
      return other.region == one.region && other.several == one.several;
    };
    former.erase(std::remove_if(former.begin(), former.end(), same), former.end());
    former.push_back(one);
  }
  while (former.size() > kMaxFormerRegions) {
    former.erase(former.begin());
    former.front() = {Region{}, former.front().until, true};
  }
}

void CloseStricter(const SubjectFacts& a, const SubjectFacts& b, SubjectFacts* out) {
  const auto is_closed = [](const SubjectFacts& one) { return one.closed_at.IsSet() && !one.reopened_at.IsSet(); };
  out->closed_at = EarlierSet(a.closed_at, b.closed_at);
  const bool closed = is_closed(a) || is_closed(b);
  out->forgotten = closed && (a.forgotten || b.forgotten);
  out->reopened_at = closed ? Instant{} : std::max(a.reopened_at, b.reopened_at);
}

// All of the record's, or of its cover. False: it lacks what it stands for.
bool AddAll(const SubjectFacts& facts, TombstoneIntervals* all) {
  if (facts.has_more_tombstones && facts.cover == nullptr) return false;
  const std::vector<Tombstone> covered = facts.has_more_tombstones ? facts.cover->All() : std::vector<Tombstone>{};
  const auto add = [all](const Tombstone& tombstone) { return all->Add(tombstone); };
  return std::all_of(covered.begin(), covered.end(), add) &&
         std::all_of(facts.tombstones.begin(), facts.tombstones.end(), add);
}

void StricterTombstones(const SubjectFacts& a, const SubjectFacts& b, SubjectFacts* out) {
  out->tombstones = a.tombstones;
  for (const Tombstone& tombstone : b.tombstones) {
    if (std::find(a.tombstones.begin(), a.tombstones.end(), tombstone) == a.tombstones.end()) {
      out->tombstones.push_back(tombstone);
    }
  }
  out->has_more_tombstones = a.has_more_tombstones || b.has_more_tombstones || out->tombstones.size() > kMaxTombstones;
  if (!out->has_more_tombstones) return;
  out->tombstones.clear();
  TombstoneIntervals all;
  if (AddAll(a, &all) && AddAll(b, &all)) out->cover = std::make_shared<const TombstoneIntervals>(std::move(all));
}

// A hold makes nothing eligible and purges nothing, so where there are too many, they grow together.
void StricterHolds(const SubjectFacts& a, const SubjectFacts& b, SubjectFacts* out) {
  auto& holds = out->holds;
  holds = a.holds;
  for (const Hold& hold : b.holds) {
    if (std::find(a.holds.begin(), a.holds.end(), hold) == a.holds.end()) holds.push_back(hold);
  }
  for (const bool of_all : {false, true}) {
    if (holds.size() <= kMaxHolds) return;
    absl::InlinedVector<Hold, 1> grown;
    for (Hold hold : holds) {
      if (of_all) hold = {ScopeKind::kAccount, {}, hold.captured};
      const auto same = std::find_if(grown.begin(), grown.end(), [&](const Hold& one) {
        return one.scope == hold.scope && one.handle == hold.handle;
      });
      if (same == grown.end()) {
        grown.push_back(hold);
      } else {
        same->captured.from = std::min(same->captured.from, hold.captured.from);
        same->captured.to = std::max(same->captured.to, hold.captured.to);
      }
    }
    holds = std::move(grown);
  }
}

// Whose orders count too. More than a record holds cannot come of two of one account.
void StricterJoins(const SubjectFacts& a, const SubjectFacts& b, SubjectFacts* out) {
  out->joined_from = a.joined_from;
  for (const JoinedFrom& from : b.joined_from) {
    const auto known = std::find_if(out->joined_from.begin(), out->joined_from.end(),
                                    [&](const JoinedFrom& one) { return one.subject == from.subject; });
    if (known == out->joined_from.end()) {
      if (out->joined_from.size() < kMaxJoinedFrom) out->joined_from.push_back(from);
    } else {
      known->revision = std::max(known->revision, from.revision);
    }
  }
}

}  // namespace

SubjectFacts Strictest(const SubjectFacts& a, const SubjectFacts& b, Instant at) {
  SubjectFacts out;
  out.revision = std::max(a.revision, b.revision);
  out.restricted = std::max(a.restricted, b.restricted);
  out.registered = a.registered || b.registered;
  out.has_recording_marks = a.has_recording_marks || b.has_recording_marks;
  out.has_unverified_deletions = a.has_unverified_deletions || b.has_unverified_deletions;
  out.left_a_default = a.left_a_default || b.left_a_default;
  out.default_from = std::max(a.default_from, b.default_from);
  out.default_denied = std::max(a.default_denied, b.default_denied);
  if (a.registered != b.registered) out.default_denied = std::max(out.default_denied, at);
  out.restored_at = std::max(a.restored_at, b.restored_at);
  out.join = std::max(a.join, b.join);
  out.joined_into = a.join >= b.join ? a.joined_into : b.joined_into;
  StricterJoins(a, b, &out);
  out.holds_changed = std::max(a.holds_changed, b.holds_changed);
  StricterRegions(a, b, &out);
  CloseStricter(a, b, &out);
  StricterScopes(a, b, &out);
  StricterTombstones(a, b, &out);
  StricterHolds(a, b, &out);
  return out;
}

}  // namespace consent::domain
