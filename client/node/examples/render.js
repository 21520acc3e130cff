"use strict";
// The page as HTML. It shows what the daemon says and decides nothing.

const { wordsOf } = require("./words");

/** @typedef {import("../generated/consent/v1/GetSettingsResponse").GetSettingsResponse__Output} Reply */
/** @typedef {import("../generated/consent/v1/ControlSetting").ControlSetting__Output} Control */
/** @typedef {import("../generated/consent/v1/PurposeSetting").PurposeSetting__Output} Detail */

const STYLE = `body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222}
section{border:1px solid #bbb;border-radius:8px;padding:1rem 1.25rem;margin:1rem 0}h2{margin:0 0 .25rem;font-size:1.15rem}
.state{float:right;border-radius:1rem;padding:.1rem .8rem;font-weight:bold;background:#ddd}.ON{background:#bfe3c0}.PARTIAL{background:#ffe39b}
details{margin:.5rem 0}button{font:inherit;padding:.4rem 1.2rem}form{display:inline-block;margin-right:1rem}.said{background:#fff1c2;padding:.5rem 1rem}`;

/** @param {unknown} text */
function escaped(text) {
  return String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** @param {string} name @param {string} prefix */
const short = (name, prefix) => String(name).replace(prefix, "");

/** @param {Detail["scope"]} scope @param {ReturnType<typeof wordsOf>} words */
function whoOf(scope, words) {
  if (scope?.kind === "profile_id") return words.profile(scope.profile_id ?? "");
  return scope?.kind === "device_id" ? words.device(scope.device_id ?? "") : words.account;
}

/**
 * Which scopes and purposes a control is off for, and why: as the daemon says it, or by the settings in detail where it says none.
 * @param {any} control @param {Reply} reply @returns {(Detail & {uncovering_notice?: string})[]}
 */
function unreachedOf(control, reply) {
  if (control.unreached?.length) return control.unreached;
  return (reply.settings?.details ?? []).filter((detail) => control.purposes.includes(detail.purpose) && detail.effective !== "EFFECTIVE_ANSWER_ON");
}

/** One sentence for each scope and reason, with the purposes that it is about. @param {Control} control @param {Reply} reply */
function sentencesOf(control, reply, words) {
  const found = new Map();
  for (const { scope, purpose, reason, uncovering_notice } of unreachedOf(control, reply)) {
    const [who, why] = [whoOf(scope, words), short(reason, "REASON_")];
    const sentence = uncovering_notice ? words.uncovered(who) : words.because[why]?.(who) ?? words.otherwise(who, why);
    found.set(sentence, [...(found.get(sentence) ?? []), words.purposes[short(purpose, "PURPOSE_")] ?? purpose]);
  }
  return [...found].map(([sentence, purposes]) => `${sentence} (${purposes.join(", ")})`);
}

/** The notice to agree to: the first that can be used now. @param {Control} control @param {Reply} reply */
function noticeOf(control, reply) {
  return reply.settings?.notices.find((notice) => notice.text?.notice_version === control.notice_versions[0])?.text ?? undefined;
}

/** Until when the account's yes holds. @param {Control} control @param {Reply} reply */
function holdsUntil(control, reply, language) {
  const ends = (reply.settings?.details ?? []).filter((detail) => control.purposes.includes(detail.purpose) && detail.holds_until)
    .map((detail) => Number(detail.holds_until?.seconds) * 1000);
  return ends.length ? new Date(Math.min(...ends)).toLocaleDateString(language, { dateStyle: "long", timeZone: "UTC" }) : undefined;
}

function buttonsOf(control, reply, words) {
  const hidden = (name, value) => `<input type="hidden" name="${name}" value="${escaped(value)}">`;
  const form = (turn, label, more = "") =>
    `<form method="post" action="/turn">${hidden("control", control.control)}${hidden("turn", turn)}${more}<button>${escaped(label)}</button></form>`;
  const notice = noticeOf(control, reply);
  const parts = [];
  if (control.effective !== "EFFECTIVE_ANSWER_ON") {
    parts.push(notice === undefined ? `<p>${escaped(words.notOffered)}</p>` :
      `<details open><summary>${escaped(notice.title)}</summary><p lang="${escaped(notice.language)}">${escaped(notice.sentence)}</p></details>` +
      form("on", words.turnOn, hidden("etag", reply.etag) + hidden("notice", notice.notice_version) + hidden("language", notice.language)));
  }
  if (control.effective !== "EFFECTIVE_ANSWER_OFF") parts.push(form("off", words.turnOff));
  return parts.join("\n");
}

/** @param {Control} control @param {Reply} reply @param {string} language */
function sectionOf(control, reply, language, words) {
  const state = short(control.effective, "EFFECTIVE_ANSWER_");
  const label = { ON: words.on, OFF: words.off, PARTIAL: words.partial }[state] ?? words.off;
  const why = state === "PARTIAL" ? sentencesOf(control, reply, words) : [];
  const until = state === "OFF" ? undefined : holdsUntil(control, reply, language);
  return `<section id="${escaped(control.control)}"><span class="state ${escaped(state)}">${escaped(label)}</span>
<h2 lang="${escaped(control.text?.language ?? "")}">${escaped(control.text?.title ?? control.control)}</h2>
<p lang="${escaped(control.text?.language ?? "")}">${escaped(control.text?.sentence ?? "")}</p>
${why.length ? `<p>${escaped(words.partialBecause)}</p><ul class="why">${why.map((sentence) => `<li>${escaped(sentence)}</li>`).join("")}</ul>` : ""}
${until === undefined ? "" : `<p>${escaped(words.holdsUntil(until))}</p>`}
${buttonsOf(control, reply, words)}
</section>`;
}

/**
 * @param {Reply} reply
 * @param {string} language that was asked for
 * @param {string} said what has to be told about the last step; empty: nothing
 */
function pageOf(reply, language, said) {
  const words = wordsOf(language);
  const sections = (reply.settings?.controls ?? []).map((control) => sectionOf(control, reply, language, words));
  return `<!doctype html>
<html lang="${escaped(language)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(words.heading)}</title>
<style>${STYLE}</style></head><body><h1>${escaped(words.heading)}</h1>${said ? `<p class="said" role="alert">${escaped(said)}</p>` : ""}
${sections.join("\n")}
</body></html>
`;
}

module.exports = { pageOf };
