#include "daemon/service/fill_index.h"

#include <array>
#include <thread>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows.h"

namespace consent::service {
namespace {

constexpr int kThreads = 2;

// Row keys are uniform hashes, so equal ranges of the first byte are equal work.
struct Range {
  std::string from;
  std::string to;  // empty: to the end
};

std::array<Range, kThreads> Ranges() {
  std::array<Range, kThreads> ranges;
  for (int i = 1; i < kThreads; ++i) {
    ranges[i].from = std::string(1, static_cast<char>(256 / kThreads * i));
    ranges[i - 1].to = ranges[i].from;
  }
  return ranges;
}

absl::Status FillRange(Context& context, store::Partition partition, const Range& range, Census* census) {
  FactsIndex& index = *context.indexes[partition.number];
  domain::SubjectFacts facts;
  bool damaged = false;
  absl::Status scanned = context.store.Scan(
      partition, store::Table::kSubject, range.from, range.to, SIZE_MAX, [&](std::string_view, std::string_view row) {
        base::SubjectHandle subject;
        std::string_view bytes;
        damaged = !SplitSubjectRow(row, &subject, &bytes) || !domain::DecodeFacts(bytes, &facts);
        if (damaged) return false;
        index.Put(subject, bytes);
        census->Replace(nullptr, &facts);
        return true;
      });
  if (!scanned.ok()) return scanned;
  if (damaged) return absl::DataLossError("a subject's record cannot be decoded: restore the store from a backup");
  scanned = context.store.Scan(
      partition, store::Table::kRecording, range.from, range.to, SIZE_MAX, [&](std::string_view, std::string_view row) {
        base::SubjectHandle subject;
        base::RecordingHandle recording;
        domain::RecordingMarks marks;
        damaged = !DecodeMarksRow(row, &subject, &recording, &marks);
        if (!damaged) index.PutMarks(subject, recording, marks);
        return !damaged;
      });
  if (!scanned.ok()) return scanned;
  return damaged ? absl::DataLossError("a recording's row cannot be decoded: restore the store from a backup") : absl::OkStatus();
}

}  // namespace

absl::Status FillIndex(Context& context) {
  for (uint16_t number = 0; number < context.store.partition_count(); ++number) {
    const std::array<Range, kThreads> ranges = Ranges();
    std::array<absl::Status, kThreads> statuses;
    std::array<Census, kThreads> counted;
    std::array<std::thread, kThreads> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads[i] = std::thread([&, i] { statuses[i] = FillRange(context, store::Partition{number}, ranges[i], &counted[i]); });
    }
    for (std::thread& thread : threads) thread.join();
    for (int i = 0; i < kThreads; ++i) {
      if (!statuses[i].ok()) return statuses[i];
      context.census.Merge(counted[i]);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> DropExpiredRequests(Context& context, size_t limit) {
  size_t dropped = 0;
  const base::Instant now = context.Now();
  for (uint16_t number = 0; number < context.store.partition_count(); ++number) {
    const store::Partition partition{number};
    std::vector<store::RowKey> expired;
    const absl::Status scanned = context.store.Scan(
        partition, store::Table::kRequest, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
          RequestRow row;
          const bool over = DecodeRequestRow(value, &row) && row.time + kRequestLifetime < now;
          if (over) expired.push_back({store::Table::kRequest, std::string(key)});
          return dropped + expired.size() < limit;
        });
    if (!scanned.ok()) return scanned;
    if (expired.empty()) continue;
    const absl::Status erased = context.store.Erase(partition, expired);
    if (!erased.ok()) return erased;
    dropped += expired.size();
  }
  return dropped;
}

}  // namespace consent::service
