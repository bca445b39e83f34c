"""
Snapshots: the system metrics of one moment, for programs that decide themselves what to record of them.

    stat = Stat(psutil.Process())
    stat.system["cpu"], [gpu["gpu_memory_percent"] for gpu in stat.gpus]

These are the values that a run records by itself (host_metrics.py, gpu_metrics.py), without the prefix of their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aim.sdk.capture.gpu_metrics import Gauge, gpu_gauges
from aim.sdk.capture.host_metrics import HostGauge

Metrics = dict[str, float]


class StatDict:
    """
    What was measured at one moment.

    Attributes:
        system: metrics of the host and the process, by name.
        gpus: the same of each graphics processor, in the order of their numbers.
    """

    def __init__(self, system: Metrics, gpus: list[Metrics]) -> None:
        self.system = system
        self.gpus = gpus

    def to_dict(self) -> dict[str, Any]:
        """Return `{"system": ..., "gpus": [...]}`."""
        return {"system": self.system, "gpus": self.gpus}


class Stat:
    """
    Measures the host, one process and the graphics processors when it is made, and again at each `get_stats()`.

    Args:
        process: a `psutil.Process`; None: this process.

    Attributes:
        stat_item: what was measured when this object was made; `system` and `gpus` are its parts.

    Cost: about 1 ms a call.

    >>> 0 < Stat().system["memory_percent"] < 100
    True
    """

    def __init__(self, process: Any = None) -> None:
        self.process = process
        self._host = HostGauge(process)
        self._gpu_gauges: Sequence[Gauge] = gpu_gauges()
        self.stat_item = StatDict(*self.get_stats())

    @property
    def system(self) -> Metrics:
        """Metrics of the host and the process, by name."""
        return self.stat_item.system

    @property
    def gpus(self) -> list[Metrics]:
        """Metrics of each graphics processor; empty where there is none."""
        return self.stat_item.gpus

    def get_stats(self) -> tuple[Metrics, list[Metrics]]:
        """Measure now, and return the metrics of the system and those of each graphics processor."""
        system = {reading.name: reading.value for reading in self._host.sample()}
        by_number: dict[Any, Metrics] = {}
        for gauge in self._gpu_gauges:
            for reading in gauge.sample():
                by_number.setdefault(reading.context.get("gpu"), {})[reading.name] = reading.value
        return system, list(by_number.values())
