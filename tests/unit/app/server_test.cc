// The whole server with short time limits, over plain sockets: each way to stall ends in its time, a drain waits for
// calls only, and one caller's bounds leave the others alone.
#include "daemon/app/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/app/descriptors.h"
#include "gmock/gmock.h"
#include "tests/support/temp_folder.h"

namespace consent::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& body) {
  std::string frame;
  for (const size_t part : {body.size() >> 16, body.size() >> 8, body.size(), size_t{type}, size_t{flags}, size_t{0},
                            size_t{0}, size_t{stream} >> 8, size_t{stream}}) {
    frame.push_back(static_cast<char>(part & 0xff));
  }
  return frame + body;
}

// A literal header field without indexing (RFC 7541, 6.2.2), short.
std::string Header(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) + value;
}

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings = Frame(4, 0, 0, "");
const std::string kAcknowledge = Frame(4, 1, 0, "");
const std::string kGreeting = kPreface + kSettings + kAcknowledge;
const std::string kHealthCheck = Header(":method", "POST") + Header(":scheme", "http") +
                                 Header(":path", "/grpc.health.v1.Health/Check") + Header(":authority", "localhost") +
                                 Header("te", "trailers") + Header("content-type", "application/grpc");

// A peer that sends what it is told to and answers nothing.
class RawPeer {
 public:
  explicit RawPeer(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0) << std::strerror(errno);
  }
  ~RawPeer() { close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void Send(const std::string& bytes) { (void)!send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // How long from now until the server closed the connection; nothing if it did not within `patience`.
  std::optional<milliseconds> ClosedAfter(milliseconds patience) {
    const auto began = steady_clock::now();
    for (;;) {
      const auto left = std::chrono::duration_cast<milliseconds>(began + patience - steady_clock::now());
      pollfd readable{fd_, POLLIN, 0};
      if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
      char bytes[4096];
      if (read(fd_, bytes, sizeof bytes) <= 0) {
        return std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
      }
    }
  }

 private:
  const int fd_;
};

class Servers : public testing::Test {
 protected:
  Servers() {
    options_.listeners = {{*ops::Address::Parse(absl::StrCat("unix:", path_.string())), "", 0}};
    options_.served = {{{}, nullptr}};
    options_.connections = LimitsOf(*PlanDescriptors(1024));
  }
  void Start() {
    absl::StatusOr<std::unique_ptr<Server>> server = Server::Listen(options_, health_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    health_.Set(ops::HealthState::kServing);
  }
  // Calls as an honest client does, on a connection of its own.
  grpc::Status Call() {
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return CallOn(
        grpc::CreateCustomChannel(absl::StrCat("unix:", path_.string()), grpc::InsecureChannelCredentials(), own));
  }
  static grpc::Status CallOn(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.set_wait_for_ready(true);
    grpc::ByteBuffer answer;
    return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer, grpc::ByteBuffer, grpc::ByteBuffer>(
        channel.get(), method, &context, grpc::ByteBuffer(nullptr, 0), &answer);
  }
  uint64_t Closed(CloseReason reason) const { return server_->Counts().closed[static_cast<size_t>(reason)]; }

  test::TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "run" / "s";
  ServerOptions options_;
  ops::Health health_{{}};
  std::unique_ptr<Server> server_;
};

// A way to stall, and when it has to end.
struct Stall {
  const char* what;
  std::string sent;
  milliseconds least;
  milliseconds most;
};

TEST_F(Servers, EachWayToStallEndsInItsTime) {
  options_.times.handshake = milliseconds(600);
  options_.times.idle = milliseconds(1500);
  options_.times.age = milliseconds(3000);
  options_.times.grace = milliseconds(500);
  options_.times.ping = std::chrono::seconds(30);
  Start();
  constexpr milliseconds kSlack{3000};  // busy machines, and gRPC's own tenth of the age either way
  const std::string call = kGreeting + Frame(1, 4, 1, kHealthCheck);
  const std::vector<Stall> stalls = {
      {"nothing", "", milliseconds(500), options_.times.handshake + kSlack},
      {"part of the preface", kPreface.substr(0, 10), milliseconds(500), options_.times.handshake + kSlack},
      {"no SETTINGS", kPreface, milliseconds(500), options_.times.handshake + kSlack},
      {"SETTINGS and no more", kGreeting, milliseconds(1400), options_.times.idle + kSlack},
      {"half a header block", kGreeting + Frame(1, 0, 1, kHealthCheck.substr(0, 30)), milliseconds(1400),
       options_.times.age + kSlack},
      {"a call without its message", call, milliseconds(2600), options_.times.age + options_.times.grace + kSlack},
  };
  std::vector<std::thread> waiting;
  for (const Stall& stall : stalls) {
    waiting.emplace_back([this, &stall] {
      RawPeer peer(path_.string());
      peer.Send(stall.sent);
      const std::optional<milliseconds> after = peer.ClosedAfter(stall.most);
      ASSERT_TRUE(after.has_value()) << stall.what << " goes on after " << stall.most.count() << " ms";
      EXPECT_GE(*after, stall.least) << stall.what;
    });
  }
  for (std::thread& thread : waiting) thread.join();
  EXPECT_TRUE(Call().ok());
}

TEST_F(Servers, APeerThatAnswersNoPingEndsWhateverItHasBegun) {
  options_.times.ping = milliseconds(700);
  options_.times.ping_answer = milliseconds(500);
  Start();
  RawPeer peer(path_.string());
  peer.Send(kGreeting + Frame(1, 4, 1, kHealthCheck));
  EXPECT_TRUE(peer.ClosedAfter(milliseconds(8000)).has_value());
}

TEST_F(Servers, AgeEndsNoCallOfAnHonestClient) {
  options_.times.age = milliseconds(200);
  options_.times.grace = milliseconds(2000);
  Start();
  const auto channel = grpc::CreateChannel(absl::StrCat("unix:", path_.string()), grpc::InsecureChannelCredentials());
  const auto until = steady_clock::now() + std::chrono::seconds(2);
  int calls = 0;
  for (; steady_clock::now() < until; ++calls) ASSERT_TRUE(CallOn(channel).ok()) << calls;
  EXPECT_GT(calls, 100);
  EXPECT_EQ(server_->Counts().cut(), 0u);
}

TEST_F(Servers, SilentAndIdleConnectionsDoNotHoldUpADrain) {
  Start();
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (const std::string& sent : {std::string(), kPreface, kGreeting}) {
    for (int i = 0; i < 40; ++i) {
      peers.push_back(std::make_unique<RawPeer>(path_.string()));
      peers.back()->Send(sent);
    }
  }
  ASSERT_TRUE(Call().ok());
  const auto began = steady_clock::now();
  server_->Shutdown(std::chrono::seconds(60));
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(8));
}

TEST_F(Servers, APeerThatCalledAndThenWentDeafHoldsUpADrainForSecondsOnly) {
  Start();
  RawPeer peer(path_.string());
  peer.Send(kGreeting + Frame(1, 4, 1, kHealthCheck) + Frame(0, 1, 1, std::string(5, '\0')));
  ASSERT_FALSE(peer.ClosedAfter(milliseconds(500)).has_value());
  const auto began = steady_clock::now();
  server_->Shutdown(std::chrono::seconds(60));
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(12));
}

