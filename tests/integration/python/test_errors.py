"""Bad input and refusals, as a client in another language sees them: codes, reasons and fields, decoded from the status details."""

import unittest

import grpc

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import DaemonTest, decode_error, refused
from words import check, evidence, household, opt_out, recording, turn, turn_on, update

INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

# Every RPC with a request that lacks what it needs, and the field that is named.
EMPTY_REQUESTS = [
    ("subjects", "UpsertSubject", subject.UpsertSubjectRequest(), "account_id"),
    ("subjects", "GetSubject", subject.GetSubjectRequest(), "account_id"),
    ("settings", "GetSettings", settings.GetSettingsRequest(), "account_id"),
    ("settings", "UpdateSettings", settings.UpdateSettingsRequest(), "account_id"),
    ("settings", "OptOut", settings.OptOutRequest(), "account_id"),
    ("settings", "ListSettingsHistory", settings.ListSettingsHistoryRequest(), "account_id"),
    ("settings", "GetSettingsAt", settings.GetSettingsAtRequest(), "account_id"),
    ("eligibility", "Check", eligibility.CheckRequest(), "recording"),
    ("eligibility", "BatchCheck", eligibility.BatchCheckRequest(), "recordings"),
    ("recordings", "ReportRecording", recordings.ReportRecordingRequest(), "account_id"),
    ("policies", "Suspend", policy.SuspendRequest(), "purpose"),
    ("policies", "Resume", policy.ResumeRequest(), "purpose"),
    ("policies", "ConfirmClock", policy.ConfirmClockRequest(), "time"),
]
METHODS = [
    "SubjectService/UpsertSubject", "SubjectService/GetSubject", "SettingsService/GetSettings", "SettingsService/UpdateSettings",
    "SettingsService/OptOut", "SettingsService/ListSettingsHistory", "SettingsService/GetSettingsAt", "EligibilityService/Check",
    "EligibilityService/BatchCheck", "RecordingService/ReportRecording", "PolicyService/GetPolicy", "PolicyService/Suspend",
    "PolicyService/Resume", "PolicyService/ConfirmClock"]


class ErrorTest(DaemonTest):

    def setUp(self):
        super().setUp()
        self.api = self.client(self.daemon())

    def expect(self, error, code, reason, field=None):
        self.assertEqual((error.code, error.reason), (code, reason), error)
        self.assertEqual(error.domain, "consent.v1")
        self.assertTrue(error.message)
        if field is not None:
            self.assertTrue(any(path == field or path.startswith(field) for path in error.fields), error.fields)

    def raw_error(self, method, data):
        try:
            answer = self.api.raw("consent.v1." + method, data)
        except grpc.RpcError as error:
            return decode_error(error)
        raise AssertionError(f"{method} answered {answer!r}")


