#include "daemon/service/subject/join_subjects.h"

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "daemon/service/commit/retry.h"
#include "daemon/service/deletion/group_holds.h"
#include "daemon/service/deletion/withdrawal_follow_ups.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using domain::JoinState;
using domain::JoinStep;

// Beside the record, requests for what the change ends; nothing is written where the step was done before, but ids of
// joined accounts that a restore lost.
class JoinHook final : public ChangeHook {
 public:
  explicit JoinHook(const ChangeRequest& request)
      : follow_ups_(request.subject, request.account_id, request.payload.names),
        subject_(request.subject),
        accounts_(request.payload.accounts) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override {
    const bool changes = !input.trial.parts.empty() && input.trial.parts.back().changed;
    if (changes) return follow_ups_.Prepare(core, input);
    const absl::StatusOr<Payload> known = LoadNames(core, subject_);
    if (!known.ok()) return known.status();
    const bool knows_all = std::all_of(accounts_.begin(), accounts_.end(), [&](const auto& account) {
      return std::find(known->accounts.begin(), known->accounts.end(), account) != known->accounts.end();
    });
    return knows_all ? Prepared::kAnswered : Prepared::kGoOn;
  }
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    follow_ups_.AddPreconditions(preconditions);
  }
  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override {
    follow_ups_.Build(core, stamp, out);
  }

 private:
  WithdrawalFollowUps follow_ups_;
  const base::SubjectHandle subject_;
  const std::vector<std::pair<base::SubjectHandle, std::string>> accounts_;
};

absl::Status AccountJoined(const char* whose) {
  return wire::MakeError(v1::ERROR_REASON_ACCOUNT_JOINED,
                         std::string(whose) + " is another account's alias, or is being joined into another account");
}

bool IsReason(const absl::Status& status, v1::ErrorReason reason) {
  return !status.ok() && wire::DetailOf(status).reason == reason;
}

// More registered scopes of a kind than one account may have.
bool HasTooMany(const domain::SubjectFacts& a, const domain::SubjectFacts& b, domain::ScopeKind kind) {
  const auto counts = [&](const domain::ScopeFacts& scope) { return scope.kind == kind && scope.registered; };
  const auto is_new = [&](const domain::ScopeFacts& scope) {
    return counts(scope) && a.Find(kind, scope.handle) == nullptr;
  };
  const auto all =
      std::count_if(a.scopes.begin(), a.scopes.end(), counts) + std::count_if(b.scopes.begin(), b.scopes.end(), is_new);
  return static_cast<size_t>(all) > domain::kMaxProfiles;
}

// How many accounts would then have been joined into `into`, those that were joined into `from` included.
size_t JoinedInAll(const domain::SubjectFacts& into, base::SubjectHandle from, const domain::SubjectFacts& of_from) {
  std::set<base::SubjectHandle> all = {from};
  for (const auto* joined : {&into.joined_from, &of_from.joined_from}) {
    for (const domain::JoinedFrom& one : *joined) all.insert(one.subject);
  }
  return all.size();
}

}  // namespace

struct JoinSubjects::Work {
  ChangeRequest from;  // as it was asked for
  base::SubjectHandle into;
  std::string into_account_id;
  bool is_new = false;
  JoinDone done;
  int attempts = 0;
  Joined joined;
};

absl::Status JoinSubjects::MayBegin(const JoinRequest& request) const {
  const absl::StatusOr<StoredFacts> from = LoadFacts(core_, request.from.subject);
  if (!from.ok()) return from.status();
  const absl::StatusOr<StoredFacts> into = LoadFacts(core_, request.into);
  if (!into.ok()) return into.status();
  // It was begun, so the other one was looked at.
  if (from->facts.join != JoinState::kNone) {
    return from->facts.joined_into == request.into ? absl::OkStatus() : AccountJoined("from_account_id");
  }
  if (into->facts.closed_at.IsSet()) {
    return wire::MakeError(v1::ERROR_REASON_ACCOUNT_CLOSED,
                           "into_account_id is closed, or was and began again: what was recorded before would be taken "
                           "for the closed account's. Join into another id");
  }
  if (into->facts.join != JoinState::kNone) return AccountJoined("into_account_id");
  if (JoinedInAll(into->facts, request.from.subject, from->facts) > domain::kMaxJoinedFrom) {
    return wire::MakeError(
        v1::ERROR_REASON_SUBJECT_FULL,
        "as many accounts as may be have been joined into this one, those that were joined into them "
        "included: none can be joined with it any more",
        {{"limit", std::to_string(domain::kMaxJoinedFrom)}});
  }
  if (request.into_is_new) {
    if (!into->found) return absl::OkStatus();
    return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH,
                           "into_is_new, but something is stored of into_account_id: read it, and send its etag");
  }
  if (!into->found) {
    return wire::MakeError(v1::ERROR_REASON_SUBJECT_NOT_FOUND,
                           "nothing is known of into_account_id: say into_is_new to rename the account into it");
  }
  if (request.into_etag != Revision{core_.PartitionOf(request.into), into->facts.revision}) {
    return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH,
                           "into_etag is not into_account_id's current one: something changed since; read it again");
  }
  for (const domain::ScopeKind kind : {domain::ScopeKind::kProfile, domain::ScopeKind::kDevice}) {
    if (!HasTooMany(into->facts, from->facts, kind)) continue;
    return wire::MakeError(v1::ERROR_REASON_SUBJECT_FULL,
                           "both accounts together have more profiles or devices than one may have",
                           {{"limit", std::to_string(domain::kMaxProfiles)}});
  }
  return absl::OkStatus();
}

