"""What stands in the lines of `filter`, `check --file` and `import`: each key, JSON values for it, and the field that it becomes."""

import dataclasses
import json
import re
import uuid

import bounds
from bounds import NotOnTheWire, put, set_text, settings, types
from bounds_table import fact

VALUE = "@value@"


@dataclasses.dataclass
class Written:
    """A JSON value as it is written, and what the text of a refusal must match."""
    json: bytes
    bound: str

    def value(self):
        """With bytes for texts; None: null, which counts as absent."""
        if not bounds.is_utf8(self.json):
            return re.fullmatch(rb'\[?"(.*)"\]?', self.json)[1] if self.json[:1] == b'"' else [re.fullmatch(rb'\["(.*)"\]', self.json)[1]]
        try:
            return in_bytes(json.loads(self.json))
        except (ValueError, UnicodeEncodeError):
            raise NotOnTheWire from None


    def is_whole(self):
        """A JSON value, but for bytes that are no UTF-8."""
        try:
            self.value()
        except NotOnTheWire:
            return False
        return True

    def is_empty(self):
        """The wire cannot tell it from no value, and a line leaves its key out for that."""
        return self.json == b'""'


def in_bytes(value):
    if isinstance(value, str):
        return value.encode()
    return [in_bytes(item) for item in value] if isinstance(value, list) else value


def written(*values, bound):
    """Texts as JSON texts; bytes as they are."""
    return [Written(value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode(), bound) for value in values]


BAD_TEXT = [*written(b'"a\xff"', b'"\xed\xa0\x80"', bound="UTF-8"), *written(b'"\\ud800"', b'"a\x01b"', b'"', b"'a'", bound="JSON|`"),
            *written(b"7", b"true", b"[]", b"{}", b"null", bound="must be a (text|list)|is missing|`")]


def texts(most, name):
    return [*written("x", "x" * most, "x" * (most + 1), "ä" * (most // 2 + 1), "", bound=f"({name}).*({most}|such)"),
            *written(b'"a\\u0000b"', b'"\\u001b[2J"', " a ", "\u202ea", bound="."), *BAD_TEXT]


def regions(name):
    return written("DE", "US-CA", "de", "us-ca", "US-ca", "UK", "EL", "XK", "ZZ", "D", "DEU", "D1", "US-", "US_CA", "US-CALI", " DE", "DE ",
                   "ÄÖ", "",
                   bound=f"{name}|ISO 3166|policy") + BAD_TEXT


def times(name):
    return written("2024-05-01T12:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z",
                   "10000-01-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-05-01", "2024-05-01T12:00:00", "2024-05-01T12:00:00+02:00",
                   " 2024-05-01T12:00:00Z",
                   "2024-05-01T12:00:00Z ", "2024-05-01T24:00:00Z", "1714564800", "", b"1714564800", bound=f"{name}") + BAD_TEXT


def one_of(name, sample):
    return written(sample, sample.lower(), "X", "UNSPECIFIED", "", " " + sample, "1", b"1", bound=name) + BAD_TEXT


def lists(name, most, *items):
    many = [f"n{count}" for count in range(most + 1)]
    return written(["n"], [], many[:most], many, ["n", "n"], ["x" * 128], ["x" * 129], [""], "n", [7], *items, b'["a\xff"]', b"[null]",
                   b'[["n"]]',
                   bound=f"{name}|UTF-8")


def numbers(name, low, high):
    return written(low, high, low - 1, high + 1, 2**63, 1.5, f"{low}", True, b"1.0", b"1e3", b"010", b"0x1", b"+1", b"null",
                   bound=f"{name}.*{high}|JSON")


RECORDING_KEYS = {
    "recording_id": texts(128, "recording_id"), "account_id": texts(128, "account_id"), "captured_at": times("captured_at"),
    "captured_uncertainty_ms": numbers("captured_uncertainty_ms", 0, 86_400_000), "ingested_at": times("ingested_at"),
    "profile_ids": lists("profile_ids", 8), "device_id": texts(128, "device_id"), "region": regions("region"),
    "wake": one_of("wake", "BUTTON"),
    "kind": one_of("kind", "SOUND"), "speakers": one_of("speakers", "ONE"), "identity": one_of("identity", "NOT_RUN"),
    "age": one_of("age", "CHILD_PRESENT"),
    "artefact": one_of("artefact", "SOURCE") + written("TRANSCRIPT", bound="."), "made_for": one_of("made_for", "ADVERTISING"),
    "flags": written([], ["SAFETY"], ["SAFETY", "CHILD_PRESENT"], ["SAFETY"] * 8, ["SAFETY"] * 9, ["safety"], ["X"], [""], [1], "SAFETY",
                     b'["a\xff"]',
                     bound="flags|UTF-8"),
    "country": regions("country"), "site": texts(64, "site"), "reviewer": one_of("reviewer", "EMPLOYEE")}


def recording_line(key, value, number):
    """A line with the value under the key, and the request of one recording that it becomes; None: there is none."""
    line = {"recording_id": f"rec-{number:06}", "account_id": f"acc-{number:06}"}
    request = bounds.method_types("EligibilityService/BatchCheck")[0](purpose=types.PURPOSE_HUMAN_REVIEW, view=2)
    recording = request.recordings.add(**line)
    request.place.SetInParent()
    if key == "made_for":
        line["artefact"] = "TRANSCRIPT"
        recording.artefact = types.ARTEFACT_TRANSCRIPT
    text = json.dumps({**line, key: VALUE}).encode().replace(b'"' + VALUE.encode() + b'"', value.json)
    try:
        said = value.value()
        if said is None and key in line:
            raise NotOnTheWire
        if said is not None:
            fact(recording, request.place, key, said)
    except NotOnTheWire:
        return text, None
    return text, bounds.encode(request, flat(said))


def flat(value):
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, bytes)]


