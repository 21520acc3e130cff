"""The wall clock jumps while the daemon runs, while it or the machine restarts, and while its disk is full, and opt-outs are written all the time.

CONSENT_CLOCK_OPT_OUTS: how many; the campaign of tests/README.md writes 100,000. CONSENT_CLOCK_SEED replays a run's order of jumps.
"""

import collections
import contextlib
import mmap
import os
import random
import struct
import sys
import threading
import time
import unittest
import uuid

import grpc

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types
from harness import PATIENCE, Client, MountedTest, decode_error, refused, until
from words import OFFICE, ago, evidence, fresh_id, household, opt_out, reasons, recording, turn, turn_on, update

SHIM = os.environ.get("TEST_CLOCK_SHIM")
SYNC_SHIM = os.environ.get("TEST_SHIM")
OPT_OUTS = int(os.environ.get("CONSENT_CLOCK_OPT_OUTS", "3000"))
SEED = int(os.environ.get("CONSENT_CLOCK_SEED", str(random.SystemRandom().randrange(1 << 32))))
UNDER_WAY = 64
# A call that reaches a server in its last moment is CANCELLED by the library.
NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED)
# More at once than the daemon takes: 4,096 changes, 128 on a connection.
BURST, BURST_CONNECTIONS = 6_000, 48
HOUR, DAY, YEAR = 3600, 86_400, 31_557_600
# By how much, and whether that is in doubt. At an hour, which is the bound, either is right.
JUMPS = [(HOUR, None), (-HOUR, None), (HOUR - 60, False), (DAY, True), (-DAY, True), (6 * DAY, True), (-6 * DAY, True), (400 * DAY, True),
         (-400 * DAY, True), (30 * YEAR, True), (-30 * YEAR, True)]


class WallClock:
    """What the shim adds to the daemon's time of day, and what it tells of the machine's boot."""

    def __init__(self, path, boot_id):
        path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 16)
        self.seconds = 0
        self.boot_id = boot_id
        self.new_boot()

    def set(self, seconds):
        self.map[:8] = struct.pack("=q", round(seconds * 1_000_000))
        self.seconds = seconds

    def new_boot(self):
        """For a daemon that does not run: the machine was booted half a minute ago."""
        self.map[8:] = struct.pack("=q", round((30 - time.clock_gettime(time.CLOCK_BOOTTIME)) * 1_000_000))
        self.boot_id.write_text(f"{uuid.uuid4()}\n")


class Writer(threading.Thread):
    """Opts accounts out, many at a time, and notes what each call was told. A daemon that is away is waited for."""

    def __init__(self, address, prefix, count, under_way=UNDER_WAY, connections=1):
        super().__init__()
        self.address, self.prefix, self.count, self.under_way, self.connections = address, prefix, count, under_way, connections
        self.sent, self.waiting = 0, collections.deque()
        self.acknowledged, self.refusals, self.nameless = [], collections.Counter(), []
        self.enough = threading.Event()
        self.start()

    def run(self):
        clients = [Client(self.address) for _ in range(self.connections)]
        waiting = self.waiting
        for number in range(self.count):
            if self.enough.is_set():
                break
            account = f"{self.prefix}-{number}"
            call = clients[number % len(clients)].settings.OptOut.future(opt_out(account), timeout=60, wait_for_ready=self.connections > 1)
            waiting.append((account, call))
            self.sent += 1
            if len(waiting) >= self.under_way:
                self.take(clients[0], waiting)
        while waiting:
            self.take(clients[0], waiting)
        for client in clients:
            client.close()

    def take(self, client, waiting):
        account, future = waiting.popleft()
        try:
            future.result()
            self.acknowledged.append(account)
        except grpc.RpcError as error:
            told = decode_error(error)
            self.refusals[(told.code.name, told.reason)] += 1
            if told.code not in NO_ANSWER or not told.message:
                self.nameless.append(told)
            if told.code != grpc.StatusCode.RESOURCE_EXHAUSTED:
                with contextlib.suppress(grpc.RpcError):
                    client.policies.GetClock(policy.GetClockRequest(), timeout=60, wait_for_ready=True)


