// The metrics that are not on the hot path of a check: a prometheus::Registry, in which each is defined in one place,
// where it is counted or read. What is counted in a check is in metrics.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/metric_family.h"
#include "prometheus/registry.h"

namespace consent::ops {

// Names of labels, in the order in which they are shown, and the values of one series in that order.
using LabelNames = std::vector<std::string>;
using LabelValues = std::vector<std::string>;

// Series that count what happens. Thread-safe; an Add takes a lock and looks into a map.
class EventCounter {
 public:
  // Distinct series of one family; what goes beyond is counted under the first label "other": that label alone has
  // values of a policy, the others a few of our own.
  static constexpr size_t kMaxSeries = 4096;

  // `values` has as many as the family has labels. The series is there from its first Add on, be it of nothing.
  void Add(LabelValues values, double amount = 1) EXCLUDES(mutex_);

 private:
  friend class MetricRegistry;
  EventCounter(prometheus::Family<prometheus::Counter>& family, LabelNames names)
      : family_(family), names_(std::move(names)) {}

  prometheus::Family<prometheus::Counter>& family_;
  const LabelNames names_;
  base::Mutex mutex_;
  std::map<LabelValues, prometheus::Counter*> series_ GUARDED_BY(mutex_);
};

// Takes the series of one family in the scrape under way: those that it does not get are no longer shown.
class SeriesSink {
 public:
  virtual ~SeriesSink() = default;
  virtual void Set(LabelValues values, double value) = 0;
};

// Definitions: before the first scrape, on one thread. Collect: on one thread at a time.
class MetricRegistry {
 public:
  // What a histogram of elsewhere has counted since the process began.
  struct Distribution {
    std::vector<uint64_t> buckets;  // each its own, not summed up; one more than there are bounds
    double sum = 0;
  };
  using Reading = std::function<std::optional<double>()>;  // nothing: not known now, and not shown
  using ManyReadings = std::function<void(SeriesSink&)>;

  MetricRegistry();
  ~MetricRegistry();

  // Counted as it happens. The result lives as long as the registry.
  EventCounter& Events(const char* name, const char* help, LabelNames labels = {});
  // Computed at each scrape, on its thread, in the order in which they were defined: they must be quick and block for
  // nothing but short locks. Counters are for what only grows.
  void Gauge(const char* name, const char* help, Reading read);
  void Gauge(const char* name, const char* help, LabelNames labels, ManyReadings read);
  void Counter(const char* name, const char* help, Reading read);
  void Counter(const char* name, const char* help, LabelNames labels, ManyReadings read);
  void Histogram(const char* name, const char* help, std::vector<double> bounds,
                 std::function<std::optional<Distribution>()> read);
  // Called at each scrape before what is defined after it: for what several of them read at once.
  void AtScrape(std::function<void()> read);

  // Runs all readings. Families in the order of their names, their series in that of their labels' values.
  std::vector<prometheus::MetricFamily> Collect();

 private:
  void Order(prometheus::MetricFamily* family) const;

  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Throw};
  std::map<std::string, LabelNames> labels_;  // by family
  std::vector<std::unique_ptr<EventCounter>> events_;
  std::vector<std::function<void()>> readings_;
};

}  // namespace consent::ops
