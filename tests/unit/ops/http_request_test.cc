#include "daemon/ops/http_request.h"

#include <gtest/gtest.h>

#include <string>

namespace consent::ops {
namespace {

constexpr size_t kMost = 8192;

struct Case {
  std::string bytes;
  HttpAsked asked;
};

HttpAsked Asked(const std::string& bytes) { return ReadHttpRequest(bytes, kMost).asked; }

TEST(HttpRequestTest, PathsAndMethods) {
  for (const Case& c : {
           Case{"GET /metrics HTTP/1.1\r\n\r\n", HttpAsked::kMetrics},
           Case{"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", HttpAsked::kMetrics},
           Case{"GET /livez HTTP/1.0\r\n\r\n", HttpAsked::kAlive},
           Case{"GET /readyz HTTP/1.1\r\nHost: x\r\nA: \r\nB:b\r\n\r\n", HttpAsked::kReady},
           Case{"GET /metrics?name[]=up HTTP/1.1\r\n\r\n", HttpAsked::kMetrics},
           Case{"GET http://127.0.0.1:9464/livez HTTP/1.1\r\n\r\n", HttpAsked::kAlive},
           Case{"GET http://127.0.0.1:9464 HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET / HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET /healthz HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET /metrics/ HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET /metrics/more HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET //metrics HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET /METRICS HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET /%6detrics HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"GET /../etc/passwd HTTP/1.1\r\n\r\n", HttpAsked::kElsewhere},
           Case{"POST /metrics HTTP/1.1\r\n\r\n", HttpAsked::kWrongMethod},
           Case{"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", HttpAsked::kWrongMethod},
           Case{"DELETE / HTTP/1.1\r\n\r\n", HttpAsked::kWrongMethod},
           Case{"OPTIONS * HTTP/1.1\r\n\r\n", HttpAsked::kWrongMethod},
           Case{"CONNECT a:1 HTTP/1.1\r\n\r\n", HttpAsked::kWrongMethod},
           Case{"BREW /metrics HTTP/1.1\r\n\r\n", HttpAsked::kWrongMethod},
           Case{"get /metrics HTTP/1.1\r\n\r\n", HttpAsked::kWrongMethod},
           Case{"GET /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", HttpAsked::kMetrics},
           Case{"GET /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\na", HttpAsked::kBody},
           Case{"GET /metrics HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", HttpAsked::kBody},
           Case{"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HttpAsked::kBody},
           Case{"GET /metrics HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", HttpAsked::kBody},
       }) {
    EXPECT_EQ(Asked(c.bytes), c.asked) << c.bytes;
  }
}

TEST(HttpRequestTest, WhatCannotBeRead) {
  for (const std::string& bytes : {
           std::string("\r\n\r\n"),
           std::string("GET\r\n\r\n"),
           std::string("GET /metrics\r\n\r\n"),
           std::string("GET /metrics HTTP/2.0\r\n\r\n"),
           std::string("GET /metrics HTTP/0.9\r\n\r\n"),
           std::string("GET /metrics HTTX/1.1\r\n\r\n"),
           std::string("GET  /metrics HTTP/1.1\r\n\r\n"),
           std::string("GET /met\x01rics HTTP/1.1\r\n\r\n"),
           std::string("GET /metrics HTTP/1.1\r\nno colon\r\n\r\n"),
           std::string("GET /metrics HTTP/1.1\r\na b: c\r\n\r\n"),
           std::string("GET /metrics HTTP/1.1\r\nA: b\nC: d\r\n\r\n"),
           std::string("GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
           std::string("GET /metrics HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n"),
           std::string("GET /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
           std::string("GET /metrics HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
           std::string("GET /met\0rics HTTP/1.1\r\n\r\n", 26),
           std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
           // Without the end of a head: no need to wait for it.
           std::string("\x16\x03\x01\x02\x00", 5),
           std::string("\n"),
           std::string(" "),
           std::string("GET /metrics HTTP/1.1\n"),
       }) {
    EXPECT_EQ(Asked(bytes), HttpAsked::kUnreadable) << bytes;
    EXPECT_FALSE(ReadHttpRequest(bytes, kMost).keep_alive) << bytes;
  }
}

TEST(HttpRequestTest, WhetherAnotherMayFollow) {
  struct Kept {
    std::string bytes;
    bool keep_alive;
  };
  for (const Kept& c : {
           Kept{"GET /livez HTTP/1.1\r\n\r\n", true},
           Kept{"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", false},
           Kept{"GET /livez HTTP/1.1\r\nConnection: Keep-Alive, CLOSE\r\n\r\n", false},
           Kept{"GET /livez HTTP/1.0\r\n\r\n", false},
           Kept{"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
           Kept{"GET /elsewhere HTTP/1.1\r\n\r\n", true},
           Kept{"POST /livez HTTP/1.1\r\n\r\n", true},
           // What follows is a body that nobody reads, not a request.
           Kept{"POST /livez HTTP/1.1\r\nContent-Length: 26\r\n\r\nGET /livez HTTP/1.1\r\n\r\n", false},
           Kept{"GET /livez HTTP/1.1\r\nContent-Length: 1\r\n\r\n", false},
           Kept{"GET /livez HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false},
       }) {
    EXPECT_EQ(ReadHttpRequest(c.bytes, kMost).keep_alive, c.keep_alive) << c.bytes;
  }
}

TEST(HttpRequestTest, AHeadIsBounded) {
  const std::string start = "GET /livez HTTP/1.1\r\nA: ";
  const std::string longest = start + std::string(kMost - start.size() - 4, 'a') + "\r\n\r\n";
  ASSERT_EQ(longest.size(), kMost);
  EXPECT_EQ(Asked(longest), HttpAsked::kAlive);
  EXPECT_EQ(Asked(longest.substr(0, kMost - 1)), HttpAsked::kNotYet);
  EXPECT_EQ(Asked(start + "a" + longest.substr(start.size())), HttpAsked::kTooLong);
  EXPECT_EQ(Asked(start + std::string(kMost, 'a')), HttpAsked::kTooLong);
  EXPECT_EQ(Asked("GET /" + std::string(kMost, 'a')), HttpAsked::kTooLong);
}

TEST(HttpRequestTest, OneHeadAtATime) {
  const std::string first = "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  const HttpRequest request = ReadHttpRequest(first + "GET /metrics HTTP/1.1\r\n\r\n", kMost);
  EXPECT_EQ(request.asked, HttpAsked::kAlive);
  EXPECT_TRUE(request.head_only);
  EXPECT_EQ(request.bytes, first.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(Asked(first.substr(0, i)), HttpAsked::kNotYet) << i;
}

}  // namespace
}  // namespace consent::ops
