"""filter over 3,000 real recordings of six speakers: exactly the right ones pass."""

import collections
import json
import os
import pathlib
import sys
import unittest

from daemon import DONE, SOURCE, DaemonTest

RECORDINGS = pathlib.Path(os.environ.get("CONSENT_RECORDINGS", SOURCE.parent / "shared" / "recordings" / "fsdd.jsonl"))
SPEAKERS = {"george": "GR", "jackson": "US", "lucas": "DE", "nicolas": "BE", "theo": "US", "yweweler": "DE"}
AGREED = {"george", "jackson", "lucas"}


class RecordingsTest(DaemonTest):
    def setUp(self):
        # Every test has speakers who never chose.
        self.daemon.close()
        type(self).daemon = self.daemon = type(self.daemon)()
        for speaker, region in SPEAKERS.items():
            self.register(speaker, region)
        self.text = RECORDINGS.read_text()
        self.owner = {line["recording_id"]: line["account_id"] for line in map(json.loads, self.text.splitlines())}
        self.assertEqual(len(self.owner), 3000)

    def passed(self, *arguments):
        lines, summary = self.filter(self.text, *arguments)
        self.assertEqual(summary["lines"], 3000)
        self.assertEqual(summary["eligible"], len(lines))
        self.assertEqual(summary["refused"], 3000 - len(lines))
        return lines

    def by_owner(self, lines):
        return collections.Counter(self.owner[line["recording_id"]] for line in lines)

    def test_consent_that_covers_the_past_lets_exactly_those_speakers_pass(self):
        self.assertEqual(self.passed(), [])
        for speaker in AGREED:
            self.consent(speaker, "2026-01-past")
        lines = self.passed()
        self.assertEqual(self.by_owner(lines), {speaker: 500 for speaker in AGREED})
        expected = [recording for recording, owner in self.owner.items() if owner in AGREED]
        self.assertEqual([line["recording_id"] for line in lines], expected)
        self.assertEqual(len({line["pseudonym"] for line in lines}), len(lines))
        for line in lines:
            self.assertLessEqual(set(line), {"recording_id", "pseudonym", "region", "wake", "kind", "speakers"})
        self.assertNotEqual(lines[0]["pseudonym"], self.passed()[0]["pseudonym"])
        # After one speaker's opt-out none of hers, and all of the others'.
        self.json("settings", "opt-out", "lucas", "--control", "help_improve")
        self.assertEqual(self.by_owner(self.passed()), {"george": 500, "jackson": 500})

    def test_consent_that_is_silent_on_the_past_lets_none_pass(self):
        for speaker in SPEAKERS:
            self.consent(speaker, "2026-01")
        refused = self.daemon.path("refused")
        self.assertEqual(self.passed("--refused", refused), [])
        reasons = [json.loads(line)["reasons"][0] for line in pathlib.Path(refused).read_text().splitlines()]
        self.assertEqual(set(reasons), {"CAPTURED_BEFORE_CONSENT"})

    def test_all_batch_sizes_agree(self):
        for speaker in AGREED:
            self.consent(speaker, "2026-01-past")
        expected = [line["recording_id"] for line in self.passed()]
        for batch, parallel in (("7", "16"), ("1000", "1"), ("333", "3")):
            lines = self.passed("--batch", batch, "--parallel", parallel)
            self.assertEqual([line["recording_id"] for line in lines], expected)

    def test_another_place_and_another_purpose(self):
        for speaker in AGREED:
            self.consent(speaker, "2026-01-past")
        done = self.daemon.ctl("filter", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--reviewer", "contractor", "--site",
                               "cluj", stdin=self.text)
        self.assertEqual((done.returncode, done.stdout), (DONE, ""))
        self.assertIn("REVIEWER_NOT_ALLOWED", done.stderr)
        done = self.daemon.ctl("filter", "--purpose", "MODEL_TRAINING", stdin=self.text)
        self.assertEqual((done.returncode, done.stdout), (DONE, ""))


if __name__ == "__main__":
    if not RECORDINGS.exists():
        print("skipped: no recordings at CONSENT_RECORDINGS or beside the source folder")
        sys.exit(77)
    unittest.main(verbosity=2)
