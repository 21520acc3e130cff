#include "daemon/ops/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/unit/ops/http_peer.h"

namespace consent::ops::http_test {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<prometheus::MetricFamily> OneCounter() {
  prometheus::MetricFamily family;
  family.name = "consentd_things_total";
  family.help = "Things.";
  family.type = prometheus::MetricType::Counter;
  family.metric.emplace_back().counter.value = 3;
  return {family};
}

class HttpTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.ok()) << server_.status(); }
  const Address& address() const { return (*server_)->address(); }
  std::string Ask(const std::string& request) const { return Peer(address()).Ask(request); }
  // All that comes for `bytes`, until the server ends the connection.
  std::string Whole(const std::string& bytes) const {
    Peer peer(address());
    peer.Send(bytes);
    std::string all = peer.ToTheEnd();
    EXPECT_TRUE(peer.ended());
    return all;
  }

  Health health_{{}};
  absl::StatusOr<std::unique_ptr<HttpServer>> server_ =
      HttpServer::Start(*Address::Parse("127.0.0.1:0"), OneCounter, health_);
};

TEST_F(HttpTest, Metrics) {
  EXPECT_NE(address().port(), 0);
  EXPECT_THAT(Ask("GET /metrics"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                         HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                                         HasSubstr("\nconsentd_things_total 3")));
}

TEST_F(HttpTest, AliveUnlessFailedAndReadyWhileServing) {
  struct Case {
    HealthState state;
    std::string alive;
    std::string ready;
  };
  for (const Case& c : {
           Case{HealthState::kStarting, "200 OK", "503 Service Unavailable"},
           Case{HealthState::kServing, "200 OK", "200 OK"},
           Case{HealthState::kDraining, "200 OK", "503 Service Unavailable"},
           Case{HealthState::kFailed, "503 Service Unavailable", "503 Service Unavailable"},
       }) {
    health_.Set(c.state);
    const std::string name = HealthStateName(c.state);
    EXPECT_THAT(Ask("GET /livez"),
                AllOf(StartsWith("HTTP/1.1 " + c.alive + "\r\n"), EndsWith("\r\n\r\n" + name + "\n")));
    EXPECT_THAT(Ask("GET /readyz"),
                AllOf(StartsWith("HTTP/1.1 " + c.ready + "\r\n"), EndsWith("\r\n\r\n" + name + "\n")));
  }
}

TEST_F(HttpTest, HeadIsGetWithoutTheBody) {
  for (const char* path : {"/metrics", "/livez", "/readyz", "/elsewhere"}) {
    const std::string got = Ask(std::string("GET ") + path);
    EXPECT_EQ(Ask(std::string("HEAD ") + path), got.substr(0, got.find("\r\n\r\n") + 4)) << path;
  }
}

