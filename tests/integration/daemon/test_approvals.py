"""What takes two persons, against the real daemon: two certificates over TLS, two users on a Unix socket, and nobody in particular over TCP.

TEST_CTL is the consentctl with which users of the machine come.
"""

import grp
import json
import os
import shutil
import stat
import subprocess
import unittest

from consent.v1 import approval_service_pb2 as approvals
from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import policy_service_pb2 as policies
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import types_pb2 as types

import test_tls
from harness import DEFAULT_POLICY, DaemonTest, refused
from words import fresh_id, household

ANNA, BEN = 20_001, 20_002  # users that need no entry anywhere
PROOF = types.Evidence(channel=types.CHANNEL_SUPPORT, actor=types.ACTOR_SYSTEM)
DONE, REFUSED, PROPOSED = 0, 21, 42


def looser_policy():
    return json.dumps({**json.loads(DEFAULT_POLICY.read_text()), "version": "looser", "longest_answer_age_seconds": 301})


LOOSENS = "longest_answer_age_seconds: 300 becomes 301"


class Acts:
    """The three acts, ready to be asked for; `api` makes them ready."""

    def __init__(self, api):
        self.api = api
        self.suspended = api.policies.Suspend(policies.SuspendRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="an incident")).suspension
        api.subjects.UpsertSubject(household("held"))
        self.hold = api.holds.PlaceHold(holds.PlaceHoldRequest(account_id="held", selector=deletion.HoldSelector(account=True), authority="a court",
                                                               reason="a case", request_id=fresh_id())).hold

    def requests(self):
        """By name: the method of a client, and what to send."""
        return {
            "resume": (lambda api: api.policies.Resume,
                       policies.ResumeRequest(purpose=types.PURPOSE_HUMAN_REVIEW, reason="over", etag=self.suspended.etag)),
            "release": (lambda api: api.holds.ReleaseHold,
                        holds.ReleaseHoldRequest(hold_id=self.hold.hold_id, etag=self.hold.etag, authority="a court", reason="settled",
                                                 request_id=fresh_id(), evidence=PROOF)),
            "activate": (lambda api: api.policies.ActivatePolicy,
                         policies.ActivatePolicyRequest(policy_json=looser_policy().encode(), loosens=[LOOSENS])),
        }

    def ask(self, api, act):
        method, request = self.requests()[act]
        return method(api)(request).proposal

    def refusal(self, api, act):
        method, request = self.requests()[act]
        return refused(method(api), request)

    def is_done(self, act):
        current = self.api.policies.GetPolicy(policies.GetPolicyRequest())
        if act == "resume":
            return not current.suspensions[-1].active
        if act == "activate":
            return current.policy.version == "looser"
        return not self.api.holds.ListHolds(holds.ListHoldsRequest(account_id="held")).holds

    def names(self, act):
        """Who proposed and who approved, as history has it."""
        current = self.api.policies.GetPolicy(policies.GetPolicyRequest())
        if act == "resume":
            return current.suspensions[-1].proposed_by, current.suspensions[-1].changed_by
        if act == "activate":
            listed = self.api.policies.ListPolicies(policies.ListPoliciesRequest()).policies[0]
            return listed.proposed_by, listed.activated_by
        entries = self.api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id="held")).entries
        released = next(entry for entry in entries if entry.kind == settings.CHANGE_KIND_HOLD_RELEASED)
        return released.proposed_by, released.approved_by


def approve(proposal):
    return approvals.ApproveProposalRequest(proposal_id=proposal.proposal_id)


