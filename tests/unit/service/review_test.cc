// Review grants: given, used, ended, renewed, and what ends them without knowing them.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/service/rows/cap_rows.h"
#include "daemon/service/rows/population_rows.h"
#include "tests/support/service/deleting.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

using domain::GrantState;
using domain::ReviewOutcome;
using domain::RevocationKind;

class ReviewTest : public testing::Test {
 protected:
  ReviewTest() : world_(Options()), reviewing_(world_) {
    for (const char* account : {"a", "b"}) Agree(world_, account);
    reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  }
  static World::Options Options() {
    World::Options options;
    options.partitions = 5;
    return options;
  }
  // But for what caps and rates count, which names nobody.
  size_t Rows() const {
    size_t rows = 0;
    const auto count = [&rows](std::string_view key, std::string_view) {
      rows += key[0] == service::kCapCounters || key[0] == service::kHeardCounts ? 0 : 1;
      return true;
    };
    for (uint16_t number = 0; number < world_.store().partition_count(); ++number) {
      EXPECT_TRUE(world_.store().Scan({number}, store::Table::kReview, "", "", SIZE_MAX, count).ok());
    }
    return rows;
  }

  World world_;
  Reviewing reviewing_;
};

TEST_F(ReviewTest, AGrantIsOpenedRedeemedAndSubmitted) {
  const Held held = reviewing_.Lease("a", "rec");
  EXPECT_EQ(held.name.fence, 1U);
  EXPECT_EQ(held.pseudonym.size(), 32U);
  EXPECT_EQ(reviewing_.State(held), GrantState::kLive);
  const auto opened = reviewing_.Open(held);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_LE(opened->token.size(), domain::kMaxMediaTokenBytes);
  const auto redeemed = reviewing_.Redeem(opened->token);
  ASSERT_TRUE(redeemed.ok()) << redeemed.status();
  EXPECT_EQ(redeemed->ids.account_id, "a");
  EXPECT_EQ(redeemed->ids.recording_id, "rec");
  EXPECT_EQ(redeemed->ids.artefact, domain::Artefact::kSource);
  EXPECT_EQ(redeemed->site, Employee().site);
  EXPECT_EQ(reviewing_.Why(reviewing_.Submit(held)), "NONE");
  EXPECT_EQ(reviewing_.State(held), GrantState::kSubmitted);
  EXPECT_EQ(reviewing_.Why(reviewing_.Submit(held)), "NONE") << "the same again";
  EXPECT_EQ(reviewing_.Why(reviewing_.Submit(held, 2)), "GRANT_ENDED SUBMITTED");
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "GRANT_ENDED SUBMITTED");
}

TEST_F(ReviewTest, WhatIsNotEligibleGetsNoGrant) {
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("nobody", "rec")).substr(0, 12), "NOT_ELIGIBLE");
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  const std::string said = Reviewing::Said(reviewing_.TryLease("a", "rec"));
  EXPECT_NE(said.find("WITHDRAWN"), std::string::npos) << said;
  EXPECT_EQ(Rows(), 0U);
}

// What ends a grant of "a", what a use is told then, and whether another grant may follow.
struct Restriction {
  std::string name;
  std::function<void(World&, Reviewing&)> act;
  std::string cause;
  bool may_follow = false;
};

void Ok(const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; }
template <typename T>
void Ok(const absl::StatusOr<T>& result) {
  Ok(result.status());
}

