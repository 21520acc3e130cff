"""Hosts for tests of the decision log: a daemon each, with its store and its log, and what consentctl finds in their files."""

import json
import os
import subprocess

from harness import Daemon, clean_environment
from test_decision_log import read

CTL = os.environ.get("TEST_CTL")
WRONG = 50


class Host:
    """One daemon in a folder of its own. `options`: as Daemon has them."""

    def __init__(self, folder, *arguments, **options):
        folder.mkdir()
        self.daemon = Daemon(folder, *arguments, **options)
        self.log = folder / "data.decisions"

    def files(self):
        return sorted(self.log.glob("*.jsonl"))

    def records(self):
        return read(self.log)

    def restart(self):
        """So that its store has counted all records."""
        code = self.daemon.stop()
        self.daemon.start()
        return code


def ctl(hosts, *arguments, codes=(0,)):
    """What `consentctl --json` prints, asked of all hosts where there are several; and its exit code."""
    first, *more = hosts
    others = [part for host in more for part in ("--daemon", host.daemon.address())]
    done = subprocess.run([CTL, "--endpoint", first.daemon.address(), "--json", *map(str, arguments), *others], env=clean_environment(),
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in codes, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout), done.returncode


def verify(hosts, files, *options):
    """The report, and what is wrong: kind -> sorted (file's folder and name or "", record, entry)."""
    report, code = ctl(hosts, "decisions", "verify", *options, *files, codes=(0, WRONG))
    found = {}
    for problem in report["problems"]:
        found.setdefault(problem["kind"], []).append((problem["store"], problem["record"], problem.get("entry", -1)))
    assert code == (WRONG if found else 0), (code, found)
    return report, {kind: sorted(places) for kind, places in found.items()}
