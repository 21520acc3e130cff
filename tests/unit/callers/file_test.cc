// What a callers' file may say: each bound and each refusal.
#include "daemon/callers/file.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>

namespace consent::callers::file_test {
namespace {

using ::testing::HasSubstr;

v1::CallersFile Sample() {
  v1::CallersFile file;
  v1::Caller& sampler = *file.add_callers();
  sampler.set_name("sampler");
  sampler.add_identities("spiffe://example.org/sampler");
  sampler.add_roles(v1::ROLE_SAMPLER);
  sampler.set_max_certificate_hours(720);
  v1::Caller& vendor = *file.add_callers();
  vendor.set_name("vendor.eu-1");
  vendor.add_identities("purge.vendor.example");
  vendor.add_identities("spiffe://example.org/vendor/*");
  vendor.add_roles(v1::ROLE_PURGER);
  vendor.add_roles(v1::ROLE_STORE);
  vendor.add_systems("vendor_copies");
  vendor.mutable_limits()->set_calls_per_second(10);
  vendor.set_max_certificate_hours(24);
  return file;
}

std::string ToJson(const v1::CallersFile& file) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(file, &json).ok());
  return json;
}

// Empty: the file is valid.
std::string Problem(const std::string& json) { return std::string(ParseFile(json).status().message()); }
std::string Problem(const std::function<void(v1::Caller&)>& change) {
  v1::CallersFile file = Sample();
  change(*file.mutable_callers(1));
  return Problem(ToJson(file));
}
std::string ProblemOfIdentity(const std::string& identity) {
  return Problem([&](v1::Caller& caller) { caller.set_identities(0, identity); });
}

TEST(CallersFile, AValidOneIsRead) {
  const auto file = ParseFile(ToJson(Sample()));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->callers_size(), 2);
  EXPECT_EQ(Problem(R"({"callers":[{"name":"a","identities":["a.example"],"roles":["ROLE_AUDITOR"],)"
                    R"("max_certificate_hours":24}]})"),
            "");
}

TEST(CallersFile, TheShippedExampleIsValidAndItsPeopleHaveShortCertificates) {
  std::ifstream in(CONSENT_SOURCE_DIR "/deploy/examples/callers.json");
  std::stringstream text;
  text << in.rdbuf();
  const auto file = ParseFile(text.str());
  ASSERT_TRUE(file.ok()) << file.status();
  std::set<int> roles;
  for (const v1::Caller& caller : file->callers()) {
    for (const int role : caller.roles()) {
      roles.insert(role);
      if (role == v1::ROLE_OFFICER || role == v1::ROLE_OPERATOR || role == v1::ROLE_AUDITOR) {
        EXPECT_LE(caller.max_certificate_hours(), 24) << caller.name();
      }
    }
  }
  EXPECT_EQ(roles.size(), 8U) << "each role but EDGE has its example";
}

TEST(CallersFile, ItsFormIsStrict) {
  EXPECT_THAT(Problem(""), HasSubstr("not JSON"));
  EXPECT_THAT(Problem("[]"), HasSubstr("one JSON object"));
  EXPECT_THAT(Problem("{}"), HasSubstr("callers: 0 entries are not within 1 to 1024"));
  EXPECT_THAT(Problem(R"({"caller":[]})"), HasSubstr("caller: unknown key"));
  EXPECT_THAT(Problem(R"({"callers":[{"name":"a","name":"b"}]})"), HasSubstr("callers[0].name: the key occurs twice"));
  EXPECT_THAT(Problem(R"({"callers":[{"max_certificate_hours":1,"maxCertificateHours":2}]})"), HasSubstr("twice"));
  EXPECT_THAT(Problem(R"({"callers":[{"roles":"ROLE_AUDITOR"}]})"), HasSubstr("must be a list"));
  EXPECT_THAT(Problem(R"({"callers":[{"limits":null}]})"), HasSubstr("null"));
  EXPECT_THAT(Problem(R"({"callers":[{"roles":["ROLE_KING"]}]})"), HasSubstr("callers: "));
  EXPECT_THAT(Problem("{" + std::string(kMaxFileBytes, ' ') + "}"), HasSubstr("at most 1048576 are allowed"));
}

