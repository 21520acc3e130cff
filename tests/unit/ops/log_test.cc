#include "daemon/ops/log.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace consent::ops {
namespace {

// What an id is made of is no field.
static_assert(!std::is_constructible_v<Field, Literal, std::string>);
static_assert(!std::is_constructible_v<Field, Literal, std::string_view>);
static_assert(!std::is_constructible_v<Field, Literal, const char*>);
static_assert(!std::is_convertible_v<std::string, OperatorText>);

TEST(LogTest, JsonKeepsTypes) {
  EXPECT_EQ(
      FormatJson(
          "ready",
          {{"subjects", 12}, {"share", 0.5}, {"complete", true}, {"store", "embedded"}, {"path", OperatorText("/d")}}),
      R"("event":"ready","subjects":12,"share":0.500000,"complete":true,"store":"embedded","path":"/d")");
}

TEST(LogTest, TextIsReadable) {
  EXPECT_EQ(FormatText("ready", {{"subjects", 12}, {"path", OperatorText("/d")}}), R"(ready subjects=12 path="/d")");
  EXPECT_EQ(FormatText("stopped", {}), "stopped");
}

TEST(LogTest, OneEventIsOneLineOfValidText) {
  const std::string nasty = std::string("a\n\"\\\t\x7f") + "\xff" + "\xc3\xa9" + "\xed\xa0\x80" + std::string(1, '\0');
  EXPECT_EQ(FormatJson("e", {{"k", OperatorText(nasty)}}),
            "\"event\":\"e\",\"k\":\"a\\u000a\\\"\\\\\\u0009\\u007f\\ufffd\xc3\xa9\\ufffd\\ufffd\\ufffd\\u0000\"");
}

TEST(LogTest, WritesToStandardErrorAboveItsLevel) {
  testing::internal::CaptureStderr();
  {
    Log log(LogFormat::kJson, LogLevel::kWarn);
    log.Debug("debug");
    log.Info("info");
    log.Warn("warn", {{"n", 1}});
    log.Error("error", {{"why", OperatorText(absl::UnavailableError("disk {} full"))}});
  }
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_EQ(out.find("\"event\":\"info\""), std::string::npos);
  EXPECT_NE(out.find("\"level\":\"warning\",\"event\":\"warn\",\"n\":1}\n"), std::string::npos) << out;
  EXPECT_NE(out.find("\"event\":\"error\",\"why\":\"disk {} full\"}\n"), std::string::npos) << out;
  EXPECT_EQ(out.rfind("{\"time\":\"2", 0), 0U) << out;
}

TEST(LogTest, AutoIsJsonOffATerminal) {
  testing::internal::CaptureStderr();
  { Log(LogFormat::kAuto, LogLevel::kInfo).Info("x"); }
  EXPECT_EQ(testing::internal::GetCapturedStderr().rfind("{\"time\"", 0), 0U);
}

}  // namespace
}  // namespace consent::ops
