// Review grants and SAFETY flags over a restore: what was revoked, used, acknowledged and handled since the backup.
#include <gtest/gtest.h>

#include <future>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consent/v1/deletion_service.pb.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/policy_builder.h"
#include "tests/unit/restore/life.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

using domain::RevocationKind;

struct RestoredReviews : testing::Test {
  RestoredReviews() { Begin(); }
  // Another store; one can be lost once.
  void Begin() {
    life.emplace();
    Agree(life->world(), "a");
    Agree(life->world(), "b");
  }
  // On the world of now; each has forgotten nothing but what it was told.
  Reviewing Now() {
    Reviewing reviewing(life->world());
    reviewing.CapturedAt(life->world().Now() - base::Seconds(30));
    return reviewing;
  }
  void LoseAndRestore() {
    life->Lose();
    (void)life->Restore();
  }
  std::string Opens(const Held& held) { return Reviewing::Why(Now().Open(held)); }
  // A step of the SAFETY flag of that recording.
  absl::Status Step(service::ChangeKind kind, const std::string& account, const std::string& recording) {
    service::ChangeRequest request = life->world().Request(account, kind);
    request.recording = life->world().core().hasher.Recording(recording);
    request.payload.recording_id = recording;
    request.payload.note = "called";
    std::promise<absl::Status> done;
    const auto answered = [&done](const absl::StatusOr<service::ChangeReply>& reply) {
      done.set_value(reply.status());
    };
    kind == service::ChangeKind::kSafetyFlagHandled
        ? life->world().safety_flags().Handle(std::move(request), answered)
        : life->world().safety_flags().Acknowledge(std::move(request), answered);
    return done.get_future().get();
  }
  uint64_t Unacknowledged() { return life->world().core().safety_flags.ReportedBy(life->world().Now()).unacknowledged; }

  std::optional<Life> life;
};

// The grants of both lie in the backup and are not over: without the journal each could go on.
TEST_F(RestoredReviews, WhoWasRevokedSinceTheBackupStaysRevoked) {
  for (const auto& [kind, name] : std::initializer_list<std::pair<RevocationKind, std::string>>{
           {RevocationKind::kReviewer, "r1"}, {RevocationKind::kSite, Employee().site}, {RevocationKind::kAll, ""}}) {
    Begin();
    const Held revoked = Now().Lease("a", "rec", "r1");
    const Held other = Now().Lease("b", "rec", "r2");
    EXPECT_EQ(Opens(revoked), "NONE");
    life->Backup();
    ASSERT_TRUE(Now().Revoke(kind, name).ok());
    LoseAndRestore();
    EXPECT_EQ(Opens(revoked), "GRANT_ENDED REVOKED") << name;
    EXPECT_EQ(Opens(other), kind == RevocationKind::kReviewer ? "NONE" : "GRANT_ENDED REVOKED") << name;
  }
}

TEST_F(RestoredReviews, ANoSinceTheBackupEndsAGrantOfBefore) {
  const Held held = Now().Lease("a", "rec");
  const Held other = Now().Lease("b", "rec");
  life->Backup();
  ASSERT_TRUE(life->world().OptOut("a", Account(), Everything()).ok());
  LoseAndRestore();
  EXPECT_EQ(Opens(held), "GRANT_ENDED SUBJECT_CHANGED");
  EXPECT_EQ(Opens(other), "NONE");
}

TEST_F(RestoredReviews, WhatWasHeardSinceTheBackupIsKnown) {
  const Held before = Now().Lease("a", "rec", "r1");
  life->Backup();
  ASSERT_TRUE(Now().Open(before).ok());
  ASSERT_TRUE(Now().Submit(before).ok());
  ASSERT_TRUE(Now().Open(Now().Lease("a", "other", "r2")).ok());
  LoseAndRestore();
  EXPECT_EQ(Opens(before), "GRANT_ENDED SUBMITTED");
  const auto heard = life->world().list_reviews().Heard(life->world().Handle("a"));
  ASSERT_TRUE(heard.ok());
  EXPECT_EQ(heard->heard.size(), 2U);
  EXPECT_EQ(Reviewing::Said(Now().TryLease("a", "third", "r2")), "HEARD_RECENTLY");
}

