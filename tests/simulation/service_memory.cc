#include "tests/simulation/service_memory.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "daemon/base/bytes.h"

namespace consent::simulation {
namespace {

constexpr domain::SystemNumber kSystems = 16;

void AddSubjects(test::World& world, const std::vector<std::string>& accounts, std::vector<std::string>* lines) {
  const base::Instant now = world.Now();
  for (const std::string& account : accounts) {
    const base::SubjectHandle subject = world.Handle(account);
    std::string facts;
    const auto found = world.core().index.FindBytes(subject, &facts);
    lines->push_back("record of " + account + ": " + std::to_string(static_cast<int>(found)) + " " + base::Hex(facts));
    // When an account is forgotten its marks are erased beside the commits, while its list of requests stays: what is
    // read from them of an account that was started anew adds reasons to captures that are purged anyway.
    const bool was_closed = world.Facts(account).closed_at.IsSet();
    for (const char* recording : {"r0", "r1", "r2", "r7"}) {
      if (was_closed) recording = "of nobody";
      domain::RecordingState marks;
      (void)world.core().index.FindMarks(subject, world.core().hasher.Recording(recording), &marks);
      std::ostringstream line;
      line << "marks of " << account << " " << recording << ": " << static_cast<int>(marks.flags) << marks.has_tombstone
           << static_cast<int>(marks.tombstone) << marks.on_hold << " " << marks.safety_since.micros;
      lines->push_back(line.str());
      for (const int64_t days : {1, 20}) {
        for (const domain::Purpose purpose : {domain::Purpose::kHumanReview, domain::Purpose::kModelTraining}) {
          const domain::Decision decision =
              world.Check(account, test::Recording(now - base::Days(days)).Id(recording), purpose);
          const std::string text = was_closed
                                       ? test::Text(decision.disposition) + (test::IsYes(decision) ? " yes" : " no")
                                       : test::Text(decision);
          lines->push_back("decision on " + account + " " + recording + ": " + text);
        }
      }
    }
    lines->push_back("open requests of " + account + ": " +
                     std::to_string(world.core().deletions.OpenOf(subject).size()));
  }
}

void AddGauges(test::World& world, std::vector<std::string>* lines) {
  const service::Core& core = world.core();
  lines->push_back("subjects: " + std::to_string(core.gauges.subjects()));
  for (const service::RegionCount& region : core.gauges.ByRegion()) {
    std::ostringstream line;
    uint64_t any = 0;
    for (const auto& purpose : region.subjects) {
      for (const uint64_t count : purpose) {
        line << " " << count;
        any += count;
      }
    }
    if (any != 0) lines->push_back("choices in " + std::to_string(region.region.packed()) + ":" + line.str());
  }
  for (const service::DeletionCount& count : core.deletions.Counts()) {
    std::ostringstream line;
    line << "requests: " << static_cast<int>(count.cause) << " " << count.regime << " " << static_cast<int>(count.state)
         << ": " << count.requests;
    lines->push_back(line.str());
  }
  for (const domain::DeadlineKind kind : domain::kDeadlineKinds) {
    for (const base::Instant until : {world.Now(), world.Now() + base::Days(20), base::kEndOfTime}) {
      lines->push_back("due: " + std::to_string(core.deletions.CountBefore(kind, until)));
    }
  }
  for (const base::Instant at : {world.Now(), world.Now() + base::Days(20), world.Now() + base::Days(400)}) {
    for (const service::OpenAppeals& open : core.appeals.Open(at, base::Days(3), base::Days(7))) {
      std::ostringstream line;
      line << "appeals: " << static_cast<int>(open.kind) << " " << open.regime << " " << open.appeals;
      for (const service::DueCount& due : open.deadlines) line << " " << due.past << " " << due.near << " " << due.far;
      lines->push_back(line.str());
    }
  }
  const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
  for (const base::Span ahead : {base::Span{}, base::Days(400)}) {
    const base::Instant now = world.Now() + ahead;
    for (const auto& [regime, count] : core.gauges.Children(*rules, base::Now::Sure(now))) {
      std::ostringstream line;
      line << "children of " << regime << ": " << count.children << " " << count.unguarded << " "
           << count.inactive_without_notice << " " << count.purge_due;
      lines->push_back(line.str());
    }
    for (const auto& [notice, count] : core.gauges.ConsentsEnding(*rules, now, 400)) {
      lines->push_back("ending under " + notice + ": " + std::to_string(count));
    }
    for (const service::EndedDeletions& ended : core.deletions.EndedThisQuarter(now)) {
      std::ostringstream line;
      line << "ended: " << static_cast<int>(ended.cause) << " " << ended.regime << " " << ended.in_time << " "
           << ended.late;
      lines->push_back(line.str());
    }
  }
  for (const service::OpenDeletions& open : core.deletions.Open(world.Now(), base::Days(7), base::Days(400))) {
    std::ostringstream line;
    line << "open: " << static_cast<int>(open.cause) << " " << open.regime << " " << open.requests;
    for (const auto& deadline : open.deadlines)
      line << " " << deadline.past << " " << deadline.near << " " << deadline.far;
    lines->push_back(line.str());
  }
  lines->push_back(
      "holds: " + std::to_string(core.holds.in_force()) + " since " + std::to_string(core.holds.oldest().micros) +
      ", past their review in 200 days: " + std::to_string(core.holds.PastReview(world.Now() + base::Days(200))));
  for (const service::OpenSafetyFlags::Place& flag : core.safety_flags.From({}, "", SIZE_MAX)) {
    lines->push_back("flag: " + std::to_string(flag.reported_at.micros) + " in " +
                     std::to_string(flag.partition.number) + " " + base::Hex(flag.key));
  }
  lines->push_back("flags that nobody acknowledged: " +
                   std::to_string(core.safety_flags.ReportedBy(world.Now()).unacknowledged));
  lines->push_back("open review grants: " + std::to_string(world.core().reviews.Count(world.core().time).open));
  if (const auto lag = world.erasures().Lag(); lag.ok()) {
    lines->push_back("to erase: " + std::to_string(lag->keys) + " since " + std::to_string(lag->oldest_key.micros) +
                     ", " + std::to_string(lag->bytes) + " since " + std::to_string(lag->oldest_byte.micros));
  }
  lines->push_back("oldest open: " + std::to_string(core.deletions.oldest_open().micros));
  for (domain::SystemNumber system = 1; system < kSystems; ++system) {
    const auto counts = world.queue().counts(system);
    lines->push_back("tasks of " + std::to_string(system) + ": " + std::to_string(counts.open) + " open, " +
                     std::to_string(counts.stuck) + " stuck");
    std::ostringstream line;
    line << "first of " << system << ": " << core.deletions.FirstVerified(world.queue().FirstOpen(system)).micros
         << ", ended";
    for (const uint64_t count : core.deletions.outcomes(system)) line << " " << count;
    for (const uint64_t count : core.deletions.exempt(system)) line << " " << count;
    lines->push_back(line.str());
  }
}

void AddPolicies(test::World& world, std::vector<std::string>* lines) {
  const service::Core& core = world.core();
  lines->push_back("policy: " + core.policies.current()->document.version() + " since " +
                   std::to_string(core.policies.in_force().activated_at.micros));
  for (const service::SuspensionRow& row : core.policies.suspensions()) {
    lines->push_back("suspension: " + base::Hex(service::EncodeSuspension(row)));
  }
  for (uint16_t number = 0; number < core.store.partition_count(); ++number) {
    const store::Partition partition{number};
    const service::CurrentPolicy current = core.partition_policies.Current(partition);
    std::ostringstream line;
    line << "partition " << number << ": " << current.activated_at.micros << " " << current.is_closed << ", used:";
    for (uint16_t mark = 0; mark < 64; ++mark) {
      for (const bool of_control : {false, true}) {
        if (core.partition_policies.Has(partition, {of_control, mark})) line << " " << of_control << mark;
      }
    }
    lines->push_back(line.str());
  }
  for (const service::SystemRow& row : world.systems().List()) {
    lines->push_back("system: " + base::Hex(service::EncodeSystemRow(row)));
    lines->push_back("retention: " + base::Hex(service::EncodeSweepRow(world.sweeps().Of(row).row)));
  }
  std::string open = "proposals:";
  for (const size_t count : world.proposals().OpenNow()) open += " " + std::to_string(count);
  lines->push_back(open);
  lines->push_back("last stamp: " + std::to_string(core.last_stamp.load()));
}

}  // namespace

std::vector<std::string> MemoryOf(test::World& world, const std::vector<std::string>& accounts) {
  std::vector<std::string> lines;
  AddSubjects(world, accounts, &lines);
  AddGauges(world, &lines);
  AddPolicies(world, &lines);
  return lines;
}

std::string FirstDifference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    if (a[i] != b[i]) return a[i] + " | " + b[i];
  }
  if (a.size() == b.size()) return "";
  return (a.size() > common ? a : b)[common] + " | (nothing)";
}

}  // namespace consent::simulation
