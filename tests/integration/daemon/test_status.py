"""`consentctl status` where all is well, where a policy file waits, where the clock is in doubt, and where the daemon does not serve."""

import json
import os
import signal
import subprocess
import time
import unittest

from consent.v1 import status_service_pb2 as status

from harness import DEFAULT_POLICY, PATIENCE, ROOT, DaemonTest, until

CTL = os.environ.get("TEST_CTL")
SHIM = os.environ.get("TEST_CLOCK_SHIM")
OF_THE_MACHINE = {"disk data", "disk head_file", "disk decision_log"}
NO_ANSWER, NEEDS_PERSON = 20, 51


@unittest.skipUnless(CTL, "needs consentctl")
class Status(DaemonTest):

    def ctl(self, daemon, *arguments):
        return subprocess.run([CTL, "--endpoint", daemon.address(), "--timeout", "5", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)

    def lines(self, daemon):
        done = self.ctl(daemon, "--json", "status")
        said = json.loads(done.stdout)
        # A full disk of the machine's is no fault of the daemon's, and is said all the same.
        marked = {line["what"]: line for line in said["lines"] if line["needs_person"]}
        self.assertEqual(done.returncode, NEEDS_PERSON if marked else 0)
        self.assertEqual(said["needs_person"], bool(marked))
        return said, {what: line for what, line in marked.items() if what not in OF_THE_MACHINE}

    def test_nothing_needs_a_person_where_all_is_well(self):
        served = self.daemon()
        said, marked = self.lines(served)
        self.assertEqual(marked, {})
        self.assertEqual(said["policy"]["version"], json.loads(DEFAULT_POLICY.read_text())["version"])
        self.assertEqual((said["suspensions"], said["certificates"], said["callers"], said["verification"]), ([], None, None, None))
        self.assertTrue(said["index"]["complete"] and said["decision_log"]["on"] and said["decision_log"]["writing"])
        self.assertEqual([line["what"] for line in said["lines"]][:2], ["serving", "policy"])

    def test_it_needs_no_metrics_port(self):
        served = self.daemon("--metrics-listen", "off")
        self.assertEqual(self.lines(served)[1], {})

    def test_a_policy_file_that_loosens_waits_and_is_shown(self):
        path = self.policy()
        served = self.daemon("--policy", path)
        document = json.loads(path.read_text())
        version = document["version"]
        next(regime for regime in document["regimes"] if regime["name"] == "us")["default_rule"] = "DEFAULT_RULE_OPT_OUT"
        path.write_text(json.dumps({**document, "version": "looser"}))
        served.signal(signal.SIGHUP)
        until(lambda: served.metric("consentd_policy_file_waits") == 1, "the file waits")
        said, marked = self.lines(served)
        self.assertEqual(set(marked), {"policy file"})
        self.assertIn("looser, not in force", marked["policy file"]["state"])
        self.assertIn("consentctl policy diff", marked["policy file"]["next"])
        self.assertIn("a second person: consentctl approvals approve ID", marked["policy file"]["next"], "the shipped policy wants two")
        self.assertEqual((said["policy"]["version"], said["policy"]["waiting"]["version"]), (version, "looser"))
        path.write_text("{")
        served.signal(signal.SIGHUP)
        until(lambda: "unreadable" in self.lines(served)[1]["policy file"]["state"], "the file cannot be read")
        path.write_text(json.dumps(document | {"version": version, "regimes": json.loads(DEFAULT_POLICY.read_text())["regimes"]}))
        served.signal(signal.SIGHUP)
        until(lambda: self.lines(served)[1] == {}, "the file is in force")

    def test_what_is_not_recorded_needs_a_person(self):
        served = self.daemon("--decision-log", "off")
        self.assertEqual(set(self.lines(served)[1]), {"decision log"})

    @unittest.skipUnless(SHIM, "no preloaded library under sanitizers")
    def test_a_doubtful_clock_needs_a_person(self):
        shift = self.folder / "shift"
        shift.write_bytes(bytes(16))
        served = self.daemon(environment={"LD_PRELOAD": SHIM, "CONSENT_SHIFT_CLOCK_FILE": str(shift)})
        with open(shift, "r+b") as file:
            file.write((7_200_000_000).to_bytes(8, "little"))
        marked = until(lambda: self.lines(served)[1], "the time is in doubt")
        self.assertEqual(set(marked), {"clock"})
        self.assertRegex(marked["clock"]["state"], "7(200|199) s ahead")  # by whole seconds since the step
        self.assertIn("consentctl clock confirm", marked["clock"]["next"])

    def test_a_daemon_that_does_not_answer_is_no_answer(self):
        served = self.daemon()
        served.stop()
        done = self.ctl(served, "status")
        self.assertEqual(done.returncode, NO_ANSWER)
        self.assertEqual(done.stdout, "")
        self.assertIn("journalctl -u consentd", done.stderr)

    def test_answers_that_follow_one_another_at_once_may_be_the_same(self):
        api = self.client(self.daemon())
        begun = time.monotonic()
        times = [api.status.GetStatus(status.GetStatusRequest()).read_at.ToMicroseconds() for _ in range(200)]
        self.assertEqual(times, sorted(times))
        self.assertLessEqual(len(set(times)), 1 + (time.monotonic() - begun) / 0.25)
        until(lambda: api.status.GetStatus(status.GetStatusRequest()).read_at.ToMicroseconds() > times[-1], "a later one is read anew")

    def test_its_figures_have_rows_in_the_table_of_metrics(self):
        source = (ROOT / "daemon/app/status_answer.cc").read_text()
        names = {word for word in source.replace('"', " ").split() if word.startswith(("consentd_", "process_"))}
        table = (ROOT / "daemon/ops/README.md").read_text()
        later = {"consentd_approvals_open", "consentd_holds_past_review", "consentd_safety_flags_open", "consentd_safety_flag_oldest_timestamp_seconds"}
        self.assertGreater(len(names), 40)
        self.assertEqual([name for name in sorted(names - later) if f"| `{name}` |" not in table], [])


if __name__ == "__main__":
    unittest.main()
