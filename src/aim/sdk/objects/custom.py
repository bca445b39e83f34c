"""
What every object that a run can hold has in common: a name, fields, and bytes that are made late.

    constructor      checks what the caller gave and copies it: the object is a snapshot
    stored()         makes the bytes, once, on whichever thread asks: a PNG, a WAV file ...
    _from_stored()    the way back; the bytes are loaded only when somebody asks for them

Rule 1: a constructor raises for everything that is wrong; `stored()` of a constructed object does not fail
        for reasons of its value. So a background thread may call it.
Rule 2: the content never changes. Fields may (a caption), so `copy.copy(image)` is a cheap snapshot:
        it has its own fields and shares the content.
Rule 3: nothing here imports numpy, PIL or plotly when it is imported; functions do when they run.

`Content` holds no lock: two threads that ask at the same moment both make the same bytes, which is rare and
harmless, while a lock held during a fork would stop the child for ever.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, TypeVar

from aim.core.values import Deferred, Loader, Stored, is_number, number

ObjectT = TypeVar("ObjectT", bound="CustomObject")

RESERVED_FIELDS = frozenset({"data", "size"})
"""Keys that the blob file adds to the fields of an object (docs/formats/blobs.md)."""

PIECE_CHARS = 1 << 20  # a long text is looked at in pieces, not copied whole
UNKNOWN_BYTES = 1 << 10  # what a value holds that does not say
DEFERRED_BYTES_MIN = 1 << 16  # fewer bytes that are there are written in less time than a thread is woken


class Content:
    """
    Bytes that are made, or loaded, when they are first read, and kept.

    >>> content = Content(lambda: b"pixels")
    >>> content.read()
    b'pixels'
    """

    __slots__ = ("_bytes", "_make")

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make: Callable[[], bytes] | None = make
        self._bytes: bytes | None = None

    @classmethod
    def of(cls, data: bytes) -> Content:
        """Return a content whose bytes are there already."""
        content = cls(lambda: data)
        content.read()
        return content

    @property
    def is_made(self) -> bool:
        """Whether reading takes no time."""
        return self._bytes is not None

    def held_bytes(self) -> int:
        """Return about how much memory it holds: the bytes, or the arrays that they are made from."""
        made, make = self._bytes, self._make
        if made is not None:
            return len(made)
        return memory_of(make.args) if isinstance(make, partial) else UNKNOWN_BYTES

    def read(self) -> bytes:
        """Return the bytes. What they were made from is let go after the first call."""
        make = self._make
        if self._bytes is None and make is not None:
            self._bytes = make()
        # Set after the bytes, never before: another thread that finds no maker finds the bytes.
        self._make = None
        assert self._bytes is not None
        return self._bytes


class CustomObject:
    """
    One object that can be tracked, or set as a param.

    Attributes:
        AIM_NAME: the name of the type in sequences and files, such as `aim.image`.
    """

    AIM_NAME: ClassVar[str] = "aim.object"

    _fields: dict[str, Any]
    _content: Content | None = None

    def __init__(self, fields: Mapping[str, Any], content: Content | None = None) -> None:
        self._fields = dict(fields)
        self._content = content

    @classmethod
    def _from_stored(cls: type[ObjectT], fields: Mapping[str, Any], load: Loader) -> ObjectT:
        """
        Return the object that was stored with *fields*.

        Args:
            fields: as in `Stored.fields`.
            load: gives the bytes of `Stored.data`; called at most once, when they are needed.
        """
        self = cls.__new__(cls)
        self._fields = {key: value for key, value in fields.items() if key not in RESERVED_FIELDS}
        self._content = Content(load)
        return self

    def stored(self) -> Stored:
        """Return the object's stored form, and make its bytes if this is the first call."""
        data = None if self._content is None else self._content.read()
        return Stored(self.AIM_NAME, dict(self._fields), data, self._extension())

    def _deferred(self) -> Deferred | None:
        """
        Return a snapshot whose stored form another thread may make; None: there is nothing to make, `stored()` is as
        good.
        """
        content = self._content
        if content is None or (content.is_made and content.held_bytes() < DEFERRED_BYTES_MIN):
            return None
        return Deferred(self._kind(), max(1, content.held_bytes()), self.__copy__().stored)

    def _kind(self) -> str:
        return self.AIM_NAME

    @classmethod
    def get_typename(cls) -> str:
        """
        Return the name of the type, as `AIM_NAME`; for callers of Aim 3.

        >>> CustomObject.get_typename()
        'aim.object'
        """
        return cls.AIM_NAME

    def json(self) -> dict[str, Any]:
        """Return what describes the object, without its bytes."""
        return dict(self._fields)

    def _extension(self) -> str:
        return "bin"

    def _read(self) -> bytes:
        assert self._content is not None
        return self._content.read()

    def __copy__(self: ObjectT) -> ObjectT:
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._fields = dict(self._fields)
        return twin

    def __deepcopy__(self: ObjectT, memo: dict[int, object]) -> ObjectT:
        return self.__copy__()


class Captioned(CustomObject):
    """An object with a caption, which can be set at any time; what was tracked before keeps its own."""

    @property
    def caption(self) -> Any:
        """The caption: text, or a plain number."""
        return self._fields.get("caption", "")

    @caption.setter
    def caption(self, caption: Any) -> None:
        self._fields.pop("caption", None)
        if not isinstance(caption, str) or caption != "":
            self._fields["caption"] = caption_value(caption)


def memory_of(value: object) -> int:
    """
    Return about how many bytes an array, an image of Pillow, bytes, or a list or dict of such hold.

    >>> memory_of([b"abc", bytearray(5)])
    8
    """
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    if isinstance(value, (list, tuple)):
        return sum(map(memory_of, value))
    if isinstance(value, dict):
        return sum(map(memory_of, value.values()))
    array_bytes = getattr(value, "nbytes", None)
    if isinstance(array_bytes, int):
        return array_bytes
    bands = getattr(value, "getbands", None)
    if bands is not None:
        return int(value.width * value.height * len(bands()))  # type: ignore[attr-defined]
    return UNKNOWN_BYTES


def caption_value(caption: object) -> str | int | float | bool | None:
    """
    Return *caption* as a value that JSON holds: text and plain numbers as they are, all else as text.

    >>> caption_value("7 or 1?"), caption_value(7), caption_value(("a", 1))
    ('7 or 1?', 7, "('a', 1)")
    """
    if caption is None or isinstance(caption, bool):
        return caption
    if isinstance(caption, str):
        return sound_text(caption)
    if is_number(caption):
        plain = number(caption)
        return plain if math.isfinite(plain) else str(plain)
    return sound_text(str(caption))


def sound_text(text: str) -> str:
    """
    Return *text* with each lone surrogate, which UTF-8 has no bytes for, as a question mark.

    They come from names of files in another encoding.

    >>> sound_text("caf\\udce9")
    'caf?'
    """
    if text.isascii():
        return str(text)
    try:
        for start in range(0, len(text), PIECE_CHARS):
            text[start : start + PIECE_CHARS].encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return str(text)
