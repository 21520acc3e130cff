// The HTTP server's bounds: time, room, slow metrics. Limits are injected; what waits, waits for the server to act.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/ops/http.h"
#include "tests/unit/ops/http_peer.h"

namespace consent::ops {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kShort{300};
constexpr milliseconds kLong{Peer::kPatience};  // what is not to pass in a test

// Metrics that are collected when the test says so.
class Gate {
 public:
  std::vector<prometheus::MetricFamily> Pass() {
    base::MutexLock lock(mutex_);
    ++waiting_;
    changed_.NotifyAll();
    while (permits_ == 0) changed_.Wait(mutex_);
    --permits_;
    ++passed_;
    prometheus::MetricFamily family;
    family.name = "passed";
    family.metric.emplace_back().gauge.value = passed_;
    family.type = prometheus::MetricType::Gauge;
    return {family};
  }
  // Until the collection of this number, from 1, has begun.
  void AwaitBegun(int number) {
    base::MutexLock lock(mutex_);
    while (waiting_ < number) changed_.Wait(mutex_);
  }
  void Open(int permits) {
    base::MutexLock lock(mutex_);
    permits_ += permits;
    changed_.NotifyAll();
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  int waiting_ GUARDED_BY(mutex_) = 0;
  int permits_ GUARDED_BY(mutex_) = 0;
  int passed_ GUARDED_BY(mutex_) = 0;
};

class HttpLimitsTest : public ::testing::Test {
 protected:
  ~HttpLimitsTest() override { gate_.Open(1'000'000); }
  // Nothing ends by itself, and the metrics wait for the gate.
  void Start(HttpLimits limits, HttpServer::Collect collect = nullptr) {
    if (collect == nullptr) collect = [this] { return gate_.Pass(); };
    auto server = HttpServer::Start(*Address::Parse("127.0.0.1:0"), collect, health_, limits);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  static HttpLimits Patient() { return {.head_time = kLong, .answer_time = kLong, .least_stay = milliseconds(0)}; }
  Peer& Connect() { return peers_.emplace_back(server_->address()); }
  std::string Alive() { return Peer(server_->address()).Ask("GET /livez"); }
  // The server has seen all that peers did before: it answers in the order in which connections come.
  void Settle() { EXPECT_THAT(Alive(), StartsWith("HTTP/1.1 200")); }
  // The answer to a scrape, and to one more while as many wait for the next collection as may.
  std::pair<std::string, std::string> ScrapeWhileTooManyWait(milliseconds shared_age) {
    HttpLimits limits = Patient();
    limits.connections = 8;
    limits.shared_age = shared_age;
    Start(limits);
    gate_.Open(1);
    const std::string last = Connect().Ask("GET /metrics");
    for (int i = 0; i < 6; ++i) Connect().Send("GET /metrics HTTP/1.1\r\n\r\n");
    Settle();
    return {last, Connect().Ask("GET /metrics")};
  }

  Gate gate_;
  Health health_{{}};
  std::unique_ptr<HttpServer> server_;
  std::deque<Peer> peers_;
};

prometheus::MetricFamily Large(size_t bytes) {
  prometheus::MetricFamily family;
  family.name = "large";
  family.help = std::string(bytes, 'h');
  family.type = prometheus::MetricType::Gauge;
  family.metric.emplace_back();
  return family;
}

TEST_F(HttpLimitsTest, AHeadHasItsTimeAndNoMore) {
  HttpLimits limits = Patient();
  limits.head_time = kShort;
  Start(limits);
  const auto began = Steady::now();
  Peer& silent = Connect();
  Peer& half = Connect();
  half.Send("GET /livez HTTP/1.1\r\nHos");
  Peer& idle = Connect();
  EXPECT_THAT(idle.Ask("GET /livez"), StartsWith("HTTP/1.1 200"));
  for (Peer* peer : {&silent, &half, &idle}) {
    EXPECT_EQ(peer->ToTheEnd(), "");
    EXPECT_TRUE(peer->ended());
  }
  EXPECT_GE(Steady::now() - began, kShort);
  // Bytes that come one by one renew nothing.
  Peer& drips = Connect();
  const std::string head = "GET /livez HTTP/1.1\r\n" + std::string(8000, 'a');
  size_t sent = 0;
  while (sent < head.size() && !drips.GoneWithin(milliseconds(1)) && drips.Send(head.substr(sent, 1))) ++sent;
  EXPECT_LT(sent, head.size());
}

TEST_F(HttpLimitsTest, AnAnswerThatIsNotTakenIsTakenBack) {
  HttpLimits limits = Patient();
  limits.answer_time = std::chrono::seconds(1);
  Start(limits, [] { return std::vector{Large(16 << 20)}; });
  Peer& slow = Connect();
  slow.Send("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(slow.GoneWithin(kLong));
  EXPECT_LT(slow.ToTheEnd().size(), size_t{16} << 20);
}

TEST_F(HttpLimitsTest, WhenFullTheOneThatWaitsLongestGoes) {
  HttpLimits limits = Patient();
  limits.connections = 4;
  Start(limits);
  Peer& first = Connect();
  Peer& second = Connect();
  Peer& third = Connect();
  EXPECT_THAT(first.Ask("GET /livez"), StartsWith("HTTP/1.1 200"));  // now the second waits longest
  EXPECT_THAT(third.Ask("GET /livez"), StartsWith("HTTP/1.1 200"));
  Peer& fourth = Connect();
  EXPECT_THAT(fourth.Ask("GET /livez"), StartsWith("HTTP/1.1 200"));
  Peer& fifth = Connect();
  EXPECT_THAT(fifth.Ask("GET /livez"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(second.ToTheEnd(), "");
  EXPECT_TRUE(second.ended());
  for (Peer* peer : {&first, &third, &fourth, &fifth}) EXPECT_THAT(peer->Ask("GET /livez"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpLimitsTest, AThousandSilentPeersKeepNobodyOut) {
  HttpLimits limits;
  limits.head_time = kLong;
  Start(limits);
  for (int i = 0; i < 1000; ++i) {
    Peer& silent = Connect();
    if (i % 2 == 0) silent.Send("GET /livez HT");
    if (i % 50 == 0) Settle();
    if (peers_.size() > 200) peers_.pop_front();
  }
}

TEST_F(HttpLimitsTest, NewcomersGetTheirTimeBeforeTheyMakeRoom) {
  HttpLimits limits = Patient();
  limits.connections = 4;
  limits.least_stay = kShort;
  Start(limits);
  const auto began = Steady::now();
  for (int i = 0; i < 4; ++i) Connect();
  EXPECT_THAT(Alive(), StartsWith("HTTP/1.1 200"));
  EXPECT_GE(Steady::now() - began, kShort);
}

TEST_F(HttpLimitsTest, SlowMetricsHoldUpNobodyElse) {
  Start(Patient());
  Peer& scrape = Connect();
  scrape.Send("GET /metrics HTTP/1.1\r\n\r\n");
  gate_.AwaitBegun(1);
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Alive(), EndsWith("starting\n"));
  gate_.Open(1);
  EXPECT_THAT(scrape.Answer(), HasSubstr("\npassed 1\n"));
}

// A scrape shows all that happened before it: it does not join a collection that has begun.
TEST_F(HttpLimitsTest, ScrapesThatWaitShareOneCollection) {
  Start(Patient());
  Peer& first = Connect();
  first.Send("GET /metrics HTTP/1.1\r\n\r\n");
  gate_.AwaitBegun(1);
  std::vector<Peer*> later;
  for (int i = 0; i < 20; ++i) {
    later.push_back(&Connect());
    later.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  Settle();
  gate_.Open(1);
  EXPECT_THAT(first.Answer(), HasSubstr("\npassed 1\n"));
  gate_.AwaitBegun(2);
  gate_.Open(1);
  for (Peer* peer : later) EXPECT_THAT(peer->Answer(), HasSubstr("\npassed 2\n"));
}

TEST_F(HttpLimitsTest, ScrapesLeaveRoomForProbes) {
  HttpLimits limits = Patient();
  limits.connections = 8;
  Start(limits);
  std::vector<Peer*> waiting;
  for (int i = 0; i < 6; ++i) {
    waiting.push_back(&Connect());
    waiting.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  Settle();
  EXPECT_THAT(Connect().Ask("GET /metrics"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("\r\nRetry-After: 1\r\n")));
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(Connect().Ask("GET /livez"), StartsWith("HTTP/1.1 200"));
  }
  gate_.Open(2);
  for (Peer* peer : waiting) EXPECT_THAT(peer->Answer(), HasSubstr("\npassed "));
}

TEST_F(HttpLimitsTest, WhileTooManyWaitTheLastTextIsGiven) {
  const auto [last, given] = ScrapeWhileTooManyWait(kLong);
  EXPECT_THAT(last, HasSubstr("\npassed 1\n"));
  EXPECT_EQ(given, last);
}

TEST_F(HttpLimitsTest, ATextThatIsTooOldIsNotGiven) {
  const auto [last, given] = ScrapeWhileTooManyWait(milliseconds(-1));
  EXPECT_THAT(last, HasSubstr("\npassed 1\n"));
  EXPECT_THAT(given, StartsWith("HTTP/1.1 503"));
}

TEST_F(HttpLimitsTest, MetricsThatNeverComeAreSaid) {
  HttpLimits limits = Patient();
  limits.answer_time = kShort;
  Start(limits);
  Peer& scrape = Connect();
  scrape.Send("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(scrape.ToTheEnd(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("still being collected")));
  gate_.Open(2);
  EXPECT_THAT(Connect().Ask("GET /metrics"), HasSubstr("\npassed "));
}

TEST_F(HttpLimitsTest, StopsAtOnceWhateverIsOpen) {
  HttpLimits limits = Patient();
  Start(limits, [] { return std::vector{Large(8 << 20)}; });
  for (int i = 0; i < 64; ++i) {
    Peer& peer = Connect();
    if (i % 4 == 1) peer.Send("GET /livez HT");
    if (i % 4 == 2) peer.Ask("GET /livez");
    if (i % 4 == 3) peer.Send("GET /metrics HTTP/1.1\r\n\r\n");  // and takes nothing
    EXPECT_TRUE(i % 8 != 7 || peer.Begins());
  }
  Settle();
  const auto began = Steady::now();
  server_.reset();
  EXPECT_LT(Steady::now() - began, std::chrono::seconds(5));
  for (Peer& peer : peers_) EXPECT_TRUE(peer.GoneWithin(kLong));
}

TEST_F(HttpLimitsTest, WithoutDescriptorsItWaitsAndGoesOn) {
  HttpLimits limits = Patient();
  limits.accept_pause = milliseconds(1);
  Start(limits);
  Settle();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Peer& first = Connect();
  EXPECT_THAT(first.Ask("GET /livez"), StartsWith("HTTP/1.1 200"));
  Peer waits(server_->address(), [&before] {  // its socket is made, and the server has none left for it
    rlimit none = before;
    none.rlim_cur = 1;
    return setrlimit(RLIMIT_NOFILE, &none) == 0;
  });
  waits.Send("GET /readyz HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(first.GoneWithin(kLong));  // one of its own goes, which may help
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(waits.Answer(), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Alive(), StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace consent::ops
