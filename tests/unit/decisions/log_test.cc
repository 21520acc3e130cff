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
    log.Append(body, [&done](bool on_record) { done.set_value(on_record); });
    return done.get_future().get();
  }
  std::string Newest() { return folder_ / ("log/" + ReadAll(options_.folder).files.back()); }

  test::TempFolder folder_;
  LogOptions options_{.folder = folder_ / "log"};
};

TEST_F(LogTest, IsOnRecordBeforeItIsSaid) {
  const auto log = Open();
  for (int i = 1; i <= 3; ++i) {
    log->Append("\"x\":" + std::to_string(i) + "}", [this, i](bool on_record) {
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
  std::ofstream(Newest(), std::ios::app | std::ios::binary) << "{\"v\":1,\"n\":2,\"prev\":\"half";
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
  const auto log = Open();
  EXPECT_TRUE(Put(*log, "a}"));
  std::filesystem::rename(Newest(), folder_ / "moved");
  log->BeginFile();
  EXPECT_TRUE(Put(*log, "b}"));
  EXPECT_THAT(ReadFile(Newest()), HasSubstr("b}"));
  std::filesystem::remove(Newest());
  EXPECT_TRUE(Put(*log, "c}")) << "into another file, without being asked";
  EXPECT_THAT(ReadFile(folder_ / ("log/" + FileName(3))), HasSubstr("c}"));
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

TEST_F(LogTest, AFullQueueRefusesAndNeverWaits) {
  options_.max_waiting = 2;
  std::promise<void> go;
  std::shared_future<void> open(go.get_future());
  std::promise<void> entered;
  std::atomic<int> writes{0};
  options_.disk.write = [&](int fd, const char* bytes, size_t size) -> ssize_t {
    if (writes++ == 0) {
      entered.set_value();
      open.wait();
    }
    return ::write(fd, bytes, size);
  };
  std::atomic<int> on_record{0};
  std::atomic<int> refused{0};
  {
    const auto log = Open();
    const auto count = [&](bool is_on) { ++(is_on ? on_record : refused); };
    log->Append("a}", count);
    entered.get_future().wait();
    for (int i = 0; i < 5; ++i) log->Append("b}", count);
    EXPECT_EQ(refused, 3);
    EXPECT_EQ(log->counts().refused_full, 3U);
    EXPECT_EQ(log->counts().waiting, 2U);
    go.set_value();
  }
  EXPECT_EQ(on_record, 3) << "what was taken is written also at the end";
  EXPECT_EQ(ReadAll(options_.folder).bodies.size(), 3U);
  options_.max_waiting_bytes = 10;
  EXPECT_FALSE(Put(*Open(), std::string(11, 'x')));
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
