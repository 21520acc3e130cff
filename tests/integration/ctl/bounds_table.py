"""One row for each input of consentctl: its kind, and the field of the request that it becomes."""

import dataclasses
import datetime
import json
import pathlib
import tempfile

import bounds
from bounds import NotOnTheWire, appeal, deletion, eligibility, often, purge, put, rarely, settings, stand_in, subject, types

POLICY = str(pathlib.Path(__file__).resolve().parents[3] / "deploy" / "policy.json")  # the one in force

# In the place of an account; a case puts another one of the same length there.
ACCOUNT = "account-000000"
BACKUPS = tempfile.mkdtemp(prefix="consent-backups-")
OFF, ON = settings.SWITCH_OFF, settings.SWITCH_ON


@dataclasses.dataclass
class Asked:
    """A command, the call that it makes, and its inputs: name -> rows of kind, field and, where it needs others, arguments."""
    command: str
    method: str
    given: list             # "<name>" stands before the value of a positional
    inputs: dict
    codes: tuple = (0,)     # when the daemon takes it
    restricts: bool = False  # the arguments hold a no, which counts whatever stands beside it
    stdin: str = ""


def ahead(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(kind):
    """Checked by consentctl alone: an offer with a bound is refused, any other taken."""
    return kind, None


def path(*good):
    return local(bounds.Kind([often("/nowhere/file", bound="cannot|no program"),
                              often("/", bound="cannot|director|no program|there already"),
                              often("", bound="."), *(often(name) for name in good)]))


def folder(good):
    return local(bounds.Kind([often("/nowhere/file", bound="cannot|no folder"), often("", bound="."), often(good)]))


SWITCH = local(bounds.switch())
ID, TOKEN, NAME, REASON = bounds.identifier(), bounds.text(0, 128), bounds.text(1, 64), bounds.text(1, 256)
REQUEST_ID, SITE, LABEL = bounds.text(0, 64), bounds.text(0, 64), bounds.text(0, 64)
AUTHORITY, REFERENCE = bounds.text(1, 128), bounds.text(0, 256)
DELETION_ID, SYSTEM, RETIRE_REASON = bounds.text(1, 128), bounds.text(1, 64), bounds.text(0, 256)
TIME, BOUNDARY, LAST, EXACT = (bounds.time(form) for form in (bounds.read_time, bounds.read_first, bounds.read_last, bounds.read_exact))
PAGE = bounds.number(1, 1_000)
PURPOSE = bounds.names(types.Purpose, "PURPOSE_", "HUMAN_REVIEW")
PURPOSES = bounds.several(PURPOSE, often("HUMAN_REVIEW", "ADVERTISING"))
FLAGS = bounds.twice(bounds.names(types.Flag, "FLAG_", "SAFETY"), "SAFETY")
ACTOR, CHANNEL = bounds.names(types.Actor, "ACTOR_", "SYSTEM"), bounds.names(types.Channel, "CHANNEL_", "SUPPORT")
REVIEWER = bounds.names(types.ReviewerClass, "REVIEWER_CLASS_", "EMPLOYEE")
SELECTION = bounds.names(types.Selection, "SELECTION_", "RANDOM")
RECORDINGS = bounds.many(ID, 1_000, "1000|1,000")
TARGET = bounds.target()
LANGUAGE, RETENTION = bounds.language(), bounds.retention()
TEXT_LANGUAGE = bounds.text(0, 35)
# Of `settings opt-out --control`: that and nothing else.
CONTROL = bounds.several(bounds.target(False, False), *(often(*[f"n{count}" for count in range(most)], bound="1 to 64|control")
                                                        for most in (63, 64)))
EVIDENCE = {
    "--notice": [(bounds.text(0, 64), "evidence.notice_version")], "--language": [(LANGUAGE, "evidence.notice_language")],
    "--channel": [(CHANNEL, "evidence.channel")], "--actor": [(ACTOR, "evidence.actor")],
    "--guardian": [(ID, "evidence.guardian_id")], "--reference": [(REFERENCE, "evidence.reference")]}
# Of each step of an appeal.
APPEAL = {"deletion": [(DELETION_ID, "deletion_id")], "--request-id": [(REQUEST_ID, "request_id")], "--at": [(TIME, "at")]}
BRIEFLY = {name: [(kind.brief(), field)] for name, [(kind, field)] in EVIDENCE.items()}


def turned(field, turn):
    """Sets what is turned on, or off, in a list of changes."""
    def set_changes(request, values):
        kept = [change for change in getattr(request, field) if change.turn != turn]
        request.ClearField(field)
        getattr(request, field).extend(kept)
        for value in values:
            change = getattr(request, field).add(turn=turn)
            if isinstance(value, bytes):
                change.target.control = stand_in(value)
            else:
                change.target.CopyFrom(value)
    return set_changes


def refused(kind):
    """Sets the controls, or the purposes, of an opt-out."""
    def set_targets(request, values):
        kept = [one for one in request.targets if one.WhichOneof("kind") != kind]
        request.ClearField("targets")
        request.targets.extend(kept)
        for value in values:
            put(request.targets.add(), kind, [value])
    return set_targets


def kept(request, values):
    request.ClearField("retention")
    request.retention.add(retention=values[-1])


def scoped(field):
    def set_scopes(request, values):
        for change in [*request.changes, *request.retention]:
            put(change, f"scope.{field}", values)
    return set_scopes


def on(field, *given):
    return [(TARGET, turned(field, ON), *given)]


def people(given):
    """Of `subject set`."""
    return {
        "account": [(ID, "account_id")], "--region": [(REGION, "region")], "--profile": [(PROFILE, "profiles")],
        "--device": [(DEVICES, "device_ids")],
        "--remove-profile": [(ID, "remove_profile_ids")], "--remove-device": [(ID, "remove_device_ids")], "--on": on("initial_choices"),
        "--off": [(TARGET, turned("initial_choices", OFF))], "--retention": [(RETENTION, kept, given)], "--create-new": [SWITCH],
        "--etag": [(TOKEN, "etag")], **BRIEFLY}


REGION = bounds.region("stored")
PROFILE = bounds.many(bounds.person(), 64, "64")
DEVICES = bounds.many(ID, 64, "64")


def choices():
    """Of `settings set`."""
    return {
        "account": [(ID, "account_id")], "--confirm-restored": [SWITCH], "--on": on("changes"), "--off": [(TARGET, turned("changes", OFF))],
        "--retention": [(RETENTION, kept)], "--profile": [(ID, scoped("profile_id"))], "--device": [(ID, scoped("device_id"))],
        "--self-profile": [(ID, "self_profile_id")], "--etag": [(TOKEN, "etag")], **EVIDENCE, **BULK}


RECORDING = ["--account", ACCOUNT, "--recording", "r"]
COPY = [*RECORDING, "--disposition", "--artefact", "TRANSCRIPT"]
# Any time; what was before the daemon cannot be told (20), so the ones that are taken lie ahead.
ASKED_AT = bounds.Kind([often("9999-12-31T23:59:59Z"), often("2124-05-01T14:00:00+02:00"), often("yesterday", bound="RFC 3339"), often("10000-01-01T00:00:00Z", bound="RFC 3339|9999"), often("", bound=".")])
TOLD_IN = bounds.Kind([often("de"), often("de-CH"), often("x" * 36, bound="35")])
EXPLAINED = [*RECORDING, "--disposition", "--explain"]
CHECK = {
    "--account": [(ID, "recording.account_id")], "--recording": [(ID, "recording.recording_id")],
    "--captured-at": [(TIME, "recording.captured_at")],
    "--captured-uncertainty-ms": [(bounds.number(0, 86_400_000), "recording.captured_uncertainty_ms")],
    "--ingested-at": [(TIME, "recording.ingested_at")], "--profile": [(bounds.many(ID, 8, "8"), "recording.profile_ids")],
    "--device": [(ID, "recording.device_id")], "--region": [(bounds.region("captured"), "recording.region")],
    "--wake": [(bounds.names(types.Wake, "WAKE_", "BUTTON"), "recording.wake")],
    "--kind": [(bounds.names(types.Kind, "KIND_", "SOUND"), "recording.kind")],
    "--speakers": [(bounds.names(types.Speakers, "SPEAKERS_", "ONE"), "recording.speakers")],
    "--identity": [(bounds.names(types.Identity, "IDENTITY_", "NOT_RUN"), "recording.identity")],
    "--age": [(bounds.names(types.SpeakerAge, "SPEAKER_AGE_", "CHILD_PRESENT"), "recording.age")],
    "--artefact": [(bounds.names(types.Artefact, "ARTEFACT_", "SOURCE"), "recording.artefact")],
    "--made-for": [(PURPOSE, "recording.made_for", COPY), (bounds.Kind([often("HUMAN_REVIEW", bound="artefact")], PURPOSE.wire),
                                                           "recording.made_for")],
    "--flag": [(bounds.several(FLAGS, often(*["SAFETY"] * 9, bound="8")), "recording.flags")],
    "--file": [(*path(), ["--disposition"])], "--purpose": [(PURPOSE, "purpose", [*RECORDING, "--purpose", "HUMAN_REVIEW"])],
    "--disposition": [SWITCH],
    "--country": [(bounds.region("country", False), "place.country")], "--site": [(SITE, "place.site")],
    "--reviewer": [(REVIEWER, "place.reviewer_class")],
    "--at-least-revision": [(TOKEN, "at_least_revision")], "--selection": [(SELECTION, "selection")],
    "--explain": [SWITCH], "--at": [(*local(ASKED_AT), EXPLAINED)], "--language": [(*local(TOLD_IN), EXPLAINED)]}
ANSWERS = (0, 10, 11, 12, 13, 14)


def deleting(*what):
    return ["<account>", ACCOUNT, *what]


DELETE = {
    "account": [(ID, "account_id")], "--everything": [SWITCH], "--today": [SWITCH], "--close-account": [SWITCH], "--verified": [SWITCH],
    "--verifying": [SWITCH], "--yes": [SWITCH],
    "--from": [(BOUNDARY, "selector.time_range.from", deleting("--from", "2024-05-01T12:00:00Z", "--to", "2024-05-02T12:00:00Z"))],
    "--to": [(bounds.several(LAST, often("2024-05-02T13:00:00Z")), "selector.time_range.to", deleting("--from", "2024-05-01T12:00:00Z",
                                                                                                      "--to", "2024-05-02T12:00:00Z"))],
    "--time-zone": [(bounds.zone(), "selector.spoken_day.time_zone",
                     deleting("--today", "--time-zone", "UTC", "--spoken-at", "2024-05-01T12:00:00Z"))],
    "--spoken-at": [(TIME, "selector.spoken_day.spoken_at", deleting("--today", "--time-zone", "UTC", "--spoken-at",
                                                                     "2024-05-01T12:00:00Z"))],
    "--recording": [(RECORDINGS, "selector.recordings.recording_ids", deleting("--recording", "r"))],
    "--profile": [(ID, "selector.profile_id", deleting("--profile", "p")),
                  (ID, "selector.purpose_copies.scope.profile_id", deleting("--purpose-copies", "ADVERTISING", "--profile", "p"))],
    "--device": [(ID, "selector.device_id", deleting("--device", "d")),
                 (ID, "selector.purpose_copies.scope.device_id", deleting("--purpose-copies", "ADVERTISING", "--device", "d"))],
    "--purpose-copies": [(bounds.twice(PURPOSES, "ADVERTISING"), "selector.purpose_copies.purposes",
                          deleting("--purpose-copies", "ADVERTISING"))],
    "--voice-id": [(ID, "selector.voice_id_of_profile_id", deleting("--voice-id", "p"))],
    "--requester": [(ACTOR, "requester")], "--request-id": [(REQUEST_ID, "request_id")], **BRIEFLY}


def step(**more):
    rows = {"deletion": [(DELETION_ID, "deletion_id")], "--request-id": [(REQUEST_ID, "request_id")], **BRIEFLY}
    return {**rows, **{"--" + name.replace("_", "-"): row for name, row in more.items()}}


ORDER = ["--authority", "court", "--reason", "case"]
PLACE = ["<account>", ACCOUNT, *ORDER]
ORDERED = {"--authority": [(AUTHORITY, "authority")], "--reason": [(REASON, "reason")], "--request-id": [(REQUEST_ID, "request_id")],
           **BRIEFLY}
# Of the commands that take one account or a file of them: beside an account they are a wrong command line.
WITH_FILE = local(bounds.Kind([often("/nowhere/file", bound="belongs to --file"), often("", bound=".")]))
BULK = {"--file": [local(bounds.Kind([often("/nowhere/file", bound="give one of both"), often("", bound=".")]))], "--report": [WITH_FILE], "--force": [SWITCH],
        "--progress": [WITH_FILE],
        "--parallel": [local(bounds.Kind([often("1", bound="belongs to --file"), often("256", bound="belongs to --file"),
                                          often("0", bound="1 (to|-) 256"), often("257", bound="1 (to|-) 256"), often("x", bound=".")]))]}
DELETE.update(BULK)
PAGES = {"--page-size": [(PAGE, "page_size")], "--page": [(TOKEN, "page_token")]}
LINE = json.dumps({"recording_id": "r", "account_id": ACCOUNT}) + "\n"
SUSPENDED = {"purpose": [(PURPOSE, "purpose")], "--region": [(bounds.region("stored"), "region")], "--reason": [(REASON, "reason")]}
# A period ends after it begins.
PERIOD_END = dataclasses.replace(BOUNDARY, offers=[one for one in BOUNDARY.offers if not one.values[0].startswith(b"1970-01-01")])
PERIOD = bounds.Kind([often("2024-01-01"), often("1970-01-01"), rarely("1970-01-01T00:00:00Z"), often("2999-01-01", bound="after"),
                      *(often(wrong, bound="RFC 3339") for wrong in ("", "x", "1969-12-31", "2024-02-30", "2024-1-1", " 2024-01-01"))])
SYSTEM_GIVEN = ["<name>", ACCOUNT, "--kind", "AUDIO", "--matches-by", "ACCOUNT", "--matches-by", "RECORDING_ID"]


# A moment that a system's retention can be attested until.
AHEAD = bounds.Kind([often(ahead(100)), often(ahead(400), bound="366"), often("2024-05-01T12:00:00Z", bound="366"),
                     often("2024-05-01", bound="366"), *(often(wrong, bound="RFC 3339") for wrong in ("", "x", "2024-05-32"))], bounds.read_first)


def retention(field, given):
    """Of a data system: one of the two ways."""
    attested = [*given, "--attested-by", "dpo", "--attested-until", ahead(100)]
    return {"--attested-by": [(bounds.text(1, 128), f"{field}.attested.by", attested)],
            "--attested-until": [(AHEAD, f"{field}.attested.until", attested)],
            "--sweep-days": [(bounds.number(1, 90), f"{field}.sweep_days", [*given, "--sweep-days", "7"])]}


def the_profile(request, values):
    """Of `children keep`."""
    put(request.profiles[0] if request.profiles else request.profiles.add(), "profile_id", values)


def the_activity(request, values):
    put(request.profiles[0] if request.profiles else request.profiles.add(), "last_active_at", values)


# Of an inventory without lines, so that nothing of it reaches the daemon.
FILLED = bounds.Kind([often("wake=BUTTON"), often("wake=button", bound="wake"), often("artefact=TRANSCRIPT"), often("wake", bound="KEY=VALUE"),
                      often("Wake=BUTTON", bound="key"), often("account_id=a", bound="account_id")])


def fact_set(request, values):
    """KEY=VALUE of `filter --set` into the one recording of the batch."""
    for value in values:
        key, equals, text = value.partition(b"=")
        if not equals or key in (b"recording_id", b"account_id", b"profile_ids", b"device_id"):
            raise NotOnTheWire
        said = text.split(b",") if key == b"flags" else bounds.read_number(text) if key == b"captured_uncertainty_ms" else text
        fact(request.recordings[0], request.place, key.decode(errors="replace"), said)


def fact(recording, place, key, value):
    """Sets what a key of a recording's line says, which is a JSON value with bytes for texts."""
    message, name = {"reviewer": (place, "reviewer_class"), "country": (place, "country"), "site": (place, "site")}.get(key,
                                                                                                                        (recording, key))
    if name not in message.DESCRIPTOR.fields_by_name or (message is place and name != key and key != "reviewer"):
        raise NotOnTheWire
    put(message, name, json_field(message.DESCRIPTOR.fields_by_name[name], value))


def json_field(field, value):
    """What a JSON value stands for in a field: a list of it."""
    if field.label == field.LABEL_REPEATED:
        if not isinstance(value, list):
            raise NotOnTheWire
        return [json_scalar(field, item) for item in value]
    return [json_scalar(field, value)]


def json_scalar(field, value):
    if field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_INT64):
        if type(value) is not int or not -2**63 <= value < 2**63:
            raise NotOnTheWire
        return value
    if not isinstance(value, bytes):
        raise NotOnTheWire
    if field.message_type is not None:
        return bounds.read_time(value)
    if field.enum_type is not None:
        prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        text = value.decode(errors="replace").removeprefix(prefix)
        return next((one.number for one in field.enum_type.values if one.number and one.name == prefix + text), bounds.UNKNOWN)
    return value


