// A review that is submitted too late: the one draft becomes a purge task of the annotation systems, and nothing else
// of the recording does.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/service/subject/explained_orders.h"
#include "tests/support/service/deleting.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::ReviewOutcome;
using domain::RevocationKind;

constexpr char kTool[] = "annotations";  // a system that holds drafts
constexpr char kQueue[] = "queue";       // another one
constexpr char kAudio[] = "audio";

service::SystemRow SystemOf(const std::string& name, uint8_t kind) {
  service::SystemRow system = System(name);
  system.kind = kind;
  return system;
}

base::Digest DigestOf(uint8_t first) {
  base::Digest digest{};
  digest[0] = first;
  return digest;
}

World::Options Partitions() {
  World::Options options;
  options.partitions = 5;
  return options;
}

// "a" and "b" have agreed, and three data systems are there. A lease is of "a" and "rec" unless it says otherwise.
struct Story {
  explicit Story(bool with_systems = true)
      : faulty(Partitions()), world(faulty.world), reviewing(world), deleting(world) {
    if (with_systems) {
      deleting.Register(SystemOf(kAudio, 1));
      deleting.Register(SystemOf(kQueue, service::kAnnotationQueueKind));
      deleting.Register(SystemOf(kTool, service::kAnnotationsKind));
    }
    for (const char* account : {"a", "b"}) Agree(world, account);
    reviewing.CapturedAt(world.Now() - base::Seconds(30));
  }
  std::vector<service::DeletionView> Drafts() {
    service::DeletionFilter filter;
    filter.causes = {domain::DeletionCause::kLateDraft};
    const auto page = world.deletions().List(filter, 100, {});
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? page->requests : std::vector<service::DeletionView>();
  }
  std::string Submit(const Held& held, uint8_t digest = 1) { return Reviewing::Why(reviewing.Submit(held, digest)); }

  FaultyWorld faulty;
  World& world;
  Reviewing reviewing;
  Deleting deleting;
};

v1::Draft DraftIn(const service::LeasedTask& task) {
  v1::DeletionSelector selector;
  EXPECT_TRUE(selector.ParseFromString(task.payload.selector));
  EXPECT_TRUE(selector.has_draft()) << selector.ShortDebugString();
  return selector.draft();
}

// What comes before a submission, what it is told, and whether it leaves a draft.
struct Ending {
  std::string name;
  std::function<void(Story&, Held&)> act;
  std::string said;
  bool leaves_draft = false;
};

void Ok(const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; }
template <typename T>
void Ok(const absl::StatusOr<T>& result) {
  Ok(result.status());
}

