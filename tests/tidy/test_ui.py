"""
The checkers of the web pages: TypeScript's, and the tests of the pages' own modules, which need node and npm.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.tidy.tree import ROOT

UI = ROOT / "ui"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.skipif(not (UI / "node_modules").is_dir(), reason="the pages were not built: make ui")
@pytest.mark.parametrize("script", ["check", "test"])
def test_the_pages_pass_their_own_checks(script: str) -> None:
    """
    The pages have no error of types, and their own tests pass.
    """
    checked = subprocess.run(
        ["npm", "run", "--silent", script],
        cwd=UI,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert 0 == checked.returncode, checked.stdout + checked.stderr
