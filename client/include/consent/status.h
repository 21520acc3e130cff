// How a daemon stands: the figures of its metrics, for who has no way to them. The protos document each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consent/policy.h"
#include "consent/purge.h"
#include "consent/types.h"

namespace consent {

// A part that is absent, and a time that is absent, stand for what there is none of.
struct DaemonStatus {
  // The policy in force.
  struct InForce {
    std::string version;
    // 32 bytes.
    std::string hash;
    std::optional<Time> activated_at;
    std::optional<WaitingPolicy> waiting;
    struct Calendar {
      std::string regime;
      std::optional<Time> ends_at;
    };
    std::vector<Calendar> calendars;
    // Whoever activates a policy that loosens only proposes it.
    bool activation_takes_two = false;
  };
  struct Index {
    int64_t subjects = 0;
    int64_t max_subjects = 0;
    bool complete = false;
  };
  struct Store {
    int64_t commits_waiting = 0;
    bool writes_stopped = false;
    int64_t background_errors = 0;
    int64_t table_bytes = 0;
  };
  struct Disk {
    std::string folder;
    int64_t free_bytes = 0;
    int64_t size_bytes = 0;
    std::optional<int64_t> free_inodes;
  };
  struct DecisionLog {
    bool on = false;
    bool writing = false;
    int64_t missing_records = 0;
    int64_t records = 0;
    int64_t refused_records = 0;
  };
  struct Verification {
    std::optional<Time> reported_at;
    int64_t yeses = 0;
    int64_t yes_after_no = 0;
    int64_t not_given = 0;
    int64_t not_checkable = 0;
    int64_t log_problems = 0;
    std::optional<Time> last_wrong_at;
  };
  struct Certificates {
    std::optional<Time> server_ends_at;
    std::optional<Time> client_ca_ends_at;
    std::optional<Time> read_at;
    int64_t refused_reloads = 0;
  };
  struct Callers {
    std::optional<Time> read_at;
    int64_t refused_reloads = 0;
  };
  struct Requests {
    int64_t open = 0;
    std::optional<Time> oldest_at;
    int64_t overdue = 0;
    int64_t due_in_7_days = 0;
    int64_t due_in_30_days = 0;
    int64_t receipts_overdue = 0;
    int64_t receipts_due_in_3_days = 0;
  };
  struct Appeals {
    int64_t open = 0;
    int64_t acknowledgements_overdue = 0;
    int64_t answers_overdue = 0;
  };
  struct System {
    std::string name;
    int64_t open_tasks = 0;
    int64_t stuck_tasks = 0;
    std::optional<Time> oldest_task_at;
    std::optional<Time> worker_seen_at;
    RetentionState retention = RetentionState::kUnset;
    std::optional<Time> retention_due_at;
    int64_t sweep_failed = 0;
  };
  struct Holds {
    int64_t in_force = 0;
    std::optional<Time> oldest_at;
    std::optional<int64_t> past_review;
  };
  struct Children {
    int64_t profiles = 0;
    int64_t unguarded = 0;
    int64_t notice_due = 0;
    int64_t purge_due = 0;
  };
  struct Erasure {
    int64_t keys_waiting = 0;
    std::optional<Time> oldest_key_at;
    int64_t bytes_waiting = 0;
    std::optional<Time> oldest_bytes_at;
  };
  struct Safety {
    int64_t open = 0;
    std::optional<Time> oldest_at;
    // Of these: not acknowledged, or not handled, by the policy's time. One may count in both.
    int64_t unacknowledged_overdue = 0;
    int64_t unhandled_overdue = 0;
  };

  // By the daemon's clock; all spans count from it.
  std::optional<Time> read_at;
  std::string version;
  std::optional<Time> started_at;
  InForce policy;
  std::vector<Suspension> suspensions;
  ClockState clock;
  Index index;
  Store store;
  std::vector<Disk> disks;
  DecisionLog decision_log;
  std::optional<Verification> verification;
  std::optional<Certificates> certificates;
  std::optional<Callers> callers;
  Requests requests;
  Appeals appeals;
  std::vector<System> systems;
  Holds holds;
  Children children;
  Erasure erasure;
  std::optional<Safety> safety;
  std::optional<int64_t> approvals_open;
};

}  // namespace consent
