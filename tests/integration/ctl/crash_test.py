"""kill -9 at every step of a deletion's life: the daemon dies at one sync of its log, is started again, and the story goes on.

A change is acknowledged only after its sync, so the points before and after each sync lie between all the steps. CONSENT_CRASH_SEED chooses
the points, CONSENT_CRASH_POINTS how many: a number, `all`, or certain ones, such as before-17,after-3.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import signal
import unittest

from daemon import DONE, NO_ANSWER, Daemon, until
from stores import SUFFIXES, StoresTest

SHIM = os.environ["CONSENT_KILL_AT_SYNC_SHIM"]
SEED = int(os.environ.get("CONSENT_CRASH_SEED", "1"))
POINTS = os.environ.get("CONSENT_CRASH_POINTS", "6")
AT_ONCE = 6  # they wait most of the time
# A lease that nobody learnt of ends by itself. On a busy machine a command may outlast it and fail; it is tried again within a minute.
LEASE_S = 8
PATIENCE = 180

STATES = ("RECEIVED", "VERIFYING", "ACCEPTED", "IN_PROGRESS", "COMPLETED")
PROOF = ("--channel", "app", "--actor", "self")
ORDER = ("--authority", "District Court, 12-345", "--reason", "discovery")
FACTS = {"region": "DE", "wake": "BUTTON", "kind": "COMMAND", "speakers": "ONE", "identity": "NOT_RUN", "age": "ADULT"}
MADE = {"audio": {}, "transcripts": {"artefact": "TRANSCRIPT", "made_for": "HUMAN_REVIEW"}}


class MortalDaemon(Daemon):
    """Dies at `point`, such as before-17, if it comes there; then revive() starts one that does not."""

    def __init__(self, point):
        self.died = False
        when, number = point.split("-")
        super().__init__(LD_PRELOAD=SHIM, CONSENT_KILL_WHEN=when, CONSENT_KILL_AT_SYNC=number)

    def start(self, **environment):
        if environment:
            environment["CONSENT_COUNT_SYNCS"] = self.path("syncs")
        try:
            super().start(**environment)
        except AssertionError:
            self.revive()

    def revive(self):
        how = self.process.wait(60)
        self.log.close()
        if self.died or how != -signal.SIGKILL:
            raise AssertionError(f"consentd ended with {how}:\n" + (self.root / "log").read_text())
        self.died = True
        self.start()

    def syncs(self):
        return pathlib.Path(self.path("syncs")).stat().st_size


class Known:
    """What was acknowledged. A file's answer is None while a call that changes it has none."""

    def __init__(self, files):
        self.eligible = dict.fromkeys(files, False)
        self.purge = dict.fromkeys(files, False)
        self.state = {}      # of each request
        self.confirmed = {}  # by which systems
        self.erases = {}     # which files must be gone once it is complete

    def sent(self, files, eligible, purge):
        for known, value in ((self.eligible, eligible), (self.purge, purge)):
            known.update({file: None for file in files if known[file] != value})

    def acknowledged(self, files, eligible, purge):
        self.eligible.update(dict.fromkeys(files, eligible))
        self.purge.update(dict.fromkeys(files, purge))


