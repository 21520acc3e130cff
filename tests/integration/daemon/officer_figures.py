"""What the officer's dashboard must show, counted naively from what the daemon lists, and from what the story was answered.

Counts are compared as they are, without their zeros; a time is compared to within some seconds.
"""

import collections
import datetime
import json

from consent.v1 import approval_service_pb2 as approvals
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import decision_service_pb2 as decisions
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import review_service_pb2 as reviews
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import PATIENCE
from words import ago

OPEN = {deletion.DELETION_STATE_RECEIVED, deletion.DELETION_STATE_VERIFYING, deletion.DELETION_STATE_ACCEPTED, deletion.DELETION_STATE_IN_PROGRESS}
DAY = datetime.timedelta(days=1)
PAST, AHEAD = "age", "left"


def word(enum, number, prefix):
    return enum.Name(number).removeprefix(prefix + "_").lower()


def cause_of(request):
    return word(deletion.DeletionCause, request.cause, "DELETION_CAUSE")


def kind(request):
    return request.regime, cause_of(request)


def moment(stamp):
    return stamp.ToDatetime(tzinfo=datetime.timezone.utc)


def pages(call, request, field):
    """All that a listing has."""
    found = []
    while True:
        page = call(request, timeout=PATIENCE)
        found.extend(getattr(page, field))
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def ground(step):
    """Why a system kept something."""
    return word(deletion.ExemptReason, step.exempt_reason, "EXEMPT_REASON")


def shares(parts, wholes):
    return {key: parts[key] / whole for key, whole in wholes.items() if whole}


