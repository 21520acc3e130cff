"""What was heard: a tool's own list against the grants on record, and what the person is told in the export."""

import datetime
import json
import unittest

from consent.v1 import review_service_pb2 as reviews
from consent.v1 import types_pb2 as types

from decision_hosts import CTL, Host, ctl, verify
from harness import DaemonTest
from test_decision_questions import now, stamp
from words import OFFICE, household, opt_out, recording, turn_on


@unittest.skipUnless(CTL, "consentctl is not built")
class Heard(DaemonTest):

    def setUp(self):
        super().setUp()
        self.host = Host(self.folder / "a", "--policy", self.many_reviews_policy())
        self.addCleanup(self.host.daemon.kill)
        self.api = self.client(self.host.daemon.start())
        for person in ("ann", "bea"):
            self.api.settings.UpdateSettings(turn_on(person, self.api.subjects.UpsertSubject(household(person)).revision))

    def lease(self, person, name, reviewer):
        asked = reviews.LeaseReviewsRequest(purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, reviewer=reviewer, selection=types.SELECTION_RANDOM,
                                            recordings=[recording(person, name=name)])
        [result] = self.api.reviews.LeaseReviews(asked).results
        self.assertEqual(result.WhichOneof("result"), "grant", result)
        return {"grant_id": result.grant.grant_id, "fence": result.grant.fence}

    def play(self, grant):
        """As a player does: opened, given out, heard now."""
        token = self.api.reviews.OpenMedia(reviews.OpenMediaRequest(**grant, audience="audio")).media_token
        self.api.reviews.RedeemMedia(reviews.RedeemMediaRequest(system="audio", media_token=token))
        return {"grant_id": grant["grant_id"], "heard_at": stamp(now()), "by": "lea", "tool": "desk 7"}

    def wrong(self, lines, *options):
        path = self.folder / "heard.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        _, found = verify([self.host], self.host.files(), "--heard", path, *options)
        return {kind: [line for _, line, _ in places] for kind, places in found.items()}

    def test_each_play_is_held_against_its_grant(self):
        former = self.lease("ann", "r1", "lea")
        played = [self.play(former), self.play(former)]
        self.api.reviews.SubmitReview(reviews.SubmitReviewRequest(**former, digest=bytes(32)))
        # The recording is granted anew: the first grant is a former one.
        played.append(self.play(self.lease("ann", "r1", "tom")))
        by_yes = {"recording_id": "r1", "heard_at": played[0]["heard_at"]}
        self.assertEqual(self.wrong([*played, by_yes]), {})
        self.assertEqual(self.wrong([*played, {**played[0], "grant_id": "nobodys"}]), {"HEARD_WITHOUT_GRANT": [4]})
        self.assertEqual(self.wrong([played[2], *played]), {"HEARD_TOO_OFTEN": [4]})
        late, early = stamp(now() + datetime.timedelta(minutes=33)), stamp(now() - datetime.timedelta(minutes=1))
        self.assertEqual(self.wrong([{**played[0], "heard_at": late}, {**played[2], "heard_at": early}]), {"HEARD_OUT_OF_TIME": [1, 2]})
        self.assertEqual(self.wrong([{**played[0], "heard_at": late}, {**played[2], "heard_at": early}], "--heard-skew", "10min"), {})
        # Opened and stopped by a no: no bytes were given out.
        stopped = self.lease("bea", "r2", "lea")
        self.api.reviews.OpenMedia(reviews.OpenMediaRequest(**stopped, audience="audio"))
        self.api.settings.OptOut(opt_out("bea"))
        self.assertEqual(self.wrong([{"grant_id": stopped["grant_id"], "heard_at": stamp(now())}]), {"HEARD_TOO_OFTEN": [1]})
        unreadable = [{"grant_id": "g"}, {"grant_id": "g", "recording_id": "r", "heard_at": late}, {"grant_id": "", "heard_at": late}]
        self.assertEqual(self.wrong([*unreadable, played[0]]), {"HEARD_UNREADABLE": [1, 2, 3]})

    def test_the_report_has_the_measured_rate_of_each_month(self):
        self.play(self.lease("ann", "r1", "lea"))
        hour = now()
        counts = [reviews.PopulationCount(country="DE", utterances=1000)]
        self.api.reviews.ReportPopulation(reviews.ReportPopulationRequest(hour=hour.strftime("%Y-%m-%dT%H"), counts=counts))
        report, _ = ctl([self.host], "requests", "report", "--by", "year", "--from", f"{hour.year}-01-01", "--to", f"{hour.year + 4}-01-01")
        figures = {one["name"]: one["value"] for one in report["figures"] if one["section"] == "review_rates"}
        [shown] = {(one["period"], one["group"]) for one in report["figures"] if one["section"] == "review_rates"}
        self.assertEqual(shown, (hour.strftime("%Y-%m"), "HUMAN_REVIEW DE"), "no month that has not begun, none without counts")
        self.assertEqual((figures["heard"], figures["utterances"], figures["measured_parts_per_million"]), (1, 1000, 1000))
        self.assertTrue(0 < figures["low_parts_per_million"] < 1000 < figures["high_parts_per_million"] < 6000, figures)

    def test_the_person_is_told_what_was_heard_and_never_by_whom(self):
        heard = self.lease("ann", "r1", "listener-lea")
        self.play(heard)
        self.api.reviews.EndReview(reviews.EndReviewRequest(**heard, outcome=reviews.REVIEW_OUTCOME_INAUDIBLE))
        self.play(self.lease("bea", "r2", "listener-tom"))
        self.lease("ann", "r3", "listener-tom")  # nobody opened it

        def export(account):
            document, _ = ctl([self.host], "export-subject", account)
            return document

        told = export("ann")["heard"]
        self.assertEqual([(one["purpose"], one["country"], one["reviewer_class"], one["outcome"]) for one in told],
                         [("HUMAN_REVIEW", OFFICE.country, "EMPLOYEE", "INAUDIBLE")])
        self.assertEqual(set(told[0]), {"heard_at", "purpose", "country", "reviewer_class", "outcome"})
        self.assertLess(now() - datetime.datetime.fromisoformat(told[0]["heard_at"].replace("Z", "+00:00")), datetime.timedelta(minutes=5))
        self.assertFalse(export("ann")["heard_is_cut"])
        etags = {account: export(account)["subject"]["etag"] for account in ("ann", "bea")}
        ctl([self.host], "subject", "join", "bea", "ann", "--from-etag", etags["bea"], "--into-etag", etags["ann"], "--channel", "SUPPORT", "--actor", "SELF", "--yes")
        joined = export("ann")
        self.assertEqual([one["outcome"] for one in joined["heard"]], ["UNSPECIFIED", "INAUDIBLE"], "of both names, the latest first")
        self.assertNotIn("listener", json.dumps(joined))


if __name__ == "__main__":
    unittest.main()
