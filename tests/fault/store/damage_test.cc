// Damage to a store's files: either everything acknowledged is there, or opening is refused, or a read reports an
// error. Never silently less.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <random>

#include "tests/fault/store/judge_process.h"
#include "tests/fault/store/scenario.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSeed = 20'240'607;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class Damage : public ::testing::Test {
 protected:
  Damage() : scenario_(kSeed) {
    scenario_.CopyTo(folder_ / "good");
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "good")) {
      const std::string name = fs::relative(entry.path(), folder_ / "good").string();
      // Locks hold nothing, LOG* is the engine's diary, which it never reads.
      const bool idle =
          name == "db.lock" || name.find("LOCK") != std::string::npos || name.find("LOG") != std::string::npos;
      if (idle || !entry.is_regular_file()) continue;
      files_.push_back(name);
    }
    std::sort(files_.begin(), files_.end());
    judge_.emplace(CONSENT_JUDGE, folder_.path(), scenario_.acknowledged());
  }
  ~Damage() override {
    for (const auto& [verdict, count] : counts_) std::cout << Name(verdict) << ": " << count << "\n";
  }

  static const char* Name(Verdict verdict) {
    switch (verdict) {
      case Verdict::kComplete:
        return "complete";
      case Verdict::kRefused:
        return "refused";
      case Verdict::kReadError:
        return "read error";
      case Verdict::kStopped:
        return "stopped by an assertion";
      case Verdict::kLost:
        break;
    }
    return "LOST";
  }

  // Puts `bytes` (or nothing at all) in the place of one file of a fresh copy and judges it.
  Judgement Try(const std::string& file, const std::string* bytes, const std::string& what) {
    const fs::path copy = folder_ / "copy";
    CopyFolder(folder_ / "good", copy);
    if (bytes == nullptr) {
      fs::remove(copy / file);
    } else {
      WriteFile(copy / file, *bytes);
    }
    const Judgement judgement = judge_->Ask(copy);
    ++counts_[judgement.verdict];
    EXPECT_NE(judgement.verdict, Verdict::kLost)
        << file << ", " << what << ": " << judgement.text << "; seed " << kSeed;
    if (judgement.verdict != Verdict::kComplete) {
      EXPECT_FALSE(judgement.text.empty()) << file << ", " << what;
    }
    return judgement;
  }

  Judgement Flip(const std::string& file, const std::string& good, size_t bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    return Try(file, &bytes, "bit " + std::to_string(bit) + " flipped");
  }

  std::string Path(const std::string& file) { return folder_ / ("good/" + file); }
  // The newest log file that holds anything.
  std::string LastLog() {
    std::string last;
    for (const std::string& file : files_) {
      if (file.ends_with(".log") && fs::file_size(Path(file)) > 0) last = file;
    }
    return last;
  }

  TempFolder folder_;
  Scenario scenario_;
  std::optional<JudgeProcess> judge_;
  std::vector<std::string> files_;
  std::map<Verdict, int> counts_;
};

TEST_F(Damage, AnUndamagedCopyOfALiveStoreIsComplete) {
  const fs::path copy = folder_ / "copy";
  CopyFolder(folder_ / "good", copy);
  const Judgement judgement = Judge(copy, scenario_.acknowledged());
  EXPECT_EQ(judgement.verdict, Verdict::kComplete) << judgement.text;
  EXPECT_GE(files_.size(), 5u);
  ASSERT_FALSE(LastLog().empty());
}

TEST_F(Damage, BitsOfTheLog) {
  const std::string log = LastLog();
  const std::string good = ReadFile(Path(log));
  std::mt19937_64 random(kSeed);
  const size_t bits = good.size() * 8;
  const size_t tries = FullCampaign() ? bits : 120;
  int refused = 0;
  for (size_t i = 0; i < tries; ++i) {
    // Half of the sample in the last kilobyte: there the engine alone notices least.
    const size_t window = i % 2 == 0 ? std::min<size_t>(bits, 8 * 1024) : bits;
    const size_t bit = FullCampaign() ? i : bits - 1 - random() % window;
    if (Flip(log, good, bit).verdict == Verdict::kRefused) ++refused;
  }
  EXPECT_EQ(refused, static_cast<int>(tries)) << "every bit of the log is covered by an acknowledged record";
}

TEST_F(Damage, BitsOfEveryOtherFile) {
  std::mt19937_64 random(kSeed + 1);
  for (const std::string& file : files_) {
    if (file == LastLog()) continue;
    const std::string good = ReadFile(Path(file));
    const size_t bits = good.size() * 8;
    const size_t tries = std::min<size_t>(bits, FullCampaign() ? 1000 : 8);
    for (size_t i = 0; i < tries; ++i) Flip(file, good, random() % bits);
  }
}

// The highest bit of how many restart points a block has says that it has a hash index; of the block of properties the
// engine believes that before it compares the checksum. A block that has one restart point ends with these bytes, its
// type included.
TEST_F(Damage, ABitThatIsBelievedBeforeItsChecksum) {
  const std::string end_of_block("\1\0\0\0\0", 5);
  std::map<Verdict, int> verdicts;
  for (const std::string& file : files_) {
    if (!file.ends_with(".sst")) continue;
    const std::string good = ReadFile(Path(file));
    for (size_t at = good.find(end_of_block); at != std::string::npos; at = good.find(end_of_block, at + 1)) {
      ++verdicts[Flip(file, good, (at + 3) * 8 + 7).verdict];
    }
    break;
  }
  EXPECT_GT(verdicts[Verdict::kStopped] + verdicts[Verdict::kRefused], 0);
}