void JoinSubjects::Join(JoinRequest request, JoinDone done) {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return done(wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping"));
  }
  if (absl::Status may = MayBegin(request); !may.ok()) return done(std::move(may));
  auto work = std::make_shared<Work>();
  work->from = std::move(request.from);
  work->into = request.into;
  work->into_account_id = std::move(request.into_account_id);
  work->is_new = request.into_is_new;
  work->done = std::move(done);
  Begin(work);
}

ChangeRequest JoinSubjects::Step(const Work& work, bool of_into, domain::JoinCommand join) {
  ChangeRequest request;
  request.caller = work.from.caller;
  request.subject = of_into ? work.into : work.from.subject;
  request.account_id = of_into ? work.into_account_id : work.from.account_id;
  request.kind = ChangeKind::kJoined;
  request.command.proof.channel = work.from.command.proof.channel;
  request.command.proof.actor = work.from.command.proof.actor;
  request.command.join = std::move(join);
  request.payload.caller = work.from.payload.caller;
  request.payload.account_id = request.account_id;
  request.payload.evidence = work.from.payload.evidence;
  return request;
}

void JoinSubjects::Begin(const WorkPtr& work) {
  ChangeRequest request = work->from;
  request.kind = ChangeKind::kJoined;
  request.command.join = domain::JoinCommand{JoinStep::kBegin, work->into, work->is_new, nullptr};
  // Both ids, sealed: whoever ends what was begun has to tell data systems of both.
  request.payload.accounts = {{work->into, work->into_account_id}, {request.subject, request.account_id}};
  request.hook = std::make_shared<JoinHook>(request);
  changes_.Submit(std::move(request), [this, work](const absl::StatusOr<ChangeReply>& reply) {
    reply.ok() ? Take(work) : work->done(reply.status());
  });
}

// The other account becomes what both together allow.
void JoinSubjects::Take(const WorkPtr& work) {
  const absl::StatusOr<StoredFacts> from = LoadFacts(core_, work->from.subject);
  if (!from.ok()) return work->done(from.status());
  if (from->facts.joined_into != work->into || from->facts.join == JoinState::kNone) {
    return work->done(wire::MakeError(v1::ERROR_REASON_CONTENTION, "the join was given up meanwhile: repeat the call"));
  }
  if (from->facts.join == JoinState::kAlias) {
    return NameAlias(work);
  }
  // A closure that came between is of this account alone.
  if (from->facts.closed_at.IsSet() && !from->facts.reopened_at.IsSet()) {
    return GiveUp(work, wire::MakeError(v1::ERROR_REASON_ACCOUNT_CLOSED,
                                        "from_account_id was closed meanwhile: it is joined into nothing"));
  }
  if (++work->attempts > kMaxCommitAttempts) {
    return work->done(wire::MakeError(v1::ERROR_REASON_CONTENTION,
                                      "from_account_id changed each time it was taken: the join goes on by itself"));
  }
  work->is_new = from->facts.join == JoinState::kRenaming;
  absl::StatusOr<Payload> names = LoadNames(core_, work->from.subject);
  if (!names.ok()) return work->done(names.status());
  ChangeRequest request =
      Step(*work, true,
           {JoinStep::kTake, work->from.subject, work->is_new, std::make_shared<domain::SubjectFacts>(from->facts)});
  request.payload.guardians = std::move(names->guardians);
  for (auto& name : names->names) {
    if (name.first.kind != domain::ScopeKind::kAccount) request.payload.names.push_back(std::move(name));
  }
  for (auto& account : names->accounts) {
    if (account.first != work->into) request.payload.accounts.push_back(std::move(account));
  }
  request.hook = std::make_shared<JoinHook>(request);
  changes_.Submit(std::move(request), [this, work](const absl::StatusOr<ChangeReply>& reply) {
    if (reply.ok()) {
      work->joined.revision = reply->revision;
      return Tell(work);
    }
    const bool never = IsReason(reply.status(), v1::ERROR_REASON_ACCOUNT_CLOSED) ||
                       IsReason(reply.status(), v1::ERROR_REASON_ACCOUNT_JOINED) ||
                       IsReason(reply.status(), v1::ERROR_REASON_SUBJECT_FULL);
    never ? GiveUp(work, reply.status()) : work->done(reply.status());
  });
}

