// Subjects as lines, and the calls that they become.
#include "client/cli/lines/import_lines.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

namespace consent {
namespace {

const char kWhole[] =
    R"({"account_id":"a1","region":"DE","profiles":[{"profile_id":"p1","age":"ADULT"},)"
    R"({"profile_id":"kid","born":"2015-06-01","guardian_id":"p1","last_active_at":"2024-01-01T00:00:00Z"}],)"
    R"("devices":["d1"],"choices":[)"
    R"({"control":"help_improve","turn":"ON","given_at":"2021-01-01T00:00:00Z","notice_version":"n1","notice_language":"de"},)"
    R"({"purpose":"ADVERTISING","turn":"OFF","given_at":"2020-01-01T00:00:00Z"},)"
    R"({"purpose":"MODEL_TRAINING","turn":"ON","given_at":"2021-01-01T00:00:00Z","notice_version":"n1","notice_language":"de"},)"
    R"({"scope":{"profile_id":"kid"},"control":"help_improve","turn":"ON","notice_version":"n2","notice_language":"de",)"
    R"("actor":"GUARDIAN","guardian_id":"p1"},)"
    R"({"scope":{"device_id":"d1"},"all":true,"turn":"OFF"}],)"
    R"("retention":[{"keep":"until-deleted"},{"scope":{"profile_id":"kid"},"keep":"3m"}]})";

ImportLine Whole() {
  auto line = ParseImportLine(kWhole);
  EXPECT_TRUE(line.ok()) << line.status();
  return *line;
}

TEST(ImportLinesTest, ReadsEverything) {
  const ImportLine line = Whole();
  EXPECT_EQ(line.account_id, AccountId("a1"));
  EXPECT_EQ(line.region, "DE");
  ASSERT_EQ(line.profiles.size(), 2u);
  EXPECT_EQ(line.profiles[0].age.kind, Age::Kind::kAdult);
  EXPECT_EQ(line.profiles[1].age.born, "2015-06-01");
  EXPECT_EQ(line.profiles[1].guardian, GuardianId("p1"));
  EXPECT_TRUE(line.profiles[1].last_active_at.has_value());
  EXPECT_EQ(line.devices, std::vector<DeviceId>{DeviceId("d1")});
  ASSERT_EQ(line.choices.size(), 5u);
  EXPECT_EQ(line.choices[0].evidence.channel, Channel::kImport);
  EXPECT_EQ(line.choices[0].evidence.actor, Actor::kSelf);
  EXPECT_TRUE(line.choices[0].evidence.given_at.has_value());
  EXPECT_FALSE(line.choices[1].evidence.given_at.has_value()) << "a refusal counts from now";
  EXPECT_EQ(line.choices[3].change.scope.profile, ProfileId("kid"));
  EXPECT_TRUE(line.choices[4].change.target.all);
  EXPECT_EQ(line.retention.size(), 2u);
}

TEST(ImportLinesTest, RestrictionsAndLooseningsAreApart) {
  const std::vector<ImportCall> first = RestrictionsOf(Whole(), kWhole);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(std::get<OptOutOrder>(first[0].order).targets[0].purpose, Purpose::kAdvertising);
  EXPECT_EQ(std::get<OptOutOrder>(first[1].order).scope.device, DeviceId("d1"));
  const auto& shorter = std::get<SettingsUpdate>(first[2].order);
  ASSERT_EQ(shorter.retention.size(), 1u);
  EXPECT_EQ(shorter.retention[0].retention.months, 3);
  EXPECT_TRUE(shorter.changes.empty());

  const std::vector<ImportCall> second = LooseningsOf(Whole(), kWhole);
  ASSERT_EQ(second.size(), 3u);
  const auto& subject = std::get<SubjectUpdate>(second[0].order);
  EXPECT_EQ(subject.profiles.size(), 2u);
  EXPECT_TRUE(subject.initial_choices.empty());
  ASSERT_EQ(subject.retention.size(), 1u);
  EXPECT_EQ(subject.evidence.channel, Channel::kImport);
  // One call for each evidence.
  EXPECT_EQ(std::get<SettingsUpdate>(second[1].order).changes.size(), 2u);
  EXPECT_EQ(second[1].part, "choices[0],choices[2]");
  const auto& guardian = std::get<SettingsUpdate>(second[2].order);
  EXPECT_EQ(guardian.changes.size(), 1u);
  EXPECT_EQ(guardian.evidence.guardian, GuardianId("p1"));
  for (const auto& call : second) {
    if (const auto* update = std::get_if<SettingsUpdate>(&call.order)) {
      for (const SettingChange& change : update->changes) EXPECT_EQ(change.turn, Switch::kOn);
    }
  }
}

std::set<std::string> RequestIds(const std::string& bytes) {
  const ImportLine line = *ParseImportLine(bytes);
  std::set<std::string> ids;
  for (const auto& list : {RestrictionsOf(line, bytes), LooseningsOf(line, bytes)}) {
    for (const ImportCall& call : list) {
      std::visit([&ids](const auto& order) { ids.insert(order.request_id.value()); }, call.order);
    }
  }
  return ids;
}

TEST(ImportLinesTest, RequestIdsAreTheLinesOwn) {
  const std::set<std::string> ids = RequestIds(kWhole);
  EXPECT_EQ(ids.size(), 6u) << "every call has one of its own";
  EXPECT_EQ(ids, RequestIds(kWhole)) << "the same line makes the same ones";
  for (const std::string& id : ids) EXPECT_EQ(id.size(), 36u);
  std::string moved = kWhole;
  moved.replace(moved.find("DE"), 2, "FR");
  for (const std::string& other : RequestIds(moved)) EXPECT_EQ(ids.count(other), 0u);
}

TEST(ImportLinesTest, ALineThatOnlyRestrictsRegistersNobody) {
  const std::string bytes = R"({"account_id":"a","choices":[{"all":true,"turn":"OFF"}],"retention":"do-not-save"})";
  const ImportLine line = *ParseImportLine(bytes);
  EXPECT_EQ(RestrictionsOf(line, bytes).size(), 2u);
  EXPECT_TRUE(LooseningsOf(line, bytes).empty());
}

TEST(ImportLinesTest, RefusesWhatIsWrongWithoutRepeatingIt) {
  const std::string start = R"({"account_id":"a",)";
  for (const std::string& rest : {
           std::string(R"("choises":[]})"),
           std::string(R"("region":"SECRET7"})"),
           std::string(R"("region":1})"),
           std::string(R"("profiles":{}})"),
           std::string(R"("profiles":["SECRET"]})"),
           std::string(R"("profiles":[{}]})"),
           std::string(R"("profiles":[{"profile_id":"SECRET","age":"TEEN"}]})"),
           std::string(R"("profiles":[{"profile_id":"SECRET","age":"ADULT","born":"2000"}]})"),
           std::string(R"("profiles":[{"profile_id":"SECRET","born":"2000-13-01"}]})"),
           std::string(R"("profiles":[{"profile_id":"SECRET","name":"SECRET"}]})"),
           std::string(R"("devices":["SECRET","SECRET"]})"),
           std::string(R"("choices":[{"control":"c"}]})"),
           std::string(R"("choices":[{"turn":"OFF"}]})"),
           std::string(R"("choices":[{"turn":"OFF","control":"c","purpose":"ADVERTISING"}]})"),
           std::string(R"("choices":[{"turn":"OFF","all":false}]})"),
           std::string(R"("choices":[{"turn":"off","all":true}]})"),
           std::string(R"("choices":[{"turn":"ON","all":true,"notice_version":"n","notice_language":"de"}]})"),
           std::string(R"("choices":[{"turn":"ON","control":"c","notice_version":"n"}]})"),
           std::string(R"("choices":[{"turn":"ON","control":"c","notice_language":"de"}]})"),
           std::string(R"("choices":[{"turn":"OFF","control":"c","scope":"SECRET"}]})"),
           std::string(
               R"("choices":[{"turn":"OFF","control":"c","scope":{"profile_id":"SECRET","device_id":"SECRET"}}]})"),
           std::string(R"("choices":[{"turn":"OFF","control":"c","scope":{"account":"SECRET"}}]})"),
           std::string(R"("choices":[{"turn":"OFF","control":"c","actor":"SECRET"}]})"),
           std::string(R"("choices":[{"turn":"OFF","control":"c","given_at":"SECRET"}]})"),
           std::string(R"("retention":"3y"})"),
           std::string(R"("retention":3})"),
           std::string(R"("retention":[{"scope":{}}]})"),
           std::string(R"("retention":[{"keep":"0m"}]})"),
       }) {
    const auto line = ParseImportLine(start + rest);
    ASSERT_TRUE(line.ok()) << rest;
    ASSERT_FALSE(line->faults.empty()) << rest;
    for (const LineFault& fault : line->faults) {
      EXPECT_EQ((fault.part + fault.why).find("SECRET"), std::string::npos) << fault.why;
    }
    EXPECT_TRUE(LooseningsOf(*line, start + rest).empty()) << "nothing of it allows more: " << rest;
  }
  EXPECT_FALSE(ParseImportLine("{}").ok());
  EXPECT_FALSE(ParseImportLine("").ok());
  EXPECT_TRUE(ParseImportLine(R"({"account_id":"a"})").ok());
}

TEST(ImportLinesTest, AMistakeNamesItsPlace) {
  const auto line =
      ParseImportLine(R"({"account_id":"a","choices":[{"turn":"OFF","all":true},{"turn":"MAYBE","all":true}]})");
  ASSERT_EQ(line->faults.size(), 1u);
  EXPECT_NE(line->faults[0].why.find("choices[1].turn"), std::string::npos) << line->faults[0].why;
}

// Hard case 73, and every other thing that may be wrong on the line of a no.
TEST(ImportLinesTest, ANoCountsWhateverElseOnItsLineIsUnusable) {
  const std::string off = R"({"all":true,"turn":"OFF"})";
  const std::string on = R"({"turn":"ON","control":"c","notice_version":"n","notice_language":"de"})";
  const std::string long_text(300, 'x');
  std::string many = "[";
  for (int i = 0; i < 70; ++i) {
    many += R"({"purpose":"ADVERTISING","turn":"ON","notice_version":"n","notice_language":"de"},)";
  }
  for (const std::string& rest : std::vector<std::string>{
           R"("choices":[)" + off + R"(],"profiles":[{"profile_id":"p","age":"TEEN"}])",
           R"("choices":[)" + off + R"(],"profiles":[{"profile_id":"p","born":"2000","age":"ADULT"}])",
           R"("choices":[)" + off + R"(],"profiles":"p")",
           R"("choices":[)" + off + R"(],"region":"Germany")",
           R"("choices":[)" + off + R"(],"region":7)",
           R"("choices":[)" + off + R"(],"devices":["d","d"])",
           R"("choices":[)" + off + R"(],"retention":"3y")",
           R"("choices":[)" + off + R"(],"colour":"red")",
           R"("choices":[{"turn":"MAYBE","all":true},)" + off + "]",
           R"("choices":[7,)" + off + "]",
           R"("choices":[{"turn":"ON","control":"c"},)" + off + "]",
           R"("choices":[{"turn":"ON","control":")" + long_text + R"("},)" + off + "]",
           R"("choices":[{"all":true,"turn":"OFF","given_at":"yesterday"}])",
           R"("choices":[{"all":true,"turn":"OFF","actor":"NOBODY"}])",
           R"("choices":[{"all":true,"turn":"OFF","reference":")" + long_text + R"("}])",
           R"("choices":[{"all":true,"turn":"OFF","notice_version":7}])",
           R"("choices":[{"all":true,"turn":"OFF","why":"x"}])",
           R"("choices":)" + many + off + "]",
       }) {
    const std::string bytes = R"({"account_id":"a",)" + rest + "}";
    const auto line = ParseImportLine(bytes);
    ASSERT_TRUE(line.ok()) << bytes << line.status();
    EXPECT_FALSE(line->faults.empty()) << bytes;
    const std::vector<ImportCall> calls = RestrictionsOf(*line, bytes);
    ASSERT_EQ(calls.size(), 1u) << bytes;
    EXPECT_TRUE(std::get<OptOutOrder>(calls[0].order).targets[0].all);
    EXPECT_TRUE(LooseningsOf(*line, bytes).empty()) << bytes;
  }
  // The same for a shorter retention.
  for (const char* bytes : {R"({"account_id":"a","region":7,"retention":[{"keep":"3m"},{"keep":"x"}]})",
                            R"({"account_id":"a","retention":[{"keep":"do-not-save","note":"x"}]})",
                            R"({"account_id":"a","retention":[{"keep":"3m","note":1,"note":2}]})"}) {
    EXPECT_EQ(RestrictionsOf(*ParseImportLine(bytes), bytes).size(), 1u) << bytes;
    EXPECT_FALSE(ParseImportLine(bytes)->faults.empty()) << bytes;
  }
}

TEST(ImportLinesTest, AllThatIsFalseIsAsGoodAsAbsent) {
  const std::string bytes = R"({"account_id":"a","choices":[{"purpose":"ADVERTISING","all":false,"turn":"OFF"}]})";
  const auto line = ParseImportLine(bytes);
  ASSERT_TRUE(line.ok() && line->faults.empty());
  ASSERT_EQ(line->choices.size(), 1u);
  EXPECT_EQ(line->choices[0].change.target.purpose, Purpose::kAdvertising);
  EXPECT_FALSE(line->choices[0].change.target.all);
}

// A part that cannot be read is a fault of that part alone, and of the two values of a key none is taken; of two lists
// each no is.
TEST(ImportLinesTest, WhatIsDamagedIsFoundInItsPlace) {
  const std::vector<std::tuple<std::string, std::string, bool>> cases = {
      {R"("region":"DE","region":"US")", "region", false},
      {R"("profiles":[{"profile_id":"p","age":"ADULT","age":"CHILD"}])", "profiles[0]", false},
      {R"("choices":[{"turn":"OFF","control":"c","scope":{"profile_id":"p","profile_id":"q"}}])", "choices[0]", true},
      {R"("choices":[{"turn":"OFF","control":"c","notice_version":"n","notice_version":"m"}])", "choices[0]", false},
      {"\"choices\":[{\"turn\":\"OFF\",\"control\":\"c\xff\"}]", "choices[0]", true},
      {"\"choices\":[{\"turn\":\"OFF\",\"control\":\"c\",\"reference\":\"\xff\"}]", "choices[0]", false},
      {"\"devices\":[\"\xc3\"]", "devices", false},
      {"\"\xff\":1", "line", true},
      {R"("retention":{},"retention":"1m")", "retention", true},
      {R"("choices":[],"choices":7)", "choices", true}};
  for (const auto& [rest, part, hides] : cases) {
    const auto line = ParseImportLine(R"({"account_id":"a",)" + rest + "}");
    ASSERT_TRUE(line.ok()) << rest << line.status();
    ASSERT_FALSE(line->faults.empty()) << rest;
    EXPECT_EQ(line->faults.back().part, part) << rest;
    EXPECT_EQ(line->faults.back().may_hide_no, hides) << rest;
    const bool reads_no = (part == "choices[0]" && !hides) || part == "retention";
    EXPECT_EQ(RestrictionsOf(*line, rest).size(), reads_no ? 1u : 0u) << rest;
  }
  for (const char* around : {" ", "\t", "\r"}) {
    const auto line = ParseImportLine(R"({"account_id":"a"})" + std::string(around));
    ASSERT_TRUE(line.ok());
    EXPECT_EQ(line->faults.size(), 1u) << "a line that is written otherwise allows nothing";
  }
}

TEST(ImportLinesTest, OfAKeyThatStandsTwiceEachNoCounts) {
  const std::string no = R"({"purpose":"ADVERTISING","turn":"OFF"})";
  const std::string all = R"({"all":true,"turn":"OFF"})";
  const std::string yes = R"({"turn":"ON","control":"c","notice_version":"n","notice_language":"de"})";
  const std::vector<std::tuple<std::string, std::vector<std::string>>> cases = {
      {R"("choices":[)" + no + R"(],"choices":[)" + yes + "," + all + "]", {"choices[0]", "choices[2]"}},
      {R"("choices":[)" + no + R"(],"region":"DE","choices":null)", {"choices[0]"}},
      {R"("choices":[)" + yes + R"(],"choices":[)" + yes + "]", {}},
      {R"("retention":"3m","retention":"1m")", {"retention", "retention[1]"}},
      {R"("retention":[{"keep":"3m"},{"keep":"1m"}],"retention":"do-not-save")",
       {"retention[0]", "retention[1]", "retention[2]"}},
      // Within a part: whatever it may mean, each no is one.
      {R"("choices":[{"turn":"OFF","turn":"ON","control":"c"}])", {"choices[0].0"}},
      {R"("choices":[{"turn":"ON","turn":"ON","control":"c","notice_version":"n","notice_language":"de"}])", {}},
      {R"("choices":[{"turn":"OFF","control":"c","control":"d"}])", {"choices[0].0", "choices[0].1"}},
      {R"("choices":[{"turn":"OFF","control":"c","scope":{},"scope":{"profile_id":"q"}}])",
       {"choices[0].0", "choices[0].1"}},
      {R"("retention":[{"keep":"3m","keep":"1m"}])", {"retention[0].0", "retention[0].1"}}};
  for (const auto& [rest, parts] : cases) {
    const auto line = ParseImportLine(R"({"account_id":"a",)" + rest + "}");
    ASSERT_TRUE(line.ok()) << rest << line.status();
    EXPECT_FALSE(line->faults.empty()) << rest;
    for (const LineFault& fault : line->faults) EXPECT_FALSE(fault.may_hide_no) << rest << ": " << fault.part;
    std::vector<std::string> restricted;
    for (const ImportCall& call : RestrictionsOf(*line, rest)) restricted.push_back(call.part);
    EXPECT_EQ(restricted, parts) << rest;
    EXPECT_TRUE(LooseningsOf(*line, rest).empty()) << rest << ": nobody knows which of the yeses is meant";
  }
}

TEST(ImportLinesTest, AFaultSaysWhetherItMayHideANo) {
  const std::vector<std::pair<std::string, bool>> cases = {{R"("region":7)", false},
                                                           {R"("profiles":[{"profile_id":"p","age":"TEEN"}])", false},
                                                           {R"("choices":[{"turn":"ON","control":"c"}])", false},
                                                           {R"("choices":[{"turn":"MAYBE","control":"c"}])", true},
                                                           {R"("choices":[{"turn":"OFF"}])", true},
                                                           {R"("choices":{"turn":"OFF"})", true},
                                                           {R"("choice":[{"turn":"OFF","all":true}])", true},
                                                           {R"("retention":"3 months")", true}};
  for (const auto& [rest, hides] : cases) {
    const auto line = ParseImportLine(R"({"account_id":"a",)" + rest + "}");
    ASSERT_EQ(line->faults.size(), 1u) << rest;
    EXPECT_EQ(line->faults[0].may_hide_no, hides) << rest;
  }
}

// Whatever their order, with and without the scope and the time.
TEST(ImportLinesTest, OfAYesAndANoToTheSameTheNoCounts) {
  for (const std::string& scope :
       {std::string(), std::string(R"("scope":{"profile_id":"p"},)"), std::string(R"("scope":{"device_id":"d"},)")}) {
    for (const std::string& target : {std::string(R"("control":"c")"), std::string(R"("purpose":"ADVERTISING")")}) {
      for (const std::string& given : {std::string(), std::string(R"("given_at":"2021-01-01T00:00:00Z",)")}) {
        for (const std::string& no : {target, std::string(R"("all":true)")}) {
          const std::string on =
              "{" + scope + given + target + R"(,"turn":"ON","notice_version":"n","notice_language":"de"})";
          const std::string off = "{" + scope + no + R"(,"turn":"OFF"})";
          for (const std::string& both : {on + "," + off, off + "," + on}) {
            const std::string bytes = R"({"account_id":"a","region":"DE","choices":[)" + both + "]}";
            const auto line = ParseImportLine(bytes);
            ASSERT_TRUE(line.ok() && line->faults.empty()) << bytes;
            EXPECT_EQ(line->overruled.size(), 1u) << bytes;
            EXPECT_EQ(RestrictionsOf(*line, bytes).size(), 1u);
            EXPECT_EQ(LooseningsOf(*line, bytes).size(), 1u) << "the registration alone: " << bytes;
          }
        }
      }
    }
  }
}

TEST(RetentionTest, TakesWhatIsDocumented) {
  EXPECT_EQ(ParseRetention("120m")->months, 120);
  EXPECT_EQ(ParseRetention("until-deleted")->kind, Retention::Kind::kUntilDeleted);
  EXPECT_EQ(ParseRetention("do-not-save")->kind, Retention::Kind::kDoNotSave);
  for (const char* bad : {"", "m", "0m", "121m", "-1m", "3", "3y", "3mm", " 3m", "+3m", "99999999999m"}) {
    EXPECT_FALSE(ParseRetention(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace consent
