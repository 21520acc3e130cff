// The numbered hard cases about closed accounts, and about ids that are used again.
#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::Purpose;
using service::DeletionPlace;

domain::Selector TheAccount() {
  domain::Selector selector = AllOfIt();
  selector.kind = domain::SelectorKind::kAccountClosure;
  return selector;
}

class HardCaseOfAClosure : public testing::Test {
 protected:
  void SetUp() override {
    deleting.Register(System("audio"));
    deleting.Register(System("vendor"));
  }
  std::string Fate(const std::string& account, const Recording& recording) const {
    return Text(world.Check(account, recording, Purpose::kNone));
  }
  Reply CreateNew(const std::string& account, bool create_new) {
    service::ChangeRequest request = world.Request(account, service::ChangeKind::kUpsertSubject);
    request.command.registers = true;
    request.command.region = Where("DE");
    request.create_new = create_new;
    return world.Submit(std::move(request));
  }
  void WorkAll() {
    while (deleting.Work("audio") + deleting.Work("vendor") > 0) {
    }
  }

  World world;
  Deleting deleting{world};
};

TEST_F(HardCaseOfAClosure, N46_AClosedAccountIsPurgedAndOnlyTheSuppressionRecordStays) {
  ASSERT_TRUE(world.Register("a", "DE", {Adult("ann"), Adult("bob")}, {"speaker"}).ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  ASSERT_TRUE(world.Report("a", "r1", domain::Flags::kSafety).ok());
  const uint64_t last = world.RevisionOf("a");
  const Recording any(world.Now() - base::Days(1));
  const DeletionPlace place = deleting.Ask("a", TheAccount(), DeletionState::kReceived);
  EXPECT_EQ(Text(world.Check("a", any)), "KEEP no: DELETION_PENDING");
  ASSERT_TRUE(deleting.Step(place, service::DeletionStep::kVerify).ok());
  EXPECT_EQ(Fate("a", any), "PURGE: DELETED, ACCOUNT_CLOSED");
  EXPECT_EQ(Fate("a", Recording(world.Now() - base::Seconds(10))), "PURGE: DELETED, ACCOUNT_CLOSED")
      << "whenever it was captured";
  EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Control("help_improve"))), "ACCOUNT_CLOSED");
  EXPECT_EQ(ReasonOf(CreateNew("a", true)), "ACCOUNT_CLOSED") << "not finished";
  EXPECT_EQ(deleting.Ask("a", TheAccount()), place) << "it is closed once";
  WorkAll();
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
  domain::SubjectFacts left;
  left.closed_at = deleting.Get(place).verified_at;
  left.revision = world.RevisionOf("a");
  EXPECT_EQ(world.Facts("a"), left);
  EXPECT_EQ(Fate("a", any), "PURGE: ACCOUNT_CLOSED");
  const auto gone = [&](store::Table table) {
    return absl::IsNotFound(world.store().Get({}, table, world.core().SubjectKey(world.Handle("a"))).status());
  };
  EXPECT_TRUE(gone(store::Table::kNames));
  EXPECT_TRUE(gone(store::Table::kKeyShare));
  size_t recordings = 0;
  ASSERT_TRUE(world.store()
                  .Scan({}, store::Table::kRecording, "", "", SIZE_MAX, [&](auto, auto) { return ++recordings > 0; })
                  .ok());
  EXPECT_EQ(recordings, 0U);
  EXPECT_TRUE(world.store().FeedAt({}, last)->erased);
  EXPECT_TRUE(world.reads().History(world.Handle("a"), 100, 0)->items.empty());
  world.Restart();
  EXPECT_EQ(Fate("a", any), "PURGE: ACCOUNT_CLOSED");
  EXPECT_EQ(world.Facts("a"), left);
}

