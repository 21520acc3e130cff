"""What stops the start, in one line and with an exit code; and which of four places wins."""

import contextlib
import shutil
import socket
import stat
import unittest

import grpc

from consent.v1 import settings_service_pb2 as settings
from harness import DaemonTest, MountedTest, run_to_end, until
from words import opt_out

USAGE, POLICY, KEYS, ADDRESS, STORE, WRITE_FAILED, SHORTAGE = 64, 65, 66, 69, 72, 74, 75


class Refusals(DaemonTest):

    def refuse(self, *arguments, code, says, environment=None):
        done = run_to_end("serve", *arguments, environment=environment)
        self.assertEqual(done.code, code, done)
        self.assertEqual(len(done.err.splitlines()), 1, done.err)
        self.assertTrue(done.err.startswith("consentd: "), done.err)
        self.assertIn(says, done.err)
        self.assertEqual(done.out, "")

    def test_command_line(self):
        self.refuse("--nonsense", code=USAGE, says="--nonsense")
        self.refuse("--drain-seconds", "601", code=USAGE, says="0 to 600")
        self.refuse("--drain-seconds", "soon", code=USAGE, says="drain-seconds")
        self.refuse("stray", code=USAGE, says="stray")

    def test_environment(self):
        self.refuse(code=USAGE, says="CONSENTD_DRIAN_SECONDS", environment={"CONSENTD_DRIAN_SECONDS": "1"})
        self.refuse(code=USAGE, says="CONSENTD_ACCEPT_LOSS", environment={"CONSENTD_ACCEPT_LOSS": "true"})

    def test_file(self):
        path = self.folder / "consentd.toml"
        path.write_text("drain-seconds = 1\nlisten-on = \"x\"\n")
        self.refuse("--config", path, code=USAGE, says="unknown key 'listen-on'")
        path.write_text("accept-loss = true\n")
        self.refuse("--config", path, code=USAGE, says="accept-loss")
        self.refuse("--config", self.folder / "none.toml", code=USAGE, says="none.toml")

    def test_keys_or_head_inside_the_data_folder(self):
        self.refuse("--data-dir", self.folder / "d", "--key-file", self.folder / "d" / "k", code=USAGE, says="outside the data folder")


class Precedence(DaemonTest):

    def level(self, *arguments, environment=None):
        """The log level in force, seen by whether the daemon tells that it serves."""
        daemon = self.daemon(*arguments, environment=environment, wait=False)
        api = self.client(daemon)
        until(lambda: api.health() == "SERVING", "serving")
        daemon.stop()
        return "info" if daemon.event("serving") else "error"

    def test_command_line_over_environment_over_file_over_default(self):
        quiet, loud = self.folder / "quiet.toml", self.folder / "loud.toml"
        quiet.write_text('log-level = "error"\n')
        loud.write_text('log-level = "info"\n')
        self.assertEqual(self.level(), "info")
        self.assertEqual(self.level("--config", quiet), "error")
        self.assertEqual(self.level("--config", loud, environment={"CONSENTD_LOG_LEVEL": "error"}), "error")
        self.assertEqual(self.level("--log-level", "info", environment={"CONSENTD_LOG_LEVEL": "error"}), "info")
        self.assertEqual(self.level(environment={"CONSENTD_CONFIG": str(quiet)}), "error")


class Commands(DaemonTest):

    def test_version_and_help(self):
        version = run_to_end("version")
        self.assertEqual((version.code, version.err), (0, ""))
        self.assertRegex(version.out, r"^consentd \d+\.\d+\.\d+\n$")
        self.assertEqual(run_to_end("--help").code, 0)
        self.assertIn("--data-dir", run_to_end("serve", "--help").out)
        unknown = run_to_end("surve")
        self.assertEqual(unknown.code, USAGE)
        self.assertIn("surve", unknown.err)


