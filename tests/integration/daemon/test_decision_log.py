"""The decision log from outside: each yes on record before it is said, and each read of a person's, through kills, a full disk, cut files and SIGHUP."""

import hashlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import threading
import time
import unittest

import grpc

from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import deletion_service_pb2 as deletions
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import roles_pb2 as roles
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subjects
from consent.v1 import types_pb2 as types

from google.protobuf import symbol_database

from harness import Client, DaemonTest, MountedTest, decode_error, until
from words import check, household, opt_out, reasons, recording, turn_on

KILLS = int(os.environ.get("CONSENT_DECISION_KILLS", "20"))
CTL = os.environ.get("TEST_CTL")
STORE, WRONG = 72, 50


def at(site):
    return types.Place(country="DE", site=site, reviewer_class=types.REVIEWER_CLASS_EMPLOYEE)


def batch(account, site, names):
    return eligibility.BatchCheckRequest(recordings=[recording(account, name=name) for name in names], purpose=types.PURPOSE_HUMAN_REVIEW,
                                         place=at(site), selection=types.SELECTION_RANDOM)


def is_yes(decision):
    return decision.eligibility == types.ELIGIBILITY_ELIGIBLE


def read(folder):
    """All records in order; fails where the chain is broken."""
    records, previous = [], "0" * 64
    for path in sorted(folder.glob("decisions-*.jsonl")):
        data = path.read_bytes()
        assert data.endswith(b"\n") or not data, f"{path} ends in the middle of a record"
        for line in data.splitlines():
            record = json.loads(line)
            assert record["n"] == len(records) + 1, (path, record["n"])
            assert record["prev"] == previous, (path, record["n"])
            previous = hashlib.sha256(line).hexdigest()
            records.append(record)
    return records


class Recorded(DaemonTest):

    def setUp(self):
        super().setUp()
        self.log = self.folder / "data.decisions"

    def consenting(self, *arguments):
        daemon = self.daemon(*arguments)
        api = self.client(daemon)
        api.settings.UpdateSettings(turn_on("ann", api.subjects.UpsertSubject(household("ann")).revision))
        return daemon, api

    def test_a_yes_is_on_record_and_names_nobody(self):
        daemon, api = self.consenting()
        self.assertTrue(is_yes(api.eligibility.Check(check("ann", place=at("one"))).decision))
        self.assertEqual(len(read(self.log)), 1, "before the answer came")
        results = api.eligibility.BatchCheck(batch("ann", "two", ["a", "b", "c"])).results
        self.assertEqual([is_yes(result.decision) for result in results], [True] * 3)
        self.assertFalse(is_yes(api.eligibility.Check(check("nobody", place=at("three"))).decision))
        one, two = read(self.log)
        self.assertEqual((one["site"], one["selection"], len(one["yes"])), ("one", "OTHER", 1))
        self.assertEqual((two["site"], two["selection"], len(two["yes"])), ("two", "RANDOM", 3))
        self.assertEqual(one["yes"][0][0], two["yes"][2][0], "one person, one handle a month")
        [path] = self.log.iterdir()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        for name in (b"ann", b"anna", b"kitchen", b"rec-1"):
            self.assertNotIn(name, path.read_bytes())
        self.assertEqual(daemon.metric("consentd_decision_log_on"), 1)
        self.assertEqual(daemon.metric("consentd_decision_log_records_total"), 2)

    def test_sighup_begins_another_file(self):
        daemon, api = self.consenting()
        api.eligibility.Check(check("ann", place=at("one")))
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("policy in force")
        until(lambda: api.eligibility.Check(check("ann", place=at("two"))) and len(list(self.log.iterdir())) == 2, "two files")
        self.assertEqual([record["site"] for record in read(self.log)][:2], ["one", "two"])

    def test_off_is_said_and_shown(self):
        daemon, api = self.consenting("--decision-log", "off")
        self.assertTrue(is_yes(api.eligibility.Check(check("ann")).decision))
        self.assertFalse(self.log.exists())
        self.assertEqual(daemon.metric("consentd_decision_log_on"), 0)
        self.assertIsNotNone(daemon.event("the decision log is off: no yes is on record"))

    def test_what_was_cut_is_seen_at_the_start(self):
        daemon, api = self.consenting()
        for site in ("one", "two", "three"):
            api.eligibility.Check(check("ann", place=at(site)))
        self.assertEqual(daemon.stop(), 0)
        [path] = self.log.iterdir()
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(lines[0] + b'{"v":3,"n":2,')
        daemon = self.daemon()
        told = daemon.event("the decision log is not what the store knows of: files were cut, lost or changed")
        self.assertEqual(told["missing_records"], 2)
        self.assertEqual(daemon.metric("consentd_decision_log_missing_records"), 2)
        self.assertTrue(is_yes(self.client(daemon).eligibility.Check(check("ann", place=at("four"))).decision))
        self.assertEqual(json.loads(max(self.log.iterdir()).read_text())["n"], 4, "no number is given twice")

    def test_a_folder_that_cannot_be_used_stops_the_start(self):
        self.log.mkdir()
        self.log.chmod(0o777)
        daemon = self.daemon(wait=False)
        self.assertEqual(daemon.wait(), STORE)
        self.assertIn("closed to others' writing", daemon.log())


