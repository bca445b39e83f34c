"""
Event files of TensorBoard: read back here by their framing, and byte by byte as TensorBoard's own reader took them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from aim.convert import export
from aim.convert.exporting.event_files import masked_crc, varint
from tests.convert.exporting.conftest import BIG, LOSSES


def records_of(path: Path) -> Iterator[bytes]:
    """Go through the records of an event file, each with both checksums compared."""
    data = path.read_bytes()
    position = 0
    while position < len(data):
        (length,) = struct.unpack_from("<Q", data, position)
        length_check, event = data[position + 8 : position + 12], data[position + 12 : position + 12 + length]
        assert struct.pack("<I", masked_crc(data[position : position + 8])) == length_check
        assert struct.pack("<I", masked_crc(event)) == data[position + 12 + length : position + 16 + length]
        yield event
        position += 16 + length


def events_of(folder: Path) -> list[bytes]:
    """Return the records of the one event file in *folder*."""
    (file,) = folder.iterdir()
    return list(records_of(file))


def doubles_of(events: list[bytes], tag: str) -> list[tuple[bytes, float]]:
    """Return step and value of each double of a tag: the step as it is encoded."""
    mark = b"\n" + varint(len(tag)) + tag.encode()
    chosen = [event for event in events if mark in event and b"scalars" in event]
    values = [event.split(b'"\x08', 1)[1][:8] for event in chosen]
    steps = [event[10 : event.index(b"*", 10)] for event in chosen]
    return [(step, struct.unpack("<d", value)[0]) for step, value in zip(steps, values)]


def test_a_run_is_a_folder_with_checked_records(repository: Path, tmp_path: Path) -> None:
    """
    Each run has a folder by its name, without signs that a path can't have; the first record names the version.
    """
    report = export(repository, tmp_path / "logs", format="tensorboard")

    assert ["=1+1", "bare"] == sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert b"brain.Event:2" in events_of(tmp_path / "logs" / "=1+1")[0]
    assert (2, 8) == (report.runs, report.points)


def test_scalars_keep_all_their_bits(repository: Path, tmp_path: Path) -> None:
    """
    NaN, infinity, negative zero and 1e-300 are doubles, negative steps and 2^40 whole; the context is a suffix.
    """
    export(repository, tmp_path / "logs", format="tensorboard")
    events = events_of(tmp_path / "logs" / "=1+1")

    assert [repr((varint(step), value)) for step, value in LOSSES.items()] == [
        repr((step, value)) for step, value in doubles_of(events, "loss/val")
    ]


def test_an_integer_beyond_2_53_keeps_its_digits(repository: Path, tmp_path: Path) -> None:
    """
    Integers are tensors of int64.
    """
    export(repository, tmp_path / "logs", format="tensorboard")
    content = b"".join(events_of(tmp_path / "logs" / "=1+1"))

    assert all(struct.pack("<q", BIG + step) in content for step in range(3))


def test_objects_go_to_the_plugins_that_show_them(repository: Path, tmp_path: Path) -> None:
    """
    Images, audio, texts and distributions are written with their bytes; a table is left out and counted.
    """
    report = export(repository, tmp_path / "logs", format="tensorboard")
    content = b"".join(events_of(tmp_path / "logs" / "=1+1"))

    assert all(b"\n" + varint(len(name)) + name in content for name in (b"images", b"audio", b"text", b"histograms"))
    assert 2 == content.count(b"\x89PNG")
    assert 5 == report.objects
    assert 1 == report.left_out["aim.table: TensorBoard has no such kind"]


def test_params_go_to_the_page_of_hyperparameters(repository: Path, tmp_path: Path) -> None:
    """
    The plugin `hparams` gets the params by dotted names; numbers stay numbers.
    """
    export(repository, tmp_path / "logs", format="tensorboard")
    content = b"".join(events_of(tmp_path / "logs" / "=1+1"))

    assert b"_hparams_/session_start_info" in content
    assert b"\n\nhparams.lr\x12\t\x11" + struct.pack("<d", 0.1) in content