// It was so before: its id may have been lost by a restore, and is known again.
void JoinSubjects::NameAlias(const WorkPtr& work) {
  ChangeRequest request = Step(*work, true, {});
  request.command.join.reset();
  if (!work->from.account_id.empty()) request.payload.accounts = {{work->from.subject, work->from.account_id}};
  request.hook = std::make_shared<JoinHook>(request);
  changes_.Submit(std::move(request), [work](const absl::StatusOr<ChangeReply>& reply) {
    if (!reply.ok()) return work->done(reply.status());
    work->done(Joined{reply->revision, work->attempts == 0});
  });
}

// What was joined into the other one before is told where something is on hold: it holds what all of them have.
void JoinSubjects::Tell(const WorkPtr& work) {
  const absl::StatusOr<StoredFacts> into = LoadFacts(core_, work->into);
  if (!into.ok()) return work->done(into.status());
  const auto holds = LoadHoldsOfGroup(core_, work->into, into->facts);
  if (!holds.ok()) return work->done(holds.status());
  absl::StatusOr<std::vector<base::SubjectHandle>> others = GroupOf(core_, work->into);
  if (!others.ok()) return work->done(others.status());
  others->erase(std::remove(others->begin(), others->end(), work->from.subject), others->end());
  if (holds->empty() || others->empty()) return End(work);
  const ChangeRequest like = Step(*work, true, {});
  TellOfHolds(changes_, *std::move(others), like,
              [this, work](const absl::Status& told) { told.ok() ? End(work) : work->done(told); });
}

// The first becomes an alias, if nothing of it is newer than what was taken.
void JoinSubjects::End(const WorkPtr& work) {
  const absl::StatusOr<StoredFacts> into = LoadFacts(core_, work->into);
  if (!into.ok()) return work->done(into.status());
  const auto& all = into->facts.joined_from;
  const auto taken = std::find_if(all.begin(), all.end(),
                                  [&](const domain::JoinedFrom& one) { return one.subject == work->from.subject; });
  if (taken == all.end()) return Take(work);
  ChangeRequest request =
      Step(*work, false, {JoinStep::kEnd, work->into, false, std::make_shared<domain::SubjectFacts>(into->facts)});
  request.command.expected_revision = taken->revision;
  request.hook = std::make_shared<JoinHook>(request);
  changes_.Submit(std::move(request), [this, work](const absl::StatusOr<ChangeReply>& reply) {
    if (reply.ok()) return work->done(work->joined);
    IsReason(reply.status(), v1::ERROR_REASON_ETAG_MISMATCH) ? Take(work) : work->done(reply.status());
  });
}

void JoinSubjects::GiveUp(const WorkPtr& work, const absl::Status& why) {
  ChangeRequest request = Step(*work, false, {JoinStep::kGiveUp, work->into, false, nullptr});
  request.hook = std::make_shared<JoinHook>(request);
  changes_.Submit(std::move(request), [work, why](const absl::StatusOr<ChangeReply>& reply) {
    work->done(reply.ok() ? why : reply.status());
  });
}

absl::Status JoinSubjects::FinishOpen() {
  absl::Status first;
  for (const base::SubjectHandle subject : core_.joins.All()) {
    const absl::StatusOr<StoredFacts> from = LoadFacts(core_, subject);
    const absl::StatusOr<Payload> names = from.ok() ? LoadNames(core_, subject) : from.status();
    if (!names.ok()) {
      first.Update(names.status());
      continue;
    }
    if (!domain::IsJoining(from->facts.join)) continue;
    auto work = std::make_shared<Work>();
    work->into = from->facts.joined_into;
    work->from.subject = subject;
    for (const auto& [account, id] : names->accounts) {
      if (account == work->into) work->into_account_id = id;
      if (account == subject) work->from.account_id = id;
    }
    work->from.command.proof.channel = domain::Channel::kSystem;
    work->from.command.proof.actor = domain::Actor::kSystem;
    work->from.payload.caller = work->from.caller.identity;
    std::promise<absl::Status> ended;
    work->done = [&ended](const absl::StatusOr<Joined>& joined) { ended.set_value(joined.status()); };
    Take(work);
    const absl::Status status = ended.get_future().get();
    // Given up is an end.
    if (core_.joins.IsOpen(subject)) first.Update(status);
  }
  return first;
}

}  // namespace consent::service
