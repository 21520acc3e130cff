"""Health, drain, restart and a failing disk, as clients and probes see them."""

import ctypes
import os
import resource
import signal
import threading
import time
import unittest

import grpc

from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types

from harness import DaemonTest, refused, until
from words import check, household, opt_out, reasons, turn_on

SERVICES = ["", "consent.v1.EligibilityService", "consent.v1.SettingsService", "consent.v1.SubjectService",
            "consent.v1.RecordingService", "consent.v1.PolicyService"]
WRITE_FAILED = 74


class Health(DaemonTest):

    def test_every_service_serves_and_says_when_it_drains(self):
        daemon = self.daemon("--drain-seconds", "1")  # the watching probe uses it up
        api = self.client(daemon)
        self.assertEqual([api.health(service) for service in SERVICES], ["SERVING"] * len(SERVICES))
        self.assertEqual(api.health("consent.v1.Nothing"), "NOT_FOUND")
        self.assertEqual(daemon.probe("/readyz"), (200, "serving"))
        self.assertEqual(daemon.probe("/livez"), (200, "serving"))
        states = api.watch_health("consent.v1.EligibilityService")
        self.assertEqual(next(states), "SERVING")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(next(states), "NOT_SERVING")
        self.assertEqual(daemon.wait(), 0)

    def test_an_idle_daemon_with_a_watching_probe_stops_within_its_time(self):
        daemon = self.daemon("--drain-seconds", "2")
        states = self.client(daemon).watch_health()
        self.assertEqual(next(states), "SERVING")
        began = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 30)

    def test_reflection_lists_the_services(self):
        api = self.client(self.daemon())
        call = api.channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                         request_serializer=None, response_deserializer=None)
        listed = next(call(iter([b"\x3a\x00"])))
        for service in SERVICES[1:]:
            self.assertIn(service.encode(), listed)


class Load:
    """Clients that opt accounts out and check, until told to stop; notes what was acknowledged and how calls failed."""

    def __init__(self, test, daemon, threads=4):
        self.acknowledged = []
        self.codes = set()
        self.stop = threading.Event()
        self.apis = [test.client(daemon) for _ in range(threads)]
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        api = self.apis[number]
        count = 0
        while not self.stop.is_set():
            account = f"load-{number}-{count}"
            count += 1
            try:
                api.settings.OptOut(opt_out(account), timeout=20)
                self.acknowledged.append(account)
                answer = api.eligibility.Check(check(account), timeout=20)
                assert answer.decision.eligibility == types.ELIGIBILITY_NOT_ELIGIBLE
            except grpc.RpcError as error:
                self.codes.add(error.code())
                if error.code() != grpc.StatusCode.OK:
                    return

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Drain(DaemonTest):

    def test_under_load_nothing_acknowledged_is_lost(self):
        daemon = self.daemon()
        load = Load(self, daemon)
        until(lambda: len(load.acknowledged) >= 50, "some load")
        self.assertEqual(daemon.stop(), 0)
        load.finish()
        self.assertLessEqual(load.codes, {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
        self.assertIsNotNone(daemon.event("stopped"))

        again = self.client(self.daemon())
        for account in load.acknowledged:
            answer = again.settings.GetSettings(settings.GetSettingsRequest(account_id=account))
            self.assertTrue(answer.settings.refused_all, account)

    def test_sigint_drains_as_sigterm_does(self):
        daemon = self.daemon()
        daemon.signal(signal.SIGINT)
        self.assertEqual(daemon.wait(), 0)
        self.assertIsNotNone(daemon.event("draining"))


class Restart(DaemonTest):

    def test_settings_history_and_gauges_are_kept(self):
        daemon = self.daemon()
        api = self.client(daemon)
        registered = api.subjects.UpsertSubject(household("kept"))
        api.settings.UpdateSettings(turn_on("kept", registered.revision))
        api.settings.OptOut(opt_out("gone"))
        series = ['consentd_subject_choices{regime="eea",country="DE",purpose="human_review",choice="given"}',
                  'consentd_subject_choices{regime="unknown",country="other",purpose="human_review",choice="refused"}']
        before = [daemon.metric(one) for one in series]
        self.assertEqual(before, [1, 1])
        shown = api.settings.GetSettings(settings.GetSettingsRequest(account_id="kept"))
        history = api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id="kept"))
        for way in (signal.SIGTERM, signal.SIGKILL):
            daemon.signal(way)
            daemon.wait()
            daemon = self.daemon()
            api = self.client(daemon)
            self.assertEqual(api.settings.GetSettings(settings.GetSettingsRequest(account_id="kept")), shown)
            self.assertEqual(api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id="kept")), history)
            self.assertEqual([daemon.metric(one) for one in series], before)
            self.assertEqual(api.eligibility.Check(check("kept")).decision.eligibility, types.ELIGIBILITY_ELIGIBLE)
            self.assertIn("REFUSED", reasons(api.eligibility.Check(check("gone")).decision))

    def test_a_bounded_index_answers_the_same(self):
        arguments = ["--index-max-subjects", "9"]
        daemon = self.daemon(*arguments)
        api = self.client(daemon)
        for number in range(40):
            api.settings.OptOut(opt_out(f"part-{number}"))
        for _ in range(2):
            for number in range(40):
                self.assertIn("REFUSED", reasons(api.eligibility.Check(check(f"part-{number}")).decision))
                self.assertNotIn("REFUSED", reasons(api.eligibility.Check(check(f"none-{number}")).decision))
            items = [check(f"part-{number}").recording for number in range(40)]
            batch = api.eligibility.BatchCheck(eligibility.BatchCheckRequest(recordings=items, purpose=types.PURPOSE_HUMAN_REVIEW))
            self.assertEqual({result.decision.eligibility for result in batch.results}, {types.ELIGIBILITY_NOT_ELIGIBLE})
            self.assertEqual(daemon.metric('consentd_index_complete'), 0)
            daemon.stop()
            daemon = self.daemon(*arguments)
            api = self.client(daemon)


