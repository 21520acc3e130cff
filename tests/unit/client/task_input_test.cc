// What a worker's command is told, and what is kept of what it says.
#include "client/cli/engines/task_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/cli/engines/task_output.h"
#include "daemon/base/hash.h"

namespace consent::cli::task_input_test {
namespace {

Time At(int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

PurgeTask Task(DeletionSelector selector) {
  PurgeTask task;
  task.task_id = TaskId("d/audio");
  task.epoch = 3;
  task.attempt = 2;
  task.account_id = AccountId("ann");
  task.selector = std::move(selector);
  task.due_at = At(86'400);
  return task;
}

// The value of a variable; absent where it is not set.
std::optional<std::string> Value(const TaskInput& input, const std::string& name) {
  for (const std::string& variable : input.environment) {
    if (variable.rfind(name + "=", 0) == 0) return variable.substr(name.size() + 1);
  }
  return {};
}

TEST(TaskInputTest, TheLineSaysAll) {
  PurgeTask task = Task(TimeRange{At(1), At(2)});
  task.covers = TimeRange{At(1), At(2)};
  task.again = TaskAgain::kHoldReleased;
  task.cause = DeletionCause::kRetention;
  const auto input = MakeTaskInput(task, {}, false);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->line.back(), '\n');
  EXPECT_EQ(std::count(input->line.begin(), input->line.end(), '\n'), 1);
  EXPECT_EQ(nlohmann::json::parse(input->line), nlohmann::json::parse(R"({"task_id": "d/audio", "account_id": "ann",
              "selector": {"kind": "time_range", "from": "1970-01-01T00:00:01Z", "to": "1970-01-01T00:00:02Z"},
              "covers": {"from": "1970-01-01T00:00:01Z", "to": "1970-01-01T00:00:02Z"}, "exceptions": [], "cause": "RETENTION",
              "due_at": "1970-01-02T00:00:00Z", "attempt": 2, "again": "HOLD_RELEASED", "looked_at": ""})"));
  EXPECT_EQ(Value(*input, "CONSENT_CAUSE"), "RETENTION");
  EXPECT_FALSE(Value(*input, "CONSENT_EXCEPTIONS").has_value());
  EXPECT_EQ(Value(*input, "CONSENT_TASK_ID"), "d/audio");
  EXPECT_EQ(Value(*input, "CONSENT_ACCOUNT_ID"), "ann");
  EXPECT_EQ(Value(*input, "CONSENT_SELECTOR"), "time_range");
  EXPECT_EQ(Value(*input, "CONSENT_FROM"), "1970-01-01T00:00:01Z");
  EXPECT_EQ(Value(*input, "CONSENT_TO"), "1970-01-01T00:00:02Z");
}

TEST(SweepInputTest, IsATaskOfTheRecordings) {
  const SweptRecordings swept{
      AccountId("ann"), Artefact::kUnset, Purpose::kUnset, {RecordingId("r 1"), RecordingId("-r2")}};
  const auto input = MakeSweepInput(swept, {"CONSENT_TASK_ID=of another", "PATH=/bin"}, false);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(nlohmann::json::parse(input->line), nlohmann::json::parse(R"({"task_id": "", "account_id": "ann",
              "selector": {"kind": "recordings", "recording_ids": ["r 1", "-r2"]}, "covers": null, "exceptions": [], "cause": "SWEEP",
              "due_at": "", "attempt": 1, "again": "", "looked_at": ""})"));
  EXPECT_EQ(Value(*input, "CONSENT_SELECTOR"), "recordings");
  EXPECT_EQ(Value(*input, "CONSENT_RECORDING_IDS"), "r 1\n-r2");
  EXPECT_EQ(Value(*input, "CONSENT_CAUSE"), "SWEEP");
  EXPECT_EQ(Value(*input, "PATH"), "/bin");
  for (const char* name : {"CONSENT_TASK_ID", "CONSENT_FROM", "CONSENT_TO", "CONSENT_ARTEFACT", "CONSENT_PURPOSES"}) {
    EXPECT_FALSE(Value(*input, name).has_value()) << name;
  }
}

TEST(SweepInputTest, CopiesAreAKindOfTheirOwn) {
  SweptRecordings swept{AccountId("ann"), Artefact::kTranscript, Purpose::kHumanReview, {RecordingId("r1")}};
  const auto input = MakeSweepInput(swept, {}, false);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(nlohmann::json::parse(input->line)["selector"],
            nlohmann::json::parse(R"({"kind": "copies", "recording_ids": ["r1"],
              "artefact": "TRANSCRIPT", "purposes": ["HUMAN_REVIEW"]})"));
  EXPECT_EQ(Value(*input, "CONSENT_SELECTOR"), "copies");
  EXPECT_EQ(Value(*input, "CONSENT_ARTEFACT"), "TRANSCRIPT");
  EXPECT_EQ(Value(*input, "CONSENT_PURPOSES"), "HUMAN_REVIEW");
  swept.made_for = Purpose::kUnset;
  EXPECT_TRUE(absl::IsInvalidArgument(MakeSweepInput(swept, {}, true).status()));
  swept = {AccountId("ann"), Artefact::kUnset, Purpose::kUnset, {RecordingId("a\nb")}};
  EXPECT_TRUE(absl::IsInvalidArgument(MakeSweepInput(swept, {}, false).status()));
  EXPECT_TRUE(MakeSweepInput(swept, {}, true).ok());
}

TEST(TaskInputTest, AnOpenEndIsNullAndNoVariable) {
  PurgeTask task = Task(Everything{});
  task.covers = TimeRange{{}, At(2)};
  const auto input = MakeTaskInput(task, {}, false);
  ASSERT_TRUE(input.ok());
  EXPECT_TRUE(nlohmann::json::parse(input->line)["covers"]["from"].is_null());
  EXPECT_FALSE(Value(*input, "CONSENT_FROM").has_value());
  EXPECT_TRUE(Value(*input, "CONSENT_TO").has_value());
}

TEST(TaskInputTest, EachKindHasItsVariable) {
  const std::vector<RecordingId> ids = {RecordingId("r 1"), RecordingId("$(r2)")};
  const auto recordings = MakeTaskInput(Task(ids), {}, false);
  ASSERT_TRUE(recordings.ok());
  EXPECT_EQ(Value(*recordings, "CONSENT_SELECTOR"), "recordings");
  EXPECT_EQ(Value(*recordings, "CONSENT_RECORDING_IDS"), "r 1\n$(r2)");
  EXPECT_EQ(nlohmann::json::parse(recordings->line)["selector"]["recording_ids"],
            nlohmann::json::array({"r 1", "$(r2)"}));
  const auto profile = MakeTaskInput(Task(ProfileId("kid")), {}, false);
  EXPECT_EQ(Value(*profile, "CONSENT_SELECTOR"), "profile");
  EXPECT_EQ(Value(*profile, "CONSENT_PROFILE_ID"), "kid");
  const auto device = MakeTaskInput(Task(DeviceId("hall")), {}, false);
  EXPECT_EQ(Value(*device, "CONSENT_SELECTOR"), "device");
  EXPECT_EQ(Value(*device, "CONSENT_DEVICE_ID"), "hall");
  const auto day = MakeTaskInput(Task(SpokenDay{At(5), "Asia/Tokyo"}), {}, false);
  EXPECT_EQ(Value(*day, "CONSENT_SELECTOR"), "spoken_day");
  const auto voice = MakeTaskInput(Task(VoiceIdOf{ProfileId("kid")}), {}, false);
  EXPECT_EQ(Value(*voice, "CONSENT_SELECTOR"), "voice_id");
  EXPECT_EQ(Value(*voice, "CONSENT_PROFILE_ID"), "kid");
  const auto closure = MakeTaskInput(Task(AccountClosure{}), {}, false);
  EXPECT_EQ(Value(*closure, "CONSENT_SELECTOR"), "account_closure");
  const auto draft = MakeTaskInput(Task(Draft{RecordingId("r 1"), std::string(32, '\xfe')}), {}, false);
  EXPECT_EQ(Value(*draft, "CONSENT_SELECTOR"), "draft");
  EXPECT_EQ(Value(*draft, "CONSENT_RECORDING_IDS"), "r 1");
  std::string digest;
  for (int i = 0; i < 32; ++i) digest += "fe";
  EXPECT_EQ(Value(*draft, "CONSENT_DIGEST"), digest);
  EXPECT_EQ(nlohmann::json::parse(draft->line)["selector"],
            nlohmann::json({{"kind", "draft"}, {"recording_id", "r 1"}, {"digest", digest}}));
}

TEST(TaskInputTest, CopiesNameTheirPurposesAndTheirScope) {
  const auto all = MakeTaskInput(Task(PurposeCopies{{Purpose::kHumanReview, Purpose::kAdvertising}, {}}), {}, false);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(Value(*all, "CONSENT_SELECTOR"), "purpose_copies");
  EXPECT_EQ(Value(*all, "CONSENT_PURPOSES"), "HUMAN_REVIEW,ADVERTISING");
  EXPECT_FALSE(Value(*all, "CONSENT_PROFILE_ID").has_value() || Value(*all, "CONSENT_DEVICE_ID").has_value());
  EXPECT_EQ(nlohmann::json::parse(all->line)["selector"],
            nlohmann::json::parse(R"({"kind": "purpose_copies", "purposes": ["HUMAN_REVIEW", "ADVERTISING"]})"));
  const auto device = MakeTaskInput(Task(PurposeCopies{{Purpose::kAdvertising}, {{}, DeviceId("hall")}}), {}, false);
  EXPECT_EQ(Value(*device, "CONSENT_DEVICE_ID"), "hall");
  EXPECT_EQ(nlohmann::json::parse(device->line)["selector"]["device_id"], "hall");
}

TEST(TaskInputTest, ExceptionsAreToldInBothWays) {
  PurgeTask task = Task(Everything{});
  task.exceptions = {{WholeAccount{}, {At(1), At(2)}},
                     {ProfileId("kid"), {{}, At(2)}},
                     {DeviceId("hall"), {}},
                     {std::vector<RecordingId>{RecordingId("a\nb")}, {}}};
  const auto expected = nlohmann::json::parse(R"([
    {"kind": "account", "from": "1970-01-01T00:00:01Z", "to": "1970-01-01T00:00:02Z"},
    {"kind": "profile", "profile_id": "kid", "from": null, "to": "1970-01-01T00:00:02Z"},
    {"kind": "device", "device_id": "hall", "from": null, "to": null},
    {"kind": "recordings", "recording_ids": ["a\nb"], "from": null, "to": null}])");
  const auto input = MakeTaskInput(task, {}, false);
  ASSERT_TRUE(input.ok()) << "escaped, so that any id can be carried";
  EXPECT_EQ(nlohmann::json::parse(input->line)["exceptions"], expected);
  EXPECT_EQ(nlohmann::json::parse(*Value(*input, "CONSENT_EXCEPTIONS")), expected);
  EXPECT_EQ(Value(*input, "CONSENT_EXCEPTIONS")->find('\n'), std::string::npos);
  const auto by_line = MakeTaskInput(task, {}, true);
  ASSERT_TRUE(by_line.ok());
  EXPECT_TRUE(by_line->environment.empty());
}

TEST(TaskInputTest, ExceptionsThatTheEnvironmentCannotCarryAreRefusedAndNotCut) {
  PurgeTask task = Task(Everything{});
  const std::vector<RecordingId> thousand(kMaxDeletedRecordings, RecordingId(std::string(120, 'x')));
  task.exceptions = {{thousand, {}}};
  const auto one = MakeTaskInput(task, {}, false);
  ASSERT_TRUE(one.ok()) << "as many as one hold names can be carried";
  EXPECT_LT(Value(*one, "CONSENT_EXCEPTIONS")->size(), size_t{128} * 1024);
  task.exceptions.push_back({thousand, {}});
  EXPECT_EQ(MakeTaskInput(task, {}, false).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(MakeTaskInput(task, {}, true).ok());
}

TEST(TaskInputTest, NothingOfAnotherTaskIsInherited) {
  const std::vector<std::string> inherited = {
      "PATH=/bin",          "CONSENT_PROFILE_ID=somebody", "CONSENT_FROM=1970-01-01T00:00:00Z",
      "CONSENT_ENDPOINT=x", "CONSENT_RECORDING_IDS=old",   "CONSENT_TASK_ID=old",
      "CONSENT_TO",         "CONSENT_EXCEPTIONS=[]",       "CONSENT_PURPOSES=ADVERTISING",
      "CONSENT_CAUSE=old"};
  const auto input = MakeTaskInput(Task(Everything{}), inherited, false);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->environment, (std::vector<std::string>{"PATH=/bin", "CONSENT_ENDPOINT=x", "CONSENT_TASK_ID=d/audio",
                                                          "CONSENT_ACCOUNT_ID=ann", "CONSENT_SELECTOR=everything"}));
  const auto quiet = MakeTaskInput(Task(Everything{}), inherited, true);
  ASSERT_TRUE(quiet.ok());
  EXPECT_EQ(quiet->environment, (std::vector<std::string>{"PATH=/bin", "CONSENT_ENDPOINT=x"}));
}

TEST(TaskInputTest, WhatTheEnvironmentCannotCarryIsRefusedAndNotCut) {
  const std::vector<DeletionSelector> selectors = {std::vector<RecordingId>{RecordingId("a\nb")},
                                                   std::vector<RecordingId>{RecordingId(std::string("a\0b", 3))},
                                                   ProfileId(std::string("p\0q", 3))};
  for (const DeletionSelector& selector : selectors) {
    const auto refused = MakeTaskInput(Task(selector), {}, false);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    const auto by_line = MakeTaskInput(Task(selector), {}, true);
    ASSERT_TRUE(by_line.ok());
    EXPECT_EQ(std::count(by_line->line.begin(), by_line->line.end(), '\n'), 1) << "escaped";
  }
  EXPECT_TRUE(MakeTaskInput(Task(ProfileId("a\nb")), {}, false).ok())
      << "a line's end is nothing special outside of a list";
}

TEST(TaskInputTest, WhatIsNotKnownIsNotHandedOn) {
  const auto refused = MakeTaskInput(Task({}), {}, false);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.status().message().find("ann"), std::string::npos);
  PurgeTask task = Task(Everything{});
  task.exceptions = {{ProfileId("kid"), {}}, {}};
  EXPECT_EQ(MakeTaskInput(task, {}, false).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeTaskInput(task, {}, true).status().code(), absl::StatusCode::kInvalidArgument);
}

std::optional<int64_t> LastNumberOf(std::string_view text, size_t piece) {
  TaskOutput output;
  for (size_t at = 0; at < text.size(); at += piece) output.Add(text.substr(at, piece));
  return output.LastNumber();
}

TEST(TaskOutputTest, TheLastLineMayBeANumber) {
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{1000}}) {
    EXPECT_EQ(LastNumberOf("7", piece), 7);
    EXPECT_EQ(LastNumberOf("x\n0\n", piece), 0);
    EXPECT_EQ(LastNumberOf("3\n  41\r\n", piece), 41);
    EXPECT_EQ(LastNumberOf("1000000000000\n", piece), 1'000'000'000'000) << "as many items as a report may count";
    for (const char* none : {"", "\n", "3\n\n", "3\nfiles\n", "3 files", "-1", "1.5", "+2", "1000000000001",
                             "999999999999999999", "0x1f"}) {
      EXPECT_EQ(LastNumberOf(none, piece), std::nullopt) << none;
    }
    EXPECT_EQ(LastNumberOf(std::string(100'000, '1'), piece), std::nullopt);
    EXPECT_EQ(LastNumberOf(std::string(100'000, 'x') + "\n12\n", piece), 12);
    EXPECT_EQ(LastNumberOf("12" + std::string(1000, ' '), piece), 12);
    EXPECT_EQ(LastNumberOf(std::string(70, '0') + "1", piece), 1);
  }
}

TEST(TaskOutputTest, TellsWhatIsAlmostANumber) {
  for (const char* almost : {"+5", "1e3", "0x10", "3 files", "-", "1.5", " .5\n", "x\n12,000\n"}) {
    TaskOutput output;
    output.Add(almost);
    EXPECT_TRUE(output.IsAlmostNumber()) << almost;
  }
  for (const char* other : {"", "done", "5", "-1", "1000000000001", "+5\ndone\n", "erased 5"}) {
    TaskOutput output;
    output.Add(other);
    EXPECT_FALSE(output.IsAlmostNumber()) << other;
  }
}

TEST(TaskOutputTest, TheHashIsOfEveryByte) {
  const std::string text = std::string("one\ntwo\0three\n", 14);
  TaskOutput output;
  for (const char c : text) output.Add(std::string_view(&c, 1));
  EXPECT_EQ(output.Hash(), std::string(base::View(base::Sha256(text))));
  EXPECT_EQ(TaskOutput().Hash(), "") << "no output is no evidence";
}

}  // namespace
}  // namespace consent::cli::task_input_test