TEST_F(HttpTest, NothingElseIsServed) {
  for (const char* path : {"/", "/healthz", "/metrics/more", "/../etc/passwd", "/metrics/", "*"}) {
    EXPECT_THAT(Ask(std::string("GET ") + path), StartsWith(path[0] == '*' ? "HTTP/1.1 4" : "HTTP/1.1 404 ")) << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"}) {
    for (const char* path : {"/metrics", "/livez", "/readyz", "/"}) {
      EXPECT_THAT(Ask(std::string(method) + " " + path),
                  AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: GET, HEAD\r\n")))
          << method;
    }
  }
}

TEST_F(HttpTest, WhatIsRefusedEndsTheConnection) {
  const std::string long_head = "GET /livez HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n";
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, std::string>>{
           {"GET /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "413"},
           {"GET /livez HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "413"},
           {"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405"},
           {long_head, "431"},
           {"GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n", "431"},
           {"\x16\x03\x01\x02", "400"},
           {"nonsense\r\n\r\n", "400"},
           {"GET /livez HTTP/1.1\n", "400"},
           {"GET /livez HTTP/3.0\r\n\r\n", "400"},
       }) {
    EXPECT_THAT(
        Whole(bytes + "GET /livez HTTP/1.1\r\n\r\n"),
        AllOf(StartsWith("HTTP/1.1 " + status), HasSubstr("\r\nConnection: close\r\n"), Not(HasSubstr("starting"))))
        << bytes.substr(0, 80);
  }
  // A head that its sender ends in the middle.
  Peer half(address());
  half.Send("GET /livez HTTP/1.1\r\nHo");
  half.SendNoMore();
  EXPECT_THAT(half.ToTheEnd(), StartsWith("HTTP/1.1 400"));
}

// Without hearing it out, the system would answer what still comes with a reset, and the peer would lose its answer.
TEST_F(HttpTest, APeerThatStillSendsGetsItsAnswer) {
  const std::string body(500'000, 'b');
  for (int i = 0; i < 20; ++i) {
    Peer peer(address());
    peer.Send("POST /metrics HTTP/1.1\r\nContent-Length: 500000\r\n\r\n");
    peer.Send(body);
    peer.SendNoMore();
    EXPECT_THAT(peer.ToTheEnd(), AllOf(StartsWith("HTTP/1.1 405"), EndsWith("are served.\n")));
  }
}

TEST_F(HttpTest, AConnectionIsKept) {
  Peer peer(address());
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(peer.Ask("GET /livez"), AllOf(HasSubstr("\r\nConnection: keep-alive\r\n"), EndsWith("starting\n")));
    EXPECT_THAT(peer.Ask("HEAD /metrics"), EndsWith("\r\n\r\n"));
    EXPECT_THAT(peer.Ask("GET /metrics"), EndsWith("consentd_things_total 3\n"));
    EXPECT_THAT(peer.Ask("GET /none"), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(peer.Ask("PUT /none"), StartsWith("HTTP/1.1 405"));
  }
}

TEST_F(HttpTest, AConnectionIsClosedWhereThePeerWants) {
  const std::string closing = "\r\nConnection: close\r\n";
  EXPECT_THAT(Whole("GET /livez HTTP/1.1\r\nConnection: close\r\n\r\nGET /none HTTP/1.1\r\n\r\n"),
              AllOf(HasSubstr(closing), EndsWith("starting\n"), Not(HasSubstr("404"))));
  EXPECT_THAT(Whole("GET /livez HTTP/1.0\r\n\r\n"), AllOf(HasSubstr(closing), EndsWith("starting\n")));
  EXPECT_THAT(Whole("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /none HTTP/1.0\r\n\r\n"),
              AllOf(HasSubstr("\r\nConnection: keep-alive\r\n"), HasSubstr("starting\n"), HasSubstr("404"),
                    HasSubstr(closing)));
  // A peer that says at once that it has no more to say.
  Peer half(address());
  half.Send("GET /metrics HTTP/1.1\r\n\r\n");
  half.SendNoMore();
  EXPECT_THAT(half.ToTheEnd(), EndsWith("consentd_things_total 3\n"));
}

TEST_F(HttpTest, PipelinedRequestsAreAnsweredInTheirOrder) {
  const std::string four =
      "GET /livez HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\nHEAD /readyz HTTP/1.1\r\n\r\nGET /none HTTP/1.1\r\n\r\n";
  Peer peer(address());
  // More than the server reads at a time, so that some heads come in two parts.
  constexpr int kTimes = 400;
  std::string all;
  for (int i = 0; i < kTimes; ++i) all += four;
  std::thread sender([&] { peer.Send(all); });
  for (int i = 0; i < kTimes; ++i) {
    ASSERT_THAT(peer.Answer(), EndsWith("starting\n")) << i;
    ASSERT_THAT(peer.Answer(), EndsWith("consentd_things_total 3\n")) << i;
    ASSERT_THAT(peer.Answer(true), AllOf(StartsWith("HTTP/1.1 503"), EndsWith("\r\n\r\n"))) << i;
    ASSERT_THAT(peer.Answer(), StartsWith("HTTP/1.1 404")) << i;
  }
  sender.join();
}

TEST_F(HttpTest, AHeadMayComeInAnyParts) {
  const std::string two = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\n\r\n";
  for (size_t cut = 1; cut < two.size(); ++cut) {
    Peer peer(address());
    peer.Send(two.substr(0, cut));
    peer.Send(two.substr(cut));
    EXPECT_THAT(peer.Answer(), EndsWith("starting\n")) << cut;
    EXPECT_THAT(peer.Answer(), StartsWith("HTTP/1.1 404")) << cut;
  }
  Peer drop(address());
  for (const char byte : two) drop.Send({&byte, 1});
  EXPECT_THAT(drop.Answer(), EndsWith("starting\n"));
  EXPECT_THAT(drop.Answer(), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpTest, AnAddressInUseIsSaid) {
  const auto second = HttpServer::Start(address(), OneCounter, health_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr(address().ToText()), HasSubstr("another process")));
}

TEST_F(HttpTest, Ipv6) {
  const auto server = HttpServer::Start(*Address::Parse("[::1]:0"), OneCounter, health_);
  if (!server.ok()) GTEST_SKIP() << "this machine has no IPv6: " << server.status();
  EXPECT_THAT(Peer((*server)->address()).Ask("GET /livez"), EndsWith("starting\n"));
}

}  // namespace
}  // namespace consent::ops::http_test
