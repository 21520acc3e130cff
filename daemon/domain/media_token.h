// Media tokens: what a review tool hands to a data system, which gives the bytes of one recording out for it, once.
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/base/random.h"
#include "daemon/base/random_id.h"
#include "daemon/base/sealed_box.h"
#include "daemon/base/signature.h"
#include "daemon/base/time.h"
#include "daemon/domain/types.h"

namespace consent::domain {

inline constexpr size_t kMaxMediaTokenBytes = 768;  // of its text
// Of SealMediaIds, whatever the ids.
inline constexpr size_t kMediaIdsBytes = 2 * (2 + base::kMaxIdBytes) + 1;
inline constexpr size_t kSealedMediaIdsBytes = kMediaIdsBytes + base::kSealedBoxOverhead;

// In plain it names no person and no recording.
struct MediaToken {
  base::GrantId grant;  // as the tool knows it
  uint64_t fence = 0;
  base::Bytes16 media{};  // drawn for the grant
  base::Bytes16 nonce{};  // drawn for the token
  base::Instant not_after;
  std::string site;      // at most 64 bytes
  std::string audience;  // the data system; 1 to 64 bytes
  // Of an offline token, which is for a data system that cannot call: what it gives out (SealMediaIds). Empty: the data
  // system redeems, and learns it then.
  std::string sealed;
  bool IsOffline() const { return !sealed.empty(); }
  bool operator==(const MediaToken&) const = default;
};

// What a data system that cannot call is to give out.
struct MediaIds {
  std::string account_id;    // 1 to 128 bytes
  std::string recording_id;  // likewise
  Artefact artefact = Artefact::kSource;
  bool operator==(const MediaIds&) const = default;
};
// string account ‖ string recording ‖ number of the artefact as in consent.v1 ‖ zeros up to kMediaIdsBytes, in a sealed
// box of kSealedMediaIdsBytes: its length tells nothing. Empty where the key cannot seal.
std::string SealMediaIds(const MediaIds& ids, const base::BoxPublicKey& key, base::Random& random);
// Nothing where they are not sealed to this key, or are none.
std::optional<MediaIds> OpenMediaIds(std::string_view sealed, const base::BoxSecretKey& key);

// base64url of `01` ‖ grant (16) ‖ varint fence ‖ media (16) ‖ nonce (16) ‖ varint not_after in µs ‖ string site ‖
// string audience ‖ Ed25519 of all before (64). Of an offline token it begins with `02`, and `sealed` stands before the
// signature.
std::string SignMediaToken(const MediaToken& token, const base::SigningKey& key);
// Nothing where it is no token's text.
struct SignedMediaToken {
  MediaToken token;
  bool is_signed = false;  // by the key's owner
};
std::optional<SignedMediaToken> ReadMediaToken(std::string_view text, const base::PublicKey& key);

}  // namespace consent::domain
