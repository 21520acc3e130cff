// The figures of `requests report`, and how they are written.
#include "client/cli/deletion_tally.h"

#include <gtest/gtest.h>

namespace consent::cli {
namespace {

using std::chrono::days;
using std::chrono::hours;

const Time kFrom = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
const Time kTo = std::chrono::sys_days(std::chrono::year(2027) / 1 / 1);

DeletionRequest Request(DeletionState state, Time received, std::optional<Time> ended = {}, const std::string& regime = "eu") {
  DeletionRequest request;
  request.state = state;
  request.received_at = received;
  request.ended_at = ended;
  request.regime = regime;
  return request;
}

DeletionRequest Completed(Time received, std::chrono::microseconds took) {
  return Request(DeletionState::kCompleted, received, received + took);
}

TEST(DeletionTallyTest, NothingIsNothing) {
  const DeletionTally tally(kFrom, kTo);
  EXPECT_TRUE(tally.ByRegime().empty());
  const DeletionFigures total = tally.Total();
  EXPECT_EQ(total.received + total.complied + total.denied + total.cancelled + total.due_now + total.overdue_now, 0u);
  EXPECT_FALSE(total.mean_days.has_value());
  EXPECT_FALSE(total.median_days.has_value());
  EXPECT_EQ(FiguresCsv(tally),
            "regime,received,complied,denied,cancelled,mean_days,median_days,extended,due_now,overdue_now\n(all),0,0,0,0,,,0,0,0\n");
}

TEST(DeletionTallyTest, MeanAndMedianDiffer) {
  DeletionTally odd(kFrom, kTo);
  for (const int took : {1, 2, 30}) odd.Add(Completed(kFrom, days(took)));
  EXPECT_DOUBLE_EQ(*odd.Total().mean_days, 11);
  EXPECT_DOUBLE_EQ(*odd.Total().median_days, 2);
  odd.Add(Completed(kFrom, days(5)));
  EXPECT_DOUBLE_EQ(*odd.Total().mean_days, 9.5);
  EXPECT_DOUBLE_EQ(*odd.Total().median_days, 3.5) << "of an even number: between the two in the middle";
  DeletionTally one(kFrom, kTo);
  one.Add(Completed(kFrom, hours(6)));
  EXPECT_DOUBLE_EQ(*one.Total().mean_days, 0.25);
  EXPECT_DOUBLE_EQ(*one.Total().median_days, 0.25);
}

TEST(DeletionTallyTest, ThePeriodHasItsFirstInstantAndNotItsLast) {
  const Time just_before = kFrom - std::chrono::microseconds(1);
  DeletionTally tally(kFrom, kTo);
  for (const Time received : {just_before, kFrom, kTo - std::chrono::microseconds(1), kTo}) {
    tally.Add(Request(DeletionState::kReceived, received));
  }
  EXPECT_EQ(tally.Total().received, 2u);
  EXPECT_EQ(tally.Total().due_now, 4u) << "what is open now does not depend on the period";
}

TEST(DeletionTallyTest, EndsCountWhenTheyCameWheneverTheRequestDid) {
  const Time last_year = kFrom - days(10);
  DeletionTally tally(kFrom, kTo);
  tally.Add(Request(DeletionState::kCompleted, last_year, kFrom + days(10)));
  tally.Add(Request(DeletionState::kDenied, last_year, kFrom));
  tally.Add(Request(DeletionState::kCancelled, last_year, kFrom));
  tally.Add(Request(DeletionState::kCompleted, kFrom, kTo + days(1)));
  const DeletionFigures total = tally.Total();
  EXPECT_EQ(total.received, 1u);
  EXPECT_EQ(total.complied, 1u);
  EXPECT_EQ(total.denied, 1u);
  EXPECT_EQ(total.cancelled, 1u);
  EXPECT_DOUBLE_EQ(*total.mean_days, 20);
  EXPECT_EQ(total.due_now + total.overdue_now, 0u);
}

TEST(DeletionTallyTest, OpenOnesAreDueOrOverdue) {
  DeletionTally tally(kFrom, kTo);
  for (const DeletionState state : {DeletionState::kReceived, DeletionState::kVerifying, DeletionState::kAccepted,
                                    DeletionState::kInProgress}) {
    tally.Add(Request(state, kFrom));
  }
  DeletionRequest late = Request(DeletionState::kInProgress, kFrom);
  late.overdue = true;
  late.extended = true;
  tally.Add(late);
  tally.Add(Request(DeletionState::kUnset, kFrom));
  const DeletionFigures total = tally.Total();
  EXPECT_EQ(total.due_now, 5u) << "a state that is not known is not done";
  EXPECT_EQ(total.overdue_now, 1u);
  EXPECT_EQ(total.extended, 1u);
  EXPECT_EQ(total.complied, 0u);
}

TEST(DeletionTallyTest, RegimesAreApartAndTheirSumIsOfAllRequests) {
  DeletionTally tally(kFrom, kTo);
  tally.Add(Request(DeletionState::kCompleted, kFrom, kFrom + days(1), "us-ca"));
  for (const int took : {2, 3, 4}) tally.Add(Completed(kFrom, days(took)));
  const auto by_regime = tally.ByRegime();
  ASSERT_EQ(by_regime.size(), 2u);
  EXPECT_EQ(by_regime.at("eu").complied, 3u);
  EXPECT_DOUBLE_EQ(*by_regime.at("eu").median_days, 3);
  EXPECT_DOUBLE_EQ(*by_regime.at("us-ca").median_days, 1);
  EXPECT_DOUBLE_EQ(*tally.Total().median_days, 2.5) << "not the mean of the regimes' medians";
  EXPECT_EQ(FiguresTable(tally).Plain(),
            "figures\teu\t3\t3\t0\t0\t3.00\t3.00\t0\t0\t0\nfigures\tus-ca\t1\t1\t0\t0\t1.00\t1.00\t0\t0\t0\n"
            "figures\t(all)\t4\t4\t0\t0\t2.50\t2.50\t0\t0\t0\n");
}

TEST(DeletionTallyTest, ARequestWithoutTimesIsNotCountedInAPeriod) {
  DeletionTally tally(kFrom, kTo);
  DeletionRequest request;
  request.state = DeletionState::kCompleted;
  tally.Add(request);
  EXPECT_EQ(tally.Total().received, 0u);
  EXPECT_EQ(tally.Total().complied, 0u);
  request.ended_at = kFrom;
  tally.Add(request);
  EXPECT_EQ(tally.Total().complied, 1u);
  EXPECT_FALSE(tally.Total().mean_days.has_value());
}

TEST(FiguresTest, CellsThatWouldBreakALineAreQuoted) {
  DeletionTally tally(kFrom, kTo);
  tally.Add(Request(DeletionState::kReceived, kFrom, {}, "a,\"b\""));
  tally.Add(Request(DeletionState::kReceived, kFrom, {}, ""));
  const std::string csv = FiguresCsv(tally);
  EXPECT_NE(csv.find("\n\"a,\"\"b\"\"\",1,0,"), std::string::npos) << csv;
  EXPECT_NE(csv.find("\n,1,0,"), std::string::npos) << csv;
}

TEST(FiguresTest, JsonRoundsToHundredthsAndHasNullForNone) {
  DeletionFigures figures;
  figures.mean_days = 1.0 / 3;
  const Json json = FiguresJson(figures);
  EXPECT_EQ(json["mean_days"], 0.33);
  EXPECT_TRUE(json["median_days"].is_null());
}

}  // namespace
}  // namespace consent::cli
