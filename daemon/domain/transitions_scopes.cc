// Profiles and devices that come and go, and what of them the record keeps when they are gone.
#include <algorithm>

#include "daemon/domain/effective.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain::internal {
namespace {

constexpr base::Bytes16 kFold{};

size_t CountScopes(const SubjectFacts& facts, ScopeKind kind, bool registered) {
  return static_cast<size_t>(std::count_if(facts.scopes.begin(), facts.scopes.end(), [&](const ScopeFacts& scope) {
    return scope.kind == kind && scope.registered == registered && !scope.IsFold();
  }));
}

Instant EarlierSet(Instant a, Instant b) {
  if (!a.IsSet() || !b.IsSet()) return std::max(a, b);
  return std::min(a, b);
}

void RefuseControl(ScopeFacts& scope, const ControlRefusal& refusal) {
  for (ControlRefusal& known : scope.refused_controls) {
    if (known.control != refusal.control) continue;
    known.since = std::min(known.since, refusal.since);
    return;
  }
  scope.refused_controls.push_back(refusal);
}

ScopeFacts& AddScope(SubjectFacts& facts, ScopeKind kind, const base::Bytes16& handle) {
  facts.scopes.emplace_back();
  ScopeFacts& scope = facts.scopes.back();
  scope.kind = kind;
  scope.handle = handle;
  return scope;
}

// The oldest unregistered one gives up its place: they stand in the order in which they became so.
void FoldOldest(SubjectFacts& facts, ScopeKind kind) {
  const auto oldest = std::find_if(facts.scopes.begin(), facts.scopes.end(), [&](const ScopeFacts& scope) {
    return scope.kind == kind && !scope.registered && !scope.IsFold();
  });
  const ScopeFacts gone = *oldest;
  facts.scopes.erase(oldest);
  ScopeFacts* fold = facts.Find(kind, kFold);
  if (fold == nullptr) fold = &AddScope(facts, kind, kFold);
  InheritRefusals(gone, *fold);
  fold->purge_floor = std::max(fold->purge_floor, gone.purge_floor);
  fold->default_from = std::max(fold->default_from, gone.default_from);
  if (Strictness(gone.retention) < Strictness(fold->retention)) fold->retention = gone.retention;
}

// What stays of a scope that goes: what it refused, ends whose copies are owed, what had expired. Consents, retention
// and the person go.
ScopeFacts KeptOf(const TransitionBuilder& builder, const ScopeFacts& scope) {
  ScopeFacts kept;
  kept.kind = scope.kind;
  kept.handle = scope.handle;
  kept.refused_all_since = scope.refused_all_since;
  kept.refused_controls = scope.refused_controls;
  const Instant sure = builder.moment.now.earliest;
  kept.purge_floor = std::max({scope.purge_floor, ExpiredUpTo(scope.retention, sure), InactivityPurge(builder, scope)});
  for (const Purpose purpose : kAllPurposes) {
    const PurposeChoice& choice = scope.ChoiceFor(purpose);
    if (SaysNo(choice.choice)) {
      kept.ChoiceFor(purpose) = choice;
      continue;
    }
    PurposeChoice end = EndOf(builder, scope, choice);
    if (!end.refused_from.IsSet() || end.copies_forgiven) continue;
    end.since = choice.since;
    kept.ChoiceFor(purpose) = end;
  }
  return kept;
}

}  // namespace

void InheritRefusals(const ScopeFacts& from, ScopeFacts& into) {
  for (const Purpose purpose : kAllPurposes) {
    const PurposeChoice& choice = from.ChoiceFor(purpose);
    const Instant since = SaysNo(choice.choice) ? choice.since : choice.refused_from;
    if (!since.IsSet()) continue;
    PurposeChoice& kept = into.ChoiceFor(purpose);
    kept.choice = Choice::kRefused;
    kept.inherited = true;
    kept.since = EarlierSet(kept.since, since);
  }
  into.refused_all_since = EarlierSet(into.refused_all_since, from.refused_all_since);
  for (const ControlRefusal& refusal : from.refused_controls) RefuseControl(into, refusal);
}

void FoldToBound(SubjectFacts& facts, ScopeKind kind) {
  while (CountScopes(facts, kind, false) > kMaxProfiles) FoldOldest(facts, kind);
}

