// SHA-256 (FIPS 180-4) of what comes piece by piece.
#pragma once

#include <memory>
#include <string_view>

#include "daemon/base/bytes.h"

namespace consent::base {

// Not thread-safe.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(std::string_view bytes);
  // Of all so far; what follows begins another.
  Digest Finish();

 private:
  class State;
  const std::unique_ptr<State> state_;
};

}  // namespace consent::base
