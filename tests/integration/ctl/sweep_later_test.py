"""What time alone brings: sweeps that are overdue, attestations that are over, and children who stay away (hard case 27).

The daemon is stopped and started again later; its clients' clocks stay where they are."""

import datetime
import json
import os
import pathlib
import sys
import unittest

from daemon import KEEP, PURGE, REFUSED, DaemonTest

SHIM = os.environ["CONSENT_SHIFT_CLOCK_SHIM"]
ERASE = pathlib.Path(__file__).with_name("erase_swept.py")
NOW = datetime.datetime.now(datetime.timezone.utc)
PROOF = ("--channel", "support", "--actor", "guardian")


def moment(days):
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


class LaterTest(DaemonTest):
    def setUp(self):
        self.daemon.close()
        type(self).daemon = self.daemon = type(self.daemon)()

    def days_pass(self, days):
        """Since the test began."""
        self.daemon.stop()
        then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
        self.daemon.start("--accept-clock", then.strftime("%Y-%m-%dT%H:%M"), LD_PRELOAD=SHIM, CONSENT_SHIFT_CLOCK_S=str(days * 86_400))

    def states(self):
        return {system["name"]: system["retention_state"] for system in self.json("systems", "list")["systems"]}

    def metric(self, name, **labels):
        wanted = "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
        return self.daemon.metric(name + wanted)

    def assert_state(self, system, state):
        self.assertEqual(self.states()[system], state)
        for other in ("missing", "kept", "attestation_expired", "sweep_overdue", "retired"):
            self.assertEqual(self.metric("consentd_system_retention", system=system, state=other), float(other == state.lower()), other)

    def sweep(self, system, lines):
        inventory = pathlib.Path(self.daemon.path(f"{system}.jsonl"))
        inventory.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return json.loads(self.ctl("sweep", system, str(inventory), "--json", "--", sys.executable, str(ERASE), self.daemon.path("store"),
                                   self.daemon.path("journal")))

    def test_what_nobody_sees_to_is_seen(self):
        self.system("nobody", "caches")
        self.system("swept", "audio", "--sweep-days", "30")
        self.system("attested", "vendor-copies", "--attested-by", "data protection officer", "--attested-until", moment(100))
        self.assert_state("nobody", "MISSING")
        self.assert_state("swept", "KEPT")
        self.assert_state("attested", "KEPT")

        self.days_pass(31)
        self.assert_state("swept", "SWEEP_OVERDUE")
        self.assert_state("attested", "KEPT")
        self.assertIn("SWEEP_OVERDUE", self.ctl("systems", "list"))
        # The client's clock is a month behind, so what it swept now it says to have swept a month ago.
        self.sweep("swept", [])
        self.assert_state("swept", "SWEEP_OVERDUE")
        self.json("systems", "retention", "swept", "--sweep-days", "60")
        self.assert_state("swept", "KEPT")

        self.days_pass(101)
        self.assert_state("attested", "ATTESTATION_EXPIRED")
        self.assert_state("swept", "SWEEP_OVERDUE")
        self.ctl("systems", "retention", "attested", "--attested-by", "officer", "--attested-until", moment(100), expect=REFUSED)
        self.json("systems", "retention", "attested", "--attested-by", "officer", "--attested-until", moment(400))
        self.assert_state("attested", "KEPT")
        self.json("systems", "retire", "nobody", "--reason", "shut down")
        self.assert_state("nobody", "RETIRED")
        self.assertIn("nobody", self.ctl("systems", "list"))

    def children(self, due=None):
        found = self.json("children", "due", *(("--due", due) if due else ()))["children"]
        return {(child["account_id"], child["profile_id"], child["guardian_id"]) for child in found}

    def check(self, account, profile, expect):
        return self.json("check", "--disposition", "--account", account, "--recording", f"{account}-{profile}", "--captured-at", moment(-570), "--profile",
                         profile, expect=expect)

    def test_a_child_who_stays_away(self):
        """Hard case 27, from the listing to the store."""
        people = [{"account_id": account, "region": "DE",
                   "profiles": [{"profile_id": "mum", "age": "ADULT"},
                                {"profile_id": "kid", "age": "CHILD", "guardian_id": "mum-id", "last_active_at": moment(-days)}]}
                  for account, days in (("away", 560), ("kept", 560), ("untold", 560), ("here", 100))]
        file = pathlib.Path(self.daemon.path("people.jsonl"))
        file.write_text("".join(json.dumps(line) + "\n" for line in people))
        self.json("import", str(file))
        self.system("audio", "audio", "--sweep-days", "90")
        store = pathlib.Path(self.daemon.path("store"))
        store.mkdir()
        lines = [{"recording_id": f"{line['account_id']}-{profile}", "account_id": line["account_id"], "profile_ids": [profile],
                  "captured_at": moment(-570)} for line in people for profile in ("mum", "kid")]
        for line in lines:
            (store / line["recording_id"]).touch()

        due = {(account, "kid", "mum-id") for account in ("away", "kept", "untold")}
        self.assertEqual(self.children(), due)
        self.assertEqual(self.children("notice"), due)
        self.check("away", "kid", KEEP)
        for account in ("away", "kept"):
            self.assertFalse(self.json("children", "notice", account, "kid", "--channel", "support", "--actor", "system")["already"])
        self.assertTrue(self.json("children", "notice", "away", "kid")["already"])
        self.ctl("children", "notice", "here", "kid", expect=REFUSED)
        self.assertEqual(self.children("answer"), due - {("untold", "kid", "mum-id")})
        self.check("away", "kid", KEEP)
        etag = self.json("subject", "get", "kept")["etag"]
        self.json("children", "keep", "kept", "kid", "--etag", etag, *PROOF)
        self.assertEqual(self.sweep("audio", lines)["purged"], 0)

        self.days_pass(61)
        self.assertEqual(self.children("purge"), {("away", "kid", "mum-id")})
        self.assertEqual(self.children("notice"), {("untold", "kid", "mum-id")})
        self.assertEqual(self.check("away", "kid", PURGE)["reasons"], ["CHILD_INACTIVE"])
        for account in ("kept", "untold", "here"):
            self.check(account, "kid", KEEP)
        self.check("away", "mum", KEEP)
        report = self.sweep("audio", lines)
        self.assertEqual((report["purged"], report["kept"], report["purged_by_reason"]), (1, 7, {"CHILD_INACTIVE": 1}))
        self.assertEqual({path.name for path in store.iterdir()}, {line["recording_id"] for line in lines} - {"away-kid"})
        kinds = [entry["kind"] for entry in self.json("settings", "history", "away")["entries"]]
        self.assertIn("CHILD_NOTICE", kinds)


if __name__ == "__main__":
    unittest.main(verbosity=2)
