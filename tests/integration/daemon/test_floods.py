"""Floods over HTTP/2 against the real daemon, TCP and Unix: its memory stays, and others are answered, rightly and in time.

CONSENT_FLOOD_SECONDS: how long each flood lasts; more than the default is the campaign of tests/README.md, which holds times as well.
"""

import os
import pathlib
import subprocess
import sys
import time
import unittest

from consent.v1 import types_pb2 as types

from harness import Client, DaemonTest, PATIENCE, until
from hostile import FLOODS
from words import check, opt_out

SECONDS = float(os.environ.get("CONSENT_FLOOD_SECONDS", "1.5"))
CAMPAIGN = "CONSENT_FLOOD_SECONDS" in os.environ
MOST_MIB = 100  # more than before
SLOWEST = 3     # times the quiet p99, in the campaign
REASONS = {"endless-empty-headers": "header_block", "endless-large-headers": "header_block", "endless-acknowledged": "header_block",
           "large-headers": "unacknowledged", "rapid-reset": "unacknowledged", "rapid-reset-acknowledged": "control_frames",
           "ping": "control_frames", "settings": "control_frames", "open-messages": "open_bodies"}


def resident(daemon):
    """MiB."""
    pages = int(pathlib.Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def p99(times):
    return sorted(times)[int(len(times) * 0.99)] * 1000


class Floods(DaemonTest):

    def canary(self, api, condition, most=None):
        """Asks again and again while condition(); every answer must be right. Returns the seconds of each, and the highest memory."""
        times, highest = [], 0
        while condition():
            began = time.monotonic()
            answer = api.eligibility.Check(check("canary"), timeout=PATIENCE)
            times.append(time.monotonic() - began)
            self.assertEqual(answer.decision.eligibility, types.ELIGIBILITY_NOT_ELIGIBLE)
            highest = max(highest, resident(self.served))
            if most is not None:
                self.assertLess(highest, most, "MiB resident")
        return times, highest

    def hold_against(self, address):
        self.served = self.daemon("--listen", address)
        shown = self.served.wait_for("listening")["address"]
        api = Client(shown)
        self.addCleanup(api.close)
        api.settings.OptOut(opt_out("canary"))
        end = time.monotonic() + SECONDS
        quiet, _ = self.canary(api, lambda: time.monotonic() < end)
        for kind in FLOODS:
            with self.subTest(kind=kind, address=address):
                self.hold(api, shown, kind, quiet)
        self.assertEqual(self.served.stop(), 0)

    def hold(self, api, address, kind, quiet):
        before = resident(self.served)
        counted = self.closed(REASONS[kind])
        flood = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("hostile.py"), kind, address, str(SECONDS)],
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(flood.kill)
        times, highest = self.canary(api, lambda: flood.poll() is None, most=before + MOST_MIB)
        sent, cuts = map(int, flood.communicate()[0].split())
        print(f"{kind:26} {address.split(':')[0]:10} sent {sent / 2**20:8.1f} MiB, cut {cuts:5} times; resident {before:5.0f} -> {highest:5.0f} MiB; "
              f"p99 {p99(quiet):6.2f} -> {p99(times):6.2f} ms, slowest {max(times) * 1000:7.2f} ms", file=sys.stderr)
        self.assertGreater(cuts, 0)
        self.assertGreater(self.closed(REASONS[kind]), counted)
        self.assertLess(max(times), 5)
        if CAMPAIGN:
            self.assertLess(p99(times), SLOWEST * p99(quiet))
        until(lambda: resident(self.served) < before + 30, "the memory is given back")
        # A client that comes afterwards finds nothing amiss.
        late = Client(address)
        self.addCleanup(late.close)
        self.assertEqual(late.health(), "SERVING")

    def closed(self, reason):
        return self.served.metric(f'consentd_connections_closed_total{{reason="{reason}"}}')

    def test_over_tcp(self):
        self.hold_against("127.0.0.1:0")

    def test_over_a_unix_socket(self):
        self.hold_against(f"unix:{self.folder}/run/consentd.sock")


if __name__ == "__main__":
    unittest.main()
