#include "daemon/app/gather.h"

#include <map>
#include <tuple>

#include "daemon/base/hash.h"

namespace consent::app {
namespace {

constexpr size_t kChoices = 4;

// By regime of the policy in force; every purpose in use has all four series, so that a zero is seen as a zero.
std::vector<ops::SubjectCount> CountSubjects(const service::Census& census, const domain::Rules& rules) {
  std::map<std::tuple<std::string, domain::Purpose, domain::Choice>, uint64_t> counts;
  for (const service::RegionCount& region : census.ByRegion()) {
    const std::string& regime = rules.regimes[rules.ForRegion(region.region).regime].name;
    for (const domain::Purpose purpose : domain::kAllPurposes) {
      const auto& choices = region.subjects[static_cast<size_t>(purpose) - 1];
      for (size_t choice = 0; choice < kChoices; ++choice) {
        if (rules.purposes.Has(purpose) || (choice != 0 && choices[choice] != 0)) {
          counts[{regime, purpose, static_cast<domain::Choice>(choice)}] += choices[choice];
        }
      }
    }
  }
  std::vector<ops::SubjectCount> subjects;
  subjects.reserve(counts.size());
  for (const auto& [key, count] : counts) subjects.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  return subjects;
}

void GatherPolicy(const service::Context& context, ops::Readings* readings) {
  const std::shared_ptr<const domain::Rules> rules = context.policies.rules();
  if (rules == nullptr) return;
  readings->policy = ops::PolicyReading{rules->version, base::Hex(base::View(rules->hash))};
  for (const domain::Suspension& suspension : rules->suspensions) {
    if (suspension.active) {
      readings->suspensions.push_back({suspension.purpose, suspension.region.IsSet() ? suspension.region.ToString() : std::string()});
    }
  }
  if (context.ready.load()) readings->subjects = CountSubjects(context.census, *rules);
}

}  // namespace

ops::Readings Gather(const service::Context& context, const store::RocksStore& store, const service::Pool& readers,
                     const service::ChangeSubject& changes, const service::DataSystems& systems, const service::TaskBoard& board,
                     ops::HealthState health) {
  ops::Readings readings;
  readings.health = health;
  for (const auto& index : context.indexes) readings.indexes.push_back({index->size(), index->memory_bytes(), index->complete()});
  for (uint16_t i = 0; i < store.partition_count(); ++i) readings.sequences.push_back(store.GetHead({i}).stamp.sequence);
  readings.pools = {{"read", readers.queued()}, {"write", context.writers.queued()}};
  readings.changes_in_flight = changes.in_flight();
  readings.engine = store.Health();
  GatherPolicy(context, &readings);
  for (const service::SystemRow& system : systems.List()) readings.systems.push_back({system.name, board.open(system.number)});
  return readings;
}

}  // namespace consent::app
