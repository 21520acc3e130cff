"""The kinds of what consentctl is given, what stands on the wire for each, and a tap that sees what it sends."""

import calendar
import concurrent.futures
import dataclasses
import datetime
import itertools
import re
import sys

try:
    import grpc
    from google.protobuf import descriptor_pool, message_factory, timestamp_pb2
    from google.rpc import error_details_pb2, status_pb2
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

# Those that nothing here names bring the descriptors of their services.
from consent.v1 import appeal_pb2 as appeal  # noqa: F401
from consent.v1 import backup_service_pb2, decision_service_pb2  # noqa: F401
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2, key_service_pb2, policy_service_pb2, recording_service_pb2, status_service_pb2  # noqa: F401
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import review_service_pb2 as review
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

UNKNOWN = 9_999             # no enum has it


class NotOnTheWire(Exception):
    """The wire cannot say it."""


@dataclasses.dataclass
class Offer:
    values: list          # bytes each; several: the flag is given several times
    bound: str = ""       # what the text of a refusal must match
    everywhere: bool = True

    def __str__(self):
        return ", ".join(repr(value[:40])[1:] + ("…" if len(value) > 40 else "") for value in self.values[:2]) + (
            f" and so on, {len(self.values)} in all" if len(self.values) > 2 else "")


def often(*values, bound=""):
    return Offer([value.encode() if isinstance(value, str) else value for value in values], bound)


def rarely(*values, bound=""):
    return dataclasses.replace(often(*values, bound=bound), everywhere=False)


@dataclasses.dataclass
class Kind:
    offers: list
    wire: callable = lambda text: text
    family: str = ""
    # A wrong name is a wrong command line, also beside a no.
    is_name: bool = False

    def some(self, shown):
        """All offers where the family is not in `shown` yet, those for everywhere after that."""
        first = not self.family or self.family not in shown
        shown.add(self.family)
        return [offer for offer in self.offers if first or offer.everywhere]

    def brief(self):
        """One that is refused; for what many commands share."""
        return dataclasses.replace(self, offers=[next(offer for offer in self.offers if offer.bound)])

    def on_the_wire(self, values):
        return [self.wire(value) for value in values]


BAD_UTF8 = b"a\xff"
ODD_TEXTS = [rarely(b"\xed\xa0\x80", bound="UTF-8"), rarely("a\x1b[2Jb\x07"), rarely("\u202ea"), rarely(" a "), rarely("ä" * 20)]


