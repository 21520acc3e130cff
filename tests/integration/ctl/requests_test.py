"""The commands about deletion one by one: asked for, verified, denied, extended, cancelled, listed, counted; data systems and tasks."""

import csv
import datetime
import io
import unittest

from daemon import DONE, KEEP, NOT_ELIGIBLE, PURGE, REFUSED, USAGE, DaemonTest

CHANNEL = ("--channel", "app", "--actor", "self")
CAPTURED = "2024-05-01T12:00:00Z"


class RequestsTest(DaemonTest):
    def check(self, account, expect, *more):
        return self.json("check", "--account", account, "--recording", "r", "--captured-at", CAPTURED, *more, expect=expect)

    def test_from_receipt_on_nothing_is_used_and_from_verification_on_it_must_go(self):
        self.register("ann")
        self.assertEqual(self.check("ann", KEEP, "--disposition")["disposition"], "KEEP")
        created = self.json("delete", "ann", "--from", "2024-01-01T00:00:00Z", "--to", "2024-12-31T23:59:59Z", "--reference", "ticket 7",
                            *CHANNEL)
        self.assertTrue(created["created"])
        request = created["request"]
        self.assertEqual((request["state"], request["requester"], request["account_id"]), ("RECEIVED", "SELF", "ann"))
        self.assertEqual(request["covers"], {"from": "2024-01-01T00:00:00Z", "to": "2024-12-31T23:59:59Z"})
        self.assertGreater(request["due_at"], request["received_at"])
        self.assertIn("We received your request", request["summary"])
        answer = self.check("ann", NOT_ELIGIBLE, "--purpose", "MODEL_TRAINING")
        self.assertEqual(answer["disposition"], "KEEP")
        self.assertIn("DELETION_PENDING", answer["reasons"])
        deletion = request["deletion_id"]
        self.assertEqual(self.json("requests", "verify", deletion, "--only-begun")["request"]["state"], "VERIFYING")
        verified = self.json("requests", "verify", deletion)["request"]
        self.assertEqual(verified["state"], "ACCEPTED")
        self.assertEqual(self.json("requests", "verify", deletion)["request"]["verified_at"], verified["verified_at"])
        answer = self.check("ann", PURGE, "--disposition")
        self.assertEqual((answer["disposition"], answer["reasons"][0]), ("PURGE", "DELETED"))
        self.json("requests", "deny", deletion, "--reason", "too late", expect=REFUSED)
        self.assertIn("DELETION_RECEIVED", [entry["kind"] for entry in self.json("settings", "history", "ann")["entries"]])

    def test_the_same_while_open_is_the_same_request(self):
        what = ("--recording", "r1", "--recording", "r2")
        first = self.json("delete", "ben", *what)
        again = self.json("delete", "ben", "--recording", "r2", "--recording", "r1")
        self.assertTrue(first["created"])
        self.assertFalse(again["created"])
        self.assertEqual(again["request"]["deletion_id"], first["request"]["deletion_id"])
        # "Everything" reaches to its receipt, so a later one covers more.
        monday = self.delete("ben", "--everything")
        self.assertNotEqual(self.delete("ben", "--everything")["deletion_id"], monday["deletion_id"])
        # A request_id is one request, also for what is open-ended.
        named = [self.delete("ben", "--everything", "--request-id", "once")["deletion_id"] for _ in range(2)]
        self.assertEqual(named[0], named[1])

    def test_a_day_is_the_users(self):
        day = self.delete("cleo", "--today", "--time-zone", "Asia/Tokyo", "--spoken-at", "2024-05-01T23:30:00Z")
        self.assertEqual(day["covers"]["from"], "2024-05-01T15:00:00Z")
        self.assertEqual(day["selector"], {"kind": "spoken_day", "spoken_at": "2024-05-01T23:30:00Z", "time_zone": "Asia/Tokyo"})
        failed = self.json("delete", "cleo", "--today", "--time-zone", "Middle/Earth", expect=REFUSED)
        self.assertEqual(failed["error"]["fields"][0]["field"], "selector.spoken_day.time_zone")

    def test_the_user_was_told_of_the_receipt(self):
        deletion = self.delete("tom", "--everything")["deletion_id"]
        shown = self.json("requests", "show", deletion)["request"]
        self.assertEqual((shown["receipt_confirmed_at"], shown["receipt_channel"], shown["confirmation_overdue"]), ("", "", False))
        self.ctl("requests", "confirm-receipt", deletion, expect=USAGE)
        self.ctl("requests", "confirm-receipt", deletion, "--channel", "pigeon", expect=USAGE)
        failed = self.json("requests", "confirm-receipt", deletion, "--channel", "letter", "--at", "2024-01-01T00:00:00Z", expect=REFUSED)
        self.assertEqual(failed["error"]["fields"][0]["field"], "confirmed_at")
        told = self.json("requests", "confirm-receipt", deletion, "--channel", "in-app", "--at", shown["received_at"])
        self.assertFalse(told["already"])
        self.assertEqual((told["request"]["receipt_confirmed_at"], told["request"]["receipt_channel"]), (shown["received_at"], "IN_APP"))
        again = self.json("requests", "confirm-receipt", deletion, "--channel", "email")
        self.assertTrue(again["already"])
        self.assertEqual(again["request"], told["request"])
        self.assertEqual(self.json("requests", "list", "tom")["requests"], [told["request"]])
        self.assertIn("IN_APP", self.ctl("requests", "show", deletion))
        self.assertEqual(self.json("export-subject", "tom")["deletion_requests"], [told["request"]])
        self.assertIn("DELETION_RECEIPT_CONFIRMED", [entry["kind"] for entry in self.json("settings", "history", "tom")["entries"]])
        failed = self.json("requests", "confirm-receipt", "nobody", "--channel", "email", expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "DELETION_NOT_FOUND")

    def test_a_denied_request_keeps_and_stays_unused(self):
        deletion = self.delete("dan", "--everything", "--requester", "agent")["deletion_id"]
        denied = self.json("requests", "deny", deletion, "--reason", "not the owner")["request"]
        self.assertEqual((denied["state"], denied["denied_reason"]), ("DENIED", "not the owner"))
        answer = self.check("dan", NOT_ELIGIBLE, "--purpose", "MODEL_TRAINING")
        self.assertEqual(answer["disposition"], "KEEP")
        self.assertIn("DELETION_DENIED", answer["reasons"])
        self.json("requests", "verify", deletion, expect=REFUSED)

    def test_an_appeal_is_received_acknowledged_and_answered(self):
        deletion = self.delete("ada", "--everything")["deletion_id"]
        self.assertEqual(self.json("requests", "appeal", deletion, "--kind", "appeal", expect=REFUSED)["error"]["reason"], "DELETION_STATE")
        denied = self.json("requests", "deny", deletion, "--reason", "not the owner")["request"]
        self.assertEqual(denied["how_to_appeal"]["language"], "en")
        self.assertIn("nicht einverstanden", self.json("requests", "show", deletion, "--language", "de")["request"]["how_to_appeal"]["sentence"])
        taken = self.json("requests", "appeal", deletion, "--kind", "appeal")
        self.assertFalse(taken["already"])
        self.assertTrue(self.json("requests", "appeal", deletion, "--kind", "complaint")["already"])
        self.assertIn("APPEALED", self.ctl("--no-header", "requests", "show", deletion).split("\n")[0])
        self.assertEqual([one["deletion_id"] for one in self.json("requests", "list", "--open-appeal")["requests"]], [deletion])
        self.ctl("requests", "answer-appeal", deletion, "--outcome", "rejected", expect=USAGE)
        self.json("requests", "acknowledge-appeal", deletion)
        answered = self.json("requests", "answer-appeal", deletion, "--outcome", "granted-in-part", "--answer", "by letter")["request"]
        one, = answered["appeals"]
        self.assertEqual((one["kind"], one["state"], one["outcome"], one["answer"]), ("APPEAL", "ANSWERED", "GRANTED_IN_PART", "by letter"))
        self.assertEqual(self.json("requests", "list", "--open-appeal")["requests"], [])
        self.assertEqual(self.json("export-subject", "ada")["deletion_requests"][0]["appeals"], [one])
        self.assertIn("by letter", self.ctl("export-subject", "ada", "--text"))

    def test_cancelling_needs_the_etag_that_was_looked_at(self):
        self.register("eve")
        deletion = self.delete("eve", "--everything", "--verified")["deletion_id"]
        failed = self.json("requests", "cancel", deletion, *CHANNEL, expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "ETAG_REQUIRED")
        etag = self.json("requests", "show", deletion)["request"]["etag"]
        extended = self.json("requests", "extend", deletion)["request"]
        self.assertTrue(extended["extended"])
        failed = self.json("requests", "cancel", deletion, "--etag", etag, *CHANNEL, expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "ETAG_MISMATCH")
        failed = self.json("requests", "cancel", deletion, "--etag", extended["etag"], expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "EVIDENCE_REQUIRED")
        cancelled = self.json("requests", "cancel", deletion, "--etag", extended["etag"], *CHANNEL)["request"]
        self.assertEqual(cancelled["state"], "CANCELLED")
        failed = self.json("requests", "extend", deletion, expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "DELETION_STATE")

    def test_unknown_things_are_refused(self):
        for command in (("show",), ("verify",), ("extend",), ("deny", "--reason", "x")):
            failed = self.json("requests", command[0], "nothing-like-it", *command[1:], expect=REFUSED)
            self.assertEqual(failed["error"]["reason"], "DELETION_NOT_FOUND")
        self.assertEqual(self.json("tasks", "list", "nowhere", expect=REFUSED)["error"]["reason"], "SYSTEM_NOT_FOUND")
        failed = self.json("delete", "fay", "--from", "2024-01-01T00:00:00Z", "--to", "2999-01-01T00:00:00Z", expect=REFUSED)
        self.assertEqual(failed["error"]["fields"][0]["field"], "selector.time_range.to")
        self.assertNotIn("fay", str(failed))


