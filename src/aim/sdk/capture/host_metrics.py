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

psutil is imported when the first sample is taken, by the thread that takes it: it costs some 20 ms, and the training
does not wait for it. What a system does not tell is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ROOT = os.path.abspath(os.sep)


@dataclass(frozen=True)
class Reading:
    """One measured value; *name* is without the prefix."""

    name: str
    value: float
    context: dict[str, Any] = field(default_factory=dict)


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
        self._process = process
        self._before: dict[str, tuple[float, float]] = {}

    def sample(self) -> Iterator[Reading]:
        """
        Return what is used now. Cost: about 0.3 ms.

        Raises:
            OSError, psutil.Error: the system does not tell.
        """
        import psutil

        if self._process is None:
            self._process = psutil.Process()
        process = self._process
        with process.oneshot():
            used_s = sum(process.cpu_times()[:2])
            yield Reading("cpu", 100 * self._cpu_share(used_s, process.create_time()))
            memory = psutil.virtual_memory()
            resident_bytes = process.memory_info().rss
            yield Reading("p_memory_percent", 100 * resident_bytes / memory.total)
            yield Reading("p_memory_bytes", resident_bytes)
            yield Reading("p_threads", process.num_threads())
        yield Reading("memory_percent", memory.percent)
        yield Reading("memory_available_bytes", memory.available)
        yield Reading("disk_percent", psutil.disk_usage(ROOT).percent)
        yield from self._host_cpu(psutil.cpu_times())
        yield from self._rates("disk", psutil.disk_io_counters(), ("read_bytes", "write_bytes"))
        yield from self._rates("net", psutil.net_io_counters(), ("bytes_sent", "bytes_recv"))

    def _cpu_share(self, used_s: float, began_at_s: float) -> float:
        share = self._rate("cpu", used_s)
        return used_s / max(time.time() - began_at_s, 1e-3) if share is None else share

    def _host_cpu(self, times: Any) -> Iterator[Reading]:
        # guest time is part of user time already: proc(5)
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        total_s = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        busy = self._rate("host_busy", total_s - idle_s)
        whole = self._rate("host_total", total_s)
        if busy is not None and whole:
            yield Reading("host_cpu_percent", min(100.0, max(0.0, 100 * busy / whole)))

    def _rates(self, what: str, counters: Any, names: tuple[str, str]) -> Iterator[Reading]:
        if counters is None:  # a container without disks
            return
        labels = {"read_bytes": "read", "write_bytes": "write", "bytes_sent": "sent", "bytes_recv": "received"}
        for name in names:
            rate = self._rate(f"{what}.{name}", float(getattr(counters, name)))
            if rate is not None:
                yield Reading(f"{what}_{labels[name]}_bytes_per_s", max(0.0, rate))

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
