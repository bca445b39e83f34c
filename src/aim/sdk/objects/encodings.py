"""
From pixels to an image file: which formats there are, which pixels each one holds, and how they are brought there.

    format   pixels kept as they are              else
    png      1 L LA I;16 P RGB RGBA               RGB, or RGBA if something is transparent
    jpeg     1 L RGB CMYK YCbCr                   RGB; the transparent is pasted on white, with one warning
    webp     RGB RGBA                             as png
    gif      1 L P RGB RGBA                       as png; Pillow then picks 256 colours
    bmp      1 L P RGB                            as jpeg
    tiff     1 L LA I;16 I F P RGB RGBA CMYK      as png

The *mode* of an image (the name Pillow has for its kind of pixels) is that of the last step before the file, and is
known from the format and the pixels without making the file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aim.core.errors import UntrackableValue
from aim.sdk.objects.pixels import levels

if TYPE_CHECKING:
    import PIL.Image

MODES_KEPT = {
    "png": frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"}),
    "jpeg": frozenset({"1", "L", "RGB", "CMYK", "YCbCr"}),
    "webp": frozenset({"RGB", "RGBA"}),
    "gif": frozenset({"1", "L", "P", "RGB", "RGBA"}),
    "bmp": frozenset({"1", "L", "P", "RGB"}),
    "tiff": frozenset({"1", "L", "LA", "I;16", "I", "F", "P", "RGB", "RGBA", "CMYK"}),
}
OPAQUE_FORMATS = frozenset({"jpeg", "bmp"})
ANIMATED_FORMATS = frozenset({"gif", "webp", "tiff"})
ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
SIDE_MAX_PX = {"jpeg": 65_500, "webp": 16_383, "gif": 65_535}  # libjpeg's, libwebp's, and GIF's 16 bits
SAME_FORMATS = {"jpg": "jpeg", "tif": "tiff", "mpo": "jpeg"}
EXTENSIONS = {"jpeg": "jpg", "tiff": "tif"}
PNG_LEVEL = 4  # 3 times as fast as zlib's 6, for 1 % more bytes (512 x 512 RGB: 26 ms against 77 ms)


@dataclass(frozen=True)
class Encoding:
    """
    How a picture becomes a file.

    Attributes:
        format: a key of `MODES_KEPT`.
        mode: the kind of pixels in the file, of `mode_in`.
        quality: 0 to 100, for JPEG and WebP.
        optimize: spend time for fewer bytes.
    """

    format: str
    mode: str
    quality: int
    optimize: bool


def format_name(name: object) -> str:
    """
    Return the one name of the format *name*.

    Raises:
        UntrackableValue: there is no such format.

    >>> format_name("JPG")
    'jpeg'
    """
    lower = name.lower().lstrip(".") if isinstance(name, str) else ""
    lower = SAME_FORMATS.get(lower, lower)
    if lower not in MODES_KEPT:
        raise UntrackableValue(f"format is {name!r}; expected one of {', '.join(MODES_KEPT)} (or jpg, tif).")
    return lower


def is_format(name: object) -> bool:
    """Return whether `format_name` knows *name*."""
    return isinstance(name, str) and SAME_FORMATS.get(name.lower(), name.lower()) in MODES_KEPT


def extension(name: str) -> str:
    """
    Return the file extension of the format *name*.

    >>> extension("JPEG")
    'jpg'
    """
    lower = name.lower()
    return EXTENSIONS.get(lower, lower)


def mode_in(format: str, mode: str, is_transparent: bool) -> str:
    """
    Return the mode that pixels of *mode* have in a file of *format*.

    >>> mode_in("jpeg", "RGBA", True), mode_in("webp", "L", False)
    ('RGB', 'RGB')
    """
    opaque = format in OPAQUE_FORMATS
    if mode in MODES_KEPT[format] and not (opaque and is_transparent):
        return mode
    if mode == "I;16":
        return mode_in(format, "L", is_transparent)
    return "RGBA" if is_transparent and not opaque else "RGB"


def encode(picture: Any, encoding: Encoding) -> bytes:
    """
    Make the file.

    Args:
        picture: an image of Pillow, or an array of `pixels_of`.

    Cost: 512 x 512 RGB on one core: png 2 ms (flat) to 35 ms (a photograph), jpeg 0.5 ms, webp 13 ms, gif 77 ms, bmp
    and tiff 0.3 ms. Measured by bench/objects.py.
    """
    image = _picture(picture)
    if image.mode != encoding.mode or (encoding.format in OPAQUE_FORMATS and is_transparent(image)):
        image = _converted(image, encoding)
    return save(image, encoding)


def save(image: PIL.Image.Image, encoding: Encoding, **more: Any) -> bytes:
    """Write *image* in the format of *encoding*, with the options that the format has."""
    options: dict[str, Any] = dict(more)
    if encoding.format in ("jpeg", "webp"):
        options["quality"] = encoding.quality
    if encoding.format == "png" and not encoding.optimize:
        options["compress_level"] = PNG_LEVEL
    if encoding.format in ("png", "jpeg", "gif"):
        options["optimize"] = encoding.optimize
    if encoding.format == "webp" and encoding.optimize:
        options["method"] = 6
    buffer = io.BytesIO()
    image.save(buffer, format=encoding.format, **options)
    return buffer.getvalue()


def is_transparent(image: PIL.Image.Image) -> bool:
    """Return whether *image* has an alpha channel or a transparent colour."""
    return image.mode in ALPHA_MODES or "transparency" in image.info


def check_size(format: str, width_px: int, height_px: int) -> None:
    """
    Refuse a picture that *format* can't hold.

    Raises:
        UntrackableValue: it is empty, or too wide or high.
    """
    if width_px == 0 or height_px == 0:
        raise UntrackableValue(f"a picture of {width_px} x {height_px} has no pixels.")
    side_max_px = SIDE_MAX_PX.get(format)
    if side_max_px is not None and max(width_px, height_px) > side_max_px:
        raise UntrackableValue(
            f"a picture of {width_px} x {height_px} is too large for {format}: at most {side_max_px}. Use format='png'."
        )


def _picture(picture: Any) -> PIL.Image.Image:
    import PIL.Image

    if isinstance(picture, PIL.Image.Image):
        return picture
    return PIL.Image.fromarray(levels(picture))


def _converted(image: PIL.Image.Image, encoding: Encoding) -> PIL.Image.Image:
    if image.mode == "I;16":
        import PIL.Image

        image = PIL.Image.fromarray(levels(_upper_bits(image)))
    if encoding.format in OPAQUE_FORMATS and is_transparent(image):
        return _on_white(image)
    return image if image.mode == encoding.mode else image.convert(encoding.mode)


def _upper_bits(image: PIL.Image.Image) -> Any:
    import numpy as np

    return (np.asarray(image) >> 8).astype(np.uint8)


def _on_white(image: PIL.Image.Image) -> PIL.Image.Image:
    import PIL.Image

    layer = image.convert("RGBA")
    white = PIL.Image.new("RGB", image.size, (255, 255, 255))
    white.paste(layer, mask=layer.getchannel("A"))
    return white
