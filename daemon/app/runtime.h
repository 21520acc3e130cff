// A running daemon: owns every part, and starts and stops them in order.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/callers.pb.h"
#include "daemon/app/backups.h"
#include "daemon/app/call_pools.h"
#include "daemon/app/decision_log.h"
#include "daemon/app/descriptors.h"
#include "daemon/app/exit_codes.h"
#include "daemon/app/gauges.h"
#include "daemon/app/periodic.h"
#include "daemon/app/policy_in_force.h"
#include "daemon/app/probe.h"
#include "daemon/app/restriction_journal.h"
#include "daemon/app/server.h"
#include "daemon/app/status_answer.h"
#include "daemon/app/tls.h"
#include "daemon/base/clock.h"
#include "daemon/base/mutex.h"
#include "daemon/base/random.h"
#include "daemon/base/trusted_clock.h"
#include "daemon/callers/book.h"
#include "daemon/callers/caller_connections.h"
#include "daemon/ops/call_log.h"
#include "daemon/ops/config.h"
#include "daemon/ops/health.h"
#include "daemon/ops/http.h"
#include "daemon/ops/log.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/ops/metrics.h"
#include "daemon/policy/document.h"
#include "daemon/rpc/authorize.h"
#include "daemon/service/state/core.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::app {

struct RpcServices;
struct Services;

// Open, Prepare, Serve, then Drain; each once. Open and Prepare may run on a thread of their own, the rest belongs to
// the main thread.
class Runtime {
 public:
  // Called from any thread.
  struct News {
    std::function<void()> write_failed;  // once: the store has gone into its failed state
    std::function<void()>
        policy_due;  // a policy was refused because of the time, which is right now: ReadPolicy and ReloadPolicy
    std::function<void()> probe_answered;  // in time: the daemon lives; see StartProbing
  };
  Runtime(ops::ServeOptions options, ops::Log& log, News news);
  // Without Drain: abandons what is under way as a crash would, which loses nothing acknowledged.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Looks at all files, then makes or opens keys, lock and store; then the addresses, where health says NOT_SERVING and
  // calls are refused with it.
  std::optional<Failure> Open();
  // Puts the policy in force and fills the index. Takes as long as the store is large.
  std::optional<Failure> Prepare();
  // Answers from here on.
  void Serve();
  // After Serve: proves from here to Drain, on a thread of its own and one proof after another, that the daemon lives:
  // each begins a quarter of `watchdog` after the one before it or, where that took longer, at once. Those that end
  // well within half of `watchdog` are told to News.
  void StartProbing(std::chrono::microseconds watchdog);
  // Changes as long as Open and Prepare get on. Any thread, until Drain.
  uint64_t progress() const;
  // Says in the log that the daemon has not answered its own probe, and what the probe waits for. Any thread, from
  // StartProbing to Drain.
  void TellOverdue();
  // What the policy file says. Waits for its disk however long that takes, so it may be called from any thread, also
  // beside Drain.
  absl::StatusOr<policy::Document> ReadPolicy() const;
  // Puts in force what ReadPolicy returned. An error: the old one stays in force; counted in the metrics either way.
  // One that only the time is against is asked for by News::policy_due once the time is right.
  absl::Status ReloadPolicy(const absl::StatusOr<policy::Document>& read);
  // The decision log goes on in another file. Once it serves.
  void BeginDecisionFile();
  // What the callers' file says; an empty one where there is none. Waits as ReadPolicy does.
  absl::StatusOr<v1::CallersFile> ReadCallers() const;
  // Puts in force what ReadCallers returned. An error: the old one stays in force; counted in the metrics either way.
  // Nothing happens where the options name no file.
  absl::Status ReloadCallers(const absl::StatusOr<v1::CallersFile>& read);
  // NOT_SERVING, waits for calls under way as long as the options say, then stops every part and closes the store.
  void Drain();
  // After a failed write: NOT_SERVING, and calls under way get `patience` to hear of it. Returns without waiting
  // longer, and the process must then end without destructors: the engine may hang.
  void Abandon(std::chrono::milliseconds patience);

 private:
  store::RocksStore::Options StoreOptions();
  std::optional<Failure> OpenStore();
  absl::Status SaveKeys(const base::Keys& keys);
  // What the operator vouches for. An error: it could not be made durable.
  std::optional<Failure> AcceptClock();
  void MakeContext(const base::Keys& keys);
  std::optional<Failure> Listen();
  // Services of their own for a server whose peers the authenticator tells apart.
  std::vector<grpc::Service*> ServicesFor(std::unique_ptr<rpc::Authenticator> authenticator);
  // Which server serves there, made where there is none yet.
  size_t ServedBy(const ops::ListenOption& option, ServerOptions* serving);
  // What a scrape and GetStatus show.
  void DefineMetrics();
  absl::Status ListenForScrapes();
  // From the thread of each address that is scraped, and of each call that asks how the daemon stands.
  std::vector<prometheus::MetricFamily> CollectMetrics() EXCLUDES(collecting_);
  void LogCuts(const ConnectionCounts& counts);

  const ops::ServeOptions options_;
  ops::Log& log_;
  const News news_;
  const base::SystemClock clock_;
  base::SystemRandom random_;
  base::TrustedClock time_;
  DescriptorPlan descriptors_;
  ops::Health health_;
  base::Mutex collecting_;  // a registry is read by one at a time
  ops::MetricRegistry registry_;
  ops::Metrics metrics_;
  ops::EventCounter& reloads_;
  ops::EventCounter& certificate_reloads_;
  ops::EventCounter& callers_reloads_;
  ReloadTimes reload_times_;
  callers::Book callers_;
  callers::CallerConnections caller_connections_;
  ops::CallLog call_log_;
  std::optional<policy::Document> first_policy_;  // from Open to Prepare
  std::unique_ptr<service::Pool> writers_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<DecisionLog> decisions_;
  std::unique_ptr<service::Core> core_;
  std::unique_ptr<RestrictionJournal> journal_;
  std::atomic<service::Core*> watched_{nullptr};  // the core, for the store's failure callback
  std::unique_ptr<CallPools> pools_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<PolicyInForce> policy_in_force_;
  std::unique_ptr<StatusAnswer> status_;
  std::unique_ptr<Backups> backups_;
  std::vector<std::unique_ptr<rpc::Authenticator>> authenticators_;
  std::vector<std::unique_ptr<RpcServices>> rpc_;  // of each gRPC server
  std::unique_ptr<Certificates> certificates_;     // null: no TLS
  size_t tls_served_by_ = 0;                       // of ServerOptions::served
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<ops::HttpServer>> http_;
  std::unique_ptr<Periodic> sweeper_;
  std::unique_ptr<Periodic> eraser_;
  std::unique_ptr<Periodic> rewrapper_;
  std::unique_ptr<Periodic> clock_watch_;
  std::unique_ptr<Periodic> settler_;
  std::unique_ptr<Periodic> joiner_;
  std::unique_ptr<Periodic> certificate_watch_;
  std::unique_ptr<Probe> probe_;
  std::unique_ptr<Periodic> prober_;
};

}  // namespace consent::app
