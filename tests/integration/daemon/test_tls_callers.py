"""Who may do what over TLS: the callers' file against certificates, on the real daemon."""

import json
import signal
import unittest

import grpc

from consent.v1 import policy_service_pb2 as policies
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types

import test_tls
from certificates import DAY
from harness import PATIENCE, decode_error, until
from words import opt_out


class CallersTest(test_tls.TlsTest):
    """A daemon with a callers' file, and clients whose certificates it names."""

    def entries(self, *callers):
        path = self.folder / "callers.json"
        path.write_text(json.dumps({"callers": [
            {"name": name, "identities": [f"spiffe://example.org/{name}"], "roles": [f"ROLE_{role}"], "max_certificate_hours": 72, **more}
            for name, role, more in callers]}))
        return path

    def shown(self, name, **times):
        return self.api(self.callers.issue(f"URI:spiffe://example.org/{name}", **times))

    def outcome(self, call, request):
        try:
            call(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            return decode_error(error).reason
        return "OK"

    ALL = (("backend", "BACKEND", {}), ("sampler", "SAMPLER", {}), ("auditor", "AUDITOR", {}), ("operator", "OPERATOR", {}), ("officer", "OFFICER", {}),
           ("purger", "PURGER", {"systems": ["audio"]}))

    def serve_callers(self, *callers):
        path = self.entries(*callers)
        original = self.options
        self.options = lambda: [*original(), "--callers", str(path)]
        self.serve()


class Callers(CallersTest):
    """What the callers' file gives to whom, over TLS; and that it is asked for each call."""

    def test_each_role_has_its_rights_and_no_more(self):
        self.serve_callers(*self.ALL)
        tasks = purge.ListTasksRequest(system="audio")
        wanted = {  # opts out, reads settings, suspends, lists tasks of its system
            "backend": ("OK", "OK", "ROLE_REQUIRED", "ROLE_REQUIRED"), "sampler": ("ROLE_REQUIRED", "ROLE_REQUIRED", "ROLE_REQUIRED", "ROLE_REQUIRED"),
            "auditor": ("ROLE_REQUIRED", "OK", "ROLE_REQUIRED", None), "operator": ("ROLE_REQUIRED", "ROLE_REQUIRED", None, None),
            "officer": (None, None, "OK", None), "purger": ("ROLE_REQUIRED", "ROLE_REQUIRED", "ROLE_REQUIRED", None)}
        for name, outcomes in wanted.items():
            api = self.shown(name)
            asked = ((api.settings.OptOut, opt_out("a")), (api.settings.GetSettings, settings.GetSettingsRequest(account_id="a")),
                     (api.policies.Suspend, policies.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, reason="test")), (api.purges.ListTasks, tasks))
            for (call, request), outcome in zip(asked, outcomes):
                with self.subTest(name=name, request=type(request).__name__):
                    seen = self.outcome(call, request)
                    self.assertTrue(outcome is None or seen == outcome, seen)

    def test_a_purger_sees_its_own_systems_alone(self):
        self.serve_callers(*self.ALL)
        api = self.shown("purger")
        calls = ((api.purges.ListTasks, purge.ListTasksRequest), (api.purges.LeaseTasks, purge.LeaseTasksRequest), (api.purges.CompleteTasks, purge.CompleteTasksRequest),
                 (api.purges.FailTasks, purge.FailTasksRequest), (api.purges.RenewTasks, purge.RenewTasksRequest), (api.purges.RetryTasks, purge.RetryTasksRequest))
        for call, request in calls:
            with self.subTest(request=request.__name__):
                self.assertEqual(self.outcome(call, request(system="other")), "SYSTEM_NOT_YOURS")
                self.assertNotEqual(self.outcome(call, request(system="audio")), "SYSTEM_NOT_YOURS")

    def test_access_ends_with_the_entry_on_the_open_connection(self):
        self.serve_callers(*self.ALL)
        api = self.shown("backend")
        self.assertEqual(self.outcome(api.settings.OptOut, opt_out("a")), "OK")
        self.entries(*self.ALL[1:])
        self.served.signal(signal.SIGHUP)
        until(lambda: self.outcome(api.settings.OptOut, opt_out("a")) == "CALLER_UNKNOWN", "the entry is gone")

    def test_a_certificate_of_too_long_a_life_is_none(self):
        self.serve_callers(*self.ALL)
        self.assertEqual(self.outcome(self.shown("backend", ends=3 * DAY).settings.OptOut, opt_out("a")), "CERTIFICATE_NOT_ACCEPTED")
        self.assertEqual(self.outcome(self.shown("nobody").settings.OptOut, opt_out("a")), "CALLER_UNKNOWN")


if __name__ == "__main__":
    unittest.main()
