// Verifies media tokens without a call, for the two kinds of data systems. One that calls uses MediaTokenVerifier
// before it redeems a token, so that what is forged, late or meant for somebody else costs no call: a filter and no
// permission, because a token that is good here may have been redeemed already, and its recording may have been
// restricted since; Reviews::Redeem alone gives anything out. One that is registered as unable to call
// (DataSystem::offline_key) uses OfflineMediaVerifier, which is all that it has. To each the other's tokens are
// unreadable.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "consent/export.h"
#include "consent/reviews.h"
#include "consent/types.h"

namespace consent {

inline constexpr std::chrono::seconds kMostMediaTokenTolerance{60};
inline constexpr std::chrono::seconds kMostOfflineTolerance{5};
inline constexpr size_t kMostAcceptedTokens = size_t{1} << 20;

// Everything but kGood: give nothing out.
enum class MediaTokenFinding : uint8_t {
  kUnreadable = 0,  // it is no token's text, or the other kind's
  kSignature = 1,   // the key's owner did not sign it
  kAudience = 2,    // it is another data system's
  kSite = 3,        // it is another site's
  kMedia = 4,       // it opens something else
  kOver = 5,        // its time has passed
  kAhead = 6,       // it ends later than any token of now: this clock is behind
  kGood = 7,
  // Of offline tokens alone.
  kSealed = 8,  // what it opens is sealed to another key
  kUsed = 9,    // it was accepted before
  kFull = 10,   // as many were accepted lately as may be remembered
};
// "unreadable", "signature", "audience", "site", "media", "over", "ahead", "good", "sealed", "used", "full".
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

struct OfflineMediaOptions {
  // Reviews::GetMediaKey, brought over by whoever sets the data system up. A store that was restored may have another
  // one: tokens of before are refused then.
  MediaKey key{};
  // X25519; its public half is the registration's offline_key. The verifier keeps a copy, which it wipes.
  std::array<uint8_t, 32> secret_key{};
  // By how much this machine's clock may be behind the daemon's; 0 to kMostOfflineTolerance.
  std::chrono::seconds tolerance{1};
  // How many accepted tokens are remembered, 72 to 88 bytes each; 1 to kMostAcceptedTokens. None is forgotten early:
  // where there is no room the next one is refused. So many plays may begin in 10 seconds.
  size_t max_accepted = size_t{1} << 16;
  // Null: the system's. Must not call the verifier.
  std::function<Time()> wall_clock;
};

// What an offline token gives out. A default-constructed one gives nothing.
struct OfflineMedia {
  MediaTokenFinding finding = MediaTokenFinding::kUnreadable;
  // Where `finding` is kGood alone.
  std::optional<RedeemedMedia> media;
};

// Opens media tokens for a data system that cannot call, each once. Nobody takes such a token back, so its 10 seconds
// are the bound: no play begins later than kOfflineTokenLife plus `tolerance` after a restriction of its recording was
// acknowledged, as long as this machine's clock is behind the daemon's by `tolerance` at most. A clock that is ahead
// only shortens that. The tolerance lengthens no token: by this clock each ends when it says.
//
// Within one process, that is: what was accepted is remembered here alone. A data system of several processes must send
// all requests of one media handle to the same one, or share a memory of its own; each process that starts anew forgets
// the tokens of the last 10 seconds, so let it wait so long before it serves.
//
// A token is remembered until a later one shows that its end has passed by the daemon's own clock, whatever this
// machine's clock does meanwhile; after a clock of the daemon's that was set back, tokens are over until it has caught
// up. Thread-safe. Neither blocks nor calls.
class CONSENT_EXPORT OfflineMediaVerifier {
 public:
  // InvalidArgument: the tolerance or max_accepted is out of its bounds.
  static absl::StatusOr<std::unique_ptr<OfflineMediaVerifier>> Create(const OfflineMediaOptions& options);
  ~OfflineMediaVerifier();
  OfflineMediaVerifier(const OfflineMediaVerifier&) = delete;
  OfflineMediaVerifier& operator=(const OfflineMediaVerifier&) = delete;

  // Accepts a token once: then it is for one play that begins now. Everything but kGood: give nothing out; what is not
  // good is not used up. A token of any length; one above kMaxMediaTokenBytes is unreadable.
  OfflineMedia Accept(std::string_view token, const MediaTokenUse& use);

 private:
  struct Parts;
  explicit OfflineMediaVerifier(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace consent
