"""
What a writer has lost, written into its event file.

A gap line is small, so it often finds room where a segment does not. The first one is written within a second of the
first loss, the next ones while the disk goes on refusing after 2, 4, 8 ... seconds, one when recording goes on, and one
before the end: so a killed process leaves its losses behind as far as they were written, in few lines.
"""

from __future__ import annotations

import time

from aim.storage.disk.refusals import Losses, Refusals
from aim.storage.forms.gaps import Gap
from aim.storage.recording.event_lines import EventLines

PAUSE_S_MAX = 3600.0


class GapLines:
    """Writes what *refusals* and *lines* have lost into *lines*."""

    def __init__(self, refusals: Refusals, lines: EventLines) -> None:
        self._refusals = refusals
        self._lines = lines
        self.begin()

    def begin(self) -> None:
        """Begin with the event file that *lines* has now."""
        self._said_line_count = 0
        self._next_at_s = 0.0
        self._pause_s = 1.0

    def write(self) -> None:
        """Write what was lost meanwhile, unless it is too early for another line."""
        moment_s = time.monotonic()
        if moment_s >= self._next_at_s and self._write(self._lines.log.waiting.lost_count):
            self._pause_s = min(2 * self._pause_s, PAUSE_S_MAX)
            self._next_at_s = moment_s + self._pause_s

    def resume(self) -> None:
        """Write what was lost before recording went on."""
        self._write(self._lines.log.waiting.lost_count)
        self._next_at_s, self._pause_s = 0.0, 1.0

    def end(self) -> None:
        """Write what was lost, with the lines that still wait: the end follows, and nothing after it."""
        waiting = self._lines.log.waiting
        self._write(waiting.lost_count + len(waiting))

    def _write(self, lost_line_count: int) -> bool:
        line_count = lost_line_count - self._said_line_count
        losses = self._refusals.take_losses()
        if not losses.point_count and not line_count:
            return False
        self._said_line_count = lost_line_count
        now_s = time.time()
        if not losses.point_count:
            losses = Losses(0, now_s, now_s)
        gap = Gap(losses.point_count, line_count, losses.from_s, losses.until_s, self._refusals.reason)
        try:
            self._lines.log.append({"gap": gap.to_event()})  # also after `close()`, before the end
        except OSError as error:  # the line waits
            self._refusals.report(error)
        return True
