// /metrics, /livez and /readyz over HTTP/1.1.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "daemon/ops/address.h"
#include "daemon/ops/collector.h"
#include "daemon/ops/health.h"

namespace consent::ops {

struct HttpLimits {
  size_t connections = 64;                        // at least 4
  size_t head_bytes = 8192;                       // of one request, its blank line included
  std::chrono::milliseconds head_time{5000};      // from accepting, or from the answer before, to the end of a head
  std::chrono::milliseconds answer_time{10'000};  // from a head's end to the last byte taken
  std::chrono::milliseconds least_stay{10};       // of a connection that must make room; newcomers wait as long
  std::chrono::milliseconds shared_age{1000};     // of a text that scrapes get while too many wait for the next
  std::chrono::milliseconds accept_pause{100};    // after accepting failed, for example for want of descriptors
};

// Serves until destroyed. GET and HEAD of
//   /metrics  the text format 0.0.4 of Prometheus, collected after it was asked for;
//   /livez    200, or 503 once the store has failed: only a restart mends that. A start or a drain under way is alive;
//   /readyz   200 while serving, else 503;
// the body of the last two is the state's name. 404: another path. 405: another method. 413: a request with a body.
// 431: too long a head. 400: what cannot be read. 503 of /metrics: collecting takes longer than a scrape may wait.
//
// One thread with an event loop, which nothing blocks: peers that are slow, silent or many cannot keep others from
// being answered. When all connections are taken, the one for whose peer the server has waited longest goes. Metrics
// are collected on another thread; all scrapes that wait share one text. When three quarters of the connections wait
// for it, more get the last one, if it is fresh.
class HttpServer {
 public:
  using Collect = Collector::Collect;

  // `address`: IPv4 or IPv6; port 0: the system chooses. `collect` is called on a thread of the server's. `health`
  // outlives it. Unavailable: the address cannot be listened on, or a thread cannot start; it says why.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Address& address, Collect collect,
                                                           const Health& health,
                                                           const HttpLimits& limits = HttpLimits());
  // Closes all connections at once; waits for a collection that is under way.
  ~HttpServer();

  // With the port that is really in use.
  const Address& address() const { return address_; }

 private:
  class Loop;
  HttpServer(Address address, std::unique_ptr<Loop> loop);
  const Address address_;
  const std::unique_ptr<Loop> loop_;
};

}  // namespace consent::ops
