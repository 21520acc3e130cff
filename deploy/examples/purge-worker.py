#!/usr/bin/python3
"""Deletes from a tree of files what one task of `consentctl worker` or one account of `consentctl sweep` names.

    consentctl worker audio --heeds-exceptions -- /usr/local/bin/purge-worker.py /srv/audio

Take it as it is for a store of this layout, or as a beginning for yours:

    /srv/audio/.consent-store            must be there: a disk that is not mounted is no empty store
    /srv/audio/ACCOUNT/anything          a recording, or a copy that was made of one; no name ends with .json
    /srv/audio/ACCOUNT/anything.json     beside it: what is known of it, in the keys of `consentctl filter`

ACCOUNT is folder_of(account_id). The keys: recording_id, captured_at, captured_uncertainty_ms, profile_ids, device_id, and of a copy
artefact (anything but SOURCE) and made_for; of what a reviewer submitted also digest, in hexadecimal. The task is read from standard input; the CONSENT_ variables say the same, for programs that
find them handier. Ids are any text of up to 128 bytes, so they are compared and never made a path of, but for folder_of.

- What may be meant by its time goes: a recording without a time is within every range. What may be on hold stays: so is one without profile.
- It may run twice for the same task, and be killed at any moment: what is gone stays gone, what is left goes next time.
- What it cannot judge fails the task, after all else is done: nothing says NOT_FOUND of files that nobody understood.
- Deleted means gone after a crash, too: folders are synced before it ends.

Standard output: a line for each file that is gone, and their number. Standard error: what is wrong, without ids.
Exit status: 0 deleted; 3 there was nothing; 65 the task or a file's JSON is not understood; 75 the store is not there, again later.
"""

import datetime
import hashlib
import json
import os
import sys
import urllib.parse

DONE, NOTHING, NOT_UNDERSTOOD, LATER = 0, 3, 65, 75
# Each with what must be in the selector beside its kind. `copies` is a sweep's.
KINDS = {"everything": (), "time_range": (), "spoken_day": (), "account_closure": (), "recordings": ("recording_ids",), "profile": ("profile_id",),
         "device": ("device_id",), "voice_id": ("profile_id",), "purpose_copies": ("purposes",), "copies": ("recording_ids", "artefact", "purposes"), "draft": ("recording_id", "digest")}
TIMELESS = ("recordings", "account_closure", "copies", "draft")
HELD_KINDS = {"account": (), "profile": ("profile_id",), "device": ("device_id",), "recordings": ("recording_ids",)}


class NotUnderstood(Exception):
    """What the task says, or a file's JSON, is not what this program knows. No ids in its text."""


def folder_of(account):
    """A name without slashes, dots or blanks; one that would be too long for a file system is a hash."""
    name = urllib.parse.quote(account, safe="").replace(".", "%2E")
    return name if len(name) <= 200 else "sha256-" + hashlib.sha256(account.encode()).hexdigest()


def time_of(text):
    """RFC 3339 in UTC; None where there is none. What is finer than a microsecond is cut."""
    if not text:
        return None
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or not (fraction.isdigit() or not fraction):
        raise NotUnderstood("a time is not in UTC")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return moment + datetime.timedelta(microseconds=int((fraction + "000000")[:6]))


def may_lie_within(item, times):
    """By its capture time, give or take how far its clock may be off; without one it may."""
    begin, end = (time_of(times[key]) for key in ("from", "to"))
    captured = time_of(item.get("captured_at"))
    if captured is None:
        return True
    off = datetime.timedelta(milliseconds=item.get("captured_uncertainty_ms") or 0)
    return (begin is None or captured + off >= begin) and (end is None or captured - off <= end)


def is_copy(item):
    return (item.get("artefact") or "SOURCE") != "SOURCE"


def is_selected(item, selector, covers):
    kind = selector["kind"]
    if covers is not None and not may_lie_within(item, covers):
        return False
    if "recording_ids" in selector and item.get("recording_id") not in selector["recording_ids"]:
        return False
    if selector.get("profile_id") and selector["profile_id"] not in (item.get("profile_ids") or []):
        return False
    if selector.get("device_id") and item.get("device_id") != selector["device_id"]:
        return False
    if kind in ("purpose_copies", "voice_id"):
        return is_copy(item) and item.get("made_for") in selector.get("purposes", ["VOICE_IDENTIFICATION"])
    if kind == "draft":
        return item.get("recording_id") == selector["recording_id"] and item.get("digest") == selector["digest"]
    if kind == "copies":
        return is_copy(item) and item["artefact"] == selector["artefact"] and item.get("made_for") in selector["purposes"]
    return True


