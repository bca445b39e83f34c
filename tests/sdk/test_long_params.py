"""
Params of any length: one run with a long int does not hide the others.
"""

from __future__ import annotations

from pathlib import Path

from aim import Repo, Run
from aim.sdk.types import QueryReportMode


def matches(folder: Path, query: str) -> int:
    """Count the runs that match, in a repository that is opened anew."""
    return len(list(Repo(str(folder)).query_runs(query, report_mode=QueryReportMode.DISABLED).iter_runs()))


def record(folder: Path, *values: int) -> None:
    """Record a run for each value."""
    for value in values:
        with Run(repo=folder, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["x"] = value


def test_ints_beyond_64_bits_are_queried_beside_others(tmp_path: Path) -> None:
    """
    The catalogue keeps ints in arrays of 64 bits only where all fit; a longer one that comes later changes that.
    """
    record(tmp_path, 1, 5, 2**63 - 1)
    assert 1 == matches(tmp_path, "run.x > 5")
    record(tmp_path, 2**63, 2**80, -(2**70))

    assert (3, 1, 3) == tuple(matches(tmp_path, query) for query in ("run.x > 5", "run.x < 0", "run.x < 6"))
    record(tmp_path, 7)
    assert 4 == matches(tmp_path, "run.x > 5")
