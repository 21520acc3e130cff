"""Seeded lives of people on two hosts, with policies that change and checks all the while; then a forger at the two hosts' logs.

Without a forgery `consentctl decisions verify` names nothing, also while the lives are lived. Seven kinds of forgery, one at a time: each is
found and named, and nothing else is. CONSENT_DECISION_LIVES sets how many lives, CONSENT_SEED repeats a run.
"""

import concurrent.futures
import json
import mmap
import os
import pathlib
import random
import struct
import threading
import time
import unittest

import grpc

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types

from decision_hosts import CTL, Host, verify
from harness import DEFAULT_POLICY, PATIENCE, DaemonTest, one_person, until
from test_decision_log import at, batch, chained, is_yes
from words import check, fresh_id, household, opt_out, recording, turn_on

LIVES = int(os.environ.get("CONSENT_DECISION_LIVES", "60"))
ROUNDS = int(os.environ.get("CONSENT_DECISION_FORGERIES", "1"))  # of each kind
SEED = int(os.environ.get("CONSENT_SEED", random.SystemRandom().randrange(1_000_000)))
CLOCK_SHIM = os.environ.get("TEST_CLOCK_SHIM")
PHASES = 3
LIVES_AT_ONCE = 3  # on each host
EVERYTHING, CLOSURE = deletion.DeletionSelector(everything=True), deletion.DeletionSelector(account_closure=True)
FACTS, HEAD, WAKE = 6, 7, 2  # elements of a yes and of facts, by FORMAT.md
YES, HASH = "yes", "policy_hash"


class Town(Host):
    """A host with a clock of its own and a policy of its own, and what its people were told."""

    def __init__(self, folder):
        self.folder, self.phase, self.said, self.changed, self.erased = folder, 0, {}, set(), set()
        environment, self.shift = {}, None
        if CLOCK_SHIM:
            path = folder.parent / f"{folder.name}.shift"
            path.write_bytes(bytes(16))
            with open(path, "r+b") as file:
                self.shift = mmap.mmap(file.fileno(), 16)
            environment = {"LD_PRELOAD": CLOCK_SHIM, "CONSENT_SHIFT_CLOCK_FILE": str(path)}
        self.policy = folder.parent / f"{folder.name}.policy.json"
        self.write_policy()
        super().__init__(folder, "--policy", self.policy, environment=environment)

    def write_policy(self):
        document = one_person(json.loads(DEFAULT_POLICY.read_text()))
        document.update(version=f"phase-{self.phase}", longest_answer_age_seconds=60 - self.phase)
        self.policy.write_text(json.dumps(document))

    def next_phase(self):
        """Another policy; the one before is in force no longer, nor was it in the minute before what comes now."""
        self.phase += 1
        self.write_policy()
        self.daemon.signal(1)
        until(lambda: any(event.get("version") == f"phase-{self.phase}" for event in self.daemon.events() if event.get("event") == "policy in force"),
              "the next policy")
        if self.shift is not None:
            self.shift[:8] = struct.pack("=q", 90_000_000 * self.phase)


