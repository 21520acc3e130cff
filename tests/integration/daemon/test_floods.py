"""Floods over HTTP/2 against the real daemon, TCP and Unix: its memory stays, and others are answered, rightly and in time, and not cut.

CONSENT_FLOOD_SECONDS: how long each flood lasts; more than the default is the campaign of tests/README.md, which holds times as well.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import unittest

from harness import Client, DaemonTest, until, wait_for_a_core
from honest import burst, clients, prepare, say_what_is_missing
from hostile import FLOODS

SECONDS = float(os.environ.get("CONSENT_FLOOD_SECONDS", "1.5"))
CAMPAIGN = "CONSENT_FLOOD_SECONDS" in os.environ
MOST_MIB = 100    # more than before
LONGEST = 5       # seconds that a call may take, on a machine that has nothing else to do
SLOWEST = 3       # times the quiet p99, in the campaign
UNNOTICED = 10    # milliseconds that a p99 may take whatever it was
ROUNDS = 3        # of which one has to be quick: a busy machine alone makes some slow
REASONS = {"endless-empty-headers": "header_block", "endless-large-headers": "header_block", "endless-acknowledged": "header_block",
           "large-headers": "unacknowledged", "rapid-reset": "unacknowledged", "rapid-reset-acknowledged": "control_frames",
           "ping": "control_frames", "settings": "control_frames", "open-messages": "open_bodies"}
CLOSED = re.compile(r'^consentd_connections_closed_total\{reason="(\w+)"\} (\d+)$', re.M)


def resident(daemon):
    """MiB."""
    pages = int(pathlib.Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def p99(times):
    return sorted(times)[int(len(times) * 0.99)] * 1000


class Floods(DaemonTest):

    def hold_against(self, address):
        self.served = self.daemon("--listen", address)
        self.address = self.served.wait_for("listening")["address"]
        say_what_is_missing()
        first = Client(self.address)
        self.addCleanup(first.close)
        prepare(first)
        for kind in FLOODS:
            with self.subTest(kind=kind, address=address):
                self.hold_rounds(kind)
        self.assertEqual(self.served.stop(), 0)

    def hold_rounds(self, kind):
        slow = []
        for _ in range(ROUNDS):
            with contextlib.ExitStack() as ends:
                slow = self.hold(kind, ends)
            if not slow or not CAMPAIGN:
                return
        self.fail(f"p99 of {', '.join(slow)} grew too much, as did one in each round")

    def hold(self, kind, ends):
        """One round. Returns the clients whose p99 grew too much."""
        honest = clients(self.address, self.folder)
        for client in honest:
            ends.callback(client.end)
        before, counted, waited = resident(self.served), self.closed(), wait_for_a_core()
        quiet, _ = self.measure(honest, SECONDS / 2 if CAMPAIGN else 0.1)
        flood = self.flood(kind, ends)
        busy, highest = self.measure(honest, SECONDS, most=before + MOST_MIB)
        burst(self.address, self.folder)
        sent, cuts = map(int, flood.communicate()[0].split())
        shown = "; ".join(f"{name} {p99(quiet[name]):.1f} -> {p99(busy[name]):.1f} ({max(busy[name]) * 1000:.0f})" for name in busy)
        print(f"{self.address.split(':')[0]:9} {kind:24} {sent / 2**20:7.1f} MiB sent, {cuts:5} cuts, resident {before:.0f} -> "
              f"{highest:.0f} MiB; p99 (slowest) in ms: {shown}", file=sys.stderr)
        self.hold_cuts(kind, cuts, counted)
        longest = LONGEST * max(waited, wait_for_a_core())
        for client in honest:
            self.assertTrue(client.held(), f"{client.name} lost its connection")
            self.assertLess(max(busy[client.name]), longest)
        until(lambda: resident(self.served) < before + 30, "the memory is given back")
        # A client that comes afterwards finds nothing amiss.
        late = Client(self.address)
        ends.callback(late.close)
        self.assertEqual(late.health(), "SERVING")
        return [name for name in busy if p99(busy[name]) > max(SLOWEST * p99(quiet[name]), UNNOTICED)]

    def flood(self, kind, ends):
        """Runs in another process until its input is closed; returns once it has begun."""
        flood = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("hostile.py"), kind, self.address],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ends.callback(flood.wait)
        ends.callback(flood.kill)
        self.assertEqual(flood.stdout.readline(), "flooding\n")
        return flood

    def measure(self, honest, seconds, most=None):
        """Lets all of them call for so long. Returns the seconds of each call by client, and the highest memory."""
        over = threading.Event()
        highest, end = 0, time.monotonic() + seconds
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = {client.name: pool.submit(client.times, seconds, over) for client in honest}
            try:
                while time.monotonic() < end:
                    highest = max(highest, resident(self.served))
                    if most is not None:
                        self.assertLess(highest, most, "MiB resident")
                    over.wait(0.01)
            finally:
                if time.monotonic() < end:
                    over.set()
        return {name: future.result() for name, future in waiting.items()}, highest

    def hold_cuts(self, kind, cuts, before):
        """The flood was cut for what it is, and nobody else was."""
        self.assertGreater(cuts, 0)
        now = self.closed()
        self.assertGreater(now[REASONS[kind]], before[REASONS[kind]])
        for reason in now.keys() - {REASONS[kind], "ended"}:
            self.assertEqual(now[reason], before[reason], reason)

    def closed(self):
        """How many connections have ended, by reason."""
        return {reason: int(count) for reason, count in CLOSED.findall(self.served.metrics())}

    def test_over_tcp(self):
        self.hold_against("127.0.0.1:0")

    def test_over_a_unix_socket(self):
        self.hold_against(f"unix:{self.folder}/run/consentd.sock")


if __name__ == "__main__":
    unittest.main()
