"""What an error of the daemon says: the reason, its metadata, the fields at fault, and when to ask again."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping, Optional

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message, message_factory

_DOMAIN = "consent.v1"
_FIELD = descriptor_pb2.FieldDescriptorProto


class NoAnswer(Exception):
    """The daemon replied, and the reply does not say what was asked. Nothing of it may count."""


@dataclasses.dataclass(frozen=True)
class Error:
    """Why a call failed. What to do follows from the code alone (errors.proto): UNAVAILABLE, the same again after a pause; RESOURCE_EXHAUSTED, the
    same again after `retry_after`; ABORTED, read first; every other one, do not repeat. No text names an id."""
    code: grpc.StatusCode
    message: str
    reason: str = ""  # an ErrorReason without its prefix, such as ETAG_MISMATCH; empty where the error is not the daemon's
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)  # path such as `changes[0].target.control` -> what is wrong, and the bound
    retry_after: Optional[float] = None  # seconds

    def __str__(self) -> str:
        head = f"{self.reason or self.code.name}: {self.message}"
        return "\n  ".join([head, *(f"{path}: {text}" for path, text in self.fields.items())])


def _messages() -> dict[str, Any]:
    """google.rpc.Status and its details, in a pool apart: the packages googleapis-common-protos and grpcio-status bring files of the same names, and
    protobuf does not allow two of them in one pool."""
    file = descriptor_pb2.FileDescriptorProto(name="consent_client/status.proto", package="google.rpc", syntax="proto3",
                                              dependency=["google/protobuf/any.proto", "google/protobuf/duration.proto"])

    def add(parent: Any, name: str, *fields: tuple[str, int, int, int, str]) -> Any:
        added = parent.add(name=name)
        for field, number, label, kind, type_name in fields:
            added.field.add(name=field, number=number, label=label, type=kind, type_name=type_name or None)
        return added

    one, many, text, part = _FIELD.LABEL_OPTIONAL, _FIELD.LABEL_REPEATED, _FIELD.TYPE_STRING, _FIELD.TYPE_MESSAGE
    add(file.message_type, "Status", ("code", 1, one, _FIELD.TYPE_INT32, ""), ("message", 2, one, text, ""),
        ("details", 3, many, part, ".google.protobuf.Any"))
    info = add(file.message_type, "ErrorInfo", ("reason", 1, one, text, ""), ("domain", 2, one, text, ""),
               ("metadata", 3, many, part, ".google.rpc.ErrorInfo.MetadataEntry"))
    add(info.nested_type, "MetadataEntry", ("key", 1, one, text, ""), ("value", 2, one, text, "")).options.map_entry = True
    bad = add(file.message_type, "BadRequest", ("field_violations", 1, many, part, ".google.rpc.BadRequest.FieldViolation"))
    add(bad.nested_type, "FieldViolation", ("field", 1, one, text, ""), ("description", 2, one, text, ""))
    add(file.message_type, "RetryInfo", ("retry_delay", 1, one, part, ".google.protobuf.Duration"))
    pool = descriptor_pool.DescriptorPool()
    for known in (any_pb2.DESCRIPTOR, duration_pb2.DESCRIPTOR):
        pool.AddSerializedFile(known.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22 and later
        make = message_factory.GetMessageClass
    else:
        make = message_factory.MessageFactory(pool).GetPrototype
    return {name: make(pool.FindMessageTypeByName(f"google.rpc.{name}")) for name in ("Status", "ErrorInfo", "BadRequest", "RetryInfo")}


_MESSAGES = _messages()


def error_of(rpc_error: grpc.RpcError) -> Error:
    """Of what a stub raised. Details that cannot be read, or are not the daemon's, are left out; code and message are always there."""
    code, text = rpc_error.code(), rpc_error.details() or ""
    trailers = dict(rpc_error.trailing_metadata() or ())
    found: dict[str, Any] = {}
    try:
        status = _MESSAGES["Status"].FromString(trailers.get("grpc-status-details-bin", b""))
        for detail in status.details:
            kind = detail.type_url.rpartition("/")[2].removeprefix("google.rpc.")
            if kind in ("ErrorInfo", "BadRequest", "RetryInfo"):
                found.update(_told(kind, _MESSAGES[kind].FromString(detail.value)))
    except (message.DecodeError, TypeError):
        found = {}
    return Error(code, text, **found)


def _told(kind: str, detail: Any) -> dict[str, Any]:
    if kind == "ErrorInfo":
        return {"reason": detail.reason, "metadata": dict(detail.metadata)} if detail.domain == _DOMAIN else {}
    if kind == "BadRequest":
        return {"fields": {violation.field: violation.description for violation in detail.field_violations}}
    return {"retry_after": detail.retry_delay.seconds + detail.retry_delay.nanos / 1e9}
