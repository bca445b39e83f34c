"""
The rows of a run's history, and its system metrics, as points and objects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aim.convert.events import Event, LeftOut, ObjectStep, Refused
from aim.convert.media import PlainText
from aim.convert.point_batches import PointBatches
from aim.convert.system_names import system_series
from aim.convert.timestamps import seconds
from aim.convert.wandb import values
from aim.convert.wandb.media_values import media_of
from aim.convert.wandb.settings import RunSettings
from aim.convert.wandb.values import BadJson


class HistoryRows:
    """
    Takes rows.

    Attributes:
        points: numbers, gathered.
        names: of all that the rows have had.
        others: events for what is no number.
        last_s: the time of the latest row; -inf: there was none.
        files: the folder of the media files.

    Args:
        by_metric: whether the step of a row is the value of its step metric, where that is a whole number.
    """

    def __init__(self, settings: RunSettings, *, by_metric: bool) -> None:
        self.points = PointBatches(are_floats_lost=True)
        self.names: set[str] = set()
        self.others: list[Event] = []
        self.last_s = -math.inf
        self.files = Path()
        self._settings = settings
        self._by_metric = by_metric
        self._system_counts: dict[str, int] = {}

    def take(self, history: Mapping[str, Any]) -> None:
        """Take one row."""
        row: dict[str, Any] = {}
        nested: dict[str, Any] = {}
        for item in history.get("items", ()):
            try:
                value = values.value_of(item.get("value_json", "null"))
            except BadJson as error:
                self.others.append(Refused(f"history of {'.'.join(values.path_of(item))}: {error}"))
                continue
            keys = item.get("nested_key")
            if not keys:
                row[item.get("key", "")] = value
            elif len(keys) == 1:
                row[keys[0]] = value
            else:
                values.put(nested, tuple(keys), value)
        self.take_row(row, nested, history.get("step", {}).get("num", 0))

    def take_row(self, row: dict[str, Any], nested: Mapping[str, Any], step_if_none: int = 0) -> None:
        """
        Take the values of one row.

        Args:
            row: by name; its step, time and duration are taken out.
            nested: a tree of more.
            step_if_none: its step, where the row does not say so.
        """
        step = row.pop("_step", None)
        step = step if isinstance(step, int) else step_if_none
        time_s = row.pop("_timestamp", math.nan)
        time_s = float(time_s) if isinstance(time_s, (int, float)) else math.nan
        row.pop("_runtime", None)
        self.last_s = max(self.last_s, time_s) if time_s == time_s else self.last_s
        for name, value in row.items():
            self._value(name, value, row, step, time_s)
        for path, value in values.leaves(nested):
            self._value(".".join(path), value, row, step, time_s)

    def _step_of(self, name: str, row: Mapping[str, Any], step: int) -> int:
        by = self._settings.step_metric(name)
        value = row.get(by) if by else None
        return int(value) if isinstance(value, (int, float)) and value == value and value == int(value) else step

    def _value(self, name: str, value: Any, row: Mapping[str, Any], row_step: int, time_s: float) -> None:
        if isinstance(value, dict) and value and "_type" not in value:  # until 0.19 a dict was written as one value
            for path, leaf in values.leaves(value, (name,)):
                self._value(".".join(path), leaf, row, row_step, time_s)
            return
        self.names.add(name)
        step = self._step_of(name, row, row_step) if self._by_metric else row_step
        if isinstance(value, (int, float)):
            self.points.add(name, {}, step, int(value) if isinstance(value, bool) else value, time_s)
        elif value is None:
            self.others.append(LeftOut("values of null, which are no points"))
        else:
            self._object(name, value, step, time_s)

    def _object(self, name: str, value: Any, step: int, time_s: float) -> None:
        if isinstance(value, dict) and "_type" in value:
            made = media_of(value, self.files, self._settings.labels_of(name))
            if made.problem:
                self.others.append(Refused(f"{name} at step {step}: {made.problem}"))
            self.others.append(ObjectStep(name, {}, step, made.items, time_s, is_list=made.is_list))
        else:
            if not isinstance(value, str):
                self.others.append(LeftOut(f"lists and dicts of {name!r}, kept as text"))
            self.others.append(ObjectStep(name, {}, step, [PlainText(str(value))], time_s))

    def take_stats(self, stats: Mapping[str, Any]) -> None:
        """Take metrics of the machine; they have no steps, and are numbered from 0."""
        time_s = seconds(stats.get("timestamp"))
        for item in stats.get("items", ()):
            key = item.get("key", "")
            try:
                value = values.value_of(item.get("value_json", "null"))
            except BadJson as error:
                self.others.append(Refused(f"system metric {key}: {error}"))
                continue
            if isinstance(value, (int, float)):
                name, context = system_series(key)
                count = self._system_counts[key] = self._system_counts.get(key, -1) + 1
                moment_s = math.nan if time_s is None else time_s
                self.points.add(name, context, count, float(value), moment_s, is_system=True)
