"""
The sequences of objects: `Images`, `Audios`, `Texts` and so on, a class for each kind of object.

A step of such a sequence holds one object, or a list of them. `aim.core.kinds` says which kinds of values belong to
which class. The modules `image_sequence` and `sequences/*` hand these names on at the paths of Aim 3.
"""

from __future__ import annotations

from typing import ClassVar

from aim.sdk.sequence import MediaSequenceBase


class Images(MediaSequenceBase):
    """A tracked series of `Image` objects, or of lists of them."""

    _subject: ClassVar[str] = "images"


class Audios(MediaSequenceBase):
    """A tracked series of `Audio` clips, or of lists of them."""

    _subject: ClassVar[str] = "audios"


class Texts(MediaSequenceBase):
    """A tracked series of `Text` objects, or of lists of them."""

    _subject: ClassVar[str] = "texts"


class Distributions(MediaSequenceBase):
    """A tracked series of `Distribution` objects, or of lists of them."""

    _subject: ClassVar[str] = "distributions"


class Figures(MediaSequenceBase):
    """A tracked series of `Figure` objects, or of lists of them."""

    _subject: ClassVar[str] = "figures"


class Videos(MediaSequenceBase):
    """A tracked series of `Video` clips, or of lists of them."""

    _subject: ClassVar[str] = "videos"


class Tables(MediaSequenceBase):
    """A tracked series of `Table` objects, or of lists of them."""

    _subject: ClassVar[str] = "tables"


class Objects3D(MediaSequenceBase):
    """A tracked series of `Object3D` meshes, scenes and clouds of points, or of lists of them."""

    _subject: ClassVar[str] = "objects3d"


OBJECT_SEQUENCES: tuple[type[MediaSequenceBase], ...] = (
    Images,
    Texts,
    Audios,
    Distributions,
    Figures,
    Videos,
    Tables,
    Objects3D,
)
"""All of the classes above."""
