"""
The environment of these tests: what scripts/constraints/adapters.txt asks for is there.
"""

from __future__ import annotations

import re
from importlib import metadata
from platform import machine

import pytest

from tests.tidy.tree import ROOT

MARKER = re.compile(r';\s*platform_machine\s*(==|!=)\s*"(\w+)"')


def packages() -> list[str]:
    """Return the packages that this machine should have."""
    lines = [
        line.split("#")[0].strip()
        for name in ("adapters", "callers")
        for line in (ROOT / f"scripts/constraints/{name}.txt").read_text(encoding="utf-8").splitlines()
    ]
    names = []
    for line in filter(None, lines):
        marker = MARKER.search(line)
        if marker is None or (machine() == marker[2]) == (marker[1] == "=="):
            names.append(re.split(r"[<>=;\s]", line)[0])
    return names


@pytest.mark.parametrize("package", packages())
def test_each_framework_is_installed(package: str) -> None:
    """
    Nothing of the list is missing, so that no test is skipped for that reason.
    """
    assert metadata.version(package)
