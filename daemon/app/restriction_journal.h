// The restriction journal of a running daemon: opened, brought up to the store, filled up where it fell behind, told
// of.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "daemon/app/exit_codes.h"
#include "daemon/app/periodic.h"
#include "daemon/base/mutex.h"
#include "daemon/journal/journal.h"
#include "daemon/ops/config.h"
#include "daemon/ops/log.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/service/state/core.h"

namespace consent::app {

// Thread-safe but for what begins and ends it, which is the owner's. Outlives what the store still answers: it goes
// once the store is closed.
class RestrictionJournal {
 public:
  // Opens the folder that the options name, brings the journal up to the store and becomes the store's gate; no commit
  // may have been made yet. Where the disk does not let it be brought up, it stays behind and says so: restrictions
  // have to be taken. Nothing, with `*failure`: the folder or the key cannot be used, or the journal does not go with
  // the store. May block, for as long as a partition for each that moved takes to read.
  static std::unique_ptr<RestrictionJournal> Open(const ops::ServeOptions& options, service::Core& core, ops::Log& log,
                                                  std::optional<Failure>* failure);

  // Tries each second to catch up, while it is behind, until EndCatchingUp or the end.
  void BeginCatchingUp();
  void EndCatchingUp();

  // Of a backup that is verified and was taken: removes the files that neither a restore of it needs nor one of the
  // backup before it, should this one prove to be lost or damaged. Tells of it. Nothing goes with the first one since
  // the start.
  void NoteBackup(const std::vector<store::Head>& heads) EXCLUDES(mutex_);

  void DefineMetrics(ops::MetricRegistry& registry) const;

 private:
  RestrictionJournal(const service::Core& core, std::optional<journal::BackupPublicKey> key, ops::Log& log)
      : log_(log), ids_(core, std::move(key)) {}
  std::optional<Failure> Begin(const ops::ServeOptions& options, service::Core& core);
  void Tell(const absl::Status& behind);

  ops::Log& log_;
  const journal::Ids ids_;
  std::unique_ptr<journal::Journal> journal_;  // nullptr: off
  std::unique_ptr<Periodic> catching_up_;

  base::Mutex mutex_;
  std::vector<store::Head> last_backup_ GUARDED_BY(mutex_);  // empty: none since the start
};

}  // namespace consent::app