class Fields(ErrorTest):

    def test_every_rpc_names_what_is_missing(self):
        for service, method, request, field in EMPTY_REQUESTS:
            with self.subTest(method=method):
                self.expect(refused(getattr(getattr(self.api, service), method), request), INVALID, "INVALID_FIELD", field)

    def test_ids_have_bounds(self):
        long = "x" * 129
        for service, method, request, field in [
                ("subjects", "GetSubject", subject.GetSubjectRequest(account_id=long), "account_id"),
                ("eligibility", "Check", check(long), "recording.account_id"),
                ("eligibility", "Check", check("a", name=long), "recording.recording_id"),
                ("eligibility", "Check", check("a", profile=long), "recording.profile_ids"),
                ("deletions", "ExtendDeletionRequest", deletion.ExtendDeletionRequestRequest(deletion_id="d", request_id="r" * 65), "request_id"),
                ("settings", "OptOut", settings.OptOutRequest(account_id="a", request_id="r"), "targets")]:
            with self.subTest(method=method, field=field):
                error = refused(getattr(getattr(self.api, service), method), request)
                self.expect(error, INVALID, "INVALID_FIELD", field)
                self.assertNotIn(long, str(error), "an error must not repeat an id")
        self.assertTrue(self.api.settings.OptOut(opt_out("y" * 128)).revision)

    def test_unknown_enum_values_are_refused(self):
        for service, method, request, field in [
                ("eligibility", "Check", check("a", purpose=99), "purpose"),
                ("eligibility", "Check", check("a", wake=77), "recording.wake"),
                ("eligibility", "Check", check("a", view=9), "view"),
                ("settings", "UpdateSettings", update("a", [turn(9)]), "changes[0].turn"),
                ("settings", "UpdateSettings", update("a", [turn(settings.SWITCH_UNSPECIFIED)]),
                 "changes[0].turn"),
                ("recordings", "ReportRecording", recordings.ReportRecordingRequest(account_id="a", recording_id="r", flags=[44]), "flags[0]"),
                ("policies", "Suspend", policy.SuspendRequest(purpose=88, reason="x"), "purpose")]:
            with self.subTest(method=method, field=field):
                self.expect(refused(getattr(getattr(self.api, service), method), request), INVALID, "INVALID_FIELD", field)

    def test_times_regions_and_pages_have_bounds(self):
        far = check("a")
        far.recording.captured_at.seconds = 253_402_300_800
        uncertain = check("a")
        uncertain.recording.captured_uncertainty_ms = 86_400_001
        for call, request, field in [
                (self.api.eligibility.Check, far, "recording.captured_at"),
                (self.api.eligibility.Check, uncertain, "recording.captured_uncertainty_ms"),
                (self.api.subjects.UpsertSubject, household("a", region="Germany"), "region"),
                (self.api.settings.ListSettingsHistory, settings.ListSettingsHistoryRequest(account_id="a", page_size=1001), "page_size"),
                (self.api.settings.ListSettingsHistory, settings.ListSettingsHistoryRequest(account_id="a", page_size=-1), "page_size")]:
            with self.subTest(field=field):
                self.expect(refused(call, request), INVALID, "INVALID_FIELD", field)

    def test_a_batch_has_a_limit_that_is_said(self):
        items = [recording("a", name=f"r{i}") for i in range(1001)]
        error = refused(self.api.eligibility.BatchCheck, eligibility.BatchCheckRequest(recordings=items))
        self.expect(error, grpc.StatusCode.INVALID_ARGUMENT, "BATCH_TOO_LARGE")
        self.assertEqual(error.metadata.get("limit"), "1000")
        whole = self.api.eligibility.BatchCheck(eligibility.BatchCheckRequest(recordings=items[:1000]))
        self.assertEqual(len(whole.results), 1000)


