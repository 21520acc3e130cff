// How former bytes leave the files of a database that is in use: the steps of Store::EraseFromFiles, each for a place
// where bytes would stay (see ../README.md, "Physical erasure"). Internal to this folder; a test leaves them out one by
// one.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/clock.h"
#include "daemon/store/rocksdb/database.h"

namespace consent::store {

// One run: the steps in the order of their declaration. An error, always Unavailable, ends it. Not thread-safe; others
// use the database meanwhile, but not for a second run.
class Scrubber {
 public:
  // What the database holds now is what the run is about. Both outlive it. Once `stop` is set the steps end with an
  // error.
  Scrubber(Database& database, std::atomic<bool>& stop);

  // Puts what is in memory into table files: of all families, because a log file goes only when none needs it.
  absl::Status Flush();
  // Rewrites table files until none holds of these keys more than the present value, or of a key without one anything
  // at all.
  absl::Status Rewrite(rocksdb::ColumnFamilyHandle* family, std::vector<std::string> keys);
  // Rewrites all table files with keys of first..last: for those that a deleted range hides from Rewrite.
  absl::Status RewriteRange(rocksdb::ColumnFamilyHandle* family, const std::string& first, const std::string& last);
  // The same of all rows of first..last, however many.
  absl::Status RewriteAll(rocksdb::ColumnFamilyHandle* family, const std::string& first, const std::string& last);
  // Notes what lies in the folder: log files and MANIFESTs that must go, and table files that must go unless they are
  // part of the database. After it something is to be written and flushed, so that a MANIFEST begins that never knew
  // the old files.
  absl::Status NoteFiles();
  // Has old files deleted and waits until all that must go are gone, durably; by `clock` at most a minute, for a
  // running read keeps the files that it began with.
  absl::Status AwaitRemoval(const base::Clock& clock);

 private:
  absl::StatusOr<bool> HasFormer(rocksdb::ColumnFamilyHandle* family, const std::string& key);
  // Where the file begins that is the lowest one to span `key`. A compaction goes down to the lowest level that has one
  // of its keys: of `key` alone that may be above this file, for whose sake a marker is then kept.
  std::string LowestSpan(rocksdb::ColumnFamilyHandle* family, const std::string& key);
  absl::Status Stopped() const;
  absl::StatusOr<std::vector<std::string>> ListFiles() const;
  absl::StatusOr<size_t> CountLeft() const;

  Database& database_;
  std::atomic<bool>& stop_;
  const rocksdb::SequenceNumber began_;
  std::vector<std::string> noted_;  // names of files
};

}  // namespace consent::store
