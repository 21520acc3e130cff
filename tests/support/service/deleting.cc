#include "tests/support/service/deleting.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>

#include "daemon/service/rows/id_rows.h"

namespace consent::test {
namespace {

constexpr base::Span kMinute = base::Seconds(60);
constexpr uint8_t kByRecordingAndAccount = 3;

template <typename T>
T Required(absl::StatusOr<T> result, const char* what) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s: %s\n", what, std::string(result.status().message()).c_str());
  std::abort();
}

std::map<std::string, std::string> RowsOf(const World& world, store::Partition partition, store::Table table) {
  std::map<std::string, std::string> rows;
  const absl::Status scanned =
      world.core().store.Scan(partition, table, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
        rows[std::string(key)] = value;
        return true;
      });
  if (!scanned.ok()) std::abort();
  return rows;
}

}  // namespace

std::string WrongIds(const World& world) {
  std::string wrong;
  for (uint16_t number = 0; number < world.core().store.partition_count(); ++number) {
    const store::Partition partition{number};
    std::map<std::string, std::string> requests, holds;  // what the rows should be
    for (const auto& [key, value] : RowsOf(world, partition, store::Table::kDeletion)) {
      service::DeletionRow row;
      if (!service::DecodeDeletionRow(value, &row)) wrong += "a request's row is damaged\n";
      const store::Write put = service::PutId(row.request.id, service::NumberOfKey(key));
      if (row.request.id.partition() != number) wrong += "a request's id names another partition\n";
      requests[put.key] = *put.value;
    }
    for (const auto& [key, value] : RowsOf(world, partition, store::Table::kHold)) {
      service::HoldRow row;
      if (value.empty()) continue;  // a line of a subject's list
      if (!service::DecodeHoldRow(value, &row)) wrong += "a hold's row is damaged\n";
      const store::Write put = service::PutId(row.id, service::SequenceOfHoldKey(key));
      if (row.id.partition() != number) wrong += "a hold's id names another partition\n";
      holds[put.key] = *put.value;
    }
    if (RowsOf(world, partition, store::Table::kDeletionById) != requests) wrong += "requests and ids disagree\n";
    if (RowsOf(world, partition, store::Table::kHoldById) != holds) wrong += "holds and ids disagree\n";
  }
  return wrong;
}

domain::Selector AllOfIt() {
  domain::Selector selector;
  selector.kind = domain::SelectorKind::kEverything;
  return selector;
}

domain::Selector Within(base::Instant from, base::Instant to) {
  domain::Selector selector;
  selector.kind = domain::SelectorKind::kTimeRange;
  selector.captured = domain::OrderedTimes::Between(from, to, to);
  return selector;
}

service::SystemRow System(std::string name) {
  service::SystemRow row;
  row.name = std::move(name);
  row.kind = 1;
  row.matches_by = kByRecordingAndAccount;
  row.checks_on_ingest = true;
  return row;
}

domain::Selector Deleting::Of(const ScopeName& scope) const {
  domain::Selector selector = AllOfIt();
  selector.kind =
      scope.kind == domain::ScopeKind::kProfile ? domain::SelectorKind::kProfile : domain::SelectorKind::kDevice;
  selector.scope = world_.Ref(scope);
  return selector;
}

domain::Selector Deleting::Recordings(const std::vector<std::string>& recordings) const {
  domain::Selector selector = AllOfIt();
  selector.kind = domain::SelectorKind::kRecordings;
  for (const std::string& recording : recordings) {
    selector.recordings.push_back(world_.core().hasher.Recording(recording));
  }
  std::sort(selector.recordings.begin(), selector.recordings.end());
  return selector;
}

absl::StatusOr<service::Deletions::Created> Deleting::TryAsk(const std::string& account, domain::Selector selector,
                                                             domain::DeletionState state,
                                                             const std::string& request_id) {
  service::ChangeRequest change = world_.Request(account, service::ChangeKind::kDeletionReceived);
  change.request_id = request_id;
  domain::NamedTimes times;
  if (!selector.captured.IsEmpty()) times = {selector.captured.from(), selector.captured.latest()};
  service::NewDeletion deletion{std::move(selector), times, domain::Actor::kSelf, state, {account, "as it was asked"}};
  std::promise<absl::StatusOr<service::Deletions::Created>> promise;
  world_.deletions().Create(std::move(change), std::move(deletion),
                            [&](auto created) { promise.set_value(std::move(created)); });
  auto created = promise.get_future().get();
  world_.Wait(kMinute);
  return created;
}

service::DeletionPlace Deleting::Ask(const std::string& account, domain::Selector selector,
                                     domain::DeletionState state) {
  return Required(TryAsk(account, std::move(selector), state), "ask").place;
}

