#include "daemon/service/deletion/group_holds.h"

#include <memory>
#include <utility>
#include <vector>

#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

class HoldsChangedHook final : public ChangeHook {
 public:
  absl::StatusOr<Prepared> Prepare(const Core&, const HookInput&) override { return Prepared::kGoOn; }
  void Build(const Core&, const store::Stamp& stamp, HookOutput& out) override {
    out.transition.after.holds_changed = stamp.sequence;
  }
};

struct Telling {
  ChangeSubject& changes;
  ChangeRequest like;
  std::vector<base::SubjectHandle> others;
  std::function<void(absl::Status)> done;
};

// What is out of the tasks of `subject` although `hold`, which came at `placed` of its partition, takes it back.
absl::Status AddLeasesOut(const Core& core, base::SubjectHandle subject, store::Sequence placed,
                          const domain::HeldPart& held, std::vector<LeaseOut>* out) {
  const auto open = LoadOpenDeletions(core, subject);
  if (!open.ok()) return open.status();
  const base::Instant now = core.Now();
  for (const auto& [place, request] : *open) {
    if (!domain::MayOverlap(held, request.selector)) continue;
    for (const domain::SystemProgress& part : request.parts) {
      if (part.outcome != domain::PurgeOutcome::kOpen) continue;
      SystemRow system;
      system.number = part.system;
      std::string unused;
      const absl::StatusOr<TaskRow> task = LoadTask(core, system, place, &unused);
      if (absl::IsNotFound(task.status())) continue;  // it ended just now
      if (!task.ok()) return task.status();
      if (task->out_until > now && task->out_holds_seen < placed) out->push_back({part.system, task->out_until});
      if (task->leased_until > now && task->holds_seen < placed) out->push_back({part.system, task->leased_until});
    }
  }
  return absl::OkStatus();
}

void TellNext(const std::shared_ptr<Telling>& telling) {
  if (telling->others.empty()) return telling->done(absl::OkStatus());
  ChangeRequest request = telling->like;
  request.subject = telling->others.back();
  telling->others.pop_back();
  request.hook = std::make_shared<HoldsChangedHook>();
  telling->changes.Submit(std::move(request), [telling](const absl::StatusOr<ChangeReply>& reply) {
    const bool is_gone = !reply.ok() && wire::DetailOf(reply.status()).reason == v1::ERROR_REASON_ACCOUNT_CLOSED;
    reply.ok() || is_gone ? TellNext(telling) : telling->done(reply.status());
  });
}

}  // namespace

absl::StatusOr<std::vector<LeaseOut>> LeasesOut(const Core& core, store::Sequence placed, const HoldRow& hold) {
  std::vector<LeaseOut> out;
  absl::Status status = AddLeasesOut(core, hold.subject, placed, hold.held, &out);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<base::SubjectHandle>> others = GroupOf(core, hold.subject);
  if (!others.ok()) return others.status();
  for (const base::SubjectHandle other : *others) {
    const absl::StatusOr<StoredFacts> stored = LoadFacts(core, other);
    if (!stored.ok()) return stored.status();
    status = AddLeasesOut(core, other, stored->facts.holds_changed, hold.held, &out);
    if (!status.ok()) return status;
  }
  return out;
}

void TellOfHolds(ChangeSubject& changes, std::vector<base::SubjectHandle> accounts, const ChangeRequest& like,
                 std::function<void(absl::Status)> done) {
  ChangeRequest told;
  told.caller = like.caller;
  told.kind = like.kind;
  told.command.proof.channel = like.command.proof.channel;
  told.command.proof.actor = like.command.proof.actor;
  told.payload.caller = like.payload.caller;
  told.is_awaited = like.is_awaited;
  TellNext(std::make_shared<Telling>(Telling{changes, std::move(told), std::move(accounts), std::move(done)}));
}

void TellGroupOfHolds(const Core& core, ChangeSubject& changes, const ChangeRequest& like,
                      std::function<void(absl::Status)> done) {
  absl::StatusOr<std::vector<base::SubjectHandle>> others = GroupOf(core, like.subject);
  others.ok() ? TellOfHolds(changes, *std::move(others), like, std::move(done)) : done(others.status());
}

}  // namespace consent::service
