#include "daemon/service/review/cap_counters.h"

#include <optional>
#include <utility>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/read_errors.h"

namespace consent::service {

using store::Table;

std::shared_ptr<CapCounters::Block> CapCounters::BlockOf(const CapName& name) {
  base::MutexLock lock(mutex_);
  std::shared_ptr<Block>& block = blocks_[name.key];
  if (block != nullptr) return block;
  block = std::make_shared<Block>();
  std::shared_ptr<Block> made = block;
  if (blocks_.size() > kMaxBlocks) {
    std::erase_if(blocks_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  return made;
}

absl::StatusOr<CapPermit> CapCounters::Take(const CapName& name, uint64_t limit, base::Instant now,
                                            const Caller& caller) {
  const std::shared_ptr<Block> block = BlockOf(name);
  base::MutexLock lock(block->mutex);
  const domain::CapCounter held{block->since, 0};
  if (CounterAt(name.kind, held, now).since != block->since) block->ordinals.clear();
  if (block->ordinals.empty()) return Reserve(name, limit, now, caller, *block);
  const CapPermit next{name, block->since, *block->ordinals.begin()};
  if (next.ordinal < limit) block->ordinals.erase(next.ordinal);
  return next;
}

absl::StatusOr<CapPermit> CapCounters::Reserve(const CapName& name, uint64_t limit, base::Instant now,
                                               const Caller& caller, Block& block) {
  const store::Partition partition = PartitionOf(name, core_.store.partition_count());
  domain::CapCounter before;
  uint64_t size = 0;
  const absl::Status reserved = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    absl::StatusOr<std::string> bytes = core_.store.Get(partition, Table::kReview, name.key);
    if (!bytes.ok() && !absl::IsNotFound(bytes.status())) return StoreUnreadable();
    before = {};
    if (bytes.ok() && !DecodeCapCounter(*bytes, &before)) return DamagedRow("a counter of review grants");
    std::optional<std::string> expected;
    if (bytes.ok()) expected = *std::move(bytes);
    before = CounterAt(name.kind, before, now);
    size = before.given < limit ? domain::BlockOf(limit - before.given) : 0;
    if (size == 0) return store::Outcome::kCommitted;
    const std::string after = EncodeCapCounter({before.since, before.given + size});
    return CommitNow(core_, partition, {{Table::kReview, name.key, std::move(expected)}},
                     [&](const store::Stamp&) {
                       return store::Change{{{Table::kReview, name.key, after}},
                                            PlainEvent(ChangeKind::kReviewChanged,
                                                       core_.policies.in_force().rules->version, {}, caller.identity)};
                     })
        .outcome;
  });
  if (!reserved.ok()) return reserved;
  block.since = before.since;
  for (uint64_t i = 1; i < size; ++i) block.ordinals.insert(before.given + i);
  return CapPermit{name, before.since, before.given};
}

void CapCounters::GiveBack(const CapPermit& permit) {
  const std::shared_ptr<Block> block = BlockOf(permit.name);
  base::MutexLock lock(block->mutex);
  // Of a window that is over it is worth nothing.
  if (block->since == permit.since) block->ordinals.insert(permit.ordinal);
}

absl::Status GrantPermits::Take(const std::vector<CapName>& names, const domain::ReviewCaps& caps,
                                domain::Region country, base::Instant now, domain::GrantCounts* counts) {
  for (const CapName& name : names) {
    const uint64_t limit = LimitOf(caps, name.kind, country, *counts);
    absl::StatusOr<CapPermit> permit = counters_.Take(name, limit, now, caller_);
    if (!permit.ok()) return permit.status();
    counts->given[static_cast<size_t>(name.kind)] = permit->ordinal;
    if (permit->ordinal >= limit) break;
    permits_.push_back(*std::move(permit));
  }
  return absl::OkStatus();
}

void GrantPermits::GiveBack() {
  for (const CapPermit& permit : permits_) counters_.GiveBack(permit);
  permits_.clear();
}

}  // namespace consent::service
