#include "client/cli/engines/fact_advice.h"

#include <algorithm>
#include <utility>

namespace consent::cli {
namespace {

// Their numbers lie below.
constexpr unsigned kFacts = 15;

// Reasons that can end once the fact is known.
const std::vector<Reason>& EndedBy(MissingFact fact) {
  // All that asks when the capture was: orders over a time, retention, regimes of regions that were left, who was an
  // adult.
  static const std::vector<Reason> kByTime = {Reason::kLegalHold,
                                              Reason::kDeleted,
                                              Reason::kAccountClosed,
                                              Reason::kRetentionExpired,
                                              Reason::kChildInactive,
                                              Reason::kPurposeEnded,
                                              Reason::kDeletionPending,
                                              Reason::kDeletionDenied,
                                              Reason::kSuspended,
                                              Reason::kChildWithoutGuardian,
                                              Reason::kSeveralSpeakers,
                                              Reason::kSpeakerUnmatched,
                                              Reason::kSpeakerNotIdentified,
                                              Reason::kMessagesNotAllowed,
                                              Reason::kNoConsent,
                                              Reason::kProfileWithoutConsent,
                                              Reason::kPlaceNotAllowed,
                                              Reason::kReviewerNotAllowed};
  // A child that is heard may be one with a guardian's consent, and who is not named no longer hides a refusal (E7).
  static const std::vector<Reason> kByName = {Reason::kChildWithoutGuardian, Reason::kMessagesNotAllowed};
  static const std::vector<Reason> kByDevice = {Reason::kMessagesNotAllowed};
  // The only profile of an account may be the one adult of E6.
  static const std::vector<Reason> kByRegistration = {Reason::kChildWithoutGuardian, Reason::kMessagesNotAllowed,
                                                      Reason::kSpeakerNotIdentified};
  static const std::vector<Reason> kNone;
  switch (fact) {
    case MissingFact::kCapturedAt:
      return kByTime;
    case MissingFact::kIdentity:
    case MissingFact::kProfileIds:
      return kByName;
    case MissingFact::kDeviceId:
      return kByDevice;
    case MissingFact::kUnregisteredScope:
      return kByRegistration;
    default:
      return kNone;
  }
}

bool IsMore(const FactAdvice::Gain& a, const FactAdvice::Gain& b) {
  if (a.nothing_else != b.nothing_else) return a.nothing_else > b.nothing_else;
  return a.at_most > b.at_most;
}

// All facts, those without which least is lost last: of those that are left the one goes whose loss leaves most. Of
// several the one with the highest number.
std::vector<unsigned> InOrder(const std::vector<FactAdvice::Gain>& sums, unsigned all) {
  std::vector<unsigned> order;
  for (unsigned left = all; left != 0;) {
    unsigned last = 0;
    for (unsigned rest = left; rest != 0; rest &= rest - 1) {
      const unsigned fact = rest & ~(rest - 1);
      if (last == 0 || !IsMore(sums[left & ~last], sums[left & ~fact])) last = fact;
    }
    order.insert(order.begin(), last);
    left &= ~last;
  }
  return order;
}

}  // namespace

FactSet::FactSet(const std::vector<MissingFact>& facts) {
  for (const MissingFact fact : facts) bits_ |= 1U << static_cast<unsigned>(fact);
}

FactSet FactSet::OfBits(unsigned bits) {
  FactSet set;
  set.bits_ = bits;
  return set;
}

size_t FactSet::Size() const { return static_cast<size_t>(__builtin_popcount(bits_)); }

std::vector<MissingFact> FactSet::Facts() const {
  std::vector<MissingFact> facts;
  for (unsigned rest = bits_; rest != 0; rest &= rest - 1) {
    facts.push_back(static_cast<MissingFact>(__builtin_ctz(rest)));
  }
  return facts;
}

bool CouldBeEligible(const std::vector<Reason>& reasons, FactSet missing) {
  if (missing.Empty()) return false;
  const std::vector<MissingFact> facts = missing.Facts();
  return std::all_of(reasons.begin(), reasons.end(), [&facts](Reason reason) {
    if (reason == Reason::kMissingFact) return true;
    return std::any_of(facts.begin(), facts.end(), [reason](MissingFact fact) {
      const std::vector<Reason>& ended = EndedBy(fact);
      return std::find(ended.begin(), ended.end(), reason) != ended.end();
    });
  });
}

void FactAdvice::Add(const std::vector<Reason>& reasons, FactSet missing) {
  if (missing.Empty()) return;
  if (!CouldBeEligible(reasons, missing)) {
    ++hopeless_;
    return;
  }
  Gain& gain = sets_[missing];
  ++gain.at_most;
  if (reasons.size() == 1) ++gain.nothing_else;
}

FactAdvice::Gain FactAdvice::With(FactSet facts) const {
  Gain sum;
  for (const auto& [set, gain] : sets_) {
    if ((set.bits() & ~facts.bits()) != 0) continue;
    sum.at_most += gain.at_most;
    sum.nothing_else += gain.nothing_else;
  }
  return sum;
}

std::vector<FactAdvice::Gain> FactAdvice::OfAllSets() const {
  // With() of every set at once, fact by fact.
  std::vector<Gain> sums(size_t{1} << kFacts);
  for (const auto& [set, gain] : sets_) sums[set.bits()] = gain;
  for (unsigned fact = 0; fact < kFacts; ++fact) {
    for (size_t set = 0; set < sums.size(); ++set) {
      if ((set >> fact & 1) == 0) continue;
      const Gain& without = sums[set & ~(size_t{1} << fact)];
      sums[set].at_most += without.at_most;
      sums[set].nothing_else += without.nothing_else;
    }
  }
  return sums;
}

std::vector<FactAdvice::Step> FactAdvice::Steps() const {
  const std::vector<Gain> sums = OfAllSets();
  unsigned all = 0;
  for (const auto& [set, gain] : sets_) all |= set.bits();
  std::vector<Step> steps;
  unsigned known = 0;
  unsigned added = 0;
  Gain before;
  for (const unsigned fact : InOrder(sums, all)) {
    known |= fact;
    added |= fact;
    const Gain& now = sums[known];
    // One alone may bring nothing: then it is of one step with the next.
    if (now.at_most == before.at_most) continue;
    steps.push_back({FactSet::OfBits(std::exchange(added, 0U)),
                     {now.at_most - before.at_most, now.nothing_else - before.nothing_else},
                     now});
    before = now;
  }
  return steps;
}

}  // namespace consent::cli
