#include "tests/fault/store/erasure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <set>

#include "daemon/base/random.h"

namespace consent::test {
namespace {

using store::Change;
using store::CommitResult;
using store::Outcome;
using store::Partition;
using store::RocksStore;
using store::Sequence;
using store::Stamp;
using store::Table;

constexpr Table kTablesUsed[] = {Table::kSubject, Table::kNames, Table::kKeyShare,
                                 // these share a family
                                 Table::kHold, Table{100}};

std::string Name(const std::pair<Table, std::string>& place) {
  std::string name = "row of table " + std::to_string(static_cast<int>(place.first)) + " that begins with";
  for (const char byte : place.second.substr(0, 4)) name += " " + std::to_string(static_cast<uint8_t>(byte));
  return name;
}

}  // namespace

std::string RandomBytes(std::mt19937_64& random, size_t n) {
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

Sequence CommitOrFail(store::Store& store, Change change, Partition partition) {
  std::promise<CommitResult> answer;
  store.Commit(
      partition, {}, [&change](const Stamp&) { return change; },
      [&answer](const CommitResult& result) { answer.set_value(result); });
  const CommitResult result = answer.get_future().get();
  EXPECT_EQ(result.outcome, Outcome::kCommitted);
  return result.stamp.sequence;
}

void ExpectNoTraces(const Traces& traces, const std::filesystem::path& folder, const std::string& when) {
  const auto found = traces.FindIn(folder);
  EXPECT_TRUE(found.empty()) << when << ": " << Describe(found);
}

void History::Reopen() {
  static base::SystemRandom random;
  store_.reset();
  RocksStore::Options options;
  options.db_path = folder_ / "db";
  options.head_path = folder_ / "head";
  options.clock = &clock_;
  options.random = &random;
  options.write_buffer_bytes = 1 << 20;
  auto opened = RocksStore::Open(options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = *std::move(opened);
}

void History::Fill(int count) {
  for (int i = 0; i < count; ++i) {
    Change change;
    for (const Table table : kTablesUsed) {
      change.writes.push_back({table, RandomBytes(random_, 16), RandomBytes(random_, 32 + random_() % 60)});
    }
    change.event = {RandomBytes(random_, 16), RandomBytes(random_, 20 + random_() % 90), {}};
    const std::string commitment = RandomBytes(random_, 32);
    std::copy(commitment.begin(), commitment.end(), change.event.commitment.begin());
    feed_[CommitOrFail(*store_, change)] = change.event;
    for (const store::Write& write : change.writes) rows_[{write.table, write.key}] = *write.value;
  }
}

void History::HurtRow(const Place& place) {
  const auto row = rows_.find(place);
  former_.Note(row->second, "former value of " + Name(place));
  remains_.rows.push_back({place.first, place.second});
  const uint64_t how = random_() % 3;
  if (how == 0) {
    row->second = RandomBytes(random_, 40);
    CommitOrFail(*store_, Change{{{place.first, place.second, row->second}}, {}});
    return;
  }
  former_.Note(place.second, "key of " + Name(place));
  if (how == 1) {
    CommitOrFail(*store_, Change{{{place.first, place.second, std::nullopt}}, {}});
  } else {
    EXPECT_TRUE(store_->Erase(Partition{}, {{place.first, place.second}}).ok());
  }
  rows_.erase(row);
}

void History::Hurt(int count) {
  for (const Table table : kTablesUsed) {
    for (int i = 0; i < count; ++i) {
      auto row = rows_.lower_bound({table, RandomBytes(random_, 1)});
      if (row == rows_.end() || row->first.first != table) row = rows_.lower_bound({table, ""});
      HurtRow(Place(row->first));
    }
    // The first and the last row of a table stand in the MANIFEST as the borders of files.
    HurtRow(Place(rows_.lower_bound({table, ""})->first));
    HurtRow(Place(std::prev(rows_.lower_bound({static_cast<Table>(static_cast<int>(table) + 1), ""}))->first));
  }
  std::vector<Sequence> erased;
  for (int i = 0; i < count; ++i) {
    const auto row = std::next(feed_.begin(), static_cast<int64_t>(random_() % feed_.size()));
    const std::string name = " of feed row " + std::to_string(row->first);
    former_.Note(row->second.subject, "subject" + name);
    former_.Note(row->second.body, "body" + name);
    former_.Note(base::View(row->second.commitment), "commitment" + name);
    erased.push_back(row->first);
    feed_.erase(row);
  }
  EXPECT_TRUE(store_->EraseFeed(Partition{}, erased).ok());
  remains_.feed.insert(remains_.feed.end(), erased.begin(), erased.end());
}

absl::Status History::EraseFromFiles() {
  absl::Status scrubbed = store_->EraseFromFiles({{Partition{}, remains_}});
  if (scrubbed.ok()) remains_ = {};
  return scrubbed;
}

void History::ExpectScrubbed(const std::string& when) {
  ExpectNoTraces(former_, folder(), when);
  Traces present;
  std::set<std::string> all;
  for (const auto& [place, value] : rows_) {
    present.Note(place.second, "key of " + Name(place));
    present.Note(value, "value of " + Name(place));
    all.insert({"key of " + Name(place), "value of " + Name(place)});
  }
  for (const auto& [file, found] : present.FindIn(folder())) {
    for (const std::string& what : found) all.erase(what);
  }
  EXPECT_TRUE(all.empty()) << when << ": the search does not find " << *all.begin() << " and " << all.size() - 1
                           << " more";
}

void History::ExpectRows() {
  std::map<Place, std::string> there;
  for (const Table table : kTablesUsed) {
    const auto scanned =
        store_->Scan(Partition{}, table, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
          there[{table, std::string(key)}] = value;
          return true;
        });
    EXPECT_TRUE(scanned.ok()) << scanned;
  }
  EXPECT_EQ(there, rows_);
  for (const auto& [sequence, event] : feed_) {
    const auto row = store_->FeedAt(Partition{}, sequence);
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_EQ(row->event.body, event.body);
  }
}

}  // namespace consent::test
