// What is on record, through failing writes, full queues, rotations and restarts.
#include "daemon/decisions/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/decisions/log_folder.h"
#include "tests/support/temp_folder.h"

namespace consent::decisions {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// What a reader makes of a folder: the bodies in order, or what is wrong.
struct Read {
  std::vector<std::string> bodies;
  std::vector<std::string> files;
  Position end;
  std::string fault;
};

Read ReadAll(const std::string& folder) {
  Read read;
  std::map<std::string, std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    texts[entry.path().filename().string()] = ReadFile(entry.path().string());
  }
  for (const auto& [name, text] : texts) {
    uint64_t first = 0;
    if (!ReadFileName(name, &first)) read.fault = "a strange name: " + name;
    read.files.push_back(name);
    if (first != read.end.count + 1) read.fault = "a gap before " + name;
    if (!read.fault.empty()) return read;
    size_t from = 0;
    for (size_t to = text.find('\n'); to != std::string::npos; from = to + 1, to = text.find('\n', from)) {
      const std::string line = text.substr(from, to - from);
      const std::string head = RecordHead(read.end.count + 1, read.end.hash);
      if (!line.starts_with(head)) {
        read.fault = name + " breaks the chain at record " + std::to_string(read.end.count + 1);
        return read;
      }
      read.bodies.push_back(line.substr(head.size()));
      read.end = {read.end.count + 1, RecordHash(line)};
    }
    if (from != text.size()) read.fault = name + " ends in the middle of a record";
  }
  return read;
}

class LogTest : public ::testing::Test {
 protected:
  std::unique_ptr<Log> Open() {
    auto log = Log::Open(options_);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }
  // Whether it is on record, once that is known.
  static bool Put(Log& log, const std::string& body) {
    std::promise<bool> done;
    log.Append(Record(body), [&done](bool on_record) { done.set_value(on_record); });
    return done.get_future().get();
  }
  std::string Newest() { return folder_ / ("log/" + ReadAll(options_.folder).files.back()); }

  test::TempFolder folder_;
  LogOptions options_{.folder = folder_ / "log"};
};

TEST_F(LogTest, IsOnRecordBeforeItIsSaid) {
  const auto log = Open();
  for (int i = 1; i <= 3; ++i) {
    log->Append(Record("\"x\":" + std::to_string(i) + "}"), [this, i](bool on_record) {
      EXPECT_TRUE(on_record);
      EXPECT_THAT(ReadAll(options_.folder).bodies, ::testing::Contains("\"x\":" + std::to_string(i) + "}"));
    });
  }
  EXPECT_TRUE(Put(*log, "last}"));
  const Read read = ReadAll(options_.folder);
  EXPECT_EQ(read.fault, "");
  EXPECT_THAT(read.bodies, ElementsAre("\"x\":1}", "\"x\":2}", "\"x\":3}", "last}"));
  EXPECT_EQ(log->counts().records, 4U);
  EXPECT_EQ(*log->Sync(), read.end);
}

