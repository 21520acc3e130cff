// kill -9 at every step of a backup, daemon and client being one process here: before and after the staging, at each
// read, and at each thing that is done to the folder. What is left is a whole backup or none; nothing stays staged; and
// nothing that was acknowledged before is missing. Processes of their own open the store, because this one forks.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "daemon/backup/folder.h"
#include "daemon/base/random.h"
#include "daemon/store/rocksdb/frozen_rocks.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/app/taking.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 60;

// Ends the process at its n-th call.
class Mortal {
 public:
  explicit Mortal(int n) : left_(n) {}
  void Step() {
    if (--left_ == 0) kill(getpid(), SIGKILL);
  }

 private:
  int left_;
};

class MortalSink final : public cli::BackupSink {
 public:
  MortalSink(cli::BackupSink& sink, Mortal& mortal) : sink_(sink), mortal_(mortal) {}
  absl::Status BeginFile(const std::string& name, int64_t bytes) override { return Done(sink_.BeginFile(name, bytes)); }
  absl::Status Write(std::string_view data) override { return Done(sink_.Write(data)); }
  absl::Status EndFile() override { return Done(sink_.EndFile()); }
  absl::Status Finish() override { return Done(sink_.Finish()); }

 private:
  absl::Status Done(absl::Status status) {
    mortal_.Step();
    return status;
  }
  cli::BackupSink& sink_;
  Mortal& mortal_;
};

// 0: taken; 1: not.
int Take(const fs::path& folder, int kill_at) {
  ManualClock clock;
  base::SystemRandom random;
  ops::Log log(ops::LogFormat::kJson, ops::LogLevel::kError);
  const auto store = OpenStore(folder, clock, random);
  FillStore(*store, 0, kRows);
  Mortal mortal(kill_at);
  app::Backups backups(
      [&] {
        mortal.Step();
        auto copy = store->Stage();
        mortal.Step();
        return copy;
      },
      [](const std::vector<store::Head>&) {}, clock, random, log);
  const auto id = backups.Begin();
  if (!id.ok()) return 1;
  const auto client = ClientOf(backups, *id, [&] { mortal.Step(); });
  cli::RemoveAbandoned(folder / "backups");
  auto sink = cli::FolderSink::Create(folder / "backups", *id);
  if (!sink.ok()) return 1;
  MortalSink watched(**sink, mortal);
  if (!cli::TakeBackup(*client, BackupId(*id), watched, [](int64_t, uint64_t, uint64_t) {}).ok()) return 1;
  mortal.Step();
  if (!backups.End(*id, true).ok()) return 1;
  store->Close();
  return 0;
}

// 0: all is as it should be. Returns how many whole backups there are in *exit code* 10 and on.
int Look(const fs::path& folder) {
  ManualClock clock;
  base::SystemRandom random;
  const auto store = OpenStore(folder, clock, random);
  if (fs::exists(folder / "db.staged") || fs::exists(folder / "db.staged.tmp")) return 1;
  store->Close();
  int whole = 0;
  for (const auto& entry : fs::directory_iterator(folder / "backups")) {
    if (entry.path().string().ends_with(cli::kPartialEnding)) continue;
    const auto manifest = backup::ReadManifest(entry.path());
    if (!manifest.ok() || !backup::CheckFiles(entry.path(), *manifest).ok()) return 2;
    if (manifest->rows().at("request") < kRows) return 3;
    if (!store::OpenFrozen(entry.path() / "store").ok()) return 4;
    ++whole;
  }
  return 10 + whole;
}

// How it ended: an exit code, or minus a signal.
int InAProcess(const std::function<int()>& run) {
  const pid_t child = fork();
  if (child == 0) std::_Exit(run());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(BackupsKill, AtEveryStepItIsWholeOrNone) {
  const TempFolder folder;
  fs::create_directory(folder / "backups");
  int whole = 0;
  int steps = 0;
  for (int at = 1;; ++at) {
    SCOPED_TRACE("killed at step " + std::to_string(at));
    const int ended = InAProcess([&] { return Take(folder.path(), at); });
    const int found = InAProcess([&] { return Look(folder.path()); });
    ASSERT_GE(found, 10);
    const int more = found - 10 - whole;
    whole = found - 10;
    if (ended == 0) {
      EXPECT_EQ(more, 1) << "taken";
      break;
    }
    ASSERT_EQ(ended, -SIGKILL);
    ASSERT_LE(more, 1);
    ++steps;
    ASSERT_LT(steps, 1'000);
  }
  // Staging, then three or more of each of a dozen files, then the folder.
  EXPECT_GT(steps, 30);
}

}  // namespace
}  // namespace consent::test
