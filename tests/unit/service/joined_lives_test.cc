// Lives of pairs of accounts that are joined, killed between any two commits. Beside each pair lives a pair that is
// never joined, to which the same is said: before the join to each what its twin hears, afterwards to both. What the
// rule's independent model (tests/support/model) says of the twins bounds what is said of the joined: a yes is a yes of
// both, and an order of one is one of both. Between all this purposes are suspended and resumed, policies follow each
// other, and people are of several ages, which are corrected. CONSENT_TEST_SEED and CONSENT_TEST_CASES replay and
// lengthen.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/subject/join_subjects.h"
#include "tests/support/model/dice.h"
#include "tests/support/model/model.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/faulty_world.h"
#include "tests/support/service/policy_builder.h"

namespace consent::test {
namespace {

using domain::JoinState;
using domain::Purpose;
using model::Dice;

constexpr uint64_t kLives = 400;
// Every second world has officers, who write to each partition, and fewer of those.
constexpr uint64_t kLivesOfAWorld = 100;
constexpr uint16_t kPartitions = 1'024;
constexpr uint16_t kFewPartitions = 16;
bool HasOfficers(uint64_t seed) { return seed / kLivesOfAWorld % 2 == 1; }

// What happened, so that the test says that it tested something.
struct Tally {
  uint64_t joins = 0, renames = 0, kills = 0, resumed = 0, checks = 0, yeses = 0, possible = 0, orders = 0;
  uint64_t suspensions = 0, policies = 0, minors = 0;  // the last: yeses of accounts with somebody who is no adult
};

class Life {
 public:
  Life(FaultyWorld& faulty, uint64_t seed, Tally& tally)
      : faulty_(faulty), world_(faulty.world), deleting_(world_), dice_(seed), seed_(seed), tally_(tally) {}

  void Live() {
    renames_ = dice_.Chance(0.15);
    for (const char* name : {"f", "i"}) {
      if (renames_ && *name == 'i') continue;
      const std::string region = dice_.Chance(0.5) ? "DE" : "US";
      const Person ann = dice_.Chance(0.7) ? Adult("ann") : SomeAnn();
      for (const std::string& account : {Main(name), Twin(name)})
        Must(world_.Register(account, region, {ann, Adult("bob")}, {"tv"}));
    }
    Rest();
    for (uint64_t n = 2 + dice_.Below(4); n > 0; --n) Say(SomeName());
    if (!renames_ && dice_.Chance(0.4)) BothAgree();
    Examine();
    JoinThem();
    Examine();
    for (uint64_t n = dice_.Below(4); n > 0; --n) Say(SomeName());
    Examine();
    EXPECT_EQ(world_.Facts(Main("f")).join, JoinState::kAlias) << "seed " << seed_ << ": the join did not end";
    EXPECT_EQ(world_.core().joins.open(), 0U) << "seed " << seed_;
    if (suspended_) Resume();  // the next life begins without
  }

