// The use cases over a store folder of the daemon's own format, without a server: for filling and measuring.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/app/keyring.h"
#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/base/trusted_clock.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/registry/publisher.h"
#include "daemon/service/state/core.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::bench {

// Ends the process where there is none.
template <typename T>
T Need(absl::StatusOr<T> result);

// Creates the folder; key and head file lie beside it. The policy of a file is in force, or the shipped one.
class Offline {
 public:
  static constexpr size_t kInFlight = 2000;

  explicit Offline(const std::string& data_dir, const std::string& policy_file = "");

  service::Core& core() { return *context_; }
  service::TaskQueue& queue() { return *queue_; }
  service::Publisher& publisher() { return *publisher_; }
  store::RocksStore& store() { return *store_; }
  const app::Keyring& keyring() const { return keyring_; }

 private:
  store::RocksStore::Options Options(const std::string& data_dir);
  std::unique_ptr<store::RocksStore> Open(const std::string& data_dir);

  const base::SystemClock clock_;
  base::TrustedClock time_{clock_, base::BootId{}, base::ClockBounds{}};
  base::SystemRandom random_;
  service::Pool writers_;
  app::Keyring keyring_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<service::Core> context_;
  std::unique_ptr<service::TaskQueue> queue_;
  std::unique_ptr<service::Publisher> publisher_;
};

[[noreturn]] void Give(const absl::Status& status);

template <typename T>
T Need(absl::StatusOr<T> result) {
  if (!result.ok()) Give(result.status());
  return *std::move(result);
}

}  // namespace consent::bench