class Bytes(ErrorTest):

    def test_bytes_that_are_no_message(self):
        good = opt_out("bytes").SerializeToString()
        for name, data in [("a truncated field", good[:-1]), ("a wrong wire type", b"\x08\x01"), ("an endless number", b"\xff" * 12),
                           ("a length beyond the end", b"\x0a\x7fab")]:
            for method in METHODS:
                if name == "a truncated field" and method != "SettingsService/OptOut":
                    continue
                if name == "a wrong wire type" and method in ("PolicyService/Suspend", "PolicyService/Resume"):
                    continue  # their first field is a number
                with self.subTest(method=method, what=name):
                    error = self.raw_error(method, data)
                    self.assertEqual(error.code, INVALID, error)
                    self.assertIn(error.reason, ("MALFORMED_MESSAGE", "INVALID_FIELD"), error)

    def test_text_that_is_no_utf8(self):
        for method in METHODS:
            if method.startswith("PolicyService") and method != "PolicyService/GetPolicy":
                continue
            if method.startswith("EligibilityService"):
                continue
            with self.subTest(method=method):
                error = self.raw_error(method, b"\x0a\x02\xc3\x28")
                self.assertEqual(error.code, INVALID, error)
                self.assertEqual(error.reason, "MALFORMED_MESSAGE")
        bad_recording = b"\x0a\x01r\x12\x02\xc3\x28"
        error = self.raw_error("EligibilityService/Check", b"\x0a" + bytes([len(bad_recording)]) + bad_recording)
        self.assertEqual((error.code, error.reason), (INVALID, "MALFORMED_MESSAGE"))

    def test_fields_that_are_not_known_are_left_alone(self):
        data = subject.GetSubjectRequest(account_id="nobody").SerializeToString() + b"\xf8\x07\x01"
        self.assertEqual(self.raw_error("SubjectService/GetSubject", data).reason, "SUBJECT_NOT_FOUND")

    def test_oversized_messages_are_told_the_limit(self):
        just_over = b"\x0a" + varint(4 * 1024 * 1024) + b"a" * (4 * 1024 * 1024)
        error = self.raw_error("SubjectService/GetSubject", just_over)
        self.expect(error, grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_TOO_LARGE")
        self.assertEqual(error.metadata.get("limit"), str(4 * 1024 * 1024))
        self.assertEqual(self.raw_error("SubjectService/GetSubject", b"\x0a" + varint(8 << 20) + b"a" * (8 << 20)).code, EXHAUSTED)

    def test_an_unknown_method(self):
        self.assertEqual(self.raw_error("SubjectService/Nothing", b"").code, grpc.StatusCode.UNIMPLEMENTED)

    def test_every_id_byte_is_kept(self):
        account = "".join(chr(code) for code in (1, 9, 10, 0x7f, 0xe9, 0x2028, 0x1f600))
        self.api.settings.OptOut(opt_out(account))
        self.assertFalse(self.api.subjects.GetSubject(subject.GetSubjectRequest(account_id=account)).registered)
        self.assertEqual(refused(self.api.subjects.GetSubject, subject.GetSubjectRequest(account_id=account + "\0")).reason,
                         "SUBJECT_NOT_FOUND")


class Restrictions(ErrorTest):
    """A no counts wherever it can be read, whatever else in the call is unusable; what was left out is said."""

    def test_a_flag_counts_beside_one_that_nobody_knows(self):
        for account, flags in (("f1", [types.FLAG_SAFETY, 99]), ("f2", [0, types.FLAG_SAFETY]), ("f3", [types.FLAG_SAFETY, types.FLAG_SAFETY])):
            done = self.api.recordings.ReportRecording(recordings.ReportRecordingRequest(account_id=account, recording_id="r", flags=flags))
            self.assertEqual(list(done.flags), [types.FLAG_SAFETY])
            self.assertEqual("flags" in done.unusable, account != "f3", done)
        self.expect(refused(self.api.recordings.ReportRecording, recordings.ReportRecordingRequest(account_id="f", recording_id="r", flags=[99])),
                    INVALID, "INVALID_FIELD")

    def test_a_restriction_counts_beside_evidence_that_cannot_be_used(self):
        for bad in (types.Evidence(reference="x" * 257), types.Evidence(channel=99), types.Evidence(guardian_id="x" * 129)):
            done = self.api.recordings.ReportRecording(
                recordings.ReportRecordingRequest(account_id="e", recording_id="r", flags=[types.FLAG_SAFETY], evidence=bad))
            self.assertIn("evidence", done.unusable)
            one = deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=["r"]))
            made = self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
                account_id="e", selector=one, requester=99, verification=99, evidence=bad))
            self.assertEqual(made.request.state, deletion.DELETION_STATE_RECEIVED)
            for field in ("evidence", "requester", "verification"):
                self.assertIn(field, made.unusable)


    def test_a_restriction_counts_beside_a_request_id_that_cannot_be_used(self):
        self.api.settings.OptOut(opt_out("other", request_id="used", evidence=types.Evidence(reference="first")))
        one = deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=["r"]))
        for account, bad in (("i1", "x" * 65), ("i2", ""), ("other", "used")):
            for done in (self.api.settings.OptOut(opt_out(account, request_id=bad)), self.api.settings.UpdateSettings(update(
                    account, [turn(settings.SWITCH_OFF)], request_id=bad))):
                self.assertIn("request_id", done.unusable)
                self.assertTrue(all(part.applied for part in done.results), done)
            if bad:
                made = self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
                    account_id=account, selector=one, requester=types.ACTOR_SELF, request_id=bad))
                self.assertIn("request_id", made.unusable)
                flagged = self.api.recordings.ReportRecording(recordings.ReportRecordingRequest(
                    account_id=account, recording_id="r", flags=[types.FLAG_SAFETY], request_id=bad))
                self.assertIn("request_id", flagged.unusable)
                self.assertEqual(list(flagged.flags), [types.FLAG_SAFETY])


