"""The callers' file: validating it, starting with it, and reading it again."""

import json
import signal
import unittest

from harness import ROOT, DaemonTest, run_to_end, until

EXAMPLE = ROOT / "deploy" / "examples" / "callers.json"


class Validate(DaemonTest):

    def test_the_shipped_example_is_valid(self):
        done = run_to_end("callers", "validate", EXAMPLE)
        self.assertEqual(done.code, 0, done)
        self.assertIn("9 callers", done.out)

    def test_problems_are_listed_one_per_line(self):
        document = json.loads(EXAMPLE.read_text())
        document["callers"][0]["name"] = "Not Valid"
        document["callers"][1]["max_certificate_hours"] = 0
        path = self.folder / "callers.json"
        path.write_text(json.dumps(document))
        done = run_to_end("callers", "validate", path)
        self.assertEqual(done.code, 1, done)
        for field in ("callers[0].name: ", "callers[1].max_certificate_hours: "):
            self.assertTrue(any(line.startswith(field) for line in done.out.splitlines()), done.out)
        missing = run_to_end("callers", "validate", self.folder / "none.json")
        self.assertEqual(missing.code, 1)
        self.assertIn("none.json", missing.out)

    def test_usage(self):
        self.assertEqual(run_to_end("callers").code, 64)
        self.assertEqual(run_to_end("callers", "validate").code, 64)


class Reload(DaemonTest):

    def setUp(self):
        super().setUp()
        self.path = self.folder / "callers.json"
        self.document = json.loads(EXAMPLE.read_text())
        self.path.write_text(json.dumps(self.document))

    def reload(self, daemon, result):
        """Sends SIGHUP and waits until the metric says how it ended."""
        series = f'consentd_callers_reloads_total{{result="{result}"}}'
        before = daemon.metric(series)
        daemon.signal(signal.SIGHUP)
        until(lambda: daemon.metric(series) == before + 1, f"a reload that ends as {result}")

    def in_force(self, daemon):
        return [event["callers"] for event in daemon.events() if event["event"] == "callers in force"]

    def test_a_good_file_is_taken_and_a_bad_one_changes_nothing(self):
        daemon = self.daemon("--callers", self.path)
        self.assertEqual(self.in_force(daemon), [9])
        self.path.write_text(json.dumps({"callers": self.document["callers"][:3]}))
        self.reload(daemon, "ok")
        self.assertEqual(self.in_force(daemon), [9, 3])
        for text, says in [("{", "not JSON"), ('{"callers": []}', "0 entries"), (json.dumps({"caller": []}), "unknown key")]:
            self.path.write_text(text)
            self.reload(daemon, "refused")
            refusals = [event for event in daemon.events() if event["event"].startswith("callers reload refused")]
            self.assertIn(says, refusals[-1]["why"])
        self.path.unlink()
        self.reload(daemon, "refused")
        self.assertEqual(self.in_force(daemon), [9, 3])
        self.assertEqual(daemon.metric('consentd_policy_reloads_total{result="refused"}'), 0, "the policy is read beside it")
        self.assertEqual(daemon.stop(), 0)

    def test_a_bad_file_stops_the_start_and_leaves_nothing_behind(self):
        self.path.write_text('{"callers": []}')
        daemon = self.daemon("--callers", self.path, wait=False)
        self.assertEqual(daemon.wait(), 65, daemon.log())
        self.assertIn("callers' file", daemon.event("start failed")["why"])
        self.assertFalse(daemon.data_dir.exists())

    def test_without_a_file_a_reload_is_none(self):
        daemon = self.daemon()
        daemon.signal(signal.SIGHUP)
        until(lambda: daemon.metric('consentd_policy_reloads_total{result="ok"}') == 1, "the policy's reload")
        self.assertEqual(self.in_force(daemon), [])
        self.assertEqual(daemon.metric('consentd_callers_reloads_total{result="ok"}'), 0)


if __name__ == "__main__":
    unittest.main()
