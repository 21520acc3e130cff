#!/usr/bin/env python3
"""Writes officer.json and operator.json beside itself: what Grafana imports. `test_dashboards` holds them against this file.

A panel is one question, with what its answer means, its queries, unit and thresholds. Run it after a change and commit the JSON with it.
"""

import dataclasses
import json
import pathlib

HERE = pathlib.Path(__file__).parent
# Of Grafana 9 and 10: both read this schema.
SCHEMA_VERSION = 37
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Series of one daemon or of several, as the variable at the top says.
INSTANCE = 'instance=~"$instance"'
OPEN = 'state!~"completed|denied|cancelled"'
REGIME, PURPOSE, SYSTEM, CALLER = (f'{label}=~"${label}"' for label in ("regime", "purpose", "system", "caller"))
REFUSED = 'result="refused"'
DAY, HOUR = 86_400, 3_600


def of(name, *matchers):
    """A selector of a metric's series."""
    return f"{name}{{{', '.join([INSTANCE, *matchers])}}}"


def total(by, name, *matchers):
    return f"sum by ({by}) ({of(name, *matchers)})"


def or_all(parts, whole, by):
    """Those that are not 0, and all of them together: so a page of zeros is one bar, and no data is no zero."""
    return f'{parts} > 0 or label_replace({whole}, "{by.split(",")[0]}", "all", "", "")'


def seen(by, name, *matchers, keep=""):
    """A state of this moment; `keep`: what the sum of all is told apart by, too."""
    return or_all(total(by, name, *matchers), total(keep, name, *matchers), by)


def grown(by, name, *matchers, within="1d"):
    """By how much a counter grew."""
    return f"sum by ({by}) (increase({of(name, *matchers)}[{within}]))"


def rate(by, name, *matchers):
    return f"sum by ({by}) (rate({of(name, *matchers)}[$__rate_interval]))"


def share(part, whole, join=""):
    """Of a whole that is 0 there is none."""
    return f"{part} / {join}({whole} > 0)"


def age(name, *matchers):
    return f"time() - {of(name, *matchers)}"


def date(name, *matchers):
    """Grafana takes times in milliseconds."""
    return f"{of(name, *matchers)} * 1000"


def p99(by, name, *matchers):
    return f"histogram_quantile(0.99, sum by (le{', ' + by if by else ''}) (rate({of(name + '_bucket', *matchers)}[$__rate_interval])))"


@dataclasses.dataclass(frozen=True)
class Panel:
    """`kind`: stat (figures of this moment), name (the same where the label is the answer), bars (one bar each), lines (over time). `steps`: (from what value on, colour) after the first colour."""
    question: str
    meaning: str
    queries: list  # (expression, legend)
    kind: str = "lines"
    unit: str = "short"
    steps: tuple = ()
    colour: str = "green"


def none_is_good(at=1, colour="red"):
    return ((at, colour),)


ALL_IS_GOOD = {"colour": "red", "steps": ((1, "green"),)}


