// The journal of a running daemon: what is acknowledged is in it, and what goes with which store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "daemon/journal/journal.h"
#include "daemon/journal/reader.h"
#include "tests/support/service/deleting.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/journal/replay.h"

namespace consent::test {
namespace {

using journal::Journal;
using ::testing::HasSubstr;

// A world with a journal beside it.
class Journaling : public ::testing::Test {
 protected:
  Journaling() : secret_(journal::BackupSecretKey::Generate(random_)) { ids_.emplace(world_.core(), secret_.Public()); }
  ~Journaling() override { world_.inner_store().SetGate(nullptr); }

  absl::StatusOr<std::unique_ptr<Journal>> TryOpen() {
    journal::Folder::Options options;
    options.path = temp_ / "journal";
    options.disk = journal::Disk::System();
    options.disk.sync = [this, system = options.disk.sync](int fd) {
      if (!disk_fails_ && (fails_each_ == 0 || ++syncs_ % fails_each_ != 0)) return system(fd);
      errno = EIO;
      return -1;
    };
    return Journal::Open(world_.core(), *ids_, options, [this](const absl::Status& behind) {
      base::MutexLock lock(told_mutex_);
      told_.push_back(behind);
    });
  }
  void Open() {
    world_.inner_store().SetGate(nullptr);
    journal_.reset();
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal_ = *std::move(opened);
    world_.inner_store().SetGate(journal_.get());
    if (!replay_) replay_.emplace(world_.store());
  }
  void Restart() {
    world_.inner_store().SetGate(nullptr);
    journal_.reset();
    ids_.reset();
    world_.Restart();
    ids_.emplace(world_.core(), secret_.Public());
  }
  // What the folder says now, against the store.
  std::vector<std::string> Differences() {
    Replay replay = *replay_;
    read_.clear();
    const auto contents = journal::ReadFolder(temp_ / "journal", [&](const journal::Entry& entry, const auto&) {
      replay.Take(entry);
      read_.push_back(entry);
      return true;
    });
    EXPECT_TRUE(contents.ok()) << contents.status();
    if (contents.ok()) contents_ = *contents;
    last_ = replay;
    return replay.Differences(world_.core());
  }
  bool HasAll() const {
    for (uint16_t p = 0; p < world_.store().partition_count(); ++p) {
      const store::Head head = world_.store().GetHead({p});
      if (contents_.last[p].stamp.sequence != head.stamp.sequence || contents_.last[p].chain != head.chain)
        return false;
    }
    return true;
  }

