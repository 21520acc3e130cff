// The rule of names, as purge_service.proto and callers.proto state it.
#include "daemon/base/names.h"

#include <gtest/gtest.h>

namespace consent::base {
namespace {

TEST(NamesTest, OfDataSystems) {
  for (const std::string& good : {std::string("a"), std::string("0-_z"), std::string("other"), std::string(64, 'x')}) {
    EXPECT_EQ(WhyNoSystemName(good), "") << good;
  }
  for (const std::string& bad : {std::string(), std::string(65, 'x'), std::string("A"), std::string("a.b"),
                                 std::string("a b"), std::string("\xc3\xa4"), std::string("a\0", 2)}) {
    EXPECT_EQ(WhyNoSystemName(bad), "is not 1 to 64 bytes of [a-z0-9_-]") << bad;
  }
}

TEST(NamesTest, OfCallers) {
  for (const std::string& good : {std::string("a"), std::string("app.eu-1_b"), std::string(64, 'x')}) {
    EXPECT_EQ(WhyNoCallerName(good), "") << good;
  }
  for (const std::string& bad : {std::string(), std::string(65, 'x'), std::string("App"), std::string("1a"),
                                 std::string(".a"), std::string("a/b"), std::string("a\n")}) {
    EXPECT_EQ(WhyNoCallerName(bad), "is not 1 to 64 bytes of [a-z0-9._-] that begin with a letter") << bad;
  }
  for (const char* taken : {"local", "unknown", "other"}) EXPECT_EQ(WhyNoCallerName(taken), "is taken");
}

}  // namespace
}  // namespace consent::base
