// Recordings as lines: what is taken, what is refused, and that nothing of a person comes out.
#include "consent/recording_lines.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include <gtest/gtest.h>

#include "client/cli/lines/pseudonym.h"
#include "daemon/base/utf8.h"
#include "tests/unit/client/fakes.h"

namespace consent::json_lines_test {
namespace {

using nlohmann::json;

const char kWhole[] =
    R"({"recording_id":"r1","account_id":"a1","captured_at":"2020-07-01T16:19:56Z","captured_uncertainty_ms":1500,)"
    R"("ingested_at":"2020-07-01T18:19:57+02:00","profile_ids":["p1","p2"],"device_id":"d1","region":"US-CA",)"
    R"("wake":"BUTTON","kind":"COMMAND","speakers":"ONE","identity":"NOT_RUN","age":"ADULT","artefact":"TRANSCRIPT",)"
    R"("made_for":"HUMAN_REVIEW","flags":["SAFETY"],"country":"RO","site":"cluj","reviewer":"EMPLOYEE","other":{"x":[1]}})";

std::string Why(std::string_view line, const LineDefaults& defaults = {}) {
  const auto parsed = ParseRecordingLine(line, defaults);
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

// kWhole with one key set to `value`.
std::string With(const std::string& key, const json& value) {
  json object = json::parse(kWhole);
  object[key] = value;
  return object.dump();
}

TEST(JsonLinesTest, ReadsEveryKey) {
  const auto line = ParseRecordingLine(kWhole, {});
  ASSERT_TRUE(line.ok()) << line.status();
  const Recording& recording = line->recording;
  EXPECT_EQ(recording.recording_id, RecordingId("r1"));
  EXPECT_EQ(recording.account_id, AccountId("a1"));
  EXPECT_EQ(recording.captured_at->time_since_epoch().count(), 1'593'620'396'000'000);
  EXPECT_EQ(*recording.ingested_at - *recording.captured_at, std::chrono::seconds(1));
  EXPECT_EQ(recording.captured_uncertainty->count(), 1500);
  EXPECT_EQ(recording.profile_ids.size(), 2u);
  EXPECT_EQ(recording.device_id, DeviceId("d1"));
  EXPECT_EQ(recording.region, "US-CA");
  EXPECT_EQ(recording.wake, Wake::kButton);
  EXPECT_EQ(recording.kind, Kind::kCommand);
  EXPECT_EQ(recording.speakers, Speakers::kOne);
  EXPECT_EQ(recording.identity, Identity::kNotRun);
  EXPECT_EQ(recording.age, SpeakerAge::kAdult);
  EXPECT_EQ(recording.artefact, Artefact::kTranscript);
  EXPECT_EQ(recording.made_for, Purpose::kHumanReview);
  EXPECT_EQ(recording.flags, std::vector<Flag>{Flag::kSafety});
  EXPECT_EQ(line->place, (Place{"RO", "cluj", ReviewerClass::kEmployee}));
}

TEST(JsonLinesTest, FullNamesAreTaken) {
  const auto line = ParseRecordingLine(With("wake", "WAKE_ACCIDENTAL"), {});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->recording.wake, Wake::kAccidental);
}

TEST(JsonLinesTest, TheFirstSecondOf1970IsATime) {
  const auto line = ParseRecordingLine(With("captured_at", "1970-01-01T00:00:01Z"), {});
  ASSERT_TRUE(line.ok());
  EXPECT_TRUE(line->recording.captured_at.has_value());
}

TEST(JsonLinesTest, MissingIdsAreRefused) {
  EXPECT_NE(Why(R"({"account_id":"a"})"), "");
  EXPECT_NE(Why(R"({"recording_id":"r"})"), "");
  EXPECT_NE(Why(R"({"recording_id":null,"account_id":"a"})"), "");
  EXPECT_EQ(Why(R"({"recording_id":"r","account_id":"a"})"), "");
}

TEST(JsonLinesTest, NotALine) {
  for (const char* line :
       {"", "x", "{", "[]", "1", "null", "{}", R"({"a":1}{"b":2})", R"({"a":1,})", R"({'a':1})", "{\"a\":NaN}",
        R"({"recording_id":"r","account_id":"a"} x)", "{\"recording_id\":\"a\nb\",\"account_id\":\"a\"}",
        R"({"recording_id":"\ud800","account_id":"a"})", "{\"recording_id\":\"\xff\",\"account_id\":\"a\"}",
        "{\"recording_id\":\"\xc0\x80\",\"account_id\":\"a\"}"}) {
    EXPECT_NE(Why(line), "") << line;
  }
}

// A line is one JSON object and nothing else, whatever the bytes.
TEST(JsonLinesTest, NoByteMayStandBeforeOrBehindTheValue) {
  const std::string line = R"({"recording_id":"r","account_id":"a"})";
  EXPECT_EQ(Why(line), "");
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    EXPECT_NE(Why(line + one), "") << byte;
    EXPECT_NE(Why(one + line), "") << byte;
    EXPECT_NE(Why(line + one + line), "") << byte;
    EXPECT_NE(Why(line + std::string("\0", 1) + one), "") << byte;
  }
  EXPECT_NE(Why("\xEF\xBB\xBF" + line), "");
  EXPECT_NE(Why("{\r\"recording_id\":\"r\",\"account_id\":\"a\"}"), "") << "a CR is no blank here";
  EXPECT_NE(Why("{\"recording_id\":\"r\",\"account_id\":\"a\"" + std::string("\0", 1) + "}"), "");
}

TEST(JsonLinesTest, KeysThatAppearTwiceAreRefused) {
  EXPECT_NE(Why(R"({"recording_id":"r","account_id":"a","account_id":"b"})"), "");
  EXPECT_NE(Why(R"({"recording_id":"r","account_id":"a","wake":"BUTTON","wake":"ACCIDENTAL"})"), "");
  EXPECT_NE(Why(R"({"recording_id":"r","account_id":"a","wa\u006be":"BUTTON","wake":"ACCIDENTAL"})"), "");
  EXPECT_NE(Why(R"({"recording_id":"r","account_id":"a","x":{"y":1,"y":2}})"), "");
  EXPECT_EQ(Why(R"({"recording_id":"r","account_id":"a","x":{"y":1},"z":{"y":2}})"), "");
}

TEST(JsonLinesTest, DeepAndLongLinesAreRefused) {
  EXPECT_NE(
      Why(R"({"recording_id":"r","account_id":"a","x":)" + std::string(30'000, '[') + std::string(30'000, ']') + "}"),
      "");
  EXPECT_NE(Why(std::string(60'000, '[')), "");
  const std::string start = R"({"recording_id":"r","account_id":"a","x":")";
  EXPECT_EQ(Why(start + std::string(kMaxLineBytes - start.size() - 2, 'x') + "\"}"), "");
  EXPECT_NE(Why(start + std::string(kMaxLineBytes - start.size() - 1, 'x') + "\"}"), "");
}

TEST(JsonLinesTest, WrongTypesAndValuesAreRefusedWithoutRepeatingThem) {
  const std::vector<std::pair<std::string, json>> cases = {
      {"recording_id", 1},
      {"recording_id", ""},
      {"account_id", std::string(129, 'x')},
      {"account_id", json::array({"SECRET"})},
      {"captured_at", "SECRET"},
      {"captured_at", 1593620396},
      {"captured_at", "2020-07-01"},
      {"captured_at", "2020-07-01T16:19:56"},
      {"captured_at", "10000-01-01T00:00:00Z"},
      {"captured_at", "1969-12-31T23:59:59Z"},
      {"captured_at", "2021-02-29T00:00:00Z"},
      {"captured_uncertainty_ms", -1},
      {"captured_uncertainty_ms", 86'400'001},
      {"captured_uncertainty_ms", 1.5},
      {"captured_uncertainty_ms", 1e300},
      {"captured_uncertainty_ms", UINT64_MAX},
      {"captured_uncertainty_ms", "5"},
      {"ingested_at", true},
      {"profile_ids", "SECRET"},
      {"profile_ids", json::array({1})},
      {"profile_ids", json::array({""})},
      {"profile_ids", json::array({"p", "p"})},
      {"profile_ids", json::array({"1", "2", "3", "4", "5", "6", "7", "8", "9"})},
      {"device_id", json::object()},
      {"region", ""},
      {"region", "SECRET1"},
      {"wake", "SECRET"},
      {"wake", "button"},
      {"wake", "UNSPECIFIED"},
      {"wake", "WAKE_UNSPECIFIED"},
      {"wake", 3},
      {"kind", "BUTTON"},
      {"speakers", json::array({"ONE"})},
      {"identity", ""},
      {"age", "TEEN"},
      {"artefact", "COPY"},
      {"made_for", "SELLING"},
      {"flags", "SAFETY"},
      {"flags", json::array({"SECRET"})},
      {"country", "ROU"},
      {"country", "de"},
      {"country", "US-CA"},
      {"region", "us-CA"},
      {"region", "D1"},
      {"site", std::string(65, 's')},
      {"reviewer", "BOSS"}};
  for (const auto& [key, value] : cases) {
    const std::string why = Why(With(key, value));
    EXPECT_NE(why.find(key), std::string::npos) << key << " " << value.dump() << ": " << why;
    EXPECT_EQ(why.find("SECRET"), std::string::npos);
  }
}

TEST(JsonLinesTest, KeysThatReadLikeKnownOnesAreRefused) {
  for (const char* key :
       {"flag", "Flags", "FLAGS", "deviceId", "device-id", "profileIds", "profile_id", "Wake", "regions", "artifact",
        "reviewer_class", "ingestedAt", "captured_uncertainty_Ms", "recordingId"}) {
    EXPECT_NE(Why(With(key, "x")), "") << key;
  }
  for (const char* key : {"speaker", "text", "path", "duration", "x-flags-x", ""}) {
    EXPECT_EQ(Why(With(key, "x")), "") << key;
  }
}

// A fact that is misspelt would be missing without a word why.
TEST(JsonLinesTest, KeysThatAreNearToOnesThatAreAbsentAreRefused) {
  const std::pair<const char*, const char*> cases[] = {{"wak", "wake"},
                                                       {"waek", "wake"},
                                                       {"capturedAt", "captured_at"},
                                                       {"captured", "captured_at"},
                                                       {"Wake", "wake"},
                                                       {"knd", "kind"},
                                                       {"speaker_s", "speakers"},
                                                       {"identiy", "identity"},
                                                       {"agee", "age"},
                                                       {"device", "device_id"},
                                                       {"profile", "profile_ids"},
                                                       {"contry", "country"},
                                                       {"reviewr", "reviewer"},
                                                       {"regoin", "region"},
                                                       {"flgas", "flags"},
                                                       {"mad_for", "made_for"},
                                                       {"injested_at", "ingested_at"}};
  for (const auto& [key, meant] : cases) {
    const std::string line = R"({"recording_id":"r","account_id":"a",")" + std::string(key) + R"(":"x"})";
    EXPECT_NE(Why(line).find("`" + std::string(meant) + "`"), std::string::npos) << key << ": " << Why(line);
    EXPECT_EQ(Why(line).find("`" + std::string(key) + "`"), std::string::npos) << "keys are not repeated: " << key;
  }
  for (const char* key :
       {"speaker", "size", "page", "wave",     "side",    "name",  "title", "date",       "type",     "label",
        "text",    "path", "file", "duration", "channel", "model", "score", "created_at", "language", "id"}) {
    EXPECT_EQ(Why(R"({"recording_id":"r","account_id":"a",")" + std::string(key) + R"(":"x"})"), "") << key;
  }
  EXPECT_EQ(Why(With("wak", "x")), "") << "`wake` is there";
  EXPECT_NE(Why(R"({"recording_id":"r","account_id":"a","wake":null,"wak":"BUTTON"})"), "") << "null is absent";
  EXPECT_NE(Why(With("flgas", "x")), "") << "each flag counts";
}

TEST(LineDefaultsTest, FillOnlyWhatIsMissing) {
  const auto defaults = LineDefaults::Create(
      {{"wake", "ACCIDENTAL"}, {"country", "DE"}, {"flags", "SAFETY,CRITICAL_DATA"}, {"captured_uncertainty_ms", "7"}});
  ASSERT_TRUE(defaults.ok()) << defaults.status();
  const auto bare = ParseRecordingLine(R"({"recording_id":"r","account_id":"a","wake":null})", *defaults);
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(bare->recording.wake, Wake::kAccidental);
  EXPECT_EQ(bare->place.country, "DE");
  EXPECT_EQ(bare->recording.flags.size(), 2u);
  EXPECT_EQ(bare->recording.captured_uncertainty->count(), 7);
  const auto own = ParseRecordingLine(kWhole, *defaults);
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->recording.wake, Wake::kButton);
  EXPECT_EQ(own->place.country, "RO");
  EXPECT_EQ(own->recording.flags, std::vector<Flag>{Flag::kSafety});
  EXPECT_EQ(own->recording.captured_uncertainty->count(), 1500);
}

TEST(LineDefaultsTest, RefusesIdsUnknownKeysDoublesAndBadValues) {
  using List = std::vector<std::pair<std::string, std::string>>;
  for (const List& list : std::vector<List>{{{"account_id", "a"}},
                                            {{"recording_id", "r"}},
                                            {{"profile_ids", "p"}},
                                            {{"device_id", "d"}},
                                            {{"colour", "red"}},
                                            {{"", "x"}},
                                            {{"wake", "LOUD"}},
                                            {{"wake", ""}},
                                            {{"country", "DE"}, {"country", "RO"}},
                                            {{"captured_uncertainty_ms", "1x"}},
                                            {{"captured_uncertainty_ms", ""}},
                                            {{"flags", ""}},
                                            {{"flags", "SAFETY,,SAFETY"}},
                                            {{"captured_at", "yesterday"}}}) {
    EXPECT_FALSE(LineDefaults::Create(list).ok()) << (list.empty() ? "" : list[0].first + "=" + list[0].second);
  }
}

TEST(RecordingLineReaderTest, GivesEachLineItsNumberAndWhatItSaysOrWhatIsWrong) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string first = R"({"recording_id":"r1","account_id":"a"})";
  const std::string text = first + "\r\n \n[]\n" + std::string(kMaxLineBytes + 1, ' ') + "\n" +
                           R"({"recording_id":"r2","account_id":"b","country":"RO"})";
  std::thread writer([&] {
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
  });
  RecordingLineReader reader(ends[0], *LineDefaults::Create({{"country", "DE"}}));
  using Result = RecordingLineReader::Result;
  ASSERT_EQ(reader.Next(), Result::kRecording);
  EXPECT_EQ(reader.number(), 1u);
  EXPECT_EQ(reader.text(), first);
  EXPECT_EQ(reader.line().recording.account_id, AccountId("a"));
  EXPECT_EQ(reader.line().place.country, "DE");
  EXPECT_TRUE(reader.problem().ok());
  ASSERT_EQ(reader.Next(), Result::kProblem);
  EXPECT_EQ(reader.number(), 3u) << "the blank line counts";
  EXPECT_EQ(reader.problem(), ParseRecordingLine("[]").status());
  EXPECT_TRUE(reader.line().recording.recording_id.empty()) << "nothing of the line before";
  ASSERT_EQ(reader.Next(), Result::kProblem);
  EXPECT_EQ(reader.number(), 4u);
  EXPECT_EQ(reader.problem().message(), "the line is longer than 65536 bytes");
  ASSERT_EQ(reader.Next(), Result::kRecording);
  EXPECT_EQ(reader.number(), 5u);
  EXPECT_EQ(reader.line().place.country, "RO");
  EXPECT_EQ(reader.Next(), Result::kEnd);
  EXPECT_TRUE(reader.line().recording.recording_id.empty());
  EXPECT_EQ(reader.bytes(), text.size());
  writer.join();
  ::close(ends[0]);
  RecordingLineReader closed(-1);
  EXPECT_EQ(closed.Next(), Result::kError);
}

TEST(AnonymousLineTest, HoldsNothingOfAPerson) {
  Recording recording = ParseRecordingLine(kWhole, {})->recording;
  const json line = json::parse(AnonymousLine(recording, "0123"));
  EXPECT_EQ(line,
            json::parse(R"({"recording_id":"r1","pseudonym":"0123","region":"US","wake":"BUTTON","kind":"COMMAND",)"
                        R"("speakers":"ONE","artefact":"TRANSCRIPT","made_for":"HUMAN_REVIEW"})"));
}

TEST(PseudonymTest, DiffersPerRecordingAndPerRun) {
  testing::FakeRandom random;
  const Pseudonyms first(random);
  const Pseudonyms second(random);
  const std::string name = first.For(AccountId("a"), RecordingId("r"));
  EXPECT_EQ(name.size(), 32u);
  EXPECT_EQ(name, first.For(AccountId("a"), RecordingId("r")));
  EXPECT_NE(name, first.For(AccountId("a"), RecordingId("s")));
  EXPECT_NE(name, first.For(AccountId("b"), RecordingId("r")));
  EXPECT_NE(first.For(AccountId("ab"), RecordingId("c")), first.For(AccountId("a"), RecordingId("bc")));
  EXPECT_NE(name, second.For(AccountId("a"), RecordingId("r")));
}

TEST(Utf8Test, TakesOnlyWhatRfc3629Allows) {
  for (const char* good : {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(base::IsUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xe1\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xfe"}) {
    EXPECT_FALSE(base::IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace consent::json_lines_test
