// Appeals and complaints about a deletion request: received, acknowledged, answered, each with its day. Pure.
//
// A request keeps up to kMaxAppeals of them, and at most one of them is open, the last. None of them changes the
// request: where a denial was wrong, a new request is received and verified.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/time.h"
#include "daemon/domain/deadlines.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"

namespace consent::domain {

inline constexpr size_t kMaxAppeals = 16;

// Numbers equal those of consent.v1 and are on disk.
enum class AppealKind : uint8_t { kMissing = 0, kAppeal = 1, kComplaint = 2 };
enum class AppealOutcome : uint8_t { kMissing = 0, kGranted = 1, kGrantedInPart = 2, kRejected = 3, kWithdrawn = 4 };

struct Appeal {
  AppealKind kind = AppealKind::kMissing;
  Instant received_at;  // deadlines run from it
  Instant acknowledge_by;
  Instant answer_by;
  Instant acknowledged_at;                          // unset: nobody has said so
  Instant answered_at;                              // unset: it is open
  AppealOutcome outcome = AppealOutcome::kMissing;  // kMissing as long as it is open
  std::string answer;                               // in words, without ids; at most base::kMaxReasonBytes
  bool operator==(const Appeal&) const = default;
  bool IsOpen() const { return !answered_at.IsSet(); }
};

// What an open appeal can be late for.
enum class AppealDeadline : uint8_t { kAcknowledgement = 0, kAnswer = 1 };
inline constexpr std::array kAppealDeadlines = {AppealDeadline::kAcknowledgement, AppealDeadline::kAnswer};
// Until when it must be done; nothing: it is done.
std::optional<Instant> DeadlineOf(const Appeal& appeal, AppealDeadline kind);
bool IsLate(const Appeal& appeal, AppealDeadline kind, Instant now);

// The one that is open; nullptr: none is.
const Appeal* OpenAppeal(const std::vector<Appeal>& appeals);

// What is said of an appeal.
struct AppealWord {
  AppealKind kind = AppealKind::kMissing;           // of a receipt
  Instant at = {};                                  // when it was so; unset: now
  AppealOutcome outcome = AppealOutcome::kMissing;  // of an answer
  std::string answer = {};                          // of an answer
};

// Why it was refused. kNone: done, or it was said before.
enum class AppealRefusal : uint8_t { kNone = 0, kNotDenied, kNoneOpen, kTooMany, kTime };

// Somebody appeals against the denial of a request (only a denied one: kNotDenied), or complains about it. While one is
// open, what comes is part of it and changes nothing. `since`: the end of a denied request for an appeal, else its
// receipt; `word.at` lies not before it and not after the wall (kTime). Deadlines by `rules`.
AppealRefusal ReceiveAppeal(std::vector<Appeal>& appeals, const AppealWord& word, bool is_denied, Instant since,
                            const Moment& moment, const DeadlineRules& rules);
// Whoever appealed was told that it was received: not before that and not after the wall (kTime). The first word stays.
// kNoneOpen: there is no appeal, or the last was answered without it.
AppealRefusal AcknowledgeAppeal(std::vector<Appeal>& appeals, const AppealWord& word, const Moment& moment);
// It is answered; whoever gets an answer needs no acknowledgement any more. The first word stays. kNoneOpen: there is
// no appeal.
AppealRefusal AnswerAppeal(std::vector<Appeal>& appeals, const AppealWord& word, const Moment& moment);

}  // namespace consent::domain
