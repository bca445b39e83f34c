"""
`Figures`: a series of figures, or of lists of them.
"""

from __future__ import annotations

from aim.sdk.sequence import MediaSequenceBase


class Figures(MediaSequenceBase):
    """A tracked series of figures or lists of them."""

    @classmethod
    def sequence_name(cls) -> str:
        """Return `figures`."""
        return "figures"
