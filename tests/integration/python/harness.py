"""Runs the real daemon for tests, and speaks to it: processes, channels, error details, metrics and health.

Environment: TEST_DAEMON is the consentd to test, TEST_ROOT the repository. PYTHONPATH holds the generated stubs. Nothing here
sleeps for a guessed time: `until` polls a condition with a deadline. A test that hangs is ended by `lifetime`.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

try:
    import grpc
    from google.rpc import error_details_pb2, status_pb2
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

import lifetime  # noqa: F401  (imported for its effect)
from consent.v1 import approval_service_pb2_grpc as approval_grpc
from consent.v1 import backup_service_pb2_grpc as backup_grpc
from consent.v1 import decision_service_pb2_grpc as decision_grpc
from consent.v1 import deletion_service_pb2_grpc as deletion_grpc
from consent.v1 import eligibility_service_pb2_grpc as eligibility_grpc
from consent.v1 import policy_service_pb2_grpc as policy_grpc
from consent.v1 import hold_service_pb2_grpc as hold_grpc
from consent.v1 import purge_service_pb2_grpc as purge_grpc
from consent.v1 import recording_service_pb2_grpc as recording_grpc
from consent.v1 import review_service_pb2_grpc as review_grpc
from consent.v1 import settings_service_pb2_grpc as settings_grpc
from consent.v1 import key_service_pb2_grpc as key_grpc
from consent.v1 import status_service_pb2_grpc as status_grpc
from consent.v1 import subject_service_pb2_grpc as subject_grpc

DAEMON = os.environ["TEST_DAEMON"]
ROOT = pathlib.Path(os.environ["TEST_ROOT"])
DEFAULT_POLICY = ROOT / "deploy" / "policy.json"
SANITIZED = os.environ.get("TEST_SHIM") == ""  # the sanitizers' builds preload nothing, and are slow and large
PATIENCE = 60.0  # seconds until a condition that must come true counts as failed; sanitizers and busy machines are slow


def one_person(document):
    """The policy in which each loosening takes one person, for tests of what is loosened."""
    document = dict(document, approvals={act: "PERSONS_ONE" for act in ("resume", "release_hold", "activate_policy")})
    document["version"] += "-one-person"
    return document


def with_many_reviews(document):
    """The policy under whose caps as many reviews are granted as a test asks for, whatever the population."""
    document["review_caps"] = [{"purpose": "PURPOSE_HUMAN_REVIEW", "rates": [{"countries": ["*"], "parts_per_million": 1000000}], "per_day": 1000000,
                                "per_site_day": 1000000, "per_reviewer_shift": 10000, "per_account": 256}]
    return document


def until(condition, what, patience=PATIENCE):
    """The first true value of condition(), asked again and again; fails the test once patience is over."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.01)


YARDSTICK = 0.05  # seconds of processor time


def wait_for_a_core():
    """How many times as long something takes here now as it would with a core of its own. For bounds of a machine that has nothing else to do."""
    began, worked = time.monotonic(), time.thread_time()
    while time.thread_time() - worked < YARDSTICK:
        pass
    return (time.monotonic() - began) / (time.thread_time() - worked)


# What a service manager tells a service, which is not for a daemon that a test starts.
OF_A_SERVICE = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY"}


