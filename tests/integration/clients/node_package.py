"""The npm package consent-client with what it depends on, in a folder of the build: made once, and again when its sources change.

Environment: TEST_ROOT is the repository, TEST_NODE_FOLDER where it is made. Needs npm and, the first time, its registry. Exit code 77, skipped, where the
package cannot be made; with CONSENT_NODE=required it fails then.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(os.environ["TEST_ROOT"])
FOLDER = pathlib.Path(os.environ["TEST_NODE_FOLDER"])
SOURCE = ROOT / "client" / "node"
MADE = {"generated", "node_modules", "proto", "types"}
INSTALL_SECONDS = 300


def digest(paths):
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def sources():
    return [path for path in SOURCE.rglob("*") if path.is_file() and path.relative_to(SOURCE).parts[0] not in MADE]


def run(*command):
    """What it said on its errors; None where it ended well."""
    environment = {**os.environ, "CONSENT_PROTO": str(ROOT / "proto")}
    try:
        done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"not within {INSTALL_SECONDS} s"
    return None if done.returncode == 0 else done.stdout[-2000:] + done.stderr[-2000:]


def give_up(why):
    print(f"skipped: the npm package cannot be made: {why}", file=sys.stderr)
    sys.exit(1 if os.environ.get("CONSENT_NODE") == "required" else 77)


def make():
    """Up to date where this returns."""
    stamp, lock_stamp = FOLDER / "stamp", FOLDER / "stamp-lock"
    lock = digest([SOURCE / "package-lock.json", SOURCE / "package.json"])
    all_of_it = digest([*sources(), *(ROOT / "proto/consent/v1").glob("*.*")])
    if stamp.exists() and stamp.read_text() == all_of_it:
        return
    stamp.unlink(missing_ok=True)
    for path in sources():
        target = FOLDER / path.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if not lock_stamp.exists() or lock_stamp.read_text() != lock:
        if shutil.which("npm") is None:
            give_up("no npm (apt-get install npm, or a Node.js that brings its own)")
        problem = run("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-progress")
        if problem:
            give_up(problem)
        lock_stamp.write_text(lock)
    problem = run("node", "prepare.js")
    if problem:
        raise AssertionError(problem)  # of our own making, so never skipped
    stamp.write_text(all_of_it)


def folder():
    """Where the package is; several tests may ask at once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make()
    return FOLDER
