#!/usr/bin/python3
"""An audio store that gives a recording's bytes out for a media token, once.

    audio_store.py --system audio --site cluj FOLDER
    audio_store.py --system vault --site cluj --secret vault.secret --media-key HEX FOLDER

It serves `GET /media/HANDLE` with the token as `Authorization: Bearer TOKEN`, for the files of FOLDER, whose names are the ids of recordings; its address is
the one line that it prints. Where the daemon is and which certificate to show comes from CONSENT_ENDPOINT, CONSENT_CA, CONSENT_CERT and CONSENT_KEY; the
role is STORE. With --secret it calls nobody: it opens the tokens by itself, of a data system that is registered as one that cannot call. Whatever goes wrong
is 403 without a word: who asks learns nothing about recordings.
"""

import argparse
import contextlib
import http.server
import pathlib

import grpc

import consent_client
from consent.v1 import types_pb2 as types


class Store(http.server.BaseHTTPRequestHandler):
    """Answers one request. Class members: `permitted`, which says of a token and a handle what may be given out or raises, and files by the ids of
    recordings: an id never becomes a path."""

    timeout = 10  # seconds that a connection may say nothing

    def do_GET(self):
        data = self.given(self.path.removeprefix("/media/"), self.headers.get("Authorization", "").removeprefix("Bearer "))
        self.send_response(403 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data or b"")

    def given(self, handle, token):
        try:
            media = self.permitted(token, handle)
            return self.files[media.recording_id].read_bytes() if media.artefact == types.ARTEFACT_SOURCE else None
        except (consent_client.MediaTokenRefused, consent_client.NoAnswer, grpc.RpcError, KeyError, OSError):
            return None

    def log_message(self, *_):
        """The path of a request names a recording, and its header holds a token: nothing of it is logged."""


def redeeming(client, system, site):
    verifier = consent_client.MediaTokenVerifier(client.reviews.media_key())

    def permitted(token, handle):
        verifier.verify(token, audience=system, site=site, media_handle=handle)  # what is forged or late costs no call
        return client.reviews.redeem(system, token)  # this alone permits
    return permitted


def opening(media_key, secret, system, site):
    """One verifier for all threads: it knows which tokens it has taken."""
    verifier = consent_client.OfflineMediaVerifier(media_key, secret)
    return lambda token, handle: verifier.accept(token, audience=system, site=site, media_handle=handle)


def main():
    parser = argparse.ArgumentParser(description="Gives recordings out for media tokens.")
    parser.add_argument("folder", type=pathlib.Path, help="the recordings; a file's name is its recording's id")
    parser.add_argument("--system", required=True, help="the data system that this is")
    parser.add_argument("--site", default="", help="for which site it gives out")
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1; 0: at a free port")
    parser.add_argument("--secret", type=pathlib.Path, help="it cannot call: the file of its secret key, 32 bytes")
    parser.add_argument("--media-key", type=bytes.fromhex, help="beside --secret: what `consentctl reviews key` prints")
    options = parser.parse_args()
    if (options.secret is None) != (options.media_key is None):
        parser.error("--secret and --media-key go together")
    Store.files = {file.name: file for file in options.folder.iterdir() if file.is_file()}
    with contextlib.ExitStack() as stack:
        if options.secret is None:
            permitted = redeeming(stack.enter_context(consent_client.connect()), options.system, options.site)
        else:
            permitted = opening(options.media_key, options.secret.read_bytes(), options.system, options.site)
        Store.permitted = staticmethod(permitted)
        with http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Store) as server:
            print(f"http://127.0.0.1:{server.server_port}", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    main()
