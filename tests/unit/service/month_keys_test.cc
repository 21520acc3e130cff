// Keys of the decision log by month: one for each, durable before it is used, found by name, and destroyed for good.
#include "daemon/service/erasure/month_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/service/rows/erasure_rows.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {
namespace {

using service::MonthKey;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const base::Month kMarch = *base::Month::Parse("2026-03");

class MonthKeysTest : public ::testing::Test {
 protected:
  MonthKeysTest() : faulty_({.partitions = 3}), world_(faulty_.world) {
    EXPECT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  }
  MonthKey Take(base::Month month) {
    absl::StatusOr<MonthKey> key = world_.month_keys().TakeOrMake(month);
    EXPECT_TRUE(key.ok()) << key.status();
    EXPECT_TRUE(key->key.has_value());
    return *key;
  }
  std::optional<std::string> Row(store::Table table, const std::string& key) {
    const auto row = world_.core().store.Get(service::kMonthKeyPartition, table, key);
    return row.ok() ? std::optional<std::string>(*row) : std::nullopt;
  }
  std::optional<std::string> Share(const MonthKey& key) {
    return Row(store::Table::kKeyShare, service::MonthKeyShareKey(key.name));
  }
  std::optional<base::Bytes16> Found(const MonthKey& key) {
    const auto found = world_.month_keys().Find(key.name);
    EXPECT_TRUE(found.ok() && found->has_value());
    return (*found)->key;
  }
  void Rewrap() {
    for (;;) {
      const auto piece = world_.rewrapping().Next();
      ASSERT_TRUE(piece.ok()) << piece.status();
      if (piece->is_idle) return;
    }
  }
  size_t Rows() { return service::LoadMonthKeys(world_.core().store)->size(); }

