#include "daemon/service/deletion/deletions.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "daemon/service/deletion/deletion_hooks.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

bool Matches(const DeletionFilter& filter, const domain::DeletionRequest& request) {
  if (filter.due_before.IsSet() && !(domain::IsOpen(request.state) && request.due_at < filter.due_before)) return false;
  if (request.received_at < filter.received_from) return false;
  if (filter.received_before.IsSet() && !(request.received_at < filter.received_before)) return false;
  if (filter.has_open_appeal && domain::OpenAppeal(request.appeals) == nullptr) return false;
  const bool of_cause = filter.causes.empty() ||
                        std::find(filter.causes.begin(), filter.causes.end(), request.cause) != filter.causes.end();
  if (!of_cause) return false;
  return filter.states.empty() ||
         std::find(filter.states.begin(), filter.states.end(), request.state) != filter.states.end();
}

}  // namespace

Deletions::Deletions(Core& core, ChangeSubject& changes) : core_(core), changes_(changes) {}

struct Deletions::Joint {
  ChangeRequest change;
  NewDeletion deletion;
  Created created;  // of the account that was named
  std::vector<std::pair<base::SubjectHandle, std::string>> others;
  CreateDone done;
};

void Deletions::Create(ChangeRequest change, NewDeletion deletion, CreateDone done) {
  auto joint = std::make_shared<Joint>(Joint{change, deletion, {}, {}, std::move(done)});
  CreateOne(std::move(change), std::move(deletion), [this, joint](absl::StatusOr<Created> created) {
    if (!created.ok()) return joint->done(std::move(created));
    joint->created = *std::move(created);
    auto others = JoinedWith(core_, joint->change.subject);
    if (!others.ok()) return joint->done(others.status());
    joint->others = *std::move(others);
    CreateNext(joint);
  });
}

void Deletions::CreateNext(const std::shared_ptr<Joint>& joint) {
  if (joint->others.empty()) return joint->done(std::move(joint->created));
  ChangeRequest change = joint->change;
  NewDeletion deletion = joint->deletion;
  std::tie(change.subject, change.account_id) = std::move(joint->others.back());
  joint->others.pop_back();
  // Two accounts may lie in one partition, and each is answered by itself.
  if (!change.request_id.empty()) change.request_id.append(base::View(change.subject.bytes));
  change.payload.account_id = deletion.payload.account_id = change.account_id;
  CreateOne(std::move(change), std::move(deletion), [this, joint](const absl::StatusOr<Created>& created) {
    created.ok() ? CreateNext(joint) : joint->done(created.status());
  });
}

void Deletions::CreateOne(ChangeRequest change, NewDeletion deletion, CreateDone done) {
  const domain::DeletionState begins_as = deletion.state;
  const auto hook = std::make_shared<CreateDeletionHook>(change.subject, std::move(deletion));
  const store::Partition partition = core_.PartitionOf(change.subject);
  change.kind = ChangeKind::kDeletionReceived;
  change.hook = hook;
  // What a step that follows is asked with: it is the same act, so it needs no request_id.
  ChangeRequest further = change;
  further.request_id.clear();
  changes_.Submit(std::move(change), [this, hook, partition, begins_as, further = std::move(further),
                                      done = std::move(done)](absl::StatusOr<ChangeReply> reply) mutable {
    if (!reply.ok()) return done(std::move(reply).status());
    Created created;
    created.revision = reply->revision;
    created.account_closed = reply->account_closed;
    created.subject_is_new = reply->subject_is_new;
    created.unusable = reply->unusable;
    created.place = DeletionPlace{partition, hook->found()};
    if (created.place.number == 0) {
      // The reply's revision is the commit that received the request, also where the reply is that of a repetition.
      created.place.number = NumberOf(reply->revision.sequence);
      created.created = true;
    }
    // A repetition may be stronger than the first request, which is then what is verified.
    const bool goes_on = begins_as != domain::DeletionState::kReceived && (!created.created || hook->more_within());
    if (!goes_on) return done(std::move(created));
    const DeletionStep step = domain::IsVerified(begins_as) ? DeletionStep::kVerify : DeletionStep::kBeginVerification;
    const DeletionPlace place = created.place;
    Step(std::move(further), place, {step},
         [done = std::move(done), created = std::move(created)](const absl::StatusOr<Stepped>& stepped) mutable {
           stepped.ok() ? done(std::move(created)) : done(stepped.status());
         });
  });
}

