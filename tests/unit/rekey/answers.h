// All that a service answers, in words.
#pragma once

#include <string>
#include <vector>

#include "daemon/base/ids.h"
#include "tests/support/service/world.h"

namespace consent::test {

// Checks, settings, histories, settings at past times, requests, holds, tasks, flags, children, systems, policies and
// promises: a line each, the same of two worlds that answer the same. Handles in them are those of `world`, with `over`
// put over them; nullptr: as they are.
std::vector<std::string> Answers(World& world, const base::HandleLayer* over);

}  // namespace consent::test
