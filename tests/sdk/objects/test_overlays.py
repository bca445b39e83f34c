"""
Boxes and masks over images: what they are made from, where they lie, and that they come back.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects.image import Image
from aim.sdk.objects.registry import restore
from aim.sdk.run import Run

PICTURE = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
MASK = np.arange(48).reshape(6, 8) % 5


def again(image: Image) -> Image:
    """Return what a reader gets for *image*."""
    stored = image.stored()
    fields = json.loads(json.dumps(stored.fields, allow_nan=False))
    restored = restore(stored.kind, fields, lambda: stored.data or b"")
    assert isinstance(restored, Image)
    return restored


@given(arrays.arrays(np.uint32, (6, 8), elements=st.integers(0, 2**24 - 1)), st.text(max_size=5))
def test_a_mask_comes_back(mask: np.ndarray[Any, np.dtype[np.uint32]], name: str) -> None:
    """
    Every class number up to 24 bits survives, whatever the mask is called, and so does the image before it.
    """
    image = Image(PICTURE, masks={name: mask, name + "2": mask % 2 == 0})

    restored = again(image)

    assert mask.tolist() == restored.masks[name].tolist()
    assert (mask % 2 == 0).astype(int).tolist() == restored.masks[name + "2"].tolist()
    assert image == restored
    assert PICTURE.tolist() == np.asarray(restored.to_pil_image()).tolist()


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "gif", "bmp", "tiff"])
def test_who_knows_no_masks_sees_the_image(format: str) -> None:
    """
    The stored data, opened as an image file of any format, is the image: a mask after its end disturbs no reader.
    """
    stored = Image(PICTURE, format=format, masks={"prediction": MASK}).stored()
    plain = Image(PICTURE, format=format).stored()

    assert plain.data is not None
    assert stored.data is not None
    assert stored.data.startswith(plain.data)
    shown = [np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB")) for data in (plain.data, stored.data)]
    assert shown[0].tolist() == shown[1].tolist()


def test_boxes_and_labels_come_back() -> None:
    """
    Boxes of several layers keep numbers, labels and scores; numbers of numpy become plain ones.
    """
    boxes = {
        "prediction": [{"box": np.array([1, 2, 3.5, 4]), "label": np.int64(1), "score": np.float32(0.5)}],
        "truth": [{"box": (0, 0, 8, 6), "label": "cat"}, {"box": [1, 1, 1, 1]}],
    }

    image = again(Image(PICTURE, boxes=boxes, labels={1: "dog"}))

    assert [
        {"box": [1.0, 2.0, 3.5, 4.0], "label": 1, "score": 0.5, "layer": "prediction"},
        {"box": [0, 0, 8, 6], "label": "cat", "layer": "truth"},
        {"box": [1, 1, 1, 1], "layer": "truth"},
    ] == image.boxes
    assert {1: "dog"} == image.labels


def test_an_image_without_overlays_is_stored_as_before() -> None:
    """
    No field and no byte more than an image had before overlays were known.
    """
    stored = Image(PICTURE).stored()

    assert {"format": "png", "mode": "RGB", "width": 8, "height": 6} == stored.fields
    assert ([], {}, {}) == (Image(PICTURE).boxes, Image(PICTURE).masks, Image(PICTURE).labels)


def test_the_mask_is_a_snapshot_and_encoded_beside_the_training() -> None:
    """
    A mask may be changed right after; an image whose file is there already still leaves its masks to the thread.
    """
    mask = MASK.copy()
    image = Image(Image(PICTURE).stored().data, masks={"m": mask})
    mask[:] = 0

    waiting = image._deferred()

    assert waiting is not None
    assert waiting.make().data == image.stored().data
    assert MASK.tolist() == image.masks["m"].tolist()


def test_a_tracked_mask_is_read_from_the_run(tmp_path: Path) -> None:
    """
    Tracked, read back by another object of the run, and tracked again from there: the same.
    """
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        image = Image(PICTURE, boxes=[{"box": (0, 0, 1, 1)}], masks={"m": MASK}, labels=["sky"])
        run.track([image, Image(PICTURE)], name="seen", step=0)
        run.flush()
        first = run.get_image_sequence("seen", {}).values.last_value()[0]
        run.track(first, name="again", step=0, sync=True)
        second = run.get_image_sequence("again", {}).values.last_value()

    assert image == first == second
    assert MASK.tolist() == second.masks["m"].tolist()


def test_an_image_elsewhere_has_overlays_too(tmp_path: Path) -> None:
    """
    Boxes and masks of a referenced image are in the repository, in pixels of the original.
    """
    path = tmp_path / "wide.png"
    PIL.Image.fromarray(np.zeros((600, 800), np.uint8)).save(path)
    mask = np.ones((600, 800), np.int64)

    image = again(Image.from_uri(path, boxes=[{"box": (700, 500, 90, 90)}], masks={"m": mask}))

    assert (600, 800) == image.masks["m"].shape
    assert [700, 500, 90, 90] == image.boxes[0]["box"]
    assert path.read_bytes() == image._read()


@pytest.mark.parametrize(
    ("overlay", "error", "message"),
    [
        ({"boxes": [{"box": (1, 2, 3)}]}, UntrackableValue, "box 0: expected four finite numbers"),
        ({"boxes": [{"box": 7}]}, UntrackableValue, "box 0: expected four finite numbers"),
        ({"boxes": {"truth": [{"box": (1, 2, 3, float("nan"))}]}}, UntrackableValue, "box 0 of 'truth': expected"),
        ({"boxes": [{"box": (5, 5, -3, 2)}]}, UntrackableValue, "not two corners"),
        ({"boxes": [{"bbox": (1, 2, 3, 4)}]}, UntrackableValue, 'expected {"box": \\(x, y, width, height\\)'),
        ({"boxes": [{"box": (1, 2, 3, 4), "colour": 1}]}, UntrackableValue, "box 0 has 'colour'"),
        ({"boxes": [{"box": (1, 2, 3, 4), "score": "high"}]}, UntrackableValue, "the score 'high'"),
        ({"boxes": {"box": (1, 2, 3, 4)}}, UntrackableValue, "box 0 of 'box' is 1"),
        ({"boxes": "all"}, WrongType, "expected a list of dicts"),
        ({"masks": MASK}, WrongType, "expected a dict such as"),
        ({"masks": {"m": [[1]]}}, WrongType, "mask 'm' is a list"),
        ({"masks": {"m": MASK.T}}, UntrackableValue, r"shape \(8, 6\); expected \(h, w\) of the image's 6 x 8"),
        ({"masks": {"m": MASK / 2}}, UntrackableValue, "float64; expected whole numbers"),
        ({"masks": {"m": MASK - 1}}, UntrackableValue, "values from -1 to 3"),
        ({"masks": {"m": MASK + 2**24}}, UntrackableValue, "class numbers are 0 to 16777215"),
        ({"labels": {"road": 0}}, UntrackableValue, "labels has the key 'road'"),
    ],
)
def test_a_wrong_overlay_is_an_error_at_once(overlay: dict[str, Any], error: type[Exception], message: str) -> None:
    """
    What no page could draw is refused by the constructor, with what was expected instead.
    """
    with pytest.raises(error, match=message):
        Image(PICTURE, **overlay)
