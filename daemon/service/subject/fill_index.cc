#include "daemon/service/subject/fill_index.h"

#include <malloc.h>

#include <array>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"

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

// From a part of the rows, since their keys are uniform hashes: to a percent with a million subjects. Too few in a
// small store to tell anything; but there tables need not be reserved.
absl::StatusOr<uint64_t> EstimateSubjects(const Core& core) {
  constexpr uint64_t kPart = 64;
  constexpr uint64_t kEnough = 1000;
  const std::string end(1, static_cast<char>(256 / kPart));
  uint64_t rows = 0;
  for (uint16_t number = 0; number < core.store.partition_count(); ++number) {
    const absl::Status scanned = core.store.Scan(store::Partition{number}, store::Table::kSubject, "", end, SIZE_MAX,
                                                 [&rows](std::string_view, std::string_view) {
                                                   ++rows;
                                                   return true;
                                                 });
    if (!scanned.ok()) return scanned;
  }
  return rows < kEnough ? 0 : rows * kPart;
}

// Puts each subject some rows after it was handed over, when its place in the index has come to the cache.
class LatePuts {
 public:
  explicit LatePuts(FactsIndex& index) : index_(index) {}
  ~LatePuts() {
    for (size_t i = 0; i < kLate; ++i) Next();
  }
  LatePuts(const LatePuts&) = delete;
  LatePuts& operator=(const LatePuts&) = delete;

  void Put(base::SubjectHandle subject, std::string_view facts) {
    Waiting& place = Next();
    place.subject = subject;
    place.facts.assign(facts);
    index_.Prefetch(subject);
  }

 private:
  static constexpr size_t kLate = 16;
  struct Waiting {
    base::SubjectHandle subject;
    std::string facts;  // empty: nothing waits
  };

  Waiting& Next() {
    Waiting& oldest = waiting_[next_++ % kLate];
    if (!oldest.facts.empty()) index_.Put(oldest.subject, oldest.facts);
    oldest.facts.clear();
    return oldest;
  }

  FactsIndex& index_;
  std::array<Waiting, kLate> waiting_;
  size_t next_ = 0;
};

// Counts rows for whoever asks how far the filling has come; each row by itself would cost the threads their cache.
class Progress {
 public:
  explicit Progress(std::atomic<uint64_t>& rows) : rows_(rows) {}
  void Add() {
    if (++seen_ % kStep == 0) rows_.fetch_add(kStep, std::memory_order_relaxed);
  }

 private:
  static constexpr uint64_t kStep = 1000;
  std::atomic<uint64_t>& rows_;
  uint64_t seen_ = 0;
};

absl::Status FillRange(Core& core, store::Partition partition, const Range& range, SubjectGauges* gauges) {
  FactsIndex& index = core.index;
  domain::SubjectFacts facts;
  bool damaged = false;
  std::vector<base::SubjectHandle> with_covers;
  LatePuts puts(index);
  Progress progress(core.rows_filled);
  absl::Status scanned = core.store.Scan(
      partition, store::Table::kSubject, range.from, range.to, SIZE_MAX, [&](std::string_view, std::string_view row) {
        base::SubjectHandle subject;
        std::string_view bytes;
        damaged = !SplitSubjectRow(row, &subject, &bytes) || !domain::DecodeFacts(bytes, &facts);
        if (damaged) return false;
        if (facts.has_more_tombstones) with_covers.push_back(subject);
        puts.Put(subject, bytes);
        if (domain::IsJoining(facts.join)) core.joins.Put(subject);
        gauges->Replace(nullptr, &facts);
        progress.Add();
        return true;
      });
  if (!scanned.ok()) return scanned;
  if (damaged) return absl::DataLossError("a subject's record cannot be decoded: restore the store from a backup");
  for (const base::SubjectHandle subject : with_covers) {
    absl::StatusOr<domain::TombstoneIntervals> cover = LoadTombstoneIntervals(core, subject, 0, [](DeletionNumber) {});
    if (!cover.ok()) return cover.status();
    index.PutTombstones(subject, std::make_shared<const domain::TombstoneIntervals>(*std::move(cover)));
    progress.Add();
  }
  scanned = core.store.Scan(partition, store::Table::kRecording, range.from, range.to, SIZE_MAX,
                            [&](std::string_view, std::string_view row) {
                              base::SubjectHandle subject;
                              base::RecordingHandle recording;
                              domain::RecordingState marks;
                              damaged = !DecodeMarksRow(row, &subject, &recording, &marks);
                              if (!damaged) index.PutMarks(subject, recording, marks);
                              progress.Add();
                              return !damaged;
                            });
  if (!scanned.ok()) return scanned;
  return damaged ? absl::DataLossError("a recording's row cannot be decoded: restore the store from a backup")
                 : absl::OkStatus();
}

