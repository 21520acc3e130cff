"""Every token and every id against every method that takes one, on the real daemon."""

import base64
import unittest

from consent.v1 import appeal_pb2 as appeal
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2 as hold
from consent.v1 import policy_service_pb2 as policies
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import Daemon, DaemonTest, refused
from words import OFFICE, check, evidence, fresh_id, household, opt_out, recording, turn, turn_on, update

EVERYTHING = deletion.DeletionSelector(everything=True)
WHOLE = deletion.HoldSelector(account=True)


class Tokens(DaemonTest):
    """Each token and each id is taken by what gave it, and by nothing else; how one is wrong makes no difference."""

    def setUp(self):
        super().setUp()
        self.api = self.client(self.daemon())
        self.tokens = self.fill(self.api)

    def fill(self, api):
        """Gives a store one of everything that has a token or an id; returns one of each kind."""
        for name in ("audio", "vendor"):
            system = purge.DataSystem(name=name, kind=purge.DATA_SYSTEM_KIND_AUDIO, checks_on_ingest=True,
                                      matches_by=[purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_RECORDING_ID])
            api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=system))
        for account in ("a", "b"):
            api.subjects.UpsertSubject(household(account))
            api.settings.OptOut(opt_out(account))
            api.settings.UpdateSettings(update(account, [turn(settings.SWITCH_OFF, device="den")]))
            for name in ("r1", "r2"):
                selector = deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=[name]))
                api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
                    account_id=account, selector=selector, requester=types.ACTOR_SELF, verification=deletion.VERIFICATION_VERIFIED,
                    request_id=fresh_id()))
                placed = api.holds.PlaceHold(hold.PlaceHoldRequest(account_id=account, authority="court", reason="matter", selector=WHOLE,
                                                                   request_id=fresh_id())).hold
        request = api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id="c", selector=EVERYTHING, requester=types.ACTOR_SELF, verification=deletion.VERIFICATION_PENDING, request_id=fresh_id())).request
        suspended = api.policies.Suspend(policies.SuspendRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="matter")).suspension
        tokens = {name: call(query).next_page_token for name, (call, query) in self.listings(api).items()}
        self.assertTrue(all(tokens.values()), tokens)
        tokens["a revision"] = api.settings.GetSettings(settings.GetSettingsRequest(account_id="a")).etag
        tokens["a hold"], tokens["a hold's etag"] = placed.hold_id, placed.etag
        tokens["a request"], tokens["a request's etag"] = request.deletion_id, request.etag
        tokens["a suspension's etag"] = suspended.etag
        tokens["a task"] = api.purges.ListTasks(purge.ListTasksRequest(system="audio")).tasks[0].task_id
        return tokens

    @staticmethod
    def listings(api):
        return {
            "history": (api.settings.ListSettingsHistory, settings.ListSettingsHistoryRequest(account_id="a", page_size=1)),
            "history of another": (api.settings.ListSettingsHistory, settings.ListSettingsHistoryRequest(account_id="b", page_size=1)),
            "holds": (api.holds.ListHolds, hold.ListHoldsRequest(page_size=1)),
            "holds, released too": (api.holds.ListHolds, hold.ListHoldsRequest(page_size=1, include_released=True)),
            "requests": (api.deletions.ListDeletionRequests, deletion.ListDeletionRequestsRequest(page_size=1)),
            "requests of one": (api.deletions.ListDeletionRequests, deletion.ListDeletionRequestsRequest(page_size=1, account_id="a")),
            "tasks": (api.purges.ListTasks, purge.ListTasksRequest(system="audio", page_size=1)),
            "tasks of another": (api.purges.ListTasks, purge.ListTasksRequest(system="vendor", page_size=1)),
        }

    def takers(self):
        """Each method that takes a token or an id: of which kind, with which reason it refuses any other, and the call."""
        api, proof = self.api, evidence(notice="", channel=types.CHANNEL_SUPPORT, actor=types.ACTOR_AGENT)
        request, held = self.tokens["a request"], self.tokens["a hold"]

        def of(call, message, field):
            def offer(token):
                setattr(message, field, token)
                error = refused(call, message)
                return error.reason, error.code, error.message, tuple(error.fields.items())

            return offer

        def task(call, message, reports):
            def offer(token):
                getattr(message, reports)[0].task_id = token
                answer = call(message).answers[0]
                return answer.refused_reason, answer.refused_message

            return offer

        def renewal(token):
            leases = [purge.TaskLease(task_id=token, epoch=1)]
            renewed = api.purges.RenewTasks(purge.RenewTasksRequest(system="audio", leases=leases)).renewals[0]
            return (purge.LeaseState.Name(renewed.state).removeprefix("LEASE_STATE_"),)

        def retry(token):
            retried = api.purges.RetryTasks(purge.RetryTasksRequest(system="audio", task_ids=[token])).tasks[0]
            return (purge.RetryState.Name(retried.state).removeprefix("RETRY_STATE_"),)

        result = purge.TaskResult(epoch=1, outcome=deletion.PURGE_OUTCOME_NOT_FOUND)
        order = {"authority": "court", "reason": "over", "evidence": proof}
        deletions = {
            "GetDeletionRequest": deletion.GetDeletionRequestRequest(),
            "VerifyDeletionRequest": deletion.VerifyDeletionRequestRequest(),
            "DenyDeletionRequest": deletion.DenyDeletionRequestRequest(reason="no"),
            "ExtendDeletionRequest": deletion.ExtendDeletionRequestRequest(),
            "ConfirmReceipt": deletion.ConfirmReceiptRequest(channel=deletion.RECEIPT_CHANNEL_EMAIL),
            "ReceiveAppeal": deletion.ReceiveAppealRequest(kind=appeal.APPEAL_KIND_COMPLAINT),
            "AcknowledgeAppeal": deletion.AcknowledgeAppealRequest(),
            "AnswerAppeal": deletion.AnswerAppealRequest(outcome=appeal.APPEAL_OUTCOME_REJECTED, answer="no"),
            "CancelDeletionRequest": deletion.CancelDeletionRequestRequest(etag=self.tokens["a request's etag"], evidence=proof),
        }
        takers = {name: ("a request", "DELETION_NOT_FOUND", of(getattr(api.deletions, name), message, "deletion_id"))
                  for name, message in deletions.items()}
        takers.update({name: (name, "INVALID_FIELD", of(call, message, "page_token")) for name, (call, message) in self.listings(api).items()})
        takers.update({
            "CancelDeletionRequest, etag": ("a request's etag", "ETAG_MISMATCH", of(
                api.deletions.CancelDeletionRequest, deletion.CancelDeletionRequestRequest(deletion_id=request, evidence=proof), "etag")),
            "ReleaseHold": ("a hold", "HOLD_NOT_FOUND", of(
                api.holds.ReleaseHold, hold.ReleaseHoldRequest(etag=self.tokens["a hold's etag"], **order), "hold_id")),
            "ReleaseHold, etag": ("a hold's etag", "ETAG_MISMATCH", of(
                api.holds.ReleaseHold, hold.ReleaseHoldRequest(hold_id=held, **order), "etag")),
            "CompleteTasks": ("a task", "TASK_NOT_FOUND", task(
                api.purges.CompleteTasks, purge.CompleteTasksRequest(system="audio", results=[result]), "results")),
            "FailTasks": ("a task", "TASK_NOT_FOUND", task(
                api.purges.FailTasks, purge.FailTasksRequest(system="audio", failures=[purge.TaskFailure(epoch=1)]), "failures")),
            "RenewTasks": ("a task", "LOST", renewal),
            "RetryTasks": ("a task", "NOT_FOUND", retry),
            "RetryTasks, page": ("no listing's", "INVALID_FIELD", of(api.purges.RetryTasks, purge.RetryTasksRequest(system="audio"), "page_token")),
            "UpdateSettings": ("a revision", "ETAG_MISMATCH", of(api.settings.UpdateSettings, turn_on("a", ""), "etag")),
            "UpsertSubject": ("a revision", "ETAG_MISMATCH", of(
                api.subjects.UpsertSubject,
                subject.UpsertSubjectRequest(account_id="a", region="FR", evidence=proof, request_id=fresh_id()), "etag")),
            "Check": ("a revision", "REVISION_NOT_REACHED", of(api.eligibility.Check, check("a"), "at_least_revision")),
            "BatchCheck": ("a revision", "REVISION_NOT_REACHED", of(
                api.eligibility.BatchCheck, eligibility.BatchCheckRequest(recordings=[recording("a")], place=OFFICE), "at_least_revision")),
            "Resume": ("a suspension's etag", "ETAG_MISMATCH", of(
                api.policies.Resume, policies.ResumeRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="over"), "etag")),
        })
        return takers

    def test_a_token_of_each_kind_offered_to_each_method(self):
        for name, (takes, reason, offer) in self.takers().items():
            unknown = offer("unknown")
            self.assertEqual(unknown[0], reason, name)
            for given, token in self.tokens.items():
                with self.subTest(method=name, token=given):
                    if given != takes:
                        self.assertEqual(offer(token), unknown)
        for name, (call, request) in self.listings(self.api).items():
            request.page_token = self.tokens[name]
            call(request)

    def test_tokens_and_ids_of_another_store(self):
        folder = self.folder / "other"
        folder.mkdir()
        other = Daemon(folder)
        self.addCleanup(other.kill)
        tokens = self.fill(self.client(other.start()))
        for name, (_, _, offer) in self.takers().items():
            unknown = offer("unknown")
            for given, token in tokens.items():
                # A suspension's etag is its time, so that it is no other store's secret.
                with self.subTest(method=name, token=given):
                    self.assertEqual(offer(token), unknown)

    def test_one_of_each_kind_flipped_and_cut(self):
        for name, (takes, _, offer) in self.takers().items():
            if takes in ("a suspension's etag", "no listing's", "history of another", "holds, released too", "requests of one", "tasks of another"):
                continue
            unknown, token = offer("unknown"), self.tokens[takes]
            text, slash, system = token.partition("/")
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            flipped = [bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(data)) for bit in range(8 * len(data))]
            wrong = [base64.urlsafe_b64encode(one).decode().rstrip("=") + slash + system for one in flipped]
            wrong += [token[:length] for length in range(1, len(token))] + [token[at:] for at in range(1, len(token))]
            wrong += [token + "A", token + "=", " " + token, token * 2]
            if 8 * len(data) % 6 != 0:  # the last digit has bits that say nothing
                digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                wrong.append(text[:-1] + digits[digits.index(text[-1]) + 1] + slash + system)
            for one in wrong:
                with self.subTest(method=name, token=one):
                    self.assertEqual(offer(one), unknown)


if __name__ == "__main__":
    unittest.main()
