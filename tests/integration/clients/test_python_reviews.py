"""Reviews and media tokens of the Python package: what it takes for a grant and a pass before a server that answers what a script says, and which tokens
it takes, by the vectors that the C++ library is tested by."""

import os
import pathlib
import random
import sys
import threading
import unittest

try:
    import grpc
    import nacl  # noqa: F401: without it no offline token is opened
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: F401: without it no token is verified
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

import consent_client
from consent.v1 import review_service_pb2 as api
from consent.v1 import review_service_pb2_grpc as api_grpc
from consent.v1 import types_pb2 as types
from scripted import ScriptedTest

VECTORS = pathlib.Path(os.environ["TEST_ROOT"]) / "tests/golden/media/tokens-1.txt"
OFFLINE_VECTORS = VECTORS.with_name("offline-1.txt")
SECOND = 1_000_000_000
GRANT = consent_client.Grant("g", 3)
SEED = 19


class MediaTokens(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        lines = [line.split("\t") for line in VECTORS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        cls.key, cls.tolerance = bytes.fromhex(lines[0][0]), int(lines[0][1])
        cls.vectors = lines[1:]

    def found(self, token, use, now, key=None):
        verifier = consent_client.MediaTokenVerifier(key or self.key, tolerance=self.tolerance, wall_clock=lambda: int(now))
        audience, site, media = use
        try:
            verifier.verify(token, audience=audience, site=site, media_handle=media)
        except consent_client.MediaTokenRefused as refused:
            return refused.why
        return "good"

    def good(self):
        """A token that is good, with what it is good for."""
        _, finding, now, *use, token = self.vectors[0]
        self.assertEqual(finding, "good")
        return token, use, now

    def test_it_finds_what_the_vectors_say(self):
        self.assertGreater(len(self.vectors), 30)
        for name, finding, now, *use, token in self.vectors:
            self.assertEqual(self.found(token, use, now), finding, name)
        self.assertEqual({finding for _, finding, *_ in self.vectors}, {"good", "unreadable", "signature", "audience", "site", "media", "over", "ahead"})

    def test_no_bit_of_its_text_may_turn(self):
        token, use, now = self.good()
        for at, letter in enumerate(token):
            for bit in range(8):
                turned = token[:at] + chr(ord(letter) ^ 1 << bit) + token[at + 1:]
                self.assertNotEqual(self.found(turned, use, now), "good", (at, bit))
        for size in range(len(token)):
            self.assertNotEqual(self.found(token[:size], use, now), "good", size)

    def test_garbage_of_any_length_is_nothing(self):
        token, use, now = self.good()
        dice = random.Random(SEED)
        for number in range(3_000):
            garbage = "".join(chr(dice.choice((dice.randrange(128), dice.randrange(0x10FF)))) for _ in range(dice.randrange(600)))
            if number % 2:
                at = dice.randrange(len(token))
                garbage = token[:at] + token[dice.randrange(len(token)):][:dice.randrange(9)] + token[at + dice.randrange(1, 9):]
            if garbage != token:
                self.assertNotEqual(self.found(garbage, use, now), "good", (SEED, number))

    def test_the_key_of_before_is_none(self):
        token, use, now = self.good()
        self.assertEqual(self.found(token, use, now, ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
                                    if hasattr(ed25519.Ed25519PublicKey, "public_bytes_raw") else bytes(31) + b"\x01"), "signature")
        for key in (b"", bytes(31), bytes(33)):
            self.assertRaises(ValueError, consent_client.MediaTokenVerifier, key)
        for tolerance in (-1, 61):
            self.assertRaises(ValueError, consent_client.MediaTokenVerifier, self.key, tolerance=tolerance)


class OfflineTokens(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        lines = [line.split("\t") for line in OFFLINE_VECTORS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        cls.key, cls.secret, cls.tolerance = bytes.fromhex(lines[0][0]), bytes.fromhex(lines[0][1]), int(lines[0][2])
        cls.vectors = lines[1:]

    def setUp(self):
        self.now = 0

    def store(self, **options):
        """A data system that has just begun; its clock is `self.now`."""
        return consent_client.OfflineMediaVerifier(self.key, self.secret, **{"tolerance": self.tolerance, "wall_clock": lambda: self.now, **options})

    @staticmethod
    def found(store, token, use):
        audience, site, media = use
        try:
            store.accept(token, audience=audience, site=site, media_handle=media)
        except consent_client.MediaTokenRefused as refused:
            return refused.why
        return "good"

    def good(self):
        """A token that is good for ten seconds from `self.now`, with what it is good for."""
        _, finding, now, *use, _, _, _, token = self.vectors[0]
        self.assertEqual(finding, "good")
        self.now = int(now)
        return token, use

    def test_it_finds_what_the_vectors_say(self):
        self.assertGreater(len(self.vectors), 25)
        for name, finding, now, *use, account, recording, artefact, token in self.vectors:
            self.now = int(now)
            self.assertEqual(self.found(self.store(), token, use), finding, name)
            if finding == "good":
                media = self.store().accept(token, audience=use[0], site=use[1], media_handle=use[2])
                self.assertEqual(media, api.RedeemMediaResponse(account_id=account, recording_id=recording, artefact=int(artefact), site=use[1]), name)
        self.assertEqual({finding for _, finding, *_ in self.vectors}, {"good", "unreadable", "signature", "audience", "site", "media", "over", "ahead", "sealed"})

    def test_no_bit_of_its_text_may_turn(self):
        token, use = self.good()
        store = self.store()
        for at, letter in enumerate(token):
            for bit in range(8):
                turned = token[:at] + chr(ord(letter) ^ 1 << bit) + token[at + 1:]
                self.assertNotEqual(self.found(store, turned, use), "good", (at, bit))
        self.assertEqual(self.found(store, token, use), "good", "what was refused used nothing up")

    def test_a_token_counts_once_and_to_its_end(self):
        token, use = self.good()
        store, fresh = self.store(), self.store()
        self.assertEqual([self.found(store, token, use) for _ in range(3)], ["good", "used", "used"])
        end = self.now + 10 * 1_000_000
        self.now = end
        self.assertEqual((self.found(store, token, use), self.found(fresh, token, use)), ("used", "good"))
        self.now = end + 1
        self.assertEqual((self.found(store, token, use), self.found(self.store(), token, use)), ("over", "over"))
        self.now = end - 10 * 1_000_000
        self.assertEqual(self.found(store, token, use), "used", "a clock that is set back brings nothing back")

    def test_where_there_is_no_room_nothing_is_forgotten(self):
        shortest = next(vector for vector in self.vectors if vector[0] == "the shortest")
        token, use = self.good()
        store = self.store(max_accepted=1)
        self.assertEqual(self.found(store, token, use), "good")
        self.assertEqual(self.found(store, shortest[-1], use), "full")
        self.assertEqual(self.found(store, token, use), "used")

    def test_one_of_many_threads_is_given_it(self):
        token, use = self.good()
        store, answers = self.store(), []
        threads = [threading.Thread(target=lambda: answers.append(self.found(store, token, use))) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answers), ["good"] + ["used"] * 15)

    def test_its_options_have_bounds(self):
        for wrong in ({"tolerance": -1}, {"tolerance": 5.1}, {"max_accepted": 0}, {"max_accepted": (1 << 20) + 1}):
            self.assertRaises(ValueError, self.store, **wrong)
        for key, secret in ((b"", self.secret), (self.key, bytes(31)), (self.key, b"")):
            self.assertRaises(ValueError, consent_client.OfflineMediaVerifier, key, secret)


class Scripted(api_grpc.ReviewServiceServicer):
    """Answers `replies[method]`; keeps what was asked. Fails as often as `failures` says."""

    def __init__(self):
        self.replies, self.seen, self.failures, self.before = {}, [], 0, lambda: None

    def answer(self, method, request, context):
        self.seen.append((method, request))
        self.before()
        if self.failures:
            self.failures -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return self.replies[method]


for _method in api.DESCRIPTOR.services_by_name["ReviewService"].methods:
    setattr(Scripted, _method.name, lambda self, request, context, name=_method.name: self.answer(name, request, context))


class ReviewCalls(ScriptedTest):

    def setUp(self):
        self.serve(Scripted(), api_grpc.add_ReviewServiceServicer_to_server)
        self.reviews = self.client.reviews
        self.script.replies["OpenMedia"] = api.OpenMediaResponse(media_token="t", life_seconds=120)

    def lease(self, *results, count=None):
        self.script.replies["LeaseReviews"] = api.LeaseReviewsResponse(results=results)
        recordings = [types.Recording(recording_id=str(number), account_id="a") for number in range(len(results) if count is None else count)]
        return self.reviews.lease(recordings, purpose=types.PURPOSE_HUMAN_REVIEW, place=types.Place(country="RO"), reviewer="anna-7")

    def test_each_recording_has_its_answer(self):
        granted = api.ReviewGrant(grant_id="g", fence=3, pseudonym="p", media_handle="m")
        refused = api.ReviewRefusal(refusal=api.GRANT_REFUSAL_NOT_ELIGIBLE, reasons=[types.REASON_WITHDRAWN])
        leases = self.lease(api.LeaseReviewsResult(grant=granted), api.LeaseReviewsResult(refusal=refused), api.LeaseReviewsResult(),
                            api.LeaseReviewsResult(grant=api.ReviewGrant(fence=3)), api.LeaseReviewsResult(grant=api.ReviewGrant(grant_id="g")))
        self.assertEqual(leases[0].grant, consent_client.Grant("g", 3, "p", "m", 0))
        self.assertEqual((leases[1].refusal, leases[1].reasons), (api.GRANT_REFUSAL_NOT_ELIGIBLE, (types.REASON_WITHDRAWN,)))
        self.assertEqual([lease.grant for lease in leases[1:]], [None] * 4)
        self.assertEqual([lease.error.reason for lease in leases[2:]], ["INTERNAL"] * 3)

    def test_a_lease_that_is_answered_short_or_long_gives_nothing(self):
        result = api.LeaseReviewsResult(grant=api.ReviewGrant(grant_id="g", fence=3))
        for results in ((), (result,), (result,) * 3):
            self.assertRaises(consent_client.NoAnswer, self.lease, *results, count=2)
        for count in (0, 11):
            self.assertRaises(ValueError, self.lease, count=count)

    def test_a_pass_is_one_for_two_minutes_from_sending(self):
        def late():
            self.now += 20 * SECOND
        self.script.before = late
        opened = self.reviews.open(GRANT, "audio")
        self.assertEqual(self.script.seen[-1][1], api.OpenMediaRequest(grant_id="g", fence=3, audience="audio"))
        self.now = 120 * SECOND - 1
        self.assertEqual((opened.may_play(), opened.token()), (True, "t"))
        self.now += 1
        self.assertEqual((opened.may_play(), opened.token()), (False, ""))
        self.assertRaises(TypeError, bool, opened)

    def test_a_pass_lives_no_longer_than_its_token(self):
        for life, seconds in ((10, 10), (1, 1), (3_600, 120)):
            self.now = 0
            self.script.replies["OpenMedia"] = api.OpenMediaResponse(media_token="t", life_seconds=life)
            opened = self.reviews.open(GRANT, "audio")
            self.now = seconds * SECOND - 1
            self.assertTrue(opened.may_play(), life)
            self.now += 1
            self.assertFalse(opened.may_play(), life)

    def test_what_is_no_pass(self):
        self.assertFalse(consent_client.MediaPass().may_play())
        for reply in ({}, {"media_token": "t"}, {"media_token": "t", "life_seconds": -1}, {"life_seconds": 120}):
            self.script.replies["OpenMedia"] = api.OpenMediaResponse(**reply)
            self.assertFalse(self.reviews.open(GRANT, "audio").may_play(), reply)
        self.script.failures = 9
        self.assertRaises(grpc.RpcError, self.reviews.open, GRANT, "audio")

    def test_what_may_have_been_done_is_not_repeated(self):
        media = api.RedeemMediaResponse(account_id="a", recording_id="r", artefact=types.ARTEFACT_SOURCE)
        self.script.replies.update(RedeemMedia=media, SubmitReview=api.SubmitReviewResponse(), EndReview=api.EndReviewResponse(),
                                   RenewReview=api.RenewReviewResponse(), RevokeReviews=api.RevokeReviewsResponse(), GetMediaKey=api.GetMediaKeyResponse(public_key=b"k" * 32),
                                   ListGrants=api.ListGrantsResponse(), ListHeard=api.ListHeardResponse(),
                                   ReportPopulation=api.ReportPopulationResponse(), ListReviewRates=api.ListReviewRatesResponse())
        for repeated, call in ((False, lambda: self.reviews.open(GRANT, "audio")), (False, lambda: self.reviews.redeem("audio", "t")),
                               (False, lambda: self.reviews.renew(GRANT)), (True, lambda: self.reviews.submit(GRANT, bytes(32))),
                               (True, lambda: self.reviews.end(GRANT, api.REVIEW_OUTCOME_SAFETY)), (True, lambda: self.reviews.revoke("gone", site="cluj")),
                               (True, lambda: self.reviews.list_grants(api.GRANT_STATE_LIVE)), (True, lambda: self.reviews.list_heard("a")),
                               (True, lambda: self.reviews.report_population("2026-11-30T07", {"DE": 1})), (True, self.reviews.list_rates),
                               (True, self.reviews.media_key)):
            self.script.seen, self.script.failures = [], 1
            if repeated:
                call()
            else:
                self.assertRaises(grpc.RpcError, call)
            self.assertEqual(len(self.script.seen), 2 if repeated else 1, self.script.seen[0])
            self.script.failures = 0
            call()

    def test_a_redemption_that_does_not_say_what_gives_nothing_out(self):
        for media in (api.RedeemMediaResponse(), api.RedeemMediaResponse(recording_id="r"), api.RedeemMediaResponse(recording_id="r", artefact=99),
                      api.RedeemMediaResponse(artefact=types.ARTEFACT_SOURCE)):
            self.script.replies["RedeemMedia"] = media
            self.assertRaises(consent_client.NoAnswer, self.reviews.redeem, "audio", "t")

    def test_a_submission_says_what_was_found(self):
        self.script.replies["SubmitReview"] = api.SubmitReviewResponse()
        self.reviews.submit(GRANT, bytes(32), flags=[types.FLAG_SAFETY, types.FLAG_CHILD_PRESENT])
        self.assertEqual(self.script.seen[-1][1], api.SubmitReviewRequest(grant_id="g", fence=3, digest=bytes(32), flags=[types.FLAG_SAFETY, types.FLAG_CHILD_PRESENT]))
        self.reviews.submit(GRANT, bytes(32))
        self.assertEqual(self.script.seen[-1][1].flags, [])

    def test_only_one_thing_is_revoked(self):
        self.script.replies["RevokeReviews"] = api.RevokeReviewsResponse()
        for wrong in ({}, {"site": "cluj", "reviewer": "anna-7"}, {"site": "cluj", "everything": True}):
            self.assertRaises(ValueError, self.reviews.revoke, "gone", **wrong)
        self.reviews.revoke("gone", everything=True)
        self.assertEqual(self.script.seen[-1][1], api.RevokeReviewsRequest(all=True, reason="gone"))
        self.reviews.revoke("gone", purpose=types.PURPOSE_HUMAN_REVIEW)
        self.assertEqual(self.script.seen[-1][1].WhichOneof("of"), "purpose")

    def test_a_population_is_reported_by_country_and_rates_are_asked_by_month(self):
        rate = api.ReviewRateView(purpose=types.PURPOSE_HUMAN_REVIEW, country="DE", heard=1, utterances=500, measured=api.MeasuredRate(parts_per_million=2_000))
        self.script.replies.update(ReportPopulation=api.ReportPopulationResponse(), ListReviewRates=api.ListReviewRatesResponse(rates=[rate]))
        self.reviews.report_population("2026-11-30T07", {"DE": 120_000, "FR": 0})
        counts = [api.PopulationCount(country="DE", utterances=120_000), api.PopulationCount(country="FR")]
        self.assertEqual(self.script.seen[-1][1], api.ReportPopulationRequest(hour="2026-11-30T07", counts=counts))
        self.assertEqual(list(self.reviews.list_rates("2026-10").rates), [rate])
        self.assertEqual(self.script.seen[-1][1], api.ListReviewRatesRequest(month="2026-10"))
        self.reviews.list_rates()
        self.assertEqual(self.script.seen[-1][1], api.ListReviewRatesRequest(), "the present month")


if __name__ == "__main__":
    unittest.main()