def send_as_abort(pid):
    """SIGABRT as abort(3) sends it to its own thread, and not as kill(2) does, which says that somebody else wants the end."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.tgkill(pid, pid, signal.SIGABRT) != 0:
        raise OSError(ctypes.get_errno(), "tgkill")


class FailedAssertion(DaemonTest):

    def test_the_daemon_says_what_it_means_and_leaves_no_core_file(self):
        daemon = self.daemon()
        most = resource.prlimit(daemon.process.pid, resource.RLIMIT_CORE)[1]
        resource.prlimit(daemon.process.pid, resource.RLIMIT_CORE, (most, most))
        send_as_abort(daemon.process.pid)
        ended = os.waitid(os.P_PID, daemon.process.pid, os.WEXITED | os.WNOWAIT)
        self.assertEqual((ended.si_code, ended.si_status), (os.CLD_KILLED, signal.SIGABRT))
        daemon.wait()
        last = daemon.log().splitlines()[-1]
        self.assertTrue(last.startswith("consentd: stopped at once"), last)
        self.assertIn("keep a copy of the data folder before anything is changed", last)


@unittest.skipUnless(os.environ.get("TEST_SHIM"), "no preloaded library under sanitizers")
class FailedWrite(DaemonTest):

    def test_a_failing_sync_ends_the_daemon_and_acknowledges_nothing(self):
        trigger = self.folder / "disk-fails"
        daemon = self.daemon(environment={"LD_PRELOAD": os.environ["TEST_SHIM"], "CONSENT_FAIL_SYNC_TRIGGER": str(trigger)})
        api = self.client(daemon)
        api.settings.OptOut(opt_out("before"))
        states = api.watch_health("consent.v1.SettingsService")
        self.assertEqual(next(states), "SERVING")
        trigger.touch()
        error = refused(api.settings.OptOut, opt_out("during", request_id="during-1"))
        self.assertEqual(error.code, grpc.StatusCode.UNAVAILABLE, error)
        self.assertIn(error.reason, ("OUTCOME_UNKNOWN", ""), error)
        self.assertEqual(daemon.wait(), WRITE_FAILED)
        self.assertIn("NOT_SERVING", states_until_the_end(states))
        self.assertIsNotNone(daemon.event("write failed"))

        trigger.unlink()
        api = self.client(self.daemon())
        self.assertIn("REFUSED", reasons(api.eligibility.Check(check("before")).decision))
        self.assertTrue(api.settings.OptOut(opt_out("during", request_id="during-1")).refuses_future_purposes)


def states_until_the_end(states):
    seen = []
    try:
        for state in states:
            seen.append(state)
    except grpc.RpcError:
        pass
    return seen


if __name__ == "__main__":
    unittest.main()
