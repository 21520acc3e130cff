"""The main story, told by a client in another language to the real daemon: every RPC at least once."""

import unittest

from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import DaemonTest
from words import NOTICE, OFFICE, ago, check, evidence, fresh_id, household, opt_out, reasons, recording, scope, turn_on, update

ELIGIBLE = types.ELIGIBILITY_ELIGIBLE
NOT_ELIGIBLE = types.ELIGIBILITY_NOT_ELIGIBLE


class MainStory(DaemonTest):

    def setUp(self):
        super().setUp()
        self.api = self.client(self.daemon())

    def decide(self, account, **facts):
        return self.api.eligibility.Check(check(account, **facts)).decision

    def register_and_consent(self, account):
        registered = self.api.subjects.UpsertSubject(household(account))
        return self.api.settings.UpdateSettings(turn_on(account, registered.revision))

    def test_from_registration_to_history(self):
        account = "household-0815"
        unknown = self.decide(account)
        self.assertEqual(unknown.eligibility, NOT_ELIGIBLE)
        self.assertEqual(unknown.disposition, types.DISPOSITION_KEEP)
        self.assertIn("UNKNOWN_SUBJECT", reasons(unknown))
        self.assertEqual(unknown.revision, "")

        registered = self.api.subjects.UpsertSubject(household(account))
        self.assertTrue(registered.registered)
        self.assertTrue(all(part.applied for part in registered.results))
        self.assertIn("NO_CONSENT", reasons(self.decide(account)))

        agreed = self.api.settings.UpdateSettings(turn_on(account, registered.revision))
        self.assertTrue(all(part.applied and part.changed for part in agreed.results), agreed)
        answer = self.api.eligibility.Check(check(account, at_least=agreed.revision))
        self.assertEqual(answer.decision.eligibility, ELIGIBLE, answer)
        self.assertEqual(reasons(answer.decision), ["CONSENT"])
        self.assertEqual(answer.decision.revision, agreed.revision)
        self.assertEqual(len(answer.policy_hash), 32)
        self.assertGreater(answer.decision.good_until_us, answer.checked_at.ToMicroseconds() - 1)

        left = self.api.settings.OptOut(opt_out(account, evidence=types.Evidence(channel=types.CHANNEL_VOICE, actor=types.ACTOR_SELF)))
        self.assertIn(types.PURPOSE_HUMAN_REVIEW, left.changed_purposes)
        self.assertTrue(left.refuses_future_purposes)
        after = self.decide(account, at_least=left.revision)
        self.assertEqual(after.eligibility, NOT_ELIGIBLE)
        self.assertEqual(reasons(after)[0], "WITHDRAWN")

        self.check_settings_and_past(account, left.revision)

    def check_settings_and_past(self, account, revision):
        now = self.api.settings.GetSettings(settings.GetSettingsRequest(account_id=account))
        self.assertEqual(now.etag, revision)
        control = {control.control: control for control in now.settings.controls}["help_improve"]
        self.assertNotEqual(control.effective, settings.EFFECTIVE_ANSWER_ON)

        history = self.api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id=account, page_size=2))
        self.assertEqual([entry.kind for entry in history.entries],
                         [settings.CHANGE_KIND_OPT_OUT, settings.CHANGE_KIND_UPDATE_SETTINGS])
        self.assertEqual(history.entries[0].revision, revision)
        self.assertEqual(history.entries[0].evidence.channel, types.CHANNEL_VOICE)
        rest = self.api.settings.ListSettingsHistory(
            settings.ListSettingsHistoryRequest(account_id=account, page_size=2, page_token=history.next_page_token))
        self.assertEqual([entry.kind for entry in rest.entries], [settings.CHANGE_KIND_UPSERT_SUBJECT])
        self.assertEqual(rest.next_page_token, "")

        past = self.api.settings.GetSettingsAt(settings.GetSettingsAtRequest(account_id=account, at=history.entries[1].time))
        self.assertEqual(past.revision, history.entries[1].revision)
        self.assertTrue(past.policy.version)
        on = [detail for detail in past.settings.details
              if detail.purpose == types.PURPOSE_HUMAN_REVIEW and detail.choice == types.CHOICE_GIVEN]
        self.assertTrue(on, past.settings.details)

    def test_a_subject_is_read_as_it_was_written(self):
        account = "read-back"
        self.api.subjects.UpsertSubject(household(account, profile="ünï-codé", device="☎"))
        found = self.api.subjects.GetSubject(subject.GetSubjectRequest(account_id=account))
        self.assertTrue(found.registered)
        self.assertEqual(found.region, "DE")
        self.assertEqual([(profile.profile_id, profile.age.adult) for profile in found.profiles], [("ünï-codé", True)])
        self.assertEqual(list(found.device_ids), ["☎"])

    def test_the_past_names_who_is_gone_since(self):
        """What was removed is called by its name where the settings of its time are told, however much was changed since."""
        account = "moved-out"
        family = household(account)
        family.profiles.append(subject.Profile(profile_id="ben", age=subject.Age(born="2020-05-05"), guardian_id="gil"))
        self.api.subjects.UpsertSubject(family)
        self.register_and_consent(account)
        self.api.settings.OptOut(opt_out(account, scope=scope(profile="ben")))
        at = self.api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id=account)).entries[0].time
        etag = self.api.subjects.GetSubject(subject.GetSubjectRequest(account_id=account)).etag
        gone = self.api.subjects.UpsertSubject(subject.UpsertSubjectRequest(
            account_id=account, remove_profile_ids=["anna", "ben"], remove_device_ids=["kitchen"], etag=etag, evidence=evidence(),
            request_id=fresh_id()))
        self.assertTrue(all(part.applied for part in gone.results), gone)
        self.api.settings.OptOut(opt_out(account, scope=scope(profile="carl")))
        past = self.api.settings.GetSettingsAt(settings.GetSettingsAtRequest(account_id=account, at=at)).settings
        named = {(detail.scope.WhichOneof("kind"), detail.scope.profile_id or detail.scope.device_id) for detail in past.details}
        self.assertEqual(named, {(None, ""), ("profile_id", "anna"), ("profile_id", "ben"), ("device_id", "kitchen")})
        self.assertEqual([refused.profile_id for refused in past.refused_all], ["ben"])

    def test_a_batch_answers_in_order_and_each(self):
        self.register_and_consent("batch-yes")
        items = [recording("batch-yes", name="r1"), recording("batch-no", name="r2"), recording("batch-yes", name="r1"),
                 recording("", name="r4")]
        answer = self.api.eligibility.BatchCheck(eligibility.BatchCheckRequest(
            recordings=items, purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, view=eligibility.DECISION_VIEW_BASIC))
        self.assertEqual([result.WhichOneof("result") for result in answer.results], ["decision", "decision", "decision", "error"])
        self.assertEqual([result.decision.eligibility for result in answer.results[:3]], [ELIGIBLE, NOT_ELIGIBLE, ELIGIBLE])
        self.assertEqual(answer.results[3].error.reason, "INVALID_FIELD")
        self.assertEqual([len(result.decision.reasons) for result in answer.results[:3]], [1, 1, 1])

    def test_without_a_purpose_only_the_disposition(self):
        self.register_and_consent("dispose")
        decision = self.decide("dispose", purpose=types.PURPOSE_UNSPECIFIED)
        self.assertEqual(decision.eligibility, types.ELIGIBILITY_UNSPECIFIED)
        self.assertEqual(decision.disposition, types.DISPOSITION_KEEP)

    # Hard case 8: consent after the capture, notice silent on the past.
    def test_a_notice_silent_on_the_past_covers_none_of_it(self):
        registered = self.api.subjects.UpsertSubject(household("silent"))
        self.api.settings.UpdateSettings(turn_on("silent", registered.revision, notice=NOTICE))
        self.assertIn("CAPTURED_BEFORE_CONSENT", reasons(self.decide("silent")))

    # Hard case 33: reported as critical, never eligible again.
    def test_a_reported_recording_stays_out(self):
        self.register_and_consent("report")
        self.assertEqual(self.decide("report").eligibility, ELIGIBLE)
        reported = self.api.recordings.ReportRecording(recordings.ReportRecordingRequest(
            account_id="report", recording_id="rec-1", flags=[types.FLAG_CRITICAL_DATA]))
        self.assertEqual(list(reported.flags), [types.FLAG_CRITICAL_DATA])
        self.assertIn("CRITICAL_DATA", reasons(self.decide("report")))
        self.assertEqual(self.decide("report", name="rec-2").eligibility, ELIGIBLE)

    # Hard case 51: an opt-out for an account never seen.
    def test_opting_out_needs_nothing(self):
        left = self.api.settings.OptOut(opt_out("never-seen"))
        self.assertTrue(left.refuses_future_purposes)
        self.api.subjects.UpsertSubject(household("never-seen", region="US"))
        self.assertIn("REFUSED", reasons(self.decide("never-seen")))

    # Hard case 52: what restricts is applied, what loosens is refused, both are said.
    def test_a_mixed_update_applies_what_restricts(self):
        stale = self.register_and_consent("mixed").revision
        self.api.settings.UpdateSettings(update("mixed", [settings.SettingChange(
            target=settings.SettingTarget(control="personalise"), turn=settings.SWITCH_OFF)]))
        changes = [settings.SettingChange(target=settings.SettingTarget(control="help_improve"), turn=settings.SWITCH_OFF),
                   settings.SettingChange(target=settings.SettingTarget(control="train_models"), turn=settings.SWITCH_ON)]
        answer = self.api.settings.UpdateSettings(update("mixed", changes, etag=stale, evidence=evidence()))
        self.assertEqual([part.applied for part in answer.results], [True, False])
        self.assertEqual(answer.results[1].refused_reason, "ETAG_MISMATCH")
        self.assertIn("WITHDRAWN", reasons(self.decide("mixed")))

    def test_the_same_request_id_gets_the_same_answer(self):
        registered = self.api.subjects.UpsertSubject(household("twice"))
        request = turn_on("twice", registered.revision, request_id="0b6f-1")
        first = self.api.settings.UpdateSettings(request)
        self.assertEqual(self.api.settings.UpdateSettings(request), first)


