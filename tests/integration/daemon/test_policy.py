"""The policy file: validating it, reloading it, and what must not get in."""

import json
import os
import signal
import statistics
import subprocess
import time
import unittest

from consent.v1 import policy_service_pb2 as policy
from consent.v1 import types_pb2 as types

from harness import DEFAULT_POLICY, ROOT, DaemonTest, one_person, refused, run_to_end, until
from test_clock import DAY, HOUR, ClockTest
from words import check, household, opt_out, reasons, turn_on


class EveryPartition(DaemonTest):
    """A thousand partitions hear of a suspension in a few syncs, not in a thousand."""

    # Far above what it takes (README.md of daemon/service has the figures), far below a sync for each partition.
    MOST_SECONDS = 2

    def test_a_suspension_and_its_end(self):
        api = self.client(self.daemon("--policy", self.one_person_policy()))
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
    """What loosens comes into force by a call that names it, and by no file, signal or start."""

    WAITS = "consentd_policy_file_waits"

    def start(self):
        self.path = self.folder / "policy.json"
        self.document = one_person(json.loads(DEFAULT_POLICY.read_text()))
        self.write("v1")
        self.served = self.daemon("--policy", self.path)
        self.api = self.client(self.served)

    def write(self, version):
        self.document["version"] = version
        self.path.write_text(json.dumps(self.document))

    def loosen(self):
        us = next(regime for regime in self.document["regimes"] if regime["name"] == "us")
        us["default_rule"] = "DEFAULT_RULE_OPT_OUT"
        self.document["longest_answer_age_seconds"] += 1
        self.write("v2")

    def reload(self, result):
        series = f'consentd_policy_reloads_total{{result="{result}"}}'
        before = self.served.metric(series)
        self.served.signal(signal.SIGHUP)
        until(lambda: self.served.metric(series) == before + 1, f"a reload that ends as {result}")

    def current(self):
        return self.api.policies.GetPolicy(policy.GetPolicyRequest())

    def events(self, event):
        return [one for one in self.served.events() if one["event"] == event]

    def words(self):
        diff = self.api.policies.DiffPolicy(policy.DiffPolicyRequest(policy_json=self.path.read_bytes()))
        self.assertEqual(diff.refused, "")
        return [one.words for one in diff.differences if one.effect == policy.POLICY_EFFECT_LOOSENS]

    def activate(self, named):
        return self.api.policies.ActivatePolicy(policy.ActivatePolicyRequest(policy_json=self.path.read_bytes(), loosens=named))

    def refusal(self, named):
        return refused(self.api.policies.ActivatePolicy,
                       policy.ActivatePolicyRequest(policy_json=self.path.read_bytes(), loosens=named))

    def test_neither_a_signal_nor_a_start_activates_it(self):
        self.start()
        self.assertEqual(self.served.metric(self.WAITS), 0)
        self.assertFalse(self.current().HasField("waiting"))
        self.loosen()
        self.reload("refused")
        for again in (False, True):
            if again:
                self.assertEqual(self.served.stop(), 0)
                self.served = self.daemon("--policy", self.path)
                self.api = self.client(self.served)
                self.assertEqual(self.served.event("the policy file is not in force yet; the policy before is")["level"], "warning")
            now = self.current()
            self.assertEqual(now.policy.version, "v1")
            self.assertEqual(now.waiting.version, "v2")
            for field in ("default_rule", "longest_answer_age_seconds"):
                self.assertIn(field, now.waiting.why)
            self.assertEqual(self.served.metric(self.WAITS), 1)
        # A tightening file still is: the file of before is in force, so nothing waits.
        self.document = json.loads(DEFAULT_POLICY.read_text())
        self.document["longest_answer_age_seconds"] -= 1
        self.write("v3")
        self.reload("ok")
        self.assertEqual(self.current().policy.version, "v3")
        self.assertEqual(self.served.metric(self.WAITS), 0)
        self.path.write_text("{")
        self.reload("refused")
        self.assertEqual(self.served.metric(self.WAITS), 1)
        self.assertEqual(self.current().waiting.version, "")

    def test_a_call_that_names_it_does(self):
        self.start()
        self.loosen()
        self.reload("refused")
        words = self.words()
        self.assertEqual(len(words), 2)
        for named in ([], words[:1], [words[0], words[1].split(":")[0]]):
            error = self.refusal(named)
            self.assertEqual(error.reason, "LOOSENING_NOT_NAMED")
            self.assertIn(words[1], error.message)
        self.assertEqual(self.refusal([*words, "purposes: gains PURPOSE_ADVERTISING"]).reason, "INVALID_FIELD")
        self.assertEqual(self.current().policy.version, "v1")
        done = self.activate(words)
        self.assertTrue(done.changed)
        self.assertFalse(self.activate([]).changed, "it is in force already")
        self.assertEqual(self.current().policy.version, "v2")
        self.assertEqual(self.current().activated_by, "local")
        self.assertEqual(self.served.metric(self.WAITS), 0, "the file that waited is in force")
        told = self.events("policy loosened")
        self.assertEqual({(one["level"], one["by"]) for one in told}, {("warning", "local")})
        self.assertEqual(len({one["field"] for one in told}), 2, "one a field")
        listed = self.api.policies.ListPolicies(policy.ListPoliciesRequest()).policies
        self.assertEqual([(one.version, one.activated_by, one.current) for one in listed], [("v2", "local", True), ("v1", "", False)])
        first = self.api.policies.ListPolicies(policy.ListPoliciesRequest(page_size=1))
        second = self.api.policies.ListPolicies(policy.ListPoliciesRequest(page_size=1, page_token=first.next_page_token))
        self.assertEqual([first.policies[0].version, second.policies[0].version, second.next_page_token], ["v2", "v1", ""])
        self.assertEqual(self.served.stop(), 0)
        self.served = self.daemon("--policy", self.path)
        self.api = self.client(self.served)
        self.assertEqual(self.current().policy.version, "v2", "its file is in force now")
        self.assertEqual(self.current().activated_by, "local")

    def test_a_daemon_without_a_file_keeps_what_was_activated(self):
        self.path = self.folder / "policy.json"
        self.document = json.loads(DEFAULT_POLICY.read_text())
        self.served = self.daemon("--policy", self.one_person_policy())
        self.api = self.client(self.served)
        self.loosen()
        self.activate(self.words())
        self.assertEqual(self.served.stop(), 0)
        self.served = self.daemon()
        self.api = self.client(self.served)
        self.assertEqual(self.current().policy.version, "v2")

    def test_how_many_answers_turn(self):
        self.start()
        for name in ("a", "b", "c"):
            registered = self.api.subjects.UpsertSubject(household(name))
            if name != "c":
                self.api.settings.UpdateSettings(turn_on(name, registered.revision, notice="2026-01"))
        for notice in self.document["notices"]:
            notice["consent_lifetime_months"] = 1
        self.document["regimes"] = [{**one, "allowed_countries": []} for one in self.document["regimes"]]
        self.write("v2")
        asked = policy.DiffPolicyRequest(policy_json=self.path.read_bytes(), count_seconds=60)
        diff = self.api.policies.DiffPolicy(asked)
        self.assertEqual((diff.examined_subjects, diff.subjects), (3, 3))
        turned = {one.purpose: (one.to_eligible, one.to_not_eligible) for one in diff.turned}
        self.assertEqual(turned[types.PURPOSE_HUMAN_REVIEW], (0, 2), diff)
        self.assertEqual(self.current().policy.version, "v1")
        asked.count_seconds = 0
        self.assertEqual(self.api.policies.DiffPolicy(asked).examined_subjects, 0)
        asked.policy_json = b"{"
        self.assertEqual(refused(self.api.policies.DiffPolicy, asked).reason, "INVALID_FIELD")


