#include "daemon/domain/ends.h"

#include <algorithm>

namespace consent::domain {
namespace {

Instant OwedUntil(const PastEnd& end) { return std::max(end.from, end.owed_until); }

}  // namespace

PastEnd EndIn(const PurposeChoice& choice) {
  return PastEnd{choice.refused_from, choice.copies_owed_until, choice.end_was_expiry, choice.copies_forgiven};
}

PastEnd BothEnds(const PastEnd& a, const PastEnd& b, ScopeKind kind) {
  if (!a.from.IsSet() || !b.from.IsSet()) return a.from.IsSet() ? a : b;
  if (a.was_forgiven != b.was_forgiven) return a.was_forgiven ? b : a;
  if (kind == ScopeKind::kDevice && a.was_expiry != b.was_expiry) return a.was_expiry ? b : a;
  PastEnd both = a;
  both.was_expiry = a.was_expiry && b.was_expiry;
  both.from = a.was_expiry == b.was_expiry ? std::min(a.from, b.from) : a.was_expiry ? b.from : a.from;
  both.owed_until = std::max(OwedUntil(a), OwedUntil(b));
  return both;
}

void SetEnd(const PastEnd& end, PurposeChoice* choice) {
  choice->refused_from = end.from;
  choice->end_was_expiry = end.was_expiry;
  choice->copies_forgiven = end.was_forgiven;
  choice->copies_owed_until = end.was_forgiven || end.owed_until <= end.from ? Instant{} : end.owed_until;
}

}  // namespace consent::domain