class OverTls(test_tls.TlsTest):

    CALLERS = {"anna": ["anna"], "ben": ["ben"], "team": ["team/1", "team/2"]}

    def setUp(self):
        super().setUp()
        entries = [{"name": name, "identities": [f"spiffe://example.org/{identity}" for identity in identities], "roles": ["ROLE_OFFICER"],
                    "max_certificate_hours": 8760} for name, identities in self.CALLERS.items()]
        path = self.folder / "callers.json"
        path.write_text(json.dumps({"callers": entries}))
        self.options = lambda original=self.options: [*original(), "--callers", str(path)]
        self.serve()
        self.local = self.client(self.served)
        self.people = {identity: self.api(self.callers.issue(f"URI:spiffe://example.org/{identity}"))
                       for identities in self.CALLERS.values() for identity in identities}

    def test_one_certificate_or_one_entry_is_one_person(self):
        acts = Acts(self.local)
        for act in acts.requests():
            with self.subTest(act):
                proposal = acts.ask(self.people["team/1"], act)
                self.assertEqual((proposal.state, proposal.proposed_by), (approvals.PROPOSAL_STATE_OPEN, "team"))
                open_ones = [self.served.metric(f'consentd_approvals_open{{act="{name}"}}') for name in ("resume", "release_hold", "activate_policy")]
                self.assertEqual(sorted(open_ones), [0, 0, 1])
                for name, why in (("team/1", "same_caller"), ("team/2", "same_caller")):
                    error = refused(self.people[name].approvals.ApproveProposal, approve(proposal))
                    self.assertEqual((error.reason, error.metadata["why"]), ("OTHER_PERSON_REQUIRED", why))
                error = refused(self.local.approvals.ApproveProposal, approve(proposal))
                self.assertEqual((error.reason, error.metadata["why"]), ("OTHER_PERSON_REQUIRED", "other_way"))
                self.assertEqual(acts.ask(self.people["ben"], act).proposal_id, proposal.proposal_id, "to propose it, too, approves nothing")
                self.assertFalse(acts.is_done(act))
                self.assertEqual(self.people["ben"].approvals.ApproveProposal(approve(proposal)).proposal.state, approvals.PROPOSAL_STATE_DONE)
                self.assertTrue(acts.is_done(act))
                self.assertEqual(acts.names(act), ("team", "ben"))
        self.assertEqual(self.served.metric_sum("consentd_approvals_open"), 0)
        told = [(event["act"], event["state"], event["proposed_by"], event["decided_by"]) for event in self.served.events() if event["event"] == "proposal"]
        self.assertEqual(told, [(act, state, "team", decided) for act in ("resume", "release hold", "activate policy")
                                for state, decided in (("OPEN", ""), ("APPROVED", "ben"), ("DONE", "ben"))])

    def test_a_withdrawn_one_is_done_by_nobody_and_a_restart_keeps_the_others(self):
        acts = Acts(self.local)
        withdrawn = acts.ask(self.people["anna"], "resume")
        kept = acts.ask(self.people["anna"], "release")
        self.people["ben"].approvals.WithdrawProposal(approvals.WithdrawProposalRequest(proposal_id=withdrawn.proposal_id))
        self.assertEqual(refused(self.people["ben"].approvals.ApproveProposal, approve(withdrawn)).reason, "PROPOSAL_STATE")
        self.assertEqual(self.served.stop(), 0)
        self.served.start()
        self.local = self.client(self.served)
        acts = Acts(self.local)
        listed = self.local.approvals.ListProposals(approvals.ListProposalsRequest(include_ended=True)).proposals
        self.assertEqual([(one.proposal_id, one.state) for one in listed], [(kept.proposal_id, approvals.PROPOSAL_STATE_OPEN),
                                                                          (withdrawn.proposal_id, approvals.PROPOSAL_STATE_WITHDRAWN)])
        self.assertFalse(acts.is_done("resume") or acts.is_done("release"))


class OverTcp(DaemonTest):

    def test_nobody_in_particular_proposes_and_approves_nothing(self):
        served = self.daemon("--listen", f"unix:{self.folder}/run/consentd.sock", "--listen", "127.0.0.1:0")
        address = next(one for one in served.wait_for("listening")["address"].split() if not one.startswith("unix:"))
        local = self.client(served)
        acts = Acts(local)
        over_tcp = type(local)(address)
        self.addCleanup(over_tcp.close)
        for act in acts.requests():
            error = acts.refusal(over_tcp, act)
            self.assertEqual((error.reason, error.metadata["why"]), ("OTHER_PERSON_REQUIRED", "unknown"))
            error = refused(over_tcp.approvals.ApproveProposal, approve(acts.ask(local, act)))
            self.assertEqual((error.reason, error.metadata["why"]), ("OTHER_PERSON_REQUIRED", "unknown"))
            self.assertFalse(acts.is_done(act))


