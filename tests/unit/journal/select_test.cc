// What is journaled of which commit.
#include <gtest/gtest.h>

#include <set>

#include "daemon/journal/select.h"

namespace consent::test {
namespace {

using journal::Carried;
using journal::Entry;
using journal::Rows;
using service::ChangeKind;
using store::Table;

std::vector<ChangeKind> AllKinds() {
  std::vector<ChangeKind> kinds;
  for (int number = 0; number < 256; ++number) {
    if (service::IsKnown(static_cast<ChangeKind>(number))) kinds.push_back(static_cast<ChangeKind>(number));
  }
  return kinds;
}

// A commit of a subject's that writes a row of every table, and deletes another.
struct Sample {
  store::Event event;
  std::vector<store::Write> writes;
  base::Digest chain{};

  explicit Sample(ChangeKind kind, const std::vector<domain::FactChange>& changes = {}) {
    service::ChangeRow row;
    row.kind = kind;
    row.changes = changes;
    event.subject = std::string(16, 's');
    event.body = service::EncodeChangeRow(row);
    for (uint8_t table = 1; table <= store::kMaxTable; ++table) {
      writes.push_back({static_cast<Table>(table), "put", "value"});
      writes.push_back({static_cast<Table>(table), "gone", std::nullopt});
    }
  }
  Entry Select() const { return journal::EntryOf({{0}, {1, base::Instant{1}}, event, writes, chain}); }
};

std::set<Table> Tables(const Entry& entry, journal::Content content) {
  std::set<Table> tables;
  for (const journal::Row& row : entry.rows) {
    if (row.content == content) tables.insert(row.table);
  }
  return tables;
}

domain::FactChange Changed(domain::ChangedWhat what, bool loosens) {
  domain::FactChange change;
  change.what = what;
  change.purpose = domain::Purpose::kHumanReview;
  change.loosens = loosens;
  return change;
}

TEST(Select, EachKindIsDecided) {
  const std::set<ChangeKind> tries = {ChangeKind::kTasksLeased, ChangeKind::kTaskFailed, ChangeKind::kTaskRetried,
                                      ChangeKind::kRestored};
  const std::set<ChangeKind> bare = {ChangeKind::kHoldReleased, ChangeKind::kKeysRotated};
  for (const ChangeKind kind : AllKinds()) {
    const Entry entry = Sample(kind).Select();
    EXPECT_EQ(entry.change, kind);
    EXPECT_EQ(entry.subject, std::string(16, 's'));
    EXPECT_EQ(entry.rows.empty(), bare.contains(kind)) << static_cast<int>(kind);
    const bool loosens = kind == ChangeKind::kHoldReleased || kind == ChangeKind::kDeletionCancelled;
    EXPECT_EQ(!entry.loosened.empty(), loosens) << static_cast<int>(kind);
    if (entry.rows.empty()) continue;
    EXPECT_EQ(Tables(entry, journal::Content::kValue).contains(Table::kSubject), kind != ChangeKind::kDeletionCancelled)
        << static_cast<int>(kind);
    EXPECT_EQ(Tables(entry, journal::Content::kValue).contains(Table::kTask), !tries.contains(kind))
        << static_cast<int>(kind);
  }
}

TEST(Select, EachTableIsDecided) {
  const std::set<Table> never = {Table::kRequest, Table::kLease, Table::kLeaseRenewal, Table::kMasterKey};
  const std::set<Table> deletions = {Table::kNames, Table::kKeyShare};
  const Entry entry = Sample(ChangeKind::kErased).Select();
  const std::set<Table> values = Tables(entry, journal::Content::kValue);
  const std::set<Table> gone = Tables(entry, journal::Content::kDeleted);
  constexpr auto kLast = static_cast<uint8_t>(Table::kReview);  // the newest: a later one has to be decided here too
  for (uint8_t number = 1; number <= store::kMaxTable; ++number) {
    const auto table = static_cast<Table>(number);
    const bool is_one = number <= kLast;
    EXPECT_EQ(values.contains(table), is_one && !never.contains(table) && !deletions.contains(table)) << int{number};
    EXPECT_EQ(gone.contains(table), is_one && !never.contains(table)) << int{number};
  }
  EXPECT_EQ(journal::SnapshotTables().size(), gone.size());
  EXPECT_EQ(journal::RowsOf(Table::kKeyShare), Rows::kDeletions) << "a share opens what is sealed: never in a journal";
}

TEST(Select, TheRecordIsLeftOutWhereAllIsLoosened) {
  const auto yes = Changed(domain::ChangedWhat::kPurpose, true);
  const auto no = Changed(domain::ChangedWhat::kRetention, false);
  struct Case {
    std::vector<domain::FactChange> changes;
    bool with_record;
    size_t loosened;
  };
  for (const ChangeKind kind : {ChangeKind::kUpsertSubject, ChangeKind::kUpdateSettings, ChangeKind::kOptOut}) {
    for (const Case& c : {Case{{yes}, false, 1}, Case{{yes, yes}, false, 2}, Case{{no}, true, 0},
                          Case{{yes, no}, true, 1}, Case{{}, true, 0}}) {
      const Entry entry = Sample(kind, c.changes).Select();
      const std::set<Table> values = Tables(entry, journal::Content::kValue);
      EXPECT_EQ(values.contains(Table::kSubject), c.with_record);
      EXPECT_TRUE(values.contains(Table::kDeletion)) << "requests that a consent ends are cancelled all the same";
      ASSERT_EQ(entry.loosened.size(), c.loosened);
      for (const journal::Loosened& one : entry.loosened) EXPECT_EQ(one.purpose, domain::Purpose::kHumanReview);
    }
  }
}

TEST(Select, TheFeedAloneGivesABareEntry) {
  const Sample sample(ChangeKind::kUpdateSettings, {Changed(domain::ChangedWhat::kPurpose, true)});
  store::FeedRow row;
  row.stamp = {9, base::Instant{7}};
  row.event = sample.event;
  Entry entry = journal::BareEntry({2}, row);
  EXPECT_TRUE(entry.rows.empty());
  EXPECT_EQ(entry.change, ChangeKind::kUpdateSettings);
  EXPECT_EQ(entry.loosened.size(), 1u);
  EXPECT_EQ(entry.stamp.sequence, 9u);
  row.event = {};
  row.erased = true;
  entry = journal::BareEntry({2}, row);
  EXPECT_FALSE(entry.change.has_value());
  EXPECT_TRUE(entry.subject.empty());
}

}  // namespace
}  // namespace consent::test