class Policies(DaemonTest):

    def test_suspending_is_immediate_and_resuming_needs_new_choices(self):
        api = self.client(self.daemon("--policy", self.one_person_policy()))
        registered = api.subjects.UpsertSubject(household("pause"))
        api.settings.UpdateSettings(turn_on("pause", registered.revision))
        self.assertEqual(api.eligibility.Check(check("pause")).decision.eligibility, ELIGIBLE)

        suspended = api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="complaint")).suspension
        self.assertTrue(suspended.active)
        self.assertEqual(reasons(api.eligibility.Check(check("pause")).decision)[0], "SUSPENDED")
        resumed = api.policies.Resume(policy.ResumeRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="settled", etag=suspended.etag))
        self.assertFalse(resumed.suspension.active)
        # Hard case 34: lifted, only choices made since count.
        self.assertEqual(reasons(api.eligibility.Check(check("pause")).decision)[0], "NO_CONSENT")

        current = api.policies.GetPolicy(policy.GetPolicyRequest())
        self.assertTrue(current.current)
        self.assertEqual(len(current.hash), 32)
        self.assertEqual([entry.active for entry in current.suspensions], [False])
        again = api.policies.GetPolicy(policy.GetPolicyRequest(version=current.policy.version))
        self.assertEqual(again.policy, current.policy)
        self.assertGreater(current.activated_at.ToMicroseconds(), ago(hours=1).ToMicroseconds())


if __name__ == "__main__":
    unittest.main()
