"""
`Images`: a series of images, or of lists of images.
"""

from __future__ import annotations

from aim.sdk.sequence import MediaSequenceBase


class Images(MediaSequenceBase):
    """A tracked series of `Image` objects or lists of them."""

    @classmethod
    def sequence_name(cls) -> str:
        """Return `images`."""
        return "images"
