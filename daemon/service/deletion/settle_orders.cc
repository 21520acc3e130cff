#include "daemon/service/deletion/settle_orders.h"

#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/service/deletion/deletion_hooks.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

class SettleOrderHook final : public ChangeHook {
 public:
  SettleOrderHook(base::SubjectHandle subject, DeletionPlace place) : place_(place), effect_(subject) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override {
    absl::StatusOr<DeletionRow> row = LoadDeletion(core, place_, &bytes_);
    if (!row.ok()) return row.status();
    row_ = *std::move(row);
    if (!row_.request.IsUnsettled() || input.moment.now.doubtful) return Prepared::kAnswered;
    domain::DeletionRequest trial = row_.request;
    Settle(core, input.moment, trial);
    if (absl::Status s = effect_.LoadOthers(core, place_, row_.request.selector); !s.ok()) return s;
    if (!effect_.Fits(input.before.facts, trial)) return TooManyTombstones();
    return Prepared::kGoOn;
  }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    preconditions.push_back({store::Table::kDeletion, DeletionKey(place_.number), bytes_});
  }

  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override {
    DeletionRow next = row_;
    if (!out.moment.now.doubtful) Settle(core, out.moment, next.request);
    next.request.changed = stamp.sequence;
    effect_.Apply(core, next.request, out);
    out.writes.push_back({store::Table::kDeletion, DeletionKey(place_.number), EncodeDeletionRow(next)});
    ListDeletion(core, place_.number, next.request, out.writes);
  }

 private:
  static void Settle(const Core& core, const domain::Moment& moment, domain::DeletionRequest& request) {
    base::Instant sure = request.doubt_after;
    base::Instant latest = moment.now.latest;
    if (request.doubt_since.boot == core.time.boot_id()) {
      const base::Span ago{core.time.SinceBoot().micros - request.doubt_since.since.micros};
      sure = latest = core.time.Look().trusted - ago;
    }
    const bool denied = request.state == domain::DeletionState::kDenied;
    domain::Settle(request, sure, latest);
    if (!denied) SetDeadlinesOf(core, request);
  }
  // By the regime whose deadlines count since it was received. An extension keeps its own.
  static void SetDeadlinesOf(const Core& core, domain::DeletionRequest& request) {
    const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
    const domain::DeadlineRules& periods = DeadlinesOfRegime(*rules, request.regime);
    const domain::Deadlines due = domain::DeadlinesOf(request.received_at, periods);
    request.confirm_by = due.confirm_by;
    request.due_at = request.extended ? domain::ExtendedDeadline(request.received_at, periods) : due.complete_by;
  }

  const DeletionPlace place_;
  std::string bytes_;
  DeletionRow row_;
  DeletionEffect effect_;
};

absl::StatusOr<std::vector<std::pair<DeletionPlace, base::SubjectHandle>>> FindUnsettled(const Core& core) {
  std::vector<std::pair<DeletionPlace, base::SubjectHandle>> found;
  for (uint16_t number = 0; number < core.store.partition_count(); ++number) {
    const store::Partition partition{number};
    const absl::Status scanned = core.store.Scan(
        partition, store::Table::kDeletion, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
          DeletionRow row;
          if (DecodeDeletionRow(value, &row) && row.request.IsUnsettled()) {
            found.emplace_back(DeletionPlace{partition, NumberOfKey(key)}, row.request.subject);
          }
          return true;
        });
    if (!scanned.ok()) return StoreUnreadable();
  }
  return found;
}

}  // namespace

absl::Status SettleOrders(Core& core, ChangeSubject& changes, size_t* settled) {
  *settled = 0;
  if (core.time.Look().doubtful || !core.ready.load(std::memory_order_acquire)) return absl::OkStatus();
  if (!core.perhaps_unsettled.exchange(false)) return absl::OkStatus();
  const auto unsettled = FindUnsettled(core);
  absl::Status failed = unsettled.status();
  if (!failed.ok()) core.perhaps_unsettled.store(true);
  if (!failed.ok()) return failed;
  for (const auto& [place, subject] : *unsettled) {
    ChangeRequest change;
    change.subject = subject;
    change.kind = ChangeKind::kDeletionSettled;
    change.hook = std::make_shared<SettleOrderHook>(subject, place);
    const auto done = std::make_shared<std::promise<absl::Status>>();
    std::future<absl::Status> answer = done->get_future();
    changes.Submit(std::move(change),
                   [done](absl::StatusOr<ChangeReply> reply) { done->set_value(std::move(reply).status()); });
    const absl::Status one = answer.get();
    if (one.ok()) ++*settled;
    // A closed account that is forgotten has nothing left that a time could spare or purge.
    if (!one.ok() && wire::DetailOf(one).reason != v1::ERROR_REASON_ACCOUNT_CLOSED) failed = one;
  }
  if (!failed.ok()) core.perhaps_unsettled.store(true);
  return failed;
}

}  // namespace consent::service
