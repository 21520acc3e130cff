#include "daemon/store/rocksdb/open.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/wal_check.h"

namespace consent::store {
namespace {

namespace fs = std::filesystem;

constexpr char kWhatToDo[] =
    "Put the newer database folder back; or start once with --accept-loss to go on without what is missing";

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
  if (options.clock == nullptr || options.random == nullptr) return absl::InvalidArgumentError("the store needs a clock and randomness");
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
    return absl::InvalidArgumentError("the head file must lie outside the database folder, or an old copy of it would bring its own");
  }
  return absl::OkStatus();
}

absl::Status SyncFolder(const fs::path& folder) {
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError("cannot sync the folder " + folder.string() + ": " + std::strerror(error));
}

// Built aside and moved into place, so that a half-made database is never taken for a store.
absl::Status CreateDatabase(const RocksStore::Options& options) {
  const fs::path place = fs::path(options.db_path);
  const std::string aside = options.db_path + ".creating";
  std::error_code error;
  fs::remove_all(aside, error);
  if (!error && mkdir(aside.c_str(), 0700) != 0) error = std::error_code(errno, std::generic_category());
  if (error) return absl::UnavailableError("cannot create " + aside + ": " + error.message());
  StoreRow row;
  options.random->Fill(row.store_id.data(), row.store_id.size());
  row.partitions = options.partitions;
  row.key_fingerprint = options.key_fingerprint;
  row.created = options.clock->Now();
  if (absl::Status s = Database::Create(ForDatabase(options, aside), kStoreRowKey, EncodeStoreRow(row)); !s.ok()) return s;
  fs::rename(aside, place, error);
  if (error) return absl::UnavailableError("cannot put the new database into " + options.db_path + ": " + error.message());
  return SyncFolder(fs::absolute(place).lexically_normal().parent_path());
}

absl::Status CheckIdentity(const RocksStore::Options& options, const StoreRow& store) {
  if (store.key_fingerprint != options.key_fingerprint) {
    return absl::FailedPreconditionError("the key file is not the one that the database " + options.db_path +
                                         " was created with: nothing in it could be found or opened. Put the right key file back");
  }
  if (store.partitions != options.partitions) {
    return absl::FailedPreconditionError("the database " + options.db_path + " has " + std::to_string(store.partitions) +
                                         " partitions, the configuration says " + std::to_string(options.partitions) +
                                         "; the number is fixed when a store is created");
  }
  return absl::OkStatus();
}

// What the head file says; a damaged one is a loss that can be accepted.
absl::StatusOr<std::optional<HeadRecord>> ReadHeadFile(const RocksStore::Options& options, std::vector<std::string>* losses) {
  absl::StatusOr<std::optional<HeadRecord>> record = HeadFile::Read(options.head_path);
  if (record.ok() || !absl::IsDataLoss(record.status())) return record;
  losses->push_back(std::string(record.status().message()));
  if (options.accept_loss) return std::nullopt;
  return absl::DataLossError(losses->back() + ", so nothing tells whether changes are missing. Put a good copy back; or start once "
                                              "with --accept-loss if the database folder is the newest there is");
}

absl::Status Refuse(const RocksStore::Options& options, const std::vector<std::string>& losses) {
  std::string text = "the database " + options.db_path + " does not match the head file " + options.head_path + ": ";
  constexpr size_t kShown = 8;  // of up to 1024 partitions
  for (size_t i = 0; i < std::min(losses.size(), kShown); ++i) text += losses[i] + "; ";
  if (losses.size() > kShown) text += "and " + std::to_string(losses.size() - kShown) + " more; ";
  return absl::FailedPreconditionError(text.substr(0, text.size() - 2) + ". " + kWhatToDo);
}

// The folder exists and holds something (false), or a new database was made (true), but never where one with changes had been.
absl::StatusOr<bool> FindOrCreate(const RocksStore::Options& options, const std::optional<HeadRecord>& record,
                          std::vector<std::string>* losses) {
  std::error_code error;
  const bool exists = fs::exists(options.db_path, error) && !fs::is_empty(options.db_path, error);
  if (error) return absl::UnavailableError("cannot look into " + options.db_path + ": " + error.message());
  if (exists) return false;
  if (record) {
    const bool used = std::any_of(record->heads.begin(), record->heads.end(),
                                  [](const Head& head) { return head.stamp.sequence != 0; });
    if (used) losses->push_back("the database folder is missing or empty, the head file knows of a store with changes");
    if (used && !options.accept_loss) return Refuse(options, *losses);
  }
  if (absl::Status s = CreateDatabase(options); !s.ok()) return s;
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessLock>> ProcessLock::Take(const std::string& db_path) {
  const std::string path = db_path + ".lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return absl::UnavailableError("cannot open the lock file " + path + ": " + std::strerror(errno));
  std::unique_ptr<ProcessLock> lock(new ProcessLock(fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError("the database " + db_path + " is in use by another process");
  }
  return lock;
}

ProcessLock::~ProcessLock() { close(fd_); }

absl::StatusOr<Opened> OpenChecked(const RocksStore::Options& options) {
  if (absl::Status s = CheckOptions(options); !s.ok()) return s;
  Opened opened;
  absl::StatusOr<std::unique_ptr<ProcessLock>> lock = ProcessLock::Take(options.db_path);
  if (!lock.ok()) return lock.status();
  opened.lock = *std::move(lock);

  absl::StatusOr<std::optional<HeadRecord>> record = ReadHeadFile(options, &opened.accepted_losses);
  if (!record.ok()) return record.status();
  const absl::StatusOr<bool> created = FindOrCreate(options, *record, &opened.accepted_losses);
  if (!created.ok()) return created.status();

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
    if (!losses->empty() && !options.accept_loss) return Refuse(options, *losses);
    opened.accepted_losses.insert(opened.accepted_losses.end(), losses->begin(), losses->end());
  }
  opened.record.store_id = opened.recovered.store.store_id;
  opened.record.generation = *record ? (*record)->generation + 1 : 1;
  opened.record.position = opened.database->Position();
  opened.record.heads = opened.recovered.heads;
  absl::StatusOr<std::unique_ptr<HeadFile>> head_file = HeadFile::Replace(options.head_path, opened.record);
  if (!head_file.ok()) return head_file.status();
  opened.head_file = *std::move(head_file);
  return opened;
}

}  // namespace consent::store
