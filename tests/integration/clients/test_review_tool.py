"""A listener hears recordings by the example of a review tool (client/examples/review_tool), each program with the certificate of its role, before one
daemon over TLS: what is restricted between the grant and the play stays silent, and a token is worth nothing to a second player.

CONSENT_RECORDINGS: JSON lines beside a folder `wav`; the samples of five real speakers take the place of made-up ones.
"""

import array
import base64
import contextlib
import io
import json
import math
import os
import pathlib
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
import wave

try:
    import grpc
    import cryptography  # noqa: F401: the store verifies tokens
    import nacl.public  # the one that cannot call opens them
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

from harness import PATIENCE, ROOT, DaemonTest, until, with_many_reviews

import consent_client
from consent.v1 import recording_service_pb2 as flags
from consent.v1 import review_service_pb2 as api
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types
from words import fresh_id, household, opt_out, recording, turn_on

CTL = os.environ["TEST_CTL"]
EXAMPLE = ROOT / "client/examples/review_tool"
REAL = os.environ.get("CONSENT_RECORDINGS")
SITE, SYSTEM, VAULT = "cluj", "audio", "vault"
PEOPLE = ("nora", "hugo", "ylva", "dunja", "rosa")
REGION = "DE"
sys.path.insert(0, str(EXAMPLE))
import player as review_player  # noqa: E402  # pylint: disable=wrong-import-position


