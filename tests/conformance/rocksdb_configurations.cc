#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/conformance/suite.h"
#include "tests/support/store/faulty.h"
#include "tests/support/temp_folder.h"

namespace consent::test {
namespace {

class RocksHarness final : public Harness {
 public:
  RocksHarness(uint16_t partitions, bool decorated) : partitions_(partitions), decorated_(decorated) { OpenStore(); }
  store::Store& store() override { return decorator_ ? static_cast<store::Store&>(*decorator_) : *store_; }
  ManualClock& clock() override { return clock_; }
  bool Reopen() override {
    store_->Close();
    OpenStore();
    return true;
  }

 private:
  void OpenStore() {
    decorator_.reset();
    store_.reset();
    store::RocksStore::Options options;
    options.db_path = folder_ / "db";
    options.head_path = folder_ / "head";
    options.partitions = partitions_;
    options.clock = &clock_;
    options.random = &random_;
    options.write_buffer_bytes = 4 << 20;
    absl::StatusOr<std::unique_ptr<store::RocksStore>> opened = store::RocksStore::Open(options);
    if (!opened.ok()) {
      ADD_FAILURE() << opened.status();
      std::abort();
    }
    store_ = *std::move(opened);
    if (decorated_) decorator_ = std::make_unique<FaultyStore>(*store_, FaultyStore::Plan{});
  }

  const uint16_t partitions_;
  const bool decorated_;
  TempFolder folder_;
  ManualClock clock_;
  base::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<FaultyStore> decorator_;
};

}  // namespace

std::vector<Configuration> Configurations() {
  std::vector<Configuration> all;
  for (const uint16_t partitions : {1, 3}) {
    for (const bool decorated : {false, true}) {
      all.push_back({"Rocks" + std::to_string(partitions) + (decorated ? "Decorated" : ""), partitions,
                     [decorated](uint16_t n) { return std::make_unique<RocksHarness>(n, decorated); }});
    }
  }
  return all;
}

}  // namespace consent::test
