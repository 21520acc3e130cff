#include "tests/support/service/world.h"
#include "tests/support/base/seeded_keys.h"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/registry/publisher.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/subject/fill_index.h"

namespace consent::test {
namespace {

const base::Instant kStart = At("2026-03-01T12:00:00Z");
constexpr base::Span kStep = base::Seconds(60);

void Require(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, std::string(status.message()).c_str());
  std::abort();
}

store::MemoryStore::Options StoreOptions(const World::Options& options, const base::Clock& clock) {
  store::MemoryStore::Options made;
  made.partitions = options.partitions;
  made.store_id[0] = static_cast<uint8_t>(options.seed);
  made.store_id[1] = options.store;
  made.clock = &clock;
  made.copy_of = options.copy_of;
  return made;
}

}  // namespace

// What a process holds. The pool goes last, because the committer may still hand it an answer.
struct World::Running {
  Running(const Options& options, store::Store& store, base::TrustedClock& time, base::Random& random,
          const base::Keys& keys)
      : writers(options.threads, options.queue),
        context{.store = store,
                .time = time,
                .random = random,
                .keys = keys,
                .shares = base::ShareKeys(keys),
                .hasher = keys.Hasher(),
                .tokens = service::Tokens(keys, store.store_id()),
                .policies = {},
                .index = service::FactsIndex(options.max_subjects),
                .gauges = {},
                .writers = writers,
                .partition_policies = service::PartitionPolicies(store.partition_count())},
        queue(context),
        publisher(context, queue),
        changes(context, options.max_in_flight),
        subject_changes(context, changes),
        joins(context, changes),
        checks(context),
        reads(context),
        admin(context, publisher.policies()),
        proposals(context, publisher.proposals()),
        systems(context, queue, publisher.systems()),
        sweeps(context, systems, publisher.sweeps()),
        children_due(context, reads),
        safety_flags(context, changes),
        reviews(context, publisher.systems()),
        end_review(context,
                   [this](auto change, auto done) { subject_changes.Submit(std::move(change), std::move(done)); }),
        list_reviews(context),
        deletions(context, changes),
        holds(context, changes),
        erasures(context),
        master_keys(context),
        month_keys(context),
        rewrapping(context),
        tasks(context, queue) {}

  service::Pool writers;
  service::Core context;
  service::TaskQueue queue;
  service::Publisher publisher;
  service::ChangeSubject changes;
  service::SubjectChanges subject_changes;
  service::JoinSubjects joins;
  service::CheckEligibility checks;
  service::ReadSubject reads;
  service::PolicyAdmin admin;
  service::Proposals proposals;
  service::DataSystems systems;
  service::Sweeps sweeps;
  service::ChildrenDue children_due;
  service::SafetyFlags safety_flags;
  service::Reviews reviews;
  service::EndReview end_review;
  service::ListReviews list_reviews;
  service::Deletions deletions;
  service::Holds holds;
  service::Erasures erasures;
  service::MasterKeys master_keys;
  service::MonthKeys month_keys;
  service::RewrapShares rewrapping;
  service::PurgeTasks tasks;
};

World::World(Options options)
    : clock(options.now.IsSet() ? options.now : kStart),
      random(options.seed),
      options_(std::move(options)),
      keys_(options_.keys ? *options_.keys : test::SeededKeys(options_.seed)),
      hasher_(keys_.Hasher()),
      clock_of_process_(clock),
      inner_(StoreOptions(options_, clock_of_process_)) {
  if (options_.decorate) decorated_ = options_.decorate(inner_);
  Require(Start(), "start");
  if (options_.policy) Require(Activate(PolicyBuilder()), "first policy");
}

World::~World() { running_.reset(); }

absl::Status World::Start() {
  running_ = std::make_unique<Running>(options_, store(), clock_of_process_.time(), random, keys_);
  if (absl::Status status = running_->admin.Load(); !status.ok()) return status;
  if (absl::Status status = service::FillIndex(running_->context); !status.ok()) return status;
  if (absl::Status status = running_->sweeps.Load(); !status.ok()) return status;
  if (absl::Status status = running_->proposals.Load(); !status.ok()) return status;
  if (absl::Status status = running_->systems.Load(); !status.ok()) return status;
  if (absl::Status status = running_->publisher.review_rates().Fill(running_->context); !status.ok()) return status;
  running_->context.ready.store(true);
  return absl::OkStatus();
}

absl::Status World::TryRestart() {
  running_.reset();
  base::Instant last_stamp;
  for (uint16_t i = 0; i < inner_.partition_count(); ++i) {
    last_stamp = std::max(last_stamp, inner_.GetHead({i}).stamp.time);
  }
  clock_of_process_.Begin(last_stamp);
  return Start();
}

void World::Reboot() {
  clock_of_process_.CountBoot();
  Restart();
}

void World::AddMasterKey() { keys_ = *keys_.WithNewMasterKey(random); }