def tone(path, number):
    """A tenth of a second that no other recording sounds like."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(array.array("h", (int(9000 * math.sin(2 * math.pi * (300 + 100 * number) * at / 8000)) for at in range(800))).tobytes())


def samples(path):
    with wave.open(str(path), "rb") as recording_:
        return recording_.readframes(recording_.getnframes())


def forged(token):
    """The token with another character in its middle, whatever it has there."""
    at = len(token) // 2
    return token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1:]


class ReviewToolTest(DaemonTest):

    def setUp(self):
        super().setUp()
        self.tls = self.folder / "tls"
        subprocess.run([CTL, "certs", "dev", self.tls], check=True, capture_output=True)
        callers = json.loads((self.tls / "callers.json").read_text())
        for caller in callers["callers"]:
            if "ROLE_STORE" in caller["roles"]:
                caller["systems"] = [SYSTEM, VAULT]
        (self.tls / "callers.json").write_text(json.dumps(callers))
        document = with_many_reviews(json.loads((ROOT / "deploy/policy.json").read_text()))
        for regime in document["regimes"]:
            regime.update(allowed_countries=["*"], allowed_sites=["*"], allowed_reviewer_classes=["REVIEWER_CLASS_EMPLOYEE"])
        self.served = self.daemon("--listen", "localhost:0", "--callers", self.tls / "callers.json", "--tls-cert", self.tls / "server.pem", "--tls-key",
                                  self.tls / "server-key.pem", "--tls-client-ca", self.tls / "ca.pem", "--policy", self.policy(**document))
        self.endpoint = "localhost:" + self.served.wait_for("listening")["address"].split()[0].rpartition(":")[2]
        self.wavs = self.folder / "wav"
        self.wavs.mkdir()
        self.backend = self.connect("backend")
        for number, account in enumerate(PEOPLE):
            self.agree(account)
            self.record(account, number)

    def environment(self, role):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT")}
        return {**kept, "CONSENT_ENDPOINT": self.endpoint, "CONSENT_CA": str(self.tls / "ca.pem"), "CONSENT_CERT": str(self.tls / f"{role}.pem"),
                "CONSENT_KEY": str(self.tls / f"{role}-key.pem")}

    def connect(self, role):
        client = consent_client.connect(self.endpoint, ca=str(self.tls / "ca.pem"), certificate=str(self.tls / f"{role}.pem"), key=str(self.tls / f"{role}-key.pem"))
        self.addCleanup(client.close)
        return client

    def agree(self, account):
        self.backend.subjects.UpsertSubject(household(account, region=REGION), timeout=PATIENCE)
        etag = self.backend.settings.GetSettings(settings.GetSettingsRequest(account_id=account)).etag
        done = self.backend.settings.UpdateSettings(turn_on(account, etag))
        self.assertTrue(all(part.applied for part in done.results), done)

    def record(self, account, number):
        """A WAV under the recording's id: a real one where there are some, else a tone."""
        target = self.wavs / f"{account}-1.wav"
        real = sorted((pathlib.Path(REAL).parent / "wav").glob("*.wav")) if REAL else []
        if real:
            target.write_bytes(real[number * len(real) // len(PEOPLE)].read_bytes())
        else:
            tone(target, number)

    def lines(self, accounts=PEOPLE):
        path = self.folder / "recordings.jsonl"
        rows = []
        for account in accounts:
            made = recording(account, f"{account}-1.wav")
            rows.append({"recording_id": made.recording_id, "account_id": account, "captured_at": made.captured_at.ToJsonString(), "profile_ids": list(made.profile_ids),
                         "device_id": made.device_id, "wake": "INTENDED", "kind": "COMMAND", "speakers": "ONE", "identity": "MATCHED", "age": "ADULT"})
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def start(self, role, program, *arguments, environment=None):
        process = subprocess.Popen([sys.executable, EXAMPLE / program, *map(str, arguments)], env=environment or self.environment(role), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self.addCleanup(end)
        return process

    def store(self):
        process = self.start("store", "audio_store.py", "--system", SYSTEM, "--site", SITE, self.wavs)
        url = process.stdout.readline().strip()
        self.assertTrue(url, process.poll())
        return url

    def player_arguments(self, store, recordings, listener="anna-7"):
        return ["--store", store, "--system", SYSTEM, "--country", "RO", "--site", SITE, "--reviewer", "EMPLOYEE", "--listener", listener, "--speaker",
                str(self.folder / "speaker.pcm"), str(recordings)]

    def asked(self, store, handle, token):
        """Status and bytes of a request that somebody makes by hand."""
        request = urllib.request.Request(f"{store}/media/{handle}", headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def heard(self, account):
        return [(api.ReviewOutcome.Name(one.outcome).removeprefix("REVIEW_OUTCOME_"), one.country, types.ReviewerClass.Name(one.reviewer_class))
                for one in self.backend.reviews.list_heard(account).heard]


class Story(ReviewToolTest):

    def test_three_are_heard_one_is_silent_and_one_is_flagged(self):
        listening = self.start("review-tool", "player.py", *self.player_arguments(self.store(), self.lines()))

        def next_line():
            line = listening.stdout.readline()
            self.assertTrue(line, listening.poll())
            return json.loads(line)

        def say(text):
            listening.stdin.write(text + "\n")
            listening.stdin.flush()
        told = []
        for number in range(3):
            told.append(next_line())
            self.assertTrue(told[-1]["heard"], told)
            if number == 2:  # the grants of all five were given; three were played
                self.backend.settings.OptOut(opt_out("dunja"))
            say("submit turn the lights on")
            self.assertTrue(next_line()["concluded"])
        silent = next_line()
        self.assertEqual((silent["heard"], silent["why"]), (False, "GRANT_ENDED"))
        flagged = next_line()
        self.assertTrue(flagged["heard"])
        say("SAFETY")
        self.assertTrue(next_line()["concluded"])
        listening.stdin.close()
        self.assertEqual(listening.wait(PATIENCE), 0)
        rest, errors = listening.stdout.read(), listening.stderr.read()
        self.assertEqual((rest, errors), ("", ""))

        # The speaker played the four, in their order, and nothing of the fourth.
        played = (self.folder / "speaker.pcm").read_bytes()
        self.assertEqual(played, b"".join(samples(self.wavs / f"{account}-1.wav") for account in PEOPLE if account != "dunja"))
        self.assertNotIn(samples(self.wavs / "dunja-1.wav"), played)
        everything = json.dumps([*told, silent, flagged])
        for account in PEOPLE:
            self.assertNotIn(account, everything)
        self.assertEqual(len({line["pseudonym"] for line in (*told, silent, flagged)}), 5)

        # Each person sees it, also whose recording was flagged: it was played. The fourth was never heard.
        done = ("RO", "REVIEWER_CLASS_EMPLOYEE")
        self.assertEqual([self.heard(account) for account in PEOPLE], [[("SUBMITTED", *done)]] * 3 + [[], [("SAFETY", *done)]])
        officer = self.connect("officer")
        listed = officer.recordings.ListSafetyFlags(flags.ListSafetyFlagsRequest(), timeout=PATIENCE)
        self.assertEqual([(flag.account_id, flag.recording_id) for flag in listed.flags], [("rosa", "rosa-1.wav")])
        states = sorted(api.GrantState.Name(grant.state).removeprefix("GRANT_STATE_") for grant in officer.reviews.list_grants().grants)
        self.assertEqual(states, ["ENDED", "RESTRICTED", "SUBMITTED", "SUBMITTED", "SUBMITTED"])

    def test_a_token_is_worth_nothing_to_a_second_player(self):
        store = self.store()
        reviews = self.connect("review-tool").reviews
        options = review_player.options_of(self.player_arguments(store, "-"))
        given = review_player.Player(self.connect("review-tool"), options, None).lease([recording(account, f"{account}-1.wav") for account in ("nora", "hugo")])
        grant, other = (lease.grant for lease in given)
        token = reviews.open(grant, SYSTEM).token()
        nothing = (403, b"")
        self.assertEqual(self.asked(store, other.media_handle, token), nothing, "what it does not name")
        self.assertEqual(self.asked(store, grant.media_handle, forged(token)), nothing, "forged")
        self.assertEqual(self.asked(store, grant.media_handle, ""), nothing, "none")
        self.assertEqual(self.asked(store, "../tls/store-key.pem", token), nothing, "a path")
        self.assertEqual(self.asked(store, grant.media_handle, token), (200, (self.wavs / "nora-1.wav").read_bytes()))
        self.assertEqual(self.asked(store, grant.media_handle, token), nothing, "a second player")
        self.assertEqual(self.asked(store, other.media_handle, reviews.open(other, "elsewhere").token()), nothing, "another data system's")
        # Opened, and then restricted before anybody fetched it.
        token = reviews.open(other, SYSTEM).token()
        self.backend.settings.OptOut(opt_out("hugo"))
        self.assertEqual(self.asked(store, other.media_handle, token), nothing, "restricted")
        (self.wavs / "nora-1.wav").rename(self.folder / "gone")
        self.assertEqual(self.asked(store, grant.media_handle, reviews.open(grant, SYSTEM).token()), nothing, "its file is gone")
        self.assertIsNone(review_player.fetch(store, grant, consent_client.MediaPass()), "no pass")

    def test_a_player_plays_nothing_without_an_answer(self):
        store = self.store()
        client = self.connect("review-tool")
        options = review_player.options_of(self.player_arguments(store, "-"))
        with open(self.folder / "speaker.pcm", "wb") as speaker:
            player = review_player.Player(client, options, speaker)
            grant = player.lease([recording("nora", "nora-1.wav")])[0].grant
            self.assertEqual(self.served.stop(), 0)
            with contextlib.redirect_stdout(io.StringIO()) as told:
                self.assertFalse(player.play(grant))
                self.assertFalse(player.conclude(grant, "submit words"))
        self.assertEqual([json.loads(line)["why"] for line in told.getvalue().splitlines()], ["UNAVAILABLE"] * 2)
        self.assertEqual((self.folder / "speaker.pcm").read_bytes(), b"")
        with self.assertRaises(grpc.RpcError):
            player.lease([recording("ylva", "ylva-1.wav")])


class CannotCall(ReviewToolTest):
    """An audio store that cannot call: it is given a key of its own and the media key, and nothing else."""

    BOUND = 10 + 1  # seconds that client/README.md states: its tokens' life and the clocks' tolerance

    def setUp(self):
        super().setUp()
        self.secret = self.folder / "vault.secret"
        pair = nacl.public.PrivateKey.generate()
        self.public = bytes(pair.public_key).hex()
        self.secret.write_bytes(bytes(pair))
        self.assertEqual(self.register(self.public)["offline_key"], self.public)
        self.reviews = self.connect("review-tool").reviews

    def ctl(self, *arguments, role="operator"):
        return subprocess.run([CTL, "--json", *arguments], env=self.environment(role), capture_output=True, text=True, check=False)

    def register(self, key):
        done = self.ctl("systems", "register", VAULT, "--kind", "audio", "--matches-by", "account,recording-id", "--checks-on-ingest", "--offline-key", key)
        return json.loads(done.stdout)["system"] if done.returncode == 0 else done.stderr

    def store(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT")}  # nobody whom it could ask
        process = self.start("store", "audio_store.py", "--system", VAULT, "--site", SITE, "--secret", self.secret, "--media-key",
                             self.connect("store").reviews.media_key().hex(), self.wavs, environment=kept)
        url = process.stdout.readline().strip()
        self.assertTrue(url, process.poll())
        return url

    def lease(self, *accounts):
        options = review_player.options_of(self.player_arguments("-", "-"))
        given = review_player.Player(self.connect("review-tool"), options, None).lease([recording(account, f"{account}-1.wav") for account in accounts])
        return [lease.grant for lease in given]

    def redeemed(self, token):
        with self.assertRaises(grpc.RpcError) as raised:
            self.connect("store").reviews.redeem(VAULT, token)
        error = consent_client.error_of(raised.exception)
        return error.reason, error.metadata["why"]

    def test_it_gives_each_recording_out_once_and_calls_nobody(self):
        store, nothing = self.store(), (403, b"")
        grant, other = self.lease("nora", "hugo")
        token = self.reviews.open(grant, VAULT).token()
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for name in ("nora", "hugo", "nora-1.wav"):
            self.assertNotIn(name.encode(), raw)
        self.assertEqual(self.redeemed(token), ("MEDIA_TOKEN_REFUSED", "offline"))
        self.assertEqual(self.asked(store, other.media_handle, token), nothing, "what it does not name")
        self.assertEqual(self.asked(store, grant.media_handle, forged(token)), nothing, "forged")
        self.assertEqual(self.asked(store, grant.media_handle, self.reviews.open(grant, SYSTEM).token()), nothing, "another data system's")
        self.assertEqual(self.asked(store, grant.media_handle, token), (200, (self.wavs / "nora-1.wav").read_bytes()))
        self.assertEqual(self.asked(store, grant.media_handle, token), nothing, "a second player")
        # All of it stands after a restart: the registration, the media key, what was taken.
        self.served.stop()
        self.served.start()
        self.endpoint = "localhost:" + self.served.wait_for("listening")["address"].split()[0].rpartition(":")[2]
        self.assertEqual(json.loads(self.ctl("systems", "list").stdout)["systems"][0]["offline_key"], self.public)
        self.assertEqual(self.register(self.public)["offline_key"], self.public)
        self.assertIn("SYSTEM_EXISTS", self.register("09" + "00" * 31))
        self.assertIn("offline_key", self.register("00" * 32))
        token = self.connect("review-tool").reviews.open(other, VAULT).token()
        self.assertEqual(self.asked(store, other.media_handle, token), (200, (self.wavs / "hugo-1.wav").read_bytes()))
        self.assertEqual(self.asked(store, other.media_handle, token), nothing)
        officer = self.connect("officer")
        shown = {one.grant_id: (one.opens, one.redeems, one.offline_opens) for one in officer.reviews.list_grants().grants}
        self.assertEqual(shown, {grant.grant_id: (2, 0, 1), other.grant_id: (1, 0, 1)})
        self.backend = self.connect("backend")
        self.assertEqual([len(self.heard(account)) for account in ("nora", "hugo", "ylva")], [1, 1, 0])

    def test_no_play_begins_later_than_its_stated_bound_after_an_opt_out(self):
        store = self.store()
        grant = self.lease("dunja")[0]
        # Each is good once, so one for each time that somebody tries.
        passes = [self.reviews.open(grant, VAULT) for _ in range(60)]
        tokens = [opened.token() for opened in passes]
        self.backend.settings.OptOut(opt_out("dunja"))
        acknowledged = time.monotonic()
        with self.assertRaises(grpc.RpcError):
            self.reviews.open(grant, VAULT)
        played, tried = [], []

        def is_over():
            """Tries one token each quarter of a second."""
            if time.monotonic() - acknowledged >= len(tried) / 4:
                tried.append(tokens.pop(0))
                if self.asked(store, grant.media_handle, tried[-1])[0] == 200:
                    played.append(time.monotonic() - acknowledged)
            return time.monotonic() - acknowledged > self.BOUND or not tokens
        until(is_over, "its tokens end")
        self.assertTrue(played, "what is in the hands of a store that cannot call is not taken back at once")
        self.assertLessEqual(max(played), self.BOUND)
        print(f"the last play began {max(played):.2f} s after the opt-out was acknowledged; the stated bound is {self.BOUND} s", file=sys.stderr)
        for token in tokens:
            self.assertEqual(self.asked(store, grant.media_handle, token), (403, b""))


if __name__ == "__main__":
    if not REAL:
        print("no recordings at CONSENT_RECORDINGS: made-up tones instead", file=sys.stderr)
    unittest.main()
