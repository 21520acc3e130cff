#include "daemon/restore/restore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "daemon/backup/folder.h"
#include "daemon/base/file.h"
#include "daemon/journal/reader.h"
#include "daemon/restore/erase_again.h"
#include "daemon/restore/publish.h"
#include "daemon/restore/replay.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/store/rocksdb/store_builder.h"

namespace consent::restore {
namespace {

template <typename BytesT>
std::string Hex(const BytesT& bytes) {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

absl::Status Refused(const std::string& why) { return absl::FailedPreconditionError(why); }

absl::Status CheckBackup(const Order& order, const v1::BackupManifest& manifest, const base::Keys& keys) {
  if (manifest.key_fingerprint() != Hex(keys.Fingerprint())) {
    return Refused(absl::StrCat("the backup ", order.backup,
                                " was made under other keys: give the key file that its store had (--key-file)"));
  }
  if (manifest.data_format() != store::DataFormat()) {
    return Refused(absl::StrCat("the rows of the backup ", order.backup, " have format ", manifest.data_format(),
                                ", and this build reads ", static_cast<int>(store::DataFormat()),
                                ": restore it with the build that made it (", manifest.version(), ")"));
  }
  return absl::OkStatus();
}

absl::Status CheckJournal(const Order& order, const v1::BackupManifest& manifest, const journal::Contents& contents,
                          const journal::BackupSecretKey* secret) {
  if (Hex(contents.store_id) != manifest.store_id()) {
    return Refused(absl::StrCat("the journal ", order.journal, " is of another store than the backup ", order.backup));
  }
  const size_t partitions = static_cast<size_t>(manifest.heads_size());
  if (contents.first.size() != partitions || contents.last.size() != partitions) {
    return Refused(absl::StrCat("the journal ", order.journal, " is of another number of partitions than the backup"));
  }
  for (size_t p = 0; p < partitions; ++p) {
    const auto saved = static_cast<store::Sequence>(manifest.heads(static_cast<int>(p)).sequence());
    if (contents.first[p].stamp.sequence > saved) {
      return Refused(absl::StrCat("changes ", saved + 1, " to ", contents.first[p].stamp.sequence, " of partition ", p,
                                  " are neither in the backup nor in the journal: give a newer backup, or the "
                                  "journal's earlier files"));
    }
  }
  if (secret == nullptr) return absl::OkStatus();
  const base::Bytes16 fingerprint = secret->Public().Fingerprint();
  const auto& named = contents.public_keys;
  if (std::find(named.begin(), named.end(), fingerprint) != named.end()) return absl::OkStatus();
  return Refused(
      "the secret of --secret opens nothing of the journal: give the one whose public half the daemon had "
      "(--backup-public-key), or none");
}

// Every entry of the journal, and where it stands if something is wrong with it.
absl::Status TakeJournal(const Order& order, Replay& replay) {
  absl::Status taken;
  const absl::StatusOr<journal::Contents> read =
      journal::ReadFolder(order.journal, [&](const journal::Entry& entry, const journal::Position& at) {
        taken = replay.Take(entry);
        if (!taken.ok()) {
          taken = absl::Status(taken.code(), absl::StrCat("journal ", order.journal, ", ", at.file, " at byte ",
                                                          at.offset, ": ", std::string(taken.message())));
        }
        return taken.ok();
      });
  return taken.ok() ? read.status() : taken;
}

// Everything of the new store, in the folder where it is made.
absl::StatusOr<Report> Make(const Order& order, const Means& means, const v1::BackupManifest& manifest,
                            const WorkFolder& work, const std::function<void(Step)>& begin) {
  begin(Step::kCopy);
  if (absl::Status s = work.Begin(); !s.ok()) return s;
  if (absl::Status s = backup::CopyStore(order.backup, manifest, work.copy()); !s.ok()) return s;
  begin(Step::kReplay);
  base::Bytes16 store_id{};
  means.random.Fill(store_id.data(), store_id.size());
  absl::StatusOr<std::unique_ptr<store::StoreBuilder>> builder = store::StoreBuilder::Adopt(work.copy(), store_id);
  if (!builder.ok()) return builder.status();
  Replay replay(**builder, means.keys, means.random, means.clock.Now(), means.secret);
  absl::Status done = order.journal.empty() ? replay.MarkAll() : TakeJournal(order, replay);
  if (done.ok()) done = replay.Finish();
  if (done.ok()) done = (*builder)->Finish(work.store(), work.head());
  if (!done.ok()) return done;
  builder->reset();
  begin(Step::kErase);
  Report report = replay.report();
  const absl::StatusOr<uint64_t> erased =
      EraseAgain({work.store(), work.head(), static_cast<uint16_t>(manifest.heads_size())}, means, replay);
  if (!erased.ok()) return erased.status();
  report.rows_erased = *erased;
  return report;
}

}  // namespace

const char* NameOf(Step step) {
  switch (step) {
    case Step::kVerifyBackup:
      return "verifying the backup";
    case Step::kVerifyJournal:
      return "verifying the journal";
    case Step::kCopy:
      return "copying the backup";
    case Step::kReplay:
      return "replaying the journal";
    case Step::kErase:
      return "erasing again what was erased since";
    case Step::kPublish:
      return "moving the store into place";
  }
  return "";
}

absl::StatusOr<Restored> Restore(const Order& order, const Means& means) {
  const auto begin = [&means](Step step) {
    if (means.begin) means.begin(step);
  };
  const WorkFolder work(order.data_dir, order.head_file);
  Restored done;
  absl::StatusOr<bool> is_made = work.IsMade();
  if (!is_made.ok()) return is_made.status();
  if (*is_made) {
    done.went_on = true;
  } else {
    if (absl::Status s = work.CheckRoom(); !s.ok()) return s;
    begin(Step::kVerifyBackup);
    const absl::StatusOr<v1::BackupManifest> manifest = backup::ReadManifest(order.backup);
    if (!manifest.ok()) return manifest.status();
    if (absl::Status s = CheckBackup(order, *manifest, means.keys); !s.ok()) return s;
    if (!order.journal.empty()) {
      begin(Step::kVerifyJournal);
      const absl::StatusOr<journal::Contents> contents = journal::ReadFolder(order.journal, {});
      if (!contents.ok()) return contents.status();
      if (absl::Status s = CheckJournal(order, *manifest, *contents, means.secret); !s.ok()) return s;
    }
    absl::StatusOr<Report> report = Make(order, means, *manifest, work, begin);
    if (!report.ok()) return report.status();
    done.report = *std::move(report);
    if (absl::Status s = work.WriteReport(done.report, means.clock.Now()); !s.ok()) return s;
  }
  begin(Step::kPublish);
  if (absl::Status s = work.Publish(); !s.ok()) return s;
  return done;
}

}  // namespace consent::restore
