#include "daemon/domain/review.h"

#include <algorithm>

namespace consent::domain {
namespace {

bool IsStillNear(const Hearing& hearing, base::Date today) {
  return int64_t{hearing.day.days} + kDaysBetweenHearings > today.days;
}

// Which of the numbers has moved.
GrantEnd Moved(const ReviewNumbers& given, const ReviewNumbers& now) {
  if (given.subject != now.subject || given.accounts != now.accounts) return GrantEnd::kSubjectChanged;
  if (given.policy != now.policy) return GrantEnd::kPolicyChanged;
  if (given.suspensions != now.suspensions) return GrantEnd::kSuspensionsChanged;
  return given.revocations != now.revocations ? GrantEnd::kRevoked : GrantEnd::kNone;
}

// Of a grant that was given.
GrantEnd GrantEndOf(const ReviewGrant& grant, const ReviewNumbers& numbers, bool is_over) {
  if (grant.outcome == ReviewOutcome::kSubmitted) return GrantEnd::kSubmitted;
  if (grant.outcome != ReviewOutcome::kNone) return GrantEnd::kEnded;
  // What ended it for good is told before what would have ended it anyway.
  if (const GrantEnd moved = Moved(grant.numbers, numbers); moved != GrantEnd::kNone) return moved;
  if (is_over) return GrantEnd::kExpired;
  // The rule may say yes again by time alone; a draft that is being purged can be submitted no more.
  return grant.draft_was_late ? GrantEnd::kNotEligible : GrantEnd::kNone;
}

}  // namespace

uint8_t FlagsOf(ReviewOutcome outcome) {
  switch (outcome) {
    case ReviewOutcome::kCriticalData:
      return Flags::kCriticalData;
    case ReviewOutcome::kSafety:
      return Flags::kSafety;
    case ReviewOutcome::kChild:
      return Flags::kChildPresent;
    case ReviewOutcome::kAccidental:
      return Flags::kAccidental;
    case ReviewOutcome::kNone:
    case ReviewOutcome::kSubmitted:
    case ReviewOutcome::kInaudible:
    case ReviewOutcome::kSkipped:
    case ReviewOutcome::kNotRecorded:
      break;
  }
  return 0;
}

GrantState StateOf(const ReviewGrant& grant, const ReviewNumbers& numbers, bool is_over) {
  if (grant.fence == 0) return GrantState::kNone;
  switch (GrantEndOf(grant, numbers, is_over)) {
    case GrantEnd::kNone:
      return GrantState::kLive;
    case GrantEnd::kSubmitted:
      return GrantState::kSubmitted;
    case GrantEnd::kEnded:
      return GrantState::kEnded;
    case GrantEnd::kExpired:
      return GrantState::kExpired;
    default:
      return GrantState::kRestricted;
  }
}

GrantEnd Meant(const ReviewGrant& grant, const GrantName& name) {
  const bool is_meant = grant.fence != 0 && grant.fence == name.fence && grant.id == name.id;
  return is_meant ? GrantEnd::kNone : GrantEnd::kOtherGrant;
}

GrantEnd MayUse(const ReviewGrant& grant, const GrantName& name, const GrantStanding& standing) {
  if (const GrantEnd other = Meant(grant, name); other != GrantEnd::kNone) return other;
  if (const GrantEnd end = GrantEndOf(grant, standing.numbers, standing.is_over); end != GrantEnd::kNone) return end;
  return standing.is_eligible ? GrantEnd::kNone : GrantEnd::kNotEligible;
}

ReviewGrant GiveGrant(const ReviewGrant& before, const NewGrant& grant) {
  ReviewGrant given;
  given.id = grant.id;
  given.fence = before.fence + 1;
  given.numbers = grant.numbers;
  given.given_at = grant.now;
  given.expires_at = grant.now + kGrantLife;
  given.until = grant.until;
  given.media = grant.media;
  return given;
}

void OpenMedia(Instant now, const NewToken& token, ReviewGrant* grant) {
  if (!grant->opened_at.IsSet()) grant->opened_at = now;
  ++grant->opens;
  if (token.is_offline) ++grant->offline_opens;
  grant->token = token.nonce;
  grant->token_is_burned = false;
  grant->token_until = token.until;
}

TokenEnd RedeemToken(const base::Bytes16& token, bool token_is_over, ReviewGrant* grant) {
  if (grant->token != token || token == base::Bytes16{}) return TokenEnd::kReplaced;
  if (grant->token_is_burned) return TokenEnd::kRedeemed;
  if (token_is_over) return TokenEnd::kOver;
  grant->token_is_burned = true;
  ++grant->redeems;
  return TokenEnd::kNone;
}

GrantEnd RenewGrant(Instant now, const base::BootTime& until, ReviewGrant* grant) {
  if (grant->renewed) return GrantEnd::kRenewedBefore;
  grant->renewed = true;
  grant->until = until;
  grant->expires_at = now + kGrantLife;
  return GrantEnd::kNone;
}

bool IsSubmitted(const ReviewGrant& grant, const GrantName& name, const base::Digest& digest) {
  return Meant(grant, name) == GrantEnd::kNone && grant.outcome == ReviewOutcome::kSubmitted && grant.digest == digest;
}

bool LeavesDraft(GrantEnd end) {
  switch (end) {
    case GrantEnd::kExpired:
    case GrantEnd::kSubjectChanged:
    case GrantEnd::kPolicyChanged:
    case GrantEnd::kSuspensionsChanged:
    case GrantEnd::kRevoked:
    case GrantEnd::kNotEligible:
      return true;
    case GrantEnd::kNone:
    case GrantEnd::kSubmitted:
    case GrantEnd::kEnded:
    case GrantEnd::kRenewedBefore:
    case GrantEnd::kOtherGrant:
      break;
  }
  return false;
}

void SubmitGrant(const base::Digest& digest, ReviewGrant* grant) {
  grant->outcome = ReviewOutcome::kSubmitted;
  grant->digest = digest;
}

void EndGrant(ReviewOutcome outcome, ReviewGrant* grant) {
  if (grant->outcome == ReviewOutcome::kNone) grant->outcome = outcome;
}

MayHear CheckHearing(const std::vector<Hearing>& hearings, const base::Bytes16& reviewer, base::Date today) {
  size_t near = 0;
  for (const Hearing& hearing : hearings) {
    if (!IsStillNear(hearing, today)) continue;
    if (hearing.reviewer == reviewer) return MayHear::kRecently;
    ++near;
  }
  return near < kMaxHearings ? MayHear::kYes : MayHear::kOften;
}

uint64_t CountHearings(const std::vector<Hearing>& hearings, base::Date today) {
  return static_cast<uint64_t>(std::count_if(hearings.begin(), hearings.end(),
                                             [&](const Hearing& hearing) { return IsStillNear(hearing, today); }));
}

void NoteHearing(const base::Bytes16& reviewer, base::Date today, std::vector<Hearing>* hearings) {
  hearings->erase(std::remove_if(hearings->begin(), hearings->end(),
                                 [&](const Hearing& hearing) { return !IsStillNear(hearing, today); }),
                  hearings->end());
  hearings->push_back({reviewer, today});
}

}  // namespace consent::domain