std::vector<Restriction> Restrictions() {
  const auto revoke = [](RevocationKind kind, const std::string& name) {
    return [kind, name](World&, Reviewing& reviewing) { Ok(reviewing.Revoke(kind, name)); };
  };
  return {
      {"opt-out", [](World& w, Reviewing&) { Ok(w.OptOut("a", Account(), Everything())); }, "SUBJECT_CHANGED"},
      {"opt-out of a profile", [](World& w, Reviewing&) { Ok(w.OptOut("a", Profile("ann"), Everything())); },
       "SUBJECT_CHANGED"},
      {"opt-out and in again",
       [](World& w, Reviewing&) {
         Ok(w.OptOut("a", Account(), Everything()));
         Ok(w.OptIn("a", Account(), Control("help_improve"), Under("past")));
       },
       "SUBJECT_CHANGED", true},
      {"shorter retention",
       [](World& w, Reviewing&) {
         Ok(w.Retain("a", Account(), {domain::RetentionKind::kMonths, 3}));
       },
       "SUBJECT_CHANGED", true},
      {"deletion", [](World& w, Reviewing&) { Deleting(w).Ask("a", AllOfIt()); }, "SUBJECT_CHANGED"},
      {"closure",
       [](World& w, Reviewing&) {
         domain::Selector closure = AllOfIt();
         closure.kind = domain::SelectorKind::kAccountClosure;
         Deleting(w).Ask("a", closure);
       },
       "SUBJECT_CHANGED"},
      {"hold of another recording",
       [](World& w, Reviewing&) {
         Deleting deleting(w);
         deleting.Hold("a", deleting.HeldRecordings({"another"}));
       },
       "SUBJECT_CHANGED", true},
      {"hold that is released again",
       [](World& w, Reviewing&) {
         Deleting deleting(w);
         Ok(deleting.Release(deleting.Hold("a", deleting.HeldRecordings({"rec"}))));
       },
       "SUBJECT_CHANGED", true},
      {"flag", [](World& w, Reviewing&) { Ok(w.Report("a", "rec", domain::Flags::kCriticalData)); }, "SUBJECT_CHANGED"},
      {"flag of another recording", [](World& w, Reviewing&) { Ok(w.Report("a", "x", domain::Flags::kSafety)); },
       "SUBJECT_CHANGED", true},
      {"join into another account", [](World& w, Reviewing&) { Ok(Join(w, "a", "b")); }, "SUBJECT_CHANGED"},
      {"another account joined into it", [](World& w, Reviewing&) { Ok(Join(w, "b", "a")); }, "SUBJECT_CHANGED", true},
      {"suspension",
       [](World& w, Reviewing&) { Ok(w.admin().Suspend(domain::Purpose::kHumanReview, domain::Region(), "why")); },
       "SUSPENSIONS_CHANGED"},
      {"suspension that is lifted",
       [](World& w, Reviewing&) {
         const auto view = w.admin().Suspend(domain::Purpose::kHumanReview, domain::Region(), "why");
         Ok(view);
         Ok(w.admin().Resume({domain::Purpose::kHumanReview, domain::Region(), "over", view->etag}));
       },
       "SUSPENSIONS_CHANGED"},
      {"another policy",
       [](World& w, Reviewing&) {
         PolicyBuilder policy("v2");
         policy.Regime("eea").set_child_inactive_months(1);
         Ok(w.Activate(policy));
       },
       "POLICY_CHANGED", true},
      {"revocation of all", revoke(RevocationKind::kAll, ""), "REVOKED", true},
      {"revocation of the reviewer", revoke(RevocationKind::kReviewer, "r1"), "REVOKED", true},
      {"revocation of the site", revoke(RevocationKind::kSite, Employee().site), "REVOKED", true},
      {"revocation of the purpose", revoke(RevocationKind::kPurpose, ""), "REVOKED", true},
  };
}