OFFICER = {
    "title": "consentd: officer",
    "uid": "consentd-officer",
    "description": "What who answers for the law has to know: is every promise kept, and what falls due next?",
    "variables": ("regime", "purpose", "system", "caller"),
    "sections": [
        ("Was it right?", [
            Panel("Was there a yes after a no?", "Of the decision log's last verification that an officer reported: yeses given after a change of the person's, yeses that the rule does not "
                  "give, and gaps or changed records. All must be 0. No data: nobody has verified it yet.",
                  [(f"sum({of('consentd_verification_yes_after_no')})", "after a no"), (f"sum({of('consentd_verification_not_given')})", "not given by the rule"),
                   (f"sum({of('consentd_verification_log_problems')})", "problems of the log")], "stat", steps=none_is_good()),
            Panel("When was the log last verified?", "How long ago `consentctl decisions verify --report` told what it found. Once a month is the least that shows anything.",
                  [(f"min by (instance) ({age('consentd_verification_timestamp_seconds')})", "{{instance}}")], "stat", "s", ((35 * DAY, "orange"), (92 * DAY, "red"))),
            Panel("How much of the log did it look at?", "Yeses that it looked at, and those of people whose history was erased since, which nobody can check any more.",
                  [(f"sum({of('consentd_verification_yeses')})", "yeses"), (f"sum({of('consentd_verification_not_checkable')})", "not checkable any more")], "stat"),
            Panel("When did a verification last find something wrong?", "A clean one after it hides nothing. No data: none ever did.",
                  [(f"max({date('consentd_verification_last_wrong_timestamp_seconds')})", "found something")], "stat", "dateTimeAsIso", colour="orange"),
            Panel("Is each yes on record?", "1: yeses for the marked purposes are in the decision log before they are said. 0: the daemon was told to keep none.",
                  [(of("consentd_decision_log_on"), "{{instance}}")], "stat", **ALL_IS_GOOD),
            Panel("Is the log whole?", "Records that the store counts and the log's files did not have at the start.",
                  [(f"sum({of('consentd_decision_log_missing_records')})", "missing records")], "stat", steps=none_is_good()),
        ]),
        ("Deletion requests", [
            Panel("Which requests are open?", "Open deletion requests by regime and cause. Withdrawal and retention: a change of settings made them. Late draft: a review that was submitted too late.",
                  [(seen("regime, cause", "consentd_deletion_requests", OPEN, REGIME), "{{regime}} {{cause}}")], "bars"),
            Panel("Which are overdue?", "Past their due time and not on hold. Any is a broken promise: `consentctl requests overdue` lists them.",
                  [(seen("regime, cause", "consentd_deletion_requests_overdue", REGIME), "{{regime}} {{cause}}")], "bars", steps=none_is_good()),
            Panel("Which need their ids?", "Open requests whose ids a restore could not open. Send the same requests again: `consentctl requests list` marks them NEEDS_IDS.",
                  [(f"sum({of('consentd_deletion_requests_needing_ids')})", "need their ids")], "stat", steps=none_is_good()),
            Panel("What is due in 7 and in 30 days?", "Open requests that are not overdue, by regime and cause; those of 7 days are among those of 30.",
                  [(seen("regime, cause, within_days", "consentd_deletion_requests_due", REGIME, keep="within_days"), "{{regime}} {{cause}} in {{within_days}} days")], "bars",
                  steps=((1, "yellow"),)),
            Panel("How do open, due and overdue requests move?", "All regimes and causes together.",
                  [(f"sum({of('consentd_deletion_requests', OPEN)})", "open"), (total("within_days", "consentd_deletion_requests_due"), "due in {{within_days}} days"),
                   (f"sum({of('consentd_deletion_requests_overdue')})", "overdue")]),
            Panel("Which share ended in time this quarter?", "Of the requests that were completed or denied in this quarter of the calendar (UTC), by regime and cause; it survives restarts. One that a "
                  "hold kept open past its day is late.",
                  [(share(total("regime, cause", "consentd_deletion_requests_ended_in_quarter", 'result="in_time"', REGIME),
                          total("regime, cause", "consentd_deletion_requests_ended_in_quarter", REGIME)), "{{regime}} {{cause}}")],
                  "bars", "percentunit", ((0.95, "yellow"), (1, "green")), "red"),
            Panel("How did requests end?", "Completed, denied and cancelled requests that are stored, by regime and cause.",
                  [(seen("regime, cause, state", "consentd_deletion_requests", 'state=~"completed|denied|cancelled"', REGIME), "{{regime}} {{cause}} {{state}}")], "bars"),
            Panel("How old is the oldest open request?", "Since its receipt. No data: none is open.",
                  [(f"max({age('consentd_deletion_request_oldest_timestamp_seconds')})", "oldest")], "stat", "s", ((25 * DAY, "yellow"), (30 * DAY, "red"))),
            Panel("How long does a deletion take?", "From receipt to completion of requests that somebody asked for, since the daemon began: the mean, and what nine of ten stay below.",
                  [(share(f"sum({of('consentd_deletion_completion_seconds_sum')})", f"sum({of('consentd_deletion_completion_seconds_count')})"), "mean"),
                   (f"histogram_quantile(0.9, sum by (le) ({of('consentd_deletion_completion_seconds_bucket')}))", "nine of ten")], "stat", "s"),
            Panel("Which receipts must be confirmed?", "Receipts that had to be confirmed to the user by now, and those to be confirmed within 3 and 7 days, by regime.",
                  [(seen("regime", "consentd_deletion_receipts_overdue", REGIME), "{{regime}} overdue"),
                   (seen("regime, within_days", "consentd_deletion_receipts_due", REGIME, keep="within_days"), "{{regime}} in {{within_days}} days")], "bars", steps=((1, "yellow"),)),
            Panel("Which appeals wait?", "Appeals and complaints without an answer, those past a day of theirs, and those that come to one within 3 and 7 days: `consentctl requests list --open-appeal`.",
                  [(seen("kind, regime", "consentd_appeals_open", REGIME), "{{kind}} {{regime}} open"),
                   (seen("kind, deadline", "consentd_appeals_overdue", REGIME, keep="deadline"), "{{kind}} {{deadline}} overdue"),
                   (seen("kind, deadline, within_days", "consentd_appeals_due", REGIME, keep="deadline, within_days"), "{{kind}} {{deadline}} in {{within_days}} days")],
                  "bars", steps=((1, "yellow"),)),
        ]),
        ("Data systems", [
            Panel("How long does a system owe its oldest deletion?", "Since its oldest open purge task was made. No data: it owes none.",
                  [(age("consentd_purge_task_oldest_timestamp_seconds", SYSTEM), "{{system}}")], "bars", "s", ((7 * DAY, "yellow"), (21 * DAY, "red"))),
            Panel("Where is a deletion stuck?", "Open tasks that failed five times or more: `consentctl tasks list SYSTEM --min-failures 5`.",
                  [(total("system", "consentd_purge_tasks_stuck", SYSTEM), "{{system}}")], "bars", steps=none_is_good()),
            Panel("Does its worker live?", "Since a worker last asked for tasks or reported any. No data: none did since the daemon began.",
                  [(age("consentd_purge_worker_last_seen_timestamp_seconds", SYSTEM), "{{system}}")], "bars", "s", ((HOUR, "yellow"), (DAY, "red"))),
            Panel("How did tasks end?", "Purge tasks that ended, of all requests that are stored, by outcome.",
                  [(total("system, outcome", "consentd_purge_tasks_ended_total", SYSTEM) + " > 0", "{{system}} {{outcome}}")], "bars"),
            Panel("Which share was NOT_FOUND or EXEMPT?", "A system that finds nothing of anybody looks in the wrong place; one that keeps much needs reasons.",
                  [(share(total("system, outcome", "consentd_purge_tasks_ended_total", SYSTEM, 'outcome=~"not_found|exempt"'),
                          total("system", "consentd_purge_tasks_ended_total", SYSTEM), "on (system) group_left () "), "{{system}} {{outcome}}")],
                  "bars", "percentunit", ((0.2, "yellow"), (0.5, "red"))),
            Panel("Why is something kept?", "Tasks that ended as EXEMPT, by system and the reason that it gave.",
                  [(total("system, reason", "consentd_purge_tasks_exempt_total", SYSTEM), "{{system}} {{reason}}")], "bars"),
            Panel("Who sees to what has expired?", "1 for how each system stands: kept; missing: nobody promised; attestation_expired; sweep_overdue; retired.",
                  [(of("consentd_system_retention", SYSTEM) + " == 1", "{{system}} {{state}}")], "bars"),
            Panel("When is its next sweep or attestation due?", "Until when the attestation holds, or by when the next whole sweep is due; below 0: overdue.",
                  [(of("consentd_system_retention_due_timestamp_seconds", SYSTEM) + " - time()", "{{system}}")], "bars", "s", ((0, "yellow"), (7 * DAY, "green")), "red"),
            Panel("When was all of it swept?", "Since the last whole sweep began.",
                  [(age("consentd_system_whole_sweep_timestamp_seconds", SYSTEM), "{{system}}")], "bars", "s"),
            Panel("What do systems still hold that must go?", "What the last sweep found: kept, held, purged, not_found; failed: expired, false wakes and others that must go and are still there; "
                  "unanswered: nobody knows.",
                  [(of("consentd_system_sweep_recordings", SYSTEM), "{{system}} {{outcome}}")], "bars"),
            Panel("Is what was deleted gone from our own files?", "How long the oldest key and the oldest other bytes wait to leave the store's files. No data: nothing waits.",
                  [(age("consentd_erasure_oldest_timestamp_seconds"), "{{step}}")], "stat", "s", ((600, "yellow"), (DAY, "red"))),
        ]),
        ("What people chose", [
            Panel("Who said yes, no, nothing, by purpose?", "Accounts by what they chose.",
                  [(total("purpose, choice", "consentd_subject_choices", PURPOSE, REGIME), "{{purpose}} {{choice}}")], "bars"),
            Panel("Who said yes, no, nothing, by regime?", "Accounts by the regime of where they live, for the purposes at the top.",
                  [(total("regime, choice", "consentd_subject_choices", PURPOSE, REGIME), "{{regime}} {{choice}}")], "bars"),
            Panel("Who said yes, no, nothing, by country?", "Countries that the policy names. Only where somebody lives.",
                  [(total("country, choice", "consentd_subject_choices", PURPOSE, REGIME) + " > 0", "{{country}} {{choice}}")], "bars"),
            Panel("How many opt out a day, and where?", "Writes that turned something off which was not off before, within 24 hours, by channel.",
                  [(grown("channel", "consentd_opt_outs_total"), "{{channel}}")]),
            Panel("Which toggles are used?", "Choices that changed something within 24 hours.",
                  [(grown("control, choice", "consentd_choices_total", 'result="changed"') + " > 0", "{{control}} {{choice}}")]),
            Panel("What was asked of us?", "Acknowledged writes within 24 hours: settings, opt-outs, reports, each step of a deletion request, holds.",
                  [(grown("kind", "consentd_changes_total") + " > 0", "{{kind}}")]),
            Panel("Whom do we ask again?", "Consents that end within 30 days, by notice.",
                  [(total("notice", "consentd_consents_expiring"), "{{notice}} in 30 days")], "bars"),
            Panel("How are the children?", "Registered profiles of children by regime; without a named guardian nobody can agree for them; inactive ones whose guardian must be told "
                  "(`consentctl children due`); those whose recordings must go.",
                  [(seen("regime", "consentd_children", REGIME), "{{regime}}"), (seen("regime", "consentd_children_unguarded", REGIME), "{{regime}} unguarded"),
                   (seen("regime", "consentd_children_inactive_without_notice", REGIME), "{{regime}} notice due"),
                   (seen("regime", "consentd_children_purge_due", REGIME), "{{regime}} purge due")], "bars"),
        ]),
        ("What was answered", [
            Panel("Which share got a yes, by purpose?", "Of the recordings asked about within 24 hours. One that doubles overnight is a mistake, or a loosening that nobody meant.",
                  [(share(grown("purpose", "consentd_asked_total", 'eligibility="eligible"', PURPOSE, CALLER),
                          grown("purpose", "consentd_asked_total", PURPOSE, CALLER)), "{{purpose}}")], unit="percentunit"),
            Panel("Which share got a yes, by regime?", "Of the recordings asked about within 24 hours.",
                  [(share(grown("regime", "consentd_asked_total", 'eligibility="eligible"', PURPOSE, REGIME),
                          grown("regime", "consentd_asked_total", PURPOSE, REGIME)), "{{regime}}")], unit="percentunit"),
            Panel("Which share got a yes, by caller?", "Of the recordings asked about within 24 hours.",
                  [(share(grown("caller", "consentd_asked_total", 'eligibility="eligible"', PURPOSE, CALLER),
                          grown("caller", "consentd_asked_total", PURPOSE, CALLER)), "{{caller}}")], unit="percentunit"),
            Panel("How much is asked, and by whom?", "Recordings asked about within 24 hours.",
                  [(grown("caller, purpose", "consentd_asked_total", PURPOSE, CALLER) + " > 0", "{{caller}} {{purpose}}")]),
            Panel("Whose questions lack what?", "Facts that recordings lacked within 24 hours, by caller and name: what is missing is a no.",
                  [(grown("caller, fact", "consentd_missing_facts_total", CALLER) + " > 0", "{{caller}} {{fact}}")], "bars"),
            Panel("Why is it no?", "Answers within 24 hours by their first reason.",
                  [(grown("reason", "consentd_decisions_total", 'eligibility="not_eligible"', PURPOSE) + " > 0", "{{reason}}")], "bars"),
            Panel("Why must it go, or stay?", "Answers PURGE and HOLD within 24 hours by their first reason.",
                  [(grown("disposition, reason", "consentd_decisions_total", 'disposition=~"purge|hold"') + " > 0", "{{disposition}} {{reason}}")], "bars"),
            Panel("Does somebody write regions wrongly?", "Recordings within 24 hours whose region of capture is no code (UK, EL): answered by the opt-in rules.",
                  [(f"sum(increase({of('consentd_unknown_regions_total')}[1d]))", "recordings")], "stat", steps=none_is_good()),
            Panel("What do listeners find?", "Flags that stores and annotation tools reported within 24 hours.",
                  [(grown("flag", "consentd_flags_reported_total"), "{{flag}}")], "bars"),
            Panel("Which part is heard?", "Review grants that were opened this month, of a million utterances, with the 95 % interval and what the policy allows.",
                  [(total("country, figure", "consentd_review_rate_parts_per_million", PURPOSE), "{{country}} {{figure}}")], "bars"),
            Panel("Which SAFETY reports has nobody handled?", "Reported by listeners and still open, and how old the oldest is.",
                  [(f"sum({of('consentd_safety_flags_open')})", "open")], "stat", steps=none_is_good()),
            Panel("How old is the oldest SAFETY report that waits?", "No data: none waits.",
                  [(f"max({age('consentd_safety_flag_oldest_timestamp_seconds')})", "oldest")], "stat", "s", ((DAY, "red"),), "yellow"),
            Panel("Which SAFETY reports are overdue?", "Nobody acknowledged them, or handled them, in the policy's hours: `consentctl flags list --overdue`.",
                  [(f"sum by (step) ({of('consentd_safety_flags_overdue')})", "{{step}}")], "stat", steps=none_is_good()),
        ]),
        ("Who listened?", [
            Panel("Was anything heard after a restriction?", "Uses of review grants that were committed although the person's restrictions or the policy had changed before. Must be 0.",
                  [(f"sum({of('consentd_review_uses_after_restriction_total')})", "after a restriction")], "stat", steps=none_is_good()),
            Panel("How many review grants are open?", "Neither ended nor over. `consentctl reviews list` tells which of them would still be taken.",
                  [(f"sum({of('consentd_review_grants_open')})", "open")], "stat"),
            Panel("How many recordings may be heard a day?", "Review grants that were given within 24 hours.",
                  [(f"sum(increase({of('consentd_review_grants_given_total')}[1d]))", "given")]),
            Panel("How often was something played?", "Uses of grants within 24 hours: opened before a play, redeemed where bytes were given out, submitted, renewed.",
                  [(grown("use", "consentd_review_uses_total"), "{{use}}")]),
            Panel("What came of reviews?", "Grants that came to their end within 24 hours, by what ended them.",
                  [(grown("by", "consentd_review_grants_ended_total") + " > 0", "{{by}}")], "bars"),
            Panel("Why is a recording not given to hear?", "Recordings within 24 hours that got no grant, by the first reason.",
                  [(grown("reason", "consentd_review_leases_refused_total") + " > 0", "{{reason}}")], "bars"),
            Panel("What was stopped on its way?", "Uses of grants that were refused within 24 hours: subject_changed is somebody's no that came after the grant.",
                  [(grown("use, cause", "consentd_review_uses_refused_total") + " > 0", "{{use}} {{cause}}")], "bars"),
        ]),
        ("What stands still", [
            Panel("What is on hold?", "Legal holds in force, and those past their review date, which still hold.",
                  [(f"sum({of('consentd_holds_in_force')})", "in force")], "stat"),
            Panel("Which holds are past their review?", "They still hold; somebody has to look: `consentctl holds list`.",
                  [(f"sum({of('consentd_holds_past_review')})", "past review")], "stat", steps=none_is_good()),
            Panel("Is a hold forgotten?", "How old the oldest hold is. No data: there is none.",
                  [(f"max({age('consentd_hold_oldest_timestamp_seconds')})", "oldest")], "stat", "s", ((180 * DAY, "yellow"), (365 * DAY, "red"))),
            Panel("What waits for a second person?", "Loosenings that one person proposed and nobody has approved: `consentctl approvals list`.",
                  [(total("act", "consentd_approvals_open"), "{{act}}")], "bars", steps=((1, "yellow"),)),
            Panel("What is suspended?", "1 while a purpose is suspended there; everywhere is `all`.",
                  [(f"max by (purpose, region) ({of('consentd_suspended', PURPOSE)})", "{{purpose}} {{region}}")], "bars", steps=((1, "orange"),)),
            Panel("Is a suspension forgotten?", "Suspensions in force, and how old the oldest is in days. No age: there is none.",
                  [(f"sum({of('consentd_suspensions_in_force')})", "in force"),
                   (f"max({age('consentd_suspension_oldest_timestamp_seconds')}) / {DAY}", "oldest, days")], "stat"),
        ]),
        ("Which rules?", [
            Panel("Which policy is in force?", "Its version.", [(f"count by (version) ({of('consentd_policy_info')})", "{{version}}")], "name"),
            Panel("Since when?", "When that version was activated.", [(f"max({date('consentd_policy_activated_timestamp_seconds')})", "in force since")], "stat", "dateTimeAsIso"),
            Panel("Does a holiday calendar run out?", "How long until its last holiday is over: deadlines after that count every weekday as a business day.",
                  [(f"min by (regime) ({of('consentd_holiday_calendar_end_timestamp_seconds')}) - time()", "{{regime}}")], "bars", "s", ((0, "orange"), (180 * DAY, "green")), "red"),
            Panel("Is the time right?", "1: the wall clock is believed. 0: every check is a no, and loosenings wait.",
                  [(of("consentd_clock_trusted"), "{{instance}}")], "stat", **ALL_IS_GOOD),
        ]),
    ],
}

