"""Every page of deploy/handbook, typed as it stands; see README.md."""

import json
import os
import pathlib
import re
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration" / "daemon"))

from certificates import Authority
from harness import ROOT
from host import PAGES, HandbookTest, fences, until

HOME = "/root"  # where a page's reader begins
CLOCK_SHIM = os.environ.get("TEST_CLOCK_SHIM")
# Blocks that no class below types, with who does or why nobody does.
TYPED_ELSEWHERE = {"upgrade.md": "tests/package/inside, with real packages", "README.md": "has none"}
REGISTER = ("""echo '{"account_id": "george", "region": "GR", "profiles": [{"profile_id": "george", "age": "ADULT"}], "choices": """
            """[{"control": "help_improve", "turn": "ON", "notice_version": "2026-01-past", "notice_language": "en"}]}' | consentctl import -""")
CHECK = ("consentctl check --purpose human-review --account %s --recording r1 --profile george --captured-at 2020-07-01T16:19:56Z --wake button --kind command "
         "--speakers one --identity matched --age adult --country DE --reviewer employee")


class Pages(unittest.TestCase):

    def test_no_page_is_left_out(self):
        typed = {each.page for each in globals().values() if isinstance(each, type) and issubclass(each, HandbookTest) and each.page}
        self.assertEqual({path.name for path in PAGES.iterdir()}, typed | set(TYPED_ELSEWHERE))
        self.assertFalse(fences("README.md"))
        self.assertIn("upgrade.md", (ROOT / "tests/package/run").read_text())

    def test_every_link_leads_somewhere_and_every_page_is_in_the_table(self):
        for page in PAGES.iterdir():
            for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
                self.assertTrue((PAGES / link).exists(), f"{page.name}: {link}")
        index = (PAGES / "README.md").read_text()
        for page in PAGES.iterdir():
            self.assertTrue(page.name == "README.md" or f"({page.name})" in index, page.name)


class Keys(HandbookTest):
    page = "keys.md"

    def test_the_page(self):
        host = self.host()
        self.must(host, REGISTER)
        self.opt_out(host, "lucas")
        self.next(host)  # a copy
        first = host.path("/var/lib/consentd/escrow/keys-1").read_bytes()
        self.assertEqual(first, host.path("/var/lib/consentd/store.key").read_bytes())
        self.next(host)  # another master key, and its copy
        self.opt_out(host, "meanwhile")
        self.next(host)  # everything comes under it
        shown = self.next(host)  # the old one goes
        self.assertRegex(shown, r"(?m)^master-key\t2\t")
        self.assertNotRegex(shown.splitlines()[-1], r"^master-key\t1\t")

        # A key file of before is refused, and says what to do.
        host.path("/var/lib/consentd/store.key").write_bytes(first)
        self.must(host, "systemctl stop consentd")
        out, code = host.type("systemctl start consentd")
        self.assertNotEqual(code, 0)
        self.assertIn("it is a copy of before a rotation", out)
        # Lost, with a copy.
        host.path("/var/lib/consentd/store.key").unlink()
        out, code = host.type("systemctl start consentd")
        self.assertNotEqual(code, 0)
        self.assertIn("is missing beside the store", out)
        shown = self.next(host)
        self.assertRegex(shown, r"(?m)^master-key\t2\t")
        for account in ("lucas", "meanwhile"):
            self.expect_refused(host, account)
        self.assertIn("george", self.must(host, "consentctl subject get george"))

        # Lost, without one: what the page says of it.
        host.path("/var/lib/consentd/store.key").unlink()
        self.assertIn("george", self.must(host, "consentctl subject get george"), "the daemon that runs goes on")
        self.next(host)
        self.assertIn("UNKNOWN_SUBJECT", self.must(host, CHECK % "george", code=10))
        self.assertIn("KEEP", self.must(host, "consentctl check --disposition --account george --recording r1 --captured-at 2020-07-01T16:19:56Z", code=11))
        self.leaks(host)
        self.end_of_page()

    def leaks(self, host):
        """The whole key file, of a store with somebody in it."""
        self.must(host, REGISTER)
        self.opt_out(host, "lucas")
        deletion = json.loads(self.must(host, "consentctl --json delete irene --everything"))
        settings = json.loads(self.must(host, "consentctl --json settings get george"))
        leaked = host.path("/var/lib/consentd/store.key").read_bytes()
        said = self.next(host)
        self.assertRegex(said, r"copied \d+ changes")
        self.next(host)
        self.expect_refused(host, "lucas")
        moved = json.loads(self.must(host, "consentctl --json settings get george"))
        self.assertNotEqual(moved.pop("etag"), settings.pop("etag"))
        self.assertEqual(moved, settings)
        self.assertIn("irene", self.must(host, f"consentctl requests show {deletion['request']['deletion_id']}"))
        self.assertEqual(host.path("/var/lib/consentd/escrow/keys-new").read_bytes(), host.path("/var/lib/consentd/store.key").read_bytes())
        # The leaked file opens nothing: no daemon serves the new store under it.
        host.path("/var/lib/consentd/store.key").write_bytes(leaked)
        self.must(host, "systemctl stop consentd")
        out, code = host.type("systemctl start consentd")
        self.assertNotEqual(code, 0)
        self.assertIn("key", out)
        host.path("/var/lib/consentd/store.key").write_bytes(host.path("/var/lib/consentd/escrow/keys-new").read_bytes())
        self.must(host, "systemctl start consentd")
        self.expect_refused(host, "lucas")


