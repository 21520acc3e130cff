"""The restriction journal from outside: each change is in it before it is acknowledged, through kills at every sync, a full disk, and stores that it does not
go with."""

import os
import random
import re
import shutil
import threading
import unittest

import grpc

from harness import Daemon, DaemonTest, MountedTest, run_to_end, until
from words import household, opt_out

SHIM = os.environ.get("CONSENT_KILL_AT_SYNC_SHIM")
POINTS = int(os.environ.get("CONSENT_JOURNAL_POINTS", "3"))
SEED = int(os.environ.get("CONSENT_SEED", "1"))
STORE, USAGE, PROBLEMS = 72, 64, 1


def verify(folder):
    """What `consentd journal verify` counts, by name, and its exit code."""
    done = run_to_end("journal", "verify", folder)
    counts = {name: int(number) for name, number in re.findall(r"^  (\w+) (\d+)$", done.out, re.M)}
    last = re.search(r"up to (\d+) of all", done.out)
    return done.code, counts, int(last[1]) if last else None, done.out + done.err


class JournalTest(DaemonTest):

    def journal(self):
        return self.folder / "journal"

    def options(self):
        return ("--restriction-journal", self.journal())


class Kept(JournalTest):

    def test_what_is_acknowledged_is_in_it(self):
        daemon = self.daemon(*self.options())
        self.assertTrue(daemon.event("a restriction journal is begun: it has nothing of what was said before, so take a backup now"))
        self.assertTrue(daemon.event("the restriction journal lies on the store's disk: a disk that is lost takes both"))
        api = self.client(daemon)
        for i in range(10):
            api.settings.OptOut(opt_out(f"a{i}"))
            code, counts, _, said = verify(self.journal())
            self.assertEqual((code, counts.get("opt_out")), (0, i + 1), said)
        api.subjects.UpsertSubject(household("bob"))
        _, counts, last, _ = verify(self.journal())
        self.assertEqual((counts["upsert_subject"], counts["loosened"]), (1, 1))
        self.assertGreaterEqual(daemon.metric("consentd_store_commits_total"), last)
        self.assertEqual(daemon.metric("consentd_journal_on"), 1)
        self.assertEqual(daemon.metric("consentd_journal_behind"), 0)
        self.assertEqual(daemon.stop(), 0)
        again = self.daemon(*self.options())
        self.assertIsNone(again.event("a restriction journal is begun: it has nothing of what was said before, so take a backup now"))
        self.assertEqual(verify(self.journal())[1]["opt_out"], 10)

    def test_one_given_to_a_store_that_lives_begins_at_its_heads(self):
        daemon = self.daemon()
        self.client(daemon).settings.OptOut(opt_out("before"))
        self.assertEqual(daemon.metric("consentd_journal_on"), 0)
        daemon.stop()
        daemon = self.daemon(*self.options())
        self.client(daemon).settings.OptOut(opt_out("after"))
        code, counts, _, said = verify(self.journal())
        self.assertEqual((code, counts["opt_out"], counts.get("snapshot")), (0, 1, None), said)

    def test_without_it_for_a_while_is_made_up_for(self):
        self.client(self.daemon(*self.options())).settings.OptOut(opt_out("a"))
        self.stop_all()
        self.client(self.daemon()).settings.OptOut(opt_out("b"))
        self.stop_all()
        self.daemon(*self.options())
        code, counts, _, said = verify(self.journal())
        self.assertEqual((code, counts["opt_out"]), (0, 2), said)
        self.assertGreaterEqual(counts["snapshot"], 1)

    def stop_all(self):
        for daemon in self.started:
            daemon.stop()
        self.started.clear()

    def daemon(self, *arguments, **options):
        daemon = super().daemon(*arguments, **options)
        self.started.append(daemon)
        return daemon

    def setUp(self):
        super().setUp()
        self.started = []


