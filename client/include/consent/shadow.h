// Shadow mode: asks, counts and blocks nothing, so that a running pipeline learns what consentd would refuse before it
// is obeyed. It says so aloud, and it ends by itself: from a day that is named on, the same calls are enforced.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/client.h"
#include "consent/export.h"

namespace consent {

// No trial may end later than so long after it was begun.
inline constexpr std::chrono::hours kLongestShadow{31 * 24};

// Whether a trial is still on. Immutable; thread-safe. A default-constructed one never was.
class ShadowTrial {
 public:
  ShadowTrial() = default;
  ShadowTrial(std::shared_ptr<const Clock> clock, std::chrono::nanoseconds end) : clock_(std::move(clock)), end_(end) {}
  bool IsOn() const { return clock_ != nullptr && clock_->SinceBoot() < end_; }

 private:
  std::shared_ptr<const Clock> clock_;
  std::chrono::nanoseconds end_{0};
};

// What a pipeline does with a recording in shadow mode. It is no Answer, cannot be made one and cannot be passed where
// one is expected: nothing is allowed by it. A default-constructed one blocks. An immutable value; thread-safe.
class ShadowAnswer {
 public:
  ShadowAnswer() = default;

  explicit operator bool() const = delete;
  bool operator!() const = delete;

  // Whether to leave the recording out, now. While the trial is on: never, whatever the daemon said or did not say.
  // Once it is over: always, unless the daemon said yes and that is fresh (Answer::MayUse).
  bool Blocks() const { return !trial_.IsOn() && !answer_.MayUse(purpose_); }

  // Whether it would have been left out when it was answered, had the trial been over.
  bool WouldBlock() const { return would_block_; }
  // What the daemon said; empty and kUnset where there was no answer.
  const std::vector<Reason>& reasons() const { return answer_.reasons(); }
  const std::vector<MissingFact>& missing_facts() const { return answer_.missing_facts(); }
  Disposition disposition() const { return answer_.disposition(); }
  // Why there is no answer; OK where there is one.
  const absl::Status& error() const { return answer_.error(); }

 private:
  friend class Shadow;
  ShadowAnswer(Answer answer, Purpose purpose, ShadowTrial trial)
      : answer_(std::move(answer)),
        purpose_(purpose),
        trial_(std::move(trial)),
        would_block_(!answer_.MayUse(purpose)) {}

  Answer answer_;
  Purpose purpose_ = Purpose::kUnset;
  ShadowTrial trial_;
  bool would_block_ = true;
};

// asked = would_pass + would_block + unanswered. Of a trial and of what came after it.
struct ShadowCounts {
  uint64_t asked = 0;
  uint64_t would_pass = 0;
  uint64_t would_block = 0;
  // No answer: it would have been left out, too.
  uint64_t unanswered = 0;
  // By the most important reason; kUnset: a yes that was too old, or what this library does not know.
  std::map<Reason, uint64_t> by_reason;
  // A recording may lack several.
  std::map<MissingFact, uint64_t> missing_facts;
};

struct ShadowOptions {
  // The trial's end, by the wall clock as it is when Shadow is made; from then on it is counted by `clock`, so that
  // setting the wall clock back does not prolong it. At most kLongestShadow ahead. In the past: it is over, and every
  // call is enforced. A constant of the program or its configuration, not a span from its start: that would begin a new
  // trial with each restart.
  Time until{};
  // Gets a line without ids when the trial begins, when it ends, each hour in between and when Shadow is destroyed.
  // Called from the threads that ask. Absent: standard error.
  std::function<void(const std::string& line)> say;
  // Absent: the system's.
  std::function<Time()> wall_clock;
  std::shared_ptr<const Clock> clock;
};

// Asks as Client does and blocks as ShadowAnswer says. A yes for a purpose that the policy marks goes on record as
// ever: the daemon gave it. A no leaves no record, so what is used against it while the trial is on is found by
// `consentctl decisions verify --heard`, as what was heard without a yes. Thread-safe.
class CONSENT_EXPORT Shadow {
 public:
  // `client` must outlive it. InvalidArgument: `until` is more than kLongestShadow ahead.
  static absl::StatusOr<std::unique_ptr<Shadow>> Create(Client& client, ShadowOptions options);
  ~Shadow();
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;

  // As Client::Check and BatchCheck, always with every reason. As many answers as recordings, in their order, also
  // where the call failed.
  ShadowAnswer Check(const Recording& recording, Question question, const CallOptions& options = {});
  std::vector<ShadowAnswer> BatchCheck(const std::vector<Recording>& recordings, Question question,
                                       const CallOptions& options = {});

  // False: every answer is enforced.
  bool IsOn() const;
  ShadowCounts counts() const;

 private:
  class State;
  Shadow(Client& client, std::unique_ptr<State> state);

  Client& client_;
  const std::unique_ptr<State> state_;
};

}  // namespace consent
