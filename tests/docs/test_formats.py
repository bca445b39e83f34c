"""
docs/formats tell the truth: their examples decode, and what the package writes is read here by the pages alone.

Nothing in this file that decodes uses the package: each decoder is written from the page, as a stranger would write it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from aim.core.values import Stored
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.tidy.tree import ROOT

PAGE_BYTES = 4096
RUN = "digits-1"


class Picture:
    """The smallest thing that can be tracked as an image."""

    def stored(self) -> Stored:
        """Return what blobs.md calls an item."""
        return Stored("aim.image", {"format": "png", "caption": "7 or 1?"}, data=b"not quite a PNG", extension="png")


def page_text(name: str) -> str:
    """Return the text of one page of docs/formats."""
    return (ROOT / "docs/formats" / name).read_text(encoding="utf-8")


def hex_lines(name: str) -> list[bytes]:
    """Return the bytes of each line of a page that is nothing but two or more bytes in hex."""
    return [
        bytes.fromhex(line) for line in re.findall(r"^(?:[0-9a-f]{2} +)+[0-9a-f]{2}$", page_text(name), re.MULTILINE)
    ]


def json_lines(name: str, start: str) -> list[str]:
    """Return each line of a page that begins with *start*."""
    return [line for line in page_text(name).splitlines() if line.startswith(start)]


def checked(line: bytes) -> dict[str, Any]:
    """Decode one event line as events.md says; a line that fails its check is an error."""
    prefix, rest = line[:17], line[17:]
    assert prefix == b'{"crc":"%08x"' % zlib.crc32(rest)
    event = json.loads(line)
    assert isinstance(event, dict)
    return event


@pytest.fixture(scope="module", name="run_folder")
def _run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The folder of one ended run that has a bit of everything, its points not yet sealed.
    """
    store = Store(tmp_path_factory.mktemp("formats"), create=True)
    folder = store.create_run(RUN)
    writer = Writer(folder, RUN)
    writer.lines.set_param(("hparams",), {"lr": 0.01, "clip": math.inf, "raw": b"\x00\xff", "layers": {1: 64}})
    loss = writer.sequence("loss", {"subset": "val"})
    for step in range(300):
        loss.track(step / 4, step=step, epoch=0.1)
    loss.track(2**60 + 1, step=300)
    writer.sequence("mistakes", {}).track([Picture(), Picture()], step=12)
    writer.close()
    return folder


def one(folder: Path, pattern: str) -> Path:
    """Return the one file of *folder* that fits."""
    (found,) = folder.glob(pattern)
    return found


def test_the_worked_record_decodes() -> None:
    """
    The record of points.md has the value, step, time, epoch and sequence number that the page says.
    """
    (record,) = hex_lines("points.md")

    assert (0.25, 7, 1795380918.5, 1.0, 1) == struct.unpack("<dqdfI", record)


def test_a_segment_is_what_points_md_says(run_folder: Path) -> None:
    """
    Header, sizes, page CRCs and records of a written segment are at the places of the page's table.
    """
    sizes = []
    records: list[tuple[float, int, float, float, int]] = []
    for number, path in enumerate(sorted(run_folder.glob("*.points-*"))):
        data = path.read_bytes()
        sizes.append(len(data))
        magic, size, segment, writer, digest, reserved, crc = struct.unpack_from("<8sII8s16s20sI", data)
        assert (b"points\x00\x01", len(data), number, path.name[:8]) == (magic, size, segment, writer.decode())
        assert hashlib.blake2b(RUN.encode(), digest_size=16).digest() == digest
        assert (bytes(20), zlib.crc32(data[:60])) == (reserved, crc)
        crcs = struct.unpack_from("<1008I", data, 64)
        for page in range(1, len(data) // PAGE_BYTES):
            content = data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]
            assert crcs[page - 1] in (0, zlib.crc32(content) or 1)
            records += [record for record in struct.iter_unpack("<dqdfI", content) if record[4] not in (0, 0xFFFFFFFF)]
        assert crcs[0] != 0, "the CRC of a full page of an ended writer is there"

    assert [16 << 10] == sizes
    loss = [record for record in records if record[4] == records[0][4]]
    assert [(step / 4, step) for step in range(300)] == [record[:2] for record in loss]
    assert {struct.unpack("<f", struct.pack("<f", 0.1))[0]} == {record[3] for record in loss}


def test_the_worked_frame_decodes() -> None:
    """
    The frame of ship.md has one slot, that of points.md, at the place and with the CRC that the page says.
    """
    head, data = hex_lines("ship.md")
    kind, pack, writer, file, offset, raw_bytes, packed_bytes, crc = struct.unpack("<BBHIQIII", head)

    assert hex_lines("points.md") == [data]
    assert (1, 0, 0, 0, 5) == (kind, pack, writer, file, offset)
    assert (len(data), len(data), zlib.crc32(data)) == (raw_bytes, packed_bytes, crc)


@pytest.mark.parametrize(("name", "start"), [("events.md", '{"crc"'), ("edits.md", '{"crc"')])
def test_the_worked_lines_pass_their_check(name: str, start: str) -> None:
    """
    Each example line of events.md and edits.md has the CRC of its text.
    """
    lines = json_lines(name, start)

    assert lines
    for line in lines:
        checked(line.encode())


def test_event_lines_are_what_events_md_says(run_folder: Path) -> None:
    """
    A writer's lines pass their check, increase in time, have the page's keys, and begin and end as it says.
    """
    lines = [checked(line) for line in one(run_folder, "*.events.jsonl").read_bytes().splitlines()]
    known = set(re.findall(r"^\| `(\w+)` \|", page_text("events.md"), re.MULTILINE))
    begin_keys = re.search(r"`(\{\"format\":1,\"run\".*?\})`", page_text("events.md"))
    assert begin_keys is not None

    moments = [line["at"] for line in lines]
    assert sorted(set(moments)) == moments
    assert set() == {next(key for key in line if key not in ("crc", "at")) for line in lines} - known
    assert re.findall(r'"(\w+)":', begin_keys[1]) == list(lines[0]["begin"])
    ended = {"state": "finished", "error": None, "segments": 1, "points": 301, "blobs": 1, "next": [301, 301, 13]}
    assert ended == lines[-1]["end"]


