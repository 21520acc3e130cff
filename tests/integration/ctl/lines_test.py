"""import and filter against the real daemon: lines in, and nothing out that was not allowed."""

import json
import os
import pathlib
import subprocess
import unittest

from daemon import CONSENTCTL, DONE, FILES, NO_ANSWER, NOT_ALL_COUNTED, UNREADABLE, Daemon, DaemonTest


def consent(control="help_improve", **more):
    return {"control": control, "turn": "ON", "notice_version": "2026-01-past", "notice_language": "en",
            "given_at": "2026-02-01T00:00:00Z", **more}


def subject(account, *choices, **more):
    return {"account_id": account, "region": "DE", "profiles": [{"profile_id": "voice", "age": "ADULT"}],
            "choices": list(choices), **more}


def recording(account, number, **more):
    return {"recording_id": f"{number:08x}", "account_id": account, "captured_at": "2026-03-01T00:00:00Z", "wake": "BUTTON",
            "kind": "COMMAND", "speakers": "ONE", "identity": "NOT_RUN", "age": "ADULT", **more}


def lines(*objects):
    return "".join(json.dumps(one) + "\n" for one in objects)


class ImportTest(DaemonTest):
    def run_import(self, text, *arguments, expect=DONE):
        path = pathlib.Path(self.daemon.path("import.jsonl"))
        path.write_text(text)
        return self.json("import", str(path), *arguments, expect=expect)

    def test_choices_arrive_and_are_marked(self):
        done = self.run_import(lines(subject("i1", consent(), {"purpose": "ADVERTISING", "turn": "OFF"}, retention="3m")))
        self.assertEqual(done["imported"], 1)
        settings = self.json("settings", "get", "i1")["settings"]
        given = [d for d in settings["details"] if d["purpose"] == "HUMAN_REVIEW" and d["choice"] == "GIVEN"]
        self.assertTrue(given and given[0]["imported"], settings["details"])
        self.assertEqual(given[0]["since"], "2026-02-01T00:00:00Z")
        off = [d for d in settings["details"] if d["purpose"] == "ADVERTISING" and d["scope"] == {}]
        self.assertEqual(off[0]["choice"], "REFUSED")
        self.assertEqual(settings["retention"][0]["keep"], "3m")

    def test_what_is_unset_of_who_is_registered_is_filled(self):
        self.json("subject", "set", "i0", "--retention", "3m")
        done = self.run_import(lines(subject("i0", consent(), devices=["kitchen"])))
        self.assertEqual((done["imported"], done["refused"]), (1, 0))
        found = self.json("subject", "get", "i0")
        self.assertEqual((found["region"], [one["profile_id"] for one in found["profiles"]], found["devices"]), ("DE", ["voice"], ["kitchen"]))
        again = self.run_import(lines(dict(subject("i0"), region="US")), expect=NOT_ALL_COUNTED)
        self.assertEqual(again["refused"], 1)
        self.assertEqual(self.json("subject", "get", "i0")["region"], "DE")

    def test_a_refusal_of_a_profile_survives_its_registration(self):
        self.run_import(lines(subject("i2", consent(), {"scope": {"profile_id": "voice"}, "all": True, "turn": "OFF"})))
        settings = self.json("settings", "get", "i2")["settings"]
        self.assertIn({"profile_id": "voice"}, settings["refused_all"])

    def test_repeating_changes_nothing(self):
        text = lines(subject("i3", consent(), {"purpose": "ADVERTISING", "turn": "OFF"}))
        self.run_import(text)
        etag = self.json("settings", "get", "i3")["etag"]
        self.assertEqual(self.run_import(text)["imported"], 1)
        self.assertEqual(self.json("settings", "get", "i3")["etag"], etag)

    def test_it_never_overrides_what_was_chosen_since(self):
        self.register("i4")
        self.json("settings", "opt-out", "i4", "--control", "help_improve")
        done = self.run_import(lines(subject("i4", consent())), expect=NOT_ALL_COUNTED)
        self.assertEqual(done["refused"], 1)
        settings = self.json("settings", "get", "i4")["settings"]
        self.assertEqual([c["effective"] for c in settings["controls"] if c["control"] == "help_improve"], ["OFF"])

    def test_bad_lines_are_told_and_the_others_done(self):
        refused = self.daemon.path("refused")
        text = lines(subject("i5", consent(notice_version="none")), {"account_id": "i7", "region": 7}, subject("i6"))
        done = self.run_import(text, "--refused", refused, expect=NOT_ALL_COUNTED)
        self.assertEqual((done["imported"], done["refused"], done["unreadable"]), (1, 2, 0))
        told = [json.loads(line) for line in pathlib.Path(refused).read_text().splitlines()]
        self.assertEqual([(one["line"], one["reason"]) for one in told], [(2, "UNREADABLE"), (1, "NOTICE_NOT_USABLE")])
        self.assertNotIn("i5", pathlib.Path(refused).read_text())
        self.assertEqual(os.stat(refused).st_mode & 0o777, 0o600)

    def test_a_line_that_could_be_anybodys_holds_back_every_yes(self):
        off = {"purpose": "ADVERTISING", "turn": "OFF"}
        done = self.run_import(lines(subject("i8", consent(), off)) + "garbage\n" + lines({"account_id": "i9", "choices": [off]}),
                               expect=UNREADABLE)
        self.assertEqual((done["imported"], done["refused"], done["unreadable"]), (1, 1, 1))
        settings = self.json("settings", "get", "i8")["settings"]
        self.assertNotIn("ON", [c["effective"] for c in settings["controls"] if c["control"] == "help_improve"])

    def test_a_key_twice_beside_a_no_does_not_lose_it(self):
        twice = '{"account_id":"i10","profiles":[{"profile_id":"p","age":"ADULT","age":"CHILD"}],"choices":[{"all":true,"turn":"OFF"}]}\n'
        self.run_import(twice + lines(subject("i10", consent())), expect=NOT_ALL_COUNTED)
        settings = self.json("settings", "get", "i10")["settings"]
        self.assertEqual([c["effective"] for c in settings["controls"] if c["control"] == "help_improve"], ["OFF"])

    def test_standard_input_and_state(self):
        text = lines(*(subject(f"s{n}", consent()) for n in range(200)))
        state = self.daemon.path("state")
        self.assertIn('"imported": 200', self.ctl("import", "-", "--state", state, "--json", stdin=text))
        self.assertIn('"imported": 200', self.ctl("import", "-", "--state", state, "--json", stdin=text))
        self.ctl("import", "-", "--state", state, stdin=text + text, expect=FILES)


