// What `keys` and `key_file` share. Private to them.
#pragma once

#include <sodium.h>

#include <cstdlib>
#include <string>

namespace consent::base {

// Text that holds keys: wiped when it goes.
struct SecretText {
  std::string text;
  ~SecretText() { sodium_memzero(text.data(), text.size()); }
};

// Picks libsodium's fastest code for this processor; without it everything works, several times slower.
inline void PrepareLibrary() {
  if (sodium_init() < 0) std::abort();  // no source of randomness on this machine: there is nothing safe to do
}

}  // namespace consent::base