TEST(CallersFile, NamesAreLabelsAndEachIsThereOnce) {
  const auto named = [](const std::string& name) {
    return Problem([&](v1::Caller& caller) { caller.set_name(name); });
  };
  for (const char* good : {"a", "a-b_c.d9"}) EXPECT_EQ(named(good), "") << good;
  EXPECT_EQ(named(std::string(64, 'a')), "");
  for (const char* bad : {"", "A", "a b", "9a", "-a", "\xc3\xa9", "local", "other", "unknown"})
    EXPECT_NE(named(bad), "") << bad;
  EXPECT_NE(named(std::string(65, 'a')), "");
  EXPECT_THAT(named("sampler"), HasSubstr("already at callers[0].name"));
}

TEST(CallersFile, IdentitiesAreUrisOrDnsNames) {
  for (const char* good : {"a", "a-1.example.org", "spiffe://td/ns/prod/sa/x", "spiffe://td/*", "spiffe://td/a/b.c/*",
                           "https://host.example:8443/path", "https://host.example", "urn+x://a/B"}) {
    EXPECT_EQ(ProblemOfIdentity(good), "") << good;
  }
  for (const char* bad : {"",
                          "*",
                          "*.example",
                          "A.example",
                          "a..b",
                          ".a",
                          "a.",
                          "-a.b",
                          "a_b",
                          "a b",
                          "a/b",
                          "spiffe://",
                          "spiffe://td",
                          "spiffe://td/",
                          "spiffe://*",
                          "spiffe://td/a//b",
                          "spiffe:///a",
                          "Spiffe://td/a",
                          "://td/a",
                          "spiffe://TD/a",
                          "spiffe://td:1/a",
                          "spiffe://td/../a",
                          "spiffe://td/.",
                          "spiffe://td/a*",
                          "spiffe://td/*/a",
                          "spiffe://td/a/**",
                          "spiffe://td/a?b",
                          "spiffe://td/a#b",
                          "spiffe://td/%41",
                          "spiffe://u@td/a",
                          "spiffe://td/a/"}) {
    EXPECT_NE(ProblemOfIdentity(bad), "") << bad;
  }
  EXPECT_EQ(ProblemOfIdentity("spiffe://td/" + std::string(kMaxIdentityBytes - 12, 'a')), "");
  EXPECT_NE(ProblemOfIdentity("spiffe://td/" + std::string(kMaxIdentityBytes - 11, 'a')), "");
  EXPECT_NE(ProblemOfIdentity(std::string(64, 'a')), "") << "a label of a DNS name has 63 bytes at most";
}

TEST(CallersFile, NoIdentityIsThereTwiceNorCovered) {
  EXPECT_THAT(ProblemOfIdentity("spiffe://example.org/sampler"), HasSubstr("already at callers[0].identities[0]"));
  EXPECT_THAT(ProblemOfIdentity("spiffe://example.org/vendor/one"), HasSubstr("covered by the `/*`"));
  EXPECT_THAT(ProblemOfIdentity("spiffe://example.org/*"), HasSubstr("covered by the `/*`")) << "the sampler";
  EXPECT_EQ(ProblemOfIdentity("spiffe://example.org/vendor/one/two"), "") << "one segment more than the pattern";
}

TEST(CallersFile, RolesAndSystemsGoTogether) {
  EXPECT_THAT(Problem([](v1::Caller& c) { c.clear_roles(); }), HasSubstr("roles: 0 entries"));
  EXPECT_THAT(Problem([](v1::Caller& c) { c.add_roles(v1::ROLE_EDGE); }), HasSubstr("reserved"));
  EXPECT_THAT(Problem([](v1::Caller& c) { c.add_roles(v1::ROLE_UNSPECIFIED); }), HasSubstr("no role"));
  EXPECT_THAT(Problem([](v1::Caller& c) { c.add_roles(static_cast<v1::Role>(99)); }), HasSubstr("no role"));
  EXPECT_THAT(Problem([](v1::Caller& c) { c.add_roles(v1::ROLE_STORE); }), HasSubstr("twice"));
  EXPECT_THAT(Problem([](v1::Caller& c) { c.clear_systems(); }), HasSubstr("systems: 0 entries"));
  EXPECT_THAT(Problem([](v1::Caller& c) { c.add_systems("vendor_copies"); }), HasSubstr("already at"));
  EXPECT_THAT(Problem([](v1::Caller& c) { c.add_systems("Audio"); }), HasSubstr("[a-z0-9_-]"));
  EXPECT_THAT(Problem([](v1::Caller& c) {
                c.clear_roles();
                c.add_roles(v1::ROLE_BACKEND);
              }),
              HasSubstr("ROLE_PURGER and ROLE_STORE alone"));
}

