// Which changes of a subject end the review grants that were given before them. Private to this folder.
#pragma once

#include "daemon/domain/transitions.h"
#include "daemon/service/commit/change.h"

namespace consent::service {

// Whether grants that were given under `before` are over by the change (SubjectFacts::restricted). What is not known to
// loosen, or to turn no answer, restricts. Pure.
bool IsNewlyRestricted(const ChangeRequest& request, const domain::SubjectFacts& before,
                       const domain::Transition& transition);

}  // namespace consent::service
