"""What a scrape shows after known calls, and whether Prometheus can read it."""

import shutil
import subprocess
import unittest

from consent.v1 import eligibility_service_pb2 as eligibility
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
                'consentd_index_subjects{partition="0"}': 2,
                'consentd_index_complete{partition="0"}': 1,
                'consentd_suspended{purpose="advertising",region="DE"}': 1,
                'consentd_policy_reloads_total{result="refused"}': 0,
                'consentd_rocksdb_background_errors': 0,
                f'consentd_policy_info{{version="{version.policy.version}",hash="{version.hash.hex()}"}}': 1,
        }.items():
            with self.subTest(series=series):
                self.assertEqual(self.served.metric(series), value)
        self.assertGreaterEqual(self.served.metric('consentd_store_commits{partition="0"}'), 3)

    def test_prometheus_finds_nothing_to_criticise(self):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("promtool is not installed")
        self.use()
        done = subprocess.run([promtool, "check", "metrics"], input=self.served.metrics(), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
