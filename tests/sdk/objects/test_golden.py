"""
Objects that were stored by the first version are read for ever: `golden.json` is never written anew.
"""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.sdk.objects.audio import Audio
from aim.sdk.objects.custom import CustomObject
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.figure import Figure
from aim.sdk.objects.image import Image
from aim.sdk.objects.log_line import LogLine
from aim.sdk.objects.log_record import LogRecord
from aim.sdk.objects.object3d import Object3D
from aim.sdk.objects.registry import CLASSES, restore
from aim.sdk.objects.table import Table
from aim.sdk.objects.text import Text
from aim.sdk.objects.video import Video

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))
RGB = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)


def golden(name: str) -> CustomObject:
    """Return the stored object *name*."""
    form = GOLDEN[name]
    return restore(form["kind"], form["fields"], lambda: base64.b64decode(form["data"] or ""))


@pytest.mark.parametrize("name", GOLDEN)
def test_a_stored_object_is_stored_again_as_it_was(name: str) -> None:
    """
    Reading and storing changes no field and no byte.
    """
    stored = golden(name).stored()
    data = None if stored.data is None else base64.b64encode(stored.data).decode()

    assert GOLDEN[name] == {"kind": stored.kind, "fields": stored.fields, "extension": stored.extension, "data": data}


def test_every_kind_has_a_golden_object() -> None:
    """
    A new kind comes with one that later versions have to read.
    """
    assert set(CLASSES) == {form["kind"] for form in GOLDEN.values()}


def test_the_golden_reference() -> None:
    """
    An image that lies elsewhere: its address, and what is known without it.
    """
    image = golden("image reference")

    assert isinstance(image, Image)
    assert ("file:///data/7.png", "PNG", (4, 3), "golden") == (image.uri, image.format, image.size, image.caption)
    assert b"RIFF" == image.local_bytes()[:4]


def test_the_golden_image() -> None:
    """
    Pixels and caption.
    """
    image = golden("image")

    assert isinstance(image, Image)
    assert (RGB.tolist(), "golden", (4, 3)) == (np.asarray(image.to_pil_image()).tolist(), image.caption, image.size)


def test_the_golden_text() -> None:
    """
    Signs of any script.
    """
    text = golden("text")

    assert isinstance(text, Text)
    assert "Grüße\n✓" == text.data


def test_the_golden_audio() -> None:
    """
    Rate, channels and samples.
    """
    audio = golden("audio")

    assert isinstance(audio, Audio)
    rate, samples = audio.to_numpy()
    assert (8000, [[0, 1], [2, -3], [4, 5]], "tick") == (rate, samples.tolist(), audio.caption)


def test_the_golden_distribution() -> None:
    """
    Weights, edges and what was left out.
    """
    distribution = golden("distribution")

    assert isinstance(distribution, Distribution)
    assert [1, 2, 1] == distribution.weights.tolist()
    assert [1.0, 2.0, 3.0, 4.0] == distribution.ranges.tolist()
    assert 1 == distribution.ignored_count


def test_the_golden_figure() -> None:
    """
    Data and layout.
    """
    figure = golden("figure")

    assert isinstance(figure, Figure)
    plotted = figure.to_plotly_figure()
    assert ((1, 2), "t") == (plotted.data[0].y, plotted.layout.title.text)


def test_the_golden_video() -> None:
    """
    Size, rate and number of frames.
    """
    video = golden("video")

    assert isinstance(video, Video)
    assert ((6, 4), 5.0, 3, "gif") == (video.size, video.fps, video.frame_count, video.format)


def test_the_golden_3d_object() -> None:
    """
    Points and their colours.
    """
    cloud = golden("object3d")

    assert isinstance(cloud, Object3D)
    points, colors = cloud.to_numpy()
    assert [[0.0, 0.5, -1.0], [3.0, 4.0, 5.0]] == points.tolist()
    assert colors is not None
    assert [[255, 0, 10], [0, 20, 30]] == colors.tolist()
    assert ("golden", 2) == (cloud.caption, cloud.point_count)


def test_the_golden_table() -> None:
    """
    Cells of each type, an image among them, and gaps.
    """
    table = golden("table")

    assert isinstance(table, Table)
    assert {"n": "int", "x": "float", "t": "text", "i": "aim.image"} == table.types
    assert {"n": None, "x": 0.5, "t": None, "i": None} == table[1]
    assert math.isnan(table[0]["x"])
    assert RGB.tolist() == np.asarray(table[0]["i"].to_pil_image()).tolist()
    assert (1, "a", "rows") == (table[0]["n"], table[0]["t"], table.caption)


def test_the_golden_log() -> None:
    """
    A printed line with its colours; a message with level, values and place.
    """
    line, record = golden("log_line"), golden("log_record")

    assert isinstance(line, LogLine)
    assert isinstance(record, LogRecord)
    assert "epoch 3: loss \x1b[31mnan\x1b[0m" == line.data
    assert ("the loss is nan", "ERROR", ("train.py", 41)) == (record.message, record.level_name, record.logger_info)
    assert {"step": 870} == record.args
