#include "tests/fault/store/scenario.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <random>

#include "daemon/base/random.h"
#include "daemon/store/lease_holder.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;
using store::Change;
using store::CommitResult;
using store::Outcome;
using store::Partition;
using store::RocksStore;
using store::Stamp;
using store::Table;

constexpr Table kFilled[] = {Table::kSubject, Table::kKeyShare, Table::kRequest, Table::kHold};
constexpr Table kUsed[] = {Table::kSubject, Table::kKeyShare, Table::kRequest,
                           Table::kHold,    Table::kLease,    Table::kLeaseRenewal};

std::string Bytes(std::mt19937_64& random, size_t n) {
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

CommitResult CommitNow(store::Store& store, Change change) {
  std::promise<CommitResult> answer;
  store.Commit(
      Partition{}, {}, [&change](const Stamp&) { return change; },
      [&answer](const CommitResult& result) { answer.set_value(result); });
  return answer.get_future().get();
}

Judgement Lost(const std::string& what) { return {Verdict::kLost, what}; }
Judgement Unreadable(const absl::Status& status) { return {Verdict::kReadError, std::string(status.message())}; }

bool Same(const store::FeedRow& a, const store::FeedRow& b) {
  return a.stamp.sequence == b.stamp.sequence && a.stamp.time == b.stamp.time && a.chain == b.chain &&
         a.erased == b.erased && a.event.subject == b.event.subject && a.event.body == b.event.body &&
         a.event.commitment == b.event.commitment;
}

Judgement JudgeRows(const store::Store& store, const Acknowledged& acknowledged) {
  for (const auto& [place, value] : acknowledged.rows) {
    const auto found = store.Get(Partition{}, place.first, place.second);
    if (absl::IsNotFound(found.status())) return Lost("a row is gone");
    if (!found.ok()) return Unreadable(found.status());
    if (*found != value) return Lost("a row has another value");
  }
  for (const auto& [table, key] : acknowledged.erased) {
    const auto found = store.Get(Partition{}, table, key);
    if (found.ok()) return Lost("an erased row is back");
    if (!absl::IsNotFound(found.status())) return Unreadable(found.status());
  }
  for (const Table table : kUsed) {
    std::map<std::pair<Table, std::string>, std::string> rows;
    const absl::Status status =
        store.Scan(Partition{}, table, "", "", SIZE_MAX, [&](std::string_view k, std::string_view v) {
          rows[{table, std::string(k)}] = v;
          return true;
        });
    if (!status.ok()) return Unreadable(status);
    std::erase_if(rows, [&](const auto& row) {
      const auto found = acknowledged.rows.find(row.first);
      return found != acknowledged.rows.end() && found->second == row.second;
    });
    if (!rows.empty()) return Lost("a scan shows rows that were never there");
  }
  return {Verdict::kComplete, ""};
}

Judgement JudgeFeed(store::Store& store, const Acknowledged& acknowledged) {
  const store::Head head = store.GetHead(Partition{});
  if (head.stamp.sequence != acknowledged.head.stamp.sequence || head.chain != acknowledged.head.chain) {
    return Lost("the head is another");
  }
  const auto feed = store.Feed(Partition{}, acknowledged.feed_first, SIZE_MAX);
  if (absl::IsOutOfRange(feed.status())) return Lost("feed rows are gone");
  if (!feed.ok()) return Unreadable(feed.status());
  if (feed->size() != acknowledged.feed.size()) return Lost("the feed has another length");
  for (size_t i = 0; i < feed->size(); ++i) {
    if (!Same((*feed)[i], acknowledged.feed[i])) return Lost("a feed row is another");
  }
  return {Verdict::kComplete, ""};
}

}  // namespace

bool FullCampaign() {
  const char* wanted = std::getenv("CONSENT_TEST_FULL");
  return wanted != nullptr && std::string(wanted) == "1";
}

void CopyFolder(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

absl::StatusOr<std::unique_ptr<RocksStore>> Scenario::Open(const fs::path& folder, ManualClock& clock,
                                                           bool accept_loss) {
  static base::SystemRandom random;
  RocksStore::Options options;
  options.db_path = folder / "db";
  options.head_path = folder / "head";
  options.clock = &clock;
  options.random = &random;
  options.accept_loss = accept_loss;
  options.write_buffer_bytes = 1 << 20;
  return RocksStore::Open(options);
}

Scenario::Scenario(uint64_t seed) : state_(seed) {
  const auto open = [this] {
    store_.reset();
    auto opened = Open(folder_.path(), clock_);
    if (!opened.ok()) ADD_FAILURE() << opened.status();
    store_ = opened.ok() ? *std::move(opened) : nullptr;
  };
  open();
  Commit(60);
  open();  // what was in the log is now in files
  Commit(40);
  EXPECT_TRUE(store_->TruncateFeed(Partition{}, 10).ok());
  acknowledged_.feed_first = 10;
  EXPECT_TRUE(store_->EraseFeed(Partition{}, {11, 50, 80}).ok());
  open();
  store::LeaseHolder holder(*store_, clock_, {Partition{}, "integrator", "holder", base::Hours(1), {}});
  EXPECT_TRUE(holder.Step().value_or(false));
  for (const Table table : {Table::kLease, Table::kLeaseRenewal}) {
    acknowledged_.rows[{table, "integrator"}] = store_->Get(Partition{}, table, "integrator").value_or("");
  }
  Commit(20);
}

void Scenario::Commit(int count) {
  std::mt19937_64 random(++state_);
  for (int i = 0; i < count; ++i) {
    Change change;
    for (const Table table : kFilled) {
      change.writes.push_back({table, Bytes(random, 16), Bytes(random, 20 + random() % 40)});
    }
    change.event = store::Event{Bytes(random, 16), Bytes(random, 30 + random() % 60), {}};
    EXPECT_EQ(CommitNow(*store_, change).outcome, Outcome::kCommitted);
    for (const store::Write& write : change.writes) acknowledged_.rows[{write.table, write.key}] = *write.value;
  }
  // The last thing in the log is an erasure, which no sequence number tells of.
  const auto victim = acknowledged_.rows.lower_bound({Table::kKeyShare, ""});
  EXPECT_TRUE(store_->Erase(Partition{}, {{victim->first.first, victim->first.second}}).ok());
  acknowledged_.erased.push_back(victim->first);
  acknowledged_.rows.erase(victim);
  Record();
}

void Scenario::Record() {
  const auto feed = store_->Feed(Partition{}, acknowledged_.feed_first, SIZE_MAX);
  EXPECT_TRUE(feed.ok()) << feed.status();
  acknowledged_.feed = *feed;
  acknowledged_.head = store_->GetHead(Partition{});
}

void Scenario::CopyTo(const fs::path& folder) const { CopyFolder(folder_.path(), folder); }

Judgement Judge(const fs::path& folder, const Acknowledged& acknowledged) {
  ManualClock clock;
  const auto store = Scenario::Open(folder, clock);
  if (!store.ok()) return {Verdict::kRefused, std::string(store.status().message())};
  const Judgement rows = JudgeRows(**store, acknowledged);
  return rows.verdict == Verdict::kComplete ? JudgeFeed(**store, acknowledged) : rows;
}

}  // namespace consent::test
