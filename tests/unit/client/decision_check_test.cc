// Files of the decision log, as they were written and not: each fault is named once, and nothing else.
#include "client/cli/engines/decision_check.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "consent/names.h"
#include "daemon/base/hash.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using ::testing::ElementsAre;
using testing::FakeClient;
using ::testing::IsEmpty;

// The lines of FORMAT.md's example, the daemon's own.
std::vector<std::string> Example() {
  std::ifstream file(std::string(CONSENT_SOURCE_DIR) + "/daemon/decisions/FORMAT.md");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("{\"v\":3,")) lines.push_back(line);
  }
  return lines;
}

// So many records of a store that follow one another.
std::vector<std::string> Chain(size_t count, char store = '5') {
  std::string body = Example().at(0).substr(Example().at(0).find("\"now\""));
  const size_t at = body.find("\"store\":\"") + std::string("\"store\":\"").size();
  for (size_t i = 0; i < 32; i += 2) body[at + i] = store;
  std::vector<std::string> lines;
  std::string previous(64, '0');
  for (size_t i = 1; i <= count; ++i) {
    lines.push_back("{\"v\":3,\"n\":" + std::to_string(i) + ",\"prev\":\"" + previous + "\"," + body);
    previous = DecisionLineHash(lines.back());
  }
  return lines;
}

class DecisionCheckTest : public ::testing::Test {
 protected:
  DecisionCheckTest() {
    client_.on_decision_log = [this] { return state_; };
    client_.on_decisions = [this](const DecisionRecord& record) {
      return std::vector<DecisionVerdict>(record.yeses.size(), verdict_);
    };
    state_.store_id = std::string(16, '\x5d');
  }
  void Count(const std::vector<std::string>& lines) {
    state_.counted_records = lines.size();
    state_.counted_hash.assign(32, '\0');
    base::FromHex(DecisionLineHash(lines.back()), state_.counted_hash.data(), 32);
  }
  // The files, each of lines; what is wrong as "KIND record" or "KIND record+missing" or "KIND record/entry".
  std::vector<std::string> Check(const std::vector<std::vector<std::string>>& files, bool offline = false,
                                 bool is_part = false, const std::string& tail = "") {
    std::vector<std::string> found;
    DecisionCheckOptions options = options_;
    if (!offline) options.clients = clients_;
    options.is_part = is_part;
    DecisionCheck check(options, [&found](const DecisionProblem& problem) {
      found.push_back(problem.kind + " " + std::to_string(problem.record) +
                      (problem.missing != 0 ? "+" + std::to_string(problem.missing) : "") +
                      (problem.entry >= 0 ? "/" + std::to_string(problem.entry) : ""));
    });
    EXPECT_TRUE(check.Begin().ok());
    for (const auto& lines : files) {
      std::string text;
      for (const std::string& line : lines) text += line + "\n";
      const bool last = &lines == &files.back();
      EXPECT_TRUE(Feed(check, text + (last ? tail : ""), !last || tail.empty()).ok());
    }
    check.Finish();
    EXPECT_EQ(check.counts().problems, found.size());
    counts_ = check.counts();
    uses_ = check.uses();
    reports_ = check.Reports();
    return found;
  }
  static absl::Status Feed(DecisionCheck& check, const std::string& text, bool whole) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(ends[1]);
    LineReader reader(ends[0], kMaxDecisionLineBytes);
    absl::Status status = ReadDecisionFile(
        "file", reader, [whole] { return whole; }, check);
    close(ends[0]);
    return status;
  }

  FakeClient client_;
  std::vector<Client*> clients_ = {&client_};
  DecisionCheckOptions options_;
  std::map<DecisionUse, DecisionUses> uses_;
  DecisionLogState state_;
  DecisionVerdict verdict_ = DecisionVerdict::kConfirmed;
  DecisionCounts counts_;
  std::vector<std::pair<Client*, VerificationReport>> reports_;
};

