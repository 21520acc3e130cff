// The side file beside the database: how far the store had come when it last acknowledged anything. Kept outside the
// database's folder, so that damage to the log, or an old copy of the folder put back, shows at the next start.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/store/rocksdb/head_record.h"

namespace consent::store {

// Two slots, so that one is always whole: records go into one until a sync has made it durable, then into the other.
// Not thread-safe: bytes that a Sync lets out while they are overwritten could be torn by a power cut, whatever it
// returned.
class HeadFile {
 public:
  // What the file says; nothing where there is none. DataLoss: the file is there and damaged. FailedPrecondition: no
  // regular file, not ours alone, or of another build.
  static absl::StatusOr<std::optional<HeadRecord>> Read(const std::string& path);
  // Replaces the file by one with this record, durably and in one step, and opens it for Write.
  static absl::StatusOr<std::unique_ptr<HeadFile>> Replace(const std::string& path, const HeadRecord& record);
  ~HeadFile();
  HeadFile(const HeadFile&) = delete;
  HeadFile& operator=(const HeadFile&) = delete;

  // Writes `record`, which differs from the one written last in its generation, its position and the heads of `moved`
  // (each once). Into the slot that no Sync has made durable, so that the other one is whole whenever the power fails:
  // the whole record, or behind it only what moved where that is much less. Survives the end of the process; a power
  // cut only after Sync.
  absl::Status Write(const HeadRecord& record, const std::vector<Partition>& moved);
  // Makes `record` durable as a whole; what follows goes into the other slot. Does nothing where a Sync did that.
  absl::Status Sync(const HeadRecord& record);

 private:
  HeadFile(std::string path, int fd, uint64_t generation) : path_(std::move(path)), fd_(fd), durable_(generation) {}
  absl::Status WriteWhole(const HeadRecord& record);
  const std::string path_;
  const int fd_;
  uint64_t durable_;        // generation
  size_t slot_ = 0;         // 0 or 1: where records go
  uint64_t whole_ = 0;      // generation of the whole record that was written into it; 0: none was
  size_t moves_bytes_ = 0;  // of records that stand behind that
};

}  // namespace consent::store