@unittest.skipUnless(os.geteuid() == 0, "becomes other users")
class Users(DaemonTest):

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o711)
        self.group = grp.getgrnam("users")
        run = self.folder / "run"
        run.mkdir(mode=0o750)
        os.chown(run, 0, self.group.gr_gid)
        self.programs = self.folder / "programs"
        self.programs.mkdir(mode=0o755)
        shutil.copy(os.environ["TEST_CTL"], self.programs / "consentctl")
        self.policy_file = self.programs / "looser.json"
        self.policy_file.write_text(looser_policy())
        for path in self.programs.iterdir():
            path.chmod(path.stat().st_mode | stat.S_IROTH | (stat.S_IXOTH if path.name == "consentctl" else 0))
        self.served = self.daemon("--listen", f"unix:{run}/consentd.sock,group={self.group.gr_name},name=officers")
        self.local = self.client(self.served)

    def ctl(self, user, *arguments, code=DONE, text=False):
        done = subprocess.run([self.programs / "consentctl", "--endpoint", self.served.address(), *(() if text else ("--json",)), *arguments],
                              user=user, group=self.group.gr_gid, extra_groups=[], capture_output=True, text=True, timeout=60, check=False, cwd="/")
        self.assertEqual(done.returncode, code, done)
        return done.stdout if text or not done.stdout else json.loads(done.stdout)

    def commands(self, acts):
        return {
            "resume": ("policy", "resume", "human-review", "--reason", "over", "--etag", acts.suspended.etag),
            "release": ("holds", "release", acts.hold.hold_id, "--etag", acts.hold.etag, "--authority", "a court", "--reason", "settled",
                        "--channel", "support", "--actor", "system"),
            "activate": ("policy", "activate", str(self.policy_file), "--loosens", LOOSENS),
        }

    def test_another_user_approves(self):
        acts = Acts(self.local)
        for act, command in self.commands(acts).items():
            with self.subTest(act):
                proposal = self.ctl(ANNA, *command, code=PROPOSED)["proposal"]
                self.assertEqual((proposal["state"], proposal["proposed_by"]), ("OPEN", f"officers (user {ANNA})"))
                told = self.ctl(ANNA, *command, code=PROPOSED, text=True)
                self.assertIn(f"consentctl approvals approve {proposal['proposal_id']}", told)
                self.assertIn("another user", told)
                self.ctl(ANNA, "approvals", "approve", proposal["proposal_id"], code=REFUSED)
                self.assertFalse(acts.is_done(act))
                self.assertEqual([one["proposal_id"] for one in self.ctl(BEN, "approvals", "list")["proposals"]], [proposal["proposal_id"]])
                shown = self.ctl(BEN, "approvals", "show", proposal["proposal_id"])
                if act == "activate":
                    self.assertEqual((shown["loosens"], shown["policy_json"]), ([LOOSENS], looser_policy()))
                self.assertEqual(self.ctl(BEN, "approvals", "approve", proposal["proposal_id"])["proposal"]["state"], "DONE")
                self.assertTrue(acts.is_done(act))
                self.assertEqual(acts.names(act), (f"officers (user {ANNA})", f"officers (user {BEN})"))
        self.assertEqual(self.ctl(BEN, "approvals", "list")["proposals"], [])

    def test_to_withdraw_takes_one(self):
        acts = Acts(self.local)
        proposal = self.ctl(ANNA, *self.commands(acts)["resume"], code=PROPOSED)["proposal"]
        self.assertEqual(self.ctl(BEN, "approvals", "withdraw", proposal["proposal_id"])["proposal"]["state"], "WITHDRAWN")
        self.ctl(BEN, "approvals", "approve", proposal["proposal_id"], code=REFUSED)
        self.assertEqual(self.ctl(BEN, "approvals", "list", "--all")["proposals"][0]["decided_by"], f"officers (user {BEN})")


if __name__ == "__main__":
    unittest.main()