void World::Restart() { Require(TryRestart(), "restart"); }

store::Store& World::store() const {
  return decorated_ != nullptr ? *decorated_ : const_cast<store::MemoryStore&>(inner_);
}
service::Core& World::core() const { return running_->context; }
service::SubjectChanges& World::changes() { return running_->subject_changes; }
service::JoinSubjects& World::joins() { return running_->joins; }
size_t World::in_flight() const { return running_->changes.in_flight(); }
service::CheckEligibility& World::checks() { return running_->checks; }
service::ReadSubject& World::reads() { return running_->reads; }
service::PolicyAdmin& World::admin() { return running_->admin; }
service::Proposals& World::proposals() { return running_->proposals; }
service::TaskQueue& World::queue() { return running_->queue; }
service::DataSystems& World::systems() { return running_->systems; }
service::Sweeps& World::sweeps() { return running_->sweeps; }
service::ChildrenDue& World::children_due() { return running_->children_due; }
service::SafetyFlags& World::safety_flags() { return running_->safety_flags; }
service::Reviews& World::reviews() { return running_->reviews; }
service::EndReview& World::end_review() { return running_->end_review; }
service::KnownReviewRates& World::review_rates() { return running_->publisher.review_rates(); }
service::ListReviews& World::list_reviews() { return running_->list_reviews; }
service::Deletions& World::deletions() { return running_->deletions; }
service::Holds& World::holds() { return running_->holds; }
service::Erasures& World::erasures() { return running_->erasures; }
service::MasterKeys& World::master_keys() { return running_->master_keys; }
service::MonthKeys& World::month_keys() { return running_->month_keys; }
service::RewrapShares& World::rewrapping() { return running_->rewrapping; }
service::PurgeTasks& World::tasks() { return running_->tasks; }

Reply World::Submit(service::ChangeRequest request) {
  std::promise<Reply> promise;
  changes().Submit(std::move(request), [&](Reply reply) { promise.set_value(std::move(reply)); });
  Reply reply = promise.get_future().get();
  clock.Advance(kStep);
  return reply;
}

absl::Status World::Activate(const PolicyBuilder& policy) {
  const policy::Document document = policy.Build();
  service::ActivationOrder order{"tester", {}};
  // Whoever activates here has seen what it loosens.
  if (const auto current = core().policies.current(); current != nullptr) {
    for (const policy::Difference& difference : policy::Compare(*current, document)) {
      if (policy::Loosens(difference)) order.loosens.push_back(policy::Words(difference));
    }
  }
  absl::Status status = admin().Activate(document, order);
  clock.Advance(kStep);
  return status;
}

domain::ScopeRef World::Ref(const ScopeName& scope) const {
  switch (scope.kind) {
    case domain::ScopeKind::kProfile:
      return {scope.kind, hasher_.Profile(scope.id).bytes};
    case domain::ScopeKind::kDevice:
      return {scope.kind, hasher_.Device(scope.id).bytes};
    case domain::ScopeKind::kAccount:
      break;
  }
  return {};
}

domain::ProfileCommand World::Command(const Person& person) const {
  domain::ProfileCommand command;
  command.profile = hasher_.Profile(person.id);
  command.age = person.age;
  if (!person.guardian.empty()) command.guardian = hasher_.Guardian(person.guardian);
  return command;
}

domain::Proof World::Proof(const Given& given) const {
  domain::Proof proof;
  proof.notice_version = given.notice;
  proof.notice_language = "en";
  proof.channel = given.imported_at.IsSet() ? domain::Channel::kImport : domain::Channel::kApp;
  proof.actor = given.actor;
  if (!given.guardian.empty()) proof.guardian = hasher_.Guardian(given.guardian);
  proof.given_at = given.imported_at;
  return proof;
}

service::ChangeRequest World::Request(const std::string& account, service::ChangeKind kind) const {
  service::ChangeRequest request;
  request.subject = Handle(account);
  request.account_id = account;
  request.kind = kind;
  return request;
}

// Who speaks for the account: its first adult; nobody where there is none.
static std::optional<base::ProfileHandle> FirstAdult(const domain::SubjectFacts& facts) {
  for (const domain::ScopeFacts& scope : facts.scopes) {
    const bool adult =
        scope.kind == domain::ScopeKind::kProfile && scope.registered && scope.age.kind == domain::AgeKind::kAdult;
    if (adult) return base::ProfileHandle{scope.handle};
  }
  return std::nullopt;
}

service::ChangeRequest World::OptInRequest(const std::string& account, const ScopeName& scope, domain::Target target,
                                           const Given& given) const {
  service::ChangeRequest request = Request(account, service::ChangeKind::kUpdateSettings);
  request.command.expected_revision = RevisionOf(account);
  request.command.proof = Proof(given);
  request.command.choices.push_back({Ref(scope), std::move(target), true});
  if (scope.kind == domain::ScopeKind::kAccount && given.notice != "own") {
    request.command.self_profile = FirstAdult(Facts(account));
  }
  request.payload.evidence = "evidence of " + account + " under " + given.notice;
  if (!scope.id.empty()) request.payload.names.emplace_back(Ref(scope), scope.id);
  return request;
}

