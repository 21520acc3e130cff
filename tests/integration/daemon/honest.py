"""Honest clients in several languages that ask whether a recording may be used, at a steady pace, and note how long each answer took.

Each has a name, `times` (calls for some seconds, and raises at the first answer that is wrong or missing), `held` (whether its first
connection still serves it) and `end`. Which are there depends on the programs that are: TEST_CTL (consentctl), node, h2load.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

import grpc

from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types

from harness import Client, PATIENCE
from words import OFFICE, check, household, opt_out, turn_on

CTL = os.environ.get("TEST_CTL")
PACE = 0.01  # seconds from call to call
NO, YES = "canary", "volunteer"  # accounts


def prepare(api):
    """One account that refuses everything, and one whose recordings may be used."""
    api.settings.OptOut(opt_out(NO))
    api.subjects.UpsertSubject(household(YES))
    etag = api.settings.GetSettings(settings.GetSettingsRequest(account_id=YES)).etag
    api.settings.UpdateSettings(turn_on(YES, etag))


def missing():
    """Programs that are not there, so that their clients are left out."""
    return [name for name, path in (("consentctl", CTL), ("node", shutil.which("node")), ("h2load", shutil.which("h2load"))) if not path]


def clients(address, folder):
    """Each is connected and has an answer."""
    there = [PythonClient(address)]
    absent = missing()
    if "consentctl" not in absent:
        there.append(Ctl(address))
    if "node" not in absent:
        there.append(Node(address))
    if "h2load" not in absent:
        there.append(H2load(address, folder))
    return there


def sockets(process):
    found = (os.readlink(entry) for entry in pathlib.Path(f"/proc/{process.pid}/fd").iterdir())
    return {name for name in found if name.startswith("socket:")}


class Asking:
    """Asks one after the other: `ask` raises where an answer is not right."""

    def times(self, seconds, over):
        """Seconds of each call, until `over` is set."""
        took, due, last = [], time.monotonic(), time.monotonic() + seconds
        while due < last and not over.is_set():
            due += PACE
            early = due - time.monotonic()
            if early > 0:
                over.wait(early)
            # Calls that an answer kept waiting began when they were due.
            began = time.monotonic() if early > 0 else due
            self.ask()
            took.append(time.monotonic() - began)
        return took


class PythonClient(Asking):
    name = "python"

    def __init__(self, address):
        self.client = Client(address)
        self.states = []
        self.client.channel.subscribe(self.states.append)
        self.ask()

    def ask(self):
        answer = self.client.eligibility.Check(check(NO), timeout=PATIENCE)
        assert answer.decision.eligibility == types.ELIGIBILITY_NOT_ELIGIBLE, answer

    def held(self):
        ready = grpc.ChannelConnectivity.READY
        return self.states.count(ready) == 1 and self.states[-1] is ready

    def end(self):
        self.client.close()


class LineClient(Asking):
    """A program that answers each line with a line, over one connection."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        bufsize=1)
        self.ask()
        self.first = sockets(self.process)

    def ask(self):
        with contextlib.suppress(BrokenPipeError):  # what it says at its end tells why
            self.process.stdin.write(self.line() + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise AssertionError(f"{self.name} ended with {self.process.wait()}: {self.process.stderr.read()}")
        self.hold(answer)

    def held(self):
        return sockets(self.process) == self.first

    def end(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0 and out == "", f"{self.name} ended with {self.process.returncode}: {err}"


def filter_command(address, *options):
    return [CTL, "--endpoint", address, "filter", "--purpose", "HUMAN_REVIEW", "--country", OFFICE.country, "--site", OFFICE.site,
            "--reviewer", "EMPLOYEE", *options]


def recording_line():
    one = check(YES).recording
    return json.dumps({"recording_id": one.recording_id, "account_id": one.account_id, "captured_at": one.captured_at.ToJsonString(),
                       "profile_ids": list(one.profile_ids), "device_id": one.device_id, "wake": "INTENDED", "kind": "COMMAND",
                       "speakers": "ONE", "identity": "MATCHED", "age": "ADULT"})


class Ctl(LineClient):
    """The C++ library. consentctl lets through what may be used, as soon as it knows."""
    name = "consentctl"

    def __init__(self, address):
        super().__init__(*filter_command(address, "--batch", "1", "--parallel", "1"))

    def line(self):
        return recording_line()

    def hold(self, answer):
        assert json.loads(answer)["recording_id"] == "rec-1", answer


class Node(LineClient):
    name = "node"

    def __init__(self, address):
        super().__init__("node", pathlib.Path(__file__).with_name("honest.js"), address)

    def line(self):
        return base64.b64encode(check(YES).SerializeToString()).decode()

    def hold(self, answer):
        decision = eligibility.CheckResponse.FromString(base64.b64decode(answer)).decision
        assert decision.eligibility == types.ELIGIBILITY_ELIGIBLE, decision


class H2load:
    """Four connections. It sees an answer's status of HTTP and its length, not what it says."""
    name = "h2load"

    def __init__(self, address, folder):
        self.address, self.log, self.request = address, folder / "h2load.log", folder / "request"
        message = check(NO).SerializeToString()
        self.request.write_bytes(b"\0" + struct.pack(">I", len(message)) + message)
        self.run("-n", "1")

    def run(self, *options, seconds=0):
        base = [f"--base-uri={self.address}"] if self.address.startswith("unix:") else []
        host = "localhost" if base else self.address
        done = subprocess.run(["h2load", *options, *base, "-d", self.request, "-H", "content-type: application/grpc", "-H", "te: trailers",
                               f"http://{host}/consent.v1.EligibilityService/Check"], capture_output=True, text=True, check=True,
                              timeout=seconds + PATIENCE)
        said = re.search(r"(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
        finished, succeeded, *bad = map(int, said.groups())
        answered = int(re.search(r"\((\d+)\) data", done.stdout)[1])
        # A refusal has no message.
        assert bad == [0, 0, 0] and finished == succeeded and answered >= 50 * finished > 0, done.stdout
        return finished

    def times(self, seconds, _):
        self.log.unlink(missing_ok=True)
        self.run("-D", f"{round(seconds * 1000)}ms", "-c", "4", "-m", "100", f"--rps={round(1 / PACE / 4)}", f"--log-file={self.log}",
                 seconds=seconds)
        rows = [row.split("\t") for row in self.log.read_text().splitlines()]
        assert all(row[1] == "200" for row in rows), rows
        return [int(row[2]) / 1e6 for row in rows]

    def held(self):
        return True  # it counts each end of a connection as an error

    def end(self):
        pass


def burst(address, folder):
    """Much at once on new connections: 8 with up to 200 calls under way each, and 2,000 lines of a file."""
    absent = missing()
    if "h2load" not in absent:
        finished = H2load(address, folder).run("-c", "8", "-m", "200", "-n", "1600")
        assert finished == 1600, finished
    if "consentctl" not in absent:
        lines = folder / "recordings"
        lines.write_text((recording_line() + "\n") * 2000)
        done = subprocess.run(filter_command(address, str(lines)), capture_output=True, text=True, check=False)
        assert done.returncode == 0 and done.stdout.count("\n") == 2000, f"{done.returncode}: {done.stderr}"


def say_what_is_missing():
    for name in missing():
        print(f"skipped: no client of {name}, which is not here", file=sys.stderr)
