"""
Objects as a source has them, before they are ours: encoded bytes, texts, edges and counts.

    ImageFile(png bytes)  ->  stored  ->  the stored form of `aim.Image`, with the same bytes

A reading makes these; only `stored` knows our classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aim.core.errors import AimError, UntrackableValue
from aim.core.values import Storable, Stored


class ImageFile(NamedTuple):
    """An image file; boxes, masks and labels as `aim.Image` takes them."""

    data: bytes
    caption: str = ""
    boxes: Any = None
    masks: Any = None
    labels: Any = None


class SoundFile(NamedTuple):
    """A WAV, MP3 or FLAC file."""

    data: bytes
    caption: str = ""


class VideoFile(NamedTuple):
    """A video file."""

    data: bytes
    caption: str = ""


class MeshFile(NamedTuple):
    """A file of a mesh or a scene, of a format that `aim.Object3D` takes."""

    data: bytes
    format: str
    caption: str = ""


class PointRows(NamedTuple):
    """A cloud of points: rows as `sdk.objects.point_rows` takes them."""

    rows: Any
    caption: str = ""


class PlainText(NamedTuple):
    """A text."""

    text: str


class HistogramBins(NamedTuple):
    """A histogram: n + 1 edges and n counts."""

    edges: Sequence[float]
    counts: Sequence[float]


class TableRows(NamedTuple):
    """A table; a cell may be a `ImageFile` or `SoundFile`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""


class FigureJson(NamedTuple):
    """A figure as plotly's JSON: `data` and `layout`."""

    text: str


class LogLineText(NamedTuple):
    """A line of the terminal."""

    text: str


class StoredObject(NamedTuple):
    """An object whose stored form is at hand."""

    form: Stored


Encoded = ImageFile | SoundFile | VideoFile | MeshFile | PointRows | PlainText | TableRows
"""What becomes an object of ours by its class."""

Media = Encoded | HistogramBins | FigureJson | LogLineText | StoredObject

NAMES = {
    ImageFile: "image",
    SoundFile: "audio",
    VideoFile: "video",
    MeshFile: "3D object",
    PointRows: "3D object",
    HistogramBins: "histogram",
    TableRows: "table",
    FigureJson: "figure",
}
"""What reports call them."""


def stored(media: Media) -> Stored:
    """
    Return the stored form of *media*; the bytes of images, audio and video stay as they are.

    Raises:
        UntrackableValue: it is not what it should be, such as an image that can't be opened.

    >>> stored(PlainText("epoch 1")).fields
    {'text': 'epoch 1'}
    >>> stored(HistogramBins([0, 1, 3], [2, 5])).fields["edges"]
    [0.0, 1.0, 3.0]
    """
    if isinstance(media, StoredObject):
        return media.form
    if isinstance(media, LogLineText):
        return Stored("aim.log_line", {"text": media.text.encode("utf-8", "replace").decode()})
    if isinstance(media, HistogramBins):
        return _histogram(media)
    if isinstance(media, FigureJson):
        return _figure(media)
    try:
        return _object(media).stored()
    except (AimError, ValueError, TypeError, OSError) as error:
        raise UntrackableValue(f"{NAMES.get(type(media), 'text')}: {error}") from error


def _object(media: Encoded) -> Storable:
    # imported here: each of them loads a library that other imports do not need
    if isinstance(media, PlainText):
        from aim.sdk.objects.text import Text

        return Text(media.text)
    if isinstance(media, ImageFile):
        from aim.sdk.objects.image import Image

        return Image(media.data, media.caption, boxes=media.boxes, masks=media.masks, labels=media.labels)
    if isinstance(media, SoundFile):
        from aim.sdk.objects.audio import Audio

        return Audio(media.data, caption=media.caption)
    if isinstance(media, VideoFile):
        from aim.sdk.objects.video import Video

        return Video(media.data, caption=media.caption)
    if isinstance(media, (MeshFile, PointRows)):
        return _object3d(media)
    from aim.sdk.objects.table import Table

    rows = [[_cell(cell) for cell in row] for row in media.rows]
    return Table(rows, columns=list(media.columns), caption=media.caption)


def _object3d(media: MeshFile | PointRows) -> Storable:
    from aim.sdk.objects.object3d import Object3D
    from aim.sdk.objects.point_rows import points_and_colors

    if isinstance(media, MeshFile):
        return Object3D(media.data, format=media.format, caption=media.caption)
    points, colors = points_and_colors(media.rows)
    return Object3D(points, caption=media.caption, colors=colors)


def _cell(cell: Any) -> Any:
    if isinstance(cell, (ImageFile, SoundFile, VideoFile)):
        return _object(cell)
    if isinstance(cell, (list, tuple, Mapping)):
        return json.dumps(cell, ensure_ascii=False)
    return cell


def _histogram(bins: HistogramBins) -> Stored:
    from aim.sdk.objects.distribution import Distribution

    return Distribution.from_edges(bins.counts, bins.edges).stored()


def _figure(plot: FigureJson) -> Stored:
    try:
        figure = json.loads(plot.text)
    except ValueError as error:
        raise UntrackableValue(f"figure: not JSON: {error}") from error
    if not isinstance(figure, Mapping) or not isinstance(figure.get("data"), list):
        raise UntrackableValue("figure: plotly's JSON has a list named `data`, and this has none")
    fields = {"source": "plotly", "version": "", "format": "raw_json"}
    return Stored("aim.figure", fields, plot.text.encode("utf-8", "replace"), "json")
