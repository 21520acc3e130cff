// The daemon's master keys. None of them is ever sent.
#pragma once

#include <cstdint>
#include <vector>

namespace consent {

struct KeyState {
  // Numbers of those in force, ascending. New keys lie under the last.
  std::vector<int> master_keys;
  // Nothing lies under a master key below this number, nor do the store's files hold what did.
  int rewrapped_to = 0;
  // To which one a rotation that is under way goes; 0: none is.
  int rewrapping_to = 0;
  // What still lies under an older one, as far as it was counted.
  int64_t shares_left = 0;
};

}  // namespace consent
