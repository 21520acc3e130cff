// Real processes: how they end, that they end, and what they cannot reach.
#include "client/cli/engines/task_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "client/cli/files.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class TaskCommandTest : public ::testing::Test {
 protected:
  TaskCommandTest() { std::signal(SIGPIPE, SIG_IGN); }

  // Ended as late as nothing here should take.
  RunLimits Late() const { return {clock_->SinceBoot() + seconds(60), seconds(1), -1}; }
  RunLimits At(milliseconds time, milliseconds grace) const { return {clock_->SinceBoot() + time, grace, -1}; }

  RunEnd Shell(const std::string& script, const RunLimits& limits, const std::string& line = "{}\n",
               bool show_errors = false) {
    const auto command = TaskCommand::Create({"sh", "-c", script}, show_errors);
    EXPECT_TRUE(command.ok()) << command.status();
    return command->Run({line, {"PATH=/usr/bin:/bin", "GREETING=hello"}}, limits, *clock_);
  }
  RunEnd Shell(const std::string& script) { return Shell(script, Late()); }

  std::shared_ptr<Clock> clock_ = Clock::System();
};

TEST_F(TaskCommandTest, TellsTheExitStatusAndTheOutput) {
  const RunEnd end = Shell("cat; echo \"$GREETING\"; echo 12");
  EXPECT_EQ(end.how, RunEnd::How::kExited);
  EXPECT_EQ(end.number, 0);
  EXPECT_EQ(end.last_number, 12);
  EXPECT_EQ(end.output_hash, std::string(base::View(base::Sha256("{}\nhello\n12\n"))));
  EXPECT_EQ(Shell("exit 75").number, 75);
  EXPECT_EQ(Shell("exit 75").output_hash, "");
}

TEST_F(TaskCommandTest, TellsASignalFromAnExitStatus) {
  const RunEnd end = Shell("kill -9 $$");
  EXPECT_EQ(end.how, RunEnd::How::kSignalled);
  EXPECT_EQ(end.number, SIGKILL);
}

TEST_F(TaskCommandTest, ACommandThatReadsNothingIsNoneTheWorse) {
  EXPECT_EQ(Shell("exit 3", Late(), std::string(1 << 20, 'x') + "\n").number, 3);
  EXPECT_EQ(Shell("exec <&-; echo 1", Late(), std::string(1 << 20, 'x') + "\n").last_number, 1);
}

TEST_F(TaskCommandTest, LongInputAndOutputPassAtTheSameTime) {
  const std::string line = std::string(3 << 20, 'x') + "\n";
  const RunEnd end = Shell("cat", Late(), line);
  EXPECT_EQ(end.number, 0);
  EXPECT_EQ(end.output_hash, std::string(base::View(base::Sha256(line))));
}

TEST_F(TaskCommandTest, IsEndedInTime) {
  const RunEnd end = Shell("exec sleep 600", At(milliseconds(50), seconds(30)));
  EXPECT_EQ(end.how, RunEnd::How::kOutOfTime);
  EXPECT_EQ(end.number, SIGTERM);
}

TEST_F(TaskCommandTest, IsEndedInTimeAlsoAgainstItsWill) {
  const RunEnd end = Shell("trap '' TERM; echo 1; while :; do sleep 600; done", At(seconds(1), milliseconds(50)));
  EXPECT_EQ(end.how, RunEnd::How::kOutOfTime);
  EXPECT_EQ(end.number, SIGKILL);
  const RunEnd polite = Shell("trap 'exit 0' TERM; while :; do sleep 0.01; done", At(seconds(1), seconds(30)));
  EXPECT_EQ(polite.how, RunEnd::How::kOutOfTime) << "what it says after it was told to end does not count";
}

TEST_F(TaskCommandTest, IsEndedWhenTheWorkerMustStop) {
  const Descriptor stop(::eventfd(1, EFD_CLOEXEC));
  RunLimits limits = Late();
  limits.stop = stop.get();
  EXPECT_EQ(Shell("exec sleep 600", limits).how, RunEnd::How::kStopped);
}

TEST_F(TaskCommandTest, LeavesNothingRunning) {
  // The child of the shell holds a pipe's end: when it is gone, the other end ends.
  const std::string fifo = ::testing::TempDir() + "fifo_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Descriptor reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const RunEnd end = Shell("sleep 600 >'" + fifo + "' & echo 5");
  EXPECT_EQ(end.how, RunEnd::How::kExited);
  EXPECT_EQ(end.last_number, 5) << "it did not wait for what was left behind";
  ::fcntl(reader.get(), F_SETFL, 0);
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
  ::unlink(fifo.c_str());
}

TEST_F(TaskCommandTest, StrangersWhoKeptThePipeDoNotHoldIt) {
  // setsid leaves the process group; the endless writer dies of the closed pipe.
  const RunEnd end = Shell("setsid yes & sleep 0.05; exit 4");
  EXPECT_EQ(end.how, RunEnd::How::kExited);
  EXPECT_EQ(end.number, 4);
}

TEST_F(TaskCommandTest, HasNoDescriptorsOfThisProcess) {
  const int open = ::dup(STDOUT_FILENO);  // not closed by an exec
  EXPECT_EQ(Shell("ls /proc/self/fd | wc -l").last_number, 4) << "0, 1, 2 and that of ls";
  ::close(open);
}

TEST_F(TaskCommandTest, ItsStandardErrorIsThrownAwayUnlessAskedFor) {
  ::testing::internal::CaptureStderr();
  Shell("echo ann >&2");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  Shell("echo visible >&2", Late(), "{}\n", true);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "visible\n");
}

TEST_F(TaskCommandTest, NoShellLooksAtTheArguments) {
  const auto command = TaskCommand::Create({"echo", "$(exit 9); *"}, false);
  ASSERT_TRUE(command.ok());
  const RunEnd end = command->Run({"{}\n", {}}, Late(), *clock_);
  EXPECT_EQ(end.number, 0);
  EXPECT_EQ(end.output_hash, std::string(base::View(base::Sha256("$(exit 9); *\n"))));
}

TEST_F(TaskCommandTest, SignalsArriveAsInAnOrdinaryProcess) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  EXPECT_EQ(Shell("kill -TERM $$; exit 0").number, SIGTERM);
  EXPECT_EQ(Shell("kill -PIPE $$; exit 0").number, SIGPIPE);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(TaskCommandTest, AProgramThatIsNotThereIsToldBeforeAnyTask) {
  EXPECT_EQ(TaskCommand::Create({}, false).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(TaskCommand::Create({""}, false).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(TaskCommand::Create({"no-such-program-here"}, false).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(TaskCommand::Create({"/etc/passwd"}, false).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(TaskCommand::Create({"/tmp"}, false).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TaskCommandTest, AProgramThatCannotRunIsAFailureOfItsTask) {
  const std::string path = ::testing::TempDir() + "no_format_" + std::to_string(::getpid());
  {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
    ASSERT_EQ(::write(file.get(), "\x01\x02", 2), 2);
  }
  const auto command = TaskCommand::Create({path}, false);
  ASSERT_TRUE(command.ok());
  const RunEnd end = command->Run({"{}\n", {}}, Late(), *clock_);
  EXPECT_EQ(end.how, RunEnd::How::kNotStarted);
  EXPECT_EQ(end.number, ENOEXEC);
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace consent::cli
