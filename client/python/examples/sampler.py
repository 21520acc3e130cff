#!/usr/bin/python3
"""A sampler: takes recordings, one JSON object a line, asks consentd about them in batches, and lets through those that people may listen to.

    sampler.py --country DE --reviewer EMPLOYEE --refused why-not.jsonl < recordings.jsonl > eligible.jsonl

What has arrived is asked about at once, up to 1,000 together, so a slow stream is answered line by line. Where the daemon is and which certificate to
show comes from CONSENT_ENDPOINT, CONSENT_CA, CONSENT_CERT and CONSENT_KEY; the role is SAMPLER. It ends with 0 once all lines were asked about, with 30
where some could not be read, and with 1 at the first batch without an answer, of which nothing passes.
"""

import argparse
import json
import os
import sys

import grpc

import consent_client
from consent.v1 import types_pb2 as types

PURPOSE = types.PURPOSE_HUMAN_REVIEW
MAX_LINE_BYTES = 64 << 10  # the most that recording_of takes


def arriving(most):
    """Yields lists of at most `most` lines of standard input, without waiting for more than have arrived."""
    rest, more = b"", True
    while more:
        read = os.read(sys.stdin.fileno(), 1 << 20)
        more = bool(read)
        *lines, rest = (rest + read).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise ValueError(f"a line has more than {MAX_LINE_BYTES} bytes")
        if not more and rest:
            lines.append(rest)
        for at in range(0, len(lines), most):
            yield lines[at:at + most]


class Sampler:
    def __init__(self, client, place, refused):
        self.client, self.place, self.refused = client, place, refused
        self.counts = {"eligible": 0, "refused": 0, "unreadable": 0}

    def tell(self, recording, reasons):
        self.counts["refused"] += 1
        self.refused.write(json.dumps({"recording_id": recording.recording_id, "reasons": reasons}) + "\n")

    def sample(self, batch):
        asked = []
        for line in batch:
            try:
                asked.append((line, consent_client.recording_of(line)))
            except ValueError as error:
                self.counts["unreadable"] += 1
                print(f"sampler: a line is left out: {error}", file=sys.stderr)
        if not asked:
            return
        answers = self.client.batch_check([recording for _, recording in asked], purpose=PURPOSE, place=self.place)
        for (line, recording), answer in zip(asked, answers):
            if answer.may_use(PURPOSE):
                self.counts["eligible"] += 1
                sys.stdout.buffer.write(line + b"\n")
            else:
                self.tell(recording, [answer.error.reason] if answer.error else answer.reason_names())
        sys.stdout.buffer.flush()
        self.refused.flush()


def arguments():
    parser = argparse.ArgumentParser(description="Lets through the recordings that people may listen to.")
    parser.add_argument("--country", required=True, help="where they would be listened to: ISO 3166-1 alpha-2")
    parser.add_argument("--reviewer", required=True, choices=["EMPLOYEE", "CONTRACTOR"], help="who would listen")
    parser.add_argument("--batch", type=int, default=1000, help="the most that are asked about together, 1 to 1,000")
    parser.add_argument("--refused", default="/dev/null", help="where to write the others, with the reasons")
    options = parser.parse_args()
    if not 1 <= options.batch <= 1000:
        parser.error("--batch must be from 1 to 1000")
    return options


def main():
    options = arguments()
    place = types.Place(country=options.country, reviewer_class=types.ReviewerClass.Value(f"REVIEWER_CLASS_{options.reviewer}"))
    with consent_client.connect() as client, open(options.refused, "a", encoding="utf-8") as refused:
        sampler = Sampler(client, place, refused)
        try:
            for batch in arriving(options.batch):
                sampler.sample(batch)
        except grpc.RpcError as error:
            return give_up(str(consent_client.error_of(error)))
        except (consent_client.NoAnswer, ValueError) as error:
            return give_up(str(error))
    print("sampler: " + ", ".join(f"{count} {what}" for what, count in sampler.counts.items()), file=sys.stderr)
    return 0 if sampler.counts["unreadable"] == 0 else 30


def give_up(why):
    print(f"sampler: no answer, nothing of this batch passes: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
