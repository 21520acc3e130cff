#!/usr/bin/python3
"""Runs clang-tidy-14 over the sources of this tree that a build folder's compile_commands.json names.

Usage: run_clang_tidy.py BUILD_FOLDER [FILE... | --only FOLDER...]. Where the build folder compiles several sources as one
(CMAKE_UNITY_BUILD), so does this. What was found clean is remembered, in the build folder, by a hash over its preprocessed text and the
settings; it is looked at again when one of them changes. Exits 1 if anything was found.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIDY = "clang-tidy-14"


def commands(build):
    """Source -> (compile command, place in the tree, of how many of our own sources), for those and for the pieces that several are compiled in."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        if not source.exists():  # generated, and not needed for this
            continue
        ours = [source]
        if build in source.parents:
            ours = re.findall(r'#include "([^"]+\.cc)"', source.read_text()) if source.name.startswith("unity_") else []
            if not ours or any(build in pathlib.Path(name).parents for name in ours):
                continue
        base = build if build in source.parents else ROOT
        found[source] = (entry, source.relative_to(base).as_posix(), len(ours))
    return found


def fingerprint(entry):
    """Over everything that the compiler sees; None where it cannot be preprocessed."""
    arguments = [word for word in shlex.split(entry["command"]) if not word.endswith("ccache")]
    output = arguments.index("-o")
    del arguments[output:output + 2]
    arguments = [word for word in arguments if word != "-c"]
    text = subprocess.run([*arguments, "-E"], cwd=entry["directory"], capture_output=True)
    if text.returncode != 0:
        return None
    digest = hashlib.sha256(text.stdout)
    digest.update((ROOT / ".clang-tidy").read_bytes())
    return digest.hexdigest()


def check(build, clean, source, entry):
    mark = fingerprint(entry)
    if mark is not None and (clean / mark).exists():
        return source, True, ""
    run = subprocess.run([TIDY, "--quiet", "-p", str(build), str(source)], capture_output=True, text=True)
    if run.returncode == 0 and "warning:" not in run.stdout and mark is not None:
        (clean / mark).touch()
        return source, True, ""
    return source, False, run.stdout + "\n".join(line for line in run.stderr.splitlines() if "warnings generated" not in line)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folders = sys.argv[3:] if sys.argv[2:3] == ["--only"] else []
    chosen = set() if folders else {pathlib.Path(name).resolve() for name in sys.argv[2:]}
    clean = build / "clang-tidy-clean"
    clean.mkdir(exist_ok=True)
    work = {source: (entry, sources) for source, (entry, place, sources) in commands(build).items()
            if (not chosen or source in chosen) and (not folders or place.startswith(tuple(folder + "/" for folder in folders)))}
    # The longest first, so that no core waits for the other at the end.
    order = sorted(work, key=lambda source: (-work[source][1], source))
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for source, ok, output in pool.map(lambda source: check(build, clean, source, work[source][0]), order):
            if not ok:
                bad += 1
                print(f"{source.relative_to(ROOT)}:\n{output}", flush=True)
    print(f"{len(work)} sources, {bad} with findings")
    return 1 if bad or not work else 0


if __name__ == "__main__":
    sys.exit(main())
