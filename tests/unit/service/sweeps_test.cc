// What data systems promise about what has expired, and the sweeps that they report.
#include "daemon/service/registry/sweeps.h"

#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using service::RetentionState;
using service::Sweep;
using service::SweepRow;
using service::SystemRetention;
using service::SystemRetentionKind;

const service::Caller kCaller{"purger-1"};
constexpr base::Span kBit = base::Microseconds(1);

SystemRetention Attested(base::Instant until) { return {SystemRetentionKind::kAttested, "dpo@example", until, 0}; }
SystemRetention Swept(int days) { return {SystemRetentionKind::kSwept, "", {}, days}; }

Sweep From(base::Instant started, base::Instant ended, uint64_t failed = 0, uint64_t unanswered = 0) {
  Sweep sweep;
  sweep.started_at = started;
  sweep.ended_at = ended;
  sweep.counts = {7 + failed, 4, 1, 2, 0, failed, unanswered};
  return sweep;
}

class SweepsTest : public ::testing::Test {
 protected:
  absl::StatusOr<service::SystemRow> Register(const std::string& name, const SystemRetention& retention = {}) {
    return world_.systems().Register(System(name), retention);
  }
  service::RetentionView Of(const std::string& name) { return world_.sweeps().Of(*world_.systems().Find(name)); }
  RetentionState StateOf(const std::string& name) { return Of(name).state; }
  void Report(const std::string& name, const Sweep& sweep) {
    const auto reported = world_.sweeps().Report(name, sweep, kCaller);
    EXPECT_TRUE(reported.ok()) << reported.status();
  }

  World world_;
};

TEST_F(SweepsTest, OneThatPromisesNothingIsMissing) {
  ASSERT_TRUE(Register("audio").ok());
  EXPECT_EQ(StateOf("audio"), RetentionState::kMissing);
  EXPECT_FALSE(Of("audio").due.IsSet());
}

TEST_F(SweepsTest, AnAttestationHoldsUntilItsVeryEnd) {
  const base::Instant until = world_.Now() + base::Days(365);
  ASSERT_TRUE(Register("audio", Attested(until)).ok());
  EXPECT_EQ(StateOf("audio"), RetentionState::kKept);
  EXPECT_EQ(Of("audio").due, until);
  world_.clock.Set(until - kBit);
  EXPECT_EQ(StateOf("audio"), RetentionState::kKept);
  world_.clock.Set(until);
  EXPECT_EQ(StateOf("audio"), RetentionState::kAttestationExpired);
  world_.Restart();
  EXPECT_EQ(StateOf("audio"), RetentionState::kAttestationExpired) << "no job has to run for it";
  ASSERT_TRUE(world_.sweeps().SetRetention("audio", Attested(world_.Now() + base::Days(100)), kCaller).ok());
  EXPECT_EQ(StateOf("audio"), RetentionState::kKept);
}

TEST_F(SweepsTest, SweepsAreOverdueOnceTheDaysHavePassedWithoutAWholeOne) {
  ASSERT_TRUE(Register("audio", Swept(7)).ok());
  const base::Instant promised = Of("audio").row.swept_since;
  EXPECT_EQ(Of("audio").due, promised + base::Days(7));
  world_.clock.Set(promised + base::Days(7) - kBit);
  EXPECT_EQ(StateOf("audio"), RetentionState::kKept);
  world_.clock.Set(promised + base::Days(7));
  EXPECT_EQ(StateOf("audio"), RetentionState::kSweepOverdue);

  // One that left something does not count.
  const base::Instant began = world_.Now() - base::Hours(2);
  Report("audio", From(began, world_.Now(), 1));
  EXPECT_EQ(StateOf("audio"), RetentionState::kSweepOverdue);
  EXPECT_FALSE(Of("audio").row.last.IsWhole());
  Report("audio", From(began + kBit, world_.Now(), 0, 1));
  EXPECT_EQ(StateOf("audio"), RetentionState::kSweepOverdue) << "nor one with a line that has no answer";
  Report("audio", From(began, world_.Now()));
  EXPECT_EQ(StateOf("audio"), RetentionState::kKept);
  EXPECT_EQ(Of("audio").due, began + base::Days(7)) << "what arrived since it began was not asked about";
  EXPECT_EQ(Of("audio").row.last.started_at, began + kBit) << "the one that began last is shown";
}

TEST_F(SweepsTest, SayingItAnewPutsNothingOff) {
  ASSERT_TRUE(Register("audio", Swept(30)).ok());
  const base::Instant promised = Of("audio").row.swept_since;
  world_.Wait(base::Days(29));
  ASSERT_TRUE(world_.sweeps().SetRetention("audio", Swept(30), kCaller).ok());
  EXPECT_EQ(Of("audio").due, promised + base::Days(30));
  ASSERT_TRUE(world_.sweeps().SetRetention("audio", Swept(7), kCaller).ok());
  EXPECT_EQ(StateOf("audio"), RetentionState::kSweepOverdue) << "counted from the same moment";
  // After an attestation a new promise counts from itself.
  ASSERT_TRUE(world_.sweeps().SetRetention("audio", Attested(world_.Now() + base::Days(1)), kCaller).ok());
  ASSERT_TRUE(world_.sweeps().SetRetention("audio", Swept(7), kCaller).ok());
  EXPECT_EQ(StateOf("audio"), RetentionState::kKept);
}

TEST_F(SweepsTest, AFastClocksReportPutsNothingOff) {
  ASSERT_TRUE(Register("audio", Swept(7)).ok());
  world_.Wait(base::Days(1));
  const base::Instant now = world_.Now();
  Report("audio", From(now + base::Days(3) - base::Hours(2), now + base::Days(3)));
  const SweepRow row = Of("audio").row;
  EXPECT_EQ(row.last.ended_at, row.last.reported_at);
  EXPECT_EQ(row.last.started_at, row.last.reported_at - base::Hours(2));
  EXPECT_EQ(Of("audio").due, row.last.started_at + base::Days(7));
}

