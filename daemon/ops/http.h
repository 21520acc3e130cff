// /metrics and /healthz over HTTP, on loopback.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ops/health.h"
#include "prometheus/metric_family.h"

class CivetServer;

namespace consent::ops {

// Serves until destroyed. GET /metrics: the text format 0.0.4 of Prometheus. GET /healthz: 200 while serving, else 503; the body
// is the state's name. Anything else: 404 or 405. Two threads, so that a slow scrape does not hide the health.
class HttpServer {
 public:
  using Collect = std::function<std::vector<prometheus::MetricFamily>()>;

  // `address` as ListenAddress takes it, without Unix sockets; port 0: the system chooses. `collect` is called on the server's
  // threads and may be called concurrently. Unavailable: the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address, Collect collect, const Health& health);
  ~HttpServer();

  // host:port, with the port that is really in use.
  const std::string& address() const { return address_; }

 private:
  class MetricsHandler;
  class HealthHandler;
  HttpServer();
  std::string address_;
  std::unique_ptr<MetricsHandler> metrics_;
  std::unique_ptr<HealthHandler> health_;
  std::unique_ptr<CivetServer> server_;  // last: stops before its handlers go
};

}  // namespace consent::ops