class Kept(HandbookTest):
    """A host whose store is backed up, and what an operator carries off it."""

    def set_up_backups(self, host):
        for block in fences("backup.md")[:2]:
            self.must(host, block)
        self.carry(host)

    def carry(self, host):
        """Key file and secret, on a disk that people carry."""
        for name in ("/var/lib/consentd/store.key", f"{HOME}/consentd-backup.secret"):
            (self.folder / "carried" / pathlib.Path(name).name).write_bytes(host.path(name).read_bytes())

    def backups(self, host):
        return sorted(path.name for path in host.path("/srv/backups").iterdir())


class Backup(Kept):
    page = "backup.md"

    def test_the_page(self):
        host = self.host()
        self.must(host, REGISTER)
        self.next(host)
        self.assertIn("restriction journal", host.path("/run/consentd.log").read_text())
        self.assertEqual(len(self.backups(host)), 1)
        self.opt_out(host, "lucas")
        listed = self.next(host)
        self.assertEqual(listed.count("KEPT"), 2, listed)
        self.opt_out(host, "meanwhile")
        said = self.next(host)
        self.assertIn("nothing is wrong", said)
        # Each later than the last backup but one, so that it may be lost, too.
        self.assertRegex(said, r"(?m)^  opt_out 2$")
        self.end_of_page()


class LostDisk(Kept):
    page = "lost-disk.md"

    def test_the_page(self):
        host = self.host()
        self.must(host, REGISTER)
        self.set_up_backups(host)
        self.opt_out(host, "lucas")
        asked = json.loads(self.must(host, "consentctl --json delete lucas --everything --verified --yes"))["request"]["deletion_id"]
        self.must(host, REGISTER.replace("george", "irene"))
        self.must(host, "pkill -9 consentd; rm -rf /var/lib/consentd/store* /etc/consentd/nothing; rm -f /run/consentd.pid")
        carried = {"KEYS": "/mnt/store.key", "SECRET": "/mnt/consentd-backup.secret"}
        looked = self.next(host)
        self.assertIn("KEPT", looked)
        said = self.next(host, **carried)
        self.assertIn("moving the store into place", said)
        self.assertNotIn("NEEDS_IDS", said)
        self.next(host)
        self.expect_refused(host, "lucas")
        self.assertIn("GIVEN", self.must(host, "consentctl settings get george"))
        self.assertNotIn("GIVEN", host.type("consentctl settings get irene")[0], "a yes that is lost is not guessed")
        self.assertIn(asked, self.must(host, "consentctl requests list"))
        self.assertEqual(host.path("/var/lib/consentd/store").stat().st_uid, 955)

        # Once more, and the journal's disk is gone as well.
        self.must(host, REGISTER.replace("george", "kostas"))
        self.must(host, "pkill -9 consentd; rm -rf /var/lib/consentd/store* /srv/journal/*; rm -f /run/consentd.pid; install -m 600 /mnt/store.key /var/lib/consentd/store.key")
        shown = self.next(host, BACKUP=f"/srv/backups/{self.backups(host)[-1]}")
        etag = re.search(r"(?m)^suspension\t.*all \(restored\).*$", shown)
        self.assertIsNotNone(etag, shown)
        self.assertIn("RESTORED", self.must(host, CHECK % "george", code=10))
        for user, number in (("ann", 2001), ("ben", 2002)):
            self.must(host, f"echo '{user}:x:{number}:955::/root:/bin/sh' >>/etc/passwd")
        listed = json.loads(self.must(host, "consentctl --json policy show"))["suspensions"]
        self.next(host, OFFICER="ann", SECOND="ben", ETAG=next(one for one in listed if one["active"])["etag"])
        self.assertNotIn("RESTORED", self.must(host, CHECK % "george", code=10))
        self.assertIn("GIVEN", self.must(host, "consentctl settings get george"))
        self.expect_refused(host, "lucas")
        self.end_of_page()