std::vector<Ending> Endings() {
  return {
      {"opt-out", [](Story& s, Held&) { Ok(s.world.OptOut("a", Account(), Everything())); },
       "GRANT_ENDED SUBJECT_CHANGED", true},
      {"another account joined into it", [](Story& s, Held&) { Ok(Join(s.world, "b", "a")); },
       "GRANT_ENDED SUBJECT_CHANGED", true},
      {"joined into another account", [](Story& s, Held&) { Ok(Join(s.world, "a", "b")); },
       "GRANT_ENDED SUBJECT_CHANGED", true},
      {"closure",
       [](Story& s, Held&) {
         domain::Selector closure = AllOfIt();
         closure.kind = domain::SelectorKind::kAccountClosure;
         s.deleting.Ask("a", closure);
       },
       "GRANT_ENDED SUBJECT_CHANGED", true},
      {"another policy",
       [](Story& s, Held&) {
         PolicyBuilder policy("v2");
         policy.Regime("eea").set_child_inactive_months(1);
         Ok(s.world.Activate(policy));
       },
       "GRANT_ENDED POLICY_CHANGED", true},
      {"suspension",
       [](Story& s, Held&) { Ok(s.world.admin().Suspend(domain::Purpose::kHumanReview, domain::Region(), "why")); },
       "GRANT_ENDED SUSPENSIONS_CHANGED", true},
      {"revocation", [](Story& s, Held&) { Ok(s.reviewing.Revoke(RevocationKind::kReviewer, "r1")); },
       "GRANT_ENDED REVOKED", true},
      {"the rule says no by time alone", [](Story& s, Held&) { s.world.clock.StepWall(base::Hours(2)); },
       "GRANT_ENDED NOT_ELIGIBLE CLOCK_DOUBTFUL", true},
      {"half an hour", [](Story& s, Held&) { s.world.Wait(base::Seconds(30 * 60)); }, "GRANT_ENDED EXPIRED", true},
      {"it was ended", [](Story& s, Held& held) { Ok(s.reviewing.End(held, ReviewOutcome::kSkipped)); },
       "GRANT_ENDED ENDED"},
      {"it was submitted", [](Story& s, Held& held) { Ok(s.reviewing.Submit(held, 7)); }, "GRANT_ENDED SUBMITTED"},
      {"the same was submitted", [](Story& s, Held& held) { Ok(s.reviewing.Submit(held)); }, "NONE"},
      {"it was submitted before an opt-out",
       [](Story& s, Held& held) {
         Ok(s.reviewing.Submit(held));
         Ok(s.world.OptOut("a", Account(), Everything()));
       },
       "NONE"},
      {"granted anew",
       [](Story& s, Held& held) {
         Ok(s.reviewing.Open(held));
         s.world.Wait(base::Seconds(30 * 60));
         s.reviewing.Lease("a", "rec", "r2");
       },
       "GRANT_LOST"},
      {"another fence",
       [](Story& s, Held& held) {
         Ok(s.world.OptOut("a", Account(), Everything()));
         ++held.name.fence;
       },
       "GRANT_LOST"},
      {"another id",
       [](Story& s, Held& held) {
         Ok(s.world.OptOut("a", Account(), Everything()));
         held.name.id.bytes[3] ^= 1;
       },
       "GRANT_NOT_FOUND"},
  };
}

TEST(LateDraftTest, EachEndOfAGrantLeavesOneOrNone) {
  for (const Ending& ending : Endings()) {
    SCOPED_TRACE(ending.name);
    Story story;
    Held held = story.reviewing.Lease("a", "rec");
    ending.act(story, held);
    const size_t before = story.Drafts().size();
    EXPECT_EQ(before, 0U);
    EXPECT_EQ(story.Submit(held), ending.said);
    const std::vector<service::DeletionView> drafts = story.Drafts();
    ASSERT_EQ(drafts.size(), ending.leaves_draft ? 1U : 0U);
    if (!ending.leaves_draft) continue;
    const domain::DeletionRequest& request = drafts[0].request;
    EXPECT_EQ(request.state, DeletionState::kAccepted);
    EXPECT_EQ(request.requester, domain::Actor::kSystem);
    EXPECT_EQ(request.selector.kind, domain::SelectorKind::kDraft);
    EXPECT_EQ(request.selector.draft.recording, story.world.core().hasher.Recording("rec"));
    EXPECT_EQ(request.selector.draft.digest, DigestOf(1));
    EXPECT_TRUE(request.selector.recordings.empty());
    EXPECT_EQ(request.subject, story.world.Handle("a")) << "data systems know it under the account of then";
    EXPECT_EQ(request.parts.size(), 2U) << "of the annotation systems alone";
    EXPECT_EQ(request.Find(story.deleting.Named(kAudio).number), nullptr);
    ASSERT_TRUE(drafts[0].payload.has_value());
    EXPECT_EQ(drafts[0].payload->account_id, "a");
    EXPECT_EQ(WrongIds(story.world), "");
  }
}

TEST(LateDraftTest, EachAnnotationSystemGetsItOnceAndTheRequestIsDone) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  Ok(story.reviewing.Revoke(RevocationKind::kReviewer, "r1"));
  EXPECT_EQ(story.Submit(held, 5), "GRANT_ENDED REVOKED");
  EXPECT_TRUE(story.deleting.Lease(kAudio).empty());
  for (const char* system : {kQueue, kTool}) {
    const std::vector<service::LeasedTask> tasks = story.deleting.Lease(system);
    ASSERT_EQ(tasks.size(), 1U) << system;
    EXPECT_EQ(tasks[0].payload.account_id, "a");
    EXPECT_EQ(DraftIn(tasks[0]).recording_id(), "rec");
    EXPECT_EQ(DraftIn(tasks[0]).digest(), std::string(base::View(DigestOf(5))));
    Ok(story.deleting.End(system, tasks[0]));
  }
  const std::vector<service::DeletionView> drafts = story.Drafts();
  ASSERT_EQ(drafts.size(), 1U);
  EXPECT_EQ(drafts[0].request.state, DeletionState::kCompleted);
  EXPECT_FALSE(drafts[0].payload.has_value()) << "the ids go with it";
}

