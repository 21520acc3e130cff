"""Twenty letters, answered from `check --explain --at` alone and held against tests/golden/letters.

One daemon lives through all of it: its clocks are moved on, wall and boot together, so that nothing is in doubt. Written anew where
CONSENT_WRITE_GOLDEN=1 is set; read them before they are committed."""

import datetime
import json
import mmap
import os
import re
import struct
import unittest

from daemon import DONE, NOT_ELIGIBLE, REFUSED, SOURCE, Daemon, DaemonTest, until
from letters import LETTERS, policy

SHIM = os.environ["CONSENT_SHIFT_CLOCK_SHIM"]
GOLDEN = SOURCE / "tests" / "golden" / "letters"
WRITES = os.environ.get("CONSENT_WRITE_GOLDEN") == "1"
EXPLAINED = 14
BEGIN = "2026-01-05 09:00"


def moment(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


class MovedDaemon(Daemon):
    """Lives at the time that it is told."""

    def __init__(self):
        self.clock = None
        super().__init__()

    def start(self, *options, **environment):
        path = self.root / "clock"
        if self.clock is None:
            path.write_bytes(bytes(16))
            with open(path, "r+b") as file:
                self.clock = mmap.mmap(file.fileno(), 16)
            self.begin = moment(BEGIN) - datetime.datetime.now(datetime.timezone.utc)
            self.move(moment(BEGIN))
            (self.root / "policy.json").write_text(json.dumps(policy(json.loads((SOURCE / "deploy" / "policy.json").read_text()))))
        super().start(*options, LD_PRELOAD=SHIM, CONSENT_SHIFT_CLOCK_FILE=str(path), **environment)

    def ctl(self, *arguments, **more):
        """Busy machines are slow, and no event may be left out."""
        return super().ctl("--timeout", "60", *arguments, **more)

    def move(self, to):
        """Both clocks at once. What is real goes on beside it: some seconds."""
        shift = to - datetime.datetime.now(datetime.timezone.utc)
        micros = shift // datetime.timedelta(microseconds=1)
        since_begin = (shift - self.begin) // datetime.timedelta(microseconds=1)
        self.clock[0:16] = struct.pack("qq", micros, max(0, since_begin))


class LettersTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.daemon = MovedDaemon()

    def test_all_letters(self):
        self.maxDiff = None
        for name in ("audio", "vendor"):
            self.system(name, {"audio": "audio", "vendor": "vendor-copies"}[name], "--checks-on-ingest")
        events = []
        for name, _, lives, asked in LETTERS:
            account = lives[0][1][2] if isinstance(lives[0][1], tuple) else lives[0][1].split()[1]
            events += [(moment(at), len(events), name, what) for at, what in lives]
            for at, facts in asked:
                if at == "recorded":
                    events.append((moment("2026-08-01 13:00"), len(events), name, ("EXPLAIN", account)))
                elif at.startswith("now "):
                    events.append((moment(at[4:]), len(events), name, ("ASK", account, None, facts)))
                else:
                    # Only once all is over, so that history has to tell it.
                    events.append((moment("2026-08-01 12:00"), len(events), name, ("ASK", account, at, facts)))
        answers = {}
        for at, _, name, what in sorted(events):
            self.daemon.move(at)
            if what[0] == "EXPLAIN":
                answers.setdefault(name, []).append(self.explain(*what[1:]))
            elif what[0] == "ASK":
                answers.setdefault(name, []).append(self.ask(*what[1:]))
            else:
                self.live(what)
        self.assertEqual(len(answers), 21)
        for name, question, _, _ in LETTERS:
            with self.subTest(name):
                self.compare(name, "\n".join([question, "", *answers[name]]))

    def live(self, what):
        if isinstance(what, str):
            word, *rest = what.split()
            return getattr(self, word.lower())(*rest)
        if "ETAG" in what:
            etag = self.json("settings", "get", what[2])["etag"]
            what = [etag if word == "ETAG" else word for word in what]
        return self.json(*what)

    def ask(self, account, at, facts):
        options = [word for name, value in facts.items() for word in (f"--{name}", value)]
        if "purpose" not in facts:
            options.append("--disposition")
        if at is not None:
            options += ["--at", at.replace(" ", "T") + ":00Z"]
        text = self.ctl("check", "--account", account, *options, "--explain", expect=EXPLAINED)
        # By chance.
        return re.sub(r"asked again from [^.;]*? on\b", "asked again later", text, flags=re.S)

    def check(self, account):
        """For real, so that it is on record."""
        facts, = (asked for _, _, lives, questions in LETTERS for _, asked in questions if lives[0][1][2:3] == (account,))
        asked = ("check", "--account", account, *(word for name, value in facts.items() for word in (f"--{name}", value)))

        def allowed():
            done = self.daemon.ctl(*asked)
            self.assertIn(done.returncode, (DONE, NOT_ELIGIBLE), done.stderr)
            return done.returncode == DONE
        # Whoever jumps into a month finds its key of the log made within a second; until then nobody gets a yes.
        until(allowed, "a yes on record")

    def explain(self, account):
        log = str(self.daemon.root / "data.decisions")
        found = [one for one in self.json("decisions", "find", "--account", account, log)["decisions"] if one["entry"] >= 0]
        self.assertEqual(len(found), 1)
        entry = ("--record", str(found[0]["record"]), "--entry", str(found[0]["entry"]), log)
        self.ctl("decisions", "explain", "--account", "bert", *entry, expect=REFUSED)
        told = json.loads(self.ctl("decisions", "explain", "--account", account, *entry, "--json", expect=EXPLAINED))
        self.assertEqual((told["verdict"], told["explanation"]["eligibility"]), ("CONFIRMED", "ELIGIBLE"))
        return self.ctl("decisions", "explain", "--account", account, *entry, expect=EXPLAINED)

    def compare(self, name, text):
        path = GOLDEN / f"{name}.txt"
        if WRITES:
            path.write_text(text)
        self.assertEqual(text, path.read_text() if path.exists() else "", f"{path} differs; CONSENT_WRITE_GOLDEN=1 writes it anew")

    def work(self, system, _account, ending="0"):
        done = self.daemon.ctl("worker", system, "--once", "--", "sh", "-c", f"exit {ending}")
        self.assertIn(done.returncode, (0, 40), done.stderr)

    def fail(self, *arguments):
        if len(arguments) != 2 or arguments[0] not in ("audio", "vendor"):
            return super().fail(*arguments)
        return self.work(*arguments, ending="1")

    def paper(self, account, given_at):
        line = {"account_id": account, "region": "DE", "profiles": [{"profile_id": "voice", "age": "ADULT"}],
                "choices": [{"control": "help_improve", "turn": "ON", "notice_version": "2026-01", "notice_language": "en", "given_at": given_at, **scope}
                            for scope in ({}, {"scope": {"profile_id": "voice"}})]}
        self.ctl("import", "-", stdin=json.dumps(line) + "\n")

    def deny(self, account):
        request, = self.json("requests", "list", account)["requests"]
        self.json("requests", "deny", request["deletion_id"], "--reason", "identity not shown")

    def resume(self):
        etag = self.json("policy", "show")["suspensions"][0]["etag"]
        self.json("policy", "resume", "feature-development", "--reason", "answered", "--etag", etag)


if __name__ == "__main__":
    unittest.main()