TEST(ReviewRestrictionTest, EachEndsTheGrantAtOnceAndForGood) {
  for (const Restriction& restriction : Restrictions()) {
    SCOPED_TRACE(restriction.name);
    World world({.partitions = 5});
    Reviewing reviewing(world);
    for (const char* account : {"a", "b", "c"}) Agree(world, account);
    reviewing.CapturedAt(world.Now() - base::Seconds(30));
    const Held held = reviewing.Lease("a", "rec");
    const Held other = reviewing.Lease("c", "rec", "r2");
    const auto opened = reviewing.Open(held);
    ASSERT_TRUE(opened.ok()) << opened.status();
    restriction.act(world, reviewing);
    const std::string ended = "GRANT_ENDED " + restriction.cause;
    EXPECT_EQ(reviewing.Why(reviewing.Redeem(opened->token)), ended);
    EXPECT_EQ(reviewing.Why(reviewing.Open(held)), ended);
    EXPECT_EQ(reviewing.Why(reviewing.Submit(held)), ended);
    EXPECT_EQ(reviewing.Why(world.reviews().Renew(held.name, {})), ended);
    EXPECT_EQ(reviewing.State(held), GrantState::kRestricted);
    const bool is_of_subject = restriction.cause == "SUBJECT_CHANGED";
    if (is_of_subject) {
      EXPECT_EQ(reviewing.Why(reviewing.Open(other)), "NONE") << "another account's";
    }
    const std::string again = reviewing.Said(reviewing.TryLease("a", "rec", "r9"));
    EXPECT_EQ(again == "GRANT", restriction.may_follow) << again;
    world.Restart();
    EXPECT_EQ(reviewing.Why(reviewing.Open(held)), again == "GRANT" ? "GRANT_LOST" : ended);
  }
}

TEST_F(ReviewTest, WhatRestrictsNothingOfItLeavesItAlone) {
  const Held held = reviewing_.Lease("a", "rec");
  ASSERT_TRUE(world_.OptIn("a", Account(), Control("train")).ok());
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE") << "a loosening";
  ASSERT_TRUE(world_.Register("a", "DE", {Adult("ann")}, {"echo"}).ok());
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE") << "a device more";
  ASSERT_TRUE(world_.Register("a", "DE").ok());
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE") << "registered again as it is";
  ASSERT_TRUE(world_.OptOut("b", Account(), Everything()).ok());
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE") << "another account's";
  Ok(reviewing_.Revoke(RevocationKind::kReviewer, "r2"));
  Ok(reviewing_.Revoke(RevocationKind::kSite, "elsewhere"));
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE") << "others are revoked";
  EXPECT_EQ(reviewing_.State(held), GrantState::kLive);
}

TEST_F(ReviewTest, ThereIsNeverMoreThanOneLiveGrant) {
  const Held first = reviewing_.Lease("a", "rec");
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec", "r2")), "GRANTED");
  ASSERT_TRUE(reviewing_.Open(first).ok());
  Ok(reviewing_.End(first, ReviewOutcome::kSkipped));
  EXPECT_EQ(reviewing_.State(first), GrantState::kEnded);
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(first)), "GRANT_ENDED ENDED");
  const Held second = reviewing_.Lease("a", "rec", "r2");
  EXPECT_EQ(second.name.fence, 2U);
  EXPECT_NE(second.pseudonym, first.pseudonym);
  EXPECT_NE(second.grant.media, first.grant.media);
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(first)), "GRANT_LOST");
  EXPECT_EQ(reviewing_.Why(reviewing_.Submit(first)), "GRANT_LOST");
  Held mixed = second;
  mixed.name.fence = 1;
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(mixed)), "GRANT_LOST") << "the fence of another";
  mixed = first;
  mixed.name.fence = 2;
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(mixed)), "GRANT_LOST") << "the id of another";
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(second)), "NONE");
  Held unknown = second;
  unknown.name.id.bytes[3] ^= 1;
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(unknown)), "GRANT_NOT_FOUND");
  unknown.name.id.bytes[14] = 0xff;
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(unknown)), "GRANT_NOT_FOUND") << "of a partition that is none";
}

TEST_F(ReviewTest, ArtefactsOfOneRecordingAreGrantedEach) {
  const Held audio = reviewing_.Lease("a", "rec");
  service::LeaseOrder order;
  order.purpose = domain::Purpose::kHumanReview;
  order.place = Employee();
  order.reviewer = "r2";
  Recording transcript(audio.grant.given_at - base::Seconds(30));
  transcript.Copy(domain::Artefact::kTranscript, domain::Purpose::kHumanReview);
  const service::LeaseAnswer answer =
      world_.reviews().Lease(order, {world_.Handle("a"), "a", "rec", transcript.Facts(world_.core().hasher)}, {});
  EXPECT_EQ(Reviewing::Said(answer), "GRANT");
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(audio)), "NONE");
}

