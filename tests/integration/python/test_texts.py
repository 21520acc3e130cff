"""What people are shown: a settings page made of the answer alone, the very text of a past consent, and appeals; against the shipped policy's file."""

import datetime
import hashlib
import json
import signal
import unittest

import grpc

from consent.v1 import appeal_pb2 as appeal
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import policy_service_pb2 as policies
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types

from harness import DEFAULT_POLICY, DaemonTest, one_person, refused, until
from words import NOTICE, NOTICE_PAST, ago, fresh_id, household, turn, turn_on, update


def shown(sentence):
    """As people see it: read off the file's own rule, and not by the daemon."""
    return sentence.replace("[[", "").replace("]]", "")


def digest(title, sentence):
    return hashlib.sha256(f"{title}\n{sentence}\n".encode()).digest()


class Texts(DaemonTest):

    def setUp(self):
        super().setUp()
        self.path = self.folder / "policy.json"
        self.document = one_person(json.loads(DEFAULT_POLICY.read_text()))
        self.write()
        self.process = self.daemon("--policy", self.path)
        self.api = self.client(self.process)

    def write(self):
        self.path.write_text(json.dumps(self.document, ensure_ascii=False))

    def reload(self, result):
        series = f'consentd_policy_reloads_total{{result="{result}"}}'
        before = self.process.metric(series)
        self.process.signal(signal.SIGHUP)
        until(lambda: self.process.metric(series) == before + 1, f"a reload that ends as {result}")

    def of_policy(self, kind, name, language):
        key = "version" if kind == "notices" else "name"
        entry = next(one for one in self.document[kind] if one[key] == name)
        text = next(one for one in entry["texts"] if one["language"] == language)
        return language, text["title"], shown(text["sentence"])

    def get(self, account, language=""):
        return self.api.settings.GetSettings(settings.GetSettingsRequest(account_id=account, language=language)).settings

    def at(self, account, when):
        return self.api.settings.GetSettingsAt(settings.GetSettingsAtRequest(account_id=account, at=when))

    def agree(self, account, notice=NOTICE, language="en"):
        registered = self.api.subjects.UpsertSubject(household(account))
        yes = turn_on(account, registered.revision, notice)
        yes.evidence.notice_language = language
        self.api.settings.UpdateSettings(yes)

    def test_a_page_needs_nothing_else(self):
        self.api.subjects.UpsertSubject(household("ann"))
        for language, found in (("de", "de"), ("de-AT", "de"), ("DE", "de"), ("en", "en"), ("fr", "en"), ("", "en")):
            page = self.get("ann", language)
            self.assertEqual(len(page.controls), len(self.document["controls"]))
            for control in page.controls:
                text = control.text
                self.assertEqual((text.language, text.title, text.sentence), self.of_policy("controls", control.control, found))
                self.assertEqual(text.control, control.control)
                self.assertEqual(text.sha256, digest(text.title, text.sentence))
                self.assertEqual(list(control.notice_versions), [NOTICE, NOTICE_PAST])
                self.assertNotIn("[[", text.sentence)
            for notice in page.notices:
                text = notice.text
                self.assertEqual((text.language, text.title, text.sentence), self.of_policy("notices", text.notice_version, found))
                self.assertTrue(notice.offered and notice.says_people_listen)
        help_improve = next(one for one in self.get("ann", "de").controls if one.control == "help_improve")
        self.assertIn("Menschen hören", help_improve.text.sentence)
        self.assertTrue(help_improve.people_listen)
        error = refused(self.api.settings.GetSettings, settings.GetSettingsRequest(account_id="ann", language="x" * 36))
        self.assertEqual((error.reason, list(error.fields)), ("INVALID_FIELD", ["language"]))

    def test_the_very_text_is_told_however_the_policy_goes_on(self):
        self.agree("ben", language="de")
        then = ago(seconds=0)
        was = {"notice": self.of_policy("notices", NOTICE, "de"), "control": self.of_policy("controls", "help_improve", "de")}
        self.document["version"] = "v2"
        for control in self.document["controls"]:
            for text in control["texts"]:
                text["title"] += " (neu)"
        self.write()
        self.reload("ok")
        now = self.at("ben", ago(seconds=0))
        self.assertEqual(now.policy.version, "v2")
        for answer in (self.at("ben", then), now):
            texts = {"notice" if text.notice_version else "control": text for text in answer.shown_texts}
            self.assertEqual({kind: (text.language, text.title, text.sentence) for kind, text in texts.items()}, was)
            for text in texts.values():
                self.assertEqual(text.sha256, digest(text.title, text.sentence))
            for detail in answer.settings.details:
                of_it = detail.choice == types.CHOICE_GIVEN
                self.assertEqual(sorted(detail.shown_sha256), sorted(text.sha256 for text in texts.values()) if of_it else [])
        page = self.api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id="ben"))
        self.assertEqual([len(entry.shown_sha256) for entry in page.entries], [2, 0])
        self.assertEqual({(text.language, text.title, text.sentence) for text in page.texts}, set(was.values()))
        # What is asked now is asked in the new words.
        self.assertTrue(all(control.text.title.endswith("(neu)") for control in self.get("ben", "de").controls))

    def test_a_text_never_changes_under_its_version(self):
        served = self.document["version"]
        self.document["version"] = "v2"
        self.document["notices"][1]["texts"][0]["sentence"] += " Noch etwas."
        self.write()
        self.reload("refused")
        why = [event for event in self.process.events() if event["event"].startswith("policy reload refused")][-1]["why"]
        self.assertRegex(why, r'notices\["2026-01-past"\].texts\["de"\] \(line 1, column \d+\)')
        self.assertIn("a new text is a notice of a new version", why)
        self.assertEqual(self.api.policies.GetPolicy(policies.GetPolicyRequest()).policy.version, served)
        self.document["notices"][1]["version"] = "2026-12-past"
        self.write()
        # A new notice loosens, so whoever puts it in force names it.
        content = self.path.read_bytes()
        loosens = [one.words for one in self.api.policies.DiffPolicy(policies.DiffPolicyRequest(policy_json=content)).differences
                   if one.effect == policies.POLICY_EFFECT_LOOSENS]
        self.api.policies.ActivatePolicy(policies.ActivatePolicyRequest(policy_json=content, loosens=loosens))
        self.assertEqual(self.api.policies.GetPolicy(policies.GetPolicyRequest()).policy.version, "v2")

    def test_a_toggle_must_say_that_people_listen_in_each_language(self):
        self.document["version"] = "v2"
        text = self.document["controls"][0]["texts"][0]
        text["sentence"] = shown(text["sentence"])
        self.write()
        self.reload("refused")
        why = [event for event in self.process.events() if event["event"].startswith("policy reload refused")][-1]["why"]
        self.assertIn('controls[0].texts[0].sentence: in "de": people listen to what "help_improve" allows', why)
        self.assertRegex(why, r"\(line 1, column \d+\)")

    def test_who_said_no_may_be_asked_again_a_year_and_a_day_later(self):
        self.api.subjects.UpsertSubject(household("cleo"))
        self.assertFalse(any(one.HasField("may_ask_again_at") for one in self.get("cleo").controls))
        before = datetime.datetime.now(datetime.timezone.utc)
        self.api.settings.UpdateSettings(update("cleo", [turn(settings.SWITCH_OFF)]))
        after = datetime.datetime.now(datetime.timezone.utc)
        page = self.get("cleo")
        asked = {one.control: one.may_ask_again_at.ToDatetime(datetime.timezone.utc) for one in page.controls if one.HasField("may_ask_again_at")}
        self.assertEqual(list(asked), ["help_improve"])
        year = datetime.timedelta(days=366)
        slack = datetime.timedelta(seconds=1)
        self.assertTrue(before + year - slack <= asked["help_improve"] <= after + year + slack, asked)
        for detail in page.details:
            no = detail.choice == types.CHOICE_REFUSED
            self.assertEqual(detail.HasField("may_ask_again_at"), no)
            if no:
                self.assertEqual(detail.may_ask_again_at.seconds - detail.since.seconds, 366 * 86_400)


