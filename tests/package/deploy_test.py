"""What is shipped beside the programs: manual pages, completions, the container's recipe, Kubernetes' manifests, the packages' files. Cheap; the
packages themselves are tried by `run`, in a bare tree. CONSENTD, CONSENTCTL, CONSENT_MANUAL (the build's folder of pages), CONSENT_SOURCE.
"""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

import yaml

ROOT = pathlib.Path(os.environ["CONSENT_SOURCE"])
CTL, DAEMON, MANUAL = (os.environ[name] for name in ("CONSENTCTL", "CONSENTD", "CONSENT_MANUAL"))
HERE = ROOT / "tests" / "package"
PATIENCE = 60
SCHEMAS = "kubernetes-models@5.1.0"


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=PATIENCE, **more)


@functools.lru_cache(maxsize=None)
def help_of(*words):
    done = run(CTL, *words, "--help")
    assert done.returncode == 0, done
    return done.stdout


def commands_of(page):
    """The words below `Subcommands:` of a page of help."""
    below = page.split("Subcommands:\n")
    return re.findall(r"^  ([a-z][\w-]*)", below[1].split("\n\n")[0], re.M) if len(below) == 2 else []


@functools.lru_cache(maxsize=None)
def all_commands(*words):
    """Each command of consentctl that has no further ones, as --help tells."""
    below = commands_of(help_of(*words))
    return [words] if not below else [command for name in below for command in all_commands(*words, name)]


class Manual(unittest.TestCase):

    def test_every_page_renders_without_a_warning(self):
        pages = sorted(pathlib.Path(MANUAL).glob("*.[18]"))
        self.assertIn("consentd.8", [page.name for page in pages])
        self.assertEqual({page.name for page in pages} - {"consentd.8", "consentctl.1"}, {f"consentctl-{name}.1" for name in commands_of(help_of())})
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        for page in pages:
            self.assertTrue(page.read_text().isascii(), page)
            done = run("groff", "-man", "-Tutf8", "-ww", "-rLL=78n", page)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            plain = re.sub(".\x08", "", done.stdout)
            for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"):
                self.assertIn(heading, plain, page)

    def test_the_pages_have_what_help_has(self):
        for words in all_commands():
            page = (pathlib.Path(MANUAL) / f"consentctl-{words[0]}.1").read_text().replace("\\-", "-")
            for option in set(re.findall(r"^ +(?:-\w,)?(--[a-z][\w-]*)", help_of(*words).split("Options:")[-1], re.M)) - {"--help"}:
                self.assertIn(option, page, words)

    def test_exit_codes_come_from_the_one_table(self):
        root = (pathlib.Path(MANUAL) / "consentctl.1").read_text()
        table = re.findall(r"^\| (\d+) \| ", (ROOT / "client" / "cli" / "README.md").read_text().split("## Exit codes")[1].split("\n## ")[0], re.M)
        self.assertEqual(re.findall(r"^\.TP\n\\fB(\d+)\\fR$", root, re.M), table)
        daemon = (pathlib.Path(MANUAL) / "consentd.8").read_text()
        header = re.findall(r"^  k\w+ = (\d+),", (ROOT / "daemon" / "app" / "exit_codes.h").read_text(), re.M)
        self.assertEqual(re.findall(r"^\.TP\n\\fB(\d+)\\fR$", daemon, re.M), header)

    def test_the_daemons_page_has_each_option(self):
        page = (pathlib.Path(MANUAL) / "consentd.8").read_text().replace("\\-", "-")
        for option in re.findall(r"^  (--[a-z-]+)", run(DAEMON, "serve", "--help").stdout, re.M):
            self.assertIn(option, page)


