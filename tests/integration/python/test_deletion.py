"""A deletion from its receipt to its proof, told by a client in another language to the real daemon; with leases, restarts and kills."""

import concurrent.futures
import datetime
import hashlib
import unittest
import zoneinfo

import grpc

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import hold_service_pb2 as hold
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types

from harness import PATIENCE, DaemonTest, refused, until
from words import ago, check, fresh_id, household, reasons, turn_on

EVERYTHING = deletion.DeletionSelector(everything=True)


class DeletionTest(DaemonTest):

    def setUp(self):
        super().setUp()
        self.process = self.daemon()
        self.api = self.client(self.process)

    def restart(self, hard):
        if hard:
            self.process.kill()
        else:
            self.process.stop()
        self.api.close()
        self.process.start()
        self.api = self.client(self.process)

    def register(self, *names, **more):
        for name in names:
            system = purge.DataSystem(name=name, kind=purge.DATA_SYSTEM_KIND_AUDIO, checks_on_ingest=True,
                                      matches_by=[purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_RECORDING_ID], **more)
            self.api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=system))

    def ask(self, account, selector=EVERYTHING, verification=deletion.VERIFICATION_VERIFIED, **more):
        more.setdefault("request_id", fresh_id())
        return self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id=account, selector=selector, requester=types.ACTOR_SELF, verification=verification, **more))

    def get(self, deletion_id):
        return self.api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(deletion_id=deletion_id)).request

    def lease(self, system, **more):
        return list(self.api.purges.LeaseTasks(purge.LeaseTasksRequest(system=system, **more), timeout=PATIENCE).tasks)

    def complete(self, system, task, outcome=deletion.PURGE_OUTCOME_ACKNOWLEDGED, **more):
        result = purge.TaskResult(task_id=task.task_id, epoch=task.epoch, outcome=outcome, **more)
        return self.api.purges.CompleteTasks(purge.CompleteTasksRequest(system=system, results=[result])).answers[0]

    def disposition(self, account, **facts):
        return self.api.eligibility.Check(check(account, purpose=types.PURPOSE_UNSPECIFIED, **facts)).decision