ScopeFacts& FindOrCreate(TransitionBuilder& builder, const ScopeRef& ref) {
  SubjectFacts& facts = builder.after();
  if (ScopeFacts* found = facts.Find(ref.kind, ref.handle)) return *found;
  AddScope(facts, ref.kind, ref.handle);
  if (const ScopeFacts* fold = facts.Find(ref.kind, kFold)) InheritRefusals(*fold, facts.scopes.back());
  FoldToBound(facts, ref.kind);
  return *facts.Find(ref.kind, ref.handle);
}

ScopeFacts* Register(TransitionBuilder& builder, const ScopeRef& ref) {
  if (CountScopes(builder.after(), ref.kind, true) >= kMaxProfiles) return nullptr;
  ScopeFacts& scope = FindOrCreate(builder, ref);
  scope.registered = true;
  scope.default_from = builder.moment.time;
  RecordScope(builder, ChangedWhat::kScopeAdded, ref, /*loosens=*/true);
  return &scope;
}

PartOutcome ApplyRemoval(TransitionBuilder& builder, const ScopeRef& ref) {
  SubjectFacts& facts = builder.after();
  const ScopeFacts* scope = ref.kind == ScopeKind::kAccount ? nullptr : facts.Find(ref.kind, ref.handle);
  if (scope == nullptr || scope->WasRemoved() || scope->IsFold()) return Refused(Refusal::kScopeNotFound);
  if (builder.IsImport()) return Refused(Refusal::kImportCannotLoosen, "the profile or device");
  PartOutcome gate = MayLoosen(builder, false);
  if (gate.refusal != Refusal::kNone) return gate;
  // Also where nothing is left of it but that it was removed: no import may bring it back.
  ScopeFacts kept = KeptOf(builder, *scope);
  kept.default_from = builder.moment.time;
  facts.scopes.erase(facts.scopes.begin() + (scope - facts.scopes.data()));
  facts.scopes.push_back(std::move(kept));
  FoldToBound(facts, ref.kind);
  RecordScope(builder, ChangedWhat::kScopeRemoved, ref, /*loosens=*/true);
  return Applied(true);
}

}  // namespace consent::domain::internal

namespace consent::domain {
namespace {

bool KeepRefusalsSince(Instant closed_at, const ScopeFacts& scope, ScopeFacts& kept) {
  for (const Purpose purpose : kAllPurposes) {
    const PurposeChoice& choice = scope.ChoiceFor(purpose);
    if (SaysNo(choice.choice) && choice.since > closed_at) kept.ChoiceFor(purpose) = choice;
  }
  if (scope.refused_all_since > closed_at) kept.refused_all_since = scope.refused_all_since;
  for (const ControlRefusal& refusal : scope.refused_controls) {
    if (refusal.since > closed_at) kept.refused_controls.push_back(refusal);
  }
  return kept.choices != decltype(kept.choices){} || kept.refused_all_since.IsSet() || !kept.refused_controls.empty();
}

}  // namespace

SubjectFacts RefusedSinceClosure(const SubjectFacts& facts, const std::vector<SaidSince>& said_since) {
  SubjectFacts left;
  left.closed_at = facts.closed_at;
  for (const ScopeFacts& scope : facts.scopes) {
    ScopeFacts kept;
    kept.kind = scope.kind;
    kept.handle = scope.handle;
    const bool keeps = KeepRefusalsSince(facts.closed_at, scope, kept);
    if (scope.kind == ScopeKind::kAccount) {
      left.account() = std::move(kept);
    } else if (keeps) {
      left.scopes.push_back(std::move(kept));
    }
  }
  for (const auto& [at, change] : said_since) {
    const bool is_no = change.what == ChangedWhat::kPurpose && SaysNo(change.to);
    if (!is_no && change.what != ChangedWhat::kRetention) continue;
    ScopeFacts* scope = left.Find(change.scope.kind, change.scope.handle);
    if (scope == nullptr) scope = &internal::AddScope(left, change.scope.kind, change.scope.handle);
    if (is_no) {
      PurposeChoice& choice = scope->ChoiceFor(change.purpose);
      choice = PurposeChoice{};
      choice.choice = Choice::kRefused;
      choice.since = at;
    } else if (internal::Strictness(change.retention) < internal::Strictness(scope->retention)) {
      scope->retention = change.retention;
    }
  }
  // The history may tell of more scopes than a record holds.
  for (const ScopeKind kind : {ScopeKind::kProfile, ScopeKind::kDevice}) internal::FoldToBound(left, kind);
  return left;
}

}  // namespace consent::domain
