"""
System metrics: a thread that samples the machine at an interval, beside the training.

The first sample is taken at once. The thread can neither disturb nor end the run: whatever fails is logged once for
each kind of error, and the next sample is tried as ever. It ends with the run, and a forked child does not have it.

Cost: some modules once, in the thread, one after the other with rests (pace.py), so that no step of the training waits
for all of them; then 0.2 to 0.5 ms a sample. Measured by bench/overhead.py and bench/steps.py.
"""

from __future__ import annotations

import importlib
import logging
import math
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aim.core import forks
from aim.core.errors import RunClosed
from aim.core.reserved import SYSTEM_PREFIX
from aim.core.shield import shielded
from aim.sdk.capture.pace import REST_S

if TYPE_CHECKING:
    from aim.sdk.capture.gpu_metrics import Gauge

AIM_RESOURCE_METRIC_PREFIX = SYSTEM_PREFIX
DEFAULT_SYSTEM_TRACKING_INT = 10
INTERVAL_S_MIN = 0.1
INTERVAL_S_MAX = 24 * 60 * 60.0
GAUGE_MODULES = ("aim.sdk.capture.host_metrics", "ctypes", "aim.sdk.capture.gpu_metrics")
COUNTER_MODULES = {
    True: ("aim.sdk.capture.proc_files",),
    False: ("socket", "subprocess", "datetime", "psutil"),  # psutil, and what it imports first
}
MODULES = GAUGE_MODULES + COUNTER_MODULES[sys.platform.startswith("linux")]
JOIN_S = 1.0  # a sample that is under way takes a millisecond; one that hangs is left to hang

log = logging.getLogger("aim")

Record = Callable[[float, str, Mapping[str, Any]], None]
"""Takes a value, the name of its sequence, and its context."""


class ResourceTracker:
    """
    Samples the machine at an interval. It is a `services.Service`.

    Args:
        record: takes each value.
        interval_s: seconds between samples.
        gauges: make what is read; by default the host, this process, and the graphics processors. Called in the thread.
    """

    def __init__(
        self,
        record: Record,
        interval_s: float = DEFAULT_SYSTEM_TRACKING_INT,
        gauges: Callable[[], Sequence[Gauge]] | None = None,
    ) -> None:
        self._record = record
        self._interval_s = interval_s
        self._make_gauges = gauges or _all_gauges
        self._gauges: Sequence[Gauge] = ()
        self._ends = threading.Event()
        self._faults: set[type] = set()
        self._thread: threading.Thread | None = None

    @staticmethod
    def check_interval(interval_s: object) -> bool:
        """
        Return whether *interval_s* is an interval; None silently is none, others with a warning.

        >>> ResourceTracker.check_interval(10), ResourceTracker.check_interval(None)
        (True, False)
        """
        if interval_s is None:
            return False
        if isinstance(interval_s, (int, float)) and INTERVAL_S_MIN <= interval_s <= INTERVAL_S_MAX:
            return True
        log.warning(
            "system_tracking_interval is %r; it has to be %s s to 1 day. System metrics are not recorded.",
            interval_s,
            INTERVAL_S_MIN,
        )
        return False

    def start(self) -> None:
        """Begin; the first sample is taken at once, by the thread."""
        self._thread = threading.Thread(target=self._run, name="aim-system-metrics", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is ending, or may have no more threads: nothing depends on these metrics
            self._thread = None

    def _run(self) -> None:
        shielded(self._load, self._report)
        shielded(self._open, self._report)
        while not self._ends.is_set():
            for gauge in self._gauges:
                shielded(lambda gauge=gauge: self._sample(gauge), self._report)  # type: ignore[misc]
            self._ends.wait(self._interval_s)
        for gauge in self._gauges:
            shielded(gauge.close, self._report)

    def _load(self) -> None:
        for name in MODULES:
            with forks.whole():
                importlib.import_module(name)
            self._ends.wait(REST_S)

    def _open(self) -> None:
        with forks.whole():
            self._gauges = self._make_gauges()

    def _sample(self, gauge: Gauge) -> None:
        with forks.whole():
            readings = list(gauge.sample())
        for reading in readings:
            if math.isfinite(reading.value):
                self._record(round(float(reading.value), 6), AIM_RESOURCE_METRIC_PREFIX + reading.name, reading.context)

    def _report(self, error: Exception) -> None:
        if isinstance(error, RunClosed):
            self._ends.set()
        elif type(error) not in self._faults:
            self._faults.add(type(error))
            log.warning(
                "Aim: some system metrics can't be read (%s: %s). This is said once.", type(error).__name__, error
            )

    def record_pending(self, *, wait: bool) -> None:
        """Nothing gathers: each sample is recorded when it is taken."""

    def stop(self, deadline_s: float = JOIN_S) -> None:
        """End the thread."""
        self._ends.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(min(deadline_s, JOIN_S))

    def forked(self) -> None:
        """In the child of a fork the thread is not there, and does not begin."""
        self._ends = threading.Event()
        self._ends.set()
        self._thread = None


def _all_gauges() -> list[Gauge]:
    from aim.sdk.capture.gpu_metrics import gpu_gauges  # in the thread: ctypes
    from aim.sdk.capture.host_metrics import HostGauge

    return [HostGauge(), *gpu_gauges()]
