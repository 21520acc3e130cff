#include "daemon/service/erasure/month_keys.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using store::Table;

// Handles are one block of AES-128.
base::Bytes16 KeyOfHandles(const base::Digest& payload_key) {
  base::Bytes16 key{};
  std::copy_n(payload_key.begin(), key.size(), key.begin());
  return key;
}

absl::StatusOr<std::optional<std::string>> Read(const Core& core, Table table, std::string_view key) {
  absl::StatusOr<std::string> row = core.store.Get(kMonthKeyPartition, table, key);
  if (row.ok()) return std::optional<std::string>(*std::move(row));
  if (absl::IsNotFound(row.status())) return std::optional<std::string>();
  return StoreUnreadable();
}

}  // namespace

absl::StatusOr<MonthKey> MonthKeys::Open(const KnownMonthKey& known) const {
  if (!known.row.IsThere()) return MonthKey{known.name, std::nullopt};
  const absl::StatusOr<std::optional<std::string>> share = Read(core_, Table::kKeyShare, MonthKeyShareKey(known.name));
  if (!share.ok()) return share.status();
  // It is destroyed in this moment.
  if (!share->has_value()) return MonthKey{known.name, std::nullopt};
  const absl::StatusOr<base::Digest> opened = core_.shares.OpenShare(WrapHandleOf(known.name), **share);
  if (!opened.ok()) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, absl::StrCat("the decision log's key ", known.name.ToText(), ": ",
                                                                   std::string(opened.status().message())));
  }
  return MonthKey{known.name, KeyOfHandles(*opened)};
}

absl::StatusOr<MonthKey> MonthKeys::TakeOrMake(base::Month month) {
  MonthKey taken;
  const absl::Status status = RetryOnConflict([&] { return TryToTake(month, &taken); });
  if (!status.ok()) return status;
  return taken;
}

absl::StatusOr<store::Outcome> MonthKeys::TryToTake(base::Month month, MonthKey* taken) {
  // The version first: a key that is made after it is seen by the precondition.
  absl::StatusOr<std::optional<std::string>> version = Read(core_, Table::kDecisionLog, kMonthKeysVersionKey);
  if (!version.ok()) return version.status();
  const absl::StatusOr<std::vector<MonthKey>> keys = Of(month);
  if (!keys.ok()) return keys.status();
  const auto there = std::find_if(keys->begin(), keys->end(), [](const MonthKey& one) { return one.key.has_value(); });
  if (there == keys->end()) return Make(month, *std::move(version), taken);
  *taken = *there;
  return store::Outcome::kCommitted;
}

absl::StatusOr<store::Outcome> MonthKeys::Make(base::Month month, std::optional<std::string> version, MonthKey* made) {
  const absl::StatusOr<std::vector<KnownMonthKey>> all = LoadMonthKeys(core_.store);
  if (!all.ok()) return all.status();
  if (all->size() >= kMaxMonthKeys) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL,
                           absl::StrCat("the decision log has had ", kMaxMonthKeys,
                                        " keys, which is the most: the "
                                        "clock named too many months; copy the store into a new one"));
  }
  base::MonthKeyName name{month, 0};
  core_.random.Fill(&name.number, sizeof name.number);
  const base::PayloadKey key = core_.shares.NewPayloadKey(WrapHandleOf(name), core_.random);
  const auto build = [&](const store::Stamp& stamp) {
    std::string sequence;
    base::Encoder(&sequence).BigEndian(stamp.sequence, 8);
    return store::Change{{{Table::kDecisionLog, std::string(kMonthKeysVersionKey), std::move(sequence)},
                          {Table::kDecisionLog, MonthKeyRowKey(name), EncodeMonthKeyRow({stamp.time, {}})},
                          PutShare(core_, WrapHandleOf(name), MonthKeyShareKey(name), key.share)},
                         PlainEvent(ChangeKind::kMonthKeyChanged, "")};
  };
  const store::CommitResult result =
      CommitPatiently(core_, kMonthKeyPartition,
                      {{Table::kDecisionLog, std::string(kMonthKeysVersionKey), std::move(version)},
                       {Table::kDecisionLog, MonthKeyRowKey(name), std::nullopt}},
                      build);
  if (result.outcome == store::Outcome::kCommitted) *made = {name, KeyOfHandles(key.key)};
  return result.outcome;
}

absl::StatusOr<std::vector<MonthKey>> MonthKeys::Of(base::Month month) const {
  const absl::StatusOr<std::vector<KnownMonthKey>> all = LoadMonthKeys(core_.store);
  if (!all.ok()) return all.status();
  std::vector<MonthKey> keys;
  for (const KnownMonthKey& known : *all) {
    if (known.name.month != month) continue;
    absl::StatusOr<MonthKey> key = Open(known);
    if (!key.ok()) return key.status();
    keys.push_back(*key);
  }
  return keys;
}

absl::StatusOr<std::optional<MonthKey>> MonthKeys::Find(const base::MonthKeyName& name) const {
  const absl::StatusOr<std::optional<std::string>> bytes = Read(core_, Table::kDecisionLog, MonthKeyRowKey(name));
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::optional<MonthKey>();
  KnownMonthKey known{name, {}};
  if (!DecodeMonthKeyRow(**bytes, &known.row)) return DamagedRow("a key of the decision log");
  absl::StatusOr<MonthKey> key = Open(known);
  if (!key.ok()) return key.status();
  return std::optional<MonthKey>(*key);
}

absl::StatusOr<std::vector<base::MonthKeyName>> MonthKeys::DestroyBefore(base::Month first_kept) {
  const absl::StatusOr<std::vector<KnownMonthKey>> all = LoadMonthKeys(core_.store);
  if (!all.ok()) return all.status();
  std::vector<base::MonthKeyName> destroyed;
  for (const KnownMonthKey& known : *all) {
    if (known.name.month >= first_kept || !known.row.IsThere()) continue;
    if (absl::Status s = Destroy(known.name); !s.ok()) return s;
    destroyed.push_back(known.name);
  }
  return destroyed;
}

absl::Status MonthKeys::Destroy(const base::MonthKeyName& name) {
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    const absl::StatusOr<std::optional<std::string>> bytes = Read(core_, Table::kDecisionLog, MonthKeyRowKey(name));
    if (!bytes.ok()) return bytes.status();
    MonthKeyRow row;
    if (!bytes->has_value() || !DecodeMonthKeyRow(**bytes, &row)) return DamagedRow("a key of the decision log");
    if (!row.IsThere()) return store::Outcome::kCommitted;  // somebody else was first
    const auto build = [&](const store::Stamp& stamp) {
      MonthKeyRow gone = row;
      gone.gone_at = stamp.time;
      store::Change change;
      change.writes = {{Table::kDecisionLog, MonthKeyRowKey(name), EncodeMonthKeyRow(gone)},
                       {Table::kKeyShare, MonthKeyShareKey(name), std::nullopt}};
      store::EraseTargets targets;
      targets.rows = {{Table::kKeyShare, MonthKeyShareKey(name)}};
      BeginErasure(NumberOf(stamp.sequence), targets, stamp, change.writes);
      change.event = PlainEvent(ChangeKind::kMonthKeyChanged, "");
      return change;
    };
    return CommitPatiently(core_, kMonthKeyPartition, {{Table::kDecisionLog, MonthKeyRowKey(name), **bytes}}, build)
        .outcome;
  });
}

}  // namespace consent::service
