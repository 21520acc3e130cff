"""A service that is watched: what the service manager hears, when it is fed, and what is left after it ended a daemon that hangs."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import grpc

from consent.v1 import settings_service_pb2 as settings
from harness import DAEMON, PATIENCE, ROOT, Client, DaemonTest, until
from service_manager import ServiceManager, systemd_tool
from words import check, opt_out, reasons

SHIM = os.environ.get("TEST_SHIM")
WATCHDOG = 4.0  # seconds; the unit's is a minute
SLACK = 1.0     # busy machines
STATES = ["STATUS=starting", "STATUS=filling the index, 0 rows read", "STATUS=serving", "STATUS=draining"]


def states(messages):
    return [line for message in messages for line in message.lines if line.startswith("STATUS=")]


def fed(messages):
    return [message.at for message in messages if "WATCHDOG=1" in message.lines]


class WatchedTest(DaemonTest):

    def manager(self, watchdog=None):
        manager = ServiceManager(self.folder, watchdog)
        self.addCleanup(manager.close)
        return manager

    def watched(self, manager, *arguments, wait=True, hold=None):
        environment = dict(manager.environment)
        if hold is not None:
            environment.update({"LD_PRELOAD": SHIM, "CONSENT_HOLD_SYNC_WHILE": str(hold), "CONSENT_HOLD_HEAD_WHILE": f"{hold}-head"})
        return self.daemon(*arguments, environment=environment, wait=wait)


class Told(WatchedTest):

    def test_each_stage_in_order_and_ready_when_it_serves(self):
        manager = self.manager()
        daemon = self.watched(manager, wait=False)
        ready = manager.hear_until("READY=1", PATIENCE)
        self.assertEqual(ready.lines, ["READY=1", "STATUS=serving"])
        self.assertEqual(self.client(daemon).health(), "SERVING", "the first question after READY is answered")
        self.assertEqual(states(manager.messages), STATES[:3])
        before = [line for message in manager.messages[:-1] for line in message.lines]
        self.assertIn("EXTEND_TIMEOUT_USEC=120000000", before)
        self.assertNotIn("READY=1", before)
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGTERM)
        stopping = manager.hear_until("STOPPING=1", PATIENCE)
        self.assertEqual(stopping.lines, ["STOPPING=1", "STATUS=draining"])
        self.assertEqual(daemon.wait(), 0)
        self.assertEqual([line for message in manager.messages for line in message.lines].count("READY=1"), 1)
        self.assertEqual(fed(manager.messages), [], "nobody watches")

    @unittest.skipUnless(SHIM, "no preloaded library under sanitizers")
    def test_no_ready_while_the_start_waits_for_the_disk(self):
        held = self.folder / "held"
        held.touch()
        manager = self.manager(WATCHDOG)
        daemon = self.watched(manager, wait=False, hold=held)
        manager.hear_until("STATUS=starting", PATIENCE)
        heard = [line for message in manager.hear_for(WATCHDOG) for line in message.lines]
        self.assertNotIn("READY=1", heard)
        self.assertNotIn("WATCHDOG=1", heard, "a start that hangs is not kept alive")
        self.assertIsNone(daemon.process.poll())
        held.unlink()
        manager.hear_until("READY=1", PATIENCE)
        self.assertEqual(self.client(daemon).health(), "SERVING")

    def test_without_a_manager_nothing_is_different(self):
        daemon = self.daemon(environment={"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "1000000"})
        self.assertEqual(self.client(daemon).health(), "SERVING")
        self.assertEqual(daemon.stop(), 0)

    def test_a_manager_that_is_gone_stops_nothing(self):
        manager = self.manager(WATCHDOG)
        daemon = self.watched(manager)
        manager.close()
        manager.path.unlink()
        self.assertEqual(self.client(daemon).health(), "SERVING")
        self.assertEqual(daemon.stop(), 0)


class Fed(WatchedTest):

    def assert_pace(self, manager, times):
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        self.assertLess(max(gaps), manager.watchdog / 2 + SLACK, gaps)

    def test_the_pace_and_that_probes_are_no_calls_of_users(self):
        manager = self.manager(WATCHDOG)
        daemon = self.watched(manager)
        manager.hear_until("READY=1", PATIENCE)
        commits = daemon.metric('consentd_store_commits_total')
        first = manager.hear_until("WATCHDOG=1", PATIENCE)
        heard = manager.hear_for(3 * WATCHDOG)
        self.assert_pace(manager, [first.at, *fed(heard), time.monotonic()])
        self.assertGreaterEqual(len(fed(heard)), 6 - 1)
        for counted in ("grpc_server_started_total", "grpc_server_handled_total", "consentd_caller_calls_total", "consentd_decisions_total", "consentd_asked_total"):
            self.assertEqual(daemon.metric_sum(counted), 0, counted)
        self.assertEqual(daemon.metric("consentd_connections"), 0)
        self.assertEqual(daemon.metric('consentd_store_commits_total'), commits)
        self.assertEqual([event["event"] for event in daemon.events() if event["event"].startswith("call ")], [])
        self.assertEqual(daemon.stop(), 0)

    def test_a_daemon_without_room_for_connections_is_fed(self):
        """All connections are taken by callers, and the daemon can still ask itself."""
        manager = self.manager(WATCHDOG)
        daemon = self.daemon(environment=manager.environment, open_files=256)
        most = int(daemon.metric("consentd_connections_max"))
        for _ in range(most):
            client = Client(daemon.address())
            self.addCleanup(client.close)
            try:
                client.settings.OptOut(opt_out("a"), timeout=PATIENCE)
            except grpc.RpcError:  # no room is left; the daemon's own count says so
                break
        until(lambda: daemon.metric("consentd_connections") >= most - 1, "all connections taken")
        manager.forget()
        heard = manager.hear_for(2 * WATCHDOG)
        self.assert_pace(manager, [*fed(heard), time.monotonic()])

    @unittest.skipUnless(SHIM, "no preloaded library under sanitizers")
    def test_an_overloaded_daemon_is_fed(self):
        """Syncs take as long as it needs until the queue of changes is full, again and again: calls are refused, and it lives."""
        held = self.folder / "held"
        manager = self.manager(4 * WATCHDOG)  # a busy machine may let a daemon wait for seconds; the unit's is a minute
        daemon = self.watched(manager, hold=held)
        clients = [Client(daemon.address()) for _ in range(40)]
        for client in clients:
            self.addCleanup(client.close)
        flood = Flood(clients)
        self.addCleanup(flood.end)
        manager.forget()
        refused_before, deadline = 0, time.monotonic() + 1.25 * manager.watchdog
        rounds = 0
        while time.monotonic() < deadline:
            held.touch()
            full = time.monotonic() + manager.watchdog / 8
            while flood.refused == refused_before and time.monotonic() < full:
                manager.hear(0.01)
            held.unlink()
            done = flood.done
            while flood.done == done:
                manager.hear(0.01)
            rounds += flood.refused > refused_before
            refused_before = flood.refused
        ended = time.monotonic()
        flood.end()
        self.assertGreater(rounds, 2, "it was overloaded again and again")
        times = fed(manager.messages)
        gaps = [later - earlier for earlier, later in zip(times, [*times[1:], ended])]
        self.assertLess(max(gaps), manager.watchdog, gaps)


class Flood:
    """Opt-outs on many connections, as many at once as they take, until the end."""

    def __init__(self, clients):
        self.done = self.refused = self.number = 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(client, name)) for name, client in enumerate(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, client, name):
        under_way = []
        number = 0
        while not self.stop.is_set():
            while len(under_way) < 125 and not self.stop.is_set():
                number += 1
                under_way.append(client.settings.OptOut.future(opt_out(f"{name}-{number}"), timeout=PATIENCE))
            under_way = [call for call in under_way if not self.ended(call)]
            self.stop.wait(0.005)
        for call in under_way:
            call.cancel()

    def ended(self, call):
        if not call.done():
            return False
        if call.code() == grpc.StatusCode.OK:
            self.done += 1
        elif call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
            self.refused += 1
        return True

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Killed(WatchedTest):

    def serves_what_was_acknowledged(self, manager, accounts):
        manager.forget()
        daemon = self.watched(manager)
        manager.hear_until("READY=1", PATIENCE)
        manager.hear_until("WATCHDOG=1", PATIENCE)
        api = self.client(daemon)
        for account in accounts:
            self.assertIn("REFUSED", reasons(api.eligibility.Check(check(account)).decision), account)
            shown = api.settings.GetSettings(settings.GetSettingsRequest(account_id=account))
            self.assertTrue(shown.settings.refused_all, account)
        self.assertEqual(daemon.stop(), 0)

    def test_a_stopped_process_is_missed_and_loses_nothing(self):
        manager = self.manager(WATCHDOG)
        daemon = self.watched(manager)
        self.client(daemon).settings.OptOut(opt_out("kept"))
        manager.hear_until("WATCHDOG=1", PATIENCE)
        daemon.signal(signal.SIGSTOP)
        manager.watch(patience=3 * WATCHDOG)
        self.assertEqual(manager.end(daemon.process), -signal.SIGABRT)
        self.assertIn("by SIGABRT from another process", daemon.log().splitlines()[-1])
        self.serves_what_was_acknowledged(manager, ["kept"])

    @unittest.skipUnless(SHIM, "no preloaded library under sanitizers")
    def test_one_whose_commits_hang_is_missed_and_loses_nothing(self):
        held = self.folder / "held"
        manager = self.manager(WATCHDOG)
        daemon = self.watched(manager, hold=held)
        api = self.client(daemon)
        for number in range(20):
            api.settings.OptOut(opt_out(f"kept-{number}"))
        manager.hear_until("WATCHDOG=1", PATIENCE)
        held.touch()
        pending = api.settings.OptOut.future(opt_out("pending"), timeout=PATIENCE)
        manager.watch(patience=4 * WATCHDOG)
        self.assertFalse(pending.done(), "nothing was acknowledged")
        self.assertEqual(api.health(), "SERVING", "checks are answered, and only the probe of commits tells")
        told = until(lambda: daemon.event("the daemon does not answer its own probe; the service manager ends it if it stays so"), "told")
        self.assertEqual((told["level"], told["waits_for"]), ("error", "commits"))
        threads = len(os.listdir(f"/proc/{daemon.process.pid}/task"))
        manager.hear_for(WATCHDOG)
        self.assertEqual(len(os.listdir(f"/proc/{daemon.process.pid}/task")), threads, "probes that do not return do not pile up")
        self.assertEqual(manager.end(daemon.process), -signal.SIGABRT)
        self.assertNotEqual(pending.code(), grpc.StatusCode.OK)
        held.unlink()
        self.serves_what_was_acknowledged(manager, [f"kept-{number}" for number in range(20)])

    @unittest.skipUnless(SHIM, "no preloaded library under sanitizers")
    def test_a_disk_that_hangs_is_missed_though_nobody_commits(self):
        held = self.folder / "held-head"
        manager = self.manager(WATCHDOG)
        daemon = self.watched(manager, hold=self.folder / "held")
        self.client(daemon).settings.OptOut(opt_out("kept"))
        manager.hear_until("WATCHDOG=1", PATIENCE)
        held.touch()
        manager.watch(patience=4 * WATCHDOG)
        self.assertEqual(manager.end(daemon.process), -signal.SIGABRT)
        held.unlink()
        self.serves_what_was_acknowledged(manager, ["kept"])

    @unittest.skipUnless(SHIM, "no preloaded library under sanitizers")
    def test_commits_that_go_on_are_fed_again(self):
        held = self.folder / "held"
        manager = self.manager(WATCHDOG)
        daemon = self.watched(manager, hold=held)
        api = self.client(daemon)
        manager.hear_until("WATCHDOG=1", PATIENCE)
        held.touch()
        pending = api.settings.OptOut.future(opt_out("pending"), timeout=PATIENCE)
        manager.watch(patience=4 * WATCHDOG)
        held.unlink()
        manager.hear_until("WATCHDOG=1", WATCHDOG)
        self.assertTrue(pending.result().refuses_future_purposes)


class Unit(unittest.TestCase):
    """The unit that is shipped, and systemd's own opinion of it."""

    UNIT = ROOT / "deploy" / "systemd" / "consentd.service"

    def test_it_is_watched(self):
        unit = dict(re.findall(r"^(\w+)=(.*)$", self.UNIT.read_text(), re.M))
        self.assertEqual((unit["Type"], unit["NotifyAccess"], unit["Restart"]), ("notify", "main", "always"))
        self.assertGreaterEqual(int(unit["WatchdogSec"]), 60)
        self.assertGreaterEqual(int(unit["TimeoutStartSec"]), 120, "what opens a store tells no progress")
        for words in ("WatchdogSec=60", "a quarter of WATCHDOG_USEC"):
            self.assertIn(words, (ROOT / "deploy" / "README.md").read_text() + (ROOT / "daemon" / "app" / "README.md").read_text())

    def analyze(self, *arguments):
        tool = systemd_tool("systemd-analyze")
        if tool is None:
            self.skipTest("systemd-analyze is not installed (Debian package systemd)")
        return subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE)

    def test_the_configuration_file_counts_beside_it(self):
        text = self.UNIT.read_text()
        self.assertNotRegex(text, r"(?m)^Environment(File)?=", "a variable would be stronger than the file")
        start = re.search(r"^ExecStart=(.*)$", text, re.M)[1].split()
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, "consentd.toml")
            variables = {"PATH": os.environ["PATH"], "HOME": folder, "STATE_DIRECTORY": os.path.join(folder, "state")}
            for data, socket in (("silent", "one"), ("says", "other")):
                with open(config, "w", encoding="utf-8") as file:
                    file.write(f'listen = ["unix:{folder}/{socket}/s"]\nmetrics-listen = "off"\nindex-max-subjects = 7\n')
                    file.write(f'data-dir = "{folder}/named"\n' if data == "says" else "")
                os.makedirs(variables["STATE_DIRECTORY"], exist_ok=True)
                command = [DAEMON, *(config if word == "/etc/consentd/consentd.toml" else word for word in start[1:])]
                with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as daemon:
                    until(lambda at=f"{folder}/{socket}/s", process=daemon: os.path.exists(at) or process.poll() is not None, "the socket or the end")
                    daemon.terminate()
                    output = daemon.communicate(timeout=PATIENCE)[0]
                self.assertEqual(daemon.returncode, 0, output)
                self.assertTrue(os.path.isdir(os.path.join(folder, "named" if data == "says" else "state/store")), output)

    def test_systemd_finds_no_fault(self):
        with tempfile.TemporaryDirectory() as folder:
            for comments in ("#", ""):  # as it is, and with the keys as a credential
                path = os.path.join(folder, "consentd.service")
                with open(path, "w", encoding="utf-8") as file:
                    text = self.UNIT.read_text().replace("/usr/bin/consentd", DAEMON)
                    file.write(re.sub(r"^#(?=LoadCredentialEncrypted)", comments, text, flags=re.M))
                done = self.analyze("verify", "--man=no", path)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done)

    def test_the_exposure_is_what_the_readme_says(self):
        done = self.analyze("security", "--offline=true", "--threshold=15", str(self.UNIT))
        self.assertEqual(done.returncode, 0, "over 1.5 of 10\n" + done.stdout + done.stderr)
        figure = re.search(r"Overall exposure level for consentd.service: ([\d.]+)", done.stdout)[1]
        self.assertIn(f"an exposure of {figure} of 10", (ROOT / "deploy" / "README.md").read_text())


if __name__ == "__main__":
    unittest.main()