TEST(CallersFile, NumbersAndListsHaveBounds) {
  for (const auto& [good, value] : {std::pair(true, 0), {true, 1'000'000}, {false, -1}, {false, 1'000'001}}) {
    EXPECT_EQ(Problem([value = value](v1::Caller& c) { c.mutable_limits()->set_calls_per_second(value); }).empty(),
              good);
  }
  for (const auto& [good, value] : {std::pair(true, 100'000'000), {false, -1}, {false, 100'000'001}}) {
    EXPECT_EQ(Problem([value = value](v1::Caller& c) { c.mutable_limits()->set_items_per_second(value); }).empty(),
              good);
  }
  for (const auto& [good, value] : {std::pair(true, 65'536), {false, -1}, {false, 65'537}}) {
    EXPECT_EQ(Problem([value = value](v1::Caller& c) { c.mutable_limits()->set_calls_in_flight(value); }).empty(),
              good);
  }
  for (const auto& [good, value] : {std::pair(true, 0), {true, 512}, {false, -1}, {false, 513}}) {
    EXPECT_EQ(Problem([value = value](v1::Caller& c) { c.mutable_limits()->set_connections(value); }).empty(), good);
  }
  for (const auto& [good, value] :
       {std::pair(true, 1), {true, kMaxCertificateHours}, {false, 0}, {false, kMaxCertificateHours + 1}}) {
    EXPECT_EQ(Problem([value = value](v1::Caller& c) { c.set_max_certificate_hours(value); }).empty(), good) << value;
  }
  const auto fill = [](v1::Caller& c, int identities, int systems) {
    c.clear_identities();
    for (int i = 0; i < identities; ++i) c.add_identities("host" + std::to_string(i));
    c.clear_systems();
    for (int i = 0; i < systems; ++i) c.add_systems("s" + std::to_string(i));
  };
  EXPECT_EQ(Problem([&](v1::Caller& c) { fill(c, kMaxIdentities, kMaxSystems); }), "");
  EXPECT_THAT(Problem([&](v1::Caller& c) { fill(c, kMaxIdentities + 1, 1); }), HasSubstr("identities: 65 entries"));
  EXPECT_THAT(Problem([&](v1::Caller& c) { fill(c, 1, kMaxSystems + 1); }), HasSubstr("systems: 65 entries"));
  EXPECT_THAT(Problem([&](v1::Caller& c) { fill(c, 0, 1); }), HasSubstr("identities: 0 entries"));
}

TEST(CallersFile, AWholeFileHasBounds) {
  const auto many = [](int callers, int identities) {
    v1::CallersFile file;
    for (int i = 0; i < callers; ++i) {
      v1::Caller& caller = *file.add_callers();
      caller = Sample().callers(0);
      caller.set_name("c" + std::to_string(i));
      caller.clear_identities();
      for (int k = 0; k < identities; ++k) caller.add_identities("h" + std::to_string(i) + "-" + std::to_string(k));
    }
    return Problem(ToJson(file));
  };
  EXPECT_EQ(many(kMaxCallers, 8), "");
  EXPECT_THAT(many(kMaxCallers + 1, 1), HasSubstr("callers: 1025 entries"));
  EXPECT_THAT(many(kMaxCallers, 9), HasSubstr("9216 identities are more than 8192"));
}

}  // namespace
}  // namespace consent::callers::file_test
