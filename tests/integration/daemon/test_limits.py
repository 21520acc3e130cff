"""Limits of callers over TLS: how many connections one may use, and what becomes of who stays over its limits."""

import unittest

import grpc

from consent.v1 import eligibility_service_pb2 as eligibility

from harness import PATIENCE, decode_error, until
from test_addresses import has_ipv6
from test_tls_callers import CallersTest
from words import opt_out

ENDED = "connections of a caller that stays over its limits were ended"
QUICK = {"calls_per_second": 1000}


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
        self.assertEqual(self.closed()["over_limit"], 1)
        self.assertEqual(self.check(quiet), "OK")
        self.assertEqual(self.limit(restricts.settings.OptOut, opt_out("b")), "OK")
        self.assertEqual(seen, {"restricts": [], "quiet": []}, "their connections stay")


if __name__ == "__main__":
    unittest.main()
