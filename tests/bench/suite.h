// The benchmarks, in the order in which one prepares the next.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "tests/bench/report.h"
#include "tests/bench/servers.h"
#include "tests/bench/workloads.h"

namespace consent::bench {

struct SuiteOptions {
  uint64_t subjects = 1'000'000;
  int rounds = 7;
  std::chrono::milliseconds round{3000};
  int threads = 1;  // of the client
  int check_outstanding = 64;
  int batch_outstanding = 4;
  int update_clients = 64;
  size_t check_requests = 500'000;  // made beforehand
  size_t batch_requests = 500;
  bool footprint = true, check = true, batch = true, tls = true, log = true, mix = true, update = true,
       slow_update = true;
};

class Suite {
 public:
  Suite(const SuiteOptions& options, Servers& servers) : options_(options), servers_(servers) {
    report_.subjects = options.subjects;
  }
  absl::Status Run();
  const Report& report() const { return report_; }

 private:
  // Memory, disk and the fill of the index, on subjects with one choice.
  absl::Status Footprint();
  // Loads what the rates are measured on, starts consentd on it and looks at a sample through the API.
  absl::Status Prepare();
  absl::Status CheckSample();
  absl::Status CheckAnswers();
  absl::Status Checks(const std::string& how, double target_rate, Server& daemon, Server& empty);
  // `target_items_rate` 0: none.
  absl::Status Batches(const std::string& how, double target_items_rate, Server& daemon, Server& empty);
  absl::Status Reads();
  // The same over TLS, on a copy of the store: both sides with certificates, the daemon with a callers' file.
  absl::Status OverTls();
  // The same, all of them yes, with the decision log and without it: two daemons on the same store.
  absl::Status Logged();
  // The same as the batches of Reads, on other subjects and with all kinds of answers; with a daemon of its own.
  absl::Status Mixed();
  absl::Status Updates();
  absl::Status CompareUpdates(const std::string& name, bool slow, const RowSizes& sizes, UpdateWorkload& ours,
                              UpdateWorkload& theirs);
  template <typename Workload>
  absl::Status Compare(Comparison comparison, const LoopOptions& loop, Server& daemon, Server& opponent, Workload& ours,
                       Workload& theirs);
  LoopOptions Loop(int outstanding) const;
  Asked AskedNow() const;

  const SuiteOptions options_;
  Servers& servers_;
  Report report_;
  std::optional<Server> daemon_;
};

}  // namespace consent::bench
