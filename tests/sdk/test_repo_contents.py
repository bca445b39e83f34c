"""
What the runs of a repository have together: types of params as one tree, and sequences by type and name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from aim.sdk.repo_contents import TYPE_KEY, ParamTypes, params_info, sequence_info
from aim.sdk.sequence_types import InvalidSequenceType
from aim.storage.forms.state import RunState, SequencePart, SequenceState

INT, FLOAT, STR = ({TYPE_KEY: str(kind)} for kind in (int, float, str))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1], INT),
        ([1, "a"], INT),
        ([{}], {TYPE_KEY: str(dict)}),
        ([[]], {TYPE_KEY: str(list)}),
        ([None], {TYPE_KEY: str(type(None))}),
        ([{"lr": 0.1}], {"lr": FLOAT}),
        ([{"lr": 0.1}, {"wd": 1}], {"lr": FLOAT, "wd": INT}),
        ([{"lr": 0.1}, {}], {"lr": FLOAT}),
        ([{"lr": 0.1}, 5], {TYPE_KEY: str(int), "lr": FLOAT}),
        ([[1, "a"]], [INT, STR]),
        ([[1], [1, "a"]], [INT, STR]),
        ([[], [1]], [INT]),
        ([[1], {"a": 1}], {0: INT, "a": INT}),
        ([[1], 5], {TYPE_KEY: str(int), 0: INT}),
        ([{"a": {"b": [1, {"c": 0.5}]}}], {"a": {"b": [INT, {"c": FLOAT}]}}),
    ],
)
def test_params_of_many_runs_are_one_tree_of_types(values: Sequence[object], expected: Any) -> None:
    """
    The first plain value gives the type; where runs differ, one dict has the type, the keys and the items.
    """
    types = ParamTypes()
    for value in values:
        types.add(value)

    assert expected == types.tree()


def test_runs_without_params_add_nothing() -> None:
    """
    The tree is that of the others, and an empty dict when no run has params.
    """
    states = [RunState("a"), RunState("b", tree={"lr": 0.1}), RunState("c", tree={})]

    assert {"lr": FLOAT} == params_info(states)
    assert {} == params_info(states[:1]) == params_info([])


def state_of(*sequences: tuple[str, dict[str, Any], str]) -> RunState:
    """Return a run that has sequences of these names, contexts and kinds; a sequence of kind "" has no points."""
    state = RunState("run")
    for name, context, kind in sequences:
        text = str(sorted(context.items()))
        parts = [SequencePart("writer", 1, kind)] if kind else []
        state.sequences[(name, text)] = SequenceState(name, context, text, parts)
    return state


def test_sequences_are_listed_by_type_and_name() -> None:
    """
    A context that several runs have is listed once, names are sorted, and sequences without points are left out.
    """
    states = [
        state_of(("loss", {"s": 1}, "float"), ("loss", {}, "int"), ("cat", {}, "aim.image"), ("none", {}, "")),
        state_of(
            ("loss", {"s": 1}, "float"), ("acc", {}, "float"), ("cat", {}, "list(aim.image)"), ("mesh", {}, "a.b")
        ),
    ]

    assert {"metric": {"acc": [{}], "loss": [{"s": 1}, {}]}, "images": {"cat": [{}]}} == sequence_info(
        states, ("metric", "images")
    )
    assert {"texts": {}} == sequence_info(states, "texts")
    with pytest.raises(InvalidSequenceType):
        sequence_info(states, "nothing")
