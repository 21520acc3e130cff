// The policy file that the daemon was given, and the policy that it serves under: which comes into force, and what is
// told where it does not.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/clock.h"
#include "daemon/ops/log.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/policy/document.h"
#include "daemon/policy/state.h"
#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/state/policy_book.h"

namespace consent::app {

// Thread-safe, as far as one thread at a time activates; the references outlive it.
class PolicyInForce {
 public:
  // `reloads` counts by result. `read_at`: takes when a file was last read and in force afterwards. `has_file`: the
  // daemon was given one, else its own is meant, which gives way to what somebody has activated.
  PolicyInForce(const service::PolicyBook& policies, service::PolicyAdmin& admin, const base::Clock& clock,
                ops::Log& log, ops::EventCounter& reloads, std::atomic<int64_t>& read_at, bool has_file);

  // At the start. An error: the daemon may not start. A file that waits for the time, or for somebody to name what it
  // loosens, is none where a policy is stored: the daemon serves under that one.
  absl::Status ActivateFirst(const policy::Document& document);
  // What was read again. An error: the old one stays in force; counted either way.
  absl::Status Reload(const absl::StatusOr<policy::Document>& read);
  // Whether a file was refused because of the time since it was asked last: it is to be read again once that is right.
  bool TakeDue() { return waits_for_time_.exchange(false); }

 private:
  // Puts it in force where it is another one that loosens nothing, and lists in the log what of it cannot work.
  absl::Status Activate(const policy::Document& document);
  // Who activated a policy by a call, and what it loosens, in the log.
  void TellActivation(const policy::PolicyRow* before, const policy::Document& document, const std::string& by);

  const service::PolicyBook& policies_;
  service::PolicyAdmin& admin_;
  const base::Clock& clock_;
  ops::Log& log_;
  ops::EventCounter& reloads_;
  std::atomic<int64_t>& read_at_;  // microseconds of the Unix time
  const bool has_file_;
  std::atomic<bool> waits_for_time_{false};
};

}  // namespace consent::app
