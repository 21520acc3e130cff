"""What somebody can do with a stolen certificate of each role and nothing else, with the limits of the shipped callers' file.

The thief knows every id there is: accounts, recordings, requests, holds, tasks, etags. He tries every RPC of the descriptors with requests that
make sense. What changed is seen from outside, by one who may read all; what was read, in the answers.

CONSENT_STOLEN_SECONDS: how long each caller asks as fast as it can; more than the default is the campaign of tests/README.md. The table
of daemon/callers/README.md is held against what came of it.
"""

import concurrent.futures
import itertools
import json
import os
import sys
import threading
import time
import unittest

import grpc

from consent.v1 import backup_service_pb2 as backup
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import roles_pb2
from consent.v1 import types_pb2 as types

import test_tls
from harness import PATIENCE, ROOT, decode_error
from stolen_world import NO_BACKUP, SECRET, attempts, World
from test_access_table import GIVEN, METHODS, name_of
from words import OFFICE, check, recording

SECONDS = float(os.environ.get("CONSENT_STOLEN_SECONDS", "0.3"))
CAMPAIGN = "CONSENT_STOLEN_SECONDS" in os.environ
EXAMPLE = ROOT / "deploy" / "examples" / "callers.json"
HOUR = 3600
ELIGIBLE, NOT_ELIGIBLE = types.ELIGIBILITY_ELIGIBLE, types.ELIGIBILITY_NOT_ELIGIBLE
BATCH = 1000


def changed(before, after):
    return {kind for kind in before if before[kind] != after[kind]}


def is_stricter(before, after):
    """Of decisions: no recording may be used, or is kept, that was not before."""
    return all(not (new[0] == ELIGIBLE != old[0]) and not (old[1] == types.DISPOSITION_PURGE != new[1])
               for old, new in ((before[key], after[key]) for key in before))


class Thief:
    """Has one role's certificate, and notes what came of what it tried."""

    def __init__(self, role, entry, clients):
        self.role, self.entry, self.clients = role, entry, clients
        self.answered, self.telling, self.denied, self.failed = set(), set(), {}, []
        self.saw_secret = False
        self.begun_backup = NO_BACKUP

    def try_all(self, table, everybody):
        for method in METHODS:
            name = method.name.removeprefix("consent.v1.")
            for request in table[name]():
                self.try_one(method, name.partition("/")[2], request.SerializeToString(), everybody)

    def try_one(self, method, name, asked, everybody):
        try:
            answer = self.clients[0].raw(method.name, asked)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.PERMISSION_DENIED:
                self.denied[method] = decode_error(error).reason
            else:
                self.failed.append((name, error.code().name, error.details()))
            return
        self.answered.add(name)
        if name == "BeginBackup":
            self.begun_backup = backup.BeginBackupResponse.FromString(answer).backup_id
        if any(account.encode() in answer and account.encode() not in asked for account in everybody):
            self.telling.add(name)
        self.saw_secret |= SECRET.encode() in answer

    def count_answers(self, name, asked, seconds, until_refused):
        """How many calls are answered to who asks over all its connections as fast as it can, how many are not, and in how many seconds."""
        began = time.monotonic()
        end, refused = began + seconds, threading.Event()

        def goes_on():
            now = time.monotonic()
            return now < end or (until_refused and not refused.is_set() and now < end + PATIENCE)

        def ask(client):
            outcomes = []
            while goes_on():
                try:
                    client.raw(name, asked)
                    outcomes.append("OK")
                except grpc.RpcError as error:
                    outcomes.append(decode_error(error).reason or error.code().name)
                    refused.set()
            return outcomes

        with concurrent.futures.ThreadPoolExecutor(len(self.clients)) as pool:
            outcomes = list(itertools.chain.from_iterable(pool.map(ask, self.clients)))
        return outcomes.count("OK"), outcomes.count("LIMIT_EXCEEDED"), time.monotonic() - began

    def limit(self, which):
        return self.entry.get("limits", {}).get(which, {"calls_per_second": 2000, "items_per_second": 200000}[which])