TEST_F(HardCaseOfAClosure, N47_AClosedIdIsUsedAgainOnlyExplicitlyAndNothingIsInherited) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  deleting.Ask("a", TheAccount());
  WorkAll();
  const Recording old(world.Now() - base::Days(1));
  EXPECT_EQ(ReasonOf(CreateNew("a", false)), "ACCOUNT_CLOSED");
  const Reply anew = CreateNew("a", true);
  ASSERT_TRUE(anew.ok()) << anew.status();
  EXPECT_TRUE(anew->registered_now);
  EXPECT_EQ(Fate("a", old), "PURGE: ACCOUNT_CLOSED") << "the closed one's late audio";
  Recording young(world.Now() - base::Seconds(10));
  EXPECT_EQ(Fate("a", young), "KEEP");
  EXPECT_EQ(world.Check("a", young).eligibility, domain::Eligibility::kNotEligible) << "no consent is inherited";
  ASSERT_TRUE(world.OptIn("a", Account(), Only(Purpose::kHumanReview), Under("past")).ok());
  EXPECT_EQ(Fate("a", old), "PURGE: ACCOUNT_CLOSED") << "not even under a notice that covers the past";
  EXPECT_EQ(world.reads().History(world.Handle("a"), 100, 0)->items.size(), 2U);
  world.Restart();
  EXPECT_EQ(Fate("a", old), "PURGE: ACCOUNT_CLOSED");
  deleting.Ask("a", TheAccount());
  EXPECT_EQ(Fate("a", young), "PURGE: DELETED, ACCOUNT_CLOSED") << "and it can be closed again";
  WorkAll();
  EXPECT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
}

TEST_F(HardCaseOfAClosure, NothingIsStartedAnewUnderARequestIdThatWasUsed) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  service::ChangeRequest off = world.OptOutRequest("a", Account(), Everything());
  off.request_id = "used";
  deleting.Ask("a", TheAccount());
  WorkAll();
  ASSERT_TRUE(world.Submit(off).ok());
  service::ChangeRequest anew = world.Request("a", service::ChangeKind::kUpsertSubject);
  anew.request_id = "used";
  anew.body_hash[0] = 1;
  anew.create_new = true;
  anew.command.registers = true;
  anew.command.region = Where("DE");
  anew.command.expected_revision = world.RevisionOf("a");
  anew.command.choices.push_back({domain::ScopeRef{}, Only(Purpose::kHumanReview), false});
  const Reply done = world.Submit(anew);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_FALSE(done->registered_now);
  EXPECT_FALSE(world.Facts("a").reopened_at.IsSet()) << "only its no is done";
  EXPECT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
  const auto key = world.store().Get({}, store::Table::kKeyShare, world.core().SubjectKey(world.Handle("a")));
  EXPECT_TRUE(absl::IsNotFound(key.status())) << "who is forgotten gets no key";
}

// A restriction for a closed id is taken at every stage of the closing, and binds who starts anew under the id until
// they choose.
TEST_F(HardCaseOfAClosure, N74_AnOptOutForAClosedIdBindsTheAccountThatIsStartedAnew) {
  for (const std::string when : {"before it is forgotten", "after it was"}) {
    const std::string account = "a " + when.substr(0, 5);
    ASSERT_TRUE(world.Register(account, "DE").ok());
    ASSERT_TRUE(world.Retain(account, Account(), {domain::RetentionKind::kMonths, 18}).ok());
    ASSERT_TRUE(world.OptOut(account, Account(), Only(Purpose::kPersonalisation)).ok());
    deleting.Ask(account, TheAccount());
    if (when == "after it was") WorkAll();
    const Reply off = world.OptOut(account, Account(), Only(Purpose::kHumanReview));
    ASSERT_TRUE(off.ok()) << when;
    EXPECT_TRUE(off->account_closed);
    ASSERT_TRUE(world.Retain(account, Account(), {domain::RetentionKind::kMonths, 3}).ok());
    WorkAll();
    ASSERT_TRUE(domain::IsSuppressionRecord(world.Facts(account))) << when;
    ASSERT_TRUE(world.OptOut(account, Account(), Only(Purpose::kAdvertising)).ok()) << "again, under no key";
    EXPECT_EQ(world.reads().History(world.Handle(account), 100, 0)->items.size(), 0U);
    ASSERT_TRUE(CreateNew(account, true).ok());
    const domain::ScopeFacts anew = world.Facts(account).account();
    EXPECT_TRUE(domain::SaysNo(anew.ChoiceFor(Purpose::kHumanReview).choice)) << when;
    EXPECT_TRUE(domain::SaysNo(anew.ChoiceFor(Purpose::kAdvertising).choice)) << when;
    EXPECT_EQ(anew.ChoiceFor(Purpose::kPersonalisation).choice, domain::Choice::kUnset)
        << "the closed one's own is not inherited";
    EXPECT_EQ(anew.retention, (domain::Retention{domain::RetentionKind::kMonths, 3})) << when;
    EXPECT_EQ(world.reads().History(world.Handle(account), 100, 0)->items.size(), 1U) << when;
    ASSERT_TRUE(world.OptIn(account, Account(), Only(Purpose::kHumanReview)).ok()) << "its holder chooses";
  }
}

