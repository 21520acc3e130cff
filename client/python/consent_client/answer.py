"""What the daemon answered about one recording, in a form that cannot be read as a yes unless it is one."""

from __future__ import annotations

import dataclasses
import time
from typing import Callable, Optional, Sequence

from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import types_pb2 as types

# Nanoseconds of a clock that goes on while the machine sleeps. Not that of CLOCK_MONOTONIC on Linux, which stands still then.
Clock = Callable[[], int]

_LONGEST_LIFE_US = 24 * 3600 * 1_000_000  # no policy may let an answer live longer, so a longer one is a mistake
_REASONS_OF_A_YES = (types.REASON_CONSENT, types.REASON_DEFAULT)


def since_boot() -> int:
    """CLOCK_BOOTTIME; where there is none (macOS), CLOCK_MONOTONIC, which counts sleep there."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclasses.dataclass(frozen=True)
class ItemError:
    """Why the daemon could not be asked about one recording of a batch. `reason` is an ErrorReason without its prefix."""
    reason: str
    message: str


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """An immutable value, safe to share between threads. `Answer()` is a no.

    What the daemon said stays as it was said: eligibility, disposition, reasons, times. A yes counts only while it is fresh: until the
    daemon's good_until, measured by this machine's clock from the moment of sending, so the two clocks need not agree.
    """
    purpose: int = types.PURPOSE_UNSPECIFIED  # what was asked
    eligibility: int = types.ELIGIBILITY_UNSPECIFIED
    disposition: int = types.DISPOSITION_UNSPECIFIED
    reasons: Sequence[int] = ()  # most important first
    revision: str = ""  # of the subject; only where the question was `full`
    policy_version: str = ""
    policy_hash: bytes = b""
    checked_at_us: int = 0  # microseconds since 1970 by the daemon's clock, for showing
    good_until_us: int = 0
    error: Optional[ItemError] = None  # why there is no answer about this recording; None where there is one, be it yes or no
    _clock: Clock = dataclasses.field(default=since_boot, repr=False)
    _fresh_until: int = dataclasses.field(default=0, repr=False)

    def may_use(self, purpose: int) -> bool:
        """True only if the daemon was asked for this very purpose, said ELIGIBLE and KEEP by consent or default, and the answer is fresh."""
        return (purpose != types.PURPOSE_UNSPECIFIED and purpose == self.purpose and self.eligibility == types.ELIGIBILITY_ELIGIBLE
                and self.disposition == types.DISPOSITION_KEEP and bool(self.reasons)
                and all(reason in _REASONS_OF_A_YES for reason in self.reasons) and self.is_fresh())

    def must_purge(self) -> bool:
        """True only if the daemon said PURGE, however long ago. A legal hold may have been placed since: who purges much later asks again."""
        return self.disposition == types.DISPOSITION_PURGE

    def is_fresh(self) -> bool:
        """True until the life that the daemon gave this answer is over."""
        return self._clock() < self._fresh_until

    def reason_names(self) -> list[str]:
        """The reasons without their prefix, such as WITHDRAWN; of one that this version does not know its number."""
        return [types.Reason.Name(reason).removeprefix("REASON_") if reason in types.Reason.values() else str(reason) for reason in self.reasons]

    def __bool__(self) -> bool:
        raise TypeError("an answer is neither true nor false: ask may_use(purpose), or must_purge()")


def answer_of(decision: eligibility.Decision, response: eligibility.CheckResponse | eligibility.BatchCheckResponse, purpose: int, sent: int,
              clock: Clock) -> Answer:
    """Of a reply to a question that was sent when the clock said `sent`."""
    checked_at = response.checked_at.ToMicroseconds() if response.HasField("checked_at") else 0
    # Differences of the daemon's own times only: this machine's wall clock plays no part.
    life_us = decision.good_until_us - checked_at if 0 < checked_at < decision.good_until_us else 0
    return Answer(purpose=purpose, eligibility=decision.eligibility, disposition=decision.disposition, reasons=tuple(decision.reasons),
                  revision=decision.revision, policy_version=response.policy_version, policy_hash=response.policy_hash, checked_at_us=checked_at,
                  good_until_us=decision.good_until_us, _clock=clock, _fresh_until=sent + min(life_us, _LONGEST_LIFE_US) * 1000 if life_us else 0)


def answer_to_item(result: eligibility.BatchCheckResult, response: eligibility.BatchCheckResponse, purpose: int, sent: int, clock: Clock) -> Answer:
    """Of one result of a batch."""
    kind = result.WhichOneof("result")
    if kind == "decision":
        return answer_of(result.decision, response, purpose, sent, clock)
    if kind == "error":
        return Answer(purpose=purpose, error=ItemError(result.error.reason, result.error.message))
    return Answer(purpose=purpose, error=ItemError("INTERNAL", "the daemon left this recording without a decision"))
