// Media tokens: what a review tool hands to a data system, which gives the bytes of one recording out for it, once.
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/base/random_id.h"
#include "daemon/base/signature.h"
#include "daemon/base/time.h"

namespace consent::domain {

inline constexpr size_t kMaxMediaTokenBytes = 512;  // of its text

// Names no person and no recording.
struct MediaToken {
  base::GrantId grant;  // as the tool knows it
  uint64_t fence = 0;
  base::Bytes16 media{};  // drawn for the grant
  base::Bytes16 nonce{};  // drawn for the token
  base::Instant not_after;
  std::string site;      // at most 64 bytes
  std::string audience;  // the data system; 1 to 64 bytes
  bool operator==(const MediaToken&) const = default;
};

// base64url of `01` ‖ grant (16) ‖ varint fence ‖ media (16) ‖ nonce (16) ‖ varint not_after in µs ‖ string site ‖
// string audience ‖ Ed25519 of all before (64).
std::string SignMediaToken(const MediaToken& token, const base::SigningKey& key);
// Nothing where it is no token's text.
struct SignedMediaToken {
  MediaToken token;
  bool is_signed = false;  // by the key's owner
};
std::optional<SignedMediaToken> ReadMediaToken(std::string_view text, const base::PublicKey& key);

}  // namespace consent::domain
