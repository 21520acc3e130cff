"""Several listeners at once: each with its own roles and name, sockets for a group, names and wildcards, and one end for all."""

import grp
import os
import stat
import unittest

import grpc

from consent.v1 import hold_service_pb2 as holds
from consent.v1 import settings_service_pb2 as settings

from harness import Client, DaemonTest, refused, run_to_end
from test_addresses import has_ipv6
from words import opt_out

USAGE, ADDRESS = 64, 69


def any_group():
    """One that this process may give a file to."""
    found = os.getgroups() or [os.getgid()]
    if os.geteuid() == 0:
        found = [entry.gr_gid for entry in grp.getgrall() if entry.gr_gid not in (0, os.getgid())] or found
    return grp.getgrgid(found[0])


class Listeners(DaemonTest):

    def setUp(self):
        super().setUp()
        self.first = self.folder / "run" / "consentd.sock"

    def socket(self, name):
        return self.folder / "run" / name

    def listens(self, *places, environment=None, extra=()):
        """Starts a daemon that listens there alone; returns it and its addresses."""
        listen = [text for place in places for text in ("--listen", place)]
        daemon = self.daemon(*listen, "--data-dir", self.folder / "data", "--metrics-listen", "127.0.0.1:0", "--log-format", "json", *extra,
                             defaults=False, environment=environment)
        return daemon, daemon.wait_for("listening")["address"].split()

    def api(self, address):
        client = Client(address)
        self.addCleanup(client.close)
        self.assertEqual(client.health(), "SERVING")
        return client

    def denied(self, call, request):
        error = refused(call, request)
        return (error.code, error.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_REQUIRED")

    def test_all_are_served_and_all_end(self):
        places = [f"unix:{self.socket('a')}", f"unix:{self.socket('b')}", "127.0.0.1:0", "127.0.0.2:0"] + (["[::1]:0"] if has_ipv6() else [])
        daemon, addresses = self.listens(*places)
        self.assertEqual(len(addresses), len(places))
        channels = [self.api(address) for address in addresses]
        for number, client in enumerate(channels):
            client.settings.OptOut(opt_out(f"account-{number}"))
        self.assertEqual(daemon.stop(), 0)
        for address in addresses:
            client = Client(address)
            self.assertEqual(client.health(), "UNAVAILABLE")
            client.close()
        self.assertFalse(self.socket("a").exists() or self.socket("b").exists())

    def test_each_socket_has_its_own_roles(self):
        read, check = self.socket("auditors"), self.socket("samplers")
        daemon, _ = self.listens(f"unix:{self.first}", f"unix:{read},roles=AUDITOR", f"unix:{check},roles=SAMPLER+OPERATOR,name=sampling")
        everybody, auditor, sampler = (self.api(f"unix:{path}") for path in (self.first, read, check))
        everybody.settings.OptOut(opt_out("a"))
        asked = settings.GetSettingsRequest(account_id="a")
        self.assertEqual(auditor.settings.GetSettings(asked), everybody.settings.GetSettings(asked))
        self.assertTrue(self.denied(auditor.settings.OptOut, opt_out("a")))
        self.assertTrue(self.denied(sampler.settings.GetSettings, asked))
        self.assertTrue(self.denied(sampler.settings.OptOut, opt_out("b")))
        self.assertTrue(self.denied(sampler.holds.ListHolds, holds.ListHoldsRequest()))
        self.assertFalse(everybody.settings.GetSettings(settings.GetSettingsRequest(account_id="b")).settings.refused_all)
        self.assertEqual(daemon.stop(), 0)

    def test_a_socket_for_a_group(self):
        group = any_group()
        for mode in (0o750, 0o2750):
            with self.subTest(mode=oct(mode)):
                shared = self.folder / f"shared-{mode:o}"
                shared.mkdir()
                os.chown(shared, -1, group.gr_gid)
                shared.chmod(mode)
                path = shared / "consentd.sock"
                daemon, _ = self.listens(f"unix:{path},group={group.gr_name},roles=BACKEND")
                found = path.stat()
                self.assertEqual((stat.S_IMODE(found.st_mode), found.st_gid, found.st_uid), (0o660, group.gr_gid, os.geteuid()))
                self.assertTrue(self.denied(self.api(f"unix:{path}").holds.ListHolds, holds.ListHoldsRequest()))
                self.assertEqual(daemon.stop(), 0)
                self.assertEqual([entry.name for entry in shared.iterdir()], [])

    def test_a_closed_folder_of_its_own_is_given_to_the_group(self):
        group = any_group()
        made = self.folder / "as-systemd-makes-it"
        made.mkdir(mode=0o700)
        daemon, _ = self.listens(f"unix:{made}/s,group={group.gr_name}")
        self.assertEqual((stat.S_IMODE(made.stat().st_mode), made.stat().st_gid), (0o750, group.gr_gid))
        self.assertEqual(daemon.stop(), 0)

    def test_a_folder_that_more_than_the_group_could_use(self):
        group = any_group()
        shared = self.folder / "shared"
        shared.mkdir()
        os.chown(shared, -1, group.gr_gid)
        for mode in (0o770, 0o755, 0o751, 0o777):
            shared.chmod(mode)
            done = run_to_end("serve", "--listen", f"unix:{shared}/s,group={group.gr_name}", "--data-dir", self.folder / "data", "--metrics-listen", "off")
            self.assertEqual(done.code, ADDRESS, (oct(mode), done))
            self.assertIn(str(shared), done.err)
        shared.chmod(0o750)
        done = run_to_end("serve", "--listen", f"unix:{shared}/s", "--data-dir", self.folder / "data", "--metrics-listen", "off")
        self.assertEqual(done.code, ADDRESS, done)  # without group= nobody else may enter
        done = run_to_end("serve", "--listen", f"unix:{shared}/s,group=no-such-group-here", "--data-dir", self.folder / "data", "--metrics-listen", "off")
        self.assertEqual(done.code, ADDRESS, done)
        self.assertIn("no-such-group-here", done.err)
        self.assertEqual(list(shared.iterdir()), [])

    def test_a_file_says_several(self):
        file = self.folder / "consentd.toml"
        file.write_text(f'listen = ["unix:{self.socket("a")},roles=AUDITOR", "127.0.0.1:0"]\n')
        daemon, addresses = self.listens(extra=("--config", file))
        self.assertEqual(len(addresses), 2)
        self.assertTrue(self.denied(self.api(addresses[0]).settings.OptOut, opt_out("a")))
        self.api(addresses[1]).settings.OptOut(opt_out("a"))
        self.assertEqual(daemon.stop(), 0)

    def test_metrics_on_any_address(self):
        for place in ["0.0.0.0:0", "localhost:0", "*:0"] + (["[::]:0"] if has_ipv6() else []):
            with self.subTest(place):
                daemon = self.daemon("--metrics-listen", place)
                for address in daemon.wait_for("listening")["metrics"].split():
                    daemon.metrics_url = lambda path, address=address: f"http://{address.replace('0.0.0.0', '127.0.0.1').replace('[::]', '[::1]')}{path}"
                    self.assertEqual(daemon.metric("consentd_serving"), 1)
                    self.assertEqual(daemon.probe("/readyz"), (200, "serving"))
                self.assertEqual(daemon.stop(), 0)


class RefusedListeners(DaemonTest):

    def test_each_wrong_attribute_says_what_to_write(self):
        for place, says in {
                "unix:/run/x/s,roles=KING": "KING",
                "unix:/run/x/s,roles=": "roles",
                "unix:/run/x/s,roles=UNSPECIFIED": "UNSPECIFIED",
                "unix:/run/x/s,color=red": "color",
                "unix:/run/x/s,name=": "name",
                "unix:/run/x/s,name=a b": "a b",
                "unix:/run/x/s,name=" + 65 * "x": "64",
                "unix:/run/x/s,name=a,name=b": "twice",
                "unix:/run/x/s,": "roles=",
                "unix:/run/x/s,systems=a++b": "systems",
                "127.0.0.1:7000,group=root": "Unix socket",
                "no_such name:7000": "127.0.0.1:port",
                "example.org:port": "0 to 65535",
        }.items():
            with self.subTest(place):
                done = run_to_end("serve", "--listen", place)
                self.assertEqual(done.code, USAGE, done)
                self.assertEqual(len(done.err.splitlines()), 1, done.err)
                self.assertIn("--listen", done.err)
                self.assertIn(says, done.err)

    def test_too_many_and_twice_the_same(self):
        many = [text for number in range(17) for text in ("--listen", f"unix:/run/x/{number}")]
        for arguments, says in ((many, "16"), (["--listen", "unix:/run/x/s", "--listen", "unix:/run/x/s,roles=AUDITOR"], "twice")):
            done = run_to_end("serve", *arguments)
            self.assertEqual(done.code, USAGE, done)
            self.assertIn(says, done.err)


if __name__ == "__main__":
    unittest.main()
