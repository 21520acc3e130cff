"""Limits of callers over TLS: how many connections one may use, what becomes of who stays over its limits, and that others do not feel it.

CONSENT_LIMITS_SECONDS: how long the flood of Minute lasts; more than the default is the campaign of tests/README.md, which sends 10,000
calls a second and holds times as well.
"""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import grpc

from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import settings_service_pb2_grpc as settings_grpc

from harness import PATIENCE, ROOT, clean_environment, decode_error, until
from test_addresses import has_ipv6
from test_tls_callers import CallersTest
from words import opt_out

ENDED = "connections of a caller that stays over its limits end"
QUICK = {"calls_per_second": 1000}
CONFIG = (ROOT / "proto/consent/v1/service_config.json").read_text(encoding="utf-8")
CAMPAIGN = "CONSENT_LIMITS_SECONDS" in os.environ
SECONDS = int(os.environ.get("CONSENT_LIMITS_SECONDS", "2"))
LIMIT = 500                        # calls a second
RATE = 10_000 if CAMPAIGN else 1_000  # that are sent
SLOWEST = {"checks": 2, "opt-outs": 3}  # times the quiet p99, in the campaign
ROUNDS = 3                         # of which one has to be quick: a busy machine alone makes some slow


class LimitsTest(CallersTest):

    def setUp(self):
        super().setUp()
        self.shows = {}

    def shown(self, name, **times):
        """Another connection; the certificate is made once."""
        if name not in self.shows:
            self.shows[name] = self.callers.issue(f"URI:spiffe://example.org/{name}", **times)
        return self.api(self.shows[name])

    def limit(self, call, request):
        """Which limit refused it; OK where none did, whatever else the call said."""
        try:
            call(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            told = decode_error(error)
            return told.metadata["limit"] if told.reason == "LIMIT_EXCEEDED" else "OK"
        return "OK"

    def check(self, api):
        return self.limit(api.eligibility.Check, eligibility.CheckRequest())


class Connections(LimitsTest):

    def hold_two(self):
        one, two, three = (self.shown("backend") for _ in range(3))
        self.assertEqual([self.check(api) for api in (one, two, three, one, two, three)], ["OK", "OK", "connections", "OK", "OK", "connections"])
        # What can restrict has as many of its own.
        self.assertEqual([self.limit(api.settings.OptOut, opt_out("a")) for api in (three, two, one)], ["OK", "OK", "connections"])
        self.assertEqual(self.check(self.shown("sampler")), "OK", "another caller's are another's")
        one.close()
        until(lambda: self.check(three) == "OK", "one that has ended leaves its place")
        self.assertEqual(self.check(two), "OK")

    def test_calls_on_more_than_so_many_are_refused(self):
        self.serve_callers(("backend", "BACKEND", {"limits": {**QUICK, "connections": 2}}), ("sampler", "SAMPLER", {}))
        self.hold_two()

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_so_are_those_over_ipv6(self):
        original = self.serve
        self.serve = lambda: original("[::1]:0")
        self.serve_callers(("backend", "BACKEND", {"limits": {**QUICK, "connections": 2}}), ("sampler", "SAMPLER", {}))
        self.hold_two()


class Overstay(LimitsTest):

    def test_who_stays_over_its_limits_loses_its_connections_and_nobody_else(self):
        self.serve_callers(("backend", "BACKEND", {"limits": {**QUICK, "calls_per_second": 1}}), ("sampler", "SAMPLER", {"limits": QUICK}))
        loud, restricts, quiet = self.shown("backend"), self.shown("backend"), self.shown("sampler")
        self.assertEqual(self.limit(restricts.settings.OptOut, opt_out("a")), "OK")
        seen = {"restricts": [], "quiet": []}
        for name, api in (("restricts", restricts), ("quiet", quiet)):
            api.channel.subscribe(seen[name].append)
        self.assertEqual(self.check(quiet), "OK")
        for states in seen.values():
            until(lambda states=states: grpc.ChannelConnectivity.READY in states, "it is connected")
            states.clear()
        refused = []

        def ended():
            refused.append(self.check(loud) == "calls_per_second")
            self.assertEqual(self.check(quiet), "OK")
            return self.served.event(ENDED)
        event = until(ended, "its connections end")
        self.assertGreater(sum(refused), 20)
        self.assertEqual((event["caller"], event["connections"]), ("backend", 1))
        until(lambda: self.closed()["over_limit"] == 1, "it has ended")
        self.assertEqual(self.check(quiet), "OK")
        self.assertEqual(self.limit(restricts.settings.OptOut, opt_out("b")), "OK")
        self.assertEqual(seen, {"restricts": [], "quiet": []}, "their connections stay")


class Pushback(LimitsTest):
    """Clients that come back when the daemon says: each call beyond the limit is refused once, and done the next time."""

    def setUp(self):
        super().setUp()
        # The file has more lines, so its caller has more calls.
        most = 10 if self._testMethodName == "test_a_file_does" else 1
        self.serve_callers(("backend", "BACKEND", {"limits": {"calls_per_second": most}}))
        self.shows["backend"] = self.callers.issue("URI:spiffe://example.org/backend")

    def refused(self):
        return int(self.served.metric('consentd_caller_calls_total{caller="backend",grpc_code="ResourceExhausted"}') or 0)

    def test_a_client_with_the_service_config_does(self):
        shown = self.shows["backend"]
        credentials = grpc.ssl_channel_credentials(self.servers.certificate.read_bytes(), shown.key.read_bytes(), shown.certificate.read_bytes())
        channel = grpc.secure_channel(self.address, credentials, options=[("grpc.service_config", CONFIG), ("grpc.ssl_target_name_override", "localhost"),
                                                                           ("grpc.use_local_subchannel_pool", 1)])
        self.addCleanup(channel.close)
        opt_outs = settings_grpc.SettingsServiceStub(channel).OptOut
        accounts = itertools.count()

        def comes_back():
            """Whether one was refused so far: two came within a second. Each is done in the end, or it raises."""
            count = next(accounts)
            opt_outs(opt_out(f"a{count}"))
            # gRPC's timer may be a little early, and comes again then.
            self.assertLessEqual(self.refused(), 2 * count)
            return self.refused() > 0
        until(comes_back, "two come within a second")

    @unittest.skipUnless(os.environ.get("TEST_CTL"), "consentctl is not built")
    def test_the_library_does(self):
        shown, port = self.shows["backend"], self.address.rpartition(":")[2]
        environment = clean_environment({"CONSENT_ENDPOINT": f"localhost:{port}", "CONSENT_CA": str(self.servers.certificate),
                                         "CONSENT_CERT": str(shown.certificate), "CONSENT_KEY": str(shown.key)})

        def two_at_once():
            """How many were refused: one, where both came within a second."""
            before = self.refused()
            started = [subprocess.Popen([os.environ["TEST_CTL"], "settings", "opt-out", "b", "--all"], env=environment, stderr=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL) for _ in range(2)]
            for process in started:
                said = process.communicate(timeout=PATIENCE)[1]
                self.assertEqual(process.returncode, 0, said)
            refused = self.refused() - before
            self.assertLessEqual(refused, 1)
            return refused
        until(two_at_once, "two come within a second")


    @unittest.skipUnless(os.environ.get("TEST_CTL"), "consentctl is not built")
    def test_a_file_does(self):
        """Each of its lines is done, however far beyond the limit they come at once."""
        shown, port = self.shows["backend"], self.address.rpartition(":")[2]
        environment = clean_environment({"CONSENT_ENDPOINT": f"localhost:{port}", "CONSENT_CA": str(self.servers.certificate),
                                         "CONSENT_CERT": str(shown.certificate), "CONSENT_KEY": str(shown.key)})
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "accounts.jsonl")
            path.write_text("".join(json.dumps({"account_id": f"line {number}"}) + "\n" for number in range(40)))
            done = subprocess.run([os.environ["TEST_CTL"], "settings", "opt-out", "--file", str(path), "--all", "--json"], env=environment,
                                  capture_output=True, text=True, timeout=4 * PATIENCE)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["done"], 40)
        self.assertGreater(self.refused(), 0)


