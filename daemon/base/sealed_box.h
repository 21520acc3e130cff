// Sealing to the owner of a key of X25519: whoever has its public half seals, and the secret half alone opens. The
// bytes are those of libsodium's crypto_box_seal: ephemeral public key (32) ‖ tag (16) ‖ ciphertext.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/base/random.h"

namespace consent::base {

// Bytes that sealing adds.
inline constexpr size_t kSealedBoxOverhead = 32 + 16;

// Immutable; thread-safe.
class BoxPublicKey {
 public:
  explicit BoxPublicKey(const Digest& key) : key_(key) {}
  const Digest& bytes() const { return key_; }
  bool operator==(const BoxPublicKey&) const = default;
  // False of a key of low order, such as zeros: what is sealed to it could be opened by anybody.
  bool CanSeal() const;
  // Empty where it cannot seal. Thread-safe if `random` is.
  std::string Seal(std::string_view plain, Random& random) const;

 private:
  Digest key_{};
};

// Immutable; thread-safe. Wipes its bytes when it goes.
class BoxSecretKey {
 public:
  explicit BoxSecretKey(const Digest& key) : key_(key) {}
  BoxSecretKey(const BoxSecretKey&) = default;
  BoxSecretKey& operator=(const BoxSecretKey&) = default;
  ~BoxSecretKey();
  const Digest& bytes() const { return key_; }
  BoxPublicKey Public() const;
  // Nothing where it is not sealed to this key, or damaged.
  std::optional<std::string> Open(std::string_view sealed) const;

 private:
  Digest key_{};
};

}  // namespace consent::base
