#include "daemon/ops/metric_registry.h"

#include <algorithm>
#include <iterator>
#include <type_traits>

namespace consent::ops {
namespace {

prometheus::Labels LabelsOf(const LabelNames& names, const LabelValues& values) {
  prometheus::Labels labels;
  for (size_t i = 0; i < names.size() && i < values.size(); ++i) labels[names[i]] = values[i];
  return labels;
}

void SetValue(prometheus::Gauge& gauge, double value) { gauge.Set(value); }
// What is read only grows.
void SetValue(prometheus::Counter& counter, double value) { counter.Increment(value - counter.Value()); }

// The series of one family that is read at each scrape.
template <typename Metric>
class ReadSeries final : public SeriesSink {
 public:
  ReadSeries(prometheus::Family<Metric>& family, LabelNames names) : family_(family), names_(std::move(names)) {}

  void Read(const MetricRegistry::ManyReadings& read) {
    ++scrape_;
    read(*this);
    for (auto at = series_.begin(); at != series_.end();) {
      const bool gone = at->second.scrape != scrape_;
      if (gone) family_.Remove(at->second.metric);
      at = gone ? series_.erase(at) : std::next(at);
    }
  }
  void Set(LabelValues values, double value) override {
    const auto [at, is_new] = series_.try_emplace(std::move(values));
    if (is_new) at->second.metric = &family_.Add(LabelsOf(names_, at->first));
    at->second.scrape = scrape_;
    SetValue(*at->second.metric, value);
  }

 private:
  struct Shown {
    Metric* metric = nullptr;
    uint64_t scrape = 0;  // the latest that set it
  };
  prometheus::Family<Metric>& family_;
  const LabelNames names_;
  std::map<LabelValues, Shown> series_;
  uint64_t scrape_ = 0;
};

// One series without labels.
MetricRegistry::ManyReadings ToMany(MetricRegistry::Reading read) {
  return [read = std::move(read)](SeriesSink& series) {
    if (const std::optional<double> value = read(); value.has_value()) series.Set({}, *value);
  };
}

template <typename Metric>
prometheus::Family<Metric>& FamilyIn(prometheus::Registry& registry, const char* name, const char* help) {
  if constexpr (std::is_same_v<Metric, prometheus::Counter>) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  } else if constexpr (std::is_same_v<Metric, prometheus::Gauge>) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  } else {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }
}

// What reads a family at each scrape.
template <typename Metric>
std::function<void()> Reader(prometheus::Registry& registry, const char* name, const char* help, LabelNames labels,
                             MetricRegistry::ManyReadings read) {
  const auto series = std::make_shared<ReadSeries<Metric>>(FamilyIn<Metric>(registry, name, help), std::move(labels));
  return [series, read = std::move(read)] { series->Read(read); };
}

}  // namespace

void EventCounter::Add(LabelValues values, double amount) {
  base::MutexLock lock(mutex_);
  auto at = series_.find(values);
  if (at == series_.end() && series_.size() >= kMaxSeries && !values.empty()) {
    values[0] = "other";
    at = series_.find(values);
  }
  if (at == series_.end()) {
    prometheus::Counter& counter = family_.Add(LabelsOf(names_, values));
    at = series_.emplace(std::move(values), &counter).first;
  }
  at->second->Increment(amount);
}

MetricRegistry::MetricRegistry() = default;
MetricRegistry::~MetricRegistry() = default;

EventCounter& MetricRegistry::Events(const char* name, const char* help, LabelNames labels) {
  labels_[name] = labels;
  auto& family = FamilyIn<prometheus::Counter>(registry_, name, help);
  events_.push_back(std::unique_ptr<EventCounter>(new EventCounter(family, std::move(labels))));
  return *events_.back();
}

void MetricRegistry::Gauge(const char* name, const char* help, Reading read) {
  Gauge(name, help, {}, ToMany(std::move(read)));
}

void MetricRegistry::Gauge(const char* name, const char* help, LabelNames labels, ManyReadings read) {
  labels_[name] = labels;
  readings_.push_back(Reader<prometheus::Gauge>(registry_, name, help, std::move(labels), std::move(read)));
}

void MetricRegistry::Counter(const char* name, const char* help, Reading read) {
  Counter(name, help, {}, ToMany(std::move(read)));
}

void MetricRegistry::Counter(const char* name, const char* help, LabelNames labels, ManyReadings read) {
  labels_[name] = labels;
  readings_.push_back(Reader<prometheus::Counter>(registry_, name, help, std::move(labels), std::move(read)));
}

void MetricRegistry::Histogram(const char* name, const char* help, std::vector<double> bounds,
                               std::function<std::optional<Distribution>()> read) {
  auto& family = FamilyIn<prometheus::Histogram>(registry_, name, help);
  readings_.push_back([&family, bounds = std::move(bounds), read = std::move(read),
                       metric = static_cast<prometheus::Histogram*>(nullptr), told = Distribution()]() mutable {
    const std::optional<Distribution> now = read();
    if (!now.has_value()) return;
    if (metric == nullptr) metric = &family.Add({}, bounds);
    told.buckets.resize(now->buckets.size());
    std::vector<double> more;
    for (size_t i = 0; i < now->buckets.size(); ++i) {
      more.push_back(static_cast<double>(now->buckets[i] - told.buckets[i]));
    }
    metric->ObserveMultiple(more, now->sum - told.sum);
    told = *now;
  });
}

void MetricRegistry::AtScrape(std::function<void()> read) { readings_.push_back(std::move(read)); }

// The registry sorts labels by their names and keeps series in no order.
void MetricRegistry::Order(prometheus::MetricFamily* family) const {
  const auto found = labels_.find(family->name);
  if (found == labels_.end()) return;
  const auto place = [&names = found->second](const prometheus::ClientMetric::Label& label) {
    return std::find(names.begin(), names.end(), label.name);
  };
  for (prometheus::ClientMetric& metric : family->metric) {
    std::sort(metric.label.begin(), metric.label.end(),
              [&](const auto& one, const auto& other) { return place(one) < place(other); });
  }
  std::sort(family->metric.begin(), family->metric.end(),
            [](const auto& one, const auto& other) { return one.label < other.label; });
}

std::vector<prometheus::MetricFamily> MetricRegistry::Collect() {
  for (const std::function<void()>& read : readings_) read();
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  for (prometheus::MetricFamily& family : families) Order(&family);
  std::sort(families.begin(), families.end(), [](const auto& one, const auto& other) { return one.name < other.name; });
  return families;
}

}  // namespace consent::ops