# --- import

def need(value, kind):
    if type(value) is not kind:
        raise NotOnTheWire
    return value


def enum(values, prefix):
    def number(value):
        name = prefix + need(value, bytes).decode(errors="replace").removeprefix(prefix)
        return dict(values.items()).get(name, 0) or bounds.UNKNOWN
    return number


def textual(field):
    return lambda message, value: set_text(message, field, need(value, bytes))


def timed(field):
    return lambda message, value: put(message, field, [bounds.read_time(need(value, bytes))])


def set_age(profile, value):
    put(profile.age, {b"ADULT": "adult", b"CHILD": "child"}.get(need(value, bytes), VALUE), [True]) if value in (b"ADULT",
                                                                                                                 b"CHILD") else need(None,
                                                                                                                                     bytes)


def set_texts(field):
    def set_list(message, values):
        put(message, field, [need(value, bytes) for value in need(values, list)])
    return set_list


def set_retention(request, value):
    request.retention.add(retention=bounds.retention().wire(need(value, bytes)))


def choice(set_choice):
    def set_off(request, value):
        set_choice(request, request.targets[0], value)
    return set_off


def set_all(_, target, value):
    if need(value, bool) is False:
        raise NotOnTheWire
    target.all = True


def refuse(_):
    raise NotOnTheWire


@dataclasses.dataclass
class Key:
    """A key of a line of `import`: what stands around it, the call that it becomes and how its value is set there."""
    name: str
    values: list
    line: dict
    method: str
    set: callable
    absent: callable = lambda request: None  # what null becomes

    def says_yes(self):
        return self.method == UPDATE and "choices" in self.line


UPSERT, OPT_OUT, UPDATE = "SubjectService/UpsertSubject", "SettingsService/OptOut", "SettingsService/UpdateSettings"
YES = {"control": "help_improve", "turn": "ON", "notice_version": "2026-01-past", "notice_language": "en"}
BORN = written("2015-06-01", "2015-06", "2015", "1900-01-01", "1899-12-31", "1899", "2999-01-01", "2015-02-30", "2015-6-1", "20150601",
               " 2015", "x",
               "2015-06-01T00:00:00Z", "", b"2015", bound="born.*|1900 to today") + BAD_TEXT
KEEPS = written("3m", "1m", "120m", "0m", "121m", "-1m", "m", "3", "3M", " 3m", "3m ", "", "do-not-save", "12x", "99999999999m",
                bound="1m to 120m|keep|policy|list") + BAD_TEXT


def of_profile(name, values, set_value, absent=lambda request: profile_of(request)):
    return Key(name, values, {"profiles": [{"profile_id": "p", name: VALUE}]}, UPSERT, lambda request,
               value: set_value(profile_of(request), value), absent)


def profile_of(request):
    return request.profiles[0] if request.profiles else request.profiles.add(profile_id="p")


def of_no(name, values, set_value, **beside):
    return Key(name, values, {"choices": [{**beside, name: VALUE, "turn": "OFF"}]}, OPT_OUT,
               lambda request, value: set_value(request, request.targets.add(), value), refuse)


def of_scope(name):
    def set_scope(request, target, value):
        target.all = True
        set_text(request.scope, name, need(value, bytes))
    return Key(name, texts(128, name), {"choices": [{"scope": {name: VALUE}, "all": True, "turn": "OFF"}]}, OPT_OUT,
               lambda request, value: set_scope(request, request.targets.add(), value), lambda request: request.targets.add(all=True))


def of_yes(name, values, set_value):
    return Key(name, values, {"region": "DE", "choices": [{**YES, name: VALUE}]}, UPDATE, lambda request,
               value: set_value(request.evidence, value),
               refuse if name in YES else lambda request: None)


