// Sends checks over TLS at a steady rate, whatever is answered, and says in one line of JSON what came of them. HTTP/2
// of its own, because a gRPC client takes as much of a processor for a call as the daemon takes to refuse it.
//
// tls_flood --address HOST:PORT --ca FILE --cert FILE --key FILE --connections N --rate R --seconds S --prefix TEXT
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "consent/v1/eligibility_service.pb.h"
#include "tests/integration/daemon/load_options.h"

namespace consent::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Outcome {
  int64_t sent = 0;
  int64_t ok = 0;
  int64_t refused = 0;  // ended without a message
  int64_t lost = 0;     // the connection went away before
  int64_t unsent = 0;   // no connection could take it
};

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& body) {
  const auto size = static_cast<uint32_t>(body.size());
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += static_cast<char>(size >> shift);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(stream >> shift);
  return frame + body;
}

// RFC 7541, without its tables' memory and without Huffman's code: the same bytes for each call.
std::string Headers() {
  const auto text = [](const std::string& value) { return static_cast<char>(value.size()) + value; };
  return "\x83\x87\x04" + text("/consent.v1.EligibilityService/Check") + "\x01" + text("localhost") + "\x0f\x10" +
         text("application/grpc") + std::string(1, '\0') + text("te") + text("trailers");
}

constexpr uint8_t kData = 0;
constexpr uint8_t kHeaders = 1;
constexpr uint8_t kSettings = 4;
constexpr uint8_t kPing = 6;
constexpr uint8_t kWindowUpdate = 8;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr size_t kFrameHead = 9;

// One connection; made again whenever it ends.
class Connection {
 public:
  Connection(SSL_CTX* context, const sockaddr_in& address, Outcome* outcome)
      : context_(context), address_(address), outcome_(outcome) {}
  ~Connection() { Close(); }

  bool ready() const { return ready_; }
  // Reads what has come, and goes on with the handshake.
  void Look(Clock::time_point now) {
    if (ssl_ == nullptr && now >= next_try_) Open(now);
    if (ssl_ != nullptr && !ready_) Shake();
    if (ready_) Read();
  }
  // False: too many are under way.
  bool Send(int calls, const std::string& headers, const std::string& message) {
    constexpr int kMostUnderWay = 100;
    if (!ready_ || under_way_ + calls > kMostUnderWay) return false;
    std::string bytes;
    for (int i = 0; i < calls; ++i) {
      bytes += Frame(kHeaders, kEndHeaders, next_stream_, headers) + Frame(kData, kEndStream, next_stream_, message);
      next_stream_ += 2;
    }
    outcome_->sent += calls;
    under_way_ += calls;
    Write(bytes);
    return true;
  }

 private:
  void Open(Clock::time_point now) {
    next_try_ = now + std::chrono::milliseconds(100);
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)connect(fd_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    SSL_set_tlsext_host_name(ssl_, "localhost");
  }
  void Shake() {
    const int done = SSL_connect(ssl_);
    if (done == 1) {
      ready_ = true;
      under_way_ = 0;
      next_stream_ = 1;
      in_.clear();
      const std::string window("\x3f\xff\x00\x00", 4);
      return Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "") +
                   Frame(kWindowUpdate, 0, 0, window));
    }
    const int why = SSL_get_error(ssl_, done);
    ERR_clear_error();
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) Close();
  }
  void Write(const std::string& bytes) {
    // What the socket does not take at once ends the connection: the daemon reads no more.
    if (SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) <= 0) Close();
  }
  void Read() {
    std::array<char, 16384> buffer{};
    for (;;) {
      const int size = SSL_read(ssl_, buffer.data(), buffer.size());
      if (size > 0) {
        in_.append(buffer.data(), static_cast<size_t>(size));
        continue;
      }
      const int why = SSL_get_error(ssl_, size);
      ERR_clear_error();
      Take();
      if (why != SSL_ERROR_WANT_READ) Close();
      return;
    }
  }
  void Take() {
    size_t at = 0;
    std::string answers;
    while (in_.size() - at >= kFrameHead) {
      const auto byte = [&](size_t i) { return static_cast<uint8_t>(in_[at + i]); };
      const size_t size = (size_t{byte(0)} << 16) + (size_t{byte(1)} << 8) + byte(2);
      if (in_.size() - at < kFrameHead + size) break;
      const uint8_t type = byte(3);
      const uint8_t flags = byte(4);
      if (type == kSettings && (flags & kAck) == 0) answers += Frame(kSettings, kAck, 0, "");
      if (type == kPing && (flags & kAck) == 0) answers += Frame(kPing, kAck, 0, in_.substr(at + kFrameHead, size));
      if (type == kData && size > 0) ++messages_;
      if (type == kHeaders && (flags & kEndStream) != 0) End();
      at += kFrameHead + size;
    }
    in_.erase(0, at);
    if (!answers.empty()) Write(answers);
  }
  // A call's end follows its message, if it has one.
  void End() {
    --under_way_;
    if (messages_ > 0) {
      --messages_;
      ++outcome_->ok;
    } else {
      ++outcome_->refused;
    }
  }
  void Close() {
    if (ssl_ == nullptr) return;
    if (ready_) outcome_->lost += under_way_;
    SSL_free(ssl_);
    ssl_ = nullptr;
    close(fd_);
    ready_ = false;
    messages_ = 0;
  }

  SSL_CTX* const context_;
  const sockaddr_in address_;
  Outcome* const outcome_;
  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool ready_ = false;
  int under_way_ = 0;
  int messages_ = 0;  // of calls that have not ended
  uint32_t next_stream_ = 1;
  std::string in_;
  Clock::time_point next_try_;
};

