#include "daemon/ops/gauges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <sstream>

namespace consent::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const std::vector<prometheus::MetricFamily>& families) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

TEST(ReadingsTest, WhatIsNotKnownIsNotThere) {
  const std::string text = Text(GaugeFamilies({}));
  EXPECT_THAT(text, HasSubstr("consentd_serving 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("rocksdb")));
  EXPECT_THAT(text, Not(HasSubstr("policy")));
}

TEST(ReadingsTest, EveryReadingIsShown) {
  Gauges readings;
  readings.health = HealthState::kServing;
  readings.subjects = {{"eea", domain::Purpose::kHumanReview, domain::Choice::kWithdrawn, 7}};
  readings.index = IndexReading{100, 4800, false};
  readings.commits = 25;
  readings.pools = {{"read", 3}};
  readings.changes_in_flight = 5;
  readings.clock_offset_seconds = -2.5;
  readings.engine.emplace().background_errors = 2;
  readings.policy = PolicyReading{"2026-01", "abcd"};
  readings.suspensions = {{domain::Purpose::kAdvertising, ""}, {domain::Purpose::kHumanReview, "DE"}};
  readings.systems = {{"audio", 4, 0, 0, {}, 0}};
  const std::string text = Text(GaugeFamilies(readings));
  for (const char* line :
       {"consentd_purge_tasks_open{system=\"audio\"} 4\n", "consentd_serving 1\n",
        "consentd_subjects{regime=\"eea\",purpose=\"human_review\",choice=\"withdrawn\"} 7\n",
        "consentd_index_subjects 100\n", "consentd_index_bytes 4800\n", "consentd_index_complete 0\n",
        "consentd_store_commits 25\n", "consentd_pool_queue{pool=\"read\"} 3\n", "consentd_changes_in_flight 5\n",
        "consentd_clock_offset_seconds -2.5\n", "consentd_clock_trusted 0\n", "consentd_rocksdb_background_errors 2\n",
        "consentd_policy_info{version=\"2026-01\",hash=\"abcd\"} 1\n", "consentd_suspensions_active 2\n",
        "consentd_suspended{purpose=\"advertising\",region=\"all\"} 1\n",
        "consentd_suspended{purpose=\"human_review\",region=\"DE\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(ReadingsTest, ProcessFiguresAreThere) {
  const std::string text = Text(ProcessFamilies());
  EXPECT_THAT(text, HasSubstr("consentd_build_info{version=\""));
  EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total "));
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("process_start_time_seconds 0\n")));
}

}  // namespace
}  // namespace consent::ops
