#!/usr/bin/python3
"""Deletes from one folder what a run of `consentctl sweep` names: the command of the tests' sweeps.

Usage: erase_swept.py FOLDER JOURNAL [PAUSE]. Files are <recording_id>, and <recording_id>.copy for what was made of it for people to review.
Each id that it is given stands in the journal, one a line, before anything of it is deleted. An id is only ever compared, never made a path of.
"""

import json
import pathlib
import sys
import time

folder, journal = pathlib.Path(sys.argv[1]), sys.argv[2]
task = json.loads(sys.stdin.readline())
selector = task["selector"]
if task["cause"] != "SWEEP" or selector["kind"] not in ("recordings", "copies") or task["covers"] is not None or task["exceptions"]:
    raise SystemExit("this store does not know all of what is to be deleted or left alone")
copies = selector["kind"] == "copies"
if copies and (selector["artefact"], selector["purposes"]) != ("REVIEW_COPY", ["HUMAN_REVIEW"]):
    raise SystemExit("this store has no such copies")
with open(journal, "a", encoding="utf-8") as lines:
    lines.write("".join(f"{selector['kind']} {task['account_id']} {recording}\n" for recording in selector["recording_ids"]))
time.sleep(float(sys.argv[3]) if len(sys.argv) > 3 else 0)
meant = {recording + ".copy" for recording in selector["recording_ids"]}
if not copies:
    meant |= set(selector["recording_ids"])
found = [path for path in folder.iterdir() if path.name in meant]
for path in found:
    path.unlink()
print(len(found))
sys.exit(0 if found else 3)
