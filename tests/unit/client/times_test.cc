// Times as people type them, against a table written from the page of `help times`.
#include "client/cli/times.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "daemon/base/time.h"

namespace consent::cli {
namespace {

Time At(const std::string& rfc3339) {
  base::Instant instant;
  EXPECT_TRUE(base::ParseRfc3339(rfc3339, &instant)) << rfc3339;
  return Time(std::chrono::microseconds(instant.micros));
}

std::string Read(const std::string& text, TimeForm form) {
  const std::optional<Time> time = ReadTime(text, form, At("2026-11-29T15:00:00.5Z"));
  return time.has_value() ? base::FormatRfc3339(base::Instant{time->time_since_epoch().count()}) : "-";
}

TEST(TimesTest, EachFormTakesWhatItsPageSays) {
  struct Row {
    const char* typed;
    std::array<const char*, 4> means;  // kExact, kMoment, kFirst, kLast
  };
  const char* const no = "-";
  const std::vector<Row> rows = {
      {"2024-05-01T12:00:00Z",
       {"2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z"}},
      {"2024-05-01T14:00:00.25+02:00",
       {"2024-05-01T12:00:00.250000Z", "2024-05-01T12:00:00.250000Z", "2024-05-01T12:00:00.250000Z",
        "2024-05-01T12:00:00.250000Z"}},
      {"now", {no, "2026-11-29T15:00:00.500000Z", "2026-11-29T15:00:00.500000Z", "2026-11-29T15:00:00.500000Z"}},
      {"-30d", {no, "2026-10-30T15:00:00.500000Z", "2026-10-30T15:00:00.500000Z", "2026-10-30T15:00:00.500000Z"}},
      {"now-30d", {no, "2026-10-30T15:00:00.500000Z", "2026-10-30T15:00:00.500000Z", "2026-10-30T15:00:00.500000Z"}},
      {"+15min", {no, "2026-11-29T15:15:00.500000Z", "2026-11-29T15:15:00.500000Z", "2026-11-29T15:15:00.500000Z"}},
      {"-90s", {no, "2026-11-29T14:58:30.500000Z", "2026-11-29T14:58:30.500000Z", "2026-11-29T14:58:30.500000Z"}},
      {"-12h", {no, "2026-11-29T03:00:00.500000Z", "2026-11-29T03:00:00.500000Z", "2026-11-29T03:00:00.500000Z"}},
      {"2024-05-01", {no, no, "2024-05-01T00:00:00Z", "2024-05-01T23:59:59.999999Z"}},
      {"2024-02", {no, no, "2024-02-01T00:00:00Z", "2024-02-29T23:59:59.999999Z"}},
      {"2026-12", {no, no, "2026-12-01T00:00:00Z", "2026-12-31T23:59:59.999999Z"}},
      {"1970-01-01", {no, no, "1970-01-01T00:00:00Z", "1970-01-01T23:59:59.999999Z"}},
      {"9999-12", {no, no, "9999-12-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"}}};
  constexpr TimeForm kForms[] = {TimeForm::kExact, TimeForm::kMoment, TimeForm::kFirst, TimeForm::kLast};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.means.size(); ++i) EXPECT_EQ(Read(row.typed, kForms[i]), row.means[i]) << row.typed << i;
  }
}

TEST(TimesTest, NothingElseIsATime) {
  for (const char* wrong : {"",
                            " now",
                            "now ",
                            "NOW",
                            "nowish",
                            "now-",
                            "now30d",
                            "-",
                            "-30",
                            "30d",
                            "-30m",
                            "-1.5d",
                            "--30d",
                            "-30d ",
                            "2024",
                            "2024-5",
                            "2024-05-1",
                            "2024-13",
                            "2024-02-30",
                            "2024-05-32",
                            " 2024-05-01",
                            "2024-05-01T12:00:00",
                            "1714564800",
                            "-100001d",
                            "1969-12-31",
                            "1969-12",
                            "yesterday",
                            "-99999999999d",
                            "10000-01-01T00:00:00Z"}) {
    for (const TimeForm form : {TimeForm::kExact, TimeForm::kMoment, TimeForm::kFirst, TimeForm::kLast}) {
      EXPECT_EQ(Read(wrong, form), "-") << wrong;
    }
  }
  // A span may not lead out of the years that there are.
  EXPECT_EQ(ReadTime("-1d", TimeForm::kMoment, At("1970-01-01T12:00:00Z")), std::nullopt);
  EXPECT_EQ(ReadTime("+1d", TimeForm::kMoment, At("9999-12-31T12:00:00Z")), std::nullopt);
}

TEST(TimesTest, ErrorsSayWhatIsPermitted) {
  for (const TimeForm form : {TimeForm::kExact, TimeForm::kMoment, TimeForm::kFirst, TimeForm::kLast}) {
    const std::string text = TimeForms(form);
    EXPECT_NE(text.find("RFC 3339"), std::string::npos);
    EXPECT_EQ(text.find("now") != std::string::npos, form != TimeForm::kExact);
    EXPECT_EQ(text.find("first instant") != std::string::npos, form == TimeForm::kFirst);
    EXPECT_EQ(text.find("last instant") != std::string::npos, form == TimeForm::kLast);
  }
}

}  // namespace
}  // namespace consent::cli
