#include "daemon/app/collect_gauges.h"

#include <map>
#include <tuple>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/app/services.h"
#include "daemon/base/hash.h"
#include "daemon/ops/families.h"

namespace consent::app {
namespace {

constexpr size_t kChoices = 4;

// By regime of the policy in force; every purpose in use has all four series, so that a zero is seen as a zero.
std::vector<ops::SubjectCount> CountSubjects(const service::SubjectGauges& gauges, const domain::Rules& rules) {
  std::map<std::tuple<std::string, domain::Purpose, domain::Choice>, uint64_t> counts;
  for (const service::RegionCount& region : gauges.ByRegion()) {
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
  for (const auto& [key, count] : counts) {
    subjects.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  }
  return subjects;
}

void CollectPolicy(const service::Core& core, ops::Gauges* gauges) {
  const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
  if (rules == nullptr) return;
  gauges->policy = ops::PolicyReading{rules->version, base::Hex(base::View(rules->hash))};
  for (const domain::Suspension& suspension : rules->suspensions) {
    if (suspension.active) {
      gauges->suspensions.push_back(
          {suspension.purpose, suspension.region.IsSet() ? suspension.region.ToString() : std::string()});
    }
  }
  if (core.ready.load()) gauges->subjects = CountSubjects(core.gauges, *rules);
}

// Overdue requests that are looked at one by one, because some may be on hold.
constexpr size_t kMaxOverdue = 10'000;

double SecondsSince(base::Instant then, base::Instant now) {
  return then.IsSet() && then < now ? static_cast<double>((now - then).micros) / 1e6 : 0;
}

ops::DeletionReading CollectDeletions(const service::Core& core, const Services& services) {
  ops::DeletionReading reading;
  const base::Instant now = core.Now();
  for (const service::DeletionCount& count : core.deletions.Counts()) {
    reading.requests.push_back({ops::Label<v1::DeletionCause>(static_cast<int>(count.cause)), count.regime,
                                ops::Label<v1::DeletionState>(static_cast<int>(count.state)), count.requests});
  }
  const uint64_t past_due = core.deletions.CountDueBefore(now + base::Microseconds(1));
  reading.due_within_week = core.deletions.CountDueBefore(now + base::Days(7)) - past_due;
  const std::vector<service::DeletionPlace> places = core.deletions.DueBefore(now + base::Microseconds(1), kMaxOverdue);
  reading.overdue = past_due;
  for (const service::DeletionPlace& place : places) {
    const auto on_hold = services.deletions.IsOnHold(place);
    if (on_hold.ok() && *on_hold) --reading.overdue;
  }
  reading.oldest_open_seconds = SecondsSince(core.deletions.oldest_open(), now);
  const service::DeletionGauges::Completions completions = core.deletions.completions();
  reading.completion_bounds.assign(service::DeletionGauges::kCompletionSeconds.begin(),
                                   service::DeletionGauges::kCompletionSeconds.end());
  reading.completions.assign(completions.buckets.begin(), completions.buckets.end());
  reading.completion_seconds_sum = completions.sum_seconds;
  if (const auto lag = services.erasures.Lag(); lag.ok()) {
    reading.erasures_waiting[0] = lag->keys;
    reading.erasures_waiting[1] = lag->bytes;
    reading.oldest_erasure_seconds[0] = SecondsSince(lag->oldest_key, now);
    reading.oldest_erasure_seconds[1] = SecondsSince(lag->oldest_byte, now);
  }
  return reading;
}

}  // namespace

ops::Gauges CollectGauges(const service::Core& core, const store::RocksStore& store, const service::Pool& readers,
                          const Services& services, ops::HealthState health) {
  ops::Gauges gauges;
  gauges.health = health;
  for (const auto& index : core.indexes) {
    gauges.indexes.push_back({index->size(), index->memory_bytes(), index->complete()});
  }
  for (uint16_t i = 0; i < store.partition_count(); ++i) {
    gauges.sequences.push_back(store.GetHead({i}).stamp.sequence);
  }
  gauges.pools = {{"read", readers.queued()}, {"write", core.writers.queued()}};
  const base::TrustedClock::View clock = core.time.Look();
  gauges.clock_offset_seconds = static_cast<double>(clock.Offset().micros) / 1e6;
  gauges.clock_trusted = !clock.doubtful;
  gauges.clock_doubts = core.time.doubts();
  gauges.changes_in_flight = services.changes.in_flight();
  gauges.engine = store.Health();
  CollectPolicy(core, &gauges);
  if (!core.ready.load()) return gauges;
  for (const service::SystemRow& system : services.systems.List()) {
    const service::TaskQueue::Counts counts = services.queue.counts(system.number);
    gauges.systems.push_back({system.name, counts.open, counts.stuck, counts.retries, counts.refused,
                              SecondsSince(services.tasks.OldestOpen(system), core.Now())});
  }
  gauges.deletions = CollectDeletions(core, services);
  return gauges;
}

}  // namespace consent::app
