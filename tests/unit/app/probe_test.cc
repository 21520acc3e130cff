// What counts as an answer to the daemon's own probe, with a store that refuses as it is told.
#include "daemon/app/probe.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <thread>

#include "daemon/app/descriptors.h"
#include "daemon/decisions/recorder.h"
#include "daemon/rpc/eligibility_rpc.h"
#include "tests/support/service/world.h"
#include "tests/support/store/faulty.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/rpc/no_read_log.h"
#include "tests/unit/rpc/note_taker.h"

namespace consent::app {
namespace {

using test::Fault;

constexpr char kAccount[] = "nobody-has-this";
constexpr std::chrono::seconds kPatience{20};

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    ServerOptions options;
    options.listeners = {{*ops::Address::Parse("unix:" + (folder_.path() / "run" / "s").string()), "", 0}};
    options.served = {{{&eligibility_}, nullptr}};
    options.connections = LimitsOf(*PlanDescriptors(1024));
    server_ = *Server::Listen(options, health_);
    probe_ = std::make_unique<Probe>(world_.core(), readers_, *server_, kAccount);
  }
  test::World::Options Options() {
    test::World::Options options;
    options.partitions = kPartitions;
    options.decorate = [this](store::Store& inner) {
      auto faulty = std::make_unique<test::FaultyStore>(inner, test::FaultyStore::Plan{});
      store_ = faulty.get();
      return faulty;
    };
    return options;
  }
  void FailCommits(Fault fault, int count) {
    for (int i = 0; i < count; ++i) store_->Inject(fault);
  }
  // A commit of somebody else's.
  void AnswerAGroup(store::Partition partition) {
    const uint64_t before = store_->GetReadVersion(partition)->group;
    store_->Commit(
        partition, {store::Precondition{store::Table::kPolicy, "none", "x"}},
        [](const store::Stamp&) { return store::Change{}; }, [](const store::CommitResult&) {});
    while (store_->GetReadVersion(partition)->group == before) std::this_thread::yield();
  }
  store::Sequence Commits() {
    store::Sequence sum = 0;
    for (uint16_t i = 0; i < kPartitions; ++i) sum += store_->GetHead(store::Partition{i}).stamp.sequence;
    return sum;
  }

  static constexpr int kPartitions = 3;
  test::TempFolder folder_;
  test::FaultyStore* store_ = nullptr;
  test::World world_{Options()};
  test::NoteTaker notes_;
  service::Pool readers_{1, 1};
  service::Pool restrictions_{1, 1};
  service::Pool grants_{1, 1};
  rpc::Admission admission_{world_.core().ready};
  const rpc::OnePeer everybody_{rpc::Peer{service::Caller{}, rpc::RoleSet::All()}};
  const test::NoReadLog no_read_log_{};
  decisions::HandleKeys handle_keys_;
  decisions::Recorder recorder_{handle_keys_, {}, world_.core().random, nullptr};
  rpc::EligibilityRpc eligibility_{world_.core(),
                                   world_.checks(),
                                   recorder_,
                                   {admission_, readers_, restrictions_, grants_, notes_, everybody_, no_read_log_},
                                   kAccount};
  ops::Health health_{{}};
  std::unique_ptr<Server> server_;
  std::unique_ptr<Probe> probe_;
};

TEST_F(ProbeTest, ALivingDaemonAnswersAndNothingIsWrittenOrCounted) {
  const store::Sequence before = Commits();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(probe_->Run(kPatience), ProbeStep::kNone);
  EXPECT_EQ(Commits(), before);
  EXPECT_TRUE(notes_.calls().empty());
  EXPECT_TRUE(notes_.decisions().empty());
  const ConnectionCounts counts = server_->Counts();
  EXPECT_LE(counts.open, 1U) << "the start's own alone";
  EXPECT_LE(std::accumulate(counts.closed.begin(), counts.closed.end(), uint64_t{0}), 1U);
  EXPECT_EQ(probe_->step(), ProbeStep::kNone);
}

TEST_F(ProbeTest, AFullQueueCountsOnlyWhileGroupsAreAnswered) {
  ASSERT_EQ(probe_->Run(kPatience), ProbeStep::kNone);
  FailCommits(Fault::kRetry, kPartitions);
  probe_->Run(kPatience);  // the group of the probe before may have been told only now
  FailCommits(Fault::kRetry, kPartitions);
  EXPECT_EQ(probe_->Run(kPatience), ProbeStep::kCommits) << "nothing moved since: full because it hangs";
  for (uint16_t number = 0; number < kPartitions; ++number) AnswerAGroup(store::Partition{number});
  FailCommits(Fault::kRetry, kPartitions);
  EXPECT_EQ(probe_->Run(kPatience), ProbeStep::kNone) << "full, and it moves";
  FailCommits(Fault::kRetry, 1);
  EXPECT_EQ(probe_->Run(kPatience), ProbeStep::kCommits) << "one partition hangs, the others do not";
}

TEST_F(ProbeTest, AStoreThatFailedIsNoAnswer) {
  FailCommits(Fault::kUnknownLost, 1);
  EXPECT_EQ(probe_->Run(kPatience), ProbeStep::kCommits);
}

TEST_F(ProbeTest, NotServingIsAnAnswerWhileTheDaemonSaysSo) {
  world_.core().ready = false;
  EXPECT_EQ(probe_->Run(kPatience), ProbeStep::kNone);
}

TEST_F(ProbeTest, AShutDownServerAnswersNothing) {
  server_->Shutdown(std::chrono::milliseconds(0));
  EXPECT_EQ(probe_->Run(kPatience), ProbeStep::kCheck);
}

}  // namespace
}  // namespace consent::app
