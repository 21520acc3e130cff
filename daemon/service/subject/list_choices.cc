// ReadSubject::Choices: entries of all histories by time, out of the feeds of all partitions.
#include <algorithm>
#include <utility>

#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/subject/read_subject.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// A row is at most a commit, so this bounds what is held at a time.
constexpr size_t kRowsAtOnce = 64;

bool Matches(const ChoiceFilter& filter, const ChangeRow& row) {
  if (filter.to.empty()) return true;
  const auto listed = [&](domain::Choice choice) {
    return std::find(filter.to.begin(), filter.to.end(), choice) != filter.to.end();
  };
  return std::any_of(row.changes.begin(), row.changes.end(), [&](const domain::FactChange& change) {
    if (change.what == domain::ChangedWhat::kPurpose) return listed(change.to);
    const bool a_no =
        change.what == domain::ChangedWhat::kRefusedAgain || change.what == domain::ChangedWhat::kRefusesFuture;
    return a_no && listed(domain::Choice::kRefused);
  });
}

// One page on its way.
class Listing {
 public:
  Listing(const Core& core, const ChoiceFilter& filter, size_t limit) : core_(core), filter_(filter), limit_(limit) {}

  // True: the page is full, or as much was looked at as a page may. `from`: 0 for the first entry in time.
  absl::StatusOr<bool> Read(store::Partition partition, store::Sequence from) {
    absl::StatusOr<store::Sequence> next = from;
    if (from == 0) next = FirstSince(partition);
    if (!next.ok()) return next.status();
    while (*next != 0) {
      const auto rows = core_.store.Feed(partition, *next, kRowsAtOnce);
      if (absl::IsOutOfRange(rows.status())) {
        page_.truncated = true;
        next = FirstSince(partition);
        if (!next.ok()) return next.status();
        continue;
      }
      if (!rows.ok()) return StoreUnreadable();
      if (rows->empty()) break;
      for (const store::FeedRow& row : *rows) {
        if (row.stamp.time >= filter_.before) return false;
        if (page_.items.size() >= limit_ || looked_at_++ >= kMaxRowsPerPage) {
          page_.next = ChoicePlace{partition, row.stamp.sequence};
          return true;
        }
        if (absl::Status status = Consider(partition, row); !status.ok()) return status;
      }
      *next = rows->back().stamp.sequence + 1;
    }
    return false;
  }

  ChoicePage& page() { return page_; }

 private:
  // The first row that is not before the time; 0: none. Times increase with sequences.
  absl::StatusOr<store::Sequence> FirstSince(store::Partition partition) {
    const store::Stamp head = core_.store.GetHead(partition).stamp;
    if (head.sequence == 0 || head.time < filter_.from) return store::Sequence{0};
    store::Sequence low = 1;
    store::Sequence high = head.sequence;
    while (low < high) {
      const store::Sequence middle = low + (high - low) / 2;
      const auto row = core_.store.FeedAt(partition, middle);
      ++looked_at_;
      if (absl::IsOutOfRange(row.status())) {
        page_.truncated = true;
        low = middle + 1;
      } else if (!row.ok()) {
        return StoreUnreadable();
      } else if (row->stamp.time < filter_.from) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  absl::Status Consider(store::Partition partition, const store::FeedRow& row) {
    if (row.erased) {
      // Whose it was is gone, too.
      ++page_.erased;
      return absl::OkStatus();
    }
    base::SubjectHandle subject;
    if (row.event.subject.size() != subject.bytes.size()) return absl::OkStatus();
    std::copy(row.event.subject.begin(), row.event.subject.end(), subject.bytes.begin());
    if (filter_.subject.has_value() && !(subject == *filter_.subject)) return absl::OkStatus();
    ChoiceItem item;
    if (!DecodeChangeRow(row.event.body, &item.entry.row)) {
      return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a history row is damaged");
    }
    if (item.entry.row.kind > kLastOfHistory || !Matches(filter_, item.entry.row)) return absl::OkStatus();
    item.entry.revision = Revision{partition, row.stamp.sequence};
    item.entry.time = row.stamp.time;
    if (absl::Status status = Open(subject, &item); !status.ok()) return status;
    item.entry.row.facts.clear();
    item.entry.row.sealed.clear();
    page_.items.push_back(std::move(item));
    return absl::OkStatus();
  }

  absl::Status Open(base::SubjectHandle subject, ChoiceItem* item) const {
    const absl::StatusOr<StoredFacts> facts = LoadFacts(core_, subject);
    if (!facts.ok()) return facts.status();
    // Of a forgotten account nobody kept the key of what it refused since.
    if (!facts->found || domain::IsForgotten(facts->facts)) return absl::OkStatus();
    const auto key = PayloadKeyOf(core_, subject);
    if (!key.ok()) return key.status();
    absl::StatusOr<Payload> payload = OpenPayload(*key, item->entry.row.sealed, subject);
    // What was refused between a closure and a new account under the id lies under a key that nobody kept.
    if (!payload.ok()) return absl::OkStatus();
    item->account_id = payload->account_id;
    item->entry.payload = *std::move(payload);
    return absl::OkStatus();
  }

  const Core& core_;
  const ChoiceFilter& filter_;
  const size_t limit_;
  size_t looked_at_ = 0;
  ChoicePage page_;
};

}  // namespace

absl::StatusOr<ChoicePage> ReadSubject::Choices(const ChoiceFilter& filter, size_t limit, ChoicePlace from) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  Listing listing(core_, filter, limit);
  const bool begins = from.sequence == 0 && from.partition.number == 0;
  store::Partition partition = filter.subject && begins ? core_.PartitionOf(*filter.subject) : from.partition;
  for (; partition.number < core_.store.partition_count(); ++partition.number) {
    const absl::StatusOr<bool> full = listing.Read(partition, partition == from.partition ? from.sequence : 0);
    if (!full.ok()) return full.status();
    if (*full || filter.subject) break;
  }
  return std::move(listing.page());
}

}  // namespace consent::service
