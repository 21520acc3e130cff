// The rule of leases, their bytes, and a holder over a store whose answers get lost.
#include "daemon/store/lease.h"

#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/store/lease_holder.h"
#include "tests/support/store/clock.h"
#include "tests/support/store/faulty.h"
#include "tests/support/store/lease_play.h"
#include "tests/support/store/memory.h"

namespace consent::store {
namespace {

using test::Fault;
using test::FaultyStore;

constexpr base::Span kLength = base::Seconds(10);

TEST(LeaseRows, BytesRoundTripAndNothingElseIsRead) {
  const std::string grant = EncodeLeaseGrant({300, "holder"});
  const std::string renewal = EncodeLeaseRenewal({300, 5});
  EXPECT_EQ(base::Hex(grant), "01ac0206686f6c646572");
  EXPECT_EQ(base::Hex(renewal), "01ac0205");
  EXPECT_EQ(DecodeLeaseGrant(grant), (LeaseGrant{300, "holder"}));
  EXPECT_EQ(DecodeLeaseRenewal(renewal), (LeaseRenewal{300, 5}));
  EXPECT_EQ(DecodeLeaseGrant(EncodeLeaseGrant({1, ""})), (LeaseGrant{1, ""}));
  for (size_t i = 0; i < grant.size(); ++i) EXPECT_FALSE(DecodeLeaseGrant(grant.substr(0, i)));
  for (size_t i = 0; i < renewal.size(); ++i) EXPECT_FALSE(DecodeLeaseRenewal(renewal.substr(0, i)));
  EXPECT_FALSE(DecodeLeaseGrant(grant + "x"));
  EXPECT_FALSE(DecodeLeaseRenewal(renewal + "x"));
  EXPECT_FALSE(DecodeLeaseGrant("\x02" + grant.substr(1)));
  EXPECT_FALSE(DecodeLeaseRenewal("\x02" + renewal.substr(1)));
  EXPECT_FALSE(DecodeLeaseGrant(EncodeLeaseGrant({0, "holder"}))) << "tokens begin at 1";
}

TEST(LeaseRule, TokensGrowWithEachGrantAndWithNothingElse) {
  LeaseRows rows;
  LeaseGrant grant;
  for (uint64_t token = 1; token <= 3; ++token) {
    const auto taken = TakeLease("name", token % 2 == 0 ? "two" : "one", rows, &grant);
    ASSERT_TRUE(taken.ok()) << taken.status();
    EXPECT_EQ(grant.token, token);
    ASSERT_EQ(taken->preconditions.size(), 2u);
    EXPECT_EQ(taken->preconditions[0].expected, rows.grant);
    EXPECT_EQ(taken->preconditions[1].expected, rows.renewal) << "a renewal in between must win";
    rows = {taken->writes[0].value, taken->writes[1].value};
    EXPECT_FALSE(IsLeaseFree(rows));
    const LeaseChange renewed = RenewLease("name", grant, 1);
    ASSERT_EQ(renewed.writes.size(), 1u);
    EXPECT_EQ(renewed.writes[0].table, Table::kLeaseRenewal);
    EXPECT_EQ(renewed.preconditions[0].expected, rows.grant);
    rows.renewal = renewed.writes[0].value;
    const LeaseChange given_back = GiveBackLease("name", grant);
    EXPECT_EQ(given_back.preconditions[0].expected, rows.grant);
    rows.grant = given_back.writes[0].value;
    EXPECT_TRUE(IsLeaseFree(rows));
  }
}

TEST(LeaseWatch, CountsFromTheEndOfOneReadingToTheBeginningOfAnother) {
  LeaseWatch watch(base::Seconds(10));
  const LeaseRows rows{EncodeLeaseGrant({1, "one"}), EncodeLeaseRenewal({1, 0})};
  EXPECT_FALSE(watch.Note(rows, base::Seconds(100), base::Seconds(103)));
  EXPECT_FALSE(watch.Note(rows, base::Seconds(112), base::Seconds(120))) << "it may have been written at 102";
  EXPECT_TRUE(watch.Note(rows, base::Seconds(113), base::Seconds(120)));
  const LeaseRows renewed{rows.grant, EncodeLeaseRenewal({1, 1})};
  EXPECT_FALSE(watch.Note(renewed, base::Seconds(121), base::Seconds(121)));
  EXPECT_FALSE(watch.Note(renewed, base::Seconds(130), base::Seconds(140)));
  EXPECT_TRUE(watch.Note(renewed, base::Seconds(131), base::Seconds(140)));
  EXPECT_TRUE(watch.Note({}, base::Seconds(132), base::Seconds(140))) << "never granted";
  EXPECT_TRUE(watch.Note({EncodeLeaseGrant({1, ""}), rows.renewal}, base::Seconds(141), base::Seconds(141)));
  EXPECT_FALSE(watch.Note({"damaged", rows.renewal}, base::Seconds(150), base::Seconds(150)));
}

class LeaseHolderTest : public ::testing::Test {
 protected:
  LeaseHolder Make(const std::string& holder) { return {faulty_, clock_, {Partition{}, "name", holder, kLength, {}}}; }
  std::optional<LeaseRenewal> Renewal() {
    return DecodeLeaseRenewal(inner_.Get(Partition{}, Table::kLeaseRenewal, "name").value_or(""));
  }

