"""Certificates of the daemon and of its callers, both their CAs and the callers' file change under load: no call fails, and who was
taken out has no access any more.

CONSENT_ROTATIONS: how often; more than the default is the campaign of tests/README.md.
"""

import dataclasses
import itertools
import json
import os
import pathlib
import signal
import sys
import threading
import unittest

import grpc

import test_tls
from certificates import Authority, Pair
from harness import PATIENCE, decode_error, until
from words import check, opt_out

ROTATIONS = int(os.environ.get("CONSENT_ROTATIONS", "3"))
WORKERS = 2
PAUSE = 0.02  # seconds between a worker's rounds: load, not a flood
CALLERS_RELOADED = 'consentd_callers_reloads_total{result="ok"}'


@dataclasses.dataclass
class Bundle:
    """Certificates of CAs in one file."""
    certificate: pathlib.Path


@dataclasses.dataclass
class Generation:
    """What is made anew in each rotation."""
    number: int
    servers: Authority
    callers: Authority
    server: Pair
    client: Pair
    trusted: Bundle  # what clients believe meanwhile: its CA and the one before

    def identity(self):
        return f"spiffe://example.org/backend/{self.number}"


class UnderLoad(test_tls.TlsTest):

    def bundle(self, name, *authorities):
        path = self.folder / name
        path.write_bytes(b"".join(authority.certificate.read_bytes() for authority in authorities))
        return Bundle(path)

    def generation(self, number, before=None):
        servers, callers = (Authority(self.folder / f"{what}-{number}", name=f"{what}-{number}") for what in ("servers", "callers"))
        made = Generation(number, servers, callers, servers.issue("DNS:localhost"), None, None)
        made.client = callers.issue(f"URI:{made.identity()}")
        made.trusted = self.bundle(f"trusted-{number}.pem", servers, *([before.servers] if before else []))
        return made

    def write_callers(self, *generations):
        fresh = self.folder / "callers.new"
        fresh.write_text(json.dumps({"callers": [{"name": "backend", "identities": [one.identity() for one in generations], "roles": ["ROLE_BACKEND"],
                                                  "max_certificate_hours": 72}]}))
        return fresh.rename(self.folder / "callers.json")

    def connect(self, generation, trusted):
        return test_tls.TlsClient(self.address, trusted, generation.client)

    def work(self, number):
        """Restrictions and checks on a connection that stays and on one that is new each time, as the generation in force."""
        kept, of = None, None
        for round_number in itertools.count():
            now = self.current
            if now is not of:
                if kept is not None:
                    kept.close()
                kept, of = self.connect(now, self.trusted), now
            fresh = self.connect(now, self.trusted)
            for client in (kept, fresh):
                try:
                    client.settings.OptOut(opt_out(f"account-{number}"), timeout=PATIENCE)
                    client.eligibility.Check(check(f"account-{number}"), timeout=PATIENCE)
                    self.calls[number] += 2
                except grpc.RpcError as error:
                    self.failed.append((of.number, round_number, client is kept, error.code(), error.details()))
            fresh.close()
            self.reached[number] = of.number
            if self.over.wait(PAUSE):
                kept.close()
                return

    def rotate(self, before, number):
        """Puts the next generation beside the one before, in place of the one before that."""
        after = self.generation(number, before)
        self.trusted = after.trusted
        reloads = self.served.metric(CALLERS_RELOADED)
        self.put(after.server, self.bundle("both.pem", before.callers, after.callers))
        self.write_callers(before, after)
        self.served.signal(signal.SIGHUP)
        shown = self.context_of(after)
        until(lambda: self.peer_of(shown) == after.server.serial(), "the new certificate is shown, and the new CA believed")
        until(lambda: self.served.metric(CALLERS_RELOADED) > reloads, "the callers' file is read again")
        self.current = after
        until(lambda: self.failed or min(self.reached) == number, "every worker calls as the next generation")
        return after

    def context_of(self, generation):
        return test_tls.tls_context(generation.trusted.certificate, generation.client.certificate, generation.client.key)

    def peer_of(self, context):
        """The serial that the server shows to who gets in; None for who does not."""
        try:
            peer = self.peer(context)
            peer.sendall(test_tls.GREETING)
            serial = peer.getpeercert()["serialNumber"] if peer.recv(1 << 16) else None
            peer.close()
            return serial
        except OSError:
            return None

    def outcome(self, client):
        try:
            client.settings.OptOut(opt_out("leaver"), timeout=PATIENCE)
        except grpc.RpcError as error:
            return decode_error(error).reason
        return "OK"

    def test_no_call_fails_and_who_was_taken_out_is(self):
        now = self.current = self.generation(0)
        self.trusted = now.trusted
        self.put(now.server, now.callers)
        self.options = lambda original=self.options: [*original(), "--callers", str(self.write_callers(now))]
        self.serve()
        self.over, self.failed, self.calls, self.reached = threading.Event(), [], [0] * WORKERS, [0] * WORKERS
        workers = [threading.Thread(target=self.work, args=(number,)) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        try:
            leavers = []  # of each generation a connection that stays open
            for number in range(1, ROTATIONS + 1):
                leavers.append((now, self.connect(now, self.trusted)))
                self.assertEqual(self.outcome(leavers[-1][1]), "OK")
                now = self.rotate(now, number)
                self.assertEqual(self.outcome(leavers[-1][1]), "OK", "the one before is still in the file")
                if len(leavers) > 1:
                    gone, client = leavers.pop(0)
                    self.assertEqual(self.outcome(client), "CALLER_UNKNOWN")
                    client.close()
                    context = test_tls.tls_context(now.trusted.certificate, gone.client.certificate, gone.client.key)
                    self.assertIsNone(self.peer_of(context), "its CA is believed no more")
                self.assertEqual(self.failed, [])
        finally:
            self.over.set()
            for worker in workers:
                worker.join()
            for _, client in leavers:
                client.close()
        self.assertEqual(self.failed, [])
        self.assertGreaterEqual(self.served.metric(test_tls.RELOADED), ROTATIONS)
        print(f"{ROTATIONS} rotations under load: {sum(self.calls)} calls, {len(self.failed)} failed", file=sys.stderr)
        self.assertEqual(self.served.stop(), 0)


if __name__ == "__main__":
    unittest.main()
