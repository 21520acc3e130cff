"""A daemon behind taps, the cases of the table of inputs, and the judge of each."""

import dataclasses
import itertools
import os
import queue
import re
import subprocess
import uuid

from daemon import CONSENTCTL, DONE, FILES, PARTLY_REFUSED, REFUSED, USAGE, Daemon
import bounds
from bounds import NotOnTheWire, Offer, Tap, call, encode, grpc, is_utf8, method_types
from bounds_reviews import COMMANDS
from bounds_table import ACCOUNT, Asked

THREADS = 4
COUNTER = itertools.count(1)


def fresh_account():
    return f"account-{next(COUNTER):06}"


@dataclasses.dataclass
class Done:
    code: int
    out: bytes
    err: bytes
    sent: list

    def text(self):
        return (self.out + self.err).decode(errors="replace")


class Bench:
    """A daemon, and taps in front of it, of which each serves one consentctl at a time."""

    def __init__(self):
        self.daemon = Daemon()
        self.channel = grpc.insecure_channel(self.daemon.endpoint, options=[("grpc.default_authority", "localhost"),
                                                                            ("grpc.max_send_message_length", -1)])
        self.taps = queue.Queue()
        for number in range(THREADS):
            self.taps.put(Tap(self.daemon.path(f"tap-{number}"), self.channel))
        for prepared in (["subject", "set", "known"], ["systems", "register", "bounds", "--kind", "audio", "--matches-by",
                                                       "account,recording-id"]):
            assert self.ctl(*prepared).code == DONE, prepared

    def close(self):
        while not self.taps.empty():
            self.taps.get().stop()
        self.channel.close()
        self.daemon.close()

    def ctl(self, *arguments, stdin="", globals_=("--timeout", "20", "--json"), endpoint=True, **environment):
        tap = self.taps.get()
        try:
            command = [CONSENTCTL, *(["--endpoint", tap.endpoint] if endpoint else []), *globals_, *arguments]
            done = subprocess.run(command, input=stdin.encode() if isinstance(stdin, str) else stdin, capture_output=True, timeout=120,
                                  check=False,
                                  env={**os.environ, **environment}, cwd=self.daemon.root)
            return Done(done.returncode, done.stdout, done.stderr, tap.take())
        finally:
            self.taps.put(tap)

    def ask(self, method, request):
        return call(self.channel, method, request)[1]


def help_of(*command):
    return subprocess.run([CONSENTCTL, *command, "--help"], capture_output=True, timeout=60, check=True, text=True).stdout


def documented_codes():
    text = subprocess.run([CONSENTCTL, "help", "exit-codes"], capture_output=True, timeout=60, check=True, text=True).stdout
    return {int(code) for code in re.findall(r"^ +(\d+)  ", text.split("Exit codes:")[1], re.M)}


def commands_in_help(*command):
    """Every command that has no further ones, with the names of its inputs."""
    text = help_of(*command).split("\nExamples:\n")[0]
    head, _, below = text.partition("\nSubcommands:\n")
    names = re.findall(r"^  ([a-z][a-z-]*)  ", below, re.M)
    if not names:
        positionals = head.partition("\nPositionals:\n")[2].partition("\n\n")[0]
        found = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", head, re.M)) | set(re.findall(r"^  ([a-z]+) ", positionals, re.M))
        return {" ".join(command): found - {"--help"}}
    # These two send nothing.
    names = [one for one in names if one not in ("help", "version")]
    return {name: inputs for one in names for name, inputs in commands_in_help(*command, one).items()}


# --- A case: one value of one input.

@dataclasses.dataclass
class Given:
    """What is offered to one input."""
    name: str
    kind: bounds.Kind
    field: object  # a path, a function that sets it, or None where consentctl alone checks it
    offer: Offer

    def __str__(self):
        return f"{self.name} {self.offer}"


@dataclasses.dataclass
class Case:
    """One value that is offered; or one that the daemon should take for each of many inputs, at once."""
    asked: Asked
    given: list
    inputs: list

    def __str__(self):
        return f"{self.asked.command}{' (beside a no)' if self.asked.restricts else ''} " + " ".join(map(str, self.inputs))

    def is_local(self):
        return self.inputs[0].field is None

    def is_name(self):
        return all(one.kind.is_name for one in self.inputs)

    def arguments(self):
        """The command line with what is offered, in the place of what is given."""
        given, more, named = self.given, [], {}
        for one in self.inputs:
            if not one.name.startswith("--"):
                given, named[one.name] = without(given, f"<{one.name}>"), one.offer.values[-1]
                continue
            given = without(given, one.name)
            for value in one.offer.values:
                # A value that begins so would be taken for an option, and a switch takes none that stands apart.
                joined = value.startswith(b"-") or one.kind.family == "switch"
                more += [one.name.encode() + b"=" + value] if joined else [one.name, value]
        named = {**positionals(given), **named}
        return options(given) + more + self.last([named[name] for name in self.asked.inputs if name in named])

    def last(self, values):
        """Positionals go behind the options, and a worker's command behind two dashes."""
        before = {"worker": 1, "sweep": 2}.get(self.asked.command)
        if before is not None:
            return [*values[:before], "--", *values[before:]]
        return values


