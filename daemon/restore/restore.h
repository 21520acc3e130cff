// Makes a store out of a backup and the restriction journal: what `consentd restore` does.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/base/clock.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/journal/backup_key.h"
#include "daemon/restore/report.h"

namespace consent::restore {

// The steps, in their order; each begins once the one before has ended.
enum class Step {
  kVerifyBackup,   // its manifest, and that it is of these keys
  kVerifyJournal,  // every entry, and that it goes on where the backup ends
  kCopy,           // the backup's files, each compared with the manifest
  kReplay,         // the journal's entries
  kErase,          // what was erased since leaves the files
  kPublish,        // the store takes its place, and is one from then on
};
const char* NameOf(Step step);

struct Order {
  std::string backup;     // the folder
  std::string journal;    // the folder; empty: there is none, and everything counts as restored until that is accepted
  std::string data_dir;   // where the store is to be: not there, or an empty folder
  std::string head_file;  // not there
};

struct Means {
  const base::Keys& keys;
  const base::Clock& clock;
  base::Random& random;
  const journal::BackupSecretKey* secret = nullptr;  // nullptr: requests and holds that were made since need their ids
  std::function<void(Step)> begin;                   // told of each step; may be empty
};

struct Restored {
  Report report;
  bool went_on = false;  // an earlier run had done all but the last step: the report is its own, in its file
};

// All is made in `<data_dir>.restoring` and moved into place at the end, so that a process that is killed leaves
// nothing that a daemon would serve: what is there is a store without its head file, which is refused, or nothing at
// all. The same order again begins anew, or does what is left. What was done is also in the file `<data_dir>.restored`,
// counts alone.
//
// The store has an id of its own: what clients hold of the lost one (revisions, etags, page tokens) is refused.
// Requests and holds keep theirs.
//
// FailedPrecondition: backup, journal and keys do not belong together, changes between backup and journal are missing,
// or something is in the way; DataLoss: the backup or the journal is damaged; NotFound: one of them is not there; the
// texts say what to do. Else the file system's errors.
absl::StatusOr<Restored> Restore(const Order& order, const Means& means);

}  // namespace consent::restore
