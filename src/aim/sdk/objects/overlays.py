"""
What is drawn over an image: boxes, and masks of class numbers, such as a detector's or a segmenter's output.

    boxes=[{"box": (x, y, width, height), "label": "cat", "score": 0.93}]         one layer
    boxes={"prediction": [{"box": ...}], "truth": [{"box": ...}]}                 several, by name
    masks={"prediction": array}                                                   (h, w) of the image, class numbers
    labels={0: "road", 1: "sky"}                                                  what the numbers mean

    field      meaning
    boxes      [{"box": [x, y, width, height], "label"?, "score"?, "layer"?}], in pixels of the image, from its upper
               left corner
    labels     [[number, name], ...]
    masks      [{"name", "start", "size_bytes"}]: where in the image's data each mask's PNG is

The data of an image with masks is the image's file with the PNG of each mask after it: readers of image files stop at a
file's end, so a program without masks still shows the image. The PNG is lossless gray up to class 255, else RGB
with number = R + 256 G + 65536 B, as in COCO's panoptic format (cocodataset.org/#format-data).
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from aim.core.errors import UntrackableValue, WrongType
from aim.core.values import is_number, number
from aim.sdk.objects.custom import Content, sound_text
from aim.sdk.objects.recognise import is_array, numpy_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Box = dict[str, Any]

CLASS_MAX = 2**24 - 1  # what three bytes of a pixel hold
BOX_KEYS = frozenset({"box", "label", "score", "layer"})


def labels_of(labels: Mapping[Any, Any] | Iterable[Any] | None) -> list[list[Any]]:
    """
    Return names of class numbers as they are stored: pairs, by number. A list names 0, 1, 2 ...

    >>> labels_of({1: "sky", 0: "road"}), labels_of(["road", "sky"])
    ([[0, 'road'], [1, 'sky']], [[0, 'road'], [1, 'sky']])
    """
    if labels is None:
        return []
    named = labels.items() if isinstance(labels, Mapping) else enumerate(labels)
    return sorted([_class_number(key), sound_text(str(name))] for key, name in named)


def _class_number(value: object) -> int:
    if not is_number(value) or number(value) != int(number(value)) or not 0 <= number(value) <= CLASS_MAX:
        raise UntrackableValue(f"labels has the key {value!r}; expected a class number, from 0 to {CLASS_MAX}.")
    return int(number(value))


def boxes_of(boxes: Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Mapping[str, Any]]] | None) -> list[Box]:
    """
    Return boxes as they are stored.

    Raises:
        UntrackableValue: a box is not four finite numbers, its size is negative, or it has a key that no box has.
        WrongType: *boxes* is no list, and no dict of lists.

    >>> boxes_of([{"box": (8, 4, 20, 10.5), "label": "cat", "score": 0.9}])
    [{'box': [8, 4, 20, 10.5], 'label': 'cat', 'score': 0.9}]
    """
    if boxes is None:
        return []
    layers = boxes.items() if isinstance(boxes, Mapping) else [(None, boxes)]
    stored_boxes = []
    for layer, listed in layers:
        if isinstance(listed, (str, bytes, Mapping)) or not hasattr(listed, "__iter__"):
            raise WrongType(f"boxes: expected a list of dicts, or a dict of such lists, got {type(listed).__name__}.")
        stored_boxes += [_box(box, layer, index) for index, box in enumerate(listed)]
    return stored_boxes


def _box(box: Mapping[str, Any], layer: object, index: int) -> Box:
    where = f"box {index}" if layer is None else f"box {index} of {layer!r}"
    if not isinstance(box, Mapping) or "box" not in box:
        raise UntrackableValue(f'{where} is {box!r}; expected {{"box": (x, y, width, height), "label": ...}}.')
    unknown = [key for key in box if key not in BOX_KEYS]
    if unknown:
        raise UntrackableValue(f"{where} has {unknown[0]!r}; a box has {', '.join(sorted(BOX_KEYS))}.")
    made: Box = {"box": _edges(box["box"], where)}
    label = box.get("label")
    if label is not None:
        made["label"] = number(label) if is_number(label) else sound_text(str(label))
    score = box.get("score")
    if score is not None:
        made["score"] = _score(score, where)
    layer_name = box.get("layer", layer)
    if layer_name is not None:
        made["layer"] = sound_text(str(layer_name))
    return made


def _edges(edges: Any, where: str) -> list[float]:
    numbers = numpy_of(edges).ravel().tolist() if is_array(edges) else edges
    numbers = list(numbers) if isinstance(numbers, (list, tuple)) else []
    if len(numbers) != 4 or not all(is_number(value) and math.isfinite(number(value)) for value in numbers):
        raise UntrackableValue(f"{where}: expected four finite numbers (x, y, width, height), got {edges!r}.")
    x, y, width, height = (number(value) for value in numbers)
    if width < 0 or height < 0:
        raise UntrackableValue(f"{where} is {width} x {height}; a box is (x, y, width, height), not two corners.")
    return [x, y, width, height]


def _score(score: object, where: str) -> float:
    if not is_number(score) or not math.isfinite(number(score)):
        raise UntrackableValue(f"{where} has the score {score!r}; expected a finite number.")
    return number(score)


def masks_of(masks: Mapping[str, Any] | None, size: tuple[int, int]) -> dict[str, Content]:
    """
    Return the PNG of each mask, made when it is first read.

    Args:
        masks: arrays or tensors (h, w) of bools or whole numbers from 0.
        size: width and height that they have to have, in pixels; (0, 0) when that is not known.

    Raises:
        UntrackableValue: another shape, or a value that is no class number.

    Cost: one copy of each; the PNG of 512 x 512 takes about 5 ms.
    """
    if masks is None:
        return {}
    if not isinstance(masks, Mapping):
        raise WrongType(f'masks: expected a dict such as {{"prediction": array}}, got {type(masks).__name__}.')
    return {
        sound_text(str(name)): Content(partial(_png, _classes(mask, str(name), size))) for name, mask in masks.items()
    }


def _classes(mask: Any, name: str, size: tuple[int, int]) -> NDArray[np.uint32]:
    import numpy as np

    if not is_array(mask):
        raise WrongType(f"mask {name!r} is a {type(mask).__name__}; expected an array (h, w) of class numbers.")
    array = np.asarray(numpy_of(mask))
    expected = f" of the image's {size[1]} x {size[0]}" if size != (0, 0) else ""
    if array.ndim != 2 or 0 in array.shape or (size != (0, 0) and array.shape != (size[1], size[0])):
        raise UntrackableValue(f"mask {name!r} has shape {array.shape}; expected (h, w){expected}.")
    if array.dtype.kind not in "bui":
        raise UntrackableValue(f"mask {name!r} is of {array.dtype}; expected whole numbers: argmax(), or round them.")
    if (array.dtype.kind == "i" and int(array.min()) < 0) or int(array.max()) > CLASS_MAX:
        raise UntrackableValue(
            f"mask {name!r} has values from {array.min()} to {array.max()}; class numbers are 0 to {CLASS_MAX}."
        )
    return array.astype(np.uint8 if array.max() < 256 else np.uint32)  # a copy: the caller may go on with theirs


def _png(classes: NDArray[np.uint32]) -> bytes:
    import numpy as np
    import PIL.Image

    pixels = classes
    if classes.dtype != np.uint8:
        pixels = np.stack([classes & 255, classes >> 8 & 255, classes >> 16], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def mask_array(png: bytes) -> NDArray[np.unsignedinteger[Any]]:
    """
    Return the class numbers of a mask's PNG: shape (h, w), uint8 or uint32.

    >>> import numpy as np
    >>> mask_array(masks_of({"m": np.array([[0, 300]])}, (2, 1))["m"].read())
    array([[  0, 300]], dtype=uint32)
    """
    import numpy as np
    import PIL.Image

    pixels = np.asarray(PIL.Image.open(io.BytesIO(png)))
    if pixels.ndim == 2:
        return pixels
    wide = pixels.astype(np.uint32)
    return np.asarray(wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16)


def joined(image: bytes, masks: Mapping[str, Content]) -> tuple[bytes, list[dict[str, Any]]]:
    """
    Return the data of an image with masks, and the field `masks`.

    >>> joined(b"image", {"m": Content.of(b"png")})
    (b'imagepng', [{'name': 'm', 'start': 5, 'size_bytes': 3}])
    """
    parts, mask_ranges, start = [image], [], len(image)
    for name, content in masks.items():
        png = content.read()
        mask_ranges.append({"name": name, "start": start, "size_bytes": len(png)})
        parts.append(png)
        start += len(png)
    return b"".join(parts), mask_ranges


def parted(whole: Content, mask_ranges: Iterable[Mapping[str, Any]]) -> tuple[Content, dict[str, Content]]:
    """Return the image and the masks of data that `joined` made, each cut out when it is read."""
    listed = list(mask_ranges)
    image = Content(partial(_slice, whole, 0, int(listed[0]["start"])))
    masks = {
        str(mask_range["name"]): Content(
            partial(_slice, whole, int(mask_range["start"]), int(mask_range["size_bytes"]))
        )
        for mask_range in listed
    }
    return image, masks


def _slice(whole: Content, start: int, size_bytes: int) -> bytes:
    return whole.read()[start : start + size_bytes]
