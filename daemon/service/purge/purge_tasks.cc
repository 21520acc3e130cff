#include "daemon/service/purge/purge_tasks.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// Between two looks at a task that waits for somebody to confirm a restored record.
constexpr base::Span kRestoredPause = base::Seconds(60);

// What a run erased that did not finish is counted once for its lease, and its evidence kept.
void CountErased(const TaskFailure& failure, TaskRow* row) {
  if (failure.erased_count == 0 && failure.evidence == base::Digest{}) return;
  row->erased_count += failure.erased_count;
  if (failure.evidence != base::Digest{}) row->evidence = failure.evidence;
  row->partial_epoch = failure.epoch;
}

domain::HeldPart HeldRecording(const SafetyFlagRow& row) {
  domain::HeldPart held;
  held.recordings = {row.recording};
  return held;
}

}  // namespace

PurgeTasks::PurgeTasks(Core& core, TaskQueue& queue) : core_(core), queue_(queue) {}

base::Span PurgeTasks::PauseUntil(base::Instant until) const {
  return core_.time.After(SafetyPause(core_, until)).since;
}

absl::StatusOr<DeletionPlace> PurgeTasks::Find(const std::optional<base::DeletionId>& id) const {
  absl::StatusOr<DeletionPlace> place = id.has_value() ? FindDeletion(core_, *id) : NoSuchDeletion();
  return absl::IsNotFound(place.status()) ? NoSuchTask() : place;
}

// A task that may be handed out, as it is read.
struct PurgeTasks::Candidate {
  LeasedTask task;
  std::optional<DeletionRow> begun;  // where this lease is the request's first
  uint64_t holds_seen = 0;
  uint32_t safety_held = 0;
  std::vector<store::Precondition> preconditions;
  bool taken_back = false;  // by a hold, while it was leased
  size_t bytes = 0;

  // It is the request's first.
  void Begins(DeletionPlace place, const DeletionRow& row, const std::string& stored) {
    preconditions.push_back({store::Table::kDeletion, DeletionKey(place.number), stored});
    begun = row;
    domain::Begin(begun->request);
  }
  // The row of its next lease.
  TaskRow Leased(base::Instant now, base::Span visibility, const base::BootTime& until) const {
    const TaskRow& row = task.row;
    TaskRow next = row;
    if (taken_back) {
      next.out_epoch = row.epoch;
      next.out_until = row.leased_until;
      next.out_holds_seen = row.holds_seen;
      if (next.again != Again::kHoldReleased) next.again = Again::kTakenBack;
    } else if (RanOut()) {
      ++next.failures;
      next.last_error = "LEASE_EXPIRED: no report came that the daemon could take";
    }
    next.leased_before = row.leased_before || row.leased_until.IsSet();
    next.epoch = row.epoch + 1;
    next.waits_until = until;
    next.leased_until = now + visibility;
    next.not_before = base::Instant{};
    next.holds_seen = holds_seen;
    next.has_exceptions = !task.exceptions.empty();
    next.safety_held = safety_held;
    next.waits_for_release = false;
    return next;
  }
  // Nobody reported the lease before: a failure, so that what fails without a word is seen, too.
  bool RanOut() const { return task.row.leased_until.IsSet() && !taken_back; }
};

absl::StatusOr<bool> PurgeTasks::AddExceptions(const HoldSnapshot& snapshot, const domain::DeletionRequest& request,
                                               Candidate* found) const {
  for (const HoldInForce& hold : snapshot.holds.holds) {
    if (!domain::MayOverlap(hold.row.held, request.selector)) continue;
    absl::StatusOr<DeletionPayload> held =
        OpenSealed(core_, hold.place.partition, HoldShareKey(core_, hold.place), hold.row.subject, hold.row.sealed);
    if (absl::IsNotFound(held.status())) {
      return false;
    }
    if (!held.ok()) return held.status();
    found->bytes += held->selector.size();
    found->task.exceptions.push_back(std::move(held->selector));
  }
  for (const SafetyHold& hold : snapshot.holds.safety) {
    v1::HoldSelector held;
    for (const SafetyFlagRow& row : hold.rows) {
      if (!domain::MayOverlap(HeldRecording(row), request.selector)) continue;
      absl::StatusOr<std::string> id = RecordingIdOf(core_, row);
      if (!id.ok()) return id.status();
      if (id->empty()) return false;  // nobody knows what to leave out
      held.mutable_recordings()->add_recording_ids(*std::move(id));
    }
    if (!held.has_recordings()) continue;
    found->task.exceptions.push_back(held.SerializeAsString());
    found->bytes += found->task.exceptions.back().size();
  }
  return true;
}

