// Figures by period against a naive count of the same requests, holds and choices.
#include "client/cli/engines/period_tally.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "client/cli/engines/period_figures.h"
#include "client/cli/engines/request_sample.h"
#include "client/cli/engines/standing_figures.h"
#include "client/cli/render/html.h"
#include "client/cli/render/render_report.h"
#include "consent/names.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

using std::chrono::days;
using std::chrono::hours;

Time On(int year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day));
}

std::vector<std::string> NamesOf(const std::vector<ReportPeriod>& periods) {
  std::vector<std::string> names;
  for (const ReportPeriod& period : periods) names.push_back(period.name + (period.whole ? "" : "*"));
  return names;
}

TEST(Periods, MonthsThatATimeTouchesAreWholeAndBounded) {
  EXPECT_EQ(MonthsOf(On(2025, 11, 30), On(2026, 2, 1)), (std::vector<std::string>{"2025-11", "2025-12", "2026-01"}));
  EXPECT_EQ(MonthsOf(On(2026, 2, 1), On(2026, 2, 1) + std::chrono::microseconds(1)),
            std::vector<std::string>{"2026-02"});
  EXPECT_TRUE(MonthsOf(On(2026, 2, 2), On(2026, 2, 1)).empty()) << "it has not begun";
  const std::vector<std::string> latest = MonthsOf(On(1970, 1, 1), On(2026, 2, 2));
  EXPECT_EQ(latest.size(), kMostPeriods);
  EXPECT_EQ(latest.back(), "2026-02");
}

