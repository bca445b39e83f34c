"""
A training that an exception ends, and the process with it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.failing import FAILURES
from tests.adapters.readings import metrics, the_run


@pytest.mark.parametrize("framework", FAILURES)
def test_a_training_that_raises_is_a_failed_run(framework: str, repo: Path) -> None:
    """
    The run has failed with the exception, and has what was recorded before.
    """
    words = [sys.executable, "-m", "tests.adapters.failing", framework, str(repo)]
    ended = subprocess.run(words, check=False, capture_output=True, text=True, timeout=300)
    run = the_run(repo)

    assert (1, True) == (ended.returncode, "a bad batch" in ended.stderr), ended.stderr
    assert ("failed", True) == (run.status, bool(metrics(run)))
    assert run.error in ("ValueError", "CatBoostError")
