#!/usr/bin/env python3
"""A backup of a large store, with checks beside it: seconds, bytes, and the checks' latency before and meanwhile.

    cmake -DCONSENT_BENCH=ON .build/dev && ninja -C .build/dev bench_load consentd consentctl
    .build/dev/tests/bench/bench_load --help                       # a store of N subjects in FOLDER
    tests/bench/backup_campaign.py --build .build/dev --store FOLDER/store --to FOLDER/backups

Checks go from this process over the Unix socket, one at a time on each of two threads, so their latency has Python's own in it: compare before and meanwhile."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a build folder with consentd, consentctl and the Python protos")
    parser.add_argument("--store", type=pathlib.Path, required=True, help="the store's folder; key and head file beside it, named as consentd does")
    parser.add_argument("--to", type=pathlib.Path, required=True, help="where the backup is to lie; made if need be")
    parser.add_argument("--before", type=float, default=20, help="seconds of checks before it")
    return parser.parse_args()


class Checks:
    """Asks about accounts one after another, and notes how long each answer took."""

    def __init__(self, endpoint, threads=2):
        import grpc
        from consent.v1 import eligibility_service_pb2 as eligibility
        from consent.v1 import eligibility_service_pb2_grpc as stubs
        from consent.v1 import types_pb2 as types
        self.took, self.stop = [], threading.Event()

        def ask(number):
            with grpc.insecure_channel(endpoint) as channel:
                stub = stubs.EligibilityServiceStub(channel)
                n = number
                while not self.stop.is_set():
                    request = eligibility.CheckRequest(recording=types.Recording(account_id=f"account-{n}", recording_id="r"), purpose=types.PURPOSE_HUMAN_REVIEW)
                    began = time.perf_counter()
                    stub.Check(request, timeout=60)
                    self.took.append(time.perf_counter() - began)
                    n += threads
        self.threads = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
        for thread in self.threads:
            thread.start()

    def take(self):
        """What was measured since the last call: how many a second, and milliseconds of the median, p99 and the longest."""
        took, self.took = sorted(self.took), []
        if not took:
            return "none"
        return f"{len(took)} checks, p50 {took[len(took) // 2] * 1e3:.2f} ms, p99 {took[len(took) * 99 // 100] * 1e3:.2f} ms, longest {took[-1] * 1e3:.0f} ms"

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def main():
    given = options()
    sys.path.insert(0, str(given.build / "tests/integration/python/gen"))
    given.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="backup_campaign_") as folder:
        endpoint = f"unix:{folder}/run/consentd.sock"
        daemon = subprocess.Popen([given.build / "bin/consentd", "serve", "--listen", endpoint, "--data-dir", given.store, "--decision-log", "off"],
                                  stdout=open(f"{folder}/log", "wb"), stderr=subprocess.STDOUT)
        ctl = [given.build / "bin/consentctl", "--endpoint", endpoint]
        try:
            began = time.monotonic()
            while subprocess.run([*ctl, "policy", "show"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
                if daemon.poll() is not None:
                    sys.exit(pathlib.Path(folder, "log").read_text())
            print(f"started in {time.monotonic() - began:.1f} s")
            checks = Checks(endpoint)
            time.sleep(given.before)
            print("before:    ", checks.take())
            began = time.monotonic()
            done = subprocess.run([*ctl, "--json", "backup", "create", given.to], stdout=subprocess.PIPE, text=True)
            took = time.monotonic() - began
            print("meanwhile: ", checks.take())
            checks.end()
            print(f"backup: code {done.returncode}, {took:.1f} s, {done.stdout.strip()}")
            began = time.monotonic()
            backup = max(path for path in given.to.iterdir() if path.is_dir())
            code = subprocess.run([*ctl, "backup", "verify", backup], stdout=subprocess.DEVNULL).returncode
            print(f"verify: code {code}, {time.monotonic() - began:.1f} s")
            began = time.monotonic()
            deep = subprocess.run([given.build / "bin/consentd", "store", "verify", backup], stdout=subprocess.PIPE, text=True)
            print(f"store verify: code {deep.returncode}, {time.monotonic() - began:.1f} s\n{deep.stdout}")
        finally:
            daemon.terminate()
            daemon.wait()


if __name__ == "__main__":
    os.umask(0o077)
    main()
