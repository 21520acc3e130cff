"""Backups as an operator takes, looks at and prunes them; what a killed one leaves; and what reads a stopped store."""

import hashlib
import io
import json
import pathlib
import shutil
import signal
import subprocess
import tarfile
import threading
import unittest

from daemon import CONSENTCTL, CONSENTD, DONE, FILES, NO_ANSWER, REFUSED, USAGE, DaemonTest, until

NEEDS_PERSON, DAMAGED = 51, 52
PROBLEMS, CANNOT_BE_USED = 1, 72  # of consentd


def consentd(*arguments):
    return subprocess.run([CONSENTD, *arguments], capture_output=True, timeout=120, text=True)


class BackupTest(DaemonTest):
    def setUp(self):
        self.place = pathlib.Path(self.daemon.path(self.id().rsplit(".", 1)[1]))
        self.place.mkdir()
        self.staged = pathlib.Path(self.daemon.path("data.staged"))

    def create(self):
        return pathlib.Path(self.json("backup", "create", str(self.place))["backup"])

    def whole(self):
        return [line["backup"] for line in self.json("backup", "list", str(self.place), "--keep-days", "30", expect=self.expect_list())["backups"]
                if line["state"] == "KEPT"]

    def expect_list(self):
        return DONE if list(self.place.glob("*Z-*[0-9a-f]")) else NEEDS_PERSON

    def test_what_was_acknowledged_before_is_in_it(self):
        self.register("ann")
        self.json("settings", "opt-out", "ann", "--all")
        deletion = self.delete("ben", "--everything", "--verified")
        taken = self.create()
        self.assertEqual([path.name for path in self.place.iterdir()], [taken.name])
        self.assertFalse(self.staged.exists(), "nothing is left staged")
        self.assertGreater(self.daemon.metric("consentd_backup_last_timestamp_seconds"), 1.7e9)
        manifest = json.loads((taken / "MANIFEST.json").read_text())
        self.assertEqual(len(manifest["heads"]), 1024)
        self.assertEqual(manifest["rows"]["deletion"], "1")
        self.assertTrue(deletion["deletion_id"])
        for file in manifest["files"]:
            data = (taken / file["name"]).read_bytes()
            self.assertEqual((str(len(data)), hashlib.sha256(data).hexdigest()), (file["bytes"], file["sha256"]))
        done = subprocess.run(["sha256sum", "-c", "MANIFEST.json.sha256"], cwd=taken, capture_output=True)
        self.assertEqual(done.returncode, 0, "other tools can check it, too")
        self.assertEqual({path.stat().st_mode & 0o777 for path in taken.rglob("*")} | {taken.stat().st_mode & 0o777}, {0o600, 0o700})
        self.assertEqual(self.json("backup", "verify", str(taken))["store_id"], manifest["store_id"])
        deep = consentd("store", "verify", "--json", str(taken))
        self.assertEqual(deep.returncode, 0, deep.stdout + deep.stderr)
        self.assertEqual(json.loads(deep.stdout)["problems"], [])
        self.assertEqual({table: str(size["rows"]) for table, size in json.loads(deep.stdout)["tables"].items()}, manifest["rows"])
        # The keys are nowhere in it: a line of the key file is none of its bytes.
        secrets = [bytes.fromhex(word) for word in pathlib.Path(self.daemon.path("data.key")).read_text().split() if len(word) == 64]
        self.assertTrue(secrets)
        everything = b"".join(path.read_bytes() for path in taken.rglob("*") if path.is_file())
        for secret in secrets:
            self.assertNotIn(secret, everything)
            self.assertNotIn(secret.hex().encode(), everything)

    def test_a_changed_missing_or_extra_file_is_found(self):
        self.register("cat")
        taken = self.create()
        names = sorted(str(path.relative_to(taken)) for path in taken.rglob("*") if path.is_file())
        self.assertGreater(len(names), 4)
        for name in names:
            path = taken / name
            whole = path.read_bytes()
            if not whole:
                continue
            for changed in (bytes([whole[0] ^ 1]) + whole[1:], whole[:-1] + bytes([whole[-1] ^ 0x80]), whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 4])
                            + whole[len(whole) // 2 + 1:], whole[:-1], whole + b"x"):
                path.write_bytes(changed)
                self.ctl("backup", "verify", str(taken), expect=DAMAGED)
            path.unlink()
            self.ctl("backup", "verify", str(taken), expect=DAMAGED)
            path.write_bytes(whole)
        (taken / "store" / "000999.sst").write_bytes(b"more")
        self.assertIn("does not list", self.daemon.ctl("backup", "verify", str(taken)).stderr)
        (taken / "store" / "000999.sst").unlink()
        self.ctl("backup", "verify", str(taken))
        self.ctl("backup", "verify", str(self.place), expect=DAMAGED)

    def test_as_a_stream(self):
        self.register("dan")
        done = subprocess.run([CONSENTCTL, "--endpoint", self.daemon.endpoint, "backup", "create", "-"], capture_output=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (DONE, b""))
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            names = tar.getnames()
            tar.extractall(self.place, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(self.place)
        self.assertTrue(names[-1].endswith("/MANIFEST.json.sha256") and names[-2].endswith("/MANIFEST.json"), "a stream that was cut off has none")
        self.json("backup", "verify", str(self.place / names[0].split("/")[0]))
        # Nobody reads on: it ends without a word, and nothing stays staged.
        broken = subprocess.run(f"{CONSENTCTL} --endpoint {self.daemon.endpoint} backup create - | head -c 1000 > /dev/null; exit ${{PIPESTATUS[0]}}", shell=True,
                                executable="/bin/bash", capture_output=True, timeout=120)
        self.assertEqual((broken.returncode, broken.stderr), (FILES, b""))
        until(lambda: not self.staged.exists(), "nothing is staged")

    def test_one_at_a_time_and_a_killed_daemon_leaves_nothing(self):
        for account in range(40):
            self.register(f"many-{account}")
        first = subprocess.Popen([CONSENTCTL, "--endpoint", self.daemon.endpoint, "backup", "create", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: first.stdout.peek(1), "it has begun to come")
        # A pipe holds 64 KiB, and the backup is larger, so the first one is under way until somebody reads.
        self.assertIn("BACKUP_RUNNING", self.daemon.ctl("backup", "create", str(self.place)).stderr)
        self.ctl("backup", "create", str(self.place), expect=REFUSED)
        self.assertTrue(self.staged.exists())
        self.daemon.stop(signal.SIGKILL)
        out, _ = first.communicate(timeout=120)
        self.assertIn(first.returncode, (NO_ANSWER, REFUSED))
        self.assertNotIn(b"MANIFEST.json\0", out)
        self.daemon.start()
        self.assertFalse(self.staged.exists(), "the next start removes it")
        self.create()

    def test_a_killed_client_leaves_nothing_that_looks_like_a_backup(self):
        self.register("fay")
        client = subprocess.Popen([CONSENTCTL, "--endpoint", self.daemon.endpoint, "backup", "create", str(self.place)], stdout=subprocess.DEVNULL)
        until(lambda: list(self.place.iterdir()) or client.poll() is not None, "it has begun")
        client.kill()
        client.wait()
        self.assertEqual([path for path in self.place.iterdir() if not path.name.endswith(".partial") and not (path / "MANIFEST.json").exists()], [])
        # The daemon drops it after a minute without a question; a restart does at once.
        self.daemon.stop()
        self.daemon.start()
        taken = self.create()
        self.assertEqual([path.name for path in self.place.iterdir() if path.name.endswith(".partial")], [], "what was left is gone")
        self.json("backup", "verify", str(taken))

    def test_list_and_prune(self):
        self.json("backup", "list", str(self.place), expect=NEEDS_PERSON)
        self.assertEqual(self.json("backup", "list", str(self.place), "--keep-days", "7", expect=NEEDS_PERSON)["keep_days"], 7)
        newest = self.create()
        self.assertEqual(self.json("backup", "list", str(self.place))["keep_days"], 30)
        # Two older ones, and one that nobody can read.
        for day, name in ((40, "old"), (35, "older")):
            other = self.create()
            self.age(other, day)
        damaged = self.create()
        (damaged / "MANIFEST.json").write_text("{}")
        listed = self.json("backup", "list", str(self.place), expect=NEEDS_PERSON)["backups"]
        self.assertEqual(sorted(line["state"] for line in listed), ["DAMAGED", "KEPT", "TOO_OLD", "TOO_OLD"])
        pruned = self.json("backup", "prune", str(self.place))
        self.assertEqual(len(pruned["removed"]), 2)
        self.assertEqual(sorted(path.name for path in self.place.iterdir()), sorted([newest.name, damaged.name]))
        shutil.rmtree(damaged)
        self.age(newest, 300)
        self.assertEqual(self.json("backup", "prune", str(self.place), "--keep-days", "1")["removed"], [], "never the newest one")
        self.json("backup", "list", str(self.place), expect=NEEDS_PERSON)

    def age(self, backup, days):
        """As if it had been taken so many days earlier."""
        import datetime
        path = backup / "MANIFEST.json"
        manifest = json.loads(path.read_text())
        then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
        manifest["create_time"] = then.strftime("%Y-%m-%dT%H:%M:%SZ")
        path.write_text(json.dumps(manifest))
        (backup / "MANIFEST.json.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest() + "  MANIFEST.json\n")
        backup.rename(backup.parent / (then.strftime("%Y%m%dT%H%M%SZ-") + backup.name[-8:]))

    def test_load_beside_it(self):
        """Everything that was acknowledged before it began is in it, whatever is written meanwhile."""
        stop, done = threading.Event(), []

        def write():
            for n in range(100_000):
                if stop.is_set():
                    return
                account = f"load-{n}"
                if self.daemon.ctl("settings", "opt-out", account, "--all").returncode == DONE:
                    done.append(account)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            until(lambda: len(done) >= 20, "some are written")
            before = len(done)
            taken = self.create()
        finally:
            stop.set()
            writer.join()
        rows = json.loads((taken / "MANIFEST.json").read_text())["rows"]
        self.assertGreaterEqual(int(rows["subject"]), before)
        self.assertEqual(consentd("store", "verify", str(taken)).returncode, 0)


class StoreToolTest(DaemonTest):
    def test_a_stopped_store(self):
        self.register("ann")
        self.json("settings", "opt-out", "ann", "--all")
        self.delete("ann", "--everything", "--verified")
        etag = self.json("settings", "get", "ann")["etag"]
        data = self.daemon.path("data")
        running = consentd("store", "verify", data)
        self.assertEqual(running.returncode, CANNOT_BE_USED)
        self.assertIn("Stop", running.stderr)
        backups = pathlib.Path(self.daemon.path("backups"))
        backups.mkdir()
        manifest = self.json("backup", "verify", self.json("backup", "create", str(backups))["backup"])
        self.daemon.stop()
        verified = consentd("store", "verify", data)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        self.assertIn("nothing is wrong", verified.stdout)
        self.assertEqual(consentd("store", "compact", data).returncode, 0)
        stats = json.loads(consentd("store", "stats", "--json", data).stdout)
        self.assertEqual(stats["store_id"], manifest["store_id"])
        self.assertEqual(stats["tables"]["subject"]["rows"], 1)
        self.assertEqual(stats["subjects_per_partition"], {"least": 0, "median": 0, "most": 1})
        before = {path.name: path.read_bytes() for path in pathlib.Path(data).iterdir() if path.suffix in (".sst", ".log")}
        copy = self.daemon.path("copy")
        copied = consentd("store", "copy", data, "--to", copy)
        self.assertEqual(copied.returncode, 0, copied.stderr)
        self.assertEqual({path.name: path.read_bytes() for path in pathlib.Path(data).iterdir() if path.suffix in (".sst", ".log")}, before)
        self.assertEqual(consentd("store", "copy", data, "--to", copy).returncode, CANNOT_BE_USED, "it is taken")
        # The copy in the old one's place: another store with the same rows, whose tokens of before are none.
        for ending in ("", ".head"):
            shutil.rmtree(data) if not ending else pathlib.Path(data + ending).unlink()
            shutil.move(copy + ending, data + ending)
        shutil.rmtree(data + ".decisions", ignore_errors=True)
        self.daemon.start("--decision-log", "off")
        settings = self.json("settings", "get", "ann")
        self.assertNotEqual(settings["etag"], etag)
        refused = self.daemon.ctl("settings", "set", "ann", "--on", "help_improve", "--notice", "2026-01", "--language", "en", "--channel", "app",
                                  "--actor", "self", "--etag", etag)
        self.assertIn("ETAG_MISMATCH", refused.stderr)
        self.daemon.stop()
        # A damaged one: a byte of a table file.
        table = max(pathlib.Path(data).glob("*.sst"), key=lambda path: path.stat().st_size)
        whole = bytearray(table.read_bytes())
        whole[10] ^= 1
        table.write_bytes(whole)
        self.assertIn(consentd("store", "verify", data).returncode, (PROBLEMS, CANNOT_BE_USED))
        whole[10] ^= 1
        table.write_bytes(whole)
        self.assertEqual(consentd("store", "verify", data).returncode, 0)
        for wrong in (("store",), ("store", "verify"), ("store", "verify", data, data), ("store", "copy", data), ("store", "what", data)):
            self.assertEqual(consentd(*wrong).returncode, USAGE, wrong)
        self.daemon.start("--decision-log", "off")


class SummaryTest(DaemonTest):
    def test_a_completed_deletion_says_until_when_a_backup_may_hold_it(self):
        self.system("audio", "audio")
        deletion = self.delete("ann", "--everything", "--verified")
        self.assertNotIn("backup", self.request(deletion)["summary"])
        self.assertEqual(self.daemon.ctl("worker", "audio", "--once", "--", "true").returncode, DONE)
        self.assertIn("A backup of our records may hold a copy of what they had of it until", self.completed(deletion)["summary"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
