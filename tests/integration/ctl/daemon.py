"""A consentd of the test's own, and consentctl to talk to it."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

import lifetime  # noqa: F401  (imported for its effect)

SOURCE = pathlib.Path(os.environ["CONSENT_SOURCE"])
CONSENTD = os.environ["CONSENTD"]
CONSENTCTL = os.environ["CONSENTCTL"]

# Exit codes of consentctl.
DONE, NOT_ELIGIBLE, KEEP, HOLD, PURGE, NO_ANSWER, REFUSED, PARTLY_REFUSED = 0, 10, 11, 12, 13, 20, 21, 22
UNREADABLE, NOT_ALL_COUNTED, NOT_ENFORCED, WORK_LEFT, SWEEP_LEFT, PROPOSED, NOT_RETRIED, WRONG_DECISIONS, USAGE, FILES = 30, 31, 32, 40, 41, 42, 43, 50, 64, 74


def test_policy():
    """The shipped policy, with one adult's voice taken for hers without a match, work in Romania, one person for each loosening, and reviews whatever the
    population is."""
    policy = json.loads((SOURCE / "deploy" / "policy.json").read_text())
    policy["version"] = "ctl-test-1"
    policy["approvals"] = {act: "PERSONS_ONE" for act in ("resume", "release_hold", "activate_policy")}
    for caps in policy["review_caps"]:
        caps["rates"] = [{"countries": ["*"], "parts_per_million": 1000000}]
    for regime in policy["regimes"]:
        regime["allow_unidentified_single_adult"] = True
        regime["allowed_countries"] = ["*"]
        regime["allowed_sites"] = ["*"]
        regime["allowed_reviewer_classes"] = ["REVIEWER_CLASS_EMPLOYEE"]
    return policy


class Daemon:
    """Starts on a temporary Unix socket and data folder; stop() ends it, start() goes on with the same data.

    Both starts may add to the daemon's environment. Its policy is test_policy() where none is given."""

    def __init__(self, policy=None, **environment):
        self.folder = tempfile.TemporaryDirectory(prefix="ctl_test_")
        self.root = pathlib.Path(self.folder.name)
        self.endpoint = f"unix:{self.root}/run/consentd.sock"
        (self.root / "policy.json").write_text(json.dumps(policy or test_policy()))
        self.process = None
        self.start(**environment)

    def start(self, *options, **environment):
        self.log = open(self.root / "log", "ab")
        self.process = subprocess.Popen(
            [CONSENTD, "serve", "--listen", self.endpoint, "--data-dir", str(self.root / "data"), "--policy",
             str(self.root / "policy.json"), "--metrics-listen", "127.0.0.1:0", "--log-format", "json", *options],
            stdout=self.log, stderr=self.log, env={**os.environ, **environment})
        end = time.monotonic() + 60
        # Each call waits by itself, with growing pauses, before it gives up.
        while self.ctl("policy", "show").returncode != DONE:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("consentd did not start:\n" + (self.root / "log").read_text())

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.log.close()
        self.process = None

    def close(self):
        self.stop()
        self.folder.cleanup()

    def ctl(self, *arguments, stdin=None, env=None):
        return subprocess.run(
            [CONSENTCTL, "--endpoint", self.endpoint, *arguments], input=stdin, capture_output=True, timeout=120, text=True,
            env=env)

    def metric(self, name):
        """The value of one without labels."""
        return next(float(line.split()[1]) for line in self.metrics().splitlines() if line.startswith(f"{name} "))

    def metric_sum(self, name, **labels):
        """Sum of all series of a family that have these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(float(line.rpartition(" ")[2]) for line in self.metrics().splitlines() if line.startswith(name + "{") and all(one in line for one in wanted))

    def metrics(self):
        lines = [json.loads(line) for line in (self.root / "log").read_text().splitlines()]
        address = [line["metrics"] for line in lines if line.get("event") == "listening"][-1]
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as answer:
            return answer.read().decode()

    def path(self, name):
        return str(self.root / name)


def until(condition, what, patience=60, pause=0.01):
    """The first true value of condition(), asked again and again."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(pause)


class Worker:
    """A running `consentctl worker`; ends with the test."""

    def __init__(self, test, system, *command, options=()):
        self.process = subprocess.Popen(
            [CONSENTCTL, "--endpoint", test.daemon.endpoint, "worker", system, *options, "--", *command], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.kill)

    def stop(self, how=signal.SIGTERM):
        """Exit code, standard output and standard error."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self):
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class DaemonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def ctl(self, *arguments, expect=DONE, stdin=None):
        """Standard output of a call that ends with `expect`."""
        done = self.daemon.ctl(*arguments, stdin=stdin)
        self.assertEqual(done.returncode, expect, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def json(self, *arguments, expect=DONE):
        return json.loads(self.ctl(*arguments, "--json", expect=expect))

    def register(self, account, region="DE"):
        return self.json("subject", "set", account, "--region", region, "--profile", "voice:adult", "--channel", "app",
                         "--actor", "self")["revision"]

    def consent(self, account, notice="2026-01", etag=None):
        etag = etag or self.json("settings", "get", account)["etag"]
        return self.json("settings", "set", account, "--on", "help_improve", "--notice", notice, "--language", "en", "--channel",
                         "app", "--actor", "self", "--etag", etag)

    def system(self, name, kind, *options):
        keys = "account,recording-id,profile,time"
        return self.json("systems", "register", name, "--kind", kind, "--matches-by", keys, *options)["system"]

    def delete(self, account, *what):
        return self.json("delete", account, *what)["request"]

    def request(self, deletion):
        return self.json("requests", "show", deletion["deletion_id"])["request"]

    def completed(self, deletion):
        """The request once it is completed."""
        def look():
            request = self.request(deletion)
            return request if request["state"] == "COMPLETED" else None
        return until(look, "COMPLETED")

    def filter(self, text, *arguments, expect=DONE):
        """Eligible lines as objects, and the summary."""
        done = self.daemon.ctl("filter", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--site", "cluj", "--reviewer",
                               "employee", "--json", *arguments, stdin=text)
        self.assertEqual(done.returncode, expect, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], json.loads(done.stderr.splitlines()[-1])


class SystemTest(DaemonTest):
    """A data system and a deletion of its own for each test, and a worker that runs once."""

    def setUp(self):
        # A system of its own for each test, so that none finds another's tasks; it also names the recordings, because who asks for the same
        # again while the first request is not yet COMPLETED has asked once.
        self.name = self.id().rsplit(".", 1)[1].replace("test_", "")[:60]
        self.system(self.name, "audio")
        self.deletion = self.delete("ann", "--everything", "--verified")

    def tearDown(self):
        self.json("systems", "retire", self.name, "--reason", "end of a test")

    def once(self, *command, options=(), expect=DONE):
        done = self.daemon.ctl("worker", self.name, "--once", "--json", *options, "--", *command)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def part(self):
        return next(part for part in self.request(self.deletion)["progress"] if part["system"] == self.name)

    def task(self):
        return self.json("tasks", "list", self.name)["tasks"][0]
