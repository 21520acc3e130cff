"""What a scrape shows after known calls, and whether Prometheus can read it."""

import shutil
import subprocess
import time
import unittest

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import DaemonTest, refused, until
from words import check, fresh_id, household, opt_out, recording, turn_on, OFFICE


class Metrics(DaemonTest):

    def setUp(self):
        super().setUp()
        self.served = self.daemon("--policy", self.one_person_policy())
        self.api = self.client(self.served)

    def use(self):
        registered = self.api.subjects.UpsertSubject(household("m1"))
        self.api.settings.UpdateSettings(turn_on("m1", registered.revision))
        self.api.settings.OptOut(opt_out("m2", evidence=types.Evidence(channel=types.CHANNEL_VOICE)))
        items = [recording("m1", name=f"r{i}") for i in range(10)] + [recording("m3")]
        self.api.eligibility.BatchCheck(eligibility.BatchCheckRequest(recordings=items, purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE))
        self.api.eligibility.Check(check("m1"))
        refused(self.api.subjects.GetSubject, subject.GetSubjectRequest(account_id="nobody"))
        self.api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, region="DE", reason="test"))

    def test_each_step_of_a_deletion_and_a_hold_is_counted(self):
        self.api.subjects.UpsertSubject(household("m1"))
        by_phone = types.Evidence(channel=types.CHANNEL_SUPPORT, actor=types.ACTOR_SELF)
        ask = deletion.CreateDeletionRequestRequest(account_id="m1", selector=deletion.DeletionSelector(recordings=deletion.RecordingIds(
            recording_ids=["r1"])), requester=types.ACTOR_SELF, evidence=by_phone)
        first = self.api.deletions.CreateDeletionRequest(ask).request
        self.assertEqual(self.api.deletions.CreateDeletionRequest(ask).request.deletion_id, first.deletion_id)
        self.api.deletions.ExtendDeletionRequest(deletion.ExtendDeletionRequestRequest(deletion_id=first.deletion_id, evidence=by_phone))
        self.api.deletions.VerifyDeletionRequest(deletion.VerifyDeletionRequestRequest(deletion_id=first.deletion_id, evidence=by_phone))
        ask.selector.recordings.recording_ids[:] = ["r2"]
        second = self.api.deletions.CreateDeletionRequest(ask).request
        self.api.deletions.DenyDeletionRequest(deletion.DenyDeletionRequestRequest(deletion_id=second.deletion_id, reason="not shown", evidence=by_phone))
        hold = self.api.holds.PlaceHold(holds.PlaceHoldRequest(account_id="m1", selector=deletion.HoldSelector(account=True),
                                                                  authority="court", reason="case", evidence=by_phone)).hold
        self.api.holds.ReleaseHold(holds.ReleaseHoldRequest(hold_id=hold.hold_id, etag=hold.etag, authority="court", reason="over",
                                                               evidence=by_phone))
        expected = {"deletion_received": 3, "deletion_extended": 1, "deletion_verified": 1, "deletion_denied": 1, "hold_placed": 1,
                    "hold_released": 1}
        for kind, count in expected.items():
            with self.subTest(kind=kind):
                self.assertEqual(self.served.metric('consentd_changes_total{kind="%s",channel="support"}' % kind), count)

    def test_known_calls_are_counted(self):
        self.use()
        version = self.api.policies.GetPolicy(policy.GetPolicyRequest())
        for series, value in {
                'consentd_serving': 1,
                'consentd_subject_choices{regime="eea",country="DE",purpose="human_review",choice="given"}': 1,
                'consentd_subject_choices{regime="unknown",country="other",purpose="advertising",choice="refused"}': 1,
                'consentd_changes_total{kind="opt_out",channel="voice"}': 1,
                'consentd_choices_total{control="help_improve",choice="on",result="changed"}': 2,
                'consentd_choices_total{control="all",choice="off",result="changed"}': 1,
                'consentd_decisions_total{purpose="human_review",eligibility="eligible",disposition="keep",reason="consent"}': 11,
                'consentd_decisions_total{purpose="human_review",eligibility="not_eligible",disposition="keep",reason="unknown_subject"}': 1,
                'grpc_server_handled_total{grpc_type="unary",grpc_service="consent.v1.EligibilityService",grpc_method="Check",grpc_code="OK"}': 1,
                'grpc_server_handled_total{grpc_type="unary",grpc_service="consent.v1.SubjectService",grpc_method="GetSubject",grpc_code="NotFound"}': 1,
                'grpc_server_handling_seconds_count{grpc_type="unary",grpc_service="consent.v1.EligibilityService",grpc_method="BatchCheck"}': 1,
                'consentd_asked_total{caller="local",purpose="human_review",regime="eea",eligibility="eligible"}': 11,
                'consentd_asked_total{caller="local",purpose="human_review",regime="unknown",eligibility="not_eligible"}': 1,
                'consentd_index_subjects': 2,
                'consentd_index_complete': 1,
                'consentd_suspended{purpose="advertising",region="DE"}': 1,
                'consentd_policy_reloads_total{result="refused"}': 0,
                'consentd_rocksdb_background_errors_total': 0,
                f'consentd_policy_info{{version="{version.policy.version}",hash="{version.hash.hex()}"}}': 1,
        }.items():
            with self.subTest(series=series):
                self.assertEqual(self.served.metric(series), value)
        self.assertGreaterEqual(self.served.metric('consentd_store_commits_total'), 3)

    def test_an_officers_figures_are_what_was_done_and_outlive_a_restart(self):
        for name in ("audio", "vendor"):
            system = purge.DataSystem(name=name, kind=purge.DATA_SYSTEM_KIND_AUDIO, checks_on_ingest=True,
                                      matches_by=[purge.MATCH_KEY_RECORDING_ID, purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_TIME])
            self.api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=system))
        before = time.time() - 1
        # A child without a guardian, another with one; somebody in a country that the policy does not name.
        child = subject.Profile(profile_id="kid", age=subject.Age(child=True))
        self.api.subjects.UpsertSubject(subject.UpsertSubjectRequest(account_id="family", region="FR", profiles=[child], request_id=fresh_id()))
        guarded = subject.Profile(profile_id="kid", age=subject.Age(child=True), guardian_id="mother")
        self.api.subjects.UpsertSubject(subject.UpsertSubjectRequest(account_id="guarded", region="FR", profiles=[guarded], request_id=fresh_id()))
        self.api.subjects.UpsertSubject(household("far", region="NZ"))
        self.api.settings.OptOut(opt_out("far"))
        # One request is done, of which one system found nothing; one is denied; one waits, unconfirmed; one is of a withdrawal.
        def ask(name, **more):
            selector = deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=[name]))
            return self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
                account_id="family", selector=selector, requester=types.ACTOR_SELF, **more)).request
        done = ask("r1", verification=deletion.VERIFICATION_VERIFIED)
        for name, outcome in (("audio", deletion.PURGE_OUTCOME_ACKNOWLEDGED), ("vendor", deletion.PURGE_OUTCOME_NOT_FOUND)):
            [task] = self.api.purges.LeaseTasks(purge.LeaseTasksRequest(system=name)).tasks
            self.api.purges.CompleteTasks(purge.CompleteTasksRequest(system=name, results=[purge.TaskResult(task_id=task.task_id, epoch=task.epoch, outcome=outcome)]))
        until(lambda: self.api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(
            deletion_id=done.deletion_id)).request.state == deletion.DELETION_STATE_COMPLETED, "the request is COMPLETED")
        denied = ask("r2")
        self.api.deletions.DenyDeletionRequest(deletion.DenyDeletionRequestRequest(deletion_id=denied.deletion_id, reason="not shown"))
        ask("r3", verification=deletion.VERIFICATION_VERIFIED)
        self.api.holds.PlaceHold(holds.PlaceHoldRequest(account_id="far", selector=deletion.HoldSelector(account=True), authority="court", reason="case"))
        self.api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, reason="test"))

        expected = {
            'consentd_children{regime="eea"}': 2,
            'consentd_children_unguarded{regime="eea"}': 1,
            'consentd_children_inactive_without_notice{regime="eea"}': 0,
            'consentd_subject_choices{regime="unknown",country="other",purpose="human_review",choice="refused"}': 1,
            'consentd_deletion_requests{cause="requested",regime="eea",state="in_progress"}': 0,
            'consentd_deletion_requests_due{cause="requested",regime="eea",within_days="7"}': 0,
            'consentd_deletion_requests_overdue{cause="requested",regime="eea"}': 0,
            'consentd_deletion_requests_ended_in_quarter{cause="requested",regime="eea",result="in_time"}': 2,
            'consentd_deletion_requests_ended_in_quarter{cause="requested",regime="eea",result="late"}': 0,
            'consentd_deletion_receipts_overdue{regime="eea"}': 0,
            'consentd_purge_tasks_open{system="audio"}': 1,
            'consentd_purge_tasks_ended_total{system="audio",outcome="acknowledged"}': 1,
            'consentd_purge_tasks_ended_total{system="vendor",outcome="not_found"}': 1,
            'consentd_purge_tasks_ended_total{system="vendor",outcome="exempt"}': 0,
            'consentd_holds_in_force': 1,
            'consentd_suspended{purpose="advertising",region="all"}': 1,
            'consentd_suspensions_in_force': 1,
        }
        times = ("consentd_hold_oldest_timestamp_seconds", "consentd_suspension_oldest_timestamp_seconds", "consentd_deletion_request_oldest_timestamp_seconds",
                 'consentd_purge_task_oldest_timestamp_seconds{system="audio"}', "consentd_policy_activated_timestamp_seconds")
        worker = 'consentd_purge_worker_last_seen_timestamp_seconds{system="audio"}'
        self.assertGreaterEqual(self.served.metric(worker), before)
        for again in (False, True):
            with self.subTest(again=again):
                shown = dict(line.rpartition(" ")[::2] for line in self.served.metrics().splitlines())
                self.assertEqual({series: float(shown[series]) for series in expected}, expected)
                for series in times:
                    self.assertLess(abs(float(shown[series]) - time.time()), 120, series)
                if not again:
                    self.assertEqual(self.served.stop(), 0)
                    self.served = self.daemon()
        self.assertIsNone(self.served.metric(worker), "nobody has been seen since")

    def test_codes_that_no_country_has_are_counted(self):
        self.api.subjects.UpsertSubject(household("m1"))
        for region, count in (("GB", 0), ("UK", 1), ("EL", 2)):
            self.api.eligibility.Check(check("m1", region=region))
            self.assertEqual(self.served.metric("consentd_unknown_regions_total"), count, region)

    def test_prometheus_finds_nothing_to_criticise(self):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("promtool is not installed")
        self.use()
        done = subprocess.run([promtool, "check", "metrics"], input=self.served.metrics(), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
