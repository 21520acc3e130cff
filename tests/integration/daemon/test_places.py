"""Each path of the configuration as each thing that can lie there; which halves of a store go together; and what each cause is called."""

import errno
import os
import shutil
import signal
import subprocess
import unittest

from harness import DEFAULT_POLICY, Daemon, DaemonTest, run_to_end, until
from words import opt_out

USAGE, POLICY, KEYS, STORE, SHORTAGE, WORKS = 64, 65, 66, 72, 75, 0
QUICKLY = 5.0 if os.environ.get("TEST_SHIM") else 60.0  # sanitizers, which allow no shim, are slow
BLAMES_DAMAGE = ("good copy", "restore", "damaged", "accept-loss")

# What a start does where the path is: garbage, a folder, a link to what would do, a pipe, nothing, what would do but open to all.
EXPECTED = {
    "data-dir": {"dangling": STORE, "file": STORE, "folder": WORKS, "link": WORKS, "pipe": STORE, "missing": WORKS, "open": STORE, "foreign": STORE},
    "key-file": {"dangling": KEYS, "file": KEYS, "folder": KEYS, "link": KEYS, "pipe": KEYS, "missing": WORKS, "open": KEYS, "foreign": KEYS},
    # What is damaged may have known of changes, and there are no keys.
    "head-file": {"dangling": STORE, "file": KEYS, "folder": STORE, "link": STORE, "pipe": STORE, "missing": WORKS, "open": STORE, "foreign": STORE},
    "policy": {"dangling": POLICY, "file": POLICY, "folder": POLICY, "link": WORKS, "pipe": POLICY, "missing": POLICY, "open": POLICY, "foreign": WORKS},
    "config": {"dangling": USAGE, "file": USAGE, "folder": USAGE, "link": WORKS, "pipe": USAGE, "missing": USAGE, "open": USAGE, "foreign": WORKS},
}


class EachPathAndKind(DaemonTest):

    def good(self, option, path):
        """What the option may name, but a data folder, keys or head file that others may use all the same."""
        if option == "data-dir":
            path.mkdir(mode=0o700)
        elif option == "policy":
            shutil.copy(DEFAULT_POLICY, path)
        else:
            path.write_text("log-level = \"info\"\n" if option == "config" else "x")
        path.chmod(0o700 if path.is_dir() else 0o600)

    def place(self, option, kind, path):
        if kind == "file":
            path.write_text("{nonsense\n")
            path.chmod(0o600)
        elif kind == "folder":
            path.mkdir(mode=0o700)
        elif kind == "pipe":
            os.mkfifo(path, 0o600)
        elif kind == "dangling":
            path.symlink_to(path.parent / "not there")
        elif kind == "link":
            self.good(option, path.parent / "target")
            path.symlink_to(path.parent / "target")
        elif kind != "missing":
            self.good(option, path)
            if kind == "open":
                path.chmod(0o777 if path.is_dir() else 0o666)
            else:
                os.chown(path, 12345, 12345)

    def start(self, option, kind):
        folder = self.folder / f"{option}-{kind}"
        folder.mkdir(mode=0o700)
        path = folder / "named"
        self.place(option, kind, path)
        places = {name: folder / name for name in ("data-dir", "key-file", "head-file")} | {option: path}
        before = set(folder.rglob("*"))
        arguments = [word for name, place in places.items() for word in (f"--{name}", str(place))]
        log = self.folder / f"{option}-{kind}.log"
        daemon = Daemon(folder, "--listen", f"unix:{folder}/run/s", "--metrics-listen", "off", "--log-format", "json", *arguments, defaults=False)
        daemon.log_path = log
        self.addCleanup(daemon.kill)
        daemon.start(wait=False)
        return daemon, folder, before

    def judge(self, option, kind, expected):
        daemon, folder, before = self.start(option, kind)
        if expected == WORKS:
            daemon.wait_for("serving")
            self.assertEqual(daemon.stop(), 0)
            return
        self.assertEqual(daemon.wait(QUICKLY), expected, daemon.log())
        self.assertIn("named", daemon.log(), "the path is told")
        self.assertEqual(set(folder.rglob("*")), before, "nothing was made")

    def test_all(self):
        for option, kinds in EXPECTED.items():
            for kind, expected in kinds.items():
                if kind == "foreign" and os.geteuid() != 0:
                    continue
                with self.subTest(option=option, kind=kind):
                    self.judge(option, kind, expected)

    def test_a_folder_of_other_files_is_no_store(self):
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        (data / "holiday.jpg").write_text("x")
        before = set(self.folder.rglob("*")) | {self.folder / "log"}
        daemon = self.daemon("--data-dir", data, wait=False)
        self.assertEqual(daemon.wait(), STORE, daemon.log())
        self.assertIn("none is of a store", daemon.event("start failed")["why"])
        self.assertEqual(set(self.folder.rglob("*")), before)

    def test_a_missing_folder_is_told_before_anything_is_made(self):
        for option, code in {"key-file": KEYS, "head-file": STORE}.items():
            with self.subTest(option=option):
                before = set(self.folder.rglob("*")) | {self.folder / "log"}
                daemon = self.daemon(f"--{option}", self.folder / "not" / "there", wait=False)
                self.assertEqual(daemon.wait(), code, daemon.log())
                self.assertIn("is missing; mount", daemon.event("start failed")["why"])
                self.assertEqual(set(self.folder.rglob("*")), before)

    def test_a_lock_file_that_is_a_link_is_not_followed(self):
        precious = self.folder / "precious"
        for target in (precious, self.folder / "nothing"):
            precious.write_text("precious")
            (self.folder / "data.lock").symlink_to(target)
            daemon = self.daemon(wait=False)
            self.assertEqual(daemon.wait(), STORE, daemon.log())
            self.assertIn("symbolic link", daemon.event("start failed")["why"])
            self.assertEqual(precious.read_text(), "precious")
            self.assertFalse((self.folder / "nothing").exists())
            (self.folder / "data.lock").unlink()

    def test_what_a_link_beside_the_head_file_leads_to_is_not_touched(self):
        precious = self.folder / "precious"
        precious.write_text("precious")
        (self.folder / "data.head.new").symlink_to(precious)
        self.assertEqual(self.daemon().stop(), 0)
        self.assertEqual(precious.read_text(), "precious")

    def test_a_pipe_within_the_data_folder(self):
        self.assertEqual(self.daemon().stop(), 0)
        os.mkfifo(self.folder / "data" / "000099.log", 0o600)
        daemon = self.daemon(wait=False)
        self.assertEqual(daemon.wait(QUICKLY), STORE, daemon.log())
        self.assertIn("000099.log", daemon.event("start failed")["why"])


