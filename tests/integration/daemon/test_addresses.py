"""Every form of an address that is documented is started and asked; every other is refused at the start."""

import socket
import unittest

from harness import DaemonTest, run_to_end

USAGE, ADDRESS = 64, 69


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class Forms(DaemonTest):

    def serves(self, *arguments):
        """Starts a daemon, asks it over both listeners, and returns their addresses."""
        daemon = self.daemon(*arguments)
        listening = daemon.event("listening")
        daemon.address = lambda: listening["address"]
        self.assertEqual(self.client(daemon).health("consent.v1.EligibilityService"), "SERVING")
        self.assertEqual(daemon.metric("consentd_serving"), 1)
        self.assertEqual(daemon.probe("/livez"), (200, "serving"))
        self.assertEqual(daemon.probe("/readyz"), (200, "serving"))
        return listening["address"], listening["metrics"]

    def chosen(self, address, start):
        """The port that the system chose is told."""
        self.assertTrue(address.startswith(start), address)
        self.assertGreater(int(address.removeprefix(start)), 0)

    def test_unix(self):
        path = self.folder / "run with space" / "a:b"
        self.assertEqual(self.serves("--listen", f"unix:{path}")[0], f"unix:{path}")

    def test_ipv4(self):
        address, metrics = self.serves("--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
        self.chosen(address, "127.0.0.1:")
        self.chosen(metrics, "127.0.0.1:")

    def test_another_loopback_address(self):
        address, metrics = self.serves("--listen", "127.0.0.2:0", "--metrics-listen", "127.1.2.3:0")
        self.chosen(address, "127.0.0.2:")
        self.chosen(metrics, "127.1.2.3:")

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_ipv6(self):
        address, metrics = self.serves("--listen", "[::1]:0", "--metrics-listen", "[::1]:0")
        self.chosen(address, "[::1]:")
        self.chosen(metrics, "[::1]:")

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_ipv6_with_a_port_of_ones_own(self):
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
        metrics = self.serves("--metrics-listen", f"[0:0:0:0:0:0:0:1]:{port}")[1]
        self.assertEqual(metrics, f"[::1]:{port}")

    def test_metrics_nowhere(self):
        for nowhere in ("off", ""):
            daemon = self.daemon("--metrics-listen", nowhere)
            self.assertEqual(daemon.event("listening")["metrics"], "off")
            self.assertEqual(daemon.stop(), 0)


class Refused(DaemonTest):

    def refuse(self, option, address, says):
        done = run_to_end("serve", option, address)
        self.assertEqual(done.code, USAGE, done)
        self.assertEqual(len(done.err.splitlines()), 1, done.err)
        self.assertIn(option, done.err)
        self.assertIn(says, done.err)

    def test_what_others_would_reach(self):
        for address in ("0.0.0.0:7700", "[::]:7700", "192.168.1.1:7700", "*:7700", "localhost:7700"):
            self.refuse("--listen", address, "without certificates")

    def test_what_is_no_address(self):
        for option in ("--listen", "--metrics-listen"):
            for address in ("*", ":7700", "7700", "dns:///127.0.0.1:7700", "ipv4:127.0.0.1:7700", "/run/x.sock"):
                self.refuse(option, address, "127.0.0.1:port")
            for address in ("127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:7700\nx", "[::1]7700"):
                self.refuse(option, address, "number of 0 to 65535")
            for address in ("127.0.0.1", "[::1]"):
                self.refuse(option, address, "has no port")
            self.refuse(option, "::1:7700", "[::1]:port")

    def test_paths(self):
        self.refuse("--listen", "unix:run/x.sock", "absolute path")
        self.refuse("--listen", "unix:/" + 107 * "x", "at most 107")
        self.refuse("--metrics-listen", "unix:/run/x.sock", "write 127.0.0.1:port")

    def test_both_the_same(self):
        done = run_to_end("serve", "--listen", "127.0.0.1:7700", "--metrics-listen", "127.0.0.1:7700")
        self.assertEqual(done.code, USAGE, done)
        self.assertIn("choose two ports", done.err)


if __name__ == "__main__":
    unittest.main()
