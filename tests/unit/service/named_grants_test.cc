// Grants that somebody names by their ids: the latest of a recording, and former ones that were heard.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

using domain::GrantState;
using domain::ReviewOutcome;

class NamedGrantsTest : public testing::Test {
 protected:
  NamedGrantsTest() : reviewing_(world_) {
    Agree(world_, "a");
    reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  }
  std::vector<service::GrantShown> Named(const std::vector<base::GrantId>& ids) {
    const auto shown = world_.list_reviews().Named(ids);
    EXPECT_TRUE(shown.ok()) << shown.status();
    return shown.ok() ? *shown : std::vector<service::GrantShown>();
  }
  // Ends the test where it is not one.
  service::GrantShown Only(const Held& held) {
    const std::vector<service::GrantShown> shown = Named({held.name.id});
    EXPECT_EQ(shown.size(), 1U);
    return shown.size() == 1 ? shown[0] : service::GrantShown();
  }

  World world_;
  Reviewing reviewing_;
};

TEST_F(NamedGrantsTest, TheyComeInTheOrderInWhichTheyAreNamed) {
  const Held one = reviewing_.Lease("a", "rec1", "r1");
  const Held two = reviewing_.Lease("a", "rec2", "r2");
  ASSERT_TRUE(reviewing_.End(two, ReviewOutcome::kSkipped).ok());
  const base::GrantId nobodys = base::GrantId::Draw(world_.random, 0);
  const base::GrantId nowhere = base::GrantId::Draw(world_.random, 60'000);
  const auto shown = Named({two.name.id, nobodys, nowhere, one.name.id});
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].row.grant.id, two.name.id);
  EXPECT_EQ(shown[0].state, GrantState::kEnded);
  EXPECT_EQ(shown[1].row.grant.id, one.name.id);
  EXPECT_EQ(shown[1].state, GrantState::kLive);
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  EXPECT_EQ(Only(one).state, GrantState::kRestricted);
}

TEST_F(NamedGrantsTest, AFormerOneThatWasHeardIsShownWithoutWhoHeardIt) {
  const Held submitted = reviewing_.Lease("a", "rec", "r1");
  const auto opened = reviewing_.Open(submitted);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(reviewing_.Redeem(opened->token).ok());
  ASSERT_TRUE(reviewing_.Submit(submitted).ok());
  const service::GrantShown before = Only(submitted);
  const Held expired = reviewing_.Lease("a", "rec", "r2");
  ASSERT_TRUE(reviewing_.Open(expired).ok());
  world_.Wait(base::Seconds(31 * 60));
  const Held unheard = reviewing_.Lease("a", "rec", "r3");
  world_.Wait(base::Seconds(31 * 60));
  (void)reviewing_.Lease("a", "rec", "r4");

  const service::GrantShown former = Only(submitted);
  EXPECT_EQ(former.state, GrantState::kSubmitted);
  EXPECT_EQ(former.row.reviewer, "");
  EXPECT_EQ(former.row.place.site, "");
  EXPECT_EQ(former.row.grant.given_at, before.row.grant.given_at);
  EXPECT_EQ(former.row.grant.expires_at, before.row.grant.expires_at);
  EXPECT_EQ(former.row.grant.opens, 1U);
  EXPECT_EQ(former.row.grant.redeems, 1U);
  EXPECT_EQ(service::PseudonymOf(world_.core(), former.row.grant), submitted.pseudonym);
  EXPECT_EQ(Only(expired).state, GrantState::kExpired);
  EXPECT_EQ(Only(expired).row.grant.redeems, 0U);
  EXPECT_TRUE(Named({unheard.name.id}).empty()) << "it was never opened";
}

}  // namespace
}  // namespace consent::test
