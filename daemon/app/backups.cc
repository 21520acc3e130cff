#include "daemon/app/backups.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/backup/manifest.h"
#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/sha256_stream.h"
#include "daemon/ops/version.h"
#include "daemon/service/inspect/inspect_store.h"
#include "daemon/store/rocksdb/frozen_rocks.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"

namespace consent::app {
namespace {

namespace fs = std::filesystem;
using ops::OperatorText;

constexpr std::chrono::seconds kBetweenPhaseLooks{1};

absl::Status NotFound() {
  return wire::MakeError(v1::ERROR_REASON_BACKUP_NOT_FOUND,
                         "no such backup is being taken: it was ended, nobody had asked for it for a minute, or it has "
                         "no such file; begin another");
}

absl::Status NotMade(const absl::Status& why) {
  return wire::MakeError(v1::ERROR_REASON_BACKUP_NOT_MADE, std::string(why.message()));
}

absl::Status Unsound(const service::InspectReport& report) {
  std::string text = "the store is damaged, so its copy is worth nothing. Run `consentd store verify` on it:";
  constexpr size_t kShown = 8;
  size_t shown = 0;
  for (const auto& [what, rows] : report.problems) {
    if (++shown <= kShown)
      absl::StrAppend(&text, shown == 1 ? " " : "; ", rows, " rows of ", what.first, " ", what.second);
  }
  return wire::MakeError(v1::ERROR_REASON_BACKUP_UNSOUND, text);
}

// `20261129T183000Z-3f2a9c1d`.
std::string NewId(base::Instant began, base::Random& random) {
  std::array<uint8_t, 4> chance{};
  random.Fill(chance.data(), chance.size());
  std::string time = base::FormatRfc3339(base::Instant{began.micros - began.micros % 1'000'000});
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return time.substr(0, time.find_first_of(".Z")) + "Z-" + base::Hex(base::View(chance));
}

absl::StatusOr<std::string> ReadPiece(const std::string& path, uint64_t offset, size_t bytes) {
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("staged file", path, base::Links::kRefuse);
  if (!file.ok()) return file.status();
  std::string piece(bytes, '\0');
  size_t size = 0;
  while (size < bytes) {
    const ssize_t n = pread(file->fd(), piece.data() + size, bytes - size, static_cast<off_t>(offset + size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::FileError("cannot read the staged file " + path, errno);
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  piece.resize(size);
  return piece;
}

// Adds every file of the staged copy, with its hash.
absl::Status ListFiles(const std::string& folder, const std::function<bool()>& stop, v1::BackupManifest* manifest) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) return base::FileError("cannot list the staged copy " + folder, error.value());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    v1::BackupFile* const file = manifest->add_files();
    file->set_name(absl::StrCat(std::string(backup::kStoreFolder), "/", name));
    base::Sha256Stream hash;
    for (uint64_t offset = 0;;) {
      const absl::StatusOr<std::string> piece =
          ReadPiece(absl::StrCat(folder, "/", name), offset, Backups::kPieceBytes);
      if (!piece.ok()) return piece.status();
      if (stop()) return absl::CancelledError("stopped");
      if (piece->empty()) break;
      hash.Update(*piece);
      offset += piece->size();
      file->set_bytes(static_cast<int64_t>(offset));
    }
    file->set_sha256(base::Hex(base::View(hash.Finish())));
  }
  return absl::OkStatus();
}

}  // namespace

struct Backups::Made {
  std::unique_ptr<store::StagedCopy> copy;
  std::string manifest;
  std::map<std::string, uint64_t> files;  // by name, their sizes
  uint64_t bytes = 0;
  std::vector<store::Head> heads;  // by partition
};

Backups::Backups(Stage stage, Taken taken, const base::Clock& clock, base::Random& random, ops::Log& log)
    : stage_(std::move(stage)), taken_(std::move(taken)), clock_(clock), random_(random), log_(log) {}

Backups::~Backups() {
  std::thread thread;
  {
    base::MutexLock lock(mutex_);
    ended_ = true;
    changed_.NotifyAll();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void Backups::DefineMetrics(ops::MetricRegistry& registry) const {
  registry.Gauge("consentd_backup_last_timestamp_seconds",
                 "When the last backup began that was wholly taken; 0: none since the start.",
                 [this] { return static_cast<double>(last_taken().micros) / 1e6; });
}

bool Backups::IsOver() const {
  const base::Span now = clock_.SinceBoot();
  return ended_ || now.micros - asked_.micros > kIdle.micros || now.micros - began_since_boot_.micros > kLongest.micros;
}

bool Backups::Asked(const std::string& id) {
  if (phase_ == Phase::kNone || id != id_ || IsOver()) return false;
  asked_ = clock_.SinceBoot();
  return true;
}

absl::StatusOr<std::string> Backups::Begin() {
  base::MutexLock lock(mutex_);
  // Of one that is over only its thread has to see that, and what it staged to be removed.
  while (IsUnderWay() && IsOver()) {
    changed_.NotifyAll();
    changed_.Wait(mutex_);
  }
  if (IsUnderWay()) {
    return wire::MakeError(v1::ERROR_REASON_BACKUP_RUNNING,
                           "another backup is being taken: wait for its end; one that nobody asks for ends after a "
                           "minute");
  }
  if (thread_.joinable()) thread_.join();  // it has nothing left to do
  began_ = clock_.Now();
  began_since_boot_ = asked_ = clock_.SinceBoot();
  id_ = NewId(began_, random_);
  phase_ = Phase::kMaking;
  ended_ = false;
  rows_verified_ = 0;
  thread_ = std::thread([this, id = id_, began = began_] { Run(id, began); });
  return id_;
}

void Backups::Run(const std::string& id, base::Instant began) {
  constexpr int kNice = 10;  // who answers goes first
  (void)setpriority(PRIO_PROCESS, /*this thread*/ 0, kNice);
  log_.Info("backup begun", {{"backup", OperatorText(id)}});
  absl::StatusOr<std::shared_ptr<const Made>> made = Make(began);
  if (made.ok()) {
    log_.Info("backup ready",
              {{"backup", OperatorText(id)}, {"bytes", (*made)->bytes}, {"files", (*made)->files.size()}});
    base::MutexLock lock(mutex_);
    made_ = *std::move(made);
    phase_ = Phase::kReady;
    changed_.NotifyAll();
    while (!IsOver()) changed_.WaitFor(mutex_, kBetweenPhaseLooks);
    ended_ = true;
    made = std::move(made_);
    made_.reset();
    while (reads_ > 0) changed_.Wait(mutex_);  // each of one piece
  }
  const absl::Status failure = made.status();
  made = absl::CancelledError();  // the staged copy goes with it
  const bool has_failed = !failure.ok() && !absl::IsCancelled(failure);
  {
    base::MutexLock lock(mutex_);
    phase_ = has_failed && !ended_ ? Phase::kFailed : Phase::kNone;
    failure_ = failure;
    changed_.NotifyAll();
  }
  if (has_failed) {
    log_.Error("backup failed", {{"backup", OperatorText(id)}, {"why", OperatorText(failure)}});
  } else if (last_taken() == began) {
    log_.Info("backup taken", {{"backup", OperatorText(id)}});
  } else {
    log_.Info("backup ended before it was taken", {{"backup", OperatorText(id)}});
  }
}

absl::StatusOr<std::shared_ptr<const Backups::Made>> Backups::Make(base::Instant began) {
  const auto stop = [this] {
    base::MutexLock lock(mutex_);
    return IsOver();
  };
  auto made = std::make_shared<Made>();
  absl::StatusOr<std::unique_ptr<store::StagedCopy>> copy = stage_();
  if (!copy.ok()) return NotMade(copy.status());
  made->copy = *std::move(copy);
  v1::BackupManifest manifest;
  {
    const auto frozen = store::OpenFrozen(made->copy->path());
    if (!frozen.ok()) return NotMade(frozen.status());
    service::InspectOptions options;
    options.seen = &rows_verified_;
    options.stop = stop;
    const absl::StatusOr<service::InspectReport> report = service::InspectStore(**frozen, options);
    if (absl::IsDataLoss(report.status())) {
      return wire::MakeError(v1::ERROR_REASON_BACKUP_UNSOUND, std::string(report.status().message()));
    }
    if (!report.ok()) return absl::IsCancelled(report.status()) ? report.status() : NotMade(report.status());
    if (!report->IsSound()) return Unsound(*report);
    const store::StoreIdentity& identity = (*frozen)->identity();
    manifest.set_store_id(base::Hex(base::View(identity.store_id)));
    manifest.set_key_fingerprint(base::Hex(base::View(identity.key_fingerprint)));
    for (const store::Head& head : report->heads) {
      v1::BackupHead* const out = manifest.add_heads();
      out->set_sequence(static_cast<int64_t>(head.stamp.sequence));
      if (head.stamp.sequence != 0) wire::WriteTimestamp(head.stamp.time, out->mutable_time());
      out->set_chain(base::Hex(base::View(head.chain)));
    }
    made->heads = report->heads;
    for (const auto& [table, size] : report->tables)
      (*manifest.mutable_rows())[table] = static_cast<int64_t>(size.rows);
  }
  manifest.set_manifest_format(backup::kManifestFormat);
  manifest.set_version(ops::kVersion);
  manifest.set_data_format(store::DataFormat());
  wire::WriteTimestamp(began, manifest.mutable_create_time());
  if (absl::Status s = ListFiles(made->copy->path(), stop, &manifest); !s.ok()) {
    return absl::IsCancelled(s) ? s : NotMade(s);
  }
  for (const v1::BackupFile& file : manifest.files()) {
    made->files.emplace(file.name(), file.bytes());
    made->bytes += static_cast<uint64_t>(file.bytes());
  }
  made->manifest = backup::EncodeManifest(manifest);
  return made;
}

absl::StatusOr<Backups::Piece> Backups::Read(const std::string& id, const std::string& file, uint64_t offset) {
  std::shared_ptr<const Made> made;
  {
    base::MutexLock lock(mutex_);
    if (!Asked(id)) return NotFound();
    if (phase_ == Phase::kMaking) changed_.WaitFor(mutex_, kBetweenPhaseLooks);
    if (!Asked(id)) return NotFound();
    if (phase_ == Phase::kFailed) return failure_;
    if (phase_ == Phase::kMaking) return Piece{false, rows_verified_.load(), {}};
    made = made_;
    ++reads_;
  }
  absl::StatusOr<Piece> piece = PieceOf(*made, file, offset);
  made.reset();
  base::MutexLock lock(mutex_);
  --reads_;
  changed_.NotifyAll();
  return piece;
}

absl::StatusOr<Backups::Piece> Backups::PieceOf(const Made& made, const std::string& file, uint64_t offset) {
  Piece piece{true, 0, {}};
  if (file == backup::kManifestName) {
    if (offset < made.manifest.size()) piece.data = made.manifest.substr(offset, kPieceBytes);
    return piece;
  }
  const auto found = made.files.find(file);
  if (found == made.files.end()) return NotFound();
  if (offset >= found->second) return piece;
  const std::string path = made.copy->path() + file.substr(backup::kStoreFolder.size());
  absl::StatusOr<std::string> data = ReadPiece(path, offset, std::min<uint64_t>(kPieceBytes, found->second - offset));
  if (!data.ok()) return NotMade(data.status());
  piece.data = *std::move(data);
  return piece;
}

absl::Status Backups::End(const std::string& id, bool is_taken) {
  std::vector<store::Head> heads;
  {
    base::MutexLock lock(mutex_);
    if (!Asked(id)) return NotFound();
    if (is_taken && phase_ == Phase::kReady) {
      last_taken_ = began_.micros;
      heads = made_->heads;
    }
    ended_ = true;
    changed_.NotifyAll();
    // Whoever was answered finds nothing staged any more.
    while (id_ == id && IsUnderWay()) changed_.Wait(mutex_);
    if (id_ == id) phase_ = Phase::kNone;
  }
  if (!heads.empty()) taken_(heads);
  return absl::OkStatus();
}

}  // namespace consent::app
