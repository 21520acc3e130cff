// Verifies media tokens without a call: what a data system does before it redeems one, so that what is forged, late or
// meant for somebody else costs no call. It is a filter and no permission: a token that is good here may have been
// redeemed already, and its recording may have been restricted since. Reviews::Redeem alone gives anything out.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "consent/export.h"
#include "consent/reviews.h"
#include "consent/types.h"

namespace consent {

inline constexpr std::chrono::seconds kMostMediaTokenTolerance{60};

// Everything but kGood: give nothing out.
enum class MediaTokenFinding : uint8_t {
  kUnreadable = 0,  // it is no token's text
  kSignature = 1,   // the key's owner did not sign it
  kAudience = 2,    // it is another data system's
  kSite = 3,        // it is another site's
  kMedia = 4,       // it opens something else
  kOver = 5,        // its time has passed
  kAhead = 6,       // it ends later than any token of now: this clock is behind
  kGood = 7,
};
// "unreadable", "signature", "audience", "site", "media", "over", "ahead", "good".
CONSENT_EXPORT std::string_view Word(MediaTokenFinding finding);

// What a token must be for. All three are compared byte by byte.
struct MediaTokenUse {
  // The data system's name; 1 to 64 bytes.
  std::string audience;
  // Whose request it is; empty for grants without a site. At most 64 bytes.
  std::string site;
  // ReviewGrant::media_handle, by which the request names what it wants.
  std::string media_handle;
};

struct MediaTokenOptions {
  // Reviews::GetMediaKey. A store that was restored may have another one: tokens of before are refused then.
  MediaKey key{};
  // How far this machine's clock and the daemon's may be apart; 0 to kMostMediaTokenTolerance. A token counts for so
  // long after its end.
  std::chrono::seconds tolerance{5};
  // Null: the system's.
  std::function<Time()> wall_clock;
};

// Immutable; thread-safe. Neither blocks nor calls.
class CONSENT_EXPORT MediaTokenVerifier {
 public:
  // InvalidArgument: the tolerance is out of its bounds.
  static absl::StatusOr<MediaTokenVerifier> Create(MediaTokenOptions options);

  // A token of any length; one above 512 bytes is unreadable.
  MediaTokenFinding Verify(std::string_view token, const MediaTokenUse& use) const;

 private:
  explicit MediaTokenVerifier(MediaTokenOptions options);

  MediaTokenOptions options_;
};

}  // namespace consent
