"""What a scrape shows, against the table of daemon/ops/README.md in both directions: names, types, units and labels; which series are there before
anything happened; and, after one story, the values that it decides, against what earlier versions showed."""

import collections
import datetime
import itertools
import json
import re
import time
import unittest

import grpc
from google.protobuf import descriptor_pb2

from consent.v1 import appeal_pb2 as appeal
from consent.v1 import decision_service_pb2 as decisions
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import review_service_pb2 as reviews
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import status_service_pb2 as status
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

import test_tls_callers
from harness import DaemonTest, DEFAULT_POLICY, ROOT, refused, until
from words import check, household, opt_out, recording, turn, turn_on, update, OFFICE

GOLDEN = ROOT / "tests" / "golden" / "scrape"
README = ROOT / "daemon" / "ops" / "README.md"
# Values that time, the machine or the number of tries decides.
VARIES = re.compile(r"process_|grpc_server_|consentd_(caller_calls|deletion_requests_due|rocksdb_|index_bytes|store_|clock_offset|disk_|decision_log_bytes|journal_bytes|journal_entries|connections|erasure|memory_limit|"
                    r"deletion_completion_seconds_sum)|\w+_timestamp_seconds")
# Labels that change with a version and a policy file.
NAMES_A_VERSION = re.compile(r'(consentd_build_info|consentd_policy_info)\{.*\}')
# What the machine or the file system may not have.
OF_THE_HOST = {"consentd_memory_limit_bytes", "consentd_disk_free_inodes", "consentd_disk_free_bytes", "consentd_disk_size_bytes", "process_max_fds"}

Row = collections.namedtuple("Row", "type unit labels series")
Family = collections.namedtuple("Family", "type series")  # series: a list of (labels as a dict, value)


def table():
    """The rows of the README by name."""
    rows = {}
    for line in README.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        named = re.fullmatch(r"`(\w+)`", cells[0])
        if named is None or len(cells) != 7:
            continue
        assert named[1] not in rows, f"two rows of {named[1]}"
        labels = () if cells[3] == "-" else tuple(cells[3].split(", "))
        rows[named[1]] = Row(cells[1], cells[2], labels, cells[4])
    return rows


