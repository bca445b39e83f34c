"""
From the arrays of any library to pixels that an image file holds: bits, bytes, or 16-bit gray.

Shapes, after which the last axis is 1 to 4 channels (gray, gray and alpha, RGB, RGBA):

    (h, w)  (h, w, 1)  (h, w, c)     as they are; one channel is gray
    (c, h, w)                        torch's order: expected of torch, and accepted of others when the last axis
                                     can't be channels and the first can

Values. Which rule holds is decided by the type, and for floats by the range of the finite values:

    bool                       black and white
    uint8                      as they are
    uint16                     gray: 16 bits are kept, where the format has them; colour: the upper 8 bits
    other integers             have to be 0 to 255
    floats within [0, 1]       x 255, rounded
    floats within [0, 255]     (and above 2 somewhere) bytes already, rounded
    other floats               stretched: the lowest becomes 0, the highest 255, with one warning in a process
    NaN, -inf, inf             lowest, lowest, highest

The 2 tells a picture in bytes from one in [0, 1] that overshoots a little, as after bicubic scaling. All of this but
the checks happens when the file is made, so the training loop pays for one copy of the array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aim.core.errors import UntrackableValue
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.recognise import is_torch_tensor, numpy_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHANNEL_COUNT_MAX = 4
OVERSHOOT_MAX = 2.0
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def pixels_of(value: Any) -> NDArray[np.generic]:
    """
    Copy *value* as an array of shape (h, w) or (h, w, c) whose values an image can be made of.

    Raises:
        UntrackableValue: no picture has that shape, type or integer range.

    Cost: one copy, and for integers other than uint8 one pass.
    """
    import numpy as np

    array = np.array(numpy_of(value), copy=True)
    array = _channels_last(array.astype(array.dtype.newbyteorder("="), copy=False), first=is_torch_tensor(value))
    if 0 in array.shape:
        raise UntrackableValue(f"an array of shape {array.shape} has no pixels.")
    kind = array.dtype.kind
    if kind not in "biuf":
        raise UntrackableValue(f"an array of {array.dtype} is no picture: expected bool, integers or floats.")
    if kind in "iu" and array.dtype not in (np.uint8, np.uint16):
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > 255:
            raise UntrackableValue(
                f"an array of {array.dtype} with values from {low} to {high} is no picture: integers have to be "
                "0 to 255. Pass floats to have them stretched, or clip the array."
            )
        return array.astype(np.uint8)
    return array


def mode_of(array: NDArray[np.generic]) -> str:
    """Return Pillow's name for what *array* of `pixels_of` becomes: 1, L, LA, RGB, RGBA or I;16."""
    if array.ndim == 3:
        return MODES[array.shape[2]]
    if array.dtype.kind == "b":
        return "1"
    return "I;16" if array.dtype.name == "uint16" else "L"


def levels(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """
    Return the pixels of an array of `pixels_of`: bool or uint16 for gray, else uint8; rows one after the other.

    >>> import numpy as np
    >>> levels(np.array([[0.0, 0.5, 1.0]]))
    array([[  0, 128, 255]], dtype=uint8)
    """
    import numpy as np

    kind = array.dtype.kind
    if kind == "f":
        array = _stretched(array)
    elif kind == "b" and array.ndim == 3:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype == np.uint16 and array.ndim == 3:
        array = np.right_shift(array, 8, dtype=np.uint16).astype(np.uint8)
    return np.ascontiguousarray(array)


def _channels_last(array: NDArray[np.generic], first: bool) -> NDArray[np.generic]:
    if array.ndim not in (2, 3):
        raise UntrackableValue(
            f"an array of shape {array.shape} is no picture: expected (h, w) or (h, w, channels). "
            "A batch is `convert_to_aim_image_list(batch)`."
        )
    if array.ndim == 2:
        return array
    is_first, is_last = array.shape[0] <= CHANNEL_COUNT_MAX, array.shape[2] <= CHANNEL_COUNT_MAX
    if not is_first and not is_last:
        raise UntrackableValue(f"an array of shape {array.shape} is no picture: 1 to {CHANNEL_COUNT_MAX} channels are.")
    if is_first and (first or not is_last):
        array = array.transpose(1, 2, 0)
    return array[:, :, 0] if array.shape[2] == 1 else array


def _stretched(array: NDArray[Any]) -> NDArray[np.uint8]:
    import numpy as np

    floats: NDArray[Any] = array.astype(np.float64 if array.dtype.itemsize > 4 else np.float32)
    is_finite = np.isfinite(floats)
    whole = bool(is_finite.all())
    finite = floats if whole else floats[is_finite]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if not whole:
        warn_once(
            "pixels that are no numbers",
            "Image: some pixels are NaN or infinite; they are stored as the lowest or the highest value. This is said "
            "once.",
        )
        floats = np.nan_to_num(floats, nan=low, posinf=high, neginf=low)
    if low >= 0 and high <= 1:
        floats = floats * 255
    elif low < 0 or high > 255 or high <= OVERSHOOT_MAX:
        warn_once(
            "stretched image",
            f"Image: floats from {low:g} to {high:g} are neither in [0, 1] nor in [0, 255]; the lowest is shown as 0 "
            "and the highest as 255. Clip or scale the array to choose otherwise. This is said once.",
        )
        # Halves, because the span of two doubles may be more than the largest double.
        wide = floats.astype(np.float64) / 2
        span = high / 2 - low / 2
        floats = (wide - low / 2) / span * 255 if span > 0 else np.clip(floats, 0, 255)
    pixels: NDArray[np.uint8] = np.rint(floats).clip(0, 255).astype(np.uint8)
    return pixels
