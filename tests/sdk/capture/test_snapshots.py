"""
The system metrics of one moment.
"""

from __future__ import annotations

import os

import psutil

from aim.ext.resource.stat import Stat, StatDict


def test_a_snapshot_has_the_metrics_of_the_host_and_of_a_process() -> None:
    """
    The names are those of a run, without their prefix; memory is that of the process that is asked about.
    """
    parent = psutil.Process(os.getppid())
    stat = Stat(parent)
    system, gpus = stat.get_stats()

    assert {"cpu", "p_memory_percent", "memory_percent", "disk_percent"} <= system.keys()
    assert stat.system.keys() <= system.keys()
    assert {"system": stat.system, "gpus": stat.gpus} == stat.stat_item.to_dict()
    assert {"system": system, "gpus": gpus} == StatDict(system, gpus).to_dict()
    assert parent is stat.process
