"""
Metrics of the machine under other trackers' names: what they are called here.

    cpu, memory_percent                      __system__cpu, __system__memory_percent
    gpu.0.gpu, gpu/0/memory                  __system__gpu, __system__gpu_memory_percent, each with {"gpu": 0}
    gpu.0.temp, gpu.0.powerWatts             __system__gpu_temp, __system__gpu_power_watts
    any other                                __system__<name>, the number of a GPU as its context
"""

from __future__ import annotations

import re
from typing import Any

from aim.core.reserved import SYSTEM_PREFIX

GPU = re.compile(r"gpu[._/](\d+)[._/](.+)")
GPU_NAMES = {
    "gpu": "gpu",
    "memory": "gpu_memory_percent",
    "memoryAllocated": "gpu_memory_percent",
    "memoryAllocatedBytes": "gpu_memory_bytes",
    "temp": "gpu_temp",
    "powerWatts": "gpu_power_watts",
}


def system_series(name: str) -> tuple[str, dict[str, Any]]:
    """
    Return name and context of a metric of the machine.

    >>> system_series("gpu.1.temp"), system_series("disk.in")
    (('__system__gpu_temp', {'gpu': 1}), ('__system__disk.in', {}))
    """
    match = GPU.fullmatch(name)
    if match is None:
        return f"{SYSTEM_PREFIX}{name}", {}
    return f"{SYSTEM_PREFIX}{GPU_NAMES.get(match[2], f'gpu_{match[2]}')}", {"gpu": int(match[1])}
