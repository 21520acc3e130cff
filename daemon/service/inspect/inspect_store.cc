#include "daemon/service/inspect/inspect_store.h"

#include <algorithm>
#include <optional>

#include "daemon/service/inspect/link_check.h"
#include "daemon/service/inspect/row_check.h"
#include "daemon/service/rows/erasure_rows.h"

namespace consent::service {
namespace {

constexpr uint64_t kBetweenQuestions = 10'000;

class Inspection {
 public:
  Inspection(const store::FrozenStore& store, const InspectOptions& options) : store_(store), options_(options) {
    report_.heads.resize(store.identity().partitions);
    report_.subjects.resize(store.identity().partitions);
    if (options.links) links_.emplace(store, report_.problems);
  }

  absl::StatusOr<InspectReport> Run() {
    absl::Status read = store_.VisitRows(
        [this](store::Partition partition, store::Table table, std::string_view key, std::string_view value) {
          SeeRow(partition, table, key, value);
          return GoesOn();
        });
    if (read.ok() && !stopped_) read = ReadFeeds();
    if (read.ok() && !stopped_ && links_) read = links_->Finish(report_.heads);
    if (stopped_) return absl::CancelledError("stopped");
    if (!read.ok()) return read;
    return std::move(report_);
  }

 private:
  bool GoesOn() {
    if (++seen_ % kBetweenQuestions != 0) return true;
    if (options_.seen != nullptr) options_.seen->store(seen_);
    stopped_ = options_.stop && options_.stop();
    return !stopped_;
  }
  void Wrong(std::string_view table, const char* what) { ++report_.problems[{std::string(table), what}]; }
  void Count(const std::string& table, size_t bytes) {
    TableSize& size = report_.tables[table];
    ++size.rows;
    size.bytes += bytes;
  }

  void SeeRow(store::Partition partition, store::Table table, std::string_view key, std::string_view value) {
    const std::string name = TableName(table);
    Count(name, key.size() + value.size());
    if (table == store::Table::kSubject) ++report_.subjects[partition.number];
    switch (CheckRow(table, key, value)) {
      case RowFault::kUnknownTable:
        return Wrong(name, "of a table that this build does not know");
      case RowFault::kKey:
        return Wrong(name, "with a key that cannot be read");
      case RowFault::kValue:
        return Wrong(name, "with a value that cannot be read");
      case RowFault::kNone:
        break;
    }
    if (table == store::Table::kErasure) NoteErasure(SinceOf(value));
    if (links_) links_->SeeRow(partition, table, key, value);
  }

  void NoteErasure(base::Instant since) {
    if (!report_.oldest_erasure.IsSet() || since < report_.oldest_erasure) report_.oldest_erasure = since;
  }

  absl::Status ReadFeeds() {
    std::vector<store::Sequence> firsts;
    for (uint16_t number = 0; number < store_.identity().partitions; ++number) {
      const absl::StatusOr<store::Sequence> first = store_.FirstOfFeed({number});
      if (!first.ok()) return first.status();
      firsts.push_back(*first);
    }
    absl::Status read = store_.VisitFeed([&](store::Partition partition, store::Sequence sequence,
                                             const std::optional<store::FeedRow>& row, size_t bytes) {
      SeeFeed(partition, firsts[partition.number], sequence, row, bytes);
      return GoesOn();
    });
    for (size_t p = 0; p < firsts.size(); ++p) {
      if (firsts[p] > 1 && report_.heads[p].stamp.sequence < firsts[p])
        Wrong(kFeedName, "missing at the end of a feed");
    }
    return read;
  }

  void SeeFeed(store::Partition partition, store::Sequence first, store::Sequence sequence,
               const std::optional<store::FeedRow>& row, size_t bytes) {
    const std::string name(row && row->erased ? kErasedFeedName : kFeedName);
    Count(name, sizeof(sequence) + bytes);
    store::Head& head = report_.heads[partition.number];
    const bool is_first = head.stamp.sequence == 0;
    if (sequence != (is_first ? first : head.stamp.sequence + 1)) Wrong(kFeedName, "missing before a row");
    if (!row) {
      Wrong(kFeedName, "with a value that cannot be read");
      head.stamp.sequence = sequence;
      head.chain = {};
      return;
    }
    // What stood before a truncated feed is not known.
    const bool is_chained = !row->erased && (!is_first || first == 1);
    if (is_chained && row->chain != store::NextChain(head.chain, row->stamp, row->event)) {
      Wrong(kFeedName, "that do not continue the chain");
    }
    if (!is_first && row->stamp.time <= head.stamp.time) Wrong(kFeedName, "that are not later than the one before");
    if (!row->erased && !row->event.body.empty() && !IsChangeBody(row->event.body)) {
      Wrong(kFeedName, "with an event that cannot be read");
    }
    if (links_ && !row->erased) links_->SeeEvent(partition, row->stamp, row->event);
    head = store::Head{row->stamp, row->chain};
  }

  const store::FrozenStore& store_;
  const InspectOptions& options_;
  InspectReport report_;
  std::optional<LinkCheck> links_;
  uint64_t seen_ = 0;
  bool stopped_ = false;
};

}  // namespace

absl::StatusOr<InspectReport> InspectStore(const store::FrozenStore& store, const InspectOptions& options) {
  return Inspection(store, options).Run();
}

}  // namespace consent::service
