// What finished deletions and closed accounts leave in the store's files: nothing of what was sealed, nor of the keys,
// looked for in the files.
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/fault/store/raw_files.h"
#include "tests/support/service/deleting.h"
#include "tests/support/temp_folder.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using service::DeletionPlace;
using store::Table;

// The embedded store; on purpose without its erasure where `scrubs` is false.
class OnDisk final : public store::Store {
 public:
  OnDisk(std::unique_ptr<store::RocksStore> rocks, bool scrubs) : rocks_(std::move(rocks)), scrubs_(scrubs) {}

  base::Bytes16 store_id() const override { return rocks_->store_id(); }
  uint16_t partition_count() const override { return rocks_->partition_count(); }
  void Commit(store::Partition partition, std::vector<store::Precondition> preconditions, store::Build build,
              store::Done done) override {
    rocks_->Commit(partition, std::move(preconditions), std::move(build), std::move(done));
  }
  void Subscribe(store::Subscriber& subscriber) override { rocks_->Subscribe(subscriber); }
  void Unsubscribe(store::Subscriber& subscriber) override { rocks_->Unsubscribe(subscriber); }
  void SetGate(store::Gate* gate) override { rocks_->SetGate(gate); }
  absl::StatusOr<std::string> Get(store::Partition partition, Table table, std::string_view key) const override {
    return rocks_->Get(partition, table, key);
  }
  absl::Status Scan(store::Partition partition, Table table, std::string_view from, std::string_view to, size_t limit,
                    const store::Visitor& visit) const override {
    return rocks_->Scan(partition, table, from, to, limit, visit);
  }
  absl::StatusOr<std::vector<store::FeedRow>> Feed(store::Partition partition, store::Sequence from,
                                                   size_t limit) const override {
    return rocks_->Feed(partition, from, limit);
  }
  absl::StatusOr<store::FeedRow> FeedAt(store::Partition partition, store::Sequence sequence) const override {
    return rocks_->FeedAt(partition, sequence);
  }
  absl::Status TruncateFeed(store::Partition partition, store::Sequence before) override {
    return rocks_->TruncateFeed(partition, before);
  }
  absl::Status EraseFeed(store::Partition partition, const std::vector<store::Sequence>& sequences) override {
    return rocks_->EraseFeed(partition, sequences);
  }
  absl::Status Erase(store::Partition partition, const std::vector<store::RowKey>& rows) override {
    return rocks_->Erase(partition, rows);
  }
  absl::Status EraseFromFiles(const store::EraseTargetsByPartition& targets) override {
    return scrubs_ ? rocks_->EraseFromFiles(targets) : absl::OkStatus();
  }
  store::Head GetHead(store::Partition partition) const override { return rocks_->GetHead(partition); }
  std::optional<store::ReadVersion> GetReadVersion(store::Partition partition) const override {
    return rocks_->GetReadVersion(partition);
  }
  void Close() override { rocks_->Close(); }

 private:
  const std::unique_ptr<store::RocksStore> rocks_;
  const bool scrubs_;
};

