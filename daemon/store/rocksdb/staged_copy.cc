#include "daemon/store/rocksdb/staged_copy.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "daemon/base/file.h"
#include "daemon/base/own_folder.h"
#include "daemon/store/rocksdb/impl.h"
#include "daemon/store/rocksdb/places.h"
#include "rocksdb/utilities/checkpoint.h"

namespace consent::store {
namespace {

constexpr char kWhat[] = "a backup that is being taken";

std::string StagedPath(const std::string& db_path) { return WithoutLinks(db_path) + ".staged"; }

}  // namespace

absl::Status RemoveStaged(const std::string& db_path) {
  const std::string path = StagedPath(db_path);
  // The engine builds it under the second name and renames it.
  for (const std::string& folder : {path, path + ".tmp"}) {
    if (absl::Status s = base::RemoveOwnFolder(kWhat, folder, IsOfDatabase); !s.ok()) return s;
  }
  return absl::OkStatus();
}

StagedCopy::StagedCopy(std::string db_path, std::shared_ptr<std::atomic<bool>> is_staged)
    : db_path_(std::move(db_path)), path_(StagedPath(db_path_)), is_staged_(std::move(is_staged)) {}

// What cannot be removed now, the next start removes; until then nothing is said to be erased.
StagedCopy::~StagedCopy() {
  if (RemoveStaged(db_path_).ok()) is_staged_->store(false);
}

absl::StatusOr<std::unique_ptr<StagedCopy>> RocksStore::Impl::Stage() {
  const Use use(*this);
  // Files that a scrub is about to replace must not be linked: it would end while their bytes lie on here.
  base::MutexLock lock(scrub_mutex_);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  if (is_staged_->exchange(true)) {
    return absl::FailedPreconditionError("another backup is being taken: wait for its end");
  }
  // From here on its end removes what was made.
  auto copy = std::make_unique<StagedCopy>(db_path_, is_staged_);
  if (absl::Status s = RemoveStaged(db_path_); !s.ok()) return s;
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(&database_->db(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // All families are flushed first, whatever the log's size: 7.8.3 may link a log whose end is not synced, so nothing
  // that was acknowledged may rest on the log's copy.
  constexpr uint64_t kFlushFrom = 0;
  if (status.ok()) status = checkpoint->CreateCheckpoint(copy->path(), kFlushFrom);
  if (!status.ok()) return FromRocks(status, "cannot stage a copy of the store beside it");
  return copy;
}

}  // namespace consent::store
