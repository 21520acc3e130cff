// A store's rows under new keys, for a copy that who has the old key file cannot ask: another handle for everybody and
// everything, another place for each row, another payload key for what is sealed. Needs no ids.
// daemon/service/README.md
// ("Under new keys") says what becomes of each table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/store/frozen_store.h"
#include "daemon/store/translation.h"

namespace consent::service {

// What was left out of the copy, or could not be opened.
struct RekeyCounts {
  uint64_t requests = 0;  // idempotency keys: what they name is not in them
  uint64_t unlisted = 0;  // entries by which open requests were found while their times were in doubt
  uint64_t log_keys = 0;  // shares of the decision log's months: another log begins
  uint64_t unopened = 0;  // payloads of the history whose key was destroyed: copied as they are
};

// Not thread-safe. `from`, `before`, `after` and `random` outlive it.
class Rekey final : public store::Translation {
 public:
  // FailedPrecondition: `after` was not made of `before` (base::Keys::Renewed), the store lies under other keys than
  // `before`, or has a number of partitions that new handles would not keep apart as it is.
  static absl::StatusOr<std::unique_ptr<Rekey>> Create(const store::FrozenStore& from, const base::Keys& before,
                                                       const base::Keys& after, base::Random& random);

  // DataLoss: a row is damaged or lacks one that it names; Unavailable: the store cannot be read.
  absl::StatusOr<std::vector<store::Write>> Rows(store::Partition partition, store::Table table, std::string_view key,
                                                 std::string_view value) override;
  absl::StatusOr<store::FeedRow> Feed(store::Partition partition, const store::FeedRow& row) override;

  const RekeyCounts& counts() const { return counts_; }

 private:
  using Row = absl::StatusOr<std::vector<store::Write>>;
  Rekey(const store::FrozenStore& from, const base::Keys& before, const base::Keys& after, base::HandleLayer layer,
        base::Random& random);

  Row SubjectRow(std::string_view key, std::string_view value) const;
  Row NamesRow(store::Partition partition, std::string_view key, std::string_view value);
  Row ShareRow(store::Partition partition, std::string_view key);
  Row RecordingRow(std::string_view value) const;
  Row SafetyFlagRowOf(std::string_view value) const;
  Row DeletionRowOf(store::Partition partition, std::string_view key, std::string_view value);
  Row DeletionBySubject(store::Partition partition, std::string_view key, std::string_view value) const;
  Row OpenDeletion(store::Partition partition, std::string_view key, std::string_view value);
  Row HoldRowOf(store::Partition partition, std::string_view key, std::string_view value);
  Row ErasureRow(store::Partition partition, std::string_view key, std::string_view value);
  Row ReviewRowOf(store::Partition partition, std::string_view key, std::string_view value) const;
  Row ProposalRowOf(store::Partition partition, std::string_view key, std::string_view value);

  // Whose rows lie at a DiskKey of before.
  absl::StatusOr<base::SubjectHandle> SubjectAt(store::Partition partition, std::string_view disk_key) const;
  // The payload key whose share lies at a place of before, and the one in its stead.
  struct Renewed {
    base::Digest before{};
    base::PayloadKey after;
  };
  // NotFound: there is no share.
  absl::StatusOr<Renewed> RenewAt(store::Partition partition, std::string_view share_key, base::SubjectHandle subject,
                                  base::SubjectHandle there) const;
  // The row of a request, a hold or a proposal: what is sealed in it is sealed again, and its share is put beside it.
  // Nothing where there is no share and nothing is sealed.
  absl::Status Reseal(store::Partition partition, const std::string& share_key, base::SubjectHandle subject,
                      std::string new_share_key, base::SubjectHandle there, std::string* sealed,
                      std::vector<store::Write>* rows);
  absl::StatusOr<std::string> FactsOver(std::string_view facts) const;
  // Of a payload's plain bytes: nonce ‖ payload.
  absl::StatusOr<std::string> PayloadOver(std::string_view plain) const;
  absl::Status PutOver(store::Partition partition, base::SubjectHandle subject, ChangeRow* row,
                       base::Digest* commitment);

  const store::FrozenStore& from_;
  const base::Keys& before_;
  const base::Keys& after_;
  const base::HandleLayer layer_;
  base::Random& random_;
  base::Digest renewal_{};            // of every payload key; nobody keeps it
  std::vector<base::Digest> chains_;  // of each partition, as far as it has come
  RekeyCounts counts_;
};

}  // namespace consent::service
