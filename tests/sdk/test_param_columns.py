"""
Data frames where pandas is not installed.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from aim import Repo, Run


def test_without_pandas_a_data_frame_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    pandas is no dependency, so its absence is an everyday error; it stays an ImportError.
    """
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(0.5, name="loss")
    (metric,) = run.metrics()
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pandas" else found(name))

    for frame in (
        run.dataframe,
        metric.dataframe,
        Repo(str(tmp_path)).query_runs().dataframe,
        Repo(str(tmp_path)).query_metrics().dataframe,
    ):
        with pytest.raises(ImportError, match=r"^Data frames need pandas: pip install pandas\."):
            frame()