@unittest.skipUnless(SHIM, "no preloaded library under sanitizers")
class ClockTest(MountedTest):

    def setUp(self):
        super().setUp()
        self.wall = WallClock(self.folder / "shift", self.folder / "boot_id")
        self.held = self.folder / "held"
        self.environment = {"LD_PRELOAD": f"{SHIM}:{SYNC_SHIM}", "CONSENT_SHIFT_CLOCK_FILE": str(self.folder / "shift"),
                            "CONSENT_BOOT_ID_FILE": str(self.folder / "boot_id"), "CONSENT_HOLD_SYNC_WHILE": str(self.held)}

    def trusted(self):
        return self.process.metric("consentd_clock_trusted") == 1

    def jump(self, seconds, doubtful):
        self.wall.set(seconds)
        if doubtful is None:
            return
        self.assertEqual(self.trusted(), not doubtful, seconds)
        self.assertAlmostEqual(self.process.metric("consentd_clock_offset_seconds"), seconds, delta=5)

    def start_again(self):
        self.api.close()
        self.process.start()
        self.api = self.client(self.process)

    def logs(self, words):
        until(lambda: any(event.get("event", "").startswith(words) for event in self.process.events()), words)

    def ask(self, account):
        return self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id=account, selector=deletion.DeletionSelector(everything=True), requester=types.ACTOR_SELF,
            verification=deletion.VERIFICATION_VERIFIED, request_id=fresh_id())).request

    def received(self, asked):
        request = deletion.GetDeletionRequestRequest(deletion_id=asked.deletion_id)
        return self.api.deletions.GetDeletionRequest(request).request.received_at.seconds


