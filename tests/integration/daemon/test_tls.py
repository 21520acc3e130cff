"""TLS of the real daemon: who gets in, who ends in the handshake, certificates that change while it runs, and floods and stalled peers
that speak TLS."""

import contextlib
import dataclasses
import os
import pathlib
import re
import select
import shutil
import signal
import ssl
import subprocess
import sys
import time
import unittest
import unittest.mock

import grpc

from consent.v1 import settings_service_pb2 as settings

from certificates import DAY, Authority
from harness import PATIENCE, Client, DaemonTest, refused, run_to_end, until
from hostile import ACKNOWLEDGE, FLOODS, GREETING, PREFACE, Ciphered, connect, tls_context
from test_addresses import has_ipv6
from test_floods import CLOSED, MOST_MIB, REASONS, resident

USAGE, KEYS = 64, 66
HANDSHAKE = 5  # seconds, as daemon/app/README.md has it
SLACK = 10     # busy machines
FAILED = "consentd_tls_handshakes_failed_total"
RELOADED = 'consentd_tls_certificate_reloads_total{result="ok"}'
NOT_TAKEN = 'consentd_tls_certificate_reloads_total{result="refused"}'


class TlsClient(Client):
    """Shows a certificate, or none. Makes no second connection for the same address with another channel's certificate."""

    def __init__(self, address, ca, shown):
        key, certificate = (None, None) if shown is None else (shown.key.read_bytes(), shown.certificate.read_bytes())
        trusted = ca.certificate.read_bytes()
        made = grpc.secure_channel

        def secure(target, options):
            return made(target, grpc.ssl_channel_credentials(trusted, key, certificate),
                        options=[*options, ("grpc.ssl_target_name_override", "localhost")])

        with unittest.mock.patch.object(grpc, "insecure_channel", secure):
            super().__init__(address)


class TlsTest(DaemonTest):

    def setUp(self):
        super().setUp()
        self.servers, self.callers = Authority(self.folder / "servers"), Authority(self.folder / "callers")
        self.good = self.callers.issue("URI:spiffe://example.org/backend")
        self.files = {"--tls-cert": self.folder / "server.pem", "--tls-key": self.folder / "server.key", "--tls-client-ca": self.folder / "callers.pem"}
        self.put(self.servers.issue("DNS:localhost"), self.callers)

    def put(self, pair, ca):
        """Changes the operator's files as a deployment does: each is replaced by a rename, one after the other."""
        for option, source in (("--tls-cert", pair.certificate), ("--tls-key", pair.key), ("--tls-client-ca", ca.certificate)):
            fresh = self.files[option].with_suffix(".new")
            shutil.copy(source, fresh)
            fresh.chmod(0o600)
            fresh.rename(self.files[option])

    def options(self):
        return [text for option, path in self.files.items() for text in (option, str(path))]

    def serve(self, place="127.0.0.1:0"):
        self.served = self.daemon("--listen", place, "--listen", f"unix:{self.folder}/run/consentd.sock", *self.options())
        listening = self.served.wait_for("listening")["address"].split()
        self.address = next(address for address in listening if not address.startswith("unix:"))

    def api(self, shown):
        client = TlsClient(self.address, self.servers, shown)
        self.addCleanup(client.close)
        return client

    def context(self, shown):
        return tls_context(self.servers.certificate, *(() if shown is None else (shown.certificate, shown.key)))

    def peer(self, context):
        peer = context.wrap_socket(connect(self.address), server_hostname="localhost")
        self.addCleanup(peer.close)
        peer.settimeout(PATIENCE)
        return peer

    def answer(self, context):
        """What the server sends to one that begins to speak HTTP/2; nothing where the handshake ends it."""
        try:
            peer = self.peer(context)
            peer.sendall(GREETING)
            return peer.recv(1 << 16)
        except OSError:
            return b""

    def closed(self):
        return {reason: int(count) for reason, count in CLOSED.findall(self.served.metrics())}