class Listed:
    """All that the daemon lists, read once."""

    def __init__(self, api, story, document, restarted_at):
        self.api, self.story, self.restarted_at = api, story, restarted_at
        self.now = datetime.datetime.now(datetime.timezone.utc)
        self.document = json.loads(document.read_text(encoding="utf-8"))
        self.requests = pages(api.deletions.ListDeletionRequests, deletion.ListDeletionRequestsRequest(page_size=7), "requests")
        self.holds = pages(api.holds.ListHolds, holds.ListHoldsRequest(), "holds")
        self.children = pages(api.subjects.ListChildrenDue, subject.ListChildrenDueRequest(), "children")
        self.systems = api.systems.ListDataSystems(purge.ListDataSystemsRequest()).systems
        self.policy = api.policies.GetPolicy(policy.GetPolicyRequest())
        self.log = api.decision_log.GetDecisionLog(decisions.GetDecisionLogRequest())
        self.clock = api.policies.GetClock(policy.GetClockRequest()).clock
        self.settings = {account: api.settings.GetSettings(settings.GetSettingsRequest(account_id=account)).settings for account in story.accounts}
        self.people = {account: api.subjects.GetSubject(subject.GetSubjectRequest(account_id=account)) for account in story.accounts}

    def regime(self, region):
        for regime in self.document["regimes"]:
            if region in regime["regions"] or region.split("-")[0] in regime["regions"]:
                return regime["name"]
        return self.document["unknown_region_regime"]

    def country(self, region):
        named = {code.split("-")[0] for regime in self.document["regimes"] for code in regime["regions"]}
        return region.split("-")[0] if region.split("-")[0] in named else "other"

    # Of each panel: what each of its queries must show. A dict of labels' values to a value, or (PAST or AHEAD, dict of times).

    def expected(self):
        return {**self.of_verification(), **self.of_requests(), **self.of_ended(), **self.of_deadlines(), **self.of_tasks(), **self.of_systems(), **self.of_people(), **self.of_answers(), **self.of_reviews(),
                **self.of_what_stands(), **self.of_rules()}

    def of_verification(self):
        found = self.story.verified
        return {
            "Was there a yes after a no?": [{(): found.get("late", 0)}, {(): found.get("not_given", 0)}, {(): found.get("log_problems", 0)}],
            "When was the log last verified?": [(PAST, {"instance": self.story.verified_at})],
            "How much of the log did it look at?": [{(): found["confirmed"] + found["not_checkable"]}, {(): found["not_checkable"]}],
            "When did a verification last find something wrong?": [("date", {(): self.story.wrong_at})],
            "Is each yes on record?": [{"instance": int(self.log.on)}],
            "Is the log whole?": [{(): 0}],
        }

    def count(self, chosen, key):
        return collections.Counter(key(request) for request in self.requests if chosen(request))

    def of_requests(self):
        def is_open(request):
            return request.state in OPEN

        def due(request, days):
            return is_open(request) and self.now < moment(request.due_at) <= self.now + days * DAY

        within = {(*key, str(days)): count for days in (7, 30) for key, count in self.count(lambda request, days=days: due(request, days), kind).items()}
        opened = [request for request in self.requests if is_open(request)]
        return {
            "Which requests are open?": [self.count(is_open, kind)],
            "Which need their ids?": [{(): sum(request.needs_ids for request in opened)}],
            "Which are overdue?": [self.count(lambda request: request.overdue and not request.on_hold, kind)],
            "What is due in 7 and in 30 days?": [within],
            "How do open, due and overdue requests move?": [{(): len(opened)}, collections.Counter({(days,): sum(count for key, count in within.items() if key[2] == days) for days in ("7", "30")}),
                                                            {(): sum(request.overdue and not request.on_hold for request in opened)}],
            "How old is the oldest open request?": [(PAST, {(): min(moment(request.received_at) for request in opened)})],
        }

    def of_ended(self):
        quarter = self.now.replace(month=(self.now.month - 1) // 3 * 3 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
        answered = (deletion.DELETION_STATE_COMPLETED, deletion.DELETION_STATE_DENIED)
        ended = [request for request in self.requests if request.state in answered and moment(request.ended_at) >= quarter]
        in_time = collections.Counter(kind(request) for request in ended if moment(request.ended_at) <= moment(request.due_at))
        took = sorted((moment(request.ended_at) - moment(request.received_at)).total_seconds() for request in self.requests
                      if request.state == deletion.DELETION_STATE_COMPLETED and request.cause == deletion.DELETION_CAUSE_REQUESTED and moment(request.ended_at) >= self.restarted_at)
        return {
            "Which share ended in time this quarter?": [shares(in_time, collections.Counter(kind(request) for request in ended))],
            "How did requests end?": [self.count(lambda request: request.state not in OPEN, lambda request: (*kind(request), word(deletion.DeletionState, request.state, "DELETION_STATE")))],
            "How long does a deletion take?": [("span", {(): sum(took) / len(took)}), None],  # of a quantile only the bucket is known
        }

    def of_deadlines(self):
        unconfirmed = [request for request in self.requests if request.state in OPEN and request.cause == deletion.DELETION_CAUSE_REQUESTED and not request.HasField("receipt_confirmed_at")]
        due = collections.Counter((request.regime, str(days)) for days in (3, 7) for request in unconfirmed if self.now < moment(request.confirm_by) <= self.now + days * DAY)
        appeals = [(request, one) for request in self.requests for one in request.appeals if not one.HasField("answered_at")]
        late = collections.Counter()
        for _, one in appeals:
            late[("appeal", "answer")] += one.answer_overdue
            late[("appeal", "acknowledgement")] += one.acknowledgement_overdue
        ends = [("answer", one.answer_by) for _, one in appeals] + [("acknowledgement", one.acknowledge_by) for _, one in appeals if not one.HasField("acknowledged_at")]
        soon = collections.Counter(("appeal", deadline, str(days)) for days in (3, 7) for deadline, end in ends if self.now < moment(end) <= self.now + days * DAY)
        return {
            "Which receipts must be confirmed?": [collections.Counter((request.regime,) for request in unconfirmed if request.confirmation_overdue), due],
            "Which appeals wait?": [collections.Counter(("appeal", request.regime) for request, _ in appeals), late, soon],
        }

    def of_tasks(self):
        steps = [(request, step) for request in self.requests for step in request.progress]
        ended = collections.Counter((step.system, word(deletion.PurgeOutcome, step.outcome, "PURGE_OUTCOME")) for _, step in steps if step.outcome)
        of_system = collections.Counter()
        for (system, _), count in ended.items():
            of_system[system] += count
        oldest = {}
        for request, step in steps:
            if not step.outcome:
                oldest[(step.system,)] = min(oldest.get((step.system,), self.now), moment(request.verified_at))
        stuck = {(system.name,): len(pages(self.api.purges.ListTasks, purge.ListTasksRequest(system=system.name, min_failures=5), "tasks")) for system in self.systems}
        return {
            "How long does a system owe its oldest deletion?": [(PAST, oldest)],
            "Where is a deletion stuck?": [stuck],
            "Does its worker live?": [(PAST, {(system,): at for system, at in self.story.leased_at.items() if at >= self.restarted_at})],
            "How did tasks end?": [ended],
            "Which share was NOT_FOUND or EXEMPT?": [{key: count / of_system[key[0]] for key, count in ended.items() if key[1] in ("not_found", "exempt")}],
            "Why is something kept?": [collections.Counter((step.system, ground(step)) for _, step in steps if step.outcome == deletion.PURGE_OUTCOME_EXEMPT)],
        }

    def of_systems(self):
        swept = {system.name: system.last_sweep.counts for system in self.systems if system.HasField("last_sweep")}
        outcomes = ("kept", "held", "purged", "not_found", "failed", "unanswered")
        return {
            "Who sees to what has expired?": [{(system.name, word(purge.RetentionState, system.retention_state, "RETENTION_STATE")): 1 for system in self.systems}],
            "When is its next sweep or attestation due?": [(AHEAD, {(system.name,): moment(system.retention_due_at) for system in self.systems if system.HasField("retention_due_at")})],
            "When was all of it swept?": [(PAST, {(system.name,): moment(system.last_whole_sweep_at) for system in self.systems if system.HasField("last_whole_sweep_at")})],
            "What do systems still hold that must go?": [{(system, outcome): getattr(counts, outcome) for system, counts in swept.items() for outcome in outcomes}],
        }

    def choices(self, key):
        """Of each account and purpose that the policy has."""
        found = collections.Counter()
        for account, current in self.settings.items():
            for detail in current.details:
                if detail.scope.WhichOneof("kind") is None:
                    choice = word(types.Choice, detail.choice, "CHOICE")
                    purpose = word(types.Purpose, detail.purpose, "PURPOSE")
                    found[key(self.people[account].region, purpose, "unset" if choice == "never_chose" else choice)] += 1
        return found

    def of_people(self):
        profiles = [(self.regime(person.region), profile) for person in self.people.values() for profile in person.profiles]
        minors = [(regime, profile) for regime, profile in profiles if not profile.age.adult]
        due = collections.Counter((word(subject.ChildDue, child.due, "CHILD_DUE"), self.regime(self.people[child.account_id].region)) for child in self.children)
        soon = {(account, detail.scope.SerializeToString(), detail.since.seconds, detail.notice_version) for account, current in self.settings.items() for detail in current.details
                if detail.HasField("holds_until") and moment(detail.holds_until) < self.now + 31 * DAY}
        entries = pages(self.api.settings.ListChoices, settings.ListChoicesRequest(**{"from": stamp(self.restarted_at), "before": ago(days=-1)}), "choices")
        noes = collections.Counter((word(types.Channel, one.entry.evidence.channel, "CHANNEL"),) for one in entries if one.entry.kind == settings.CHANGE_KIND_OPT_OUT)
        return {
            "Who said yes, no, nothing, by purpose?": [self.choices(lambda region, purpose, choice: (purpose, choice))],
            "Who said yes, no, nothing, by regime?": [self.choices(lambda region, purpose, choice: (self.regime(region), choice))],
            "Who said yes, no, nothing, by country?": [self.choices(lambda region, purpose, choice: (self.country(region), choice))],
            "How many opt out a day, and where?": [noes],
            "Which toggles are used?": [self.story.toggled],
            "What was asked of us?": [collections.Counter((word(settings.ChangeKind, one.entry.kind, "CHANGE_KIND"),) for one in entries)],
            "Whom do we ask again?": [collections.Counter((notice,) for _, _, _, notice in soon)],
            "How are the children?": [collections.Counter((regime,) for regime, _ in minors), collections.Counter((regime,) for regime, profile in minors if not profile.guardian_id),
                                      {(regime,): count for (what, regime), count in due.items() if what == "notice"},
                                      {(regime,): count for (what, regime), count in due.items() if what == "purge"}],
        }

    def of_answers(self):
        story = self.story
        total = sum(story.answers.values())
        yes = story.answers["eligible"]
        asked, granted = collections.Counter(), collections.Counter()
        for account, answers in story.asked_of.items():
            # Of whom nobody knows: by the region of the capture, which none of the story's recordings has.
            regime = self.regime(self.people[account].region) if account in self.people else self.document["unknown_region_regime"]
            asked[(regime,)] += len(answers)
            granted[(regime,)] += sum(answers)
        return {
            "Which share got a yes, by purpose?": [{("human_review",): yes / total}],
            "Which share got a yes, by regime?": [shares(granted, asked)],
            "Which share got a yes, by caller?": [{(caller,): story.granted_to[caller] / count for caller, count in story.asked_by.items()}],
            "How much is asked, and by whom?": [{(caller, "human_review"): count for caller, count in story.asked_by.items()}],
            "Whose questions lack what?": [story.lacking],
            "Why is it no?": [{(reason,): count for reason, count in story.reasons.items()}],
            "Why must it go, or stay?": [{("purge", "deleted"): 1}],
            "Does somebody write regions wrongly?": [{(): 1}],
            "Which part is heard?": [self.rates()],
            "Which SAFETY reports has nobody handled?": [{(): story.flags["safety"]}],
            "How old is the oldest SAFETY report that waits?": [(PAST, {(): story.flagged_at})],
            "Which SAFETY reports are overdue?": [{("acknowledge",): 0, ("handle",): 0}],
            "What do listeners find?": [{(flag,): count for flag, count in story.flags.items()}],
        }

    def of_reviews(self):
        story = self.story
        return {
            "Was anything heard after a restriction?": [{(): 0}],
            "How many review grants are open?": [{(): story.given - sum(story.heard.values())}],
            "How many recordings may be heard a day?": [{(): story.given}],
            "How often was something played?": [{(use,): count for use, count in story.used.items()}],
            "What came of reviews?": [{(by,): count for by, count in story.heard.items()}],
            "Why is a recording not given to hear?": [{(reason,): count for reason, count in story.not_given.items()}],
            "What was stopped on its way?": [dict(story.stopped)],
        }

    def rates(self):
        shown = {}
        for rate in self.api.reviews.ListReviewRates(reviews.ListReviewRatesRequest()).rates:
            measured = rate.measured
            figures = {"measured": measured.parts_per_million, "low": measured.low, "high": measured.high, "allowed": rate.allowed_parts_per_million}
            shown.update({(rate.country, figure): value for figure, value in figures.items()})
        return shown

    def of_what_stands(self):
        active = [one for one in self.policy.suspensions if one.active]
        proposed = pages(self.api.approvals.ListProposals, approvals.ListProposalsRequest(), "proposals")
        return {
            "What is on hold?": [{(): len(self.holds)}],
            "Which holds are past their review?": [{(): sum(getattr(hold, "past_review", False) for hold in self.holds)}],
            "Is a hold forgotten?": [(PAST, {(): min(moment(hold.placed_at) for hold in self.holds)})],
            "What waits for a second person?": [collections.Counter((word(approvals.ProposedAct, one.act, "PROPOSED_ACT"),) for one in proposed)],
            "What is suspended?": [{(word(types.Purpose, one.purpose, "PURPOSE"), one.region or "all"): 1 for one in active}],
            "Is a suspension forgotten?": [{(): len(active)}, None],
        }

    def of_rules(self):
        ends = {}
        for regime in self.document["regimes"]:
            calendar = regime.get("holiday_calendar")
            if calendar:
                last = max(next(one for one in self.document["holiday_calendars"] if one["name"] == calendar)["dates"])
                ends[(regime["name"],)] = datetime.datetime.fromisoformat(last).replace(tzinfo=datetime.timezone.utc) + DAY
        return {
            "Which policy is in force?": [{(self.policy.policy.version,): 1}],
            "Since when?": [("date", {(): moment(self.policy.activated_at)})],
            "Does a holiday calendar run out?": [(AHEAD, ends)],
            "Is the time right?": [{"instance": int(not self.clock.doubtful)}],
        }


def stamp(time):
    found = ago()
    found.FromDatetime(time.replace(tzinfo=None))
    return found
