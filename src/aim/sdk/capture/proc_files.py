"""
What Linux tells of the host and of a process in the files of /proc, read without a package.

psutil reads the same files, and means the same by them. Its import takes 6 to 10 ms, in one piece which the steps of a
training wait for; reading takes 0.2 ms. psutil_counters.py asks psutil, on other systems.

Meaning of the fields: proc(5), and the kernel's documentation of `iostats` and `meminfo`.
"""

from __future__ import annotations

import os

from aim.core.tuples import NamedTuple

PROC = "/proc"
IS_THERE = os.path.exists(f"{PROC}/self/statm")
SECTOR_BYTES = 512  # of /proc/diskstats, whatever the disk's own are
PROCESSORS = "/sys/devices/system/cpu"


class ProcessUse(NamedTuple):
    """What one process uses: seconds of the processor, since when, resident bytes, threads."""

    used_s: float
    began_at_s: float
    resident_bytes: int
    thread_count: int


class MemoryUse(NamedTuple):
    """The host's memory in bytes."""

    total: int
    available: int

    @property
    def percent(self) -> float:
        """The share in use."""
        return round(100 * (self.total - self.available) / self.total, 1)


class ProcCounters:
    """
    Counts of the host and of the process *pid*; it is a `host_metrics.Counters`.

    Args:
        proc: the folder of the files.

    >>> counters = ProcCounters(os.getpid())
    >>> counters.process().resident_bytes < counters.memory().total
    True
    """

    def __init__(self, pid: int, proc: str = PROC) -> None:
        self._proc = proc
        self._pid = pid
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def process(self) -> ProcessUse:
        """Return what the process uses. Raises OSError: it is gone."""
        # the name, in brackets, may have any character
        fields = self._read(f"{self._pid}/stat").rpartition(")")[2].split()
        resident_pages = int(self._read(f"{self._pid}/statm").split()[1])
        used_ticks = int(fields[11]) + int(fields[12])
        began_at_s = self._booted_at_s() + int(fields[19]) / self._ticks
        return ProcessUse(used_ticks / self._ticks, began_at_s, resident_pages * self._page_bytes, int(fields[17]))

    def memory(self) -> MemoryUse:
        """Return the memory of the host."""
        return memory_use(self._read("meminfo"))

    def disk_percent(self, path: str) -> float:
        """Return the share in use of the file system at *path*, of what is not kept for the administrator."""
        found = os.statvfs(path)
        used = found.f_blocks - found.f_bfree
        return round(100 * used / max(1, used + found.f_bavail), 1)

    def processor_s(self) -> tuple[float, float]:
        """Return the seconds that all processors were busy, and those that they were there."""
        ticks = [int(field) for field in self._read("stat").partition("\n")[0].split()[1:]]
        whole = sum(ticks[:8])  # guest time, behind these, is part of user time already
        return (whole - sum(ticks[3:5])) / self._ticks, whole / self._ticks  # idle, and idle while something is read

    def disk_bytes(self) -> tuple[int, int] | None:
        """Return the bytes read and written by all disks; None: there is none."""
        try:
            disks = set(os.listdir("/sys/block"))
            lines = [line.split() for line in self._read("diskstats").splitlines()]
        except OSError:  # a container without disks
            return None
        counted = [fields for fields in lines if len(fields) >= 14 and fields[2] in disks]  # partitions are left out
        if not counted:
            return None
        read_sectors, written_sectors = (sum(int(fields[place]) for fields in counted) for place in (5, 9))
        return read_sectors * SECTOR_BYTES, written_sectors * SECTOR_BYTES

    def net_bytes(self) -> tuple[int, int] | None:
        """Return the bytes sent and received by all interfaces; None: there is none."""
        try:
            lines = self._read("net/dev").splitlines()[2:]
        except OSError:
            return None
        counted = [line.rpartition(":")[2].split() for line in lines]
        return (
            (sum(int(fields[8]) for fields in counted), sum(int(fields[0]) for fields in counted)) if counted else None
        )

    def _booted_at_s(self) -> float:
        after = self._read("stat").partition("\nbtime ")[2]
        return float(after.partition("\n")[0] or 0.0)

    def _read(self, name: str) -> str:
        with open(f"{self._proc}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()


def memory_use(meminfo: str) -> MemoryUse:
    """
    Return what the text of /proc/meminfo tells.

    >>> memory_use("MemTotal: 8 kB\\nMemFree: 1 kB\\nMemAvailable: 2 kB\\n")
    MemoryUse(total=8192, available=2048)
    """
    lines = [line.split() for line in meminfo.splitlines()]
    bytes_of = {line[0].rstrip(":"): int(line[1]) << 10 for line in lines if len(line) > 1}
    total, free = bytes_of["MemTotal"], bytes_of["MemFree"]
    available = bytes_of.get("MemAvailable") or free + bytes_of.get("Buffers", 0) + bytes_of.get("Cached", 0)
    return MemoryUse(total, free if available > total else available)  # more than all: a container's file


def core_count(processors: str = PROCESSORS) -> int | None:
    """Return how many cores the processors have, whose threads are processors to the system; None: nobody tells."""
    siblings = set()
    for name in os.listdir(processors):
        if name.startswith("cpu") and name[3:].isdecimal():
            try:
                with open(f"{processors}/{name}/topology/thread_siblings_list", encoding="ascii") as file:
                    siblings.add(file.read())
            except OSError:  # this one is off
                continue
    return len(siblings) or None
