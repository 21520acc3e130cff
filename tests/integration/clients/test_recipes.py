"""client/recipes/README.md word by word: makes stubs for each language, builds the program, and asks a daemon over TLS before and after a yes.

Only with CONSENT_RECIPES=1, which `.ci/run recipes` sets once it has installed the compilers.
"""

import os
import re
import subprocess
import sys
import unittest

from harness import ROOT, DaemonTest
from words import household, turn_on

import consent_client

CTL = os.environ["TEST_CTL"]
BUILD_SECONDS = 280
if os.environ.get("CONSENT_RECIPES") != "1":
    print("skipped: compiles for other languages; .ci/run recipes installs what it needs and runs it", file=sys.stderr)
    sys.exit(77)


class Recipes(DaemonTest):

    def follow(self, title):
        """What the README has its reader type, the question before and after the account's yes."""
        section = (ROOT / "client/recipes/README.md").read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
        build, ask, *_ = re.findall(r"^```\n(.*?)^```$", section, re.M | re.S)
        tls = self.folder / "tls"
        subprocess.run([CTL, "certs", "dev", tls], check=True, capture_output=True)
        served = self.daemon("--listen", "localhost:0", "--policy", ROOT / "deploy/examples/policy-single-adult.json", "--callers", tls / "callers.json",
                             "--tls-cert", tls / "server.pem", "--tls-key", tls / "server-key.pem", "--tls-client-ca", tls / "ca.pem")
        endpoint = "localhost:" + served.wait_for("listening")["address"].split()[0].rpartition(":")[2]
        environment = {**os.environ, "HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache"), "CONSENT_ENDPOINT": endpoint, "CONSENT_CA": str(tls / "ca.pem"),
                       "CONSENT_CERT": str(tls / "sampler.pem"), "CONSENT_KEY": str(tls / "sampler-key.pem")}
        script = f"set -e\n{build}\nset +e\nasked() {{\n{ask}\necho \"ended with $?\"\n}}\nasked\nread -r go\nasked\n"
        process = subprocess.Popen(["bash", "-c", script], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        told = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("ended"):
                break
        else:
            self.fail(process.communicate()[1])
        with consent_client.connect(endpoint, ca=str(tls / "ca.pem"), certificate=str(tls / "backend.pem"), key=str(tls / "backend-key.pem")) as backend:
            etag = backend.subjects.UpsertSubject(household("george", profile="george")).revision
            backend.settings.UpdateSettings(turn_on("george", etag, profile="george"))
        out, err = process.communicate("go\n", timeout=BUILD_SECONDS)
        self.assertEqual("".join(told) + out, "UNKNOWN_SUBJECT\nended with 10\nCONSENT\nended with 0\n", err)

    def test_go(self):
        self.follow("Go")

    def test_java(self):
        self.follow("Java")


if __name__ == "__main__":
    unittest.main()
