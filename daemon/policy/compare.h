// What changes from one policy to its successor, and whether stored choices allow it. Pure; thread-safe.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/domain/rules.h"
#include "daemon/policy/document.h"
#include "daemon/policy/state.h"

namespace consent::policy {

// By what a change can do to answers and to what users may choose. Zero is the one that is refused.
enum class DifferenceKind : uint8_t {
  kBreaksStored =
      0,  // would make a stored consent permit more, or a stored refusal forbid less; harmless while none exists
  kLoosening = 1,    // can turn an answer towards yes or KEEP, or offers more; touches no stored choice
  kRestriction = 2,  // can only turn answers towards no or PURGE, or offers less
  kNeutral = 3,      // changes neither
};

struct Difference {
  // Entries stand by name, not by position: `regimes["us"].default_rule`, `notices["2026-01"].covers_past`.
  std::string path;
  std::string what;
  DifferenceKind kind = DifferenceKind::kBreaksStored;
  // For kBreaksStored exactly one is set: whose stored consents (refusals) it concerns.
  domain::NoticeNumber notice = 0;
  domain::ControlNumber control = 0;
  // Of kBreaksStored: nothing is looser by it while no stored choice refers to it, because something is dropped.
  bool harmless_unused = false;
};

// A difference word by word, `path: what`: how it is shown, and how whoever activates a policy names it.
std::string Words(const Difference& difference);

// Whether it has to be named before it may come into force. One that breaks stored choices is allowed only while nobody
// has such a choice; then it loosens what will be chosen, save where something is only dropped.
inline bool Loosens(const Difference& difference) {
  return difference.kind == DifferenceKind::kLoosening ||
         (difference.kind == DifferenceKind::kBreaksStored && !difference.harmless_unused);
}

// All differences field by field, in the order of policy.proto; empty where only version or layout differ. Regions are
// compared by the regime that applies to them, so that a renamed regime is neutral.
std::vector<Difference> Compare(const PolicyRow& previous, const Document& next);

// What stored choices refer to, by the numbers of the previous policy's state. It must stay true until the activation
// is committed: the caller gathers it where no choice can be written in between. Too many entries only refuse more.
struct Usage {
  std::set<domain::NoticeNumber> notices;    // that stored consents were given under
  std::set<domain::ControlNumber> controls;  // that stored refusals name
};

// Whether `next` may succeed `previous` (nullptr: nothing was activated before, and anything valid may be).
// FailedPrecondition with every reason, at most kMaxProblems: the same version with other bytes; a difference of
// kBreaksStored whose notice or control is in `usage`; what Advance would refuse. A version that was in force before
// `previous` is the caller's to look up: CheckSameContent (document.h).
absl::Status CheckActivation(const PolicyRow* previous, const Document& next, const Usage& usage);

// Whether what `next` loosens against `previous` (nullptr: nothing, there is no predecessor) is named, each by its
// Words. FailedPrecondition: some is not, with the first kMaxProblems of it word by word; InvalidArgument: something is
// named that is no loosening of this policy, so that whoever named it looked at another one.
absl::Status CheckNamed(const PolicyRow* previous, const Document& next, const std::vector<std::string>& named);

}  // namespace consent::policy
