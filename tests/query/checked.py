"""
Texts of queries as checked trees, for tests.
"""

from __future__ import annotations

from aim.core.zones import read_zone
from aim.query import tree
from aim.query.check import check
from aim.query.functions import Clock
from aim.query.syntax import parse

CLOCK = Clock(1_700_000_000.0, zone=read_zone(-60))


def checked(text: str, subject: str = "metric") -> tree.Node:
    """Return the checked tree of a text."""
    node = parse(text)
    assert node is not None
    return check(node, text, subject, CLOCK)
