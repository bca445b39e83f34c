"""
`Distributions`: a series of distributions, or of lists of them.
"""

from __future__ import annotations

from aim.sdk.sequence import MediaSequenceBase


class Distributions(MediaSequenceBase):
    """A tracked series of distributions or lists of them."""

    @classmethod
    def sequence_name(cls) -> str:
        """Return `distributions`."""
        return "distributions"
