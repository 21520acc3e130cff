"""A review that is submitted after an opt-out, on the real daemon: the draft is a purge task of the annotation systems, and nothing else of the recording is."""

import hashlib
import unittest

import grpc

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import review_service_pb2 as reviews
from consent.v1 import types_pb2 as types

from decision_hosts import CTL, Host, ctl
from harness import DaemonTest, decode_error, until
from words import OFFICE, household, opt_out, recording, turn_on

SYSTEMS = {"audio": purge.DATA_SYSTEM_KIND_AUDIO, "queue": purge.DATA_SYSTEM_KIND_ANNOTATION_QUEUE, "annotations": purge.DATA_SYSTEM_KIND_ANNOTATIONS}
DRAFT = deletion.DELETION_SELECTOR_KIND_DRAFT
WORK_LEFT = 40


@unittest.skipUnless(CTL, "consentctl is not built")
class LateDrafts(DaemonTest):

    def setUp(self):
        super().setUp()
        self.host = Host(self.folder / "a", "--policy", self.many_reviews_policy())
        self.addCleanup(self.host.daemon.kill)
        self.api = self.client(self.host.daemon.start())
        for name, kind in SYSTEMS.items():
            self.api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=purge.DataSystem(
                name=name, kind=kind, matches_by=[purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_RECORDING_ID], checks_on_ingest=True)))
        self.api.settings.UpdateSettings(turn_on("ann", self.api.subjects.UpsertSubject(household("ann")).revision))

    def lease(self, name, reviewer):
        asked = reviews.LeaseReviewsRequest(purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, reviewer=reviewer, selection=types.SELECTION_RANDOM,
                                            recordings=[recording("ann", name=name)])
        [result] = self.api.reviews.LeaseReviews(asked).results
        self.assertEqual(result.WhichOneof("result"), "grant", result)
        return {"grant_id": result.grant.grant_id, "fence": result.grant.fence}

    def hear(self, grant):
        token = self.api.reviews.OpenMedia(reviews.OpenMediaRequest(**grant, audience="audio")).media_token
        self.api.reviews.RedeemMedia(reviews.RedeemMediaRequest(system="audio", media_token=token))

    def submit(self, grant, text):
        """The cause of a refusal; empty: it was taken."""
        digest = hashlib.sha256((grant["grant_id"] + text).encode()).digest()
        try:
            self.api.reviews.SubmitReview(reviews.SubmitReviewRequest(**grant, digest=digest))
        except grpc.RpcError as error:
            known = decode_error(error)
            self.assertEqual(known.reason, "GRANT_ENDED", known)
            return digest, known.metadata["cause"]
        return digest, ""

    def tasks(self, system, accepts=(DRAFT,)):
        return list(self.api.purges.LeaseTasks(purge.LeaseTasksRequest(system=system, max_tasks=100, accepts=accepts)).tasks)

    def requests(self):
        listed = self.api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(account_id="ann", causes=[deletion.DELETION_CAUSE_LATE_DRAFT]))
        return list(listed.requests)

    def test_what_comes_after_an_opt_out_is_purged_and_what_came_before_is_not(self):
        early, late = self.lease("r1", "lea"), self.lease("r2", "tom")
        self.hear(early)
        self.hear(late)
        kept, cause = self.submit(early, "turn on the light")
        self.assertEqual(cause, "")
        self.api.settings.OptOut(opt_out("ann"))
        digest, cause = self.submit(late, "turn on the light")
        self.assertEqual(cause, "SUBJECT_CHANGED")
        for _ in range(2):
            self.assertEqual(self.submit(late, "turn on the light")[1], cause, "the answer got lost")
        [made] = self.requests()
        self.assertEqual((made.selector.draft.recording_id, made.selector.draft.digest, made.account_id), ("r2", digest, "ann"))
        self.assertEqual({part.system for part in made.progress}, {"queue", "annotations"})
        self.assertNotEqual(digest, kept)

        self.assertEqual([task.selector.WhichOneof("kind") for task in self.tasks("annotations", ()) if task.cause == deletion.DELETION_CAUSE_LATE_DRAFT], [],
                         "a worker that does not say that it knows drafts gets none")
        self.assertEqual(self.tasks("audio"), [])
        for system in ("queue", "annotations"):
            [task] = self.tasks(system)
            self.assertEqual((task.account_id, task.cause), ("ann", deletion.DELETION_CAUSE_LATE_DRAFT))
            self.assertEqual((task.selector.draft.recording_id, task.selector.draft.digest), ("r2", digest))
            self.assertFalse(task.HasField("covers"))
            result = purge.TaskResult(task_id=task.task_id, epoch=task.epoch, outcome=deletion.PURGE_OUTCOME_ACKNOWLEDGED, erased_count=1)
            [answer] = self.api.purges.CompleteTasks(purge.CompleteTasksRequest(system=system, results=[result])).answers
            self.assertTrue(answer.accepted, answer)
            self.assertEqual(self.tasks(system), [])
        self.eventually_completed(made.deletion_id)
        self.submit(late, "turn on the light")
        self.assertEqual(len(self.requests()), 1)

    def eventually_completed(self, deletion_id):
        def state():
            return self.api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(deletion_id=deletion_id)).request.state

        until(lambda: state() == deletion.DELETION_STATE_COMPLETED, "the request is completed")

    def test_a_kill_after_the_refusal_loses_nothing_and_the_command_is_handed_the_digest(self):
        late = self.lease("r2", "tom")
        self.api.settings.OptOut(opt_out("ann"))
        digest, _ = self.submit(late, "turn on the light")
        self.host.daemon.kill()
        self.api = self.client(self.host.daemon.start())
        self.assertEqual(self.submit(late, "turn on the light")[1], "SUBJECT_CHANGED")
        [made] = self.requests()
        told, _ = ctl([self.host], "requests", "show", made.deletion_id)
        self.assertEqual(told["request"]["cause"], "LATE_DRAFT")
        self.assertEqual(told["request"]["selector"], {"kind": "draft", "recording_id": "r2", "digest": digest.hex()})
        script = self.folder / "purge"
        script.write_text(f'#!/bin/sh\necho "$CONSENT_SELECTOR $CONSENT_RECORDING_IDS $CONSENT_DIGEST" > {self.folder}/handed\necho 1\n')
        script.chmod(0o755)
        for system in ("queue", "annotations"):
            counts, _ = ctl([self.host], "worker", system, "--once", "--accepts", "draft", "--", str(script), codes=(WORK_LEFT,))  # of the opt-out
            self.assertEqual(counts["done"], 1, counts)
            self.assertEqual((self.folder / "handed").read_text(), f"draft r2 {digest.hex()}\n")
        self.eventually_completed(made.deletion_id)


if __name__ == "__main__":
    unittest.main()
