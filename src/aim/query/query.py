"""
A query, from its text to the runs and sequences that match it.

    text -> syntax -> check -> plan -> matches, select
    str     Node      Node     Clause  rows

Compiling needs no numpy: `rows.py` asks a few runs without, `matches` and `select` ask columns.

A `Query` refers to no table, so many threads may use it on many tables. The current time, which `datetime.now()` and
the duration of a running run need, is set when the text is compiled.

    q = compile_query("run.hparams.lr > 0.01 and metric.name == 'loss'", "metric")
    pairs, rows = q.select_sequences(table)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from aim.core.errors import InvalidQuery, UsageError
from aim.core.kinds import METRIC
from aim.core.zones import read_zone
from aim.query import names, plan, tree
from aim.query.check import check
from aim.query.functions import Clock
from aim.query.limits import TIME_S_MAX, Budget, TooMuch
from aim.query.plan import Clause
from aim.query.reports import NOT_ARCHIVED
from aim.query.syntax import parse
from aim.query.table import Path, QueryTable

if TYPE_CHECKING:
    from aim.query.arrays import IntArray
    from aim.query.reports import Explanation

Result = TypeVar("Result")


@dataclass(frozen=True)
class UnknownParam:
    """A param in a query that no run has, and the nearest that some run has."""

    path: Path
    start: int
    end: int
    nearest: Path | None


@dataclass(frozen=True)
class Hint:
    """
    A reason why a query may match nothing: it names something that no run has.

    Attributes:
        text: one or two sentences.
        start, end: the span in the text of the query that the hint is about.
    """

    text: str
    start: int
    end: int


def compile_query(text: str, subject: str = "run", *, zone: tzinfo | None = None, now: float | None = None) -> Query:
    """
    Compile a query.

    Args:
        text: an expression; an empty one matches everything.
        subject: what the query is about: one of `names.SUBJECTS`.
        zone: that of the reader, on whose clock the times in the query are; None means that of this process.
        now: seconds since 1970 UTC; None means now.

    Raises:
        InvalidQuery: the text is wrong; the error has the span and, if there is one, a suggestion.
        UsageError: there is no such subject.

    Cost: some 0.2 ms for a usual query.

    >>> query = compile_query("run.hparams.lr > 0.01 and metric.last < run.hparams.goal", "metric")
    >>> [clause.needs_text for clause in query.clauses]
    ['run', 'run and summary']
    >>> try:
    ...     compile_query("metric.nmae == 'loss'", "metric")
    ... except InvalidQuery as error:
    ...     print(error)
    `metric` has no `nmae`. Did you mean `name`?
        metric.nmae == 'loss'
               ^^^^
    """
    if subject not in names.SUBJECTS:
        meant = names.SUBJECT_ALIASES.get(subject) or names.nearest(subject, names.SUBJECTS)
        hint = f" Did you mean `{meant}`?" if meant else ""
        raise UsageError(f"A query is about one of {', '.join(names.SUBJECTS)}, not `{subject}`.{hint}")
    clock = Clock(time.time() if now is None else now, read_zone(zone))
    try:
        parsed = parse(text)
        root = None if parsed is None else check(parsed, text, subject, clock)
        clauses = plan.plan(root, text, clock)
    except RecursionError:
        raise InvalidQuery("The query is nested too deeply", text) from None
    hides_archived = not any(
        isinstance(node, tree.Input) and node.source == tree.RunField("archived") for node in _nodes(root)
    )
    return Query(text, subject, clock, root, clauses, hides_archived)


@dataclass(frozen=True, eq=False)
class Query:
    """
    A compiled query.

    Attributes:
        text, subject: the arguments of `compile_query`.
        root: the checked tree; None for an empty query.
        clauses: the clauses in the order of the text, without `NOT_ARCHIVED`.
        hides_archived: whether `NOT_ARCHIVED` is one more clause, as it is if the text does not read `run.archived`.
    """

    text: str
    subject: str
    clock: Clock
    root: tree.Node | None
    clauses: tuple[Clause, ...]
    hides_archived: bool

    def select_runs(self, table: QueryTable, *, time_limit_s: float = TIME_S_MAX) -> IntArray:
        """
        Return the rows of the runs that match, increasing.

        For a query about sequences, only the clauses that need nothing but the run are evaluated.

        Raises:
            InvalidQuery: an operation passes a bound of `limits`, or the time is spent.
        """
        from aim.query import matches

        return self.guarded(lambda budget: matches.run_rows(self, matches.runs_of(table, self), budget), time_limit_s)

    def select_sequences(self, table: QueryTable, *, time_limit_s: float = TIME_S_MAX) -> tuple[IntArray, IntArray]:
        """
        Return the sequences that match: the indexes of their pairs in `table.pairs`, and the rows of their runs.

        The order is by pair, then by row. Both arrays are int32, of equal length.

        Raises:
            InvalidQuery: an operation passes a bound of `limits`, or the time is spent.
            UsageError: the query is about runs.
        """
        from aim.query import matches

        if self.subject == "run":
            raise UsageError("This query is about runs; compile it for a kind of sequence, such as `metric`.")
        return self.guarded(lambda budget: matches.sequences(self, table, budget), time_limit_s)

    def explain(self, table: QueryTable, *, time_limit_s: float = TIME_S_MAX) -> Explanation:
        """
        Return how many runs, or for a query about sequences how many sequences, each clause leaves.

        Clauses are in the order of the text, but `NOT_ARCHIVED` comes first and clauses that need values come last.

        Cost: each clause that needs no values is evaluated on all rows, not only on those that the others leave.
        """
        from aim.query import matches

        return self.guarded(lambda budget: matches.explained(self, table, budget), time_limit_s)

    def unknown_params(self, table: QueryTable) -> list[UnknownParam]:
        """
        Return the params in the query that no run has, with the nearest that some run has.

        This is for a warning, not an error: a run with the param may come later.
        """
        leaf_paths = [path for path in table.leaf_paths(()) if path]
        prefixes = {path[:length] for path in leaf_paths for length in range(1, len(path) + 1)}
        unknown = []
        for node in _nodes(self.root):
            if isinstance(node, tree.Input) and isinstance(node.source, tree.RunParam) and node.source.path:
                path = node.source.path
                if path not in prefixes and not _is_within_list(table, path):
                    unknown.append(UnknownParam(path, node.start, node.end, _nearest_path(path, prefixes)))
        return sorted(unknown, key=lambda param: param.start)

    def hints(self, table: QueryTable) -> list[Hint]:
        """
        Return a hint for each param in the query that no run has, and for each name that no sequence has.

        They are for a query that matches nothing. Neither is an error: a run that has them may come later.
        """
        hints = [
            _missing("run has a param", _dotted(param.path), _dotted(param.nearest or ()), param)
            for param in self.unknown_params(table)
        ]
        for kind, name, node in self._sequence_names():
            names_of_kind = {pair.name for pair in table.pairs if pair.kind == kind}
            if name not in names_of_kind:
                what = f"run has {'a metric' if kind == METRIC else kind} called"
                hints.append(_missing(what, name, names.nearest(name, sorted(names_of_kind)) or "", node))
        return sorted(hints, key=lambda hint: hint.start)

    # How

    def _sequence_names(self) -> Iterator[tuple[str, str, tree.Node]]:
        """Yield the kind and name of each sequence that the query names by `==` or `run.metrics`, and its node."""
        for node in _nodes(self.root):
            if isinstance(node, tree.Input) and isinstance(node.source, tree.RunMetric):
                yield METRIC, node.source.name, node
            elif isinstance(node, tree.Compare) and node.operators == ("==",):
                left, right = node.items
                for side, other in ((left, right), (right, left)):
                    is_name = isinstance(side, tree.Input) and side.source == tree.PairField("name")
                    if is_name and isinstance(other, tree.Constant) and isinstance(other.value, str):
                        yield self.subject, other.value, other

    def guarded(self, work: Callable[[Budget], Result], time_limit_s: float = TIME_S_MAX) -> Result:
        """Return what *work* returns within the bounds of a query. Raises InvalidQuery: it passes one."""
        try:
            return work(Budget(time_limit_s))
        except TooMuch as error:
            raise InvalidQuery(f"Too much: {error}", self.text) from None
        except RecursionError:
            raise InvalidQuery("The query is nested too deeply", self.text) from None

    def all_clauses(self) -> tuple[Clause, ...]:
        """Return the clauses, with the default about archived runs if it applies."""
        return (*_not_archived(), *self.clauses) if self.hides_archived else self.clauses


@lru_cache(maxsize=1)
def _not_archived() -> tuple[Clause, ...]:
    """Return the clause `NOT_ARCHIVED`, with an empty span."""
    clock = Clock(0.0)
    parsed = parse(NOT_ARCHIVED)
    assert parsed is not None
    clauses = plan.plan(check(parsed, NOT_ARCHIVED, "run", clock), NOT_ARCHIVED, clock)
    return tuple(clause.replaced(start=0, end=0) for clause in clauses)


def _nodes(root: tree.Node | None) -> Iterator[tree.Node]:
    return iter(()) if root is None else tree.walk(root)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def _missing(what: str, name: str, nearest: str, span: tree.Node | UnknownParam) -> Hint:
    meant = f" Did you mean {nearest!r}?" if nearest else ""
    return Hint(f"No {what} {name!r}.{meant}", span.start, span.end)


def _is_within_list(table: QueryTable, path: Path) -> bool:
    """Return whether *path* may be that of an item of a list."""
    for length in range(1, len(path)):
        column = table.param(path[:length])
        if column is not None and any(isinstance(value, (list, str)) for value in column.values):
            return isinstance(path[length], int)
    return False


def _nearest_path(path: Path, paths: set[Path]) -> Path | None:
    """Return the path with the nearest dotted text; paths of equal length come first."""
    path_of_text = {_dotted(other): other for other in sorted(paths, key=repr)}
    same_length = [text for text, other in path_of_text.items() if len(other) == len(path)]
    nearest = names.nearest(_dotted(path), same_length) or names.nearest(_dotted(path), path_of_text)
    return path_of_text[nearest] if nearest else None