// For the metrics of the daemon whose store it is.
TEST_F(DecisionCheckTest, WhatWasFoundOfEachStoreIsReported) {
  const std::vector<std::string> lines = Chain(4);
  Count(lines);
  EXPECT_EQ(Check({lines}), std::vector<std::string>{});
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_EQ(reports_[0].first, &client_);
  VerificationReport report = reports_[0].second;
  EXPECT_EQ(report.store_id, state_.store_id);
  EXPECT_EQ(report.records, 4U);
  EXPECT_GT(report.confirmed, 0U);
  EXPECT_EQ(report.late + report.not_given + report.not_checkable + report.log_problems, 0U);
  const uint64_t yeses = report.confirmed;
  const std::pair<DecisionVerdict, uint64_t VerificationReport::*> verdicts[] = {
      {DecisionVerdict::kLate, &VerificationReport::late},
      {DecisionVerdict::kNotGiven, &VerificationReport::not_given},
      {DecisionVerdict::kUnknown, &VerificationReport::not_given},
      {DecisionVerdict::kNotCheckable, &VerificationReport::not_checkable},
      {DecisionVerdict::kKeyGone, &VerificationReport::not_checkable}};
  for (const auto& [verdict, member] : verdicts) {
    verdict_ = verdict;
    Check({lines});
    report = reports_.at(0).second;
    EXPECT_EQ(report.*member, yeses);
    EXPECT_EQ(report.confirmed + report.late + report.not_given + report.not_checkable, yeses);
    EXPECT_EQ(report.log_problems, 0U) << "a wrong yes is no problem of the log";
  }
  verdict_ = DecisionVerdict::kConfirmed;
  Check({{lines[0], lines[1], lines[3]}});
  EXPECT_EQ(reports_.at(0).second.log_problems, 1U) << "a gap";
  EXPECT_EQ(reports_.at(0).second.records, 3U);
}

TEST_F(DecisionCheckTest, ReadsWhatTheDaemonWrites) {
  const absl::StatusOr<DecisionLine> line = ParseDecisionLine(Example().at(1));
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->number, 2U);
  EXPECT_EQ(line->previous, DecisionLineHash(Example().at(0)));
  EXPECT_EQ(line->record.place, (Place{"DE", "berlin \"1\"", ReviewerClass::kEmployee}));
  EXPECT_EQ(line->record.purpose, Purpose::kHumanReview);
  ASSERT_EQ(line->record.yeses.size(), 3U);
  const RecordedYes& first = line->record.yeses[0];
  EXPECT_EQ(base::Hex(first.subject), "672ce5a8fb223fa95723f62a15e472b4");
  EXPECT_EQ(first.profiles.size(), 1U);
  EXPECT_EQ(first.uncertainty, std::chrono::milliseconds(250));
  EXPECT_EQ(first.captured_at->time_since_epoch().count(), 1'789'996'400'000'000);
  EXPECT_EQ(first.region, "DE");
  EXPECT_EQ(first.age, SpeakerAge::kAdult);
  EXPECT_EQ(first.head, 300);
  EXPECT_EQ(first.revision, 299);
  EXPECT_EQ(first.reason, Reason::kConsent);
  EXPECT_FALSE(line->record.yeses[1].ingested_at.has_value());
  EXPECT_TRUE(line->record.yeses[1].device.empty());
  EXPECT_EQ(line->record.yeses[1].region, "") << "by facts of its own";
  EXPECT_EQ(line->record.yeses[2].region, "DE") << "by those of the first";
  EXPECT_EQ(line->record.yeses[2].subject, first.subject);
}

TEST_F(DecisionCheckTest, ReadsWhatPeopleRead) {
  const absl::StatusOr<DecisionLine> one = ParseDecisionLine(Example().at(2));
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->caller, "officer-1");
  EXPECT_EQ(one->read, "SettingsService/GetSettings");
  EXPECT_EQ(one->read_subject, ParseDecisionLine(Example().at(1))->record.yeses[0].subject) << "one person, one handle";
  EXPECT_EQ(one->record.month, "2026-09.5e0c91d2");
  const absl::StatusOr<DecisionLine> all = ParseDecisionLine(Example().at(3));
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->read_subject, "");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"subject\":null", "\"subject\":\"\""},
           {"\"subject\":null", "\"subject\":\"AAAAAAAAAAAAAAAAAAAAAB\""},
           {",\"subject\":null", ""},
           {"\"subject\":null", "\"subject\":null,\"site\":\"x\""},
           {"\"read\":\"DeletionService/ListDeletionRequests\"", "\"read\":\"\""}}) {
    std::string line = Example().at(3);
    ASSERT_NE(line.find(from), std::string::npos);
    line.replace(line.find(from), from.size(), to);
    EXPECT_FALSE(ParseDecisionLine(line).ok()) << to;
  }
}

