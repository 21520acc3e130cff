"""What a worker takes and shows: selectors, dry runs, lines and metrics; and tasks that are tried again at once."""

import json
import pathlib
import re
import shutil
import subprocess
import time
import unittest

from daemon import DONE, FILES, NOT_RETRIED, REFUSED, SOURCE, USAGE, WORK_LEFT, SystemTest


def logfmt(line):
    """The keys of one line; a value in quotes is JSON."""
    return {key: json.loads(value) if value.startswith('"') else value for key, value in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)}


class ShownTest(SystemTest):
    def test_excluded_from_the_next_build(self):
        self.assertEqual(self.once("sh", "-c", "echo 2; exit 5")["excluded"], 1)
        self.assertEqual((self.part()["outcome"], self.part()["erased_count"]), ("EXCLUDED_FROM_NEXT_BUILD", 2))

    def test_a_line_for_each_task_where_no_terminal_is(self):
        self.once("true")
        for options, read in (((), logfmt), (("--json",), json.loads)):
            self.delete("ann", "--recording", f"{self.name}-{len(options)}", "--verified")
            done = self.daemon.ctl("worker", self.name, "--once", *options, "--", "sh", "-c", "echo 3")
            self.assertEqual(done.returncode, DONE, done.stderr)
            task = read(done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertEqual((task["event"], task["system"], task["selector"], task["outcome"], int(task["erased"]), int(task["attempt"])),
                             ("task_ended", self.name, "recordings", "ACKNOWLEDGED", 3, 1))
            self.assertLess(float(task["seconds"]), 60)
            self.assertTrue(task["task_id"].endswith("/" + self.name) and task["time"].endswith("Z"), task)
            self.assertNotIn("ann", done.stderr)

    def test_what_is_not_accepted_stays_open(self):
        self.delete("ann", "--recording", self.name, "--verified")
        kinds = pathlib.Path(self.daemon.path("kinds"))
        counts = self.once("sh", "-c", f'echo "$CONSENT_SELECTOR" >>"{kinds}"', options=("--accepts", "recordings,device"), expect=WORK_LEFT)
        self.assertEqual((counts["done"], counts["open"], kinds.read_text()), (1, 1, "recordings\n"))
        task = self.task()
        self.assertEqual((task["selector"], task["attempts"], task["failures"]), ("EVERYTHING", 0, 0))
        status = next(one for one in self.json("status", expect=51)["systems"] if one["name"] == self.name)
        self.assertIsNone(status["worker_seen_at"], "nobody does what is open")
        self.assertEqual(self.once("true", options=("--accepts", "everything"))["done"], 1)

    def test_a_dry_run_takes_nothing(self):
        self.delete("ann", "--recording", self.name, "--verified")
        before = self.json("tasks", "list", self.name)["tasks"]
        done = self.daemon.ctl("worker", self.name, "--dry-run", "--accepts", "recordings")
        self.assertEqual(done.returncode, DONE, done.stderr)
        shown = json.loads(done.stdout)
        self.assertEqual((shown["account_id"], shown["selector"], shown["attempt"]), ("ann", {"kind": "recordings", "recording_ids": [self.name]}, 1))
        self.assertIn("may be begun now: 1, open: 2", done.stderr)
        self.assertEqual(self.json("tasks", "list", self.name)["tasks"], before)
        looked = self.json("worker", self.name, "--dry-run")
        self.assertEqual((len(looked["tasks"]), looked["open"]), (2, 2))
        seen = pathlib.Path(self.daemon.path("seen-dry"))
        self.once("sh", "-c", f'cat >"{seen}"; exit 3', options=("--accepts", "recordings"), expect=WORK_LEFT)
        self.assertEqual(json.loads(seen.read_text()), shown, "it shows what the command is handed")

    def test_a_dry_run_says_what_would_not_be_run(self):
        hold = self.json("holds", "place", "ann", "--authority", "court", "--reason", "case 9", "--recording", "r7")["hold"]
        done = self.daemon.ctl("worker", self.name, "--dry-run")
        self.assertEqual((done.returncode, done.stdout), (DONE, ""))
        self.assertIn("would not be run: some of it is on hold", done.stderr)
        shown = json.loads(self.ctl("worker", self.name, "--dry-run", "--heeds-exceptions"))
        self.assertEqual(shown["exceptions"][0]["recording_ids"], ["r7"])
        etag = self.json("holds", "list", "--account", "ann")["holds"][0]["etag"]
        self.json("holds", "release", hold["hold_id"], "--authority", "court", "--reason", "over", "--etag", etag, "--channel", "support",
                  "--actor", "system")

    def test_a_task_that_failed_is_tried_again_at_once(self):
        self.once("false", expect=WORK_LEFT)
        task = self.task()
        self.assertTrue(task["not_before"])
        retried = self.json("tasks", "retry", self.name, task["task_id"])
        self.assertEqual(retried, {"counts": {"DUE": 1}, "tasks": [{"task_id": task["task_id"], "state": "DUE"}]})
        self.assertEqual((self.task()["not_before"], self.task()["failures"]), ("", 1))
        self.assertEqual(self.json("tasks", "retry", self.name)["counts"], {"WAS_DUE": 1})
        self.assertEqual(self.json("tasks", "retry", self.name, "--min-failures", "2")["counts"], {})
        self.once("false", expect=WORK_LEFT)
        self.assertEqual(self.json("tasks", "retry", self.name)["counts"], {"DUE": 1}, "all of the system")
        self.assertEqual(self.once("true")["done"], 1)
        self.assertEqual(self.json("tasks", "retry", self.name, task["task_id"], expect=NOT_RETRIED)["counts"], {"NOT_FOUND": 1})

    def test_at_most_a_hundred_are_named_and_none_twice(self):
        self.assertIn("100", self.refused([f"t{number}" for number in range(101)], USAGE))
        self.assertIn("twice", self.refused(["t", "t"], REFUSED))
        self.assertIn("--min-failures", self.refused(["t", "--min-failures", "2"], USAGE))

    def refused(self, arguments, code):
        done = self.daemon.ctl("tasks", "retry", self.name, *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_many_failed_tasks_are_retried_page_by_page(self):
        for number in range(120):
            self.delete("eve", "--recording", f"r{number}", "--verified")
        self.once("false", options=("--parallel", "8", "--batch", "100"), expect=WORK_LEFT)
        self.assertEqual(self.json("tasks", "retry", self.name)["counts"], {"DUE": 121})
        self.assertEqual(self.once("true", options=("--parallel", "8", "--batch", "100"))["done"], 121)

    def test_its_metrics(self):
        file = pathlib.Path(self.daemon.path(f"{self.name}.prom"))
        self.delete("ann", "--recording", self.name, "--verified")
        script = 'test "$CONSENT_SELECTOR" = recordings && exit 1; echo 7'
        self.once("sh", "-c", script, options=("--metrics-file", str(file)), expect=WORK_LEFT)
        text = file.read_text()
        samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        own = f'{{system="{self.name}"'
        for sample, value in ((f'tasks_total{own},outcome="acknowledged"}}', 1), (f'tasks_total{own},outcome="failed"}}', 1),
                              (f'tasks_total{own},outcome="exempt"}}', 0), (f"erased_total{own}}}", 7), (f"open_tasks{own}}}", 1),
                              (f"task_seconds_count{own}}}", 2), (f"running{own}}}", 0)):
            self.assertEqual(float(samples["consent_worker_" + sample]), value, sample)
        for name in ("start", "last_answer", "last_success"):
            self.assertLess(abs(time.time() - float(samples[f"consent_worker_{name}_timestamp_seconds{own}}}"])), 600)
        self.assertEqual([one.name for one in file.parent.iterdir() if one.name.startswith(file.name)], [file.name], "nothing is left beside it")
        documented = (SOURCE / "client/cli/README.md").read_text()
        for family in {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}:
            self.assertIn(f"| `{family}` |", documented)
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_metrics_that_cannot_be_written_take_no_task(self):
        done = self.daemon.ctl("worker", self.name, "--once", "--metrics-file", "/nowhere/counts.prom", "--", "true")
        self.assertEqual(done.returncode, FILES, done.stderr)
        self.assertEqual(self.task()["attempts"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
