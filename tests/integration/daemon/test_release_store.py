"""The store of the last release with its restriction journal, as tests/golden/release/store.tar.xz keeps it, opens in this build and says what it said.

CONSENT_WRITE_GOLDEN=1 writes it anew, which a release does, and every change of a format until the first one.
"""

import datetime
import os
import tarfile
import unittest

from google.protobuf import timestamp_pb2
from harness import PATIENCE, ROOT, DaemonTest, run_to_end
from words import check, fresh_id, household, opt_out, reasons, turn_on

from consent.v1 import deletion_service_pb2 as deletion
from consent.v1 import key_service_pb2 as keys
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

KEPT = ROOT / "tests" / "golden" / "release" / "store.tar.xz"
PARTS = ("data", "data.key", "data.head", "data.decisions", "journal", "backup.public")
MOST_BYTES = 200_000


class Kept(DaemonTest):

    def opened(self):
        # Whoever opens it after weeks has to vouch for the clock.
        return self.daemon("--accept-clock", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M"), *self.journal())

    def journal(self):
        return "--restriction-journal", self.folder / "journal", "--backup-public-key", self.folder / "backup.public"

    def live(self, api):
        api.settings.OptOut(opt_out("refused"), timeout=PATIENCE)
        api.subjects.UpsertSubject(household("agreed"), timeout=PATIENCE)
        etag = api.settings.GetSettings(settings.GetSettingsRequest(account_id="agreed"), timeout=PATIENCE).etag
        api.settings.UpdateSettings(turn_on("agreed", etag), timeout=PATIENCE)
        api.subjects.UpsertSubject(household("gone"), timeout=PATIENCE)
        api.deletions.CreateDeletionRequest(deletion.CreateDeletionRequestRequest(account_id="gone", selector=deletion.DeletionSelector(everything=True), requester=types.ACTOR_SELF,
                                                                                 verification=deletion.VERIFICATION_VERIFIED, request_id=fresh_id()), timeout=PATIENCE)

    def write(self):
        made = run_to_end("keys", "backup-pair", self.folder / "backup.secret")
        (self.folder / "backup.public").write_text(made.out)
        daemon = self.daemon(*self.journal())
        self.live(self.client(daemon))
        self.assertEqual(daemon.stop(), 0)
        with tarfile.open(KEPT, "w:xz") as archive:
            for part in PARTS:
                archive.add(self.folder / part, part)

    def test_it_opens_and_says_what_it_said(self):
        if os.environ.get("CONSENT_WRITE_GOLDEN"):
            self.write()
        self.assertLess(KEPT.stat().st_size, MOST_BYTES)
        with tarfile.open(KEPT) as archive:
            archive.extractall(self.folder)
        for part in (self.folder, *self.folder.rglob("*")):
            os.chown(part, os.geteuid(), os.getegid())
        kept = run_to_end("journal", "verify", self.folder / "journal")
        self.assertEqual(kept.code, 0, kept.err)
        for line in ("  opt_out 1", "  upsert_subject 2", "  deletion_received 1"):
            self.assertIn(line, kept.out.splitlines())
        api = self.client(self.opened())
        self.assertIn("REFUSED", reasons(api.eligibility.Check(check("refused"), timeout=PATIENCE).decision))
        before = timestamp_pb2.Timestamp()
        before.FromJsonString("2026-11-01T12:00:00Z")
        gone = api.eligibility.Check(check("gone", captured=before), timeout=PATIENCE).decision
        self.assertEqual(gone.disposition, types.DISPOSITION_PURGE, gone)
        self.assertEqual([profile.profile_id for profile in api.subjects.GetSubject(subject.GetSubjectRequest(account_id="agreed"), timeout=PATIENCE).profiles], ["anna"])
        history = api.settings.ListSettingsHistory(settings.ListSettingsHistoryRequest(account_id="agreed"), timeout=PATIENCE)
        self.assertEqual(len(history.entries), 2)
        requests = api.deletions.ListDeletionRequests(deletion.ListDeletionRequestsRequest(account_id="gone"), timeout=PATIENCE)
        self.assertEqual(len(requests.requests), 1)
        self.assertEqual(api.keys.GetKeys(keys.GetKeysRequest(), timeout=PATIENCE).keys.master_keys, [1])


if __name__ == "__main__":
    unittest.main()
