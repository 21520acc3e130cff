// Seals the ids of deletion requests and holds to the public key of backups.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "daemon/journal/backup_key.h"
#include "daemon/journal/entry.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::journal {

// Thread-safe. Reads the store: a key's share, and so may block.
class Ids {
 public:
  // Without a key nothing is sealed. `core` outlives it.
  Ids(const service::Core& core, std::optional<BackupPublicKey> key) : core_(core), key_(std::move(key)) {}

  // Of what the commit begins: requests and holds whose own key it writes.
  void AddOf(const store::Committed& committed, Entry* entry) const;
  // Of a row of kDeletion or kHold as it is now, if its ids are still needed.
  void AddOf(store::Partition partition, store::Table table, const std::string& key, const std::string& value,
             Entry* entry) const;
  // Requests and holds whose ids could not be opened, or did not fit: after a restore they lack them.
  uint64_t failures() const { return failures_.load(); }
  // Zero where there is no key.
  base::Bytes16 fingerprint() const { return key_.has_value() ? key_->Fingerprint() : base::Bytes16{}; }

 private:
  void Seal(PayloadOf of, uint64_t number, const absl::StatusOr<service::DeletionPayload>& opened, Entry* entry) const;

  const service::Core& core_;
  const std::optional<BackupPublicKey> key_;
  mutable std::atomic<uint64_t> failures_{0};
};

}  // namespace consent::journal
