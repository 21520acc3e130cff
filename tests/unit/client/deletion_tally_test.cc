// The figures of `requests report`, and how they are written.
#include "client/cli/engines/deletion_tally.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "client/cli/commands/requests.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using std::chrono::days;
using std::chrono::hours;

const Time kFrom = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
const Time kTo = std::chrono::sys_days(std::chrono::year(2027) / 1 / 1);

DeletionRequest Request(DeletionState state, Time received, std::optional<Time> ended = {},
                        const std::string& regime = "eu") {
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
            "regime,received,complied,denied,cancelled,mean_days,median_days,extended,due_now,overdue_now,on_hold,"
            "confirmation_overdue_now\n(all),0,0,0,0,,,0,0,0,0,0\n");
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
  for (const DeletionState state :
       {DeletionState::kReceived, DeletionState::kVerifying, DeletionState::kAccepted, DeletionState::kInProgress}) {
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

TEST(DeletionTallyTest, HoldsAreCountedAmongTheOpenOnes) {
  DeletionTally tally(kFrom, kTo);
  DeletionRequest held = Request(DeletionState::kInProgress, kFrom - days(10));
  held.on_hold = true;
  held.confirmation_overdue = true;
  tally.Add(held);
  held.regime = "us-ca";
  held.overdue = true;
  tally.Add(held);
  DeletionRequest done = Completed(kFrom, days(1));
  done.on_hold = true;
  tally.Add(done);
  const DeletionFigures total = tally.Total();
  EXPECT_EQ(total.due_now, 1u);
  EXPECT_EQ(total.overdue_now, 1u);
  EXPECT_EQ(total.on_hold, 2u) << "what is done waits for nothing";
  EXPECT_EQ(tally.ByRegime().at("eu").on_hold, 1u);
  EXPECT_EQ(FiguresJson(total)["on_hold"], 2);
  EXPECT_EQ(FiguresJson(total)["confirmation_overdue_now"], 2);
  EXPECT_NE(FiguresCsv(tally).find("\n(all),1,1,0,0,1.00,1.00,0,1,1,2,2\n"), std::string::npos) << FiguresCsv(tally);
}

// What the daemon would answer: those of `all` that the query asks for, a page of one at a time.
DeletionPage PageOf(const std::vector<DeletionRequest>& all, const DeletionQuery& query) {
  std::vector<DeletionRequest> found;
  for (const DeletionRequest& request : all) {
    const bool open = request.state != DeletionState::kCompleted;
    const bool caused = std::find(query.causes.begin(), query.causes.end(), request.cause) != query.causes.end();
    if (caused && (!query.received_from || request.received_at >= query.received_from) &&
        (!query.received_before || request.received_at < query.received_before) && (!query.due_before || open)) {
      found.push_back(request);
    }
  }
  const size_t at = query.page_token.empty() ? 0 : std::stoul(query.page_token);
  DeletionPage page;
  if (at < found.size()) page.requests = {found[at]};
  if (at + 1 < found.size()) page.next_page_token = std::to_string(at + 1);
  return page;
}

TEST(CountRequestsTest, EachThatSomebodyAskedForIsCountedOnceWhereItBelongs) {
  std::vector<DeletionRequest> all = {Completed(kFrom - days(5), days(10)),  // received before, done in it
                                      Completed(kFrom + days(5), days(10)),  // received and done in it
                                      Request(DeletionState::kInProgress, kFrom - days(1)),  // open, received before
                                      Request(DeletionState::kReceived, kTo - std::chrono::microseconds(1)),
                                      Request(DeletionState::kReceived, kTo),  // open, received after
                                      Request(DeletionState::kUnset, kTo),     // in a state of a later daemon
                                      Completed(kTo, days(1))};                // neither received nor done in it
  for (DeletionRequest& request : all) request.cause = DeletionCause::kRequested;
  all.push_back(Request(DeletionState::kReceived, kFrom));
  all.back().cause = DeletionCause::kWithdrawal;
  all.push_back(Completed(kFrom, days(1)));
  all.back().cause = DeletionCause::kRetention;
  testing::FakeClient client;
  client.on_list_deletions = [&all](const DeletionQuery& query) { return PageOf(all, query); };
  DeletionTally tally(kFrom, kTo);
  ASSERT_TRUE(CountRequests(client, &tally).ok());
  const DeletionFigures total = tally.Total();
  EXPECT_EQ(total.received, 2u);
  EXPECT_EQ(total.complied, 2u);
  EXPECT_EQ(total.due_now, 4u);
}

TEST(CountRequestsTest, AnErrorOfEitherReadingIsTold) {
  for (const bool late : {false, true}) {
    testing::FakeClient client;
    client.on_list_deletions = [late](const DeletionQuery& query) -> absl::StatusOr<DeletionPage> {
      if (query.received_from.has_value() == late) return absl::UnavailableError("restarting");
      return DeletionPage();
    };
    DeletionTally tally(kFrom, kTo);
    EXPECT_EQ(CountRequests(client, &tally).code(), absl::StatusCode::kUnavailable);
  }
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
  EXPECT_EQ(
      FiguresTable(tally).Plain(false),
      "figures\teu\t3\t3\t0\t0\t3.00\t3.00\t0\t0\t0\t0\t0\nfigures\tus-ca\t1\t1\t0\t0\t1.00\t1.00\t0\t0\t0\t0\t0\n"
      "figures\t(all)\t4\t4\t0\t0\t2.50\t2.50\t0\t0\t0\t0\t0\n");
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
