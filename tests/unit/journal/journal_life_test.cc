// Seeded lives of several accounts through the use cases: choices, deletions and their steps, holds, closures, workers,
// erasures, policies, restarts, a journal's disk that fails, and kills between a commit and its journal. At the end
// what the journal says is what the store has, but for what was loosened.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <random>

#include "daemon/journal/journal.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/deleting.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/journal/replay.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using service::DeletionStep;

constexpr int kSteps = 70;
constexpr int kAccounts = 5;
constexpr uint64_t kLives = 60;  // CONSENT_TEST_CASES=2000 for more

class JournalLife {
 public:
  // `catches_up`: as it must be at each start; a wrong variant does not.
  JournalLife(uint64_t seed, bool catches_up)
      : catches_up_(catches_up),
        dice_(seed),
        random_(seed),
        secret_(journal::BackupSecretKey::Generate(random_)),
        world_({.partitions = static_cast<uint16_t>(1 + seed % 3), .seed = seed}),
        deleting_(world_) {
    deleting_.Register(System("audio"));
    deleting_.Register(System("text"));
  }
  ~JournalLife() { world_.inner_store().SetGate(nullptr); }

  std::vector<std::string> Play() {
    Start();
    Replay replay(world_.store());
    for (int step = 0; step < kSteps && wrong_.empty(); ++step) Step();
    if (!wrong_.empty()) return wrong_;
    disk_fails_ = false;
    if (catches_up_ && !journal_->CatchUp().ok()) return {"it does not catch up"};
    const auto contents = journal::ReadFolder(temp_ / "journal", [&](const journal::Entry& entry, const auto&) {
      replay.Take(entry);
      loosened_ += entry.loosened.empty() ? 0 : 1;
      snapshots_ += entry.is_first ? 1 : 0;
      return true;
    });
    if (!contents.ok()) return {std::string(contents.status().message())};
    return replay.Differences(world_.core());
  }
  int loosened() const { return loosened_; }
  int snapshots() const { return snapshots_; }

 private:
  uint64_t Below(uint64_t n) { return dice_() % n; }
  std::string Account() { return "a" + std::to_string(Below(kAccounts)); }

  void Start() {
    ids_.emplace(world_.core(), secret_.Public());
    journal::Folder::Options options;
    options.path = temp_ / "journal";
    options.file_bytes = 20'000;
    options.disk = journal::Disk::System();
    options.disk.sync = [this](int) {
      if (!disk_fails_) return 0;
      errno = EIO;
      return -1;
    };
    const bool fails = disk_fails_.exchange(false);  // a journal that cannot be opened stops the start
    auto opened = journal::Journal::Open(world_.core(), *ids_, options, [](const absl::Status&) {});
    if (!opened.ok()) {
      wrong_.push_back(std::string(opened.status().message()));
      return;
    }
    journal_ = *std::move(opened);
    disk_fails_ = fails;
    world_.inner_store().SetGate(journal_.get());
    if (catches_up_ || journal_->is_new()) (void)journal_->CatchUp();
  }
  void Stop() {
    world_.inner_store().SetGate(nullptr);
    journal_.reset();
    ids_.reset();
  }

  void Step() {
    switch (Below(20)) {
      case 0:
        Stop();
        if (Below(2) == 0) Change();  // killed before the journal was come to
        world_.Restart();
        return Start();
      case 1:
        disk_fails_ = !disk_fails_;
        return;
      case 2:
        if (journal_->is_behind() && catches_up_) (void)journal_->CatchUp();
        return;
      default:
        return Change();
    }
  }

