"""
`wandb.log(data)`: a row of values, as points of sequences.

    {"loss": 0.5}                         a metric; the number of the row is its step
    {"train": {"loss": 0.5}}              the name train.loss
    {"table": wandb.Table(...)}           an object; lists of objects of one kind are one point
    {"figure": plt, plotly, PIL, array}   Image, Figure, Image, Distribution
    {"note": "a text"}                    Text
    {"values": [1, 2, 3]}                 a Table of one column

The names are split as those of imported runs: `train/loss` is `loss` in the context {"subset": "train"}. The value of
`epoch`, or of the step metric that `define_metric` gave, is the epoch of the other points of its row.

A row with `commit=False` is filled by the next call. Rows may come late: W&B drops them, here they are kept.
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aim.core.configs import text_of
from aim.core.values import is_number, number
from aim.sdk.objects.custom import CustomObject
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.figure import Figure
from aim.sdk.objects.image import Image
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.recognise import is_array, is_matplotlib_figure, is_pil_image, is_plotly_figure, numpy_of
from aim.sdk.objects.table import Table
from aim.sdk.objects.text import Text
from aim.sdk.run import Run
from aim.wandb.media import WandbHtml, WandbImage
from aim.wandb.missing import forgiving
from aim.wandb.settings import WandbSummary
from aim.wandb.tables import WandbTable

EPOCH = "epoch"
SUBSETS = {name: name for name in ("train", "val", "test", "eval")} | {"valid": "val", "validation": "val"}


@dataclass
class MetricDefinition:
    """
    What `define_metric` says of the metrics whose names fit a pattern.

    Attributes:
        pattern: a name, or the beginning of names and a `*`.
        step_metric: the name of the metric that is their x axis.
        summary: which of min, max, mean, first, last, best, none their summary has; W&B's default is last.
        goal: `minimize` or `maximize`, for best.
    """

    pattern: str
    step_metric: str | None = None
    summary: tuple[str, ...] = ()
    goal: str | None = None


@dataclass
class Aggregate:
    """The least, greatest, first and mean of the values of one metric so far."""

    least: float = math.inf
    greatest: float = -math.inf
    first: float | None = None
    last: float = math.nan
    total: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        """Take one more value."""
        self.first = value if self.first is None else self.first
        self.least, self.greatest, self.last = min(self.least, value), max(self.greatest, value), value
        self.total, self.count = self.total + value, self.count + 1

    def summary(self, definition: MetricDefinition) -> dict[str, float | None]:
        """Return what *definition* asks for, by name."""
        best = self.greatest if definition.goal == "maximize" else self.least
        values = {
            "min": self.least,
            "max": self.greatest,
            "mean": self.total / self.count,
            "first": self.first,
            "last": self.last,
            "best": best,
        }
        return {name: values[name] for name in definition.summary if name in values}


@dataclass
class History:
    """
    The rows of one run.

    Attributes:
        run: what records.
        summary: gets the last value of each metric.
        step: the number of the row that the next call fills.
    """

    run: Run
    summary: WandbSummary
    step: int = 0
    definitions: list[MetricDefinition] = field(default_factory=list)
    _aggregates: dict[str, Aggregate] = field(default_factory=dict)
    _axes: dict[str, float] = field(default_factory=dict)
    """The last values of the metrics that are x axes."""

    def define(self, definition: MetricDefinition) -> None:
        """Treat metrics whose names fit as *definition* says; a later one comes before earlier ones."""
        self.definitions.insert(0, definition)

    def definition_of(self, name: str) -> MetricDefinition | None:
        """Return what is defined of the metric *name*."""
        return next((each for each in self.definitions if fnmatch.fnmatchcase(name, each.pattern)), None)

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        """
        Record a row.

        Args:
            data: values by name.
            step: the number of the row; None: the one that is being filled.
            commit: whether the row is full, so that the next call begins another one; None: if *step* is None.
        """
        row = dict(flattened(data))
        if step is not None:
            self.step = max(self.step, int(step))
        row_step = self.step if step is None else int(step)
        self._axes |= {name: float(number(value)) for name, value in row.items() if self._is_axis(name, value)}
        for name, value in row.items():
            self._record(name, value, row_step)
        if commit or (commit is None and step is None):
            self.step = row_step + 1

    def _is_axis(self, name: str, value: Any) -> bool:
        is_axis = name == EPOCH or any(name == definition.step_metric for definition in self.definitions)
        return is_axis and is_number(value)

    @forgiving("wandb.log")
    def _record(self, name: str, value: Any, step: int) -> None:
        if value is None:
            return
        definition = self.definition_of(name)
        axis = (definition.step_metric if definition else None) or EPOCH
        metric, context = series_of(name)
        made = trackable(value, name)
        self.run.track(made, name=metric, step=step, epoch=self._axes.get(axis), context=context)
        if isinstance(value, WandbHtml):
            self._store_page(value, name, step)
        if is_number(value):
            self._summarize(name, number(value), definition)

    def _store_page(self, page: WandbHtml, name: str, step: int) -> None:
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory(prefix="aim-html-") as folder:
            path = Path(folder, "page.html")
            path.write_text(page.page, encoding="utf-8")
            self.run.log_artifact(path, f"media/html/{name}_{step}.html", block=True)

    def _summarize(self, name: str, value: float, definition: MetricDefinition | None) -> None:
        if definition is None or not definition.summary:
            self.summary.remember({name: value})
            return
        aggregate = self._aggregates.setdefault(name, Aggregate())
        aggregate.add(float(value))
        if "none" not in definition.summary:
            self.summary.remember({name: aggregate.summary(definition)})

    def store_aggregates(self) -> None:
        """Store what `define_metric` asked for among the params, below `summary`."""
        for name in self._aggregates:
            if name in self.summary:
                self.summary[name] = self.summary[name]


def flattened(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """
    Go through the values of nested dicts with their dotted names.

    >>> dict(flattened({"loss": 1, "train": {"loss": 2}}))
    {'loss': 1, 'train.loss': 2}
    """
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def series_of(name: str) -> tuple[str, dict[str, str]]:
    """
    Return the name and the context of the sequence that a name of W&B means.

    >>> series_of("train/loss"), series_of("loss/validation"), series_of("charts/loss")
    (('loss', {'subset': 'train'}), ('loss', {'subset': 'val'}), ('charts/loss', {}))
    """
    head, _, after_head = name.partition("/")
    if after_head and head in SUBSETS:
        return after_head, {"subset": SUBSETS[head]}
    before_tail, _, tail = name.rpartition("/")
    if before_tail and tail in SUBSETS:
        return before_tail, {"subset": SUBSETS[tail]}
    return name, {}


def trackable(value: Any, name: str) -> Any:
    """
    Return what `Run.track` takes for a value that W&B's `log` takes.

    >>> trackable("hello", "note"), trackable([1, 2], "values"), trackable(0.5, "loss")
    (hello, <Table of 2 rows: values>, 0.5)
    """
    if isinstance(value, CustomObject) or (not is_array(value) and is_number(value)):
        return value
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, WandbTable):
        return value.stored_table()
    if isinstance(value, (list, tuple, set, frozenset)):
        return _of_list(list(value), name)
    for is_kind, make in _KINDS:
        if is_kind(value):
            return make(value)
    warn_once(
        f"wandb.log {name}", f"Aim: {name!r} is a {type(value).__name__}, which is recorded as text. This is said once."
    )
    return Text(text_of(value))


def _of_list(values: list[Any], name: str) -> Any:
    if values and all(isinstance(value, (CustomObject, WandbTable)) or is_pil_image(value) for value in values):
        return [trackable(value, name) for value in values]
    return WandbTable([name], [[value] for value in values]).stored_table()


def _of_array(array: Any) -> Any:
    plain = numpy_of(array)
    return plain.item() if plain.size == 1 else Distribution(plain)


def _is_pyplot(value: Any) -> bool:
    return getattr(value, "__name__", "") == "matplotlib.pyplot"


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (is_array, _of_array),
    (is_pil_image, WandbImage),
    (is_plotly_figure, Figure),
    (is_matplotlib_figure, Image),
    (_is_pyplot, WandbImage),
    (lambda value: hasattr(value, "columns") and hasattr(value, "to_dict"), Table),
    (lambda value: isinstance(value, bool), int),
)
