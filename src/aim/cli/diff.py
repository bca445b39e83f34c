"""
`aim diff`: in what runs differ.
"""

from __future__ import annotations

from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import format_option
from aim.cli.main import repo_option
from aim.cli.run_choice import HASH_CHARS, chosen_run, complete_runs
from aim.cli.runs import open_repository
from aim.core.words import counted
from aim.engine.run_differences import differences


@click.command(short_help="Compare runs: params, metrics, environment.")
@repo_option
@click.argument("runs", nargs=-1, required=True, shell_complete=complete_runs)
@click.option("--all", "with_equal", is_flag=True, help="Also show what is equal.")
@format_option
def diff(repo: Path | None, runs: tuple[str, ...], with_equal: bool, form: str | None) -> None:
    """
    Compare two or more RUNS: the properties, params, last values of metrics and packages in which they differ.

    A run is named by the beginning of its hash, by its name, or by the word `last`.

    Example: what has changed in the newest run

        aim diff lr-0.1 last
    """
    if len(runs) < 2:
        raise click.UsageError("Name two runs or more: `aim diff RUN RUN`.")
    repository = open_repository(repo)
    hashes = list(dict.fromkeys(chosen_run(repository, text) for text in runs))
    if len(hashes) < 2:
        raise click.UsageError("Both words name the same run.")
    rows = differences(repository, hashes, with_equal=with_equal)
    if form == output.JSON or (form is None and not output.is_terminal()):
        for row in rows:
            values = dict(zip(hashes, row.values, strict=True))
            output.say(output.json_line({"subject": row.subject, "name": row.name, "values": values}))
    else:
        titles = [run_hash if form == output.CSV else run_hash[:HASH_CHARS] for run_hash in hashes]
        records = [{"subject": row.subject, "name": row.name, **dict(zip(titles, row.values))} for row in rows]
        output.rows(records, ["subject", "name", *titles], form=form)
    output.tell(f"{counted(sum(not row.is_equal for row in rows), 'difference')}.")
