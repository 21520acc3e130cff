#include "daemon/callers/caller_connections.h"

#include <map>
#include <utility>

namespace consent::callers {

CallerConnections::~CallerConnections() {
  for (Shard& shard : shards_) {
    base::MutexLock lock(shard.mutex);
    for (auto& [name, entry] : shard.open) Release(entry);
  }
}

void CallerConnections::Release(Entry& entry) {
  for (size_t share = 0; share < entry.carried.size(); ++share) {
    Carried& carried = entry.carried[share];
    if (carried.counts) carried.meter->EndConnection(static_cast<Share>(share));
    carried = {};
  }
}

void CallerConnections::Opened(const std::string& name) {
  Shard& shard = ShardOf(name);
  base::MutexLock lock(shard.mutex);
  ++shard.open[name].open;
}

void CallerConnections::Ended(const std::string& name) {
  Shard& shard = ShardOf(name);
  base::MutexLock lock(shard.mutex);
  const auto at = shard.open.find(name);
  if (at == shard.open.end() || --at->second.open > 0) return;
  Release(at->second);
  shard.open.erase(at);
}

std::optional<Excess> CallerConnections::Use(std::string_view name, Share share, const std::shared_ptr<Meter>& meter,
                                             Meter::Time now) {
  Shard& shard = ShardOf(name);
  base::MutexLock lock(shard.mutex);
  const auto at = shard.open.find(name);
  if (at == shard.open.end()) return meter->RefuseConnection(share, now);
  Carried& carried = at->second.carried[static_cast<size_t>(share)];
  if (carried.meter != meter) {
    // The callers' file may have given the certificate to another caller.
    if (carried.counts) carried.meter->EndConnection(share);
    carried = {meter, false};
  }
  if (!carried.counts) {
    std::optional<Excess> excess = meter->BeginConnection(share, now);
    carried.counts = !excess.has_value();
    return excess;
  }
  if (!meter->HasTooManyConnections(share)) return std::nullopt;
  meter->EndConnection(share);
  carried.counts = false;
  return meter->RefuseConnection(share, now);
}

std::vector<CallerConnections::Overstay> CallerConnections::TakeOverstays(Meter::Time now) {
  // Asked once for each caller, because asking takes the answer away.
  std::map<std::pair<Meter*, size_t>, bool> asked;
  std::map<std::string, std::vector<std::string>> found;
  for (Shard& shard : shards_) {
    base::MutexLock lock(shard.mutex);
    for (const auto& [name, entry] : shard.open) {
      const Meter* over = nullptr;
      for (size_t share = 0; share < entry.carried.size(); ++share) {
        Meter* const meter = entry.carried[share].meter.get();
        if (meter == nullptr) continue;
        const auto [at, is_new] = asked.try_emplace({meter, share}, false);
        if (is_new) at->second = meter->TakeOverstay(static_cast<Share>(share), now);
        if (at->second) over = meter;
      }
      if (over != nullptr) found[over->caller()].push_back(name);
    }
  }
  std::vector<Overstay> overstays;
  overstays.reserve(found.size());
  for (auto& [caller, connections] : found) overstays.push_back({caller, std::move(connections)});
  return overstays;
}

}  // namespace consent::callers
