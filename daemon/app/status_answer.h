// What GetStatus answers: the figures of a scrape, without a second way of counting.
#pragma once

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "consent/v1/status_service.pb.h"
#include "daemon/base/mutex.h"
#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/state/core.h"
#include "prometheus/metric_family.h"

namespace consent::app {

// Thread-safe; the references outlive it.
class StatusAnswer {
 public:
  // Collects all metrics, as for a scrape.
  using Collect = std::function<std::vector<prometheus::MetricFamily>()>;
  // Counts time that only goes on.
  using Now = std::function<std::chrono::steady_clock::time_point()>;

  // A scrape of a large store takes tens of milliseconds of a processor, so whoever asks again within this hears the
  // same once more: however many ask, a twenty-fifth of one processor is the most that it takes.
  static constexpr std::chrono::milliseconds kShared{250};

  StatusAnswer(const service::Core& core, const service::PolicyAdmin& admin, Collect collect, Now now)
      : core_(core), admin_(admin), collect_(std::move(collect)), now_(std::move(now)) {}

  // Waits for a collection that is under way. Call it while the daemon is ready.
  void Read(v1::GetStatusResponse* out) EXCLUDES(mutex_);

 private:
  const service::Core& core_;
  const service::PolicyAdmin& admin_;
  const Collect collect_;
  const Now now_;
  base::Mutex mutex_;
  v1::GetStatusResponse last_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point read_at_ GUARDED_BY(mutex_);  // of last_; the beginning: there is none
};

// What the families of a scrape say, in the answer's fields; those that need more than a figure are left as they are.
void WriteFigures(const std::vector<prometheus::MetricFamily>& families, v1::GetStatusResponse* out);

}  // namespace consent::app
