"""The lines that calls leave in the log, and the trace by which an operator finds one."""

import json
import os
import subprocess
import unittest

import grpc

from consent.v1 import settings_service_pb2 as settings
from harness import PATIENCE, DaemonTest, clean_environment, until
from words import check, evidence, household, opt_out, turn, update

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
ACCOUNT, PROFILE = "alice-account-of-the-test", "alice-profile-of-the-test"
MALFORMED = ("", "00", TRACEPARENT + "0", TRACEPARENT[:-1], TRACEPARENT.upper(), TRACEPARENT.replace("00-", "01-", 1),
             f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01", "alice@example.org".ljust(55, "x"),
             TRACEPARENT.replace("-", "_"), f"00-{ACCOUNT}")


class Lines(DaemonTest):

    def refused(self, api, *headers):
        """A loosening with a stale etag."""
        stale = update(ACCOUNT, [turn(settings.SWITCH_ON)], etag="stale", evidence=evidence())
        with self.assertRaises(grpc.RpcError) as caught:
            api.settings.UpdateSettings(stale, timeout=PATIENCE, metadata=[("traceparent", header) for header in headers])
        return caught.exception

    def lines(self, daemon, count):
        """The lines about calls once there are `count` of them."""
        def found():
            lines = [event for event in daemon.events() if event["event"].startswith("call ")]
            return lines if len(lines) >= count else None
        return until(found, f"{count} lines about calls")

    def test_a_refused_call_is_found_by_its_trace_and_names_nobody(self):
        daemon = self.daemon()
        api = self.client(daemon)
        api.subjects.UpsertSubject(household(ACCOUNT, PROFILE))
        self.refused(api, TRACEPARENT)
        line = self.lines(daemon, 1)[0]
        self.assertEqual((line["event"], line["method"], line["trace_id"]),
                         ("call refused", "consent.v1.SettingsService/UpdateSettings", TRACE))
        self.assertEqual(line["caller"], "local")
        self.assertIn(line["reason"], ("ETAG_MISMATCH", "INVALID_FIELD"))
        self.assertLess(line["seconds"], PATIENCE)
        self.assertEqual(set(line), {"time", "level", "event", "method", "caller", "code", "reason", "seconds", "trace_id", "left_out"})
        for word in (ACCOUNT, PROFILE, "alice", "00f067aa0ba902b7"):
            self.assertNotIn(word, daemon.log())

    def test_what_is_malformed_never_reaches_the_log(self):
        daemon = self.daemon()
        api = self.client(daemon)
        for header in MALFORMED:
            self.refused(api, header)
        self.refused(api, TRACEPARENT, TRACEPARENT)
        lines = self.lines(daemon, len(MALFORMED) + 1)
        self.assertEqual([line["trace_id"] for line in lines], [None] * (len(MALFORMED) + 1))
        for word in ("alice", TRACE, TRACE.upper(), "0" * 32):
            self.assertNotIn(word, daemon.log())

    def test_ordinary_calls_leave_no_line(self):
        daemon = self.daemon()
        api = self.client(daemon)
        for number in range(50):
            api.settings.OptOut(opt_out(f"account-{number}"), metadata=[("traceparent", TRACEPARENT)])
            api.eligibility.Check(check(f"account-{number}"), metadata=[("traceparent", TRACEPARENT)])
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("call ", daemon.log())
        self.assertNotIn(TRACE, daemon.log())

    def test_a_flood_is_bounded_and_counted(self):
        daemon = self.daemon()
        api = self.client(daemon)
        for _ in range(500):
            self.refused(api, TRACEPARENT)
        self.assertEqual(daemon.metric_sum("grpc_server_handled_total", grpc_method="UpdateSettings", grpc_code="OK"), 0)
        self.assertEqual(daemon.metric_sum("grpc_server_handled_total", grpc_method="UpdateSettings"), 500)
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(daemon.log().count('"call refused"'), 20 + PATIENCE)

    @unittest.skipUnless(os.environ.get("TEST_SHIM"), "no preloaded library under sanitizers")
    def test_a_slow_call_is_found_by_its_trace(self):
        held = self.folder / "held"
        daemon = self.daemon(environment={"LD_PRELOAD": os.environ["TEST_SHIM"], "CONSENT_HOLD_SYNC_WHILE": str(held)})
        api = self.client(daemon)
        held.touch()
        done = api.settings.OptOut.future(opt_out(ACCOUNT), timeout=PATIENCE, metadata=[("traceparent", TRACEPARENT)])
        with self.assertRaises(grpc.FutureTimeoutError):
            done.result(timeout=1.5)
        held.unlink()
        done.result()
        line = self.lines(daemon, 1)[0]
        self.assertEqual((line["event"], line["code"], line["reason"], line["trace_id"]), ("call slow", "OK", "", TRACE))
        self.assertGreater(line["seconds"], 1)
        self.assertNotIn(ACCOUNT, daemon.log())

    @unittest.skipUnless(os.environ.get("TEST_CTL"), "consentctl is not built")
    def test_consentctl_passes_on_what_its_environment_says(self):
        daemon = self.daemon()
        for traceparent, logged in ((TRACEPARENT, TRACE), ("evil\nheader: x", None), ("", None)):
            count = len([event for event in daemon.events() if event["event"].startswith("call ")])
            environment = clean_environment({"CONSENT_ENDPOINT": daemon.address(), "TRACEPARENT": traceparent})
            done = subprocess.run([os.environ["TEST_CTL"], "--json", "subject", "get", "nobody"], env=environment, capture_output=True,
                                  text=True, timeout=PATIENCE, check=False)
            self.assertNotEqual(done.returncode, 0, done)
            self.assertNotIn("Traceback", done.stderr)
            line = self.lines(daemon, count + 1)[count]
            self.assertEqual((line["reason"], line["trace_id"]), ("SUBJECT_NOT_FOUND", logged), json.dumps(line))


if __name__ == "__main__":
    unittest.main()
