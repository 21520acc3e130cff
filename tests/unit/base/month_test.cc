// Months are the calendar's, and a key's name has one text.
#include "daemon/base/month.h"

#include <gtest/gtest.h>

namespace consent::base {
namespace {

TEST(Month, IsTheCalendarsInUtc) {
  Instant last{};
  ASSERT_TRUE(ParseRfc3339("2026-11-30T23:59:59.999999Z", &last));
  EXPECT_EQ(Month::Of(last).ToText(), "2026-11");
  EXPECT_EQ(Month::Of(last + Span{1}).ToText(), "2026-12");
  EXPECT_EQ(Month::Parse("2026-12"), Month::Of(last + Span{1}));
  EXPECT_LT(Month::Of(last), Month::Of(last + Span{1}));
  for (const char* text :
       {"", "2026-1", "2026-00", "2026-13", "1969-12", "2026/12", "2026-12 ", "-026-12", "2026-+1"}) {
    EXPECT_FALSE(Month::Parse(text).has_value()) << text;
  }
}

TEST(Month, IsCountedOverYears) {
  const Month november = *Month::Parse("2026-11");
  EXPECT_EQ(november.Plus(0), november);
  EXPECT_EQ(november.Plus(1).ToText(), "2026-12");
  EXPECT_EQ(november.Plus(2).ToText(), "2027-01");
  EXPECT_EQ(november.Plus(-11).ToText(), "2025-12");
  EXPECT_EQ(november.Plus(-24).ToText(), "2024-11");
  EXPECT_EQ(Month().Plus(-24).ToText(), "1970-01") << "there is none before";
  EXPECT_EQ(Month::Of(kLastInstant).Plus(1).ToText(), "9999-12") << "nor after";
}

TEST(MonthKeyName, HasOneText) {
  const MonthKeyName name{*Month::Parse("2026-11"), 0x5e0c91d2};
  EXPECT_EQ(name.ToText(), "2026-11.5e0c91d2");
  EXPECT_EQ(name.ToText().size(), MonthKeyName::kBytes);
  EXPECT_EQ(MonthKeyName::Parse("2026-11.5e0c91d2"), name);
  EXPECT_EQ((MonthKeyName{*Month::Parse("2026-11"), 7}.ToText()), "2026-11.00000007");
  for (const char* text : {"", "2026-11", "2026-11.", "2026-11.5e0c91d", "2026-11.5e0c91d20", "2026-11-5e0c91d2",
                           "2026-13.5e0c91d2", "2026-11.5E0C91D2", "2026-11.5e0c91dg", "2026-1.05e0c91d2"}) {
    EXPECT_FALSE(MonthKeyName::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace consent::base
