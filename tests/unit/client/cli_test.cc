// Whole command lines in this process, against no daemon: usage, exit codes.
#include <gtest/gtest.h>

#include <vector>

#include "client/cli/command.h"
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
      {"report-recording", "a", "r", "--flag", "critical-data,safety"},
      {"policy", "show"},
      {"policy", "suspend", "HUMAN_REVIEW", "--reason", "x"},
      {"policy", "resume", "HUMAN_REVIEW", "--reason", "x", "--etag", "1"}};
  for (std::vector<const char*> command : commands) {
    command.insert(command.end(), {"--endpoint", kNowhere, "--timeout", "0.2"});
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
  EXPECT_EQ(Ctl({"check", "--file", "x", "--account", "a", "--recording", "r"}), kUsage);
  EXPECT_EQ(Ctl({"filter", "--purpose", "HUMAN_REVIEW", "--batch", "1001"}), kUsage);
  EXPECT_EQ(Ctl({"policy", "show", "--endpoint", "10.0.0.1:1"}), kUsage);
}

TEST(CommandLineTest, FilesThatAreNotThereAreTheirOwnExitCode) {
  EXPECT_EQ(Ctl({"filter", "/nonexistent/lines", "--purpose", "HUMAN_REVIEW"}), kFiles);
  EXPECT_EQ(Ctl({"filter", "/", "--purpose", "HUMAN_REVIEW"}), kFiles);
  EXPECT_EQ(Ctl({"import", "/nonexistent/lines"}), kFiles);
  EXPECT_EQ(Ctl({"check", "--file", "/nonexistent/line"}), kFiles);
}

TEST(CommandLineTest, TargetsAreControlsPurposesOrAll) {
  EXPECT_TRUE(ParseTarget("all").all);
  EXPECT_EQ(ParseTarget("HUMAN_REVIEW").purpose, Purpose::kHumanReview);
  EXPECT_EQ(ParseTarget("help_improve").control, "help_improve");
  EXPECT_EQ(UpperName("human-review"), "HUMAN_REVIEW");
}

}  // namespace
}  // namespace consent::cli
