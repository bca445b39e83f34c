"""
One run as the catalogue keeps it: its fields, and the form in which a changed run lies in the file.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from aim.core.statuses import FAILED, FINISHED, LOST
from aim.storage.catalogue.catalogue_row import (
    FIELD_NAMES,
    CatalogueRow,
    KindNumbers,
    fields_of,
    from_json,
    pair_kind,
    to_json,
)
from aim.storage.forms.check_ins import CheckIn
from aim.storage.forms.history import ForkedFrom
from aim.storage.forms.state import RunState, WriterInfo
from tests.storage.catalogue.table_model import STORED_KINDS, random_row


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("float", "metric"), ("int", "metric"), ("number", "metric"), ("aim.image", "images"),
        ("list(aim.image)", "images"), ("aim.text", "texts"), ("acme.mesh", "acme.mesh"),
        ("list(acme.mesh)", "acme.mesh"), ("list(int)", "list(int)"), ("list(float)", "list(float)"), ("list", "list"),
    ],
)  # fmt: skip
def test_a_stored_kind_has_the_name_of_a_subject(stored: str, expected: str) -> None:
    """
    Lists are asked for as their elements are; a list of numbers is no metric.
    """
    assert expected == pair_kind(stored)


def test_kinds_are_numbered_in_the_order_in_which_they_are_met() -> None:
    """
    A kind keeps its number; numbers go on after those of a file.
    """
    kinds = KindNumbers(["float"])

    assert [1, 0, 2, 1] == [kinds.number(name) for name in ("int", "float", "aim.text", "int")]
    assert ["float", "int", "aim.text"] == kinds.names


# fields


def ended(state: str = "finished", error: str | None = None, at_s: float = 9.0) -> WriterInfo:
    """Return a writer that has ended."""
    return WriterInfo("0a1b2c3d", end={"state": state, "error": error}, ended_at_s=at_s, heard_at_s=at_s)


def test_a_run_of_which_nothing_was_said_has_its_defaults() -> None:
    """
    A bare run has a name, an experiment, no tags and notes, and was lost when it was made.
    """
    expected: dict[str, object] = {
        "hash": "3df7", "name": "Run: 3df7", "description": None, "experiment": "default", "tags": [],
        "archived": False, "notes": [], "creation_time": 5.0, "update_time": 5.0, "status": LOST, "error": None,
        "end_time": 5.0,
    }  # fmt: skip

    assert expected == fields_of(RunState("3df7", created_at_s=5.0))
    assert set(expected) <= set(FIELD_NAMES)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"properties": {"name": "x", "description": "d", "experiment": "e", "archived": 1}},
         {"name": "x", "description": "d", "experiment": "e", "archived": True}),
        ({"properties": {"notes": "text"}}, {"notes": [{"content": "text"}]}),
        ({"properties": {"notes": [{"content": "a"}]}}, {"notes": [{"content": "a"}]}),
        ({"properties": {"notes": None}}, {"notes": []}),
        ({"tags": {"b": 1.0, "a": 2.0}}, {"tags": ["b", "a"]}),
        ({"created_at_s": 5, "latest_at_s": 8}, {"creation_time": 5.0, "update_time": 8.0}),
        ({"writers": {"w": ended()}}, {"status": FINISHED, "end_time": 9.0, "error": None}),
        ({"writers": {"w": ended("failed", "OSError")}}, {"status": FAILED, "end_time": 9.0, "error": "OSError"}),
        ({"forked_from": ForkedFrom("parent", 7, 1.0)}, {"forked_from": "parent"}),
    ],
)  # fmt: skip
def test_fields_are_what_the_state_says(changed: dict[str, Any], expected: dict[str, object]) -> None:
    """
    Properties, tags, times, status and fork, in the types that columns have.
    """
    fields = fields_of(RunState("3df7", **changed))

    assert expected == {name: fields[name] for name in expected}
    assert all(type(fields[name]) is float for name in ("creation_time", "update_time", "end_time"))


@pytest.mark.parametrize(("check_in", "due_at_s"), [(CheckIn(10.0, 5.0), 15.0), (CheckIn(10.0), None), (None, None)])
def test_a_running_run_has_no_end_and_perhaps_a_promise(
    monkeypatch: pytest.MonkeyPatch, check_in: CheckIn | None, due_at_s: float | None
) -> None:
    """
    While a run goes on the next check-in may be due; one that has ended promises nothing.
    """
    monkeypatch.setattr(WriterInfo, "is_alive", lambda self, now_s: True)
    state = RunState("3df7", check_in=check_in, writers={"w": WriterInfo("w")})
    assert (due_at_s, False) == (fields_of(state).get("due_at"), "end_time" in fields_of(state))
    monkeypatch.setattr(WriterInfo, "is_alive", lambda self, now_s: False)

    assert "due_at" not in fields_of(state)


# the form in the file


@pytest.mark.parametrize("seed", range(10))
def test_a_row_comes_back_from_its_form(seed: int) -> None:
    """
    Fields, params, sequences and contexts are the same after JSON; kinds are numbered anew.
    """
    kinds, other = KindNumbers(STORED_KINDS), KindNumbers(reversed(STORED_KINDS))
    row = random_row(random.Random(seed), "run", kinds)
    again = from_json(json.loads(json.dumps(to_json(row, kinds))), other)

    for name in ("fields", "params", "contexts"):
        one, other_part = (sorted(map(repr, getattr(each, name).items())) for each in (row, again))
        assert one == other_part
    assert "run" == again.run_hash
    assert {key: kinds.names[each.stored_kind] for key, each in row.sequences.items()} == {
        key: other.names[each.stored_kind] for key, each in again.sequences.items()
    }
    assert repr([each.summary for each in row.sequences.values()]) == repr(
        [each.summary for each in again.sequences.values()]
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.0, 0.1, 5e-324])
def test_summaries_that_json_has_no_number_for_come_back(value: float) -> None:
    """
    NaN and infinities are texts in the file, and the form is JSON that any tool reads.
    """
    kinds = KindNumbers(STORED_KINDS)
    row = next(row for row in (random_row(random.Random(seed), "run", kinds) for seed in range(50)) if row.sequences)
    key, sequence = next(iter(row.sequences.items()))
    row.sequences[key] = sequence._replace(summary=sequence.summary._replace(last=value, has_nan=True))
    text = json.dumps(to_json(row, kinds), allow_nan=False)
    summary = from_json(json.loads(text), kinds).sequences[key].summary

    assert repr(row.sequences[key].summary) == repr(summary)


@pytest.mark.parametrize("missing", ["hash", "fields", "leaves", "sequences", "contexts"])
def test_a_form_without_a_part_is_damage(missing: str) -> None:
    """
    Each part of a row is needed.
    """
    form = to_json(CatalogueRow("run", {"name": "x"}), KindNumbers())
    del form[missing]
    with pytest.raises(KeyError):
        from_json(form, KindNumbers())
