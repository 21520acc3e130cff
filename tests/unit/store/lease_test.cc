#include "daemon/store/lease.h"

#include <gtest/gtest.h>

namespace consent::store {
namespace {

const base::BootId kBoot{1};
base::BootTime At(base::Span since) { return base::BootTime{kBoot, since}; }

TEST(Lease, ARebootEndsIt) {
  const auto granted = GrantLease(std::nullopt, "name", "one", At(base::Seconds(100)), base::Seconds(10));
  ASSERT_TRUE(granted.ok());
  EXPECT_TRUE(
      absl::IsUnavailable(GrantLease(*granted, "name", "two", At(base::Seconds(109)), base::Seconds(10)).status()));
  const auto other = GrantLease(*granted, "name", "two", base::BootTime{{2}, base::Seconds(1)}, base::Seconds(10));
  ASSERT_TRUE(other.ok());
  EXPECT_GT(other->lease.token, granted->lease.token);
}

TEST(Lease, AShorterRenewalDoesNotShortenIt) {
  const auto granted = GrantLease(std::nullopt, "name", "one", At(base::Seconds(100)), base::Seconds(10));
  ASSERT_TRUE(granted.ok());
  const auto renewed = GrantLease(*granted, "name", "one", At(base::Seconds(101)), base::Seconds(1));
  ASSERT_TRUE(renewed.ok());
  EXPECT_EQ(renewed->lease.token, granted->lease.token);
  EXPECT_EQ(renewed->lease.expires, granted->lease.expires);
}

TEST(Lease, TokensOnlyGrow) {
  std::optional<LeaseRow> row;
  base::Span now{1};
  uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto next = GrantLease(row, "name", i % 3 == 0 ? "one" : "two", At(now), base::Seconds(10));
    if (next.ok()) {
      EXPECT_GE(next->lease.token, last);
      if (row && next->holder != row->holder) {
        EXPECT_GT(next->lease.token, last);
      }
      last = next->lease.token;
      row = *next;
    }
    now.micros += base::Seconds(i % 14).micros;
  }
}

TEST(Lease, BytesRoundTripAndNothingElseIsRead) {
  const LeaseRow row{{7, At(base::Span{12345})}, "holder"};
  const std::string bytes = EncodeLease(row);
  const auto read = DecodeLease(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->lease.token, 7u);
  EXPECT_EQ(read->lease.expires, row.lease.expires);
  EXPECT_EQ(read->holder, "holder");
  for (size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(DecodeLease(bytes.substr(0, i)));
  EXPECT_FALSE(DecodeLease(bytes + "x"));
  EXPECT_FALSE(DecodeLease("\x01" + bytes.substr(1)));
}

}  // namespace
}  // namespace consent::store
