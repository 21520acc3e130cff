"""Debian's Prometheus for a test: scrapes daemons each second, answers queries, and ends with the test."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import PATIENCE, until

def is_installed():
    return shutil.which("prometheus") is not None


class QueryError(Exception):
    """What Prometheus said of a query that it did not answer."""


class Prometheus:
    """One server in a folder of its own, whose `data` may have blocks before it starts. `targets`: HOST:PORT of each daemon's metrics, scraped each second;
    `rules`: files of rules, evaluated twice a second."""

    def __init__(self, folder, targets, rules=()):
        self.folder = folder / "prometheus"
        self.folder.mkdir()
        # JSON is YAML.
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "500ms"}, "rule_files": [str(path) for path in rules],
            "scrape_configs": [{"job_name": "consentd", "static_configs": [{"targets": targets}]}]}))
        self.process = None

    def start(self):
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        # It takes a free port by itself and says which.
        self.process = subprocess.Popen(["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data", "--web.listen-address=127.0.0.1:0",
                                         "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.retention.time=90d"], stdout=self.log, stderr=self.log)
        self.url = f"http://{until(self.address, 'Prometheus listens')}"
        until(self.is_ready, "Prometheus is ready")
        return self

    def address(self):
        said = (self.folder / "log").read_text(encoding="utf-8")
        if self.process.poll() is not None:
            raise AssertionError(f"Prometheus ended:\n{said}")
        found = re.search(r'msg="Listening on" address=(\S+:[1-9]\d*)', said)
        return found and found[1]

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=PATIENCE) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def ask(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=PATIENCE) as answer:
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            raise QueryError(error.read().decode()) from error
        return said["data"]

    def now(self, expression):
        """The series of an instant query: (labels, value)."""
        return [(series["metric"], float(series["value"][1])) for series in self.ask("query", query=expression)["result"]]

    def over(self, expression, seconds, step=1):
        """The series of the last seconds: (labels, [(time, value)])."""
        end = time.time()
        found = self.ask("query_range", query=expression, start=end - seconds, end=end, step=step)["result"]
        return [(series["metric"], [(float(at), float(value)) for at, value in series["values"]]) for series in found]

    def value(self, expression):
        """The only value of a query; None where there is none."""
        found = self.now(expression)
        assert len(found) < 2, f"{expression}: {found}"
        return found[0][1] if found else None

    def wait_for_scrapes(self, more):
        """Until every target was scraped so many times more, each from now on."""
        begun = time.time()
        until(lambda: (self.value(f"min(count_over_time(up[{int(time.time() - begun) + 1}s]))") or 0) >= more and time.time() - begun >= more, f"{more} more scrapes")

    def firing(self, alert, **labels):
        """Those alerts of that name that fire, with these labels."""
        return [one for one in self.ask("alerts")["alerts"] if one["state"] == "firing" and one["labels"]["alertname"] == alert and labels.items() <= one["labels"].items()]

    def until_seen(self, expression, what):
        """Waits until a query has a series that is not 0."""
        return until(lambda: any(value != 0 for _, value in self.now(expression)), what)

    def until_scraped(self):
        """Waits until a scrape that began after this call has been stored, and rules have seen it."""
        began = time.time()
        until(lambda: any(value > began + 1 for _, value in self.now("timestamp(up)")), "a later scrape")
