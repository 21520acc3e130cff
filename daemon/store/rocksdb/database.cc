#include "daemon/store/rocksdb/database.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <iterator>
#include <utility>

#include "daemon/base/file.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"

namespace consent::store {
namespace {

using rocksdb::ColumnFamilyDescriptor;
using rocksdb::ColumnFamilyOptions;

enum class Use { kPoints, kSmallFiles, kFeed };

ColumnFamilyOptions FamilyOptions(const DatabaseOptions& options, const std::shared_ptr<rocksdb::Cache>& cache,
                                  Use use) {
  ColumnFamilyOptions family;
  // Rows are hashes and sealed bytes: nothing to compress, and erased bytes can be looked for as they are.
  family.compression = rocksdb::kNoCompression;
  family.write_buffer_size = options.write_buffer_bytes;
  family.level_compaction_dynamic_level_bytes = true;
  family.paranoid_file_checks = true;
  family.force_consistency_checks = true;
  family.target_file_size_base = use == Use::kSmallFiles ? 8 << 20 : 64 << 20;
  family.max_bytes_for_level_base = use == Use::kSmallFiles ? 64 << 20 : 256 << 20;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = use == Use::kFeed ? 16 << 10 : 4 << 10;
  table.format_version = 5;
  // Indexes and filters in small pieces within the cache's bound: a whole one, over a megabyte, would not fit a cache
  // shard and be read anew for each row.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_top_level_index_and_filter = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // Feed rows are asked for only where they are.
  if (use != Use::kFeed) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // A partition's next row follows its last one: the memtable remembers where that was, instead of looking for it among
  // the rows of a thousand partitions. Range deletions in this family would get into the same hints (in 7.8 they trip
  // an assertion of the skip list).
  if (use == Use::kFeed) {
    constexpr size_t kPartitionBytes = 2;  // or one, and the first one of the sequence, which is always 0
    family.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kPartitionBytes));
  }
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

// In the order of Family. What most erasures touch is in small files, of which each rewrites less.
constexpr std::pair<const char*, Use> kFamilyUses[] = {
    {"default", Use::kPoints},       {"subject", Use::kPoints}, {"names", Use::kPoints},
    {"key_share", Use::kSmallFiles}, {"request", Use::kPoints}, {"recording", Use::kPoints},
    {"deletion", Use::kPoints},      {"task", Use::kPoints},    {"small", Use::kSmallFiles},
    {"spare_1", Use::kPoints},       {"spare_2", Use::kPoints}, {"spare_3", Use::kPoints},
    {"spare_4", Use::kPoints},       {"feed", Use::kFeed},
};
static_assert(std::size(kFamilyUses) == kFamilies);

std::vector<ColumnFamilyDescriptor> ColumnFamilies(const DatabaseOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes, /*num_shard_bits=*/4);
  std::vector<ColumnFamilyDescriptor> families;
  for (const auto& [name, use] : kFamilyUses) families.emplace_back(name, FamilyOptions(options, cache, use));
  return families;
}

rocksdb::DBOptions Settings(const DatabaseOptions& options) {
  rocksdb::DBOptions settings;
  settings.create_if_missing = false;
  settings.create_missing_column_families = false;  // a family that is missing is damage, not a wish
  settings.paranoid_checks = true;
  settings.flush_verify_memtable_count = true;
  // All files are looked for and their sizes compared at the start. Opened there, with footer and index verified, are
  // all only where this is -1, else some of each family; the others when they are first read.
  settings.max_open_files = options.max_open_files;
  settings.skip_checking_sst_file_sizes_on_db_open = false;
  settings.wal_recovery_mode = options.stop_at_damage ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                                      : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // What recovery found is durable in its own right before anything is served from it.
  settings.avoid_flush_during_recovery = false;
  settings.recycle_log_file_num = 0;
  settings.WAL_ttl_seconds = 0;
  settings.WAL_size_limit_MB = 0;
  settings.track_and_verify_wals_in_manifest = false;
  settings.max_manifest_file_size = 1;  // each flush starts a new one, so that erased boundary keys do not live on
  // All families reach the disk together: otherwise a lost MANIFEST entry could take rows away and leave their feed
  // rows.
  settings.atomic_flush = true;
  settings.db_write_buffer_size = options.write_buffer_bytes;
  settings.max_total_wal_size = 2 * options.write_buffer_bytes;
  settings.max_background_jobs = 2;
  settings.bytes_per_sync = 1 << 20;
  settings.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  settings.keep_log_file_num = 4;
  settings.max_log_file_size = 4 << 20;
  settings.stats_dump_period_sec = 0;
  settings.stats_persist_period_sec = 0;
  settings.allow_data_in_errors = false;
  return settings;
}

// Rewriting the files of the lowest level, as a scrub does, is long work that no commit waits for: its thread lets
// those go first that answer. Not at the engine's own low priority, which would give it next to nothing on a machine
// that is always busy, and keys have to leave the files in time. The threads are the process's.
void YieldWhileRewriting() {
  constexpr int kNice = 10;  // about a tenth of what an answering thread gets
  rocksdb::Env* const env = rocksdb::Env::Default();
  env->SetBackgroundThreads(1, rocksdb::Env::Priority::BOTTOM);
  env->Schedule([](void*) { (void)setpriority(PRIO_PROCESS, /*this thread*/ 0, kNice); }, nullptr,
                rocksdb::Env::Priority::BOTTOM);
}