  TempFolder temp_;
  SeededRandom random_{3};
  journal::BackupSecretKey secret_;
  World world_{{.partitions = 3}};
  Deleting deleting_{world_};
  std::optional<journal::Ids> ids_;
  std::atomic<bool> disk_fails_ = false;
  std::atomic<int> fails_each_ = 0;  // one sync of so many
  std::atomic<int> syncs_ = 0;
  base::Mutex told_mutex_;
  std::vector<absl::Status> told_;
  std::unique_ptr<Journal> journal_;
  std::optional<Replay> replay_;
  std::optional<Replay> last_;
  std::vector<journal::Entry> read_;
  journal::Contents contents_;
};

TEST_F(Journaling, WhatWasAcknowledgedIsInIt) {
  Open();
  EXPECT_TRUE(journal_->is_new());
  ASSERT_TRUE(journal_->CatchUp().ok());
  ASSERT_TRUE(world_.OptOut("ann", Account(), Everything()).ok());
  EXPECT_TRUE(Differences().empty());
  EXPECT_TRUE(HasAll()) << "read right after the acknowledgement";
  EXPECT_EQ(read_.back().change, service::ChangeKind::kOptOut);
  EXPECT_TRUE(read_.back().loosened.empty());
  ASSERT_TRUE(world_.Register("bob", "US").ok());
  EXPECT_TRUE(Differences().empty());
  EXPECT_FALSE(read_.back().loosened.empty());
  EXPECT_TRUE(read_.back().rows.empty() || read_.back().rows[0].table != store::Table::kSubject);
  EXPECT_EQ(journal_->counts().entries, 2u);
  EXPECT_EQ(journal_->counts().behind, 0u);
  EXPECT_TRUE(journal_->counts().synced.IsSet());
}

// Caught: one that writes after the acknowledgement.
TEST_F(Journaling, OneThatWritesAfterTheAcknowledgementIsCaught) {
  class Late final : public store::Gate {
   public:
    explicit Late(Journal& journal) : journal_(journal) {}
    void BeforeAnswers(const std::vector<store::Committed>& group) override {
      for (const store::Committed& one : group) {
        copies_.push_back({one.partition, one.stamp, one.event, one.writes, one.chain});
      }
    }
    void Write() {
      for (const Copy& copy : copies_) {
        journal_.BeforeAnswers({{copy.partition, copy.stamp, copy.event, copy.writes, copy.chain}});
      }
    }

   private:
    struct Copy {
      store::Partition partition;
      store::Stamp stamp;
      store::Event event;
      std::vector<store::Write> writes;
      base::Digest chain;
    };
    Journal& journal_;
    std::vector<Copy> copies_;
  };
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  Late late(*journal_);
  world_.inner_store().SetGate(&late);
  ASSERT_TRUE(world_.OptOut("ann", Account(), Everything()).ok());
  EXPECT_FALSE(Differences().empty()) << "the acknowledgement was given";
  EXPECT_FALSE(HasAll());
  late.Write();
  EXPECT_TRUE(Differences().empty());
  world_.inner_store().SetGate(nullptr);
}

TEST_F(Journaling, TheIdsThatWorkersNeedAreSealedToTheBackupsKey) {
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  const auto place = deleting_.Ask("ann", deleting_.Recordings({"r1", "r2"}), domain::DeletionState::kReceived);
  const auto hold = deleting_.Hold("bob", deleting_.HeldRecordings({"r3"}));
  EXPECT_TRUE(Differences().empty());
  const std::string* sealed = last_->Payload(journal::PayloadOf::kDeletion, place.partition.number, place.number);
  ASSERT_NE(sealed, nullptr);
  auto opened = secret_.Open(*sealed);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->account_id, "ann");
  sealed = last_->Payload(journal::PayloadOf::kHold, hold.partition.number, hold.sequence);
  ASSERT_NE(sealed, nullptr);
  opened = secret_.Open(*sealed);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->account_id, "bob");
  EXPECT_EQ(journal_->counts().lacking_ids, 0u);
  // Without a key there are none.
  const size_t before = read_.size();
  world_.inner_store().SetGate(nullptr);
  journal_.reset();
  ids_.emplace(world_.core(), std::nullopt);
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  deleting_.Ask("cyd", deleting_.Recordings({"r1"}), domain::DeletionState::kReceived);
  EXPECT_TRUE(Differences().empty());
  for (size_t i = before; i < read_.size(); ++i) EXPECT_TRUE(read_[i].payloads.empty());
}

TEST_F(Journaling, ItsDiskFailsAndRestrictionsAreTakenAllTheSame) {
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  disk_fails_ = true;
  told_.clear();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(world_.OptOut("a" + std::to_string(i), Account(), Everything()).ok());
  }
  const auto place = deleting_.Ask("ann", deleting_.Recordings({"r1"}), domain::DeletionState::kReceived);
  EXPECT_TRUE(journal_->is_behind());
  ASSERT_EQ(told_.size(), 1u) << "told once";
  EXPECT_EQ(journal_->counts().behind, 21u);
  EXPECT_EQ(journal_->counts().behind_partitions, 3u);
  EXPECT_FALSE(journal_->CatchUp().ok());
  EXPECT_FALSE(Differences().empty());
  disk_fails_ = false;
  ASSERT_TRUE(journal_->CatchUp().ok());
  EXPECT_TRUE(told_.back().ok());
  EXPECT_EQ(journal_->counts().behind, 0u);
  EXPECT_TRUE(Differences().empty());
  EXPECT_TRUE(HasAll());
  EXPECT_NE(last_->Payload(journal::PayloadOf::kDeletion, place.partition.number, place.number), nullptr)
      << "a snapshot has the ids of what is open";
  ASSERT_TRUE(world_.OptOut("later", Account(), Everything()).ok());
  EXPECT_TRUE(Differences().empty());
  EXPECT_TRUE(HasAll());
}

