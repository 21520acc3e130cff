// An offline look at a store: nothing is wrong with what the use cases write, and what somebody changed is found.
#include <gtest/gtest.h>

#include <set>

#include "daemon/service/inspect/inspect_store.h"
#include "daemon/service/inspect/row_check.h"
#include "tests/support/service/deleting.h"
#include "tests/support/store/frozen_memory.h"
#include "tests/unit/service/joining.h"

namespace consent::test {
namespace {

using service::CheckRow;
using service::InspectReport;
using service::RowFault;
using store::Table;

InspectReport Inspect(const FrozenMemory& store, bool links = true) {
  service::InspectOptions options;
  options.links = links;
  absl::StatusOr<InspectReport> report = service::InspectStore(store, options);
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *report : InspectReport();
}

std::string Problems(const InspectReport& report) {
  std::string text;
  for (const auto& [what, rows] : report.problems) {
    text += what.first + ": " + std::to_string(rows) + " rows " + what.second + "\n";
  }
  return text;
}

class InspectTest : public ::testing::Test {
 protected:
  InspectTest() : world_(Options()), deleting_(world_) { Live(); }
  static World::Options Options() {
    World::Options options;
    options.partitions = 3;
    return options;
  }

  // Something in as many tables as a world of this size has.
  void Live() {
    deleting_.Register(System("audio"));
    for (const char* account : {"ann", "ben", "cat", "dan", "eve"}) {
      ASSERT_TRUE(world_.Register(account, "DE", {Adult(std::string(account) + "-voice")}, {"echo"}).ok());
    }
    ASSERT_TRUE(world_.OptIn("ann", Account(), Only(domain::Purpose::kHumanReview)).ok());
    ASSERT_TRUE(world_.OptOut("ben", Device("echo"), Everything()).ok());
    ASSERT_TRUE(world_.Report("ann", "r1", domain::Flags::kSafety).ok());
    ASSERT_TRUE(world_.OptOut("never seen", Account(), Everything()).ok());
    deleting_.Ask("ben", deleting_.Recordings({"r2", "r3"}));
    deleting_.Ask("cat", AllOfIt());
    deleting_.Hold("dan", deleting_.HeldRecordings({"r4"}));
    const auto released = deleting_.Hold("dan", deleting_.HeldRecordings({"r5"}));
    ASSERT_TRUE(deleting_.Release(released).ok());
    const auto denied = deleting_.Ask("eve", AllOfIt(), domain::DeletionState::kReceived);
    ASSERT_TRUE(deleting_.Step(denied, service::DeletionStep::kDeny, "not shown").ok());
    ASSERT_EQ(deleting_.Work("audio"), 2U);
    deleting_.Ask("dan", AllOfIt());  // waits for the hold
    const base::Month march = *base::Month::Parse("2026-03");
    there_ = *world_.month_keys().TakeOrMake(march);
    gone_ = *world_.month_keys().TakeOrMake(march.Plus(-1));
    ASSERT_TRUE(world_.month_keys().DestroyBefore(march).ok());
  }

  FrozenMemory Frozen() { return FrozenMemory(world_.store()); }

