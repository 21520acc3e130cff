// The work of `consentctl filter`, without its command line: lines in, those that may be used out, in their order.
#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/fact_advice.h"
#include "client/cli/lines/pseudonym.h"
#include "consent/client.h"
#include "consent/recording_lines.h"

namespace consent::cli {

struct FilterSettings {
  Purpose purpose = Purpose::kUnset;
  Selection selection = Selection::kUnset;
  // Hand on the original lines instead of anonymous ones.
  bool keep_ids = false;
  // Lines in one call, 1 to kMaxBatch.
  size_t batch = 500;
  // Batches asked at the same time.
  size_t parallel = 4;
};

// lines = eligible + refused + unreadable + unanswered.
struct FilterCounts {
  uint64_t lines = 0;
  uint64_t eligible = 0;
  uint64_t refused = 0;
  // Of the refused and the unreadable none is let through; of the refused these must be purged.
  uint64_t to_purge = 0;
  uint64_t unreadable = 0;
  uint64_t unanswered = 0;
  std::map<std::string, uint64_t> refused_by_reason;
  // Of the refused; one may lack several.
  std::map<MissingFact, uint64_t> missing_facts;
};

// A recording that may not be used.
struct RefusedLine {
  uint64_t number = 0;
  RecordingId recording_id;
  Disposition disposition = Disposition::kUnset;
  // Most important first; never empty.
  std::vector<std::string> reasons;
  // Which MISSING_FACT means.
  std::vector<MissingFact> missing_facts;
};

// Where results go. Called from one thread; a failure ends the run.
class FilterSink {
 public:
  virtual ~FilterSink() = default;
  // Whole lines with their ends.
  virtual absl::Status Eligible(const std::string& lines) = 0;
  virtual absl::Status Refused(const std::vector<RefusedLine>& refused) = 0;
  virtual void Unreadable(uint64_t number, const std::string& why) = 0;
  virtual void Progress(const FilterCounts& counts, uint64_t bytes) = 0;
};

struct FilterEnd {
  // kShadowOver: the caller's, where shadow mode ended in the middle of a run.
  enum class How { kComplete, kInputFailed, kOutputFailed, kDaemonFailed, kStopped, kShadowOver };
  How how = How::kComplete;
  absl::Status status;
  // With kDaemonFailed and kStopped: nothing from this line on was let through.
  uint64_t first_unanswered = 0;
};

// One run. Memory is bounded by parallel * batch lines. Not thread-safe.
class Filter {
 public:
  // All of them must outlive the run.
  Filter(const FilterSettings& settings, Client& client, const Pseudonyms& pseudonyms, FilterSink& sink)
      : settings_(settings), client_(client), pseudonyms_(pseudonyms), sink_(sink) {}

  FilterEnd Run(RecordingLineReader& reader);
  const FilterCounts& counts() const { return counts_; }
  // Of those that were refused.
  const FactAdvice& advice() const { return advice_; }

 private:
  struct Item {
    uint64_t number = 0;
    std::string original;
    RecordingLine line;
    Answer answer;
  };
  // Lines that are asked about together.
  struct Batch {
    std::vector<Item> items;
    absl::Status error;
  };

  void Take(const RecordingLineReader& reader);
  void Unreadable(uint64_t number, const std::string& why);
  void Launch();
  // Asks about every item; runs on a thread of its own.
  Batch Ask(Batch batch) const;
  absl::Status AskGroup(const Place& place, const std::vector<size_t>& group, Batch* batch) const;
  // The daemon refused a whole call: finds the lines that it is about and gives each its error.
  absl::Status Refused(const Place& place, const std::vector<size_t>& group, const absl::Status& why,
                       Batch* batch) const;
  // Writes the oldest batch. True: go on.
  bool WriteOldest(FilterEnd* end);
  absl::Status Write(const Batch& batch);
  bool MustAskAgain(const Batch& batch) const;
  void Refuse(const Item& item, std::vector<RefusedLine>* refused);
  FilterEnd Finish(FilterEnd end);

  const FilterSettings& settings_;
  Client& client_;
  const Pseudonyms& pseudonyms_;
  FilterSink& sink_;
  FilterCounts counts_;
  FactAdvice advice_;
  Batch next_;
  std::deque<std::future<Batch>> asked_;
};

}  // namespace consent::cli
