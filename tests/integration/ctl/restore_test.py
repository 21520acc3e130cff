"""A store that is lost, and restored from a backup and the restriction journal, as an operator does it.

CONSENT_RESTORE_CHANGES: how many opt-outs come after the backup (100 by default)."""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest

from daemon import CONSENTD, DONE, REFUSED, DaemonTest

CHANGES = int(os.environ.get("CONSENT_RESTORE_CHANGES", "100"))
CANNOT_BE_USED, KEYS = 72, 66


class RestoreTest(DaemonTest):
    def setUp(self):
        self.root = self.daemon.root
        name = self.id().rsplit(".", 1)[1]
        self.journal = self.root / f"{name}.journal"
        self.secret = self.root / f"{name}.secret"
        self.daemon.stop()
        public = subprocess.run([CONSENTD, "keys", "backup-pair", str(self.secret)], capture_output=True, timeout=60, text=True)
        self.assertEqual(public.returncode, 0, public.stderr)
        (self.root / "backup.public").write_text(public.stdout)
        self.daemon.start("--restriction-journal", str(self.journal), "--backup-public-key", str(self.root / "backup.public"))

    def restore(self, *options):
        return subprocess.run([CONSENTD, "restore", str(self.backup), *options, "--data-dir", str(self.root / "data"), "--log-format", "json"], capture_output=True,
                              timeout=600, text=True)

    def lose(self):
        self.daemon.stop(signal.SIGKILL)
        shutil.rmtree(self.root / "data")
        (self.root / "data.head").unlink()

    def eligible(self):
        """Whose recordings may be listened to."""
        passed = set()
        for account in self.accounts:
            answer = self.daemon.ctl("check", "--account", account, "--recording", f"r-{account}", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--site", "cluj", "--reviewer",
                                     "employee", "--captured-at", "2026-11-01T12:00:00Z", "--wake", "BUTTON", "--kind", "COMMAND", "--speakers", "ONE",
                                     "--identity", "NOT_RUN", "--age", "ADULT")
            if answer.returncode == DONE:
                passed.add(account)
        return passed

    def test_a_lost_store(self):
        self.accounts = ["ann", "ben", "cat", "dan", "eva"]
        self.system("audio", "audio")
        for account in self.accounts:
            self.register(account)
            if account != "eva":
                self.consent(account, notice="2026-01-past")
        self.assertEqual(self.eligible(), {"ann", "ben", "cat", "dan"})
        old_etag = self.json("settings", "get", "dan")["etag"]
        place = self.root / "backups"
        place.mkdir()
        self.backup = self.json("backup", "create", str(place))["backup"]
        # What was acknowledged since: refusals without end, a deletion, a hold, a closure, and somebody's yes.
        many = "".join(json.dumps({"account_id": f"many-{n}"}) + "\n" for n in range(CHANGES))
        (self.root / "many.jsonl").write_text(many)
        self.ctl("settings", "opt-out", "--file", str(self.root / "many.jsonl"), "--all")
        self.json("settings", "opt-out", "ann", "--all")
        deletion = self.delete("ben", "--recording", "r-ben", "--verified")
        self.consent("eva", notice="2026-01-past")
        self.assertEqual(self.eligible(), {"cat", "dan", "eva"})
        self.lose()

        refused = self.restore()
        self.assertEqual(refused.returncode, 64, "a journal, or that there is none, has to be said")
        other = self.restore("--journal", str(self.root / "nothing"))
        self.assertEqual(other.returncode, CANNOT_BE_USED, other.stderr)
        self.assertFalse((self.root / "data").exists())
        done = self.restore("--journal", str(self.journal), "--secret", str(self.secret))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("moving the store into place", done.stdout)
        event = [json.loads(line) for line in done.stderr.splitlines() if '"restored"' in line][-1]
        self.assertEqual((event["loosened"], event["requests"], event["requests_needing_ids"]), (1, 2, 0), "ben asked for one, and ann's refusal made one")
        self.assertGreaterEqual(event["subjects"], CHANGES + 3)
        report = (self.root / "data.restored").read_text()
        for account in self.accounts:
            self.assertNotIn(account, report + done.stdout + done.stderr)
        self.daemon.start("--restriction-journal", str(self.root / "journal2"), "--backup-public-key", str(self.root / "backup.public"))

        self.assertEqual(self.eligible(), {"cat", "dan"}, "eva's yes is lost, and nobody guesses it")
        self.assertEqual(self.daemon.ctl("settings", "set", "dan", "--off", "help_improve", "--etag", old_etag, "--channel", "app", "--actor", "self").returncode, DONE, "a no needs no etag")
        self.ctl("settings", "set", "cat", "--on", "help_improve", "--notice", "2026-01", "--language", "en", "--etag", old_etag, "--channel", "app", "--actor", "self", expect=REFUSED)
        entries = self.json("settings", "history", "eva")["entries"]
        self.assertEqual(entries[0]["kind"], "RESTORED")
        etag = self.json("settings", "get", "eva")["etag"]
        self.json("settings", "set", "eva", "--confirm-restored", "--etag", etag, "--channel", "support", "--actor", "self")
        self.consent("eva", notice="2026-01-past")
        self.assertIn("eva", self.eligible())
        self.assertEqual(self.request(deletion)["state"], "ACCEPTED")
        task = self.json("tasks", "list", "audio")["tasks"]
        self.assertEqual(len(task), 3, "two that were restored, and what dan has just refused")
        self.ctl("worker", "audio", "--once", "--", sys.executable, "-c", "pass")
        self.completed(deletion)
        for n in (0, CHANGES // 2, CHANGES - 1):
            self.assertEqual(self.json("settings", "get", f"many-{n}")["registered"], False)

    def files_with(self, *ids):
        """Which files that the daemon and its operator keep have one of these ids in it: the store, its logs, the journals, the decision log, the backups."""
        return sorted({str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file() for one in ids if one.encode() in path.read_bytes()})

    def test_who_was_erased_leaves_no_id_in_any_file(self):
        # Long enough that no chance puts them anywhere.
        account = "erased-since-the-backup"
        self.accounts = [account]
        self.system("audio", "audio")
        self.register(account)
        self.consent(account, notice="2026-01-past")
        self.assertEqual(self.eligible(), {account}, "and it is on record in the decision log")
        place = self.root / "earlier"
        place.mkdir()
        self.backup = self.json("backup", "create", str(place))["backup"]
        closure = self.delete(account, "--close-account", "--verified")
        self.ctl("worker", "audio", "--once", "--", sys.executable, "-c", "pass")
        self.completed(closure)
        self.lose()
        done = self.restore("--journal", str(self.journal), "--secret", str(self.secret))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.daemon.start("--restriction-journal", str(self.root / "journal4"), "--backup-public-key", str(self.root / "backup.public"))
        self.assertEqual(self.request(closure)["state"], "COMPLETED")
        self.assertEqual(self.eligible(), set())
        later = self.root / "later"
        later.mkdir()
        self.json("backup", "create", str(later))
        self.daemon.stop()
        looked_at = {path.relative_to(self.root).parts[0] for path in self.root.rglob("*") if path.is_file()}
        self.assertLessEqual({"data", "data.decisions", self.journal.name, "journal4", "earlier", "later", "log"}, looked_at)
        self.assertEqual(self.files_with(account), [])
        (self.root / "typed").write_text(f"check --recording r-{account}")
        self.assertEqual(self.files_with(account), ["typed"], "who looks finds it where it is")

    def test_without_a_journal(self):
        self.accounts = ["fay"]
        self.register("fay")
        self.consent("fay", notice="2026-01-past")
        place = self.root / "others"
        place.mkdir()
        self.backup = self.json("backup", "create", str(place))["backup"]
        self.json("settings", "opt-out", "fay", "--all")
        self.lose()
        done = self.restore("--without-journal")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("nobody knows who said no", done.stdout)
        self.daemon.start("--restriction-journal", str(self.root / "journal3"), "--backup-public-key", str(self.root / "backup.public"))
        self.assertEqual(self.eligible(), set())
        suspension = next(one for one in self.json("policy", "show")["suspensions"] if one["active"])
        self.json("policy", "resume", "--restored", "--reason", "the backends were asked", "--etag", suspension["etag"])
        self.assertEqual(self.eligible(), {"fay"}, "what was lost is lost, and an officer answers for it")


if __name__ == "__main__":
    unittest.main()
