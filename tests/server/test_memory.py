"""
What the server keeps in memory, and its bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.core.recent import MEMORY
from bench.repository import Size, build
from tests.server.conftest import Browser, MakeBrowser
from tests.server.frames import Part, read

EVERYTHING = {"query": "run.archived in (True, False)", "buckets": 100}
LITTLE = 1  # then each kind keeps what it read last, and no more


@pytest.fixture(name="browser")
def _browser(tmp_path: Path, make_browser: MakeBrowser) -> Iterator[Browser]:
    """
    A browser of a repository with 6 runs of 4 metrics, each of 500 points.
    """
    build(tmp_path / "demo", Size(6, params=3, sequences=4, points=500))
    yield make_browser()
    MEMORY.bytes_max = None


def test_a_server_with_little_memory_answers_the_same(browser: Browser) -> None:
    """
    Whatever is dropped is read and drawn again: answers do not depend on the bound, and the bound is kept.
    """

    def answers() -> list[list[Part]]:
        return [
            read(browser.bytes("series", {**EVERYTHING, "smooth": smooth})).parts for smooth in (0.0, 0.3, 0.6, 0.0)
        ]

    MEMORY.bytes_max = LITTLE
    with_little, little = answers(), MEMORY.size_bytes
    MEMORY.bytes_max = None
    with_much, much = answers(), MEMORY.size_bytes

    assert all(with_much)
    assert with_little == with_much
    assert little < much
