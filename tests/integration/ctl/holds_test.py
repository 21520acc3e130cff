"""Legal holds, copies of a purpose and closed accounts, down to the files of two stores, each with a worker of its own."""

import datetime
import json
import pathlib
import re
import stat
import unittest

from daemon import DONE, FILES, HOLD, PURGE, REFUSED, WORK_LEFT, until
from stores import SUFFIXES, StoresTest

PROOF = ("--channel", "support", "--actor", "system")
ORDER = ("--authority", "District Court, 12-345", "--reason", "discovery")
FIRST = datetime.datetime(2024, 3, 1, 12, tzinfo=datetime.timezone.utc)


def day(number):
    return (FIRST + datetime.timedelta(days=number)).isoformat().replace("+00:00", "Z")


class HoldsTest(StoresTest):
    def setUp(self):
        """Four weeks of one account, a recording a day: two speakers in turn, the first two weeks on one device, the rest on another."""
        super().setUp()
        self.fill([{"recording_id": f"ann-{number}", "account_id": "ann", "profile_id": ("eve", "tom")[number % 2],
                    "device_id": ("hall", "desk")[number // 14], "captured_at": day(number)} for number in range(28)] +
                  [{"recording_id": "ben-0", "account_id": "ben", "profile_id": "ben", "device_id": "car", "captured_at": day(0)}])
        self.register_systems("--checks-on-ingest")
        self.register("ann")

    def hold(self, *what):
        return self.json("holds", "place", "ann", *ORDER, *what)["hold"]

    def release(self, hold):
        return self.json("holds", "release", hold["hold_id"], "--etag", hold["etag"], "--authority", "District Court", "--reason",
                         "settled", *PROOF)["hold"]

    def of_ann(self, numbers=range(28)):
        return {f"ann-{number}" for number in numbers}

    def check(self, recording, number, expect):
        return self.json("check", "--disposition", "--account", "ann", "--recording", recording, "--captured-at", day(number), "--profile", "voice",
                         expect=expect)

    def waiting(self, deletion):
        """The request once both systems have nothing left to do but to wait for a release."""
        def look():
            tasks = [task for name in SUFFIXES for task in self.json("tasks", "list", name)["tasks"]]
            return len(tasks) == 2 and all(task["waits_for_release"] for task in tasks)
        until(look, "both wait for the release")
        return self.request(deletion)

    def test_a_week_on_hold_outlasts_the_deletion_of_everything(self):
        """Hard cases 17 and 18."""
        workers = [self.work(name) for name in SUFFIXES]
        hold = self.hold("--from", day(7), "--to", day(13))
        deletion = self.delete("ann", "--everything", "--verified")
        request = self.waiting(deletion)
        week = self.of_ann(range(7, 14))
        self.assert_gone(self.of_ann() - week)
        self.assertEqual((request["state"], request["on_hold"], request["overdue"]), ("IN_PROGRESS", True, False))
        self.assertIn("ON_HOLD", self.ctl("--no-header", "requests", "show", deletion["deletion_id"]).split("\n")[0])
        self.assertEqual(self.check("ann-7", 7, HOLD)["disposition"], "HOLD")
        self.assertEqual(self.check("ann-6", 6, PURGE)["disposition"], "PURGE")
        total = self.json("requests", "report", "--from", "2020-01-01T00:00:00Z", "--to", "2999-01-01T00:00:00Z")["total"]
        self.assertEqual((total["due_now"], total["overdue_now"], total["on_hold"]), (1, 0, 1))
        self.assertEqual([found["hold_id"] for found in self.json("holds", "list", "--account", "ann")["holds"]], [hold["hold_id"]])

        failed = self.json("holds", "release", hold["hold_id"], "--authority", "a", "--reason", "r", *PROOF, expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "ETAG_REQUIRED")
        self.assertTrue(self.release(hold)["released_at"])
        done = self.completed(deletion)
        self.assertFalse(done["on_hold"])
        self.assert_gone(self.of_ann())
        self.assertEqual(self.json("holds", "list")["holds"], [])
        released = self.json("holds", "list", "--all")["holds"]
        self.assertEqual([(found["hold_id"], found["account_id"]) for found in released], [(hold["hold_id"], "")])
        for worker in workers:
            code, _, err = worker.stop()
            self.assertEqual((code, [line for line in err.splitlines() if not re.search("event=task_ended .*outcome=(ACKNOWLEDGED|NOT_FOUND) ", line)]), (DONE, []))

    def test_each_kind_of_hold_keeps_its_own(self):
        holds = [self.hold("--profile", "eve", "--to", day(3)), self.hold("--device", "desk", "--from", day(26)),
                 self.hold("--recording", "ann-9", "--recording", "ann-11")]
        for name in SUFFIXES:
            self.work(name)
        deletion = self.delete("ann", "--everything", "--verified")
        self.waiting(deletion)
        self.assert_gone(self.of_ann() - self.of_ann([0, 2, 26, 27, 9, 11]))
        # Two holds, one released.
        self.release(holds[0])
        until(lambda: self.left("audio") == self.left("transcripts") == self.of_ann([26, 27, 9, 11]) | {"ben-0"}, "what was released went")
        self.assertEqual(self.waiting(deletion)["state"], "IN_PROGRESS")
        self.release(holds[1])
        self.release(holds[2])
        self.completed(deletion)
        self.assert_gone(self.of_ann())

    def test_a_command_that_does_not_look_is_not_run(self):
        hold = self.hold("--recording", "ann-5")
        ran = pathlib.Path(self.daemon.path("ran"))
        self.delete("ann", "--everything", "--verified")
        done = self.daemon.ctl("worker", "audio", "--once", "--", "touch", str(ran))
        self.assertEqual(done.returncode, WORK_LEFT, done.stderr)
        self.assertFalse(ran.exists())
        self.assertIn("--heeds-exceptions", self.json("tasks", "list", "audio")["tasks"][0]["last_error"])
        self.assertEqual(self.hold("--recording", "ann-5")["selector"], hold["selector"])

    def test_copies_of_a_purpose_go_and_the_audio_stays(self):
        for name in SUFFIXES:
            self.work(name)
        done = self.completed(self.delete("ann", "--purpose-copies", "human-review", "--profile", "eve", "--verified"))
        self.assert_left(set(self.recordings), "audio")
        self.assert_left(set(self.recordings) - self.of_ann(range(0, 28, 2)), "transcripts")
        self.assertEqual({part["system"]: part["outcome"] for part in done["progress"]},
                         {"audio": "NOT_FOUND", "transcripts": "ACKNOWLEDGED"})

    def test_turning_a_purpose_off_sends_its_copies_away(self):
        """Hard case 53, for a consent."""
        self.consent("ann")
        self.json("settings", "opt-out", "ann", "--control", "help_improve")
        # A completed request's selector can no longer be read, so it is looked at before anybody works on it.
        made, = self.json("requests", "list", "ann", "--cause", "withdrawal")["requests"]
        self.assertIn("HUMAN_REVIEW", made["selector"]["purposes"])
        for name in SUFFIXES:
            self.work(name)
        self.completed(made)
        self.assert_left(set(self.recordings), "audio")
        self.assert_left({"ben-0"}, "transcripts")
        # Nobody asked for that, so it is no request of the report.
        self.completed(self.delete("ann", "--everything", "--verified"))
        self.assert_gone(self.of_ann())
        total = self.json("requests", "report", "--from", "2020-01-01T00:00:00Z", "--to", "2999-01-01T00:00:00Z")["total"]
        self.assertEqual((total["received"], total["complied"]), (1, 1))

    def test_a_closed_account_is_started_anew_with_nothing(self):
        """Hard cases 46 and 47."""
        self.consent("ann")
        for name in SUFFIXES:
            self.work(name)
        self.assertEqual(self.json("subject", "get", "ann")["closed_at"], "")
        self.completed(self.delete("ann", "--close-account", "--verified"))
        self.assert_gone(self.of_ann())
        self.assertTrue(self.json("subject", "get", "ann")["closed_at"])
        again = ("subject", "set", "ann", "--region", "DE", "--profile", "new:adult", *PROOF)
        self.assertEqual(self.json(*again, expect=REFUSED)["error"]["reason"], "ACCOUNT_CLOSED")
        self.assertTrue(self.json(*again, "--create-new")["registered"])
        anew = self.json("subject", "get", "ann")
        self.assertTrue(anew["registered"] and anew["reopened_at"] >= anew["closed_at"])
        self.assertEqual([profile["profile_id"] for profile in anew["profiles"]], ["new"])
        choices = {detail["choice"] for detail in self.json("settings", "get", "ann")["settings"]["details"]}
        self.assertEqual(choices, {"UNSET"})
        # What was captured before is the closed account's, however late it comes.
        late = self.json("check", "--disposition", "--account", "ann", "--recording", "late", "--captured-at", day(5), "--profile", "new", expect=PURGE)
        self.assertEqual((late["disposition"], late["reasons"][0]), ("PURGE", "ACCOUNT_CLOSED"))

    def test_one_document_says_all_that_is_held_about_a_subject(self):
        hold = self.hold("--profile", "eve")
        deletion = self.delete("ann", "--recording", "ann-3")
        self.consent("ann")
        document = json.loads(self.ctl("export-subject", "ann"))
        self.assertEqual([profile["profile_id"] for profile in document["subject"]["profiles"]], ["voice"])
        self.assertEqual([request["selector"] for request in document["deletion_requests"]], [deletion["selector"]])
        self.assertEqual([found["selector"] for found in document["holds"]], [hold["selector"]])
        history = self.json("settings", "history", "ann")["entries"]
        self.assertEqual(document["history"], history)
        self.assertIn("HOLD_PLACED", [entry["kind"] for entry in history])
        self.assertEqual(document["settings"]["etag"], document["subject"]["etag"])
        path = pathlib.Path(self.daemon.path("ann.json"))
        self.assertEqual(self.ctl("export-subject", "ann", "--output", str(path)), "")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(json.loads(path.read_text())["history"], history)
        before = path.read_text()
        self.ctl("export-subject", "ann", "--output", str(path), expect=FILES)
        self.assertEqual(path.read_text(), before)
        self.ctl("export-subject", "ann", "--output", str(path), "--force", "--text")
        self.assertIn("HOLD_PLACED", path.read_text())
        self.assertEqual(self.json("export-subject", "nobody", expect=REFUSED)["error"]["reason"], "SUBJECT_NOT_FOUND")


if __name__ == "__main__":
    unittest.main(verbosity=2)
