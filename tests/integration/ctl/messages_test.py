"""Every message that consentctl can print for a user's mistake, played: tests/golden/messages.txt is the list.

A case there is a command line (`$`), lines of standard input (`|`), the exit code (`=`) and what standard error then says. Where
CONSENT_WRITE_GOLDEN=1 is set the codes and texts are written anew; read them as a whole before they are committed. A message in the sources
of which no case shows anything fails the test, so that the list stays whole."""

import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

from daemon import CONSENTCTL, SOURCE, Daemon

GOLDEN = SOURCE / "tests" / "golden" / "messages.txt"
WRITES = os.environ.get("CONSENT_WRITE_GOLDEN") == "1"

# What takes a message: the literals in its arguments are looked for in the list.
MAKERS = re.compile(r"\b(?:ValidationError|RequiredError|InvalidArgumentError|FailedPreconditionError|NotFoundError|AlreadyExistsError|Fail|Failed|"
                    r"Bad|faults\.push_back|left_out->Add)\(")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
SHORTEST = 10  # letters of a literal that is looked for

# Messages that are for no mistake of a user's, by a piece of their text: why no case plays them.
NO_MISTAKE = {
    "signals cannot be waited for": "the system has no descriptors left",
    "standard input cannot be copied": "the disk is full",
    "a pipe may bring at most 4 GiB": "takes 4 GiB",
    "the input cannot be read again": "the disk fails",
    "the input cannot be read: ": "the disk fails",
    "cannot be read": "the disk fails between opening and reading",
    "an output cannot be cut": "the disk fails",
    "an output cannot be written": "the disk is full",
    "the number of answers is not that of the lines": "the daemon is wrong",
    "the line is longer than ": "takes a line of 64 KiB; bounds_test has one",
    "the line holds a NUL byte": "no text file has one; bounds_test does",
    " in one request": "takes 1,001 options; bounds_test has them",
    " in one hold": "takes 1,001 options; bounds_test has them",
    "may be given at most 1000 times": "takes 1,001 options",
    "may be given 100 times": "takes 101 words; bounds_test has them",
    "the daemon is older than this program": "takes an older daemon; worker_test has it",
    "all of it was given back": "likewise",
    "it comes again when its leases end": "likewise",
    "as node_exporter's collector reads it": "the option's own check says it first",
    "may be given at most 63 times": "takes 64 options; bounds_test has them",
    "may be given at most ": "takes many options; bounds_test has them",
    "the state file tells how far the import into another store has come": "takes a second daemon; import_state_test has it",
    "the state file tells of a sweep of another inventory": "takes a sweep that was killed; sweep_test has it",
    "the progress file is in use": "takes two at once; bulk_test has them",
    "the report holds less than the progress file says": "takes a run that was killed; bulk_test has it",
    "two stores have a record of that number": "takes the log of two daemons; decision_lives has it",
    "that record is of what a person read": "takes a log; decision_questions has it",
    "that record has the entries 0 to": "takes a log; decision_questions has it",
    "the files have records of more than ": "takes a log of years",
    " months; give some of them at a time": "takes a log of years",
    "a sweep knows no exemption": "said of a command that ended with 4; sweep_test has it",
    "this version does not know what is to be deleted or left alone": "said of a task of a later daemon",
    "the environment cannot carry": "said of a task with an id of odd bytes; task_input_test has it",
    "a backup is not written to a terminal": "takes a terminal",
    " cannot be synced": "the disk fails",
    " cannot be locked": "another consentctl has it, whose name is another",
    " cannot be renamed": "the disk fails",
    "standard output cannot be written": "the disk is full; its reader has gone, which is told by the code alone; backup_test has it",
    "cannot be removed (": "the disk fails",
    "a copy that does not say what it was made for": "said of a line of an inventory; sweep_test has it",
}


