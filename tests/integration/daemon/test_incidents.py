"""Ten incidents, staged on a real daemon that a real Prometheus scrapes with the shipped rules: each alert fires before its deadline where there is
one, and ends by the commands of its runbook, which are taken from the page as they stand.

Only the `for` of the alerts is shortened. The daemon's days pass by a shifted clock, wall and boot clock together, so that its time is never in
doubt; Prometheus and consentctl keep the real one, but for the sweep, which says when it began. The share of yes of the day before is history that Prometheus is given as its own blocks.
"""

import datetime
import json
import mmap
import os
import pathlib
import struct
import subprocess
import time
import unittest

import alert_rules
from consent.v1 import purge_service_pb2 as purge
from harness import DAEMON, DEFAULT_POLICY, PATIENCE, DaemonTest, one_person, until
from prometheus_server import Prometheus

CTL, SHIM = os.environ.get("TEST_CTL"), os.environ.get("TEST_CLOCK_SHIM")
HOUR, DAY = 3600, 86_400
REFUSED = 21
MATCHES = "account,recording-id,time"
# Deletes from the folder of its name's end what a task or a sweep names: the command of workers and sweeps. Files are ACCOUNT.RECORDING.
ERASE = """#!/usr/bin/python3
import json, pathlib, sys
task = json.loads(sys.stdin.readline())
ids = task["selector"].get("recording_ids")
gone = [path for path in pathlib.Path(__file__).with_suffix("").iterdir()
        if path.name.split(".")[0] == task["account_id"] and (ids is None or path.name.split(".")[1] in ids)]
for path in gone:
    path.unlink()
print(len(gone))
sys.exit(0 if gone else 3)
"""


class Days:
    """The daemon's time: so many days ahead of the real one, and moved on while it runs. Never behind it: what waits for a moment of the wall clock would not wait."""

    def __init__(self, path):
        path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 16)
        self.now = 0

    def go_to(self, days):
        assert days >= self.now, "time only goes on"
        self.now = days
        # Both in one write: a daemon that looks between two would see a jump.
        self.map[:16] = struct.pack("=qq", *[round(days * DAY * 1_000_000)] * 2)

    def time(self):
        return time.time() + self.now * DAY


