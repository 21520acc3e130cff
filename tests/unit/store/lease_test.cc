#include "daemon/store/lease.h"

#include <gtest/gtest.h>

namespace consent::store {
namespace {

TEST(Lease, AClockThatGoesBackNeitherFreesNorShortensIt) {
  const base::Instant now{1'000'000'000};
  const auto granted = GrantLease(std::nullopt, "name", "one", now, base::Seconds(10));
  ASSERT_TRUE(granted.ok());
  const base::Instant earlier = now - base::Seconds(100);
  EXPECT_TRUE(absl::IsUnavailable(GrantLease(*granted, "name", "two", earlier, base::Seconds(10)).status()));
  const auto renewed = GrantLease(*granted, "name", "one", earlier, base::Seconds(10));
  ASSERT_TRUE(renewed.ok());
  EXPECT_EQ(renewed->lease.token, granted->lease.token);
  EXPECT_EQ(renewed->lease.expires, granted->lease.expires);
}

TEST(Lease, TokensOnlyGrow) {
  std::optional<LeaseRow> row;
  base::Instant now{1};
  uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto next = GrantLease(row, "name", i % 3 == 0 ? "one" : "two", now, base::Seconds(10));
    if (next.ok()) {
      EXPECT_GE(next->lease.token, last);
      if (row && next->holder != row->holder) {
        EXPECT_GT(next->lease.token, last);
      }
      last = next->lease.token;
      row = *next;
    }
    now = now + base::Seconds(i % 14);
  }
}

TEST(Lease, BytesRoundTripAndNothingElseIsRead) {
  const LeaseRow row{{7, base::Instant{12345}}, "holder"};
  const std::string bytes = EncodeLease(row);
  const auto read = DecodeLease(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->lease.token, 7u);
  EXPECT_EQ(read->lease.expires, row.lease.expires);
  EXPECT_EQ(read->holder, "holder");
  for (size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(DecodeLease(bytes.substr(0, i)));
  EXPECT_FALSE(DecodeLease(bytes + "x"));
  EXPECT_FALSE(DecodeLease("\x02" + bytes.substr(1)));
}

}  // namespace
}  // namespace consent::store