  World world_;
  Deleting deleting_;
  service::MonthKey there_;  // keys of the decision log
  service::MonthKey gone_;
};

TEST_F(InspectTest, NothingIsWrongWithWhatTheUseCasesWrite) {
  const InspectReport report = Inspect(Frozen());
  EXPECT_EQ(Problems(report), "");
  EXPECT_EQ(report.tables.at("subject").rows, 6U);
  uint64_t subjects = 0;
  for (const uint64_t of_partition : report.subjects) subjects += of_partition;
  EXPECT_EQ(subjects, 6U);
  for (uint16_t p = 0; p < 3; ++p) {
    EXPECT_EQ(report.heads[p].stamp.sequence, world_.store().GetHead({p}).stamp.sequence);
    EXPECT_EQ(report.heads[p].chain, world_.store().GetHead({p}).chain);
  }
}

TEST_F(InspectTest, NorAfterAnAccountWasClosedAndErased) {
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  deleting_.Ask("ann", closure);
  EXPECT_EQ(deleting_.Work("audio"), 2U) << "the closure, and what of dan's is not on hold";
  EXPECT_EQ(Problems(Inspect(Frozen())), "");
}

TEST_F(InspectTest, NorAfterAJoinNorInOneThatIsUnderWay) {
  ASSERT_TRUE(Join(world_, "dan", "eve").ok());
  deleting_.Hold("eve", domain::HeldPart{});
  service::ChangeRequest begins = Request(world_, "ann", "eve").from;
  begins.command.join = domain::JoinCommand{domain::JoinStep::kBegin, world_.Handle("eve"), false, nullptr};
  ASSERT_TRUE(world_.Submit(std::move(begins)).ok());
  EXPECT_EQ(world_.core().joins.open(), 1U);
  EXPECT_EQ(Problems(Inspect(Frozen())), "");
}

// Each row of each table: without its last byte, with a byte more, and with another first byte, its decoder refuses it,
// unless the table is one of sealed bytes, of which nobody can tell without keys.
TEST_F(InspectTest, ARowThatIsCutOrGrownIsFound) {
  const std::set<Table> sealed = {Table::kNames, Table::kProposal};
  FrozenMemory frozen = Frozen();
  std::set<Table> seen;
  for (auto& [key, value] : frozen.rows()) {
    seen.insert(key.table);
    ASSERT_EQ(CheckRow(key.table, key.key, value), RowFault::kNone) << service::TableName(key.table);
    EXPECT_NE(CheckRow(key.table, key.key + "x", value), RowFault::kNone) << service::TableName(key.table);
    if (sealed.count(key.table) != 0) continue;
    EXPECT_EQ(CheckRow(key.table, key.key, value + "x"), RowFault::kValue) << service::TableName(key.table);
    if (value.empty()) continue;
    EXPECT_EQ(CheckRow(key.table, key.key, value.substr(1)), RowFault::kValue) << service::TableName(key.table);
    const std::string whole = value;
    value.pop_back();
    EXPECT_FALSE(Inspect(frozen, false).IsSound()) << service::TableName(key.table);
    value = whole;
  }
  EXPECT_GE(seen.size(), 14U) << "the world's rows lie in fewer tables than before";
}

TEST_F(InspectTest, AMonthsKeyHasItsShareUntilItIsDestroyed) {
  FrozenMemory frozen = Frozen();
  const auto share = [](const service::MonthKey& key) {
    return FrozenMemory::Key{Table::kKeyShare, service::kMonthKeyPartition, service::MonthKeyShareKey(key.name)};
  };
  const std::string bytes = frozen.rows().at(share(there_));
  frozen.rows().erase(share(there_));
  EXPECT_EQ(Problems(Inspect(frozen)), "decision-log: 1 rows without a key share\n");
  frozen.rows()[share(there_)] = bytes;
  EXPECT_EQ(Problems(Inspect(frozen)), "");
  frozen.rows()[share(gone_)] = bytes;
  EXPECT_EQ(Problems(Inspect(frozen)), "decision-log: 1 rows of a key that was destroyed, with its share\n");
}

// Each row taken away. Without keys nobody can tell that these are gone: an idempotency key; the marks of a recording
// whose request names it by its handle alone; the share of a request's key; names, which a subject need not have; what
// waits to be erased; what only partition 0 counts; and which notices were used.
TEST_F(InspectTest, ARowThatIsGoneIsFound) {
  const std::set<Table> cannot_tell = {
      Table::kRequest,  Table::kRecording,   Table::kNames,      Table::kErasure, Table::kSweep,
      Table::kProposal, Table::kDecisionLog, Table::kSafetyFlag, Table::kTask,    Table::kOpenDeletionBySelector};
  FrozenMemory frozen = Frozen();
  std::set<Table> found;
  const std::map<FrozenMemory::Key, std::string> all = frozen.rows();
  std::set<Table> missed;
  for (const auto& [key, value] : all) {
    frozen.rows().erase(key);
    (Inspect(frozen).IsSound() ? missed : found).insert(key.table);
    frozen.rows().emplace(key, value);
  }
  for (const Table table : {Table::kSubject, Table::kKeyShare, Table::kDeletion, Table::kDeletionBySubject,
                            Table::kDeletionById, Table::kHold, Table::kHoldById, Table::kSystem, Table::kPolicy}) {
    EXPECT_EQ(found.count(table), 1U) << service::TableName(table);
  }
  for (const Table table :
       {Table::kSubject, Table::kDeletion, Table::kDeletionBySubject, Table::kDeletionById, Table::kHoldById}) {
    EXPECT_EQ(missed.count(table), 0U) << service::TableName(table);
  }
  EXPECT_EQ(found.count(Table::kTask), 1U) << "a request that owes something wants its task";
  for (const Table table : missed) {
    const bool partly = table == Table::kPolicy || table == Table::kKeyShare || table == Table::kSystem ||
                        table == Table::kHold || table == Table::kSuspension;
    EXPECT_TRUE(partly || cannot_tell.count(table) != 0) << service::TableName(table);
  }
}

TEST_F(InspectTest, ARowOfATableThatNobodyKnowsIsFound) {
  FrozenMemory frozen = Frozen();
  frozen.rows()[{static_cast<Table>(99), {0}, "key"}] = "value";
  EXPECT_EQ(Problems(Inspect(frozen, false)), "table-99: 1 rows of a table that this build does not know\n");
}

TEST_F(InspectTest, AFeedThatWasChangedIsFound) {
  FrozenMemory frozen = Frozen();
  auto& feed = frozen.feeds()[0];
  ASSERT_GT(feed.size(), 4U);
  const auto whole = feed;
  feed[2]->event.body.back() ^= 1;
  EXPECT_FALSE(Inspect(frozen, false).IsSound()) << "a byte of an event";
  feed = whole;
  feed[2]->event.commitment[0] ^= 1;
  EXPECT_FALSE(Inspect(frozen, false).IsSound()) << "a byte of a commitment";
  feed = whole;
  feed[2]->chain[5] ^= 1;
  EXPECT_FALSE(Inspect(frozen, false).IsSound()) << "a byte of a chain";
  feed = whole;
  feed.erase(feed.begin() + 2);
  EXPECT_FALSE(Inspect(frozen, false).IsSound()) << "a row in the middle";
  feed = whole;
  feed[1] = std::nullopt;
  EXPECT_FALSE(Inspect(frozen, false).IsSound()) << "a row that cannot be read";
  feed = whole;
  store::FeedRow stub{feed[2]->stamp, {}, feed[2]->chain, true};
  feed[2] = stub;
  EXPECT_TRUE(Inspect(frozen, false).IsSound()) << "an erased row keeps its chain";
}

// A record that an older copy has brought back says less than the feed tells.
TEST_F(InspectTest, ARecordThatIsOlderThanItsLastChangeIsFound) {
  FrozenMemory before = Frozen();
  ASSERT_TRUE(world_.OptOut("ann", Account(), Everything()).ok());
  FrozenMemory after = Frozen();
  for (auto& [key, value] : after.rows()) {
    if (key.table == Table::kSubject) value = before.rows().at(key);
  }
  EXPECT_EQ(Problems(Inspect(after)), "subject: 1 rows that are older than a change in the feed\n");
}

TEST_F(InspectTest, ItEndsWhereItIsAskedTo) {
  FrozenMemory frozen = Frozen();
  for (int i = 0; i < 20'000; ++i) {
    std::string key = "0123456789abcdef";
    key.replace(0, 5, std::to_string(10'000 + i));
    frozen.rows()[{Table::kRequest, {0}, key}] = std::string(32, '\0');
  }
  std::atomic<uint64_t> seen{0};
  service::InspectOptions options;
  options.seen = &seen;
  options.stop = [] { return true; };
  EXPECT_TRUE(absl::IsCancelled(service::InspectStore(frozen, options).status()));
  EXPECT_EQ(seen, 10'000U);
}

}  // namespace
}  // namespace consent::test
