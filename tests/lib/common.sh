# Sourced by tests/run and .ci/run: building a preset and counting its tests. Expects the working directory to be the repository.

# configure_preset PRESET [CMAKE OPTION...]
configure_preset() {
  local preset=$1 flags=()
  # GNU ld takes seconds per test binary, lld a fraction.
  if command -v ld.lld >/dev/null || command -v ld.lld-14 >/dev/null; then
    flags=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld -DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=lld)
  fi
  local log=.build/$preset.configure.log
  mkdir -p .build
  if ! cmake --preset "$preset" "${flags[@]}" "${@:2}" >"$log" 2>&1; then
    cat "$log" >&2
    return 1
  fi
}

# Configures and builds: build_preset PRESET [TARGET...]
build_preset() {
  local preset=$1
  shift
  configure_preset "$preset" || return 1
  if (($#)); then
    cmake --build ".build/$preset" --target "$@"
  else
    cmake --build ".build/$preset"
  fi
}

# Runs a preset's tests four at a time, because many wait, and counts as count_report does: run_tests PRESET [CTEST OPTION...]
run_tests() {
  local preset=$1
  shift
  local report=$PWD/.build/$preset.junit.xml
  rm -f "$report"
  ctest --test-dir ".build/$preset" -j4 --output-on-failure --no-tests=error --output-junit "$report" "$@" || true
  count_report "$report"
}

# Reads a report into passed, failed, skipped and failed_names; a missing one counts as one failure.
count_report() {
  local counts
  passed=0 failed=1 skipped=0 failed_names=("no report of the tests: they were not built or did not end")
  [[ -f $1 ]] || return 0
  counts=$(/usr/bin/python3 - "$1" <<'PYTHON'
import sys
import xml.etree.ElementTree as ElementTree
suite = ElementTree.parse(sys.argv[1]).getroot()
count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "skipped", "disabled")}
skipped = count["skipped"] + count["disabled"]
print(count["tests"] - count["failures"] - skipped, count["failures"], skipped)
for case in suite.iter("testcase"):
    if case.get("status") == "fail":
        print(case.get("name"))
PYTHON
  ) || return 0
  mapfile -t failed_names < <(tail -n +2 <<<"$counts")
  read -r passed failed skipped <<<"$counts"
}
