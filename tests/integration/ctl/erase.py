#!/usr/bin/python3
"""Deletes from one store what one task of `consentctl worker` names: the command of the tests' workers.

Usage: erase.py line|environment MANIFEST FOLDER SUFFIX. The manifest has one JSON object per recording: recording_id, account_id,
profile_id, captured_at. The task is read from standard input or from the CONSENT_ variables. Files are <recording_id><SUFFIX>, and an
id is only ever compared, never made a path of. Prints what it deleted, and how many; ends with 3 where there was nothing.
"""

import datetime
import json
import os
import pathlib
import sys


def task_of_line():
    task = json.loads(sys.stdin.readline())
    return task["account_id"], task["selector"], task["covers"]


def task_of_environment():
    kind = os.environ["CONSENT_SELECTOR"]
    selector = {"kind": kind}
    if kind == "recordings":
        selector["recording_ids"] = os.environ["CONSENT_RECORDING_IDS"].split("\n")
    elif kind in ("profile", "device"):
        selector[kind + "_id"] = os.environ[f"CONSENT_{kind.upper()}_ID"]
    covers = None if kind == "recordings" else {"from": os.environ.get("CONSENT_FROM"), "to": os.environ["CONSENT_TO"]}
    return os.environ["CONSENT_ACCOUNT_ID"], selector, covers


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_meant(recording, account, selector, covers):
    if recording["account_id"] != account:
        return False
    if selector["kind"] == "recordings":
        return recording["recording_id"] in selector["recording_ids"]
    if selector["kind"] == "profile" and recording["profile_id"] != selector["profile_id"]:
        return False
    if selector["kind"] not in ("everything", "time_range", "spoken_day", "profile"):
        raise SystemExit(f"this store does not know the selector {selector['kind']}")
    captured = instant(recording["captured_at"])
    return (covers["from"] is None or captured >= instant(covers["from"])) and captured <= instant(covers["to"])


def main():
    source, manifest, folder, suffix = sys.argv[1:]
    account, selector, covers = task_of_line() if source == "line" else task_of_environment()
    erased = 0
    for line in pathlib.Path(manifest).read_text().splitlines():
        recording = json.loads(line)
        path = pathlib.Path(folder) / (recording["recording_id"] + suffix)
        if is_meant(recording, account, selector, covers) and path.exists():
            path.unlink()
            print(path.name)
            erased += 1
    print(erased)
    return 0 if erased else 3


if __name__ == "__main__":
    sys.exit(main())