class Life:
    """One person: what they do, and what is asked about them. `site` names each call, so that its record is known again."""

    def __init__(self, town, api, name, seed):
        self.town, self.api, self.name, self.dice = town, api, name, random.Random(f"{seed} {name}")
        self.calls, self.registered, self.agreed, self.gone = 0, False, False, False

    def run(self, steps):
        for _ in range(steps):
            step = self.dice.choices([self.ask, self.agree, self.refuse, self.report, self.delete_one, self.delete_all, self.close],
                                     [10, 4, 2, 1, 1, 0.5, 0.4])[0]
            if not self.gone:
                step()

    def stay(self):
        """Lived by one of each host in each phase, so that the forger finds a yes under each policy, one of them before a no: never deleted."""
        before = len(self.town.said)
        for _ in range(20):
            self.agree()
            self.ask()
            if any(site.startswith(f"{self.name}-") for site in list(self.town.said)[before:]):
                break
        self.refuse()
        self.ask()

    def ask(self):
        self.calls += 1
        site, names = f"{self.name}-{self.calls}", [f"{self.name}-r{self.dice.randrange(5)}" for _ in range(self.dice.randrange(1, 4))]
        if len(names) == 1:
            answers = [self.api.eligibility.Check(check(self.name, place=at(site), name=names[0]), timeout=PATIENCE).decision]
        else:
            answers = [result.decision for result in self.api.eligibility.BatchCheck(batch(self.name, site, names), timeout=PATIENCE).results]
        if any(map(is_yes, answers)):
            self.town.said[site] = sum(map(is_yes, answers))

    def agree(self):
        if not self.registered:
            self.api.subjects.UpsertSubject(household(self.name), timeout=PATIENCE)
            self.registered = True
        etag = self.api.settings.GetSettings(settings.GetSettingsRequest(account_id=self.name), timeout=PATIENCE).etag
        try:
            self.api.settings.UpdateSettings(turn_on(self.name, etag), timeout=PATIENCE)
            self.agreed = True
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.ABORTED:  # a deletion went on in between
                raise

    def refuse(self):
        self.api.settings.OptOut(opt_out(self.name), timeout=PATIENCE)
        if self.agreed:
            self.town.changed.add((self.name, self.calls))
        self.agreed = False

    def report(self):
        self.api.recordings.ReportRecording(recordings.ReportRecordingRequest(account_id=self.name, recording_id=f"{self.name}-r0",
                                                                              flags=[types.FLAG_SAFETY], request_id=fresh_id()), timeout=PATIENCE)

    def delete(self, selector):
        self.api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
            account_id=self.name, selector=selector, requester=types.ACTOR_SELF, verification=deletion.VERIFICATION_VERIFIED,
            request_id=fresh_id()), timeout=PATIENCE)

    def delete_one(self):
        self.delete(deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=[f"{self.name}-r{self.dice.randrange(5)}"])))

    def delete_all(self):
        self.delete(EVERYTHING)
        self.town.erased.add(self.name)

    def close(self):
        self.delete(CLOSURE)
        self.town.erased.add(self.name)
        self.gone = True


class Background(threading.Thread):
    """Does something again and again until it is told to stop; what it raises fails the test."""

    def __init__(self, step):
        super().__init__()
        self.step, self.stopping, self.rounds, self.error = step, threading.Event(), 0, None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
                self.rounds += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def stop(self):
        self.stopping.set()
        self.join()
        if self.error is not None:
            raise self.error


