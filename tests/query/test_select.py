"""
The rows for which a test is true: every way to evaluate a leaf has the same answer, and none evaluates too much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from aim.query import plan, tree
from aim.query.arrays import BoolArray
from aim.query.check import check
from aim.query.columns import CodedColumn, InputColumn, ListedColumn
from aim.query.functions import Clock
from aim.query.limits import Budget, TooMuch
from aim.query.operators import MISSING
from aim.query.plan import Leaf, Test
from aim.query.select import Domain, SharedAnswers, holds
from aim.query.syntax import parse

CLOCK = Clock(0.0)


class Rows:
    """Rows whose inputs are lists; counts the values that are read."""

    def __init__(self, given: Mapping[str, Sequence[Any]], *, listed: bool = False) -> None:
        self.given = given
        self.size = len(next(iter(given.values())))
        self.listed = listed
        self.asked: list[tuple[str, int]] = []

    def column(self, source: tree.Source) -> InputColumn:
        """The input of one param."""
        assert isinstance(source, tree.RunParam)
        name = str(source.path[0])
        column = self.given[name]
        if self.listed:

            def make(row: int) -> Any:
                self.asked.append((name, row))
                return column[row]

            return ListedColumn(np.arange(self.size), make)
        distinct = list(dict.fromkeys(value for value in column if value is not MISSING))
        codes = [-1 if value is MISSING else distinct.index(value) for value in column]
        return CodedColumn(np.array(codes, dtype=np.int32), distinct)

    def shared_answers(self, leaf: Leaf) -> BoolArray | None:
        """Return None: the rows are evaluated here."""
        return None


def test_of(text: str) -> Test:
    """Return the test of a query with one clause."""
    parsed = parse(text)
    assert parsed is not None
    (clause,) = plan.plan(check(parsed, text, "run", CLOCK), text, CLOCK)
    return clause.test


test_of.__test__ = False  # type: ignore[attr-defined]


def answers(text: str, rows: Rows, budget: Budget | None = None) -> list[bool]:
    """Evaluate one clause on all rows."""
    return holds(test_of(text), Domain(rows), budget or Budget()).tolist()  # type: ignore[no-any-return]


MANY: dict[str, list[Any]] = {
    "a": [n % 7 if n % 5 else MISSING for n in range(300)],
    "b": [(n * 3) % 11 for n in range(300)],
    "c": [f"text {n % 3}" for n in range(300)],
}


@pytest.mark.parametrize(
    "text",
    [
        "run.a == 3",
        "run.a > 3",
        "run.a == run.b",
        "run.a * run.b > 12",
        "run.a % run.b == 0",
        "len(run.c) + run.a > 8",
        "run.a == None or run.b > 5 or run.c == 'text 1'",
        "not (run.a == 1 or run.b == 2)",
        "run.a if run.b > 4 else run.c == 'text 2'",
        "run.a in [1, 2] and run.b in [1, 2] or run.c.endswith('1')",
        "str(run.a) in run.c",
        "run.a < run.b < 9",
        "1 < 2",
        "(x := run.a) and x > 3",
    ],
)
def test_columns_and_rows_answer_alike(text: str) -> None:
    """
    Codes, combinations of codes and single rows have the same answers.
    """
    expected = [answers(text, Rows({name: [column[row]] for name, column in MANY.items()}))[0] for row in range(300)]

    assert expected == answers(text, Rows(MANY))
    assert expected == answers(text, Rows(MANY, listed=True))


def test_and_does_not_ask_what_is_lost() -> None:
    """
    The second item is not evaluated on rows for which the first is false.
    """
    rows = Rows({"a": [1, 0, 1], "b": [1, 1, 0]}, listed=True)
    parsed = parse("(run.a and run.b) or False")
    assert parsed is not None

    assert [True, False, False] == answers("(run.a and run.b) or False", rows)
    assert [row for name, row in rows.asked if name == "b"] == [0, 2]


def test_or_does_not_ask_what_is_won() -> None:
    """
    The second item is not evaluated on rows for which the first is true.
    """
    rows = Rows({"a": [1, 0, 1], "b": [1, 1, 0]}, listed=True)

    assert [True, True, True] == answers("run.a or run.b", rows)
    assert [row for name, row in rows.asked if name == "b"] == [1]


def test_if_asks_each_side_of_its_own_rows() -> None:
    """
    `then` is evaluated where the test is true, `otherwise` where it is false.
    """
    rows = Rows({"a": [1, 0, 1], "b": [1, 1, 0], "c": [0, 0, 0]}, listed=True)

    assert [True, False, False] == answers("run.b if run.a else run.c", rows)
    assert {("b", 0), ("b", 2), ("c", 1)} == {one for one in rows.asked if one[0] != "a"}


class Looked(list[Any]):
    """A list that records which of its items are read."""

    def __init__(self, items: Sequence[Any]) -> None:
        super().__init__(items)
        self.looked: list[object] = []

    def __getitem__(self, place: Any) -> Any:
        self.looked.append(place)
        return super().__getitem__(place)


def test_a_narrow_domain_asks_only_the_values_that_are_left() -> None:
    """
    Of a thousand distinct values only those of the two rows in the domain are evaluated.
    """
    values = Looked([f"value {n}" for n in range(1000)])

    class OneColumn(Rows):
        def column(self, source: tree.Source) -> InputColumn:
            return CodedColumn(np.arange(1000, dtype=np.int32), values)

    domain = Domain(OneColumn({"a": range(1000)}), np.array([3, 7]))

    assert [False, True] == holds(test_of("run.a.endswith('7')"), domain, Budget()).tolist()
    assert [3, 7] == values.looked


def test_each_distinct_value_is_evaluated_once() -> None:
    """
    Of a hundred rows with two values each value is read once; rows without a value are answered too.
    """
    values = Looked(["seven 7", "eight 8"])
    codes = np.array([number % 3 - 1 for number in range(100)], dtype=np.int32)

    class OneColumn(Rows):
        def column(self, source: tree.Source) -> InputColumn:
            return CodedColumn(codes, values)

    answered = holds(test_of("str(run.a)[-1] == '7'"), Domain(OneColumn({"a": range(100)})), Budget())

    assert (codes == 0).tolist() == answered.tolist()
    assert [slice(0, 2)] == values.looked


def test_a_narrow_domain_has_the_first_value_and_rows_without_one() -> None:
    """
    The first of a thousand distinct values counts as any other, and a missing value is evaluated once.
    """
    codes = np.array([-1, *range(1000)], dtype=np.int32)

    class OneColumn(Rows):
        def column(self, source: tree.Source) -> InputColumn:
            return CodedColumn(codes, [f"value {number}" for number in range(1000)])

    domain = Domain(OneColumn({"a": range(1001)}), np.array([0, 1, 2]))

    assert [False, True, False] == holds(test_of("str(run.a).endswith('e 0')"), domain, Budget()).tolist()
    assert [True, False, False] == holds(test_of("run.a == None"), domain, Budget()).tolist()


def test_more_combinations_than_numbers_can_count_are_evaluated_by_rows() -> None:
    """
    Five columns of 8,192 values have more combinations than an integer of 64 bits holds; each row has its own answer.
    """
    size, steps = 1 << 13, {"a": 1, "b": 3, "c": 5, "d": 7, "e": 9}
    codes = {name: (np.arange(size) * step % size).astype(np.int32) for name, step in steps.items()}

    class Columns(Rows):
        def column(self, source: tree.Source) -> InputColumn:
            assert isinstance(source, tree.RunParam)
            return CodedColumn(codes[str(source.path[0])], range(size))

    rows = Columns({"a": range(size)})
    domain = Domain(rows, np.arange(0, size, 64))
    expected = [len({int(codes[name][row]) for name in steps}) < 5 for row in range(0, size, 64)]

    assert 8 == sum(expected)
    assert expected == holds(test_of("len({run.a, run.b, run.c, run.d, run.e}) < 5"), domain, Budget()).tolist()


def test_answers_that_are_shared_are_found_once() -> None:
    """
    A leaf about runs alone has one array of answers for all batches; rows that are left out have the answer False.
    """
    rows = Rows({"a": [1, 0, 1, 1]}, listed=True)
    shared = SharedAnswers(rows, np.array([0, 1, 3]), Rows({"b": []}), np.zeros(0, np.int64), Budget())  # type: ignore[arg-type]
    leaf = test_of("run.a")
    assert isinstance(leaf, Leaf)

    assert [True, False, False, True] == shared.answers(leaf).tolist()
    assert shared.answers(leaf) is shared.answers(leaf)
    assert [0, 1, 3] == [row for _, row in rows.asked]


def test_an_empty_domain_has_no_answers() -> None:
    """
    Nothing is evaluated on no rows.
    """
    rows = Rows({"a": [1]}, listed=True)
    domain = Domain(rows, np.zeros(0, dtype=np.int64))

    assert [] == holds(test_of("run.a"), domain, Budget()).tolist()
    assert [] == rows.asked


def test_a_domain_narrows_within_what_is_left() -> None:
    """
    A domain that is narrowed twice has the rows of both masks.
    """
    rows = Rows({"a": [10, 11, 12, 13]})
    domain = Domain(rows).narrowed(np.array([True, False, True, True])).narrowed(np.array([False, True, True]))

    assert [12, 13] == domain.column(tree.RunParam(("a",))).objects()
    assert 2 == domain.size


def test_the_clock_is_looked_at_between_rows() -> None:
    """
    Slow rows end when no time is left, not after the last row.
    """
    rows = Rows({"a": list(range(10_000)), "b": list(range(10_000))}, listed=True)

    with pytest.raises(TooMuch, match="takes longer than 0 s"):
        answers("sorted(range(run.a % 50)) == run.b", rows, Budget(0))


def test_chance_is_asked_for_each_row() -> None:
    """
    Equal rows have random numbers of their own.
    """
    found = answers("run.a < random.random() * 2", Rows({"a": [1] * 2000}))

    assert 500 < sum(found) < 1500


def test_chance_without_inputs_is_asked_for_each_row() -> None:
    """
    A clause of random numbers alone takes a sample of the rows.
    """
    found = answers("random.random() < 0.5", Rows({"a": [1] * 2000}))

    assert 500 < sum(found) < 1500
