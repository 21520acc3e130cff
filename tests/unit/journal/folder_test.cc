// The folder: what is acknowledged is read again, whatever was cut, damaged or refused by the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "daemon/journal/folder.h"
#include "daemon/journal/frame.h"
#include "daemon/journal/reader.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/journal/samples.h"

namespace consent::test {
namespace {

using journal::Entry;
using journal::Folder;
using ::testing::HasSubstr;

// A disk that fails when it is told to.
struct FaultyDisk {
  int writes_until_full = -1;  // that succeed; -1: all
  bool sync_fails = false;
  bool truncate_fails = false;
  int syncs = 0;

  journal::Disk Use() {
    journal::Disk disk = journal::Disk::System();
    disk.pwrite = [this, system = disk.pwrite](int fd, const char* bytes, size_t size, off_t at) -> ssize_t {
      if (writes_until_full == 0) {
        // What fits is there, as on a real disk.
        if (size > 1 && system(fd, bytes, size / 2, at) > 0 && !half_) {
          half_ = true;
          return static_cast<ssize_t>(size / 2);
        }
        half_ = false;
        errno = ENOSPC;
        return -1;
      }
      if (writes_until_full > 0) --writes_until_full;
      return system(fd, bytes, size, at);
    };
    disk.sync = [this, system = disk.sync](int fd) {
      ++syncs;
      if (!sync_fails) return system(fd);
      errno = EIO;
      return -1;
    };
    disk.truncate = [this, system = disk.truncate](int fd, off_t size) {
      if (!truncate_fails) return system(fd, size);
      errno = EIO;
      return -1;
    };
    return disk;
  }

