// A world, and another one on a copy of its store under new keys.
#pragma once

#include <memory>
#include <optional>

#include "daemon/service/rekey/rekey.h"
#include "tests/support/store/frozen_memory.h"
#include "tests/unit/rekey/walk.h"

namespace consent::test {

// What `translation` makes of `from`; the first error.
absl::StatusOr<FrozenMemory> Translate(const FrozenMemory& from, store::Translation& translation);

// Ends the process on what no test means.
class TwoWorlds {
 public:
  static constexpr uint16_t kPartitions = 4;
  explicit TwoWorlds(uint64_t seed, const std::optional<base::Keys>& keys = {});

  World& old() { return old_; }
  // Copies the old one as it is now, and opens the copy at the same time of the same clock.
  void Copy();
  World& copy() { return *copy_; }
  // Of the copy as it was made.
  const FrozenMemory& rows() const { return *rows_; }
  const FrozenMemory& old_rows() const { return *old_rows_; }
  const base::Keys& before() const { return old_.keys(); }
  const base::Keys& after() const { return *after_; }
  const base::HandleLayer& layer() const { return *layer_; }
  const service::RekeyCounts& counts() const { return counts_; }

 private:
  const uint64_t seed_;
  World old_;
  std::optional<base::Keys> after_;
  std::optional<base::HandleLayer> layer_;
  std::optional<FrozenMemory> old_rows_;
  std::optional<FrozenMemory> rows_;
  service::RekeyCounts counts_;
  std::unique_ptr<World> copy_;
};

}  // namespace consent::test
