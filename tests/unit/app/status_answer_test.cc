// Figures of a scrape in the fields of GetStatus.
#include "daemon/app/status_answer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "daemon/ops/families.h"
#include "tests/support/service/world.h"

namespace consent::app {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Gauge(const std::string& name) { return ops::Family(name, "", MetricType::Gauge); }

TEST(StatusFigures, SumsTheSeriesThatItNamesAndNoOthers) {
  std::vector<MetricFamily> families = {Gauge("consentd_deletion_requests"), Gauge("consentd_deletion_requests_due"),
                                        ops::Family("consentd_callers_reloads_total", "", MetricType::Counter),
                                        Gauge("consentd_callers_last_reload_success_timestamp_seconds")};
  ops::AddValue(&families[0], {{"cause", "requested"}, {"state", "received"}}, 2);
  ops::AddValue(&families[0], {{"cause", "retention"}, {"state", "in_progress"}}, 3);
  for (const char* ended : {"completed", "denied", "cancelled"}) {
    ops::AddValue(&families[0], {{"cause", "requested"}, {"state", ended}}, 100);
  }
  ops::AddValue(&families[1], {{"regime", "eea"}, {"within_days", "7"}}, 1);
  ops::AddValue(&families[1], {{"regime", "us"}, {"within_days", "7"}}, 1);
  ops::AddValue(&families[1], {{"regime", "us"}, {"within_days", "30"}}, 5);
  ops::AddValue(&families[2], {{"result", "ok"}}, 9);
  ops::AddValue(&families[2], {{"result", "refused"}}, 4);
  ops::AddValue(&families[3], {}, 1.5);
  v1::GetStatusResponse out;
  WriteFigures(families, &out);
  EXPECT_EQ(out.requests().open(), 5);
  EXPECT_EQ(out.requests().due_in_7_days(), 2);
  EXPECT_EQ(out.requests().due_in_30_days(), 5);
  EXPECT_EQ(out.callers().refused_reloads(), 4);
  EXPECT_EQ(out.callers().read_at().nanos(), 500'000'000);
}

TEST(StatusFigures, ReadsEachSystem) {
  std::vector<MetricFamily> families = {Gauge("consentd_purge_tasks_open"), Gauge("consentd_purge_tasks_stuck"),
                                        Gauge("consentd_system_retention"),
                                        Gauge("consentd_purge_worker_last_seen_timestamp_seconds")};
  for (const char* name : {"audio", "vendor"}) ops::AddValue(&families[0], {{"system", name}}, 7);
  ops::AddValue(&families[1], {{"system", "audio"}}, 0);
  ops::AddValue(&families[1], {{"system", "vendor"}}, 2);
  ops::AddValue(&families[2], {{"system", "audio"}, {"state", "kept"}}, 0);
  ops::AddValue(&families[2], {{"system", "audio"}, {"state", "sweep_overdue"}}, 1);
  ops::AddValue(&families[3], {{"system", "vendor"}}, 60);
  v1::GetStatusResponse out;
  WriteFigures(families, &out);
  ASSERT_EQ(out.systems_size(), 2);
  EXPECT_EQ(out.systems(0).retention(), v1::RETENTION_STATE_SWEEP_OVERDUE);
  EXPECT_EQ(out.systems(0).stuck_tasks(), 0);
  EXPECT_FALSE(out.systems(0).has_worker_seen_at());
  EXPECT_EQ(out.systems(1).stuck_tasks(), 2);
  EXPECT_EQ(out.systems(1).worker_seen_at().seconds(), 60);
  EXPECT_EQ(out.systems(1).retention(), v1::RETENTION_STATE_UNSPECIFIED);
}

TEST(StatusFigures, WhatThereIsNoneOfIsAbsent) {
  v1::GetStatusResponse out;
  WriteFigures({}, &out);
  EXPECT_FALSE(out.has_verification() || out.has_certificates() || out.has_callers() || out.has_safety());
  EXPECT_FALSE(out.holds().has_past_review());
  EXPECT_FALSE(out.requests().has_oldest_at());
  EXPECT_EQ(out.systems_size() + out.disks_size(), 0);
}

TEST(StatusAnswer, OneCollectionServesAllWhoAskWithinAQuarterOfASecond) {
  test::World world;
  int collected = 0;
  auto now = std::chrono::steady_clock::time_point(std::chrono::hours(1));
  StatusAnswer answer(
      world.core(), world.admin(),
      [&collected] {
        ++collected;
        return std::vector<MetricFamily>();
      },
      [&now] { return now; });
  v1::GetStatusResponse out;
  answer.Read(&out);
  now += StatusAnswer::kShared - std::chrono::nanoseconds(1);
  answer.Read(&out);
  EXPECT_EQ(collected, 1);
  now += std::chrono::nanoseconds(1);
  answer.Read(&out);
  EXPECT_EQ(collected, 2);
  EXPECT_TRUE(out.has_read_at());
}

}  // namespace
}  // namespace consent::app
