// The policy in force, every version before it, and suspensions: what Decide's rules are built from, kept in memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/domain/rules.h"
#include "daemon/policy/document.h"
#include "daemon/policy/state.h"
#include "daemon/service/state/person.h"

namespace consent::service {

// One suspension or its end, as stored.
struct SuspensionRow {
  domain::Purpose purpose = domain::Purpose::kNone;  // kNone: of the whole store (domain::Suspension)
  domain::Region region;                             // unset: everywhere
  bool active = false;
  base::Instant time;
  std::string reason;
  std::string by = {};     // whose call it was, by name; empty: not known
  Approval approval = {};  // of a lifting that took two persons; `by` approved it
};

// Of kSuspension: purpose (1), region (4), time (8).
std::string SuspensionKey(const SuspensionRow& row);
std::string EncodeSuspension(const SuspensionRow& row);
// False on anything malformed. Total.
bool DecodeSuspension(std::string_view bytes, SuspensionRow* row);

// The state of each (purpose, region) after all rows up to and including `at`.
std::vector<domain::Suspension> FoldSuspensions(const std::vector<SuspensionRow>& rows, base::Instant at);

// Thread-safe. Published values are immutable snapshots.
class PolicyBook {
 public:
  // In force now; nullptr before the first activation.
  std::shared_ptr<const domain::Rules> rules() const;
  // The same, and since when that version is in force.
  struct InForce {
    std::shared_ptr<const domain::Rules> rules;
    base::Instant activated_at;
  };
  InForce in_force() const;
  // The version in force; nullptr before the first.
  std::shared_ptr<const policy::PolicyRow> current() const;
  // nullptr where no policy had that version.
  std::shared_ptr<const policy::PolicyRow> Find(std::string_view version) const;
  // All versions that were ever in force, in the order of their activation.
  std::vector<std::shared_ptr<const policy::PolicyRow>> All() const;
  // The activations of up to `until`, the newest first; at most `limit`.
  std::vector<std::shared_ptr<const policy::PolicyRow>> Activations(base::Instant until, size_t limit) const;
  // The version in force at a past time; nullptr before the first.
  std::shared_ptr<const policy::PolicyRow> At(base::Instant at) const;
  // Rules as they were at a past time, suspensions included; nullptr before the first.
  std::shared_ptr<const domain::Rules> RulesAt(base::Instant at) const;
  // All that were in force at some time from `from` to `to`, as RulesAt gives them, the newest first. At most 64: of
  // more the newest.
  std::vector<std::shared_ptr<const domain::Rules>> RulesWithin(base::Instant from, base::Instant to) const;
  std::vector<SuspensionRow> suspensions() const;

  // In force when it returns. Versions are published in the order of their activation.
  void Publish(policy::PolicyRow version);
  void Publish(SuspensionRow suspension);

 private:
  void Rebuild() REQUIRES(mutex_);
  mutable base::Mutex mutex_;
  std::vector<std::shared_ptr<const policy::PolicyRow>> versions_ GUARDED_BY(mutex_);  // by activated_at
  std::vector<SuspensionRow> suspensions_ GUARDED_BY(mutex_);                          // by time
  std::shared_ptr<const domain::Rules> rules_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
