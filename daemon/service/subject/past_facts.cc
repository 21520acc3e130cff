#include "daemon/service/subject/past_facts.h"

#include <functional>
#include <memory>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"

namespace consent::service {
namespace {

uint8_t FlagsAdded(const ChangeRow& row) {
  uint8_t flags = 0;
  for (const domain::FactChange& change : row.changes) {
    if (change.what == domain::ChangedWhat::kFlags) flags = static_cast<uint8_t>(flags | change.flags);
  }
  return flags;
}

PastFacts Cannot(Untold why) {
  PastFacts past;
  past.untold = why;
  return past;
}

// The first change from the newest backwards that `is_it`.
absl::StatusOr<PastFacts> Find(const Core& core, base::SubjectHandle subject, const domain::SubjectFacts& now,
                               const std::function<bool(const store::FeedRow&, store::Sequence)>& is_it) {
  if (domain::IsForgotten(now)) return Cannot(Untold::kHistoryErased);
  PastFacts past;
  store::Sequence next = now.revision;
  for (size_t seen = 0; next != 0; ++seen) {
    if (seen == kMaxChangesBack) return Cannot(Untold::kTooManyChanges);
    const auto feed = core.store.FeedAt(core.PartitionOf(subject), next);
    if (absl::IsOutOfRange(feed.status()) || (feed.ok() && feed->erased)) return Cannot(Untold::kHistoryErased);
    if (!feed.ok()) return StoreUnreadable();
    ChangeRow row;
    const bool is_whole = feed->event.subject == base::View(subject.bytes) && DecodeChangeRow(feed->event.body, &row);
    if (!is_whole || row.previous >= next) return DamagedRow("a history row");
    if (is_it(*feed, next)) {
      if (!domain::DecodeFacts(row.facts, &past.facts)) return DamagedRow("a history row");
      past.found = true;
      past.changed_at = feed->stamp.time;
      return past;
    }
    past.flags_since = static_cast<uint8_t>(past.flags_since | FlagsAdded(row));
    next = row.previous;
  }
  // The history of an account that began anew begins with it; the closed one's is erased.
  return now.closed_at.IsSet() ? Cannot(Untold::kHistoryErased) : past;
}

}  // namespace

absl::StatusOr<PastFacts> FactsAt(const Core& core, base::SubjectHandle subject, const domain::SubjectFacts& now,
                                  base::Instant at) {
  return Find(core, subject, now, [at](const store::FeedRow& feed, store::Sequence) { return feed.stamp.time <= at; });
}

namespace {

// With the tombstones that a record does not hold.
absl::StatusOr<PastFacts> WholeFactsAt(const Core& core, base::SubjectHandle subject, base::Instant at) {
  const absl::StatusOr<StoredFacts> stored = LoadFacts(core, subject);
  if (!stored.ok()) return stored.status();
  if (!stored->found) return PastFacts{};
  absl::StatusOr<PastFacts> past = FactsAt(core, subject, stored->facts, at);
  if (!past.ok() || !past->facts.has_more_tombstones) return past;
  if (past->facts.revision != stored->facts.revision) return Cannot(Untold::kManyDeletions);
  past->facts.cover = stored->facts.cover;
  return past;
}

}  // namespace

absl::StatusOr<PastGroup> GroupAt(const Core& core, base::SubjectHandle subject, base::Instant at) {
  PastGroup group;
  base::SubjectHandle decides = subject;
  absl::StatusOr<PastFacts> past = WholeFactsAt(core, decides, at);
  for (size_t i = 0; past.ok() && past->facts.join == domain::JoinState::kAlias && i < domain::kMaxJoinedFrom; ++i) {
    decides = past->facts.joined_into;
    past = WholeFactsAt(core, decides, at);
  }
  if (!past.ok()) return past.status();
  group.accounts.push_back(decides);
  group.past.push_back(*std::move(past));
  const auto joined_from = group.past.front().facts.joined_from;
  for (const domain::JoinedFrom& from : joined_from) {
    absl::StatusOr<PastFacts> alias = WholeFactsAt(core, from.subject, at);
    if (!alias.ok()) return alias.status();
    if (alias->untold != Untold::kNone) {
      group.past.front() = Cannot(alias->untold);
      return group;
    }
    if (!alias->found || alias->facts.join == domain::JoinState::kNone) continue;
    const bool is_behind = domain::IsJoining(alias->facts.join) && alias->facts.revision != from.revision;
    group.past.front().facts.beside.push_back(
        {std::make_shared<const domain::SubjectFacts>(alias->facts), from.subject == subject, is_behind});
    group.accounts.push_back(from.subject);
    group.past.push_back(*std::move(alias));
  }
  return group;
}

absl::StatusOr<PastFacts> FactsOfRevision(const Core& core, base::SubjectHandle subject,
                                          const domain::SubjectFacts& now, uint64_t revision) {
  auto past =
      Find(core, subject, now, [revision](const store::FeedRow&, store::Sequence at) { return at <= revision; });
  if (past.ok() && past->found && past->facts.revision != revision) return Cannot(Untold::kUnknownRecord);
  return past;
}

}  // namespace consent::service
