"""What people ask of the decision log: who could hear what of one person, was it allowed when it was played, is a host's file missing."""

import datetime
import json
import subprocess
import unittest

from decision_hosts import CTL, Host, ctl, verify
from harness import DaemonTest
from test_decision_log import at, batch, is_yes
from words import check, household, opt_out, turn_on

UNREADABLE, FILES = 30, 74


def stamp(time):
    return time.astimezone(datetime.timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


@unittest.skipUnless(CTL, "consentctl is not built")
class Questions(DaemonTest):

    def host(self, name, people):
        """A host on which these people opted in and were asked about, once by a check and once by a batch of two."""
        host = Host(self.folder / name)
        self.addCleanup(host.daemon.kill)
        api = self.client(host.daemon.start())
        for person in people:
            api.settings.UpdateSettings(turn_on(person, api.subjects.UpsertSubject(household(person)).revision))
            self.assertTrue(is_yes(api.eligibility.Check(check(person, place=at(f"{person} 1"), name=f"{person}-r1")).decision))
            api.eligibility.BatchCheck(batch(person, f"{person} 2", [f"{person}-r2", f"{person}-r3"]))
        host.store = host.records()[0]["store"]
        return host, api

    def find(self, hosts, files, *options, codes=(0,)):
        report, self.code = ctl(hosts, "decisions", "find", *options, *files, codes=codes)
        self.report = report
        return [(found["site"], found["record"], found["entry"]) for found in report["decisions"]]

    def test_a_person_is_told_who_could_hear_what(self):
        host, api = self.host("a", ["ann", "bob"])
        self.assertEqual(self.find([host], host.files(), "--account", "ann"), [("ann 1", 1, 0), ("ann 2", 2, 0), ("ann 2", 2, 1)])
        first = self.report["decisions"][0]
        record = host.records()[0]
        self.assertEqual({key: first[key] for key in ("caller", "purpose", "selection", "country", "reviewer", "reason", "call", "store", "file")},
                         {"caller": "local", "purpose": "HUMAN_REVIEW", "selection": "OTHER", "country": "DE", "reviewer": "EMPLOYEE",
                          "reason": "CONSENT", "call": record["call"], "store": record["store"], "file": str(host.files()[0])})
        self.assertLess(abs(datetime.datetime.fromisoformat(first["decided_at"].replace("Z", "+00:00")) - now()), datetime.timedelta(minutes=5))
        self.assertLess(datetime.datetime.fromisoformat(first["captured_at"].replace("Z", "+00:00")), now() - datetime.timedelta(hours=23))
        self.assertGreaterEqual(self.report["records"], 4)
        for name in ("ann-r1", "bob", "anna", "kitchen"):
            self.assertNotIn(name, json.dumps({**self.report, "decisions": [{**one, "site": ""} for one in self.report["decisions"]]}))

        self.assertEqual(self.find([host], host.files(), "--account", "bob"), [("bob 1", 3, 0), ("bob 2", 4, 0), ("bob 2", 4, 1)])
        self.assertEqual(self.find([host], host.files(), "--account", "nobody"), [])
        self.assertEqual(self.find([host], host.files(), "--account", "ann", "--recording", "ann-r3", "--recording", "bob-r2"), [("ann 2", 2, 1)])
        self.assertEqual(len(self.find([host], host.files(), "--account", "ann", "--profile", "anna", "--device", "kitchen")), 3)
        self.assertEqual(self.find([host], host.files(), "--account", "ann", "--device", "hall"), [])
        self.assertEqual(self.find([host], host.files(), "--account", "ann", "--profile", "eve"), [])
        self.assertEqual(self.find([host], host.files(), "--account", "ann", "--to", "2024-01-01"), [])
        self.assertEqual(len(self.find([host], host.files(), "--account", "ann", "--from", "2024-01-01")), 3)

        # Whatever the person does later, the question is answered.
        api.settings.OptOut(opt_out("ann"))
        self.assertEqual(len(self.find([host], host.files(), "--account", "ann")), 3)

    def test_what_could_not_be_looked_into_is_said(self):
        (one, _), (two, _) = self.host("a", ["ann"]), self.host("b", ["ann"])
        files = [*one.files(), *two.files()]
        self.assertEqual(len(self.find([one], files, "--account", "ann", codes=(UNREADABLE,))), 3)
        self.assertEqual((self.report["of_other_stores"], self.report["unreadable"]), (2, 0))
        self.assertEqual(len(self.find([one, two], files, "--account", "ann")), 6)
        self.assertEqual({found["store"] for found in self.report["decisions"]}, {one.store, two.store})
        broken = self.folder / "broken.jsonl"
        broken.write_bytes(one.files()[0].read_bytes().replace(b'"purpose"', b'"porpoise"', 1))
        self.assertEqual(len(self.find([one], [broken], "--account", "ann", codes=(UNREADABLE,))), 2)
        self.assertEqual(self.report["unreadable"], 1)

    def heard(self, host, lines, *options):
        path = self.folder / "heard.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        _, found = verify([host], host.files(), "--heard", path, *options)
        return {kind: [line for _, line, _ in places] for kind, places in found.items()}

    def test_what_was_played_without_a_yes_is_named_by_its_line(self):
        host, _ = self.host("a", ["ann"])
        later = stamp(now() + datetime.timedelta(seconds=5))
        played = [{"recording_id": f"ann-r{number}", "heard_at": later, "by": "lea", "tool": "desk 7"} for number in (1, 2, 3)]
        self.assertEqual(self.heard(host, played), {})
        self.assertEqual(self.heard(host, [*played, {"recording_id": "ann-r4", "heard_at": later}]), {"HEARD_WITHOUT_YES": [4]})
        # Before there was a yes, and too long after it.
        before, long_after = stamp(now() - datetime.timedelta(minutes=20)), stamp(now() + datetime.timedelta(hours=30))
        lines = [{"recording_id": "ann-r1", "heard_at": before}, {"recording_id": "ann-r2", "heard_at": long_after}]
        self.assertEqual(self.heard(host, lines), {"HEARD_WITHOUT_YES": [1, 2]})
        self.assertEqual(self.heard(host, lines, "--heard-skew", "30min", "--heard-within", "70d"), {})
        self.assertEqual(self.heard(host, lines, "--heard-skew", "30min"), {"HEARD_WITHOUT_YES": [2]})
        self.assertEqual(self.heard(host, played, "--heard-purpose", "MODEL_TRAINING"), {"HEARD_WITHOUT_YES": [1, 2, 3]})
        # A line that nobody can read is none that is allowed.
        wrong = [{"recording_id": "ann-r1"}, {"recording_id": "ann-r1", "heard_at": later, "who": "lea"}, {"recording_id": "", "heard_at": later}]
        self.assertEqual(self.heard(host, [*wrong, played[0]]), {"HEARD_UNREADABLE": [1, 2, 3]})

    def test_more_recordings_than_a_call_takes(self):
        host, api = self.host("a", ["ann"])
        later = stamp(now() + datetime.timedelta(minutes=1))
        names = [f"many-{number}" for number in range(2_100)]
        for first in range(0, 2_000, 1_000):
            api.eligibility.BatchCheck(batch("ann", "many", names[first:first + 1_000]))
        found = self.heard(host, [{"recording_id": name, "heard_at": later} for name in names], "--heard-within", "60d")
        self.assertEqual(found, {"HEARD_WITHOUT_YES": list(range(2_001, 2_101))})

    def test_each_host_has_its_chain_and_none_of_its_files_may_be_missing(self):
        (one, _), (two, _) = self.host("a", ["ann", "bob"]), self.host("b", ["eve"])
        one.restart()
        self.client(one.daemon).eligibility.Check(check("ann", place=at("later")))
        for host in (one, two):
            host.restart()
        files = [*one.files(), *two.files()]
        self.assertEqual(len(one.files()), 2)
        self.assertEqual(verify([one, two], files)[1], {})
        self.assertEqual(verify([two, one], reversed(files))[1], {})
        self.assertEqual(verify([one, two], files)[0]["confirmed"], 10)
        self.assertEqual(verify([one, two], [*one.files()[1:], *two.files()])[1], {"GAP": [(one.store, 1, -1)]})
        self.assertEqual(verify([one, two], [one.files()[0], *two.files()])[1], {"GAP": [(one.store, 5, -1)]})
        self.assertEqual(verify([one, two], one.files())[1], {"GAP": [(two.store, 1, -1)]}, "all of one host")
        self.assertEqual(verify([one], files)[1], {"OTHER_LOG": [(two.store, 1, -1)]}, "nobody asks the other daemon")
        self.assertEqual(verify([one], one.files())[1], {})
        self.assertEqual(verify([one, two], [two.log, one.log])[0]["confirmed"], 10, "a folder stands for its files")
        (self.folder / "empty").mkdir()
        done = subprocess.run([CTL, "decisions", "verify", "--offline", self.folder / "empty"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, FILES)
        self.assertIn("holds no file of the decision log", done.stderr)

    def test_a_month_is_answered_with_one_command(self):
        host, api = self.host("a", ["ann", "bob"])
        api.settings.OptOut(opt_out("ann"))
        host.restart()
        today = now().date()
        report, found = verify([host], host.files(), "--from", today - datetime.timedelta(days=2), "--to", today + datetime.timedelta(days=2))
        self.assertEqual(found, {})
        self.assertEqual({(use["caller"], use["purpose"], use["selection"], use["reviewer"], use["country"], use["site"]): (use["yeses"], use["wrong"])
                          for use in report["uses"]},
                         {("local", "HUMAN_REVIEW", selection, "EMPLOYEE", "DE", f"{person} {number}"): (number, 0)
                          for person in ("ann", "bob") for number, selection in ((1, "OTHER"), (2, "RANDOM"))})
        report, found = verify([host], host.files(), "--to", "2024-01-01")
        self.assertEqual((report["records"], report["yeses"], report["uses"], found), (4, 0, [], {}))
        # The chain is held whatever the time.
        _, found = verify([host], [], "--to", "2024-01-01", "/dev/null")
        self.assertEqual(found, {"GAP": [(host.store, 1, -1)]})

    def test_an_export_contains_it(self):
        host, _ = self.host("a", ["ann", "bob"])
        report, _ = ctl([host], "export-subject", "ann", "--decisions", *host.files())
        self.assertEqual([found["site"] for found in report["decision_log"]["decisions"]], ["ann 1", "ann 2", "ann 2"])
        self.assertGreaterEqual(report["decision_log"]["records"], 4)
        self.assertNotIn("were not given", report["not_included"])
        report, _ = ctl([host], "export-subject", "ann")
        self.assertNotIn("decision_log", report)
        self.assertIn("were not given", report["not_included"])
        broken = self.folder / "broken.jsonl"
        broken.write_text("{}\n")
        report, _ = ctl([host], "export-subject", "ann", "--decisions", broken, codes=(UNREADABLE,))
        self.assertEqual(report["decision_log"]["unreadable"], 1)


if __name__ == "__main__":
    unittest.main()