// After the records, of which each flag's says whether the account is erased: a crash may have left the rows of one
// that is.
absl::Status FillSafetyFlags(Core& core, store::Partition partition) {
  struct Open {
    base::SubjectHandle subject;
    OpenSafetyFlags::Place place;
    bool acknowledged = false;
  };
  std::vector<Open> open;
  bool damaged = false;
  absl::Status scanned = core.store.Scan(
      partition, store::Table::kSafetyFlag, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
        SafetyFlagRow row;
        damaged = !DecodeSafetyFlagRow(value, &row);
        if (damaged) return false;
        if (row.IsOpen())
          open.push_back({row.subject, {row.reported_at, partition, std::string(key)}, row.acknowledged_at.IsSet()});
        return true;
      });
  if (!scanned.ok()) return scanned;
  if (damaged) return absl::DataLossError("a SAFETY flag's row cannot be decoded: restore the store from a backup");
  for (auto& [subject, place, acknowledged] : open) {
    const absl::StatusOr<StoredFacts> facts = LoadFacts(core, subject);
    if (!facts.ok()) return facts.status();
    if (!domain::IsForgotten(facts->facts)) core.safety_flags.Put(std::move(place), acknowledged);
  }
  return absl::OkStatus();
}

absl::Status FillReviews(Core& core, store::Partition partition) {
  bool damaged = false;
  absl::Status scanned =
      core.store.Scan(partition, store::Table::kReview, std::string(1, kGrants), std::string(1, kGrants + 1), SIZE_MAX,
                      [&](std::string_view key, std::string_view value) {
                        GrantRow row;
                        damaged = !DecodeGrantRow(value, &row);
                        if (!damaged) core.reviews.Fill(std::string(key), row.grant, core.time);
                        return !damaged;
                      });
  if (!scanned.ok()) return scanned;
  return damaged ? absl::DataLossError("a review grant cannot be decoded: restore the store from a backup")
                 : absl::OkStatus();
}

}  // namespace

absl::Status FillIndex(Core& core) {
  const absl::StatusOr<uint64_t> subjects = EstimateSubjects(core);
  if (!subjects.ok()) return subjects.status();
  core.index.Reserve(*subjects);
  const std::array<Range, kThreads> ranges = Ranges();
  const uint32_t pieces = uint32_t{core.store.partition_count()} * kThreads;
  std::atomic<uint32_t> next{0};
  std::array<absl::Status, kThreads> statuses;
  std::array<SubjectGauges, kThreads> counted;
  std::array<std::thread, kThreads> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads[i] = std::thread([&, i] {
      for (uint32_t piece = next++; piece < pieces && statuses[i].ok(); piece = next++) {
        const store::Partition partition{static_cast<uint16_t>(piece / kThreads)};
        statuses[i] = FillRange(core, partition, ranges[piece % kThreads], &counted[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kThreads; ++i) {
    if (!statuses[i].ok()) return statuses[i];
    core.gauges.Merge(counted[i]);
  }
  for (uint16_t number = 0; number < core.store.partition_count(); ++number) {
    const store::Partition partition{number};
    if (absl::Status s = FillSafetyFlags(core, partition); !s.ok()) return s;
    if (absl::Status s = FillReviews(core, partition); !s.ok()) return s;
  }
  // What the tables were before they grew would stay with the process: as much again as a quarter of the index.
  malloc_trim(0);
  return absl::OkStatus();
}

absl::StatusOr<size_t> DropExpiredRequests(Core& core, size_t limit) {
  size_t dropped = 0;
  const base::Instant now = core.Present().earliest;  // unset while time is doubtful: nothing is old then
  for (uint16_t number = 0; number < core.store.partition_count() && dropped < limit; ++number) {
    const store::Partition partition{number};
    std::vector<store::RowKey> expired;
    const absl::Status scanned = core.store.Scan(
        partition, store::Table::kRequest, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
          RequestRow row;
          const bool over = DecodeRequestRow(value, &row) && row.time + kRequestLifetime < now;
          if (over) expired.push_back({store::Table::kRequest, std::string(key)});
          return dropped + expired.size() < limit;
        });
    if (!scanned.ok()) return scanned;
    if (expired.empty()) continue;
    const absl::Status erased = core.store.Erase(partition, expired);
    if (!erased.ok()) return erased;
    dropped += expired.size();
  }
  return dropped;
}

}  // namespace consent::service