def families(text):
    """What a scrape shows, by name; a histogram's buckets, sum and count under its own."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            found[name] = Family(kind, [])
        elif not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            name = series.split("{")[0]
            if name not in found:
                name = re.sub(r"_(bucket|sum|count)$", "", name)
            found[name].series.append((dict(re.findall(r'(\w+)="([^"]*)"', series)), float(value)))
    return found


def shape(text):
    """The lines of a scrape that say something, in an order that does not depend on the daemon, without what varies."""
    lines = []
    for line in text.splitlines():
        series, _, value = line.rpartition(" ")
        if line.startswith("#") or VARIES.match(line) or value == "0":
            continue
        labels = re.findall(r'(\w+)="', series)
        series = NAMES_A_VERSION.sub(lambda found: f"{found.group(1)}{{{','.join(labels)}}}", series)
        lines.append(f"{series} {value}")
    return sorted(lines)


def words(enum, none=True):
    """The labels of an enum of the protos."""
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    named = [name.removeprefix(prefix).lower() for name, number in enum.items() if number != 0]
    return (["none"] if none else []) + named


class Story(DaemonTest):
    """Something of everything that is counted or read."""

    def story(self):
        served = self.daemon("--restriction-journal", str(self.folder / "journal"))
        api = self.client(served)
        etag = api.subjects.UpsertSubject(household("s1")).revision
        api.settings.UpdateSettings(turn_on("s1", etag))
        api.settings.OptOut(opt_out("s2", evidence=types.Evidence(channel=types.CHANNEL_VOICE)))
        api.recordings.ReportRecording(recordings.ReportRecordingRequest(account_id="s1", recording_id="r9", flags=[types.FLAG_SAFETY]))
        items = [recording("s1", name=f"r{i}") for i in range(10)] + [recording("s3"), recording("")]
        api.eligibility.BatchCheck(eligibility.BatchCheckRequest(recordings=items, purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE))
        api.eligibility.Check(check("s1", region="UK"))
        refused(api.subjects.GetSubject, subject.GetSubjectRequest(account_id="nobody"))
        api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, region="DE", reason="test"))
        api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_MODEL_TRAINING, reason="test"))
        for name in ("audio", "caches"):
            system = purge.DataSystem(name=name, kind=purge.DATA_SYSTEM_KIND_AUDIO, matches_by=[purge.MATCH_KEY_RECORDING_ID,
                                      purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_TIME], checks_on_ingest=True)
            if name == "audio":
                system.retention.sweep_days = 7
            api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=system))
        sweep = purge.Sweep(counts=purge.SweepCounts(kept=3, held=1, purged=2))
        sweep.started_at.GetCurrentTime()
        sweep.ended_at.CopyFrom(sweep.started_at)
        api.systems.ReportSweep(purge.ReportSweepRequest(system="audio", sweep=sweep))
        api.reviews.ReportPopulation(reviews.ReportPopulationRequest(hour=time.strftime("%Y-%m-%dT%H", time.gmtime()),
                                                                     counts=[reviews.PopulationCount(country="DE", utterances=1000)]))
        self.delete(api)
        hold = api.holds.PlaceHold(holds.PlaceHoldRequest(account_id="s2", selector=deletion.HoldSelector(account=True), authority="court",
                                                          reason="case")).hold
        self.assertTrue(hold.hold_id)
        log = api.decision_log.GetDecisionLog(decisions.GetDecisionLogRequest())
        api.decision_log.ReportVerification(decisions.ReportVerificationRequest(store_id=log.store_id, records=9, confirmed=7, late=1))
        return served

    def delete(self, api):
        """One request that ends, one that a system gives back, one that is denied, one that waits."""
        def ask(*ids, **more):
            selector = deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=ids))
            return api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
                account_id="s1", selector=selector, requester=types.ACTOR_SELF, **more)).request

        done = ask("d1", verification=deletion.VERIFICATION_VERIFIED)
        for system in ("audio", "caches"):
            [task] = api.purges.LeaseTasks(purge.LeaseTasksRequest(system=system)).tasks
            wrong = purge.TaskResult(task_id=task.task_id, epoch=task.epoch + 7, outcome=deletion.PURGE_OUTCOME_NOT_FOUND)
            right = purge.TaskResult(task_id=task.task_id, epoch=task.epoch, outcome=deletion.PURGE_OUTCOME_ACKNOWLEDGED, erased_count=1)
            for result in (wrong, right):
                api.purges.CompleteTasks(purge.CompleteTasksRequest(system=system, results=[result]))
        until(lambda: api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(
            deletion_id=done.deletion_id)).request.state == deletion.DELETION_STATE_COMPLETED, "the request is COMPLETED")
        ask("d2", verification=deletion.VERIFICATION_VERIFIED)
        [task] = api.purges.LeaseTasks(purge.LeaseTasksRequest(system="audio")).tasks
        failure = purge.TaskFailure(task_id=task.task_id, epoch=task.epoch, error="disk")
        api.purges.FailTasks(purge.FailTasksRequest(system="audio", failures=[failure]))
        denied = ask("d3")
        api.deletions.DenyDeletionRequest(deletion.DenyDeletionRequestRequest(deletion_id=denied.deletion_id, reason="not shown"))
        ask("d4")


class Scrape(Story):
    """The values that the story decides."""

    def test_shows_the_values_that_it_showed_before(self):
        shown = shape(self.story().metrics())
        golden = sorted(line for file in GOLDEN.glob("scrape-*.txt") for line in file.read_text().splitlines())
        self.assertEqual(shown, golden, "as it should stand in tests/golden/scrape:\n" + "\n".join(shown))

    def test_shows_nothing_twice(self):
        lines = self.story().metrics().splitlines()
        for found in ([line.rpartition(" ")[0] for line in lines if not line.startswith("#")],
                      [line.split()[2] for line in lines if line.startswith("# TYPE")]):
            self.assertEqual(sorted(found), sorted(set(found)))


class Table(Story, test_tls_callers.CallersTest):
    """The README's table against what is shown, in both directions."""

    def test_what_is_shown_has_its_row_and_each_row_is_shown(self):
        rows = table()
        shown = families(self.story().metrics())
        self.served_apart().serve_callers(*self.ALL)
        for name, family in families(self.served.metrics()).items():
            shown.setdefault(name, Family(family.type, [])).series.extend(family.series)
        self.assertEqual(sorted(set(shown) - set(rows)), [], "shown and without a row in daemon/ops/README.md")
        self.assertEqual(sorted(set(rows) - set(shown) - OF_THE_HOST), [], "a row of daemon/ops/README.md, and not shown")
        for name, family in shown.items():
            with self.subTest(name=name):
                self.assertEqual(family.type, rows[name].type)
                for labels, _ in family.series:
                    self.assertEqual(set(labels) - {"le"}, set(rows[name].labels))

    def test_names_say_type_and_unit(self):
        rows = table()
        self.assertGreater(len(rows), 80)
        for name, row in rows.items():
            with self.subTest(name=name):
                self.assertEqual(name.endswith("_total"), row.type == "counter")
                self.assertIn(row.type, ("counter", "gauge", "histogram"))
                self.assertIn(row.series, ("start", "named", "once"))
                unit = re.search(r"_(seconds|bytes|ratio|bytes_per_second)(_total)?$", name)
                self.assertEqual(unit[1].replace("_", " ") if unit else "1", row.unit)

    def served_apart(self):
        """Makes room for a second daemon in a folder of its own."""
        self.folder = self.folder / "apart"
        self.folder.mkdir(mode=0o700)
        return self


