#include "consent/media_token.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "client/src/wall_clock.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/mutex.h"
#include "daemon/base/sealed_box.h"
#include "daemon/domain/media_token.h"

namespace consent {
namespace {

static_assert(kMaxMediaTokenBytes == domain::kMaxMediaTokenBytes);
static_assert(sizeof(MediaKey) == sizeof(base::PublicKey));

// A clock before 1970 is behind.
int64_t MicrosOf(Time time) { return std::max<int64_t>(time.time_since_epoch().count(), 0); }

int64_t MicrosOf(std::chrono::seconds span) { return std::chrono::microseconds(span).count(); }

Artefact ArtefactOf(domain::Artefact artefact) {
  return artefact == domain::Artefact::kSource ? Artefact::kSource : static_cast<Artefact>(artefact);
}

// All but its time: kGood, with `token`, where it is for this use.
MediaTokenFinding FindUse(std::string_view text, const MediaKey& key, const MediaTokenUse& use, bool offline,
                          domain::MediaToken* token) {
  std::optional<domain::SignedMediaToken> read = domain::ReadMediaToken(text, key);
  if (!read.has_value() || read->token.IsOffline() != offline) return MediaTokenFinding::kUnreadable;
  if (!read->is_signed) return MediaTokenFinding::kSignature;
  *token = std::move(read->token);
  if (token->audience != use.audience) return MediaTokenFinding::kAudience;
  if (token->site != use.site) return MediaTokenFinding::kSite;
  if (base::Hex(base::View(token->media)) != use.media_handle) return MediaTokenFinding::kMedia;
  return MediaTokenFinding::kGood;
}

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
    case MediaTokenFinding::kSealed:
      return "sealed";
    case MediaTokenFinding::kUsed:
      return "used";
    case MediaTokenFinding::kFull:
      return "full";
  }
  return "unreadable";
}

MediaTokenVerifier::MediaTokenVerifier(MediaTokenOptions options) : options_(std::move(options)) {}

absl::StatusOr<MediaTokenVerifier> MediaTokenVerifier::Create(MediaTokenOptions options) {
  if (options.tolerance < std::chrono::seconds(0) || options.tolerance > kMostMediaTokenTolerance) {
    return absl::InvalidArgumentError("the tolerance must be from 0 to 60 seconds");
  }
  if (options.wall_clock == nullptr) options.wall_clock = SystemTime;
  return MediaTokenVerifier(std::move(options));
}

MediaTokenFinding MediaTokenVerifier::Verify(std::string_view text, const MediaTokenUse& use) const {
  domain::MediaToken token;
  const MediaTokenFinding found = FindUse(text, options_.key, use, false, &token);
  if (found != MediaTokenFinding::kGood) return found;
  const int64_t tolerance = MicrosOf(options_.tolerance);
  const int64_t left = token.not_after.micros - MicrosOf(options_.wall_clock());
  if (left < -tolerance) return MediaTokenFinding::kOver;
  if (left > MicrosOf(kMediaTokenLife) + tolerance) return MediaTokenFinding::kAhead;
  return MediaTokenFinding::kGood;
}

struct OfflineMediaVerifier::Parts {
  // By its end, and its own number.
  using Accepted = std::pair<int64_t, base::Bytes16>;

  explicit Parts(const OfflineMediaOptions& options)
      : key(options.key),
        secret_key(options.secret_key),
        tolerance(MicrosOf(options.tolerance)),
        max_accepted(options.max_accepted),
        wall_clock(options.wall_clock == nullptr ? SystemTime : options.wall_clock) {}

  // What the daemon signed at `signed_at` by its clock, not before, shows that all that ended by then is over.
  void Forget(int64_t signed_at) REQUIRES(mutex) {
    over_until = std::max(over_until, signed_at);
    accepted.erase(accepted.begin(), accepted.lower_bound({over_until + 1, {}}));
  }
  MediaTokenFinding AcceptOnce(const domain::MediaToken& token) EXCLUDES(mutex) {
    const base::MutexLock lock(mutex);
    const int64_t end = token.not_after.micros;
    const int64_t life = MicrosOf(kOfflineTokenLife);
    // Read last, so that nothing comes between it and the answer.
    const int64_t left = end - MicrosOf(wall_clock());
    if (left < 0 || end <= over_until) return MediaTokenFinding::kOver;
    if (left > life + tolerance) return MediaTokenFinding::kAhead;
    Forget(end - life);
    if (accepted.count({end, token.nonce}) != 0) return MediaTokenFinding::kUsed;
    if (accepted.size() >= max_accepted) return MediaTokenFinding::kFull;
    accepted.emplace(end, token.nonce);
    return MediaTokenFinding::kGood;
  }

  const MediaKey key;
  const base::BoxSecretKey secret_key;
  const int64_t tolerance;
  const size_t max_accepted;
  const std::function<Time()> wall_clock;
  base::Mutex mutex;
  std::set<Accepted> accepted GUARDED_BY(mutex);
  int64_t over_until GUARDED_BY(mutex) = 0;  // what ended by then is over, and forgotten
};

OfflineMediaVerifier::OfflineMediaVerifier(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
OfflineMediaVerifier::~OfflineMediaVerifier() = default;

absl::StatusOr<std::unique_ptr<OfflineMediaVerifier>> OfflineMediaVerifier::Create(const OfflineMediaOptions& options) {
  if (options.tolerance < std::chrono::seconds(0) || options.tolerance > kMostOfflineTolerance) {
    return absl::InvalidArgumentError("the tolerance must be from 0 to 5 seconds");
  }
  if (options.max_accepted < 1 || options.max_accepted > kMostAcceptedTokens) {
    return absl::InvalidArgumentError("max_accepted must be from 1 to 1048576");
  }
  return absl::WrapUnique(new OfflineMediaVerifier(std::make_unique<Parts>(options)));
}

OfflineMedia OfflineMediaVerifier::Accept(std::string_view text, const MediaTokenUse& use) {
  domain::MediaToken token;
  OfflineMedia answer;
  answer.finding = FindUse(text, parts_->key, use, true, &token);
  if (answer.finding != MediaTokenFinding::kGood) return answer;
  std::optional<domain::MediaIds> ids = domain::OpenMediaIds(token.sealed, parts_->secret_key);
  answer.finding = ids.has_value() ? parts_->AcceptOnce(token) : MediaTokenFinding::kSealed;
  if (answer.finding != MediaTokenFinding::kGood) return answer;
  answer.media = {AccountId(std::move(ids->account_id)), RecordingId(std::move(ids->recording_id)),
                  ArtefactOf(ids->artefact), std::move(token.site)};
  return answer;
}

}  // namespace consent
