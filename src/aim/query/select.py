"""
Which rows a test holds for.

A *domain* is a set of rows to be asked about: runs, pairs, or sequences. `holds` gives one bool for each. It follows
the test down: what `and` has already lost and `or` has already won is not asked again. At the leaves it takes the
cheapest way:

    inputs of the leaf                                      asked
    none                                                    once
    numbers, compared or added up                           numpy, and the rows that it is not sure of one by one
    one, with codes                                         each distinct value that is left, then spread by the codes
    several, with codes                                     each distinct combination that is left
    others                                                  row by row

Within sequences, a leaf that needs only the run or only the pair is asked of the runs or pairs, and then spread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from aim.query import plan, tree
from aim.query.columns import CodedColumn, InputColumn, ListedColumn, PairColumns, RawColumn, RunColumns
from aim.query.evaluate import FIRST_INPUT
from aim.query.limits import Budget
from aim.query.operators import MISSING
from aim.query.plan import Leaf, Test
from aim.query.quick import quick
from aim.query.table import BoolArray, IntArray, QueryTable

PIECE_S = 0.02  # how often the clock is looked at, about
PIECE_ROWS_MIN, PIECE_ROWS_MAX = 16, 8_192
DISTINCT_SHARE = 4  # numpy is asked rather than each value when more than one row in so many has its own value
ALL_VALUES_SHARE = 4  # to find which values are left costs as much as to ask four
COMBINED_ROWS_MIN = 64  # fewer rows are not worth looking for combinations that repeat
COMBINATIONS_MAX = 1 << 62
BATCH_ROWS = 1 << 17  # sequences that are asked about together; small enough for the caches of a processor


class RowSource(Protocol):
    """All rows of one kind, with their facts."""

    @property
    def size(self) -> int: ...
    def facts(self, source: tree.Source) -> InputColumn: ...
    def spread(self, leaf: Leaf) -> BoolArray | None:
        """Return the answers to a leaf that is better asked elsewhere, for all rows; None if it is not."""


class Domain:
    """Some of the rows of a base; *index* None means all."""

    def __init__(self, base: RowSource, index: IntArray | None = None) -> None:
        self.base = base
        self.index = index
        self.size = base.size if index is None else len(index)

    def facts(self, source: tree.Source) -> InputColumn:
        """Return the facts of an input for these rows."""
        facts = self.base.facts(source)
        return facts if self.index is None else facts.at(self.index)

    def narrowed(self, mask: BoolArray) -> Domain:
        """Return the rows where *mask* is true."""
        kept = np.flatnonzero(mask)
        return Domain(self.base, kept if self.index is None else self.index[kept])


class RunRows:
    """The runs of a table."""

    def __init__(self, columns: RunColumns) -> None:
        self.size = columns.size
        self.facts = columns.facts

    def spread(self, leaf: Leaf) -> BoolArray | None:
        """Return None: runs answer for themselves."""
        return None


class PairRows:
    """The pairs of a table."""

    def __init__(self, columns: PairColumns) -> None:
        self.size = columns.size
        self.facts: Callable[[tree.Source], InputColumn] = columns.facts

    def spread(self, leaf: Leaf) -> BoolArray | None:
        """Return None: pairs answer for themselves."""
        return None


class SharedAnswers:
    """Answers to leaves that need only the run or only the pair, each asked once for all batches of sequences."""

    def __init__(
        self, runs: RunRows, run_index: IntArray, pairs: PairRows, pair_index: IntArray, budget: Budget
    ) -> None:
        self.run_columns = runs
        self.pair_columns = pairs
        self.runs = Domain(runs, run_index)
        self.pairs = Domain(pairs, pair_index)
        self.budget = budget
        self._answers: dict[int, tuple[Leaf, BoolArray]] = {}

    def answers(self, leaf: Leaf) -> BoolArray:
        """Return the answers for all runs or pairs; false for those that are not asked about."""
        known = self._answers.get(id(leaf))
        if known is None:
            domain = self.runs if leaf.needs == {"run"} else self.pairs
            answers = np.zeros(domain.base.size, dtype=bool)
            answers[domain.index] = holds(leaf, domain, self.budget)
            known = self._answers[id(leaf)] = (leaf, answers)
        return known[1]


class SequenceBatch:
    """Sequences of some pairs: their pairs, the rows of their runs, and their places in the pair's summaries."""

    def __init__(
        self,
        table: QueryTable,
        lifted: SharedAnswers,
        pairs: Sequence[int],
        rows: Sequence[IntArray],
        places: Sequence[IntArray | None],
    ) -> None:
        self.table = table
        self.lifted = lifted
        self.pairs = pairs
        self.places = places
        self.counts = [len(part) for part in rows]
        self.rows: IntArray = rows[0] if len(rows) == 1 else np.concatenate(rows)
        self.size = len(self.rows)
        self.whole_runs = len(rows) == 1 and self.size == table.run_count
        self._made: dict[tree.Source, InputColumn] = {}
        self._pair_of: IntArray | None = None

    @property
    def pair_of(self) -> IntArray:
        """Return the pair of each sequence."""
        if self._pair_of is None:
            self._pair_of = np.repeat(np.asarray(self.pairs, dtype=np.int32), self.counts)
        return self._pair_of

    def spread(self, leaf: Leaf) -> BoolArray | None:
        """Spread the answers of runs or pairs."""
        if leaf.is_volatile:
            return None
        if leaf.needs == {"run"}:
            answers = self.lifted.answers(leaf)
            return answers if self.whole_runs else answers[self.rows]
        if leaf.needs == {"pair"}:
            answers = self.lifted.answers(leaf)
            if len(self.pairs) == 1:
                return np.full(self.size, answers[self.pairs[0]])
            return answers[self.pair_of]
        return None

    def facts(self, source: tree.Source) -> InputColumn:
        """Return the facts of an input for each sequence."""
        made = self._made.get(source)
        if made is None:
            made = self._made[source] = self._make(source)
        return made

    def _make(self, source: tree.Source) -> InputColumn:
        what = plan.need(source)
        if what == "run":
            facts = self.lifted.run_columns.facts(source)
            return facts if self.whole_runs else facts.at(self.rows)
        if what == "pair":
            return self.lifted.pair_columns.facts(source).at(self.pair_of)
        assert isinstance(source, (tree.SummaryValue, tree.PointList))
        if isinstance(source, tree.PointList):
            return ListedColumn(np.arange(self.size), self._points(source.name))
        return self._summary(source.name)

    def _summary(self, name: str) -> InputColumn:
        found = [self.table.summary(pair, name) for pair in self.pairs]
        parts = [
            values if values is None or places is None else values[places] for values, places in zip(found, self.places)
        ]
        there = [part for part in parts if part is not None]
        if len(there) == len(parts):
            return RawColumn(there[0] if len(there) == 1 else np.concatenate(there))
        present = np.repeat([part is not None for part in parts], self.counts)
        kind = there[0].dtype if there else np.dtype(bool)
        filled = [np.zeros(count, kind) if part is None else part for part, count in zip(parts, self.counts)]
        return RawColumn(np.concatenate(filled), present)

    def _points(self, name: str) -> Callable[[int], object]:
        def points(place: int) -> object:
            found = self.table.points(int(self.pair_of[place]), int(self.rows[place]), name)
            return MISSING if found is None else list(found)

        return points