class Story(StoresTest):
    """From the first registration to the end of three requests, with a daemon that dies at `point`."""

    def __init__(self, point):
        super().__init__()
        self.daemon = MortalDaemon(point)
        self.addCleanup(self.daemon.close)

    def play(self):
        """How many syncs it took, and whether the daemon died."""
        try:
            self.prepare()
            workers = [self.work(name, "--visibility", str(LEASE_S)) for name in SUFFIXES]
            deletions = {self.turn_off(), self.erase_everything(), self.close_under_hold()}
            until(lambda: all(request["state"] == "COMPLETED" for request in self.look().values()), "all are COMPLETED",
                  PATIENCE, pause=0.1)
            self.assertEqual(set(self.look()), deletions, "each was made once")
            self.look_closely()
            self.assert_left(self.of("ben", "dan"), "audio")
            self.assert_left(self.of("dan"), "transcripts")
            self.assertEqual([worker.process.poll() for worker in workers], [None, None], "they went on by themselves")
            return self.daemon.syncs(), self.daemon.died
        finally:
            self.doCleanups()

    def prepare(self):
        accounts = ("ann", "ben", "cid", "dan")
        self.make_stores()
        self.fill([{"recording_id": f"{account}-{number}", "account_id": account, "profile_id": "voice", "device_id": "desk",
                    "captured_at": f"2024-03-0{number + 1}T12:00:00Z"} for account in accounts for number in range(3)])
        self.files = [(name, recording) for recording in self.recordings for name in SUFFIXES]
        keys = ("recording_id", "account_id", "captured_at")
        facts = [{**{key: self.recordings[recording][key] for key in keys}, **FACTS, **MADE[name]} for name, recording in self.files]
        self.lines = "".join(json.dumps(line) + "\n" for line in facts)
        self.known = Known(self.files)
        for name in SUFFIXES:
            self.json("systems", "register", name, "--kind", name, "--matches-by", "account,recording-id,profile,time", "--checks-on-ingest")
        for account in accounts:
            self.change(self.of(account), True, False, "subject", "set", account, "--region", "DE", "--profile", "voice:adult", "--on",
                        "help_improve", "--notice", "2026-01-past", "--language", "en", *PROOF, done_if=("subject", "get", account))

    # The three requests.

    def turn_off(self):
        transcripts = {("transcripts", recording) for recording in self.of("ben")}
        self.known.sent(transcripts, False, True)
        self.change(self.of("ben"), False, False, "settings", "opt-out", "ben", "--control", "help_improve", stores=("audio",))
        self.known.acknowledged(transcripts, False, True)
        deletion, = self.look()
        self.known.erases[deletion] = transcripts
        return deletion

    def erase_everything(self):
        return self.delete_and_verify("ann", "--everything")

    def close_under_hold(self):
        held = {"cid-0"}
        self.change(held, False, False, "holds", "place", "cid", *ORDER, "--recording", "cid-0", "--request-id", "place")
        deletion = self.delete_and_verify("cid", "--close-account", held)
        until(lambda: self.look() and all(self.left(name) & self.of("cid") == held for name in SUFFIXES), "what is not held is gone",
              PATIENCE, pause=0.1)
        self.assertEqual(self.look()[deletion]["state"], "IN_PROGRESS")
        hold, = self.json("holds", "list", "--account", "cid")["holds"]
        self.change(held, False, True, "holds", "release", hold["hold_id"], "--etag", hold["etag"], *ORDER, *PROOF, "--request-id", "release")
        return deletion

    def delete_and_verify(self, account, what, held=frozenset()):
        request = self.change(self.of(account), False, False, "delete", account, what, "--request-id", f"delete-{account}")["request"]
        deletion = request["deletion_id"]
        self.known.erases[deletion] = {(name, recording) for name in SUFFIXES for recording in self.of(account)}
        self.assertEqual(self.look()[deletion]["state"], "RECEIVED", "it waits for its verification")
        self.change(self.of(account) - held, False, True, "requests", "verify", deletion, "--request-id", f"verify-{account}")
        return deletion

    # Calls, each repeated until it has an answer.

    def ctl(self, *arguments, expect=DONE, stdin=None, done_if=()):
        """`done_if` is a command that succeeds once this one is done; without it repeating is harmless."""
        while True:
            done = self.daemon.ctl(*arguments, stdin=stdin)
            if done.returncode != NO_ANSWER:
                self.assertEqual(done.returncode, expect, f"{arguments}\n{done.stdout}\n{done.stderr}")
                return done.stdout
            self.daemon.revive()
            self.look_closely()
            if done_if and self.daemon.ctl(*done_if).returncode == DONE:
                return "{}"

    def change(self, recordings, eligible, purge, *arguments, stores=tuple(SUFFIXES), done_if=()):
        """What is asked about these recordings' files is answered so from its acknowledgement on."""
        files = {(name, recording) for name in stores for recording in recordings}
        self.known.sent(files, eligible, purge)
        answer = json.loads(self.ctl(*arguments, "--json", done_if=done_if))
        self.known.acknowledged(files, eligible, purge)
        if "request" in answer:
            self.note(answer["request"])
        self.look_closely()
        return answer

    def of(self, *accounts):
        return {recording for recording, line in self.recordings.items() if line["account_id"] in accounts}

    # What must be true at every moment.

    def look(self):
        """All that was acknowledged of requests and files is there. Returns the requests."""
        requests = {request["deletion_id"]: request for request in self.json("requests", "list")["requests"]}
        self.assertLessEqual(set(self.known.state), set(requests), "a request was forgotten")
        for request in requests.values():
            self.note(request)
        self.assert_files(requests)
        return requests

    def look_closely(self):
        self.look()
        self.assert_answers()

    def note(self, request):
        deletion, state = request["deletion_id"], STATES.index(request["state"])
        confirmed = {part["system"] for part in request["progress"] if part["outcome"]}
        self.assertGreaterEqual(state, self.known.state.get(deletion, 0), f"it went back to {request['state']}")
        self.assertGreaterEqual(confirmed, self.known.confirmed.get(deletion, set()), "a confirmation was forgotten")
        self.known.state[deletion], self.known.confirmed[deletion] = state, confirmed
        if request["state"] == "COMPLETED":
            self.assertEqual((confirmed, request["account_id"]), (set(SUFFIXES), ""), f"all have confirmed, and it names nobody any more: {request}")

    def assert_files(self, requests):
        left = {(name, recording) for name in SUFFIXES for recording in self.left(name)}
        gone = set(self.files) - left
        self.assertEqual({file for file in gone if self.known.purge[file] is False}, set(), "gone, and nobody asked for that")
        for deletion, files in self.known.erases.items():
            if requests[deletion]["state"] == "COMPLETED":  # which was asked before
                self.assertEqual(left & files, set(), "left, and the request is complete")

    def assert_answers(self):
        refused = pathlib.Path(self.daemon.path("refused"))
        self.ctl("filter", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--site", "cluj", "--reviewer", "employee", "--refused",
                 str(refused), "--force", stdin=self.lines)
        answers = {answer["line"]: answer["disposition"] for answer in map(json.loads, refused.read_text().splitlines())}
        for line, file in enumerate(self.files, 1):
            self.assertIn(self.known.eligible[file], (None, line not in answers), f"{file} may be used: {line not in answers}")
            self.assertIn(self.known.purge[file], (None, answers.get(line) == "PURGE"), f"{file} {answers.get(line)}")


class CrashTest(unittest.TestCase):
    def test_no_crash_loses_or_undoes_anything(self):
        """Hard cases 37, 42, 43."""
        syncs, _ = Story("never-0").play()
        points = [f"{when}-{number}" for number in range(1, syncs + 1) for when in ("before", "after")]
        if "-" in POINTS:
            points = POINTS.split(",")
        elif POINTS != "all":
            points = random.Random(SEED).sample(points, int(POINTS))
        crashes = 0
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for point, story in [(point, pool.submit(lambda point: Story(point).play(), point)) for point in points]:
                with self.subTest(seed=SEED, point=point):
                    _, died = story.result()
                    crashes += died
                    # How many syncs a story takes differs by a few, so it may end before one of the last.
                    self.assertTrue(died or int(point.split("-")[1]) > 0.8 * syncs, "it never came there")
        print(f"seed {SEED}: {syncs} syncs, {len(points)} points, {crashes} crashes", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
