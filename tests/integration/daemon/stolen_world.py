"""People who are robbed, what a thief of a certificate would ask about them by each RPC, and what one who may read all sees of them."""

import dataclasses
import json
import time

import grpc

from consent.v1 import appeal_pb2 as appeal
from consent.v1 import approval_service_pb2 as approvals
from consent.v1 import backup_service_pb2 as backup
from consent.v1 import decision_service_pb2 as decisions
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2 as hold
from consent.v1 import policy_service_pb2 as policies
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import recording_service_pb2 as report
from consent.v1 import review_service_pb2 as reviews
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import key_service_pb2 as keys
from consent.v1 import status_service_pb2 as status
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import DEFAULT_POLICY, with_many_reviews
from test_access_table import name_of
from words import OFFICE, ago, check, evidence, fresh_id, household, opt_out, recording, turn_on, update, turn

SECRET = "reference of the app that nobody else is shown"
NO_BACKUP = "20261129T183000Z-3f2a9c1d"
RECORDINGS = ("rec-1", "rec-2", "old-1", "old-2", "old-3", "kept-1")
SYSTEMS = ("audio", "annotations", "annotation_queue", "transcripts")  # of the shipped purger, the shipped store, and of none of them


def population(utterances):
    """A report of the present hour."""
    return reviews.ReportPopulationRequest(hour=time.strftime("%Y-%m-%dT%H", time.gmtime()),
                                           counts=[reviews.PopulationCount(country="DE", utterances=utterances)])


def names(*recordings):
    return deletion.RecordingIds(recording_ids=recordings)


@dataclasses.dataclass
class Victim:
    """Somebody who agreed, with a request that waits, one that is under way, one whose sender is asked who he is, and a hold; and somebody who refused."""
    agreed: str
    refused: str
    waiting: deletion.DeletionRequest
    under_way: deletion.DeletionRequest
    doubted: deletion.DeletionRequest
    hold: hold.Hold

    def accounts(self):
        return (self.agreed, self.refused)


