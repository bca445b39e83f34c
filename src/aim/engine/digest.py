"""
What a reader with a budget should know of runs: how they ended, in what they differ, which are best, why others failed,
what looks wrong, and the shape of curves. One text, the most important first; the same runs give the same text.

Times are left out, because they would make each text another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim.core.reserved import SYSTEM_PREFIX
from aim.core.statuses import FAILED, LOST
from aim.engine.anomalies import divergence, first_bad, should_fall
from aim.engine.best_runs import best_runs
from aim.engine.curve_shape import curve_shape
from aim.engine.door import Door, MatchingSequence, Questions
from aim.engine.headline import headline_metrics, param_names, varying
from aim.engine.log_lines import LogReader
from aim.engine.metric_choice import MetricChoice, metric_label
from aim.engine.token_budget import BudgetSection, text_within
from aim.storage.reading.points import floats_of

TOKENS, TOKENS_MIN = 2_000, 100
RUNS_MAX = 200  # newest; of these params, failures and curves are looked at
METRICS_MAX, BEST_MAX, VARYING_MAX, VALUES_MAX = 6, 5, 10, 6
FAILURES_MAX, LOG_LINES, LOG_CHARS = 8, 3, 160
CURVES_MAX = 60
HASH_CHARS = 8


@dataclass(frozen=True)
class Digest:
    """
    A digest.

    Attributes:
        text: lines with titles.
        run_count: how many runs match.
        states: how many of the newest 200 are in each status.
    """

    text: str
    run_count: int
    states: Mapping[str, int]


def digest(door: Door, query: str = "", *, tokens: int = TOKENS) -> Digest:
    """
    Return a digest of the runs that match.

    Args:
        tokens: the text has at most so many, 100 or more.

    Raises:
        InvalidQuery: the query can't be understood.

    Cost: some 10 us a run; and the points of up to 60 curves, and the last lines of eight failed runs.
    """
    questions = door.questions()
    names = param_names(questions)
    columns = ["hash", "name", "experiment", "status", "error", "losses", *names]
    page = questions.table(columns, query, limit=RUNS_MAX)
    rows = page.rows
    states = Counter(str(row["status"]) for row in rows)
    sequences = _sequences(questions, [row["hash"] for row in rows])
    metrics = _choices(sequences)
    sections = [
        BudgetSection("# Runs", _head(rows, page.total, query), least=4),
        BudgetSection("# What differs", _differing(rows, names), least=3),
        BudgetSection("# Best", _best(questions, query, metrics, varying(rows, names, 3)), least=2),
        BudgetSection("# Failed or lost", _failures(door, rows), least=4),
        *_curves(questions, rows, sequences, metrics),
    ]
    return Digest(text_within(sections, max(tokens, TOKENS_MIN)), page.total, dict(sorted(states.items())))


def _title(row: Mapping[str, Any]) -> str:
    name = str(row["name"] or "").replace("\n", " ")[:40]
    return f"{row['hash'][:HASH_CHARS]} {name}" if not name.startswith("Run: ") else str(row["hash"][:HASH_CHARS])


def _head(rows: Sequence[Mapping[str, Any]], total: int, query: str) -> list[str]:
    states = Counter(str(row["status"]) for row in rows)
    experiments = Counter(str(row["experiment"]) for row in rows)
    lines = [f"{total} runs match {query.strip()[:200] or 'no query: all that are not archived'}"]
    if total > len(rows):
        lines.append(f"what follows is about the newest {len(rows)}")
    if rows:
        lines += [f"status: {_counts(states)}", f"experiment: {_counts(experiments)}"]
    lines += [f"lost records: {_title(row)}: {row['losses']}" for row in rows if row["losses"]]
    return lines


def _counts(counter: Counter[str]) -> str:
    ordered = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = f", and {len(ordered) - VALUES_MAX} more values" if len(ordered) > VALUES_MAX else ""
    return ", ".join(f"{value[:60]} x{count}" for value, count in ordered[:VALUES_MAX]) + rest


def _differing(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    lines = []
    for name in varying(rows, names, VARYING_MAX):
        counts = Counter("missing" if row[name] is None else str(row[name]) for row in rows)
        lines.append(f"{name}: {_counts(counts)}")
    return lines


def _sequences(questions: Questions, hashes: Sequence[str]) -> list[MatchingSequence]:
    if not hashes:
        return []
    sequences = questions.sequences(f"run.hash in {list(hashes)!r}")
    return [sequence for sequence in sequences if not sequence.name.startswith(SYSTEM_PREFIX)]


def _choices(sequences: Sequence[MatchingSequence]) -> list[MetricChoice]:
    choices = {metric_label(each.name, each.context): MetricChoice(each.name, each.context) for each in sequences}
    return [choices[label] for label in headline_metrics(sequences, METRICS_MAX)]


def _best(questions: Questions, query: str, metrics: Sequence[MetricChoice], params: Sequence[str]) -> list[str]:
    lines = []
    for metric in metrics:
        ranking = best_runs(questions, metric, query, limit=BEST_MAX, columns=tuple(params))
        better = "largest" if ranking.is_largest else "smallest"
        for rank, run in enumerate(ranking.runs):
            setting = " ".join(f"{name.rsplit('.', 1)[-1]}={run.cells[name]}" for name in params)
            title = _title({"hash": run.run_hash, "name": run.name})
            prefix = f"{metric.label} ({better}): " if rank == 0 else "  "
            lines.append(f"{prefix}{run.value:.4g} @{run.step} {title} {setting} last {run.last:.4g}")
    return lines


def _failures(door: Door, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: list[str] = []
    for row in [row for row in rows if row["status"] in (FAILED, LOST)][:FAILURES_MAX]:
        error = f": {str(row['error'])[:LOG_CHARS]}" if row["error"] else ""
        lines.append(f"{_title(row)} {row['status']}{error}")
        last_lines = [line.text for line in LogReader(door.run(row["hash"])).last(20) if line.text.strip()]
        lines += [f"  | {text.strip()[:LOG_CHARS]}" for text in last_lines[-LOG_LINES:]]
    return lines


def _curves(
    questions: Questions,
    rows: Sequence[Mapping[str, Any]],
    sequences: Sequence[MatchingSequence],
    metrics: Sequence[MetricChoice],
) -> list[BudgetSection]:
    """Return the sections of what looks wrong, and of the shapes of curves."""
    titles = {row["hash"]: _title(row) for row in rows}
    ranks = {metric.label: rank for rank, metric in enumerate(metrics)}
    chosen = [each for each in sequences if metric_label(each.name, each.context) in ranks]
    chosen.sort(key=lambda each: ranks[metric_label(each.name, each.context)])
    wrong: list[str] = []
    shapes: list[str] = []
    for series in questions.series(chosen[:CURVES_MAX]):
        points, sequence = series.points, series.sequence
        if not len(points):
            continue
        steps, values = np.asarray(points.steps, np.int64), floats_of(points)
        label = metric_label(sequence.name, sequence.context)
        title = f"{label} of {titles.get(sequence.run_hash, sequence.run_hash[:HASH_CHARS])}"
        wrong += [f"{title}: {text}" for text in problems(sequence.name, steps, values)]
        shapes.append(f"{title}: {curve_shape(steps, values).text()}")
    note = f" (of {min(len(chosen), CURVES_MAX)} of {len(chosen)} curves)" if len(chosen) > CURVES_MAX else ""
    return [BudgetSection(f"# Looks wrong{note}", wrong, least=4), BudgetSection(f"# Curves{note}", shapes, least=2)]


def problems(name: str, steps: np.typing.NDArray[np.int64], values: np.typing.NDArray[np.float64]) -> list[str]:
    """
    Return what is wrong with a curve: no numbers any more, or divergence.

    >>> problems("loss", np.arange(3), np.array([1.0, np.nan, np.nan]))
    ['NaN or infinite from step 1 on']
    """
    bad = first_bad(values)
    if bad is not None:
        return [f"NaN or infinite from step {int(steps[bad])} on"]
    diverged = divergence(steps, values) if should_fall(name) else None
    if diverged is None:
        return []
    return [f"diverged from step {diverged.step}: best level {diverged.best:.4g}, now {diverged.now:.4g}"]