def clean_environment(extra=None):
    """This process's environment without options of the daemon."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSENTD_") and name not in OF_A_SERVICE}
    environment.update(extra or {})
    return environment


@dataclasses.dataclass
class Finished:
    code: int
    out: str
    err: str


def run_to_end(*arguments, environment=None, patience=PATIENCE):
    """Runs consentd until it ends by itself."""
    done = subprocess.run([DAEMON, *map(str, arguments)], env=clean_environment(environment), capture_output=True, text=True,
                          timeout=patience, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)


class Daemon:
    """One consentd in a folder of its own. Stops when the test ends, however it ends."""

    def __init__(self, folder, *arguments, environment=None, defaults=True, open_files=None):
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "run" / "consentd.sock"
        self.data_dir = self.folder / "data"
        self.arguments = []
        if defaults:
            self.arguments = ["--data-dir", str(self.data_dir), "--metrics-listen", "127.0.0.1:0", "--log-format", "json"]
        self.arguments += [str(argument) for argument in arguments]
        # All that are given count, so the usual one is for who names none.
        if defaults and "--listen" not in self.arguments:
            self.arguments += ["--listen", f"unix:{self.socket}"]
        self.environment = clean_environment(environment)
        # How many files it may open; None: as many as this process.
        self.command = [DAEMON] if open_files is None else ["/bin/sh", "-c", f'ulimit -n {open_files} && exec "$0" "$@"', DAEMON]
        self.process = None
        self.log_path = self.folder / "log"
        self.log_start = 0
        self.clients = []  # of this process; the next one needs its own

    def start(self, wait=True):
        # A channel learns late that its connection ended with the process: a call through it would fail once in a while. Closed, it fails always.
        for client in self.clients:
            client.close()
        self.clients = []
        self.log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.command, "serve", *self.arguments], stderr=log, stdout=log, env=self.environment)
        if wait:
            self.wait_for("serving")
        return self

    def log(self):
        """All that this process has logged."""
        if not self.log_path.exists():
            return ""
        return self.log_path.read_bytes()[self.log_start:].decode()

    def events(self):
        found = []
        for line in self.log().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def event(self, name):
        return next((event for event in self.events() if event.get("event") == name), None)

    def wait_for(self, name):
        def seen():
            if self.process.poll() is not None and not self.event(name):
                raise AssertionError(f"consentd ended with {self.process.returncode} before '{name}':\n{self.log()}")
            return self.event(name)

        return until(seen, f"log event '{name}'; so far:\n{self.log()}")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        return self.process.wait(timeout=patience)

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def address(self):
        return f"unix:{self.socket}"

    def metrics_url(self, path):
        return f"http://{self.wait_for('listening')['metrics']}{path}"

    def metrics(self):
        with urllib.request.urlopen(self.metrics_url("/metrics"), timeout=PATIENCE) as answer:
            return answer.read().decode()

    def metric(self, series):
        """Value of one series as it is written, for example 'consentd_serving' or 'x_total{a="b"}'; None where it is not there."""
        for line in self.metrics().splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return None

    def metric_sum(self, family, **labels):
        """Sum of all series of a family that have these labels."""
        wanted = {f'{name}="{value}"' for name, value in labels.items()}
        found = (line.rpartition(" ") for line in self.metrics().splitlines() if line.startswith((family + "{", family + " ")))
        return sum(float(value) for series, _, value in found if wanted <= set(re.findall(r'\w+="[^"]*"', series)))

    def probe(self, path):
        """Status and body of /livez or /readyz."""
        try:
            with urllib.request.urlopen(self.metrics_url(path), timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode().strip()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().strip()


class Client:
    """Stubs of all services on one channel. Calls wait until the daemon can be reached, with a deadline."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address, options=[("grpc.enable_retries", 0), ("grpc.max_send_message_length", -1),
                                                               ("grpc.default_authority", "localhost"),
                                                               # Where two channels share a connection that ends, one may wait for the other for ever.
                                                               ("grpc.use_local_subchannel_pool", 1)])
        self.subjects = subject_grpc.SubjectServiceStub(self.channel)
        self.settings = settings_grpc.SettingsServiceStub(self.channel)
        self.eligibility = eligibility_grpc.EligibilityServiceStub(self.channel)
        self.recordings = recording_grpc.RecordingServiceStub(self.channel)
        self.reviews = review_grpc.ReviewServiceStub(self.channel)
        self.policies = policy_grpc.PolicyServiceStub(self.channel)
        self.deletions = deletion_grpc.DeletionServiceStub(self.channel)
        self.purges = purge_grpc.PurgeServiceStub(self.channel)
        self.holds = hold_grpc.HoldServiceStub(self.channel)
        self.approvals = approval_grpc.ApprovalServiceStub(self.channel)
        self.decision_log = decision_grpc.DecisionServiceStub(self.channel)
        self.keys = key_grpc.KeyServiceStub(self.channel)
        self.backups = backup_grpc.BackupServiceStub(self.channel)
        self.status = status_grpc.StatusServiceStub(self.channel)
        self.systems = purge_grpc.DataSystemServiceStub(self.channel)

    def close(self):
        self.channel.close()

    def raw(self, method, data):
        """Calls 'consent.v1.Service/Method' with bytes as they are and returns bytes."""
        call = self.channel.unary_unary("/" + method, request_serializer=None, response_deserializer=None)
        return call(data, timeout=PATIENCE)

    def health(self, service=""):
        """SERVING, NOT_SERVING, or the status code's name."""
        name = service.encode()
        request = (b"\x0a" + bytes([len(name)]) + name) if name else b""
        try:
            return health_status(self.raw("grpc.health.v1.Health/Check", request))
        except grpc.RpcError as error:
            return error.code().name

    def watch_health(self, service=""):
        """Iterates over a service's states."""
        name = service.encode()
        request = (b"\x0a" + bytes([len(name)]) + name) if name else b""
        call = self.channel.unary_stream("/grpc.health.v1.Health/Watch", request_serializer=None, response_deserializer=None)
        return map(health_status, call(request, timeout=PATIENCE))