TEST_F(SweepsTest, AReportIsTakenOnceHoweverOftenItIsSaid) {
  ASSERT_TRUE(Register("audio", Swept(7)).ok());
  const base::Instant began = world_.Now() - base::Hours(1);
  Report("audio", From(began, began + base::Seconds(10)));
  const SweepRow before = Of("audio").row;
  Report("audio", From(began, began + base::Seconds(10)));
  EXPECT_EQ(Of("audio").row.last.started_at, before.last.started_at);
  EXPECT_EQ(Of("audio").row.last_whole_at, before.last_whole_at);
  // An older one that was long on its way does not hide it.
  Report("audio", From(began - base::Days(1), began, 5));
  EXPECT_EQ(Of("audio").row.last.counts, before.last.counts);
}

TEST_F(SweepsTest, RegisteringAgainChangesNothing) {
  ASSERT_TRUE(Register("audio", Swept(7)).ok());
  const base::Instant due = Of("audio").due;
  world_.Wait(base::Hours(1));
  EXPECT_TRUE(Register("audio", Swept(7)).ok());
  EXPECT_TRUE(Register("audio").ok());
  EXPECT_EQ(Of("audio").due, due);
  EXPECT_EQ(ReasonOf(Register("audio", Swept(8))), "SYSTEM_EXISTS");
  EXPECT_EQ(ReasonOf(Register("audio", Attested(world_.Now() + base::Days(1)))), "SYSTEM_EXISTS");
  EXPECT_EQ(Of("audio").row.retention, Swept(7));
}

TEST_F(SweepsTest, OfAnUnknownOrRetiredSystemNothingIsTaken) {
  EXPECT_EQ(ReasonOf(world_.sweeps().Report("audio", From(world_.Now(), world_.Now()), kCaller)), "SYSTEM_NOT_FOUND");
  ASSERT_TRUE(Register("audio", Swept(1)).ok());
  ASSERT_TRUE(world_.systems().Retire("audio", "replaced").ok());
  EXPECT_EQ(ReasonOf(world_.sweeps().Report("audio", From(world_.Now(), world_.Now()), kCaller)), "SYSTEM_NOT_FOUND");
  EXPECT_EQ(ReasonOf(world_.sweeps().SetRetention("audio", Swept(2), kCaller)), "SYSTEM_NOT_FOUND");
  world_.Wait(base::Days(30));
  EXPECT_EQ(StateOf("audio"), RetentionState::kRetired) << "nothing is overdue of it";
}

TEST_F(SweepsTest, InDoubtOfTheTimeNothingIsTaken) {
  ASSERT_TRUE(Register("audio", Swept(7)).ok());
  const std::string before = EncodeSweepRow(Of("audio").row);
  world_.clock.StepWall(base::Days(400));
  EXPECT_EQ(ReasonOf(world_.sweeps().Report("audio", From(world_.Now(), world_.Now()), kCaller)), "CLOCK_DOUBTFUL")
      << "nothing is PURGE by its time meanwhile, so the sweep found nothing";
  EXPECT_EQ(ReasonOf(world_.sweeps().SetRetention("audio", Swept(8), kCaller)), "CLOCK_DOUBTFUL");
  world_.clock.StepWall(base::Span{-base::Days(400).micros});
  EXPECT_EQ(EncodeSweepRow(Of("audio").row), before);
  Report("audio", From(world_.Now(), world_.Now()));
}

TEST_F(SweepsTest, AllOfItIsThereAfterARestart) {
  ASSERT_TRUE(Register("audio", Swept(7)).ok());
  ASSERT_TRUE(Register("vendor", Attested(world_.Now() + base::Days(9))).ok());
  Report("audio", From(world_.Now() - base::Hours(1), world_.Now(), 3, 4));
  const std::string audio = EncodeSweepRow(Of("audio").row);
  const std::string vendor = EncodeSweepRow(Of("vendor").row);
  world_.Restart();
  EXPECT_EQ(EncodeSweepRow(Of("audio").row), audio);
  EXPECT_EQ(EncodeSweepRow(Of("vendor").row), vendor);
}

TEST(SweepRow, IsReadAsItWasWritten) {
  const base::Instant time{1'700'000'000'123'456};
  SweepRow row;
  for (const SystemRetention& retention : {SystemRetention{}, Attested(time), Swept(90)}) {
    for (const bool has_sweep : {false, true}) {
      row.retention = retention;
      row.retention_set_at = row.swept_since = time;
      row.last = has_sweep ? From(time, time + base::Seconds(5), 2, 1) : Sweep{};
      row.last.reported_at = has_sweep ? time + base::Seconds(6) : base::Instant{};
      const std::string bytes = EncodeSweepRow(row);
      SweepRow read;
      ASSERT_TRUE(DecodeSweepRow(bytes, &read));
      EXPECT_EQ(EncodeSweepRow(read), bytes);
      EXPECT_EQ(read.last, row.last);
      EXPECT_EQ(read.retention, row.retention);
      for (size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(DecodeSweepRow(bytes.substr(0, cut), &read)) << cut;
      EXPECT_FALSE(DecodeSweepRow(bytes + '\0', &read));
    }
  }
  SweepRow unused;
  row.retention = Swept(91);
  EXPECT_FALSE(DecodeSweepRow(EncodeSweepRow(row), &unused));
  row.retention = Attested(time);
  row.retention.attested_by = std::string(129, 'x');
  EXPECT_FALSE(DecodeSweepRow(EncodeSweepRow(row), &unused));
}

}  // namespace
}  // namespace consent::test
