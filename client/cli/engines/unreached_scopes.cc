#include "client/cli/engines/unreached_scopes.h"

#include <algorithm>

namespace consent::cli {

void UnreachedScopes::Note(const SettingsUpdate& update, const std::vector<Unreached>& unreached) {
  std::vector<SettingTarget> targets;
  for (const SettingChange& change : update.changes) {
    if (change.turn != Switch::kOn) continue;
    targets.push_back(change.target);
    std::erase_if(open_, [&change](const Open& open) {
      return open.scope == change.scope &&
             std::find(open.targets.begin(), open.targets.end(), change.target) != open.targets.end();
    });
  }
  for (const Unreached& one : unreached) open_.push_back({one.scope, targets});
}

}  // namespace consent::cli
