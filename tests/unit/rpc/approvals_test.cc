// What takes two persons, act by act: nobody does it alone, by whatever way; somebody else does just what was proposed.
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/rpc/two_persons.h"

namespace consent::test::approvals_test {
namespace {

class EachAct : public ::testing::TestWithParam<Act> {
 protected:
  // By anna, over TLS.
  std::string Proposed() {
    desk.As(Certified("anna"));
    v1::Proposal proposal;
    EXPECT_EQ(waiting.Ask(desk, 1, &proposal), "OK");
    EXPECT_EQ(proposal.state(), v1::PROPOSAL_STATE_OPEN);
    EXPECT_EQ(proposal.proposed_by(), "anna");
    EXPECT_FALSE(waiting.IsDone(desk));
    return proposal.proposal_id();
  }

  Desk desk{1, nullptr};
  Waiting waiting{desk, GetParam()};
};

TEST_P(EachAct, IsDoneByAnotherPersonWithBothNamesInHistory) {
  const std::string id = Proposed();
  desk.As(Certified("ben"));
  v1::Proposal proposal;
  EXPECT_EQ(desk.Approve(id, &proposal), "OK");
  EXPECT_EQ(proposal.state(), v1::PROPOSAL_STATE_DONE);
  EXPECT_EQ(proposal.decided_by(), "ben");
  std::string names;
  EXPECT_TRUE(waiting.IsDone(desk, &names));
  EXPECT_EQ(names, "anna ben");
  EXPECT_EQ(desk.Approve(id, &proposal), "OK") << "an answer that got lost: the same again";
  EXPECT_EQ(proposal.state(), v1::PROPOSAL_STATE_DONE);
  desk.As(Certified("ben", "ben", "tomorrow's key"));
  EXPECT_EQ(desk.Approve(id), "OK") << "with another certificate";
  desk.As(Certified("carl"));
  EXPECT_EQ(desk.Approve(id), "PROPOSAL_STATE");
  EXPECT_EQ(desk.Withdraw(id), "PROPOSAL_STATE");
}

TEST_P(EachAct, IsNotDoneByOnePersonHoweverItIsTried) {
  const std::string id = Proposed();
  const std::pair<service::Person, const char*> same[] = {
      {Certified("anna"), "same certificate"},
      {Certified("anna", "another-name", "another-key"), "another certificate of the same entry"},
      {Certified("anna-too", "anna", "another-key"), "another entry, a name in common"},
      {Certified("anna-too", "another-name", "anna"), "another entry, the key in common"},
      {UserOf(1000), "over a Unix socket"},
      {service::Person{}, "over TCP without a certificate"},
      {service::Person{service::PersonKind::kCertificate, "nobody", {}}, "nothing proved"},
  };
  for (const auto& [person, how] : same) {
    desk.As(person);
    EXPECT_EQ(desk.Approve(id), "OTHER_PERSON_REQUIRED") << how;
    v1::Proposal again;
    EXPECT_EQ(waiting.Ask(desk, 1, &again), person.IsKnown() ? "OK" : "OTHER_PERSON_REQUIRED") << how;
    EXPECT_EQ(again.proposal_id(), person.IsKnown() ? id : "") << how << ": asking again approves nothing";
    EXPECT_FALSE(waiting.IsDone(desk)) << how;
  }
  EXPECT_EQ(desk.List(false).size(), 1U);
}

TEST_P(EachAct, OfUsersOfAUnixSocketAnotherUserApproves) {
  desk.As(UserOf(1000));
  v1::Proposal proposal;
  ASSERT_EQ(waiting.Ask(desk, 1, &proposal), "OK");
  EXPECT_EQ(proposal.proposed_by(), "local (user 1000)");
  EXPECT_EQ(desk.Approve(proposal.proposal_id()), "OTHER_PERSON_REQUIRED");
  desk.As(Certified("ben"));
  EXPECT_EQ(desk.Approve(proposal.proposal_id()), "OTHER_PERSON_REQUIRED") << "nobody can compare them";
  service::Person elsewhere = UserOf(1000);
  elsewhere.name = "officers (user 1000)";
  desk.As(elsewhere);
  EXPECT_EQ(desk.Approve(proposal.proposal_id()), "OTHER_PERSON_REQUIRED") << "by another listener";
  EXPECT_FALSE(waiting.IsDone(desk));
  desk.As(UserOf(1001));
  EXPECT_EQ(desk.Approve(proposal.proposal_id()), "OK");
  EXPECT_TRUE(waiting.IsDone(desk));
}

TEST_P(EachAct, NeedsARoleOfTheActToApproveAndToWithdraw) {
  const std::string id = Proposed();
  for (int role = v1::Role_MIN + 1; role <= v1::Role_MAX; ++role) {
    callers::RoleSet only;
    only.Add(role);
    desk.As(Certified("ben"), only);
    const bool may = role == v1::ROLE_OFFICER || (role == v1::ROLE_OPERATOR && GetParam() == Act::kActivate);
    if (may) continue;
    EXPECT_EQ(desk.Approve(id), "ROLE_REQUIRED") << role;
    EXPECT_EQ(desk.Withdraw(id), "ROLE_REQUIRED") << role;
  }
  EXPECT_FALSE(waiting.IsDone(desk));
  callers::RoleSet officer;
  officer.Add(v1::ROLE_OFFICER);
  desk.As(Certified("ben"), officer);
  EXPECT_EQ(desk.Approve(id), "OK");
}

TEST_P(EachAct, IsNotDoneOnceItIsWithdrawnOrTooLate) {
  const std::string withdrawn = Proposed();
  EXPECT_EQ(desk.Withdraw(withdrawn), "OK") << "by who proposed it";
  EXPECT_EQ(desk.Withdraw(withdrawn), "OK");
  desk.As(Certified("ben"));
  EXPECT_EQ(desk.Approve(withdrawn), "PROPOSAL_STATE");

  const std::string late = Proposed();
  EXPECT_NE(late, withdrawn) << "it is proposed anew";
  desk.world.Wait(base::Seconds(72 * 3'600 + 1));
  desk.As(Certified("ben"));
  EXPECT_EQ(desk.Approve(late), "PROPOSAL_STATE");
  EXPECT_EQ(desk.List(true).front().state(), v1::PROPOSAL_STATE_EXPIRED);
  EXPECT_TRUE(desk.List(false).empty());
  EXPECT_FALSE(waiting.IsDone(desk));

  const std::string in_time = Proposed();
  desk.world.Wait(base::Seconds(72 * 3'600 - 1));
  desk.As(Certified("ben"));
  EXPECT_EQ(desk.Approve(in_time), "OK");
}

// Its end comes between the look at it and the commit.
TEST_P(EachAct, IsNotDoneWhereItExpiresAtTheLastMoment) {
  const std::string id = Proposed();
  desk.world.Wait(base::Seconds(72 * 3'600 - 1));
  desk.As(Certified("ben"));
  desk.store->BeforeNextCommit([this] { desk.world.Wait(base::Seconds(2)); });
  EXPECT_EQ(desk.Approve(id), "PROPOSAL_STATE");
  EXPECT_EQ(desk.List(true).front().state(), v1::PROPOSAL_STATE_EXPIRED);
  EXPECT_FALSE(waiting.IsDone(desk));
}

TEST_P(EachAct, WaitsWhileTheTimeIsDoubtful) {
  const std::string id = Proposed();
  desk.As(Certified("ben"));
  desk.world.clock.StepWall(base::Days(-2));
  const std::string said = desk.Approve(id);
  EXPECT_TRUE(said == "CLOCK_DOUBTFUL" || said == "CLOCK_BEHIND") << said;
  EXPECT_EQ(desk.List(false).size(), 1U) << "it stays open";
  desk.world.clock.StepWall(base::Days(2));
  EXPECT_EQ(desk.Approve(id), "OK");
}

TEST_P(EachAct, OfTwoProposalsTheSecondFails) {
  const std::string first = Proposed();
  v1::Proposal second;
  ASSERT_EQ(waiting.Ask(desk, 2, &second), "OK");
  EXPECT_NE(second.proposal_id(), first);
  desk.As(Certified("ben"));
  EXPECT_EQ(desk.Approve(first), "OK");
  const std::string said = desk.Approve(second.proposal_id());
  EXPECT_TRUE(said == "ETAG_MISMATCH" || said == "NOT_SUSPENDED") << said;
  v1::Proposal failed;
  for (const v1::Proposal& one : desk.List(true)) {
    if (one.proposal_id() == second.proposal_id()) failed = one;
  }
  EXPECT_EQ(failed.state(), v1::PROPOSAL_STATE_FAILED);
  EXPECT_EQ(failed.failure(), said);
  EXPECT_EQ(failed.decided_by(), "ben");
}

TEST_P(EachAct, SurvivesARestartOfTheService) {
  const std::string id = Proposed();
  Desk after(1, &desk.world.inner_store());
  after.world.clock.Set(desk.world.clock.Now());
  EXPECT_EQ(after.world.proposals().OpenNow()[static_cast<size_t>(desk.List(false).front().act())], 1U);
  after.As(Certified("ben"));
  EXPECT_EQ(after.Approve(id), "OK");
  EXPECT_TRUE(waiting.IsDone(desk));
  EXPECT_EQ(desk.world.proposals().OpenNow(), service::KnownProposals::Counts{});
}

std::string NameOfAct(const ::testing::TestParamInfo<Act>& info) {
  static const char* const names[] = {"Resume", "Release", "Activate"};
  return names[static_cast<size_t>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Acts, EachAct, ::testing::ValuesIn(kActs), NameOfAct);

TEST(Approvals, RestrictionsAndWhatLoosensNothingTakeOnePerson) {
  Desk desk(1, nullptr);
  desk.As(Certified("anna"));
  PolicyBuilder tighter = TwoPersonPolicy("tighter");
  tighter.policy().set_longest_answer_age_seconds(60);
  v1::Proposal proposal;
  EXPECT_EQ(desk.Activate(tighter.Build().json(), {}, &proposal), "OK");
  EXPECT_TRUE(proposal.proposal_id().empty());
  EXPECT_EQ(desk.world.admin().Get("")->document->version(), "tighter");
  EXPECT_EQ(desk.world.admin().Get("")->proposed_by, "");
}

TEST(Approvals, OneSufficesWhereThePolicySaysSoAndItTakesTwoToSaySo) {
  Desk desk(1, nullptr);
  desk.As(Certified("anna"));
  PolicyBuilder one = TwoPersonPolicy("one");
  one.policy().mutable_approvals()->set_resume(v1::PERSONS_ONE);
  one.policy().mutable_approvals()->set_release_hold(v1::PERSONS_ONE);
  one.policy().mutable_approvals()->set_activate_policy(v1::PERSONS_ONE);
  const std::vector<std::string> words = {"approvals.resume: TWO becomes ONE: one person may do it alone",
                                          "approvals.release_hold: TWO becomes ONE: one person may do it alone",
                                          "approvals.activate_policy: TWO becomes ONE: one person may do it alone"};
  EXPECT_EQ(desk.Activate(one.Build().json(), {}, nullptr), "LOOSENING_NOT_NAMED");
  v1::Proposal proposal;
  ASSERT_EQ(desk.Activate(one.Build().json(), words, &proposal), "OK");
  ASSERT_FALSE(proposal.proposal_id().empty()) << "one person cannot make one person suffice";
  EXPECT_EQ(proposal.loosens(), 3);
  EXPECT_EQ(proposal.follows(), "two");
  const v1::GetProposalResponse shown = desk.Get(proposal.proposal_id());
  EXPECT_EQ(shown.policy_json(), one.Build().json());
  EXPECT_EQ(std::vector<std::string>(shown.loosens().begin(), shown.loosens().end()), words);
  desk.As(Certified("ben"));
  ASSERT_EQ(desk.Approve(proposal.proposal_id()), "OK");
  EXPECT_TRUE(desk.Get(proposal.proposal_id()).policy_json().empty()) << "what was proposed goes with its end";
  for (const Act act : {Act::kResume, Act::kRelease}) {
    Waiting waiting(desk, act);
    EXPECT_EQ(waiting.Ask(desk, 1, &proposal), "OK");
    EXPECT_TRUE(proposal.proposal_id().empty());
    EXPECT_TRUE(waiting.IsDone(desk));
  }
}

// What lets one person do it is taken away between the look at the policy and the commit.
TEST(Approvals, OneDoesNotSufficeUnderAPolicyThatCameIntoForceMeanwhile) {
  for (const Act act : {Act::kResume, Act::kRelease}) {
    Desk desk(1, nullptr, PolicyBuilder("one"));
    Desk other(1, &desk.world.inner_store());
    Waiting waiting(desk, act);
    other.world.clock.Set(desk.world.clock.Now());
    desk.As(Certified("anna"));
    desk.store->BeforeNextCommit([&] { EXPECT_TRUE(other.world.Activate(TwoPersonPolicy("two")).ok()); });
    v1::Proposal proposal;
    EXPECT_EQ(waiting.Ask(desk, 1, &proposal), "OK");
    EXPECT_FALSE(proposal.proposal_id().empty());
    EXPECT_FALSE(waiting.IsDone(desk));
  }
}

TEST(Approvals, ABoundedNumberIsOpenAndTheNewestAreKept) {
  Desk desk(1, nullptr);
  desk.As(Certified("anna"));
  Waiting waiting(desk, Act::kResume);
  std::vector<std::string> ids;
  for (size_t i = 0; i < service::kMaxOpenProposals; ++i) {
    v1::Proposal proposal;
    ASSERT_EQ(waiting.Ask(desk, static_cast<int>(i), &proposal), "OK");
    ids.push_back(proposal.proposal_id());
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), service::kMaxOpenProposals);
  EXPECT_EQ(waiting.Ask(desk, 1'000, nullptr), "PROPOSALS_FULL");
  EXPECT_EQ(waiting.Ask(desk, 3, nullptr), "OK") << "that one is there";
  EXPECT_EQ(desk.List(false, 7).size(), service::kMaxOpenProposals) << "in pages";
  EXPECT_EQ(desk.Withdraw(ids[5]), "OK");
  EXPECT_EQ(waiting.Ask(desk, 1'000, nullptr), "OK");
  desk.world.Wait(base::Hours(73));
  EXPECT_EQ(waiting.Ask(desk, 1'001, nullptr), "OK") << "those that expired take no room";
  EXPECT_EQ(*desk.world.proposals().EndExpired(), service::kMaxOpenProposals);
  EXPECT_EQ(*desk.world.proposals().EndExpired(), 0U);
  const std::vector<v1::Proposal> all = desk.List(true, 10);
  EXPECT_EQ(all.size(), service::kMaxOpenProposals + 2);
  for (size_t i = 1; i < all.size(); ++i) {
    EXPECT_GE(all[i - 1].proposed_at().seconds(), all[i].proposed_at().seconds());
  }
}

TEST(Approvals, TextsThatNameNoProposalAreAnsweredAlike) {
  Desk desk(1, nullptr);
  desk.As(Certified("anna"));
  for (const char* id : {"nothing", "AAAAAAAAAAAAAAAAAAAAAA", "////"}) {
    EXPECT_EQ(desk.Approve(id), "PROPOSAL_NOT_FOUND") << id;
    EXPECT_EQ(desk.Withdraw(id), "PROPOSAL_NOT_FOUND") << id;
  }
  EXPECT_EQ(desk.Approve(""), "INVALID_FIELD");
}

}  // namespace
}  // namespace consent::test::approvals_test
