// What is sealed, and the feed.
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/base/hash.h"
#include "daemon/base/seal.h"
#include "daemon/domain/other_handles.h"
#include "daemon/service/inspect/row_check.h"
#include "daemon/service/rekey/rekey.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {
namespace {

using store::Table;

absl::Status CannotOpen(const char* what) {
  return absl::DataLossError(absl::StrCat("what is sealed of ", what,
                                          " cannot be opened: the store is damaged, or the key file is another one's"));
}

}  // namespace

absl::StatusOr<Rekey::Renewed> Rekey::RenewAt(store::Partition partition, std::string_view share_key,
                                              base::SubjectHandle subject, base::SubjectHandle there) const {
  const absl::StatusOr<std::string> share = from_.Get(partition, Table::kKeyShare, share_key);
  if (!share.ok()) return share.status();
  const absl::StatusOr<base::Digest> before = before_.OpenShare(subject, *share);
  if (!before.ok()) return before.status();
  absl::StatusOr<base::PayloadKey> after = before_.Renew(subject, *share, renewal_, after_, there);
  if (!after.ok()) return after.status();
  return Renewed{*before, *std::move(after)};
}

absl::Status Rekey::Reseal(store::Partition partition, const std::string& share_key, base::SubjectHandle subject,
                           std::string new_share_key, base::SubjectHandle there, std::string* sealed,
                           std::vector<store::Write>* rows) {
  absl::StatusOr<Renewed> key = RenewAt(partition, share_key, subject, there);
  if (absl::IsNotFound(key.status()) && sealed->empty()) return absl::OkStatus();
  if (absl::IsNotFound(key.status())) return CannotOpen("a request, a hold or a proposal");
  if (!key.ok()) return key.status();
  rows->push_back({Table::kKeyShare, std::move(new_share_key), std::move(key->after.share)});
  if (sealed->empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> plain = base::Open(key->before, *sealed, base::View(subject.bytes));
  if (!plain.ok()) return CannotOpen("a request, a hold or a proposal");
  *sealed = base::Seal(key->after.key, *plain, base::View(there.bytes), random_);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Rekey::PayloadOver(std::string_view plain) const {
  Payload payload;
  if (plain.size() < kPayloadNonceBytes || !DecodePayload(plain.substr(kPayloadNonceBytes), &payload)) {
    return CannotOpen("an account");
  }
  for (auto& [scope, name] : payload.names) scope = domain::Over(layer_, scope);
  for (auto& [guardian, name] : payload.guardians) guardian = layer_.Over(guardian);
  for (auto& [account, name] : payload.accounts) account = layer_.Over(account);
  return std::string(plain.substr(0, kPayloadNonceBytes)).append(EncodePayload(payload));
}

Rekey::Row Rekey::NamesRow(store::Partition partition, std::string_view key, std::string_view value) {
  const absl::StatusOr<base::SubjectHandle> subject = SubjectAt(partition, key);
  if (absl::IsNotFound(subject.status())) return CannotOpen("an account");
  if (!subject.ok()) return subject.status();
  const base::SubjectHandle there = layer_.Over(*subject);
  const absl::StatusOr<Renewed> payload_key = RenewAt(partition, key, *subject, there);
  if (absl::IsNotFound(payload_key.status())) return CannotOpen("an account");
  if (!payload_key.ok()) return payload_key.status();
  const absl::StatusOr<std::string> plain = base::Open(payload_key->before, value, base::View(subject->bytes));
  if (!plain.ok()) return CannotOpen("an account");
  const absl::StatusOr<std::string> over = PayloadOver(*plain);
  if (!over.ok()) return over.status();
  std::vector<store::Write> rows;
  rows.push_back({Table::kNames, SubjectKey(after_, there),
                  base::Seal(payload_key->after.key, *over, base::View(there.bytes), random_)});
  return rows;
}

absl::StatusOr<store::FeedRow> Rekey::Feed(store::Partition partition, const store::FeedRow& row) {
  store::FeedRow there;
  there.stamp = row.stamp;
  there.erased = row.erased;
  there.event = row.event;
  if (!row.event.subject.empty() || !row.event.body.empty()) {
    ChangeRow change;
    if (!DecodeChangeRow(row.event.body, &change)) return CannotOpen("a change, or the change itself,");
    if (!row.event.subject.empty()) {
      if (row.event.subject.size() != sizeof(base::Bytes16)) return CannotOpen("a change, or the change itself,");
      const base::SubjectHandle subject{base::Decoder(row.event.subject).Array<16>()};
      if (absl::Status s = PutOver(partition, subject, &change, &there.event.commitment); !s.ok()) return s;
      there.event.subject = std::string(base::View(layer_.Over(subject).bytes));
      there.event.body = EncodeChangeRow(change);
    }
  }
  base::Digest& chain = chains_[partition.number];
  chain = store::NextChain(chain, there.stamp, there.event);
  there.chain = chain;
  return there;
}

absl::Status Rekey::PutOver(store::Partition partition, base::SubjectHandle subject, ChangeRow* row,
                            base::Digest* commitment) {
  for (domain::FactChange& change : row->changes) change.scope = domain::Over(layer_, change.scope);
  if (!row->facts.empty()) {
    absl::StatusOr<std::string> facts = FactsOver(row->facts);
    if (!facts.ok()) return facts.status();
    row->facts = *std::move(facts);
  }
  if (row->sealed.empty()) return absl::OkStatus();
  const base::SubjectHandle there = layer_.Over(subject);
  const absl::StatusOr<Renewed> key = RenewAt(partition, SubjectKey(before_, subject), subject, there);
  if (!key.ok() && !absl::IsNotFound(key.status())) return key.status();
  const absl::StatusOr<std::string> plain =
      key.ok() ? base::Open(key->before, row->sealed, base::View(subject.bytes)) : key.status();
  if (!plain.ok()) {
    // Of an account that was forgotten since: its key is destroyed, and the bytes open for nobody.
    ++counts_.unopened;
    return absl::OkStatus();
  }
  const absl::StatusOr<std::string> over = PayloadOver(*plain);
  if (!over.ok()) return over.status();
  *commitment = base::Sha256(*over);
  row->sealed = base::Seal(key->after.key, *over, base::View(there.bytes), random_);
  return absl::OkStatus();
}

}  // namespace consent::service