def set_turn(request, target, value):
    number = enum(settings.Switch, "SWITCH_")(value)
    if number != settings.SWITCH_OFF:
        raise NotOnTheWire
    target.all = True


IMPORT_KEYS = [
    Key("region", regions("region"), {"region": VALUE}, UPSERT, textual("region")),
    Key("devices", lists("devices", 64), {"devices": VALUE}, UPSERT, set_texts("device_ids")),
    of_profile("profile_id", texts(128, "profile_id"), textual("profile_id"), refuse), of_profile("born", BORN, lambda profile,
                                                                                                  value: textual("born")(profile.age,
                                                                                                                         value)),
    of_profile("age", one_of("age", "ADULT") + written("CHILD", bound="."), set_age), of_profile("guardian_id", texts(128, "guardian_id"),
                                                                                                 textual("guardian_id")),
    of_profile("last_active_at", times("last_active_at"), timed("last_active_at")),
    of_no("control", texts(64, "control|policy has no such"), lambda _, target, value: set_text(target, "control", need(value, bytes))),
    of_no("purpose", one_of("purpose", "ADVERTISING"), lambda _, target,
          value: put(target, "purpose", [enum(types.Purpose, "PURPOSE_")(value)])),
    of_no("all", written(True, False, "true", 1, b"null", bound="all|control"), set_all),
    Key("turn", written("OFF", "off", "", "X", "UNSPECIFIED", b"null", b"false", bound="turn"), {"choices": [{"all": True, "turn": VALUE}]},
        OPT_OUT,
        lambda request, value: set_turn(request, request.targets.add(), value), refuse),
    of_scope("profile_id"), of_scope("device_id"),
    of_yes("notice_version", texts(64, "notice_version"), textual("notice_version")),
    of_yes("notice_language", written("en", "x" * 35, "x" * 36, "x", "", "EN", "en-", "en_GB", bound="notice_language.*2 to 35") + BAD_TEXT,
           textual("notice_language")),
    of_yes("actor", one_of("actor", "SELF"), lambda evidence, value: put(evidence, "actor", [enum(types.Actor, "ACTOR_")(value)])),
    of_yes("guardian_id", texts(128, "guardian_id"), textual("guardian_id")), of_yes("reference", texts(256, "reference"),
                                                                                     textual("reference")),
    of_yes("given_at", times("given_at"), timed("given_at")),
    Key("retention", [keep for keep in KEEPS if keep.json not in (b"[]", b"null")], {"retention": VALUE}, UPDATE, set_retention),
    Key("keep", KEEPS, {"retention": [{"keep": VALUE}]}, UPDATE, set_retention, refuse)]
# Objects of a line, and where a key that nobody knows tells which are known.
OBJECTS = {
    "line": ({"x": 1}, {"account_id", "region", "profiles", "devices", "choices", "retention"}),
    "profile": ({"profiles": [{"profile_id": "p", "x": 1}]}, {"profile_id", "age", "born", "guardian_id", "last_active_at"}),
    "choice": ({"choices": [{**YES, "x": 1}]}, {"scope", "control", "purpose", "all", "turn", "given_at", "notice_version",
                                                "notice_language", "actor",
                                               "guardian_id", "reference"}),
    "scope": ({"choices": [{**YES, "scope": {"x": 1}}]}, {"profile_id", "device_id"}),
    "retention": ({"retention": [{"keep": "3m", "x": 1}]}, {"scope", "keep"})}


def import_line(key, value, account, *more):
    text = json.dumps({"account_id": account, **key.line}).encode()
    if more:
        line = {"account_id": account, **key.line}
        line["choices"] = [*line.get("choices", []), *more]
        text = json.dumps(line).encode()
    return text.replace(b'"' + VALUE.encode() + b'"', value.json)


def import_request(key, value, account, etag=""):
    """What the line becomes; None: the wire cannot say it."""
    request = bounds.method_types(key.method)[0](account_id=account, request_id=str(uuid.uuid4()))
    if key.method == UPSERT or key.set is set_retention:
        request.evidence.CopyFrom(types.Evidence(channel=types.CHANNEL_IMPORT, actor=types.ACTOR_SYSTEM))
    else:
        request.evidence.CopyFrom(types.Evidence(channel=types.CHANNEL_IMPORT, actor=types.ACTOR_SELF))
    if key.says_yes():
        request.evidence.MergeFrom(types.Evidence(notice_version=YES["notice_version"], notice_language=YES["notice_language"]))
        request.changes.add(target=settings.SettingTarget(control="help_improve"), turn=settings.SWITCH_ON)
        request.etag = etag
    try:
        said = value.value()
        if said is None:
            key.absent(request)
        else:
            key.set(request, said)
    except NotOnTheWire:
        return None
    return bounds.encode(request, flat(said))
