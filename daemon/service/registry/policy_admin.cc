#include "daemon/service/registry/policy_admin.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/policy/compare.h"
#include "daemon/policy/texts.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/registry/every_partition.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// What a trailer has room for twice.
constexpr size_t kMaxErrorText = 2'000;

std::string Cut(const absl::Status& status) {
  std::string text(status.message());
  if (text.size() > kMaxErrorText) text.replace(kMaxErrorText, std::string::npos, " ...");
  return text;
}

// What the policies say among themselves, as an error of the API.
absl::Status Refused(const absl::Status& status) {
  if (status.ok()) return status;
  return wire::MakeError(v1::ERROR_REASON_POLICY_REFUSED, Cut(status));
}

// Of policy::CheckNamed.
absl::Status Named(const absl::Status& status) {
  if (status.ok()) return status;
  if (absl::IsInvalidArgument(status)) return wire::FieldError("loosens", Cut(status));
  return wire::MakeError(v1::ERROR_REASON_LOOSENING_NOT_NAMED, Cut(status));
}

// Whose call put a version in force, and who proposed it.
struct ActivatedBy {
  std::string caller;    // as events have it
  std::string by;        // as policy::PolicyRow has it
  std::string proposed;  // likewise
};

MakeChange VersionWriter(const policy::Document& document, const ActivatedBy& who,
                         const std::function<policy::State(base::Instant time)>& state_at) {
  return [document, who, state_at](store::Partition partition, const store::Stamp&, base::Instant time) {
    const base::Digest& hash = document.hash();
    store::Change change;
    if (partition == kFirstPartition) {
      change.writes.push_back({store::Table::kPolicy, PolicyDocumentKey(hash), document.json()});
      change.writes.push_back({store::Table::kPolicy, PolicyTimeKey(kStates, time),
                               policy::EncodeVersion({hash, state_at(time), who.by, who.proposed})});
    }
    change.writes.push_back({store::Table::kPolicy, PolicyTimeKey(kInForceRows, time), std::string(base::View(hash))});
    change.event =
        PlainEvent(ChangeKind::kPolicyActivated, document.version(), DetailOf(who.proposed, who.by), who.caller);
    return change;
  };
}

store::Write PutCurrent(const CurrentPolicy& current) {
  return {store::Table::kPolicy, std::string(kCurrentPolicyKey), EncodeCurrentPolicy(current)};
}

// A version that comes into force, in partitions where an earlier one is in force. So it opens none that has been
// closed for its successor.
EveryPartition InForceWriter(const Core& core, const policy::Document& document, const ActivatedBy& who,
                             const std::function<policy::State(base::Instant time)>& state_at) {
  EveryPartition write;
  const MakeChange version = VersionWriter(document, who, state_at);
  write.make = [version](store::Partition partition, const store::Stamp& stamp, base::Instant time) {
    store::Change change = version(partition, stamp, time);
    change.writes.push_back(PutCurrent({time, false}));
    return change;
  };
  write.needs = [&core](store::Partition partition,
                        base::Instant time) -> absl::StatusOr<std::optional<store::Precondition>> {
    const std::string key(kCurrentPolicyKey);
    absl::StatusOr<std::string> bytes = core.store.Get(partition, store::Table::kPolicy, key);
    if (absl::IsNotFound(bytes.status())) return store::Precondition{store::Table::kPolicy, key, std::nullopt};
    if (!bytes.ok()) return StoreUnreadable();
    CurrentPolicy current;
    if (!DecodeCurrentPolicy(*bytes, &current)) return DamagedRow("the row of a partition's policy");
    if (current.activated_at >= time) return std::optional<store::Precondition>();
    return store::Precondition{store::Table::kPolicy, key, *std::move(bytes)};
  };
  return write;
}

}  // namespace

PolicyAdmin::PolicyAdmin(Core& core, PolicyFollower& follower) : core_(core), follower_(follower) {}

absl::Status PolicyAdmin::FinishVersions() {
  for (const auto& [row, lacking] : follower_.UnfinishedVersions()) {
    const EveryPartition write = InForceWriter(core_, row.document, {"", row.activated_by, row.proposed_by},
                                               [&row = row](base::Instant) { return row.state; });
    if (absl::Status s = WriteMissing(core_, lacking, row.state.activated_at, write); !s.ok()) return s;
  }
  return absl::OkStatus();
}