FACTS = bounds.Kind([
    often("country=RO"), often("country=ro", bound="upper case"), often("country=", bound="country"), often("country", bound="KEY=VALUE"),
    often("=RO", bound="key"), often("Country=RO", bound="key"), often("account_id=a", bound="account_id"),
    often("device_id=d", bound="device_id"),
    often("captured_uncertainty_ms=86400001", bound="86400000"), often("captured_uncertainty_ms=86400000"),
    often("captured_uncertainty_ms=010", bound="whole number"), often("captured_uncertainty_ms=x", bound="whole number"),
    often("flags=SAFETY,CHILD_PRESENT"), often("flags=" + ",".join(["SAFETY"] * 9), bound="8"), often("flags=", bound="flags"),
    often("flags=X", bound="flags"), often("wake=BUTTON"), often("wake=button", bound="wake"), often("site=" + "s" * 64),
    often("site=" + "s" * 65, bound="64"), often("region=UK"), often("region=uk", bound="upper case"),
    often("captured_at=2024-05-01T12:00:00Z"),
    often("captured_at=1970-01-01T00:00:00Z"), often("captured_at=1969-12-31T23:59:59Z", bound="RFC 3339"),
    often(b"site=\xff", bound="UTF-8")])

# Of questions to the decision log.
EIGHT = bounds.several(ID, often(*[f"n{count}" for count in range(8)]), often(*[f"n{count}" for count in range(9)], bound="8"))
SKEW = local(bounds.Kind([often("1h"), *(often(wrong, bound="such as 30s") for wrong in ("61min", "", "x", "1", "-1s"))]))
HEARD = ["<files>", "/dev/null", "--heard", "/dev/null"]
DECIDED = local(bounds.Kind([often("2024-01-01"), often("1970-01-01"), rarely("9999-12-31T23:59:59Z"),
                             *(often(wrong, bound="RFC 3339") for wrong in ("", "x", "1969-12-31", "2024-02-30", "2024-1-1", " 2024-01-01"))]))
