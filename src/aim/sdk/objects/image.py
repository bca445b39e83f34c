"""
Images.

    made from                              kept as
    a path, or the bytes of a file         the file's own bytes, when no other format or quality is asked for
    an image of Pillow                     its format, else png; an animated one with all frames (gif, webp, tiff)
    an array or tensor                     png; see `pixels` for shapes and values
    a figure of matplotlib                 png, as `savefig` draws it
    `Image.from_uri(address)`              the address and a small picture; see `references`

The caller's object is copied by the constructor; the file is made when it is first needed.

    field      meaning
    format     as asked for, in lower case; a file's or Pillow image's own in upper case, as in Aim 3
    mode       Pillow's name of the kind of pixels: RGB, L ...
    width, height, in pixels
    caption    left out when it is ''
    boxes, masks, labels    what is drawn over it; see `overlays`
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.errors import UntrackableValue, WrongType
from aim.core.values import Deferred, Loader, Stored, is_number, number
from aim.sdk.objects import overlays
from aim.sdk.objects.custom import Content
from aim.sdk.objects.encodings import (
    ANIMATED_FORMATS,
    MODES_KEPT,
    OPAQUE_FORMATS,
    Encoding,
    check_size,
    encode,
    extension,
    format_name,
    is_format,
    is_transparent,
    mode_in,
    save,
)
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.pixels import mode_of, pixels_of
from aim.sdk.objects.recognise import is_array, is_matplotlib_figure, is_pil_image
from aim.sdk.objects.references import PREVIEW_FORMAT, Preview, StoredMedia, address_of, fields_of_image
from aim.sdk.objects.sources import file_at

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image
    from numpy.typing import NDArray

QUALITY_DEFAULT = 90


class Image(StoredMedia):
    """
    One image.

    Args:
        image: a path (str or `os.PathLike`), the bytes of an image file, an image of Pillow, an array of numpy or jax
            (h, w) or (h, w, channels), a tensor of torch (channels, h, w) or (h, w), one of tensorflow
            (h, w, channels), or a figure of matplotlib. Floats in [0, 1] are scaled.
        caption: any text; can be set later.
        format: png, jpeg (or jpg), webp, gif, bmp or tiff; by default the source's own format, else png.
        quality: 0 to 100, of jpeg and webp; values outside count as 0 or 100.
        optimize: take longer to make a smaller file.
        boxes: detected objects: `[{"box": (x, y, width, height), "label": "cat", "score": 0.93}]` in pixels, or a
            dict of such lists by layer, such as prediction and truth.
        masks: arrays (h, w) of class numbers, by name.
        labels: names of the numbers in *masks* and of labels in *boxes*: `{0: "road"}`.

    Raises:
        UntrackableValue: (a ValueError) no file there, no picture in it, a shape or value that no picture has, an
            unknown format. An image with alpha in jpeg is pasted on white, with one warning.
        WrongType: (a TypeError) *image* is something else.

    Two images are equal when mode, format, size, bytes and overlays are. Images can't be keys of dicts.

    Cost: a copy of *image*; the file is made at the first `stored()`: of 512 x 512 x 3 a png in 2 - 35 ms, a jpeg in
    0.5 ms. Measured by bench/objects.py, with the other formats.

    >>> import numpy as np
    >>> image = Image(np.zeros((28, 32)), caption="7 or 1?")
    >>> image.size, image.format, image.caption
    ((32, 28), 'png', '7 or 1?')
    """

    AIM_NAME: ClassVar[str] = "aim.image"

    _masks: Mapping[str, Content] = MappingProxyType({})

    def __init__(
        self,
        image: Any,
        caption: Any = "",
        format: str | None = None,
        quality: int = QUALITY_DEFAULT,
        optimize: bool = False,
        *,
        boxes: Any = None,
        masks: Any = None,
        labels: Any = None,
    ) -> None:
        quality = _quality(quality)
        format_asked = None if format is None else format_name(format)
        if isinstance(image, (str, os.PathLike, bytes, bytearray, memoryview)):
            made = _of_file(*_file_bytes(image), format_asked, quality, bool(optimize))
        elif is_pil_image(image):
            made = _of_pillow(image, format_asked, quality, bool(optimize))
        elif is_matplotlib_figure(image):
            made = _of_figure(image, format_asked or "png", quality, bool(optimize))
        elif is_array(image):
            made = _of_array(image, format_asked or "png", quality, bool(optimize))
        else:
            kind = f"{type(image).__module__}.{type(image).__qualname__}"
            raise WrongType(
                f"Image can't be made from a {kind}. Pass a path, an image of Pillow, an array, a tensor, "
                "or a figure of matplotlib."
            )
        super().__init__(*made)
        self.caption = caption
        self._draw_over(boxes, masks, labels)

    @classmethod
    def from_uri(
        cls,
        uri: str | os.PathLike[str],
        caption: Any = "",
        *,
        boxes: Any = None,
        masks: Any = None,
        labels: Any = None,
    ) -> Image:
        """
        Return an image that stays where it is: its address is recorded, and a small picture for the pages.

        Args:
            uri: a path, `file:///...`, or an address of an object store such as `s3://bucket/cat.jpg`.
            caption: any text; can be set later.
            boxes, masks, labels: what is drawn over it, in pixels of the original.

        Raises:
            UntrackableValue: (a ValueError) no image file at a path of this machine.
            UnknownStore: (a ValueError) no store understands the address.

        Cost: reading the head of a local file; nothing is fetched. The small picture is made beside the training.
        """
        address, path = address_of(uri, "image")
        fields: dict[str, Any] = {"reference": {"uri": address}}
        if path is not None:
            import PIL.Image

            try:
                with PIL.Image.open(path) as image:
                    fields = fields_of_image(image, address, path.stat().st_size)
            except (OSError, SyntaxError, PIL.Image.DecompressionBombError) as error:
                raise UntrackableValue(f"{path} can't be read as an image: {error}.") from error
        self = cls._by_reference(fields, Preview(address), caption)
        self._draw_over(boxes, masks, labels)
        return self

    @classmethod
    def _from_stored(cls, fields: Mapping[str, Any], load: Loader) -> Image:
        """Return the image that was stored with *fields*; see `CustomObject._from_stored`."""
        self = super()._from_stored(fields, load)
        mask_ranges = self._fields.pop("masks", None)
        if mask_ranges and self._content is not None:
            self._content, self._masks = overlays.parted(self._content, mask_ranges)
        return self

    def stored(self) -> Stored:
        """Return the image's stored form, its masks after its file."""
        stored = super().stored()
        if not self._masks:
            return stored
        data, mask_ranges = overlays.joined(stored.data or b"", self._masks)
        return Stored(stored.kind, {**stored.fields, "masks": mask_ranges}, data, stored.extension)

    def _deferred(self) -> Deferred | None:
        """Return a snapshot that another thread may encode; see `CustomObject._deferred`."""
        waiting = super()._deferred()
        masks_bytes = sum(mask.held_bytes() for mask in self._masks.values())
        if waiting is None:
            return Deferred(self._kind(), max(1, masks_bytes), self.__copy__().stored) if self._masks else None
        return Deferred(waiting.kind, waiting.held_bytes + masks_bytes, waiting.make)

    def _draw_over(self, boxes: Any, masks: Any, labels: Any) -> None:
        labels_stored, boxes_stored = overlays.labels_of(labels), overlays.boxes_of(boxes)
        self._fields |= ({"labels": labels_stored} if labels_stored else {}) | (
            {"boxes": boxes_stored} if boxes_stored else {}
        )
        self._masks = overlays.masks_of(masks, self.size)

    @property
    def boxes(self) -> list[dict[str, Any]]:
        """
        Detected objects: dicts with `box` (x, y, width, height) in pixels, and perhaps label, score and layer.

        >>> import numpy as np
        >>> Image(np.zeros((9, 9)), boxes=[{"box": (1, 2, 3, 4), "label": "cat"}]).boxes
        [{'box': [1, 2, 3, 4], 'label': 'cat'}]
        """
        return [dict(box) for box in self._fields.get("boxes", [])]

    @property
    def masks(self) -> dict[str, NDArray[np.unsignedinteger[Any]]]:
        """The masks by name: arrays (h, w) of class numbers, uint8 or uint32; decoded each time."""
        return {name: overlays.mask_array(content.read()) for name, content in self._masks.items()}

    @property
    def labels(self) -> dict[int, str]:
        """What class numbers mean."""
        return {int(class_number): str(name) for class_number, name in self._fields.get("labels", [])}

    @property
    def format(self) -> str:
        """The format of the file, such as png; '' for one elsewhere that was not read."""
        if self.uri is not None:
            return str(self._fields["reference"].get("format", ""))
        return str(self._fields.get("format", "png"))

    @property
    def width(self) -> int:
        """The width in pixels."""
        return int(self._fields.get("width", 0))

    @property
    def height(self) -> int:
        """The height in pixels."""
        return int(self._fields.get("height", 0))

    @property
    def size(self) -> tuple[int, int]:
        """The width and height in pixels."""
        return self.width, self.height

    @property
    def mode(self) -> str:
        """Pillow's name of the kind of pixels, such as RGB, before the format converted them."""
        return str(self._fields.get("mode", ""))

    def json(self) -> dict[str, Any]:
        """
        Return caption, format, width and height.

        >>> import numpy as np
        >>> Image(np.zeros((2, 3))).json()
        {'caption': '', 'format': 'png', 'width': 3, 'height': 2}
        """
        return {"caption": self.caption, "format": self.format, "width": self.width, "height": self.height}

    def to_pil_image(self) -> PIL.Image.Image:
        """
        Return the image as one of Pillow: a new one each time, decoded from the stored file.

        Cost: reads and decodes the file, and makes it first if that was not done yet.
        """
        import PIL.Image

        return PIL.Image.open(io.BytesIO(self._read()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Image):
            return NotImplemented
        return (
            self._description() == other._description()
            and self._read() == other._read()
            and self._drawn() == other._drawn()
        )

    def _description(self) -> tuple[object, ...]:
        return self.mode, self.format.lower(), self.size, self.boxes, self.labels

    def _drawn(self) -> dict[str, bytes]:
        return {name: content.read() for name, content in self._masks.items()}

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        caption = f" {self.caption!r}" if self.caption != "" else ""
        return f"<Image {self.width}x{self.height} {self.format}{caption}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        return media.image(self)

    def _thumb_html_(self) -> str:
        from aim.sdk.html import media

        return media.thumbnail(self)

    def _extension(self) -> str:
        return extension(self.format if self.uri is None else PREVIEW_FORMAT)


def convert_to_aim_image_list(images: Iterable[Any], labels: Iterable[Any] | None = None) -> list[Image]:
    """
    Return a list of images from a batch, with the labels as captions.

    Args:
        images: an array or tensor with the batch as first axis, or anything with one image after the other.
        labels: a caption for each: a tensor, an array, or texts and numbers. Images past the last have none.

    >>> import numpy as np
    >>> [image.caption for image in convert_to_aim_image_list(np.zeros((2, 28, 28)), [7, 1])]
    ['7', '1']
    """
    batch = [images] if isinstance(images, (str, os.PathLike, Image)) or is_pil_image(images) else list(images)
    captions = [] if labels is None else [_label(label) for label in labels]
    return [
        image if isinstance(image, Image) and index >= len(captions) else _labelled(image, captions[index : index + 1])
        for index, image in enumerate(batch)
    ]


def _labelled(image: Any, captions: list[str]) -> Image:
    if not isinstance(image, Image):
        return Image(image, captions[0] if captions else "")
    twin = image.__copy__()
    twin.caption = captions[0]
    return twin


def _label(label: Any) -> str:
    return str(label.item()) if hasattr(label, "item") else str(label)


Made = tuple[dict[str, Any], Content]


def _made(format: str, mode: str, size: tuple[int, int], content: Content) -> Made:
    return {"format": format, "mode": mode, "width": size[0], "height": size[1]}, content


def _of_array(array: Any, format: str, quality: int, optimize: bool) -> Made:
    pixels = pixels_of(array)
    height, width = pixels.shape[:2]
    encoding = _encoding(format, mode_of(pixels), mode_of(pixels) in ("LA", "RGBA"), quality, optimize)
    check_size(format, width, height)
    return _made(format, encoding.mode, (width, height), Content(partial(encode, pixels, encoding)))


def _file_bytes(source: Any) -> tuple[bytes, str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), f"{len(source)} bytes"
    path = file_at(source, "image")
    return path.read_bytes(), str(path)


def _of_file(data: bytes, name: str, format_asked: str | None, quality: int, optimize: bool) -> Made:
    import PIL.Image

    try:
        image = PIL.Image.open(io.BytesIO(data))
        own_format = image.format or ""
        is_kept = is_format(own_format) and format_asked in (None, format_name(own_format))
        if not is_kept or quality != QUALITY_DEFAULT or optimize:
            return _of_pillow(image, format_asked, quality, optimize)
    except PIL.UnidentifiedImageError:
        raise UntrackableValue(f"{name} can't be read as an image: it begins like none that Pillow knows.") from None
    except (OSError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise UntrackableValue(f"{name} can't be read as an image: {error}.") from error
    # A phone's MPO file is a JPEG with more pictures behind it.
    return _made(
        format_asked or ("JPEG" if own_format == "MPO" else own_format), image.mode, image.size, Content.of(data)
    )


def _of_pillow(image: PIL.Image.Image, format_asked: str | None, quality: int, optimize: bool) -> Made:
    format, shown_format = _formats(image, format_asked)
    check_size(format, *image.size)
    if getattr(image, "is_animated", False) and format in ANIMATED_FORMATS:
        return _of_frames(image, Encoding(format, image.mode, quality, optimize), shown_format)
    if image.mode not in MODES_KEPT[format] and image.mode.startswith(("F", "I")):
        fields, content = _of_array(_plain_array(image), format, quality, optimize)
        return {**fields, "format": shown_format}, content
    still = image.copy()
    if not any(still.mode in modes for modes in MODES_KEPT.values()):
        still = _usual(still)
    encoding = _encoding(format, still.mode, is_transparent(still), quality, optimize)
    return _made(shown_format, encoding.mode, still.size, Content(partial(encode, still, encoding)))


def _formats(image: PIL.Image.Image, format_asked: str | None) -> tuple[str, str]:
    """Return the format that the file gets, and what `Image.format` says: of an image of Pillow its own spelling."""
    own_format = image.format if is_format(image.format) else None
    shown = "JPEG" if own_format == "MPO" else own_format
    return format_asked or format_name(own_format or "png"), format_asked or shown or "png"


def _of_frames(image: PIL.Image.Image, encoding: Encoding, shown_format: str) -> Made:
    # Pillow reads frames by moving a position in the file: they are read now, and the caller's position is put back.
    import PIL.Image

    frame_index = image.tell()
    try:
        image.seek(0)
        data = save(image, encoding, save_all=True)
    finally:
        image.seek(frame_index)
    first = PIL.Image.open(io.BytesIO(data))
    return _made(shown_format, first.mode, first.size, Content.of(data))


def _of_figure(figure: Any, format: str, quality: int, optimize: bool) -> Made:
    import PIL.Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    drawn = PIL.Image.open(io.BytesIO(buffer.getvalue()))
    if format == "png" and not optimize:
        return _made(format, drawn.mode, drawn.size, Content.of(buffer.getvalue()))
    return _of_pillow(drawn, format, quality, optimize)


def _plain_array(image: PIL.Image.Image) -> Any:
    import numpy as np

    array = np.asarray(image)
    # Mode I is what 16-bit files become in some versions of Pillow.
    if array.dtype.kind == "i" and array.min() >= 0 and 255 < array.max() < 2**16:
        return array.astype(np.uint16)
    return array


def _usual(image: PIL.Image.Image) -> PIL.Image.Image:
    for mode in ("LA", "RGBA") if is_transparent(image) else ("RGB",):
        try:
            return image.convert(mode)
        except ValueError:
            continue
    raise UntrackableValue(f"an image of mode {image.mode} can't be stored. Pass image.convert('RGB').")


def _quality(quality: object) -> int:
    # a value out of range must not end a training; Pillow accepts it for jpeg as well
    if not is_number(quality) or number(quality) != number(quality):
        raise UntrackableValue(f"quality is {quality!r}; expected a number from 0 to 100.")
    return round(min(max(number(quality), 0), 100))


def _encoding(format: str, mode: str, transparent: bool, quality: int, optimize: bool) -> Encoding:
    if transparent and format in OPAQUE_FORMATS:
        warn_once(
            "alpha",
            f"Image: {format} holds no alpha; pictures with it are pasted on white. Use format='png' or 'webp' "
            "to keep it. This is said once.",
        )
    return Encoding(format, mode_in(format, mode, transparent), quality, optimize)
