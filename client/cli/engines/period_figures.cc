#include "client/cli/engines/period_figures.h"

#include <map>
#include <optional>
#include <string>

#include "consent/names.h"

namespace consent::cli {
namespace {

constexpr char kAllRegimes[] = "(all)";
constexpr char kUnknownCountry[] = "(unknown)";

// Adds figures of one section.
class FigureSection {
 public:
  FigureSection(const char* name, std::vector<Figure>* out) : name_(name), out_(out) {}
  void Add(const std::string& period, const std::string& group, const char* figure, std::optional<double> value) {
    out_->push_back({name_, period, group, figure, value});
  }
  void Add(const std::string& period, const std::string& group, const char* figure, uint64_t value) {
    Add(period, group, figure, std::optional<double>(static_cast<double>(value)));
  }

 private:
  const char* const name_;
  std::vector<Figure>* const out_;
};

void AddRequests(const std::string& period, const std::string& regime, const RequestFigures& figures,
                 std::vector<Figure>* out) {
  FigureSection section("requests", out);
  section.Add(period, regime, "received", figures.received);
  section.Add(period, regime, "extended", figures.extended);
  section.Add(period, regime, "complied_whole", figures.complied_whole);
  section.Add(period, regime, "complied_part", figures.complied_part);
  section.Add(period, regime, "denied", figures.denied);
  section.Add(period, regime, "cancelled", figures.cancelled);
  section.Add(period, regime, "mean_days", figures.mean_days);
  section.Add(period, regime, "median_days", figures.median_days);
}

void AddCounts(const char* name, const char* figure, const std::string& period, size_t at,
               const std::map<std::string, std::vector<uint64_t>>& counts, std::vector<Figure>* out) {
  FigureSection section(name, out);
  for (const auto& [group, by_period] : counts) section.Add(period, group, figure, by_period[at]);
}

void AddNow(const std::string& regime, const DeletionFigures& figures, std::vector<Figure>* out) {
  FigureSection section("now", out);
  section.Add("now", regime, "due", figures.due_now);
  section.Add("now", regime, "overdue", figures.overdue_now);
  section.Add("now", regime, "on_hold", figures.on_hold);
  section.Add("now", regime, "confirmation_overdue", figures.confirmation_overdue_now);
}

}  // namespace

std::vector<Figure> FiguresOf(const PeriodTally& tally, const DeletionTally& now) {
  std::vector<Figure> out;
  const std::map<std::string, std::vector<RequestFigures>> by_regime = tally.ByRegime();
  const std::vector<RequestFigures> totals = tally.Totals();
  const ChoiceFigures& choices = tally.choices();
  for (size_t at = 0; at < tally.periods().size(); ++at) {
    const std::string& period = tally.periods()[at].name;
    for (const auto& [regime, figures] : by_regime) AddRequests(period, regime, figures[at], &out);
    AddRequests(period, kAllRegimes, totals[at], &out);
    FigureSection exempt("exempt", &out);
    for (const auto& [key, counts] : tally.exempt()) {
      exempt.Add(period, key.first + ": " + key.second, "parts", counts[at]);
    }
    FigureSection holds("holds", &out);
    holds.Add(period, "", "placed", tally.holds()[at].placed);
    holds.Add(period, "", "released", tally.holds()[at].released);
    holds.Add(period, "", "in_force_at_end", tally.holds()[at].in_force_at_end);
    FigureSection("opt_outs", &out).Add(period, "", "entries", choices.opt_outs[at]);
    AddCounts("opt_outs_by_purpose", "entries", period, at, choices.opt_outs_by_purpose, &out);
    AddCounts("opt_outs_by_channel", "entries", period, at, choices.opt_outs_by_channel, &out);
    AddCounts("consents_by_notice", "entries", period, at, choices.consents_by_notice, &out);
  }
  for (const auto& [regime, figures] : now.ByRegime()) AddNow(regime, figures, &out);
  AddNow(kAllRegimes, now.Total(), &out);
  return out;
}

std::vector<Figure> RateFiguresOf(const std::string& month, const std::vector<HeardRate>& rates) {
  std::vector<Figure> out;
  FigureSection section("review_rates", &out);
  for (const HeardRate& rate : rates) {
    const std::string group =
        std::string(Name(rate.purpose)) + " " + (rate.country.empty() ? kUnknownCountry : rate.country);
    const auto measured = [&rate](double HeardRate::Measured::*figure) {
      return rate.measured.has_value() ? std::optional<double>(*rate.measured.*figure) : std::nullopt;
    };
    section.Add(month, group, "heard", static_cast<uint64_t>(rate.heard));
    section.Add(month, group, "utterances", static_cast<uint64_t>(rate.utterances));
    section.Add(month, group, "measured_parts_per_million", measured(&HeardRate::Measured::parts_per_million));
    section.Add(month, group, "low_parts_per_million", measured(&HeardRate::Measured::low));
    section.Add(month, group, "high_parts_per_million", measured(&HeardRate::Measured::high));
    section.Add(month, group, "allowed_parts_per_million", static_cast<uint64_t>(rate.allowed_parts_per_million));
  }
  return out;
}

}  // namespace consent::cli
