// What is defined in the registry, as a scrape shows it.
#include "daemon/ops/metric_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <thread>

#include "daemon/ops/process_metrics.h"

namespace consent::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MetricRegistryTest : public ::testing::Test {
 protected:
  std::string Scrape() {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, registry_.Collect());
    return out.str();
  }
  MetricRegistry registry_;
};

TEST_F(MetricRegistryTest, AGaugeIsReadAtEachScrape) {
  double value = 0.5;
  registry_.Gauge("depth", "How deep.", [&value] { return value; });
  EXPECT_EQ(Scrape(), "# HELP depth How deep.\n# TYPE depth gauge\ndepth 0.5\n");
  value = -2;
  EXPECT_THAT(Scrape(), HasSubstr("depth -2\n"));
}

TEST_F(MetricRegistryTest, WhatIsNotKnownIsNotThere) {
  std::optional<double> value;
  registry_.Gauge("depth", "How deep.", [&value] { return value; });
  EXPECT_EQ(Scrape(), "");
  value = 1;
  EXPECT_THAT(Scrape(), HasSubstr("depth 1\n"));
  value.reset();
  EXPECT_EQ(Scrape(), "");
}

TEST_F(MetricRegistryTest, SeriesComeAndGoWithWhatTheyTellOf) {
  std::map<std::string, double> queues = {{"b", 2}, {"a", 1}};
  registry_.Gauge("queue", "Waiting.", {"pool", "kind"}, [&queues](SeriesSink& series) {
    for (const auto& [pool, count] : queues) series.Set({pool, "x"}, count);
  });
  EXPECT_THAT(Scrape(), HasSubstr("queue{pool=\"a\",kind=\"x\"} 1\nqueue{pool=\"b\",kind=\"x\"} 2\n"))
      << "labels in the order of their definition";
  queues.erase("a");
  queues["c"] = 3;
  EXPECT_THAT(Scrape(), HasSubstr("gauge\nqueue{pool=\"b\",kind=\"x\"} 2\nqueue{pool=\"c\",kind=\"x\"} 3\n"));
}

TEST_F(MetricRegistryTest, ACounterThatIsReadShowsWhatWasRead) {
  double total = 0;
  registry_.Counter("doubts_total", "Doubts.", [&total] { return total; });
  EXPECT_THAT(Scrape(), HasSubstr("# TYPE doubts_total counter\ndoubts_total 0\n"));
  total = 7;
  EXPECT_THAT(Scrape(), HasSubstr("doubts_total 7\n"));
  EXPECT_THAT(Scrape(), HasSubstr("doubts_total 7\n"));
}

TEST_F(MetricRegistryTest, AHistogramShowsWhatElsewhereWasCounted) {
  std::optional<MetricRegistry::Distribution> counted;
  registry_.Histogram("took_seconds", "Time.", {1, 10}, [&counted] { return counted; });
  EXPECT_EQ(Scrape(), "");
  counted = MetricRegistry::Distribution{{1, 2, 0}, 9.5};
  EXPECT_THAT(Scrape(), HasSubstr("took_seconds_count 3\ntook_seconds_sum 9.5\ntook_seconds_bucket{le=\"1\"} 1\n"
                                  "took_seconds_bucket{le=\"10\"} 3\ntook_seconds_bucket{le=\"+Inf\"} 3\n"));
  counted = MetricRegistry::Distribution{{1, 2, 4}, 100};
  EXPECT_THAT(Scrape(), HasSubstr("took_seconds_bucket{le=\"+Inf\"} 7\n"));
  EXPECT_THAT(Scrape(), HasSubstr("took_seconds_sum 100\n"));
}

TEST_F(MetricRegistryTest, WhatSeveralReadIsReadOnceBeforeThem) {
  int reads = 0;
  registry_.AtScrape([&reads] { ++reads; });
  for (const char* name : {"one", "two"}) registry_.Gauge(name, "As read.", [&reads] { return reads; });
  EXPECT_THAT(Scrape(), HasSubstr("one 1\n"));
  EXPECT_THAT(Scrape(), HasSubstr("two 2\n"));
}

TEST_F(MetricRegistryTest, EventsAreCountedFromManyThreads) {
  EventCounter& events = registry_.Events("events_total", "Events.", {"kind"});
  EXPECT_EQ(Scrape(), "") << "a series appears with its first event";
  events.Add({"idle"}, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&events] {
      for (int i = 0; i < 1'000; ++i) events.Add({"a"}, 2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Scrape(), HasSubstr("events_total{kind=\"a\"} 16000\nevents_total{kind=\"idle\"} 0\n"));
}

TEST_F(MetricRegistryTest, OneNameIsDefinedOnce) {
  registry_.Gauge("depth", "How deep.", [] { return 1; });
  EXPECT_ANY_THROW(registry_.Gauge("depth", "Again.", [] { return 1; }));
  EXPECT_ANY_THROW(registry_.Events("depth", "As a counter."));
}

TEST_F(MetricRegistryTest, ProcessFiguresAreThere) {
  DefineProcessMetrics(registry_);
  const std::string text = Scrape();
  EXPECT_THAT(text, HasSubstr("consentd_build_info{version=\""));
  EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total "));
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("process_start_time_seconds 0\n")));
}

}  // namespace
}  // namespace consent::ops