class WhatBelongsTogether(DaemonTest):
    """The table of daemon/app/README.md: which of store, head file and keys are there, and what a start does."""

    HALVES = ("data", "data.head", "data.key")
    # Of the three in this order: the exit code, and the one with --accept-loss.
    TABLE = {(1, 1, 1): (WORKS, WORKS), (1, 1, 0): (KEYS, KEYS), (1, 0, 1): (STORE, WORKS), (1, 0, 0): (KEYS, KEYS),
             (0, 1, 1): (STORE, WORKS), (0, 1, 0): (KEYS, KEYS), (0, 0, 1): (STORE, WORKS), (0, 0, 0): (WORKS, WORKS)}

    def outcome(self, present, *arguments):
        for path in self.folder.glob("data*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name, there in zip(self.HALVES, present):
            kept = self.folder / "kept" / name
            if there and kept.is_dir():
                shutil.copytree(kept, self.folder / name)
                (self.folder / name).chmod(0o700)
            elif there:
                shutil.copy(kept, self.folder / name)
        daemon = self.daemon(*arguments, wait=False)
        until(lambda: daemon.process.poll() is not None or daemon.event("serving"), "an outcome")
        if daemon.process.poll() is None:
            self.assertEqual(bool(daemon.event("loss accepted")), bool(arguments) and 0 < sum(present) < 3, daemon.log())
            return daemon.stop()
        made = [name for name, there in zip(self.HALVES, present) if not there and (self.folder / name).exists()]
        self.assertEqual(made, [], "a refused start makes nothing")
        return daemon.process.returncode

    def test_each_combination(self):
        daemon = self.daemon()
        self.client(daemon).settings.OptOut(opt_out("someone"))
        self.assertEqual(daemon.stop(), 0)
        (self.folder / "kept").mkdir()
        for name in self.HALVES:
            (self.folder / name).rename(self.folder / "kept" / name)
        for present, (code, accepting) in self.TABLE.items():
            with self.subTest(store_head_keys=present):
                self.assertEqual(self.outcome(present), code)
                self.assertEqual(self.outcome(present, "--accept-loss"), accepting)

    @unittest.skipUnless(os.environ.get("TEST_OPEN_SHIM"), "no preloaded library under sanitizers")
    def test_a_first_start_that_was_cut_short_goes_on(self):
        # The head file is made first and the database last: an error there is as good as a crash in between.
        first = self.daemon(wait=False, environment={"LD_PRELOAD": os.environ["TEST_OPEN_SHIM"], "CONSENT_FAIL_OPEN": "/data.creating/",
                                                     "CONSENT_FAIL_OPEN_ERRNO": str(int(errno.EIO))})
        self.assertEqual(first.wait(), STORE, first.log())
        self.assertEqual([(self.folder / name).exists() for name in self.HALVES], [False, True, True])
        self.assertEqual(self.daemon().stop(), 0)


class AnotherDaemon(DaemonTest):

    def refused(self, *arguments):
        daemon = self.daemon("--listen", f"unix:{self.folder}/other/s", *arguments, wait=False)
        self.assertEqual(daemon.wait(), STORE, daemon.log())
        why = daemon.event("start failed")["why"]
        self.assertIn("in use by another process", why)
        for word in BLAMES_DAMAGE:
            self.assertNotIn(word, why)

    def test_on_the_same_folder_by_any_path(self):
        self.daemon()
        link = self.folder / "link"
        link.symlink_to(self.folder / "data")
        beside = ("--key-file", self.folder / "data.key", "--head-file", self.folder / "data.head")
        before = set(self.folder.rglob("*"))
        self.refused()
        self.refused("--data-dir", link)
        self.refused("--data-dir", link, *beside)
        (self.folder / "above").symlink_to(self.folder)
        self.refused("--data-dir", self.folder / "above" / "data")
        self.assertEqual(set(self.folder.rglob("*")) - before, {self.folder / "above"})
        mounted = self.folder / "mounted"
        mounted.mkdir(mode=0o700)
        if subprocess.run(["mount", "--bind", self.folder / "data", mounted], capture_output=True, check=False).returncode == 0:
            self.addCleanup(subprocess.run, ["umount", "-l", mounted], check=False)
            self.refused("--data-dir", mounted, *beside)


@unittest.skipUnless(os.environ.get("TEST_OPEN_SHIM"), "no preloaded library under sanitizers")
class Causes(DaemonTest):
    """Each errno at each file that is opened: the true cause, and never a word that would have somebody overwrite what is whole."""

    FILES = {"/data.key": KEYS, "/data.head": STORE, "/data.lock": STORE, "/data/CURRENT": STORE, "/data/MANIFEST": STORE, ".sst": STORE,
             "/data/LOCK": STORE, "/policy.json": POLICY}
    ERRORS = {errno.EIO: None, errno.EACCES: None, errno.EROFS: None, errno.ESTALE: None, errno.ENOSPC: SHORTAGE, errno.EMFILE: SHORTAGE}

    def test_each(self):
        shutil.copy(DEFAULT_POLICY, self.folder / "policy.json")
        for _ in range(2):  # the second start writes what the first left in the log into table files
            daemon = self.daemon("--policy", self.folder / "policy.json")
            self.client(daemon).settings.OptOut(opt_out("someone"))
            self.assertEqual(daemon.stop(), 0)
        for part, code in self.FILES.items():
            for error, other_code in self.ERRORS.items():
                with self.subTest(file=part, error=os.strerror(error)):
                    self.judge(part, error, other_code or code)
        self.assertEqual(self.daemon("--policy", self.folder / "policy.json").stop(), 0)

    def judge(self, part, error, code):
        daemon = self.daemon("--policy", self.folder / "policy.json", wait=False,
                             environment={"LD_PRELOAD": os.environ["TEST_OPEN_SHIM"], "CONSENT_FAIL_OPEN": part,
                                          "CONSENT_FAIL_OPEN_ERRNO": str(int(error))})
        self.assertEqual(daemon.wait(), code, daemon.log())
        why = daemon.event("start failed")["why"]
        self.assertIn(os.strerror(error), why)
        for word in BLAMES_DAMAGE:
            self.assertNotIn(word, why)


class Reload(DaemonTest):

    def test_what_is_no_file_neither_blocks_nor_changes_anything(self):
        path = self.folder / "policy.json"
        shutil.copy(DEFAULT_POLICY, path)
        daemon = self.daemon("--policy", path)
        refused = 'consentd_policy_reloads_total{result="refused"}'
        makers = [lambda: os.mkfifo(path), path.mkdir, lambda: path.symlink_to("/dev/zero"), lambda: path.write_bytes(b" " * (1 << 20)),
                  lambda: None]
        for count, make in enumerate(makers, 1):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            make()
            daemon.signal(signal.SIGHUP)
            until(lambda: daemon.metric(refused) == count, "a refused reload")
            validated = run_to_end("policy", "validate", path, patience=QUICKLY)
            self.assertEqual((validated.code, "policy.json" in validated.out), (1, True), validated)
            path.touch()
        path.unlink()
        os.mkfifo(path)
        daemon.signal(signal.SIGHUP)
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