TEST(LateDraftTest, TheRecordingStaysAndOtherGrantsStand) {
  Story story;
  const Held late = story.reviewing.Lease("a", "rec");
  const Held other = story.reviewing.Lease("a", "other", "r2");
  Ok(story.reviewing.Revoke(RevocationKind::kReviewer, "r1"));
  EXPECT_EQ(story.Submit(late), "GRANT_ENDED REVOKED");
  EXPECT_EQ(Text(story.world.Check("a", domain::Purpose::kHumanReview)), "KEEP yes: CONSENT");
  EXPECT_FALSE(story.world.Facts("a").has_recording_marks);
  EXPECT_EQ(story.Submit(other), "NONE") << "it restricts nothing of the account";
  const auto orders = LoadOrders(story.world.core(), {story.world.Handle("a")},
                                 story.world.core().hasher.Recording("rec"), base::Instant{});
  ASSERT_TRUE(orders.ok());
  EXPECT_TRUE(orders->requests.empty()) << "no reason of any answer";
}

// What a cancelled request marked is judged by the requests that are left: a draft's is none that marks.
TEST(LateDraftTest, ItMarksNoRecordingWhenAnotherRequestIsCancelled) {
  Story story;
  const Held late = story.reviewing.Lease("a", "rec");
  Ok(story.reviewing.Revoke(RevocationKind::kReviewer, "r1"));
  EXPECT_EQ(story.Submit(late), "GRANT_ENDED REVOKED");
  const auto asked = story.deleting.Ask("a", story.deleting.Recordings({"rec"}), DeletionState::kReceived);
  Ok(story.deleting.Cancel(asked));
  const Recording recording = Recording(story.world.Now() - base::Seconds(30)).Id("rec");
  EXPECT_EQ(story.world.Check("a", recording).disposition, domain::Disposition::kKeep);
  const auto places = story.world.core().deletions.OpenOf(story.world.Handle("a"));
  ASSERT_EQ(places.size(), 1U);
  Ok(story.deleting.Cancel(places[0]));
  EXPECT_EQ(story.world.Check("a", recording).disposition, domain::Disposition::kKeep);
  EXPECT_EQ(story.Submit(late), "GRANT_ENDED SUBJECT_CHANGED");
  EXPECT_EQ(story.Drafts().size(), 1U) << "a cancelled one is not made again";
}

TEST(LateDraftTest, RepeatedItIsTheSameAndAnotherDigestMakesNone) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  story.world.Wait(base::Seconds(30 * 60));
  for (const uint8_t digest : {1, 1, 2, 3}) EXPECT_EQ(story.Submit(held, digest), "GRANT_ENDED EXPIRED");
  story.world.Restart();
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED EXPIRED");
  const std::vector<service::DeletionView> drafts = story.Drafts();
  ASSERT_EQ(drafts.size(), 1U) << "a tool cannot flood";
  EXPECT_EQ(drafts[0].request.selector.draft.digest, DigestOf(1));
}

// Else the purge would come after a lawful submission of the very same.
TEST(LateDraftTest, WhatIsBeingPurgedCannotBeSubmittedWhereTheRuleSaysYesAgain) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  story.world.clock.StepWall(base::Hours(2));
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED NOT_ELIGIBLE CLOCK_DOUBTFUL");
  story.world.clock.StepWall(base::Hours(-2));
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED NOT_ELIGIBLE");
  EXPECT_EQ(Reviewing::Why(story.reviewing.Open(held)), "GRANT_ENDED NOT_ELIGIBLE");
  EXPECT_EQ(story.reviewing.State(held), domain::GrantState::kRestricted);
  EXPECT_EQ(story.Drafts().size(), 1U);
  EXPECT_EQ(Reviewing::Said(story.reviewing.TryLease("a", "rec", "r2")), "GRANT") << "another grant may follow";
}