SSL_CTX* Context(const LoadOptions& options) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  constexpr std::array<unsigned char, 3> kH2{2, 'h', '2'};
  const bool good = SSL_CTX_load_verify_locations(context, options.Text("ca").c_str(), nullptr) == 1 &&
                    SSL_CTX_use_certificate_chain_file(context, options.Text("cert").c_str()) == 1 &&
                    SSL_CTX_use_PrivateKey_file(context, options.Text("key").c_str(), SSL_FILETYPE_PEM) == 1 &&
                    SSL_CTX_set_alpn_protos(context, kH2.data(), kH2.size()) == 0;
  if (!good) std::exit(2);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return context;
}

std::string Message(const LoadOptions& options) {
  v1::CheckRequest request;
  request.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
  request.mutable_recording()->set_account_id(options.Text("prefix") + "1");
  request.mutable_recording()->set_recording_id("recording");
  const std::string bytes = request.SerializeAsString();
  return std::string(4, '\0') + static_cast<char>(bytes.size()) + bytes;
}

int Main(const LoadOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that have ended
  const std::string place = options.Text("address");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(place.substr(place.rfind(':') + 1))));
  if (inet_pton(AF_INET, place.substr(0, place.rfind(':')).c_str(), &address.sin_addr) != 1) return 2;
  Outcome outcome;
  std::vector<std::unique_ptr<Connection>> all;
  SSL_CTX* const context = Context(options);
  for (int i = 0; i < options.Number("connections"); ++i) {
    all.push_back(std::make_unique<Connection>(context, address, &outcome));
  }
  const auto is_ready = [](const auto& one) { return one->ready(); };
  while (!std::all_of(all.begin(), all.end(), is_ready)) {
    for (const auto& one : all) one->Look(Clock::now());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::printf("connected\n");
  std::fflush(stdout);
  constexpr int kAtOnce = 4;
  const std::string headers = Headers();
  const std::string message = Message(options);
  const auto between = std::chrono::nanoseconds(1'000'000'000LL * kAtOnce / options.Number("rate"));
  const auto end = Clock::now() + std::chrono::seconds(options.Number("seconds"));
  size_t turn = 0;
  for (auto due = Clock::now(); due < end; due += between) {
    std::this_thread::sleep_until(due);
    const auto now = Clock::now();
    bool sent = false;
    for (size_t tries = 0; tries < all.size() && !sent; ++tries) {
      Connection& one = *all[turn++ % all.size()];
      one.Look(now);
      sent = one.Send(kAtOnce, headers, message);
    }
    if (!sent) outcome.unsent += kAtOnce;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  for (const auto& one : all) one->Look(Clock::now());
  all.clear();
  SSL_CTX_free(context);
  std::printf(R"({"sent": %lld, "ok": %lld, "refused": %lld, "unavailable": %lld, "unsent": %lld})"
              "\n",
              static_cast<long long>(outcome.sent), static_cast<long long>(outcome.ok),
              static_cast<long long>(outcome.refused), static_cast<long long>(outcome.lost),
              static_cast<long long>(outcome.unsent));
  return 0;
}

}  // namespace
}  // namespace consent::test

int main(int argc, char** argv) { return consent::test::Main(consent::test::LoadOptions(argc, argv)); }
