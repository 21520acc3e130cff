#include "tests/unit/rekey/walk.h"

#include <future>

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::Purpose;

std::string Said(const absl::Status& status) { return status.ok() ? "done" : ReasonOf(status); }

std::string Said(const Reply& reply) {
  if (!reply.ok()) return ReasonOf(reply);
  std::string text = "done at " + std::to_string(reply->revision.sequence);
  for (const domain::PartOutcome& part : reply->parts) {
    text += " " + std::to_string(static_cast<int>(part.refusal)) + (part.changed ? "+" : "") + part.detail;
  }
  return text;
}

}  // namespace

const WalkIds& AllWalkIds() {
  static const WalkIds* const ids = new WalkIds{
      {"account0", "account1", "account2", "account3", "account4", "account5", "account6", "account7", "another"},
      {"ann", "bob", "kid"},
      {"echo", "show"},
      {"gil", "mum"},
      {"r1", "r2", "r3", "r4", "r5"}};
  return *ids;
}

Walk::Walk(World& world, uint64_t seed) : world_(world), deleting_(world), dice_(seed) {
  deleting_.Register(System("audio"));
  for (size_t i = 0; i < 6; ++i) (void)Register(AllWalkIds().accounts[i]);
}

Walk::Walk(World& world, const Walk& other)
    : world_(world), deleting_(world), dice_(other.dice_), requests_(other.requests_), holds_(other.holds_) {}

std::string Walk::Step() {
  const std::string& account = dice_.Pick(AllWalkIds().accounts);
  switch (dice_.Below(8)) {
    case 0:
      return account + " registers: " + Register(account);
    case 1:
    case 2:
    case 3:
      return account + " sets: " + Settings(account);
    case 4:
    case 5:
      return account + " orders: " + Orders(account);
    case 6:
      return account + " report: " +
             Said(world_.Report(account, dice_.Pick(AllWalkIds().recordings),
                                static_cast<uint8_t>(1U << dice_.Below(4))));
    default:
      if (dice_.Chance(0.3)) return "work: " + std::to_string(Work());
      if (dice_.Chance(0.3)) return account + " is joined: " + Join(account, dice_.Pick(AllWalkIds().accounts));
      return account + " removes: " + Remove(account);
  }
}

std::string Walk::Register(const std::string& account) {
  std::vector<Person> people = {Adult("ann")};
  if (dice_.Chance(0.4)) people.push_back(Child("kid", dice_.Pick(AllWalkIds().guardians)));
  if (dice_.Chance(0.3)) people.push_back(OfUnknownAge("bob"));
  std::vector<std::string> devices;
  if (dice_.Chance(0.8)) devices.emplace_back("echo");
  return Said(world_.Register(account, dice_.Chance(0.6) ? "US" : "DE", people, devices));
}

ScopeName Walk::SomeScope() {
  if (dice_.Chance(0.5)) return Account();
  return dice_.Chance(0.5) ? Profile(dice_.Pick(AllWalkIds().profiles)) : Device(dice_.Pick(AllWalkIds().devices));
}

std::string Walk::Settings(const std::string& account) {
  const Purpose purpose = dice_.Pick({Purpose::kHumanReview, Purpose::kModelTraining, Purpose::kAdvertising});
  switch (dice_.Below(6)) {
    case 0:
      return Said(world_.OptOut(account, SomeScope(), Only(purpose)));
    case 1:
      return Said(world_.OptOut(account, SomeScope(), dice_.Chance(0.3) ? Everything() : Control("help_improve")));
    case 2:
      return Said(world_.OptIn(account, Profile("kid"), Only(purpose),
                               ByGuardian(dice_.Pick(AllWalkIds().guardians), dice_.Chance(0.5) ? "past" : "general")));
    case 3:
      return Said(world_.Retain(account, SomeScope(), {domain::RetentionKind::kMonths, dice_.Pick<uint8_t>({3, 18})}));
    default:
      return Said(world_.OptIn(account, SomeScope(), Control("help_improve"),
                               Under(dice_.Pick<const char*>({"past", "general"}))));
  }
}

