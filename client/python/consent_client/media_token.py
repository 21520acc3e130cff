"""Verifies media tokens without a call, for the two kinds of data systems. One that calls uses MediaTokenVerifier before it redeems a token, so that what is
forged, late or meant for somebody else costs no call: a filter and no permission, because a token that is good here may have been redeemed already, and its
recording may have been restricted since; Reviews.redeem alone gives anything out. One that is registered as unable to call (DataSystem.offline_key) uses
OfflineMediaVerifier, which is all that it has. To each the other's tokens are unreadable."""

from __future__ import annotations

import base64
import binascii
import bisect
import re
import threading
import time
from typing import Any, Callable, List, NamedTuple, Tuple

from consent.v1 import review_service_pb2 as api
from consent.v1 import types_pb2 as types

_MAX_TOKEN_BYTES = 768
_MAX_NAME_BYTES = 64
_SIGNATURE_BYTES = 64
_LIFE_US = 120 * 1_000_000  # no token lives longer
_OFFLINE_LIFE_US = 10 * 1_000_000
_MOST_TOLERANCE = 60  # seconds
_MOST_OFFLINE_TOLERANCE = 5
_MOST_ACCEPTED = 1 << 20
_FORMAT = 1
_OFFLINE_FORMAT = 2
_MAX_ID_BYTES = 128
_IDS_BYTES = 2 * (2 + _MAX_ID_BYTES) + 1
_SEALED_BYTES = _IDS_BYTES + 48


