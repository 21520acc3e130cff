#include "daemon/service/registry/policy_admin.h"

#include <algorithm>
#include <map>
#include <thread>

#include "daemon/base/hash.h"
#include "daemon/policy/compare.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

std::string PolicyKey(base::Instant activated_at) {
  std::string key;
  base::Encoder(&key).BigEndian(static_cast<uint64_t>(activated_at.micros), 8);
  return key;
}

std::string SuspensionKey(const SuspensionRow& row) {
  std::string key;
  base::Encoder out(&key);
  out.Byte(static_cast<uint8_t>(row.purpose));
  out.BigEndian(row.region.packed(), 4);
  out.BigEndian(static_cast<uint64_t>(row.time.micros), 8);
  return key;
}

// Names the last change of a suspension.
std::string EtagOf(const SuspensionRow& row) {
  return base::Hex(base::View(base::Blake2b(EncodeSuspension(row)))).substr(0, 16);
}

constexpr auto kActivated = static_cast<uint8_t>(ChangeKind::kPolicyActivated);
constexpr auto kSuspensionChanged = static_cast<uint8_t>(ChangeKind::kSuspensionChanged);

// Closes the gate for the time of an activation.
class ClosedGate {
 public:
  explicit ClosedGate(ActivationGate& gate) : gate_(gate) { gate_.CloseAndWait(); }
  ~ClosedGate() { gate_.Open(); }
  ClosedGate(const ClosedGate&) = delete;
  ClosedGate& operator=(const ClosedGate&) = delete;

 private:
  ActivationGate& gate_;
};

}  // namespace

PolicyAdmin::PolicyAdmin(Core& core) : core_(core) {}

absl::Status PolicyAdmin::CommitRow(store::Partition partition, store::Table table,
                                    const std::function<Row(base::Instant)>& make, uint8_t kind,
                                    const std::string& version) {
  const store::CommitResult result = CommitNow(core_, partition, {}, [&](const store::Stamp& stamp) {
    Row row = make(stamp.time);
    store::Change change;
    change.writes.push_back({table, std::move(row.key), std::move(row.value)});
    change.event = PlainEvent(static_cast<ChangeKind>(kind), version);
    return change;
  });
  return OutcomeStatus(result.outcome);
}

absl::StatusOr<base::Instant> PolicyAdmin::CommitEverywhere(store::Table table, const MakeRow& make, uint8_t kind,
                                                            const std::string& version) {
  base::Instant first;
  for (uint16_t number = 0; number < core_.store.partition_count();) {
    const absl::Status status = CommitRow(
        store::Partition{number}, table,
        [&](base::Instant stamp) {
          // Not before what another partition stamped: its consents from before a suspension must not look later than
          // its end.
          if (!first.IsSet()) first = std::max(stamp, core_.Now());
          return make(first);
        },
        kind, version);
    // What one partition has must come to all: a queue that is full there is waited for.
    const bool is_busy = number > 0 && wire::DetailOf(status).reason == v1::ERROR_REASON_OVERLOADED;
    if (!status.ok() && !is_busy) return status;
    if (is_busy) std::this_thread::yield();
    if (status.ok()) ++number;
  }
  core_.NoteStamp(first);
  return first;
}

// All rows of a table in any partition; those that a crash kept from some partitions are written there now.
absl::Status PolicyAdmin::LoadTable(store::Table table, uint8_t kind, std::vector<std::string>* values) {
  std::map<std::string, std::string> rows;
  const uint16_t partitions = core_.store.partition_count();
  std::vector<std::map<std::string, bool>> present(partitions);
  for (uint16_t number = 0; number < partitions; ++number) {
    absl::Status scanned = core_.store.Scan(store::Partition{number}, table, "", "", SIZE_MAX,
                                            [&](std::string_view key, std::string_view value) {
                                              rows.emplace(key, value);
                                              present[number].emplace(key, true);
                                              return true;
                                            });
    if (!scanned.ok()) return scanned;
  }
  for (const auto& row : rows) {
    for (uint16_t number = 0; number < partitions; ++number) {
      if (present[number].count(row.first) != 0) continue;
      absl::Status status = CommitRow(
          store::Partition{number}, table,
          [&](base::Instant) {
            return Row{row.first, row.second};
          },
          kind, "");
      if (!status.ok()) return status;
    }
    values->push_back(row.second);
  }
  return absl::OkStatus();
}

absl::Status PolicyAdmin::Load() {
  base::MutexLock lock(writing_);
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    core_.NoteStamp(core_.store.GetHead(store::Partition{number}).stamp.time);
  }
  std::vector<std::string> versions;
  std::vector<std::string> suspensions;
  absl::Status status = LoadTable(store::Table::kPolicy, kActivated, &versions);
  if (status.ok()) status = LoadTable(store::Table::kSuspension, kSuspensionChanged, &suspensions);
  if (!status.ok()) return status;
  for (const std::string& bytes : suspensions) {
    SuspensionRow row;
    if (!DecodeSuspension(bytes, &row)) return absl::DataLossError("a stored suspension cannot be decoded");
    core_.policies.Publish(std::move(row));
  }
  for (const std::string& bytes : versions) {
    absl::StatusOr<policy::PolicyRow> row = policy::DecodeRow(bytes);
    if (!row.ok()) return absl::DataLossError("a stored policy version cannot be decoded");
    core_.policies.Publish(*std::move(row));
  }
  return absl::OkStatus();
}

