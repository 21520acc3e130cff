#include "daemon/ops/http.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace consent::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The whole answer to one request on a connection of its own.
std::string Ask(const std::string& address, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
    const std::string whole = request + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    (void)!write(fd, whole.data(), whole.size());
    char buffer[4096];
    for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return answer;
}

std::vector<prometheus::MetricFamily> OneCounter() {
  prometheus::MetricFamily family;
  family.name = "consentd_things_total";
  family.help = "Things.";
  family.type = prometheus::MetricType::Counter;
  family.metric.emplace_back().counter.value = 3;
  return {family};
}

TEST(HttpTest, ServesMetricsAndHealth) {
  Health health({});
  auto http = HttpServer::Start("127.0.0.1:0", OneCounter, health);
  ASSERT_TRUE(http.ok()) << http.status();
  const std::string& address = (*http)->address();
  EXPECT_THAT(address, Not(HasSubstr(":0")));
  EXPECT_THAT(Ask(address, "GET /metrics"), HasSubstr("\nconsentd_things_total 3"));
  EXPECT_THAT(Ask(address, "HEAD /metrics"), Not(HasSubstr("consentd_things_total")));
  EXPECT_THAT(Ask(address, "GET /healthz"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Ask(address, "GET /healthz"), HasSubstr("starting"));
  health.Set(HealthState::kServing);
  EXPECT_THAT(Ask(address, "GET /healthz"), StartsWith("HTTP/1.1 200"));
  health.Set(HealthState::kDraining);
  EXPECT_THAT(Ask(address, "GET /healthz"), StartsWith("HTTP/1.1 503"));
}

TEST(HttpTest, NothingElseIsServed) {
  Health health({});
  auto http = HttpServer::Start("127.0.0.1:0", OneCounter, health);
  ASSERT_TRUE(http.ok()) << http.status();
  EXPECT_THAT(Ask((*http)->address(), "GET /"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask((*http)->address(), "GET /metrics/more"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask((*http)->address(), "GET /../etc/passwd"), Not(StartsWith("HTTP/1.1 200")));
  EXPECT_THAT(Ask((*http)->address(), "DELETE /metrics"), StartsWith("HTTP/1.1 405"));
}

TEST(HttpTest, AnAddressInUseIsSaid) {
  Health health({});
  auto first = HttpServer::Start("127.0.0.1:0", OneCounter, health);
  ASSERT_TRUE(first.ok());
  auto second = HttpServer::Start((*first)->address(), OneCounter, health);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr((*first)->address()));
}

}  // namespace
}  // namespace consent::ops
