"""`--file`: a line of a file is done once, wherever consentctl is killed; and what is listed and counted of all accounts.

CONSENT_BULK_LINES: how many deletions the file has, half of them before the kill; more than the default is the campaign of tests/README.md.
"""

import collections
import csv
import datetime
import html.parser
import io
import json
import os
import pathlib
import random
import statistics
import subprocess
import time
import unittest
import xml.etree.ElementTree as xml

from daemon import CONSENTCTL, DONE, NOT_ALL_COUNTED, REFUSED, UNREADABLE, USAGE, DaemonTest, until

LINES = int(os.environ.get("CONSENT_BULK_LINES", "2000"))
SEED = int(os.environ.get("CONSENT_SEED", "7"))
ALWAYS = ("--from", "2020-01-01", "--to", "2999-01-01")
PROOF = ("--notice", "2026-01-past", "--language", "en", "--channel", "support", "--actor", "self")


def lines_of(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


class BulkTest(DaemonTest):
    def write(self, name, lines):
        path = pathlib.Path(self.daemon.path(name))
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return str(path)

    def requests(self):
        """All that somebody asked for, page by page."""
        page, found = (), []
        while True:
            part = self.json("requests", "list", "--page-size", "1000", *page)
            found += part["requests"]
            if not part["next_page_token"]:
                return found
            page = ("--page", part["next_page_token"])


class DeletionsTest(BulkTest):
    def test_each_is_done_once_though_killed_half_way(self):
        self.system("audio", "audio", "--checks-on-ingest")
        path = self.write("accounts.jsonl", [{"account_id": f"account {number}"} for number in range(LINES)])
        report, progress = self.daemon.path("report.jsonl"), path + ".progress"
        command = [CONSENTCTL, "--endpoint", self.daemon.endpoint, "delete", "--file", path, "--everything", "--verified", "--report",
                   report, "--json"]
        begun = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            def half_way():
                reached = [json.loads(line).get("line", 0) for line in pathlib.Path(progress).read_text().splitlines()[-2:-1]]
                return process.poll() is not None or (reached and reached[0] >= LINES // 2)
            until(lambda: pathlib.Path(progress).exists() and half_way(), "half of it is done", 600)
            self.assertIsNone(process.poll(), "it was killed before its end")
            process.kill()
            process.communicate()
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        took = time.monotonic() - begun
        self.assertEqual(done.returncode, DONE, done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual((summary["lines"], summary["done"], summary["complete"]), (LINES, LINES, True))
        self.assertEqual([line["line"] for line in lines_of(report)], list(range(1, LINES + 1)))
        self.assertEqual({line["outcome"] for line in lines_of(report)}, {"DONE"})
        self.assertNotIn("account 7", pathlib.Path(report).read_text() + pathlib.Path(progress).read_text())
        accounts = collections.Counter(request["account_id"] for request in self.requests())
        self.assertEqual(accounts, {f"account {number}": 1 for number in range(LINES)})
        print(f"{LINES} deletions, killed half-way and gone on, each once, in {took:.1f} s")
        again = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((again.returncode, json.loads(again.stdout)["done"]), (DONE, LINES))
        self.assertEqual(len(self.requests()), LINES, "what was sent whole is not sent again")

    def test_lines_say_what_goes_and_what_cannot_be_read_erases_nothing(self):
        path = self.write("orders.jsonl", [
            {"account_id": "ann", "selector": {"kind": "recordings", "recording_ids": ["r1", "r2"]}, "verified": True},
            {"account_id": "ben", "selector": {"kind": "everything"}, "verified": True, "form": "2024-01-01"},
            {"account_id": "cleo", "selector": {"kind": "everything", "from": "2024-01-01T00:00:00Z"}},
            "{", "",
            {"account_id": "dan", "selector": {"kind": "time_range", "from": "2024-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z"}}])
        report = self.daemon.path("orders.report")
        summary = self.json("delete", "--file", path, "--report", report, expect=UNREADABLE)
        self.assertEqual({key: summary[key] for key in ("lines", "done", "partly", "refused", "unreadable")},
                         {"lines": 5, "done": 1, "partly": 1, "refused": 1, "unreadable": 2})
        told = {line["line"]: (line["outcome"], line["code"], line["reason"]) for line in lines_of(report)}
        self.assertEqual(told, {1: ("DONE", "OK", ""), 2: ("PARTLY", "INVALID_ARGUMENT", "UNREADABLE"),
                                3: ("UNREADABLE", "INVALID_ARGUMENT", "UNREADABLE"), 4: ("UNREADABLE", "INVALID_ARGUMENT", "UNREADABLE"),
                                6: ("REFUSED", "INVALID_ARGUMENT", "INVALID_FIELD")})
        self.assertEqual([request["state"] for request in self.json("requests", "list", "ann")["requests"]], ["ACCEPTED"])
        self.assertEqual([request["state"] for request in self.json("requests", "list", "ben")["requests"]], ["RECEIVED"])
        self.assertEqual(self.json("requests", "list", "cleo")["requests"], [])

    def test_what_does_not_go_together_is_a_wrong_command_line(self):
        path = self.write("a.jsonl", [{"account_id": "a"}])
        for arguments in (("delete", "ann", "--file", path), ("delete", "ann", "--everything", "--report", "x"), ("delete",),
                          ("delete", "--file", "-", "--everything"), ("delete", "--file", path, "--today", "--time-zone", "UTC"),
                          ("settings", "set", "--file", path, "--on", "help_improve"), ("settings", "opt-out", "--all"),
                          ("delete", "--file", path, "--everything", "--report", path + ".progress")):
            self.ctl(*arguments, expect=USAGE)


class SettingsTest(BulkTest):
    def choice(self, account):
        detail, = [detail for detail in self.json("settings", "get", account)["settings"]["details"]
                   if detail["scope"] == {} and detail["purpose"] == "HUMAN_REVIEW"]
        return detail["choice"], detail["since"]

    def yes(self, account, answers, **more):
        return {"account_id": account, "choices": [{"control": "help_improve", "turn": "ON", "answers": answers, **more}]}

    def test_opt_outs_of_a_list(self):
        path = self.write("list.jsonl", [{"account_id": "new"}, {"account_id": "other", "choices": [{"purpose": "ADVERTISING", "turn": "OFF"}]}])
        self.assertEqual(self.json("settings", "opt-out", "--file", path, "--control", "help_improve")["done"], 2)
        self.assertEqual(self.choice("new")[0], "REFUSED")
        self.assertNotEqual(self.choice("other")[0], "REFUSED", "it said what it refuses")

    def test_a_yes_answers_the_last_no_and_no_other(self):
        noes = {}
        for account in ("ann", "ben", "cleo", "dan", "eve"):
            self.register(account)
            self.ctl("settings", "opt-out", account, "--control", "help_improve")
            noes[account] = self.choice(account)[1]
        self.ctl("settings", "opt-out", "ben", "--all")  # said again, after the yes on paper
        self.assertEqual(self.choice("ben")[1], noes["ben"], "since when it is refused stays")
        path = self.write("answers.jsonl", [
            self.yes("ann", noes["ann"]), self.yes("ben", noes["ben"]), self.yes("cleo", "2020-01-01T00:00:00Z"),
            self.yes("dan", noes["dan"]), {"account_id": "dan", "choices": [{"purpose": "ADVERTISING", "turn": "OFF"}]},
            {"account_id": "eve", "choices": [{"control": "help_improve", "turn": "ON", "answers": noes["eve"]},
                                              {"purpose": "HUMAN_REVIEW", "turn": "OFF"}]}])
        report = self.daemon.path("answers.report")
        summary = self.json("settings", "set", "--file", path, "--report", report, *PROOF, expect=NOT_ALL_COUNTED)
        self.assertEqual((summary["lines"], summary["done"]), (6, 2), pathlib.Path(report).read_text())
        told = {line["line"]: (line["outcome"], line["reason"]) for line in lines_of(report)}
        self.assertEqual(told, {1: ("DONE", ""), 2: ("REFUSED", "ETAG_MISMATCH"), 3: ("REFUSED", "ETAG_MISMATCH"),
                                4: ("REFUSED", "OVERRULED_IN_FILE"), 5: ("DONE", ""), 6: told[6]})
        self.assertEqual(told[6][0], "PARTLY")
        self.assertEqual([self.choice(account)[0] for account in noes], ["GIVEN", "REFUSED", "REFUSED", "REFUSED", "REFUSED"])
        last = self.json("settings", "history", "ben")["entries"][0]["time"]
        path = self.write("again.jsonl", [self.yes("ben", last)])
        self.assertEqual(self.json("settings", "set", "--file", path, *PROOF)["done"], 1)
        self.assertEqual(self.choice("ben")[0], "GIVEN")


class DryRunTest(BulkTest):
    ON = {"control": "help_improve", "turn": "ON", "notice_version": "2026-01-past", "notice_language": "en"}
    OFF = {"all": True, "turn": "OFF"}

    def line(self, account, *choices, **more):
        return {"account_id": account, "region": "DE", "profiles": [{"profile_id": "p", "age": "ADULT"}], "choices": list(choices), **more}

    def test_it_says_before_what_an_import_says_after_and_writes_nothing(self):
        for account in ("refused", "agreed", "moved"):
            self.register(account)
        self.ctl("settings", "opt-out", "refused", "--all")
        self.consent("agreed", notice="2026-01-past")
        path = self.write("people.jsonl", [
            self.line("new", self.ON), self.line("refused", self.ON), self.line("agreed", self.ON),
            self.line("notice", {**self.ON, "notice_version": "nobody wrote it"}), self.line("both", self.ON, self.OFF),
            self.line("control", {**self.ON, "control": "none such"}), self.line("no", {"control": "none such", "turn": "OFF"}),
            self.line("moved", region="US-CA"), self.line("age", self.ON, profiles=[{"profile_id": "p", "age": "TEEN"}]),
            self.line("overlap", self.ON, {"purpose": "HUMAN_REVIEW", "turn": "OFF"}), {"account_id": "only", "choices": [self.OFF]}])
        before = self.daemon.path("before.jsonl"), self.daemon.path("after.jsonl")
        tried = self.json("import", path, "--dry-run", "--refused", before[0], expect=NOT_ALL_COUNTED)
        for account in ("new", "notice", "only"):
            self.assertEqual(self.json("subject", "get", account, expect=REFUSED)["error"]["reason"], "SUBJECT_NOT_FOUND")
        done = self.json("import", path, "--refused", before[1], expect=NOT_ALL_COUNTED)
        self.assertEqual({key: tried[key] for key in ("lines", "imported", "refused", "unreadable")},
                         {key: done[key] for key in ("lines", "imported", "refused", "unreadable")})
        self.assertEqual(sorted({line["line"] for line in lines_of(before[0])}), sorted({line["line"] for line in lines_of(before[1])}))

    def test_lines_that_stand_in_each_others_way_are_told(self):
        path = self.write("two.jsonl", [self.line("a", self.ON), {"account_id": "a", "choices": [self.OFF]}, self.line("b", self.ON)])
        report = self.daemon.path("two.refused")
        self.assertEqual(self.json("import", path, "--dry-run", "--refused", report, expect=NOT_ALL_COUNTED)["imported"], 2)
        self.assertEqual([(line["line"], line["reason"]) for line in lines_of(report)], [(1, "OTHER_LINE_REFUSES")])
        path = self.write("bad.jsonl", [self.line("a", self.ON), "garbage"])
        self.json("import", path, "--dry-run", "--refused", report, "--force", expect=UNREADABLE)
        self.assertEqual([(line["line"], line["reason"]) for line in lines_of(report)],
                         [(1, "RESTRICTION_NOT_IN_FORCE"), (2, "UNREADABLE")])
        self.ctl("import", path, "--dry-run", "--state", "x", expect=USAGE)


class Page(html.parser.HTMLParser):
    """What a page holds; fails on what is not closed or has an id twice."""
    VOID = {"meta"}

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.tags = [], [], collections.Counter()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] += 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


class ReportTest(BulkTest):
    """Each figure equals a naive count of what was done in a seeded story."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dice = random.Random(SEED)

    def test_figures_listings_and_samples(self):
        done = collections.Counter()
        for number in range(30):
            account = f"p{number}"
            self.register(account, self.dice.choice(["DE", "US-CA"]))
            if self.dice.random() < 0.5:
                self.consent(account, notice=self.dice.choice(["2026-01", "2026-01-past"]))
            if self.dice.random() < 0.5:
                self.ctl("settings", "opt-out", account, "--purpose", "HUMAN_REVIEW", "--channel", self.dice.choice(["app", "web"]),
                         "--reference", f"ticket {number}")
                done["noes"] += 1
            if self.dice.random() < 0.7:
                deletion = self.delete(account, "--everything")["deletion_id"]
                done["received"] += 1
                if self.dice.random() < 0.3:
                    self.json("requests", "deny", deletion, "--reason", "=cmd|' /C calc'!A0")
                    done["denied"] += 1
        self.ctl("holds", "place", "p1", "--authority", "Court", "--reason", "matter")
        given, by_notice, by_channel = 0, collections.Counter(), collections.Counter()
        listed = []
        for number in range(30):
            for entry in self.json("settings", "history", f"p{number}")["entries"]:
                purposes = [change for change in entry["changes"] if "purpose" in change]
                if any(change["to"] == "GIVEN" for change in purposes):
                    by_notice[entry["evidence"]["notice_version"]] += 1
                if any(change["to"] in ("REFUSED", "WITHDRAWN") for change in purposes):
                    by_channel[entry["evidence"]["channel"]] += 1
                    listed.append((entry["time"], f"p{number}"))
        # Who opts out of what is refused already says it again.
        opt_outs = self.json("settings", "opt-outs", *ALWAYS)
        self.assertTrue(opt_outs["complete"])
        self.assertEqual([(one["entry"]["time"], one["account_id"]) for one in opt_outs["opt_outs"]], sorted(listed))
        few = self.json("settings", "opt-outs", *ALWAYS, "--limit", "2")
        self.assertEqual((few["complete"], few["reached_limit"], len(few["opt_outs"])), (False, True, 2))
        nobody = self.json("settings", "opt-outs", "--from", "2020-01-01", "--to", "2021-01-01")
        self.assertEqual((nobody["complete"], nobody["opt_outs"]), (True, []))

        year = str(datetime.datetime.now(datetime.timezone.utc).year)
        period = ("--from", f"{year}-01-01", "--to", f"{int(year) + 1}-01-01", "--by", "year")
        report = self.json("requests", "report", *period)
        figures = {(one["section"], one["group"], one["name"]): one["value"] for one in report["figures"]}
        self.assertEqual(figures["requests", "(all)", "received"], done["received"])
        self.assertEqual(figures["requests", "(all)", "denied"], done["denied"])
        self.assertEqual(figures["opt_outs", "", "entries"], done["noes"])
        self.assertEqual({group: value for (section, group, _), value in figures.items() if section == "consents_by_notice"}, by_notice)
        self.assertEqual({group: value for (section, group, _), value in figures.items() if section == "opt_outs_by_channel"}, by_channel)
        self.assertEqual((figures["holds", "", "placed"], figures["holds", "", "in_force_at_end"]), (1, 1))
        self.assertEqual(figures["now", "(all)", "due"], done["received"] - done["denied"])
        days = [(datetime.datetime.fromisoformat(one["ended_at"].replace("Z", "+00:00")) -
                 datetime.datetime.fromisoformat(one["received_at"].replace("Z", "+00:00"))).total_seconds() / 86_400
                for one in self.requests() if one["ended_at"]]
        self.assertAlmostEqual(figures["requests", "(all)", "median_days"], statistics.median(days), places=2)
        rows = list(csv.DictReader(io.StringIO(self.ctl("requests", "report", *period, "--csv"))))
        self.assertEqual({(row["section"], row["group"], row["name"]): float(row["value"]) if row["value"] else None for row in rows}, figures)
        page = self.ctl("requests", "report", *period, "--html")
        parsed = Page()
        parsed.feed(page)
        self.assertEqual(parsed.open, [])
        self.assertEqual(len(parsed.ids), len(set(parsed.ids)))
        self.assertNotIn("script", parsed.tags)
        self.assertNotIn("p1<", page)
        plots = page.split("<svg")[1:]
        for plot in plots:
            tree = xml.fromstring("<svg" + plot.split("</svg>")[0] + "</svg>")
            self.assertEqual([child.tag.split("}")[1] for child in tree][:2], ["title", "desc"])
        self.assertGreaterEqual(parsed.tags["table"], len(plots), "a table beside each plot")
        self.assertGreater(len(plots), 5)
        for unit, names in (("month", 12), ("quarter", 4), ("half-year", 2)):
            report = self.json("requests", "report", *period[:-1], unit)
            received = [one["value"] for one in report["figures"]
                        if (one["section"], one["group"], one["name"]) == ("requests", "(all)", "received")]
            self.assertEqual((len(received), sum(received)), (names, done["received"]))

        sample = ("requests", "sample", "--n", "5", "--seed", "2026", *ALWAYS)
        drawn = self.json(*sample)
        self.assertEqual(drawn, self.json(*sample))
        self.assertEqual((drawn["population"], len(drawn["requests"])), (done["received"], 5))
        self.assertNotEqual([one["key"] for one in drawn["requests"]],
                            [one["key"] for one in self.json(*sample[:5], "2027", *ALWAYS)["requests"]])
        overdue = self.json("requests", "overdue")
        self.assertEqual((overdue["complete"], overdue["overdue"], overdue["requests"]), (True, 0, []))


if __name__ == "__main__":
    unittest.main(verbosity=2)
