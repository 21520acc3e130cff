"""To begin in a pipeline that runs: which facts are missing, what each would bring, and a trial that blocks nothing."""

import collections
import datetime
import json
import os
import pathlib
import random
import subprocess
import unittest

from daemon import CONSENTCTL, DONE, KEEP, NOT_ELIGIBLE, NOT_ENFORCED, SOURCE, UNREADABLE, USAGE, DaemonTest

RECORDINGS = pathlib.Path(os.environ.get("CONSENT_RECORDINGS", SOURCE.parent / "shared" / "recordings" / "fsdd.jsonl"))
SPEAKERS = {"george": "GR", "jackson": "US", "lucas": "DE", "nicolas": "BE", "theo": "US", "yweweler": "DE"}
AGREED = {"george", "jackson", "lucas"}
FACTS = ("wake", "kind", "speakers", "identity", "age")


def export():
    """The real one; without it one of the same form, which is said."""
    if RECORDINGS.exists():
        return [json.loads(line) for line in RECORDINGS.read_text().splitlines()]
    print("no recordings at CONSENT_RECORDINGS or beside the source folder: made-up ones instead")
    return [{"recording_id": f"{number}_{speaker}.wav", "account_id": speaker, "captured_at": "2020-07-01T16:19:56Z", "region": region,
             "wake": "BUTTON", "kind": "COMMAND", "speakers": "ONE", "identity": "NOT_RUN", "age": "ADULT"}
            for number in range(500) for speaker, region in SPEAKERS.items()]


def lines(recordings):
    return "".join(json.dumps(one) + "\n" for one in recordings)


def ahead(**span):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


class AdoptTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls()
        for speaker, region in SPEAKERS.items():
            test.register(speaker, region)
        for speaker in AGREED:
            test.consent(speaker, "2026-01-past")
        cls.whole = export()
        # Half of the facts are lost, of each line others.
        dice = random.Random(17)
        cls.halved = [{key: value for key, value in one.items() if key not in FACTS or dice.random() < 0.5} for one in cls.whole]

    def eligible_with(self, recordings, *arguments):
        passed, summary = self.filter(lines(recordings), *arguments)
        self.assertEqual(len(passed), summary["eligible"])
        return summary

    def filled(self, originals, facts):
        """The halved lines, in which these facts are found again."""
        return [{**{fact: one[fact] for fact in facts if fact in one}, **half} for one, half in zip(originals, self.halved)]

    def keep_promises(self, originals, favourable):
        """Gets the facts in the order that is advised; after each step holds the promise against what came."""
        summary = self.eligible_with(self.halved, "--advise")
        before = summary["eligible"]
        known = []
        for step in summary["advice"]["steps"]:
            known += step["facts"]
            now = self.eligible_with(self.filled(originals, known))["eligible"]
            self.assertLessEqual(now - before, step["together"]["at_most"])
            if favourable:
                self.assertEqual(now - before, step["together"]["at_most"], known)
        self.assertEqual(sorted(known), sorted(FACTS))
        return now - before, summary["advice"]["steps"][-1]["together"]["at_most"]

    def test_the_advice_says_which_facts_bring_how_many_more(self):
        came, promised = self.keep_promises(self.whole, favourable=True)
        self.assertEqual(came, promised)
        self.assertGreater(came, len(self.whole) / 3, "of half of the speakers nearly all")

    def test_what_is_found_may_still_say_no(self):
        dice = random.Random(18)
        worse = [{**one, **dice.choice(({"wake": "ACCIDENTAL"}, {"speakers": "SEVERAL"}, {}, {}))} for one in self.whole]
        came, promised = self.keep_promises(worse, favourable=False)
        self.assertLess(came, promised)
        self.assertGreater(came, 0)

    def test_the_advice_counts_each_set_of_facts(self):
        """Against a reading of the lines by themselves: all but the missing facts is favourable of who agreed, and nothing of the others."""
        expected, hopeless, missing = collections.Counter(), 0, collections.Counter()
        for half in self.halved:
            lost = frozenset(fact for fact in FACTS if fact not in half)
            missing.update(lost)
            if lost and half["account_id"] in AGREED:
                expected[lost] += 1
            elif lost:
                hopeless += 1
        records = self.daemon.metric("consentd_decision_log_records_total")
        summary = self.eligible_with(self.halved, "--advise")
        self.assertEqual({frozenset(one["facts"]): one["at_most"] for one in summary["advice"]["sets"]}, dict(expected))
        self.assertEqual({frozenset(one["facts"]): one["nothing_else"] for one in summary["advice"]["sets"]}, dict(expected))
        self.assertEqual(summary["advice"]["hopeless"], hopeless)
        self.assertEqual(summary["missing_facts"], dict(missing))
        # As many records as without it: no yes is on record by advice.
        with_advice = self.daemon.metric("consentd_decision_log_records_total") - records
        self.eligible_with(self.halved)
        self.assertEqual(self.daemon.metric("consentd_decision_log_records_total") - records, 2 * with_advice)

    def test_the_table_is_on_standard_error(self):
        done = self.daemon.ctl("filter", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--site", "cluj", "--reviewer", "employee",
                               "--advise", stdin=lines(self.halved))
        self.assertEqual(done.returncode, DONE)
        self.assertRegex(done.stderr, r"missing facts \(a line may lack several\)\n  wake +1\d\d\d\n")
        self.assertIn("at most", done.stderr)
        self.assertRegex(done.stderr, r"\n  and \w+(,\w+)* +\d+ +\d+ +\d+\n")

    def test_where_every_line_lacks_one_fact_the_way_out_is_said(self):
        bare = [{key: value for key, value in one.items() if key != "wake"} for one in self.whole[:200]]
        place = ("--purpose", "HUMAN_REVIEW", "--country", "RO", "--site", "cluj", "--reviewer", "employee")
        done = self.daemon.ctl("filter", *place, stdin=lines(bare))
        self.assertEqual((done.returncode, done.stdout), (DONE, ""))
        hint, caution = done.stderr.splitlines()[-2:]
        for part in ("`wake`", "--set wake=BUTTON"):
            self.assertIn(part, hint)
        self.assertIn("must be true", caution)
        self.assertEqual(self.eligible_with(bare)["hints"], [one.removeprefix("consentctl: ") for one in (hint, caution)])
        helped = self.eligible_with(bare, "--set", "wake=BUTTON")
        self.assertGreater(helped["eligible"], 0)
        self.assertEqual(helped["hints"], [])
        done = self.daemon.ctl("filter", "--purpose", "HUMAN_REVIEW", stdin=lines(self.whole[:50]))
        self.assertIn("--country DE", done.stderr)
        self.assertIn("--reviewer EMPLOYEE", done.stderr)

    def test_the_refused_file_names_the_facts_of_each_line(self):
        path = self.daemon.path("refused")
        self.eligible_with(self.halved, "--refused", path)
        told = {one["line"]: one for one in map(json.loads, pathlib.Path(path).read_text().splitlines())}
        for number, half in enumerate(self.halved, 1):
            lost = [fact for fact in FACTS if fact not in half]
            self.assertEqual(told.get(number, {}).get("missing_facts", []), lost, number)

    def test_check_names_the_facts(self):
        line = '{"recording_id":"r","account_id":"george","captured_at":"2026-03-01T00:00:00Z","country":"RO"}'
        arguments = ("check", "--file", "-", "--purpose", "HUMAN_REVIEW")
        answer = json.loads(self.ctl(*arguments, "--json", expect=NOT_ELIGIBLE, stdin=line))
        self.assertEqual(answer["missing_facts"], [*FACTS, "reviewer"])
        text = self.ctl(*arguments, expect=NOT_ELIGIBLE, stdin=line)
        for part in (*(f"missing_fact\t{fact}\t" for fact in FACTS), "\t--reviewer\n", "how many speak"):
            self.assertIn(part, text)
        self.assertEqual(json.loads(self.ctl("check", "--file", "-", "--disposition", "--json", expect=KEEP, stdin=line))["missing_facts"], [])

    def test_a_key_that_reads_like_a_known_one_is_a_problem(self):
        one = dict(self.whole[0])
        one["wak"] = one.pop("wake")
        _, summary = self.filter(lines([one, {**self.whole[0], "size": 3}]), expect=UNREADABLE)
        self.assertEqual((summary["eligible"], summary["unreadable"]), (1, 1))
        self.assertIn("`wake`", summary["unreadable_lines"][0]["why"])


