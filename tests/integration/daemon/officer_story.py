"""Seventy days of a service in some seconds, so that each panel of the dashboards and each line of `consentctl status` has something to show.

The daemon begins seventy days ago by a clock of its own, in which old things are left undone, and is started again today, over TLS as well. What was
answered is kept here, as nobody lists it.
"""

import collections
import datetime
import json
import mmap
import struct

import grpc

from consent.v1 import appeal_pb2 as appeal
from consent.v1 import decision_service_pb2 as decisions
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import review_service_pb2 as reviews
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types
from google.protobuf import timestamp_pb2

from harness import DEFAULT_POLICY, refused, until, with_many_reviews
from words import OFFICE, ago, check, evidence, fresh_id, household, opt_out, recording, turn, turn_on, update

DAYS = 70
DAY = datetime.timedelta(days=1)
VERIFIED = deletion.VERIFICATION_VERIFIED
EVERYTHING = deletion.DeletionSelector(everything=True)
SHORT_NOTICE = "short"  # consents under it hold for a month
STUCK = ("vendor", "stuck")
# Where a ground is asked for, too.
LEGAL_OBLIGATION = deletion.EXEMPT_REASON_LEGAL_OBLIGATION
SYSTEMS = ("audio", "transcripts", "annotations", "vendor")


