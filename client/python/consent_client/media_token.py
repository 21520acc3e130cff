"""Verifies media tokens without a call: what a data system does before it redeems one, so that what is forged, late or meant for somebody else costs no
call. It is a filter and no permission: a token that is good here may have been redeemed already, and its recording may have been restricted since.
Reviews.redeem alone gives anything out."""

from __future__ import annotations

import base64
import binascii
import re
import time
from typing import Any, Callable

_MAX_TOKEN_BYTES = 512
_MAX_NAME_BYTES = 64
_SIGNATURE_BYTES = 64
_LIFE_US = 120 * 1_000_000  # no token lives longer
_MOST_TOLERANCE = 60  # seconds
_FORMAT = 1


class MediaTokenRefused(Exception):
    """Give nothing out. `why`: unreadable, signature, audience, site, media, over, or ahead (this clock is behind)."""

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

    def name(self) -> bytes:
        length = self.varint()
        if length > _MAX_NAME_BYTES:
            raise MediaTokenRefused("unreadable")
        return self.raw(length)

    def end(self) -> None:
        if self._data:
            raise MediaTokenRefused("unreadable")


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


class MediaTokenVerifier:
    """Immutable and safe to share between threads; neither blocks nor calls. Needs the package `cryptography`.

    `key`: Reviews.media_key(); a store that was restored may have another one, and tokens of before are refused then. `tolerance`: by how many seconds
    this machine's clock and the daemon's may be apart, 0 to 60; a token counts for so long after its end. `wall_clock`: microseconds since 1970.
    """

    def __init__(self, key: bytes, *, tolerance: float = 5, wall_clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """ValueError: the key is none, or the tolerance is out of its bounds. ImportError: there is no `cryptography`."""
        from cryptography.hazmat.primitives.asymmetric import ed25519  # pylint: disable=import-outside-toplevel
        if len(key) != 32:
            raise ValueError("a media key has 32 bytes")
        if not 0 <= tolerance <= _MOST_TOLERANCE:
            raise ValueError(f"the tolerance must be from 0 to {_MOST_TOLERANCE} seconds")
        self._key: Any = ed25519.Ed25519PublicKey.from_public_bytes(key)
        self._tolerance_us, self._wall_clock = int(tolerance * 1_000_000), wall_clock

    def verify(self, token: str, *, audience: str, site: str, media_handle: str) -> None:
        """Raises MediaTokenRefused unless the token is signed, in its time, and for this data system (by its name), this site (empty for grants without
        one) and what the request names by `media_handle`."""
        from cryptography.exceptions import InvalidSignature  # pylint: disable=import-outside-toplevel
        data = _decoded(token)
        if len(data) <= _SIGNATURE_BYTES:
            raise MediaTokenRefused("unreadable")
        body, signature = data[:-_SIGNATURE_BYTES], data[-_SIGNATURE_BYTES:]
        reader = _Reader(body)
        if reader.raw(1)[0] != _FORMAT:
            raise MediaTokenRefused("unreadable")
        reader.raw(16)  # the grant
        reader.varint()  # its fence
        media = reader.raw(16)
        reader.raw(16)  # the token's own number
        not_after = reader.varint()
        its_site, its_audience = reader.name(), reader.name()
        reader.end()
        if not_after >= 1 << 63:
            raise MediaTokenRefused("unreadable")
        try:
            self._key.verify(signature, body)
        except InvalidSignature:
            raise MediaTokenRefused("signature") from None
        left = not_after - self._wall_clock()
        for why, is_so in (("audience", its_audience != audience.encode()), ("site", its_site != site.encode()), ("media", media.hex() != media_handle),
                           ("over", left < -self._tolerance_us), ("ahead", left > _LIFE_US + self._tolerance_us)):
            if is_so:
                raise MediaTokenRefused(why)