// What a crash kept from coming into force, or from being opened again.
absl::Status PolicyAdmin::OpenClosed() {
  const CurrentPolicy open{core_.policies.in_force().activated_at, false};
  std::vector<store::Partition> first;
  std::vector<store::Partition> others;
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    if (core_.partition_policies.Current({number}) != open) (number == 0 ? first : others).push_back({number});
  }
  const EveryPartition write = SetCurrent(open, "open");
  absl::Status opened = WriteMissing(core_, others, open.activated_at, write);
  if (opened.ok()) opened = WriteMissing(core_, first, open.activated_at, write);
  if (opened.ok()) left_closed_ = false;
  return opened;
}

EveryPartition PolicyAdmin::SetCurrent(const CurrentPolicy& current, const std::string& detail) const {
  const std::string version = core_.policies.rules() == nullptr ? std::string() : core_.policies.rules()->version;
  return {[current, version, detail](store::Partition, const store::Stamp&, base::Instant) {
    return store::Change{{PutCurrent(current)}, PlainEvent(ChangeKind::kPolicyActivated, version, detail)};
  }};
}

absl::StatusOr<policy::Usage> PolicyAdmin::ReadUsage() const {
  policy::Usage usage;
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    for (const char kind : {kUsedNotices, kUsedControls}) {
      const absl::Status scanned =
          core_.store.Scan(store::Partition{number}, store::Table::kPolicy, std::string(1, kind),
                           std::string(1, kind + 1), SIZE_MAX, [&usage](std::string_view key, std::string_view) {
                             UsageMark mark;
                             if (!DecodeMarkKey(key, &mark)) return true;
                             if (mark.of_control)
                               usage.controls.insert(static_cast<domain::ControlNumber>(mark.number));
                             if (!mark.of_control) usage.notices.insert(mark.number);
                             return true;
                           });
      if (!scanned.ok()) return StoreUnreadable();
    }
  }
  return usage;
}

absl::Status PolicyAdmin::Load() {
  base::MutexLock lock(writing_);
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    core_.NoteStamp(core_.store.GetHead(store::Partition{number}).stamp.time);
  }
  if (absl::Status s = follower_.Fill(); !s.ok()) return s;
  if (absl::Status s = FinishSuspensions(); !s.ok()) return s;
  if (absl::Status s = FinishVersions(); !s.ok()) return s;
  return OpenClosed();
}

absl::Status PolicyAdmin::Activate(const policy::Document& document, const ActivationOrder& order) {
  absl::Status status = ActivateInTurn(document, order);
  base::MutexLock lock(waiting_mutex_);
  if (status.ok() && waiting_.has_value() && waiting_->hash == document.hash()) waiting_.reset();
  return status;
}

absl::Status PolicyAdmin::ActivateInTurn(const policy::Document& document, const ActivationOrder& order) {
  base::MutexLock lock(writing_);
  if (absl::Status finished = FinishVersions(); !finished.ok()) return finished;
  if (left_closed_) {
    if (absl::Status opened = OpenClosed(); !opened.ok()) return opened;
  }
  const std::shared_ptr<const policy::PolicyRow> current = core_.policies.current();
  if (current != nullptr && current->document.hash() == document.hash()) return absl::OkStatus();
  if (order.approval.IsSet() && (current == nullptr || current->state.activated_at != order.after)) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH,
                           "another policy has come into force since this one was proposed: look at what it would "
                           "change now, and propose it again");
  }
  if (const auto used = core_.policies.Find(document.version())) {
    if (absl::Status same = policy::CheckSameContent(used->document.hash(), document); !same.ok()) return Refused(same);
  }
  // Before anything is closed, so that one that is refused hinders nobody.
  if (absl::Status allowed = MayFollow(current.get(), document); !allowed.ok()) return allowed;
  // Named against this predecessor: closing it below needs its very row.
  if (absl::Status named = Named(policy::CheckNamed(current.get(), document, order.loosens)); !named.ok()) return named;
  // Last, so that a policy which only waits for the time is one that is allowed.
  if (absl::Status time = TimeToLoosen(core_.Present()); !time.ok()) return time;
  if (absl::Status approved = Approved(current.get(), document, order); !approved.ok()) return approved;
  absl::Status status = Replace(current.get(), document, order);
  if (status.ok() && activated_) activated_(current.get(), document, order.by);
  return status;
}

absl::Status PolicyAdmin::Approved(const policy::PolicyRow* current, const policy::Document& document,
                                   const ActivationOrder& order) const {
  if (order.approval.IsSet() || current == nullptr) return absl::OkStatus();
  if (core_.policies.rules()->approvals.one_activates) return absl::OkStatus();
  const std::vector<policy::Difference> differences = policy::Compare(*current, document);
  return std::any_of(differences.begin(), differences.end(), policy::Loosens) ? ApprovalRequired() : absl::OkStatus();
}

