"""consentctl and consentd on a terminal: widths, colours, questions, pipes that close, Ctrl-C."""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import unicodedata
import unittest

from daemon import CONSENTCTL, CONSENTD, DONE, FILES, Daemon, until

STOPPED = 75
WIDTHS = (40, 80, 120, 200)
LONG = "a-household-of-many-people-on-the-first-floor-of-a-house-with-a-long-name"
PROOF = ("--notice", "2026-01-past", "--language", "en", "--channel", "app", "--actor", "self")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def width_of(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Terminal:
    """A program on a pseudo-terminal of so many columns; `keys` are typed once its output ends with a question."""

    def __init__(self, arguments, columns=80, keys="", stderr_too=True, **environment):
        mine, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
        process = subprocess.Popen(arguments, stdin=its, stdout=its, stderr=its if stderr_too else subprocess.PIPE,
                                   env={**kept, "TERM": "xterm", **environment}, start_new_session=True)
        os.close(its)
        self.text = ""
        while True:
            ready, _, _ = select.select([mine], [], [], 60)
            try:
                block = os.read(mine, 65536) if ready else b""
            except OSError:  # the other end is closed
                block = b""
            if not block:
                break
            self.text += block.decode(errors="replace")
            if keys and self.text.rstrip("\n").endswith("[y/N] "):
                os.write(mine, keys.encode())
                keys = ""
        os.close(mine)
        self.code = process.wait(60)
        self.text = self.text.replace("\r\n", "\n")


class TerminalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.ctl_ok("subject", "set", LONG, "--region", "DE", "--profile", "日本語の名前:adult", "--device", "kitchen-" + "d" * 60, "--on",
                   "help_improve", *PROOF, "--reference", "a reference of ours that is rather long, as those of tickets are")
        cls.ctl_ok("systems", "register", "a-data-system-with-a-long-name", "--kind", "audio", "--matches-by",
                   "account,recording-id,time,device,profile", "--checks-on-ingest", "--sweep-days", "7")
        cls.ctl_ok("holds", "place", LONG, "--authority", "District Court of a town with a long name, 12-345", "--reason",
                   "discovery in a matter that takes more than one line to be described in full")
        cls.ctl_ok("report-recording", LONG, "r" * 100, "--flag", "safety")
        cls.deletion = json.loads(cls.ctl_ok("--json", "delete", LONG, "--recording", "recording-" + "x" * 80, "--reference", "ticket"))["request"]
        cls.nothing = cls.daemon.path("decisions-none.jsonl")
        pathlib.Path(cls.nothing).write_text("")
        cls.ctl_ok("policy", "suspend", "ADVERTISING", "--reason", "a reason that is long enough to need more than one line of it")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    @classmethod
    def ctl_ok(cls, *arguments):
        done = cls.daemon.ctl(*arguments)
        assert done.returncode == DONE, done.stderr
        return done.stdout

    def screen(self, *arguments, **how):
        return Terminal([CONSENTCTL, "--endpoint", self.daemon.endpoint, *arguments], **how)

    def tables(self):
        """Commands that print tables, each with what must be legible in them."""
        etag = json.loads(self.ctl_ok("--json", "subject", "get", LONG))["etag"]
        return [(("subject", "get", LONG), (etag, "kitchen-" + "d" * 60, "日本語の名前")), (("settings", "get", LONG), (etag,)),
                (("settings", "history", LONG), ("2026-01-past",)), (("requests", "list"), (self.deletion["deletion_id"], LONG)),
                (("requests", "show", self.deletion["deletion_id"]), (self.deletion["deletion_id"], self.deletion["etag"], LONG)),
                (("systems", "list"), ("a-data-system-with-a-long-name",)), (("holds", "list"), (LONG,)), (("flags", "list"), (LONG, "r" * 100)),
                (("policy", "show"), ("ADVERTISING",)), (("policy", "list"), ("ctl-test-1",)), (("clock", "show"), ()), (("status",), ()),
                (("version",), ("consentctl", "consentd")), (("requests", "report", "--from", "-30d", "--to", "+1d"), ()),
                (("requests", "overdue"), ()), (("requests", "sample", "--n", "3", "--seed", "s", "--from", "-30d", "--to", "+1d"), ()),
                (("settings", "opt-outs", "--from", "-30d", "--to", "+1d"), ()), (("approvals", "list"), ()), (("children", "due"), ()),
                (("tasks", "list", "a-data-system-with-a-long-name"), ()),
                (("check", "--disposition", "--account", LONG, "--recording", "r"), ()),
                (("decisions", "verify", "--offline", self.nothing), ())]

    def test_no_table_is_wider_than_the_terminal_and_nothing_needed_is_cut(self):
        for command, legible in self.tables():
            for columns in WIDTHS:
                with self.subTest(command=command, columns=columns):
                    screen = self.screen(*command, columns=columns, NO_COLOR="1")
                    for line in screen.text.split("\n"):
                        self.assertLessEqual(width_of(line), columns, f"{line!r} of\n{screen.text}")
                    letters = "".join(screen.text.split())
                    for one in legible:
                        self.assertIn("".join(one.split()), letters, screen.text)

    def test_headers_and_seconds(self):
        plain = self.ctl_ok("systems", "list")
        self.assertTrue(plain.startswith("#system\tSYSTEM\tKIND\t"), plain)
        bare = self.ctl_ok("--no-header", "systems", "list")
        self.assertEqual(plain.split("\n")[1:], bare.split("\n"))
        self.assertRegex(bare, r"T\d\d:\d\d:\d\d\.\d{6}Z", "programs get all of a time")
        self.assertNotRegex(self.screen("systems", "list", columns=200).text, r"\d\.\d+Z")
        self.assertNotIn("SYSTEM", self.screen("--no-header", "systems", "list", columns=400).text)

    def test_colour_is_for_terminals_that_want_it(self):
        self.assertRegex(self.screen("systems", "list").text, COLOUR)
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotRegex(self.screen("systems", "list", **environment).text, COLOUR)
        self.assertRegex(self.screen("systems", "list", NO_COLOR="").text, COLOUR, "empty is not set")
        self.assertNotRegex(self.ctl_ok("systems", "list"), COLOUR)

    def test_the_daemons_log_honours_the_same(self):
        for wants, environment in ((True, {}), (False, {"NO_COLOR": "1"})):
            with tempfile.TemporaryDirectory(prefix="colours_") as folder, self.subTest(**environment):
                # The policy is none, so the daemon says an error and ends.
                (pathlib.Path(folder) / "policy.json").write_text("{}")
                screen = Terminal([CONSENTD, "serve", "--data-dir", folder + "/data", "--listen", f"unix:{folder}/run/s", "--policy",
                                   folder + "/policy.json", "--metrics-listen", "127.0.0.1:0"], **environment)
                self.assertNotEqual(screen.code, 0)
                self.assertIn("policy", screen.text)
                self.assertEqual(bool(COLOUR.search(screen.text)), wants, screen.text)

    def test_help_is_wrapped_to_the_terminal(self):
        for columns in (40, 80, 120):
            page = Terminal([CONSENTCTL, "help", "settings", "set"], columns=columns).text
            for line in page.split("\nExamples:\n")[0].split("\n"):
                if not line.startswith(("Usage:", "  -")):
                    self.assertLessEqual(len(line), columns, line)

    def destructive(self):
        return [("delete", "nobody", "--everything"), ("requests", "verify", "nothing"), ("systems", "retire", "none"),
                ("holds", "release", "nothing", "--authority", "court", "--reason", "x"), ("policy", "resume", "human-review", "--reason", "x"),
                ("approvals", "approve", "nothing")]

    def test_what_cannot_be_taken_back_asks_on_a_terminal(self):
        for command in self.destructive():
            with self.subTest(command=command):
                self.assertIn("[y/N]", self.screen(*command, keys="n\n").text)
                no = self.screen(*command, keys="\n")
                self.assertEqual(no.code, STOPPED, no.text)
                self.assertIn("nothing was done", no.text)
                yes = self.screen(*command, keys="y\n")
                self.assertNotEqual(yes.code, STOPPED, yes.text)
                for quiet in (self.screen(*command, "--yes").text, self.daemon.ctl(*command).stderr):
                    self.assertNotIn("[y/N]", quiet)
        self.assertEqual(json.loads(self.ctl_ok("--json", "requests", "list", "somebody"))["requests"], [])
        self.screen("delete", "somebody", "--everything", keys="no\n")
        self.assertEqual(json.loads(self.ctl_ok("--json", "requests", "list", "somebody"))["requests"], [], "a no does nothing")
        self.assertNotIn("[y/N]", self.screen("requests", "verify", "nothing", "--only-begun").text, "nothing is purged by that")


class PipesTest(unittest.TestCase):
    COUNT = 4_000

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.people = json.dumps({"account_id": "george", "region": "GR", "profiles": [{"profile_id": "george", "age": "ADULT"}], "choices": [
            {"control": "help_improve", "turn": "ON", "notice_version": "2026-01-past", "notice_language": "en"}]}) + "\n"
        done = cls.daemon.ctl("import", "-", stdin=cls.people)
        assert done.returncode == DONE, done.stderr
        cls.recordings = "".join(
            json.dumps({"recording_id": f"r{number}", "account_id": "george", "captured_at": "2020-07-01T16:19:56Z", "wake": "BUTTON",
                        "kind": "COMMAND", "speakers": "ONE", "identity": "NOT_RUN", "age": "ADULT"}) + "\n" for number in range(cls.COUNT))
        cls.file = pathlib.Path(cls.daemon.path("recordings.jsonl"))
        cls.file.write_text(cls.recordings)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    FILTER = ("filter", "--purpose", "human-review", "--country", "DE", "--reviewer", "employee")

    def start(self, *arguments, **how):
        return subprocess.Popen([CONSENTCTL, "--endpoint", self.daemon.endpoint, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, **how)

    def test_whoever_reads_one_line_gets_no_word_about_it(self):
        for arguments, code in ((("policy", "show"), (DONE, FILES)), ((*self.FILTER, str(self.file)), (FILES,))):
            with self.subTest(arguments=arguments):
                running = self.start(*arguments)
                running.stdout.readline()
                running.stdout.close()
                self.assertEqual(running.stderr.read(), "")
                self.assertIn(running.wait(60), code, "what was cut off is never 0")
                running.stderr.close()

    def test_a_closed_pipe_is_no_success(self):
        mine, its = os.pipe()
        os.close(mine)
        done = subprocess.run([CONSENTCTL, "--endpoint", self.daemon.endpoint, "policy", "show"], stdout=its, stderr=subprocess.PIPE, text=True,
                              check=False)
        os.close(its)
        self.assertEqual((done.returncode, done.stderr), (FILES, ""))

    def stopped(self, how, arguments, lines, stdin=None):
        """Lines that were let through when the signal came after the first `lines` of them, and what was said."""
        with open(self.daemon.path("out"), "w+", encoding="utf-8") as out:
            running = subprocess.Popen([CONSENTCTL, "--endpoint", self.daemon.endpoint, *self.FILTER, *arguments], stdin=subprocess.PIPE,
                                       stdout=out, stderr=subprocess.PIPE, text=True)
            if stdin is not None:
                running.stdin.write(stdin)
                running.stdin.flush()
            until(lambda: pathlib.Path(out.name).read_text().count("\n") >= lines, "lines are let through")
            running.send_signal(how)
            said = running.stderr.read()
            self.assertEqual(running.wait(60), STOPPED, said)
            running.stdin.close()
            running.stderr.close()
            return pathlib.Path(out.name).read_text().splitlines(), said

    def test_a_filter_that_is_stopped_says_where_and_goes_on_there(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(how=how):
                out, said = self.stopped(how, (str(self.file), "--batch", "1", "--parallel", "1"), 5)
                line = int(re.search(r"stopped before line (\d+); nothing from there on was let through", said)[1])
                self.assertLess(line, self.COUNT)
                self.assertEqual(len(out), line - 1, "what was let through are the lines before it")
                rest = self.daemon.ctl(*self.FILTER, stdin="".join(self.recordings.splitlines(keepends=True)[line - 1:]))
                self.assertEqual(rest.returncode, DONE)
                names = [json.loads(one)["recording_id"] for one in [*out, *rest.stdout.splitlines()]]
                self.assertEqual(names, [f"r{number}" for number in range(self.COUNT)])

    def test_a_filter_that_waits_for_input_is_stopped(self):
        _, said = self.stopped(signal.SIGINT, ("-",), 3, "".join(self.recordings.splitlines(keepends=True)[:3]))
        self.assertIn("stopped before line 4;", said)

    def test_a_second_signal_ends_it_at_once(self):
        self.daemon.process.send_signal(signal.SIGSTOP)  # it never answers
        try:
            running = self.start("--timeout", "60", *self.FILTER, str(self.file))
            blocked = pathlib.Path(f"/proc/{running.pid}/status")
            until(lambda: int(re.search(r"SigBlk:\s*(\w+)", blocked.read_text())[1], 16) & 1 << signal.SIGINT - 1, "it looks after signals")
            running.send_signal(signal.SIGINT)
            running.send_signal(signal.SIGTERM)
            out, said = running.communicate(timeout=9)
            self.assertEqual((running.returncode, out), (STOPPED, ""), said)
            self.assertIn("ended at once", said)
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)

    def test_an_import_that_is_stopped_goes_on(self):
        people = pathlib.Path(self.daemon.path("people.jsonl"))
        people.write_text("".join(json.dumps({"account_id": f"p{number}", "choices": [{"all": True, "turn": "OFF"}]}) + "\n"
                                  for number in range(20_000)))
        state = self.daemon.path("people.state")
        running = self.start("import", str(people), "--state", state, "--parallel", "1")
        until(lambda: os.path.exists(state) and os.path.getsize(state) > 300, "some of it is done")
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        self.assertEqual(running.returncode, STOPPED, said)
        self.assertRegex(said, r"stopped before line \d+ of the restrictions; no consent was sent. Run the same command again to go on")
        done = self.daemon.ctl("--json", "import", str(people), "--state", state)
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(json.loads(done.stdout)["imported"], 20_000)

    def test_a_file_of_deletions_that_is_stopped_goes_on(self):
        accounts = pathlib.Path(self.daemon.path("accounts.jsonl"))
        accounts.write_text("".join(json.dumps({"account_id": f"d{number}"}) + "\n" for number in range(5_000)))
        progress = str(accounts) + ".progress"
        running = self.start("delete", "--file", str(accounts), "--everything", "--parallel", "1")
        until(lambda: os.path.exists(progress) and os.path.getsize(progress) > 500, "some of it is done")
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        self.assertEqual(running.returncode, STOPPED, said)
        self.assertRegex(said, r"stopped before line \d+. Run the same command again to go on, within 72 hours")
        done = self.daemon.ctl("--json", "delete", "--file", str(accounts), "--everything")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(json.loads(done.stdout)["done"], 5_000)

    def test_files_are_not_overwritten_without_a_word(self):
        for option in ("--refused", "--purge"):
            with self.subTest(option=option):
                kept = pathlib.Path(self.daemon.path("kept" + option))
                kept.write_text("of yesterday\n")
                done = self.daemon.ctl(*self.FILTER, str(self.file), option, str(kept))
                self.assertEqual((done.returncode, done.stdout), (FILES, ""))
                self.assertEqual(kept.read_text(), "of yesterday\n")
                self.assertEqual(self.daemon.ctl(*self.FILTER, str(self.file), option, str(kept), "--force").returncode, DONE)
                self.assertEqual(kept.read_text(), "", "nothing was refused")


if __name__ == "__main__":
    unittest.main(verbosity=2)