  FaultyWorld faulty_;
  World& world_;
};

TEST_F(MonthKeysTest, AMonthHasOneKeyAndKeepsIt) {
  const MonthKey march = Take(kMarch);
  EXPECT_EQ(march.name.month, kMarch);
  const MonthKey april = Take(kMarch.Plus(1));
  EXPECT_NE(april.key, march.key);
  EXPECT_EQ(Take(kMarch).name, march.name);
  // A crash before the first line: the key is there, and no second one is made.
  world_.Restart();
  const MonthKey again = Take(kMarch);
  EXPECT_EQ(again.name, march.name);
  EXPECT_EQ(again.key, march.key);
  EXPECT_EQ(Found(april), april.key);
  EXPECT_EQ(Rows(), 2U);
  const auto of_march = world_.month_keys().Of(kMarch);
  ASSERT_TRUE(of_march.ok());
  ASSERT_EQ(of_march->size(), 1U);
  EXPECT_EQ(of_march->front().name, march.name);
  EXPECT_FALSE(world_.month_keys().Find({kMarch, march.name.number + 1})->has_value()) << "nobody had that one";
}

// What the key file holds opens no line: the key is drawn, and lies in the store alone.
TEST_F(MonthKeysTest, TheKeyFileAloneHasNoKeyOfAMonth) {
  const MonthKey march = Take(kMarch);
  FaultyWorld another({.partitions = 3, .store = 1});  // the same keys, the same month, another store
  const auto others = another.world.month_keys().TakeOrMake(kMarch);
  ASSERT_TRUE(others.ok());
  EXPECT_EQ(another.world.keys().Fingerprint(), world_.keys().Fingerprint());
  const base::Bytes16 derived = world_.keys().DiskHash("decision log", kMarch.ToText());
  EXPECT_NE(march.key, derived);
  // The share is wrapped under the master key, for this name alone.
  const auto opened = world_.keys().OpenShare(service::WrapHandleOf(march.name), *Share(march));
  ASSERT_TRUE(opened.ok());
  const base::MonthKeyName next{march.name.month, march.name.number + 1};
  EXPECT_FALSE(world_.keys().OpenShare(service::WrapHandleOf(next), *Share(march)).ok());
}

// Two processes over one store: whoever comes second writes under the first one's key.
TEST_F(MonthKeysTest, WhoComesInBetweenHasTheSameKey) {
  std::optional<MonthKey> first;
  faulty_.faulty->BeforeNextCommit([&] { first = Take(kMarch); });
  const MonthKey second = Take(kMarch);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(second.name, first->name);
  EXPECT_EQ(second.key, first->key);
  EXPECT_EQ(Rows(), 1U);
}

TEST_F(MonthKeysTest, WithoutThePreconditionThereWouldBeTwo) {
  faulty_.faulty->ForgetPreconditionsOf(store::Table::kDecisionLog);
  faulty_.faulty->BeforeNextCommit([&] { Take(kMarch); });
  Take(kMarch);
  EXPECT_EQ(Rows(), 2U) << "the test above finds nothing";
}

TEST_F(MonthKeysTest, AWriteThatFailsGivesNoKey) {
  faulty_.faulty->Inject(Fault::kUnknownLost);
  EXPECT_EQ(ReasonOf(world_.month_keys().TakeOrMake(kMarch)), "OUTCOME_UNKNOWN");
  EXPECT_EQ(ReasonOf(world_.month_keys().TakeOrMake(kMarch)), "STORE_UNREADABLE") << "nor while it stays failed";
  faulty_.faulty->Reopen();
  EXPECT_EQ(Rows(), 0U);
  faulty_.faulty->Inject(Fault::kUnknownDone);
  EXPECT_EQ(ReasonOf(world_.month_keys().TakeOrMake(kMarch)), "OUTCOME_UNKNOWN");
  faulty_.faulty->Reopen();
  ASSERT_EQ(Rows(), 1U);
  EXPECT_EQ(Take(kMarch).name, service::LoadMonthKeys(world_.core().store)->front().name)
      << "what was written after all is used";
  EXPECT_EQ(Rows(), 1U);
}

TEST_F(MonthKeysTest, AShareThatCannotBeOpenedIsAnErrorAndNoSecondKey) {
  const MonthKey march = Take(kMarch);
  std::string damaged = *Share(march);
  damaged.back() ^= 1;
  world_.inner_store().Damage(service::kMonthKeyPartition,
                              {store::Table::kKeyShare, service::MonthKeyShareKey(march.name)}, damaged);
  const auto taken = world_.month_keys().TakeOrMake(kMarch);
  EXPECT_EQ(ReasonOf(taken), "INTERNAL");
  EXPECT_NE(taken.status().message().find(march.name.ToText()), std::string::npos) << taken.status();
  EXPECT_EQ(Rows(), 1U);
}

TEST_F(MonthKeysTest, OldOnesAreDestroyedAndNoOthers) {
  const MonthKey january = Take(kMarch.Plus(-2));
  const MonthKey february = Take(kMarch.Plus(-1));
  const MonthKey march = Take(kMarch);
  const std::string share = *Share(january);
  const auto destroyed = world_.month_keys().DestroyBefore(kMarch.Plus(-1));
  ASSERT_TRUE(destroyed.ok()) << destroyed.status();
  EXPECT_THAT(*destroyed, ElementsAre(january.name));
  EXPECT_EQ(Share(january), std::nullopt);
  EXPECT_EQ(Found(january), std::nullopt) << "known, and gone";
  EXPECT_EQ(Found(february), february.key);
  EXPECT_EQ(Found(march), march.key);
  EXPECT_THAT(*world_.month_keys().DestroyBefore(kMarch.Plus(-1)), IsEmpty());
  // Its former bytes wait to leave the files, whatever happens to the process.
  world_.Restart();
  bool listed = false;
  EXPECT_TRUE(world_.core()
                  .store
                  .Scan(service::kMonthKeyPartition, store::Table::kErasure, "", "", SIZE_MAX,
                        [&](std::string_view, std::string_view value) {
                          base::Instant since;
                          store::EraseTargets targets;
                          EXPECT_TRUE(service::DecodeWaiting(value, &since, &targets));
                          for (const store::RowKey& row : targets.rows) {
                            listed = listed || (row.table == store::Table::kKeyShare &&
                                                row.key == service::MonthKeyShareKey(january.name));
                          }
                          return true;
                        })
                  .ok());
  EXPECT_TRUE(listed);
  // Who writes in that month once more (a clock that was wrong) has another key.
  const MonthKey anew = Take(january.name.month);
  EXPECT_NE(anew.name, january.name);
  EXPECT_NE(anew.key, january.key);
  const auto both = world_.month_keys().Of(january.name.month);
  ASSERT_EQ(both->size(), 2U);
  EXPECT_NE(both->at(0).key.has_value(), both->at(1).key.has_value());
}

TEST_F(MonthKeysTest, ARotationOfTheMasterKeyCoversThem) {
  const MonthKey march = Take(kMarch);
  world_.AddMasterKey();
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  ASSERT_TRUE(world_.master_keys().BeginRewrapping().ok());
  Rewrap();
  EXPECT_EQ(base::MasterNumberOf(*Share(march)), world_.keys().newest_master());
  // The old one opens nothing any more, and is not needed.
  world_.PutKeys(*world_.keys().WithoutMasterKey(1));
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  EXPECT_EQ(Found(march), march.key);
  EXPECT_EQ(Take(kMarch).name, march.name);
}

// A rotation meanwhile must not bring the share back, nor the destruction leave the rewrapped one.
TEST_F(MonthKeysTest, DestroyedWhileItIsRewrappedItStaysDestroyed) {
  const MonthKey january = Take(kMarch.Plus(-2));
  world_.AddMasterKey();
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  ASSERT_TRUE(world_.master_keys().BeginRewrapping().ok());
  faulty_.faulty->BeforeNextCommit([&] { ASSERT_TRUE(world_.month_keys().DestroyBefore(kMarch).ok()); });
  Rewrap();
  EXPECT_EQ(Share(january), std::nullopt);
  EXPECT_EQ(Found(january), std::nullopt);
}

TEST_F(MonthKeysTest, HowManyThereAreIsBounded) {
  const std::string row = service::EncodeMonthKeyRow({At("2026-01-01T00:00:00Z"), {}});
  for (uint32_t i = 0; i < service::kMaxMonthKeys; ++i) {
    world_.inner_store().Damage(
        service::kMonthKeyPartition,
        {store::Table::kDecisionLog, service::MonthKeyRowKey({kMarch.Plus(static_cast<int>(i) + 1), i})}, row);
  }
  const auto taken = world_.month_keys().TakeOrMake(kMarch);
  EXPECT_EQ(ReasonOf(taken), "INTERNAL");
  EXPECT_NE(taken.status().message().find("2000 keys"), std::string::npos) << taken.status();
}

TEST(MonthKeyRows, AreReadStrictly) {
  const base::MonthKeyName name{kMarch, 7};
  base::MonthKeyName read;
  EXPECT_TRUE(service::ReadMonthKeyRowKey(service::MonthKeyRowKey(name), &read));
  EXPECT_EQ(read, name);
  for (const char* key :
       {"", "k", "decisions", "month-keys", "verification", "2026-03.00000007", "k2026-03.0000000g"}) {
    EXPECT_FALSE(service::ReadMonthKeyRowKey(key, &read)) << key;
  }
  const service::MonthKeyRow row{At("2026-03-01T00:00:00Z"), At("2028-04-01T00:00:00Z")};
  const std::string bytes = service::EncodeMonthKeyRow(row);
  service::MonthKeyRow decoded;
  EXPECT_TRUE(service::DecodeMonthKeyRow(bytes, &decoded));
  EXPECT_EQ(decoded, row);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(service::DecodeMonthKeyRow(bytes.substr(0, size), &decoded)) << size;
  }
  EXPECT_FALSE(service::DecodeMonthKeyRow(bytes + '\0', &decoded));
  EXPECT_FALSE(service::DecodeMonthKeyRow("\x02" + bytes.substr(1), &decoded));
  EXPECT_FALSE(service::DecodeMonthKeyRow(service::EncodeMonthKeyRow({}), &decoded)) << "made at no time";
}

}  // namespace
}  // namespace consent::test
