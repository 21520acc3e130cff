"""Keys that the service manager brings as a credential: taken, judged, never made."""

import os
import shutil
import unittest

from harness import DaemonTest, run_to_end
from words import check, opt_out, reasons

USAGE, KEYS, STORE = 64, 66, 72
NAME = "consentd-keys"


class Credentials(DaemonTest):

    def setUp(self):
        super().setUp()
        self.credentials = self.folder / "credentials"
        self.credentials.mkdir(mode=0o700)
        self.addCleanup(os.chmod, self.credentials, 0o700)
        self.key = self.credentials / NAME

    def with_credential(self, wait=True):
        return self.daemon("--key-file", f"credential:{NAME}", environment={"CREDENTIALS_DIRECTORY": str(self.credentials)}, wait=wait)

    def make_key_and_store(self):
        """The operator's way: a first start with a plain key file, whose key is then brought as a credential."""
        daemon = self.daemon()
        self.client(daemon).settings.OptOut(opt_out("kept"))
        self.assertEqual(daemon.stop(), 0)
        shutil.move(self.folder / "data.key", self.key)
        self.key.chmod(0o400)
        self.credentials.chmod(0o500)

    def refused(self, code, says):
        daemon = self.with_credential(wait=False)
        self.assertEqual(daemon.wait(), code, daemon.log())
        failed = daemon.event("start failed")["why"]
        self.assertIn(says, failed)
        self.assertNotIn("\n", failed)
        return failed

    def test_the_key_of_the_first_start_opens_the_store_as_a_credential(self):
        self.make_key_and_store()
        for _ in range(2):
            daemon = self.with_credential()
            self.assertIn("REFUSED", reasons(self.client(daemon).eligibility.Check(check("kept")).decision))
            self.assertEqual(daemon.stop(), 0)
        self.assertEqual(os.listdir(self.credentials), [NAME])
        self.assertFalse((self.folder / "data.key").exists())

    def test_a_missing_one_is_never_made(self):
        why = self.refused(KEYS, "is missing, and the daemon makes none")
        self.assertIn("systemd-creds encrypt", why)
        self.assertEqual(os.listdir(self.credentials), [])
        self.assertFalse((self.folder / "data").exists(), "nothing is made")
        self.make_key_and_store()
        self.credentials.chmod(0o700)
        self.key.unlink()
        self.refused(KEYS, "another one cannot read it")

    def test_an_empty_one_is_damaged(self):
        self.make_key_and_store()
        self.key.chmod(0o600)
        self.key.write_bytes(b"")
        self.refused(KEYS, "is damaged or not a key file")

    def test_one_that_others_may_read_or_write(self):
        self.make_key_and_store()
        for mode in (0o444, 0o404, 0o460, 0o606):
            self.key.chmod(mode)
            self.refused(KEYS, f"{mode:04o}")
        self.key.chmod(0o400)
        self.credentials.chmod(0o755)
        self.refused(KEYS, "folder of credentials")

    def test_one_of_another_store(self):
        self.make_key_and_store()
        self.key.chmod(0o600)
        other = self.folder / "other"
        other.mkdir(mode=0o700)
        made = self.daemon("--data-dir", other / "data")
        self.assertEqual(made.stop(), 0)
        self.key.write_bytes((other / "data.key").read_bytes())
        self.refused(STORE, "key")

    def test_without_the_folder_or_with_a_bad_name_the_command_line_is_wrong(self):
        for name, folder, says in ((NAME, None, "CREDENTIALS_DIRECTORY is not set"), (NAME, "relative", "no absolute path"),
                                   ("../data.key", str(self.credentials), "a credential's name"), ("", str(self.credentials), "a credential's name")):
            environment = {} if folder is None else {"CREDENTIALS_DIRECTORY": folder}
            done = run_to_end("serve", "--data-dir", self.folder / "data", "--key-file", f"credential:{name}", environment=environment)
            self.assertEqual(done.code, USAGE, done)
            self.assertIn(says, done.err)
            self.assertEqual(len(done.err.splitlines()), 1, done.err)


if __name__ == "__main__":
    unittest.main()
