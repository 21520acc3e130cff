// How open files are shared out: whatever the limit, peers cannot take what the store and the daemon need.
#include "daemon/app/descriptors.h"

#include "daemon/app/reads.h"
#include "gmock/gmock.h"

namespace consent::app {
namespace {

TEST(Descriptors, TooFewAreRefusedWithTheBoundAndWhatToDo) {
  const auto plan = PlanDescriptors(kLeastDescriptors - 1);
  ASSERT_EQ(plan.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(plan.status().message()),
      testing::AllOf(testing::HasSubstr("199"), testing::HasSubstr("at least 200"), testing::HasSubstr("LimitNOFILE")));
}

TEST(Descriptors, EveryPlanFitsItsLimit) {
  size_t before = 0;
  for (uint64_t limit = kLeastDescriptors; limit <= kMostDescriptors; limit += limit < 3000 ? 1 : 997) {
    const auto plan = PlanDescriptors(limit);
    ASSERT_TRUE(plan.ok()) << limit;
    constexpr uint64_t kOwn = 112;
    EXPECT_LE(kOwn + plan->store_files + plan->connections + plan->leaving, limit);
    EXPECT_GE(plan->store_files, 64);
    EXPECT_GE(plan->leaving, 1u);
    EXPECT_LE(plan->per_peer, plan->connections);
    EXPECT_GE(plan->connections, std::max<size_t>(before, 8)) << "no fewer than with a lower limit: " << limit;
    before = plan->connections;
  }
  EXPECT_EQ(before, 512u);
}

TEST(Descriptors, OftenMetLimits) {
  EXPECT_EQ(PlanDescriptors(256)->connections, 47u);
  EXPECT_EQ(PlanDescriptors(1024)->connections, 502u);
  EXPECT_EQ(PlanDescriptors(1024)->per_peer, 251u);
  EXPECT_EQ(PlanDescriptors(65'536)->connections, 512u);
}

TEST(Descriptors, LongestFrameIsAboveTheLongestMessage) {
  EXPECT_GT(LimitsOf(*PlanDescriptors(1024)).frames.frame_bytes, (4u << 20) + (256u << 10));
}

}  // namespace
}  // namespace consent::app
