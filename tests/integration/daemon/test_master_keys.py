"""A master key is added, everything comes under it while calls go on and the daemon is killed, and the old one is dropped.

CONSENT_MASTER_ROTATIONS: how often; CONSENT_MASTER_ACCOUNTS: how many accounts there are. More than the defaults is the campaign of
tests/README.md, which also says how long checks took before and meanwhile. CONSENT_SEED repeats one.
"""

import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import threading
import time
import unittest

import grpc

from harness import PATIENCE, DaemonTest, clean_environment, decode_error, run_to_end, until
from words import check, fresh_id, household, opt_out

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import key_service_pb2 as keys
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

CTL = os.environ.get("TEST_CTL")
ROTATIONS = int(os.environ.get("CONSENT_MASTER_ROTATIONS", "2"))
ACCOUNTS = int(os.environ.get("CONSENT_MASTER_ACCOUNTS", "600"))
SEED = int(os.environ.get("CONSENT_SEED", str(random.SystemRandom().randrange(1_000_000))))
KEYS, STORE, WORKERS = 66, 72, 3
DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def named(account):
    return subject.GetSubjectRequest(account_id=account)


class MasterKeysTest(DaemonTest):

    def keys(self, *words, code=0):
        """`consentd keys ...` of this daemon's files."""
        done = run_to_end("keys", *words, "--data-dir", self.folder / "data")
        self.assertEqual(done.code, code, done.out + done.err)
        return done.out + done.err

    def ctl(self, daemon, *words):
        return subprocess.run([CTL, "--endpoint", daemon.address(), "--json", *words], env=clean_environment(), capture_output=True, text=True, timeout=600, check=False)

    def rewrap(self, daemon):
        done = self.ctl(daemon, "keys", "rewrap")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def fill(self, daemon, accounts):
        """Registers accounts, each with a name that only its key opens."""
        lines = self.folder / "people.jsonl"
        with open(lines, "w", encoding="utf-8") as people:
            for number in range(accounts):
                people.write(json.dumps({"account_id": f"a{number}", "region": "DE", "profiles": [{"profile_id": "anna", "age": "ADULT"}]}) + "\n")
        done = self.ctl(daemon, "import", str(lines))
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])


class Commands(MasterKeysTest):

    def test_no_byte_of_a_key_is_ever_printed(self):
        daemon = self.daemon()
        self.keys("add-master")
        secrets = [line.split()[-1] for line in (self.folder / "data.key").read_text().splitlines()[1:]]
        exported = self.folder / "exported"
        said = self.keys("show") + self.keys("export", exported) + self.keys("export", exported, code=KEYS) + daemon.log()
        self.assertEqual(exported.read_bytes(), (self.folder / "data.key").read_bytes())
        self.assertEqual(exported.stat().st_mode & 0o7777, 0o600)
        self.assertIn("master 1\nmaster 2 newest\n", said)
        for secret in secrets:
            self.assertGreaterEqual(len(secret), 32)
            self.assertFalse([start for start in range(0, len(secret) - 8, 8) if secret[start:start + 8] in said])

    def test_a_key_that_is_needed_is_not_dropped(self):
        daemon = self.daemon()
        self.client(daemon).subjects.UpsertSubject(household("a"), timeout=PATIENCE)
        before = (self.folder / "data.key").read_bytes()
        self.assertIn("is the newest", self.keys("drop-master", "1", code=KEYS))
        self.keys("add-master")
        two = (self.folder / "data.key").read_bytes()
        self.assertIn("consentctl keys rewrap", self.keys("drop-master", "1", code=KEYS))
        self.assertIn("no master key 7", self.keys("drop-master", "7", code=KEYS))
        self.assertEqual((self.folder / "data.key").read_bytes(), two)
        self.assertEqual(self.rewrap(daemon), {"master_keys": [1, 2], "rewrapped_to": 2, "rewrapping_to": 0, "shares_left": 0})
        self.keys("drop-master", "1")  # while the daemon runs
        self.assertEqual(self.rewrap(daemon)["master_keys"], [2])
        self.assertEqual(daemon.stop(), 0)

        # A copy of before the rotation opens nothing any more, and says what to do.
        (self.folder / "data.key").write_bytes(before)
        old = self.daemon(wait=False)
        self.assertEqual(old.wait(), KEYS, old.log())
        self.assertIn("it is a copy of before a rotation; put back the one of after it", old.event("start failed")["why"])
        (self.folder / "data.key").write_bytes(two)
        self.assertEqual(self.daemon().stop(), 0)

    def test_a_key_file_that_does_not_fit_is_refused_and_the_keys_of_before_stay(self):
        daemon = self.daemon()
        client = self.client(daemon)
        client.subjects.UpsertSubject(household("a"), timeout=PATIENCE)
        before = (self.folder / "data.key").read_bytes()
        other = self.folder / "other"
        other.mkdir()
        stranger = run_to_end("keys", "show", "--data-dir", other / "none")
        self.assertEqual(stranger.code, KEYS, stranger.err)
        for wrong in (before[:-1], before.replace(b"token", b"tokem"), b""):
            (self.folder / "data.key").write_bytes(wrong)
            refused = self.ctl(daemon, "keys", "rewrap")
            self.assertEqual(json.loads(refused.stdout)["error"]["reason"], "KEY_FILE_REFUSED", refused.stdout)
        (self.folder / "data.key").unlink()
        self.assertIn("KEY_FILE_REFUSED", self.ctl(daemon, "keys", "rewrap").stdout)
        self.assertEqual([profile.profile_id for profile in client.subjects.GetSubject(named("a"), timeout=PATIENCE).profiles], ["anna"])
        (self.folder / "data.key").write_bytes(before)
        (self.folder / "data.key").chmod(0o600)
        self.assertEqual(self.rewrap(daemon)["rewrapped_to"], 1)


