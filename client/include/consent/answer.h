// What the daemon answered about one recording, in a form that cannot be read as a yes unless it was one.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "consent/clock.h"
#include "consent/export.h"
#include "consent/types.h"

namespace consent {

// An immutable value; thread-safe. A default-constructed one is a no, and so is one for which anything went wrong: an
// error, a missing reply, a value that this library does not know, an answer that contradicts itself.
//
// An answer has two sides. What the daemon said stays as it was said, for ever: eligibility, disposition, reasons,
// times. Beside it stands whether it is fresh: until the daemon's good_until, measured by this machine's CLOCK_BOOTTIME
// from the moment of sending, so clocks need not agree. Only MayUse asks for both. An answer may be over at once
// (good_until = checked_at, as under a hold whose capture lies ahead of the server's clock): it is never fresh, and
// still says what it says. Keep a yes no longer than needed; a change may end it sooner.
class CONSENT_EXPORT Answer {
 public:
  Answer() = default;

  // There is no "truth" of an answer: ask MayUse for the purpose at hand.
  explicit operator bool() const = delete;
  bool operator!() const = delete;

  // True only if the daemon was asked for this very purpose, said ELIGIBLE and KEEP by consent or default, and the
  // answer is fresh. The place is the one that was asked about.
  bool MayUse(Purpose purpose) const;

  // True only if the daemon said PURGE, however long ago: what must be purged does not come back, but a legal hold may
  // have been placed since. Who purges much later asks again.
  bool MustPurge() const { return disposition_ == Disposition::kPurge; }

  // True until the life that the daemon gave this answer is over.
  bool IsFresh() const;

  // What the daemon said, fresh or not; kUnset where there is no answer, and without a purpose for the eligibility.
  Eligibility eligibility() const { return eligibility_; }
  Disposition disposition() const { return disposition_; }

  // Most important first; what the daemon gave as reasons when it answered.
  const std::vector<Reason>& reasons() const { return reasons_; }
  // Which facts MISSING_FACT means; only where the question was `full`. kUnset: one that this library does not know.
  const std::vector<MissingFact>& missing_facts() const { return missing_facts_; }
  // The subject's revision; only where the question was `full`.
  const std::string& revision() const { return revision_; }
  // Which policy decided: version and SHA-256 (32 bytes).
  const std::string& policy_version() const { return policy_version_; }
  const std::string& policy_hash() const { return policy_hash_; }
  // By the daemon's clock, for showing.
  Time checked_at() const { return checked_at_; }
  Time good_until() const { return good_until_; }

  // Why there is no answer; OK where there is one, be it yes or no.
  const absl::Status& error() const { return error_; }

 private:
  friend class AnswerMaker;

  Purpose purpose_ = Purpose::kUnset;
  Eligibility eligibility_ = Eligibility::kUnset;
  Disposition disposition_ = Disposition::kUnset;
  std::vector<Reason> reasons_;
  std::vector<MissingFact> missing_facts_;
  std::string revision_;
  std::string policy_version_;
  std::string policy_hash_;
  Time checked_at_{};
  Time good_until_{};
  // Null: never fresh.
  std::shared_ptr<const Clock> clock_;
  std::chrono::nanoseconds fresh_until_{0};
  absl::Status error_ = absl::UnknownError("nothing was asked");
};

// The answers to a batch whose call succeeded.
struct BatchAnswers {
  // As many as recordings were asked about, in their order.
  std::vector<Answer> answers;

  // How many of them are no answer, because the recording could not be asked about (Answer::error says why). Each is a
  // no, and none that the daemon said: a summary that counts refusals counts these apart.
  CONSENT_EXPORT size_t Unanswered() const;
};

}  // namespace consent