absl::StatusOr<std::optional<PurgeTasks::Candidate>> PurgeTasks::Consider(const SystemRow& system,
                                                                          DeletionPlace place) {
  Candidate found;
  std::string task_bytes;
  const absl::StatusOr<TaskRow> row = LoadTask(core_, system, place, &task_bytes);
  if (absl::IsNotFound(row.status())) {
    return std::optional<Candidate>();  // ended, or cancelled, since it was put on the queue
  }
  if (!row.ok()) return row.status();
  const base::Span from = HandOutFrom(core_, *row);
  if (from.micros > 0 && !row->leased_until.IsSet()) {
    queue_.GiveBack(system.number, place, from);
    return std::optional<Candidate>();
  }
  std::string deletion_bytes;
  absl::StatusOr<DeletionRow> deletion = LoadDeletion(core_, place, &deletion_bytes);
  if (!deletion.ok()) return deletion.status();
  if (deletion->request.WaitsForTime() || deletion->request.needs_ids) {
    return std::optional<Candidate>();  // comes back to the queue when that is settled
  }
  const base::SubjectHandle subject = deletion->request.subject;
  const absl::StatusOr<HoldSnapshot> snapshot = LoadHoldSnapshot(core_, subject);
  if (!snapshot.ok()) return snapshot.status();
  // What follows from settings waits until a restored record's are confirmed: they may be looser than it says.
  if (domain::FollowsSettings(deletion->request.cause) && snapshot->facts.facts.restored_at.IsSet()) {
    queue_.GiveBack(system.number, place, core_.time.After(kRestoredPause).since);
    return std::optional<Candidate>();
  }
  const Overlap overlap = OverlapOf(snapshot->holds, deletion->request.selector);
  found.holds_seen = snapshot->facts.facts.holds_changed;
  if (from.micros > 0 && !IsTakenBack(*row, overlap)) {
    queue_.GiveBack(system.number, place, from);
    return std::optional<Candidate>();
  }
  found.taken_back = row->leased_until.IsSet() && IsTakenBack(*row, overlap);
  // What waits for a release comes back to the queue with one; what a report of SAFETY holds, by time.
  found.safety_held = overlap.safety;
  const auto wait = [&] {
    if (overlap.safety > 0) queue_.GiveBack(system.number, place, PauseUntil(overlap.safety_until));
    return std::optional<Candidate>();
  };
  if (overlap.all || Waits(*row, found.holds_seen, overlap)) return wait();
  const absl::StatusOr<bool> held = AddExceptions(*snapshot, deletion->request, &found);
  if (!held.ok()) return held.status();
  if (!*held) return wait();  // released since; its release puts the task on the queue
  absl::StatusOr<DeletionPayload> payload = OpenDeletion(core_, place, *deletion);
  if (absl::IsNotFound(payload.status())) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, "an open request has no key: the store is damaged");
  }
  if (!payload.ok()) return payload.status();
  found.bytes += payload->selector.size();
  found.preconditions.push_back({store::Table::kTask, TaskKey(system.number, place.number), task_bytes});
  found.preconditions.push_back(snapshot->AsPrecondition(core_));
  if (deletion->request.state == domain::DeletionState::kAccepted) found.Begins(place, *deletion, deletion_bytes);
  found.task.place = place;
  found.task.row = *row;
  found.task.request = std::move(deletion->request);
  found.task.payload = *std::move(payload);
  return std::optional<Candidate>(std::move(found));
}

// What is to be handed out of one partition, in one commit.
struct PurgeTasks::Handout {
  store::Partition partition;
  std::set<DeletionPlace> places;  // taken from the queue and not considered, or not handed out after all
  std::vector<Candidate> found;
  base::BootTime until;
};