class CountsTest(DaemonTest):
    PERIOD = ("--from", "2020-01-01T00:00:00Z", "--to", "2999-01-01T00:00:00Z")

    def test_lists_and_figures(self):
        self.register("us", "US-CA")
        self.delete("us", "--everything")
        self.delete("de", "--recording", "r1")
        denied = self.delete("de", "--recording", "r2")["deletion_id"]
        self.json("requests", "deny", denied, "--reason", "no")
        self.delete("de", "--recording", "r3", "--verified")
        found = self.json("requests", "list")["requests"]
        self.assertEqual(sorted(request["state"] for request in found), ["ACCEPTED", "DENIED", "RECEIVED", "RECEIVED"])
        of_one = self.json("requests", "list", "de")["requests"]
        self.assertEqual([request["state"] for request in of_one], ["RECEIVED", "DENIED", "ACCEPTED"])
        self.assertEqual(len(self.json("requests", "list", "--state", "denied,accepted")["requests"]), 2)
        self.assertEqual(len(self.json("requests", "list", "--due-before", "2999-01-01T00:00:00Z")["requests"]), 3)
        self.assertEqual(self.json("requests", "list", "--due-before", "2020-01-01")["requests"], [])
        # Page by page it is the same list.
        seen, page = [], ()
        while True:
            part = self.json("requests", "list", "--page-size", "1", *page)
            seen += [request["deletion_id"] for request in part["requests"]]
            if not part["next_page_token"]:
                break
            page = ("--page", part["next_page_token"])
        self.assertEqual(seen, [request["deletion_id"] for request in found])

        report = self.json("requests", "report", *self.PERIOD)
        total = report["total"]
        self.assertEqual((total["received"], total["denied"], total["complied"], total["due_now"]), (4, 1, 0, 3))
        self.assertIsNone(total["median_days"])
        regimes = {regime["regime"]: regime for regime in report["regimes"]}
        self.assertEqual(sum(regime["received"] for regime in regimes.values()), 4)
        self.assertEqual(len(regimes), 2)
        rows = list(csv.DictReader(io.StringIO(self.ctl("requests", "report", *self.PERIOD, "--csv"))))
        self.assertEqual([row["regime"] for row in rows], sorted(regimes) + ["(all)"])
        self.assertEqual(rows[-1]["received"], "4")
        past = self.json("requests", "report", "--from", "2020-01-01T00:00:00Z", "--to", "2021-01-01T00:00:00Z")["total"]
        self.assertEqual((past["received"], past["denied"], past["due_now"]), (0, 0, 3))
        # A date is its first instant.
        first = datetime.date.fromisoformat(found[0]["received_at"][:10])
        after = datetime.date.fromisoformat(found[-1]["received_at"][:10]) + datetime.timedelta(days=1)
        for begin, end, received in ((first, after, 4), (datetime.date(2020, 1, 1), first, 0), (after, datetime.date(2999, 1, 1), 0)):
            total = self.json("requests", "report", "--from", str(begin), "--to", str(end))["total"]
            self.assertEqual(total["received"], received, (begin, end))
        self.ctl("requests", "report", "--from", "2026-02-30", "--to", "2999-01-01", expect=USAGE)
        # Human forms hold the same: a pipe gets lines of cells.
        self.assertIn("figures\t(all)\t4\t", self.ctl("requests", "report", *self.PERIOD))
        self.assertIn("request\t", self.ctl("requests", "list"))


