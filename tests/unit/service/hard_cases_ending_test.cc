// The numbered hard cases about withdrawals and retention as data systems see them.
#include <gtest/gtest.h>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/service/deletion/forgiven_copies.h"
#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using domain::DeletionCause;
using domain::DeletionState;
using domain::Purpose;

class HardCaseOfAnEnding : public testing::Test {
 protected:
  void SetUp() override {
    deleting.Register(System("audio"));
    deleting.Register(System("vendor"));
  }
  std::string Fate(const std::string& account, const Recording& recording) const {
    return Text(world.Check(account, recording, Purpose::kNone));
  }
  // What the systems were told of by themselves, not asked by anybody.
  std::vector<domain::DeletionRequest> Told(const std::string& account) {
    service::DeletionFilter filter;
    filter.subject = world.Handle(account);
    filter.causes = {DeletionCause::kWithdrawal, DeletionCause::kRetention};
    std::vector<domain::DeletionRequest> requests;
    const auto page = world.deletions().List(filter, 100, {});
    if (!page.ok()) return requests;
    for (const service::DeletionView& view : page->requests) requests.push_back(view.request);
    return requests;
  }

  World world;
  Deleting deleting{world};
};

TEST_F(HardCaseOfAnEnding, N23_DoNotSaveSendsEarlierAudioAway) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const Recording earlier(world.Now() - base::Days(400));
  EXPECT_EQ(Fate("a", earlier), "KEEP");
  ASSERT_TRUE(world.Retain("a", Account(), {domain::RetentionKind::kDoNotSave, 0}).ok());
  EXPECT_EQ(Fate("a", earlier), "PURGE: DO_NOT_SAVE");
  const auto told = Told("a");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].cause, DeletionCause::kRetention);
  EXPECT_EQ(told[0].state, DeletionState::kAccepted);
  EXPECT_FALSE(told[0].selector.captured.HasBeginning());
  EXPECT_EQ(told[0].selector.captured.sure(), told[0].received_at);
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Work("vendor"), 1U);
  EXPECT_EQ(Told("a")[0].state, DeletionState::kCompleted);
}

TEST_F(HardCaseOfAnEnding, N24_AShorterRetentionSendsWhatIsOlderAwayAndALongerOneBringsNothingBack) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.Retain("a", Account(), {domain::RetentionKind::kMonths, 18}).ok());
  EXPECT_EQ(Told("a").size(), 1U) << "from until deleted to 18 months";
  const Recording old(world.Now() - base::Days(100));
  EXPECT_EQ(Fate("a", old), "KEEP");
  ASSERT_TRUE(world.Retain("a", Account(), {domain::RetentionKind::kMonths, 3}).ok());
  EXPECT_EQ(Fate("a", old), "PURGE: RETENTION_EXPIRED");
  ASSERT_EQ(Told("a").size(), 2U);
  const domain::OrderedTimes covers = Told("a")[1].selector.captured;
  EXPECT_GE(covers.sure(), old.facts.captured_at);
  EXPECT_LE(covers.sure(), base::AddMonths(world.Now(), -3) + base::Days(1));
  ASSERT_TRUE(world.Retain("a", Account(), {domain::RetentionKind::kMonths, 18}).ok());
  EXPECT_EQ(Told("a").size(), 2U) << "a longer one ends nothing";
  EXPECT_EQ(Fate("a", old), "PURGE: RETENTION_EXPIRED");
}

TEST_F(HardCaseOfAnEnding, N31_AFalseWakeIsPurgedAtItsTimeToLive) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  Recording woken(world.Now() - base::Seconds(60));
  woken.facts.wake = domain::Wake::kAccidental;
  EXPECT_EQ(Text(world.Check("a", woken)), "PURGE no: ACCIDENTAL_EXPIRED, ACCIDENTAL") << "opt-in: at once";
}

TEST_F(HardCaseOfAnEnding, N53_AnOptOutFromTheDefaultPurgesTheCopiesAndLeavesTheAudio) {
  ASSERT_TRUE(world.Register("a", "US").ok());
  Recording audio(world.Now() - base::Hours(1));
  Recording copy = audio;
  copy.facts.artefact = domain::Artefact::kReviewCopy;
  copy.facts.made_for = Purpose::kHumanReview;
  EXPECT_EQ(Fate("a", copy), "KEEP");
  ASSERT_TRUE(world.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  EXPECT_EQ(Fate("a", audio), "KEEP");
  EXPECT_EQ(Fate("a", copy), "PURGE: PURPOSE_ENDED");
  const auto told = Told("a");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].cause, DeletionCause::kWithdrawal);
  EXPECT_TRUE(told[0].selector.copies_of.Has(Purpose::kHumanReview));
  EXPECT_FALSE(told[0].selector.copies_of.Has(Purpose::kModelTraining));
  const auto tasks = deleting.Lease("vendor");
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].payload.account_id, "a");
  EXPECT_EQ(tasks[0].request.selector.kind, domain::SelectorKind::kPurposeCopies);
}

