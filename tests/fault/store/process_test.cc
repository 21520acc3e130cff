// A writing process that is hurt from outside: its syncs fail, or it is killed. What it acknowledged must be there
// afterwards.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/fault/store/scenario.h"

namespace consent::test {
namespace {

struct Told {
  std::set<std::string> acknowledged, unknown, closed;
  int failures = 0;
  int status = 0;
};

// Starts the writer with `environment` added, reads all it prints, and kills it after `kill_after` acknowledgements (0:
// never).
Told RunWriter(const std::string& folder, const std::vector<std::string>& environment, int threads, int commits,
               size_t kill_after) {
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_ends[1], STDOUT_FILENO);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    for (const std::string& variable : environment) putenv(const_cast<char*>(variable.c_str()));
    execl(CONSENT_WRITER, CONSENT_WRITER, folder.c_str(), std::to_string(threads).c_str(),
          std::to_string(commits).c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(pipe_ends[1]);
  Told told;
  FILE* lines = fdopen(pipe_ends[0], "r");
  char line[256];
  while (fgets(line, sizeof line, lines) != nullptr) {
    std::string text(line);
    if (text.empty() || text.back() != '\n') break;  // the writer died within a line
    text.pop_back();
    if (text == "failure") ++told.failures;
    if (text.starts_with("ack ")) told.acknowledged.insert(text.substr(4));
    if (text.starts_with("unknown ")) told.unknown.insert(text.substr(8));
    if (text.starts_with("closed ")) told.closed.insert(text.substr(7));
    if (kill_after != 0 && told.acknowledged.size() == kill_after) kill(child, SIGKILL);
  }
  fclose(lines);
  waitpid(child, &told.status, 0);
  return told;
}

// Every acknowledged key is there, and no key that was answered "nothing written".
void CheckAfterwards(const std::string& folder, const Told& told) {
  ManualClock clock;
  const auto store = Scenario::Open(folder, clock);
  ASSERT_TRUE(store.ok()) << store.status();
  for (const std::string& key : told.acknowledged) {
    EXPECT_EQ((*store)->Get(store::Partition{}, store::Table::kSubject, key).value_or("<none>"), key);
  }
  for (const std::string& key : told.closed) {
    EXPECT_TRUE(absl::IsNotFound((*store)->Get(store::Partition{}, store::Table::kSubject, key).status())) << key;
  }
  EXPECT_GE((*store)->GetHead(store::Partition{}).stamp.sequence, told.acknowledged.size());
}

TEST(SyncFailure, IsNeverAcknowledgedAndStopsTheStore) {
  for (const int after : {1, 7, 40}) {
    const TempFolder folder;
    const Told told =
        RunWriter(folder.path().string(),
                  {"LD_PRELOAD=" CONSENT_FAIL_SYNC, "CONSENT_FAIL_SYNC_AFTER=" + std::to_string(after)}, 4, 100, 0);
    EXPECT_TRUE(WIFEXITED(told.status) && WEXITSTATUS(told.status) == 0);
    EXPECT_EQ(told.failures, 1);
    EXPECT_FALSE(told.unknown.empty());
    EXPECT_LT(told.acknowledged.size(), 400u);
    CheckAfterwards(folder.path().string(), told);
  }
}

TEST(SyncFailure, TheShimAloneChangesNothing) {
  const TempFolder folder;
  const Told told = RunWriter(folder.path().string(), {"LD_PRELOAD=" CONSENT_FAIL_SYNC}, 4, 50, 0);
  EXPECT_EQ(told.acknowledged.size(), 200u);
  EXPECT_EQ(told.failures, 0);
  CheckAfterwards(folder.path().string(), told);
}

TEST(Kill, KeepsWhatWasAcknowledged) {
  const uint64_t seed = 20'240'611;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < (FullCampaign() ? 200 : 6); ++round) {
    const TempFolder folder;
    const Told told = RunWriter(folder.path().string(), {}, 8, 1000, 1 + random() % 600);
    EXPECT_TRUE(WIFSIGNALED(told.status));
    CheckAfterwards(folder.path().string(), told);
  }
}

}  // namespace
}  // namespace consent::test
