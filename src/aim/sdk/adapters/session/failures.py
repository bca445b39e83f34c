"""
A failure of recording never ends a training: it is logged, once for each thing that failed, and counted.

AIM_ADAPTER_STRICT=1 raises it instead, for tests.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable

from aim.core.shield import shielded

STRICT_VARIABLE = "AIM_ADAPTER_STRICT"

log = logging.getLogger("aim")


class Failures:
    """
    What an adapter could not record.

    Attributes:
        adapter: its name, for messages.
        counts: what failed, and how often.

    >>> failures = Failures("aim.example")
    >>> failures.guarded(lambda: 1 / 0, "metric 'loss'"), failures.guarded(list, "metric 'lr'"), failures.counts
    (False, True, {"metric 'loss'": 1})
    """

    def __init__(self, adapter: str) -> None:
        self.adapter = adapter
        self.counts: dict[str, int] = {}

    def guarded(self, work: Callable[[], object], what: str) -> bool:
        """Do *work*; when it fails, log that *what* is not recorded, and go on. Returns whether it was done."""
        return shielded(work, functools.partial(self.report, what=what))

    def report(self, error: Exception, what: str) -> None:
        """Take note that *what* failed: one warning, and a count. Raises *error* with AIM_ADAPTER_STRICT=1."""
        if os.environ.get(STRICT_VARIABLE) == "1":
            raise error
        count = self.counts[what] = self.counts.get(what, 0) + 1
        if count == 1:
            kind = type(error).__name__
            log.warning("Aim: %s: %s is not recorded (%s: %s). The training goes on.", self.adapter, what, kind, error)
