// Reading files of the decision log: in the order of their records, line by line, in memory that one line bounds.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/lines/line_reader.h"
#include "consent/types.h"

namespace consent::cli {

// At or after `from` and before `to`; each where it is there.
struct Period {
  std::optional<Time> from = {};
  std::optional<Time> to = {};
  // A record without a time may be of any.
  bool Has(const std::optional<Time>& at) const {
    return !at.has_value() || ((!from.has_value() || *at >= *from) && (!to.has_value() || *at < *to));
  }
};

// What hears of the lines. Not thread-safe.
class DecisionLineSink {
 public:
  DecisionLineSink() = default;
  DecisionLineSink(const DecisionLineSink&) = delete;
  DecisionLineSink& operator=(const DecisionLineSink&) = delete;
  virtual ~DecisionLineSink() = default;

  virtual void BeginFile(const std::string& name) = 0;
  // A line that has its end. An error ends the reading.
  virtual absl::Status TakeLine(const std::string& text) = 0;
  // A line longer than a record may be, in its place among the others.
  virtual void PassOver(const std::string& why) = 0;
  // The file ends in the middle of a line: a killed process leaves that, and so does a cut.
  virtual void EndTorn() = 0;
};

// `ends_whole` says, once all is read, whether the last line that was read has its end: the daemon may be writing the
// next one. NotFound: the file cannot be read; else what the sink returned.
absl::Status ReadDecisionFile(const std::string& name, LineReader& reader, const std::function<bool()>& ends_whole,
                              DecisionLineSink& sink);

// All files, each store's in the order of its records whatever folders they lie in and however they are given. A path
// may be a log's folder: it stands for the files that are in it now. NotFound also where it holds none;
// Cancelled, with file and line, where the sign goes up.
absl::Status ReadDecisionFiles(std::vector<std::string> paths, DecisionLineSink& sink, StopSign stop = {});

// The month of a time.
std::string MonthOf(Time time);

}  // namespace consent::cli
