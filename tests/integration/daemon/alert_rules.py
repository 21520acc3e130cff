"""The shipped rules, promtool, and a real Prometheus that a test runs."""

import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

try:
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

from harness import PATIENCE, ROOT

RULES = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "deploy" / "runbooks"
METRICS = ROOT / "daemon" / "ops" / "README.md"
FILES = ("consentd.officer.yml", "consentd.operator.yml")
for program in ("promtool", "prometheus"):
    if shutil.which(program) is None:
        print(f"skipped: {program} is not installed", file=sys.stderr)
        sys.exit(77)


def until(condition, what):
    """The first true value of condition(). Prometheus looks once a second, so asking it more often only takes time from others."""
    patience = 2 * PATIENCE  # several programs have to get on
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what() if callable(what) else what}")
        time.sleep(0.1)
    return value


def read(name):
    return yaml.safe_load((RULES / name).read_text())


def alerts():
    """The shipped alerting rules by name, each with its group under "group"."""
    found = {}
    for name in FILES:
        for group in read(name)["groups"]:
            for rule in [one for one in group["rules"] if "alert" in one]:
                assert rule["alert"] not in found, f"two alerts {rule['alert']}"
                found[rule["alert"]] = {**rule, "group": group["name"]}
    return found


def recordings():
    """The expressions of the shipped recording rules by what they record."""
    return {rule["record"]: rule["expr"] for name in FILES for group in read(name)["groups"] for rule in group["rules"] if "record" in rule}


def page(alert):
    return (RUNBOOKS / f"{alert}.md").read_text()


def blocks(text, kind):
    """What stands in a page's fenced blocks of that kind, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def copy_rules(folder, seconds):
    """Copies the shipped rules, with another `for` of all alerts, and returns their paths."""
    paths = []
    for name in FILES:
        path = pathlib.Path(folder) / name
        path.write_text(re.sub(r"^( *for:) .*$", rf"\1 {seconds}s", (RULES / name).read_text(), flags=re.M))
        paths.append(path)
    return paths


def promtool(*arguments, cwd=None):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=800, check=False)
    return done.returncode, done.stdout + done.stderr


class Prometheus:
    """One that scrapes `target` (host:port) each second, with the rules in `rules`; its store is in `folder`, which may have blocks already."""

    def __init__(self, folder, target, rules):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "500ms"}, "rule_files": [str(path) for path in rules],
                  "scrape_configs": [{"job_name": "consentd", "static_configs": [{"targets": [target]}]}]}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.process = None

    def start(self):
        # Another process may take the port between its choice and its use.
        for _ in range(5):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
            with open(self.folder / "log", "ab") as log:
                self.process = subprocess.Popen(
                    ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data", "--storage.tsdb.retention.time=90d",
                     f"--web.listen-address={self.url.removeprefix('http://')}", "--log.level=warn"], stdout=log, stderr=log)
            if until(self.is_ready, "Prometheus is ready or has ended") == "ready":
                return self
        raise AssertionError("Prometheus did not start:\n" + (self.folder / "log").read_text())

    def is_ready(self):
        if self.process.poll() is not None:
            return "ended"
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return "ready"
        except OSError:
            return None

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def get(self, path, **query):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=60) as answer:
            return json.loads(answer.read())["data"]

    def query(self, expression):
        """The series of an expression at this moment: (labels, value)."""
        return [(one["metric"], float(one["value"][1])) for one in self.get("query", query=expression)["result"]]

    def firing(self, alert, **labels):
        """Those alerts of that name that fire, with these labels."""
        return [one for one in self.get("alerts")["alerts"] if one["state"] == "firing" and one["labels"]["alertname"] == alert
                and labels.items() <= one["labels"].items()]

    def until_seen(self, expression, what):
        """Waits until a query has a series that is not 0."""
        return until(lambda: any(value != 0 for _, value in self.query(expression)), what)

    def until_scraped(self):
        """Waits until a scrape that began after this call has been stored, and rules have seen it."""
        began = time.time()
        until(lambda: any(value > began + 1 for _, value in self.query("timestamp(up)")), "a later scrape")
