#include "client/cli/engines/played_list.h"

#include <algorithm>
#include <utility>

#include "client/cli/engines/decision_files.h"
#include "client/cli/lines/heard_lines.h"
#include "consent/names.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

constexpr size_t kMostHeard = 500'000;

}  // namespace

absl::Status PlayedList::Read(const std::string& name, LineReader& reader, const std::vector<Client*>& clients,
                              const HeardSink& sink) {
  name_ = name;
  std::map<std::string, Waiting> waiting;
  std::string text;
  for (;;) {
    const LineReader::Result result = reader.Next(&text);
    if (result == LineReader::Result::kEnd) break;
    if (result == LineReader::Result::kError) return absl::NotFoundError(name + " cannot be read");
    if (result == LineReader::Result::kTooLong) {
      sink(reader.number(), HeardProblem::kUnreadable, "it is too long");
      continue;
    }
    const absl::StatusOr<HeardLine> line = ParseHeardLine(text);
    if (!line.ok()) {
      sink(reader.number(), HeardProblem::kUnreadable, std::string(line.status().message()));
      continue;
    }
    if (heard_.size() + of_grants_ == kMostHeard) {
      return absl::ResourceExhaustedError(name + " has more than " + std::to_string(kMostHeard) +
                                          " lines; split it and check each part");
    }
    if (!line->grant_id.empty()) {
      ++of_grants_;
      grants_.Add(line->grant_id, reader.number(), line->heard_at);
      continue;
    }
    if (absl::Status status = Add(line->recording_id, reader.number(), line->heard_at, &waiting, clients);
        !status.ok()) {
      return status;
    }
  }
  for (auto& [month, rest] : waiting) {
    if (absl::Status status = Ask(month, &rest, clients); !status.ok()) return status;
  }
  return grants_.Check(clients, sink);
}

// The yes may lie in each month that its time may lie in.
absl::Status PlayedList::Add(const RecordingId& recording, uint64_t line, Time at,
                             std::map<std::string, Waiting>* waiting, const std::vector<Client*>& clients) {
  heard_.push_back({.line = line, .at = at});
  const Time first = std::max(at - options_.within, Time(std::chrono::microseconds(1)));
  const std::string last = MonthOf(at + options_.skew);
  std::string month;
  // Two weeks go on by a month at most.
  for (Time time = first; month != last; time = std::min(time + std::chrono::hours(24 * 14), at + options_.skew)) {
    if (MonthOf(time) == month) continue;
    month = MonthOf(time);
    Waiting& these = (*waiting)[month];
    these.ids.push_back(recording);
    these.heard.push_back(heard_.size() - 1);
    if (these.ids.size() < base::kMaxBatch) continue;
    if (absl::Status status = Ask(month, &these, clients); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PlayedList::Ask(const std::string& month, Waiting* waiting, const std::vector<Client*>& clients) {
  if (waiting->ids.empty()) return absl::OkStatus();
  HandleQuery query;
  query.recording_ids = std::exchange(waiting->ids, {});
  query.months = {month};
  for (Client* const client : clients) {
    const absl::StatusOr<DecisionHandles> handles = client->GetDecisionHandles(query);
    if (!handles.ok()) return handles.status();
    for (const MonthHandles& under_key : handles->months) {
      if (under_key.gone) {
        for (const size_t heard : waiting->heard) heard_[heard].may_lack_key = true;
      }
      for (size_t i = 0; i < under_key.recordings.size(); ++i) {
        by_handle_.emplace(under_key.month + under_key.recordings[i], waiting->heard[i]);
      }
    }
  }
  waiting->heard.clear();
  return absl::OkStatus();
}

void PlayedList::See(const DecisionLine& line) {
  const DecisionRecord& record = line.record;
  if (record.purpose != options_.purpose || !record.wall.has_value()) return;
  for (const RecordedYes& yes : record.yeses) {
    const auto [begin, end] = by_handle_.equal_range(record.month + yes.recording);
    for (auto it = begin; it != end; ++it) {
      Heard& heard = heard_[it->second];
      if (*record.wall >= heard.at - options_.within && *record.wall <= heard.at + options_.skew) {
        heard.is_allowed = true;
      }
    }
  }
}

uint64_t PlayedList::Finish(const HeardSink& sink) const {
  uint64_t lack_key = 0;
  const std::string why = "no yes for " + std::string(Name(options_.purpose)) + " is on record within the " +
                          std::to_string(options_.within.count()) + " s before it was played";
  for (const Heard& heard : heard_) {
    if (heard.is_allowed) continue;
    if (heard.may_lack_key) {
      ++lack_key;
    } else {
      sink(heard.line, HeardProblem::kWithoutYes, why);
    }
  }
  return lack_key;
}

}  // namespace consent::cli
