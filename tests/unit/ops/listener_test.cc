// Places and what follows them: every form, and every way to get it wrong.
#include "daemon/ops/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace consent::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string WhyNot(std::string_view text) {
  const absl::StatusOr<ListenOption> option = ParseListen(text);
  EXPECT_TRUE(option.ok() || absl::IsInvalidArgument(option.status()));
  return option.ok() ? "taken" : std::string(option.status().message());
}

TEST(PlaceTest, AddressesNamesAndAll) {
  for (const char* text : {"unix:/run/consentd/consentd.sock", "127.0.0.1:0", "0.0.0.0:7443", "[::]:7443",
                           "[2001:db8::7]:1", "consent.example.com:7443", "localhost:0", "a-b.c1:65535", "*:7443"}) {
    const absl::StatusOr<Place> place = Place::Parse(text);
    ASSERT_TRUE(place.ok()) << place.status();
    EXPECT_EQ(place->text(), text);
  }
  for (const char* text :
       {"",     ":1",     "host",       "host:",         "host:x",   "host:65536", "host:-1",     "host:01",
        "-a:1", "a..b:1", ".a:1",       "a b:1",         "a/b:1",    "1.2.3:4",    "1.2.3.4.5:6", "**:1",
        "*",    "[*]:1",  "dns:host:1", "http://host:1", "::1:7000", "[host]:1",   "user@host:1", "unix:relative"}) {
    EXPECT_FALSE(Place::Parse(text).ok()) << text;
  }
  EXPECT_FALSE(Place::Parse(std::string(254, 'a') + ":1").ok());
  EXPECT_FALSE(Place::Parse(std::string_view("a\0b:1", 5)).ok());
}

TEST(PlaceTest, OnlyWhatNoNameServiceDecidesIsLocal) {
  for (const char* local : {"unix:/run/x", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"})
    EXPECT_TRUE(Place::Parse(local)->IsLocal()) << local;
  for (const char* other : {"localhost:1", "*:1", "0.0.0.0:1", "[::]:1", "10.0.0.1:1"})
    EXPECT_FALSE(Place::Parse(other)->IsLocal()) << other;
}

TEST(PlaceTest, ResolvesToAddresses) {
  EXPECT_THAT(*Place::Parse("[::1]:7")->Resolve(), ElementsAre(*Address::Parse("[::1]:7")));
  const auto all = Place::Parse("*:7")->Resolve();
  ASSERT_TRUE(all.ok());
  EXPECT_EQ((*all)[0].ToText(), "0.0.0.0:7");
  EXPECT_LE(all->size(), 2U);
  const auto here = Place::Parse("localhost:7")->Resolve();
  ASSERT_TRUE(here.ok()) << here.status();
  for (const Address& address : *here) EXPECT_TRUE(address.IsLoopback()) << address.ToText();
  EXPECT_FALSE(Place::Parse("no-such-host.invalid:7")->Resolve().ok());
}

TEST(PlaceTest, CollidesWithItself) {
  EXPECT_TRUE(Place::Parse("[0::1]:7")->Collides(*Place::Parse("[::1]:7")));
  EXPECT_FALSE(Place::Parse("[::1]:7")->Collides(*Place::Parse("[::1]:8")));
  EXPECT_FALSE(Place::Parse("127.0.0.1:0")->Collides(*Place::Parse("127.0.0.1:0"))) << "the system chooses two";
}

TEST(ParseListenTest, WhoComesThere) {
  const absl::StatusOr<ListenOption> plain = ParseListen("unix:/run/s");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->name, "local");
  EXPECT_THAT(plain->roles, IsEmpty());
  EXPECT_THAT(plain->systems, IsEmpty());
  const absl::StatusOr<ListenOption> whole =
      ParseListen("unix:/run/s,group=samplers,roles=SAMPLER+ROLE_STORE,name=ingest-1,systems=audio+transcripts-eu");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->place.text(), "unix:/run/s");
  EXPECT_EQ(whole->group, "samplers");
  EXPECT_EQ(whole->name, "ingest-1");
  EXPECT_THAT(whole->roles, ElementsAre("SAMPLER", "ROLE_STORE"));
  EXPECT_THAT(whole->systems, ElementsAre("audio", "transcripts-eu"));
  EXPECT_TRUE(ParseListen("127.0.0.1:0,roles=BACKEND").ok());
}

TEST(ParseListenTest, EachWrongAttributeIsNamed) {
  EXPECT_THAT(WhyNot("unix:/run/s,"), HasSubstr("none of group=, roles=, name= and systems="));
  EXPECT_THAT(WhyNot("unix:/run/s,mode=0777"), HasSubstr("none of"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles"), HasSubstr("no role"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles="), HasSubstr("no role"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=SAMPLER+"), HasSubstr("no role"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=sampler"), HasSubstr("takes some of BACKEND, SAMPLER"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=UNSPECIFIED"), HasSubstr("no role"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=SAMPLER+EDGE"), HasSubstr("'EDGE' is no role"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=ROLE_EDGE"), HasSubstr("OFFICER, REVIEW_TOOL, with + between them"));
  for (const std::string name : {"", "a b", "a+b", "Ingest", "1st", "-a", "a/b"}) {
    EXPECT_THAT(WhyNot("unix:/run/s,name=" + name), HasSubstr("1 to 64 bytes of [a-z0-9._-]")) << name;
  }
  EXPECT_THAT(WhyNot("unix:/run/s,name=" + std::string(65, 'x')), HasSubstr("1 to 64"));
  for (const std::string name : {"local", "other", "unknown"}) {
    EXPECT_THAT(WhyNot("unix:/run/s,name=" + name), HasSubstr("is taken")) << "as for a caller";
  }
  for (const std::string system : {"", "Audio", "a.b", "a b", "a+"}) {
    EXPECT_THAT(WhyNot("unix:/run/s,systems=" + system), HasSubstr("1 to 64 bytes of [a-z0-9_-]")) << system;
  }
  EXPECT_THAT(WhyNot("unix:/run/s,group="), HasSubstr("1 to 64 bytes of [A-Za-z0-9._-]"));
  EXPECT_THAT(WhyNot("unix:/run/s,group=a b"), HasSubstr("1 to 64 bytes of [A-Za-z0-9._-]"));
  EXPECT_THAT(WhyNot("unix:/run/s,systems=a,systems=b"), HasSubstr("stands twice"));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=PURGER"), HasSubstr("by systems="));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=SAMPLER+ROLE_STORE"), HasSubstr("by systems="));
  EXPECT_THAT(WhyNot("unix:/run/s,roles=SAMPLER,systems=audio"), HasSubstr("ROLE_STORE alone"));
  EXPECT_TRUE(ParseListen("unix:/run/s,systems=audio").ok()) << "all roles";
  EXPECT_THAT(WhyNot("127.0.0.1:1,group=g"), HasSubstr("for a Unix socket"));
  std::string many = "unix:/run/s,systems=a";
  for (int i = 0; i < 64; ++i) many += "+a";
  EXPECT_THAT(WhyNot(many), HasSubstr("at most 64"));
}

}  // namespace
}  // namespace consent::ops
