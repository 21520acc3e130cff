// Suspensions: the part of PolicyAdmin that stops a purpose and lets it go on.
#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/base/hash.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/registry/every_partition.h"
#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// Names the last change of a suspension.
std::string EtagOf(const SuspensionRow& row) {
  return base::Hex(base::View(base::Blake2b(EncodeSuspension(row)))).substr(0, 16);
}

// Of that purpose there; nullptr: none.
const SuspensionView* FindView(const std::vector<SuspensionView>& views, domain::Purpose purpose,
                               domain::Region region) {
  const auto at = std::find_if(views.begin(), views.end(), [&](const SuspensionView& view) {
    return view.suspension.purpose == purpose && view.suspension.region == region;
  });
  return at == views.end() ? nullptr : &*at;
}

absl::Status MayResume(const SuspensionView* view, const std::string& etag) {
  if (view == nullptr || !view->suspension.active) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SUSPENDED,
                           "that purpose is not suspended there; GetPolicy lists what is");
  }
  if (etag.empty()) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_REQUIRED, "lifting a suspension needs its etag, see GetPolicy");
  }
  if (etag != view->etag) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH,
                           "the etag is not the suspension's current one, see GetPolicy");
  }
  return absl::OkStatus();
}

// `by`: the caller's name; empty: the daemon, which finishes what it began before a crash.
MakeChange SuspensionWriter(const SuspensionRow& row, const std::string& policy_version, const std::string& by) {
  return [row, policy_version, by](store::Partition, const store::Stamp& stamp, base::Instant time) {
    SuspensionRow stamped = row;
    stamped.time = time;
    store::Change change;
    std::string version;
    base::Encoder(&version).BigEndian(stamp.sequence, 8);
    change.writes.push_back({store::Table::kSuspension, std::string(kSuspensionsVersionKey), std::move(version)});
    change.writes.push_back({store::Table::kSuspension, SuspensionKey(stamped), EncodeSuspension(stamped)});
    change.event = PlainEvent(ChangeKind::kSuspensionChanged, policy_version,
                              DetailOf(row.approval.proposed_by, row.approval.approved_by), by);
    return change;
  };
}

}  // namespace

std::vector<SuspensionView> PolicyAdmin::ViewsOf(const std::vector<SuspensionRow>& rows) {
  std::vector<SuspensionView> views;
  for (const domain::Suspension& suspension : FoldSuspensions(rows, base::kEndOfTime)) {
    const auto last = std::find_if(rows.rbegin(), rows.rend(), [&](const SuspensionRow& row) {
      return row.purpose == suspension.purpose && row.region == suspension.region;
    });
    views.push_back(SuspensionView{suspension, last->reason, EtagOf(*last), last->by, last->approval});
  }
  const auto changed = [](const SuspensionView& view) {
    return std::max(view.suspension.suspended_at, view.suspension.resumed_at);
  };
  std::stable_sort(views.begin(), views.end(), [&](const auto& a, const auto& b) { return changed(a) < changed(b); });
  return views;
}