class Minute(LimitsTest):
    """A caller sends twenty times what it may, from 50 connections, beside others that check and one that opts out."""

    def load(self, name, method, connections, rate, seconds, *, prefix="s", sender="TEST_LOAD"):
        """A sender that is connected."""
        shown = self.shows.setdefault(name, None) or self.callers.issue(f"URI:spiffe://example.org/{name}")
        self.shows[name] = shown
        options = {"address": self.address, "ca": self.servers.certificate, "cert": shown.certificate, "key": shown.key, "method": method,
                   "connections": connections, "rate": rate, "seconds": seconds, "prefix": prefix}
        command = [os.environ[sender], *(str(text) for name, value in options.items() for text in (f"--{name}", value))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "connected\n")
        return process

    def outcome_of(self, process):
        said, _ = process.communicate(timeout=SECONDS + PATIENCE)
        self.assertEqual(process.returncode, 0)
        return json.loads(said)

    def others(self, prefix):
        """What came of those that are within their limits."""
        checks = self.load("sampler", "check", 4, 200, SECONDS)
        opt_outs = self.load("backend", "opt-out", 1, 20, SECONDS, prefix=prefix)
        outcomes = {"checks": self.outcome_of(checks), "opt-outs": self.outcome_of(opt_outs)}
        for name, outcome in outcomes.items():
            self.assertEqual(outcome["ok"], outcome["sent"], (name, outcome))
            self.assertGreater(outcome["ok"], 10 * SECONDS)
        return outcomes

    def hold(self, number):
        """One round: whose p99 grew too much."""
        quiet = self.others(f"quiet{number}-")
        cut = self.closed()["over_limit"]
        flood = self.load("loud", "check", 50, RATE, SECONDS + 2, sender="TEST_FLOOD")
        busy = self.others(f"busy{number}-")
        loud = self.outcome_of(flood)
        cut = self.closed()["over_limit"] - cut
        ratios = {name: busy[name]["p99"] / quiet[name]["p99"] for name in busy}
        print(f"loud: {loud['sent']} sent in {SECONDS + 2} s ({loud['unsent']} were not), {loud['ok']} answered, {loud['refused']} refused, {loud['unavailable']} "
              f"without an answer, {cut} connections ended; " + "; ".join(
                  f"{name}: {busy[name]['ok']} of {busy[name]['sent']} answered, p99 {quiet[name]['p99']:.2f} -> {busy[name]['p99']:.2f} ms, x {ratios[name]:.2f} "
                  f"(median of 5 s each {quiet[name]['steady']:.2f} -> {busy[name]['steady']:.2f} ms, x {busy[name]['steady'] / quiet[name]['steady']:.2f})"
                  for name in busy), file=sys.stderr)
        self.assertGreater(loud["refused"], 0)
        self.assertLessEqual(loud["ok"], LIMIT * (SECONDS + 2 + 2), "a second ahead, and one of slack")
        if CAMPAIGN and loud["sent"] < 0.99 * RATE * (SECONDS + 2):
            return ["the flood itself, which was not sent,"]
        if CAMPAIGN:
            self.assertGreaterEqual(cut, 40 * (SECONDS // 10 - 1))
        return [name for name in ratios if ratios[name] > SLOWEST[name]]

    @unittest.skipUnless("TEST_LOAD" in os.environ, "tls_load is not built")
    def test_others_do_not_feel_a_flood(self):
        self.serve_callers(("loud", "SAMPLER", {"limits": {"calls_per_second": LIMIT}}), ("sampler", "SAMPLER", {}), ("backend", "BACKEND", {}))
        api = self.shown("backend")
        for number in range(100):
            api.settings.OptOut(opt_out(f"s{number}"), timeout=PATIENCE)
        slow = []
        for number in range(ROUNDS):
            slow = self.hold(number)
            if not slow or not CAMPAIGN:
                return
        self.fail(f"p99 of {', '.join(slow)} grew too much, as did one in each round")


if __name__ == "__main__":
    unittest.main()
