// The figures of `requests report`: what a period brought, and what is open now.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/deletion.h"

namespace consent::cli {

struct DeletionFigures {
  // Received in the period; and of these, those whose due time was moved.
  uint64_t received = 0;
  uint64_t extended = 0;
  // Ended in the period, whenever they were received.
  uint64_t complied = 0;
  uint64_t denied = 0;
  uint64_t cancelled = 0;
  // From receipt to completion of those complied with, in days of 24 hours; absent where there are none.
  std::optional<double> mean_days;
  std::optional<double> median_days;
  // Open at the time of asking, whenever they were received: still in time, and past their due time.
  uint64_t due_now = 0;
  uint64_t overdue_now = 0;
  // Of both, those of which some is on hold.
  uint64_t on_hold = 0;
  // Of both, those whose receipt had to be confirmed by then and was not.
  uint64_t confirmation_overdue_now = 0;
};

// Takes requests one by one; keeps one number for each that was complied with. Not thread-safe.
class DeletionTally {
 public:
  // The period is from `from` on and ends before `to`.
  DeletionTally(Time from, Time to) : from_(from), to_(to) {}

  // A request in a state that this library does not know counts as open: nothing says that it was done.
  void Add(const DeletionRequest& request);
  // By regime, of which each request has one; in order of names.
  std::map<std::string, DeletionFigures> ByRegime() const;
  DeletionFigures Total() const;
  // The end of the period.
  Time to() const { return to_; }

 private:
  struct Counted {
    DeletionFigures figures;
    std::vector<double> days;
  };
  bool InPeriod(const std::optional<Time>& time) const { return time.has_value() && *time >= from_ && *time < to_; }
  static DeletionFigures Figures(const Counted& counted);

  const Time from_;
  const Time to_;
  std::map<std::string, Counted> by_regime_;
};

// Days of 24 hours.
double DaysBetween(Time from, Time to);
// Of an even number the mean of the two in the middle. `days` is not empty.
double Median(std::vector<double> days);

Json FiguresJson(const DeletionFigures& figures);
// With a last line for all; one header.
Table FiguresTable(const DeletionTally& tally);
// Quoted as RFC 4180 has it, with a header; lines end with LF; the last one, "(all)", is the sum.
std::string FiguresCsv(const DeletionTally& tally);

}  // namespace consent::cli
