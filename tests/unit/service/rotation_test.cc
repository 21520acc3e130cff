// Another master key: what a rotation writes and when it is said to be done, what comes in between, crashes at each of
// its steps, and that everything sealed before opens as it did.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/service/rows/key_share_rows.h"
#include "daemon/store/store.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {
namespace {

using RowPlace = std::tuple<uint16_t, store::Table, std::string>;

std::map<RowPlace, std::string> AllRows(const World& world) {
  std::map<RowPlace, std::string> rows;
  for (uint16_t partition = 0; partition < world.core().store.partition_count(); ++partition) {
    for (uint8_t number = 1; number <= store::kMaxTable; ++number) {
      const store::Table table{number};
      EXPECT_TRUE(world.core()
                      .store
                      .Scan({partition}, table, "", "", SIZE_MAX,
                            [&](std::string_view key, std::string_view value) {
                              rows[{partition, table, std::string(key)}] = value;
                              return true;
                            })
                      .ok());
    }
  }
  return rows;
}

// How many shares lie under which master key.
std::map<int, int> SharesByMaster(const World& world) {
  std::map<int, int> shares;
  for (const auto& [place, value] : AllRows(world)) {
    if (std::get<1>(place) == store::Table::kKeyShare) ++shares[base::MasterNumberOf(value)];
  }
  return shares;
}

service::MasterKeyRow Row(const World& world) {
  const auto row = service::ReadMasterKeyRow(world.core().store);
  EXPECT_TRUE(row.ok());
  return row.value_or(service::MasterKeyRow{});
}

// Until it is idle.
absl::Status Rewrap(World& world) {
  for (;;) {
    const auto piece = world.rewrapping().Next();
    if (!piece.ok()) return piece.status();
    if (piece->is_idle) return absl::OkStatus();
  }
}

// Somebody of each kind that has a key: twenty accounts, a request, a hold, a month of the decision log.
class Rotation : public ::testing::Test {
 protected:
  Rotation() : faulty_({.partitions = 3}), world_(faulty_.world), deleting_(world_) {
    EXPECT_TRUE(world_.master_keys().Take(world_.keys()).ok());
    deleting_.Register(System("audio"));
    for (int i = 0; i < 20; ++i) {
      const std::string account = "a" + std::to_string(i);
      EXPECT_TRUE(world_.Register(account, "DE", {Adult("ann"), Child("bob", "gil")}).ok());
    }
    asked_ = deleting_.Ask("a1", AllOfIt());
    deleting_.Hold("a2", domain::HeldPart{});
    names_ = Names("a0");
    month_ = *world_.month_keys().TakeOrMake(*base::Month::Parse("2026-03"));
  }
  std::vector<std::pair<domain::ScopeRef, std::string>> Names(const std::string& account) {
    return world_.reads().Get(world_.Handle(account))->names;
  }
  // What an operator does.
  absl::Status AddAndBegin() {
    world_.AddMasterKey();
    if (absl::Status s = world_.master_keys().Take(world_.keys()); !s.ok()) return s;
    return world_.master_keys().BeginRewrapping();
  }
  void ExpectAllOpens() {
    EXPECT_EQ(Names("a0"), names_);
    EXPECT_FALSE(names_.empty());
    const auto leased = deleting_.Lease("audio");
    ASSERT_EQ(leased.size(), 1U);
    EXPECT_EQ(leased.front().payload.account_id, "a1");
    EXPECT_EQ(deleting_.Get(asked_).subject, world_.Handle("a1"));
    EXPECT_EQ((*world_.month_keys().Find(month_.name))->key, month_.key);
  }