class DeletionErasure : public testing::Test {
 protected:
  void Start(bool scrubs) {
    World::Options options;
    options.decorate = [this, scrubs](store::Store&) -> std::unique_ptr<store::Store> {
      store::RocksStore::Options rocks;
      rocks.db_path = folder_ / "db";
      rocks.partitions = 1;
      rocks.head_path = folder_ / "head";
      rocks.clock = &clock_;
      rocks.random = &random_;
      auto opened = store::RocksStore::Open(rocks);
      EXPECT_TRUE(opened.ok()) << opened.status();
      return std::make_unique<OnDisk>(*std::move(opened), scrubs);
    };
    world_ = std::make_unique<World>(options);
    deleting_.emplace(*world_);
    deleting_->Register(System("audio"));
    ASSERT_TRUE(world_->Register("a", "DE", {Adult("ann"), Child("bob", "ann")}, {"speaker"}).ok());
    ASSERT_TRUE(world_->Register("b", "DE").ok());
    ASSERT_TRUE(world_->OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    ASSERT_TRUE(world_->Report("a", "r1", domain::Flags::kSafety).ok());
  }

  std::string Row(Table table, const std::string& key) {
    return world_->store().Get({}, table, key).value_or(std::string());
  }
  void Note(Traces& traces, const std::string& bytes, const std::string& what) {
    ASSERT_GE(bytes.size(), Traces::kPiece) << what;
    traces.Note(bytes, what);
  }
  void NoteShareOf(Traces& traces, DeletionPlace place) {
    const std::string key = service::DeletionShareKey(world_->core(), place);
    Note(traces, Row(Table::kKeyShare, key), "the request's key share");
    Note(traces, key, "where the request's key share lay");
  }
  void NoteSealed(Traces& traces, DeletionPlace place) {
    const auto row = service::LoadDeletion(world_->core(), place);
    ASSERT_TRUE(row.ok());
    Note(traces, row->sealed, "what was asked");
    if (row->request.selector.IsOpenEnded()) return;
    const std::string same = service::OpenDeletionKey(world_->core(), row->request.subject, row->request.selector);
    EXPECT_FALSE(Row(Table::kOpenDeletionBySelector, same).empty());
    Note(traces, same.substr(16), "the hash of what was asked");
  }
  // Reports without the eraser that follows in a daemon.
  void EndAll() {
    const auto leased = world_->tasks().Lease(deleting_->Named("audio"), 10, base::Seconds(300));
    ASSERT_TRUE(leased.ok());
    for (const service::LeasedTask& task : *leased) {
      service::TaskReport report;
      report.place = task.place;
      report.epoch = task.row.epoch;
      report.outcome = domain::PurgeOutcome::kAcknowledged;
      ASSERT_TRUE(world_->tasks().End(deleting_->Named("audio"), {report}).front().ok());
    }
  }
  std::string Found(const Traces& traces) { return Describe(traces.FindIn(folder_.path())); }

  TempFolder folder_;
  ManualClock clock_{At("2026-03-01T12:00:00Z")};
  SeededRandom random_{7};
  std::unique_ptr<World> world_;
  std::optional<Deleting> deleting_;
};

TEST_F(DeletionErasure, OfAFinishedRequestKeysGoFirstAndThenEverythingElse) {
  Start(true);
  Traces keys;
  Traces bytes;
  const DeletionPlace place = deleting_->Ask("a", AllOfIt());
  for (const DeletionPlace noted : {place, deleting_->Ask("a", deleting_->Recordings({"r1", "r2"}))}) {
    NoteShareOf(keys, noted);
    NoteSealed(bytes, noted);
  }
  EXPECT_NE(Found(keys), "") << "it is looked for where it is";
  EXPECT_NE(Found(bytes), "");
  EndAll();
  EXPECT_EQ(deleting_->Get(place).state, DeletionState::kInProgress) << "its key is deleted, and still in the files";
  EXPECT_NE(Found(keys), "");
  ASSERT_EQ(*world_->erasures().EraseKeys(), 2U);
  EXPECT_EQ(Found(keys), "");
  EXPECT_EQ(deleting_->Get(place).state, DeletionState::kCompleted);
  ASSERT_TRUE(world_->erasures().EraseBytes(world_->Now()).ok());
  EXPECT_EQ(Found(bytes), "");
  EXPECT_EQ(deleting_->Get(place).state, DeletionState::kCompleted) << "the request's own log stays";
}

TEST_F(DeletionErasure, OfACancelledRequestAndAReleasedHoldToo) {
  Start(true);
  Traces traces;
  const DeletionPlace cancelled = deleting_->Ask("a", AllOfIt(), DeletionState::kReceived);
  NoteShareOf(traces, cancelled);
  NoteSealed(traces, cancelled);
  const service::HoldPlace hold = deleting_->Hold("a", domain::HeldPart{});
  const std::string hold_key = service::HoldShareKey(world_->core(), hold);
  Note(traces, Row(Table::kKeyShare, hold_key), "the hold's key share");
  Note(traces, hold_key, "where the hold's key share lay");
  Note(traces, world_->holds().Get(hold)->row.sealed, "what the hold names");
  ASSERT_TRUE(deleting_->Cancel(cancelled).ok());
  ASSERT_TRUE(deleting_->Release(hold).ok());
  ASSERT_TRUE(world_->erasures().EraseBytes(world_->Now()).ok());
  EXPECT_EQ(Found(traces), "");
}

TEST_F(DeletionErasure, OfADestroyedMonthOfTheDecisionLogItsKey) {
  for (const bool scrubs : {true, false}) {
    if (!scrubs) {
      world_.reset();
      std::filesystem::remove_all(folder_ / "db");
      std::filesystem::remove(folder_ / "head");
    }
    Start(scrubs);
    const base::Month february = *base::Month::Parse("2026-02");
    const auto key = world_->month_keys().TakeOrMake(february);
    ASSERT_TRUE(key.ok()) << key.status();
    const auto kept = world_->month_keys().TakeOrMake(february.Plus(1));
    ASSERT_TRUE(kept.ok()) << kept.status();
    Traces traces;
    Note(traces, Row(Table::kKeyShare, service::MonthKeyShareKey(key->name)), "the month's key share");
    EXPECT_NE(Found(traces), "") << "it is looked for where it is";
    ASSERT_EQ(world_->month_keys().DestroyBefore(february.Plus(1))->size(), 1U);
    ASSERT_TRUE(world_->erasures().EraseBytes(world_->Now()).ok());
    EXPECT_EQ(Found(traces).empty(), scrubs);
    EXPECT_EQ((*world_->month_keys().Find(kept->name))->key, kept->key);
  }
}

TEST_F(DeletionErasure, OfAClosedAccountOnlyTheSuppressionRecordStays) {
  Start(true);
  Traces keys;
  Traces bytes;
  const base::SubjectHandle subject = world_->Handle("a");
  const std::string key = world_->core().SubjectKey(subject);
  Note(keys, Row(Table::kKeyShare, key), "the account's key share");
  Note(bytes, Row(Table::kNames, key), "the names");
  const service::HoldPlace hold = deleting_->Hold("a", domain::HeldPart{});
  const base::HoldId held = world_->holds().Get(hold)->row.id;
  Note(bytes, std::string(base::View(held.bytes)), "a hold's id");
  ASSERT_TRUE(deleting_->Release(hold).ok());
  const std::string recording = world_->core().RecordingKey(subject, world_->core().hasher.Recording("r1"));
  Note(bytes, Row(Table::kRecording, recording).substr(16), "a recording's marks");
  Note(bytes, recording.substr(16), "where a recording's marks lay");
  for (store::Sequence next = world_->RevisionOf("a"); next != 0;) {
    service::ChangeRow row;
    const auto feed = world_->store().FeedAt({}, next);
    ASSERT_TRUE(feed.ok() && service::DecodeChangeRow(feed->event.body, &row));
    Note(bytes, row.sealed, "evidence");
    next = row.previous;
  }
  domain::Selector closure = AllOfIt();
  closure.kind = domain::SelectorKind::kAccountClosure;
  const DeletionPlace place = deleting_->Ask("a", closure);
  EndAll();
  ASSERT_EQ(*world_->erasures().EraseKeys(), 1U);
  EXPECT_EQ(Found(keys), "");
  EXPECT_EQ(deleting_->Get(place).state, DeletionState::kCompleted);
  ASSERT_TRUE(world_->erasures().EraseBytes(world_->Now()).ok());
  EXPECT_EQ(Found(bytes), "");
  EXPECT_FALSE(world_->holds().Find(held).ok());
  EXPECT_TRUE(domain::IsSuppressionRecord(world_->Facts("a")));
  EXPECT_FALSE(world_->Facts("b").closed_at.IsSet()) << "nor is anybody else touched";
  EXPECT_EQ(world_->reads().History(world_->Handle("b"), 10, 0)->items.size(), 1U);
}

// The search would find it.
TEST_F(DeletionErasure, WithoutTheErasureItIsFound) {
  Start(false);
  Traces keys;
  const DeletionPlace place = deleting_->Ask("a", AllOfIt());
  NoteShareOf(keys, place);
  EndAll();
  ASSERT_EQ(*world_->erasures().EraseKeys(), 1U);
  ASSERT_TRUE(world_->erasures().EraseBytes(world_->Now()).ok());
  EXPECT_NE(Found(keys), "");
}

}  // namespace
}  // namespace consent::test
