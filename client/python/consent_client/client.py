"""A connection to consentd: its stubs, and the two questions whose answers cannot be read as a yes by accident."""

from __future__ import annotations

import importlib.resources
import os
import threading
import time
from typing import Any, Optional, Sequence

import grpc

from consent.v1 import (approval_service_pb2_grpc, backup_service_pb2_grpc, decision_service_pb2_grpc, deletion_service_pb2_grpc,
                        eligibility_service_pb2_grpc, hold_service_pb2_grpc, key_service_pb2_grpc, policy_service_pb2_grpc, purge_service_pb2_grpc, recording_service_pb2_grpc,
                        review_service_pb2_grpc, settings_service_pb2_grpc, status_service_pb2_grpc, subject_service_pb2_grpc)
from consent.v1 import eligibility_service_pb2 as api
from consent.v1 import types_pb2 as types
from consent_client import endpoint as endpoints
from consent_client.answer import Answer, Clock, answer_of, answer_to_item, since_boot
from consent_client.errors import NoAnswer
from consent_client.reviews import Reviews

MAX_BATCH = 1000
DEFAULT_TIMEOUT = 10.0  # seconds, repetitions included
_REREAD_SECONDS = 1.0
_MAX_MESSAGE_BYTES = 16 << 20


class _Stubs:
    """All services on one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.approvals = approval_service_pb2_grpc.ApprovalServiceStub(channel)
        self.backups = backup_service_pb2_grpc.BackupServiceStub(channel)
        self.decisions = decision_service_pb2_grpc.DecisionServiceStub(channel)
        self.deletions = deletion_service_pb2_grpc.DeletionServiceStub(channel)
        self.eligibility = eligibility_service_pb2_grpc.EligibilityServiceStub(channel)
        self.holds = hold_service_pb2_grpc.HoldServiceStub(channel)
        self.keys = key_service_pb2_grpc.KeyServiceStub(channel)
        self.policies = policy_service_pb2_grpc.PolicyServiceStub(channel)
        self.purges = purge_service_pb2_grpc.PurgeServiceStub(channel)
        self.systems = purge_service_pb2_grpc.DataSystemServiceStub(channel)
        self.recordings = recording_service_pb2_grpc.RecordingServiceStub(channel)
        self.reviews = review_service_pb2_grpc.ReviewServiceStub(channel)
        self.settings = settings_service_pb2_grpc.SettingsServiceStub(channel)
        self.status = status_service_pb2_grpc.StatusServiceStub(channel)
        self.subjects = subject_service_pb2_grpc.SubjectServiceStub(channel)


class Client:
    """Thread-safe; make one and share it. Close it, or use it in a `with`.

    The stubs raise grpc.RpcError where a call fails; `error_of` says what the daemon said. gRPC itself repeats what may be repeated, by the service
    config of consent.v1, which also ends those calls after 10 seconds; give other calls a `timeout`.
    """

    def __init__(self, target: str, files: Optional[endpoints.Files] = None, clock: Clock = since_boot) -> None:
        """Use connect(). Raises ValueError where the files are no good."""
        self._target, self._files, self._clock = target, files, clock
        self._lock = threading.Lock()
        self._retired: Optional[grpc.Channel] = None
        self._stamp = files.stamp() if files else None
        self._looked_at = time.monotonic()
        self._stubs = _Stubs(self._open())

    def _open(self) -> grpc.Channel:
        config = importlib.resources.files("consent.v1").joinpath("service_config.json").read_text(encoding="utf-8")
        options = [("grpc.service_config", config), ("grpc.service_config_disable_resolution", 1),
                   ("grpc.enable_http_proxy", 0),  # ids never travel through a proxy from the environment
                   ("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 1000),
                   ("grpc.min_reconnect_backoff_ms", 3000),  # in spite of its name how long one attempt to connect may take
                   ("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 10_000),
                   ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES)]
        if self._target.startswith("unix:"):
            options.append(("grpc.default_authority", "localhost"))
        if self._files is None:
            return grpc.insecure_channel(self._target, options=options)
        return grpc.secure_channel(self._target, grpc.ssl_channel_credentials(*self._files.read()), options=options)

    def _current(self) -> _Stubs:
        """The stubs, on a new channel once the files of TLS were replaced by others that are good."""
        if self._files is None:
            return self._stubs
        with self._lock:
            if time.monotonic() - self._looked_at < _REREAD_SECONDS:
                return self._stubs
            self._looked_at = time.monotonic()
            try:
                stamp = self._files.stamp()
                if stamp == self._stamp:
                    return self._stubs
                opened = self._open()
            except (OSError, ValueError):
                return self._stubs  # in the middle of being replaced: looked at again in a second
            # What is under way goes on; the channel before that has had its time.
            if self._retired is not None:
                self._retired.close()
            self._retired, self._stubs, self._stamp = self._stubs.channel, _Stubs(opened), stamp
            return self._stubs

    @property
    def channel(self) -> grpc.Channel:
        """For calls that the stubs do not make, such as server reflection."""
        return self._current().channel

    @property
    def approvals(self) -> approval_service_pb2_grpc.ApprovalServiceStub:
        return self._current().approvals

    @property
    def backups(self) -> backup_service_pb2_grpc.BackupServiceStub:
        return self._current().backups

    @property
    def decisions(self) -> decision_service_pb2_grpc.DecisionServiceStub:
        return self._current().decisions

    @property
    def deletions(self) -> deletion_service_pb2_grpc.DeletionServiceStub:
        return self._current().deletions

    @property
    def eligibility(self) -> eligibility_service_pb2_grpc.EligibilityServiceStub:
        return self._current().eligibility

    @property
    def holds(self) -> hold_service_pb2_grpc.HoldServiceStub:
        return self._current().holds

    @property
    def keys(self) -> key_service_pb2_grpc.KeyServiceStub:
        return self._current().keys

    @property
    def policies(self) -> policy_service_pb2_grpc.PolicyServiceStub:
        return self._current().policies

    @property
    def purges(self) -> purge_service_pb2_grpc.PurgeServiceStub:
        return self._current().purges

    @property
    def systems(self) -> purge_service_pb2_grpc.DataSystemServiceStub:
        return self._current().systems

    @property
    def recordings(self) -> recording_service_pb2_grpc.RecordingServiceStub:
        return self._current().recordings

    @property
    def reviews(self) -> Reviews:
        return Reviews(lambda: self._current().reviews, self._clock)

    @property
    def settings(self) -> settings_service_pb2_grpc.SettingsServiceStub:
        return self._current().settings

    @property
    def status(self) -> status_service_pb2_grpc.StatusServiceStub:
        return self._current().status

    @property
    def subjects(self) -> subject_service_pb2_grpc.SubjectServiceStub:
        return self._current().subjects

    def check(self, recording: types.Recording, *, purpose: types.Purpose, place: Optional[types.Place] = None, full: bool = False, at_least_revision: str = "",
              selection: Any = types.SELECTION_UNSPECIFIED, timeout: float = DEFAULT_TIMEOUT) -> Answer:
        """Asks about one recording. Raises grpc.RpcError where the call fails and NoAnswer where the reply has no decision: neither is a yes.
        PURPOSE_UNSPECIFIED asks for the disposition alone."""
        request = api.CheckRequest(recording=recording, purpose=purpose, place=place, view=_view(full), selection=selection,
                                   at_least_revision=at_least_revision)
        sent = self._clock()
        response = self._current().eligibility.Check(request, timeout=timeout)
        if not response.HasField("decision"):
            raise NoAnswer("the daemon's reply has no decision")
        return answer_of(response.decision, response, purpose, sent, self._clock)

    def batch_check(self, recordings: Sequence[types.Recording], *, purpose: types.Purpose, place: Optional[types.Place] = None, full: bool = False,
                    at_least_revision: str = "", selection: Any = types.SELECTION_UNSPECIFIED, timeout: float = DEFAULT_TIMEOUT) -> list[Answer]:
        """Asks about 1 to 1,000 recordings (else ValueError). Answers in their order, one for each; one that could not be asked about has an `error`
        and is a no. Raises as check() does, and NoAnswer where there are more or fewer answers than recordings: then none counts."""
        if not 1 <= len(recordings) <= MAX_BATCH:
            raise ValueError(f"a batch must have 1 to 1,000 recordings, this one has {len(recordings)}")
        request = api.BatchCheckRequest(recordings=recordings, purpose=purpose, place=place, view=_view(full), selection=selection,
                                        at_least_revision=at_least_revision)
        sent = self._clock()
        response = self._current().eligibility.BatchCheck(request, timeout=timeout)
        if len(response.results) != len(recordings):
            raise NoAnswer(f"the daemon answered {len(response.results)} of {len(recordings)} recordings")
        return [answer_to_item(result, response, purpose, sent, self._clock) for result in response.results]

    def eligible(self, recordings: Sequence[types.Recording], *, purpose: types.Purpose, place: Optional[types.Place] = None, **more: Any) -> list[types.Recording]:
        """Those of 1 to 1,000 recordings that may be used for the purpose now, in their order. Raises as batch_check() does."""
        answers = self.batch_check(recordings, purpose=purpose, place=place, **more)
        return [recording for recording, answer in zip(recordings, answers) if answer.may_use(purpose)]

    def close(self) -> None:
        """Ends what is under way."""
        with self._lock:
            if self._retired is not None:
                self._retired.close()
            self._stubs.channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _view(full: bool) -> api.DecisionView:
    return api.DECISION_VIEW_FULL if full else api.DECISION_VIEW_BASIC


def connect(endpoint: Optional[str] = None, *, ca: Optional[str] = None, certificate: Optional[str] = None, key: Optional[str] = None,
            clock: Clock = since_boot) -> Client:
    """A client of the daemon at `unix:/path`, `HOST:port` or `[IPv6]:port`; over TLS with the three PEM files, which are read again when they change.

    What is not given comes from CONSENT_ENDPOINT, CONSENT_CA, CONSENT_CERT and CONSENT_KEY; without an endpoint it is the default of consentctl. A
    Unix socket does without the files. Raises ValueError, before anything is sent, where these cannot be used. Waits for no connection.
    """
    where = endpoints.endpoint_of(endpoint, os.environ, os.geteuid() == 0)
    files = endpoints.files_of(ca, certificate, key, os.environ)
    if where.startswith("unix:"):
        files = None
    return Client(endpoints.target_of(where, files is not None), files, clock)