CALLS = 'grpc_method=~".+"'
FAILED_WRITES = 'grpc_method=~"OptOut|UpdateSettings|CreateDeletionRequest"'
# The daemon's own answers, where the caller can mend nothing.
FAULTS = 'grpc_code=~"Internal|Unknown|Unavailable|DataLoss|DeadlineExceeded|Unimplemented"'

OPERATOR = {
    "title": "consentd: operator",
    "uid": "consentd-operator",
    "description": "What who runs the daemon has to know: does it serve, how fast, and what gives out next?",
    "variables": ("system", "caller"),
    "sections": [
        ("Does it serve?", [
            Panel("Does it serve?", "1 while it answers.", [(of("consentd_serving"), "{{instance}}")], "stat", **ALL_IS_GOOD),
            Panel("Which version runs?", "More than one: an upgrade is under way.", [(f"count by (version) ({of('consentd_build_info')})", "{{version}}")], "name"),
            Panel("Since when?", "How long the process runs.", [(age("process_start_time_seconds"), "{{instance}}")], "stat", "s"),
            Panel("Which policy is in force?", "Its version and hash.", [(f"count by (version, hash) ({of('consentd_policy_info')})", "{{version}} {{hash}}")], "name"),
            Panel("Does a policy file wait?", "1: the file that the daemon was given is not in force, because it loosens, cannot be read, or waits for the time: `consentctl status` says why.",
                  [(of("consentd_policy_file_waits"), "{{instance}}")], "stat", steps=none_is_good()),
            Panel("Is the time right?", "1: the wall clock is believed.", [(of("consentd_clock_trusted"), "{{instance}}")], "stat", **ALL_IS_GOOD),
            Panel("How wrong is the clock?", "How far the wall clock is ahead of the trusted time.", [(of("consentd_clock_offset_seconds"), "{{instance}}")], unit="s"),
            Panel("Did the clock jump?", "Looks at the wall clock within a day that did not believe it, however short the jump was.",
                  [(f"sum by (instance) (increase({of('consentd_clock_doubts_total')}[1d]))", "{{instance}}")], "stat", steps=none_is_good()),
        ]),
        ("Calls", [
            Panel("How many calls?", "A second, by method; begun.", [(rate("grpc_method", "grpc_server_started_total", CALLS) + " > 0", "{{grpc_method}}")], unit="reqps"),
            Panel("Which calls fail, and how?", "Answers a second that are not OK, by code.",
                  [(or_all(rate("grpc_code", "grpc_server_handled_total", 'grpc_code!="OK"'), rate("", "grpc_server_handled_total", 'grpc_code!="OK"'), "grpc_code"), "{{grpc_code}}")], unit="reqps"),
            Panel("Which calls does the daemon fail?", "The share of answers that were its own fault, by method.",
                  [(or_all(share(rate("grpc_method", "grpc_server_handled_total", FAULTS), rate("grpc_method", "grpc_server_handled_total")),
                          share(rate("", "grpc_server_handled_total", FAULTS), rate("", "grpc_server_handled_total")), "grpc_method"), "{{grpc_method}}")], unit="percentunit",
                  steps=((0.001, "red"),)),
            Panel("How long do calls take?", "What 99 of 100 stay below, by method, in the handler.",
                  [(p99("grpc_method", "grpc_server_handling_seconds") + " >= 0", "{{grpc_method}}")], unit="s"),
            Panel("Do opt-outs or deletions fail?", "People who asked in vain, a second, by method and code. Any that lasts needs a person at once.",
                  [(or_all(rate("grpc_method, grpc_code", "grpc_server_handled_total", FAILED_WRITES, 'grpc_code!="OK"'),
                          rate("", "grpc_server_handled_total", FAILED_WRITES, 'grpc_code!="OK"'), "grpc_method"), "{{grpc_method}} {{grpc_code}}")], unit="reqps", steps=none_is_good(0.001)),
            Panel("Do calls pile up?", "Calls and changes that were taken and are not answered, and joins of accounts that have begun and not ended.",
                  [(of("grpc_server_in_flight"), "calls"), (of("consentd_changes_in_flight"), "changes"), (of("consentd_joins_open"), "joins")]),
            Panel("Do threads keep up?", "Tasks that wait for a thread, by pool; more than 4,096 are refused.", [(of("consentd_pool_queue_length"), "{{pool}}")], steps=((1_000, "orange"),)),
            Panel("What is written?", "Commits, registrations, and parts of writes by result, a second.",
                  [(f"sum(rate({of('consentd_store_commits_total')}[$__rate_interval]))", "commits"), (f"sum(rate({of('consentd_registrations_total')}[$__rate_interval]))", "registrations"),
                   (rate("result", "consentd_change_parts_total"), "parts {{result}}")], unit="ops"),
            Panel("Are batches well formed?", "Items of batches without an answer, within an hour.",
                  [(f"sum(increase({of('consentd_batch_item_errors_total')}[1h]))", "items")], "stat", steps=((1, "yellow"),)),
        ]),
        ("Callers", [
            Panel("Who is near a limit?", "How much of each limit a caller uses; at 1 the next call is refused.",
                  [(f"max by (caller, limit) ({of('consentd_caller_limit_used_ratio', CALLER)})", "{{caller}} {{limit}}")], "bars", "percentunit", ((0.8, "yellow"), (1, "red"))),
            Panel("Who is over a limit?", "Calls that were refused for one within an hour.",
                  [(grown("caller, limit", "consentd_caller_limited_total", CALLER, within="1h"), "{{caller}} {{limit}}")], "bars", steps=none_is_good()),
            Panel("Who calls, and who fails?", "Answers a second, by caller and code.",
                  [(rate("caller, grpc_code", "consentd_caller_calls_total", CALLER) + " > 0", "{{caller}} {{grpc_code}}")], unit="reqps"),
            Panel("Is there room for connections?", "Open ones, of how many there may be.",
                  [(of("consentd_connections"), "open"), (of("consentd_connections_max"), "room")]),
            Panel("Who is cut off, and why?", "Connections that ended within an hour, by reason.",
                  [(or_all(grown("reason", "consentd_connections_closed_total", within="1h"), grown("", "consentd_connections_closed_total", within="1h"), "reason"), "{{reason}}")], "bars"),
            Panel("Who cannot come in?", "TLS handshakes that failed within an hour: no certificate, another CA, one that is over, or no TLS.",
                  [(f"sum(increase({of('consentd_tls_handshakes_failed_total')}[1h]))", "handshakes")], "stat", steps=((1, "yellow"), (100, "red"))),
        ]),
        ("What expires, what was read", [
            Panel("Which certificate ends next?", "How long the server's chain and the clients' CA still hold.",
                  [(of("consentd_tls_certificate_not_after_timestamp_seconds") + " - time()", "{{which}}")], "stat", "s", ((7 * DAY, "yellow"), (14 * DAY, "green")), "red"),
            Panel("When were the certificates replaced?", "When those in use were put in place.",
                  [(date("consentd_tls_certificate_last_reload_success_timestamp_seconds"), "{{instance}}")], "stat", "dateTimeAsIso"),
            Panel("When was the callers' file read?", "When it was last put in force.", [(date("consentd_callers_last_reload_success_timestamp_seconds"), "{{instance}}")], "stat", "dateTimeAsIso"),
            Panel("When was the policy file read?", "When it was last read and in force afterwards.",
                  [(date("consentd_policy_last_reload_success_timestamp_seconds"), "{{instance}}")], "stat", "dateTimeAsIso"),
            Panel("Was a file refused?", "Files within a day that were put in place and not taken; the old ones stay in force.",
                  [(f"sum(increase({of('consentd_policy_reloads_total', REFUSED)}[1d]))", "policy"),
                   (f"sum(increase({of('consentd_callers_reloads_total', REFUSED)}[1d]))", "callers"),
                   (f"sum(increase({of('consentd_tls_certificate_reloads_total', REFUSED)}[1d]))", "certificates")], "stat", steps=none_is_good()),
        ]),
        ("Store and disk", [
            Panel("How long do commits take?", "What 99 of 100 stay below, from a commit's arrival in the queue to its answer, and the engine's write and sync of one group.",
                  [(p99("", "consentd_store_commit_seconds"), "commit"), (p99("", "consentd_store_sync_seconds"), "sync")], unit="s"),
            Panel("Do commits pile up?", "Commits in the queue, of at most 8,192.", [(of("consentd_store_commits_waiting"), "{{instance}}")], steps=((4_096, "orange"),)),
            Panel("Will a disk be full soon?", "What will be free in two days and in two weeks, if the last 6 hours go on; below 0 it is full by then.",
                  [(f"predict_linear({of('consentd_disk_free_bytes')}[6h], {2 * DAY})", "{{folder}} in 2 days"),
                   (f"predict_linear({of('consentd_disk_free_bytes')}[6h], {14 * DAY})", "{{folder}} in 2 weeks")], "bars", "bytes", ((0, "yellow"), (2 << 30, "green")), "red"),
            Panel("How full is a disk?", "The share that is taken.",
                  [(f"1 - {of('consentd_disk_free_bytes')} / {of('consentd_disk_size_bytes')}", "{{folder}}")], "bars", "percentunit", ((0.8, "yellow"), (0.9, "red"))),
            Panel("How much room is there?", "Free bytes by folder, and what erasing may need beside the table files.",
                  [(of("consentd_disk_free_bytes"), "{{folder}} free"), (of("consentd_rocksdb_sst_bytes"), "table files")], unit="bytes"),
            Panel("Are there inodes?", "Free ones by folder.", [(of("consentd_disk_free_inodes"), "{{folder}}")], "bars", steps=((10_000, "yellow"), (100_000, "green")), colour="red"),
            Panel("How large is the store?", "Its table files, tables in memory, write-ahead log, and what waits for compaction.",
                  [(of("consentd_rocksdb_sst_bytes"), "table files"), (of("consentd_rocksdb_memtable_bytes"), "in memory"), (of("consentd_rocksdb_wal_bytes"), "log"),
                   (of("consentd_rocksdb_pending_compaction_bytes"), "to be compacted")], unit="bytes"),
            Panel("How many rows?", "As the engine estimates them.", [(of("consentd_rocksdb_estimated_keys"), "{{instance}}")]),
            Panel("Does the engine stall?", "How often writes of a table family began to be delayed or were stopped, within an hour.",
                  [(grown("condition", "consentd_rocksdb_write_stalls_total", within="1h"), "{{condition}}")], "stat", steps=none_is_good()),
            Panel("Does it stand still, or brake?", "1 while writes wait for compaction; the rate to which they are throttled, 0: they are not.",
                  [(of("consentd_rocksdb_writes_stopped"), "stopped"), (of("consentd_rocksdb_delayed_write_bytes_per_second"), "bytes a second")], "stat", steps=none_is_good()),
            Panel("Is the disk broken?", "Errors of the engine's background work since the daemon began.",
                  [(of("consentd_rocksdb_background_errors_total"), "{{instance}}")], "stat", steps=none_is_good()),
            Panel("How far is a rotation of the master key?", "Keys that have yet to come under the newest one; `consentctl keys show` says when it is done.", [(of("consentd_key_shares_to_rewrap"), "{{instance}}")]),
            Panel("Is there a backup?", "How long ago the last one began that was wholly taken; as long as the daemon runs where it remembers none. Over 26 hours alarms.",
                  [(age("consentd_backup_last_timestamp_seconds"), "last backup")], "stat", "s", ((93_600, "red"),)),
            Panel("How much waits to be erased?", "What has yet to leave the store's own files.", [(of("consentd_erasures_waiting"), "{{step}}")]),
        ]),
        ("Memory and machine", [
            Panel("How much memory is left?", "Resident memory, and what the control group allows; no limit: there is none.",
                  [(of("process_resident_memory_bytes"), "resident"), (of("consentd_memory_limit_bytes"), "limit"), (of("consentd_index_bytes"), "index")], unit="bytes"),
            Panel("How busy is it?", "Processors that it keeps busy.", [(f"rate({of('process_cpu_seconds_total')}[$__rate_interval])", "{{instance}}")]),
            Panel("How many files may it open?", "Open ones, of how many there may be.", [(of("process_open_fds"), "open"), (of("process_max_fds"), "limit")]),
            Panel("Is every subject in memory?", "1: yes. 0: checks of the others read the disk; raise --index-max-subjects.",
                  [(of("consentd_index_complete"), "{{instance}}")], "stat", **ALL_IS_GOOD),
            Panel("How many subjects fit?", "Subjects in memory, of how many there may be.",
                  [(of("consentd_index_subjects"), "subjects"), (of("consentd_index_max_subjects"), "room")]),
        ]),
        ("Deletion at work", [
            Panel("Do workers keep up?", "Open purge tasks by system.", [(total("system", "consentd_purge_tasks_open", SYSTEM), "{{system}}")]),
            Panel("Does a worker fail?", "Tasks given back as failed within an hour.",
                  [(grown("system", "consentd_purge_task_failures_total", SYSTEM, within="1h"), "{{system}}")], "bars", steps=((1, "yellow"), (10, "red"))),
            Panel("Does a worker report nonsense?", "Reports that were refused within an hour, by reason.",
                  [(or_all(grown("system, reason", "consentd_purge_task_reports_refused_total", SYSTEM, within="1h"),
                          grown("", "consentd_purge_task_reports_refused_total", SYSTEM, within="1h"), "system"), "{{system}} {{reason}}")], "bars", steps=none_is_good()),
            Panel("Does a worker live?", "Since a worker last asked for tasks or reported any.",
                  [(age("consentd_purge_worker_last_seen_timestamp_seconds", SYSTEM), "{{system}}")], "bars", "s", ((HOUR, "yellow"), (DAY, "red"))),
        ]),
        ("Restriction journal", [
            Panel("Is one kept?", "1: what people say is on a second disk, too, before it is acknowledged. 0: a restore knows nothing of what was said since the backup.",
                  [(of("consentd_journal_on"), "{{instance}}")], "stat", **ALL_IS_GOOD),
            Panel("Does a restore know what was said since the backup?", "Changes that were acknowledged and that the journal does not have, and in how many partitions. It is filled up once there is room.",
                  [(f"sum({of('consentd_journal_behind')})", "changes"), (f"sum({of('consentd_journal_behind_partitions')})", "partitions")], "stat", steps=none_is_good()),
            Panel("Is its disk alive?", "Since a change was last made durable in it, and what failed within an hour.",
                  [(f"min by (instance) ({age('consentd_journal_synced_timestamp_seconds')})", "seconds"),
                   (grown("", "consentd_journal_failures_total", within="1h"), "failures")], "stat"),
            Panel("How large is it, and how fast does it grow?", "Bytes of its files, and changes a second. Files go with the next verified backup.",
                  [(of("consentd_journal_bytes"), "bytes"), (f"sum(rate({of('consentd_journal_entries_total')}[$__rate_interval]))", "changes a second")]),
            Panel("What would a restore lack?", "Deletion requests and holds whose ids are not in it: they have to be asked for again after a restore.",
                  [(f"sum({of('consentd_journal_lacking_ids_total')})", "without ids")], "stat", steps=none_is_good()),
        ]),
        ("Decision log", [
            Panel("Can it be written?", "0: yeses that must be on record are noes.", [(of("consentd_decision_log_writing"), "{{instance}}")], "stat", **ALL_IS_GOOD),
            Panel("Do yeses become noes?", "Records that were not written within an hour: full, too many waited; write, it failed.",
                  [(grown("reason", "consentd_decision_log_refused_total", within="1h"), "{{reason}}")], "stat", steps=none_is_good()),
            Panel("How fast does it grow?", "Bytes a second.", [(f"sum(rate({of('consentd_decision_log_bytes_total')}[$__rate_interval]))", "bytes a second")], unit="Bps"),
            Panel("How many records?", "A second, and those that wait to be written.",
                  [(f"sum(rate({of('consentd_decision_log_records_total')}[$__rate_interval]))", "written a second"),
                   (f"sum({of('consentd_decision_log_records_waiting')})", "waiting")]),
        ]),
    ],
}

