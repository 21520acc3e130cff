#!/usr/bin/python3
"""Deletes from one store what one task of `consentctl worker` names: the command of the tests' workers.

Usage: erase.py line|environment MANIFEST FOLDER SUFFIX [MADE_FOR]. The manifest has one JSON object per recording: recording_id,
account_id, profile_id, device_id, captured_at. MADE_FOR is the purpose for which this store's files were made of recordings; without it
they are the recordings themselves. The task is read from standard input or from the CONSENT_ variables. Files are <recording_id><SUFFIX>,
and an id is only ever compared, never made a path of. Prints what it deleted, and how many; ends with 3 where there was nothing.
"""

import datetime
import json
import os
import pathlib
import sys

KINDS = {"everything", "time_range", "spoken_day", "recordings", "profile", "device", "purpose_copies", "voice_id", "account_closure"}
HELD_KINDS = {"account", "recordings", "profile", "device"}


def task_of_line():
    task = json.loads(sys.stdin.readline())
    return task["account_id"], task["selector"], task["covers"], task["exceptions"]


def task_of_environment():
    get = os.environ.get
    selector = {"kind": os.environ["CONSENT_SELECTOR"]}
    if "CONSENT_RECORDING_IDS" in os.environ:
        selector["recording_ids"] = get("CONSENT_RECORDING_IDS").split("\n")
    if "CONSENT_PURPOSES" in os.environ:
        selector["purposes"] = get("CONSENT_PURPOSES").split(",")
    for key in ("profile_id", "device_id"):
        if f"CONSENT_{key.upper()}" in os.environ:
            selector[key] = get(f"CONSENT_{key.upper()}")
    covers = {"from": get("CONSENT_FROM"), "to": get("CONSENT_TO")}
    return os.environ["CONSENT_ACCOUNT_ID"], selector, covers, json.loads(get("CONSENT_EXCEPTIONS", "[]"))


def lies_within(recording, times):
    captured = datetime.datetime.fromisoformat(recording["captured_at"].replace("Z", "+00:00"))
    ends = [times[key] and datetime.datetime.fromisoformat(times[key].replace("Z", "+00:00")) for key in ("from", "to")]
    return (ends[0] is None or captured >= ends[0]) and (ends[1] is None or captured <= ends[1])


def has_ids_of(recording, selector):
    """The ids that a selector or an exception names are the recording's."""
    if "recording_ids" in selector and recording["recording_id"] not in selector["recording_ids"]:
        return False
    return all(recording[key] == selector[key] for key in ("profile_id", "device_id") if key in selector)


def is_meant(recording, account, selector, covers):
    if recording["account_id"] != account or not has_ids_of(recording, selector):
        return False
    return covers is None or lies_within(recording, covers)


def is_held(recording, exceptions):
    return any(has_ids_of(recording, exception) and lies_within(recording, exception) for exception in exceptions)


def main():
    source, manifest, folder, suffix = sys.argv[1:5]
    made_for = sys.argv[5] if len(sys.argv) > 5 else None
    account, selector, covers, exceptions = task_of_line() if source == "line" else task_of_environment()
    kind = selector["kind"]
    if kind not in KINDS or any(exception["kind"] not in HELD_KINDS for exception in exceptions):
        raise SystemExit("this store does not know all of what is to be deleted or left alone")
    if kind not in ("recordings", "account_closure") and not (covers and covers["to"]):
        raise SystemExit("until when it was captured is not said")
    if kind == "voice_id" or (kind == "purpose_copies" and made_for not in selector["purposes"]):
        return 3
    erased = 0
    for line in pathlib.Path(manifest).read_text().splitlines():
        recording = json.loads(line)
        path = pathlib.Path(folder) / (recording["recording_id"] + suffix)
        if is_meant(recording, account, selector, covers) and not is_held(recording, exceptions) and path.exists():
            path.unlink()
            print(path.name)
            erased += 1
    print(erased)
    return 0 if erased else 3


if __name__ == "__main__":
    sys.exit(main())
