// A small store and a backup of it, taken without a network.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "client/cli/engines/backup_sinks.h"
#include "client/cli/engines/backup_take.h"
#include "daemon/app/backups.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/support/store/clock.h"
#include "tests/unit/client/fakes.h"

namespace consent::test {

// Opens, or makes, a store of three partitions in `folder`. Ends the process where it cannot.
inline std::unique_ptr<store::RocksStore> OpenStore(const std::filesystem::path& folder, ManualClock& clock,
                                                    base::Random& random) {
  store::RocksStore::Options options;
  options.db_path = folder / "db";
  options.head_path = folder / "db.head";
  options.partitions = 3;
  options.clock = &clock;
  options.random = &random;
  auto opened = store::RocksStore::Open(options);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", std::string(opened.status().message()).c_str());
    std::_Exit(3);
  }
  return *std::move(opened);
}

// Idempotency keys, which any build decodes: 32 bytes of value under 16 of key.
inline void FillStore(store::RocksStore& store, int from, int count) {
  for (int i = from; i < from + count; ++i) {
    std::string key = "key of a request";
    key.replace(0, 3, std::to_string(100 + i % 900));
    std::atomic<bool> is_done = false;
    store.Commit(
        {static_cast<uint16_t>(i % 3)}, {},
        [&](const store::Stamp&) {
          return store::Change{{{store::Table::kRequest, key, std::string(32, '\1')}}, {"", "", {}}};
        },
        [&](const store::CommitResult&) { is_done = true; });
    while (!is_done) std::this_thread::yield();
  }
}

// A client whose backups come from `backups` itself; `before` is called before each read.
inline std::unique_ptr<testing::FakeClient> ClientOf(app::Backups& backups, const std::string& id,
                                                     std::function<void()> before = {}) {
  auto client = std::make_unique<testing::FakeClient>();
  client->on_read_backup = [&backups, id, before = std::move(before)](const std::string& file,
                                                                      int64_t offset) -> absl::StatusOr<BackupPiece> {
    if (before) before();
    auto piece = backups.Read(id, file, static_cast<uint64_t>(offset));
    if (!piece.ok()) return piece.status();
    return BackupPiece{piece->is_ready, static_cast<int64_t>(piece->rows_verified), piece->data};
  };
  return client;
}

}  // namespace consent::test