TEST_F(Servers, SilentConnectionsBeyondTheBoundLeaveRoomForOthers) {
  options_.connections = LimitsOf(*PlanDescriptors(256));
  Start();
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 400; ++i) peers.push_back(std::make_unique<RawPeer>(path_.string()));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Call().ok()) << i;
  EXPECT_LE(server_->Counts().open, options_.connections.connections);
  EXPECT_GT(Closed(CloseReason::kEvicted), 200u);
  EXPECT_EQ(server_->Counts().cut(), 0u);
}

TEST_F(Servers, AFloodIsCutAndSaidSo) {
  ConnectionCounts told;
  std::atomic<bool> heard{false};
  options_.on_cuts = [&](const ConnectionCounts& counts) {
    told = counts;
    heard.store(true);
  };
  Start();
  RawPeer peer(path_.string());
  std::string flood = kGreeting + Frame(1, 0, 1, kHealthCheck);
  for (int i = 0; i < 9; ++i) flood += Frame(9, 0, 1, Header("", ""));
  peer.Send(flood);
  EXPECT_TRUE(peer.ClosedAfter(std::chrono::seconds(10)).has_value());
  EXPECT_EQ(Closed(static_cast<CloseReason>(FrameFault::kHeaderBlock)), 1u);
  const auto until = steady_clock::now() + std::chrono::seconds(20);
  while (!heard.load() && steady_clock::now() < until) std::this_thread::yield();
  ASSERT_TRUE(heard.load());
  EXPECT_EQ(told.cut(), 1u);
  EXPECT_TRUE(Call().ok());
}

}  // namespace
}  // namespace consent::app
