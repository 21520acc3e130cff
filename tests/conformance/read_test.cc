// Rows: keys of any bytes, ranges, limits, resuming, erasing, reopening.
#include <algorithm>
#include <map>
#include <random>

#include "tests/conformance/suite.h"

namespace consent::test {
namespace {

using store::Change;
using store::Outcome;
using store::Table;

TEST_P(Conformance, KeysAndValuesAreBytes) {
  std::map<std::string, std::string> model;
  Change change;
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string& key : {std::string(1, static_cast<char>(byte)), std::string(2, static_cast<char>(byte)),
                                   "a" + std::string(1, static_cast<char>(byte)) + "z"}) {
      model[key] = std::string(1, static_cast<char>(255 - byte)) + key;
    }
  }
  model[""] = "the empty key";
  model["empty value"] = "";
  for (const char* key :
       {"Key", "key", "KEY", "stra\303\237e", "strasse", "\xc3\xa9", "e\xcc\x81", "\xff\xfe not UTF-8"}) {
    model[key] = key;
  }
  for (const auto& [key, value] : model) change.writes.push_back({Table::kSubject, key, value});
  ASSERT_EQ(Commit({}, change).outcome, Outcome::kCommitted);
  for (int round = 0; round < 2; ++round) {
    for (const auto& [key, value] : model) ASSERT_EQ(Value(key), value);
    EXPECT_EQ(ScanAll("", "", SIZE_MAX), Rows(model.begin(), model.end()));
    if (!harness().Reopen()) break;
  }
}

TEST_P(Conformance, TablesAndPartitionsAreApart) {
  const std::vector<Table> kEach = {Table::kSubject,
                                    Table::kNames,
                                    Table::kKeyShare,
                                    Table::kRequest,
                                    Table::kRecording,
                                    Table::kPolicy,
                                    Table::kSuspension,
                                    Table::kDeletion,
                                    Table::kDeletionBySubject,
                                    Table::kTask,
                                    Table::kSystem,
                                    Table::kHold,
                                    Table::kErasure,
                                    Table::kOpenDeletionBySelector};
  for (const Table table : kEach) {
    Put("k", std::to_string(static_cast<int>(table)), table);
  }
  for (const Table table : kEach) {
    EXPECT_EQ(Value("k", table), std::to_string(static_cast<int>(table)));
    EXPECT_EQ(ScanAll("", "", 10, table).size(), 1u);
  }
  for (uint16_t p = 0; p < last().number; ++p) {
    EXPECT_TRUE(absl::IsNotFound(db().Get(store::Partition{p}, Table::kSubject, "k").status()));
  }
}

TEST_P(Conformance, ScanRangesLimitsAndResuming) {
  for (const char* key : {"a", "b", "b\x01", "c", "d"}) Put(key, key);
  const auto keys = [](const Rows& rows) {
    std::vector<std::string> all;
    for (const auto& row : rows) all.push_back(row.first);
    return all;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(ScanAll("", "", 100)), (Keys{"a", "b", "b\x01", "c", "d"}));
  EXPECT_EQ(keys(ScanAll("b", "c", 100)), (Keys{"b", "b\x01"}));
  EXPECT_EQ(keys(ScanAll("b", "b", 100)), Keys{});
  EXPECT_EQ(keys(ScanAll("c", "b", 100)), Keys{});
  EXPECT_EQ(keys(ScanAll("bb", "", 100)), (Keys{"c", "d"}));
  EXPECT_EQ(keys(ScanAll("", "", 0)), Keys{});
  EXPECT_EQ(keys(ScanAll("", "", 2)), (Keys{"a", "b"}));
  EXPECT_EQ(keys(ScanAll(std::string("b") + '\0', "", 2)), (Keys{"b\x01", "c"}));
  Keys seen;
  EXPECT_TRUE(db().Scan(last(), Table::kSubject, "", "", 100,
                        [&seen](std::string_view key, std::string_view) {
                          seen.emplace_back(key);
                          return seen.size() < 3;
                        })
                  .ok());
  EXPECT_EQ(seen, (Keys{"a", "b", "b\x01"}));
}

TEST_P(Conformance, ScanInPiecesSeesWhatOneScanSees) {
  const uint64_t seed = 20'240'601;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Change change;
  for (int i = 0; i < 1500; ++i) {
    std::string key(random() % 12, '\0');
    for (char& c : key) c = static_cast<char>(random() % 4 == 0 ? 0 : random());
    change.writes.push_back({Table::kRecording, key, std::to_string(i)});
  }
  ASSERT_EQ(Commit({}, change).outcome, Outcome::kCommitted);
  const Rows whole = ScanAll("", "", SIZE_MAX, Table::kRecording);
  Rows pieces;
  for (std::string from;;) {
    const Rows piece = ScanAll(from, "", 1 + random() % 600, Table::kRecording);
    if (piece.empty()) break;
    pieces.insert(pieces.end(), piece.begin(), piece.end());
    from = piece.back().first + '\0';
  }
  EXPECT_EQ(pieces, whole);
  EXPECT_TRUE(std::is_sorted(whole.begin(), whole.end()));
}

TEST_P(Conformance, EraseDeletesRowsOutsideTheOrder) {
  Put("a", "1");
  Put("b", "1");
  const store::Head before = db().GetHead(last());
  ASSERT_TRUE(db().Erase(last(), {{Table::kSubject, "a"}, {Table::kSubject, "never there"}}).ok());
  EXPECT_EQ(Value("a"), "<none>");
  EXPECT_EQ(Value("b"), "1");
  EXPECT_EQ(db().GetHead(last()).chain, before.chain);
  EXPECT_EQ(Commit({{Table::kSubject, "a", std::nullopt}}, {}).outcome, Outcome::kCommitted);
  if (harness().Reopen()) {
    EXPECT_EQ(Value("a"), "<none>");
  }
}

TEST_P(Conformance, KeepsItsIdAndItsRowsWhenReopened) {
  const base::Bytes16 id = db().store_id();
  for (int i = 0; i < 100; ++i) Put(std::to_string(i), "v");
  const store::Head head = db().GetHead(last());
  if (!harness().Reopen()) GTEST_SKIP() << "keeps nothing";
  EXPECT_EQ(db().store_id(), id);
  EXPECT_EQ(db().partition_count(), GetParam().partitions);
  EXPECT_EQ(db().GetHead(last()).stamp.sequence, head.stamp.sequence);
  EXPECT_EQ(db().GetHead(last()).stamp.time, head.stamp.time);
  EXPECT_EQ(db().GetHead(last()).chain, head.chain);
  EXPECT_EQ(ScanAll("", "", SIZE_MAX).size(), 100u);
  CheckChain(WholeFeed(), {}, 1);
  clock().Set(head.stamp.time - base::Hours(1));
  EXPECT_EQ(Put("next", "v").stamp.time, head.stamp.time + base::Microseconds(1));
}

}  // namespace
}  // namespace consent::test
