// Every fsync and fdatasync of the process, the engine's included: counted, and made as slow as a test wants them.
#pragma once

#include <cstdint>

namespace consent::test {

// From now on each takes so much longer. Not by more than a second.
void SlowDownSyncs(int64_t microseconds);
// Of the engine's log files, so far: what commits wait for.
uint64_t SyncsOfLogs();

}  // namespace consent::test