class FromTheStart(Story):
    """Series that are there before anything happened, so that a first event is an increase."""

    def setUp(self):
        super().setUp()
        self.served = self.daemon()
        self.text = self.served.metrics()
        self.shown = families(self.text)

    def expect(self, name, zero=True, **labels):
        """All series of these labels are shown, whatever else is; each 0."""
        series = {tuple(sorted(one.items())): value for one, value in self.shown[name].series}
        for values in itertools.product(*labels.values()):
            key = tuple(sorted(zip(labels, values)))
            self.assertIn(key, series, name)
            if zero:
                self.assertEqual(series[key], 0, key)

    def test_every_row_that_says_so(self):
        missing = [name for name, row in table().items() if row.series == "start" and name not in self.shown and name not in OF_THE_HOST]
        self.assertEqual(missing, [])
        early = [name for name, row in table().items() if row.series == "once" and name in self.shown and name not in OF_THE_HOST]
        self.assertEqual(early, [], "shown, and there is nothing to tell yet")

    def test_every_value_of_a_bounded_label(self):
        document = json.loads(DEFAULT_POLICY.read_text())
        channels = words(types.Channel)
        purposes = [name.removeprefix("PURPOSE_").lower() for name in document["purposes"]]
        controls = [control["name"] for control in document["controls"]]
        regimes = [regime["name"] for regime in document["regimes"]]
        causes, states = words(deletion.DeletionCause, none=False), words(deletion.DeletionState, none=False)
        results, answers = ["changed", "unchanged", "refused"], ["eligible", "not_eligible"]
        self.expect("consentd_opt_outs_total", channel=channels)
        self.expect("consentd_changes_total", kind=words(settings.ChangeKind, none=False), channel=channels)
        self.expect("consentd_choices_total", control=[*controls, *purposes, "all"], choice=["on", "off"], result=results)
        self.expect("consentd_flags_reported_total", flag=words(types.Flag, none=False))
        self.expect("consentd_asked_total", caller=["local"], purpose=purposes, regime=regimes, eligibility=answers)
        self.expect("consentd_missing_facts_total", caller=["local"], fact=["captured_at", "wake", "kind", "speakers", "identity", "age", "profile_ids", "device_id",
                                                                           "unregistered_scope", "made_for", "country", "reviewer_class", "site", "purpose"])
        self.expect("consentd_deletion_requests", cause=causes, regime=regimes, state=states)
        self.expect("consentd_deletion_requests_due", cause=causes, regime=regimes, within_days=["7", "30"])
        self.expect("consentd_deletion_requests_overdue", cause=causes, regime=regimes)
        self.expect("consentd_deletion_requests_ended_in_quarter", cause=causes, regime=regimes, result=["in_time", "late"])
        self.expect("consentd_deletion_receipts_due", regime=regimes, within_days=["3", "7"])
        self.expect("consentd_deletion_receipts_overdue", regime=regimes)
        kinds = words(appeal.AppealKind, none=False)
        self.expect("consentd_appeals_open", kind=kinds, regime=regimes)
        self.expect("consentd_appeals_due", kind=kinds, regime=regimes, deadline=["acknowledgement", "answer"], within_days=["3", "7"])
        self.expect("consentd_appeals_overdue", kind=kinds, regime=regimes, deadline=["acknowledgement", "answer"])
        for name in ("", "_unguarded", "_inactive_without_notice", "_purge_due"):
            self.expect("consentd_children" + name, regime=regimes)
        self.expect("consentd_consents_expiring", notice=[notice["version"] for notice in document["notices"] if notice.get("consent_lifetime_months")], within_days=["30"])
        self.expect("consentd_suspended", purpose=purposes, region=["all"])
        self.expect("consentd_subject_choices", regime=regimes, country=["other"], purpose=purposes, choice=words(types.Choice, none=False))
        outcomes = words(reviews.ReviewOutcome, none=False)
        self.expect("consentd_review_grants_ended_total", by=[*outcomes, "not_recorded", "expired", "restricted"])
        self.expect("consentd_review_leases_refused_total", reason=["missing_fact", "withdrawn", "safety_hold", "granted", "heard_recently", "heard_often"])
        self.expect("consentd_review_uses_total", use=["open", "redeem", "submit", "renew"])
        self.expect("consentd_review_uses_after_restriction_total", use=["open", "redeem", "submit", "renew"])
        ends = [end for end in words(reviews.GrantEnd, none=False) if end != "renewed_before"]
        self.expect("consentd_review_uses_refused_total", use=["open", "redeem", "submit", "renew"], cause=[*ends, "other_grant"])
        self.expect("consentd_review_uses_refused_total", use=["redeem"], cause=["token_foreign", "token_over", "token_replaced", "token_redeemed"])
        self.expect("consentd_decisions_total", purpose=purposes, eligibility=["eligible"], disposition=["keep"], reason=["consent", "default"])
        self.expect("consentd_decisions_total", purpose=purposes, eligibility=["not_eligible"], disposition=["keep"],
                    reason=["missing_fact", "refused", "withdrawn", "no_consent", "suspended", "clock_doubtful", "not_recorded", "deletion_pending"])
        self.expect("consentd_decisions_total", purpose=[*purposes], eligibility=["not_eligible"], disposition=["purge"], reason=["deleted", "purpose_ended"])
        self.expect("consentd_decisions_total", purpose=["none"], eligibility=["none"], disposition=["purge"], reason=["deleted", "accidental_expired"])

    def test_each_rpc_and_code(self):
        # As the comments of errors.proto say which code each reason is answered with.
        named = set(re.findall(r"^  // ([A-Z_]+): ", (ROOT / "proto/consent/v1/errors.proto").read_text(), re.MULTILINE))
        self.assertLess(named, {code.name for code in grpc.StatusCode})
        codes = ["OK", *(name.title().replace("_", "") for name in named)]
        self.assertGreater(len(codes), 9)
        shown = {labels["grpc_code"] for labels, _ in self.shown["grpc_server_handled_total"].series}
        self.assertEqual(shown, set(codes), "what nothing is answered with costs a series a method")
        for module in (decisions, deletion, eligibility, holds, policy, purge, recordings, settings, status, subject):
            for service in module.DESCRIPTOR.services_by_name.values():
                for method in service.methods:
                    where = {"grpc_type": ["unary"], "grpc_service": [service.full_name], "grpc_method": [method.name]}
                    is_read = method.GetOptions().idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
                    self.expect("grpc_server_started_total", **where)
                    self.expect("grpc_server_handled_total", **where, grpc_code=[
                        code for code in codes if not (is_read and code in ("Aborted", "AlreadyExists"))])  # it conflicts with nothing
        self.expect("consentd_caller_calls_total", caller=["local"], grpc_code=codes)

    def test_is_small(self):
        self.assertLess(len(self.text), 230_000)

    def test_a_first_opt_out_is_an_increase(self):
        series = 'consentd_opt_outs_total{channel="voice"}'
        self.assertEqual(self.served.metric(series), 0)
        api = self.client(self.served)
        by_voice = types.Evidence(channel=types.CHANNEL_VOICE)
        api.settings.OptOut(opt_out("first", evidence=by_voice))
        self.assertEqual(self.served.metric(series), 1)
        api.settings.OptOut(opt_out("first", evidence=by_voice))
        self.assertEqual(self.served.metric(series), 1, "nothing was turned off that was on")
        # A no in a mixed call is one, too.
        etag = api.subjects.UpsertSubject(household("second")).revision
        api.settings.UpdateSettings(turn_on("second", etag))
        api.settings.UpdateSettings(update("second", [turn(settings.SWITCH_OFF)], evidence=by_voice))
        self.assertEqual(self.served.metric(series), 2)

    def test_calls_that_are_begun_are_answered(self):
        api = self.client(self.served)
        for _ in range(3):
            api.eligibility.Check(check("m1"))
        refused(api.eligibility.Check, eligibility.CheckRequest())
        where = '{grpc_type="unary",grpc_service="consent.v1.EligibilityService",grpc_method="Check"'
        self.assertEqual(self.served.metric("grpc_server_started_total" + where + "}"), 4)
        self.assertEqual(self.served.metric("grpc_server_handled_total" + where + ',grpc_code="OK"}'), 3)
        self.assertEqual(self.served.metric("grpc_server_handled_total" + where + ',grpc_code="InvalidArgument"}'), 1)
        self.assertEqual(self.served.metric("grpc_server_in_flight"), 0)


if __name__ == "__main__":
    unittest.main()