TEST(LateDraftTest, WithoutASystemThatHoldsDraftsThereIsNone) {
  Story story(false);
  story.deleting.Register(SystemOf(kAudio, 1));
  const Held held = story.reviewing.Lease("a", "rec");
  Ok(story.world.OptOut("a", Account(), Everything()));
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED SUBJECT_CHANGED");
  EXPECT_TRUE(story.Drafts().empty());
}

TEST(LateDraftTest, ASystemThatIsRegisteredLaterOwesItOnlyWhereItHoldsDrafts) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  Ok(story.world.OptOut("a", Account(), Everything()));
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED SUBJECT_CHANGED");
  story.deleting.Register(SystemOf("audio2", 1));
  story.deleting.Register(SystemOf("annotations2", service::kAnnotationsKind));
  story.world.Restart();
  EXPECT_EQ(story.Drafts()[0].request.parts.size(), 3U);
  const auto is_draft = [](const service::LeasedTask& task) {
    return task.request.cause == domain::DeletionCause::kLateDraft;
  };
  const std::vector<service::LeasedTask> audio = story.deleting.Lease("audio2");
  EXPECT_TRUE(std::none_of(audio.begin(), audio.end(), is_draft));
  const std::vector<service::LeasedTask> annotations = story.deleting.Lease("annotations2");
  EXPECT_EQ(std::count_if(annotations.begin(), annotations.end(), is_draft), 1);
}

TEST(LateDraftTest, AWorkerThatDoesNotSayThatItKnowsDraftsGetsNone) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  Ok(story.reviewing.Revoke(RevocationKind::kAll));
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED REVOKED");
  const service::SystemRow tool = story.deleting.Named(kTool);
  const auto lease = [&](service::Accepts accepts) {
    const auto leased = story.world.tasks().Lease(tool, 10, base::Seconds(300), accepts);
    return leased.ok() ? leased->size() : 100U;
  };
  EXPECT_EQ(lease(service::kAcceptsUnsaid), 0U);
  EXPECT_EQ(lease(service::AcceptsOf(domain::SelectorKind::kRecordings)), 0U);
  story.world.Restart();
  EXPECT_EQ(lease(service::kAcceptsUnsaid), 0U);
  EXPECT_EQ(lease(service::AcceptsOf(domain::SelectorKind::kDraft)), 1U);
}

TEST(LateDraftTest, AHoldOfTheRecordingKeepsItAndOneOfAnotherDoesNot) {
  for (const bool is_its : {true, false}) {
    Story story;
    const Held held = story.reviewing.Lease("a", "rec");
    const auto hold = story.deleting.Hold("a", story.deleting.HeldRecordings({is_its ? "rec" : "another"}));
    EXPECT_EQ(story.Submit(held), "GRANT_ENDED SUBJECT_CHANGED");
    ASSERT_EQ(story.Drafts().size(), 1U);
    EXPECT_EQ(story.Drafts()[0].on_hold, is_its ? domain::OnHold::kByLaw : domain::OnHold::kNo);
    EXPECT_EQ(story.deleting.Lease(kTool).size(), is_its ? 0U : 1U);
    Ok(story.deleting.Release(hold));
    EXPECT_EQ(story.deleting.Lease(kTool).size(), is_its ? 1U : 0U);
  }
}

TEST(LateDraftTest, AHoldOfTheAccountAndAReportOfSafetyKeepItToo) {
  Story story;
  PolicyBuilder policy("safe");
  policy.policy().set_safety_hold_hours(72);
  Ok(story.world.Activate(policy));
  story.reviewing.CapturedAt(story.world.Now() - base::Seconds(30));
  const Held held = story.reviewing.Lease("a", "rec");
  const auto hold = story.deleting.Hold("a", domain::HeldPart{{}, domain::Interval{{}, base::kEndOfTime}, {}});
  Ok(story.world.Report("a", "rec", domain::Flags::kSafety));
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED SUBJECT_CHANGED");
  EXPECT_TRUE(story.deleting.Lease(kTool).empty());
  Ok(story.deleting.Release(hold));
  ASSERT_EQ(story.Drafts().size(), 1U);
  EXPECT_EQ(story.Drafts()[0].on_hold, domain::OnHold::kForSafety);
  EXPECT_TRUE(story.deleting.Lease(kTool).empty());
  story.world.Wait(base::Days(31));
  EXPECT_EQ(story.deleting.Lease(kTool).size(), 1U);
}

