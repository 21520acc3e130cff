// The example of FORMAT.md is what the code writes.
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/base/base64.h"
#include "daemon/base/hash.h"
#include "daemon/decisions/record.h"
#include "daemon/decisions/recorder.h"
#include "tests/support/base/seeded_keys.h"
#include "tests/support/temp_folder.h"

namespace consent::decisions {
namespace {

template <typename Handle>
Handle HandleOf(uint8_t first) {
  Handle handle;
  for (uint8_t& byte : handle.bytes) byte = first++;
  return handle;
}

constexpr base::Instant kNow{1'790'000'000'000'000};

domain::RecordingFacts FactsOfExample() {
  domain::RecordingFacts facts;
  facts.captured_at = kNow - base::Seconds(3600);
  facts.has_uncertainty = true;
  facts.uncertainty = base::Milliseconds(250);
  facts.ingested_at = kNow - base::Seconds(3590);
  facts.profiles.push_back(HandleOf<base::ProfileHandle>(0xc0));
  facts.device = HandleOf<base::DeviceHandle>(0xd0);
  facts.has_region = domain::Region::Parse("DE", &facts.region);
  facts.wake = domain::Wake::kIntended;
  facts.kind = domain::Kind::kCommand;
  facts.speakers = domain::Speakers::kOne;
  facts.identity = domain::Identity::kMatched;
  facts.age = domain::SpeakerAge::kAdult;
  return facts;
}

constexpr base::Now kAt{kNow, kNow, kNow, base::Instant{kNow.micros - 1'000'000}, false, false};

// Of the months of these tests.
void PutKeys(HandleKeys& keys) {
  for (const char* name : {"2026-09.5e0c91d2", "2026-10.00000001", "9999-12.ffffffff"}) {
    const std::string_view month = std::string_view(name).substr(0, 7);
    keys.Put(*base::MonthKeyName::Parse(name), test::SeededKeys(1).DiskHash("decision log", month));
  }
}

// A file of two records of yeses and two of reads, as the example has them.
std::string LinesOfExample() {
  HandleKeys keys;
  PutKeys(keys);
  domain::Rules rules;
  rules.version = "2026-12-default";
  rules.hash.fill(0x11);
  domain::Place place;
  domain::Region::Parse("DE", &place.country);
  place.site = "berlin \"1\"";
  place.reviewer_class = domain::ReviewerClass::kEmployee;
  base::Bytes16 store_id{};
  store_id.fill(0x5d);
  Position end;
  std::string lines;
  RecordWriter writer(keys);
  const auto write = [&](const Asked& asked, const std::vector<domain::RecordingFacts>& recordings) {
    writer.Begin(asked, recordings.size());
    uint8_t recording = 0xb0;
    for (const domain::RecordingFacts& facts : recordings) {
      writer.Add({HandleOf<base::SubjectHandle>(0xa0), HandleOf<base::RecordingHandle>(recording++), facts, 300, 299,
                  domain::Reason::kConsent});
    }
    Record record = writer.Take();
    end = record.PutBehind(end);
    lines += record.line();
  };
  Asked asked{{"sampler-1", {"0123456789abcdef", 1}, store_id, kAt},
              domain::Purpose::kHumanReview,
              place,
              domain::Selection::kRandom,
              rules};
  write(asked, {FactsOfExample()});
  domain::RecordingFacts bare;
  bare.captured_at = kNow - base::Seconds(60);
  asked.asker.call.number = 2;
  asked.selection = domain::Selection::kOther;
  write(asked, {FactsOfExample(), bare, FactsOfExample()});
  const auto read = [&](uint64_t call, const char* method, std::optional<base::SubjectHandle> subject) {
    Record record = *ReadRecord(keys, {"officer-1", {"0123456789abcdef", call}, store_id, kAt}, method, subject);
    end = record.PutBehind(end);
    lines += record.line();
  };
  read(3, "SettingsService/GetSettings", HandleOf<base::SubjectHandle>(0xa0));
  read(4, "DeletionService/ListDeletionRequests", std::nullopt);
  return lines;
}

TEST(DecisionsFormat, TheExampleIsWhatIsWritten) {
  std::ifstream file(CONSENT_DECISIONS_FORMAT, std::ios::binary);
  const std::string document{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string begin = "```jsonl\n";
  const size_t from = document.find(begin) + begin.size();
  ASSERT_NE(document.find(begin), std::string::npos);
  EXPECT_EQ(document.substr(from, document.find("```", from) - from), LinesOfExample());
}

TEST(DecisionsFormat, EveryLineIsJsonAndNamesNobody) {
  std::istringstream lines(LinesOfExample());
  std::string previous(64, '0');
  uint64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["n"], ++number);
    EXPECT_EQ(json["prev"], previous);
    if (number <= 2) {
      EXPECT_EQ(json["site"], "berlin \"1\"");
      EXPECT_EQ(json["yes"].size(), 2 * number - 1);
      EXPECT_EQ(json["facts"].size(), number) << "what recordings have in common stands there once";
      for (const auto& yes : json["yes"]) EXPECT_EQ(yes.size(), 10U);
    } else {
      EXPECT_EQ(json["subject"].is_null(), number == 4);
    }
    EXPECT_EQ(line.find(base::EncodeBase64Url("\xa0\xa1\xa2\xa3\xa4\xa5")), std::string::npos) << "the handle itself";
    uint64_t read = 0;
    EXPECT_TRUE(ReadRecordNumber(line, &read));
    EXPECT_EQ(read, number);
    const base::Digest hash = RecordHash(line);
    previous = base::Hex(base::View(hash));
  }
  for (const char* line : {"", "{}", R"({"v":3,"n":,"prev":"")", R"({"v":2,"n":1,"prev":"")",
                           R"({"v":3,"n":0,"prev":"")", R"({"v":3,"n":1,"x":"")"}) {
    uint64_t read = 0;
    EXPECT_FALSE(ReadRecordNumber(line, &read)) << line;
  }
}

// The longest that one call can make: a thousand recordings with all that they can name.
TEST(DecisionsFormat, TheLongestRecordHasTheBoundsSize) {
  HandleKeys keys;
  PutKeys(keys);
  domain::Rules rules;
  rules.version = std::string(64, 'v');
  domain::Place place;
  place.site = std::string(64, '\x01');
  const std::string caller(256, '\x01');
  const std::string process(CallId::kMaxProcess, '9');
  RecordWriter writer(keys);
  writer.Begin({{caller, {process, UINT64_MAX}, {}, base::Now::Sure(base::kLastInstant)},
                domain::Purpose::kMessageTranscription,
                place,
                domain::Selection::kMisunderstood,
                rules});
  domain::RecordingFacts facts = FactsOfExample();
  facts.captured_at = facts.ingested_at = base::kLastInstant;
  facts.uncertainty = base::Hours(24);
  facts.profiles.resize(base::kMaxNamedProfiles);
  facts.has_region = domain::Region::Parse("GB-ENG", &facts.region);
  facts.flags = 15;
  for (int i = 0; i < 1000; ++i) {
    facts.uncertainty = base::Span{base::Hours(24).micros - i};  // no two alike
    writer.Add({HandleOf<base::SubjectHandle>(0xa0), HandleOf<base::RecordingHandle>(0xb0), facts, INT64_MAX, INT64_MAX,
                domain::Reason::kDefault});
  }
  Record record = writer.Take();
  record.PutBehind({UINT64_MAX - 1, {}});
  EXPECT_LE(record.line().size() - 1, kMaxRecordBytes);
  const auto json = nlohmann::json::parse(record.line());
  EXPECT_EQ(json["n"], UINT64_MAX);
  EXPECT_EQ(json["facts"].size(), 1000U);
}

// What a writer keeps of the record before is said again only where it is the same: each thing that can differ is.
TEST(RecordWriter, WritesAfterAnyOtherRecordWhatANewOneWrites) {
  HandleKeys keys;
  PutKeys(keys);
  domain::Rules rules;
  rules.version = "one";
  domain::Rules other_version = rules;
  other_version.version = "two";
  domain::Rules other_hash = rules;
  other_hash.hash.fill(0x22);
  domain::Place place;
  domain::Place country;
  domain::Region::Parse("DE", &country.country);
  domain::Place reviewer;
  reviewer.reviewer_class = domain::ReviewerClass::kEmployee;
  domain::Place site;
  site.site = "berlin";
  const CallId call{"0123456789abcdef", 1};
  base::Bytes16 store{};
  store.fill(1);
  const auto purpose = domain::Purpose::kHumanReview;
  const auto selection = domain::Selection::kRandom;
  const base::Now later = base::Now::Sure(kNow + base::Days(40));
  const std::vector<Asked> all = {{{"a", call, {}, kAt}, purpose, place, selection, rules},
                                  {{"b", call, {}, kAt}, purpose, place, selection, rules},
                                  {{"a", call, store, kAt}, purpose, place, selection, rules},
                                  {{"a", call, {}, later}, purpose, place, selection, rules},
                                  {{"a", call, {}, kAt}, domain::Purpose::kModelTraining, place, selection, rules},
                                  {{"a", call, {}, kAt}, purpose, country, selection, rules},
                                  {{"a", call, {}, kAt}, purpose, reviewer, selection, rules},
                                  {{"a", call, {}, kAt}, purpose, site, selection, rules},
                                  {{"a", call, {}, kAt}, purpose, place, domain::Selection::kOther, rules},
                                  {{"a", call, {}, kAt}, purpose, place, selection, other_version},
                                  {{"a", call, {}, kAt}, purpose, place, selection, other_hash}};
  std::vector<domain::RecordingFacts> recordings = {FactsOfExample(), {}};
  recordings.push_back(FactsOfExample());
  recordings.back().flags = 4;
  const auto line = [](RecordWriter& writer, const Asked& asked, const domain::RecordingFacts& facts) {
    writer.Begin(asked);
    writer.Add(
        {HandleOf<base::SubjectHandle>(1), HandleOf<base::RecordingHandle>(2), facts, 3, 2, domain::Reason::kConsent});
    Record record = writer.Take();
    record.PutBehind({});
    std::string text(record.line());
    writer.Reuse(std::move(record));
    return text;
  };
  std::set<std::string> lines;
  RecordWriter kept(keys);
  for (const Asked& before : all) {
    for (const Asked& asked : all) {
      for (const domain::RecordingFacts& facts : recordings) {
        RecordWriter fresh(keys);
        const std::string expected = line(fresh, asked, facts);
        line(kept, before, recordings.front());
        EXPECT_EQ(line(kept, asked, facts), expected);
        lines.insert(expected);
      }
    }
  }
  EXPECT_EQ(lines.size(), all.size() * recordings.size()) << "each of them differs";
}

TEST(Recorder, RecordsWhatThePolicyMarksUnlessItIsOff) {
  HandleKeys keys;
  PutKeys(keys);
  base::SystemRandom random;
  domain::Rules rules;
  rules.recorded.Add(domain::Purpose::kHumanReview);
  const Recorder off(keys, {}, random, nullptr);
  EXPECT_FALSE(off.Records(domain::Purpose::kHumanReview, rules));
  EXPECT_FALSE(off.on());
}

// Deny: whoever has no key for the month says no yes. Nothing is written, and the log tells.
TEST(Recorder, NothingIsOnRecordWithoutAKeyOfTheMonth) {
  const test::TempFolder folder;
  LogOptions options;
  options.folder = folder / "decisions";
  options.slow_write = std::chrono::hours(1);  // so that whoever appends writes, and is answered at once
  const std::unique_ptr<Log> log = *Log::Open(options);
  HandleKeys keys;
  base::SystemRandom random;
  Recorder recorder(keys, {}, random, log.get());
  domain::Rules rules;
  domain::Place place;
  std::vector<bool> told;
  const auto said = [&told](bool on_record) { told.push_back(on_record); };
  const auto yes = [&] {
    auto record = recorder.Begin({"sampler", domain::Purpose::kHumanReview, place, {}, rules, kAt}, 1);
    const domain::RecordingFacts facts = FactsOfExample();
    record->Add({HandleOf<base::SubjectHandle>(1), HandleOf<base::RecordingHandle>(2), facts, 3, 2, {}});
    recorder.Put(std::move(record), said);
  };
  const auto read = [&] { recorder.PutRead("officer", "SettingsService/GetSettings", std::nullopt, kAt, said); };
  yes();
  read();
  EXPECT_EQ(told, (std::vector<bool>{false, false}));
  EXPECT_EQ(log->counts().records, 0U);
  EXPECT_EQ(recorder.refused_without_key(), 2U);
  EXPECT_TRUE(recorder.lacks_key());
  PutKeys(keys);
  yes();
  read();
  EXPECT_EQ(told, (std::vector<bool>{false, false, true, true}));
  EXPECT_EQ(log->counts().records, 2U);
  EXPECT_EQ(recorder.refused_without_key(), 2U);
  EXPECT_FALSE(recorder.lacks_key());
  // The writer that was kept holds a cipher of the month: gone with the key.
  keys.Drop(*base::MonthKeyName::Parse("2026-09.5e0c91d2"));
  recorder.DropSpare();
  yes();
  EXPECT_FALSE(told.back());
  EXPECT_EQ(log->counts().records, 2U);
}

}  // namespace
}  // namespace consent::decisions
