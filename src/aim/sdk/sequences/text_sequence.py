"""
`Texts`: a series of texts, or of lists of them.
"""

from __future__ import annotations

from aim.sdk.sequence import MediaSequenceBase


class Texts(MediaSequenceBase):
    """A tracked series of texts or lists of them."""

    @classmethod
    def sequence_name(cls) -> str:
        """Return `texts`."""
        return "texts"
