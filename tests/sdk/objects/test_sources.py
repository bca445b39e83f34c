"""
Bytes of media files come from paths, buffers and open files, and tell what they are.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from aim.core.errors import UntrackableValue
from aim.sdk.objects.sources import is_file_source, kind_of_file, read_source

HEADS = {
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "mp3": b"ID3\x04\0\0",
    "flac": b"fLaC\0",
    "mp4": b"\0\0\0\x20ftypisom",
    "webm": b"\x1aE\xdf\xa3\x9f",
    "gif": b"GIF89a\x05\0",
    "glb": b"glTF\2\0\0\0",
    "ply": b"ply\r\nformat",
}


@pytest.mark.parametrize(("kind", "head"), HEADS.items())
def test_files_tell_what_they_are(kind: str, head: bytes) -> None:
    """
    The first bytes name the format.
    """
    assert kind == kind_of_file(head)


def test_mp3_without_tags_is_known_by_its_sync() -> None:
    """
    The frame header of MPEG audio layer III is enough; that of layer I is not it.
    """
    assert "mp3" == kind_of_file(b"\xff\xfb\x90\x00")
    assert "" == kind_of_file(b"\xff\xff\x90\x00")


@pytest.mark.parametrize("data", [b"", b"\xff", b"abc", b"RIFF\0\0\0\0AVI "])
def test_other_bytes_tell_nothing(data: bytes) -> None:
    """
    Bytes of no known format have no name.
    """
    assert "" == kind_of_file(data)


def test_each_source_gives_its_bytes(tmp_path: Path) -> None:
    """
    A path gives bytes and ending; a buffer is read whole, wherever it stands; an open file from where it stands.
    """
    path = tmp_path / "Speech.WAV"
    path.write_bytes(b"abc")
    buffer = io.BytesIO()
    buffer.write(b"abc")
    with path.open("rb") as file:
        assert (b"abc", "") == read_source(file, "audio")

    assert (b"abc", "wav") == read_source(path, "audio") == read_source(str(path), "audio")
    assert (b"abc", "") == read_source(buffer, "audio") == read_source(memoryview(b"abc"), "audio")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """
    The message has the path, and what was looked for.
    """
    with pytest.raises(UntrackableValue, match=r"there is no audio file at .*gone\.wav"):
        read_source(tmp_path / "gone.wav", "audio")


def test_numbers_and_lists_are_no_sources() -> None:
    """
    Only paths, bytes and files are.
    """
    assert [False, False, False] == [is_file_source(value) for value in (5, [1], None)]