// In one commit with what it was decided by: what comes between makes it a conflict.
TEST(LateDraftTest, AGrantThatIsLostMeanwhileLeavesNone) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  Ok(story.reviewing.Open(held));
  story.world.Wait(base::Seconds(30 * 60));
  story.faulty.faulty->BeforeNextCommit([&] { story.reviewing.Lease("a", "rec", "r2"); });
  EXPECT_EQ(story.Submit(held), "GRANT_LOST");
  EXPECT_TRUE(story.Drafts().empty());
}

// Whoever was told GRANT_ENDED has a request behind it, wherever the process died before; and never two.
TEST(LateDraftTest, KilledAtAnyCommitTheRepeatedCallLeadsToOne) {
  int deaths = 0;
  for (const bool done : {false, true}) {
    for (uint64_t call = 1; call < 10; ++call) {
      SCOPED_TRACE(std::to_string(call) + (done ? " done" : " lost"));
      Story story;
      const Held held = story.reviewing.Lease("a", "rec");
      Ok(story.world.OptOut("a", Account(), Only(domain::Purpose::kHumanReview)));
      story.faulty.faulty->CrashAt(call, done);
      const std::string said = story.Submit(held);
      const bool crashed = story.faulty.faulty->crashed();
      EXPECT_EQ(said, crashed ? "OUTCOME_UNKNOWN" : "GRANT_ENDED SUBJECT_CHANGED");
      if (crashed) {
        ++deaths;
        story.faulty.faulty->Reopen();
        story.world.Restart();
        EXPECT_EQ(story.Drafts().size(), done ? 1U : 0U);
        EXPECT_EQ(story.Submit(held), "GRANT_ENDED SUBJECT_CHANGED");
      }
      EXPECT_EQ(story.Drafts().size(), 1U);
      EXPECT_EQ(WrongIds(story.world), "");
      if (!crashed) break;
    }
  }
  EXPECT_EQ(deaths, 2) << "the refusal and its request are one commit";
}

TEST(LateDraftTest, ItOutlivesTheClosedAccountAndIsDone) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  domain::Selector closure = AllOfIt();
  closure.kind = domain::SelectorKind::kAccountClosure;
  const auto closing = story.deleting.Ask("a", closure);
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED SUBJECT_CHANGED");
  for (const char* system : {kAudio, kQueue, kTool}) {
    for (const service::LeasedTask& task : story.deleting.Lease(system)) {
      if (task.request.cause == domain::DeletionCause::kRequested) Ok(story.deleting.End(system, task));
    }
  }
  EXPECT_EQ(story.deleting.Get(closing).state, DeletionState::kCompleted);
  EXPECT_EQ(story.Submit(held), "GRANT_NOT_FOUND");
  story.world.Wait(base::Seconds(600));
  EXPECT_EQ(story.deleting.Work(kQueue) + story.deleting.Work(kTool), 2U);
  ASSERT_EQ(story.Drafts().size(), 1U);
  EXPECT_EQ(story.Drafts()[0].request.state, DeletionState::kCompleted);
}

TEST(LateDraftTest, ItIsDueAsAWithdrawalIs) {
  Story story;
  const Held held = story.reviewing.Lease("a", "rec");
  Ok(story.world.OptOut("a", Account(), Everything()));
  EXPECT_EQ(story.Submit(held), "GRANT_ENDED SUBJECT_CHANGED");
  service::DeletionFilter filter;
  filter.causes = {domain::DeletionCause::kWithdrawal};
  const auto page = story.world.deletions().List(filter, 10, {});
  ASSERT_TRUE(page.ok());
  ASSERT_FALSE(page->requests.empty());
  const domain::DeletionRequest draft = story.Drafts()[0].request;
  EXPECT_EQ(draft.regime, page->requests[0].request.regime);
  EXPECT_EQ(draft.due_at, page->requests[0].request.due_at) << "both received on one day";
  EXPECT_FALSE(domain::DeadlineOf(draft, domain::DeadlineKind::kConfirmation).has_value()) << "nobody asked";
}

}  // namespace
}  // namespace consent::test
