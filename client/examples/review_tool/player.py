#!/usr/bin/python3
"""A review tool: one listener hears recordings, each by a grant of its own, and says what came of it.

    player.py --store URL --country RO --site cluj --reviewer EMPLOYEE --listener anna-7 --speaker heard.pcm recordings.jsonl

RECORDINGS is a file of JSON lines as `consentctl filter` reads them. There is no sound: what would be played goes to the file --speaker, the samples of one
recording after the other. After each it prints a line, and reads one from standard input: `submit WORDS`, with what was written down of it, or an outcome
such as `SAFETY` or `SKIPPED`. Where the daemon is and which certificate to show comes from CONSENT_ENDPOINT, CONSENT_CA, CONSENT_CERT and CONSENT_KEY; the
role is REVIEW_TOOL. Neither the lines nor the speaker name an account or a recording: the listener sees pseudonyms.
"""

import argparse
import hashlib
import io
import json
import sys
import urllib.error
import urllib.request
import wave

import grpc

import consent_client
from consent.v1 import review_service_pb2 as api
from consent.v1 import types_pb2 as types

MAX_LEASES = 10
MAX_WAV_BYTES = 64 << 20
STORE_TIMEOUT = 10  # seconds


def fetch(store, grant, media_pass):
    """The bytes of a recording for a pass, or None. Any answer but 200, and anything too large, is no recording."""
    if not media_pass.may_play():
        return None
    request = urllib.request.Request(f"{store}/media/{grant.media_handle}", headers={"Authorization": f"Bearer {media_pass.token()}"})
    try:
        with urllib.request.urlopen(request, timeout=STORE_TIMEOUT) as answer:
            data = answer.read(MAX_WAV_BYTES + 1)
    except (urllib.error.URLError, OSError):
        return None
    return data if len(data) <= MAX_WAV_BYTES else None


def why(rpc_error):
    """GRANT_ENDED, or where the daemon said nothing UNAVAILABLE."""
    error = consent_client.error_of(rpc_error)
    return error.reason or error.code.name


class Player:
    def __init__(self, client, options, speaker):
        self.reviews, self.options, self.speaker = client.reviews, options, speaker

    def lease(self, recordings):
        place = types.Place(country=self.options.country, site=self.options.site, reviewer_class=types.ReviewerClass.Value(f"REVIEWER_CLASS_{self.options.reviewer}"))
        return self.reviews.lease(recordings, purpose=types.PURPOSE_HUMAN_REVIEW, place=place, reviewer=self.options.listener)

    def play(self, grant):
        """Asks anew, fetches, and plays. False: nothing was played, whatever the cause."""
        try:
            data = fetch(self.options.store, grant, self.reviews.open(grant, self.options.system))
        except grpc.RpcError as error:
            return self.tell(grant, heard=False, why=why(error))
        try:
            with wave.open(io.BytesIO(data or b"")) as recording:
                samples = recording.readframes(recording.getnframes())
                seconds = recording.getnframes() / recording.getframerate()
        except (wave.Error, EOFError):
            return self.tell(grant, heard=False, why="NO_RECORDING")
        self.speaker.write(samples)
        self.speaker.flush()
        return self.tell(grant, heard=True, seconds=round(seconds, 3))

    def conclude(self, grant, said):
        """What the listener said of what was heard."""
        word, _, words = said.strip().partition(" ")
        try:
            if word == "submit":
                self.reviews.submit(grant, hashlib.sha256((grant.grant_id + words).encode()).digest())
            else:
                self.reviews.end(grant, api.ReviewOutcome.Value(f"REVIEW_OUTCOME_{word}"))
        except grpc.RpcError as error:  # nothing was taken: a tool that has kept the words deletes them now
            return self.tell(grant, concluded=False, why=why(error))
        return self.tell(grant, concluded=True)

    @staticmethod
    def tell(grant, **told):
        print(json.dumps({"pseudonym": grant.pseudonym, **told}), flush=True)
        return all(value is not False for value in told.values())

    def session(self, recordings, listener):
        for at in range(0, len(recordings), MAX_LEASES):
            for lease in self.lease(recordings[at:at + MAX_LEASES]):
                if lease.grant is not None and self.play(lease.grant):
                    said = listener.readline()
                    self.conclude(lease.grant, said or "SKIPPED")


def options_of(arguments=None):
    parser = argparse.ArgumentParser(description="Plays recordings to one listener, each by a grant of its own.")
    parser.add_argument("recordings", help="JSON lines as `consentctl filter` reads them")
    parser.add_argument("--store", required=True, help="where the audio store is, such as http://127.0.0.1:8080")
    parser.add_argument("--system", default="audio", help="which data system that is")
    parser.add_argument("--country", required=True, help="where the listener is: ISO 3166-1 alpha-2")
    parser.add_argument("--site", default="", help="at which site")
    parser.add_argument("--reviewer", required=True, choices=["EMPLOYEE", "CONTRACTOR"], help="who the listener is")
    parser.add_argument("--listener", required=True, help="the listener, by a name of the tool's")
    parser.add_argument("--speaker", required=True, help="the file that takes what would be played")
    return parser.parse_args(arguments)


def main():
    options = options_of()
    with open(options.recordings, encoding="utf-8") as lines:
        recordings = [consent_client.recording_of(line) for line in lines]
    try:
        with consent_client.connect() as client, open(options.speaker, "ab") as speaker:
            Player(client, options, speaker).session(recordings, sys.stdin)
    except grpc.RpcError as error:
        print(f"player: no grants: {consent_client.error_of(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
