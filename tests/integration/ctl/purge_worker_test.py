"""The shipped example of a worker's command, and the shipped unit that runs a worker.

What must go and what must stay stands in the tables of this file, written by hand; the example is not asked.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

from daemon import CONSENTCTL, DONE, SOURCE, WORK_LEFT, DaemonTest, Worker

SCRIPT = SOURCE / "deploy/examples/purge-worker.py"
UNIT = SOURCE / "deploy/systemd/consentctl-worker@.service"
NOTHING, NOT_UNDERSTOOD, LATER = 3, 65, 75

NOW = datetime.datetime.now(datetime.timezone.utc)


def ago(**span):
    return (NOW - datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# One account's files: name, and what is known of it.
FILES = {
    "old.wav": {"recording_id": "r-old", "captured_at": ago(days=20), "profile_ids": ["mum"], "device_id": "kitchen"},
    "new.wav": {"recording_id": "r-new", "captured_at": ago(seconds=5), "profile_ids": ["kid"], "device_id": "hall"},
    "both.wav": {"recording_id": "r-both", "captured_at": ago(days=10), "profile_ids": ["mum", "kid"], "device_id": "kitchen"},
    "vague.wav": {"recording_id": "r-vague", "captured_at": ago(days=13), "captured_uncertainty_ms": 2 * 86_400_000, "profile_ids": ["mum"], "device_id": "hall"},
    "undated.wav": {"recording_id": "r-undated", "device_id": "kitchen"},
    "old.txt": {"recording_id": "r-old", "captured_at": ago(days=20), "profile_ids": ["mum"], "device_id": "kitchen", "artefact": "TRANSCRIPT", "made_for": "HUMAN_REVIEW"},
    "new.txt": {"recording_id": "r-new", "captured_at": ago(seconds=5), "profile_ids": ["kid"], "device_id": "hall", "artefact": "TRANSCRIPT", "made_for": "MODEL_TRAINING"},
    "kid.voice": {"recording_id": "r-both", "captured_at": ago(days=10), "profile_ids": ["kid"], "device_id": "kitchen", "artefact": "VOICE_ID", "made_for": "VOICE_IDENTIFICATION"},
}
ALL = set(FILES)
# The kind, what `delete` is told, and the files that go by it.
SELECTORS = {
    "everything": (("--everything",), ALL),
    "time_range": (("--from", ago(days=12), "--to", ago(days=5)), {"both.wav", "vague.wav", "undated.wav", "kid.voice"}),
    "spoken_day": (("--today", "--time-zone", "UTC"), {"new.wav", "new.txt", "undated.wav"}),
    "recordings": (("--recording", "r-old", "--recording", "r-undated", "--recording", "r-none"), {"old.wav", "old.txt", "undated.wav"}),
    "profile": (("--profile", "kid"), {"new.wav", "new.txt", "both.wav", "kid.voice"}),
    "device": (("--device", "hall"), {"new.wav", "new.txt", "vague.wav"}),
    "purpose_copies": (("--purpose-copies", "HUMAN_REVIEW"), {"old.txt"}),
    "voice_id": (("--voice-id", "kid"), {"kid.voice"}),
    "account_closure": (("--close-account",), ALL),
}
# What a hold on it keeps of everything: what it may mean stays.
HOLDS = {
    "account": (("--from", ago(days=12), "--to", ago(days=5)), {"both.wav", "vague.wav", "undated.wav", "kid.voice"}),
    "profile": (("--profile", "kid"), {"new.wav", "new.txt", "both.wav", "kid.voice", "undated.wav"}),
    "device": (("--device", "hall"), {"new.wav", "new.txt", "vague.wav"}),
    "recordings": (("--recording", "r-old"), {"old.wav", "old.txt"}),
}


class Store:
    """A tree as the example's docstring has it."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.root.mkdir()
        (self.root / ".consent-store").touch()

    def fill(self, folder):
        (self.root / folder).mkdir()
        for name, known in FILES.items():
            (self.root / folder / name).write_text(name)
            (self.root / folder / (name + ".json")).write_text(json.dumps(known))

    def names(self, folder):
        """The files that are left; each still has what is known of it, and nothing else is left."""
        if not (self.root / folder).exists():
            return set()
        there = {path.name for path in (self.root / folder).iterdir()}
        left = {name for name in there if not name.endswith(".json")}
        assert there == left | {name + ".json" for name in left}, there
        return left


def run(store, task):
    return subprocess.run([str(SCRIPT), str(store.root)], input=json.dumps(task) + "\n", capture_output=True, text=True, timeout=60)


class SelectorsTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store = Store(cls.daemon.path("store"))

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1].replace("test_", "")[:60]
        self.system(self.name, "audio")

    def tearDown(self):
        self.json("systems", "retire", self.name, "--reason", "end of a test")

    def work(self, *options, expect=DONE, command=str(SCRIPT)):
        done = self.daemon.ctl("worker", self.name, "--once", "--json", "--heeds-exceptions", *options, "--", command, str(self.store.root))
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return json.loads(done.stdout), [json.loads(line) for line in done.stderr.splitlines()]

    def part(self, deletion):
        return next(part for part in self.request(deletion)["progress"] if part["system"] == self.name)

    def test_each_selector(self):
        for kind, (options, gone) in SELECTORS.items():
            with self.subTest(kind=kind):
                for account in (f"{kind}-ann", f"{kind}-other"):
                    self.store.fill(account)
                deletion = self.delete(f"{kind}-ann", *options, "--verified")
                handed = json.loads(self.ctl("worker", self.name, "--dry-run"))
                self.assertEqual(handed["selector"]["kind"], kind)
                counts, lines = self.work()
                self.assertEqual((counts["done"], counts["erased"]), (1, len(gone)))
                self.assertEqual([line["selector"] for line in lines], [kind])
                self.assertEqual(self.store.names(f"{kind}-ann"), ALL - gone)
                self.assertEqual(self.store.names(f"{kind}-other"), ALL, "nobody asked for that")
                self.assertEqual((self.part(deletion)["outcome"], self.part(deletion)["erased_count"]), ("ACKNOWLEDGED", len(gone)))
                again = run(self.store, handed)
                self.assertEqual((again.returncode, again.stdout), (NOTHING, "0\n"), "twice is no failure")

    def test_each_exception(self):
        for kind, (options, held) in HOLDS.items():
            with self.subTest(kind=kind):
                account = f"held-{kind}"
                self.store.fill(account)
                hold = self.json("holds", "place", account, "--authority", "court", "--reason", "case", *options)["hold"]
                deletion = self.delete(account, "--everything", "--verified")
                counts, _ = self.work(expect=WORK_LEFT)
                self.assertEqual((counts["done"], self.store.names(account)), (1, held))
                etag = self.json("holds", "list", "--account", account)["holds"][0]["etag"]
                self.json("holds", "release", hold["hold_id"], "--authority", "court", "--reason", "over", "--etag", etag, "--channel", "support",
                          "--actor", "system")
                counts, _ = self.work()
                self.assertEqual((counts["done"], self.store.names(account)), (1, set()))
                self.assertEqual(self.part(deletion)["erased_count"], len(ALL))

    def test_a_store_that_is_not_there_is_tried_again(self):
        (self.store.root / "dan").mkdir()
        self.delete("dan", "--everything", "--verified")
        marker = self.store.root / ".consent-store"
        marker.unlink()
        try:
            counts, lines = self.work(expect=WORK_LEFT)
        finally:
            marker.touch()
        self.assertEqual((counts["retried"], counts["not_found"], lines[0]["outcome"]), (1, 0, "AGAIN_LATER"))
        self.json("tasks", "retry", self.name)
        self.assertEqual(self.work()[0]["not_found"], 1)

    def test_the_unit_runs_a_worker(self):
        """What systemd would make of the unit and its file: %i, the file's variables, the words of $WORKER_…"""
        self.store.fill("unit-ann")
        text = UNIT.read_text()
        start = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE).group(1)
        example = dict(re.findall(r"^#   (\w+)=(.*)$", text, re.MULTILINE))
        self.assertEqual(set(example), {"CONSENT_ENDPOINT", "CONSENT_CA", "CONSENT_CERT", "CONSENT_KEY", "WORKER_OPTIONS", "WORKER_COMMAND"})
        own = {"CONSENT_ENDPOINT": self.daemon.endpoint, "WORKER_OPTIONS": example["WORKER_OPTIONS"], "WORKER_COMMAND": f"{SCRIPT} {self.store.root}"}
        words = []
        for word in shlex.split(start.replace("%i", self.name)):
            words += own[word[1:]].split() if word.startswith("$") else [word]
        self.assertEqual(words[0], "/usr/bin/consentctl")
        worker = subprocess.Popen([CONSENTCTL, *words[1:]], env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(Worker.kill, type("", (), {"process": worker}))
        self.completed(self.delete("unit-ann", "--everything", "--verified"))
        self.assertEqual(self.store.names("unit-ann"), set())
        worker.terminate()
        _, err = worker.communicate(timeout=60)
        self.assertEqual(worker.returncode, DONE, err)


class ScriptTest(unittest.TestCase):
    """Without a daemon: what it does with what nobody meant it to meet."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="purge_worker_")
        self.addCleanup(self.folder.cleanup)
        self.store = Store(pathlib.Path(self.folder.name) / "store")

    def task(self, selector, account="ann", covers=None, exceptions=()):
        timed = {"from": None, "to": ago(seconds=0)} if covers is None else covers
        return {"task_id": "t", "account_id": account, "selector": selector, "covers": timed, "exceptions": list(exceptions), "cause": "REQUESTED"}

    def refused(self, task):
        done = run(self.store, task)
        self.assertEqual((done.returncode, done.stdout), (NOT_UNDERSTOOD, ""), done.stderr)
        self.assertEqual(self.store.names("ann"), ALL)
        self.assertNotIn("ann", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_what_it_does_not_know_deletes_nothing(self):
        self.store.fill("ann")
        for selector in ({"kind": "voice_print", "profile_id": "kid"}, {"kind": "profile"}, {"kind": "recordings", "recording_ids": []}, {"kind": "purpose_copies"}, {}, [], None):
            self.refused(self.task(selector))
        for held in ({"kind": "site", "from": None, "to": None}, {"kind": "device", "from": None, "to": None}, {"kind": "account"}, {"from": None}):
            self.refused(self.task({"kind": "everything"}, exceptions=[held]))
        for covers in ({"from": None, "to": None}, {"from": "yesterday", "to": ago(days=1)}, {"from": None, "to": "2026-01-01T00:00:00+02:00"}):
            self.refused(self.task({"kind": "everything"}, covers=covers))
        self.refused("x")

    def test_ids_of_any_form_stay_within_the_store(self):
        outside = pathlib.Path(self.folder.name) / "outside"
        outside.mkdir()
        (outside / "file").touch()
        for account in ("../outside", "..", ".", "/etc", "a/b", "-rf", "ä" * 64, "x" * 128, " ", "%2E%2E"):
            quoted = urllib.parse.quote(account, safe="").replace(".", "%2E")
            folder = quoted if len(quoted) <= 200 else "sha256-" + hashlib.sha256(account.encode()).hexdigest()
            self.store.fill(folder)
            done = run(self.store, self.task({"kind": "everything"}, account=account))
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (DONE, str(len(ALL))), account)
            self.assertEqual([path.name for path in self.store.root.iterdir()], [".consent-store"], account)
        self.assertTrue((outside / "file").exists())

    def test_one_that_was_killed_half_way_is_finished(self):
        self.store.fill("ann")
        (self.store.root / "ann/old.wav").unlink()  # its JSON is still there
        done = run(self.store, self.task({"kind": "recordings", "recording_ids": ["r-old"]}))
        self.assertEqual((done.returncode, done.stdout), (DONE, "erased old.txt\nerased old.wav.json\n2\n"))
        self.assertEqual(self.store.names("ann"), ALL - {"old.wav", "old.txt"})

    def test_what_it_cannot_judge_fails_the_task_after_the_rest_is_gone(self):
        for harm in ("{", "[]", '{"captured_at": "soon"}', None):
            self.store.fill("ann")
            known = self.store.root / "ann/new.wav.json"
            known.write_text(harm) if harm else known.unlink()
            done = run(self.store, self.task({"kind": "everything"}))
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (NOT_UNDERSTOOD, str(len(ALL) - 1)), harm)
            self.assertTrue((self.store.root / "ann/new.wav").exists())
            done = run(self.store, self.task({"kind": "account_closure"}))
            self.assertEqual((done.returncode, self.store.names("ann")), (DONE, set()), "a closed account's files go whatever is known of them")

    def test_a_draft_is_one_result_of_a_recording(self):
        self.store.fill("ann")
        self.refused(self.task({"kind": "draft", "recording_id": "r-old"}))
        self.refused(self.task({"kind": "draft", "digest": "ab" * 32}))
        for name, known in (("first.ann", {"recording_id": "r-old", "digest": "ab" * 32}), ("second.ann", {"recording_id": "r-old", "digest": "cd" * 32}),
                            ("other.ann", {"recording_id": "r-new", "digest": "ab" * 32})):
            (self.store.root / "ann" / name).touch()
            (self.store.root / "ann" / (name + ".json")).write_text(json.dumps({**known, "artefact": "ANNOTATION", "made_for": "HUMAN_REVIEW"}))
        done = run(self.store, {**self.task({"kind": "draft", "recording_id": "r-old", "digest": "ab" * 32}), "covers": None, "cause": "LATE_DRAFT"})
        self.assertEqual((done.returncode, self.store.names("ann")), (DONE, ALL | {"second.ann", "other.ann"}))

    def test_a_sweep_of_copies_leaves_the_audio(self):
        self.store.fill("ann")
        selector = {"kind": "copies", "recording_ids": ["r-old", "r-new"], "artefact": "TRANSCRIPT", "purposes": ["HUMAN_REVIEW"]}
        done = run(self.store, {**self.task(selector), "covers": None, "cause": "SWEEP"})
        self.assertEqual((done.returncode, self.store.names("ann")), (DONE, ALL - {"old.txt"}))


class UnitTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_systemd_takes_it(self):
        with tempfile.TemporaryDirectory(prefix="purge_worker_") as folder:
            text = UNIT.read_text()
            self.assertIn("/usr/bin/consentctl", text)
            unit = pathlib.Path(folder) / UNIT.name.replace("@", "@audio")
            # Of the unit alone: the program and its page are not installed here.
            unit.write_text(text.replace("/usr/bin/consentctl", CONSENTCTL))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
