// What rows of review grants mean for their counts; and whether one was used after what restricts it.
#pragma once

#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// False: a row is damaged. Behind FollowSubjects and the policies' follower: a use is held against what was published
// before it. It knows the restrictions of the grant's own subject and the policy of its partition; the rest of what a
// grant remembers is nowhere in memory.
bool FollowReviews(Core& core, const store::Committed& committed);

}  // namespace consent::service
