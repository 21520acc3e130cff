"""The policy file: validating it, reloading it, and what must not get in."""

import json
import signal
import statistics
import time
import unittest

from consent.v1 import policy_service_pb2 as policy
from consent.v1 import types_pb2 as types

from harness import DEFAULT_POLICY, DaemonTest, run_to_end, until
from test_clock import DAY, HOUR, ClockTest
from words import check, household, opt_out, reasons, turn_on


class EveryPartition(DaemonTest):
    """A thousand partitions hear of a suspension in a few syncs, not in a thousand."""

    # Far above what it takes (README.md of daemon/service has the figures), far below a sync for each partition.
    MOST_SECONDS = 2

    def test_a_suspension_and_its_end(self):
        api = self.client(self.daemon())
        took = []
        for _ in range(7):
            began = time.monotonic()
            suspended = api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="measured")).suspension
            took.append(time.monotonic() - began)
            api.policies.Resume(policy.ResumeRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="measured", etag=suspended.etag))
        print(f"Suspend in all partitions: median {statistics.median(took) * 1e3:.1f} ms")
        self.assertLess(statistics.median(took), self.MOST_SECONDS)


class Reload(DaemonTest):

    def start(self):
        self.path = self.folder / "policy.json"
        self.document = json.loads(DEFAULT_POLICY.read_text())
        self.write(version="v1")
        self.served = self.daemon("--policy", self.path)
        self.api = self.client(self.served)

    def write(self, **changes):
        self.document.update(changes)
        self.path.write_text(json.dumps(self.document))

    def reload(self, result):
        """Sends SIGHUP and waits until the metric says how it ended."""
        series = f'consentd_policy_reloads_total{{result="{result}"}}'
        before = self.served.metric(series)
        self.served.signal(signal.SIGHUP)
        until(lambda: self.served.metric(series) == before + 1, f"a reload that ends as {result}")

    def version(self):
        return self.api.policies.GetPolicy(policy.GetPolicyRequest()).policy.version

    def refusal(self):
        found = [event for event in self.served.events() if event["event"].startswith("policy reload refused")]
        return found[-1]["why"] if found else ""

    def test_a_good_file_is_taken_and_the_old_version_kept(self):
        self.start()
        self.write(version="v2", longest_answer_age_seconds=60)
        self.reload("ok")
        self.assertEqual(self.version(), "v2")
        self.assertFalse(self.api.policies.GetPolicy(policy.GetPolicyRequest(version="v1")).current)
        self.assertTrue(any(line.startswith('consentd_policy_info{version="v2",hash="') for line in self.served.metrics().splitlines()))
        self.reload("ok")  # nothing changed

    def test_a_file_that_is_no_policy_changes_nothing(self):
        self.start()
        for text, says in [("{", "policy"), (json.dumps({**self.document, "purposs": []}), "purposs"), ("", "policy")]:
            self.path.write_text(text)
            self.reload("refused")
            self.assertIn(says, self.refusal())
            self.assertEqual(self.version(), "v1")
        self.path.unlink()
        self.reload("refused")
        self.assertIn(str(self.path), self.refusal())
        self.assertEqual(self.version(), "v1")

    def test_a_file_that_loosens_or_drops_what_is_in_use_is_refused(self):
        self.start()
        registered = self.api.subjects.UpsertSubject(household("tied"))
        self.api.settings.UpdateSettings(turn_on("tied", registered.revision, notice="2026-01"))
        whole = json.loads(json.dumps(self.document["notices"]))
        self.assertIn("CAPTURED_BEFORE_CONSENT", reasons(self.api.eligibility.Check(check("tied")).decision))

        loosened = json.loads(json.dumps(whole))
        for notice in loosened:
            if notice["version"] == "2026-01":
                notice["covers_past"] = True
        self.write(version="v2", notices=loosened)
        self.reload("refused")
        self.assertIn("2026-01", self.refusal())
        self.write(version="v3", notices=[notice for notice in whole if notice["version"] != "2026-01"])
        self.reload("refused")
        self.assertIn("2026-01", self.refusal())
        self.assertEqual(self.version(), "v1")
        self.assertIn("CAPTURED_BEFORE_CONSENT", reasons(self.api.eligibility.Check(check("tied")).decision))

        self.write(version="v4", notices=[notice for notice in whole if notice["version"] != "2026-01-past"])
        self.reload("ok")  # nobody was shown that one
        self.assertEqual(self.version(), "v4")

    def test_a_version_never_changes_its_content(self):
        self.start()
        self.write(longest_answer_age_seconds=61)
        self.reload("refused")
        self.assertEqual(self.version(), "v1")

    def test_a_refused_file_stops_the_next_start(self):
        self.start()
        self.write(longest_answer_age_seconds=61)
        self.assertEqual(self.served.stop(), 0)
        again = self.daemon("--policy", self.path, wait=False)
        self.assertEqual(again.wait(), 65)
        self.assertIn("v1", again.event("start failed")["why"])


