"""The wall clock jumps over a restart: opt-outs count, nothing is eligible, and right again all is as it was."""

import os
import unittest

from daemon import NO_ANSWER, REFUSED, DaemonTest, until

SHIM = os.environ["CONSENT_SHIFT_CLOCK_SHIM"]
DAY = 86_400


class ShiftedTest(DaemonTest):
    def restart(self, shift_s, *options):
        self.daemon.stop()
        self.daemon.start(*options, LD_PRELOAD=SHIM, CONSENT_SHIFT_CLOCK_S=str(shift_s))

    def opt_out(self, account):
        self.json("settings", "opt-out", account, "--control", "help_improve")

    def events(self):
        return (self.daemon.root / "log").read_text()

    def trusted(self):
        until(lambda: self.daemon.metric("consentd_serving") == 1, "it serves")
        return self.daemon.metric("consentd_clock_trusted")

    def revision(self, account):
        return self.json("settings", "get", account)["etag"]


class ClockTest(ShiftedTest):
    def test_jumps(self):
        before = {}
        for name, shift_s in (("days", 6 * DAY), ("year", 400 * DAY), ("back", -400 * DAY)):
            self.register(name)
            before[name] = self.revision(name)
            self.restart(shift_s)
            self.assertEqual(self.trusted(), 0, name)
            self.assertAlmostEqual(self.daemon.metric("consentd_clock_offset_seconds"), shift_s, delta=120)
            self.opt_out(name)
            self.assertIn("the time is doubtful", self.events())
            etag = self.json("settings", "get", name)["etag"]
            refused = self.daemon.ctl("settings", "set", name, "--on", "help_improve", "--notice", "2026-01", "--language", "en",
                                      "--channel", "app", "--actor", "self", "--etag", etag)
            self.assertEqual(refused.returncode, NO_ANSWER, "repeat it when the time is trusted again")
            self.assertIn("doubtful", refused.stderr)
            self.restart(0)
            self.assertEqual(self.trusted(), 1, name)
            self.assertNotEqual(self.revision(name), before[name], "the opt-out stands")

    def test_confirmed(self):
        self.restart(6 * DAY, "--accept-clock", "2020-01-01T12")
        self.assertEqual(self.trusted(), 0, "it names another time")
        self.assertIn("confirms nothing", self.events())
        self.restart(0)
        self.assertEqual(self.trusted(), 1)


class ConfirmTest(ShiftedTest):
    def test_confirmed_while_it_runs(self):
        self.restart(30 * DAY)
        shown = self.json("clock", "show")
        self.assertTrue(shown["doubtful"])
        self.assertAlmostEqual(shown["offset_seconds"], 30 * DAY, delta=120)
        refused = self.daemon.ctl("clock", "confirm", "2020-01-01T00:00:00Z")
        self.assertEqual(refused.returncode, REFUSED)
        self.assertIn("CLOCK_DISAGREES", refused.stderr)
        self.assertFalse(self.json("clock", "confirm", shown["wall"])["doubtful"])
        self.assertEqual(self.trusted(), 1)
        self.restart(30 * DAY)
        self.assertFalse(self.json("clock", "show")["doubtful"], "what was confirmed outlives the process")


if __name__ == "__main__":
    unittest.main(verbosity=2)
