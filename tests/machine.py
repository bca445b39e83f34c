"""
What a test needs of the machine beyond Python: a program, a right, a kind of file system.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

IS_WHOLE = os.environ.get("AIM_TEST_ALL") == "1"
"""Whether `./test all` runs, which leaves no test out."""


def lacks(what: str) -> NoReturn:
    """Leave the test out, and say what the machine lacks; in `./test all` it fails."""
    if IS_WHOLE:
        pytest.fail(f"./test all leaves no test out, and {what}")
    pytest.skip(what)
