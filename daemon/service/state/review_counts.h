// What became of review grants, for metrics: which are open, how the others came to their end, and what was refused.
// Grants follow their rows, and open ones are found again at the start; all else counts since the process began.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "daemon/base/mutex.h"
#include "daemon/base/trusted_clock.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/review.h"

namespace consent::service {

// Thread-safe.
class ReviewCounts {
 public:
  // Open grants that are known, about 250 bytes each; what is given beyond is counted, and never as open.
  static constexpr size_t kMostOpen = 200'000;
  static constexpr size_t kOutcomes = static_cast<size_t>(domain::ReviewOutcome::kNotRecorded) + 1;
  static constexpr size_t kGrantEnds = static_cast<size_t>(domain::GrantEnd::kOtherGrant) + 1;
  static constexpr size_t kTokenEnds = static_cast<size_t>(domain::TokenEnd::kRedeemed) + 1;
  static constexpr size_t kRefusals = static_cast<size_t>(domain::LeaseRefusal::kHeardOften) + 1;

  // What a commit did with a grant.
  enum class Use : uint8_t { kNone = 0, kOpen = 1, kRedeem = 2, kSubmit = 3, kRenew = 4 };
  static constexpr size_t kUses = 5;

  // A grant's row was committed under that key. Calls for one key come in the order of its commits. Answers what the
  // commit used it for.
  Use Follow(const std::string& key, const domain::ReviewGrant& grant, const base::TrustedClock& time) EXCLUDES(mutex_);
  // The row is gone.
  void Remove(const std::string& key) EXCLUDES(mutex_);
  // A grant's row as it is at the start: nothing is counted but that it is open, if it is.
  void Fill(const std::string& key, const domain::ReviewGrant& grant, const base::TrustedClock& time) EXCLUDES(mutex_);

  // `reason`: the first one, of kNotEligible.
  void NoteRefusedLease(domain::LeaseRefusal refusal, domain::Reason reason);
  void NoteRefusedUse(Use use, domain::GrantEnd end);
  // kNone: nothing that is signed here and for who redeems it.
  void NoteRefusedToken(domain::TokenEnd end);
  void NoteUseAfterRestriction(Use use);

  struct Given {
    uint64_t given = 0;
    // Nobody has ended these, and their time is not over. One that was restricted is among them until it is used, its
    // recording is granted anew, or its time is over: only who uses or lists it compares its numbers.
    uint64_t open = 0;
    std::array<uint64_t, kOutcomes> ended{};  // by their outcome
    uint64_t expired = 0;
    uint64_t replaced = 0;  // their recording was granted anew before their time was over: they had been restricted
    std::array<uint64_t, kUses> uses{};
  };
  // As of now: those whose time is over have expired.
  Given Count(const base::TrustedClock& time) const EXCLUDES(mutex_);

  uint64_t refused_leases(domain::LeaseRefusal refusal) const;
  uint64_t refused_leases(domain::Reason reason) const;
  uint64_t refused_uses(Use use, domain::GrantEnd end) const;
  uint64_t refused_tokens(domain::TokenEnd end) const;
  uint64_t uses_after_restriction(Use use) const;

 private:
  struct Open {
    uint64_t fence = 0;
    base::BootTime until;
    uint32_t opens = 0;
    uint32_t redeems = 0;
  };
  using OpenGrants = std::unordered_map<std::string, Open>;

  void Expire(const base::TrustedClock& time) const REQUIRES(mutex_);
  void Put(const std::string& key, const domain::ReviewGrant& grant, const base::TrustedClock& time) REQUIRES(mutex_);
  Use UseOf(const Open& before, const domain::ReviewGrant& grant) REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  // Who counts forgets what is over; so these change where somebody only looks.
  mutable OpenGrants open_ GUARDED_BY(mutex_);
  // Each open one stands at its end; one that was renewed, or is open no more, perhaps at an earlier one, too.
  mutable std::multimap<int64_t, std::string> by_end_ GUARDED_BY(mutex_);
  mutable Given counted_ GUARDED_BY(mutex_);
  std::array<std::atomic<uint64_t>, kRefusals> refused_leases_{};
  std::array<std::atomic<uint64_t>, domain::kReasons> refused_reasons_{};
  std::array<std::array<std::atomic<uint64_t>, kGrantEnds>, kUses> refused_uses_{};
  std::array<std::atomic<uint64_t>, kTokenEnds> refused_tokens_{};
  std::array<std::atomic<uint64_t>, kUses> after_restriction_{};
};

}  // namespace consent::service
