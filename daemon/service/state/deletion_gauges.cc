#include "daemon/service/state/deletion_gauges.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace consent::service {

namespace {

// Quarters of the calendar, by UTC, one after another.
int QuarterOf(base::Instant time) {
  using std::chrono::days;
  const std::chrono::sys_days day = std::chrono::floor<days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(time.micros)));
  const std::chrono::year_month_day date(day);
  return static_cast<int>(date.year()) * 4 + static_cast<int>((static_cast<unsigned>(date.month()) - 1) / 3);
}

}  // namespace

void DeletionGauges::CountIn(DeletionPlace place, const domain::DeletionRequest& request) {
  ++counts_[std::make_tuple(request.cause, request.regime, request.state)];
  if (!domain::IsOpen(request.state)) return;
  OpenRequest& open = open_[place];
  open = OpenRequest{request.subject,
                     request.cause,
                     request.regime,
                     request.state,
                     request.received_at,
                     {},
                     request.WaitsForTime() || request.needs_ids,
                     request.needs_ids,
                     request.verified_at,
                     {},
                     request.selector.kind};
  if (open.needs_ids) needing_ids_.fetch_add(1, std::memory_order_relaxed);
  for (const domain::SystemProgress& part : request.parts) {
    if (part.outcome != domain::PurgeOutcome::kOpen) open.ended.push_back(part.system);
  }
  open_of_.emplace(request.subject, place);
  OfKind& kind = kinds_[{request.cause, request.regime}];
  ++kind.requests;
  for (const domain::DeadlineKind deadline : domain::kDeadlineKinds) {
    const auto index = static_cast<size_t>(deadline);
    open.deadlines[index] = domain::DeadlineOf(request, deadline);
    if (!open.deadlines[index].has_value()) continue;
    deadlines_[index][*open.deadlines[index]].insert(place);
    kind.due[index].Add(*open.deadlines[index]);
  }
}

void DeletionGauges::CountOut(DeletionPlace place, const OpenRequest& open) {
  const auto count = counts_.find(std::make_tuple(open.cause, open.regime, open.state));
  if (--count->second == 0) counts_.erase(count);
  if (open.needs_ids) needing_ids_.fetch_sub(1, std::memory_order_relaxed);
  open_of_.erase({open.subject, place});
  const auto kind = kinds_.find({open.cause, open.regime});
  for (size_t index = 0; index < deadlines_.size(); ++index) {
    if (!open.deadlines[index].has_value()) continue;
    const auto then = deadlines_[index].find(*open.deadlines[index]);
    then->second.erase(place);
    if (then->second.empty()) deadlines_[index].erase(then);
    kind->second.due[index].Remove(*open.deadlines[index]);
  }
  if (--kind->second.requests == 0) kinds_.erase(kind);
}

void DeletionGauges::CountOutcomes(const domain::DeletionRequest& request,
                                   const std::vector<domain::SystemNumber>& known) {
  for (const domain::SystemProgress& part : request.parts) {
    const auto outcome = static_cast<size_t>(part.outcome);
    if (part.outcome == domain::PurgeOutcome::kOpen || outcome >= kOutcomes) continue;
    if (std::find(known.begin(), known.end(), part.system) != known.end()) continue;
    ++outcomes_[part.system][outcome];
    const auto ground = static_cast<size_t>(part.exempt);
    if (part.outcome == domain::PurgeOutcome::kExempt && ground < domain::kExemptReasons) {
      ++exempt_[part.system][ground];
    }
  }
}

void DeletionGauges::CountEnded(const domain::DeletionRequest& request) {
  const bool is_done =
      request.state == domain::DeletionState::kCompleted || request.state == domain::DeletionState::kDenied;
  if (!is_done || !request.ended_at.IsSet()) return;
  Ended& ended = ended_[{QuarterOf(request.ended_at), Kind{request.cause, request.regime}}];
  ++(request.ended_at < request.due_at ? ended.in_time : ended.late);
}

void DeletionGauges::NoteCompletion(const domain::DeletionRequest& request) {
  const double seconds = static_cast<double>((request.ended_at - request.received_at).micros) / 1e6;
  const auto bucket =
      std::lower_bound(kCompletionSeconds.begin(), kCompletionSeconds.end(), seconds) - kCompletionSeconds.begin();
  ++completions_.buckets[static_cast<size_t>(bucket)];
  completions_.sum_seconds += seconds;
}

void DeletionGauges::Add(DeletionPlace place, const domain::DeletionRequest& request) {
  base::MutexLock lock(mutex_);
  CountIn(place, request);
  CountOutcomes(request, {});
  CountEnded(request);
}

bool DeletionGauges::Put(DeletionPlace place, const domain::DeletionRequest& request) {
  base::MutexLock lock(mutex_);
  const auto known = open_.find(place);
  const bool was_open = known != open_.end();
  if (!was_open && !domain::IsOpen(request.state)) return false;
  bool waited = false;
  std::vector<domain::SystemNumber> ended;
  if (was_open) {
    OpenRequest before = std::move(known->second);
    open_.erase(known);
    CountOut(place, before);
    waited = before.waits;
    ended = std::move(before.ended);
  }
  CountIn(place, request);
  CountOutcomes(request, ended);
  CountEnded(request);
  const bool completed = was_open && request.state == domain::DeletionState::kCompleted;
  if (completed && request.cause == domain::DeletionCause::kRequested) NoteCompletion(request);
  return waited && domain::IsOpen(request.state) && !request.WaitsForTime() && !request.needs_ids;
}