// Entries by facts that are not there, and elements that no record has.
TEST_F(DecisionCheckTest, RefusesEntriesThatNoRecordHas) {
  const std::string line = Example().at(0);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{",0,300,299,34]", ",1,300,299,34]"},
                                                                                 {",0,300,299,34]", ",-1,300,299,34]"},
                                                                                 {",0,300,299,34]", ",0,300,299]"},
                                                                                 {",0,300,299,34]", ",0,300,0,34]"},
                                                                                 {",0,300,299,34]", ",0,300,299,0]"},
                                                                                 {"\"facts\":[[", "\"facts\":[[1,"},
                                                                                 {"\"v\":3", "\"v\":2"}}) {
    std::string changed = line;
    ASSERT_NE(changed.find(from), std::string::npos) << from;
    changed.replace(changed.find(from), from.size(), to);
    EXPECT_FALSE(ParseDecisionLine(changed).ok()) << to;
  }
}

// Each byte that is another one is found: by the chain, by the count, or because the line is no record any more.
TEST_F(DecisionCheckTest, EveryChangedByteIsFound) {
  const std::vector<std::string> lines = Chain(2);
  Count(lines);
  ASSERT_THAT(Check({lines}), IsEmpty());
  for (size_t i = 0; i < lines[0].size() + lines[1].size(); ++i) {
    std::vector<std::string> changed = lines;
    std::string& line = i < lines[0].size() ? changed[0] : changed[1];
    char& byte = line[i < lines[0].size() ? i : i - lines[0].size()];
    byte = byte == '1' ? '2' : '1';
    EXPECT_FALSE(Check({changed}).empty()) << i;
  }
}

TEST_F(DecisionCheckTest, NamesEachFaultOnceAndNothingElse) {
  const std::vector<std::string> lines = Chain(6);
  const std::vector<std::string> first(lines.begin(), lines.begin() + 3);
  const std::vector<std::string> second(lines.begin() + 3, lines.end());
  Count(lines);
  EXPECT_THAT(Check({first, second}), IsEmpty());
  EXPECT_EQ(counts_.records, 6U);
  EXPECT_EQ(counts_.confirmed, 6U);
  EXPECT_THAT(Check({first, {lines[4], lines[5]}}), ElementsAre("GAP 4+1")) << "a record cut";
  EXPECT_THAT(Check({first, {lines[3]}}), ElementsAre("GAP 5+2")) << "a file cut";
  EXPECT_THAT(Check({first, {lines[3]}}, false, false, lines[4].substr(0, 90)), ElementsAre("GAP 5+2"));
  EXPECT_THAT(Check({first}), ElementsAre("GAP 4+3")) << "a file lost";
  EXPECT_THAT(Check({second}), ElementsAre("GAP 1+3"));
  EXPECT_THAT(Check({second}, false, true), IsEmpty()) << "a part of the log";
  EXPECT_THAT(Check({first, second, {lines[5]}}), ElementsAre("CHANGED 6")) << "a record twice";
  std::vector<std::string> garbled = lines;
  garbled[2] = "{\"v\":1}";
  EXPECT_THAT(Check({garbled}), ElementsAre("UNREADABLE 3"));
  std::vector<std::string> altered = lines;
  altered[2].replace(altered[2].find("RANDOM"), 6, "OTHER");
  EXPECT_THAT(Check({altered}), ElementsAre("CHANGED 3"));
  altered = lines;
  altered[5].replace(altered[5].find("RANDOM"), 6, "OTHER");
  EXPECT_THAT(Check({altered}), ElementsAre("CHANGED 6")) << "by the store's count";
  EXPECT_THAT(Check({altered}, true), IsEmpty()) << "the last one has no witness but the store";
}

