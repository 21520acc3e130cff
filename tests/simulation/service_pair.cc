#include "tests/simulation/service_pair.h"

#include <iterator>
#include <memory>

namespace consent::simulation {
using domain::DeletionState;
using domain::PurgeOutcome;
using service::DeletionStep;

std::string ServicePair::Play() {
  Activate(a_);
  for (int i = 0; i < kAccounts; ++i) (void)Either().world.Register(Name(i), "DE");
  for (int step = 0; step < kSteps && wrong_.empty(); ++step) {
    Sync();
    PairedService& service = Either();
    if (Below(2) == 0) MeddleWith(service);
    if (variant_ == WrongStore::kLosesPublication && step == kSteps / 2) service.store->LoseNextCommit();
    Step(service);
    service.store->BeforeNextCommit(test::FaultyStore::Meddle());
    Sync();
    Examine();
    if (step % 25 == 24) CompareWithFresh();
  }
  if (wrong_.empty()) Settle();
  return wrong_;
}

void ServicePair::NoteWrong(const std::string& what) {
  if (wrong_.empty()) wrong_ = what;
}

void ServicePair::Mind(const absl::Status& status) {
  const std::string reason = test::ReasonOf(status);
  if (reason == "INTERNAL" || reason == "STORE_UNREADABLE") NoteWrong(reason + ": " + std::string(status.message()));
}

void ServicePair::Sync() {
  const base::Instant now = std::max(a_.world.clock.Now(), b_.world.clock.Now());
  a_.world.clock.Set(now);
  b_.world.clock.Set(now);
}

void ServicePair::MeddleAfter(PairedService& service, int commits) {
  service.store->BeforeNextCommit([this, &service, commits] {
    if (commits > 0) return MeddleAfter(service, commits - 1);
    ++meddled_;
    Sync();
    Step(OtherThan(service));
    Sync();
  });
}

void ServicePair::Step(PairedService& service) {
  switch (Below(20)) {
    case 0:
      return Activate(service);
    case 1:
      return Suspend(service);
    case 2:
      return Below(2) == 0 ? Register(service) : Retire(service);
    case 3:
    case 4:
    case 5:
      return OptIn(service);
    case 6:
    case 7:
      return OptOut(service);
    case 8:
    case 9:
      return Ask(service);
    case 10:
      return Decide(service);
    case 11:
      return Hold(service);
    case 12:
      return Release(service);
    case 13:
    case 14:
      return Lease(service);
    case 15:
    case 16:
      return Report(service);
    case 17:
      Mind(service.world.Report(AnyAccount(), "r" + std::to_string(Below(3)), 1 << Below(4)).status());
      return;
    case 18:
      return Erase(service);
    default:
      service.world.Wait(base::Seconds(static_cast<int64_t>(Below(40'000))));
      return;
  }
}

void ServicePair::Activate(PairedService& service) {
  const std::shared_ptr<const domain::Rules> rules = service.world.core().policies.rules();
  std::set<std::string> notices = notices_;
  if (notices.empty() || (Below(2) == 0 && notices_ever_ < kMaxNotices)) {
    notices.insert("n" + std::to_string(++notices_ever_));
  } else {
    notices.erase(std::prev(notices.end()));
  }
  test::PolicyBuilder policy("v" + std::to_string(++policies_));
  for (const std::string& notice : notices) policy.AddNotice(notice, "general", "2026-01-01T00:00:00Z");
  const absl::Status status = service.world.Activate(policy);
  if (!absl::IsFailedPrecondition(status)) Mind(status);  // stored choices are in its way
  if (status.ok()) notices_ = notices;
}

void ServicePair::Suspend(PairedService& service) {
  const domain::Purpose purpose = Below(2) == 0 ? domain::Purpose::kHumanReview : domain::Purpose::kModelTraining;
  if (Below(2) == 0) {
    Mind(service.world.admin().Suspend(purpose, {}, "a test").status());
  } else {
    const auto view = service.world.admin().Get("");
    for (const service::SuspensionView& suspension : view->suspensions) {
      if (!suspension.suspension.active) continue;
      Mind(service.world.admin()
               .Resume({suspension.suspension.purpose, suspension.suspension.region, "over", suspension.etag})
               .status());
    }
  }
}

void ServicePair::Register(PairedService& service) {
  if (systems_.size() >= kMaxSystems) return;
  const std::string name = "system" + std::to_string(++names_);
  const auto registered = service.world.systems().Register(test::System(name));
  Mind(registered.status());
  if (registered.ok()) systems_[name] = registered->number;
}

void ServicePair::Retire(PairedService& service) {
  if (systems_.empty() || Below(3) != 0) return;
  auto at = systems_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(Below(systems_.size())));
  Mind(service.world.systems().Retire(at->first, "a test").status());
}

store::Sequence ServicePair::RevisionIn(const test::Reply& reply) {
  Mind(reply.status());
  return reply.ok() ? reply->revision.sequence : 0;
}

void ServicePair::OptIn(PairedService& service) {
  const std::string account = AnyAccount();
  std::string notice = "general";
  if (Below(2) == 0 && !notices_.empty()) notice = *std::prev(notices_.end());
  const store::Sequence revision =
      RevisionIn(service.world.OptIn(account, test::Account(), test::Control("help_improve"), test::Under(notice)));
  acknowledged_[account].on = std::max(acknowledged_[account].on, revision);
}

void ServicePair::OptOut(PairedService& service) {
  const std::string account = AnyAccount();
  const store::Sequence revision = RevisionIn(service.world.OptOut(account, test::Account(), test::Everything()));
  acknowledged_[account].off = std::max(acknowledged_[account].off, revision);
}

void ServicePair::Ask(PairedService& service) {
  domain::Selector selector = test::AllOfIt();
  switch (Below(10)) {
    case 0:
      selector.kind = domain::SelectorKind::kAccountClosure;
      break;
    case 1:
      break;
    case 2:
    case 3:
    case 4:
      selector = service.deleting.Recordings({"r" + std::to_string(Below(3)), "r7"});
      break;
    default:
      return AskForTimes(service);
  }
  AskFor(service, AnyAccount(), selector);
}

void ServicePair::AskFor(PairedService& service, const std::string& account, const domain::Selector& selector) {
  const auto created =
      service.deleting.TryAsk(account, selector, Below(2) == 0 ? DeletionState::kAccepted : DeletionState::kReceived);
  Mind(created.status());
  if (created.ok()) requests_.insert(created->place);
}

// More than a record holds.
void ServicePair::AskForTimes(PairedService& service) {
  constexpr uint64_t kHours = 700;
  const std::string account = Below(3) == 0 ? AnyAccount() : Name(0);
  for (uint64_t i = Below(12); i > 0; --i) {
    const base::Instant from =
        service.world.Now() - base::Hours(kHours + 20) + base::Hours(static_cast<int64_t>(Below(kHours)));
    AskFor(service, account, test::Within(from, from + base::Seconds(600)));
  }
}

void ServicePair::Decide(PairedService& service) {
  if (requests_.empty()) return;
  auto at = requests_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(Below(requests_.size())));
  switch (Below(4)) {
    case 0:
    case 1:
      return Mind(service.deleting.Step(*at, DeletionStep::kVerify));
    case 2:
      return Mind(service.deleting.Step(*at, DeletionStep::kDeny, "no"));
    default:
      return Mind(service.deleting.Cancel(*at));
  }
}

void ServicePair::Hold(PairedService& service) {
  domain::HeldPart held;
  held.captured.to = service.world.Now() - base::Days(static_cast<int64_t>(Below(4)));
  if (Below(3) == 0) held = service.deleting.HeldRecordings({"r7"});
  const auto placed = service.deleting.TryHold(AnyAccount(), held);
  Mind(placed.status());
  if (placed.ok()) holds_.push_back(placed->place);
}

void ServicePair::Release(PairedService& service) {
  if (holds_.empty()) return;
  const size_t at = Below(holds_.size());
  const service::HoldPlace place = holds_[at];
  holds_.erase(holds_.begin() + static_cast<std::ptrdiff_t>(at));
  if (!service.world.holds().Get(place).ok()) return;
  const absl::Status released = service.deleting.Release(place);
  Mind(released);
  // One that was refused, because the policy changed in the middle of it, still holds.
  if (!released.ok()) holds_.push_back(place);
}

void ServicePair::Lease(PairedService& service) {
  if (systems_.empty()) return;
  auto at = systems_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(Below(systems_.size())));
  const auto system = service.world.systems().Find(at->first);
  if (!system.ok()) return NoteWrong("a registered system is not known");
  const auto leased =
      service.world.tasks().Lease(*system, 1 + Below(3), base::Seconds(static_cast<int64_t>(1 + Below(600))));
  Mind(leased.status());
  if (!leased.ok() || Below(5) == 0) return;
  for (const service::LeasedTask& task : *leased) held_.push_back({at->first, task});
}

void ServicePair::Report(PairedService& service) {
  if (held_.empty()) return;
  const size_t at = Below(held_.size());
  const Held held = held_[at];
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
  const auto system = service.world.systems().Find(held.system);
  if (!system.ok()) return NoteWrong("a registered system is not known");
  if (Below(4) == 0) {
    return Mind(service.world.tasks().Fail(*system, held.task.place, {held.task.row.epoch, "no", false}));
  }
  service::TaskReport report;
  report.place = held.task.place;
  report.epoch = held.task.row.epoch;
  report.outcome = Below(3) == 0 ? PurgeOutcome::kNotFound : PurgeOutcome::kAcknowledged;
  const absl::Status ended = service.world.tasks().End(*system, {report}).front();
  Mind(ended);
  if (ended.ok()) ++tasks_done_;
}

void ServicePair::Erase(PairedService& service) {
  Mind(service.world.erasures().EraseKeys().status());
  if (Below(4) == 0) Mind(service.world.erasures().EraseBytes(service.world.Now()).status());
  if (Below(2) != 0) return;
  service::ChangeRequest request = service.world.Request(AnyAccount(), service::ChangeKind::kUpsertSubject);
  request.command.registers = true;
  request.create_new = true;
  Mind(service.world.Submit(std::move(request)).status());
}

}  // namespace consent::simulation
