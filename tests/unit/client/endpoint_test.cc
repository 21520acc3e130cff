// Without certificates only this machine can be reached.
#include "client/src/endpoint.h"

#include <gtest/gtest.h>

#include "client/src/default_endpoint.h"
#include "consent/client.h"

namespace consent {
namespace {

TEST(EndpointTest, TakesThisMachine) {
  EXPECT_EQ(*TargetOf("unix:/run/consentd/consentd.sock"), "unix:/run/consentd/consentd.sock");
  EXPECT_EQ(*TargetOf("unix:///run/consentd.sock"), "unix:/run/consentd.sock");
  EXPECT_EQ(*TargetOf("127.0.0.1:7400"), "ipv4:127.0.0.1:7400");
  EXPECT_EQ(*TargetOf("127.1.2.3:1"), "ipv4:127.1.2.3:1");
  EXPECT_EQ(*TargetOf("localhost:65535"), "ipv4:127.0.0.1:65535");
  for (const char* same : {"[::1]:7400", "[0:0:0:0:0:0:0:1]:7400", "[0000::0001]:7400"}) {
    EXPECT_EQ(*TargetOf(same), "ipv6:[::1]:7400") << same;
  }
}

TEST(EndpointTest, APathIsNoAddressOfTheWeb) {
  EXPECT_EQ(*TargetOf("unix:/a b/c%41?d#e,f:g"), "unix:/a%20b/c%2541%3Fd%23e%2Cf%3Ag");
  EXPECT_EQ(*TargetOf("unix:/\xc3\xa9"), "unix:/%C3%A9");
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
    EXPECT_FALSE(TargetOf(endpoint).ok()) << endpoint;
  }
  EXPECT_FALSE(TargetOf("unix:/" + std::string(107, 'x')).ok());
  EXPECT_TRUE(TargetOf("unix:/" + std::string(106, 'x')).ok());
  EXPECT_FALSE(TargetOf(std::string("unix:/a\0b", 9)).ok());
  EXPECT_FALSE(TargetOf(std::string("127.0.0.1\0b:1", 13)).ok());
  EXPECT_FALSE(TargetOf(std::string("[::1\0]:1", 8)).ok());
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
