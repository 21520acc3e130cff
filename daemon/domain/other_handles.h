// The same values under other keys: a layer over each handle that they name (base::HandleLayer). What is none, the
// account's and a fold's, stays none. Pure; thread-safe.
#pragma once

#include "daemon/base/ids.h"
#include "daemon/domain/deletion.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"

namespace consent::domain {

ScopeRef Over(const base::HandleLayer& layer, const ScopeRef& scope);

// Of a record: what its row holds, and so not `cover` and `beside`.
void PutOver(const base::HandleLayer& layer, SubjectFacts* facts);

// The profiles and the device that a recording names.
void PutOver(const base::HandleLayer& layer, RecordingFacts* facts);

// Recordings come into the order of their new handles.
void PutOver(const base::HandleLayer& layer, Selector* selector);
void PutOver(const base::HandleLayer& layer, HeldPart* held);

}  // namespace consent::domain
