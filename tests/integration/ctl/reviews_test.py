"""`consentctl reviews`: from the lease of a recording to what the person is shown of it, and what is refused on the way."""

import json
import pathlib
import time
import unittest

from daemon import PARTLY_REFUSED, REFUSED, SOURCE, UNREADABLE, Daemon, DaemonTest, test_policy

NOBODY = "0" * 32
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PLACE = ("--country", "RO", "--site", "cluj", "--reviewer", "employee")


class ReviewsTest(DaemonTest):

    def setUp(self):
        # Each test has people of its own: nobody hears one account twice.
        self.people = [f"{name}-{self.id().rpartition('.')[2]}"[:60] for name in ("mona", "olaf", "yves")]
        for account in self.people:
            self.register(account)
            self.consent(account, "2026-01-past")

    def lines(self, *accounts):
        facts = {"captured_at": "2026-03-01T12:00:00Z", "wake": "BUTTON", "kind": "COMMAND", "speakers": "ONE", "identity": "NOT_RUN", "age": "ADULT"}
        path = pathlib.Path(self.daemon.path("leased.jsonl"))
        path.write_text("".join(json.dumps({"recording_id": f"{account}-r1", "account_id": account, **facts}) + "\n" for account in accounts))
        return str(path)

    def lease(self, *accounts, listener="anna-7", expect=0):
        """What each recording is answered."""
        told = self.json("reviews", "lease", self.lines(*accounts), "--purpose", "human-review", *PLACE, "--listener", listener, "--selection", "random",
                         expect=expect)
        return told["results"]

    def granted(self, account, listener="anna-7"):
        """The two words that name a grant, and the grant."""
        grant = self.lease(account, listener=listener)[0]["grant"]
        return (grant["grant_id"], str(grant["fence"])), grant

    def reason(self, *arguments, expect=REFUSED):
        error = self.json("reviews", *arguments, expect=expect)["error"]
        return error["reason"], error["metadata"].get("cause", error["metadata"].get("why", ""))

    def heard(self, account):
        return self.json("reviews", "heard", account)["heard"]

    def test_from_the_lease_to_the_persons_list(self):
        mona, olaf, _ = self.people
        name, grant = self.granted(mona)
        self.assertEqual({key for key in grant}, {"grant_id", "fence", "pseudonym", "media_handle", "expires_at"})
        self.assertNotIn(mona, json.dumps(grant))
        self.assertEqual(self.heard(mona), [], "given is not heard")
        self.assertEqual(self.lease(mona, listener="ben-2", expect=PARTLY_REFUSED)[0]["refusal"], "GRANTED")
        token = self.json("reviews", "open", *name, "audio")["media_token"]
        self.assertEqual(self.reason("redeem", "vendor", token), ("MEDIA_TOKEN_REFUSED", "audience"))
        self.assertEqual(self.reason("redeem", "audio", token[:-1]), ("MEDIA_TOKEN_REFUSED", "unreadable"))
        self.assertEqual(self.json("reviews", "redeem", "audio", token),
                         {"account_id": mona, "recording_id": f"{mona}-r1", "artefact": "SOURCE", "site": "cluj"})
        self.assertEqual(self.reason("redeem", "audio", token), ("MEDIA_TOKEN_REFUSED", "redeemed"))
        self.json("reviews", "renew", *name)
        self.assertEqual(self.reason("renew", *name), ("GRANT_ENDED", "RENEWED_BEFORE"))
        self.json("reviews", "submit", *name, DIGEST)
        self.json("reviews", "submit", *name, DIGEST)
        self.assertEqual(self.reason("submit", *name, "0" * 64), ("GRANT_ENDED", "SUBMITTED"))
        self.assertEqual(self.reason("open", *name, "audio"), ("GRANT_ENDED", "SUBMITTED"))
        heard = self.heard(mona)
        self.assertEqual([(one["purpose"], one["country"], one["reviewer_class"], one["outcome"]) for one in heard], [("HUMAN_REVIEW", "RO", "EMPLOYEE", "SUBMITTED")])
        self.assertNotIn("anna-7", json.dumps(heard))
        self.assertEqual(self.heard(olaf), [])
        shown = next(one for one in self.json("reviews", "list", "--state", "submitted")["grants"] if one["grant_id"] == name[0])
        self.assertEqual((shown["listener"], shown["site"], shown["opens"], shown["redeems"], shown["pseudonym"]), ("anna-7", "cluj", 1, 1, grant["pseudonym"]))
        self.assertIn("SUBMITTED", self.ctl("reviews", "list"))
        self.assertIn("SUBMITTED", self.ctl("reviews", "heard", mona))
        self.assertRegex(self.json("reviews", "key")["public_key"], "^[0-9a-f]{64}$")

    def test_what_is_restricted_is_not_opened(self):
        mona, olaf, yves = self.people
        results = self.lease(*self.people)
        names = [(one["grant"]["grant_id"], str(one["grant"]["fence"])) for one in results]
        self.assertEqual([one["recording_id"] for one in results], [f"{account}-r1" for account in self.people])
        self.json("settings", "opt-out", mona, "--all")
        self.assertEqual(self.reason("open", *names[0], "audio"), ("GRANT_ENDED", "SUBJECT_CHANGED"))
        self.assertEqual(self.reason("submit", *names[0], DIGEST, "--flag", "safety", "--flag", "child-present"), ("GRANT_ENDED", "SUBJECT_CHANGED"))
        self.assertIn((mona, f"{mona}-r1"), [(one["account_id"], one["recording_id"]) for one in self.json("flags", "list")["flags"]], "what was found is stored")
        self.assertEqual(self.reason("open", names[1][0], "77", "audio"), ("GRANT_LOST", ""))
        self.assertEqual(self.reason("open", NOBODY, "1", "audio"), ("GRANT_NOT_FOUND", ""))
        token = self.json("reviews", "open", *names[1], "audio")["media_token"]
        self.json("reviews", "revoke", "--listener", "anna-7", "--reason", "clips are passed round")
        self.assertEqual(self.reason("redeem", "audio", token), ("GRANT_ENDED", "REVOKED"))
        self.assertEqual(self.reason("open", *names[2], "audio"), ("GRANT_ENDED", "REVOKED"))
        # A flag comes never too late, and is taken up as all are.
        self.json("reviews", "end", *names[2], "safety")
        self.assertIn((yves, f"{yves}-r1"), [(one["account_id"], one["recording_id"]) for one in self.json("flags", "list")["flags"]])
        refused = self.lease(mona, yves, listener="ben-2", expect=PARTLY_REFUSED)
        self.assertEqual([(one["refusal"], one["reasons"][0]) for one in refused], [("NOT_ELIGIBLE", "SAFETY_HOLD")] * 2)
        self.assertIn("WITHDRAWN", refused[0]["reasons"])
        self.assertEqual(self.lease(olaf, expect=PARTLY_REFUSED)[0]["refusal"], "HEARD_RECENTLY")
        self.assertEqual([self.heard(account) for account in (mona, yves)], [[], []], "nothing was opened")
        self.assertEqual(len(self.heard(olaf)), 1)

    def test_a_data_system_that_cannot_call_redeems_nothing(self):
        register = ("systems", "register", "vault", "--kind", "audio", "--matches-by", "account,recording-id")
        public = "09" + "00" * 31
        self.assertEqual(self.json(*register, "--offline-key", public)["system"]["offline_key"], public)
        self.assertEqual({one["name"]: one["offline_key"] for one in self.json("systems", "list")["systems"]}["vault"], public)
        self.assertIn(public, self.ctl("systems", "list"))
        self.assertEqual(self.json(*register, expect=REFUSED)["error"]["reason"], "SYSTEM_EXISTS")
        name, _ = self.granted(self.people[1])
        token = self.json("reviews", "open", *name, "vault")["media_token"]
        self.assertEqual(self.reason("redeem", "vault", token), ("MEDIA_TOKEN_REFUSED", "offline"))
        shown = next(one for one in self.json("reviews", "list")["grants"] if one["grant_id"] == name[0])
        self.assertEqual((shown["opens"], shown["redeems"], shown["offline_opens"]), (1, 0, 1))

    def test_a_lease_is_of_ten_at_most_and_of_lines_that_can_be_read(self):
        rows = self.lines(*self.people)
        ten = pathlib.Path(rows).read_text().splitlines()[:1] * 11
        for lines, expect in ((ten, UNREADABLE), (ten[:10], PARTLY_REFUSED)):
            done = self.daemon.ctl("reviews", "lease", "-", "--purpose", "human-review", *PLACE, "--listener", "anna-7", "--json", stdin="\n".join(lines))
            self.assertEqual(done.returncode, expect, done.stderr)
        # Of duplicates one got the grant.
        self.assertEqual(["grant" in one for one in json.loads(done.stdout)["results"]], [True] + [False] * 9)


