"""
The difference of a metric between two groups of runs, with the interval that holds the true difference.

    welch     runs of both groups are independent, their spreads may differ (B. L. Welch, Biometrika 34:28, 1947;
              degrees of freedom: F. E. Satterthwaite, Biometrics Bulletin 2:110, 1946)
    paired    each seed has one run in each group: the differences of these pairs count, so what a seed does to both of
              its runs cancels out (Student, Biometrika 6:1, 1908)

Runs are paired only if all of them pair up: to pair those that do and drop the others would hide runs. Both intervals
take values as normal around their mean, which a mean of few runs can't show; so a group of fewer than three seeds gets
a warning, and an interval needs two runs. Many comparisons at 95 % find differences where there are none, one in
twenty; nothing here corrects for that.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aim.core.errors import UsageError
from aim.core.summaries import COLUMN_SUMMARIES
from aim.engine.anomalies import should_fall
from aim.engine.door import Questions
from aim.engine.headline import param_names
from aim.engine.metric_choice import MetricChoice, both, choose_metric
from aim.engine.param_groups import MACHINE_KEY, SEED_KEY
from aim.engine.student import two_sided_p, two_sided_t

WELCH, PAIRED = "welch", "paired"
BEST = "best"
SEEDS_MIN = 3  # fewer say next to nothing of the spread
NAMED_PARAMS_MAX = 8
ALL_RUNS = "run.archived in [True, False, None]"
GroupChoice = str | Collection[str]
"""Runs: a query, or their hashes."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class ComparedGroup:
    """
    The runs of one group that have the metric.

    Attributes:
        run_hashes, values: for each run its hash and its value, in the same order.
        mean: of the values.
        std: standard deviation of a sample; None for one run.
        seed_count: how many distinct seeds the runs have; None when no run records a seed.
    """

    run_hashes: tuple[str, ...]
    values: tuple[float, ...]
    mean: float
    std: float | None
    seed_count: int | None

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self.values)


@dataclass(frozen=True)
class GroupComparison:
    """
    Two groups of runs, compared by one metric.

    Attributes:
        metric: as columns name it, `acc[subset=val]`.
        value: which summary of each run counts: `last`, `min`, `max` ...
        a, b: the groups.
        difference: the mean of *b* less the mean of *a*.
        low, high: the interval that holds the true difference at the probability *confidence*; None when it can't be
            computed: a group has one run, or no value differs from the others of its group.
        method: `welch` or `paired`.
        t, degrees, p: of the test that the true difference is 0; None as the interval.
        separated_by: params that are the same within each group, and differ between the groups.
        also_varying: params that differ within a group besides the seed, so that the interval is about them too.
        warnings: what speaks against relying on the numbers, as sentences.
        explanation: what was computed and after whom, as sentences.
    """

    metric: str
    value: str
    a: ComparedGroup
    b: ComparedGroup
    difference: float
    low: float | None
    high: float | None
    method: str
    confidence: float
    t: float | None
    degrees: float | None
    p: float | None
    separated_by: tuple[str, ...]
    also_varying: tuple[str, ...]
    warnings: tuple[str, ...]
    explanation: str

    def __str__(self) -> str:
        """Return the comparison as text, the difference first."""
        if self.low is None or self.high is None:
            interval = "no interval"
        else:
            interval = f"{100 * self.confidence:g} % interval {self.low:.4g} to {self.high:.4g}"
        first = f"{self.metric} ({self.value}): b - a = {self.difference:.4g}, {interval}"
        return "\n".join([first, self.explanation, *(f"Warning: {warning}" for warning in self.warnings)])


@dataclass(frozen=True)
class _Interval:
    low: float | None = None
    high: float | None = None
    t: float | None = None
    degrees: float | None = None
    p: float | None = None


