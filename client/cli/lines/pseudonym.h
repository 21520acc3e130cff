// Names for recordings that lead nobody back to a person.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "consent/clock.h"
#include "consent/ids.h"

namespace consent {

// Keyed BLAKE2b (RFC 7693) under a key that is made for one run and wiped with it: another recording has another
// pseudonym, and so has the same one in another run. Thread-safe.
class Pseudonyms {
 public:
  explicit Pseudonyms(Random& random);
  ~Pseudonyms();
  Pseudonyms(const Pseudonyms&) = delete;
  Pseudonyms& operator=(const Pseudonyms&) = delete;

  // 32 hexadecimal digits (128 bits).
  std::string For(const AccountId& account, const RecordingId& recording) const;

 private:
  std::array<uint8_t, 32> key_{};
};

}  // namespace consent