TEST_F(HardCaseOfAClosure, N74_ANoThatIsSaidAgainToAClosedAccountBindsTheNextOneToo) {
  ASSERT_TRUE(world.Register("a", "US").ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  ASSERT_TRUE(world.OptOut("a", Device("den"), Control("help_improve")).ok());
  ASSERT_TRUE(world.Retain("a", Account(), {domain::RetentionKind::kMonths, 3}).ok());
  const domain::ScopeFacts before = world.Facts("a").account();
  deleting.Ask("a", TheAccount());
  EXPECT_TRUE(world.OptOut("a", Account(), Everything())->refuses_future);
  ASSERT_TRUE(world.OptOut("a", Device("den"), Control("help_improve")).ok());
  ASSERT_TRUE(world.Retain("a", Account(), {domain::RetentionKind::kMonths, 18}).ok());
  EXPECT_EQ(world.Facts("a").account().choices, before.choices) << "the record keeps since when";
  EXPECT_EQ(world.Facts("a").account().retention, before.retention);
  WorkAll();
  ASSERT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
  ASSERT_TRUE(CreateNew("a", true).ok());
  const domain::SubjectFacts anew = world.Facts("a");
  for (const Purpose purpose : domain::kAllPurposes) {
    EXPECT_TRUE(domain::SaysNo(anew.account().ChoiceFor(purpose).choice));
  }
  EXPECT_TRUE(anew.account().refused_all_since.IsSet());
  EXPECT_EQ(anew.account().retention, (domain::Retention{domain::RetentionKind::kMonths, 18}));
  const domain::ScopeRef den = world.Ref(Device("den"));
  ASSERT_NE(anew.Find(den.kind, den.handle), nullptr);
  EXPECT_EQ(anew.Find(den.kind, den.handle)->refused_controls.size(), 1U);
}

TEST_F(HardCaseOfAClosure, N74_ADeletionForAForgottenIdIsTakenAndBindsByName) {
  ASSERT_TRUE(world.Register("a", "US").ok());
  const DeletionPlace closure = deleting.Ask("a", TheAccount());
  WorkAll();
  ASSERT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
  const auto again = deleting.TryAsk("a", TheAccount());
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->place, closure) << "it is closed already, by that one";
  EXPECT_TRUE(again->account_closed);

  const auto asked = deleting.TryAsk("a", deleting.Recordings({"r"}), DeletionState::kReceived);
  ASSERT_TRUE(asked.ok()) << asked.status().message();
  EXPECT_TRUE(asked->created);
  EXPECT_TRUE(asked->account_closed);
  EXPECT_FALSE(asked->subject_is_new);
  const DeletionPlace denied = deleting.Ask("a", deleting.Recordings({"s"}), DeletionState::kReceived);
  ASSERT_TRUE(deleting.Step(denied, service::DeletionStep::kDeny, "not theirs").ok());
  ASSERT_TRUE(deleting.Step(asked->place, service::DeletionStep::kVerify).ok());
  const DeletionPlace everything = deleting.Ask("a", AllOfIt());
  EXPECT_TRUE(domain::IsSuppressionRecord(world.Facts("a"))) << "what was ordered away already is not ordered twice";
  EXPECT_EQ(deleting.Get(everything).state, DeletionState::kAccepted);
  for (const bool worked : {false, true}) {
    if (worked) WorkAll();
    world.Restart();
    EXPECT_EQ(deleting.Get(everything).state == DeletionState::kCompleted, worked);
    EXPECT_EQ(deleting.Get(asked->place).state == DeletionState::kCompleted, worked);
    EXPECT_EQ(Fate("a", Recording(world.Now())), "PURGE: ACCOUNT_CLOSED");
  }
  ASSERT_TRUE(CreateNew("a", true).ok());
  Recording named(world.Now());
  named.Id("r");
  EXPECT_EQ(Fate("a", named), "PURGE: DELETED") << "that very recording";
  EXPECT_EQ(Fate("a", Recording(world.Now())), "KEEP") << "what was captured since is the new account's";
}

