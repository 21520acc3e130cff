#include "daemon/service/review/media_key.h"

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

std::shared_ptr<const base::SigningKey> SigningKeyOf(const base::Digest& payload_key) {
  return std::make_shared<const base::SigningKey>(base::Blake2b(base::View(payload_key), "media tokens"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const base::SigningKey>> MediaKey::Get() {
  {
    base::MutexLock lock(mutex_);
    if (key_ != nullptr) return key_;
  }
  std::shared_ptr<const base::SigningKey> taken;
  const absl::Status status = RetryOnConflict([&] { return TryToTake(&taken); });
  if (!status.ok()) return status;
  base::MutexLock lock(mutex_);
  key_ = taken;
  return taken;
}

absl::StatusOr<store::Outcome> MediaKey::TryToTake(std::shared_ptr<const base::SigningKey>* taken) {
  const std::string key(kMediaKeyKey);
  const std::string share_key(kMediaKeyShareKey);
  const auto stored = core_.store.Get(kMediaKeyPartition, store::Table::kReview, key);
  if (!stored.ok() && !absl::IsNotFound(stored.status())) return StoreUnreadable();
  const auto share = core_.store.Get(kMediaKeyPartition, store::Table::kKeyShare, share_key);
  if (!share.ok() && !absl::IsNotFound(share.status())) return StoreUnreadable();
  // A row without its share came back from a restriction journal, which has no shares: another key follows.
  if (stored.ok() && share.ok()) {
    MediaKeyRow row;
    if (!DecodeMediaKeyRow(*stored, &row)) return DamagedRow("the row of the media key");
    const absl::StatusOr<base::Digest> opened = core_.shares.OpenShare(MediaKeyWrapHandle(), *share);
    if (!opened.ok()) return wire::MakeError(v1::ERROR_REASON_INTERNAL, std::string(opened.status().message()));
    *taken = SigningKeyOf(*opened);
    if ((*taken)->public_key() != row.public_key) return DamagedRow("the media key");
    return store::Outcome::kCommitted;
  }
  const base::PayloadKey fresh = core_.shares.NewPayloadKey(MediaKeyWrapHandle(), core_.random);
  *taken = SigningKeyOf(fresh.key);
  std::vector<store::Precondition> preconditions = {{store::Table::kReview, key, std::nullopt},
                                                    {store::Table::kKeyShare, share_key, std::nullopt}};
  if (stored.ok()) preconditions[0].expected = *stored;
  if (share.ok()) preconditions[1].expected = *share;
  const store::CommitResult result =
      CommitPatiently(core_, kMediaKeyPartition, preconditions, [&](const store::Stamp& stamp) {
        return store::Change{{{store::Table::kReview, key, EncodeMediaKeyRow({(*taken)->public_key(), stamp.time})},
                              PutShare(core_, MediaKeyWrapHandle(), share_key, fresh.share)},
                             PlainEvent(ChangeKind::kReviewChanged, "")};
      });
  return result.outcome;
}

}  // namespace consent::service