def reads_of_people():
    """Every method of the protos that answers about people: its path, its request's class and its response's."""
    for file in (deletions, holds, recordings, settings, subjects):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                if method.GetOptions().Extensions[roles.reads_people]:
                    classes = (symbol_database.Default().GetPrototype(each) for each in (method.input_type, method.output_type))
                    yield f"{service.name}/{method.name}", *classes


class Reads(DaemonTest):
    """What people read about people, by the listener that they come by."""

    def setUp(self):
        super().setUp()
        self.log = self.folder / "data.decisions"
        places = {"all": "", "officer": ",roles=OFFICER,name=officer-7", "backend": ",roles=BACKEND,name=app"}
        listen = [text for name, rest in places.items() for text in ("--listen", f"unix:{self.folder / 'run' / name}{rest}")]
        self.served = self.daemon(*listen, "--data-dir", self.folder / "data", "--metrics-listen", "127.0.0.1:0", "--log-format", "json", defaults=False)
        self.served.wait_for("listening")
        self.all, self.officer, self.backend = (self.api(name) for name in places)
        self.all.subjects.UpsertSubject(household("ann"))
        self.deletion_id = self.all.deletions.CreateDeletionRequest(deletions.CreateDeletionRequestRequest(
            account_id="ann", selector=deletions.DeletionSelector(everything=True), requester=types.ACTOR_SELF)).request.deletion_id

    def api(self, name):
        client = Client(f"unix:{self.folder / 'run' / name}")
        self.addCleanup(client.close)
        return client

    def about_ann(self):
        for name, request, response in reads_of_people():
            asked = request()
            if "account_id" in request.DESCRIPTOR.fields_by_name:
                asked.account_id = "ann"
            else:
                asked.deletion_id = self.deletion_id
            if "before" in request.DESCRIPTOR.fields_by_name:
                getattr(asked, "from").FromSeconds(1)
                asked.before.FromMicroseconds(time.time_ns() // 1000)
            if "at" in request.DESCRIPTOR.fields_by_name:
                asked.at.FromMicroseconds(time.time_ns() // 1000)
            yield name, asked, response

    @staticmethod
    def ask(api, name, asked, response):
        call = api.channel.unary_unary(f"/consent.v1.{name}", request_serializer=type(asked).SerializeToString, response_deserializer=response.FromString)
        return call(asked, timeout=20)

    @unittest.skipUnless(CTL, "consentctl is not built")
    def test_a_persons_reads_are_on_record_and_a_backends_are_not(self):
        asked = list(self.about_ann())
        self.assertEqual(len(asked), 10)
        for name, request, response in asked:
            self.ask(self.all, name, request, response)
            if name not in ("HoldService/ListHolds", "SettingsService/ListChoices", "RecordingService/ListSafetyFlags"):
                self.ask(self.backend, name, request, response)
        self.assertEqual(read(self.log), [])
        for number, (name, request, response) in enumerate(asked, 1):
            self.ask(self.officer, name, request, response)
            records = read(self.log)
            self.assertEqual(len(records), number, "before the answer came")
            self.assertEqual((records[-1]["read"], records[-1]["caller"]), (name, "officer-7"))
        self.assertEqual(len({record["subject"] for record in records}), 1, "one person, one handle a month")
        self.officer.holds.ListHolds(holds.ListHoldsRequest())
        self.assertIsNone(read(self.log)[-1]["subject"])
        for path in self.log.iterdir():
            self.assertNotIn(b"ann", path.read_bytes())
        for api in (self.all, self.officer, self.backend):
            api.close()  # the daemon's stop waits for them
        self.assertEqual(self.served.stop(), 0)
        done = subprocess.run([CTL, "--json", "decisions", "verify", "--offline", *map(str, self.log.iterdir())],
                              capture_output=True, text=True, timeout=60, check=True)
        report = json.loads(done.stdout)
        self.assertEqual((report["records"], report["reads"], report["yeses"], report["problem_count"]), (11, 11, 0, 0))


def chained(records):
    """Lines of the records as a forger with the format's page would write them, each behind the hash of the one before."""
    lines, previous = [], "0" * 64
    for record in records:
        record["prev"] = previous
        line = json.dumps(record, separators=(",", ":")).encode()
        previous = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    return b"".join(lines)


@unittest.skipUnless(CTL, "consentctl is not built")
class Verified(DaemonTest):
    """`consentctl decisions verify` on a log as it is, and as a forger leaves it."""

    def setUp(self):
        super().setUp()
        self.log = self.folder / "data.decisions"
        self.served = self.daemon()
        api = self.client(self.served)
        for name in ("ann", "bob", "eve"):
            api.settings.UpdateSettings(turn_on(name, api.subjects.UpsertSubject(household(name)).revision))
            self.assertTrue(is_yes(api.eligibility.Check(check(name, place=at(f"before {name}"))).decision))
        api.settings.OptOut(opt_out("ann"))
        self.assertFalse(is_yes(api.eligibility.Check(check("ann", place=at("no"))).decision))
        api.eligibility.BatchCheck(batch("bob", "two", ["a", "b"]))
        api.settings.OptOut(opt_out("bob"))
        api.eligibility.Check(check("eve", place=at("last")))
        self.assertEqual(self.served.stop(), 0)  # so that the store has counted all
        self.served = self.daemon()
        [self.file, *_] = sorted(self.log.glob("*.jsonl"))
        self.records = read(self.log)
        self.assertEqual([record["site"] for record in self.records], ["before ann", "before bob", "before eve", "two", "last"])

    def verify(self, *files, options=()):
        """Exit code, and what is wrong: kind -> records."""
        done = subprocess.run([CTL, "--endpoint", self.served.address(), "--json", "decisions", "verify", *options, *map(str, files)],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertIn(done.returncode, (0, WRONG), done.stderr)
        self.report = json.loads(done.stdout)
        found = {}
        for problem in self.report["problems"]:
            found.setdefault(problem["kind"], []).append((problem["record"], problem.get("entry", -1)))
        self.assertEqual(done.returncode, WRONG if found else 0)
        return found

    def forged(self, change):
        """The log with `change(records)` done and the chain made anew; without what the store's own count says of that."""
        records = json.loads(json.dumps(self.records))
        change(records)
        path = self.folder / self.file.name
        path.write_bytes(chained(records))
        found = self.verify(path)
        last = len(self.records)
        self.assertEqual(found.pop("CHANGED", [(last, -1)]), [(last, -1)], "the store knows the last record")
        return found

    def test_a_log_as_it_was_written_has_no_fault(self):
        self.assertEqual(self.verify(self.file), {})
        self.assertEqual((self.report["records"], self.report["yeses"], self.report["confirmed"]), (5, 6, 6))
        self.assertEqual(self.verify(self.file, options=["--offline"]), {})

    def test_what_was_found_is_reported_and_outlives_a_restart(self):
        def shown():
            figures = {name: self.served.metric(f"consentd_verification_{name}")
                       for name in ("yeses", "yes_after_no", "not_given", "not_checkable", "log_problems")}
            return figures, self.served.metric("consentd_verification_timestamp_seconds"), self.served.metric("consentd_verification_last_wrong_timestamp_seconds")

        self.verify(self.file)
        self.assertEqual(shown()[1:], (None, None), "nobody has reported: absent, not 0")
        self.verify(self.file, options=["--report"])
        figures, when, wrong = shown()
        self.assertEqual(figures, {"yeses": 6, "yes_after_no": 0, "not_given": 0, "not_checkable": 0, "log_problems": 0})
        self.assertLess(abs(when - time.time()), 60)
        self.assertIsNone(wrong)
        # A yes after ann's no.
        self.records[0]["yes"][0][7] = 10**6
        path = self.folder / self.file.name
        path.write_bytes(chained(self.records))
        self.assertEqual(self.verify(path, options=["--report"])["LATE"], [(1, 0)])
        figures, when, wrong = shown()
        self.assertEqual((figures["yes_after_no"], figures["yeses"], figures["log_problems"]), (1, 6, 1))
        self.assertEqual(wrong, when)
        self.verify(self.file, options=["--report"])
        self.assertEqual(self.served.stop(), 0)
        self.served = self.daemon()
        figures, later, still = shown()
        self.assertEqual((figures["yes_after_no"], still), (0, wrong), "a clean one after it hides nothing, over a restart")
        self.assertGreater(later, wrong)
        for part in ("--offline", "--part", "--from=2026-10-01", "--to=2026-11-01"):
            done = subprocess.run([CTL, "decisions", "verify", "--report", part, str(self.file)], capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 64, done.stderr)

    def test_no_false_alarm_while_people_change_their_mind(self):
        """Each yes is right for the head that was read before it, however close a no was."""
        stop = threading.Event()
        said = []

        def ask(api, number):
            while not stop.is_set():
                results = api.eligibility.BatchCheck(batch("bob", str(number), ["a", "b", "c", "d"])).results
                said.append(sum(is_yes(result.decision) for result in results))

        api = self.client(self.served)
        threads = [threading.Thread(target=ask, args=(self.client(self.served), number)) for number in range(3)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (len(said) > 600 and any(said) and 0 in said):
            etag = api.settings.GetSettings(settings.GetSettingsRequest(account_id="bob")).etag
            api.settings.UpdateSettings(turn_on("bob", etag))
            api.settings.OptOut(opt_out("bob"))
        stop.set()
        for thread in threads:
            thread.join()
        self.assertGreater(sum(said), 0)
        self.assertIn(0, said)
        self.assertEqual(self.verify(*self.log.glob("*.jsonl")), {})
        self.assertEqual(self.report["yeses"], self.report["confirmed"])
        print(f"{self.report['yeses']} yeses of {4 * len(said)} while bob changed his mind", flush=True)

    def test_each_forgery_is_found_and_named(self):
        with self.subTest("a late yes"):
            # As a daemon would have said it that had not heard of ann's no: the head is that of after it.
            def late(records):
                records[0]["yes"][0][7] = 10**6
            self.assertEqual(self.forged(late), {"LATE": [(1, 0)]})
        with self.subTest("facts changed"):
            def facts(records):
                records[3]["facts"].append([*records[3]["facts"][0]])
                records[3]["facts"][1][2] = types.WAKE_ACCIDENTAL
                records[3]["yes"][1][6] = 1
            self.assertEqual(self.forged(facts), {"NOT_GIVEN": [(4, 1)]})
        with self.subTest("nobody of ours"):
            def person(records):
                records[2]["yes"][0][0] = records[2]["yes"][0][1]
            self.assertEqual(self.forged(person), {"UNKNOWN": [(3, 0)]})
        with self.subTest("a policy that was not in force"):
            def policy(records):
                records[1]["policy"] = "2019-old"
            self.assertEqual(self.forged(policy), {"POLICY_NOT_IN_FORCE": [(2, 0)]})
        with self.subTest("a record changed"):
            path = self.folder / self.file.name
            path.write_bytes(self.file.read_bytes().replace(b'"site":"two"', b'"site":"one"'))
            self.assertEqual(self.verify(path), {"CHANGED": [(4, -1)]})
        with self.subTest("a record cut"):
            lines = self.file.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(lines[:1] + lines[2:]))
            self.assertEqual(self.verify(path), {"GAP": [(2, -1)]})
        with self.subTest("a file cut"):
            path.write_bytes(self.file.read_bytes()[:-100])
            self.assertEqual(self.verify(path), {"GAP": [(5, -1)]})
        with self.subTest("a file lost"):
            path.write_bytes(b"")
            self.assertEqual(self.verify(path), {"GAP": [(1, -1)]})
            self.assertEqual(self.report["problems"][0]["missing"], 5)


class FullDisk(MountedTest):

    def test_a_full_disk_makes_every_yes_a_no_and_stops_no_restriction(self):
        self.mount("size=256k")
        run = self.folder / "run"
        daemon = self.daemon("--decision-log", self.disk / "decisions", "--listen", f"unix:{run / 'consentd.sock'}",
                             "--listen", f"unix:{run / 'officer'},roles=OFFICER")
        api = self.client(daemon)
        api.settings.UpdateSettings(turn_on("ann", api.subjects.UpsertSubject(household("ann")).revision))
        self.assertTrue(is_yes(api.eligibility.Check(check("ann")).decision))
        hundred = [f"r{i}" for i in range(100)]
        said, last = 1, None
        for call in range(100):
            last = api.eligibility.BatchCheck(batch("ann", str(call), hundred)).results
            yeses = sum(is_yes(result.decision) for result in last)
            self.assertIn(yeses, (0, 100), "all of a call or none")
            if yeses == 0:
                break
            said += yeses
        self.assertEqual({tuple(reasons(result.decision)) for result in last}, {("NOT_RECORDED",)})
        self.assertEqual(sum(len(record["yes"]) for record in read(self.disk / "decisions")), said)
        self.assertEqual(reasons(api.eligibility.BatchCheck(batch("ann", "x", hundred)).results[7].decision), ["NOT_RECORDED"])
        self.assertGreaterEqual(daemon.metric('consentd_decision_log_refused_total{reason="write"}'), 2)
        api.settings.OptOut(opt_out("bob"))
        officer = Client(f"unix:{run / 'officer'}")
        self.addCleanup(officer.close)
        asked = settings.GetSettingsRequest(account_id="bob")
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in range(1000):  # a read's record is short and still finds room
                officer.settings.GetSettings(asked)
        error = decode_error(caught.exception)
        self.assertEqual((error.code, error.reason), (grpc.StatusCode.RESOURCE_EXHAUSTED, "NOT_RECORDED"))
        api.settings.GetSettings(asked)
        until(lambda: daemon.event("the decision log takes no records: what needs one is answered NOT_RECORDED"), "the error is told")

        oldest = min((self.disk / "decisions").iterdir())
        shutil.move(oldest, self.folder / oldest.name)  # as an operator makes room
        self.assertTrue(is_yes(api.eligibility.BatchCheck(batch("ann", "y", hundred)).results[7].decision), "as soon as there is room")
        officer.settings.GetSettings(asked)
        last = max((self.disk / "decisions").iterdir()).read_bytes().splitlines()[-1]
        self.assertEqual(json.loads(last)["read"], "SettingsService/GetSettings")
        until(lambda: daemon.event("the decision log takes records again"), "told")
        self.assertEqual(daemon.stop(), 0)


class Askers:
    """Threads that ask until the daemon goes, and note what was answered yes, by the site that they named."""

    def __init__(self, apis, cycle):
        self.said = {}
        self.threads = [threading.Thread(target=self.run, args=(api, f"{cycle}-{number}", number % 2 == 0)) for number, api in enumerate(apis)]
        for thread in self.threads:
            thread.start()

    def run(self, api, who, in_batches):
        for count in range(1_000_000):
            site = f"{who}-{count}"
            try:
                if in_batches:
                    answers = [result.decision for result in api.eligibility.BatchCheck(batch("ann", site, ["a", "b", "c"]), timeout=20).results]
                else:
                    answers = [api.eligibility.Check(check("ann", place=at(site)), timeout=20).decision]
            except grpc.RpcError:
                return
            yeses = sum(map(is_yes, answers))
            if yeses:
                self.said[site] = yeses


class Kills(DaemonTest):

    def test_no_yes_without_its_record(self):
        seed = int(os.environ.get("CONSENT_SEED", time.time_ns() % 1_000_000))
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        said = {}
        daemon = self.daemon()
        api = self.client(daemon)
        api.settings.UpdateSettings(turn_on("ann", api.subjects.UpsertSubject(household("ann")).revision))
        for cycle in range(KILLS):
            apis = [self.client(daemon) for _ in range(4)]
            askers = Askers(apis, cycle)
            until(lambda: len(askers.said) >= dice.randrange(1, 60), "some answers")
            daemon.kill()
            for thread in askers.threads:
                thread.join()
            for one in apis:
                one.close()
            said.update(askers.said)
            daemon = self.daemon()
            self.assertEqual(daemon.metric("consentd_decision_log_missing_records"), 0, f"cycle {cycle}, seed {seed}")
        daemon.stop()
        records = read(self.folder / "data.decisions")
        recorded = {record["site"]: len(record["yes"]) for record in records}
        self.assertEqual(len(recorded), len(records))
        lost = {site: yeses for site, yeses in said.items() if recorded.get(site) != yeses}
        self.assertEqual(lost, {}, f"said and not on record, seed {seed}")
        print(f"{KILLS} kills, {len(said)} calls said yes, {len(records)} are on record", flush=True)
        self.assertGreater(len(said), KILLS)


if __name__ == "__main__":
    unittest.main()