// Whatever is asked of a new account, nothing of the closed one's deletion reaches it.
TEST_F(HardCaseOfAClosure, N47_AnOldClosureDoesNotReachTheNewAccount) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const DeletionPlace closure = deleting.Ask("a", TheAccount());
  WorkAll();
  const Reply anew = CreateNew("a", true);
  ASSERT_TRUE(anew.ok()) << anew.status();
  EXPECT_FALSE(anew->subject_is_new) << "an account of that id was known";
  const DeletionPlace asked =
      deleting.Ask("a", Within(world.Now() - base::Days(3), world.Now() - base::Days(2)), DeletionState::kReceived);
  const auto kept = [&] { return Fate("a", Recording(world.Now() - base::Seconds(10))); };
  EXPECT_EQ(kept(), "KEEP");
  ASSERT_TRUE(deleting.Step(closure, service::DeletionStep::kVerify).ok()) << "repeated";
  EXPECT_EQ(deleting.Get(asked).state, DeletionState::kReceived) << "and verifies nothing of the new account";
  EXPECT_EQ(kept(), "KEEP");
  ASSERT_TRUE(deleting.Step(asked, service::DeletionStep::kVerify).ok());
  EXPECT_EQ(kept(), "KEEP");
  for (int i = 0; i < 70; ++i) {
    const base::Instant to = world.Now() - base::Days(10 + 2 * i);
    deleting.Ask("a", Within(to - base::Days(1), to), DeletionState::kReceived);
  }
  EXPECT_TRUE(world.Facts("a").has_more_tombstones);
  EXPECT_EQ(kept(), "KEEP");
  world.Restart();
  EXPECT_EQ(kept(), "KEEP");
  EXPECT_FALSE(world.Facts("a").closed_at > world.Facts("a").reopened_at);
}

TEST_F(HardCaseOfAClosure, N47_NeitherAnImportNorADoubtfulClockStartsItAnew) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const base::Instant before = world.Now();
  deleting.Ask("a", TheAccount());
  WorkAll();
  service::ChangeRequest import = world.Request("a", service::ChangeKind::kUpsertSubject);
  import.command.registers = true;
  import.command.region = Where("DE");
  import.command.proof.channel = domain::Channel::kImport;
  import.create_new = true;
  EXPECT_EQ(ReasonOf(world.Submit(import)), "IMPORT_CANNOT_LOOSEN");
  world.clock.StepWall(base::Days(30));
  EXPECT_EQ(ReasonOf(CreateNew("a", true)), "CLOCK_DOUBTFUL");
  world.clock.StepWall(base::Span{-base::Days(30).micros});
  EXPECT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
  ASSERT_TRUE(CreateNew("a", true).ok());
  Given old;
  old.imported_at = before;
  EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Only(Purpose::kHumanReview), old)), "IMPORT_CANNOT_LOOSEN")
      << "given by the closed one's holder";
}

