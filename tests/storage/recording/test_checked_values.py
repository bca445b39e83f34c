"""
A refused call leaves nothing behind: no sequence, no type, no step and no half of a dict.
"""

from __future__ import annotations

import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Image, Run, Text
from aim.core.errors import AimError, IncompatibleValue
from aim.sdk.objects.custom import CustomObject
from aim.storage.recording.checked_values import names_of
from aim.storage.recording.writer import Writer

WRONG = [
    {"step": math.nan},
    {"step": 0.25},
    {"step": "7"},
    {"step": 2**63},
    {"epoch": "one"},
    {"epoch": 10**400},
    {"context": {"a": object()}},
    {"name": ""},
]
VALUES = [1, 0.5, 2**60, np.float32(0.5), Text("a"), [Text("a")], [1, 2], [], Image(np.zeros((2, 2), np.uint8))]


class Mesh(CustomObject):
    """An object of a user's own class whose field can't be JSON."""

    AIM_NAME = "acme.mesh"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """A run without what records by itself."""
    run = Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False)
    yield run
    run.close()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: re.sub(" at 0x[0-9a-f]+", "", str(wrong)))
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_refused_call_leaves_no_sequence(run: Run, value: Any, wrong: dict[str, Any]) -> None:
    """
    Whatever the value is: when the step, epoch, context or name is wrong, no sequence is declared and no type is fixed.
    """
    with pytest.raises((AimError, OverflowError)):
        run.track(value, **{"name": "x", **wrong})

    assert [] == list(run.iter_sequence_info_by_type("*"))
    run.track(Text("any other type"), name="x")
    run.track(0.5, name="y")
    assert [0.5] == [metric.values.last_value() for metric in run.metrics()]


@pytest.mark.parametrize("value", [None, "text", 2**63, object(), [object()], [2**63], [Text("a"), None], 1j])
def test_a_refused_value_leaves_no_sequence(run: Run, value: Any) -> None:
    """
    A value or a member of a list that can't be tracked leaves no sequence either.
    """
    with pytest.raises((AimError, OverflowError)):
        run.track(value, name="x")

    assert [] == list(run.iter_sequence_info_by_type("*"))


def test_an_object_whose_fields_are_no_json_is_refused_before_anything_is_declared(run: Run) -> None:
    """
    A class of the user's own may hold anything: what can't be stored of it is said, and leaves no sequence.
    """
    with pytest.raises(ValueError, match=r"A field of the acme.mesh for 'x' is no JSON value: .* Give texts, numbers"):
        run.track(Mesh({"vertices": {1, 2}}), name="x")

    assert [] == list(run.iter_sequence_info_by_type("*"))


@pytest.mark.parametrize(
    "wrong",
    [{"b": None}, {"b": "text"}, {"b": Text("a")}, {"b": 2**63}, {"": 1}, {"b": [1.0]}, {"b": [None]}],
    ids=str,
)
def test_a_refused_dict_records_none_of_its_values(run: Run, wrong: dict[str, Any]) -> None:
    """
    A dict is recorded as a whole or not at all, also when its last value is of another type than its sequence.
    """
    run.track({"a": 1.0, "b": 2.0})
    with pytest.raises((AimError, OverflowError)):
        run.track({"a": 3.0, "new": 4.0, **wrong})

    assert {"a": [1.0], "b": [2.0]} == {metric.name: metric.values.tolist() for metric in run.metrics()}
    run.track({"a": 5.0})
    assert [0, 1] == run.get_metric("a").indices


def test_two_keys_with_one_text_are_refused() -> None:
    """
    The keys 1 and '1' are one name: one of the two values would replace the other without a word.
    """
    with pytest.raises(ValueError, match="Two keys of the dict are '1'"):
        names_of({1: 0.5, "1": 0.25})


def test_fractional_steps_are_refused_for_each_kind_of_value_and_whole_floats_are_steps(run: Run) -> None:
    """
    `step=i/4` kept two of eight values before; now the first fraction is refused, and 4096.0 is the step 4096.
    """
    loss = run.sequence("loss")
    for value in (0.5, 1, Text("a")):
        with pytest.raises(ValueError, match="use epoch=0.25"):
            run.track(value, name=f"of {type(value).__name__}", step=1 / 4)
    loss.track(0.5, 1.0)
    with pytest.raises(ValueError, match="use epoch=1.5"):
        loss.track(0.25, 1.5)
    loss.track(0.125, 4096.0)

    assert [1, 4096] == run.get_metric("loss").indices
    assert ["loss"] == [name for name, _, _ in run.iter_sequence_info_by_type("*")]


def test_the_error_of_a_type_change_has_the_sentence_of_aim_3_as_its_argument(run: Run) -> None:
    """
    `args[0]` is what scripts compare; the advice stands in `str()`, and survives a process pool.
    """
    run.track(1, name="numbers")
    with pytest.raises(IncompatibleValue) as caught:
        run.track([1], name="numbers")
    expected = "Cannot log value '[1]' on sequence 'numbers'. Incompatible data types."

    assert (expected,) == caught.value.args
    assert f"{expected} It holds int, and this is list(int). Use another name or context." == str(caught.value)
    assert str(caught.value) == str(copy.copy(caught.value))
    with pytest.raises(IncompatibleValue, match=r"Cannot log value '\[0, 1, .{1,60}' on sequence 'numbers'"):
        run.track({"numbers": list(range(1000))})


def test_what_is_checked_is_declared_when_it_is_put(tmp_path: Path) -> None:
    """
    `check` writes nothing; `put` declares the sequence and records the value.
    """
    writer = Writer(tmp_path, "run")
    loss = writer.sequence("loss")
    checked = loss.check(0.5, 7)
    lines = [json.loads(line) for path in tmp_path.glob("*.events.jsonl") for line in path.read_text().splitlines()]

    assert [] == [line for line in lines if "sequence" in line]
    loss.put(checked)
    assert 8 == loss.next_step()
    writer.close()
