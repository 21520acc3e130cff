#include "daemon/service/commit/change_subject.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/commit/answered_noes.h"
#include "daemon/service/commit/change_reply.h"
#include "daemon/service/commit/change_work.h"
#include "daemon/service/commit/newly_restricted.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

absl::Status Overloaded() {
  return wire::OverloadedError("too many changes are waiting: repeat later with backoff; nothing was written");
}

absl::Status RequestIdReused() {
  return wire::MakeError(v1::ERROR_REASON_REQUEST_ID_REUSED,
                         "this request_id was used within 72 hours with another body: use a new one for a new request");
}

// Whether some of it is a no, which is done whatever else of it cannot be.
bool Restricts(const ChangeRequest& request) {
  const domain::Command& command = request.command;
  return request.kind == ChangeKind::kReportRecording || request.kind == ChangeKind::kDeletionReceived ||
         !command.retention.empty() ||
         std::any_of(command.choices.begin(), command.choices.end(), [](const auto& choice) { return !choice.on; });
}

// The same, or it lets what was asked for before be purged.
bool IsRestriction(const ChangeRequest& request) {
  return Restricts(request) || request.kind == ChangeKind::kDeletionVerified;
}

// One part in so many of the changes in flight is for restrictions alone.
constexpr size_t kReserved = 4;

// Notices and controls that the facts name and whose use in the partition is on no row yet.
std::vector<UsageMark> NewMarks(const Core& core, store::Partition partition, const domain::SubjectFacts& facts) {
  std::vector<UsageMark> marks;
  const auto add = [&](UsageMark mark) {
    if (mark.number == 0 || core.partition_policies.Has(partition, mark)) return;
    if (std::find(marks.begin(), marks.end(), mark) == marks.end()) marks.push_back(mark);
  };
  for (const domain::ScopeFacts& scope : facts.scopes) {
    for (const domain::PurposeChoice& choice : scope.choices) add({false, choice.notice});
    for (const domain::ControlRefusal& refusal : scope.refused_controls) add({true, refusal.control});
  }
  return marks;
}

bool IsGuardianIn(const domain::SubjectFacts& facts, base::GuardianHandle guardian) {
  return std::any_of(facts.scopes.begin(), facts.scopes.end(),
                     [&](const auto& scope) { return scope.guardian == guardian; });
}

// Somebody's guardian before is nobody's after.
bool AGuardianLeaves(const domain::SubjectFacts& before, const domain::SubjectFacts& after) {
  return std::any_of(before.scopes.begin(), before.scopes.end(),
                     [&](const auto& scope) { return scope.guardian.IsSet() && !IsGuardianIn(after, scope.guardian); });
}

bool NamesAnybody(const Payload& payload) {
  return !payload.names.empty() || !payload.guardians.empty() || !payload.accounts.empty();
}

// Adds what a command names to what is known by name, the newest last.
void MergeNames(const Payload& named, Payload& known) {
  for (const auto& name : named.names) {
    const auto same = [&](const auto& other) { return other.first == name.first; };
    if (std::none_of(known.names.begin(), known.names.end(), same)) known.names.push_back(name);
  }
  for (const auto& name : named.guardians) {
    const auto same = [&](const auto& other) { return other.first == name.first; };
    if (std::none_of(known.guardians.begin(), known.guardians.end(), same)) known.guardians.push_back(name);
  }
  for (const auto& name : named.accounts) {
    const auto same = [&](const auto& other) { return other.first == name.first; };
    if (std::none_of(known.accounts.begin(), known.accounts.end(), same)) known.accounts.push_back(name);
  }
}

// The account's id stays beside its children's names, sealed as they are, so that those whose guardian has to be told
// can be listed. Nobody else's id is kept.
void NameAccount(const domain::SubjectFacts& after, const std::string& account_id, Payload& known) {
  const bool has_child = std::any_of(after.scopes.begin(), after.scopes.end(), [](const domain::ScopeFacts& scope) {
    return scope.kind == domain::ScopeKind::kProfile && scope.registered && scope.age.kind != domain::AgeKind::kAdult;
  });
  const auto at = std::find_if(known.names.begin(), known.names.end(),
                               [](const auto& name) { return name.first.kind == domain::ScopeKind::kAccount; });
  if (!has_child && at != known.names.end()) known.names.erase(at);
  if (has_child && at == known.names.end() && !account_id.empty()) {
    known.names.emplace_back(domain::ScopeRef{}, account_id);
  }
}

}  // namespace