@unittest.skipUnless(CTL, "consentctl is not built")
class Lives(DaemonTest):

    def setUp(self):
        super().setUp()
        print(f"seed {SEED}", flush=True)
        self.dice = random.Random(SEED)
        self.towns, self.apis = [], {}
        for name in ("a", "b"):
            town = Town(self.folder / name)
            self.addCleanup(town.daemon.kill)
            town.daemon.start()
            api = self.apis[town] = self.client(town.daemon)
            system = purge.DataSystem(name="audio", kind=purge.DATA_SYSTEM_KIND_AUDIO, checks_on_ingest=True,
                                      matches_by=[purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_RECORDING_ID])
            api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=system))
            self.towns.append(town)

    # What goes on beside the lives.

    def erase(self, api):
        """As a data system's worker: says of each task that it is done."""
        tasks = api.purges.LeaseTasks(purge.LeaseTasksRequest(system="audio", max_tasks=100, wait_seconds=1), timeout=PATIENCE).tasks
        if tasks:
            api.purges.CompleteTasks(purge.CompleteTasksRequest(system="audio", results=[
                purge.TaskResult(task_id=task.task_id, epoch=task.epoch, outcome=deletion.PURGE_OUTCOME_ACKNOWLEDGED) for task in tasks]),
                timeout=PATIENCE)

    def ask_of_many(self, town, site):
        """Of people who change their minds meanwhile, many in a call."""
        people = random.Random(f"{SEED} {site}").sample(self.people[town], min(8, len(self.people[town])))
        request = eligibility.BatchCheckRequest(recordings=[recording(name, name=f"{name}-r1") for name in people], place=at(site),
                                                purpose=types.PURPOSE_HUMAN_REVIEW)
        yeses = sum(is_yes(result.decision) for result in self.apis[town].eligibility.BatchCheck(request, timeout=PATIENCE).results)
        if yeses:
            town.said[site] = yeses

    def suspend(self):
        """For a moment; what was agreed before counts no more afterwards."""
        town = self.towns[0]
        suspended = self.apis[town].policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="drill"), timeout=PATIENCE)
        self.apis[town].policies.Resume(policy.ResumeRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="over", etag=suspended.suspension.etag),
                                        timeout=PATIENCE)

    def look(self):
        """Verifies what is there while it grows, from each host's first file on: a host that is left out and then says yes has a gap."""
        until(lambda: all(town.files() for town in self.towns), "a file of each host's log")
        self.assert_nothing_found()

    def assert_nothing_found(self):
        report, found = verify(self.towns, [town.log for town in self.towns])
        self.assertEqual(found, {}, f"false alarm, seed {SEED}")
        return report

    def live(self):
        """All lives, in phases, each host's under another policy in each phase."""
        lives = [Life(town, self.apis[town], f"p{number}", SEED) for number in range(LIVES) for town in [self.towns[number % 2]]]
        stayers = [Life(town, self.apis[town], f"p{LIVES + number}", SEED) for number, town in enumerate(self.towns)]
        steps = 6
        self.people = {town: [life.name for life in lives if life.town is town] for town in self.towns}
        beside = [Background(self.look), *(Background(lambda api=api: self.erase(api)) for api in self.apis.values())]
        for one in beside:
            one.start()
        with concurrent.futures.ThreadPoolExecutor(2 * LIVES_AT_ONCE) as pool:
            for phase in range(PHASES):
                under_way = [pool.submit(life.stay) for life in stayers]
                for number, life in enumerate(lives):
                    under_way.append(pool.submit(life.run, steps))
                    under_way += [pool.submit(self.ask_of_many, town, f"any-{phase}-{number}") for town in self.towns]
                if phase > 0:
                    self.suspend()
                for one in under_way:
                    one.result()
                if phase + 1 < PHASES:
                    for town in self.towns:
                        town.next_phase()
        for one in beside:
            one.stop()
        print(f"{beside[0].rounds} runs of verify while {LIVES} lives were lived", flush=True)
        for town in self.towns:
            self.assertEqual(town.restart(), 0)

    # The forger. Each forgery takes (town, records) of one host, and gives the host's files (name -> bytes) and what must be named.

    def pick(self, town, records, phase=None, changed=False):
        """A record and one of its yeses whose person was not erased."""
        fitting = []
        for index, record in enumerate(records):
            name, _, calls = record.get("site", "").rpartition("-")
            if not name.startswith("p") or name in town.erased or index == len(records) - 1:
                continue
            if changed and not any(who == name and when >= int(calls) for who, when in town.changed):
                continue
            if phase is None or record["policy"] == f"phase-{phase}":
                fitting.append(index)
        index = self.dice.choice(fitting)
        return index, self.dice.randrange(len(records[index][YES]))

    def rewritten(self, town, records):
        """The whole log in one file, the chain made anew: only the store's own count tells."""
        return {town.files()[0].name: chained(records)}, {"CHANGED": [(town.store, len(records), -1)]}

    def late_yes(self, town, records):
        index, entry = self.pick(town, records, changed=True)
        records[index][YES][entry][HEAD] = 10**9
        files, named = self.rewritten(town, records)
        return files, {**named, "LATE": [(town.store, index + 1, entry)]}

    def facts_changed(self, town, records):
        index, entry = self.pick(town, records)
        record = records[index]
        facts = list(record["facts"][record[YES][entry][FACTS]])
        facts[WAKE] = types.WAKE_ACCIDENTAL
        record["facts"].append(facts)
        record[YES][entry][FACTS] = len(record["facts"]) - 1
        files, named = self.rewritten(town, records)
        return files, {**named, "NOT_GIVEN": [(town.store, index + 1, entry)]}

    def old_policy(self, town, records):
        index, _ = self.pick(town, records, phase=PHASES - 1)
        old = next(record for record in records if record.get("policy") == "phase-0")
        records[index]["policy"], records[index][HASH] = ("phase-0" if CLOCK_SHIM else "2019-old"), old[HASH]
        files, named = self.rewritten(town, records)
        return files, {**named, "POLICY_NOT_IN_FORCE": [(town.store, index + 1, entry) for entry in range(len(records[index][YES]))]}

    def lines(self, town):
        return {file.name: file.read_bytes().splitlines(keepends=True) for file in town.files()}

    def record_cut(self, town, records):
        if self.dice.random() < 0.5:  # and those behind it numbered and chained anew
            del records[self.dice.randrange(len(records))]
            for number, record in enumerate(records, 1):
                record["n"] = number
            return {town.files()[0].name: chained(records)}, {"GAP": [(town.store, len(records) + 1, -1)]}
        cut = self.dice.randrange(len(records))
        files = {name: b"".join(line for line in lines if json.loads(line)["n"] != cut + 1) for name, lines in self.lines(town).items()}
        return files, {"GAP": [(town.store, cut + 1, -1)]}

    def record_changed(self, town, records):
        changed = self.dice.randrange(len(records))
        def forge(line):
            return line.replace(b'"caller":"local"', b'"caller":"other"') if json.loads(line)["n"] == changed + 1 else line
        files = {name: b"".join(map(forge, lines)) for name, lines in self.lines(town).items()}
        return files, {"CHANGED": [(town.store, changed + 1, -1)]}

    def file_cut(self, town, records):
        files = {file.name: file.read_bytes() for file in town.files()}
        name = self.dice.choice([name for name, data in files.items() if data])
        files[name] = files[name][:self.dice.randrange(len(files[name]) - 1)]
        whole = files[name].count(b"\n")
        first = json.loads(self.lines(town)[name][0])["n"]
        return files, {"GAP": [(town.store, first + whole, -1)]}

    def file_missing(self, town, records):
        names = [file.name for file in town.files() if file.stat().st_size]
        missing = set(names) if self.dice.random() < 0.3 else {self.dice.choice(names)}
        first = min(json.loads(self.lines(town)[name][0])["n"] for name in missing)
        return {file.name: file.read_bytes() for file in town.files() if file.name not in missing}, {"GAP": [(town.store, first, -1)]}

    def check_forgery(self, forge, number):
        town = self.dice.choice(self.towns)
        files, named = forge(town, town.records())
        folder = pathlib.Path(self.folder / f"{forge.__name__}-{number}")
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        others = [file for other in self.towns if other is not town for file in other.files()]
        _, found = verify(self.towns, [*folder.iterdir(), *others])
        self.assertEqual(found, {kind: sorted(places) for kind, places in named.items()}, f"{forge.__name__}, seed {SEED}")

    def test_each_forgery_is_found_and_nothing_else(self):
        began = time.monotonic()
        self.live()
        report = self.assert_nothing_found()
        recorded = {}
        for town in self.towns:
            records = [record for record in town.records() if YES in record]
            town.store = records[0]["store"]
            recorded = {record["site"]: len(record[YES]) for record in records}
            self.assertEqual(recorded, town.said, f"what was said is on record, seed {SEED}")
            self.assertGreater(len(town.files()), 1)
        self.assertGreater(report["confirmed"], LIVES)
        self.assertGreater(report["not_checkable"], 0)
        self.assertEqual(report["yeses"], report["confirmed"] + report["not_checkable"])
        forgeries = [self.late_yes, self.record_cut, self.record_changed, self.file_cut, self.file_missing, self.facts_changed, self.old_policy]
        for number in range(ROUNDS):
            for forge in forgeries:
                with self.subTest(forge.__name__):
                    self.check_forgery(forge, number)
        print(f"{LIVES} lives, {report['records']} records, {report['yeses']} yeses, {report['not_checkable']} of people who were erased, "
              f"{ROUNDS * len(forgeries)} forgeries, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    unittest.main()
