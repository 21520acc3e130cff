#include "daemon/service/registry/known_proposals.h"

#include <vector>

#include "absl/status/statusor.h"

namespace consent::service {

void KnownProposals::Take(const ProposalRow& row) {
  base::MutexLock lock(mutex_);
  if (HasEnded(row.state)) {
    open_.erase(row.id);
    return;
  }
  ProposalRow kept = row;
  kept.sealed.clear();
  open_.insert_or_assign(row.id, std::move(kept));
}

bool KnownProposals::Follow(const store::Committed& committed) {
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kProposal || !IsProposalKey(write.key)) continue;
    ProposalRow row;
    if (!write.value.has_value()) {
      base::MutexLock lock(mutex_);
      std::erase_if(open_, [&write](const auto& entry) { return ProposalKey(entry.first) == write.key; });
      continue;
    }
    if (!DecodeProposal(*write.value, &row)) return false;
    Take(row);
  }
  return true;
}

absl::Status KnownProposals::Fill(const Core& core) {
  const absl::StatusOr<std::vector<ProposalRow>> rows = LoadProposals(core);
  if (!rows.ok()) return rows.status();
  for (const ProposalRow& row : *rows) Take(row);
  return absl::OkStatus();
}

KnownProposals::Counts KnownProposals::OpenAt(base::Instant now) const {
  Counts counts{};
  base::MutexLock lock(mutex_);
  for (const auto& [id, row] : open_) {
    if (!HasEnded(row.StateAt(now))) ++counts[static_cast<size_t>(row.act)];
  }
  return counts;
}

}  // namespace consent::service