def compare_groups(
    questions: Questions,
    metric: str | MetricChoice,
    a: GroupChoice,
    b: GroupChoice,
    *,
    value: str = BEST,
    confidence: float = 0.95,
) -> GroupComparison:
    """
    Compare two groups of runs by a metric; runs without a finite value of it are left out, and counted in a warning.

    Args:
        metric: as `metric_choice` reads it, such as `val/acc`.
        a, b: each a query, or hashes of runs, archived ones too.
        value: which value of each run counts: a summary such as `last`, or `best`: the lowest of losses and errors, the
            highest of other metrics.
        confidence: the probability of the interval, above 0 and below 1.

    Raises:
        UsageError: there is no such metric or summary, a run is in both groups, or a group is empty.
        InvalidQuery: a query can't be understood.
    """
    if not 0 < confidence < 1:
        raise UsageError(f"confidence has to be above 0 and below 1, such as 0.95, not {confidence!r}.")
    choice = metric if isinstance(metric, MetricChoice) else choose_metric(questions, metric, ALL_RUNS)
    summary = _summary_of(value, choice)
    names = param_names(questions)
    column = f"{choice.label}.{summary}"
    groups = [_rows(questions, group, choice, ["hash", column, *names]) for group in (a, b)]
    _check_apart(groups)
    finite = [[row for row in rows if row[column] is not None and math.isfinite(row[column])] for rows in groups]
    for letter, rows in zip("ab", finite, strict=True):
        if not rows:
            raise UsageError(f"No run of group {letter} has a finite value of {choice.label}.")
    left_out = sum(map(len, groups)) - sum(map(len, finite))
    return _compared(finite, choice.label, summary, names, confidence, left_out)


def _summary_of(value: str, choice: MetricChoice) -> str:
    if value == BEST:
        return "min" if should_fall(choice.name) else "max"
    if value not in COLUMN_SUMMARIES:
        raise UsageError(f"There is no value {value!r} of a metric. There are: {BEST}, {', '.join(COLUMN_SUMMARIES)}.")
    return value


def _rows(questions: Questions, group: GroupChoice, choice: MetricChoice, columns: Sequence[str]) -> list[Row]:
    having = f"metric.name == {choice.name!r}"
    if isinstance(group, str):
        return list(questions.table(columns, both(group, having)).rows)
    hashes = set(group)
    rows = questions.table(columns, both(ALL_RUNS, having)).rows
    return [row for row in rows if row["hash"] in hashes]


def _check_apart(groups: Sequence[Sequence[Row]]) -> None:
    shared = {row["hash"] for row in groups[0]} & {row["hash"] for row in groups[1]}
    if shared:
        example = min(shared)
        raise UsageError(f"{len(shared)} runs are in both groups, such as {example}: a run can be in one of them only.")


def _compared(
    groups: Sequence[Sequence[Row]],
    label: str,
    summary: str,
    names: Sequence[str],
    confidence: float,
    left_out: int,
) -> GroupComparison:
    column = f"{label}.{summary}"
    seeds = [name for name in names if SEED_KEY.search(_last_key(name)) and _has(groups, name)]
    a, b = (_group(rows, column, seeds) for rows in groups)
    pairs = _pairs(groups, column, seeds)
    interval = _welch(a, b, confidence) if pairs is None else _paired(pairs, confidence)
    separated_by, also_varying = _params_between(groups, names, seeds)
    return GroupComparison(
        metric=label,
        value=summary,
        a=a,
        b=b,
        difference=b.mean - a.mean,
        low=interval.low,
        high=interval.high,
        method=WELCH if pairs is None else PAIRED,
        confidence=confidence,
        t=interval.t,
        degrees=interval.degrees,
        p=interval.p,
        separated_by=separated_by,
        also_varying=also_varying,
        warnings=tuple(_warnings(a, b, interval, also_varying, left_out)),
        explanation=_explanation(a, b, pairs, seeds),
    )


def _last_key(name: str) -> str:
    return name.rpartition(".")[2]


def _has(groups: Iterable[Sequence[Row]], name: str) -> bool:
    return any(row[name] is not None for rows in groups for row in rows)


def _seed_key(row: Row, seeds: Sequence[str]) -> tuple[str, ...]:
    return tuple(repr(row[name]) for name in seeds)


def _group(rows: Sequence[Row], column: str, seeds: Sequence[str]) -> ComparedGroup:
    values = tuple(float(row[column]) for row in rows)
    return ComparedGroup(
        tuple(row["hash"] for row in rows),
        values,
        statistics.fmean(values),
        statistics.stdev(values) if len(values) > 1 else None,
        len({_seed_key(row, seeds) for row in rows}) if seeds else None,
    )


