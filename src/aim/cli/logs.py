"""
`aim logs`: what a run printed.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import repo_option
from aim.cli.run_choice import LAST, chosen_run, complete_runs
from aim.cli.runs import open_repository
from aim.core.statuses import RUNNING
from aim.engine.log_lines import LogReader, PrintedLine

POLL_S = 0.5


@click.command(short_help="Show what a run printed; -f follows it.")
@repo_option
@click.argument("run", default=LAST, shell_complete=complete_runs)
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="The last so many lines."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what the run prints, until it ends or Ctrl-C.")
@click.option("--grep", "pattern", default=None, help="Only lines that contain this text, in either case.")
@click.option("--regex", is_flag=True, help="The text of --grep is a regular expression.")
@json_option
def logs(
    repo: Path | None, run: str, lines: int, follow: bool, pattern: str | None, regex: bool, as_json: bool
) -> None:
    """
    Show the last lines that RUN printed: its hash or the beginning of it, its name, or `last`, the newest run.

    Example: the errors of the newest run

        aim logs last --grep error --lines 20

    Exit code 0: there are lines; 1: there are none.
    """
    repository = open_repository(repo)
    run_hash = chosen_run(repository, run)
    door = repository.run(run_hash)
    reader = LogReader(door)
    seen = reader.count()
    if pattern is None:
        shown = reader.last(lines)
    else:
        shown, _ = reader.matching(pattern, lines, is_regex=regex)
    for line in shown:
        _print(run_hash, line, as_json=as_json)
    while follow:
        is_over = door.state().status()[0] != RUNNING
        for line in reader.after(seen):
            seen += 1
            if pattern is None or pattern.casefold() in line.text.casefold():
                _print(run_hash, line, as_json=as_json)
        if is_over:
            return
        time.sleep(POLL_S)
    if not shown:
        output.tell(
            "The run printed no such line." if pattern else "The run printed nothing, or its output was not captured."
        )
        raise click.exceptions.Exit(1)


def _print(run_hash: str, line: PrintedLine, *, as_json: bool) -> None:
    if as_json:
        at = datetime.fromtimestamp(line.time_s, timezone.utc)
        record = {"run": run_hash, "number": line.number, "time": at.isoformat(), "text": line.text}
        output.say(output.json_line({**record, "process": line.process or None}))
    else:
        output.say(line.text, flush=True)
