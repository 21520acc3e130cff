#include "client/cli/engines/period_tally.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <set>
#include <variant>

#include "client/cli/engines/deletion_tally.h"
#include "consent/names.h"

namespace consent::cli {
namespace {

constexpr char kNotSaid[] = "not said";

int MonthsIn(PeriodUnit unit) {
  switch (unit) {
    case PeriodUnit::kMonth:
      return 1;
    case PeriodUnit::kQuarter:
      return 3;
    case PeriodUnit::kHalfYear:
      return 6;
    case PeriodUnit::kYear:
      return 12;
    case PeriodUnit::kWhole:
      break;
  }
  return 0;
}

std::chrono::year_month_day DayOf(Time time) {
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time));
}

Time StartOf(std::chrono::year_month month) { return std::chrono::sys_days(month / 1); }

std::string DateText(Time time) {
  const std::chrono::year_month_day day = DayOf(time);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text.data();
}

std::string NameOf(std::chrono::year_month start, PeriodUnit unit) {
  const int year = static_cast<int>(start.year());
  const unsigned month = static_cast<unsigned>(start.month());
  std::array<char, 64> text{};
  if (unit == PeriodUnit::kYear) std::snprintf(text.data(), text.size(), "%04d", year);
  if (unit == PeriodUnit::kHalfYear) std::snprintf(text.data(), text.size(), "%04d-H%u", year, (month + 5) / 6);
  if (unit == PeriodUnit::kQuarter) std::snprintf(text.data(), text.size(), "%04d-Q%u", year, (month + 2) / 3);
  if (unit == PeriodUnit::kMonth) std::snprintf(text.data(), text.size(), "%04d-%02u", year, month);
  return text.data();
}

bool KeptSomething(const DeletionRequest& request) {
  return std::any_of(request.progress.begin(), request.progress.end(),
                     [](const DeletionProgress& part) { return part.outcome == PurgeOutcome::kExempt; });
}

}  // namespace

std::vector<ReportPeriod> PeriodsOf(Time from, Time to, PeriodUnit unit) {
  std::vector<ReportPeriod> periods;
  if (from >= to) return periods;
  if (unit == PeriodUnit::kWhole) return {{DateText(from) + " to " + DateText(to), from, to, true}};
  const int length = MonthsIn(unit);
  const std::chrono::year_month_day first = DayOf(from);
  const int into = (static_cast<int>(static_cast<unsigned>(first.month())) - 1) % length;
  for (std::chrono::year_month start = first.year() / first.month() - std::chrono::months(into); StartOf(start) < to;
       start += std::chrono::months(length)) {
    if (periods.size() == kMostPeriods) return {};
    const Time begin = StartOf(start);
    const Time end = StartOf(start + std::chrono::months(length));
    periods.push_back({NameOf(start, unit), std::max(begin, from), std::min(end, to), begin >= from && end <= to});
  }
  return periods;
}

std::vector<std::string> MonthsOf(Time from, Time to) {
  const std::chrono::year_month_day last = DayOf(to);
  const auto first = last.year() / last.month() - std::chrono::months(static_cast<int>(kMostPeriods) - 1);
  std::vector<std::string> months;
  for (const ReportPeriod& period : PeriodsOf(std::max(from, StartOf(first)), to, PeriodUnit::kMonth)) {
    months.push_back(period.name);
  }
  return months;
}

std::optional<size_t> PeriodTally::At(const std::optional<Time>& time) const {
  if (!time.has_value()) return std::nullopt;
  const auto after = std::upper_bound(periods_.begin(), periods_.end(), *time,
                                      [](Time value, const ReportPeriod& period) { return value < period.from; });
  if (after == periods_.begin() || *time >= std::prev(after)->to) return std::nullopt;
  return static_cast<size_t>(std::distance(periods_.begin(), after)) - 1;
}

void PeriodTally::Count(const std::string& name, size_t period,
                        std::map<std::string, std::vector<uint64_t>>* counts) const {
  std::vector<uint64_t>& of_name = (*counts)[name];
  of_name.resize(periods_.size());
  ++of_name[period];
}

void PeriodTally::AddNoes(const ChoicesPage& page) {
  for (const ChoiceEntry& choice : page.choices) {
    const std::optional<size_t> at = At(choice.entry.time);
    if (!at.has_value()) continue;
    ++choices_.opt_outs[*at];
    std::set<Purpose> off;
    for (const HistoryChange& change : choice.entry.changes) {
      const auto* purpose = std::get_if<PurposeChange>(&change.what);
      if (purpose == nullptr) continue;
      if (purpose->to == Choice::kRefused || purpose->to == Choice::kWithdrawn) off.insert(purpose->purpose);
    }
    for (const Purpose purpose : off) Count(std::string(Name(purpose)), *at, &choices_.opt_outs_by_purpose);
    const Channel channel = choice.entry.evidence.channel;
    Count(channel == Channel::kUnset ? kNotSaid : std::string(Name(channel)), *at, &choices_.opt_outs_by_channel);
  }
  // Those of the other listing are the same.
  choices_.erased += static_cast<uint64_t>(std::max<int64_t>(page.erased, 0));
  choices_.truncated = choices_.truncated || page.truncated;
}