def health_status(data):
    return {b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}.get(data, f"unknown: {data!r}")


@dataclasses.dataclass
class Refused:
    """A call's error with its details."""
    code: grpc.StatusCode
    message: str
    reason: str
    domain: str
    metadata: dict
    fields: dict  # path -> description


def refused(call, *arguments, **options):
    """Makes a call that must fail and returns its error."""
    options.setdefault("timeout", PATIENCE)
    try:
        answer = call(*arguments, **options)
    except grpc.RpcError as error:
        return decode_error(error)
    raise AssertionError(f"the call did not fail but answered: {answer}")


def decode_error(error):
    found = Refused(error.code(), error.details(), "", "", {}, {})
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            assert status.code == error.code().value[0], "the details' code differs from the status"
            for detail in status.details:
                info = error_details_pb2.ErrorInfo()
                bad = error_details_pb2.BadRequest()
                if detail.Unpack(info):
                    found.reason, found.domain, found.metadata = info.reason, info.domain, dict(info.metadata)
                elif detail.Unpack(bad):
                    found.fields = {violation.field: violation.description for violation in bad.field_violations}
    return found


class DaemonTest(unittest.TestCase):
    """A test with a folder of its own, and daemons and clients that end with it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="consentd-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def daemon(self, *arguments, wait=True, **options):
        daemon = Daemon(self.folder, *arguments, **options)
        self.addCleanup(daemon.kill)
        return daemon.start(wait)

    def client(self, daemon):
        client = Client(daemon.address())
        daemon.clients.append(client)
        self.addCleanup(client.close)
        grpc.channel_ready_future(client.channel).result(timeout=PATIENCE)
        return client

    def policy(self, **changes):
        """A copy of the shipped policy with other top-level members; returns its path."""
        document = json.loads(DEFAULT_POLICY.read_text())
        document.update(changes)
        path = self.folder / f"policy-{document['version']}.json"
        path.write_text(json.dumps(document))
        return path

    def many_reviews_policy(self):
        path = self.folder / "policy-many-reviews.json"
        path.write_text(json.dumps(with_many_reviews(json.loads(DEFAULT_POLICY.read_text()))))
        return path

    def one_person_policy(self):
        """The path of the shipped policy with one person for each loosening."""
        path = self.folder / "policy-one-person.json"
        path.write_text(json.dumps(one_person(json.loads(DEFAULT_POLICY.read_text()))))
        return path


class MountedTest(DaemonTest):
    """A test with a small file system of its own, in self.disk."""

    def mount(self, options):
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.disk], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("needs the right to mount a small file system")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)
