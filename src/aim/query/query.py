"""
A query, from its text to the runs and sequences that it means.

    text -> syntax -> check -> plan -> select
    str     Node      Node     Clause  rows

A `Query` holds nothing of a table, so one may be asked of many tables, or of one that grows, by many threads. What the
time is, for `datetime.now()` and the duration of what still runs, is settled when the text is compiled.

    q = compile_query("run.hparams.lr > 0.01 and metric.name == 'loss'", "metric")
    pairs, rows = q.select_sequences(table)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np

from aim.core.errors import InvalidQuery, UsageError
from aim.query import names, plan, tree
from aim.query.check import check
from aim.query.columns import PairColumns, RunColumns
from aim.query.functions import Clock
from aim.query.limits import TIME_S_MAX, Budget, TooMuch
from aim.query.plan import Clause
from aim.query.select import BATCH_ROWS, Domain, PairRows, RunRows, SequenceBatch, SharedAnswers, holds
from aim.query.syntax import parse
from aim.query.table import BoolArray, IntArray, Path, QueryTable

Result = TypeVar("Result")

NOT_ARCHIVED = "not run.archived"
"""What holds besides, unless a query speaks of `run.archived` itself."""


@dataclass(frozen=True)
class ClauseReport:
    """
    What one clause of a query does, in `Query.explain`.

    Attributes:
        text: the clause, as the user wrote it; of the default about archived runs, what it stands for.
        start, end: its characters in the query's text; both 0 for the default.
        needs: what has to be read for it: run, pair, summary, value, several of them, or nothing.
        matches: how many runs or sequences it leaves by itself; None for one that needs values, which is asked last.
        leaves: how many are left after it and all clauses before it.
    """

    text: str
    start: int
    end: int
    needs: str
    matches: int | None
    leaves: int


@dataclass(frozen=True)
class Explanation:
    """How a query comes to its answer: how many runs or sequences there are, and what each clause leaves of them."""

    total: int
    clauses: tuple[ClauseReport, ...]

    @property
    def emptied_by(self) -> ClauseReport | None:
        """The clause that left nothing of what was there before, if one did."""
        return next((clause for clause in self.clauses if clause.leaves == 0), None) if self.total else None


@dataclass(frozen=True)
class UnknownParam:
    """A param that a query speaks of and no run has, and the nearest that some run has."""

    path: Path
    start: int
    end: int
    nearest: Path | None


@dataclass(frozen=True)
class Hint:
    """
    Why a query may find nothing: it speaks of something that is not there.

    Attributes:
        text: a sentence or two.
        start, end: the characters of the query that it is about.
    """

    text: str
    start: int
    end: int


def compile_query(
    text: str, subject: str = "run", *, timezone_offset_minutes: int = 0, now: float | None = None
) -> Query:
    """
    Compile a query.

    Args:
        text: an expression; empty means everything.
        subject: what is asked for: one of `names.SUBJECTS`.
        timezone_offset_minutes: UTC minus the client's time, as browsers say it: -120 in Berlin's summer.
        now: seconds since 1970 UTC; None means now.

    Raises:
        InvalidQuery: the text is wrong; says where and, if it can, what was meant.
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
    clock = Clock(time.time() if now is None else now, timezone_offset_minutes)
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
        text, subject: as given.
        root: the checked tree; None for a query that asks for everything.
        clauses: what has to hold, in the order of the text, without the default about archived runs.
        hides_archived: whether archived runs are left out; by default exactly when the text does not ask about
            `run.archived`.
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

        Of a query about sequences only the clauses that need nothing but the run are asked.

        Raises:
            InvalidQuery: an operation passes a bound of `limits`, or the time is spent.
        """
        return self._guarded(
            lambda budget: self._run_rows(RunRows(RunColumns(table, self.clock)), budget), time_limit_s
        )

    def select_sequences(self, table: QueryTable, *, time_limit_s: float = TIME_S_MAX) -> tuple[IntArray, IntArray]:
        """
        Return the sequences that match: the places of their pairs in `table.pairs`, and the rows of their runs.

        The order is by pair, then by row. Both arrays are int32, of equal length.

        Raises:
            InvalidQuery: an operation passes a bound of `limits`, or the time is spent.
            UsageError: the query is about runs.
        """
        if self.subject == "run":
            raise UsageError("This query is about runs; compile it for a kind of sequence, such as `metric`.")
        return self._guarded(lambda budget: self._sequences(table, budget), time_limit_s)

    def explain(self, table: QueryTable, *, time_limit_s: float = TIME_S_MAX) -> Explanation:
        """
        Say what each clause leaves: of runs for a query about runs, of sequences for others.

        Clauses are reported in the order of the text; the default about archived runs comes first, those that need
        values last.

        Cost: each clause is asked of everything, not only of what the others leave.
        """
        return self._guarded(lambda budget: self._explained(table, budget), time_limit_s)

    def unknown_params(self, table: QueryTable) -> list[UnknownParam]:
        """
        Return the params that the query speaks of and no run has, with the nearest that some run has.

        A param is never wrong by itself: a run that will have it may not be there yet. So this is for a warning.
        """
        known: list[Path] = [path for path in table.leaf_paths(()) if path]
        prefixes = {path[:length] for path in known for length in range(1, len(path) + 1)}
        unknown = []
        for node in _nodes(self.root):
            if isinstance(node, tree.Input) and isinstance(node.source, tree.RunParam) and node.source.path:
                path = node.source.path
                if path not in prefixes and not self._within_a_leaf(table, path):
                    unknown.append(UnknownParam(path, node.start, node.end, _nearest_path(path, prefixes)))
        return sorted(unknown, key=lambda one: one.start)

    def hints(self, table: QueryTable) -> list[Hint]:
        """
        Return what the query speaks of that is not there: params that no run has, names that no sequence has.

        Neither is an error: it may be there tomorrow. So these are for a query that found nothing.
        """
        found = [
            _missing("run has a param", ".".join(map(str, one.path)), _dotted(one.nearest), one.start, one.end)
            for one in self.unknown_params(table)
        ]
        for kind, name, node in self._names():
            known = {pair.name for pair in table.pairs if pair.kind == kind}
            if name not in known:
                what = f"run has {'a metric' if kind == 'metric' else kind} called"
                found.append(_missing(what, name, names.nearest(name, sorted(known)), node.start, node.end))
        return sorted(found, key=lambda hint: hint.start)

    # How

    def _names(self) -> Iterator[tuple[str, str, tree.Node]]:
        """The kinds and names of sequences that the query asks for by `==`, or as `run.metrics`."""
        for node in _nodes(self.root):
            if isinstance(node, tree.Input) and isinstance(node.source, tree.RunMetric):
                yield "metric", node.source.name, node
            elif isinstance(node, tree.Compare) and node.operators == ("==",):
                left, right = node.items
                for one, other in ((left, right), (right, left)):
                    is_name = isinstance(one, tree.Input) and one.source == tree.PairField("name")
                    if is_name and isinstance(other, tree.Constant) and isinstance(other.value, str):
                        yield self.subject, other.value, other

    @staticmethod
    def _within_a_leaf(table: QueryTable, path: Path) -> bool:
        """Whether *path* may be an item of a list."""
        for length in range(1, len(path)):
            column = table.param(path[:length])
            if column is not None and any(isinstance(value, (list, str)) for value in column.values):
                return isinstance(path[length], int)
        return False

    def _guarded(self, work: Callable[[Budget], Result], time_limit_s: float) -> Result:
        try:
            return work(Budget(time_limit_s))
        except TooMuch as error:
            raise InvalidQuery(f"Too much: {error}", self.text) from None
        except RecursionError:
            raise InvalidQuery("The query is nested too deeply", self.text) from None

    def _all_clauses(self) -> tuple[Clause, ...]:
        """The clauses with the default about archived runs."""
        if not self.hides_archived:
            return self.clauses
        return (*_not_archived(), *self.clauses)

    def _run_rows(self, runs: RunRows, budget: Budget) -> IntArray:
        """The rows of the runs for which all clauses hold that need nothing but the run."""
        domain = Domain(runs)
        for clause in sorted(self._all_clauses(), key=lambda clause: clause.cost):
            if clause.needs <= {"run"}:
                mask = holds(clause.test, domain, budget)
                if not mask.all():
                    domain = domain.narrowed(mask)
        return np.arange(runs.size, dtype=np.int32) if domain.index is None else domain.index.astype(np.int32)

    def _lifted(self, table: QueryTable, budget: Budget) -> tuple[SharedAnswers, IntArray]:
        """The runs and pairs that are left when what needs only one of them was asked."""
        runs = RunRows(RunColumns(table, self.clock))
        pairs = PairRows(PairColumns(table))
        run_index = self._run_rows(runs, budget)
        of_kind = [place for place, pair in enumerate(table.pairs) if pair.kind == self.subject]
        domain = Domain(pairs, np.array(of_kind, dtype=np.int32))
        for clause in self._all_clauses():
            if clause.needs == {"pair"}:
                domain = domain.narrowed(holds(clause.test, domain, budget))
        assert domain.index is not None
        return SharedAnswers(runs, run_index, pairs, domain.index, budget), domain.index

    def _sequences(self, table: QueryTable, budget: Budget) -> tuple[IntArray, IntArray]:
        lifted, pair_index = self._lifted(table, budget)
        run_index = lifted.runs.index
        assert run_index is not None
        wanted = None
        if len(run_index) < table.run_count:
            wanted = np.zeros(table.run_count, dtype=bool)
            wanted[run_index] = True
        clauses = [
            clause for clause in self._all_clauses() if not (clause.needs <= {"run"} or clause.needs == {"pair"})
        ]
        clauses.sort(key=lambda clause: clause.cost)
        found_pairs, found_rows = [], []
        for batch in _batches(table, lifted, pair_index.tolist() if len(run_index) else [], wanted):
            domain = Domain(batch)
            for clause in clauses:
                mask = holds(clause.test, domain, budget)
                if not mask.all():
                    domain = domain.narrowed(mask)
            if domain.size:
                found_pairs.append(batch.pair_of if domain.index is None else batch.pair_of[domain.index])
                found_rows.append(batch.rows if domain.index is None else batch.rows[domain.index])
            budget.look()
        if not found_pairs:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
        return np.concatenate(found_pairs), np.concatenate(found_rows).astype(np.int32, copy=False)

    def _explained(self, table: QueryTable, budget: Budget) -> Explanation:
        clauses = sorted(self._all_clauses(), key=lambda clause: "value" in clause.needs)
        runs = RunRows(RunColumns(table, self.clock))
        domains: Iterator[Domain]
        if self.subject == "run":
            domains = iter([Domain(runs)])
        else:
            of_kind = [place for place, pair in enumerate(table.pairs) if pair.kind == self.subject]
            everything = np.arange(table.run_count, dtype=np.int32)
            lifted = SharedAnswers(
                runs, everything, PairRows(PairColumns(table)), np.array(of_kind, dtype=np.int32), budget
            )
            domains = (Domain(batch) for batch in _batches(table, lifted, of_kind, None))
        total = 0
        matches, leaves = [0] * len(clauses), [0] * len(clauses)
        for domain in domains:
            total += domain.size
            left = np.ones(domain.size, dtype=bool)
            for place, clause in enumerate(clauses):
                if "value" in clause.needs:
                    left[left] = holds(clause.test, domain.narrowed(left), budget)
                else:
                    mask = holds(clause.test, domain, budget)
                    matches[place] += int(mask.sum())
                    left &= mask
                leaves[place] += int(left.sum())
        return Explanation(
            total,
            tuple(
                ClauseReport(
                    self.text[clause.start : clause.end] or NOT_ARCHIVED,
                    clause.start,
                    clause.end,
                    clause.needs_text,
                    None if "value" in clause.needs else matches[place],
                    leaves[place],
                )
                for place, clause in enumerate(clauses)
            ),
        )


@lru_cache(maxsize=1)
def _not_archived() -> tuple[Clause, ...]:
    """The clause that leaves archived runs out; it stands nowhere in the text."""
    clock = Clock(0.0)
    parsed = parse(NOT_ARCHIVED)
    assert parsed is not None
    clauses = plan.plan(check(parsed, NOT_ARCHIVED, "run", clock), NOT_ARCHIVED, clock)
    return tuple(replace(clause, start=0, end=0) for clause in clauses)


def _batches(
    table: QueryTable, lifted: SharedAnswers, pairs: Sequence[int], wanted: BoolArray | None
) -> Iterator[SequenceBatch]:
    """Return the sequences of *pairs* whose runs are *wanted*, many at a time."""
    batch: list[int] = []
    rows: list[IntArray] = []
    places: list[IntArray | None] = []
    count = 0
    wanted_rows = np.zeros(0, np.int32) if wanted is None else np.flatnonzero(wanted).astype(np.int32)
    for pair in pairs:
        of_pair = table.rows(pair)
        kept: IntArray | None = None
        if wanted is not None and len(of_pair) == table.run_count:  # every run has it: places are rows
            kept = of_pair = wanted_rows
        elif wanted is not None:
            kept = np.flatnonzero(wanted[of_pair])
            of_pair = of_pair[kept]
        if not len(of_pair):
            continue
        batch.append(pair)
        rows.append(of_pair)
        places.append(kept)
        count += len(of_pair)
        if count >= BATCH_ROWS // 2:
            yield SequenceBatch(table, lifted, batch, rows, places)
            batch, rows, places, count = [], [], [], 0
    if batch:
        yield SequenceBatch(table, lifted, batch, rows, places)


def _nodes(root: tree.Node | None) -> Iterator[tree.Node]:
    return iter(()) if root is None else tree.walk(root)


def _dotted(path: Path | None) -> str | None:
    return None if path is None else ".".join(map(str, path))


def _missing(what: str, name: str, near: str | None, start: int, end: int) -> Hint:
    meant = f" Did you mean {near!r}?" if near else ""
    return Hint(f"No {what} {name!r}.{meant}", start, end)


def _nearest_path(path: Path, known: set[Path]) -> Path | None:
    """The known path that is nearest by its dotted text, of those of the same length first."""
    shown = {".".join(map(str, one)): one for one in sorted(known, key=repr)}
    same_length = [text for text, one in shown.items() if len(one) == len(path)]
    wanted = ".".join(map(str, path))
    found = names.nearest(wanted, same_length) or names.nearest(wanted, shown)
    return shown[found] if found else None
