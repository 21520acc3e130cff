"""One bound for each field, here and in the daemon: every flag, key, variable and output that consentctl takes, at its bound and beyond it.

Each value is sent to the daemon directly and offered to consentctl, whose calls go through a tap. What the daemon takes, consentctl takes,
and sends unchanged; what it refuses, consentctl refuses with a code of its table and a text that names the bound.
"""

import concurrent.futures
import hashlib
import json
import pathlib
import re
import unittest

import bounds
import bounds_lines
from bounds import purge, types
from bounds_bench import THREADS, Bench, Judge, all_cases, commands_in_help, fresh_account, help_of, normal
from bounds_lines import IMPORT_KEYS, OBJECTS, RECORDING_KEYS, UPDATE, import_line, import_request, recording_line
from bounds_reviews import COMMANDS
from daemon import DONE, FILES, NO_ANSWER, NOT_ALL_COUNTED, REFUSED, SOURCE, UNREADABLE, USAGE, WORK_LEFT


def setUpModule():
    BenchTest.bench = Bench()


def tearDownModule():
    BenchTest.bench.close()


class BenchTest(unittest.TestCase):
    """One daemon serves all: each case has an account of its own."""
    bench = None


class FlagsTest(BenchTest):
    def test_every_input_in_the_help_has_a_row(self):
        rows = {}
        for asked in COMMANDS:
            rows.setdefault(asked.command, set()).update(asked.inputs)
        self.assertEqual(commands_in_help(), rows)

    def test_one_bound_here_and_in_the_daemon(self):
        judge = Judge(self.bench)
        cases = all_cases()
        for case in cases:
            if not case.is_local():
                judge.learn(case)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            faults = list(pool.map(judge.run, cases))
        for case, found in zip(cases, faults):
            with self.subTest(str(case)):
                self.assertFalse(found, "; ".join(found))
        # A row that offers nothing of both is no test.
        rows = {(case.asked.command, one.name): len(one.kind.offers) for case in cases if not case.is_local() and not case.asked.restricts
                for one in case.inputs}
        for row, offers in rows.items():
            with self.subTest(row):
                self.assertIn(True, judge.verdicts[row], "nothing that the daemon refuses")
                self.assertTrue(offers == 1 or False in judge.verdicts[row], "nothing that the daemon takes")

    def test_global_options_and_variables(self):
        options = set(re.findall(r"^  (--[a-z-]+)", help_of(), re.M) + re.findall(r"^  -h,(--help)", help_of(), re.M))
        self.assertEqual(options, {"--help", "--version", "--endpoint", "--timeout", "--json", "--no-header", "--ca", "--cert", "--key"})
        sources = "".join(path.read_text() for path in (SOURCE / "client").rglob("*.cc")) + "".join(
            path.read_text() for path in (SOURCE / "client").rglob("*.h"))
        self.assertEqual(set(re.findall(r'(?:getenv|envname|Variable)\("(\w+)"\)', sources)),
                         {"CONSENT_ENDPOINT", "CONSENT_CA", "CONSENT_CERT", "CONSENT_KEY", "XDG_RUNTIME_DIR", "TMPDIR", "PATH", "TRACEPARENT", "NO_COLOR", "TERM"})
        for endpoint in ("x", "unix:", "unix:relative", "unix://host/path", "unix:/" + "x" * 107, "127.0.0.1", "127.0.0.1:0",
                         "127.0.0.1:65536", "127.0.0.1:x",
                         "127.0.0.1: 1", "localhost:1 ", "0.0.0.0:1", "[::]:1", "example.org:1", "http://127.0.0.1:1", "dns:localhost:1"):
            for given, environment in ((["--endpoint", endpoint], {}), ([], {"CONSENT_ENDPOINT": endpoint})):
                with self.subTest(endpoint=endpoint, environment=environment):
                    done = self.bench.ctl("holds", "list", globals_=given, endpoint=False, **environment)
                    self.assertEqual(done.code, USAGE)
                    self.assertRegex(done.text(), "endpoint")
        for given, says in ((["--ca", "/nowhere"], "some are missing"), (["--ca", "/nowhere", "--cert", "/nowhere"], "some are missing"),
                            (["--ca", "/nowhere", "--cert", "/nowhere", "--key", "/nowhere"], "/nowhere"), (["--ca", ""], "must not be empty")):
            with self.subTest(given=given):
                done = self.bench.ctl("holds", "list", globals_=["--endpoint", "example.org:1", *given], endpoint=False)
                self.assertEqual(done.code, USAGE, done.text())
                self.assertRegex(done.text(), says)
        for endpoint in ("127.0.0.1:1", "[::1]:65535", "localhost:1", "unix:/" + "x" * 106):
            with self.subTest(endpoint=endpoint):
                self.assertEqual(self.bench.ctl("holds", "list", globals_=["--endpoint", endpoint, "--timeout", "0.001"],
                                                endpoint=False).code, NO_ANSWER)
        with self.subTest("an empty --endpoint is none"):
            self.assertEqual(self.bench.ctl("holds", "list", globals_=["--endpoint", "", "--timeout", "0.001"], endpoint=False).code, USAGE)
        for timeout, code in [("0.001", NO_ANSWER), ("3600", DONE), ("5e0", DONE)] + [(wrong, USAGE) for wrong in (
                "0", "0.0009", "3600.1", "-1", "nan", "inf", "", "x", "1,5", " 5", "5 ", "5s", "0x5", "1e999")]:
            with self.subTest(timeout=timeout):
                done = self.bench.ctl("holds", "list", globals_=["--timeout", timeout])
                self.assertEqual(done.code, code, done.text())
                if code == USAGE:
                    self.assertRegex(done.text(), "0.001.* 3600|1 ms to 1 hour")
        done = self.bench.ctl("import", "-", stdin="{}\n", TMPDIR="/nowhere")
        self.assertEqual(done.code, FILES, done.text())
        self.assertEqual(self.bench.ctl("worker", "bounds", "--once", "--", "true", PATH="/nowhere").code, FILES)


