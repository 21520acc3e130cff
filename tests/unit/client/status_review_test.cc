// What of a daemon's status needs a person: one thing at a time, at and beyond its bound.
#include "client/cli/engines/status_review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace consent::cli {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Time kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 29}};

// One daemon of which nothing needs a person.
DaemonStatus Well() {
  DaemonStatus status;
  status.read_at = kNow;
  status.version = "1.0";
  status.started_at = kNow - days(3);
  status.policy.version = "2026-01";
  status.policy.activated_at = kNow - days(9);
  status.policy.calendars = {{"us", kNow + days(400)}, {"eea", kNow + days(60)}};
  status.clock = {kNow, kNow, false};
  status.index = {5, 100, true};
  status.disks = {{"data", kLeastFreeBytes, int64_t{9} << 40, kLeastFreeInodes},
                  {"decision_log", kLeastFreeBytes, 1, std::nullopt}};
  status.decision_log = {true, true, 0, 7, 0};
  status.verification = DaemonStatus::Verification{kNow - kVerificationAge, 7, 0, 0, 0, 0, kNow - days(300)};
  status.certificates = DaemonStatus::Certificates{kNow + kCertificateWarning, kNow + days(30), kNow, 2};
  status.callers = DaemonStatus::Callers{kNow, 1};
  status.requests = {4, kNow - days(20), 0, 1, 3, 0, 1};
  status.appeals = {1, 0, 0};
  status.systems = {{"audio", 3, 0, kNow - days(2), kNow - kWorkerSilence, RetentionState::kKept, kNow + days(3), 0},
                    {"gone", 0, 0, {}, {}, RetentionState::kRetired, {}, 0}};
  status.holds = {2, kNow - days(500), 0};
  status.children = {3, 1, 0, 0};
  status.erasure = {1, kNow - kKeysInFiles, 1, kNow - kBytesInFiles};
  status.safety = DaemonStatus::Safety{0, std::nullopt};
  status.approvals_open = 0;
  status.suspensions.resize(1);
  status.suspensions[0].purpose = Purpose::kAdvertising;
  status.suspensions[0].suspended_at = kNow - kSuspensionAge;
  status.children.purge_due = 2;  // sweeps see to it
  return status;
}

std::vector<std::string> Marked(const DaemonStatus& status) {
  std::vector<std::string> marked;
  for (const StatusLine& line : ReviewStatus(status)) {
    EXPECT_EQ(line.needs_person, !line.next.empty()) << line.what;
    EXPECT_FALSE(line.state.empty()) << line.what;
    if (line.needs_person) marked.push_back(line.what);
  }
  return marked;
}

TEST(StatusReview, NothingNeedsAPersonAtEachBound) { EXPECT_THAT(Marked(Well()), IsEmpty()); }

TEST(StatusReview, EachThingIsMarkedByItself) {
  using Change = std::function<void(DaemonStatus&)>;
  const std::vector<std::pair<std::string, Change>> changes = {
      {"policy file",
       [](auto& s) {
         s.policy.waiting = WaitingPolicy{"v2", "", "it loosens"};
       }},
      {"policy file",
       [](auto& s) {
         s.policy.waiting = WaitingPolicy{"", "", "no JSON"};
       }},
      {"holidays", [](auto& s) { s.policy.calendars[1].ends_at = kNow + kCalendarWarning - seconds(1); }},
      {"clock", [](auto& s) { s.clock.doubtful = true; }},
      {"index", [](auto& s) { s.index.complete = false; }},
      {"store", [](auto& s) { s.store.writes_stopped = true; }},
      {"store", [](auto& s) { s.store.background_errors = 1; }},
      {"disk data", [](auto& s) { s.disks[0].free_bytes = kLeastFreeBytes - 1; }},
      {"disk data", [](auto& s) { s.disks[0].free_inodes = kLeastFreeInodes - 1; }},
      {"disk data", [](auto& s) { s.store.table_bytes = kLeastFreeBytes + 1; }},
      {"disk decision_log", [](auto& s) { s.disks[1].free_bytes = 0; }},
      {"decision log", [](auto& s) { s.decision_log.on = false; }},
      {"decision log", [](auto& s) { s.decision_log.writing = false; }},
      {"decision log", [](auto& s) { s.decision_log.missing_records = 1; }},
      {"verification", [](auto& s) { s.verification->yes_after_no = 1; }},
      {"verification", [](auto& s) { s.verification->not_given = 1; }},
      {"verification", [](auto& s) { s.verification->log_problems = 1; }},
      {"verification", [](auto& s) { *s.verification->reported_at -= seconds(1); }},
      {"certificates", [](auto& s) { *s.certificates->server_ends_at -= seconds(1); }},
      {"certificates", [](auto& s) { s.certificates->client_ca_ends_at = kNow - days(1); }},
      {"requests", [](auto& s) { s.requests.overdue = 1; }},
      {"receipts", [](auto& s) { s.requests.receipts_overdue = 1; }},
      {"appeals", [](auto& s) { s.appeals.acknowledgements_overdue = 1; }},
      {"appeals", [](auto& s) { s.appeals.answers_overdue = 1; }},
      {"system audio", [](auto& s) { s.systems[0].stuck_tasks = 1; }},
      {"system audio", [](auto& s) { *s.systems[0].worker_seen_at -= seconds(1); }},
      {"system audio", [](auto& s) { s.systems[0].worker_seen_at.reset(); }},
      {"system audio", [](auto& s) { s.systems[0].retention = RetentionState::kMissing; }},
      {"system audio", [](auto& s) { s.systems[0].retention = RetentionState::kUnset; }},
      {"system audio", [](auto& s) { s.systems[0].retention = RetentionState::kAttestationExpired; }},
      {"system audio", [](auto& s) { s.systems[0].retention = RetentionState::kSweepOverdue; }},
      {"system audio", [](auto& s) { s.systems[0].sweep_failed = 1; }},
      {"holds", [](auto& s) { s.holds.past_review = 1; }},
      {"children", [](auto& s) { s.children.notice_due = 1; }},
      {"approvals", [](auto& s) { s.approvals_open = 1; }},
      {"suspended", [](auto& s) { *s.suspensions[0].suspended_at -= seconds(1); }},
      {"verification", [](auto& s) { s.verification.reset(); }},
      {"erasure", [](auto& s) { *s.erasure.oldest_key_at -= seconds(1); }},
      {"erasure", [](auto& s) { *s.erasure.oldest_bytes_at -= seconds(1); }},
      {"safety", [](auto& s) { s.safety->open = 1; }},
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    DaemonStatus status = Well();
    changes[i].second(status);
    EXPECT_THAT(Marked(status), ElementsAre(changes[i].first)) << i;
  }
}

