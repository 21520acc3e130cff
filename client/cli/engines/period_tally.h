// The figures of `requests report --by`: what each month, quarter, half-year or year of a period brought.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consent/deletion.h"
#include "consent/hold.h"
#include "consent/settings.h"
#include "consent/types.h"

namespace consent::cli {

enum class PeriodUnit : uint8_t { kWhole, kMonth, kQuarter, kHalfYear, kYear };

// From `from` on, and ends before `to`.
struct ReportPeriod {
  // "2026", "2026-H1", "2026-Q1", "2026-03", or the two dates of kWhole.
  std::string name;
  Time from;
  Time to;
  // All of the calendar's unit belongs to what is reported about.
  bool whole = true;
};

// More are refused.
inline constexpr size_t kMostPeriods = 240;
// The units of UTC's calendar that [from, to) touches, the first and the last cut off there, in their order. Empty:
// there are more than kMostPeriods, or none.
std::vector<ReportPeriod> PeriodsOf(Time from, Time to, PeriodUnit unit);

// The calendar's months that [from, to) touches, as in 2026-11, in their order; the last kMostPeriods of them.
std::vector<std::string> MonthsOf(Time from, Time to);

// Of requests that somebody asked for. 11 CCR 7102(a) asks for received, complied with in whole or in part, denied, and
// median or mean days to the substantive response, for each calendar year.
struct RequestFigures {
  // In the period.
  uint64_t received = 0;
  uint64_t extended = 0;
  // Ended in the period, whenever they were received. In part: some system kept something (EXEMPT), with its reason.
  uint64_t complied_whole = 0;
  uint64_t complied_part = 0;
  uint64_t denied = 0;
  uint64_t cancelled = 0;
  // From receipt to the answer, of those complied with and denied, in days of 24 hours; absent where there are none.
  std::optional<double> mean_days;
  std::optional<double> median_days;
};

struct HoldFigures {
  uint64_t placed = 0;
  uint64_t released = 0;
  // When the period ended; of one that has not ended, at the time of asking.
  uint64_t in_force_at_end = 0;
};

// What subjects chose, by name, each for each period. One entry that turns several purposes off counts once for each.
struct ChoiceFigures {
  // Entries that said a no, new or again.
  std::vector<uint64_t> opt_outs;
  // Of these, those that turned something off, by purpose; and all, by channel ("not said").
  std::map<std::string, std::vector<uint64_t>> opt_outs_by_purpose;
  std::map<std::string, std::vector<uint64_t>> opt_outs_by_channel;
  // Entries that gave or renewed a consent, by notice ("not said" where the account is forgotten).
  std::map<std::string, std::vector<uint64_t>> consents_by_notice;
  // Of accounts that were forgotten since; nobody can tell what they were.
  uint64_t erased = 0;
  // The store no longer has the oldest of them.
  bool truncated = false;
};

// Takes requests, holds and choices one by one. Keeps a number for each request that was answered. Not thread-safe.
class PeriodTally {
 public:
  explicit PeriodTally(std::vector<ReportPeriod> periods) : periods_(std::move(periods)), holds_(periods_.size()) {
    choices_.opt_outs.resize(periods_.size());
  }

  void Add(const DeletionRequest& request);
  void Add(const Hold& hold);
  // Entries that said a no, and entries that gave a consent, each as the daemon lists them (ChoicesQuery::to).
  void AddNoes(const ChoicesPage& page);
  void AddConsents(const ChoicesPage& page);

  const std::vector<ReportPeriod>& periods() const { return periods_; }
  // By regime, of which each request has one, for each period.
  std::map<std::string, std::vector<RequestFigures>> ByRegime() const;
  // For each period.
  std::vector<RequestFigures> Totals() const;
  const std::vector<HoldFigures>& holds() const { return holds_; }
  const ChoiceFigures& choices() const { return choices_; }
  // Parts that ended as EXEMPT, by data system and ground (ExemptReason's name), for each period.
  const std::map<std::pair<std::string, std::string>, std::vector<uint64_t>>& exempt() const { return exempt_; }

 private:
  struct Counted {
    RequestFigures figures;
    std::vector<double> days;
  };
  // The period in which `time` lies; nothing: in none.
  std::optional<size_t> At(const std::optional<Time>& time) const;
  void AddEnd(const DeletionRequest& request);
  void Count(const std::string& name, size_t period, std::map<std::string, std::vector<uint64_t>>* counts) const;
  Counted& Of(const std::string& regime, size_t period);
  static RequestFigures FiguresOf(const Counted& counted);

  const std::vector<ReportPeriod> periods_;
  std::map<std::string, std::vector<Counted>> by_regime_;
  std::vector<HoldFigures> holds_;
  ChoiceFigures choices_;
  std::map<std::pair<std::string, std::string>, std::vector<uint64_t>> exempt_;
};

}  // namespace consent::cli