absl::Status PolicyAdmin::Replace(const policy::PolicyRow* current, const policy::Document& document,
                                  const ActivationOrder& order) {
  if (current == nullptr) return PutInForce(nullptr, document, order);
  const base::Instant before = current->state.activated_at;
  EveryPartition close = SetCurrent({before, true}, "closed");
  close.preconditions.push_back(
      {store::Table::kPolicy, std::string(kCurrentPolicyKey), EncodeCurrentPolicy({before, false})});
  const WrittenEverywhere closed = WriteEverywhere(core_, close);
  left_closed_ = closed.time.IsSet();
  absl::Status status = closed.status;
  // From here on nothing comes to be used that the look does not see: a consent has the open row for a precondition and
  // brings its mark along. And nobody else activates: who does begins with the open row of the first partition.
  if (status.ok()) status = MayFollow(current, document);
  if (status.ok()) status = PutInForce(current, document, order);
  // One that is half in force is finished by the next call or a restart, and until then loosenings wait. Where nothing
  // of it was written they go on.
  if (!status.ok() && left_closed_ && follower_.UnfinishedVersions().empty()) (void)OpenClosed();
  return status;
}

absl::Status PolicyAdmin::MayFollow(const policy::PolicyRow* current, const policy::Document& document) const {
  for (const auto& earlier : core_.policies.All()) {
    if (absl::Status same = policy::CheckSameTexts(earlier->document, document); !same.ok()) return Refused(same);
  }
  const absl::StatusOr<policy::Usage> usage = ReadUsage();
  if (!usage.ok()) return usage.status();
  if (absl::Status allowed = policy::CheckActivation(current, document, *usage); !allowed.ok()) return Refused(allowed);
  return Refused(
      policy::Advance(current != nullptr ? current->state : policy::State{}, document, core_.Now()).status());
}

absl::StatusOr<PolicyDiff> PolicyAdmin::Diff(const policy::Document& document) const {
  const std::shared_ptr<const policy::PolicyRow> current = core_.policies.current();
  if (current == nullptr) return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
  PolicyDiff diff;
  if (current->document.hash() == document.hash()) return diff;
  diff.differences = policy::Compare(*current, document);
  absl::Status allowed = MayFollow(current.get(), document);
  if (const auto used = core_.policies.Find(document.version()); allowed.ok() && used != nullptr) {
    allowed = Refused(policy::CheckSameContent(used->document.hash(), document));
  }
  if (!allowed.ok() && wire::DetailOf(allowed).reason != v1::ERROR_REASON_POLICY_REFUSED) return allowed;
  diff.refused = std::string(allowed.message());
  return diff;
}

void PolicyAdmin::NoteWaiting(std::optional<WaitingPolicy> waiting) {
  base::MutexLock lock(waiting_mutex_);
  waiting_ = std::move(waiting);
}

std::optional<WaitingPolicy> PolicyAdmin::waiting() const {
  base::MutexLock lock(waiting_mutex_);
  return waiting_;
}

absl::Status PolicyAdmin::PutInForce(const policy::PolicyRow* current, const policy::Document& document,
                                     const ActivationOrder& order) {
  const policy::State previous = current != nullptr ? current->state : policy::State{};
  const policy::Document* const replaced = current != nullptr ? &current->document : nullptr;
  // What Advance refuses does not depend on the time, so it cannot refuse now.
  const auto state_at = [&](base::Instant time) { return *policy::Advance(previous, document, time, replaced); };
  const Approval& approval = order.approval;
  const ActivatedBy who{order.by, approval.IsSet() ? approval.approved_by : order.by, approval.proposed_by};
  EveryPartition write = InForceWriter(core_, document, who, state_at);
  std::optional<std::string> closed;
  if (current != nullptr) closed = EncodeCurrentPolicy({current->state.activated_at, true});
  write.preconditions.push_back({store::Table::kPolicy, std::string(kCurrentPolicyKey), std::move(closed)});
  const WrittenEverywhere written = WriteEverywhere(core_, write);
  if (written.status.ok()) left_closed_ = false;
  return written.status;
}

absl::StatusOr<PolicyView> PolicyAdmin::Get(std::string_view version) const {
  const std::shared_ptr<const policy::PolicyRow> current = core_.policies.current();
  const std::shared_ptr<const policy::PolicyRow> row = version.empty() ? current : core_.policies.Find(version);
  if (row == nullptr) return wire::MakeError(v1::ERROR_REASON_POLICY_VERSION_NOT_FOUND, "no policy has that version");
  return PolicyView{std::make_shared<const policy::Document>(row->document),
                    row->state.activated_at,
                    row->activated_by,
                    row->proposed_by,
                    row == current,
                    ViewsOf(core_.policies.suspensions())};
}

}  // namespace consent::service
