"""
Values as they stand in answers, which are valid JSON for every parser.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from aim.server.answers import (
    Refusal,
    json_answer,
    json_bytes,
    missing,
    wire_cell,
    wire_context,
    wire_number,
    wire_numbers,
    wire_value,
    wrong,
)

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (0, 0),
        (2**70, 2**70),
        (True, True),
        (-0.0, -0.0),
        (5e-324, 5e-324),
        (NAN, "NaN"),
        (INFINITE, "Infinity"),
        (-INFINITE, "-Infinity"),
    ],
)
def test_a_number_keeps_its_digits_and_what_json_lacks_is_a_string(value: Any, expected: Any) -> None:
    """Integers of any size stay integers."""
    assert repr(expected) == repr(wire_number(value))
    assert [repr(expected)] * 2 == list(map(repr, wire_numbers([value, value])))
    assert repr(expected) == repr(json.loads(json_bytes(wire_number(value))))


@pytest.mark.parametrize(
    ("value", "cell", "in_params"),
    [
        (NAN, "NaN", {"$float": "nan"}),
        (0.5, 0.5, 0.5),
        ([NAN], [{"$float": "nan"}], [{"$float": "nan"}]),
        ("adam", "adam", "adam"),
    ],
)
def test_a_float_by_itself_is_a_number_and_among_params_a_param(value: Any, cell: Any, in_params: Any) -> None:
    """Cells have the short form; params the one of the event lines, from which the value can be read back."""
    assert (cell, in_params) == (wire_cell(value), wire_value(value))


def test_what_is_no_param_is_answered_as_text() -> None:
    """An answer never fails because of one value."""

    class Unknown:
        def __str__(self) -> str:
            return "a thing"

    assert ("a thing", "a thing") == (wire_value(Unknown()), wire_cell(Unknown()))


def test_a_context_keeps_its_shape() -> None:
    """Dicts and lists inside keep theirs; tuples are lists; numbers that JSON lacks are strings."""
    context = {"subset": "val", "lr": NAN, "inner": {"best": INFINITE, "is": True}, "folds": (1, [-INFINITE, None])}
    assert {
        "subset": "val",
        "lr": "NaN",
        "inner": {"best": "Infinity", "is": True},
        "folds": [1, ["-Infinity", None]],
    } == wire_context(context)


def test_json_is_compact_utf8_without_numbers_that_it_lacks() -> None:
    """Lone surrogates, which UTF-8 lacks, are question marks; NaN is an error of ours, never sent."""
    assert '{"a":[1,"ö"]}'.encode() == json_bytes({"a": [1, "ö"]})
    assert b'"?"' == json_bytes("\udc80")
    with pytest.raises(ValueError, match="JSON"):
        json_bytes(NAN)


@pytest.mark.parametrize(
    ("refusal", "status", "kind"), [(wrong("No x."), 400, "request"), (missing("No x."), 404, "not-found")]
)
def test_a_refusal_has_status_kind_and_message(refusal: Refusal, status: int, kind: str) -> None:
    """The message is that of the exception, so that a log has it too."""
    assert (status, {"kind": kind, "message": "No x."}, "No x.") == (refusal.status, refusal.body, str(refusal))


def test_a_refusal_may_say_more() -> None:
    """Other fields stand beside kind and message, and an answer has the status that is asked for."""
    refusal = Refusal(409, "conflict", "It changed.", revision=3)
    answer = json_answer(refusal.body, refusal.status)
    assert (409, {"kind": "conflict", "message": "It changed.", "revision": 3}, "application/json") == (
        answer.status_code,
        json.loads(bytes(answer.body)),
        answer.media_type,
    )
