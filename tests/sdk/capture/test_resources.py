"""
System metrics: names and contexts, validity of the interval, the thread and its end.
"""

from __future__ import annotations

import ctypes
import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aim import Repo, Run
from aim.core.errors import RunClosed
from aim.ext.resource import AIM_RESOURCE_METRIC_PREFIX, DEFAULT_SYSTEM_TRACKING_INT
from aim.sdk.capture.gpu_metrics import AmdGauge, NvidiaGauge
from aim.sdk.capture.host_metrics import HostGauge, Reading
from aim.sdk.capture.resources import ResourceTracker

NAMES_OF_AIM_3 = {
    "__system__cpu",
    "__system__memory_percent",
    "__system__p_memory_percent",
    "__system__disk_percent",
}
WAIT_S = 60.0


class Steps:
    """A gauge that counts its samples and says when there were three; it can fail at some of them."""

    def __init__(self, fails_at: tuple[int, ...] = ()) -> None:
        self.count = 0
        self.fails_at = fails_at
        self.has_three = threading.Event()
        self.is_closed = threading.Event()

    def sample(self) -> Iterator[Reading]:
        """Return the number of the sample."""
        self.count += 1
        if self.count in self.fails_at:
            raise OSError("the fan is off")
        if self.count >= 3:
            self.has_three.set()
        yield Reading("step", float(self.count))

    def close(self) -> None:
        """Remember that it was let go."""
        self.is_closed.set()


class Taken:
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.values: list[tuple[float, str, Mapping[str, Any]]] = []
        self.has_some = threading.Event()

    def __call__(self, value: float, name: str, context: Mapping[str, Any]) -> None:
        self.values.append((value, name, context))
        self.has_some.set()


def test_the_names_of_aim_3_are_recorded_with_an_empty_context(repo: Repo) -> None:
    """
    A run has the metrics of Aim 3 from its first sample on.
    """
    run = Run(repo=repo, capture_terminal_logs=False)
    run.track(1.0, name="loss")
    taken = Taken()
    tracker = ResourceTracker(taken, 0.1)
    tracker.start()
    assert taken.has_some.wait(WAIT_S)
    tracker.stop(WAIT_S)
    run.close()

    names = {name for _, name, _ in taken.values}
    contexts = [context for _, _, context in taken.values if "gpu" not in context]
    assert NAMES_OF_AIM_3 <= names
    assert all(context == {} for context in contexts)


