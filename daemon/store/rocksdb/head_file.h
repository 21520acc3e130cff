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
#include "daemon/base/bytes.h"
#include "daemon/base/trusted_time.h"
#include "daemon/store/store.h"

namespace consent::store {

struct HeadRecord {
  base::Bytes16 store_id{};
  uint64_t generation = 0;  // grows by one with each record
  uint64_t position = 0;    // the engine's own count of writes, those outside the order of commits included
  base::ClockRecord clock;  // all zero: of a store that was opened without a trusted clock
  std::vector<Head> heads;  // one per partition
};

// One record as it lies in its slot, checksum included. Frozen: see ../README.md.
std::string EncodeHeadRecord(const HeadRecord& record);
// Nothing unless the slot begins with a whole, undamaged record.
std::optional<HeadRecord> DecodeHeadRecord(std::string_view slot);

// Not thread-safe: bytes that a Sync lets out while they are overwritten could be torn by a power cut, whatever it
// returned.
class HeadFile {
 public:
  // The newest whole record; nothing where there is no file. DataLoss: the file is there and neither slot is whole.
  // FailedPrecondition: no regular file, or not ours alone.
  static absl::StatusOr<std::optional<HeadRecord>> Read(const std::string& path);
  // Replaces the file by one with this record, durably and in one step, and opens it for Write.
  static absl::StatusOr<std::unique_ptr<HeadFile>> Replace(const std::string& path, const HeadRecord& record);
  ~HeadFile();
  HeadFile(const HeadFile&) = delete;
  HeadFile& operator=(const HeadFile&) = delete;

  // Writes into the slot that no Sync has made durable, also several times, so that the other one is whole whenever the
  // power fails. Survives the end of the process; a power cut only after Sync.
  absl::Status Write(const HeadRecord& record);
  // Makes the record durable that was written last; the next one goes into the other slot. Does nothing where there is
  // none.
  absl::Status Sync();

 private:
  HeadFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
  size_t slot_ = 0;  // 0 or 1: where the next record goes
  bool unsynced_ = false;
};

}  // namespace consent::store