TEST_F(DecisionCheckTest, AKilledProcesssHalfALineIsNoFault) {
  const std::vector<std::string> lines = Chain(3);
  Count(lines);
  EXPECT_THAT(Check({lines}, false, false, "{\"v\":3,\"n\":4"), IsEmpty());
  EXPECT_THAT(Check({lines}, true, false, "{\"v\":3,\"n\":4"), ElementsAre("UNREADABLE 4")) << "offline nobody knows";
}

TEST_F(DecisionCheckTest, TellsWhatTheDaemonFound) {
  const std::vector<std::string> lines = Example();
  Count(lines);
  for (const DecisionVerdict verdict : {DecisionVerdict::kNotGiven, DecisionVerdict::kLate, DecisionVerdict::kUnset,
                                        DecisionVerdict::kPolicyNotInForce, DecisionVerdict::kUnknown}) {
    verdict_ = verdict;
    const std::string name(Name(verdict));
    EXPECT_THAT(Check({lines}), ElementsAre(name + " 1/0", name + " 2/0", name + " 2/1", name + " 2/2"));
  }
  verdict_ = DecisionVerdict::kNotCheckable;
  EXPECT_THAT(Check({lines}), IsEmpty());
  EXPECT_EQ(counts_.not_checkable, 4U);
  EXPECT_EQ(counts_.keys_gone, 0U);
  EXPECT_EQ(counts_.reads, 2U);
  verdict_ = DecisionVerdict::kKeyGone;
  EXPECT_THAT(Check({lines}), IsEmpty()) << "no alarm";
  EXPECT_EQ(counts_.not_checkable, 4U);
  EXPECT_EQ(counts_.keys_gone, 4U);
  state_.store_id[0] = 'x';
  EXPECT_THAT(Check({lines}), ElementsAre("GAP 1+4", "OTHER_LOG 1"))
      << "what it counts is missing, and nobody has the other";
}

// A second daemon, whose store's id has sevens where the first one's has fives.
class SeveralStores : public DecisionCheckTest {
 protected:
  SeveralStores() {
    Count(mine_);
    other_state_ = state_;
    other_state_.store_id = std::string(16, '\x7d');
    other_state_.counted_records = others_.size();
    base::FromHex(DecisionLineHash(others_.back()), other_state_.counted_hash.data(), 32);
    other_.on_decision_log = [this] { return other_state_; };
    other_.on_decisions = [](const DecisionRecord& record) {
      EXPECT_EQ(record.store_id, std::string(16, '\x7d')) << "the daemon that has the store is asked";
      return std::vector<DecisionVerdict>(record.yeses.size(), DecisionVerdict::kConfirmed);
    };
    clients_ = {&client_, &other_};
  }
  const std::vector<std::string> mine_ = Chain(4);
  const std::vector<std::string> others_ = Chain(3, '7');
  FakeClient other_;
  DecisionLogState other_state_;
};

TEST_F(SeveralStores, EachHasAChainAndACount) {
  const std::vector<std::string> first(mine_.begin(), mine_.begin() + 2);
  const std::vector<std::string> second(mine_.begin() + 2, mine_.end());
  EXPECT_THAT(Check({first, others_, second}), IsEmpty());
  EXPECT_EQ(counts_.confirmed, 7U);
  EXPECT_THAT(Check({first, others_}), ElementsAre("GAP 3+2"));
  EXPECT_THAT(Check({others_, second}), ElementsAre("GAP 1+2"));
  EXPECT_THAT(Check({first, second}), ElementsAre("GAP 1+3")) << "all of the other host";
  EXPECT_THAT(Check({others_}), ElementsAre("GAP 1+4"));
  EXPECT_THAT(Check({first, {others_[0], others_[2]}, second}), ElementsAre("GAP 2+1"));
  EXPECT_THAT(Check({first, others_, second}, /*offline=*/true), IsEmpty());
  EXPECT_THAT(Check({others_, second}, true), ElementsAre("GAP 1+2"));
  clients_ = {&client_};
  EXPECT_THAT(Check({first, others_, second}), ElementsAre("OTHER_LOG 1")) << "nobody asks the other daemon";
  clients_ = {&client_, &client_};
  DecisionCheck twice({.clients = clients_}, [](const DecisionProblem&) {});
  EXPECT_FALSE(twice.Begin().ok());
}

