// The backup that is being taken: staged, verified, hashed, and then read piece by piece until its end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/clock.h"
#include "daemon/base/mutex.h"
#include "daemon/base/random.h"
#include "daemon/ops/log.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/rpc/backup_rpc.h"
#include "daemon/store/rocksdb/staged_copy.h"

namespace consent::app {

// At most one at a time, on a thread of its own. Thread-safe.
class Backups final : public rpc::BackupSource {
 public:
  static constexpr base::Span kIdle = base::Seconds(60);  // without a question: nobody takes it any more
  static constexpr base::Span kLongest = base::Hours(6);  // from its beginning
  static constexpr size_t kPieceBytes = 1 << 20;          // of a file, in one answer

  // Stages a copy of the store; see RocksStore::Stage.
  using Stage = std::function<absl::StatusOr<std::unique_ptr<store::StagedCopy>>()>;
  // Told of each backup that is verified and was wholly taken, with its heads by partition. On any thread.
  using Taken = std::function<void(const std::vector<store::Head>& heads)>;
  // The references outlive it.
  Backups(Stage stage, Taken taken, const base::Clock& clock, base::Random& random, ops::Log& log);
  // Ends the one that is being taken, and waits for that.
  ~Backups() override;
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

  absl::StatusOr<std::string> Begin() override EXCLUDES(mutex_);
  absl::StatusOr<Piece> Read(const std::string& id, const std::string& file, uint64_t offset) override EXCLUDES(mutex_);
  absl::Status End(const std::string& id, bool is_taken) override EXCLUDES(mutex_);

  // When the last one began that was wholly taken since the process began; unset: none was.
  base::Instant last_taken() const { return base::Instant{last_taken_.load()}; }
  // To be called before the registry is collected from, which ends before this.
  void DefineMetrics(ops::MetricRegistry& registry) const;

 private:
  enum class Phase : uint8_t { kNone = 0, kMaking = 1, kReady = 2, kFailed = 3 };
  struct Made;  // what is ready to be read
  void Run(const std::string& id, base::Instant began) EXCLUDES(mutex_);
  absl::StatusOr<std::shared_ptr<const Made>> Make(base::Instant began) EXCLUDES(mutex_);
  static absl::StatusOr<Piece> PieceOf(const Made& made, const std::string& file, uint64_t offset);
  // Somebody may have to wait for its end.
  bool IsUnderWay() const REQUIRES(mutex_) { return phase_ == Phase::kMaking || phase_ == Phase::kReady; }
  // It was ended, nobody asks for it, or it has taken too long.
  bool IsOver() const REQUIRES(mutex_);
  // The backup is the one of this id and is asked for now.
  bool Asked(const std::string& id) REQUIRES(mutex_);

  const Stage stage_;
  const Taken taken_;
  const base::Clock& clock_;
  base::Random& random_;
  ops::Log& log_;
  std::atomic<int64_t> last_taken_{0};
  std::atomic<uint64_t> rows_verified_{0};

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::kNone;
  std::string id_ GUARDED_BY(mutex_);
  base::Instant began_ GUARDED_BY(mutex_);
  base::Span began_since_boot_ GUARDED_BY(mutex_);
  base::Span asked_ GUARDED_BY(mutex_);  // by the boot clock, when somebody last did
  bool ended_ GUARDED_BY(mutex_) = false;
  absl::Status failure_ GUARDED_BY(mutex_);
  std::shared_ptr<const Made> made_ GUARDED_BY(mutex_);
  int reads_ GUARDED_BY(mutex_) = 0;  // under way, of what is made
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace consent::app