absl::Status PurgeTasks::ConsiderAll(const SystemRow& system, size_t* bytes, Handout* handout) {
  constexpr size_t kMaxReplyBytes = 2 << 20;  // of what the tasks of one lease say; one task alone may be larger
  while (!handout->places.empty() && *bytes < kMaxReplyBytes) {
    absl::StatusOr<std::optional<Candidate>> candidate = Consider(system, *handout->places.begin());
    if (!candidate.ok()) {
      PutBack(handout);
      return candidate.status();
    }
    handout->places.erase(handout->places.begin());
    if (!candidate->has_value()) continue;
    *bytes += (*candidate)->bytes;
    handout->found.push_back(**std::move(candidate));
  }
  return absl::OkStatus();
}

void PurgeTasks::PutBack(Handout* handout) {
  for (const Candidate& candidate : handout->found) handout->places.insert(candidate.task.place);
  handout->found.clear();
}

PartitionCommit PurgeTasks::CommitOf(const SystemRow& system, base::Span visibility, const Handout& handout) {
  PartitionCommit commit;
  commit.partition = handout.partition;
  for (const Candidate& candidate : handout.found) {
    commit.preconditions.insert(commit.preconditions.end(), candidate.preconditions.begin(),
                                candidate.preconditions.end());
  }
  commit.build = [&system, visibility, &handout](const store::Stamp& stamp) {
    store::Change change;
    for (const Candidate& candidate : handout.found) {
      change.writes.push_back(
          PutTask(system, candidate.task.place, candidate.Leased(stamp.time, visibility, handout.until)));
      if (candidate.begun.has_value()) change.writes.push_back(PutDeletion(candidate.task.place, *candidate.begun));
    }
    change.event = PlainEvent(ChangeKind::kTasksLeased, "", system.name);
    return change;
  };
  return commit;
}

absl::Status PurgeTasks::HandOut(const SystemRow& system, base::Span visibility, std::vector<Handout>& handouts,
                                 std::vector<LeasedTask>* leased) {
  const base::BootTime until = core_.time.After(visibility);
  std::vector<PartitionCommit> commits;
  std::vector<Handout*> committed;
  for (Handout& handout : handouts) {
    if (handout.found.empty()) continue;
    handout.until = until;
    commits.push_back(CommitOf(system, visibility, handout));
    committed.push_back(&handout);
  }
  const std::vector<store::CommitResult> results = CommitAll(core_, commits);
  absl::Status failed;
  for (size_t i = 0; i < results.size(); ++i) {
    Handout& handout = *committed[i];
    if (results[i].outcome != store::Outcome::kCommitted) {
      PutBack(&handout);
      // After a conflict they are considered anew.
      if (results[i].outcome != store::Outcome::kConflict) failed = OutcomeStatus(results[i].outcome);
      continue;
    }
    for (Candidate& candidate : handout.found) {
      candidate.task.row = candidate.Leased(results[i].stamp.time, visibility, until);
      leased->push_back(std::move(candidate.task));
    }
  }
  return failed;
}

absl::Status PurgeTasks::TakeAll(const SystemRow& system, size_t limit, Accepts accepts,
                                 std::vector<Handout>* handouts) {
  std::map<store::Partition, std::set<DeletionPlace>> places;
  for (const DeletionPlace& place : queue_.Take(system.number, limit, accepts)) {
    places[place.partition].insert(place);
  }
  absl::Status failed;
  size_t bytes = 0;
  for (auto& [partition, taken] : places) {
    handouts->push_back(Handout{partition, std::move(taken), {}, {}});
    if (absl::Status s = ConsiderAll(system, &bytes, &handouts->back()); !s.ok()) failed = s;
  }
  return failed;
}

void PurgeTasks::GiveBack(const SystemRow& system, const std::vector<Handout>& handouts) {
  for (const Handout& handout : handouts) {
    for (const DeletionPlace& place : handout.places) queue_.GiveBack(system.number, place, base::Span{});
  }
}

