"""The commands one by one: choices in, decisions out, history, policy, and every refusal with its exit code."""

import datetime
import hashlib
import unittest

from daemon import DONE, KEEP, NO_ANSWER, NOT_ELIGIBLE, PARTLY_REFUSED, REFUSED, DaemonTest


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class StoryTest(DaemonTest):
    def check(self, account, expect, reviewer="employee"):
        return self.json("check", "--account", account, "--recording", "r-" + account, "--captured-at", now(),
                         "--captured-uncertainty-ms", "0", "--wake", "button", "--kind", "command", "--speakers", "one",
                         "--identity", "not-run", "--age", "adult", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--site",
                         "cluj", "--reviewer", reviewer, expect=expect)

    def test_choice_decision_opt_out_history(self):
        self.assertEqual(self.check("ann", NOT_ELIGIBLE)["reasons"][0], "UNKNOWN_SUBJECT")
        self.register("ann")
        self.assertEqual(self.check("ann", NOT_ELIGIBLE)["reasons"][0], "NO_CONSENT")
        before = now()
        self.consent("ann")
        self.assertEqual(self.check("ann", DONE)["reasons"], ["CONSENT"])
        self.assertEqual(self.check("ann", NOT_ELIGIBLE, "contractor")["reasons"][0], "REVIEWER_NOT_ALLOWED")
        out = self.json("settings", "opt-out", "ann", "--control", "help_improve")
        self.assertEqual(sorted(out["changed_purposes"]), ["FEATURE_DEVELOPMENT", "HUMAN_REVIEW"])
        self.assertEqual(self.check("ann", NOT_ELIGIBLE)["reasons"][0], "WITHDRAWN")
        self.assertEqual(self.json("settings", "opt-out", "ann", "--control", "help_improve")["changed_purposes"], [])
        history = self.json("settings", "history", "ann")["entries"]
        self.assertEqual(history[-1]["kind"], "UPSERT_SUBJECT")
        self.assertIn("OPT_OUT", [entry["kind"] for entry in history])
        past = self.json("settings", "at", "ann", before)
        self.assertEqual(past["policy"]["version"], "ctl-test-1")
        # Human forms hold the same: a pipe gets lines of cells.
        self.assertIn("control\thelp_improve\tOFF", self.ctl("settings", "get", "ann"))
        self.assertIn("entry\t", self.ctl("settings", "history", "ann"))

    def test_what_was_shown_is_told_word_for_word(self):
        self.register("ada")
        self.consent("ada")
        page = self.json("settings", "get", "ada", "--language", "de")["settings"]
        toggle = next(one for one in page["controls"] if one["control"] == "help_improve")
        self.assertIn("Menschen hören", toggle["text"]["sentence"])
        self.assertIn("2026-01", toggle["notice_versions"])
        export = self.json("export-subject", "ada")
        shown = {text["sha256"]: text for text in export["texts_shown"]}
        given, = (entry for entry in export["history"] if entry["shown_sha256"])
        self.assertEqual(sorted(given["shown_sha256"]), sorted(shown))
        self.assertEqual({text.get("control") or text["notice_version"] for text in shown.values()},
                         {"help_improve", given["evidence"]["notice_version"]})
        for text in shown.values():
            self.assertEqual(text["language"], "en")
            digest = hashlib.sha256(f"{text['title']}\n{text['sentence']}\n".encode()).hexdigest()
            self.assertEqual(digest, text["sha256"])
        past = self.json("settings", "at", "ada", now())
        self.assertEqual(sorted(text["sha256"] for text in past["shown_texts"]), sorted(shown))
        self.assertIn("People listen to some of your recordings", self.ctl("export-subject", "ada", "--text"))
        self.json("settings", "opt-out", "ada", "--control", "help_improve")
        toggle = next(one for one in self.json("settings", "get", "ada")["settings"]["controls"] if one["control"] == "help_improve")
        year = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=366)
        self.assertEqual(toggle["may_ask_again_at"][:10], year.strftime("%Y-%m-%d"))

    def test_loosening_needs_the_etag_that_was_looked_at(self):
        etag = self.register("ben")
        failed = self.json("settings", "set", "ben", "--on", "help_improve", "--notice", "2026-01", "--language", "en",
                           "--channel", "app", "--actor", "self", expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "ETAG_REQUIRED")
        self.consent("ben", etag=etag)
        failed = self.json("settings", "set", "ben", "--on", "train_models", "--notice", "2026-01", "--language", "en",
                           "--channel", "app", "--actor", "self", "--etag", etag, expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "ETAG_MISMATCH")

    def test_mixed_change_tells_each_part(self):
        etag = self.register("cleo")
        self.consent("cleo")
        done = self.json("settings", "set", "cleo", "--off", "help_improve", "--on", "train_models", "--notice", "2026-01",
                         "--language", "en", "--channel", "app", "--actor", "self", "--etag", etag, expect=PARTLY_REFUSED)
        self.assertEqual([part["applied"] for part in done["results"]], [True, False])
        self.assertEqual(done["results"][1]["refused_reason"], "ETAG_MISMATCH")

    def test_opt_out_before_registration_stays(self):
        self.json("settings", "opt-out", "dan", "--all")
        self.assertFalse(self.json("subject", "get", "dan")["registered"])
        self.register("dan")
        self.assertEqual(self.json("settings", "get", "dan")["settings"]["refused_all"], [{}])

    def test_subject_shows_what_was_set(self):
        self.json("subject", "set", "eve", "--region", "US-CA", "--profile", "mum:adult", "--profile",
                  "kid:born=2020-05-01:guardian=mum", "--device", "kitchen", "--off", "advertising", "--retention", "3m",
                  "--channel", "app", "--actor", "self")
        subject = self.json("subject", "get", "eve")
        self.assertEqual(subject["region"], "US-CA")
        self.assertEqual(subject["devices"], ["kitchen"])
        ages = {profile["profile_id"]: profile["age"] for profile in subject["profiles"]}
        self.assertEqual(ages, {"mum": "adult", "kid": "born=2020-05-01"})
        settings = self.json("settings", "get", "eve")["settings"]
        self.assertEqual(settings["retention"][0]["keep"], "3m")

    def test_reported_recordings_are_never_eligible_again(self):
        self.register("fay")
        self.consent("fay")
        self.check("fay", DONE)
        self.assertEqual(self.json("report-recording", "fay", "r-fay", "--flag", "critical-data")["flags"], ["CRITICAL_DATA"])
        self.assertEqual(self.check("fay", NOT_ELIGIBLE)["reasons"][0], "CRITICAL_DATA")

    def test_check_reads_a_file_and_standard_input(self):
        self.register("gus")
        line = '{"recording_id":"r","account_id":"gus","wake":"BUTTON","country":"RO","reviewer":"EMPLOYEE"}'
        out = self.ctl("check", "--file", "-", "--purpose", "HUMAN_REVIEW", "--json", expect=NOT_ELIGIBLE, stdin=line)
        self.assertIn("MISSING_FACT", out)
        self.ctl("check", "--file", "-", "--disposition", "--json", expect=KEEP, stdin=line)

    def test_unknown_things_are_refused(self):
        failed = self.json("subject", "get", "nobody-here", expect=REFUSED)
        self.assertEqual(failed["error"]["reason"], "SUBJECT_NOT_FOUND")
        self.assertNotIn("nobody-here", str(failed))
        self.json("policy", "show", "--version", "none", expect=REFUSED)
        self.json("settings", "opt-out", "zed", "--control", "no_such_control", expect=REFUSED)


