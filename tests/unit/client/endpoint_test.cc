// Without certificates only this machine can be reached, with them any.
#include "client/src/endpoint.h"

#include <gtest/gtest.h>

#include "client/src/default_endpoint.h"
#include "consent/client.h"

namespace consent {
namespace {

TEST(EndpointTest, TakesThisMachine) {
  EXPECT_EQ(*TargetOf("unix:/run/consentd/consentd.sock", false), "unix:/run/consentd/consentd.sock");
  EXPECT_EQ(*TargetOf("unix:///run/consentd.sock", false), "unix:/run/consentd.sock");
  EXPECT_EQ(*TargetOf("127.0.0.1:7400", false), "ipv4:127.0.0.1:7400");
  EXPECT_EQ(*TargetOf("127.1.2.3:1", false), "ipv4:127.1.2.3:1");
  EXPECT_EQ(*TargetOf("localhost:65535", false), "ipv4:127.0.0.1:65535");
  for (const char* same : {"[::1]:7400", "[0:0:0:0:0:0:0:1]:7400", "[0000::0001]:7400"}) {
    EXPECT_EQ(*TargetOf(same, false), "ipv6:[::1]:7400") << same;
  }
}

TEST(EndpointTest, APathIsNoAddressOfTheWeb) {
  EXPECT_EQ(*TargetOf("unix:/a b/c%41?d#e,f:g", false), "unix:/a%20b/c%2541%3Fd%23e%2Cf%3Ag");
  EXPECT_EQ(*TargetOf("unix:/\xc3\xa9", false), "unix:/%C3%A9");
}

TEST(EndpointTest, WithCertificatesAnyMachine) {
  EXPECT_EQ(*TargetOf("consent.example.com:7443", true), "dns:///consent.example.com:7443");
  EXPECT_EQ(*TargetOf("localhost:7443", true), "dns:///localhost:7443") << "its certificate is of that name";
  EXPECT_EQ(*TargetOf("10.1.2.3:7443", true), "ipv4:10.1.2.3:7443");
  EXPECT_EQ(*TargetOf("[2001:db8::1]:7443", true), "ipv6:[2001:db8::1]:7443");
  EXPECT_EQ(*TargetOf("unix:/run/a.sock", true), "unix:/run/a.sock");
  for (const char* endpoint : {"", "host", "host:", "host:0", ":7443", "a b:1", "a/b:1", "dns:host:1", "http://host:1",
                               "-a:1", "a..b:1", ".a:1", "2001:db8::1:7443", "[host]:1", "[::1%lo]:1", "1.2.3:4",
                               "1.2.3.4.5:6", "user@host:1", "host,other:1"}) {
    EXPECT_FALSE(TargetOf(endpoint, true).ok()) << endpoint;
  }
  EXPECT_TRUE(TargetOf(std::string(253, 'a') + ":1", true).ok());
  EXPECT_FALSE(TargetOf(std::string(254, 'a') + ":1", true).ok());
  EXPECT_FALSE(TargetOf(std::string("host\0:1", 7), true).ok());
}

TEST(EndpointTest, RefusesEverythingElse) {
  for (const char* endpoint : {"",
                               "unix:",
                               "unix:relative.sock",
                               "unix://host/socket",
                               "127.0.0.1",
                               "127.0.0.1:",
                               "127.0.0.1:0",
                               "127.0.0.1:65536",
                               "127.0.0.1:1x",
                               "128.0.0.1:1",
                               "10.0.0.1:7400",
                               "0.0.0.0:7400",
                               "[::]:7400",
                               "::1:7400",
                               "example.com:443",
                               "dns:localhost:1",
                               "127.1:80",
                               "localhost.example.com:1",
                               "http://127.0.0.1:80",
                               "127.0.0.1:-1",
                               "[::2]:1",
                               "[::ffff:127.0.0.1]:1",
                               "[]:1",
                               "[::1:1"}) {
    EXPECT_FALSE(TargetOf(endpoint, false).ok()) << endpoint;
  }
  EXPECT_FALSE(TargetOf("unix:/" + std::string(107, 'x'), false).ok());
  EXPECT_TRUE(TargetOf("unix:/" + std::string(106, 'x'), false).ok());
  EXPECT_FALSE(TargetOf(std::string("unix:/a\0b", 9), false).ok());
  EXPECT_FALSE(TargetOf(std::string("127.0.0.1\0b:1", 13), false).ok());
  EXPECT_FALSE(TargetOf(std::string("[::1\0]:1", 8), false).ok());
}

TEST(EndpointTest, DefaultIsTheSystemsOrTheUsersOwnSocket) {
  EXPECT_EQ(DefaultEndpointFor(true, "/run/user/0"), "unix:/run/consentd/consentd.sock");
  EXPECT_EQ(DefaultEndpointFor(false, "/run/user/1000"), "unix:/run/user/1000/consentd/consentd.sock");
  EXPECT_EQ(DefaultEndpointFor(false, nullptr), "unix:/run/consentd/consentd.sock");
  EXPECT_EQ(DefaultEndpointFor(false, ""), "unix:/run/consentd/consentd.sock");
  EXPECT_EQ(DefaultEndpointFor(false, "relative"), "unix:/run/consentd/consentd.sock");
}

TEST(ClientOptionsTest, BoundsAreChecked) {
  const auto create = [](auto change) {
    ClientOptions options;
    options.endpoint = "unix:/nowhere";
    change(options);
    return Client::Create(std::move(options)).status().code();
  };
  using std::chrono::hours;
  using std::chrono::milliseconds;
  EXPECT_EQ(create([](ClientOptions&) {}), absl::StatusCode::kOk);
  const auto bad = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(create([](ClientOptions& o) { o.endpoint = "example.com:1"; }), bad);
  EXPECT_EQ(create([](ClientOptions& o) { o.deadline = milliseconds(0); }), bad);
  EXPECT_EQ(create([](ClientOptions& o) { o.deadline = hours(1) + milliseconds(1); }), bad);
  EXPECT_EQ(create([](ClientOptions& o) { o.retry.max_attempts = 0; }), bad);
  EXPECT_EQ(create([](ClientOptions& o) { o.retry.max_attempts = 11; }), bad);
  EXPECT_EQ(create([](ClientOptions& o) { o.retry.first_backoff = milliseconds(0); }), bad);
  EXPECT_EQ(create([](ClientOptions& o) { o.retry.max_backoff = milliseconds(1); }), bad);
  EXPECT_EQ(create([](ClientOptions& o) { o.retry.attempt_timeout = milliseconds(0); }), bad);
}

}  // namespace
}  // namespace consent