class Story(DeletionTest):

    def test_from_receipt_to_proof(self):
        self.register("audio", "transcripts")
        registered = self.api.subjects.UpsertSubject(household("leaving"))
        self.api.settings.UpdateSettings(turn_on("leaving", registered.revision))
        self.assertEqual(self.api.eligibility.Check(check("leaving")).decision.eligibility, types.ELIGIBILITY_ELIGIBLE)

        asked = self.ask("leaving", verification=deletion.VERIFICATION_PENDING)
        self.assertTrue(asked.created)
        request = asked.request
        self.assertEqual(request.state, deletion.DELETION_STATE_RECEIVED)
        self.assertEqual(request.account_id, "leaving")
        self.assertEqual(request.selector, EVERYTHING)
        self.assertGreater(request.due_at.seconds, request.confirm_by.seconds)
        stopped = self.api.eligibility.Check(check("leaving", at_least=asked.revision)).decision
        self.assertEqual(stopped.disposition, types.DISPOSITION_KEEP)
        self.assertIn("DELETION_PENDING", reasons(stopped))
        self.assertEqual(self.lease("audio"), [])

        verified = self.api.deletions.VerifyDeletionRequest(deletion.VerifyDeletionRequestRequest(
            deletion_id=request.deletion_id, request_id=fresh_id())).request
        self.assertEqual(verified.state, deletion.DELETION_STATE_ACCEPTED)
        self.assertEqual([progress.system for progress in verified.progress], ["audio", "transcripts"])
        self.assertEqual(self.disposition("leaving").disposition, types.DISPOSITION_PURGE)

        task = self.lease("audio")[0]
        self.assertEqual((task.account_id, task.selector, task.attempt), ("leaving", EVERYTHING, 1))
        self.assertEqual(task.covers.to, request.received_at)
        proof = hashlib.sha256(b"what the store keeps").digest()
        self.assertTrue(self.complete("audio", task, erased_count=7, evidence_hash=proof).accepted)
        self.restart(hard=True)
        self.assertTrue(self.complete("audio", task, erased_count=7, evidence_hash=proof).accepted, "may be repeated")
        self.assertEqual(self.get(request.deletion_id).state, deletion.DELETION_STATE_IN_PROGRESS)
        self.assertIn("1 of 2 systems", self.get(request.deletion_id).summary)
        self.assertTrue(self.complete("transcripts", self.lease("transcripts")[0], deletion.PURGE_OUTCOME_NOT_FOUND).accepted)
        self.restart(hard=False)

        self.assertIn(self.get(request.deletion_id).state, (deletion.DELETION_STATE_IN_PROGRESS, deletion.DELETION_STATE_COMPLETED))
        until(lambda: self.get(request.deletion_id).state == deletion.DELETION_STATE_COMPLETED, "its key has left the files")
        done = self.get(request.deletion_id)
        ended = [(progress.system, progress.erased_count, progress.evidence_hash) for progress in done.progress]
        self.assertEqual(ended, [("audio", 7, proof), ("transcripts", 0, b"")])
        self.assertFalse(done.account_id or done.HasField("selector"), "its key is gone")
        self.assertEqual(self.disposition("leaving").disposition, types.DISPOSITION_PURGE, "also what arrives late")
        kinds = [entry.kind for entry in self.api.settings.ListSettingsHistory(
            settings.ListSettingsHistoryRequest(account_id="leaving")).entries]
        self.assertEqual(kinds[:2], [settings.CHANGE_KIND_DELETION_VERIFIED, settings.CHANGE_KIND_DELETION_RECEIVED])

    # Hard case 60: spoken at 23:59, received after midnight of that zone.
    def test_today_is_the_day_on_which_it_was_said(self):
        zone = "Pacific/Auckland"
        day = deletion.SpokenDay(spoken_at=ago(hours=30), time_zone=zone)
        covers = self.ask("today", deletion.DeletionSelector(spoken_day=day)).request.covers
        start = getattr(covers, "from").ToDatetime()
        local = start.replace(tzinfo=datetime.timezone.utc).astimezone(zoneinfo.ZoneInfo(zone))
        self.assertEqual((local.hour, local.minute, local.second), (0, 0, 0))
        said = day.spoken_at.ToDatetime().replace(tzinfo=datetime.timezone.utc).astimezone(zoneinfo.ZoneInfo(zone))
        self.assertEqual(local.date(), said.date())

    def test_one_recording_and_no_other(self):
        self.register("audio")
        self.ask("single", deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=["rec-1"])))
        self.assertEqual(self.disposition("single", name="rec-1").disposition, types.DISPOSITION_PURGE)
        self.assertEqual(self.disposition("single", name="rec-2").disposition, types.DISPOSITION_KEEP)
        task = self.lease("audio")[0]
        self.assertEqual(list(task.selector.recordings.recording_ids), ["rec-1"])
        self.assertFalse(task.HasField("covers"))

    def test_denied_and_cancelled(self):
        self.register("audio")
        asked = self.ask("denied", verification=deletion.VERIFICATION_UNDER_WAY).request
        self.assertEqual(asked.state, deletion.DELETION_STATE_VERIFYING)
        self.api.deletions.DenyDeletionRequest(deletion.DenyDeletionRequestRequest(
            deletion_id=asked.deletion_id, reason="not the owner", request_id=fresh_id()))
        self.assertEqual(self.get(asked.deletion_id).denied_reason, "not the owner")
        self.assertIn("DELETION_DENIED", reasons(self.api.eligibility.Check(check("denied")).decision))

        asked = self.ask("undecided").request
        cancel = deletion.CancelDeletionRequestRequest(deletion_id=asked.deletion_id, request_id=fresh_id())
        self.assertEqual(refused(self.api.deletions.CancelDeletionRequest, cancel).reason, "ETAG_REQUIRED")
        cancel.etag = asked.etag
        self.assertEqual(refused(self.api.deletions.CancelDeletionRequest, cancel).reason, "EVIDENCE_REQUIRED")
        cancel.evidence.CopyFrom(types.Evidence(channel=types.CHANNEL_APP, actor=types.ACTOR_SELF))
        cancel.request_id = fresh_id()
        cancelled = self.api.deletions.CancelDeletionRequest(cancel).request
        self.assertEqual(cancelled.state, deletion.DELETION_STATE_CANCELLED)
        self.assertEqual(self.disposition("undecided").disposition, types.DISPOSITION_KEEP)
        self.assertEqual(self.lease("audio"), [])

    def confirm(self, asked, channel=deletion.RECEIPT_CHANNEL_EMAIL, **more):
        more.setdefault("request_id", fresh_id())
        return deletion.ConfirmReceiptRequest(deletion_id=asked.deletion_id, channel=channel, **more)

    def test_the_first_confirmation_of_a_receipt_stays(self):
        self.api.subjects.UpsertSubject(household("told"))
        asked = self.ask("told", verification=deletion.VERIFICATION_PENDING).request
        self.assertFalse(asked.HasField("receipt_confirmed_at") or asked.receipt_channel or asked.confirmation_overdue)
        first = self.confirm(asked)
        answer = self.api.deletions.ConfirmReceipt(first)
        self.assertFalse(answer.already)
        told = answer.request
        self.assertEqual(told.receipt_channel, deletion.RECEIPT_CHANNEL_EMAIL)
        self.assertGreaterEqual(told.receipt_confirmed_at.ToDatetime(), told.received_at.ToDatetime())
        self.assertNotEqual(told.etag, asked.etag, "whoever cancels looks at it again")
        self.assertEqual(told.state, deletion.DELETION_STATE_RECEIVED)
        repeated = self.api.deletions.ConfirmReceipt(first)
        self.assertFalse(repeated.already, "the same request_id is answered as before")
        second = self.api.deletions.ConfirmReceipt(self.confirm(asked, deletion.RECEIPT_CHANNEL_LETTER))
        self.assertTrue(second.already)
        self.assertEqual(second.request, told, "what was said first stays, and so does the etag")
        other = refused(self.api.deletions.ConfirmReceipt, self.confirm(asked, deletion.RECEIPT_CHANNEL_PHONE, request_id=first.request_id))
        self.assertEqual(other.reason, "REQUEST_ID_REUSED")
        listed = self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(account_id="told")).requests
        self.assertEqual([one.receipt_confirmed_at for one in listed], [told.receipt_confirmed_at])
        history = self.api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id="told")).entries
        kinds = [entry.kind for entry in history]
        self.assertEqual(kinds.count(settings.CHANGE_KIND_DELETION_RECEIPT_CONFIRMED), 1, kinds)
        self.assertEqual(self.process.metric('consentd_changes_total{kind="deletion_receipt_confirmed",channel="none"}'), 3)
        self.restart(hard=True)
        self.assertEqual(self.get(asked.deletion_id), told)

    def test_a_confirmation_lies_between_receipt_and_now(self):
        self.api.subjects.UpsertSubject(household("when"))
        asked = self.ask("when", verification=deletion.VERIFICATION_PENDING).request
        for at in (ago(days=1), ago(days=-1)):
            error = refused(self.api.deletions.ConfirmReceipt, self.confirm(asked, confirmed_at=at))
            self.assertEqual((error.code, error.reason, list(error.fields)), (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", ["confirmed_at"]))
            self.assertIn("received_at", error.fields["confirmed_at"])
        error = refused(self.api.deletions.ConfirmReceipt, self.confirm(asked, channel=0))
        self.assertEqual(list(error.fields), ["channel"])
        error = refused(self.api.deletions.ConfirmReceipt, self.confirm(asked, channel=77))
        self.assertEqual(list(error.fields), ["channel"])
        self.assertFalse(self.get(asked.deletion_id).HasField("receipt_confirmed_at"))
        at = asked.received_at
        self.assertEqual(self.api.deletions.ConfirmReceipt(self.confirm(asked, confirmed_at=at)).request.receipt_confirmed_at, at)
        nobody = deletion.ConfirmReceiptRequest(deletion_id="nobody", channel=deletion.RECEIPT_CHANNEL_EMAIL)
        error = refused(self.api.deletions.ConfirmReceipt, nobody)
        self.assertEqual((error.code, error.reason), (grpc.StatusCode.NOT_FOUND, "DELETION_NOT_FOUND"))

    def test_a_receipt_is_confirmed_in_any_state(self):
        self.register("audio")
        self.api.subjects.UpsertSubject(household("ended"))
        asked = self.ask("ended").request
        self.complete("audio", self.lease("audio")[0])
        until(lambda: self.get(asked.deletion_id).state == deletion.DELETION_STATE_COMPLETED, "the request is COMPLETED")
        again = self.ask("ended").request
        confirmed = self.api.deletions.ConfirmReceipt(self.confirm(asked)).request
        self.assertEqual(confirmed.state, deletion.DELETION_STATE_COMPLETED)
        self.assertTrue(confirmed.HasField("receipt_confirmed_at"))
        self.assertFalse(confirmed.account_id, "its ids stay gone")
        self.assertEqual(self.get(again.deletion_id).state, deletion.DELETION_STATE_ACCEPTED)
        self.assertEqual(len(self.lease("audio")), 1, "the later request's task is as it was")

    def test_extended_once(self):
        self.api.subjects.UpsertSubject(household("slow"))
        asked = self.ask("slow").request
        extend = deletion.ExtendDeletionRequestRequest(deletion_id=asked.deletion_id, request_id=fresh_id())
        longer = self.api.deletions.ExtendDeletionRequest(extend).request
        self.assertTrue(longer.extended)
        self.assertGreater(longer.due_at.seconds, asked.due_at.seconds + 50 * 86400)
        extend.request_id = fresh_id()
        self.assertEqual(refused(self.api.deletions.ExtendDeletionRequest, extend).reason, "EXTENSION_NOT_ALLOWED")


class Workers(DeletionTest):

    def test_a_waiting_worker_is_woken(self):
        self.register("audio")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.lease, "audio", wait_seconds=60)
            self.ask("late")
            self.assertEqual(len(waiting.result(timeout=PATIENCE)), 1)

    def test_a_waiting_worker_does_not_keep_the_daemon_from_stopping(self):
        self.register("audio")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.lease, "audio", wait_seconds=60)
            until(lambda: waiting.running(), "the call")
            self.assertEqual(self.process.stop(), 0)
            try:
                self.assertEqual(list(waiting.result(timeout=PATIENCE)), [])
            except grpc.RpcError as error:
                self.assertIn(error.code(), (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED))

    def test_a_lost_lease_is_fenced_and_a_failure_comes_back(self):
        self.register("audio")
        self.ask("fenced")
        first = self.lease("audio", visibility_seconds=1)[0]
        second = until(lambda: self.lease("audio", wait_seconds=5), "the lease to run out")[0]
        self.assertEqual((second.task_id, second.attempt), (first.task_id, 2))
        self.assertEqual(self.complete("audio", first).refused_reason, "LEASE_LOST")
        failure = purge.TaskFailure(task_id=second.task_id, epoch=second.epoch, error="disk on fire")
        answer = self.api.purges.FailTasks(purge.FailTasksRequest(system="audio", failures=[failure])).answers[0]
        self.assertTrue(answer.accepted)
        self.assertEqual(self.lease("audio"), [])
        self.restart(hard=True)
        status = self.api.purges.ListTasks(purge.ListTasksRequest(system="audio", min_failures=1)).tasks[0]
        self.assertEqual((status.failures, status.last_error), (2, "disk on fire"), "the lease that ran out without a word is a failure, too")
        self.assertTrue(status.HasField("not_before"))

    def test_a_report_that_is_refused_is_a_failure_whatever_the_worker_makes_of_it(self):
        self.register("audio")
        wrong = [dict(evidence_hash=b"short"), dict(erased_count=10**12 + 1), dict(erased_count=-1), dict(reason="not asked for"),
                 dict(outcome=deletion.PURGE_OUTCOME_UNSPECIFIED), dict(outcome=99), dict(outcome=deletion.PURGE_OUTCOME_EXEMPT),
                 dict(outcome=deletion.PURGE_OUTCOME_EXEMPT, exempt_reason=deletion.EXEMPT_REASON_SECURITY),
                 dict(outcome=deletion.PURGE_OUTCOME_EXEMPT, exempt_reason=deletion.EXEMPT_REASON_SECURITY, reason="x" * 257),
                 dict(outcome=deletion.PURGE_OUTCOME_EXEMPT, reason="no ground"), dict(outcome=deletion.PURGE_OUTCOME_EXEMPT, reason="x", exempt_reason=99),
                 dict(outcome=deletion.PURGE_OUTCOME_EXEMPT, reason="x", exempt_reason=deletion.EXEMPT_REASON_SYSTEM_RETIRED),
                 dict(exempt_reason=deletion.EXEMPT_REASON_SECURITY)]
        for number, fields in enumerate(wrong):
            self.ask(f"refused-{number}")
            self.ask(f"taken-{number}")
        tasks = self.lease("audio", max_tasks=100)
        self.assertEqual(len(tasks), 2 * len(wrong))
        odd = {task.account_id: task for task in tasks}
        for number, fields in enumerate(wrong):
            bad, good = odd[f"refused-{number}"], odd[f"taken-{number}"]
            results = [purge.TaskResult(task_id=bad.task_id, epoch=bad.epoch, **{"outcome": deletion.PURGE_OUTCOME_ACKNOWLEDGED, **fields}),
                       purge.TaskResult(task_id=good.task_id, epoch=good.epoch, outcome=deletion.PURGE_OUTCOME_ACKNOWLEDGED)]
            answers = self.api.purges.CompleteTasks(purge.CompleteTasksRequest(system="audio", results=results)).answers
            self.assertEqual([answer.accepted for answer in answers], [False, True], fields)
            self.assertEqual(answers[0].refused_reason, "INVALID_FIELD", fields)
        self.assertEqual(self.lease("audio"), [], "each comes again after its delay")
        left = self.api.purges.ListTasks(purge.ListTasksRequest(system="audio")).tasks
        self.assertEqual({(task.failures, task.last_error) for task in left}, {(1, "REPORT_REFUSED: INVALID_FIELD")})
        self.assertEqual(len(left), len(wrong))
        self.assertEqual(self.process.metric('consentd_purge_task_reports_refused_total{system="audio",reason="invalid_field"}'), len(wrong))
        self.assertEqual(self.process.metric('consentd_purge_task_failures_total{system="audio"}'), len(wrong))

    def test_a_hold_reaches_the_worker_by_its_next_renewal(self):
        self.register("audio")
        self.ask("held")
        task = self.lease("audio", visibility_seconds=43200)[0]
        renew = purge.RenewTasksRequest(system="audio", visibility_seconds=43200, leases=[purge.TaskLease(task_id=task.task_id, epoch=task.epoch)])
        self.assertEqual(self.api.purges.RenewTasks(renew).renewals[0].state, purge.LEASE_STATE_RENEWED)
        place = hold.PlaceHoldRequest(account_id="held", selector=deletion.HoldSelector(profile_id="p"),
                                      authority="court", reason="case", request_id=fresh_id())
        placed = self.api.holds.PlaceHold(place).hold
        self.assertEqual([out.system for out in placed.leases_out], ["audio"])
        self.assertEqual(placed.leases_out[0].until, task.lease_expires_at)
        self.assertEqual(self.api.purges.RenewTasks(renew).renewals[0].state, purge.LEASE_STATE_TAKEN_BACK)
        again = self.lease("audio")[0]
        self.assertEqual(again.again, purge.TASK_AGAIN_TAKEN_BACK)
        self.assertEqual(len(again.exceptions), 1)
        listed = lambda: self.api.holds.ListHolds(hold.ListHoldsRequest(account_id="held")).holds[0].leases_out
        self.assertEqual(len(listed()), 1, "the first worker may still be at it")
        stopped = purge.TaskFailure(task_id=task.task_id, epoch=task.epoch, error="stopped", erased_count=4, evidence_hash=b"e" * 32)
        self.assertTrue(self.api.purges.FailTasks(purge.FailTasksRequest(system="audio", failures=[stopped])).answers[0].accepted)
        self.assertEqual(len(listed()), 0)
        status = self.api.purges.ListTasks(purge.ListTasksRequest(system="audio")).tasks[0]
        self.assertEqual((status.erased_count, status.failures), (4, 0))

    def test_another_systems_task_cannot_be_ended(self):
        self.register("audio", "transcripts")
        self.ask("own")
        task = self.lease("audio")[0]
        self.assertEqual(self.complete("transcripts", task).refused_reason, "TASK_NOT_FOUND")
        self.assertEqual(refused(self.api.purges.LeaseTasks, purge.LeaseTasksRequest(system="nobody")).reason, "SYSTEM_NOT_FOUND")

    def test_systems_are_listed_and_retired(self):
        self.register("audio", "old", latest_arrival_seconds=3600)
        self.ask("retire")
        listed = self.api.systems.ListDataSystems(purge.ListDataSystemsRequest()).systems
        self.assertEqual([(system.name, system.open_tasks) for system in listed], [("audio", 1), ("old", 1)])
        self.assertEqual(self.process.metric('consentd_purge_tasks_open{system="old"}'), 1)
        retire = purge.RetireDataSystemRequest(system="old")
        self.assertEqual(refused(self.api.systems.RetireDataSystem, retire).reason, "SYSTEM_HAS_TASKS")
        retire.reason = "replaced"
        retired = self.api.systems.RetireDataSystem(retire).system
        self.assertEqual((retired.state, retired.open_tasks), (purge.DATA_SYSTEM_STATE_RETIRED, 0))

    def test_lists_go_page_by_page(self):
        for number in range(7):
            self.ask(f"account-{number % 2}", verification=deletion.VERIFICATION_PENDING)
        found, token = [], ""
        while True:
            page = self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(page_size=3, page_token=token))
            found += [request.deletion_id for request in page.requests]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual((len(found), len(set(found))), (7, 7))
        of_one = self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(account_id="account-1"))
        self.assertEqual(len(of_one.requests), 3)
        wrong = deletion.ListDeletionRequestsRequest(page_token="made-up")
        self.assertIn("page_token", refused(self.api.deletions.ListDeletionRequests, wrong).fields)


if __name__ == "__main__":
    unittest.main()
