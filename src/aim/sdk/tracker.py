"""
A path of Aim 3: `run._tracker._track`, by which its converters record a value with a time of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aim.storage.recording.sequence_writer import SequenceWriter, track_at


class RunTracker:
    """
    Records values of one run with given times; `Run.track` is for everything else.

    Args:
        handle: returns the handle of a sequence by name and context.

    >>> import tempfile
    >>> from aim import Run
    >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
    >>> run._tracker._track(0.5, 1.7e9, "loss", 3, context={"subset": "train"})
    >>> points = run.get_metric("loss", {"subset": "train"})
    >>> points.values.tolist(), points.timestamps.tolist()
    ([0.5], [1700000000.0])
    >>> run.close()
    """

    def __init__(self, handle: Callable[[str | None, Mapping[str, Any]], SequenceWriter]) -> None:
        self._handle = handle

    def _track(
        self,
        value: Any,
        track_time: float,
        name: str | None = None,
        step: Any = None,
        epoch: Any = None,
        *,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Record *value*, or a dict of values by name, at the time *track_time* in Unix seconds; as `Run.track`.

        Raises:
            UntrackableValue: the value can't be recorded; it is a ValueError.
        """
        named = value.items() if name is None and isinstance(value, Mapping) else [(name, value)]
        for each_name, each in named:
            track_at(self._handle(each_name, dict(context or {})), each, step, track_time, epoch)
