// The tree of commands: examples, help, versions, and words that nobody knows.
#include "client/cli/command_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/examples.h"
#include "client/cli/exit_codes.h"
#include "client/cli/help.h"
#include "client/cli/terminal.h"

namespace consent::cli::command_line_test {
namespace {

struct Ended {
  int code = 0;
  std::string out;
  std::string err;
};

Ended Ctl(const std::vector<std::string>& words) {
  std::vector<const char*> arguments = {"consentctl"};
  for (const std::string& word : words) arguments.push_back(word.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Ended ended;
  ended.code = Run(static_cast<int>(arguments.size()), arguments.data());
  ended.out = ::testing::internal::GetCapturedStdout();
  ended.err = ::testing::internal::GetCapturedStderr();
  return ended;
}

// The words of an example, up to where the shell takes over. Quotes are single or, within single ones, double.
std::vector<std::string> WordsOf(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (!quoted && (c == ' ' || c == '\n' || c == '\\')) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(word);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == ">" || words[i] == "|") words.resize(i);
  }
  words.erase(words.begin());
  return words;
}

void EachCommand(const CLI::App* app, const std::function<void(const CLI::App*)>& visit) {
  visit(app);
  for (const CLI::App* command : app->get_subcommands({})) EachCommand(command, visit);
}

TEST(ExamplesTest, EveryCommandHasTwoAndEachIsOfACommand) {
  Cli cli;
  const std::unique_ptr<CLI::App> app = MakeCommandLine(cli, kDefaultColumns);
  std::set<std::string> paths;
  EachCommand(app.get(), [&](const CLI::App* command) {
    paths.insert(CommandPath(command));
    EXPECT_EQ(ExamplesOf(CommandPath(command)).size(), 2u) << CommandPath(command);
  });
  for (const Example& example : Examples()) EXPECT_TRUE(paths.contains(example.command)) << example.command;
}

TEST(ExamplesTest, EachIsARightCommandLineOfItsCommand) {
  for (const Example& example : Examples()) {
    Cli cli;
    const std::unique_ptr<CLI::App> app = MakeCommandLine(cli, kDefaultColumns);
    std::vector<std::string> words = WordsOf(example.line);
    std::reverse(words.begin(), words.end());
    try {
      app->parse(words);
    } catch (const CLI::ParseError& error) {
      ADD_FAILURE() << example.line << ": " << error.what();
      continue;
    }
    const CLI::App* at = app.get();
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    EXPECT_TRUE(*example.command == 0 || CommandPath(at) == example.command) << example.line;
    EXPECT_TRUE(cli.action != nullptr) << example.line;
    std::istringstream lines(example.line);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 118u) << line;
  }
}

TEST(HelpTest, NoLineIsWiderThanTheTerminal) {
  for (const size_t columns : {40u, 80u, 120u}) {
    Cli cli;
    const std::unique_ptr<CLI::App> app = MakeCommandLine(cli, columns);
    EachCommand(app.get(), [&](const CLI::App* command) {
      std::string page = command->help("consentctl " + CommandPath(command));
      const size_t footer = page.find("Examples:\n");
      ASSERT_NE(footer, std::string::npos) << CommandPath(command);
      // A command line that is to be copied stays whole.
      std::istringstream lines(page.substr(0, footer));
      for (std::string line; std::getline(lines, line);) {
        if (line.find("Usage: ") == 0 || line.find("--") != std::string::npos) continue;
        EXPECT_LE(DisplayWidth(line), columns) << CommandPath(command);
      }
    });
  }
}

TEST(HelpTest, HelpIsFoundHoweverItIsAskedFor) {
  const std::string page = Ctl({"settings", "set", "--help"}).out;
  EXPECT_NE(page.find("--self-profile"), std::string::npos);
  EXPECT_NE(page.find("Examples:\n"), std::string::npos);
  const Ended helped = Ctl({"help", "settings", "set"});
  EXPECT_EQ(helped.code, kDone);
  EXPECT_NE(helped.out.find("--self-profile"), std::string::npos);
  const Ended alone = Ctl({});
  EXPECT_EQ(alone.code, kUsage) << "nothing was done";
  EXPECT_EQ(alone.out, Ctl({"--help"}).out);
  const Ended group = Ctl({"settings"});
  EXPECT_EQ(group.code, kUsage);
  EXPECT_NE(group.out.find("opt-out"), std::string::npos);
  EXPECT_EQ(Ctl({"help"}).code, kDone);
  EXPECT_NE(Ctl({"help", "times"}).out.find("2026-11"), std::string::npos);
  const Ended unknown = Ctl({"help", "setings"});
  EXPECT_EQ(unknown.code, kUsage);
  EXPECT_NE(unknown.err.find("did you mean 'settings'?"), std::string::npos) << unknown.err;
}

