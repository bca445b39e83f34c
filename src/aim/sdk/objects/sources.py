"""
Files of media: where their bytes come from, and what kind of file they are by their first bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from aim.core.errors import UntrackableValue


def is_file_source(value: object) -> bool:
    """
    Return whether *value* is a path, the bytes of a file, or an open binary file.

    >>> is_file_source("speech.wav"), is_file_source(b"RIFF"), is_file_source(5)
    (True, True, False)
    """
    return isinstance(value, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(value, "read")


def read_source(source: Any, subject: str) -> tuple[bytes, str]:
    """
    Return the bytes of *source* and the file extension of its path, in lower case and without the dot ('' if unknown).

    A buffer such as `io.BytesIO` is read whole, wherever it stands; an open file from where it stands.

    Raises:
        UntrackableValue: there is no file at the path; *subject* names what was looked for.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), ""
    if hasattr(source, "getvalue"):
        return bytes(source.getvalue()), ""
    if hasattr(source, "read"):
        return bytes(source.read()), ""
    path = file_at(source, subject)
    return path.read_bytes(), path.suffix.lower().lstrip(".")


def file_at(source: Any, subject: str) -> Path:
    """
    Return the path of a file that is there.

    Raises:
        UntrackableValue: it is not; *subject* names what was looked for.
    """
    path = Path(source)
    if path.is_file():
        return path
    address = str(source)
    advice = f" For a file that stays where it is, use {subject.title()}.from_uri()." if "://" in address else ""
    raise UntrackableValue(f"there is no {subject} file at {address!r}.{advice}")


def kind_of_file(data: bytes) -> str:
    """
    Return the format of *data* by its first bytes: wav, mp3, flac, mp4, webm, gif, glb, ply, or ''.

    Sources: RIFF (Microsoft, 1991); ID3v2.4 section 3.1 and the frame sync of ISO 11172-3; FLAC format, `fLaC`;
    ISO 14496-12 `ftyp`; EBML (RFC 8794) section 8; GIF89a section 17; glTF 2.0 section 4.4.2; PLY (Turk, 1994).

    >>> kind_of_file(b"GIF89a...")
    'gif'
    """
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "wav"
    if data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return "mp3"
    starts = {
        b"fLaC": "flac",
        b"\x1aE\xdf\xa3": "webm",
        b"GIF8": "gif",
        b"glTF": "glb",
        b"ply\n": "ply",
        b"ply\r": "ply",
    }
    if data[4:8] == b"ftyp":
        return "mp4"
    return starts.get(data[:4], "")