TEST(StatusReview, AWorkerHasAnHourFromTheStartAndFromTheTask) {
  DaemonStatus status = Well();
  status.systems[0].worker_seen_at.reset();
  status.started_at = kNow - kWorkerSilence;
  EXPECT_THAT(Marked(status), IsEmpty());
  status.started_at = kNow - days(3);
  status.systems[0].oldest_task_at = kNow - minutes(59);
  EXPECT_THAT(Marked(status), IsEmpty());
  status.systems[0].oldest_task_at = kNow - hours(2);
  EXPECT_THAT(Marked(status), ElementsAre("system audio"));
  status.systems[0].open_tasks = 0;
  EXPECT_THAT(Marked(status), IsEmpty());
}

TEST(StatusReview, WhatIsAbsentIsNoAlarm) {
  DaemonStatus status = Well();
  status.verification.reset();
  status.started_at = kNow - kFirstVerification;
  status.suspensions.clear();
  status.approvals_open.reset();
  status.certificates.reset();
  status.callers.reset();
  status.safety.reset();
  status.holds.past_review.reset();
  status.erasure = {};
  status.systems.clear();
  status.policy.calendars.clear();
  EXPECT_THAT(Marked(status), IsEmpty());
}

TEST(StatusReview, SaysWhyTheFileWaitsAndWhatIsSuspended) {
  DaemonStatus status = Well();
  status.policy.waiting = WaitingPolicy{"v2", "", "it loosens regimes[\"us\"].default_rule"};
  Suspension everywhere;
  everywhere.purpose = Purpose::kHumanReview;
  everywhere.suspended_at = kNow;
  status.suspensions = {everywhere};
  std::string all;
  for (const StatusLine& line : ReviewStatus(status)) all += line.what + ": " + line.state + "\n";
  EXPECT_THAT(all, HasSubstr("policy file: v2, not in force: it loosens regimes[\"us\"].default_rule\n"));
  EXPECT_THAT(all, HasSubstr("suspended: HUMAN_REVIEW everywhere since 2026-11-29T00:00:00Z\n"));
  EXPECT_THAT(all, HasSubstr("certificates: server's until 2026-12-06T00:00:00Z"));
  EXPECT_THAT(all, HasSubstr("2 later files refused"));
}

TEST(StatusReview, CountsInWordsThatFit) {
  const std::vector<std::pair<int64_t, std::string>> counts = {{0, "0 loosenings wait for a second person"},
                                                               {1, "1 loosening waits for a second person"},
                                                               {2, "2 loosenings wait for a second person"}};
  for (const auto& [count, words] : counts) {
    DaemonStatus status = Well();
    status.approvals_open = count;
    std::string said;
    for (const StatusLine& line : ReviewStatus(status)) {
      if (line.what == "approvals") said = line.state;
    }
    EXPECT_EQ(said, words);
  }
}

// Who looked for the file in force after activating it would look in vain where it is only proposed.
TEST(StatusReview, TheFileThatWaitsTakesASecondPersonWhereThePolicyWantsTwo) {
  for (const bool takes_two : {false, true}) {
    DaemonStatus status = Well();
    status.policy.waiting = WaitingPolicy{"v2", "", "it loosens"};
    status.policy.activation_takes_two = takes_two;
    std::string next;
    for (const StatusLine& line : ReviewStatus(status)) {
      if (line.what == "policy file") next = line.next;
    }
    EXPECT_THAT(next, HasSubstr("consentctl policy activate FILE --loosens WORDS"));
    EXPECT_EQ(next.find("second person: consentctl approvals approve ID") != std::string::npos, takes_two) << next;
  }
}

}  // namespace
}  // namespace consent::cli
