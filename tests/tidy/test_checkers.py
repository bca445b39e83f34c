"""
The checkers that read all of the code: ruff and mypy, as pyproject.toml sets them.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tidy.tree import ROOT

CHECKERS = {
    "ruff": ["ruff", "check", "--output-format=concise", "."],
    "format": ["ruff", "format", "--check", "--output-format=concise", "."],
    "mypy": ["mypy"],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_finds_nothing(checker: str) -> None:
    """
    ruff finds no fault and nothing to format; mypy, strict, finds no error in the package, its tests and its examples.
    """
    checked = subprocess.run(
        [sys.executable, "-m", *CHECKERS[checker]], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == checked.returncode, checked.stdout + checked.stderr