absl::Status PolicyAdmin::Activate(const policy::Document& document) {
  base::MutexLock lock(writing_);
  const ClosedGate closed(core_.activation);
  const std::shared_ptr<const policy::PolicyRow> current = core_.policies.current();
  if (current != nullptr && current->document.hash() == document.hash()) return absl::OkStatus();
  if (const auto used = core_.policies.Find(document.version())) {
    if (absl::Status same = policy::CheckSameContent(used->document.hash(), document); !same.ok()) return same;
  }
  const policy::Usage usage{core_.gauges.NoticesInUse(), core_.gauges.ControlsRefused()};
  if (absl::Status allowed = policy::CheckActivation(current.get(), document, usage); !allowed.ok()) return allowed;
  const policy::State previous = current != nullptr ? current->state : policy::State{};
  const auto trial = policy::Advance(previous, document, core_.Now());
  if (!trial.ok()) return trial.status();
  // Last, so that a policy which only waits for the time is one that is allowed.
  if (absl::Status time = TimeToLoosen(core_.Present()); !time.ok()) return time;
  // What Advance refuses does not depend on the time, so it cannot refuse now.
  const policy::Document* const replaced = current != nullptr ? &current->document : nullptr;
  const auto state_at = [&](base::Instant time) { return *policy::Advance(previous, document, time, replaced); };
  const auto stamp = CommitEverywhere(
      store::Table::kPolicy,
      [&](base::Instant time) {
        return Row{PolicyKey(time), policy::EncodeRow(document, state_at(time))};
      },
      kActivated, document.version());
  if (!stamp.ok()) return stamp.status();
  core_.policies.Publish(policy::PolicyRow{document, state_at(*stamp)});
  return absl::OkStatus();
}

std::vector<SuspensionView> PolicyAdmin::Suspensions() const {
  std::vector<SuspensionView> views;
  const std::vector<SuspensionRow> rows = core_.policies.suspensions();
  for (const domain::Suspension& suspension : FoldSuspensions(rows, base::kEndOfTime)) {
    const auto last = std::find_if(rows.rbegin(), rows.rend(), [&](const SuspensionRow& row) {
      return row.purpose == suspension.purpose && row.region == suspension.region;
    });
    views.push_back(SuspensionView{suspension, last->reason, EtagOf(*last)});
  }
  const auto changed = [](const SuspensionView& view) {
    return std::max(view.suspension.suspended_at, view.suspension.resumed_at);
  };
  std::stable_sort(views.begin(), views.end(), [&](const auto& a, const auto& b) { return changed(a) < changed(b); });
  return views;
}

absl::StatusOr<PolicyView> PolicyAdmin::Get(std::string_view version) const {
  const std::shared_ptr<const policy::PolicyRow> current = core_.policies.current();
  const std::shared_ptr<const policy::PolicyRow> row = version.empty() ? current : core_.policies.Find(version);
  if (row == nullptr) return wire::MakeError(v1::ERROR_REASON_POLICY_VERSION_NOT_FOUND, "no policy has that version");
  return PolicyView{std::make_shared<const policy::Document>(row->document), row->state.activated_at, row == current,
                    Suspensions()};
}

absl::StatusOr<SuspensionView> PolicyAdmin::ChangeSuspension(SuspensionRow row) {
  const auto stamp = CommitEverywhere(
      store::Table::kSuspension,
      [&](base::Instant time) {
        row.time = time;
        return Row{SuspensionKey(row), EncodeSuspension(row)};
      },
      kSuspensionChanged, core_.policies.rules()->version);
  if (!stamp.ok()) return stamp.status();
  core_.policies.Publish(row);
  for (const SuspensionView& view : Suspensions()) {
    if (view.suspension.purpose == row.purpose && view.suspension.region == row.region) return view;
  }
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a suspension was written and is not there");
}

absl::StatusOr<SuspensionView> PolicyAdmin::Suspend(domain::Purpose purpose, domain::Region region,
                                                    std::string reason) {
  base::MutexLock lock(writing_);
  if (core_.policies.rules() == nullptr) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
  }
  for (const SuspensionView& view : Suspensions()) {
    if (view.suspension.purpose == purpose && view.suspension.region == region && view.suspension.active) return view;
  }
  return ChangeSuspension(SuspensionRow{purpose, region, true, base::Instant{}, std::move(reason)});
}

absl::StatusOr<SuspensionView> PolicyAdmin::Resume(domain::Purpose purpose, domain::Region region, std::string reason,
                                                   const std::string& etag) {
  base::MutexLock lock(writing_);
  if (core_.policies.rules() == nullptr) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
  }
  const std::vector<SuspensionView> views = Suspensions();
  const auto at = std::find_if(views.begin(), views.end(), [&](const SuspensionView& view) {
    return view.suspension.purpose == purpose && view.suspension.region == region && view.suspension.active;
  });
  if (at == views.end()) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SUSPENDED,
                           "that purpose is not suspended there; GetPolicy lists what is");
  }
  if (etag.empty()) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_REQUIRED, "lifting a suspension needs its etag, see GetPolicy");
  }
  if (etag != at->etag) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH,
                           "the etag is not the suspension's current one, see GetPolicy");
  }
  if (absl::Status s = TimeToLoosen(core_.Present()); !s.ok()) return s;
  return ChangeSuspension(SuspensionRow{purpose, region, false, base::Instant{}, std::move(reason)});
}

}  // namespace consent::service
