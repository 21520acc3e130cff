#include "client/cli/engines/deletion_tally.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "client/cli/render/render_report.h"

namespace consent::cli {
namespace {

constexpr char kAll[] = "(all)";

// Hundredths of a day, a quarter of an hour, are as fine as anybody reads.
double Rounded(double days) { return std::round(days * 100) / 100; }

std::string DaysText(const std::optional<double>& days) {
  if (!days.has_value()) return "";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2f", Rounded(*days));
  return text.data();
}

// In the order of the headers.
std::vector<std::string> Cells(const std::string& regime, const DeletionFigures& figures) {
  return {regime,
          std::to_string(figures.received),
          std::to_string(figures.complied),
          std::to_string(figures.denied),
          std::to_string(figures.cancelled),
          DaysText(figures.mean_days),
          DaysText(figures.median_days),
          std::to_string(figures.extended),
          std::to_string(figures.due_now),
          std::to_string(figures.overdue_now),
          std::to_string(figures.on_hold),
          std::to_string(figures.confirmation_overdue_now)};
}

std::vector<std::vector<std::string>> Rows(const DeletionTally& tally) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [regime, figures] : tally.ByRegime()) rows.push_back(Cells(regime, figures));
  rows.push_back(Cells(kAll, tally.Total()));
  return rows;
}

}  // namespace

double DaysBetween(Time from, Time to) {
  return std::chrono::duration_cast<std::chrono::duration<double, std::ratio<86'400>>>(to - from).count();
}

double Median(std::vector<double> days) {
  std::sort(days.begin(), days.end());
  const size_t middle = days.size() / 2;
  return days.size() % 2 == 1 ? days[middle] : (days[middle - 1] + days[middle]) / 2;
}

void DeletionTally::Add(const DeletionRequest& request) {
  Counted& counted = by_regime_[request.regime];
  DeletionFigures& figures = counted.figures;
  if (InPeriod(request.received_at)) {
    ++figures.received;
    if (request.extended) ++figures.extended;
  }
  const bool ended_in_period = InPeriod(request.ended_at);
  switch (request.state) {
    case DeletionState::kCompleted:
      if (!ended_in_period) return;
      ++figures.complied;
      if (request.received_at.has_value()) counted.days.push_back(DaysBetween(*request.received_at, *request.ended_at));
      return;
    case DeletionState::kDenied:
      if (ended_in_period) ++figures.denied;
      return;
    case DeletionState::kCancelled:
      if (ended_in_period) ++figures.cancelled;
      return;
    case DeletionState::kUnset:
    case DeletionState::kReceived:
    case DeletionState::kVerifying:
    case DeletionState::kAccepted:
    case DeletionState::kInProgress:
      break;
  }
  ++(request.overdue ? figures.overdue_now : figures.due_now);
  if (request.on_hold) ++figures.on_hold;
  if (request.confirmation_overdue) ++figures.confirmation_overdue_now;
}

DeletionFigures DeletionTally::Figures(const Counted& counted) {
  DeletionFigures figures = counted.figures;
  if (counted.days.empty()) return figures;
  figures.mean_days =
      std::accumulate(counted.days.begin(), counted.days.end(), 0.0) / static_cast<double>(counted.days.size());
  figures.median_days = Median(counted.days);
  return figures;
}

std::map<std::string, DeletionFigures> DeletionTally::ByRegime() const {
  std::map<std::string, DeletionFigures> by_regime;
  for (const auto& [regime, counted] : by_regime_) by_regime.emplace(regime, Figures(counted));
  return by_regime;
}

DeletionFigures DeletionTally::Total() const {
  Counted all;
  for (const auto& [regime, counted] : by_regime_) {
    const DeletionFigures& figures = counted.figures;
    all.figures.received += figures.received;
    all.figures.extended += figures.extended;
    all.figures.complied += figures.complied;
    all.figures.denied += figures.denied;
    all.figures.cancelled += figures.cancelled;
    all.figures.due_now += figures.due_now;
    all.figures.overdue_now += figures.overdue_now;
    all.figures.on_hold += figures.on_hold;
    all.figures.confirmation_overdue_now += figures.confirmation_overdue_now;
    all.days.insert(all.days.end(), counted.days.begin(), counted.days.end());
  }
  return Figures(all);
}

Json FiguresJson(const DeletionFigures& figures) {
  const auto days = [](const std::optional<double>& value) {
    return value.has_value() ? Json(Rounded(*value)) : Json(nullptr);
  };
  return {{"received", figures.received},
          {"complied", figures.complied},
          {"denied", figures.denied},
          {"cancelled", figures.cancelled},
          {"mean_days", days(figures.mean_days)},
          {"median_days", days(figures.median_days)},
          {"extended", figures.extended},
          {"due_now", figures.due_now},
          {"overdue_now", figures.overdue_now},
          {"on_hold", figures.on_hold},
          {"confirmation_overdue_now", figures.confirmation_overdue_now}};
}

Table FiguresTable(const DeletionTally& tally) {
  Table table("figures", {"REGIME", "RECEIVED", "COMPLIED", "DENIED", "CANCELLED", "MEAN DAYS", "MEDIAN DAYS",
                          "EXTENDED", "DUE NOW", "OVERDUE NOW", "ON HOLD", "CONFIRMATION OVERDUE NOW"});
  for (std::vector<std::string>& row : Rows(tally)) table.Add(std::move(row));
  return table;
}

std::string FiguresCsv(const DeletionTally& tally) {
  std::string text =
      "regime,received,complied,denied,cancelled,mean_days,median_days,extended,due_now,overdue_now,on_hold,"
      "confirmation_overdue_now\n";
  for (const std::vector<std::string>& row : Rows(tally)) {
    for (size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : ",") + CsvCell(row[i]);
    text += "\n";
  }
  return text;
}

}  // namespace consent::cli
