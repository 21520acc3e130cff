"""The service config that clients may load as it is: which calls gRPC itself sends again, when, and which it never does."""

import concurrent.futures
import json
import time
import unittest

from harness import ROOT, grpc

from consent.v1 import (approval_service_pb2, backup_service_pb2, decision_service_pb2, deletion_service_pb2, eligibility_service_pb2, hold_service_pb2, key_service_pb2, policy_service_pb2, purge_service_pb2, recording_service_pb2, review_service_pb2,
                        settings_service_pb2, status_service_pb2, subject_service_pb2)
from google.protobuf import descriptor_pb2

CONFIG = (ROOT / "proto/consent/v1/service_config.json").read_text(encoding="utf-8")
FILES = (approval_service_pb2, backup_service_pb2, decision_service_pb2, deletion_service_pb2, eligibility_service_pb2, hold_service_pb2, key_service_pb2, policy_service_pb2, purge_service_pb2, recording_service_pb2, review_service_pb2,
         settings_service_pb2, status_service_pb2, subject_service_pb2)
METHODS = [method for file in FILES for service in file.DESCRIPTOR.services_by_name.values() for method in service.methods]
# Each report counts once, by task and epoch; a pause that was ended stays so, and so does the first word about a review and what is revoked.
COUNTED_ONCE = {"CompleteTasks", "FailTasks", "RenewTasks", "RetryTasks", "RewrapShares", "SubmitReview", "EndReview", "RevokeReviews", "ReportPopulation"}
UNAVAILABLE, EXHAUSTED, ABORTED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED


def is_read(method):
    return method.GetOptions().idempotency_level != descriptor_pb2.MethodOptions.IDEMPOTENCY_UNKNOWN


def may_be_repeated(method):
    return is_read(method) or "request_id" in method.input_type.fields_by_name or method.name in COUNTED_ONCE


class Script(grpc.GenericRpcHandler):
    """A server that ends each call as the next line of a script says, and answers once there is none left."""

    def __init__(self):
        self.endings = []  # code, pushback in milliseconds or None
        self.seen = []

    def service(self, details):
        def answer(_, context):
            self.seen.append(time.monotonic())
            if not self.endings:
                return b""
            code, pushback = self.endings.pop(0)
            if pushback is not None:
                context.set_trailing_metadata((("grpc-retry-pushback-ms", str(pushback)),))
            context.abort(code, "as the script says")
        return grpc.unary_unary_rpc_method_handler(answer)


class ServiceConfig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.script = Script()
        cls.server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[cls.script])
        port = cls.server.add_insecure_port("127.0.0.1:0")
        cls.server.start()
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.service_config", CONFIG)])

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.server.stop(None)

    def ask(self, method, *endings):
        """How the call ended, and when the server saw it."""
        self.script.endings, self.script.seen = list(endings), []
        try:
            self.channel.unary_unary("/" + method)(b"", timeout=30)
            code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            code = error.code()
        return code, self.script.seen

    def test_it_names_what_may_be_repeated_and_nothing_else(self):
        named = [(name["service"], name["method"]) for part in json.loads(CONFIG)["methodConfig"] for name in part["name"]]
        self.assertEqual(len(named), len(set(named)))
        self.assertEqual(set(named), {(method.containing_service.full_name, method.name) for method in METHODS if may_be_repeated(method)})

    def test_reads_say_so(self):
        for method in METHODS:
            with self.subTest(method.full_name):
                self.assertEqual(is_read(method), method.name.startswith(("Get", "List", "Check", "BatchCheck", "VerifyDecisions", "Explain", "DiffPolicy", "ReadBackup", "ReportVerification")))

    def test_what_passes_is_sent_again(self):
        for ending in ((UNAVAILABLE, None), (EXHAUSTED, 20)):
            code, seen = self.ask("consent.v1.EligibilityService/Check", ending, ending)
            self.assertEqual((code, len(seen)), (grpc.StatusCode.OK, 3), ending)

    def test_the_wait_that_the_daemon_asks_for_is_kept(self):
        code, seen = self.ask("consent.v1.SettingsService/OptOut", (EXHAUSTED, 400))
        self.assertEqual((code, len(seen)), (grpc.StatusCode.OK, 2))
        self.assertGreaterEqual(seen[1] - seen[0], 0.39)  # whole milliseconds, of two clocks

    def test_nothing_else_is(self):
        for method, ending in (("consent.v1.EligibilityService/Check", (ABORTED, None)),
                               ("consent.v1.EligibilityService/Check", (grpc.StatusCode.PERMISSION_DENIED, None)),
                               ("consent.v1.EligibilityService/Check", (EXHAUSTED, -1)),
                               ("consent.v1.PolicyService/Resume", (UNAVAILABLE, None)),
                               ("consent.v1.PurgeService/LeaseTasks", (UNAVAILABLE, None))):
            code, seen = self.ask(method, ending)
            self.assertEqual((code, len(seen)), (ending[0], 1), method)


if __name__ == "__main__":
    unittest.main()