class LinesTest(BenchTest):
    """What stands in a file: one line cannot be used, and all others are."""

    def test_every_key_of_a_recording(self):
        told = self.bench.ctl("filter", "--purpose", "HUMAN_REVIEW", "--set", "x=1").text()
        known = re.findall(r"[a-z_]+", told.split("it can be")[1].split("Run")[0])
        ids = {"recording_id", "account_id", "profile_ids", "device_id"}
        self.assertEqual(set(known) - {"or"} | ids, set(RECORDING_KEYS))
        cases = [(key, value) for key, values in RECORDING_KEYS.items() for value in values]
        for start in range(0, len(cases), 90):
            self.filter(cases[start:start + 90])

    def filter(self, cases):
        refused = pathlib.Path(self.bench.daemon.path("refused.jsonl"))
        lines = [recording_line(*case, number) for number, case in enumerate(cases)]
        done = self.bench.ctl("filter", "--purpose", "HUMAN_REVIEW", "--refused", str(refused), "--force",
                              stdin=b"\n".join(line for line, _ in lines) + b"\n")
        summary = json.loads(done.err.decode().splitlines()[-1])
        why = {problem["line"]: problem["why"] for problem in summary["unreadable_lines"]}
        answered = {json.loads(line)["line"] for line in refused.read_text().splitlines()}
        self.assertEqual((done.code, summary["complete"], len(why) + len(answered)), (UNREADABLE, True, len(cases)), done.text()[-500:])
        sent = [request for one in done.sent for request in parts(normal(one.method, one.request))]
        for number, ((key, value), (line, request)) in enumerate(zip(cases, lines)):
            with self.subTest(key=key, value=value.json[:60]):
                reply = self.bench.ask("EligibilityService/BatchCheck", request) if request is not None else None
                if reply is None or reply.refuses() or reply.refuses_a_part() or value.is_empty():
                    self.assertRegex(why.get(number + 1, "taken, and the daemon refuses it"), value.bound)
                else:
                    self.assertEqual(why.get(number + 1, ""), "", "refused, and the daemon takes it")
                    self.assertIn(parts(normal("EligibilityService/BatchCheck", request))[0], sent, line)
                self.check_file(key, value, line, reply)

    def check_file(self, key, value, line, reply):
        """The same file as one line; of most keys the first two values are enough, since `filter` reads them the same way."""
        if value not in RECORDING_KEYS[key][1:3]:
            return
        done = self.bench.ctl("check", "--disposition", "--file", "-", stdin=line)
        refused = reply is None or reply.refuses() or reply.refuses_a_part() or value.is_empty()
        self.assertIn(done.code, (UNREADABLE, REFUSED) if refused else (11, 12, 13), done.text())
        self.assertFalse(refused and not done.sent and done.code != UNREADABLE, done.text())

    def test_every_key_of_an_import(self):
        cases = [(key, value) for key in IMPORT_KEYS for value in key.values if value.is_whole()]
        accounts = [fresh_account() for _ in cases]
        done, told = self.run_import([import_line(*case, account) for case, account in zip(cases, accounts)])
        self.assertEqual(done.code, NOT_ALL_COUNTED, done.text()[-500:])
        for number, ((key, value), account) in enumerate(zip(cases, accounts)):
            with self.subTest(key=key.name, line=key.line, value=value.json[:60]):
                self.compare(key, value, account, done, told.get(number + 1, []))

    def compare(self, key, value, account, done, told):
        ours = [one for one in told if one["reason"] in ("UNREADABLE", "INVALID_FIELD")]
        direct = fresh_account()
        request = import_request(key, value, direct, self.etag_of(direct) if key.says_yes() else "")
        reply = self.bench.ask(key.method, request) if request is not None else None
        if reply is None or reply.refuses() or reply.refuses_a_part() or value.is_empty():
            self.assertRegex(ours[0]["message"] if ours else f"taken, and the daemon refuses it: {reply}", value.bound)
            return
        self.assertEqual(ours, [], "refused, and the daemon takes it")
        sent = [normal(one.method, one.request) for one in done.sent if one.method == key.method and account.encode() in one.request]
        wanted = normal(key.method, request.replace(direct.encode(), account.encode()))
        for message in [*sent, wanted]:
            if key.method == UPDATE:
                message.ClearField("etag")
                if not key.says_yes():
                    message.ClearField("evidence")
        if value.json not in (b"[]", b"null"):  # a line that says nothing sends nothing
            self.assertIn(wanted, sent)

    def etag_of(self, account):
        """Of an account that is registered by this."""
        request = import_request(IMPORT_KEYS[0], bounds_lines.Written(b'"DE"', ""), account)
        data, _, _ = bounds.call(self.bench.channel, "SubjectService/UpsertSubject", request)
        return bounds.method_types("SubjectService/UpsertSubject")[1].FromString(data).revision

    def run_import(self, lines):
        """What it did, and what it told of each line."""
        refused = pathlib.Path(self.bench.daemon.path("not-imported.jsonl"))
        done = self.bench.ctl("import", "-", "--refused", str(refused), "--force", stdin=b"\n".join(lines) + b"\n")
        told = {}
        for one in map(json.loads, refused.read_text().splitlines()):
            told.setdefault(one["line"], []).append(one)
        return done, told

    def test_a_no_beside_every_value_counts(self):
        cases = [(key, value) for key in IMPORT_KEYS for value in key.values if value.is_whole()]
        accounts = [fresh_account() for _ in cases]
        done, _ = self.run_import([import_line(*case, account, {"all": True, "turn": "OFF"}) for case, account in zip(cases, accounts)])
        self.assertIn(done.code, (DONE, NOT_ALL_COUNTED))
        offs = {request.account_id for request in (normal(one.method, one.request) for one in done.sent if one.method.endswith("OptOut"))
                if any(target.all for target in request.targets) and not request.HasField("scope")}
        for (key, value), account in zip(cases, accounts):
            with self.subTest(key=key.name, value=value.json[:60]):
                self.assertIn(account, offs)

    def test_an_account_of_an_import(self):
        values = bounds_lines.texts(128, "account_id")
        key = bounds_lines.Key("account_id", values, {}, "", None)
        lines = [b'{"account_id":' + value.json + b',"choices":[{"all":true,"turn":"OFF"}]}' for value in values]
        done, told = self.run_import([*lines, import_line(key, values[0], "account-good", {"all": True, "turn": "OFF"})])
        self.assertEqual(done.code, UNREADABLE)
        sent = [normal(one.method, one.request).account_id for one in done.sent]
        self.assertIn("account-good", sent)
        for number, value in enumerate(values):
            with self.subTest(value=value.json[:60]):
                try:
                    account = value.value()
                    taken = isinstance(account, bytes) and not self.bench.ask("SettingsService/GetSettings",
                                                                              b"\x0a" + varint(account) + account).refuses()
                except bounds.NotOnTheWire:
                    taken = False
                self.assertEqual((number + 1 not in told, bool(taken) and account.decode() in sent), (taken, taken))

    def test_a_line_that_is_no_json(self):
        broken = {value.json: value for key in IMPORT_KEYS for value in key.values if not value.is_whole()}
        key = IMPORT_KEYS[0]
        done, told = self.run_import([*(import_line(key, value, fresh_account()) for value in broken.values()),
                                      import_line(key, key.values[0], "account-last", {"all": True, "turn": "OFF"})])
        self.assertEqual(done.code, UNREADABLE)
        self.assertEqual({number: told[number][0]["reason"] for number in told if number <= len(broken)},
                         {number + 1: "UNREADABLE" for number in range(len(broken))})
        self.assertEqual([normal(one.method, one.request).account_id for one in done.sent], ["account-last"])

    def test_the_keys_of_an_import_are_those(self):
        for name, (more, keys) in OBJECTS.items():
            _, told = self.run_import([json.dumps({"account_id": "a", **more}).encode()])
            known = {key for one in told[1] for key in one["message"].split("known are ")[-1].split(", ")}
            self.assertEqual(known, keys, name)

    def test_state_files(self):
        state = pathlib.Path(self.bench.daemon.path("state"))
        lines = json.dumps({"account_id": fresh_account(), "choices": [{"control": "none", "turn": "OFF"}]}) + "\ngarbage\n"
        self.assertEqual(self.bench.ctl("import", "-", "--state", str(state), stdin=lines).code, UNREADABLE)
        written = [json.loads(line) for line in state.read_text().splitlines()]
        keys = {key for line in written for key in line}
        self.assertEqual(keys, {"consentctl_import", "input", "store", "salt", "blocked", "blocks_all", "counted", "pass", "line", "lines",
                                "imported", "refused",
                                "unreadable", "unreached"})
        for key in sorted(keys):
            number = next(number for number, line in enumerate(written) if key in line)
            wrong = (b"7", b'""', b"null", b'"\xff"', b"[]") if isinstance(written[number][key], str) else (b"-1", b"1.5", b'"1"', b"null",
                                                                                                            b"9223372036854775808")
            for value in wrong:
                with self.subTest(key=key, value=value):
                    damaged = [json.dumps({**line, key: VALUE} if at == number else line).encode().replace(VALUE_TEXT, value) for at,
                               line in enumerate(written)]
                    state.write_bytes(b"\n".join(damaged) + b"\n")
                    done = self.bench.ctl("import", "-", "--state", str(state), stdin=lines)
                    self.assertEqual((done.code, done.sent), (FILES, []), done.text())
                    self.assertRegex(done.text(), "state file")
                    self.assertEqual(state.read_bytes(), b"\n".join(damaged) + b"\n")


