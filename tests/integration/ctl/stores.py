"""Two data systems that are folders: the recordings, and their transcripts, which were made for people to review them."""

import json
import pathlib
import sys

from daemon import DaemonTest, Worker

ERASE = pathlib.Path(__file__).with_name("erase.py")
SUFFIXES = {"audio": "", "transcripts": ".txt"}
MADE_FOR = {"audio": (), "transcripts": ("HUMAN_REVIEW",)}


class StoresTest(DaemonTest):
    """Each test has a daemon that knows of nothing, and stores that fill() has filled."""

    def setUp(self):
        self.daemon.close()
        type(self).daemon = self.daemon = type(self.daemon)()
        self.make_stores()

    def make_stores(self):
        self.manifest = pathlib.Path(self.daemon.path("manifest.jsonl"))
        self.stores = {name: pathlib.Path(self.daemon.path(name)) for name in SUFFIXES}
        for store in self.stores.values():
            store.mkdir()

    def fill(self, recordings):
        """One line of the manifest each, and one file in each store."""
        self.recordings = {recording["recording_id"]: recording for recording in recordings}
        self.manifest.write_text("".join(json.dumps(recording) + "\n" for recording in recordings))
        for recording in self.recordings:
            for name, store in self.stores.items():
                (store / (recording + SUFFIXES[name])).write_text(f"{name} of {recording}\n")

    def register_systems(self, *options):
        for name in SUFFIXES:
            self.system(name, name, *options)

    def work(self, name, *options):
        """One store reads its tasks from standard input, the other from the environment."""
        source = "line" if name == "audio" else "environment"
        return Worker(self, name, sys.executable, str(ERASE), source, str(self.manifest), str(self.stores[name]), SUFFIXES[name],
                      *MADE_FOR[name], options=("--parallel", "2", "--heeds-exceptions", *options))

    def left(self, name):
        return {path.name.removesuffix(".txt") for path in self.stores[name].iterdir()}

    def assert_left(self, left, name):
        self.assertEqual(self.left(name), left, name)

    def assert_gone(self, gone):
        """Exactly these are gone, from both stores."""
        for name in SUFFIXES:
            self.assert_left(set(self.recordings) - gone, name)
