#include "daemon/base/trace_id.h"

#include <gtest/gtest.h>

#include <string>

namespace consent::base {
namespace {

// The example of the recommendation, section 3.2.3.
constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceId, IsTheSecondFieldOfAValidHeader) {
  const auto trace = TraceId::FromTraceparent(kExample);
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->ToText(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_TRUE(TraceId::FromTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff").has_value());
}

TEST(TraceId, WhatIsMalformedIsNone) {
  const std::string good = kExample;
  const std::string zeros(32, '0');
  for (const std::string& bad :
       {std::string(), good.substr(0, 54), good + "0", good + "-00", " " + good.substr(0, 54),
        "00-" + zeros + "-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + zeros.substr(16) + "-01",
        "01" + good.substr(2), "ff" + good.substr(2), std::string(55, '0'), std::string(55, '-')}) {
    EXPECT_FALSE(TraceId::FromTraceparent(bad).has_value()) << bad;
  }
}

// Each byte in turn becomes one that may not stand there.
TEST(TraceId, EveryByteCounts) {
  for (size_t at = 0; at < sizeof kExample - 1; ++at) {
    for (const char wrong : {'A', 'F', 'g', ' ', '\n', '"', '\0', '\x7f', '\xc3', '_', '/', ':', '@', '`'}) {
      std::string text = kExample;
      text[at] = wrong;
      EXPECT_FALSE(TraceId::FromTraceparent(text).has_value()) << at << ' ' << int{wrong};
    }
  }
}

}  // namespace
}  // namespace consent::base