class FullDisk(HandbookTest):
    page = "full-disk.md"

    def test_the_page(self):
        host = self.host(disk="160m")
        host.path(f"{HOME}/first.jsonl").write_text("".join(json.dumps({"account_id": f"a{number}", "choices": [{"all": True, "turn": "OFF"}]}) + "\n" for number in range(100)))
        # Each line takes about 20 KB, so that what the store's log had allocated ahead is soon used up.
        devices = [f"{number:03}" + "d" * 125 for number in range(64)]
        host.path(f"{HOME}/more.jsonl").write_text("".join(json.dumps({"account_id": f"b{number}", "region": "GR", "devices": devices}) + "\n" for number in range(8_000)))
        self.must(host, "consentctl import first.jsonl")
        # Somebody else's file takes what is left.
        host.type("head -c 200M /dev/zero >/var/lib/consentd/others")
        # A slow machine gets there in several goes.
        def has_ended():
            out, code = host.type("timeout 60 consentctl --timeout 5 import --state more.state more.jsonl")
            self.assertNotEqual(code, 0, f"nothing is acknowledged that is not written: {out}")
            return host.type("systemctl is-active consentd")[1] != 0
        self.assertTrue(any(has_ended() for _ in range(4)), "the daemon has ended")
        out, code = host.type("systemctl start consentd")
        self.assertNotEqual(code, 0, out)
        self.assertIn("others", self.next(host))
        self.must(host, "rm /var/lib/consentd/others")
        self.next(host)
        for account in ("a0", "a50", "a99"):
            self.expect_refused(host, account)
        self.end_of_page()


@unittest.skipUnless(CLOCK_SHIM, "no preloaded library under sanitizers")
class DoubtfulClock(HandbookTest):
    page = "doubtful-clock.md"

    def test_the_page(self):
        shift = self.folder / "carried" / "shift"
        shift.parent.mkdir()
        shift.write_bytes(bytes(16))
        shift.chmod(0o644)
        (shift.parent / "shim.so").write_bytes(pathlib.Path(CLOCK_SHIM).read_bytes())
        host = self.host(environment=["LD_PRELOAD=/mnt/shim.so", "CONSENT_SHIFT_CLOCK_FILE=/mnt/shift"])
        self.must(host, REGISTER)
        with open(shift, "r+b") as file:
            file.write(struct.pack("=q", 3 * 86_400 * 1_000_000))
        until(lambda: "CLOCK_DOUBTFUL" in host.type(CHECK % "george")[0], "the clock is in doubt")
        self.opt_out(host, "doubted")
        shown = self.next(host)
        self.assertRegex(shown, r"(?m)^clock\t.*\tyes$")
        # Who looks at a watch of his own: three days on, as the machine says.
        watch = json.loads(self.must(host, "consentctl --json clock show"))["wall"]
        refused, code = host.type("consentctl clock confirm 2020-01-01T00:00:00Z")
        self.assertNotEqual(code, 0)
        self.assertIn("CLOCK_DISAGREES", refused)
        shown = self.next(host, TIME=watch)
        self.assertRegex(shown, r"(?m)^clock\t.*\tno$")
        self.expect_refused(host, "doubted")
        self.end_of_page()


class TlsTest(HandbookTest):
    """A host that is reached over TLS, with a caller each of an app and a sampler."""

    def tls_host(self, limits=None):
        host = self.host()
        self.authority = Authority(self.folder / "ca")
        server = self.authority.issue("DNS:consent.example")
        callers = [{"name": name, "identities": [f"spiffe://consent.example/{name}"], "roles": [f"ROLE_{name.upper()}"], "max_certificate_hours": 720} for name in ("backend", "sampler")]
        callers[0].update({"limits": limits} if limits else {})
        host.path("/etc/consentd/callers.json").write_text(json.dumps({"callers": callers}))
        self.copy(host, server.certificate, into="/etc/consentd/server.pem")
        self.copy(host, server.key, into="/etc/consentd/server-key.pem")
        self.copy(host, self.authority.certificate, into="/etc/consentd/client-ca.pem")
        self.must(host, "chown consentd:consentd /etc/consentd/server-key.pem && chmod 600 /etc/consentd/server-key.pem && chmod 644 /etc/consentd/*.pem /etc/consentd/*.json; chmod 600 /etc/consentd/server-key.pem\n"
                        "sed -i -e 's/^#\\(tls-\\|callers\\)/\\1/' -e 's/^listen = \\[/&\"*:7443\", /' /etc/consentd/consentd.toml\nsystemctl restart consentd")
        self.certificate(host, "sampler")
        self.certificate(host, "backend")
        return host

    def certificate(self, host, name, file=None):
        pair = self.authority.issue(f"URI:spiffe://consent.example/{name}")
        folder = host.path(f"{HOME}/{file or name}")
        folder.mkdir()
        self.copy(host, pair.certificate, into=f"{HOME}/{file or name}/cert.pem")
        self.copy(host, pair.key, into=f"{HOME}/{file or name}/key.pem")
        self.copy(host, self.authority.certificate, into=f"{HOME}/{file or name}/ca.pem")

    def by(self, host, who, command):
        """By TLS, as a caller on another host would."""
        return host.type(f"cd {who}; unset CONSENT_ENDPOINT; consentctl --endpoint consent.example:7443 --ca ca.pem --cert cert.pem --key key.pem --timeout 5 {command}")


