"""Peers of an HTTP server that are slow on purpose and come back as soon as they are turned away.

As a program: slow_peers.py HOST PORT COUNT [KIND]; without a kind all kinds by turns. Prints "attacking" once each has connected, goes on until its standard input ends,
then prints how many connections it made in all.
"""

import contextlib
import itertools
import select
import socket
import sys
import time

PATHS = ("/livez", "/readyz", "/metrics", "/none")


class SlowPeer:
    """One connection after the other, all of one kind."""

    def __init__(self, address, kind, path):
        self.address = address
        self.kind = kind
        self.head = f"GET {path} HTTP/1.1\r\nHost: {'x' * 200}\r\n\r\n".encode()
        self.connection = None
        self.sent = 0
        self.connections = 0

    def connect(self):
        self.connection = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.setblocking(False)
        self.sent = 0
        self.connections += 1
        with contextlib.suppress(BlockingIOError):
            self.connection.connect(self.address)

    def send(self, data):
        with contextlib.suppress(OSError):
            self.sent += self.connection.send(data)

    def begin(self):
        """What it does once it is connected."""
        if self.kind == "half a head":
            self.send(self.head[:-3])
        elif self.kind == "drips":
            self.send(self.head[:1])
        elif self.kind in ("takes nothing", "asks again and again"):
            self.send(b"GET /metrics HTTP/1.1\r\n\r\n")
        elif self.kind == "asks much and takes nothing":
            self.send(self.head * 30)
        elif self.kind == "garbage":
            self.send(b"\x16\x03\x01" + bytes(500))
        elif self.kind == "busy":
            self.send(self.head * 2)

    def take(self):
        """Of the busy one: what has come, and the next question at once."""
        with contextlib.suppress(OSError):
            if self.connection.recv(65536):
                self.send(self.head)

    def tick(self):
        if self.kind == "drips" and 0 < self.sent < len(self.head) - 1:
            self.send(self.head[self.sent:self.sent + 1])


# "asks again and again" closes before it has its answer, and is back at once; "busy" takes each and asks the next on the same connection.
KINDS = ("silent", "half a head", "drips", "takes nothing", "asks much and takes nothing", "garbage", "asks again and again", "busy")


class Swarm:

    def __init__(self, address, count, kinds):
        self.poll = select.epoll()
        self.peers = {}
        self.all = [SlowPeer(address, kind, path) for kind, path in itertools.islice(itertools.cycle(itertools.product(kinds, PATHS)), count)]
        for peer in self.all:
            self.connect(peer)

    def connect(self, peer):
        peer.connect()
        self.peers[peer.connection.fileno()] = peer
        self.poll.register(peer.connection.fileno(), select.EPOLLOUT | select.EPOLLRDHUP)

    def connect_again(self, peer):
        del self.peers[peer.connection.fileno()]
        peer.connection.close()
        self.connect(peer)

    def tick(self):
        for peer in self.all:
            if peer.kind == "asks again and again" and peer.sent:
                self.connect_again(peer)
            else:
                peer.tick()

    def turn(self, patience):
        """Serves what happened. All but the busy ones never read: of them only connecting and ending are events."""
        for descriptor, events in self.poll.poll(patience):
            peer = self.peers[descriptor]
            if events & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
                self.connect_again(peer)
            elif events & select.EPOLLOUT:
                self.poll.modify(descriptor, select.EPOLLRDHUP | (select.EPOLLIN if peer.kind == "busy" else 0))
                peer.begin()
            elif events & select.EPOLLIN:
                peer.take()


def main():
    swarm = Swarm((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), sys.argv[4:] or KINDS)
    ticked = time.monotonic()
    said = False
    while not select.select([sys.stdin], [], [], 0)[0]:
        swarm.turn(0.02)
        if not said and all(peer.sent or peer.kind == "silent" for peer in swarm.all):
            said = True
            print("attacking", flush=True)
        if time.monotonic() - ticked > 0.02:
            ticked = time.monotonic()
            swarm.tick()
    print(sum(peer.connections for peer in swarm.all))


if __name__ == "__main__":
    main()
