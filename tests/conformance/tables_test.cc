// Tables are apart from each other, those included that no build has named yet.
#include "tests/conformance/suite.h"

namespace consent::test {
namespace {

using store::Change;
using store::Outcome;
using store::Table;

// The first stands for one with a family of its own on an engine, the others for those that share one.
constexpr Table kApart[] = {Table::kSubject, Table::kPolicy, Table::kHold,           Table{99},
                            Table{100},      Table{101},     Table{store::kMaxTable}};

TEST_P(Conformance, EqualKeysOfTwoTablesAreTwoRows) {
  const std::string keys[] = {"", std::string("\0", 1), "k", "k1", std::string(store::kMaxKeyBytes, '\xff')};
  for (const Table table : kApart) {
    for (const std::string& key : keys) {
      const std::string value = std::to_string(static_cast<int>(table)) + key;
      ASSERT_EQ(Commit({{table, key, std::nullopt}}, Change{{{table, key, value}}, {}}).outcome, Outcome::kCommitted);
    }
  }
  for (const Table table : kApart) {
    const Rows rows = ScanAll("", "", SIZE_MAX, table);
    ASSERT_EQ(rows.size(), std::size(keys));
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].first, keys[i]);
      EXPECT_EQ(rows[i].second, std::to_string(static_cast<int>(table)) + keys[i]);
    }
    EXPECT_EQ(ScanAll("k", "k1", SIZE_MAX, table).size(), 1u);
    EXPECT_EQ(ScanAll("k1", "", 1, table).size(), 1u);
  }
}

// A store that was made before anybody thought of the table.
TEST_P(Conformance, ATableIsAddedToAnExistingStore) {
  constexpr Table kAdded{100};
  Put("k", "1", Table::kHold);
  Put("k", "1");
  harness().Reopen();
  EXPECT_EQ(Value("k", kAdded), "<none>");
  EXPECT_TRUE(ScanAll("", "", SIZE_MAX, kAdded).empty());
  EXPECT_EQ(Commit({{kAdded, "k", std::nullopt}, {Table::kHold, "k", "1"}}, Change{{{kAdded, "k", "new"}}, {}}).outcome,
            Outcome::kCommitted);
  EXPECT_EQ(Commit({{kAdded, "k", std::nullopt}}, {}).outcome, Outcome::kConflict);
  EXPECT_EQ(Put("erased", "new", kAdded).outcome, Outcome::kCommitted);
  ASSERT_TRUE(db().Erase(last(), {{kAdded, "erased"}}).ok());
  ASSERT_TRUE(db().EraseFromFiles({{last(), {{{kAdded, "erased"}, {Table::kHold, "erased"}}, {}}}}).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ScanAll("", "", SIZE_MAX, kAdded), (Rows{{"k", "new"}}));
    EXPECT_EQ(Value("k", Table::kHold), "1");
    EXPECT_EQ(Value("k"), "1");
    if (!harness().Reopen()) break;
  }
}

TEST_P(Conformance, RefusesTablesThatCannotBe) {
  for (const Table table : {Table{0}, Table{store::kMaxTable + 1}, Table{255}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(db().Get(last(), table, "k").status()));
    EXPECT_TRUE(absl::IsInvalidArgument(db().Scan(last(), table, "", "", 1, [](auto, auto) { return true; })));
    EXPECT_TRUE(absl::IsInvalidArgument(db().Erase(last(), {{table, "k"}})));
    EXPECT_TRUE(absl::IsInvalidArgument(db().EraseFromFiles({{last(), {{{table, "k"}}, {}}}})));
    EXPECT_EQ(Put("k", "v", table).outcome, Outcome::kTooLarge);
    EXPECT_EQ(Commit({{table, "k", std::nullopt}}, {}).outcome, Outcome::kTooLarge);
  }
  EXPECT_EQ(db().GetHead(last()).stamp.sequence, 0u);
}

}  // namespace
}  // namespace consent::test
