// Metrics as text, collected away from whoever answers scrapes: collecting takes locks and looks through the store's
// properties.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"
#include "prometheus/metric_family.h"

namespace consent::ops {

// One thread, one collection at a time, whose text all share that asked for it. Thread-safe.
class Collector {
 public:
  using Collect = std::function<std::vector<prometheus::MetricFamily>()>;
  using Text = std::shared_ptr<const std::string>;
  // Called on the collector's thread: what was asked for up to `number` is answered with `text`.
  using Done = std::function<void(uint64_t number, Text text)>;

  // std::system_error: the thread cannot start.
  Collector(Collect collect, Done done);
  // Waits for a collection that is under way.
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // The number of the collection that answers this call: it begins after the call, so that it shows all that happened
  // before.
  uint64_t Ask() EXCLUDES(mutex_);

 private:
  void Run() EXCLUDES(mutex_);
  // Waits until somebody asks; false once it is to stop.
  bool Begin(uint64_t* number) EXCLUDES(mutex_);

  const Collect collect_;
  const Done done_;
  base::Mutex mutex_;
  base::CondVar wake_;
  uint64_t begun_ GUARDED_BY(mutex_) = 0;
  uint64_t wanted_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last
};

}  // namespace consent::ops