def may_be_held(item, exceptions):
    """A hold on recordings holds what was made of them, too; what is not known of an item does not let it go."""
    for held in exceptions:
        is_meant = (("recording_ids" not in held or item.get("recording_id") in [None, *held["recording_ids"]]) and
                    (not held.get("profile_id") or held["profile_id"] in (item.get("profile_ids") or [held["profile_id"]])) and
                    (not held.get("device_id") or (item.get("device_id") or held["device_id"]) == held["device_id"]))
        if is_meant and may_lie_within(item, held):
            return True
    return False


def check(task):
    """Whoever does not know all of what is to be deleted, or left alone, deletes nothing."""
    selector, covers = task["selector"], task["covers"]
    for known, said in ((KINDS, selector), *((HELD_KINDS, held) for held in task["exceptions"])):
        if said["kind"] not in known or any(not said.get(key) for key in known[said["kind"]]):
            raise NotUnderstood("the task selects or excepts something that this program does not know")
    if selector["kind"] not in TIMELESS and not (covers and covers["to"]):
        raise NotUnderstood("the task does not say until when it covers")
    for times in filter(None, (covers, *task["exceptions"])):
        time_of(times["from"])
        time_of(times["to"])


def read_item(path):
    """What is known of a file; None: nothing that this program understands."""
    try:
        with open(path, encoding="utf-8") as file:
            item = json.load(file)
        time_of(item.get("captured_at"))
        return item
    except (OSError, ValueError, AttributeError, TypeError, NotUnderstood):
        return None


def items_of(folder):
    """Each file with what is known of it; a JSON whose file is gone already stands for it."""
    names = set(os.listdir(folder))
    for name in sorted(names):
        if not name.endswith(".json"):
            yield name, read_item(os.path.join(folder, name + ".json"))
        elif name.removesuffix(".json") not in names:
            yield name, read_item(os.path.join(folder, name))


def erase(folder, name):
    """The file before its JSON, so that one that was begun is found again."""
    for path in (os.path.join(folder, name), os.path.join(folder, name + ".json")):
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass


def sync(folder):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def purge(root, task):
    """How many files are gone, and how many could not be judged."""
    folder = os.path.join(root, folder_of(task["account_id"]))
    # All of an account goes whatever is known of its files.
    is_all = task["selector"]["kind"] == "account_closure" and not task["exceptions"]
    erased, unjudged = 0, 0
    if not os.path.isdir(folder):
        return erased, unjudged
    for name, item in items_of(folder):
        if os.path.isdir(os.path.join(folder, name)) or (item is None and not is_all):
            unjudged += 1
        elif is_all or (is_selected(item, task["selector"], task["covers"]) and not may_be_held(item, task["exceptions"])):
            erase(folder, name)
            print("erased", name)
            erased += 1
    sync(folder)
    if not os.listdir(folder):
        os.rmdir(folder)
        sync(root)
    return erased, unjudged


def main():
    root = sys.argv[1]
    sys.stdout.reconfigure(errors="surrogateescape")  # names of files are any bytes
    if not os.path.exists(os.path.join(root, ".consent-store")):
        print("the store is not there: its folder has no .consent-store", file=sys.stderr)
        return LATER
    try:
        task = json.loads(sys.stdin.readline())
        check(task)
        erased, unjudged = purge(root, task)
    except NotUnderstood as error:
        print(error, file=sys.stderr)
        return NOT_UNDERSTOOD
    except (KeyError, TypeError, ValueError, AttributeError):
        print("the task, or a file's JSON, is not understood", file=sys.stderr)  # Python's own text could hold an id
        return NOT_UNDERSTOOD
    print(erased)
    if unjudged:
        print(f"left: {unjudged} of the account's files, of which nothing is known", file=sys.stderr)
        return NOT_UNDERSTOOD
    return DONE if erased else NOTHING


if __name__ == "__main__":
    sys.exit(main())
