// The decision log of a running daemon: opened, counted in the store, told of, its keys kept.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "daemon/app/exit_codes.h"
#include "daemon/app/month_key_keeper.h"
#include "daemon/app/periodic.h"
#include "daemon/base/random.h"
#include "daemon/decisions/handle_keys.h"
#include "daemon/decisions/log.h"
#include "daemon/decisions/recorder.h"
#include "daemon/ops/config.h"
#include "daemon/ops/log.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/service/erasure/month_keys.h"
#include "daemon/service/rows/decision_log_row.h"
#include "daemon/service/state/core.h"

namespace consent::app {

// Thread-safe but for what begins and ends it, which is the owner's.
class DecisionLog {
 public:
  // Goes on where the folder's files end, and says in `log` what of them the store misses. May block. Nothing, with
  // `*failure`: the folder cannot be used, or what is in it is damaged.
  static std::unique_ptr<DecisionLog> Open(const ops::ServeOptions& options, const store::Store& store,
                                           base::Random& random, ops::Log& log, std::optional<Failure>* failure);

  decisions::Recorder& recorder() { return recorder_; }
  // Begins another file with the next record.
  void BeginFile();
  // Makes the key of the running month where there is none, and says in the log why it could not. Once, after the
  // policy is in force and before the first call; blocks.
  void TakeKeys(service::Core& core, service::MonthKeys& keys);
  // Writes each second into the store how far the log has come, and sees to the keys, until EndCounting or the end.
  void BeginCounting(service::Core& core);
  // Once more, and then no longer. No call is under way any more.
  void EndCounting();

  void DefineMetrics(ops::MetricRegistry& registry) const;

 private:
  DecisionLog(const store::Store& store, base::Random& random, std::unique_ptr<decisions::Log> files,
              const service::DecisionLogRow& counted, ops::Log& log);
  void Count(service::Core& core);
  void TellHealth();

  ops::Log& log_;
  decisions::HandleKeys keys_;
  const std::unique_ptr<decisions::Log> files_;  // nullptr: off
  decisions::Recorder recorder_;
  service::DecisionLogRow counted_;  // of the counting thread, then of EndCounting
  bool is_healthy_ = true;           // the same
  service::Core* core_ = nullptr;
  std::unique_ptr<MonthKeyKeeper> keeper_;
  std::unique_ptr<Periodic> key_watch_;
  std::unique_ptr<Periodic> counter_;
};

}  // namespace consent::app
