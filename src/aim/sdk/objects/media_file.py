"""
What audio, video and 3D objects have in common: a file in one of a few formats, whose bytes come from a path, a
buffer, or an address that they stay at.

The format is the one that the caller names, else the path's ending, else what the first bytes tell.
"""

from __future__ import annotations

import io
import os
from typing import Any, ClassVar, TypeVar

from aim.core.errors import UntrackableValue
from aim.sdk.objects.references import StoredMedia, address_of, head_of
from aim.sdk.objects.sources import kind_of_file, read_source

MediaFileT = TypeVar("MediaFileT", bound="MediaFile")


class MediaFile(StoredMedia):
    """
    One file of a medium.

    Attributes:
        SUBJECT: what it is, for messages.
        FORMATS: the names of its formats.
    """

    SUBJECT: ClassVar[str] = "media"
    FORMATS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_uri(cls: type[MediaFileT], uri: str | os.PathLike[str], format: str = "", caption: Any = "") -> MediaFileT:
        """
        Return an object whose file stays where it is: only its address is recorded.

        Args:
            uri: a path, `file:///...`, or an address of an object store such as `s3://bucket/speech.flac`.
            format: may be left out when the ending of *uri* tells, or the first bytes of a file of this machine.
            caption: any text; can be set later.

        Raises:
            UntrackableValue: (a ValueError) no file at a path of this machine, or a format that nothing tells.
            UnknownStore: (a ValueError) no store understands the address.
        """
        format_asked = cls._format_asked(format)
        address, path = address_of(uri, cls.SUBJECT)
        ending = os.path.splitext(address)[1].lower().lstrip(".")
        name = cls._format_of(format_asked, ending, b"" if path is None else head_of(path))
        reference: dict[str, Any] = {"uri": address}
        if path is not None:
            reference["size_bytes"] = path.stat().st_size
        return cls._by_reference({"format": name, "reference": reference}, None, caption)

    @property
    def format(self) -> str:
        """The format of the file, in lower case."""
        return str(self._fields.get("format", ""))

    def get(self) -> io.BytesIO:
        """Return the file as a buffer, a new one each time."""
        return io.BytesIO(self._read())

    def _extension(self) -> str:
        return self.format

    @classmethod
    def _format_asked(cls, format: object) -> str:
        format_asked = format.lower().lstrip(".") if isinstance(format, str) else repr(format)
        if format_asked and format_asked not in cls.FORMATS:
            raise UntrackableValue(f"format is {format!r}; expected one of {', '.join(cls.FORMATS)}.")
        return format_asked

    @classmethod
    def _format_of(cls, format_asked: str, ending: str, data: bytes) -> str:
        name = format_asked or (ending if ending in cls.FORMATS else kind_of_file(data))
        if name not in cls.FORMATS:
            raise UntrackableValue(
                f"{cls.SUBJECT[0].upper()}{cls.SUBJECT[1:]} format must be provided: the file does not tell. "
                f"Pass format, one of {', '.join(cls.FORMATS)}."
            )
        return name

    @classmethod
    def _of_source(cls, source: Any, format_asked: str) -> tuple[str, bytes]:
        """Return format and bytes of a path, the bytes of a file, or an open file."""
        data, ending = read_source(source, cls.SUBJECT)
        return cls._format_of(format_asked, ending, data), data