service::ChangeRequest World::OptOutRequest(const std::string& account, const ScopeName& scope,
                                            domain::Target target) const {
  service::ChangeRequest request = Request(account, service::ChangeKind::kOptOut);
  request.command.choices.push_back({Ref(scope), std::move(target), false});
  if (!scope.id.empty()) request.payload.names.emplace_back(Ref(scope), scope.id);
  return request;
}

Reply World::Register(const std::string& account, const std::string& region, const std::vector<Person>& people,
                      const std::vector<std::string>& devices) {
  service::ChangeRequest request = Request(account, service::ChangeKind::kUpsertSubject);
  request.command.registers = true;
  if (!region.empty()) request.command.region = Where(region);
  for (const Person& person : people) {
    request.command.profiles.push_back(Command(person));
    request.payload.names.emplace_back(Ref(Profile(person.id)), person.id);
    if (!person.guardian.empty()) {
      request.payload.guardians.emplace_back(hasher_.Guardian(person.guardian), person.guardian);
    }
  }
  for (const std::string& device : devices) {
    request.command.devices.push_back(hasher_.Device(device));
    request.payload.names.emplace_back(Ref(Device(device)), device);
  }
  return Submit(std::move(request));
}

Reply World::OptIn(const std::string& account, const ScopeName& scope, domain::Target target, const Given& given) {
  return Submit(OptInRequest(account, scope, std::move(target), given));
}

Reply World::OptOut(const std::string& account, const ScopeName& scope, domain::Target target) {
  return Submit(OptOutRequest(account, scope, std::move(target)));
}

Reply World::Retain(const std::string& account, const ScopeName& scope, domain::Retention retention) {
  service::ChangeRequest request = Request(account, service::ChangeKind::kUpdateSettings);
  request.command.expected_revision = RevisionOf(account);
  request.command.proof = Proof(Given{});
  request.command.retention.push_back({Ref(scope), retention});
  return Submit(std::move(request));
}

Reply World::Report(const std::string& account, const std::string& recording, uint8_t flags) {
  service::ChangeRequest request = Request(account, service::ChangeKind::kReportRecording);
  request.recording = hasher_.Recording(recording);
  request.payload.account_id = account;
  request.payload.recording_id = recording;
  request.flags = flags;
  return Submit(std::move(request));
}

void World::Rewrite(const std::string& account, const std::function<void(domain::SubjectFacts&)>& edit) {
  domain::SubjectFacts facts = Facts(account);
  edit(facts);
  std::string bytes;
  domain::EncodeFacts(facts, &bytes);
  std::promise<store::CommitResult> promise;
  store().Commit(
      core().PartitionOf(Handle(account)), {},
      [&](const store::Stamp&) {
        store::Change change;
        change.writes.push_back({store::Table::kSubject, core().SubjectKey(Handle(account)),
                                 service::EncodeSubjectRow(Handle(account), bytes)});
        change.event.body = "rewritten by a test";
        return change;
      },
      [&](const store::CommitResult& result) { promise.set_value(result); });
  const bool committed = promise.get_future().get().outcome == store::Outcome::kCommitted;
  Require(committed ? absl::OkStatus() : absl::UnknownError("not committed"), "rewrite");
  clock.Advance(kStep);
  Restart();
}

domain::Decision World::Check(const std::string& account, Recording recording, domain::Purpose purpose,
                              const domain::Place& place) const {
  const auto session = running_->checks.Begin("");
  Require(session.status(), "check");
  if (!recording.facts.captured_at.IsSet()) recording.facts.captured_at = session->now.latest - base::Seconds(30);
  service::CheckItem item{Handle(account), {}, recording.id, recording.Facts(hasher_)};
  domain::Decision decision;
  running_->checks.Prefetch(item);
  if (running_->checks.TryDecide(*session, item, purpose, place, &decision)) return decision;
  Require(running_->checks.Resolve(&item), "whose recording it is");
  const auto stored = running_->checks.DecideFromStore(*session, item, purpose, place);
  Require(stored.status(), "check from the store");
  return *stored;
}

domain::Decision World::Check(const std::string& account, domain::Purpose purpose) const {
  return Check(account, Recording(), purpose);
}

domain::SubjectFacts World::Facts(const std::string& account) const {
  const auto stored = service::LoadFacts(core(), Handle(account));
  Require(stored.status(), "facts");
  return stored->facts;
}

bool World::Known(const std::string& account) const {
  const auto stored = service::LoadFacts(core(), Handle(account));
  Require(stored.status(), "facts");
  return stored->found;
}

uint64_t World::RevisionOf(const std::string& account) const { return Facts(account).revision; }

}  // namespace consent::test
