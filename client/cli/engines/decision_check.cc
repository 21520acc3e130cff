#include "client/cli/engines/decision_check.h"

#include <utility>
#include <vector>

#include "consent/names.h"
#include "daemon/base/hash.h"

namespace consent::cli {

void DecisionCheck::Tell(DecisionProblem problem) {
  ++counts_.problems;
  if (problem.file.empty()) problem.file = file_;
  sink_(problem);
}

absl::Status DecisionCheck::Begin() {
  if (client_ == nullptr) return absl::OkStatus();
  absl::StatusOr<DecisionLogState> state = client_->GetDecisionLog();
  if (!state.ok()) return state.status();
  state_ = *std::move(state);
  return absl::OkStatus();
}

absl::Status DecisionCheck::Add(const std::string& name, LineReader& reader, bool whole) {
  file_ = name;
  ++counts_.files;
  std::string held;  // the line before the one that is read
  bool holds = false;
  std::string line;
  for (;;) {
    switch (reader.Next(&line)) {
      case LineReader::Result::kLine:
        if (holds) {
          if (absl::Status status = Take(held); !status.ok()) return status;
        }
        held = std::move(line);
        holds = true;
        break;
      case LineReader::Result::kTooLong:
        Unreadable("line " + std::to_string(reader.number()) + " is longer than a record may be");
        break;
      case LineReader::Result::kEnd:
        if (!holds) return absl::OkStatus();
        if (whole) return Take(held);
        torn_ = name;
        return absl::OkStatus();
      default:
        return absl::NotFoundError(name + " cannot be read");
    }
  }
}

absl::Status DecisionCheck::Take(const std::string& text) {
  const absl::StatusOr<DecisionLine> line = ParseDecisionLine(text);
  if (!line.ok()) {
    Unreadable(std::string(line.status().message()));
    return absl::OkStatus();
  }
  ++counts_.records;
  counts_.yeses += line->record.yeses.size();
  if (!line->read.empty()) ++counts_.reads;
  CheckChain(*line);
  last_ = line->number;
  last_hash_ = DecisionLineHash(text);
  if (state_.has_value() && line->number == state_->counted_records && last_hash_ != base::Hex(state_->counted_hash)) {
    Tell({.kind = "CHANGED",
          .record = line->number,
          .call = line->call,
          .why = "it is not the record that the store counted"});
  }
  return CheckYeses(*line);
}

// It takes the place of a record, whose hash nobody knows.
void DecisionCheck::Unreadable(const std::string& why) {
  Tell({.kind = "UNREADABLE", .record = ++last_, .why = why});
  last_hash_.clear();
}

void DecisionCheck::CheckChain(const DecisionLine& line) {
  const std::string torn = std::exchange(torn_, {});
  if (line.number <= last_) {
    return Tell({.kind = "CHANGED",
                 .record = line.number,
                 .call = line.call,
                 .why = "its number is not above that of the record before"});
  }
  if (last_ == 0 && line.number > 1 && is_part_) return;
  if (line.number != last_ + 1) {
    return Tell({.kind = "GAP",
                 .record = last_ + 1,
                 .missing = line.number - last_ - 1,
                 .why = "records are missing before record " + std::to_string(line.number) +
                        (torn.empty() ? "" : "; " + torn + " ends in the middle of one")});
  }
  if (last_hash_.empty() || line.previous == last_hash_) return;
  const bool is_first = last_ == 0;
  Tell({.kind = "CHANGED",
        .record = is_first ? line.number : last_,
        .why = is_first ? "it names a record before the first" : "the record behind it names another hash"});
}

absl::Status DecisionCheck::CheckYeses(const DecisionLine& line) {
  if (client_ == nullptr) return absl::OkStatus();
  if (line.record.store_id != state_->store_id) {
    Tell({.kind = "OTHER_LOG", .record = line.number, .call = line.call, .why = "another store decided"});
    return absl::OkStatus();
  }
  if (line.record.yeses.empty()) return absl::OkStatus();
  const absl::StatusOr<std::vector<DecisionVerdict>> verdicts = client_->VerifyDecisions(line.record);
  if (!verdicts.ok()) return verdicts.status();
  for (size_t i = 0; i < verdicts->size(); ++i) {
    const DecisionVerdict verdict = (*verdicts)[i];
    if (verdict == DecisionVerdict::kConfirmed) {
      ++counts_.confirmed;
    } else if (verdict == DecisionVerdict::kNotCheckable) {
      ++counts_.not_checkable;
    } else {
      Tell({.kind = std::string(Name(verdict)),
            .record = line.number,
            .entry = static_cast<int>(i),
            .call = line.call,
            .why = "revision " + std::to_string(line.record.yeses[i].revision) + ", head " +
                   std::to_string(line.record.yeses[i].head)});
    }
  }
  return absl::OkStatus();
}

void DecisionCheck::Finish() {
  if (!state_.has_value() && !torn_.empty()) Unreadable("the last file ends in the middle of a record");
  if (!state_.has_value() || is_part_ || last_ >= state_->counted_records) return;
  file_.clear();
  Tell({.kind = "GAP",
        .record = last_ + 1,
        .missing = state_->counted_records - last_,
        .why = "the store counts them, and they are in no file"});
}

}  // namespace consent::cli
