"""
The rows for which a test is true.

A *domain* is a set of rows: of runs, pairs, or sequences. `holds` returns one bool for each row. It descends into the
test and skips the rows that a part of an `and` or `or` has already decided. It evaluates a leaf in the cheapest way:

    inputs of the leaf                                      evaluated
    none                                                    once
    numbers, compared or added up                           by numpy, and the unsure rows one by one
    one, with codes                                         for each distinct value in the rows
    several, with codes                                     for each distinct combination in the rows
    others                                                  row by row

For sequences, a leaf that needs only the run or only the pair is evaluated on the runs or pairs, once for all batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from aim.core.value_objects import ValueObject
from aim.query import names, plan, tree
from aim.query.arrays import BoolArray, IntArray, NumberArray
from aim.query.columns import CodedColumn, InputColumn, ListedColumn, PairColumns, RawColumn, RunColumns, kinds_column
from aim.query.evaluate import FIRST_INPUT
from aim.query.limits import Budget
from aim.query.operators import MISSING
from aim.query.plan import Leaf, Test
from aim.query.quick import quick
from aim.query.table import QueryTable
from aim.query.vector import Formula, Numbers

PIECE_S = 0.02  # about the time between two looks at the clock
PIECE_ROWS_MIN, PIECE_ROWS_MAX = 16, 8_192
DISTINCT_SHARE = 4  # numpy evaluates a column with more than one distinct value in so many rows
ALL_VALUES_SHARE = 4  # to find the values that the rows use costs as much as to evaluate so many
COMBINED_ROWS_MIN = 64  # in fewer rows it does not pay to look for combinations that repeat
COMBINATIONS_MAX = 1 << 62
BATCH_ROWS = 1 << 17  # sequences that are evaluated together; few enough for the caches of a processor


class RowSource(Protocol):
    """All runs, all pairs, or a batch of sequences, with their inputs as columns."""

    @property
    def size(self) -> int: ...
    def column(self, source: tree.Source) -> InputColumn: ...
    def shared_answers(self, leaf: Leaf) -> BoolArray | None:
        """Return the answers to a leaf for all rows if they are known from elsewhere, else None."""


class Domain:
    """Some of the rows of a source; an *index* of None means all."""

    def __init__(self, source: RowSource, index: IntArray | None = None) -> None:
        self.source = source
        self.index = index
        self.size = source.size if index is None else len(index)

    def column(self, source: tree.Source) -> InputColumn:
        """Return the column of an input for these rows."""
        column = self.source.column(source)
        return column if self.index is None else column.at(self.index)

    def narrowed(self, mask: BoolArray) -> Domain:
        """Return the rows where *mask* is true."""
        index = np.flatnonzero(mask)
        return Domain(self.source, index if self.index is None else self.index[index])


class RunRows:
    """The runs of a table."""

    def __init__(self, columns: RunColumns) -> None:
        self.size = columns.size
        self.column = columns.column

    def shared_answers(self, leaf: Leaf) -> BoolArray | None:
        """Return None: leaves about runs are evaluated here."""
        return None


class PairRows:
    """The pairs of a table."""

    def __init__(self, columns: PairColumns) -> None:
        self.size = columns.size
        self.column: Callable[[tree.Source], InputColumn] = columns.column

    def shared_answers(self, leaf: Leaf) -> BoolArray | None:
        """Return None: leaves about pairs are evaluated here."""
        return None


class SharedAnswers:
    """Answers to leaves that need only the run or only the pair, evaluated once for all batches of sequences."""

    def __init__(
        self, runs: RunRows, run_index: IntArray, pairs: PairRows, pair_index: IntArray, budget: Budget
    ) -> None:
        self.runs = Domain(runs, run_index)
        self.pairs = Domain(pairs, pair_index)
        self.budget = budget
        self._answers: dict[int, tuple[Leaf, BoolArray]] = {}

    def answers(self, leaf: Leaf) -> BoolArray:
        """Return the answers for all runs or all pairs; False outside of the index."""
        leaf_and_answers = self._answers.get(id(leaf))
        if leaf_and_answers is None:
            domain = self.runs if leaf.needs == {"run"} else self.pairs
            answers = np.zeros(domain.source.size, dtype=bool)
            answers[domain.index] = holds(leaf, domain, self.budget)
            leaf_and_answers = self._answers[id(leaf)] = (leaf, answers)
        return leaf_and_answers[1]


class PairPart(ValueObject):
    """
    Some sequences of one pair.

    Attributes:
        pair_index: of the pair in the table.
        rows: the rows of the runs.
        slots: the indexes of the sequences in `table.rows(pair_index)`; None: all of them.
    """

    pair_index: int
    rows: IntArray
    slots: IntArray | None


class SequenceBatch:
    """Sequences of some pairs, in the order of the pairs."""

    def __init__(self, table: QueryTable, shared: SharedAnswers, parts: Sequence[PairPart]) -> None:
        self.table = table
        self.shared = shared
        self.parts = parts
        self.counts = [len(part.rows) for part in parts]
        self.rows: IntArray = parts[0].rows if len(parts) == 1 else np.concatenate([part.rows for part in parts])
        self.size = len(self.rows)
        self.has_every_run = len(parts) == 1 and self.size == table.run_count
        self._columns: dict[tree.Source, InputColumn] = {}
        self._pair_indexes: IntArray | None = None

    @property
    def pair_indexes(self) -> IntArray:
        """The pair of each sequence."""
        if self._pair_indexes is None:
            pair_indexes = np.array([part.pair_index for part in self.parts], dtype=np.int32)
            self._pair_indexes = np.repeat(pair_indexes, self.counts)
        return self._pair_indexes

    def shared_answers(self, leaf: Leaf) -> BoolArray | None:
        """Return the answers of the runs or pairs of the sequences, if the leaf needs no more than one of them."""
        if leaf.is_volatile:
            return None
        if leaf.needs == {"run"}:
            answers = self.shared.answers(leaf)
            return answers if self.has_every_run else answers[self.rows]
        if leaf.needs == {"pair"}:
            answers = self.shared.answers(leaf)
            if len(self.parts) == 1:
                return np.full(self.size, answers[self.parts[0].pair_index])
            return answers[self.pair_indexes]
        return None

    def column(self, source: tree.Source) -> InputColumn:
        """Return the column of an input for all sequences."""
        column = self._columns.get(source)
        if column is None:
            column = self._columns[source] = self._column(source)
        return column

    def _column(self, source: tree.Source) -> InputColumn:
        need = plan.need(source)
        if need == "run":
            column = self.shared.runs.source.column(source)
            return column if self.has_every_run else column.at(self.rows)
        if need == "pair":
            return self.shared.pairs.source.column(source).at(self.pair_indexes)
        assert isinstance(source, (tree.SummaryValue, tree.PointList))
        if isinstance(source, tree.PointList):
            return ListedColumn(np.arange(self.size), self._points(source.name))
        if source.name == names.DTYPE:
            return kinds_column(self.table, self.pair_indexes, self.rows)
        if source.name == names.RECORD_MAX_LENGTH:
            kinds = kinds_column(self.table, self.pair_indexes, self.rows)
            is_list = np.array([kind.startswith("list") for kind in kinds.values], dtype=bool)[kinds.codes]
            return RawColumn(self._summary(source.name).raw, is_list, None)
        return self._summary(source.name)

    def _summary(self, name: str) -> RawColumn:
        values_of_parts = [self._summary_of_part(part, name) for part in self.parts]
        arrays = [values for values in values_of_parts if values is not None]
        if len(arrays) == len(self.parts):
            return RawColumn(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))
        present = np.repeat([values is not None for values in values_of_parts], self.counts)
        dtype = arrays[0].dtype if arrays else np.dtype(bool)
        filled = [
            np.zeros(count, dtype) if values is None else values for values, count in zip(values_of_parts, self.counts)
        ]
        return RawColumn(np.concatenate(filled), present)

    def _summary_of_part(self, part: PairPart, name: str) -> NumberArray | None:
        values = self.table.summary(part.pair_index, name)
        return values if values is None or part.slots is None else values[part.slots]

    def _points(self, name: str) -> Callable[[int], object]:
        def points(number: int) -> object:
            values = self.table.points(int(self.pair_indexes[number]), int(self.rows[number]), name)
            return MISSING if values is None else list(values)

        return points


def holds(test: Test, domain: Domain, budget: Budget) -> BoolArray:
    """
    Return for each row of *domain* whether *test* is true.

    Raises:
        InvalidQuery: an operation passes a bound.
        TooMuch: the time is spent.
    """
    if domain.size == 0:
        return np.zeros(0, dtype=bool)
    if isinstance(test, Leaf):
        return _leaf(test, domain, budget)
    if isinstance(test, plan.Not):
        return ~holds(test.item, domain, budget)
    if isinstance(test, plan.If):
        chosen = holds(test.test, domain, budget)
        result = np.empty(domain.size, dtype=bool)
        for side, mask in ((test.then, chosen), (test.otherwise, ~chosen)):
            result[mask] = holds(side, domain.narrowed(mask), budget)
        return result
    first, *others = test.items
    result = holds(first, domain, budget)
    for item in others:
        unsettled = ~result if isinstance(test, plan.Or) else result
        if not unsettled.any():
            break
        if unsettled.all():
            result = holds(item, domain, budget)
        else:
            result = result.copy()
            result[unsettled] = holds(item, domain.narrowed(unsettled), budget)
    return result


def _leaf(leaf: Leaf, domain: Domain, budget: Budget) -> BoolArray:
    budget.look()
    shared_answers = domain.source.shared_answers(leaf)
    if shared_answers is not None:
        return shared_answers if domain.index is None else shared_answers[domain.index]
    if not leaf.sources and not leaf.is_volatile:
        return np.full(domain.size, bool(leaf.evaluator.ask((), budget)))
    columns = [domain.column(source) for source in leaf.sources]
    if leaf.is_volatile:
        return _row_by_row(leaf, columns, domain.size, budget)
    if leaf.formula is not None and not _has_few_values(columns, domain.size):
        result = _by_formula(leaf, leaf.formula, columns, domain.size, budget)
        if result is not None:
            return result
    return _by_columns(leaf, columns, domain.size, budget)


def _has_few_values(columns: Sequence[InputColumn], size: int) -> bool:
    """Return whether it is cheaper to evaluate each distinct value than to make numbers of all rows."""
    if len(columns) > 1:
        return False
    (column,) = columns
    return isinstance(column, CodedColumn) and column.ready is None and len(column.values) * DISTINCT_SHARE < size


def _by_formula(
    leaf: Leaf, formula: Formula, columns: Sequence[InputColumn], size: int, budget: Budget
) -> BoolArray | None:
    """Evaluate all rows with numpy, and the unsure ones again one by one; None if a column has no numbers."""
    numbers: dict[tree.Source, Numbers] = {}
    for source, column in zip(leaf.sources, columns):
        as_numbers = column.numbers()
        if as_numbers is None:
            return None
        numbers[source] = as_numbers
    result, is_unsure = formula.ask(numbers, size)
    if is_unsure.any():
        unsure = np.flatnonzero(is_unsure)
        result[unsure] = _by_columns(leaf, [column.at(unsure) for column in columns], len(unsure), budget)
    return result


def _by_columns(leaf: Leaf, columns: Sequence[InputColumn], size: int, budget: Budget) -> BoolArray:
    coded_columns = [column for column in columns if isinstance(column, CodedColumn)]
    if len(coded_columns) < len(columns):
        return _row_by_row(leaf, columns, size, budget)
    if len(coded_columns) == 1:
        return _by_value(leaf, coded_columns[0], budget)
    return _by_combination(leaf, coded_columns, size, budget)


def _by_value(leaf: Leaf, column: CodedColumn, budget: Budget) -> BoolArray:
    """Evaluate each distinct value of the remaining rows once."""
    count = len(column.values)
    table = np.zeros(count + 1, dtype=bool)  # the last is for -1
    table[count] = _answers(leaf, [[column.absent]], budget)[0]
    if count <= ALL_VALUES_SHARE * len(column.codes):
        table[:count] = _answers(leaf, [column.values], budget)
    else:
        used = np.unique(column.codes)
        used = used[used >= 0]
        table[used] = _answers(leaf, [[column.values[code] for code in used.tolist()]], budget)
    return table[column.codes]


def _by_combination(leaf: Leaf, columns: Sequence[CodedColumn], size: int, budget: Budget) -> BoolArray:
    """Evaluate each distinct combination of values in the remaining rows once."""
    combinations = 1
    for column in columns:
        combinations *= len(column.values) + 1
    if size < COMBINED_ROWS_MIN or combinations > COMBINATIONS_MAX:
        return _row_by_row(leaf, columns, size, budget)
    combined = np.zeros(size, dtype=np.int64)
    for column in columns:
        combined *= len(column.values) + 1
        combined += column.codes + 1
    if combinations <= 2 * size:
        is_used = np.zeros(combinations, dtype=bool)
        is_used[combined] = True
        distinct = np.flatnonzero(is_used)
        table = np.zeros(combinations, dtype=bool)
        table[distinct] = _answers(leaf, _split(distinct, columns), budget)
        return table[combined]
    distinct, inverse = np.unique(combined, return_inverse=True)
    return _answers(leaf, _split(distinct, columns), budget)[inverse.ravel()]


def _split(combined: IntArray, columns: Sequence[CodedColumn]) -> list[list[Any]]:
    """Return the values of each combination, a list for each column."""
    lists: list[list[Any]] = []
    for column in reversed(columns):
        combined, codes = np.divmod(combined, len(column.values) + 1)
        lists.append(CodedColumn(codes - 1, column.values, column.absent).objects())
    return lists[::-1]


def _row_by_row(leaf: Leaf, columns: Sequence[InputColumn], size: int, budget: Budget) -> BoolArray:
    result = np.empty(size, dtype=bool)
    has_lists = any(isinstance(column, ListedColumn) for column in columns)
    rows_at_once = 1 if has_lists else PIECE_ROWS_MAX  # the points of many rows may not fit into memory
    for begin in range(0, size, rows_at_once):
        index = np.arange(begin, min(begin + rows_at_once, size))
        result[index] = _answers(leaf, [column.at(index).objects() for column in columns], budget, len(index))
        budget.look()
    return result


def _answers(leaf: Leaf, lists: Sequence[Sequence[Any]], budget: Budget, size: int | None = None) -> BoolArray:
    """Evaluate a leaf for each row of *lists*, which holds a list for each input."""
    count = len(lists[0]) if size is None else size
    result = np.empty(count, dtype=bool)
    quick_loop = quick(leaf.node) if len(lists) == 1 else None
    if quick_loop is not None:
        for begin, end in _pieces(count, budget):
            result[begin:end] = quick_loop(lists[0][begin:end])
        return result
    frame, ask = leaf.evaluator.frame(budget), leaf.evaluator.closure()
    if len(lists) == 1:
        (values,) = lists
        for begin, end in _pieces(count, budget):
            answers = []
            for value in values[begin:end]:
                frame[FIRST_INPUT] = value
                answers.append(bool(ask(frame)))
            result[begin:end] = answers
        return result
    last = FIRST_INPUT + len(lists)
    for begin, end in _pieces(count, budget):
        answers = []
        for row in zip(*(values[begin:end] for values in lists)) if lists else [()] * (end - begin):
            frame[FIRST_INPUT:last] = row
            answers.append(bool(ask(frame)))
        result[begin:end] = answers
    return result


def _pieces(count: int, budget: Budget) -> Iterator[tuple[int, int]]:
    """Yield begin and end of pieces, and look at the clock after each; a piece takes about PIECE_S."""
    begin, rows = 0, PIECE_ROWS_MIN
    while begin < count:
        end = min(begin + rows, count)
        began_s = time.perf_counter()
        yield begin, end
        budget.look()
        took_s = time.perf_counter() - began_s
        rows = min(2 * rows, PIECE_ROWS_MAX) if took_s < PIECE_S else max(1, int(rows * PIECE_S / took_s))
        begin = end
