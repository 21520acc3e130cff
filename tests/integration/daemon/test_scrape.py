"""Every family that a scrape shows after one story: names, help, types, labels and, where the story decides them, values, against
what earlier versions showed, because dashboards and alerts rest on that. A family that is new has to be written down, too."""

import re
import unittest

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import hold_service_pb2 as holds
from consent.v1 import policy_service_pb2 as policy
from consent.v1 import purge_service_pb2 as purge
from consent.v1 import recording_service_pb2 as recordings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

from harness import DaemonTest, ROOT, refused, until
from words import check, household, opt_out, recording, turn_on, OFFICE

GOLDEN = ROOT / "tests" / "golden" / "scrape"
# Values that time, the machine or the number of tries decides.
VARIES = re.compile(r"process_|consentd_(rpc_|caller_calls|rocksdb_|index_bytes|store_commits|clock_offset|data_free|decision_log_bytes|connections|erasure|build_info|"
                    r"deletion_request_oldest|purge_task_oldest|system_retention_due|system_whole_sweep|deletion_completion_seconds_sum)")
# Labels that change with a version and a policy file.
NAMES_A_VERSION = re.compile(r'(consentd_build_info|consentd_policy_info)\{.*\}')


def shape(text):
    """The lines of a scrape in an order that does not depend on the daemon, without what varies."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            labels = re.findall(r'(\w+)="', series)
            series = NAMES_A_VERSION.sub(lambda found: f"{found.group(1)}{{{','.join(labels)}}}", series)
            line = f"{series} {'*' if VARIES.match(series) else value}"
        lines.append(line)
    return sorted(lines)


class Scrape(DaemonTest):

    def story(self):
        """Something of everything that is counted or read."""
        served = self.daemon()
        api = self.client(served)
        etag = api.subjects.UpsertSubject(household("s1")).revision
        api.settings.UpdateSettings(turn_on("s1", etag))
        api.settings.OptOut(opt_out("s2", evidence=types.Evidence(channel=types.CHANNEL_VOICE)))
        api.recordings.ReportRecording(recordings.ReportRecordingRequest(account_id="s1", recording_id="r9", flags=[types.FLAG_SAFETY]))
        items = [recording("s1", name=f"r{i}") for i in range(10)] + [recording("s3"), recording("")]
        api.eligibility.BatchCheck(eligibility.BatchCheckRequest(recordings=items, purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE))
        api.eligibility.Check(check("s1", region="UK"))
        refused(api.subjects.GetSubject, subject.GetSubjectRequest(account_id="nobody"))
        api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_ADVERTISING, region="DE", reason="test"))
        api.policies.Suspend(policy.SuspendRequest(purpose=types.PURPOSE_MODEL_TRAINING, reason="test"))
        for name in ("audio", "caches"):
            system = purge.DataSystem(name=name, kind=purge.DATA_SYSTEM_KIND_AUDIO, matches_by=[purge.MATCH_KEY_RECORDING_ID,
                                      purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_TIME], checks_on_ingest=True)
            if name == "audio":
                system.retention.sweep_days = 7
            api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=system))
        sweep = purge.Sweep(counts=purge.SweepCounts(kept=3, held=1, purged=2))
        sweep.started_at.GetCurrentTime()
        sweep.ended_at.CopyFrom(sweep.started_at)
        api.systems.ReportSweep(purge.ReportSweepRequest(system="audio", sweep=sweep))
        self.delete(api)
        hold = api.holds.PlaceHold(holds.PlaceHoldRequest(account_id="s2", selector=deletion.HoldSelector(account=True), authority="court",
                                                          reason="case")).hold
        self.assertTrue(hold.hold_id)
        return served

    def delete(self, api):
        """One request that ends, one that a system gives back, one that is denied, one that waits."""
        def ask(*ids, **more):
            selector = deletion.DeletionSelector(recordings=deletion.RecordingIds(recording_ids=ids))
            return api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(
                account_id="s1", selector=selector, requester=types.ACTOR_SELF, **more)).request

        done = ask("d1", verification=deletion.VERIFICATION_VERIFIED)
        for system in ("audio", "caches"):
            [task] = api.purges.LeaseTasks(purge.LeaseTasksRequest(system=system)).tasks
            wrong = purge.TaskResult(task_id=task.task_id, epoch=task.epoch + 7, outcome=deletion.PURGE_OUTCOME_NOT_FOUND)
            right = purge.TaskResult(task_id=task.task_id, epoch=task.epoch, outcome=deletion.PURGE_OUTCOME_ACKNOWLEDGED, erased_count=1)
            for result in (wrong, right):
                api.purges.CompleteTasks(purge.CompleteTasksRequest(system=system, results=[result]))
        until(lambda: api.deletions.GetDeletionRequest(deletion.GetDeletionRequestRequest(
            deletion_id=done.deletion_id)).request.state == deletion.DELETION_STATE_COMPLETED, "the request is COMPLETED")
        ask("d2", verification=deletion.VERIFICATION_VERIFIED)
        [task] = api.purges.LeaseTasks(purge.LeaseTasksRequest(system="audio")).tasks
        failure = purge.TaskFailure(task_id=task.task_id, epoch=task.epoch, error="disk")
        api.purges.FailTasks(purge.FailTasksRequest(system="audio", failures=[failure]))
        denied = ask("d3")
        api.deletions.DenyDeletionRequest(deletion.DenyDeletionRequestRequest(deletion_id=denied.deletion_id, reason="not shown"))
        ask("d4")

    def test_shows_all_that_it_showed_before(self):
        shown = shape(self.story().metrics())
        for golden in sorted(GOLDEN.glob("scrape-*.txt")):
            missing = [line for line in golden.read_text().splitlines() if line not in set(shown)]
            self.assertEqual(missing, [], f"{golden.name}: no longer shown as it was. All that is shown:\n" + "\n".join(shown))

    def test_what_it_shows_is_written_down(self):
        families = {line.split()[2] for line in self.story().metrics().splitlines() if line.startswith("# TYPE")}
        golden = "".join(file.read_text() for file in GOLDEN.glob("scrape-*.txt"))
        self.assertEqual([name for name in sorted(families) if f"# TYPE {name} " not in golden], [], "no line in tests/golden/scrape")

    def test_shows_nothing_twice(self):
        lines = self.story().metrics().splitlines()
        for found in ([line.rpartition(" ")[0] for line in lines if not line.startswith("#")],
                      [line.split()[2] for line in lines if line.startswith("# TYPE")]):
            self.assertEqual(sorted(found), sorted(set(found)))


if __name__ == "__main__":
    unittest.main()