TEST_F(ReviewTest, ItLivesForHalfAnHourByTheBootClock) {
  const Held held = reviewing_.Lease("a", "rec");
  for (const int64_t minutes : {-59, 59}) {
    world_.clock.StepWall(base::Seconds(minutes * 60));
    EXPECT_EQ(reviewing_.State(held), GrantState::kLive) << "the wall means nothing";
    world_.clock.StepWall(base::Seconds(-minutes * 60));
  }
  world_.Wait(base::Seconds(30 * 60 - 1));
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE");
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec", "r2")), "GRANTED");
  world_.Wait(base::Seconds(1));
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "GRANT_ENDED EXPIRED");
  EXPECT_EQ(reviewing_.State(held), GrantState::kExpired);
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec", "r2")), "GRANT");
}

TEST_F(ReviewTest, ItIsRenewedOnce) {
  const Held held = reviewing_.Lease("a", "rec");
  world_.Wait(base::Seconds(29 * 60));
  const auto until = world_.reviews().Renew(held.name, {});
  ASSERT_TRUE(until.ok()) << until.status();
  EXPECT_EQ(*until, world_.clock.Now() + domain::kGrantLife);
  world_.Wait(base::Seconds(29 * 60));
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE");
  EXPECT_EQ(reviewing_.Why(world_.reviews().Renew(held.name, {})), "GRANT_ENDED RENEWED_BEFORE");
  world_.Wait(base::Seconds(60));
  EXPECT_EQ(reviewing_.Why(world_.reviews().Renew(held.name, {})), "GRANT_ENDED EXPIRED");
}

TEST_F(ReviewTest, ARestartKeepsItAndARebootEndsIt) {
  const Held held = reviewing_.Lease("a", "rec");
  const auto opened = reviewing_.Open(held);
  const auto key = world_.reviews().ReadPublicKey();
  ASSERT_TRUE(opened.ok() && key.ok());
  world_.Restart();
  EXPECT_EQ(*world_.reviews().ReadPublicKey(), *key);
  EXPECT_EQ(reviewing_.Why(reviewing_.Redeem(opened->token)), "NONE");
  world_.Reboot();
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "GRANT_ENDED EXPIRED");
}

TEST_F(ReviewTest, WhatTheRuleDeniesByTimeAloneIsDeniedToo) {
  const Held held = reviewing_.Lease("a", "rec");
  world_.clock.StepWall(base::Hours(2));
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "GRANT_ENDED NOT_ELIGIBLE CLOCK_DOUBTFUL");
  world_.clock.StepWall(base::Hours(-2));
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "NONE");
}

TEST_F(ReviewTest, WhatWasFoundIsAFlagInTheSameCommit) {
  const std::map<ReviewOutcome, std::string> flags = {{ReviewOutcome::kCriticalData, "CRITICAL_DATA"},
                                                      {ReviewOutcome::kSafety, "SAFETY"},
                                                      {ReviewOutcome::kChild, "CHILD_WITHOUT_GUARDIAN"},
                                                      {ReviewOutcome::kAccidental, "ACCIDENTAL"}};
  int reviewer = 0;
  for (const auto& [outcome, reason] : flags) {
    const std::string recording = "rec" + reason;
    const Held held = reviewing_.Lease("a", recording, "listener" + std::to_string(++reviewer));
    Ok(reviewing_.End(held, outcome));
    EXPECT_EQ(reviewing_.State(held), GrantState::kEnded);
    const std::string again = Reviewing::Said(reviewing_.TryLease("a", recording, "other"));
    EXPECT_NE(again.find(reason), std::string::npos) << again;
    Ok(reviewing_.End(held, outcome));
  }
  const auto listed = world_.safety_flags().List({}, false, 10, {});
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->flags.size(), 1U);
  EXPECT_EQ(listed->flags[0].account_id, "a");
  EXPECT_EQ(listed->flags[0].recording_id, "recSAFETY");
  EXPECT_EQ(listed->flags[0].reported_by, "tool");
  for (const ReviewOutcome outcome : {ReviewOutcome::kSkipped, ReviewOutcome::kInaudible}) {
    const Held held = reviewing_.Lease("b", "rec", "listener" + std::to_string(++reviewer));
    Ok(reviewing_.End(held, outcome));
    EXPECT_EQ(world_.Facts("b").has_recording_marks, false);
  }
}

