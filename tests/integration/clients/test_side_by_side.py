"""An app in Node and a sampler in Python, each with the certificate of its role, beside each other before one daemon over TLS: the examples of both
packages as they are. The page's toggle in all its states, and how long it takes from the tap to the first recording that the sampler lets go.

CONSENT_TAPS: how many taps are measured (5). CONSENT_PAGE_FOLDER: keep the page of each state there as a picture, drawn by chromium.
"""

import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import grpc

import node_package
from harness import PATIENCE, ROOT, DaemonTest, until

import consent_client
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types
from words import fresh_id

CTL = os.environ["TEST_CTL"]
FOLDER = node_package.folder()
TAPS = int(os.environ.get("CONSENT_TAPS", "5"))
PICTURES = os.environ.get("CONSENT_PAGE_FOLDER")
ACCOUNT, GEORGE, IRENE = "account-4711", "george", "irene"
CONTROL = "help_improve"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def end_process(process):
    """However the test ended."""
    process.kill()
    process.wait()
    for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
        with contextlib.suppress(BrokenPipeError):
            stream.close()


class Page:
    """The Node example, and a browser's part before it."""

    def __init__(self, environment):
        self.process = subprocess.Popen(["node", FOLDER / "examples/page.js"], env={**environment, "PAGE_ACCOUNT": ACCOUNT, "PAGE_PORT": "0"},
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.open = urllib.request.build_opener(NoRedirect()).open
        self.shown = ""

    def request(self, path="", language="en", form=None, **headers):
        """Status and page."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        asked = urllib.request.Request(self.url + path, data, {"accept-language": language, **headers})
        try:
            with self.open(asked, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def look(self, language="en"):
        status, self.shown = self.request(language=language)
        assert status == 200, (status, self.process.poll())
        return self

    def section(self):
        return re.search(rf'<section id="{CONTROL}">.*?</section>', self.shown, re.S)[0]

    def state(self):
        return re.search(r'class="state (\w+)">([^<]*)<', self.section()).groups()

    def why(self):
        return re.findall(r"<li>(.*?)</li>", self.section())

    def tap(self, turn, **headers):
        """Presses the button that the page shows, with what stands in its form."""
        form = next(one for one in re.findall(r"<form.*?</form>", self.section(), re.S) if f'name="turn" value="{turn}"' in one)
        return self.request("turn", form=dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)), **headers)

    def end(self):
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE)[1]


class Sampler:
    """The Python example. `ask` gives it a recording made now and says whether it passed."""

    def __init__(self, environment, folder):
        self.refused = folder / "refused"
        os.mkfifo(self.refused)
        self.process = subprocess.Popen([sys.executable, ROOT / "client/python/examples/sampler.py", "--country", "DE", "--reviewer", "EMPLOYEE", "--refused", self.refused],
                                        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.passed = threading.Condition()
        self.results, self.count = {}, 0
        self.readers = [threading.Thread(target=self.read, args=(open_, yes), daemon=True)
                        for open_, yes in ((lambda: self.process.stdout, True), (lambda: open(self.refused, "rb"), False))]
        for reader in self.readers:
            reader.start()

    def read(self, open_, yes):
        with open_() as lines:
            for line in lines:
                told = json.loads(line)
                with self.passed:
                    self.results[told["recording_id"]] = (yes, told.get("reasons"))
                    self.passed.notify_all()

    def put(self, name, profile=GEORGE):
        line = {"recording_id": name, "account_id": ACCOUNT, "captured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(), "captured_uncertainty_ms": 0,
                "profile_ids": [profile], "wake": "BUTTON", "kind": "COMMAND", "speakers": "ONE", "identity": "MATCHED", "age": "ADULT"}
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, profile=GEORGE):
        self.count += 1
        name = f"recording-{self.count}"
        self.put(name, profile)
        with self.passed:
            assert self.passed.wait_for(lambda: name in self.results, PATIENCE), self.process.poll()
            return self.results[name]

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=PATIENCE)
        for reader in self.readers:
            reader.join(PATIENCE)
        self.process.stdout = None  # its reader closed it
        return code, self.process.stderr.read().decode()


class TwoPackages(DaemonTest):

    def setUp(self):
        super().setUp()
        self.tls = self.folder / "tls"
        subprocess.run([CTL, "certs", "dev", self.tls], check=True, capture_output=True)
        self.served = self.daemon("--listen", "localhost:0", "--callers", self.tls / "callers.json", "--tls-cert", self.tls / "server.pem",
                                  "--tls-key", self.tls / "server-key.pem", "--tls-client-ca", self.tls / "ca.pem")
        port = self.served.wait_for("listening")["address"].split()[0].rpartition(":")[2]
        self.endpoint = f"localhost:{port}"
        with self.backend() as backend:
            backend.subjects.UpsertSubject(subject.UpsertSubjectRequest(account_id=ACCOUNT, region="DE", request_id=fresh_id(), profiles=[self.adult(GEORGE)]))

    @staticmethod
    def adult(profile):
        return subject.Profile(profile_id=profile, age=subject.Age(adult=True))

    def environment(self, role):
        """As somebody who plays this role sets it, and nothing of this process's own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT")}
        return {**kept, "CONSENT_ENDPOINT": self.endpoint, "CONSENT_CA": str(self.tls / "ca.pem"), "CONSENT_CERT": str(self.tls / f"{role}.pem"),
                "CONSENT_KEY": str(self.tls / f"{role}-key.pem")}

    def backend(self):
        return consent_client.connect(self.endpoint, ca=str(self.tls / "ca.pem"), certificate=str(self.tls / "backend.pem"), key=str(self.tls / "backend-key.pem"))

    def page(self):
        page = Page(self.environment("backend"))
        self.addCleanup(end_process, page.process)
        return page

    def sampler(self):
        sampler = Sampler(self.environment("sampler"), self.folder)
        self.addCleanup(end_process, sampler.process)
        return sampler

    def picture(self, page, name):
        if PICTURES is None:
            return
        pathlib.Path(PICTURES).mkdir(parents=True, exist_ok=True)
        html = self.folder / f"{name}.html"
        html.write_text(page.shown)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=800,1500", f"--screenshot={PICTURES}/{name}.png", html.as_uri()],
                       check=True, capture_output=True, timeout=PATIENCE)

    def test_the_toggle_and_the_sampler(self):
        page, sampler = self.page(), self.sampler()
        self.assertEqual(page.look("de").state(), ("OFF", "Aus"))
        self.assertIn("Helfen, den Assistenten zu verbessern", page.section())
        self.assertIn("Menschen hören einige Ihrer Aufnahmen an", page.section())
        self.assertIn("Wie wir Sprachaufnahmen nutzen, wenn Sie zustimmen", page.section())
        self.picture(page, "off-de")
        self.assertEqual(page.look().state(), ("OFF", "Off"))
        self.assertIn("People listen to some of your recordings", page.section())
        passed, reasons = sampler.ask()
        self.assertFalse(passed)
        self.assertIn("NO_CONSENT", reasons)

        self.assertEqual(page.tap("on")[0], 303)
        self.assertEqual(page.look().state(), ("ON", "On"))
        self.assertIn("Your yes holds until", page.section())
        self.picture(page, "on")
        self.assertEqual(sampler.ask(), (True, None))

        self.move_in(IRENE)
        self.assertEqual(page.look("de").state(), ("PARTIAL", "Teilweise ein"))
        self.assertEqual(len(page.why()), 1, page.section())
        self.assertIn("irene hat nicht zugestimmt", page.why()[0])
        self.assertEqual(page.look().why(), ["irene has not agreed (people listen, new features)"])
        self.picture(page, "partial")
        self.assertTrue(sampler.ask(GEORGE)[0])
        passed, reasons = sampler.ask(IRENE)
        self.assertFalse(passed)
        self.assertIn("PROFILE_WITHOUT_CONSENT", reasons)

        self.assertEqual(page.tap("off")[0], 303)
        self.assertEqual(page.look().state(), ("OFF", "Off"))
        self.assertEqual(sampler.ask(), (False, ["WITHDRAWN"]))
        self.assertEqual(page.end(), "", "the page tells its log nothing")
        code, told = sampler.end()
        self.assertEqual((code, told), (0, "sampler: 2 eligible, 3 refused, 0 unreadable\n"))

    def move_in(self, profile):
        with self.backend() as backend:
            etag = backend.subjects.GetSubject(subject.GetSubjectRequest(account_id=ACCOUNT)).etag
            moved = backend.subjects.UpsertSubject(subject.UpsertSubjectRequest(
                account_id=ACCOUNT, profiles=[self.adult(profile)], etag=etag, request_id=fresh_id(), evidence=types.Evidence(channel=types.CHANNEL_APP, actor=types.ACTOR_SELF)))
            self.assertTrue(all(part.applied for part in moved.results), moved)

    def test_from_the_tap_to_the_first_refused_answer(self):
        page, sampler = self.page(), self.sampler()
        first, acknowledged = [], []
        for _ in range(TAPS):
            self.assertEqual(page.look().tap("on")[0], 303)
            self.assertTrue(sampler.ask()[0])
            page.look()
            times = {}

            def tap():
                times["tap"] = time.monotonic()
                times["status"] = page.tap("off")[0]
                times["acknowledged"] = time.monotonic()

            tapping = threading.Thread(target=tap)
            tapping.start()
            asked = []  # when, and how it was answered
            while not asked or asked[-1][2]:
                asked.append((time.monotonic(), *reversed((sampler.ask()[0], time.monotonic()))))
            tapping.join()
            self.assertEqual(times["status"], 303)
            late = [one for one in asked if one[0] > times["acknowledged"] and one[2]]
            self.assertEqual(late, [], "a recording passed that was asked about after the page had said that it is off")
            first.append((asked[-1][1] - times["tap"]) * 1000)
            acknowledged.append((times["acknowledged"] - times["tap"]) * 1000)
            self.assertFalse(sampler.ask()[0])
        print(f"from the tap on the page to the sampler's first refused answer: median {statistics.median(first):.1f} ms, most {max(first):.1f} ms; the page had answered "
              f"after {statistics.median(acknowledged):.1f} ms, most {max(acknowledged):.1f} ms ({TAPS} taps)", file=sys.stderr)

    def test_what_the_page_refuses_and_what_it_cannot_do(self):
        page = self.page().look()
        self.assertEqual(page.tap("on", origin="https://elsewhere.example")[0], 403)
        self.assertEqual(page.request("turn", form={"turn": "off", "control": "x" * 5000})[0], 400)
        self.assertEqual(page.request("../etc")[0], 404)
        self.assertEqual(page.look().state()[0], "OFF")
        # Somebody else changes something after the page was looked at: the yes belongs to what was seen.
        before = page.shown
        self.move_in(IRENE)
        page.shown = before
        status, shown = page.tap("on")
        self.assertEqual(status, 409)
        self.assertIn("Something was changed meanwhile", shown)
        self.assertEqual(page.look().state()[0], "OFF")
        self.assertEqual(self.served.stop(), 0)
        self.assertEqual(page.request("turn", form={"turn": "off", "control": CONTROL})[0], 502)
        told = page.end()
        self.assertIn("page: ETAG_MISMATCH", told)
        for name in (ACCOUNT, GEORGE, IRENE):
            self.assertNotIn(name, told)

    def test_a_sampler_lets_nothing_through_without_an_answer(self):
        page, sampler = self.page().look(), self.sampler()
        page.tap("on")
        self.assertTrue(sampler.ask()[0])
        self.assertEqual(self.served.stop(), 0)
        before = dict(sampler.results)
        sampler.put("last")
        self.assertEqual(sampler.process.wait(timeout=PATIENCE), 1)
        self.assertIn(b"no answer, nothing of this batch passes: UNAVAILABLE", sampler.process.stderr.read())
        self.assertEqual(sampler.results, before)

    def typed(self, readme, begins):
        """The fence of a README that begins so, for this daemon and not the one that the reader has."""
        fences = re.findall(r"^```\w*\n(.*?)^```$", (ROOT / readme).read_text(encoding="utf-8"), re.M | re.S)
        block = next(fence for fence in fences if fence.startswith(begins))
        self.assertIn("localhost:7443", block)
        return block.replace("localhost:7443", self.endpoint).replace("PAGE_PORT=8080", "PAGE_PORT=0").replace("=george ", f"={ACCOUNT} ")

    def as_a_reader(self, block, folder, **options):
        home = self.folder / "home"
        (home / "consent-trial").mkdir(parents=True)
        (home / "consent-trial" / "tls").symlink_to(self.tls)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONSENT", "PYTHONPATH"))}
        return subprocess.Popen(["bash", "-ec", block], cwd=folder, env={**clean, "HOME": str(home)}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def test_the_samplers_readme(self):
        tree = self.folder / "tree"
        (tree / "client").mkdir(parents=True)
        (tree / "client/python").symlink_to(ROOT / "client/python")
        top = (ROOT / "README.md").read_text(encoding="utf-8")
        (tree / "recordings.jsonl").write_text(re.search(r"recordings.jsonl <<'END'\n(.*?)^END$", top, re.M | re.S)[1])
        process = self.as_a_reader(self.typed("client/python/README.md", "client/python/generate_stubs.py"), tree)
        self.addCleanup(end_process, process)
        out, told = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out, told), (0, "", "sampler: 0 eligible, 2 refused, 0 unreadable\n"))
        self.assertEqual(len((tree / "why-not.jsonl").read_text().splitlines()), 2)

    def test_the_pages_readme(self):
        process = self.as_a_reader(self.typed("client/node/README.md", "export CONSENT_ENDPOINT").replace("PAGE_ACCOUNT", "exec env PAGE_ACCOUNT"), FOLDER)
        self.addCleanup(end_process, process)
        with urllib.request.urlopen(process.stdout.readline().strip(), timeout=PATIENCE) as page:
            self.assertIn("Help improve the assistant", page.read().decode())

    def become(self, role):
        """Puts the role's certificate and key in the place of what was there, as somebody who renews them does."""
        mine = self.folder / "mine"
        mine.mkdir(exist_ok=True)
        for name in (f"{role}.pem", f"{role}-key.pem"):
            shutil.copyfile(self.tls / name, mine / "new")
            (mine / "new").rename(mine / name.replace(role, "own"))
        return str(mine / "own.pem"), str(mine / "own-key.pem")

    def renew(self, outcome):
        """Who asks with a client that is already there, while its files are replaced by those of another role. `outcome` asks as a backend."""
        self.assertEqual(outcome(), "ROLE_REQUIRED")
        self.become("backend")
        until(lambda: outcome() == "OK", "the backend's certificate being shown")
        (self.folder / "mine/own-key.pem").write_text("no key")
        end = time.monotonic() + 1.5  # longer than the second after which the files are looked at again
        while time.monotonic() < end:
            self.assertEqual(outcome(), "OK", "what is no good is not taken")
            time.sleep(0.02)  # as often as nobody's limit minds

    def test_certificates_that_are_renewed_in_python(self):
        certificate, key = self.become("sampler")
        with consent_client.connect(self.endpoint, ca=str(self.tls / "ca.pem"), certificate=certificate, key=key) as client:
            def outcome():
                try:
                    client.subjects.GetSubject(subject.GetSubjectRequest(account_id=ACCOUNT))
                except grpc.RpcError as error:
                    return consent_client.error_of(error).reason
                return "OK"
            self.renew(outcome)

    def test_certificates_that_are_renewed_in_node(self):
        certificate, key = self.become("sampler")
        script = """const { connect, errorOf } = require(process.argv[1]);
          const client = connect();
          require("readline").createInterface({ input: process.stdin }).on("line", (account_id) => client.subjects.getSubject({ account_id })
            .then(() => console.log("OK"), (error) => console.log(errorOf(error).reason)));"""
        process = subprocess.Popen(["node", "-e", script, FOLDER], env={**self.environment("sampler"), "CONSENT_CERT": certificate, "CONSENT_KEY": key}, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(end_process, process)

        def outcome():
            process.stdin.write(ACCOUNT + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()
        self.renew(outcome)


if __name__ == "__main__":
    unittest.main()