def test_values_without_a_json_form_are_written_as_events_md_says(run_folder: Path) -> None:
    """
    Infinity, bytes and int keys in params are objects with one key, and integers beyond 2**53 are lines.
    """
    lines = [checked(line) for line in one(run_folder, "*.events.jsonl").read_bytes().splitlines()]
    (hparams,) = [line for line in lines if "set" in line]
    (exact,) = [line for line in lines if "point" in line]

    assert ["hparams"] == hparams["set"]
    assert {"$float": "inf"} == hparams["value"]["clip"]
    assert {"$bytes": "AP8="} == hparams["value"]["raw"]
    assert {"$dict": [[1, 64]]} == hparams["value"]["layers"]
    assert (2**60 + 1, 300) == (exact["value"], exact["step"])


def test_blobs_are_a_zip_with_records_as_blobs_md_says(run_folder: Path) -> None:
    """
    Any ZIP program opens a blob file; a point's value leads to its record, and the record to its data.
    """
    path = one(run_folder, "*.blobs-0000.zip")
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert {zipfile.ZIP_STORED} == {entry.compress_type for entry in archive.infolist()}
    assert ["mistakes/12-0.png", "mistakes/12-1.png", "mistakes/12-2.json"] == names

    segment = one(run_folder, "*.points-0000").read_bytes()
    record = next(r for r in struct.iter_unpack("<dqdfI", segment[PAGE_BYTES:]) if r[1] == 12 and r[0] != 3.0)
    number, offset = divmod(int(record[0]), 2**40)
    assert 0 == number
    found = json.loads(entry_data(data, offset))
    assert "list(aim.image)" == found["kind"]
    assert [b"not quite a PNG"] * 2 == [entry_data(data, item["data"]) for item in found["items"]]
    assert ["7 or 1?"] * 2 == [item["caption"] for item in found["items"]]
    assert [15, 15] == [item["size"] for item in found["items"]]


def entry_data(data: bytes, offset: int) -> bytes:
    """Return the data of the ZIP entry whose local header is at *offset*, after all checks of blobs.md."""
    magic, version, flags, method, _, _, crc, size, size_again, name_bytes, extra_bytes = struct.unpack_from(
        "<4sHHHHHIIIHH", data, offset
    )
    assert (b"PK\x03\x04", 20, 1 << 11, 0, size, 8) == (magic, version, flags, method, size_again, extra_bytes)
    header = data[offset : offset + 30 + name_bytes + 8]
    extra_id, length, header_crc = struct.unpack("<HHI", header[-8:])
    assert (0x6D61, 4, zlib.crc32(header[:-4] + bytes(4))) == (extra_id, length, header_crc)
    content = data[offset + len(header) : offset + len(header) + size]
    assert crc == zlib.crc32(content)
    return content


def test_a_repository_is_what_repository_md_says(run_folder: Path) -> None:
    """
    FORMAT has the bytes that the page says, and a run folder holds only files that the page names.
    """
    content = (run_folder.parent.parent / "FORMAT").read_bytes()
    named = re.findall(r"^ {4}(<writer>\.\S+|edit-\S+)", page_text("repository.md"), re.MULTILINE)
    patterns = [
        re.escape(name).replace("<writer>", "[0-9a-f]{8}").replace("0000", r"\d{4,}").replace("<microseconds>", r"\d+")
        for name in named
    ]

    assert (b'{"format": 1}\n', 14) == (content, len(content))
    for path in run_folder.iterdir():
        assert any(re.fullmatch(pattern, path.name) for pattern in patterns), path.name


def test_the_worked_frame_of_the_wire_decodes() -> None:
    """
    The bytes of wire.md are the frame whose header stands above them: sizes, places, steps and values.
    """
    text = page_text("wire.md")
    header = "".join(re.findall(r'^(\{"cursor":"41","total":2.*\n "series".*)$', text, re.MULTILINE)).replace("\n ", "")
    rows = {
        int(offset): bytes.fromhex(octets)
        for offset, octets in re.findall(r"^ *(\d+)  ((?:[0-9a-f]{2} {1,2})+) ", text, re.MULTILINE)
    }
    series = json.loads(header)["series"]

    assert 310 == len(header.encode())
    assert (b"AXF1", 312) == struct.unpack("<4sI", rows[0])
    assert 8 + 312 == 320
    steps = struct.unpack("<3i", rows[320][:12])
    values = struct.unpack("<5f", rows[336][:20])
    assert (0, 10, 20) == steps
    assert ["0.5", "nan", "0.25", "0.75", "0.5"] == [repr(value) for value in values]
    assert 360 == 336 + len(rows[336])
    assert len(values) == series["y"][-1] + series["n"][-1]


def test_the_lines_of_tokens_decode_and_have_the_digest_of_the_token() -> None:
    """
    The lines on the page pass their checks, and the token on the page is that of the second line.
    """
    new, own, revoked = (checked(line.encode()) for line in json_lines("tokens.md", '{"crc"'))
    token_id, secret = re.findall(r"`aim_([0-9a-f]{8})_([A-Za-z0-9_-]{43})`", page_text("tokens.md"))[0]

    assert (own["token"], own["sha256"]) == (token_id, hashlib.sha256(secret.encode()).hexdigest())
    assert revoked["revoke"] == new["token"]
