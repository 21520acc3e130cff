"""SAFETY flags that nobody has handled, and holds that somebody has to look at again, until an officer does."""

import datetime
import unittest

from daemon import NOT_ELIGIBLE, REFUSED, USAGE, DaemonTest, until

ORDER = ("--authority", "District Court, 12-345", "--reason", "discovery")
OPEN, OLDEST, PAST = "consentd_safety_flags_open", "consentd_safety_flag_oldest_timestamp_seconds", "consentd_holds_past_review"


def moment(days=0, seconds=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class FlagsTest(DaemonTest):

    def flag(self, account, recording, *flags):
        self.ctl("report-recording", account, recording, *(word for name in flags for word in ("--flag", name)))

    def listed(self, *options):
        return [(flag["account_id"], flag["recording_id"], flag["reported_by"]) for flag in self.json("flags", "list", *options)["flags"]]

    def test_from_the_report_to_whoever_looks_after_the_person(self):
        self.assertEqual(self.daemon.metric(OPEN), 0)
        self.assertNotIn(OLDEST + " ", self.daemon.metrics(), "nobody waits")
        self.register("eve")
        self.consent("eve")
        self.flag("eve", "r1", "safety")
        self.flag("tom", "r1", "critical-data")
        self.flag("tom", "r2", "safety", "child-present")
        first = self.json("flags", "list")["flags"][0]
        self.assertEqual(self.listed(), [("eve", "r1", "local"), ("tom", "r2", "local")])
        self.assertEqual(self.listed("--account", "tom"), [("tom", "r2", "local")])
        self.assertEqual(self.daemon.metric(OPEN), 2)
        reported = datetime.datetime.fromisoformat(first["reported_at"].replace("Z", "+00:00")).timestamp()
        self.assertAlmostEqual(self.daemon.metric(OLDEST), reported, delta=1)
        page = self.json("flags", "list", "--page-size", "1")
        self.assertEqual(page["flags"], [first])
        self.assertEqual(self.listed("--page-size", "1", "--page", page["next_page_token"]), [("tom", "r2", "local")])

        hour = datetime.timedelta(hours=1)
        at = {name: datetime.datetime.fromisoformat(first[name].replace("Z", "+00:00")) for name in ("reported_at", "acknowledge_by", "handle_by", "held_until")}
        self.assertEqual([at[name] - at["reported_at"] for name in ("acknowledge_by", "handle_by", "held_until")], [24 * hour, 72 * hour, 72 * hour])
        self.assertEqual((first["acknowledged_at"], first["acknowledged_by"], first["overdue"]), ("", "", False))
        self.assertEqual(self.listed("--overdue"), [])
        self.json("flags", "acknowledge", "eve", "r1", "--note", "the night desk calls at eight")
        self.assertEqual(self.json("flags", "acknowledge", "eve", "r1", expect=REFUSED)["error"]["reason"], "SAFETY_FLAG_ACKNOWLEDGED")
        taken = self.json("flags", "list")["flags"][0]
        self.assertEqual((taken["recording_id"], taken["acknowledged_by"], bool(taken["acknowledged_at"])), ("r1", "local", True))
        shown = self.ctl("flags", "list")
        self.assertIn("\tHANDLE ", shown)
        self.assertIn("\tACKNOWLEDGE ", shown)
        self.assertEqual(self.daemon.metric(OPEN), 2, "it is not handled")
        for step in ("acknowledge", "handle"):
            self.assertEqual(self.daemon.metric('consentd_safety_flags_overdue{step="%s"}' % step), 0)

        self.ctl("flags", "handle", "eve", "r1", expect=USAGE)
        self.json("flags", "handle", "eve", "r1", "--note", "called the family", "--channel", "support", "--actor", "agent")
        self.assertEqual(self.listed(), [("tom", "r2", "local")])
        error = self.json("flags", "handle", "eve", "r1", "--note", "me, too", expect=REFUSED)["error"]
        self.assertEqual(error["reason"], "SAFETY_FLAG_HANDLED")
        self.assertEqual(self.json("flags", "handle", "eve", "r9", "--note", "x", expect=REFUSED)["error"]["reason"], "SAFETY_FLAG_NOT_FOUND")
        entry = self.json("settings", "history", "eve")["entries"][0]
        self.assertEqual((entry["kind"], entry["recording_id"], entry["note"]), ("SAFETY_FLAG_HANDLED", "r1", "called the family"))
        self.assertEqual(entry["evidence"]["channel"], "SUPPORT")
        answer = self.json("check", "--purpose", "human-review", "--account", "eve", "--recording", "r1", "--captured-at", moment(seconds=-5), "--profile", "voice",
                           "--wake", "button", "--kind", "command", "--speakers", "one", "--identity", "matched", "--age", "adult", "--country", "DE",
                           "--reviewer", "employee", expect=NOT_ELIGIBLE)
        self.assertIn("SAFETY", str(answer), "it goes on restricting")

        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.listed(), [("tom", "r2", "local")])
        self.assertEqual(self.daemon.metric(OPEN), 1)
        self.json("flags", "handle", "tom", "r2", "--note", "done")
        self.assertEqual(self.daemon.metric(OPEN), 0)
        self.assertNotIn("called the family", (self.daemon.root / "log").read_text())

    def test_a_hold_past_its_review_is_told_until_somebody_reviews_it(self):
        past = self.json("holds", "place", "ann", *ORDER, "--review", moment(seconds=3))["hold"]
        later = self.json("holds", "place", "ann", *ORDER, "--review", moment(days=30))["hold"]
        self.assertFalse(later["past_review"])
        self.ctl("holds", "place", "ann", *ORDER, "--review", moment(days=-1), expect=REFUSED)
        self.ctl("holds", "place", "ann", *ORDER, "--review", moment(days=400), expect=REFUSED)
        until(lambda: self.daemon.metric(PAST) == 1, "its review is over")
        [told] = self.json("holds", "list", "--past-review")["holds"]
        self.assertEqual((told["hold_id"], told["past_review"], told["released_at"]), (past["hold_id"], True, ""))
        self.assertIn(" PAST", self.ctl("holds", "list", "--account", "ann"))
        reviewed = self.json("holds", "review", past["hold_id"], "--until", moment(days=90), "--reason", "the case goes on")["hold"]
        self.assertEqual((reviewed["past_review"], reviewed["review_reason"]), (False, "the case goes on"))
        self.assertTrue(reviewed["reviewed_at"])
        self.assertEqual(self.json("holds", "list", "--past-review")["holds"], [])
        self.assertEqual(self.daemon.metric(PAST), 0)
        release = ("--authority", "court", "--reason", "over", "--channel", "support", "--actor", "system")
        error = self.json("holds", "release", past["hold_id"], "--etag", past["etag"], *release, expect=REFUSED)["error"]
        self.assertEqual(error["reason"], "ETAG_MISMATCH", "who releases it looks at it as it is now")
        self.json("holds", "release", past["hold_id"], "--etag", reviewed["etag"], *release)


if __name__ == "__main__":
    unittest.main()