class StolenCertificate(TlsTest):
    page = "stolen-certificate.md"

    def test_the_page(self):
        host = self.tls_host()
        ask = (CHECK % "george").removeprefix("consentctl ")
        self.assertIn("UNKNOWN_SUBJECT", self.by(host, "sampler", ask)[0], "the thief is answered")
        self.next(host)
        self.assertIn("CALLER_UNKNOWN", self.by(host, "sampler", ask)[0])
        self.next(host)
        until(lambda: host.path("/run/consentd.log").exists() and "CALLER_UNKNOWN" in self.by(host, "sampler", ask)[0], "the thief stays out")
        self.certificate(host, "sampler-2")
        until(lambda: "UNKNOWN_SUBJECT" in self.by(host, "sampler-2", ask)[0], "the caller is let in by its new name")
        self.assertIn("CALLER_UNKNOWN", self.by(host, "sampler", ask)[0], "and the thief is not")
        self.assertEqual(self.by(host, "backend", "settings opt-out lucas --all")[1], 0)
        self.end_of_page()


class TlsAndCallers(TlsTest):
    page = "tls-and-callers.md"

    def test_the_page(self):
        host = self.tls_host()
        fresh = self.authority.issue("DNS:consent.example")
        self.copy(host, fresh.certificate, into=f"{HOME}/server.pem")
        self.copy(host, fresh.key, into=f"{HOME}/server-key.pem")
        self.next(host)
        serial = "(openssl s_client -connect consent.example:7443 -cert backend/cert.pem -key backend/key.pem </dev/null 2>/dev/null || true) | openssl x509 -noout -serial"
        until(lambda: fresh.serial() in self.must(host, serial), "the new certificate is shown")
        self.certificate(host, "second-backend")
        act = "settings opt-out lucas --all"
        self.assertIn("CALLER_UNKNOWN", self.by(host, "second-backend", act)[0])
        self.next(host)
        until(lambda: self.by(host, "second-backend", act)[1] == 0, "the new caller is let in")
        self.next(host)
        until(lambda: "CALLER_UNKNOWN" in self.by(host, "second-backend", act)[0], "and out again")
        self.assertEqual(self.by(host, "backend", act)[1], 0)
        self.end_of_page()


class Overload(TlsTest):
    page = "overload.md"

    def test_the_page(self):
        host = self.tls_host(limits={"calls_per_second": 4})
        host.path(f"{HOME}/backend/people.jsonl").write_text("".join(json.dumps({"account_id": f"a{number}", "choices": [{"all": True, "turn": "OFF"}]}) + "\n" for number in range(40)))
        self.by(host, "backend", "import --parallel 32 people.jsonl")  # it comes through in the end: its client waits as it is told
        shown = self.next(host)
        limited = r'(?m)^consentd_caller_limited_total\{caller="backend",limit="calls_per_second"\} (\d+)'
        before = int(re.search(limited, shown).group(1))
        self.assertGreater(before, 0)
        self.next(host)
        until(lambda: host.path("/run/consentd.log").read_text().count("callers in force") > 1, "the file is read again")
        self.assertEqual(self.by(host, "backend", "import --force people.jsonl")[1], 0)
        self.assertEqual(int(re.search(limited, self.must(host, "curl -s http://127.0.0.1:9464/metrics")).group(1)), before, "nothing is refused any more")
        self.end_of_page()


class AnotherHost(HandbookTest):
    page = "another-host.md"

    def test_the_page(self):
        old = self.host("old")
        self.must(old, REGISTER)
        self.opt_out(old, "lucas")
        self.next(old)
        new = self.host("new", user_id=977)
        self.next(new)
        self.expect_refused(new, "lucas")
        self.assertIn("GIVEN", self.must(new, "consentctl settings get george"))
        self.opt_out(new, "irene")
        self.assertEqual(new.path("/var/lib/consentd/store").stat().st_uid, 977)
        self.end_of_page()


class Size(HandbookTest):
    page = "size.md"

    def test_the_page(self):
        shown = self.next(self.host())
        for metric in ("consentd_index_bytes", "process_resident_memory_bytes", "process_open_fds", "consentd_connections", "consentd_rocksdb_sst_bytes", "consentd_disk_free_bytes"):
            self.assertRegex(shown, rf"(?m)^{metric}(\{{| )")
        self.end_of_page()


if __name__ == "__main__":
    unittest.main()
