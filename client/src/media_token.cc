#include "consent/media_token.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/domain/media_token.h"

namespace consent {
namespace {

static_assert(kMaxMediaTokenBytes == domain::kMaxMediaTokenBytes);
static_assert(sizeof(MediaKey) == sizeof(base::PublicKey));

// A clock before 1970 is behind.
int64_t MicrosOf(Time time) { return std::max<int64_t>(time.time_since_epoch().count(), 0); }

}  // namespace

std::string_view Word(MediaTokenFinding finding) {
  switch (finding) {
    case MediaTokenFinding::kUnreadable:
      break;
    case MediaTokenFinding::kSignature:
      return "signature";
    case MediaTokenFinding::kAudience:
      return "audience";
    case MediaTokenFinding::kSite:
      return "site";
    case MediaTokenFinding::kMedia:
      return "media";
    case MediaTokenFinding::kOver:
      return "over";
    case MediaTokenFinding::kAhead:
      return "ahead";
    case MediaTokenFinding::kGood:
      return "good";
  }
  return "unreadable";
}

MediaTokenVerifier::MediaTokenVerifier(MediaTokenOptions options) : options_(std::move(options)) {}

absl::StatusOr<MediaTokenVerifier> MediaTokenVerifier::Create(MediaTokenOptions options) {
  if (options.tolerance < std::chrono::seconds(0) || options.tolerance > kMostMediaTokenTolerance) {
    return absl::InvalidArgumentError("the tolerance must be from 0 to 60 seconds");
  }
  if (options.wall_clock == nullptr) {
    options.wall_clock = [] {
      return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    };
  }
  return MediaTokenVerifier(std::move(options));
}

MediaTokenFinding MediaTokenVerifier::Verify(std::string_view text, const MediaTokenUse& use) const {
  const std::optional<domain::SignedMediaToken> read = domain::ReadMediaToken(text, options_.key);
  if (!read.has_value()) return MediaTokenFinding::kUnreadable;
  if (!read->is_signed) return MediaTokenFinding::kSignature;
  const domain::MediaToken& token = read->token;
  if (token.audience != use.audience) return MediaTokenFinding::kAudience;
  if (token.site != use.site) return MediaTokenFinding::kSite;
  if (base::Hex(base::View(token.media)) != use.media_handle) return MediaTokenFinding::kMedia;
  const int64_t now = MicrosOf(options_.wall_clock());
  const int64_t tolerance = std::chrono::microseconds(options_.tolerance).count();
  const int64_t left = token.not_after.micros - now;
  if (left < -tolerance) return MediaTokenFinding::kOver;
  if (left > std::chrono::microseconds(kMediaTokenLife).count() + tolerance) return MediaTokenFinding::kAhead;
  return MediaTokenFinding::kGood;
}

}  // namespace consent
