"""Deletion down to the files: 60 real recordings and their transcripts in two stores, each with a worker of its own."""

import json
import os
import pathlib
import re
import shutil
import sys
import unittest

from daemon import DONE, KEEP, PURGE, SOURCE, until
from stores import SUFFIXES, StoresTest

RECORDINGS = pathlib.Path(os.environ.get("CONSENT_RECORDINGS", SOURCE.parent / "shared" / "recordings" / "fsdd.jsonl"))
WAV = RECORDINGS.parent / "wav"
# Three speakers share an account, each with a profile; the others have accounts of their own.
FAMILY = {"nicolas", "theo", "yweweler"}


def speaker(recording):
    return recording["recording_id"].split("_")[1]


class ErasureTest(StoresTest):
    def setUp(self):
        super().setUp()
        present = {path.name for path in WAV.glob("*.wav")}
        lines = map(json.loads, RECORDINGS.read_text().splitlines())
        self.lines = {line["recording_id"]: line for line in lines if line["recording_id"] in present}
        self.assertEqual(len(self.lines), 60)
        self.fill([{"recording_id": line["recording_id"], "account_id": "family" if speaker(line) in FAMILY else speaker(line),
                    "profile_id": speaker(line), "device_id": "desk", "captured_at": line["captured_at"]} for line in self.lines.values()])
        for recording in self.recordings:
            shutil.copy(WAV / recording, self.stores["audio"] / recording)

    def of(self, *speakers):
        return {recording for recording, line in self.lines.items() if speaker(line) in speakers}

    def check(self, account, recording, captured_at, profile, expect):
        return self.json("check", "--disposition", "--account", account, "--recording", recording, "--captured-at", captured_at, "--profile", profile,
                         expect=expect)

    def test_exactly_what_was_asked_for_goes_from_both(self):
        self.register_systems()
        workers = [self.work(name) for name in SUFFIXES]
        gone = self.of("lucas")
        done = self.completed(self.delete("lucas", "--everything", "--verified"))
        self.assert_gone(gone)
        self.assertEqual([(part["outcome"], part["erased_count"]) for part in done["progress"]], [("ACKNOWLEDGED", 10)] * 2)
        self.assertEqual((done["account_id"], done["selector"]), ("", None), "its key is destroyed")
        self.assertIn("All 2 systems had confirmed", done["summary"])

        # A range: nicolas and theo were recorded in 2017, yweweler, of the same account, in 2019.
        self.completed(self.delete("family", "--from", "2017-01-01T00:00:00Z", "--to", "2017-12-31T23:59:59Z", "--verified"))
        gone |= self.of("nicolas", "theo")
        self.assert_gone(gone)
        # What of that range is asked about afterwards, whether it was known or arrives late, must go; what lies outside stays.
        self.assertEqual(self.check("family", "late-upload", "2017-06-01T00:00:00Z", "theo", PURGE)["disposition"], "PURGE")
        self.assertEqual(self.check("family", "late-upload", "2018-06-01T00:00:00Z", "theo", KEEP)["disposition"], "KEEP")

        # Single recordings.
        self.completed(self.delete("george", "--recording", "3_george_0.wav", "--recording", "7_george_0.wav", "--verified"))
        gone |= {"3_george_0.wav", "7_george_0.wav"}
        self.assert_gone(gone)
        self.assertEqual(self.check("george", "3_george_0.wav", "2020-07-01T16:19:56Z", "george", PURGE)["reasons"], ["DELETED"])
        self.assertEqual(self.check("george", "4_george_0.wav", "2020-07-01T16:19:56Z", "george", KEEP)["disposition"], "KEEP")

        # One speaker of an account, and a day on which nobody spoke.
        self.completed(self.delete("family", "--profile", "yweweler", "--verified"))
        gone |= self.of("yweweler")
        self.assert_gone(gone)
        nothing = self.completed(self.delete("jackson", "--today", "--time-zone", "Europe/Bucharest", "--verified"))
        self.assertEqual([part["outcome"] for part in nothing["progress"]], ["NOT_FOUND"] * 2)
        self.assert_gone(gone)
        for worker in workers:
            code, _, err = worker.stop()
            self.assertEqual((code, [line for line in err.splitlines() if not re.search("event=task_ended .*outcome=(ACKNOWLEDGED|NOT_FOUND) ", line)]), (DONE, []))

    def test_one_store_that_has_not_confirmed_keeps_it_open(self):
        self.register_systems()
        self.work("audio")
        deletion = self.delete("jackson", "--everything", "--verified")

        def of(name):
            return next(part for part in self.request(deletion)["progress"] if part["system"] == name)

        until(lambda: of("audio")["outcome"] == "ACKNOWLEDGED", "the audio store confirmed")
        request = self.request(deletion)
        self.assertEqual((request["state"], of("transcripts")["outcome"]), ("IN_PROGRESS", ""))
        self.assertIn("1 of 2 systems have confirmed", request["summary"])
        self.assertEqual(self.left("audio"), set(self.recordings) - self.of("jackson"))
        self.assertEqual(self.left("transcripts"), set(self.recordings))
        self.assertEqual(len(self.json("requests", "list", "--state", "in-progress")["requests"]), 1)
        self.work("transcripts")
        self.completed(deletion)
        self.assert_gone(self.of("jackson"))

    def test_an_unverified_request_deletes_nothing_and_stops_use(self):
        self.register_systems()
        text = RECORDINGS.read_text()
        self.json("subject", "set", "george", "--region", "GR", "--profile", "george:adult", "--channel", "app", "--actor", "self")
        self.consent("george", "2026-01-past")
        self.assertEqual(self.filter(text)[1]["eligible"], 500)
        for name in SUFFIXES:
            self.work(name)
        deletion = self.delete("george", "--recording", "3_george_0.wav")
        passed, summary = self.filter(text)
        self.assertEqual((summary["eligible"], summary["to_purge"]), (499, 0))
        self.assertNotIn("3_george_0.wav", {line["recording_id"] for line in passed})
        self.assertEqual(self.json("tasks", "list", "audio")["tasks"], [])
        self.json("requests", "verify", deletion["deletion_id"])
        self.completed(deletion)
        self.assert_gone({"3_george_0.wav"})
        purge = self.daemon.path("purge")
        self.assertEqual(self.filter(text, "--purge", purge)[1]["to_purge"], 1)
        self.assertEqual(json.loads(pathlib.Path(purge).read_text())["recording_id"], "3_george_0.wav")

    def test_what_arrives_late_is_deleted_too(self):
        """Hard case 58: a store that says how late data can reach it is asked once more."""
        self.register_systems("--latest-arrival", "10s")
        late = "5_lucas_0.wav"
        (self.stores["audio"] / late).rename(self.daemon.path("still on its way"))
        for name in SUFFIXES:
            self.work(name)
        deletion = self.delete("lucas", "--everything", "--verified")

        def once_done():
            tasks = [task for name in SUFFIXES for task in self.json("tasks", "list", name)["tasks"]]
            return len(tasks) == 2 and all(task["attempts"] == 1 and not task["leased_until"] for task in tasks)

        until(once_done, "both were done once, and will be again")
        self.assertEqual(self.request(deletion)["state"], "IN_PROGRESS")
        pathlib.Path(self.daemon.path("still on its way")).rename(self.stores["audio"] / late)
        done = self.completed(deletion)
        self.assert_gone(self.of("lucas"))
        self.assertEqual({part["system"]: part["erased_count"] for part in done["progress"]}, {"audio": 10, "transcripts": 10})
        self.assertEqual({part["outcome"] for part in done["progress"]}, {"ACKNOWLEDGED"})


if __name__ == "__main__":
    if not RECORDINGS.exists() or not WAV.is_dir():
        print("skipped: no recordings at CONSENT_RECORDINGS or beside the source folder")
        sys.exit(77)
    unittest.main(verbosity=2)
