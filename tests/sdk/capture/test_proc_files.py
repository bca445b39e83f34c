"""
The files of /proc: what they tell is what psutil tells.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from aim.sdk.capture import proc_files, psutil_counters
from aim.sdk.capture.host_metrics import HostGauge
from aim.sdk.capture.proc_files import MemoryUse, ProcCounters, memory_use
from aim.sdk.capture.psutil_counters import PsutilCounters

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these files are those of Linux")

STAT = "cpu  100 20 30 700 50 6 4 0 10 5\ncpu0 100 20 30 700 50 6 4 0 10 5\nctxt 7\nbtime 1790000000\nprocesses 9\n"
FIELDS = "S 1 1 1 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 3 0 12300 55 66"


def test_a_sleeping_process_uses_what_psutil_says() -> None:
    """
    Of a process that does nothing all counts are equal, whoever reads them.
    """
    with subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        ours = ProcCounters(process.pid).process()
        theirs = PsutilCounters(process.pid).process()
        named = {reading.name: reading.value for reading in HostGauge(psutil.Process(process.pid)).sample()}
        process.stdin.close()

    assert theirs == ours
    assert (ours.resident_bytes, ours.thread_count) == (named["p_memory_bytes"], named["p_threads"])


def test_the_host_is_what_psutil_says() -> None:
    """
    Memory and cores of the host are equal; counts that grow lie between two readings of psutil's.
    """
    ours, theirs = ProcCounters(os.getpid()), PsutilCounters(os.getpid())
    assert (theirs.memory().total, psutil_counters.core_count()) == (ours.memory().total, proc_files.core_count())
    for name in ("processor_s", "disk_bytes", "net_bytes"):
        before, between, after = (getattr(counters, name)() for counters in (theirs, ours, theirs))
        assert (before is None) == (between is None), name
        for low, value, high in zip(before or (), between or (), after or (), strict=True):
            assert low - 1e-6 <= value <= high + 1e-6, name
    assert abs(theirs.disk_percent("/") - ours.disk_percent("/")) < 1


def test_guests_and_waiting_are_no_work(tmp_path: Path) -> None:
    """
    Processors are busy but when they idle, with or without something to wait for; guests are counted once.
    """
    (tmp_path / "stat").write_text(STAT)
    ticks = os.sysconf("SC_CLK_TCK")

    assert (160 / ticks, 910 / ticks) == ProcCounters(1, str(tmp_path)).processor_s()


@pytest.mark.parametrize("name", ["python", "a) S (b", "näme"])
def test_a_process_may_have_any_name(name: str, tmp_path: Path) -> None:
    """
    Brackets and spaces in the name of a process move no field.
    """
    (tmp_path / "7").mkdir()
    (tmp_path / "stat").write_text(STAT)
    (tmp_path / "7" / "stat").write_text(f"7 ({name}) {FIELDS}\n")
    (tmp_path / "7" / "statm").write_text("900 25 3 1 0 5 0\n")
    ticks = os.sysconf("SC_CLK_TCK")

    found = ProcCounters(7, str(tmp_path)).process()

    expected = (300 / ticks, 1_790_000_000 + 12_300 / ticks, 25 * os.sysconf("SC_PAGE_SIZE"), 3)
    assert expected == tuple(found)


def test_what_the_system_does_not_tell_is_none(tmp_path: Path) -> None:
    """
    Without the files of disks and of the network there are no such counts; without a process there is an OSError.
    """
    counters = ProcCounters(7, str(tmp_path))

    assert (None, None) == (counters.disk_bytes(), counters.net_bytes())
    with pytest.raises(OSError, match="No such file"):
        counters.process()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 40 kB\nHugePages_Total: 0\n", MemoryUse(100 << 10, 40 << 10)),
        ("MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n", MemoryUse(100 << 10, 35 << 10)),
        ("MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 900 kB\n", MemoryUse(100 << 10, 10 << 10)),
    ],
)
def test_available_memory_is_what_the_kernel_says_or_what_is_free(text: str, expected: MemoryUse) -> None:
    """
    Old kernels tell only what is free; in some containers more is available than there is.
    """
    assert expected == memory_use(text)