def attempts(victim, world):
    """For each RPC, by its name without the package: makes the requests that a thief would, when it is tried. An RPC that is not here fails the test."""
    own = {"evidence": types.Evidence(channel=types.CHANNEL_APP, actor=types.ACTOR_SELF)}
    waiting, under_way = ({"deletion_id": request.deletion_id} for request in (victim.waiting, victim.under_way))
    both = victim.accounts()
    tasks = [task for task in world.tasks() if task.deletion_id == victim.under_way.deletion_id]
    return {
        "EligibilityService/Check": lambda: [check(account, name=name) for account in both for name in RECORDINGS] + [check("nobody-knows")],
        "EligibilityService/BatchCheck": lambda: [eligibility.BatchCheckRequest(recordings=[recording(account) for account in both], purpose=types.PURPOSE_HUMAN_REVIEW,
                                                                        place=OFFICE)],
        "SettingsService/GetSettings": lambda: [settings.GetSettingsRequest(account_id=account) for account in both],
        "SettingsService/GetSettingsAt": lambda: [settings.GetSettingsAtRequest(account_id=victim.agreed, at=ago(seconds=0))],
        "SettingsService/ListChoices": lambda: [settings.ListChoicesRequest(**{"from": ago(hours=24), "before": ago(hours=-24)})],
        "SettingsService/ListSettingsHistory": lambda: [settings.ListSettingsHistoryRequest(account_id=account) for account in both],
        "SettingsService/OptOut": lambda: [opt_out(victim.agreed)],
        "SettingsService/UpdateSettings": lambda: [turn_on(victim.refused, world.etag(victim.refused)), update(victim.agreed, [turn(settings.SWITCH_OFF)])],
        "SubjectService/GetSubject": lambda: [subject.GetSubjectRequest(account_id=account) for account in both],
        "SubjectService/UpsertSubject": lambda: [subject.UpsertSubjectRequest(account_id=victim.agreed, device_ids=["of-a-thief"], etag=world.etag(victim.agreed),
                                                                               evidence=evidence(), request_id=fresh_id())],
        "SubjectService/JoinSubjects": lambda: [subject.JoinSubjectsRequest(from_account_id=victim.refused, into_account_id=victim.agreed, from_etag=world.etag(victim.refused),
                                                                          into_etag=world.etag(victim.agreed), evidence=evidence(), request_id=fresh_id())],
        "SubjectService/RecordChildNotice": lambda: [subject.RecordChildNoticeRequest(account_id=victim.refused, profile_id="kid", request_id=fresh_id())],
        "SubjectService/ListChildrenDue": lambda: [subject.ListChildrenDueRequest(), subject.ListChildrenDueRequest(account_id=victim.agreed)],
        "RecordingService/ReportRecording": lambda: [report.ReportRecordingRequest(account_id=victim.agreed, recording_id="rec-2", flags=[types.FLAG_CRITICAL_DATA],
                                                                           request_id=fresh_id())],
        "RecordingService/ListSafetyFlags": lambda: [report.ListSafetyFlagsRequest(), report.ListSafetyFlagsRequest(account_id=victim.agreed)],
        "RecordingService/AcknowledgeSafetyFlag": lambda: [report.AcknowledgeSafetyFlagRequest(account_id=victim.agreed, recording_id="flagged-1", request_id=fresh_id())],
        "RecordingService/HandleSafetyFlag": lambda: [report.HandleSafetyFlagRequest(account_id=victim.agreed, recording_id="flagged-1", note="by a thief",
                                                                             request_id=fresh_id())],
        "ReviewService/LeaseReviews": lambda: [world.lease(account) for account in both],
        "ReviewService/OpenMedia": lambda: [reviews.OpenMediaRequest(**world.grant(victim), audience="annotations")],
        "ReviewService/RedeemMedia": lambda: [reviews.RedeemMediaRequest(system=system, media_token=world.media_token(victim, system)) for system in SYSTEMS],
        "ReviewService/SubmitReview": lambda: [reviews.SubmitReviewRequest(**world.grant(victim), digest=bytes(32))],
        "ReviewService/EndReview": lambda: [reviews.EndReviewRequest(**world.grant(victim), outcome=reviews.REVIEW_OUTCOME_SKIPPED)],
        "ReviewService/RenewReview": lambda: [reviews.RenewReviewRequest(**world.grant(victim))],
        "ReviewService/RevokeReviews": lambda: [reviews.RevokeReviewsRequest(reviewer="nobody-here", reason="by a thief")],
        "ReviewService/ListGrants": lambda: [reviews.ListGrantsRequest()],
        "ReviewService/ListHeard": lambda: [reviews.ListHeardRequest(account_id=account) for account in both],
        "ReviewService/ReportPopulation": lambda: [population(1_000_000)],
        "ReviewService/ListReviewRates": lambda: [reviews.ListReviewRatesRequest()],
        "ReviewService/GetMediaKey": lambda: [reviews.GetMediaKeyRequest()],
        "DeletionService/CreateDeletionRequest": lambda: [deletion.CreateDeletionRequestRequest(
            account_id=victim.agreed, selector=deletion.DeletionSelector(everything=True), requester=types.ACTOR_SELF,
            verification=deletion.VERIFICATION_VERIFIED, request_id=fresh_id())],
        "DeletionService/ExtendDeletionRequest": lambda: [deletion.ExtendDeletionRequestRequest(**under_way, request_id=fresh_id())],
        "DeletionService/ConfirmReceipt": lambda: [deletion.ConfirmReceiptRequest(**waiting, channel=deletion.RECEIPT_CHANNEL_EMAIL, request_id=fresh_id())],
        "DeletionService/ReceiveAppeal": lambda: [deletion.ReceiveAppealRequest(**waiting, kind=appeal.APPEAL_KIND_COMPLAINT, request_id=fresh_id())],
        "DeletionService/AcknowledgeAppeal": lambda: [deletion.AcknowledgeAppealRequest(**waiting, request_id=fresh_id())],
        "DeletionService/AnswerAppeal": lambda: [deletion.AnswerAppealRequest(**waiting, outcome=appeal.APPEAL_OUTCOME_REJECTED,
                                                                               answer="by a thief", request_id=fresh_id())],
        "DeletionService/GetDeletionRequest": lambda: [deletion.GetDeletionRequestRequest(**which) for which in (waiting, under_way)],
        "DeletionService/ListDeletionRequests": lambda: [deletion.ListDeletionRequestsRequest(account_id=victim.agreed), deletion.ListDeletionRequestsRequest()],
        "DeletionService/DenyDeletionRequest": lambda: [deletion.DenyDeletionRequestRequest(deletion_id=victim.doubted.deletion_id, reason="by a thief", request_id=fresh_id())],
        "DeletionService/VerifyDeletionRequest": lambda: [deletion.VerifyDeletionRequestRequest(**waiting, request_id=fresh_id())],
        "DeletionService/CancelDeletionRequest": lambda: [deletion.CancelDeletionRequestRequest(**waiting, etag=world.request_etag(victim.waiting),
                                                                                        request_id=fresh_id(), **own)],
        "HoldService/ListHolds": lambda: [hold.ListHoldsRequest(), hold.ListHoldsRequest(account_id=victim.agreed)],
        "HoldService/PlaceHold": lambda: [hold.PlaceHoldRequest(account_id=victim.refused, selector=deletion.HoldSelector(account=True), authority="a thief",
                                                        reason="to keep", request_id=fresh_id())],
        "HoldService/ReviewHold": lambda: [hold.ReviewHoldRequest(hold_id=victim.hold.hold_id, review_at=ago(days=-30), reason="by a thief", request_id=fresh_id())],
        "HoldService/ReleaseHold": lambda: [hold.ReleaseHoldRequest(hold_id=victim.hold.hold_id, etag=victim.hold.etag, authority="a thief", reason="to delete",
                                                            request_id=fresh_id(), **own)],
        "ApprovalService/ListProposals": lambda: [approvals.ListProposalsRequest()],
        "ApprovalService/GetProposal": lambda: [approvals.GetProposalRequest(proposal_id=world.proposed())],
        "ApprovalService/ApproveProposal": lambda: [approvals.ApproveProposalRequest(proposal_id=world.proposed())],
        "ApprovalService/WithdrawProposal": lambda: [approvals.WithdrawProposalRequest(proposal_id=world.proposed())],
        "PolicyService/GetPolicy": lambda: [policies.GetPolicyRequest()],
        "PolicyService/ListPolicies": lambda: [policies.ListPoliciesRequest()],
        "PolicyService/DiffPolicy": lambda: [policies.DiffPolicyRequest(policy_json=world.looser_policy(), count_seconds=1)],
        "PolicyService/ActivatePolicy": lambda: [world.activation()],
        "PolicyService/GetClock": lambda: [policies.GetClockRequest()],
        "PolicyService/ConfirmClock": lambda: [policies.ConfirmClockRequest(time=ago(days=days)) for days in (300, 0)],
        "PolicyService/Suspend": lambda: [policies.SuspendRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="by a thief")],
        "PolicyService/Resume": lambda: [policies.ResumeRequest(purpose=types.PURPOSE_ADVERTISING, reason="by a thief", etag=world.suspension_etag())],
        "BackupService/BeginBackup": lambda: [backup.BeginBackupRequest()],
        "BackupService/ReadBackup": lambda: [backup.ReadBackupRequest(backup_id=world.begun_backup(), file="MANIFEST.json")],
        "BackupService/EndBackup": lambda: [backup.EndBackupRequest(backup_id=world.begun_backup())],
        "StatusService/GetStatus": lambda: [status.GetStatusRequest()],
        "KeyService/GetKeys": lambda: [keys.GetKeysRequest()],
        "KeyService/RewrapShares": lambda: [keys.RewrapSharesRequest()],
        "DecisionService/GetDecisionLog": lambda: [decisions.GetDecisionLogRequest()],
        "DecisionService/VerifyDecisions": lambda: [world.verification()],
        "DecisionService/ExplainCheck": lambda: [decisions.ExplainCheckRequest(recording=types.Recording(recording_id="r", account_id=victim.agreed))],
        "DecisionService/ExplainDecision": lambda: [world.explanation(victim.agreed)],
        "DecisionService/GetDecisionHandles": lambda: [decisions.GetDecisionHandlesRequest(account_id=victim.agreed, recording_ids=RECORDINGS, months=["2026-11"])],
        "DecisionService/ReportVerification": lambda: [decisions.ReportVerificationRequest(store_id=world.store_id(), records=1, confirmed=1)],
        "DataSystemService/ListDataSystems": lambda: [purge.ListDataSystemsRequest()],
        "DataSystemService/RegisterDataSystem": lambda: [purge.RegisterDataSystemRequest(system=data_system("of_a_thief"))],
        "DataSystemService/SetSystemRetention": lambda: [purge.SetSystemRetentionRequest(system=system, retention=purge.SystemRetention(sweep_days=len(victim.agreed)))
                                                         for system in SYSTEMS],
        "DataSystemService/ReportSweep": lambda: [purge.ReportSweepRequest(system=system, sweep=purge.Sweep(
            started_at=ago(seconds=1), ended_at=ago(seconds=0), counts=purge.SweepCounts(kept=1))) for system in SYSTEMS],
        "DataSystemService/RetireDataSystem": lambda: [purge.RetireDataSystemRequest(system="transcripts", reason="by a thief")],
        "PurgeService/ListTasks": lambda: [purge.ListTasksRequest(system=system) for system in SYSTEMS],
        "PurgeService/RetryTasks": lambda: [*(purge.RetryTasksRequest(system=system) for system in SYSTEMS),
                                            *(purge.RetryTasksRequest(system=task.system, task_ids=[task.task_id]) for task in tasks)],
        "PurgeService/LeaseTasks": lambda: [purge.LeaseTasksRequest(system=system, max_tasks=100) for system in SYSTEMS],
        "PurgeService/RenewTasks": lambda: [purge.RenewTasksRequest(system=task.system, leases=[purge.TaskLease(task_id=task.task_id, epoch=1)]) for task in tasks],
        "PurgeService/FailTasks": lambda: [purge.FailTasksRequest(system=task.system, failures=[purge.TaskFailure(task_id=task.task_id, epoch=1, error="THIEF")])
                                   for task in tasks],
        "PurgeService/CompleteTasks": lambda: [purge.CompleteTasksRequest(system=task.system, results=[purge.TaskResult(
            task_id=task.task_id, epoch=1, outcome=deletion.PURGE_OUTCOME_ACKNOWLEDGED)]) for task in tasks],
    }


