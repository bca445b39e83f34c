"""
What psutil tells of the host and of a process, on systems without the files of Linux (proc_files.py).

psutil is imported when the first counter is made, by the thread that samples.
"""

from __future__ import annotations

from typing import Any

from aim.sdk.capture.proc_files import MemoryUse, ProcessUse


class PsutilCounters:
    """Counts of the host and of the process *pid*; it is a `host_metrics.Counters`."""

    def __init__(self, pid: int) -> None:
        import psutil

        self._process = psutil.Process(pid)
        self._psutil: Any = psutil

    def process(self) -> ProcessUse:
        """Return what the process uses. Raises psutil.Error: it is gone."""
        process = self._process
        with process.oneshot():
            used_s = sum(process.cpu_times()[:2])
            return ProcessUse(used_s, process.create_time(), process.memory_info().rss, process.num_threads())

    def memory(self) -> MemoryUse:
        """Return the memory of the host."""
        memory = self._psutil.virtual_memory()
        return MemoryUse(memory.total, memory.available)

    def disk_percent(self, path: str) -> float:
        """Return the share in use of the file system at *path*."""
        percent: float = self._psutil.disk_usage(path).percent
        return percent

    def processor_s(self) -> tuple[float, float]:
        """Return the seconds that all processors were busy, and those that they were there."""
        times = self._psutil.cpu_times()
        whole_s = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return whole_s - times.idle - getattr(times, "iowait", 0.0), whole_s

    def disk_bytes(self) -> tuple[int, int] | None:
        """Return the bytes read and written by all disks; None: there is none."""
        counters = self._psutil.disk_io_counters()
        return None if counters is None else (counters.read_bytes, counters.write_bytes)

    def net_bytes(self) -> tuple[int, int] | None:
        """Return the bytes sent and received by all interfaces; None: there is none."""
        counters = self._psutil.net_io_counters()
        return None if counters is None else (counters.bytes_sent, counters.bytes_recv)


def core_count() -> int | None:
    """Return how many cores the processors have; None: nobody tells."""
    import psutil

    count: int | None = psutil.cpu_count(logical=False)
    return count
