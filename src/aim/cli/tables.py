"""
`aim ls` and `aim top`: the runs, and those that record now, as tables that may follow.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import repo_option
from aim.cli.run_choice import HASH_CHARS
from aim.cli.run_table import moment
from aim.cli.runs import open_repository
from aim.cli.views import screen
from aim.core.statuses import FAILED, FINISHED, LOST, RUNNING
from aim.core.words import counted
from aim.engine.door import Door
from aim.engine.headline import headline_metrics, param_names, varying
from aim.engine.metric_choice import short_label
from aim.engine.running_runs import RunningRun, running_runs
from aim.storage.forms.check_ins import WorkProgress

SIGNS = {RUNNING: ("●", "green"), FINISHED: ("✓", "dim"), FAILED: ("✗", "red"), LOST: ("?", "yellow")}
PARAMS_SHOWN, METRICS_SHOWN = 4, 3
EVERY_S = 2.0

follow_option = click.option("-f", "--follow", is_flag=True, help="Draw again and again, until q is pressed.")
every_option = click.option(
    "--every",
    "every_s",
    type=click.FloatRange(0.2),
    default=EVERY_S,
    show_default=True,
    help="Seconds between two draws.",
)


@click.command(short_help="Show the newest runs; -f follows them.")
@repo_option
@click.argument("query", default="")
@click.option(
    "--sort", default="-created_at", show_default=True, help="Sort by this column; - in front: largest first."
)
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Show at most so many.  [default: what fits]")
@follow_option
@every_option
@json_option
def ls(
    repo: Path | None, query: str, sort: str, limit: int | None, follow: bool, every_s: float, as_json: bool
) -> None:
    """
    Show the runs that match QUERY with the params in which they differ and the last values of their main metrics.

    Example: follow the runs of one experiment

        aim ls 'run.experiment == "digits"' -f

    ● records, ✓ finished, ✗ failed, ? lost. `aim runs ls` prints columns of your choice.
    """
    door = open_repository(repo)
    if as_json:
        for record in _records(door, query, sort, limit):
            output.say(output.json_line({**record, "created_at": moment(record["created_at"])}))
        return

    def draw(columns: int, lines: int) -> list[str]:
        records = _records(door, query, sort, limit or max(1, lines - 3))
        total = door.questions().table([], query, limit=0).total
        return [*_run_lines(records, columns), f"{counted(total, 'run')}."]

    screen.show(draw, every_s=every_s, is_once=not follow)


def _records(door: Door, query: str, sort: str, limit: int | None) -> list[dict[str, Any]]:
    questions = door.questions()
    own = ["hash", "name", "experiment", "status", "created_at", "duration", "tags"]
    names = param_names(questions)
    rows = questions.table([*own, *names], query, sort=sort, limit=limit).rows
    hashes = [row["hash"] for row in rows]
    sequences = questions.sequences(f"run.hash in {hashes[:500]!r}") if hashes else []
    labels = headline_metrics(sequences, METRICS_SHOWN)
    columns = ["hash", *(f"{label}.last" for label in labels)]
    values = {row["hash"]: row for row in questions.table(columns, f"run.hash in {hashes!r}").rows} if labels else {}
    differing = varying(rows, names, PARAMS_SHOWN)
    records = []
    for row in rows:
        record: dict[str, Any] = {name: row[name] for name in own}
        record["params"] = {name: row[name] for name in differing}
        cells = values.get(row["hash"], {})
        record["metrics"] = {label: cells.get(f"{label}.last") for label in labels}
        records.append(record)
    return records


def _run_lines(records: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    if not records:
        return []
    params, metrics = list(records[0]["params"]), list(records[0]["metrics"])
    titles = [" ", "hash", "name", "experiment", "for", *map(_last_part, params), *map(short_label, metrics)]
    table = [
        [
            SIGNS.get(record["status"], ("?", "dim"))[0],
            record["hash"][:HASH_CHARS],
            output.cell(record["name"]),
            output.cell(record["experiment"]),
            span(record["duration"]),
            *(output.cell(record["params"][name]) for name in params),
            *(output.cell(record["metrics"][name]) for name in metrics),
        ]
        for record in records
    ]
    lines = output.aligned(titles, table, output.fitting(titles, table, width))
    styles = [SIGNS.get(record["status"], ("?", "dim"))[1] for record in records]
    coloured = [output.styled(line[:1], style) + line[1:] for line, style in zip(lines[1:], styles, strict=True)]
    return [output.styled(lines[0], "bold"), *coloured]


def _last_part(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def span(seconds: float | None) -> str:
    """
    Return a length of time for a narrow column.

    >>> span(42), span(3700), span(200000), span(None)
    ('42s', '1h01m', '2d07h', '')
    """
    if seconds is None:
        return ""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


# aim top


@click.command(short_help="Show the runs that record now, and their machines.")
@repo_option
@click.argument("query", default="")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show at most so many runs.")
@click.option("--once", is_flag=True, help="Draw once; by default a terminal follows until q is pressed.")
@every_option
@json_option
def top(repo: Path | None, query: str, limit: int, once: bool, every_s: float, as_json: bool) -> None:
    """
    Show the runs that record now and match QUERY: their step, speed, last values, and what their machine and GPUs do.

    Example: the trainings of one experiment

        aim top 'run.experiment == "digits"'
    """
    door = open_repository(repo)
    if as_json:
        for run in running_runs(door, query, limit=limit):
            output.say(output.json_line(run_record(run)))
        return

    def draw(columns: int, lines: int) -> list[str]:
        return top_lines(running_runs(door, query, limit=limit), columns)

    screen.show(draw, every_s=every_s, is_once=once)


def run_record(run: RunningRun) -> dict[str, Any]:
    """Return a run as a line of JSON."""
    return {
        "hash": run.run_hash,
        "name": run.name,
        "experiment": run.experiment,
        "created_at": moment(run.created_at_s),
        "step": run.step,
        "steps_per_s": run.steps_per_s,
        "metrics": run.values,
        "machine": run.machine,
        "progress": None if run.progress is None else progress_record(run.progress),
    }


def progress_record(progress: WorkProgress) -> dict[str, Any]:
    """Return how far a run is, as JSON."""
    return {
        "done": progress.done,
        "total": progress.total,
        "unit": progress.unit,
        "percent": round(progress.percent, 2),
        "rate_per_s": progress.rate_per_s,
        "left_s": progress.left_s(),
    }


def top_lines(runs: Sequence[RunningRun], width: int) -> list[str]:
    """Return the lines of `aim top`."""
    now = time.strftime("%H:%M:%S")
    head = output.styled(f"{counted(len(runs), 'run records', 'runs record')} now. {now}", "bold")
    lines = [head, ""]
    for run in runs:
        speed = f"{run.steps_per_s:.3g}/s" if run.steps_per_s is not None else ""
        step = f"step {run.step:,}" if run.step is not None else "no step yet"
        title = f"{run.run_hash[:HASH_CHARS]}  {output.visible(run.name)}  {output.visible(run.experiment)}"
        parts = [span(time.time() - run.created_at_s), step, speed]
        if run.progress is not None:
            left = span(run.progress.left_s())
            parts += [output.bar(round(run.progress.percent), 100), f"{run.progress.percent:.0f} %"]
            parts += [f"{left} left"] if left else []
        lines.append(f"{output.styled('●', 'green')} {title}  {'  '.join(part for part in parts if part)}")
        lines += _wrapped(
            [f"{short_label(name)} {output.cell(value)}" for name, value in sorted(run.values.items())], width
        )
        lines += _wrapped([f"{name} {output.cell(value)}" for name, value in sorted(run.machine.items())], width, "dim")
        lines.append("")
    return lines[:-1]


def _named(values: Mapping[str, float]) -> list[str]:
    return [f"{name} {output.cell(value)}" for name, value in sorted(values.items())]


def _wrapped(words: Sequence[str], width: int, style: str | None = None) -> list[str]:
    """Put words into lines of at most *width* characters, with an indent."""
    lines: list[str] = []
    for word in map(output.visible, words):
        if lines and len(lines[-1]) + len(word) + 2 <= width:
            lines[-1] += f"  {word}"
        else:
            lines.append(f"  {word}")
    return [output.styled(line, style) for line in lines] if style else lines
