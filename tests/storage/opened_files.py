"""
Which files a process opens, counted by Python's audit events: what reading costs, whatever the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class OpenedFiles:
    """
    The names of the files below a folder that this process opens while it counts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._is_counting = False
        self.names: list[str] = []
        sys.addaudithook(self._hear)  # for good: Python removes none

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_counting and event == "open" and str(arguments[0]).startswith(self._folder):
            self.names.append(Path(str(arguments[0])).name)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count within."""
        self.names.clear()
        self._is_counting = True
        try:
            yield
        finally:
            self._is_counting = False