# Of which metric's labels a variable takes its values.
VARIABLES = {
    "regime": "consentd_deletion_requests_overdue", "purpose": "consentd_suspended", "system": "consentd_purge_tasks_open", "caller": "consentd_asked_total",
}
# Of which what is shown may be below zero.
BELOW_ZERO = ("- time()", "predict_linear", "clock_offset")
SIZES = {"stat": (6, 5), "name": (6, 5), "bars": (12, 9), "lines": (12, 8)}


def variable(name, query, label):
    return {"name": name, "label": label, "type": "query", "datasource": SOURCE, "query": {"query": query, "refId": name}, "definition": query, "refresh": 2, "sort": 1, "multi": True,
            "includeAll": True, "allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}, "hide": 0, "skipUrlSync": False, "options": [], "regex": ""}


def templating(names):
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}, "hide": 0, "includeAll": False, "multi": False, "options": [],
              "refresh": 1, "regex": "", "skipUrlSync": False}
    return {"list": [source, variable("instance", "label_values(consentd_build_info, instance)", "daemon"),
                     *(variable(name, f"label_values({VARIABLES[name]}, {name})", name) for name in names)]}


def thresholds(panel):
    return {"mode": "absolute", "steps": [{"color": panel.colour, "value": None}, *({"color": colour, "value": value} for value, colour in panel.steps)]}


