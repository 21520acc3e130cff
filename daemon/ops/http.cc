#include "daemon/ops/http.h"

#include <CivetServer.h>
#include <arpa/inet.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace consent::ops {
namespace {

// Answers a GET; HEAD gets the same without the body.
bool Answer(mg_connection* connection, const char* status, const char* type, const std::string& body, bool with_body) {
  const std::string head = absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Type: ", type, "\r\nContent-Length: ", body.size(),
                                        "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
  mg_write(connection, head.data(), head.size());
  if (with_body) mg_write(connection, body.data(), body.size());
  return true;
}

// Connects to 127.x.x.x:port or [::1]:port and hangs up.
void Knock(const std::string& address) {
  const size_t colon = address.rfind(':');
  const auto port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v4.sin_port = port;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = port;
  v6.sin6_addr = in6addr_loopback;
  const bool is_v6 = address[0] == '[';
  if (!is_v6) inet_pton(AF_INET, address.substr(0, colon).c_str(), &v4.sin_addr);
  const int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto* to = is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  (void)connect(fd, to, is_v6 ? sizeof v6 : sizeof v4);
  close(fd);
}

}  // namespace

class HttpServer::MetricsHandler final : public CivetHandler {
 public:
  explicit MetricsHandler(Collect collect) : collect_(std::move(collect)) {}
  bool handleGet(CivetServer*, mg_connection* connection) override { return Serve(connection, true); }
  bool handleHead(CivetServer*, mg_connection* connection) override { return Serve(connection, false); }

 private:
  bool Serve(mg_connection* connection, bool with_body) {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, collect_());
    return Answer(connection, "200 OK", "text/plain; version=0.0.4; charset=utf-8", text.str(), with_body);
  }
  const Collect collect_;
};

class HttpServer::HealthHandler final : public CivetHandler {
 public:
  explicit HealthHandler(const Health& health) : state_(health) {}
  bool handleGet(CivetServer*, mg_connection* connection) override { return Serve(connection, true); }
  bool handleHead(CivetServer*, mg_connection* connection) override { return Serve(connection, false); }

 private:
  bool Serve(mg_connection* connection, bool with_body) {
    const HealthState state = state_.state();
    return Answer(connection, state == HealthState::kServing ? "200 OK" : "503 Service Unavailable", "text/plain; charset=utf-8",
                  absl::StrCat(HealthStateName(state), "\n"), with_body);
  }
  const Health& state_;
};

HttpServer::HttpServer() = default;

// civetweb looks whether it should stop after a connection, or else every two seconds: connections are made until it has seen it.
HttpServer::~HttpServer() {
  if (server_ == nullptr) return;
  std::atomic<bool> stopped{false};
  std::thread visitor([&] {
    while (!stopped.load()) {
      Knock(address_);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  server_.reset();
  stopped.store(true);
  visitor.join();
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, Collect collect, const Health& health) {
  std::unique_ptr<HttpServer> http(new HttpServer());
  http->metrics_ = std::make_unique<MetricsHandler>(std::move(collect));
  http->health_ = std::make_unique<HealthHandler>(health);
  try {
    http->server_ = std::make_unique<CivetServer>(std::vector<std::string>{
        "listening_ports", address, "num_threads", "2", "enable_keep_alive", "no", "request_timeout_ms", "5000"});
  } catch (const CivetException&) {
    return absl::UnavailableError(absl::StrCat(address, " cannot be bound; is another process using the port?"));
  }
  // Exact matches: `/metrics$`, because civetweb else serves everything below as well.
  http->server_->addHandler("/metrics$", *http->metrics_);
  http->server_->addHandler("/healthz$", *http->health_);
  const std::vector<int> ports = http->server_->getListeningPorts();
  http->address_ = absl::StrCat(address.substr(0, address.rfind(':')), ":", ports.empty() ? 0 : ports[0]);
  return http;
}

}  // namespace consent::ops
