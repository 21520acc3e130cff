"""A host for one consentd, as the package leaves it: namespaces of its own, a tree of its own below which /usr is the machine's, the unit's user, and a
stand-in for systemctl (tests/package/service). What a page of the handbook has its reader type is typed there as root, block by block.
"""

import os
import pathlib
import re
import shutil
import subprocess
import time
import unittest

from harness import DAEMON, ROOT, DaemonTest, until

CTL = os.environ.get("TEST_CTL")
PAGES = ROOT / "deploy" / "handbook"
PATIENCE = 120

SETUP = r"""
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$TREE"
mkdir -p usr proc dev tmp run root mnt etc/consentd var/lib/consentd var/log home opt/bin srv
mount --rbind -o ro /usr usr
for each in bin sbin lib lib32 lib64 libx32; do [ ! -L "/$each" ] || cp -P "/$each" .; done
cp -a /etc/. etc/
rm -rf etc/consentd
mkdir -p etc/consentd
mount --rbind /dev dev
mount -t proc proc proc
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=700,size="$DISK" disk var/lib/consentd
mount --bind "$CARRIED" mnt
echo "consentd:x:$USER_ID:" >>etc/group
echo "consentd:x:$USER_ID:$USER_ID::/var/lib/consentd:/usr/sbin/nologin" >>etc/passwd
printf '127.0.0.1 localhost\n127.0.0.1 consent.example\n' >"$TREE/hosts"
mount --bind "$TREE/hosts" etc/hosts
chown "$USER_ID:$USER_ID" var/lib/consentd
for each in "$DAEMON" "$CTL"; do
  touch "opt/bin/${each##*/}"
  mount --bind "$each" "opt/bin/${each##*/}"
done
cp "$ROOT/deploy/debian/consentd.toml" "$ROOT/deploy/policy.json" etc/consentd/
sed 's#^ExecStart=/usr/bin/#ExecStart=/opt/bin/#' "$ROOT/deploy/systemd/consentd.service" >opt/consentd.service
sed 's#^unit=[^ ]*#unit=/opt/consentd.service#' "$ROOT/tests/package/service" >opt/service
cat >opt/bin/systemctl <<'END'
#!/bin/sh
# As a unit of Type=notify: started is what serves, and what has ended is not there any more.
case "$1 ${2-}" in "disable --now") set -- stop consentd ;; "enable --now") set -- start consentd ;; esac
lives() { [ -f /run/consentd.pid ] && kill -0 "$(cat /run/consentd.pid)" 2>/dev/null; }
lives || rm -f /run/consentd.pid
/opt/service "$@" || { code=$?; rm -f /run/consentd.pid; exit $code; }
case "$1" in start|restart) ;; *) exit 0 ;; esac
until curl -sf -o /dev/null http://127.0.0.1:9464/readyz; do
  lives || { cat /run/consentd.log; exit 1; }
  sleep 0.1
done
END
printf '#!/bin/sh\nexec cat /run/consentd.log\n' >opt/bin/journalctl
chmod 755 opt/service opt/bin/systemctl opt/bin/journalctl
ip link set lo up
echo ready
sleep infinity & while :; do wait $! || :; done  # not exec: the first process buries those whose parents are gone
"""


def fences(page):
    """The blocks of a page that are typed on the host, in their order."""
    return re.findall(r"^```sh\n(.*?)^```$", (PAGES / page).read_text(), re.M | re.S)


class Host:
    """One host. Whatever runs there ends with it."""

    def __init__(self, test, name, disk="256m", user_id=955, environment=()):
        self.tree = test.folder / name
        self.tree.mkdir()
        self.carried = test.folder / "carried"  # a disk that people carry from host to host
        self.carried.mkdir(exist_ok=True)
        variables = {"TREE": self.tree, "DISK": disk, "USER_ID": user_id, "CARRIED": self.carried, "ROOT": ROOT, "DAEMON": DAEMON, "CTL": CTL}
        self.process = subprocess.Popen(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private", "bash", "-c", SETUP],
                                        env={**os.environ, **{key: str(value) for key, value in variables.items()}}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        test.addCleanup(self.end)
        line = self.process.stdout.readline()
        if line != "ready\n":
            test.skipTest(f"needs root, and the right to make namespaces: {line.strip()}")
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.root = pathlib.Path(f"/proc/{children[0]}/root{self.tree}")
        self.enter = ["nsenter", "--target", children[0], "--mount", "--net", "--pid", "chroot", str(self.tree), "/usr/bin/env", "-i",
                      "PATH=/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
                      "CONSENT_ENDPOINT=unix:/run/consentd/consentd.sock"]
        with open(self.tree / "opt" / "consentd.service", "a", encoding="utf-8") as unit:
            unit.writelines(f"Environment={each}\n" for each in environment)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def type(self, text, folder="/root", **variables):
        """What was printed, and the code."""
        command = [*self.enter, *(f"{key}={value}" for key, value in variables.items()), "bash", "-euo", "pipefail", "-c", f"cd {folder}\n{text}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=False)
        return done.stdout, done.returncode

    def path(self, absolute):
        """Of a file there, for this process: what is mounted there is seen through the host's own processes."""
        return self.root / absolute.lstrip("/")


@unittest.skipIf(CTL is None, "needs consentctl")
@unittest.skipUnless(os.geteuid() == 0, "needs root")
class HandbookTest(DaemonTest):
    """A page, typed block by block; at the end none is left over."""

    page = ""

    def setUp(self):
        super().setUp()
        self.left = fences(self.page) if self.page else []
        self.spent = 0.0

    def host(self, name="host", **options):
        made = Host(self, name, **options)
        self.must(made, "systemctl start consentd")
        return made

    def must(self, host, text, code=0, **variables):
        out, ended = host.type(text, **variables)
        self.assertEqual(ended, code, f"$ {text}\n{out}")
        return out

    def next(self, host, code=0, **variables):
        """Types the page's next block; what it printed."""
        self.assertTrue(self.left, f"{self.page} has no further block")
        began = time.monotonic()
        out = self.must(host, self.left.pop(0), code, **variables)
        self.spent += time.monotonic() - began
        return out

    def end_of_page(self):
        self.assertEqual(self.left, [], f"{self.page} has blocks that nobody typed")
        print(f"{self.page}: the commands took {self.spent:.0f} s", flush=True)

    def opt_out(self, host, *accounts):
        for account in accounts:
            self.must(host, f"consentctl settings opt-out {account} --all")

    def expect_refused(self, host, account):
        self.assertIn("REFUSED", self.must(host, f"consentctl settings get {account}"))

    def copy(self, host, *files, into="/root"):
        for file in files:
            shutil.copy(file, host.path(into))


__all__ = ["Host", "HandbookTest", "PAGES", "fences", "until"]