 private:
  std::string Main(const std::string& name) const { return name + std::to_string(seed_); }
  std::string Twin(const std::string& name) const { return "twin-" + name + std::to_string(seed_); }
  const char* SomeName() { return renames_ && !joined_ ? "f" : dice_.Pick({"f", "i"}); }
  // To whom what is said to `name` is said among the twins.
  std::vector<std::string> TwinsOf(const std::string& name) const {
    if (renames_) return {Twin("f")};
    // From the second commit on whoever speaks to the other account has been shown what both allow.
    const auto taken = name == "i" ? world_.Facts(Main("i")).joined_from.size() : 0;
    if (joined_ || taken != 0) return {Twin("f"), Twin("i")};
    return {Twin(name)};
  }
  // Of any age; one with a birth date comes of some law's age within 450 days, or did so in the last 50.
  Person SomeAnn() {
    const std::string guardian = dice_.Pick({"bob", "carol"});
    switch (dice_.Below(4)) {
      case 0:
        return Adult("ann");
      case 1:
        return Child("ann", guardian);
      case 2:
        return OfUnknownAge("ann");
      default:
        break;
    }
    const auto today = static_cast<int32_t>(world_.Now().micros / base::Days(1).micros);
    const int years = dice_.Pick({12, 13, 15, 16, 18});
    const base::Date of_age{today - 50 + static_cast<int32_t>(dice_.Below(500))};
    return Born("ann", base::FormatDate(base::AddYears(of_age, -years)), guardian);
  }
  void Must(const absl::Status& status) { EXPECT_TRUE(status.ok()) << "seed " << seed_ << ": " << status; }
  void Must(const Reply& reply) { Must(reply.status()); }
  // An hour; or seldom a year, within which a consent ends by itself. What is said in between is said to both.
  void Rest() {
    const bool is_long = dice_.Chance(0.05);
    moments_.push_back(world_.Now() + base::Seconds(1'800));
    world_.Wait(is_long ? base::Days(380) : base::Hours(1));
    if (is_long) moments_.push_back(world_.Now() - base::Days(10));
  }

  // One thing said to an account, and the same to its twins.
  void Say(const std::string& name) {
    const uint64_t what = dice_.Below(14);
    if (what == 11 && HasOfficers(seed_)) return SuspendOrResume();
    if (what == 12 && HasOfficers(seed_)) return ActivateAnother();
    const ScopeName scope = SomeScope();
    const domain::Target target =
        dice_.Pick({Control("help_improve"), Control("train"), Only(Purpose::kHumanReview), Everything()});
    if (what < 5 && target.kind != domain::TargetKind::kAll) return Agree(name, scope, target, SomeGiven(scope));
    const std::string recording = "r" + std::to_string(dice_.Below(2));
    const uint64_t months = dice_.Pick<uint64_t>({3, 18});
    const bool verified = dice_.Chance(0.5);
    const bool on_hold = dice_.Chance(0.3);
    const Person corrected = SomeAnn();
    for (const std::string& account : Hearers(name)) {
      Tell(account, scope, target, std::to_string(what));
      if (what < 7) {
        Must(world_.OptOut(account, scope, target));
      } else if (what == 7) {
        // A longer one than is stored is refused.
        (void)world_.Retain(account, scope, {domain::RetentionKind::kMonths, static_cast<uint8_t>(months)});
      } else if (what == 8) {
        Must(world_.Report(account, recording, domain::Flags::kCriticalData));
      } else if (what == 10) {
        if (scope.kind != domain::ScopeKind::kAccount) (void)Remove(account, scope, on_hold);
      } else if (what > 10) {
        story_ += " " + AgeText(corrected) + " " + ReasonOf(Correct(account, corrected));
      } else if (on_hold) {
        deleting_.Hold(account, domain::HeldPart{});
      } else {
        deleting_.Ask(account, AllOfIt(),
                      verified ? domain::DeletionState::kAccepted : domain::DeletionState::kReceived);
      }
    }
    Rest();
  }

  ScopeName SomeScope() { return dice_.Pick({Account(), Account(), Profile("ann"), Profile("bob"), Device("tv")}); }
  Given SomeGiven(const ScopeName& scope) {
    const std::string notice = dice_.Chance(0.7) ? "general" : dice_.Pick({"past", "short"});
    if (scope.id == "ann" && dice_.Chance(0.4)) return ByGuardian(dice_.Pick({"bob", "carol"}), notice);
    return Under(notice);
  }
  std::vector<std::string> Hearers(const std::string& name) const {
    std::vector<std::string> to = TwinsOf(name);
    to.push_back(Main(name));
    return to;
  }
  void Tell(const std::string& account, const ScopeName& scope, const domain::Target& target, const std::string& what) {
    story_ += "\n  " + account + ": " + what + " scope " + std::to_string(static_cast<int>(scope.kind)) + " " +
              scope.id + " target " + target.control + std::to_string(static_cast<int>(target.purpose));
  }

  void Agree(const std::string& name, const ScopeName& scope, const domain::Target& target, const Given& given) {
    // The adult who speaks is the same in each.
    const bool is_alias = world_.Facts(Main(name)).join == JoinState::kAlias;
    const std::optional<base::ProfileHandle> self =
        world_.OptInRequest(Main(is_alias ? "i" : name), scope, target, given).command.self_profile;
    for (const std::string& account : Hearers(name)) {
      Tell(account, scope, target, "yes under " + given.notice + " " + given.guardian);
      // Of the account with the etag of what it is now, which is the joined one's.
      story_ += " " + ReasonOf(OptIn(account, scope, target, given, self));
    }
    Rest();
  }

  // One yes of both, with something in between: what the later one mends for the earlier is what joins get wrong.
  void BothAgree() {
    const ScopeName scope = SomeScope();
    const domain::Target target = dice_.Pick({Control("help_improve"), Control("train")});
    const Given given = SomeGiven(scope);
    const std::string first = dice_.Pick({"f", "i"});
    Agree(first, scope, target, given);
    for (uint64_t n = dice_.Below(3); n > 0; --n) {
      if (HasOfficers(seed_) && dice_.Chance(0.6)) {
        SuspendOrResume();
        if (suspended_) Resume();
      } else {
        Say(dice_.Pick({"f", "i"}));
      }
    }
    Agree(first == "f" ? "i" : "f", scope, target, given);
  }

  static std::string AgeText(const Person& person) {
    return "age " + std::to_string(static_cast<int>(person.age.kind)) + " " + base::FormatDate(person.age.born) +
           " of " + person.guardian;
  }

  // Said by an officer, of everybody.
  void SuspendOrResume() {
    if (suspended_) return Resume();
    const auto purpose = dice_.Pick({Purpose::kHumanReview, Purpose::kModelTraining});
    const domain::Region region = dice_.Chance(0.5) ? domain::Region{} : Where(dice_.Pick({"DE", "US"}));
    const auto view = world_.admin().Suspend(purpose, region, "an incident");
    Must(view.status());
    suspended_ = service::ResumeOrder{purpose, region, "it is solved", view->etag};
    ++tally_.suspensions;
    story_ += "\n  suspended " + std::to_string(static_cast<int>(purpose)) +
              " of all: " + std::to_string(static_cast<int>(region == domain::Region{}));
    Rest();
  }
  void Resume() {
    Must(world_.admin().Resume(*suspended_).status());
    suspended_.reset();
    story_ += "\n  resumed";
    Rest();
  }
  void ActivateAnother() {
    PolicyBuilder policy("of-" + std::to_string(seed_) + "-" + std::to_string(moments_.size()));
    const bool is_wider = dice_.Chance(0.4);
    const bool asks = dice_.Chance(0.4);
    const int age = dice_.Pick({13, 13, 16});
    if (is_wider) policy.Control("help_improve").add_purposes(v1::PURPOSE_MODEL_TRAINING);
    if (asks) {
      policy.Regime("us").set_default_rule(v1::DEFAULT_RULE_OPT_IN);
      policy.Regime("us").set_false_wake_ttl_seconds(0);
    }
    (*policy.policy().mutable_ages_of_consent())["US"] = age;
    const absl::Status status = world_.Activate(policy);
    tally_.policies += status.ok() ? 1 : 0;
    story_ += "\n  policy wider " + std::to_string(static_cast<int>(is_wider)) + " asks " +
              std::to_string(static_cast<int>(asks)) + " age " + std::to_string(age) + " " + ReasonOf(status);
    Rest();
  }

  // What an alias is told has the etag of what it became.
  void SetEtag(const std::string& account, service::ChangeRequest* request) const {
    request->command.expected_revision = world_.RevisionOf(account);
    if (world_.Facts(account).join != JoinState::kAlias) return;
    const std::string into = Main("i");
    request->etag = service::Revision{world_.core().PartitionOf(world_.Handle(into)), world_.RevisionOf(into)};
  }

  // Takes a profile or device away, or has it back.
  Reply Remove(const std::string& account, const ScopeName& scope, bool back) {
    service::ChangeRequest request = world_.Request(account, service::ChangeKind::kUpsertSubject);
    SetEtag(account, &request);
    request.command.proof = world_.Proof(Given{});
    request.payload.names.emplace_back(world_.Ref(scope), scope.id);
    if (!back) {
      request.command.removals = {world_.Ref(scope)};
    } else if (scope.kind == domain::ScopeKind::kDevice) {
      request.command.devices = {base::DeviceHandle{world_.Ref(scope).handle}};
    }
    return world_.Submit(std::move(request));
  }

  Reply Correct(const std::string& account, const Person& person) {
    service::ChangeRequest request = world_.Request(account, service::ChangeKind::kUpsertSubject);
    SetEtag(account, &request);
    request.command.proof = world_.Proof(Given{});
    request.command.profiles = {world_.Command(person)};
    request.payload.names.emplace_back(world_.Ref(Profile(person.id)), person.id);
    if (!person.guardian.empty()) {
      request.payload.guardians.emplace_back(world_.core().hasher.Guardian(person.guardian), person.guardian);
    }
    return world_.Submit(std::move(request));
  }

  Reply OptIn(const std::string& account, const ScopeName& scope, const domain::Target& target, const Given& given,
              const std::optional<base::ProfileHandle>& self) {
    service::ChangeRequest request = world_.OptInRequest(account, scope, target, given);
    request.command.self_profile = self;
    SetEtag(account, &request);
    return world_.Submit(std::move(request));
  }

  absl::Status Join() {
    service::JoinRequest request;
    const std::string from = Main("f");
    const std::string into = Main("i");
    request.from = world_.Request(from, service::ChangeKind::kJoined);
    request.from.command.proof.channel = domain::Channel::kSupport;
    request.from.command.proof.actor = domain::Actor::kAgent;
    request.from.command.expected_revision = world_.RevisionOf(from);
    request.into = world_.Handle(into);
    request.into_account_id = into;
    request.into_is_new = renames_;
    if (!renames_)
      request.into_etag = service::Revision{world_.core().PartitionOf(request.into), world_.RevisionOf(into)};
    std::promise<absl::Status> promise;
    world_.joins().Join(std::move(request),
                        [&](const absl::StatusOr<service::Joined>& joined) { promise.set_value(joined.status()); });
    return promise.get_future().get();
  }

  // Stops the join at one of its commits, which is done or not; then something is said, and it is ended.
  void JoinThem() {
    ++(renames_ ? tally_.renames : tally_.joins);
    const uint64_t at = 1 + dice_.Below(5);  // 4 and 5: not at all
    const bool crash = dice_.Chance(0.5);
    if (at <= 3 && crash) {
      faulty_.faulty->CrashAt(at, dice_.Chance(0.5));
    } else if (at <= 3) {
      for (uint64_t i = 1; i < at; ++i) faulty_.faulty->Inject(Fault::kNone);
      faulty_.faulty->Inject(Fault::kRetry);
    }
    const absl::Status first = Join();
    EXPECT_EQ(first.ok(), at > 3) << "seed " << seed_ << ": " << first;
    if (at <= 3) ++tally_.kills;
    if (at <= 3 && crash) {
      faulty_.faulty->Reopen();
      world_.Restart();
    }
    // Restrictions meanwhile; and whatever the other account is told.
    begun_ = world_.Facts(Main("f")).join != JoinState::kNone;
    joined_ = world_.Facts(Main("f")).join == JoinState::kAlias;
    Rest();
    Examine();
    for (uint64_t n = dice_.Below(3); n > 0; --n) Say(renames_ ? "f" : dice_.Pick({"f", "i"}));
    Examine();
    if (begun_ && !joined_) {
      ++tally_.resumed;
      Must(dice_.Chance(0.5) ? world_.joins().FinishOpen() : Join());
    } else if (!begun_) {
      Must(Join());
    }
    begun_ = joined_ = true;
    Rest();
  }

  domain::Decision OfTwin(const std::string& name, const Recording& recording, Purpose purpose) const {
    const std::string account = Twin(name);
    const domain::SubjectFacts facts = world_.Facts(account);
    const service::Core& core = world_.core();
    const auto marks = service::LoadMarks(core, world_.Handle(account), core.hasher.Recording(recording.id));
    const domain::RecordingFacts said = recording.Facts(core.hasher);
    const domain::Place place = Employee("DE");
    return model::Decide(&facts, *marks, domain::Question{said, purpose, place, core.Present()},
                         *core.policies.rules());
  }

  void Examine() {
    for (int n = 0; n < 12; ++n) {
      const std::string name = renames_ && !begun_ ? "f" : dice_.Pick({"f", "i"});
      Recording recording(dice_.Pick(moments_));
      recording.Id("r" + std::to_string(dice_.Below(3)));
      recording.Spoken(dice_.Pick<std::vector<std::string>>({{"ann"}, {"ann"}, {"bob"}, {"ann", "bob"}}));
      if (dice_.Chance(0.3)) recording.On("tv");
      if (dice_.Chance(0.2)) recording.Copy(domain::Artefact::kReviewCopy, Purpose::kHumanReview);
      Check(name, recording,
            dice_.Pick({Purpose::kHumanReview, Purpose::kModelTraining, Purpose::kFeatureDevelopment}));
    }
  }

  static bool HasMinor(const domain::SubjectFacts& facts) {
    return std::any_of(facts.scopes.begin(), facts.scopes.end(), [](const domain::ScopeFacts& scope) {
      return scope.kind == domain::ScopeKind::kProfile && scope.registered && scope.age.kind != domain::AgeKind::kAdult;
    });
  }

  void Check(const std::string& name, const Recording& recording, Purpose purpose) {
    const domain::Decision said = world_.Check(Main(name), recording, purpose, Employee("DE"));
    ++tally_.checks;
    tally_.yeses += IsYes(said) ? 1 : 0;
    tally_.minors += IsYes(said) && HasMinor(world_.Facts(Main(name))) ? 1 : 0;
    bool all = true;
    bool deleted = false;
    bool on_hold = false;
    std::string why;
    // Until the second commit the other account is its own, and from then on both, whatever the first one is told
    // since; from the first commit on the one that is joined is nobody's yes.
    std::vector<std::string> bounds = {name};
    const bool taken = name == "i" && begun_ && !world_.Facts(Main("i")).joined_from.empty();
    if (joined_ || taken) bounds = {"f", "i"};
    if (renames_) bounds = {"f"};
    for (const std::string& twin : bounds) {
      const domain::Decision of_twin = OfTwin(twin, recording, purpose);
      all = all && IsYes(of_twin);
      deleted = deleted || of_twin.disposed.Has(domain::Reason::kDeleted);
      on_hold = on_hold || of_twin.disposed.Has(domain::Reason::kLegalHold);
      why += "\n  " + twin + ": " + Text(of_twin);
    }
    const std::string where = "seed " + std::to_string(seed_) + " " + name + " joined " +
                              std::to_string(static_cast<int>(joined_)) + ": " + Text(said) + why + story_;
    tally_.possible += all ? 1 : 0;
    ASSERT_TRUE(!IsYes(said) || all) << where;
    ASSERT_FALSE(IsYes(said) && begun_ && !joined_ && name == "f") << where;
    if (renames_ && name == "i" && !joined_) return;
    if (begun_ && !joined_) {
      // Perhaps taken, perhaps not: never less than its own.
      ASSERT_TRUE(said.disposed.Has(domain::Reason::kDeleted) || !deleted) << where;
      return;
    }
    tally_.orders += deleted || on_hold ? 1 : 0;
    ASSERT_EQ(said.disposed.Has(domain::Reason::kDeleted), deleted) << where;
    ASSERT_EQ(said.disposed.Has(domain::Reason::kLegalHold), on_hold) << where;
  }

  FaultyWorld& faulty_;
  World& world_;
  Deleting deleting_;
  Dice dice_;
  const uint64_t seed_;
  Tally& tally_;
  std::string story_;  // what was said, for a failure
  bool renames_ = false;
  bool begun_ = false;
  bool joined_ = false;
  std::optional<service::ResumeOrder> suspended_;
  std::vector<base::Instant> moments_;  // half an hour before and after anything is said
};

TEST(JoinedLives, NeverSayAYesThatOneOfBothWouldHaveRefused) {
  const uint64_t first = model::FromEnvironment("CONSENT_TEST_SEED", 1);
  const uint64_t last = first + model::SlowCasesFromEnvironment(kLives);
  Tally tally;
  std::unique_ptr<FaultyWorld> faulty;
  for (uint64_t seed = first; seed < last && !testing::Test::HasFailure(); ++seed) {
    if (faulty == nullptr || seed % kLivesOfAWorld == 0) {
      World::Options options;
      options.partitions = HasOfficers(seed) ? kFewPartitions : kPartitions;
      options.seed = seed;
      faulty = std::make_unique<FaultyWorld>(options);
    }
    Life(*faulty, seed, tally).Live();
  }
  if (model::IsWholeRun(last - first, kLives)) {
    EXPECT_GT(tally.yeses, 0U);
    EXPECT_GT(tally.orders, 0U);
    EXPECT_GT(tally.suspensions, 0U);
    EXPECT_GT(tally.policies, 0U);
    EXPECT_GT(tally.minors, 0U);
  }
  std::printf(
      "[ %llu joins, %llu renames, %llu kills, %llu resumed; %llu checks, %llu yeses of %llu that both gave, %llu by "
      "orders; %llu suspensions, %llu policies, %llu yeses beside minors ]\n",
      static_cast<unsigned long long>(tally.joins), static_cast<unsigned long long>(tally.renames),
      static_cast<unsigned long long>(tally.kills), static_cast<unsigned long long>(tally.resumed),
      static_cast<unsigned long long>(tally.checks), static_cast<unsigned long long>(tally.yeses),
      static_cast<unsigned long long>(tally.possible), static_cast<unsigned long long>(tally.orders),
      static_cast<unsigned long long>(tally.suspensions), static_cast<unsigned long long>(tally.policies),
      static_cast<unsigned long long>(tally.minors));
}

}  // namespace
}  // namespace consent::test