VALUE = bounds_lines.VALUE
VALUE_TEXT = b'"' + VALUE.encode() + b'"'


def varint(data):
    """The length of up to 16,383 bytes."""
    return bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])


def parts(batch):
    """Each recording of a batch with its place."""
    return [(recording, batch.place) for recording in batch.recordings]


class WorkerTest(BenchTest):
    """What a worker's command prints, and how it ends."""

    def test_what_a_command_may_say(self):
        counts = [b"", b"0", b"1", b"1000000000000", b"1000000000001", b"9223372036854775808", b"9" * 64, b"9" * 70, b"0" * 70 + b"1",
                  b"-1", b"1.5",
                  b"1e3", b"0x10", b"12 files", b" 7 ", b"7\r", b"\t7", b"7\0", b"\xd9\xa7", b"\xff", b"file\n7", b"7\nfile",
                  b"x" * 70_000 + b"\n7"]
        cases = [(count + b"\n" * (number % 2), 0) for number, count in enumerate(counts)]
        cases += [(b"5\n", 3), (b"5\n", 75), (b"5\n", 1), (b"1000000000001\n", 1), (b"", 255)]
        folder = pathlib.Path(self.bench.daemon.path("prints"))
        folder.mkdir()
        for system in ("said", "direct"):
            self.assertEqual(self.bench.ctl("systems", "register", system, "--kind", "audio", "--matches-by", "account,recording-id").code,
                             DONE)
        for number, (text, code) in enumerate(cases):
            (folder / f"{number}").write_bytes(text)
            (folder / f"{number}.code").write_text(str(code))
            request = bounds.deletion.CreateDeletionRequestRequest(account_id="said", requester=types.ACTOR_SELF,
                                                                   verification=bounds.deletion.VERIFICATION_VERIFIED)
            request.selector.recordings.recording_ids.append(str(number))
            self.assertEqual(self.bench.ask("DeletionService/CreateDeletionRequest", request.SerializeToString()).code, "OK")
        own = f"{folder}/$CONSENT_RECORDING_IDS"
        script = f'cat "{own}"; echo "$CONSENT_TASK_ID" >"{own}.task"; exit "$(cat "{own}.code")"'
        done = self.bench.ctl("worker", "said", "--once", "--parallel", "4", "--", "sh", "-c", script)
        self.assertEqual(done.code, WORK_LEFT, done.text())
        said = {}
        for one in done.sent:
            message = normal(one.method, one.request)
            for report in [*getattr(message, "results", []), *getattr(message, "failures", [])]:
                said.setdefault(report.task_id, []).append((report, one.reply))
        leases = self.leases(len(cases))
        for number, ((text, code), lease) in enumerate(zip(cases, leases)):
            with self.subTest(prints=text[-80:], ends=code):
                self.report(text, code, said[(folder / f"{number}.task").read_text().strip()], lease)

    def leases(self, most):
        request = purge.LeaseTasksRequest(system="direct", max_tasks=most, wait_seconds=5).SerializeToString()
        tasks = []
        while len(tasks) < most:
            data, _, _ = bounds.call(self.bench.channel, "PurgeService/LeaseTasks", request)
            more = purge.LeaseTasksResponse.FromString(data).tasks
            self.assertTrue(more, f"{len(tasks)} of {most} tasks")
            tasks += more
        return tasks

    def report(self, text, code, said, lease):
        """One report, of what the daemon takes as it is said; a failure where it takes none of it."""
        self.assertEqual(len(said), 1, said)
        report, reply = said[0]
        self.assertEqual((reply.code, reply.parts), ("OK", []))
        last = (text[:-1] if text.endswith(b"\n") else text).rpartition(b"\n")[2].strip(b" \t\r")
        count = int(last) if re.fullmatch(rb"-?[0-9]+", last) else None
        takes = count is None or (abs(count) < 2**63 and self.takes(lease, count))
        is_complete = code in (0, 3) and (takes or code == 3)
        self.assertEqual(report.DESCRIPTOR.name, "TaskResult" if is_complete else "TaskFailure", report)
        if is_complete:
            self.assertEqual(report.outcome, types_of_outcome(code))
            self.assertEqual(report.erased_count, (count or 0) if code == 0 else 0)
            self.assertEqual(report.evidence_hash, hashlib.sha256(text).digest() if text else b"")
        else:
            self.assertEqual(report.erased_count, count if takes and count else 0)
            self.assertRegex(report.error, f"exit {code}" if code else r"10\^12")

    def takes(self, lease, count):
        result = purge.TaskResult(task_id=lease.task_id, epoch=lease.epoch, outcome=types_of_outcome(0), erased_count=count)
        return not self.bench.ask("PurgeService/CompleteTasks", purge.CompleteTasksRequest(system="direct",
                                                                                           results=[result]).SerializeToString()).parts


def types_of_outcome(code):
    return bounds.deletion.PURGE_OUTCOME_ACKNOWLEDGED if code == 0 else bounds.deletion.PURGE_OUTCOME_NOT_FOUND


if __name__ == "__main__":
    unittest.main(verbosity=2)
