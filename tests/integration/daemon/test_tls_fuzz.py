"""Malformed HTTP/2, metadata and messages behind a good handshake, against the real daemon with a canary beside them: it lives, it does not grow, and
whoever refused is never answered yes.

CONSENT_TLS_FUZZ_SECONDS: how long; more than the default is the campaign of tests/README.md. CONSENT_SEED repeats one, up to ids that the daemon makes.
A failure leaves the last cases as lines of hexadecimal in a file that it names; CONSENT_TLS_FUZZ_REPLAY=FILE sends these alone.
"""

import collections
import json
import os
import pathlib
import random
import re
import socket
import sys
import tempfile
import threading
import time
import unittest

import grpc

from consent.v1 import roles_pb2
from consent.v1 import types_pb2 as types

import test_tls
from harness import PATIENCE, SANITIZED, until
from honest import NO, YES, prepare
from mutation import ANSWERED, Mutator
from test_access_table import GIVEN, METHODS
from test_floods import MOST_MIB, resident
from stolen_world import World, attempts
from words import check

SECONDS = float(os.environ.get("CONSENT_TLS_FUZZ_SECONDS", "4"))
SEED = int(os.environ.get("CONSENT_SEED", random.randrange(10**6)))
REPLAY = os.environ.get("CONSENT_TLS_FUZZ_REPLAY")
WORKERS = 2
QUIET = 0.1   # seconds without an answer after which a case that waits for more is over
KEPT = 200    # cases that a failure writes down
QUARANTINE_MIB = 1024 if SANITIZED else 0  # AddressSanitizer keeps what was freed
# What the shipped roles allow, in two hands: with Suspend in either, a volunteer's yes would rightly become a no.
CALLERS = {"people": [role for role in GIVEN if role not in (roles_pb2.ROLE_OFFICER, roles_pb2.ROLE_OPERATOR)],
           "service": [roles_pb2.ROLE_OFFICER, roles_pb2.ROLE_OPERATOR], "canary": [roles_pb2.ROLE_SAMPLER]}


