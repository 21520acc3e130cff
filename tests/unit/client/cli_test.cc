// Whole command lines in this process, against no daemon: usage, exit codes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/command_line.h"
#include "client/cli/exit_codes.h"

namespace consent::cli {
namespace {

int Ctl(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "consentctl");
  return Run(static_cast<int>(arguments.size()), arguments.data());
}

constexpr char kNowhere[] = "unix:/nonexistent/consentd.sock";

TEST(CommandLineTest, ADaemonThatIsNotThereIsItsOwnExitCode) {
  const std::vector<std::vector<const char*>> commands = {
      {"settings", "get", "a"},
      {"settings", "history", "a"},
      {"settings", "at", "a", "2024-01-01T00:00:00Z"},
      {"settings", "opt-out", "a", "--all"},
      {"settings", "set", "a", "--off", "help_improve"},
      {"subject", "get", "a"},
      {"subject", "set", "a", "--region", "DE", "--profile", "p:child:guardian=g"},
      {"check", "--account", "a", "--recording", "r", "--purpose", "human-review"},
      {"check", "--account", "a", "--recording", "r", "--disposition"},
      {"report-recording", "a", "r", "--flag", "critical-data,safety"},
      {"policy", "show"},
      {"policy", "suspend", "HUMAN_REVIEW", "--reason", "x"},
      {"policy", "resume", "HUMAN_REVIEW", "--reason", "x", "--etag", "1"},
      {"delete", "a", "--everything", "--verified"},
      {"delete", "a", "--from", "2024-01-01T00:00:00Z", "--to", "2024-02-01T00:00:00Z", "--requester", "agent"},
      {"delete", "a", "--today", "--time-zone", "Europe/Bucharest"},
      {"delete", "a", "--recording", "r1", "--recording", "r2", "--request-id", "once"},
      {"delete", "a", "--profile", "p"},
      {"delete", "a", "--purpose-copies", "human-review,advertising", "--device", "d"},
      {"delete", "a", "--purpose-copies", "human-review", "--purpose-copies", "advertising"},
      {"delete", "a", "--voice-id", "p"},
      {"delete", "a", "--close-account", "--verified"},
      {"holds", "place", "a", "--authority", "court", "--reason", "x"},
      {"holds", "place", "a", "--authority", "court", "--reason", "x", "--profile", "p", "--from",
       "2024-01-01T00:00:00Z"},
      {"holds", "place", "a", "--authority", "court", "--reason", "x", "--recording", "r1", "--recording", "r2"},
      {"holds", "release", "h", "--etag", "1", "--authority", "court", "--reason", "x", "--channel", "support",
       "--actor", "system"},
      {"holds", "list"},
      {"holds", "list", "--account", "a", "--all"},
      {"export-subject", "a"},
      {"export-subject", "a", "--text", "--output", "/nonexistent/out", "--force"},
      {"subject", "set", "a", "--create-new"},
      {"requests", "list", "--cause", "requested,withdrawal", "--received-from", "2024-01-01T00:00:00Z"},
      {"requests", "list"},
      {"requests", "list", "a", "--state", "received,in-progress", "--due-before", "2024-01-01T00:00:00Z"},
      {"requests", "show", "d"},
      {"requests", "verify", "d", "--only-begun"},
      {"requests", "confirm-receipt", "d", "--channel", "in-app", "--at", "2024-01-01T00:00:00Z"},
      {"requests", "appeal", "d", "--kind", "appeal"},
      {"requests", "acknowledge-appeal", "d", "--at", "2024-01-01T00:00:00Z"},
      {"requests", "answer-appeal", "d", "--outcome", "granted-in-part", "--answer", "x"},
      {"requests", "deny", "d", "--reason", "x"},
      {"requests", "extend", "d"},
      {"requests", "cancel", "d", "--etag", "1", "--channel", "app", "--actor", "self"},
      {"requests", "report", "--from", "2024-01-01T00:00:00Z", "--to", "2025-01-01T00:00:00Z", "--csv"},
      {"systems", "register", "s", "--kind", "audio", "--matches-by", "account,recording-id", "--latest-arrival",
       "30d"},
      {"systems", "register", "s", "--kind", "audio", "--matches-by", "account,recording-id", "--sweep-days", "7"},
      {"systems", "retention", "s", "--attested-by", "dpo", "--attested-until", "2027-01-01T00:00:00Z"},
      {"systems", "list"},
      {"systems", "retire", "s", "--reason", "x"},
      {"tasks", "list", "s", "--min-failures", "3"},
      {"decisions", "verify", "/nonexistent", "--from", "2026-10-01", "--to", "2026-11-01"},
      {"decisions", "find", "/nonexistent", "--account", "a"},
      {"children", "due", "--due", "notice,purge"},
      {"children", "notice", "a", "p"},
      {"children", "keep", "a", "p", "--etag", "1", "--channel", "app", "--actor", "guardian"},
      {"sweep", "s", "/dev/null", "--set", "wake=BUTTON"},
      {"worker", "s", "--once", "--heeds-exceptions"}};
  for (std::vector<const char*> command : commands) {
    command.insert(command.end(), {"--endpoint", kNowhere, "--timeout", "0.2"});
    const std::string name = command[0];
    if (name == "worker" || name == "sweep") command.insert(command.end(), {"--", "true", "--json", "check"});
    EXPECT_EQ(Ctl(command), kNoAnswer) << command[0] << " " << command[1];
  }
}

TEST(CommandLineTest, WrongLinesAreUsageErrors) {
  EXPECT_EQ(Ctl({}), kUsage);
  EXPECT_EQ(Ctl({"settings"}), kUsage);
  EXPECT_EQ(Ctl({"settings", "set", "a", "--on", "x", "--profile", "p", "--device", "d"}), kUsage);
  EXPECT_EQ(Ctl({"settings", "opt-out", "a", "--purpose", "SELLING"}), kUsage);
  EXPECT_EQ(Ctl({"subject", "set", ""}), kUsage);
  EXPECT_EQ(Ctl({"subject", "set", "a", "--profile", ":adult"}), kUsage);
  EXPECT_EQ(Ctl({"subject", "set", "a", "--profile", "p:adult:child"}), kUsage);
  EXPECT_EQ(Ctl({"check", "--file", "x", "--account", "a", "--recording", "r", "--disposition"}), kUsage);
  EXPECT_EQ(Ctl({"check", "--account", "a", "--recording", "r"}), kUsage) << "a question without a purpose says so";
  EXPECT_EQ(Ctl({"check", "--account", "a", "--recording", "r", "--disposition", "--purpose", "HUMAN_REVIEW"}), kUsage);
  EXPECT_EQ(Ctl({"filter", "--purpose", "HUMAN_REVIEW", "--batch", "1001"}), kUsage);
  EXPECT_EQ(Ctl({"policy", "show", "--endpoint", "10.0.0.1:1"}), kUsage);
  EXPECT_EQ(Ctl({"systems", "retention", "s"}), kUsage);
  EXPECT_EQ(Ctl({"systems", "retention", "s", "--attested-by", "dpo"}), kUsage);
  EXPECT_EQ(Ctl({"systems", "retention", "s", "--sweep-days", "91"}), kUsage);
  EXPECT_EQ(Ctl({"systems", "retention", "s", "--sweep-days", "7", "--attested-by", "dpo", "--attested-until",
                 "2027-01-01T00:00:00Z"}),
            kUsage);
  EXPECT_EQ(Ctl({"sweep", "s", "/dev/null"}), kUsage) << "without a command";
  for (const char* to : {"2026-10-01", "2026-09-30"}) {
    EXPECT_EQ(Ctl({"decisions", "verify", "/nonexistent", "--from", "2026-10-01", "--to", to}), kUsage) << to;
    EXPECT_EQ(Ctl({"decisions", "find", "/nonexistent", "--account", "a", "--from", "2026-10-01", "--to", to}), kUsage)
        << to;
  }
}

// What is dropped silently may be the flag that forbids the recording.
TEST(CommandLineTest, NoFactStandsBesideAFile) {
  const std::vector<std::vector<const char*>> facts = {{"--account", "a"},
                                                       {"--recording", "r"},
                                                       {"--captured-at", "2024-01-01T00:00:00Z"},
                                                       {"--ingested-at", "2024-01-01T00:00:00Z"},
                                                       {"--captured-uncertainty-ms", "0"},
                                                       {"--profile", "p"},
                                                       {"--device", "d"},
                                                       {"--region", "DE"},
                                                       {"--wake", "button"},
                                                       {"--kind", "command"},
                                                       {"--speakers", "one"},
                                                       {"--identity", "matched"},
                                                       {"--age", "child-present"},
                                                       {"--artefact", "source"},
                                                       {"--made-for", "human-review"},
                                                       {"--flag", "critical-data"}};
  for (const std::vector<const char*>& fact : facts) {
    EXPECT_EQ(Ctl({"check", "--file", "/nonexistent", "--disposition", fact[0], fact[1]}), kUsage) << fact[0];
  }
  EXPECT_EQ(Ctl({"check", "--file", "/nonexistent", "--disposition", "--country", "DE"}), kFiles)
      << "a place is no fact of the recording";
}

// A mistyped command must not cost what a file holds.
TEST(CommandLineTest, AFileIsEmptiedOnlyWhenNothingIsWrong) {
  const std::string path = ::testing::TempDir() + "kept_" + std::to_string(::getpid());
  const std::string input = path + ".in";
  const std::string fresh = path + ".fresh";
  const std::string held = "kept\n";
  std::ofstream(input) << "\n";
  const auto keeps = [&](std::vector<const char*> command, int code) {
    std::ofstream(path, std::ios::trunc) << held;
    command.insert(command.end(), {"--timeout", "0.2"});
    EXPECT_EQ(Ctl(command), code) << command[0] << " " << command[3];
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), held) << command[0] << " " << command[3];
  };
  const char* file = path.c_str();
  const char* in = input.c_str();
  keeps({"filter", in, "--purpose=ADVERTISING", "--refused", file, "--purge", file, "--endpoint", kNowhere}, kFiles);
  keeps({"filter", file, "--purpose=ADVERTISING", "--purge", file, "--endpoint", kNowhere}, kFiles);
  keeps({"filter", in, "--purpose=ADVERTISING", "--refused", file, "--endpoint", "nonsense"}, kUsage);
  keeps({"import", file, "--endpoint", kNowhere, "--refused", file}, kFiles);
  keeps({"import", in, "--refused", file, "--endpoint", "nonsense"}, kUsage);
  keeps({"import", in, "--state", file, "--endpoint", kNowhere}, kFiles);
  EXPECT_EQ(Ctl({"import", in, "--state", fresh.c_str(), "--refused", fresh.c_str(), "--endpoint", kNowhere}), kFiles);
  for (const std::string& name : {path, input, fresh}) ::unlink(name.c_str());
}

