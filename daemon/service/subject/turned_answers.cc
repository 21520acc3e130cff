#include "daemon/service/subject/turned_answers.h"

#include <sys/resource.h>

#include <memory>
#include <utility>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/policy/state.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr size_t kAtATime = 256;
constexpr base::Span kCapturedAfter = base::Hours(1);
constexpr base::Span kAskedAfter = base::Seconds(60);
constexpr int kLowPriority = 10;

domain::RecordingFacts CleanRecording(base::Instant captured_at) {
  domain::RecordingFacts recording;
  recording.captured_at = captured_at;
  recording.has_uncertainty = true;  // none
  recording.wake = domain::Wake::kButton;
  recording.kind = domain::Kind::kCommand;
  recording.speakers = domain::Speakers::kOne;
  recording.identity = domain::Identity::kMatched;
  recording.age = domain::SpeakerAge::kAdult;
  return recording;
}

}  // namespace

TurnCounter::TurnCounter(const domain::Rules& before, const domain::Rules& after, base::Instant activated_at)
    : before_(before),
      after_(after),
      captured_at_(activated_at + kCapturedAfter),
      now_(base::Now::Sure(captured_at_ + kAskedAfter)) {}

domain::Place TurnCounter::PlaceOf(domain::Region region) const {
  const domain::Regime& before = before_.regimes[before_.ForRegion(region).regime];
  const domain::Regime& after = after_.regimes[after_.ForRegion(region).regime];
  domain::Place place;
  place.country = region.Country();
  place.site = !before.sites.empty() ? before.sites.front() : !after.sites.empty() ? after.sites.front() : "any";
  place.reviewer_class =
      before.employees || after.employees ? domain::ReviewerClass::kEmployee : domain::ReviewerClass::kContractor;
  return place;
}

void TurnCounter::Count(const domain::SubjectFacts& facts) {
  ++counts_.examined;
  const domain::Place place = PlaceOf(facts.region);
  domain::RecordingFacts recording = CleanRecording(captured_at_);
  std::array<bool, domain::kPurposes> to_eligible{};
  std::array<bool, domain::kPurposes> to_not_eligible{};
  const auto ask = [&] {
    for (const domain::Purpose purpose : domain::kAllPurposes) {
      const auto eligible = [&](const domain::Rules& rules) {
        return domain::Decide(&facts, {}, {recording, purpose, place, now_}, rules).eligibility ==
               domain::Eligibility::kEligible;
      };
      const bool before = eligible(before_);
      const bool after = eligible(after_);
      const size_t i = static_cast<size_t>(purpose) - 1;
      to_eligible[i] = to_eligible[i] || (!before && after);
      to_not_eligible[i] = to_not_eligible[i] || (before && !after);
    }
  };
  bool has_profile = false;
  for (const domain::ScopeFacts& scope : facts.scopes) {
    if (scope.kind != domain::ScopeKind::kProfile || !scope.registered) continue;
    has_profile = true;
    recording.profiles.assign(1, base::ProfileHandle{scope.handle});
    ask();
  }
  if (!has_profile) {
    // Nobody is there whom the voice could match.
    recording.identity = domain::Identity::kNotRun;
    ask();
  }
  for (size_t i = 0; i < counts_.by_purpose.size(); ++i) {
    counts_.by_purpose[i].to_eligible += to_eligible[i] ? 1 : 0;
    counts_.by_purpose[i].to_not_eligible += to_not_eligible[i] ? 1 : 0;
  }
}

absl::StatusOr<TurnedCounts> TurnedAnswers::CountAll(const policy::Document& next,
                                                     const std::function<bool()>& goes_on) const {
  const std::shared_ptr<const policy::PolicyRow> current = core_.policies.current();
  const std::shared_ptr<const domain::Rules> before = core_.policies.rules();
  if (current == nullptr || before == nullptr) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
  }
  const base::Instant now = core_.Now();
  const absl::StatusOr<policy::State> state = policy::Advance(current->state, next, now, &current->document);
  if (!state.ok()) return wire::MakeError(v1::ERROR_REASON_POLICY_REFUSED, std::string(state.status().message()));
  const domain::Rules after = policy::BuildRules(next, *state, before->suspensions);
  TurnCounter counter(*before, after, now);
  FactsIndex::Cursor cursor;
  std::vector<FactsIndex::Copy> copies;
  domain::SubjectFacts facts;
  while (goes_on()) {
    copies.clear();
    if (!core_.index.CopyNext(&cursor, kAtATime, &copies)) break;
    for (const FactsIndex::Copy& copy : copies) {
      if (!domain::DecodeFacts(copy.facts, &facts)) continue;
      if (facts.has_more_tombstones) facts.cover = core_.index.FindTombstones(copy.subject);
      counter.Count(facts);
    }
  }
  return counter.counts();
}

void TurnedAnswers::Count(const policy::Document& next, std::function<bool()> goes_on, Done done) {
  const auto told = std::make_shared<Done>(std::move(done));
  const bool taken = pool_.Post([this, next, goes_on = std::move(goes_on), told] {
    // Of this thread alone, as Linux has it.
    (void)setpriority(PRIO_PROCESS, 0, kLowPriority);
    (*told)(CountAll(next, goes_on));
  });
  if (!taken) (*told)(wire::OverloadedError("two policies are being tried already; ask again later"));
}

}  // namespace consent::service