TEST_F(HardCaseOfAnEnding, AConsentForThePastCancelsWhatIsStillOwedOfTheCopies) {
  ASSERT_TRUE(world.Register("a", "US", {Adult("ann"), Adult("bob")}).ok());
  Recording copy(world.Now() - base::Hours(1));
  copy.facts.artefact = domain::Artefact::kReviewCopy;
  copy.facts.made_for = Purpose::kHumanReview;
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptOut("a", Profile("bob"), Only(Purpose::kHumanReview)).ok());
  ASSERT_EQ(Told("a").size(), 2U);
  ASSERT_TRUE(world.OptIn("a", Account(), Only(Purpose::kHumanReview), Under("general")).ok());
  EXPECT_EQ(Fate("a", copy), "PURGE: PURPOSE_ENDED");
  EXPECT_EQ(Told("a")[0].state, DeletionState::kAccepted) << "that one is silent on the past";
  ASSERT_TRUE(world.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  ASSERT_EQ(Told("a").size(), 3U);

  const auto leased = deleting.Lease("vendor");
  ASSERT_EQ(leased.size(), 3U);
  ASSERT_TRUE(world.OptIn("a", Account(), Only(Purpose::kHumanReview), Under("past")).ok());
  const auto told = Told("a");
  EXPECT_FALSE(told[0].selector.copies_of.Has(Purpose::kHumanReview));
  EXPECT_TRUE(told[0].selector.copies_of.Has(Purpose::kFeatureDevelopment)) << "the other purpose is owed still";
  EXPECT_EQ(told[1].selector.copies_of, [] {
    domain::PurposeSet one;
    one.Add(Purpose::kHumanReview);
    return one;
  }()) << "the profile has forgiven nothing";
  EXPECT_FALSE(domain::AllEnded(told[0]) || domain::AllEnded(told[1]));
  EXPECT_TRUE(domain::AllEnded(told[2])) << "a worker has it, and may have erased some";
  for (const service::LeasedTask& task : leased) {
    const bool still = task.request.selector.scope == world.Ref(Profile("bob"));
    const absl::Status ended = deleting.End("vendor", task);
    EXPECT_EQ(ended.ok(), still) << ended << "whoever began with the old order has lost the lease";
  }
  world.Restart();
  const auto anew = deleting.Lease("vendor");
  ASSERT_EQ(anew.size(), 1U);
  EXPECT_FALSE(anew[0].request.selector.copies_of.Has(Purpose::kHumanReview));
  v1::DeletionSelector words;
  ASSERT_TRUE(words.ParseFromString(anew[0].payload.selector));
  ASSERT_EQ(words.purpose_copies().purposes_size(), 1);
  EXPECT_EQ(words.purpose_copies().purposes(0), v1::PURPOSE_FEATURE_DEVELOPMENT);
  ASSERT_TRUE(world.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  ASSERT_EQ(Told("a").size(), 4U);
  EXPECT_EQ(Told("a")[3].state, DeletionState::kAccepted);
  ASSERT_TRUE(world.OptIn("a", Account(), Only(Purpose::kHumanReview), Under("past")).ok());
  EXPECT_EQ(Told("a")[3].state, DeletionState::kCancelled) << "nobody has begun";
}

// It was allowed when it was tried, and the commit refused it: what is owed stays owed.
TEST_F(HardCaseOfAnEnding, WhatTheCommitDoesNotForgiveStaysOwed) {
  ASSERT_TRUE(world.Register("a", "US").ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  domain::Transition forgives;
  forgives.after = world.Facts("a");
  forgives.after.account().ChoiceFor(Purpose::kHumanReview).copies_forgiven = true;
  domain::FactChange change;
  change.what = domain::ChangedWhat::kPurpose;
  change.purpose = Purpose::kHumanReview;
  change.to = domain::Choice::kGiven;
  forgives.changes.push_back(change);
  domain::Transition refuses;
  refuses.after = world.Facts("a");
  const domain::Moment moment{world.Now(), 999, world.core().Present(), false};
  for (domain::Transition* committed : {&refuses, &forgives}) {
    service::ForgivenCopies copies(world.Handle("a"));
    ASSERT_TRUE(copies.Load(world.core(), forgives).ok());
    std::vector<store::Write> writes;
    service::HookOutput out{moment, *committed, writes};
    copies.Build(world.core(), store::Stamp{}, out);
    EXPECT_EQ(writes.empty(), committed == &refuses);
  }
}

TEST_F(HardCaseOfAnEnding, WhoLeftADefaultAndRefusesHasItsCopiesOrderedAway) {
  ASSERT_TRUE(world.Register("a", "US").ok());
  service::ChangeRequest move = world.Request("a", service::ChangeKind::kUpsertSubject);
  move.command.region = Where("DE");
  ASSERT_TRUE(world.Submit(std::move(move)).ok());
  Recording copy(world.Now() - base::Hours(1));
  copy.Copy(domain::Artefact::kReviewCopy, Purpose::kHumanReview);
  EXPECT_EQ(Fate("a", copy), "KEEP");
  ASSERT_TRUE(world.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  EXPECT_EQ(Fate("a", copy), "PURGE: PURPOSE_ENDED");
  ASSERT_EQ(Told("a").size(), 1U) << "the American default may have allowed it";
  ASSERT_TRUE(world.Register("b", "DE").ok());
  ASSERT_TRUE(world.OptOut("b", Account(), Only(Purpose::kHumanReview)).ok());
  EXPECT_TRUE(Told("b").empty()) << "nothing ever did";
}

// The default ended by a policy, not by a move.
TEST_F(HardCaseOfAnEnding, WhoHadADefaultThatThePolicyTookHasItsCopiesOrderedAway) {
  ASSERT_TRUE(world.Register("a", "US").ok());
  ASSERT_TRUE(world.Register("moves", "US").ok());
  PolicyBuilder stricter("v2");
  stricter.Regime("us").set_default_rule(v1::DEFAULT_RULE_OPT_IN);
  stricter.Regime("us").clear_false_wake_ttl_seconds();
  ASSERT_TRUE(world.Activate(stricter).ok());
  ASSERT_TRUE(world.Register("later", "US").ok());
  service::ChangeRequest move = world.Request("moves", service::ChangeKind::kUpsertSubject);
  move.command.region = Where("DE");
  ASSERT_TRUE(world.Submit(std::move(move)).ok());
  for (const char* who : {"a", "moves", "later"}) {
    ASSERT_TRUE(world.OptOut(who, Account(), Only(Purpose::kHumanReview)).ok());
  }
  EXPECT_EQ(Told("a").size(), 1U);
  EXPECT_EQ(Told("moves").size(), 1U) << "away from where it once applied";
  EXPECT_TRUE(Told("later").empty()) << "who came when it had ended had none";
}

TEST_F(HardCaseOfAnEnding, WhatWasErasedBeforeTheConsentStaysSaid) {
  ASSERT_TRUE(world.Register("a", "US").ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  EXPECT_EQ(deleting.Work("audio"), 1U);
  for (int i = 0; i < 5; ++i) {
    const auto task = deleting.Lease("vendor");
    ASSERT_EQ(task.size(), 1U);
    ASSERT_TRUE(deleting.Fail("vendor", task[0]).ok());
    world.Wait(base::Days(1));
  }
  EXPECT_EQ(world.queue().counts(deleting.Named("vendor").number).stuck, 1);
  ASSERT_TRUE(world.OptIn("a", Account(), Only(Purpose::kHumanReview), Under("past")).ok());
  EXPECT_TRUE(world.erasures().EraseKeys().ok());
  const domain::DeletionRequest request = Told("a")[0];
  EXPECT_EQ(request.state, DeletionState::kCompleted);
  EXPECT_EQ(request.Find(deleting.Named("audio").number)->outcome, domain::PurgeOutcome::kAcknowledged);
  EXPECT_EQ(request.Find(deleting.Named("vendor").number)->outcome, domain::PurgeOutcome::kExempt);
  EXPECT_EQ(world.queue().counts(deleting.Named("vendor").number).open, 0);
  EXPECT_EQ(world.queue().counts(deleting.Named("vendor").number).stuck, 0);
  EXPECT_TRUE(deleting.Lease("vendor").empty());
}

TEST_F(HardCaseOfAnEnding, OnlyWhatMayHaveBeenAllowedEnds) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  EXPECT_TRUE(Told("a").empty()) << "nobody had allowed anything";
  ASSERT_TRUE(world.OptOut("b", Account(), Everything()).ok());
  EXPECT_TRUE(Told("b").empty()) << "never seen";
  ASSERT_TRUE(world.OptIn("a", Account(), Only(Purpose::kHumanReview)).ok());
  EXPECT_TRUE(Told("a").empty());
  ASSERT_TRUE(world.OptOut("a", Profile("ann"), Everything()).ok());
  ASSERT_EQ(Told("a").size(), 1U) << "the account's consent may have covered the profile";
  EXPECT_EQ(Told("a")[0].selector.scope, world.Ref(Profile("ann")));
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  ASSERT_EQ(Told("a").size(), 2U);
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  EXPECT_EQ(Told("a").size(), 2U) << "once";
}

TEST_F(HardCaseOfAnEnding, AWithdrawalWithNoSystemMakesNoRequestAndASystemThatComesMeanwhileIsNotMissed) {
  World fresh;
  Deleting there(fresh);
  ASSERT_TRUE(fresh.Register("a", "US").ok());
  ASSERT_TRUE(fresh.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  service::DeletionFilter all;
  EXPECT_TRUE(fresh.deletions().List(all, 10, {})->requests.empty());
  there.Register(System("late"));
  ASSERT_TRUE(fresh.OptOut("a", Account(), Only(Purpose::kModelTraining)).ok());
  EXPECT_EQ(there.Work("late"), 1U);
}

}  // namespace
}  // namespace consent::test
