"""
`Videos`: a series of videos, or of lists of them.
"""

from __future__ import annotations

from aim.sdk.sequence import MediaSequenceBase


class Videos(MediaSequenceBase):
    """A tracked series of videos or lists of them."""

    @classmethod
    def sequence_name(cls) -> str:
        """Return `videos`."""
        return "videos"