// The refused must never land among those that may be used.
TEST(CommandLineTest, StandardOutputIsNoOtherFile) {
  const std::string path = ::testing::TempDir() + "stdout_" + std::to_string(::getpid());
  const std::string input = path + ".in";
  std::ofstream(input) << "\n";
  std::fflush(stdout);
  const int saved = ::dup(STDOUT_FILENO);
  for (const char* option : {"--refused", "--purge"}) {
    const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT_EQ(::write(out, "yes\n", 4), 4);
    ::dup2(out, STDOUT_FILENO);
    ::close(out);
    const int code =
        Ctl({"filter", input.c_str(), "--purpose=ADVERTISING", option, path.c_str(), "--endpoint", kNowhere});
    struct stat found {};
    EXPECT_EQ(::fstat(STDOUT_FILENO, &found), 0);
    ::dup2(saved, STDOUT_FILENO);
    EXPECT_EQ(code, kFiles) << option;
    EXPECT_EQ(found.st_size, 4) << "it is left as it was";
  }
  ::close(saved);
  for (const std::string& name : {path, input}) ::unlink(name.c_str());
}

TEST(CommandLineTest, WhatIsToBeDeletedIsSaidOnceAndInFull) {
  EXPECT_EQ(Ctl({"delete", "a"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "--everything"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--everything", "--profile", "p"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--recording", "r", "--device", "d"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--recording", ""}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--from", "2024-01-01T00:00:00Z"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--to", "2024-01-01T00:00:00Z"}), kUsage)
      << "a forgotten --from must not mean everything before";
  EXPECT_EQ(Ctl({"delete", "a", "--today"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--everything", "--time-zone", "Europe/Bucharest"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--everything", "--verified", "--verifying"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--everything", "--requester", "somebody"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--purpose-copies", "selling"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--purpose-copies", "human-review", "--profile", "p", "--device", "d"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--purpose-copies", "human-review", "--everything"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--voice-id", "p", "--profile", "p"}), kUsage);
  EXPECT_EQ(Ctl({"delete", "a", "--close-account", "--everything"}), kUsage);
}

TEST(CommandLineTest, WhatIsHeldIsSaidByWhomAndWhy) {
  const std::vector<const char*> place = {"holds", "place", "a", "--authority", "court", "--reason", "x"};
  const auto refused = [&place](std::vector<const char*> more) {
    more.insert(more.begin(), place.begin(), place.end());
    return Ctl(more) == kUsage;
  };
  EXPECT_EQ(Ctl({"holds", "place", "a", "--authority", "court"}), kUsage);
  EXPECT_EQ(Ctl({"holds", "place", "a", "--reason", "x"}), kUsage);
  EXPECT_EQ(Ctl({"holds", "release", "h"}), kUsage);
  EXPECT_TRUE(refused({"--profile", "p", "--device", "d"}));
  EXPECT_TRUE(refused({"--recording", "r", "--profile", "p"}));
  EXPECT_TRUE(refused({"--recording", "r", "--to", "2024-01-01T00:00:00Z"}));
  EXPECT_TRUE(refused({"--from", "2024-01-02T00:00:00Z", "--to", "2024-01-01T00:00:00Z"}));
}

TEST(CommandLineTest, APageTokenHasABound) {
  const std::string token(129, 'x');
  EXPECT_EQ(Ctl({"holds", "list", "--page", token.c_str(), "--endpoint", kNowhere}), kUsage);
  EXPECT_EQ(Ctl({"requests", "list", "--page", token.c_str(), "--endpoint", kNowhere}), kUsage);
}

TEST(CommandLineTest, AnExportIsOneThing) {
  EXPECT_EQ(Ctl({"export-subject"}), kUsage);
  EXPECT_EQ(Ctl({"export-subject", "a", "--force"}), kUsage);
  EXPECT_EQ(Ctl({"export-subject", "a", "--text", "--json"}), kUsage);
}

TEST(CommandLineTest, TheOtherDeletionCommandsRefuseWhatTheyCannotMean) {
  EXPECT_EQ(Ctl({"requests", "deny", "d"}), kUsage);
  EXPECT_EQ(Ctl({"requests", "list", "--state", "gone"}), kUsage);
  EXPECT_EQ(Ctl({"requests", "report", "--from", "2024-01-01T00:00:00Z"}), kUsage);
  EXPECT_EQ(Ctl({"requests", "report", "--from", "2024-01-01T00:00:00Z", "--to", "2024-01-01T00:00:00Z"}), kUsage);
  EXPECT_EQ(
      Ctl({"requests", "report", "--from", "2024-01-01T00:00:00Z", "--to", "2025-01-01T00:00:00Z", "--csv", "--json"}),
      kUsage);
  EXPECT_EQ(Ctl({"systems", "register", "s", "--kind", "audio"}), kUsage);
  EXPECT_EQ(Ctl({"systems", "register", "s", "--kind", "audio", "--matches-by", "account", "--latest-arrival", "3m"}),
            kUsage);
  EXPECT_EQ(Ctl({"worker", "s"}), kUsage);
  EXPECT_EQ(Ctl({"worker", "s", "--parallel", "0", "--", "true"}), kUsage);
  EXPECT_EQ(Ctl({"worker", "s", "--visibility", "43201", "--", "true"}), kUsage);
}

TEST(CommandLineTest, DurationsNeedAUnitThatNobodyMistakes) {
  std::chrono::seconds duration{-1};
  for (const char* text : {"", "5", "m", "3m", "3 d", "-1s", "1.5h", "1week", "1000000000s", "999999999d"}) {
    EXPECT_FALSE(ParseDuration(text, &duration)) << text;
    EXPECT_EQ(duration.count(), -1);
  }
  const std::vector<std::pair<const char*, int64_t>> good = {
      {"0s", 0}, {"30s", 30}, {"15min", 900}, {"12h", 43'200}, {"90d", 7'776'000}};
  for (const auto& [text, seconds] : good) {
    EXPECT_TRUE(ParseDuration(text, &duration)) << text;
    EXPECT_EQ(duration.count(), seconds);
  }
}

TEST(CommandLineTest, FilesThatAreNotThereAreTheirOwnExitCode) {
  EXPECT_EQ(Ctl({"filter", "/nonexistent/lines", "--purpose", "HUMAN_REVIEW"}), kFiles);
  EXPECT_EQ(Ctl({"filter", "/", "--purpose", "HUMAN_REVIEW"}), kFiles);
  EXPECT_EQ(Ctl({"import", "/nonexistent/lines"}), kFiles);
  EXPECT_EQ(Ctl({"check", "--file", "/nonexistent/line", "--disposition"}), kFiles);
  EXPECT_EQ(Ctl({"worker", "s", "--once", "--", "/nonexistent/program"}), kFiles) << "before any task is taken";
}

TEST(CommandLineTest, TargetsAreControlsPurposesOrAll) {
  EXPECT_TRUE(ParseTarget("all").all);
  EXPECT_EQ(ParseTarget("HUMAN_REVIEW").purpose, Purpose::kHumanReview);
  EXPECT_EQ(ParseTarget("help_improve").control, "help_improve");
  EXPECT_EQ(UpperName("human-review"), "HUMAN_REVIEW");
}

}  // namespace
}  // namespace consent::cli
