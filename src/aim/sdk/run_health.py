"""
Whether all that was recorded into a run is there: what `run.health()` returns.
"""

from __future__ import annotations

from typing import NamedTuple

from aim.storage.forms.gaps import Gap, sentence


class RunHealth(NamedTuple):
    """
    What a run has lost, because a disk refused it.

    Attributes:
        gaps: the losses, in the order of time.

    >>> health = RunHealth((Gap(2, 0, 1.0, 3.0, "No space left on device"),))
    >>> health.is_whole, health.lost_points, str(health)
    (False, 2, '2 points are lost: No space left on device.')
    >>> str(RunHealth(()))
    'Nothing is lost.'
    """

    gaps: tuple[Gap, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is lost."""
        return not self.gaps

    @property
    def lost_points(self) -> int:
        """How many points found no room."""
        return sum(gap.point_count for gap in self.gaps)

    @property
    def lost_lines(self) -> int:
        """How many params, tags and other event lines found no room."""
        return sum(gap.line_count for gap in self.gaps)

    def __str__(self) -> str:
        return sentence(self.gaps) or "Nothing is lost."
