"""README.md's minutes as a new user follows them, word for word, and the client on another host: a network namespace with a wire between.

The daemon's host is a namespace as well, so the ports that the README names collide with nobody's. Needs the right to make namespaces (root, or user
namespaces); else skipped. TEST_CTL is consentctl.
"""

import os
import pathlib
import re
import subprocess
import unittest

from harness import DAEMON, PATIENCE, ROOT, DaemonTest, clean_environment

CTL = os.environ.get("TEST_CTL")
NEAR, FAR = "10.77.0.1", "10.77.0.2"
NAMESPACES = ["unshare", "--net", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",))]

# What makes the two hosts. `there` runs a command on the other one, in the folder $THERE. The name that the README uses is in each one's /etc/hosts.
HOSTS = f"""
set -eu
PATH=$PATH:/usr/sbin:/sbin
echo '127.0.0.1 localhost' >"$WORK/hosts"
echo '{NEAR} consent.example' >>"$WORK/hosts"
mount --bind "$WORK/hosts" /etc/hosts
ip link set lo up
mkfifo "$WORK/lives"
unshare --net --mount cat "$WORK/lives" & other=$!
exec 9>"$WORK/lives"  # the other host goes with this shell
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add near type veth peer name far
ip link set far netns $other
ip address add {NEAR}/24 dev near
ip link set near up
there() {{ nsenter --target $other --net --mount --wd="$THERE" "$@"; }}
there ip link set lo up
there ip address add {FAR}/24 dev far
there ip link set far up
disown $other
set +eu
"""


def blocks(title):
    """What a section of README.md has its reader type, fence by fence."""
    section = (ROOT / "README.md").read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.M | re.S)


@unittest.skipIf(CTL is None, "needs consentctl")
class OtherHost(DaemonTest):

    def setUp(self):
        super().setUp()
        if subprocess.run([*NAMESPACES, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far"], capture_output=True, check=False,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}).returncode != 0:
            self.skipTest("needs the right to make network namespaces")
        # As deploy/quickstart leaves it: the README's first line takes the programs from there.
        self.tree, self.there = self.folder / "tree", self.folder / "there"
        programs = self.tree / ".build" / "release" / "bin"
        for folder in (programs, self.there, self.folder / "home"):
            folder.mkdir(parents=True)
        for program in (DAEMON, CTL):
            (programs / pathlib.Path(program).name).symlink_to(program)
        (self.tree / "deploy").symlink_to(ROOT / "deploy")

    def run_script(self, *parts):
        """What each part wrote, and how it ended."""
        marked = "".join(f"echo; echo '=== {number}'\n{part}\ncode=$?; echo; echo \"--- $code\"\n" for number, part in enumerate(parts))
        script = HOSTS + marked + "for job in $(jobs -p); do kill $job; done; wait\n"
        environment = {name: value for name, value in clean_environment().items() if not name.startswith("CONSENT_")}
        environment.update(HOME=str(self.folder / "home"), WORK=str(self.folder), THERE=str(self.there))
        done = subprocess.run([*NAMESPACES, "bash", "-c", script], cwd=self.tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=2 * PATIENCE, check=False)
        found = re.findall(r"^=== \d+\n(.*?)\n--- (\d+)$", done.stdout, re.M | re.S)
        self.assertEqual(len(found), len(parts), done.stdout)
        return [(text, int(code)) for text, code in found]

    def test_the_minutes(self):
        first, second = blocks("Your own recordings, in a minute"), blocks("From other hosts, over TLS")
        *here, elsewhere = second
        tls = self.folder / "home" / "consent-trial" / "tls"
        # What the README asks to be taken along, and nothing else; and somebody new of whom people may hear something.
        carry = f"cp {tls}/ca.pem {tls}/sampler.pem {tls}/sampler-key.pem '{self.there}'"
        irene = ("sed 's/george/irene/g' people.jsonl | grep irene >new.jsonl && consentctl import new.jsonl && "
                 f"sed 's/george/irene/; s/\"r1\"/\"r3\"/' recordings.jsonl >'{self.there}/recordings.jsonl'")
        there = self.there / "elsewhere"
        there.write_text(elsewhere)
        as_sampler = f"there env {' '.join(elsewhere.splitlines()[0].split()[1:])}"
        parts = [*first, *here, irene, carry, "there bash elsewhere",
                 f"{as_sampler} consentctl settings opt-out irene --all",
                 f"there env CONSENT_ENDPOINT={NEAR}:7443 CONSENT_CA=ca.pem CONSENT_CERT=sampler.pem CONSENT_KEY=sampler-key.pem consentctl --timeout 5 policy show",
                 "there env -u CONSENT_ENDPOINT consentctl --endpoint consent.example:7443 policy show"]
        results = self.run_script(*parts)
        shown = "\n".join(text for text, _ in results)
        opened, people, filtered, tapped, *_ = results
        self.assertNotIn("cannot", opened[0])
        self.assertEqual(people[1], 0, people)
        self.assertRegex(filtered[0], r"(?m)^eligible +1$")
        self.assertRegex(filtered[0], r"(?m)^0$")
        self.assertRegex(tapped[0], r"(?m)^control\thelp_improve\tON\t")
        self.assertNotIn("unreached", tapped[0])
        over_tls = results[len(first)]
        self.assertRegex(over_tls[0], r"(?m)^0$")
        self.assertIn("consentctl: ROLE_REQUIRED", over_tls[0])
        self.assertEqual(over_tls[1], 0, "the backend's opt-out is done")
        asked, denied, misnamed, bare = results[-4:]
        self.assertRegex(asked[0], r"(?m)^eligible +1$", shown)
        self.assertEqual(asked[1], 0, asked)
        self.assertIn("ROLE_REQUIRED", denied[0])
        self.assertNotEqual(denied[1], 0)
        self.assertIn("does not name the endpoint's host", misnamed[0])
        self.assertIn("--ca, --cert, --key", bare[0])
        self.assertEqual({path.name for path in self.there.iterdir()}, {"ca.pem", "sampler.pem", "sampler-key.pem", "recordings.jsonl", "elsewhere"})


if __name__ == "__main__":
    unittest.main()