class Preconditions(ErrorTest):

    def setUp(self):
        super().setUp()
        self.etag = self.api.subjects.UpsertSubject(household("pre")).revision

    def refused_update(self, **changes):
        request = turn_on("pre", self.etag)
        for name, value in changes.items():
            if isinstance(value, str):
                setattr(request, name, value)
            else:
                getattr(request, name).CopyFrom(value)
        return refused(self.api.settings.UpdateSettings, request)

    def test_a_loosening_needs_etag_and_evidence(self):
        self.expect(self.refused_update(etag=""), grpc.StatusCode.FAILED_PRECONDITION, "ETAG_REQUIRED")
        self.expect(self.refused_update(etag="nonsense"), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
        error = self.refused_update(evidence=types.Evidence())
        self.expect(error, grpc.StatusCode.FAILED_PRECONDITION, "EVIDENCE_REQUIRED")
        self.assertIn("needs", error.metadata)
        self.expect(self.refused_update(evidence=evidence("1999-12")), grpc.StatusCode.FAILED_PRECONDITION, "NOTICE_NOT_USABLE")

    def test_what_is_not_there(self):
        missing = grpc.StatusCode.NOT_FOUND
        self.expect(refused(self.api.subjects.GetSubject, subject.GetSubjectRequest(account_id="nobody")), missing, "SUBJECT_NOT_FOUND")
        self.assertFalse(self.api.settings.GetSettings(settings.GetSettingsRequest(account_id="nobody")).registered)
        self.expect(refused(self.api.policies.GetPolicy, policy.GetPolicyRequest(version="none-such")), missing, "POLICY_VERSION_NOT_FOUND")
        early = settings.GetSettingsAtRequest(account_id="pre")
        early.at.seconds = 1_000_000_000
        self.expect(refused(self.api.settings.GetSettingsAt, early), missing, "NO_SETTINGS_AT_TIME")
        stranger = update("pre", [turn(settings.SWITCH_ON, profile="stranger")], etag=self.etag, evidence=evidence())
        self.expect(refused(self.api.settings.UpdateSettings, stranger), missing, "SCOPE_NOT_FOUND")

    def test_a_request_id_belongs_to_one_request(self):
        self.api.settings.OptOut(opt_out("pre", request_id="once"))
        request = turn_on("pre", self.api.settings.GetSettings(settings.GetSettingsRequest(account_id="pre")).etag)
        request.request_id = "once"
        self.expect(refused(self.api.settings.UpdateSettings, request), grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")

    def test_resuming_needs_a_suspension_and_its_etag(self):
        request = policy.ResumeRequest(purpose=types.PURPOSE_ADVERTISING, reason="x")
        self.expect(refused(self.api.policies.Resume, request), grpc.StatusCode.FAILED_PRECONDITION, "NOT_SUSPENDED")
        self.api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, reason="x"))
        self.expect(refused(self.api.policies.Resume, request), grpc.StatusCode.FAILED_PRECONDITION, "ETAG_REQUIRED")

    def test_a_revision_of_elsewhere_is_not_reached(self):
        error = refused(self.api.eligibility.Check, check("pre", at_least="AAAAAAAAAAAAAAAAAAAAAA"))
        self.assertIn(error.reason, ("REVISION_NOT_REACHED", "INVALID_FIELD"))


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


if __name__ == "__main__":
    unittest.main()