void PeriodTally::AddConsents(const ChoicesPage& page) {
  for (const ChoiceEntry& choice : page.choices) {
    const std::optional<size_t> at = At(choice.entry.time);
    if (!at.has_value()) continue;
    const std::string& notice = choice.entry.evidence.notice_version;
    Count(notice.empty() ? kNotSaid : notice, *at, &choices_.consents_by_notice);
  }
}

PeriodTally::Counted& PeriodTally::Of(const std::string& regime, size_t period) {
  std::vector<Counted>& counted = by_regime_[regime];
  counted.resize(periods_.size());
  return counted[period];
}

void PeriodTally::AddEnd(const DeletionRequest& request) {
  const std::optional<size_t> at = At(request.ended_at);
  if (!at.has_value()) return;
  Counted& counted = Of(request.regime, *at);
  if (request.state == DeletionState::kCancelled) {
    ++counted.figures.cancelled;
    return;
  }
  if (request.state == DeletionState::kDenied) {
    ++counted.figures.denied;
  } else if (request.state == DeletionState::kCompleted) {
    ++(KeptSomething(request) ? counted.figures.complied_part : counted.figures.complied_whole);
  } else {
    return;
  }
  if (request.received_at.has_value()) counted.days.push_back(DaysBetween(*request.received_at, *request.ended_at));
}

void PeriodTally::Add(const DeletionRequest& request) {
  if (const std::optional<size_t> at = At(request.received_at); at.has_value()) {
    Counted& counted = Of(request.regime, *at);
    ++counted.figures.received;
    if (request.extended) ++counted.figures.extended;
  }
  AddEnd(request);
  for (const DeletionProgress& part : request.progress) {
    if (part.outcome != PurgeOutcome::kExempt) continue;
    const std::optional<size_t> at = At(part.ended_at);
    if (!at.has_value()) continue;
    std::vector<uint64_t>& counts = exempt_[{part.system, std::string(Name(part.exempt_reason))}];
    counts.resize(periods_.size());
    ++counts[*at];
  }
}

void PeriodTally::Add(const Hold& hold) {
  if (const auto at = At(hold.placed_at); at.has_value()) ++holds_[*at].placed;
  if (const auto at = At(hold.released_at); at.has_value()) ++holds_[*at].released;
  if (!hold.placed_at.has_value()) return;
  for (size_t i = 0; i < periods_.size(); ++i) {
    const bool placed = *hold.placed_at < periods_[i].to;
    const bool held = !hold.released_at.has_value() || *hold.released_at >= periods_[i].to;
    if (placed && held) ++holds_[i].in_force_at_end;
  }
}

RequestFigures PeriodTally::FiguresOf(const Counted& counted) {
  RequestFigures figures = counted.figures;
  if (counted.days.empty()) return figures;
  figures.mean_days =
      std::accumulate(counted.days.begin(), counted.days.end(), 0.0) / static_cast<double>(counted.days.size());
  figures.median_days = Median(counted.days);
  return figures;
}

std::map<std::string, std::vector<RequestFigures>> PeriodTally::ByRegime() const {
  std::map<std::string, std::vector<RequestFigures>> by_regime;
  for (const auto& [regime, counted] : by_regime_) {
    for (const Counted& period : counted) by_regime[regime].push_back(FiguresOf(period));
  }
  return by_regime;
}

std::vector<RequestFigures> PeriodTally::Totals() const {
  std::vector<Counted> all(periods_.size());
  for (const auto& [regime, counted] : by_regime_) {
    for (size_t i = 0; i < counted.size(); ++i) {
      RequestFigures& sum = all[i].figures;
      const RequestFigures& part = counted[i].figures;
      sum.received += part.received;
      sum.extended += part.extended;
      sum.complied_whole += part.complied_whole;
      sum.complied_part += part.complied_part;
      sum.denied += part.denied;
      sum.cancelled += part.cancelled;
      all[i].days.insert(all[i].days.end(), counted[i].days.begin(), counted[i].days.end());
    }
  }
  std::vector<RequestFigures> totals;
  totals.reserve(all.size());
  for (const Counted& period : all) totals.push_back(FiguresOf(period));
  return totals;
}

}  // namespace consent::cli