  FaultyWorld faulty_;
  World& world_;
  Deleting deleting_;
  service::DeletionPlace asked_;
  std::vector<std::pair<domain::ScopeRef, std::string>> names_;
  service::MonthKey month_;
};

TEST_F(Rotation, RewritesSharesAlone) {
  const std::map<RowPlace, std::string> before = AllRows(world_);
  ASSERT_TRUE(AddAndBegin().ok());
  ASSERT_TRUE(Rewrap(world_).ok());
  size_t changed = 0;
  for (const auto& [place, value] : AllRows(world_)) {
    if (before.count(place) != 0 && before.at(place) == value) continue;
    if (std::get<1>(place) == store::Table::kMasterKey) continue;
    ++changed;
    EXPECT_EQ(std::get<1>(place), store::Table::kKeyShare);
  }
  EXPECT_EQ(changed, 23U);
  EXPECT_EQ(SharesByMaster(world_), (std::map<int, int>{{2, 23}}));
  EXPECT_EQ(Row(world_).reached, 2);
  EXPECT_EQ(world_.rewrapping().left(), 0U);
  ExpectAllOpens();
  // The old key is needed for nothing any more.
  world_.PutKeys(*world_.keys().WithoutMasterKey(1));
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  world_.Restart();
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  EXPECT_EQ(Names("a0"), names_);
}

TEST_F(Rotation, NothingIsRewrappedUnasked) {
  world_.AddMasterKey();
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  ASSERT_TRUE(Rewrap(world_).ok());
  EXPECT_EQ(SharesByMaster(world_), (std::map<int, int>{{1, 23}}));
  ASSERT_TRUE(world_.Register("new", "DE").ok());
  EXPECT_EQ(SharesByMaster(world_), (std::map<int, int>{{1, 23}, {2, 1}})) << "new shares at once";
}

TEST_F(Rotation, WhatWasMadeBeforeAndIsWrittenAfterLiesUnderTheNewKey) {
  faulty_.faulty->BeforeNextCommit([&] {
    world_.AddMasterKey();
    // As Take does once the store knows of the key; it may not wait for a commit within one.
    world_.core().shares.Replace(world_.keys());
  });
  ASSERT_TRUE(world_.Register("new", "DE").ok());
  EXPECT_EQ(SharesByMaster(world_), (std::map<int, int>{{1, 23}, {2, 1}}));
}

// A share that is erased while it is rewrapped must not come back. The precondition sees to it: without it, it does.
TEST_F(Rotation, WhatIsErasedMeanwhileStaysErased) {
  for (const bool wrong : {false, true}) {
    const std::string account = wrong ? "a5" : "a4";
    domain::Selector closure = AllOfIt();
    closure.kind = domain::SelectorKind::kAccountClosure;
    deleting_.Ask(account, closure);
    // Not by Deleting, which erases at once.
    for (const service::LeasedTask& task : deleting_.Lease("audio")) {
      service::TaskReport report;
      report.place = task.place;
      report.epoch = task.row.epoch;
      report.outcome = domain::PurgeOutcome::kAcknowledged;
      ASSERT_TRUE(world_.tasks().End(deleting_.Named("audio"), {report}).front().ok());
    }
    ASSERT_TRUE(AddAndBegin().ok());
    if (wrong) faulty_.faulty->ForgetPreconditionsOf(store::Table::kKeyShare);
    bool erased = false;
    const store::Partition partition = world_.core().PartitionOf(world_.Handle(account));
    const RowPlace place{partition.number, store::Table::kKeyShare, world_.core().SubjectKey(world_.Handle(account))};
    // Before the commit that would rewrap it.
    std::function<void(const std::vector<store::Precondition>&)> meddle =
        [&](const std::vector<store::Precondition>& preconditions) {
          bool is_its = false;
          for (const store::Precondition& one : preconditions) is_its = is_its || one.key == std::get<2>(place);
          if (!is_its) {
            faulty_.faulty->BeforeNextCommit(meddle);
            return;
          }
          EXPECT_TRUE(world_.erasures().EraseKeys().ok());
          erased = AllRows(world_).count(place) == 0;
        };
    faulty_.faulty->BeforeNextCommit(meddle);
    ASSERT_TRUE(Rewrap(world_).ok());
    EXPECT_TRUE(erased);
    EXPECT_EQ(AllRows(world_).count(place), wrong ? 1U : 0U);
  }
}

// However far it had come, it goes on; and it is never said to be done before it is.
TEST_F(Rotation, GoesOnAfterACrashAtEachStep) {
  for (uint64_t crash_at = 1;; ++crash_at) {
    for (const bool done : {false, true}) {
      const int master = world_.keys().newest_master() + 1;
      world_.AddMasterKey();
      faulty_.faulty->CrashAt(crash_at, done);
      const bool begun = world_.master_keys().Take(world_.keys()).ok() && world_.master_keys().BeginRewrapping().ok();
      if (begun) (void)Rewrap(world_);
      const bool crashed = faulty_.faulty->crashed();
      faulty_.faulty->CrashAt(0, false);
      if (crashed) faulty_.faulty->Reopen();
      world_.Restart();
      ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
      if (Row(world_).reached == master) {
        EXPECT_EQ(SharesByMaster(world_).size(), 1U) << crash_at;
      } else {
        ASSERT_TRUE(world_.master_keys().BeginRewrapping().ok());
      }
      ASSERT_TRUE(Rewrap(world_).ok());
      EXPECT_EQ(SharesByMaster(world_), (std::map<int, int>{{master, 23}})) << crash_at;
      EXPECT_EQ(Row(world_).reached, master);
      world_.PutKeys(*world_.keys().WithoutMasterKey(static_cast<uint16_t>(master - 1)));
      ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
      if (!crashed) {
        EXPECT_GT(crash_at, 8U) << "the steps of three partitions";
        ExpectAllOpens();
        return;
      }
    }
  }
}

// A crash right after the first thing that the last step does: that must be the files, and nothing be said yet.
TEST_F(Rotation, TheFilesAreRewrittenBeforeItIsSaidToBeDone) {
  ASSERT_TRUE(AddAndBegin().ok());
  while (SharesByMaster(world_).count(1) != 0) ASSERT_TRUE(world_.rewrapping().Next().ok());
  faulty_.faulty->CrashAt(1, true);
  absl::StatusOr<service::RewrapShares::Piece> piece = world_.rewrapping().Next();
  while (piece.ok()) piece = world_.rewrapping().Next();
  EXPECT_TRUE(faulty_.faulty->crashed());
  faulty_.faulty->Calm();
  faulty_.faulty->Reopen();
  EXPECT_EQ(Row(world_).reached, 1);
  ASSERT_TRUE(Rewrap(world_).ok());
  EXPECT_EQ(Row(world_).reached, 2);
}

TEST_F(Rotation, AKeyFileThatDoesNotFitIsRefused) {
  const base::Keys first = world_.keys();
  const auto refused = [&](const base::Keys& file) {
    const absl::Status taken = world_.master_keys().Take(file);
    EXPECT_EQ(ReasonOf(taken), "KEY_FILE_REFUSED") << taken;
    return std::string(taken.message());
  };
  SeededRandom other(99);
  EXPECT_NE(refused(base::Keys::Generate(other)).find("another store"), std::string::npos);
  ASSERT_TRUE(AddAndBegin().ok());
  const base::Keys second = world_.keys();
  EXPECT_NE(refused(first).find("a copy of before a rotation"), std::string::npos);
  EXPECT_NE(refused(*first.WithNewMasterKey(other)).find("another key under that number"), std::string::npos);
  // Under way: the first is still needed, and so is what lies between.
  EXPECT_NE(refused(*second.WithoutMasterKey(1)).find("lacks master key 1"), std::string::npos);
  const base::Keys third = *second.WithNewMasterKey(other);
  ASSERT_TRUE(world_.master_keys().Take(second).ok());
  ASSERT_TRUE(world_.Register("under two", "DE").ok());
  ASSERT_TRUE(world_.master_keys().Take(third).ok());
  EXPECT_NE(refused(*third.WithoutMasterKey(2)).find("lacks master key 2"), std::string::npos);
  world_.PutKeys(third);
  ASSERT_TRUE(world_.master_keys().BeginRewrapping().ok());
  ASSERT_TRUE(Rewrap(world_).ok());
  EXPECT_EQ(Row(world_).reached, 3);
  EXPECT_EQ(SharesByMaster(world_), (std::map<int, int>{{3, 24}}));
  EXPECT_TRUE(world_.master_keys().Take(*(*third.WithoutMasterKey(1)).WithoutMasterKey(2)).ok());
  ExpectAllOpens();
}

TEST_F(Rotation, AShareThatBelongsToNobodyIsToldAndKeepsItFromItsEnd) {
  ASSERT_TRUE(AddAndBegin().ok());
  const std::string stray = world_.keys().NewPayloadKey(world_.Handle("nobody"), world_.random).share;
  std::string old_stray = stray;
  old_stray[1] = 1;
  world_.inner_store().Damage({1}, {store::Table::kKeyShare, std::string(16, 'x')}, old_stray);
  const absl::Status rewrapped = Rewrap(world_);
  EXPECT_EQ(ReasonOf(rewrapped), "INTERNAL");
  EXPECT_NE(rewrapped.message().find("1 shares of keys belong to no"), std::string::npos) << rewrapped;
  EXPECT_EQ(Row(world_).reached, 1);
  EXPECT_EQ(world_.rewrapping().left(), 1U);
}

}  // namespace
}  // namespace consent::test
