"""Caps of review grants on the real daemon: 64 callers at once, kill -9 in the middle, and never one grant too many."""

import concurrent.futures
import itertools
import json
import threading
import unittest

import grpc

from consent.v1 import review_service_pb2 as reviews
from consent.v1 import types_pb2 as types

from harness import DEFAULT_POLICY, DaemonTest, until
from words import household, OFFICE, recording, turn_on

CAP = 60
CALLERS = 64
KILLED_AT = (10, 25, 45)  # once so many were acknowledged
ACCOUNTS = CAP + CALLERS * (len(KILLED_AT) + 2)


class Caps(DaemonTest):

    def setUp(self):
        super().setUp()
        caps = json.loads(DEFAULT_POLICY.read_text())["review_caps"]
        caps[0]["rates"] = [{"countries": ["*"], "parts_per_million": 1_000_000}]
        caps[0]["per_reviewer_shift"] = CAP
        self.served = self.daemon("--policy", self.policy(version="caps", review_caps=caps))
        self.lock = threading.Lock()
        self.acknowledged, self.spent = [], 0
        self.accounts = itertools.count()

    def agree(self):
        api = self.client(self.served)

        def one(number):
            account = f"account-{number}"
            api.settings.UpdateSettings(turn_on(account, api.subjects.UpsertSubject(household(account)).revision))

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(one, range(ACCOUNTS)))

    def lease(self, api, stop):
        """Asks for one after another, each of another account, until told to stop, the daemon is gone, or the cap is spent."""
        while not stop.is_set():
            account = f"account-{next(self.accounts)}"
            asked = reviews.LeaseReviewsRequest(purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, reviewer="ben", selection=types.SELECTION_RANDOM,
                                                recordings=[recording(account)])
            try:
                result = api.reviews.LeaseReviews(asked, timeout=20).results[0]
            except grpc.RpcError:
                return
            with self.lock:
                if result.HasField("grant"):
                    self.acknowledged.append(result.grant.grant_id)
                    continue
                self.assertEqual(list(result.refusal.reasons), [types.REASON_CAP_SPENT], result)
                self.spent += 1
                return

    def callers(self, stop):
        apis = [self.client(self.served) for _ in range(8)]
        pool = concurrent.futures.ThreadPoolExecutor(CALLERS)
        return pool, [pool.submit(self.lease, apis[number % len(apis)], stop) for number in range(CALLERS)]

    def test_no_grant_too_many_wherever_the_daemon_dies(self):
        self.agree()
        for count in KILLED_AT:
            stop = threading.Event()
            pool, calls = self.callers(stop)
            until(lambda count=count: len(self.acknowledged) >= count, f"{count} grants")
            self.served.kill()
            stop.set()
            for call in calls:
                call.result()
            pool.shutdown()
            self.served.start()
        self.spent = 0  # some were told before the last death, which may have come after the last grant
        pool, calls = self.callers(threading.Event())
        for call in calls:
            call.result()
        pool.shutdown()
        self.assertEqual(self.spent, CALLERS, "each was told at last")
        self.assertEqual(len(set(self.acknowledged)), len(self.acknowledged))
        given = self.client(self.served).reviews.ListGrants(reviews.ListGrantsRequest(page_size=1000)).grants
        self.assertLessEqual(len(self.acknowledged), len(given))
        self.assertLessEqual(len(given), CAP)
        self.assertGreater(len(given), KILLED_AT[-1])


if __name__ == "__main__":
    unittest.main()
