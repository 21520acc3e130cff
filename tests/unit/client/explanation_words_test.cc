// Every row of an explanation has words, whatever it says, and they name nothing that a lay reader does not know.
#include "client/cli/render/explanation_words.h"

#include <chrono>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "client/cli/exit_codes.h"
#include "client/cli/render/explanation_orders.h"
#include "client/cli/render/explanation_phrases.h"
#include "client/cli/render/render_explanation.h"
#include "consent/names.h"

namespace consent::cli {
namespace {

Time At(int day, int hour = 10, int second = 0) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): units of time
  return sys_days(2026y / May / day) + hours(hour) + seconds(second);
}

ExplainedRow RowOf(Reason reason, RowNote note, bool matched) {
  ExplainedRow row;
  row.row = reason == Reason::kPlaceNotAllowed || reason == Reason::kReviewerNotAllowed ? DecisionRow::kE10
                                                                                        : DecisionRow::kE9;
  row.reason = reason;
  row.note = note;
  row.matched = matched;
  row.scope = {ScopeKind::kProfile, "ann", true};
  row.purpose = Purpose::kHumanReview;
  row.choice = Choice::kGiven;
  row.notice = {"2026-01", "We listen", false, true};
  row.since = At(3);
  row.from = At(4);
  row.to = At(5);
  row.at = At(6);
  return row;
}

TEST(ExplanationWords, EachReasonAndNoteHasASentence) {
  Explanation explanation;
  explanation.missing_facts = {MissingFact::kWake, MissingFact::kReviewerClass, MissingFact::kProfileIds};
  explanation.regimes = {{"eea", {"DE"}, true, {}, {"DE"}, false, true, false}};
  std::set<std::string> seen;
  for (int reason = 1; FromNumber<Reason>(reason) != Reason::kUnset; ++reason) {
    for (int note = 0; note <= static_cast<int>(RowNote::kInherited); ++note) {
      for (const bool matched : {true, false}) {
        const std::string words =
            RowWords(RowOf(FromNumber<Reason>(reason), static_cast<RowNote>(note), matched), explanation);
        ASSERT_GT(words.size(), 20U) << reason << " " << note;
        EXPECT_EQ(words.back(), '.') << words;
        EXPECT_EQ(words.find("  "), std::string::npos) << words;
        EXPECT_EQ(words.find("UNSPECIFIED"), std::string::npos) << words;
        EXPECT_EQ(words.find('_'), std::string::npos) << words;
        seen.insert(words);
      }
    }
    // Without anything that it could name it still is a sentence.
    ExplainedRow bare;
    bare.reason = FromNumber<Reason>(reason);
    EXPECT_EQ(RowWords(bare, explanation).back(), '.') << reason;
  }
  EXPECT_GT(seen.size(), 60U);
}

TEST(ExplanationWords, EachUntoldAndAnswerHasOne) {
  std::set<std::string> seen;
  for (int why = 1; FromNumber<Untold>(why) != Untold::kUnset; ++why) seen.insert(UntoldWords(FromNumber<Untold>(why)));
  EXPECT_EQ(seen.size(), 7U);
  Explanation explanation;
  explanation.basis = ExplanationBasis::kPast;
  explanation.eligibility = Eligibility::kEligible;
  explanation.disposition = Disposition::kKeep;
  EXPECT_EQ(AnswerWords(explanation, Purpose::kHumanReview).substr(0, 4), "Yes:");
  explanation.eligibility = Eligibility::kNotEligible;
  EXPECT_EQ(AnswerWords(explanation, Purpose::kHumanReview).substr(0, 3), "No:");
  // What cannot be told is neither.
  explanation.eligibility = Eligibility::kUnset;
  explanation.disposition = Disposition::kUnset;
  const std::string words = AnswerWords(explanation, Purpose::kHumanReview);
  EXPECT_NE(words.find("cannot be told"), std::string::npos);
  EXPECT_EQ(words.find("Yes"), std::string::npos);
  EXPECT_EQ(words.find("deleted."), std::string::npos);
}

// A script that took a past yes for one, or a past PURGE for an order, would do harm.
TEST(ExplanationWords, NoExitCodeOfAnExplanationIsOneOfACheck) {
  for (const Eligibility use : {Eligibility::kUnset, Eligibility::kNotEligible, Eligibility::kEligible}) {
    for (const Disposition keeping :
         {Disposition::kUnset, Disposition::kKeep, Disposition::kPurge, Disposition::kHold}) {
      for (const Purpose purpose : {Purpose::kUnset, Purpose::kHumanReview}) {
        Explanation explanation;
        explanation.eligibility = use;
        explanation.disposition = keeping;
        const bool told = (purpose == Purpose::kUnset || use != Eligibility::kUnset) && keeping != Disposition::kUnset;
        EXPECT_EQ(CodeForExplanation(explanation, purpose), told ? kExplained : kNoAnswer);
      }
    }
  }
}

TEST(ExplanationWords, IdsMoveNothingOnATerminal) {
  ExplainedRow row = RowOf(Reason::kRefused, RowNote::kUnset, true);
  row.scope.id = "a\x1b[2Jb";
  EXPECT_EQ(RowWords(row, {}).find('\x1b'), std::string::npos);
}

TEST(ExplanationWords, WhatIsSaidOfTwoScopesAlikeIsSaidOnce) {
  Explanation explanation;
  explanation.basis = ExplanationBasis::kNow;
  explanation.eligibility = Eligibility::kEligible;
  explanation.disposition = Disposition::kKeep;
  ExplainedRow row = RowOf(Reason::kConsent, RowNote::kUnset, true);
  row.scope = {ScopeKind::kAccount, "", true};
  explanation.rows.push_back(row);
  row.scope = {ScopeKind::kProfile, "ann", true};
  explanation.rows.push_back(row);
  const std::string text = ExplanationText(explanation, Purpose::kHumanReview);
  EXPECT_NE(text.find("The account and the profile \"ann\" agreed"), std::string::npos) << text;
  EXPECT_EQ(text.find("agreed", text.find("agreed") + 1), std::string::npos) << text;
  // Not what differs.
  explanation.rows[1].since = At(9);
  const std::string apart = ExplanationText(explanation, Purpose::kHumanReview);
  EXPECT_NE(apart.find("The profile \"ann\" agreed"), std::string::npos) << apart;
}

TEST(ExplanationWords, TimesAreCutToTheMinute) {
  EXPECT_EQ(DayText(At(3, 7, 59)), "3 May 2026, 07:00 UTC");
  EXPECT_EQ(DayText({}), "an unknown time");
}

}  // namespace
}  // namespace consent::cli
