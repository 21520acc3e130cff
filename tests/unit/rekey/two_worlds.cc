#include "tests/unit/rekey/two_worlds.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace consent::test {
namespace {

template <typename T>
T Required(absl::StatusOr<T> result, const char* what) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s: %s\n", what, std::string(result.status().message()).c_str());
  std::abort();
}

World::Options OptionsOf(uint64_t seed, const std::optional<base::Keys>& keys) {
  World::Options options;
  options.partitions = TwoWorlds::kPartitions;
  options.seed = seed;
  options.keys = keys;
  return options;
}

}  // namespace

absl::StatusOr<FrozenMemory> Translate(const FrozenMemory& from, store::Translation& translation) {
  FrozenMemory to = from;
  to.rows().clear();
  for (auto& feed : to.feeds()) feed.clear();
  absl::Status failed;
  const absl::Status rows =
      from.VisitRows([&](store::Partition partition, store::Table table, std::string_view key, std::string_view value) {
        auto translated = translation.Rows(partition, table, key, value);
        failed = translated.status();
        for (size_t i = 0; failed.ok() && i < translated->size(); ++i) {
          store::Write& row = (*translated)[i];
          if (!to.rows().emplace(FrozenMemory::Key{row.table, partition, row.key}, *row.value).second) {
            failed = absl::InternalError("two rows have one place");
          }
        }
        return failed.ok();
      });
  if (!rows.ok() || !failed.ok()) return failed.ok() ? rows : failed;
  const absl::Status feed = from.VisitFeed(
      [&](store::Partition partition, store::Sequence, const std::optional<store::FeedRow>& row, size_t) {
        absl::StatusOr<store::FeedRow> translated = translation.Feed(partition, *row);
        failed = translated.status();
        if (failed.ok()) to.feeds()[partition.number].emplace_back(*std::move(translated));
        return failed.ok();
      });
  if (!feed.ok() || !failed.ok()) return failed.ok() ? feed : failed;
  return to;
}

TwoWorlds::TwoWorlds(uint64_t seed, const std::optional<base::Keys>& keys) : seed_(seed), old_(OptionsOf(seed, keys)) {}

void TwoWorlds::Copy() {
  copy_.reset();
  old_.Restart();  // what the copy is compared with has no memory but its store, either
  SeededRandom random(seed_ + 1000);
  after_ = Required(before().Renewed(random), "new keys");
  layer_ = Required(after_->LayerOver(before()), "layer");
  old_rows_.emplace(old_.store());
  old_rows_->identity().key_fingerprint = before().Fingerprint();
  const auto rekey = Required(service::Rekey::Create(*old_rows_, before(), *after_, random), "rekey");
  rows_.emplace(Required(Translate(*old_rows_, *rekey), "copy"));
  counts_ = rekey->counts();
  World::Options options = OptionsOf(seed_ + 100, after_);  // what it draws is not what the old one drew
  options.now = old_.clock.Now();
  options.policy = false;
  options.store = 1;
  options.copy_of = &*rows_;
  copy_ = std::make_unique<World>(options);
}

}  // namespace consent::test