  void Change() {
    switch (Below(16)) {
      case 0:
        (void)world_.Register(Account(), Below(2) == 0 ? "US" : "DE", {Adult("ann"), Child("kid", "mum")}, {"d1"});
        return;
      case 1:
      case 2:
        (void)world_.OptIn(Account(), Below(2) == 0 ? test::Account() : Profile("ann"), Control("train"));
        return;
      case 3:
      case 4:
        (void)world_.OptOut(Account(), Below(3) == 0 ? Device("d1") : test::Account(),
                            Below(2) == 0 ? Everything() : Control("train"));
        return;
      case 5:
        (void)world_.Retain(Account(), test::Account(),
                            {domain::RetentionKind::kMonths, static_cast<uint8_t>(Below(2) == 0 ? 3 : 18)});
        return;
      case 6:
        (void)world_.Report(Account(), "r" + std::to_string(Below(4)), static_cast<uint8_t>(1 + Below(7)));
        return;
      case 7:
      case 8:
        return Ask();
      case 9:
      case 10:
        return StepOfDeletion();
      case 11:
        return PlaceOrReleaseHold();
      case 12:
        (void)deleting_.Work(Below(2) == 0 ? "audio" : "text");
        return;
      case 13:
        for (const service::LeasedTask& task : deleting_.Lease("audio", 1)) (void)deleting_.Fail("audio", task);
        return;
      case 14:
        (void)world_.erasures().EraseKeys();
        if (Below(2) == 0) (void)world_.erasures().EraseBytes(world_.Now());
        return;
      default:
        world_.Wait(base::Hours(static_cast<int64_t>(Below(500))));
        (void)world_.Activate(PolicyBuilder("v" + std::to_string(++versions_)));
        return;
    }
  }

  void Ask() {
    domain::Selector selector = AllOfIt();
    if (Below(3) == 0) selector.kind = domain::SelectorKind::kAccountClosure;
    if (Below(2) == 0) selector = deleting_.Recordings({"r" + std::to_string(Below(4)), "r9"});
    const auto created =
        deleting_.TryAsk(Account(), selector, Below(2) == 0 ? DeletionState::kAccepted : DeletionState::kReceived);
    if (created.ok()) requests_.push_back(created->place);
  }

  void StepOfDeletion() {
    if (requests_.empty()) return;
    const service::DeletionPlace place = requests_[Below(requests_.size())];
    switch (Below(4)) {
      case 0:
        (void)deleting_.Cancel(place);
        return;
      case 1:
        (void)deleting_.Step(place, DeletionStep::kDeny, "no");
        return;
      default:
        (void)deleting_.Step(place, DeletionStep::kVerify);
        return;
    }
  }

  void PlaceOrReleaseHold() {
    if (!holds_.empty() && Below(2) == 0) {
      (void)deleting_.Release(holds_.back());
      holds_.pop_back();
      return;
    }
    const auto placed = deleting_.TryHold(Account(), deleting_.HeldRecordings({"r1"}));
    if (placed.ok()) holds_.push_back(placed->place);
  }

  const bool catches_up_;
  std::mt19937_64 dice_;
  TempFolder temp_;
  SeededRandom random_;
  journal::BackupSecretKey secret_;
  World world_;
  Deleting deleting_;
  std::atomic<bool> disk_fails_ = false;
  std::optional<journal::Ids> ids_;
  std::unique_ptr<journal::Journal> journal_;
  std::vector<service::DeletionPlace> requests_;
  std::vector<service::HoldPlace> holds_;
  int versions_ = 1;
  std::vector<std::string> wrong_;
  int loosened_ = 0;
  int snapshots_ = 0;
};

TEST(JournalLives, TheJournalSaysWhatTheStoreHas) {
  const uint64_t lives = model::SlowCasesFromEnvironment(kLives);
  uint64_t loosened = 0;
  uint64_t snapshots = 0;
  for (uint64_t seed = 1; seed <= lives; ++seed) {
    JournalLife life(seed, /*catches_up=*/true);
    const std::vector<std::string> differences = life.Play();
    ASSERT_TRUE(differences.empty()) << "seed " << seed << ": " << ::testing::PrintToString(differences);
    loosened += static_cast<uint64_t>(life.loosened());
    snapshots += static_cast<uint64_t>(life.snapshots());
  }
  if (!model::IsWholeRun(lives, kLives)) return;
  EXPECT_GT(loosened, lives);
  EXPECT_GT(snapshots, lives);
}

TEST(JournalLives, OneThatDoesNotCatchUpAtTheStartIsCaught) {
  bool is_caught = false;
  for (uint64_t seed = 1; seed <= 20 && !is_caught; ++seed) {
    is_caught = !JournalLife(seed, /*catches_up=*/false).Play().empty();
  }
  EXPECT_TRUE(is_caught);
}

}  // namespace
}  // namespace consent::test