class Bash(unittest.TestCase):

    def offered(self, *words, script=None, environment=None):
        done = run("bash", HERE / "complete.bash", script or pathlib.Path(MANUAL) / "consentctl.bash", *words, env=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout.split()

    def test_every_command_and_option(self):
        self.assertEqual(sorted(self.offered("consentctl", "")), sorted(commands_of(help_of())))
        for words in all_commands():
            if words[1:]:
                self.assertIn(words[-1], self.offered("consentctl", *words[:-1], words[-1][:1]))
            offered = self.offered("consentctl", *words, "--")
            for option in re.findall(r"^ +(?:-\w,)?(--[a-z][\w-]*)", help_of(*words).split("Options:")[-1], re.M):
                self.assertIn(option, offered, words)
            self.assertIn("--endpoint", offered, "what every command takes")

    def test_names_that_an_option_takes(self):
        self.assertEqual(self.offered("consentctl", "filter", "--purpose", "hum"), ["human-review"])
        self.assertEqual(self.offered("consentctl", "filter", "--purpose", "HUM"), ["HUMAN_REVIEW"])
        self.assertEqual(self.offered("consentctl", "filter", "--purpose", "=", "mod"), ["model-training"])
        self.assertEqual(self.offered("consentctl", "--json", "filter", "--reviewer", "="), ["employee", "contractor"])
        self.assertEqual(self.offered("consentctl", "--endpoint", "unix", ":", "/run/x", "filter", "--reviewer", "c"), ["contractor"])
        self.assertEqual(self.offered("consentctl", "completion", ""), ["bash", "zsh"])
        for words in all_commands():
            for option in re.findall(r"^ +(--[a-z-]+) NAME", help_of(*words), re.M):
                self.assertTrue(self.offered("consentctl", *words, option, ""), (words, option))

    def test_files_and_nothing_where_nothing_is_known(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "recordings.jsonl"
            file.touch()
            self.assertEqual(self.offered("consentctl", "filter", f"{folder}/rec"), [str(file)])
            self.assertEqual(self.offered("consentctl", "filter", "--refused", f"{folder}/rec"), [str(file)])
        self.assertEqual(self.offered("consentctl", "settings", "get", ""), [])
        self.assertEqual(self.offered("consentctl", "filter", "--country", ""), [])

    def test_a_command_behind_the_dashes(self):
        self.assertIn("true", self.offered("consentctl", "worker", "audio", "--", "tru"))

    def test_it_runs_nothing(self):
        script = (pathlib.Path(MANUAL) / "consentctl.bash").read_text()
        self.assertEqual(script, run(CTL, "completion", "bash").stdout, "the package's and the program's own are one")
        self.assertEqual(self.offered("consentctl", "set", environment={"PATH": "/nowhere:/usr/bin:/bin", "CONSENT_ENDPOINT": "unix:/none"}), ["settings"])
        self.assertNotRegex(script, r"\$\(consent|`consent")

    def test_the_daemon(self):
        script = pathlib.Path(MANUAL) / "consentd.bash"
        shown = re.findall(r"^  consentd ([a-z]+)(?: ([a-z][a-z-]+))? ", run(DAEMON, "--help").stdout, re.M)
        self.assertGreater(len(shown), 10)
        self.assertEqual(set(self.offered("consentd", "", script=script)), {command for command, _ in shown}, "all that it says it can")
        for command, _ in shown:
            words = {second for first, second in shown if first == command and second}
            if words:
                self.assertEqual(set(self.offered("consentd", command, "", script=script)), words)
        self.assertIn("--data-dir", self.offered("consentd", "serve", "--d", script=script))


@unittest.skipIf(shutil.which("zsh") is None, "zsh is not installed")
class Zsh(unittest.TestCase):

    def offered(self, line):
        done = run("zsh", "-f", HERE / "complete.zsh", MANUAL, line)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def test_it_parses(self):
        for name in ("_consentctl", "_consentd"):
            done = run("zsh", "-n", pathlib.Path(MANUAL) / name)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_it_completes(self):
        self.assertIn("opt-out", self.offered("consentctl settings o"))
        self.assertIn("human-review", self.offered("consentctl filter --purpose hum"))
        self.assertIn("--refused", self.offered("consentctl filter --ref"))


class Container(unittest.TestCase):
    """The recipe is read, because no image can be pulled where the tests run."""

    def test_its_lines(self):
        text = re.sub(r"\\\n", " ", (ROOT / "deploy" / "Containerfile").read_text())
        lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
        stages = [rest.split()[2] for word, rest in lines if word == "FROM" and " AS " in rest]
        for word, rest in lines:
            self.assertIn(word, {"FROM", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"})
            if word == "COPY" and rest.startswith("--from="):
                self.assertIn(rest.split()[0].removeprefix("--from="), stages)
            elif word == "COPY":
                for source in rest.split()[:-1]:
                    self.assertTrue((ROOT / source).exists(), rest)
            if word in ("ENTRYPOINT", "CMD"):
                self.assertIsInstance(json.loads(rest), list)
        users = [rest for word, rest in lines if word == "USER"]
        self.assertEqual(users, ["900:900"], "a number, for runAsNonRoot")
        check = next(rest for word, rest in lines if word == "HEALTHCHECK")
        self.assertIn("consentctl --timeout 4 status", check)
        self.assertEqual(json.loads(re.search(r"CMD (\[.*\])", check)[1])[:2], ["/bin/sh", "-c"])

    def test_its_health_check(self):
        """The command itself, with a consentctl that ends with each code."""
        text = (ROOT / "deploy" / "Containerfile").read_text()
        command = json.loads(re.search(r"HEALTHCHECK.*?CMD (\[.*?\])$", text, re.M | re.S)[1])
        with tempfile.TemporaryDirectory() as folder:
            stand_in = pathlib.Path(folder) / "consentctl"
            for code, healthy in ((0, True), (51, True), (20, False), (21, False), (64, False), (70, False)):
                stand_in.write_text(f"#!/bin/sh\nexit {code}\n")
                stand_in.chmod(0o755)
                self.assertEqual(run(*command, env={"PATH": f"{folder}:/usr/bin:/bin"}).returncode == 0, healthy, code)


class Kubernetes(unittest.TestCase):

    def setUp(self):
        self.objects = list(yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "consentd.yaml").read_text()))
        self.by_kind = {each["kind"]: each for each in self.objects}
        self.pod = self.by_kind["StatefulSet"]["spec"]["template"]["spec"]
        self.container = self.pod["containers"][0]

    def test_the_settings_are_the_daemons(self):
        known = set(re.findall(r"^#([a-z][a-z-]*) =", (ROOT / "deploy" / "examples" / "consentd.toml").read_text(), re.M))
        config = tomllib.loads(self.by_kind["ConfigMap"]["data"]["consentd.toml"])
        shipped = tomllib.loads((ROOT / "deploy" / "container" / "consentd.toml").read_text())
        packaged = tomllib.loads((ROOT / "deploy" / "debian" / "consentd.toml").read_text())
        for each in (config, shipped, packaged):
            self.assertLessEqual(set(each), known)
        self.assertLess(config["index-max-subjects"] * 100 + (512 + 128 << 20), (4 << 30) * 0.9)
        self.assertEqual(self.container["resources"]["limits"]["memory"], "4Gi")
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        self.assertIn(f"*:{ports['grpc']}", config["listen"])
        self.assertEqual(config["metrics-listen"], f"*:{ports['metrics']}")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as callers:
            callers.write(self.by_kind["ConfigMap"]["data"]["callers.json"])
            callers.flush()
            done = run(DAEMON, "callers", "validate", callers.name)
            self.assertEqual(done.returncode, 0, done)

    def test_what_is_mounted_is_there_and_what_is_named_is_mounted(self):
        volumes = {each["name"] for each in self.pod["volumes"]} | {each["metadata"]["name"] for each in self.by_kind["StatefulSet"]["spec"]["volumeClaimTemplates"]}
        mounted = {mount["name"] for each in (*self.pod["initContainers"], self.container) for mount in each["volumeMounts"]}
        self.assertEqual(volumes, mounted)
        paths = [mount["mountPath"] for mount in self.container["volumeMounts"]]
        config = tomllib.loads(self.by_kind["ConfigMap"]["data"]["consentd.toml"])
        for key in ("policy", "callers", "tls-cert", "tls-key", "tls-client-ca"):
            self.assertTrue(any(config[key].startswith(path + "/") for path in paths), key)

    def test_it_is_confined_and_probed(self):
        self.assertIs(self.pod["enableServiceLinks"], False)
        self.assertIs(self.pod["securityContext"]["runAsNonRoot"], True)
        for each in (*self.pod["initContainers"], self.container):
            context = each["securityContext"]
            self.assertEqual((context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"], context["capabilities"]), (True, False, {"drop": ["ALL"]}))
        self.assertEqual(self.container["livenessProbe"]["httpGet"]["path"], "/livez")
        self.assertEqual(self.container["readinessProbe"]["httpGet"]["path"], "/readyz")
        self.assertEqual(self.by_kind["StatefulSet"]["spec"]["replicas"], 1)

    def test_the_schemas_take_it(self):
        if shutil.which("npm") is None or shutil.which("node") is None:
            self.skipTest("no npm: the schemas cannot be had")
        folder = ROOT / ".cache" / SCHEMAS
        if not (folder / "node_modules" / "kubernetes-models").is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            if run("npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", folder, SCHEMAS).returncode != 0:
                self.skipTest("the npm package kubernetes-models cannot be had")

        def faults(objects):
            return run("node", HERE / "validate_manifests.mjs", cwd=folder, input=json.dumps(objects))

        done = faults(self.objects)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done)
        # The check itself: a wrong type is found. Unknown fields are none to these schemas.
        self.by_kind["StatefulSet"]["spec"]["replicas"] = "one"
        self.assertIn("StatefulSet consentd", faults(self.objects).stdout)


if __name__ == "__main__":
    unittest.main()
