// How work that fails again and again is paced.
#include "daemon/app/housekeeping.h"

#include "gtest/gtest.h"

namespace consent::app {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(FailurePace, RestsTwiceAsLongEachTimeUpToABound) {
  FailurePace pace;
  for (const int rest : {10, 20, 40, 80, 160, 320, 600, 600}) EXPECT_EQ(pace.Failed("full"), seconds(rest));
  pace.Succeeded();
  EXPECT_EQ(pace.Failed("full"), seconds(10));
}

TEST(FailurePace, AFailureIsNewsOnceAnHourOrWhenItChanges) {
  FailurePace pace;
  pace.Failed("full");
  EXPECT_TRUE(pace.is_news());
  std::chrono::milliseconds untold = seconds(10);
  while (untold < minutes(60)) {
    untold += pace.Failed("full");
    EXPECT_FALSE(pace.is_news()) << untold.count();
  }
  pace.Failed("full");
  EXPECT_TRUE(pace.is_news());
  pace.Failed("full");
  EXPECT_FALSE(pace.is_news());
  pace.Failed("closed");
  EXPECT_TRUE(pace.is_news());
  pace.Succeeded();
  pace.Failed("closed");
  EXPECT_TRUE(pace.is_news());
}

}  // namespace
}  // namespace consent::app
