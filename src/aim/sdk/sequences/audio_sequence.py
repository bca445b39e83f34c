"""
`Audios`: a series of audio clips, or of lists of them.
"""

from __future__ import annotations

from aim.sdk.sequence import MediaSequenceBase


class Audios(MediaSequenceBase):
    """A tracked series of audio clips or lists of them."""

    @classmethod
    def sequence_name(cls) -> str:
        """Return `audios`."""
        return "audios"