def holds(test: Test, domain: Domain, budget: Budget) -> BoolArray:
    """
    Say for each row of *domain* whether *test* is true.

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
    wanted = isinstance(test, plan.Or)  # the answer that settles a row
    first, *others = test.items
    result = holds(first, domain, budget)
    for item in others:
        unsettled = ~result if wanted else result
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
    spread = domain.base.spread(leaf)
    if spread is not None:
        return spread if domain.index is None else spread[domain.index]
    if not leaf.sources and not leaf.is_volatile:
        return np.full(domain.size, bool(leaf.evaluator.ask((), budget)))
    facts = [domain.facts(source) for source in leaf.sources]
    if leaf.is_volatile:
        return _row_by_row(leaf, facts, domain.size, budget)
    if leaf.formula is not None and not _repeats(facts, domain.size):
        columns = {source: column.numbers() for source, column in zip(leaf.sources, facts)}
        numbers = {source: column for source, column in columns.items() if column is not None}
        if len(numbers) == len(columns):
            result, unsure = leaf.formula.ask(numbers, domain.size)
            if unsure.any():
                kept = np.flatnonzero(unsure)
                result[kept] = _asked(leaf, [column.at(kept) for column in facts], len(kept), budget)
            return result
    return _asked(leaf, facts, domain.size, budget)


def _repeats(facts: Sequence[InputColumn], size: int) -> bool:
    """Whether it is cheaper to ask each distinct value than to make numbers of all rows."""
    (one, *others) = facts
    return not others and isinstance(one, CodedColumn) and one.ready is None and len(one.values) * DISTINCT_SHARE < size


def _asked(leaf: Leaf, facts: Sequence[InputColumn], size: int, budget: Budget) -> BoolArray:
    coded = [column for column in facts if isinstance(column, CodedColumn)]
    if len(coded) < len(facts):
        return _row_by_row(leaf, facts, size, budget)
    if len(coded) == 1:
        return _by_value(leaf, coded[0], budget)
    return _by_combination(leaf, coded, size, budget)


def _by_value(leaf: Leaf, column: CodedColumn, budget: Budget) -> BoolArray:
    """Ask once for each distinct value that is left."""
    count = len(column.values)
    table = np.zeros(count + 1, dtype=bool)  # the last is for -1
    table[count] = _answers(leaf, [[column.absent]], budget)[0]
    if count <= ALL_VALUES_SHARE * len(column.codes):
        table[:count] = _answers(leaf, [column.values], budget)
    else:
        seen = np.unique(column.codes)
        seen = seen[seen >= 0]
        table[seen] = _answers(leaf, [[column.values[code] for code in seen.tolist()]], budget)
    return table[column.codes]


def _by_combination(leaf: Leaf, columns: Sequence[CodedColumn], size: int, budget: Budget) -> BoolArray:
    """Ask once for each distinct combination of values that is left."""
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
        seen = np.zeros(combinations, dtype=bool)
        seen[combined] = True
        distinct = np.flatnonzero(seen)
        table = np.zeros(combinations, dtype=bool)
        table[distinct] = _answers(leaf, _taken_apart(distinct, columns), budget)
        return table[combined]
    distinct, inverse = np.unique(combined, return_inverse=True)
    return _answers(leaf, _taken_apart(distinct, columns), budget)[inverse.ravel()]


def _taken_apart(combined: IntArray, columns: Sequence[CodedColumn]) -> list[list[Any]]:
    """The values that combinations stand for, a list for each column."""
    lists: list[list[Any]] = []
    for column in reversed(columns):
        combined, codes = np.divmod(combined, len(column.values) + 1)
        lists.append(CodedColumn(codes - 1, column.values, column.absent).objects())
    return lists[::-1]


def _row_by_row(leaf: Leaf, facts: Sequence[InputColumn], size: int, budget: Budget) -> BoolArray:
    result = np.empty(size, dtype=bool)
    for begin in range(0, size, PIECE_ROWS_MAX):  # in pieces, since points of all rows may not fit into memory
        part = np.arange(begin, min(begin + PIECE_ROWS_MAX, size))
        if any(isinstance(column, ListedColumn) for column in facts):
            for place in part.tolist():
                lists = [column.at(part[place - begin : place - begin + 1]).objects() for column in facts]
                result[place] = _answers(leaf, lists, budget, 1)[0]
                budget.look()
        else:
            result[part] = _answers(leaf, [column.at(part).objects() for column in facts], budget, len(part))
    return result


def _answers(leaf: Leaf, lists: Sequence[Sequence[Any]], budget: Budget, size: int | None = None) -> BoolArray:
    """Ask a leaf for each row of *lists*, a list for each input."""
    count = len(lists[0]) if size is None else size
    result = np.empty(count, dtype=bool)
    fast = quick(leaf.node) if len(lists) == 1 else None
    if fast is not None:
        for begin, end in _pieces(count, budget):
            result[begin:end] = fast(lists[0][begin:end])
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
    """Return where pieces begin and end, so that the clock is looked at between them about every PIECE_S."""
    begin, rows = 0, PIECE_ROWS_MIN
    while begin < count:
        end = min(begin + rows, count)
        began_s = time.perf_counter()
        yield begin, end
        budget.look()
        took_s = time.perf_counter() - began_s
        rows = min(2 * rows, PIECE_ROWS_MAX) if took_s < PIECE_S else max(1, int(rows * PIECE_S / took_s))
        begin = end
