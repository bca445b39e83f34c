"""
In what runs differ: params that are not equal in all of them, and the last values of their metrics.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aim.core.reserved import SYSTEM_PARAMS, SYSTEM_PREFIX
from aim.engine.door import Door
from aim.engine.metric_choice import metric_label
from aim.storage.forms.state import RunState

MISSING = None
"""The value of a param that a run does not have."""
PARAM, METRIC_ROW, PROPERTY, SYSTEM = "param", "metric", "property", "system"


@dataclass(frozen=True)
class DifferenceRow:
    """
    One line of the comparison.

    Attributes:
        subject: `property`, `param`, `metric` or `system`.
        name: of the property, the path of the param with dots, or the metric as columns name it.
        values: one for each run; None where it has none.
    """

    subject: str
    name: str
    values: tuple[Any, ...]

    @property
    def is_equal(self) -> bool:
        """Whether all runs have the same value."""
        return all(type(value) is type(self.values[0]) and value == self.values[0] for value in self.values[1:])


def differences(door: Door, run_hashes: Sequence[str], *, with_equal: bool = False) -> list[DifferenceRow]:
    """
    Compare runs.

    Args:
        run_hashes: two or more, whole.
        with_equal: also what is equal in all runs.

    Raises:
        RunNotFound: there is no such run.
    """
    doors = [door.run(run_hash) for run_hash in run_hashes]
    flat = [flat_params(each.params()) for each in doors]
    rows = [
        *_rows(PROPERTY, [_properties(each.state()) for each in doors]),
        *_rows(PARAM, [_part(leaves, is_system=False) for leaves in flat]),
        *_rows(METRIC_ROW, _last_values(door, run_hashes)),
        *_rows(SYSTEM, [_part(leaves, is_system=True) for leaves in flat]),
    ]
    return rows if with_equal else [row for row in rows if not row.is_equal]


def _properties(state: RunState) -> dict[str, Any]:
    status, end_s = state.status()
    duration_s = round((time.time() if end_s is None else end_s) - state.created_at_s, 1)
    named = {"name": str(state.name), "experiment": state.experiment, "status": status, "error": state.error()}
    return {**named, "duration_s": duration_s, "tags": sorted(state.tags)}


def _part(leaves: Mapping[str, Any], *, is_system: bool) -> dict[str, Any]:
    return {name: value for name, value in leaves.items() if name.startswith(f"{SYSTEM_PARAMS}.") == is_system}


def _rows(subject: str, columns: Sequence[Mapping[str, Any]]) -> list[DifferenceRow]:
    names = sorted(
        dict.fromkeys(name for column in columns for name in column), key=lambda name: (name.count("."), name)
    )
    if subject == PROPERTY:
        names = list(columns[0])
    return [DifferenceRow(subject, name, tuple(column.get(name, MISSING) for column in columns)) for name in names]


def flat_params(tree: Any, prefix: str = "") -> dict[str, Any]:
    """
    Return the leaves of params by their paths with dots.

    >>> flat_params({"hparams": {"lr": 0.1, "layers": [64, {"size": 2}]}})
    {'hparams.lr': 0.1, 'hparams.layers.0': 64, 'hparams.layers.1.size': 2}
    """
    if isinstance(tree, Mapping) and tree:
        members = [(str(key), value) for key, value in tree.items()]
    elif isinstance(tree, (list, tuple)) and any(isinstance(value, (Mapping, list, tuple)) for value in tree):
        members = [(str(index), value) for index, value in enumerate(tree)]
    else:
        return {prefix: tree} if prefix else {}
    leaves: dict[str, Any] = {}
    for key, value in members:
        leaves.update(flat_params(value, f"{prefix}.{key}" if prefix else key))
    return leaves


def _last_values(door: Door, run_hashes: Sequence[str]) -> list[dict[str, Any]]:
    questions = door.questions()
    sequences = questions.sequences(f"run.hash in {list(run_hashes)!r} and run.archived in [True, False, None]")
    sequences = [sequence for sequence in sequences if not sequence.name.startswith(SYSTEM_PREFIX)]
    rows = questions.summary_rows(sequences, ["last"])
    values: dict[str, dict[str, Any]] = {run_hash: {} for run_hash in run_hashes}
    for sequence, row in zip(sequences, rows, strict=True):
        values[sequence.run_hash][metric_label(sequence.name, sequence.context)] = row.get("last")
    return [values[run_hash] for run_hash in run_hashes]
