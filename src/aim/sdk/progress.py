"""
A progress bar (tqdm) on standard error, shown only on a terminal and only when the work takes long.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from aim.sdk.types import QueryReportMode

Item = TypeVar("Item")
DELAY_S = 0.5  # shorter work shows no bar


def progress_bar(items: Sequence[Item], mode: QueryReportMode, what: str) -> Iterable[Item]:
    """Go through *items*, with a bar if *mode* asks for one."""
    if mode is not QueryReportMode.PROGRESS_BAR or not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    bar: Iterable[Item] = tqdm(items, desc=what, delay=DELAY_S, leave=False)
    return bar


@contextmanager
def reading_bar(mode: QueryReportMode) -> Iterator[Callable[[int, int], None] | None]:
    """Return a callback that shows how many runs of how many were read for a query; None: show no bar."""
    if mode is not QueryReportMode.PROGRESS_BAR or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(desc="runs read", delay=DELAY_S, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
