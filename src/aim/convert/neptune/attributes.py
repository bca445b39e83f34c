"""
The attributes of a run of Neptune, as all of its forms have them: a path of names, and a value, a set or a series.

    sys/name, sys/description, sys/tags, sys/failed ...   what describes the run
    monitoring/<id>/<name>                                metrics of the machine
    a series                                              points, texts, images, histograms with steps and times
    everything else                                       a param, nested by the parts of its path

A run is in memory as a whole: 24 bytes a point of a series that comes as arrays. Points without a step are numbered,
and so are the series of which some step has a fraction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.convert import steps
from aim.convert.events import (
    ArtifactFile,
    Ended,
    Event,
    ObjectStep,
    ParamValue,
    PointBatch,
    Renumbered,
    RunFound,
    TagName,
)
from aim.convert.media import Media
from aim.core.reserved import SYSTEM_PREFIX

AttributePath = tuple[str, ...]
FloatArray = npt.NDArray[np.float64]
NAME: AttributePath = ("sys", "name")
DESCRIPTION: AttributePath = ("sys", "description")
FAILED: AttributePath = ("sys", "failed")
STATE: AttributePath = ("sys", "state")
CREATED: AttributePath = ("sys", "creation_time")
TAGS: tuple[AttributePath, ...] = (("sys", "tags"), ("sys", "group_tags"))
DESCRIBING = frozenset({NAME, DESCRIPTION, FAILED})
MONITORING = "monitoring"


class RunAttributes:
    """
    The attributes of one run after all that was said of them.

    Attributes:
        values: of attributes that are one value.
        sets: the members of sets of texts, in the order in which they were added.
        files: where the file of an attribute is, and the name that it gets.
    """

    def __init__(self) -> None:
        self.values: dict[AttributePath, Any] = {}
        self.sets: dict[AttributePath, dict[str, None]] = {}
        self.files: dict[AttributePath, tuple[str, Path]] = {}
        self._points: dict[AttributePath, list[tuple[FloatArray, FloatArray, FloatArray]]] = {}
        self._objects: dict[AttributePath, list[tuple[float, float, Media]]] = {}

    def add_points(
        self, path: AttributePath, own_steps: Sequence[float] | FloatArray, values: Any, times_s: Any
    ) -> None:
        """Add points of a series of numbers; NaN as a step: there is none."""
        columns = (np.asarray(column, np.float64) for column in (own_steps, values, times_s))
        self._points.setdefault(path, []).append(tuple(columns))  # type: ignore[arg-type]

    def add_object(self, path: AttributePath, step: float, time_s: float, medium: Media) -> None:
        """Add one object of a series; NaN as a step: there is none."""
        self._objects.setdefault(path, []).append((step, time_s, medium))

    def change_set(self, path: AttributePath, members: Sequence[str], *, is_added: bool) -> None:
        """Add members to a set, or take them out."""
        chosen = self.sets.setdefault(path, {})
        for text in members:
            chosen.pop(text, None)
            if is_added:
                chosen[text] = None

    def delete(self, path: AttributePath) -> None:
        """Forget an attribute."""
        members: Any
        for members in (self.values, self.sets, self._points, self._objects, self.files):
            members.pop(path, None)

    def events(self, begun: RunFound, *, no_params: frozenset[AttributePath] = frozenset()) -> Iterator[Event]:
        """
        Go through the run.

        Args:
            begun: what the form says of it beside the attributes.
            no_params: attributes that *begun* has already.
        """
        name = self.values.get(NAME) or begun.name
        yield begun._replace(name=name, description=self.values.get(DESCRIPTION) or begun.description)
        for path in TAGS:
            yield from (TagName(tag) for tag in self.sets.get(path, ()))
        for path, value in self.values.items():
            if path not in DESCRIBING | no_params:
                yield ParamValue(path, value)
        for path, members in self.sets.items():
            if path not in TAGS:
                yield ParamValue(path, list(members))
        yield from self._series_events()
        yield from (ArtifactFile(name, path=path) for name, path in self.files.values())
        yield Ended("failed" if self.values.get(FAILED) else "finished")

    def _series_events(self) -> Iterator[Event]:
        for path, columns in self._points.items():
            own_steps, values, times_s = (np.concatenate(column) for column in zip(*columns))
            numbered = steps.whole_array(own_steps)
            if numbered.reason is not None:
                yield Renumbered(numbered.reason, len(values))
            order = numbered.order
            name, is_system = _series_name(path)
            yield PointBatch(
                name, {}, numbered.steps, values[order], times_s[order], numbered.epochs, is_system=is_system
            )
        for path, entries in self._objects.items():
            numbered = steps.whole_array(np.array([step for step, _, _ in entries], np.float64))
            if numbered.reason is not None:
                yield Renumbered(numbered.reason, len(entries))
            name, _ = _series_name(path)
            rows = zip(numbered.order.tolist(), numbered.steps.tolist(), numbered.epochs.tolist())
            for index, whole_step, epoch in rows:
                _, time_s, medium = entries[index]
                yield ObjectStep(name, {}, whole_step, [medium], time_s, epoch)


def _series_name(path: AttributePath) -> tuple[str, bool]:
    if path[0] == MONITORING:
        return SYSTEM_PREFIX + "/".join(path[2:] or path[1:]), True
    return "/".join(path), False


def number_or_nan(value: Any) -> float:
    """
    Return a step or a time; NaN: there is none.

    >>> number_or_nan(3), number_or_nan(None)
    (3.0, nan)
    """
    return math.nan if value is None else float(value)
