"""Requests turn overdue: the daemon is stopped, and started again sixty days later; its clients' clocks stay where they are."""

import datetime
import os
import unittest

from daemon import until
from stores import StoresTest

SHIM = os.environ["CONSENT_SHIFT_CLOCK_SHIM"]
LATER = datetime.timedelta(days=60)
PERIOD = ("--from", "2020-01-01T00:00:00Z", "--to", "2999-01-01T00:00:00Z")
ORDER = ("--authority", "District Court, 12-345", "--reason", "discovery")
PROOF = ("--channel", "support", "--actor", "system")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class OverdueTest(StoresTest):
    def setUp(self):
        super().setUp()
        self.fill([{"recording_id": f"{account}-{number}", "account_id": account, "profile_id": "voice", "device_id": "desk",
                    "captured_at": f"2024-03-0{number + 1}T12:00:00Z"} for account in ("ann", "ben") for number in range(3)])
        self.register_systems("--checks-on-ingest")
        for account in ("ann", "ben"):
            self.register(account, "DE")

    def sixty_days_pass(self):
        self.daemon.stop()
        now = datetime.datetime.now(datetime.timezone.utc) + LATER
        # Sixty days without a reboot are doubtful until somebody vouches for them.
        self.daemon.start("--accept-clock", now.strftime("%Y-%m-%dT%H:%M"), LD_PRELOAD=SHIM,
                          CONSENT_SHIFT_CLOCK_S=str(int(LATER.total_seconds())))

    def of(self, account):
        return {recording for recording in self.recordings if recording.startswith(account)}

    def marks(self, deletion):
        request = self.request(deletion)
        return request["state"], request["overdue"], request["on_hold"]

    def figures(self):
        total = self.json("requests", "report", *PERIOD)["total"]
        return total["complied"], total["due_now"], total["overdue_now"], total["on_hold"]

    def assert_overdue_metric(self, count):
        until(lambda: self.daemon.metric_sum("consentd_deletion_requests_overdue") == count, f"the metric says {count}")

    def assert_unconfirmed_metric(self, count):
        until(lambda: self.daemon.metric_sum("consentd_deletion_receipts_overdue") == count, f"the metric says {count}")

    def test_an_appeal_past_its_days(self):
        deletion = self.delete("ann", "--everything")["deletion_id"]
        self.json("requests", "deny", deletion, "--reason", "not the owner")
        self.json("requests", "appeal", deletion, "--kind", "appeal")

        def late():
            one, = self.json("requests", "show", deletion)["request"]["appeals"]
            return one["acknowledgement_overdue"], one["answer_overdue"]

        def assert_metrics(*counts):
            until(lambda: appeals() == counts, f"the metrics say {counts}")

        def appeals():
            overdue = (self.daemon.metric_sum("consentd_appeals_overdue", deadline=deadline) for deadline in ("acknowledgement", "answer"))
            return self.daemon.metric_sum("consentd_appeals_open", kind="appeal"), *overdue

        self.assertEqual(late(), (False, False))
        assert_metrics(1, 0, 0)
        self.sixty_days_pass()
        self.assertEqual(late(), (True, True))
        assert_metrics(1, 1, 1)
        self.assertIn("APPEAL_OVERDUE", self.ctl("--no-header", "requests", "show", deletion).split("\n")[0])
        self.json("requests", "acknowledge-appeal", deletion)
        self.assertEqual(late(), (False, True))
        assert_metrics(1, 0, 1)
        self.json("requests", "answer-appeal", deletion, "--outcome", "rejected", "--answer", "late, and no")
        self.assertEqual(late(), (False, False))
        assert_metrics(0, 0, 0)

    def test_one_store_never_confirmed(self):
        """Hard case 38."""
        self.work("audio")
        deletion = self.delete("ann", "--everything", "--verified")
        until(lambda: any(part["outcome"] for part in self.request(deletion)["progress"]), "the audio store confirmed")
        self.assertLess(moment(deletion["due_at"]), moment(deletion["received_at"]) + LATER, "one month, in Germany")
        self.assertEqual(self.marks(deletion), ("IN_PROGRESS", False, False))
        self.assertEqual(self.figures(), (0, 1, 0, 0))
        self.assert_overdue_metric(0)

        self.sixty_days_pass()
        self.assertEqual(self.marks(deletion), ("IN_PROGRESS", True, False))
        request = self.request(deletion)
        self.assertEqual(request["due_at"], deletion["due_at"])
        self.assertIn("1 of 2 systems have confirmed so far; it is not finished. It should have been finished by", request["summary"])
        self.assertIn("OVERDUE", self.ctl("--no-header", "requests", "show", deletion["deletion_id"]).split("\n")[0])
        task, = self.json("tasks", "list", "transcripts")["tasks"]
        self.assertEqual((task["due_at"], task["attempts"]), (deletion["due_at"], 0))
        self.assertEqual(self.json("tasks", "list", "audio")["tasks"], [])
        self.assertEqual(self.figures(), (0, 0, 1, 0))
        self.assert_overdue_metric(1)
        listed = self.json("requests", "overdue")
        self.assertEqual((listed["complete"], listed["overdue"]), (True, 1))
        self.assertEqual([one["deletion_id"] for one in listed["requests"]], [deletion["deletion_id"]])

        self.work("transcripts")
        done = self.completed(deletion)
        self.assert_gone(self.of("ann"))
        self.assertGreater(moment(done["ended_at"]), moment(done["received_at"]) + LATER)
        self.assertFalse(done["overdue"])
        self.assertEqual(self.figures(), (1, 0, 0, 0))
        self.assertEqual(round(self.json("requests", "report", *PERIOD)["total"]["median_days"]), 60)
        self.assert_overdue_metric(0)

    def test_a_receipt_that_nobody_confirmed(self):
        self.assert_unconfirmed_metric(0)
        confirmed, forgotten, late = (self.delete("ann", "--recording", f"ann-{number}") for number in range(3))
        self.json("requests", "confirm-receipt", confirmed["deletion_id"], "--channel", "email")
        self.sixty_days_pass()
        self.assert_unconfirmed_metric(2)
        marks = {request["deletion_id"]: request["confirmation_overdue"] for request in self.json("requests", "list")["requests"]}
        self.assertEqual(marks, {confirmed["deletion_id"]: False, forgotten["deletion_id"]: True, late["deletion_id"]: True})
        self.assertIn("CONFIRMATION_OVERDUE", self.ctl("--no-header", "requests", "show", forgotten["deletion_id"]).split("\n")[0])
        self.assertEqual(self.json("requests", "report", *PERIOD)["total"]["confirmation_overdue_now"], 2)
        said = self.json("requests", "confirm-receipt", late["deletion_id"], "--channel", "letter")["request"]
        self.assertGreater(moment(said["receipt_confirmed_at"]), moment(said["confirm_by"]), "late, and said so")
        self.assertFalse(said["confirmation_overdue"])
        self.assert_unconfirmed_metric(1)
        self.assertEqual(self.ctl("requests", "report", *PERIOD, "--csv").splitlines()[-1].split(",")[-1], "1")
        self.json("requests", "deny", forgotten["deletion_id"], "--reason", "not the owner")
        self.assert_unconfirmed_metric(0)

    def test_what_is_extended_or_on_hold_is_not(self):
        extended, held = (self.delete(account, "--everything", "--verified") for account in ("ann", "ben"))
        self.json("requests", "extend", extended["deletion_id"])
        hold = self.json("holds", "place", "ben", *ORDER)["hold"]
        self.sixty_days_pass()
        self.assertEqual(self.marks(extended), ("ACCEPTED", False, False))
        self.assertEqual(self.marks(held), ("ACCEPTED", False, True))
        self.assertEqual(self.figures(), (0, 2, 0, 1))
        self.assert_overdue_metric(0)
        self.assertEqual(self.json("requests", "overdue")["requests"], [])
        self.json("holds", "release", hold["hold_id"], "--etag", hold["etag"], *ORDER, *PROOF)
        self.assertEqual(self.marks(held), ("ACCEPTED", True, False))
        self.assertEqual(self.figures(), (0, 1, 1, 0))
        self.assert_overdue_metric(1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