TEST_F(ReviewTest, AFlagIsNeverTooLate) {
  const Held expired = reviewing_.Lease("a", "rec");
  ASSERT_TRUE(reviewing_.Open(expired).ok());
  world_.Wait(base::Hours(1));
  reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  const Held later = reviewing_.Lease("a", "rec", "r2");
  EXPECT_EQ(reviewing_.Why(reviewing_.End(expired, ReviewOutcome::kSkipped)), "GRANT_LOST");
  EXPECT_EQ(reviewing_.Why(reviewing_.End(expired, ReviewOutcome::kSafety)), "NONE");
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(later)), "GRANT_ENDED SUBJECT_CHANGED");
  EXPECT_EQ(reviewing_.State(later), GrantState::kRestricted) << "it was not ended by the other one's outcome";
  const std::string again = Reviewing::Said(reviewing_.TryLease("a", "rec", "r3"));
  EXPECT_NE(again.find("SAFETY"), std::string::npos) << again;
}

TEST_F(ReviewTest, TheFirstOutcomeStays) {
  const Held held = reviewing_.Lease("a", "rec");
  ASSERT_TRUE(reviewing_.Open(held).ok());
  Ok(reviewing_.Submit(held));
  Ok(reviewing_.End(held, ReviewOutcome::kChild));
  EXPECT_EQ(reviewing_.State(held), GrantState::kSubmitted);
  EXPECT_NE(Text(world_.Check("a", Recording().Id("rec"))).find("CHILD"), std::string::npos);
  const auto heard = world_.list_reviews().Heard(world_.Handle("a"));
  ASSERT_TRUE(heard.ok());
  ASSERT_EQ(heard->heard.size(), 1U);
  EXPECT_EQ(heard->heard[0].outcome, ReviewOutcome::kSubmitted);
}

TEST_F(ReviewTest, OneReviewerHearsAnAccountOnceInThirtyDays) {
  const Held held = reviewing_.Lease("a", "rec1");
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec2")), "HEARD_RECENTLY");
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("b", "rec2")), "GRANT") << "another account";
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec2", "r2")), "GRANT") << "another reviewer";
  Ok(reviewing_.End(held, ReviewOutcome::kSkipped));
  world_.Wait(base::Days(29));
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec1")), "HEARD_RECENTLY") << "the same again, too";
  world_.Wait(base::Days(1));
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec2")), "GRANT");
}

TEST_F(ReviewTest, ThePersonIsToldWhatWasHeardAndNotByWhom) {
  EXPECT_TRUE(world_.list_reviews().Heard(world_.Handle("a"))->heard.empty());
  reviewing_.Lease("a", "unopened");
  EXPECT_TRUE(world_.list_reviews().Heard(world_.Handle("a"))->heard.empty()) << "nobody heard it";
  const Held first = reviewing_.Lease("a", "rec", "r2");
  const base::Instant opened = world_.clock.Now();
  ASSERT_TRUE(reviewing_.Open(first).ok());
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(reviewing_.Open(first).ok());
  Ok(reviewing_.End(first, ReviewOutcome::kInaudible));
  const Held second = reviewing_.Lease("a", "rec", "r3");
  ASSERT_TRUE(reviewing_.Open(second).ok());
  const auto list = world_.list_reviews().Heard(world_.Handle("a"));
  ASSERT_TRUE(list.ok());
  EXPECT_FALSE(list->is_cut);
  ASSERT_EQ(list->heard.size(), 2U);
  EXPECT_EQ(list->heard[1].heard_at, opened);
  EXPECT_EQ(list->heard[1].outcome, ReviewOutcome::kInaudible);
  EXPECT_EQ(list->heard[1].country, Where("DE"));
  EXPECT_EQ(list->heard[1].reviewer_class, domain::ReviewerClass::kEmployee);
  EXPECT_EQ(list->heard[0].outcome, ReviewOutcome::kNone);
  EXPECT_TRUE(world_.list_reviews().Heard(world_.Handle("b"))->heard.empty());
}

