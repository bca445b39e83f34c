"""
`aim metrics` and `aim query`: what matches, its points, and why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.main import repo_option
from aim.cli.run_table import tell_hints
from aim.cli.runs import open_repository
from aim.core.words import counted
from aim.engine import matching
from aim.engine.door import MatchingSequence, Questions

COLUMNS = ("run", "name", "context", "points", "last_step", "first", "last", "min", "max")
SUMMARIES = {"points": "count", **{name: name for name in COLUMNS[4:]}}


@click.command(short_help="List metrics that match, or write out all their points.")
@repo_option
@click.argument("query", default="")
@click.option("--json", "form", flag_value="json", help="A JSON line for each metric: its summary.")
@click.option("--csv", "form", flag_value="csv", help="All points, as CSV.")
@click.option("--parquet", type=click.Path(dir_okay=False, path_type=Path), help="All points, into a Parquet file.")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="The largest number of metrics to list.")
def metrics(repo: Path | None, query: str, form: str | None, parquet: Path | None, limit: int | None) -> None:
    """
    List the metrics that match QUERY with their summaries, or write out all their points.

    Example: all validation losses of the larger learning rates, for a spreadsheet

        aim metrics 'run.hparams.lr > 0.01 and metric.name == "loss"' --csv > losses.csv

    Exit code 0: found; 1: none; 2: the query is wrong.
    """
    if parquet is not None and form is not None:
        raise click.UsageError(f"--parquet and --{form} don't go together: there is one output.")
    repository = open_repository(repo)
    scan = repository.questions()
    found = scan.sequences(query, "metric")
    if parquet is not None:
        points = _write_parquet(scan, query, parquet)
        output.tell(f"Wrote {counted(points, 'point')} of {counted(len(found), 'metric')} to {parquet}.")
    elif form == "csv":
        _write_csv(scan, query)
    else:
        output.rows(_summaries(scan, found[:limit]), COLUMNS, as_json=True if form else None)
        output.tell(f"Total {counted(len(found), 'metric')}.")
    if not found:
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)


def _summaries(scan: Questions, found: list[MatchingSequence]) -> list[dict[str, Any]]:
    rows = scan.summary_rows(found, list(SUMMARIES.values()))
    return [
        {
            "run": sequence.run_hash,
            "name": sequence.name,
            "context": dict(sequence.context),
            **{column: row[value] for column, value in SUMMARIES.items() if value in row},
        }
        for sequence, row in zip(found, rows, strict=True)
    ]


def _write_parquet(scan: Questions, query: str, path: Path) -> int:
    import pyarrow.parquet as pq

    from aim.engine import point_tables

    points = 0
    with pq.ParquetWriter(path, point_tables.schema(), compression="zstd") as writer:
        for batch in scan.point_batches(query):
            writer.write_batch(batch)
            points += batch.num_rows
    return points


def _write_csv(scan: Questions, query: str) -> None:
    import pyarrow.csv

    from aim.engine import point_tables

    empty = point_tables.schema().empty_table()
    pyarrow.csv.write_csv(empty, sys.stdout.buffer)
    options = pyarrow.csv.WriteOptions(include_header=False)
    for batch in scan.point_batches(query):
        pyarrow.csv.write_csv(batch, sys.stdout.buffer, options)


@click.command(short_help="Say what a query matches, and how it comes to that.")
@repo_option
@click.argument("query")
@click.option("--explain", is_flag=True, help="Show what each clause needs, matches and leaves.")
def query(repo: Path | None, query: str, explain: bool) -> None:
    """
    Say what QUERY matches, and with --explain how each of its clauses comes to it.

    The query is about runs, or about the sequences that it names: metric, images, texts ...

    Example: why does this find nothing?

        aim query 'run.hparams.lr > 1 and metric.name == "loss"' --explain
    """
    repository = open_repository(repo)
    scan = repository.questions()
    subject = matching.ask(query).subject
    explanation = scan.explain(query, subject)
    what = "runs" if subject == "run" else f"sequences of kind {subject}"
    left = explanation.clauses[-1].leaves if explanation.clauses else explanation.total
    if explain:
        lines = list(_clauses(explanation.clauses))
        output.rows(lines, ("clause", "needs", "matches", "leaves"), as_json=None)
        if explanation.emptied_by is not None:
            output.tell(f"`{explanation.emptied_by.text}` leaves nothing.")
    output.tell(f"{left} of {explanation.total} {what} match.")
    if not left:
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)


def _clauses(clauses: Any) -> Iterator[dict[str, Any]]:
    for clause in clauses:
        yield {"clause": clause.text, "needs": clause.needs, "matches": clause.matches, "leaves": clause.leaves}
