#include "tests/conformance/suite.h"
#include "tests/support/store/faulty.h"
#include "tests/support/store/memory.h"

namespace consent::test {
namespace {

class MemoryHarness final : public Harness {
 public:
  MemoryHarness(uint16_t partitions, bool decorated) : store_({partitions, {1, 2, 3}, &clock_, 4096}) {
    if (decorated) decorator_ = std::make_unique<FaultyStore>(store_, FaultyStore::Plan{});
  }
  store::Store& store() override { return decorator_ ? static_cast<store::Store&>(*decorator_) : store_; }
  ManualClock& clock() override { return clock_; }
  bool Reopen() override { return false; }

 private:
  ManualClock clock_;
  store::MemoryStore store_;
  std::unique_ptr<FaultyStore> decorator_;
};

}  // namespace

std::vector<Configuration> Configurations() {
  std::vector<Configuration> all;
  for (const uint16_t partitions : {1, 3}) {
    for (const bool decorated : {false, true}) {
      all.push_back({"Memory" + std::to_string(partitions) + (decorated ? "Decorated" : ""), partitions,
                     [decorated](uint16_t n) { return std::make_unique<MemoryHarness>(n, decorated); }});
    }
  }
  return all;
}

}  // namespace consent::test
