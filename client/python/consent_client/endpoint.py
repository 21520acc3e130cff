"""Where the daemon is: what an endpoint may be, where it is by default, and the files of TLS. The same as of the C++ library and consentctl."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import ssl
import urllib.parse
from typing import Mapping, Optional

_WANTED = "the endpoint must be unix:/absolute/path, HOST:port or [IPv6]:port"
_WANTED_LOCAL = ("the endpoint must be unix:/absolute/path, 127.0.0.1:port, [::1]:port or localhost:port: without certificates only this machine is "
                 "allowed; for another one give ca=, certificate= and key= (CONSENT_CA, CONSENT_CERT, CONSENT_KEY)")
_MAX_SOCKET_BYTES = 107
_MAX_NAME_BYTES = 253  # RFC 1035, section 2.3.4
_MAX_PEM_BYTES = 1 << 20
_NAME = re.compile(r"(?![-.])(?!.*\.\.)[A-Za-z0-9._-]+")


@dataclasses.dataclass(frozen=True)
class Files:
    """The CA of the daemon's certificate, the client's certificate, its key."""
    ca: str
    certificate: str
    key: str

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Changes when one of them is replaced or written."""
        found = (os.stat(path) for path in (self.ca, self.certificate, self.key))
        return tuple((file.st_ino, file.st_mtime_ns, file.st_size) for file in found)

    def read(self) -> tuple[bytes, bytes, bytes]:
        """CA, key, certificate, as grpc.ssl_channel_credentials takes them; raises ValueError where they are no good."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"the CA file {self.ca} cannot be used: it must hold certificates in PEM form ({error})") from None
        try:
            context.load_cert_chain(self.certificate, self.key, password=lambda: b"-")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ValueError(f"the certificate {self.certificate} and the key {self.key} cannot be used: they must be PEM files that belong together, the "
                             f"key without a passphrase ({error})") from None
        return _bytes_of(self.ca), _bytes_of(self.key), _bytes_of(self.certificate)


def _bytes_of(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read(_MAX_PEM_BYTES + 1)
    if len(data) > _MAX_PEM_BYTES:
        raise ValueError(f"the file {path} is larger than {_MAX_PEM_BYTES} bytes, the most that is read")
    return data


def default_endpoint(environment: Mapping[str, str], is_root: bool) -> str:
    """Where daemon and clients meet when nobody says it."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if not is_root and runtime.startswith("/"):
        return f"unix:{runtime}/consentd/consentd.sock"
    return "unix:/run/consentd/consentd.sock"


def endpoint_of(given: Optional[str], environment: Mapping[str, str], is_root: bool) -> str:
    return given or environment.get("CONSENT_ENDPOINT") or default_endpoint(environment, is_root)


def files_of(ca: Optional[str], certificate: Optional[str], key: Optional[str], environment: Mapping[str, str]) -> Optional[Files]:
    """None: no TLS. An argument counts before the environment; raises ValueError where some of the three are missing."""
    found = [given or environment.get(variable) or "" for given, variable in ((ca, "CONSENT_CA"), (certificate, "CONSENT_CERT"), (key, "CONSENT_KEY"))]
    if all(found):
        return Files(*found)
    if any(found):
        raise ValueError("TLS takes three files, the CA's certificate, the client's certificate and its key, and some are missing: give ca=, certificate= "
                         "and key= (CONSENT_CA, CONSENT_CERT, CONSENT_KEY), or none of them")
    return None


def target_of(endpoint: str, tls: bool) -> str:
    """As gRPC takes it; raises ValueError. Without TLS only this machine is allowed, by its numbers: no name service and no proxy come between."""
    wanted = _WANTED if tls else _WANTED_LOCAL
    if "\0" in endpoint:
        raise ValueError(wanted)
    if endpoint.startswith("unix:"):
        return _unix_target(endpoint[5:])
    host, colon, port = endpoint.rpartition(":")
    if not colon:
        raise ValueError(wanted)
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 1 <= int(port) <= 65535:
        raise ValueError("the endpoint's port must be a number from 1 to 65535")
    if host == "localhost" and not tls:
        return f"ipv4:127.0.0.1:{port}"
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        is_name = _NAME.fullmatch(host) and len(host) <= _MAX_NAME_BYTES and not re.fullmatch(r"[0-9.]*", host)
        if tls and is_name:
            return f"dns:///{host}:{port}"
        raise ValueError(wanted) from None
    if bracketed != (address.version == 6) or "%" in host or not (tls or address.is_loopback):
        raise ValueError(wanted)
    return f"ipv6:[{address}]:{port}" if bracketed else f"ipv4:{address}:{port}"


def _unix_target(path: str) -> str:
    path = path[2:] if path.startswith("///") else path
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(_WANTED)
    length = len(os.fsencode(path))
    if length > _MAX_SOCKET_BYTES:
        raise ValueError(f"the endpoint's socket path is {length} bytes long; the system allows at most {_MAX_SOCKET_BYTES}")
    return "unix:" + urllib.parse.quote_from_bytes(os.fsencode(path), safe="/-._~")
