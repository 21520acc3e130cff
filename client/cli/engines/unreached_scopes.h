// Whether the consents of one line of a file reach all that they ask for.
#pragma once

#include <vector>

#include "consent/settings.h"

namespace consent::cli {

// What is not reached so far, over the calls that a line is sent as: a profile's own yes may stand under another notice
// than the account's, and so in a later call. Not thread-safe.
class UnreachedScopes {
 public:
  // The yeses of `update` were sent, and do not reach `unreached`. They settle what an earlier call to the same targets
  // did not reach at the same scopes.
  void Note(const SettingsUpdate& update, const std::vector<Unreached>& unreached);
  // All is reached.
  bool empty() const { return open_.empty(); }

 private:
  struct Open {
    Scope scope;
    std::vector<SettingTarget> targets;  // of the call
  };
  std::vector<Open> open_;
};

}  // namespace consent::cli
