"""Connections that go no further end in their time, TCP and Unix: each way to stall against the real daemon and its real time limits.

CONSENT_STALLED=all: also the limits of minutes, all at once, in 12 minutes; the campaign of tests/README.md. tests/unit/app/server_test.cc
holds them, shortened, in each run.
"""

import dataclasses
import os
import select
import sys
import time
import unittest

from harness import Client, Daemon, DaemonTest
from hostile import ACK, ACKNOWLEDGE, CALL, DATA, END_HEADERS, GREETING, HEADERS, PING, PREFACE, connect, frame

HANDSHAKE, PING_ANSWER, IDLE, AGE, GRACE = 5, 60 + 20, 300, 600, 30  # seconds, as daemon/app/README.md has them
SLACK = 10  # busy machines
FIRST_CALL = frame(HEADERS, END_HEADERS, 1, CALL)


@dataclasses.dataclass(frozen=True)
class Stall:
    what: str
    sent: bytes
    least: float
    most: float
    pause: float = 0  # between one byte and the next; 0: all at once
    answers: bool = False  # pings


# Until a connection has shown that it speaks HTTP/2.
SHORT = (
    Stall("nothing", b"", HANDSHAKE, HANDSHAKE),
    Stall("part of the preface", PREFACE[:10], HANDSHAKE, HANDSHAKE),
    Stall("the preface by drips", PREFACE, HANDSHAKE, HANDSHAKE + 1, pause=0.5),
    Stall("the preface without SETTINGS", PREFACE, HANDSHAKE, HANDSHAKE),
    Stall("part of SETTINGS", GREETING[:-4], HANDSHAKE, HANDSHAKE),
    Stall("part of a ClientHello", b"\x16\x03\x01\x02\x00\x01\x00", 0, HANDSHAKE),
)
# gRPC takes a tenth of the age more or less.
HALF_MESSAGE = frame(DATA, 0, 1, b"\0\0\0\0\x64half")
LONG = (
    Stall("SETTINGS and no more, no ping answered", GREETING + ACKNOWLEDGE, PING_ANSWER, PING_ANSWER),
    Stall("half a header block", GREETING + ACKNOWLEDGE + frame(HEADERS, 0, 1, CALL[:30]), PING_ANSWER, PING_ANSWER),
    Stall("a call without its message, no ping answered", GREETING + ACKNOWLEDGE + FIRST_CALL, PING_ANSWER, PING_ANSWER),
    Stall("SETTINGS and no more", GREETING + ACKNOWLEDGE, IDLE, IDLE, answers=True),
    Stall("a call without its message", GREETING + ACKNOWLEDGE + FIRST_CALL, 0.9 * AGE, 1.1 * AGE + GRACE, answers=True),
    Stall("half a message", GREETING + ACKNOWLEDGE + FIRST_CALL + HALF_MESSAGE, 0.9 * AGE, 1.1 * AGE + GRACE, answers=True),
)


class Peer:
    """Stalls on one connection."""

    def __init__(self, transport, address, stall):
        self.transport, self.stall = transport, stall
        self.socket = connect(address)
        self.began = time.monotonic()
        self.ended_after = None
        self.unread = b""
        self.sent = 0
        self.send_due()

    def fileno(self):
        return self.socket.fileno()

    def send_due(self):
        pause, message = self.stall.pause, self.stall.sent
        due = min(len(message), int((time.monotonic() - self.began) / pause)) if pause else len(message)
        try:
            self.socket.sendall(message[self.sent:due])
            self.sent = due
        except OSError:  # reading tells that it ended
            pass

    def read(self):
        try:
            data = self.socket.recv(1 << 16)
            if data and self.stall.answers:
                self.answer(data)
        except OSError:
            data = b""
        if not data:
            self.ended_after = time.monotonic() - self.began
            self.socket.close()

    def answer(self, data):
        self.unread += data
        while len(self.unread) >= 9 and len(self.unread) >= (whole := 9 + int.from_bytes(self.unread[:3], "big")):
            kind, flags, body, self.unread = self.unread[3], self.unread[4], self.unread[9:whole], self.unread[whole:]
            if kind == PING and not flags & ACK:
                self.socket.sendall(frame(PING, ACK, 0, body))


class Stalled(DaemonTest):

    def hold(self, stalls):
        daemons = {}
        for transport, listen in (("tcp", "127.0.0.1:0"), ("unix", f"unix:{self.folder}/unix/run/s")):
            (self.folder / transport).mkdir()
            daemons[transport] = Daemon(self.folder / transport, "--listen", listen)
            self.addCleanup(daemons[transport].kill)
            daemons[transport].start()
        addresses = {transport: daemon.wait_for("listening")["address"] for transport, daemon in daemons.items()}
        peers = [Peer(transport, address, stall) for transport, address in addresses.items() for stall in stalls]
        self.wait_for(peers)
        for peer in peers:
            with self.subTest(stall=peer.stall.what, transport=peer.transport):
                self.assertIsNotNone(peer.ended_after, "goes on")
                self.assertGreater(peer.ended_after, 0.95 * peer.stall.least)
                self.assertLess(peer.ended_after, peer.stall.most + SLACK)
        for transport, daemon in daemons.items():
            client = Client(addresses[transport])
            self.addCleanup(client.close)
            self.assertEqual(client.health(), "SERVING")
            client.close()
            self.assertEqual(daemon.stop(), 0)

    def wait_for(self, peers):
        last = time.monotonic() + max(peer.stall.most for peer in peers) + SLACK
        while (open_ones := [peer for peer in peers if peer.ended_after is None]) and time.monotonic() < last:
            for peer in select.select(open_ones, [], [], 0.05)[0]:
                peer.read()
                if peer.ended_after is not None:
                    print(f"{peer.transport:5} {peer.stall.what:45} closed after {peer.ended_after:6.1f} s", file=sys.stderr)
            for peer in open_ones:
                if peer.ended_after is None:
                    peer.send_due()

    def test_before_http2_is_spoken(self):
        self.hold(SHORT)

    @unittest.skipUnless(os.environ.get("CONSENT_STALLED") == "all", "takes 12 minutes")
    def test_afterwards(self):
        self.hold(LONG)


if __name__ == "__main__":
    unittest.main()
