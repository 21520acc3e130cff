// The suite that every store implementation must pass. A binary links the suite's files and one file that names its
// configurations.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/store/store.h"
#include "tests/support/store/clock.h"

namespace consent::test {

// One store under test with its clock.
class Harness {
 public:
  virtual ~Harness() = default;
  virtual store::Store& store() = 0;
  virtual ManualClock& clock() = 0;
  // Closes the store and opens it anew from what it left behind. False if it leaves nothing behind; then nothing was
  // done.
  virtual bool Reopen() = 0;
};

struct Configuration {
  std::string name;
  uint16_t partitions = 1;
  std::function<std::unique_ptr<Harness>(uint16_t partitions)> make;
};

// Named by the binary.
std::vector<Configuration> Configurations();

class Conformance : public ::testing::TestWithParam<Configuration> {
 protected:
  using Rows = std::vector<std::pair<std::string, std::string>>;

  void SetUp() override { harness_ = GetParam().make(GetParam().partitions); }

  store::Store& db() { return harness_->store(); }
  ManualClock& clock() { return harness_->clock(); }
  Harness& harness() { return *harness_; }
  // The last partition: not the first one where there are several.
  store::Partition last() { return store::Partition{static_cast<uint16_t>(GetParam().partitions - 1)}; }

  // Commits and waits for the answer.
  store::CommitResult Commit(std::vector<store::Precondition> preconditions, store::Change change) {
    return CommitBuilt(std::move(preconditions), [change = std::move(change)](const store::Stamp&) { return change; });
  }
  store::CommitResult CommitBuilt(std::vector<store::Precondition> preconditions, store::Build build) {
    std::promise<store::CommitResult> answer;
    db().Commit(last(), std::move(preconditions), std::move(build),
                [&answer](const store::CommitResult& result) { answer.set_value(result); });
    return answer.get_future().get();
  }
  store::CommitResult Put(std::string key, std::string value, store::Table table = store::Table::kSubject) {
    return Commit({}, store::Change{{{table, std::move(key), std::move(value)}}, SomeEvent("put")});
  }

  static store::Event SomeEvent(std::string body) {
    store::Event event;
    event.subject = std::string("\0sub\xffject-of-16\0", 16);
    event.body = std::move(body);
    event.commitment.fill(7);
    return event;
  }

  // The value, or "<none>"; fails the test on any other error.
  std::string Value(std::string_view key, store::Table table = store::Table::kSubject) {
    const absl::StatusOr<std::string> value = db().Get(last(), table, key);
    if (absl::IsNotFound(value.status())) return "<none>";
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? *value : "<error>";
  }

  Rows ScanAll(std::string_view from, std::string_view to, size_t limit, store::Table table = store::Table::kSubject) {
    Rows rows;
    const absl::Status status =
        db().Scan(last(), table, from, to, limit, [&rows](std::string_view key, std::string_view value) {
          rows.emplace_back(key, value);
          return true;
        });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  }

  std::vector<store::FeedRow> WholeFeed(store::Sequence from = 1) {
    auto rows = db().Feed(last(), from, SIZE_MAX);
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? *std::move(rows) : std::vector<store::FeedRow>{};
  }

  // Recomputes the chain over feed rows that follow `previous`, gaps and times included.
  static void CheckChain(const std::vector<store::FeedRow>& rows, base::Digest previous, store::Sequence first) {
    base::Instant time;
    for (const store::FeedRow& row : rows) {
      ASSERT_EQ(row.stamp.sequence, first++);
      ASSERT_GT(row.stamp.time, time);
      time = row.stamp.time;
      if (row.erased) {
        ASSERT_TRUE(row.event.subject.empty() && row.event.body.empty() && row.event.commitment == base::Digest{});
      } else {
        ASSERT_EQ(row.chain, store::NextChain(previous, row.stamp, row.event));
      }
      previous = row.chain;
    }
  }

  std::unique_ptr<Harness> harness_;
};

}  // namespace consent::test