domain::Selector Walk::SomeSelector() {
  const base::Instant now = world_.clock.Now();
  switch (dice_.Below(6)) {
    case 0:
      return deleting_.Recordings({dice_.Pick(AllWalkIds().recordings)});
    case 1:
      return deleting_.Recordings(AllWalkIds().recordings);
    case 2:
      return Within(now - base::Days(static_cast<int>(2 + dice_.Below(40))), now - base::Hours(3));
    case 3:
      return deleting_.Of(Device(dice_.Pick(AllWalkIds().devices)));
    case 4:
      return deleting_.Of(Profile(dice_.Pick(AllWalkIds().profiles)));
    default:
      break;
  }
  domain::Selector selector = AllOfIt();
  if (dice_.Chance(0.2)) {
    selector.kind = domain::SelectorKind::kAccountClosure;
    selector.captured = domain::OrderedTimes::Always();
  }
  return selector;
}

std::string Walk::Ask(const std::string& account) {
  const auto asked =
      deleting_.TryAsk(account, SomeSelector(), dice_.Pick({DeletionState::kReceived, DeletionState::kAccepted}));
  if (!asked.ok()) return ReasonOf(asked);
  if (asked->created) requests_.push_back(asked->place);
  return std::string(asked->created ? "new " : "the same ") + std::to_string(asked->place.number);
}

std::string Walk::Go(service::DeletionPlace place) {
  switch (dice_.Below(4)) {
    case 0:
      return Said(deleting_.Cancel(place));
    case 1:
      return Said(deleting_.Step(place, service::DeletionStep::kDeny, "not shown"));
    default:
      return Said(deleting_.Step(place, service::DeletionStep::kVerify));
  }
}

std::string Walk::Release(service::HoldPlace place) {
  if (const auto hold = world_.holds().Get(place); !hold.ok()) return ReasonOf(hold);  // erased with its account
  return Said(deleting_.Release(place));
}

std::string Walk::Orders(const std::string& account) {
  switch (dice_.Below(6)) {
    case 0:
      if (!requests_.empty()) return Go(requests_[dice_.Below(requests_.size())]);
      return Ask(account);
    case 1: {
      domain::HeldPart held;
      if (dice_.Chance(0.5)) held = deleting_.HeldRecordings({"r1", "r4"});
      if (held.recordings.empty()) held.scope = world_.Ref(SomeScope());
      const auto placed = deleting_.TryHold(account, held);
      if (placed.ok()) holds_.push_back(placed->place);
      return placed.ok() ? "held" : ReasonOf(placed);
    }
    case 2:
      return holds_.empty() ? Ask(account) : Release(holds_[dice_.Below(holds_.size())]);
    default:
      return Ask(account);
  }
}

std::string Walk::Join(const std::string& from, const std::string& into) {
  service::JoinRequest request;
  request.from = world_.Request(from, service::ChangeKind::kJoined);
  request.from.command.proof.channel = domain::Channel::kSupport;
  request.from.command.proof.actor = domain::Actor::kAgent;
  request.from.command.expected_revision = world_.RevisionOf(from);
  request.from.payload.evidence = "both are hers";
  request.into = world_.Handle(into);
  request.into_account_id = into;
  request.into_is_new = !world_.Known(into);
  if (!request.into_is_new) {
    request.into_etag = service::Revision{world_.core().PartitionOf(request.into), world_.RevisionOf(into)};
  }
  std::promise<absl::StatusOr<service::Joined>> promise;
  world_.joins().Join(std::move(request), [&](auto joined) { promise.set_value(std::move(joined)); });
  const absl::Status joined = promise.get_future().get().status();
  world_.Wait(base::Seconds(60));
  return into + " " + Said(joined);
}

std::string Walk::Remove(const std::string& account) {
  service::ChangeRequest request = world_.Request(account, service::ChangeKind::kUpdateSettings);
  request.command.expected_revision = world_.RevisionOf(account);
  request.command.proof = world_.Proof(Given{});
  const ScopeName scope = dice_.Chance(0.5) ? Device("echo") : Profile(dice_.Pick(AllWalkIds().profiles));
  request.command.removals.push_back(world_.Ref(scope));
  request.payload.names.emplace_back(world_.Ref(scope), scope.id);
  return Said(world_.Submit(std::move(request)));
}

}  // namespace consent::test
