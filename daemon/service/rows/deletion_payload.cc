// What is sealed of a deletion request: the ids that its data systems need, under a key that goes with the request.
#include "daemon/base/hash.h"
#include "daemon/base/seal.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {

using base::Decoder;
using base::Encoder;

std::string SealDeletion(const base::Digest& key, const DeletionPayload& payload, base::SubjectHandle subject,
                         base::Random& random, base::Digest* commitment) {
  std::string plain(kPayloadNonceBytes, '\0');
  random.Fill(plain.data(), plain.size());
  Encoder out(&plain);
  out.String(payload.account_id);
  out.String(payload.selector);
  *commitment = base::Sha256(plain);
  return base::Seal(key, plain, base::View(subject.bytes), random);
}

absl::StatusOr<DeletionPayload> OpenSealed(const Core& core, store::Partition partition, const std::string& share_key,
                                           base::SubjectHandle subject, const std::string& sealed) {
  const auto share = core.store.Get(partition, store::Table::kKeyShare, share_key);
  if (absl::IsNotFound(share.status())) return share.status();
  if (!share.ok()) return StoreUnreadable();
  const absl::StatusOr<base::Digest> key = core.shares.OpenShare(subject, *share);
  const auto plain = key.ok() ? base::Open(*key, sealed, base::View(subject.bytes)) : key.status();
  DeletionPayload payload;
  if (plain.ok() && plain->size() >= kPayloadNonceBytes) {
    Decoder in(std::string_view(*plain).substr(kPayloadNonceBytes));
    payload.account_id = in.String(base::kMaxIdBytes);
    payload.selector = in.String(kMaxDeletionPayloadBytes);
    if (in.Done()) return payload;
  }
  return wire::MakeError(v1::ERROR_REASON_INTERNAL,
                         "a sealed request or hold cannot be opened: the store or the key file is damaged");
}

absl::StatusOr<DeletionPayload> OpenDeletion(const Core& core, DeletionPlace place, const DeletionRow& row) {
  return OpenSealed(core, place.partition, DeletionShareKey(core, place), row.request.subject, row.sealed);
}

}  // namespace consent::service