class UnderLoad(MasterKeysTest):
    """What an app does all day, while keys are rotated and the daemon is killed."""

    def setUp(self):
        super().setUp()
        print(f"CONSENT_SEED={SEED}", flush=True)
        self.random = random.Random(SEED)
        self.over = threading.Event()
        self.failed = []
        self.calls = 0
        self.latencies = {"before": [], "meanwhile": []}
        self.phase = "before"

    def once(self, call, request):
        """Answered, however often the daemon goes away meanwhile: what it refuses is a failure. How long the attempt took that was answered."""
        began = time.monotonic()
        while True:
            try:
                sent = time.monotonic()
                answer = call(self.connection)(request, timeout=PATIENCE)
                self.calls += 1
                return answer, time.monotonic() - sent
            except (grpc.RpcError, ValueError) as error:  # the channel of a daemon that was killed is closed
                if isinstance(error, grpc.RpcError) and error.code() not in DOWN:
                    self.failed.append(decode_error(error))
                    return None, None
                if self.over.is_set() or time.monotonic() - began > PATIENCE:
                    self.failed.append(error)
                    return None, None
                time.sleep(0.02)

    def work(self, number):
        chance = random.Random(SEED * 10 + number)
        for turn in itertools.count():
            account = f"a{chance.randrange(ACCOUNTS)}"
            answer, took = self.once(lambda api: api.eligibility.Check, check(account, view=eligibility.DECISION_VIEW_BASIC))
            if answer is not None:
                self.latencies[self.phase].append(took)
            self.once(lambda api: api.settings.OptOut, opt_out(account))
            self.once(lambda api: api.settings.ListSettingsHistory, settings.ListSettingsHistoryRequest(account_id=account, page_size=2))
            fresh = f"new-{number}-{turn}"
            self.once(lambda api: api.subjects.UpsertSubject, household(fresh))
            self.once(lambda api: api.deletions.CreateDeletionRequest,
                      deletion.CreateDeletionRequestRequest(account_id=fresh, selector=deletion.DeletionSelector(account_closure=True), requester=types.ACTOR_SELF, verification=deletion.VERIFICATION_VERIFIED, request_id=fresh_id()))
            if self.over.is_set() or self.failed:
                return

    def connect(self, daemon):
        self.connection = self.client(daemon)

    def test_rotated_under_load_and_kills(self):
        daemon = self.daemon()
        self.fill(daemon, ACCOUNTS)
        self.connect(daemon)
        workers = [threading.Thread(target=self.work, args=(number,)) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        self.addCleanup(lambda: [worker.join() for worker in workers])
        self.addCleanup(self.over.set)
        # As many as a quantile of before needs.
        until(lambda: self.calls > max(500, ACCOUNTS // 200) or self.failed, "it is under load")
        kills, began, self.phase = 0, time.monotonic(), "meanwhile"
        for master in range(2, ROTATIONS + 2):
            self.keys("add-master")
            key = [master]
            waiting = threading.Thread(target=lambda: key.append(self.ctl(daemon, "keys", "rewrap")))
            waiting.start()
            until(lambda: self.connection.keys.GetKeys(keys.GetKeysRequest(), timeout=PATIENCE).keys.rewrapping_to or len(key) > 1, "it has begun")
            if master % 2 == 0:
                time.sleep(self.random.random() * 0.5)  # somewhere in it: no condition to wait for
                daemon.signal(signal.SIGKILL)
                daemon.wait()
                kills += 1
                daemon.start()
                self.connect(daemon)
            waiting.join()
            state = self.rewrap(daemon)
            self.assertEqual((state["rewrapped_to"], state["shares_left"]), (master, 0))
            self.keys("drop-master", str(master - 1))
            self.assertEqual(self.rewrap(daemon)["master_keys"], [master])
            self.assertEqual(self.failed, [])
        rotated = time.monotonic() - began
        self.over.set()
        for worker in workers:
            worker.join()
        self.assertEqual(self.failed, [])
        self.assertGreater(self.calls, 0)
        daemon.stop()
        # With the last key alone everything opens: names of all that were there before the first rotation.
        daemon.start()
        self.connect(daemon)
        for number in self.random.sample(range(ACCOUNTS), min(ACCOUNTS, 200)):
            kept = self.connection.subjects.GetSubject(named(f"a{number}"), timeout=PATIENCE)
            self.assertEqual([profile.profile_id for profile in kept.profiles], ["anna"])
        print(f"{ROTATIONS} rotations of {ACCOUNTS} accounts in {rotated:.0f} s, {kills} kills, {self.calls} calls, none failed; 99 of 100 checks within "
              + ", ".join(f"{1_000 * statistics.quantiles(took, n=100)[98]:.1f} ms {phase}" for phase, took in self.latencies.items()), flush=True)


if __name__ == "__main__":
    unittest.main()