def data_system(name):
    return purge.DataSystem(name=name, kind=purge.DATA_SYSTEM_KIND_AUDIO, checks_on_ingest=True,
                            matches_by=[purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_RECORDING_ID])


@dataclasses.dataclass(frozen=True)
class OpenTask:
    system: str
    task_id: str
    deletion_id: str


class World:
    """What one who may read and write all makes of people, and sees of them."""

    def __init__(self, api, served, officers):
        self.api, self.served = api, served
        self.anna, self.ben = officers
        self.leases = 0
        api.reviews.ReportPopulation(population(1_000_000_000))  # without one nothing is granted
        for name in SYSTEMS:
            api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=data_system(name)))
        self.suspend()

    def proposed(self):
        """A loosening that an honest officer proposed, and another one is to approve."""
        return self.ben.policies.ActivatePolicy(self.activation()).proposal.proposal_id

    def begun_backup(self):
        """Whose backup a thief asks for: his own, where he could begin one."""
        return NO_BACKUP

    def resume(self, suspension):
        lifting = policies.ResumeRequest(purpose=suspension.purpose, reason="to go on", etag=suspension.etag)
        proposal = self.ben.policies.Resume(lifting).proposal
        self.anna.approvals.ApproveProposal(approvals.ApproveProposalRequest(proposal_id=proposal.proposal_id))

    def suspend(self):
        self.api.policies.Suspend(policies.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, reason="to be lifted by a thief"))

    def looser_policy(self):
        """One that accepts answers for a second longer than the one in force."""
        document = with_many_reviews(json.loads(DEFAULT_POLICY.read_text()))
        activated = len(self.api.policies.ListPolicies(policies.ListPoliciesRequest()).policies)
        document["version"] = f"of-a-thief-{activated}"
        document["longest_answer_age_seconds"] += activated
        return json.dumps(document).encode()

    def activation(self):
        looser = self.looser_policy()
        differences = self.api.policies.DiffPolicy(policies.DiffPolicyRequest(policy_json=looser)).differences
        named = [one.words for one in differences if one.effect == policies.POLICY_EFFECT_LOOSENS]
        return policies.ActivatePolicyRequest(policy_json=looser, loosens=named)

    def lease(self, account):
        """A question for a grant of a recording that nobody asked for before, for a reviewer who has heard nothing."""
        self.leases += 1
        return reviews.LeaseReviewsRequest(purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, reviewer=f"reviewer-{self.leases}", selection=types.SELECTION_RANDOM,
                                           recordings=[recording(account, name=f"heard-{self.leases}")])

    def grant(self, victim):
        """Names a live grant, where the victim still agrees; else none."""
        answer = self.api.reviews.LeaseReviews(self.lease(victim.agreed)).results[0]
        return {"grant_id": answer.grant.grant_id or "no-grant", "fence": answer.grant.fence}

    def media_token(self, victim, system):
        try:
            return self.api.reviews.OpenMedia(reviews.OpenMediaRequest(**self.grant(victim), audience=system)).media_token
        except grpc.RpcError:
            return "no-token"

    def etag(self, account):
        return self.api.settings.GetSettings(settings.GetSettingsRequest(account_id=account)).etag

    def request_etag(self, request):
        return self.api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(deletion_id=request.deletion_id)).request.etag

    def suspensions(self):
        return self.api.policies.GetPolicy(policies.GetPolicyRequest()).suspensions

    def suspension_etag(self):
        return next(one.etag for one in self.suspensions() if one.purpose == types.PURPOSE_ADVERTISING)

    def store_id(self):
        return self.api.decision_log.GetDecisionLog(decisions.GetDecisionLogRequest()).store_id

    def verification(self):
        """A question whether a yes was right, for a record that nobody wrote: no thief has the log's keys."""
        log = self.api.decision_log.GetDecisionLog(decisions.GetDecisionLogRequest())
        policy = self.api.policies.GetPolicy(policies.GetPolicyRequest())
        return decisions.VerifyDecisionsRequest(store_id=log.store_id, month="2026-11.00000000", purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE,
                                                policy_version=policy.policy.version, policy_hash=policy.hash,
                                                yeses=[decisions.RecordedYes(subject=bytes(16), recording=bytes(16), revision=1,
                                                                             reason=types.REASON_LEGAL_HOLD)])

    def explanation(self, account):
        """A question why a yes of that account was given, for a record that nobody wrote."""
        asked = self.verification()
        handles = self.api.decision_log.GetDecisionHandles(decisions.GetDecisionHandlesRequest(account_id=account, months=[time.strftime("%Y-%m", time.gmtime())]))
        return decisions.ExplainDecisionRequest(store_id=asked.store_id, month=handles.months[0].month, purpose=asked.purpose, place=asked.place,
                                                policy_version=asked.policy_version, policy_hash=asked.policy_hash, account_id=account,
                                                yes=decisions.RecordedYes(subject=handles.months[0].subject, recording=bytes(16), revision=1,
                                                                          reason=types.REASON_LEGAL_HOLD))

    def tasks(self):
        return [OpenTask(system, task.task_id, task.deletion_id) for system in SYSTEMS
                for task in self.api.purges.ListTasks(purge.ListTasksRequest(system=system, page_size=1000)).tasks]

    def victim(self, role):
        """Made for one role, so that no other role's thief has been there."""
        agreed, refused = f"agreed-{name_of(role)}", f"refused-{name_of(role)}"
        registered = self.api.subjects.UpsertSubject(household(agreed))
        yes = turn_on(agreed, registered.revision)
        yes.evidence.reference = SECRET
        self.api.settings.UpdateSettings(yes)
        self.api.subjects.UpsertSubject(household(refused))
        self.api.subjects.UpsertSubject(subject.UpsertSubjectRequest(account_id=refused, request_id=fresh_id(), profiles=[subject.Profile(
            profile_id="kid", age=subject.Age(child=True), last_active_at=ago(days=600))]))
        self.api.settings.OptOut(opt_out(refused))
        self.api.recordings.ReportRecording(report.ReportRecordingRequest(account_id=agreed, recording_id="flagged-1", flags=[types.FLAG_SAFETY], request_id=fresh_id()))
        placed = self.api.holds.PlaceHold(hold.PlaceHoldRequest(account_id=agreed, selector=deletion.HoldSelector(recordings=names("kept-1")),
                                                                authority="a court", reason="a case", request_id=fresh_id()))
        made = [self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id=agreed, selector=deletion.DeletionSelector(recordings=names(name)), requester=types.ACTOR_SELF, verification=verification,
            request_id=fresh_id())).request
                for name, verification in (("old-1", deletion.VERIFICATION_PENDING), ("old-2", deletion.VERIFICATION_VERIFIED),
                                           ("old-3", deletion.VERIFICATION_UNDER_WAY))]
        return Victim(agreed, refused, *made, placed.hold)

    def of(self, victim):
        """Everything about somebody that may change, by its kind."""
        seen = {"choices": [], "household": [], "holds": [], "requests": {}, "decisions": {}, "history": []}
        for account in victim.accounts():
            stored = self.api.settings.GetSettings(settings.GetSettingsRequest(account_id=account)).settings
            chosen = sorted((str(one.scope), one.purpose, one.choice) for one in stored.details)  # and not what follows from them now
            seen["choices"].append((chosen, list(stored.retention), list(stored.refused_all)))
            found = self.api.subjects.GetSubject(subject.GetSubjectRequest(account_id=account))
            seen["household"].append((found.region, list(found.profiles), list(found.device_ids)))
            seen["holds"] += [(one.hold_id, one.HasField("released_at")) for one in
                              self.api.holds.ListHolds(hold.ListHoldsRequest(account_id=account, include_released=True)).holds]
            for request in self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(account_id=account)).requests:
                ended = {progress.system: progress.outcome for progress in request.progress}
                seen["requests"][request.deletion_id] = (request.state, request.extended, request.HasField("receipt_confirmed_at"), ended)
            seen["history"] += [entry.kind for entry in self.api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id=account)).entries]
            for name in RECORDINGS:
                decision = self.api.eligibility.Check(check(account, name=name)).decision
                seen["decisions"][account, name] = (decision.eligibility, decision.disposition)
        return seen

    def of_the_service(self):
        systems = self.api.systems.ListDataSystems(purge.ListDataSystemsRequest()).systems
        sweeps = [(one.name, one.retention.sweep_days, one.last_sweep.started_at.ToMicroseconds()) for one in systems]
        return {"verification": self.served.metric("consentd_verification_timestamp_seconds"), "systems": [(one.name, one.state) for one in systems], "sweeps": sweeps,
                "suspensions": [(one.purpose, one.active) for one in self.suspensions()],
                "policy": self.api.policies.GetPolicy(policies.GetPolicyRequest()).policy.version,
                "clock": self.api.policies.GetClock(policies.GetClockRequest()).clock.doubtful}
