"""Somebody new, one adult with one profile and one tap, two adults, and what a consent does not reach, as consentctl tells it."""

import json
import unittest

from daemon import DONE, NOT_ELIGIBLE, PARTLY_REFUSED, REFUSED, USAGE, DaemonTest

ON = ("--on", "help_improve", "--notice", "2026-01", "--language", "en", "--channel", "app", "--actor", "self")


class OneTapTest(DaemonTest):
    def household(self, account, *people):
        profiles = [option for person in people for option in ("--profile", person)]
        return self.json("subject", "set", account, "--region", "DE", *profiles, "--channel", "app", "--actor", "self")["revision"]

    def toggle(self, account):
        page = self.json("settings", "get", account)["settings"]
        return next(one for one in page["controls"] if one["control"] == "help_improve")

    def turn_on(self, account, etag, *options, expect=DONE):
        return self.json("settings", "set", account, *ON, "--etag", etag, *options, expect=expect)

    def check(self, account, profile, expect):
        return self.json("check", "--account", account, "--recording", "r", "--captured-at", "2026-01-01T00:00:00Z",
                         "--wake", "button", "--kind", "command", "--speakers", "one", "--identity", "matched", "--profile", profile,
                         "--age", "adult", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--site", "cluj", "--reviewer", "employee",
                         expect=expect)["reasons"]

    def test_somebody_new_has_a_page(self):
        page = self.json("settings", "get", "nobody", "--region", "DE")
        self.assertFalse(page["registered"])
        for control in page["settings"]["controls"]:
            self.assertEqual((control["effective"], control["reason"], control["once_registered"]), ("OFF", "UNKNOWN_SUBJECT", "OFF"))
        self.assertEqual(self.check("nobody", "p", NOT_ELIGIBLE)[0], "UNKNOWN_SUBJECT")
        text = self.ctl("settings", "get", "nobody")
        self.assertIn("no: nothing of it may be used", text)
        self.assertIn("once_registered\thelp_improve\tOFF", text)
        self.assertIn("GB is meant", str(self.json("settings", "get", "nobody", "--region", "UK", expect=REFUSED)))
        self.json("subject", "get", "nobody", expect=REFUSED)

    def test_one_adult_one_profile_one_tap(self):
        etag = self.household("one", "anna:adult", "kid:child:guardian=g")
        done = self.turn_on("one", etag, "--self-profile")
        self.assertEqual({(one["scope"].get("profile_id"), one["why"]) for one in done["unreached"]}, {("kid", "CHILD_WITHOUT_GUARDIAN")})
        self.assertEqual(self.json("settings", "get", "one")["settings"]["adult_profiles"], ["anna"])
        etag = self.household("alone", "anna:adult")
        self.assertEqual(self.turn_on("alone", etag, "--self-profile")["unreached"], [])
        self.assertEqual(self.toggle("alone")["effective"], "ON")

    def test_without_it_each_scope_that_is_not_reached_is_named(self):
        etag = self.household("half", "anna:adult")
        done = self.daemon.ctl("settings", "set", "half", *ON, "--etag", etag)
        self.assertEqual(done.returncode, DONE, done.stderr)
        for purpose in ("HUMAN_REVIEW", "FEATURE_DEVELOPMENT"):
            self.assertIn(f"unreached\tprofile:anna\t{purpose}\tPROFILE_WITHOUT_CONSENT\tanna's own voice is not covered for {purpose}: ",
                          done.stdout)
        self.assertIn("--self-profile=anna", done.stdout)
        toggle = self.toggle("half")
        self.assertEqual(toggle["effective"], "PARTIAL")
        self.assertEqual([one["why"] for one in toggle["unreached"]], ["PROFILE_WITHOUT_CONSENT"] * 2)
        # One more tap, as the sentence says it.
        etag = self.json("settings", "get", "half")["etag"]
        self.assertEqual(self.turn_on("half", etag, "--profile", "anna")["unreached"], [])
        self.assertEqual(self.toggle("half")["effective"], "ON")

    def test_a_registration_and_an_import_say_it_too(self):
        done = self.json("subject", "set", "first", "--region", "DE", "--profile", "anna:adult", *ON)
        self.assertEqual({(one["scope"].get("profile_id"), one["why"]) for one in done["unreached"]}, {("anna", "PROFILE_WITHOUT_CONSENT")})
        yes = {"control": "help_improve", "turn": "ON", "notice_version": "2026-01", "notice_language": "en"}
        own = {**yes, "scope": {"profile_id": "anna"}}
        lines = [{"account_id": f"brought-{number}", "region": "DE", "profiles": [{"profile_id": "anna", "age": "ADULT"}], "choices": choices}
                 for number, choices in enumerate(([yes], [yes, own], []))]
        done = self.daemon.ctl("import", "-", stdin="".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertIn("unreached\t1\t", done.stdout)
        self.assertEqual([self.json("settings", "get", f"brought-{number}")["settings"]["controls"][0]["effective"] for number in range(3)],
                         ["PARTIAL", "ON", "OFF"])

    def test_two_adults_are_told_apart(self):
        etag = self.household("two", "anna:adult", "bert:adult")
        done = self.daemon.ctl("settings", "set", "two", *ON, "--etag", etag, "--self-profile")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("2 adults have a profile (anna, bert); say whose yes it is, such as --self-profile=anna", done.stderr)
        self.assertEqual(self.toggle("two")["effective"], "OFF", "nothing was turned on")
        # A no beside it is done all the same, and the yes is told as left out.
        mixed = self.turn_on("two", etag, "--off", "train_models", "--self-profile", expect=PARTLY_REFUSED)
        self.assertEqual([(one["part"], one["refused_reason"]) for one in mixed["results"]], [("changes[0]", ""), ("--on", "NOT_SENT")])
        self.assertEqual(self.toggle("two")["effective"], "OFF")
        etag = self.json("settings", "get", "two")["etag"]
        done = self.turn_on("two", etag, "--self-profile=bert")
        self.assertEqual({one["scope"]["profile_id"] for one in done["unreached"]}, {"anna"})

    def test_nobody_is_no_adult(self):
        etag = self.household("none", "kid:child:guardian=g")
        done = self.daemon.ctl("settings", "set", "none", *ON, "--etag", etag, "--self-profile")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("no adult's profile is registered", done.stderr)

    def test_an_empty_or_doubtful_value_is_nobodys(self):
        etag = self.household("typed", "anna:adult")
        for option in (["--self-profile="], ["--self-profile", ""], ["--self-profile", "(the only adult)"],
                       ["--self-profile=(the only adult)"]):
            self.ctl("settings", "set", "typed", *ON, "--etag", etag, *option, expect=USAGE)
        mixed = self.turn_on("typed", etag, "--off", "train_models", "--self-profile", "", expect=PARTLY_REFUSED)
        self.assertEqual([one["refused_reason"] for one in mixed["results"]], ["", "NOT_SENT"])
        self.assertEqual(self.toggle("typed")["effective"], "OFF")

    def test_a_problem_is_told_once_with_what_there_is(self):
        etag = self.household("slip", "anna:adult")
        done = self.daemon.ctl("settings", "set", "slip", "--on", "help_improv", *ON[2:], "--etag", etag)
        self.assertEqual(done.returncode, REFUSED)
        self.assertEqual(done.stderr.count("no such control"), 1, done.stderr)
        self.assertIn("changes[0].target.control: the policy has no such control; did you mean help_improve? There are ", done.stderr)
        done = self.daemon.ctl("settings", "opt-out", "slip", "--purpose", "human-reveiw")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("did you mean HUMAN_REVIEW?", done.stderr)
        error = json.loads(self.ctl("settings", "set", "slip", *ON[:2], "--notice", "2026-1", *ON[4:], "--etag", etag, "--json",
                                    expect=REFUSED))["error"]
        self.assertEqual(error["reason"], "NOTICE_NOT_USABLE")
        self.assertIn("did you mean 2026-01?", error["message"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