absl::Status Deleting::Step(service::DeletionPlace place, service::DeletionStep step, const std::string& reason) {
  service::ChangeRequest change;
  std::promise<absl::Status> promise;
  world_.deletions().Step(
      std::move(change), place, {step, reason},
      [&](absl::StatusOr<service::Deletions::Stepped> done) { promise.set_value(std::move(done).status()); });
  absl::Status done = promise.get_future().get();
  world_.Wait(kMinute);
  return done;
}

absl::Status Deleting::Cancel(service::DeletionPlace place) {
  service::ChangeRequest change;
  change.command.proof.channel = domain::Channel::kApp;
  change.command.proof.actor = domain::Actor::kSelf;
  std::promise<absl::Status> promise;
  world_.deletions().Step(
      std::move(change), place, {.step = service::DeletionStep::kCancel, .etag = Get(place).changed},
      [&](absl::StatusOr<service::Deletions::Stepped> done) { promise.set_value(std::move(done).status()); });
  absl::Status done = promise.get_future().get();
  world_.Wait(kMinute);
  return done;
}

domain::DeletionRequest Deleting::Get(service::DeletionPlace place) const {
  return Required(world_.deletions().Get(place), "get").request;
}

void Deleting::Register(service::SystemRow system) {
  Required(world_.systems().Register(std::move(system)), "register");
}

service::SystemRow Deleting::Named(const std::string& name) const {
  return Required(world_.systems().Find(name), "system");
}

std::vector<service::LeasedTask> Deleting::Lease(const std::string& system, size_t limit, base::Span visibility) {
  return Required(world_.tasks().Lease(Named(system), limit, visibility), "lease");
}

absl::Status Deleting::End(const std::string& system, const service::LeasedTask& task, domain::PurgeOutcome outcome,
                           uint64_t count) {
  absl::Status ended = Report(system, task, outcome, count);
  if (ended.ok()) (void)world_.erasures().EraseKeys();
  return ended;
}

absl::Status Deleting::Report(const std::string& system, const service::LeasedTask& task, domain::PurgeOutcome outcome,
                              uint64_t count) {
  service::TaskReport report;
  report.place = task.place;
  report.epoch = task.row.epoch;
  report.outcome = outcome;
  report.erased_count = count;
  return world_.tasks().End(Named(system), {report}).front();
}

absl::Status Deleting::Fail(const std::string& system, const service::LeasedTask& task) {
  return world_.tasks().Fail(Named(system), task.place, {task.row.epoch, "it did not work", false});
}

domain::HeldPart Deleting::HeldRecordings(const std::vector<std::string>& recordings) const {
  domain::HeldPart held;
  held.recordings = Recordings(recordings).recordings;
  return held;
}

absl::StatusOr<service::Holds::Placed> Deleting::TryHold(const std::string& account, domain::HeldPart held) {
  service::ChangeRequest change = world_.Request(account, service::ChangeKind::kHoldPlaced);
  service::NewHold hold{std::move(held), {"a court", "a case"}, {account, "as it was ordered"}};
  std::promise<absl::StatusOr<service::Holds::Placed>> promise;
  world_.holds().Place(std::move(change), std::move(hold), [&](auto placed) { promise.set_value(std::move(placed)); });
  auto placed = promise.get_future().get();
  world_.Wait(kMinute);
  return placed;
}

service::HoldPlace Deleting::Hold(const std::string& account, domain::HeldPart held) {
  return Required(TryHold(account, std::move(held)), "hold").place;
}

absl::Status Deleting::Release(service::HoldPlace place) {
  service::ChangeRequest change;
  const store::Sequence etag = Required(world_.holds().Get(place), "hold").row.changed;
  change.command.proof.channel = domain::Channel::kSupport;
  change.command.proof.actor = domain::Actor::kAgent;
  std::promise<absl::Status> promise;
  world_.holds().Release(std::move(change), place, {{"a court", "the case is over"}, etag},
                         [&](absl::Status done) { promise.set_value(std::move(done)); });
  absl::Status done = promise.get_future().get();
  world_.Wait(kMinute);
  return done;
}

size_t Deleting::Work(const std::string& system) {
  size_t done = 0;
  for (auto tasks = Lease(system); !tasks.empty(); tasks = Lease(system)) {
    for (const service::LeasedTask& task : tasks) {
      if (Report(system, task, domain::PurgeOutcome::kAcknowledged, 1).ok()) ++done;
    }
    (void)world_.erasures().EraseKeys();
  }
  return done;
}

}  // namespace consent::test