// Who has looked at the closed one and says so gets the new one; who has looked at something else does not.
TEST_F(HardCaseOfAClosure, N47_TheClosedOnesOwnRevisionMayBeGiven) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const uint64_t registered = world.Facts("a").revision;
  deleting.Ask("a", TheAccount());
  WorkAll();
  const auto create = [&](uint64_t expected) {
    service::ChangeRequest request = world.Request("a", service::ChangeKind::kUpsertSubject);
    request.command.registers = true;
    request.command.region = Where("DE");
    request.command.expected_revision = expected;
    request.create_new = true;
    return world.Submit(std::move(request));
  };
  ASSERT_NE(world.Facts("a").revision, registered);
  EXPECT_EQ(ReasonOf(create(registered)), "ETAG_MISMATCH");
  EXPECT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
  const Reply anew = create(world.Facts("a").revision);
  ASSERT_TRUE(anew.ok()) << anew.status();
  EXPECT_TRUE(anew->registered_now);
}

TEST_F(HardCaseOfAClosure, ARepeatedRequestOfAForgottenAccountIsToldThatItIsClosed) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(deleting.TryAsk("a", TheAccount(), DeletionState::kAccepted, "once").ok());
  WorkAll();
  ASSERT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
  EXPECT_EQ(ReasonOf(deleting.TryAsk("a", TheAccount(), DeletionState::kAccepted, "once")), "ACCOUNT_CLOSED");
}

TEST_F(HardCaseOfAClosure, AHoldAfterTheLastReportStillKeepsTheAccountFromBeingForgotten) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const DeletionPlace place = deleting.Ask("a", TheAccount());
  for (const std::string system : {"audio", "vendor"}) {
    service::TaskReport report;
    const auto tasks = deleting.Lease(system);
    ASSERT_EQ(tasks.size(), 1U);
    report.place = place;
    report.epoch = tasks[0].row.epoch;
    report.outcome = domain::PurgeOutcome::kAcknowledged;
    ASSERT_TRUE(world.tasks().End(deleting.Named(system), {report}).front().ok());
  }
  const service::HoldPlace hold = deleting.Hold("a", domain::HeldPart{});
  EXPECT_EQ(*world.erasures().EraseKeys(), 0U);
  EXPECT_EQ(Fate("a", Recording(world.Now() - base::Days(1))), "HOLD: LEGAL_HOLD, DELETED, ACCOUNT_CLOSED")
      << "what arrives late is held";
  ASSERT_TRUE(deleting.Release(hold).ok());
  EXPECT_EQ(*world.erasures().EraseKeys(), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
}

TEST_F(HardCaseOfAClosure, AClosureThatIsCancelledLeavesTheAccountAsItWas) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const DeletionPlace first = deleting.Ask("a", TheAccount());
  ASSERT_TRUE(deleting.Cancel(first).ok());
  EXPECT_FALSE(world.Facts("a").closed_at.IsSet());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT");
  deleting.Ask("a", TheAccount());
  WorkAll();
  ASSERT_TRUE(CreateNew("a", true).ok());
  const domain::SubjectFacts anew = world.Facts("a");
  ASSERT_TRUE(deleting.Cancel(deleting.Ask("a", TheAccount())).ok());
  EXPECT_EQ(world.Facts("a").closed_at, anew.closed_at);
  EXPECT_EQ(world.Facts("a").reopened_at, anew.reopened_at);
}

TEST_F(HardCaseOfAClosure, AHoldKeepsAClosedAccountFromBeingForgotten) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const DeletionPlace place = deleting.Ask("a", TheAccount());
  const service::HoldPlace hold = deleting.Hold("a", domain::HeldPart{});
  const Recording any(world.Now() - base::Days(1));
  EXPECT_EQ(Fate("a", any), "HOLD: LEGAL_HOLD, DELETED, ACCOUNT_CLOSED");
  WorkAll();
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kAccepted);
  ASSERT_TRUE(deleting.Release(hold).ok());
  WorkAll();
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
  EXPECT_TRUE(world.holds().List({{}, true, false}, 10, {})->holds.empty()) << "nor does the hold name it";
}

}  // namespace
}  // namespace consent::test