class InterruptedImportTest(DaemonTest):
    def test_it_goes_on_after_the_daemon_went(self):
        path = pathlib.Path(self.daemon.path("import.jsonl"))
        path.write_text(lines(*(subject(f"r{n}", consent(), {"purpose": "ADVERTISING", "turn": "OFF"}) for n in range(300))))
        state = self.daemon.path("state")
        self.daemon.stop()
        self.ctl("import", str(path), "--state", state, expect=NO_ANSWER)
        self.daemon.start()
        self.assertEqual(self.json("import", str(path), "--state", state)["imported"], 300)


    def test_what_one_store_has_taken_another_has_not(self):
        other = Daemon()
        self.addCleanup(other.close)
        state = self.daemon.path("elsewhere")
        text = lines({"account_id": "e1", "choices": [{"all": True, "turn": "OFF"}]})
        self.assertEqual(other.ctl("import", "-", "--state", state, stdin=text).returncode, DONE)
        done = self.daemon.ctl("import", "-", "--state", state, stdin=text)
        self.assertEqual(done.returncode, FILES)
        self.assertIn("another store", done.stderr)
        self.ctl("import", "-", "--state", state + "-2", stdin=text)
        self.assertEqual(self.json("settings", "get", "e1")["settings"]["refused_all"], [{}])


class FilterTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = lines(subject("yes", consent(), consent(scope={"profile_id": "voice"})), subject("no"), subject("never", {"all": True, "turn": "OFF"}),
                     subject("gone", consent(), retention="do-not-save"))
        done = cls.daemon.ctl("import", "-", stdin=text)
        assert done.returncode == DONE, done.stderr

    def test_exactly_the_right_ones_without_ids(self):
        text = lines(recording("yes", 1, profile_ids=["voice"], extra="yes-private"), recording("no", 2), recording("never", 3),
                     recording("gone", 4), recording("unknown", 5), recording("yes", 6, wake="ACCIDENTAL"))
        refused, purge = self.daemon.path("refused"), self.daemon.path("purge")
        passed, summary = self.filter(text, "--refused", refused, "--purge", purge)
        self.assertEqual([one["recording_id"] for one in passed], ["00000001"])
        self.assertEqual(set(passed[0]), {"recording_id", "pseudonym", "wake", "kind", "speakers"})
        self.assertEqual(summary["eligible"], 1)
        self.assertEqual(summary["refused"], 5)
        told = {one["line"]: one for one in map(json.loads, pathlib.Path(refused).read_text().splitlines())}
        self.assertEqual(told[2]["reasons"][0], "NO_CONSENT")
        self.assertEqual(told[4]["disposition"], "PURGE")
        self.assertEqual(told[5]["reasons"][0], "UNKNOWN_SUBJECT")
        gone = [json.loads(line)["line"] for line in pathlib.Path(purge).read_text().splitlines()]
        self.assertIn(4, gone)
        self.assertEqual(summary["to_purge"], len(gone))

    def test_lines_that_cannot_be_read_stay_out(self):
        good = lines(recording("yes", 1))
        bad = ["garbage\n", '{"recording_id":"x"}\n', good.replace("BUTTON", "LOUD"), good.replace('"wake"', '"Wake"'),
               good.replace('"kind"', '"wake":"BUTTON","kind"'), lines(recording("yes", 2, region="XX-TOOLONG")),
               lines(recording("yes", 3, x="y" * 70_000))]
        passed, summary = self.filter(good + "".join(bad) + good, expect=UNREADABLE)
        self.assertEqual(len(passed), 2)
        self.assertEqual(summary["unreadable"], len(bad))
        self.assertEqual([one["line"] for one in summary["unreadable_lines"]], list(range(2, 2 + len(bad))))

    def test_the_daemon_refuses_one_line_and_not_the_others(self):
        text = lines(recording("yes", 1), recording("yes", 2, region="ZZ9"), recording("yes", 3))
        passed, summary = self.filter(text, expect=UNREADABLE)
        self.assertEqual(len(passed), 2)
        self.assertEqual(summary["unreadable_lines"][0]["line"], 2)

    def test_set_fills_and_never_replaces(self):
        bare = {"recording_id": "1", "account_id": "yes", "captured_at": "2026-03-01T00:00:00Z"}
        fill = ["--set", "wake=BUTTON", "--set", "kind=COMMAND", "--set", "speakers=ONE", "--set", "identity=NOT_RUN", "--set",
                "age=ADULT"]
        passed, _ = self.filter(lines(bare, {**bare, "wake": "ACCIDENTAL"}), *fill)
        self.assertEqual(len(passed), 1)

    def test_kept_ids_are_the_lines_as_they_came(self):
        line = lines(recording("yes", 1)).strip()
        done = self.daemon.ctl("filter", "--purpose", "HUMAN_REVIEW", "--country", "RO", "--reviewer", "employee", "--site", "x",
                               "--keep-ids", stdin=line + "\r\n" + line)
        self.assertEqual(done.stdout, line + "\n" + line + "\n")
        self.assertIn("eligible     2", done.stderr)

    def test_a_reader_that_goes_away_is_told(self):
        text = lines(*(recording("yes", n) for n in range(20_000)))
        path = pathlib.Path(self.daemon.path("many.jsonl"))
        path.write_text(text)
        read, write = os.pipe()
        process = subprocess.Popen([CONSENTCTL, "--endpoint", self.daemon.endpoint, "filter", str(path), "--purpose",
                                    "HUMAN_REVIEW", "--country", "RO", "--reviewer", "employee", "--site", "x"], stdout=write,
                                   stderr=subprocess.PIPE)
        os.close(write)
        os.close(read)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, FILES, err)

    def test_input_is_never_an_output(self):
        path = pathlib.Path(self.daemon.path("same.jsonl"))
        text = lines(recording("no", 1))
        path.write_text(text)
        for flag in ("--refused", "--purge"):
            self.ctl("filter", str(path), "--purpose", "HUMAN_REVIEW", flag, str(path), expect=FILES)
        self.assertEqual(path.read_text(), text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
