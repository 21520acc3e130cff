"""`consentctl sweep` over 3,000 real recordings: exactly the right ones go, also where it is killed half-way."""

import collections
import datetime
import json
import os
import pathlib
import subprocess
import sys
import unittest

from daemon import CONSENTCTL, DONE, REFUSED, SOURCE, SWEEP_LEFT, UNREADABLE, DaemonTest, until

RECORDINGS = pathlib.Path(os.environ.get("CONSENT_RECORDINGS", SOURCE.parent / "shared" / "recordings" / "fsdd.jsonl"))
ERASE = pathlib.Path(__file__).with_name("erase_swept.py")
NOW = datetime.datetime.now(datetime.timezone.utc)
HELD = ("2020-01-01T00:00:00Z", "2020-12-31T23:59:59Z")
COPY = {"artefact": "REVIEW_COPY", "made_for": "HUMAN_REVIEW"}


def ago(days):
    return (NOW - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(line):
    """The digit that was spoken, and the how manieth time."""
    digit, _, times = line["recording_id"].removesuffix(".wav").split("_")
    return int(digit), int(times)


def inventory():
    """What the store has: the real recordings, some of them captured lately, some by accident, some with a copy for review."""
    lines = []
    for line in map(json.loads, RECORDINGS.read_text().splitlines()):
        digit, times = number(line)
        line["captured_at"] = ago(20) if digit >= 7 else ago(400) if digit >= 4 else "2020-07-01T16:19:56Z"
        if line["account_id"] == "lucas" and times % 3 == 0:
            line["wake"] = "ACCIDENTAL"
        lines.append(line)
        if line["account_id"] == "nicolas" and times % 2 == 0:
            lines.append({**line, **COPY})
    return lines


def file_of(line):
    return line["recording_id"] + (".copy" if "artefact" in line else "")


def must_go(line):
    """R1 to R5 of the page, for what was arranged in prepare(): an independent reading."""
    account, captured = line["account_id"], line["captured_at"]
    if account == "jackson":
        if HELD[0] <= captured <= HELD[1]:
            return False                        # R1: a hold
        return True                             # R2: everything was ordered away since
    if account == "theo":
        return True                             # R2: the account is closed
    if account == "george":
        return captured < ago(93)               # R3: three months
    if account == "lucas":
        return line["wake"] == "ACCIDENTAL"     # R4: no false wake lives in Germany
    if account == "nicolas":
        return "artefact" in line               # R5: review was consented to and withdrawn
    return False                                # nobody knows yweweler


def is_held(line):
    return line["account_id"] == "jackson" and HELD[0] <= line["captured_at"] <= HELD[1]


class SweepTest(DaemonTest):
    def setUp(self):
        self.daemon.close()
        type(self).daemon = self.daemon = type(self.daemon)()
        self.system("audio", "audio", "--sweep-days", "7", "--checks-on-ingest")
        self.prepare()
        self.lines = inventory() if "_the_right_ones_" in self.id() or "_half_way_" in self.id() else inventory()[::10]
        self.store = pathlib.Path(self.daemon.path("store"))
        self.store.mkdir()
        for line in self.lines:
            (self.store / file_of(line)).touch()
        self.file = pathlib.Path(self.daemon.path("inventory.jsonl"))
        self.write(self.lines)
        self.journal = pathlib.Path(self.daemon.path("journal"))
        self.state = self.daemon.path("sweep.state")

    def prepare(self):
        for account in ("george", "jackson", "lucas", "nicolas", "theo"):
            self.register(account)
        self.json("settings", "set", "george", "--retention", "3m")
        self.json("holds", "place", "jackson", "--authority", "court", "--reason", "case 7", "--from", HELD[0], "--to", HELD[1])
        self.delete("jackson", "--everything", "--verified")
        self.consent("nicolas", "2026-01-past")
        self.json("settings", "opt-out", "nicolas", "--control", "help_improve")
        self.delete("theo", "--close-account", "--verified")

    def write(self, lines):
        self.file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def sweep(self, *options, expect=DONE, script=None):
        command = script or [sys.executable, str(ERASE), str(self.store), str(self.journal)]
        done = self.daemon.ctl("sweep", "audio", str(self.file), "--json", *options, "--", *command)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def listed(self):
        system, = self.json("systems", "list")["systems"]
        return system

    def left(self):
        return {path.name for path in self.store.iterdir()}

    def assert_right_ones_are_gone(self):
        self.assertEqual(self.left(), {file_of(line) for line in self.lines if not must_go(line)})

    def expected(self):
        gone = sum(map(must_go, self.lines))
        held = sum(map(is_held, self.lines))
        return {"asked": len(self.lines), "kept": len(self.lines) - gone - held, "held": held, "purged": gone, "not_found": 0, "failed": 0,
                "unanswered": 0}

    def counts(self, report):
        return {key: report[key] for key in self.expected()}

    def test_exactly_the_right_ones_go(self):
        self.assertEqual(len(self.lines), 3000 + 250)
        self.assertEqual(self.listed()["retention_state"], "KEPT")
        self.assertIsNone(self.listed()["last_sweep"])
        report = self.sweep("--parallel", "2", "--state", self.state)
        self.assert_right_ones_are_gone()
        self.assertEqual(self.counts(report), self.expected())
        self.assertEqual((report["complete"], report["whole"], report["reported"], report["error"]), (True, True, True, ""))
        reasons = collections.Counter({"george": "RETENTION_EXPIRED", "jackson": "DELETED", "theo": "DELETED", "nicolas": "PURPOSE_ENDED",
                                       "lucas": "ACCIDENTAL_EXPIRED"}[line["account_id"]] for line in self.lines if must_go(line))
        self.assertEqual(report["purged_by_reason"], dict(reasons))
        self.assertEqual(len(reasons), 4, "each rule is tried")
        system = self.listed()
        self.assertEqual({key: system["last_sweep"][key] for key in self.expected()}, self.expected())
        self.assertTrue(system["last_sweep"]["whole"])
        self.assertEqual(system["last_whole_sweep_at"], system["last_sweep"]["started_at"])
        self.assertEqual(pathlib.Path(self.state).read_text(), "", "the next sweep may begin in it")
        # Asked about once more by what is left, nothing more goes.
        self.write([line for line in self.lines if not must_go(line)])
        again = self.sweep("--state", self.state)
        self.assertEqual((again["purged"], again["held"]), (0, self.expected()["held"]))
        self.assert_right_ones_are_gone()

    def test_killed_half_way_it_goes_on(self):
        command = [CONSENTCTL, "--endpoint", self.daemon.endpoint, "sweep", "audio", str(self.file), "--state", self.state, "--batch", "100",
                   "--parallel", "2", "--", sys.executable, str(ERASE), str(self.store), str(self.journal)]
        for part in (1, 2, 3):
            process = subprocess.Popen([*command, "0.02"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                enough = part * sum(map(must_go, self.lines)) // 4
                until(lambda: self.journal.exists() and len(self.handed()) >= enough, "it is under way")
            finally:
                process.kill()
                process.wait()
            self.assertEqual(self.listed()["last_sweep"], None, "a sweep that did not come to its end is not reported")
        gone = set(map(file_of, self.lines)) - self.left()
        self.assertLess(gone, {file_of(line) for line in self.lines if must_go(line)}, "killed half-way")
        self.assertTrue(gone)
        report = self.sweep("--state", self.state, "--batch", "100")
        self.assert_right_ones_are_gone()
        # What runs were killed in may have been found gone by the next.
        self.assertEqual(report["purged"] + report["not_found"], self.expected()["purged"])
        self.assertEqual((report["kept"], report["held"], report["asked"]), tuple(self.expected()[key] for key in ("kept", "held", "asked")))
        handed = collections.Counter(self.handed())
        self.assertEqual(len(handed), self.expected()["purged"], "none is skipped")
        twice = sum(times > 1 for times in handed.values())
        self.assertLessEqual(twice, 3 * 2 * 100, "only what ran when it was killed")
        self.assertTrue(self.listed()["last_sweep"]["whole"])

    def handed(self):
        return self.journal.read_text().splitlines()

    def test_what_cannot_be_asked_about_stays_and_the_sweep_does_not_count(self):
        lines = [json.dumps(line) for line in self.lines[:40]]
        self.lines = self.lines[:40]
        for name in self.left() - {file_of(line) for line in self.lines}:
            (self.store / name).unlink()
        odd = [json.dumps({**self.lines[0], "account_id": ""}), "{", json.dumps({**self.lines[0], "Wake": "BUTTON"}), '{"recording_id": "x"}']
        self.file.write_text("\n".join(lines + odd) + "\n")
        report = self.sweep(expect=UNREADABLE)
        self.assert_right_ones_are_gone()
        self.assertEqual((report["unanswered"], report["complete"], report["whole"], report["reported"]), (4, True, False, True))
        system = self.listed()
        self.assertFalse(system["last_sweep"]["whole"])
        self.assertEqual(system["last_whole_sweep_at"], "")

    def test_a_command_that_fails_leaves_work_that_is_done_later(self):
        fails = ["sh", "-c", 'case "$CONSENT_ACCOUNT_ID" in george) exit 1;; esac; exec "$@"', "sh", sys.executable, str(ERASE), str(self.store),
                 str(self.journal)]
        report = self.sweep("--state", self.state, expect=SWEEP_LEFT, script=fails)
        of_george = {file_of(line) for line in self.lines if must_go(line) and line["account_id"] == "george"}
        self.assertEqual(report["failed"], len(of_george))
        self.assertEqual(self.left() & of_george, of_george)
        self.assertFalse(self.listed()["last_sweep"]["whole"])
        began = self.listed()["last_sweep"]["started_at"]
        before = len(self.handed())
        report = self.sweep("--state", self.state)
        self.assertEqual(self.counts(report), self.expected())
        self.assertEqual(len(self.handed()) - before, len(of_george), "and nothing else once more")
        self.assert_right_ones_are_gone()
        self.assertEqual(self.listed()["last_whole_sweep_at"], began, "the sweep began then")

    def test_nothing_is_purged_for_a_system_that_is_not_there(self):
        done = self.daemon.ctl("sweep", "vendor", str(self.file), "--", "touch", self.daemon.path("ran"))
        self.assertEqual(done.returncode, REFUSED)
        self.assertFalse(pathlib.Path(self.daemon.path("ran")).exists())

    def test_no_id_is_told(self):
        self.write([{**self.lines[0], "account_id": "secret-george", "recording_id": "secret-r", "wake": "WRONG"}, *self.lines[:20]])
        done = self.daemon.ctl("sweep", "audio", str(self.file), "--state", self.state, "--", "false")
        self.assertNotEqual(done.returncode, DONE)
        log = pathlib.Path(self.daemon.path("log")).read_text()
        for text in (done.stdout, done.stderr, log, pathlib.Path(self.state).read_text()):
            self.assertNotIn("george", text)
            self.assertNotIn("secret", text)


if __name__ == "__main__":
    if not RECORDINGS.exists():
        print("skipped: no recordings at CONSENT_RECORDINGS or beside the source folder")
        sys.exit(77)
    unittest.main(verbosity=2)