TEST(RateFigures, SayWhatWasMeasuredAndNothingWhereNobodyReported) {
  HeardRate measured;
  measured.purpose = Purpose::kHumanReview;
  measured.country = "DE";
  measured.heard = 3;
  measured.utterances = 2'000;
  measured.allowed_parts_per_million = 2'000;
  measured.measured = HeardRate::Measured{1'500, 510.25, 4'400};
  HeardRate unmeasured;
  unmeasured.purpose = Purpose::kModelTraining;
  unmeasured.heard = 1;
  std::map<std::string, std::optional<double>> values;
  for (const Figure& figure : RateFiguresOf("2026-11", {measured, unmeasured})) {
    EXPECT_EQ(figure.section + " " + figure.period, "review_rates 2026-11");
    values[figure.group + ": " + figure.name] = figure.value;
  }
  const std::map<std::string, std::optional<double>> expected = {
      {"HUMAN_REVIEW DE: heard", 3},
      {"HUMAN_REVIEW DE: utterances", 2'000},
      {"HUMAN_REVIEW DE: measured_parts_per_million", 1'500},
      {"HUMAN_REVIEW DE: low_parts_per_million", 510.25},
      {"HUMAN_REVIEW DE: high_parts_per_million", 4'400},
      {"HUMAN_REVIEW DE: allowed_parts_per_million", 2'000},
      {"MODEL_TRAINING (unknown): heard", 1},
      {"MODEL_TRAINING (unknown): utterances", 0},
      {"MODEL_TRAINING (unknown): measured_parts_per_million", std::nullopt},
      {"MODEL_TRAINING (unknown): low_parts_per_million", std::nullopt},
      {"MODEL_TRAINING (unknown): high_parts_per_million", std::nullopt},
      {"MODEL_TRAINING (unknown): allowed_parts_per_million", 0}};
  EXPECT_EQ(values, expected);
}

TEST(Periods, AreTheCalendarsAndCutOffAtBothEnds) {
  const Time from = On(2025, 11, 15);
  const Time to = On(2026, 8, 1);
  EXPECT_EQ(NamesOf(PeriodsOf(from, to, PeriodUnit::kYear)), (std::vector<std::string>{"2025*", "2026*"}));
  EXPECT_EQ(NamesOf(PeriodsOf(from, to, PeriodUnit::kHalfYear)),
            (std::vector<std::string>{"2025-H2*", "2026-H1", "2026-H2*"}));
  EXPECT_EQ(NamesOf(PeriodsOf(from, to, PeriodUnit::kQuarter)),
            (std::vector<std::string>{"2025-Q4*", "2026-Q1", "2026-Q2", "2026-Q3*"}));
  EXPECT_EQ(PeriodsOf(from, to, PeriodUnit::kMonth).size(), 9u);
  EXPECT_EQ(PeriodsOf(from, to, PeriodUnit::kMonth).back().name, "2026-07");
  EXPECT_EQ(PeriodsOf(from, to, PeriodUnit::kWhole).size(), 1u);
  for (const PeriodUnit unit : {PeriodUnit::kMonth, PeriodUnit::kQuarter, PeriodUnit::kHalfYear, PeriodUnit::kYear}) {
    const std::vector<ReportPeriod> periods = PeriodsOf(from, to, unit);
    EXPECT_EQ(periods.front().from, from);
    EXPECT_EQ(periods.back().to, to);
    for (size_t i = 1; i < periods.size(); ++i) EXPECT_EQ(periods[i].from, periods[i - 1].to);
  }
  EXPECT_TRUE(PeriodsOf(On(1990, 1, 1), On(2026, 1, 1), PeriodUnit::kMonth).empty()) << "more than are shown";
}

// A seeded world, written down.
struct World {
  std::vector<DeletionRequest> requests;
  std::vector<Hold> holds;
  ChoicesPage noes;
  ChoicesPage consents;
};

World SomeWorld(uint64_t seed) {
  std::mt19937_64 dice(seed);
  const auto below = [&dice](uint64_t n) { return dice() % n; };
  const Time begin = On(2025, 1, 1);
  World world;
  for (int i = 0; i < 400; ++i) {
    DeletionRequest request;
    request.deletion_id = DeletionId("d" + std::to_string(i));
    request.regime = below(2) == 0 ? "eu" : "us-ca";
    request.received_at = begin + hours(below(24 * 600));
    request.extended = below(5) == 0;
    request.state = static_cast<DeletionState>(1 + below(7));
    const bool ended = request.state == DeletionState::kCompleted || request.state == DeletionState::kDenied ||
                       request.state == DeletionState::kCancelled;
    if (ended) request.ended_at = *request.received_at + hours(below(24 * 60));
    for (uint64_t part = below(3); part > 0; --part) {
      DeletionProgress progress;
      progress.system = "system" + std::to_string(part);
      progress.outcome = static_cast<PurgeOutcome>(below(4));
      if (progress.outcome == PurgeOutcome::kExempt) {
        progress.exempt_reason = below(2) == 0 ? ExemptReason::kLegalObligation : ExemptReason::kSecurity;
        progress.reason = "=tax" + std::to_string(below(2));
      }
      if (progress.outcome != PurgeOutcome::kUnset) progress.ended_at = *request.received_at + hours(below(500));
      request.progress.push_back(progress);
    }
    world.requests.push_back(request);
  }
  for (int i = 0; i < 60; ++i) {
    Hold hold;
    hold.placed_at = begin + hours(below(24 * 600));
    if (below(2) == 0) hold.released_at = *hold.placed_at + hours(below(24 * 200));
    world.holds.push_back(hold);
  }
  for (int i = 0; i < 300; ++i) {
    ChoiceEntry choice;
    choice.entry.time = begin + hours(below(24 * 600));
    choice.entry.evidence.channel = static_cast<Channel>(below(4));
    const bool yes = below(2) == 0;
    const auto purpose = static_cast<Purpose>(1 + below(7));
    const Choice to = yes ? Choice::kGiven : Choice::kRefused;
    if (below(6) != 0) choice.entry.changes.push_back({{}, PurposeChange{purpose, Choice::kUnset, to, {}}});
    if (yes) choice.entry.evidence.notice_version = "n" + std::to_string(below(3));
    (yes ? world.consents : world.noes).choices.push_back(choice);
  }
  return world;
}

uint64_t Sum(const std::vector<Figure>& figures, const std::string& section, const std::string& period,
             const std::string& group, const std::string& name) {
  for (const Figure& figure : figures) {
    if (figure.section == section && figure.period == period && figure.group == group && figure.name == name) {
      return figure.value.has_value() ? static_cast<uint64_t>(*figure.value) : 0;
    }
  }
  return 0;
}

TEST(PeriodTallyTest, EachFigureEqualsANaiveCount) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const World world = SomeWorld(seed);
    const Time from = On(2025, 2, 10);
    const Time to = On(2026, 3, 5);
    PeriodTally tally(PeriodsOf(from, to, PeriodUnit::kQuarter));
    DeletionTally now(from, to);
    for (const DeletionRequest& request : world.requests) {
      tally.Add(request);
      now.Add(request);
    }
    for (const Hold& hold : world.holds) tally.Add(hold);
    tally.AddNoes(world.noes);
    tally.AddConsents(world.consents);
    const std::vector<Figure> figures = FiguresOf(tally, now);
    for (const ReportPeriod& period : tally.periods()) {
      const auto in = [&period](const std::optional<Time>& time) {
        return time.has_value() && *time >= period.from && *time < period.to;
      };
      const auto count = [](const auto& all, const auto& matches) {
        return static_cast<uint64_t>(std::count_if(all.begin(), all.end(), matches));
      };
      for (const std::string regime : {"eu", "us-ca", "(all)"}) {
        const auto of = [&](const DeletionRequest& r) { return regime == "(all)" || r.regime == regime; };
        const auto kept = [](const DeletionRequest& r) {
          for (const DeletionProgress& part : r.progress) {
            if (part.outcome == PurgeOutcome::kExempt) return true;
          }
          return false;
        };
        const auto is = [&](const char* name) { return Sum(figures, "requests", period.name, regime, name); };
        EXPECT_EQ(is("received"), count(world.requests, [&](auto& r) { return of(r) && in(r.received_at); }));
        EXPECT_EQ(is("extended"),
                  count(world.requests, [&](auto& r) { return of(r) && in(r.received_at) && r.extended; }));
        EXPECT_EQ(is("denied"), count(world.requests, [&](auto& r) {
                    return of(r) && in(r.ended_at) && r.state == DeletionState::kDenied;
                  }));
        EXPECT_EQ(is("cancelled"), count(world.requests, [&](auto& r) {
                    return of(r) && in(r.ended_at) && r.state == DeletionState::kCancelled;
                  }));
        for (const bool whole : {true, false}) {
          EXPECT_EQ(is(whole ? "complied_whole" : "complied_part"), count(world.requests, [&](auto& r) {
                      return of(r) && in(r.ended_at) && r.state == DeletionState::kCompleted && kept(r) != whole;
                    }));
        }
        std::vector<double> took;
        for (const DeletionRequest& r : world.requests) {
          const bool answered = r.state == DeletionState::kCompleted || r.state == DeletionState::kDenied;
          if (of(r) && in(r.ended_at) && answered) {
            took.push_back(std::chrono::duration<double>(*r.ended_at - *r.received_at).count() / 86'400);
          }
        }
        for (const Figure& figure : figures) {
          if (figure.section != "requests" || figure.period != period.name || figure.group != regime) continue;
          if (figure.name != "median_days" && figure.name != "mean_days") continue;
          ASSERT_EQ(figure.value.has_value(), !took.empty());
          if (took.empty()) continue;
          std::sort(took.begin(), took.end());
          const size_t n = took.size();
          double sum = 0;
          for (const double one : took) sum += one;
          const double expected = figure.name == "mean_days" ? sum / static_cast<double>(n)
                                  : n % 2 == 1               ? took[n / 2]
                                                             : (took[n / 2 - 1] + took[n / 2]) / 2;
          EXPECT_NEAR(*figure.value, expected, 1e-9);
        }
      }
      for (const std::string system : {"system1", "system2"}) {
        for (const ExemptReason reason : {ExemptReason::kLegalObligation, ExemptReason::kSecurity}) {
          uint64_t parts = 0;
          for (const DeletionRequest& r : world.requests) {
            parts += count(r.progress, [&](auto& p) {
              return p.outcome == PurgeOutcome::kExempt && p.system == system && p.exempt_reason == reason &&
                     in(p.ended_at);
            });
          }
          EXPECT_EQ(Sum(figures, "exempt", period.name, system + ": " + std::string(Name(reason)), "parts"), parts);
        }
      }
      EXPECT_EQ(Sum(figures, "holds", period.name, "", "placed"),
                count(world.holds, [&](auto& h) { return in(h.placed_at); }));
      EXPECT_EQ(Sum(figures, "holds", period.name, "", "released"),
                count(world.holds, [&](auto& h) { return in(h.released_at); }));
      EXPECT_EQ(Sum(figures, "holds", period.name, "", "in_force_at_end"), count(world.holds, [&](auto& h) {
                  return *h.placed_at < period.to && (!h.released_at || *h.released_at >= period.to);
                }));
      EXPECT_EQ(Sum(figures, "opt_outs", period.name, "", "entries"),
                count(world.noes.choices, [&](auto& c) { return in(c.entry.time); }));
      for (int number = 1; number <= 7; ++number) {
        const auto purpose = static_cast<Purpose>(number);
        EXPECT_EQ(Sum(figures, "opt_outs_by_purpose", period.name, std::string(Name(purpose)), "entries"),
                  count(world.noes.choices, [&](auto& c) {
                    return in(c.entry.time) && !c.entry.changes.empty() &&
                           std::get<PurposeChange>(c.entry.changes[0].what).purpose == purpose;
                  }));
      }
      for (const std::string notice : {"n0", "n1", "n2"}) {
        EXPECT_EQ(Sum(figures, "consents_by_notice", period.name, notice, "entries"),
                  count(world.consents.choices,
                        [&](auto& c) { return in(c.entry.time) && c.entry.evidence.notice_version == notice; }));
      }
    }
  }
}

std::vector<Figure> Hostile() {
  return {{"requests", "2026", "(all)", "received", 3},
          {"requests", "2026", "(all)", "median_days", std::nullopt},
          {"exempt", "2026", "tax: <script>alert(1)</script>&\"'", "parts", 2},
          {"exempt", "2026", "=HYPERLINK(\"http://x\")", "parts", 1},
          {"exempt", "2026", "-1+1\xff\x01", "parts", 1}};
}

TEST(ReportForms, TextOfStrangersIsNeitherMarkupNorAFormula) {
  const std::string html = ReportHtml({"a", "b", "year", {}, {}}, Hostile());
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_EQ(html.find('\xff'), std::string::npos);
  const std::string csv = ReportCsv(Hostile());
  EXPECT_NE(csv.find("exempt,2026,\"'=HYPERLINK(\"\"http://x\"\")\",parts,1\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",'-1+1"), std::string::npos);
  for (const char* cell : {"=1", "+1", "-1", "@x", "\t=1", "\r=1"}) {
    EXPECT_EQ(CsvCell(cell).find_first_not_of('"'), CsvCell(cell).find('\'')) << cell;
  }
  EXPECT_EQ(CsvCell("1-2"), "1-2");
}

TEST(ReportForms, APageStandsForItself) {
  const std::string html = ReportHtml({"a", "b", "year", {"2026"}, "something is missing"}, Hostile());
  for (const char* from_elsewhere : {" src=", " href=", "url(", "@import", "<link", "<iframe", "onload"}) {
    EXPECT_EQ(html.find(from_elsewhere), std::string::npos) << from_elsewhere;
  }
  // Each plot has a title and a description, and its table beside it.
  size_t plots = 0;
  for (size_t at = html.find("<svg"); at != std::string::npos; at = html.find("<svg", at + 1)) {
    ++plots;
    const size_t end = html.find("</svg>", at);
    EXPECT_LT(html.find("<title id=", at), end);
    EXPECT_LT(html.find("<desc id=", at), end);
    EXPECT_LT(html.find("<table>", end), html.find("</section>", end));
  }
  EXPECT_EQ(plots, 4u) << "requests, by regime, California, exempt; no days, of which there are none";
  EXPECT_NE(html.find("something is missing"), std::string::npos);
}

TEST(RequestSampleTest, IsTheSameInWhateverOrderAndTheSmallestKeys) {
  std::vector<DeletionRequest> all(500);
  for (size_t i = 0; i < all.size(); ++i) all[i].deletion_id = DeletionId("d" + std::to_string(i));
  std::set<std::string> keys;
  for (const DeletionRequest& request : all) {
    keys.insert(base::Hex(base::View(base::Sha256("s\n" + request.deletion_id.value()))));
  }
  std::mt19937_64 dice(1);
  std::set<std::string> drawn_first;
  for (int order = 0; order < 5; ++order) {
    std::shuffle(all.begin(), all.end(), dice);
    RequestSample sample("s", 25);
    for (const DeletionRequest& request : all) sample.Consider(request);
    EXPECT_EQ(sample.population(), 500u);
    std::set<std::string> drawn;
    for (const auto& [key, request] : sample.drawn()) {
      EXPECT_EQ(key, DrawnKey("s", request.deletion_id));
      drawn.insert(key);
    }
    EXPECT_EQ(drawn, std::set<std::string>(keys.begin(), std::next(keys.begin(), 25)));
  }
  RequestSample other("t", 25);
  for (const DeletionRequest& request : all) other.Consider(request);
  size_t shared = 0;
  for (const auto& [key, request] : other.drawn()) shared += keys.count(DrawnKey("s", request.deletion_id));
  EXPECT_EQ(shared, 25u);
  EXPECT_NE(other.drawn().begin()->first, *keys.begin());
}

TEST(RequestSampleTest, OfFewAllAreDrawn) {
  RequestSample sample("s", 25);
  sample.Consider({});
  EXPECT_EQ(sample.drawn().size(), 1u);
}

}  // namespace
// A count is there whatever it is; days are there where the time is, both ways from the daemon's own clock.
TEST(StandingFiguresTest, TimesAreDaysAndWhatIsNotThereHasNoValue) {
  DaemonStatus status;
  status.read_at = On(2026, 3, 10);
  status.requests.open = 3;
  status.requests.oldest_at = On(2026, 3, 1);
  status.policy.calendars = {{"us", On(2026, 3, 7)}};
  status.systems.resize(1);
  status.systems.front().name = "audio";
  const std::vector<Figure> figures = StandingOf(status);
  const auto find = [&figures](const std::string& group, const std::string& name) {
    for (const Figure& figure : figures) {
      if (figure.section == "standing" && figure.group == group && figure.name == name) return figure.value;
    }
    ADD_FAILURE() << group << " has no " << name;
    return std::optional<double>();
  };
  EXPECT_EQ(find("requests of all causes", "open"), 3);
  EXPECT_EQ(find("requests of all causes", "oldest_days"), 9);
  EXPECT_EQ(find("requests of all causes", "overdue"), 0);
  EXPECT_EQ(find("holiday calendar of us", "ends_in_days"), -3);
  EXPECT_EQ(find("system audio", "oldest_task_days"), std::nullopt);
  // Who was never asked has no figures: nobody verified, and nothing says how many proposals there are.
  for (const Figure& figure : figures) {
    EXPECT_NE(figure.group, "verification");
    EXPECT_NE(figure.name, "approvals_open");
  }
}

}  // namespace consent::cli