def without(given, name):
    """The arguments without this one and its value."""
    kept, skip = [], False
    for number, one in enumerate(given):
        if skip:
            skip = False
        elif one == name:
            skip = number + 1 < len(given) and not given[number + 1].startswith(("--", "<"))
        else:
            kept.append(one)
    return kept


def positionals(given):
    return {one[1:-1]: given[number + 1] for number, one in enumerate(given) if one.startswith("<")}


def options(given):
    return [one for number, one in enumerate(given) if not one.startswith("<") and not (number and given[number - 1].startswith("<"))]


# Options that exclude each other, would say one thing twice, or whose texts only the daemon makes: each is offered by itself.
APART = {"--on", "--off", "--profile", "--device", "--remove-device", "--purpose", "--set", "--etag", "--page", "--at-least-revision"}


def all_cases():
    cases, shown = [], set()
    for asked in COMMANDS:
        together = []
        for name, rows in asked.inputs.items():
            for kind, field, *given in rows:
                alone = given or field is None or name in APART or (kind.family and kind.family not in shown)
                # Beside a no only what the wire can carry makes a difference.
                offers = [offer for offer in kind.some(shown) if not asked.restricts or bounds.BAD_UTF8 not in offer.values]
                good = [] if alone else [offer for offer in offers if not offer.bound]
                together += [Given(name, kind, field, offer) for offer in good]
                arguments = given[0] if given and given[0] is not None else asked.given
                cases += [Case(asked, arguments, [Given(name, kind, field, offer)]) for offer in offers if offer not in good]
        while together:
            first = {one.name: one for one in reversed(together)}
            together = [one for one in together if first[one.name] is not one]
            cases.append(Case(asked, asked.given, list(first.values())))
    return cases


def with_account(value, account):
    if isinstance(value, bytes):
        return value.replace(ACCOUNT.encode(), account.encode())
    return value.replace(ACCOUNT, account)


def normal(method, data, keep_request_id=False):
    """A request to compare: None where it is no message; without the random id, and in one order where the order says nothing."""
    message = method_types(method)[0]()
    if not bounds.parses(message, data):
        return None
    fields = message.DESCRIPTOR.fields_by_name
    if "request_id" in fields and not keep_request_id:
        message.ClearField("request_id")
    for name in ("changes", "initial_choices", "targets"):
        if name in fields:
            items = sorted(getattr(message, name), key=lambda one: one.SerializeToString())
            message.ClearField(name)
            getattr(message, name).extend(items)
    if "evidence" in fields and message.HasField("evidence") and not message.evidence.ListFields():
        message.ClearField("evidence")
    return message