def test_a_run_samples_by_itself(tmp_path: Path) -> None:
    """
    With an interval a run records system metrics, without a call; they are metrics as others are.
    """
    program = (
        "import time\nfrom aim import Run\nrun = Run(repo='.', system_tracking_interval=0.1)\n"
        "until = time.monotonic() + 60\n"
        "while run.get_metric('__system__host_cpu_percent') is None and time.monotonic() < until: time.sleep(0.02)\n"
        "run.close()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)

    (run,) = Repo(tmp_path).iter_runs()
    found = {metric.name for metric in run.metrics()}
    assert NAMES_OF_AIM_3 <= found
    assert {"__system__net_sent_bytes_per_s", "__system__p_threads"} <= found


@pytest.mark.parametrize("interval", [0, 0.05, 90_000, -1, math.nan, "10"])
def test_an_interval_that_cannot_be_is_said_and_turns_it_off(interval: Any, caplog: pytest.LogCaptureFixture) -> None:
    """
    An interval below 0.1 s or above a day records nothing and says so.
    """
    assert not ResourceTracker.check_interval(interval)
    assert "system_tracking_interval" in caplog.text


def test_none_turns_it_off_silently(caplog: pytest.LogCaptureFixture) -> None:
    """
    None means no system metrics, which needs no word.
    """
    assert not ResourceTracker.check_interval(None)
    assert "" == caplog.text
    assert (True, True) == (ResourceTracker.check_interval(0.1), ResourceTracker.check_interval(86_400))


def test_a_failing_gauge_is_said_once_and_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """
    What fails is logged once; the other gauges and the next samples go on.
    """
    bad, good, taken = Steps(fails_at=(1, 2)), Steps(), Taken()
    tracker = ResourceTracker(taken, 0.1, lambda: [bad, good])
    tracker.start()

    assert good.has_three.wait(WAIT_S)
    assert bad.has_three.wait(WAIT_S)
    tracker.stop(WAIT_S)
    assert 1 == caplog.text.count("the fan is off")
    assert bad.is_closed.is_set()
    assert [1.0, 2.0, 3.0] == [value for value, _, _ in taken.values[:3]]


def test_the_end_of_the_run_ends_the_thread() -> None:
    """
    A tracker whose run is closed ends at its next sample; nothing is reported.
    """

    def record(value: float, name: str, context: Mapping[str, Any]) -> None:
        raise RunClosed("closed")

    steps = Steps()
    tracker = ResourceTracker(record, 0.1, lambda: [steps])
    tracker.start()

    assert steps.is_closed.wait(WAIT_S)
    assert 1 == steps.count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_the_child_of_a_fork_does_not_sample(tmp_path: Path) -> None:
    """
    After a fork only the parent records system metrics.
    """
    program = (
        "import os, sys, threading\nfrom aim import Run\n"
        "run = Run(repo='.', system_tracking_interval=0.1, capture_terminal_logs=False)\n"
        "if os.fork() == 0:\n"
        "    names = [thread.name for thread in threading.enumerate()]\n"
        "    run.track(1.0, name='child')\n"
        "    os._exit(len(names) != 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=tmp_path, check=False, timeout=60)

    assert 0 == done.returncode


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere psutil is what tells")
def test_system_metrics_import_nothing_large(tmp_path: Path) -> None:
    """
    On Linux a run samples without psutil and without the large modules of the standard library: a module's import is
    one piece, which the steps of the training wait for.
    """
    program = (
        "import sys, threading\nfrom aim import Run\nfrom aim.sdk.capture.resources import ResourceTracker\n"
        "run = Run(repo='.', system_tracking_interval=None, capture_terminal_logs=False)\n"
        "taken = threading.Event()\n"
        "record = lambda value, name, context: taken.set() if 'host_cpu' in name else None\n"
        "tracker = ResourceTracker(record, 0.1)\ntracker.start()\nassert taken.wait(60)\ntracker.stop(60)\n"
        "print(*{'psutil', 'inspect', 'socket', 'subprocess', 'datetime', 'shutil', 'glob'} & set(sys.modules))\n"
        "run.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60, capture_output=True, text=True
    )

    assert ("", "") == (done.stdout.strip(), done.stderr)


def test_rates_begin_with_the_second_sample() -> None:
    """
    What is a change per second needs two samples; the share of the processor begins with the average so far.
    """
    gauge = HostGauge()
    first = {reading.name: reading.value for reading in gauge.sample()}
    second = {reading.name: reading.value for reading in gauge.sample()}

    assert "net_sent_bytes_per_s" not in first
    assert "net_sent_bytes_per_s" in second
    assert first["cpu"] > 0
    assert 0 < second["p_memory_percent"] <= 100
    assert second["p_memory_bytes"] > 1e6


class Nvml:
    """The functions of NVML that are asked, of a machine with two devices, of which the second tells little."""

    def __init__(self, works: bool = True) -> None:
        self.works = works
        self.is_shut = False

    def nvmlInit_v2(self) -> int:
        """Begin."""
        return 0 if self.works else 9  # NVML_ERROR_DRIVER_NOT_LOADED

    def nvmlShutdown(self) -> int:
        """End."""
        self.is_shut = True
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        """Return the number of devices."""
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, number: int, device: Any) -> int:
        """Return a device."""
        device._obj.value = number + 1
        return 0

    def nvmlDeviceGetUtilizationRates(self, device: ctypes.c_void_p, used: Any) -> int:
        """Return the time in use."""
        used._obj.gpu = 10 * (device.value or 0)
        return 0

    def nvmlDeviceGetMemoryInfo(self, device: ctypes.c_void_p, memory: Any) -> int:
        """Return the memory in use."""
        memory._obj.total, memory._obj.used = 80 << 30, 20 << 30
        return 0 if device.value == 1 else 3  # NVML_ERROR_NOT_SUPPORTED

    def nvmlDeviceGetTemperature(self, device: ctypes.c_void_p, sensor: int, degrees: Any) -> int:
        """Return the temperature."""
        degrees._obj.value = 41
        return 0 if device.value == 1 else 3

    def nvmlDeviceGetPowerUsage(self, device: ctypes.c_void_p, milliwatts: Any) -> int:
        """Return the power."""
        milliwatts._obj.value = 70_500
        return 0 if device.value == 1 else 3


def test_each_device_of_nvidia_has_a_context() -> None:
    """
    NVML's answers become Aim 3's names, one context a device; what a device does not tell is left out.
    """
    library = Nvml()
    gauge = NvidiaGauge(library)
    readings = list(gauge.sample())
    gauge.close()

    assert [
        Reading("gpu", 10.0, {"gpu": 0}),
        Reading("gpu_memory_percent", 25.0, {"gpu": 0}),
        Reading("gpu_memory_bytes", float(20 << 30), {"gpu": 0}),
        Reading("gpu_temp", 41.0, {"gpu": 0}),
        Reading("gpu_power_watts", 70.5, {"gpu": 0}),
        Reading("gpu", 20.0, {"gpu": 1}),
    ] == readings
    assert library.is_shut


def test_a_library_without_a_driver_is_no_gauge() -> None:
    """
    NVML that does not start is an OSError, so that the machine counts as one without devices.
    """
    with pytest.raises(OSError, match="NVML"):
        NvidiaGauge(Nvml(works=False))


def test_the_devices_of_amd_are_read_from_files_of_the_kernel(tmp_path: Path) -> None:
    """
    What amdgpu shows in sysfs becomes the same names; other cards are left out.
    """
    files = {
        "card0/device/vendor": "0x1a03",
        "card1/device/gpu_busy_percent": "37\n",
        "card1/device/mem_info_vram_used": "1000\n",
        "card1/device/mem_info_vram_total": "4000\n",
        "card1/device/hwmon/hwmon3/temp1_input": "52000\n",
        "card1/device/hwmon/hwmon3/power1_average": "180000000\n",
        "card1-DP-1/status": "connected",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    readings = {reading.name: (reading.value, reading.context) for reading in AmdGauge(tmp_path).sample()}

    assert {
        "gpu": (37.0, {"gpu": 0}),
        "gpu_memory_percent": (25.0, {"gpu": 0}),
        "gpu_memory_bytes": (1000.0, {"gpu": 0}),
        "gpu_temp": (52.0, {"gpu": 0}),
        "gpu_power_watts": (180.0, {"gpu": 0}),
    } == readings


def test_a_machine_without_amd_is_no_gauge(tmp_path: Path) -> None:
    """
    A folder without such a device is an OSError.
    """
    with pytest.raises(OSError, match="amdgpu"):
        AmdGauge(tmp_path)


def test_the_public_names_of_aim_3_are_there() -> None:
    """
    The constants of Aim 3's module have Aim 3's values.
    """
    assert (10, "__system__") == (DEFAULT_SYSTEM_TRACKING_INT, AIM_RESOURCE_METRIC_PREFIX)


def test_values_are_rounded_and_what_is_no_number_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """
    A value is kept to six digits after the point; NaN is not recorded.
    """

    class Odd(Steps):
        def sample(self) -> Iterator[Reading]:
            """Return a long number, and none."""
            yield Reading("long", 1 / 3)
            yield Reading("none", math.nan)
            self.has_three.set()

    odd, taken = Odd(), Taken()
    tracker = ResourceTracker(taken, 0.1, lambda: [odd])
    tracker.start()
    assert odd.has_three.wait(WAIT_S)
    tracker.stop(WAIT_S)

    assert {(0.333333, "__system__long")} == {(value, name) for value, name, _ in taken.values}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
