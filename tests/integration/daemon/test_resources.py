"""Too little memory, too few threads or descriptors at the start; and what the unit does after each exit code."""

import os
import re
import resource
import subprocess
import unittest

from harness import DAEMON, ROOT, SANITIZED, DaemonTest, clean_environment, refused, until
from words import opt_out

SHORTAGE = 75


class LimitedTest(DaemonTest):

    def start(self, number, limit, user=None, hard=None):
        """Starts a daemon of its own under the limit; its exit code (0: it served and was stopped) and what it wrote."""
        folder = self.folder / f"{number}-{limit}"
        folder.mkdir(mode=0o700)
        if user is not None:
            self.folder.chmod(0o711)
            os.chown(folder, user, user)
        arguments = ["--data-dir", folder / "data", "--listen", f"unix:{folder}/run/s", "--metrics-listen", "off", "--log-format", "json"]
        with open(self.folder / f"{number}-{limit}.log", "w+b") as log:
            process = subprocess.Popen([DAEMON, "serve", *map(str, arguments)], stderr=log, stdout=log, env=clean_environment(), user=user,
                                       preexec_fn=lambda: resource.setrlimit(number, (limit, hard or limit)))
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)

            def text():
                return os.pread(log.fileno(), 1 << 20, 0).decode()

            until(lambda: process.poll() is not None or '"event":"serving"' in text(), "serving or an end")
            if process.poll() is None:
                process.terminate()
            return process.wait(), text(), sorted(path.name for path in folder.iterdir())

    def refused(self, number, limit, says, user=None):
        code, log, made = self.start(number, limit, user)
        self.assertEqual(code, SHORTAGE, log)
        self.assertIn("start failed", log)
        self.assertIn(says, log)
        self.assertNotIn("terminate called", log)
        self.assertEqual(made, [], "nothing is made")


@unittest.skipIf(SANITIZED, "sanitizers take address space by terabytes")
class Memory(LimitedTest):

    def test_too_little_is_a_clear_start_error(self):
        for mib in (150, 200, 300, 400, 500, 600, 700):
            with self.subTest(mib=mib):
                self.refused(resource.RLIMIT_AS, mib << 20, says="Cannot allocate memory")

    def test_any_limit_ends_clearly_or_serves(self):
        for mib in range(1100, 2000, 150):
            with self.subTest(mib=mib):
                code, log, _ = self.start(resource.RLIMIT_AS, mib << 20)
                self.assertIn(code, (0, SHORTAGE), log)


@unittest.skipIf(SANITIZED, "the search for leaks at the end needs a thread")
class Threads(LimitedTest):

    def test_too_few_are_a_clear_start_error(self):
        user = 64_999 if os.geteuid() == 0 else None  # root has no such limit
        if user is not None and not self.reaches(user):
            self.skipTest("another user cannot reach the program")
        for limit in (1, 5, 20) if user is not None else (1,):
            with self.subTest(limit=limit):
                self.refused(resource.RLIMIT_NPROC, limit, says="threads", user=user)

    def reaches(self, user):
        try:
            return subprocess.run([DAEMON, "version"], user=user, capture_output=True, check=False).returncode == 0
        except PermissionError:
            return False


class Descriptors(LimitedTest):

    def test_too_few_are_a_clear_start_error(self):
        for limit in (8, 16, 32):
            with self.subTest(limit=limit):
                self.refused(resource.RLIMIT_NOFILE, limit, says="descriptors")

    def test_a_low_soft_limit_is_raised_first(self):
        code, log, _ = self.start(resource.RLIMIT_NOFILE, 40, hard=4096)
        self.assertEqual(code, 0, log)


class FileSizes(LimitedTest):

    def test_a_limit_is_a_clear_start_error(self):
        code, log, _ = self.start(resource.RLIMIT_FSIZE, 4096)
        self.assertEqual(code, 72, log)
        self.assertIn("File too large", log)

    def test_a_limit_that_is_reached_while_running_is_a_failed_write(self):
        daemon = self.daemon()
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1, 1))
        self.assertEqual(refused(self.client(daemon).settings.OptOut, opt_out("a")).reason, "OUTCOME_UNKNOWN")
        self.assertEqual(daemon.wait(), 74, daemon.log())


class Unit(unittest.TestCase):
    """Unit, README and code agree on what each exit code means for a supervisor."""

    def test_what_heals_by_itself_is_started_again(self):
        header = (ROOT / "daemon" / "app" / "exit_codes.h").read_text()
        codes = {name: int(code) for name, code in re.findall(r"^  (k\w+) = (\d+),", header, re.M)}
        unit = (ROOT / "deploy" / "systemd" / "consentd.service").read_text()
        settings = dict(re.findall(r"^(\w+)=(.*)$", unit, re.M))
        prevented = {int(code) for code in settings["RestartPreventExitStatus"].split()}
        ends_of_serve = {code for name, code in codes.items() if name not in ("kOk", "kProblems")}
        self.assertEqual(ends_of_serve - prevented, {codes["kWriteFailed"], codes["kShortage"]})
        self.assertEqual(prevented - ends_of_serve, set())
        self.assertEqual(settings["Restart"], "always")
        self.assertEqual(settings["StartLimitIntervalSec"], "0", "a disk may be full for days")
        readme = (ROOT / "daemon" / "app" / "README.md").read_text()
        self.assertEqual({int(code) for code in re.findall(r"^\| (\d+) \| ", readme, re.M)}, set(codes.values()))

    def test_the_index_fits_into_the_memory_beside_calls_and_store(self):
        unit = (ROOT / "deploy" / "systemd" / "consentd.service").read_text()
        gib = int(re.search(r"^MemoryMax=(\d+)G$", unit, re.M)[1])
        # Nobody sets it there: the default counts.
        subjects = int(re.search(r"^#index-max-subjects = (\d+)$", (ROOT / "deploy" / "examples" / "consentd.toml").read_text(), re.M)[1])
        bytes_a_subject = set()
        for path in ("deploy/systemd/consentd.service", "deploy/examples/consentd.toml", "daemon/ops/README.md"):
            bytes_a_subject |= set(re.findall(r"(\d+)\s+bytes (?:a subject|each)", (ROOT / path).read_text()))
        self.assertEqual(bytes_a_subject, {"100"})
        self.assertLess(subjects * 100 + (512 + 128 << 20), (gib << 30) * 0.9)


if __name__ == "__main__":
    unittest.main()
