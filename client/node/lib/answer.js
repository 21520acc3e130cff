"use strict";
// What the daemon answered about one recording, in a form that cannot be read as a yes unless it is one.

const os = require("node:os");

const LONGEST_LIFE_MS = 24 * 3600 * 1000; // no policy may let an answer live longer, so a longer one is a mistake
const REASONS_OF_A_YES = ["REASON_CONSENT", "REASON_DEFAULT"];

/** @typedef {import("../generated/consent/v1/Decision").Decision__Output} Decision */
/** @typedef {import("../generated/google/protobuf/Timestamp").Timestamp__Output} Timestamp */
/** @typedef {{policy_version: string, policy_hash: Buffer, checked_at: Timestamp | null}} Reply */
/** @typedef {() => () => number} StopWatch Starts; the function that it returns says how many milliseconds have passed. */

/**
 * The longer of two clocks: Node's own stands still while the machine sleeps, the machine's (CLOCK_BOOTTIME) has steps of 10 ms.
 * @type {StopWatch}
 */
function sinceBoot() {
  const [ownStart, machineStart] = [process.hrtime.bigint(), os.uptime()];
  return () => Math.max(Number(process.hrtime.bigint() - ownStart) / 1e6, (os.uptime() - machineStart) * 1000);
}

/** Milliseconds since 1970, to the microsecond; 0: absent. @param {Timestamp | null} time */
function millisecondsOf(time) {
  return time ? Number(time.seconds) * 1000 + Math.floor(time.nanos / 1000) / 1000 : 0;
}

/**
 * Immutable. What the daemon said stays as it was said: eligibility, disposition, reasons, times. A yes counts only while it is fresh: until the
 * daemon's good_until, measured by this machine's clock from the moment of sending, so the two clocks need not agree.
 *
 * An object is true in JavaScript, whatever it says: `if (answer)` is no question. Ask `mayUse(purpose)`, or let `client.eligible` ask.
 */
class Answer {
  #elapsed;
  #lifeMs;

  /**
   * @param {string} purpose what was asked
   * @param {Decision | undefined} decision undefined: there is none
   * @param {Reply} reply
   * @param {() => number} elapsed milliseconds since the question was sent
   * @param {{reason: string, message: string} | undefined} error
   */
  constructor(purpose, decision, reply, elapsed, error) {
    /** @readonly */
    this.purpose = purpose;
    /** @readonly */
    this.eligibility = decision?.eligibility ?? "ELIGIBILITY_UNSPECIFIED";
    /** @readonly */
    this.disposition = decision?.disposition ?? "DISPOSITION_UNSPECIFIED";
    /** @readonly Most important first; of one that this version does not know its number. */
    this.reasons = Object.freeze([...(decision?.reasons ?? [])]);
    /** @readonly Of the subject; only where the question was `full`. */
    this.revision = decision?.revision ?? "";
    /** @readonly */
    this.policyVersion = reply.policy_version;
    /** @readonly */
    this.policyHash = reply.policy_hash;
    /** @readonly Milliseconds since 1970 by the daemon's clock, for showing. */
    this.checkedAt = millisecondsOf(reply.checked_at);
    /** @readonly */
    this.goodUntil = Number(decision?.good_until_us ?? 0) / 1000;
    /** @readonly Why there is no answer about this recording; undefined where there is one, be it yes or no. */
    this.error = error;
    this.#elapsed = elapsed;
    // Differences of the daemon's own times only: this machine's wall clock plays no part.
    this.#lifeMs = this.checkedAt > 0 && this.goodUntil > this.checkedAt ? Math.min(this.goodUntil - this.checkedAt, LONGEST_LIFE_MS) : 0;
    Object.freeze(this);
  }

  /**
   * True only if the daemon was asked for this very purpose, said ELIGIBLE and KEEP by consent or default, and the answer is fresh.
   * @param {string} purpose such as PURPOSE_HUMAN_REVIEW
   * @returns {boolean}
   */
  mayUse(purpose) {
    return purpose !== "PURPOSE_UNSPECIFIED" && purpose === this.purpose && this.eligibility === "ELIGIBILITY_ELIGIBLE" &&
      this.disposition === "DISPOSITION_KEEP" && this.reasons.length > 0 && this.reasons.every((reason) => REASONS_OF_A_YES.includes(String(reason))) &&
      this.isFresh();
  }

  /** True only if the daemon said PURGE, however long ago. A legal hold may have been placed since: who purges much later asks again. */
  mustPurge() {
    return this.disposition === "DISPOSITION_PURGE";
  }

  /** True until the life that the daemon gave this answer is over. */
  isFresh() {
    return this.#elapsed() < this.#lifeMs;
  }

  /** The reasons without their prefix, such as WITHDRAWN. */
  reasonNames() {
    return this.reasons.map((reason) => String(reason).replace(/^REASON_/, ""));
  }

  /** @returns {never} */
  [Symbol.toPrimitive]() {
    throw new TypeError("an answer is neither true nor false: ask mayUse(purpose), or mustPurge()");
  }
}

module.exports = { Answer, sinceBoot };