class Appeals(DaemonTest):

    def setUp(self):
        super().setUp()
        self.process = self.daemon()
        self.api = self.client(self.process)

    def denied(self, account):
        self.api.subjects.UpsertSubject(household(account))
        asked = self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id=account, selector=deletion.DeletionSelector(everything=True), requester=types.ACTOR_SELF, request_id=fresh_id())).request
        return self.api.deletions.DenyDeletionRequest(deletion.DenyDeletionRequestRequest(
            deletion_id=asked.deletion_id, reason="identity not shown", language="de-CH")).request

    def get(self, request, language=""):
        return self.api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(deletion_id=request.deletion_id, language=language)).request

    def receive(self, request, kind=appeal.APPEAL_KIND_APPEAL, **more):
        more.setdefault("request_id", fresh_id())
        return self.api.deletions.ReceiveAppeal(deletion.ReceiveAppealRequest(deletion_id=request.deletion_id, kind=kind, **more))

    def metrics(self):
        overdue = (self.process.metric_sum("consentd_appeals_overdue", deadline=deadline) for deadline in ("acknowledgement", "answer"))
        return self.process.metric_sum("consentd_appeals_open"), *overdue

    def test_a_denial_says_how_to_appeal(self):
        policy = json.loads(DEFAULT_POLICY.read_text())
        eea = {text["language"]: text for text in next(regime for regime in policy["regimes"] if regime["name"] == "eea")["appeal_texts"]}
        request = self.denied("ann")
        for language, how in (("de", request.how_to_appeal), ("en", self.get(request).how_to_appeal), ("de", self.get(request, "de").how_to_appeal)):
            self.assertEqual((how.language, how.sentence, how.url), (language, eea[language]["sentence"], eea[language]["url"]))
        self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id="ann", selector=deletion.DeletionSelector(everything=True), requester=types.ACTOR_SELF, request_id=fresh_id()))
        listed = self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(account_id="ann", language="de")).requests
        self.assertEqual([one.HasField("how_to_appeal") for one in listed], [True, False], "only whoever was denied is told")

    def test_an_appeal_from_its_receipt_to_its_answer(self):
        request = self.denied("ben")
        answer = self.receive(request, request_id="once")
        self.assertFalse(answer.already)
        self.assertEqual(self.receive(request, request_id="once"), answer, "the same request_id is answered as before")
        self.assertTrue(self.receive(request, appeal.APPEAL_KIND_COMPLAINT).already)
        one, = answer.request.appeals
        self.assertEqual((one.kind, one.state), (appeal.APPEAL_KIND_APPEAL, appeal.APPEAL_STATE_RECEIVED))
        self.assertFalse(one.HasField("acknowledged_at") or one.HasField("answered_at") or one.acknowledgement_overdue or one.answer_overdue)
        received = one.received_at.ToDatetime(datetime.timezone.utc).date()
        # Ten business days and a month, counted here day by day.
        day, left = received, 10
        while left:
            day += datetime.timedelta(days=1)
            left -= day.weekday() < 5
        self.assertEqual(one.acknowledge_by.ToDatetime().date(), day + datetime.timedelta(days=1), "the end of its day")
        self.assertGreaterEqual((one.answer_by.ToDatetime().date() - received).days, 29)
        self.assertLessEqual((one.answer_by.ToDatetime().date() - received).days, 32)
        self.assertEqual(self.metrics(), (1, 0, 0))
        found = self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(has_open_appeal=True)).requests
        self.assertEqual([each.deletion_id for each in found], [request.deletion_id])
        told = self.api.deletions.AcknowledgeAppeal(deletion.AcknowledgeAppealRequest(deletion_id=request.deletion_id, request_id=fresh_id()))
        self.assertEqual(told.request.appeals[0].state, appeal.APPEAL_STATE_ACKNOWLEDGED)
        self.process.kill()
        self.api.close()
        self.process.start()
        self.api = self.client(self.process)
        self.assertEqual(self.metrics(), (1, 0, 0))
        ended = self.api.deletions.AnswerAppeal(deletion.AnswerAppealRequest(
            deletion_id=request.deletion_id, outcome=appeal.APPEAL_OUTCOME_GRANTED, answer="the identity was shown by letter", request_id=fresh_id()))
        one, = ended.request.appeals
        self.assertEqual((one.state, one.outcome), (appeal.APPEAL_STATE_ANSWERED, appeal.APPEAL_OUTCOME_GRANTED))
        self.assertEqual(ended.request.state, deletion.DELETION_STATE_DENIED, "it is asked for again")
        self.assertEqual(self.metrics(), (0, 0, 0))
        self.assertEqual(list(self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(has_open_appeal=True)).requests), [])
        kinds = [entry.kind for entry in self.api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id="ben")).entries]
        for kind in (settings.CHANGE_KIND_DELETION_APPEAL_RECEIVED, settings.CHANGE_KIND_DELETION_APPEAL_ACKNOWLEDGED,
                     settings.CHANGE_KIND_DELETION_APPEAL_ANSWERED):
            self.assertEqual(kinds.count(kind), 1, kinds)

    def test_what_cannot_be_is_refused(self):
        request = self.denied("cleo")
        for field, call in (("kind", lambda **_: self.receive(request, 0)), ("kind", lambda **_: self.receive(request, 9)),
                            ("at", lambda **_: self.receive(request, at=ago(days=1))), ("at", lambda **_: self.receive(request, at=ago(days=-1)))):
            error = refused(call)
            self.assertEqual((error.code, error.reason, list(error.fields)), (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", [field]))
        for step in (deletion.AcknowledgeAppealRequest(), deletion.AnswerAppealRequest(outcome=appeal.APPEAL_OUTCOME_REJECTED, answer="no")):
            step.deletion_id = request.deletion_id
            name = type(step).__name__.removesuffix("Request")
            error = refused(getattr(self.api.deletions, name), step)
            self.assertEqual((error.code, error.reason), (grpc.StatusCode.FAILED_PRECONDITION, "DELETION_STATE"))
        open_one = self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id="cleo", selector=deletion.DeletionSelector(everything=True), requester=types.ACTOR_SELF, request_id=fresh_id())).request
        self.assertEqual(refused(lambda **_: self.receive(open_one)).reason, "DELETION_STATE")
        self.assertFalse(self.receive(open_one, appeal.APPEAL_KIND_COMPLAINT).already)
        self.assertEqual(len(self.get(request).appeals), 0)


if __name__ == "__main__":
    unittest.main()
