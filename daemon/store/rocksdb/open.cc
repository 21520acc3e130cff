#include "daemon/store/rocksdb/open.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "daemon/base/file.h"
#include "daemon/base/own_folder.h"
#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/places.h"
#include "daemon/store/rocksdb/wal_check.h"

namespace consent::store {
namespace {

namespace fs = std::filesystem;

constexpr char kPutFolderBack[] =
    "Put the newer database folder back; or start once with --accept-loss to go on without what is missing";
constexpr char kPutHeadBack[] =
    "Put the head file back (--head-file); or start once with --accept-loss if the database folder is the newest there "
    "is";

DatabaseOptions ForDatabase(const RocksStore::Options& options, std::string path) {
  DatabaseOptions database;
  database.path = std::move(path);
  database.block_cache_bytes = options.block_cache_bytes;
  database.write_buffer_bytes = options.write_buffer_bytes;
  database.max_open_files = options.max_open_files;
  database.stop_at_damage = options.accept_loss;
  return database;
}

absl::Status CheckOptions(const RocksStore::Options& options) {
  if (options.clock == nullptr || options.random == nullptr) {
    return absl::InvalidArgumentError("the store needs a clock and randomness");
  }
  if (options.partitions == 0 || options.partitions > kMaxPartitions) {
    return absl::InvalidArgumentError("the number of partitions must be 1 to 1024");
  }
  if (options.db_path.empty() || options.head_path.empty()) {
    return absl::InvalidArgumentError("the store needs a database folder and a head file");
  }
  const fs::path folder = fs::absolute(options.db_path).lexically_normal();
  const fs::path head = fs::absolute(options.head_path).lexically_normal();
  const fs::path relative = head.lexically_relative(folder);
  if (!relative.empty() && *relative.begin() != "..") {
    return absl::InvalidArgumentError(
        "the head file must lie outside the database folder, or an old copy of it would bring its own");
  }
  return absl::OkStatus();
}

bool HasChanges(const HeadRecord& record) {
  return std::any_of(record.heads.begin(), record.heads.end(),
                     [](const Head& head) { return head.stamp.sequence != 0; });
}

// The head file first: where it tells of a store without changes, an interrupted creation is continued, and a key file
// alone is always what was left of a store. Then whatever the caller keeps beside the store. The database is built
// aside and moved into place, so that a half-made one is never taken for a store.
absl::Status CreateDatabase(const RocksStore::Options& options, const std::optional<HeadRecord>& record) {
  const std::string place = WithoutLinks(options.db_path);
  StoreIdentity row;
  if (record && !HasChanges(*record)) {
    row.store_id = record->store_id;
  } else {
    options.random->Fill(row.store_id.data(), row.store_id.size());
  }
  row.partitions = options.partitions;
  row.key_fingerprint = options.key_fingerprint;
  row.created = options.clock->Now();
  HeadRecord begun;
  begun.store_id = row.store_id;
  begun.heads.resize(options.partitions);
  if (const auto head_file = HeadFile::Replace(options.head_path, begun); !head_file.ok()) return head_file.status();
  if (options.before_creation) {
    if (absl::Status s = options.before_creation(); !s.ok()) return s;
  }
  const std::string aside = place + ".creating";
  if (absl::Status s = base::RemoveOwnFolder("a store that is being created", aside, IsOfDatabase); !s.ok()) return s;
  if (mkdir(aside.c_str(), 0700) != 0) return base::FileError("cannot create " + aside, errno);
  if (absl::Status s = Database::Create(ForDatabase(options, aside), kStoreRowKey, EncodeStoreRow(row)); !s.ok()) {
    return s;
  }
  std::error_code error;
  fs::rename(aside, place, error);
  if (error) return base::FileError("cannot put the new database into " + options.db_path, error.value());
  return base::SyncFolder(fs::absolute(place).lexically_normal().parent_path().string());
}

absl::Status CheckIdentity(const RocksStore::Options& options, const StoreIdentity& store) {
  if (store.key_fingerprint != options.key_fingerprint) {
    return absl::FailedPreconditionError(
        "the key file is not the one that the database " + options.db_path +
        " was created with: nothing in it could be found or opened. Put the right key file back");
  }
  if (store.partitions != options.partitions) {
    return absl::FailedPreconditionError("the database " + options.db_path + " has " +
                                         std::to_string(store.partitions) + " partitions, the configuration says " +
                                         std::to_string(options.partitions) +
                                         "; the number is fixed when a store is created");
  }
  return absl::OkStatus();
}

// What the head file says; a damaged one is a loss that can be accepted.
absl::StatusOr<std::optional<HeadRecord>> ReadHeadFile(const RocksStore::Options& options,
                                                       std::vector<std::string>* losses) {
  absl::StatusOr<std::optional<HeadRecord>> record = HeadFile::Read(options.head_path);
  if (record.ok() || !absl::IsDataLoss(record.status())) return record;
  losses->push_back(std::string(record.status().message()));
  if (options.accept_loss) return std::nullopt;
  return absl::DataLossError(losses->back() +
                             ", so nothing tells whether changes are missing. Put a good copy back; or start once "
                             "with --accept-loss if the database folder is the newest there is");
}

absl::Status Refuse(const RocksStore::Options& options, const std::vector<std::string>& losses,
                    const char* what_to_do) {
  std::string text = "the database " + options.db_path + " does not match the head file " + options.head_path + ": ";
  constexpr size_t kShown = 8;  // of up to 1024 partitions
  for (size_t i = 0; i < std::min(losses.size(), kShown); ++i) text += losses[i] + "; ";
  if (losses.size() > kShown) text += "and " + std::to_string(losses.size() - kShown) + " more; ";
  return absl::FailedPreconditionError(text.substr(0, text.size() - 2) + ". " + what_to_do);
}

// What fsck keeps at the root of a disk that holds nothing else yet.
constexpr char kOfTheDisk[] = "lost+found";

// The folder exists and holds something of a store's.
absl::StatusOr<bool> HoldsSomething(const std::string& folder) {
  std::error_code error;
  bool is_there = false;
  if (fs::exists(folder, error)) {
    for (fs::directory_iterator at(folder, error), end; !error && !is_there && at != end; at.increment(error)) {
      is_there = at->path().filename() != kOfTheDisk;
    }
  }
  if (error) return base::FileError("cannot look into the database folder " + folder, error.value());
  return is_there;
}

// A new database is moved into place, and nothing can be moved over a mount point or a folder that holds something.
absl::Status CheckReplaceable(const std::string& folder) {
  struct statx info {};
  const bool is_there = statx(AT_FDCWD, folder.c_str(), 0, STATX_BASIC_STATS, &info) == 0;
  if (!is_there) {
    return errno == ENOENT ? absl::OkStatus() : base::FileError("cannot examine the database folder " + folder, errno);
  }
  std::error_code error;
  if ((info.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 && fs::is_empty(folder, error) && !error) {
    return absl::OkStatus();
  }
  if (error) return base::FileError("cannot look into the database folder " + folder, error.value());
  return absl::FailedPreconditionError(
      folder +
      " is where a disk is mounted, and a new store is made under another name and then renamed: name a "
      "folder inside the mounted disk with --data-dir, such as " +
      (fs::path(folder) / "store").string());
}

// False: there is a database. True: a new one was made, but never where one with changes had been.
absl::StatusOr<bool> FindOrCreate(const RocksStore::Options& options, const std::optional<HeadRecord>& record,
                                  std::vector<std::string>* losses) {
  const absl::StatusOr<bool> is_there = HoldsSomething(options.db_path);
  if (!is_there.ok()) return is_there.status();
  if (*is_there) return false;
  if (record && HasChanges(*record)) {
    losses->push_back("the database folder is missing or empty, the head file knows of a store with changes");
    if (!options.accept_loss) return Refuse(options, *losses, kPutFolderBack);
  }
  if (absl::Status s = CheckReplaceable(options.db_path); !s.ok()) return s;
  if (absl::Status s = CreateDatabase(options, record); !s.ok()) return s;
  return true;
}

// What the engine names its files.
bool IsOfAStore(const fs::path& name) {
  const std::string text = name.string();
  const auto begins = [&text](std::string_view with) { return text.compare(0, with.size(), with) == 0; };
  const std::string extension = name.extension().string();
  return text == "CURRENT" || text == "IDENTITY" || text == "LOCK" || begins("LOG") || begins("MANIFEST-") ||
         begins("OPTIONS-") || extension == ".sst" || extension == ".log" || extension == ".dbtmp";
}

// The engine and its reader wait for whatever a name leads to, and only ever make files and folders.
absl::Status CheckEntries(const std::string& folder) {
  std::error_code error;
  bool is_store = false;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    is_store = is_store || IsOfAStore(at->path().filename());
    const fs::file_type type = at->symlink_status(error).type();
    if (error || type == fs::file_type::regular || type == fs::file_type::directory) continue;
    return absl::FailedPreconditionError(
        "in the database folder " + folder + " lies " + at->path().filename().string() +
        ", a link, pipe, socket or device, which the store never makes; see who put it there and take it out");
  }
  if (error) return base::FileError("cannot list the database folder " + folder, error.value());
  if (is_store) return absl::OkStatus();
  return absl::FailedPreconditionError(
      folder +
      " holds files, and none is of a store: name an empty folder with --data-dir, or one that is not there yet");
}

absl::Status CheckFolder(const std::string& path) {
  const base::FileDescriptor folder(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!folder.ok() && errno == ENOENT) return absl::OkStatus();
  if (!folder.ok() && errno != ENXIO) return base::FileError("cannot open the database folder " + path, errno);
  struct stat info {};
  if (!folder.ok() || (fstat(folder.fd(), &info) == 0 && !S_ISDIR(info.st_mode))) {
    return absl::FailedPreconditionError(
        path + " is no folder: --data-dir names the folder of the store, which is made where nothing has the name");
  }
  return base::CheckPrivate(folder.fd(), "database folder", path);
}

}  // namespace

absl::StatusOr<RocksStore::Found> LookAt(const RocksStore::Options& options) {
  if (absl::Status s = CheckFolder(options.db_path); !s.ok()) return s;
  if (absl::Status s = ProcessLock::Probe(options.db_path); !s.ok()) return s;
  const absl::StatusOr<std::optional<HeadRecord>> record = HeadFile::Read(options.head_path);
  if (!record.ok() && !absl::IsDataLoss(record.status())) return record.status();
  const absl::StatusOr<bool> is_there = HoldsSomething(options.db_path);
  if (!is_there.ok()) return is_there.status();
  if (*is_there) {
    if (absl::Status s = CheckEntries(options.db_path); !s.ok()) return s;
    return RocksStore::Found::kStore;
  }
  const bool may_have_changes =
      !record.ok() || (record->has_value() && HasChanges(**record));  // of a damaged one nothing tells
  if (may_have_changes && !options.accept_loss) return RocksStore::Found::kHeadAlone;
  if (absl::Status s = CheckReplaceable(options.db_path); !s.ok()) return s;
  if (may_have_changes) return RocksStore::Found::kHeadAlone;
  return record->has_value() ? RocksStore::Found::kBegun : RocksStore::Found::kNothing;
}

absl::StatusOr<Opened> OpenChecked(const RocksStore::Options& options) {
  if (absl::Status s = CheckOptions(options); !s.ok()) return s;
  Opened opened;
  absl::StatusOr<std::unique_ptr<ProcessLock>> lock = ProcessLock::Take(options.db_path);
  if (!lock.ok()) return lock.status();
  opened.lock = *std::move(lock);

  absl::StatusOr<std::optional<HeadRecord>> record = ReadHeadFile(options, &opened.accepted_losses);
  if (!record.ok()) return record.status();
  if (absl::Status s = RemoveStaged(options.db_path); !s.ok()) return s;
  const absl::StatusOr<bool> created = FindOrCreate(options, *record, &opened.accepted_losses);
  if (!created.ok()) return created.status();
  if (*created) {
    if (absl::Status s = opened.lock->TakeFolder(); !s.ok()) return s;
  }

  absl::StatusOr<uint64_t> wal_bytes = CheckWalFiles(options.db_path);
  if (!wal_bytes.ok()) {
    if (!options.accept_loss || !absl::IsDataLoss(wal_bytes.status())) return wal_bytes.status();
    opened.accepted_losses.push_back("the log was damaged in the middle: what stood after the damage is lost");
    wal_bytes = uint64_t{0};
  }
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(ForDatabase(options, options.db_path));
  if (!database.ok()) return database.status();
  opened.database = *std::move(database);
  absl::StatusOr<Recovered> recovered = Recover(*opened.database, *wal_bytes);
  if (!recovered.ok()) return recovered.status();
  opened.recovered = *std::move(recovered);
  if (absl::Status s = CheckIdentity(options, opened.recovered.store); !s.ok()) return s;

  if (!*created) {
    absl::StatusOr<std::vector<std::string>> losses = FindLosses(*opened.database, opened.recovered, *record);
    if (!losses.ok()) return losses.status();
    if (!losses->empty() && !options.accept_loss) {
      return Refuse(options, *losses, *record ? kPutFolderBack : kPutHeadBack);
    }
    opened.accepted_losses.insert(opened.accepted_losses.end(), losses->begin(), losses->end());
  }
  opened.record.store_id = opened.recovered.store.store_id;
  opened.record.generation = *record ? (*record)->generation + 1 : 1;
  opened.record.position = opened.database->Position();
  opened.record.heads = opened.recovered.heads;
  if (options.trusted != nullptr) {
    base::Instant last_stamp;
    for (const Head& head : opened.record.heads) last_stamp = std::max(last_stamp, head.stamp.time);
    options.trusted->Resume(*record ? std::optional((*record)->clock) : std::nullopt, last_stamp);
    opened.record.clock = options.trusted->Tick();
  }
  absl::StatusOr<std::unique_ptr<HeadFile>> head_file = HeadFile::Replace(options.head_path, opened.record);
  if (!head_file.ok()) return head_file.status();
  opened.head_file = *std::move(head_file);
  return opened;
}

}  // namespace consent::store
