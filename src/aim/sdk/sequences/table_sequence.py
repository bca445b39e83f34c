"""
`Tables`: a series of tables, or of lists of them.
"""

from __future__ import annotations

from aim.sdk.sequence import MediaSequenceBase


class Tables(MediaSequenceBase):
    """A tracked series of tables or lists of them."""

    @classmethod
    def sequence_name(cls) -> str:
        """Return `tables`."""
        return "tables"
