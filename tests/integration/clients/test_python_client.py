"""The Python package consent_client before a server that answers what a script says: what it takes for a yes, what errors say, where it connects."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

try:
    import grpc
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)
from google.protobuf import any_pb2, duration_pb2, timestamp_pb2
from google.rpc import error_details_pb2, status_pb2

import consent_client
from consent.v1 import eligibility_service_pb2 as api
from consent.v1 import eligibility_service_pb2_grpc as api_grpc
from consent.v1 import types_pb2 as types
from consent_client import endpoint as endpoints
from scripted import ScriptedTest

ROOT = pathlib.Path(os.environ["TEST_ROOT"])
CHECKED_AT = 1_700_000_000_000_000  # microseconds
REVIEW, TRAINING = types.PURPOSE_HUMAN_REVIEW, types.PURPOSE_MODEL_TRAINING
RECORDING = types.Recording(recording_id="r", account_id="a")


def decision(eligibility=types.ELIGIBILITY_ELIGIBLE, disposition=types.DISPOSITION_KEEP, reasons=(types.REASON_CONSENT,), life_us=1_000_000):
    return api.Decision(eligibility=eligibility, disposition=disposition, reasons=reasons, good_until_us=CHECKED_AT + life_us)


def stamp(microseconds=CHECKED_AT):
    time = timestamp_pb2.Timestamp()
    time.FromMicroseconds(microseconds)
    return time


class Scripted(api_grpc.EligibilityServiceServicer):
    """Answers `reply`, whatever is asked; where it is callable, what that makes of request and context."""

    def __init__(self):
        self.reply, self.calls = None, 0

    def answer(self, request, context):
        self.calls += 1
        return self.reply(request, context) if callable(self.reply) else self.reply

    def Check(self, request, context):
        return self.answer(request, context)

    def BatchCheck(self, request, context):
        return self.answer(request, context)


class ScriptedChecks(ScriptedTest):

    def setUp(self):
        self.serve(Scripted(), api_grpc.add_EligibilityServiceServicer_to_server)

    def check(self, given, checked_at=CHECKED_AT, purpose=REVIEW):
        self.script.reply = api.CheckResponse(decision=given, checked_at=stamp(checked_at) if checked_at else None)
        return self.client.check(RECORDING, purpose=purpose)

    def fail_with(self, code, *details, message="as the script says"):
        status = status_pb2.Status(code=code.value[0], message=message)
        for detail in details:
            status.details.add().Pack(detail)

        def fail(_, context):
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(code, message)
        self.script.reply = fail


class Answers(ScriptedChecks):

    def test_a_yes_is_one_for_the_purpose_that_was_asked_and_no_other(self):
        answer = self.check(decision())
        self.assertTrue(answer.may_use(REVIEW))
        self.assertFalse(answer.may_use(TRAINING))
        self.assertFalse(answer.may_use(types.PURPOSE_UNSPECIFIED))
        self.assertFalse(answer.must_purge())
        self.assertEqual(answer.reason_names(), ["CONSENT"])

    def test_whatever_is_not_a_whole_yes_is_a_no(self):
        """Each value of each part, by the rule of client/README.md written down once more."""
        for eligibility in [*types.Eligibility.values(), 99]:
            for disposition in [*types.Disposition.values(), 99]:
                for reasons in [(), *((reason,) for reason in [*types.Reason.values(), 99]), (types.REASON_CONSENT, types.REASON_REFUSED)]:
                    told = (eligibility, disposition, reasons)
                    expected = (eligibility == types.ELIGIBILITY_ELIGIBLE and disposition == types.DISPOSITION_KEEP
                                and reasons in ((types.REASON_CONSENT,), (types.REASON_DEFAULT,)))
                    answer = consent_client.answer.answer_of(decision(*told), api.CheckResponse(checked_at=stamp()), REVIEW, 0, lambda: 0)
                    self.assertEqual(answer.may_use(REVIEW), expected, told)
                    self.assertEqual(answer.must_purge(), disposition == types.DISPOSITION_PURGE, told)

    def test_an_answer_is_neither_true_nor_false(self):
        for answer in (consent_client.Answer(), self.check(decision())):
            with self.assertRaises(TypeError):
                bool(answer)
            with self.assertRaises(TypeError):
                not answer  # pylint: disable=pointless-statement
        self.assertFalse(consent_client.Answer().may_use(REVIEW))

    def test_a_yes_ends_with_its_life_counted_from_sending(self):
        def late(_, context):
            self.now += 400_000_000  # on its way
            return api.CheckResponse(decision=decision(life_us=1_000_000), checked_at=stamp())
        self.script.reply = late
        answer = self.client.check(RECORDING, purpose=REVIEW)
        self.now = 999_999_999
        self.assertTrue(answer.may_use(REVIEW))
        self.now = 1_000_000_000
        self.assertFalse(answer.may_use(REVIEW))
        self.assertEqual(answer.eligibility, types.ELIGIBILITY_ELIGIBLE, "what was said stays said")

    def test_no_life_and_too_long_a_life(self):
        self.assertFalse(self.check(decision(life_us=0)).may_use(REVIEW))
        self.assertFalse(self.check(decision(life_us=-1)).may_use(REVIEW))
        self.assertFalse(self.check(decision(), checked_at=None).may_use(REVIEW))
        years = self.check(decision(life_us=10**15))
        self.now = 24 * 3600 * 10**9 - 1
        self.assertTrue(years.may_use(REVIEW))
        self.now += 1
        self.assertFalse(years.may_use(REVIEW))

    def test_a_reply_without_a_decision_is_no_answer(self):
        self.script.reply = api.CheckResponse(checked_at=stamp())
        with self.assertRaises(consent_client.NoAnswer):
            self.client.check(RECORDING, purpose=REVIEW)

    def test_a_batch_that_is_short_or_long_is_no_answer_at_all(self):
        for count in (0, 1, 3):
            results = [api.BatchCheckResult(decision=decision())] * count
            self.script.reply = api.BatchCheckResponse(results=results, checked_at=stamp())
            with self.assertRaises(consent_client.NoAnswer):
                self.client.eligible([RECORDING, RECORDING], purpose=REVIEW)

    def test_each_of_a_batch_has_its_answer(self):
        names = [types.Recording(recording_id=name, account_id="a") for name in ("yes", "no", "error", "nothing")]
        self.script.reply = api.BatchCheckResponse(checked_at=stamp(), results=[
            api.BatchCheckResult(decision=decision()), api.BatchCheckResult(decision=decision(types.ELIGIBILITY_NOT_ELIGIBLE, reasons=[types.REASON_REFUSED])),
            api.BatchCheckResult(error=api.ItemError(reason="INVALID_FIELD", message="m")), api.BatchCheckResult()])
        answers = self.client.batch_check(names, purpose=REVIEW)
        self.assertEqual([answer.may_use(REVIEW) for answer in answers], [True, False, False, False])
        self.assertEqual([answer.error and answer.error.reason for answer in answers], [None, None, "INVALID_FIELD", "INTERNAL"])
        self.assertEqual([recording.recording_id for recording in self.client.eligible(names, purpose=REVIEW)], ["yes"])

    def test_a_batch_that_fails_cannot_be_overlooked(self):
        self.fail_with(grpc.StatusCode.INTERNAL)
        with self.assertRaises(grpc.RpcError):
            self.client.eligible([RECORDING], purpose=REVIEW)
        for count in (0, 1001):
            with self.assertRaisesRegex(ValueError, "1 to 1,000"):
                self.client.eligible([RECORDING] * count, purpose=REVIEW)

    def test_the_service_config_repeats_what_may_be(self):
        endings = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE]

        def stumble(_, context):
            if endings:
                context.abort(endings.pop(), "not now")
            return api.CheckResponse(decision=decision(), checked_at=stamp())
        self.script.reply = stumble
        self.assertTrue(self.client.check(RECORDING, purpose=REVIEW).may_use(REVIEW))
        self.assertEqual(self.script.calls, 3)


class Errors(ScriptedChecks):

    def failed(self):
        try:
            self.client.check(RECORDING, purpose=REVIEW)
        except grpc.RpcError as error:
            return consent_client.error_of(error)
        raise AssertionError("the call did not fail")

    def test_reason_metadata_and_fields(self):
        self.fail_with(grpc.StatusCode.INVALID_ARGUMENT,
                       error_details_pb2.ErrorInfo(reason="BATCH_TOO_LARGE", domain="consent.v1", metadata={"limit": "1000"}),
                       error_details_pb2.BadRequest(field_violations=[error_details_pb2.BadRequest.FieldViolation(field="recordings", description="at most")]),
                       any_pb2.Any(type_url="type.googleapis.com/google.rpc.Help", value=b"\xff"))
        error = self.failed()
        self.assertEqual((error.code, error.message, error.reason), (grpc.StatusCode.INVALID_ARGUMENT, "as the script says", "BATCH_TOO_LARGE"))
        self.assertEqual((error.metadata, error.fields, error.retry_after), ({"limit": "1000"}, {"recordings": "at most"}, None))
        self.assertEqual(str(error), "BATCH_TOO_LARGE: as the script says\n  recordings: at most")

    def test_when_to_ask_again(self):
        self.fail_with(grpc.StatusCode.PERMISSION_DENIED,
                       error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=1, nanos=500_000_000)))
        self.assertEqual(self.failed().retry_after, 1.5)

    def test_a_reason_of_somebody_else_is_none(self):
        self.fail_with(grpc.StatusCode.INTERNAL, error_details_pb2.ErrorInfo(reason="ELSE", domain="example.com"))
        self.assertEqual(self.failed().reason, "")

    def test_details_that_cannot_be_read(self):
        def fail(_, context):
            context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
            context.abort(grpc.StatusCode.INTERNAL, "broken")
        self.script.reply = fail
        error = self.failed()
        self.assertEqual((error.code, error.message, error.reason), (grpc.StatusCode.INTERNAL, "broken", ""))


class Endpoints(unittest.TestCase):

    def test_the_table_of_all_languages(self):
        for endpoint, tls, target in json.loads((ROOT / "tests/integration/clients/endpoints.json").read_text(encoding="utf-8")):
            with self.subTest(endpoint=endpoint, tls=tls):
                if target == "error":
                    self.assertRaises(ValueError, endpoints.target_of, endpoint, tls)
                else:
                    self.assertEqual(endpoints.target_of(endpoint, tls), target)

    def test_a_socket_path_is_written_as_grpc_reads_it(self):
        self.assertEqual(endpoints.target_of("unix:/tmp/ä b%", False), "unix:/tmp/%C3%A4%20b%25")
        self.assertRaisesRegex(ValueError, "107", endpoints.target_of, "unix:/" + "x" * 107, False)

    def test_the_environment_is_that_of_consentctl(self):
        self.assertEqual(endpoints.endpoint_of(None, {}, True), "unix:/run/consentd/consentd.sock")
        self.assertEqual(endpoints.endpoint_of(None, {"XDG_RUNTIME_DIR": "/run/user/7"}, False), "unix:/run/user/7/consentd/consentd.sock")
        self.assertEqual(endpoints.endpoint_of(None, {"XDG_RUNTIME_DIR": "/run/user/7"}, True), "unix:/run/consentd/consentd.sock")
        self.assertEqual(endpoints.endpoint_of(None, {"XDG_RUNTIME_DIR": "relative"}, False), "unix:/run/consentd/consentd.sock")
        self.assertEqual(endpoints.endpoint_of(None, {"CONSENT_ENDPOINT": "h:1"}, True), "h:1")
        self.assertEqual(endpoints.endpoint_of("g:1", {"CONSENT_ENDPOINT": "h:1"}, True), "g:1")

    def test_three_files_or_none(self):
        three = {"CONSENT_CA": "a", "CONSENT_CERT": "b", "CONSENT_KEY": "c"}
        self.assertEqual(endpoints.files_of(None, None, None, three), endpoints.Files("a", "b", "c"))
        self.assertEqual(endpoints.files_of("x", None, None, three), endpoints.Files("x", "b", "c"))
        self.assertIsNone(endpoints.files_of(None, None, None, {}))
        for missing in three:
            some = {name: value for name, value in three.items() if name != missing}
            self.assertRaisesRegex(ValueError, "three files", endpoints.files_of, None, None, None, some)

    def test_files_that_are_no_good_are_told_before_anything_is_sent(self):
        with tempfile.NamedTemporaryFile() as empty, mock.patch.dict(os.environ, clear=True):
            with self.assertRaisesRegex(ValueError, "PEM"):
                consent_client.connect("consent.example:1", ca=empty.name, certificate=empty.name, key=empty.name)


class Lines(unittest.TestCase):
    GOOD = {"recording_id": "r", "account_id": "a", "wake": "BUTTON", "kind": "KIND_COMMAND", "captured_at": "2020-07-01T16:19:56Z", "flags": ["SAFETY"],
            "profile_ids": ["p"], "device_id": None, "captured_uncertainty_ms": 5, "note": "not known", "speaker": "x"}

    def test_a_line_of_filter(self):
        found = consent_client.recording_of(json.dumps(self.GOOD))
        expected = types.Recording(recording_id="r", account_id="a", wake=types.WAKE_BUTTON, kind=types.KIND_COMMAND, flags=[types.FLAG_SAFETY],
                                   profile_ids=["p"], captured_uncertainty_ms=5, captured_at=timestamp_pb2.Timestamp(seconds=1593620396))
        self.assertEqual(found, expected)

    def test_what_is_not_read_in_full_is_not_read_at_all(self):
        for change in ({"Flags": ["SAFETY"]}, {"flag": ["SAFETY"]}, {"deviceId": "d"}, {"flags": ["SAFTY"]}, {"flags": "SAFETY"}, {"wake": 1},
                       {"captured_at": "yesterday"}, {"recording_id": ""}, {"account_id": None}, {"country": "DE"}, {"Country": "DE"}, {"reviewer": "EMPLOYEE"},
                       {"profile_ids": "p"}, {"artifact": "SOURCE"}):
            with self.subTest(change):
                self.assertRaises(ValueError, consent_client.recording_of, json.dumps({**self.GOOD, **change}))
        for line in ("", "[]", "{", '{"account_id": "a", "account_id": "b", "recording_id": "r"}', b"\xff", "x" * 70000):
            self.assertRaises(ValueError, consent_client.recording_of, line)

    def test_the_place_of_use_belongs_to_the_question(self):
        for key in ("country", "site", "reviewer"):
            with self.assertRaisesRegex(ValueError, f"`{key}` says where the recording would be used"):
                consent_client.recording_of(json.dumps({**self.GOOD, key: "DE"}))

    def test_no_error_names_a_value(self):
        for change in ({"flags": ["secret"]}, {"captured_at": "secret"}, {"wake": "secret"}, {"profile_ids": {"secret": 1}}):
            with self.assertRaises(ValueError) as raised:
                consent_client.recording_of(json.dumps({**self.GOOD, **change}))
            self.assertNotIn("secret", str(raised.exception))


class Package(unittest.TestCase):

    def test_one_version(self):
        version = re.search(r"project\(consentd VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        self.assertIn(f'\nversion = "{version}"\n', (ROOT / "client/python/pyproject.toml").read_text(encoding="utf-8"))
        self.assertEqual(json.loads((ROOT / "client/node/package.json").read_text(encoding="utf-8"))["version"], version)
        lock = json.loads((ROOT / "client/node/package-lock.json").read_text(encoding="utf-8"))
        self.assertEqual(lock["packages"][""]["version"], version)
        self.assertFalse([name for name, part in lock["packages"].items() if "resolved" in part], "the lock file names a registry")

    def test_what_is_built(self):
        """A wheel's contents, which need nothing of the source tree."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "setup.py", "--quiet", "egg_info", "--egg-base", folder, "build_py", "--build-lib", folder], cwd=ROOT / "client/python", check=True, capture_output=True)
            told = subprocess.run([sys.executable, "-c", "import consent_client as c; c.connect('unix:/nobody').close(); print(c.__file__)"], cwd=folder, text=True,
                                  env={**os.environ, "PYTHONPATH": folder}, capture_output=True, check=False)
            self.assertEqual((told.returncode, told.stdout), (0, f"{folder}/consent_client/__init__.py\n"), told.stderr)

    def test_types_hold(self):
        """mypy, strict, finds nothing in the package, and each misuse."""
        if subprocess.run([sys.executable, "-m", "mypy", "--version"], capture_output=True, check=False).returncode != 0:
            print("skipped: no mypy (apt-get install mypy)", file=sys.stderr)
            self.skipTest("no mypy")
        with tempfile.TemporaryDirectory() as folder:
            misuse = pathlib.Path(folder) / "misuse.py"
            misuse.write_text("import consent_client\nfrom consent.v1 import settings_service_pb2 as s\n"
                              "client = consent_client.connect()\n"
                              "s.OptOutRequest(acount_id='a')\n"
                              "client.settings.OptOtu(s.OptOutRequest())\n"
                              "client.eligible([])\n"
                              "consent_client.connect(certificat='c')\n"
                              "client.settings.OptOut(s.OptOutRequest(), timeout=10)\n", encoding="utf-8")
            done = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", folder, "--config-file", ROOT / "client/python/pyproject.toml", misuse,
                                   ROOT / "client/python/consent_client"], capture_output=True, text=True, check=False,
                                  env={**os.environ, "MYPYPATH": os.environ["PYTHONPATH"]})
        found = re.findall(r"^.*?([\w.]+):(\d+): error", done.stdout, re.M)
        self.assertEqual(found, [("misuse.py", str(line)) for line in range(4, 8)], done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
