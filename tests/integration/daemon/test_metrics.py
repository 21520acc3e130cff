"""What a scrape shows after known calls, and whether Prometheus can read it."""

import shutil
import subprocess
import unittest

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import DaemonTest, refused
from words import check, household, opt_out, recording, turn_on, OFFICE


class Metrics(DaemonTest):

    def setUp(self):
        super().setUp()
        self.served = self.daemon()
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
                'consentd_subjects{regime="eea",purpose="human_review",choice="given"}': 1,
                'consentd_subjects{regime="unknown",purpose="advertising",choice="refused"}': 1,
                'consentd_changes_total{kind="opt_out",channel="voice"}': 1,
                'consentd_choices_total{control="help_improve",choice="on",channel="app",result="changed"}': 2,
                'consentd_choices_total{control="all",choice="off",channel="voice",result="changed"}': 1,
                'consentd_decisions_total{purpose="human_review",eligibility="eligible",disposition="keep",reason="consent"}': 11,
                'consentd_decisions_total{purpose="human_review",eligibility="not_eligible",disposition="keep",reason="unknown_subject"}': 1,
                'consentd_rpc_total{method="consent.v1.EligibilityService/Check",code="ok"}': 1,
                'consentd_rpc_total{method="consent.v1.SubjectService/GetSubject",code="not_found"}': 1,
                'consentd_rpc_duration_seconds_count{method="consent.v1.EligibilityService/BatchCheck"}': 1,
                'consentd_index_subjects': 2,
                'consentd_index_complete': 1,
                'consentd_suspended{purpose="advertising",region="DE"}': 1,
                'consentd_policy_reloads_total{result="refused"}': 0,
                'consentd_rocksdb_background_errors': 0,
                f'consentd_policy_info{{version="{version.policy.version}",hash="{version.hash.hex()}"}}': 1,
        }.items():
            with self.subTest(series=series):
                self.assertEqual(self.served.metric(series), value)
        self.assertGreaterEqual(self.served.metric('consentd_store_commits'), 3)

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