void Deletions::Step(ChangeRequest change, DeletionPlace place, domain::StepCommand step, StepDone done) {
  absl::StatusOr<DeletionRow> row = LoadDeletion(core_, place);
  if (!row.ok()) return done(std::move(row).status());
  change.subject = row->request.subject;
  change.kind = KindOf(step.step);
  const auto hook = std::make_shared<DeletionStepHook>(change.subject, place, step, change.command);
  change.hook = hook;
  ChangeRequest further = change;
  further.request_id.clear();
  changes_.Submit(std::move(change), [this, hook, place, step = std::move(step), further = std::move(further),
                                      done = std::move(done)](absl::StatusOr<ChangeReply> reply) mutable {
    if (!reply.ok()) return done(std::move(reply).status());
    if (!hook->more_within()) return done(Stepped{hook->already()});
    Step(std::move(further), place, std::move(step), std::move(done));
  });
}

absl::StatusOr<DeletionPlace> Deletions::Find(const std::optional<base::DeletionId>& id) const {
  return id.has_value() ? FindDeletion(core_, *id) : NoSuchDeletion();
}

absl::StatusOr<DeletionView> Deletions::Get(DeletionPlace place) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  absl::StatusOr<DeletionRow> row = LoadDeletion(core_, place);
  if (!row.ok()) return row.status();
  return View(place, *std::move(row));
}

absl::StatusOr<DeletionView> Deletions::View(DeletionPlace place, DeletionRow row) const {
  DeletionView view;
  view.place = place;
  if (!row.sealed.empty()) {
    absl::StatusOr<DeletionPayload> payload = OpenDeletion(core_, place, row);
    // It may have ended, and its key gone, since the row was read.
    if (!payload.ok() && !absl::IsNotFound(payload.status())) return payload.status();
    if (payload.ok()) view.payload = *std::move(payload);
  }
  view.request = std::move(row.request);
  const absl::StatusOr<domain::OnHold> on_hold = HoldOn(view.request);
  if (!on_hold.ok()) return on_hold.status();
  view.on_hold = *on_hold;
  return view;
}

absl::StatusOr<bool> Deletions::IsOnHold(DeletionPlace place) const {
  const absl::StatusOr<DeletionRow> row = LoadDeletion(core_, place);
  if (!row.ok()) return row.status();
  const absl::StatusOr<domain::OnHold> on_hold = HoldOn(row->request);
  if (!on_hold.ok()) return on_hold.status();
  return *on_hold != domain::OnHold::kNo;
}

absl::StatusOr<domain::OnHold> Deletions::HoldOn(const domain::DeletionRequest& request) const {
  if (!domain::IsOpen(request.state)) return domain::OnHold::kNo;
  const auto facts = LoadFacts(core_, request.subject);
  if (!facts.ok()) return facts.status();
  const auto holds = LoadHoldsOfGroup(core_, request.subject, facts->facts);
  if (!holds.ok()) return holds.status();
  const Overlap overlap = OverlapOf(*holds, request.selector);
  if (overlap.by_law) return domain::OnHold::kByLaw;
  return overlap.any ? domain::OnHold::kForSafety : domain::OnHold::kNo;
}

absl::StatusOr<DeletionPage> Deletions::List(const DeletionFilter& filter, size_t limit, DeletionPlace from) const {
  DeletionPage page;
  std::vector<DeletionPlace> found;
  size_t looked_at = 0;
  const auto consider = [&](DeletionPlace place) {
    if (found.size() >= kMaxRowsPerPage || looked_at++ >= kMaxRowsPerPage) {
      page.next = place;
      return false;
    }
    found.push_back(place);
    return true;
  };
  const store::Partition first = filter.subject ? core_.PartitionOf(*filter.subject) : from.partition;
  for (store::Partition partition = first; partition.number < core_.store.partition_count(); ++partition.number) {
    const DeletionNumber begin = partition == from.partition ? from.number : 0;
    const store::Table table = filter.subject ? store::Table::kDeletionBySubject : store::Table::kDeletion;
    const std::string start = filter.subject ? DeletionBySubjectKey(core_, *filter.subject, begin) : DeletionKey(begin);
    const std::string end = filter.subject ? DeletionBySubjectKey(core_, *filter.subject, UINT64_MAX) : std::string();
    const absl::Status scanned = core_.store.Scan(partition, table, start, end, kMaxRowsPerPage + 1,
                                                  [&](std::string_view key, std::string_view) {
                                                    return consider(DeletionPlace{partition, NumberOfKey(key)});
                                                  });
    if (!scanned.ok()) return StoreUnreadable();
    if (page.next.has_value() || filter.subject) break;
  }
  for (const DeletionPlace& place : found) {
    if (page.requests.size() >= limit) {
      page.next = place;
      break;
    }
    absl::StatusOr<DeletionRow> row = LoadDeletion(core_, place);
    if (!row.ok()) return row.status();
    if (!Matches(filter, row->request)) continue;  // before anything is unsealed
    absl::StatusOr<DeletionView> view = View(place, *std::move(row));
    if (!view.ok()) return view.status();
    page.requests.push_back(*std::move(view));
  }
  return page;
}

}  // namespace consent::service
