"""
Media by reference: an image, sound or video that stays where it is, so that a dataset is not copied.

    from_uri("/data/cats/7.jpg")  ->  fields, and `reference` among them; of an image a small picture as its bytes
    read back                     ->  the small picture is in the repository, the original is fetched when asked for

    field of `reference`   meaning
    uri                    where the original is: file:///..., or an address of an object store
    size_bytes             of the original, when it was looked at
    format                 of an image's original; the field `format` beside it is that of the small picture

The call reads the first bytes of a file of this machine, so that a wrong path is an error at once. An address
elsewhere is not read: a training does not wait for a network. Beside the training an image is then fetched, for its
size and the small picture; if that fails, one warning says so, and the reference is stored without them.

Addresses are those of artifacts (`storage.artifacts`): a path, `file://`, and with obstore `s3://`, `gs://` ...
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aim.core.errors import NotFound, UntrackableValue
from aim.core.shield import shielded
from aim.core.values import Loader, Stored
from aim.engine.eight_bits import eight_bits
from aim.sdk.objects.custom import Captioned, Content
from aim.sdk.objects.once import warn_once
from aim.storage.artifacts.registry import store_of
from aim.storage.artifacts.stores import folder_of, scheme_of

MediaT = TypeVar("MediaT", bound="StoredMedia")

HEAD_BYTES = 64  # what `kind_of_file` looks at
PREVIEW_FORMAT = "webp"
PREVIEW_SIDE_MAX_PX = 256
PREVIEW_QUALITY = 80


class OriginalGone(NotFound):
    """The file that a reference names is gone, or was replaced."""


class StoredMedia(Captioned):
    """What images, audio and video have in common: a caption, and bytes that may lie elsewhere."""

    _original: Content | None = None

    @property
    def uri(self) -> str | None:
        """Where the bytes are, of an object made by `from_uri`; None: in the repository."""
        reference = self._fields.get("reference")
        return None if reference is None else str(reference["uri"])

    @classmethod
    def _from_stored(cls: type[MediaT], fields: Mapping[str, Any], load: Loader) -> MediaT:
        """Return the object that was stored with *fields*; see `CustomObject._from_stored`."""
        self = super()._from_stored(fields, load)
        self._refer()
        return self

    def _refer(self) -> None:
        # the original is fetched when it is first read, and kept
        reference = self._fields.get("reference")
        if reference is not None:
            self._original = Content(partial(fetch, str(reference["uri"]), reference.get("size_bytes")))

    @classmethod
    def _by_reference(cls: type[MediaT], fields: Mapping[str, Any], content: Content | None, caption: object) -> MediaT:
        self = cls.__new__(cls)
        self._fields, self._content = dict(fields), content
        self._refer()
        self.caption = caption
        return self

    def stored(self) -> Stored:
        """Return the object's stored form; of a reference: with what its address gave."""
        stored = super().stored()
        if self.uri is None:
            return stored
        original_fields = self._content.original_fields if isinstance(self._content, Preview) else {}
        reference = {**self._fields["reference"], **original_fields.get("reference", {})}
        fields = {**stored.fields, **original_fields, "reference": reference}
        return Stored(stored.kind, fields, stored.data or None, stored.extension)

    def _read(self) -> bytes:
        return super()._read() if self._original is None else self._original.read()

    def local_bytes(self) -> bytes:
        """Return the bytes that the repository holds; of a reference those of the small picture, or b""."""
        return b"" if self._content is None else self._content.read()


class Preview(Content):
    """
    A small picture of the image at an address, made when it is first asked for; b"" when that is no image, or gone.

    Attributes:
        original_fields: the fields of the original image, once the picture was made.
    """

    __slots__ = ("original_fields",)

    def __init__(self, uri: str) -> None:
        self.original_fields: dict[str, Any] = {}
        super().__init__(partial(self._look, uri))

    def _look(self, uri: str) -> bytes:
        made: list[bytes] = []

        def look() -> None:
            data = fetch(uri)
            fields, picture = preview(data)
            fields["reference"]["size_bytes"] = len(data)
            self.original_fields = fields
            made.append(picture)

        def failed(error: Exception) -> None:
            warn_once("reference", f"Aim: {uri} can't be looked at ({error}); only its address is recorded.")

        shielded(look, failed)
        return made[0] if made else b""


def address_of(uri: str | os.PathLike[str], subject: str) -> tuple[str, Path | None]:
    """
    Return the whole address of *uri*, and its path when it is a file of this machine.

    Raises:
        UntrackableValue: there is no such file; *subject* names what was looked for.
        UnknownStore: (a ValueError) no store understands the address.

    >>> address_of("memory:///cats/7.jpg", "image")
    ('memory:///cats/7.jpg', None)
    """
    text = os.fspath(uri)
    if scheme_of(text) != "file":
        start, _, name = text.rpartition("/")
        if not name:
            raise UntrackableValue(f"{text!r} names no {subject} file.")
        store_of(start)
        return text, None
    path = folder_of(text).absolute()
    if not path.is_file():
        raise UntrackableValue(f"there is no {subject} file at {str(path)!r}.")
    return path.as_uri(), path


def fetch(uri: str, size_bytes: int | None = None) -> bytes:
    """
    Return the bytes at an address.

    Args:
        size_bytes: how many there have to be.

    Raises:
        OriginalGone: there is nothing, or another number of bytes.
    """
    try:
        data = _fetched(uri)
    except FileNotFoundError:
        raise OriginalGone(f"{uri} is not there any more; the run holds its address only.") from None
    if size_bytes is not None and len(data) != size_bytes:
        raise OriginalGone(
            f"{uri} was changed: it has {len(data):,} bytes, and had {size_bytes:,} when it was tracked."
        )
    return data


def _fetched(uri: str) -> bytes:
    if scheme_of(uri) == "file":
        return folder_of(uri).read_bytes()
    start, _, name = uri.rpartition("/")
    with tempfile.TemporaryDirectory(prefix="aim-") as folder:
        target = Path(folder) / "original"
        store_of(start).get(name, target)
        return target.read_bytes()


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file, which tell its format."""
    with open(path, "rb") as file:
        return file.read(HEAD_BYTES)


def fields_of_image(image: Any, uri: str, size_bytes: int | None) -> dict[str, Any]:
    """Return the fields of a reference to an image that Pillow has opened."""
    reference = {"uri": uri, "size_bytes": size_bytes, "format": image.format or ""}
    return {
        "format": PREVIEW_FORMAT,
        "mode": image.mode,
        "width": image.width,
        "height": image.height,
        "reference": reference,
    }


def preview(data: bytes) -> tuple[dict[str, Any], bytes]:
    """
    Return the fields of an image file, and a small picture of it as WebP.

    Raises:
        OSError, ValueError: it is no image.

    Cost: a jpeg of 512 x 384 2.5 ms, one of 4000 x 3000 7 ms, which is decoded at an eighth of its size; a png is
    decoded whole. Measured by bench/objects.py.
    """
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as image:
        fields = fields_of_image(image, "", len(data))
        del fields["reference"]["uri"]
        image.draft("RGB", (PREVIEW_SIDE_MAX_PX, PREVIEW_SIDE_MAX_PX))
        image.thumbnail((PREVIEW_SIDE_MAX_PX, PREVIEW_SIDE_MAX_PX))
        plain = eight_bits(image)
        is_clear = plain.mode in ("RGBA", "LA", "PA") or "transparency" in plain.info
        made = io.BytesIO()
        plain.convert("RGBA" if is_clear else "RGB").save(made, PREVIEW_FORMAT, quality=PREVIEW_QUALITY, method=2)
        return fields, made.getvalue()