  test::ManualClock clock_;
  MemoryStore inner_{{1, {}, &clock_, 4096}};
  FaultyStore faulty_{inner_, {}};
};

TEST_F(LeaseHolderTest, ALostAnswerIsFoundOutByReading) {
  LeaseHolder one = Make("one");
  for (const Fault fault : {Fault::kUnknownLost, Fault::kUnknownDone}) {
    faulty_.Inject(fault);
    EXPECT_TRUE(absl::IsUnavailable(one.Step().status()));
    EXPECT_TRUE(absl::IsUnavailable(one.Step().status())) << "the store failed";
    EXPECT_FALSE(one.Guard());
    faulty_.Reopen();
  }
  EXPECT_TRUE(*one.Step());
  EXPECT_EQ(one.Token(), 1u) << "granted by the commit whose answer was lost";
}

TEST_F(LeaseHolderTest, ARenewalIsNewForWhoWatchesWhateverBecameOfTheOneBefore) {
  LeaseHolder one = Make("one");
  ASSERT_TRUE(*one.Step());
  for (const Fault fault : {Fault::kUnknownLost, Fault::kUnknownDone, Fault::kRetry, Fault::kConflict}) {
    faulty_.Inject(fault);
    (void)one.Step();
    faulty_.Reopen();
    const auto before = Renewal();
    ASSERT_TRUE(*one.Step()) << static_cast<int>(fault);
    EXPECT_GT(Renewal()->count, before->count) << static_cast<int>(fault);
    EXPECT_EQ(one.Token(), 1u);
  }
}

TEST_F(LeaseHolderTest, WhoIsToldToTryAgainHasTheLeaseAsLongAsItHadIt) {
  LeaseHolder one = Make("one");
  ASSERT_TRUE(*one.Step());
  clock_.Advance(base::Span{kLength.micros - 1});
  faulty_.Inject(Fault::kRetry);
  EXPECT_TRUE(*one.Step());
  clock_.Advance(base::Span{1});
  faulty_.Inject(Fault::kRetry);
  EXPECT_FALSE(*one.Step());
}

TEST_F(LeaseHolderTest, WhatWasPerhapsNotGivenBackEndsByItself) {
  LeaseHolder one = Make("one");
  LeaseHolder two = Make("two");
  ASSERT_TRUE(*one.Step());
  faulty_.Inject(Fault::kUnknownLost);
  EXPECT_TRUE(absl::IsUnavailable(one.GiveBack()));
  faulty_.Reopen();
  EXPECT_FALSE(one.Guard());
  EXPECT_FALSE(*two.Step());
  clock_.Advance(kLength);
  EXPECT_TRUE(*two.Step());
}

TEST(LeasePlay, HoldsOverAStoreThatFails) {
  test::LeaseTally all;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    test::ManualClock clock;
    MemoryStore inner({1, {}, &clock, 4096});
    FaultyStore faulty(inner, {seed, 0.05, 0.1, 0.05, 0.05, {}});
    const test::LeaseTally tally =
        test::PlayLease(faulty, Partition{}, {seed, true, 300}, [&faulty] { faulty.Reopen(); });
    EXPECT_EQ(tally.overtaken, 0) << "seed " << seed;
    all.grants += tally.grants;
    all.accepted += tally.accepted;
  }
  EXPECT_GT(all.grants, 40);
  EXPECT_GT(all.accepted, 40);
}

}  // namespace
}  // namespace consent::store