TEST_F(LogTest, IsForItsUserAndGroupAlone) {
  const mode_t before = umask(077);
  const auto log = Open();
  EXPECT_TRUE(Put(*log, "a}"));
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat(Newest().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640U);
  ASSERT_EQ(stat(options_.folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0750U);
  ASSERT_EQ(chmod(options_.folder.c_str(), 0770), 0);
  EXPECT_THAT(std::string(Log::Open(options_).status().message()), HasSubstr("closed to others' writing"));
}

TEST_F(LogTest, GoesOnWhereItEnded) {
  for (int start = 0; start < 3; ++start) {
    const auto log = Open();
    EXPECT_EQ(log->found().missing, 0U);
    EXPECT_TRUE(Put(*log, std::to_string(start) + "}"));
    options_.known = *log->Sync();
  }
  const Read read = ReadAll(options_.folder);
  EXPECT_EQ(read.fault, "");
  EXPECT_THAT(read.bodies, ElementsAre("0}", "1}", "2}"));
  EXPECT_EQ(read.files.size(), 3U) << "each start begins a file";
}

TEST_F(LogTest, CutsOffWhatAKilledProcessLeft) {
  { EXPECT_TRUE(Put(*Open(), "a}")); }
  std::ofstream(Newest(), std::ios::app | std::ios::binary) << "{\"v\":2,\"n\":2,\"prev\":\"half";
  { EXPECT_TRUE(Put(*Open(), "b}")); }
  const Read read = ReadAll(options_.folder);
  EXPECT_EQ(read.fault, "");
  EXPECT_THAT(read.bodies, ElementsAre("a}", "b}"));
  // Of a file that has nothing whole the one before counts.
  std::ofstream(Newest(), std::ios::trunc | std::ios::binary) << "half";
  { EXPECT_TRUE(Put(*Open(), "c}")); }
  EXPECT_THAT(ReadAll(options_.folder).bodies, ElementsAre("a}", "c}"));
}

TEST_F(LogTest, ALastLineThatIsNoRecordIsDamage) {
  { EXPECT_TRUE(Put(*Open(), "a}")); }
  std::ofstream(Newest(), std::ios::app | std::ios::binary) << "whole, and no record\n";
  EXPECT_EQ(Log::Open(options_).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(LogTest, SeesWhatWasCutOrLostOrChanged) {
  {
    const auto log = Open();
    for (const char* body : {"a}", "b}", "c}"}) EXPECT_TRUE(Put(*log, body));
    options_.known = *log->Sync();
  }
  const std::string whole = ReadFile(Newest());
  const std::string path = Newest();
  std::ofstream(path, std::ios::trunc | std::ios::binary) << whole.substr(0, whole.find('\n') + 1);
  {
    const auto log = Open();
    EXPECT_EQ(log->found().missing, 2U);
    EXPECT_EQ(log->found().end, options_.known) << "no number is given twice";
    EXPECT_TRUE(Put(*log, "d}"));
  }
  EXPECT_THAT(ReadAll(options_.folder).fault, HasSubstr("a gap before decisions-00000000000000000004"));
  std::filesystem::remove_all(options_.folder);
  EXPECT_EQ(Open()->found().missing, 3U);
  std::string other = whole;
  other[other.rfind("c}")] = 'x';
  std::ofstream(path, std::ios::trunc | std::ios::binary) << other;
  EXPECT_TRUE(Open()->found().is_other_chain);
  std::ofstream(path, std::ios::trunc | std::ios::binary) << whole;
  EXPECT_FALSE(Open()->found().is_other_chain);
}

TEST_F(LogTest, BeginsAFileBySizeAndWhenAsked) {
  options_.file_bytes = 150;
  const auto log = Open();
  log->BeginFile();  // the first is empty yet
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Put(*log, "x}"));
  EXPECT_EQ(ReadAll(options_.folder).files.size(), 3U) << "two records have over 150 bytes";
  log->BeginFile();
  EXPECT_TRUE(Put(*log, "y}"));
  const Read read = ReadAll(options_.folder);
  EXPECT_EQ(read.fault, "");
  EXPECT_EQ(read.files.back(), FileName(6));
}

TEST_F(LogTest, AFileThatWasMovedOrDeletedTakesNoMore) {
  std::chrono::steady_clock::time_point now;
  options_.disk.now = [&] { return now; };
  const auto log = Open();
  EXPECT_TRUE(Put(*log, "a}"));
  std::filesystem::rename(Newest(), folder_ / "moved");
  log->BeginFile();
  EXPECT_TRUE(Put(*log, "b}"));
  EXPECT_THAT(ReadFile(Newest()), HasSubstr("b}"));
  std::filesystem::remove(Newest());
  now += std::chrono::milliseconds(101);
  EXPECT_TRUE(Put(*log, "c}")) << "into another file, without being asked";
  EXPECT_THAT(ReadFile(folder_ / ("log/" + FileName(3))), HasSubstr("c}"));
}

// On a full disk: the file that somebody takes away is the room that the next record finds, however soon it comes.
TEST_F(LogTest, AFullFileThatIsDeletedIsRoomAtOnce) {
  const std::chrono::steady_clock::time_point now;
  std::atomic<bool> is_full{false};
  options_.disk.now = [&] { return now; };
  options_.disk.write = [&](int fd, const char* bytes, size_t size) -> ssize_t {
    struct stat info {};
    if (!is_full || (::fstat(fd, &info) == 0 && info.st_size == 0 && info.st_nlink == 1))
      return ::write(fd, bytes, size);
    errno = ENOSPC;
    return -1;
  };
  const auto log = Open();
  EXPECT_TRUE(Put(*log, "a}"));
  is_full = true;
  EXPECT_FALSE(Put(*log, "b}"));
  std::filesystem::remove(Newest());
  EXPECT_TRUE(Put(*log, "c}"));
  EXPECT_THAT(ReadFile(Newest()), HasSubstr("c}"));
}

// Each way in which a write can fail: nothing of the group is on record then, in the file either, and it goes on
// afterwards.
TEST_F(LogTest, WhatCannotBeWrittenIsNotOnRecord) {
  struct Failure {
    const char* name;
    ssize_t taken;  // bytes of the write before the failure; -1: it fails at once
    int error;
  };
  for (const Failure& failure :
       {Failure{"full", -1, ENOSPC}, Failure{"short, then full", 7, ENOSPC}, Failure{"too large", -1, EFBIG},
        Failure{"broken", 20, EIO}, Failure{"nothing", 0, 0}}) {
    SCOPED_TRACE(failure.name);
    std::filesystem::remove_all(options_.folder);
    std::atomic<bool> fails{false};
    bool was_short = false;
    options_.disk.write = [&](int fd, const char* bytes, size_t size) -> ssize_t {
      if (!fails) return ::write(fd, bytes, size);
      if (failure.taken > 0 && !std::exchange(was_short, true)) return ::write(fd, bytes, failure.taken);
      errno = failure.error;
      return failure.taken == 0 ? 0 : -1;
    };
    const auto log = Open();
    EXPECT_TRUE(Put(*log, "a}"));
    fails = true;
    EXPECT_FALSE(Put(*log, "b}"));
    EXPECT_FALSE(log->health().ok());
    EXPECT_THAT(ReadAll(options_.folder).bodies, ElementsAre("a}"));
    EXPECT_EQ(ReadAll(options_.folder).fault, "");
    EXPECT_EQ(log->counts().refused_write, 1U);
    fails = false;
    EXPECT_TRUE(Put(*log, "c}"));
    EXPECT_TRUE(log->health().ok());
    EXPECT_EQ(ReadAll(options_.folder).fault, "");
    EXPECT_THAT(ReadAll(options_.folder).bodies, ElementsAre("a}", "c}"));
  }
}

// While what was written in part cannot be cut off, nothing is on record.
TEST_F(LogTest, NothingGoesBehindATornRecord) {
  std::atomic<bool> fails{false};
  options_.disk.write = [&](int fd, const char* bytes, size_t size) -> ssize_t {
    if (!fails) return ::write(fd, bytes, size);
    errno = EIO;
    return size < 10 ? -1 : ::write(fd, bytes, size - 5);
  };
  options_.disk.truncate = [&](int fd, off_t size) {
    errno = EIO;
    return fails ? -1 : ::ftruncate(fd, size);
  };
  const auto log = Open();
  EXPECT_TRUE(Put(*log, "a}"));
  fails = true;
  EXPECT_FALSE(Put(*log, "b}"));
  EXPECT_FALSE(Put(*log, "c}"));
  EXPECT_THAT(std::string(log->health().message()), HasSubstr("cut off"));
  fails = false;
  EXPECT_TRUE(Put(*log, "d}"));
  EXPECT_EQ(ReadAll(options_.folder).fault, "");
  EXPECT_THAT(ReadAll(options_.folder).bodies, ElementsAre("a}", "d}"));
}

// A disk whose first write waits until it is let go.
class HeldDisk {
 public:
  // Called for each write; the first one waits.
  ssize_t Write(int fd, const char* bytes, size_t size) {
    if (writes_++ == 0) {
      entered_.set_value();
      let_go_.get_future().wait();
    }
    return ::write(fd, bytes, size);
  }
  void WaitUntilEntered() { entered_.get_future().wait(); }
  void LetGo() { let_go_.set_value(); }

 private:
  std::atomic<int> writes_{0};
  std::promise<void> entered_;
  std::promise<void> let_go_;
};

TEST_F(LogTest, AFullQueueRefusesAndADiskThatHangsHoldsOneCallerAlone) {
  options_.max_waiting = 2;
  HeldDisk disk;
  options_.disk.write = [&](int fd, const char* bytes, size_t size) { return disk.Write(fd, bytes, size); };
  std::atomic<int> on_record{0};
  std::atomic<int> refused{0};
  {
    const auto log = Open();
    const auto count = [&](bool is_on) { ++(is_on ? on_record : refused); };
    std::thread held([&] { log->Append(Record("a}"), count); });
    disk.WaitUntilEntered();
    for (int i = 0; i < 5; ++i) log->Append(Record("b}"), count);
    EXPECT_EQ(refused, 3);
    EXPECT_EQ(on_record, 0) << "what waits is not on record";
    EXPECT_EQ(log->counts().refused_full, 3U);
    EXPECT_EQ(log->counts().waiting, 2U);
    disk.LetGo();
    held.join();
  }
  EXPECT_EQ(on_record, 3) << "what was taken is written also at the end";
  EXPECT_EQ(ReadAll(options_.folder).bodies.size(), 3U);
  options_.max_waiting_bytes = 10;
  EXPECT_FALSE(Put(*Open(), std::string(11, 'x')));
}

TEST_F(LogTest, WhatWaitedIsWrittenThoughNobodyElseComes) {
  HeldDisk disk;
  options_.disk.write = [&](int fd, const char* bytes, size_t size) { return disk.Write(fd, bytes, size); };
  const auto log = Open();
  std::thread held([&] { log->Append(Record("a}"), [](bool) {}); });
  disk.WaitUntilEntered();
  std::promise<bool> waited;
  log->Append(Record("b}"), [&](bool is_on) { waited.set_value(is_on); });
  disk.LetGo();
  held.join();
  std::future<bool> is_on = waited.get_future();
  ASSERT_EQ(is_on.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_TRUE(is_on.get());
}

// What comes while somebody writes is written by him, which spares waking a thread; but not where the disk was slow.
TEST_F(LogTest, WhoeverWritesTakesWhatCameMeanwhile) {
  for (const int milliseconds_each : {0, 11}) {
    std::filesystem::remove_all(options_.folder);
    HeldDisk disk;
    std::atomic<int64_t> clock{0};
    std::atomic<std::thread::id> last;
    options_.disk.now = [&] {
      return std::chrono::steady_clock::time_point(std::chrono::milliseconds(clock += milliseconds_each));
    };
    options_.disk.write = [&](int fd, const char* bytes, size_t size) {
      last = std::this_thread::get_id();
      return disk.Write(fd, bytes, size);
    };
    std::atomic<int> on_record{0};
    std::thread::id first;
    {
      const auto log = Open();
      const auto count = [&](bool is_on) { on_record += is_on ? 1 : 0; };
      std::thread held([&] { log->Append(Record("a}"), count); });
      first = held.get_id();
      disk.WaitUntilEntered();
      for (const char* body : {"b}", "c}"}) log->Append(Record(body), count);
      disk.LetGo();
      held.join();
    }
    EXPECT_EQ(on_record, 3);
    EXPECT_EQ(last == first, milliseconds_each == 0) << milliseconds_each;
    EXPECT_THAT(ReadAll(options_.folder).bodies, ElementsAre("a}", "b}", "c}"));
  }
}

// Which thread writes: the caller's own while the disk is quick, and the log's once it was slow.
TEST_F(LogTest, NoCallerWaitsForADiskThatIsKnownToBeSlow) {
  std::atomic<int> milliseconds_each{1};
  std::atomic<int64_t> clock{0};
  std::thread::id writer;
  options_.disk.now = [&] {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(clock += milliseconds_each));
  };
  options_.disk.write = [&](int fd, const char* bytes, size_t size) {
    writer = std::this_thread::get_id();
    return ::write(fd, bytes, size);
  };
  const auto log = Open();
  EXPECT_TRUE(Put(*log, "a}"));
  EXPECT_EQ(writer, std::this_thread::get_id());
  milliseconds_each = 11;
  EXPECT_TRUE(Put(*log, "b}"));
  EXPECT_TRUE(Put(*log, "c}"));
  EXPECT_NE(writer, std::this_thread::get_id());
  milliseconds_each = 1;
  EXPECT_TRUE(Put(*log, "d}"));
  EXPECT_NE(writer, std::this_thread::get_id());
  EXPECT_TRUE(Put(*log, "e}"));
  EXPECT_EQ(writer, std::this_thread::get_id()) << "quick again";
}

// A group of long and short lines, which takes several writes: in order where all succeed, none of it where one fails.
TEST_F(LogTest, AGroupIsOnRecordAsAWhole) {
  const std::vector<std::string> bodies = {"b}", std::string(30'000, 'c') + "}", "d}", std::string(40'000, 'e') + "}"};
  for (const int failing : {0, 1, 2, 3, 4}) {
    SCOPED_TRACE(failing);
    std::filesystem::remove_all(options_.folder);
    HeldDisk disk;
    std::atomic<int> writes{0};
    options_.disk.write = [&](int fd, const char* bytes, size_t size) -> ssize_t {
      if (failing == 0 || writes++ != failing) return disk.Write(fd, bytes, size);
      errno = ENOSPC;
      return -1;
    };
    std::atomic<int> on_record{0};
    {
      const auto log = Open();
      const auto count = [&](bool is_on) { on_record += is_on ? 1 : 0; };
      std::thread held([&] { log->Append(Record("a}"), count); });
      disk.WaitUntilEntered();
      for (const std::string& body : bodies) log->Append(Record(body), count);
      disk.LetGo();
      held.join();
    }
    const Read read = ReadAll(options_.folder);
    EXPECT_EQ(read.fault, "");
    EXPECT_EQ(on_record, failing == 0 ? 5 : 1);
    EXPECT_EQ(read.bodies.size(), failing == 0 ? 5U : 1U);
    if (failing == 0) {
      EXPECT_THAT(read.bodies, ElementsAre("a}", bodies[0], bodies[1], bodies[2], bodies[3]));
    }
  }
}

// Many at once, and a reader who knows nothing of threads: each is on record once, and the chain is whole.
TEST_F(LogTest, ManyCallersMakeOneChain) {
  constexpr int kThreads = 4;
  constexpr int kEach = 250;
  std::atomic<int> on_record{0};
  {
    const auto log = Open();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          log->Append(Record(std::to_string(thread) + "-" + std::to_string(i) + "}"),
                      [&](bool is_on) { on_record += is_on ? 1 : 0; });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(on_record, kThreads * kEach);
  const Read read = ReadAll(options_.folder);
  EXPECT_EQ(read.fault, "");
  EXPECT_EQ(std::set<std::string>(read.bodies.begin(), read.bodies.end()).size(), size_t{kThreads * kEach});
}

// Only what is durable leaves the memory.
TEST_F(LogTest, GivesBackTheMemoryOfWhatIsSynced) {
  std::vector<off_t> released;
  std::atomic<bool> fails{true};
  options_.disk.release = [&](int, off_t size) { released.push_back(size); };
  options_.disk.sync = [&](int) {
    errno = EIO;
    return fails ? -1 : 0;
  };
  const auto log = Open();
  EXPECT_TRUE(Put(*log, "a}"));
  EXPECT_FALSE(log->Sync().ok());
  EXPECT_THAT(released, ElementsAre());
  fails = false;
  EXPECT_TRUE(log->Sync().ok());
  EXPECT_THAT(released, ElementsAre(static_cast<off_t>(ReadFile(Newest()).size())));
}

TEST_F(LogTest, SyncSaysNoMoreThanIsDurable) {
  std::atomic<bool> fails{true};
  options_.disk.sync = [&](int) {
    errno = EIO;
    return fails ? -1 : 0;
  };
  const auto log = Open();
  EXPECT_EQ(log->Sync()->count, 0U);
  EXPECT_TRUE(Put(*log, "a}")) << "a yes does not wait for the sync";
  EXPECT_FALSE(log->Sync().ok());
  fails = false;
  EXPECT_EQ(log->Sync()->count, 1U);
}

}  // namespace
}  // namespace consent::decisions
