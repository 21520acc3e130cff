"""Peers cannot take the store's open files: silent connections, four times as many as the daemon may open files, while changes are written.

CONSENT_SILENT_CHANGES: how many changes; the campaign of tests/README.md writes 100,000.
"""

import collections
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import grpc

from consent.v1 import types_pb2 as types

from harness import Client, DaemonTest, until
from hostile import connect
from words import check, opt_out, reasons

CHANGES = int(os.environ.get("CONSENT_SILENT_CHANGES", "600"))
UNDER_WAY = 64
SHORTAGE = 75
EVICTED = 'consentd_connections_closed_total{reason="evicted"}'


class Silence(DaemonTest):

    def silent(self, address, count):
        peers = subprocess.Popen([sys.executable, Path(__file__).with_name("hostile.py"), "silent", address, str(count)], stdin=subprocess.PIPE)
        self.addCleanup(self.end, peers)
        return peers

    def end(self, peers):
        peers.stdin.close()
        peers.wait()

    def write(self, api, name, late):
        """Opts accounts out, many at a time; now and then a client comes that has not been there. Returns those that were acknowledged."""
        acknowledged, waiting = [], collections.deque()
        for number in range(CHANGES):
            account = f"{name}-{number}"
            waiting.append((account, api.settings.OptOut.future(opt_out(account), timeout=60, wait_for_ready=True)))
            if len(waiting) >= UNDER_WAY:
                self.take(waiting, acknowledged)
            if number % (CHANGES // 10) == 0:
                late()
        while waiting:
            self.take(waiting, acknowledged)
        return acknowledged

    def ask(self, client, account):
        """As clients do: once more where the connection is lost. On a starved machine a new one can look silent for too long."""
        try:
            return client.eligibility.Check(check(account), timeout=20)
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
            return client.eligibility.Check(check(account), timeout=20, wait_for_ready=True)

    def take(self, waiting, acknowledged):
        account, future = waiting.popleft()
        future.result()
        acknowledged.append(account)

    def hold_against(self, listen, limit):
        daemon = self.daemon("--listen", listen, open_files=limit)
        address = daemon.wait_for("listening")["address"]
        api = Client(address)
        self.addCleanup(api.close)
        peers = self.silent(address, 4 * limit)
        until(lambda: daemon.metric(EVICTED) > limit, "more came than there is room for")
        waits = []

        def late():
            client = Client(address)
            began = time.monotonic()
            grpc.channel_ready_future(client.channel).result(timeout=20)
            self.assertEqual(self.ask(client, f"{limit}-0").decision.eligibility, types.ELIGIBILITY_NOT_ELIGIBLE)
            waits.append(time.monotonic() - began)
            client.close()
            self.assertLess(daemon.metric("process_open_fds"), limit)

        acknowledged = self.write(api, str(limit), late)
        print(f"{listen.split(':')[0]}, {limit} open files, {4 * limit} silent connections: {len(acknowledged)} changes; a new client waits "
              f"{max(waits) * 1000:.0f} ms at most; {daemon.metric(EVICTED):.0f} evicted", file=sys.stderr)
        self.assertIsNone(daemon.event("write failed"))
        self.assertEqual(daemon.stop(), 0)
        self.end(peers)
        again = self.client(self.daemon())
        for account in acknowledged:
            answer = again.eligibility.Check(check(account))
            self.assertEqual(answer.decision.eligibility, types.ELIGIBILITY_NOT_ELIGIBLE)
            self.assertIn("REFUSED", reasons(answer.decision), account)

    def test_256_open_files_over_tcp(self):
        self.hold_against("127.0.0.1:0", 256)

    def test_1024_open_files_over_tcp(self):
        self.hold_against("127.0.0.1:0", 1024)

    def test_256_open_files_over_a_unix_socket(self):
        self.hold_against(f"unix:{self.folder}/run/consentd.sock", 256)

    def test_1024_open_files_over_a_unix_socket(self):
        self.hold_against(f"unix:{self.folder}/run/consentd.sock", 1024)


class Start(DaemonTest):

    def test_with_too_few_it_is_refused_and_says_how_many(self):
        daemon = self.daemon(wait=False, open_files=199)
        self.assertEqual(daemon.wait(), SHORTAGE)
        why = daemon.event("start failed")["why"]
        for part in ("199", "200", "LimitNOFILE"):
            self.assertIn(part, why)
        self.assertFalse(daemon.data_dir.exists(), "nothing was made")

    def test_with_just_enough_it_serves(self):
        daemon = self.daemon(open_files=200)
        self.assertTrue(self.client(daemon).settings.OptOut(opt_out("few")).refuses_future_purposes)
        self.assertEqual(daemon.stop(), 0)


class Drain(DaemonTest):

    def test_a_hundred_silent_connections_do_not_hold_it_up(self):
        for listen in ("127.0.0.1:0", f"unix:{self.folder}/run/consentd.sock"):
            with self.subTest(listen=listen):
                daemon = self.daemon("--listen", listen, "--drain-seconds", "60")
                peers = [connect(daemon.wait_for("listening")["address"]) for _ in range(100)]
                until(lambda: daemon.metric("consentd_connections") >= 100, "all are in")
                began = time.monotonic()
                self.assertEqual(daemon.stop(), 0)
                self.assertLess(time.monotonic() - began, 15)
                for peer in peers:
                    peer.close()

    def test_a_call_under_way_is_answered_all_the_same(self):
        daemon = self.daemon("--drain-seconds", "60")
        peers = [connect(daemon.address()) for _ in range(100)]
        for peer in peers:
            self.addCleanup(peer.close)
        states = self.client(daemon).watch_health()
        self.assertEqual(next(states), "SERVING")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(next(states), "NOT_SERVING")
        for peer in peers:
            until(lambda peer=peer: self.ended(peer), "a silent one is ended at once")
        self.assertIsNone(daemon.process.poll(), "the watching call goes on")

    def ended(self, peer):
        peer.settimeout(1)
        try:
            return peer.recv(4096) == b""
        except OSError:
            return True


if __name__ == "__main__":
    unittest.main()