TEST_F(Journaling, AKillBetweenCommitAndJournalIsMadeUpForAtTheStart) {
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  ASSERT_TRUE(world_.OptOut("ann", Account(), Everything()).ok());
  Restart();
  ASSERT_TRUE(world_.OptOut("bob", Account(), Everything()).ok());  // committed; the journal was not come to
  Restart();
  Open();
  EXPECT_FALSE(journal_->is_new());
  EXPECT_FALSE(Differences().empty()) << "caught: no catching up at the start";
  ASSERT_TRUE(journal_->CatchUp().ok());
  EXPECT_TRUE(Differences().empty());
  EXPECT_TRUE(HasAll());
}

TEST_F(Journaling, AheadOfTheStoreIsRefused) {
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  ASSERT_TRUE(world_.OptOut("ann", Account(), Everything()).ok());
  ASSERT_TRUE(world_.OptOut("ann", Account(), Everything()).ok());
  world_.inner_store().SetGate(nullptr);
  // The same store, as it was before.
  World older({.partitions = 3});
  const journal::Ids ids(older.core(), std::nullopt);
  journal::Folder::Options options;
  options.path = temp_ / "journal";
  const auto opened = Journal::Open(older.core(), ids, options, [](const absl::Status&) {});
  ASSERT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("ahead of the store"));
}

TEST_F(Journaling, AnotherHistoryOrStoreIsRefused) {
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  ASSERT_TRUE(world_.OptOut("ann", Account(), Everything()).ok());
  world_.inner_store().SetGate(nullptr);
  journal::Folder::Options options;
  options.path = temp_ / "journal";
  World other({.partitions = 3});
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(other.OptOut("b" + std::to_string(i), Account(), Everything()).ok());
  const journal::Ids ids(other.core(), std::nullopt);
  auto opened = Journal::Open(other.core(), ids, options, [](const absl::Status&) {});
  ASSERT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("another history"));
  World stranger({.partitions = 3, .store = 9});
  const journal::Ids of_stranger(stranger.core(), std::nullopt);
  opened = Journal::Open(stranger.core(), of_stranger, options, [](const absl::Status&) {});
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("of another store"));
}

TEST_F(Journaling, FillingUpBesideALoadLeavesNoGap) {
  Open();
  ASSERT_TRUE(journal_->CatchUp().ok());
  fails_each_ = 5;
  std::atomic<bool> stop{false};
  std::atomic<int> caught_up{0};
  std::thread catching_up([&] {
    while (!stop.load()) {
      if (journal_->is_behind() && journal_->CatchUp().ok()) ++caught_up;
    }
  });
  for (int i = 0; i < 300 || (caught_up <= 3 && i < 20'000); ++i) {
    const domain::Target target = i % 2 == 0 ? Everything() : Control("train");
    ASSERT_TRUE(world_.OptOut("a" + std::to_string(i % 40), Account(), target).ok());
  }
  stop = true;
  catching_up.join();
  EXPECT_GT(caught_up, 3) << "it fell behind, and made it up, again and again";
  fails_each_ = 0;
  ASSERT_TRUE(journal_->CatchUp().ok());
  EXPECT_TRUE(Differences().empty());
  EXPECT_TRUE(HasAll());
}

}  // namespace
}  // namespace consent::test
