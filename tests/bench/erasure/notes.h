// The exact stored bytes that have to vanish with a cohort's requests and accounts, read from the store while no daemon
// has it.
#pragma once

#include <set>
#include <string>

#include "tests/bench/erasure/cohort.h"
#include "tests/bench/offline.h"
#include "tests/fault/store/raw_files.h"

namespace consent::bench {

struct Notes {
  test::Traces keys;                    // gone before COMPLETED: shares of payload keys, and where they lay
  test::Traces all;                     // these, and what is gone with the bytes' step
  test::Traces clear;                   // raw ids, which are nowhere at any time
  std::set<std::string> names;          // of `all`, as a scan names it
  store::EraseTargetsByPartition rows;  // where it lies
};

// Ends the process where the store does not hold what it should.
Notes NoteStored(Offline& offline, const Cohort& cohort);

}  // namespace consent::bench
