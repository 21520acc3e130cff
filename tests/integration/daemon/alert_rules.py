"""The shipped rules and runbooks, and promtool."""

import pathlib
import re
import shutil
import subprocess
import sys

try:
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

from harness import ROOT

RULES = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "deploy" / "runbooks"
METRICS = ROOT / "daemon" / "ops" / "README.md"
FILES = ("consentd.officer.yml", "consentd.operator.yml")
for program in ("promtool", "prometheus"):
    if shutil.which(program) is None:
        print(f"skipped: {program} is not installed", file=sys.stderr)
        sys.exit(77)


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
