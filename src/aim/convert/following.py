"""
Following sources that grow: look once a second, and import again each run whose files changed.

A run is imported as a whole each time and takes the place of the one before, so nothing is lost and nothing comes
twice, whenever the follower is killed. That costs the reading of the run, so the pause before the next look is some
times as long as the last import took: a small run is a second behind, one of a million points half a minute.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from aim.convert.formats import ImportOptions, Source
from aim.convert.importing import import_sources
from aim.convert.report import UNCHANGED, Report

LOOK_S = 1.0
PAUSES = 5.0  # the pause is so many times the import before: it takes a sixth of one core


def follow_changes(
    recognise: Callable[[], Sequence[Source]],
    repo: str | os.PathLike[str],
    options: ImportOptions,
    tell: Callable[[Report], None],
    idle_s: float | None = None,
) -> None:
    """
    Import what changes, again and again.

    Args:
        recognise: returns the sources as they are now: new files and folders are among them.
        tell: is called with the report of each import that found something new.
        idle_s: end when nothing has changed for so long; None: never.

    Raises:
        AimError: as `import_sources`.
    """
    changed_s = time.monotonic()
    while idle_s is None or time.monotonic() - changed_s < idle_s:
        begun_s = time.monotonic()
        report = import_sources(recognise(), repo, options)
        took_s = time.monotonic() - begun_s
        if any(run.state != UNCHANGED for run in report.runs):
            changed_s = time.monotonic()
            tell(report)
        time.sleep(max(LOOK_S, PAUSES * took_s) if idle_s is None else min(idle_s, max(LOOK_S, PAUSES * took_s)))