absl::StatusOr<std::vector<LeasedTask>> PurgeTasks::Lease(const SystemRow& system, size_t limit, base::Span visibility,
                                                          Accepts accepts) {
  queue_.NoteWorker(system.number, core_.Now(), accepts);
  std::vector<LeasedTask> leased;
  for (int attempt = 0; attempt < kMaxCommitAttempts && leased.empty(); ++attempt) {
    std::vector<Handout> handouts;
    absl::Status failed = TakeAll(system, limit, accepts, &handouts);
    if (handouts.empty()) break;
    if (absl::Status s = HandOut(system, visibility, handouts, &leased); !s.ok()) failed = s;
    GiveBack(system, handouts);
    if (leased.empty() && !failed.ok()) return failed;
  }
  return leased;
}

absl::StatusOr<std::vector<LeasedTask>> PurgeTasks::Look(const SystemRow& system, size_t limit, Accepts accepts) {
  std::vector<LeasedTask> seen;
  std::vector<Handout> handouts;
  const absl::Status failed = TakeAll(system, limit, accepts, &handouts);
  for (Handout& handout : handouts) {
    for (const Candidate& candidate : handout.found) seen.push_back(candidate.task);
    PutBack(&handout);
  }
  GiveBack(system, handouts);
  if (seen.empty() && !failed.ok()) return failed;
  return seen;
}

absl::StatusOr<bool> PurgeTasks::WasTakenBack(DeletionPlace place, const TaskRow& row, HoldSnapshot* snapshot) const {
  const absl::StatusOr<DeletionRow> deletion = LoadDeletion(core_, place);
  if (!deletion.ok()) return deletion.status();
  absl::StatusOr<HoldSnapshot> read = LoadHoldSnapshot(core_, deletion->request.subject);
  if (!read.ok()) return read.status();
  *snapshot = *std::move(read);
  return IsTakenBack(row, OverlapOf(snapshot->holds, deletion->request.selector));
}

absl::Status PurgeTasks::Fail(const SystemRow& system, DeletionPlace place, const TaskFailure& failure) {
  queue_.NoteReport(system.number, place, core_.Now());
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::string bytes;
    absl::StatusOr<TaskRow> row = LoadTask(core_, system, place, &bytes);
    if (absl::IsNotFound(row.status())) return NoSuchTask();
    if (!row.ok()) return row.status();
    if (row->failed_epoch == failure.epoch || row->partial_epoch == failure.epoch) return store::Outcome::kCommitted;
    const bool current = row->epoch == failure.epoch && row->leased_until.IsSet();
    const bool was_out = row->out_until.IsSet() && row->out_epoch == failure.epoch;
    if (!current && !was_out) return LeaseLost();
    HoldSnapshot snapshot;
    const absl::StatusOr<bool> taken_back = WasTakenBack(place, *row, &snapshot);
    if (!taken_back.ok()) return taken_back.status();
    const bool counts = current && !*taken_back && !failure.not_begun;
    TaskRow next = *row;
    base::Span delay;
    CountErased(failure, &next);
    if (was_out) next.out_until = base::Instant{};
    if (current) {
      next.leased_until = base::Instant{};
      next.failed_epoch = failure.epoch;
      next.leased_before = next.leased_before || !failure.not_begun;
      if (*taken_back && !failure.not_begun && next.again != Again::kHoldReleased) next.again = Again::kTakenBack;
    }
    if (counts) {
      ++next.failures;
      next.last_error = failure.error;
      uint64_t dice = 0;
      core_.random.Fill(&dice, sizeof dice);
      delay = domain::RetryDelay(next.failures, dice);
    }
    if (current) next.waits_until = core_.time.After(delay);
    const store::CommitResult result = CommitNow(
        core_, place.partition, {{store::Table::kTask, TaskKey(system.number, place.number), bytes}},
        [&](const store::Stamp& stamp) {
          if (current) next.not_before = stamp.time + delay;
          return store::Change{{PutTask(system, place, next)}, PlainEvent(ChangeKind::kTaskFailed, "", system.name)};
        });
    return result.outcome;
  });
}