class ShippedRatesTest(DaemonTest):
    """Under the rates of the shipped policy: two of a thousand utterances."""

    @classmethod
    def setUpClass(cls):
        shipped = json.loads((SOURCE / "deploy" / "policy.json").read_text())
        cls.daemon = Daemon({**test_policy(), "review_caps": shipped["review_caps"]})

    def rates(self, *options):
        return self.json("reviews", "rates", *options)["rates"]

    def test_nobody_listens_before_somebody_says_how_much_there_is(self):
        hour = time.strftime("%Y-%m-%dT%H", time.gmtime())
        facts = {"captured_at": "2026-03-01T12:00:00Z", "wake": "BUTTON", "kind": "COMMAND", "speakers": "ONE", "identity": "NOT_RUN", "age": "ADULT"}
        for account in ("mona", "olaf"):
            self.register(account)
            self.consent(account, "2026-01-past")
            pathlib.Path(self.daemon.path(account)).write_text(json.dumps({"recording_id": "r1", "account_id": account, **facts}) + "\n")

        def lease(account, expect=0):
            return self.json("reviews", "lease", self.daemon.path(account), "--purpose", "human-review", *PLACE, "--listener", "anna-7", expect=expect)["results"][0]

        self.assertEqual(self.rates(), [])
        refused = lease("mona", PARTLY_REFUSED)
        self.assertEqual((refused["refusal"], refused["reasons"]), ("NOT_ELIGIBLE", ["CAP_SPENT"]))
        self.json("reviews", "population", hour, "RO=500")
        self.assertEqual(lease("mona", PARTLY_REFUSED)["reasons"], ["CAP_SPENT"], "where it is heard does not count, but where it was recorded")
        self.json("reviews", "population", hour, "DE=499", "FR=0")
        self.assertEqual(lease("mona", PARTLY_REFUSED)["reasons"], ["CAP_SPENT"], "less than one is two of a thousand")
        for _ in range(2):
            self.json("reviews", "population", hour, "DE=500")
        grant = lease("mona")["grant"]
        self.assertEqual(lease("olaf", PARTLY_REFUSED)["reasons"], ["CAP_SPENT"], "said again, it counts once: 500 allow one")
        self.assertEqual([(rate["country"], rate["heard"]) for rate in self.rates()], [("DE", 0), ("FR", 0), ("RO", 0)], "given is not heard")
        self.json("reviews", "open", grant["grant_id"], str(grant["fence"]), "audio")
        de, fr, _ = self.rates("--month", hour[:7])
        self.assertEqual(fr, {"purpose": "HUMAN_REVIEW", "country": "FR", "heard": 0, "utterances": 0, "allowed_parts_per_million": 2000, "measured": None})
        measured = de.pop("measured")
        self.assertEqual(de, {"purpose": "HUMAN_REVIEW", "country": "DE", "heard": 1, "utterances": 500, "allowed_parts_per_million": 2000})
        # By Wilson, z = 1.96: 1 of 500.
        self.assertAlmostEqual(measured["parts_per_million"], 2000)
        self.assertAlmostEqual(measured["low"], 353.14, delta=0.1)
        self.assertAlmostEqual(measured["high"], 11240.71, delta=1)
        self.assertEqual(self.rates("--month", "2020-01"), [])
        line = next(line.split("\t") for line in self.ctl("reviews", "rates").splitlines() if "\tDE\t" in line)
        self.assertEqual([*line[:5], line[8]], ["rate", "HUMAN_REVIEW", "DE", "1", "500", "2000"])
        self.assertEqual([float(cell) for cell in line[5:8]], [round(measured[name], 6) for name in ("parts_per_million", "low", "high")])


if __name__ == "__main__":
    unittest.main(verbosity=2)
