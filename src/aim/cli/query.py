"""
`aim metrics` lists or exports metrics; `aim query` counts what a query matches and explains why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import format_option, json_option
from aim.cli.main import repo_option
from aim.cli.run_table import tell_hints
from aim.cli.runs import open_repository
from aim.core.kinds import METRIC
from aim.core.values import EXACT_INT_MAX
from aim.core.words import counted
from aim.engine import matching
from aim.engine.door import MatchingSequence, Questions
from aim.query.reports import ClauseReport

COLUMNS = ("run", "name", "context", "points", "last_step", "first", "last", "min", "max")
VALUE_COLUMNS = COLUMNS[5:]
SUMMARIES = {"points": "count", **{name: name for name in COLUMNS[4:]}}


@click.command(short_help="List metrics, or export all their points.")
@repo_option
@click.argument("query", default="")
@format_option
@click.option("--csv", "points_as_csv", is_flag=True, help="Print all points as CSV.")
@click.option("--parquet", type=click.Path(dir_okay=False, path_type=Path), help="Export all points to a Parquet file.")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="List at most this many metrics.")
def metrics(
    repo: Path | str | None, query: str, form: str | None, points_as_csv: bool, parquet: Path | None, limit: int | None
) -> None:
    """
    List the metrics that match QUERY with their last, smallest and largest values, or export all their points.

    Example: export all losses of the larger learning rates for a spreadsheet

        aim metrics 'run.hparams.lr > 0.01 and metric.name == "loss"' --csv > losses.csv

    Exit code 0: some metrics match; 1: none; 2: the query is wrong.
    """
    outputs = {"--parquet": parquet is not None, "--csv": points_as_csv, f"--format {form}": form is not None}
    chosen = [name for name, is_chosen in outputs.items() if is_chosen]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} don't go together: choose one output.")
    repository = open_repository(repo)
    questions = repository.questions()
    sequences = questions.sequences(query, METRIC)
    if parquet is not None:
        point_count = _write_parquet(questions, query, parquet)
        output.tell(f"Wrote {counted(point_count, 'point')} of {counted(len(sequences), 'metric')} to {parquet}.")
    elif points_as_csv:
        _write_csv(questions, query)
    else:
        output.rows(_summary_records(questions, sequences[:limit]), COLUMNS, form=form)
        output.tell(f"Total {counted(len(sequences), 'metric')}.")
    if not sequences:
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)


def _summary_records(questions: Questions, sequences: list[MatchingSequence]) -> Iterator[dict[str, Any]]:
    rows = questions.summary_rows(sequences, list(SUMMARIES.values()))
    for sequence, values in zip(sequences, rows, strict=True):
        summaries = {column: values.get(name) for column, name in SUMMARIES.items()}
        if any(abs(summaries[name] or 0) >= EXACT_INT_MAX for name in VALUE_COLUMNS):
            summaries |= _exact_summaries(questions, sequence)
        yield {"run": sequence.run_hash, "name": sequence.name, "context": dict(sequence.context), **summaries}


def _exact_summaries(questions: Questions, sequence: MatchingSequence) -> dict[str, Any]:
    # the catalogue keeps doubles, which cut long integers
    for series in questions.series([sequence]):
        values = series.points.values.tolist()
        comparable = [value for value in values if value == value]
        if values and comparable:
            return {"first": values[0], "last": values[-1], "min": min(comparable), "max": max(comparable)}
    return {}


def _write_parquet(questions: Questions, query: str, path: Path) -> int:
    import pyarrow.parquet as pq

    from aim.engine import point_tables

    point_count = 0
    with pq.ParquetWriter(path, point_tables.schema(), compression="zstd") as writer:
        for batch in questions.point_batches(query):
            writer.write_batch(batch)
            point_count += batch.num_rows
    return point_count


def _write_csv(questions: Questions, query: str) -> None:
    import pyarrow.csv

    from aim.engine import point_tables

    empty = point_tables.schema().empty_table()
    pyarrow.csv.write_csv(empty, sys.stdout.buffer)
    options = pyarrow.csv.WriteOptions(include_header=False)
    for batch in questions.point_batches(query):
        pyarrow.csv.write_csv(batch, sys.stdout.buffer, options)


@click.command("query", short_help="Count what a query matches, and explain why.")
@repo_option
@click.argument("query")
@click.option("--explain", is_flag=True, help="Show what each clause of the query reads, matches and leaves.")
@json_option
def count_matches(repo: Path | str | None, query: str, explain: bool, as_json: bool) -> None:
    """
    Count the runs, or the metrics, images, texts ... that match QUERY; with --explain show why.

    Example: why does this query match nothing?

        aim query 'run.hparams.lr > 1 and metric.name == "loss"' --explain

    Exit code 0: something matches; 1: nothing; 2: the query is wrong.
    """
    repository = open_repository(repo)
    subject = matching.ask(query).subject
    explanation = repository.questions().explain(query, subject)
    plural = "runs" if subject == matching.RUN else f"sequences of kind {subject}"
    match_count = explanation.clauses[-1].leaves if explanation.clauses else explanation.total
    clauses = list(_clause_records(explanation.clauses))
    if explain and not as_json:
        output.rows(clauses, ("clause", "needs", "matches", "leaves"))
        if explanation.emptied_by is not None:
            output.tell(f"`{explanation.emptied_by.text}` leaves nothing.")
    record = {"subject": subject, "matches": match_count, "total": explanation.total}
    text = f"{match_count} of {explanation.total} {plural} match."
    output.result({**record, **({"clauses": clauses} if explain else {})}, text, as_json=as_json)
    if not match_count:
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)


def _clause_records(clauses: Iterable[ClauseReport]) -> Iterator[dict[str, Any]]:
    for clause in clauses:
        yield {"clause": clause.text, "needs": clause.needs, "matches": clause.matches, "leaves": clause.leaves}
