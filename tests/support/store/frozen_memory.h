// A store's rows as they were, in memory, to be read as a frozen store and changed by hand.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/frozen_store.h"
#include "daemon/store/store.h"

namespace consent::test {

// Not thread-safe.
class FrozenMemory final : public store::FrozenStore {
 public:
  struct Key {
    store::Table table;
    store::Partition partition;
    std::string key;
    auto operator<=>(const Key&) const = default;
  };

  // A copy of all that `store` holds; its feed was never truncated.
  explicit FrozenMemory(const store::Store& store);

  std::map<Key, std::string>& rows() { return rows_; }
  std::vector<std::vector<std::optional<store::FeedRow>>>& feeds() { return feeds_; }

  store::StoreIdentity& identity() { return identity_; }

  const store::StoreIdentity& identity() const override { return identity_; }
  absl::Status VisitRows(const RowVisitor& visit) const override;
  absl::Status VisitFeed(const FeedVisitor& visit) const override;
  absl::StatusOr<store::Sequence> FirstOfFeed(store::Partition) const override { return store::Sequence{1}; }
  absl::StatusOr<std::string> Get(store::Partition partition, store::Table table, std::string_view key) const override;
  std::vector<Part> Parts() const override { return {}; }

 private:
  store::StoreIdentity identity_;
  std::map<Key, std::string> rows_;                                // kSubject has the lowest number
  std::vector<std::vector<std::optional<store::FeedRow>>> feeds_;  // of each partition; nothing: damaged
};

}  // namespace consent::test