class Refused(JournalTest):

    def refused(self, *arguments):
        done = run_to_end("serve", "--data-dir", self.folder / "data", "--listen", f"unix:{self.folder / 'run' / 'consentd.sock'}", "--metrics-listen", "off",
                          *arguments)
        return done.code, done.err

    def test_an_old_copy_of_the_store_is_behind_its_journal(self):
        daemon = self.daemon(*self.options())
        self.client(daemon).settings.OptOut(opt_out("a"))
        daemon.stop()
        kept = self.folder / "kept"
        kept.mkdir()
        for name in ("data", "data.head"):
            (shutil.copytree if name == "data" else shutil.copy)(self.folder / name, kept / name)
        daemon = self.daemon(*self.options())
        self.client(daemon).settings.OptOut(opt_out("b"))
        daemon.stop()
        shutil.rmtree(self.folder / "data")
        for name in ("data", "data.head"):
            shutil.move(kept / name, self.folder / name) if name == "data" else shutil.copy(kept / name, self.folder / name)
        code, said = self.refused(*self.options())
        self.assertEqual(code, STORE, said)
        self.assertIn("the journal is ahead of the store", said)
        self.assertIn("consentd restore", said)

    def test_another_stores_journal(self):
        self.daemon(*self.options()).stop()
        for path in self.folder.glob("data*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        code, said = self.refused(*self.options())
        self.assertEqual(code, STORE, said)
        self.assertIn("of another store", said)

    def test_a_damaged_journal(self):
        daemon = self.daemon(*self.options())
        api = self.client(daemon)
        for i in range(3):
            api.settings.OptOut(opt_out(f"a{i}"))
        daemon.stop()
        [path] = self.journal().iterdir()
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 4
        path.write_bytes(data)
        code, said = self.refused(*self.options())
        self.assertEqual(code, STORE, said)
        self.assertRegex(said, r"is damaged at byte \d+")
        code, _, _, said = verify(self.journal())
        self.assertEqual(code, PROBLEMS)
        self.assertRegex(said, r"is damaged at byte \d+")

    def test_places_and_keys_that_cannot_be_used(self):
        inside = ("--restriction-journal", self.folder / "data" / "journal")
        self.assertEqual(self.refused(*inside)[0], USAGE)
        self.assertEqual(self.refused("--backup-public-key", self.folder / "pub")[0], USAGE)
        code, said = self.refused(*self.options(), "--backup-public-key", self.folder / "none")
        self.assertEqual(code, 66, said)
        secret = self.folder / "secret"
        made = run_to_end("keys", "backup-pair", secret)
        self.assertEqual(made.code, 0, made.err)
        self.assertEqual(secret.stat().st_mode & 0o777, 0o600)
        self.assertEqual(run_to_end("keys", "backup-pair", secret).code, PROBLEMS, "never overwritten")
        public = self.folder / "public"
        public.write_text(made.out)
        self.daemon(*self.options(), "--backup-public-key", public)


class FullDisk(MountedTest):

    def test_a_full_disk_stops_no_restriction_and_is_made_up_for(self):
        self.mount("size=256k")
        journal = self.disk / "journal"
        daemon = self.daemon("--restriction-journal", journal)
        api = self.client(daemon)
        ballast = self.disk / "ballast"
        for i in range(300):
            api.settings.OptOut(opt_out(f"a{i}"))
            if i == 50:
                with open(ballast, "wb", buffering=0) as file:
                    try:
                        while file.write(b"x" * 4096):
                            pass
                    except OSError:
                        pass
        until(lambda: daemon.metric("consentd_journal_behind") > 0, "the journal is behind")
        self.assertTrue(daemon.event("the restriction journal is behind: changes are acknowledged that it does not have yet"))
        code, counts, _, said = verify(journal)
        self.assertEqual(code, 0, said)
        self.assertLess(counts["opt_out"], 300)
        ballast.unlink()
        until(lambda: daemon.metric("consentd_journal_behind") == 0, "it is filled up by itself")
        until(lambda: verify(journal)[1].get("opt_out") == 300, "all are in it")
        self.assertEqual(verify(journal)[0], 0)
        api.settings.OptOut(opt_out("later"))
        self.assertEqual(verify(journal)[1]["opt_out"], 301)


@unittest.skipUnless(SHIM, "needs the shim")
class Kills(JournalTest):
    """The daemon dies at one sync of the store's log or of the journal, before it (what was not synced is lost, as by a power cut) or after it."""

    def test_at_every_sync(self):
        dice = random.Random(SEED)
        print(f"seed {SEED}", flush=True)
        deaths = lacking = 0
        for point in range(POINTS):
            self.folder = self.folder / str(point)
            self.folder.mkdir()
            when, number = dice.choice(("before", "after")), dice.randrange(1, 60)
            mortal = {"LD_PRELOAD": SHIM, "CONSENT_KILL_WHEN": when, "CONSENT_KILL_AT_SYNC": str(number)}
            daemon = Daemon(self.folder, *self.options(), environment=mortal)
            self.addCleanup(daemon.kill)
            daemon.start(wait=False)
            acknowledged = self.ask_until_it_dies(daemon)
            deaths += 1
            code, counts, last, said = verify(self.journal()) if any(self.journal().glob("*.journal")) else (0, {}, 0, "")
            if "there is no journal" not in said:
                self.assertEqual(code, 0, f"point {when}-{number}: {said}")
            self.assertGreaterEqual(counts.get("opt_out", 0), acknowledged, f"point {when}-{number}: acknowledged and not journaled; {said}")
            daemon = Daemon(self.folder, *self.options())
            self.addCleanup(daemon.kill)
            daemon.start()
            self.assertEqual(daemon.metric("consentd_journal_behind"), 0)
            lacking += verify(self.journal())[1].get("snapshot", 0) > 0
            self.assertEqual(daemon.stop(), 0)
            code, counts, last, said = verify(self.journal())
            self.assertEqual(code, 0, said)
            self.assertGreaterEqual(counts.get("opt_out", 0), acknowledged)
        print(f"{deaths} deaths, {lacking} of them between commit and journal", flush=True)

    def ask_until_it_dies(self, daemon):
        """Opt-outs from four threads until the daemon is gone. How many were acknowledged."""
        done = []
        if daemon.process.poll() is None:
            try:
                until(lambda: daemon.process.poll() is not None or daemon.event("serving"), "it serves, or is dead")
            except AssertionError:
                self.fail(daemon.log())

        def ask(name):
            api = self.client_or_none(daemon)
            for i in range(2_000):
                if api is None or daemon.process.poll() is not None:
                    return
                try:
                    api.settings.OptOut(opt_out(f"{name}-{i}"), timeout=5)
                    done.append(1)
                except grpc.RpcError:
                    continue

        threads = [threading.Thread(target=ask, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        daemon.wait()
        return len(done)

    def client_or_none(self, daemon):
        try:
            return self.client(daemon)
        except grpc.FutureTimeoutError:
            return None


if __name__ == "__main__":
    unittest.main()
