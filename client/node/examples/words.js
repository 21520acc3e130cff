"use strict";
// What the page says in the app's own words. Title, sentence and notice of a control are the daemon's: they are what counts as having been shown.

const WORDS = {
  en: {
    heading: "Your voice recordings",
    on: "On", off: "Off", partial: "Partly on",
    turnOn: "I agree", turnOff: "Turn it off",
    notOffered: "This cannot be turned on now.",
    partialBecause: "It is not on for everything:",
    holdsUntil: (date) => `Your yes holds until ${date}.`,
    account: "the account", profile: (id) => id, device: (id) => `the device ${id}`,
    changed: "Something was changed meanwhile. This is how it stands now; please look again.",
    notSaved: "It is not certain that this was saved. This is how it stands now; please try again.",
    stillRefused: (why) => `Not all of it was done: ${why}`,
    because: {
      NO_CONSENT: (who) => `${who} has not agreed`, PROFILE_WITHOUT_CONSENT: (who) => `${who} has not agreed`,
      REFUSED: (who) => `${who} said no`, WITHDRAWN: (who) => `${who} took the yes back`,
      CONSENT_EXPIRED: (who) => `the yes of ${who} has ended`, NOTICE_SUPERSEDED: (who) => `${who} has agreed to an older text`,
      CHILD_WITHOUT_GUARDIAN: (who) => `nobody has agreed for ${who}, a child`, NOTICE_SILENT_ON_PEOPLE: (who) => `${who} was not told that people listen`,
      SUSPENDED: () => "it is paused",
    },
    uncovered: (who) => `what ${who} agreed to does not say this`,
    otherwise: (who, reason) => `not for ${who} (${reason})`,
    purposes: {
      HUMAN_REVIEW: "people listen", MODEL_TRAINING: "computers learn", FEATURE_DEVELOPMENT: "new features", MESSAGE_TRANSCRIPTION: "messages",
      VOICE_IDENTIFICATION: "recognising the voice", PERSONALISATION: "adapting answers", ADVERTISING: "advertising",
    },
  },
  de: {
    heading: "Ihre Sprachaufnahmen",
    on: "Ein", off: "Aus", partial: "Teilweise ein",
    turnOn: "Ich stimme zu", turnOff: "Ausschalten",
    notOffered: "Das lässt sich gerade nicht einschalten.",
    partialBecause: "Es ist nicht für alles eingeschaltet:",
    holdsUntil: (date) => `Ihr Ja gilt bis zum ${date}.`,
    account: "das Konto", profile: (id) => id, device: (id) => `das Gerät ${id}`,
    changed: "Inzwischen wurde etwas geändert. So steht es jetzt; bitte sehen Sie noch einmal hin.",
    notSaved: "Es ist nicht sicher, dass das gespeichert wurde. So steht es jetzt; bitte versuchen Sie es noch einmal.",
    stillRefused: (why) => `Nicht alles davon wurde getan: ${why}`,
    because: {
      NO_CONSENT: (who) => `${who} hat nicht zugestimmt`, PROFILE_WITHOUT_CONSENT: (who) => `${who} hat nicht zugestimmt`,
      REFUSED: (who) => `${who} hat nein gesagt`, WITHDRAWN: (who) => `${who} hat das Ja zurückgenommen`,
      CONSENT_EXPIRED: (who) => `das Ja gilt nicht mehr: ${who}`, NOTICE_SUPERSEDED: (who) => `${who} hat einem älteren Text zugestimmt`,
      CHILD_WITHOUT_GUARDIAN: (who) => `für das Kind ${who} hat niemand zugestimmt`,
      NOTICE_SILENT_ON_PEOPLE: (who) => `${who} wurde nicht gesagt, dass Menschen zuhören`,
      SUSPENDED: () => "es ist ausgesetzt",
    },
    uncovered: (who) => `der Text, dem ${who} zugestimmt hat, nennt das nicht`,
    otherwise: (who, reason) => `nicht für ${who} (${reason})`,
    purposes: {
      HUMAN_REVIEW: "Menschen hören zu", MODEL_TRAINING: "Computer lernen", FEATURE_DEVELOPMENT: "neue Funktionen", MESSAGE_TRANSCRIPTION: "Nachrichten",
      VOICE_IDENTIFICATION: "die Stimme erkennen", PERSONALISATION: "Antworten zuschneiden", ADVERTISING: "Werbung",
    },
  },
};

/** @param {string} language a BCP 47 tag */
function wordsOf(language) {
  return language.toLowerCase().split("-")[0] === "de" ? WORDS.de : WORDS.en;
}

module.exports = { wordsOf };
