// The keeper of leases against a daemon that hangs: a command is told in time, however long a call takes.
#include "client/cli/engines/lease_keeper.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Gives no answer before a call's deadline is over, and then none.
class HangingClient final : public testing::FakeClient {
 public:
  absl::StatusOr<std::vector<TaskRenewal>> RenewTasks(const std::string&, const std::vector<TaskLease>&, seconds,
                                                      const CallOptions& options) override {
    ++calls;
    EXPECT_GT(options.deadline->count(), 0) << "none would mean the client's own";
    std::this_thread::sleep_for(*options.deadline);
    return absl::DeadlineExceededError("hangs");
  }
  std::atomic<int> calls{0};
};

TEST(LeaseKeeperTest, ADaemonThatHangsDelaysNoCommandsEnd) {
  HangingClient client;
  const std::shared_ptr<Clock> clock = Clock::System();
  // From half of a lease to all of it.
  for (const milliseconds held : {milliseconds(1000), milliseconds(1300), milliseconds(2000)}) {
    const LeaseKeeper::Settings settings{"audio", seconds(2), milliseconds(500), milliseconds(400)};
    LeaseKeeper keeper(settings, client, *clock, [](const absl::Status&) { FAIL() << "no answer is no refusal"; });
    const nanoseconds until = clock->SinceBoot() + held;
    const auto kept = keeper.Keep({TaskId("t"), 1}, until);
    pollfd wait{kept->ended(), POLLIN, 0};
    ASSERT_EQ(::poll(&wait, 1, 30'000), 1);
    const nanoseconds left = until - clock->SinceBoot();
    EXPECT_GE(left, settings.margin) << held.count() << " ms";
    EXPECT_LT(left, settings.margin + milliseconds(300)) << held.count() << " ms: not sooner than it must";
    EXPECT_EQ(kept->state(), LeaseState::kUnset);
  }
  EXPECT_GT(client.calls, 0);
}

}  // namespace
}  // namespace consent::cli