@unittest.skipUnless(os.environ.get("TEST_CTL"), "consentctl is not built")
class Consentctl(DaemonTest):

    def ctl(self, *arguments):
        return subprocess.run([os.environ["TEST_CTL"], "--endpoint", self.served.address(), *map(str, arguments)],
                              capture_output=True, text=True, timeout=60, check=False)

    def test_trying_a_policy_and_activating_it(self):
        self.served = self.daemon("--policy", self.one_person_policy())
        next_policy = self.folder / "us-opt-out.json"
        next_policy.write_text(json.dumps(one_person(json.loads((ROOT / "deploy" / "examples" / "policy-us-opt-out.json").read_text()))))
        diff = self.ctl("policy", "diff", next_policy)
        self.assertEqual(diff.returncode, 0, diff)
        words = 'regimes["us"].default_rule: OPT_IN becomes OPT_OUT, for captures from the activation on'
        self.assertIn(f"difference\tLOOSENS\t{words}", diff.stdout)
        self.assertIn("examined\t0\t0", diff.stdout)
        refused = self.ctl("policy", "activate", next_policy)
        self.assertEqual(refused.returncode, 21, refused)
        self.assertIn(f"--loosens '{words}'", refused.stderr)
        done = self.ctl("policy", "activate", next_policy, "--loosens", words)
        self.assertEqual(done.returncode, 0, done)
        listed = self.ctl("--json", "policy", "list")
        self.assertEqual([one["version"] for one in json.loads(listed.stdout)["policies"]], ["2027-01-us-opt-out-one-person", "2027-01-default-one-person"])
        shown = json.loads(self.ctl("--json", "policy", "show").stdout)
        self.assertEqual(shown["activated_by"], "local")
        self.assertNotIn("waiting", shown)


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

    def test_problems_say_line_column_and_what_is_permitted(self):
        path = self.folder / "policy.json"
        text = DEFAULT_POLICY.read_text().replace('"DEFAULT_RULE_OPT_IN"', '"DEFAULT_RULE_OPTIN"', 1)
        path.write_text(text)
        line = text[:text.index('"DEFAULT_RULE_OPTIN"')].count("\n") + 1
        done = run_to_end("policy", "validate", path)
        self.assertEqual(done.code, 1, done)
        self.assertIn("permitted: DEFAULT_RULE_OPT_IN, DEFAULT_RULE_OPT_OUT", done.out)
        self.assertIn(f"(line {line}, column 23)", done.out)
        path.write_text(DEFAULT_POLICY.read_text().replace('"controls"', '"control"'))
        self.assertIn("permitted: version, regimes", run_to_end("policy", "validate", path).out)

    def test_what_cannot_work_is_warned_of(self):
        document = json.loads(DEFAULT_POLICY.read_text())
        path = self.policy(controls=document["controls"][:-1], holiday_calendars=[{"name": "us-federal", "dates": ["2026-01-01"]}])
        done = run_to_end("policy", "validate", path)
        self.assertEqual(done.code, 0, done)
        warnings = [line for line in done.out.splitlines() if line.startswith("warning: ")]
        self.assertEqual(len(warnings), 2, done.out)
        self.assertIn("no control lists PURPOSE_ADVERTISING", warnings[0])
        self.assertIn("ends on 2026-01-01", warnings[1])
        served = self.daemon("--policy", path)
        told = [one["what"] for one in served.events() if one["event"] == "policy promises what cannot work"]
        self.assertEqual(len(told), 2)

    def test_the_difference_of_two_files(self):
        done = run_to_end("policy", "diff", DEFAULT_POLICY, DEFAULT_POLICY.parent / "examples" / "policy-us-opt-out.json")
        self.assertEqual((done.code, done.out), (0, (
            "allows more:\n  regimes[\"us\"].default_rule: OPT_IN becomes OPT_OUT, for captures from the activation on\n")))
        self.assertEqual(run_to_end("policy", "diff", DEFAULT_POLICY, DEFAULT_POLICY).out, "no difference\n")
        self.assertEqual(run_to_end("policy", "diff", DEFAULT_POLICY, self.folder / "none.json").code, 1)

    def test_the_shipped_cases_pass_and_say_what_fails_under_another_policy(self):
        deploy = DEFAULT_POLICY.parent
        files = [deploy / "policy.cases.json", *sorted((deploy / "examples").glob("*.cases.json"))]
        self.assertEqual(len(files), 3)
        done = run_to_end("policy", "test", *files)
        self.assertEqual(done.code, 0, done.out)
        self.assertEqual(done.out.count("cases passed"), 3)
        other = deploy / "examples" / "policy-us-opt-out.json"
        done = run_to_end("policy", "test", "--policy", other, files[0])
        self.assertEqual(done.code, 1, done.out)
        self.assertIn("FAILED: 3. Known subject, nothing chosen, US: no\n  step 2, 2026-04-01T12:00:00Z\n"
                      "  expected: NOT_ELIGIBLE; KEEP; NO_CONSENT, PROFILE_WITHOUT_CONSENT\n  got:      ELIGIBLE; KEEP; DEFAULT\n", done.out)
        report = json.loads(run_to_end("policy", "test", "--json", "--policy", other, files[0], self.folder / "none").out)
        self.assertGreater(report["files"][0]["failed"], 0)
        self.assertIn("US: no", report["files"][0]["failures"][0]["case"])
        self.assertIn("none", report["files"][1]["error"])

    def test_usage(self):
        self.assertEqual(run_to_end("policy").code, 64)
        for wrong in (["validate"], ["diff", "a"], ["test"], ["test", "--json"], ["test", "--policy"], ["test", "--what", "a"], ["show"]):
            self.assertEqual(run_to_end("policy", *wrong).code, 64, wrong)


if __name__ == "__main__":
    unittest.main()
