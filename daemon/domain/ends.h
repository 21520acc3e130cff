// What a choice remembers of consents and defaults that ended before it. Pure.
#pragma once

#include "daemon/domain/types.h"

namespace consent::domain {

// One end, or what is left of several. Denied is what was captured while it refused, from `from` on; copies are owed of
// what was captured before `owed_until`.
struct PastEnd {
  Instant from;               // unset: there was none
  Instant owed_until;         // unset: `from`
  bool was_expiry = false;    // nothing was refused
  bool was_forgiven = false;  // a notice that covers the past was agreed to since: no copy is owed
};

// Of a yes, of a scope that is gone, or of a no what had ended before it was said.
PastEnd EndIn(const PurposeChoice& choice);

// What is owed or denied by one is by the other: the first time and the last one, of those that are not forgiven if
// there is one. An expiry refused nothing, and a device's is no end where there is another. In either order the same.
PastEnd BothEnds(const PastEnd& a, const PastEnd& b, ScopeKind kind);

// Stores it: forgiven copies are not owed until any time.
void SetEnd(const PastEnd& end, PurposeChoice* choice);

}  // namespace consent::domain
