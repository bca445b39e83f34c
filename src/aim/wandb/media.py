"""
`wandb.Image`, `Audio`, `Video`, `Html`, `Histogram`, `Plotly`, `Object3D`: W&B's arguments, and our objects.

    wandb.Image(data, caption=, boxes=, masks=, classes=)    aim.Image, with overlays in pixels
    wandb.Audio(data, sample_rate=, caption=)                aim.Audio
    wandb.Video(data, caption=, fps=, format=)               aim.Video; frames are (time, channel, height, width)
    wandb.Histogram(sequence, np_histogram=, num_bins=)      aim.Distribution
    wandb.Html(text or path)                                 aim.Text, and the page as an artifact
    wandb.Plotly(figure)                                     aim.Figure
    wandb.Object3D(points, scene or path, caption=)          aim.Object3D

They are subclasses, so that `isinstance(image, wandb.Image)` holds, and are stored as the objects that they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.core.values import is_number
from aim.sdk.objects.audio import Audio
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.figure import Figure
from aim.sdk.objects.image import Image
from aim.sdk.objects.object3d import Object3D
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.point_rows import points_and_colors
from aim.sdk.objects.recognise import is_array, is_torch_tensor, numpy_of
from aim.sdk.objects.text import Text
from aim.sdk.objects.video import Video

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRID_COLUMNS = 8
BIN_COUNT = 64


class WandbImage(Image):
    """
    An image, from W&B's arguments.

    Args:
        data_or_path: a path, an array (h, w) or (h, w, channels), a tensor of torch (channels, h, w), several of them
            in one array, which become a grid, an image of Pillow, a figure of matplotlib.
        mode, grouping, normalize: ignored; the array says them.
        caption: any text.
        classes: `[{"id": 0, "name": "road"}]`, what the numbers of masks and boxes mean.
        boxes: `{"layer": {"box_data": [{"position": ..., "class_id": 1, "scores": {"p": 0.9}}]}}`; positions are shares
            of the image, unless their `domain` is `pixel`.
        masks: `{"layer": {"mask_data": array, "class_labels": {0: "road"}}}`.
        file_type: png, jpg, gif or bmp.

    >>> import numpy as np
    >>> position = {"minX": 0.0, "maxX": 0.5, "minY": 0.0, "maxY": 1.0}
    >>> boxes = {"truth": {"box_data": [{"position": position, "class_id": 1}], "class_labels": {1: "cat"}}}
    >>> WandbImage(np.zeros((10, 20)), boxes=boxes).boxes
    [{'box': [0.0, 0.0, 10.0, 10.0], 'label': 'cat', 'layer': 'truth'}]
    """

    def __init__(
        self,
        data_or_path: Any,
        mode: str | None = None,
        caption: Any = None,
        grouping: int | None = None,
        classes: Any = None,
        boxes: Mapping[str, Any] | None = None,
        masks: Mapping[str, Any] | None = None,
        file_type: str | None = None,
        normalize: bool = True,
    ) -> None:
        super().__init__(_picture(data_or_path), caption="" if caption is None else caption, format=file_type)
        labels = _labels(classes, boxes, masks)
        drawn = {name: _boxes(layer, labels, self.size) for name, layer in (boxes or {}).items()}
        arrays = {name: layer["mask_data"] for name, layer in (masks or {}).items() if "mask_data" in layer}
        self._draw_over(drawn or None, arrays or None, labels or None)


class WandbAudio(Audio):
    """Sound: a path, or samples with their *sample_rate* in frames a second."""

    def __init__(self, data_or_path: Any, sample_rate: int | None = None, caption: Any = None) -> None:
        super().__init__(data_or_path, caption="" if caption is None else caption, rate=sample_rate)


class WandbVideo(Video):
    """
    A video: a path, an open file, or an array of frames (time, channel, height, width).

    Of several videos in one array (batch, time, channel, height, width) the first is taken; *fps* are frames a second.
    """

    def __init__(
        self, data_or_path: Any, caption: Any = None, fps: float | None = None, format: str | None = None
    ) -> None:
        data = data_or_path
        if is_array(data):
            frames = numpy_of(data)
            frames = frames[0] if frames.ndim == 5 else frames
            data = frames.transpose(0, 2, 3, 1) if frames.ndim == 4 else frames
            if format is None and fps is None:
                fps = 4  # W&B's
        super().__init__(data, format=format or "", caption="" if caption is None else caption, fps=fps)


class WandbHtml(Text):
    """
    A page of HTML: its text, or the path of a file.

    Attributes:
        page: the page as it is kept as an artifact.
    """

    def __init__(self, data: Any, inject: bool = True, data_is_not_path: bool = False) -> None:
        text = data.read() if hasattr(data, "read") else str(data)
        if not data_is_not_path and text.endswith(".html") and os.path.isfile(text):
            text = Path(text).read_text(encoding="utf-8")
        super().__init__(text)

    @property
    def page(self) -> str:
        """The page."""
        return str(self.data)


class WandbHistogram(Distribution):
    """
    A histogram of *sequence*, or the ready-made *np_histogram* `(counts, edges)`.

    Bins of different width, which a distribution has not, become bins of equal width over the same range.
    """

    def __init__(self, sequence: Any = None, np_histogram: Any = None, num_bins: int = BIN_COUNT) -> None:
        if np_histogram is None:
            super().__init__(sequence, num_bins)
        else:
            counts, edges = _equal_bins(*np_histogram)
            super().__init__(hist=counts, bin_range=(float(edges[0]), float(edges[-1])))


class WandbPlotly(Figure):
    """A figure of plotly, or one of matplotlib."""

    def __init__(self, val: Any) -> None:
        super().__init__(val)


class WandbObject3D(Object3D):
    """
    An object in three dimensions: a path or an open file of a glb, gltf, obj or stl; points of shape (n, 3), (n, 4)
    with a class each, or (n, 6) with a colour each, from 0 to 255; or a scene `{"type": "lidar/beta", "points": ...}`,
    of which the points are kept.

    >>> import numpy as np
    >>> WandbObject3D(np.zeros((5, 4)), caption="scan").point_count
    5
    """

    def __init__(self, data_or_path: Any, caption: Any = None, **kwargs: Any) -> None:
        text = "" if caption is None else caption
        if isinstance(data_or_path, Mapping):
            self._warn_of(data_or_path)
            data_or_path = data_or_path["points"]
        if not is_array(data_or_path) and not isinstance(data_or_path, (list, tuple)):
            super().__init__(data_or_path, format=str(kwargs.get("file_type") or ""), caption=text)
            return
        rows = numpy_of(data_or_path) if is_array(data_or_path) else data_or_path
        points, colors = points_and_colors(rows)
        super().__init__(points, caption=text, colors=colors)

    @classmethod
    def from_file(cls, data_or_path: Any, file_type: str | None = None) -> WandbObject3D:
        """Return the object of a path or an open file."""
        return cls(data_or_path, file_type=file_type)

    @classmethod
    def from_numpy(cls, data: Any) -> WandbObject3D:
        """Return a cloud of points."""
        return cls(data)

    @classmethod
    def from_point_cloud(
        cls, points: Any, boxes: Any = (), vectors: Any = None, point_cloud_type: str = "lidar/beta"
    ) -> WandbObject3D:
        """Return the points of a scene."""
        return cls({"type": point_cloud_type, "points": list(points), "boxes": boxes, "vectors": vectors or ()})

    @staticmethod
    def _warn_of(scene: Mapping[str, Any]) -> None:
        left_out = [name for name in ("boxes", "vectors") if len(scene.get(name, ()))]
        if left_out:
            names = " and ".join(left_out)
            warn_once("wandb scene", f"Aim: wandb.Object3D keeps the points of a scene; its {names} are left out.")


def _picture(source: Any) -> Any:
    """Return what `Image` takes: of `pyplot` its current figure, of several pictures a grid."""
    if getattr(source, "__name__", "") == "matplotlib.pyplot":
        return source.gcf()
    if isinstance(source, Image):
        return source.to_pil_image()
    if not is_array(source) or source.ndim != 4:
        return source
    pictures = numpy_of(source)
    return _grid(pictures.transpose(0, 2, 3, 1) if is_torch_tensor(source) else pictures)


def _grid(pictures: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return pictures (n, h, w, channels) beside and below each other, eight in a row."""
    import numpy as np

    count, height, width, channels = pictures.shape
    columns = min(count, GRID_COLUMNS)
    rows = -(-count // columns)
    grid = np.zeros((rows * height, columns * width, channels), pictures.dtype)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        grid[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    return grid


def _labels(classes: Any, *layers: Mapping[str, Any] | None) -> dict[int, str]:
    labels: dict[int, str] = {}
    for layer in layers:
        for content in (layer or {}).values():
            labels |= {int(number): str(name) for number, name in (content.get("class_labels") or {}).items()}
    for described in getattr(classes, "_class_set", classes) or ():
        labels[int(described["id"])] = str(described["name"])
    return labels


def _boxes(layer: Mapping[str, Any], labels: Mapping[int, str], size: tuple[int, int]) -> list[dict[str, Any]]:
    return list(_drawn_boxes(layer, labels, size))


def _drawn_boxes(
    layer: Mapping[str, Any], labels: Mapping[int, str], size: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    for described in layer.get("box_data", ()):
        scale_x, scale_y = (1, 1) if described.get("domain") == "pixel" else size
        left, top, width, height = _corner(described["position"])
        box: dict[str, Any] = {"box": (left * scale_x, top * scale_y, width * scale_x, height * scale_y)}
        label = described.get("box_caption") or labels.get(described.get("class_id", -1))
        scores = [score for score in (described.get("scores") or {}).values() if is_number(score)]
        yield box | ({"label": str(label)} if label else {}) | ({"score": scores[0]} if scores else {})


def _corner(position: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return left, top, width and height of W&B's corners, or of its middle with width and height."""
    if "middle" in position:
        width, height = float(position["width"]), float(position["height"])
        x, y = position["middle"]
        return float(x) - width / 2, float(y) - height / 2, width, height
    left, top = float(position["minX"]), float(position["minY"])
    return left, top, float(position["maxX"]) - left, float(position["maxY"]) - top


def _equal_bins(counts: Any, edges: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a histogram with bins of equal width: each old bin is spread evenly over the new ones that it covers."""
    import numpy as np

    counts, edges = np.asarray(counts, float), np.asarray(edges, float)
    equal = np.linspace(edges[0], edges[-1], len(counts) + 1)
    if np.allclose(edges, equal):
        return counts, edges
    filled = np.concatenate([[0.0], np.cumsum(counts)])
    return np.diff(np.interp(equal, edges, filled)), equal
