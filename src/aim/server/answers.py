"""
Answers as JSON: numbers, params, contexts and errors. Specified in docs/formats/wire.md, sections 1 and 2.

JSON has no NaN and no infinity: such a number is a string, `"NaN"`, `"Infinity"` or `"-Infinity"`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from aim.core import params
from aim.core.errors import UnstorableParam

JSON_TYPE = "application/json"


class Refusal(Exception):
    """
    An error that is answered with its status, kind and message.

    >>> Refusal(404, "not-found", "No run 3df7 in this repository.").body
    {'kind': 'not-found', 'message': 'No run 3df7 in this repository.'}
    """

    def __init__(self, status: int, kind: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, object] = {"kind": kind, "message": message, **more}


def wrong(message: str) -> Refusal:
    """Return the error for a wrong request."""
    return Refusal(400, "request", message)


def missing(message: str) -> Refusal:
    """Return the error for something that does not exist."""
    return Refusal(404, "not-found", message)


def json_bytes(value: object) -> bytes:
    """Return *value* as compact JSON in UTF-8. Its numbers must be finite."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def json_answer(value: object, status: int = 200) -> Response:
    """Return the answer whose body is *value* as JSON."""
    return Response(json_bytes(value), status, media_type=JSON_TYPE)


def wire_number(value: float | int | None) -> float | int | str | None:
    """
    Return a number as it stands in an answer.

    >>> wire_number(0.5), wire_number(float("-inf")), wire_number(None)
    (0.5, '-Infinity', None)
    """
    if value is None or isinstance(value, int) or math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def wire_numbers(values: Iterable[float | int | None]) -> list[float | int | str | None]:
    """Return numbers as they stand in an answer."""
    return [wire_number(value) for value in values]


def wire_value(value: object) -> Any:
    """
    Return a value of a param as it stands in an answer: the JSON form of events.md.

    >>> wire_value({"lr": 0.1, "best": float("nan")})
    {'lr': 0.1, 'best': {'$float': 'nan'}}
    """
    try:
        return params.encode(value)
    except (UnstorableParam, OverflowError):
        return str(value)


def wire_cell(value: object) -> Any:
    """Return a value of a run by itself: numbers as numbers, all else as a param."""
    if isinstance(value, float):
        return wire_number(value)
    return wire_value(value)


def wire_context(context: Mapping[str, object]) -> Any:
    """Return a context as it stands in an answer."""
    return {name: _context_value(value) for name, value in context.items()}


def _context_value(value: object) -> Any:
    if isinstance(value, Mapping):
        return wire_context(value)
    if isinstance(value, (list, tuple)):
        return [_context_value(item) for item in value]
    return wire_number(value) if isinstance(value, float) else value
