"""
What the graphics processors use, those of NVIDIA and of AMD.

    __system__gpu                  percent of the time in which a kernel ran       context {"gpu": number}
    __system__gpu_memory_percent   of its memory
    __system__gpu_memory_bytes     in use
    __system__gpu_temp             degrees Celsius
    __system__gpu_power_watts      drawn now

NVIDIA's are asked through its management library, NVML, which comes with the driver: a call costs some microseconds and
touches no CUDA context. AMD's are read from the files that the kernel's `amdgpu` shows (docs.kernel.org, "GPU
sysfs"), where its tools read them too: a tool would cost a process of 0.2 s for each sample. What a device does
not tell is left out. Names and contexts are those of Aim 3; `gpu_memory_bytes` is added.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from aim.sdk.capture.host_metrics import Reading

NVML_FILES = ("nvml.dll",) if os.name == "nt" else ("libnvidia-ml.so.1", "libnvidia-ml.so")
NVML_SUCCESS = 0
NVML_TEMPERATURE_GPU = 0
NAME_BYTES = 96  # NVML_DEVICE_NAME_V2_BUFFER_SIZE
AMD_FOLDER = Path("/sys/class/drm")


class _Utilization(ctypes.Structure):
    # nvmlUtilization_t: percent
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    # nvmlMemory_t: bytes
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Gauge(Protocol):
    """Reads some values at once."""

    def sample(self) -> Iterator[Reading]:
        """Return what is used now."""

    def close(self) -> None:
        """Let go of what is held open."""


class GpuGauge(Gauge, Protocol):
    """Reads graphics processors, and knows what they are."""

    def devices(self) -> list[dict[str, Any]]:
        """Return name and memory of each device."""


class NvidiaGauge:
    """
    Reads NVIDIA's processors, all that the driver shows.

    Args:
        library: NVML as `ctypes` loads it.

    Raises:
        OSError: NVML does not start: there is no device, or no driver.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        if library.nvmlInit_v2() != NVML_SUCCESS:
            raise OSError("NVML does not start")
        count = ctypes.c_uint()
        self._devices = []
        if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) == NVML_SUCCESS:
            for number in range(count.value):
                device = ctypes.c_void_p()
                if library.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(device)) == NVML_SUCCESS:
                    self._devices.append((number, device))

    def sample(self) -> Iterator[Reading]:
        """Return what each device uses now."""
        for number, device in self._devices:
            context = {"gpu": number}
            for name, value in self._device(device):
                yield Reading(name, value, context)

    def _device(self, device: ctypes.c_void_p) -> Iterator[tuple[str, float]]:
        library = self._library
        used = _Utilization()
        if library.nvmlDeviceGetUtilizationRates(device, ctypes.byref(used)) == NVML_SUCCESS:
            yield "gpu", float(used.gpu)
        memory = _Memory()
        if library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)) == NVML_SUCCESS and memory.total:
            yield "gpu_memory_percent", 100 * memory.used / memory.total
            yield "gpu_memory_bytes", float(memory.used)
        number = ctypes.c_uint()
        if library.nvmlDeviceGetTemperature(device, NVML_TEMPERATURE_GPU, ctypes.byref(number)) == NVML_SUCCESS:
            yield "gpu_temp", float(number.value)
        if library.nvmlDeviceGetPowerUsage(device, ctypes.byref(number)) == NVML_SUCCESS:
            yield "gpu_power_watts", number.value / 1000  # NVML tells milliwatts

    def devices(self) -> list[dict[str, Any]]:
        """Return name, memory and driver of each device."""
        library = self._library
        driver = ctypes.create_string_buffer(NAME_BYTES)
        library.nvmlSystemGetDriverVersion(driver, NAME_BYTES)
        devices = []
        for _, device in self._devices:
            name, memory = ctypes.create_string_buffer(NAME_BYTES), _Memory()
            library.nvmlDeviceGetName(device, name, NAME_BYTES)
            library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory))
            texts = {"name": name.value.decode(errors="replace"), "driver": driver.value.decode(errors="replace")}
            devices.append({**texts, "memory_bytes": memory.total})
        return devices

    def close(self) -> None:
        """End NVML for this process's use of it."""
        self._library.nvmlShutdown()


class AmdGauge:
    """
    Reads AMD's processors.

    Args:
        folder: where the kernel shows the devices.

    Raises:
        OSError: there is none.
    """

    def __init__(self, folder: Path = AMD_FOLDER) -> None:
        cards = [path for path in folder.glob("card*") if path.name[4:].isdecimal()]
        cards.sort(key=lambda path: int(path.name[4:]))
        self._devices = [card / "device" for card in cards if (card / "device" / "gpu_busy_percent").exists()]
        if not self._devices:
            raise OSError(f"no amdgpu in {folder}")

    def sample(self) -> Iterator[Reading]:
        """Return what each device uses now."""
        for number, device in enumerate(self._devices):
            context = {"gpu": number}
            for name, value in self._device(device):
                yield Reading(name, value, context)

    def _device(self, device: Path) -> Iterator[tuple[str, float]]:
        busy = _number(device / "gpu_busy_percent")
        if busy is not None:
            yield "gpu", busy
        used, total = _number(device / "mem_info_vram_used"), _number(device / "mem_info_vram_total")
        if used is not None and total:
            yield "gpu_memory_percent", 100 * used / total
            yield "gpu_memory_bytes", used
        for sensor in sorted(device.glob("hwmon/hwmon*")):
            heat = _number(sensor / "temp1_input")
            if heat is not None:
                yield "gpu_temp", heat / 1000  # in millidegrees
            power = _number(sensor / "power1_average")
            power = _number(sensor / "power1_input") if power is None else power
            if power is not None:
                yield "gpu_power_watts", power / 1e6  # in microwatts
            return

    def devices(self) -> list[dict[str, Any]]:
        """Return name and memory of each device; where the kernel does not tell the name, its PCI number."""
        devices = []
        for device in self._devices:
            name = _text(device / "product_name") or f"AMD {_text(device / 'device')}"
            devices.append({"name": name, "memory_bytes": int(_number(device / "mem_info_vram_total") or 0)})
        return devices

    def close(self) -> None:
        """Let go; nothing is held open."""


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _nvidia() -> GpuGauge:
    for name in NVML_FILES:
        try:
            return NvidiaGauge(ctypes.CDLL(name))
        except OSError:
            continue
    raise OSError("no NVML")


def gpu_gauges() -> list[GpuGauge]:
    """Return the gauges of the devices that this machine has."""
    gauges: list[GpuGauge] = []
    makers: list[Callable[[], GpuGauge]] = [_nvidia]
    if sys.platform.startswith("linux"):
        makers.append(AmdGauge)
    for make in makers:
        try:
            gauges.append(make())
        except (OSError, AttributeError):  # no device, or a library too old to have these functions
            continue
    return gauges