class ShadowTest(DaemonTest):
    # What a pipeline may carry: also lines that nobody can read.
    STREAM = (b'{"recording_id":"r1","account_id":"nobody-1"}\n\r\n   \nnot json\r\n' + b"x" * 100_000 +
              b'\n{"recording_id":"r2", "account_id":"nobody-2", "other": [1]}\r\n\xff\xfe\n{"recording_id":"r3","account_id":"nobody-3"}')

    def setUp(self):
        self.path = pathlib.Path(self.daemon.path("stream"))
        self.path.write_bytes(self.STREAM)
        self.out = pathlib.Path(self.daemon.path("out"))

    def shadow(self, until, *arguments, keep=("--keep-ids",), timeout="10"):
        """A run over the file; what came out is in a file too, because text would turn the ends of lines."""
        with open(self.out, "wb") as out:
            return subprocess.run([CONSENTCTL, "--endpoint", self.daemon.endpoint, "--timeout", timeout, "filter", str(self.path), "--purpose",
                                   "HUMAN_REVIEW", "--country", "RO", "--reviewer", "employee", *keep, "--shadow-until", until, *arguments],
                                  stdout=out, stderr=subprocess.PIPE, timeout=120, text=True)

    def test_every_byte_passes_and_it_says_so(self):
        done = self.shadow(ahead(days=3))
        self.assertEqual(done.returncode, NOT_ENFORCED, done.stderr)
        self.assertEqual(self.out.read_bytes(), self.STREAM)
        first, *_, last = done.stderr.splitlines()
        self.assertIn("SHADOW MODE until", first)
        self.assertIn("SHADOW MODE: nothing was enforced. Of 6 lines that were passed through, 6 would have been left out", last)
        self.assertRegex(done.stderr, r"refused +3\n")
        self.assertRegex(done.stderr, r"unreadable +3\n")

    def test_after_its_end_it_enforces(self):
        done = self.shadow(ahead(seconds=-5))
        self.assertEqual(done.returncode, UNREADABLE, done.stderr)
        self.assertEqual(self.out.read_bytes(), b"")
        self.assertIn("shadow mode ended at", done.stderr)

    def test_it_needs_an_end_that_is_near_and_the_lines_as_they_came(self):
        for until, keep, why in ((ahead(days=32), ("--keep-ids",), "31 days"), (ahead(days=3), (), "--keep-ids"), ("soon", ("--keep-ids",), "RFC 3339")):
            done = self.shadow(until, keep=keep)
            self.assertEqual((done.returncode, self.out.read_bytes()), (USAGE, b""), done.stderr)
            self.assertIn(why, done.stderr)

    def test_without_a_daemon_all_passes_too(self):
        self.daemon.stop()
        try:
            done = self.shadow(ahead(days=3), "--json", timeout="1")
        finally:
            self.daemon.start()
        self.assertEqual(done.returncode, NOT_ENFORCED, done.stderr)
        self.assertEqual(self.out.read_bytes(), self.STREAM)
        summary = json.loads(done.stderr)
        self.assertEqual((summary["enforced"], summary["eligible"], summary["refused"]), (False, 0, 0))
        self.assertEqual(summary["lines"], summary["unanswered"] + summary["unreadable"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
