// What ends every grant there is, with a thousand of them live over all partitions: nobody counts them, and none is
// left.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/service/policy_builder.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

constexpr int kGrants = 1'000;
constexpr uint16_t kPartitions = 1'024;

struct Ending {
  std::string name;
  std::function<absl::Status(World&, Reviewing&)> act;
  std::string cause;
};

std::vector<Ending> Endings() {
  return {
      {"revocation of all", [](World&, Reviewing& reviewing) { return reviewing.Revoke(domain::RevocationKind::kAll); },
       "REVOKED"},
      {"revocation of the site",
       [](World&, Reviewing& reviewing) { return reviewing.Revoke(domain::RevocationKind::kSite, Employee().site); },
       "REVOKED"},
      {"suspension",
       [](World& world, Reviewing&) {
         return world.admin().Suspend(domain::Purpose::kHumanReview, domain::Region(), "why").status();
       },
       "SUSPENSIONS_CHANGED"},
      {"another policy",
       [](World& world, Reviewing&) {
         PolicyBuilder policy("v2");
         policy.Regime("eea").set_child_inactive_months(1);
         return world.Activate(policy);
       },
       "POLICY_CHANGED"},
  };
}

TEST(ReviewManyTest, WhatEndsAllLeavesNoneOfAThousand) {
  for (const Ending& ending : Endings()) {
    SCOPED_TRACE(ending.name);
    World world({.partitions = kPartitions});
    Reviewing reviewing(world);
    reviewing.CapturedAt(world.Now() + base::Seconds(30));
    std::vector<std::string> accounts;
    for (int i = 0; i < kGrants; ++i) {
      accounts.push_back("account" + std::to_string(i));
      ASSERT_TRUE(world.Register(accounts.back(), "DE").ok());
      ASSERT_TRUE(world.OptIn(accounts.back(), Account(), Control("help_improve"), Under("past")).ok());
    }
    world.Wait(base::Seconds(60));
    std::vector<Held> held;
    std::vector<std::string> tokens;
    for (const std::string& account : accounts) {
      held.push_back(reviewing.Lease(account, "rec"));
      const auto opened = reviewing.Open(held.back());
      ASSERT_TRUE(opened.ok()) << opened.status();
      tokens.push_back(opened->token);
    }
    ASSERT_TRUE(ending.act(world, reviewing).ok());
    const std::string ended = "GRANT_ENDED " + ending.cause;
    for (size_t i = 0; i < held.size(); ++i) {
      ASSERT_EQ(Reviewing::Why(reviewing.Redeem(tokens[i])), ended);
      ASSERT_EQ(Reviewing::Why(reviewing.Open(held[i])), ended);
      ASSERT_EQ(Reviewing::Why(reviewing.Submit(held[i])), ended);
    }
  }
}

}  // namespace
}  // namespace consent::test
