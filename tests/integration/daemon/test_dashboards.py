"""The dashboards of deploy/grafana on Debian's Prometheus, which scrapes a real daemon: each query of each panel is answered, each metric has a panel, and
each figure of the officer's equals `consentctl requests report` and a naive count over what the daemon lists. CONSENT_DRAW_PANELS=FOLDER draws the panels.
"""

import collections
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import grpc


import dashboard_panels as dashboards
from certificates import Authority
from harness import PATIENCE, Client, Daemon
from officer_figures import AHEAD, PAST, Listed
from officer_story import DAYS, SYSTEMS, ShiftedClock, Story, write_policy
from prometheus_server import Prometheus, QueryError, is_installed
from test_scrape import OF_THE_HOST, table
from test_tls import TlsClient

SHIM = os.environ.get("TEST_CLOCK_SHIM")
CTL = os.environ.get("TEST_CTL")
DRAW = os.environ.get("CONSENT_DRAW_PANELS")
INCREASE = re.compile(r"increase\((\w+\{[^}]*\})\[\w+\]\)")
NEEDS_PERSON = 51



class Written(unittest.TestCase):
    """The files as they lie there; no daemon."""

    def test_the_json_is_what_the_script_writes(self):
        generator = dashboards.generator()
        for name in dashboards.NAMES:
            self.assertEqual((dashboards.FOLDER / f"{name}.json").read_text(encoding="utf-8"), generator.text(f"{name}.json"), "run deploy/grafana/make_dashboards.py")

    def test_each_panel_is_a_question_with_all_that_its_answer_needs(self):
        seen = collections.Counter()
        for name in dashboards.NAMES:
            page = dashboards.load(name)
            self.assertEqual((page["uid"], page["schemaVersion"]), (f"consentd-{name}", 37))
            declared = {variable["name"] for variable in page["templating"]["list"]}
            for panel in dashboards.panels(name):
                with self.subTest(dashboard=name, panel=panel["title"]):
                    seen[(name, panel["title"])] += 1
                    self.assertTrue(panel["title"].endswith("?"))
                    self.assertTrue(panel["description"].endswith(".") and panel["fieldConfig"]["defaults"]["unit"])
                    steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
                    self.assertEqual((steps[0], steps[1:]), (None, sorted(steps[1:])))
                    used = {variable for expression, _ in dashboards.expressions(panel) for variable in re.findall(r"\$(\w+)", expression)}
                    self.assertLessEqual(used, declared | set(dashboards.VARIABLES))
            places = [panel["gridPos"] for panel in page["panels"]]
            cells = collections.Counter((x, y) for place in places for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"]))
            self.assertEqual(max(cells.values()), 1, "panels overlap")
        self.assertEqual(max(seen.values()), 1, "two panels of one question")

    def test_each_metric_has_a_panel(self):
        rows = set(table())
        used = {metric for name in dashboards.NAMES for panel in dashboards.panels(name) for expression, _ in dashboards.expressions(panel) for metric in dashboards.metrics(expression)}
        page = (dashboards.FOLDER / "README.md").read_text(encoding="utf-8")
        without = set(re.findall(r"^\| `(\w+)` \| \S", page, re.MULTILINE))
        self.assertEqual(sorted(used - rows), [], "asked for, and without a row in daemon/ops/README.md")
        self.assertEqual(sorted(rows - used - without), [], "on no dashboard, and without a reason in deploy/grafana/README.md")
        self.assertEqual(sorted(without & used), [], "has a panel, and a reason why it has none")


@unittest.skipUnless(SHIM and CTL, "needs the clock's shim, which sanitizers do not allow, and consentctl")
class Lived(unittest.TestCase):
    """The story of officer_story.py, lived once by a daemon that Prometheus scrapes."""

    @classmethod
    def setUpClass(cls):
        if not is_installed():
            raise unittest.SkipTest("prometheus is not installed")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="consentd-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.clock = ShiftedClock(cls.folder / "shift", datetime.timedelta(days=DAYS))
        cls.story = Story(cls.clock)
        cls.officer = dashboards.load("officer")
        write_policy(cls.folder / "policy.json")
        cls.live_long_ago()
        cls.live_today()

    @classmethod
    def begin(cls, *arguments):
        daemon = Daemon(cls.folder, "--policy", cls.folder / "policy.json", "--restriction-journal", cls.folder / "journal", *arguments,
                        environment={"LD_PRELOAD": SHIM, "CONSENT_SHIFT_CLOCK_FILE": str(cls.clock.path)})
        cls.addClassCleanup(daemon.kill)
        daemon.start()
        return daemon, cls.connected(Client(daemon.address()))

    @classmethod
    def connected(cls, client):
        cls.addClassCleanup(client.close)
        grpc.channel_ready_future(client.channel).result(timeout=PATIENCE)
        return client

    @classmethod
    def live_long_ago(cls):
        daemon, api = cls.begin()
        cls.story.old(api)
        api.close()
        daemon.stop()
        cls.clock.pass_by(cls.clock.behind - cls.clock.gone_by)

    @classmethod
    def live_today(cls):
        servers, callers = Authority(cls.folder / "servers"), Authority(cls.folder / "callers")
        own, shown = servers.issue("DNS:localhost"), callers.issue("URI:spiffe://example.org/sampler")
        entry = {"name": "sampler", "identities": ["spiffe://example.org/sampler"], "roles": ["ROLE_SAMPLER"], "max_certificate_hours": 72, "limits": {"calls_per_second": 2}}
        (cls.folder / "callers.json").write_text(json.dumps({"callers": [entry]}))
        cls.restarted_at = cls.clock.now()
        cls.daemon, cls.api = cls.begin("--listen", f"unix:{cls.folder}/run/consentd.sock", "--listen", "127.0.0.1:0", "--callers", cls.folder / "callers.json", "--tls-cert", own.certificate,
                                        "--tls-key", own.key, "--tls-client-ca", callers.certificate)
        listening = cls.daemon.wait_for("listening")
        cls.prometheus = Prometheus(cls.folder, [listening["metrics"]]).start()
        cls.addClassCleanup(cls.prometheus.stop)
        # Counters have to be seen before they grow.
        cls.prometheus.wait_for_scrapes(2)
        cls.story.today(cls.api)
        over_tls = next(address for address in listening["address"].split() if not address.startswith("unix:"))
        sampler = cls.connected(TlsClient(over_tls, servers, shown))
        cls.story.over_the_limit(sampler)
        cls.prometheus.wait_for_scrapes(3)

    def ctl(self, *arguments):
        return subprocess.run([CTL, "--endpoint", self.daemon.address(), *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)

    def ctl_json(self, *arguments):
        done = self.ctl("--json", *arguments)
        self.assertIn(done.returncode, (0, NEEDS_PERSON), done.stderr)
        return json.loads(done.stdout)


    # The panels.

    def answers(self, dashboard, panel):
        """(legend, value) of each series now, and (legend, points) over the time of the test, query by query."""
        for expression, template in dashboards.expressions(panel):
            asked = dashboards.substituted(expression, dashboard)
            now = [(dashboards.legend(template, labels), value) for labels, value in self.prometheus.now(asked)]
            over = [(dashboards.legend(template, labels), points) for labels, points in self.prometheus.over(asked, 30)]
            yield expression, now, over

    def test_each_query_of_each_panel_is_answered(self):
        for name in dashboards.NAMES:
            dashboard, drawn = dashboards.load(name), []
            for panel in dashboards.panels(name):
                now, over = [], []
                with self.subTest(dashboard=name, panel=panel["title"]):
                    try:
                        for expression, some, more in self.answers(dashboard, panel):
                            may_be_absent = dashboards.metrics(expression) & OF_THE_HOST
                            self.assertTrue((more if panel["type"] == "timeseries" else some) or may_be_absent, f"no series: {expression}")
                            now += some
                            over += more
                    except QueryError as error:
                        self.fail(str(error))
                drawn.append((panel, now, over))
            self.assertGreater(len(drawn), 40)
            if DRAW:
                dashboards.contact_sheet(pathlib.Path(DRAW) / f"{name}.png", dashboard["title"], drawn)

    # Each figure of the officer's.

    def values(self, expression):
        """The series of a query now, by their labels in the order of their names. A counter that began within the time of a panel has grown by what it shows."""
        asked = dashboards.substituted(INCREASE.sub(r"\1", expression), self.officer)
        return {tuple(labels[name] for name in self.order(expression, labels)): value for labels, value in self.prometheus.now(asked)}

    @staticmethod
    def order(expression, labels):
        """As the query's own `by` has them, else as the panels do."""
        by = re.search(r"by \(([^)]*)\)", expression)
        names = [name.strip() for name in by[1].split(",")] if by else ["purpose", "region", "system", "state", "outcome", "step"]
        return [name for name in names if name in labels and name not in ("le", "instance")]

    def assert_shows(self, panel, query, expected):
        shown = {key: value for key, value in self.values(query).items() if value != 0}
        if isinstance(expected, tuple):
            how, times = expected
            now = datetime.datetime.now(datetime.timezone.utc)
            seconds = {PAST: lambda time: (now - time).total_seconds(), AHEAD: lambda time: (time - now).total_seconds(), "date": lambda time: 1000 * time.timestamp(), "span": float}[how]
            slack = 30_000 if how == "date" else 30
            times = {() if key == "instance" else key: value for key, value in times.items()}
            self.assertEqual(set(shown), set(times), panel)
            for key, value in times.items():
                self.assertAlmostEqual(shown[key], seconds(value), delta=slack, msg=f"{panel} {key}")
            return
        expected = {() if key == "instance" else key: value for key, value in expected.items() if value != 0}
        by = [[name for name in names.split(", ") if name] for names in re.findall(r"sum by \(([^)]*)\)", query)]
        if "label_replace" in query:
            # Beside the parts the panel has all of them together.
            for key, value in list(expected.items()):
                whole = ("all", *(key[by[0].index(name)] for name in by[1]))
                expected[whole] = expected.get(whole, 0) + value
        self.assertEqual({key: round(value, 9) for key, value in shown.items()}, {key: round(value, 9) for key, value in expected.items()}, panel)

    # What no listing has, and so nothing here can be compared with: seen by the test above alone.
    NOT_LISTED = {
        "Is what was deleted gone from our own files?": "keys leave the files while the test looks",
    }

    def test_each_figure_of_the_officers_is_what_is_listed(self):
        expected = Listed(self.api, self.story, self.folder / "policy.json", self.restarted_at).expected()
        panels = {panel["title"]: panel for panel in dashboards.panels("officer")}
        self.assertEqual(sorted(set(panels) - set(expected) - set(self.NOT_LISTED)), [], "compared with nothing")
        self.assertEqual(sorted(set(expected) - set(panels)), [])
        for title, queries in expected.items():
            self.assertEqual(len(queries), len(panels[title]["targets"]), title)
            for target, wanted in zip(panels[title]["targets"], queries):
                with self.subTest(panel=title, query=target["expr"]):
                    if wanted is not None:
                        self.assert_shows(title, target["expr"], wanted)

    def panel(self, title, number=0):
        found = next(panel for panel in dashboards.panels("officer") if panel["title"] == title)
        return {key: value for key, value in self.values(found["targets"][number]["expr"]).items() if value != 0 and key[:1] != ("all",)}

    def test_requests_report_has_the_same_figures(self):
        report = self.ctl_json("requests", "report", "--from", "2020-01-01", "--to", "2999-01-01")
        regimes = {one["regime"]: one for one in report["regimes"]}
        asked_for = {"open": self.panel("Which requests are open?"), "overdue": self.panel("Which are overdue?")}
        shown = {what: {regime: count for (regime, cause), count in figures.items() if cause == "requested"} for what, figures in asked_for.items()}

        def of(figure):
            return {regime: one[figure] for regime, one in regimes.items() if one[figure]}

        self.assertEqual(shown["overdue"], of("overdue_now"))
        self.assertTrue(shown["overdue"], "the story has left something undone")
        self.assertEqual(shown["open"], {regime: one["due_now"] + one["overdue_now"] for regime, one in regimes.items() if one["due_now"] + one["overdue_now"]})
        self.assertEqual({regime: count for (regime,), count in self.panel("Which receipts must be confirmed?").items()}, of("confirmation_overdue_now"))
        ended = self.panel("How did requests end?")
        for figure, state in (("complied", "completed"), ("denied", "denied"), ("cancelled", "cancelled")):
            self.assertEqual({regime: count for (regime, cause, ended_as), count in ended.items() if (cause, ended_as) == ("requested", state)}, of(figure))

    def test_the_report_by_year_has_the_same_figures(self):
        since = self.restarted_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        figures = self.ctl_json("requests", "report", "--by", "year", "--from", since, "--to", "2030-01-01")["figures"]
        found = {}
        for one in figures:
            if one["value"]:
                found[(one["section"], one["group"], one["name"])] = found.get((one["section"], one["group"], one["name"]), 0) + one["value"]
        self.assertEqual({group.lower(): count for (section, group, _), count in found.items() if section == "opt_outs_by_channel"},
                         {channel: count for (channel,), count in self.panel("How many opt out a day, and where?").items()})

    # Where in the report's section "standing" a panel's figure is: title, query, which of its series count (by one of their labels).
    STANDING = {
        ("verification", "yes_after_no"): ("Was there a yes after a no?", 0), ("verification", "not_given"): ("Was there a yes after a no?", 1),
        ("verification", "log_problems"): ("Was there a yes after a no?", 2), ("verification", "reported_days"): ("When was the log last verified?", 0),
        ("verification", "yeses_looked_at"): ("How much of the log did it look at?", 0), ("verification", "not_checkable"): ("How much of the log did it look at?", 1),
        ("decision log", "on"): ("Is each yes on record?", 0), ("decision log", "missing_records"): ("Is the log whole?", 0),
        ("requests of all causes", "open"): ("Which requests are open?", 0), ("requests of all causes", "overdue"): ("Which are overdue?", 0),
        ("requests of all causes", "due_in_7_days"): ("What is due in 7 and in 30 days?", 0, "7"), ("requests of all causes", "due_in_30_days"): ("What is due in 7 and in 30 days?", 0, "30"),
        ("requests of all causes", "oldest_days"): ("How old is the oldest open request?", 0),
        ("requests of all causes", "receipts_overdue"): ("Which receipts must be confirmed?", 0), ("requests of all causes", "receipts_due_in_3_days"): ("Which receipts must be confirmed?", 1, "3"),
        ("appeals", "open"): ("Which appeals wait?", 0), ("appeals", "acknowledgements_overdue"): ("Which appeals wait?", 1, "acknowledgement"),
        ("appeals", "answers_overdue"): ("Which appeals wait?", 1, "answer"),
        **{(f"system {system}", figure): (title, 0, system, *more) for system in SYSTEMS for figure, title, *more in (
            ("stuck_tasks", "Where is a deletion stuck?"), ("oldest_task_days", "How long does a system owe its oldest deletion?"), ("worker_seen_days", "Does its worker live?"),
            ("sweep_or_attestation_due_days", "When is its next sweep or attestation due?"), ("sweep_left", "What do systems still hold that must go?", "failed"))},
        ("holds", "in_force"): ("What is on hold?", 0), ("holds", "past_review"): ("Which holds are past their review?", 0), ("holds", "oldest_days"): ("Is a hold forgotten?", 0),
        ("children", "profiles"): ("How are the children?", 0), ("children", "unguarded"): ("How are the children?", 1), ("children", "notice_due"): ("How are the children?", 2),
        ("children", "purge_due"): ("How are the children?", 3),
        ("safety reports", "open"): ("Which SAFETY reports has nobody handled?", 0), ("safety reports", "oldest_days"): ("How old is the oldest SAFETY report that waits?", 0),
        ("safety reports", "unacknowledged_overdue"): ("Which SAFETY reports are overdue?", 0, "acknowledge"),
        ("safety reports", "unhandled_overdue"): ("Which SAFETY reports are overdue?", 0, "handle"),
        ("rules", "suspensions_in_force"): ("Is a suspension forgotten?", 0), ("rules", "approvals_open"): ("What waits for a second person?", 0),
    }
    # In it, and in no panel's figure as it is there.
    NO_PANEL = {("verification", "last_wrong_days"), ("own files", "oldest_key_days"), ("own files", "oldest_bytes_days"), ("rules", "policy_in_force_days"), ("rules", "clock_doubtful"),
                *((f"system {system}", "open_tasks") for system in SYSTEMS)}

    def test_how_the_report_says_it_stands_is_what_the_panels_show(self):
        figures = self.ctl_json("requests", "report", "--by", "year", "--from", "2026-01-01", "--to", "2030-01-01")["figures"]
        standing = {(one["group"], one["name"]): one["value"] for one in figures if one["section"] == "standing"}
        calendars = {key for key in standing if key[0].startswith("holiday calendar of ")}
        self.assertEqual(set(standing), set(self.STANDING) | self.NO_PANEL | calendars)
        ends = self.panel("Does a holiday calendar run out?")
        self.assertEqual(len(calendars), len(ends))
        panels = {key: sum(value for labels, value in self.panel(title, number).items() if set(which) <= set(labels)) for key, (title, number, *which) in self.STANDING.items()}
        panels.update({(f"holiday calendar of {regime}", "ends_in_days"): seconds for (regime,), seconds in ends.items()})
        for key, shown in panels.items():
            with self.subTest(key):
                days = key[1].endswith("_days") and "_in_" not in key[1] or key[1] == "ends_in_days"
                self.assertAlmostEqual(standing[key] or 0, shown / 86_400 if days else shown, delta=0.02 if days else 0)
        self.assertGreater(sum(bool(value) for value in panels.values()), 30)

    # consentctl status, on the same daemon.

    def test_status_marks_what_needs_a_person_and_says_what_to_do(self):
        said = self.ctl_json("status")
        marked = {line["what"] for line in said["lines"] if line["needs_person"]} - {"disk data", "disk head_file", "disk decision_log"}
        wanted = {"certificates", "suspended", "requests", "receipts", "appeals", "system audio", "system transcripts", "system vendor", "children", "approvals"}
        later = {"holds": "consentd_holds_past_review", "safety": "consentd_safety_flags_open"}
        self.assertEqual(marked, wanted | {what for what, metric in later.items() if metric in table()})
        self.assertTrue(said["needs_person"])
        for line in said["lines"]:
            self.assertEqual(bool(line["next"]), line["needs_person"], line)
            self.assertNotIn("\t", line["state"])
            for command in re.findall(r"consentctl ([a-z-]+(?: [a-z-]+)?)", line["next"]):
                self.assertEqual(self.ctl(*command.split(), "--help").returncode, 0, command)
        plain = self.ctl("status")
        self.assertEqual(plain.returncode, NEEDS_PERSON)
        self.assertEqual({row.split("\t")[2] for row in plain.stdout.splitlines() if row.split("\t")[1] == "!"}, {line["what"] for line in said["lines"] if line["needs_person"]})
        self.assertEqual(plain.stdout.count("\t-> "), sum(line["needs_person"] for line in said["lines"]))

    def test_status_shows_the_figures_of_the_scrape(self):
        said = self.ctl_json("status")
        value, total = self.daemon.metric, self.daemon.metric_sum
        self.assertEqual(said["requests"]["overdue"], total("consentd_deletion_requests_overdue"))
        self.assertEqual(said["requests"]["due_in_30_days"], total("consentd_deletion_requests_due", within_days="30"))
        self.assertEqual(said["requests"]["receipts_overdue"], total("consentd_deletion_receipts_overdue"))
        self.assertEqual(said["requests"]["open"], sum(total("consentd_deletion_requests", state=state) for state in ("received", "verifying", "accepted", "in_progress")))
        self.assertEqual(said["appeals"], {"open": total("consentd_appeals_open"), "acknowledgements_overdue": total("consentd_appeals_overdue", deadline="acknowledgement"),
                                           "answers_overdue": total("consentd_appeals_overdue", deadline="answer")})
        self.assertEqual(said["holds"]["in_force"], value("consentd_holds_in_force"))
        self.assertEqual(said["children"], {"profiles": total("consentd_children"), "unguarded": total("consentd_children_unguarded"),
                                            "notice_due": total("consentd_children_inactive_without_notice"), "purge_due": total("consentd_children_purge_due")})
        self.assertEqual({system["name"]: (system["open_tasks"], system["stuck_tasks"], system["sweep_failed"]) for system in said["systems"]},
                         {name: (total("consentd_purge_tasks_open", system=name), total("consentd_purge_tasks_stuck", system=name),
                                 total("consentd_system_sweep_recordings", system=name, outcome="failed")) for name in SYSTEMS})
        self.assertEqual({system["name"]: system["retention"] for system in said["systems"]},
                         {"audio": "SWEEP_OVERDUE", "transcripts": "ATTESTATION_EXPIRED", "annotations": "KEPT", "vendor": "MISSING"})
        self.assertEqual({(one["purpose"], one["region"]) for one in said["suspensions"]}, {("ADVERTISING", "DE"), ("MODEL_TRAINING", "")})
        self.assertEqual((said["verification"]["yeses"], said["verification"]["not_checkable"]), (24, 2))
        self.assertEqual(said["index"]["subjects"], value("consentd_index_subjects"))
        # Nobody is in it.
        for account in [*self.story.accounts, "kitchen", "anna", "mother"]:
            self.assertNotIn(f'"{account}"', json.dumps(said))


if __name__ == "__main__":
    unittest.main()
