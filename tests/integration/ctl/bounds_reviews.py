"""The rows of `consentctl reviews`, and with them those of all commands."""

import json
import time

import bounds
import bounds_table
from bounds import NotOnTheWire, often, review, set_text
from bounds_table import ACCOUNT, DELETION_ID, FLAGS, ID, NAME, PAGES, PURPOSE, REASON, REVIEWER, SELECTION, SITE, SWITCH, Asked, local, path

LEASE = ["<file>", "-", "--purpose", "HUMAN_REVIEW", "--listener", "anna-7"]
GRANT = ["<grant>", "g", "<fence>", "1"]
GRANTED = {"grant": [(DELETION_ID, "grant_id")], "fence": [local(bounds.number(1, 2**63 - 1))]}


def counted():
    """COUNTRY=COUNT of `reviews population`."""
    def wire(value):
        country, sign, count = value.partition(b"=")
        if not sign:
            raise NotOnTheWire
        item = review.PopulationCount(utterances=bounds.read_number(count))
        set_text(item, "country", country)
        return item

    form, number, country = "such as DE=120000", "0 (to|-) 1000000000000", "upper case|ISO 3166|UTF-8|GB"
    return bounds.Kind([often("DE=0"), often("DE=1000000000000"), often("DE=1000000000001", bound=number), often("DE=-1", bound=number), often("DE", bound=form),
                        often("", bound=form), *(often(wrong, bound=number) for wrong in ("DE=", "DE=x", "DE=1.5", "DE= 5", "DE==5", "DE=99999999999999999999", b"DE=\xff")),
                        *(often(wrong, bound=country) for wrong in ("=1", "de=1", "UK=1", "US-CA=1", " DE=1", "ZZ=1", b"\xff=1"))], wire)


def hour(later):
    return time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + later * 3_600))


HOUR = bounds.Kind([often(hour(0)), often(hour(-35 * 24 + 1)), often(hour(-35 * 24 - 1), bound="35 days"), often(hour(2), bound="begun"),
                    *(often(wrong, bound="hour of UTC|empty") for wrong in ("", "2026-11-30", "2026-11-30T24", "2026-11-30t07", "2026-11-30T07:00:00Z", " 2026-11-30T07", "now")),
                    often(bounds.BAD_UTF8, bound="UTF-8")])
MONTH = bounds.Kind([often("2026-11"), often("1999-01"), *(often(wrong, bound="month|empty") for wrong in ("", "2026", "2026-13", "2026-11-30", "11-2026", "now")),
                     often(bounds.BAD_UTF8, bound="UTF-8")])

COMMANDS = [
    *bounds_table.COMMANDS,
    Asked("reviews lease", "ReviewService/LeaseReviews", LEASE, {
        "file": [path()], "--purpose": [(PURPOSE, "purpose")], "--country": [(bounds.region("country", False), "place.country")],
        "--site": [(SITE, "place.site")], "--reviewer": [(REVIEWER, "place.reviewer_class")], "--listener": [(NAME, "reviewer")],
        "--selection": [(SELECTION, "selection")]}, (0, 22), stdin=json.dumps({"recording_id": "r", "account_id": "reviewed"}) + "\n"),
    Asked("reviews open", "ReviewService/OpenMedia", [*GRANT, "<system>", "audio"], {**GRANTED, "system": [(NAME, "audience")]}, (0, 21)),
    Asked("reviews redeem", "ReviewService/RedeemMedia", ["<system>", "audio", "<token>", "t"],
          {"system": [(NAME, "system")], "token": [(bounds.text(1, 768), "media_token")]}, (0, 21)),
    Asked("reviews submit", "ReviewService/SubmitReview", [*GRANT, "<digest>", "0" * 64], {
        **GRANTED, "digest": [local(bounds.Kind([often("9f" * 32), *(often(wrong, bound="64 digits") for wrong in (
            "", "0" * 63, "0" * 65, "9F" * 32, "g" * 64))]))], "--flag": [(FLAGS, "flags")]}, (0, 21)),
    Asked("reviews end", "ReviewService/EndReview", [*GRANT, "<outcome>", "SKIPPED"],
          {**GRANTED, "outcome": [(bounds.names(review.ReviewOutcome, "REVIEW_OUTCOME_", "SKIPPED"), "outcome")]}, (0, 21)),
    Asked("reviews renew", "ReviewService/RenewReview", GRANT, GRANTED, (0, 21)),
    Asked("reviews revoke", "ReviewService/RevokeReviews", ["--all", "--reason", "x"], {
        "--listener": [(NAME, "reviewer", ["--listener", "anna-7", "--reason", "x"])], "--site": [(NAME, "site", ["--site", "cluj", "--reason", "x"])],
        "--purpose": [(PURPOSE, "purpose", ["--purpose", "ADVERTISING", "--reason", "x"])], "--all": [SWITCH], "--reason": [(REASON, "reason")]}),
    Asked("reviews list", "ReviewService/ListGrants", [], {"--state": [(bounds.names(review.GrantState, "GRANT_STATE_", "LIVE"), "state")], **PAGES}),
    Asked("reviews heard", "ReviewService/ListHeard", ["<account>", ACCOUNT], {"account": [(ID, "account_id")]}),
    Asked("reviews population", "ReviewService/ReportPopulation", ["<hour>", hour(0), "<counts>", "DE=1"], {"hour": [(HOUR, "hour")], "counts": [(counted(), "counts")]}),
    Asked("reviews rates", "ReviewService/ListReviewRates", [], {"--month": [(MONTH, "month")]}),
    Asked("reviews key", "ReviewService/GetMediaKey", [], {}),
]