TEST_F(SeveralStores, ALineStaysInTheChainThatItGoesOn) {
  std::vector<std::string> moved = mine_;
  for (size_t at = moved[1].find("5d5d"); at != std::string::npos; at = moved[1].find("5d")) moved[1][at] = '7';
  EXPECT_THAT(Check({moved, others_}), ElementsAre("OTHER_LOG 2", "CHANGED 2"));
  std::vector<std::string> garbled = mine_;
  garbled[0] = "{}";
  EXPECT_THAT(Check({others_, garbled}), ElementsAre("UNREADABLE 1")) << "the records behind it say whose it was";
}

// A process that was killed while it wrote the first record of a file.
TEST_F(SeveralStores, HalfALineOfNobodysIsNoFaultWhereNothingIsMissing) {
  EXPECT_THAT(Check({mine_, others_, {}}, false, false, "{\"v\":1,"), IsEmpty());
  EXPECT_THAT(Check({mine_, others_, {}}, true, false, "{\"v\":1,"), ElementsAre("UNREADABLE 0"));
}

TEST_F(DecisionCheckTest, WhatTheDaemonCannotTakeIsNamedAndEndsNothing) {
  const std::vector<std::string> lines = Chain(3);
  Count(lines);
  int asked = 0;
  client_.on_decisions = [&asked](const DecisionRecord& record) -> absl::StatusOr<std::vector<DecisionVerdict>> {
    if (++asked == 2) return absl::InvalidArgumentError("month: must be a month");
    return std::vector<DecisionVerdict>(record.yeses.size(), DecisionVerdict::kConfirmed);
  };
  EXPECT_THAT(Check({lines}), ElementsAre("UNREADABLE 2"));
  EXPECT_EQ(counts_.confirmed, 2U);
}

TEST_F(DecisionCheckTest, CountsWhoCouldUseWhatInATime) {
  const std::vector<std::string> lines = Example();
  Count(lines);
  const Time decided(std::chrono::seconds(1'790'000'000));
  verdict_ = DecisionVerdict::kLate;
  Check({lines});
  ASSERT_EQ(uses_.size(), 2U) << "RANDOM and OTHER";
  const DecisionUse random{"sampler-1", Purpose::kHumanReview, Selection::kRandom,
                           Place{"DE", "berlin \"1\"", ReviewerClass::kEmployee}};
  EXPECT_EQ(uses_[random].yeses, 1U);
  EXPECT_EQ(uses_[random].wrong, 1U);
  options_.decided.from = decided;
  options_.decided.to = decided + std::chrono::microseconds(1);
  EXPECT_EQ(Check({lines}).size(), 4U);
  options_.decided.to = decided;
  EXPECT_THAT(Check({lines}), IsEmpty()) << "decided before its end, not at it";
  EXPECT_EQ(counts_.yeses, 0U);
  options_.decided.from = decided + std::chrono::microseconds(1);
  options_.decided.to.reset();
  EXPECT_THAT(Check({lines}), IsEmpty());
  EXPECT_THAT(Check({{lines[1], lines[2], lines[3]}}), ElementsAre("GAP 1+1"))
      << "the chain is checked whatever the time";
  options_ = {};
  Check({lines}, /*offline=*/true);
  EXPECT_EQ(uses_[random].not_checked, 1U);
}

TEST_F(DecisionCheckTest, NoAnswerEndsTheRun) {
  client_.on_decisions = nullptr;
  DecisionCheck check({.clients = {&client_}}, [](const DecisionProblem&) {});
  ASSERT_TRUE(check.Begin().ok());
  EXPECT_FALSE(Feed(check, Example().at(0) + "\n", true).ok());
  client_.on_decision_log = nullptr;
  EXPECT_FALSE(check.Begin().ok());
}

}  // namespace
}  // namespace consent::cli
