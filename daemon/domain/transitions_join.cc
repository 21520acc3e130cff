// Joining one account into another: what each commit makes of its record.
#include <algorithm>

#include "daemon/domain/effective.h"
#include "daemon/domain/strictest.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain::internal {
namespace {

FactChange Joined() {
  FactChange change;
  change.what = ChangedWhat::kJoined;
  return change;
}

// What somebody said, without the orders: those stay with the account that they were given for, under their ids, and
// count for both from there.
SubjectFacts WithoutOrders(const SubjectFacts& from) {
  SubjectFacts facts = from;
  facts.tombstones.clear();
  facts.has_more_tombstones = false;
  facts.cover = nullptr;
  facts.holds.clear();
  facts.holds_changed = 0;
  facts.has_recording_marks = false;
  facts.has_unverified_deletions = false;
  facts.closed_at = facts.reopened_at = Instant{};
  facts.forgotten = false;
  facts.join = JoinState::kNone;
  facts.joined_into = {};
  return facts;
}

// Records what `after` allows less of than `before`, or otherwise: choices, retention, and scopes that are new.
void RecordDifferences(TransitionBuilder& builder, const SubjectFacts& before, const SubjectFacts& after) {
  for (const ScopeFacts& scope : after.scopes) {
    const ScopeRef ref{scope.kind, scope.handle};
    const ScopeFacts* known = before.Find(scope.kind, scope.handle);
    const ScopeFacts nothing;
    const ScopeFacts& old = known != nullptr ? *known : nothing;
    if (known == nullptr && scope.registered) RecordScope(builder, ChangedWhat::kScopeAdded, ref, /*loosens=*/false);
    for (const Purpose purpose : kAllPurposes) {
      const Choice was = EffectiveChoice(old, purpose, builder.rules).choice;
      const Choice is = EffectiveChoice(scope, purpose, builder.rules).choice;
      if (was == is) continue;
      FactChange change;
      change.scope = ref;
      change.purpose = purpose;
      change.from = was;
      change.to = is;
      change.loosens = is == Choice::kGiven;
      builder.Record(std::move(change));
    }
    if (old.retention == scope.retention) continue;
    FactChange change;
    change.what = ChangedWhat::kRetention;
    change.scope = ref;
    change.retention = scope.retention;
    change.loosens = Strictness(scope.retention) > Strictness(old.retention);
    builder.Record(std::move(change));
  }
}

// A yes of both under two notices waits to be given again. Until then it has the lifetime that ends first.
void EndAtTheEarlier(const TransitionBuilder& builder, const SubjectFacts& a, const SubjectFacts& b,
                     SubjectFacts* joined) {
  for (ScopeFacts& scope : joined->scopes) {
    const ScopeFacts* of_a = a.Find(scope.kind, scope.handle);
    const ScopeFacts* of_b = b.Find(scope.kind, scope.handle);
    if (of_a == nullptr || of_b == nullptr) continue;
    for (const Purpose purpose : kAllPurposes) {
      PurposeChoice& choice = scope.ChoiceFor(purpose);
      if (choice.choice != Choice::kGiven || !choice.unconfirmed) continue;
      for (const ScopeFacts* one : {of_a, of_b}) {
        if (one->ChoiceFor(purpose).choice != Choice::kGiven) continue;
        PurposeChoice other = choice;
        other.notice = one->ChoiceFor(purpose).notice;
        if (ConsentEnd(other, builder.rules) < ConsentEnd(choice, builder.rules)) choice.notice = other.notice;
      }
    }
  }
}

PartOutcome Begin(TransitionBuilder& builder, const JoinCommand& join) {
  SubjectFacts& facts = builder.after();
  if (facts.join != JoinState::kNone) {
    return facts.joined_into == join.other ? Applied(false) : Refused(Refusal::kAccountJoined);
  }
  PartOutcome gate = MayLoosen(builder, false);
  if (gate.refusal != Refusal::kNone) return gate;
  facts.join = join.is_new ? JoinState::kRenaming : JoinState::kJoining;
  facts.joined_into = join.other;
  builder.Record(Joined());
  return Applied(true);
}

PartOutcome Take(TransitionBuilder& builder, const JoinCommand& join) {
  SubjectFacts& facts = builder.after();
  if (builder.IsClosed() || facts.reopened_at.IsSet()) return Refused(Refusal::kAccountClosed);
  if (facts.join != JoinState::kNone) return Refused(Refusal::kAccountJoined);
  const JoinedFrom from{join.other, join.facts->revision};
  if (std::find(facts.joined_from.begin(), facts.joined_from.end(), from) != facts.joined_from.end()) {
    return Applied(false);
  }
  SubjectFacts taken = WithoutOrders(*join.facts);
  const auto& further = taken.joined_from;
  const auto is_known = [&](base::SubjectHandle subject) {
    return std::any_of(facts.joined_from.begin(), facts.joined_from.end(),
                       [&](const JoinedFrom& one) { return one.subject == subject; });
  };
  const auto added =
      std::count_if(further.begin(), further.end(), [&](const JoinedFrom& one) { return !is_known(one.subject); });
  const size_t most = facts.joined_from.size() + static_cast<size_t>(added) + (is_known(join.other) ? 0 : 1);
  if (most > kMaxJoinedFrom) return Refused(Refusal::kSubjectFull);
  const SubjectFacts before = facts;
  taken.joined_from.erase(std::remove_if(taken.joined_from.begin(), taken.joined_from.end(),
                                         [&](const JoinedFrom& one) { return one.subject == join.other; }),
                          taken.joined_from.end());
  // A new name of the same account: nothing was ever said to it.
  const bool is_copy = join.is_new && before.revision == 0;
  facts = is_copy ? taken : Strictest(before, taken, builder.moment.time);
  if (!is_copy) EndAtTheEarlier(builder, before, taken, &facts);
  const auto known = std::find_if(facts.joined_from.begin(), facts.joined_from.end(),
                                  [&](const JoinedFrom& one) { return one.subject == join.other; });
  if (known == facts.joined_from.end()) {
    facts.joined_from.push_back(from);
  } else {
    known->revision = from.revision;
  }
  facts.holds_changed = builder.moment.sequence;  // each holds now what the other one has
  builder.Record(Joined());
  RecordDifferences(builder, before, facts);
  builder.result.registered_now = facts.registered && !before.registered;
  return Applied(true);
}

PartOutcome End(TransitionBuilder& builder, const JoinCommand& join) {
  SubjectFacts& facts = builder.after();
  if (facts.joined_into != join.other) return Refused(Refusal::kAccountJoined);
  if (facts.join == JoinState::kAlias) return Applied(false);
  // What came since has to be taken, too.
  if (builder.command.expected_revision != builder.before.revision) return Refused(Refusal::kEtagMismatch);
  facts.join = JoinState::kAlias;
  facts.holds_changed = builder.moment.sequence;
  builder.Record(Joined());
  // What becomes of its own scopes; those of the other one are nothing that it had.
  SubjectFacts joined = *join.facts;
  joined.scopes.erase(
      std::remove_if(joined.scopes.begin() + 1, joined.scopes.end(),
                     [&](const ScopeFacts& scope) { return facts.Find(scope.kind, scope.handle) == nullptr; }),
      joined.scopes.end());
  RecordDifferences(builder, facts, joined);
  return Applied(true);
}

PartOutcome GiveUp(TransitionBuilder& builder, const JoinCommand& join) {
  SubjectFacts& facts = builder.after();
  if (!IsJoining(facts.join) || facts.joined_into != join.other) return Applied(false);
  facts.join = JoinState::kNone;
  facts.joined_into = {};
  builder.Record(Joined());
  return Applied(true);
}

}  // namespace

PartOutcome ApplyJoin(TransitionBuilder& builder, const JoinCommand& join) {
  switch (join.step) {
    case JoinStep::kBegin:
      return Begin(builder, join);
    case JoinStep::kTake:
      return Take(builder, join);
    case JoinStep::kEnd:
      return End(builder, join);
    case JoinStep::kGiveUp:
      break;
  }
  return GiveUp(builder, join);
}

}  // namespace consent::domain::internal
