// A copy of a running store, staged beside it for whoever takes it away. No RocksDB type crosses this header.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace consent::store {

// Removes the folder with its end. Its table files are links to the store's own: what is to outlive the disk must be
// copied out of it. Not thread-safe.
class StagedCopy {
 public:
  // `is_staged` is cleared once the folder is gone.
  StagedCopy(std::string db_path, std::shared_ptr<std::atomic<bool>> is_staged);
  ~StagedCopy();
  StagedCopy(const StagedCopy&) = delete;
  StagedCopy& operator=(const StagedCopy&) = delete;

  // A database folder, to be opened read-only.
  const std::string& path() const { return path_; }

 private:
  const std::string db_path_;
  const std::string path_;
  const std::shared_ptr<std::atomic<bool>> is_staged_;
};

}  // namespace consent::store