class Files(DaemonTest):

    def refused_start(self, *arguments, code, says):
        daemon = self.daemon(*arguments, wait=False)
        self.assertEqual(daemon.wait(), code, daemon.log())
        failure = daemon.event("start failed")
        self.assertIsNotNone(failure, daemon.log())
        self.assertIn(says, failure["why"])
        self.assertEqual(failure["exit_code"], code)

    def started_once(self):
        daemon = self.daemon()
        self.client(daemon).settings.OptOut(opt_out("someone"))
        self.assertEqual(daemon.stop(), 0)
        return daemon

    def test_a_second_daemon_on_one_data_folder(self):
        self.daemon()
        self.refused_start("--listen", f"unix:{self.folder}/other/consentd.sock", code=STORE, says=str(self.folder / "data"))

    def test_keys_are_made_for_the_owner_alone(self):
        self.started_once()
        mode = stat.S_IMODE((self.folder / "data.key").stat().st_mode)
        self.assertEqual(mode, 0o600)

    def test_keys_that_others_can_read(self):
        self.started_once()
        (self.folder / "data.key").chmod(0o640)
        self.refused_start(code=KEYS, says="data.key")

    def test_keys_missing_beside_a_store(self):
        self.started_once()
        (self.folder / "data.key").unlink()
        self.refused_start(code=KEYS, says="missing beside the store")
        self.assertFalse((self.folder / "data.key").exists(), "no new keys may be made for an old store")

    def test_damaged_keys(self):
        self.started_once()
        path = self.folder / "data.key"
        path.write_bytes(path.read_bytes()[:-1])
        self.refused_start(code=KEYS, says="data.key")

    def test_keys_of_another_store(self):
        self.started_once()
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(mode=0o700)
        second = self.daemon("--data-dir", elsewhere / "data")
        self.assertEqual(second.stop(), 0)
        (self.folder / "data.key").unlink()
        shutil.copy(elsewhere / "data.key", self.folder / "data.key")
        (self.folder / "data.key").chmod(0o600)
        self.refused_start(code=STORE, says="key")

    def test_an_old_copy_of_the_data_folder(self):
        daemon = self.started_once()
        shutil.copytree(self.folder / "data", self.folder / "copy")
        daemon = self.daemon()
        self.client(daemon).settings.OptOut(opt_out("someone-else"))
        self.assertEqual(daemon.stop(), 0)
        shutil.rmtree(self.folder / "data")
        (self.folder / "copy").rename(self.folder / "data")
        self.refused_start(code=STORE, says="data")
        with_loss = self.daemon("--accept-loss")
        self.assertIsNotNone(with_loss.event("loss accepted"))

    def test_a_policy_that_is_none(self):
        path = self.folder / "bad.json"
        path.write_text("{\"version\": \"x\", \"nonsense\": 1}")
        self.refused_start("--policy", path, code=POLICY, says="nonsense")
        self.refused_start("--policy", self.folder / "no.json", code=POLICY, says="no.json")


class SmallDisk(MountedTest):
    """What a start says of the file system of its data folder before it makes anything there."""

    def start_there(self, options):
        self.mount(options)
        return self.daemon("--data-dir", self.disk / "data", "--key-file", self.folder / "keys", wait=False)

    def refused(self, daemon, says):
        self.assertEqual(daemon.wait(), SHORTAGE, daemon.log())
        self.assertIn(says, daemon.event("start failed")["why"])
        self.assertEqual(list(self.disk.iterdir()), [])
        self.assertFalse((self.folder / "keys").exists())

    def test_too_little_space(self):
        self.refused(self.start_there("size=16m,mode=0700"), says="MiB free")

    def test_too_few_inodes(self):
        self.refused(self.start_there("size=100m,nr_inodes=40,mode=0700"), says="inodes free")

    def test_a_file_system_that_reports_no_size_is_taken(self):
        daemon = self.start_there("size=0,nr_inodes=0,mode=0700")
        daemon.wait_for("serving")
        self.assertIsNone(daemon.metric('consentd_disk_free_bytes{folder="data"}'))

    def test_the_room_is_told(self):
        daemon = self.start_there("size=100m,mode=0700")
        daemon.wait_for("serving")
        self.assertGreater(daemon.metric('consentd_disk_free_bytes{folder="data"}'), 1 << 20)
        self.assertEqual(daemon.metric('consentd_disk_size_bytes{folder="data"}'), 100 << 20)
        self.assertLess(daemon.metric('consentd_disk_free_bytes{folder="data"}'), 100 << 20)
        self.assertGreater(daemon.metric('consentd_disk_free_inodes{folder="data"}'), 0)