def _pairs(groups: Sequence[Sequence[Row]], column: str, seeds: Sequence[str]) -> list[float] | None:
    """Return b less a of each seed; None unless each seed has exactly one run in each of the groups."""
    if not seeds:
        return None
    values = [{_seed_key(row, seeds): float(row[column]) for row in rows} for rows in groups]
    is_one_each = all(len(by_seed) == len(rows) for by_seed, rows in zip(values, groups, strict=True))
    if not is_one_each or values[0].keys() != values[1].keys() or len(values[0]) < 2:
        return None
    return [values[1][seed] - values[0][seed] for seed in values[0]]


def _welch(a: ComparedGroup, b: ComparedGroup, confidence: float) -> _Interval:
    if a.std is None or b.std is None:
        return _Interval()
    shares = [group.std**2 / group.count for group in (a, b) if group.std is not None]
    total = sum(shares)
    if total == 0:
        return _Interval()
    degrees = total**2 / sum(share**2 / (group.count - 1) for share, group in zip(shares, (a, b), strict=True))
    return _around(b.mean - a.mean, math.sqrt(total), degrees, confidence)


def _paired(differences: Sequence[float], confidence: float) -> _Interval:
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    if error == 0:
        return _Interval()
    return _around(statistics.fmean(differences), error, len(differences) - 1, confidence)


def _around(difference: float, error: float, degrees: float, confidence: float) -> _Interval:
    reach = two_sided_t(confidence, degrees) * error
    t = difference / error
    return _Interval(difference - reach, difference + reach, t, degrees, two_sided_p(t, degrees))


def _params_between(
    groups: Sequence[Sequence[Row]], names: Sequence[str], seeds: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the params that separate the groups, and those that differ within one."""
    separated, varying = [], []
    for name in names:
        if name in seeds or MACHINE_KEY.search(_last_key(name)):
            continue
        values = [{repr(row[name]) for row in rows} for rows in groups]
        if max(map(len, values)) > 1:
            varying.append(name)
        elif values[0] != values[1]:
            separated.append(name)
    return tuple(separated), tuple(varying)


def _warnings(
    a: ComparedGroup, b: ComparedGroup, interval: _Interval, also_varying: Sequence[str], left_out: int
) -> list[str]:
    counts = [group.count if group.seed_count is None else group.seed_count for group in (a, b)]
    unit = "runs" if a.seed_count is None and b.seed_count is None else "seeds"
    warnings = []
    if min(counts) < SEEDS_MIN:
        warnings.append(
            f"The groups have {counts[0]} and {counts[1]} {unit}: fewer than {SEEDS_MIN} say next to nothing of the"
            " spread between seeds."
        )
    if interval.low is None:
        few = min(a.count, b.count) < 2
        reason = "a group has one run only" if few else "the values do not differ within the groups or pairs"
        warnings.append(f"There is no interval: {reason}.")
    if also_varying:
        names = ", ".join(also_varying[:NAMED_PARAMS_MAX])
        more = f" and {len(also_varying) - NAMED_PARAMS_MAX} more" if len(also_varying) > NAMED_PARAMS_MAX else ""
        warnings.append(f"Within a group runs differ in {names}{more}, so the spread is not of the seeds alone.")
    if left_out:
        warnings.append(f"{left_out} runs have no finite value and are left out.")
    return warnings


def _explanation(a: ComparedGroup, b: ComparedGroup, pairs: Sequence[float] | None, seeds: Sequence[str]) -> str:
    if pairs is not None:
        return (
            f"Student's t for {len(pairs)} pairs of runs, paired by {', '.join(seeds)} (Student, Biometrika 6:1, 1908)."
        )
    unpaired = " The seeds of the groups do not pair up, so runs are not paired." if seeds else ""
    return (
        f"Welch's t for {a.count} and {b.count} independent runs, whose spreads may differ"
        f" (Welch, Biometrika 34:28, 1947).{unpaired}"
    )