TEST_F(Damage, FilesCutShort) {
  std::mt19937_64 random(kSeed + 2);
  for (const std::string& file : files_) {
    const std::string good = ReadFile(Path(file));
    const bool tail_matters = file.ends_with(".log") || file.find("MANIFEST") != std::string::npos;
    const size_t tries = FullCampaign() ? std::min<size_t>(good.size(), 750) : tail_matters ? 30 : 4;
    for (size_t i = 0; i < tries; ++i) {
      const std::string cut = good.substr(0, good.empty() ? 0 : random() % good.size());
      Try(file, &cut, "cut to " + std::to_string(cut.size()) + " bytes");
    }
  }
}

TEST_F(Damage, FilesOverwrittenWithZeros) {
  std::mt19937_64 random(kSeed + 3);
  for (const std::string& file : files_) {
    std::string bytes = ReadFile(Path(file));
    for (int i = 0; i < (FullCampaign() ? 200 : 2) && !bytes.empty(); ++i) {
      std::string zeroed = bytes;
      const size_t from = random() % bytes.size();
      std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(from),
                zeroed.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), from + 1 + random() % 4096)), '\0');
      Try(file, &zeroed, "zeros from " + std::to_string(from));
    }
  }
}

TEST_F(Damage, FilesDeleted) {
  for (const std::string& file : files_) {
    const Judgement judgement = Try(file, nullptr, "deleted");
    const bool needless = file.find("OPTIONS") != std::string::npos || file.find("IDENTITY") != std::string::npos;
    const bool empty = fs::file_size(Path(file)) == 0;
    if (!needless && !empty) {
      EXPECT_EQ(judgement.verdict, Verdict::kRefused) << file;
    }
  }
}

TEST_F(Damage, AnOldCopyOfTheDatabaseIsRefusedUntilTheLossIsAccepted) {
  const store::Sequence old = scenario_.acknowledged().head.stamp.sequence;
  scenario_.Commit(5);
  const fs::path copy = folder_ / "copy";
  scenario_.CopyTo(copy);
  CopyFolder(folder_ / "good/db", copy / "db");
  const Judgement judgement = Judge(copy, scenario_.acknowledged());
  EXPECT_EQ(judgement.verdict, Verdict::kRefused);
  EXPECT_NE(judgement.text.find("changes " + std::to_string(old + 1) + " to " + std::to_string(old + 5)),
            std::string::npos)
      << judgement.text;
  EXPECT_NE(judgement.text.find("--accept-loss"), std::string::npos) << judgement.text;

  ManualClock clock;
  auto opened = Scenario::Open(copy, clock, /*accept_loss=*/true);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->GetHead(store::Partition{}).stamp.sequence, old);
  ASSERT_EQ((*opened)->accepted_losses().size(), 1u);
  opened->reset();
  EXPECT_TRUE(Scenario::Open(copy, clock).ok()) << "the head file was rewritten";
}

TEST_F(Damage, AnErasureThatIsMissingIsNoticed) {
  // The old copy has every change but not the last erasure.
  const fs::path copy = folder_ / "copy";
  scenario_.Commit(0);
  scenario_.CopyTo(copy);
  CopyFolder(folder_ / "good/db", copy / "db");
  const Judgement judgement = Judge(copy, scenario_.acknowledged());
  EXPECT_EQ(judgement.verdict, Verdict::kRefused);
  EXPECT_NE(judgement.text.find("erasures"), std::string::npos) << judgement.text;
}

TEST_F(Damage, HeadFilesOfOtherStoresAndNoneAtAll) {
  const Scenario other(kSeed + 9);
  other.CopyTo(folder_ / "other");
  const std::string bytes = ReadFile(folder_ / "other/head");
  EXPECT_EQ(Try("head", &bytes, "of another store").verdict, Verdict::kRefused);
  EXPECT_EQ(Try("head", nullptr, "deleted").verdict, Verdict::kRefused);
  const std::string nothing;
  EXPECT_EQ(Try("head", &nothing, "empty").verdict, Verdict::kRefused);
}

TEST_F(Damage, AMissingDatabaseIsNotCreatedAnew) {
  const fs::path copy = folder_ / "copy";
  CopyFolder(folder_ / "good", copy);
  fs::remove_all(copy / "db");
  EXPECT_EQ(Judge(copy, scenario_.acknowledged()).verdict, Verdict::kRefused);
  fs::create_directory(copy / "db");
  EXPECT_EQ(Judge(copy, scenario_.acknowledged()).verdict, Verdict::kRefused);
  EXPECT_TRUE(fs::is_empty(copy / "db"));
  ManualClock clock;
  const auto opened = Scenario::Open(copy, clock, /*accept_loss=*/true);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_FALSE((*opened)->accepted_losses().empty());
}

// The test that the tests above need: with the comparison switched off, the engine opens without a word and rows are
// gone. So it is the comparison that saves them.
TEST_F(Damage, WithoutTheHeadFileAcknowledgedRowsWouldVanish) {
  const std::string log = LastLog();
  const std::string good = ReadFile(Path(log));
  ManualClock clock;
  int vanished = 0;
  ASSERT_GT(good.size(), 40U);
  for (size_t back = 1; back <= 40; ++back) {
    const fs::path copy = folder_ / "copy";
    CopyFolder(folder_ / "good", copy);
    std::string bytes = good;
    bytes[bytes.size() - back] = static_cast<char>(bytes[bytes.size() - back] ^ 1);
    WriteFile(copy / log, bytes);
    const auto opened = Scenario::Open(copy, clock, /*accept_loss=*/true);
    if (!opened.ok()) continue;
    EXPECT_FALSE((*opened)->accepted_losses().empty());
    const auto& [table, key] = scenario_.acknowledged().erased.back();
    if ((*opened)->Get(store::Partition{}, table, key).ok()) ++vanished;
  }
  EXPECT_GT(vanished, 0);
}

}  // namespace
}  // namespace consent::test
