// How long and how many: every bound of a request that both the daemon and a client's reader, flag or file checks. Said
// here once, so that a client takes nothing that the daemon then refuses. The bounds of ids are in ids.h, of times in
// time.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace consent::base {

inline constexpr size_t kMaxRequestIdBytes = 64;
inline constexpr size_t kMaxTokenBytes = 128;   // revisions, etags, page tokens
inline constexpr size_t kMaxNameBytes = 64;     // controls, notice and policy versions, sites, time zones, data systems
inline constexpr size_t kMinLanguageBytes = 2;  // BCP 47
inline constexpr size_t kMaxLanguageBytes = 35;
inline constexpr size_t kMaxReferenceBytes = 256;  // of evidence
inline constexpr size_t kMaxReasonBytes = 256;     // why something is suspended, denied, held, retired, or failed
inline constexpr size_t kMaxNoteBytes = 1'024;     // what was done about a SAFETY flag
inline constexpr size_t kMaxAuthorityBytes = 128;  // who ordered a hold

inline constexpr int kMaxParts = 64;     // changes or targets of one call
inline constexpr int kMaxBatch = 1'000;  // recordings of one call; no list of any request may be longer
inline constexpr int kMaxPageSize = 1'000;
inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxTasks = 100;                    // in one lease or report
inline constexpr size_t kMaxSelectedRecordings = 1'000;  // of one deletion or hold
inline constexpr size_t kMaxProfiles = 64;               // of a subject, and as many devices
inline constexpr int kMaxNamedProfiles = 8;              // of one recording
inline constexpr int kMaxNamedFlags = 8;

inline constexpr int kMaxRetentionMonths = 120;
inline constexpr int64_t kMaxUncertaintyMs = 86'400'000;
inline constexpr int kMaxVisibilitySeconds = 43'200;
inline constexpr int kMaxWaitSeconds = 60;
inline constexpr int64_t kMaxArrivalSeconds = int64_t{90} * 86'400;
inline constexpr int64_t kMaxErasedCount = 1'000'000'000'000;
inline constexpr size_t kMaxPolicyBytes = size_t{512} * 1024;  // of a policy file
inline constexpr int kMaxLoosens = 1'000;                      // loosenings that an activation names
inline constexpr size_t kMaxLooseningBytes = 2'048;            // of one
inline constexpr int kMaxCountSeconds = 300;                   // for which subjects are counted
inline constexpr int kMaxFailures = 1'000'000;

inline constexpr size_t kMaxAttestedByBytes = 128;  // who attests a data system's retention
inline constexpr int kMaxAttestationDays = 366;     // ahead
inline constexpr int kMaxHoldReviewDays = 366;      // ahead, so that each hold is looked at yearly
inline constexpr int kDefaultHoldReviewDays = 180;  // where nobody says when
// A false wake may live for 90 days at most, so a rarer sweep would keep it twice as long.
inline constexpr int kMaxSweepDays = 90;

}  // namespace consent::base
