"""
What a run's records say of it as a whole: its config, its summary, and how metrics were defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aim.convert.events import Event, ParamValue, Refused
from aim.convert.wandb import values

INTERNAL = frozenset({"_wandb", "_step", "_runtime", "_timestamp"})
LABEL_KINDS = ("mask/class_labels", "bounding_box/class_labels")
DELIMITER = "_wandb_delimeter_"  # as W&B spells it


class RunSettings:
    """
    Config, summary and definitions of one run; later records change earlier ones key by key.
    """

    def __init__(self) -> None:
        self._config: dict[str, Any] = {}
        self._summary: dict[str, Any] = {}
        self._metrics: dict[str, dict[str, Any]] = {}

    def take_config(self, changes: Mapping[str, Any]) -> list[Event]:
        """Take a record of the config, and return what could not be read."""
        return [Refused(f"config {problem}") for problem in values.change(self._config, changes)]

    def take_summary(self, changes: Mapping[str, Any]) -> list[Event]:
        """Take a record of the summary, and return what could not be read."""
        return [Refused(f"summary {problem}") for problem in values.change(self._summary, changes)]

    def take_trees(self, config: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """Take the config and the summary as a whole."""
        self._config.update(config)
        self._summary.update(summary)

    def take_metric(self, metric: Mapping[str, Any]) -> None:
        """Take the definition of a metric, or of all that a pattern names."""
        name = metric.get("name") or metric.get("glob")
        if name:
            self._metrics[name] = {"step_metric": metric["step_metric"]} if metric.get("step_metric") else {}

    def step_metric(self, name: str) -> str | None:
        """Return the metric whose values are the steps of metric *name*; None: its steps are its own."""
        for pattern, described in self._metrics.items():
            is_meant = name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
            if is_meant and "step_metric" in described:
                return str(described["step_metric"])
        return None

    def labels_of(self, name: str) -> dict[str, Any]:
        """Return the names of classes in the boxes and masks of a value, by layer."""
        labels: dict[str, Any] = {}
        config = self._config.get("_wandb")
        for kind in LABEL_KINDS:
            entries = config.get(kind) if isinstance(config, dict) else None
            for key, entry in entries.items() if isinstance(entries, dict) else ():
                owner, _, layer = str(key).partition(DELIMITER)
                if owner == name and isinstance(entry, dict):
                    labels[layer] = entry.get("value")
        return labels

    def params(self, metric_names: set[str]) -> Iterator[Event]:
        """Return the params: the config, and of the summary what is no metric of *metric_names*."""
        for key, value in self._config.items():
            if key not in INTERNAL:
                yield ParamValue((key,), value)
        if self._metrics:
            yield ParamValue(("wandb", "define_metric"), self._metrics)
        for path, value in values.leaves(self._summary):
            if path[0] not in INTERNAL and ".".join(path) not in metric_names:
                yield ParamValue(("wandb", "summary", *path), value)
