// What ends the mark of a record that a restore brought back, and what does not.
#include <gtest/gtest.h>

#include "tests/unit/domain/small_world.h"

namespace consent::domain::restored_test {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;

class Restored : public testing::Test {
 protected:
  Restored() {
    world_.Register("US");
    world_.facts.restored_at = world_.next.time;
  }
  bool EndsBy(const Command& command) const { return !world_.Try(command).after.restored_at.IsSet(); }
  Command Confirmation() const {
    Command command = Loosening(world_);
    command.confirms_restored = true;
    return command;
  }
  // A no with the present etag and whatever evidence a loosening needs.
  Command OffWithEtag() const {
    Command off = Loosening(world_);
    off.choices = Off(Account(), PurposeOf(kReview)).choices;
    return off;
  }
  SmallWorld world_;
};

TEST_F(Restored, AYesByThePresentEtagOrAConfirmationEndsIt) {
  EXPECT_TRUE(EndsBy(On(world_, Account(), PurposeOf(kReview))));
  EXPECT_TRUE(EndsBy(Confirmation()));
  Command beside = OffWithEtag();
  beside.confirms_restored = true;
  EXPECT_TRUE(EndsBy(beside));
  const Transition done = world_.Do(Confirmation());
  ASSERT_EQ(done.changes.size(), 1U);
  EXPECT_EQ(done.changes[0].what, ChangedWhat::kRestoreConfirmed) << "it is on record";
  EXPECT_TRUE(done.parts.at(0).changed);
  Command again;
  again.confirms_restored = true;
  EXPECT_FALSE(world_.Try(again).parts.at(0).changed) << "nothing is left to confirm";
}

TEST_F(Restored, ANoKeepsItWhateverItCarries) {
  EXPECT_FALSE(EndsBy(OffWithEtag()));
  EXPECT_FALSE(EndsBy(Off(Account(), Target{})));
  EXPECT_FALSE(EndsBy(Keep(world_, Account(), Months(3))));
}

TEST_F(Restored, WhatWasSaidWithoutReadingKeepsIt) {
  for (const uint64_t wrong : {uint64_t{0}, world_.facts.revision - 1, world_.facts.revision + 1}) {
    Command late = Confirmation();
    late.expected_revision = wrong;
    EXPECT_FALSE(EndsBy(late));
    EXPECT_EQ(RefusalOf(world_.Try(late)), Refusal::kEtagMismatch);
  }
  Command blind = Confirmation();
  blind.expected_revision.reset();
  EXPECT_EQ(RefusalOf(world_.Try(blind)), Refusal::kEtagRequired);
  Command nobody = Confirmation();
  nobody.proof.actor = Actor::kMissing;
  EXPECT_EQ(RefusalOf(world_.Try(nobody)), Refusal::kEvidenceRequired);
  Command import = Import(world_);
  import.confirms_restored = true;
  EXPECT_EQ(RefusalOf(world_.Try(import)), Refusal::kImportCannotLoosen);
  Command imported = Import(world_);
  imported.choices = On(world_, Account(), PurposeOf(Purpose::kPersonalisation)).choices;
  EXPECT_TRUE(world_.Try(imported).AnyApplied());
  EXPECT_FALSE(EndsBy(imported)) << "who imports has read nothing";
  const Instant said = world_.next.time;
  world_.Do(Off(Account(), PurposeOf(kReview)));
  Command answer = On(world_, Account(), PurposeOf(kReview));
  answer.expected_revision.reset();
  answer.choices[0].answers = said;
  EXPECT_TRUE(world_.Try(answer).AnyApplied());
  EXPECT_FALSE(EndsBy(answer)) << "it names the no, and nobody read the rest";
}

TEST_F(Restored, WhatIsNoSettingOrDoesNotApplyKeepsIt) {
  Command on = On(world_, Account(), PurposeOf(kReview));
  on.proof.notice_version = "nobody wrote it";
  EXPECT_FALSE(EndsBy(on)) << "nothing of it applies";
  EXPECT_FALSE(EndsBy(WithProfile(Loosening(world_), 2, AnAdult()))) << "who lives there is no setting";
  Command region = Loosening(world_);
  region.region = In("GB");
  EXPECT_FALSE(EndsBy(region));
}

TEST_F(Restored, NothingEndsItWhileTheTimeOrThePolicyIsInDoubt) {
  world_.next.now.doubtful = true;
  EXPECT_EQ(RefusalOf(world_.Try(Confirmation())), Refusal::kClockDoubtful);
  world_.next.now.doubtful = false;
  world_.next.policy_changing = true;
  EXPECT_EQ(RefusalOf(world_.Try(Confirmation())), Refusal::kPolicyChanging);
  world_.next.policy_changing = false;
  EXPECT_TRUE(EndsBy(Confirmation()));
}

}  // namespace
}  // namespace consent::domain::restored_test
