"""Who may call what, tried against the real daemon: every RPC, every role and every way in which one comes.

The RPCs and their roles are read from the descriptors, so another RPC is in the table by itself. A cell says what has to happen:
ALLOWED (whatever the handler says then), the reason of PERMISSION_DENIED, or HANDSHAKE (UNAVAILABLE, and nothing of HTTP/2 is answered).
"""

import dataclasses
import datetime
import importlib
import json
import signal
import time
import unittest

import grpc

from consent.v1 import roles_pb2

import test_tls
from certificates import DAY, Authority
from harness import PATIENCE, ROOT, Client, decode_error, run_to_end, until
from hostile import ACKNOWLEDGE, GREETING, HEADERS, whole_call

ALLOWED, HANDSHAKE = "ALLOWED", "HANDSHAKE"
CALLER_UNKNOWN, NOT_ACCEPTED = "CALLER_UNKNOWN", "CERTIFICATE_NOT_ACCEPTED"
ROLE_REQUIRED, NOT_YOURS = "ROLE_REQUIRED", "SYSTEM_NOT_YOURS"
# What a handler may say to who has the right to ask it, and asks for nothing sensible.
HANDLERS = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION,
            grpc.StatusCode.ABORTED, grpc.StatusCode.ALREADY_EXISTS}
GIVEN = sorted(set(roles_pb2.Role.values()) - {roles_pb2.ROLE_UNSPECIFIED, roles_pb2.ROLE_EDGE})
OF_SYSTEMS = (roles_pb2.ROLE_PURGER, roles_pb2.ROLE_STORE)
OWN, OTHER = "audio", "other"
SHORT_LIFE = datetime.timedelta(seconds=8)  # of certificates that end while their connection is open; enough to connect and to call


def name_of(role):
    return roles_pb2.Role.Name(role).removeprefix("ROLE_")


@dataclasses.dataclass(frozen=True)
class Method:
    name: str        # consent.v1.Service/Method
    roles: frozenset
    request: type

    def names_system(self):
        return "system" in self.request.DESCRIPTOR.fields_by_name

    def asks(self, system, account):
        """A request, serialised, that names a data system and an account if it can, and nothing else."""
        request = self.request()
        if "account_id" in self.request.DESCRIPTOR.fields_by_name:
            request.account_id = account
        if self.names_system():
            of_message = self.request.DESCRIPTOR.fields_by_name["system"].message_type is not None
            setattr(*((request.system, "name") if of_message else (request, "system")), system)
        return request.SerializeToString()


def methods():
    """Of all services in the protos. One of which there is no Python module fails here."""
    found = []
    for path in sorted((ROOT / "proto" / "consent" / "v1").glob("*_service.proto")):
        module = importlib.import_module(f"consent.v1.{path.stem}_pb2")
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                request = getattr(importlib.import_module(method.input_type.file.name.replace("/", ".").removesuffix(".proto") + "_pb2"),
                                  method.input_type.name)
                found.append(Method(f"{service.full_name}/{method.name}", frozenset(method.GetOptions().Extensions[roles_pb2.roles]), request))
    return found


METHODS = methods()


def by_role(method, role):
    return ALLOWED if role in method.roles else ROLE_REQUIRED


def by_system(method, role):
    """Where another data system is named than the caller's."""
    return NOT_YOURS if role in method.roles and role in OF_SYSTEMS and method.names_system() else by_role(method, role)


def by_person(method, role):
    """Where no account is named: who works for people sees those of one at a time."""
    lists_all = method.name == "consent.v1.DeletionService/ListDeletionRequests"
    return ROLE_REQUIRED if lists_all and role == roles_pb2.ROLE_BACKEND else by_role(method, role)


def always(outcome):
    return lambda method, role: outcome


# Every way in which one comes, and what has to happen then.
TABLE = {
    "valid certificate": by_role,
    "valid certificate, names another data system": by_system,
    "valid certificate, names no account": by_person,
    "no certificate": always(HANDSHAKE),
    "another CA's certificate": always(HANDSHAKE),
    "expired certificate": always(HANDSHAKE),
    "certificate that is not yet valid": always(HANDSHAKE),
    "certificate of another name": always(CALLER_UNKNOWN),
    "certificate with the names of two callers": always(CALLER_UNKNOWN),
    "certificate without names": always(CALLER_UNKNOWN),
    "certificate made for too long": always(NOT_ACCEPTED),
    "certificate that ends while connected": always(NOT_ACCEPTED),
    "entry taken out while connected": always(CALLER_UNKNOWN),
    "socket of the role": by_role,
    "socket of the role, names another data system": by_system,
    "socket of all roles": always(ALLOWED),
}