class ShiftedClock:
    """The wall and the boot clock of one daemon after another, which move together."""

    def __init__(self, path, behind):
        path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self.micros = mmap.mmap(file.fileno(), 16)
        self.path, self.behind, self.gone_by = path, behind, datetime.timedelta()
        self.pass_by(datetime.timedelta())

    def pass_by(self, span):
        self.gone_by += span
        self.micros[:16] = struct.pack("=qq", (self.gone_by - self.behind) // datetime.timedelta(microseconds=1), self.gone_by // datetime.timedelta(microseconds=1))

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + self.gone_by - self.behind

    def at(self, **span):
        stamp = timestamp_pb2.Timestamp()
        stamp.FromDatetime((self.now() + datetime.timedelta(**span)).replace(tzinfo=None))
        return stamp


def write_policy(path):
    """The shipped policy, and a notice of which consents soon end."""
    document = with_many_reviews(json.loads(DEFAULT_POLICY.read_text()))
    first = next(notice for notice in document["notices"] if notice["version"] == "2026-01-past")
    document["version"] += "-short"
    document["notices"].append({**first, "version": SHORT_NOTICE, "consent_lifetime_months": 1})
    path.write_text(json.dumps(document))


class Story:
    """`api`: a client with all roles. Part by part, in this order: old, today."""

    def __init__(self, clock):
        self.clock, self.accounts, self.answers, self.lacking, self.verified = clock, [], collections.Counter(), collections.Counter(), None
        self.flags, self.opt_outs, self.reasons, self.asked_of = collections.Counter(), collections.Counter(), collections.Counter(), collections.defaultdict(list)
        # Of review grants: how many were given, how they ended, why they were not given, how they were used, and what was refused.
        self.given, self.heard, self.not_given, self.used, self.stopped = 0, *(collections.Counter() for _ in range(4))
        # By caller; of choices by control and choice; and when a worker last asked.
        self.asked_by, self.granted_to, self.toggled, self.leased_at = collections.Counter(), collections.Counter(), collections.Counter(), {}

    def register(self, api, account, region="DE", **more):
        self.accounts.append(account)
        request = household(account, region=region)
        request.profiles.extend(more.pop("children", ()))
        return api.subjects.UpsertSubject(request).revision

    def ask(self, api, account, verification=deletion.VERIFICATION_PENDING, selector=EVERYTHING):
        return api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id=account, selector=selector, requester=types.ACTOR_SELF, verification=verification, request_id=fresh_id())).request

    def lease(self, api, system, mine):
        """Takes the tasks of whose account mine(account) is true, and gives back the others."""
        tasks = api.purges.LeaseTasks(purge.LeaseTasksRequest(system=system, max_tasks=100)).tasks
        self.leased_at[system] = self.clock.now()
        others = [purge.TaskFailure(task_id=task.task_id, epoch=task.epoch, not_begun=True) for task in tasks if not mine(task.account_id)]
        if others:
            api.purges.FailTasks(purge.FailTasksRequest(system=system, failures=others))
        return [task for task in tasks if mine(task.account_id)]

    def do(self, api, system, outcome, **more):
        """A worker that ends each task so, but for those that it never gets done."""
        results = [purge.TaskResult(task_id=task.task_id, epoch=task.epoch, outcome=outcome, **more) for task in self.lease(api, system, lambda account: (system, account) != STUCK)]
        if results:
            api.purges.CompleteTasks(purge.CompleteTasksRequest(system=system, results=results))

    def fail(self, api, system, account):
        failures = [purge.TaskFailure(task_id=task.task_id, epoch=task.epoch, error="disk") for task in self.lease(api, system, lambda other: other == account)]
        api.purges.FailTasks(purge.FailTasksRequest(system=system, failures=failures))

    def until_completed(self, api, *asked):
        for one in asked:
            until(lambda one=one: api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(deletion_id=one.deletion_id)).request.state
                  == deletion.DELETION_STATE_COMPLETED, "the request is COMPLETED")

    # Seventy days ago.

    def old(self, api):
        self.register_systems(api)
        whole = purge.Sweep(started_at=self.clock.at(minutes=-20), ended_at=self.clock.at(minutes=-10), counts=purge.SweepCounts(kept=40))
        api.systems.ReportSweep(purge.ReportSweepRequest(system="audio", sweep=whole))
        for account, region in (("old-eu", "DE"), ("old-us", "US-CA"), ("old-uk", "GB"), ("denied", "FR"), ("held", "DE"), ("told", "DE"), ("stuck", "US-NY")):
            self.register(api, account, region)
        self.register(api, "family", "DE", children=[
            subject.Profile(profile_id="kid", age=subject.Age(child=True), guardian_id="mother", last_active_at=self.clock.at(days=-600)),
            subject.Profile(profile_id="sister", age=subject.Age(child=True), guardian_id="mother", last_active_at=self.clock.at(days=-600)),
            subject.Profile(profile_id="foundling", age=subject.Age(child=True))])
        api.subjects.RecordChildNotice(subject.RecordChildNoticeRequest(account_id="family", profile_id="kid", request_id=fresh_id()))
        # Done by all in time; left undone by the vendor; never verified, nor was its receipt confirmed; denied, with an appeal that nobody answers.
        done = self.ask(api, "old-us", VERIFIED)
        for system in SYSTEMS:
            self.do(api, system, deletion.PURGE_OUTCOME_ACKNOWLEDGED, erased_count=3)
        self.until_completed(api, done)
        self.late = self.ask(api, "old-eu", VERIFIED)
        for system in SYSTEMS[:-1]:
            self.do(api, system, deletion.PURGE_OUTCOME_NOT_FOUND)
        self.ask(api, "old-uk")
        denied = self.ask(api, "denied")
        api.deletions.DenyDeletionRequest(deletion.DenyDeletionRequestRequest(deletion_id=denied.deletion_id, reason="not shown", request_id=fresh_id()))
        api.deletions.ReceiveAppeal(deletion.ReceiveAppealRequest(deletion_id=denied.deletion_id, kind=appeal.APPEAL_KIND_APPEAL, request_id=fresh_id()))
        hold = holds.PlaceHoldRequest(account_id="held", selector=deletion.HoldSelector(account=True), authority="court", reason="case")
        hold.review_at.CopyFrom(self.clock.at(days=30))
        api.holds.PlaceHold(hold)
        self.ask(api, "held", VERIFIED)
        api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, region="DE", reason="test"))
        self.verify(api, records=9, confirmed=7, late=1)
        self.wrong_at = self.clock.now()
        # Due within a week, and the vendor never gets it done.
        self.clock.pass_by(30 * DAY)
        self.ask(api, "stuck", VERIFIED)
        for minutes in (2, 4, 8, 16, 32):
            self.fail(api, *STUCK)
            # Longer than it waits until the next try.
            self.clock.pass_by(datetime.timedelta(minutes=minutes))
        # Due within a month.
        self.clock.pass_by(25 * DAY)
        self.ask(api, "told")

    def register_systems(self, api):
        match = [purge.MATCH_KEY_RECORDING_ID, purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_TIME]
        promises = {"audio": purge.SystemRetention(sweep_days=7),
                    "transcripts": purge.SystemRetention(attested=purge.RetentionAttestation(by="a person", until=self.clock.at(days=30))),
                    "annotations": purge.SystemRetention(attested=purge.RetentionAttestation(by="a person", until=self.clock.at(days=300))), "vendor": None}
        for name, promise in promises.items():
            system = purge.DataSystem(name=name, kind=purge.DATA_SYSTEM_KIND_AUDIO, matches_by=match, checks_on_ingest=True, retention=promise)
            api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=system))

    def verify(self, api, **found):
        log = api.decision_log.GetDecisionLog(decisions.GetDecisionLogRequest())
        api.decision_log.ReportVerification(decisions.ReportVerificationRequest(store_id=log.store_id, **found))
        self.verified, self.verified_at = found, self.clock.now()

    # Today.

    def today(self, api):
        self.choose(api)
        self.check(api)
        self.report(api)
        self.listen(api)
        self.delete(api)

    def say_no(self, api, account, channel):
        api.settings.OptOut(opt_out(account, evidence=types.Evidence(channel=channel)))
        self.toggled[("all", "off")] += 1
        self.opt_outs[types.Channel.Name(channel).removeprefix("CHANNEL_").lower()] += 1

    def choose(self, api):
        for number in range(6):
            etag = self.register(api, f"yes-{number}", ("DE", "FR", "GB")[number % 3])
            api.settings.UpdateSettings(turn_on(f"yes-{number}", etag))
            self.toggled[("help_improve", "on")] += 2
        for number, channel in enumerate((types.CHANNEL_APP, types.CHANNEL_VOICE, types.CHANNEL_VOICE, types.CHANNEL_WEB)):
            self.register(api, f"no-{number}", ("DE", "US-CA")[number % 2])
            self.say_no(api, f"no-{number}", channel)
        self.say_no(api, "yes-5", types.CHANNEL_APP)
        self.accounts.append("unheard-of")
        self.say_no(api, "unheard-of", types.CHANNEL_SUPPORT)
        etag = self.register(api, "imported", "DE")
        long_ago = evidence(SHORT_NOTICE, types.CHANNEL_IMPORT, given_at=self.clock.at(days=-5))
        api.settings.UpdateSettings(update("imported", [turn(settings.SWITCH_ON)], etag=etag, evidence=long_ago))
        self.toggled[("help_improve", "on")] += 1
        suspended = api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_MODEL_TRAINING, reason="test")).suspension
        # Proposed, and nobody approves it.
        api.policies.Resume(policy.ResumeRequest(purpose=types.PURPOSE_MODEL_TRAINING, reason="over", etag=suspended.etag))

    def check(self, api):
        items = [recording(f"yes-{number}", name=f"r{number}") for number in range(6)] + [recording("no-0"), recording("yes-0", wake=types.WAKE_UNSPECIFIED), recording("nobody")]
        answers = api.eligibility.BatchCheck(eligibility.BatchCheckRequest(recordings=items, purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE,
                                                                             view=eligibility.DECISION_VIEW_FULL)).results
        decided = [result.decision for result in answers] + [api.eligibility.Check(check("yes-1", region="UK")).decision]
        for item, decision in zip([*items, recording("yes-1")], decided):
            self.note(item.account_id, decision)
        self.lacking[("local", "wake")] += 1

    def note(self, account, decision, caller="local"):
        is_yes = decision.eligibility == types.ELIGIBILITY_ELIGIBLE
        self.asked_by[caller] += 1
        self.granted_to[caller] += is_yes
        self.answers["eligible" if is_yes else "not_eligible"] += 1
        self.asked_of[account].append(is_yes)
        if not is_yes:
            self.reasons[types.Reason.Name(decision.reasons[0]).removeprefix("REASON_").lower()] += 1

    def report(self, api):
        self.flagged_at = self.clock.now()
        for flag in (types.FLAG_SAFETY, types.FLAG_CRITICAL_DATA, types.FLAG_CRITICAL_DATA):
            api.recordings.ReportRecording(recordings.ReportRecordingRequest(account_id="yes-0", recording_id="r9", flags=[flag], request_id=fresh_id()))
            self.flags[types.Flag.Name(flag).removeprefix("FLAG_").lower()] += 1
        sweep = purge.Sweep(started_at=ago(seconds=20), ended_at=ago(seconds=10), counts=purge.SweepCounts(kept=30, held=1, purged=12, not_found=2, failed=3))
        api.systems.ReportSweep(purge.ReportSweepRequest(system="audio", sweep=sweep))
        self.verify(api, records=30, confirmed=22, not_checkable=2)
        counts = [reviews.PopulationCount(country=country, utterances=utterances) for country, utterances in (("DE", 1_000_000), ("FR", 3))]
        api.reviews.ReportPopulation(reviews.ReportPopulationRequest(hour=self.clock.now().strftime("%Y-%m-%dT%H"), counts=counts))

    def grant(self, api, account, name, reviewer):
        """A review grant, or none."""
        asked = reviews.LeaseReviewsRequest(purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, reviewer=reviewer, selection=types.SELECTION_RANDOM,
                                            recordings=[recording(account, name=name)])
        [result] = api.reviews.LeaseReviews(asked).results
        if result.WhichOneof("result") == "grant":
            self.given += 1
            return {"grant_id": result.grant.grant_id, "fence": result.grant.fence}
        which = result.refusal.refusal
        reason = types.Reason.Name(result.refusal.reasons[0]).removeprefix("REASON_") if which == reviews.GRANT_REFUSAL_NOT_ELIGIBLE else reviews.GrantRefusal.Name(which).removeprefix("GRANT_REFUSAL_")
        self.not_given[reason.lower()] += 1
        return None

    def listen(self, api):
        """Four grants: submitted, skipped, stopped by a no after it was opened, and open; and three recordings that nobody gets."""
        submitted, skipped, stopped, _ = [self.grant(api, "yes-1", f"heard-{number}", f"listener-{number}") for number in range(4)]
        for account, name, reviewer in (("no-0", "heard-0", "listener-0"), ("yes-1", "heard-0", "listener-9"), ("yes-1", "heard-9", "listener-0")):
            self.grant(api, account, name, reviewer)
        token = api.reviews.OpenMedia(reviews.OpenMediaRequest(**submitted, audience="audio")).media_token
        api.reviews.RedeemMedia(reviews.RedeemMediaRequest(system="audio", media_token=token))
        api.reviews.SubmitReview(reviews.SubmitReviewRequest(**submitted, digest=bytes(32)))
        api.reviews.EndReview(reviews.EndReviewRequest(**skipped, outcome=reviews.REVIEW_OUTCOME_SKIPPED))
        api.reviews.OpenMedia(reviews.OpenMediaRequest(**stopped, audience="audio"))
        self.used.update(open=2, redeem=1, submit=1)
        self.heard.update(submitted=1, skipped=1)
        api.recordings.ReportRecording(recordings.ReportRecordingRequest(account_id="yes-1", recording_id="elsewhere", flags=[types.FLAG_ACCIDENTAL], request_id=fresh_id()))
        self.flags["accidental"] += 1
        stop = refused(api.reviews.OpenMedia, reviews.OpenMediaRequest(**stopped, audience="audio"))
        assert (stop.reason, stop.metadata["cause"]) == ("GRANT_ENDED", "SUBJECT_CHANGED"), stop
        self.stopped[("open", "subject_changed")] += 1

    def delete(self, api):
        """Completed today, one of them late; one that each system ends otherwise; one of single recordings; one that is open, and one unverified."""
        asked = [self.ask(api, account, VERIFIED) for account in ("yes-3", "no-1")]
        kept = {"audio": (deletion.PURGE_OUTCOME_ACKNOWLEDGED, {"erased_count": 2}), "transcripts": (deletion.PURGE_OUTCOME_NOT_FOUND, {}),
                "annotations": (deletion.PURGE_OUTCOME_EXEMPT, {"reason": "tax law", "exempt_reason": LEGAL_OBLIGATION}), "vendor": (deletion.PURGE_OUTCOME_EXCLUDED_FROM_NEXT_BUILD, {})}
        # The vendor has its failures behind it, and a report of its own is refused.
        for system, (outcome, more) in kept.items():
            self.do(api, system, outcome, **more)
        self.until_completed(api, self.late, *asked)
        wrong = purge.TaskResult(task_id="none", epoch=1, outcome=deletion.PURGE_OUTCOME_NOT_FOUND)
        api.purges.CompleteTasks(purge.CompleteTasksRequest(system="vendor", results=[wrong]))
        waiting = self.ask(api, "yes-4", VERIFIED, deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=["r4"])))
        self.fail(api, "annotations", "yes-4")
        api.eligibility.Check(eligibility.CheckRequest(recording=recording("yes-4", name="r4")))  # what is to be done with it: PURGE, DELETED
        self.ask(api, "no-2")
        return waiting

    def over_the_limit(self, api):
        """A caller of the callers' file asks more than it may."""

        def is_limited():
            try:
                self.note("yes-0", api.eligibility.Check(check("yes-0")).decision, "sampler")
            except grpc.RpcError as error:
                return error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            return False

        until(is_limited, "a call is refused for a limit")