class Fuzz(test_tls.TlsTest):

    def setUp(self):
        super().setUp()
        file = self.folder / "callers.json"
        limits = {"calls_per_second": 1000000, "items_per_second": 100000000, "calls_in_flight": 65536}
        file.write_text(json.dumps({"callers": [
            {"name": name, "identities": [f"spiffe://example.org/{name}"], "roles": [roles_pb2.Role.Name(role) for role in roles], "limits": limits,
             "max_certificate_hours": 72, **({"systems": ["audio"]} if name == "people" else {})} for name, roles in CALLERS.items()]}))
        self.options = lambda original=self.options: [*original(), "--callers", str(file), "--policy", str(self.many_reviews_policy())]
        self.shown = {name: self.callers.issue(f"URI:spiffe://example.org/{name}") for name in CALLERS}
        self.serve()
        local = self.client(self.served)
        prepare(local)
        self.prepare_calls(local)
        self.over, self.wrong, self.asked = threading.Event(), [], 0
        self.number, self.lock, self.last = 0, threading.Lock(), collections.deque(maxlen=KEPT)
        self.ends = collections.Counter()

    def prepare_calls(self, local):
        """Good messages for every RPC, of people beside the canary."""
        world = World(local, self.served, (local, local))
        table = attempts(world.victim(roles_pb2.ROLE_BACKEND), world)
        calls = [(f"/{method.name}".encode(), request.SerializeToString()) for method in METHODS for request in table[method.name.removeprefix("consent.v1.")]()]
        health = [(b"/grpc.health.v1.Health/Check", b""), (b"/grpc.health.v1.Health/Watch", b""),
                  (b"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", b"\x3a\x00")]
        self.calls = {"people": calls + health, "service": [call for call in calls if not call[0].endswith(b"/Suspend")]}

    def watch(self):
        """The canary: asks all the time on a connection that stays, and now and then on one that is new."""
        kept = test_tls.TlsClient(self.address, self.servers, self.shown["canary"])
        while not self.over.is_set():
            fresh = test_tls.TlsClient(self.address, self.servers, self.shown["canary"]) if self.asked % 100 == 99 else None
            for client in filter(None, (kept, fresh)):
                for account, wanted in ((NO, types.ELIGIBILITY_NOT_ELIGIBLE), (YES, types.ELIGIBILITY_ELIGIBLE)):
                    try:
                        answer = client.eligibility.Check(check(account), timeout=PATIENCE).decision.eligibility
                    except grpc.RpcError as error:
                        answer = (error.code(), error.details())
                    if answer != wanted:
                        self.wrong.append((account, answer, "new" if client is fresh else "kept"))
            if fresh is not None:
                fresh.close()
            self.asked += 1
            self.over.wait(0.01)
        kept.close()

    def connect(self, context, number):
        """From a different address of this host each time, since one that was cut has to wait before it may come back."""
        host, port = self.address.rsplit(":", 1)
        peer = socket.create_connection((host, int(port)), source_address=(f"127.0.{1 + number // 250 % 250}.{1 + number % 250}", 0), timeout=PATIENCE)
        return context.wrap_socket(peer, server_hostname="localhost")

    def send(self, context, number, sent):
        """Sends one case. Returns how it ended."""
        try:
            peer = self.connect(context, number)
        except OSError:
            return "no handshake"
        with peer:
            try:
                peer.sendall(sent)
                peer.settimeout(QUIET)
                answered = b""
                while more := peer.recv(1 << 16):
                    answered = (answered + more)[-(1 << 16):]
                    if ANSWERED in answered:
                        return "goes on"
                return "ended"
            except TimeoutError:
                return "waits"
            except OSError:
                return "cut"

    def noting(self, work, *arguments):
        """For a thread: what goes wrong in it fails the test."""
        try:
            work(*arguments)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(repr(error))
            self.over.set()

    def fuzz(self, contexts):
        while not self.over.is_set():
            with self.lock:
                self.number += 1
                number = self.number
            name = "service" if number % 4 == 0 else "people"
            sent = Mutator(SEED, number, self.calls[name]).bytes()
            self.last.append(f"{name} {sent.hex()}")
            end = self.send(contexts[name], number, sent)
            with self.lock:
                self.ends[end] += 1

    def replay(self, contexts):
        for number, line in enumerate(pathlib.Path(REPLAY).read_text().splitlines()):
            name, sent = line.split()
            self.ends[self.send(contexts[name], number, bytes.fromhex(sent))] += 1
        self.over.set()

    def test_nothing_malformed_does_harm(self):
        contexts = {name: self.context(self.shown[name]) for name in CALLERS}
        before, highest, end = resident(self.served), 0, time.monotonic() + SECONDS
        work = [threading.Thread(target=self.noting, args=(self.watch,))]
        work += [threading.Thread(target=self.noting, args=(self.replay if REPLAY else self.fuzz, contexts)) for _ in range(1 if REPLAY else WORKERS)]
        try:
            for thread in work:
                thread.start()
            while (REPLAY or time.monotonic() < end) and not self.over.wait(0.05):
                self.assertIsNone(self.served.process.poll(), self.served.log()[-5000:])
                highest = max(highest, resident(self.served))
                self.assertLess(highest, before + MOST_MIB + QUARANTINE_MIB, "MiB resident")
                self.assertEqual(self.wrong, [])
            self.over.set()
            for thread in work:
                thread.join()
            self.hold_afterwards(before, highest)
        except AssertionError:
            self.write_down()
            raise
        finally:
            self.over.set()

    def hold_afterwards(self, before, highest):
        self.assertEqual(self.wrong, [])
        self.assertGreater(self.asked, 0)
        codes = collections.Counter()
        for code, count in re.findall(r'^grpc_server_handled_total\{.*grpc_code="(\w+)".*\} ([1-9]\d*)$', self.served.metrics(), re.M):
            codes[code] += int(count)
        if not SANITIZED:
            until(lambda: resident(self.served) < before + 30, "the memory is given back")
        late = resident(self.served)
        closed = {reason: count for reason, count in self.closed().items() if count}
        print(f"fuzz over TLS, seed {SEED}: {sum(self.ends.values())} connections ({dict(self.ends)}); calls {dict(codes)}; closed {closed}; canary asked "
              f"{self.asked} times; resident {before:.0f} -> {highest:.0f} -> {late:.0f} MiB", file=sys.stderr)
        if not REPLAY:
            # It came as far as the handlers, and met every kind of end.
            self.assertGreater(min(codes["OK"], codes["InvalidArgument"], codes["PermissionDenied"], self.ends["goes on"], self.ends["ended"] + self.ends["cut"]), 0)
        self.assertEqual(self.served.stop(), 0, self.served.log()[-5000:])
        for sign in ("AddressSanitizer", "LeakSanitizer", "runtime error", '"level":"fatal"'):
            self.assertNotIn(sign, self.served.log())

    def write_down(self):
        with tempfile.NamedTemporaryFile("w", prefix="consentd-fuzz-", suffix=".hex", delete=False) as file:
            file.write("\n".join(self.last) + "\n")
        print(f"seed {SEED}, the last cases up to number {self.number} are in {file.name}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
