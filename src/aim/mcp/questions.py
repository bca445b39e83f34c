"""
The tools that read: each asks the door of a repository and returns a text of bounded length.

    runs_digest  list_runs  best_runs  compare_runs  list_metrics  read_curve  search_logs  look_at_image  explain_query

The docstrings are what a model reads to choose a tool.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from aim.core import contexts
from aim.core.errors import NotFound, RunNotFound, UsageError
from aim.core.reserved import SYSTEM_PREFIX
from aim.engine import matching
from aim.engine.best_runs import best_runs
from aim.engine.curve_shape import curve_shape
from aim.engine.digest import digest
from aim.engine.door import Door
from aim.engine.log_lines import LogReader
from aim.engine.metric_choice import metric_label, sequences_of_metric
from aim.engine.run_differences import differences
from aim.engine.sampling import reduce_curves
from aim.mcp.answers import bounded, cell, table
from aim.sdk.run_source import restore
from aim.storage.reading.points import floats_of

LIST_COLUMNS = ("hash", "name", "experiment", "status")
TOKENS_MAX, RUNS_MAX, LINES_MAX, POINTS_MAX, COMPARED_MAX = 4_000, 200, 100, 100, 8
IMAGE_SIDE_MAX = 512


class SeenImage(NamedTuple):
    """An image as PNG, and what it is."""

    text: str
    png: bytes


class ReadingTools:
    """The tools that read; *door* is the repository."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def _run(self, text: str) -> str:
        try:
            return self._door.find_run(text)
        except RunNotFound:
            named = self._door.questions().runs(f"run.name == {text!r}", limit=2)
            if len(named) == 1:
                return named[0]
            raise

    def runs_digest(self, query: str = "", tokens: int = 1500) -> str:
        """
        Sum up runs: how many, their status, in which params they differ, the best by each metric, why others failed
        with the last lines of their logs, diverged or NaN curves, the shapes of curves. Begin with this tool.

        Args:
            query: which runs, such as run.experiment == "digits" and run.hparams.lr > 0.01; empty: all.
            tokens: the answer has at most so many, 100 to 4000.
        """
        return digest(self._door, query, tokens=min(max(tokens, 100), TOKENS_MAX)).text

    def list_runs(self, query: str = "", columns: str = "", sort: str = "-created_at", limit: int = 30) -> str:
        """
        List runs as CSV.

        Args:
            query: which runs, as of runs_digest.
            columns: after hash,name,experiment,status: params (hparams.lr), summaries of metrics
                (loss.last, loss[subset=val].min; also max, mean, std, count, last_step), created_at (Unix seconds),
                duration, tags, error, notes.
            sort: a column, with - in front for largest first.
            limit: at most so many rows, 1 to 200.
        """
        names = [*LIST_COLUMNS, *(name.strip() for name in columns.split(",") if name.strip())]
        limit = min(max(limit, 1), RUNS_MAX)
        page = self._door.questions().table(names, query, sort=sort, limit=limit)
        return table(page.rows, names, total=page.total, advice="Narrow the query, or sort by another column.")

    def best_runs(self, metric: str, query: str = "", largest: bool | None = None, limit: int = 5) -> str:
        """
        List the best runs by the best value of a metric that each reached, with its step and the params that differ.

        Args:
            metric: such as loss, loss[subset=val] or val/loss.
            query: which runs, as of runs_digest.
            largest: whether a larger value is better; by default what the name of the metric says.
            limit: at most so many rows, 1 to 200.
        """
        limit = min(max(limit, 1), RUNS_MAX)
        ranking = best_runs(self._door.questions(), metric, query, is_largest=largest, limit=limit)
        rows = [
            {"hash": run.run_hash, "name": run.name, "best": run.value, "step": run.step, "last": run.last}
            for run in ranking.runs
        ]
        better = "largest" if ranking.is_largest else "smallest"
        text = table(rows, ["hash", "name", "best", "step", "last"], total=len(rows), advice="")
        return f"{ranking.metric}, {better} is best\n{text}"

    def compare_runs(self, runs: str) -> str:
        """
        Compare two to eight runs: properties, params, last values of metrics and packages in which they differ.

        Args:
            runs: hashes, beginnings of hashes or names, with commas between them.
        """
        names = [name.strip() for name in runs.split(",") if name.strip()][:COMPARED_MAX]
        hashes = list(dict.fromkeys(self._run(name) for name in names))
        if len(hashes) < 2:
            raise UsageError("Name two runs or more, with commas between them.")
        columns = [run_hash[:8] for run_hash in hashes]
        rows = [
            {"subject": row.subject, "name": row.name, **dict(zip(columns, row.values))}
            for row in differences(self._door, hashes)
        ]
        return table(rows, ["subject", "name", *columns], total=len(rows), advice="Compare fewer runs.")

    def list_metrics(self, query: str = "", limit: int = 50) -> str:
        """
        List metrics with their last, smallest and largest values as CSV; metrics of the machine come last.

        Args:
            query: about runs or metrics, such as metric.name == "loss" and metric.last > 1.
            limit: at most so many rows, 1 to 200.
        """
        questions = self._door.questions()
        sequences = questions.sequences(query)
        sequences.sort(key=lambda sequence: sequence.name.startswith(SYSTEM_PREFIX))
        chosen = sequences[: min(max(limit, 1), RUNS_MAX)]
        names = ["last", "min", "max", "count", "last_step"]
        rows = [
            {"run": each.run_hash[:8], "metric": metric_label(each.name, each.context), **values}
            for each, values in zip(chosen, questions.summary_rows(chosen, names), strict=True)
        ]
        return table(rows, ["run", "metric", *names], total=len(sequences), advice="Narrow the query.")

    def read_curve(self, run: str, metric: str, points: int = 30, first_step: int = -1, last_step: int = -1) -> str:
        """
        Read the curve of a metric, reduced so that its extremes are kept: its shape in one line, then step,value.

        Args:
            run: its hash, the beginning of it, or its name.
            metric: such as loss, loss[subset=val] or val/loss.
            points: about so many points, up to 100.
            first_step, last_step: only this part; -1: no bound.
        """
        run_hash = self._run(run)
        sequences = sequences_of_metric(self._door.questions(), metric, f"run.hash == {run_hash!r}")
        parts = []
        for series in self._door.questions().series(sequences[:4]):
            steps, values = np.asarray(series.points.steps, np.int64), floats_of(series.points)
            low = 0 if first_step < 0 else int(np.searchsorted(steps, first_step))
            high = len(steps) if last_step < 0 else int(np.searchsorted(steps, last_step, "right"))
            if high > low:
                label = metric_label(series.sequence.name, series.sequence.context)
                parts.append(_curve_text(label, steps[low:high], values[low:high], min(max(points, 4), POINTS_MAX)))
        if not parts:
            raise NotFound("There is no point in this part of the curve.")
        return bounded("\n".join(parts), "Ask for fewer points or one context.")

    def search_logs(self, run: str, text: str = "", limit: int = 20, regex: bool = False) -> str:
        """
        Read what a run printed: the last lines, or the last lines that contain a text.

        Args:
            run: its hash, the beginning of it, or its name.
            text: lines that contain it, in either case; empty: the last lines.
            limit: at most so many lines, 1 to 100.
            regex: whether the text is a regular expression of Python.
        """
        reader = LogReader(self._door.run(self._run(run)))
        limit = min(max(limit, 1), LINES_MAX)
        if text:
            lines, total = reader.matching(text, limit, is_regex=regex)
        else:
            lines, total = reader.last(limit), reader.count()
        body = "\n".join(f"{line.number}: {cell(line.text)}" for line in lines)
        return bounded(f"{total} lines{' match' if text else ''}\n{body}", "Ask for fewer lines.")

    def look_at_image(self, run: str, name: str, step: int = -1, index: int = 0) -> SeenImage:
        """
        Look at an image that a run tracked, at most 512 pixels wide or high.

        Args:
            run: its hash, the beginning of it, or its name.
            name: of the sequence of images; when there is none of that name, the error lists those that there are.
            step: the image at this step, or the one before; -1: the last one.
            index: which one of a list of images.
        """
        run_hash = self._run(run)
        sequences = self._door.questions().sequences(f"run.hash == {run_hash!r}", "images")
        chosen = [sequence for sequence in sequences if sequence.name == name]
        if not chosen:
            names = ", ".join(sorted({sequence.name for sequence in sequences})) or "none"
            raise NotFound(f"The run has no images {name!r}. It has: {names}.")
        door = self._door.run(run_hash)
        points = door.points((name, contexts.text(chosen[0].context)))
        if points is None or not len(points):
            raise NotFound(f"The images {name!r} have no step.")
        position = len(points) - 1 if step < 0 else max(0, int(np.searchsorted(points.steps, step, "right")) - 1)
        objects = door.objects(points, position, restore)
        items = list(objects) if isinstance(objects, (list, tuple)) else [objects]
        if not 0 <= index < len(items):
            raise NotFound(f"There are {len(items)} images at that step; index is from 0.")
        return _image_file(items[index], f"{name} of {run_hash[:8]} at step {int(points.steps[position])}", len(items))

    def explain_query(self, query: str) -> str:
        """
        Count what a query matches, clause by clause, and name what no run has: to mend a query that matches nothing.

        Args:
            query: of runs or of metrics.
        """
        questions = self._door.questions()
        subject = matching.ask(query).subject
        explanation = questions.explain(query, subject)
        rows: list[Mapping[str, Any]] = [
            {"clause": each.text, "matches": each.matches, "leaves": each.leaves} for each in explanation.clauses
        ]
        text = table(rows, ["clause", "matches", "leaves"], total=len(rows), advice="")
        hints = "\n".join(hint.text for hint in questions.hints(query, subject))
        return f"{explanation.total} {subject} in all\n{text}\n{hints}".strip()


def _curve_text(label: str, steps: Any, values: Any, count: int) -> str:
    indices = reduce_curves(steps, values[np.newaxis], max(1, count // 4))[0].point_indices
    pairs = "\n".join(f"{int(steps[index])},{values[index]:.5g}" for index in indices.tolist())
    return f"{label}: {curve_shape(steps, values).text()}\nstep,value\n{pairs}"


def _image_file(image: Any, title: str, count: int) -> SeenImage:
    picture = image.to_pil_image()
    size = picture.size
    picture.thumbnail((IMAGE_SIDE_MAX, IMAGE_SIDE_MAX))
    if picture.mode not in ("RGB", "RGBA", "L"):
        picture = picture.convert("RGB")
    data = io.BytesIO()
    picture.save(data, "PNG")
    caption = f", caption {cell(image.caption)}" if getattr(image, "caption", "") else ""
    return SeenImage(f"{title}: {size[0]} x {size[1]}{caption}; {count} at this step", data.getvalue())