class MountPoint(MountedTest):
    """A data folder at which a disk is mounted: nothing can be renamed over it."""

    def test_it_is_refused_before_anything_is_made(self):
        self.mount("size=100m,mode=0700")
        for found in ([], ["lost+found"]):  # what a new disk holds
            for name in found:
                (self.disk / name).mkdir()
            daemon = self.daemon("--data-dir", self.disk, "--key-file", self.folder / "keys", "--head-file", self.folder / "head", wait=False)
            self.assertEqual(daemon.wait(), STORE, daemon.log())
            self.assertIn("inside the mounted disk", daemon.event("start failed")["why"])
            self.assertEqual([path.name for path in self.disk.iterdir()], found)
            self.assertEqual([(self.folder / name).exists() for name in ("keys", "head", "disk.lock")], [False] * 3)
        self.assertEqual(self.daemon("--data-dir", self.disk / "store").stop(), 0)


class FullDisk(MountedTest):

    def setUp(self):
        super().setUp()
        self.mount("size=40m")

    def test_it_ends_refuses_to_start_and_has_lost_nothing(self):
        arguments = ("--data-dir", self.disk / "data", "--key-file", self.folder / "keys")
        daemon = self.daemon(*arguments)
        api = self.client(daemon)
        api.settings.OptOut(opt_out("first"))
        ballast = self.disk / "ballast"
        with open(ballast, "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        acknowledged = ["first"]
        with self.assertRaises(grpc.RpcError):
            for number in range(100_000):
                api.settings.OptOut(opt_out(f"account-{number}"))
                acknowledged.append(f"account-{number}")
        self.assertEqual(daemon.wait(), WRITE_FAILED, daemon.log())
        refused = self.daemon(*arguments, wait=False)
        self.assertEqual(refused.wait(), SHORTAGE, refused.log())  # after which the unit starts it again
        self.assertIn("MiB free", refused.event("start failed")["why"])
        ballast.unlink()
        again = self.client(self.daemon(*arguments))
        for account in acknowledged:
            shown = again.settings.GetSettings(settings.GetSettingsRequest(account_id=account))
            self.assertTrue(shown.settings.refused_all, account)


class Sockets(DaemonTest):

    def refused_address(self, *arguments, says):
        daemon = self.daemon(*arguments, wait=False)
        self.assertEqual(daemon.wait(), ADDRESS, daemon.log())
        self.assertIn(says, daemon.event("start failed")["why"])
        self.assertEqual(len(daemon.events()), len(daemon.log().splitlines()), "every line is ours")

    def test_the_folder_is_private(self):
        daemon = self.daemon()
        folder = self.folder / "run"
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        daemon.stop()
        self.assertEqual(list(folder.iterdir()), [])
        folder.chmod(0o755)
        self.refused_address(says="0755")

    def test_a_socket_left_by_a_crash_is_replaced(self):
        daemon = self.daemon()
        daemon.kill()
        self.assertTrue((self.folder / "run" / "consentd.sock").is_socket())
        again = self.daemon()
        self.assertEqual(self.client(again).health(), "SERVING")

    def test_a_living_socket_is_not_taken_over(self):
        self.daemon()
        (self.folder / "b").mkdir(mode=0o700)
        self.refused_address("--data-dir", self.folder / "b" / "data", says="another process answers")

    def test_what_is_no_socket_is_not_replaced(self):
        (self.folder / "run").mkdir(mode=0o700)
        (self.folder / "run" / "consentd.sock").write_text("precious")
        self.refused_address(says="is no socket")
        self.assertEqual((self.folder / "run" / "consentd.sock").read_text(), "precious")

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused_address("--listen", f"127.0.0.1:{port}", says=str(port))
            self.refused_address("--metrics-listen", f"127.0.0.1:{port}", says=str(port))


if __name__ == "__main__":
    unittest.main()
