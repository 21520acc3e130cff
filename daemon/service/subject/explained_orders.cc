#include "daemon/service/subject/explained_orders.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/rows/task_rows.h"

namespace consent::service {
namespace {

bool Names(const std::vector<base::RecordingHandle>& recordings, base::RecordingHandle recording) {
  return std::binary_search(recordings.begin(), recordings.end(), recording);
}

domain::Tombstone OrdersOf(const domain::DeletionRequest& request) {
  domain::Tombstone orders;
  orders.state = domain::TombstoneStateOf(request.state);
  orders.scope = request.selector.scope.kind;
  orders.handle = request.selector.scope.handle;
  orders.captured = request.selector.captured;
  orders.copies_of = request.selector.copies_of;
  return orders;
}

bool Matches(domain::Match match) { return match == domain::Match::kSurely || match == domain::Match::kPerhaps; }

// Sequences or numbers of a subject's rows of `table`, the newest first, at most kMaxOrdersLookedAt.
struct Newest {
  std::vector<uint64_t> numbers;
  bool more = false;
};

absl::StatusOr<Newest> NewestOf(const Core& core, store::Partition partition, store::Table table,
                                const std::string& from, const std::string& to,
                                uint64_t (*number_of)(std::string_view)) {
  Newest newest;
  const absl::Status scanned =
      core.store.Scan(partition, table, from, to, SIZE_MAX, [&](std::string_view key, std::string_view) {
        newest.numbers.push_back(number_of(key));
        // Keys are in the order of receipt: what is dropped is the oldest.
        if (newest.numbers.size() >= 2 * kMaxOrdersLookedAt) {
          newest.numbers.erase(newest.numbers.begin(), newest.numbers.end() - kMaxOrdersLookedAt);
          newest.more = true;
        }
        return true;
      });
  if (!scanned.ok()) return StoreUnreadable();
  std::reverse(newest.numbers.begin(), newest.numbers.end());
  newest.more = newest.more || newest.numbers.size() > kMaxOrdersLookedAt;
  newest.numbers.resize(std::min(newest.numbers.size(), kMaxOrdersLookedAt));
  return newest;
}

absl::Status AddRequests(const Core& core, base::SubjectHandle subject, base::RecordingHandle recording,
                         base::Instant at, ExplainedOrders* orders) {
  const store::Partition partition = core.PartitionOf(subject);
  const auto newest =
      NewestOf(core, partition, store::Table::kDeletionBySubject, DeletionBySubjectKey(core, subject, 0),
               DeletionBySubjectKey(core, subject, UINT64_MAX), NumberOfKey);
  if (!newest.ok()) return newest.status();
  if (newest->more) orders->all_seen = false;
  for (const DeletionNumber number : newest->numbers) {
    absl::StatusOr<DeletionRow> row = LoadDeletion(core, DeletionPlace{partition, number});
    if (!row.ok()) return row.status();
    ExplainedRequest request;
    request.place = DeletionPlace{partition, number};
    request.request = std::move(row->request);
    // One result of a review is to go, and the recording is not.
    if (request.request.selector.kind == domain::SelectorKind::kDraft) continue;
    if (at.IsSet() && !RewindTo(at, &request.request)) continue;
    request.orders = OrdersOf(request.request);
    request.names_recording = Names(request.request.selector.recordings, recording);
    const bool is_about_others =
        request.request.selector.kind == domain::SelectorKind::kRecordings && !request.names_recording;
    if (!is_about_others) orders->requests.push_back(std::move(request));
  }
  return absl::OkStatus();
}

absl::Status AddHolds(const Core& core, base::SubjectHandle subject, base::RecordingHandle recording, base::Instant at,
                      ExplainedOrders* orders) {
  const store::Partition partition = core.PartitionOf(subject);
  const auto newest = NewestOf(core, partition, store::Table::kHold, HoldOfKey(core, subject, 0),
                               HoldOfKey(core, subject, UINT64_MAX), SequenceOfHoldKey);
  if (!newest.ok()) return newest.status();
  if (newest->more) orders->all_seen = false;
  for (const store::Sequence sequence : newest->numbers) {
    std::string unused;
    absl::StatusOr<HoldRow> row = LoadHold(core, HoldPlace{partition, sequence}, &unused);
    if (!row.ok()) return row.status();
    if (at.IsSet() && row->placed_at > at) continue;
    const bool names_recording = Names(row->held.recordings, recording);
    if (!row->held.recordings.empty() && !names_recording) continue;
    const bool is_released = row->released_at.IsSet() && !(at.IsSet() && row->released_at > at);
    orders->holds.push_back({row->id, std::move(row->held), row->placed_at,
                             is_released ? row->released_at : base::Instant{}, domain::Match::kOtherScope,
                             names_recording});
  }
  return absl::OkStatus();
}

template <typename OrderT>
void Show(std::vector<OrderT>* orders, bool* cut) {
  std::stable_sort(orders->begin(), orders->end(),
                   [](const OrderT& a, const OrderT& b) { return Matches(a.match) && !Matches(b.match); });
  if (orders->size() <= kMaxOrdersShown) return;
  orders->resize(kMaxOrdersShown);
  *cut = true;
}

}  // namespace

bool RewindTo(base::Instant at, domain::DeletionRequest* request) {
  if (request->received_at > at) return false;
  if (request->ended_at > at) {
    request->ended_at = base::Instant{};
    request->denied_reason.clear();
    request->state =
        request->verified_at.IsSet() ? domain::DeletionState::kInProgress : domain::DeletionState::kReceived;
  }
  if (request->verified_at > at) {
    request->verified_at = base::Instant{};
    request->parts.clear();
    request->state = domain::DeletionState::kReceived;
  }
  for (domain::SystemProgress& part : request->parts) {
    if (part.ended_at <= at) continue;
    domain::SystemProgress open;
    open.system = part.system;
    part = open;
  }
  return true;
}

domain::RecordingState ExplainedOrders::Marks() const {
  domain::RecordingState marks;
  for (const ExplainedRequest& one : requests) {
    if (!one.names_recording || one.request.state == domain::DeletionState::kCancelled) continue;
    domain::StrengthenMarks(marks, domain::TombstoneStateOf(one.request.state));
  }
  for (const ExplainedHold& one : holds) {
    if (one.names_recording && !one.released_at.IsSet()) marks.on_hold = true;
  }
  return marks;
}

std::vector<domain::Tombstone> ExplainedOrders::Tombstones() const {
  std::vector<domain::Tombstone> tombstones;
  tombstones.reserve(requests.size());
  for (const ExplainedRequest& one : requests) tombstones.push_back(one.orders);
  return tombstones;
}

std::vector<domain::Hold> ExplainedOrders::Holds() const {
  std::vector<domain::Hold> parts;
  parts.reserve(holds.size());
  for (const ExplainedHold& one : holds) {
    parts.push_back(domain::Hold{one.held.scope.kind, one.held.scope.handle, one.held.captured});
  }
  return parts;
}

void ExplainedOrders::Take(const domain::Explanation& explanation) {
  for (size_t i = 0; i < requests.size(); ++i) {
    const domain::SelectorKind kind = requests[i].request.selector.kind;
    requests[i].match = explanation.tombstones[i];
    if (kind == domain::SelectorKind::kRecordings) requests[i].match = domain::Match::kSurely;
    // A closure has no times: what a new account captured is not the closed one's.
    const bool is_closed =
        kind == domain::SelectorKind::kAccountClosure && domain::IsVerified(requests[i].request.state);
    if (is_closed && !explanation.decision.reasons.Has(domain::Reason::kAccountClosed)) {
      requests[i].match = domain::Match::kOutsideTimes;
    }
  }
  for (size_t i = 0; i < holds.size(); ++i) {
    holds[i].match = holds[i].names_recording ? domain::Match::kSurely : explanation.holds[i];
  }
  if (!all_seen) cut = true;
  Show(&requests, &cut);
  Show(&holds, &cut);
}

absl::StatusOr<ExplainedOrders> LoadOrders(const Core& core, const std::vector<base::SubjectHandle>& accounts,
                                           base::RecordingHandle recording, base::Instant at) {
  ExplainedOrders orders;
  for (const base::SubjectHandle account : accounts) {
    absl::Status status = AddRequests(core, account, recording, at, &orders);
    if (status.ok()) status = AddHolds(core, account, recording, at, &orders);
    if (!status.ok()) return status;
  }
  return orders;
}

absl::Status LoadTasks(const Core& core, base::SubjectHandle subject, bool is_now, ExplainedOrders* orders) {
  const store::Partition partition = core.PartitionOf(subject);
  std::vector<SystemRow> systems;
  std::optional<std::string> version;
  if (absl::Status scanned = ScanSystems(core, partition, &systems, &version); !scanned.ok()) return scanned;
  for (ExplainedRequest& one : orders->requests) {
    if (!Matches(one.match)) continue;
    for (const domain::SystemProgress& part : one.request.parts) {
      ExplainedTask task;
      task.part = part;
      const auto system = std::find_if(systems.begin(), systems.end(),
                                       [&part](const SystemRow& row) { return row.number == part.system; });
      if (system != systems.end()) {
        task.system = system->name;
        task.kind = system->kind;
      }
      if (is_now && part.outcome == domain::PurgeOutcome::kOpen && system != systems.end()) {
        std::string unused;
        const absl::StatusOr<TaskRow> row = LoadTask(core, *system, one.place, &unused);
        // It may have ended since the request was read.
        if (!row.ok() && !absl::IsNotFound(row.status())) return row.status();
        if (row.ok()) {
          task.failures = row->failures;
          task.leased_until = row->leased_until;
          task.not_before = row->not_before;
          task.waits_for_release = row->waits_for_release;
        }
      }
      one.tasks.push_back(std::move(task));
    }
  }
  return absl::OkStatus();
}

}  // namespace consent::service
