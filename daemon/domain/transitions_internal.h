// What transitions.cc and transitions_people.cc share. Private to this folder.
#pragma once

#include <string>
#include <utility>

#include "daemon/domain/transitions.h"

namespace consent::domain::internal {

// One command being applied. The two halves (choices and retention; people) are free functions over it.
struct Applying {
  const SubjectFacts& before;
  const Command& command;
  const Moment& moment;
  const Rules& rules;
  Transition& result;

  SubjectFacts& after() { return result.after; }
  void Record(FactChange change) { result.changes.push_back(std::move(change)); }
};

inline PartOutcome Refused(Refusal refusal, std::string detail = {}) { return PartOutcome{refusal, false, std::move(detail)}; }
inline PartOutcome Applied(bool changed) { return PartOutcome{Refusal::kNone, changed, {}}; }

// What every loosening needs: a clock that can be trusted, a registered subject, the current revision, channel and actor.
// `about_people`: the part only says who lives there, which a first registration may do without etag and evidence.
PartOutcome MayLoosen(const Applying& applying, bool about_people);

// The scope, made unregistered if a restriction names it first; nullptr where the subject is full.
ScopeFacts* FindOrCreate(Applying& applying, const ScopeRef& scope);

size_t CountScopes(const SubjectFacts& facts, ScopeKind kind, bool registered_only);

// Smaller is stricter.
int Strictness(const Retention& retention);

// The last capture that had expired under `retention` at `now`; unset: none.
Instant ExpiredUpTo(const Retention& retention, Instant now);

PartOutcome ApplyRegion(Applying& applying, Region region);
PartOutcome ApplyProfile(Applying& applying, const ProfileCommand& profile);
PartOutcome ApplyDevice(Applying& applying, base::DeviceHandle device);
PartOutcome ApplyRemoval(Applying& applying, const ScopeRef& scope);

}  // namespace consent::domain::internal