def text(least, most):
    bound = f"{most}"
    return Kind([often("x" * most), often("x" * (most + 1), bound=bound), rarely("ä" * (most // 2 + 1), bound=bound),
                 often("", bound=bound),
                 (rarely if least else often)(BAD_UTF8, bound="UTF-8"), *ODD_TEXTS], family=f"text from {least}")


def identifier():
    return text(1, 128)


def names(enum, prefix, sample):
    """An enum's names as people type them. The wire has a number for every one, also for those that it does not know."""
    known = {name.removeprefix(prefix): number for name, number in enum.items() if number != 0}

    def wire(value):
        name = value.decode(errors="replace").upper().replace("-", "_")
        return known.get(name.removeprefix(prefix), UNKNOWN)

    bound = f"one of .*{sample}"
    return Kind([often(sample), rarely(sample.lower().replace("_", "-")), rarely(prefix + sample), often("X", bound=bound),
                 rarely("", bound=bound),
                 rarely("UNSPECIFIED", bound=bound), rarely("1", bound=bound), rarely(" " + sample, bound=bound),
                 rarely(BAD_UTF8, bound=bound)], wire, "names", is_name=True)


def read_time(value):
    """RFC 3339 in full; seconds since 1970 and nanoseconds."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", value.decode(errors="replace"),
                         re.A)
    if not found:
        raise NotOnTheWire
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    lengths = [31, 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    zone = found[8]
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1] or hour > 23 or minute > 59 or second > 59 or zone[1:3] > "23":
        raise NotOnTheWire
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + sum(lengths[:month - 1]) + day - 719_163
    ahead = 0 if zone in "Zz" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[4:6]))
    nanos = int((found[7] or ".")[1:].ljust(9, "0") or 0)
    return timestamp_pb2.Timestamp(seconds=days * 86_400 + hour * 3_600 + (minute - ahead) * 60 + second, nanos=nanos)


def days_of(value):
    """First and last day of a date or a month of UTC; nothing of anything else."""
    if not re.fullmatch(rb"\d{4}-\d\d(-\d\d)?", value):
        return None
    try:
        first = datetime.date.fromisoformat((value if len(value) == 10 else value + b"-01").decode())
        last = first if len(value) == 10 else first.replace(day=calendar.monthrange(first.year, first.month)[1])
    except ValueError as wrong:
        raise NotOnTheWire from wrong
    return first, last


def read_first(value):
    """As read_time, and a date or a month is its first instant."""
    days = days_of(value)
    return read_time(value if days is None else days[0].isoformat().encode() + b"T00:00:00Z")


def read_last(value):
    """As read_time, and a date or a month is its last microsecond."""
    days = days_of(value)
    return read_time(value if days is None else days[1].isoformat().encode() + b"T23:59:59.999999Z")


def read_exact(value):
    """As read_time; the clock's own word is none."""
    return read_time(value)


WRONG_TIMES = ["2024-02-30T00:00:00Z", "2024-05-01T24:00:00Z", "2024-05-01T12:00:60Z", "2024-05-01T12:00:00", " 2024-05-01T12:00:00Z",
               "2024-05-01T12:00:00Z ", "2024-05-01T12:00:00+24:00", "24-05-01T12:00:00Z", "1714564800", "-1", "-30m", "nowish"]


def time(wire=read_time):
    bound = "RFC 3339|1970 to 9999|future|before"
    return Kind([often("1970-01-01T00:00:00Z", bound=bound), often("9999-12-31T23:59:59Z", bound=bound),
                 often("1969-12-31T23:59:59Z", bound=bound),
                 rarely("", bound=bound), rarely("2024-05-01T12:00:00Z"), rarely("10000-01-01T00:00:00Z", bound=bound),
                 *([rarely("2024-05-01", bound=bound), rarely("2024-05", bound=bound)] if wire in (read_time, read_exact)
                   else [rarely("2024-05-32", bound=bound), rarely("2024-13", bound=bound)]),
                 *([rarely("now", bound=bound), rarely("-30d", bound=bound)] if wire == read_exact else []), rarely("1970-01-01T00:00:01Z"),
                 rarely("9999-12-31T23:59:59.5Z", bound=bound), rarely("9999-12-31T23:59:59-00:01", bound=bound),
                 rarely("1970-01-01T00:00:00+00:01", bound=bound), rarely("2024-05-01t12:00:00.123456z"),
                 rarely("2024-05-01T14:00:00+02:00"),
                 rarely(BAD_UTF8, bound=bound), *(rarely(wrong, bound=bound) for wrong in WRONG_TIMES),
                 *([rarely("2024-05-01"), rarely("2024-05"), rarely("1970-01-01", bound=bound)] if wire in (read_first, read_last) else [])], wire,
                family=wire.__name__)


def read_number(value):
    if not re.fullmatch(rb"-?\d+", value) or not -2**63 <= int(value) < 2**63:
        raise NotOnTheWire
    return int(value)


def number(low, high):
    bound = f"{low} (to|-) {high}"
    return Kind([often(f"{low}"), often(f"{high}"), often(f"{low - 1}", bound=bound), often(f"{high + 1}", bound=bound),
                 often("0x1", bound=bound),
                 rarely("010"), *(rarely(wrong, bound=bound) for wrong in (
                     "", "x", "1.5", "1e1", " 5", "5 ", "5x", "+-5", "99999999999999999999", "4294967297", BAD_UTF8))], read_number,
                     "number")


def region(family, subdivisions=True):
    bound = "upper case|ISO 3166|UTF-8"
    return Kind([often("DE"), often("US-CA", bound=bound), often("de", bound=bound), often("UK", bound="GB"), often("", bound=bound),
                 *(rarely(code, bound=bound) for code in (
                     "US-ca", "D", "D1", "US-", "US_CA", "US-CALI", " DE", "ÄÖ", "ZZ", "XK", BAD_UTF8)),
                 *([rarely("DE-BY"), rarely("US-1")] if subdivisions else [])], family=family)


def zone():
    bound = "such as `Europe/Bucharest`|64"
    return Kind([often("Europe/Bucharest"), rarely("UTC"), rarely("America/Argentina/Buenos_Aires"),
                 *(rarely(name, bound=bound) for name in (
                     "europe/bucharest", "posixrules", "localtime", "Factory", "posix/Europe/Bucharest", "../zone.tab", "tzdata.zi",
                     "EET+3",
                     " UTC", "UTC ", "Europe")),
                 often("x" * 64, bound=bound), often("x" * 65, bound=bound), often("", bound=bound), often(BAD_UTF8, bound="UTF-8")])


def language():
    return Kind([often("de"), rarely("x" * 35), often("x" * 36, bound="2 to 35"), often("x", bound="2 to 35"), rarely("de_DE"),
                 rarely("DE"),
                 often("", bound="2 to 35"), rarely(BAD_UTF8, bound="UTF-8"), rarely("de-"), rarely(" de")],
                family="language")


def retention():
    def wire(value):
        months = re.fullmatch(rb"(-?\d{1,9})m", value)
        if months:
            return types.Retention(months=int(months[1]))
        if value == b"until-deleted":
            return types.Retention(until_deleted=True)
        if value == b"do-not-save":
            return types.Retention(do_not_save=True)
        raise NotOnTheWire

    bound = "1m to 120m|1 to 120|choices"
    return Kind([often("3m"), often("120m", bound=bound), often("121m", bound=bound), often("", bound=bound), often("12x", bound=bound),
                 rarely("1m"), rarely("03m"),
                 rarely("do-not-save"), rarely("until-deleted"),
                 *(rarely(wrong, bound=bound) for wrong in (
                     "0m", "-1m", "+1m", "m", "3", "3M", " 3m", "3m ", "3.5m", "99999999999m", "Do-Not-Save", BAD_UTF8))], wire,
                     "retention")


def duration():
    units = {b"s": 1, b"min": 60, b"h": 3_600, b"d": 86_400}

    def wire(value):
        found = re.fullmatch(rb"(\d+)(s|min|h|d)", value)
        if not found or int(found[1]) * units[found[2]] >= 2**63:
            raise NotOnTheWire
        return int(found[1]) * units[found[2]]

    bound = "such as 30s|0 to 7776000|90d"
    return Kind([often("90d"), often("91d", bound=bound), often("", bound=bound), often("x", bound=bound), rarely("7776000s"),
                 rarely("010d"), rarely("0s"),
                 *(rarely(wrong, bound=bound) for wrong in (
                     "7776001s", "129601min", "2161h", "-1d", "+1d", "1", "1w", "1.5h", " 1d", "1d ", "9999999999d", "999999999d",
                     "99999999999999999999s", BAD_UTF8))], wire)


def several(kind, *offers):
    return dataclasses.replace(kind, offers=[*kind.offers, *offers])


def many(kind, most, bound):
    """As many as there may be, and one more; one twice."""
    listed = [f"n{count}" for count in range(most + 1)]
    return several(kind, often(*listed[:most]), often(*listed, bound=bound), often(listed[0], listed[0], bound="twice|second time"))


def twice(kind, name):
    return several(kind, often(name, name, bound="twice|second time"))


def target(is_all=True, is_purpose=True):
    """A control; where the help says so a purpose in capitals, or all."""
    def wire(value):
        if is_all and value == b"all":
            return settings.SettingTarget(all=True)
        name = b"PURPOSE_" + value
        if is_purpose and value.isupper() and name.decode(errors="replace") in types.Purpose.keys():
            return settings.SettingTarget(purpose=types.Purpose.Value(name.decode()))
        return value

    bound = "1 to 64|all|control|purpose"
    return Kind([often("x" * 64, bound=bound), often("x" * 65, bound="64"), often("", bound="64"), often("all", bound=bound),
                 often("help_improve"), rarely(BAD_UTF8, bound="UTF-8"), rarely("ADVERTISING", bound=bound),
                 rarely("advertising", bound=bound), rarely(" help_improve", bound=bound)], wire,
                "target" if is_all else "control")


def person():
    """ID[:adult|:child|:born=DATE][:guardian=ID] of `subject set --profile`."""
    def wire(value):
        first, *parts = value.split(b":")
        profile = subject.Profile()
        set_text(profile, "profile_id", first)
        for part in parts:
            if part in (b"adult", b"child") and not profile.HasField("age"):
                setattr(profile.age, part.decode(), True)
            elif part.startswith(b"born=") and not profile.HasField("age"):
                set_text(profile.age, "born", part[5:])
            elif part.startswith(b"guardian=") and not profile.HasField("guardian_id"):
                set_text(profile, "guardian_id", part[9:])
            else:
                raise NotOnTheWire
        return profile

    form = "ID\\[:adult"
    date = "YYYY-MM-DD"
    return Kind([often("p"), often("p" * 128), often("p" * 129, bound="128"), often("", bound="128"), often(BAD_UTF8, bound="UTF-8"),
                 often("p:teen", bound=form), often("p:", bound=form), rarely("p:adult:", bound=form), rarely("p::adult", bound=form),
                 rarely(":adult", bound="128"), rarely("p:adult"), rarely("p:child:guardian=g"), rarely("p:guardian="),
                 rarely("p:adult:child", bound=form), rarely("p:Adult", bound=form), rarely("p:guardian=" + "g" * 128),
                 rarely("p:guardian=" + "g" * 129, bound="128"), rarely(b"p:guardian=\xff", bound="UTF-8"), rarely("p:born=2015-06-01"),
                 rarely("p:born=2015-06"), rarely("p:born=1900"), *(rarely("p:born=" + wrong, bound=date) for wrong in (
                     "1899", "1899-12-31", "2999-01-01", "2015-02-30", "2015-6-1", "", "x", " 2015", "2015-06-01T00:00:00Z", "20150601",
                     "-2015"))], wire, "person")


def switch():
    """A flag without a value."""
    def wire(_):
        raise NotOnTheWire
    return Kind([often("x", bound="--[a-z-]+"), rarely("", bound="--[a-z-]+"), rarely("2", bound="--[a-z-]+")], wire, "switch")


def is_utf8(value):
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


# No value that is offered holds it, so that bytes that are no UTF-8 can take its place once all is encoded.
STAND_IN = "\x01"


def stand_in(value):
    return value.decode() if is_utf8(value) else "".join(chr(byte) if byte < 128 else STAND_IN for byte in value)


def set_text(message, field, value):
    setattr(message, field, stand_in(value))


def put(message, path, values):
    """Sets the field: a list to all of `values`, any other to the last one."""
    *outer, last = path.split(".")
    for name in outer:
        message = getattr(message, name)
    message.SetInParent()
    field = message.DESCRIPTOR.fields_by_name[last]
    values = [stand_in(value) if isinstance(value, bytes) else value for value in values]
    message.ClearField(last)
    if field.label == field.LABEL_REPEATED:
        getattr(message, last).extend(values)
    elif field.message_type is not None:
        getattr(message, last).CopyFrom(values[-1])
    else:
        try:
            setattr(message, last, values[-1])
        except ValueError:
            raise NotOnTheWire from None


def encode(message, values):
    """The message's bytes, with those of `values` that are no UTF-8 in place of what stands for them."""
    data = message.SerializeToString()
    for part in itertools.chain.from_iterable(re.split(rb"[:=]", value) for value in values):
        if not is_utf8(part):
            data = data.replace(stand_in(part).encode(), part)
    return data


def parses(message, data):
    """Reads the message. False where the bytes are none; without asking protobuf about texts that are no UTF-8, which it prints."""
    if re.search(rb"[a=]\xff|\xed\xa0\x80", data):
        return False
    try:
        message.ParseFromString(data)
    except Exception:  # pylint: disable=broad-except
        return False
    return True


def method_types(method):
    """Classes of a method's request and reply."""
    service, name = method.split("/")
    found = descriptor_pool.Default().FindServiceByName(f"consent.v1.{service}").methods_by_name[name]
    factory = message_factory.MessageFactory()
    return factory.GetPrototype(found.input_type), factory.GetPrototype(found.output_type)


@dataclasses.dataclass
class Reply:
    """How the daemon answered: an error's reason, or the refusals of its parts."""
    code: str
    reason: str
    text: str
    parts: list

    def refuses(self):
        return self.reason in ("INVALID_FIELD", "MALFORMED_MESSAGE", "BATCH_TOO_LARGE", "MESSAGE_TOO_LARGE")

    def refuses_a_part(self):
        """In a result of its own, or in words."""
        return any(reason == "INVALID_FIELD" or ": " in reason for reason in self.parts)


@dataclasses.dataclass
class Sent:
    method: str
    request: bytes
    reply: Reply


def reason_of(error):
    """The reason and all texts of an error."""
    reason, texts = "", [error.details()]
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(bad):
                texts += [f"{violation.field}: {violation.description}" for violation in bad.field_violations]
    return reason, "\n".join(texts)


def call(channel, method, request):
    """The reply's bytes and what it says; on an error None and why."""
    try:
        data = channel.unary_unary(f"/consent.v1.{method}")(request, timeout=60)
    except grpc.RpcError as error:
        reason, texts = reason_of(error)
        return None, Reply(error.code().name, reason, texts, []), error
    reply = method_types(method)[1].FromString(data)
    parts = []
    for name in ("results", "answers"):
        for part in getattr(reply, name, []):
            if hasattr(part, "refused_reason") and part.refused_reason:
                parts.append(part.refused_reason)
            elif hasattr(part, "error") and part.HasField("error"):
                parts.append(part.error.reason)
    if getattr(reply, "unusable", ""):
        parts.append(reply.unusable)
    return data, Reply("OK", "", "", parts), None


class Tap(grpc.GenericRpcHandler):
    """Stands between consentctl and the daemon, passes everything on and keeps it."""

    def __init__(self, path, channel):
        self.endpoint = f"unix:{path}"
        self.channel = channel
        self.seen = []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
        self.server.add_generic_rpc_handlers((self,))
        self.server.add_insecure_port(self.endpoint)
        self.server.start()

    def service(self, handler_call_details):
        method = handler_call_details.method.removeprefix("/consent.v1.")
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.pass_on(method, request, context))

    def pass_on(self, method, request, context):
        data, reply, error = call(self.channel, method, request)
        self.seen.append(Sent(method, request, reply))
        if error is None:
            return data
        context.set_trailing_metadata(tuple(error.trailing_metadata() or ()))
        context.set_code(error.code())
        context.set_details(error.details())
        return b""

    def take(self):
        seen, self.seen = self.seen, []
        return seen

    def stop(self):
        self.server.stop(None)
