// What is refused before the fields are looked at, and what a document says of itself.
#include "daemon/policy/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/json/scan.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string Valid() { return ToJson(SamplePolicy()); }

TEST(Document, KeepsBytesVersionAndHash) {
  const std::string json = "\n " + Valid() + "\n";
  const absl::StatusOr<Document> document = Document::Parse(json);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->json(), json);
  EXPECT_EQ(document->version(), "v1");
  EXPECT_EQ(document->hash(), base::Sha256(json));
  EXPECT_EQ(document->policy().regimes_size(), 3);
  const Document copy = *document;
  EXPECT_EQ(&copy.json(), &document->json());
}

TEST(Document, TakesBothSpellingsOfKeys) {
  EXPECT_EQ(ParseError(Replaced(Valid(), "\"unknownRegionRegime\"", "\"unknown_region_regime\"")), "");
}

TEST(Document, RefusesUnknownKeys) {
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"version\"", "\"colour\":\"red\",\"version\"")),
              StartsWith("policy: colour: unknown key (permitted: version, regimes, "));
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"name\":\"us\"", "\"name\":\"us\",\"allowSeveralSpekers\":true")),
              StartsWith("policy: regimes[1].allowSeveralSpekers: unknown key"));
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"retentionChoices\":{", "\"retentionChoices\":{\"a\\n\":1,")),
              StartsWith("policy: retentionChoices.a\\n: unknown key"));
}

TEST(Document, RefusesDuplicateKeys) {
  const std::string message = ": the key occurs twice in one object";
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"version\"", "\"version\":\"v0\",\"version\"")),
              StartsWith("policy: version" + message));
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"version\"", "\"v\\u0065rsion\":\"v0\",\"version\"")),
              StartsWith("policy: version" + message));
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"unknownRegionRegime\"",
                                  "\"unknown_region_regime\":\"eea\",\"unknownRegionRegime\"")),
              StartsWith("policy: unknownRegionRegime" + message));
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"DE\":16", "\"DE\":13,\"DE\":16")),
              StartsWith("policy: agesOfConsent[\"DE\"]" + message));
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"name\":\"us\"", "\"name\":\"us\",\"name\":\"us\"")),
              StartsWith("policy: regimes[1].name" + message));
}

TEST(Document, RefusesUnknownEnumNames) {
  EXPECT_THAT(ParseError(Replaced(Valid(), "DEFAULT_RULE_OPT_OUT", "OPT_OUT")),
              HasSubstr("regimes[1].defaultRule: \"OPT_OUT\" is no DefaultRule (permitted: DEFAULT_RULE_OPT_IN, "));
  EXPECT_THAT(ParseError(Replaced(Valid(), "\"DEFAULT_RULE_OPT_OUT\"", "9")),
              HasSubstr("regimes[1].default_rule: 9 is no"));
}

TEST(Document, RefusesWhatIsNotJson) {
  const std::string valid = Valid();
  for (size_t size = 0; size < valid.size(); ++size) ASSERT_NE(ParseError(valid.substr(0, size)), "") << size;
  for (const char* text :
       {"", " ", "null", "[]", "7", "\"v1\"", "true", "[{}]", "{'version':'v1'}", "{version:\"v1\"}",
        "{\"version\":\"v1\",}", "// policy\n{}", "{}{}", "{} x", "{\"version\":NaN}", "{\"a\":\"\t\"}"}) {
    EXPECT_NE(ParseError(text), "") << text;
  }
  EXPECT_THAT(ParseError(valid + "}"), HasSubstr("not JSON at byte"));
  EXPECT_THAT(ParseError(valid + std::string(1, '\0')), HasSubstr("NUL"));
  EXPECT_THAT(ParseError("\xEF\xBB\xBF" + valid), HasSubstr("byte order mark"));
  EXPECT_THAT(ParseError(Replaced(valid, "berlin", "berl\xFFn")), HasSubstr("not JSON at byte"));
  EXPECT_THAT(ParseError(Replaced(valid, "berlin", "\xED\xA0\x80")), HasSubstr("not JSON at byte"));  // a surrogate
  EXPECT_EQ(ParseError(Replaced(valid, "berlin", "M\xC3\xBCnchen")), "");
}

