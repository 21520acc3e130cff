"""Asks consentd whether a recording may be used, and reads and changes a user's choices.

    import consent_client
    from consent.v1 import types_pb2 as types

    client = consent_client.connect()  # CONSENT_ENDPOINT, CONSENT_CA, CONSENT_CERT, CONSENT_KEY, as consentctl reads them
    for recording in client.eligible(recordings, purpose=types.PURPOSE_HUMAN_REVIEW, place=types.Place(country="DE")):
        ...  # these may be used, and no others

Unknown, missing, failed and stale mean no. See README.md beside the sources.
"""

from consent_client.answer import Answer, ItemError
from consent_client.client import Client, connect
from consent_client.errors import Error, NoAnswer, error_of
from consent_client.lines import recording_of
from consent_client.media_token import MediaTokenRefused, MediaTokenVerifier, OfflineMediaVerifier
from consent_client.reviews import Grant, Lease, MediaPass, Reviews

__all__ = ["Answer", "Client", "Error", "Grant", "ItemError", "Lease", "MediaPass", "MediaTokenRefused", "MediaTokenVerifier", "NoAnswer",
           "OfflineMediaVerifier", "Reviews", "connect", "error_of", "recording_of"]