class Jumps(ClockTest):

    def setUp(self):
        super().setUp()
        self.mount("size=900m,mode=0700")
        self.options = ("--data-dir", self.disk / "data", "--key-file", self.folder / "keys", "--head-file", self.disk / "head",
                        "--drain-seconds", "5")
        self.process = self.daemon(*self.options, environment=self.environment)
        self.api = self.client(self.process)
        self.acknowledged, self.refusals = [], collections.Counter()
        self.recordings = self.steady()
        self.baseline = self.decide()
        self.stamps_ahead = False

    def steady(self):
        """Accounts of all kinds that time could move, and recordings of theirs."""
        for account in ("keeps", "keeps-3m", "gone", "refuses"):
            registered = self.api.subjects.UpsertSubject(household(account))
            if account != "refuses":
                self.api.settings.UpdateSettings(turn_on(account, registered.revision))
        self.api.settings.UpdateSettings(settings.UpdateSettingsRequest(account_id="keeps-3m", request_id=fresh_id(), retention=[
            settings.RetentionChange(retention=types.Retention(months=3))]))
        self.api.settings.OptOut(opt_out("refuses"))
        self.ask("gone")
        return [recording(account, name=f"{account}-{days}-{wake}", captured=ago(days=days), wake=wake)
                for account in ("keeps", "keeps-3m", "gone", "refuses", "unknown")
                for days in (0.01, 1, 80, 100) for wake in (types.WAKE_INTENDED, types.WAKE_ACCIDENTAL)]

    def decide(self):
        request = eligibility.BatchCheckRequest(recordings=self.recordings, purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE)
        return [(one.decision.eligibility == types.ELIGIBILITY_ELIGIBLE, one.decision.disposition) for one in
                self.api.eligibility.BatchCheck(request).results]

    def never_looser(self):
        for facts, (was_yes, was), (yes, now) in zip(self.recordings, self.baseline, self.decide()):
            self.assertTrue(was_yes or not yes, f"{facts.recording_id} is eligible with the clock at {self.wall.seconds}")
            self.assertTrue(now != types.DISPOSITION_PURGE or was == now, f"{facts.recording_id} is purged with the clock at {self.wall.seconds}")

    def right_again(self):
        self.wall.set(0)
        self.assertTrue(self.trusted())
        self.never_looser()
        now = self.decide()
        self.assertEqual([yes for yes, _ in now], [yes for yes, _ in self.baseline])
        if not self.stamps_ahead:
            self.assertEqual(now, self.baseline)

    def write(self, prefix, count, meanwhile=lambda writer: None, **more):
        writer = Writer(self.process.address(), prefix, count, **more)
        try:
            meanwhile(writer)
        except BaseException:
            writer.enough.set()  # against a daemon that is away for good it would wait a minute for each
            raise
        finally:
            writer.join()
        self.assertEqual(writer.nameless, [])
        self.acknowledged += writer.acknowledged
        self.refusals += writer.refusals
        return writer

    def restart(self, seconds):
        self.assertEqual(self.process.stop(), 0)
        self.wall.set(seconds)
        self.start_again()

    def reboot(self, seconds):
        """Without a word: power was lost, and the battery of the machine's clock is empty."""
        self.process.kill()
        self.wall.set(seconds)
        self.wall.new_boot()
        self.start_again()

    def confirm(self):
        self.assertFalse(self.api.policies.ConfirmClock(policy.ConfirmClockRequest(time=ago(days=0))).clock.doubtful)

    def loosening_waits(self, account):
        """While in doubt the yes of a call is refused and the no beside it is done."""
        revision = self.api.settings.GetSettings(settings.GetSettingsRequest(account_id="keeps")).etag
        told = self.api.settings.UpdateSettings(update("keeps", [turn(settings.SWITCH_ON), turn(settings.SWITCH_OFF, device=account)],
                                                       etag=revision, evidence=evidence()))
        self.assertEqual([part.refused_reason for part in told.results], ["CLOCK_DOUBTFUL", ""])

    def all_are_out(self):
        for first in range(0, len(self.acknowledged), 1000):
            accounts = self.acknowledged[first:first + 1000]
            request = eligibility.BatchCheckRequest(recordings=[recording(account) for account in accounts], place=OFFICE,
                                                    purpose=types.PURPOSE_HUMAN_REVIEW, view=eligibility.DECISION_VIEW_FULL)
            for account, one in zip(accounts, self.api.eligibility.BatchCheck(request).results):
                self.assertIn("REFUSED", reasons(one.decision), account)

    def fill_the_disk(self, writer):
        ballast = self.disk / "ballast"
        with open(ballast, "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        # The store's log has its next 64 MB already. The largest changes fill them in seconds, where the writer's would take minutes.
        large = [turn(settings.SWITCH_OFF, device=f"device-{number}") for number in range(64)]
        with contextlib.suppress(grpc.RpcError):
            for round_ in range(1000):
                for call in [self.api.settings.UpdateSettings.future(update(f"large-{round_}-{number}", large, evidence=evidence(reference="r" * 256)),
                                                                     timeout=PATIENCE) for number in range(UNDER_WAY)]:
                    call.result()
        self.assertIn(self.process.wait(), (74, 75), self.process.log())
        ballast.unlink()
        self.wall.set(0)
        self.start_again()
        writer.enough.set()

    def overload(self, writer):
        """The disk stands still until all calls are under way."""
        self.held.touch()
        until(lambda: writer.sent == BURST, "all are sent")
        until(lambda: any(call.done() for _, call in list(writer.waiting)), "some are refused")
        self.never_looser()
        self.held.unlink()

    def test_jumps(self):
        print(f"CONSENT_CLOCK_SEED={SEED}", file=sys.stderr)
        order = random.Random(SEED)
        # Those that are believed come last: the stamps that they leave ahead of the clock put off what time alone purges.
        jumps = sorted(order.sample(JUMPS, len(JUMPS)), key=lambda jump: not jump[1])
        share = OPT_OUTS // (len(jumps) + 6)
        for number, (seconds, doubtful) in enumerate(jumps):
            with self.subTest(seconds=seconds):
                self.jump(seconds, doubtful)
                self.stamps_ahead = self.stamps_ahead or not doubtful
                self.never_looser()
                self.write(f"jump-{number}", share, lambda writer: self.never_looser())
                if doubtful:
                    self.loosening_waits(f"device-{number}")
                asked = self.ask(f"asks-{number}")
                self.wall.set(0)
                self.right_again()
                if doubtful:  # a time that is believed is the time
                    self.not_before_it_was_asked(asked)
        self.gone = [f"asks-{number}" for number in range(len(jumps))]
        with self.subTest("a hundred steps of fifty minutes, each of them small"):
            self.write("steps", share, lambda writer: [self.step(number * 50 * 60, ticks=number <= 4) for number in range(1, 101)])
            self.assertFalse(self.trusted())
            self.right_again()
        with self.subTest("a jump that lasts for one write"):
            doubts = self.process.metric("consentd_clock_doubts_total")
            self.wall.set(400 * DAY)
            self.api.settings.OptOut(opt_out("one-write"))
            self.right_again()
            self.assertGreater(self.process.metric("consentd_clock_doubts_total"), doubts, "however short it was")
            until(lambda: any(event.get("event", "").startswith(("the clock jumped and came back", "the time is doubtful"))
                              for event in self.process.events()), "the log tells of it")
        with self.subTest("a clock that runs too fast"):
            self.write("fast", share, lambda writer: [self.step(number * 90, ticks=number % 25 == 0) for number in range(1, 101)])
            self.assertFalse(self.trusted())
            self.right_again()
        with self.subTest("restarts"):
            for seconds in order.sample([6 * DAY, 400 * DAY, -DAY], 3):
                self.write(f"restart{seconds}", share // 3, lambda writer, seconds=seconds: self.restart(seconds))
                self.assertFalse(self.trusted())
                self.never_looser()
            self.restart(0)
            self.right_again()
        with self.subTest("reboots"):
            # The stamps of before, up to an hour ahead, were trusted, and a boot may not be earlier than such a stamp.
            self.confirm()
            # Ahead by up to a week it is believed, as a machine may have been off for so long.
            for seconds, doubtful in order.sample([(6 * DAY, False), (8 * DAY, True), (400 * DAY, True), (-DAY, True), (-400 * DAY, True)], 5):
                self.write(f"reboot{seconds}", share // 5, lambda writer, seconds=seconds: self.reboot(seconds))
                self.assertEqual(self.trusted(), not doubtful, seconds)
                self.assertAlmostEqual(self.process.metric("consentd_clock_offset_seconds"), seconds if doubtful else 0, delta=5)
                self.never_looser()
                self.reboot(0)
                if doubtful:
                    self.right_again()
                else:
                    # What was believed was the time, so that the true one is in doubt until somebody says so.
                    self.assertFalse(self.trusted())
                    self.never_looser()
                    self.confirm()
                    self.stamps_ahead = True
                    self.right_again()
        with self.subTest("a burst"):
            self.jump(DAY, True)
            writer = self.write("burst", BURST, self.overload, under_way=BURST, connections=BURST_CONNECTIONS)
            self.assertGreater(writer.refusals["RESOURCE_EXHAUSTED", "OVERLOADED"], 0)
            self.right_again()
        with self.subTest("a full disk"):
            self.jump(400 * DAY, True)
            self.write("full", 1_000_000, self.fill_the_disk)
            self.right_again()
        self.write("right", share)
        with self.subTest("a kill"):
            self.jump(-400 * DAY, True)
            self.write("killed", share)
            self.process.kill()
            self.wall.set(0)
            self.start_again()
            self.right_again()
        self.all_are_out()
        print(f"{len(self.acknowledged)} opt-outs acknowledged, none lost; refused: {dict(self.refusals)}", file=sys.stderr)
        self.assertGreater(len(self.acknowledged), OPT_OUTS // 2)

    def step(self, seconds, ticks):
        """`ticks`: the daemon compares its clocks before the next step. A rule that believes each small difference then follows."""
        self.wall.set(seconds)
        self.never_looser()
        head = (self.disk / "head").stat()
        if ticks:
            until(lambda: (self.disk / "head").stat().st_mtime_ns != head.st_mtime_ns, "the head file is written")
            self.assertEqual(self.trusted(), seconds < HOUR, seconds)

    def not_before_it_was_asked(self, asked):
        """Once the time is right the order reaches what was captured until it was asked, and nothing after."""
        until(lambda: abs(self.received(asked) - time.time()) < 60 + OPT_OUTS / 100, "the order has its time")
        later = self.api.eligibility.Check(eligibility.CheckRequest(recording=recording(asked.account_id, captured=ago(seconds=-30))))
        self.assertNotEqual(later.decision.disposition, types.DISPOSITION_PURGE)


class Leases(ClockTest):

    def setUp(self):
        super().setUp()
        self.process = self.daemon(environment=self.environment)
        self.api = self.client(self.process)

    def lease(self):
        return list(self.api.purges.LeaseTasks(purge.LeaseTasksRequest(system="audio", visibility_seconds=3)).tasks)

    def test_three_seconds_last_three_seconds(self):
        self.api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=purge.DataSystem(
            name="audio", kind=purge.DATA_SYSTEM_KIND_AUDIO, checks_on_ingest=True, matches_by=[purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_RECORDING_ID])))
        self.ask("leaves")
        for seconds in (400 * DAY, -2 * HOUR):
            with self.subTest(seconds=seconds):
                until(self.lease, "the task is handed out")
                began = time.monotonic()
                self.wall.set(seconds)
                until(self.lease, "and again when the lease is over")
                lasted = time.monotonic() - began
                self.assertGreater(lasted, 2.9)
                self.assertLess(lasted, 10)
                self.wall.set(0)
                until(self.lease, "and once more")

    def test_confirmed_while_it_runs(self):
        self.wall.set(30 * DAY)
        self.assertFalse(self.trusted())
        self.logs("the time is doubtful")
        state = self.api.policies.GetClock(policy.GetClockRequest()).clock
        self.assertTrue(state.doubtful)
        self.assertAlmostEqual(state.wall.seconds - state.trusted.seconds, 30 * DAY, delta=5)
        error = refused(self.api.policies.ConfirmClock, policy.ConfirmClockRequest(time=ago(days=0)))
        self.assertEqual((error.code, error.reason), (grpc.StatusCode.FAILED_PRECONDITION, "CLOCK_DISAGREES"))
        self.assertFalse(self.trusted())
        self.assertEqual(refused(self.api.policies.ConfirmClock, policy.ConfirmClockRequest()).fields, {"time": "must be set"})
        asked = self.ask("in-doubt")
        confirmed = self.api.policies.ConfirmClock(policy.ConfirmClockRequest(time=ago(days=-30, minutes=20))).clock
        self.assertFalse(confirmed.doubtful)
        self.logs("the time is trusted again")
        self.process.kill()
        self.start_again()
        self.assertTrue(self.trusted(), "what was confirmed outlives a kill")
        until(lambda: abs(self.received(asked) - time.time() - 30 * DAY) < 60, "the order has the time that was confirmed")
        self.wall.set(0)
        self.assertFalse(self.trusted(), "now this one is a jump")


if __name__ == "__main__":
    unittest.main()
