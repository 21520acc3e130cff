"""A stand-in for systemd as a service's manager: hears what sd_notify(3) sends, and ends a service that its watchdog missed."""

import dataclasses
import os
import signal
import socket
import time


@dataclasses.dataclass
class Message:
    at: float  # time.monotonic() when it was read
    lines: list


class ServiceManager:
    """Listens on a socket of its own. `environment` is what a service is started with."""

    def __init__(self, folder, watchdog=None):
        """`watchdog`: WatchdogSec; None: it does not watch."""
        self.path = folder / "notify"
        self.watchdog = watchdog
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(str(self.path))
        self.messages = []
        self.environment = {"NOTIFY_SOCKET": str(self.path)}
        if watchdog is not None:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog * 1_000_000))

    def close(self):
        self.socket.close()

    def hear(self, patience):
        """The next message; None where none comes within `patience` seconds."""
        self.socket.settimeout(max(patience, 0.001))
        try:
            data = self.socket.recv(4096)
        except (TimeoutError, BlockingIOError):
            return None
        self.messages.append(Message(time.monotonic(), data.decode().split("\n")))
        return self.messages[-1]

    def hear_until(self, line, patience):
        """The message that has `line`, or fails."""
        deadline = time.monotonic() + patience
        while (message := self.hear(deadline - time.monotonic())) is not None:
            if line in message.lines:
                return message
        raise AssertionError(f"no {line} within {patience} s, but {self.messages}")

    def hear_for(self, seconds):
        """All that comes within `seconds`."""
        deadline = time.monotonic() + seconds
        first = len(self.messages)
        while time.monotonic() < deadline:
            self.hear(deadline - time.monotonic())
        return self.messages[first:]

    def forget(self):
        """What came so far, also unread."""
        while self.hear(0) is not None:
            pass
        self.messages.clear()

    def watch(self, patience):
        """Returns once the watchdog's time is over without WATCHDOG=1, as systemd would: counted from READY=1 or the last one. Fails
        where the service is fed for all of `patience`."""
        deadline = time.monotonic() + patience
        fed = time.monotonic()
        while time.monotonic() < deadline:
            message = self.hear(fed + self.watchdog - time.monotonic())
            if message is None:
                return
            if "WATCHDOG=1" in message.lines or "READY=1" in message.lines:
                fed = message.at
        raise AssertionError(f"fed for {patience} s")

    @staticmethod
    def end(process):
        """What systemd does for WatchdogSignal=: the signal, and SIGCONT so that a stopped process hears it. Returns how it ended."""
        process.send_signal(signal.SIGABRT)
        process.send_signal(signal.SIGCONT)
        return process.wait(timeout=60)


def systemd_tool(name):
    """The path of a program of systemd; None where it is not installed."""
    for folder in ("/usr/bin", "/bin"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return None