class Judge:
    """What the daemon says to each case, what consentctl does with it, and what of that is wrong."""

    def __init__(self, bench):
        self.bench = bench
        self.codes = documented_codes()
        self.learnt = {}
        self.verdicts = {}  # (command, input) -> whether the daemon takes something, and whether it refuses something

    def learn(self, case):
        """The request that the arguments become as they are given."""
        key = (case.asked.command, tuple(case.given))
        if key not in self.learnt:
            arguments = options(case.given) + case.last(list(positionals(case.given).values()))
            done = self.bench.ctl(*case.asked.command.split(), *arguments, stdin=case.asked.stdin)
            sent = [one for one in done.sent if one.method == case.asked.method]
            assert sent, f"{case.asked.command} {arguments} sent nothing: {done.text()}"
            self.learnt[key] = sent[0].request
        return self.learnt[key]

    def expected(self, case, account):
        """The request with the value in its field, and whether the wire can tell that from no value. None: the wire cannot say it."""
        message = method_types(case.asked.method)[0].FromString(with_account(self.learn(case), account))
        if "request_id" in message.DESCRIPTOR.fields_by_name and message.request_id:
            message.request_id = str(uuid.uuid4())
        try:
            for one in case.inputs:
                values = one.kind.on_the_wire(one.offer.values)
                if callable(one.field):
                    one.field(message, values)
                else:
                    bounds.put(message, one.field, values)
        except NotOnTheWire:
            return None, False
        data = encode(message, [value for one in case.inputs for value in one.offer.values])
        says_nothing = not callable(one.field) and values in ([b""], [0]) and not presence(message, one.field)
        return data, says_nothing or normal(case.asked.method, data) == self.bare(case, account)

    def bare(self, case, account):
        """The request without what is offered."""
        return normal(case.asked.method, with_account(self.learn(case), account))

    def run(self, case):
        """The faults of a case; none: an empty list."""
        account = fresh_account()
        arguments = [with_account(one, account) for one in case.arguments()]
        if case.is_local():
            done = self.bench.ctl(*case.asked.command.split(), *arguments, stdin=with_account(case.asked.stdin, account))
            return [*self.clean(case, done), *self.local(case, done)]
        direct, says_nothing = self.expected(case, fresh_account())
        verdict = self.bench.ask(case.asked.method, direct) if direct is not None else None
        if verdict is not None and not case.asked.restricts:
            for one in case.inputs:
                self.verdicts.setdefault((case.asked.command, one.name), set()).add(verdict.refuses() or verdict.refuses_a_part())
        request, _ = self.expected(case, account)
        done = self.bench.ctl(*case.asked.command.split(), *arguments, stdin=with_account(case.asked.stdin, account))
        found = self.clean(case, done) + self.compare(case, done, verdict, request, says_nothing, account)
        return found

    def clean(self, case, done):
        found = []
        if done.code not in self.codes:
            found.append(f"ends with {done.code}, which is in no table")
        output = done.out + done.err
        if not is_utf8(output):
            found.append("prints bytes that are no UTF-8")
        elif any(ord(letter) < 32 and letter not in "\n\t" or letter in "\x7f\u202e" for letter in output.decode()):
            found.append("prints characters that are not shown as they are")
        return found

    def local(self, case, done):
        if not case.inputs[0].offer.bound:
            return [] if done.code in case.asked.codes else [f"is refused with {done.code}: {done.text()}"]
        found = []
        if done.code not in (USAGE, FILES):
            found.append(f"ends with {done.code} instead of {USAGE} or {FILES}")
        if done.code == USAGE and done.sent:
            found.append("sends a call")
        return found + self.names_bound(case, done)

    def names_bound(self, case, done):
        bound = case.inputs[0].offer.bound
        return [] if re.search(bound, done.text()) else [f"does not name the bound ({bound}): {done.text()[:300]}"]

    def compare(self, case, done, verdict, request, says_nothing, account):
        keep = any(one.field == "request_id" for one in case.inputs)
        wanted = None if request is None else normal(case.asked.method, request, keep)
        sent = [one for one in done.sent if one.method == case.asked.method]
        same = [one for one in sent if wanted is not None and normal(one.method, one.request, keep) == wanted]
        left_out = [one for one in sent if case.asked.restricts and normal(one.method, one.request) == self.bare(case, account)]
        # A batch answers each recording by itself.
        is_refused = verdict is None or verdict.refuses() or (not sent and case.asked.command == "filter" and verdict.refuses_a_part())
        if is_refused:
            return self.refusal(case, done, sent, same, left_out)
        if not sent:
            if case.asked.restricts and not case.is_name():
                return [f"loses a no that the daemon takes, with {done.code}: {done.text()[:200]}"]
            if case.is_name() or says_nothing:
                return ([] if done.code == USAGE else [f"ends with {done.code} and sends nothing"]) + self.names_bound(case, done)
            return [f"refuses what the daemon takes, with {done.code}: {done.text()[:200]}"]
        if same:
            return self.told(case, done, same[0])
        if left_out and verdict.refuses_a_part():
            return ([] if done.code == PARTLY_REFUSED else [f"ends with {done.code} instead of {PARTLY_REFUSED}"]) + self.names_bound(case,
                                                                                                                                      done)
        return [f"sends another value: {shown(sent[0])} instead of {shown_request(wanted)}"]

    def refusal(self, case, done, sent, same, left_out):
        if done.code in case.asked.codes or done.code == 0:
            return [f"ends with {done.code} for what the daemon refuses" + (f", and sends {shown(sent[0])}" if sent else "")]
        if left_out:
            right = done.code == PARTLY_REFUSED
        elif same:
            right = done.code == REFUSED
        else:
            right = not sent and done.code == USAGE
        wrong = [] if right else [f"ends with {done.code}" + (f" and sends {shown(sent[0])}" if sent and not same else "")]
        return wrong + self.names_bound(case, done)

    def told(self, case, done, sent):
        """The exit code and the text say what the daemon said."""
        if sent.reply.code != "OK":
            right = done.code in (20, 21) and (sent.reply.reason or sent.reply.code) in done.text()
            return [] if right else [f"ends with {done.code} for {sent.reply.reason}"]
        if case.asked.command == "filter":
            return [] if done.code == (30 if sent.reply.parts else 0) else [f"ends with {done.code} for {sent.reply.parts}"]
        if sent.reply.parts:
            right = done.code == PARTLY_REFUSED and all(reason in done.text() for reason in sent.reply.parts)
            found = [] if right else [f"ends with {done.code} for {sent.reply.parts}"]
            return found + (self.names_bound(case, done) if sent.reply.refuses_a_part() else [])
        return [] if done.code in case.asked.codes else [f"ends with {done.code} for what is done: {done.text()[:200]}"]


def presence(message, path):
    *outer, last = path.split(".")
    for name in outer:
        message = getattr(message, name)
    return message.DESCRIPTOR.fields_by_name[last].has_presence


def shown_request(message):
    return " ".join(str(message).split())[:200]


def shown(sent):
    return shown_request(normal(sent.method, sent.request))