TEST(Document, RefusesWrongTypesAndRanges) {
  const std::string valid = Valid();
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"version\":\"v1\"", "\"version\":1"},
           {"\"version\":\"v1\"", "\"version\":{}"},
           {"\"DE\":16", "\"DE\":16.5"},
           {"\"DE\":16", "\"DE\":99999999999"},
           {"\"DE\":16", "\"DE\":1e400"},
           {"\"DE\":16", "\"DE\":-2147483649"},
           {"\"DE\":16", "\"DE\":[16]"},
           {"\"DE\":16", "\"DE\":null"},
           {"\"saysPeopleListen\":true", "\"saysPeopleListen\":\"yes\""},
           {"\"saysPeopleListen\":true", "\"saysPeopleListen\":\"true\""},
           {"\"saysPeopleListen\":true", "\"saysPeopleListen\":null"},
           {"\"DE\":16", "\"DE\":\"16\""},
           {"\"DE\":16", "\"DE\":{}"},
           {"\"falseWakeTtlSeconds\":\"3600\"", "\"falseWakeTtlSeconds\":\"1h\""},
           {"\"falseWakeTtlSeconds\":\"3600\"", "\"falseWakeTtlSeconds\":true"},
           {"\"DEFAULT_RULE_OPT_OUT\"", "2.0"},
           {"\"agesOfConsent\":{\"DE\":16}", "\"agesOfConsent\":[]"},
           {"\"agesOfConsent\":{\"DE\":16}", "\"agesOfConsent\":16"},
           {"\"regions\":[\"US\"]", "\"regions\":{}"},
           {"\"regions\":[\"US\"]", "\"regions\":[[\"US\"]]"},
           {"\"2026-01-01T00:00:00Z\"", "{\"seconds\":1767225600}"},
           {"\"saysPeopleListen\":true", "\"saysPeopleListen\":1"},
           {"\"2026-01-01T00:00:00Z\"", "\"2026-01-01\""},
           {"\"2026-01-01T00:00:00Z\"", "\"2026-02-30T00:00:00Z\""},
           {"\"2026-01-01T00:00:00Z\"", "\"1969-12-31T23:59:59Z\""},
           {"\"2026-01-01T00:00:00Z\"", "1767225600"},
           {"\"regions\":[\"US\"]", "\"regions\":\"US\""},
           {"\"regions\":[\"US\"]", "\"regions\":[\"US\",null]"},
           {"\"regions\":[\"US\"]", "\"regions\":[7]"}}) {
    EXPECT_NE(ParseError(Replaced(valid, from, to)), "") << to;
  }
}

TEST(Document, BoundsSizeAndNesting) {
  std::string padded = Valid();
  padded.append(kMaxFileBytes - padded.size(), ' ');
  EXPECT_EQ(ParseError(padded), "");
  EXPECT_THAT(ParseError(padded + " "), HasSubstr("at most 524288"));
  const std::string deep(100'000, '[');
  EXPECT_THAT(ParseError("{\"version\":" + deep), HasSubstr("version: must not be a list"));
  EXPECT_THAT(ParseError("{\"regimes\":" + deep), HasSubstr("regimes[0]: must not be a list"));
}

TEST(Document, ListsEveryProblem) {
  v1::Policy policy = SamplePolicy();
  policy.mutable_regimes(2)->add_regions("xx");
  policy.set_longest_answer_age_seconds(0);
  const std::string error = ParseError(ToJson(policy));
  EXPECT_THAT(error, HasSubstr("policy: 2 problems; regimes[2].regions[0]: \"xx\" is not ISO 3166-1"));
  EXPECT_THAT(error, HasSubstr("; longest_answer_age_seconds: 0 is not within 1 to 86400"));
}

TEST(Document, MessagesArePrintable) {
  v1::Policy policy = SamplePolicy();
  policy.set_version("\n\x1b[31m" + std::string(500, 'x'));
  const std::string error = ParseError(ToJson(policy));
  EXPECT_LT(error.size(), 200U);
  for (const char c : error) EXPECT_TRUE(c >= ' ' && c <= '~') << error;
  EXPECT_EQ(json::Printable("a\xC3\xBC", 10), "a\\xc3\\xbc");
  EXPECT_EQ(json::Printable("abcdef", 3), "abc...");
}

TEST(Document, AVersionNeverChangesItsContent) {
  const Document document = Parsed(SamplePolicy());
  EXPECT_TRUE(CheckSameContent(document.hash(), document).ok());
  const absl::StatusOr<Document> other = Document::Parse(document.json() + "\n");
  ASSERT_TRUE(other.ok());
  const absl::Status status = CheckSameContent(document.hash(), *other);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("version \"v1\" was activated before with another content"));
}

}  // namespace
}  // namespace consent::policy