def moment(days):
    """So many days from the real now."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@unittest.skipUnless(CTL and SHIM, "needs consentctl and a preloaded library")
class Ten(DaemonTest):

    def setUp(self):
        super().setUp()
        self.days = Days(self.folder / "shift")
        self.shifted = {"LD_PRELOAD": SHIM, "CONSENT_SHIFT_CLOCK_FILE": str(self.folder / "shift")}
        self.write_policy("one", calendar_ends=moment(30)[:10])
        self.other = f"unix:{self.folder}/samplers/consentd.sock"
        self.served = self.daemon("--policy", self.folder / "one.json", "--listen", f"unix:{self.folder}/run/consentd.sock", "--listen", self.other + ",roles=SAMPLER,name=samplers",
                                  environment=self.shifted)
        self.api = self.client(self.served)
        self.environment = {**os.environ, "CONSENT_ENDPOINT": self.served.address(), "PATH": os.pathsep.join(
            [str(pathlib.Path(CTL).parent), str(pathlib.Path(DAEMON).parent), os.environ["PATH"]])}
        self.prometheus = Prometheus(self.folder, [self.served.metrics_url("").removeprefix("http://")], alert_rules.copy_rules(self.folder, 1))
        self.remember_yesterday()
        self.addCleanup(self.prometheus.stop)
        self.prometheus.start()
        self.prometheus.until_seen("consentd_serving", "the daemon is scraped")

    # What the incidents share.

    def write_policy(self, version, calendar_ends="9999", **changes):
        policy = one_person(json.loads(DEFAULT_POLICY.read_text()))
        policy.update(version=version, **changes)
        for calendar in policy["holiday_calendars"]:
            calendar["dates"] = [date for date in calendar["dates"] if date < calendar_ends]
        (self.folder / f"{version}.json").write_text(json.dumps(policy))
        return policy

    def remember_yesterday(self):
        """A Prometheus that has recorded for a day: of a thousand recordings an hour two hundred got a yes."""
        now, text = int(time.time()), ""
        for name, value in (("job_purpose:consentd_asked:increase1h", 1000), ("job_purpose:consentd_asked_yes:increase1h", 200)):
            text += f"# TYPE {name} gauge\n"
            text += "".join(f'{name}{{job="consentd",purpose="model_training"}} {value} {at}\n' for at in range(now - 26 * HOUR, now - HOUR - 600, 300))
        history = self.folder / "history"
        history.write_text(text + "# EOF\n")
        code, said = alert_rules.promtool("tsdb", "create-blocks-from", "openmetrics", history, self.prometheus.folder / "data")
        self.assertEqual(code, 0, said)

    def ctl(self, *arguments, expect=0, endpoint=None):
        where = ["--endpoint", endpoint] if endpoint else []
        done = subprocess.run([CTL, *where, *map(str, arguments)], env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json"))

    def lines(self, name, objects):
        path = self.folder / name
        path.write_text("".join(json.dumps(one) + "\n" for one in objects))
        return path

    def step(self, alert, clock=None, **variables):
        """Runs the commands of the alert's page."""
        commands = alert_rules.blocks(alert_rules.page(alert), "sh")
        self.assertTrue(commands, alert)
        for block in commands:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], env={**self.environment, **(clock or {}), **{name: str(value) for name, value in variables.items()}},
                                  cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, f"{alert}\n{block}\n{done.stdout}\n{done.stderr}")

    def until(self, condition, what):
        """As harness.until, for what several programs have to get on with."""
        try:
            return until(condition, what, 2 * PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}; now {self.prometheus.now('ALERTS')}") from None

    def fires(self, alert, **labels):
        firing = self.until(lambda: self.prometheus.firing(alert, **labels), f"{alert} fires for {labels}")
        for one in firing:
            for text in one["annotations"].values():
                self.assertNotRegex(text, r"error|\{\{|<no value>")
            self.assertEqual(one["annotations"]["runbook"], f"deploy/runbooks/{alert}.md")

    def silent(self, alert, **labels):
        self.prometheus.until_scraped()
        self.assertEqual(self.prometheus.firing(alert, **labels), [])

    def clears(self, alert, **labels):
        self.until(lambda: not self.prometheus.firing(alert, **labels), f"{alert} clears")

    def system(self, name, *files, sweep_days=30):
        """Registers a data system that is a folder, and returns its command."""
        folder = self.folder / name
        folder.mkdir()
        for file in files:
            (folder / file).touch()
        command = self.folder / f"{name}.erase"
        command.write_text(ERASE)
        command.chmod(0o755)
        self.ctl("systems", "register", name, "--kind", "audio", "--matches-by", MATCHES, "--checks-on-ingest", "--sweep-days", sweep_days)
        # So that what happens next is an increase.
        self.prometheus.until_seen(f'consentd_system_retention{{system="{name}",state="kept"}}', "the system is scraped")
        return command

    def ask(self, count, account, purpose):
        recordings = [{"recording_id": f"{account}{number}", "account_id": account, "profile_ids": ["voice"], "captured_at": moment(-71), "wake": "BUTTON", "kind": "COMMAND",
                       "speakers": "ONE", "identity": "MATCHED", "age": "ADULT", "region": "DE"} for number in range(count)]
        answered = self.ctl("filter", self.lines("asked.jsonl", recordings), "--purpose", purpose, "--country", "DE", "--site", "berlin", "--reviewer", "employee")
        return len(answered.splitlines())

    def consented(self, account, *controls):
        turned = [{"scope": scope, "control": control, "turn": "ON", "notice_version": "2026-01-past", "notice_language": "en"} for control in controls for scope in ({}, {"profile_id": "voice"})]
        self.ctl("import", self.lines("people.jsonl", [{"account_id": account, "region": "DE", "profiles": [{"profile_id": "voice", "age": "ADULT"}], "choices": turned}]))

    def delete(self, account, recording, *options):
        return self.json("delete", account, "--recording", recording, *options)["request"]

    # The incidents, in the order of the daemon's days, which begin with the real one.

    def sweep_missing(self):
        # What has expired by a choice that no data system was told of, since there was none.
        self.ctl("settings", "set", "ivy", "--retention", "3m")
        command = self.system("archive", "ivy.r1", "hal.r1", sweep_days=3)
        self.fires("ConsentdRetentionDueSoon", system="archive")
        [(_, due)] = self.prometheus.now('consentd_system_retention_due_timestamp_seconds{system="archive"}')
        self.assertLess(self.days.time(), due, "before it is due")
        self.silent("ConsentdSweepOverdue", system="archive")
        self.days.go_to(3.1)
        self.fires("ConsentdSweepOverdue", system="archive")
        inventory = self.lines("archive.jsonl", [{"recording_id": "r1", "account_id": account, "captured_at": moment(-200)} for account in ("ivy", "hal")])
        # A sweep says when it began, so whoever runs it lives on the same day.
        self.step("ConsentdSweepOverdue", clock=self.shifted, SYSTEM="archive", COMMAND=command, INVENTORY=inventory)
        self.clears("ConsentdSweepOverdue", system="archive")
        self.silent("ConsentdRetentionDueSoon", system="archive")
        self.assertEqual([path.name for path in (self.folder / "archive").iterdir()], ["hal.r1"])

    def receipt_overdue(self):
        self.ctl("subject", "set", "ann", "--region", "US", "--profile", "voice:adult", "--channel", "app", "--actor", "self")
        first = self.delete("ann", "r1")
        self.silent("ConsentdReceiptsDueSoon", regime="us")
        self.days.go_to((seconds(first["confirm_by"]) - time.time()) / DAY - 2)
        self.fires("ConsentdReceiptsDueSoon", regime="us")
        self.assertLess(self.days.time(), seconds(first["confirm_by"]), "before its deadline")
        self.silent("ConsentdReceiptsOverdue", regime="us")
        self.step("ConsentdReceiptsDueSoon", DELETION=first["deletion_id"])
        self.clears("ConsentdReceiptsDueSoon", regime="us")
        forgotten = self.delete("ann", "r2")
        self.days.go_to((seconds(forgotten["confirm_by"]) - time.time()) / DAY + 0.1)
        self.fires("ConsentdReceiptsOverdue", regime="us")
        self.step("ConsentdReceiptsOverdue", DELETION=forgotten["deletion_id"])
        self.clears("ConsentdReceiptsOverdue", regime="us")

    def calendar_ended(self):
        self.fires("ConsentdHolidayCalendarEnds", regime="us")
        [(_, end)] = self.prometheus.now('consentd_holiday_calendar_end_timestamp_seconds{regime="us"}')
        self.assertGreater(end, time.time(), "before it ends")
        self.write_policy("two")
        [loosens] = [one["words"] for one in self.json("policy", "diff", self.folder / "two.json")["differences"] if one["effect"] == "LOOSENS"]
        self.step("ConsentdHolidayCalendarEnds", POLICY=self.folder / "two.json", WORDS=loosens)
        self.clears("ConsentdHolidayCalendarEnds", regime="us")

    def child_notice_due(self):
        self.silent("ConsentdChildNoticeDue")
        self.ctl("import", self.lines("children.jsonl", [{"account_id": "family", "region": "DE", "profiles": [
            {"profile_id": "kid", "age": "CHILD", "guardian_id": "mum", "last_active_at": moment(-700)}]}]))
        self.fires("ConsentdChildNoticeDue", regime="eea")
        self.step("ConsentdChildNoticeDue", ACCOUNT="family", PROFILE="kid", REFERENCE="letter 4711")
        self.clears("ConsentdChildNoticeDue", regime="eea")

    def worker_finds_nothing(self):
        people = [f"bea{number}" for number in range(14)]
        command = self.system("audio", *[f"{person}.r1" for person in people])
        inventory = self.lines("inventory.jsonl", [{"recording_id": "r1", "account_id": person, "captured_at": moment(-71)} for person in people])
        due = self.json("delete", people[0], "--everything", "--verified")["request"]["due_at"]
        requests = self.lines("requests.jsonl", [{"account_id": person} for person in people[1:12]])
        self.ctl("delete", "--file", requests, "--everything", "--verified", "--report", self.folder / "deleted.jsonl")
        self.ctl("worker", "audio", "--once", "--", "sh", "-c", "exit 3")
        self.fires("ConsentdWorkerFindsNothing", system="audio")
        self.assertLess(self.days.time(), seconds(due), "before the requests' day")
        self.assertEqual(len(list((self.folder / "audio").iterdir())), 14, "they were told COMPLETED, and all is there")
        for person in people[12:]:
            self.ctl("delete", person, "--everything", "--verified")
        self.step("ConsentdWorkerFindsNothing", SYSTEM="audio", COMMAND=command, INVENTORY=inventory)
        self.clears("ConsentdWorkerFindsNothing", system="audio")
        self.assertEqual(list((self.folder / "audio").iterdir()), [], "the sweep found what the worker had not")

    def stuck_vendor(self):
        command = self.system("vendor", "carl.r1")
        request = self.delete("carl", "r1", "--verified")
        for failures in range(5):
            tasks = until(lambda: self.api.purges.LeaseTasks(purge.LeaseTasksRequest(system="vendor", max_tasks=100)).tasks, "the tasks come again")
            self.api.purges.FailTasks(purge.FailTasksRequest(system="vendor", failures=[
                purge.TaskFailure(task_id=task.task_id, epoch=task.epoch, error="their API is down") for task in tasks]))
            if failures == 3:
                self.silent("ConsentdPurgeTasksStuck", system="vendor")
            self.days.go_to(self.days.now + 0.02)
        self.fires("ConsentdPurgeTasksStuck", system="vendor")
        self.assertLess(self.days.time(), seconds(request["due_at"]), "before its day")
        self.step("ConsentdPurgeTasksStuck", SYSTEM="vendor", COMMAND=command)
        self.clears("ConsentdPurgeTasksStuck", system="vendor")
        self.assertEqual(list((self.folder / "vendor").iterdir()), [])

    def opt_outs_failing(self):
        for number in range(5):
            self.ctl("settings", "opt-out", f"dan{number}", "--all", endpoint=self.other, expect=REFUSED)
        self.fires("ConsentdOptOutsFailing")
        accounts = self.lines("accounts.jsonl", [{"account_id": f"dan{number}"} for number in range(600)])
        self.step("ConsentdOptOutsFailing", ACCOUNTS=accounts, REPORT=self.folder / "opted.jsonl")
        self.clears("ConsentdOptOutsFailing")
        self.assertEqual(len((self.folder / "opted.jsonl").read_text().splitlines()), 600)

    def yes_share_doubles(self):
        self.consented("eve", "train_models")
        self.assertEqual(self.ask(300, "eve", "MODEL_TRAINING"), 300)
        self.fires("ConsentdYesShareDoubled", purpose="model_training")
        self.step("ConsentdYesShareDoubled", PURPOSE="model_training")
        self.assertEqual(self.ask(3000, "eve", "MODEL_TRAINING"), 0)
        self.clears("ConsentdYesShareDoubled", purpose="model_training")

    def notice_superseded(self):
        self.consented("fay", "help_improve")
        self.assertEqual(self.ask(1, "fay", "HUMAN_REVIEW"), 1)
        notices = json.loads(DEFAULT_POLICY.read_text())["notices"]
        new = {**notices[1], "version": "2026-06", "valid_from": "2026-06-01T00:00:00Z", "supersedes": [notice["version"] for notice in notices]}
        self.write_policy("three", notices=[*notices, new])
        loosens = [one["words"] for one in self.json("policy", "diff", self.folder / "three.json")["differences"] if one["effect"] == "LOOSENS"]
        self.ctl("policy", "activate", self.folder / "three.json", *[word for words in loosens for word in ("--loosens", words)])
        self.assertEqual(self.ask(20, "fay", "HUMAN_REVIEW"), 0)
        self.fires("ConsentdNoticeSuperseded", purpose="human_review")
        self.step("ConsentdNoticeSuperseded", ACCOUNT="fay", CONTROL="help_improve", PROFILE="voice", NOTICE="2026-06", LANGUAGE="en", ETAG=self.json("settings", "get", "fay")["etag"])
        self.assertEqual(self.ask(2500, "fay", "HUMAN_REVIEW"), 2500)
        self.clears("ConsentdNoticeSuperseded", purpose="human_review")

    def hold_past_review(self):
        hold = self.json("holds", "place", "gus", "--authority", "District Court, 12-345", "--reason", "discovery")["hold"]
        self.silent("ConsentdHoldsPastReview")
        self.days.go_to(self.days.now + 400)
        self.fires("ConsentdHoldsPastReview")
        self.step("ConsentdHoldsPastReview", HOLD=hold["hold_id"], UNTIL=moment(self.days.now + 90), REASON="the case goes on")
        self.clears("ConsentdHoldsPastReview")

    def test_incidents(self):
        for incident in (self.sweep_missing, self.receipt_overdue, self.calendar_ended, self.child_notice_due, self.worker_finds_nothing, self.stuck_vendor,
                         self.opt_outs_failing, self.yes_share_doubles, self.notice_superseded, self.hold_past_review):
            with self.subTest(incident.__name__):
                began = time.monotonic()
                incident()
                print(f"{incident.__name__}: {time.monotonic() - began:.1f} s")
        self.assertEqual(self.served.metric("consentd_clock_doubts_total"), 0, "time went on, and never jumped")


if __name__ == "__main__":
    unittest.main()