uint64_t DeletionGauges::needing_ids() const { return needing_ids_.load(std::memory_order_relaxed); }

bool DeletionGauges::IsOpen(DeletionPlace place) const {
  base::MutexLock lock(mutex_);
  return open_.count(place) != 0;
}

std::optional<domain::SelectorKind> DeletionGauges::SelectorOf(DeletionPlace place) const {
  base::MutexLock lock(mutex_);
  const auto found = open_.find(place);
  return found == open_.end() ? std::nullopt : std::optional(found->second.selector);
}

std::vector<DeletionPlace> DeletionGauges::OpenOf(base::SubjectHandle subject) const {
  base::MutexLock lock(mutex_);
  std::vector<DeletionPlace> places;
  for (auto at = open_of_.lower_bound({subject, DeletionPlace{}}); at != open_of_.end() && at->first == subject; ++at) {
    places.push_back(at->second);
  }
  return places;
}

std::vector<DeletionCount> DeletionGauges::Counts() const {
  base::MutexLock lock(mutex_);
  std::vector<DeletionCount> counts;
  counts.reserve(counts_.size());
  for (const auto& [key, count] : counts_) {
    counts.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  }
  return counts;
}

std::vector<DeletionPlace> DeletionGauges::Before(domain::DeadlineKind kind, base::Instant time, size_t limit) const {
  base::MutexLock lock(mutex_);
  std::vector<DeletionPlace> places;
  for (const auto& [deadline, of_then] : deadlines_[static_cast<size_t>(kind)]) {
    if (!(deadline < time)) break;
    for (const DeletionPlace& place : of_then) {
      if (places.size() >= limit) return places;
      places.push_back(place);
    }
  }
  return places;
}

uint64_t DeletionGauges::CountBefore(domain::DeadlineKind kind, base::Instant time) const {
  base::MutexLock lock(mutex_);
  uint64_t count = 0;
  const ByTime& by_time = deadlines_[static_cast<size_t>(kind)];
  for (auto at = by_time.begin(); at != by_time.end() && at->first < time; ++at) count += at->second.size();
  return count;
}

base::Instant DeletionGauges::oldest_open() const {
  base::MutexLock lock(mutex_);
  base::Instant oldest;
  for (auto at = open_.begin(); at != open_.end();) {
    const base::Instant received = at->second.received_at;
    if (!oldest.IsSet() || received < oldest) oldest = received;
    at = open_.lower_bound(DeletionPlace{store::Partition{static_cast<uint16_t>(at->first.partition.number + 1)}, 0});
  }
  return oldest;
}

std::vector<OpenDeletions> DeletionGauges::Open(base::Instant now, base::Span near, base::Span far) const {
  base::MutexLock lock(mutex_);
  std::vector<OpenDeletions> all;
  for (const auto& [kind, of_kind] : kinds_) {
    OpenDeletions& open = all.emplace_back();
    open.cause = kind.first;
    open.regime = kind.second;
    open.requests = of_kind.requests;
    for (size_t index = 0; index < of_kind.due.size(); ++index) {
      open.deadlines[index] = of_kind.due[index].Count(now, near, far);
    }
  }
  return all;
}

std::vector<LateDeletion> DeletionGauges::Late(base::Instant now, size_t limit) const {
  base::MutexLock lock(mutex_);
  std::vector<LateDeletion> late;
  for (const auto& [due, of_then] : deadlines_[static_cast<size_t>(domain::DeadlineKind::kCompletion)]) {
    if (due > now) break;
    for (const DeletionPlace& place : of_then) {
      if (late.size() >= limit) return late;
      const OpenRequest& open = open_.at(place);
      late.push_back({place, open.subject, open.cause, open.regime});
    }
  }
  return late;
}

std::vector<EndedDeletions> DeletionGauges::EndedThisQuarter(base::Instant now) const {
  const int quarter = QuarterOf(now);
  base::MutexLock lock(mutex_);
  std::vector<EndedDeletions> all;
  for (const auto& [key, ended] : ended_) {
    if (key.first == quarter) all.push_back({key.second.first, key.second.second, ended.in_time, ended.late});
  }
  return all;
}

DeletionGauges::Outcomes DeletionGauges::outcomes(domain::SystemNumber system) const {
  base::MutexLock lock(mutex_);
  const auto found = outcomes_.find(system);
  return found == outcomes_.end() ? Outcomes{} : found->second;
}

DeletionGauges::Exempt DeletionGauges::exempt(domain::SystemNumber system) const {
  base::MutexLock lock(mutex_);
  const auto found = exempt_.find(system);
  return found == exempt_.end() ? Exempt{} : found->second;
}

base::Instant DeletionGauges::FirstVerified(const std::vector<DeletionPlace>& places) const {
  base::MutexLock lock(mutex_);
  base::Instant first;
  for (const DeletionPlace& place : places) {
    const auto found = open_.find(place);
    if (found == open_.end()) continue;
    const base::Instant verified = found->second.verified_at;
    if (verified.IsSet() && (!first.IsSet() || verified < first)) first = verified;
  }
  return first;
}

DeletionGauges::Completions DeletionGauges::completions() const {
  base::MutexLock lock(mutex_);
  return completions_;
}

}  // namespace consent::service
