"""
`aim plot`: curves of metrics in the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import repo_option
from aim.cli.run_choice import HASH_CHARS
from aim.cli.runs import open_repository
from aim.cli.views import screen
from aim.cli.views.braille import COLOURS, MARKS, PlotCurve, plot
from aim.core.words import counted
from aim.engine.door import Door, MatchingSequence
from aim.engine.metric_choice import metric_label, sequences_of_metric
from aim.engine.sampling import reduce_curves, smoothed
from aim.storage.reading.points import floats_of

STEP, TIME, EPOCH = X_AXES = ("step", "time", "epoch")
CURVES_MAX = 20
LEGEND_SHARE = 3  # at most a third of the rows of the terminal
JSON_POINTS = 200


@dataclass(frozen=True)
class RunCurve:
    """A curve of a run, with its name and its group; all that the legend says."""

    sequence: MatchingSequence
    name: str
    group: str | None
    drawn: PlotCurve


@dataclass(frozen=True)
class PlotChoice:
    """What is drawn, and how."""

    metric: str
    query: str
    group: str | None
    x: str
    smooth: float
    limit: int


@click.command("plot", short_help="Draw curves of a metric in the terminal.")
@repo_option
@click.argument("metric")
@click.argument("query", default="")
@click.option("-g", "--group", default=None, help="Colour the curves by a param or property, such as hparams.lr.")
@click.option("-x", "x", type=click.Choice(X_AXES), default=STEP, show_default=True, help="What runs to the right.")
@click.option("--log-x", is_flag=True, help="A logarithmic axis to the right.")
@click.option("--log-y", "--log", "log_y", is_flag=True, help="A logarithmic axis upwards.")
@click.option("--smooth", type=click.FloatRange(0, 0.999), default=0.0, help="Smooth with this weight, such as 0.6.")
@click.option("--limit", type=click.IntRange(1, 52), default=CURVES_MAX, show_default=True, help="Of the newest runs.")
@click.option("--height", type=click.IntRange(min=4), default=None, help="Rows of the curves.  [default: what fits]")
@click.option("-f", "--follow", is_flag=True, help="Draw again every two seconds, until q is pressed.")
@json_option
def plot_metric(
    repo: Path | None, log_x: bool, log_y: bool, height: int | None, follow: bool, as_json: bool, **choice: Any
) -> None:
    """
    Draw the curves of METRIC of the runs that match QUERY: loss, loss[subset=val] or val/loss.

    Example: the validation loss by learning rate, on a logarithmic axis

        aim plot val/loss 'run.experiment == "digits"' -g hparams.lr --log

    Each curve ends at its letter of the legend. Exit code 0: there are curves; 2: no run has the metric.
    """
    door = open_repository(repo)
    chosen = PlotChoice(**choice)
    if as_json:
        for curve in _curves(door, chosen)[0]:
            output.say(output.json_line(_record(curve, chosen)))
        return

    def draw(columns: int, lines: int) -> list[str]:
        curves, total = _curves(door, chosen)
        legend = _legend(curves, max(3, lines // LEGEND_SHARE))
        rows = height or max(4, min(lines - len(legend) - 4, columns // 3))
        titles = f"{chosen.metric}{f', smoothed {chosen.smooth:g}' if chosen.smooth else ''}{', log' if log_y else ''}"
        rest = f", the newest {len(curves)} of {total}" if total > len(curves) else ""
        drawn = [curve.drawn for curve in curves]
        body = plot(drawn, columns, rows, x_title=chosen.x, log_x=log_x, log_y=log_y)
        return [output.styled(f"{titles}: {counted(len(curves), 'curve')}{rest}", "bold"), *body, *legend]

    screen.show(draw, every_s=2.0, is_once=not follow)


def _curves(door: Door, choice: PlotChoice) -> tuple[list[RunCurve], int]:
    questions = door.questions()
    sequences = sequences_of_metric(questions, choice.metric, choice.query)
    chosen = sequences[: choice.limit]
    columns = ["hash", "name", *([choice.group] if choice.group else [])]
    hashes = list(dict.fromkeys(sequence.run_hash for sequence in chosen))
    rows = {row["hash"]: row for row in questions.table(columns, f"run.hash in {hashes!r}").rows}
    groups = sorted({output.cell(row[choice.group]) for row in rows.values()}) if choice.group else []
    curves: list[RunCurve] = []
    for series in questions.series(chosen):
        row = rows.get(series.sequence.run_hash)
        if row is not None:
            group = output.cell(row[choice.group]) if choice.group else None
            colour = groups.index(group) if group is not None else len(curves)
            drawn = _drawn(series.points, choice, colour)
            curves.append(RunCurve(series.sequence, str(row["name"]), group, drawn))
    if choice.group:
        curves.sort(key=lambda curve: curve.drawn.colour)
    return curves, len(sequences)


def _drawn(points: Any, choice: PlotChoice, colour: int) -> PlotCurve:
    y = floats_of(points)
    x = np.asarray(points.steps, np.float64)
    if choice.x == TIME:
        x = np.asarray(points.times_s, np.float64) - float(points.times_s.min()) if len(points) else x
    elif choice.x == EPOCH:
        x = np.asarray(points.epochs, np.float64)
    order = np.argsort(x, kind="stable")
    if choice.smooth:
        y = smoothed(y[np.newaxis], choice.smooth)[0]
    return PlotCurve(x[order], y[order], colour)


def _legend(curves: Sequence[RunCurve], rows_max: int) -> list[str]:
    lines = []
    shown = curves if len(curves) <= rows_max else curves[: rows_max - 1]
    for mark, curve in zip(MARKS, shown):
        y = curve.drawn.y
        finite = y[np.isfinite(y)]
        ends = f"last {output.cell(float(y[-1]))}" if len(y) else "no points"
        ends += (
            f"  min {output.cell(float(finite.min()))}  max {output.cell(float(finite.max()))}" if len(finite) else ""
        )
        group = "" if curve.group is None else f"{curve.group or '-'}  "
        name = curve.name if not curve.name.startswith("Run: ") else ""
        context = metric_label("", curve.sequence.context)
        text = f"{mark} {curve.sequence.run_hash[:HASH_CHARS]}  {group}{output.visible(name)}{context}  {ends}"
        lines.append(output.styled(text, COLOURS[curve.drawn.colour % len(COLOURS)]))
    if len(shown) < len(curves):
        lines.append(f"and {len(curves) - len(shown)} more")
    return lines


def _record(curve: RunCurve, choice: PlotChoice) -> dict[str, Any]:
    x, y = curve.drawn.x, curve.drawn.y
    kept = reduce_curves(x, y[np.newaxis], JSON_POINTS // 4)[0].point_indices if len(x) else np.zeros(0, np.int64)
    return {
        "run": curve.sequence.run_hash,
        "name": curve.name,
        "metric": curve.sequence.name,
        "context": dict(curve.sequence.context),
        "group": curve.group,
        "points": len(x),
        choice.x: x[kept].tolist(),
        "value": y[kept].tolist(),
    }