// What is only read gets no log file.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

// Of a database that is only read: what its log holds goes into memory whatever this says.
constexpr size_t kWriteBuffer = 64 << 20;

// Earlier formats had other families and made the feed last, too, so a list that ends with it is whole.
bool HasOtherFamilies(const std::string& path) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &names).ok()) return false;
  if (names.empty() || names.back() != "feed") return false;
  return !std::equal(names.begin(), names.end(), std::begin(kFamilyUses), std::end(kFamilyUses),
                     [](const std::string& name, const auto& ours) { return name == ours.first; });
}

// The errno behind an engine's error, of those that ErrorAdvice knows more about; 0: none of them. The engine keeps its
// text alone.
int ErrorBehind(const rocksdb::Status& status) {
  if (status.IsNoSpace()) return ENOSPC;
  const std::string text = status.ToString();
  for (const int error : {EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EACCES, EPERM, EROFS, EAGAIN}) {
    if (text.find(std::strerror(error)) != std::string::npos) return error;
  }
  return 0;
}

// Whether the file system refused the engine something, which proves nothing about a file's content, whatever the error
// is. The engine quotes it also where it calls a file corrupt. A file that is missing is damage.
bool IsRefused(const std::string& text) {
  return text.find("IO error") != std::string::npos && text.find(std::strerror(ENOENT)) == std::string::npos;
}

absl::Status OpenError(const rocksdb::Status& status, const std::string& path) {
  const std::string text = status.ToString();
  const int error = ErrorBehind(status);
  if (error == EAGAIN && text.find("LOCK") != std::string::npos) {
    return absl::FailedPreconditionError("the database " + path +
                                         " is in use by another process: nothing is wrong with it; stop that daemon");
  }
  const std::string what = "the database " + path + " cannot be opened (engine: " + text + ")";
  if (error != 0) return base::FileError(what, error);
  if (IsRefused(text)) {
    return absl::UnavailableError(
        what + ": see the kernel's log and the disk first, and leave the files as they are until then");
  }
  return absl::DataLossError("the database " + path + " is damaged or lacks files (engine: " + text +
                             "). Keep a copy of it as it is, then put a good copy in its place");
}

rocksdb::WriteOptions Durable() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

}  // namespace

absl::Status Database::Create(const DatabaseOptions& options, std::string_view meta_key, std::string_view meta_value) {
  rocksdb::DBOptions settings = Settings(options);
  settings.create_if_missing = true;
  settings.create_missing_column_families = true;
  settings.error_if_exists = true;
  settings.max_manifest_file_size = 1 << 20;  // each family would start one
  std::unique_ptr<Database> created(new Database());
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(settings, options.path, ColumnFamilies(options), &created->handles_, &db);
  if (!status.ok()) return OpenError(status, options.path);
  created->db_.reset(db);
  rocksdb::WriteBatch batch;
  status = batch.Put(created->meta(), rocksdb::Slice(meta_key.data(), meta_key.size()),
                     rocksdb::Slice(meta_value.data(), meta_value.size()));
  if (!status.ok()) return FromRocks(status, "cannot describe the new database");
  return created->Write(batch);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options) {
  std::unique_ptr<Database> opened(new Database());
  rocksdb::DB* db = nullptr;
  if (HasOtherFamilies(options.path)) return AnotherFormat("the database " + options.path);
  YieldWhileRewriting();
  rocksdb::DBOptions settings = Settings(options);
  settings.listeners.push_back(opened->stalls_);
  const rocksdb::Status status =
      rocksdb::DB::Open(settings, options.path, ColumnFamilies(options), &opened->handles_, &db);
  if (!status.ok()) return OpenError(status, options.path);
  opened->db_.reset(db);
  return opened;
}

absl::Status Database::LookFor(const std::string& path) {
  if (access((path + "/CURRENT").c_str(), F_OK) == 0) return absl::OkStatus();
  return base::FileError("there is no database in " + path, errno);
}

absl::StatusOr<std::unique_ptr<Database>> Database::OpenToRead(const std::string& path) {
  if (absl::Status s = LookFor(path); !s.ok()) return s;
  if (HasOtherFamilies(path)) return AnotherFormat("the database " + path);
  constexpr size_t kCacheBytes = 8 << 20;
  constexpr int kOpenFiles = 64;
  DatabaseOptions options;
  options.path = path;
  options.block_cache_bytes = kCacheBytes;
  options.write_buffer_bytes = kWriteBuffer;
  options.max_open_files = kOpenFiles;
  rocksdb::DBOptions settings = Settings(options);
  settings.info_log = std::make_shared<NoLog>();
  std::unique_ptr<Database> opened(new Database());
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(settings, path, ColumnFamilies(options), &opened->handles_, &db);
  if (!status.ok()) return OpenError(status, path);
  opened->db_.reset(db);
  return opened;
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  db_->Close();
}

absl::Status Database::Write(rocksdb::WriteBatch& batch) {
  return FromRocks(db_->Write(Durable(), &batch), "write to the database failed");
}

rocksdb::ReadOptions VerifiedReads() {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  return options;
}

absl::Status FromRocks(const rocksdb::Status& status, const std::string& what) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound()) return absl::NotFoundError("no such row");
  const int error = ErrorBehind(status);
  return absl::UnavailableError(what + " (engine: " + status.ToString() + ")" +
                                (error == 0 ? "" : ": " + base::ErrorAdvice(error)));
}

}  // namespace consent::store