class Handshake(TlsTest):

    def test_a_good_certificate_is_served_and_has_no_role_without_an_entry(self):
        self.serve()
        api = self.api(self.good)
        self.assertEqual(api.health(), "SERVING")
        error = refused(api.settings.GetSettings, settings.GetSettingsRequest(account_id="a"))
        self.assertEqual((error.code, error.reason), (grpc.StatusCode.PERMISSION_DENIED, "CALLER_UNKNOWN"))
        peer = self.peer(self.context(self.good))
        self.assertEqual(peer.version(), "TLSv1.3")
        self.assertEqual(peer.selected_alpn_protocol(), "h2")
        # The Unix socket beside it is as ever.
        local = self.client(self.served)
        self.assertFalse(local.settings.GetSettings(settings.GetSettingsRequest(account_id="a")).registered)

    def test_names_and_wildcards(self):
        for place in ["localhost:0", "0.0.0.0:0", "*:0"] + (["[::]:0"] if has_ipv6() else []):
            with self.subTest(place):
                self.serve(place)
                for address in self.served.wait_for("listening")["address"].split():
                    if not address.startswith("unix:"):
                        self.address = address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
                        self.assertNotEqual(self.answer(self.context(self.good)), b"")
                        self.assertEqual(self.answer(self.context(None)), b"")
                self.assertEqual(self.served.stop(), 0)

    def test_everybody_else_ends_in_the_handshake(self):
        self.serve()
        strangers = Authority(self.folder / "strangers", name="ca")  # a CA of the same name
        older = self.context(self.good)
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        rows = {
            "no certificate": self.context(None),
            "another CA's": self.context(strangers.issue("URI:spiffe://example.org/backend")),
            "one that it signed itself": self.context(strangers),
            "expired": self.context(self.callers.issue("URI:spiffe://example.org/backend", -2 * DAY, -DAY)),
            "not yet valid": self.context(self.callers.issue("URI:spiffe://example.org/backend", DAY, 2 * DAY)),
            "TLS 1.2": older,
        }
        for what, context in rows.items():
            with self.subTest(what):
                failed, before = self.served.metric(FAILED), self.closed()
                self.assertEqual(self.answer(context), b"")
                until(lambda failed=failed: self.served.metric(FAILED) == failed + 1, "the handshake is counted")
                now = self.closed()
                self.assertEqual({reason: now[reason] - before[reason] for reason in now if now[reason] != before[reason]}, {"ended": 1})
        # The same context is good for who may come, so it was the certificate.
        self.assertNotEqual(self.answer(self.context(self.good)), b"")

    def test_what_is_not_tls_is_answered_nothing(self):
        self.serve()
        for sent in (GREETING + ACKNOWLEDGE, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" + bytes(100)):
            with self.subTest(sent[:3]), contextlib.closing(connect(self.address)) as peer:
                failed = self.served.metric(FAILED)
                peer.settimeout(PATIENCE)
                peer.sendall(sent)
                answered = b""
                with contextlib.suppress(OSError):
                    while more := peer.recv(1 << 16):
                        answered += more
                # OpenSSL may send an alert, a record of two bytes.
                self.assertLessEqual(len(answered), 7)
                until(lambda failed=failed: self.served.metric(FAILED) == failed + 1, "the handshake is counted")

    def test_a_session_is_never_kept(self):
        """A control beside it proves that a ticket would have been found: OpenSSL's own server gives one."""
        self.serve()
        pair = self.servers.issue("DNS:localhost")
        other = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pair.certificate, "-key", pair.key, "-www"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        control = re.search(rb"ACCEPT (\S+)", other.stdout.readline() + other.stdout.readline()).group(1).decode()
        self.assertTrue(self.session_of(control, b"GET / HTTP/1.0\r\n\r\n"))
        other.stdout.close()
        other.stdin.close()
        self.assertFalse(self.session_of(self.address, GREETING))

    def session_of(self, address, asked):
        """Whether a session was given before the answer to `asked`, which comes behind every ticket."""
        kept = self.folder / f"session-{address}"
        client = subprocess.Popen(["openssl", "s_client", "-connect", address, "-cert", self.good.certificate, "-key", self.good.key,
                                   "-CAfile", self.servers.certificate, "-sess_out", kept, "-quiet", "-alpn", "h2"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            client.stdin.write(asked)
            client.stdin.flush()
            self.assertNotEqual(client.stdout.read(1), b"")
        finally:
            client.kill()
            client.wait()
            client.stdin.close()
            client.stdout.close()
        return kept.exists() and kept.stat().st_size > 0

    def test_its_own_files_name_nobody_and_are_nobody_elses(self):
        self.serve()
        self.api(self.good).health()
        secret = self.files["--tls-key"].read_text().splitlines()[1]
        self.assertNotIn(secret, self.served.log())
        self.assertNotIn("spiffe:", self.served.log())
        copies = [path for path in self.folder.rglob("*") if path.is_file() and not path.is_relative_to(self.servers.folder) and
                  path not in self.files.values() and secret in path.read_bytes().decode(errors="replace")]
        for path in copies:
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
            self.assertEqual(path.parent.stat().st_mode & 0o077, 0, path)
        self.assertEqual(self.served.stop(), 0)
        self.assertEqual([path for path in copies if path.exists()], [])


class Refused(TlsTest):

    def refuse(self, code, *says):
        done = run_to_end("serve", "--listen", "127.0.0.1:0", "--data-dir", self.folder / "data", "--metrics-listen", "off", *self.options())
        self.assertEqual(done.code, code, done)
        for text in says:
            self.assertIn(text, done.err)
        self.assertFalse((self.folder / "data").exists(), "nothing is made by a start that is refused")

    def test_what_does_not_belong_together(self):
        good, later = self.servers.issue("DNS:localhost"), self.servers.issue("DNS:localhost", DAY, 2 * DAY)
        past = self.servers.issue("DNS:localhost", -2 * DAY, -DAY)
        certificate, key, ca = self.files.values()
        rows = {
            "another certificate's key": (lambda: shutil.copy(self.good.key, key), ("server.key", "another certificate")),
            "a chain that begins with the CA": (
                lambda: certificate.write_bytes(self.servers.certificate.read_bytes() + good.certificate.read_bytes()), ("server.",)),
            "expired": (lambda: self.put(past, self.callers), ("server.pem", "expired", "Z")),
            "not yet valid": (lambda: self.put(later, self.callers), ("server.pem", "not valid before", "Z")),
            "a certificate for a CA": (lambda: shutil.copy(self.good.certificate, ca), ("callers.pem", "CA")),
            "garbage for a certificate": (lambda: certificate.write_bytes(os.urandom(1000)), ("server.pem", "PEM")),
            "an empty certificate": (lambda: certificate.write_bytes(b""), ("server.pem",)),
            "an empty key": (lambda: key.write_bytes(b""), ("server.key",)),
            "an empty CA": (lambda: ca.write_bytes(b""), ("callers.pem",)),
            "a huge one": (lambda: certificate.write_bytes(good.certificate.read_bytes() * 2000), ("server.pem", "bytes")),
            "a missing one": (ca.unlink, ("callers.pem",)),
            "a key that others may read": (lambda: key.chmod(0o644), ("server.key",)),
        }
        for what, (spoil, says) in rows.items():
            with self.subTest(what):
                self.put(good, self.callers)
                spoil()
                self.refuse(KEYS, *says)

    def test_two_of_three(self):
        for left_out in list(self.files):
            with self.subTest(left_out):
                kept = self.files.pop(left_out)
                self.refuse(USAGE, "--tls-cert", "--tls-key", "--tls-client-ca")
                self.files[left_out] = kept

    def test_other_hosts_without_certificates(self):
        self.files = {}
        for place in ("0.0.0.0:0", "[::]:0", "*:0", "consent.example:0"):
            done = run_to_end("serve", "--listen", place, "--data-dir", self.folder / "data")
            self.assertEqual(done.code, USAGE, done)
            self.assertIn("without certificates", done.err)


class Rotation(TlsTest):

    def shown_serial(self):
        return self.peer(self.context(self.good)).getpeercert()["serialNumber"]

    def test_what_does_not_belong_together_changes_nothing(self):
        self.serve()
        before = self.shown_serial()
        shutil.copy(self.servers.issue("DNS:localhost").key, self.files["--tls-key"])
        until(lambda: self.served.metric(NOT_TAKEN) == 1, "the change is refused")
        self.served.signal(signal.SIGHUP)
        for _ in range(3):
            self.assertEqual(self.shown_serial(), before)
            self.assertEqual(self.api(self.good).health(), "SERVING")
        told = [event for event in self.served.events() if "server.key" in event.get("why", "")]
        self.assertEqual(len(told), 1, told)
        self.assertEqual(self.served.metric(RELOADED), 0)
        pair = self.servers.issue("DNS:localhost")
        self.put(pair, self.callers)
        until(lambda: self.shown_serial() == pair.serial(), "the mended set is taken")
        self.assertEqual(self.served.metric(RELOADED), 1)

    def test_another_client_ca_ends_the_old_ones_new_connections(self):
        self.serve()
        kept = self.api(self.good)
        self.assertEqual(kept.health(), "SERVING")
        successors = Authority(self.folder / "successors")
        new = successors.issue("URI:spiffe://example.org/backend")
        self.assertEqual(self.answer(self.context(new)), b"")
        self.put(self.servers.issue("DNS:localhost"), successors)
        until(lambda: self.answer(self.context(new)) != b"", "the new CA is believed")
        self.assertEqual(self.answer(self.context(self.good)), b"")
        self.assertEqual(kept.health(), "SERVING", "a connection that is open goes on")

    def test_the_end_is_told(self):
        self.serve()
        named = re.findall(r"^consentd_tls_certificate_not_after_timestamp_seconds\S* (\S+)$", self.served.metrics(), re.M)
        self.assertEqual(len(named), 2)
        now = time.time()
        self.assertAlmostEqual(min(map(float, named)), now + DAY.total_seconds(), delta=300)
        self.assertAlmostEqual(max(map(float, named)), now + 30 * DAY.total_seconds(), delta=300)


class Floods(TlsTest):
    """Each in a short form, by a peer whose certificate is good: as bounded as without TLS."""

    def test_each(self):
        self.serve()
        canary = self.api(self.good)
        for kind in FLOODS:
            with self.subTest(kind):
                self.hold(kind, canary)
        self.assertEqual(self.served.stop(), 0)

    def hold(self, kind, canary):
        before, counted = resident(self.served), self.closed()
        flood = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("hostile.py"), kind, self.address, self.good.certificate,
                                  self.good.key, self.servers.certificate], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(flood.stdout.readline(), "flooding\n")
            highest, end = 0, time.monotonic() + 0.5
            while time.monotonic() < end:
                highest = max(highest, resident(self.served))
                self.assertLess(highest, before + MOST_MIB, "MiB resident")
                self.assertEqual(canary.health(), "SERVING")
            sent, cuts = map(int, flood.communicate()[0].split())
        finally:
            flood.kill()
            flood.communicate()
        print(f"tls {kind:24} {sent / 2**20:7.1f} MiB sent, {cuts:5} cuts, resident {before:.0f} -> {highest:.0f} MiB", file=sys.stderr)
        self.assertGreater(cuts, 0)
        now = self.closed()
        # Deciphered bytes come a record at a time, so gRPC may end by itself what is beyond its own bound on a frame's metadata.
        cut_by = {REASONS[kind], "ended"} if kind == "endless-acknowledged" else {REASONS[kind]}
        self.assertGreater(sum(now[reason] - counted[reason] for reason in cut_by), 0)
        for reason in now.keys() - {REASONS[kind], "ended"}:
            self.assertEqual(now[reason], counted[reason], reason)
        until(lambda: resident(self.served) < before + 30, "the memory is given back")


@dataclasses.dataclass(frozen=True)
class Stall:
    what: str
    sent: bytes
    shakes_hands: bool = True


class Stalled(TlsTest):
    ROWS = (
        Stall("nothing", b"", shakes_hands=False),
        Stall("part of a ClientHello", b"\x16\x03\x01\x02\x00\x01\x00", shakes_hands=False),
        Stall("TLS handshake and no more", b""),
        Stall("part of the preface", PREFACE[:10]),
        Stall("the preface without SETTINGS", PREFACE),
        Stall("part of SETTINGS", GREETING[:-4]),
    )

    def test_before_http2_is_spoken(self):
        self.serve()
        open_ones = {}
        for row in self.ROWS:
            peer = connect(self.address)
            if row.shakes_hands:
                peer = Ciphered(peer, self.context(self.good))
            peer.setblocking(False)
            if row.sent:
                peer.send(row.sent)
            open_ones[row] = (peer, time.monotonic())
        ended = {}
        last = time.monotonic() + HANDSHAKE + SLACK
        while open_ones and time.monotonic() < last:
            select.select([peer for peer, _ in open_ones.values()], [], [], 0.05)
            for row, (peer, began) in list(open_ones.items()):
                if self.has_ended(peer):
                    ended[row] = time.monotonic() - began
                    peer.close()
                    del open_ones[row]
        self.assertEqual([row.what for row in open_ones], [], "go on")
        for row, after in ended.items():
            with self.subTest(row.what):
                self.assertGreater(after, 0.9 * HANDSHAKE)
                self.assertLess(after, HANDSHAKE + SLACK)
        self.assertEqual(self.api(self.good).health(), "SERVING")

    @staticmethod
    def has_ended(peer):
        try:
            while peer.recv(1 << 16):
                pass
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True


if __name__ == "__main__":
    unittest.main()