def options(kind):
    if kind == "lines":
        return {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if kind in ("stat", "name"):
        return {"reduceOptions": reduce, "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "value_and_name" if kind == "stat" else "name"}
    return {"reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True, "valueMode": "color"}


def written(panel, number, place):
    kind = {"stat": "stat", "name": "stat", "bars": "bargauge", "lines": "timeseries"}[panel.kind]
    custom = {"lineWidth": 1, "fillOpacity": 0, "showPoints": "never", "thresholdsStyle": {"mode": "line" if panel.steps else "off"}} if panel.kind == "lines" else {}
    targets = [{"refId": chr(ord("A") + index), "datasource": SOURCE, "editorMode": "code", "expr": expression, "legendFormat": legend, "instant": panel.kind != "lines",
                "range": panel.kind == "lines"} for index, (expression, legend) in enumerate(panel.queries)]
    return {"id": number, "type": kind, "title": panel.question, "description": panel.meaning, "datasource": SOURCE, "gridPos": place,
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": None if any(word in panel.queries[0][0] for word in BELOW_ZERO) else 0, "color": {"mode": "palette-classic" if panel.kind == "lines" else "thresholds"},
                                         "thresholds": thresholds(panel), "custom": custom, "noValue": "none"}, "overrides": []},
            "options": options(panel.kind), "targets": targets}


def panels(sections):
    """Row by row, as many beside one another as fit."""
    made, y = [], 0
    for title, questions in sections:
        made.append({"id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []})
        x, y, height = 0, y + 1, 0
        for panel in questions:
            width, tall = SIZES[panel.kind]
            if x + width > 24:
                x, y, height = 0, y + height, 0
            made.append(written(panel, len(made) + 1, {"h": tall, "w": width, "x": x, "y": y}))
            x, height = x + width, max(height, tall)
        y += height
    return made


def dashboard(plan):
    return {"uid": plan["uid"], "title": plan["title"], "description": plan["description"], "tags": ["consentd"], "schemaVersion": SCHEMA_VERSION, "version": 1, "id": None,
            "editable": True, "graphTooltip": 1, "timezone": "utc", "refresh": "1m", "time": {"from": "now-24h", "to": "now"}, "timepicker": {}, "annotations": {"list": []}, "links": [],
            "fiscalYearStartMonth": 0, "liveNow": False, "style": "dark", "weekStart": "monday", "templating": templating(plan["variables"]), "panels": panels(plan["sections"])}


DASHBOARDS = {"officer.json": OFFICER, "operator.json": OPERATOR}


def text(name):
    return json.dumps(dashboard(DASHBOARDS[name]), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in DASHBOARDS:
        (HERE / name).write_text(text(name), encoding="utf-8")
