"""
`aim best`: the best runs by a metric.
"""

from __future__ import annotations

from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import format_option
from aim.cli.main import repo_option
from aim.cli.run_table import tell_hints
from aim.cli.runs import column_names, open_repository
from aim.engine.best_runs import best_runs

COLUMNS = ("rank", "hash", "value", "step", "last")
NAMES = ("name", "status", "metric")


@click.command(short_help="Show the best runs by a metric.")
@repo_option
@click.argument("query", default="")
@click.option("--by", "metric", required=True, help="The metric: acc, acc[subset=val] or val/acc.")
@click.option(
    "--max/--min", "is_largest", default=None, help="Which is better.  [default: --min for losses and errors]"
)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="Show at most so many runs.")
@click.option("--columns", default="", help="Further columns, such as hparams.lr,hparams.model.")
@format_option
def best(
    repo: Path | None, query: str, metric: str, is_largest: bool | None, limit: int, columns: str, form: str | None
) -> None:
    """
    Show the runs that match QUERY, the best first: by the best value of a metric that each of them reached.

    Example: the three runs of an experiment with the highest validation accuracy

        aim best 'run.experiment == "digits"' --by val/accuracy --limit 3 --columns hparams.lr

    Exit code 0: there is a best run; 1: no run that matches has the metric; 2: the query or the metric is wrong.
    """
    repository = open_repository(repo)
    further = tuple(column_names(columns))
    ranking = best_runs(repository.questions(), metric, query, is_largest=is_largest, limit=limit, columns=further)
    records = [
        {
            "rank": rank,
            "hash": run.run_hash,
            "name": run.name,
            "status": run.status,
            "metric": ranking.metric,
            "value": run.value,
            "step": run.step,
            "last": run.last,
            **run.cells,
        }
        for rank, run in enumerate(ranking.runs, start=1)
    ]
    output.rows(records, [*COLUMNS, *further, *NAMES], form=form)
    better = "largest" if ranking.is_largest else "smallest"
    output.tell(f"The {better} {ranking.metric} is best.")
    if not records:
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)
