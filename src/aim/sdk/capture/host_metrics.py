"""
What the host and this process use: processor, memory, disk, network.

    __system__cpu                      this process, percent of one core: 400 is four cores
    __system__p_memory_percent         this process, percent of the host's memory
    __system__memory_percent           the host's memory in use
    __system__disk_percent             the file system at / in use
    __system__host_cpu_percent         the host, percent of all cores
    __system__p_memory_bytes           this process, resident
    __system__p_threads                this process
    __system__memory_available_bytes   what the host can still give without swapping
    __system__disk_read_bytes_per_s    and disk_write_, net_sent_, net_received_: the host, since the last sample

The first four have the names and meaning of Aim 3. Rates need two samples, so they begin with the second; the first
value of `cpu` is the average since the process began.

Linux tells these in files (proc_files.py); on other systems psutil is asked (psutil_counters.py). What a system does
not tell is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aim.core.tuples import NamedTuple

if TYPE_CHECKING:
    from typing import Protocol

    from aim.sdk.capture.proc_files import MemoryUse, ProcessUse

    class Counters(Protocol):
        """What is counted of the host and of one process; None: the system does not tell."""

        def process(self) -> ProcessUse: ...
        def memory(self) -> MemoryUse: ...
        def disk_percent(self, path: str) -> float: ...
        def processor_s(self) -> tuple[float, float]: ...
        def disk_bytes(self) -> tuple[int, int] | None: ...
        def net_bytes(self) -> tuple[int, int] | None: ...


ROOT = os.path.abspath(os.sep)
NO_CONTEXT: Mapping[str, Any] = {}


class Reading(NamedTuple):
    """One measured value; *name* is without the prefix."""

    name: str
    value: float
    context: Mapping[str, Any] = NO_CONTEXT


class HostGauge:
    """
    Reads the host and one process.

    Args:
        process: a `psutil.Process`; None: this process.

    >>> readings = {reading.name: reading.value for reading in HostGauge().sample()}
    >>> 0 < readings["memory_percent"] < 100
    True
    """

    def __init__(self, process: Any = None) -> None:
        self._pid: int = os.getpid() if process is None else process.pid
        self._counters: Counters | None = None
        self._before: dict[str, tuple[float, float]] = {}

    def sample(self) -> Iterator[Reading]:
        """
        Return what is used now. Cost: about 0.2 ms.

        Raises:
            OSError, psutil.Error: the system does not tell.
        """
        if self._counters is None:
            self._counters = _counters(self._pid)
        counters = self._counters
        process, memory = counters.process(), counters.memory()
        yield Reading("cpu", 100 * self._cpu_share(process.used_s, process.began_at_s))
        yield Reading("p_memory_percent", 100 * process.resident_bytes / memory.total)
        yield Reading("p_memory_bytes", process.resident_bytes)
        yield Reading("p_threads", process.thread_count)
        yield Reading("memory_percent", memory.percent)
        yield Reading("memory_available_bytes", memory.available)
        yield Reading("disk_percent", counters.disk_percent(ROOT))
        yield from self._host_cpu(*counters.processor_s())
        yield from self._rates(("disk_read_bytes_per_s", "disk_write_bytes_per_s"), counters.disk_bytes())
        yield from self._rates(("net_sent_bytes_per_s", "net_received_bytes_per_s"), counters.net_bytes())

    def _cpu_share(self, used_s: float, began_at_s: float) -> float:
        share = self._rate("cpu", used_s)
        return used_s / max(time.time() - began_at_s, 1e-3) if share is None else share

    def _host_cpu(self, busy_s: float, whole_s: float) -> Iterator[Reading]:
        busy = self._rate("host_busy", busy_s)
        whole = self._rate("host_total", whole_s)
        if busy is not None and whole:
            yield Reading("host_cpu_percent", min(100.0, max(0.0, 100 * busy / whole)))

    def _rates(self, names: tuple[str, str], amounts: tuple[int, int] | None) -> Iterator[Reading]:
        for name, amount in zip(names, amounts or ()):
            rate = self._rate(name, amount)
            if rate is not None:
                yield Reading(name, max(0.0, rate))

    def _rate(self, name: str, amount: float) -> float | None:
        # change per second since the last sample; None: there was none
        now_s = time.monotonic()
        before = self._before.get(name)
        self._before[name] = (now_s, amount)
        if before is None or now_s <= before[0]:
            return None
        return (amount - before[1]) / (now_s - before[0])

    def close(self) -> None:
        """Let go; nothing is held open."""


def _counters(pid: int) -> Counters:
    from aim.sdk.capture import proc_files

    if proc_files.IS_THERE:
        return proc_files.ProcCounters(pid)
    from aim.sdk.capture.psutil_counters import PsutilCounters

    return PsutilCounters(pid)