SHADOW = local(bounds.Kind([often("2024-05-01T12:00:00Z"), often(ahead(32), bound="31 days"), often("9999-12-31T23:59:59Z", bound="31 days|9999"),
                            *(often(wrong, bound="RFC 3339") for wrong in ("", "x"))]))
DAEMONS = local(bounds.Kind([often("", bound="empty"), often("x y", bound="endpoint|address|HOST")]))

# Of an account beside another one: all at their bounds they are two.
ANOTHER_ID = dataclasses.replace(ID, offers=[dataclasses.replace(one, values=[value.replace(b"x", b"y") for value in one.values]) for one in ID.offers])

COMMANDS = [
    Asked("subject set", "SubjectService/UpsertSubject", ["<account>", ACCOUNT, "--device", "d"],
          people(["<account>", ACCOUNT, "--retention", "3m"])),
    Asked("subject set", "SubjectService/UpsertSubject", ["<account>", ACCOUNT, "--off", "help_improve"], people(None), restricts=True),
    Asked("subject join", "SubjectService/JoinSubjects", ["<from>", ACCOUNT, "<into>", "other", "--yes"], {
        "from": [(ID, "from_account_id")], "into": [(ANOTHER_ID, "into_account_id")], "--from-etag": [(TOKEN, "from_etag")],
        "--into-etag": [(TOKEN, "into_etag")], "--into-is-new": [SWITCH], "--yes": [SWITCH], "--request-id": [(REQUEST_ID, "request_id")],
        **EVIDENCE}),
    Asked("subject get", "SubjectService/GetSubject", ["<account>", ACCOUNT], {"account": [(ID, "account_id")]}),
    Asked("settings get", "SettingsService/GetSettings", ["<account>", ACCOUNT],
          {"account": [(ID, "account_id")], "--language": [(TEXT_LANGUAGE, "language")], "--region": [(REGION, "region")]}),
    Asked("settings set", "SettingsService/UpdateSettings", ["<account>", ACCOUNT, "--on", "help_improve"], choices()),
    Asked("settings set", "SettingsService/UpdateSettings", ["<account>", ACCOUNT, "--off", "help_improve"], choices(), restricts=True),
    Asked("settings opt-out", "SettingsService/OptOut", ["<account>", ACCOUNT, "--all"], {
        "account": [(ID, "account_id")], "--control": [(CONTROL, refused("control"))], "--purpose": [(PURPOSES, refused("purpose"))],
        "--all": [SWITCH],
        "--profile": [(ID, "scope.profile_id")], "--device": [(ID, "scope.device_id")], **EVIDENCE, **BULK}, restricts=True),
    Asked("settings opt-outs", "SettingsService/ListChoices", ["--from", "2024-01-01", "--to", "2024-02-01"],
          {"--from": [local(PERIOD)], "--to": [(PERIOD_END, "before", ["--from", "1970-01-01", "--to", "2024-02-01"])],
           "--limit": [local(bounds.number(1, 100_000))]}),
    Asked("settings history", "SettingsService/ListSettingsHistory", ["<account>", ACCOUNT], {"account": [(ID, "account_id")], **PAGES}),
    Asked("settings at", "SettingsService/GetSettingsAt", ["<account>", ACCOUNT, "<time>", "2024-05-01T12:00:00Z"],
          {"account": [(ID, "account_id")], "time": [(BOUNDARY, "at")], "--language": [(TEXT_LANGUAGE, "language")]}),
    Asked("check", "EligibilityService/Check", [*RECORDING, "--disposition"], CHECK, ANSWERS),
    Asked("report-recording", "RecordingService/ReportRecording", ["<account>", ACCOUNT, "<recording>", "r", "--flag", "SAFETY"],
          {"account": [(ID, "account_id")], "recording": [(ID, "recording_id")], "--flag": [(FLAGS, "flags")], **BRIEFLY}),
    Asked("policy show", "PolicyService/GetPolicy", [], {"--version": [(LABEL, "version")]}),
    Asked("policy suspend", "PolicyService/Suspend", ["<purpose>", "ADVERTISING", "--region", "AQ", "--reason", "x"], SUSPENDED),
    Asked("policy resume", "PolicyService/Resume", ["<purpose>", "ADVERTISING", "--region", "AQ", "--reason", "x"],
          {**SUSPENDED, "--etag": [(TOKEN, "etag")], "--yes": [SWITCH], "--restored": [SWITCH]}),
    Asked("policy list", "PolicyService/ListPolicies", [], PAGES),
    Asked("policy diff", "PolicyService/DiffPolicy", ["<file>", POLICY, "--count-seconds", "1"],
          {"file": [path()], "--count-seconds": [(bounds.number(0, 300), "count_seconds")]}),
    Asked("policy activate", "PolicyService/ActivatePolicy", ["<file>", POLICY],
          {"file": [path()], "--loosens": [local(bounds.text(1, 2_048))]}, (0, 21)),
    Asked("backup create", "BackupService/BeginBackup", ["<folder>", BACKUPS], {"folder": [folder(BACKUPS)]}),
    Asked("backup verify", "", ["<folder>", "/"], {"folder": [local(bounds.Kind([often("", bound="."), often("/"), often("/nowhere/file")]))]}, (52,)),
    Asked("backup list", "PolicyService/GetPolicy", ["<folder>", BACKUPS], {"folder": [folder(BACKUPS)], "--keep-days": [local(bounds.number(1, 400))]}, (0, 51)),
    Asked("backup prune", "PolicyService/GetPolicy", ["<folder>", BACKUPS],
          {"folder": [folder(BACKUPS)], "--keep-days": [local(bounds.number(1, 400))], "--yes": [SWITCH]}),
    Asked("clock show", "PolicyService/GetClock", [], {}),
    Asked("status", "StatusService/GetStatus", [], {}, (0, 51)),
    Asked("keys show", "KeyService/GetKeys", [], {}),
    Asked("keys rewrap", "KeyService/RewrapShares", [], {}),
    Asked("clock confirm", "PolicyService/ConfirmClock", ["<time>", "2024-05-01T12:00:00Z"], {"time": [(EXACT, "time")]}),
    Asked("import", "SettingsService/OptOut", ["<input>", "-"],
          {"input": [path()], "--state": [path()], "--refused": [path()], "--force": [SWITCH], "--parallel": [local(bounds.number(1, 256))], "--dry-run": [SWITCH]},
          stdin=json.dumps({"account_id": ACCOUNT, "choices": [{"all": True, "turn": "OFF"}]}) + "\n"),
    Asked("filter", "EligibilityService/BatchCheck", ["--purpose", "HUMAN_REVIEW"], {
        "input": [path()], "--purpose": [(PURPOSE, "purpose")], "--country": [(bounds.region("country", False), "place.country")],
        "--site": [(SITE, "place.site")],
        "--reviewer": [(REVIEWER, "place.reviewer_class")], "--selection": [(SELECTION, "selection")], "--set": [(FACTS, fact_set)], "--keep-ids": [SWITCH], "--refused": [path()],
        "--advise": [SWITCH], "--shadow-until": [(*SHADOW, ["--purpose", "HUMAN_REVIEW", "--keep-ids"])],
        "--purge": [path()], "--force": [SWITCH], "--batch": [local(bounds.number(1, 1_000))], "--parallel": [local(bounds.number(1, 64))]}, stdin=LINE),
    Asked("decisions verify", "DecisionService/GetDecisionLog", ["<files>", "/dev/null"],
          {"files": [path()], "--offline": [SWITCH], "--part": [SWITCH], "--report": [SWITCH], "--from": [DECIDED],
           "--to": [DECIDED], "--daemon": [DAEMONS], "--heard": [path()],
           "--heard-purpose": [(*local(PURPOSE), HEARD)], "--heard-within": [(*local(bounds.duration()), HEARD)],
           "--heard-skew": [(*SKEW, HEARD)]}, (0, 50)),
    Asked("decisions explain", "DecisionService/ExplainDecision", ["<files>", "/dev/null", "--account", ACCOUNT, "--record", "1"],
          {"files": [path()], "--account": [local(ID)], "--record": [local(bounds.number(1, 1_000_000_000_000_000))],
           "--entry": [local(bounds.number(0, 999))], "--language": [local(TOLD_IN)]}, (21,)),
    Asked("decisions find", "DecisionService/GetDecisionHandles", ["<files>", "/dev/null", "--account", ACCOUNT], {
        "files": [path()], "--account": [(ID, "account_id")],
        "--recording": [(bounds.several(ID, often(*[f"n{count}" for count in range(1_001)], bound="1000")), "recording_ids")],
        "--profile": [(EIGHT, "profile_ids")], "--device": [(EIGHT, "device_ids")], "--from": [DECIDED],
        "--to": [DECIDED], "--daemon": [DAEMONS]}),
    Asked("delete", "DeletionService/CreateDeletionRequest", deleting("--everything"), DELETE),
    Asked("requests list", "DeletionService/ListDeletionRequests", [], {
        "account": [(ID, "account_id")],
        "--state": [(bounds.several(bounds.names(deletion.DeletionState, "DELETION_STATE_", "RECEIVED"), often(*["DENIED"] * 8, bound="7")),
                     "states")],
        "--cause": [(bounds.several(bounds.names(deletion.DeletionCause, "DELETION_CAUSE_", "RETENTION"),
                                    often(*["RETENTION"] * 5, bound="4")), "causes")],
        "--due-before": [(BOUNDARY, "due_before")], "--received-from": [(BOUNDARY, "received_from")],
        "--received-before": [(BOUNDARY, "received_before")], "--open-appeal": [SWITCH], **PAGES}),
    Asked("requests show", "DeletionService/GetDeletionRequest", ["<deletion>", "d"],
          {"deletion": [(DELETION_ID, "deletion_id")], "--language": [(TEXT_LANGUAGE, "language")]}),
    Asked("requests verify", "DeletionService/VerifyDeletionRequest", ["<deletion>", "d"], step(only_begun=[SWITCH], yes=[SWITCH])),
    Asked("requests deny", "DeletionService/DenyDeletionRequest", ["<deletion>", "d", "--reason", "x"], step(reason=[(REASON, "reason")])),
    Asked("requests confirm-receipt", "DeletionService/ConfirmReceipt", ["<deletion>", "d", "--channel", "EMAIL"],
          {"deletion": [(DELETION_ID, "deletion_id")], "--request-id": [(REQUEST_ID, "request_id")], "--at": [(TIME, "confirmed_at")],
           "--channel": [(bounds.names(deletion.ReceiptChannel, "RECEIPT_CHANNEL_", "IN_APP"), "channel")]}),
    Asked("requests appeal", "DeletionService/ReceiveAppeal", ["<deletion>", "d", "--kind", "APPEAL"],
          {**APPEAL, "--kind": [(bounds.names(appeal.AppealKind, "APPEAL_KIND_", "COMPLAINT"), "kind")]}),
    Asked("requests acknowledge-appeal", "DeletionService/AcknowledgeAppeal", ["<deletion>", "d"], APPEAL),
    Asked("requests answer-appeal", "DeletionService/AnswerAppeal", ["<deletion>", "d", "--outcome", "REJECTED", "--answer", "x"],
          {**APPEAL, "--outcome": [(bounds.names(appeal.AppealOutcome, "APPEAL_OUTCOME_", "GRANTED"), "outcome")],
           "--answer": [(REASON, "answer")]}),
    Asked("requests extend", "DeletionService/ExtendDeletionRequest", ["<deletion>", "d"], step()),
    Asked("requests cancel", "DeletionService/CancelDeletionRequest", ["<deletion>", "d"], step(etag=[(TOKEN, "etag")])),
    Asked("requests report", "DeletionService/ListDeletionRequests", ["--from", "2024-01-01", "--to", "2024-02-01"],
          {"--from": [local(PERIOD)], "--to": [(PERIOD_END, "received_before", ["--from", "1970-01-01", "--to", "2024-02-01"])],
           "--csv": [SWITCH], "--html": [SWITCH], "--by": [local(bounds.Kind([often("quarter"), often("x", bound="month"), often("", bound=".")]))]}),
    Asked("requests sample", "DeletionService/ListDeletionRequests",
          ["--n", "5", "--seed", "s", "--from", "2024-01-01", "--to", "2024-02-01"],
          {"--n": [local(bounds.number(1, 1_000))], "--seed": [local(bounds.text(1, 64))], "--from": [local(PERIOD)],
           "--to": [(PERIOD_END, "received_before", ["--n", "5", "--seed", "s", "--from", "1970-01-01", "--to", "2024-02-01"])],
           "--state": [(bounds.several(bounds.names(deletion.DeletionState, "DELETION_STATE_", "RECEIVED"), often(*["DENIED"] * 8, bound="7")),
                        "states")]}),
    Asked("requests overdue", "DeletionService/ListDeletionRequests", [], {"--limit": [local(bounds.number(1, 100_000))]}),
    Asked("systems register", "DataSystemService/RegisterDataSystem", SYSTEM_GIVEN, {
        "name": [(SYSTEM, "system.name")], "--kind": [(bounds.names(purge.DataSystemKind, "DATA_SYSTEM_KIND_", "VOICE_IDS"),
                                                       "system.kind")],
        "--matches-by": [(bounds.several(bounds.names(purge.MatchKey, "MATCH_KEY_", "ACCOUNT"), often(*["ACCOUNT"] * 8, bound="7")),
                          "system.matches_by")],
        "--latest-arrival": [(bounds.duration(), "system.latest_arrival_seconds")], "--checks-on-ingest": [SWITCH],
        # Whether the 32 bytes are a key is for the daemon to say.
        "--offline-key": [local(bounds.Kind([often("9f" * 32), *(often(wrong, bound="64 digits|32 bytes") for wrong in (
            "", "9f" * 31, "9f" * 33, "9F" * 32, "g" * 64))]))],
        **retention("system.retention", [*SYSTEM_GIVEN])}),
    Asked("systems retention", "DataSystemService/SetSystemRetention", ["<name>", "bounds", "--sweep-days", "7"],
          {"name": [(SYSTEM, "system")], **retention("retention", ["<name>", "bounds"])}),
    Asked("systems list", "DataSystemService/ListDataSystems", [], {}),
    Asked("systems retire", "DataSystemService/RetireDataSystem", ["<name>", "none"],
          {"name": [(SYSTEM, "system")], "--reason": [(RETIRE_REASON, "reason")], "--yes": [SWITCH]}),
    Asked("tasks list", "PurgeService/ListTasks", ["<system>", "none"],
          {"system": [(SYSTEM, "system")], "--min-failures": [(bounds.number(0, 1_000_000), "min_failures")], **PAGES}),
    Asked("tasks retry", "PurgeService/RetryTasks", ["<system>", "none"],
          {"system": [(SYSTEM, "system")], "task": [(ID, "task_ids")],  # how many: worker_shown_test.py
           "--min-failures": [(bounds.number(0, 1_000_000), "min_failures")]}, (0, 43)),
    Asked("worker", "PurgeService/LeaseTasks", ["--once", "<system>", "bounds", "<command>", "true"], {
        "system": [(SYSTEM, "system")], "command": [path()], "--once": [SWITCH], "--parallel": [local(bounds.number(1, 64))],
        "--visibility": [(bounds.number(1, 43_200), "visibility_seconds")], "--longest-run": [local(bounds.number(1, 43_200))],
        "--batch": [(bounds.number(1, 100), "max_tasks")], "--stdin-only": [SWITCH], "--heeds-exceptions": [SWITCH],
        "--accepts": [(bounds.several(bounds.names(deletion.DeletionSelectorKind, "DELETION_SELECTOR_KIND_", "RECORDINGS"),
                                      often(*["RECORDINGS"] * 11, bound="10")), "accepts")],
        "--dry-run": [SWITCH], "--metrics-file": [local(bounds.Kind([often("/nowhere/file", bound="prom"), often("/nowhere/file.prom", bound="cannot"),
                                                                     often("", bound=".")]))],
        "--show-errors": [SWITCH]}, (0, 40)),
    Asked("sweep", "DataSystemService/ListDataSystems", ["<system>", "bounds", "<inventory>", "/dev/null", "<command>", "true"], {
        "system": [local(SYSTEM)], "inventory": [path("/dev/null")], "command": [path()], "--state": [path()], "--set": [local(FILLED)],
        "--batch": [local(bounds.number(1, 1_000))], "--parallel": [local(bounds.number(1, 64))],
        "--longest-run": [local(bounds.number(1, 43_200))], "--stdin-only": [SWITCH], "--show-errors": [SWITCH]}, (0, 21)),
    Asked("children due", "SubjectService/ListChildrenDue", [], {
        "--account": [(ID, "account_id")], "--due": [(bounds.several(bounds.names(subject.ChildDue, "CHILD_DUE_", "NOTICE"),
                                                                     often(*["PURGE"] * 4, bound="3")), "due")], **PAGES}),
    Asked("children notice", "SubjectService/RecordChildNotice", ["<account>", ACCOUNT, "<profile>", "kid"], {
        "account": [(ID, "account_id")], "profile": [(ID, "profile_id")], "--request-id": [(REQUEST_ID, "request_id")], **EVIDENCE}),
    Asked("children keep", "SubjectService/UpsertSubject", ["<account>", ACCOUNT, "<profile>", "kid", "--at", "2024-05-01T12:00:00Z"], {
        "account": [(ID, "account_id")], "profile": [(ID, the_profile)], "--at": [(TIME, the_activity)], "--etag": [(TOKEN, "etag")],
        **EVIDENCE}),
    Asked("holds place", "HoldService/PlaceHold", PLACE, {
        "account": [(ID, "account_id")], "--profile": [(ID, "selector.profile_id", [*PLACE, "--profile", "p"])],
        "--device": [(ID, "selector.device_id", [*PLACE, "--device", "d"])],
        "--recording": [(RECORDINGS, "selector.recordings.recording_ids", [*PLACE, "--recording", "r"])],
        "--from": [(BOUNDARY, "selector.captured.from")], "--to": [(LAST, "selector.captured.to")], "--review": [(AHEAD, "review_at")], **ORDERED}),
    Asked("holds release", "HoldService/ReleaseHold", ["<hold>", "h", *ORDER],
          {"hold": [(DELETION_ID, "hold_id")], "--etag": [(TOKEN, "etag")], "--yes": [SWITCH], **ORDERED}),
    Asked("approvals list", "ApprovalService/ListProposals", [], {"--all": [SWITCH], **PAGES}),
    Asked("approvals show", "ApprovalService/GetProposal", ["<proposal>", "p"], {"proposal": [(DELETION_ID, "proposal_id")]}),
    Asked("approvals approve", "ApprovalService/ApproveProposal", ["<proposal>", "p"],
          {"proposal": [(DELETION_ID, "proposal_id")], "--yes": [SWITCH]}),
    Asked("approvals withdraw", "ApprovalService/WithdrawProposal", ["<proposal>", "p"], {"proposal": [(DELETION_ID, "proposal_id")]}),
    Asked("holds review", "HoldService/ReviewHold", ["<hold>", "h", "--until", ahead(days=30), "--reason", "goes on"],
          {"hold": [(DELETION_ID, "hold_id")], "--until": [(AHEAD, "review_at")], "--reason": [(bounds.text(1, 256), "reason")],
           "--request-id": [(REQUEST_ID, "request_id")], **EVIDENCE}),
    Asked("holds list", "HoldService/ListHolds", [], {"--account": [(ID, "account_id")], "--all": [SWITCH], "--past-review": [SWITCH], **PAGES}),
    Asked("flags list", "RecordingService/ListSafetyFlags", [], {"--account": [(ID, "account_id")], "--overdue": [SWITCH], **PAGES}),
    Asked("flags acknowledge", "RecordingService/AcknowledgeSafetyFlag", ["<account>", ACCOUNT, "<recording>", "r"], {
        "account": [(ID, "account_id")], "recording": [(ID, "recording_id")], "--note": [(bounds.text(1, 1_024), "note")],
        "--request-id": [(REQUEST_ID, "request_id")], **EVIDENCE}),
    Asked("flags handle", "RecordingService/HandleSafetyFlag", ["<account>", ACCOUNT, "<recording>", "r", "--note", "called"], {
        "account": [(ID, "account_id")], "recording": [(ID, "recording_id")], "--note": [(bounds.text(1, 1_024), "note")],
        "--request-id": [(REQUEST_ID, "request_id")], **EVIDENCE}),
    # The folder is new once: what is right beside it is one value.
    Asked("completion", "", ["<shell>", "bash"], {"shell": [local(bounds.Kind([often("zsh"), often("fish", bound="zsh"), often("", bound=".")]))]}),
    Asked("certs dev", "", ["<folder>", "certs"],
          {"folder": [path()], "--host": [local(bounds.Kind([often("consent.example"), *(often(wrong, bound="name such as") for wrong in (
              "", "a b", "a,DNS:b", "*"))]))]}),
    Asked("export-subject", "SubjectService/GetSubject", ["<account>", ACCOUNT],
          {"account": [(ID, "account_id")], "--output": [(*path(), ["<account>", "known"])], "--force": [SWITCH], "--text": [SWITCH],
           "--decisions": [(*path(), ["<account>", "known"])]}, (0, 21)),
]