class SystemsTest(DaemonTest):
    def test_systems_come_and_go(self):
        self.assertEqual(self.json("systems", "list")["systems"], [])
        # With no system nobody could confirm anything: an accepted request waits for one.
        waiting = self.delete("account of nobody", "--everything", "--verified")
        self.assertEqual((waiting["state"], waiting["progress"]), ("ACCEPTED", []))
        audio = self.system("audio", "audio", "--latest-arrival", "12h", "--checks-on-ingest")
        self.assertEqual((audio["state"], audio["latest_arrival_seconds"], audio["open_tasks"]), ("ACTIVE", 43_200, 1))
        self.assertEqual(self.system("audio", "audio", "--latest-arrival", "12h", "--checks-on-ingest")["registered_at"],
                         audio["registered_at"])
        other = ("systems", "register", "audio", "--matches-by", "account,recording-id", "--kind", "caches")
        self.assertEqual(self.json(*other, expect=REFUSED)["error"]["reason"], "SYSTEM_EXISTS")
        blind = ("systems", "register", "blind", "--matches-by", "time", "--kind", "caches")
        self.assertEqual(self.json(*blind, expect=REFUSED)["error"]["reason"], "SYSTEM_CANNOT_MATCH")
        self.assertEqual([part["system"] for part in self.request(waiting)["progress"]], ["audio"])
        tasks = self.json("tasks", "list", "audio")["tasks"]
        self.assertEqual([(task["deletion_id"], task["attempts"]) for task in tasks], [(waiting["deletion_id"], 0)])
        self.assertNotIn("account of nobody", str(tasks))
        failed = self.json("systems", "retire", "audio", expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "SYSTEM_HAS_TASKS")
        self.assertEqual(self.json("systems", "retire", "audio", "--reason", "shut down")["system"]["state"], "RETIRED")
        ended = self.completed(waiting)
        self.assertEqual((ended["progress"][0]["outcome"], ended["progress"][0]["reason"]), ("EXEMPT", "shut down"))
        self.assertIn("audio\tAUDIO\tRETIRED", self.ctl("systems", "list"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
