// What must hold of two services on one store.
#include <memory>
#include <optional>

#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/task_rows.h"
#include "tests/simulation/service_memory.h"
#include "tests/simulation/service_pair.h"

namespace consent::simulation {

using domain::PurgeOutcome;
using service::DeletionStep;

void ServicePair::Examine() {
  ExamineHistory();
  for (PairedService* service : {&a_, &b_}) {
    for (const auto& [account, said] : acknowledged_) {
      const bool is_yes = test::IsYes(service->world.Check(account));
      yes_ += is_yes ? 1 : 0;
      if (is_yes && said.off > said.on) NoteWrong("eligible after an acknowledged opt-out");
    }
  }
  ExamineNotices();
}

void ServicePair::ExamineHistory() {
  store::Store& store = a_.world.inner_store();
  for (uint16_t number = 0; number < store.partition_count(); ++number) {
    store::Sequence& next = next_[number];
    const auto rows = store.Feed({number}, next, SIZE_MAX);
    for (const store::FeedRow& feed : *rows) {
      next = feed.stamp.sequence + 1;
      if (feed.erased || feed.event.subject.empty()) {
        nameless_.emplace(number, feed.stamp.sequence);  // may be the record's, which an eraser has shrunk
        continue;
      }
      service::ChangeRow row;
      if (!service::DecodeChangeRow(feed.event.body, &row)) return NoteWrong("a change row is damaged");
      store::Sequence& last = last_[feed.event.subject];
      const bool is_next = row.previous == last || nameless_.count({number, row.previous}) != 0 ||
                           (row.previous == 0 && row.kind == service::ChangeKind::kUpsertSubject);
      if (!is_next) NoteWrong("a change was written over another one");
      last = feed.stamp.sequence;
    }
  }
}

void ServicePair::ExamineNotices() {
  const std::shared_ptr<const domain::Rules> rules = a_.world.core().policies.rules();
  for (uint64_t i = 0; i < kAccounts; ++i) {
    const domain::SubjectFacts facts = a_.world.Facts(Name(i));
    crowded_ += facts.has_more_tombstones ? 1 : 0;
    for (const domain::ScopeFacts& scope : facts.scopes) {
      for (const domain::PurposeChoice& choice : scope.choices) {
        const bool is_known = std::any_of(rules->notices.begin(), rules->notices.end(),
                                          [&](const domain::Notice& notice) { return notice.number == choice.notice; });
        if (choice.notice != 0 && !is_known) NoteWrong("a choice names a notice that is out of use");
      }
    }
  }
}

std::set<domain::SystemNumber> ServicePair::ExamineRegistry() {
  std::set<domain::SystemNumber> active;
  for (uint16_t number = 0; number < a_.world.inner_store().partition_count(); ++number) {
    std::vector<service::SystemRow> rows;
    std::optional<std::string> unused;
    Mind(service::ScanSystems(a_.world.core(), {number}, &rows, &unused));
    std::map<std::string, domain::SystemNumber> names;
    std::set<domain::SystemNumber> active_here;
    for (const service::SystemRow& row : rows) {
      if (!names.emplace(row.name, row.number).second) NoteWrong("two systems have one name");
      if (row.IsActive()) active_here.insert(row.number);
    }
    for (const auto& [name, system] : systems_) {
      const auto found = names.find(name);
      if (found == names.end() || found->second != system) NoteWrong("an acknowledged system is lost");
    }
    if (number == 0) active = active_here;
    if (active != active_here) NoteWrong("partitions have different systems");
  }
  return active;
}

void ServicePair::ExamineRequests(const std::set<domain::SystemNumber>& active) {
  store::Store& store = a_.world.inner_store();
  for (uint16_t number = 0; number < store.partition_count(); ++number) {
    const auto visit = [&](std::string_view key, std::string_view value) {
      service::DeletionRow row;
      if (!service::DecodeDeletionRow(value, &row)) NoteWrong("a request is damaged");
      const domain::DeletionRequest& request = row.request;
      const bool waits = domain::IsOpen(request.state) && domain::IsVerified(request.state) &&
                         (request.parts.empty() || !domain::AllEnded(request));
      for (const domain::SystemNumber system : active) {
        if (waits && request.Find(system) == nullptr) NoteWrong("a registered system has no task");
      }
      for (const domain::SystemProgress& part : request.parts) {
        const std::string task = service::TaskKey(part.system, service::NumberOfKey(key));
        const bool has_row = store.Get({number}, store::Table::kTask, task).ok();
        if (has_row != (part.outcome == PurgeOutcome::kOpen)) NoteWrong("a task is lost or left over");
      }
      return true;
    };
    Mind(store.Scan({number}, store::Table::kDeletion, "", "", SIZE_MAX, visit));
  }
}

void ServicePair::CompareWithFresh() {
  ExamineRequests(ExamineRegistry());
  std::vector<std::string> accounts;
  for (uint64_t i = 0; i < kAccounts; ++i) accounts.push_back(Name(i));
  PairedService fresh(seed_, &a_.world.inner_store());
  fresh.world.clock.Set(a_.world.clock.Now());
  const std::vector<std::string> known = MemoryOf(fresh.world, accounts);
  for (PairedService* service : {&a_, &b_}) {
    const std::string difference = FirstDifference(MemoryOf(service->world, accounts), known);
    if (!difference.empty()) NoteWrong("a service remembers something else than the store: " + difference);
  }
}

void ServicePair::Settle() {
  for (const DeletionPlace& place : requests_) Mind(Either().deleting.Step(place, DeletionStep::kVerify));
  Sync();
  for (const service::HoldPlace& place : holds_) {
    if (a_.world.holds().Get(place).ok()) Mind(Either().deleting.Release(place));
    Sync();
  }
  const std::set<domain::SystemNumber> active = ExamineRegistry();
  for (int round = 0; round < 20; ++round) {
    for (const auto& [name, number] : systems_) {
      PairedService& service = Either();
      if (active.count(number) != 0) tasks_done_ += service.deleting.Work(name);
    }
    Mind(Either().world.erasures().EraseKeys().status());
    a_.world.Wait(base::Days(1));
    Sync();
  }
  CompareWithFresh();
  for (const DeletionPlace& place : requests_) {
    const bool is_open = domain::IsOpen(a_.deleting.Get(place).state);
    if (!active.empty() && is_open) NoteWrong("a request is never completed");
  }
}

}  // namespace consent::simulation