class Loosening(DaemonTest):

    def test_the_log_names_each_field_that_loosens(self):
        document = json.loads(DEFAULT_POLICY.read_text())
        path = self.folder / "policy.json"
        path.write_text(json.dumps({**document, "version": "v1"}))
        daemon = self.daemon("--policy", path)
        self.assertEqual([event for event in daemon.events() if event["event"] == "policy loosened"], [], "the first has no predecessor")
        us = next(regime for regime in document["regimes"] if regime["name"] == "us")
        us["default_rule"] = "DEFAULT_RULE_OPT_OUT"
        document["longest_answer_age_seconds"] += 1
        path.write_text(json.dumps({**document, "version": "v2"}))
        daemon.signal(signal.SIGHUP)
        until(lambda: [e for e in daemon.events() if e["event"] == "policy in force" and e["version"] == "v2"], "the second policy")
        until(lambda: daemon.metric('consentd_policy_reloads_total{result="ok"}') == 1, "the reload's end")
        loosened = [event for event in daemon.events() if event["event"] == "policy loosened"]
        self.assertEqual({event["level"] for event in loosened}, {"warning"})
        self.assertEqual(len({event["field"] for event in loosened}), len(loosened), "one a field")
        self.assertTrue(any("us" in event["field"] and "default_rule" in event["field"] for event in loosened), loosened)
        self.assertTrue(any(event["field"] == "longest_answer_age_seconds" for event in loosened), loosened)
        daemon.stop()
        again = self.daemon("--policy", path)
        self.assertEqual([event for event in again.events() if event["event"] == "policy loosened"], [], "told once")


class WaitsForTheTime(ClockTest):

    def version(self):
        return self.api.policies.GetPolicy(policy.GetPolicyRequest()).policy.version

    def write(self, version, **changes):
        self.path.write_text(json.dumps({**json.loads(DEFAULT_POLICY.read_text()), "version": version, **changes}))

    def setUp(self):
        super().setUp()
        self.path = self.folder / "policy.json"
        self.write("v0")
        self.process = self.daemon("--policy", self.path, environment=self.environment)
        self.api = self.client(self.process)
        self.api.settings.OptOut(opt_out("someone"))

    def test_a_start_serves_under_the_old_policy_and_takes_the_new_one_when_the_time_is_right(self):
        for number, seconds in enumerate((-HOUR // 2, DAY)):  # a little behind is believed, and so far ahead is not
            with self.subTest(seconds=seconds):
                self.assertEqual(self.process.stop(), 0)
                self.write(f"v{number + 1}")
                self.wall.set(seconds)
                self.start_again()
                self.assertEqual(self.version(), f"v{number}")
                self.assertEqual(self.process.metric('consentd_policy_reloads_total{result="refused"}'), 1)
                self.logs("the policy file is not in force yet")
                self.wall.set(0)
                until(lambda number=number: self.version() == f"v{number + 1}", "the policy that waited")

    def test_one_that_no_time_would_allow_stops_the_start(self):
        self.assertEqual(self.process.stop(), 0)
        self.write("v0", longest_answer_age_seconds=61)
        self.wall.set(DAY)
        self.process.start(wait=False)
        self.assertEqual(self.process.wait(), 65, self.process.log())


class Validate(DaemonTest):

    def test_the_shipped_policy_is_valid(self):
        done = run_to_end("policy", "validate", DEFAULT_POLICY)
        self.assertEqual(done.code, 0, done)
        self.assertIn("is valid, SHA-256 ", done.out)

    def test_problems_are_listed_one_per_line(self):
        path = self.policy(version="not valid!", longest_answer_age_seconds=0)
        done = run_to_end("policy", "validate", path)
        self.assertEqual(done.code, 1, done)
        self.assertTrue(any(line.startswith("version: ") for line in done.out.splitlines()), done.out)
        self.assertTrue(any(line.startswith("longest_answer_age_seconds: ") for line in done.out.splitlines()), done.out)
        missing = run_to_end("policy", "validate", self.folder / "none.json")
        self.assertEqual(missing.code, 1)
        self.assertIn("none.json", missing.out)

    def test_a_zone_that_this_machine_lacks(self):
        document = json.loads(DEFAULT_POLICY.read_text())
        for zone, code in (("Europe/Bucharest", 0), ("Mars/Olympus", 1)):
            document["regimes"][0]["time_zone"] = zone
            done = run_to_end("policy", "validate", self.policy(regimes=document["regimes"]))
            self.assertEqual(done.code, code, done)
            self.assertEqual("regimes[0].time_zone: " in done.out, code == 1, done.out)

    def test_usage(self):
        self.assertEqual(run_to_end("policy").code, 64)
        self.assertEqual(run_to_end("policy", "validate").code, 64)


if __name__ == "__main__":
    unittest.main()
