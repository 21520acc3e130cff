// Which connections are let in and which go, with real descriptors: what is read and closed here passes through
// daemon/app/reads.h.
#include "daemon/app/connections.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/app/overstayed.h"
#include "daemon/app/peer_name.h"
#include "gmock/gmock.h"

namespace consent::app {
namespace {

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings("\0\0\0\4\0\0\0\0\0", 9);
const std::string kCall("\0\0\0\1\5\0\0\0\1", 9);     // HEADERS that end a stream, of no bytes
const std::string kEndless("\0\0\0\1\0\0\0\0\1", 9);  // HEADERS without their end
std::string OpenBody(uint16_t bytes) {
  return std::string("\0", 1) + static_cast<char>(bytes >> 8) + static_cast<char>(bytes) +
         std::string("\0\0\0\0\0\1", 6) + std::string(bytes, 'x');
}

ConnectionLimits Small() {
  ConnectionLimits limits;
  limits.connections = 4;
  limits.per_peer = 3;
  limits.leaving = 2;
  limits.least_stay = std::chrono::milliseconds(0);
  limits.open_body_bytes = 1000;
  limits.frames.frame_bytes = 10'000;
  return limits;
}

uint64_t Closed(const Connections& connections, CloseReason reason) {
  return connections.Counts().closed[static_cast<size_t>(reason)];
}

// A peer and the server's end of its connection, as gRPC would use it.
class Pair {
 public:
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    served_ = ends[0];
    peer_ = ends[1];
  }
  ~Pair() {
    CloseServed();
    ::close(peer_);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  int served() const { return served_; }
  // Fails where the connection was turned out; Read tells.
  void Send(const std::string& bytes) { (void)!send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // As gRPC reads: the number of bytes, or -errno.
  ssize_t Read() {
    char first[7];
    char second[65536];
    iovec parts[2] = {{first, sizeof first}, {second, sizeof second}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const ssize_t size = recvmsg(served_, &message, 0);
    return size < 0 ? -errno : size;
  }
  ssize_t Pass(const std::string& bytes) {
    Send(bytes);
    return Read();
  }
  // The server's end was shut down.
  bool TurnedOut() { return Read() == 0 || Read() == -ECONNRESET; }
  void CloseServed() {
    if (served_ >= 0) ::close(std::exchange(served_, -1));
  }

 private:
  int served_ = -1;
  int peer_ = -1;
};

TEST(Connections, WhatIsReadPassesThroughTheBound) {
  Connections connections(Small());
  Pair pair;
  ASSERT_EQ(connections.Admit(pair.served(), "a"), Admission::kAdmitted);
  EXPECT_EQ(pair.Pass(kPreface + kSettings), 33);
  EXPECT_EQ(connections.FramesSeen(pair.served()), 1u);
  EXPECT_EQ(pair.Pass(kCall), 9);
  EXPECT_EQ(pair.Pass(kEndless + kEndless), -ECONNRESET);
  EXPECT_EQ(Closed(connections, CloseReason{static_cast<uint8_t>(FrameFault::kContinuation)}), 1u);
  EXPECT_EQ(connections.Counts().open, 0u);
  EXPECT_EQ(connections.Counts().cut(), 1u);
  EXPECT_EQ(pair.Read(), 0) << "shut down";
}

TEST(Connections, OthersAreNotLookedAt) {
  Pair pair;
  EXPECT_EQ(pair.Pass("no preface"), 10);
}

TEST(Connections, ADescriptorThatComesAgainIsANewConnection) {
  Connections connections(Small());
  auto pair = std::make_unique<Pair>();
  ASSERT_EQ(connections.Admit(pair->served(), "a"), Admission::kAdmitted);
  EXPECT_EQ(pair->Pass("no preface"), -ECONNRESET);
  const int number = pair->served();
  pair->CloseServed();
  Pair again;
  ASSERT_EQ(again.served(), number) << "the system gives the smallest number that is free";
  EXPECT_EQ(again.Pass("not followed"), 12);
  ASSERT_EQ(connections.Admit(again.served(), "a"), Admission::kAdmitted);
  EXPECT_EQ(again.Pass(kPreface + kSettings), 33);
  again.CloseServed();
  EXPECT_EQ(Closed(connections, CloseReason::kEnded), 1u);
  EXPECT_EQ(connections.Counts().open, 0u);
}

TEST(Connections, TheOldestSilentOneMakesWay) {
  Connections connections(Small());
  Pair called;
  Pair silent;
  Pair later;
  Pair greeted;
  ASSERT_EQ(connections.Admit(called.served(), "a"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(greeted.served(), "a"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(silent.served(), "b"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(later.served(), "b"), Admission::kAdmitted);
  called.Pass(kPreface + kSettings + kCall);
  greeted.Pass(kPreface);
  Pair fifth;
  ASSERT_EQ(connections.Admit(fifth.served(), "c"), Admission::kAdmitted);
  EXPECT_TRUE(silent.TurnedOut());
  EXPECT_EQ(Closed(connections, CloseReason::kEvicted), 1u);
  EXPECT_EQ(connections.Counts().open, 4u);
  EXPECT_EQ(later.Read(), -EAGAIN);

  // What has sent something that nobody has read yet is not silent.
  later.Send(kPreface);
  fifth.Send(kPreface);
  Pair sixth;
  ASSERT_EQ(connections.Admit(sixth.served(), "c"), Admission::kAdmitted);
  EXPECT_TRUE(greeted.TurnedOut()) << "the oldest that has made no call";
  EXPECT_GT(later.Read(), 0);
}

TEST(Connections, WhereAllAreAtWorkTheNewOneIsTurnedAway) {
  Connections connections(Small());
  std::vector<std::unique_ptr<Pair>> pairs;
  for (const char* peer : {"a", "a", "b", "b"}) {
    pairs.push_back(std::make_unique<Pair>());
    ASSERT_EQ(connections.Admit(pairs.back()->served(), peer), Admission::kAdmitted);
    pairs.back()->Pass(kPreface + kSettings + kCall);
  }
  Pair fifth;
  EXPECT_EQ(connections.Admit(fifth.served(), "c"), Admission::kTurnedAway);
  EXPECT_EQ(Closed(connections, CloseReason::kTurnedAway), 1u);
  pairs.pop_back();
  EXPECT_EQ(connections.Admit(fifth.served(), "c"), Admission::kAdmitted);
}

TEST(Connections, APeerTakesRoomFromItselfOnly) {
  Connections connections(Small());
  Pair other;
  ASSERT_EQ(connections.Admit(other.served(), "quiet"), Admission::kAdmitted);
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 20; ++i) {
    pairs.push_back(std::make_unique<Pair>());
    if (connections.Crowded()) pairs.erase(pairs.begin());
    ASSERT_EQ(connections.Admit(pairs.back()->served(), "loud"), Admission::kAdmitted) << i;
  }
  EXPECT_EQ(other.Read(), -EAGAIN);
  EXPECT_EQ(connections.Counts().open, 4u);
  for (const auto& pair : pairs) pair->Pass(kPreface + kSettings + kCall);
  Pair more;
  EXPECT_EQ(connections.Admit(more.served(), "loud"), Admission::kTurnedAway);
  EXPECT_EQ(connections.Admit(more.served(), "third"), Admission::kAdmitted) << "by the eviction of the quiet one";
  EXPECT_TRUE(other.TurnedOut());
}

TEST(Connections, WhoHasOnlyJustComeMayStay) {
  ConnectionLimits limits = Small();
  limits.connections = 1;
  limits.least_stay = std::chrono::hours(1);
  Connections connections(limits);
  Pair first;
  Pair second;
  ASSERT_EQ(connections.Admit(first.served(), "a"), Admission::kAdmitted);
  EXPECT_EQ(connections.Admit(second.served(), "b"), Admission::kLater);
  EXPECT_EQ(first.Read(), -EAGAIN);
  first.Pass(kPreface);
  EXPECT_EQ(connections.Admit(second.served(), "b"), Admission::kAdmitted)
      << "it has sent something and made no call since";
}

TEST(Connections, OthersDoNotWaitForAPeerThatHasTakenItsOwnRoom) {
  ConnectionLimits limits = Small();
  limits.per_peer = 1;
  limits.least_stay = std::chrono::hours(1);
  Connections connections(limits);
  Pair first;
  Pair silent;
  Pair speaks;
  Pair other;
  ASSERT_EQ(connections.Admit(first.served(), "loud"), Admission::kAdmitted);
  EXPECT_EQ(connections.Admit(silent.served(), "loud"), Admission::kTurnedAway);
  EXPECT_EQ(Closed(connections, CloseReason::kTurnedAway), 1u);
  speaks.Send(kPreface);
  EXPECT_EQ(connections.Admit(speaks.served(), "loud"), Admission::kLater);
  EXPECT_EQ(connections.Admit(other.served(), "quiet"), Admission::kAdmitted);
  EXPECT_EQ(first.Read(), -EAGAIN);
}

TEST(Connections, WhoWasCutComesBackInTurnsAndOthersDoNotWait) {
  ConnectionLimits limits = Small();
  limits.after_cut = std::chrono::hours(1);
  Connections connections(limits);
  const auto began = std::chrono::steady_clock::now();
  const auto waits = [&](const std::string& peer) {
    return connections.MayComeAt(peer).value_or(began + std::chrono::hours(9999)) - began;
  };
  constexpr std::chrono::minutes kAtOnce{1};
  Pair flood;
  ASSERT_EQ(connections.Admit(flood.served(), "a"), Admission::kAdmitted);
  EXPECT_LT(waits("a"), kAtOnce) << "nothing was wrong so far";
  EXPECT_LT(flood.Pass("GET / HTTP/1.1\r\n\r\n"), 1);
  ASSERT_EQ(connections.Counts().cut(), 1U);
  EXPECT_LT(waits("a"), kAtOnce) << "the first turn is now";
  EXPECT_GT(waits("a"), std::chrono::minutes(59));
  EXPECT_GT(waits("a"), std::chrono::minutes(119)) << "each has its own";
  for (int i = 0; i < 1000; ++i) (void)connections.MayComeAt("a");
  EXPECT_FALSE(connections.MayComeAt("a").has_value());
  EXPECT_LT(waits("b"), kAtOnce) << "another peer";
  flood.CloseServed();
}

TEST(Connections, ThoseOnTheirWayOutAreBounded) {
  Connections connections(Small());
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 5; ++i) {
    pairs.push_back(std::make_unique<Pair>());
    ASSERT_FALSE(connections.Crowded());
    ASSERT_EQ(connections.Admit(pairs.back()->served(), "a"), Admission::kAdmitted);
  }
  EXPECT_TRUE(connections.Crowded()) << "two were turned out, and nobody has closed them";
  pairs[0]->CloseServed();
  EXPECT_FALSE(connections.Crowded());
}

TEST(Connections, TheLargestUnfinishedRequestsGo) {
  Connections connections(Small());
  Pair small;
  Pair large;
  ASSERT_EQ(connections.Admit(small.served(), "a"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(large.served(), "a"), Admission::kAdmitted);
  EXPECT_GT(large.Pass(kPreface + kSettings + OpenBody(600)), 0);
  EXPECT_GT(small.Pass(kPreface + kSettings + OpenBody(400)), 0);
  EXPECT_EQ(Closed(connections, static_cast<CloseReason>(FrameFault::kOpenBodies)), 0u) << "at the bound";
  EXPECT_GT(small.Pass(OpenBody(1)), 0) << "above it";
  EXPECT_TRUE(large.TurnedOut());
  EXPECT_EQ(Closed(connections, static_cast<CloseReason>(FrameFault::kOpenBodies)), 1u);
  EXPECT_GT(small.Pass(OpenBody(500)), 0) << "the other's bytes no longer count";
  small.CloseServed();
  large.CloseServed();
  Pair next;
  ASSERT_EQ(connections.Admit(next.served(), "a"), Admission::kAdmitted);
  EXPECT_GT(next.Pass(kPreface + kSettings + OpenBody(1000)), 0) << "nothing is left of those that are closed";
}

TEST(Connections, ADrainEndsWhoHasNoCallAndThenWhoIsSilent) {
  Connections connections(Small());
  Pair silent;
  Pair greeted;
  Pair living;
  Pair dead;
  ASSERT_EQ(connections.Admit(silent.served(), "a"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(greeted.served(), "a"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(living.served(), "b"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(dead.served(), "b"), Admission::kAdmitted);
  greeted.Pass(kPreface + kSettings);
  living.Pass(kPreface + kSettings + kCall);
  dead.Pass(kPreface + kSettings + kCall);
  connections.EndCallless();
  EXPECT_TRUE(silent.TurnedOut());
  EXPECT_TRUE(greeted.TurnedOut());
  living.Pass(kSettings);
  connections.EndSilent();
  EXPECT_TRUE(dead.TurnedOut());
  EXPECT_EQ(living.Read(), -EAGAIN);
  EXPECT_EQ(Closed(connections, CloseReason::kDrained), 3u);
}

// The server's end of a connection over loopback, and its peer's.
class TcpPair {
 public:
  TcpPair() {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(Listener(), reinterpret_cast<sockaddr*>(&address), &size);
    peer_ = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(peer_, reinterpret_cast<sockaddr*>(&address), size), 0);
    served_ = accept(Listener(), nullptr, nullptr);
  }
  ~TcpPair() {
    ::close(served_);
    ::close(peer_);
  }
  TcpPair(const TcpPair&) = delete;
  TcpPair& operator=(const TcpPair&) = delete;

  int served() const { return served_; }
  std::string name() const { return PeerName(served_); }
  bool IsShut() const {
    char byte = 0;
    return recv(peer_, &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  // One for all: the kernel gives two connections to different addresses the same port now and then, and with it the
  // same name.
  static int Listener() {
    static const int listener = [] {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const int fd = socket(AF_INET, SOCK_STREAM, 0);
      EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      EXPECT_EQ(listen(fd, 1), 0);
      return fd;
    }();
    return listener;
  }
  int served_ = -1;
  int peer_ = -1;
};

TEST(Connections, ThoseOfACallerAreKnownWhileTheyAreOpenAndEndByTheirNames) {
  callers::CallerConnections callers;
  const auto meter = std::make_shared<callers::Meter>(callers::Limits{});
  const auto is_open = [&](const TcpPair& pair) {
    return !callers.Use(pair.name(), callers::Meter::Share::kOrdinary, meter, {}).has_value();
  };
  Connections connections(Small(), &callers);
  TcpPair plain;
  TcpPair first;
  auto second = std::make_unique<TcpPair>();
  TcpPair third;
  ASSERT_EQ(connections.Admit(plain.served(), "a"), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(first.served(), "b", Spoken::kTls), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(second->served(), "b", Spoken::kTls), Admission::kAdmitted);
  ASSERT_EQ(connections.Admit(third.served(), "b", Spoken::kTls), Admission::kAdmitted);
  EXPECT_FALSE(is_open(plain)) << "who comes without TLS has no limits";
  EXPECT_TRUE(is_open(first) && is_open(*second) && is_open(third));
  EXPECT_EQ(meter->connections(callers::Meter::Share::kOrdinary), 3);
  second.reset();
  EXPECT_EQ(meter->connections(callers::Meter::Share::kOrdinary), 2);

  EXPECT_EQ(connections.EndNamed({first.name(), "ipv4:192.0.2.1:1"}, CloseReason::kOverLimit), 1U);
  EXPECT_TRUE(first.IsShut());
  EXPECT_FALSE(third.IsShut() || plain.IsShut());
  EXPECT_FALSE(is_open(first));
  EXPECT_EQ(meter->connections(callers::Meter::Share::kOrdinary), 1);
  EXPECT_EQ(Closed(connections, CloseReason::kOverLimit), 1U);
  EXPECT_EQ(connections.EndNamed({first.name()}, CloseReason::kOverLimit), 0U) << "it leaves already";
}

TEST(Connections, ThoseOfACallerThatStaysOverItsLimitsEndATenthAtATime) {
  constexpr int kOpen = 12;
  const auto at = [](int seconds) {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(3600 + seconds));
  };
  callers::CallerConnections callers;
  const auto meter = std::make_shared<callers::Meter>(callers::Limits{.connections = 1}, "loud");
  ConnectionLimits limits = Small();
  limits.connections = limits.per_peer = limits.leaving = kOpen;
  Connections connections(limits, &callers);
  std::vector<std::unique_ptr<TcpPair>> pairs;
  for (int i = 0; i < kOpen; ++i) {
    pairs.push_back(std::make_unique<TcpPair>());
    ASSERT_EQ(connections.Admit(pairs.back()->served(), "a", Spoken::kTls), Admission::kAdmitted);
  }
  std::vector<std::string> told;
  Overstayed overstayed(connections, &callers, [&](const std::string& caller, size_t count) {
    told.push_back(caller + " " + std::to_string(count));
  });
  for (int second = 0; second <= 20; ++second) {
    overstayed.EndSome(at(second) - std::chrono::milliseconds(1));
    const auto ended = static_cast<int>(Closed(connections, CloseReason::kOverLimit));
    EXPECT_EQ(ended, std::clamp(2 * (second - 10), 0, kOpen)) << second;
    for (int half = 0; half < 3; ++half) {
      for (const auto& pair : pairs) {
        (void)callers.Use(pair->name(), callers::Meter::Share::kOrdinary, meter,
                          at(second) + std::chrono::milliseconds(450 * half));
      }
    }
  }
  EXPECT_THAT(told, testing::ElementsAre("loud 12"));
  const auto first = connections.MayComeAt("a");
  EXPECT_EQ(connections.MayComeAt("a"), *first + limits.after_cut) << "it comes back in turns";
}

TEST(Connections, EveryReasonHasANameOfItsOwn) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kCloseReasons; ++i) names.emplace_back(CloseReasonName(static_cast<CloseReason>(i)));
  EXPECT_THAT(names,
              testing::ElementsAre("ended", "preface", "frame_bytes", "header_block", "continuation", "unacknowledged",
                                   "control_frames", "open_bodies", "evicted", "turned_away", "drained", "over_limit"));
}

TEST(Connections, TheDaemonsOwnNeedsNoRoomIsNotCountedAndStays) {
  Connections connections(Small());
  Pair own;
  std::vector<std::unique_ptr<Pair>> others;
  ASSERT_TRUE(connections.AdmitOwn(own.served()));
  EXPECT_EQ(connections.Counts().open, 0U);
  // It is the oldest and silent, and makes way for nobody.
  for (const char* peer : {"a", "a", "b", "b"}) {
    others.push_back(std::make_unique<Pair>());
    ASSERT_EQ(connections.Admit(others.back()->served(), peer), Admission::kAdmitted);
  }
  others.push_back(std::make_unique<Pair>());
  ASSERT_EQ(connections.Admit(others.back()->served(), "c"), Admission::kAdmitted);
  EXPECT_EQ(Closed(connections, CloseReason::kEvicted), 1U);
  EXPECT_EQ(own.Pass(kPreface + kSettings + kCall), 42);
  Pair second;
  EXPECT_TRUE(connections.AdmitOwn(second.served())) << "also where there is no room";
  own.CloseServed();
  second.CloseServed();
  EXPECT_EQ(Closed(connections, CloseReason::kEnded), 0U);
  EXPECT_EQ(connections.Counts().open, 4U);
}

}  // namespace
}  // namespace consent::app