# What each role's thief changes: of people, of the service.
CHANGES = {
    "BACKEND": ({"choices", "household", "requests", "decisions", "history", "holds"}, set()),  # a hold on one of two that are joined is on both
    "SAMPLER": (set(), set()),
    "STORE": ({"decisions", "history"}, {"sweeps"}),
    "PURGER": ({"requests"}, {"sweeps"}),
    "AUDITOR": (set(), set()),
    "OPERATOR": ({"decisions", "requests"}, {"policy", "systems", "suspensions", "sweeps"}),
    "REVIEW_TOOL": (set(), set()),
    "OFFICER": ({"holds", "requests", "decisions", "history"}, {"policy", "suspensions", "sweeps", "verification"}),
}
CONNECTIONS = 4


class Stolen(test_tls.TlsTest):

    def setUp(self):
        super().setUp()
        entries = json.loads(EXAMPLE.read_text())["callers"]
        self.entries = {role: next(entry for entry in entries if entry["roles"] == [roles_pb2.Role.Name(role)]) for role in GIVEN}
        self.options = lambda original=self.options: [*original(), "--callers", str(EXAMPLE), "--policy", str(self.many_reviews_policy())]
        self.serve()
        officers = [self.api(self.callers.issue(f"URI:spiffe://example.org/people/officer/{name}", begins=-test_tls.DAY / 4, ends=test_tls.DAY / 4))
                    for name in ("anna", "ben")]
        self.world = World(self.client(self.served), self.served, officers)

    def thief(self, role):
        entry = self.entries[role]
        identity = entry["identities"][0].replace("/*", "/thief")
        stolen = self.callers.issue(("URI:" if "://" in identity else "DNS:") + identity, begins=-test_tls.DAY / 4, ends=test_tls.DAY / 4)
        return Thief(role, entry, [self.api(stolen) for _ in range(CONNECTIONS)])

    def rob(self, role, everybody):
        """Lets a thief try everything. Returns it, and what it changed of people and of the service."""
        thief, victim = self.thief(role), self.victims[role]
        self.world.begun_backup = lambda: thief.begun_backup
        table = attempts(victim, self.world)
        self.assertEqual({method.name.removeprefix("consent.v1.") for method in METHODS}, set(table), "each RPC is tried")
        before, service_before = self.world.of(victim), self.world.of_the_service()
        thief.try_all(table, everybody)
        after, service_after = self.world.of(victim), self.world.of_the_service()
        for method in METHODS:
            self.assertEqual(method in thief.denied and thief.denied[method] == "ROLE_REQUIRED" and method.name.partition("/")[2] not in thief.answered,
                             role not in method.roles, (name_of(role), method.name, thief.denied.get(method)))
        self.assertEqual({method.name for method in METHODS if role in method.roles and method.name.partition("/")[2] not in thief.answered}, set(),
                         (thief.failed, "what the role may ask was asked sensibly"))
        self.look_closer(thief, victim, before, after)
        for one in self.world.suspensions():
            if one.active and one.purpose == types.PURPOSE_HUMAN_REVIEW:
                self.world.resume(one)
        self.world.suspend()
        return thief, changed(before, after), changed(service_before, service_after)

    def look_closer(self, thief, victim, before, after):
        """What must not be possible within the kinds of things that may change."""
        if thief.role not in (roles_pb2.ROLE_BACKEND, roles_pb2.ROLE_OFFICER):
            self.assertTrue(is_stricter(before["decisions"], after["decisions"]), name_of(thief.role))
        differing = {key for key in before["decisions"] if before["decisions"][key] != after["decisions"][key]}
        if thief.role == roles_pb2.ROLE_STORE:
            self.assertEqual(differing, {(victim.agreed, "rec-2")}, "the flag restricts one recording")
        if thief.role == roles_pb2.ROLE_PURGER:
            old, new = (seen["requests"][victim.under_way.deletion_id][3] for seen in (before, after))
            self.assertEqual({system for system in new if old.get(system) != new[system]}, {"audio"}, "it reports for its own system alone")

    def test_what_each_role_can_do(self):
        self.victims = {role: self.world.victim(role) for role in GIVEN}
        everybody = [account for victim in self.victims.values() for account in victim.accounts()]
        self.assertEqual(set(CHANGES), {name_of(role) for role in GIVEN})
        # Who changes what all are asked about goes last.
        last = (roles_pb2.ROLE_OPERATOR, roles_pb2.ROLE_OFFICER)
        rows = {}
        for role in sorted(GIVEN, key=lambda role: (role in last, role)):
            with self.subTest(role=name_of(role)):
                thief, people, service = self.rob(role, everybody)
                rows[role] = self.row(thief, people, service)
                self.assertEqual((people, service), CHANGES[name_of(role)])
                self.hold_limit(thief)
        table = "\n".join(rows[role] for role in GIVEN)
        documented = (ROOT / "daemon" / "callers" / "README.md").read_text()
        self.assertTrue(table in documented, f"daemon/callers/README.md should have\n{table}")

    def row(self, thief, people, service):
        def told(values):
            return ", ".join(sorted(values)) or "nothing"

        limit = thief.limit("calls_per_second") * HOUR
        hour = f"{limit:,} calls"
        if "BatchCheck" in thief.answered:
            hour += f", {thief.limit('items_per_second') * HOUR:,} recordings"
        return (f"| {name_of(thief.role)} | {told(thief.answered)} | {told(thief.telling)} | {'yes' if thief.saw_secret else 'no'} | "
                f"{told(people)} | {told(service)} | {hour} |")

    def hold_limit(self, thief):
        """Asks as fast as it can, and is answered no more than its limits allow."""
        calls = [("Check", "consent.v1.EligibilityService/Check", check("guessed").SerializeToString(), 1, "calls_per_second")]
        if thief.role == roles_pb2.ROLE_SAMPLER:
            guesses = eligibility.BatchCheckRequest(recordings=[recording(f"guess-{number}") for number in range(BATCH)], place=OFFICE,
                                                    purpose=types.PURPOSE_HUMAN_REVIEW, view=eligibility.DECISION_VIEW_BASIC)
            calls.append(("BatchCheck", "consent.v1.EligibilityService/BatchCheck", guesses.SerializeToString(), BATCH, "items_per_second"))
        elif "Check" not in thief.answered:
            what = next(read for read in ("ListDataSystems", "GetMediaKey") if read in thief.answered)
            method = next(method for method in METHODS if method.name.partition("/")[2] == what)
            calls = [(what, method.name, b"", 1, "calls_per_second")]
        for what, name, asked, size, which in calls:
            # A slow machine never asks more than the large limits; the campaign is for one that does.
            is_reached = thief.limit(which) <= 50 * size and (CAMPAIGN or size == 1)
            answered, refused, seconds = thief.count_answers(name, asked, SECONDS, is_reached)
            # What a second's limit allows at once comes but once.
            steady = f"{max(0, answered * size - thief.limit(which)) / seconds * HOUR:,.0f} an hour at that rate" if refused else "the limit was not reached"
            print(f"{name_of(thief.role):9} {what:16} {answered * size:9,} answered and {refused:6,} calls refused in {seconds:.1f} s; after the first burst "
                  f"{steady}; limit {thief.limit(which) * HOUR:,}", file=sys.stderr)
            self.assertGreater(answered, 0)
            # As many at once as come in a second, and a call that came when nothing was owed.
            self.assertLessEqual(answered * size, thief.limit(which) * (seconds + 1) + size)
            if is_reached:
                self.assertGreater(refused, 0, "the limit was reached")


if __name__ == "__main__":
    unittest.main()