ChangeSubject::ChangeSubject(Core& core, size_t max_in_flight) : core_(core), max_in_flight_(max_in_flight) {}

void ChangeSubject::Submit(ChangeRequest request, ChangeDone done) {
  if (!core_.ready.load(std::memory_order_acquire)) {
    done(wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping"));
    return;
  }
  auto work = std::make_shared<Work>();
  work->request = std::move(request);
  work->done = std::move(done);
  const size_t most = IsRestriction(work->request) ? max_in_flight_ : max_in_flight_ - max_in_flight_ / kReserved;
  const bool room = in_flight_.fetch_add(1, std::memory_order_relaxed) < most;
  if (room && core_.writers.Post([this, work] { Start(work); })) return;
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  work->done(Overloaded());
}

void ChangeSubject::Start(const WorkPtr& work) {
  std::function<void()> next = [this, work] { Attempt(work); };
  if (turns_.Take(work->request.subject, next)) Attempt(work);
}

void ChangeSubject::Attempt(const WorkPtr& work) {
  ++work->attempts;
  if (!Prepare(*work)) {
    work->forward ? Forward(work) : Finish(work);
    return;
  }
  const base::SubjectHandle subject = work->request.subject;
  std::vector<store::Precondition> preconditions;
  std::optional<std::string> expected;
  if (work->before.found) expected = EncodeSubjectRow(subject, work->before.bytes);
  preconditions.push_back({store::Table::kSubject, core_.SubjectKey(subject), std::move(expected), work->seen});
  if (!work->request_key.empty()) {
    preconditions.push_back({store::Table::kRequest, work->request_key, work->request_row, work->seen});
  }
  if (work->needs_policy) {
    preconditions.push_back({store::Table::kPolicy, std::string(kCurrentPolicyKey),
                             EncodeCurrentPolicy({work->policy.activated_at, false}), work->seen});
  }
  work->request.hook->AddPreconditions(preconditions);
  core_.store.Commit(
      core_.PartitionOf(subject), std::move(preconditions),
      [this, work](const store::Stamp& stamp) { return Build(*work, stamp); },
      [this, work](const store::CommitResult& result) { Committed(work, result); });
}

bool ChangeSubject::IsForward(Work& work) const {
  work.forward.reset();
  const domain::SubjectFacts& facts = work.before.facts;
  if (facts.join != domain::JoinState::kAlias || work.request.retarget == nullptr) return false;
  absl::StatusOr<Payload> names = LoadNames(core_, work.request.subject);
  if (!names.ok()) {
    work.reply = names.status();
    return true;
  }
  if (++work.forwarded > domain::kMaxJoinedFrom) {
    work.reply = wire::MakeError(v1::ERROR_REASON_INTERNAL, "an account's aliases are too many");
    return true;
  }
  // A restore perhaps lost the id: it is said to that account all the same.
  work.forward.emplace(facts.joined_into, std::string());
  for (auto& [account, id] : names->accounts) {
    if (account == facts.joined_into) work.forward->second = std::move(id);
  }
  return true;
}

void ChangeSubject::Forward(const WorkPtr& work) {
  std::function<void()> next = turns_.Pass(work->request.subject);
  if (next != nullptr && !core_.writers.Post(next)) next();
  ChangeRequest& request = work->request;
  std::tie(request.subject, request.account_id) = *std::move(work->forward);
  request.payload.account_id = request.account_id;
  if (request.command.expected_revision) {
    const bool ours = request.etag && request.etag->partition == core_.PartitionOf(request.subject);
    request.command.expected_revision = ours ? request.etag->sequence : kStaleEtag;
  }
  request.retarget(request);
  work->forward.reset();
  work->request_key.clear();
  work->request_row.reset();
  Start(work);
}

// All that may block or cost is done here, on a pool thread, before the commit takes its place in the order.
bool ChangeSubject::Prepare(Work& work) const {
  const ChangeRequest& request = work.request;
  const store::Partition partition = core_.PartitionOf(request.subject);
  work.seen = core_.store.GetReadVersion(partition);
  work.policy = core_.policies.in_force();
  work.policy_changing = core_.partition_policies.Current(partition) != CurrentPolicy{work.policy.activated_at, false};
  if (IsAnsweredBefore(work)) return false;
  absl::StatusOr<StoredFacts> before = LoadFacts(core_, request.subject);
  if (!before.ok()) {
    work.reply = before.status();
    return false;
  }
  work.before = *std::move(before);
  if (IsForward(work) || IsClosed(work)) return false;
  const absl::Status read =
      ReadRefusedAgain(core_, request.subject, work.before.facts, *work.policy.rules, &work.request.command);
  if (!read.ok()) {
    work.reply = read;
    return false;
  }
  if (!PrepareHook(work)) return false;
  // A consent has this very policy for a precondition (`needs_policy`), so what is sealed is what it is given under.
  work.request.payload.shown = domain::ShownBy(request.command, *work.policy.rules);
  const absl::Status sealed = PreparePayload(work);
  if (!sealed.ok()) work.reply = sealed;
  return sealed.ok();
}

bool ChangeSubject::IsAnsweredBefore(Work& work) const {
  const ChangeRequest& request = work.request;
  if (request.request_id.empty() || request.validate_only) return false;
  if (work.request_key.empty()) {
    const std::string named = request.caller.identity + '\0' + request.request_id;
    work.request_key = std::string(base::View(core_.keys.DiskHash("request", named)));
  }
  const store::Partition partition = core_.PartitionOf(request.subject);
  absl::StatusOr<std::string> stored = core_.store.Get(partition, store::Table::kRequest, work.request_key);
  work.request_row.reset();
  if (absl::IsNotFound(stored.status())) return false;
  RequestRow row;
  if (!stored.ok() || !DecodeRequestRow(*stored, &row)) {
    work.reply = StoreUnreadable();
    return true;
  }
  if (row.time + kRequestLifetime < core_.Now()) {
    work.request_row = *std::move(stored);
    return false;
  }
  if (row.body != BodyOf(request) && Restricts(request)) {
    // A no counts whatever else cannot be used.
    work.request_id_was_used = true;
    work.request.command.unusable = "request_id: was used within 72 hours with another body";
    work.request.create_new = false;
    work.request_key.clear();
    return false;
  }
  if (row.body != BodyOf(request)) {
    work.reply = RequestIdReused();
    return true;
  }
  const auto feed = core_.store.FeedAt(partition, row.sequence);
  if (feed.ok() && feed->erased) {
    work.reply = wire::MakeError(
        v1::ERROR_REASON_ACCOUNT_CLOSED,
        "the request was done; the account has been closed since, and what was answered is erased with it");
    return true;
  }
  work.reply = feed.ok() ? ReplyFromRow(partition, *feed, request) : absl::StatusOr<ChangeReply>(StoreUnreadable());
  return true;
}

// Tries the command, so that one of which nothing would apply costs no commit, and asks the part what it adds.
bool ChangeSubject::PrepareHook(Work& work) const {
  const base::Now now = core_.Present();
  const domain::Moment moment{now.latest, work.before.facts.revision + 1, now, work.policy_changing};
  const domain::Transition trial = domain::Apply(work.before.facts, work.request.command, moment, *work.policy.rules);
  if (work.request.validate_only) {
    ChangeReply tried;
    tried.revision = Revision{core_.PartitionOf(work.request.subject), work.before.facts.revision};
    tried.registered_now = trial.registered_now;
    TellOfFacts(trial.after, work.request.command, !work.before.found, tried);
    tried.parts = trial.parts;
    tried.changes = trial.changes;
    KeepFacts(trial.after, work.request, tried);
    work.reply = std::move(tried);
    return false;
  }
  work.needs_policy = trial.needs_policy && !work.policy_changing;
  if (!trial.AnyApplied()) {
    work.reply = work.request_id_was_used ? RequestIdReused() : FirstRefusal(trial.parts, work.request);
    return false;
  }
  work.guardian_leaves = AGuardianLeaves(work.before.facts, trial.after);
  const Payload& payload = work.request.payload;
  if (work.guardian_leaves || NamesAnybody(payload)) work.after = trial.after;
  const absl::StatusOr<ChangeHook::Prepared> prepared =
      work.request.hook->Prepare(core_, HookInput{work.before, trial, moment});
  if (!prepared.ok()) {
    work.reply = prepared.status();
    return false;
  }
  if (*prepared == ChangeHook::Prepared::kGoOn) return true;
  ChangeReply reply;
  reply.account_closed = IsClosedFor(work.before.facts);
  reply.unusable = work.request.command.unusable;
  reply.revision = Revision{core_.PartitionOf(work.request.subject), work.before.facts.revision};
  work.reply = std::move(reply);
  return false;
}

base::Bytes16 ChangeSubject::BodyOf(const ChangeRequest& request) const {
  return core_.keys.DiskHash("body", base::View(request.body_hash));
}

absl::Status ChangeSubject::PreparePayload(Work& work) const {
  const ChangeRequest& request = work.request;
  base::Digest key{};
  work.share.clear();  // of an attempt that found no subject yet: writing it now would replace the key that is in use
  const bool has_key = work.before.found && !work.new_incarnation;
  if (has_key && domain::IsForgotten(work.before.facts)) {
    // A forgotten account has no key, and gets none: who said no to it, and in what words, is not kept.
    work.names_row.clear();
    core_.random.Fill(key.data(), key.size());
    work.sealed = SealPayload(key, request.payload, request.subject, core_.random, &work.commitment);
    return absl::OkStatus();
  }
  if (has_key) {
    const auto stored = PayloadKeyOf(core_, request.subject);
    if (!stored.ok()) return stored.status();
    key = *stored;
  } else {
    base::PayloadKey fresh = core_.shares.NewPayloadKey(request.subject, core_.random);
    work.share = std::move(fresh.share);
    key = fresh.key;
  }
  work.sealed = SealPayload(key, request.payload, request.subject, core_.random, &work.commitment);
  if (!NamesAnybody(request.payload) && !work.guardian_leaves) return absl::OkStatus();
  Payload known;
  if (has_key) {
    absl::StatusOr<Payload> opened = LoadNames(core_, request.subject);
    if (!opened.ok()) return opened.status();
    known = *std::move(opened);
  }
  MergeNames(request.payload, known);
  NameAccount(work.after, request.account_id, known);
  // Names of scopes that are gone go too; those of this request are not in the facts yet.
  const auto gone = [&](const std::pair<domain::ScopeRef, std::string>& name) {
    const auto named_now = [&](const auto& other) { return other.first == name.first; };
    const domain::ScopeFacts* scope = work.before.facts.Find(name.first.kind, name.first.handle);
    return (scope == nullptr || scope->IsNothingButRemoved()) &&
           std::none_of(request.payload.names.begin(), request.payload.names.end(), named_now);
  };
  known.names.erase(std::remove_if(known.names.begin(), known.names.end(), gone), known.names.end());
  const auto left = [&](const auto& guardian) { return !IsGuardianIn(work.after, guardian.first); };
  known.guardians.erase(std::remove_if(known.guardians.begin(), known.guardians.end(), left), known.guardians.end());
  base::Digest unused{};
  work.names_row = SealPayload(key, known, request.subject, core_.random, &unused);
  return absl::OkStatus();
}

// On the committer's thread: the transition under the rules in force at this very place in the order, and the rows that
// say so.
store::Change ChangeSubject::Build(Work& work, const store::Stamp& stamp) const {
  const ChangeRequest& request = work.request;
  // What loosens holds under the very version that is the precondition; a restriction under the newest that is known.
  const PolicyBook::InForce newest = core_.policies.in_force();
  const bool is_newest = newest.activated_at == work.policy.activated_at;
  const std::shared_ptr<const domain::Rules> rules = work.needs_policy && !is_newest ? work.policy.rules : newest.rules;
  const domain::Moment moment{stamp.time, stamp.sequence, core_.Present(), !work.needs_policy};
  domain::Transition transition = domain::Apply(work.before.facts, request.command, moment, *rules);

  const std::string key = core_.SubjectKey(request.subject);
  store::Change change;
  ChangeReply reply;
  HookOutput output{moment, transition, change.writes};
  request.hook->Build(core_, stamp, output);
  reply.flags = output.flags;
  if (IsNewlyRestricted(request, work.before.facts, transition)) transition.after.restricted = stamp.sequence;
  std::string facts_after;
  domain::EncodeFacts(transition.after, &facts_after);
  change.writes.push_back({store::Table::kSubject, key, EncodeSubjectRow(request.subject, facts_after)});
  for (const UsageMark mark : NewMarks(core_, core_.PartitionOf(request.subject), transition.after)) {
    change.writes.push_back(PutMark(mark));
  }
  if (!work.share.empty()) change.writes.push_back(PutShare(core_, request.subject, key, work.share));
  if (!work.names_row.empty()) change.writes.push_back({store::Table::kNames, key, work.names_row});
  if (!work.request_key.empty()) {
    const RequestRow row{stamp.time, stamp.sequence, BodyOf(request)};
    change.writes.push_back({store::Table::kRequest, work.request_key, EncodeRequestRow(row)});
  }

  ChangeRow row;
  row.kind = request.kind;
  row.previous = work.new_incarnation ? 0 : work.before.facts.revision;
  row.policy_version = rules->version;
  row.channel = request.command.proof.channel;
  row.registered_now = transition.registered_now;
  row.flags = reply.flags;
  row.parts = transition.parts;
  row.changes = transition.changes;
  row.facts = std::move(facts_after);
  row.sealed = work.sealed;
  change.event.subject = std::string(base::View(request.subject.bytes));
  change.event.body = EncodeChangeRow(row);
  change.event.commitment = work.commitment;

  reply.registered_now = transition.registered_now;
  TellOfFacts(transition.after, request.command, row.previous == 0, reply);
  reply.parts = std::move(transition.parts);
  reply.changes = std::move(transition.changes);
  KeepFacts(std::move(transition.after), request, reply);
  work.reply = std::move(reply);
  return change;
}

void ChangeSubject::Committed(const WorkPtr& work, const store::CommitResult& result) {
  switch (result.outcome) {
    case store::Outcome::kCommitted:
      work->reply->revision = Revision{core_.PartitionOf(work->request.subject), result.stamp.sequence};
      if (NothingApplied(work->reply->parts)) work->reply = FirstRefusal(work->reply->parts, work->request);
      break;
    case store::Outcome::kConflict:
      if (MayTryAgain(work->attempts, work->request.is_awaited) &&
          core_.writers.Post([this, work] { Attempt(work); })) {
        return;
      }
      work->reply = wire::MakeError(v1::ERROR_REASON_CONTENTION,
                                    "concurrent changes won every time: repeat the call; nothing was written");
      break;
    case store::Outcome::kRetry:
      work->reply = Overloaded();
      break;
    case store::Outcome::kTooLarge:
      work->reply = wire::MakeError(v1::ERROR_REASON_SUBJECT_FULL, "the change is too large; nothing was written");
      break;
    case store::Outcome::kClosed:
      work->reply = wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is stopping; nothing was written");
      break;
    case store::Outcome::kUnknown:
      work->reply = wire::MakeError(
          v1::ERROR_REASON_OUTCOME_UNKNOWN,
          "the store failed while writing: repeat with the same request_id after the daemon has restarted");
      break;
  }
  // The committer does not wait for replies to be written; if the pool is full it must.
  if (!core_.writers.Post([this, work] { Finish(work); })) Finish(work);
}

void ChangeSubject::Finish(const WorkPtr& work) {
  std::function<void()> next = turns_.Pass(work->request.subject);
  if (next != nullptr && !core_.writers.Post(next)) next();
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  work->done(std::move(work->reply));
}

}  // namespace consent::service