class SuspensionTest(DaemonTest):
    def test_suspend_and_resume(self):
        self.register("ann")
        self.consent("ann")
        suspended = self.json("policy", "suspend", "human-review", "--region", "DE", "--reason", "press report")["suspension"]
        self.assertTrue(suspended["active"])
        self.assertEqual(len(self.json("policy", "show")["suspensions"]), 1)
        self.json("policy", "resume", "human-review", "--region", "DE", "--reason", "done", expect=REFUSED)
        resumed = self.json("policy", "resume", "human-review", "--region", "DE", "--reason", "done", "--etag",
                            suspended["etag"])["suspension"]
        self.assertFalse(resumed["active"])


class UnreachableTest(DaemonTest):
    def test_no_daemon_is_no_answer_and_it_goes_on_afterwards(self):
        self.register("ann")
        self.daemon.stop()
        self.ctl("check", "--account", "ann", "--recording", "r", "--purpose", "HUMAN_REVIEW", expect=NO_ANSWER)
        lines, summary = self.filter('{"recording_id":"r","account_id":"ann"}\n', expect=NO_ANSWER)
        self.assertEqual(lines, [])
        self.assertEqual(summary["unanswered"], 1)
        self.assertEqual(summary["first_unanswered_line"], 1)
        self.daemon.start()
        self.assertTrue(self.json("subject", "get", "ann")["registered"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
