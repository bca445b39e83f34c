"""
Objects in three dimensions: meshes, scenes and clouds of points.

    made from                                      kept as
    a path, the bytes of a file, an open file      the file's own bytes: glb, gltf, obj, stl or ply
    `Object3D.from_uri(address)`                   the address; see `references`
    an array, a tensor or a list of points         ply, binary: x, y, z as float32, colours as bytes

    points      of shape (n, 3): x, y, z; or (n, 6): x, y, z, red, green, blue
    colours     of shape (n, 3) beside the points; floats are from 0 to 1, whole numbers from 0 to 255

    field        meaning
    format       glb, gltf, obj, stl or ply
    point_count  of points
    caption      left out when it is ''

A file is looked at before it is kept (`meshes`), so that a wrong one is an error where it is made, and not an empty
place in the pages. Materials and textures that an obj names in other files are not kept with it.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects.custom import Content
from aim.sdk.objects.media_file import MediaFile
from aim.sdk.objects.meshes import check_file, self_contained
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.recognise import is_array, numpy_of
from aim.sdk.objects.sources import is_file_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POINTS_MAX = 5_000_000
COARSE = 1e-4  # of the extent: steps of float32 that can be seen
AXES = ("x", "y", "z")
COLORS = ("red", "green", "blue")
PLY_HEAD = "ply\nformat binary_little_endian 1.0\nelement vertex {count}\n{properties}end_header\n"


class Object3D(MediaFile):
    """
    One object in three dimensions.

    Args:
        data: an array, a tensor or a list of points of shape (n, 3) or (n, 6), n at most 5,000,000; or a path, the
            bytes or an open file of a glb, gltf, obj, stl or ply. A gltf at a path is kept with the files beside it
            that it names; one of bytes has to hold everything itself.
        format: glb, gltf, obj, stl or ply, of a file. May be left out when the path's ending or the first bytes tell.
        caption: any text; can be set later.
        colors: of points of shape (n, 3): red, green and blue of each, of shape (n, 3).

    Raises:
        UntrackableValue: (a ValueError) an unknown format, no file there, a file that is not of its format, a shape
            that no points have, points that are not finite, colours out of their range or of another number than the
            points, or a gltf that names files which are not there.
        WrongType: (a TypeError) *data* is something else, or there are *colors* of a file.

    Cost: a copy of the points; the file has 12 bytes a point, or 15 with colours.

    >>> import numpy as np
    >>> cloud = Object3D(np.zeros((100, 3)), caption="scan")
    >>> cloud.format, cloud.point_count
    ('ply', 100)
    """

    AIM_NAME: ClassVar[str] = "aim.object3d"
    SUBJECT: ClassVar[str] = "Object3D"
    FORMATS: ClassVar[tuple[str, ...]] = ("glb", "gltf", "obj", "stl", "ply")

    def __init__(self, data: Any, format: str = "", caption: Any = "", colors: Any = None) -> None:
        format_asked = self._format_asked(format)
        if is_file_source(data) and not is_array(data):
            if colors is not None:
                raise WrongType("colors are those of points; a file has its own. Leave colors out, or pass points.")
            fields, content = _of_file(*self._of_source(data, format_asked), data)
        elif is_array(data) or (isinstance(data, (list, tuple)) and data):
            if format_asked not in ("", "ply"):
                raise UntrackableValue(f"format is {format!r}, and points are kept as ply. Leave format out.")
            fields, content = _of_points(data, colors)
        else:
            raise WrongType(
                f"Object3D can't be made from a {type(data).__module__}.{type(data).__qualname__}. "
                "Pass points, a path, the bytes of a file, or an open file."
            )
        super().__init__(fields, content)
        self.caption = caption

    @property
    def point_count(self) -> int | None:
        """The number of points of an object made from points; None for files."""
        return self._fields.get("point_count")

    def to_numpy(self) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
        """
        Return the points of an object made from points, of shape (n, 3), and their colours, (n, 3) or None.

        Raises:
            WrongType: (a TypeError) the object is a file; `get()` gives it to a library that reads its format.
        """
        import numpy as np

        count = self.point_count
        if count is None:
            raise WrongType(
                f"this object is a file in {self.format}, not points. Pass get() to a library such as trimesh."
            )
        file = self._read()
        start = file.index(b"end_header\n") + len(b"end_header\n")
        kind = _row_type(b"property uchar red" in file[:start])
        rows = np.frombuffer(file, kind, count, start)
        points = np.stack([rows[axis] for axis in AXES], axis=1)
        has_colors = "red" in (kind.names or ())
        return points, np.stack([rows[color] for color in COLORS], axis=1) if has_colors else None

    def json(self) -> dict[str, Any]:
        """Return caption, format, and the number of points where it is known."""
        return {"caption": self.caption, **self._fields}

    def __repr__(self) -> str:
        points = "" if self.point_count is None else f" {self.point_count:,} points"
        return f"<Object3D {self.format}{points}{f' {self.caption!r}' if self.caption != '' else ''}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        return media.object3d(self, repr(self))


def _of_file(name: str, file: bytes, source: Any) -> tuple[dict[str, Any], Content]:
    if name == "gltf":
        file = self_contained(file, Path(source).parent if isinstance(source, (str, os.PathLike)) else None)
    check_file(name, file)
    return {"format": name}, Content.of(file)


def _of_points(data: Any, colors: Any) -> tuple[dict[str, Any], Content]:
    import numpy as np

    array = _numbers(data, "points", (3, 6) if colors is None else (3,))
    if not 0 < len(array) <= POINTS_MAX:
        raise UntrackableValue(f"there are {len(array):,} points; expected 1 to {POINTS_MAX:,}. Take some of them.")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and an error
        points = array[:, :3].astype("<f4")
    is_finite = np.isfinite(points).all(axis=1)
    if not is_finite.all():
        first = int(np.flatnonzero(~is_finite)[0])
        raise UntrackableValue(
            f"point {first} is {array[first, :3].tolist()}; expected finite numbers that a float32 holds. "
            "Leave such points out: points[np.isfinite(points).all(axis=1)]."
        )
    largest, extent = np.abs(points).max(), float(np.ptp(array[:, :3], axis=0).max())  # before it loses digits
    if extent > 0 and np.spacing(largest) > COARSE * extent:
        warn_once(
            "coarse points",
            f"Object3D: coordinates up to {float(largest):g} over an extent of {extent:g} lose digits as float32. "
            "Subtract points.mean(axis=0) first. This is said once.",
        )
    levels = _levels(array[:, 3:] if colors is None else _numbers(colors, "colours", (3,)))
    if levels is not None and len(levels) != len(points):
        raise UntrackableValue(f"there are {len(points):,} points and {len(levels):,} colours; expected one each.")
    return {"format": "ply", "point_count": len(points)}, Content(partial(_ply, points, levels))


def _numbers(data: Any, subject: str, widths: tuple[int, ...]) -> NDArray[np.generic]:
    import numpy as np

    try:
        array = numpy_of(data) if is_array(data) else np.asarray(data)
    except ValueError as error:  # numpy's, of rows of several lengths
        raise UntrackableValue(
            f"these {subject} are no array: {error}. Each row has to have the same length."
        ) from None
    if array.ndim != 2 or array.shape[1] not in widths or array.dtype.kind not in "iuf":
        shapes = " or ".join(f"(n, {width})" for width in widths)
        raise UntrackableValue(
            f"an array of shape {array.shape} and type {array.dtype} has no {subject}: "
            f"expected numbers of shape {shapes}."
        )
    return array


def _levels(colors: NDArray[np.generic]) -> NDArray[np.uint8] | None:
    """Return colours as bytes, of shape (n, 3); None where there are no columns."""
    import numpy as np

    if colors.shape[1] == 0:
        return None
    # Beside coordinates colours are floats, too: beyond 1 they are from 0 to 255.
    levels = colors.astype(np.float64)
    lowest, highest = levels.min(initial=0.0), levels.max(initial=0.0)
    if not (lowest >= 0 and highest <= 255):
        raise UntrackableValue(f"colours are from {lowest:g} to {highest:g}; expected 0 to 1, or 0 to 255.")
    scale = 255 if colors.dtype.kind == "f" and highest <= 1 else 1
    return np.asarray(np.rint(levels * scale), np.uint8)


def _row_type(has_colors: bool) -> np.dtype[Any]:
    import numpy as np

    return np.dtype([*((axis, "<f4") for axis in AXES), *((color, "u1") for color in COLORS if has_colors)])


def _ply(points: NDArray[np.float32], colors: NDArray[np.uint8] | None) -> bytes:
    import numpy as np

    kind = _row_type(colors is not None)
    rows = np.zeros(len(points), kind)
    for name, column in zip(kind.names or (), [*points.T, *(() if colors is None else colors.T)]):
        rows[name] = column
    properties = "".join(f"property {'float' if name in AXES else 'uchar'} {name}\n" for name in kind.names or ())
    return PLY_HEAD.format(count=len(points), properties=properties).encode() + rows.tobytes()
