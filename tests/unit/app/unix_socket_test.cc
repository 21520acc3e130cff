// The life of the daemon's Unix socket beside others that want its place.
#include "daemon/app/unix_socket.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/ops/address.h"
#include "gmock/gmock.h"
#include "tests/support/temp_folder.h"

namespace consent::app {
namespace {

namespace fs = std::filesystem;

class UnixSockets : public testing::Test {
 protected:
  absl::StatusOr<UnixSocket> Listen() { return UnixSocket::Listen(path_.string(), "", 8); }
  static bool Answers(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const bool answers = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    close(fd);
    return answers;
  }

  test::TempFolder folder_;
  const fs::path base_ = folder_.path();
  fs::path path_ = base_ / "run" / "consentd.sock";
};

TEST_F(UnixSockets, NobodyReachesItUnderItsNameBeforeItIsPublished) {
  auto socket = Listen();
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_FALSE(fs::exists(path_));
  ASSERT_TRUE(socket->Publish().ok());
  EXPECT_TRUE(Answers(path_));
  struct stat info {};
  ASSERT_EQ(lstat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  socket->Remove();
  EXPECT_TRUE(fs::is_empty(path_.parent_path())) << "neither socket nor lock is left";
}

TEST_F(UnixSockets, WhatCannotBeHadNowIsToldFromWhatNeverWorks) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 1;
  const std::string path = path_.string();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  // Nothing here with virtual functions: UBSan opens a pipe to look at such an object, and blames the object where it
  // cannot.
  const absl::Status full = UnixSocket::Listen(path, "", 8).status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  path_ = base_ / "not" / "there" / "consentd.sock";
  EXPECT_TRUE(absl::IsNotFound(Listen().status()));
}

TEST_F(UnixSockets, TwoThatStartAtOnceDoNotBothWin) {
  auto first = Listen();
  ASSERT_TRUE(first.ok());
  // Not published yet: nothing answers under the name, only the lock tells.
  const auto second = Listen();
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << second.status();
  ASSERT_TRUE(first->Publish().ok());
  EXPECT_TRUE(Answers(path_));
  EXPECT_FALSE(Listen().ok());
}

TEST_F(UnixSockets, ALivingOneWithoutLockIsNotTakenOver) {
  auto first = Listen();
  ASSERT_TRUE(first.ok() && first->Publish().ok());
  fs::remove(path_.string() + ".lock");  // somebody tidied up
  const auto second = Listen();
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), testing::HasSubstr("answers"));
  EXPECT_TRUE(Answers(path_));
}

TEST_F(UnixSockets, WhatACrashLeftIsReplaced) {
  {
    auto crashed = Listen();
    ASSERT_TRUE(crashed.ok() && crashed->Publish().ok());
    fs::create_hard_link(path_, base_ / "kept");
    fs::create_hard_link(path_, base_ / "half");
  }
  fs::rename(base_ / "kept", path_);
  fs::rename(base_ / "half", path_.parent_path() / "consentd.soc~");
  ASSERT_FALSE(Answers(path_));
  auto next = Listen();
  ASSERT_TRUE(next.ok() && next->Publish().ok()) << next.status();
  EXPECT_TRUE(Answers(path_));
}

TEST_F(UnixSockets, AnotherOnesSocketIsLeftInPlaceAtTheStop) {
  auto socket = Listen();
  ASSERT_TRUE(socket.ok() && socket->Publish().ok());
  fs::remove(path_);
  std::ofstream(path_) << "another's";
  socket->Remove();
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(UnixSockets, WhatIsNoSocketStays) {
  fs::create_directory(path_.parent_path());
  fs::permissions(path_.parent_path(), fs::perms::owner_all);
  for (const char* name : {"consentd.sock", "consentd.soc~"}) {
    std::ofstream(path_.parent_path() / name) << "precious";
    EXPECT_EQ(Listen().status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(fs::file_size(path_.parent_path() / name), 8u);
    fs::remove(path_.parent_path() / name);
  }
  EXPECT_TRUE(Listen().ok());
}

TEST_F(UnixSockets, ALockThatIsALinkIsNotFollowed) {
  fs::create_directory(path_.parent_path());
  fs::permissions(path_.parent_path(), fs::perms::owner_all);
  fs::create_symlink(base_ / "elsewhere", path_.string() + ".lock");
  EXPECT_FALSE(Listen().ok());
  EXPECT_FALSE(fs::exists(base_ / "elsewhere"));
}

TEST_F(UnixSockets, ALockThatIsAPipeIsRefused) {
  fs::create_directory(path_.parent_path());
  fs::permissions(path_.parent_path(), fs::perms::owner_all);
  ASSERT_EQ(mkfifo((path_.string() + ".lock").c_str(), 0600), 0);
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(UnixSockets, TheLongestPathThatAnAddressMayHave) {
  const std::string folder = (base_ / "run").string() + "/";
  path_ = folder + std::string(ops::Address::kMaxPathBytes - folder.size(), 's');
  auto socket = Listen();
  ASSERT_TRUE(socket.ok() && socket->Publish().ok()) << socket.status();
  EXPECT_TRUE(Answers(path_));
}

TEST_F(UnixSockets, TheFolderIsOursAlone) {
  fs::create_directory(path_.parent_path());
  fs::permissions(path_.parent_path(), fs::perms::owner_all | fs::perms::group_exec);
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace consent::app