absl::Status PolicyAdmin::FinishSuspensions() {
  for (const auto& [row, lacking] : follower_.UnfinishedSuspensions()) {
    const EveryPartition write{SuspensionWriter(row, "", "")};
    if (absl::Status s = WriteMissing(core_, lacking, row.time, write); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SuspensionView>> PolicyAdmin::ReadSuspensions(store::Precondition* unchanged) const {
  // The version first: what is written after it is seen by the precondition.
  const std::string key(kSuspensionsVersionKey);
  *unchanged = {store::Table::kSuspension, key, std::nullopt};
  absl::StatusOr<std::string> version = core_.store.Get(kFirstPartition, store::Table::kSuspension, key);
  if (!version.ok() && !absl::IsNotFound(version.status())) return StoreUnreadable();
  if (version.ok()) unchanged->expected = *std::move(version);
  std::vector<SuspensionRow> rows;
  bool damaged = false;
  const absl::Status scanned = core_.store.Scan(kFirstPartition, store::Table::kSuspension, "", "", SIZE_MAX,
                                                [&](std::string_view name, std::string_view value) {
                                                  if (name == kSuspensionsVersionKey) return true;
                                                  damaged = !DecodeSuspension(value, &rows.emplace_back());
                                                  return !damaged;
                                                });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedRow("a suspension's row");
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  return ViewsOf(rows);
}

absl::StatusOr<SuspensionView> PolicyAdmin::ChangeSuspension(const SuspensionRow& row, const MayChange& may_change,
                                                             const Caller& caller, const Awaited& is_awaited) {
  const absl::Status changed = RetryOnConflict(
      [&]() -> absl::StatusOr<store::Outcome> {
        store::Precondition unchanged;
        const PolicyBook::InForce in_force = core_.policies.in_force();
        const absl::StatusOr<std::vector<SuspensionView>> views = ReadSuspensions(&unchanged);
        if (!views.ok()) return views.status();
        // What is there already is to be in force in every partition on return.
        if (absl::Status s = FinishSuspensions(); !s.ok()) return s;
        const SuspensionView* const view = FindView(*views, row.purpose, row.region);
        if (row.active && view != nullptr && view->suspension.active) return store::Outcome::kCommitted;
        const bool is_done = row.approval.IsSet() && view != nullptr && view->approval == row.approval;
        if (is_done) return store::Outcome::kCommitted;
        if (absl::Status s = may_change(view); !s.ok()) return s;
        EveryPartition write{SuspensionWriter(row, in_force.rules->version, caller.identity)};
        write.preconditions.push_back(std::move(unchanged));
        if (auto policy = PolicyOf(row, in_force)) write.preconditions.push_back(*std::move(policy));
        write.patiently = row.active;
        const WrittenEverywhere written = WriteEverywhere(core_, write);
        if (written.first == store::Outcome::kConflict || written.status.ok()) return written.first;
        return written.status;
      },
      is_awaited);
  if (!changed.ok()) return changed;
  const std::vector<SuspensionView> views = ViewsOf(core_.policies.suspensions());
  const SuspensionView* const view = FindView(views, row.purpose, row.region);
  if (view != nullptr) return *view;
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a suspension was written and is not there");
}

absl::StatusOr<SuspensionView> PolicyAdmin::Suspend(domain::Purpose purpose, domain::Region region, std::string reason,
                                                    const Awaited& is_awaited, const Caller& caller) {
  base::MutexLock lock(writing_);
  if (core_.policies.rules() == nullptr) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
  }
  return ChangeSuspension(
      {purpose, region, true, base::Instant{}, std::move(reason), caller.identity},
      [](const SuspensionView*) { return absl::OkStatus(); }, caller, is_awaited);
}

std::optional<store::Precondition> PolicyAdmin::PolicyOf(const SuspensionRow& row, const PolicyBook::InForce& policy) {
  if (row.active || row.approval.IsSet()) return std::nullopt;
  return store::Precondition{store::Table::kPolicy, std::string(kCurrentPolicyKey),
                             EncodeCurrentPolicy({policy.activated_at, false})};
}

absl::StatusOr<SuspensionView> PolicyAdmin::Resume(const ResumeOrder& order, const Caller& caller) {
  base::MutexLock lock(writing_);
  if (core_.policies.rules() == nullptr) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
  }
  const std::string& by = order.approval.IsSet() ? order.approval.approved_by : caller.identity;
  return ChangeSuspension(
      {order.purpose, order.region, false, base::Instant{}, order.reason, by, order.approval},
      [&](const SuspensionView* view) {
        absl::Status s = MayResume(view, order.etag);
        if (s.ok()) s = TimeToLoosen(core_.Present());
        const bool alone = !order.approval.IsSet();
        if (s.ok() && alone && !core_.policies.rules()->approvals.one_resumes) s = ApprovalRequired();
        return s;
      },
      caller);
}

}  // namespace consent::service
