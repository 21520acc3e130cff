#include "daemon/store/lease_holder.h"

#include <future>
#include <utility>

namespace consent::store {
namespace {

absl::Status Failed() { return absl::UnavailableError("the store failed or is closed; nothing is known of the lease"); }

}  // namespace

LeaseHolder::LeaseHolder(Store& store, const base::Clock& clock, Options options)
    : store_(store), clock_(clock), options_(std::move(options)), watch_(options_.length) {}

absl::StatusOr<bool> LeaseHolder::Step() {
  base::MutexLock lock(step_mutex_);
  if (options_.length.micros <= 0) return absl::InvalidArgumentError("a lease's length must be positive");
  if (std::optional<Held> mine = held()) return Renew(*std::move(mine));
  return LookAndTake();
}

absl::StatusOr<bool> LeaseHolder::Renew(Held held) {
  const base::Span began = clock_.SinceBoot();
  ++held.count;  // also where it is not known to be done: a count that is written twice would look like silence
  Set(held);
  const CommitResult result = CommitAndWait(RenewLease(options_.name, held.grant, held.count));
  switch (result.outcome) {
    case Outcome::kCommitted:
      held.until = After(began);
      Set(std::move(held));
      return true;
    case Outcome::kConflict:
      Set(std::nullopt);
      return false;
    case Outcome::kRetry:
      return Guard().has_value();
    default:
      return Failed();
  }
}

absl::StatusOr<bool> LeaseHolder::LookAndTake() {
  const base::Span began = clock_.SinceBoot();
  const absl::StatusOr<LeaseRows> rows = Read();
  if (!rows.ok()) return rows.status();
  const bool may_take = watch_.Note(*rows, began, clock_.SinceBoot());
  // A grant to this side of which it does not know: its commit was done although the answer was lost.
  const std::optional<LeaseGrant> current = rows->grant ? DecodeLeaseGrant(*rows->grant) : std::nullopt;
  if (current && current->holder == options_.holder) {
    const std::optional<LeaseRenewal> renewal = rows->renewal ? DecodeLeaseRenewal(*rows->renewal) : std::nullopt;
    return Renew(Held{*current, renewal ? renewal->count : 0, base::Span{}});
  }
  LeaseGrant grant;
  absl::StatusOr<LeaseChange> change = TakeLease(options_.name, options_.holder, *rows, &grant);
  if (!change.ok()) return change.status();
  if (!may_take) return false;
  const base::Span sent = clock_.SinceBoot();
  switch (CommitAndWait(*std::move(change)).outcome) {
    case Outcome::kCommitted:
      Set(Held{std::move(grant), 0, After(sent)});
      return true;
    case Outcome::kConflict:
    case Outcome::kRetry:
      return false;
    default:
      return Failed();
  }
}

absl::StatusOr<LeaseRows> LeaseHolder::Read() const {
  LeaseRows rows;
  for (const auto& [table, row] : {std::pair{Table::kLease, &rows.grant}, {Table::kLeaseRenewal, &rows.renewal}}) {
    absl::StatusOr<std::string> value = store_.Get(options_.partition, table, options_.name);
    if (value.ok()) {
      *row = *std::move(value);
    } else if (!absl::IsNotFound(value.status())) {
      return value.status();
    }
  }
  return rows;
}

CommitResult LeaseHolder::CommitAndWait(LeaseChange change) {
  std::promise<CommitResult> answer;
  store_.Commit(
      options_.partition, std::move(change.preconditions),
      [&change, this](const Stamp&) {
        return Change{change.writes, options_.event};
      },
      [&answer](const CommitResult& result) { answer.set_value(result); });
  return answer.get_future().get();
}

std::optional<LeaseHolder::Held> LeaseHolder::held() const {
  base::MutexLock lock(mutex_);
  return held_;
}

void LeaseHolder::Set(std::optional<Held> held) {
  base::MutexLock lock(mutex_);
  held_ = std::move(held);
}

bool LeaseHolder::IsHeld() const { return held_ && clock_.SinceBoot() < held_->until; }

std::optional<Precondition> LeaseHolder::Guard() const {
  base::MutexLock lock(mutex_);
  if (!IsHeld()) return std::nullopt;
  return UnderLease(options_.name, held_->grant);
}

uint64_t LeaseHolder::Token() const {
  base::MutexLock lock(mutex_);
  return IsHeld() ? held_->grant.token : 0;
}

absl::Status LeaseHolder::GiveBack() {
  base::MutexLock lock(step_mutex_);
  const std::optional<Held> mine = held();
  if (!mine) return absl::OkStatus();
  Set(std::nullopt);  // first: nothing is begun under it any more
  const Outcome outcome = CommitAndWait(GiveBackLease(options_.name, mine->grant)).outcome;
  if (outcome == Outcome::kCommitted || outcome == Outcome::kConflict) return absl::OkStatus();
  return absl::UnavailableError("the lease was perhaps not given back; others wait until it ends");
}

}  // namespace consent::store