def cases():
    """(title lines, command line, standard input) of each case of the list."""
    case = None
    for line in GOLDEN.read_text().splitlines():
        if line.startswith("#"):
            if case:
                yield case
            case = None
            yield ([line], None, None)
        elif line.startswith("$ "):
            if case:
                yield case
            case = ([], line[2:], [])
        elif line.startswith("| ") and case:
            case[2].append(line[2:])
    if case:
        yield case


def literals(source):
    """The texts within calls of MAKERS, each run of adjacent literals as one."""
    for maker in MAKERS.finditer(source):
        depth, at = 1, maker.end()
        while depth and at < len(source):
            if source[at] == '"':
                at = LITERAL.match(source, at).end()
                continue
            depth += {"(": 1, ")": -1}.get(source[at], 0)
            at += 1
        arguments = source[maker.end():at]
        for run in re.finditer(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', arguments):
            text = "".join(LITERAL.findall(run[0]))
            yield re.sub(r"\\(.)", r"\1", text)


class MessagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.folder = tempfile.TemporaryDirectory(prefix="messages_")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()
        cls.folder.cleanup()

    def play(self, number, line, stdin):
        folder = pathlib.Path(self.folder.name) / str(number)
        (folder / "folder").mkdir(parents=True)
        (folder / "old").write_text("something\n")
        (folder / "empty").write_text("")
        (folder / "list.jsonl").write_text('{"account_id": "ann"}\n')
        (folder / "policy.json").write_text("{}")
        (folder / "other.jsonl").write_text('{"account_id": "ben"}\n')
        (folder / "two.json").write_text('{"account_id": "ann"}\n{"account_id": "ben"}\n')
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
        # What stands before the last && sets the scene.
        for one in line.replace("@endpoint", self.daemon.endpoint).split(" && "):
            done = subprocess.run([CONSENTCTL, *shlex.split(one)[1:]], input="".join(f"{text}\n" for text in stdin), capture_output=True,
                                  timeout=60, text=True, cwd=folder, env={**environment, "CONSENT_ENDPOINT": self.daemon.endpoint}, check=False)
        return done.returncode, done.stderr.replace(str(self.daemon.root), "@daemon").replace(str(folder), "@folder")

    def test_each_message_is_as_the_list_says(self):
        text = ""
        for number, (title, line, stdin) in enumerate(cases()):
            if line is None:
                text += ("\n" if text and not text.endswith("\n\n") else "") + "\n".join(title) + "\n"
                continue
            code, said = self.play(number, line, stdin)
            text += f"\n$ {line}\n" + "".join(f"| {one}\n" for one in stdin) + f"= {code}\n{said}"
            self.assertNotEqual(said, "", f"{line}: no word about it")
        if WRITES:
            GOLDEN.write_text(text)
        self.maxDiff = None
        self.assertEqual(GOLDEN.read_text(), text, "CONSENT_WRITE_GOLDEN=1 writes it anew")

    def test_no_message_is_missing(self):
        listed = " ".join(GOLDEN.read_text().split())
        missing = []
        # decision_lines says what is wrong with a damaged log, as a problem of `decisions verify`: decision_check_test has each.
        folders = (SOURCE / "client" / "cli", SOURCE / "client" / "lines")
        sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".cc", ".h") and path.stem != "decision_lines"]
        found = 0
        for path in sorted(sources):
            for text in literals(path.read_text()):
                wanted = " ".join(text.split()).strip(" :.;,'`")
                if sum(c.isalpha() for c in wanted) < SHORTEST or " " not in wanted or any(one in text for one in NO_MISTAKE):
                    continue
                found += 1
                if wanted not in listed:
                    missing.append(f"{path.relative_to(SOURCE)}: {wanted}")
        self.assertGreater(found, 100, "the search finds what there is")
        self.assertEqual(missing, [], "play a mistake for each in tests/golden/messages.txt")


if __name__ == "__main__":
    unittest.main(verbosity=2)