 private:
  bool half_ = false;
};

class JournalFolder : public ::testing::Test {
 protected:
  Folder::Options Options() {
    Folder::Options options;
    options.path = temp_ / "journal";
    options.store_id.fill(1);
    options.file_bytes = 1 << 20;
    options.disk = disk_.Use();
    return options;
  }
  std::unique_ptr<Folder> Open() {
    auto folder = Folder::Open(Options(), heads_);
    EXPECT_TRUE(folder.ok()) << folder.status();
    return folder.ok() ? *std::move(folder) : nullptr;
  }
  absl::StatusOr<journal::Contents> Read() {
    read_.clear();
    return journal::ReadFolder(temp_ / "journal", [this](const Entry& entry, const journal::Position&) {
      read_.push_back(entry);
      return true;
    });
  }
  std::string Path(uint64_t number) { return temp_ / ("journal/" + journal::FileName(number)); }
  std::string Bytes(uint64_t number) {
    std::ifstream in(Path(number), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void Put(uint64_t number, const std::string& bytes) {
    std::ofstream(Path(number), std::ios::binary | std::ios::trunc) << bytes;
  }
  // Commits 1 .. count of partition 0, each a frame.
  std::vector<Entry> Fill(Folder& folder, uint64_t count, uint64_t from = 1) {
    std::vector<Entry> entries;
    for (uint64_t sequence = from; sequence < from + count; ++sequence) {
      entries.push_back(Commit(0, sequence));
      EXPECT_TRUE(folder.Append({entries.back()}).ok());
    }
    return entries;
  }
  bool IsPrefix(const std::vector<Entry>& of) const {
    return read_.size() <= of.size() && std::equal(read_.begin(), read_.end(), of.begin());
  }

  TempFolder temp_;
  FaultyDisk disk_;
  std::vector<store::Head> heads_ = std::vector<store::Head>(3);
  std::vector<Entry> read_;
};

TEST_F(JournalFolder, WhatWasAppendedIsReadAndGoesOn) {
  auto folder = Open();
  EXPECT_TRUE(folder->is_new());
  std::vector<Entry> all = Fill(*folder, 5);
  all.push_back(Commit(2, 1));
  all.push_back(Commit(0, 6));
  ASSERT_TRUE(folder->Append({all[5], all[6]}).ok());
  folder = Open();
  EXPECT_FALSE(folder->is_new());
  EXPECT_EQ(folder->heads()[0].stamp.sequence, 6u);
  EXPECT_EQ(folder->heads()[2].chain, ChainOf(2'001));
  all.push_back(Commit(0, 7));
  ASSERT_TRUE(folder->Append({all.back()}).ok());
  const auto contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(read_, all);
  EXPECT_EQ(contents->entries, 8u);
  EXPECT_EQ(contents->torn_bytes, 0u);
  EXPECT_EQ(contents->last[0].stamp.sequence, 7u);
}

TEST_F(JournalFolder, TornAtEveryByteItHasAllBeforeAndGoesOn) {
  auto folder = Open();
  std::vector<Entry> all = Fill(*folder, 3);
  const size_t before = Bytes(1).size();
  all.push_back(Commit(0, 4));
  ASSERT_TRUE(folder->Append({all.back()}).ok());
  const std::string whole = Bytes(1);
  for (size_t size = before; size < whole.size(); ++size) {
    Put(1, whole.substr(0, size));
    auto contents = Read();
    ASSERT_TRUE(contents.ok()) << contents.status();
    ASSERT_EQ(read_.size(), 3u);
    ASSERT_EQ(contents->torn_bytes, size - before);
    folder = Open();
    ASSERT_EQ(folder->cut_bytes(), size - before);
    ASSERT_EQ(folder->heads()[0].stamp.sequence, 3u);
    ASSERT_TRUE(folder->Append({all.back()}).ok());
    ASSERT_EQ(Bytes(1), whole);
  }
}

TEST_F(JournalFolder, EveryFlippedBitIsDamageOrATornEndAndNeverAnotherEntry) {
  auto folder = Open();
  const std::vector<Entry> all = Fill(*folder, 4);
  const std::string whole = Bytes(1);
  size_t last = 0;  // where the last frame begins
  {
    auto frames = journal::FrameReader::Open(temp_ / "journal", 1);
    ASSERT_TRUE(frames.ok());
    for (auto frame = frames->Next(); frame.ok() && frame->has_value(); frame = frames->Next()) last = frames->began();
  }
  int damaged = 0;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string other = whole;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    Put(1, other);
    const auto contents = Read();
    ASSERT_TRUE(IsPrefix(all)) << "bit " << bit;
    if (bit / 8 < last) {
      ASSERT_TRUE(absl::IsDataLoss(contents.status())) << "bit " << bit << ": " << contents.status();
      ASSERT_THAT(std::string(contents.status().message()), HasSubstr("byte "));
      ASSERT_FALSE(Folder::Open(Options(), heads_).ok());
      ++damaged;
    } else {
      // Damage at the very end looks like a write that was cut off.
      ASSERT_TRUE(contents.ok()) << contents.status();
      ASSERT_EQ(read_.size(), 3u);
      ASSERT_EQ(contents->torn.offset, last);
    }
  }
  EXPECT_GT(damaged, 1'000);
}

TEST_F(JournalFolder, FilesFollowEachOtherAndAMissingOneIsNoticed) {
  Folder::Options options = Options();
  options.file_bytes = 700;
  auto folder = Folder::Open(options, heads_);
  ASSERT_TRUE(folder.ok());
  const std::vector<Entry> all = Fill(**folder, 20);
  auto contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(read_, all);
  ASSERT_GT(contents->files.size(), 3u);
  const std::string second = Bytes(2);
  std::filesystem::remove(Path(2));
  contents = Read();
  EXPECT_TRUE(absl::IsDataLoss(contents.status())) << contents.status();
  EXPECT_THAT(std::string(contents.status().message()), HasSubstr(journal::FileName(2)));
  Put(2, Bytes(3));
  EXPECT_FALSE(Read().ok()) << "a file under another's name";
  Put(2, second.substr(0, second.size() - 1));
  EXPECT_TRUE(absl::IsDataLoss(Read().status())) << "torn, and another one follows";
}

TEST_F(JournalFolder, PruningTakesFilesThatABackupHasAndNothingElse) {
  auto folder = Open();
  Fill(*folder, 5);
  folder->BeginFile();
  Fill(*folder, 5, 6);
  folder->BeginFile();
  Fill(*folder, 5, 11);
  std::vector<store::Head> backup(3);
  const auto at = [](uint64_t sequence) { return store::Head{{sequence, {}}, ChainOf(sequence)}; };
  backup[0] = at(4);
  EXPECT_EQ(*folder->PruneUpTo(backup), 0u);
  backup[0] = at(5);
  EXPECT_EQ(*folder->PruneUpTo(backup), 1u);
  backup[0] = at(9);
  EXPECT_EQ(*folder->PruneUpTo(backup), 0u);
  backup[0] = {{10, {}}, ChainOf(999)};
  EXPECT_TRUE(absl::IsFailedPrecondition(folder->PruneUpTo(backup).status())) << "another history";
  backup[0] = at(15);
  EXPECT_EQ(*folder->PruneUpTo(backup), 1u) << "the newest stays";
  auto contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(contents->first[0].stamp.sequence, 10u);
  EXPECT_EQ(read_.front(), Commit(0, 11));
  folder->BeginFile();
  EXPECT_EQ(*folder->PruneUpTo(backup), 1u) << "on demand all that the backup has goes";
  contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_TRUE(read_.empty());
  Fill(*folder, 1, 16);
  folder = Open();
  EXPECT_EQ(folder->heads()[0].stamp.sequence, 16u);
}

TEST_F(JournalFolder, AnotherStoreOrNumberOfPartitionsIsRefused) {
  Open();
  Folder::Options other = Options();
  other.store_id.fill(2);
  EXPECT_TRUE(absl::IsFailedPrecondition(Folder::Open(other, heads_).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Folder::Open(Options(), std::vector<store::Head>(2)).status()));
}

TEST_F(JournalFolder, AnotherPublicKeyBeginsAnotherFile) {
  Fill(*Open(), 1);
  Folder::Options options = Options();
  options.public_key.fill(7);
  auto folder = Folder::Open(options, heads_);
  ASSERT_TRUE(folder.ok());
  Fill(**folder, 1, 2);
  const auto contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(contents->files.size(), 2u);
  EXPECT_EQ(contents->public_keys.size(), 2u);
}

TEST_F(JournalFolder, AFullDiskLeavesNothingHalfAndGoesOnWithRoom) {
  auto folder = Open();
  std::vector<Entry> all = Fill(*folder, 3);
  for (const bool truncate_fails : {false, true}) {
    disk_.writes_until_full = 0;
    disk_.truncate_fails = truncate_fails;
    const Entry next = Commit(0, all.size() + 1);
    const absl::Status full = folder->Append({next});
    EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
    EXPECT_EQ(folder->heads()[0].stamp.sequence, all.size());
    ASSERT_TRUE(Read().ok());
    EXPECT_EQ(read_, all);
    disk_ = FaultyDisk();
    ASSERT_TRUE(folder->Append({next}).ok());
    all.push_back(next);
    const auto contents = Read();
    ASSERT_TRUE(contents.ok()) << contents.status();
    EXPECT_EQ(read_, all);
  }
}

TEST_F(JournalFolder, AfterAFailedSyncAnotherFileGoesOn) {
  auto folder = Open();
  std::vector<Entry> all = Fill(*folder, 3);
  disk_.sync_fails = true;
  EXPECT_FALSE(folder->Append({Commit(0, 4)}).ok());
  EXPECT_FALSE(folder->Append({Commit(0, 4)}).ok());
  disk_.sync_fails = false;
  all.push_back(Commit(0, 4));
  ASSERT_TRUE(folder->Append({all.back()}).ok());
  const auto contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(read_, all);
  EXPECT_EQ(contents->files.size(), 2u) << "pages of the first file may count as written that are not";
}

TEST_F(JournalFolder, EachFrameIsSyncedBeforeAppendReturns) {
  auto folder = Open();
  for (uint64_t sequence = 1; sequence < 5; ++sequence) {
    const int before = disk_.syncs;
    Fill(*folder, 1, sequence);
    EXPECT_EQ(disk_.syncs, before + 1);
  }
}

TEST_F(JournalFolder, ASnapshotWithoutItsEndIsNotTold) {
  auto folder = Open();
  std::vector<Entry> all = Fill(*folder, 2);
  ASSERT_TRUE(folder->Append({Part(0, 2, true, false)}).ok());
  ASSERT_TRUE(folder->Append({Part(0, 2, false, false)}).ok());
  auto contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(read_, all);
  EXPECT_GT(contents->torn_bytes, 0u);
  folder = Open();
  EXPECT_GT(folder->cut_bytes(), 0u);
  // Begun once more within one process, too.
  ASSERT_TRUE(folder->Append({Part(0, 2, true, false)}).ok());
  const std::vector<Entry> whole = {Part(0, 2, true, false), Part(0, 2, false, true), Commit(0, 3)};
  ASSERT_TRUE(folder->Append({whole[0]}).ok());
  ASSERT_TRUE(folder->Append({whole[1], whole[2]}).ok());
  all.insert(all.end(), whole.begin(), whole.end());
  contents = Read();
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(read_, all);
  EXPECT_TRUE(absl::IsInvalidArgument(folder->Append({Commit(0, 4), Part(1, 2, true, false)})));
}

TEST_F(JournalFolder, AGapIsDamage) {
  auto folder = Open();
  Fill(*folder, 2);
  ASSERT_TRUE(folder->Append({Commit(0, 4)}).ok()) << "the folder does not look";
  const auto contents = Read();
  EXPECT_TRUE(absl::IsDataLoss(contents.status()));
  EXPECT_THAT(std::string(contents.status().message()), HasSubstr("goes on at 4 behind 2"));
}

TEST_F(JournalFolder, AFolderOpenToOthersIsRefused) {
  Open();
  std::filesystem::permissions(temp_ / "journal", std::filesystem::perms::all);
  EXPECT_TRUE(absl::IsFailedPrecondition(Folder::Open(Options(), heads_).status()));
  EXPECT_TRUE(absl::IsNotFound(journal::ReadFolder(temp_ / "none", {}).status()));
}

}  // namespace
}  // namespace consent::test
