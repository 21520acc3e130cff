"""The rows of `consentctl reviews`, and with them those of all commands."""

import json

import bounds
import bounds_table
from bounds import often, review
from bounds_table import ACCOUNT, DELETION_ID, ID, NAME, PAGES, PURPOSE, REASON, REVIEWER, SELECTION, SITE, SWITCH, Asked, local, path

LEASE = ["<file>", "-", "--purpose", "HUMAN_REVIEW", "--listener", "anna-7"]
GRANT = ["<grant>", "g", "<fence>", "1"]
GRANTED = {"grant": [(DELETION_ID, "grant_id")], "fence": [local(bounds.number(1, 2**63 - 1))]}

COMMANDS = [
    *bounds_table.COMMANDS,
    Asked("reviews lease", "ReviewService/LeaseReviews", LEASE, {
        "file": [path()], "--purpose": [(PURPOSE, "purpose")], "--country": [(bounds.region("country", False), "place.country")],
        "--site": [(SITE, "place.site")], "--reviewer": [(REVIEWER, "place.reviewer_class")], "--listener": [(NAME, "reviewer")],
        "--selection": [(SELECTION, "selection")]}, (0, 22), stdin=json.dumps({"recording_id": "r", "account_id": "reviewed"}) + "\n"),
    Asked("reviews open", "ReviewService/OpenMedia", [*GRANT, "<system>", "audio"], {**GRANTED, "system": [(NAME, "audience")]}, (0, 21)),
    Asked("reviews redeem", "ReviewService/RedeemMedia", ["<system>", "audio", "<token>", "t"],
          {"system": [(NAME, "system")], "token": [(bounds.text(1, 512), "media_token")]}, (0, 21)),
    Asked("reviews submit", "ReviewService/SubmitReview", [*GRANT, "<digest>", "0" * 64], {
        **GRANTED, "digest": [local(bounds.Kind([often("9f" * 32), *(often(wrong, bound="64 digits") for wrong in (
            "", "0" * 63, "0" * 65, "9F" * 32, "g" * 64))]))]}, (0, 21)),
    Asked("reviews end", "ReviewService/EndReview", [*GRANT, "<outcome>", "SKIPPED"],
          {**GRANTED, "outcome": [(bounds.names(review.ReviewOutcome, "REVIEW_OUTCOME_", "SKIPPED"), "outcome")]}, (0, 21)),
    Asked("reviews renew", "ReviewService/RenewReview", GRANT, GRANTED, (0, 21)),
    Asked("reviews revoke", "ReviewService/RevokeReviews", ["--all", "--reason", "x"], {
        "--listener": [(NAME, "reviewer", ["--listener", "anna-7", "--reason", "x"])], "--site": [(NAME, "site", ["--site", "cluj", "--reason", "x"])],
        "--purpose": [(PURPOSE, "purpose", ["--purpose", "ADVERTISING", "--reason", "x"])], "--all": [SWITCH], "--reason": [(REASON, "reason")]}),
    Asked("reviews list", "ReviewService/ListGrants", [], {"--state": [(bounds.names(review.GrantState, "GRANT_STATE_", "LIVE"), "state")], **PAGES}),
    Asked("reviews heard", "ReviewService/ListHeard", ["<account>", ACCOUNT], {"account": [(ID, "account_id")]}),
    Asked("reviews key", "ReviewService/GetMediaKey", [], {}),
]