def outcome_of(code, error):
    if code in HANDLERS:
        return ALLOWED
    if code == grpc.StatusCode.PERMISSION_DENIED:
        return decode_error(error).reason
    return HANDSHAKE if code == grpc.StatusCode.UNAVAILABLE else f"{code}: {error.details()}"


class Table(test_tls.TlsTest):

    def setUp(self):
        super().setUp()
        self.file = self.folder / "callers.json"
        self.tried = {}

    def identity(self, role):
        return f"spiffe://example.org/{name_of(role).lower()}"

    def write_callers(self, roles):
        entries = [{"name": name_of(role).lower(), "identities": [self.identity(role)], "roles": [roles_pb2.Role.Name(role)],
                    "max_certificate_hours": 72, **({"systems": [OWN]} if role in OF_SYSTEMS else {})} for role in roles]
        # Somebody is always there, since a file without entries is refused.
        entries.append({"name": "keeper", "identities": ["spiffe://example.org/keeper"], "roles": ["ROLE_OPERATOR"], "max_certificate_hours": 1})
        self.file.write_text(json.dumps({"callers": entries}))

    def socket(self, name):
        return f"unix:{self.folder}/run/{name}"

    def start(self):
        self.write_callers(GIVEN)
        sockets = [self.socket(name_of(role)) + f",roles={name_of(role)}" + (f",systems={OWN}" if role in OF_SYSTEMS else "") for role in GIVEN]
        self.options = lambda original=self.options: [*original(), "--callers", str(self.file),
                                                      *(text for place in sockets for text in ("--listen", place))]
        self.serve()

    def shown(self, authority, role, name=None, **times):
        return authority.issue(name or f"URI:{self.identity(role)}", **times)

    def try_all(self, way, role, client, system=OWN, account="a"):
        """Calls every RPC, all at once, and notes what came of it."""
        calls = {method: client.channel.unary_unary("/" + method.name).future(method.asks(system, account), timeout=PATIENCE) for method in METHODS}
        for method, call in calls.items():
            self.tried[method, role, way] = outcome_of(call.code(), call)

    def raw_answers(self, context):
        """All that the server answers to who sends every call at once; it ends where every call, or the connection, has."""
        calls = b"".join(whole_call(2 * number + 1, f"/{method.name}".encode(), method.asks(OWN, "a")) for number, method in enumerate(METHODS))
        got, ended = b"", set()
        try:
            peer = self.peer(context)
            peer.sendall(GREETING + ACKNOWLEDGE + calls)
            while len(ended) < len(METHODS) and (more := peer.recv(1 << 16)):
                got += more
                ended = ended_streams(got)
        except OSError:
            pass
        return got, len(ended)

    def calls_counted(self):
        return self.served.metric_sum("grpc_server_handled_total")

    def try_handshake(self, way, role, shown):
        """Both as a client of gRPC sees it, and by bytes that are sent whether or not the handshake was through."""
        counted = self.calls_counted()
        client = test_tls.TlsClient(self.address, self.servers, shown)
        self.try_all(way, role, client)
        client.close()
        self.assertEqual(self.raw_answers(self.context(shown)), (b"", 0), (way, name_of(role)))
        self.assertEqual(self.calls_counted(), counted, (way, name_of(role)))

    def try_handshakes(self, role, strangers):
        self.try_handshake("no certificate", role, None)
        self.try_handshake("another CA's certificate", role, self.shown(strangers, role))
        self.try_handshake("expired certificate", role, self.shown(self.callers, role, begins=-2 * DAY, ends=-DAY))
        self.try_handshake("certificate that is not yet valid", role, self.shown(self.callers, role, begins=DAY, ends=2 * DAY))

    def try_names(self, role):
        another = GIVEN[GIVEN.index(role) - 1]
        both = f"URI:{self.identity(role)},URI:{self.identity(another)}"
        rows = {"certificate of another name": {"name": "URI:spiffe://example.org/nobody"}, "certificate with the names of two callers": {"name": both},
                "certificate without names": {"name": f"email:{name_of(role).lower()}@example.org"}, "certificate made for too long": {"ends": 3 * DAY}}
        for way, how in rows.items():
            self.try_all(way, role, self.api(self.shown(self.callers, role, **how)))

    def try_sockets(self, role):
        own, shared = Client(self.socket(name_of(role))), Client(self.socket("consentd.sock"))
        self.try_all("socket of the role", role, own)
        self.try_all("socket of the role, names another data system", role, own, OTHER)
        self.try_all("socket of all roles", role, shared, OTHER)
        own.close()
        shared.close()

    def connect_briefly(self):
        """A client by role whose certificate is about to end, connected, and the time by which all have."""
        clients = {}
        for role in GIVEN:
            clients[role] = self.api(self.shown(self.callers, role, ends=SHORT_LIFE))
            self.try_all("before the end", role, clients[role])
            for method in METHODS:
                self.assertNotEqual(self.tried.pop((method, role, "before the end")), NOT_ACCEPTED, "it was over too soon")
        return clients, time.time() + SHORT_LIFE.total_seconds() + 1

    def take_out_entries(self):
        before = self.served.metric('consentd_callers_reloads_total{result="ok"}')
        self.write_callers([])
        self.served.signal(signal.SIGHUP)
        until(lambda: self.served.metric('consentd_callers_reloads_total{result="ok"}') == before + 1, "the entries are gone")

    def test_every_cell(self):
        self.start()
        brief, over = self.connect_briefly()
        kept = {}
        strangers = Authority(self.folder / "strangers", name="ca")  # a CA of the same name
        for role in GIVEN:
            good = self.shown(self.callers, role)
            kept[role] = self.api(good)
            self.try_all("valid certificate", role, kept[role])
            self.try_all("valid certificate, names another data system", role, kept[role], OTHER)
            self.try_all("valid certificate, names no account", role, kept[role], account="")
            # What is sent by bytes is good, so where nothing answers it, the handshake was it.
            self.assertEqual(self.raw_answers(self.context(good))[1], len(METHODS))
            self.try_handshakes(role, strangers)
            self.try_names(role)
            self.try_sockets(role)
        until(lambda: time.time() > over, "the short certificates end")
        for role, client in brief.items():
            self.try_all("certificate that ends while connected", role, client)
        self.take_out_entries()
        for role, client in kept.items():
            self.try_all("entry taken out while connected", role, client)
        self.hold()
        self.assertEqual(self.served.stop(), 0)

    def hold(self):
        """Every cell was tried, and is what the table says."""
        wanted = {(method, role, way): cell(method, role) for method in METHODS for role in GIVEN for way, cell in TABLE.items()}
        self.assertEqual(set(self.tried), set(wanted))
        wrong = [f"{method.name} as {name_of(role)}, {way}: {self.tried[method, role, way]}, not {cell}"
                 for (method, role, way), cell in wanted.items() if self.tried[method, role, way] != cell]
        if wrong:
            self.fail(f"{len(wrong)} of {len(wanted)} cells, among them\n" + "\n".join(sorted(wrong)[::1 + len(wrong) // 50]))

    def test_every_rpc_has_roles_and_every_role_an_rpc(self):
        self.assertGreater(len(METHODS), 30)
        for method in METHODS:
            self.assertTrue(method.roles and method.roles <= set(GIVEN), method)
        self.assertEqual(set().union(*(method.roles for method in METHODS)), set(GIVEN))

    def test_the_reserved_role_is_given_to_nobody(self):
        self.write_callers([roles_pb2.ROLE_EDGE])
        done = run_to_end("callers", "validate", self.file)
        self.assertEqual(done.code, 1, done)
        self.assertIn("callers[0].roles", done.out)
        done = run_to_end("serve", "--listen", self.socket("edge") + ",roles=EDGE", "--data-dir", self.folder / "data")
        self.assertEqual(done.code, test_tls.USAGE, done)
        self.assertIn("EDGE", done.err)


def ended_streams(data):
    """Of an answer's bytes: the calls whose last header block is there; for a call is answered by headers, a message, headers."""
    ended, at = set(), 0
    while len(data) >= at + 9:
        size, kind, flags = int.from_bytes(data[at:at + 3], "big"), data[at + 3], data[at + 4]
        if kind == HEADERS and flags & 1:
            ended.add(int.from_bytes(data[at + 5:at + 9], "big"))
        at += 9 + size
    return ended


if __name__ == "__main__":
    unittest.main()
