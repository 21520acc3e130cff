#include "tests/simulation/review_log.h"

#include <algorithm>
#include <map>
#include <set>

namespace consent::simulation {
namespace {

constexpr base::Span kLife = base::Seconds(30 * 60);
constexpr const char* kNames[kUseKinds] = {"open", "redeem", "submit", "renew", "end"};

bool Touches(const Restricting& restriction, const GivenGrant& grant) {
  if (!restriction.account.empty()) return restriction.account == grant.account;
  return restriction.reviewer.empty() || restriction.reviewer == grant.reviewer;
}

std::string Tell(const GivenGrant& grant) {
  return grant.account + "/" + grant.recording + " fence " + std::to_string(grant.fence) + ", given at " +
         std::to_string(grant.lease.began) + ".." + std::to_string(grant.lease.ended);
}

std::string Tell(const GoodUse& use, const GivenGrant& grant) {
  return std::string(kNames[static_cast<int>(use.kind)]) + " at " + std::to_string(use.during.began) + ".." +
         std::to_string(use.during.ended) + " of " + Tell(grant);
}

// Until when it lives at the longest, as far as renewals that ended before `moment` tell.
base::Span LatestEnd(const ReviewLog& log, size_t grant, int64_t moment) {
  base::Span end{log.grants[grant].lease.boot_ended.micros + kLife.micros};
  for (const GoodUse& use : log.uses) {
    if (use.grant != grant || use.kind != UseKind::kRenew || use.during.began > moment) continue;
    end.micros = std::max(end.micros, use.during.boot_ended.micros + kLife.micros);
  }
  return end;
}

// Answered as the submission before it was.
bool IsRepeatedSubmission(const ReviewLog& log, const GoodUse& use) {
  return use.kind == UseKind::kSubmit && std::any_of(log.uses.begin(), log.uses.end(), [&](const GoodUse& before) {
           return before.kind == UseKind::kSubmit && before.grant == use.grant &&
                  before.during.ended < use.during.ended;
         });
}

std::string WrongUse(const ReviewLog& log, const GoodUse& use) {
  const GivenGrant& grant = log.grants[use.grant];
  if (use.kind == UseKind::kEnd) return "";  // needs no live grant
  const bool is_repeated = IsRepeatedSubmission(log, use);
  for (const Restricting& restriction : log.restrictions) {
    const bool was_before = restriction.is_acknowledged && restriction.during.ended <= use.during.commits_after;
    if (was_before && !is_repeated && grant.lease.ended < restriction.during.began && Touches(restriction, grant)) {
      return Tell(use, grant) + " after a restriction at " + std::to_string(restriction.during.began) + ".." +
             std::to_string(restriction.during.ended);
    }
  }
  if (!is_repeated && use.during.boot_began >= LatestEnd(log, use.grant, use.during.ended))
    return Tell(use, grant) + " after its time";
  for (const GivenGrant& other : log.grants) {
    const bool follows = other.account == grant.account && other.recording == grant.recording &&
                         other.fence > grant.fence && other.lease.ended < use.during.began;
    if (follows) return Tell(use, grant) + " after " + Tell(other);
  }
  for (const GoodUse& end : log.uses) {
    const bool is_over = end.grant == use.grant && end.during.ended < use.during.began &&
                         (end.kind == UseKind::kEnd || end.kind == UseKind::kSubmit) && use.kind != UseKind::kSubmit;
    if (is_over) return Tell(use, grant) + " after its " + kNames[static_cast<int>(end.kind)];
  }
  return "";
}

// Surely live all the time that `later` was leased.
bool IsSurelyLive(const ReviewLog& log, size_t grant, const GivenGrant& later) {
  const GivenGrant& one = log.grants[grant];
  if (one.lease.ended >= later.lease.began) return false;
  if (later.lease.boot_ended.micros >= one.lease.boot_began.micros + kLife.micros) return false;
  for (const Restricting& restriction : log.restrictions) {
    const bool may_be_between =
        restriction.during.ended > one.lease.began && restriction.during.began < later.lease.ended;
    if (may_be_between && Touches(restriction, one)) return false;
  }
  return std::none_of(log.uses.begin(), log.uses.end(), [&](const GoodUse& use) {
    return use.grant == grant && (use.kind == UseKind::kEnd || use.kind == UseKind::kSubmit) &&
           use.during.began < later.lease.ended;
  });
}

std::string WrongLease(const ReviewLog& log, size_t later) {
  const GivenGrant& grant = log.grants[later];
  for (size_t i = 0; i < log.grants.size(); ++i) {
    const GivenGrant& other = log.grants[i];
    if (i == later || other.account != grant.account || other.recording != grant.recording) continue;
    if (other.fence == grant.fence) return "two of one fence: " + Tell(grant) + " and " + Tell(other);
    if (IsSurelyLive(log, i, grant)) return "two live: " + Tell(grant) + " beside " + Tell(other);
  }
  for (const Restricting& out : log.restrictions) {
    if (!out.is_opt_out || !out.is_acknowledged || out.account != grant.account) continue;
    if (out.during.ended > grant.lease.commits_after) continue;
    const bool is_in_again = std::any_of(log.opt_ins.begin(), log.opt_ins.end(), [&](const OptingIn& in) {
      return in.account == grant.account && in.during.ended > out.during.began && in.during.began < grant.lease.ended;
    });
    if (!is_in_again) return Tell(grant) + " after an opt-out";
  }
  return "";
}

}  // namespace

std::string WhatIsWrong(const ReviewLog& log) {
  std::set<std::string> redeemed;
  for (const GoodUse& use : log.uses) {
    if (std::string wrong = WrongUse(log, use); !wrong.empty()) return wrong;
    if (use.kind == UseKind::kRedeem && !redeemed.insert(use.token).second) return "a token was redeemed twice";
  }
  for (size_t i = 0; i < log.grants.size(); ++i) {
    if (std::string wrong = WrongLease(log, i); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace consent::simulation
