"""Ids of people and recordings must not reach logs, metrics, errors or the disk."""

import unittest

import grpc

from consent.v1 import policy_service_pb2 as policy
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import DaemonTest, refused
from words import check, evidence, household, opt_out, turn_on

IDS = ["account-q7Jx2", "profile-Vw81z", "device-Tt30k", "recording-Pz66m", "guardian-Lk09s", "reference-Hh12f"]
ACCOUNT, PROFILE, DEVICE, RECORDING, GUARDIAN, REFERENCE = IDS


class NothingNamesAPerson(DaemonTest):

    def use_everything(self, api):
        """Makes every kind of call with the ids in it, good and bad; returns the texts of the errors."""
        registered = api.subjects.UpsertSubject(household(ACCOUNT, profile=PROFILE, device=DEVICE))
        change = turn_on(ACCOUNT, registered.revision, profile=PROFILE, request_id=REFERENCE)
        change.evidence.CopyFrom(evidence(reference=REFERENCE))
        api.settings.UpdateSettings(change)
        facts = {"profile": PROFILE, "device": DEVICE, "name": RECORDING}
        api.eligibility.Check(check(ACCOUNT, **facts))
        api.recordings.ReportRecording(recordings.ReportRecordingRequest(account_id=ACCOUNT, recording_id=RECORDING, flags=[types.FLAG_SAFETY]))
        api.settings.OptOut(opt_out(ACCOUNT, scope=types.Scope(profile_id=PROFILE)))
        api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id=ACCOUNT))
        api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, reason="test"))
        errors = [
            refused(api.settings.UpdateSettings, turn_on(ACCOUNT, "stale", profile=PROFILE)),
            refused(api.settings.UpdateSettings, turn_on(ACCOUNT, registered.revision, profile=GUARDIAN)),
            refused(api.subjects.GetSubject, subject.GetSubjectRequest(account_id=GUARDIAN)),
            refused(api.eligibility.Check, check(ACCOUNT + "x" * 200, **facts)),
            refused(api.eligibility.Check, check(ACCOUNT, **{**facts, "name": RECORDING + "x" * 200})),
            refused(api.settings.UpdateSettings, turn_on(ACCOUNT, registered.revision, profile=PROFILE, request_id=REFERENCE)),
        ]
        try:
            api.raw("consent.v1.SettingsService/OptOut", b"\x0a\x7f" + ACCOUNT.encode())
        except grpc.RpcError as error:
            errors.append(error)
        return "\n".join(map(str, errors))

    def test_ids_stay_out_of_logs_metrics_errors_and_disk(self):
        daemon = self.daemon("--log-level", "debug")
        errors = self.use_everything(self.client(daemon))
        seen = {"errors": errors, "metrics": daemon.metrics()}
        self.assertEqual(daemon.stop(), 0)
        seen["log"] = daemon.log_path.read_text()
        for where, text in seen.items():
            for word in IDS:
                self.assertNotIn(word, text, where)
        for path in self.folder.rglob("*"):
            if path.is_file() and path != daemon.log_path:
                content = path.read_bytes()
                for word in IDS:
                    self.assertNotIn(word.encode(), content, path)


if __name__ == "__main__":
    unittest.main()
