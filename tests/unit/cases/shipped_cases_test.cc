// The cases that ship pass under the policies that ship.
#include <gtest/gtest.h>

#include "daemon/cases/play.h"
#include "tests/unit/cases/shipped.h"

namespace consent::cases {
namespace {

TEST(ShippedCases, PassUnderTheirPolicies) {
  for (const ShippedPolicy& shipped : ShippedPolicies()) {
    const v1::PolicyCases cases = CasesAt(CONSENT_DEPLOY_DIR, shipped.cases);
    EXPECT_EQ("examples/" + cases.policy() == shipped.policy || cases.policy() == shipped.policy, true)
        << shipped.cases << " names " << cases.policy();
    const auto results = PlayCases(cases, PolicyAt(CONSENT_DEPLOY_DIR, shipped.policy));
    ASSERT_TRUE(results.ok()) << results.status();
    EXPECT_EQ(results->size(), static_cast<size_t>(cases.cases_size()));
    for (const CaseResult& result : *results) {
      for (const CaseFailure& failure : result.failures) {
        ADD_FAILURE() << shipped.cases << ": " << result.name << ", step " << failure.step + 1 << "\n  expected "
                      << failure.expected << "\n  got      " << failure.got;
      }
    }
  }
}

}  // namespace
}  // namespace consent::cases
