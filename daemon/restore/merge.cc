#include "daemon/restore/merge.h"

#include "daemon/domain/strictest.h"

namespace consent::restore {
namespace {

bool IsClosed(const domain::SubjectFacts& facts) { return facts.closed_at.IsSet() && !facts.reopened_at.IsSet(); }

}  // namespace

std::optional<domain::SubjectFacts> MergeRecord(const Known& known, base::Instant at) {
  if (!known.saved && !known.journaled) return std::nullopt;
  domain::SubjectFacts facts;
  if (!known.journaled) {
    facts = *known.saved;
  } else if (domain::IsForgotten(*known.journaled)) {
    facts = *known.journaled;
  } else {
    facts = domain::Strictest(known.saved.value_or(domain::SubjectFacts{}), *known.journaled, at);
    // A join only goes on, so the later of one account's records says how far it is. One that became an alias since the
    // backup is joined once more: whether the other account's record has taken it, another partition's journal says.
    if (known.journaled->join != domain::JoinState::kNone) {
      const bool was_alias = known.saved && known.saved->join == domain::JoinState::kAlias;
      const bool is_alias = known.journaled->join == domain::JoinState::kAlias;
      facts.join = is_alias && !was_alias ? domain::JoinState::kJoining : known.journaled->join;
      facts.joined_into = known.journaled->joined_into;
    }
  }
  bool loosened = known.loosened;
  if (known.closure_cancelled && IsClosed(facts)) {
    facts.closed_at = known.closed_before;
    facts.reopened_at = known.reopened_before;
    loosened = true;
  }
  // Nothing of a closed account is loosened but that a new one begins: what is recorded since is not the closed one's.
  if (IsClosed(facts) && known.reopened_at > facts.closed_at) facts.reopened_at = known.reopened_at;
  if (loosened && !IsClosed(facts)) facts.restored_at = at;
  return facts;
}

}  // namespace consent::restore
