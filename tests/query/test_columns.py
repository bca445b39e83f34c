"""
Inputs as columns: the value of a param, a field or a metric in each row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core.zones import read_zone
from aim.query import tree
from aim.query.columns import CodedColumn, InputColumn, ListedColumn, PairColumns, RawColumn, RunColumns, within
from aim.query.functions import Clock
from aim.query.operators import MISSING
from aim.query.table import Path
from tests.query.expressions import params
from tests.query.memory_table import MemoryTable, PlainRun, Series

CLOCK = Clock(1_000.0, zone=read_zone(-1))


def column(runs: list[PlainRun], source: tree.Source) -> InputColumn:
    """One input of some runs."""
    return RunColumns(MemoryTable(runs), CLOCK).column(source)


def of_params(*several: dict[Any, Any]) -> list[PlainRun]:
    """Runs with these params."""
    return [PlainRun(one) for one in several]


MIXED = of_params(
    {"hp": {"a": 1}},
    {"hp": {"a": {"b": 2}}},
    {"hp": [10, [20]]},
    {"hp": "text"},
    {"hp": {}},
    {"hp": None},
    {},
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("hp",), [{"a": 1}, {"a": {"b": 2}}, [10, [20]], "text", {}, None, MISSING]),
        (("hp", "a"), [1, {"b": 2}, MISSING, MISSING, MISSING, MISSING, MISSING]),
        (("hp", "a", "b"), [MISSING, 2, MISSING, MISSING, MISSING, MISSING, MISSING]),
        (("hp", 0), [MISSING, MISSING, 10, "t", MISSING, MISSING, MISSING]),
        (("hp", 1, 0), [MISSING, MISSING, 20, "e", MISSING, MISSING, MISSING]),
        (("hp", -1), [MISSING, MISSING, [20], "t", MISSING, MISSING, MISSING]),
        (("hp", 9), [MISSING] * 7),
        (("no",), [MISSING] * 7),
    ],
)
def test_a_param_is_a_leaf_a_dict_or_an_item(path: Path, expected: list[object]) -> None:
    """
    The value at one path may be a leaf, a dict or an item, depending on the run.
    """
    assert expected == column(MIXED, tree.RunParam(path)).objects()


def test_all_params_are_the_document() -> None:
    """
    The empty path stands for all params of the run.
    """
    assert [run.params for run in MIXED] == column(MIXED, tree.RunParam(())).objects()


def test_equal_dicts_are_one_value() -> None:
    """
    A dict that several runs share is made once.
    """
    made = column(of_params({"hp": {"a": 1}}, {"hp": {"a": 2}}, {"hp": {"a": 1}}), tree.RunParam(("hp",)))

    assert isinstance(made, CodedColumn)
    assert 2 == len(made.values)


@given(
    st.lists(params, min_size=1, max_size=5),
    st.lists(st.sampled_from(["a", "hp", "l", "lr", 0, -1]), min_size=1, max_size=4),
)
def test_random_paths_are_those_of_the_nested_params(several: list[dict[Any, Any]], path: list[Any]) -> None:
    """
    The columns of leaves hold the same values as the nested params.
    """
    made = column(of_params(*several), tree.RunParam(tuple(path))).objects()
    expected = [within(one, tuple(path)) for one in several]

    assert [repr(value) for value in expected] == [repr(value) for value in made]


FACTS = [
    PlainRun(fields={"creation_time": 10.5, "end_time": 20.0, "status": "finished", "archived": True, "name": "a"}),
    PlainRun(fields={"creation_time": 10.0, "status": "running", "update_time": 0.0000005, "done_at": 1030.0}),
    PlainRun(fields={"status": "lost"}),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name", ["a", None, None]),
        ("archived", [True, False, False]),
        ("creation_time", [10.5, 10.0, None]),
        ("end_time", [20.0, None, None]),
        ("duration", [9.5, 990.0, None]),
        ("remaining", [None, 30.0, None]),
        ("active", [False, True, False]),
        ("created_at", [datetime(1970, 1, 1, 0, 1, 10, 500_000), datetime(1970, 1, 1, 0, 1, 10), None]),
        ("finalized_at", [datetime(1970, 1, 1, 0, 1, 20), None, None]),
        ("updated_at", [None, datetime(1970, 1, 1, 0, 1), None]),
        ("status", ["finished", "running", "lost"]),
        ("tags", [[], [], []]),
    ],
)
def test_facts_are_as_stored_or_made_of_what_is_stored(name: str, expected: list[object]) -> None:
    """
    Times are on the reader's clock, a running run lasts until now, and an absent value is None.
    """
    assert expected == column(FACTS, tree.RunField(name)).objects()


def test_metrics_of_runs_are_found_by_name_and_context() -> None:
    """
    A name may have several contexts; numbers in contexts compare by value.
    """
    runs = [
        PlainRun(
            series=[Series("loss", {"fold": 1}, values=[3.0], steps=[5]), Series("loss", {}, values=[4.0], steps=[6])]
        ),
        PlainRun(series=[Series("loss", {"fold": 1.0}, "images", steps=[5])]),
        PlainRun(),
    ]

    def values(context: str, summary: str) -> list[object]:
        return column(runs, tree.RunMetric("loss", context, summary)).objects()

    assert [3.0, MISSING, MISSING] == values('{"fold":1}', "last")
    assert [4.0, MISSING, MISSING] == values("{}", "max")
    assert [5, MISSING, MISSING] == values('{"fold":1}', "last_step")
    assert [True, MISSING, MISSING] == values("{}", "")
    assert [MISSING] * 3 == values('{"fold":2}', "last")
    assert [MISSING] * 3 == values("{}", "record_max_length")
    assert [False, MISSING, MISSING] == values("{}", "has_nan")


def test_an_input_is_made_once() -> None:
    """
    Clauses with the same param share its column.
    """
    columns = RunColumns(MemoryTable(MIXED), CLOCK)

    assert columns.column(tree.RunParam(("hp", "a"))) is columns.column(tree.RunParam(("hp", "a")))


def test_pairs_have_names_contexts_and_types() -> None:
    """
    Equal names are one value; every pair has a context of its own.
    """
    run = PlainRun(series=[Series("a", {}, values=[1.0], steps=[0]), Series("a", {"s": 1}, "images", steps=[0])])
    columns = PairColumns(MemoryTable([run]))

    assert ["a", "a"] == columns.column(tree.PairField("name")).objects()
    assert 1 == len(columns.column(tree.PairField("name")).values)
    assert [{}, {"s": 1}] == columns.column(tree.PairField("context")).objects()
    assert [2, 1] == columns.column(tree.PairField("version")).objects()


INDEX = np.array([2, 0])


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (CodedColumn(np.array([0, 1, -1], dtype=np.int32), ["a", "b"]), [MISSING, "a"]),
        (CodedColumn(np.array([0, 1, -1], dtype=np.int32), ["a", "b"], None), [None, "a"]),
        (RawColumn(np.array([1, 2, 3])), [3, 1]),
        (RawColumn(np.array([1.5, 2, 3]), np.array([True, True, False])), [MISSING, 1.5]),
        (RawColumn(np.array([1.0, 2, 3]), None, None, lambda value: f"<{value}>"), ["<3.0>", "<1.0>"]),
        (RawColumn(np.array([True, False, False])), [False, True]),
        (ListedColumn(np.arange(3), lambda key: key * 10), [20, 0]),
    ],
)
def test_facts_of_some_rows_are_in_the_order_asked(facts: InputColumn, expected: list[object]) -> None:
    """
    `at` returns the rows in the order of the index, with Python's types.
    """
    found = facts.at(INDEX).objects()

    assert expected == found
    assert [type(value) for value in expected] == [type(value) for value in found]


def test_numbers_say_which_rows_have_one() -> None:
    """
    Texts and integers that a float can't hold are not numbers; an absent value is neither.
    """
    facts = CodedColumn(np.array([0, 1, 2, 3, -1], dtype=np.int32), [1, "1", 2**60, True])
    numbers = facts.numbers()
    assert numbers is not None
    assert numbers.is_number is not None
    assert numbers.is_absent is not None

    assert [True, False, False, True, False] == numbers.is_number.tolist()
    assert [False, False, False, False, True] == numbers.is_absent.tolist()
    assert [1.0, 1.0] == numbers.values[[0, 3]].tolist()


def test_large_integers_are_no_floats() -> None:
    """
    A step beyond 2**53 is not a number for numpy.
    """
    numbers = RawColumn(np.array([1, 2**60])).numbers()
    assert numbers is not None
    assert numbers.is_number is not None

    assert [True, False] == numbers.is_number.tolist()


def test_numbers_that_a_table_has_ready_are_used() -> None:
    """
    A column with `numbers` is not converted again.
    """
    ready = (np.array([7.0]), np.array([True]))
    numbers = CodedColumn(np.array([0], dtype=np.int32), [7], MISSING, ready).numbers()

    assert numbers is not None
    assert numbers.values is ready[0]


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        ({"a": {0: "x"}}, ("a", 0), "x"),
        ([1, [2]], (1, 0), 2),
        ("ab", (1,), "b"),
        ("ab", (5,), MISSING),
        ("ab", ("a",), MISSING),
        (5, (0,), MISSING),
        (None, ("a",), MISSING),
        ({"a": 1}, (), {"a": 1}),
    ],
)
def test_a_path_goes_into_dicts_lists_and_texts(value: object, path: Path, expected: object) -> None:
    """
    A key leads into a dict, an index into a list or text, and nothing into other values.
    """
    assert expected == within(value, path)