absl::StatusOr<Renewal> PurgeTasks::Renew(const SystemRow& system, DeletionPlace place, uint64_t epoch,
                                          base::Span visibility) {
  queue_.NoteReport(system.number, place, core_.Now());
  Renewal renewal;
  const absl::Status renewed = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    const auto answer = [&renewal](Renewal::State state, base::Instant until = {}) {
      renewal = Renewal{state, until};
      return store::Outcome::kCommitted;
    };
    std::string bytes;
    const absl::StatusOr<TaskRow> row = LoadTask(core_, system, place, &bytes);
    if (absl::IsNotFound(row.status())) {
      const absl::StatusOr<DeletionRow> deletion = LoadDeletion(core_, place);
      const domain::SystemProgress* part = deletion.ok() ? deletion->request.Find(system.number) : nullptr;
      const bool done = part != nullptr && part->outcome != domain::PurgeOutcome::kOpen && part->epoch == epoch;
      return answer(done ? Renewal::State::kDone : Renewal::State::kLost);
    }
    if (!row.ok()) return row.status();
    if (row->IsAgain() && row->first_epoch == epoch) return answer(Renewal::State::kDone);
    if (row->out_until.IsSet() && row->out_epoch == epoch) return answer(Renewal::State::kTakenBack);
    if (row->epoch != epoch || !row->leased_until.IsSet()) return answer(Renewal::State::kLost);
    HoldSnapshot snapshot;
    const absl::StatusOr<bool> taken_back = WasTakenBack(place, *row, &snapshot);
    if (!taken_back.ok()) return taken_back.status();
    if (*taken_back) return answer(Renewal::State::kTakenBack);
    const bool mostly_left = !core_.time.IsOver(row->waits_until) &&
                             row->waits_until.since.micros - core_.time.SinceBoot().micros > visibility.micros / 4 * 3;
    if (mostly_left) return answer(Renewal::State::kRenewed, row->leased_until);
    TaskRow next = *row;
    next.waits_until = core_.time.After(visibility);
    const store::CommitResult result = CommitNow(
        core_, place.partition,
        {{store::Table::kTask, TaskKey(system.number, place.number), bytes}, snapshot.AsPrecondition(core_)},
        [&](const store::Stamp& stamp) {
          next.leased_until = stamp.time + visibility;
          return store::Change{{PutTask(system, place, next)}, PlainEvent(ChangeKind::kTasksLeased, "", system.name)};
        });
    renewal = Renewal{Renewal::State::kRenewed, result.stamp.time + visibility};
    return result.outcome;
  });
  if (!renewed.ok()) return renewed;
  return renewal;
}

base::Instant PurgeTasks::OldestOpen(const SystemRow& system) const {
  return core_.deletions.FirstVerified(queue_.FirstOpen(system.number));
}

absl::StatusOr<OpenTasks> PurgeTasks::List(const SystemRow& system, uint32_t min_failures, size_t limit,
                                           DeletionPlace from) const {
  OpenTasks page;
  size_t looked_at = 0;
  for (store::Partition partition = from.partition; partition.number < core_.store.partition_count();
       ++partition.number) {
    const DeletionNumber begin = partition == from.partition ? from.number : 0;
    const std::string end = TaskKey(static_cast<domain::SystemNumber>(system.number + 1), 0);
    bool damaged = false;
    const absl::Status scanned = core_.store.Scan(partition, store::Table::kTask, TaskKey(system.number, begin), end,
                                                  SIZE_MAX, [&](std::string_view key, std::string_view value) {
                                                    const DeletionPlace place{partition, NumberOfKey(key)};
                                                    if (page.tasks.size() >= limit || looked_at++ >= kMaxRowsPerPage) {
                                                      page.next = place;
                                                      return false;
                                                    }
                                                    TaskRow row;
                                                    damaged = !DecodeTaskRow(value, &row);
                                                    if (!damaged && row.failures >= min_failures) {
                                                      const bool waits = HandOutFrom(core_, row).micros > 0;
                                                      page.tasks.push_back(OpenTask{place, std::move(row), waits, {}});
                                                    }
                                                    return !damaged;
                                                  });
    if (!scanned.ok()) return StoreUnreadable();
    if (damaged) return DamagedTask();
    if (page.next.has_value()) break;
  }
  for (OpenTask& task : page.tasks) {
    absl::StatusOr<DeletionRow> deletion = LoadDeletion(core_, task.place);
    if (deletion.ok()) task.request = std::move(deletion->request);
  }
  return page;
}

}  // namespace consent::service
