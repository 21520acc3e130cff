"""What a review tool is told identifies nobody: two reviewers who put together all that they were given learn nothing of who was heard.

Each person is heard once by each of two reviewers, who get people in orders of their own. What both were given for the same person is held
against what they were given for two: no value comes twice, no field is more alike, and none goes with the time of the recording.
CONSENT_REVIEW_GRANTS: how many grants; CONSENT_TEST_SEED: the order of the people.
"""

import base64
import os
import random
import statistics
import unittest

from consent.v1 import purge_service_pb2 as purge
from consent.v1 import review_service_pb2 as reviews
from consent.v1 import types_pb2 as types

from harness import DaemonTest
from words import OFFICE, ago, household, recording, turn_on

GRANTS = int(os.environ.get("CONSENT_REVIEW_GRANTS", "1200"))
SEED = int(os.environ.get("CONSENT_TEST_SEED", "1"))
AT_ONCE = 10
SHIFT = 5000     # recordings for each name, of which a policy allows 10,000 a shift
WINDOW = 5     # bytes; that two random places are alike is one in a million million
SIGMAS = 5     # chance exceeds it once in two million
REVIEWERS = ("listener-one", "listener-two")
NAMES = (b"person-", b"take-", b"listener-", b"anna", b"kitchen")


def raw(text):
    """The bytes that a text of hexadecimal digits or base64url stands for; its own where it is neither."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return text.encode()


def told(grant, opened):
    """All that a tool learns of one grant, field by field."""
    return {"grant_id": raw(grant.grant_id), "fence": grant.fence.to_bytes(8, "big"), "pseudonym": raw(grant.pseudonym), "media_handle": raw(grant.media_handle),
            "expires_at": grant.expires_at.ToMicroseconds().to_bytes(8, "big"), "media_token": raw(opened.media_token),
            "not_after": opened.not_after.ToMicroseconds().to_bytes(8, "big")}


def windows(fields):
    return {value[i:i + WINDOW] for value in fields.values() for i in range(len(value) - WINDOW + 1)}


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    places = [0] * len(values)
    for place, index in enumerate(order):
        places[index] = place
    return places


def correlation(left, right):
    """Of the ranks of two lists; without variation there is none."""
    if len(set(left)) < 2 or len(set(right)) < 2:
        return 0.0
    return statistics.correlation(ranks(left), ranks(right))


def what_joins(first, second, captured):
    """Names each way in which grants of one person can be told from those of two: both are lists by person, `captured` when each was recorded."""
    ways = []
    count = len(first)
    apart = second[1:] + second[:1]  # each beside the next person's
    alike = [len(windows(a) & windows(b)) for a, b in zip(first, second)]
    by_chance = [len(windows(a) & windows(b)) for a, b in zip(first, apart)]
    noise = (statistics.pvariance(alike) + statistics.pvariance(by_chance)) ** 0.5 / count ** 0.5
    if abs(statistics.fmean(alike) - statistics.fmean(by_chance)) > SIGMAS * noise:
        ways.append(f"bytes: {statistics.fmean(alike)} places alike, {statistics.fmean(by_chance)} by chance")
    for field in first[0]:
        same = sum(a[field] == b[field] for a, b in zip(first, second))
        chance = sum(a[field] == b[field] for a, b in zip(first, apart))
        if abs(same - chance) > SIGMAS * (same + chance) ** 0.5:
            ways.append(f"{field}: {same} of {count} the same, {chance} by chance")
        for what, left, right in (("the other reviewer's", first, second), ("the recording's time", first, None), ("the recording's time", second, None)):
            values = captured if right is None else [one[field] for one in right]
            if abs(correlation([one[field] for one in left], values)) > SIGMAS / count ** 0.5:
                ways.append(f"{field}: goes with {what}")
    return ways


class NothingIdentifies(DaemonTest):
    AUDIENCE = {"name": "audio"}

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.api = self.client(self.daemon("--policy", self.many_reviews_policy()))
        self.api.systems.RegisterDataSystem(purge.RegisterDataSystemRequest(system=purge.DataSystem(
            **self.AUDIENCE, kind=purge.DATA_SYSTEM_KIND_AUDIO, checks_on_ingest=True,
            matches_by=[purge.MATCH_KEY_ACCOUNT, purge.MATCH_KEY_RECORDING_ID])))
        self.people = [f"person-{number:06}" for number in range(GRANTS // 2)]
        self.captured = [self.random.randrange(3600, 20 * 86400) for _ in self.people]  # seconds ago
        for person in self.people:
            registered = self.api.subjects.UpsertSubject(household(person))
            self.api.settings.UpdateSettings(turn_on(person, registered.revision))

    def hear(self, number, reviewer):
        """What the reviewer's tool is told of each person, in the order of people; they are asked for in an order of its own."""
        order = list(range(len(self.people)))
        self.random.shuffle(order)
        heard = [None] * len(order)
        for begin in range(0, len(order), AT_ONCE):
            some = order[begin:begin + AT_ONCE]
            answer = self.api.reviews.LeaseReviews(reviews.LeaseReviewsRequest(
                purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, reviewer=f"{reviewer}-{begin // SHIFT}", selection=types.SELECTION_RANDOM,
                recordings=[recording(self.people[one], name=f"take-{number}-{one:06}", captured=ago(seconds=self.captured[one])) for one in some]))
            self.replies.append(answer.SerializeToString())
            for one, result in zip(some, answer.results):
                self.assertTrue(result.HasField("grant"), result)
                opened = self.api.reviews.OpenMedia(reviews.OpenMediaRequest(grant_id=result.grant.grant_id, fence=result.grant.fence, audience=self.AUDIENCE["name"]))
                heard[one] = told(result.grant, opened)
        return heard

    def test_two_reviewers_together_learn_nothing(self):
        self.replies = []
        first, second = (self.hear(number, reviewer) for number, reviewer in enumerate(REVIEWERS))
        for name in NAMES:
            for reply in self.replies:
                self.assertNotIn(name, reply)
            for one in first + second:
                for field, value in one.items():
                    self.assertNotIn(name, value, field)
        for field in ("grant_id", "pseudonym", "media_handle", "media_token"):
            self.assertEqual(len({one[field] for one in first + second}), len(first) + len(second), field)
        self.assertEqual(what_joins(first, second, self.captured), [], f"seed {SEED}")
        self.show_what_would_be_found(first, second)

    def show_what_would_be_found(self, first, second):
        """One thing at a time that names the person, put into what was told, is found."""
        count = len(self.people)
        bad = {
            "a pseudonym of the person": lambda reviewer, number: {"pseudonym": (number * 2654435761 % 2 ** 32).to_bytes(16, "big")},
            "half a handle within the token": lambda reviewer, number: {"media_token": random.Random(number).randbytes(8) + [first, second][reviewer][number]["media_token"]},
            "a partition beside the id": lambda reviewer, number: {"fence": (number * 7919 % 16).to_bytes(8, "big")},
            "the time of the recording": lambda reviewer, number: {"expires_at": self.captured[number].to_bytes(8, "big")},
        }
        for what, change in bad.items():
            worse = [[{**heard[number], **change(reviewer, number)} for number in range(count)] for reviewer, heard in enumerate((first, second))]
            self.assertNotEqual(what_joins(*worse, self.captured), [], what)


class NothingIdentifiesOffline(NothingIdentifies):
    """The same of tokens for a data system that cannot call, which have sealed ids."""

    AUDIENCE = {"name": "vault", "offline_key": bytes([9]) + bytes(31)}


if __name__ == "__main__":
    unittest.main()
