"""`consentctl worker` as a process: stopped, killed, failing, without a daemon; and what never leaves it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from daemon import CONSENTCTL, DONE, FILES, NO_ANSWER, REFUSED, WORK_LEFT, DaemonTest, SystemTest, Worker, until


def running(pid):
    """It is there and no zombie."""
    try:
        return pathlib.Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class WorkerTest(SystemTest):
    def test_done(self):
        counts = self.once("sh", "-c", "echo file; echo 1")
        self.assertEqual((counts["done"], counts["erased"]), (1, 1))
        self.assertEqual((self.part()["outcome"], self.part()["erased_count"]), ("ACKNOWLEDGED", 1))
        self.assertEqual(len(self.part()["evidence_hash"]), 64)
        self.assertEqual(self.once("true")["done"], 0)

    def test_not_found(self):
        self.assertEqual(self.once("sh", "-c", "exit 3")["not_found"], 1)
        self.assertEqual(self.part()["outcome"], "NOT_FOUND")

    def test_exempt(self):
        self.assertEqual(self.once("sh", "-c", "echo LEGAL_OBLIGATION invoices are kept; exit 4")["exempt"], 1)
        part = self.part()
        self.assertEqual((part["outcome"], part["exempt_reason"], part["reason"]), ("EXEMPT", "LEGAL_OBLIGATION", "invoices are kept"))
        self.assertEqual(self.daemon.metric(f'consentd_purge_tasks_exempt_total{{system="{self.name}",reason="legal_obligation"}}'), 1)

    def test_no_exemption_without_a_ground(self):
        self.assertEqual(self.once("sh", "-c", "echo because; exit 4", expect=WORK_LEFT)["failed"], 1)
        self.assertEqual(self.task()["last_error"], "exit 4, and its last line begins with no ground of an exemption")

    def test_failures_come_again_and_are_told(self):
        self.assertEqual(self.once("sh", "-c", "exit 1", expect=WORK_LEFT)["failed"], 1)
        task = self.task()
        self.assertEqual((task["failures"], task["last_error"]), (1, "exit 1"))
        self.assertTrue(task["not_before"])
        # It waits: nothing can be leased, and it is still open.
        self.assertEqual(self.once("true", expect=WORK_LEFT)["done"], 0)
        self.assertEqual(self.json("tasks", "list", self.name, "--min-failures", "2")["tasks"], [])
        self.assertEqual(self.part()["outcome"], "")

    def test_later_is_no_success(self):
        self.assertEqual(self.once("sh", "-c", "exit 75", expect=WORK_LEFT)["retried"], 1)
        self.assertEqual(self.task()["last_error"], "exit 75")

    def test_a_signal_is_told(self):
        self.once("sh", "-c", "kill -9 $$", expect=WORK_LEFT)
        self.assertEqual(self.task()["last_error"], "signal 9")

    def test_a_command_has_its_longest_time(self):
        self.once("sleep", "600", options=("--longest-run", "1"), expect=WORK_LEFT)
        self.assertIn("--longest-run", self.task()["last_error"])

    def test_once_says_that_work_is_left_as_long_as_it_is(self):
        self.assertEqual(self.once("false", expect=WORK_LEFT)["open"], 1)
        counts = self.once("true", expect=WORK_LEFT)
        self.assertEqual((counts["done"], counts["failed"], counts["open"]), (0, 0, 1), "in its back-off")

    def test_a_number_that_no_report_may_carry_is_a_failure(self):
        counts = self.once("sh", "-c", "echo 1000000000001", expect=WORK_LEFT)
        self.assertEqual((counts["failed"], counts["done"], counts["erased"]), (1, 0, 0))
        self.assertIn("10^12", self.task()["last_error"])

    def test_a_hold_ends_what_runs(self):
        began = pathlib.Path(self.daemon.path("began-held"))
        script = f"trap 'kill $child; echo 3; exit 0' TERM; sleep 600 & child=$!; echo $$ >\"{began}\"; wait"
        worker = Worker(self, self.name, "sh", "-c", script, options=("--visibility", "300"))
        until(lambda: began.exists() and began.read_text().endswith("\n"), "the command began")
        hold = self.json("holds", "place", "ann", "--authority", "court", "--reason", "case 7", "--recording", "r1")["hold"]
        placed = time.monotonic()
        self.assertEqual([lease["system"] for lease in hold["leases_out"]], [self.name])
        self.assertTrue(hold["leases_out"][0]["until"])
        until(lambda: not running(began.read_text().strip()), "the command has ended", patience=20)
        self.assertLess(time.monotonic() - placed, 15)
        until(lambda: self.json("holds", "list", "--account", "ann")["holds"][0]["leases_out"] == [], "the worker has said so")
        worker.stop()
        task = self.task()
        self.assertEqual((task["erased_count"], task["again"]), (3, "TAKEN_BACK"))
        etag = self.json("holds", "list", "--account", "ann")["holds"][0]["etag"]
        self.json("holds", "release", hold["hold_id"], "--authority", "court", "--reason", "over", "--etag", etag, "--channel", "support",
                  "--actor", "system")

    def test_ids_reach_the_command_only(self):
        secret = "speaker-4711"
        self.delete(secret, "--profile", "kid-0815", "--verified")
        script = 'echo "$CONSENT_ACCOUNT_ID $CONSENT_PROFILE_ID" >&2; cat >&2; exit 1'
        done = self.daemon.ctl("worker", self.name, "--once", "--batch", "10", "--", "sh", "-c", script)
        self.assertEqual(done.returncode, WORK_LEFT)
        self.assertIn("outcome=FAILED erased=0", done.stderr)
        self.assertIn('why="exit 1"', done.stderr)
        log = pathlib.Path(self.daemon.path("log")).read_text()
        for text in (done.stdout, done.stderr, log, json.dumps(self.json("tasks", "list", self.name))):
            self.assertNotIn(secret, text)
            self.assertNotIn("kid-0815", text)

    def test_stopped_it_finishes_what_runs(self):
        began, go = pathlib.Path(self.daemon.path("began")), pathlib.Path(self.daemon.path("go"))
        worker = Worker(self, self.name, "sh", "-c", f'touch "{began}"; until [ -e "{go}" ]; do sleep 0.02; done; echo 1',
                        options=("--json",))
        until(began.exists, "the command began")
        worker.process.send_signal(signal.SIGTERM)
        go.touch()
        code, out, err = worker.wait()
        self.assertEqual(code, DONE, err)
        self.assertEqual(json.loads(out)["done"], 1)
        self.assertEqual(self.part()["outcome"], "ACKNOWLEDGED")

    def test_stopped_what_it_had_not_begun_is_free_at_once(self):
        for number in range(5):
            self.delete("bea", "--recording", f"b{number}", "--verified")
        began, go = pathlib.Path(self.daemon.path("began-first")), pathlib.Path(self.daemon.path("go-first"))
        worker = Worker(self, self.name, "sh", "-c", f'touch "{began}"; until [ -e "{go}" ]; do sleep 0.02; done; echo 1',
                        options=("--json", "--batch", "10"))
        until(began.exists, "the first command began")
        taken = self.json("tasks", "list", self.name)["tasks"]
        self.assertTrue(all(task["leased_until"] for task in taken))
        worker.process.send_signal(signal.SIGTERM)
        go.touch()
        code, out, err = worker.wait()
        counts = json.loads(out)
        left = self.json("tasks", "list", self.name)["tasks"]
        self.assertGreater(len(left), 0)  # another may have begun before the worker saw the signal
        self.assertEqual((code, counts["done"], counts["given_back"]), (DONE, len(taken) - len(left), len(left)), err)
        for task in left:
            self.assertEqual((task["failures"], task["leased_until"], task["not_before"]), (0, "", ""))

    def test_stopped_twice_it_gives_back(self):
        began = pathlib.Path(self.daemon.path("began-twice"))
        worker = Worker(self, self.name, "sh", "-c", f'touch "{began}"; exec sleep 600', options=("--json",))
        until(began.exists, "the command began")

        def ended():
            worker.process.send_signal(signal.SIGINT)
            return worker.process.poll() is not None

        until(ended, "the worker ended")
        code, out, err = worker.wait()
        self.assertEqual((code, json.loads(out)["given_back"]), (DONE, 1), err)
        self.assertEqual(self.task()["last_error"], "the worker was stopped")

    def test_idle_it_ends_when_asked(self):
        self.once("true")
        code, _, err = Worker(self, self.name, "true").stop()
        self.assertIn(code, (DONE, -signal.SIGTERM), err)  # the signal may have come before it was waited for

    def test_killed_its_task_comes_again(self):
        began = pathlib.Path(self.daemon.path("began-killed"))
        worker = Worker(self, self.name, "sh", "-c", f'sleep 600 & echo $! >"{began}"; wait', options=("--visibility", "2"))
        until(lambda: began.exists() and began.read_text().endswith("\n"), "the command began")
        worker.kill()
        until(lambda: not running(began.read_text().strip()), "nothing goes on erasing for a worker that is dead")
        self.assertEqual(self.part()["outcome"], "")
        until(lambda: json.loads(self.daemon.ctl("worker", self.name, "--once", "--json", "--", "sh", "-c", "exit 3").stdout)["not_found"] == 1,
              "the task came again")
        self.assertTrue(self.part()["leased_before"])

    def test_many_run_at_once_and_none_twice(self):
        for number in range(40):
            self.delete("bob", "--recording", f"r{number}", "--verified")
        done = pathlib.Path(self.daemon.path("many"))
        script = f'printf "%s\\n" "$CONSENT_TASK_ID" >>"{done}"; echo 1'
        counts = self.once("sh", "-c", script, options=("--parallel", "8", "--batch", "16"))
        self.assertEqual(counts["done"], 41)
        self.assertEqual(len(set(done.read_text().splitlines())), 41)
        self.assertEqual(len(done.read_text().splitlines()), 41)

    def test_a_program_that_is_not_there_takes_no_task(self):
        done = self.daemon.ctl("worker", self.name, "--once", "--", "no-such-program")
        self.assertEqual(done.returncode, FILES)
        self.assertEqual(self.task()["attempts"], 0)

    def test_an_unknown_system_is_refused(self):
        done = self.daemon.ctl("worker", "nowhere", "--", "true")
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("SYSTEM_NOT_FOUND", done.stderr)

    def test_what_the_environment_cannot_carry(self):
        self.delete("cid", "--recording", "a\nb", "--verified")
        self.once("true", options=("--batch", "10"), expect=WORK_LEFT)
        self.assertIn("--stdin-only", self.task()["last_error"])
        self.delete("cid", "--recording", "c\nd", "--verified")
        seen = pathlib.Path(self.daemon.path("seen"))
        script = f"import os, sys; open({str(seen)!r}, 'w').write(sys.stdin.read() + str('CONSENT_SELECTOR' in os.environ))"
        self.once(sys.executable, "-c", script, options=("--stdin-only",), expect=WORK_LEFT)
        line, in_environment = seen.read_text().split("\n")
        self.assertEqual(json.loads(line)["selector"]["recording_ids"], ["c\nd"])
        self.assertEqual(in_environment, "False")


class LostDaemonTest(DaemonTest):
    def test_a_worker_outlasts_a_restart_of_the_daemon(self):
        self.system("audio", "audio")
        worker = Worker(self, "audio", "sh", "-c", "echo 1")
        self.completed(self.delete("ann", "--everything", "--verified"))
        self.daemon.stop()
        done = self.daemon.ctl("worker", "audio", "--once", "--", "true")
        self.assertEqual(done.returncode, NO_ANSWER, done.stderr)
        self.assertIn("no answer", next(line for line in worker.process.stderr if "event=task_ended" not in line))
        self.daemon.start()
        self.completed(self.delete("ben", "--everything", "--verified"))
        code, out, err = worker.stop()
        said = [line for line in err.splitlines() if "event=task_ended" not in line]
        self.assertEqual((code, said), (DONE, ["consentctl: the daemon answers again"]), "and says each once, however long it lasts")
        self.assertEqual(out.splitlines()[1].split("\t")[:2], ["worker", "2"])


class OutputTest(DaemonTest):
    def test_a_standard_output_that_cannot_be_written_is_told(self):
        self.system("audio", "audio")
        with open("/dev/full", "w") as full:
            done = subprocess.run([CONSENTCTL, "--endpoint", self.daemon.endpoint, "worker", "audio", "--once", "--", "true"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, FILES, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