// Whoever was told that the draft is purged is right after a restore, too, and it is handed out at once: it follows
// from no setting that would have to be confirmed.
TEST_F(RestoredReviews, ADraftThatCameTooLateSinceTheBackupIsPurged) {
  service::SystemRow system = System("annotations");
  system.kind = service::kAnnotationsKind;
  for (const bool with_secret : {true, false}) {
    Begin();
    life->deleting().Register(system);
    const Held held = Now().Lease("a", "rec");
    ASSERT_TRUE(life->world().OptOut("a", Account(), Only(domain::Purpose::kHumanReview)).ok());
    life->Backup();
    ASSERT_TRUE(life->world().OptIn("a", Account(), Control("train")).ok());
    EXPECT_EQ(Reviewing::Why(Now().Submit(held)), "GRANT_ENDED SUBJECT_CHANGED");
    life->Lose();
    (void)life->Restore(with_secret);
    ASSERT_TRUE(life->world().Facts("a").restored_at.IsSet());
    const auto drafts = [&] {
      std::vector<service::LeasedTask> tasks = life->deleting().Lease("annotations");
      std::erase_if(tasks, [](const auto& task) { return task.request.cause != domain::DeletionCause::kLateDraft; });
      return tasks;
    };
    if (!with_secret) {
      EXPECT_TRUE(drafts().empty()) << "nobody knows what to tell";
      // A change of settings names the account, and not the draft: it must not take its place.
      ASSERT_TRUE(life->world().OptOut("a", Account(), Everything()).ok());
      EXPECT_TRUE(drafts().empty());
    }
    EXPECT_EQ(Reviewing::Why(Now().Submit(held)), "GRANT_ENDED SUBJECT_CHANGED");
    const std::vector<service::LeasedTask> tasks = drafts();
    ASSERT_EQ(tasks.size(), 1U) << with_secret;
    v1::DeletionSelector selector;
    ASSERT_TRUE(selector.ParseFromString(tasks[0].payload.selector));
    EXPECT_EQ(selector.draft().recording_id(), "rec");
    EXPECT_EQ(selector.draft().digest()[0], 1);
    EXPECT_EQ(tasks[0].payload.account_id, "a");
    EXPECT_TRUE(life->deleting().End("annotations", tasks[0]).ok());
    EXPECT_TRUE(drafts().empty());
  }
}

// Else a lost disk would give a reviewer another shift.
TEST_F(RestoredReviews, WhatWasGrantedSinceTheBackupCountsForTheCaps) {
  PolicyBuilder policy("one-a-shift");
  policy.Caps().set_per_reviewer_shift(1);
  ASSERT_TRUE(life->world().Activate(policy).ok());
  life->Backup();
  (void)Now().Lease("a", "rec", "r1");
  LoseAndRestore();
  const std::string again = Reviewing::Said(Now().TryLease("b", "rec", "r1"));
  EXPECT_NE(again.find("CAP_SPENT"), std::string::npos) << again;
  EXPECT_EQ(Reviewing::Said(Now().TryLease("b", "rec", "r2")), "GRANT");
}

TEST_F(RestoredReviews, WhoLooksAfterAPersonIsKnown) {
  for (const char* const recording : {"taken", "handled", "open"}) {
    ASSERT_TRUE(life->world().Report("a", recording, domain::Flags::kSafety).ok());
    life->world().Wait(base::Seconds(60));
  }
  life->Backup();
  ASSERT_EQ(Unacknowledged(), 3U);
  EXPECT_TRUE(Step(service::ChangeKind::kSafetyFlagAcknowledged, "a", "taken").ok());
  life->world().Wait(base::Seconds(60));
  EXPECT_TRUE(Step(service::ChangeKind::kSafetyFlagHandled, "a", "handled").ok());
  ASSERT_TRUE(life->world().Report("b", "since", domain::Flags::kSafety).ok());
  LoseAndRestore();
  EXPECT_EQ(life->world().core().safety_flags.open(), 3U) << "taken, open and since";
  EXPECT_EQ(Unacknowledged(), 2U) << "open and since";
  for (const char* const recording : {"taken", "handled", "open"}) {
    EXPECT_EQ(Reviewing::Said(Now().TryLease("a", recording)).substr(0, 12), "NOT_ELIGIBLE") << recording;
  }
}

}  // namespace
}  // namespace consent::test