TEST_F(ReviewTest, TheyGoWithTheirAccount) {
  Deleting deleting(world_);
  deleting.Register(System("audio"));
  const Held first = reviewing_.Lease("a", "rec");
  ASSERT_TRUE(reviewing_.Open(first).ok());
  Ok(reviewing_.End(first, ReviewOutcome::kSkipped));
  const Held second = reviewing_.Lease("a", "rec", "r2");
  const size_t before = Rows();
  EXPECT_EQ(before, 6U) << "the grant, its id, what was heard, whose id stays, by whom lately, and the media key";
  domain::Selector closure = AllOfIt();
  closure.kind = domain::SelectorKind::kAccountClosure;
  deleting.Ask("a", closure);
  EXPECT_EQ(world_.list_reviews().Heard(world_.Handle("a"))->heard.size(), 1U) << "as long as it is not erased";
  while (deleting.Work("audio") > 0) {
  }
  EXPECT_EQ(Rows(), 1U) << "the media key";
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(second)), "GRANT_NOT_FOUND");
  EXPECT_EQ(reviewing_.Why(reviewing_.End(second, ReviewOutcome::kSafety)), "GRANT_NOT_FOUND");
}

TEST_F(ReviewTest, AnAliasIsToldToNameItsAccount) {
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec")), "ACCOUNT_JOINED");
}

TEST_F(ReviewTest, ListsAreByStateAndPage) {
  std::set<std::string> ids;
  for (int i = 0; i < 30; ++i) {
    ids.insert(base::IdText(
        reviewing_.Lease(i % 2 == 0 ? "a" : "b", "rec" + std::to_string(i), "listener" + std::to_string(i)).name.id));
  }
  ASSERT_TRUE(world_.OptOut("b", Account(), Everything()).ok());
  for (const size_t limit : {1U, 2U, 100U}) {
    std::multiset<std::string> seen;
    std::map<GrantState, int> states;
    service::PageToken from;
    for (;;) {
      const auto page = world_.list_reviews().Grants(GrantState::kNone, limit, from);
      ASSERT_TRUE(page.ok());
      for (const auto& shown : page->grants) {
        seen.insert(base::IdText(shown.row.grant.id));
        ++states[shown.state];
      }
      if (!page->next.has_value()) break;
      from = *page->next;
    }
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), ids);
    EXPECT_EQ(seen.size(), ids.size());
    EXPECT_EQ(states[GrantState::kLive], 15);
    EXPECT_EQ(states[GrantState::kRestricted], 15);
  }
  const auto live = world_.list_reviews().Grants(GrantState::kLive, 100, {});
  ASSERT_TRUE(live.ok());
  EXPECT_EQ(live->grants.size(), 15U);
}

TEST_F(ReviewTest, AYesThatIsNotOnRecordIsNoGrant) {
  const Held held = reviewing_.Lease("a", "rec");
  Ok(world_.reviews().TakeBack(held.name));
  EXPECT_EQ(reviewing_.State(held), GrantState::kEnded);
  EXPECT_EQ(reviewing_.Why(reviewing_.Open(held)), "GRANT_ENDED ENDED");
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec", "r2")), "GRANT");
}

}  // namespace
}  // namespace consent::test