class MediaTokenRefused(Exception):
    """Give nothing out. `why`: unreadable (also the other kind's), signature, audience, site, media, over, or ahead (this clock is behind); of offline tokens
    also sealed (to another key), used (accepted before) or full (as many were accepted lately as may be remembered)."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the media token gives nothing out: {why}")
        self.why = why


class _Reader:
    """Reads from bytes; MediaTokenRefused where they end early, or say the same in more bytes than it takes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def raw(self, count: int) -> bytes:
        if count > len(self._data):
            raise MediaTokenRefused("unreadable")
        read, self._data = self._data[:count], self._data[count:]
        return read

    def varint(self) -> int:
        value = 0
        for shift in range(0, 64, 7):
            byte = self.raw(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if (byte == 0 and shift) or value >= 1 << 64:
                    break
                return value
        raise MediaTokenRefused("unreadable")

    def text(self, limit: int) -> bytes:
        length = self.varint()
        if length > limit:
            raise MediaTokenRefused("unreadable")
        return self.raw(length)

    def end(self) -> None:
        if self._data:
            raise MediaTokenRefused("unreadable")


class _Token(NamedTuple):
    """What is read of a token; signed, and for who asks."""
    nonce: bytes
    not_after: int
    sealed: bytes


def _decoded(token: str) -> bytes:
    """base64url without padding, in the one way to write it."""
    if len(token) > _MAX_TOKEN_BYTES or re.fullmatch(r"[A-Za-z0-9_-]*", token) is None:
        raise MediaTokenRefused("unreadable")
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error:
        raise MediaTokenRefused("unreadable") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != token:
        raise MediaTokenRefused("unreadable")
    return data


def _public_key(key: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # pylint: disable=import-outside-toplevel
    if len(key) != 32:
        raise ValueError("a media key has 32 bytes")
    return ed25519.Ed25519PublicKey.from_public_bytes(key)


def _microseconds(tolerance: float, most: int) -> int:
    if not 0 <= tolerance <= most:
        raise ValueError(f"the tolerance must be from 0 to {most} seconds")
    return int(tolerance * 1_000_000)


def _read(token: str, key: Any, kind: int, audience: str, site: str, media_handle: str) -> _Token:
    """All but its time. MediaTokenRefused unless it is a token of this format, signed by the key's owner, and for this use."""
    from cryptography.exceptions import InvalidSignature  # pylint: disable=import-outside-toplevel
    data = _decoded(token)
    if len(data) <= _SIGNATURE_BYTES:
        raise MediaTokenRefused("unreadable")
    body, signature = data[:-_SIGNATURE_BYTES], data[-_SIGNATURE_BYTES:]
    reader = _Reader(body)
    if reader.raw(1)[0] != kind:
        raise MediaTokenRefused("unreadable")
    reader.raw(16)  # the grant
    reader.varint()  # its fence
    media = reader.raw(16)
    nonce = reader.raw(16)
    not_after = reader.varint()
    its_site, its_audience = reader.text(_MAX_NAME_BYTES), reader.text(_MAX_NAME_BYTES)
    sealed = reader.raw(_SEALED_BYTES) if kind == _OFFLINE_FORMAT else b""
    reader.end()
    if not_after >= 1 << 63:
        raise MediaTokenRefused("unreadable")
    try:
        key.verify(signature, body)
    except InvalidSignature:
        raise MediaTokenRefused("signature") from None
    for why, is_so in (("audience", its_audience != audience.encode()), ("site", its_site != site.encode()), ("media", media.hex() != media_handle)):
        if is_so:
            raise MediaTokenRefused(why)
    return _Token(nonce, not_after, sealed)


def _now() -> int:
    return time.time_ns() // 1000


class MediaTokenVerifier:
    """Immutable and safe to share between threads; neither blocks nor calls. Needs the package `cryptography`.

    `key`: Reviews.media_key(); a store that was restored may have another one, and tokens of before are refused then. `tolerance`: by how many seconds
    this machine's clock and the daemon's may be apart, 0 to 60; a token counts for so long after its end. `wall_clock`: microseconds since 1970.
    """

    def __init__(self, key: bytes, *, tolerance: float = 5, wall_clock: Callable[[], int] = _now) -> None:
        """ValueError: the key is none, or the tolerance is out of its bounds. ImportError: there is no `cryptography`."""
        self._key = _public_key(key)
        self._tolerance_us, self._wall_clock = _microseconds(tolerance, _MOST_TOLERANCE), wall_clock

    def verify(self, token: str, *, audience: str, site: str, media_handle: str) -> None:
        """Raises MediaTokenRefused unless the token is signed, in its time, and for this data system (by its name), this site (empty for grants without
        one) and what the request names by `media_handle`."""
        left = _read(token, self._key, _FORMAT, audience, site, media_handle).not_after - self._wall_clock()
        if left < -self._tolerance_us:
            raise MediaTokenRefused("over")
        if left > _LIFE_US + self._tolerance_us:
            raise MediaTokenRefused("ahead")


def _media_of(plain: bytes, site: str) -> api.RedeemMediaResponse:
    reader = _Reader(plain.rstrip(b"\0"))
    account, recording = reader.text(_MAX_ID_BYTES), reader.text(_MAX_ID_BYTES)
    artefact = reader.raw(1)[0]
    reader.end()
    if len(plain) != _IDS_BYTES or not account or not recording or artefact not in types.Artefact.values():
        raise ValueError("no ids")
    return api.RedeemMediaResponse(account_id=account.decode(), recording_id=recording.decode(), artefact=types.Artefact.Name(artefact), site=site)


class OfflineMediaVerifier:
    """Opens media tokens for a data system that cannot call, each once. Safe to share between threads; neither blocks nor calls. Needs the packages
    `cryptography` and `PyNaCl`.

    Nobody takes such a token back, so its 10 seconds are the bound: no play begins later than 10 seconds plus `tolerance` after a restriction of its recording
    was acknowledged, as long as this machine's clock is behind the daemon's by `tolerance` at most. A clock that is ahead only shortens that.

    Within one process, that is: what was accepted is remembered here alone. A data system of several processes must send all requests of one media handle to
    the same one, or share a memory of its own; each process that starts anew forgets the tokens of the last 10 seconds, so let it wait so long before it serves.

    `key`: Reviews.media_key(), brought over by whoever sets the data system up. `secret_key`: 32 bytes, of X25519, whose public half is the registration's
    offline_key. `tolerance`: by how many seconds this machine's clock may be behind the daemon's, 0 to 5; it lengthens no token. `max_accepted`: how many
    accepted tokens are remembered, 1 to 1,048,576, which is how many plays may begin in 10 seconds; none is forgotten early. `wall_clock`: microseconds since
    1970; must not call the verifier.
    """

    def __init__(self, key: bytes, secret_key: bytes, *, tolerance: float = 1, max_accepted: int = 1 << 16, wall_clock: Callable[[], int] = _now) -> None:
        """ValueError: a key is none, or the tolerance or max_accepted is out of its bounds. ImportError: there is no `cryptography` or no `PyNaCl`."""
        from nacl import public  # pylint: disable=import-outside-toplevel
        if len(secret_key) != 32:
            raise ValueError("a secret key has 32 bytes")
        if not 1 <= max_accepted <= _MOST_ACCEPTED:
            raise ValueError(f"max_accepted must be from 1 to {_MOST_ACCEPTED}")
        self._key, self._box = _public_key(key), public.SealedBox(public.PrivateKey(secret_key))
        self._tolerance_us, self._wall_clock = _microseconds(tolerance, _MOST_OFFLINE_TOLERANCE), wall_clock
        self._max_accepted = max_accepted
        self._lock = threading.Lock()
        self._accepted: List[Tuple[int, bytes]] = []  # in order: by its end, and its own number
        self._over_until = 0  # what ended by then is over, and forgotten

    def accept(self, token: str, *, audience: str, site: str, media_handle: str) -> api.RedeemMediaResponse:
        """Accepts a token once: then what it answers may be given out for one play that begins now. MediaTokenRefused: give nothing out; the token is not
        used up."""
        from nacl.exceptions import CryptoError  # pylint: disable=import-outside-toplevel
        read = _read(token, self._key, _OFFLINE_FORMAT, audience, site, media_handle)
        try:
            media = _media_of(self._box.decrypt(read.sealed), site)
        except (CryptoError, MediaTokenRefused, ValueError):
            raise MediaTokenRefused("sealed") from None
        self._accept_once(read)
        return media

    def _accept_once(self, read: _Token) -> None:
        with self._lock:
            left = read.not_after - self._wall_clock()  # read last, so that nothing comes between it and the answer
            if left < 0 or read.not_after <= self._over_until:
                raise MediaTokenRefused("over")
            if left > _OFFLINE_LIFE_US + self._tolerance_us:
                raise MediaTokenRefused("ahead")
            # The daemon signed it so long before its end; what ended by then is over, whatever this machine's clock does.
            self._over_until = max(self._over_until, read.not_after - _OFFLINE_LIFE_US)
            del self._accepted[:bisect.bisect_left(self._accepted, (self._over_until + 1, b""))]
            place = bisect.bisect_left(self._accepted, (read.not_after, read.nonce))
            if self._accepted[place:place + 1] == [(read.not_after, read.nonce)]:
                raise MediaTokenRefused("used")
            if len(self._accepted) >= self._max_accepted:
                raise MediaTokenRefused("full")
            self._accepted.insert(place, (read.not_after, read.nonce))
