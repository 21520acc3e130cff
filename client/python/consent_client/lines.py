"""Reads the recordings that `consentctl filter` reads: one JSON object per line."""

from __future__ import annotations

import json
from typing import Any, Union

from google.protobuf import descriptor, json_format

from consent.v1 import types_pb2 as types

_FIELDS = types.Recording.DESCRIPTOR.fields_by_name
_MAX_LINE_BYTES = 64 << 10
# Data sets commonly say who spoke under this name; that `speakers` is missing then is safe.
_PASSED_OVER = "speaker"
_PLACE = ("country", "site", "reviewer", "reviewer_class")  # consentctl takes them from a line, too


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def _simplified(key: str) -> str:
    letters = "".join(letter for letter in key.lower() if letter.isalnum())
    return letters.removesuffix("s").replace("artifact", "artefact")


_SIMPLE_NAMES = {_simplified(name): name for name in (*_FIELDS, *_PLACE)}


def _full_name(field: descriptor.FieldDescriptor, value: Any) -> Any:
    """`BUTTON` of a wake as `WAKE_BUTTON`."""
    if isinstance(value, list):
        return [_full_name(field, each) for each in value]
    if not isinstance(value, str):
        raise ValueError(f"`{field.name}` must be a name")
    prefix = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return value if value.startswith(prefix) else prefix + value


def recording_of(line: Union[str, bytes]) -> types.Recording:
    """A recording from a line of JSON whose keys are the fields of consent.v1.Recording; enums by short or full name. Keys that are not known are
    passed over, but not one that reads like a known one: a flag that is passed over would let a recording through. Raises ValueError, whose
    text names keys and no values."""
    if len(line if isinstance(line, bytes) else line.encode()) > _MAX_LINE_BYTES:
        raise ValueError(f"a line may have at most {_MAX_LINE_BYTES} bytes")
    try:
        values = json.loads(line, object_pairs_hook=_once)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError("the line is no JSON in UTF-8") from None
    if not isinstance(values, dict):
        raise ValueError("the line is no JSON object")
    known: dict[str, Any] = {}
    for key, value in values.items():
        field = _FIELDS.get(key)
        if key in _PLACE:
            raise ValueError(f"`{key}` says where the recording would be used: say that when asking, and take it out of the line")
        if field is None:
            meant = _SIMPLE_NAMES.get(_simplified(key))
            if meant is not None and key != _PASSED_OVER:
                raise ValueError(f"a key reads like `{meant}` but is written otherwise; write it so")
        elif value is not None:
            known[key] = _full_name(field, value) if field.enum_type is not None else value
    recording = types.Recording()
    for key, value in known.items():
        try:
            json_format.ParseDict({key: value}, recording)
        except json_format.ParseError:
            raise ValueError(f"`{key}` has no value that it may have") from None
    for key in ("recording_id", "account_id"):
        if not getattr(recording, key):
            raise ValueError(f"`{key}` is missing")
    return recording
