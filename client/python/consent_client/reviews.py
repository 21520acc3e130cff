"""Review grants: nobody listens to a recording without a fresh yes. A grant ties one act of listening to one decision; it is short, and void the moment
that anything restricts its recording, its purpose or its reviewer."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from consent.v1 import review_service_pb2 as api
from consent.v1 import review_service_pb2_grpc as api_grpc
from consent.v1 import types_pb2 as types
from consent_client.answer import Clock, ItemError, since_boot
from consent_client.errors import NoAnswer

MAX_LEASES = 10
_MOST_TOKEN_LIFE = 120  # seconds


@dataclasses.dataclass(frozen=True)
class Grant:
    """What a review tool is given about one recording; each further call takes it whole. Names no account and no recording."""
    grant_id: str
    fence: int
    pseudonym: str = ""  # by which the tool may call the recording; no other grant has it
    media_handle: str = ""  # what media tokens of this grant open
    expires_at_us: int = 0  # by the daemon's clock, for showing


@dataclasses.dataclass(frozen=True)
class Lease:
    """What one recording is answered. `Lease()` has no grant."""
    grant: Optional[Grant] = None
    refusal: int = api.GRANT_REFUSAL_UNSPECIFIED
    reasons: Sequence[int] = ()  # of GRANT_REFUSAL_NOT_ELIGIBLE, most important first
    error: Optional[ItemError] = None  # the recording could not be asked about


@dataclasses.dataclass(frozen=True, eq=False)
class MediaPass:
    """Whether a recording may be played. An immutable value, safe to share between threads. `MediaPass()` is a no."""
    _token: str = dataclasses.field(default="", repr=False)
    _clock: Clock = dataclasses.field(default=since_boot, repr=False)
    _fresh_until: int = dataclasses.field(default=0, repr=False)

    def may_play(self) -> bool:
        """True only if the daemon opened the grant, and for the token's life from sending at the longest: 120 seconds, or 10 where the data system cannot
        call. It is for one play that begins now: open again before the next."""
        return bool(self._token) and self._clock() < self._fresh_until

    def token(self) -> str:
        """What the data system is shown; empty unless may_play()."""
        return self._token if self.may_play() else ""

    def __bool__(self) -> bool:
        raise TypeError("a pass is neither true nor false: ask may_play()")


class Reviews:
    """The calls about reviews, of a client (Client.reviews). Thread-safe.

    A call that fails raises grpc.RpcError; `error_of` says what the daemon said. gRPC repeats submit, end, revoke, report_population and the reads; lease,
    open, renew and redeem it does not, because what the first one did may have been done: after an error take it for not given, not opened, and burned.
    """

    def __init__(self, stub: Callable[[], api_grpc.ReviewServiceStub], clock: Clock) -> None:
        """Use Client.reviews."""
        self._stub, self._clock = stub, clock

    def lease(self, recordings: Sequence[types.Recording], *, purpose: types.Purpose, place: types.Place, reviewer: str,
              selection: Any = types.SELECTION_UNSPECIFIED, timeout: float = 10.0) -> list[Lease]:
        """Asks for grants of 1 to 10 recordings (else ValueError), for who will listen by a name that the tool gives. As many results, in their order.
        Raises NoAnswer where there are more or fewer: then none counts."""
        if not 1 <= len(recordings) <= MAX_LEASES:
            raise ValueError(f"a lease must have 1 to 10 recordings, this one has {len(recordings)}")
        request = api.LeaseReviewsRequest(purpose=purpose, place=place, reviewer=reviewer, selection=selection, recordings=recordings)
        response = self._stub().LeaseReviews(request, timeout=timeout)
        if len(response.results) != len(recordings):
            raise NoAnswer(f"the daemon answered {len(response.results)} of {len(recordings)} recordings")
        return [_lease_of(result) for result in response.results]

    def open(self, grant: Grant, audience: str, timeout: float = 10.0) -> MediaPass:
        """Before each play. `audience`: the data system that is to give the bytes out. Whatever it raises, play nothing. A reply that does not say how long
        its token lives is a pass by which nothing may be played."""
        sent = self._clock()
        response = self._stub().OpenMedia(api.OpenMediaRequest(grant_id=grant.grant_id, fence=grant.fence, audience=audience), timeout=timeout)
        return MediaPass(response.media_token, self._clock, sent + min(response.life_seconds, _MOST_TOKEN_LIFE) * 1_000_000_000)

    def submit(self, grant: Grant, digest: bytes, flags: Sequence[types.Flag] = (), timeout: float = 10.0) -> None:
        """`digest`: SHA-256 of the grant's id and what was submitted, so that no other result of the recording has it. `flags`: what was found, at most 4; each
        is stored as by ReportRecording, also where the grant is over. GRANT_ENDED, GRANT_LOST, GRANT_NOT_FOUND: what was made of the recording must go, and by
        the digest the annotation systems find what came too late; after any other error the flags may not be stored: repeat it."""
        self._stub().SubmitReview(api.SubmitReviewRequest(grant_id=grant.grant_id, fence=grant.fence, digest=digest, flags=flags), timeout=timeout)

    def end(self, grant: Grant, outcome: api.ReviewOutcome, timeout: float = 10.0) -> None:
        """The first outcome stays; a flag is stored also where the grant is over."""
        self._stub().EndReview(api.EndReviewRequest(grant_id=grant.grant_id, fence=grant.fence, outcome=outcome), timeout=timeout)

    def renew(self, grant: Grant, timeout: float = 10.0) -> Grant:
        """Once for each grant. The grant with its later end."""
        response = self._stub().RenewReview(api.RenewReviewRequest(grant_id=grant.grant_id, fence=grant.fence), timeout=timeout)
        return dataclasses.replace(grant, expires_at_us=response.expires_at.ToMicroseconds())

    def redeem(self, system: str, token: str, timeout: float = 10.0) -> api.RedeemMediaResponse:
        """For a data system, before it gives any byte out; `system` is its name. Whatever it raises, give nothing out: also NoAnswer, where the reply
        does not say what."""
        media = self._stub().RedeemMedia(api.RedeemMediaRequest(system=system, media_token=token), timeout=timeout)
        if not media.recording_id or media.artefact == types.ARTEFACT_UNSPECIFIED or media.artefact not in types.Artefact.values():
            raise NoAnswer("the daemon's reply does not say what to give out")
        return media

    def revoke(self, reason: str, *, reviewer: Optional[str] = None, site: Optional[str] = None, purpose: Optional[types.Purpose] = None,
               everything: bool = False, timeout: float = 10.0) -> None:
        """For an OFFICER: ends the live grants of one of the four; in force everywhere when it returns. ValueError where not exactly one is given."""
        given: Dict[str, Any] = {"reviewer": reviewer, "site": site, "purpose": purpose, "all": everything or None}
        chosen: Dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if len(chosen) != 1:
            raise ValueError("exactly one of reviewer, site, purpose and everything must be given")
        self._stub().RevokeReviews(api.RevokeReviewsRequest(reason=reason, **chosen), timeout=timeout)

    def list_grants(self, state: Any = api.GRANT_STATE_UNSPECIFIED, *, page_size: int = 0, page_token: str = "",
                    timeout: float = 10.0) -> api.ListGrantsResponse:
        """One page, as an OFFICER or OPERATOR is shown it."""
        return self._stub().ListGrants(api.ListGrantsRequest(state=state, page_size=page_size, page_token=page_token), timeout=timeout)

    def list_heard(self, account_id: str, timeout: float = 10.0) -> api.ListHeardResponse:
        """What of an account people were given to hear; never by whom."""
        return self._stub().ListHeard(api.ListHeardRequest(account_id=account_id), timeout=timeout)

    def report_population(self, hour: str, utterances: Mapping[str, int], timeout: float = 10.0) -> None:
        """How many utterances were recorded in an hour of UTC (`2026-11-30T07`), by country: what the rates of the policy's caps are parts of. What is said
        again of an hour and country takes the place of what this caller said. After an error some may have been taken: repeat it."""
        counts = [api.PopulationCount(country=country, utterances=count) for country, count in utterances.items()]
        self._stub().ReportPopulation(api.ReportPopulationRequest(hour=hour, counts=counts), timeout=timeout)

    def list_rates(self, month: str = "", timeout: float = 10.0) -> api.ListReviewRatesResponse:
        """Which part of the utterances of a month of UTC (`2026-11`; empty: the present one) people listened to, by purpose and country."""
        return self._stub().ListReviewRates(api.ListReviewRatesRequest(month=month), timeout=timeout)

    def media_key(self, timeout: float = 10.0) -> bytes:
        """For MediaTokenVerifier."""
        return bytes(self._stub().GetMediaKey(api.GetMediaKeyRequest(), timeout=timeout).public_key)


def _lease_of(result: api.LeaseReviewsResult) -> Lease:
    kind = result.WhichOneof("result")
    grant = result.grant
    # What cannot be named in a further call is no grant.
    if kind == "grant" and grant.grant_id and grant.fence:
        return Lease(Grant(grant.grant_id, grant.fence, grant.pseudonym, grant.media_handle, grant.expires_at.ToMicroseconds()))
    if kind == "refusal":
        return Lease(refusal=result.refusal.refusal, reasons=tuple(result.refusal.reasons))
    if kind == "error":
        return Lease(error=ItemError(result.error.reason, result.error.message))
    return Lease(error=ItemError("INTERNAL", "the daemon left this recording without a grant and without a refusal"))