TEST(HelpTest, ThePageOfExitCodesIsTheTable) {
  const Ended page = Ctl({"help", "exit-codes"});
  EXPECT_EQ(page.code, kDone);
  EXPECT_EQ(page.out, ExitCodesHelp(kDefaultColumns));
}

TEST(VersionTest, IsSaidWithoutADaemon) {
  const Ended version = Ctl({"--version"});
  EXPECT_EQ(version.code, kDone);
  EXPECT_EQ(version.out, "consentctl " CONSENT_VERSION "\n");
  const Ended both =
      Ctl({"version", "--endpoint", "unix:/nonexistent/consentd.sock", "--no-header", "--timeout", "0.2"});
  EXPECT_EQ(both.code, kDone);
  EXPECT_EQ(both.out.find("version\tconsentctl\t" CONSENT_VERSION "\nversion\tconsentd\tnot known: "), 0u) << both.out;
}

TEST(WordsTest, WhatNobodyKnowsIsNamedWithWhatWasPerhapsMeant) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"setings"}, "unknown command 'setings'; did you mean 'settings'?"},
      {{"setings", "get", "ann"}, "unknown command 'setings'; did you mean 'settings'?"},
      {{"--json", "--endpoint", "x", "setings"}, "unknown command 'setings'; did you mean 'settings'?"},
      {{"settings", "gett", "ann"}, "unknown command 'gett' of 'settings'; did you mean 'settings get'?"},
      {{"opt-out", "ann"}, "unknown command 'opt-out'; did you mean 'settings opt-out'?"},
      {{"settings", "zzzz"},
       "unknown command 'zzzz' of 'settings'; there are get, set, opt-out, history, at and opt-outs"},
      {{"zzzz"}, "unknown command 'zzzz'; `consentctl help` lists them"},
      {{"filter", "--purpse", "x"}, "unknown option '--purpse' of 'filter'; did you mean '--purpose'?"},
      {{"filter", "--jsn"}, "unknown option '--jsn' of 'filter'; did you mean '--json'?"},
      {{"filter", "--zzzzz"}, "unknown option '--zzzzz' of 'filter'; `consentctl filter --help` lists what it takes"},
      {{"filter", "--purpose"}, "--purpose needs a value"},
      {{"subject", "get", "ann", "ben"}, "this word is too many: ben"},
      {{"subject", "get"}, "account is required"},
      {{"check", "--disposition", "--purpose", "human-review"}, "--purpose cannot be given beside --disposition"}};
  for (const auto& [words, says] : cases) {
    const Ended ended = Ctl(words);
    EXPECT_EQ(ended.code, kUsage) << says;
    EXPECT_EQ(ended.out, "") << says;
    EXPECT_NE(ended.err.find("consentctl: " + says + "\nRun `consentctl"), std::string::npos) << says << "\n"
                                                                                              << ended.err;
  }
}

// An option's value is no word, whatever it looks like; what follows -- is the command's.
TEST(WordsTest, ValuesAreNoWords) {
  EXPECT_NE(Ctl({"settings", "at", "ann", "-30d", "--endpoint", "unix:/nonexistent/x", "--timeout", "0.2"}).code,
            kUsage);
  EXPECT_NE(Ctl({"policy", "show", "--version", "--zzz", "--endpoint", "unix:/nonexistent/x", "--timeout", "0.2"}).code,
            kUsage);
  EXPECT_NE(
      Ctl({"requests", "list", "--received-from", "-30d", "--endpoint", "unix:/nonexistent/x", "--timeout", "0.2"})
          .code,
      kUsage);
}

}  // namespace
}  // namespace consent::cli::command_line_test
